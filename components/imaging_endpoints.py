"""Reading a scan, for scripts and MCP clients."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from components.bridge import shown_by, told, visitor
from domain import contract
from domain.errors import UploadRejected
from domain.imaging import AUTO_TASK

if TYPE_CHECKING:
    from pipelines.workbench import Workbench

IMAGING = "imaging"  # readings of the page and of scripts wait in one line: each takes the processor whole
READERS = 1


def build(workbench: Workbench) -> None:
    """Adds the endpoint to the current Blocks, without anything to see."""

    def read_scan(
        file: str,
        task: str = AUTO_TASK,
        patient_id: str = "",
        request: gr.Request | None = None,
        progress: gr.Progress = gr.Progress(),
    ) -> tuple[str | None, dict[str, Any]]:
        """Read an X-ray, MRI slice or ultrasound picture: returns calibrated findings with an overlay that shows where
        they come from, or abstains with the reason and carries no score. A research demonstration, not a diagnosis.

        Args:
            file: PNG, JPEG, DICOM or NIfTI. Of a stack the middle picture is read.
            task: A task of the imaging models' cards, or auto to pick it by modality.
            patient_id: Whose scan it is; may be empty.
        """
        if not file:
            raise UploadRejected("No file came with the call, so there is nothing to read. Send a scan picture.")
        read = workbench.read_scan(
            Path(file), task or AUTO_TASK, patient_id or "", visitor(request), progress=shown_by(progress)
        )
        drawn = None if read.overlay is None else _hand_out(read.overlay, overlay)
        return drawn, contract.reading(read.reading, read.reading_id)

    overlay = gr.File(label="overlay", visible=False)
    gr.Button(visible=False).click(
        told(read_scan),
        [
            gr.File(label="file", visible=False),
            gr.Textbox(AUTO_TASK, label="task", visible=False),
            gr.Textbox("", label="patient_id", visible=False),
        ],
        [overlay, gr.JSON(visible=False)],
        api_name="read_scan",
        show_progress="hidden",
        concurrency_id=IMAGING,
        concurrency_limit=READERS,
    )


def _hand_out(picture: np.ndarray, by: gr.File) -> str:
    """The picture as PNG in the folder that is swept by age. Its name says nothing of the patient."""
    from PIL import Image

    Path(by.GRADIO_CACHE).mkdir(parents=True, exist_ok=True)
    path = Path(tempfile.mkdtemp(dir=by.GRADIO_CACHE)) / "overlay.png"
    Image.fromarray(picture).save(path)
    by.temp_files.add(str(path))  # Gradio deletes by age what a component calls its own
    return str(path)
