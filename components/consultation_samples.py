"""Invented visits that can be tried with one click: conversations as text, and one that is spoken."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "data" / "samples"


@dataclass(frozen=True, slots=True)
class Example:
    """A file and what its button says. `spoken`: a recording, to be transcribed."""

    title: str
    path: Path
    spoken: bool


def find_examples(folder: Path = FOLDER) -> tuple[Example, ...]:
    """The spoken visits, then the written ones; a leading number only puts the files in order."""
    spoken, written = sorted((folder / "recordings").glob("*.mp3")), sorted((folder / "conversations").glob("*.txt"))
    return (
        *(Example(f"{_title(path)} (recording)", path, True) for path in spoken),
        *(Example(_title(path), path, False) for path in written),
    )


def _title(path: Path) -> str:
    return re.sub(r"^\d+[_-]", "", path.stem).replace("_", " ").capitalize()
