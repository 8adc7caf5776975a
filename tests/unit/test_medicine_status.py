"""Whether a medicine is taken, in the many ways in which records say so."""

from __future__ import annotations

import pytest

from domain.document import FactKind
from pipelines import understanding
from tests.unit.sample_kit import page_of


def statuses(text: str) -> dict[str, str]:
    """Status by medicine; "" where it is simply taken."""
    facts = understanding.understand([page_of(text.split("\n"))])
    found = {fact.label.lower(): fact.flag for fact in facts if fact.kind is FactKind.MEDICATION}
    assert all(
        fact.negated is (fact.flag in ("stopped", "avoid", "not taken"))
        for fact in facts
        if fact.kind is FactKind.MEDICATION
    )
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # taken
        ("Naproxen 500 mg twice daily", {"naproxen": ""}),
        ("Continue ramipril 5 mg daily and aspirin 75 mg.", {"ramipril": "", "aspirin": ""}),
        ("Do not stop bisoprolol.", {"bisoprolol": ""}),
        ("Metformin was withheld and restarted at 500 mg.", {"metformin": ""}),
        ("Amoxicillin 500 mg TDS for 7 days then stop", {"amoxicillin": ""}),
        ("Prednisolone 30 mg daily, to be stopped after 5 days.", {"prednisolone": ""}),
        ("Furosemide 40 mg in the morning. Follow-up in the stop smoking clinic.", {"furosemide": ""}),
        ("No change to ramipril 5 mg.", {"ramipril": ""}),
        ("On admission he was on warfarin 3 mg daily.", {"warfarin": ""}),
        ("Aspirin from the GP stopped smoking clinic", {"aspirin": ""}),
        ("Colchicine for five days, since diclofenac is unsafe with his kidneys.", {"colchicine": "", "diclofenac": "avoid"}),
        # stopped, said behind
        ("Naproxen stopped", {"naproxen": "stopped"}),
        ("Naproxen from the pharmacy stopped.", {"naproxen": "stopped"}),
        ("Ibuprofen bought over the counter was stopped", {"ibuprofen": "stopped"}),
        ("Naproxen 500 mg BD stopped because of kidney injury.", {"naproxen": "stopped"}),
        ("Naproxen (stopped)", {"naproxen": "stopped"}),
        ("Naproxen - STOPPED", {"naproxen": "stopped"}),
        ("Naproxen 250 mg tablets: discontinued on admission", {"naproxen": "stopped"}),
        ("Naproxen has been discontinued.", {"naproxen": "stopped"}),
        ("Metformin held before contrast", {"metformin": "stopped"}),
        ("Clopidogrel 75 mg daily on hold until endoscopy", {"clopidogrel": "stopped"}),
        ("Amlodipine is no longer required.", {"amlodipine": "stopped"}),
        ("Ramipril was therefore withheld.", {"ramipril": "stopped"}),
        ("Ramipril and naproxen were stopped.", {"ramipril": "stopped", "naproxen": "stopped"}),
        ("Ramipril, naproxen and aspirin were stopped.", {"ramipril": "stopped", "naproxen": "stopped", "aspirin": "stopped"}),
        ("Ramipril 5 mg, aspirin 75 mg, naproxen stopped", {"ramipril": "", "aspirin": "", "naproxen": "stopped"}),
        ("Naproxen stopped, ramipril 5 mg daily, aspirin 75 mg", {"naproxen": "stopped", "ramipril": "", "aspirin": ""}),
        # stopped, said before
        ("Please stop naproxen.", {"naproxen": "stopped"}),
        ("We have stopped his naproxen and ibuprofen.", {"naproxen": "stopped", "ibuprofen": "stopped"}),
        ("Stopped: naproxen, ibuprofen", {"naproxen": "stopped", "ibuprofen": "stopped"}),
        ("Medications stopped: naproxen 500 mg, ibuprofen 400 mg", {"naproxen": "stopped", "ibuprofen": "stopped"}),
        ("STOP Naproxen 500 mg BD", {"naproxen": "stopped"}),
        ("Stop naproxen, continue ramipril 5 mg.", {"naproxen": "stopped", "ramipril": ""}),
        ("Stopped naproxen, started paracetamol 1 g.", {"naproxen": "stopped", "paracetamol": "started"}),
        ("He stopped taking the simvastatin himself.", {"simvastatin": "stopped"}),
        ("She is no longer taking warfarin.", {"warfarin": "stopped"}),
        ("Not taking any ibuprofen at present.", {"ibuprofen": "stopped"}),
        ("Came off sertraline last year.", {"sertraline": "stopped"}),
        ("Previously on methotrexate.", {"methotrexate": "stopped"}),
        ("He used to take lithium.", {"lithium": "stopped"}),
        ("Completed a 7 day course of doxycycline.", {"doxycycline": "stopped"}),
        ("Naproxen was switched to paracetamol 1 g QDS.", {"naproxen": "stopped", "paracetamol": "started"}),
        ("Changed from naproxen to paracetamol.", {"naproxen": "stopped", "paracetamol": "started"}),
        ("Paracetamol instead of naproxen", {"paracetamol": "", "naproxen": "stopped"}),
        # sections
        ("Stopped medications\nNaproxen 500 mg BD\nIbuprofen 400 mg\nCurrent medications\nRamipril 5 mg daily",
         {"naproxen": "stopped", "ibuprofen": "stopped", "ramipril": ""}),
        ("New medications:\nApixaban 5 mg BD\nContinue:\nBisoprolol 2.5 mg", {"apixaban": "started", "bisoprolol": ""}),
        ("STOP TAKING:\nNaproxen 500 mg\nFOLLOW-UP:\nGP in a week", {"naproxen": "stopped"}),
        # started, changed
        ("Started on apixaban 5 mg BD.", {"apixaban": "started"}),
        ("Apixaban 5 mg twice daily was commenced.", {"apixaban": "started"}),
        ("Apixaban 5 mg BD (new)", {"apixaban": "started"}),
        ("Ramipril increased to 10 mg daily.", {"ramipril": "changed"}),
        ("We reduced the dose of bisoprolol to 1.25 mg.", {"bisoprolol": "changed"}),
        # not taken
        ("Avoid ibuprofen and naproxen.", {"ibuprofen": "avoid", "naproxen": "avoid"}),
        ("Aspirin is contraindicated.", {"aspirin": "avoid"}),
        ("Consider starting apixaban.", {"apixaban": "not taken"}),
        ("She may need warfarin.", {"warfarin": "not taken"}),
        ("He declined atorvastatin.", {"atorvastatin": "not taken"}),
        ("Denies taking ibuprofen.", {"ibuprofen": "not taken"}),
        ("Atorvastatin was declined.", {"atorvastatin": "not taken"}),
        ("His mother takes warfarin.", {}),
    ],
)  # fmt: skip
def test_status_of_a_medicine(text: str, expected: dict[str, str]) -> None:
    assert statuses(text) == expected


def test_what_says_that_it_was_stopped_is_lit_with_it() -> None:
    page = page_of(["Her naproxen 500 mg BD was stopped on Monday."])
    (fact,) = (fact for fact in understanding.understand([page]) if fact.kind is FactKind.MEDICATION)
    assert fact.value == "500 mg BD stopped"
    assert [page.words[index].text for index in fact.word_indices] == "naproxen 500 mg BD was stopped".split()
