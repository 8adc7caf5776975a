"""The Trail tab: who saw and changed what, whether anybody altered that account, and what to take home as a proof."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import gradio as gr

from components.bridge import told, visitor
from components.part import part
from domain.audit import Action, AuditEvent, EventProof
from domain.errors import HealthConnectError, UploadRejected
from domain.people import Mode

if TYPE_CHECKING:
    from components.shell import Session
    from pipelines.workbench import Trail, Workbench

TAB = "Trail"
DONE = {
    Action.CREATE: "added",
    Action.READ: "saw",
    Action.UPDATE: "changed",
    Action.DELETE: "removed",
    Action.EXECUTE: "did",
}
# FHIR names, as a person would say them.
THINGS = {
    "AllergyIntolerance": "the allergies",
    "Binary": "a file of a record",
    "Bundle": "the chart as FHIR",
    "Composition": "a note",
    "DiagnosticReport": "an image reading",
    "DocumentReference": "a record",
    "Consultation": "a consultation",
    "DetectedIssue": "an entry that needs attention",
    "Encounter": "a consultation",
    "ImagingStudy": "a scan",
    "List": "the chart",
    "Media": "a recording",
    "MedicationRequest": "a prescription",
    "Patient": "the patient's header",
    "Person": "an account",
    "backup": "a backup",
    "key": "the signing key",
    "model": "the model in use",
    "search": "a search",
    # so they were called in older events
    "Medication": "a prescription",
    "Prescription": "a prescription",
    "prescription": "a prescription",
    "scan_reading": "an image reading",
}
# What was done with a thing where it is neither seen nor changed.
EXECUTED = {
    "Bundle": "took out",
    "Composition": "signed",
    "DiagnosticReport": "made",
    "ImagingStudy": "tried to have read",
    "List": "printed",
    "MedicationRequest": "handled",
    "Patient": "opened",
    "Person": "used",
    "backup": "made",
    "search": "made",
}
GLASS = "BREAK GLASS"
BEHIND_GLASS = {  # jobs of domain/permissions.py that broken glass allows, as one says what is opened
    "charts.chart": "the chart",
    "documents": "the records",
    "search": "the search in them",
    "charts.export": "the chart as a file for another house",
}


def present_trail(
    trail: Trail, mode: Mode, whose: str, note: str = "", glass_opens: Sequence[str] = ()
) -> dict[str, Any]:
    """The account as the tab shows it, newest first.

    `whose`: name of the patient, "" for everybody's. `glass_opens`: what breaking the glass would open to who looks.
    """
    examined = trail.examination
    return {
        "whose": whose,
        "events": [present_event(event, examined.first_broken) for event in reversed(trail.events)],
        "intact": examined.intact,
        "reason": examined.reason,
        "size": examined.size,
        "root": examined.root,
        "checkpoint": trail.checkpoint,
        "compared_with": trail.compared_with,
        "can_tamper": mode is not Mode.CLINIC,
        "glass_opens": list(glass_opens),
        "note": note,
    }


def present_event(event: AuditEvent, first_broken: int | None = None) -> dict[str, Any]:
    """One line. `doubtful`: it stands at or after the first broken event."""
    kind, _, what = event.entity.partition("/")
    return {
        "index": event.index,
        "at": f"{event.at:%Y-%m-%d %H:%M:%S} UTC",
        "who": event.actor.who,
        "role": event.actor.role,
        "done": EXECUTED.get(kind, DONE[event.action]) if event.action is Action.EXECUTE else DONE[event.action],
        "thing": THINGS.get(kind) or _plain(kind),
        "what": what[:12],
        "detail": event.detail,
        "model": event.model.id if event.model else "",
        "glass": event.detail.startswith(GLASS),
        "doubtful": first_broken is not None and event.index >= first_broken,
    }


def _plain(kind: str) -> str:
    """A name that no table knows, as words: "CarePlan" and "care_plan" are a care plan."""
    words = " ".join(re.sub(r"(?<=[a-z])(?=[A-Z])|[_-]+", " ", kind).lower().split())
    return f"{'an' if words[:1] in 'aeiou' else 'a'} {words}" if words else "something"


def present_proof(proof: EventProof) -> str:
    """What to say of a proof that holds."""
    return (
        f"Event {proof.index} stands in the trail: {len(proof.path)} digests lead from it to the root of "
        f"{proof.checkpoint.size} events, {proof.checkpoint.root[:16]}… . The command "
        f"python -m pipelines audit --prove {proof.index} prints them for another program to check."
    )


def build(workbench: Workbench, session: Session) -> None:
    """Lays the tab out and wires it."""
    trail = part("trail", events=("again", "verify", "compare", "tamper", "prove", "glass"))
    mode = workbench.settings.mode

    def closed(patient_id: str) -> list[str]:
        """What of this patient breaking the glass would open; nothing where it is open already."""
        if mode is not Mode.CLINIC or not patient_id or not workbench.may("people.break_glass"):
            return []
        return [words for job, words in BEHIND_GLASS.items() if not workbench.may(job, patient_id)]

    def show(patient_id: str, checkpoint: str = "", note: str = "") -> dict[str, Any]:
        try:
            found = workbench.trail(patient_id, checkpoint)
            whose = workbench.patient(patient_id).name if patient_id else ""
        except UploadRejected:
            raise
        except HealthConnectError as refusal:
            seen = {"refused": refusal.user_message, "glass_opens": closed(patient_id), "note": note}
            return seen | {"of_patient": patient_id}
        return present_trail(found, mode, whose, note, closed(patient_id)) | {"of_patient": patient_id}

    def on_tab(patient_id: str, chosen: gr.SelectData) -> Any:
        return show(patient_id) if chosen.value == TAB else gr.skip()

    def on_verify(patient_id: str) -> dict[str, Any]:
        return show(patient_id)

    def on_compare(patient_id: str, event: gr.EventData) -> dict[str, Any]:
        shown = show(patient_id, str(event.checkpoint))
        said = "The trail agrees with the checkpoint you brought." if shown.get("intact") else ""
        return shown | {"note": said}

    def on_tamper(patient_id: str) -> dict[str, Any]:
        shown = workbench.trail_desk.show_tampering()
        said = (
            f"One stored byte of event {shown.index} was changed: {shown.before} became {shown.after}. The verifier "
            f"said: {shown.found.reason} The byte was put back, and the trail is "
            f"{'whole again' if shown.restored.intact else 'still broken'}."
        )
        return show(patient_id, note=said)

    def on_prove(patient_id: str, event: gr.EventData) -> dict[str, Any]:
        return show(patient_id, note=present_proof(workbench.trail_desk.prove(int(event.index))))

    def on_glass(patient_id: str, event: gr.EventData, request: gr.Request) -> dict[str, Any]:
        until = workbench.people.break_glass(patient_id, str(event.reason), visitor(request))
        return show(patient_id, note=f"Open to you until {until:%H:%M} UTC. It stands on the trail in red.")

    quiet = {"show_progress": "hidden", "api_visibility": "private"}
    here = [session.patient_id]
    trail.again(told(on_verify), here, [trail], **quiet)
    trail.verify(told(on_verify), here, [trail], **quiet)
    trail.compare(told(on_compare), here, [trail], **quiet)
    trail.tamper(told(on_tamper), here, [trail], **quiet)
    trail.prove(told(on_prove), here, [trail], **quiet)
    broken = trail.glass(told(on_glass), here, [trail], **quiet)
    broken.success(session.changed, None, [session.filed], **quiet)  # tabs and header follow
    session.patient_id.change(told(on_verify), here, [trail], **quiet)
    session.tabs.select(told(on_tab), here, [trail], **quiet)
