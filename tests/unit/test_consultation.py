"""A conversation read from text, its speakers named, corrected."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import consultation_contract as contract
from domain.consultation import SpeakerRole
from domain.errors import NothingFound, UploadRejected
from domain.models import ModelStamp
from domain.speech import TimedWord, Transcript, Utterance, WordDoubt
from pipelines.consultation import (
    read_conversation,
    relabelled,
    roles_from_labels,
    with_roles,
    with_text,
    with_word,
)
from pipelines.roles import role_of_label

HEARD = Transcript(
    "c1",
    4.0,
    (
        Utterance("u1", "S1", "doctor", 0.0, 2.0, "Take listen a pill.", (
            TimedWord("Take", 0.0, 0.5, 0.9), TimedWord("listen", 0.5, 1.0, 0.4, doubt=WordDoubt("no drug", ("lisinopril",))),
            TimedWord("a", 1.0, 1.2, 0.8), TimedWord("pill.", 1.2, 2.0, 0.3, unclear=True))),
        Utterance("u2", "S2", "patient", 2.0, 4.0, "Okay.", (TimedWord("Okay.", 2.0, 4.0, 0.9),), overlap=True),
    ),
    (ModelStamp("m", "1"),),
    ("noisy",),
)  # fmt: skip
ROLES = (SpeakerRole("S1", "doctor", 0.9), SpeakerRole("S2", "patient", 0.8))


def test_lines_become_utterances_and_go_on_without_a_name() -> None:
    read = read_conversation("Doctor: Hello.\nHow are you?\n\n[patient] Fine: just tired.\r\n00:01:02 Doctor: Good.")
    assert [(one.speaker, one.text) for one in read] == [
        ("Doctor", "Hello. How are you?"),
        ("patient", "Fine: just tired."),
        ("Doctor", "Good."),
    ]
    assert all(one.start_s is None and word.start_s is None for one in read for word in one.words)


def test_a_colon_in_a_sentence_makes_no_speaker() -> None:
    read = read_conversation("Patient: I take two: aspirin\nOne more thing: it hurts\nDoctor: I see.")
    assert [one.speaker for one in read] == ["Patient", "Doctor"]


def test_a_name_heard_once_counts_where_each_line_has_one() -> None:
    lines = [f"{'Dr. Bose' if at % 2 else 'Mother'}: line {at}" for at in range(10)]
    read = read_conversation("\n".join([*lines, "Noah: It hurts."]))
    assert read[-1].speaker == "Noah"


def test_names_that_are_no_role_count_when_they_come_again() -> None:
    read = read_conversation("Anna: Hello.\nBen: Hi.\nAnna: What hurts?\nBen: My knee.")
    assert [one.speaker for one in read] == ["Anna", "Ben", "Anna", "Ben"]
    assert roles_from_labels(read) == {}


@pytest.mark.parametrize("text", ["", "   \n", "hello there", "I said: no\nmore", "Doctor:\nPatient:  "])
def test_what_is_no_conversation_is_refused(text: str) -> None:
    with pytest.raises(UploadRejected, match=r"Doctor: \.\.\."):
        read_conversation(text)


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read = read_conversation(text)
    except UploadRejected:
        return
    assert read
    assert all(one.text and one.speaker for one in read)
    assert len({one.id for one in read}) == len(read)


@pytest.mark.parametrize(
    ("label", "role"),
    [("Doctor", "doctor"), ("Dr. Reed", "doctor"), ("[patient]", "patient"), ("Pt", "patient"), ("RN", "nurse"),
     ("Guest_family_1", "relative"), ("Mother", "relative"), ("Speaker 1", ""), ("Drew", "")],
)  # fmt: skip
def test_labels_name_roles(label: str, role: str) -> None:
    assert role_of_label(label) == role


def test_naming_one_of_two_swaps_them() -> None:
    swapped = relabelled(ROLES, "s2", "Doctor")
    assert [(one.speaker, one.role, one.given) for one in swapped] == [("S1", "patient", True), ("S2", "doctor", True)]
    assert [one.role for one in relabelled(ROLES, "S1", "patient")] == ["patient", "doctor"]
    assert [one.role for one in with_roles(HEARD, swapped).utterances] == ["patient", "doctor"]


def test_a_third_voice_changes_only_who_held_the_role() -> None:
    three = (*ROLES, SpeakerRole("S3", "nurse", 0.5))
    assert [one.role for one in relabelled(three, "S3", "relative")] == ["doctor", "patient", "relative"]
    assert [one.role for one in relabelled(three, "S3", "doctor")] == ["nurse", "patient", "doctor"]


def test_unknown_voices_and_roles_are_refused() -> None:
    with pytest.raises(NothingFound):
        relabelled(ROLES, "S9", "doctor")
    with pytest.raises(UploadRejected, match="doctor, patient, nurse, relative"):
        relabelled(ROLES, "S1", "surgeon general")


def test_a_corrected_word_is_sure_and_keeps_its_time() -> None:
    mended = with_word(HEARD, "u1", 1, "lisinopril")
    word = mended.utterances[0].words[1]
    assert (word.text, word.start_s, word.confidence, word.doubt) == ("lisinopril", 0.5, 1.0, None)
    assert mended.utterances[0].text == "Take lisinopril a pill."
    with pytest.raises(NothingFound):
        with_word(HEARD, "u1", 9, "x")
    with pytest.raises(UploadRejected):
        with_word(HEARD, "u1", 0, " ")


def test_a_retyped_utterance_keeps_its_seconds() -> None:
    words = with_text(HEARD, "u1", "Take lisinopril").utterances[0].words
    assert (words[0].start_s, words[-1].end_s) == (0.0, 2.0)
    assert words[0].end_s == words[1].start_s


def test_a_transcript_is_the_same_after_a_round_trip() -> None:
    assert contract.read_transcript(contract.transcript(HEARD, ROLES)) == (HEARD, ROLES)
