"""A question and its answer become one statement; what is not understood stays in the words in which it was said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.note_exchanges import is_question, join, statements
from pipelines.note_sentences import Clause, cut, tidy
from pipelines.note_style import Persons, note_style, sex_said

PATIENT, DOCTOR = Persons("patient", "female"), Persons("doctor", "female")


@pytest.mark.parametrize(
    ("question", "answer", "expected"),
    [
        ("Any allergies?", "Penicillin, a rash.", "Allergies: penicillin (rash)."),
        ("Any allergies?", "Penicillin, it gives me a rash.", "Allergies: penicillin (rash)."),
        ("Any fever or chills?", "No.", "Denies fever or chills."),
        ("Do you have any chest pain?", "No, not really.", "Denies chest pain."),
        ("Have you had any nausea?", "Yes.", "Reports nausea."),
        ("Are you taking your lisinopril?", "Yes, I am.", "The patient is taking her lisinopril."),
        ("Do you smoke?", "No.", "The patient does not smoke."),
        ("How long has this been going on?", "About three weeks.", "Duration: about three weeks."),
        ("Any dizziness, or have you passed out?", "No, I have not passed out.", ""),  # nothing is said of dizziness
        ("Any dizziness, or have you passed out?", "No.", "Denies dizziness or having passed out."),
        ("Any dizziness, or do you see spots?", "No.", ""),
        ("Any blurred vision or tingling in your feet?", "No blurred vision.", ""),
        ("Any blurred vision?", "No blurred vision.", "Denies blurred vision."),
        ("Do you take anything for cholesterol?", "Yes, rosuvastatin.", ""),
        ("Do you have any thoughts of harming yourself?", "No, never.", "Denies thoughts of harming herself."),
        ("Did you fall?", "Yes.", ""),  # the past of the verb would have to be guessed
        ("Is it sharp or dull?", "Yes.", ""),
        ("What happened?", "Well, I was walking down the stairs when I slipped on the last one and fell.", ""),
    ],
)
def test_question_and_answer_are_joined(question: str, answer: str, expected: str) -> None:
    assert join(question, answer, PATIENT) == expected


def test_a_no_that_goes_on_to_a_yes_denies_nothing() -> None:
    assert join("Any dizziness or nausea?", "No.", PATIENT, "But I do feel dizzy when I stand up.") == ""
    assert join("Any dizziness or nausea?", "No.", PATIENT, "No dizziness at all.") == "Denies dizziness or nausea."
    assert join("Any dizziness or nausea?", "No.", PATIENT, "My knee hurts.") == "Denies dizziness or nausea."


@pytest.mark.parametrize(
    ("said", "persons", "expected"),
    [
        ("I've been taking my lisinopril and I don't feel dizzy.", PATIENT,
         "The patient has been taking her lisinopril and she does not feel dizzy."),
        ("okay so we're gonna go ahead and order an MRI of your right knee", DOCTOR, "We will order an MRI of her right knee."),
        ("um, I think it's my left knee", PATIENT, "The patient thinks it is her left knee."),
        ("You should call me if you have any chest pain, okay?", DOCTOR,
         "The patient should call me if she has any chest pain."),
        ("There's a little bit of fluid and I just feel a little bit tired.", PATIENT,
         "There is a little fluid and the patient feels a little tired."),
        ("Okay, all right.", DOCTOR, ""),
    ],
)  # fmt: skip
def test_speech_becomes_note_style(said: str, persons: Persons, expected: str) -> None:
    assert note_style(tidy(said), persons) == expected


def test_stutters_go_and_repeated_numbers_stay() -> None:
    assert (
        tidy("I, I take the , the uh, metformin , twenty twenty times") == "I take the metformin, twenty twenty times"
    )


@pytest.mark.parametrize(
    ("said", "plain"),
    [
        ("lack of , uh , energy", "lack of energy"),
        ("we could do an, um, endoscopy", "we could do an endoscopy"),
        ("fever, um, chills", "fever, chills"),
        ("there is no , there is no , uh, fracture", "there is no fracture"),
        ("there is no, there is tenderness", "there is no, there is tenderness"),
        ("looking at your looking at your head", "looking at your head"),
        ("and I, I'm tired", "and I'm tired"),
        ("I-I do hear a murmur and-and a click", "I do hear a murmur and a click"),
        ("it is five five or five six", "it is five five or five six"),
        ("no pain, no swelling, no redness", "no pain, no swelling, no redness"),
        ("a so-so year", "a so-so year"),
    ],
)
def test_what_only_speech_needs_is_cleared_away(said: str, plain: str) -> None:
    assert tidy(said) == plain


def test_a_beginning_that_says_nothing_alone_stays_with_what_follows() -> None:
    assert cut("For your first problem, your back pain. I think you have a strain.") == (
        "For your first problem, your back pain, I think you have a strain.",
    )
    assert cut("On your lung exam. There are fine crackles.") == ("On your lung exam, there are fine crackles.",)
    assert cut("On Monday. Yes.") == ("On Monday.", "Yes.")  # an answer is whole as it is
    assert cut("With food.") == ("With food.",)
    assert cut("On this film. All looks normal now. I see no fracture.") == (
        "On this film, all looks normal now.",
        "I see no fracture.",
    )
    assert cut("For the pain take ibuprofen. Come back in two weeks.") == (
        "For the pain take ibuprofen.",
        "Come back in two weeks.",
    )
    assert cut("In the morning I take it. It helps.") == ("In the morning I take it.", "It helps.")


def test_a_run_without_punctuation_is_cut_where_speakers_begin_anew() -> None:
    run = (
        "okay now i know that you're a diabetic and you are on some insulin and i want to check your sugars today because they "
        "were high the last time you were here"
    )
    assert len(cut(run)) > 1
    assert " ".join(cut(run)).split() == run.split()


@pytest.mark.parametrize(
    "text",
    [
        "do you have any pain", "so what brings you in", "Any allergies?", "have you had fever",
        "wow okay so which wrist are we talking about left or right", "on a scale of one to ten how severe is the pain",
    ],
)  # fmt: skip
def test_questions_are_known_without_a_mark(text: str) -> None:
    assert is_question(text)


@pytest.mark.parametrize(
    "text",
    [
        "the tip of your finger, which is the most common place", "I know how bad it is", "that is how it is", "it hurts when you are walking",
        "I will see what the x-ray shows and how it is healing",
    ],
)  # fmt: skip
def test_a_clause_with_such_a_word_within_is_no_question(text: str) -> None:
    assert not is_question(text)


def test_an_answer_that_was_broken_off_tells_nothing() -> None:
    assert join("What medications are you taking?", "Um, I've been taking, uh.", PATIENT) == ""
    assert join("What medications do you take?", "I take aspirin.", PATIENT) == "Medications: aspirin."


def test_what_follows_a_heading_begins_with_what_was_told() -> None:
    assert join("When did this start?", "It was yesterday.", PATIENT) == "Onset: yesterday."
    assert join("How long has it been?", "It's been three weeks.", PATIENT) == "Duration: three weeks."


def test_statements_name_every_utterance_they_were_made_of() -> None:
    talk = [("u1", "doctor", "Any fever?"), ("u2", "patient", "No, but I have a cough since Monday.")]
    clauses = [Clause(i, role, role, at, text) for i, role, said in talk for at, text in enumerate(cut(said))]
    made = statements(clauses)
    assert [(one.text, one.evidence) for one in made] == [
        ("Denies fever.", ("u1", "u2")),
        ("The patient has a cough since Monday.", ("u1", "u2")),
    ]


@pytest.mark.parametrize(
    "said",
    ["I am allergic to penicillin. It gives me a rash.", "Penicillin, it gives me a rash.", "Penicillin, a rash."],
)
def test_an_allergy_carries_its_reaction(said: str) -> None:
    talk = [("u1", "doctor", "Any allergies?"), ("u2", "patient", said)]
    clauses = [Clause(i, role, role, at, text) for i, role, said in talk for at, text in enumerate(cut(said))]
    assert [one.text for one in statements(clauses)] == ["Allergies: penicillin (rash)."]


def test_the_patients_sex_is_taken_from_how_they_are_introduced() -> None:
    assert sex_said(["Martha is a 50-year-old female with diabetes."]) == "female"
    assert sex_said(["Good morning, Mr. Hall."]) == "male"
    assert sex_said(["Your mother was a nice woman, sir."]) == ""


@given(
    st.lists(
        st.sampled_from("i you my the left right no not 40 mg twenty knee pain have take um okay and but ?".split()),
        max_size=30,
    )
)
def test_numbers_sides_and_denials_survive_the_style(words: list[str]) -> None:
    said = " ".join(words)
    for role in ("doctor", "patient", "relative"):
        for clause in cut(said):
            styled = note_style(clause, Persons(role))
            if not styled:
                continue
            for kept in ("left", "40", "twenty", "not", "no"):
                assert styled.lower().split().count(kept) <= said.split().count(kept) + said.count("n't")
