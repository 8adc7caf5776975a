"""MONAI, imported without the companions that none of its networks for pictures needs.

`import monai` loads every part of MONAI, and these load whatever optional package is installed: statistics, plotting,
language models. For a classifier that is 200 MB of memory and seconds of waiting, for nothing. MONAI does without any
of them where they are not installed, so while it is imported they are not found, by the importing thread alone: for
the rest of the program they are there as always.
"""

from __future__ import annotations

import importlib
import sys
import threading
from importlib.abc import MetaPathFinder
from types import ModuleType

NETWORKS = "monai.networks.nets"
COMPANIONS = frozenset({"matplotlib", "optuna", "scipy", "sklearn", "transformers"})


class _NotFound(MetaPathFinder):
    """Says to one thread that the companions are not installed."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()

    def find_spec(self, fullname: str, path: object, target: ModuleType | None = None) -> None:
        if threading.get_ident() == self._thread and fullname.partition(".")[0] in COMPANIONS:
            raise ModuleNotFoundError(f"{fullname} is left out while MONAI is imported", name=fullname)


def monai_networks(module: str = NETWORKS) -> ModuleType:
    """monai.networks.nets, or a module below it. Slow the first time. Raises ImportError for no such module."""
    if "monai" in sys.modules:
        return importlib.import_module(module)
    importlib.import_module("nibabel.spm99analyze")  # looks for scipy once, when it is loaded, and is to find it
    finder = _NotFound()
    # A new list each time: another thread may be going through the present one.
    sys.meta_path = [finder, *sys.meta_path]
    try:
        return importlib.import_module(module)
    finally:
        sys.meta_path = [other for other in sys.meta_path if other is not finder]
