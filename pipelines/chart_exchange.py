"""A chart to and from FHIR R4 files: what goes out with whom it rests on, and what comes in becomes part of the chart.

What came in is kept word for word; a PDF, picture or text inside it is filed as a record too, so that it is read,
found and shown like any other. An import is whole or absent; the filing of its files goes on where it stopped when the
same bundle is received again.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Protocol

from domain.audit import Action, Actor
from domain.chart import Chart
from domain.errors import Cancelled, NotAllowed, NothingFound, UploadRejected
from domain.patient import Patient
from domain.prescription import PrescriptionRecord
from pipelines import fhir_file, fhir_in, fhir_out, fhir_statements
from pipelines.fhir_out import FILE_MARK, PDF_MARK, Kept
from pipelines.progress import Progress, silent
from storage import audit, chart_files, patients
from storage import chart as store
from storage.chart_files import KeptFile
from storage.database import Database

MOST = {"records": 2000, "consultations": 500, "readings": 500, "imported resources": 5000}


class Bytes(Protocol):
    """Bytes by their SHA-256, as storage.files keeps them."""

    def keep_bytes(self, content: bytes) -> str: ...

    def path(self, sha256: str) -> Path: ...


@dataclass(frozen=True, slots=True)
class Reception:
    """What came of an import. `received`: resources that were new; `filed`: files that are records of the patient now.

    `held`: files that were kept as records, but whose pages name somebody else; `refused`: why others are none; `left`:
    files that wait because somebody stopped the job: receiving the same bundle again goes on with them.
    """

    chart: Chart
    received: int
    filed: int = 0
    held: int = 0
    refused: tuple[str, ...] = ()
    left: int = 0


FileRecord = Callable[[Path, str, str, str, date | None, Actor, Progress], tuple[str, bool]]
"""File bytes as a record: (path, patient_id, title, content_type, day, actor, progress) to its id and whether it is the
patient's now. Raises UploadRejected, Cancelled."""


@dataclass(frozen=True, slots=True)
class _Step:
    """A listener for one of several files: its pages move the bar within the share of that file, never backwards."""

    progress: Progress
    before: int
    of: int

    def __call__(self, done: float, total: float, unit: str, message: str) -> None:
        within = f" ({done:g} of {total:g} {unit})" if total else ""
        share = min(done / total, 1.0) if total else 0.0
        self.progress(self.before + share, self.of, "files", f"File {self.before + 1} of {self.of}: {message}{within}")


@dataclass(frozen=True, slots=True)
class ChartExchange:
    """Export and import of one chart at a time."""

    database: Database
    chart_of: Callable[[str], Chart]
    orders_of: Callable[[str], tuple[PrescriptionRecord, ...]]
    pdf_of: Callable[[str], bytes]
    files: Bytes | None
    file_record: FileRecord | None

    def export(self, patient_id: str, out: Path, actor: Actor, progress: Progress = silent) -> dict[str, int]:
        """Write the chart to `out`: a FHIR R4 document Bundle, or a ZIP of several where it is large.

        Returns how many resources of each type. Raises NothingFound, UploadRejected, StorageFailed, Cancelled.
        """
        progress(0, 0, "resources", "Working the chart out")
        value, at = self.chart_of(patient_id), datetime.now(UTC)
        with self.database.read() as tx:
            imported = store.imports(tx, patient_id, MOST["imported resources"])
            visits = store.visits(tx, patient_id, MOST["consultations"])
            scans = store.scans(tx, patient_id, MOST["readings"])
            filed = frozenset(chart_files.records_of(tx, patient_id))
        kept = Kept(
            [(one.full_url, one.content) for one in imported], visits, self.orders_of(patient_id), scans, filed,
            _said_there(imported) if filed else frozenset(),
        )  # fmt: skip
        entries = fhir_out.resources(value, kept, at)
        identifier = f"{patient_id}-{value.revision}"
        with tempfile.TemporaryDirectory(dir=out.parent) as scratch:
            counts = fhir_file.write(entries, identifier, at.isoformat(), self._bytes_of, out, Path(scratch), progress)
        with self.database.begin() as tx:
            detail = f"exported {sum(counts.values())} resources"
            audit.append(tx, actor, Action.EXECUTE, f"Bundle/{patient_id}", patient_id, detail)
        return dict(counts)

    def receive(self, file: Path, patient_id: str, actor: Actor, progress: Progress = silent) -> Reception:
        """Keep the FHIR R4 bundles of a file with the patient they are about, who is added when `patient_id` is "".

        Whoever stops the job before a bundle is kept has received nothing; later, what is kept stays, and `left` says
        how many files are no records yet. Raises UploadRejected, NotAllowed for another person's, StorageFailed,
        Cancelled.
        """
        whose, count = patient_id, 0
        for number, content in enumerate(fhir_file.bundles(file)):
            if number == 0:  # a bundle is kept whole, so there is nothing to stop between two of one chart
                progress(0, 0, "files", "Checking what came")
            whose, new = self._keep(fhir_in.read(content), whose, actor)
            count += new
        filed, held, refused, left = self._file_waiting(whose, actor, progress)
        return Reception(self.chart_of(whose), count, filed, held, refused, left)

    def _keep(self, received: fhir_in.Received, patient_id: str, actor: Actor) -> tuple[str, int]:
        if patient_id and received.chart_id == patient_id:
            return patient_id, 0  # written from this very chart: all of it is here already, and better
        if self.files is not None:  # left over by a crash they harm nothing
            for resource in received.resources:
                for one in resource.files:
                    self.files.keep_bytes(one.data)
        elif any(resource.files for resource in received.resources):
            raise NothingFound("No file store is open here, so the bundle's files cannot be kept.")
        with self.database.begin() as tx:
            patient = patients.get(tx, patient_id) if patient_id else self._added(tx, received, actor)
            if received.birth_date != patient.birth_date:
                raise NotAllowed(
                    "The bundle gives another date of birth than this chart, so nothing was received. Compare the "
                    "two, and choose the right patient."
                )
            rows = [(one.sha256, one.kind, one.full_url, one.content) for one in received.resources]
            fresh = store.add_imports(tx, patient.patient_id, rows)
            chart_files.keep(tx, _files_of(received, fresh))
            detail = f"received {len(fresh)} new of {len(rows)} resources"
            audit.append(tx, actor, Action.CREATE, f"Bundle/{received.sha256[:32]}", patient.patient_id, detail)
        return patient.patient_id, len(fresh)

    def _added(self, tx, received: fhir_in.Received, actor: Actor) -> Patient:  # type: ignore[no-untyped-def]
        """The bundle's patient, new here. Raises NotAllowed for one who is here already."""
        number, other = received.record_number, patients.by_number(tx, received.record_number)
        if other is not None:
            same_name = patients.fold(other.name) == patients.fold(received.name)
            if same_name and other.birth_date == received.birth_date:
                raise NotAllowed(
                    "This person is here already, under the same record number. Choose them in the header, and receive "
                    "the bundle for them."
                )
            if not received.own_number:
                number = ""  # another house counts in its own way; its number stays in the resource
        patient = patients.create(tx, received.name, received.birth_date, received.sex, number, received.test_data)
        audit.append(tx, actor, Action.CREATE, f"Patient/{patient.patient_id}", patient.patient_id)
        return patient

    def _file_waiting(self, patient_id: str, actor: Actor, progress: Progress) -> tuple[int, int, tuple[str, ...], int]:
        """Make records of files that are none yet: how many are, how many are held, why others are none, how many wait.

        What cannot be a record stays in its resource, and the reason is told.
        """
        filed, held, done, refused = 0, 0, 0, []
        if self.files is None or self.file_record is None:
            return 0, 0, (), 0
        with self.database.read() as tx:
            waiting, twins = chart_files.waiting(tx, patient_id), chart_files.twins(tx, patient_id)
        try:
            for done, one in enumerate(waiting):
                step = _Step(progress, done, len(waiting))
                step(0, 0, "pages", "Making a record of it")
                record = twins.get(one.sha256)  # a report and a document often carry the very same file
                if record is None:
                    path = self.files.path(one.sha256)
                    try:
                        record, theirs = self.file_record(
                            path, patient_id, one.title, one.content_type, one.dated, actor, step
                        )
                    except UploadRejected as refusal:
                        refused.append(refusal.user_message)
                        continue
                    filed, held = filed + theirs, held + (not theirs)
                    twins[one.sha256] = record
                with self.database.begin() as tx:
                    chart_files.filed(tx, one, record)
        except Cancelled:  # the bundle is kept, and so is every record that was made: the rest waits
            return filed, held, tuple(dict.fromkeys(refused)), len(waiting) - done
        return filed, held, tuple(dict.fromkeys(refused)), 0

    def _bytes_of(self, mark: str) -> bytes:
        if mark.startswith(PDF_MARK):
            return self.pdf_of(mark.removeprefix(PDF_MARK))
        if self.files is None:
            raise NothingFound("No file store is open here, so a file of the chart cannot be sent along.")
        return self.files.path(mark.removeprefix(FILE_MARK)).read_bytes()


def _files_of(received: fhir_in.Received, fresh: dict[str, str]) -> list[KeptFile]:
    """Files of the resources that are new; one resource that comes twice in a bundle is kept once."""
    once = {one.sha256: one for one in received.resources if one.sha256 in fresh}
    return [
        KeptFile(fresh[one.sha256], number, file.sha256, file.content_type, file.title, one.day, file.may_file)
        for one in once.values()
        for number, file in enumerate(one.files)
    ]


def _said_there(imported: tuple[store.Imported, ...]) -> frozenset[fhir_out.Key]:
    names = fhir_statements.names_in((one.full_url, one.content) for one in imported)
    return frozenset(
        fhir_out.key_of(stated.fact.kind.value, stated.fact.label, stated.said.text, stated.said.on)
        for one in imported
        for stated in fhir_statements.statements(one.import_id, one.content, one.at.date(), names)
    )
