"""Gradio without the type stubs that it writes beside its own components at every start.

Writing them takes more than a third of the time that importing Gradio takes, and it writes into the installed
package, while this program writes nothing outside its data folder. To be called before Gradio is imported; imports
nothing of it.
"""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

WRITER = "gradio.component_meta"


class _WithoutStubs(MetaPathFinder):
    """Loads the one module as it is, then empties its function that writes stubs."""

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != WRITER:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return spec
        load = spec.loader.exec_module

        def load_and_empty(module: ModuleType) -> None:
            load(module)
            module.create_or_modify_pyi = write_no_stub

        spec.loader.exec_module = load_and_empty  # this loader loads this module only
        return spec


def write_no_stub(component_class: type, class_name: str, events: Any) -> None:
    """In place of gradio.component_meta.create_or_modify_pyi."""


def leave_stubs_alone() -> None:
    """From now on an import of Gradio writes no type stubs; without effect where it is imported already."""
    if not any(isinstance(finder, _WithoutStubs) for finder in sys.meta_path):
        sys.meta_path.insert(0, _WithoutStubs())
