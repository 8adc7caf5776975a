"""A FHIR R4 Bundle from elsewhere: checked, bounded, and kept word for word. What of it a chart can show is
fhir_statements' to know.

Nothing is followed but what the bundle itself holds, and no reference is resolved over a network. A bundle is received
whole or not at all. Files that come along (PDFs, pictures, texts) are taken out of the resources as bytes, with a mark
in their place, so that opening a chart does not read them.
"""

from __future__ import annotations

import base64
import binascii
import copy
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from graphlib import CycleError, TopologicalSorter
from typing import Any

from domain.errors import UploadRejected
from domain.limits import MAX_BUNDLE_BYTES
from domain.patient import MAX_NAME_CHARS, SEXES
from pipelines import fhir_file
from pipelines.fhir_out import FILE_MARK
from pipelines.fhir_shapes import OURS, SUMMARY_CODE, url_of
from pipelines.fhir_statements import as_date, codes, day_of, label_of

MAX_RESOURCES = 5000
MAX_DEPTH = 64  # FHIR's own resources nest about a dozen deep
MAX_BRACKETS = 4_000_000  # of a bundle whose resources would take gigabytes of memory
NOT_R4 = (
    "This is no FHIR R4 bundle: it has fields that R4 does not know, or lacks some that it needs. It may be of another "
    "version. Nothing was received; export it as FHIR R4 and try again."
)
BUILT_ON = ("partOf", "hasMember", "derivedFrom", "replaces", "basedOn")  # a resource cannot be built on itself
FILED = ("application/pdf", "image/", "text/plain")  # what can become a record of its own
VERSIONS = {  # resources that only other versions of FHIR have, and what those are called
    "MedicationOrder": "DSTU2", "DiagnosticOrder": "DSTU2", "ProcedureRequest": "STU3", "ReferralRequest": "STU3",
    "BodySite": "STU3", "EligibilityRequest": "STU3", "ProcessRequest": "STU3", "Transport": "R5",
    "InventoryItem": "R5", "GenomicStudy": "R5", "FormularyItem": "R5", "BiologicallyDerivedProductDispense": "R5",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A file that a resource carries, in whose place a mark stands there. `may_file`: it can become a record."""

    sha256: str
    content_type: str
    data: bytes
    title: str
    may_file: bool


@dataclass(frozen=True, slots=True)
class ReceivedResource:
    """A resource word for word but for its files; `sha256` of its canonical JSON as it came. `day`: that it bears."""

    sha256: str
    kind: str
    full_url: str
    content: dict[str, Any]
    files: tuple[ReceivedFile, ...]
    day: date | None


@dataclass(frozen=True, slots=True)
class Received:
    """A bundle about one patient. `sha256`: of its bytes; `test_data`: it says of itself that nobody is meant.

    `own_number`: the record number is one that a program like this gave. `chart_id`: whose chart it is, where such a
    program wrote it, else "".
    """

    sha256: str
    name: str
    birth_date: date
    sex: str
    record_number: str
    own_number: bool
    test_data: bool
    chart_id: str
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
    identifier = shape.get("identifier")
    ours = isinstance(identifier, dict) and identifier.get("system") == OURS
    made = []
    for entry in entries:
        resource = entry.get("resource") if isinstance(entry, dict) else None
        # The summary that we wrote ourselves is written anew from what it summed up.
        if isinstance(resource, dict) and not (ours and _is_summary(resource)):
            canonical = json.dumps(resource, sort_keys=True, ensure_ascii=False).encode()
            kind = str(resource.get("resourceType"))
            sha256 = hashlib.sha256(canonical).hexdigest()
            named = f"{kind}/{resource['id']}" if resource.get("id") else url_of(kind, sha256)
            url = str(entry.get("fullUrl") or named)
            files = tuple(_lifted(resource))
            made.append(ReceivedResource(sha256, kind, url[:500], resource, files, day_of(resource) if files else None))
    _validate(shape)
    _no_cycles(made)
    persons = [one.content for one in made if one.kind == "Patient"]
    # A chart that was gathered from several houses holds a Patient of each, who are one person.
    same = ours and persons and len({str(one.get("birthDate")) for one in persons}) == 1
    if len(persons) != 1 and not same:
        raise UploadRejected(
            f"The bundle is about {len(persons)} patients; one chart is received at a time. Send one bundle for each."
        )
    chart_id = str(identifier.get("value", "")).partition("-")[0] if ours else ""  # type: ignore[union-attr]
    return _about(persons[0], hashlib.sha256(content).hexdigest(), chart_id, tuple(made))


def _is_summary(resource: dict[str, Any]) -> bool:
    kind = resource.get("type")
    return resource.get("resourceType") == "Composition" and isinstance(kind, dict) and SUMMARY_CODE in codes(kind)


def _lifted(resource: dict[str, Any]) -> Iterator[ReceivedFile]:
    """Files taken out of a resource; each leaves a mark. Raises UploadRejected for what is no base64."""
    kind = str(resource.get("resourceType"))
    try:
        carried = list(fhir_file.attachments(resource))
    except (TypeError, AttributeError) as error:
        raise UploadRejected(NOT_R4) from error
    for one in carried:
        written = one.get("data")
        if written is None:
            continue
        try:
            data = base64.b64decode("".join(str(written).split()), validate=True)
        except (binascii.Error, ValueError) as error:
            raise UploadRejected(
                "A file inside the bundle is damaged: it is no base64. Nothing was received; export it again."
            ) from error
        sha256 = hashlib.sha256(data).hexdigest()
        if base64.b64encode(data).decode() == written:
            one["data"] = FILE_MARK + sha256  # else it stays as it is, so that it can go out as it came
        content_type = str(one.get("contentType") or "").partition(";")[0].strip().lower()
        # The picture of a reading is no page of a record.
        may_file = content_type.startswith(FILED if kind == "DocumentReference" else ("application/pdf", "text/plain"))
        title = " ".join(str(one.get("title") or resource.get("description") or "").split()) or label_of(resource)
        yield ReceivedFile(sha256, content_type, data, title[:300], may_file)


def _json(content: bytes) -> Any:
    depth = deepest = count = 0
    for bracket in re.finditer(rb"[\[\]{}]", content):
        depth += 1 if bracket[0] in b"[{" else -1
        deepest, count = max(deepest, depth), count + 1
        if deepest > MAX_DEPTH * 4:  # brackets inside text count too: this only keeps the parser from recursing deeply
            raise UploadRejected("The bundle is nested deeper than FHIR ever is, so it was not read. Export it again.")
        if count > MAX_BRACKETS:
            raise UploadRejected("The bundle has more parts than can be received at once. Send it in several bundles.")
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UploadRejected("This file holds no JSON, so nothing was received. Choose a FHIR bundle.") from error


def _validate(shape: dict[str, Any]) -> None:
    from fhir.resources.R4B.bundle import Bundle
    from pydantic import ValidationError

    try:
        Bundle.model_validate(_without_files(shape))
    except (ValidationError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        kinds = {str((entry.get("resource") or {}).get("resourceType")) for entry in _dicts(shape.get("entry"))}
        version = next((VERSIONS[kind] for kind in sorted(kinds) if kind in VERSIONS), "")
        said = f" It holds a resource that only FHIR {version} has." if version else ""
        raise UploadRejected(NOT_R4 + said) from error


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict) and isinstance(one.get("resource") or {}, dict)]


def _without_files(shape: dict[str, Any]) -> dict[str, Any]:
    """The bundle for the models to check; a mark is no base64, which they would refuse."""
    entries = []
    for entry in shape["entry"]:
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict) and any(fhir_file.attachments(resource)):
            lean = copy.deepcopy(resource)
            for one in fhir_file.attachments(lean):
                one.pop("data", None)
            entry = entry | {"resource": lean}
        entries.append(entry)
    return shape | {"entry": entries}


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


def _about(person: dict[str, Any], sha256: str, chart_id: str, resources: tuple[ReceivedResource, ...]) -> Received:
    names = person.get("name") or [{}]
    first = names[0]
    name = str(first.get("text") or " ".join((*(first.get("given") or ()), first.get("family") or "")))
    name = " ".join(name.split())
    born = as_date(str(person.get("birthDate") or ""))
    if not name or len(name) > MAX_NAME_CHARS or not name.isprintable() or born is None:
        raise UploadRejected(
            "The bundle's patient has no usable name or no full date of birth, so nothing was received. Add the "
            "patient here first, and receive the bundle for them."
        )
    sex = str(person.get("gender") or "unknown")
    identifiers = person.get("identifier") or ()
    ours = [str(one.get("value") or "") for one in identifiers if one.get("system") == f"{OURS}:record-number"]
    number = (ours or [str(one.get("value") or "") for one in identifiers] or [""])[0]
    meta = person.get("meta") or {}
    marks = {str(one.get("code")) for one in (*(meta.get("tag") or ()), *(meta.get("security") or ()))}
    return Received(
        sha256, name, born, sex if sex in SEXES else "unknown", number[:64] if number.isprintable() else "", bool(ours),
        "HTEST" in marks, chart_id, resources,
    )  # fmt: skip
