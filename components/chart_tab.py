"""The Chart tab: one patient, everything in order, and where each line of it stands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from components import chart_view
from components.bridge import (
    STOPPING,
    Ended,
    RunningJobs,
    Step,
    follow,
    message_of,
    toast,
    told,
    visitor,
    was_cancelled,
)
from components.chart_files import new_file, with_ending
from components.part import part
from components.records_tab import READERS, READING, present_step
from domain import contract
from domain.errors import NotAllowed, NothingFound

if TYPE_CHECKING:
    from components.shell import Session
    from domain.chart import Chart
    from pipelines.workbench import Reception, Workbench

TAB = "Chart"
EVENTS = ("again", "open", "export", "dismiss", "reopen", "preview", "merge", "unmerge")
FILE_TYPES = [".json", ".zip"]


def build(workbench: Workbench, session: Session) -> None:
    """Lays the tab out and wires it."""
    jobs = RunningJobs()
    with gr.Row(elem_classes="hc-chart-columns"):
        with gr.Column(scale=3, min_width=300):
            shown = part("chart", events=EVENTS)
            # In small and last: receiving a chart from elsewhere is done once, reading it every day.
            receive = gr.UploadButton(
                "Receive a chart (FHIR bundle)…", file_types=FILE_TYPES, size="sm", elem_id="hc-chart-receive"
            )
            with gr.Column(elem_classes="hc-chart-job"):  # stays in sight however long the chart is
                status = part("job_status", elem_id="hc-chart-status")
                cancel = gr.Button("Cancel", visible=False, size="sm", elem_id="hc-chart-cancel")
                save = gr.DownloadButton("Save the chart", visible=False, size="sm", elem_id="hc-chart-save")
        with gr.Column(scale=2, min_width=280):
            viewer = part("chart_viewer", events=("open", "show", "preview_move", "move"))

    def present(chart: Chart, note: str = "") -> dict[str, Any]:
        return chart_view.present_chart(chart, workbench.may, note)

    def show(patient_id: str) -> dict[str, Any]:
        if not patient_id:
            return {"patient": None, "of_patient": ""}
        try:
            return present(workbench.charts.chart(patient_id))
        except NotAllowed as refusal:
            return {"refused": refusal.user_message, "of_patient": patient_id}

    def on_patient(patient_id: str) -> tuple[dict[str, Any], None, Any, Any]:
        receives = gr.UploadButton(visible=workbench.may("charts.import_bundle"))
        return show(patient_id), None, receives, gr.DownloadButton(visible=False)

    def on_filed(patient_id: str) -> dict[str, Any]:
        return show(patient_id)

    def on_tab(patient_id: str, chosen: gr.SelectData) -> Any:
        return show(patient_id) if chosen.value == TAB else gr.skip()

    def on_open(patient_id: str, event: gr.EventData) -> dict[str, Any]:
        also = {"patient_id": patient_id, "masked": getattr(event, "masked", False)}
        return chart_view.present_source(workbench, dict(event.source) | also)

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

    def other_than(patient_id: str, words: str) -> str:
        """The one other patient whom these words find."""
        others = [one for one in workbench.find_patients(words) if one.patient_id != patient_id]
        exact = [one for one in others if one.record_number.casefold() == words.strip().casefold()]
        if not words.strip() or len(exact or others) != 1:
            found = "nobody else" if not others else f"{len(others)} patients"
            raise NothingFound(f"These words find {found}. Type the whole record number of the other one.")
        return (exact or others)[0].patient_id

    def on_preview_move(patient_id: str, event: gr.EventData) -> dict[str, Any]:
        source = dict(event.source) | {"patient_id": patient_id}
        seen = workbench.charts.preview_move(str(source["id"]), other_than(patient_id, str(event.other)))
        return chart_view.present_source(workbench, source) | {"move": chart_view.present_move(seen)}

    def on_move(event: gr.EventData, request: gr.Request) -> tuple[dict[str, Any], None]:
        left = workbench.charts.move(
            str(event.document_id), str(event.to_id), str(event.reason), int(event.revision), visitor(request), True
        )
        return present(left, "The record is in the other chart now; search and trail followed."), None

    def on_receive(patient_id: str, file: str, request: gr.Request) -> Iterator[tuple[dict[str, Any], Any, Any]]:
        """What comes is told below the chart; the chart itself is drawn anew for whoever stands in the header then."""
        actor = visitor(request)

        def job(progress: Any, _: Any) -> Reception:
            return workbench.charts.import_bundle(Path(file), patient_id, actor, progress)

        for event in follow(job, jobs, actor.session):
            match event:
                case Step():
                    yield present_step(event), gr.Button(visible=True), gr.UploadButton(interactive=False)
                case Ended(result=None):
                    state, message = "stopped" if was_cancelled(event) else "refused", message_of(event.error)
                    shown = chart_view.present_status(state, message)
                    yield shown, gr.Button(visible=False), gr.UploadButton(interactive=True)
                    if state == "refused":
                        raise toast(message)
                case Ended():
                    shown = chart_view.present_reception(event.result, bool(patient_id), event.seconds)
                    yield shown, gr.Button(visible=False), gr.UploadButton(interactive=True)

    def on_export(patient_id: str, request: gr.Request) -> Iterator[tuple[dict[str, Any], Any, Any]]:
        """A chart with many files takes a while to write; whose it is, is said with the button that saves it."""
        actor, name = visitor(request), workbench.patient(patient_id).name
        made = new_file("chart.fhir", save)

        def job(progress: Any, _: Any) -> Path:
            workbench.charts.export(patient_id, made, actor, progress)
            return with_ending(made, save)

        for event in follow(job, jobs, actor.session):
            match event:
                case Step():
                    yield present_step(event), gr.Button(visible=True), gr.DownloadButton(visible=False)
                case Ended(result=None):
                    state, message = "stopped" if was_cancelled(event) else "refused", message_of(event.error)
                    yield chart_view.present_status(state, message), gr.Button(visible=False), gr.skip()
                    if state == "refused":
                        raise toast(message)
                case Ended():
                    count = event.result.stat().st_size
                    size = f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"
                    said = f"The chart of {name}: {size}, written out in {event.seconds:.0f} s. Save it below."
                    button = gr.DownloadButton(f"Save the chart of {name}", value=str(event.result), visible=True)
                    yield chart_view.present_status("done", said), gr.Button(visible=False), button

    def on_cancel(request: gr.Request) -> dict[str, Any]:
        stopping = jobs.stop(visitor(request).session)
        return chart_view.present_status("stopped", f"{STOPPING}." if stopping else "Nothing is running.")

    def on_preview(patient_id: str, event: gr.EventData) -> dict[str, Any]:
        seen = workbench.charts.preview_merge(patient_id, other_than(patient_id, str(event.other)))
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
        workbench.charts.unmerge(str(event.merge_id), int(event.revision), visitor(request))
        return show(patient_id) | {"note": "The merge is undone: each record has its own again."}

    quiet = {"show_progress": "hidden", "api_visibility": "private"}
    here = [session.patient_id]
    shown.again(told(on_filed), here, [shown], **quiet)
    shown.open(told(on_open), here, [viewer], **quiet)
    viewer.open(told(on_open), here, [viewer], **quiet)
    viewer.preview_move(told(on_preview_move), here, [viewer], **quiet)
    moved = viewer.move(told(on_move), None, [shown, viewer], **quiet)
    moved.success(session.changed, None, [session.filed], **quiet)
    viewer.show(told(on_show), None, [session.wanted, viewer], **quiet)
    for event, handler in (("dismiss", on_dismiss), ("reopen", on_reopen), ("preview", on_preview)):
        getattr(shown, event)(told(handler), here, [shown], **quiet)
    for event, handler in (("merge", on_merge), ("unmerge", on_unmerge)):
        done = getattr(shown, event)(told(handler), here, [shown], **quiet)
        done.success(session.changed, None, [session.filed], **quiet)
    reading = quiet | {"concurrency_id": READING, "concurrency_limit": READERS}
    received = receive.upload(told(on_receive), [session.patient_id, receive], [status, cancel, receive], **reading)
    received.then(session.changed, None, [session.filed], **quiet)
    shown.export(told(on_export), here, [status, cancel, save], **reading)
    cancel.click(told(on_cancel), None, [status], queue=False, **quiet)
    session.patient_id.change(told(on_patient), here, [shown, viewer, receive, save], **quiet)
    session.filed.change(told(on_filed), here, [shown], **quiet)
    session.tabs.select(told(on_tab), here, [shown], **quiet)
