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

from domain.document import Fact, FactKind, OcrPage, TextLine
from pipelines import dates, drug_names, lab_values, negation

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
_ROLE_NAMES = {"admission": "admitted", "discharge": "discharged", "report": "reported", "follow up": "follow-up", "followup": "follow-up"}
_DOSE = re.compile(
    r"(?P<dose>(?:\d[\d.,]*|(?=[OolI]*\d)[\dOolI.,]{2,})\s?(?:mg|mcg|µg|μg|ug|g|ml|mL|units?|iu|IU|mmol|%|puffs?|tablets?|capsules?|drops?)"
    r"(?:\s?/\s?\d*\s?(?:ml|mL|h|hr|kg|day|dose|actuation))?)(?![\w])",
)
_ROUTE = re.compile(
    r"\b(?:PO|IV|IM|SC|SL|INH|PR|TOP|oral(?:ly)?|by mouth|inhaled|topical(?:ly)?|subcutaneous(?:ly)?|"
    r"intravenous(?:ly)?|nebuli[sz]ed)\b",
    re.IGNORECASE,
)
_FREQUENCY = re.compile(
    r"\b(?:once|twice|three times|four times|\d times)(?: (?:a|per) day| daily)?\b|\b(?:daily|nightly|weekly|monthly|"
    r"every (?:\d+|other|four|six|eight|twelve) (?:hours?|days?|weeks?|morning|night)|every (?:morning|night|evening|day)|"
    r"o\.?d\.?|b\.?d\.?|b\.?i\.?d\.?|t\.?d\.?s\.?|t\.?i\.?d\.?|q\.?d\.?s\.?|q\.?i\.?d\.?|q\d+h|prn|p\.r\.n\.|as needed|"
    r"when required|at night|at bedtime|in the morning|stat|nocte|mane)(?!\w)",
    re.IGNORECASE,
)
_ALLERGY = re.compile(
    r"\b(?:allerg(?:y|ies|ic)(?! reaction)(?: to)?|adverse reactions?(?: to)?|intoleran(?:ce|t)(?: to)?)\b", re.IGNORECASE
)
_NO_ALLERGY = re.compile(
    r"\b(?:no|nil|denies(?: any)?)(?: known)?(?: drug| food| latex| other)*[ -]allerg(?:y|ies)\b|\bNKD?A\b|\ballergies\s*[:\-]?\s*"
    r"(?:none|nil|no known)\b",
    re.IGNORECASE,
)
_DIAGNOSIS = re.compile(
    r"\b(?:(?:principal |primary |final |discharge |working |admitting |secondary )?diagnos[ie]s|impression|assessment|"
    r"problem list|problems|past medical history|pmh|history of|background of|known)\s*(?P<mark>[:\-])?\s*",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    r"\b(?:(?:acute|chronic|pleural|pericardial|type [12]|essential|severe|mild|moderate|unstable|left|right|bilateral|community[- ]acquired|"
    r"hospital[- ]acquired|congestive|atrial|obstructive|pulmonary|deep vein|iron deficiency|coronary artery|diabetes|"
    r"ischa?emic|urinary tract|chronic kidney|acute kidney|peripheral|rheumatoid|heart|kidney|liver|breast|lung|colon|"
    r"prostate|hip|wrist|upper respiratory|lower respiratory) )*"
    r"(?:hypertension|diabetes(?: mellitus)?|asthma|copd|pneumonia|fibrillation|heart failure|cardiac failure|infarction|"
    r"angina|stroke|embol(?:ism|us)|thrombosis|an[a]?emia|sepsis|cellulitis|infection|arthritis|osteoarthritis|"
    r"osteoporosis|gout|epilepsy|migraine|depression|anxiety|dementia|hypothyroidism|hyperthyroidism|hyperlipid[a]?emia|"
    r"hypercholesterol[a]?emia|pancreatitis|appendicitis|cholecystitis|gastritis|reflux|ulcer|hepatitis|cirrhosis|"
    r"fracture|cancer|carcinoma|lymphoma|leuk[a]?emia|melanoma|tumou?r|effusions?|kidney injury|kidney disease|"
    r"pulmonary disease|artery disease|heart disease|neuropathy|retinopathy|obesity|psoriasis|eczema|colitis|"
    r"crohn'?s disease|synovitis|pneumothorax|ha?emorrhage|seizures?|diverticulitis|bronchitis|sinusitis|otitis media|concussion|syncope)\b",
    re.IGNORECASE,
)
_STOPPED_AFTER = re.compile(
    r"^[\W]*(?:(?:was|were|is|has been|to be|should be) )?(?P<said>stopped|discontinued|withheld|ceased|on hold|"
    r"(?:should|must) not be (?:given|taken|used)|(?:is |to be )?avoided|contraindicated)\b",
    re.IGNORECASE,
)
_STOPPED_BEFORE = re.compile(r"\b(?P<said>stop|stopped|stopping|discontinued?|avoid|withhold)\W+(?:the |her |his )?$", re.IGNORECASE)
_RELATIVE = re.compile(
    r"\b(?:family history|fhx?|mother|father|sister|brother|aunt|uncle|grand(?:mother|father)|cousin|twin)\b[^.;]*$",
    re.IGNORECASE,
)
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
    for text in _paragraphs(lines):
        yield from _dates(page, text, day_first)
        allergies = list(_allergies(page, text))
        values = list(lab_values.find(text.text, lambda start, end, t=text: _tie(page, t, start, end)))
        taken = {index for fact in (*allergies, *values) for index in fact.word_indices}
        yield from allergies
        yield from values
        denied = negation.denied(text.text.split(" "))
        # "Vitamin B12 241 ng/L" is a measurement, though a medicine has the same name.
        yield from (fact for fact in _medications(page, text, denied) if not taken.intersection(fact.word_indices))
        yield from _diagnoses(page, text, denied)


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


def _medications(page: OcrPage, text: _Text, denied: Sequence[bool]) -> Iterator[Fact]:
    words = text.text.split(" ")
    mentions = drug_names.find_drugs(words)
    for number, mention in enumerate(mentions):
        start = text.starts[mention.start]
        next_start = text.starts[mentions[number + 1].start] if number + 1 < len(mentions) else len(text.text)
        name_end = text.starts[mention.end - 1] + len(words[mention.end - 1])
        if _TESTED.search(text.text[:start]):
            continue
        rest = re.split(r"(?<=\w)[.;](?:\s|$)", text.text[name_end:next_start])[0]
        upto_comma = rest.split(", ")[0]
        rest = upto_comma if _DOSE.search(upto_comma) else rest
        parts = [match for pattern in (_DOSE, _ROUTE, _FREQUENCY) if (match := pattern.search(rest))]
        said = [match.group().strip() for match in parts]
        end = name_end + max((match.end() for match in parts), default=0)
        name = " ".join(words[mention.start : mention.end]).strip(".,;:()[]")
        stopped = _STOPPED_AFTER.search(rest) or _STOPPED_BEFORE.search(text.text[:start])
        if stopped and re.search(r"\b(?:re-?started|restarting|resumed?|reintroduced)\b", rest, re.IGNORECASE):
            stopped = None  # "withheld and restarted at 500 mg" is a medicine she takes
        if stopped:
            said.append(stopped["said"])
            end = max(end, name_end + stopped.end()) if stopped.re is _STOPPED_AFTER else end
            start = stopped.start() if stopped.re is _STOPPED_BEFORE else start
        notes = [] if mention.ingredient == name.lower() else [f"ingredient: {mention.ingredient}"]
        if parts and re.match(r"[\d.,]*[OolI]", parts[0].group()):
            notes.append("dose unclear: a letter stands among the digits")
        refused = bool(stopped) or any(denied[mention.start : mention.end])
        yield _fact(
            page, text, (start, end), FactKind.MEDICATION, name, " ".join(said), negated=refused, reference="; ".join(notes)
        )  # fmt: skip


def _allergies(page: OcrPage, text: _Text) -> Iterator[Fact]:
    denied = _NO_ALLERGY.search(text.text)
    if denied:
        yield _fact(page, text, denied.span(), FactKind.ALLERGY, "allergies", denied.group(), negated=True)
    match = _ALLERGY.search(text.text)
    if not match or (denied and denied.start() <= match.start() < denied.end()):
        return
    rest = re.match(r"\s*[:\-]?\s*(?P<what>[^.;]+)", text.text[match.end() :])
    if rest and rest["what"].strip(" ,"):
        span = (match.end() + rest.start("what"), match.end() + rest.end("what"))
        what = rest["what"].strip(" ,")
        place = text.words_of(*match.span())[0] - text.first
        refused = negation.denied(text.text.split(" "))[place] or what.lower().startswith(
            ("none", "nil", "no known")
        )
        if not refused:
            yield _fact(page, text, span, FactKind.ALLERGY, what, what)


def _diagnoses(page: OcrPage, text: _Text, denied: Sequence[bool]) -> Iterator[Fact]:
    for match in _CONDITION.finditer(text.text):
        if _RELATIVE.search(text.text[: match.start()]):
            continue  # a relative's illness is not the patient's
        refused = any(denied[index - text.first] for index in text.words_of(*match.span()))
        yield _fact(page, text, match.span(), FactKind.DIAGNOSIS, match.group(), match.group(), negated=refused)
    headed = _DIAGNOSIS.match(text.text)
    if headed and headed["mark"] and not _CONDITION.search(text.text):
        rest = re.match(r"[^.;]{3,80}", text.text[headed.end() :])
        if rest and rest.group().strip():
            span = (headed.end(), headed.end() + rest.end())
            yield _fact(page, text, span, FactKind.DIAGNOSIS, rest.group().strip(), rest.group().strip())
