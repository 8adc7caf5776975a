"""What the segmentation says of every moment, and the stretches of one voice that it cuts a recording into.

pyannote's segmentation looks at ten seconds at a time; its windows overlap and are laid over each other here. How many
speak at a moment is taken from it, and where the voice changes. Which voice it is, is not: two women are one voice to
it, while their prints differ clearly. Arithmetic only.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from domain.speech import SAMPLE_RATE_HZ, Turn

# The segmentation's frames: one every 270 samples, each seeing 991 (Plaquet and Bredin 2023, its SincNet).
FRAME_S = 270 / SAMPLE_RATE_HZ
FIRST_MIDDLE_S = 991 / 2 / SAMPLE_RATE_HZ
CUT_SPREAD = 6  # frames; windows disagree so much about when a voice changes
CUT_SHARE = 0.5  # of the windows that hear a moment must see the voice change
LONGEST_PIECE_S = 12.0
# So much below the loudest tenth of the second around, for so long: a pause. With 20 dB and 0.25 s two in a hundred
# seconds that fifteen voices spoke were taken for pauses, in rooms no more was gained.
LEVEL_S, QUIET_DB, QUIET_S = 1.0, 26.0, 0.2
SNIPPET_S, SNIPPET_STEP_S = 1.5, 0.75  # enough for a print; shorter ones blur, longer ones run over a change of voice
SHORTEST_PAUSE_S = 0.2  # a shorter pause of the same voice does not end its turn
SHORTEST_TURN_S = 0.1


@dataclass(frozen=True, slots=True)
class Snippet:
    """Where one voice speaks, long enough for a print. `start`, `end`: frames that it is printed from; `first`, `last`
    (exclusive): frames that get its label; `piece`: speech goes on without a pause between snippets of the same piece.
    """

    start: int
    end: int
    first: int
    last: int
    piece: int


@dataclass
class Frames:
    """All windows so far, added up frame by frame. Frame 0 begins with the recording."""

    heard: np.ndarray = field(default_factory=lambda: np.zeros(0))
    many: np.ndarray = field(default_factory=lambda: np.zeros(0))
    changes: np.ndarray = field(default_factory=lambda: np.zeros(0))
    quiet: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=bool))

    def add(self, start_s: float, active: np.ndarray) -> None:
        """A window from `start_s` on; `active`: bool (frames, voices)."""
        begin, count = round(start_s / FRAME_S), len(active)
        missing = begin + count - len(self.heard)
        if missing > 0:
            self.heard, self.many, self.changes, self.quiet = (
                np.concatenate([kept, np.zeros(missing, dtype=kept.dtype)])
                for kept in (self.heard, self.many, self.changes, self.quiet)
            )
        # the middle of a window knows what comes before and after; its edges do not
        weight = np.interp(np.arange(count), [0, count * 0.2, count * 0.8, count - 1], [0.2, 1.0, 1.0, 0.2])
        span = slice(begin, begin + count)
        self.heard[span] += weight
        self.many[span] += weight * active.sum(axis=1)
        for at in _changes(active):
            self.changes[begin + at] += weight[at]

    def speaking(self) -> np.ndarray:
        """int (frames,): how many speak, 0 to 2."""
        return np.where(self.quiet, 0, np.clip(np.rint(self.many / np.maximum(self.heard, 1e-9)), 0, 2)).astype(int)

    def snippets(self, since: int, until: int, piece: int) -> tuple[tuple[Snippet, ...], int]:
        """Snippets of frames `since` to `until`, numbered from `piece` on, and the next number."""
        speaking = self.speaking()[since:until]
        cuts = set(self._cuts(since, until))
        made: list[Snippet] = []
        for start, end in runs(speaking > 0):
            inner = [at - since for at in sorted(cuts) if start + since < at < end + since]
            bounds = [start, *inner, end]
            for a, b in itertools.pairwise(bounds):
                made += [Snippet(s + since, e + since, f + since, g + since, piece) for s, e, f, g in _windows(a, b)]
            piece += 1
        return tuple(made), piece

    def _cuts(self, since: int, until: int) -> list[int]:
        """Frames at which most windows that hear them see the voice change."""
        votes = np.convolve(self.changes, np.ones(2 * CUT_SPREAD + 1), "same")
        share = votes / np.maximum(self.heard, 1e-9)
        cuts: list[int] = []
        for start, end in runs(share[since:until] >= CUT_SHARE):
            inside = np.arange(start, end) + since
            weights = self.changes[inside]
            cuts.append(round(float((inside * weights).sum() / weights.sum())) if weights.sum() else int(inside.mean()))
        return cuts


def quiet_frames(samples: np.ndarray, since: int, until: int) -> np.ndarray:
    """bool (until - since,): pauses between words. The segmentation speaks on through them where a room echoes:
    a quarter of what it called speech in simulated rooms was none. `samples`: the whole recording, may be mapped.
    """
    from scipy.ndimage import percentile_filter

    around = round(LEVEL_S / FRAME_S)
    first, last = max(0, since - around), until + around
    begin = int((first * FRAME_S + FIRST_MIDDLE_S - FRAME_S) * SAMPLE_RATE_HZ)
    piece = np.asarray(
        samples[begin : int((last * FRAME_S + FIRST_MIDDLE_S + FRAME_S) * SAMPLE_RATE_HZ)], dtype=np.float64
    )
    sums = np.concatenate([[0.0], np.cumsum(piece**2)])
    starts = (np.arange(last - first) * FRAME_S * SAMPLE_RATE_HZ).astype(int)
    size = int(2 * FRAME_S * SAMPLE_RATE_HZ)  # a frame and half of each neighbour
    a, b = np.minimum(starts, len(piece)), np.minimum(starts + size, len(piece))
    level = 10 * np.log10((sums[b] - sums[a]) / np.maximum(b - a, 1) + 1e-9)
    loud = percentile_filter(level, 90, size=2 * around + 1)
    found = np.zeros(len(level), dtype=bool)
    for start, end in runs(level < loud - QUIET_DB):
        if (end - start) * FRAME_S >= QUIET_S:
            found[start:end] = True
    return found[since - first : until - first]


def runs(on: np.ndarray) -> list[tuple[int, int]]:
    """Stretches of True: (start, end), end exclusive."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], on.astype(np.int8), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def turns_of(speaking: np.ndarray, snippets: Sequence[Snippet], labels: Sequence[int | None]) -> tuple[Turn, ...]:
    """Turns in order of time, voices numbered as they come in. Where two speak, the second is the nearest other."""
    voice = np.full(len(speaking), -1)
    for one, label in zip(snippets, labels, strict=True):
        if label is not None:
            voice[one.first : one.last] = label
    voice[speaking == 0] = -1
    count = int(voice.max(initial=-1)) + 1
    on = np.zeros((count, len(speaking)), dtype=bool)
    for label in range(count):
        on[label] = voice == label
    for start, end in runs(speaking > 1):
        for at in (start, end - 1):  # a change of voice within: each half has the other beside it
            own = voice[at]
            other = _nearest_other(voice, start, end, own)
            if own >= 0 and other >= 0:
                on[other, start:end] |= voice[start:end] == own
    spans = [(start, end, label) for label in range(count) for start, end in _joined(on[label])]
    names: dict[int, str] = {}
    return tuple(
        Turn(names.setdefault(label, f"Speaker {len(names) + 1}"), round(start, 3), round(end, 3))
        for start, end, label in sorted(spans)
    )


def _changes(active: np.ndarray) -> list[int]:
    """Frames at which another voice speaks alone than spoke alone before, without a pause between; the middle of an
    overlap that lies between the two.
    """
    many = active.sum(axis=1)
    solo = np.where(many == 1, active.argmax(axis=1), -1)
    found, last, last_at = [], -1, -1
    for at in np.flatnonzero(np.concatenate([[True], (solo[1:] != solo[:-1]) | (many[1:] != many[:-1])])):
        if many[at] == 0:
            last = -1
        elif solo[at] >= 0:
            if last >= 0 and solo[at] != last:
                found.append(int(at + last_at) // 2)
            last = int(solo[at])
        after = np.flatnonzero((solo[at:] != solo[at]) | (many[at:] != many[at]))
        if solo[at] >= 0:
            last_at = int(at + after[0]) if len(after) else len(active)
    return found


def _windows(start: int, end: int) -> list[tuple[int, int, int, int]]:
    """(start, end, first, last) of the snippets of a stretch: one for a short one, else overlapping ones."""
    length = (end - start) * FRAME_S
    if length > LONGEST_PIECE_S:
        parts = int(np.ceil(length / LONGEST_PIECE_S))
        edges = [round(edge) for edge in np.linspace(start, end, parts + 1)]
        return [one for a, b in itertools.pairwise(edges) for one in _windows(a, b)]
    count = max(1, round(length / SNIPPET_STEP_S) - 1)
    if length <= SNIPPET_S + SNIPPET_STEP_S:
        count = 1
    if count == 1:
        return [(start, end, start, end)]
    size = round(SNIPPET_S / FRAME_S)
    begins = [round(begin) for begin in np.linspace(start, end - size, count)]
    bounds = [start, *((a + b + size) // 2 for a, b in itertools.pairwise(begins)), end]
    return [(begin, begin + size, bounds[i], bounds[i + 1]) for i, begin in enumerate(begins)]


def _nearest_other(voice: np.ndarray, start: int, end: int, own: int) -> int:
    others = np.flatnonzero((voice >= 0) & (voice != own))
    if not len(others):
        return -1
    distance = np.maximum(np.maximum(start - others, others - end + 1), 0)
    return int(voice[others[distance.argmin()]])


def _joined(on: np.ndarray) -> list[tuple[float, float]]:
    """Stretches in seconds, joined over short pauses, very short ones left out."""
    joined: list[list[float]] = []
    for first, last in runs(on):
        # a frame stands for what is around its middle
        start = max(0.0, first * FRAME_S + FIRST_MIDDLE_S - FRAME_S / 2) if first else 0.0
        end = last * FRAME_S + FIRST_MIDDLE_S - FRAME_S / 2
        if joined and start - joined[-1][1] < SHORTEST_PAUSE_S:
            joined[-1][1] = end
        else:
            joined.append([start, end])
    return [(s, e) for s, e in joined if e - s >= SHORTEST_TURN_S]
