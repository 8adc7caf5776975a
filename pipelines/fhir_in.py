"""A FHIR R4 Bundle from elsewhere: checked, bounded, and kept word for word; and what of it a chart can show.

Nothing is followed but what the bundle itself holds, and no reference is resolved over a network. A bundle is received
whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from graphlib import CycleError, TopologicalSorter
from typing import Any

from domain.chart import Said, Source, SourceKind, TimelineItem
from domain.document import Fact, FactKind
from domain.errors import UploadRejected
from domain.limits import MAX_BUNDLE_BYTES
from domain.patient import MAX_NAME_CHARS, SEXES
from pipelines.chart import Stated
from pipelines.fhir_out import OURS

MAX_RESOURCES = 5000
MAX_DEPTH = 64  # FHIR's own resources nest about a dozen deep
NOT_R4 = (
    "This is no FHIR R4 bundle: it has fields that R4 does not know, or lacks some that it needs. It may be of another "
    "version. Nothing was received; export it as FHIR R4 and try again."
)
BUILT_ON = ("partOf", "hasMember", "derivedFrom", "replaces", "basedOn")  # a resource cannot be built on itself
OVER = frozenset({"stopped", "cancelled", "entered-in-error", "not-taken", "completed", "ended"})
NO_ALLERGY = frozenset({"716186003", "409137002", "no-allergy-info", "no-known-allergies"})
SHOWN = {
    "Observation": "Observation", "Condition": "Condition", "AllergyIntolerance": "Allergy",
    "MedicationRequest": "Prescription", "MedicationStatement": "Medicine", "DiagnosticReport": "Report",
    "DocumentReference": "Document", "ImagingStudy": "Imaging study", "Encounter": "Encounter",
    "Procedure": "Procedure", "Immunization": "Immunisation", "CarePlan": "Care plan", "Composition": "Document",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReceivedResource:
    """A resource word for word; `sha256` of its canonical JSON."""

    sha256: str
    kind: str
    full_url: str
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Received:
    """A bundle about one patient. `sha256`: of its bytes; `test_data`: it says of itself that nobody is meant."""

    sha256: str
    name: str
    birth_date: date
    sex: str
    record_number: str
    test_data: bool
    resources: tuple[ReceivedResource, ...]


def read(content: bytes) -> Received:
    """Check a bundle. Raises UploadRejected with what is wrong and what to do."""
    if len(content) > MAX_BUNDLE_BYTES:
        raise UploadRejected("The bundle is larger than can be received here. Send it in parts.")
    shape = _json(content)
    if not isinstance(shape, dict) or shape.get("resourceType") != "Bundle":
        raise UploadRejected("This file holds no FHIR bundle, so nothing was received. Choose a Bundle in JSON.")
    entries = shape.get("entry")
    if not isinstance(entries, list) or not entries or len(entries) > MAX_RESOURCES:
        raise UploadRejected(f"A bundle holds 1 to {MAX_RESOURCES} resources; nothing was received. Send it in parts.")
    _validate(shape)
    ours = (shape.get("identifier") or {}).get("system") == OURS
    made = []
    for entry in entries:
        resource = entry.get("resource")
        # The summary that we wrote ourselves is written anew from what it summed up.
        if isinstance(resource, dict) and not (ours and resource.get("resourceType") == "Composition"):
            canonical = json.dumps(resource, sort_keys=True, ensure_ascii=False).encode()
            url = str(entry.get("fullUrl") or f"{resource['resourceType']}/{resource.get('id', '')}")
            made.append(
                ReceivedResource(hashlib.sha256(canonical).hexdigest(), resource["resourceType"], url[:500], resource)
            )
    _no_cycles(made)
    persons = [one.content for one in made if one.kind == "Patient"]
    if len(persons) != 1:
        raise UploadRejected(
            f"The bundle is about {len(persons)} patients; one chart is received at a time. Send one bundle for each."
        )
    return _about(persons[0], hashlib.sha256(content).hexdigest(), tuple(made))


def statements(import_id: str, resource: dict[str, Any], received: date) -> Iterator[Stated]:
    """What a chart can read in a resource: diagnoses, allergies, medicines and values."""
    kind, label = resource.get("resourceType", ""), _label(resource)
    on = _day(resource) or received
    source = Source(SourceKind.IMPORT, import_id, f"{SHOWN.get(kind, kind)}: {label or 'received'}")
    over = str(resource.get("status", "")) in OVER

    def stated(fact_kind: FactKind, name: str, value: str, denied: bool = False, **more: str) -> Stated:
        fact = Fact(fact_kind, name, value, 1, (), 1.0, negated=denied, **more)  # type: ignore[arg-type]
        return Stated(fact, Said(value, on, source, 1.0, denied))

    if kind == "Condition" and label:
        refuted = "refuted" in _codes(resource.get("verificationStatus")) or bool(
            {"inactive", "remission", "resolved"} & _codes(resource.get("clinicalStatus"))
        )
        yield stated(FactKind.DIAGNOSIS, label, label, refuted)
    elif kind == "AllergyIntolerance" and label:
        none = bool(NO_ALLERGY & _codes(resource.get("code"))) or "refuted" in _codes(
            resource.get("verificationStatus")
        )
        yield stated(FactKind.ALLERGY, label, label, none)
    elif kind in ("MedicationRequest", "MedicationStatement") and label:
        dosage = resource.get("dosageInstruction") or resource.get("dosage") or [{}]
        said = str(dosage[0].get("text") or "")
        yield stated(FactKind.MEDICATION, label, said or ("stopped" if over else ""), over)
    elif kind == "Observation" and label and str(resource.get("status")) != "entered-in-error":
        yield from _values(resource, label, stated)


def item(import_id: str, resource: dict[str, Any], received: date) -> TimelineItem | None:
    """A line of the timeline; None for what only serves others, such as the patient or a device."""
    kind = str(resource.get("resourceType", ""))
    if kind not in SHOWN:
        return None
    title = f"{SHOWN[kind]}: {_label(resource) or resource.get('description') or resource.get('title') or 'received'}"
    source = Source(SourceKind.IMPORT, import_id, title[:300])
    state = str(resource.get("status", ""))
    return TimelineItem(source, _day(resource) or received, "received from elsewhere", state, kind)


def _json(content: bytes) -> Any:
    depth = deepest = 0
    for byte in content:
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    if deepest > MAX_DEPTH * 4:  # brackets inside text count too, so this only keeps the parser from recursing deeply
        raise UploadRejected("The bundle is nested deeper than FHIR ever is, so it was not read. Export it again.")
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UploadRejected("This file holds no JSON, so nothing was received. Choose a FHIR bundle.") from error


def _validate(shape: dict[str, Any]) -> None:
    from fhir.resources.R4B.bundle import Bundle
    from pydantic import ValidationError

    try:
        Bundle.model_validate(shape)
    except (ValidationError, ValueError, TypeError, LookupError, RecursionError) as error:
        raise UploadRejected(NOT_R4) from error


def _no_cycles(resources: list[ReceivedResource]) -> None:
    names = {name: one.full_url for one in resources for name in (one.full_url, f"{one.kind}/{one.content.get('id')}")}
    graph: dict[str, set[str]] = {}
    for one in resources:
        for field in BUILT_ON:
            given = one.content.get(field) or []
            for reference in given if isinstance(given, list) else [given]:
                target = names.get(str(reference.get("reference", ""))) if isinstance(reference, dict) else None
                if target:
                    graph.setdefault(one.full_url, set()).add(target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise UploadRejected(
            "Resources of the bundle are built on one another in a circle, so it was not received. Export it again."
        ) from error


def _about(person: dict[str, Any], sha256: str, resources: tuple[ReceivedResource, ...]) -> Received:
    names = person.get("name") or [{}]
    first = names[0]
    name = str(first.get("text") or " ".join((*first.get("given", ()), first.get("family", ""))))
    name = " ".join(name.split())
    born = _as_date(str(person.get("birthDate") or ""))
    if not name or len(name) > MAX_NAME_CHARS or not name.isprintable() or born is None:
        raise UploadRejected(
            "The bundle's patient has no usable name or no full date of birth, so nothing was received. Add the "
            "patient here first, and receive the bundle for them."
        )
    sex = str(person.get("gender") or "unknown")
    numbers = [str(one.get("value") or "") for one in person.get("identifier") or ()]
    ours = [
        str(one.get("value") or "")
        for one in person.get("identifier") or ()
        if one.get("system") == f"{OURS}:record-number"
    ]
    number = (ours or numbers or [""])[0]
    tags = {str(tag.get("code")) for tag in (person.get("meta") or {}).get("tag") or ()}
    return Received(
        sha256, name, born, sex if sex in SEXES else "unknown", number[:64] if number.isprintable() else "",
        "HTEST" in tags, resources,
    )  # fmt: skip


def _values(resource: dict[str, Any], label: str, stated: Any) -> Iterator[Stated]:
    parts = resource.get("component") or []
    amounts = [part["valueQuantity"] for part in parts if (part.get("valueQuantity") or {}).get("value") is not None]
    if len(amounts) == 2 and "blood pressure" in label.casefold():
        value = "/".join(f"{amount['value']:g}" for amount in amounts)
        yield stated(FactKind.LAB, "Blood pressure", value, unit=str(amounts[0].get("unit") or ""))
        return
    amount = resource.get("valueQuantity") or {}
    if amount.get("value") is not None:
        band = (resource.get("referenceRange") or [{}])[0]
        low, high = ((band.get(side) or {}).get("value") for side in ("low", "high"))
        reference = f"{low:g}-{high:g}" if low is not None and high is not None else ""
        reference = reference or (f">{low:g}" if low is not None else f"<{high:g}" if high is not None else "")
        marks = set().union(*(_codes(one) for one in resource.get("interpretation") or ()))
        flag = "high" if marks & {"H", "HH"} else "low" if marks & {"L", "LL"} else ""
        unit = str(amount.get("unit") or amount.get("code") or "")
        yield stated(FactKind.LAB, label, f"{amount['value']:g}", unit=unit, flag=flag, reference=reference)
    elif resource.get("valueString"):
        yield stated(FactKind.LAB, label, str(resource["valueString"])[:80])


def _label(resource: dict[str, Any]) -> str:
    concept = resource.get("code") or resource.get("medicationCodeableConcept") or resource.get("type")
    concept = concept[0] if isinstance(concept, list) and concept else concept
    if not isinstance(concept, dict):
        return str((resource.get("medicationReference") or {}).get("display") or "")
    shown = [str(one.get("display") or one.get("code") or "") for one in concept.get("coding") or ()]
    return " ".join(str(concept.get("text") or next(iter(shown), "")).split())[:200]


def _codes(concept: Any) -> set[str]:
    return {str(one.get("code")) for one in (concept or {}).get("coding") or ()}


def _day(resource: dict[str, Any]) -> date | None:
    fields = (
        "effectiveDateTime recordedDate authoredOn dateAsserted date onsetDateTime started occurrenceDateTime".split()
    )
    period = resource.get("effectivePeriod") or resource.get("period") or resource.get("performedPeriod") or {}
    given = [resource.get(field) for field in fields] + [period.get("start"), resource.get("issued")]
    return next((day for one in given if one and (day := _as_date(str(one)[:10]))), None)


def _as_date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
