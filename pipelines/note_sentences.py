"""Cuts what was said into clauses that can stand as one line of a note, and clears away what only speech needs.

Only sounds and repetitions go ("um", "the, the", "you know"): every number, name, side and denial stays as it was said.
A recogniser may give no punctuation at all; a long run is then cut where speakers begin anew ("okay", "and then", "so").
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

LONG_WORDS = 28  # an unpunctuated run longer than this is cut at words that begin a new thought
BARE_WORDS = 20  # the same where there is not even a comma
SHORT_WORDS = 4  # a piece shorter than this is left with its neighbour

# Text corpora and some recognisers part words the Penn Treebank way.
_JOINED = (
    (re.compile(r"\s+n't\b", re.I), "n't"),
    (re.compile(r"\s+('s|'re|'ve|'ll|'d|'m)\b", re.I), r"\1"),
    (re.compile(r"\b(gon|wan)\s+na\b", re.I), r"\1na"),
    (re.compile(r"\bgot\s+ta\b", re.I), "gotta"),
    (re.compile(r"\s+([,.?!;:%])"), r"\1"),
)
_SOUNDS = re.compile(
    r"(?<![\w'-])(?:um+|uh+|erm?|hmm+|mm+|mhm|mm-hmm+|uh-huh|ah|oh|you know|i mean|kind of|kinda|sort of)(?![\w'-]),?\s*",
    re.I,
)
_STUTTER = re.compile(r"\b([\w']+(?: [\w']+){0,3})(?:\s*,?\s+\1\b)+", re.I)
_RESTARTS = (  # "I, I'm", "I-I do", "I-we will": what was begun is said anew
    re.compile(r"\b(i|we|you|he|she|it|they|that|there),?\s+(?=\1'\w)", re.I),
    re.compile(r"\b(i|we|you|he|she|it|they|the|a|and|but|that|my|your|in|of|to|is|was)-(?=\1\b)", re.I),
    re.compile(r"\b(?:i|we|he|she|they|it)-(?=(?:i|we|you|he|she|they|it)\b)", re.I),
)
# A comma after such a word stood around a sound that is gone: "lack of, um, energy".
_STRAY_COMMA = (
    re.compile(r"\b(of|an?|the|to|in|on|with|my|your|his|her|their|our|for|at|from|by|just|very|some|(?:is|was|are|have|has|had) no)\s*,\s+(?!(?:there|it|i|we|he|she|they|you)\b)", re.I),
    re.compile(r"\b(is|was|are|were)\s*,\s+(?!(?:i|we|you|he|she|it|they|that|as|like|so|what|the)\b)", re.I),
)  # fmt: skip
_BROKEN = re.compile(r"\b\w+-(?=[\s,.]|$)\s*")  # "ex- exerting"
_SENTENCE = re.compile(r"(?<=[.?!;])[\"')\]]*\s+(?=\S)")
_ABBREVIATION = re.compile(r"\b(?:dr|mr|mrs|ms|st|vs|approx|no|e\.g|i\.e|[a-z])\.$", re.I)
_MARK = re.compile(r"[,;:.?!]\s|[,;:?!]$")
_BEGINS_ANEW = re.compile(
    r"\s+(?=(?:okay|alright|all right|so|but|and (?:then|i|he|she|you|it|we|they|your|my|the|that|have|do|did|are|is|what|how)"
    r"|now|because|well|then|(?:do|did|are|were|have|can) you|(?:does|did|is|was) it|did they|let's|i'm gonna|i want|i'd like|we'll|we're gonna|what|how)\s)",
    re.I,
)
# "For your first problem, your back pain." No subject and no verb: it stopped where the speaker drew breath.
_ONLY_BEGINS = re.compile(
    r"(?:(?:and|so|okay|alright|now|then|but)[\s,]+)*(?:for|on|regarding|as for|in terms of) (?:your|his|her|their|my|the|this)\b"
    r"(?!.*\b(?:i|you|he|she|it|we|they|there|is|are|was|were|be|been|have|has|had|do|does|did|can|could|will|would|should|"
    r"looks?|seems?|feels?|hurts?|helps?|take|use|see|hear|think|want|need|go|come|get|start|stop|continue|keep|try|call)\b)"
    r"(?:[ ,]+[\w'-]+){1,8}\.$",
    re.I,
)
_ANSWERS = re.compile(r"(?:yes|yeah|yep|no|nope|okay|ok|right|correct|sure|alright|thank)\b|\S+(?:\s+\S+){0,2}$", re.I)
_PLAIN_STARTS = frozenset(
    "the there your you it this that these we he she they his her my a an no all everything".split()
)
_EDGE = re.compile(r"^[\s,.;:!-]+|[\s,;:-]+$")


@dataclass(frozen=True, slots=True)
class Clause:
    """A piece of one utterance. `place`: its number within the utterance, from 0; `text`: tidied."""

    utterance_id: str
    speaker: str
    role: str
    place: int
    text: str

    @property
    def asks(self) -> bool:
        """Whether it is written as a question."""
        return self.text.endswith("?")


def tidy(text: str) -> str:
    """The words without sounds, stutters and stray spaces."""
    for pattern, mended in _JOINED:
        text = pattern.sub(mended, text)
    text = _BROKEN.sub("", text)
    text = _SOUNDS.sub("", text)
    for restart in _RESTARTS:
        text = restart.sub("", text)
    text = _STUTTER.sub(_once, text)
    for stray in _STRAY_COMMA:
        text = stray.sub(r"\1 ", text)
    text = re.sub(r"\.\s*\.(?:\s*\.)*", ",", text)  # a pause written as dots
    text = re.sub(r",(?:\s*,)+", ",", text)
    text = re.sub(r",\s*([.?!])", r"\1", text)
    return _EDGE.sub("", " ".join(text.split()))


def cut(text: str) -> tuple[str, ...]:
    """The tidied clauses of an utterance, in order; none where only sounds were made."""
    pieces: list[str] = []
    for sentence in _with_their_beginnings(_sentences(tidy(text))):
        pieces.extend(_shortened(sentence))
    return tuple(piece for piece in map(_edged, pieces) if any(letter.isalnum() for letter in piece))


def _once(match: re.Match[str]) -> str:
    # "twenty twenty" and "five five" are values, not stutters
    return match[0] if any(_is_number(word) for word in match[1].split()) else match[1]


def _is_number(word: str) -> bool:
    from pipelines.note_numbers import is_number_word

    return is_number_word(word)


def _sentences(text: str) -> list[str]:
    found: list[str] = []
    for piece in _SENTENCE.split(text):
        if found and _ABBREVIATION.search(found[-1]):
            found[-1] += " " + piece
        else:
            found.append(piece)
    return found


def _with_their_beginnings(sentences: Sequence[str]) -> list[str]:
    """A beginning that says nothing alone ("On your lung exam.") goes before the sentence that follows it."""
    found: list[str] = []
    for before, sentence in zip(("", *sentences), sentences, strict=False):
        if _ONLY_BEGINS.match(before) and not _ANSWERS.match(sentence):
            first, _, rest = sentence.partition(" ")
            follows = f"{first.lower() if first.lower() in _PLAIN_STARTS else first} {rest}".strip()
            found[-1] = f"{found[-1].rstrip('.')}, {follows}"
        else:
            found.append(sentence)
    return found


def _shortened(sentence: str) -> list[str]:
    if len(sentence.split()) <= (LONG_WORDS if _MARK.search(sentence) else BARE_WORDS):
        return [sentence]
    pieces: list[str] = []
    for piece in _BEGINS_ANEW.split(sentence):
        if pieces and (len(piece.split()) < SHORT_WORDS or len(pieces[-1].split()) < SHORT_WORDS):
            pieces[-1] += " " + piece
        else:
            pieces.append(piece)
    return pieces


def _edged(piece: str) -> str:
    return _EDGE.sub("", piece)


def words_of(text: str) -> Sequence[str]:
    """Lower-case words and numbers, apostrophes kept."""
    return re.findall(r"[a-z0-9]+(?:[.'’/][a-z0-9]+)*", text.lower())
