"""Joins the local voices of a recording's windows into speakers, and finds how many there are. Arithmetic only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SURE_S = 1.0  # a print of less speech takes no part in finding the speakers, it is only assigned to one
SAME = 0.62  # mean prints at least this alike (cosine) belong to one voice
LEAST_SHARE_S = 2.0  # a speaker has spoken at least so long alone
MOST_SPEAKERS = 8


@dataclass(frozen=True, slots=True)
class LocalVoice:
    """One voice of one window. `print`: float32 (d,) of length 1, None where it spoke too little; `seconds` alone."""

    window: int
    local: int
    seconds: float
    print: np.ndarray | None


def group_voices(voices: Sequence[LocalVoice], speakers: int | None) -> list[int | None]:
    """A speaker's number for every local voice; None for one without a print."""
    sure = [i for i, v in enumerate(voices) if v.print is not None and v.seconds >= SURE_S]
    if not sure:
        sure = [i for i, v in enumerate(voices) if v.print is not None]
    if not sure:
        return [None if speakers != 1 else 0 for _ in voices]
    prints = np.stack([voices[i].print for i in sure])
    seconds = np.array([max(voices[i].seconds, 0.1) for i in sure])
    windows = np.array([voices[i].window for i in sure])
    labels = _clusters(prints, seconds, windows, speakers)
    centres = _centres(prints, seconds, labels)
    for _ in range(3):  # as k-means does, but of two voices in one window never both to one speaker
        labels = np.array(_assign([voices[i] for i in sure], centres))
        centres = _centres(prints, seconds, labels, len(centres), centres)
    result: list[int | None] = [None] * len(voices)
    printed = [i for i, v in enumerate(voices) if v.print is not None]
    for i, group in zip(printed, _assign([voices[i] for i in printed], centres), strict=True):
        result[i] = group
    if len(centres) == 1:
        result = [0] * len(voices)
    return result


def _clusters(prints: np.ndarray, seconds: np.ndarray, windows: np.ndarray, speakers: int | None) -> np.ndarray:
    """Agglomerative, by the likeness of mean prints; two voices of one window are never joined."""
    members = [[i] for i in range(len(prints))]
    sums = [prints[i] * seconds[i] for i in range(len(prints))]
    unit = np.array([s / np.linalg.norm(s) for s in sums])
    alike = unit @ unit.T
    clash = (windows[:, None] == windows[None, :]).astype(float)
    np.fill_diagonal(clash, 0)
    alive = list(range(len(prints)))
    score = _score(alike, clash, seconds, members)
    while len(alive) > (speakers or 1):
        sub = score[np.ix_(alive, alive)]
        np.fill_diagonal(sub, -np.inf)
        a, b = np.unravel_index(np.argmax(sub), sub.shape)
        i, j = alive[min(a, b)], alive[max(a, b)]
        if speakers is None and sub[a, b] < SAME:
            break
        members[i] += members[j]
        sums[i] = sums[i] + sums[j]
        unit[i] = sums[i] / np.linalg.norm(sums[i])
        alive.remove(j)
        for k in alive:
            if k != i:
                score[i, k] = score[k, i] = _pair(unit, members, i, k, clash, seconds)
    if speakers is None or len(alive) > (speakers or 1):
        spoken = {k: seconds[members[k]].sum() for k in alive}
        big = [k for k in alive if spoken[k] >= LEAST_SHARE_S] or [max(alive, key=lambda k: spoken[k])]
        big = sorted(big, key=lambda k: -spoken[k])[:MOST_SPEAKERS]
    else:
        big = alive
    labels = np.full(len(prints), -1)
    for number, k in enumerate(big):
        labels[members[k]] = number
    return labels


def _score(alike: np.ndarray, clash: np.ndarray, seconds: np.ndarray, members: list[list[int]]) -> np.ndarray:
    return alike - clash


def _pair(unit: np.ndarray, members: list[list[int]], i: int, k: int, clash: np.ndarray, seconds: np.ndarray) -> float:
    """Likeness of two groups, less for the share of their speech that stands beside each other in one window."""
    both = clash[np.ix_(members[i], members[k])]
    share = max(
        seconds[members[i]][both.any(axis=1)].sum() / seconds[members[i]].sum(),
        seconds[members[k]][both.any(axis=0)].sum() / seconds[members[k]].sum(),
    )
    return float(unit[i] @ unit[k]) - 0.3 * float(share)


def _centres(
    prints: np.ndarray, seconds: np.ndarray, labels: np.ndarray, count: int | None = None, old: np.ndarray | None = None
) -> np.ndarray:
    made = []
    for group in range(count or labels.max() + 1):
        mine = labels == group
        total = (prints[mine] * seconds[mine, None]).sum(axis=0) if mine.any() else old[group]  # type: ignore[index]
        made.append(total / max(float(np.linalg.norm(total)), 1e-9))
    return np.stack(made)


def _assign(voices: Sequence[LocalVoice], centres: np.ndarray) -> list[int]:
    """The nearest speaker of each; voices of one window go to different ones as long as there are enough."""
    from scipy.optimize import linear_sum_assignment

    result = [0] * len(voices)
    by_window: dict[int, list[int]] = {}
    for i, voice in enumerate(voices):
        by_window.setdefault(voice.window, []).append(i)
    for mine in by_window.values():
        alike = np.stack([voices[i].print for i in mine]) @ centres.T
        if len(mine) == 1 or len(centres) < len(mine):
            best = alike.argmax(axis=1)
        else:
            weight = np.array([min(voices[i].seconds, 3.0) + 0.1 for i in mine])[:, None]
            best = linear_sum_assignment(alike * weight, maximize=True)[1]
        for i, group in zip(mine, best, strict=True):
            result[i] = int(group)
    return result
