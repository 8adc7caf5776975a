"""The Records tab: a file comes in, its pages appear as they are read, and a person checks and files the record."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from components import page_view
from components.bridge import (
    STOPPING,
    Ended,
    Made,
    RunningJobs,
    Step,
    follow,
    message_of,
    toast,
    told,
    visitor,
    was_cancelled,
)
from components.part import part
from components.record_samples import Sample, find_samples
from domain.document import OcrDocument, OcrPage
from domain.errors import NotAllowed, UploadRejected

if TYPE_CHECKING:
    from components.shell import Session
    from pipelines.workbench import DocumentSummary, FiledRecord, IdentityConflict, Workbench

FILE_TYPES = [".pdf", ".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".heic", ".heif"]
LANGUAGES = [("English", "en"), ("German", "de"), ("French", "fr"), ("Spanish", "es"), ("Italian", "it")]
LISTED_RECORDS = 50
LATEST_PAGES = 8  # shown while a record is being read
READING = "reading"  # jobs that share the cores share this queue
READERS = 2
TYPED = "typed"  # in place of a model's id: a record that nothing had to be read from
Open = tuple[str, int]  # document id and page
NOTHING_OPEN = page_view.present_nothing(
    "No record is open",
    "Put in a scan, a photo or a PDF above, try an example, or open one of the records in the list.",
)


def present_step(step: Step) -> dict[str, Any]:
    """A running job in a sentence, with its bar."""
    where = f"{step.done:g} of {step.total:g} {step.unit}" if step.total else ""
    text = " · ".join(filter(None, (step.message.rstrip("."), where, f"{step.seconds:.0f} s")))
    return {"state": "running", "text": text, "done": step.done, "total": step.total}


def present_end(filed: FiledRecord, patient_name: str) -> dict[str, Any]:
    """What came of a filing, in a sentence."""
    pages = len(filed.document.pages)
    took = f"{pages} {'page' if pages == 1 else 'pages'} read in {filed.seconds:.1f} s."
    if filed.duplicate_of:
        return _status("stopped", "This very file is kept already. The record that was made of it is shown below.")
    if filed.conflicts:
        return _status("stopped", f"{took} Kept, but not filed: the identity on it does not match. See below.")
    return _status("done", f"{took} Filed to {patient_name or 'nobody: choose a patient to file it'}.")


def present_list(
    own: Sequence[DocumentSummary], unfiled: Sequence[DocumentSummary], patient_name: str, open_id: str
) -> dict[str, Any]:
    """The chosen patient's records (the latest of everybody while none is chosen), then those filed to nobody."""
    own = [record for record in own if record.patient_id]
    heading = f"Records of {patient_name}" if patient_name else "Latest records of all patients"
    groups = [_group(heading, own, "No record yet. The first one you put in appears here.", named=not patient_name)]
    if unfiled:
        groups.append(_group("Filed to nobody yet", unfiled, ""))
    return {"open": open_id, "groups": groups}


def _group(heading: str, records: Sequence[DocumentSummary], empty: str, named: bool = False) -> dict[str, Any]:
    """`named`: each record says whose it is."""
    more = f"The latest {LISTED_RECORDS} are shown; search for others." if len(records) > LISTED_RECORDS else ""
    shown = [
        {
            "document_id": record.document_id,
            "title": record.title,
            "patient": record.patient_name if named else "",
            "typed": record.model_id == TYPED,
            "kind": "" if record.kind == "other" else record.kind.replace("_", " "),
            "date": (record.document_date or record.created_at.date()).isoformat(),
            "page_count": record.page_count,
            "confidence": round(float(record.confidence), page_view.CONFIDENCE_DECIMALS),
        }
        for record in records[:LISTED_RECORDS]
    ]
    return {"heading": heading, "records": shown, "empty": empty, "more": more}


def present_conflicts(conflicts: Sequence[IdentityConflict]) -> tuple[dict[str, Any], ...]:
    """Rows that set the identity on the record beside the chosen patient's, each with its place on the page."""
    return tuple(
        {
            "field": conflict.field.replace("_", " ").capitalize(),
            "on_record": conflict.on_record,
            "in_chart": conflict.in_chart or "none",
            "page": conflict.page,
            "word_indices": list(conflict.word_indices),
        }
        for conflict in conflicts
    )


def _status(state: str, text: str) -> dict[str, Any]:
    return {"state": state, "text": text, "done": 0, "total": 0}


class Desk:
    """The handlers' view of the workbench: shows records in the context of the chosen patient."""

    def __init__(self, workbench: Workbench) -> None:
        self.workbench = workbench

    def name(self, patient_id: str) -> str:
        return self.workbench.patient(patient_id).name if patient_id else ""

    def list(self, patient_id: str, open_id: str = "") -> dict[str, Any]:
        if not self.workbench.may("documents", patient_id):
            return present_list((), (), "", "")
        own = self.workbench.documents(patient_id or None, LISTED_RECORDS + 1)
        unfiled = self.workbench.documents("", LISTED_RECORDS + 1) if self.workbench.may("documents") else ()
        return present_list(own, unfiled, self.name(patient_id), open_id)

    def view(
        self, document: OcrDocument, page: int, patient_id: str, wish: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """The record as seen from the chosen patient: an unfiled one may be filed to them, if all agrees."""
        may_file = bool(patient_id) and not document.patient_id
        conflicts = self.workbench.conflicts_with(document, patient_id) if may_file else ()
        context = page_view.Context(
            patient_label=self.name(document.patient_id),
            may_file_to=self.name(patient_id) if may_file else "",
            patient_id=patient_id,
            other_patient=bool(patient_id and document.patient_id and document.patient_id != patient_id),
            conflict=present_conflicts(conflicts),
            lit_boxes=page_view.boxes_from(wish["boxes"]) if wish else (),
            wish=wish["wish"] if wish else "",
        )
        return page_view.present_record(document, page, self.workbench.corrections(document.document_id), context)

    def opened(
        self, document: OcrDocument, page: int, patient_id: str, wish: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any], Open]:
        """Values for the view, the list and the memory of what is open."""
        shown = self.view(document, page, patient_id, wish)
        return shown, self.list(patient_id, document.document_id), (document.document_id, page)


def build(workbench: Workbench, session: Session) -> None:
    """Lays the tab out and wires it."""
    desk, jobs = Desk(workbench), RunningJobs()
    open_now = gr.State(None)  # Open: what the record view shows
    with gr.Row(elem_classes="hc-intake"):
        with gr.Column(scale=3, min_width=280):
            upload = gr.File(label="Scan, photo or PDF", file_types=FILE_TYPES, height=150, elem_id="hc-upload")
            with gr.Row(elem_classes="hc-read-row"):
                language = gr.Dropdown(LANGUAGES, value="en", label="Language", min_width=150)
                read = gr.Button("Read this record", variant="primary", elem_id="hc-read", min_width=150)
                cancel = gr.Button("Cancel", visible=False, elem_id="hc-cancel", min_width=100)
            status = part("job_status")
            samples = find_samples()
            examples = _example_buttons(samples)
            with gr.Accordion("Type or paste a record that was never paper", open=False):
                title = gr.Textbox(label="Title", max_length=200)
                text = gr.Textbox(label="Text", lines=6, max_length=200_000)
                keep = gr.Button("Keep this text")
        with gr.Column(scale=2, min_width=280):
            listing = part("record_list", events=("open",))
    view = part("record_view", events=("go", "correct", "file"), value=NOTHING_OPEN)

    def read_file(path: str, language: str, patient_id: str, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        actor = visitor(request)
        latest: deque[OcrPage] = deque(maxlen=LATEST_PAGES)
        count = 0

        def job(progress: Any, on_page: Any) -> FiledRecord:
            return workbench.digitise(Path(path), patient_id, language, actor, progress=progress, on_page=on_page)

        for event in follow(job, jobs, actor.session):
            match event:
                case Step():
                    yield present_step(event), gr.skip(), gr.skip(), gr.skip(), gr.Button(visible=True)
                case Made(page):
                    latest.append(page)
                    count += 1
                    yield gr.skip(), page_view.present_reading(latest, count), gr.skip(), gr.skip(), gr.skip()
                case Ended(result=None):
                    state, message = "stopped" if was_cancelled(event) else "refused", message_of(event.error)
                    shown = NOTHING_OPEN if count else gr.skip()
                    yield _status(state, message), shown, gr.skip(), gr.skip(), gr.Button(visible=False)
                    if state == "refused":
                        raise toast(message)
                case Ended():
                    filed = event.result
                    said = present_end(filed, desk.name(filed.document.patient_id))
                    yield said, *desk.opened(filed.document, 1, patient_id), gr.Button(visible=False)

    def on_read(path: str | None, language: str, patient_id: str, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        if not path:
            raise UploadRejected("No file is chosen yet, so nothing can be read. Choose a scan, photo or PDF first.")
        yield from read_file(path, language, patient_id, request)

    def on_cancel(request: gr.Request) -> dict[str, Any]:
        stopping = jobs.stop(visitor(request).session)
        return _status("stopped", f"{STOPPING}." if stopping else "Nothing is running.")

    def on_keep(title: str, text: str, patient_id: str, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        actor = visitor(request)

        def job(progress: Any, on_page: Any) -> OcrDocument:
            return workbench.import_text(title or "", text or "", patient_id, actor, progress=progress)

        for event in follow(job, jobs, actor.session):
            match event:
                case Step():
                    yield present_step(event), *[gr.skip()] * 5, gr.Button(visible=True)
                case Ended(result=None):
                    state, message = "stopped" if was_cancelled(event) else "refused", message_of(event.error)
                    yield _status(state, message), *[gr.skip()] * 5, gr.Button(visible=False)
                    if state == "refused":
                        raise toast(message)
                case Ended():
                    done = f"Kept and searchable after {event.seconds:.1f} s. "
                    done += f"Filed to {desk.name(patient_id) or 'nobody'}."
                    shown = desk.opened(event.result, 1, patient_id)
                    yield _status("done", done), *shown, "", "", gr.Button(visible=False)

    def on_open(patient_id: str, event: gr.EventData) -> tuple[Any, ...]:
        return desk.opened(workbench.document(str(event.document_id)), 1, patient_id)

    def on_wanted(wish: dict[str, Any] | None, patient_id: str) -> tuple[Any, ...]:
        if not wish:
            return gr.skip(), gr.skip(), gr.skip(), gr.skip()
        document = workbench.document(wish["document_id"])
        front = gr.skip() if wish["stay"] else gr.Tabs(selected="records")
        return *desk.opened(document, wish["page"], patient_id, wish), front

    def on_page(patient_id: str, event: gr.EventData) -> tuple[dict[str, Any], Open]:
        """A page of the record that the browser shows in `revision` travels alone; else the whole record does."""
        page, document_id = int(event.page), str(event.document_id)
        if held := getattr(event, "revision", None):
            shown = workbench.shown_page(document_id, page)
            if shown.revision == int(held):
                return page_view.present_page(document_id, shown.revision, shown.page), (document_id, page)
        document = workbench.document(document_id)
        return desk.view(document, page, patient_id), (document.document_id, page)

    def on_correct(patient_id: str, event: gr.EventData, request: gr.Request) -> dict[str, Any]:
        page = int(event.page)
        document = workbench.correct_word(
            str(event.document_id), page, int(event.word_index), str(event.text), visitor(request)
        )
        return desk.view(document, page, patient_id)

    def on_file(patient_id: str, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        if not patient_id or str(event.patient_id) != patient_id:
            raise NotAllowed(
                "The chosen patient has changed since the page was drawn, so nothing was filed. Look at the header, "
                "then file it again."
            )
        document = workbench.file_document(
            str(event.document_id), patient_id, visitor(request), confirmed=bool(event.confirmed)
        )
        return _status("done", f"Filed to {desk.name(patient_id)}."), *desk.opened(document, 1, patient_id)

    def on_patient(patient_id: str, open_now: Open | None) -> tuple[Any, Any]:
        """Another patient is chosen: the list is theirs, and the open record is seen from them."""
        if open_now is None:
            return desk.list(patient_id), gr.skip()
        document_id, page = open_now
        return desk.list(patient_id, document_id), desk.view(workbench.document(document_id), page, patient_id)

    quiet = {"show_progress": "hidden", "api_visibility": "private"}
    reading = {**quiet, "concurrency_id": READING, "concurrency_limit": READERS}
    patient, opened = session.patient_id, [view, listing, open_now]
    shown = [status, *opened, cancel]
    readings = [read.click(told(on_read), [upload, language, patient], shown, **reading)]
    for button, sample in zip(examples, samples, strict=True):
        readings.append(button.click(told(_reads_sample(read_file, sample)), [language, patient], shown, **reading))
    for done in readings:  # another patient may have been chosen meanwhile
        done.success(told(on_patient), [patient, open_now], [listing, view], **quiet)
    cancel.click(told(on_cancel), None, [status], queue=False, **quiet)
    kept = keep.click(told(on_keep), [title, text, patient], [status, *opened, title, text, cancel], **quiet)
    listing.open(told(on_open), [patient], opened, **quiet)
    view.go(told(on_page), [patient], [view, open_now], **quiet)
    mended = view.correct(told(on_correct), [patient], [view], **quiet)
    filed = view.file(told(on_file), [patient], [status, *opened], **quiet)
    for done in (*readings, kept, mended, filed):
        done.success(session.changed, None, [session.filed], **quiet)
    session.wanted.change(told(on_wanted), [session.wanted, patient], [*opened, session.tabs], **quiet)
    patient.change(told(on_patient), [patient, open_now], [listing, view], **quiet)
    gr.on(None, told(desk.list), [patient], [listing], **quiet)  # when the page loads


def _example_buttons(samples: Sequence[Sample]) -> list[gr.Button]:
    if not samples:
        return []
    with gr.Column(elem_id="hc-examples", min_width=280):
        gr.HTML("<p class='hc-quiet'>Or try an invented example:</p>", apply_default_css=False, js_on_load=None)
        with gr.Row(elem_classes="hc-example-row"):
            return [gr.Button(sample.title, size="sm", min_width=90) for sample in samples]


def _reads_sample(read_file: Any, sample: Sample) -> Any:
    def on_sample(language: str, patient_id: str, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        yield from read_file(str(sample.path), language, patient_id, request)

    return on_sample
