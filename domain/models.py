"""What is known about a model before it is loaded: its card, and the stamp it leaves on every result."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ModelStamp:
    """Which model made a result. `id` is a card id; `revision` pins code and weights."""

    id: str
    revision: str


@dataclass(frozen=True, slots=True)
class Metric:
    """One measured figure: `command` prints it again on `data`. `value` in the unit that `name` states."""

    name: str
    value: float
    data: str
    command: str
    interval: tuple[float, float] | None = None  # 95 % interval, same unit


@dataclass(frozen=True, slots=True)
class InputContract:
    """What a model may be given. `description` in a sentence; the rest where it applies."""

    description: str
    size_px: tuple[int, int] | None = None  # height, width
    sample_rate_hz: int | None = None
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class WeightsSource:
    """Where weights come from; never fetched at run time unless the user names a hub himself.

    `package`: importable name of an installed, pinned package; `folder`: path relative to the repository root.
    `files`: (relative path, sha256 hex) pairs that are checked before use.
    """

    package: str | None = None
    folder: str | None = None
    files: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One row of models.cards.CARDS.

    `task` groups cards that can stand in for each other ("ocr", "text_encoder", "fracture", ...).
    `loader` is "package.module:Class", called with the folder of checked weights; imported only when borrowed.
    `memory_mb` is the measured resident size after loading, used for the shelf's budget.
    """

    id: str
    task: str
    title: str
    loader: str
    revision: str
    licence: str
    origin: str
    intended_use: str
    not_for: str
    input: InputContract
    weights: WeightsSource
    memory_mb: int
    labels: tuple[str, ...] = ()
    metrics: tuple[Metric, ...] = ()
    limits: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = field(default=())  # passed to the loader as keyword arguments

    @property
    def stamp(self) -> ModelStamp:
        """The mark this model leaves on what it makes."""
        return ModelStamp(self.id, self.revision)
