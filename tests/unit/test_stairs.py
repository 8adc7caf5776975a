"""The stairs: which room may import which. The imports are read from the source, so nothing has to run."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = {"domain", "models", "storage", "pipelines", "components", "app"}
HEAVY = {
    "torch", "transformers", "sentence_transformers", "onnxruntime", "paddleocr", "paddlex", "monai", "cv2",
    "chromadb", "ocrmypdf", "whisper", "pyannote",
}  # fmt: skip

# Beginnings of module names of our own that a room may import besides itself.
MAY_IMPORT = {
    "domain": (),
    "models": ("domain",),
    "storage": ("domain",),
    "pipelines": ("domain", "models.contracts"),
    "components": ("domain", "pipelines.workbench", "pipelines.progress"),
}
# Files that join rooms, and what more they may import.
JOINTS = {
    "pipelines/workbench.py": (
        "models.shelf",
        "models.cards",
        "models.cards_imaging",
        "models.cards_speech",
        "storage",
    ),
    "pipelines/caretaker.py": ("storage",),
    "pipelines/records_desk.py": ("models.shelf", "storage"),
    "pipelines/search_desk.py": ("models.shelf", "storage"),
    "pipelines/models_desk.py": ("models.shelf", "storage"),
    "pipelines/patient_desk.py": ("storage",),
    "pipelines/imaging_desk.py": ("models.shelf", "storage"),
    "pipelines/consultation_desk.py": ("models.shelf", "storage"),
    "pipelines/note_desk.py": ("models.shelf",),
    "pipelines/prescription_desk.py": ("storage",),
    "pipelines/chart_desk.py": ("storage",),
    "pipelines/chart_exchange.py": ("storage",),
    "pipelines/trail_desk.py": ("storage",),
    "pipelines/people_desk.py": ("storage",),
    "components/door.py": ("pipelines.deidentify", "pipelines.workspaces"),
    "pipelines/__main__.py": ("pipelines",),
    "models/training/notes.py": ("pipelines",),  # trains on what the drafting itself looks at
}
ONLY_HERE = {
    "gradio": ("components/", "app.py"),
    "sqlalchemy": ("storage/",),
    "chromadb": ("storage/",),
    "pydantic_settings": ("domain/settings.py",),
}
FILES = sorted(path.relative_to(ROOT).as_posix() for room in MAY_IMPORT for path in (ROOT / room).rglob("*.py"))


def imported(tree: ast.AST) -> set[str]:
    """Every absolute module name under `tree`; `from a import b` counts as a.b, which may be a name in a."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def at_module_top(tree: ast.Module) -> set[str]:
    """What importing the file imports: everything outside functions and outside `if TYPE_CHECKING`."""
    names, waiting = set(), list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            names |= imported(node)
        waiting += [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]
    return names


def begins(name: str, allowed: tuple[str, ...]) -> bool:
    return any(name == one or name.startswith(f"{one}.") for one in allowed)


@pytest.mark.parametrize("file", FILES)
def test_rooms_import_downwards_only(file: str) -> None:
    room = file.split("/")[0]
    allowed = (room, *MAY_IMPORT[room], *JOINTS.get(file, ()))
    ours = {name for name in imported(ast.parse((ROOT / file).read_text())) if name.split(".")[0] in OURS}
    assert {name for name in ours if not begins(name, allowed)} == set()


@pytest.mark.parametrize("file", FILES)
def test_libraries_stay_in_their_room(file: str) -> None:
    packages = {name.split(".")[0] for name in imported(ast.parse((ROOT / file).read_text()))}
    for library, rooms in ONLY_HERE.items():
        assert library not in packages or file.startswith(rooms), f"{library} is imported outside {rooms}"


# Programs of their own, and the plugin that OCRmyPDF itself imports.
LOADED_BY_OTHERS = ("models/training/", "pipelines/read_pages_plugin.py")


@pytest.mark.parametrize("file", [f for f in FILES if not f.startswith(LOADED_BY_OTHERS)])
def test_heavy_libraries_are_imported_where_they_are_used(file: str) -> None:
    assert {name.split(".")[0] for name in at_module_top(ast.parse((ROOT / file).read_text()))} & HEAVY == set()


def test_domain_needs_only_the_standard_library_and_numpy() -> None:
    allowed = sys.stdlib_module_names | {"numpy", "domain"}
    for path in (ROOT / "domain").glob("*.py"):
        extra = {"pydantic", "pydantic_settings"} if path.name == "settings.py" else set()
        packages = {name.split(".")[0] for name in imported(ast.parse(path.read_text()))}
        assert packages <= allowed | extra, path.name


def test_no_drawer_for_everything() -> None:
    drawers = {"utils.py", "helpers.py", "common.py", "misc.py"}
    assert [file for file in FILES if file.split("/")[-1] in drawers] == []
