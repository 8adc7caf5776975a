"""Types records in through the whole workbench, without end, until it is killed. Run by test_kill.

Says one letter on stdout at every step of STEPS and after every record. The encoder is a stand-in that needs no weights, so that a restart is quick;
files, database and Chroma are the real ones.
"""

from __future__ import annotations

import os
import sys
import uuid
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from domain.audit import Actor
from domain.models import InputContract, ModelCard, WeightsSource
from domain.settings import Settings, telemetry_off
from pipelines.records_desk import RecordsDesk
from pipelines.search_desk import SearchDesk
from pipelines.workbench import Workbench
from storage import documents
from storage.passages import PassageIndex

DIMENSIONS = 16
LETTERS = str.maketrans("0123456789", "ghijklmnop")
NURSE = Actor("nurse.test", "session-1", "nurse")


class WordEncoder:
    """Every word points somewhere, the same way in every process."""

    dimensions = DIMENSIONS

    def __init__(self, folder: Path, card: ModelCard) -> None:
        self.card = card

    def encode_passages(self, texts: Sequence[str]) -> np.ndarray:
        return np.stack([self.encode_query(text) for text in texts]) if texts else np.zeros((0, DIMENSIONS), np.float32)

    def encode_query(self, text: str) -> np.ndarray:
        total = np.full(DIMENSIONS, 1e-3, np.float32)
        for word in text.lower().split():
            total += np.random.default_rng(zlib.crc32(word.encode())).normal(size=DIMENSIONS).astype(np.float32)
        return total / np.linalg.norm(total)


def open_workbench(data_dir: Path) -> Workbench:
    card = ModelCard(
        id="words", task="text_encoder", title="words", loader=f"{__spec__.name}:WordEncoder", revision="1", licence="-",
        origin="-", intended_use="-", not_for="-", input=InputContract("-"), memory_mb=1,
        weights=WeightsSource(folder="tests/unit"),
    )  # fmt: skip
    return Workbench(Settings(data_dir=data_dir), cards=(card,))


def own_word(title: str) -> str:
    """A word that stands in the record of this title and in no other."""
    return "quill" + title.translate(LETTERS)


def say(step: Callable[..., Any]) -> Callable[..., Any]:
    def said(*args: Any, **named: Any) -> Any:
        os.write(1, b".")
        return step(*args, **named)

    return said


STEPS = (
    (RecordsDesk, "_file"),
    (SearchDesk, "index_document"),
    (PassageIndex, "add"),
    (documents, "mark_indexed"),
)
COMMITTED = 2  # from this step of a record on, the record is there


def main(data_dir: Path) -> None:
    for owner, name in STEPS:  # before the workbench hands them from desk to desk
        setattr(owner, name, say(getattr(owner, name)))
    workbench = open_workbench(data_dir)
    patient = workbench.create_patient("Ana Lind", "1961-03-12", "female", "", NURSE)
    workbench.search("anything", NURSE)  # opens the index, which has nothing to tell yet
    while True:
        title = uuid.uuid4().hex
        workbench.import_text(title, f"Today she spoke of {own_word(title)}.\n" * 3, patient.patient_id, NURSE)
        os.write(1, b".")


if __name__ == "__main__":
    telemetry_off()
    main(Path(sys.argv[1]))
