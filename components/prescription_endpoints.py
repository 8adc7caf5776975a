"""Prescriptions for scripts and MCP clients, and the public keys that other programs verify with.

In the open demo nobody signs in, so every caller wears both hats; the trail says which one was worn.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from components.bridge import message_of, told, visitor
from domain import prescription_contract as contract
from domain.audit import Actor
from domain.errors import PrescriptionInvalid
from domain.prescription_order import read_order, read_quantities

if TYPE_CHECKING:
    from pipelines.workbench import Workbench

KEYS_PATH = "/.well-known/jwks.json"
KEY_HEADERS = {"Access-Control-Allow-Origin": "*", "Cache-Control": "public, max-age=300"}  # public keys, for anyone


def hat(role: str, request: gr.Request | None) -> Actor:
    """This visit, acting as doctor or pharmacist."""
    return replace(visitor(request), role=role)


def key_routes(workbench: Workbench) -> list[Route]:
    """Where a verifier of SMART Health Cards looks for our public keys."""

    def answer() -> Response:
        try:
            return JSONResponse(workbench.prescriptions.jwks(), headers=KEY_HEADERS)
        except Exception as error:
            return PlainTextResponse(message_of(error), status_code=500)

    async def keys(_: Request) -> Response:
        return await run_in_threadpool(answer)

    return [Route(KEYS_PATH, keys)]


def build(workbench: Workbench) -> None:
    """Adds the endpoints to the current Blocks, without anything to see."""

    def issue_prescription(
        patient_id: str, prescription: dict[str, Any], request: gr.Request | None = None
    ) -> tuple[str, str, dict[str, Any]]:
        """Sign a prescription: returns its QR code as PNG, the page to print as PDF, and its id and code.

        Args:
            patient_id: Whose prescription it is.
            prescription: {"medications": [{"name", "strength", "form", "route", "dose", "frequency", "duration_days",
                "quantity", "refills", "note"}], "valid_days", "overrides": {warning id: reason}, "prescriber":
                {"name", "identifier", "facility"}}. All but "medications" may be left out. A warning that is not
                overridden with a reason refuses the signing and names its id.
        """
        patient = workbench.patient(patient_id or "")
        prescriber, data = read_order(prescription)
        allergies = workbench.allergies(patient.patient_id)
        issued = workbench.prescriptions.issue(patient, prescriber, data, hat("doctor", request), allergies)
        shape = contract.issued(issued.signed, issued.warnings)
        return _hand_out(issued.qr_png, "code.png", qr), _hand_out(issued.pdf, "prescription.pdf", pdf), shape

    def verify_prescription(
        image: str | None = None, code: str = "", request: gr.Request | None = None
    ) -> dict[str, Any]:
        """Is a prescription genuine, unexpired, not revoked and not yet dispensed? Give a photo or the code.

        Args:
            image: Photo or scan of the QR code, PNG or JPEG; may be empty when the code is given.
            code: The code's text (shc:/..., one code a line) or the short code printed beside it.
        """
        picture = Path(image).read_bytes() if image else None
        return contract.verdict(workbench.prescriptions.verify(picture, code or "", hat("pharmacist", request)))

    def dispense(
        code: str, quantities: dict[str, Any] | None = None, request: gr.Request | None = None
    ) -> dict[str, Any]:
        """Mark a prescription as dispensed, once; the verdict is valid only if this very call handed it out.

        Args:
            code: The code's text (shc:/..., one code a line) or the short code printed beside it.
            quantities: How much of which medicine, counted from 0: {"0": 10}. Left out, all that is due now is handed
                out; what is not named or not handed out in full is left for a later call.
        """
        amounts = read_quantities(quantities)
        return contract.verdict(workbench.prescriptions.dispense(_given(code), hat("pharmacist", request), amounts))

    def revoke_prescription(prescription_id: str, reason: str, request: gr.Request | None = None) -> dict[str, Any]:
        """Take a prescription back for good; the pharmacy sees the reason.

        Args:
            prescription_id: Id as returned by issue_prescription.
            reason: Why; required.
        """
        revoked = workbench.prescriptions.revoke(prescription_id or "", reason or "", hat("doctor", request))
        return contract.verdict(revoked)

    qr = gr.File(label="qr_png", visible=False)
    pdf = gr.File(label="printable_pdf", visible=False)
    order = gr.JSON(label="prescription", visible=False)
    amounts = gr.JSON(label="quantities", visible=False)
    photo = gr.File(label="image", visible=False)
    _publish(issue_prescription, [_text("patient_id"), order], [qr, pdf, gr.JSON(visible=False)])
    _publish(verify_prescription, [photo, _text("code")], [gr.JSON(visible=False)])
    _publish(dispense, [_text("code"), amounts], [gr.JSON(visible=False)])
    _publish(revoke_prescription, [_text("prescription_id"), _text("reason")], [gr.JSON(visible=False)])


def _given(code: str) -> str:
    if not (code or "").strip():
        raise PrescriptionInvalid(
            "No code was given, so nothing was dispensed. Give the code's text or its short code."
        )
    return code


def _hand_out(content: bytes, name: str, by: gr.File) -> str:
    """A file in the folder that is swept by age. Its name says nothing of the patient."""
    Path(by.GRADIO_CACHE).mkdir(parents=True, exist_ok=True)
    path = Path(tempfile.mkdtemp(dir=by.GRADIO_CACHE)) / name
    path.write_bytes(content)
    by.temp_files.add(str(path))  # Gradio deletes by age what a component calls its own
    return str(path)


def _publish(endpoint: Any, inputs: list[Any], outputs: list[Any]) -> None:
    gr.Button(visible=False).click(told(endpoint), inputs, outputs, api_name=endpoint.__name__, show_progress="hidden")


def _text(label: str) -> gr.Textbox:
    return gr.Textbox(label=label, visible=False)
