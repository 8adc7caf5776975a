"""What the jobs expect of an engine. Every engine of a kind passes the same suite in tests/contract."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from domain.document import TextLine
from domain.models import ModelCard


class OcrEngine(Protocol):
    """Reads an upright page.

    `read` may be called from several threads at once; an engine that cannot run so locks itself.
    """

    card: ModelCard

    def read(self, pixels: np.ndarray) -> tuple[TextLine, ...]:
        """`pixels`: uint8 (height, width, 3) RGB, upright. Lines as the engine found them, words with quads in
        those pixels; no words is an empty tuple. Raises ModelUnavailable when the engine cannot run."""
        ...


class TextEncoder(Protocol):
    """Turns passages and queries into vectors that can be compared by dot product."""

    card: ModelCard
    dimensions: int

    def encode_passages(self, texts: Sequence[str]) -> np.ndarray:
        """float32 (len(texts), dimensions), rows of length 1; (0, dimensions) for no texts."""
        ...

    def encode_query(self, text: str) -> np.ndarray:
        """float32 (dimensions,), of length 1."""
        ...
