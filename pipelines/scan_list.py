"""list.csv of a folder of labelled scan pictures: file, class, group."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from domain.errors import UploadRejected


def read_list(folder: Path, classes: Sequence[str]) -> tuple[list[str], np.ndarray, list[str]]:
    """(files, labels int64, groups) of list.csv; groups default to the file. Raises UploadRejected."""
    try:
        rows = _rows(folder)
        files = [row["file"] for row in rows]
        labels = np.array([list(classes).index(row["class"]) for row in rows], np.int64)
    except (OSError, KeyError, ValueError, csv.Error) as error:
        raise UploadRejected(
            f"The folder has no list.csv with columns file, class, group, and classes {', '.join(classes)}. "
            "Write one beside the pictures."
        ) from error
    if not rows:
        raise UploadRejected("list.csv names no picture. Add a row for each picture.")
    return files, labels, [row.get("group") or row["file"] for row in rows]


def read_rows(folder: Path) -> tuple[list[str], np.ndarray, list[str]]:
    """The same for whatever classes the list names, numbered by name."""
    try:
        classes = sorted({row["class"] for row in _rows(folder)})
    except (OSError, KeyError, csv.Error) as error:
        raise UploadRejected("The folder has no list.csv with columns file, class, group. Write one.") from error
    return read_list(folder, classes)


def _rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "list.csv").open(newline="", encoding="utf-8") as source:
        return list(csv.DictReader(source))
