"""Puts words to voices: each word by its middle, then gathered into utterances. Arithmetic, no model."""

from __future__ import annotations

from collections.abc import Sequence

from domain.speech import TimedWord, Turn, Utterance

LONGEST_PAUSE_S = 1.5  # a longer pause begins a new utterance of the same voice
ALONE = "Speaker 1"


def assign(words: Sequence[TimedWord], turns: Sequence[Turn]) -> tuple[Utterance, ...]:
    """Utterances in order of time. `words` have times; without turns all is one voice's."""
    groups: list[tuple[str, list[TimedWord]]] = []
    for word in words:
        voice = voice_of(word, turns)
        last = groups[-1] if groups else None
        if last and last[0] == voice and (word.start_s or 0.0) - (last[1][-1].end_s or 0.0) <= LONGEST_PAUSE_S:
            last[1].append(word)
        else:
            groups.append((voice, [word]))
    return tuple(_utterance(number, voice, tuple(said), turns) for number, (voice, said) in enumerate(groups, start=1))


def voice_of(word: TimedWord, turns: Sequence[Turn]) -> str:
    """The voice that speaks at the word's middle; of two the one with the longer turn begun last; else the nearest."""
    middle = ((word.start_s or 0.0) + (word.end_s or 0.0)) / 2
    speaking = [turn for turn in turns if turn.start_s <= middle <= turn.end_s]
    if speaking:
        return max(speaking, key=lambda turn: turn.end_s - turn.start_s).speaker
    if not turns:
        return ALONE
    return min(turns, key=lambda turn: max(turn.start_s - middle, middle - turn.end_s)).speaker


def _utterance(number: int, voice: str, words: tuple[TimedWord, ...], turns: Sequence[Turn]) -> Utterance:
    start, end = words[0].start_s or 0.0, words[-1].end_s or 0.0
    overlap = any(t.speaker != voice and min(t.end_s, end) - max(t.start_s, start) > 0.3 for t in turns) and any(
        t.speaker == voice
        and any(
            o.speaker != voice and min(o.end_s, t.end_s, end) - max(o.start_s, t.start_s, start) > 0.3 for o in turns
        )
        for t in turns
    )
    return Utterance(f"u{number}", voice, "", start, end, " ".join(word.text for word in words), words, overlap)
