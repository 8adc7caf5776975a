"""Whether a page speaks of the patient it is being filed to. Doubt counts as a conflict: a person decides."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from domain.document import Fact, FactKind
from domain.patient import Patient

TITLES = frozenset("mr mrs ms miss mx dr prof sir dame master".split())
# What a reader of print mistakes for one another. Nothing looser: Daniel and Daniela may be brother and sister.
_ALIKE_GROUPS = (("rn", "m"), ("vv", "w"), ("cl", "d"))
_ALIKE_LETTERS = str.maketrans("01i58c", "ollsbe")


@dataclass(frozen=True, slots=True)
class IdentityConflict:
    """`field`: name, date_of_birth or record_number; what stands on the page against what the chart says."""

    field: str
    on_record: str
    in_chart: str
    page: int
    word_indices: tuple[int, ...]


def identity_conflicts(facts: Sequence[Fact], patient: Patient) -> tuple[IdentityConflict, ...]:
    """Every statement of identity on the page that does not fit the patient."""
    found = []
    for fact in facts:
        if fact.kind is FactKind.NAME and not same_name(fact.value, patient.name):
            found.append(_conflict("name", fact, fact.value, patient.name))
        elif fact.kind is FactKind.BIRTH_DATE:
            readings = [fact.value, *re.findall(r"\d{4}-\d\d-\d\d", fact.reference)]
            if patient.birth_date.isoformat() not in readings:
                found.append(_conflict("date_of_birth", fact, fact.value, patient.birth_date.isoformat()))
        elif fact.kind is FactKind.RECORD_NUMBER and _looks_like_ours(fact.value, patient.record_number):
            if _plain_number(fact.value) != _plain_number(patient.record_number):
                found.append(_conflict("record_number", fact, fact.value, patient.record_number))
    return tuple(found)


def same_name(written: str, known: str) -> bool:
    """Whether two names can be one person's: order, case, accents, titles and initials do not matter.

    The family name must agree; each further word must agree with, or be the initial of, one of the other's.
    """
    first, second = _name_words(written), _name_words(known)
    if not first or not second:
        return False
    fewer, more = sorted((first, second), key=len)
    left = list(more)
    whole = 0
    for word in fewer:
        match = next((other for other in left if _same_word(word, other)), None)
        if match is None:
            return False
        left.remove(match)
        whole += len(word) > 1 and len(match) > 1
    return whole >= 1 and not (whole == 1 and len(fewer) > 1 and all(len(word) > 1 for word in fewer))


def _same_word(word: str, other: str) -> bool:
    """Equal as printed, or one is the initial of the other."""
    return _as_print(word) == _as_print(other) or (1 in (len(word), len(other)) and word[0] == other[0])


def _as_print(word: str) -> str:
    for pair, single in _ALIKE_GROUPS:
        word = word.replace(pair, single)
    return word.translate(_ALIKE_LETTERS)


def _name_words(name: str) -> list[str]:
    plain = "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))
    plain = re.sub(r"['’`]", "", plain)
    return [word for word in re.findall(r"\w+", plain) if word not in TITLES]


def _looks_like_ours(written: str, known: str) -> bool:
    """Another hospital's number has another form; only a number of our form can contradict ours."""
    return _form(written) == _form(known)


def _form(number: str) -> str:
    return re.sub(r"\d", "9", re.sub(r"[A-Za-z]", "A", _plain_number(number)))


def _plain_number(number: str) -> str:
    return re.sub(r"[^0-9A-Za-z]", "", number).upper()


def _conflict(field: str, fact: Fact, on_record: str, in_chart: str) -> IdentityConflict:
    return IdentityConflict(field, on_record, in_chart, fact.page, fact.word_indices)
