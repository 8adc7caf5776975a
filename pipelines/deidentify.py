"""What a researcher sees: records without names, numbers, days, or whatever else names a person.

Of the 18 identifiers of the HIPAA safe harbour (45 CFR 164.514(b)(2)) it removes those that this program recognises:
the patient's own name, record number and birth date wherever they stand, other dates down to the year, and what may
name anybody or any place in free text (telling_words: rather a word too many). `python -m benchmarks.deidentify` says
how much of that is found. Free text can still give somebody away, so pictures and PDFs of pages are not shown at all,
and records that belong to nobody yet are not shown either.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from typing import Any

from rapidfuzz.distance import OSA

from domain.chart import Chart
from domain.document import Fact, FactKind, Hit, OcrDocument, OcrPage, TextLine
from domain.errors import NotAllowed
from domain.patient import Patient
from pipelines import telling_words
from pipelines.dates import find_dates
from pipelines.deidentify_chart import Cover
from pipelines.search import SearchAnswer

MASK = "█████"
IDENTITY = frozenset({FactKind.NAME, FactKind.BIRTH_DATE, FactKind.RECORD_NUMBER})
MIN_MISREAD_CHARS = 5  # of a longer name one letter may be misread and it still names
MIN_NAME_CHARS = 2  # a single letter of a name would hide every "A" of a text
_YEAR = re.compile(r"(?:19|20)\d\d")


def patient(of: Patient) -> Patient:
    """The same person under a pseudonym, born on the first of January."""
    return replace(of, name=pseudonym(of.patient_id), birth_date=_year_only(of.birth_date), record_number="")


def pseudonym(patient_id: str) -> str:
    """Always the same for one patient; does not lead back."""
    return "Subject " + hashlib.sha256(b"pseudonym " + patient_id.encode()).hexdigest()[:8]


def document(kept: OcrDocument, of: Patient) -> OcrDocument:
    """The record with everything that names the patient covered, in its words, title and facts."""
    hidden = {(fact.page, index) for fact in kept.facts if fact.kind in IDENTITY for index in fact.word_indices}
    own = _own_words(of)
    pages = [_page(page, own, {index for number, index in hidden if number == page.number}) for page in kept.pages]
    return replace(
        kept,
        title=text(kept.title, of),
        pages=tuple(pages),
        document_date=_year_only(kept.document_date) if kept.document_date else None,
        facts=tuple(_fact(fact) for fact in kept.facts if fact.kind not in IDENTITY),
        warnings=tuple(text(warning, of) for warning in kept.warnings),
    )


def hit(found: Hit, of: Patient) -> Hit:
    """A passage covered in the same way; what a box would show is not offered."""
    passage = found.passage
    dated = _year_only(passage.document_date) if passage.document_date else None
    shown = replace(passage, text=text(passage.text, of), document_date=dated)
    return replace(found, passage=shown, boxes=(), matched_terms=())


def text(plain: str, of: Patient) -> str:
    """A line of text, covered."""
    words = plain.split(" ")
    return " ".join(_covered(words, _own_words(of), set()))


def _page(page: OcrPage, own: frozenset[str], hidden: set[int]) -> OcrPage:
    lines, first = [], 0
    for line in page.lines:
        here = {index - first for index in hidden if first <= index < first + len(line.words)}
        covered = _covered([word.text for word in line.words], own, here)
        words = tuple(
            replace(word, text=shown, machine_text=None) for word, shown in zip(line.words, covered, strict=True)
        )
        lines.append(replace(line, words=words) if isinstance(line, TextLine) else line)
        first += len(line.words)
    return replace(page, lines=tuple(lines))


def _covered(words: list[str], own: frozenset[str], hidden: Iterable[int]) -> list[str]:
    joined = " ".join(words)
    dates = [(found.start, found.end) for found in find_dates(joined)]
    telling = telling_words.spans(joined)
    covered, start, hidden = [], 0, set(hidden)
    for index, word in enumerate(words):
        end = start + len(word)
        here = [any(begin < end and start < stop for begin, stop in spans) for spans in (dates, telling)]
        if index in hidden or _names(word, own):
            covered.append(MASK)
        elif any(here):
            year = _YEAR.search(word)
            covered.append(year.group() if year else MASK)
        else:
            covered.append(word)
        start = end + 1
    return covered


def _own_words(of: Patient) -> frozenset[str]:
    words = {_plain(word) for word in of.name.split()} | {_plain(of.record_number)}
    return frozenset(word for word in words if len(word) >= MIN_NAME_CHARS)


def _names(word: str, own: frozenset[str]) -> bool:
    """Whether a word is one of the patient's own, also in a compound (Anne-Marie), or misread by a letter."""
    plain = _plain(word)
    if plain in own or any(_plain(part) in own for part in re.split(r"[-/–]", word)):
        return True
    long = [one for one in own if len(one) >= MIN_MISREAD_CHARS and abs(len(one) - len(plain)) <= 1]
    return any(OSA.distance(plain, one, score_cutoff=1) <= 1 for one in long)


def _fact(fact: Fact) -> Fact:
    if fact.kind is not FactKind.DATE:
        return fact
    year = _YEAR.search(fact.value)
    return replace(fact, value=year.group() if year else "")


def _plain(word: str) -> str:
    bare = word.casefold().removesuffix("'s").removesuffix("’s")
    return "".join(char for char in bare if char.isalnum())


def _year_only(day: date) -> date:
    return day.replace(month=1, day=1)


def shown(result: Any, patient_of: Callable[[str], Patient]) -> Any:
    """A job's answer as a researcher may see it. `patient_of`: looks a patient up by id.

    Raises NotAllowed for a record that belongs to nobody yet, TypeError for an answer that nobody taught it to cover.
    """
    if isinstance(result, Patient):
        return patient(result)
    if isinstance(result, Chart):
        known = (result.patient, *(one.gone for one in result.merges))
        return Cover(patient(result.patient), lambda plain: _of_all(plain, known), _year_only).chart(result)
    if isinstance(result, OcrDocument):
        return document(result, _owner(result.patient_id, patient_of))
    if isinstance(result, SearchAnswer):
        owned = [found for found in result.hits if found.passage.patient_id]
        return replace(result, hits=tuple(hit(one, patient_of(one.passage.patient_id)) for one in owned))
    if isinstance(result, tuple) and all(isinstance(one, Patient) for one in result):
        return tuple(patient(one) for one in result)
    if isinstance(result, tuple) and all(hasattr(one, "document_date") and hasattr(one, "title") for one in result):
        return tuple(_summary(one, patient_of(one.patient_id)) for one in result if one.patient_id)
    raise TypeError(f"an answer of kind {type(result).__name__} cannot be shown without identity")


def _of_all(plain: str, known: Iterable[Patient]) -> str:
    """Covered for each of the persons whose records were merged."""
    for of in known:
        plain = text(plain, of)
    return plain


def _summary(line: Any, of: Patient) -> Any:
    dated = _year_only(line.document_date) if line.document_date else None
    return replace(line, title=text(line.title, of), document_date=dated, patient_name=patient(of).name)


def _owner(patient_id: str, patient_of: Callable[[str], Patient]) -> Patient:
    if not patient_id:
        raise NotAllowed(
            "This record belongs to no patient yet, so what names a person on it cannot be known and it is not shown."
        )
    return patient_of(patient_id)
