"""The Imaging tab: a scan is read for a task, or the model keeps silent; map, doubt and history beside it."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from components import imaging_view as view
from components.bridge import Ended, Step, follow, message_of, toast, told, visitor, was_cancelled
from components.imaging_endpoints import IMAGING, READERS
from components.part import part
from domain.errors import NotAllowed, NothingFound, UploadRejected
from domain.imaging import AUTO_TASK

if TYPE_CHECKING:
    from components.shell import Session
    from pipelines.workbench import ScanRead, Workbench

TAB = "Imaging"
SCANS = Path(__file__).resolve().parent.parent / "data" / "samples" / "scans"
EVENTS = ("open", "beside", "file", "say", "slice", "stack")
SLIDER_HEIGHT_PX = 420
LINE_AT = 12  # per cent from the left: most of the map is seen at once, wherever it points
TOOLS = "A DICOM file without identity, and opinions for research"


def find_scans(folder: Path = SCANS) -> tuple[tuple[str, Path], ...]:
    """Title and file of each scan that can be tried with one click; a leading number only puts them in order."""
    files = sorted(p for p in folder.iterdir() if p.suffix in (".png", ".jpg")) if folder.is_dir() else []
    titles = [re.sub(r"^\d+[_-]", "", path.stem).replace("_", " ") for path in files]
    return tuple((title[:1].upper() + title[1:], path) for title, path in zip(titles, files, strict=True))


class Room:
    """The handlers' view of the imaging desk, in the context of the chosen patient."""

    def __init__(self, workbench: Workbench) -> None:
        self.workbench = workbench

    def show(self, patient_id: str, task: str, reading_id: str = "", **more: Any) -> dict[str, Any]:
        """Value of the part; `reading_id`: the reading that is open, "" for none."""
        desk = self.workbench.imaging
        if not self.workbench.may("imaging.readings_of"):
            return view.present(self.workbench.scan_cards(), task, (), "")
        name = self.workbench.patient(patient_id).name if patient_id else ""
        opened = desk.reading(reading_id) if reading_id else None
        beside = more.pop("beside", "")
        return view.present(
            self.workbench.scan_cards(),
            opened.task if opened else task,
            desk.readings_of(patient_id),
            name,
            opened,
            desk.reading(beside) if beside else None,
            **more,
        )

    def pictures(self, reading_id: str) -> Any:
        """Value of the slider: the picture, and the map on it; hidden where there is no map."""
        desk = self.workbench.imaging
        kept = desk.reading(reading_id)
        if not kept.overlay_sha256:
            return gr.ImageSlider(value=None, visible=False)
        return gr.ImageSlider(value=(str(desk.picture(reading_id)), str(desk.overlay(reading_id))), visible=True)

    def file_of(self, reading_id: str, path: str | None) -> Path:
        """The chosen file, which must be the one that the open reading was made of: another one's pictures beside it
        would be taken for the same stack. Raises UploadRejected."""
        chosen = Path(_chosen(path))
        with chosen.open("rb") as content:
            same = hashlib.file_digest(content, "sha256").hexdigest()
        if self.workbench.imaging.reading(reading_id).source_sha256 != same:
            raise UploadRejected(
                "The chosen file is not the one that this reading was made of, so no other picture was taken from it. "
                "Choose that file again, or read the chosen one first."
            )
        return chosen


def build(workbench: Workbench, session: Session) -> None:
    """Lays the tab out and wires it."""
    room = Room(workbench)
    tasks = [(view.name_of(AUTO_TASK), AUTO_TASK)]
    tasks += [(view.name_of(card.task), card.task) for card in workbench.scan_cards()]
    open_now = gr.State("")  # reading id
    with gr.Row(elem_classes="hc-intake"):
        with gr.Column(scale=3, min_width=280):
            with gr.Column() as reads:  # closed to those who may only collect opinions
                upload = gr.File(label="A scan: PNG, JPEG, DICOM or NIfTI", height=140, elem_id="hc-scan")
                with gr.Row(elem_classes="hc-read-row"):
                    task = gr.Dropdown(tasks, value=AUTO_TASK, label="Task", min_width=230, elem_id="hc-scan-task")
                    read = gr.Button("Read this scan", variant="primary", elem_id="hc-scan-read", min_width=150)
                    cancel = gr.Button("Cancel", visible=False, elem_id="hc-scan-cancel", min_width=100)
                status = part("job_status", elem_id="hc-scan-status")
                gr.HTML("<p class='hc-quiet'>Or try one:</p>", apply_default_css=False, js_on_load=None)
                scans = find_scans()
                with gr.Row(elem_classes="hc-example-row"):
                    buttons = [gr.Button(title, size="sm", min_width=90) for title, _ in scans]
            with gr.Accordion(TOOLS, open=False):
                strip = gr.Button("Save the chosen DICOM file without identity", elem_id="hc-scan-strip")
                stripped = gr.File(
                    label="Without identity", interactive=False, visible=False, elem_id="hc-scan-stripped"
                )
                collect = gr.Button("Opinions on readings as CSV", elem_id="hc-scan-opinions")
                collected = gr.File(label="Opinions", interactive=False, visible=False)
        with gr.Column(scale=2, min_width=280):
            card = part("imaging_card")
    slider = gr.ImageSlider(
        label="Map and picture: drag the line",
        visible=False,
        max_height=SLIDER_HEIGHT_PX,
        buttons=["fullscreen"],
        slider_position=LINE_AT,
        elem_id="hc-scan-slider",
    )
    shown = part("imaging", events=EVENTS)

    def read_file(
        path: str, task: str, patient_id: str, request: gr.Request, number: int | None = None
    ) -> Iterator[Any]:
        actor = visitor(request)

        def job(progress: Any, _: Any) -> ScanRead:
            return workbench.read_scan(Path(path), task, patient_id, actor, number, progress)

        for event in follow(job, session.jobs, actor.session):
            match event:
                case Step():
                    yield _running(event), *_unchanged(4), gr.Button(visible=True)
                case Ended(result=None):
                    state, message = "stopped" if was_cancelled(event) else "refused", message_of(event.error)
                    yield _status(state, message), *_unchanged(4), gr.Button(visible=False)
                    if state == "refused":
                        raise toast(message)
                case Ended():
                    done = event.result
                    said = f"Read in {event.seconds:.1f} s."
                    if done.duplicate_of:
                        said += " The same model had read the same picture before; this is that reading."
                    silent = done.scan.pixels if done.reading.abstained else None
                    value = room.show(patient_id, task, done.reading_id, turned_away=silent)
                    yield (
                        _status("done", said),
                        value,
                        room.pictures(done.reading_id),
                        done.reading_id,
                        value,
                        gr.Button(visible=False),
                    )

    def on_read(path: str | None, task: str, patient_id: str, request: gr.Request) -> Iterator[Any]:
        yield from read_file(_chosen(path), task, patient_id, request)

    def on_cancel(request: gr.Request) -> dict[str, Any]:
        stopping = session.jobs.stop(visitor(request).session)
        return _status("stopped", "Stopping." if stopping else "Nothing is running.")

    def on_slice(
        path: str | None, task: str, patient_id: str, reading_id: str, event: gr.EventData, request: gr.Request
    ) -> Iterator[Any]:
        chosen = room.file_of(reading_id, path)
        yield from read_file(str(chosen), task, patient_id, request, int(event.number))

    def on_stack(path: str | None, task: str, patient_id: str, reading_id: str, request: gr.Request) -> Iterator[Any]:
        chosen, actor = room.file_of(reading_id, path), visitor(request)
        for event in follow(
            lambda progress, _: workbench.imaging.along_stack(chosen, task, patient_id, actor, progress),
            session.jobs,
            actor.session,
        ):
            match event:
                case Step():
                    yield _running(event), gr.skip(), gr.Button(visible=True)
                case Ended(result=None):
                    state, message = "stopped" if was_cancelled(event) else "refused", message_of(event.error)
                    yield _status(state, message), gr.skip(), gr.Button(visible=False)
                    if state == "refused":
                        raise toast(message)
                case Ended(result=answers):
                    said = f"{len(answers)} pictures along the stack were read; nothing of it is kept."
                    value = room.show(patient_id, task, reading_id, stack=answers)
                    yield _status("done", said), value, gr.Button(visible=False)

    def on_task(task: str, patient_id: str, reading_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
        value = room.show(patient_id, task, reading_id)
        return value, view.present(workbench.scan_cards(), task, (), "")

    def on_open(task: str, patient_id: str, event: gr.EventData) -> tuple[Any, Any, str, Any]:
        reading_id = str(event.reading_id)
        value = room.show(patient_id, task, reading_id)
        return value, room.pictures(reading_id), reading_id, value

    def on_beside(task: str, patient_id: str, reading_id: str, event: gr.EventData) -> dict[str, Any]:
        return room.show(patient_id, task, reading_id, beside=str(event.reading_id))

    def on_file(task: str, patient_id: str, reading_id: str, request: gr.Request) -> dict[str, Any]:
        if not patient_id or not reading_id:
            raise NotAllowed("No patient is chosen, so nothing was filed. Choose the patient in the header first.")
        workbench.imaging.file_reading(reading_id, patient_id, visitor(request))
        return room.show(patient_id, task, reading_id, note="Filed to the patient's chart.")

    def on_say(task: str, patient_id: str, event: gr.EventData, request: gr.Request) -> dict[str, Any]:
        reading_id = str(event.reading_id)
        workbench.imaging.say(reading_id, str(event.opinion), str(event.reason), visitor(request))
        return room.show(patient_id, task, reading_id, note="Your opinion is kept with the reading.")

    def on_strip(path: str | None, request: gr.Request) -> Iterator[Any]:
        source, actor = Path(_chosen(path)), visitor(request)
        target = Path(tempfile.mkdtemp(dir=_cache(stripped))) / "without-identity.dcm"
        for event in follow(
            lambda progress, _: workbench.imaging.without_identity(source, target, actor, progress),
            session.jobs,
            actor.session,
        ):
            match event:
                case Step():
                    yield _running(event), gr.skip(), gr.Button(visible=True)
                case Ended(result=None):
                    state, message = "stopped" if was_cancelled(event) else "refused", message_of(event.error)
                    yield _status(state, message), gr.File(value=None, visible=False), gr.Button(visible=False)
                    if state == "refused":
                        raise toast(message)
                case Ended(result=places):
                    stripped.temp_files.add(str(target))
                    lines = "One line" if places == 1 else f"{places or 'No'} lines"
                    said = f"{lines} of text found in the picture and blacked out. Look at the copy before it leaves."
                    yield _status("done", said), gr.File(value=str(target), visible=True), gr.Button(visible=False)

    def on_collect(request: gr.Request) -> Any:
        table = workbench.imaging.feedback_csv(visitor(request))
        if table.count("\n") <= 1:
            raise NothingFound("Nobody has given an opinion on a reading yet. Open a reading and agree or disagree.")
        target = Path(tempfile.mkdtemp(dir=_cache(collected))) / "opinions.csv"
        target.write_text(table, "utf-8")
        collected.temp_files.add(str(target))
        return gr.File(value=str(target), visible=True)

    def on_patient(patient_id: str, task: str) -> tuple[Any, Any, str, Any]:
        value = room.show(patient_id, task)
        return value, gr.ImageSlider(value=None, visible=False), "", value

    def on_load(task: str, patient_id: str) -> tuple[Any, ...]:
        may_read = workbench.may("read_scan")
        return *on_task(task, patient_id, ""), gr.Column(visible=may_read), gr.Button(visible=may_read)

    quiet = {"show_progress": "hidden", "api_visibility": "private"}
    reading = {**quiet, "concurrency_id": IMAGING, "concurrency_limit": READERS}
    patient, opened = session.patient_id, [shown, slider, open_now, card]
    results = [status, *opened, cancel]
    jobs = [read.click(told(on_read), [upload, task, patient], results, **reading)]
    jobs.append(shown.slice(told(on_slice), [upload, task, patient, open_now], results, **reading))
    for button, (_, path) in zip(buttons, scans, strict=True):
        jobs.append(button.click(told(_reads_sample(read_file, path)), [task, patient], results, **reading))
    for job in jobs:
        job.success(session.changed, None, [session.filed], **quiet)
    cancel.click(told(on_cancel), None, [status], queue=False, **quiet)
    shown.stack(told(on_stack), [upload, task, patient, open_now], [status, shown, cancel], **reading)
    task.change(told(on_task), [task, patient, open_now], [shown, card], **quiet)
    shown.open(told(on_open), [task, patient], opened, **quiet)
    shown.beside(told(on_beside), [task, patient, open_now], [shown], **quiet)
    filed = shown.file(told(on_file), [task, patient, open_now], [shown], **quiet)
    filed.success(session.changed, None, [session.filed], **quiet)
    shown.say(told(on_say), [task, patient], [shown], **quiet)
    strip.click(told(on_strip), [upload], [status, stripped, cancel], **reading)
    collect.click(told(on_collect), None, [collected], **quiet)
    patient.change(told(on_patient), [patient, task], opened, **quiet)
    gr.on(None, told(on_load), [task, patient], [shown, card, reads, strip], **quiet)


def _chosen(path: str | None) -> str:
    if not path:
        raise UploadRejected(
            "No scan is chosen yet, so nothing can be read. Choose a picture, DICOM or NIfTI file first."
        )
    return path


def _unchanged(count: int) -> tuple[Any, ...]:
    return tuple(gr.skip() for _ in range(count))


def _cache(component: gr.File) -> Path:
    folder = Path(component.GRADIO_CACHE)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _reads_sample(read_file: Any, sample: Path) -> Any:
    def on_sample(task: str, patient_id: str, request: gr.Request) -> Iterator[Any]:
        yield from read_file(str(sample), task, patient_id, request)

    return on_sample


def _running(step: Step) -> dict[str, Any]:
    return {
        "state": "running",
        "text": f"{step.message.rstrip('.')} · {step.seconds:.0f} s",
        "done": step.done,
        "total": step.total,
    }


def _status(state: str, text: str) -> dict[str, Any]:
    return {"state": state, "text": text, "done": 0, "total": 0}
