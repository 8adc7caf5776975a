"""Doses that differ between what was said and what the patient's records hold. Shown, never applied."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from domain.speech import WordDoubt
from pipelines import drug_names
from pipelines.note_numbers import values
from pipelines.sounding_names import EDGES

FAR = 10  # words from a name to the unit of its dose: "carvedilol twelve point five milligrams"
BESIDE = 4  # words before a name in which it may be said that the dose changes
_UNITS = {
    "mg": ("mg", "mgs", "milligram", "milligrams"),
    "mcg": ("mcg", "ug", "µg", "microgram", "micrograms"),
    "units": ("unit", "units", "iu"),
    "puffs": ("puff", "puffs"),
}
_UNIT_OF = {word: unit for unit, words in _UNITS.items() for word in words}
_GLUED = re.compile(r"^(\d[\d.,]*)(mg|mcg|ug|µg|iu)$")
# A dose that is being changed differs because it shall.
_CHANGES = frozenset(
    "increase increased raise raised up decrease decreased reduce reduced lower lowered cut halve double doubled "
    "change changed switch switched start starting begin instead new used was were had".split()
)

Strengths = dict[str, dict[str, frozenset[str]]]
"""By ingredient and unit: the numbers that records give."""


def strengths_of(medications: Sequence[str]) -> Strengths:
    """Of entries such as "Lisinopril 20 mg daily"; those without a number say nothing."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for entry in medications:
        plain = _plain(entry.split())
        for one in drug_names.find_drugs(plain):
            dose = _dose_after(plain, one.end, len(plain))
            if dose:
                found[one.ingredient][dose[2]] |= dose[1]
    return {name: {unit: frozenset(told) for unit, told in units.items()} for name, units in found.items()}


def dose_conflicts(
    plain: Sequence[str], mentions: Sequence[drug_names.DrugMention], strengths: Strengths
) -> list[tuple[int, int, WordDoubt]]:
    """(start, end, doubt) of numbers that no record gives for the medicine before them."""
    found = []
    for at, one in enumerate(mentions):
        until = mentions[at + 1].start if at + 1 < len(mentions) else len(plain)
        dose = _dose_after(plain, one.end, min(until, one.end + FAR))
        listed = strengths.get(one.ingredient, {}).get(dose[2]) if dose else None
        if not dose or not listed or dose[1] & listed:
            continue
        if _CHANGES & set(plain[max(0, one.start - BESIDE) : one.start]) or "to" in plain[one.end : dose[0] + 1]:
            continue
        said, kept = " ".join(plain[dose[0] : dose[3]]), " or ".join(sorted(listed, key=float))
        reason = (
            f"{said} of {one.ingredient} was said; the patient's records have {kept} {dose[2]}. Ask which is right."
        )
        found.append((dose[0], dose[3], WordDoubt(reason, (), dose[3] - dose[0])))
    return found


def _dose_after(plain: Sequence[str], start: int, until: int) -> tuple[int, frozenset[str], str, int] | None:
    """(first word, its numbers, unit, end) of the first number with a unit between two places."""
    for end in range(start, until):
        glued = _GLUED.match(plain[end])
        unit = _UNIT_OF.get(glued[2] if glued else plain[end])
        if not unit:
            continue
        if glued:
            return end, values(glued[1]), unit, end + 1
        first = end
        while first > start and (values(plain[first - 1]) or plain[first - 1] in ("point", "and", "one", "hundred")):
            first -= 1
        numbers = values(" ".join(plain[first:end]))
        return (first, numbers, unit, end + 1) if numbers else None
    return None


def _plain(words: Sequence[str]) -> list[str]:
    return [EDGES.sub("", word).lower() for word in words]
