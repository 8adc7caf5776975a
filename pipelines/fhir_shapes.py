"""Small pieces that FHIR R4 resources are made of; nothing here knows a chart."""

from __future__ import annotations

import html
import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from domain.chart import Said, Source, SourceKind
from domain.models import ModelStamp

LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"
HL7 = "http://terminology.hl7.org/CodeSystem"
OURS = "urn:health-connect"
XHTML = "http://www.w3.org/1999/xhtml"
NAMESPACE = uuid.UUID("8a6c2a5e-8d42-4c53-9a1e-2f8f3f4b8d10")  # ids stay the same from one export to the next
SUMMARY_CODE = "60591-5"  # LOINC, "Patient summary Document": the composition that stands before all else
MAX_PLACES = 20  # sources that one resource names
Entry = tuple[str, dict[str, Any]]
"""A resource with its fullUrl."""


def url_of(kind: str, key: str) -> str:
    return f"urn:uuid:{uuid.uuid5(NAMESPACE, f'{kind}/{key}')}"


def clean(text: str) -> str:
    """Without control characters, which neither JSON consumers nor XML like."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def coded(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def loinc(code: str, display: str) -> dict[str, Any]:
    return {"coding": [{"system": LOINC, "code": code, "display": display}]}


def quantity(value: float | None, unit: str) -> dict[str, Any]:
    return {"value": value, **({"unit": clean(unit)} if unit.strip() else {})}


def narrative(rows: Sequence[str]) -> dict[str, str]:
    items = "".join(f"<li>{html.escape(clean(row), quote=False)}</li>" for row in rows)
    return {"status": "generated", "div": f'<div xmlns="{XHTML}"><ul>{items}</ul></div>'}


def midnight(day: date) -> str:
    """A day where FHIR asks for a moment."""
    return datetime.combine(day, time(), UTC).isoformat()


def device(name: str, revision: str) -> dict[str, Any]:
    """A model, or this program."""
    shape: dict[str, Any] = {"resourceType": "Device", "deviceName": [{"name": clean(name), "type": "model-name"}]}
    if revision:
        shape["version"] = [{"value": clean(revision)}]
    return shape


def device_url(model: ModelStamp) -> str:
    return url_of("Device", f"{model.id}/{model.revision}")


def provenance(
    targets: Sequence[str], models: Iterable[ModelStamp], recorded: str, signer: str = "", signed_at: str = ""
) -> dict[str, Any]:
    """Which models, with their revisions, made the targets; and who signed them."""
    agents: list[dict[str, Any]] = [
        {
            "type": coded(f"{HL7}/provenance-participant-type", "assembler"),
            "who": {"reference": device_url(model), "display": clean(f"{model.id} {model.revision}")},
        }
        for model in models
    ]
    if signer:
        agents.append(
            {"type": coded(f"{HL7}/provenance-participant-type", "attester"), "who": {"display": clean(signer)}}
        )
    return {
        "resourceType": "Provenance",
        "target": [{"reference": url} for url in targets],
        **({"occurredDateTime": signed_at} if signed_at else {}),
        "recorded": recorded,
        "agent": agents,
    }


def places(said: Sequence[Said]) -> list[dict[str, Any]]:
    """Where it stands: id of the source, page and boxes, as an extension of ours."""
    return [
        {"url": f"{OURS}:source", "valueString": _where(one.source)}
        for one in said[:MAX_PLACES]
        if one.source.kind is not SourceKind.IMPORT
    ] or [{"url": f"{OURS}:source", "valueString": "elsewhere"}]


def _where(source: Source) -> str:
    boxes = ";".join(",".join(f"{side:g}" for side in box) for box in source.boxes[:8])
    page = f" page {source.page}" if source.page else ""
    drawn = f" boxes {boxes}" if boxes else ""
    return f"{source.kind.value} {source.id}{page}{drawn}" + " ".join(("", *source.utterances))
