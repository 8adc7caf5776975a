"""Breaking the glass, and records without identity, for scripts and MCP clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from components.bridge import told, visitor
from domain import contract

if TYPE_CHECKING:
    from pipelines.workbench import Workbench


def build(workbench: Workbench) -> None:
    """Adds the endpoints to the current Blocks, without anything to see."""

    def break_glass(patient_id: str, reason: str, request: gr.Request | None = None) -> dict[str, Any]:
        """Open one patient's records to this visit although its role may not read them; everybody who may see the trail
        sees the reason in red.

        Args:
            patient_id: Whose records are needed now.
            reason: Why, in 10 to 300 characters.
        """
        until = workbench.people.break_glass(patient_id, reason, visitor(request))
        return {"patient_id": patient_id, "until": until.isoformat()}

    def deidentified_document(document_id: str) -> dict[str, Any]:
        """A record with everything that this program recognises as naming its patient covered: for research.

        Args:
            document_id: The record.
        """
        return contract.document(workbench.deidentified_document(document_id))

    for endpoint, names in ((break_glass, ("patient_id", "reason")), (deidentified_document, ("document_id",))):
        gr.Button(visible=False).click(
            told(endpoint),
            [gr.Textbox(label=name, visible=False) for name in names],
            [gr.JSON(visible=False)],
            api_name=endpoint.__name__,
            show_progress="hidden",
        )
