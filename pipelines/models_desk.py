"""The models desk: what stands on the shelf, and which model of a task is in use. A choice outlives the program."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from domain.audit import Action, Actor
from domain.errors import ModelUnavailable
from domain.models import ModelCard
from models.shelf import ModelShelf
from storage import audit, choices
from storage.database import Database

log = logging.getLogger(__name__)


class ModelsDesk:
    """Safe to call from several threads."""

    def __init__(
        self, shelf: ModelShelf, database: Database, named: Mapping[str, str], on_change: Callable[[str], None]
    ) -> None:
        """`named`: model by task as the settings name them; they go before what was chosen here. `on_change` is told
        the task whose model was changed. Raises ModelUnavailable for a named model that is not on the shelf; one that
        was chosen and has been taken away since, a researcher's bundle say, must not keep the program from starting."""
        self._shelf, self._database, self._on_change = shelf, database, on_change
        with database.read() as tx:
            chosen = choices.all_of(tx)
        for task, model_id in chosen.items():
            if task in named:
                continue
            try:
                shelf.use(task, model_id)
            except ModelUnavailable:
                log.warning("%s was chosen for %s and is no longer on the shelf; its default is used", model_id, task)
        for task, model_id in named.items():
            shelf.use(task, model_id)

    def cards(self) -> tuple[ModelCard, ...]:
        """Everything on the shelf."""
        return self._shelf.cards

    def in_use(self) -> frozenset[str]:
        """Ids of the cards that their tasks use now."""
        return frozenset(self._shelf.chosen(task).id for task in {card.task for card in self._shelf.cards})

    def loaded(self) -> frozenset[str]:
        """Ids of the cards whose models are in memory."""
        return frozenset(status.model_id for status in self._shelf.status() if status.loaded)

    def use(self, task: str, model_id: str, actor: Actor | None = None) -> ModelCard:
        """Choose the model of a task for everybody, from now on. Raises ModelUnavailable."""
        card = self._shelf.use(task, model_id)
        with self._database.begin() as tx:
            choices.choose(tx, task, model_id)
            who = actor or Actor("unknown", "", "unknown")
            audit.append(tx, who, Action.UPDATE, f"model/{task}", "", f"now {model_id}", card.stamp)
        self._on_change(task)
        return card
