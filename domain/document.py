"""A record on paper and what was read from it: pages, lines, words, boxes, facts, passages, hits.

Pages are numbered from 1. Boxes and quads are pixels of the page as it was uploaded (after EXIF orientation; a
PDF page is seen as a viewer shows it, rendered at `dpi`), origin top-left, x to the right, y down.
Confidence is 0.0 to 1.0.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

import numpy as np

from domain.models import ModelStamp

Point = tuple[float, float]
Quad = tuple[Point, Point, Point, Point]
"""Corners of a word in reading direction: its top-left first, then clockwise as the reader sees the word."""


@dataclass(frozen=True, slots=True)
class Box:
    """An upright rectangle in pixels of its page; right and bottom are exclusive."""

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        if self.right < self.left or self.bottom < self.top:
            raise ValueError(
                f"box is inside out: left {self.left} right {self.right} top {self.top} bottom {self.bottom}"
            )

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def area(self) -> float:
        return self.width * self.height

    def iou(self, other: Box) -> float:
        """Intersection over union, 0.0 to 1.0."""
        across = min(self.right, other.right) - max(self.left, other.left)
        down = min(self.bottom, other.bottom) - max(self.top, other.top)
        shared = max(0.0, across) * max(0.0, down)
        union = self.area + other.area - shared
        return shared / union if union else 0.0

    def as_list(self) -> list[float]:
        """[left, top, right, bottom], the shape of the outside contract."""
        return [self.left, self.top, self.right, self.bottom]

    @staticmethod
    def around(points: Iterable[Point]) -> Box:
        """The smallest box that holds every point; raises ValueError on none."""
        xs, ys = zip(*points, strict=True)
        return Box(min(xs), min(ys), max(xs), max(ys))

    @staticmethod
    def covering(boxes: Iterable[Box]) -> Box:
        """The smallest box that holds every box."""
        return Box.around(p for b in boxes for p in ((b.left, b.top), (b.right, b.bottom)))


@dataclass(frozen=True, slots=True)
class TextWord:
    """One word. `quad` follows its slope; `box` is the upright rectangle around it.

    `machine_text` keeps what the engine read when a person has corrected the word; None while untouched.
    A corrected word has confidence 1.0.
    """

    text: str
    confidence: float
    quad: Quad
    machine_text: str | None = None

    def __post_init__(self) -> None:
        if not 0.0 <= self.confidence <= 1.0:
            raise ValueError(f"confidence {self.confidence} of a word is outside 0 to 1")

    @property
    def box(self) -> Box:
        return Box.around(self.quad)

    @staticmethod
    def upright(text: str, confidence: float, box: Box) -> TextWord:
        """A word whose quad is its box."""
        top_left, top_right = (box.left, box.top), (box.right, box.top)
        bottom_right, bottom_left = (box.right, box.bottom), (box.left, box.bottom)
        return TextWord(text, confidence, (top_left, top_right, bottom_right, bottom_left))


@dataclass(frozen=True, slots=True)
class TextLine:
    """Words that stand on one baseline, in reading direction; a table cell is a line of its own row."""

    words: tuple[TextWord, ...]

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


class PageSource(StrEnum):
    """Where a page's words come from."""

    OCR = "ocr"
    BORN_DIGITAL = "born_digital"  # the PDF's own text, kept as it is
    TYPED = "typed"  # a record that was never paper


@dataclass(frozen=True, slots=True)
class PageImage:
    """A page to be read. `pixels`: uint8 (height, width, 3) RGB, as uploaded. `own_lines`: text a PDF brought along."""

    number: int
    pixels: np.ndarray
    dpi: float
    own_lines: tuple[TextLine, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def width_px(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def height_px(self) -> int:
        return int(self.pixels.shape[0])


@dataclass(frozen=True, slots=True)
class OcrPage:
    """What was read from one page.

    `lines` are in reading order. `rotation_deg`: degrees clockwise by which the text lies turned, one of 0, 90,
    180, 270; `skew_deg`: what remains, -45 to 45 clockwise.
    """

    number: int
    width_px: int
    height_px: int
    dpi: float
    rotation_deg: int
    skew_deg: float
    source: PageSource
    lines: tuple[TextLine, ...]
    warnings: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[TextWord, ...]:
        """All words in reading order; a word_index counts into this."""
        return tuple(word for line in self.lines for word in line.words)

    @property
    def text(self) -> str:
        return "\n".join(line.text for line in self.lines)

    @property
    def confidence(self) -> float:
        """Mean of the words, weighted by their length; 0.0 for a page without words."""
        total = sum(len(word.text) for word in self.words)
        return sum(word.confidence * len(word.text) for word in self.words) / total if total else 0.0


class FactKind(StrEnum):
    """What kind of statement was understood on a page."""

    NAME = "name"
    BIRTH_DATE = "birth_date"
    RECORD_NUMBER = "record_number"
    DATE = "date"
    MEDICATION = "medication"
    LAB = "lab"
    ALLERGY = "allergy"
    DIAGNOSIS = "diagnosis"


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing the machine understood, tied to the words that say it.

    `label`: its name ("Potassium", "amoxicillin"); `value`: as written ("5.4", "1 g PO three times daily", ISO date
    for dates); `unit`; `flag`: "low", "high" or "" for labs; `word_indices` count into OcrPage.words of `page`.
    `negated`: the page denies it ("no known allergies"). `confidence`: lowest of its words.
    """

    kind: FactKind
    label: str
    value: str
    page: int
    word_indices: tuple[int, ...]
    confidence: float
    unit: str = ""
    flag: str = ""
    reference: str = ""
    negated: bool = False


@dataclass(frozen=True, slots=True)
class OcrDocument:
    """A record as kept. `patient_id` is "" while it is filed to nobody. `document_date`: the date the record bears."""

    document_id: str
    patient_id: str
    title: str
    pages: tuple[OcrPage, ...]
    model: ModelStamp
    created_at: datetime
    language: str = "en"
    kind: str = "other"
    document_date: date | None = None
    facts: tuple[Fact, ...] = ()
    warnings: tuple[str, ...] = ()
    revision: int = 1  # grows by one with each correction


@dataclass(frozen=True, slots=True)
class Correction:
    """A person's mending of one word; the old reading stays here."""

    document_id: str
    page: int
    word_index: int
    old_text: str
    new_text: str
    corrected_at: datetime
    corrected_by: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of one page that search finds as a unit. `word_indices` count into OcrPage.words."""

    passage_id: str
    document_id: str
    patient_id: str
    page: int
    text: str
    word_indices: tuple[int, ...]
    document_date: date | None = None
    kind: str = "other"


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that answers a query, with the receipt of its rank.

    `keyword_rank` and `semantic_rank` count from 1, None where that search did not find it. `boxes`: the words that
    matched (or the whole passage where none did). `negated`: the passage denies what was asked. `named`: it names what
    was asked, in whatever words; of a query without a finding whose names are known, it holds a word.
    """

    passage: Passage
    score: float
    keyword_rank: int | None
    semantic_rank: int | None
    negated: bool
    boxes: tuple[Box, ...] = ()
    matched_terms: tuple[str, ...] = field(default=())
    named: bool = True
