"""Reads a folder of pages whose words are known, with each way of reading, and prints how exact and costly each is.

    python -m benchmarks.ocr --data DIR [--engines NAME ...] [--raw NAME ...] [--pages NAME ...] [--show]

DIR holds NAME.jpg and NAME.json {"dpi", "lines": [{"text", "words": [{"t", "quad"}]}]}, quads in the picture's pixels.
One run prints our default, the raw engines (no geometry of ours), and OCRmyPDF with its own defaults, side by side.

line CER: over the true lines, edits between the line and the words read whose centres lie on it (left to right along
the line), over its characters; mean over lines. page CER: edits between the whole texts in reading order. at place: of
the true words, those matched one to one by a read word of equal text whose box overlaps by an IoU of 0.3 or more.
in PDF: the same of the words that PDFium and pdfminer find in the written searchable PDF, the lower of the two. IoU:
median, over the words at place, of upright boxes. CPU: seconds of this process and its children a page, for reading,
and for reading and writing the searchable PDF. OCRmyPDF does both in one; its words are those of its PDF.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from PIL import Image
from rapidfuzz.distance import Levenshtein

from benchmarks import pdf_words
from domain.document import Box, OcrPage, PageImage, PageSource, TextLine, TextWord
from domain.limits import Limits
from domain.settings import telemetry_off, waiting_threads_sleep
from models.cards import CARDS
from models.shelf import ModelShelf
from pipelines import intake, text_layer
from pipelines.digitise import read_page

PLACE_IOU = 0.3
DEFAULT = next(card.id for card in CARDS if card.task == "ocr")
RAW_PEERS = ("tesseract", "paddleocr-tiny")
OCRMYPDF = "OCRmyPDF default"
OCRMYPDF_SECONDS = 300
Reader = Callable[[PageImage], OcrPage]


@dataclass(frozen=True, slots=True)
class Score:
    """Figures of one page; NaN where a way of reading has no such thing."""

    line_cer: float
    page_cer: float
    at_place: float
    in_pdf: float
    iou: float
    read_cpu_s: float
    cpu_s: float


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--engines", nargs="*", default=[DEFAULT], help="engines behind our geometry")
    parser.add_argument("--raw", nargs="*", default=list(RAW_PEERS), help="engines that read the page as it is")
    parser.add_argument("--without-ocrmypdf", action="store_true")
    parser.add_argument("--pages", nargs="*", default=[])
    parser.add_argument("--show", action="store_true", help="print each page")
    options = parser.parse_args()
    telemetry_off()
    waiting_threads_sleep()
    logging.getLogger("ocrmypdf").setLevel(logging.ERROR)
    shelf = ModelShelf(CARDS, 100_000)
    names = options.pages or sorted(path.stem for path in options.data.glob("*.jpg"))
    print(
        f"{'engine':32} {'line CER':>9} {'page CER':>9} {'at place':>9} {'in PDF':>7} {'IoU':>6} {'CPU read':>9} "
        f"{'with PDF':>9}   over {len(names)} pages"
    )
    ways = [(engine_id, False) for engine_id in options.engines] + [(engine_id, True) for engine_id in options.raw]
    ways += [] if options.without_ocrmypdf else [(OCRMYPDF, True)]
    for engine_id, raw in ways:
        with nullcontext() if engine_id == OCRMYPDF else shelf.borrow(engine_id) as engine:
            scores = list(_scores(options.data, names, engine, raw, options.show))
        _print(engine_id + (" (raw)" if raw and engine else ""), scores)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak RSS of this process {peak:.0f} MB")


def _scores(data: Path, names: Sequence[str], engine, raw: bool, show: bool) -> Iterator[Score]:  # type: ignore[no-untyped-def]
    if engine is not None:
        read = _raw_reader(engine) if raw else lambda page: read_page(page, engine)
        read(PageImage(1, np.full((64, 64, 3), 255, np.uint8), 300))  # loading is not counted
    for name in names:
        truth = json.loads((data / f"{name}.json").read_text("utf-8"))
        picture = data / f"{name}.jpg"
        score = _by_ocrmypdf(picture, truth) if engine is None else _by_engine(picture, truth, read, not raw)
        if show:
            _print(f"  {name}", [score])
        yield score


def _raw_reader(engine) -> Reader:  # type: ignore[no-untyped-def]
    def read(page: PageImage) -> OcrPage:
        lines = engine.read(page.pixels)
        return OcrPage(page.number, page.width_px, page.height_px, page.dpi, 0, 0.0, PageSource.OCR, lines)

    return read


def _by_engine(picture: Path, truth: dict, read: Reader, write: bool) -> Score:
    """`write`: also make the searchable PDF, and read its words back."""
    with Image.open(picture) as image:
        page = PageImage(1, np.asarray(image.convert("RGB")), float(truth["dpi"]))
    before = _cpu()
    found = read(page)
    read_cpu = _cpu() - before
    line_cer, page_cer, at_place, iou = compare(truth["lines"], found.lines)
    in_pdf = cpu = float("nan")
    if write:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "searchable.pdf"
            before = _cpu()
            text_layer.lay_text(intake.receive(picture, Limits()), (found,), "Page", "en", out=out)
            cpu = read_cpu + _cpu() - before
            in_pdf = _at_place_in(out, truth, page.width_px, page.height_px)
    return Score(line_cer, page_cer, at_place, in_pdf, iou, read_cpu, cpu)


def _by_ocrmypdf(picture: Path, truth: dict) -> Score:
    """OCRmyPDF as it comes: its engine tesseract, no turning, no straightening; a page a process."""
    with Image.open(picture) as image:
        width, height = image.size
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "searchable.pdf"
        command = [sys.executable, "-m", "ocrmypdf", "--image-dpi", str(round(truth["dpi"])), "-l", "eng", "-j", "1"]
        environment = os.environ | {"OMP_THREAD_LIMIT": "1"}
        before = _cpu()
        subprocess.run(
            [*command, str(picture), str(out)],
            check=True, capture_output=True, env=environment, timeout=OCRMYPDF_SECONDS,
        )  # fmt: skip
        cpu = _cpu() - before
        words = pdf_words.by_pdfium(out, width, height)
        line = TextLine(tuple(TextWord.upright(text, 1.0, box) for text, box in words))
        line_cer, page_cer, at_place, iou = compare(truth["lines"], (line,))
        in_pdf = _at_place_in(out, truth, width, height)
    return Score(line_cer, page_cer, at_place, in_pdf, iou, float("nan"), cpu)


def _at_place_in(pdf: Path, truth: dict, width_px: int, height_px: int) -> float:
    """Share of the true words that both PDFium and pdfminer find where they stand; the lower of the two."""
    shares = []
    for reader in (pdf_words.by_pdfium, pdf_words.by_pdfminer):
        overlaps, count = overlaps_at_place(truth["lines"], reader(pdf, width_px, height_px))
        shares.append(len(overlaps) / max(1, count))
    return min(shares)


def compare(truth: list[dict], lines: tuple[TextLine, ...]) -> tuple[float, float, float, float]:
    """line CER, page CER, share of words at place, median IoU of those."""
    read = [word for line in lines for word in line.words]
    overlaps, count = overlaps_at_place(truth, [(word.text, word.box) for word in read])
    line_cers = list(_line_cers(truth, read))
    page_truth, page_read = "\n".join(line["text"] for line in truth), "\n".join(line.text for line in lines)
    page_cer = Levenshtein.distance(page_truth, page_read) / max(1, len(page_truth))
    at_place = len(overlaps) / max(1, count)
    return statistics.mean(line_cers), page_cer, at_place, statistics.median(overlaps) if overlaps else 0.0


def overlaps_at_place(truth: list[dict], read: Sequence[tuple[str, Box]]) -> tuple[list[float], int]:
    """IoU of each true word that is read at its place, and how many true words there are."""
    boxes = [Box.around((float(x), float(y)) for x, y in word["quad"]) for line in truth for word in line["words"]]
    texts = [word["t"] for line in truth for word in line["words"]]
    free = set(range(len(read)))
    overlaps = []
    for box, text in zip(boxes, texts, strict=True):
        rivals = [(box.iou(read[i][1]), i) for i in free if read[i][0] == text]
        best, index = max(rivals, default=(0.0, -1))
        if best >= PLACE_IOU:
            free.discard(index)
            overlaps.append(best)
    return overlaps, len(texts)


def _line_cers(truth: list[dict], read: list) -> Iterator[float]:
    if not read:
        yield from (1.0 for _ in truth)
        return
    centres = [((word.box.left + word.box.right) / 2, (word.box.top + word.box.bottom) / 2) for word in read]
    owner: dict[int, int] = {}
    frames = [_frame(line) for line in truth]
    for index, centre in enumerate(centres):
        distances = [_distance(frame, centre) for frame in frames]
        nearest = int(np.argmin(distances))
        if distances[nearest] < 0.6:
            owner[index] = nearest
    for number, line in enumerate(truth):
        origin, along, _height, _length = frames[number]
        mine = sorted(
            (i for i, n in owner.items() if n == number), key=lambda i: float((np.array(centres[i]) - origin) @ along)
        )
        text = " ".join(read[i].text for i in mine)
        yield min(1.0, Levenshtein.distance(line["text"], text) / max(1, len(line["text"])))


def _frame(line: dict) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Middle of the line's start, its direction, its height and its length."""
    first, last = np.array(line["words"][0]["quad"], float), np.array(line["words"][-1]["quad"], float)
    start, end = (first[0] + first[3]) / 2, (last[1] + last[2]) / 2
    length = float(np.linalg.norm(end - start))
    height = max(float(np.linalg.norm(np.array(w["quad"][3]) - np.array(w["quad"][0]))) for w in line["words"])
    return start, (end - start) / max(length, 1e-6), height, length


def _distance(frame: tuple[np.ndarray, np.ndarray, float, float], point: tuple[float, float]) -> float:
    """Distance from the line's middle in heights; far off where the point is beyond its ends."""
    start, along, height, length = frame
    offset = np.array(point) - start
    place = float(offset @ along)
    if not -height < place < length + height:
        return 99.0
    return abs(float(offset @ np.array([-along[1], along[0]]))) / max(height, 1e-6)


def _cpu() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def _print(title: str, scores: list[Score]) -> None:
    mean = {field.name: statistics.mean(getattr(score, field.name) for score in scores) for field in fields(Score)}
    shares = [
        f"{'-' if np.isnan(mean[name]) else format(mean[name], form):>{width}}"
        for name, form, width in (
            ("line_cer", ".2%", 9), ("page_cer", ".2%", 9), ("at_place", ".1%", 9), ("in_pdf", ".1%", 7),
            ("iou", ".2f", 6), ("read_cpu_s", ".2f", 9), ("cpu_s", ".2f", 9),
        )
    ]  # fmt: skip
    print(f"{title:32}", *shares)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
