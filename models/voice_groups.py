"""Says which snippets of speech are one speaker's, and finds how many speakers there are. Arithmetic only.

Prints are joined by average linkage, then speakers whose mean prints are too alike are made one. Most visits have two
voices, so that taking two for one, or finding a third, needs more than telling the two apart. At last the likeliest run
of speakers is taken (Viterbi), in which a voice seldom changes where speech goes on without a pause.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SURE_S = 1.0  # a print of less speech takes no part in finding the speakers, it is only assigned to one
MOST_LINKED = 1500  # prints that are linked; of a longer recording every second, third ... one
LINKED = (0.62, 0.7, 0.76, 0.82, 0.88)  # mean likeness (cosine) down to which prints are linked: the most groups count
# Two groups whose mean prints are at least so alike are one speaker's: (where the smaller has said next to nothing,
# what an even share adds, the share from which it counts as even). Measured on fifteen synthetic voices, clean and in
# rooms: parts of one voice 0.72 to 0.93 alike, the smaller an outlying twentieth to sixth; two women 0.55 to 0.85, the
# smaller a third and more.
ONE_OF_TWO, ONE_OF_MORE = (0.64, 0.24, 0.25), (0.62, 0.14, 0.35)
LEAST_SHARE_S, LEAST_SHARE = 2.0, 0.03  # what a speaker has said at least: seconds, and of all speech
MOST_SPEAKERS = 8
TRUST = 12.0  # how much a likeness counts beside a change of speaker
CHANGE_IN_SPEECH, CHANGE_AFTER_PAUSE = 1.5, 0.3


@dataclass(frozen=True, slots=True)
class PrintedSnippet:
    """`print`: float32 (d,) of length 1, None where there is too little speech; `seconds` of speech it was made from;
    `piece`: snippets of the same piece follow each other without a pause. In order of time.
    """

    print: np.ndarray | None
    seconds: float
    piece: int


def group_voices(snippets: Sequence[PrintedSnippet], speakers: int | None) -> list[int | None]:
    """A speaker's number for every snippet; None for all where there is no print at all and `speakers` is not 1."""
    printed = [i for i, one in enumerate(snippets) if one.print is not None]
    if speakers == 1:
        return [0] * len(snippets)
    if not printed:
        return [None] * len(snippets)
    prints = np.stack([np.asarray(snippets[i].print, dtype=np.float64) for i in printed])
    seconds = np.array([max(snippets[i].seconds, 0.1) for i in printed])
    centres = _speakers(prints, seconds, speakers)
    emission = np.zeros((len(snippets), len(centres)))
    emission[printed] = TRUST * np.minimum(seconds, 1.5)[:, None] / 1.5 * (prints @ centres.T)
    return _likeliest(emission, [one.piece for one in snippets])


def _speakers(prints: np.ndarray, seconds: np.ndarray, speakers: int | None) -> np.ndarray:
    """Mean prints (speakers, d) of length 1."""
    sure = np.flatnonzero(seconds >= SURE_S)
    if len(sure) < 2:
        sure = np.arange(len(prints))
    sure = sure[:: int(np.ceil(len(sure) / MOST_LINKED))]
    centres = _linked(prints[sure], seconds[sure], speakers)
    while len(centres) > 1:
        centres = _settled(prints[sure], seconds[sure], centres)
        alike = centres @ centres.T
        np.fill_diagonal(alike, -1)
        a, b = np.unravel_index(int(alike.argmax()), alike.shape)
        nearest = (prints[sure] @ centres.T).argmax(axis=1)
        weights = [seconds[sure][nearest == one].sum() + 1e-3 for one in (a, b)]
        least, adds, even = ONE_OF_TWO if len(centres) == 2 else ONE_OF_MORE
        bar = least + adds * min(1.0, min(weights) / seconds[sure].sum() / even)
        if len(centres) <= speakers if speakers else alike[a, b] < bar and len(centres) <= MOST_SPEAKERS:
            break
        merged = _unit(weights[0] * centres[a] + weights[1] * centres[b])
        centres = np.stack([*(one for at, one in enumerate(centres) if at not in (a, b)), merged])
    return centres


def _linked(prints: np.ndarray, seconds: np.ndarray, speakers: int | None) -> np.ndarray:
    """Mean prints of all groups that have said enough; at least as many as `speakers`, where prints allow."""
    if len(prints) == 1:
        return prints
    from scipy.cluster.hierarchy import fcluster, linkage

    tree = linkage(prints, method="average", metric="cosine")
    least = max(LEAST_SHARE_S, LEAST_SHARE * seconds.sum())
    centres: list[np.ndarray] = []
    for bar in LINKED:
        labels = fcluster(tree, 1 - bar, criterion="distance")
        spoken = {label: seconds[labels == label].sum() for label in np.unique(labels)}
        big = [label for label, total in spoken.items() if total >= least]
        if len(big) > len(centres):
            centres = [_mean(prints, seconds, labels == label) for label in big]
    if speakers and len(centres) < speakers:  # one of them said hardly anything
        labels = fcluster(tree, speakers, criterion="maxclust")
        centres = [_mean(prints, seconds, labels == label) for label in np.unique(labels)]
    return np.stack(centres or [_mean(prints, seconds, np.ones(len(prints), dtype=bool))])


def _settled(prints: np.ndarray, seconds: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """As k-means does: every print to its nearest speaker, then new means."""
    for _ in range(4):
        nearest = (prints @ centres.T).argmax(axis=1)
        centres = np.stack(
            [_mean(prints, seconds, nearest == at) if (nearest == at).any() else one for at, one in enumerate(centres)]
        )
    return centres


def _likeliest(emission: np.ndarray, pieces: Sequence[int]) -> list[int | None]:
    """The run of speakers with the greatest sum of likeness, less what its changes cost."""
    steps, count = emission.shape
    best, back = emission[0].copy(), np.zeros((steps, count), dtype=int)
    for at in range(1, steps):
        cost = CHANGE_IN_SPEECH if pieces[at] == pieces[at - 1] else CHANGE_AFTER_PAUSE
        came = best[:, None] - cost * (1 - np.eye(count))  # (from, to)
        back[at] = came.argmax(axis=0)
        best = came.max(axis=0) + emission[at]
    path = [int(best.argmax())]
    for at in range(steps - 1, 0, -1):
        path.append(int(back[at, path[-1]]))
    return list(reversed(path))


def _mean(prints: np.ndarray, seconds: np.ndarray, which: np.ndarray) -> np.ndarray:
    return _unit((prints[which] * seconds[which, None]).sum(axis=0))


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / max(float(np.linalg.norm(vector)), 1e-9)
