"""A form filled in beforehand: from the patient's last prescription, or from the plan of a consultation.

What comes out is a proposal in the shape of the form; the doctor reads it, mends it and signs it, or does not. A field
that the text does not say stays empty: a dose is never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from domain import prescription_contract as contract
from domain.prescription import PrescriptionRecord
from pipelines import drug_names
from pipelines.prescription_sig import read_rhythm

NOT_STARTED = re.compile(
    r"\b(?:stop\w*|discontinu\w*|avoid\w*|hold\w*|held|ceas\w*|withdr\w*|taper\w*|don't|do not|not|no|without|never|"
    r"allerg\w*|intoleran\w*|instead of|off)\b"
)
MASS = re.compile(
    r"\b\d+(?:\.\d+)?\s*(?:mg|g|mcg|µg|micrograms?|milligrams?|grams?|units?|%)(?![a-z])(?:\s*/\s*\d*\s*ml)?", re.I
)
FORM = re.compile(
    r"\b(tablet|capsule|inhaler|cream|ointment|gel|syrup|suspension|solution|drop|patch|suppository|spray|injection)"
    r"(?:s|es)?\b",
    re.I,
)
AMOUNT = re.compile(
    r"\b(\d+(?:\s*(?:-|to)\s*\d+)?|one|two|three|half an?)\s+(tablets?|capsules?|puffs?|drops?|sprays?|ml|sachets?)\b",
    re.I,
)
DURATION = re.compile(r"\bfor (\d+|one|two|three|four|six|a) (day|week|month)s?\b", re.I)
ROUTE = re.compile(
    r"\b(orally|by mouth|oral|topically|topical|inhaled|subcutaneously|intramuscularly|rectally)\b", re.I
)
NUMBERS = {"a": 1, "one": 1, "two": 2, "three": 3, "four": 4, "six": 6}
DAYS = {"day": 1, "week": 7, "month": 30}
MAX_RHYTHM_WORDS = 6


def from_last(record: PrescriptionRecord) -> dict[str, Any]:
    """The form as it was filled in the last time."""
    shape = contract.prescription(record.signed.prescription)
    return {"medications": shape["medications"], "valid_days": shape["valid_days"]}


def from_plan(lines: Sequence[str]) -> dict[str, Any]:
    """The form from the plan's sentences. A sentence that stops, avoids or denies a medicine proposes none."""
    found = []
    for line in lines:
        for sentence in re.split(r"(?<=[.;])\s+|\n", line):
            words = sentence.split()
            mentions = drug_names.find_drugs(words)
            if not mentions or NOT_STARTED.search(sentence.lower()):
                continue
            for at, mention in enumerate(mentions):
                end = mentions[at + 1].start if at + 1 < len(mentions) else len(words)
                name = " ".join(words[mention.start : mention.end]).strip(" ,.;:()")
                found.append(_line(name, " ".join(words[mention.end : end])))
    return {"medications": found}


def _line(name: str, said: str) -> dict[str, Any]:
    duration = DURATION.search(said)
    days = 0
    if duration:
        count = duration[1].lower()
        days = (NUMBERS.get(count) or int(count)) * DAYS[duration[2].lower()]
    mass, form, amount, route = (pattern.search(said) for pattern in (MASS, FORM, AMOUNT, ROUTE))
    # "500 mg capsules" is a product; "1 g" alone is a dose, which may well be two tablets
    product = mass is not None and form is not None and not said[mass.end() : form.start()].strip()
    return {
        "name": name[:1].upper() + name[1:],
        "strength": mass[0] if mass and product else "",
        "form": form[1].lower() if form else "",
        "route": route[0].lower() if route else "",
        "dose": amount[0] if amount else (mass[0] if mass else ""),
        "frequency": _frequency(DURATION.sub(" ", said)),
        "duration_days": days,
        "quantity": "",
        "refills": 0,
        "note": "",
    }


def _frequency(said: str) -> str:
    """The longest run of words that is a frequency as a whole, "" when there is none."""
    words = re.sub(r"[,.;]+(?=\s|$)", "", said).split()
    for length in range(min(MAX_RHYTHM_WORDS, len(words)), 0, -1):
        for start in range(len(words) - length + 1):
            run = " ".join(words[start : start + length])
            if run.lower() != "on" and read_rhythm(run) is not None:  # "on" is short for "at night", and a common word
                return run
    return ""
