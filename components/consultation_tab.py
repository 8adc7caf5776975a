"""The Consultation tab: a visit is recorded, uploaded or pasted; its transcript and its note lie side by side."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from components import consultation_view as view
from components.bridge import (
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
from components.consultation_endpoints import LISTENERS, LISTENING
from components.consultation_samples import Example, find_examples
from components.part import part
from domain import consultation_contract as contract
from domain.errors import NotAllowed, UploadRejected

if TYPE_CHECKING:
    from components.shell import Session
    from domain.speech import Utterance
    from pipelines.workbench import Visit, Workbench

TAB = "Consultation"
SPEAKERS = [("Find out", 0), ("1", 1), ("2", 2), ("3", 3), ("4", 4), ("5", 5)]
EVENTS = (
    "open", "relabel", "correct", "retype", "draft", "save", "sign", "addend", "discard", "prescribe", "see_record",
)  # fmt: skip


class Room:
    """The handlers' view of the desk, in the context of the chosen patient."""

    def __init__(self, workbench: Workbench) -> None:
        self.workbench = workbench

    def show(self, patient_id: str, consultation_id: str = "", hearing: dict[str, Any] | None = None) -> dict[str, Any]:
        """Value of the part; `consultation_id`: the visit that is open, "" for none."""
        desk = self.workbench.consultations
        if not self.workbench.may("consultations.of_patient"):  # whoever chooses a patient may not see their visits
            return view.present((), "", None, hearing)
        name = self.workbench.patient(patient_id).name if patient_id else ""
        opened = desk.visit(consultation_id) if consultation_id else None
        return view.present(desk.of_patient(patient_id), name, opened, hearing)

    def showing(self, patient_id: str, visit: Visit) -> tuple[dict[str, Any], str]:
        """Values of the part and of the memory of what is open."""
        consultation_id = visit.transcript.consultation_id
        return self.show(patient_id, consultation_id), consultation_id


def build(workbench: Workbench, session: Session) -> None:
    """Lays the tab out and wires it."""
    room, jobs = Room(workbench), RunningJobs()
    open_now = gr.State("")  # consultation id
    examples = find_examples()
    with gr.Row(elem_classes="hc-intake"):
        with gr.Column(scale=3, min_width=280):
            audio = gr.Audio(
                label="Record or upload the visit",
                sources=["microphone", "upload"],
                type="filepath",
                buttons=[],  # Gradio's "share" would send the visit to another company's server
                elem_id="hc-audio",
            )
            with gr.Row(elem_classes="hc-read-row"):
                speakers = gr.Dropdown(SPEAKERS, value=2, label="Voices", min_width=110)
                upload = gr.UploadButton(
                    "Upload a file", file_types=["audio", "video"], elem_id="hc-upload-recording", min_width=140
                )
                hear = gr.Button("Transcribe", variant="primary", elem_id="hc-hear", min_width=140)
                cancel = gr.Button("Cancel", visible=False, elem_id="hc-hear-cancel", min_width=100)
        with gr.Column(scale=2, min_width=280):
            with gr.Accordion("Paste a conversation", open=False, elem_id="hc-paste"):
                text = gr.Textbox(
                    label="One line for each speaker",
                    placeholder="Doctor: What brings you in?\nPatient: ...",
                    lines=6,
                    max_length=1_000_000,
                )
                keep = gr.Button("Take in this conversation", elem_id="hc-take-in")
            buttons = _example_buttons(examples)
    status = part("job_status", elem_id="hc-hear-status")
    shown = part("consultation", events=EVENTS)

    def hear_file(path: str, voices: int, patient_id: str, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        actor = visitor(request)
        latest: deque[Utterance] = deque(maxlen=view.LATEST)
        count = 0

        def job(progress: Any, on_utterance: Any) -> Visit:
            return workbench.consultations.transcribe(Path(path), patient_id, voices, actor, progress, on_utterance)

        for event in follow(job, jobs, actor.session):
            match event:
                case Step():
                    yield _running(event), gr.skip(), gr.skip(), gr.Button(visible=True)
                case Made(utterance):
                    latest.append(utterance)
                    count += 1
                    heard = room.show(patient_id, "", view.present_hearing(tuple(latest), count))
                    yield gr.skip(), heard, "", gr.skip()
                case Ended(result=None):
                    state, message = "stopped" if was_cancelled(event) else "refused", message_of(event.error)
                    yield _status(state, message), room.show(patient_id), "", gr.Button(visible=False)
                    if state == "refused":
                        raise toast(message)
                case Ended():
                    transcript = event.result.transcript
                    told_ = "; ".join(transcript.warnings)
                    said = f"{len(transcript.utterances)} utterances heard in {event.seconds:.0f} s."
                    yield (
                        _status("done", f"{said} {told_}".strip()),
                        *room.showing(patient_id, event.result),
                        gr.Button(visible=False),
                    )

    def on_hear(path: str | None, voices: int, patient_id: str, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        if not path:
            raise UploadRejected("There is no recording yet, so nothing was transcribed. Record or upload one first.")
        yield from hear_file(path, int(voices or 0), patient_id, request)

    def on_cancel(request: gr.Request) -> dict[str, Any]:
        stopping = jobs.stop(visitor(request).session)
        return _status("stopped", "Stopping; what was heard so far is kept." if stopping else "Nothing is running.")

    def note_drafted(job: Any, patient_id: str, session_hash: str) -> Iterator[tuple[Any, ...]]:
        """Follows a job that ends with a drafted note; a visit that it makes on its way is shown at once, and stays."""
        taken_in = False
        for event in follow(job, jobs, session_hash):
            match event:
                case Step():
                    yield _running(event), gr.skip(), gr.skip(), gr.Button(visible=True)
                case Made(visit):
                    taken_in = True
                    yield gr.skip(), *room.showing(patient_id, visit), gr.skip()
                case Ended(result=None):
                    state, message = "stopped" if was_cancelled(event) else "refused", message_of(event.error)
                    said = "No note was drafted. The conversation is kept." if taken_in else message
                    yield _status(state, said), gr.skip(), gr.skip(), gr.Button(visible=False)
                    if state == "refused":
                        raise toast(message)
                case Ended():
                    said = f"Note drafted from {len(event.result.transcript.utterances)} utterances "
                    said = _status("done", f"{said}in {event.seconds:.1f} s.")
                    yield said, *room.showing(patient_id, event.result), gr.Button(visible=False)

    def take_in(conversation: str, patient_id: str, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        actor = visitor(request)

        def job(progress: Any, on_visit: Any) -> Visit:
            visit = workbench.consultations.import_transcript(conversation, patient_id, actor)
            on_visit(visit)
            return workbench.consultations.draft_note(visit.transcript.consultation_id, actor, progress)

        yield from note_drafted(job, patient_id, actor.session)

    def on_keep(conversation: str, patient_id: str, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        yield from take_in(conversation or "", patient_id, request)

    def on_open(patient_id: str, event: gr.EventData) -> tuple[Any, str]:
        consultation_id = str(event.consultation_id)
        return room.show(patient_id, consultation_id), consultation_id

    def on_relabel(patient_id: str, open_id: str, event: gr.EventData, request: gr.Request) -> dict[str, Any]:
        _same(open_id, event)
        workbench.consultations.relabel(open_id, str(event.speaker), str(event.role), visitor(request))
        return room.show(patient_id, open_id)

    def on_correct(patient_id: str, open_id: str, event: gr.EventData, request: gr.Request) -> dict[str, Any]:
        _same(open_id, event)
        which = str(event.utterance_id), int(event.index)
        workbench.consultations.correct_word(open_id, *which, str(event.text), visitor(request))
        return room.show(patient_id, open_id)

    def on_retype(patient_id: str, open_id: str, event: gr.EventData, request: gr.Request) -> dict[str, Any]:
        _same(open_id, event)
        desk = workbench.consultations
        desk.correct_utterance(open_id, str(event.utterance_id), str(event.text), visitor(request))
        return room.show(patient_id, open_id)

    def on_draft(patient_id: str, open_id: str, event: gr.EventData, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        _same(open_id, event)
        actor = visitor(request)

        def job(progress: Any, on_visit: Any) -> Visit:
            return workbench.consultations.draft_note(open_id, actor, progress)

        yield from note_drafted(job, patient_id, actor.session)

    def on_save(patient_id: str, open_id: str, event: gr.EventData, request: gr.Request) -> dict[str, Any]:
        _same(open_id, event)
        workbench.consultations.save_note(open_id, contract.edited_lines(event.note), visitor(request))
        return room.show(patient_id, open_id)

    def on_sign(patient_id: str, open_id: str, event: gr.EventData, request: gr.Request) -> dict[str, Any]:
        _same(open_id, event)
        lines = contract.edited_lines(event.note)
        workbench.consultations.sign(open_id, lines, str(event.name), visitor(request))
        return room.show(patient_id, open_id)

    def on_addend(patient_id: str, open_id: str, event: gr.EventData, request: gr.Request) -> dict[str, Any]:
        _same(open_id, event)
        workbench.consultations.add_addendum(open_id, str(event.text), str(event.name), visitor(request))
        return room.show(patient_id, open_id)

    def on_discard(patient_id: str, open_id: str, event: gr.EventData, request: gr.Request) -> tuple[Any, str]:
        _same(open_id, event)
        workbench.consultations.discard(open_id, visitor(request))
        return room.show(patient_id), ""

    def on_page(event: gr.EventData) -> dict[str, Any]:
        return session.want(str(event.document_id), int(event.page), event.boxes)

    def on_patient(patient_id: str) -> tuple[Any, str]:
        """Another patient is chosen: the open visit was not theirs."""
        return room.show(patient_id), ""

    def redraw(patient_id: str, open_id: str) -> dict[str, Any]:
        return room.show(patient_id, open_id)

    quiet = {"show_progress": "hidden", "api_visibility": "private"}
    listening = {**quiet, "concurrency_id": LISTENING, "concurrency_limit": LISTENERS}
    patient, opened = session.patient_id, [shown, open_now]
    # The recorder takes no video and no WebM as a file, but it plays and trims both.
    upload.upload(lambda path: path, [upload], [audio], **quiet)
    heard = hear.click(told(on_hear), [audio, speakers, patient], [status, *opened, cancel], **listening)
    cancel.click(told(on_cancel), None, [status], queue=False, **quiet)
    pasted = keep.click(told(on_keep), [text, patient], [status, *opened, cancel], **listening)
    pasted.success(lambda: "", None, [text], **quiet)
    taken = [pasted]
    for button, example in zip(buttons, examples, strict=True):
        if example.spoken:
            hears = told(_hears_example(hear_file, example))
            taken.append(button.click(hears, [patient], [status, *opened, cancel], **listening))
        else:
            takes = told(_takes_example(take_in, example))
            taken.append(button.click(takes, [patient], [status, *opened, cancel], **listening))
    shown.open(told(on_open), [patient], opened, **quiet)
    shown.see_record(told(on_page), None, [session.wanted], **quiet)
    shown.prescribe(lambda: gr.Tabs(selected="prescription"), None, [session.tabs], **quiet)
    changes = [
        listener(told(handler), [patient, open_now], [shown], **how)
        for listener, handler, how in (
            (shown.relabel, on_relabel, listening), (shown.correct, on_correct, listening),
            (shown.retype, on_retype, listening), (shown.save, on_save, quiet),
            (shown.sign, on_sign, quiet), (shown.addend, on_addend, quiet),
        )
    ]  # fmt: skip
    changes.append(shown.draft(told(on_draft), [patient, open_now], [status, *opened, cancel], **listening))
    for change in changes:
        change.failure(told(redraw), [patient, open_now], [shown], **quiet)  # what is shown is again what is kept
    changes.append(shown.discard(told(on_discard), [patient, open_now], opened, **quiet))
    for done in (heard, *taken, *changes):
        done.success(session.changed, None, [session.filed], **quiet)
    patient.change(told(on_patient), [patient], opened, **quiet)
    gr.on(None, told(on_patient), [patient], opened, **quiet)  # when the page loads


def _example_buttons(examples: tuple[Example, ...]) -> list[gr.Button]:
    if not examples:
        return []
    with gr.Column(elem_id="hc-conversations", min_width=280):
        gr.HTML("<p class='hc-quiet'>Or try an invented visit:</p>", apply_default_css=False, js_on_load=None)
        with gr.Row(elem_classes="hc-example-row"):
            return [gr.Button(example.title, size="sm", min_width=90) for example in examples]


def _takes_example(take_in: Any, example: Example) -> Any:
    def on_example(patient_id: str, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        yield from take_in(example.path.read_text("utf-8"), patient_id, request)

    return on_example


def _hears_example(hear_file: Any, example: Example) -> Any:
    def on_example(patient_id: str, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        yield from hear_file(str(example.path), 2, patient_id, request)

    return on_example


def _same(open_id: str, event: gr.EventData) -> None:
    if not open_id or str(event.consultation_id) != open_id:
        raise NotAllowed(
            "Another consultation was opened since this one was drawn, so nothing was done. Look at it, then try again."
        )


def _running(step: Step) -> dict[str, Any]:
    where = f"{step.done:g} of {step.total:g} {step.unit}" if step.total else "working out how much there is"
    text = f"{step.message.rstrip('.')} · {where} · {step.seconds:.0f} s"
    return {"state": "running", "text": text, "done": step.done, "total": step.total}


def _status(state: str, text: str) -> dict[str, Any]:
    return {"state": state, "text": text, "done": 0, "total": 0}
