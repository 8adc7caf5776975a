"""The shelf: models are taken from it by name, loaded at first use, kept while memory lasts, given back when idle.

One lock a card, so that loading one never stalls another. Nothing falls back by itself: an unknown or unusable model
is an error that names those there are.
"""

from __future__ import annotations

import contextlib
import copy
import ctypes
import gc
import importlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from domain.errors import HealthConnectError, ModelUnavailable
from domain.models import ModelCard
from models import weights

log = logging.getLogger(__name__)

Listener = Callable[[float, float, str, str], None]


@dataclass(frozen=True, slots=True)
class ShelfStatus:
    """One card's place: `loaded`, how many jobs hold it now, seconds since last use (None if never)."""

    model_id: str
    loaded: bool
    borrowed: int
    idle_seconds: float | None
    load_seconds: float | None


class _Place:
    """A card's slot. `lock` is held while its model is built; the shelf's own lock guards the counts."""

    def __init__(self, card: ModelCard) -> None:
        self.card = card
        self.lock = threading.Lock()
        self.model: Any = None
        self.borrowed = 0
        self.last_used: float | None = None
        self.load_seconds: float | None = None
        self.timer: threading.Timer | None = None


class ModelShelf:
    """Holds at most one instance of each card's model, within a memory budget in megabytes.

    `idle_s`: a model that nobody borrowed for so long is given back; None keeps it.
    """

    def __init__(self, cards: Sequence[ModelCard], memory_budget_mb: int, idle_s: float | None = None) -> None:
        self._idle_s = idle_s
        self._places = {card.id: _Place(card) for card in cards}
        if len(self._places) != len(cards):
            raise ValueError("two cards share one id")
        self._budget_mb = memory_budget_mb
        self._lock = threading.Lock()
        self._chosen = {card.task: card.id for card in reversed(cards)}  # the first card of a task is its default

    @property
    def cards(self) -> tuple[ModelCard, ...]:
        return tuple(place.card for place in self._places.values())

    def card(self, model_id: str) -> ModelCard:
        """Raises ModelUnavailable with the names there are."""
        return self._place(model_id).card

    def chosen(self, task: str) -> ModelCard:
        """The card that a task uses now; raises ModelUnavailable for an unknown task."""
        if task not in self._chosen:
            raise ModelUnavailable(f"There is no task of this name. Tasks are: {', '.join(sorted(self._chosen))}.")
        return self.card(self._chosen[task])

    def use(self, task: str, model_id: str) -> ModelCard:
        """Choose the card of a task; raises ModelUnavailable where it cannot do that task."""
        current = self.chosen(task)
        fitting = sorted(card.id for card in self.cards if card.task == current.task)
        if model_id not in fitting:
            raise ModelUnavailable(f"No model of this name does {task}. Those that do: {', '.join(fitting)}.")
        self._chosen[task] = model_id
        return self.card(model_id)

    def view(self) -> ModelShelf:
        """The same models, loaded once for all, with choices of its own that begin as ours are now."""
        other = copy.copy(self)
        other._chosen = dict(self._chosen)
        return other

    @contextmanager
    def borrow(self, model_id: str, progress: Listener | None = None) -> Iterator[Any]:
        """The model, loaded if need be; it stays loaded while borrowed. Raises ModelUnavailable."""
        place = self._place(model_id)
        with self._lock:
            place.borrowed += 1  # counted before loading, so that it is not evicted in between
        try:
            with place.lock:
                if place.model is None:
                    if progress:
                        progress(0, 0, "models", f"Loading {place.card.title}; later uses are instant")
                    self._make_room(place)
                    started = time.monotonic()
                    place.model = _build(place.card)
                    place.load_seconds = time.monotonic() - started
                    log.info("loaded %s in %.1f s", place.card.id, place.load_seconds)
            yield place.model
        finally:
            with self._lock:
                place.borrowed -= 1
                place.last_used = time.monotonic()
                if self._idle_s is not None and not place.borrowed:
                    self._look_again(place)

    def unload(self, model_id: str) -> bool:
        """Give a model's memory back; False where it was not loaded or is in use."""
        place = self._place(model_id)
        with self._lock:
            if place.borrowed or place.model is None:
                return False
            place.model = None
            return True

    def release_idle(self, seconds: float) -> tuple[str, ...]:
        """Give back the memory of all models that nobody borrowed for so long; their ids."""
        now = time.monotonic()
        with self._lock:
            places = [
                p
                for p in self._places.values()
                if p.model is not None and not p.borrowed and p.last_used is not None and now - p.last_used >= seconds
            ]
            for place in places:
                place.model = None
                log.info("gave back %s, which was idle", place.card.id)
        if places:
            _return_memory()
        return tuple(place.card.id for place in places)

    def _look_again(self, place: _Place) -> None:
        if place.timer is not None:
            place.timer.cancel()
        idle_s = self._idle_s or 0.0
        place.timer = threading.Timer(idle_s, self.release_idle, [idle_s])
        place.timer.daemon = True
        place.timer.start()

    def status(self) -> tuple[ShelfStatus, ...]:
        now = time.monotonic()
        with self._lock:
            return tuple(
                ShelfStatus(
                    place.card.id,
                    place.model is not None,
                    place.borrowed,
                    None if place.last_used is None else now - place.last_used,
                    place.load_seconds,
                )
                for place in self._places.values()
            )

    def _make_room(self, wanted: _Place) -> None:
        """Evict the longest-idle models until `wanted` fits; what is borrowed stays, even over the budget."""
        with self._lock:
            idle = [p for p in self._places.values() if p.model is not None and not p.borrowed]
            used = sum(p.card.memory_mb for p in self._places.values() if p.model is not None)
            for place in sorted(idle, key=lambda p: p.last_used or 0.0):
                if used + wanted.card.memory_mb <= self._budget_mb:
                    break
                place.model = None
                used -= place.card.memory_mb
                log.info("evicted %s to make room for %s", place.card.id, wanted.card.id)

    def _place(self, model_id: str) -> _Place:
        if model_id not in self._places:
            raise ModelUnavailable(f"There is no model of this name. The shelf has: {', '.join(sorted(self._places))}.")
        return self._places[model_id]


def _return_memory() -> None:
    """To the system: glibc keeps what is freed for itself unless it is asked."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # another C library, which needs no asking
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def _build(card: ModelCard) -> Any:
    folder = weights.find(card)
    module, _, name = card.loader.partition(":")
    try:
        loader = getattr(importlib.import_module(module), name)
        return loader(folder, card, **dict(card.options))
    except HealthConnectError:
        raise
    except (ImportError, AttributeError, OSError, ValueError, RuntimeError) as error:
        raise ModelUnavailable(
            f"{card.title} cannot be loaded on this machine. Run the set-up again (make demo); the log has the cause."
        ) from error
