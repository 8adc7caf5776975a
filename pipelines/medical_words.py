"""Words of a visit that may be heard wrongly: medicines, doses, negations. Lit with suggestions, never applied.

What sounds like a medicine is told by `sounding_names`. Beside it: medicines that the patient's list does not hold but
one that sounds alike, numbers that are unlikely or were heard badly, and a "no" that was.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from domain.speech import TimedWord, Utterance, WordDoubt
from pipelines import drug_names, prescription_drugs
from pipelines.dose_conflicts import dose_conflicts, strengths_of
from pipelines.sounding_names import (
    EDGES,
    LOW_CONFIDENCE,
    MOST_SUGGESTIONS,
    NEAR,
    NUMBER,
    OWN_EASES,
    SENTENCE_ENDS,
    STRONG,
    UNITS,
    Run,
    common_names,
    could_be_named,
    is_number,
    letters_of,
    lexicon_lines,
    likeness,
    own_names,
    runs_of,
    whole_names,
)

CONFLICT = 0.65  # how alike a medicine heard and one on the list must be
MOST_MILLIGRAMS = 4000  # in one dose of anything
# Of 108 numbers heard rightly in spoken visits 13 lay below the first, of 10 wrong ones nine.
BADLY_HEARD_NUMBER, BADLY_HEARD_THERE = 0.7, 0.95
_ENDS = frozenset(".?!,;:")

_STRENGTH = re.compile(r"[\d.,]+(?:mg|mcg)")
NAMELESS = 2  # words before a dose that may be the name of what is taken
_AMID_NUMBERS = frozenset("a and point of".split())
_FILLERS = frozenset(
    "a about again all an and another are at be been both but by can do down extra for from full get go going had half "
    "has have he her high higher his i in is it just later less like little low lower maximum me more my now of off on "
    "only or other our over same she should so still that the their them then they this to total twice until up was we "
    "were with would you your it's that's let's i'm".split()
)
_SOUNDS_LIKE = {
    "for": "four",
    "to": "two",
    "too": "two",
    "free": "three",
    "tree": "three",
    "ate": "eight",
    "won": "one",
}
_COUNTED = frozenset("times mg mgs milligrams mcg micrograms puffs".split())
_SOUNDS = "sounds like the name of a medicine."  # says less than what the second look found
_TIMES = frozenset(
    "times time daily day days week weeks month months year years hour hours minute minutes o'clock am pm a.m p.m "
    "nightly refills refill percent degrees pounds over out of to or ago more".split()
)
_MILLIGRAMS = frozenset("mg mgs milligram milligrams".split())
_NEGATIONS = frozenset(
    "no not none never without denies deny denied don't doesn't didn't isn't wasn't can't cannot haven't hasn't nor "
    "won't aren't weren't".split()
)


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
    lit = {said.id: _lit_before(said.words) for said in utterances}
    for one in located_doubts(utterances, known_medications):
        at_word = found.setdefault(one.utterance_id, {})
        within = [lit[one.utterance_id][at] for at in range(one.start, one.end) if at in lit[one.utterance_id]]
        start = within[0] if within and one.doubt.suggestions else one.start  # one place is lit once
        at_word[start] = _joined(at_word[start], one.doubt) if start in at_word else one.doubt
    return tuple(
        replace(said, words=tuple(_lit(word, found[said.id].get(at)) for at, word in enumerate(said.words)))
        if said.id in found
        else said
        for said in utterances
    )


def located_doubts(utterances: Sequence[Utterance], known_medications: Sequence[str] = ()) -> tuple[LocatedDoubt, ...]:
    """As `doubts_of`, each with its place."""
    own = tuple(dict.fromkeys(own_names(known_medications)))
    strengths = strengths_of(known_medications)
    found: list[LocatedDoubt] = []
    for said in utterances:
        words = said.words or tuple(TimedWord(text, None, None, 1.0) for text in said.text.split())
        plain = [EDGES.sub("", word.text.replace("\u2019", "'")).lower() for word in words]
        sure = [word.confidence for word in words]
        mentions = drug_names.find_drugs(plain)
        stops = [word.text.rstrip("\"')")[-1:] for word in words]
        mentioned = {at for one in mentions for at in range(one.start, one.end)}
        lit = set(_lit_before(words)) - mentioned  # what the second look took for a name that it did not write
        doubts = _misheard(plain, sure, mentions, own, stops) + _conflicts(plain, mentions, own)
        taken = {at for start, end, _ in doubts for at in range(start, end)}
        doubts += _nameless_doses(plain, stops, mentioned | taken | lit)
        taken = {at for start, end, _ in doubts for at in range(start, end)} | lit
        named = sorted(mentioned | taken)
        doubts += [one for one in dose_conflicts(plain, mentions, strengths) if one[0] not in taken]
        doubts += _numbers(_Said(plain, sure, stops, said.overlap), mentions, sorted(taken))
        doubts += _sound_like_numbers(plain)
        doubts += _negations(plain, sure, named)
        found += [LocatedDoubt(said.id, *one) for one in sorted(doubts, key=lambda one: one[:2])]
    return tuple(found)


_Doubts = list[tuple[int, int, WordDoubt]]


@dataclass(frozen=True, slots=True)
class _Said:
    """An utterance's words without their signs, how sure each is, and the last character of each."""

    plain: Sequence[str]
    sure: Sequence[float]
    stops: Sequence[str]
    overlap: bool


def _lit_before(words: Sequence[TimedWord]) -> dict[int, int]:
    """Places of words that are lit already, each with the place at which that doubt begins."""
    return {
        place: at
        for at, word in enumerate(words)
        if word.doubt and word.doubt.suggestions
        for place in range(at, min(at + word.doubt.words, len(words)))
    }


def _lit(word: TimedWord, doubt: WordDoubt | None) -> TimedWord:
    if doubt and word.doubt:  # what the recogniser wrote at first is still told
        doubt = _joined(word.doubt, doubt)
    return replace(word, doubt=doubt) if doubt else word


def _joined(a: WordDoubt, b: WordDoubt) -> WordDoubt:
    both = tuple(dict.fromkeys((*a.suggestions, *b.suggestions)))
    reasons = (a.reason,) if a.suggestions and b.reason.endswith(_SOUNDS) else (a.reason, b.reason)
    return WordDoubt(" ".join(reasons), both[:MOST_SUGGESTIONS], a.words if a.suggestions else b.words)


@functools.cache
def _symptoms() -> frozenset[str]:
    """Words that name complaints, from the lexicon; short and everyday ones left out."""
    firsts = (form for line in lexicon_lines("lay_clinical.txt") for form in line.split("|")[0].split(";"))
    return frozenset(word for form in firsts for word in form.lower().split() if len(word) > 3) - {"with", "from"}


def _misheard(
    plain: Sequence[str],
    sure: Sequence[float],
    mentions: Sequence[drug_names.DrugMention],
    own: Sequence[str],
    stops: Sequence[str],
) -> _Doubts:
    """Runs of words that sound like a medicine and name none, the likest first, none over another."""
    runs = list(runs_of(plain, sure, whole_names(plain, mentions), stops))
    likely = _likely([run for run in runs if not run.free], tuple(dict.fromkeys((*own, *common_names()))), len(own))
    likely += _likely([run for run in runs if run.free], own, len(own))
    kept: _Doubts = []
    for _, run, suggestions in sorted(likely, key=lambda one: (-one[0], one[1].start, one[1].end)):
        if all(run.end <= start or run.start >= end for start, end, _ in kept):
            heard = " ".join(plain[run.start : run.end])
            reason = f'"{heard}" {_SOUNDS}'
            kept.append((run.start, run.end, WordDoubt(reason, suggestions, run.end - run.start)))
    return kept


def _likely(runs: Sequence[Run], names: Sequence[str], own: int) -> list[tuple[float, Run, tuple[str, ...]]]:
    """Runs alike enough to one of `names`, the first `own` of which are the patient's: how much, and to which."""
    if not runs or not names:
        return []
    alike = likeness([run.letters for run in runs], names)
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


def _nameless_doses(plain: Sequence[str], stops: Sequence[str], understood: set[int]) -> _Doubts:
    """The words before a strength where no medicine was understood: a name may have become ordinary words."""
    found: _Doubts = []
    for at in range(1, len(plain)):
        if plain[at] not in STRONG and not _STRENGTH.fullmatch(plain[at]):
            continue
        end = at
        while end and (is_number(plain[end - 1]) or plain[end - 1] in _AMID_NUMBERS):
            end -= 1
        if end == at and plain[at] in STRONG:
            continue  # "how many milligrams"
        start = max(0, end - NAMELESS)
        ends = [place for place in range(start, end) if stops[place] in SENTENCE_ENDS]
        start = ends[-1] + 1 if ends else start
        while start < end and (plain[start] in _FILLERS or not could_be_named(plain[start])):
            start += 1
        if start >= end or not understood.isdisjoint(range(max(0, at - 2 * NEAR), at)):
            continue
        heard = " ".join(plain[start:end])
        alike = likeness([letters_of(heard)], common_names())[0]
        names = tuple(common_names()[place] for place in np.argsort(-alike, kind="stable")[:MOST_SUGGESTIONS])
        reason = f'A dose follows "{heard}", and no medicine was understood: it may be the name of one.'
        found.append((start, end, WordDoubt(reason, names, end - start)))
    return found


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
        alike = likeness([letters_of(heard)], own)[0]
        confused = {other.lower() for _, other, _ in prescription_drugs.look_alikes().get(heard, ())}
        close = tuple(name for name, how in zip(own, alike, strict=True) if how >= CONFLICT or name in confused)
        if close:
            reason = f"{heard} was heard; the patient's own list has {', '.join(close)}, which sounds alike."
            found.append((one.start, one.end, WordDoubt(reason, close, one.end - one.start)))
    return found


def _numbers(said: _Said, mentions: Sequence[drug_names.DrugMention], misheard: Sequence[int]) -> _Doubts:
    """Numbers that were heard badly or while two spoke, that run into another or follow a name that is not understood;
    doses without a unit, or more than anybody takes. `misheard`: places of words that may be a medicine.
    """
    known = sorted({at for one in mentions for at in range(one.start, one.end)} - set(misheard))
    found: _Doubts = []
    for at, word in enumerate(said.plain):
        if at in misheard or not (is_number(word) or word[:1].isdigit()):
            continue
        reason = _dose_doubt(said.plain, at, known, mentions) or _hearing_doubt(said, at, misheard)
        if reason:
            found.append((at, at + 1, WordDoubt(reason)))
    return found


def _sound_like_numbers(plain: Sequence[str]) -> _Doubts:
    """Words that sound like a number, where a number is counted: "for times", "to puffs", "free milligrams"."""
    found: _Doubts = []
    for at, (word, counted) in enumerate(itertools.pairwise(plain)):
        name = _SOUNDS_LIKE.get(word, "")
        if name and counted in (_COUNTED if word in ("for", "to") else UNITS | _COUNTED):
            found.append((at, at + 1, WordDoubt(f'"{word}" sounds like a number, and {counted} are counted.', (name,))))
    return found


def _dose_doubt(plain: Sequence[str], at: int, known: Sequence[int], mentions: Sequence[drug_names.DrugMention]) -> str:
    """What is unlikely of a number as a dose, "" where nothing is."""
    word = plain[at]
    before = [place for place in known if at - NEAR <= place < at]
    number = NUMBER.match(word)
    unit = (number and number[2]) or next((one for one in plain[at + 1 : at + 3] if one in UNITS), "")
    if not number or (not before and unit not in STRONG and unit not in ("tablets", "puffs", "units", "capsules")):
        return ""
    value = float(number[1].replace(",", ""))
    if unit in _MILLIGRAMS and value > _most(mentions, at):
        return f"{word} is more than is taken in a day."
    if unit in _MILLIGRAMS and value > 1000 and value % 50:
        return f"No medicine comes as {word} milligrams: two numbers may have run into one."
    if re.fullmatch(r"\d+\.\d*0", number[1]):
        return f"Nobody says {word} of a dose: a word and a number may have run into one."
    if before and before[-1] >= at - 2 and not unit and not _counts_other(plain, at):
        return "A number after a medicine, without its unit."
    return ""


def _hearing_doubt(said: _Said, at: int, misheard: Sequence[int]) -> str:
    """Why a number may have been misheard, "" where nothing says so."""
    plain, word = said.plain, said.plain[at]
    counted = word != "one" or any(one in UNITS for one in plain[at + 1 : at + 2])
    if counted and said.sure[at] < BADLY_HEARD_NUMBER:
        return "This number was heard badly."
    if said.overlap and counted and said.sure[at] < BADLY_HEARD_THERE:
        return "Two people spoke at once, so that this number may be wrong."
    if word[:1].isdigit() and at and plain[at - 1][:1].isdigit() and said.stops[at - 1] not in _ENDS:
        return "Two numbers follow each other: one of them may be a word."
    if said.sure[at] < BADLY_HEARD_THERE and any(at - 2 <= place < at for place in misheard):
        return "The name before this number was not understood, so that it may be wrong too."
    return ""


def _counts_other(plain: Sequence[str], at: int) -> bool:
    """Whether a number is a year, or counts time or something else than a strength."""
    if re.fullmatch(r"(19|20)\d\d", plain[at]):
        return True
    return any(word in _TIMES or is_number(word) for word in plain[at + 1 : at + 2])


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
