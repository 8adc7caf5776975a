"""The invented records that can be tried with one click."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

SAMPLES = Path(__file__).resolve().parent.parent / "data" / "samples"
ENDINGS = (".pdf", ".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp")
MAX_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Sample:
    """A file of data/samples and what its button says."""

    title: str
    path: Path


def find_samples(folder: Path = SAMPLES) -> tuple[Sample, ...]:
    """The samples that the Records tab offers, by name of file; none when the folder holds none."""
    files = sorted(p for p in folder.iterdir() if p.suffix.lower() in ENDINGS) if folder.is_dir() else []
    return tuple(Sample(_title(path.stem), path) for path in files[:MAX_SHOWN])


def _title(stem: str) -> str:
    """A leading number only puts the samples in order."""
    words = re.sub(r"^\d+[_-]", "", stem)
    return re.sub(r"[_-]+", " ", words).capitalize()
