"""How a job says how far it is, and how it learns that it should stop, without knowing who listens."""

from __future__ import annotations

from typing import Protocol

from domain.errors import Cancelled


class Progress(Protocol):
    """Called by a job between steps. `done` of `total` units ("pages", "seconds"); `total` 0 while unknown.

    Raises Cancelled when the user has asked the job to stop; the job lets it pass.
    """

    def __call__(self, done: float, total: float, unit: str, message: str) -> None: ...


def silent(done: float, total: float, unit: str, message: str) -> None:
    """Nobody listens."""


class CancelSwitch:
    """Wraps a listener; after `stop()` the next report raises Cancelled."""

    def __init__(self, listener: Progress = silent) -> None:
        self._listener = listener
        self._stopped = False

    @property
    def stopped(self) -> bool:
        """Whether the job was asked to stop; it may still be about to."""
        return self._stopped

    def stop(self) -> None:
        self._stopped = True

    def __call__(self, done: float, total: float, unit: str, message: str) -> None:
        if self._stopped:
            raise Cancelled(f"Stopped after {done:g} of {total:g} {unit}, as you asked. Nothing was filed.")
        self._listener(done, total, unit, message)
