"""The Chart tab: one patient, everything in order, and where each line of it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from components import chart_view
from components.bridge import told, visitor
from components.part import part
from domain import contract
from domain.errors import NotAllowed, NothingFound

if TYPE_CHECKING:
    from components.shell import Session
    from domain.chart import Chart
    from pipelines.workbench import Workbench

TAB = "Chart"
EVENTS = ("open", "dismiss", "reopen", "preview", "merge", "unmerge")


def build(workbench: Workbench, session: Session) -> None:
    """Lays the tab out and wires it."""
    with gr.Row(elem_classes="hc-chart-columns"):
        with gr.Column(scale=3, min_width=300):
            shown = part("chart", events=EVENTS)
        with gr.Column(scale=2, min_width=280):
            viewer = part("chart_viewer", events=("open", "show"))

    def present(chart: Chart, note: str = "") -> dict[str, Any]:
        may = workbench.may("charts.dismiss"), workbench.may("charts.merge")
        return chart_view.present_chart(chart, *may, note)

    def show(patient_id: str) -> dict[str, Any]:
        if not patient_id:
            return {"patient": None}
        try:
            return present(workbench.charts.chart(patient_id))
        except NotAllowed as refusal:
            return {"refused": refusal.user_message}

    def on_patient(patient_id: str) -> tuple[dict[str, Any], None]:
        return show(patient_id), None

    def on_filed(patient_id: str) -> dict[str, Any]:
        return show(patient_id)

    def on_tab(patient_id: str, chosen: gr.SelectData) -> Any:
        return show(patient_id) if chosen.value == TAB else gr.skip()

    def on_open(patient_id: str, event: gr.EventData) -> dict[str, Any]:
        return chart_view.present_source(workbench, dict(event.source) | {"patient_id": patient_id})

    def on_show(event: gr.EventData) -> tuple[dict[str, Any], Any]:
        wish = session.want(str(event.document_id), int(event.page), event.boxes or ())
        return wish, gr.skip()

    def on_dismiss(patient_id: str, event: gr.EventData, request: gr.Request) -> dict[str, Any]:
        reason, revision = str(event.reason), int(event.revision)
        done = workbench.charts.dismiss(patient_id, str(event.item), reason, revision, visitor(request))
        return present(done, "Set aside. Your reason is kept with it.")

    def on_reopen(patient_id: str, event: gr.EventData, request: gr.Request) -> dict[str, Any]:
        done = workbench.charts.reopen(patient_id, str(event.item), int(event.revision), visitor(request))
        return present(done, "Shown again.")

    def on_preview(patient_id: str, event: gr.EventData) -> dict[str, Any]:
        others = [one for one in workbench.find_patients(str(event.other)) if one.patient_id != patient_id]
        if not str(event.other).strip() or len(others) != 1:
            found = "nobody else" if not others else f"{len(others)} patients"
            raise NothingFound(f"These words find {found}. Type the whole record number of the other record.")
        seen = workbench.charts.preview_merge(patient_id, others[0].patient_id)
        preview = {
            "gone": contract.patient(seen.gone),
            "counts": seen.counts,
            "differences": [{"field": field, "kept": kept, "gone": gone} for field, kept, gone in seen.differences],
            "revision": seen.revision,
        }
        return show(patient_id) | {"preview": preview}

    def on_merge(patient_id: str, event: gr.EventData, request: gr.Request) -> dict[str, Any]:
        reason, revision = str(event.reason), int(event.revision)
        done = workbench.charts.merge(patient_id, str(event.gone_id), reason, revision, visitor(request))
        return present(done, "The two records are one chart now. It can be undone below.")

    def on_unmerge(patient_id: str, event: gr.EventData, request: gr.Request) -> dict[str, Any]:
        workbench.charts.unmerge(str(event.merge_id), visitor(request))
        return show(patient_id) | {"note": "The merge is undone: each record has its own again."}

    quiet = {"show_progress": "hidden", "api_visibility": "private"}
    here = [session.patient_id]
    shown.open(told(on_open), here, [viewer], **quiet)
    viewer.open(told(on_open), here, [viewer], **quiet)
    viewer.show(told(on_show), None, [session.wanted, viewer], **quiet)
    for event, handler in (("dismiss", on_dismiss), ("reopen", on_reopen), ("preview", on_preview)):
        getattr(shown, event)(told(handler), here, [shown], **quiet)
    for event, handler in (("merge", on_merge), ("unmerge", on_unmerge)):
        done = getattr(shown, event)(told(handler), here, [shown], **quiet)
        done.success(session.changed, None, [session.filed], **quiet)
    session.patient_id.change(told(on_patient), here, [shown, viewer], **quiet)
    session.filed.change(told(on_filed), here, [shown], **quiet)
    session.tabs.select(told(on_tab), here, [shown], **quiet)
