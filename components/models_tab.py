"""The Models tab: what stands on the shelf, measured how well, and which one does each task."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import gradio as gr

from components.bridge import told, visitor
from components.part import part
from domain.models import ModelCard

if TYPE_CHECKING:
    from components.shell import Session
    from pipelines.workbench import Workbench

TASK_NAMES = {
    "ocr": "Reading pages",
    "text_encoder": "Meaning of text, for search",
    "transcriber": "Writing down what is said",
    "diarizer": "Telling voices apart",
    "speaker_roles": "Who is doctor, who is patient",
    "note": "Drafting the note",
    "note_writer": "Rewriting the note's lines",
}


def present_shelf(cards: Sequence[ModelCard], in_use: Collection[str], loaded: Collection[str]) -> dict[str, Any]:
    """Cards grouped by task, in the order of the table."""
    tasks = list(dict.fromkeys(card.task for card in cards))
    return {
        "tasks": [
            {
                "title": TASK_NAMES.get(task, task.replace("_", " ").capitalize()),
                "cards": [
                    present_card(c, c.id in in_use, c.id in loaded, sum(o.task == task for o in cards))
                    for c in cards
                    if c.task == task
                ],
            }
            for task in tasks
        ]
    }


def present_card(card: ModelCard, in_use: bool, loaded: bool, choices: int) -> dict[str, Any]:
    """`choices`: how many cards can do this task."""
    return {
        "id": card.id,
        "task": card.task,
        "title": card.title,
        "intended_use": card.intended_use,
        "not_for": card.not_for,
        "input": card.input.description,
        "metrics": [
            {"name": m.name, "value": m.value, "data": m.data, "command": m.command, "interval": m.interval}
            for m in card.metrics
        ],
        "limits": list(card.limits),
        "memory_mb": card.memory_mb,
        "licence": card.licence,
        "origin": card.origin,
        "revision": card.revision,
        "in_use": in_use,
        "loaded": loaded,
        "choices": choices,
    }


def build(workbench: Workbench, session: Session) -> None:
    """Lays the tab out and wires it."""
    shelf = part("models", events=("use",))

    def show() -> dict[str, Any]:
        return present_shelf(workbench.model_cards(), workbench.models_in_use(), workbench.models_loaded())

    def on_use(event: gr.EventData, request: gr.Request) -> dict[str, Any]:
        workbench.use_model(str(event.task), str(event.model_id), visitor(request))
        return show()

    quiet = {"show_progress": "hidden", "api_visibility": "private"}
    shelf.use(told(on_use), None, [shelf], **quiet)
    gr.on(None, told(show), None, [shelf], **quiet)
