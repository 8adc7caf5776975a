"""Workspaces of the open demonstration: each visitor's own copy of the invented patients, gone when he has been away.

A workspace is a data folder copied from a template that is filled once. All share the shelf's loaded models; each
chooses its own.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from domain.errors import NotAllowed
from domain.people import Mode
from domain.settings import Settings
from pipelines.caretaker import copy_store
from pipelines.workbench import Workbench

log = logging.getLogger(__name__)

FOLDER, TEMPLATE = "workspaces", "template"
SWEEP_EVERY_S = 300


@dataclass(slots=True)
class _Workspace:
    bench: Workbench
    folder: Path
    last_used: float


def template_settings(settings: Settings) -> Settings:
    """Where the program's own workbench keeps its data: in the demonstration that is the template."""
    if settings.mode is not Mode.DEMO:
        return settings
    folder = settings.data_dir / TEMPLATE
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return settings.model_copy(update={"data_dir": folder, "database_url": "", "chroma_url": ""})


@contextmanager
def workspaces_of(template: Workbench, settings: Settings) -> Iterator[Workspaces | None]:
    """The demonstration's workspaces while it runs; None in the other modes."""
    if settings.mode is not Mode.DEMO:
        yield None
        return
    workspaces = Workspaces(template, settings)
    workspaces.sweep_in_background()
    try:
        yield workspaces
    finally:
        workspaces.close()


class Workspaces:
    """Hands each visitor's key its workbench. Safe to call from several threads."""

    def __init__(self, template: Workbench, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        """`template`: a workbench with the invented patients; it is copied, never shown."""
        self._template = template
        self._settings = settings
        self._root = settings.data_dir / FOLDER
        self._idle_s = settings.workspace_idle_minutes * 60
        self._clock = clock
        self._lock = threading.Lock()
        self._open: dict[str, _Workspace] = {}
        self._stopped = threading.Event()
        shutil.rmtree(self._root, ignore_errors=True)  # nobody comes back to what an earlier run left
        self._root.mkdir(parents=True, mode=0o700)

    def of(self, key: str) -> Workbench:
        """The visitor's workbench, made at the first call. Raises NotAllowed when too many visitors are here."""
        with self._lock:
            workspace = self._open.get(key)
            if workspace is None:
                self._sweep()
                if len(self._open) >= self._settings.max_workspaces:
                    raise NotAllowed(
                        "The demonstration has as many visitors as it can hold. Come back in a quarter of an hour, or "
                        "run it on your own machine with: make demo"
                    )
                workspace = self._open[key] = self._make(key)
            workspace.last_used = self._clock()
            return workspace.bench

    def sweep(self) -> int:
        """Delete what has been idle too long; returns how many went."""
        with self._lock:
            return self._sweep()

    def sweep_in_background(self) -> None:
        """Keep sweeping until close(), so that data goes also when nobody comes any more."""

        def run() -> None:
            while not self._stopped.wait(SWEEP_EVERY_S):
                self.sweep()

        threading.Thread(target=run, name="workspace sweep", daemon=True).start()

    def close(self) -> None:
        """Delete everything."""
        self._stopped.set()
        with self._lock:
            for key in list(self._open):
                self._drop(key)

    def _sweep(self) -> int:
        now = self._clock()
        idle = [key for key, workspace in self._open.items() if now - workspace.last_used > self._idle_s]
        for key in idle:
            self._drop(key)
        if idle:
            log.info("deleted %d workspaces that were idle", len(idle))
        return len(idle)

    def _make(self, key: str) -> _Workspace:
        folder = self._root / hashlib.sha256(key.encode()).hexdigest()[:32]
        copy_store(self._template.settings.data_dir, folder)
        settings = self._settings.model_copy(update={"data_dir": folder, "database_url": "", "chroma_url": ""})
        bench = Workbench(settings, shelf=self._template.shelf.view())
        return _Workspace(bench, folder, self._clock())

    def _drop(self, key: str) -> None:
        workspace = self._open.pop(key)
        workspace.bench.close()
        shutil.rmtree(workspace.folder, ignore_errors=True)
