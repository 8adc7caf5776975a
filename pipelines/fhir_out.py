"""A chart as FHIR R4 resources (R4B models of fhir.resources check them), in the sections of the International Patient
Summary where they fit (HL7 IPS 1.1). How they are written to a file is fhir_file's to know.

Resources that came from elsewhere go out word for word, as they came. What was worked out here names the record it
stands in (an extension with document, page and boxes) and the model that read it (Provenance). Bytes of PDFs and
pictures are not in the resources yet: a mark stands for each, so that a chart of years is never held as a whole.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.chart import Chart, Measurement, MedicineState, Said, Source, SourceKind, TimelineItem
from domain.kept_reading import KeptReading
from domain.models import ModelStamp
from domain.prescription import PrescriptionRecord
from pipelines import fhir_notes, fhir_orders
from pipelines.fhir_notes import KeptVisit
from pipelines.fhir_shapes import (
    HL7,
    OURS,
    SNOMED,
    SUMMARY_CODE,
    Entry,
    clean,
    coded,
    device,
    device_url,
    loinc,
    midnight,
    narrative,
    places,
    provenance,
    quantity,
    url_of,
)

IPS_COMPOSITION = "http://hl7.org/fhir/uv/ips/StructureDefinition/Composition-uv-ips"
SECTIONS = (  # title, LOINC code, resource types
    ("Medication summary", "10160-0", ("MedicationStatement", "MedicationRequest")),
    ("Allergies and intolerances", "48765-2", ("AllergyIntolerance",)),
    ("Problem list", "11450-4", ("Condition",)),
    ("Results", "30954-2", ("Observation", "DiagnosticReport")),
    ("Documents", "55107-7", ("DocumentReference",)),
    ("Consultations", "11488-4", ("Composition",)),
)
PDF_MARK, FILE_MARK = "hc-pdf:", "hc-file:"  # no base64 holds a colon
Key = tuple[str, str, str, str]
"""What a statement says: kind, label, text, day; see `key_of`."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a chart rests on. `imported`: (full_url, resource) as they came, a Patient among them stands for ours.

    `filed`: ids of records that were filed from attachments of these imports; what such a page says again and an
    imported resource says already (`said_there`) is not written a second time.
    """

    imported: Sequence[Entry] = ()
    visits: Sequence[KeptVisit] = ()
    orders: Sequence[PrescriptionRecord] = ()
    scans: Sequence[KeptReading] = ()
    filed: Collection[str] = ()
    said_there: Collection[Key] = ()


def key_of(kind: str, label: str, text: str, day: object) -> Key:
    """For comparison only: numbers without trailing zeros, words without case."""
    try:
        plain = f"{float(text):g}"
    except ValueError:
        plain = " ".join(text.casefold().split())
    return kind, " ".join(label.casefold().split()), plain, str(day)


def resources(chart: Chart, kept: Kept, at: datetime) -> list[Entry]:
    """All of the chart, the summary first; PDFs and pictures as marks."""
    known = next(((url, one) for url, one in kept.imported if one.get("resourceType") == "Patient"), None)
    patient, person = known or (url_of("Patient", chart.patient.patient_id), _patient(chart))
    author = url_of("Device", "health-connect")
    own = (
        _conditions(chart, patient, kept),
        _allergies(chart, patient, kept),
        _medicines(chart, patient, kept),
        fhir_orders.requests(kept.orders, patient, at.date()),
        _observations(chart, patient, kept),
        _readings(kept.scans, patient),
        fhir_notes.compositions(kept.visits, patient, author, at),
        [(author, device("HEALTH CONNECT", ""))],
        _provenance(chart, kept, at),
        _documents(chart, patient, kept),
    )
    entries: dict[str, dict[str, Any]] = {patient: person}
    for url, resource in kept.imported:
        entries[_free(url, resource, entries)] = resource
    for url, resource in (entry for part in own for entry in part):
        entries.setdefault(url, resource)
    summary = _composition(chart, patient, author, list(entries.items()), at)
    return [(url_of("Composition", chart.patient.patient_id), summary), *entries.items()]


def _free(url: str, resource: dict[str, Any], taken: Mapping[str, dict[str, Any]]) -> str:
    """A name for what came from elsewhere: its own, unless something else has it already.

    Houses count alike, a later version is called like the earlier one, and some give no name: none of it may be lost.
    """
    if taken.get(url, resource) == resource:
        return url
    content = json.dumps(resource, sort_keys=True, ensure_ascii=False).encode()
    return url_of(str(resource.get("resourceType")), f"{url} {hashlib.sha256(content).hexdigest()}")


def _patient(chart: Chart) -> dict[str, Any]:
    one = chart.patient
    shape: dict[str, Any] = {
        "resourceType": "Patient",
        "identifier": [{"system": f"{OURS}:record-number", "value": one.record_number}],
        "name": [{"text": clean(one.name)}],
        "gender": one.sex,
        "birthDate": one.birth_date.isoformat(),
    }
    if one.synthetic:
        shape["meta"] = {"tag": [{"system": f"{HL7}/v3-ActReason", "code": "HTEST", "display": "test health data"}]}
    return shape


def _documents(chart: Chart, patient: str, kept: Kept) -> Iterator[Entry]:
    for item in chart.timeline:
        if item.source.kind is not SourceKind.RECORD or item.source.id in kept.filed:
            continue
        title = clean(item.source.title) or "Record"
        attachment = {
            "contentType": "application/pdf",
            "data": PDF_MARK + item.source.id,
            "title": title,
            "creation": item.at.isoformat(),
        }
        yield (
            url_of("DocumentReference", item.source.id),
            {
                "resourceType": "DocumentReference",
                "status": "current",
                "type": {"text": item.kind_of_record or "other"},
                "subject": {"reference": patient},
                "date": midnight(item.at),
                "description": title,
                "content": [{"attachment": attachment}],
            },
        )


def _conditions(chart: Chart, patient: str, kept: Kept) -> Iterator[Entry]:
    for one in chart.problems:
        if _elsewhere(one.said, "diagnosis", one.name, kept):
            continue
        yield (
            url_of("Condition", f"{chart.patient.patient_id}/{one.name.casefold()}"),
            {
                "resourceType": "Condition",
                **({} if one.denied else {"clinicalStatus": coded(f"{HL7}/condition-clinical", "active")}),
                "verificationStatus": coded(f"{HL7}/condition-ver-status", "refuted" if one.denied else "provisional"),
                "code": {"text": clean(one.name)},
                "subject": {"reference": patient},
                "recordedDate": one.said[0].on.isoformat(),
                "extension": places(one.said),
            },
        )


def _allergies(chart: Chart, patient: str, kept: Kept) -> Iterator[Entry]:
    for one in chart.allergies:
        if _elsewhere(one.said, "allergy", one.substance, kept):
            continue
        yield (
            url_of("AllergyIntolerance", f"{chart.patient.patient_id}/{one.substance.casefold()}"),
            {
                "resourceType": "AllergyIntolerance",
                "clinicalStatus": coded(f"{HL7}/allergyintolerance-clinical", "active"),
                "verificationStatus": coded(f"{HL7}/allergyintolerance-verification", "unconfirmed"),
                "code": {"text": clean(one.substance)},
                "patient": {"reference": patient},
                "recordedDate": one.said[0].on.isoformat(),
                "extension": places(one.said),
            },
        )
    denied = [one for one in chart.no_allergies if one.source.kind is not SourceKind.IMPORT]
    if denied and not chart.allergies and not all(one.source.id in kept.filed for one in denied):
        yield (
            url_of("AllergyIntolerance", f"{chart.patient.patient_id}/none"),
            {
                "resourceType": "AllergyIntolerance",
                "clinicalStatus": coded(f"{HL7}/allergyintolerance-clinical", "active"),
                "code": {
                    "coding": [{"system": SNOMED, "code": "716186003", "display": "No known allergy"}],
                    "text": "No known allergy",
                },
                "patient": {"reference": patient},
                "extension": places(denied),
            },
        )


def _medicines(chart: Chart, patient: str, kept: Kept) -> Iterator[Entry]:
    """What is said to be taken; what was prescribed here goes out in full by fhir_orders."""
    for one in chart.medicines:
        for number, said in enumerate(one.said):
            if said.source.kind is SourceKind.PRESCRIPTION or _there(said, "medication", one.name, kept):
                continue
            newest = number == 0 and one.state is not MedicineState.STOPPED
            dosage = {"dosage": [{"text": clean(said.text)}]} if said.text.strip() else {}
            yield (
                url_of("MedicationStatement", f"{said.source.id}/{one.ingredient}/{number}"),
                {
                    "resourceType": "MedicationStatement",
                    "status": "stopped" if said.denied else "active" if newest else "unknown",
                    "medicationCodeableConcept": {"text": clean(one.name)},
                    "subject": {"reference": patient},
                    "dateAsserted": said.on.isoformat(),
                    **dosage,
                    "extension": places((said,)),
                },
            )


def _observations(chart: Chart, patient: str, kept: Kept) -> Iterator[Entry]:
    for series in chart.series:
        for number, point in enumerate(series.points):
            if _there(point.said, "lab", series.label, kept):
                continue
            category = "vital-signs" if series.vital else "laboratory"
            shape: dict[str, Any] = {
                "resourceType": "Observation",
                "status": "final",
                "category": [coded(f"{HL7}/observation-category", category)],
                "code": {"text": clean(series.label)},
                "subject": {"reference": patient},
                "effectiveDateTime": point.said.on.isoformat(),
                "extension": places((point.said,)),
            }
            yield (
                url_of("Observation", f"{point.said.source.id}/{series.label}/{number}/{point.said.text}"),
                (shape | _value(point)),
            )


def _value(point: Measurement) -> dict[str, Any]:
    """The number with its band, as far as there is one."""
    shape: dict[str, Any] = {}
    if point.second is not None:
        shape["component"] = [
            {"code": loinc(code, name), "valueQuantity": quantity(number, point.unit)}
            for code, name, number in (
                ("8480-6", "Systolic blood pressure", point.number),
                ("8462-4", "Diastolic blood pressure", point.second),
            )
        ]
    elif point.number is not None:
        shape["valueQuantity"] = quantity(point.number, point.unit)
    else:
        shape["valueString"] = clean(f"{point.said.text} {point.unit}")
    band = {
        side: quantity(edge, point.unit)
        for side, edge in (("low", point.low), ("high", point.high))
        if edge is not None
    }
    if band:
        shape["referenceRange"] = [band]
    if point.flag:
        code = {"high": "H", "low": "L"}[point.flag]
        shape["interpretation"] = [coded(f"{HL7}/v3-ObservationInterpretation", code)]
    return shape


def _readings(scans: Sequence[KeptReading], patient: str) -> Iterator[Entry]:
    """Every finding with its score, what persons said of it, and the picture with its map."""
    for scan in scans:
        study, title = url_of("ImagingStudy", scan.reading_id), clean(scan.task.replace("_", " ")).capitalize()
        yield study, {"resourceType": "ImagingStudy", "status": "available", "subject": {"reference": patient}}
        said = (
            [f"Abstained: {scan.outside['reason']}"] if scan.abstained else [*map(_finding, scan.outside["findings"])]
        )
        said += [f"{one.who} ({one.opinion.value}): {one.reason}" for one in scan.feedback]
        pictures = [
            {"contentType": "image/png", "data": FILE_MARK + sha256, "title": name}
            for sha256, name in ((scan.picture_sha256, "Picture"), (scan.overlay_sha256, "Map"))
            if sha256
        ]
        yield (
            url_of("DiagnosticReport", scan.reading_id),
            {
                "resourceType": "DiagnosticReport",
                "text": narrative(said or ["Read"]),
                "status": "preliminary",  # a machine's reading, confirmed by nobody
                "code": {"text": title},
                "subject": {"reference": patient},
                "effectiveDateTime": scan.created_at.isoformat(),
                "imagingStudy": [{"reference": study}],
                "conclusion": clean("; ".join(said)) or "Read",
                "presentedForm": pictures,
            },
        )


def _finding(one: dict[str, Any]) -> str:
    positive = " (positive)" if one["positive"] else ""
    return f"{str(one['label']).replace('_', ' ')} {100 * one['score']:.0f} %{positive}"


def _provenance(chart: Chart, kept: Kept, at: datetime) -> Iterator[Entry]:
    """Which model, and which revision of it, read what. Notes have theirs from fhir_notes."""
    by_model: dict[ModelStamp, list[TimelineItem]] = {}
    kinds = {SourceKind.RECORD: "DocumentReference", SourceKind.READING: "DiagnosticReport"}
    for item in chart.timeline:
        if item.model is not None and item.source.kind in kinds and item.source.id not in kept.filed:
            by_model.setdefault(item.model, []).append(item)
    for model, items in by_model.items():
        yield device_url(model), device(model.id, model.revision)
        targets = [url_of(kinds[item.source.kind], item.source.id) for item in items]
        key = f"{chart.patient.patient_id}/{model.id}/{model.revision}"
        yield url_of("Provenance", key), provenance(targets, [model], at.isoformat())


def _composition(chart: Chart, patient: str, author: str, entries: Sequence[Entry], at: datetime) -> dict[str, Any]:
    """The summary that everything else hangs on."""
    sections = []
    for title, code, types in SECTIONS:
        inside = [(url, resource) for url, resource in entries if resource.get("resourceType") in types]
        rows = [_row(resource) for _, resource in inside] or ["Nothing is on the chart."]
        section: dict[str, Any] = {"title": title, "code": loinc(code, title), "text": narrative(rows)}
        if inside:
            section["entry"] = [{"reference": url} for url, _ in inside]
        else:
            section["emptyReason"] = coded(f"{HL7}/list-empty-reason", "unavailable")
        sections.append(section)
    open_now = [one for one in chart.attention if one.dismissal is None]
    if open_now:
        rows = [f"{one.concern.value}: {one.text}. {one.why} [{_named(one.sources)}]" for one in open_now]
        sections.append({"title": "Needs attention", "text": narrative(rows)})
    aside = [one for one in chart.attention if one.dismissal is not None]
    if aside:
        rows = [f"{one.text}: set aside by {one.dismissal.who}, {one.dismissal.reason}" for one in aside]
        sections.append({"title": "Set aside", "text": narrative(rows)})
    if chart.since is not None and chart.changes:
        rows = [f"{one.on}: {one.text} [{_named((one.source,))}]" for one in chart.changes]
        sections.append({"title": f"Since the visit of {chart.since}", "text": narrative(rows)})
    return {
        "resourceType": "Composition",
        "meta": {"profile": [IPS_COMPOSITION]},
        "status": "preliminary",
        "type": loinc(SUMMARY_CODE, "Patient summary Document"),
        "subject": {"reference": patient},
        "date": at.isoformat(),
        "author": [{"reference": author}],
        "title": "Patient summary",
        "section": sections,
    }


def _row(resource: dict[str, Any]) -> str:
    code = resource.get("code") or resource.get("medicationCodeableConcept") or resource.get("type") or {}
    name = code.get("text") or next((one.get("display", "") for one in code.get("coding", ())), "")
    if resource.get("resourceType") == "Composition":
        name = f"{resource.get('title', '')} ({resource.get('status', '')})"
    amount = resource.get("valueQuantity") or {}
    parts = [(one.get("valueQuantity") or {}).get("value") for one in resource.get("component") or ()]
    dosage = (resource.get("dosage") or resource.get("dosageInstruction") or [{}])[0].get("text", "")
    on = resource.get("effectiveDateTime") or resource.get("recordedDate") or resource.get("dateAsserted") or ""
    value = f"{amount.get('value', '')} {amount.get('unit', '')}" if amount else "/".join(f"{p:g}" for p in parts if p)
    words = (name, value, dosage, resource.get("conclusion", ""), resource.get("description", ""), str(on)[:10])
    return " ".join(str(word) for word in words if str(word).strip()) or str(resource.get("resourceType"))


def _elsewhere(said: Sequence[Said], kind: str, label: str, kept: Kept) -> bool:
    """Whether only resources from elsewhere say so, or pages that came along with them; those go out as they came."""
    there = {(one[0], one[1]) for one in kept.said_there}
    mine = [one for one in said if one.source.kind is not SourceKind.IMPORT]
    return not mine or (key_of(kind, label, "", "")[:2] in there and all(one.source.id in kept.filed for one in mine))


def _there(said: Said, kind: str, label: str, kept: Kept) -> bool:
    """Whether a resource from elsewhere says it, or says the same as this page that came along with it."""
    if said.source.kind is SourceKind.IMPORT:
        return True
    return said.source.id in kept.filed and key_of(kind, label, said.text, said.on) in kept.said_there


def _named(sources: Sequence[Source]) -> str:
    """Titles of the sources and where in them."""
    return "; ".join(f"{one.title}{f', page {one.page}' if one.page else ''}" for one in sources)
