"""Pages are read in order, side by side, with what failed said plainly."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from domain.document import Box, PageImage, PageSource, TextLine, TextWord
from domain.errors import Cancelled, ModelUnavailable
from models.cards import CARDS
from pipelines import digitise
from pipelines.digitise import needs_eye, read_page, read_pages
from pipelines.page_geometry import ReadyPage, make_ready
from pipelines.progress import CancelSwitch
from tests.page_kit import line_at

BLANK = np.full((300, 240, 3), 255, np.uint8)


class Fixed:
    """An engine that always finds the same words, and counts."""

    def __init__(self, lines: tuple[TextLine, ...]) -> None:
        self.card = CARDS[0]
        self.lines = lines
        self.calls = 0
        self._lock = threading.Lock()

    def read(self, pixels: np.ndarray) -> tuple[TextLine, ...]:
        with self._lock:
            self.calls += 1
        return self.lines


class Broken(Fixed):
    def read(self, pixels: np.ndarray) -> tuple[TextLine, ...]:
        raise RuntimeError("a library's own words")


def pages(count: int, taken: list[int] | None = None) -> Iterator[PageImage]:
    for number in range(1, count + 1):
        if taken is not None:
            taken.append(number)
        yield PageImage(number, BLANK, 100)


def doubtful(confidence: float) -> tuple[TextLine, ...]:
    return (TextLine((TextWord.upright("word", confidence, Box(10, 10, 60, 30)),)),)


def test_pages_come_in_order_and_few_are_held() -> None:
    taken: list[int] = []
    engine = Fixed((line_at("some words", 10, 10),))
    for read in read_pages(pages(30, taken), engine, 30, workers=2):
        assert len(taken) <= read.number + 2
        assert read.text == "some words"
    assert taken == list(range(1, 31))


def test_text_a_page_brought_along_is_kept_and_not_read_again() -> None:
    engine = Fixed(())
    own = (line_at("born digital", 10, 10),)
    read = read_page(PageImage(1, BLANK, 100, own_lines=own), engine)
    assert (read.lines, read.source, engine.calls) == (own, PageSource.BORN_DIGITAL, 0)


def test_a_stopped_job_stops() -> None:
    switch = CancelSwitch()
    reader = read_pages(pages(20), Fixed((line_at("some words", 10, 10),)), 20, switch, workers=2)
    next(reader)
    switch.stop()
    with pytest.raises(Cancelled):
        list(reader)


def test_a_stop_does_not_wait_for_the_page_that_is_being_read() -> None:
    reading, go_on = threading.Event(), threading.Event()

    class Slow(Fixed):
        def read(self, pixels: np.ndarray) -> tuple[TextLine, ...]:
            reading.set()
            go_on.wait(30)
            return super().read(pixels)

    switch = CancelSwitch()
    engine = Slow((line_at("some words", 10, 10),))

    def stop_once_reading(done: float, total: float, unit: str, message: str) -> None:
        if reading.is_set():
            switch.stop()
        switch(done, total, unit, message)

    try:
        with pytest.raises(Cancelled):
            list(read_pages(pages(5), engine, 5, stop_once_reading, workers=1))
        assert engine.calls == 0, "the page that was under way has not been waited for"
    finally:
        go_on.set()


def test_a_page_that_breaks_the_engine_is_named_without_the_librarys_words() -> None:
    with pytest.raises(ModelUnavailable, match="Page 1") as refused:
        list(read_pages(pages(3), Broken(()), 3, workers=2))
    assert "library" not in refused.value.user_message


def test_a_page_without_text_says_so() -> None:
    read = read_page(PageImage(4, BLANK, 100), Fixed(()))
    assert any("Page 4" in warning and "no text" in warning for warning in read.warnings)
    assert needs_eye(read)


def test_a_doubtful_page_asks_for_a_persons_eye() -> None:
    assert needs_eye(read_page(PageImage(1, BLANK, 100), Fixed(doubtful(0.4))))
    assert not needs_eye(read_page(PageImage(1, BLANK, 100), Fixed(doubtful(0.99))))


def test_a_flattened_photograph_that_reads_well_needs_nobodys_eye(monkeypatch: pytest.MonkeyPatch) -> None:
    def flattened(pixels: np.ndarray, more_turns: int = 0) -> ReadyPage:
        return replace(make_ready(pixels, more_turns), flattened=True)

    monkeypatch.setattr(digitise, "make_ready", flattened)
    assert read_page(PageImage(1, BLANK, 100), Fixed(doubtful(0.99))).warnings == ()
    assert any("flattened" in told for told in read_page(PageImage(1, BLANK, 100), Fixed(doubtful(0.4))).warnings)


class UpsideDown(Fixed):
    """Finds that every page lies upside down, and reads it so: words run leftward."""

    def read(self, pixels: np.ndarray) -> tuple[TextLine, ...]:
        self.calls += 1
        height, width = pixels.shape[:2]
        first = ((width - 10.0, height - 10.0), (width - 110.0, height - 10.0))
        word = TextWord("furosemide", 0.99, (*first, (width - 110.0, height - 40.0), (width - 10.0, height - 40.0)))
        return (TextLine((word,)),)


def test_a_page_the_engine_found_upside_down_is_read_once_and_lands_on_its_words() -> None:
    engine = UpsideDown(())
    page = PageImage(1, np.full((2200, 1600, 3), 255, np.uint8), 150.0)
    read = read_page(page, engine)
    assert engine.calls == 1
    assert read.rotation_deg == 180
    (word,) = read.words
    assert word.quad[0] == pytest.approx((1590.0, 2190.0))
    assert word.quad[2] == pytest.approx((1490.0, 2160.0))
