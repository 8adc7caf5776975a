"""A chart's FHIR resources to a file and back: one bundle where it fits, else a ZIP of several.

Written one resource after another, each held against the R4B models as it goes, with the bytes of PDFs and pictures
fetched at that moment: what is in memory is bounded by the largest of them, not by the chart.
"""

from __future__ import annotations

import base64
import copy
import functools
import json
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from domain.errors import StorageFailed, UploadRejected
from domain.limits import MAX_BUNDLE_BYTES
from pipelines.fhir_out import FILE_MARK, PDF_MARK
from pipelines.fhir_shapes import OURS, Entry
from pipelines.progress import Progress, silent

PART_BYTES = 48_000_000  # of one bundle, before the next one is begun; a few minutes of an ordinary line
MAX_PARTS = 100
MEMBER = "chart-{:03d}.fhir.json"
CARRIERS = (("content", "attachment"), ("presentedForm", ""))  # where resources hold files
Bytes = Callable[[str], bytes]
"""What a mark in an attachment stands for."""


def write(
    entries: Sequence[Entry],
    identifier: str,
    at: str,
    bytes_of: Bytes,
    out: Path,
    scratch: Path,
    progress: Progress = silent,
) -> Counter[str]:
    """The chart in `out`, JSON or ZIP; returns how many resources of each type. `scratch`: an empty folder to work in.

    `entries`: the summary first, then the patient. Raises UploadRejected for what FHIR cannot hold and for more than
    MAX_PARTS bundles, StorageFailed for a full disk, Cancelled, and whatever `bytes_of` raises for bytes that are gone.
    """
    whole = False
    try:
        with ExitStack() as opened:
            counts = _write(entries, identifier, at, bytes_of, out, scratch, progress, opened)
        whole = True
        return counts
    except OSError as error:
        raise StorageFailed(
            "The chart could not be written out: the disk is full or cannot be written to. Nothing of the chart is "
            "lost; make room on the server, then try again."
        ) from error
    finally:
        if not whole:
            out.unlink(missing_ok=True)  # half a chart is left nowhere


def _write(
    entries: Sequence[Entry],
    identifier: str,
    at: str,
    bytes_of: Bytes,
    out: Path,
    scratch: Path,
    progress: Progress,
    opened: ExitStack,
) -> Counter[str]:
    counts: Counter[str] = Counter()
    packed: zipfile.ZipFile | None = None
    waiting, number = list(entries), 0
    while waiting:
        number += 1
        if number > MAX_PARTS:
            raise UploadRejected(
                f"The chart with its files is larger than {MAX_PARTS} bundles of {PART_BYTES // 1_000_000} MB, so it "
                "was not written out. Print the summary, and hand the files over on a disk."
            )
        part = scratch / MEMBER.format(number)
        # Every part names whom it is about, so that each can be received alone.
        first = waiting[:2] if number == 1 else [entries[1]]
        rest = waiting[2:] if number == 1 else waiting
        told = _Counted(progress, len(entries) - len(waiting), len(entries))
        with part.open("w", encoding="utf-8") as file:
            written = _part(file, first, rest, f"{identifier}/{number}", at, bytes_of, number == 1, told)
        for _, resource in [*(first if number == 1 else []), *rest[:written]]:
            counts[str(resource["resourceType"])] += 1
        waiting = rest[written:]
        if not waiting and packed is None:
            part.replace(out)
            return counts
        packed = packed or opened.enter_context(zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1))
        packed.write(part, part.name)
        part.unlink()  # so that no more than one part lies on the disk beside the ZIP
    return counts


@dataclass(frozen=True, slots=True)
class _Counted:
    """Says how many of all resources are written."""

    progress: Progress
    before: int
    of: int

    def __call__(self, done: int) -> None:
        self.progress(min(self.before + done, self.of), self.of, "resources", "Writing the chart")


def bundles(file: Path) -> Iterator[bytes]:
    """The bundle, or the bundles, of a file, one at a time. Raises UploadRejected."""
    if file.stat().st_size > MAX_BUNDLE_BYTES:
        raise UploadRejected(
            f"The file is larger than the {MAX_BUNDLE_BYTES // 1_000_000} MB that can be received at once, so nothing "
            "was received. Unpack the ZIP and receive its bundles one after the other, all for the same patient."
        )
    if not zipfile.is_zipfile(file):
        yield file.read_bytes()
        return
    try:
        with zipfile.ZipFile(file) as packed:
            inside = [one for one in packed.infolist() if not one.is_dir()]
            if not inside or len(inside) > MAX_PARTS or any(one.file_size > MAX_BUNDLE_BYTES for one in inside):
                raise UploadRejected(
                    f"A ZIP with a chart holds 1 to {MAX_PARTS} bundles; this one has none, too many, or one that is "
                    "too large. Nothing was received; send the bundles one by one."
                )
            for one in sorted(inside, key=lambda each: each.filename):
                yield packed.read(one)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, EOFError) as error:
        raise UploadRejected(
            "The ZIP is damaged or locked, so it was not read. Pack the bundles again, or send them one by one."
        ) from error


def attachments(resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Everything in a resource that carries a file."""
    for field, inner in CARRIERS:
        for one in resource.get(field) or ():
            found = one.get(inner) if inner and isinstance(one, dict) else one
            if isinstance(found, dict):
                yield found


def filled(resource: dict[str, Any], bytes_of: Bytes) -> dict[str, Any]:
    """The resource with the bytes that its marks stand for."""
    if not any(str(one.get("data", "")).startswith((PDF_MARK, FILE_MARK)) for one in attachments(resource)):
        return resource
    made = copy.deepcopy(resource)
    for one in attachments(made):
        if str(one.get("data", "")).startswith((PDF_MARK, FILE_MARK)):
            one["data"] = base64.b64encode(bytes_of(one["data"])).decode()
    return made


def validate(resource: dict[str, Any]) -> None:
    """Raises UploadRejected for what the R4B models refuse."""
    from pydantic import ValidationError

    lean = copy.deepcopy(resource)
    for one in attachments(lean):
        one.pop("data", None)  # base64 that was made here, or checked when it came
    try:
        _model(str(resource["resourceType"])).model_validate(lean)
    except (ValidationError, LookupError, ValueError, TypeError) as error:
        raise UploadRejected(
            "The chart holds something that FHIR cannot carry, so no bundle was made. Print the summary instead."
        ) from error


@functools.cache
def _model(kind: str) -> Any:
    from fhir.resources.R4B import get_fhir_model_class

    return get_fhir_model_class(kind)


def _part(
    file: IO[str],
    first: Sequence[Entry],
    rest: Sequence[Entry],
    identifier: str,
    at: str,
    bytes_of: Bytes,
    whole: bool,
    told: _Counted,
) -> int:
    """Write a bundle with all of `first` and as much of `rest` as fits; returns how many of `rest` were written."""
    head = {
        "resourceType": "Bundle",
        "type": "document" if whole else "collection",
        "identifier": {"system": OURS, "value": identifier},
        "timestamp": at,
    }
    opened = json.dumps(head, ensure_ascii=False)[:-1] + ', "entry": ['
    size = file.write(opened)
    for number, (url, resource) in enumerate((*first, *rest)):
        told(max(0, number - (0 if whole else 1)))  # a later part begins with the patient, who was counted already
        validate(resource)
        text = json.dumps({"fullUrl": url, "resource": filled(resource, bytes_of)}, ensure_ascii=False)
        # What is small goes into the first part whatever its size: the summary refers to it.
        if number > len(first) and size + len(text) > PART_BYTES and _carries(resource):
            file.write("]}")
            return number - len(first)
        size += file.write((", " if number else "") + text)
    file.write("]}")
    return len(rest)


def _carries(resource: dict[str, Any]) -> bool:
    return any(one.get("data") for one in attachments(resource))
