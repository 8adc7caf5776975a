"""What a phrase may be when it is heard again with names of medicines in mind.

Whisper follows what it is told went before (Radford et al. 2022, section 2.3): told names, it hears them where they are
said, and where they are not it mostly hears what it heard. It also leaves words out then, so that nothing of this
second hearing is kept but where in the first one a name may belong. Told are names a little like what was written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz.distance import Levenshtein
from rapidfuzz.fuzz import partial_ratio
from rapidfuzz.process import cdist

from domain.speech import TimedWord
from pipelines import drug_names
from pipelines.sounding_names import (
    EDGES,
    OWN_EASES,
    SENTENCE_ENDS,
    common_names,
    could_be_named,
    letters_of,
    likeness,
    runs_of,
    sound_key,
    whole_names,
)

MOST_NAMES, MOST_PARTLY = 40, 8
PARTLY = 75.0  # of 100, how like a strange word must be to a part of a name
FAR = 0.22  # so far below the bar of its run the likest name may be; else nothing in the phrase is like any
WRITTEN_LIKE = 0.86  # how alike to a name what is written the second time must be: names come out misspelt
LONGEST_RUN = 5
MUCH_LONGER = 1.8  # than a name, what was written for it is not
RIVALS, SAME_ENDING = 2, 4  # names that a name is compared with; letters
RATHER_LIKE = 0.5
BADLY_HEARD = 0.35  # confidence


@dataclass(frozen=True, slots=True)
class HeardName:
    """Words `start` to `end` (exclusive) of the first hearing may be `name`."""

    start: int
    end: int
    name: str


def names_to_tell(words: Sequence[TimedWord], own: Sequence[str]) -> tuple[str, ...]:
    """The names most like what is written, the likest first; none where nothing in the phrase is like any and every
    word of it was heard well.
    """
    plain, sure = plain_words(words), [word.confidence for word in words]
    names = tuple(dict.fromkeys((*own, *common_names())))
    runs = list(runs_of(plain, sure, whole_names(plain, drug_names.find_drugs(plain)), _stops(words)))
    if not runs or not names:
        return ()
    alike = likeness([run.letters for run in runs], names)
    alike[:, : len(own)] += OWN_EASES
    above = alike - np.array([run.bar for run in runs])[:, None]
    free = np.array([run.free for run in runs])
    unsure = any(len(word) > 3 and one < BADLY_HEARD for word, one in zip(plain, sure, strict=True))
    speaks = max(above[~free].max(initial=-1.0), above[:, : len(own)].max(initial=-1.0))
    if speaks < -FAR and not unsure:
        return ()
    likest = [names[at] for at in np.argsort(-above.max(axis=0), kind="stable")[:MOST_NAMES]]
    return tuple(dict.fromkeys((*likest, *_partly_like([run.letters for run in runs if run.strange], names))))


def _partly_like(words: Sequence[str], names: Sequence[str]) -> list[str]:
    """Names of which a strange word may be a part, the rest having become other words: "tape or nisolome"."""
    if not words:
        return []
    keys = [sound_key(word) for word in words]
    alike = cdist(keys, [sound_key(name) for name in names], scorer=partial_ratio, score_cutoff=PARTLY)
    best = alike.max(axis=0)
    return [names[at] for at in np.argsort(-best, kind="stable")[:MOST_PARTLY] if best[at] > 0]


def heard_names(words: Sequence[TimedWord], texts: Sequence[str], own: Sequence[str]) -> tuple[HeardName, ...]:
    """Names that stand in `texts`, what the phrase may be, where the phrase itself has none."""
    plain, stops = plain_words(words), _stops(words)
    named = {at for one in drug_names.find_drugs(plain) for at in range(one.start, one.end)}
    found = (one for text in texts for one in _in_text(plain, stops, text.lower().replace("\u2019", "'"), own))
    return tuple(dict.fromkeys(one for one in found if named.isdisjoint(range(one.start, one.end))))


def plain_words(words: Sequence[TimedWord]) -> list[str]:
    """Lower case, without the signs around them."""
    return [EDGES.sub("", word.text.replace("\u2019", "'")).lower() for word in words]


def _in_text(plain: Sequence[str], stops: Sequence[str], text: str, own: Sequence[str]) -> Iterable[HeardName]:
    other = [EDGES.sub("", word) for word in text.split()]
    names = _names_of(other, own)
    for i, j, k, m in _differing(plain, other):
        for start, end, name in names:
            if start >= k and end <= m:
                run = _run_for(plain, stops, (i, j), name, start == k and end == m)
                if run:
                    yield HeardName(*run, name)


def _names_of(words: Sequence[str], own: Sequence[str]) -> list[tuple[int, int, str]]:
    """(start, end, name) of what is a name or nearly one."""
    found = [(one.start, one.end, " ".join(words[one.start : one.end])) for one in drug_names.find_drugs(words)]
    taken = {at for start, end, _ in found for at in range(start, end)}
    known = tuple(dict.fromkeys((*own, *common_names())))
    for at, word in enumerate(words):
        if at not in taken and len(letters_of(word)) > 4 and word.isalpha():
            alike = likeness([word], known)[0]
            best = int(alike.argmax())
            if alike[best] >= WRITTEN_LIKE:
                found.append((at, at + 1, known[best]))
    return sorted(found)


def _differing(a: Sequence[str], b: Sequence[str]) -> Iterable[tuple[int, int, int, int]]:
    """Stretches of `a` and `b` that differ: start and end in either."""
    open_: list[int] | None = None
    for step in Levenshtein.opcodes(a, b):
        if step.tag == "equal":
            if open_:
                yield open_[0], open_[1], open_[2], open_[3]
            open_ = None
        elif open_:
            open_[1], open_[3] = step.src_end, step.dest_end
        else:
            open_ = [step.src_start, step.src_end, step.dest_start, step.dest_end]
    if open_:
        yield open_[0], open_[1], open_[2], open_[3]


def _run_for(
    plain: Sequence[str], stops: Sequence[str], within: tuple[int, int], name: str, whole: bool
) -> tuple[int, int] | None:
    """Which words of a stretch the name stands for: all where it is all that is heard there, else the likest."""
    start, end = within
    runs = [
        (i, j)
        for i in range(start, end)
        for j in range(i + 1, min(end, i + LONGEST_RUN) + 1)
        if _holds_together(plain, stops, i, j)
    ]
    letters = {run: letters_of("".join(plain[slice(*run)])) for run in runs}
    runs = [run for run in runs if len(letters[run]) > 2]
    if not runs:
        return None
    if whole and within in runs and len(letters[within]) <= MUCH_LONGER * len(name):
        return within
    alike = likeness([letters[run] for run in runs], [name])[:, 0]
    return runs[int(alike.argmax())]


def around(words: Sequence[TimedWord], place: HeardName) -> list[HeardName]:
    """Names that may be meant in place of one: most like what is written there, a word more or two, or that end as it
    does.
    """
    plain, stops = plain_words(words), _stops(words)
    names = common_names()
    named = {at for one in drug_names.find_drugs(plain) for at in range(one.start, one.end)}
    found: list[HeardName] = []
    for start, end in (
        (place.start, place.end),
        (place.start - 1, place.end),
        (place.start - 2, place.end),
        (place.start, place.end + 1),
    ):
        if start < 0 or end > len(words) or end - start > LONGEST_RUN or not named.isdisjoint(range(start, end)):
            continue
        if not _holds_together(plain, stops, start, end):
            continue
        alike = likeness([letters_of("".join(plain[start:end]))], names)[0]
        order = [names[at] for at in np.argsort(-alike, kind="stable") if alike[at] >= RATHER_LIKE]
        found += [HeardName(start, end, name) for name in order[:RIVALS]]
    ending = [name for name in names if name.endswith(place.name[-SAME_ENDING:]) and name != place.name]
    if ending:
        alike = likeness([letters_of("".join(plain[place.start : place.end]))], ending)[0]
        found += [HeardName(place.start, place.end, ending[at]) for at in np.argsort(-alike, kind="stable")[:RIVALS]]
    return list(dict.fromkeys(found))


def _holds_together(plain: Sequence[str], stops: Sequence[str], start: int, end: int) -> bool:
    """Whether words may be one name."""
    return all(map(could_be_named, plain[start:end])) and SENTENCE_ENDS.isdisjoint(stops[start : end - 1])


def _stops(words: Sequence[TimedWord]) -> list[str]:
    """The last sign of each word."""
    return [word.text.rstrip("\"')")[-1:] for word in words]
