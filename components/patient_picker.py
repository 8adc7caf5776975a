"""The patient the page is about: shown in full in the header, chosen or added in a dialog, shared by every tab."""

from __future__ import annotations

import html
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import gradio as gr

from components.bridge import TOAST_SECONDS, message_of, told, visitor
from components.part import part
from domain.errors import HealthConnectError, NothingFound
from domain.patient import Patient

if TYPE_CHECKING:
    from components.shell import Session
    from pipelines.workbench import Workbench

SHOWN_PATIENTS = 12  # in the dialog at once; typing narrows them
MOST_DIGITS = 9  # of a page number in an address


def present_patient(patient: Patient, today: date) -> dict[str, Any]:
    """A patient as the bar and the dialog show one."""
    return {
        "patient_id": patient.patient_id,
        "name": patient.name,
        "initials": initials(patient.name),
        "birth_date": patient.birth_date.isoformat(),
        "age": present_age(patient, today),
        "sex": patient.sex,
        "record_number": patient.record_number,
        "synthetic": patient.synthetic,
    }


def initials(name: str) -> str:
    """First letters of the first and the last word; "?" where a name holds no letter."""
    letters = [next(filter(str.isalnum, word)).upper() for word in name.split() if any(map(str.isalnum, word))]
    return "".join([letters[0], letters[-1]] if len(letters) > 1 else letters) or "?"


def present_age(patient: Patient, today: date) -> str:
    """Age in the unit a clinician uses: years, months for a small child, days for a newborn."""
    years = patient.age_on(today)
    months = years * 12 + (today.month - patient.birth_date.month - (today.day < patient.birth_date.day)) % 12
    if years >= 2:
        return f"{years} years"
    if months >= 1:
        return f"{months} months" if months > 1 else "1 month"
    days = max(0, (today - patient.birth_date).days)
    return "1 day" if days == 1 else f"{days} days"


def present_picker(
    patient: Patient | None,
    found: Sequence[Patient],
    query: str,
    today: date,
    problem: str = "",
    added: int = 0,
    allergies: Sequence[str] | None = (),
    turn: int = 0,
) -> dict[str, Any]:
    """`problem`: why adding was refused; `added` grows with every patient that was added, so that the form empties.

    `allergies`: of the chosen patient, as their records put them; None for somebody who may not see them here.
    `turn`: how many choices the page had made when this was answered; one that is behind changes nobody's header.
    """
    known = None if allergies is None else list(allergies)
    return {
        "patient": present_patient(patient, today) | {"allergies": known} if patient else None,
        "results": [present_patient(each, today) for each in found],
        "query": query,
        "problem": problem,
        "added": added,
        "turn": turn,
    }


def build(workbench: Workbench, session: Session) -> gr.HTML:
    """Lays out the bar and wires it to the session's patient."""
    added, turn = gr.State(0), gr.State(0)
    bar = part("patient_bar", events=("find", "choose", "add_patient", "arrive"))

    def show(patient_id: str, query: str, count: int, last: int, problem: str = "") -> dict[str, Any]:
        patient = workbench.patient(patient_id) if patient_id else None
        may_know = workbench.may("allergies", patient_id)
        allergies = (workbench.allergies(patient_id) if patient_id else ()) if may_know else None
        found = workbench.find_patients(query, limit=SHOWN_PATIENTS)
        return present_picker(patient, found, query, date.today(), problem, count, allergies, last)

    def on_filed(patient_id: str, count: int, last: int) -> dict[str, Any]:
        """A record of the patient came, went or was mended: what the header says of them follows."""
        return show(patient_id, "", count, last)

    def on_find(patient_id: str, count: int, last: int, event: gr.EventData) -> dict[str, Any]:
        return show(patient_id, str(event.text), count, last)

    def on_choose(patient_id: str, count: int, last: int, event: gr.EventData) -> tuple[Any, Any, Any]:
        """A choice that was made before the one that holds, and was overtaken on its way, changes nothing."""
        chosen, now = str(event.patient_id), int(event.turn)
        if now < last:
            return gr.skip(), gr.skip(), gr.skip()
        try:
            return show(chosen, "", count, now), chosen, now
        except HealthConnectError as refusal:  # the page is told that it was heard, so that it does not ask again
            gr.Warning(html.escape(refusal.user_message), duration=TOAST_SECONDS)
            return show(patient_id, "", count, now), patient_id, now

    def on_add(
        patient_id: str, count: int, last: int, event: gr.EventData, request: gr.Request
    ) -> tuple[Any, str, int, int]:
        now = max(last, int(event.turn))
        try:
            patient = workbench.create_patient(
                str(event.name), str(event.birth_date), str(event.sex), str(event.record_number), visitor(request)
            )
        except Exception as error:  # said inside the dialog, because a toast would lie beneath it
            return show(patient_id, "", count, now, message_of(error)), patient_id, count, now
        return show(patient.patient_id, "", count + 1, now), patient.patient_id, count + 1, now

    def on_arrive(chosen: str, count: int, last: int, event: gr.EventData) -> tuple[dict[str, Any], str, Any, Any]:
        """A deep link names a patient, a record, a page and a tab; each is optional. A wrong one is told, and the page
        is shown without it."""
        patient_id, document_id = str(event.patient or "") or chosen, str(event.document or "")
        try:
            if patient_id:
                workbench.patient(patient_id)
            if document_id:
                owner = workbench.document(document_id).patient_id
                patient_id = patient_id or owner
        except NothingFound as error:
            gr.Warning(html.escape(f"The link leads nowhere. {message_of(error)}"), duration=TOAST_SECONDS)
            patient_id, document_id = chosen, ""
        tab = str(event.tab or "") if str(event.tab or "") in session.tab_ids else ""
        wanted = session.want(document_id, page_number(event.page), stay=bool(tab)) if document_id else gr.skip()
        return show(patient_id, "", count, last), patient_id, wanted, gr.Tabs(selected=tab) if tab else gr.skip()

    # One after the other: an answer that was begun before a choice must not arrive after it and show another name.
    quiet = {
        "show_progress": "hidden",
        "api_visibility": "private",
        "concurrency_id": "patient",
        "concurrency_limit": 1,
    }
    # Gradio drops what is clicked while an answer is awaited ("once"), or sends what was clicked first once more
    # ("always_last"): somebody who chose A and then B would have A in the header.
    every = quiet | {"trigger_mode": "multiple"}
    here = [session.patient_id, added, turn]
    bar.find(told(on_find), here, [bar], **every)
    bar.choose(told(on_choose), here, [bar, session.patient_id, turn], **every)
    bar.add_patient(told(on_add), here, [bar, *here], **quiet)
    bar.arrive(told(on_arrive), here, [bar, session.patient_id, session.wanted, session.tabs], **quiet)
    session.filed.change(told(on_filed), here, [bar], **quiet)
    return bar


def page_number(text: Any) -> int:
    """A page number from an address; anything else is the first page."""
    digits = str(text or "")[:MOST_DIGITS]  # int() itself refuses thousands of them
    return int(digits) if digits.isdecimal() else 1
