"""What the machine understood of a record: who, when, which medicines, values, allergies and diagnoses.

Rules over words, each fact tied to the words that say it. Nothing is inferred that does not stand on the page; a fact
is as sure as its least sure word.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from domain.document import Fact, FactKind, OcrPage, TextLine
from pipelines import allergy_statements, dates, drug_names, lab_values, medicine_status, negation
from pipelines.condition_names import CONDITION, LISTED_CONDITION
from pipelines.medicine_status import Named, Status
from pipelines.medicine_words import DOSE, FREQUENCY, ROUTE
from pipelines.negation import Stance

TITLE_WORDS = 8

_NAME = re.compile(
    r"(?:\b(?:patient(?:'s)? name|name of patient|patient|name|full name|surname)\s*[:\-]\s*"
    r"|(?P<unmarked>\b(?:patient(?:'s)? name|name of patient|full name)\s+|^name\s+)|(?P<about>\bre\s*[:;]\s*))"
    r"(?P<value>(?:(?:mr|mrs|ms|miss|dr)\.? )?[^\W\d_][\w'’.\-]*(?:,? [^\W\d_][\w'’.\-]*){0,5})",
    re.IGNORECASE,
)
_NAME_ENDS = re.compile(
    r"[\s,(]+(?:DOB|D\.O\.B|date|born|birth|MRN|NHS|hospital|record|sex|gender|age|address|tel|phone|ID|no|number|ward|"
    r"consultant|admitted|unit|ref|reg)\b.*$",
    re.IGNORECASE,
)
_BORN = re.compile(r"\b(?:d\.?o\.?b\.?|date of birth|birth ?date|born(?: on)?)\s*[:\-]?\s*", re.IGNORECASE)
_NUMBER = re.compile(
    r"\b(?:mrn|nhs (?:no|number)|hospital (?:no|number)|record (?:no|number)|patient (?:id|no|number)|chart (?:no|number)|"
    r"unit (?:no|number)|case (?:no|number))\.?\s*[:#]?\s*(?P<value>(?:[A-Z]{1,4}-?)?\d[\dA-Z\-/]*(?: \d{3,4}){0,2})",
    re.IGNORECASE,
)
_DATE_ROLES = re.compile(
    r"\b(?P<role>admitted|admission|discharged?|collected|received|reported|signed|seen|reviewed|date of (?:visit|clinic|"
    r"admission|discharge|letter|report|procedure|test)|visit date|clinic date|dictated|printed|due|follow[- ]?up)\b[^\d\n]{0,24}$",
    re.IGNORECASE,
)
_ROLE_NAMES = {
    "admission": "admitted",
    "discharge": "discharged",
    "report": "reported",
    "follow up": "follow-up",
    "followup": "follow-up",
}
_DIAGNOSIS = re.compile(
    r"\b(?:(?:principal |primary |final |discharge |working |admitting |secondary )?diagnos[ie]s|impression|assessment|"
    r"problem list|problems|past medical history|pmh|history of|background of|known)\s*(?P<mark>[:\-])?\s*",
    re.IGNORECASE,
)
_RELATIVE = re.compile(
    r"\b(?:family history|fhx?|mother|father|sister|brother|aunt|uncle|grand(?:mother|father)|cousin|twin)\b"
    r"(?! (?:who )?(?:reports?|reported|says|said|states|stated|tells|told|notes|noted|noticed|brought|denies|describes|thinks|is worried))"
    r"[^.;]*$",
    re.IGNORECASE,
)
_FAMILY_SECTION = re.compile(r"^\W*family (?:medical )?history\W*$", re.IGNORECASE)
_ANY_HEADING = re.compile(r"^[A-Z][A-Za-z /&]{2,40}:|^[A-Z][A-Z /&]{3,40}$")
_SUSPECTED = re.compile(
    r"\b(?:possibl[ey]|probabl[ey]|likely|suspect(?:ed|s)?|suspicio(?:n|us)|query|quer(?:y|ied)|questionable|rule out|r/o|exclude|"
    r"differential|ddx|may have|might have|could (?:have|be)|may be|might be|concern(?:ing)? for|versus|vs|presumed|"
    r"can ?not be (?:excluded|ruled out))\b|\?",
    re.IGNORECASE,
)
_LISTED = re.compile(r"(?:diagnos|problem|past|pmh)", re.IGNORECASE)
_MAY_BEGIN = re.compile(r"(?<!name)[.:;,()•*\-–\d]$", re.IGNORECASE)
_LIST_JOINT = re.compile(r"\s*(?:,|\band\b|(?:^|\s)\d[.)]\s)\s*", re.IGNORECASE)
_GOES_ON = frozenset("no not without of and or the with for denies denied a an to in on by from any".split())
WRAPPED_CHARS = 30  # a shorter line was ended on purpose; running text of a narrow column has about 40
_TESTED = re.compile(
    r"\b(?:sensitive|resistant|susceptible|intermediate) to (?:[\w-]+(?:,| and| or) )*$", re.IGNORECASE
)
_KINDS = (
    ("discharge_letter", re.compile(r"\bdischarge (?:summary|letter|medication)", re.IGNORECASE)),
    ("lab_report", re.compile(r"\b(?:laborator(?:y|ies) (?:report|results?)|pathology report|reference range|biochemistry|haematology report)\b", re.IGNORECASE)),
    ("prescription", re.compile(r"\b(?:prescription|rx:|repeat medication)\b", re.IGNORECASE)),
    ("consent", re.compile(r"\b(?:consent form|i (?:hereby )?consent)\b", re.IGNORECASE)),
    ("imaging_report", re.compile(r"\b(?:radiology report|x-ray report|ct report|mri report|ultrasound report)\b", re.IGNORECASE)),
    ("referral", re.compile(r"\breferral (?:letter|form)\b|\bthank you for seeing\b", re.IGNORECASE)),
    ("clinic_letter", re.compile(r"\bclinic letter\b|\boutpatient clinic\b|\bseen in clinic\b", re.IGNORECASE)),
    ("note", re.compile(r"\b(?:ward round|progress note|nursing note|consultation note|soap note)\b", re.IGNORECASE)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Text:
    """A line as text, and which word of the page each character belongs to."""

    text: str
    starts: tuple[int, ...]
    first: int  # index of the line's first word in the page

    def words_of(self, start: int, end: int) -> tuple[int, ...]:
        """Word indices of the page for characters [start, end)."""
        low, high = bisect_right(self.starts, start) - 1, bisect_right(self.starts, max(start, end - 1)) - 1
        return tuple(range(self.first + low, self.first + high + 1))


def understand(pages: Sequence[OcrPage]) -> tuple[Fact, ...]:
    """Facts of all pages, in reading order, each once a page."""
    day_first = dates.habit("\n".join(page.text for page in pages))
    found: dict[tuple[object, ...], Fact] = {}
    for page in pages:
        for fact in _facts(page, day_first):
            found.setdefault((fact.kind, fact.label.lower(), fact.value.lower(), fact.page, fact.negated), fact)
    return tuple(found.values())


def document_kind(pages: Sequence[OcrPage]) -> str:
    """What kind of record this is, by the phrase that stands first on its first page; "other" where none does."""
    text = pages[0].text if pages else ""
    places = [(match.start(), kind) for kind, pattern in _KINDS if (match := pattern.search(text))]
    return min(places)[1] if places else "other"


def document_date(facts: Sequence[Fact]) -> date | None:
    """The date the record bears: when signed, reported, discharged or seen, else its latest date; None if ambiguous."""
    dated = [
        (fact.label, date.fromisoformat(fact.value))
        for fact in facts
        if fact.kind is FactKind.DATE and not fact.reference
    ]
    for role in ("signed", "reported", "letter", "discharged", "seen", "visit", "clinic", "collected", "date"):
        matching = [day for label, day in dated if label == role]
        if matching:
            return max(matching)
    return max((day for label, day in dated if label != "follow-up"), default=None)


def suggest_title(pages: Sequence[OcrPage], facts: Sequence[Fact]) -> str:
    """A title without a patient's name: the kind of record and its date."""
    kind = document_kind(pages)
    name = "Record" if kind == "other" else kind.replace("_", " ").capitalize()
    dated = document_date(facts)
    return f"{name}, {dated.isoformat()}" if dated else name


def _facts(page: OcrPage, day_first: bool | None) -> Iterator[Fact]:
    lines, first = [], 0
    for line in page.lines:
        lines.append(_as_text(line, first))
        first += len(line.words)
    for text in lines:
        yield from _identity(page, text, day_first)
    texts = list(_paragraphs(lines))
    allergic = list(_allergies(page, texts))
    section, family = Status.CURRENT, False
    for number, text in enumerate(texts):
        yield from _dates(page, text, day_first)
        values = list(lab_values.find(text.text, lambda start, end, t=text: _tie(page, t, start, end)))
        allergies = [fact for fact, line in allergic if line == number]
        taken = {index for fact in (*allergies, *values) for index in fact.word_indices}
        yield from allergies
        yield from values
        meant = negation.stances(text.text.split(" "))
        # "Vitamin B12 241 ng/L" is a measurement, though a medicine has the same name.
        medicines = [
            fact for fact in _medications(page, text, meant, section) if not taken.intersection(fact.word_indices)
        ]
        yield from medicines
        if not medicines and (headed := medicine_status.section_status(text.text)) is not None:
            section = headed
        family = bool(_FAMILY_SECTION.match(text.text)) or (family and not _ANY_HEADING.match(text.text))
        if not family:
            yield from _diagnoses(page, text, meant)


def _paragraphs(lines: Sequence[_Text]) -> Iterator[_Text]:
    """Lines joined where the text plainly runs on, so that "without" at a line's end reaches the next line."""
    joined: _Text | None = None
    last = ""
    for line in lines:
        if not line.text:
            continue
        if joined is not None and _runs_on(last, line.text):
            shift = len(joined.text) + 1
            starts = joined.starts + tuple(shift + start for start in line.starts)
            joined = _Text(f"{joined.text} {line.text}", starts, joined.first)
        else:
            if joined is not None:
                yield joined
            joined = line
        last = line.text
    if joined is not None:
        yield joined


def _runs_on(line: str, following: str) -> bool:
    if len(line) < WRAPPED_CHARS or line[-1] in ".:;" or len(line) < 0.6 * len(following):
        return False
    last = line.rsplit(" ", 1)[-1].lower()
    return following[0].islower() or last in _GOES_ON or (following[0].isdigit() and line[-1] != ",")


def _as_text(line: TextLine, first: int) -> _Text:
    starts, position = [], 0
    for word in line.words:
        starts.append(position)
        position += len(word.text) + 1
    return _Text(line.text, tuple(starts), first)


def _tie(page: OcrPage, text: _Text, start: int, end: int) -> tuple[int, tuple[int, ...], float]:
    """Page number, word indices and the least confidence of characters [start, end) of a line."""
    indices = text.words_of(start, end)
    return page.number, indices, min(page.words[index].confidence for index in indices)


def _fact(
    page: OcrPage, text: _Text, span: tuple[int, int], kind: FactKind, label: str, value: str, **more: object
) -> Fact:
    number, indices, confidence = _tie(page, text, *span)
    return Fact(kind, label, value, number, indices, confidence, **more)  # type: ignore[arg-type]


def _identity(page: OcrPage, text: _Text, day_first: bool | None) -> Iterator[Fact]:
    if match := _NAME.search(text.text):
        value = _NAME_ENDS.sub("", match["value"]).strip(" ,.-")
        if len(value) > 2 and any(char.isupper() for char in value) and _is_person(match, value, text.text):
            start = match.start("value")
            yield _fact(page, text, (start, start + len(value)), FactKind.NAME, "name", value)
    if match := _BORN.search(text.text):
        for written in dates.find_dates(text.text[match.end() :], day_first)[:1]:
            if written.start <= 3:
                span = (match.end() + written.start, match.end() + written.end)
                yield _dated(page, text, span, FactKind.BIRTH_DATE, "date of birth", written)
    if match := _NUMBER.search(text.text):
        yield _fact(page, text, match.span("value"), FactKind.RECORD_NUMBER, "record number", match["value"].strip())


def _is_person(match: re.Match[str], value: str, line: str) -> bool:
    """A label with a colon is believed; "Re: ..." and a bare "Name ..." need more, for they also head other things."""
    words = value.replace(",", " ").split()
    capital = len(words) >= 2 and all(word[0].isupper() for word in words)
    if match["unmarked"]:
        return capital
    if match["about"]:
        titled = re.match(r"(?:mr|mrs|ms|miss|dr)\b", value, re.IGNORECASE)
        return capital and bool(titled or _BORN.search(line) or _NUMBER.search(line))
    return True


def _dates(page: OcrPage, text: _Text, day_first: bool | None) -> Iterator[Fact]:
    for written in dates.find_dates(text.text, day_first):
        before = text.text[: written.start]
        if _BORN.search(before[-24:]):
            continue
        role = _DATE_ROLES.search(before)
        label = "date"
        if role:
            label = re.sub(r"^date of | date$", "", role["role"].lower())
            label = _ROLE_NAMES.get(label, label)
        yield _dated(page, text, (written.start, written.end), FactKind.DATE, label, written)


def _dated(
    page: OcrPage, text: _Text, span: tuple[int, int], kind: FactKind, label: str, written: dates.WrittenDate
) -> Fact:
    reference = ""
    if len(written.readings) > 1:
        reference = f"ambiguous: may also be {written.readings[1].isoformat()}"
    return _fact(page, text, span, kind, label, written.readings[0].isoformat(), reference=reference)


def _medications(page: OcrPage, text: _Text, meant: Sequence[Stance], section: Status) -> Iterator[Fact]:
    words = text.text.split(" ")
    mentions = drug_names.find_drugs(words)
    names = [" ".join(words[mention.start : mention.end]).strip(" .,;:()[]-–—•*") for mention in mentions]
    begins = [text.text.index(name, text.starts[mention.start]) for name, mention in zip(names, mentions, strict=True)]
    named = [
        Named(begin, begin + len(name), mention.ingredient)
        for begin, name, mention in zip(begins, names, mentions, strict=True)
    ]
    statuses = medicine_status.statuses(text.text, named)
    for number, (mention, name, said_of) in enumerate(zip(mentions, names, statuses, strict=True)):
        if _TESTED.search(text.text[: begins[number]]) or Stance.FAMILY in meant[mention.start : mention.end]:
            continue
        following = begins[number + 1] if number + 1 < len(mentions) else len(text.text)
        start, end = begins[number], named[number].end
        rest = re.split(r"(?<=\w)[.;](?:\s|$)", text.text[end:following])[0]
        upto_comma = rest.split(", ")[0]
        rest = upto_comma if DOSE.search(upto_comma) else rest
        parts = [match for pattern in (DOSE, ROUTE, FREQUENCY) if (match := pattern.search(rest))]
        said = [match.group().strip() for match in parts]
        end += max((match.end() for match in parts), default=0)
        status = said_of.status or section
        if Stance.DENIED in meant[mention.start : mention.end] and status is Status.CURRENT:
            status = Status.NOT_TAKEN
        if said_of.status in medicine_status.GONE and said_of.end:
            said.append(text.text[said_of.start : said_of.end])
        earlier = named[number - 1].end if number else 0
        if said_of.end and said_of.start >= end and said_of.start < following:
            end = said_of.end
        elif said_of.end and earlier <= said_of.start < start:
            start = said_of.start
        notes = [] if mention.ingredient == name.lower() else [f"ingredient: {mention.ingredient}"]
        if parts and re.match(r"[\d.,]*[OolI]", parts[0].group()):
            notes.append("dose unclear: a letter stands among the digits")
        yield _fact(
            page, text, (start, end), FactKind.MEDICATION, name, " ".join(said), flag=status.value,
            negated=status in medicine_status.GONE, reference="; ".join(notes),
        )  # fmt: skip


def _allergies(page: OcrPage, texts: Sequence[_Text]) -> Iterator[tuple[Fact, int]]:
    """Each with the number of its text."""
    for said in allergy_statements.find([text.text for text in texts]):
        text, span = texts[said.line], (said.start, said.end)
        if said.denied:
            value = text.text[said.start : said.end]
            yield _fact(page, text, span, FactKind.ALLERGY, "allergies", value, negated=True), said.line
        else:
            yield (
                _fact(page, text, span, FactKind.ALLERGY, said.substance, said.substance, reference=said.note),
                said.line,
            )


def _diagnoses(page: OcrPage, text: _Text, meant: Sequence[Stance]) -> Iterator[Fact]:
    for match in CONDITION.finditer(text.text):
        stance = min(meant[index - text.first] for index in text.words_of(*match.span()))
        if not LISTED_CONDITION.search(match.group()) and _is_somebody(text.text, match.start()):
            continue
        if stance is Stance.FAMILY or _RELATIVE.search(text.text[: match.start()]):
            continue  # a relative's illness is not the patient's
        name, note = match.group(), ""
        if stance is Stance.POSSIBLE:
            if not _SUSPECTED.search(_sentence_around(text.text, *match.span())):
                continue  # "risk of stroke", "if pneumonia develops"
            name, note = f"possible {name}", "uncertain on the page"
        denied = stance is Stance.DENIED
        yield _fact(page, text, match.span(), FactKind.DIAGNOSIS, name, match.group(), negated=denied, reference=note)
    headed = _DIAGNOSIS.match(text.text)
    if headed and headed["mark"]:
        yield from _headed_diagnoses(page, text, headed, meant)


def _is_somebody(text: str, start: int) -> bool:
    """Whether a word that ends like an illness is written like a name: a capital in the middle of a sentence, or behind
    "Surname:"."""
    before = text[:start].rstrip()
    return text[start].isupper() and not text.isupper() and bool(before) and not _MAY_BEGIN.search(before)


def _headed_diagnoses(page: OcrPage, text: _Text, headed: re.Match[str], meant: Sequence[Stance]) -> Iterator[Fact]:
    """Illnesses that no list knows, behind a heading that says that they are some."""
    rest = re.match(r"[^.;]{3,160}" if _LISTED.match(headed.group()) else r"[^.;]{3,80}", text.text[headed.end() :])
    if not rest:
        return
    start = headed.end()
    joints = list(_LIST_JOINT.finditer(rest.group())) if _LISTED.match(headed.group()) else []
    edges = [(0, 0), *(joint.span() for joint in joints), (rest.end(), rest.end())]
    for (_, begin), (close, _) in pairwise(edges):
        name = rest.group()[begin:close].strip(" -:")
        if len(name) < 3 or CONDITION.search(name) or (joints and len(name.split()) > 6):
            continue
        first = start + begin + rest.group()[begin:close].index(name)
        stance = min(meant[index - text.first] for index in text.words_of(first, first + len(name)))
        if stance in (Stance.ASSERTED, Stance.PAST):
            yield _fact(page, text, (first, first + len(name)), FactKind.DIAGNOSIS, name, name)


def _sentence_around(text: str, start: int, end: int) -> str:
    begin = max(text.rfind(mark, 0, start) for mark in (". ", "; "))
    close = re.search(r"[.;](?:\s|$)", text[end:])
    return text[begin + 1 : end + close.start() if close else len(text)]
