"""What goes into a note: each thing once, nothing that only the talk needed."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines.note_exchanges import Statement, statements
from pipelines.note_lines import choose, worth_a_look
from pipelines.note_sections import MOST_SEEN, TOPICS, Judged, relevance_features, topic_of
from pipelines.note_sentences import Clause, cut


def statement(text: str, role: str = "doctor", joined: bool = False) -> Statement:
    return Statement(text, text, (Clause("u1", role, role, 0, text),), joined, "")


def chosen(texts: list[str], relevance: list[float], topics: list[str] | None = None) -> list[str]:
    """What is kept of statements of which no two mean the same to the encoder."""
    said = [statement(text) for text in texts]
    logs = np.full((len(said), len(TOPICS)), -9.0, np.float32)
    for row, topic in enumerate(topics or ["Plan"] * len(said)):
        logs[row, list(TOPICS).index(topic)] = 0
    judged = Judged(np.array(relevance, np.float32), logs, np.eye(len(said), dtype=np.float32))
    return [texts[at] for at in choose(said, judged, 1000)]


RETAINS = "I think the patient is retaining fluid."
BOTH = "For his first problem, his heart failure, I think the patient is retaining fluid."


@pytest.mark.parametrize("relevance", [[2.0, 1.0], [1.0, 2.0]])
def test_of_two_lines_the_one_that_tells_more_stays(relevance: list[float]) -> None:
    assert chosen([RETAINS, BOTH], relevance) == [BOTH]


def test_a_line_of_another_section_number_or_denial_is_not_the_same() -> None:
    two = ["Continue lisinopril.", "The patient was told to continue lisinopril by his cardiologist."]
    assert chosen(two, [1.0, 2.0], ["Plan", "History"]) == two
    doses = ["Increase lisinopril to 20 mg.", "Increase lisinopril to 10 mg daily, then see how it goes."]
    assert chosen(doses, [1.0, 2.0]) == doses
    denied = ["No swelling of the ankles.", "There is swelling of the ankles and calves."]
    assert chosen(denied, [1.0, 2.0]) == denied


@pytest.mark.parametrize(
    "text",
    [
        "End of recording.", "Finalize report.", "Show me the chest x-ray.", "Assessment and plan.",
        "We will take a quick listen to her heart and lungs.", "We will do her exam.",
        "We will review her past history for a second.", "Kick against my hands.",
    ],
)  # fmt: skip
def test_what_only_runs_the_visit_is_no_line(text: str) -> None:
    assert not worth_a_look(statement(text))


@pytest.mark.parametrize(
    "text",
    [
        "We will review her echocardiogram with cardiology.", "Order an echocardiogram.", "Push plenty of fluids.",
        "We will do an exercise test next week.", "Follow up in two weeks.", "Take aspirin daily.",
    ],
)  # fmt: skip
def test_what_is_planned_is_one(text: str) -> None:
    assert worth_a_look(statement(text))


def test_an_answer_without_content_is_none() -> None:
    assert not worth_a_look(statement("Medications: taking.", "patient", True))
    assert worth_a_look(statement("Medications: aspirin.", "patient", True))


@pytest.mark.parametrize(
    ("said", "topic", "section"),
    [
        ("Your throat is red, and your lungs are clear.", "History", "objective"),
        ("Your neurological examination is normal.", "History", "objective"),
        ("Your uric acid is nine point four.", "History", "objective"),
        ("Reduce the glargine to fourteen units.", "Results", "plan"),
        ("Please weigh yourself every morning.", "History", "plan"),
        ("I think these are migraines with aura.", "Examination", "assessment"),
        ("I think you should rest.", "Assessment", "assessment"),
        ("Your knee is going to be fine.", "History", "subjective"),
    ],
)
def test_what_a_doctor_finds_orders_or_believes_stands_where_it_belongs(said: str, topic: str, section: str) -> None:
    """Whatever the classifier took it for."""
    clause = Clause("u1", "S1", "doctor", 0, said)
    [told] = statements([clause])
    logs = np.array([0.0 if one == topic else -9.0 for one in TOPICS], np.float32)
    assert TOPICS[topic_of(told, logs)] == section


def lines_of(*turns: tuple[str, str]) -> list[str]:
    """What of a talk may become lines: (role, words) each."""
    clauses = [
        Clause(f"u{at}", role, role, place, text)
        for at, (role, words) in enumerate(turns)
        for place, text in enumerate(cut(words))
    ]
    return [one.text for one in statements(clauses) if worth_a_look(one)]


@pytest.mark.parametrize(
    ("role", "words"),
    [
        ("patient", "I was afraid of that."), ("doctor", "We can help you with that."), ("patient", "Oh, I figured as much."),
        ("patient", "I'm so relieved to hear that."), ("doctor", "Our nurses are here to help you with all of that."),
        ("doctor", "The front desk will be able to help you with that."), ("patient", "That's a relief."),
        # written after the rules
        ("doctor", "My colleagues can assist you with these."), ("patient", "I was scared of something like that."),
        ("doctor", "We will work this out."), ("doctor", "I hope we can help you with this."), ("patient", "I suspected that."),
        ("doctor", "I'll do my best."), ("patient", "I'm grateful for everything."), ("doctor", "We'll handle that for you."),
        ("patient", "It was reassuring to hear."), ("doctor", "The team is there to support you."),
    ],
)  # fmt: skip
def test_an_offer_or_a_reaction_that_names_nothing_is_no_line(role: str, words: str) -> None:
    assert lines_of((role, words)) == []


@pytest.mark.parametrize(
    ("role", "words", "line"),
    [
        ("patient", "I'm afraid of needles.", "The patient is afraid of needles."),
        ("patient", "I am scared.", "The patient is scared."),
        ("doctor", "We can help you quit with nicotine patches.", "We can help the patient quit with nicotine patches."),
        ("doctor", "The nurse will help you with the inhaler.", "The nurse will help the patient with the inhaler."),
        ("patient", "I thought it was the flu.", "The patient thought it was the flu."),
        ("patient", "I'm just afraid it can be arthritis.", "The patient is afraid it can be arthritis."),
        ("patient", "I'm afraid I have an infection.", "The patient is afraid the patient has an infection."),
        # no fear, but a way to say it
        ("doctor", "I'm afraid there is a small fracture in the left wrist.", "There is a small fracture in the left wrist."),
        ("doctor", "I'm afraid you can't drive for six weeks.", "The patient cannot drive for six weeks."),
        ("patient", "I'm afraid I ran out of the insulin on Friday.", "The patient ran out of the insulin on Friday."),
    ],
)  # fmt: skip
def test_a_fear_a_plan_and_news_are_lines(role: str, words: str, line: str) -> None:
    assert lines_of((role, words)) == [line]


@pytest.mark.parametrize(
    ("question", "answer", "line"),
    [
        ("Do you smoke?", "I'm afraid so.", "The patient smokes."),
        ("Any pain at night?", "I'm afraid not.", "Denies pain at night."),
        ("How do you feel about the operation?", "I am worried about that.", "The patient is worried about that."),
    ],
)
def test_a_regret_answers_and_a_feeling_that_was_asked_for_stays(question: str, answer: str, line: str) -> None:
    assert lines_of(("doctor", question), ("patient", answer)) == [line]


def test_how_long_a_visit_is_counts_no_further_than_the_longest_that_was_learnt_from() -> None:
    """An hour's talk had a note without a line: each of its statements was judged by a length never seen."""

    def features(count: int) -> np.ndarray:
        said = [statement("The knee hurts since Monday.")] * count
        return relevance_features(said, np.zeros((count, 4), np.float32), np.zeros((count, 4), np.float32))

    assert features(MOST_SEEN - 1)[-1, -1] < features(MOST_SEEN)[-1, -1] == features(7 * MOST_SEEN)[-1, -1]
