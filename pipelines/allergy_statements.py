"""What a record says a patient does not tolerate, each substance by itself, and where it says that there is nothing.

Rules over lines of text; knows names of medicines and common allergens, no pages. A denial of one substance ("not
allergic to latex") says nothing of the others, so it is no statement that there are none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipelines import drug_names
from pipelines.condition_names import CONDITION
from pipelines.negation import Stance, stances

LIST_LINES = 12  # lines under a heading that stands alone
UNKNOWN_WORDS = 4  # a substance that no list knows has at most so many words
LONG_LINE = 70  # characters; a longer line is prose, and no entry of a list


@dataclass(frozen=True, slots=True)
class AllergyStatement:
    """Characters `start` to `end` of line `line` name `substance`, "" where they deny every allergy. `note`: what is
    added, such as the reaction."""

    line: int
    start: int
    end: int
    substance: str
    note: str = ""

    @property
    def denied(self) -> bool:
        return not self.substance


ALLERGENS = frozenset(
    "penicillin penicillins penicillamine cephalosporin cephalosporins sulfa sulpha sulfas sulfonamide sulfonamides "
    "sulphonamide sulphonamides nsaid nsaids opioid opioids opiate opiates statin statins macrolide macrolides quinolone "
    "quinolones fluoroquinolones tetracycline tetracyclines aminoglycosides carbapenems antibiotic antibiotics "
    "beta-lactam beta-lactams betalactams beta-blockers anaesthetics anesthetics latex rubber nickel cobalt chrome "
    "plaster plasters elastoplast micropore adhesive adhesives tape dressing dressings chlorhexidine iodine contrast "
    "gadolinium betadine peanut peanuts nut nuts almond almonds cashew cashews walnut walnuts hazelnut hazelnuts pecans "
    "pistachio pistachios brazil-nuts egg eggs milk dairy lactose gluten wheat soy soya sesame fish shellfish seafood "
    "prawn prawns shrimp crab lobster mussels oysters molluscs crustaceans strawberry strawberries kiwi banana bananas "
    "avocado mango pineapple tomato tomatoes citrus orange oranges apple apples peach peaches celery mustard lupin "
    "garlic onion chocolate honey sulphites sulfites msg tartrazine fructose pollen pollens grass grasses ragweed "
    "birch tree trees weeds dust dust-mite dust-mites mite mites mould moulds mold molds cat cats dog dogs horse horses "
    "dander feathers wool fur bee bees wasp wasps hornet hornets ants venom insect insects mosquito perfume perfumes "
    "fragrance lanolin parabens formaldehyde detergents gelatin gelatine cow's ace arb arbs".split()
)
# Words that go with an allergen of the list above: "bee stings", "tree nuts", "contrast medium".
_COMPANIONS = frozenset(
    "drug drugs medicine medicines antibiotic antibiotics sting stings bite bites venom medium media dye agent agents "
    "mite mites dander hair fur nut nuts pollen fruit protein white whites yolk tape plaster plasters dressings gloves "
    "inhibitor inhibitors based containing products product group class family tree house animal pet iv local "
    "radiographic iodinated intravenous insect bee wasp cow's brazil soya egg food foods".split()
)
_REACTIONS = frozenset(
    "rash rashes hives urticaria anaphylaxis anaphylactic swelling swollen itch itching itchy pruritus angioedema "
    "angio-oedema oedema edema nausea vomiting diarrhoea diarrhea wheeze wheezing bronchospasm breathlessness dyspnoea "
    "dyspnea shock collapse sickness sick stomach upset cramps gi disturbance dizziness headache cough myalgia blisters "
    "blistering eczema dermatitis reaction reactions severe moderate mild unknown hypotension flushing fever "
    "stevens-johnson syndrome facial lip lips tongue throat face tightness skin contact drowsiness confusion mouth "
    "redness erythema tachycardia palpitations constipation intolerance side effect effects allergy true".split()
)
_NO_SUBSTANCE = re.compile(
    r"(?:letter|clinic|test|review|service|team|nurse|specialist|referral|bracelet|alert|card|season|shot|symptom|unknown|"
    r"unconfirmed|not (?:known|recorded|documented|asked|stated|available|reviewed|checked)|see\b|as (?:above|below|listed|per)|"
    r"per\b|n/?a\b|checked|confirmed|status|yes\b|unable|tbc|updated|history|section|on file|same|reviewed|discussed|"
    r"were\b|was\b|are\b|is\b|have\b|has\b|and\b|medications?\b|anything|any\b|something|this|that\b|it\b|substance|allergen|"
    r"details|type|date|name|reaction|if\b|please|patient|doctor|information|profile|noted|record|list|chart|form|cause|"
    r"clinician|immunolog|desensiti|induced|related|specific|following|drug\b|drugs\b|food\b)",
    re.IGNORECASE,
)
# What opens another clause: whatever was listed has ended.
_ENDS_LIST = frozenset(
    "has have had having is was are were takes taking took take given gives gave start started starts stop stopped stops "
    "denies denied reports reported lives smokes drinks will should can could would must may he she they it we i you there "
    "which who not currently otherwise please on for at in by now then but however although so therefore past current medications "
    "medication medicines drugs pmh hpc treated prescribed also when while who does did do no nil never family social seen "
    "admitted discharged presented presents needs needed uses using advised avoid review continue plan examination".split()
)
_TRIM_FRONT = re.compile(
    r"^(?:to|the|a|an|any|all|some|known|severe(?:ly)?|mild(?:ly)?|moderate|possible|possibly|suspected|query|documented|"
    r"also|his|her|their|both|oral|allergic to|allerg(?:y|ies) to|reported|previous|following|certain|most|other)\s+",
    re.IGNORECASE,
)
_REACTION = re.compile(
    r"\s*(?:[(\[]|\s[-–—=→:>]+\s?|:\s|\s(?=(?:which|that|causes?|causing|caused|giv(?:es|ing)|gave|leads?|leading|led|results?|"
    r"resulting|with|since|in|as|because|from|reaction|when|after|due|confirmed|diagnosed)\b))",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(r"\s*(?:[,;/&•·|+]|\b(?:and|or|plus|such as|including|e\.g\.|namely)\b)\s*", re.IGNORECASE)
_KINDS = r"(?:drug|drugs|medication|medications|medicine|medicines|medicinal|food|latex|environmental|contact|other)"
_HEAD = (
    rf"(?:(?:known|current|documented|reported|patient|any|{_KINDS})(?:\s*[/&]\s*|\s+and\s+|\s+))*"
    r"(?:allerg(?:y|ies|ens?)|adverse (?:drug )?reactions?|drug sensitivit(?:y|ies)|(?:drug )?intolerances?|hypersensitivit(?:y|ies))"
    r"(?:\s*(?:/|&|and)\s*(?:adverse (?:drug )?reactions?|intolerances?|(?:hyper)?sensitivit(?:y|ies)|allergies))*"
    r"(?: (?:status|history|list|information|alerts?))?"
)
_HEADED = re.compile(rf"\b{_HEAD}(?:\s*[:?=]|\s+[-–—](?=\s))\s*[-–—•]?\s*", re.IGNORECASE)
_HEADS_LINE = re.compile(rf"^\W*{_HEAD}\s*[:\-–—]?\s*", re.IGNORECASE)
_TO = re.compile(
    r"\b(?P<how>allergic|allerg(?:y|ies)|intoleran(?:t|ce)|hypersensitiv(?:e|ity)|anaphyla(?:xis|ctic)|"
    r"(?:allergic |adverse |anaphylactic |severe |bad )reactions?)(?: reactions?)? (?:to|of)\s+(?:the following\s*:?\s*)?",
    re.IGNORECASE,
)
_OF = re.compile(r"[ -](?:allerg(?:y|ies|ic)|intoleran(?:t|ce)|hypersensitivity)\b", re.IGNORECASE)
_NOT_OF = re.compile(
    r"\s+(?:clinic|test\w*|referral|challenge|de-?label\w*|assessment|rhinitis|reactions?|conjunctivitis|dermatitis|asthma|"
    r"contact|eczema|symptoms?|disease|to\b|season|shots?|service)",
    re.IGNORECASE,
)
_NONE = re.compile(
    r"\b(?:no|nil|without|denies|denied|denying|(?:not|never) (?:have|had)|non)(?: (?:any|known|current|documented|reported|"
    rf"recorded|(?:past |previous )?history of|significant|relevant|or|and|{_KINDS},?))*[ -]+(?:allerg(?:y|ies)|"
    r"drug sensitivities|adverse drug reactions|intolerances)\b(?: known| to (?:any |all )?(?:medications?|medicines?|drugs?|anything|"
    r"foods?|latex)(?:(?:,| or| and)* (?:medications?|medicines?|drugs?|foods?|latex))*)?|\b(?:NKD?A|NKAD)\b|"
    r"\bnot (?:known to be )?allergic to (?:anything|any (?:medications?|medicines?|drugs?))",
    re.IGNORECASE,
)
_ONE_KIND = re.compile(r"\b(?:latex|food|environmental|contact)\b", re.IGNORECASE)
_ALL_KINDS = re.compile(r"\b(?:known|drugs?|medic\w+|any)\b", re.IGNORECASE)
_EXCEPT = re.compile(
    r"\s*(?:apart from|except(?: for)?|other than|besides|aside from|but (?:to|for))\s+", re.IGNORECASE
)
_NONE_VALUE = re.compile(
    r"^(?:none(?: known| reported| recorded)?|nil(?: known| of note)?|no(?: known)?(?: \w+){0,2}|nkd?a|nkad|denies(?: any)?|denied|"
    r"0|nothing known)\s*(?=$|[.,;()])",
    re.IGNORECASE,
)
_UNSURE = re.compile(
    r"(?:\b(?:possibl[ey]|probabl[ey]|suspected|query|questionable|presumed|may be|might be)\W+(?:\w+\W+){0,3}|\?\s?)$",
    re.IGNORECASE,
)
_A_RELATIVE = re.compile(
    r"\b(?:mother|father|parents?|sisters?|brothers?|siblings?|twin|aunt|uncle|sons?|daughters?|child(?:ren)?|wife|husband|partner|"
    r"cousin|grand(?:mother|father|parents?))(?:['’]s)?\W+(?:(?:is|was|are|has|had|have|also|both|severely|known to be|an?)\W+)*$",
    re.IGNORECASE,
)
_OTHER_HEADING = re.compile(r"(?:^|\s)[A-Z][A-Za-z]+(?: [A-Za-z]+){0,3}:\s")


def find(lines: Sequence[str]) -> tuple[AllergyStatement, ...]:
    """Every statement in the lines of one page, in reading order, no two about the same words."""
    found: list[AllergyStatement] = []
    number = 0
    while number < len(lines):
        used, said = _in_line(lines, number)
        found += sorted(said, key=lambda one: (one.line, one.start))
        number += used
    return tuple(found)


def _in_line(lines: Sequence[str], number: int) -> tuple[int, list[AllergyStatement]]:
    """How many lines were read, and what they state."""
    text = lines[number]
    alone = _HEADS_LINE.match(text)
    if alone and alone.end() == len(text) and re.search(r"allerg|intoleran|sensitiv|reaction", text, re.IGNORECASE):
        return _listed_below(lines, number)
    found: list[AllergyStatement] = []
    taken = [False] * (len(text) + 1)

    def add(statements: Iterator[AllergyStatement]) -> None:
        for one in statements:
            if not any(taken[one.start : one.end]):
                taken[one.start : one.end] = [True] * (one.end - one.start)
                found.append(one)

    add(_denials(text, number))
    for match in _HEADED.finditer(text):
        if not taken[match.start()]:
            add(_headed(text, match.end(), number))
    meant = _Meaning(text)
    for match in _TO.finditer(text):
        if not taken[match.start()]:
            add(_to(text, match, number, meant))
    for match in _OF.finditer(text):
        if not taken[match.start()] and not _NOT_OF.match(text, match.end()):
            add(_of(text, match, number, meant))
    if alone and not found:
        add(_known_only(text, alone.end(), number))
    used = 1
    while found and found[-1].line == number + used - 1 and _goes_on(lines, number + used - 1, found[-1]):
        line = number + used
        more = list(_items(lines[line], 0, len(lines[line]), line, unknown=False))
        if not more:
            break
        found += more
        used += 1
    return used, found


class _Meaning:
    """How a line means its words, worked out when first asked."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._stances: Sequence[Stance] | None = None

    def note_at(self, place: int) -> str | None:
        """None where what is said at a character is no statement about the patient; else what to add to it."""
        if self._stances is None:
            self._stances = stances(self._text.split(" "))
        stance = self._stances[self._text.count(" ", 0, place)]
        if stance in (Stance.DENIED, Stance.FAMILY):
            return None
        if _A_RELATIVE.search(self._text[:place]):
            return None
        unsure = _UNSURE.search(self._text[: place + 1])
        if stance is Stance.POSSIBLE and not unsure:
            return None  # "if allergic to ...", "may cause an allergic reaction to ..."
        return "uncertain on the page" if unsure else ""


def _denials(text: str, number: int) -> Iterator[AllergyStatement]:
    for match in _NONE.finditer(text):
        if _ONE_KIND.search(match.group()) and not _ALL_KINDS.search(match.group()):
            continue
        if re.match(r"\s+to\s+\w", text[match.end() :]) or _relative_owns(text, match.start()):
            continue
        if other := _EXCEPT.match(text, match.end()):
            yield from _items(text, other.end(), _sentence_end(text, other.end()), number)
        elif not re.match(r"\s+(?:clinic|test\w*|letter|referral)\b", text[match.end() :]):
            yield AllergyStatement(number, match.start(), match.end(), "")


def _relative_owns(text: str, place: int) -> bool:
    words = text.split(" ")
    return stances(words)[text.count(" ", 0, place)] is Stance.FAMILY


def _headed(text: str, start: int, number: int) -> Iterator[AllergyStatement]:
    if none := _NONE_VALUE.match(text[start:]):
        yield AllergyStatement(number, start, start + none.end(), "")
        return
    end = _sentence_end(text, start)
    if other := _OTHER_HEADING.search(text, start, end):
        end = other.start()
    yield from _items(text, start, end, number)


def _to(text: str, match: re.Match[str], number: int, meant: _Meaning) -> Iterator[AllergyStatement]:
    note = meant.note_at(match.start())
    if note is None:
        return
    sure = match["how"].lower().startswith("allerg") and "reaction" not in match["how"].lower()
    for one in _items(text, match.end(), _sentence_end(text, match.end()), number, unknown=sure):
        yield _with_note(one, note)


def _of(text: str, match: re.Match[str], number: int, meant: _Meaning) -> Iterator[AllergyStatement]:
    """The substances before "allergy": the known names right before it, and those joined to them."""
    note = meant.note_at(match.start())
    end = match.start()
    while note is not None and end > 0:
        start = _known_before(text, end)
        if start is None:
            return
        yield AllergyStatement(number, start, end, text[start:end].strip(" ,"), note)
        joint = re.search(r"\s*(?:,\s*(?:and\s+)?|\s(?:and|or|&)\s|/)\s*$", text[:start])
        if not joint:
            return
        end = joint.start()


def _known_before(text: str, end: int) -> int | None:
    """Where the longest known name of up to three words begins that ends at `end`."""
    starts = [0, *(match.end() for match in re.finditer(r"[\s(/,]", text[:end]))][-3:]
    return next((start for start in starts if is_known(text[start:end])), None)


def _known_only(text: str, start: int, number: int) -> Iterator[AllergyStatement]:
    """What stands beside a heading without a mark, as in a form: only what is known for sure."""
    if none := _NONE_VALUE.match(text[start:]):
        yield AllergyStatement(number, start, start + none.end(), "")
        return
    yield from _items(text, start, _sentence_end(text, start), number, unknown=False)


def _listed_below(lines: Sequence[str], number: int) -> tuple[int, list[AllergyStatement]]:
    found: list[AllergyStatement] = []
    line = number + 1
    while line < min(len(lines), number + 1 + LIST_LINES):
        text = lines[line]
        start = len(text) - len(re.sub(r"^[\W\d]*", "", text))
        if len(text) > LONG_LINE or re.match(r"^[A-Z][\w /&]*:", text) or (text.isupper() and not is_known(text)):
            break
        if none := (_NONE_VALUE.match(text[start:]) or _NONE.match(text[start:])):
            found.append(AllergyStatement(line, start, start + none.end(), ""))
        else:
            bullet = bool(re.match(r"^\s*[-–—•*·]\s|^\s*\d[.)]\s", text)) or bool(_REACTION.search(text))
            items = list(_items(text, start, len(text), line, unknown=bullet))
            heads = not found and all(word.lower() in _TABLE_HEADS for word in text.split())
            if not items and not heads:
                break
            found += items
        line += 1
    return line - number, found


_TABLE_HEADS = frozenset(
    "allergen allergens substance agent drug reaction reactions severity date type noted and / status".split()
)


def _items(text: str, start: int, end: int, number: int, unknown: bool = True) -> Iterator[AllergyStatement]:
    """The substances of a list in text[start:end]. `unknown`: also such as no list of names knows."""
    masked = re.sub(r"[(\[][^)\]]*[)\]]?", lambda found: "\0" * len(found.group()), text[start:end])
    place = 0
    for piece_start, piece_end in _pieces(masked):
        piece = text[start + piece_start : start + piece_end]
        if place and not piece.strip(" -"):
            continue
        place += 1
        lead = len(piece) - len(piece.lstrip(" -–—•*\"'"))
        while trimmed := _TRIM_FRONT.match(piece[lead:]):
            lead += trimmed.end()
        cut = _REACTION.search(piece, lead + 1)
        core_end = cut.start() if cut else len(piece)
        reaction = piece[core_end:].strip(" ()[]-–—:=→>,.") if cut else ""
        core = piece[lead:core_end].rstrip(" .,;:!\"'")
        core = re.sub(r"\s+(?:allerg(?:y|ies|ic)|intolerance|hypersensitivity)$", "", core, flags=re.IGNORECASE)
        core = re.sub(r"\s+(?:\d.*|drug)$", "", core)
        words = core.lower().split()
        if not words or all(word.strip(".,") in _REACTIONS for word in words):
            if not words and place > 1:
                return
            continue
        known = _known_start(core)
        if not known:
            if (
                not unknown
                or words[0] in _ENDS_LIST
                or _NO_SUBSTANCE.match(core)
                or len(words) > (UNKNOWN_WORDS if place == 1 else 3)
                or re.search(r"\d", core)
                or len(core) < 3
                or CONDITION.search(core)
            ):
                return
            known = core
        elif re.match(r"\s*\d", core[len(known) :]) or re.match(r"\s+\d", piece[lead + len(core) :]):
            return  # a medicine with its dose begins another list
        begin = start + piece_start + lead
        kept = "" if re.fullmatch(r"(?:19|20)\d\d", reaction) else reaction
        note = f"reaction: {_shortened(kept)}" if kept and _is_reaction(kept) else ""
        yield AllergyStatement(number, begin, begin + len(known), known, note)
        rest = core[len(known) :].lower().split()
        if any(word in _ENDS_LIST for word in rest) or (
            cut and re.search(r"\b(?:and|but) (?:takes?|has|is|was)\b", reaction)
        ):
            return


def _pieces(masked: str) -> Iterator[tuple[int, int]]:
    start = 0
    for joint in _SEPARATOR.finditer(masked):
        yield start, joint.start()
        start = joint.end()
    yield start, len(masked)


def _known_start(core: str) -> str:
    """The longest known name that `core` begins with; "" where there is none."""
    words = core.split()
    for length in range(min(5, len(words)), 0, -1):
        name = " ".join(words[:length])
        if core.startswith(name) and is_known(name):
            return name.rstrip(" .,;:")
    return ""


def is_known(name: str) -> bool:
    """Whether this is a medicine, or an allergen alone or with words that go with it."""
    plain = name.strip(" .,;:()*\"'").lower()
    if not plain or plain in _COMPANIONS or plain in _REACTIONS:
        return False
    if drug_names.ingredient(plain) or (plain.endswith("s") and drug_names.ingredient(plain[:-1])):
        return True
    words = plain.replace("-", " ").split()
    if plain in ALLERGENS:
        return True
    return any(word in ALLERGENS for word in words) and all(word in ALLERGENS or word in _COMPANIONS for word in words)


def _is_reaction(text: str) -> bool:
    words = re.findall(r"[\w-]+", text.lower())
    return bool(words) and any(word in _REACTIONS for word in words)


def _shortened(reaction: str) -> str:
    return re.sub(
        r"^(?:which |that )?(?:causes?|causing|caused|gives|gave|giving|with|leading to|led to|reaction:?)\s+",
        "",
        reaction,
    )[:60]


def _goes_on(lines: Sequence[str], number: int, last: AllergyStatement) -> bool:
    """Whether a list plainly goes on in the next line: this one ends with a comma or "and"."""
    text = lines[number].rstrip()
    follows = number + 1 < len(lines) and lines[number + 1].strip()
    return (
        bool(follows)
        and not last.denied
        and re.search(r"(?:,|;|&|\band|\bor)$", text[last.end - 1 :], re.IGNORECASE) is not None
    )


def _sentence_end(text: str, start: int) -> int:
    found = re.compile(r"(?<=[\w)])[.!](?:\s|$)").search(text, start)
    return found.start() if found else len(text)


def _with_note(one: AllergyStatement, note: str) -> AllergyStatement:
    joined = "; ".join(part for part in (one.note, note) if part)
    return AllergyStatement(one.line, one.start, one.end, one.substance, joined)
