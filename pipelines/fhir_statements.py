"""What a chart can read in FHIR R4 resources from elsewhere: statements, lines of the timeline, plain lines to look at.

The resources themselves stay as they came; what is not understood here is still kept and goes out again.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any

from domain.chart import Said, Source, SourceKind, TimelineItem
from domain.document import Fact, FactKind
from pipelines.chart import Stated

OVER = frozenset({"stopped", "cancelled", "entered-in-error", "not-taken", "completed", "ended"})
NO_ALLERGY = frozenset({"716186003", "409137002", "no-allergy-info", "no-known-allergies"})
SHOWN = {
    "Observation": "Observation", "Condition": "Condition", "AllergyIntolerance": "Allergy",
    "MedicationRequest": "Prescription", "MedicationStatement": "Medicine", "DiagnosticReport": "Report",
    "DocumentReference": "Document", "ImagingStudy": "Imaging study", "Encounter": "Encounter",
    "Procedure": "Procedure", "Immunization": "Immunisation", "CarePlan": "Care plan", "Composition": "Document",
    "MedicationDispense": "Hand-out",
}  # fmt: skip
VITALS = {  # LOINC, as laboratories and generators write them, to the names that our own records use
    "8867-4": "Pulse", "9279-1": "Respiratory rate", "8310-5": "Temperature", "2708-6": "Oxygen saturation",
    "59408-5": "Oxygen saturation", "29463-7": "Weight", "8302-2": "Height", "39156-5": "BMI",
    "85354-9": "Blood pressure", "55284-4": "Blood pressure",
}  # fmt: skip
SYSTOLIC, DIASTOLIC = "8480-6", "8462-4"
UNITS = {"d": "day", "h": "hour", "wk": "week", "mo": "month", "a": "year", "min": "minute"}
# "Potassium [Moles/volume] in Serum or Plasma" is called potassium; in another fluid the fluid stays in the name.
LONG_NAME = re.compile(r"(?P<what>.+?) \[[^\]]+\](?: in (?P<fluid>.+?))?(?: by .+)?", re.DOTALL)
USUAL_FLUIDS = frozenset(
    {"serum or plasma", "blood", "serum, plasma or blood", "serum", "plasma", "body", "arterial blood"}
)
MOST_LINES = 400
Names = Mapping[str, str]
"""What a reference calls, such as the name of a Medication; see `names_in`."""
NO_NAMES: Names = MappingProxyType({})


def names_in(resources: Iterable[tuple[str, dict[str, Any]]]) -> dict[str, str]:
    """Names of medicines by the references that point at them. `resources`: (full_url, resource)."""
    made = {}
    for url, resource in resources:
        if resource.get("resourceType") == "Medication" and (label := label_of(resource)):
            made[url] = label
            made[f"Medication/{resource.get('id')}"] = label
    return made


def statements(import_id: str, resource: dict[str, Any], received: date, names: Names = NO_NAMES) -> Iterator[Stated]:
    """Diagnoses, allergies, medicines and values."""
    kind, label = resource.get("resourceType", ""), label_of(resource, names)
    on = day_of(resource) or received
    source = Source(SourceKind.IMPORT, import_id, f"{SHOWN.get(kind, kind)}: {label or 'received'}")
    over = str(resource.get("status", "")) in OVER

    def stated(fact_kind: FactKind, name: str, value: str, denied: bool = False, **more: str) -> Stated:
        fact = Fact(fact_kind, name, value, 1, (), 1.0, negated=denied, **more)  # type: ignore[arg-type]
        return Stated(fact, Said(value, on, source, 1.0, denied, fact.reference))

    if "entered-in-error" in {str(resource.get("status")), *codes(resource.get("verificationStatus"))}:
        return
    if kind == "Condition" and label:
        refuted = "refuted" in codes(resource.get("verificationStatus")) or bool(
            {"inactive", "remission", "resolved"} & codes(resource.get("clinicalStatus"))
        )
        yield stated(FactKind.DIAGNOSIS, label, label, refuted)
    elif kind == "AllergyIntolerance" and label:
        none = bool(NO_ALLERGY & codes(resource.get("code"))) or bool(
            {"refuted"} & codes(resource.get("verificationStatus"))
        )
        yield stated(FactKind.ALLERGY, label, label, none)
    elif kind in ("MedicationRequest", "MedicationStatement") and label:
        said = _dose(resource)
        yield stated(FactKind.MEDICATION, label, said or ("stopped" if over else ""), over)
    elif kind == "Observation" and label:
        yield from _values(resource, label, stated)


def item(import_id: str, resource: dict[str, Any], received: date, names: Names = NO_NAMES) -> TimelineItem | None:
    """A line of the timeline; None for what only serves others, such as the patient or a device."""
    kind = str(resource.get("resourceType", ""))
    if kind not in SHOWN:
        return None
    called = (
        resource.get("description") or resource.get("title") if kind in ("DocumentReference", "Composition") else ""
    )
    title = f"{SHOWN[kind]}: {called or label_of(resource, names) or resource.get('description') or 'received'}"
    source = Source(SourceKind.IMPORT, import_id, title[:300])
    state = str(resource.get("status", ""))
    return TimelineItem(source, day_of(resource) or received, "received from elsewhere", state, kind)


def lines(resource: dict[str, Any]) -> list[str]:
    """The resource to look at: its narratives as plain lines, then the whole of it as it came."""
    texts = [("", (resource.get("text") or {}).get("div"))]
    texts += [
        (str(one.get("title") or ""), (one.get("text") or {}).get("div")) for one in resource.get("section") or ()
    ]
    made = []
    for title, div in texts:
        for row in re.split(r"\n|</?(?:li|p|div|tr|ul|ol|br)\b[^>]*>", str(div or "")):
            plain = " ".join(html.unescape(re.sub(r"<[^>]*>", " ", row)).split())
            made += [f"{title}: {plain}" if title else plain] if plain else []
    return [*made, *json.dumps(resource, ensure_ascii=False, indent=1).splitlines()][:MOST_LINES]


def label_of(resource: dict[str, Any], names: Names = NO_NAMES) -> str:
    """What the resource is about, in the words of whoever sent it."""
    concept = resource.get("code") or resource.get("medicationCodeableConcept") or resource.get("type")
    concept = concept or resource.get("vaccineCode")
    concept = concept[0] if isinstance(concept, list) and concept else concept
    reference = resource.get("medicationReference") or {}
    if not isinstance(concept, dict):
        return str(reference.get("display") or names.get(str(reference.get("reference")), ""))[:200]
    if vital := next((VITALS[code] for code in sorted(codes(concept)) if code in VITALS), ""):
        return vital
    shown = [str(one.get("display") or one.get("code") or "") for one in concept.get("coding") or ()]
    return _short(" ".join(str(concept.get("text") or next(iter(shown), "")).split()))[:200]


def codes(concept: Any) -> set[str]:
    """Every code of a concept."""
    return {str(one.get("code")) for one in (concept or {}).get("coding") or ()}


def day_of(resource: dict[str, Any]) -> date | None:
    """The day a resource bears."""
    fields = (
        "effectiveDateTime recordedDate authoredOn dateAsserted whenHandedOver date onsetDateTime started "
        "occurrenceDateTime performedDateTime"
    ).split()
    period = resource.get("effectivePeriod") or resource.get("period") or resource.get("performedPeriod") or {}
    given = [resource.get(field) for field in fields] + [period.get("start"), resource.get("issued")]
    return next((day for one in given if one and (day := as_date(str(one)[:10]))), None)


def as_date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _short(name: str) -> str:
    found = LONG_NAME.fullmatch(name)
    if not found:
        return name
    fluid = found["fluid"] or ""
    return found["what"] if not fluid or fluid.casefold() in USUAL_FLUIDS else f"{found['what']} in {fluid.lower()}"


def _values(resource: dict[str, Any], label: str, stated: Callable[..., Stated]) -> Iterator[Stated]:
    parts = resource.get("component") or []
    amounts = [part for part in parts if (part.get("valueQuantity") or {}).get("value") is not None]
    if len(amounts) == 2 and "blood pressure" in label.casefold():
        # The upper one is named first whatever order they came in.
        upper, lower = sorted(amounts, key=lambda part: DIASTOLIC in codes(part.get("code")))
        value = "/".join(f"{part['valueQuantity']['value']:g}" for part in (upper, lower))
        yield stated(FactKind.LAB, "Blood pressure", value, unit=_unit(upper["valueQuantity"]))
        return
    if parts and not resource.get("valueQuantity"):
        for part in amounts:
            if name := label_of({"code": part.get("code")}):
                yield from _values(part, name, stated)
        return
    amount = resource.get("valueQuantity") or {}
    if amount.get("value") is not None:
        band = (resource.get("referenceRange") or [{}])[0]
        low, high = ((band.get(side) or {}).get("value") for side in ("low", "high"))
        reference = f"{low:g}-{high:g}" if low is not None and high is not None else ""
        reference = reference or (f">{low:g}" if low is not None else f"<{high:g}" if high is not None else "")
        marks = set().union(*(codes(one) for one in resource.get("interpretation") or ()))
        flag = "high" if marks & {"H", "HH"} else "low" if marks & {"L", "LL"} else ""
        value = f"{amount['value']:.6g}"
        yield stated(FactKind.LAB, label, value, unit=_unit(amount), flag=flag, reference=reference)
    elif resource.get("valueString"):
        yield stated(FactKind.LAB, label, str(resource["valueString"])[:80])
    elif said := label_of({"code": resource.get("valueCodeableConcept")}):
        yield stated(FactKind.LAB, label, said[:80])


def _unit(amount: Mapping[str, Any]) -> str:
    return str(amount.get("unit") or amount.get("code") or "")


def _dose(resource: dict[str, Any]) -> str:
    """How it is taken, in the sender's words, or in ours where they sent numbers alone."""
    dosage = (resource.get("dosageInstruction") or resource.get("dosage") or [{}])[0]
    if dosage.get("text"):
        return " ".join(str(dosage["text"]).split())
    rate = (dosage.get("doseAndRate") or [{}])[0].get("doseQuantity") or {}
    said = f"{rate['value']:g} {_unit(rate)}".strip() if rate.get("value") is not None else ""
    repeat = (dosage.get("timing") or {}).get("repeat") or {}
    if repeat.get("frequency") and repeat.get("period"):
        period, unit = repeat["period"], UNITS.get(str(repeat.get("periodUnit")), str(repeat.get("periodUnit") or ""))
        times = {1: "once", 2: "twice"}.get(repeat["frequency"], f"{repeat['frequency']} times")
        every = f"a {unit}" if period == 1 else f"every {period:g} {unit}s"
        said = f"{said} {times} {every}".strip()
    return f"{said} as needed".strip() if dosage.get("asNeededBoolean") else said
