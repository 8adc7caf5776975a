"""Puts words to voices: each by its middle and the sentence around it, then gathered into utterances. Arithmetic."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence

from domain.speech import TimedWord, Turn, Utterance

LONGEST_PAUSE_S = 1.5  # a longer pause begins a new utterance of the same voice
BREATH_S = 0.2  # and so does one so long in its voice between two sentences: an utterance holds no silence, then
EDGE_S = 0.6  # so far an utterance's edge is moved to its turn's
CLOSE_S = 0.15  # no pause between two words
ALONE = "Speaker 1"


def assign(words: Sequence[TimedWord], turns: Sequence[Turn]) -> tuple[Utterance, ...]:
    """Utterances in order of time. `words` have times; without turns all is one voice's."""
    groups: list[tuple[str, list[TimedWord]]] = []
    own: dict[str, list[Turn]] = defaultdict(list)
    for turn in turns:
        own[turn.speaker].append(turn)
    for word, voice in zip(words, _settled(words, [voice_of(word, turns) for word in words]), strict=True):
        last = groups[-1] if groups else None
        if last and last[0] == voice and not _begins_anew(last[1][-1], word, own[voice]):
            last[1].append(word)
        else:
            groups.append((voice, [word]))
    return tuple(_utterance(number, voice, tuple(said), turns) for number, (voice, said) in enumerate(groups, start=1))


def _begins_anew(before: TimedWord, word: TimedWord, own: Sequence[Turn]) -> bool:
    """Whether a voice makes a pause between two of its words. A recogniser stretches words over a short one, so that
    it is looked for in the voice's turns, between the middles of the words.
    """
    if (word.start_s or 0.0) - (before.end_s or 0.0) > LONGEST_PAUSE_S:
        return True
    if not own or not _ends(before):
        return False
    at, end, longest = _middle(before), _middle(word), 0.0
    for turn in own:
        if turn.end_s > at and turn.start_s < end:
            longest, at = max(longest, turn.start_s - at), turn.end_s
    return max(longest, end - at) >= BREATH_S


def voice_of(word: TimedWord, turns: Sequence[Turn]) -> str:
    """The voice that speaks at the word's middle; of two the one with the longer turn begun last; else the nearest."""
    middle = _middle(word)
    speaking = [turn for turn in turns if turn.start_s <= middle <= turn.end_s]
    if speaking:
        return max(speaking, key=lambda turn: turn.end_s - turn.start_s).speaker
    if not turns:
        return ALONE
    return min(turns, key=lambda turn: max(turn.start_s - middle, middle - turn.end_s)).speaker


def _middle(word: TimedWord) -> float:
    return ((word.start_s or 0.0) + (word.end_s or 0.0)) / 2


def _ends(word: TimedWord) -> bool:
    """Whether a sentence ends with it."""
    return word.text.rstrip("\"')").endswith((".", "?", "!"))


def _settled(words: Sequence[TimedWord], voices: Sequence[str]) -> list[str]:
    """Where the voice changes one word beside the end of a sentence, and the longer pause is there, it changes there: a
    turn's edge is a tenth of a second exact, a word is as short. A lone word amid another's sentence is the other's.
    """
    settled = list(voices)
    ends = [_ends(word) for word in words]
    gaps = [(b.start_s or 0.0) - (a.end_s or 0.0) for a, b in itertools.pairwise(words)]  # gaps[i] follows word i
    for at in range(len(words) - 1):
        if settled[at] == settled[at + 1] or ends[at]:
            continue
        begins = at > 0 and ends[at - 1] and settled[at - 1] == settled[at] and gaps[at - 1] >= gaps[at]
        closes = at + 2 < len(words) and ends[at + 1] and settled[at + 2] == settled[at + 1]
        lone = at + 2 < len(words) and settled[at] == settled[at + 2] and not ends[at + 1]
        if begins:
            settled[at] = settled[at + 1]
        elif (closes and gaps[at + 1] >= gaps[at]) or (lone and max(gaps[at], gaps[at + 1]) < CLOSE_S):
            settled[at + 1] = settled[at]
    return settled


def _edges(start: float, end: float, own: Sequence[Turn]) -> tuple[float, float]:
    """The voice's turn begins and ends where its sound does; a recogniser's first and last words are less exact."""
    over = [turn for turn in own if turn.start_s < end and turn.end_s > start]
    first = min((turn.start_s for turn in over), default=start)
    last = max((turn.end_s for turn in over), default=end)
    begins = first if abs(first - start) <= EDGE_S else start
    ends = last if abs(last - end) <= EDGE_S else end
    return (begins, ends) if begins < ends else (start, end)


def _utterance(number: int, voice: str, words: tuple[TimedWord, ...], turns: Sequence[Turn]) -> Utterance:
    start, end = _edges(words[0].start_s or 0.0, words[-1].end_s or 0.0, [t for t in turns if t.speaker == voice])
    overlap = any(t.speaker != voice and min(t.end_s, end) - max(t.start_s, start) > 0.3 for t in turns) and any(
        t.speaker == voice
        and any(
            o.speaker != voice and min(o.end_s, t.end_s, end) - max(o.start_s, t.start_s, start) > 0.3 for o in turns
        )
        for t in turns
    )
    return Utterance(f"u{number}", voice, "", start, end, " ".join(word.text for word in words), words, overlap)
