"""Snippets of speech become speakers: counted, labelled, laid out as turns. Frames and prints are made here."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from models.voice_frames import FIRST_MIDDLE_S, FRAME_S, Frames, Snippet, quiet_frames, turns_of
from models.voice_groups import PrintedSnippet, group_voices


def prints_of(alike: float, speakers: int, noise: float = 0.6, seed: int = 0) -> list[np.ndarray]:
    """Centres of which each two are `alike` (cosine), in 64 dimensions."""
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.normal(size=(64, speakers + 1)))[0].T
    return [np.sqrt(alike) * axes[0] + np.sqrt(1 - alike) * axis for axis in axes[1:]]


def said(centre: np.ndarray, rng: np.random.Generator, piece: int, seconds: float = 1.5) -> PrintedSnippet:
    """A print about 0.8 alike to others of its voice, as measured on 1.5 seconds of speech."""
    print_ = centre + rng.normal(0, 0.5 / np.sqrt(64), 64)
    return PrintedSnippet(print_ / np.linalg.norm(print_), seconds, piece)


@pytest.mark.parametrize(("speakers", "alike"), [(1, 0.5), (2, 0.3), (2, 0.6), (2, 0.66), (3, 0.5), (5, 0.4)])
@pytest.mark.parametrize("seed", range(3))
def test_speakers_are_counted_and_told_apart(speakers: int, alike: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    centres = prints_of(alike, speakers, seed=seed)
    order = [at // 3 % speakers for at in range(speakers * 18)]
    snippets = [said(centres[who], rng, at // 3) for at, who in enumerate(order)]
    for asked in (None, speakers):
        labels = group_voices(snippets, asked)
        assert len(set(labels)) == speakers
        assert len(set(zip(order, labels, strict=True))) == speakers


@pytest.mark.parametrize(("alike", "others", "speakers"), [(0.72, 4, 1), (0.72, 24, 2), (0.5, 4, 2)])
def test_a_few_odd_prints_are_the_same_voice_unless_they_are_quite_unlike_it(
    alike: float, others: int, speakers: int
) -> None:
    """As where a room echoes; two who say as much as each other are two at the same likeness."""
    rng = np.random.default_rng(3)
    voice, other = prints_of(alike, 2)
    snippets = [said(voice, rng, at) for at in range(48)] + [said(other, rng, 50 + at) for at in range(others)]
    assert len(set(group_voices(snippets, None))) == speakers


def test_a_given_count_is_kept_also_where_the_voices_are_one() -> None:
    rng = np.random.default_rng(1)
    [centre] = prints_of(0.5, 1)
    snippets = [said(centre, rng, at) for at in range(30)]
    assert len(set(group_voices(snippets, None))) == 1
    assert len(set(group_voices(snippets, 1))) == 1


def test_a_snippet_too_short_for_a_print_goes_with_its_piece() -> None:
    rng = np.random.default_rng(2)
    one, other = prints_of(0.3, 2)
    snippets = [
        *(said(one, rng, 0) for _ in range(4)),
        PrintedSnippet(None, 0.2, 0),
        *(said(other, rng, 1) for _ in range(4)),
    ]
    labels = group_voices(snippets, None)
    assert labels[4] == labels[3] != labels[5]
    assert group_voices([PrintedSnippet(None, 0.2, 0)], None) == [None]


def test_a_blurred_print_amid_speech_changes_no_voice() -> None:
    rng = np.random.default_rng(3)
    one, other = prints_of(0.3, 2)
    blurred = 0.45 * one + 0.55 * other
    snippets = [*(said(one, rng, 0) for _ in range(6)), *(said(other, rng, 1) for _ in range(6))]
    snippets[3] = PrintedSnippet(blurred / np.linalg.norm(blurred), 1.5, 0)
    assert len(set(group_voices(snippets, None)[:6])) == 1


def frames(active: np.ndarray) -> Frames:
    made = Frames()
    made.add(0.0, active)
    return made


def test_speech_is_cut_at_pauses_and_where_the_voice_changes() -> None:
    active = np.zeros((500, 3), dtype=bool)
    active[50:150, 0] = True
    active[150:250, 1] = True  # goes on without a pause
    active[300:340, 1] = True
    snippets, following = frames(active).snippets(0, 500, 0)
    assert [(one.first, one.last, one.piece) for one in snippets] == [(50, 150, 0), (150, 250, 0), (300, 340, 1)]
    assert following == 2


def test_long_speech_is_heard_in_overlapping_snippets_that_cover_it() -> None:
    active = np.zeros((1500, 3), dtype=bool)
    active[100:1400, 0] = True
    snippets, _ = frames(active).snippets(0, 1500, 0)
    assert snippets[0].first == 100
    assert snippets[-1].last == 1400
    assert all(a.last == b.first for a, b in itertools.pairwise(snippets))
    assert all(1.0 < (one.end - one.start) * FRAME_S < 2.5 for one in snippets)


def test_windows_that_overlap_agree_about_a_change() -> None:
    made = Frames()
    for start in (0, 100):
        active = np.zeros((400, 3), dtype=bool)
        active[: 250 - start, start // 100] = True  # each window numbers its voices for itself
        active[250 - start :, 2] = True
        made.add(start * FRAME_S, active)
    snippets, _ = made.snippets(0, 500, 0)
    assert 250 in {one.first for one in snippets}
    assert (made.speaking() == 1).all()


def test_two_at_once_are_two_turns() -> None:
    speaking = np.array([0] * 10 + [1] * 100 + [2] * 50 + [1] * 100)
    snippets = (Snippet(10, 135, 10, 135, 0), Snippet(135, 260, 135, 260, 0))
    turns = turns_of(speaking, snippets, [1, 0])
    assert [turn.speaker for turn in turns] == ["Speaker 1", "Speaker 2"]
    assert turns[0].end_s - turns[1].start_s == pytest.approx(50 * FRAME_S, abs=0.01)


def test_a_pause_between_words_is_found_also_where_the_room_echoes() -> None:
    rng = np.random.default_rng(4)
    seconds = np.arange(3 * 16_000) / 16_000
    fading = np.exp(-np.maximum(0, seconds - 1) * 11.5)  # 100 dB a second: a room of 0.6 s
    loud = np.where(seconds < 1, 1.0, np.where(seconds < 2, fading, 1.0))
    samples = (0.1 * loud * rng.normal(size=len(seconds))).astype(np.float32)
    quiet = quiet_frames(samples, 0, 170)
    middles = FIRST_MIDDLE_S + np.arange(170) * FRAME_S
    assert quiet[(middles > 1.3) & (middles < 1.95)].all()
    assert not quiet[(middles < 1.1) | (middles > 2.05)].any()
    parts = np.concatenate([quiet_frames(samples, 0, 80), quiet_frames(samples, 80, 170)])
    assert (parts == quiet).all()


def test_nobody_speaks_and_nobody_is_known() -> None:
    assert frames(np.zeros((100, 3), dtype=bool)).snippets(0, 100, 0) == ((), 0)
    assert turns_of(np.zeros(100, dtype=int), (), ()) == ()
    assert turns_of(np.ones(100, dtype=int), (Snippet(0, 100, 0, 100, 0),), [None]) == ()
