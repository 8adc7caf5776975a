"""A chart as a FHIR R4 document Bundle (R4B models of fhir.resources check it), in the sections of the International
Patient Summary where they fit (HL7 IPS 1.1).

Resources that came from elsewhere go out word for word, as they came. What was worked out here names the record it
stands in (`derivedFrom`, `relatesTo` or an extension with document and page) and the model that read it (Provenance).
"""

from __future__ import annotations

import base64
import html
import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from domain.chart import Chart, MedicineState, Said, Source, SourceKind, TimelineItem
from domain.errors import NothingFound, UploadRejected

LOINC, SNOMED, UCUM = "http://loinc.org", "http://snomed.info/sct", "http://unitsofmeasure.org"
HL7 = "http://terminology.hl7.org/CodeSystem"
OURS = "urn:health-connect"
XHTML = "http://www.w3.org/1999/xhtml"
IPS_COMPOSITION = "http://hl7.org/fhir/uv/ips/StructureDefinition/Composition-uv-ips"
NAMESPACE = uuid.UUID("8a6c2a5e-8d42-4c53-9a1e-2f8f3f4b8d10")  # ids stay the same from one export to the next
SECTIONS = (  # title, LOINC code, resource types
    ("Medication summary", "10160-0", ("MedicationStatement", "MedicationRequest")),
    ("Allergies and intolerances", "48765-2", ("AllergyIntolerance",)),
    ("Problem list", "11450-4", ("Condition",)),
    ("Results", "30954-2", ("Observation", "DiagnosticReport")),
    ("Documents", "55107-7", ("DocumentReference",)),
)
Pdf = Callable[[str], bytes]
"""The searchable PDF of a record, by its id."""


def bundle(chart: Chart, imported: Sequence[tuple[str, dict[str, Any]]], pdf_of: Pdf, at: datetime) -> dict[str, Any]:
    """The whole chart. `imported`: (full_url, resource) as they came, a Patient among them stands for ours.

    Raises UploadRejected where FHIR cannot hold it.
    """
    known = next(((url, one) for url, one in imported if one.get("resourceType") == "Patient"), None)
    patient, person = known or (_url("Patient", chart.patient.patient_id), _patient(chart))
    entries: list[tuple[str, dict[str, Any]]] = [(patient, person)]
    entries += _documents(chart, patient, pdf_of)
    entries += _conditions(chart, patient)
    entries += _allergies(chart, patient)
    entries += _medicines(chart, patient)
    entries += _observations(chart, patient)
    entries += _readings(chart, patient)
    taken = {url for url, _ in entries}
    entries += [(url, resource) for url, resource in imported if url not in taken]
    author = _url("Device", "health-connect")
    own = [(author, _device("HEALTH CONNECT", "")), *_provenance(chart, at)]
    entries += [(url, resource) for url, resource in own if url not in {taken for taken, _ in entries}]
    composition = _composition(chart, patient, author, entries, at)
    made = {
        "resourceType": "Bundle",
        "type": "document",
        "identifier": {"system": OURS, "value": f"{chart.patient.patient_id}-{chart.revision}"},
        "timestamp": at.isoformat(),
        "entry": [
            {"fullUrl": url, "resource": resource}
            for url, resource in [(_url("Composition", chart.patient.patient_id), composition), *entries]
        ],
    }
    validate(made)
    return made


def validate(made: dict[str, Any]) -> None:
    """Raises UploadRejected for what the R4B models refuse."""
    from fhir.resources.R4B.bundle import Bundle
    from pydantic import ValidationError

    try:
        Bundle.model_validate(made)
    except ValidationError as error:
        raise UploadRejected(
            "The chart holds something that FHIR cannot carry, so no bundle was made. Print the summary instead."
        ) from error


def _patient(chart: Chart) -> dict[str, Any]:
    one = chart.patient
    shape: dict[str, Any] = {
        "resourceType": "Patient",
        "identifier": [{"system": f"{OURS}:record-number", "value": one.record_number}],
        "name": [{"text": _clean(one.name)}],
        "gender": one.sex,
        "birthDate": one.birth_date.isoformat(),
    }
    if one.synthetic:
        shape["meta"] = {"tag": [{"system": f"{HL7}/v3-ActReason", "code": "HTEST", "display": "test health data"}]}
    return shape


def _documents(chart: Chart, patient: str, pdf_of: Pdf) -> Iterable[tuple[str, dict[str, Any]]]:
    for item in chart.timeline:
        if item.source.kind is SourceKind.RECORD:
            try:
                data = base64.b64encode(pdf_of(item.source.id)).decode()
            except NothingFound:
                continue
            yield (
                _url("DocumentReference", item.source.id),
                {
                    "resourceType": "DocumentReference",
                    "status": "current",
                    "type": {"text": item.kind_of_record or "other"},
                    "subject": {"reference": patient},
                    "date": _moment(item.at.isoformat()),
                    "description": _clean(item.source.title) or "Record",
                    "content": [
                        {
                            "attachment": {
                                "contentType": "application/pdf",
                                "data": data,
                                "title": _clean(item.source.title) or "Record",
                                "creation": item.at.isoformat(),
                            }
                        }
                    ],
                },
            )


def _conditions(chart: Chart, patient: str) -> Iterable[tuple[str, dict[str, Any]]]:
    for one in chart.problems:
        if _foreign(one.said):
            continue
        status = "inactive" if one.denied else "active"
        verified = "refuted" if one.denied else "provisional"
        yield (
            _url("Condition", f"{chart.patient.patient_id}/{one.name.casefold()}"),
            {
                "resourceType": "Condition",
                **({} if one.denied else {"clinicalStatus": _coded(f"{HL7}/condition-clinical", status)}),
                "verificationStatus": _coded(f"{HL7}/condition-ver-status", verified),
                "code": {"text": _clean(one.name)},
                "subject": {"reference": patient},
                "recordedDate": one.said[0].on.isoformat(),
                "extension": _places(one.said),
            },
        )


def _allergies(chart: Chart, patient: str) -> Iterable[tuple[str, dict[str, Any]]]:
    for one in chart.allergies:
        if _foreign(one.said):
            continue
        yield (
            _url("AllergyIntolerance", f"{chart.patient.patient_id}/{one.substance.casefold()}"),
            {
                "resourceType": "AllergyIntolerance",
                "clinicalStatus": _coded(f"{HL7}/allergyintolerance-clinical", "active"),
                "verificationStatus": _coded(f"{HL7}/allergyintolerance-verification", "unconfirmed"),
                "code": {"text": _clean(one.substance)},
                "patient": {"reference": patient},
                "recordedDate": one.said[0].on.isoformat(),
                "extension": _places(one.said),
            },
        )
    if not chart.allergies and chart.no_allergies:
        yield (
            _url("AllergyIntolerance", f"{chart.patient.patient_id}/none"),
            {
                "resourceType": "AllergyIntolerance",
                "clinicalStatus": _coded(f"{HL7}/allergyintolerance-clinical", "active"),
                "code": {
                    "coding": [{"system": SNOMED, "code": "716186003", "display": "No known allergy"}],
                    "text": "No known allergy",
                },
                "patient": {"reference": patient},
                "extension": _places(chart.no_allergies),
            },
        )


def _medicines(chart: Chart, patient: str) -> Iterable[tuple[str, dict[str, Any]]]:
    for one in chart.medicines:
        for number, said in enumerate(one.said):
            if said.source.kind is SourceKind.IMPORT:
                continue
            key = f"{said.source.id}/{one.ingredient}/{number}"
            dosage = [{"text": _clean(said.text)}] if said.text.strip() else []
            shape: dict[str, Any] = {
                "medicationCodeableConcept": {"text": _clean(one.name)},
                "subject": {"reference": patient},
                "extension": _places((said,)),
            }
            if said.source.kind is SourceKind.PRESCRIPTION:
                shape |= {
                    "resourceType": "MedicationRequest",
                    "status": "stopped" if said.denied else "active",
                    "intent": "order",
                    "authoredOn": said.on.isoformat(),
                    **({"dosageInstruction": dosage} if dosage else {}),
                }
            else:
                newest = number == 0 and one.state is not MedicineState.STOPPED
                shape |= {
                    "resourceType": "MedicationStatement",
                    "status": "stopped" if said.denied else "active" if newest else "unknown",
                    "dateAsserted": said.on.isoformat(),
                    **({"dosage": dosage} if dosage else {}),
                }
            yield _url(shape["resourceType"], key), shape


def _observations(chart: Chart, patient: str) -> Iterable[tuple[str, dict[str, Any]]]:
    for series in chart.series:
        for number, point in enumerate(series.points):
            if point.said.source.kind is SourceKind.IMPORT:
                continue
            shape: dict[str, Any] = {
                "resourceType": "Observation",
                "status": "final",
                "category": [
                    {"coding": [{"system": f"{HL7}/observation-category",
                                 "code": "vital-signs" if series.vital else "laboratory"}]}
                ],
                "code": {"text": _clean(series.label)},
                "subject": {"reference": patient},
                "effectiveDateTime": point.said.on.isoformat(),
                "extension": _places((point.said,)),
            }  # fmt: skip
            if point.second is not None:
                shape["component"] = [
                    {"code": _loinc(code, name), "valueQuantity": _quantity(number_, point.unit)}
                    for code, name, number_ in (
                        ("8480-6", "Systolic blood pressure", point.number),
                        ("8462-4", "Diastolic blood pressure", point.second),
                    )
                ]
            elif point.number is not None:
                shape["valueQuantity"] = _quantity(point.number, point.unit)
            else:
                shape["valueString"] = _clean(f"{point.said.text} {point.unit}")
            band = {
                side: _quantity(edge, point.unit)
                for side, edge in (("low", point.low), ("high", point.high))
                if edge is not None
            }
            if band:
                shape["referenceRange"] = [band]
            if point.flag:
                code = {"high": "H", "low": "L"}[point.flag]
                shape["interpretation"] = [_coded(f"{HL7}/v3-ObservationInterpretation", code)]
            yield _url("Observation", f"{point.said.source.id}/{series.label}/{number}/{point.said.text}"), shape


def _readings(chart: Chart, patient: str) -> Iterable[tuple[str, dict[str, Any]]]:
    for item in chart.timeline:
        if item.source.kind is not SourceKind.READING:
            continue
        study = _url("ImagingStudy", item.source.id)
        yield study, {"resourceType": "ImagingStudy", "status": "available", "subject": {"reference": patient}}
        yield (
            _url("DiagnosticReport", item.source.id),
            {
                "resourceType": "DiagnosticReport",
                "status": "preliminary",  # a machine's reading, confirmed by nobody
                "code": {"text": _clean(item.source.title)},
                "subject": {"reference": patient},
                "effectiveDateTime": item.at.isoformat(),
                "imagingStudy": [{"reference": study}],
                "conclusion": _clean(("Abstained: " if item.state == "abstained" else "") + item.detail) or "Read",
            },
        )


def _provenance(chart: Chart, at: datetime) -> Iterable[tuple[str, dict[str, Any]]]:
    """Which model, and which revision of it, read or drafted what."""
    by_model: dict[tuple[str, str], list[TimelineItem]] = {}
    kinds = {SourceKind.RECORD: "DocumentReference", SourceKind.READING: "DiagnosticReport"}
    for item in chart.timeline:
        if item.model is not None and item.source.kind in kinds:
            by_model.setdefault((item.model.id, item.model.revision), []).append(item)
    for (name, revision), items in by_model.items():
        device = _url("Device", f"{name}/{revision}")
        yield device, _device(name, revision)
        yield (
            _url("Provenance", f"{chart.patient.patient_id}/{name}/{revision}"),
            {
                "resourceType": "Provenance",
                "target": [{"reference": _url(kinds[item.source.kind], item.source.id)} for item in items],
                "recorded": at.isoformat(),
                "agent": [{"type": _coded(f"{HL7}/provenance-participant-type", "assembler"),
                           "who": {"reference": device}}],
            },
        )  # fmt: skip


def _composition(
    chart: Chart, patient: str, author: str, entries: Sequence[tuple[str, dict[str, Any]]], at: datetime
) -> dict[str, Any]:
    sections = []
    for title, code, types in SECTIONS:
        inside = [(url, resource) for url, resource in entries if resource.get("resourceType") in types]
        rows = [_row(resource) for _, resource in inside] or ["Nothing is on the chart."]
        section: dict[str, Any] = {"title": title, "code": _loinc(code, title), "text": _narrative(rows)}
        if inside:
            section["entry"] = [{"reference": url} for url, _ in inside]
        else:
            section["emptyReason"] = _coded(f"{HL7}/list-empty-reason", "unavailable")
        sections.append(section)
    visits = [item for item in chart.timeline if item.source.kind is SourceKind.CONSULTATION]
    if visits:
        rows = [f"{item.at} ({item.state}): {item.detail}" for item in visits]
        sections.append({"title": "Consultations", "code": _loinc("11488-4", "Consultation note"),
                         "text": _narrative(rows)})  # fmt: skip
    open_now = [one for one in chart.attention if one.dismissal is None]
    if open_now:
        rows = [f"{one.concern.value}: {one.text}. {one.why}" for one in open_now]
        sections.append({"title": "Needs attention", "text": _narrative(rows)})
    return {
        "resourceType": "Composition",
        "meta": {"profile": [IPS_COMPOSITION]},
        "status": "preliminary",
        "type": _loinc("60591-5", "Patient summary Document"),
        "subject": {"reference": patient},
        "date": at.isoformat(),
        "author": [{"reference": author}],
        "title": "Patient summary",
        "section": sections,
    }


def _row(resource: dict[str, Any]) -> str:
    code = resource.get("code") or resource.get("medicationCodeableConcept") or resource.get("type") or {}
    name = code.get("text") or next((one.get("display", "") for one in code.get("coding", ())), "")
    amount = resource.get("valueQuantity") or {}
    dosage = (resource.get("dosage") or resource.get("dosageInstruction") or [{}])[0].get("text", "")
    on = resource.get("effectiveDateTime") or resource.get("recordedDate") or resource.get("dateAsserted") or ""
    value = f"{amount.get('value', '')} {amount.get('unit', '')}" if amount else ""
    words = (name, value, dosage, resource.get("conclusion", ""), resource.get("description", ""), str(on)[:10])
    return " ".join(str(word) for word in words if str(word).strip()) or str(resource.get("resourceType"))


def _foreign(said: Sequence[Said]) -> bool:
    """Whether only resources from elsewhere say so; those go out as they came."""
    return all(one.source.kind is SourceKind.IMPORT for one in said)


def _places(said: Sequence[Said]) -> list[dict[str, Any]]:
    """Where it stands: id of the source, page and boxes, as an extension of ours."""
    return [
        {"url": f"{OURS}:source", "valueString": _where(one.source)}
        for one in said[:20]
        if one.source.kind is not SourceKind.IMPORT
    ] or [{"url": f"{OURS}:source", "valueString": "elsewhere"}]


def _where(source: Source) -> str:
    boxes = ";".join(",".join(f"{side:g}" for side in box) for box in source.boxes[:8])
    page = f" page {source.page}" if source.page else ""
    drawn = f" boxes {boxes}" if boxes else ""
    return f"{source.kind.value} {source.id}{page}{drawn}" + " ".join(("", *source.utterances))


def _device(name: str, revision: str) -> dict[str, Any]:
    shape: dict[str, Any] = {"resourceType": "Device", "deviceName": [{"name": name, "type": "model-name"}]}
    if revision:
        shape["version"] = [{"value": revision}]
    return shape


def _quantity(value: float | None, unit: str) -> dict[str, Any]:
    return {"value": value, **({"unit": _clean(unit)} if unit.strip() else {})}


def _coded(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def _loinc(code: str, display: str) -> dict[str, Any]:
    return {"coding": [{"system": LOINC, "code": code, "display": display}]}


def _narrative(rows: Sequence[str]) -> dict[str, str]:
    items = "".join(f"<li>{html.escape(_clean(row))}</li>" for row in rows)
    return {"status": "generated", "div": f'<div xmlns="{XHTML}"><ul>{items}</ul></div>'}


def _url(kind: str, key: str) -> str:
    return f"urn:uuid:{uuid.uuid5(NAMESPACE, f'{kind}/{key}')}"


def _moment(day: str) -> str:
    return datetime.fromisoformat(day).replace(tzinfo=UTC).isoformat()


def _clean(text: str) -> str:
    """Without control characters, which neither JSON consumers nor XML like."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
