"""A second look where words sound like a medicine: the phrase is heard again with names in mind, and they are compared.

A recogniser that knows few medicines writes "pritnisone" or "warpher in": its search never came upon the name. Told
names that are a little like what it wrote, it hears them where they were said (`names_in_mind`). Each is then compared,
in the place of what was written, without being told: where the recogniser finds it likelier, and likelier than names
that sound alike, it is what was heard, and stands in the transcript, lit, with what was written at first beside it. One
that is not likelier is suggested, and a person applies it. Words around stay as they are: a hearing with names in mind
leaves out speech.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from domain.speech import SAMPLE_RATE_HZ, AudioClip, HeardPhrase, TimedWord, WordDoubt
from models.contracts import Transcriber
from pipelines import drug_names
from pipelines.names_in_mind import HeardName, around, heard_names, names_to_tell
from pipelines.sounding_names import EDGES, MOST_SUGGESTIONS, SENTENCE_ENDS, letters_of, likeness, own_names

ALIKE_COUNTS = 40.0  # between names: how much a likeness counts beside the recogniser's natural logarithm
AHEAD = 3.0  # so much the next name must lie behind for one to be written, likeness counted
BEHIND = 12.0  # a name so far behind the best at its place is not suggested beside it
MAY_BE = -30.0  # so much less likely than what was written a name may be, and is suggested. True ones had up to 21 less
MARGIN_S = 0.3  # of sound around what is heard again
LONGEST_S = 20.0  # of speech that is heard again at once


@dataclass(frozen=True, slots=True)
class _Compared:
    """`gain`: how much likelier than what was written, natural logarithm; `alike`: to what was written, 0 to 1."""

    place: HeardName
    gain: float
    alike: float

    @property
    def total(self) -> float:
        """What ranks names: a name with syllables less is cheap to the recogniser, and unlike what was written."""
        return self.gain + ALIKE_COUNTS * self.alike


def look_again(
    phrases: Sequence[HeardPhrase], clip: AudioClip, language: str, transcriber: Transcriber, known: Sequence[str] = ()
) -> tuple[HeardPhrase, ...]:
    """The phrases of `clip` with medicines in place of what they were taken for, or lit where one may have been said.
    `known`: the patient's own.
    """
    own = tuple(dict.fromkeys(own_names(known)))
    seen: list[HeardPhrase] = []
    for group in _whole_sentences(phrases):
        words = [word for phrase in group for word in phrase.words]
        seen += _shared_out(_looked_at(words, clip, language, transcriber, own), group)
    return tuple(seen)


def _whole_sentences(phrases: Sequence[HeardPhrase]) -> list[list[HeardPhrase]]:
    """Phrases that go on in the next one are looked at with it: a name may lie over both."""
    groups: list[list[HeardPhrase]] = []
    for phrase in phrases:
        before = groups[-1] if groups else []
        goes_on = before and before[-1].words[-1].text[-1:] not in SENTENCE_ENDS
        if goes_on and (phrase.words[-1].end_s or 0.0) - (before[0].words[0].start_s or 0.0) <= LONGEST_S:
            before.append(phrase)
        else:
            groups.append([phrase])
    return groups


def _shared_out(words: Sequence[TimedWord], group: Sequence[HeardPhrase]) -> list[HeardPhrase]:
    """The phrases again, each with its words; a name over two goes to the first."""
    starts = [phrase.words[0].start_s or 0.0 for phrase in group[1:]]
    parts: list[list[TimedWord]] = [[] for _ in group]
    for word in words:
        parts[bisect_right(starts, word.start_s or 0.0)].append(word)
    return [replace(phrase, words=tuple(part)) for phrase, part in zip(group, parts, strict=True) if part]


def _looked_at(
    words: Sequence[TimedWord], clip: AudioClip, language: str, transcriber: Transcriber, own: Sequence[str]
) -> Sequence[TimedWord]:
    told = names_to_tell(words, own)
    if not told:
        return words
    sound = _sound_of(words, clip)
    found = heard_names(words, transcriber.hypotheses(sound, language, told), own)
    if not found:
        return words

    def compare(places: Sequence[HeardName]) -> list[_Compared]:
        texts = [_text(words), *(_text(_with_names(words, [one])) for one in places)]
        written, *others = transcriber.likelihoods(sound, language, texts)
        return [_Compared(one, other - written, _alike(words, one)) for one, other in zip(places, others, strict=True)]

    compared = sorted(compare(found), key=lambda one: -one.total)
    best = [one.place for at, one in enumerate(compared) if not any(_over(one.place, o.place) for o in compared[:at])]
    rivals = [one for place in best for one in around(words, place) if one not in found]
    if rivals:
        compared = sorted([*compared, *compare(rivals)], key=lambda one: -one.total)
    taken = _taken(compared)
    lit = _with_suggestions(words, [one for one in compared if not any(_over(one.place, t) for t in taken)])
    return _with_names(lit, taken)


def _alike(words: Sequence[TimedWord], place: HeardName) -> float:
    written = letters_of(_text(words[place.start : place.end]).lower())
    return float(likeness([written], [place.name])[0, 0])


def _sound_of(words: Sequence[TimedWord], clip: AudioClip) -> AudioClip:
    start = max(0.0, (words[0].start_s or 0.0) - clip.start_s - MARGIN_S)
    end = (words[-1].end_s or 0.0) - clip.start_s + MARGIN_S
    return AudioClip(clip.samples[int(start * SAMPLE_RATE_HZ) : int(end * SAMPLE_RATE_HZ)], clip.start_s + start)


def _text(words: Sequence[TimedWord]) -> str:
    return " ".join(word.text for word in words)


def _taken(compared: Sequence[_Compared]) -> list[HeardName]:
    """The best of those over each other, where it is likelier than what was written and no other name comes near.
    `compared`: the best first.
    """
    kept: list[HeardName] = []
    for one in compared:
        others = [
            other.total
            for other in compared
            if _over(one.place, other.place) and not _same(one.place.name, other.place.name)
        ]
        clear = one.total - max(others, default=-np.inf) >= AHEAD
        if one.gain >= 0 and clear and not any(_over(one.place, taken) for taken in kept):
            kept.append(one.place)
    return kept


def _over(a: HeardName, b: HeardName) -> bool:
    return a.start < b.end and b.start < a.end


def _same(a: str, b: str) -> bool:
    return a == b or (drug_names.ingredient(a) or a) == (drug_names.ingredient(b) or b)


def _with_suggestions(words: Sequence[TimedWord], compared: Sequence[_Compared]) -> tuple[TimedWord, ...]:
    """The words, lit where they may be one of the names; names over each other stand at the place of the likeliest."""
    places: dict[HeardName, list[str]] = {}
    totals: dict[HeardName, float] = {}
    for one in compared:
        lit = next((place for place in places if _over(place, one.place)), one.place)
        if one.gain >= MAY_BE and one.total >= totals.get(lit, one.total) - BEHIND:
            totals.setdefault(lit, one.total)
            places.setdefault(lit, []).append(one.place.name)
    made = list(words)
    for place, names in places.items():
        written = EDGES.sub("", _text(words[place.start : place.end]))
        suggested = tuple(dict.fromkeys(names))[:MOST_SUGGESTIONS]
        reason = f'"{written}" may be the name of a medicine: heard again, it sounds like {suggested[0]}.'
        doubt = WordDoubt(reason, suggested, place.end - place.start)
        made[place.start] = replace(words[place.start], doubt=doubt)
    return tuple(made)


def _with_names(words: Sequence[TimedWord], taken: Sequence[HeardName]) -> tuple[TimedWord, ...]:
    made = list(words)
    for one in sorted(taken, key=lambda one: -one.start):
        heard = words[one.start : one.end]
        written = EDGES.sub("", _text(heard))
        closing = heard[-1].text[len(heard[-1].text.rstrip(".,;:?!")) :]
        doubt = WordDoubt(f'Written as "{written}" at first, which sounds like {one.name}. Listen.', (written,))
        sure = min(word.confidence for word in heard)
        made[one.start : one.end] = [
            TimedWord(one.name + closing, heard[0].start_s, heard[-1].end_s, sure, doubt=doubt)
        ]
    return tuple(made)
