"""The chart, for scripts and MCP clients: shapes are those of domain.chart_contract."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from components.bridge import shown_by, told, visitor
from components.chart_files import new_file, with_ending
from components.chart_view import present_move
from domain import chart_contract, contract
from domain.errors import UploadRejected

if TYPE_CHECKING:
    from pipelines.workbench import Workbench


def build(workbench: Workbench) -> None:
    """Adds the endpoints to the current Blocks, without anything to see."""

    def chart(patient_id: str) -> dict[str, Any]:
        """One patient in order: problems, medicines, allergies, values over time, what needs attention, timeline.

        Every value names its source: a record's page with boxes, or the second of a conversation.

        Args:
            patient_id: Id as returned by create_patient or find_patients.
        """
        return chart_contract.chart(workbench.charts.chart(patient_id))

    def chart_summary(patient_id: str) -> dict[str, Any]:
        """The page to read before the visit: lines taken from the chart, each with its sources.

        Args:
            patient_id: Id of the patient.
        """
        return {"sections": chart_contract.summary(workbench.charts.summary(patient_id))}

    def dismiss_attention(
        patient_id: str, item: str, reason: str, revision: int, request: gr.Request | None = None
    ) -> dict[str, Any]:
        """Set an entry of the attention list aside; the reason is kept and shown. Returns the chart.

        Args:
            patient_id: Id of the patient.
            item: Id of the entry, as the chart names it.
            reason: Why it needs no attention.
            revision: Revision of the chart that was looked at; refused when the chart has changed since.
        """
        done = workbench.charts.dismiss(patient_id, item, reason, int(revision), visitor(request))
        return chart_contract.chart(done)

    def reopen_attention(
        patient_id: str, item: str, revision: int, request: gr.Request | None = None
    ) -> dict[str, Any]:
        """Show an entry again that was set aside. Returns the chart.

        Args:
            patient_id: Id of the patient.
            item: Id of the entry, as the chart names it.
            revision: Revision of the chart that was looked at.
        """
        return chart_contract.chart(workbench.charts.reopen(patient_id, item, int(revision), visitor(request)))

    def preview_merge(kept_id: str, gone_id: str) -> dict[str, Any]:
        """What joining two records of one person would do; nothing is changed.

        Args:
            kept_id: The patient whose chart stays.
            gone_id: The patient whose things would go over.
        """
        seen = workbench.charts.preview_merge(kept_id, gone_id)
        return {
            "kept": contract.patient(seen.kept),
            "gone": contract.patient(seen.gone),
            "counts": seen.counts,
            "differences": [{"field": f, "kept": kept, "gone": gone} for f, kept, gone in seen.differences],
            "revision": seen.revision,
        }

    def merge_patients(
        kept_id: str, gone_id: str, reason: str, revision: int, request: gr.Request | None = None
    ) -> dict[str, Any]:
        """Join two records of one person; it can be undone with unmerge_patients. Returns the chart.

        Args:
            kept_id: The patient whose chart stays.
            gone_id: The patient whose things go over.
            reason: Why they are one person; it is kept.
            revision: Of the preview.
        """
        done = workbench.charts.merge(kept_id, gone_id, reason, int(revision), visitor(request))
        return chart_contract.chart(done)

    def unmerge_patients(merge_id: str, revision: int, request: gr.Request | None = None) -> dict[str, Any]:
        """Give back what a merge moved; both patients are found again.

        Args:
            merge_id: Id of the merge, as the chart names it.
            revision: Revision of the kept chart that was looked at; refused when the chart has changed since.
        """
        kept_id, gone_id = workbench.charts.unmerge(merge_id, int(revision), visitor(request))
        return {"kept_id": kept_id, "gone_id": gone_id}

    def preview_move(document_id: str, to_id: str) -> dict[str, Any]:
        """What filing a record to another patient would mean; nothing is changed.

        Args:
            document_id: The record that lies in the wrong chart.
            to_id: The patient whose it is.
        """
        return present_move(workbench.charts.preview_move(document_id, to_id))

    def move_record(
        document_id: str,
        to_id: str,
        reason: str,
        revision: int,
        confirmed: bool = False,
        request: gr.Request | None = None,
    ) -> dict[str, Any]:
        """File a record to another patient; chart, search and trail follow. Returns the chart that it left.

        Args:
            document_id: The record that lies in the wrong chart.
            to_id: The patient whose it is.
            reason: How it came there; it is kept.
            revision: Of the preview; refused when the chart has changed since.
            confirmed: Move it although its pages name somebody else.
        """
        done = workbench.charts.move(document_id, to_id, reason, int(revision), visitor(request), bool(confirmed))
        return chart_contract.chart(done)

    def summary_pdf(patient_id: str, request: gr.Request | None = None) -> str:
        """The page to read before the visit as a PDF; every line names its source.

        Args:
            patient_id: Id of the patient.
        """
        return _hand_out(workbench.charts.print_summary(patient_id, visitor(request)), "summary.pdf", printed)

    def export_chart(
        patient_id: str, request: gr.Request | None = None, progress: gr.Progress = gr.Progress()
    ) -> tuple[str, dict[str, Any]]:
        """The whole chart as a FHIR R4 document Bundle (International Patient Summary sections), with the PDFs.

        A chart that is too large for one bundle comes as a ZIP of several.

        Args:
            patient_id: Id of the patient.
        """
        made = new_file("chart.fhir", exported)
        counts = workbench.charts.export(patient_id, made, visitor(request), shown_by(progress))
        return str(with_ending(made, exported)), {"resources": counts}

    def import_chart(
        file: str,
        patient_id: str = "",
        request: gr.Request | None = None,
        progress: gr.Progress = gr.Progress(),
    ) -> dict[str, Any]:
        """Receive a FHIR R4 Bundle about one patient; every resource is kept word for word. Returns the chart.

        PDFs, pictures and texts inside it become records: "filed" says how many, "held" how many name somebody else
        and wait on the Records tab, "refused" why others are none.

        Args:
            file: JSON file with the Bundle, or ZIP with several of one patient.
            patient_id: Whose chart it belongs to; empty adds the patient that the bundle names.
        """
        if not file:
            raise UploadRejected("No file came with the call, so there is nothing to receive. Send a FHIR Bundle.")
        done = workbench.charts.import_bundle(Path(file), patient_id or "", visitor(request), shown_by(progress))
        told = {"received": done.received, "filed": done.filed, "held": done.held, "refused": list(done.refused)}
        return chart_contract.chart(done.chart) | told

    printed = gr.File(label="summary", visible=False)
    exported = gr.File(label="bundle", visible=False)
    whose, item, reason = _text("patient_id"), _text("item"), _text("reason")
    _publish(chart, [whose])
    _publish(chart_summary, [whose])
    _publish(dismiss_attention, [whose, item, reason, _number("revision")])
    _publish(reopen_attention, [whose, item, _number("revision")])
    pair = [_text("kept_id"), _text("gone_id")]
    _publish(preview_merge, pair)
    _publish(merge_patients, [*pair, reason, _number("revision")])
    _publish(unmerge_patients, [_text("merge_id"), _number("revision")])
    moved = [_text("document_id"), _text("to_id")]
    _publish(preview_move, moved)
    _publish(move_record, [*moved, reason, _number("revision"), gr.Checkbox(label="confirmed", visible=False)])
    _publish(summary_pdf, [whose], [printed])
    _publish(export_chart, [whose], [exported, gr.JSON(visible=False)])
    _publish(import_chart, [gr.File(label="file", visible=False), _text("patient_id")])


def _hand_out(content: bytes, name: str, by: gr.File) -> str:
    path = new_file(name, by)
    path.write_bytes(content)
    return str(path)


def _publish(endpoint: Any, inputs: list[Any], outputs: list[Any] | None = None) -> None:
    """An endpoint without anything to click: a hidden button carries it."""
    gr.Button(visible=False).click(
        told(endpoint), inputs, outputs or [gr.JSON(visible=False)], api_name=endpoint.__name__, show_progress="hidden"
    )


def _text(label: str) -> gr.Textbox:
    return gr.Textbox("", label=label, visible=False)


def _number(label: str) -> gr.Number:
    return gr.Number(0, label=label, precision=0, visible=False)
