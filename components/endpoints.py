"""The named endpoints that scripts and MCP clients use; everything else of the page is private.

Shapes are those of domain.contract. The functions' names, type hints and docstrings are what the API page and the MCP
server show, so they are written for a reader who sees nothing else.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from components.bridge import shown_by, told, visitor
from components.page_files import file_name
from components.records_tab import READERS, READING
from domain import contract
from domain.errors import UploadRejected

if TYPE_CHECKING:
    from pipelines.workbench import Workbench


def build(workbench: Workbench) -> None:
    """Adds the endpoints to the current Blocks, without anything to see."""

    def create_patient(
        name: str, birth_date: str, sex: str, record_number: str = "", request: gr.Request | None = None
    ) -> dict[str, Any]:
        """Add a patient to the store and return it with its new id.

        Args:
            name: Full name as written on the records.
            birth_date: Date of birth, ISO 8601, such as 1961-03-12.
            sex: One of female, male, other, unknown.
            record_number: The hospital's own number for the patient; may be empty.
        """
        return contract.patient(workbench.create_patient(name, birth_date, sex, record_number or "", visitor(request)))

    def find_patients(text: str = "") -> dict[str, Any]:
        """Find patients by part of their name, also a misspelt one, by record number or by date of birth.

        Args:
            text: What to look for; empty lists the latest patients.
        """
        return {"patients": [contract.patient(found) for found in workbench.find_patients(text or "")]}

    def digitise(
        file: str,
        patient_id: str = "",
        language: str = "en",
        request: gr.Request | None = None,
        progress: gr.Progress = gr.Progress(),
    ) -> tuple[str, dict[str, Any]]:
        """Read a scanned record, a photo or a PDF: returns a searchable PDF and every word with its box and confidence.

        Args:
            file: PDF, JPEG, PNG, TIFF or WebP of the record.
            patient_id: Whose record it is; empty files it to nobody. A record that bears another name or birth date is
                kept, but not filed.
            language: Language of the record, ISO 639-1.
        """
        if not file:
            raise UploadRejected("No file came with the call, so there is nothing to read. Send a PDF or a picture.")
        filed = workbench.digitise(
            Path(file), patient_id or "", language or "en", visitor(request), progress=shown_by(progress)
        )
        shape = contract.document(filed.document) | {
            "duplicate_of": filed.duplicate_of,
            "seconds": round(filed.seconds, 2),
            "conflicts": [conflict.field for conflict in filed.conflicts],
        }
        return hand_out(workbench.searchable_pdf(filed.document.document_id), filed.document.title, read_pdf), shape

    def import_text(title: str, text: str, patient_id: str = "", request: gr.Request | None = None) -> dict[str, Any]:
        """Keep a record that was never paper; it is typeset into pages and searched like any other.

        Args:
            title: What the record is called in lists.
            text: The record itself; line breaks are kept.
            patient_id: Whose record it is; empty files it to nobody.
        """
        return contract.document(workbench.import_text(title, text, patient_id or "", visitor(request)))

    def document(document_id: str) -> tuple[str, dict[str, Any]]:
        """Fetch a kept record: its searchable PDF and every word with its box and confidence.

        Args:
            document_id: Id as returned by digitise, import_text or search.
        """
        pdf, kept = workbench.searchable_pdf(document_id), workbench.document(document_id)
        return hand_out(pdf, kept.title, kept_pdf), contract.document(kept)

    def correct_word(
        document_id: str, page: int, word_index: int, text: str, request: gr.Request | None = None
    ) -> dict[str, Any]:
        """Put right one word that the machine misread; the PDF's text layer and the search follow.

        Args:
            document_id: Id of the record.
            page: Page number, from 1.
            word_index: Position of the word in the page's list of words, from 0.
            text: What the page really says.
        """
        mended = workbench.correct_word(document_id, int(page), int(word_index), text, visitor(request))
        return contract.document(mended)

    def search(query: str, patient_id: str = "", limit: int = 10, request: gr.Request | None = None) -> dict[str, Any]:
        """Find the places in records that speak of a symptom or finding, in lay or clinical words.

        Args:
            query: The symptom, in any words.
            patient_id: Search this patient's records only; empty searches all.
            limit: How many places to return at most.
        """
        answer = workbench.search(query, visitor(request), patient_id=patient_id or "", limit=int(limit))
        return contract.hits(answer.hits, answer.took_ms, answer.message)

    def models() -> dict[str, Any]:
        """List the models on the shelf with what each is for, not for, and how well it was measured to do."""
        return {"models": [contract.card(card) for card in workbench.model_cards()]}

    def use_model(task: str, model_id: str, request: gr.Request | None = None) -> dict[str, Any]:
        """Choose which model does a task from now on, and return its card.

        Args:
            task: The task of the card, such as ocr.
            model_id: Id of a card with that task.
        """
        return contract.card(workbench.use_model(task, model_id, visitor(request)))

    read_pdf, kept_pdf = _file(), _file()

    def audit(patient_id: str = "", checkpoint: str = "") -> dict[str, Any]:
        """The trail of reads and changes: events, a checkpoint to keep elsewhere, and the first broken event if any.

        Args:
            patient_id: Events of this patient only; empty gives the newest of all.
            checkpoint: One that was kept elsewhere; the trail is compared with it. May be empty.
        """
        found = workbench.trail(patient_id or "", checkpoint or "")
        return contract.trail(found.events, found.checkpoint, found.examination, found.compared_with)

    _publish(audit, [_text("patient_id"), _text("checkpoint")], [_json()])
    _publish(create_patient, [_text("name"), _text("birth_date"), _text("sex"), _text("record_number")], [_json()])
    _publish(find_patients, [_text("text")], [_json()])
    reading = {"concurrency_id": READING, "concurrency_limit": READERS}
    record_in = [gr.File(label="file", visible=False), _text("patient_id"), _text("language", "en")]
    _publish(digitise, record_in, [read_pdf, _json()], **reading)
    _publish(import_text, [_text("title"), _text("text"), _text("patient_id")], [_json()])
    _publish(document, [_text("document_id")], [kept_pdf, _json()])
    word_in = [_text("document_id"), _number("page", 1), _number("word_index", 0), _text("text")]
    _publish(correct_word, word_in, [_json()])
    _publish(search, [_text("query"), _text("patient_id"), _number("limit", 10)], [_json()])
    _publish(models, [], [_json()])
    _publish(use_model, [_text("task"), _text("model_id")], [_json()])


def hand_out(pdf: Path, title: str, by: gr.File) -> str:
    """A copy of a kept PDF under a name a person can use, in the folder that is swept by age."""
    Path(by.GRADIO_CACHE).mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=by.GRADIO_CACHE))
    copy = folder / file_name(title)
    shutil.copyfile(pdf, copy)
    by.temp_files.add(str(copy))  # Gradio deletes by age what a component calls its own
    return str(copy)


def _publish(endpoint: Any, inputs: list[Any], outputs: list[Any], **queue: Any) -> None:
    """An endpoint without anything to click: a hidden button carries it."""
    gr.Button(visible=False).click(
        told(endpoint), inputs, outputs, api_name=endpoint.__name__, show_progress="hidden", **queue
    )


def _text(label: str, value: str = "") -> gr.Textbox:
    return gr.Textbox(value, label=label, visible=False)


def _number(label: str, value: int) -> gr.Number:
    return gr.Number(value, label=label, precision=0, visible=False)


def _json() -> gr.JSON:
    return gr.JSON(visible=False)


def _file() -> gr.File:
    return gr.File(label="searchable_pdf", visible=False)
