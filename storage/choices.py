"""Which model each task uses, as somebody chose it; absent where nobody did."""

from __future__ import annotations

import sqlalchemy as sa

from storage.tables import choices


def all_of(tx: sa.Connection) -> dict[str, str]:
    """Model id by task."""
    return {row.task: row.model_id for row in tx.execute(sa.select(choices))}


def choose(tx: sa.Connection, task: str, model_id: str) -> None:
    """Keep a choice in place of an earlier one."""
    tx.execute(choices.delete().where(choices.c.task == task))
    tx.execute(choices.insert().values(task=task, model_id=model_id))
