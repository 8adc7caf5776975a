"""The notebooks run from top to bottom, call pipelines only, and define no logic of their own."""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
from PIL import Image

from models.cards import CARDS

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MAY_IMPORT = {"domain", "pipelines", "pathlib"}
PLAIN = (ast.Import, ast.ImportFrom, ast.Assign, ast.Expr)
CELL_SECONDS = 120


def code_cells(path: Path) -> list[nbformat.NotebookNode]:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def shows_something(source: str) -> bool:
    last = ast.parse(source).body[-1]
    return isinstance(last, ast.Expr) and ast.unparse(last) not in ("bench.close()", "telemetry_off()")


@pytest.fixture
def labelled_scans(tmp_path: Path) -> Path:
    """A folder `scans` of drawn pictures, labelled by the classes of the card; what they show does not matter here."""
    folder = tmp_path / "scans" / "brain_tumour"
    folder.mkdir(parents=True)
    classes = next(card.labels for card in CARDS if card.task == "brain_tumour")
    rows, rng = ["file,class,group"], np.random.default_rng(7)
    for number in range(8):
        pixels = rng.integers(0, 255, (96, 96), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
        rows.append(f"{number}.png,{classes[number % len(classes)]},g{number}")
    (folder / "list.csv").write_text("\n".join(rows), "utf-8")
    return tmp_path


@pytest.mark.models
@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_a_notebook_runs(
    path: Path, labelled_scans: Path, tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient

    class ThisPython(AsyncKernelManager):
        """The interpreter that runs the tests, whatever kernels are installed on the machine."""

        @property
        def kernel_spec(self) -> KernelSpec:
            return KernelSpec(argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"])

    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    book = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(labelled_scans)}}
    NotebookClient(book, timeout=CELL_SECONDS, resources=resources, kernel_manager_class=ThisPython).execute()
    shown = [cell for cell in book.cells if cell.cell_type == "code" and cell.outputs]
    assert len(shown) == sum(shows_something(cell.source) for cell in code_cells(path))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_a_notebook_only_calls(path: Path) -> None:
    for cell in code_cells(path):
        tree = ast.parse(cell.source)
        assert all(isinstance(statement, PLAIN) for statement in tree.body), cell.source
        assert not any(isinstance(node, ast.Lambda) and "key=" not in cell.source for node in ast.walk(tree))
        imported = {node.module.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert imported <= MAY_IMPORT, cell.source
        assert not cell.outputs, "outputs go stale; the test makes them anew"
