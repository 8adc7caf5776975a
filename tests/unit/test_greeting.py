"""The person who is greeted at the start of a visit, and the patient whose chart it goes to."""

from __future__ import annotations

import pytest

from domain.audit import Actor
from domain.settings import load_settings
from pipelines.consultation import read_conversation
from pipelines.greeting import OTHER_NAME, greeted, greets_another
from pipelines.workbench import Workbench


@pytest.mark.parametrize(
    ("conversation", "names"),
    [
        ("Doctor: Good morning, Mr. Marsh. I'm Dr. Oliver.\nPatient: Hello.", ("Marsh",)),
        ("Doctor: hello, Miss O'Neill, come in\nPatient: Thanks.", ("O'Neill",)),
        ("Doctor: Hello, I'm Mrs. Hale, the nurse practitioner.\nPatient: Hello.", ()),
        ("Doctor: What brings you in?\nPatient: Mr. Jones next door sent me.", ()),
        ("Doctor: Hello Noah, hello Mrs. Frei. Is this Mr. Frei?\nMother: Yes.", ("Frei", "Frei")),
        ("Doctor: Miss a dose and you feel it.\nPatient: Good.", ()),
    ],
)
def test_who_is_greeted(conversation: str, names: tuple[str, ...]) -> None:
    assert greeted(read_conversation(conversation)) == names


@pytest.mark.parametrize(
    ("patient", "another"),
    [
        ("Thomas Marsh", False),
        ("Marsh, Thomas", False),
        ("Thomas Marsch", False),  # as it is heard
        ("Thomás Mársh-Lund", False),
        ("Thomas Alder", True),
    ],
)
def test_a_name_that_reads_or_sounds_like_it_is_no_other(patient: str, another: bool) -> None:
    conversation = read_conversation("Doctor: Good morning, Mr. Marsh.\nPatient: Good morning.")
    assert greets_another(conversation, patient) is another


def test_nobody_greeted_is_nobody_else() -> None:
    assert not greets_another(read_conversation("Doctor: Hello there.\nPatient: Hello."), "Thomas Alder")


@pytest.mark.models
def test_a_visit_of_somebody_else_says_so_on_its_transcript(bench: Workbench) -> None:
    actor = Actor("doctor", "s", "doctor")
    conversation = "Doctor: Good morning, Mr. Marsh. What brings you in?\nPatient: I cough at night."
    marsh = bench.create_patient("Thomas Marsh", "1961-03-12", "male", "", actor)
    alder = bench.create_patient("Thomas Alder", "1961-03-12", "male", "", actor)
    keep = bench.consultations.import_transcript
    assert OTHER_NAME in keep(conversation, alder.patient_id, actor).transcript.warnings
    assert OTHER_NAME not in keep(conversation, marsh.patient_id, actor).transcript.warnings
    assert OTHER_NAME not in keep(conversation, "", actor).transcript.warnings


@pytest.fixture
def bench() -> Workbench:
    return Workbench(load_settings())
