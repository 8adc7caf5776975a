"""Words of a visit that may be heard wrongly: medicines, doses, negations. Lit with suggestions, never applied.

A recogniser that does not know a medicine writes what sounds alike: "listen up all" for lisinopril. Runs of one to five
words are compared with names of medicines by a coarse sound key (after Philips, Metaphone, 1990, with voiced and
unvoiced consonants merged, because recognisers swap them) and by edit distance. How alike they must be depends on what
stands around: a dose, words such as "take", the patient's own list, words nobody says in a visit.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

from domain.speech import TimedWord, Utterance, WordDoubt
from pipelines import drug_names, prescription_drugs

LEXICON = Path(__file__).resolve().parent.parent / "models" / "lexicon"
MOST_WORDS = 5  # a long name comes apart into as many
NEAR = 5  # words to either side that make a context
LOW_CONFIDENCE = 0.5
MOST_SUGGESTIONS = 3
SOUND_SHARE = 0.7  # of a likeness; the rest is spelling
# How alike (0 to 1) a run of words must be to a medicine's name, and what lowers the bar.
ALIKE_STRANGE, ALIKE_ORDINARY = 0.80, 0.88
STRENGTH_EASES, CONTEXT_EASES = 0.20, 0.10
OWN_EASES, UNSURE_EASES = 0.10, 0.04
SHORT_NAME, SHORT_COSTS = 6, 0.08  # letters; short names are like many words
LONG_NAME = 7  # letters; longer ones are no chance find
OTHER_START_COSTS = 0.06
COMMA_COSTS = 0.08  # a name is seldom written with a comma within
CONFLICT = 0.65  # how alike a medicine heard and one on the list must be
MOST_MILLIGRAMS = 4000  # in one dose of anything

_UNITS = frozenset(
    "mg mgs milligram milligrams mcg microgram micrograms g gram grams ml milliliter milliliters millilitre "
    "millilitres unit units iu meq percent % puff puffs tablet tablets pill pills capsule capsules drop drops spray "
    "sprays teaspoon teaspoons patch patches dose doses".split()
)
_TIMES = frozenset(
    "times time daily day days week weeks month months year years hour hours minute minutes o'clock am pm a.m p.m "
    "nightly refills refill percent degrees pounds over out of to or ago more".split()
)
_VERBS = frozenset(
    "take takes taking took taken start starts starting started stop stopping stopped prescribe prescribed prescribing "
    "refill refilled dose dosage increase increased decrease decreased continue continuing tablet tablets pill pills "
    "medication medications medicine medicines prescription inhaler antibiotic".split()
)
_MILLIGRAMS = frozenset("mg mgs milligram milligrams".split())
_STRONG = frozenset("mg mgs milligram milligrams mcg microgram micrograms".split())
_FORMS = frozenset(
    "tablet tablets pill pills capsule capsules inhaler puff puffs spray nasal cream ointment patch injection "
    "syrup".split()
)
_OFTEN = frozenset("once twice daily nightly bedtime".split())
_NEGATIONS = frozenset(
    "no not none never without denies deny denied don't doesn't didn't isn't wasn't can't cannot haven't hasn't nor "
    "won't aren't weren't".split()
)
_NUMBER_WORDS = frozenset(
    "one two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty sixty seventy "
    "eighty ninety hundred thousand half".split()
)
_NEVER_IN_NAMES = (_UNITS | _VERBS | _OFTEN | _NUMBER_WORDS) - {"dose", "half"}
_NUMBER = re.compile(r"^(\d[\d,]*(?:\.\d+)?)(mg|mcg|g|ml)?$")
_TITLES = frozenset("mr mrs ms miss dr doctor".split())
_SENTENCE_ENDS, _PARTS_END = frozenset(".?!"), frozenset(",;:")
_EDGES = re.compile(r"^[^\w%]+|[^\w%]+$")


@dataclass(frozen=True, slots=True)
class LocatedDoubt:
    """A doubt about words `start` to `end` (exclusive) of the utterance `utterance_id`."""

    utterance_id: str
    start: int
    end: int
    doubt: WordDoubt


def doubts_of(utterances: Sequence[Utterance], known_medications: Sequence[str] = ()) -> tuple[WordDoubt, ...]:
    """What should be looked at in a visit, in its order. `known_medications`: names on the patient's own list."""
    return tuple(one.doubt for one in located_doubts(utterances, known_medications))


def with_doubts(utterances: Sequence[Utterance], known_medications: Sequence[str] = ()) -> tuple[Utterance, ...]:
    """The utterances with every doubtful word lit: the first of each doubtful run. Texts stay as they are."""
    found: dict[str, dict[int, WordDoubt]] = {}
    for one in located_doubts(utterances, known_medications):
        found.setdefault(one.utterance_id, {}).setdefault(one.start, one.doubt)
    return tuple(
        replace(said, words=tuple(_lit(word, found[said.id].get(at)) for at, word in enumerate(said.words)))
        if said.id in found
        else said
        for said in utterances
    )


def located_doubts(utterances: Sequence[Utterance], known_medications: Sequence[str] = ()) -> tuple[LocatedDoubt, ...]:
    """As `doubts_of`, each with its place."""
    own = tuple(dict.fromkeys(_own_names(known_medications)))
    found: list[LocatedDoubt] = []
    for said in utterances:
        words = said.words or tuple(TimedWord(text, None, None, 1.0) for text in said.text.split())
        plain = [_EDGES.sub("", word.text.replace("\u2019", "'")).lower() for word in words]
        sure = [word.confidence for word in words]
        mentions = drug_names.find_drugs(plain)
        stops = [word.text.rstrip("\"')")[-1:] for word in words]
        doubts = _misheard(plain, sure, mentions, own, stops) + _conflicts(plain, mentions, own)
        taken = {at for start, end, _ in doubts for at in range(start, end)}
        known = {at for one in mentions for at in range(one.start, one.end)} - taken
        named = sorted(known | taken)
        doubts += [one for one in _numbers(plain, sure, mentions, sorted(known)) if one[0] not in taken]
        doubts += _negations(plain, sure, named)
        found += [LocatedDoubt(said.id, *one) for one in sorted(doubts, key=lambda one: one[:2])]
    return tuple(found)


_Doubts = list[tuple[int, int, WordDoubt]]


def sound_key(text: str) -> str:
    """A name by its coarse sound: consonants that recognisers swap are one letter, a run of vowels is one "a"."""
    text = re.sub(r"[^a-z]", "", text.lower())
    for pattern, sound in _SOUNDS:
        text = re.sub(pattern, sound, text)
    return re.sub(r"(.)\1+", r"\1", text)


# In this order. "tion" is "shun"; soft c and g; x is ks; voiced and unvoiced are one; vowels, y, w, h are alike.
_SOUNDS = (
    (r"x", "ks"), (r"^ps", "s"), (r"gn", "n"), (r"st(?=en)", "s"), (r"ph", "f"), (r"gh", ""), (r"^kn", "n"),
    (r"[ts]ion", "xan"), (r"sch|sh|tch|ch", "x"),
    (r"c(?=[eiy])", "s"), (r"g(?=[eiy])", "x"), (r"j", "x"), (r"[ckqg]+", "k"), (r"z", "s"),
    (r"th|d", "t"), (r"b", "p"), (r"v", "f"), (r"(?<=[a-z])e$", ""), (r"[aeiouywh]+", "a"),
)  # fmt: skip


def _lit(word: TimedWord, doubt: WordDoubt | None) -> TimedWord:
    return replace(word, doubt=doubt) if doubt else word


def _own_names(medications: Iterable[str]) -> Iterable[str]:
    """Names in entries such as "Lisinopril 20 mg daily"; of an unknown medicine the words before its dose."""
    for entry in medications:
        words = entry.lower().split()
        mentions = drug_names.find_drugs(words)
        for one in mentions:
            yield _EDGES.sub("", " ".join(words[one.start : one.end]))
        if not mentions:
            name = re.split(r"\s*\d", " ".join(words))[0].strip(" ,;")
            if len(name) > 3:
                yield name


def _lines(file: str) -> list[str]:
    return [line for line in (LEXICON / file).read_text("utf-8").splitlines() if line and not line.startswith("#")]


@functools.cache
def _common_names() -> tuple[str, ...]:
    """Names of medicines that are common in visits, lower case, four letters and more."""
    names = [name.strip().lower() for line in _lines("drugs.txt") for name in re.split(r"[;|]", line)]
    names += [line.strip().lower() for line in _lines("more_drugs.txt")]
    names += [name.lower() for group in prescription_drugs.classes().values() for name in sorted(group)]
    names += prescription_drugs.daily_maxima()
    plain = (name for name in names if len(name) > 4 and name not in _spoken())
    return tuple(dict.fromkeys(name for name in plain if name not in drug_names.NOT_MEDICINES))


@functools.cache
def _spoken() -> frozenset[str]:
    return frozenset(word for line in _lines("spoken_words.txt") for word in line.split())


@functools.cache
def _ordinary() -> frozenset[str]:
    """Words people say in a visit."""
    clinical = {word for line in _lines("lay_clinical.txt") for word in re.findall(r"[a-z']+", line.lower())}
    return _spoken() | clinical


@functools.cache
def _symptoms() -> frozenset[str]:
    """Words that name complaints, from the lexicon; short and everyday ones left out."""
    firsts = (form for line in _lines("lay_clinical.txt") for form in line.split("|")[0].split(";"))
    return frozenset(word for form in firsts for word in form.lower().split() if len(word) > 3) - {"with", "from"}


def _is_ordinary(word: str) -> bool:
    known = _ordinary()
    if word in known or not word.isalpha():
        return True
    return any(word.endswith(end) and word[: -len(end)] in known for end in ("s", "es", "ed", "d", "ing", "ly", "er"))


def _is_number(word: str) -> bool:
    return bool(_NUMBER.match(word)) or word in _NUMBER_WORDS


def _eased(plain: Sequence[str], start: int, end: int) -> float:
    """How much what stands around lowers the bar: a strength after the words, or a word such as "take" before them."""
    after, before = plain[end : end + NEAR], plain[max(0, start - 3) : start]
    strength = any(word in _STRONG or re.fullmatch(r"[\d.,]+(mg|mcg)", word) for word in after)
    often = any(word in _OFTEN for word in after[:3]) or " ".join(after[:3]).endswith("a day")
    number = bool(after) and (_is_number(after[0]) and after[0] != "one")
    form = any(word in _FORMS for word in after[:2])
    if strength:
        return STRENGTH_EASES
    return CONTEXT_EASES if often or number or form or any(word in _VERBS for word in before) else 0.0


@dataclass(frozen=True, slots=True)
class _Run:
    start: int
    end: int
    letters: str
    bar: float
    free: bool  # nothing around speaks of a medicine: compared with the patient's own list only


def _misheard(
    plain: Sequence[str],
    sure: Sequence[float],
    mentions: Sequence[drug_names.DrugMention],
    own: Sequence[str],
    stops: Sequence[str],
) -> _Doubts:
    """Runs of words that sound like a medicine and name none, the likest first, none over another."""
    runs = list(_runs(plain, sure, _whole_names(plain, mentions), stops))
    likely = _likely([run for run in runs if not run.free], tuple(dict.fromkeys((*own, *_common_names()))), len(own))
    likely += _likely([run for run in runs if run.free], own, len(own))
    kept: _Doubts = []
    for _, run, suggestions in sorted(likely, key=lambda one: (-one[0], one[1].start, one[1].end)):
        if all(run.end <= start or run.start >= end for start, end, _ in kept):
            heard = " ".join(plain[run.start : run.end])
            reason = f'"{heard}" sounds like the name of a medicine.'
            kept.append((run.start, run.end, WordDoubt(reason, suggestions, run.end - run.start)))
    return kept


def _likely(runs: Sequence[_Run], names: Sequence[str], own: int) -> list[tuple[float, _Run, tuple[str, ...]]]:
    """Runs alike enough to one of `names`, the first `own` of which are the patient's: how much, and to which."""
    if not runs or not names:
        return []
    alike = _likeness([run.letters for run in runs], names)
    alike[:, :own] += OWN_EASES
    likely = []
    for row, run in enumerate(runs):
        best = float(alike[row].max())
        single = run.end - run.start == 1
        if best < run.bar or (single and (run.letters in names or drug_names.ingredient(run.letters))):
            continue
        order = np.argsort(-alike[row], kind="stable")[:MOST_SUGGESTIONS]
        close = (names[at] for at in order if alike[row, at] >= max(best - 0.12, run.bar - 0.08))
        likely.append((best, run, tuple(close)))
    return likely


def _whole_names(plain: Sequence[str], mentions: Sequence[drug_names.DrugMention]) -> set[int]:
    """Places of names that stand for themselves; a short uncommon one may be the end of a common ("sir trilene")."""
    common = set(_common_names())
    places: set[int] = set()
    for one in mentions:
        text = " ".join(plain[one.start : one.end])
        if text in common or one.ingredient in common or len(text) > LONG_NAME:
            places.update(range(one.start, one.end))
    return places


def _runs(plain: Sequence[str], sure: Sequence[float], named: set[int], stops: Sequence[str]) -> Iterable[_Run]:
    """Runs that may be a name. None goes over the end of a sentence or holds a person's name, which follows a title."""
    strange = [not _is_ordinary(word) for word in plain]
    for start in range(len(plain)):
        for end in range(start + 1, min(start + MOST_WORDS, len(plain)) + 1):
            words = plain[start:end]
            last = words[-1]
            if not last or not last.replace("'", "").isalpha() or last in _NEVER_IN_NAMES:
                break
            if (start and plain[start - 1] in _TITLES) or (end - start > 1 and stops[end - 2] in _SENTENCE_ENDS):
                break
            if named.issuperset(range(start, end)):
                continue
            letters = "".join(words).replace("'", "")
            if not 5 <= len(letters) <= 24:
                continue
            eased, odd = _eased(plain, start, end), any(strange[start:end])
            within = [at for at in range(start, end) if at in named]
            # A name within is right as it stands, but for a short one that begins a longer ("cipro flocks a sin").
            begins = within == [start] and len(plain[start]) <= SHORT_NAME and eased >= STRENGTH_EASES
            if (end - start == 1 and not odd) or (within and not (begins and end - start > 2)):
                continue
            bar = ALIKE_STRANGE if odd else ALIKE_ORDINARY
            bar += COMMA_COSTS * any(stops[at] in _PARTS_END for at in range(start, end - 1))
            bar -= eased + UNSURE_EASES * (min(sure[start:end]) < LOW_CONFIDENCE)
            yield _Run(start, end, letters, bar, not (eased or odd))


def _likeness(runs: Sequence[str], names: Sequence[str]) -> np.ndarray:
    """(runs, names), 0 to 1."""
    sounds = _alike([sound_key(run) for run in runs], [_key(name) for name in names])
    letters = _alike(runs, [_letters(name) for name in names])
    starts = np.array([sound_key(run)[:1] for run in runs])[:, None] != np.array([_key(name)[:1] for name in names])
    short = np.array([len(_letters(name)) <= SHORT_NAME for name in names])
    alike = SOUND_SHARE * sounds + (1 - SOUND_SHARE) * letters
    return alike - OTHER_START_COSTS * starts - SHORT_COSTS * short * (alike < 1)


def _alike(queries: Sequence[str], choices: Sequence[str]) -> np.ndarray:
    return cdist(queries, choices, scorer=Levenshtein.normalized_similarity, dtype=np.float32)


@functools.lru_cache(4096)
def _key(name: str) -> str:
    return sound_key(name)


@functools.lru_cache(4096)
def _letters(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())


def _conflicts(plain: Sequence[str], mentions: Sequence[drug_names.DrugMention], own: Sequence[str]) -> _Doubts:
    """Medicines that the patient's list does not hold, but one that sounds alike."""
    if not own:
        return []
    listed = {drug_names.ingredient(name) for name in own}
    found: _Doubts = []
    for one in mentions:
        heard = " ".join(filter(None, plain[one.start : one.end]))
        if one.ingredient in listed or heard in own:
            continue
        alike = _likeness([_letters(heard)], own)[0]
        confused = {other.lower() for _, other, _ in prescription_drugs.look_alikes().get(heard, ())}
        close = tuple(name for name, how in zip(own, alike, strict=True) if how >= CONFLICT or name in confused)
        if close:
            reason = f"{heard} was heard; the patient's own list has {', '.join(close)}, which sounds alike."
            found.append((one.start, one.end, WordDoubt(reason, close, one.end - one.start)))
    return found


def _numbers(
    plain: Sequence[str], sure: Sequence[float], mentions: Sequence[drug_names.DrugMention], named: Sequence[int]
) -> _Doubts:
    """Numbers of a dose that were heard badly, have no unit, or are more than anybody takes of that medicine."""
    found: _Doubts = []
    for at, word in enumerate(plain):
        if not _is_number(word):
            continue
        before = [place for place in named if at - NEAR <= place < at]
        number = _NUMBER.match(word)
        unit = (number and number[2]) or next((one for one in plain[at + 1 : at + 3] if one in _UNITS), "")
        if not before and unit not in _STRONG and unit not in ("tablets", "puffs", "units", "capsules"):
            continue
        value = float(number[1].replace(",", "")) if number else None
        most = _most(mentions, at)
        if unit in _MILLIGRAMS and value is not None and value > most:
            reason = f"{word} is more than is taken in a day."
        elif unit in _MILLIGRAMS and value is not None and value > 1000 and value % 50:
            reason = f"No medicine comes as {word} milligrams: two numbers may have run into one."
        elif sure[at] < LOW_CONFIDENCE and (unit or before):
            reason = "This number of a dose was heard badly."
        elif before and before[-1] >= at - 2 and number and not unit and not _counts_other(plain, at):
            reason = "A number after a medicine, without its unit."
        else:
            continue
        found.append((at, at + 1, WordDoubt(reason)))
    return found


def _counts_other(plain: Sequence[str], at: int) -> bool:
    """Whether a number is a year, or counts time or something else than a strength."""
    if re.fullmatch(r"(19|20)\d\d", plain[at]):
        return True
    return any(word in _TIMES or _is_number(word) for word in plain[at + 1 : at + 2])


def _most(mentions: Sequence[drug_names.DrugMention], at: int) -> float:
    """Milligrams: the daily maximum of the medicine named shortly before, or more than of anything."""
    before = [one for one in mentions if at - NEAR <= one.end - 1 < at]
    maximum = prescription_drugs.daily_maxima().get(before[-1].ingredient) if before else None
    return float(maximum.milligrams) if maximum else MOST_MILLIGRAMS


def _negations(plain: Sequence[str], sure: Sequence[float], named: Sequence[int]) -> _Doubts:
    """A "no" that was heard badly beside a complaint or a medicine: the opposite may have been said."""
    found: _Doubts = []
    for at, word in enumerate(plain):
        if word in _NEGATIONS and sure[at] < LOW_CONFIDENCE:
            around = range(max(0, at - NEAR), min(len(plain), at + NEAR + 1))
            if any(place in named or plain[place] in _symptoms() for place in around):
                found.append((at, at + 1, WordDoubt(f'"{word}" was heard badly, and what is said turns on it.')))
    return found
