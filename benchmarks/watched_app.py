"""The real app as a process of its own with a data folder of its own, and its memory under watch."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SAMPLE_SECONDS = 0.1
START_SECONDS = 120


@contextmanager
def watched_app(port: int) -> Iterator[tuple[Any, Watch, Path]]:
    """(a gradio_client.Client, the watch, a folder for files to send) while the app answers on `port`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = os.environ | {
            "HEALTH_CONNECT_DATA_DIR": str(folder / "data"),
            "GRADIO_SERVER_PORT": str(port),
        }
        server = subprocess.Popen(
            [sys.executable, "app.py"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        watch = Watch(server.pid)
        try:
            yield _connect(port), watch, folder
        finally:
            watch.over.set()
            server.terminate()
            server.wait(timeout=30)


def _connect(port: int) -> Any:
    from gradio_client import Client

    give_up = time.monotonic() + START_SECONDS
    while True:
        try:
            return Client(f"http://127.0.0.1:{port}", verbose=False)
        except Exception:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.5)


class Watch:
    """Samples the resident memory of a process and its children, in MB.

    A child counts from its second sample on: between being made and becoming another program, for some milliseconds, it
    shares the parent's memory, which would count twice.
    """

    def __init__(self, pid: int) -> None:
        self.pid, self.peak, self.trace = pid, 0.0, [0.0]
        self.over = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def now(self) -> float:
        return sum(_status_mb(pid, "VmRSS") for pid in _family(self.pid))

    def own(self) -> float:
        return _status_mb(self.pid, "VmHWM")

    def _run(self) -> None:
        before = {self.pid}
        while not self.over.wait(SAMPLE_SECONDS):
            members = set(_family(self.pid))
            value = sum(_status_mb(pid, "VmRSS") for pid in members & (before | {self.pid}))
            before = members
            self.trace.append(value)
            self.peak = max(self.peak, value)


def _family(pid: int) -> list[int]:
    members = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            for child in task.read_text().split():
                members += _family(int(child))
        except OSError:  # it ended meanwhile
            continue
    return members


def _status_mb(pid: int, field: str) -> float:
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(f"{field}:"):
                return int(line.split()[1]) / 1024
    except OSError:  # it ended meanwhile
        pass
    return 0.0
