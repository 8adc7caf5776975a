"""Reads a folder of pages whose words are known, with each engine, and prints how exact and how costly each is.

    python -m benchmarks.ocr --data DIR [--engines NAME ...] [--pages NAME ...]

DIR holds NAME.jpg and NAME.json {"dpi", "lines": [{"text", "words": [{"t", "quad"}]}]}, quads in the picture's pixels.

line CER: over the true lines, edits between the line and the words read whose centres lie on it (left to right along
the line), over its characters; mean over lines. page CER: edits between the whole texts in reading order. at place: of
the true words, those matched one to one by a read word of equal text whose box overlaps by an IoU of 0.3 or more. IoU: median, over the
words at place, of upright boxes. CPU: seconds of this process and its children a page.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from rapidfuzz.distance import Levenshtein

from domain.document import Box, OcrPage, PageImage, TextLine
from domain.settings import telemetry_off
from models.cards import CARDS
from models.shelf import ModelShelf
from pipelines.digitise import read_page

PLACE_IOU = 0.3


@dataclass(frozen=True, slots=True)
class Score:
    """Figures of one page."""

    line_cer: float
    page_cer: float
    at_place: float
    iou: float
    cpu_s: float


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--engines", nargs="*", default=[card.id for card in CARDS if card.task == "ocr"])
    parser.add_argument("--pages", nargs="*", default=[])
    parser.add_argument(
        "--raw", nargs="*", default=[], help="engines that read the page as it is, without our geometry"
    )
    parser.add_argument("--show", action="store_true", help="print each page")
    options = parser.parse_args()
    telemetry_off()
    shelf = ModelShelf(CARDS, 100_000)
    names = options.pages or sorted(path.stem for path in options.data.glob("*.jpg"))
    print(
        f"{'engine':32} {'line CER':>9} {'page CER':>9} {'at place':>9} {'IoU':>6} {'CPU s':>7}   over {len(names)} pages"
    )
    for engine_id, raw in [(e, False) for e in options.engines] + [(e, True) for e in options.raw]:
        with shelf.borrow(engine_id) as engine:
            read = _raw_reader(engine) if raw else lambda page, engine=engine: read_page(page, engine)
            read(PageImage(1, np.full((64, 64, 3), 255, np.uint8), 300))  # loading is not counted
            scores = {}
            for name in names:
                scores[name] = _score(options.data, name, read)
                if options.show:
                    _print(f"  {name}", [scores[name]])
        _print(engine_id + (" (raw)" if raw else ""), list(scores.values()))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak RSS of this process {peak:.0f} MB")


def _raw_reader(engine) -> Callable[[PageImage], OcrPage]:  # type: ignore[no-untyped-def]
    def read(page: PageImage) -> OcrPage:
        from domain.document import PageSource

        lines = engine.read(page.pixels)
        return OcrPage(page.number, page.width_px, page.height_px, page.dpi, 0, 0.0, PageSource.OCR, lines)

    return read


def _score(data: Path, name: str, read: Callable[[PageImage], OcrPage]) -> Score:
    truth = json.loads((data / f"{name}.json").read_text("utf-8"))
    with Image.open(data / f"{name}.jpg") as picture:
        page = PageImage(1, np.asarray(picture.convert("RGB")), float(truth["dpi"]))
    before = _cpu()
    found = read(page)
    return Score(*compare(truth["lines"], found.lines), cpu_s=_cpu() - before)


def compare(truth: list[dict], lines: tuple[TextLine, ...]) -> tuple[float, float, float, float]:
    """line CER, page CER, share of words at place, median IoU of those."""
    read = [word for line in lines for word in line.words]
    boxes = [Box.around((float(x), float(y)) for x, y in word["quad"]) for line in truth for word in line["words"]]
    texts = [word["t"] for line in truth for word in line["words"]]
    free = set(range(len(read)))
    overlaps = []
    for box, text in zip(boxes, texts, strict=True):
        rivals = [(box.iou(read[i].box), i) for i in free if read[i].text == text]
        best, index = max(rivals, default=(0.0, -1))
        if best >= PLACE_IOU:
            free.discard(index)
            overlaps.append(best)
    line_cers = list(_line_cers(truth, read))
    page_truth, page_read = "\n".join(line["text"] for line in truth), "\n".join(line.text for line in lines)
    page_cer = Levenshtein.distance(page_truth, page_read) / max(1, len(page_truth))
    at_place = len(overlaps) / max(1, len(texts))
    return statistics.mean(line_cers), page_cer, at_place, statistics.median(overlaps) if overlaps else 0.0


def _line_cers(truth: list[dict], read: list) -> Iterator[float]:
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
    mean = {name: statistics.mean(getattr(s, name) for s in scores) for name in Score.__dataclass_fields__}
    print(
        f"{title:32} {mean['line_cer']:9.2%} {mean['page_cer']:9.2%} {mean['at_place']:9.1%} {mean['iou']:6.2f} "
        f"{mean['cpu_s']:7.2f}"
    )
    sys.stdout.flush()


if __name__ == "__main__":
    main()
