"""The extractive note: the statements worth keeping, each once, under its heading, in the order of a note.

Nothing is invented: a line is one statement of the visit, put into note style by rules, and names the utterances that it
was made of. How many lines there are follows from how much was said.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from domain.consultation import SECTIONS, NoteLine
from pipelines.note_exchanges import CLINICIANS, Statement, statements
from pipelines.note_manners import means, only_manners
from pipelines.note_sections import TOPICS, Encode, Heads, Judged, judge, topic_of
from pipelines.note_sentences import Clause, cut, words_of
from pipelines.note_style import sex_said

LEAST_RELEVANCE = 0.2  # below this a statement is small talk, however short the visit
SAME_MEANING = 0.9  # cosine from which two statements say the same
SAME_WORDS = 0.85  # share of a statement's words that a kept one holds already
MIN_WORDS = 3

_DENIALS = frozenset(("no", "not", "denies", "never", "without"))
_HEADINGS = frozenset(("Medications", "Onset", "Duration", "Severity"))


class Spoken(Protocol):
    """What is needed of an utterance."""

    @property
    def id(self) -> str: ...
    @property
    def speaker(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def text(self) -> str: ...


def draft_lines(utterances: Sequence[Spoken], encode: Encode, heads: Heads, sex: str = "") -> tuple[NoteLine, ...]:
    """The lines of a note, in order. `sex`: the patient's, where the chart knows it; else what the words tell."""
    told = [one.text for one in utterances if one.role in CLINICIANS]
    said = statements(clauses_of(utterances), sex if sex in ("male", "female") else sex_said(told))
    said = tuple(s for s in said if worth_a_look(s))
    if not said:
        return ()
    judged = judge(said, encode, heads)
    kept = choose(said, judged, budget_words(said, heads))
    return in_order([_line(said[at], judged, at) for at in kept])


def in_order(lines: Sequence[NoteLine]) -> tuple[NoteLine, ...]:
    """Lines by section and topic; within a topic as they come."""
    topics = list(TOPICS)
    return tuple(
        sorted(
            lines,
            key=lambda line: (
                SECTIONS.index(line.section),
                topics.index(line.topic) if line.topic in topics else len(topics),
            ),
        )
    )


def clauses_of(utterances: Sequence[Spoken]) -> list[Clause]:
    """Every clause of a visit, in order."""
    return [
        Clause(one.id, one.speaker, one.role, place, text)
        for one in utterances
        for place, text in enumerate(cut(one.text))
    ]


def budget_words(said: Sequence[Statement], heads: Heads) -> float:
    """How many words a clinician's note of such a visit has."""
    slope, start = map(float, heads.constant("length"))
    total = sum(len(words_of(s.text)) for s in said)
    return min(slope * total + start, 0.8 * total + 20)


def choose(said: Sequence[Statement], judged: Judged, budget: float) -> tuple[int, ...]:
    """Places of the statements to keep, in order: the most relevant first, until the budget is used. One that tells
    all of a kept one of its section, and more, takes its place."""
    words = [words_of(one.text) for one in said]
    sections = [TOPICS[topic_of(one, logs)] for one, logs in zip(said, judged.topics, strict=True)]
    kept: list[int] = []
    for place in np.argsort(-judged.relevance, kind="stable"):
        at = int(place)
        if judged.relevance[at] < LEAST_RELEVANCE:
            break
        # What shall be done is told by no line but a plan's: "continue lisinopril" is not "she was told to continue it".
        others = [one for one in kept if sections[one] == "plan"] if sections[at] == "plan" else kept
        if _told(set(words[at]), judged.vectors[at], [set(words[one]) for one in others], judged.vectors[others]):
            continue
        beside = [one for one in kept if sections[one] == sections[at]]
        if any(_holds(words[one], words[at]) for one in beside):
            continue
        left = [one for one in kept if one not in beside or not _holds(words[at], words[one])]
        if sum(len(words[one]) for one in left) + len(words[at]) <= budget:
            kept = [*left, at]
    return tuple(sorted(kept))


def _holds(more: Sequence[str], less: Sequence[str]) -> bool:
    """Whether a statement tells all that another one does."""
    content = {word for word in less if means(word)}
    return (
        bool(content)
        and content <= set(more)
        and _telling(set(less)) == _telling(set(less) & set(more))
        and (_denials(more) == _denials(less))
    )


def _denials(words: Sequence[str]) -> frozenset[str]:
    return _DENIALS & set(words)


def _told(words: set[str], vector: np.ndarray, kept: Sequence[set[str]], vectors: np.ndarray) -> bool:
    """Whether what is kept says this already; a number or denial of its own makes it new."""
    if not kept:
        return False
    if any(len(words & other) >= SAME_WORDS * len(words) for other in kept):
        return True
    close = np.flatnonzero(vectors @ vector > SAME_MEANING)
    return any(not _telling(words) - kept[at] for at in close)


def _telling(words: set[str]) -> set[str]:
    return {
        word
        for word in words
        if any(letter.isdigit() for letter in word) or word in _DENIALS or word in ("left", "right")
    }


def worth_a_look(statement: Statement) -> bool:
    """Not mere manners, and more than a scrap; an answered question is never a scrap ("Denies fever.")."""
    long_enough = statement.joined or len(statement.text.split()) >= MIN_WORDS
    asked = len(statement.clauses) > 1
    manners = only_manners(statement.text, statement.said, statement.role in CLINICIANS, asked)
    return long_enough and not manners and _tells(statement.text)


def _tells(text: str) -> bool:
    """Whether any word of it means something by itself: "Not at this point." does not."""
    head, colon, rest = text.partition(":")
    return any(map(means, words_of(rest if colon and head in _HEADINGS else text)))


def _line(statement: Statement, judged: Judged, at: int) -> NoteLine:
    topic = topic_of(statement, judged.topics[at])
    return NoteLine(statement.text, TOPICS[topic], statement.evidence, topic)


assert set(TOPICS.values()) == set(SECTIONS)
