"""Encoders of text. One adapter class an engine; the framework is imported when an engine is built, never before."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from domain.errors import ModelUnavailable
from domain.models import ModelCard

BATCH = 32  # passages a forward pass; more gains nothing on two cores and costs memory


class MiniLmEncoder:
    """all-MiniLM-L6-v2 and its descendants through sentence-transformers, from a local folder, never from the network.

    Sentence-BERT: Reimers and Gurevych 2019; MiniLM: Wang et al. 2020. Safe to call from several threads: a lock
    lets one forward pass run at a time, since torch spreads a single pass over all cores anyway.
    """

    def __init__(self, folder: Path, card: ModelCard, *, subfolder: str = "") -> None:
        """`subfolder`: where the model's files lie inside the folder of checked weights."""
        # The hub client looks for updates even of local models unless it is told that there is no network.
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        os.environ.setdefault("TRANSFORMERS_OFFLINE", "1")
        os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        from models.torchaudio_stand_in import stand_in

        stand_in()  # transformers imports torchaudio where it is installed
        from sentence_transformers import SentenceTransformer

        self.card = card
        self._lock = threading.Lock()
        try:
            self._model = SentenceTransformer(str(folder / subfolder), device="cpu", local_files_only=True).float()
        except (OSError, ValueError, KeyError, RuntimeError) as e:
            raise ModelUnavailable(
                f"The text encoder {card.title} could not be loaded: its files are incomplete or of another format. "
                "Install the program again, or choose another encoder on the Models tab."
            ) from e
        self.dimensions = int(self._model.get_embedding_dimension())

    def encode_passages(self, texts: Sequence[str]) -> np.ndarray:
        """float32 (len(texts), dimensions), rows of length 1. Text beyond the model's 256 tokens is not read."""
        if not texts:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        with self._lock:
            vectors = self._model.encode(
                list(texts), batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False
            )
        return np.asarray(vectors, dtype=np.float32)  # (len(texts), dimensions)

    def encode_query(self, text: str) -> np.ndarray:
        """float32 (dimensions,), of length 1."""
        return self.encode_passages([text])[0]
