"""Reads pages: geometry, the engine, tight boxes, reading order; side by side over the cores, in page order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace

import numpy as np

from domain.document import OcrPage, PageImage, PageSource, TextLine, TextWord
from domain.errors import HealthConnectError, ModelUnavailable
from models.contracts import OcrEngine
from pipelines.page_cleaning import is_blurred
from pipelines.page_geometry import ReadyPage, make_ready
from pipelines.progress import Progress, silent
from pipelines.reading_order import in_reading_order
from pipelines.word_boxes import tighten
from pipelines.word_layer import moved

HEED_SECONDS = 0.2  # how long a job that was stopped may seem not to have heard
UPRIGHT_ENOUGH = 0.80  # mean confidence above which nobody needs to look whether the page is upside down
SAMPLE_SIDE = 900  # pixels: a dozen lines of print, read two to four ways at the cost of half a page
DOUBT = 0.75  # default line of doubt: words below it are shown for a person to check
EYE_SHARE = 0.15  # share of doubtful words from which a page asks for a person's eye


def read_page(page: PageImage, engine: OcrEngine) -> OcrPage:
    """Everything that stands on a page. A page that brings its own text keeps it, and is not read again.

    Raises ModelUnavailable, naming the page, where the engine breaks on it.
    """
    if page.own_lines:
        return _page(page, page.own_lines, PageSource.BORN_DIGITAL)
    try:
        return _read_picture(page, engine)
    except HealthConnectError:
        raise
    except Exception as error:
        # Whatever a decoder or a network throws: the page is named, and never comes back as an empty one.
        raise ModelUnavailable(
            f"Page {page.number} could not be read: {engine.card.title} stopped on it. "
            "Try another engine on the Models tab, or upload the page again."
        ) from error


def _read_picture(page: PageImage, engine: OcrEngine) -> OcrPage:
    ready = make_ready(page.pixels)
    lines = engine.read(ready.pixels)
    if not _upside_down(lines) and _confidence(lines) < UPRIGHT_ENOUGH:
        turns = _turns_to_upright(ready.pixels, engine)
        if turns:
            ready = make_ready(page.pixels, turns)
            lines = engine.read(ready.pixels)
    if _upside_down(lines):
        height, width = ready.pixels.shape[:2]
        ready, lines = ready.turned_over(), moved(lines, np.array([[-1, 0, width], [0, -1, height], [0, 0, 1.0]]))
    ordered = in_reading_order(tighten(ready.pixels, lines))
    placed = tuple(TextLine(tuple(_placed(word, ready) for word in line.words)) for line in ordered)
    read = _page(page, placed, PageSource.OCR)
    read = replace(read, rotation_deg=ready.rotation_deg, skew_deg=ready.skew_deg)
    return replace(read, warnings=(*page.warnings, *_warnings(read, ready)))


def read_pages(
    pages: Iterable[PageImage], engine: OcrEngine, total: int, progress: Progress = silent, workers: int | None = None
) -> Iterator[OcrPage]:
    """Pages in order, each as soon as it and those before it are read. At most `workers` + 1 pages are in memory.

    Raises Cancelled when `progress` does; pages already given stay with the caller.
    """
    count = workers or os.cpu_count() or 1
    waiting: deque[Future[OcrPage]] = deque()
    done = 0
    progress(0, total, "pages", "Reading")
    pool = ThreadPoolExecutor(count, thread_name_prefix="read-page")
    try:
        for page in pages:
            waiting.append(pool.submit(read_page, page, engine))
            if len(waiting) > count:
                yield _heeding(waiting.popleft(), done, total, progress)
                done += 1
                progress(done, total, "pages", "Reading")
        while waiting:
            yield _heeding(waiting.popleft(), done, total, progress)
            done += 1
            progress(done, total, "pages", "Reading")
    finally:
        # Whoever stopped the job need not wait for a page that is half read: its thread ends by itself, unheard.
        pool.shutdown(wait=False, cancel_futures=True)


def _heeding(future: Future[OcrPage], done: int, total: int, progress: Progress) -> OcrPage:
    """The page, once it is read; meanwhile the listener is asked now and then, so that a stop is heard at once."""
    while not wait((future,), HEED_SECONDS).done:
        progress(done, total, "pages", "Reading")
    return future.result()


def needs_eye(page: OcrPage, doubt: float = DOUBT) -> bool:
    """Whether a person should look at this page first."""
    words = page.words
    if page.source is not PageSource.OCR:
        return False
    doubtful = sum(word.confidence < doubt for word in words)
    return not words or doubtful > EYE_SHARE * len(words)


def _page(page: PageImage, lines: tuple[TextLine, ...], source: PageSource) -> OcrPage:
    return OcrPage(
        number=page.number,
        width_px=page.width_px,
        height_px=page.height_px,
        dpi=page.dpi,
        rotation_deg=0,
        skew_deg=0.0,
        source=source,
        lines=lines,
        warnings=page.warnings,
    )


def _placed(word: TextWord, ready: ReadyPage) -> TextWord:
    return replace(word, quad=ready.quad_in_upload(word.quad))


def _turns_to_upright(pixels: np.ndarray, engine: OcrEngine) -> int:
    """Quarter turns counter-clockwise after which the densest part of the page reads best, 0 to 3."""
    sample = _densest(pixels)
    best, turns = -1.0, 0
    for pair in ((0, 1), (2, 3)):  # the second is needed only for an engine that does not see what lies upside down
        for quarter in pair:
            lines = engine.read(np.ascontiguousarray(np.rot90(sample, quarter)))
            if _evidence(lines) > best:
                best, turns, sure = _evidence(lines), quarter, _confidence(lines) >= UPRIGHT_ENOUGH
                turns += 2 if _upside_down(lines) else 0
        if sure:
            break
    return turns % 4


def _upside_down(lines: tuple[TextLine, ...]) -> bool:
    """Whether most words run leftward, as an engine gives them that has found the page upside down."""
    words = [word.quad for line in lines for word in line.words]
    return 2 * sum(quad[1][0] < quad[0][0] for quad in words) > len(words)


def _densest(pixels: np.ndarray) -> np.ndarray:
    """The square of the page that holds the most ink; the whole of a small page."""
    import cv2

    side = min(SAMPLE_SIDE, *pixels.shape[:2])
    grey = cv2.cvtColor(pixels[::8, ::8], cv2.COLOR_RGB2GRAY).astype(np.float32)
    edges = np.abs(np.diff(grey, axis=1, append=grey[:, -1:]))
    window = max(1, side // 8)
    amount = cv2.boxFilter(edges, -1, (window, window), anchor=(0, 0), borderType=cv2.BORDER_CONSTANT)
    fitting = amount[: max(1, grey.shape[0] - window + 1), : max(1, grey.shape[1] - window + 1)]
    top, left = (8 * int(at) for at in np.unravel_index(int(np.argmax(fitting)), fitting.shape))
    return pixels[top : top + side, left : left + side]


def _confidence(lines: tuple[TextLine, ...]) -> float:
    scores = [word.confidence for line in lines for word in line.words]
    return float(np.mean(scores)) if scores else 0.0


def _evidence(lines: tuple[TextLine, ...]) -> float:
    """How much was read with certainty: confident characters, not merely a confident few."""
    return sum(len(word.text) * word.confidence**2 for line in lines for word in line.words)


def _warnings(page: OcrPage, ready: ReadyPage) -> Iterator[str]:
    """What a person should know. That a photographed sheet was flattened is said only where the reading is in doubt: a
    page that was read with certainty needs nobody's eye for it."""
    if not page.words:
        yield f"Page {page.number}: no text was found. It may be blank, a picture, or too faint; look at it yourself."
    elif needs_eye(page):
        yield f"Page {page.number}: many words are uncertain. Check it against the picture."
    else:
        return
    if is_blurred(ready.pixels):
        yield f"Page {page.number}: the picture is blurred. Photograph or scan it again, held still and in good light."
    if ready.flattened:
        yield f"Page {page.number}: a sheet was found in the photograph and flattened for reading; see if it is whole."
