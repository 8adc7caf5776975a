"""Words of free text that may tell who or where somebody is, found by rules: unsure means telling.

A word with a capital is shown only where it is known to be no part of a name: medicines, illnesses, tests and plain
English are known (models/lexicon, the drug vocabulary), less what people are also called. Numbers are shown only where
they are short, decimal or have a unit of medicine beside them. `python -m benchmarks.deidentify` says how much is found
and how much else is covered; it is not complete, and no page or picture is shown beside it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path

from pipelines import drug_names
from pipelines.condition_names import LISTED_CONDITION
from pipelines.lab_values import ANALYTES
from pipelines.medicine_words import DOSE

LEXICON = Path(__file__).resolve().parent.parent / "models" / "lexicon"
Span = tuple[int, int]

# Given and family names, also such as are English words: none of these is shown with a capital.
CALLED = frozenset(
    """abigail adam adams agnes aidan alan albert alex alexander alfred alice allen alma amanda amber amy andrea andrew
    angel angela ann anna anne anthony april archer arthur ash asher ashley august austin autumn ava bailey baker
    barbara barry basil bay bell ben benjamin beth betty beverly bill billy bishop black blake bob bond booker
    brandon brenda brian brook brooks brown bruce bryan burns butler byrd cameron carl carlos carol caroline
    carpenter carter catherine charity charles charlie charlotte chase cherry chris christian christine christopher
    chuck claire clark clay clement clerk cliff cole colin colt connie cook cooper craig crystal curtis daisy dale
    dan daniel david davis dawn dean deborah dennis derek diana diane don donald donna dora doris dorothy douglas
    drew duke dylan earl ed eddie edgar edith edward eileen elaine eleanor elizabeth ella ellen emily emma eric
    ernest ethan eugene eva evan eve evelyn faith felix fern field fisher flora florence ford foster fox frances
    francis frank franklin fred freeman fuller gabriel gale gardener gardner gary gay gene george gerald ginger
    gloria gordon grace graham grant gray green greg gregory guy hall hannah harold harper harriet harris harry
    harvey hazel heath heather helen henry herb herbert hill holly hope howard hunt hunter ian ida irene iris isaac
    ivan ivy jack jackson jacob jade james jane janet janice jason jay jean jeff jeffrey jennifer jeremy jerry jesse
    jessica jill jim jimmy joan joe john johnny johnson jon jonathan jones jordan jose joseph joshua joy joyce juan
    judith judy julia julie june justin karen karl kate katherine kathleen keith kelly ken kenneth kevin key kim
    king knight kyle lance lane larry laura laurel lauren lawrence lee leo leon leonard leslie lewis liam lily linda
    lisa lloyd long louis louise love lucas lucy luke lynn major margaret maria marie marilyn mark marsh marshall
    martha martin marvin mary mason matt matthew max may melissa melody mercy michael michelle mike miles miller
    mills milo moore morgan morris moss myrtle nancy nathan neil nicholas nicole nigel noah nora norman olive oliver
    oscar owen page paige pam pamela parker pat patience patricia patrick paul pearl penny perry pete peter phil
    philip phillip pierce piper poppy porter price priest prince rachel ralph ray raymond rebecca reed reid rex rich
    richard rita rob robert robin rod rodney roger roman ron ronald rose rosemary ross roy ruby russell ruth ryan
    sage sally sam samantha samuel sandra sandy sara sarah saul scott sean sharon sharp shaun shirley short sidney
    simon sky smith sophia stella stephanie stephen steve steven stewart stone stuart sue summer susan taylor ted
    teresa terry thea theresa thomas tim timothy tina tom tony tracy trinity troy turner tyler vera vernon victor
    victoria vincent violet virginia wade walker wallace walter wanda ward warren wayne webb wells wendy west white
    will william willow wilson winter wolf wood woods wright young zach zoe""".split()
)
# Words that begin a line of a record, or are written with a capital in one, and are nobody's name.
PLAIN = frozenset(
    """against asked changed compare image marked named only reference source whole word written
    a about above accompanied address admission admitted advice advised after again aged allergic allergies allergy
    also although always am an and any appears appetite appointment as ask asked assessment at attended aunt
    awaiting aware background because been before began bilateral biochemistry blood bloods both bowels brother
    brought but by call can carer cause chart chest clinic clinical clinician community complains complaint
    completed condition consent consultant consultation contact continue continues course cousin current currently
    daily date daughter day dear denied denies department describes diagnoses diagnosis diet discharge discharged
    discussed doctor dose drinks drug due during each early electronic email emergency ends evening examination
    examined exercise eyes family father fax feels female findings first follow follow-up followed followup for
    found friday friend from full general gp grandfather grandmother had has have having he head health heart her
    here hers hip his history home hospital how however husband i if imaging impression in increase increased
    indication initially insurance investigations is it its keep kind known lab laboratory last left letter like
    line list lives living looks low lungs male management medical medication medications medicine medicines mild
    monday monitor monthly morning mother mr mrs ms my name neighbour nephew never new next niece night nil no none
    normal not note notes now number nurse nursing obese observations occasional of off often old on once one
    ongoing onset operation or other our outpatient over overall pain partner past patient patients per phone
    physical plan please positive post practice prescribed prescription presented presenting presents previous prior
    problem problems procedure prof progress radiology reason received recommend recommended record referral
    referred regarding regards registered regular rehab relative remains repeat report reported reports respiratory
    rest result results retired returned review reviewed right routine said same saturday says score seen she should
    side sign signed since sister sleep smokes social son started stated states still stop stopped street sunday
    surgery symptoms take takes team telephone temperature test tests thank thanks that the their then therapy there
    these they this those three thursday to today told took treated treatment trial tuesday twice two uncle under
    unit unknown until urgent urine use used usual very via visit visited vitals walks was we wednesday weekly
    weight well went were when where which while who wife with within without works worse would yes yesterday your
    yours""".split()
)  # fmt: skip
_TITLE = (
    r"(?:mr|mrs|ms|miss|mx|dr|prof|professor|sir|dame|lady|lord|rev|reverend|father|sister|nurse|sr|dean|capt|judge)"
)
_RELATIVE = (
    r"(?:mother|father|mum|mom|dad|wife|husband|spouse|partner|son|daughter|sister|brother|twin|aunt|uncle|cousin|niece|"
    r"nephew|grand(?:mother|father|son|daughter|ma|pa)|step(?:son|daughter|mother|father)|fianc[eé]e?|girlfriend|boyfriend|"
    r"neighbou?r|friend|carer|caregiver|landlord|landlady|employer|boss|teacher|guardian|next of kin|nok)"
)
_NAME_WORD = r"[^\W\d_][\w'’.-]*"
# After these a name follows, whatever its case.
_BEHIND = rf"(?P<name>{_NAME_WORD}(?: +(?-i:[^\W\d_a-z][\w'’.-]*))*)"
_TITLED = re.compile(rf"\b{_TITLE}\b\.? +{_BEHIND}", re.IGNORECASE)
_INTRODUCED = (
    re.compile(
        r"\b(?:named|called|known as|aka|dear|signed(?: by)?|cc:?|c/o|attn:?|name:|patient:|contact:|witness:|"
        rf"dictated by|typed by|seen by|reviewed by|referred by|re:) +{_BEHIND}",
        re.IGNORECASE,
    ),
    re.compile(rf"\b{_RELATIVE}\b(?: is| was|,|:| \()? *{_BEHIND}", re.IGNORECASE),
)
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)"
)
_ORDINAL = (
    r"(?:(?:twenty|thirty)[- ])?(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|"
    r"thirteenth|fourteenth|fifteenth|sixteenth|seventeenth|eighteenth|nineteenth|twentieth|thirtieth)"
)
_DAY = rf"(?:\d{{1,2}}(?:st|nd|rd|th)?|{_ORDINAL})"
_WRITTEN_DATE = re.compile(
    rf"\b(?:the )?{_DAY}[ ,.-]*(?:of )?{_MONTH}\b|\b{_MONTH}\.?[ ,.-]+(?:the )?{_DAY}\b"
    rf"|\b{_MONTH}\.?(?=,? (?:of )?(?:19|20)\d\d)"
    r"|\b(?:on|since|from|until|till|by|dated|seen|of|born|dob:?|date:?) \d{1,2}[/.-]\d{1,2}\b"
    r"(?![/.]\d|\s?(?:mg|ml|%))"
    r"|\b(?:19|20)\d\d[/.]\d{1,2}[/.]\d{1,2}\b"
    r"|\b(?:christmas|boxing day|new year'?s? (?:eve|day)|easter|eid|diwali|hanukkah)\b",
    re.IGNORECASE,
)
_CAPITAL_MONTH = re.compile(
    r"\b(?:January|February|March|April|May|June|July|August|September|October|November|December)\b"
)
_ELECTRONIC = re.compile(
    r"\S*@\S+|(?:https?://|www\.)\S+|\b(?:\d{1,3}\.){3}\d{1,3}\b"
    r"|\b[\w.+-]+(?: dot \w+)* ?(?:\[at\]|\(at\)| at ) ?[\w-]+ ?(?:\[dot\]|\(dot\)| dot ) ?\w+(?: dot \w+)*",
    re.IGNORECASE,
)
_STREET = re.compile(
    r"(?:\b(?:flat|apt\.?|apartment|unit|room|suite|bed|bay|ward|floor|box) ?#?\d*[A-Za-z]?\b,? )?"
    r"\b\d{1,5}[A-Za-z]?,? (?:[\w'’.-]+ ){1,3}(?:street|st|road|rd|avenue|ave|lane|ln|close|drive|dr|way|court|ct|"
    r"crescent|square|sq|terrace|place|pl|gardens|row|boulevard|blvd|hill|mews|grove|park|walk|quay|highway)\b\.?"
    r"|\b(?:flat|apt\.?|apartment|room|suite|bed|bay|ward|p\.? ?o\.? box) ?#?\d+[A-Za-z]?\b"
    r"|\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b|\b\d{5}-\d{4}\b",
    re.IGNORECASE,
)
_SHORT_CODE = re.compile(
    r"\b(?:ext\.?|extension|bleep|pager|pin|code|ref\.?|no\.|number|#) ?:? ?#?\d{2,}\b", re.IGNORECASE
)
_INITIAL = re.compile(r"(?<!\S)[^\W\d_a-z]\.(?=-? ?[^\W\d_a-z])")  # before a name
_OLD = re.compile(r"\b(?:9\d|1[01]\d)(?=[- ]?(?:years?|yrs?|y/?o)\b)|(?<=aged )(?:9\d|1[01]\d)\b", re.IGNORECASE)
_DIGITS = re.compile(r"(?<![\w.,])[+(]?\d[\d ()+/–-]*\d(?![\w]|[.,]\d)")  # groups of digits that may be one number
_CODE = re.compile(r"\b(?=[\w/-]*\d)(?=[\w/-]*[A-Za-z])[\w/-]+\b|\b\d{5,}\b")
_KNOWN_CODE = re.compile(
    r"\d+(?:\.\d+)?[a-z%µ]+(?:/\w+)?|[A-Z][a-z]?\w?\d{1,2}(?:\.\d)?|\w{2,6}-?\d{1,2}|\d{1,3}(?:st|nd|rd|th|[xX]\d*)",
)
_UNIT = re.compile(r"[A-Za-zµ%]{1,5}/[A-Za-z]{1,3}|mmHg|°?[CF]|m?L|kPa|Hz|IU|mEq/L")
_SENTENCE_END = re.compile(r"[.!?:;]\W*$")


def spans(text: str) -> tuple[Span, ...]:
    """Places of a text, [start, end), that may tell who or where somebody is; they may overlap."""
    return tuple(_spans(text))


def _spans(text: str) -> Iterator[Span]:
    for pattern in (_WRITTEN_DATE, _CAPITAL_MONTH, _ELECTRONIC, _STREET, _OLD, _SHORT_CODE, _INITIAL):
        yield from (found.span() for found in pattern.finditer(text))
    for pattern in (_TITLED, *_INTRODUCED):
        for found in pattern.finditer(text):
            for word in re.finditer(_NAME_WORD, found["name"]):
                own = word[0].rstrip(".").casefold()
                if pattern is _TITLED or own in CALLED or not _plain_english(own):
                    start = found.start("name") + word.start()
                    yield start, start + len(word[0])
    yield from _numbers(text)
    yield from _capitals(text)


def _numbers(text: str) -> Iterator[Span]:
    known = [found.span() for found in DOSE.finditer(text)]
    for found in _DIGITS.finditer(text):
        digits = re.sub(r"\D", "", found[0])
        pair = re.fullmatch(r"\d{1,3} ?[-–/] ?\d{1,3}", found[0].strip("()+ "))  # a pressure, a reference band
        if len(digits) >= 5 and not pair and not _within(found.span(), known):
            yield found.span()
    for found in _CODE.finditer(text):
        if (
            sum(char.isdigit() for char in found[0]) >= 2
            and not _KNOWN_CODE.fullmatch(found[0])
            and not _within(found.span(), known)
        ):
            yield found.span()


def _within(span: Span, others: list[Span]) -> bool:
    return any(start <= span[0] and span[1] <= end for start, end in others)


def _capitals(text: str) -> Iterator[Span]:
    medical = [found.span() for found in LISTED_CONDITION.finditer(text)]
    before = ""
    for found in re.finditer(r"\S+", text):
        first, before = not before or bool(_SENTENCE_END.search(before)), found[0]
        bare = found[0].strip(".,;:()[]\"'“”")
        if bare.casefold() in _abbreviations() or _UNIT.fullmatch(bare):
            continue
        for word in re.finditer(r"[^\W\d_]+(?:['’][^\W\d_]+)*", found[0]):
            if word[0][0].isupper() and not _shown(word[0], first and word.start() < 2):
                place = (found.start() + word.start(), found.start() + word.end())
                if not _within(place, medical):
                    yield place


def _shown(word: str, begins: bool) -> bool:
    own = word.casefold().removesuffix("'s").removesuffix("’s")
    if len(own) == 1:
        return True  # an initial alone tells nobody
    if word.isupper() and len(word) <= 5:
        return own in _abbreviations() or own in PLAIN or own in _records()
    if own in CALLED:
        return False
    return own in PLAIN or own in _records() or bool(drug_names.ingredient(own)) or (begins and _plain_english(own))


@functools.cache
def _abbreviations() -> frozenset[str]:
    lines = (LEXICON / "abbreviations.txt").read_text("utf-8").splitlines()
    said = {line.partition("|")[0].strip().casefold() for line in lines if line and not line.startswith("#")}
    return frozenset(
        said | set("bp hr rr gp ct mri ecg ekg xray ed er icu itu iv po im sc bd tds qds od prn nad nkda dvt".split())
    )


@functools.cache
def _records() -> frozenset[str]:
    """Words of clinical concepts, as the lexicon writes them in lower case."""
    text = "\n".join((LEXICON / name).read_text("utf-8") for name in ("lay_clinical.txt", "abbreviations.txt"))
    tests = " ".join(f"{one.label} {one.names}" for one in ANALYTES).casefold()
    return frozenset(re.findall(r"\b[a-z]{2,}\b", f"{text} {tests}")) - CALLED


@functools.cache
def _spoken() -> frozenset[str]:
    return frozenset((LEXICON / "spoken_words.txt").read_text("utf-8").split()) - CALLED


def _plain_english(word: str) -> bool:
    return word in PLAIN or word in _records() or word in _spoken()
