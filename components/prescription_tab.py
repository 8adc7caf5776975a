"""The Prescription tab: the doctor writes, reads the warnings and signs; the pharmacist checks a code and hands out."""

from __future__ import annotations

import base64
import binascii
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import gradio as gr

from components import prescription_view as view
from components.bridge import told
from components.part import part
from components.prescription_endpoints import hat
from domain.errors import NotAllowed, NothingFound, PrescriptionInvalid, UploadRejected
from domain.people import Mode
from domain.prescription import PrescriptionRecord, Verdict
from domain.prescription_order import read_order, read_quantities

if TYPE_CHECKING:
    from components.shell import Session
    from pipelines.workbench import Workbench

TAB = "Prescription"
MAX_PREFIX_CHARS = 60
BANNER = """
<p class="hc-part hc-banner">
  <span>{said}</span>
  <a class="hc-link" href="#hc-pharmacy">To the pharmacist's side</a>
</p>
"""
OPEN = (
    "<b>Open demonstration: both hats are offered here.</b> Nobody signs in, so anyone may sign as doctor and hand out "
    "as pharmacist. The signature is real; the prescriptions are not for use."
)
CLINIC = (
    "<b>A doctor signs, a pharmacist hands out.</b> What your role may not do is refused, and every step is on the "
    "trail. The signature is real; the prescriptions are not for use."
)


class Counter:
    """The handlers' view of the desk, in the context of the chosen patient."""

    def __init__(self, workbench: Workbench) -> None:
        self.workbench = workbench

    def form(self, patient_id: str, **more: Any) -> dict[str, Any]:
        """Value of the doctor's side; `more`: checked, issued or fill. Each is new, so that the buttons work again."""
        shown: dict[str, Any] = {
            "patient_id": patient_id,
            "patient": "",
            "allergies": "",
            "kept": [],
            "drawn": uuid.uuid4().hex,
        }
        if patient_id and self.workbench.may("prescriptions.of_patient"):
            records = self.workbench.prescriptions.of_patient(patient_id)
            shown |= {
                "patient": self.workbench.patient(patient_id).name,
                "allergies": ", ".join(self.workbench.allergies(patient_id)),
                "kept": view.present_kept(records, datetime.now(UTC)),
                "plan": self.workbench.may("planned_medicines") and self.workbench.has_plan(patient_id),
            }
        return shown | more

    def verdict(self, verdict: Verdict) -> dict[str, Any]:
        """Value of the pharmacist's side."""
        medicines = verdict.prescription.medicines if verdict.prescription else ()
        return view.present_verdict(verdict, [self.workbench.directions(medicine) for medicine in medicines])

    def record(self, patient_id: str, prescription_id: str) -> PrescriptionRecord:
        """One of this patient's. Raises NothingFound."""
        for record in self.workbench.prescriptions.of_patient(patient_id):
            if record.signed.prescription.prescription_id == prescription_id:
                return record
        raise NothingFound("This patient has no such prescription. Choose the patient again, then look at the list.")


def build(workbench: Workbench, session: Session) -> None:
    """Lays the tab out and wires it."""
    counter = Counter(workbench)
    said = CLINIC if workbench.settings.mode is Mode.CLINIC else OPEN
    gr.HTML(BANNER.format(said=said), apply_default_css=False, js_on_load=None)
    with gr.Row():
        with gr.Column(scale=3, min_width=300):
            form = part("prescription_form", events=("suggest", "check", "sign", "show", "fill", "plan", "revoke"))
            names = part("medicine_names")
        with gr.Column(scale=2, min_width=300):
            pharmacy = part("pharmacy", events=("verify", "dispense", "revoke"))

    def on_patient(patient_id: str) -> dict[str, Any]:
        return counter.form(patient_id)

    def on_tab(event: gr.SelectData) -> None:
        """Drug names and FHIR models are loaded while the doctor still reads the form."""
        if event.value == TAB:
            workbench.prescriptions.warm()

    def on_suggest(event: gr.EventData) -> list[str]:
        text = str(event.text).strip()[:MAX_PREFIX_CHARS]
        return list(workbench.prescriptions.suggest(text)) if text else []

    def on_check(patient_id: str, event: gr.EventData) -> dict[str, Any]:
        _same(patient_id, event)
        prescriber, data = read_order(event.order)
        patient = workbench.patient(patient_id)
        checked = workbench.prescriptions.check(patient, prescriber, data, workbench.allergies(patient_id))
        return counter.form(patient_id, checked=view.present_checked(checked))

    def on_sign(patient_id: str, event: gr.EventData, request: gr.Request) -> dict[str, Any]:
        _same(patient_id, event)
        prescriber, data = read_order(event.order)
        patient, allergies = workbench.patient(patient_id), workbench.allergies(patient_id)
        checked = workbench.prescriptions.check(patient, prescriber, data, allergies)
        if checked.unanswered:
            gr.Warning("Not signed yet: a warning below needs a change or a reason.")
            return counter.form(patient_id, checked=view.present_checked(checked))
        issued = workbench.prescriptions.issue(patient, prescriber, data, hat("doctor", request), allergies)
        return counter.form(
            patient_id, issued=view.present_issued(issued), fill=view.EMPTY | {"token": uuid.uuid4().hex}
        )

    def on_show(patient_id: str, event: gr.EventData) -> dict[str, Any]:
        record = counter.record(patient_id, str(event.prescription_id))
        return counter.form(patient_id, issued=view.present_issued(workbench.prescriptions.reprint(record), again=True))

    def on_fill(patient_id: str, event: gr.EventData) -> dict[str, Any]:
        record = counter.record(patient_id, str(event.prescription_id))
        return counter.form(patient_id, fill=view.present_fill(record))

    def on_plan(patient_id: str, event: gr.EventData) -> dict[str, Any]:
        _same(patient_id, event)
        planned = workbench.planned_medicines(patient_id)
        return counter.form(patient_id, fill={"token": uuid.uuid4().hex, "medications": list(planned)})

    def on_verify(event: gr.EventData, request: gr.Request) -> dict[str, Any]:
        photo = str(event.photo)
        if len(photo) > workbench.settings.max_bytes * 4 // 3:
            raise UploadRejected("The photo is too large to be read. Take a smaller one, of the code alone.")
        try:
            picture = base64.b64decode(photo, validate=True) if photo else None
        except binascii.Error as error:
            raise UploadRejected("The photo did not arrive whole. Choose it again.") from error
        return counter.verdict(workbench.prescriptions.verify(picture, str(event.code), hat("pharmacist", request)))

    def on_dispense(patient_id: str, event: gr.EventData, request: gr.Request) -> tuple[Any, Any]:
        code = str(event.code)
        if not code.strip():
            raise PrescriptionInvalid("There is no code to dispense. Check one first.")
        amounts = read_quantities(event.quantities)
        verdict = workbench.prescriptions.dispense(code, hat("pharmacist", request), amounts)
        return counter.verdict(verdict), counter.form(patient_id)

    def on_revoke(patient_id: str, event: gr.EventData, request: gr.Request) -> tuple[Any, Any]:
        revoked = workbench.prescriptions.revoke(str(event.prescription_id), str(event.reason), hat("doctor", request))
        return counter.verdict(revoked), counter.form(patient_id)

    quiet = {"show_progress": "hidden", "api_visibility": "private"}
    patient = session.patient_id
    session.tabs.select(told(on_tab), None, None, **quiet)
    form.suggest(told(on_suggest), None, [names], trigger_mode="always_last", **quiet)
    for listener, handler in (
        (form.check, on_check), (form.sign, on_sign), (form.show, on_show), (form.fill, on_fill), (form.plan, on_plan),
    ):  # fmt: skip
        answered = listener(told(handler), [patient], [form], **quiet)
        answered.failure(told(on_patient), [patient], [form], **quiet)  # the buttons of a refused form work again
    checked = pharmacy.verify(told(on_verify), None, [pharmacy], **quiet)
    checked.failure(dict, None, [pharmacy], **quiet)  # the last code's verdict must not stand beside another photo
    pharmacy.dispense(told(on_dispense), [patient], [pharmacy, form], **quiet)
    pharmacy.revoke(told(on_revoke), [patient], [pharmacy, form], **quiet)
    form.revoke(told(on_revoke), [patient], [pharmacy, form], **quiet)
    patient.change(told(on_patient), [patient], [form], **quiet)
    session.filed.change(told(on_patient), [patient], [form], **quiet)  # a visit's plan or an allergy may be new
    gr.on(None, told(on_patient), [patient], [form], **quiet)  # when the page loads


def _same(patient_id: str, event: gr.EventData) -> None:
    if not patient_id or str(event.patient_id) != patient_id:
        raise NotAllowed(
            "The chosen patient has changed since the form was drawn, so nothing was done. Look at the header, then "
            "try again."
        )
