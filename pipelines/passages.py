"""Pages cut into passages: the stretches of text that search finds as a unit.

Knows pages, words and where sentences end; knows no index and no model.
"""

from __future__ import annotations

import re

from domain.document import OcrDocument, OcrPage, Passage

PASSAGE_CHARS = 900  # about 140 words: fills the encoder's 256 tokens and still fits on one screen
OVERLAP_CHARS = 150  # a sentence or two, so that a fact on the seam is whole in one of the two passages
_SENTENCE_END = re.compile(r"[.!?;:][\"')\]]*$")


def cut(document: OcrDocument) -> tuple[Passage, ...]:
    """Passages of every page in reading order. A passage never crosses a page; a page without words has none.

    Each has at most PASSAGE_CHARS characters (a longer single word stands alone), begins and ends between words, at
    the end of a sentence where one is near, and overlaps its neighbour by about OVERLAP_CHARS.
    """
    return tuple(
        Passage(
            passage_id=f"{document.document_id}:{page.number}:{number}",
            document_id=document.document_id,
            patient_id=document.patient_id,
            page=page.number,
            text=" ".join(page.words[index].text for index in range(start, end)),
            word_indices=tuple(range(start, end)),
            document_date=document.document_date,
            kind=document.kind,
        )
        for page in document.pages
        for number, (start, end) in enumerate(word_spans(page), start=1)
    )


def word_spans(page: OcrPage) -> tuple[tuple[int, int], ...]:
    """(start, end) word indices of each passage of a page; end is exclusive."""
    words = [word.text for word in page.words]
    spans: list[tuple[int, int]] = []
    start = 0
    while start < len(words):
        end = _reach(words, start)
        if end < len(words):
            end = _back_to_sentence_end(words, start, end)
        spans.append((start, end))
        if end >= len(words):
            break
        start = _overlap_start(words, start, end)
    return tuple(spans)


def _reach(words: list[str], start: int) -> int:
    """The furthest end for a passage that starts here: as many words as fit, at least one."""
    chars, end = 0, start
    while end < len(words) and (end == start or chars + 1 + len(words[end]) <= PASSAGE_CHARS):
        chars += len(words[end]) + (end > start)
        end += 1
    return end


def _back_to_sentence_end(words: list[str], start: int, end: int) -> int:
    """The last sentence end in the final quarter of the span, or `end` when there is none."""
    for candidate in range(end, start + (3 * (end - start)) // 4, -1):
        if _SENTENCE_END.search(words[candidate - 1]):
            return candidate
    return end


def _overlap_start(words: list[str], start: int, end: int) -> int:
    """Where the next passage begins: OVERLAP_CHARS before `end`, and always further on than this one did."""
    chars, begin = 0, end
    while begin - 1 > start and chars + len(words[begin - 1]) + 1 <= OVERLAP_CHARS:
        begin -= 1
        chars += len(words[begin]) + 1
    for candidate in range(begin, end):
        if candidate > start + 1 and _SENTENCE_END.search(words[candidate - 1]):
            return candidate
    return begin
