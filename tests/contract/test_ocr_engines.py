"""What every OCR engine on the shelf must do."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from domain.document import Box, PageImage
from models.cards import CARDS
from models.contracts import OcrEngine
from models.shelf import ModelShelf
from pipelines.digitise import read_page
from tests.page_kit import TEXT, printed, tilted, turned

ENGINES = [card.id for card in CARDS if card.task == "ocr"]


@pytest.fixture(scope="module")
def shelf() -> ModelShelf:
    return ModelShelf(CARDS, 10_000)


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest, shelf: ModelShelf) -> Iterator[OcrEngine]:
    if request.param == "tesseract" and not shutil.which("tesseract"):
        pytest.skip("tesseract is not installed")
    with shelf.borrow(request.param) as borrowed:
        yield borrowed


@pytest.fixture(scope="module")
def default(shelf: ModelShelf) -> Iterator[OcrEngine]:
    with shelf.borrow(shelf.chosen("ocr").id) as borrowed:
        yield borrowed


def test_print_is_read_where_it_stands(engine: OcrEngine) -> None:
    page = printed(TEXT[:4], height=500)
    read = read_page(PageImage(1, page.pixels, 150), engine)
    found = {(word.text, tuple(word.box.as_list())) for word in read.words}
    right = sum(
        any(text == t and Box(*box).iou(Box.around(map(tuple, quad))) > 0.5 for t, box in found)
        for text, quad in page.words
    )
    assert right >= 0.9 * len(page.words)
    assert all(0 <= word.confidence <= 1 for word in read.words)


def test_a_blank_page_has_no_words(engine: OcrEngine) -> None:
    assert engine.read(np.full((400, 300, 3), 255, np.uint8)) == ()


def test_the_engine_carries_its_card(engine: OcrEngine) -> None:
    assert engine.card.task == "ocr"
    assert engine.card.stamp.id in ENGINES


def test_two_threads_read_the_same_as_one(default: OcrEngine) -> None:
    page = printed(TEXT[:3], height=420).pixels
    alone = default.read(page)
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(default.read, [page] * 4)) == [alone] * 4


@pytest.mark.parametrize(("quarters", "degrees"), [(1, 3.0), (2, 0.0), (2, -6.0), (3, 0.0), (0, 14.0)])
def test_turned_and_tilted_pages_are_read_like_upright_ones(default: OcrEngine, quarters: int, degrees: float) -> None:
    page = turned(tilted(printed(), degrees), quarters)
    read = read_page(PageImage(1, page.pixels, 150), default)
    assert read.rotation_deg == quarters * 90
    # A full stop at a line's end may be cut off with the white beside it; every letter and digit must be right.
    assert [text.rstrip(".%") for text in read.text.split()] == [text.rstrip(".%") for text, _ in page.words]
    true = [Box.around(map(tuple, quad)) for _, quad in page.words]
    overlaps = [word.box.iou(box) for word, box in zip(read.words, true, strict=True)]
    assert np.median(overlaps) > 0.75


def test_spaces_narrower_than_the_network_sees_are_kept(default: OcrEngine) -> None:
    page = printed(("Amoxicillin 1 g PO", "Furosemide 40 mg at 6 pm", "AST 61 H 5-40"), height=380)
    assert read_page(PageImage(1, page.pixels, 150), default).text.split() == [text for text, _ in page.words]
