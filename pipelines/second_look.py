"""A second look where words sound like a medicine: the recogniser compares what it wrote with the medicine's name.

A recogniser that knows few medicines writes "pritnisone" or "warpher in": its search never came upon the name. Shown
it, it may find the name likelier for the same sound. Then the name is what was heard, and stands in the transcript,
lit, with what was written at first beside it. A name that is not likelier is only suggested, by `medical_words`, and
a person applies it. Words around stay as they are: a prompt with names, which would do the same, makes Whisper drop
speech.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from domain.speech import SAMPLE_RATE_HZ, AudioClip, HeardPhrase, TimedWord, WordDoubt
from models.contracts import Transcriber
from pipelines import drug_names
from pipelines.sounding_names import EDGES, OWN_EASES, Run, common_names, likeness, own_names, runs_of, whole_names

ALIKE_COUNTS = 40.0  # between names: how much a likeness above the bar counts beside the recogniser's natural logarithm
AHEAD = 3.0  # so much the next name must lie behind, likeness counted
LOOSER = 0.10  # names so far below the bar are compared too
MOST_TRIED = 12  # names a phrase
NAMES_A_RUN = 3
MARGIN_S = 0.3  # of sound around a phrase


@dataclass(frozen=True, slots=True)
class _Tried:
    start: int
    end: int
    name: str
    above: float  # likeness above the bar


def look_again(
    phrases: Sequence[HeardPhrase], clip: AudioClip, language: str, transcriber: Transcriber, known: Sequence[str] = ()
) -> tuple[HeardPhrase, ...]:
    """The phrases of `clip` with medicines in place of what they were taken for. `known`: the patient's own."""
    own = tuple(dict.fromkeys(own_names(known)))
    seen = []
    for phrase in phrases:
        tried = _names_for(phrase.words, own)
        if tried:
            scores = transcriber.likelihoods(_sound_of(phrase, clip), language, _texts(phrase.words, tried))
            gains = [score - scores[0] for score in scores[1:]]
            phrase = replace(phrase, words=_with_names(phrase.words, _taken(tried, gains)))
        seen.append(phrase)
    return tuple(seen)


def _names_for(words: Sequence[TimedWord], own: Sequence[str]) -> list[_Tried]:
    """What is worth a comparison, the most alike first."""
    plain = [EDGES.sub("", word.text.replace("\u2019", "'")).lower() for word in words]
    sure = [word.confidence for word in words]
    stops = [word.text.rstrip("\"')")[-1:] for word in words]
    runs = list(runs_of(plain, sure, whole_names(plain, drug_names.find_drugs(plain)), stops))
    tried = [
        *_alike([run for run in runs if not run.free], tuple(dict.fromkeys((*own, *common_names()))), len(own)),
        *_alike([run for run in runs if run.free], own, len(own)),
    ]
    return sorted(tried, key=lambda one: -one.above)[:MOST_TRIED]


def _alike(runs: Sequence[Run], names: Sequence[str], own: int) -> Iterable[_Tried]:
    """`own`: so many of `names`, the first, are the patient's."""
    if not runs or not names:
        return
    alike = likeness([run.letters for run in runs], names)
    alike[:, :own] += OWN_EASES
    for row, run in enumerate(runs):
        if run.end - run.start == 1 and (run.letters in names or drug_names.ingredient(run.letters)):
            continue
        for at in np.argsort(-alike[row], kind="stable")[:NAMES_A_RUN]:
            if alike[row, at] >= run.bar - LOOSER:
                yield _Tried(run.start, run.end, names[at], float(alike[row, at]) - run.bar)


def _sound_of(phrase: HeardPhrase, clip: AudioClip) -> AudioClip:
    start = max(0.0, (phrase.words[0].start_s or 0.0) - clip.start_s - MARGIN_S)
    end = (phrase.words[-1].end_s or 0.0) - clip.start_s + MARGIN_S
    return AudioClip(clip.samples[int(start * SAMPLE_RATE_HZ) : int(end * SAMPLE_RATE_HZ)], clip.start_s + start)


def _texts(words: Sequence[TimedWord], tried: Sequence[_Tried]) -> list[str]:
    """The phrase as it was written, then with each name."""
    return [
        " ".join(word.text for word in words),
        *(" ".join(word.text for word in _with_names(words, [one])) for one in tried),
    ]


def _taken(tried: Sequence[_Tried], gains: Sequence[float]) -> list[_Tried]:
    """The best of those over each other, where it is likelier than what was written and no other name comes near.

    `gains`: how much likelier each makes the phrase, natural logarithms.
    """
    total = [gain + ALIKE_COUNTS * one.above for one, gain in zip(tried, gains, strict=True)]
    kept: list[_Tried] = []
    order = sorted(range(len(tried)), key=lambda at: -total[at])
    for at in order:
        one = tried[at]
        over = [i for i in order if i != at and tried[i].start < one.end and one.start < tried[i].end]
        others = [total[i] for i in over if not _same(tried[i].name, one.name)]
        clear = total[at] - max(others, default=-np.inf) >= AHEAD
        if gains[at] >= 0 and clear and all(one.end <= k.start or one.start >= k.end for k in kept):
            kept.append(one)
    return kept


def _same(a: str, b: str) -> bool:
    return a == b or (drug_names.ingredient(a) or a) == (drug_names.ingredient(b) or b)


def _with_names(words: Sequence[TimedWord], taken: Sequence[_Tried]) -> tuple[TimedWord, ...]:
    made = list(words)
    for one in sorted(taken, key=lambda one: -one.start):
        heard = words[one.start : one.end]
        written = EDGES.sub("", " ".join(word.text for word in heard))
        closing = heard[-1].text[len(heard[-1].text.rstrip(".,;:?!")) :]
        doubt = WordDoubt(f'Written as "{written}" at first, which sounds like {one.name}. Listen.', (written,))
        sure = min(word.confidence for word in heard)
        made[one.start : one.end] = [
            TimedWord(one.name + closing, heard[0].start_s, heard[-1].end_s, sure, doubt=doubt)
        ]
    return tuple(made)
