"""What the Chart tab draws: the chart as plain data, and the source of a value in the viewer beside it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from components.chart_files import bundle_path, summary_path
from components.consultation_files import recording_path
from components.imaging_view import picture_path, present_reading
from components.page_files import page_picture_path
from domain import chart_contract, contract
from domain.chart import Chart, SourceKind
from domain.errors import NothingFound

if TYPE_CHECKING:
    from pipelines.workbench import MovePreview, Reception, Workbench

LINE_OF_DOUBT = 0.75  # below it a word is shown to be checked, as on the Records tab
MAX_SAID = 12  # earlier sources of one line that the page is sent
FILES_AT_ONCE = 40
WITH_FILES = frozenset({SourceKind.RECORD, SourceKind.READING})
MAX_ROWS = 1500  # of the timeline that the page is sent


def present_chart(chart: Chart, may: Callable[..., bool], note: str = "") -> dict[str, Any]:
    """Value of the part. `may`: whether whoever looks may do a job, with a patient's id also behind broken glass."""
    shape = chart_contract.chart(chart)
    for series in (*shape["vitals"], *shape["labs"]):
        series["last"]["side"] = _side(series["last"])
        series["points"] = series["points"][-24:]
    for line in (*shape["medicines"], *shape["problems"], *shape["allergies"]):
        kept = line["said"][: MAX_SAID + 1]
        line["said"] = [said | {"doubtful": said["confidence"] < LINE_OF_DOUBT} for said in kept]
    shape["timeline"] = shape["timeline"][:MAX_ROWS]
    whose = chart.patient.patient_id
    files = {
        "pdf": summary_path(whose) if may("charts.print_summary", whose) else "",
        "fhir": bundle_path(whose) if may("charts.export", whose) else "",
    }
    # So many files take a while to write out: then it is a job that says how far it is, not a link that seems dead.
    long = sum(1 for one in chart.timeline if one.source.kind in WITH_FILES) > FILES_AT_ONCE
    jobs = {f"may_{job}": may(f"charts.{job}") for job in ("dismiss", "merge", "move")}
    more = {"files": files, "note": note, "preview": None, "glass": not may("charts.chart"), "of_patient": whose}
    more["export_is_long"] = long
    return shape | jobs | more


def present_move(seen: MovePreview) -> dict[str, Any]:
    """What moving a record would mean."""
    return {
        "title": seen.title,
        "origin": contract.patient(seen.origin),
        "to": contract.patient(seen.to),
        "conflicts": [
            {"field": one.field, "on_record": one.on_record, "in_chart": one.in_chart} for one in seen.conflicts
        ],
        "revision": seen.revision,
    }


def present_reception(done: Reception, chosen: bool, seconds: float) -> dict[str, Any]:
    """What came of receiving a chart, in a line. `chosen`: a patient stood in the header."""
    parts = [
        f"{done.received} resources received for {done.chart.patient.name} in {seconds:.0f} s",
        f"{done.filed} of its files are records now" if done.filed else "",
        f"{done.held} name somebody else and wait on the Records tab" if done.held else "",
        f"Stopped: {done.left} files are no records yet; receive the same bundle again to go on" if done.left else "",
        *(f"Not a record: {reason.rstrip('.')}" for reason in done.refused),
        "" if chosen else "They were added: choose them in the header",
    ]
    text = ". ".join(filter(None, parts)) + "."
    return present_status("stopped" if done.left or done.held else "done", text)


def present_status(state: str, text: str) -> dict[str, Any]:
    """A line on a job that does not run. `state`: "done", "stopped" or "refused"."""
    return {"state": state, "text": text, "done": 0, "total": 0}


def present_source(workbench: Workbench, source: dict[str, Any]) -> dict[str, Any]:
    """The viewer's value for a source as the chart named it. Raises NothingFound."""
    kind, own_id = str(source.get("kind", "")), str(source.get("id", ""))
    if source.get("masked"):  # whoever sees a chart without identity sees no picture either; words come covered
        return _seen("text", own_id, source) | _words(workbench, kind, own_id)
    show = {"record": _record, "reading": _reading, "consultation": _visit, "prescription": _order, "import": _import}
    if kind not in show:
        raise NothingFound("This line has no source that can be shown. Look at the chart again.")
    return _seen(kind, own_id, source) | show[kind](workbench, own_id, source)


def _seen(kind: str, own_id: str, source: dict[str, Any]) -> dict[str, Any]:
    return {"kind": kind, "id": own_id, "fresh": True, "of_patient": str(source.get("patient_id") or "")}


def _record(workbench: Workbench, document_id: str, source: dict[str, Any]) -> dict[str, Any]:
    document = workbench.document(document_id)
    number = int(source.get("page") or 1)
    page = next((each for each in document.pages if each.number == number), None)
    if page is None:
        raise NothingFound(f"The record has no page {number}. Choose one of its pages.")
    dated = document.document_date or document.created_at.date()
    return {
        "title": document.title,
        "detail": f"{dated} · page {number} of {len(document.pages)} · read with {page.confidence:.0%}",
        "page": number,
        "page_count": len(document.pages),
        "may_move": bool(document.patient_id) and workbench.may("charts.move"),
        "width_px": page.width_px,
        "height_px": page.height_px,
        "rotation_deg": page.rotation_deg,
        "image_path": page_picture_path(document_id, number),
        "boxes": [[float(side) for side in box] for box in source.get("boxes") or () if len(box) == 4],
    }


def _words(workbench: Workbench, kind: str, own_id: str) -> dict[str, Any]:
    """A record as words alone. Raises NothingFound for what is not shown without identity."""
    if kind != "record":
        raise NothingFound("Without identity only what was understood of this is shown, not the thing itself.")
    document = workbench.deidentified_document(own_id)
    lines = [" ".join(word.text for word in line.words) for page in document.pages for line in page.lines]
    return {"title": document.title, "detail": "Without what was recognised as naming the patient", "lines": lines}


def _reading(workbench: Workbench, reading_id: str, _: dict[str, Any]) -> dict[str, Any]:
    shown = present_reading(workbench.imaging.reading(reading_id))
    return {
        "title": shown["task"],
        "detail": f"{shown['at']} · {shown['model']}",
        "image_path": shown["overlay"] or picture_path(reading_id),
        "verdict": f"{shown['verdict']} {shown['reason']}".strip(),
    }


def _visit(workbench: Workbench, consultation_id: str, source: dict[str, Any]) -> dict[str, Any]:
    visit = workbench.consultations.visit(consultation_id)
    marked = set(source.get("utterances") or ())
    roles = {one.speaker: one.role for one in visit.roles}
    return {
        "title": f"Consultation of {visit.created_at:%Y-%m-%d}",
        "detail": "Signed note" if visit.note and visit.note.signature else "Not signed",
        "recording": recording_path(consultation_id) if visit.recording else "",
        "utterances": [
            {
                "id": one.id,
                "role": one.role or roles.get(one.speaker) or one.speaker,
                "text": one.text,
                "start_s": one.start_s,
                "time": "" if one.start_s is None else f"{int(one.start_s) // 60}:{int(one.start_s) % 60:02d}",
                "marked": one.id in marked,
            }
            for one in visit.transcript.utterances
        ],
        "note": [f"{line.section.capitalize()}: {line.text}" for line in visit.note.lines] if visit.note else [],
    }


def _order(workbench: Workbench, prescription_id: str, source: dict[str, Any]) -> dict[str, Any]:
    patient_id = str(source.get("patient_id") or "")
    found = [
        one
        for one in workbench.prescriptions.of_patient(patient_id)
        if one.signed.prescription.prescription_id == prescription_id
    ]
    if not found:
        raise NothingFound("This prescription is not on the chart any more. Look at the chart again.")
    record, order = found[0], found[0].signed.prescription
    lines = [
        f"{one.product}: {one.dose} {one.frequency} {one.route}, "
        f"quantity {f'{_plain(one.quantity)} {one.quantity_unit}'.strip()}, "
        f"refills {one.refills}, handed out {_plain(record.dispensed(at))}. {one.note}".strip()
        for at, one in enumerate(order.medicines)
    ]
    lines += [f"Set aside when signing: {one.text} ({one.reason})" for one in record.signed.overrides]
    state = f"revoked: {record.revoked_reason}" if record.revoked_at else f"valid until {order.expires_at:%Y-%m-%d}"
    return {
        "title": f"Prescription of {order.issued_at:%Y-%m-%d}",
        "detail": f"{order.prescriber.name} · {record.signed.short_code} · {state}",
        "lines": lines,
    }


def _plain(amount: Decimal) -> str:
    """6 and not 6.000: a string of zeros behind an amount is how tenfold mistakes are read."""
    return f"{amount.normalize():f}"


def _import(workbench: Workbench, import_id: str, source: dict[str, Any]) -> dict[str, Any]:
    patient_id = str(source.get("patient_id") or "")
    kind, lines = workbench.charts.imported(patient_id, import_id)
    return {
        "title": f"Received from elsewhere: {kind}",
        "detail": "What it says, then the whole as it came",
        "lines": lines,
    }


def _side(point: dict[str, Any]) -> str:
    if point["flag"] or point["number"] is None:
        return str(point["flag"])
    if point["high"] is not None and point["number"] > point["high"]:
        return "high"
    return "low" if point["low"] is not None and point["number"] < point["low"] else ""
