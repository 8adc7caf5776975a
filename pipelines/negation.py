"""How a passage means its words: said of the patient now, denied, past, of a relative, or of what might be.

In the manner of ConText (Harkema et al. 2009), with triggers of our own: a trigger and its scope within a sentence.
"denies chest pain, fever or cough" denies all three; "no fever but cough" does not deny the cough. English only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from pipelines import negation_triggers as triggers
from pipelines.negation_signs import signed_spans

LIST_REACH = 45  # words that a trigger reaches at most: lists of denied symptoms run long
CHUNK_REACH = 9  # words without a comma or "or" after which a list has ended
WORD_REACH = 5  # of "not": it denies the verb beside it, not the rest of the sentence
BACK_REACH = 6  # of a trigger that follows what it denies, unless it says "are" or "were" of a list
SECTION_REACH = 60  # words under a heading "FAMILY HISTORY:"


class Stance(IntEnum):
    """What is meant by a word, the weakest first: where two triggers reach it, the weaker holds."""

    DENIED = 0
    FAMILY = 1
    POSSIBLE = 2  # hypothetical, uncertain, a risk
    PAST = 3
    ASSERTED = 4


@dataclass(frozen=True, slots=True)
class _Trigger:
    stance: Stance | None  # None: looks like a trigger and is none
    reach: str  # "list", "word", "back", "back-list", "clause", "sentence"
    words: tuple[str, ...]


def _table() -> dict[str, tuple[_Trigger, ...]]:
    """Triggers by their first word, longest first."""
    kinds = (
        (None, "list", triggers.NOT_A_TRIGGER),
        (Stance.DENIED, "list", triggers.DENIES_WHAT_FOLLOWS),
        (Stance.DENIED, "word", triggers.DENIES_NEXT_WORDS),
        (Stance.DENIED, "back", triggers.DENIES_WHAT_PRECEDES),
        (Stance.DENIED, "back-list", triggers.DENIES_PRECEDING_LIST),
        (Stance.PAST, "clause-on", triggers.PAST_FOLLOWS),
        (Stance.PAST, "back-list", triggers.PAST_PRECEDES),
        (Stance.PAST, "clause", triggers.PAST_AROUND),
        (Stance.POSSIBLE, "sentence-on", triggers.MIGHT_FOLLOWS),
        (Stance.POSSIBLE, "word", triggers.MIGHT_NEXT_WORDS),
        (Stance.POSSIBLE, "back-list", triggers.MIGHT_PRECEDES),
        (Stance.FAMILY, "sentence-on", triggers.FAMILY_FOLLOWS),
        (Stance.FAMILY, "back-list", triggers.FAMILY_PRECEDES),
    )
    found: dict[str, list[_Trigger]] = {}
    for stance, reach, phrases in kinds:
        for phrase in phrases:
            words = tuple(phrase.split())
            found.setdefault(words[0], []).append(_Trigger(stance, reach, words))
    # Of equally long ones the one that is no trigger goes first, then those that reach back.
    return {
        first: tuple(sorted(known, key=lambda t: (-len(t.words), t.stance is not None, "back" not in t.reach)))
        for first, known in found.items()
    }


_TRIGGERS = _table()
_EDGES = re.compile(r"^[^\w/?+]+|[^\w/]+$")
_SENTENCE_END = re.compile(r"[.;!?][\"')\]]*$")
_SHORTENED = re.compile(r"^(?:[a-z]|[a-z]\.[a-z]|dr|mr|mrs|ms|st|vs|approx|no)\.$", re.IGNORECASE)
_CAPITALS = re.compile(r"^[A-Z][A-Z/&\-]+[:,]?$")
_MINUS = re.compile(r"^[(\[][-–−][)\]][,.;]?$")
_LASTED = re.compile(r"(?:hour|day|week|month|year)s?$|^(?:long|longstanding|lifelong)$")  # "a two-week history of"


def denied(words: Sequence[str]) -> tuple[bool, ...]:
    """For each word of a passage as written, whether it lies in the scope of a denial."""
    return tuple(stance is Stance.DENIED for stance in stances(words))


def stances(words: Sequence[str]) -> tuple[Stance, ...]:
    """For each word of a passage as written, how it is meant."""
    plain = [_bare(word) for word in words]
    signed = tuple(signed_spans(words))
    for place, _start, _end in signed:
        plain[place] = ""  # it has spoken; a minus in brackets would also be read as "negative"
    marks = [Stance.ASSERTED] * len(words)

    def mark(start: int, end: int, stance: Stance) -> None:
        for place in range(max(0, start), min(end, len(marks))):
            marks[place] = min(marks[place], stance)

    for start, end in _sentences(words, plain):
        _judge(words, plain, start, end, mark)
    for _place, start, end in signed:
        mark(start, end, Stance.DENIED)
    for start, end in _family_sections(words, plain):
        mark(start, end, Stance.FAMILY)
    return tuple(marks)


@lru_cache(maxsize=100_000)
def _bare(word: str) -> str:
    """A word as triggers are written; a minus in brackets after a finding is the word "negative"."""
    if _MINUS.match(word):
        return "negative"
    return _EDGES.sub("", word).lower().replace("’", "'")


def _judge(
    words: Sequence[str], plain: Sequence[str], start: int, end: int, mark: Callable[[int, int, Stance], None]
) -> None:
    """Mark one sentence."""
    place = start
    while place < end:
        word = plain[place]
        if word.startswith("?") and len(word) > 1:  # "?syncope"
            mark(place, place + 2, Stance.POSSIBLE)
        if word in ("versus", "vs") and place > start:  # "gout versus cellulitis" doubts both
            mark(_item_start(words, plain, start, place), place, Stance.POSSIBLE)
        if word in triggers.RELATIVES:
            _judge_relative(words, plain, (start, place, end), mark)
        trigger = _at(words, plain, place, end)
        if trigger is None:
            place += 1
            continue
        after = place + len(trigger.words)
        if " ".join(trigger.words) in triggers.BOTH_WAYS:
            mark(_clause_start(words, plain, start, place), place, Stance.PAST)
        if trigger.stance is Stance.PAST and _goes_on(trigger, plain, (start, place, after, end)):
            pass
        elif trigger.stance is not None:
            spared = triggers.LASTING if trigger.words[-1] in ("of", "hx", "h/o", "age") else frozenset()
            for first, last in _scope(trigger, words, plain, (start, place, after, end)):
                if trigger.stance is Stance.PAST and not spared.isdisjoint(plain[first:last]):
                    _mark_but(spared, plain, first, last, mark)
                else:
                    mark(first, last, trigger.stance)
        place = after
    if end > start and words[end - 1].endswith("?"):
        mark(max(start, end - 4), end, Stance.POSSIBLE)


def _goes_on(trigger: _Trigger, plain: Sequence[str], at: tuple[int, int, int, int]) -> bool:
    """Whether the past that a trigger speaks of lasts: "a two-week history of cough", "old pain that still wakes him"."""
    start, place, after, end = at
    if not triggers.STILL.isdisjoint(plain[after:end]):
        return True
    return trigger.words[0] in ("history", "hx") and place > start and bool(_LASTED.search(plain[place - 1]))


def _mark_but(
    spared: frozenset[str], plain: Sequence[str], first: int, last: int, mark: Callable[[int, int, Stance], None]
) -> None:
    """Put into the past what is over, and leave out an illness that lasts with the word before and after it."""
    for place in range(first, last):
        if spared.isdisjoint(plain[max(first, place - 1) : place + 2]):
            mark(place, place + 1, Stance.PAST)


def _at(words: Sequence[str], plain: Sequence[str], place: int, end: int) -> _Trigger | None:
    """The longest trigger that stands here. One that could reach either way reaches back at the end of its clause."""
    standing = [
        trigger
        for trigger in _TRIGGERS.get(plain[place], ())
        if len(trigger.words) == 1 or tuple(plain[place : min(end, place + len(trigger.words))]) == trigger.words
    ]
    if not standing:
        return None
    longest = [trigger for trigger in standing if len(trigger.words) == len(standing[0].words)]
    last = place + len(longest[0].words) - 1
    ends = last + 1 >= end or words[last].endswith((",", ")")) or plain[last + 1] in triggers.TURNS
    return longest[0] if ends or "back" not in longest[0].reach else longest[-1]


def _scope(
    trigger: _Trigger, words: Sequence[str], plain: Sequence[str], at: tuple[int, int, int, int]
) -> Iterator[tuple[int, int]]:
    """Spans that a trigger marks; `at`: where the sentence begins, the trigger begins and ends, the sentence ends."""
    start, place, after, end = at
    if trigger.reach in ("list", "clause-on"):
        yield after, _list_end(words, plain, after, end)
    elif trigger.reach == "word":
        yield after, min(after + WORD_REACH, _list_end(words, plain, after, end))
    elif trigger.reach == "sentence-on":
        yield after, end
    elif trigger.reach == "clause":
        yield _clause_start(words, plain, start, place), _clause_end(words, plain, after, end)
    elif trigger.reach == "back-list":
        yield _clause_start(words, plain, start, place), place
    else:
        yield _item_start(words, plain, start, place), place


def _list_end(words: Sequence[str], plain: Sequence[str], start: int, end: int) -> int:
    """Where what follows a trigger stops being its list: another clause, a turn ("but"), or a long stretch of prose."""
    chunk = 0
    for place in range(start, min(end, start + LIST_REACH)):
        word = plain[place]
        if word in triggers.TURNS or (place > start and word in triggers.NEW_CLAUSE):
            return place
        follows = (place > start and plain[place - 1] in ("and", "then", "now")) or words[place - 1].endswith(",")
        if follows and place > start and word in triggers.FRESH_VERBS:
            return place
        chunk = 0 if word in ("or", "nor", "and") or words[place].endswith(",") else chunk + 1
        if chunk > CHUNK_REACH:
            return place
    return min(end, start + LIST_REACH)


def _clause_end(words: Sequence[str], plain: Sequence[str], start: int, end: int) -> int:
    return next((place for place in range(start, end) if plain[place] in triggers.TURNS), end)


def _clause_start(words: Sequence[str], plain: Sequence[str], start: int, end: int) -> int:
    """The turn nearest before `end`, or the sentence's begin."""
    return next((place + 1 for place in range(end - 1, start - 1, -1) if plain[place] in triggers.TURNS), start)


def _item_start(words: Sequence[str], plain: Sequence[str], start: int, end: int) -> int:
    """Where the one thing begins that a trigger after it denies: "has a cough, fever absent" denies the fever only."""
    for place in range(end - 1, max(start, end - BACK_REACH) - 1, -1):
        if place < end - 1 and words[place].endswith(","):
            return place + 1
        if plain[place] in triggers.TURNS or (
            plain[place] in triggers.NEW_CLAUSE and plain[place] not in ("is", "was")
        ):
            return place + 1
    return max(start, end - BACK_REACH)


def _judge_relative(
    words: Sequence[str],
    plain: Sequence[str],
    at: tuple[int, int, int],
    mark: Callable[[int, int, Stance], None],
) -> None:
    """A relative who has something; one who only tells about the patient ("mother reports") marks nothing."""
    start, place, end = at
    if words[place].endswith(":") and place + 1 < end:  # "Mother: diabetes, stroke"
        mark(place + 1, _relative_end(words, plain, place + 1, end), Stance.FAMILY)
        return
    before = plain[max(start, place - 3) : place]
    if "in" in before:
        mark(_clause_start(words, plain, start, place), place, Stance.FAMILY)
        return
    ahead = plain[place + 1 : min(end, place + 7)]
    for number, word in enumerate(ahead):
        following = ahead[number + 1] if number + 1 < len(ahead) else ""
        if word == "who" and following in triggers.HAS:
            continue
        if word in triggers.TELLS or word in triggers.TURNS or word in ("who", "of", "that", "patient"):
            return
        if word in triggers.HAS:
            if following not in triggers.TELLS_AFTER_HAS:
                mark(place + 1, _relative_end(words, plain, place + 1 + number, end), Stance.FAMILY)
            return
        if words[place + 1 + number].endswith(","):
            return
    if words[place].endswith(("'s", "’s")) and ahead:
        mark(place + 1, place + 4, Stance.FAMILY)


def _relative_end(words: Sequence[str], plain: Sequence[str], start: int, end: int) -> int:
    """What is said of a relative ends where the patient comes back."""
    for place in range(start, end):
        if plain[place] in triggers.TURNS or (place > start and plain[place] in ("he", "she", "patient", "they")):
            return place
    return end


def _sentences(words: Sequence[str], plain: Sequence[str]) -> Iterator[tuple[int, int]]:
    start = 0
    for place, word in enumerate(words):
        heading = place > start and _heading_starts(words, place)
        if heading:
            yield start, place
            start = place
        shortened = _SHORTENED.match(word) is not None and plain[place] not in ("no",)
        number = plain[place].isdigit() and place == start
        if _SENTENCE_END.search(word) and not shortened and not number:
            yield start, place + 1
            start = place + 1
    if start < len(words):
        yield start, len(words)


def _heading_starts(words: Sequence[str], place: int) -> bool:
    """Whether a heading in capitals begins here: "SOCIAL HISTORY: smokes"."""
    if not _CAPITALS.match(words[place]) or (_CAPITALS.match(words[place - 1]) and not words[place - 1].endswith(":")):
        return False
    for word in words[place : place + 6]:
        if not _CAPITALS.match(word):
            return False
        if word.endswith(":"):
            return True
    return False


def _family_sections(words: Sequence[str], plain: Sequence[str]) -> Iterator[tuple[int, int]]:
    for place in range(len(words) - 1):
        if plain[place] == "family" and words[place + 1].lower().rstrip(",") == "history:":
            start = place + 2
            end = min(len(words), start + SECTION_REACH)
            stop = (
                spot
                for spot in range(start + 1, end)
                if _heading_starts(words, spot) or (words[spot].endswith(":") and words[spot][0].isupper())
            )
            yield start, next(stop, end)
