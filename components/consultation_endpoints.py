"""Visits for scripts and MCP clients: a conversation imported, its roles named, its note drafted and signed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from components.bridge import shown_by, told
from components.prescription_endpoints import hat
from domain import consultation_contract as contract
from domain.errors import UploadRejected

if TYPE_CHECKING:
    from pipelines.workbench import Workbench

LISTENING = "listening"  # visits of the page and of scripts wait in one line: each takes the processor whole
LISTENERS = 1
HEAVY = ("transcribe", "draft_note")
NO_NAME = "signed without a name"  # a script that gives none; the trail knows the account


def build(workbench: Workbench) -> None:
    """Adds the endpoints to the current Blocks, without anything to see."""

    def transcribe(
        file: str,
        patient_id: str = "",
        speakers: int = 2,
        request: gr.Request | None = None,
        progress: gr.Progress = gr.Progress(),
    ) -> dict[str, Any]:
        """Transcribe the recording of a visit: who said what and when, word by word, with each voice's role. Words that
        may be wrong are marked; nothing is corrected by itself.

        Args:
            file: A recording: wav, mp3, m4a, ogg, flac, webm, or a video with sound.
            patient_id: Whose visit it is; may be empty.
            speakers: How many voices there are; 0 finds out.
        """
        if not file:
            raise UploadRejected("No file came with the call, so there is nothing to hear. Send a recording.")
        visit = workbench.consultations.transcribe(
            Path(file), patient_id or "", int(speakers or 0), hat("doctor", request), shown_by(progress)
        )
        return contract.transcript(visit.transcript, visit.roles)

    def import_transcript(text: str, patient_id: str = "", request: gr.Request | None = None) -> dict[str, Any]:
        """Take in a conversation that comes as text, so that a note can be drafted from it. Times are null.

        Args:
            text: Lines that each begin with who speaks: "Doctor: ...", "Patient: ...". Names that are no role are
                allowed; their roles are then worked out from what they say.
            patient_id: Whose visit it is; may be empty.
        """
        visit = workbench.consultations.import_transcript(text or "", patient_id or "", hat("doctor", request))
        return contract.transcript(visit.transcript, visit.roles)

    def relabel(consultation_id: str, speaker: str, role: str, request: gr.Request | None = None) -> dict[str, Any]:
        """Say who a speaker is; the other speaker's role, the note and its evidence follow.

        Args:
            consultation_id: Id as returned by transcribe or import_transcript.
            speaker: A speaker's label in the transcript.
            role: doctor, patient, nurse or relative.
        """
        doctor = hat("doctor", request)
        visit = workbench.consultations.relabel(consultation_id or "", speaker or "", role or "", doctor)
        return contract.transcript(visit.transcript, visit.roles)

    def draft_note(
        consultation_id: str, request: gr.Request | None = None, progress: gr.Progress = gr.Progress()
    ) -> dict[str, Any]:
        """Draft a SOAP note of a visit: every line names the utterances that support it. A draft, to be read and
        corrected by a clinician before signing. Lines whose number, medicine, side or denial is not in their evidence
        are under "unsupported", with the reason.

        Args:
            consultation_id: Id as returned by transcribe or import_transcript.
        """
        doctor = hat("doctor", request)
        visit = workbench.consultations.draft_note(consultation_id or "", doctor, shown_by(progress))
        assert visit.note is not None, "it was drafted a moment ago"
        return contract.note(visit.note)

    def sign_note(
        consultation_id: str, note: dict[str, Any], name: str = "", request: gr.Request | None = None
    ) -> dict[str, Any]:
        """Sign a note as it was edited: it is locked for good, and the recording is deleted. Only a clinician may.

        Args:
            consultation_id: Id as returned by transcribe or import_transcript.
            note: The note as returned by draft_note, with the lines as they shall be signed.
            name: Who signs.
        """
        if isinstance(note, dict) and note.get("consultation_id", consultation_id) != consultation_id:
            raise UploadRejected("This note belongs to another consultation, so it was not signed. Send its own note.")
        lines = contract.edited_lines(note)
        doctor = hat("doctor", request)
        visit = workbench.consultations.sign(consultation_id or "", lines, name or NO_NAME, doctor)
        assert visit.note is not None, "it was signed a moment ago"
        return contract.note(visit.note)

    which = [_text("consultation_id")]
    recording, voices = gr.File(label="file", visible=False), gr.Number(2, label="speakers", precision=0, visible=False)
    _publish(transcribe, [recording, _text("patient_id"), voices])
    _publish(import_transcript, [_text("text"), _text("patient_id")])
    _publish(relabel, [*which, _text("speaker"), _text("role")])
    _publish(draft_note, [_text("consultation_id")])
    _publish(sign_note, [_text("consultation_id"), gr.JSON(label="note", visible=False), _text("name")])


def _publish(endpoint: Any, inputs: list[Any]) -> None:
    answer = gr.JSON(visible=False)
    gr.Button(visible=False).click(
        told(endpoint), inputs, [answer], api_name=endpoint.__name__, show_progress="hidden",
        concurrency_id=LISTENING if endpoint.__name__ in HEAVY else None, concurrency_limit=LISTENERS,
    )  # fmt: skip


def _text(label: str) -> gr.Textbox:
    return gr.Textbox("", label=label, visible=False)
