"""The chart, for scripts and MCP clients: shapes are those of domain.chart_contract."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from components.bridge import told, visitor
from domain import chart_contract, contract
from domain.errors import UploadRejected
from domain.limits import MAX_BUNDLE_BYTES

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

    def unmerge_patients(merge_id: str, request: gr.Request | None = None) -> dict[str, Any]:
        """Give back what a merge moved; both patients are found again.

        Args:
            merge_id: Id of the merge, as the chart names it.
        """
        kept_id, gone_id = workbench.charts.unmerge(merge_id, visitor(request))
        return {"kept_id": kept_id, "gone_id": gone_id}

    def export_chart(patient_id: str, request: gr.Request | None = None) -> tuple[str, dict[str, Any]]:
        """The whole chart as a FHIR R4 document Bundle (International Patient Summary sections), with the PDFs.

        Args:
            patient_id: Id of the patient.
        """
        made = workbench.charts.export(patient_id, visitor(request))
        counts = Counter(entry["resource"]["resourceType"] for entry in made["entry"])
        return _hand_out(json.dumps(made, ensure_ascii=False), exported), {"resources": dict(counts)}

    def import_chart(file: str, patient_id: str = "", request: gr.Request | None = None) -> dict[str, Any]:
        """Receive a FHIR R4 Bundle about one patient; every resource is kept word for word. Returns the chart.

        Args:
            file: JSON file with the Bundle.
            patient_id: Whose chart it belongs to; empty adds the patient that the bundle names.
        """
        if not file:
            raise UploadRejected("No file came with the call, so there is nothing to receive. Send a FHIR Bundle.")
        if Path(file).stat().st_size > MAX_BUNDLE_BYTES:
            raise UploadRejected("The bundle is larger than can be received here. Send it in parts.")
        done, count = workbench.charts.import_bundle(Path(file).read_bytes(), patient_id or "", visitor(request))
        return chart_contract.chart(done) | {"received": count}

    exported = gr.File(label="bundle", visible=False)
    whose, item, reason = _text("patient_id"), _text("item"), _text("reason")
    _publish(chart, [whose])
    _publish(chart_summary, [whose])
    _publish(dismiss_attention, [whose, item, reason, _number("revision")])
    _publish(reopen_attention, [whose, item, _number("revision")])
    pair = [_text("kept_id"), _text("gone_id")]
    _publish(preview_merge, pair)
    _publish(merge_patients, [*pair, reason, _number("revision")])
    _publish(unmerge_patients, [_text("merge_id")])
    _publish(export_chart, [whose], [exported, gr.JSON(visible=False)])
    _publish(import_chart, [gr.File(label="file", visible=False), _text("patient_id")])


def _hand_out(text: str, by: gr.File) -> str:
    """The bundle as a file in the folder that is swept by age. Its name says nothing of the patient."""
    Path(by.GRADIO_CACHE).mkdir(parents=True, exist_ok=True)
    path = Path(tempfile.mkdtemp(dir=by.GRADIO_CACHE)) / "chart.fhir.json"
    path.write_text(text, "utf-8")
    by.temp_files.add(str(path))  # Gradio deletes by age what a component calls its own
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
