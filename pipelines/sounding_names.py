"""Words that sound like the name of a medicine: runs of one to five are compared with names, by sound and by letters.

A recogniser that does not know a medicine writes what sounds alike: "listen up all" for lisinopril. The sound key is
coarse (after Philips, Metaphone, 1990, with voiced and unvoiced consonants merged, because recognisers swap them). How
alike they must be depends on what stands around: a dose, words such as "take", words nobody says in a visit.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

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
UNITS = frozenset(
    "mg mgs milligram milligrams mcg microgram micrograms g gram grams ml milliliter milliliters millilitre "
    "millilitres unit units iu meq percent % puff puffs tablet tablets pill pills capsule capsules drop drops spray "
    "sprays teaspoon teaspoons patch patches dose doses".split()
)
VERBS = frozenset(
    "take takes taking took taken start starts starting started stop stopping stopped prescribe prescribed prescribing "
    "refill refilled dose dosage increase increased decrease decreased continue continuing tablet tablets pill pills "
    "medication medications medicine medicines prescription inhaler antibiotic".split()
)
STRONG = frozenset("mg mgs milligram milligrams mcg microgram micrograms".split())
_FORMS = frozenset(
    "tablet tablets pill pills capsule capsules inhaler puff puffs spray nasal cream ointment patch injection "
    "syrup".split()
)
_OFTEN = frozenset("once twice daily nightly bedtime".split())
NUMBER_WORDS = frozenset(
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    " seventeen eighteen nineteen twenty thirty forty fifty sixty seventy "
    "eighty ninety hundred thousand half".split()
)
NEVER_IN_NAMES = (UNITS | VERBS | _OFTEN | NUMBER_WORDS) - {"dose", "half"}
NUMBER = re.compile(r"^(\d[\d,]*(?:\.\d+)?)(mg|mcg|g|ml)?$")
_TITLES = frozenset("mr mrs ms miss dr doctor".split())
SENTENCE_ENDS, _PARTS_END = frozenset(".?!"), frozenset(",;:")
_SIGNS = re.compile(r"['-]")
EDGES = re.compile(r"^[^\w%]+|[^\w%]+$")


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
    (r"th|d", "t"), (r"[bvf]", "p"), (r"(?<=[a-z])e$", ""), (r"[aeiouywh]+", "a"),
)  # fmt: skip


def own_names(medications: Iterable[str]) -> Iterable[str]:
    """Names in entries such as "Lisinopril 20 mg daily"; of an unknown medicine the words before its dose."""
    for entry in medications:
        words = entry.lower().split()
        mentions = drug_names.find_drugs(words)
        for one in mentions:
            yield EDGES.sub("", " ".join(words[one.start : one.end]))
        if not mentions:
            name = re.split(r"\s*\d", " ".join(words))[0].strip(" ,;")
            if len(name) > 3:
                yield name


def lexicon_lines(file: str) -> list[str]:
    return [line for line in (LEXICON / file).read_text("utf-8").splitlines() if line and not line.startswith("#")]


@functools.cache
def common_names() -> tuple[str, ...]:
    """Names of medicines that are common in visits, lower case, four letters and more."""
    names = [name.strip().lower() for line in lexicon_lines("drugs.txt") for name in re.split(r"[;|]", line)]
    names += [line.strip().lower() for line in lexicon_lines("more_drugs.txt")]
    names += [name.lower() for group in prescription_drugs.classes().values() for name in sorted(group)]
    names += prescription_drugs.daily_maxima()
    plain = (name for name in names if len(name) > 4 and name not in _spoken())
    return tuple(dict.fromkeys(name for name in plain if name not in drug_names.NOT_MEDICINES))


@functools.cache
def _spoken() -> frozenset[str]:
    return frozenset(word for line in lexicon_lines("spoken_words.txt") for word in line.split())


@functools.cache
def _ordinary() -> frozenset[str]:
    """Words people say in a visit."""
    clinical = {word for line in lexicon_lines("lay_clinical.txt") for word in re.findall(r"[a-z']+", line.lower())}
    return _spoken() | clinical


def _is_ordinary(word: str) -> bool:
    known = _ordinary()
    if "-" in word:  # recognisers write what they do not know as two: "low-ipine"
        return all(map(_is_ordinary, filter(None, word.split("-"))))
    if word in known or not word.isalpha():
        return True
    return any(word.endswith(end) and word[: -len(end)] in known for end in ("s", "es", "ed", "d", "ing", "ly", "er"))


def is_number(word: str) -> bool:
    return bool(NUMBER.match(word)) or word in NUMBER_WORDS


def _eased(plain: Sequence[str], start: int, end: int) -> float:
    """How much what stands around lowers the bar: a strength after the words, or a word such as "take" before them."""
    after, before = plain[end : end + NEAR], plain[max(0, start - 3) : start]
    strength = any(word in STRONG or re.fullmatch(r"[\d.,]+(mg|mcg)", word) for word in after)
    often = any(word in _OFTEN for word in after[:3]) or " ".join(after[:3]).endswith("a day")
    number = bool(after) and (is_number(after[0]) and after[0] != "one")
    form = any(word in _FORMS for word in after[:2])
    if strength:
        return STRENGTH_EASES
    return CONTEXT_EASES if often or number or form or any(word in VERBS for word in before) else 0.0


@dataclass(frozen=True, slots=True)
class Run:
    start: int
    end: int
    letters: str
    bar: float
    free: bool  # nothing around speaks of a medicine: compared with the patient's own list only
    strange: bool = False  # one word that nobody says in a visit


def could_be_named(word: str) -> bool:
    """Whether a word can be part of a medicine's name: no number, no unit, no word such as "take"."""
    return bool(word) and _SIGNS.sub("", word).isalpha() and word not in NEVER_IN_NAMES


def whole_names(plain: Sequence[str], mentions: Sequence[drug_names.DrugMention]) -> set[int]:
    """Places of names that stand for themselves; a short uncommon one may be the end of a common ("sir trilene")."""
    common = set(common_names())
    places: set[int] = set()
    for one in mentions:
        text = " ".join(plain[one.start : one.end])
        if text in common or one.ingredient in common or len(text) > LONG_NAME:
            places.update(range(one.start, one.end))
    return places


def runs_of(plain: Sequence[str], sure: Sequence[float], named: set[int], stops: Sequence[str]) -> Iterable[Run]:
    """Runs that may be a name. None goes over the end of a sentence or holds a person's name, which follows a title."""
    strange = [not _is_ordinary(word) for word in plain]
    for start in range(len(plain)):
        for end in range(start + 1, min(start + MOST_WORDS, len(plain)) + 1):
            words = plain[start:end]
            last = words[-1]
            if not could_be_named(last):
                break
            if (start and plain[start - 1] in _TITLES) or (end - start > 1 and stops[end - 2] in SENTENCE_ENDS):
                break
            if named.issuperset(range(start, end)):
                continue
            letters = letters_of("".join(words))
            if not 5 <= len(letters) <= 24:
                continue
            eased, odd = _eased(plain, start, end), any(strange[start:end])
            within = [at for at in range(start, end) if at in named]
            # A name within is right as it stands, but for a short one that begins a longer ("cipro flocks a sin").
            begins = within == [start] and len(plain[start]) <= SHORT_NAME and eased >= STRENGTH_EASES
            single = end - start == 1 and "-" not in last  # "low-sorting" counts as two words
            if (single and not odd) or (within and not (begins and end - start > 2)):
                continue
            bar = ALIKE_STRANGE if odd else ALIKE_ORDINARY
            bar += COMMA_COSTS * any(stops[at] in _PARTS_END for at in range(start, end - 1))
            bar -= eased + UNSURE_EASES * (min(sure[start:end]) < LOW_CONFIDENCE)
            yield Run(start, end, letters, bar, not (eased or odd), odd and end - start == 1)


def likeness(runs: Sequence[str], names: Sequence[str]) -> np.ndarray:
    """(runs, names), 0 to 1."""
    sounds = _alike([sound_key(run) for run in runs], [_key(name) for name in names])
    letters = _alike(runs, [letters_of(name) for name in names])
    starts = np.array([sound_key(run)[:1] for run in runs])[:, None] != np.array([_key(name)[:1] for name in names])
    short = np.array([len(letters_of(name)) <= SHORT_NAME for name in names])
    alike = SOUND_SHARE * sounds + (1 - SOUND_SHARE) * letters
    return alike - OTHER_START_COSTS * starts - SHORT_COSTS * short * (alike < 1)


def _alike(queries: Sequence[str], choices: Sequence[str]) -> np.ndarray:
    return cdist(queries, choices, scorer=Levenshtein.normalized_similarity, dtype=np.float32)


@functools.lru_cache(4096)
def _key(name: str) -> str:
    return sound_key(name)


@functools.lru_cache(4096)
def letters_of(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())
