"""The chart desk: reads everything of one patient in a bounded number of queries and works the chart out of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from domain.audit import Action, Actor
from domain.chart import Attention, Chart, SummaryPart, TimelineItem
from domain.errors import NotAllowed, NothingFound, UploadRejected
from domain.patient import Patient
from domain.prescription import PrescriptionRecord
from pipelines import chart, chart_attention, chart_print, chart_sources, chart_summary, fhir_statements
from pipelines.chart import Stated
from pipelines.chart_exchange import MOST, Bytes, ChartExchange, FileRecord, Reception
from pipelines.identity import IdentityConflict, identity_conflicts
from pipelines.prescription_drugs import Drug, DrugLookup, KnownDrugs
from pipelines.progress import Progress, silent
from storage import audit, chart_files, documents, fact_places, patients
from storage import chart as store
from storage.database import Database
from storage.prescriptions import PrescriptionStore

MIN_REASON_CHARS, MAX_REASON_CHARS = 4, 400


@dataclass(frozen=True, slots=True)
class MergePreview:
    """What a merge would do. `counts`: things that would go over; `differences`: field, kept, gone."""

    kept: Patient
    gone: Patient
    counts: dict[str, int]
    differences: tuple[tuple[str, str, str], ...]
    revision: int


@dataclass(frozen=True, slots=True)
class MovePreview:
    """What moving a record would mean. `conflicts`: where its pages name somebody else than `to`.

    `revision`: of the chart that it would leave.
    """

    title: str
    origin: Patient
    to: Patient
    conflicts: tuple[IdentityConflict, ...]
    revision: int


def today_utc() -> date:
    """The day now; a clock of its own so that tests may set it."""
    return datetime.now(UTC).date()


def _no_pdf(document_id: str) -> bytes:
    raise NothingFound("No file store is open here, so no PDF can be sent along.")


class ChartDesk:
    """Every job on charts. Safe to call from several threads and processes."""

    def __init__(
        self,
        database: Database,
        index_document: Callable[[str], None] | None = None,
        pdf_of: Callable[[str], bytes] = _no_pdf,
        lookup: DrugLookup | None = None,
        today: Callable[[], date] = today_utc,
        files: Bytes | None = None,
        file_record: FileRecord | None = None,
    ) -> None:
        """`index_document`: brings the search index up to date with one record. `pdf_of`: its searchable PDF.

        `files`, `file_record`: where the files of an imported bundle are kept, and what makes records of them.
        """
        self._database, self._index = database, index_document
        self._lookup, self._today = lookup or KnownDrugs(), today
        self._identified: dict[str, Drug | None] = {}
        self._exchange = ChartExchange(database, self.chart, self._orders, pdf_of, files, file_record)

    def identify(self, name: str) -> Drug | None:
        """DrugLookup.identify, remembered: a chart of years asks for the same few names over and over."""
        if name not in self._identified:
            if len(self._identified) > 20_000:
                self._identified.clear()
            self._identified[name] = self._lookup.identify(name)
        return self._identified[name]

    def suggest(self, prefix: str, limit: int = 10) -> tuple[str, ...]:
        """DrugLookup.suggest."""
        return self._lookup.suggest(prefix, limit)

    # -- looking ----------------------------------------------------------------------------------------------------

    def chart(self, patient_id: str) -> Chart:
        """Raises NothingFound for an unknown patient."""
        today = self._today()
        with self._database.read() as tx:
            patient = patients.get(tx, patient_id)
            records = store.records(tx, patient_id, MOST["records"])
            visits = store.visits(tx, patient_id, MOST["consultations"])
            scans = store.scans(tx, patient_id, MOST["readings"])
            imported = store.imports(tx, patient_id, MOST["imported resources"])
            dismissed = store.dismissals(tx, patient_id)
            merges, merged_into = store.merges_of(tx, patient_id), store.merged_into(tx, patient_id)
            revision = store.revision(tx, patient_id)
            filed = frozenset(chart_files.records_of(tx, patient_id).values())
        orders = self._orders(patient_id)
        names = fhir_statements.names_in((one.full_url, one.content) for one in imported)
        statements = [
            *chart_sources.from_records(records),
            *chart_sources.from_visits(visits),
            *chart_sources.from_prescriptions(orders, today),
            *_imported(imported, names),
        ]
        items = chart.timeline(
            [
                *chart_sources.record_items(records),
                *chart_sources.visit_items(visits),
                *chart_sources.reading_items(scans),
                *chart_sources.prescription_items(orders, today),
                *_imported_items(imported, names, filed),
            ]
        )
        lines = chart.medicines(statements, self._ingredient)
        allergies, none = chart.allergies(statements)
        found, values = chart.problems(statements), chart.series(statements)
        visit = chart.last_visit(items, today)
        attention = chart_attention.worked_out(
            patient, statements, lines, allergies, none, values, items, dismissed, self, today
        )
        counts = {"records": records, "consultations": visits, "readings": scans, "imported resources": imported}
        left_out = tuple(
            f"Only the newest {MOST[name]} {name} are on this chart." for name, kept in counts.items()
            if len(kept) >= MOST[name]
        )  # fmt: skip
        return Chart(
            patient, revision, found, lines, allergies, none, values, items, attention, visit.at if visit else None,
            chart.changes(visit, items, lines, found, values), merges, merged_into, left_out,
        )  # fmt: skip

    def summary(self, patient_id: str) -> tuple[SummaryPart, ...]:
        """One page to read before the visit. Raises NothingFound."""
        return chart_summary.before_the_visit(self.chart(patient_id))

    def print_summary(self, patient_id: str, actor: Actor) -> bytes:
        """The same as a PDF, each line with the source it stands in. Raises NothingFound."""
        value = self.chart(patient_id)
        made = chart_print.as_pdf(value, chart_summary.before_the_visit(value), datetime.now(UTC))
        with self._database.begin() as tx:
            audit.append(tx, actor, Action.EXECUTE, f"List/{patient_id}", patient_id, "summary as PDF")
        return made

    def allergies(self, patient_id: str) -> tuple[str, ...]:
        """What is not tolerated, as records, signed notes and imported resources put it, each once."""
        with self._database.read() as tx:
            visits = store.visits(tx, patient_id, MOST["consultations"], with_talk=False)
            records = store.records(tx, patient_id, MOST["records"])
            imported = store.imports(tx, patient_id, MOST["imported resources"], ("AllergyIntolerance",))
        statements = [*chart_sources.from_records(records), *chart_sources.from_visits(visits)]
        return tuple(one.substance for one in chart.allergies([*statements, *_imported(imported, {})])[0])

    def imported(self, patient_id: str, import_id: str) -> tuple[str, tuple[str, ...]]:
        """A resource that came from elsewhere: its type, and lines to look at. Raises NothingFound."""
        with self._database.read() as tx:
            content = store.imported(tx, patient_id, import_id)
        return str(content.get("resourceType", "")), tuple(fhir_statements.lines(content))

    def fill_places(self) -> int:
        """Once after an update: where the facts of older records stand. Returns for how many."""
        with self._database.begin() as tx:
            return fact_places.fill(tx)

    # -- set aside --------------------------------------------------------------------------------------------------

    def dismiss(self, patient_id: str, item: str, reason: str, revision: int, actor: Actor) -> Chart:
        """Set an entry of the attention list aside, with a reason that is kept.

        `revision`: of the chart that the writer saw. Raises NotAllowed when it has changed since, NothingFound,
        UploadRejected without a reason.
        """
        said = _reason(reason)
        entry = self._entry(patient_id, item)
        with self._database.begin() as tx:
            store.claim(tx, patient_id, revision)
            store.dismiss(tx, patient_id, item, said, actor.who)
            detail = f"set aside ({entry.kind}) with a reason"
            audit.append(tx, actor, Action.UPDATE, f"DetectedIssue/{item}", patient_id, detail)
        return self.chart(patient_id)

    def reopen(self, patient_id: str, item: str, revision: int, actor: Actor) -> Chart:
        """Show an entry again. Raises NotAllowed when the chart has changed since, NothingFound."""
        with self._database.begin() as tx:
            store.claim(tx, patient_id, revision)
            store.reopen(tx, patient_id, item, actor.who)
            audit.append(tx, actor, Action.UPDATE, f"DetectedIssue/{item}", patient_id, "shown again")
        return self.chart(patient_id)

    def _entry(self, patient_id: str, item: str) -> Attention:
        for entry in self.chart(patient_id).attention:
            if entry.item == item:
                return entry
        raise NothingFound("This entry is not on the chart any more. Look at the chart again.")

    # -- FHIR -------------------------------------------------------------------------------------------------------

    def export(self, patient_id: str, out: Path, actor: Actor, progress: Progress = silent) -> dict[str, int]:
        """The chart as a FHIR R4 document Bundle, or a ZIP of several; see ChartExchange.export."""
        return self._exchange.export(patient_id, out, actor, progress)

    def import_bundle(self, file: Path, patient_id: str, actor: Actor, progress: Progress = silent) -> Reception:
        """Receive FHIR R4 bundles about one patient; see ChartExchange.receive."""
        return self._exchange.receive(file, patient_id, actor, progress)

    # -- merge ------------------------------------------------------------------------------------------------------

    def preview_merge(self, kept_id: str, gone_id: str) -> MergePreview:
        """What joining two records of one person would do. Raises NothingFound, UploadRejected, NotAllowed."""
        if kept_id == gone_id:
            raise UploadRejected("These are the same patient, so there is nothing to merge. Choose another one.")
        with self._database.read() as tx:
            kept, gone = patients.get(tx, kept_id), patients.get(tx, gone_id)
            if store.merged_into(tx, kept_id) or store.merged_into(tx, gone_id):
                raise NotAllowed("One of the two is merged already. Undo that merge first, or choose the other chart.")
            counts = {name: len(ids) for name, ids in store.belongings(tx, gone_id).items()}
            revision = store.revision(tx, kept_id)
        fields = (
            ("name", kept.name, gone.name),
            ("birth date", kept.birth_date.isoformat(), gone.birth_date.isoformat()),
            ("sex", kept.sex, gone.sex),
            ("record number", kept.record_number, gone.record_number),
        )
        differences = tuple(field for field in fields if field[1] != field[2])
        return MergePreview(kept, gone, counts, differences, revision)

    def merge(self, kept_id: str, gone_id: str, reason: str, revision: int, actor: Actor) -> Chart:
        """File everything of `gone_id` to `kept_id`; it can be undone. `revision`: of the preview.

        Raises what preview_merge raises; NotAllowed when a chart has changed since.
        """
        said = _reason(reason)
        preview = self.preview_merge(kept_id, gone_id)
        with self._database.begin() as tx:
            store.claim(tx, kept_id, revision, gone_id)
            moved = store.belongings(tx, gone_id)["documents"]
            merge_id = store.merge(tx, kept_id, gone_id, said, actor.who)
            detail = f"merge {merge_id[:12]}: {sum(preview.counts.values())} things went over"
            for patient_id in (kept_id, gone_id):
                audit.append(tx, actor, Action.UPDATE, f"Patient/{kept_id}", patient_id, detail)
        self._follow(moved)
        return self.chart(kept_id)

    def unmerge(self, merge_id: str, revision: int, actor: Actor) -> tuple[str, str]:
        """Give back what went over; returns the ids of both patients. `revision`: of the kept chart as it was seen.

        Raises NothingFound, NotAllowed when it has changed since or was undone already.
        """
        with self._database.begin() as tx:
            kept_id, gone_id = store.merge_of(tx, merge_id)
            store.claim(tx, kept_id, revision)
            moved = store.unmerge(tx, merge_id, actor.who)
            for patient_id in (kept_id, gone_id):
                detail = f"merge {merge_id[:12]} undone"
                audit.append(tx, actor, Action.UPDATE, f"Patient/{gone_id}", patient_id, detail)
        self._follow(moved)
        return kept_id, gone_id

    # -- a record in the wrong chart --------------------------------------------------------------------------------

    def preview_move(self, document_id: str, to_id: str) -> MovePreview:
        """What filing a record to another patient would mean. Raises NothingFound, UploadRejected, NotAllowed."""
        with self._database.read() as tx:
            document, to = documents.get(tx, document_id), patients.get(tx, to_id)
            if not document.patient_id:
                raise UploadRejected("This record is filed to nobody yet. File it on the Records tab.")
            if document.patient_id == to_id:
                raise UploadRejected("This record is filed to this patient already, so there is nothing to move.")
            if store.merged_into(tx, to_id):
                raise NotAllowed("That chart was merged into another one. Choose the chart that was kept.")
            origin, revision = patients.get(tx, document.patient_id), store.revision(tx, document.patient_id)
        return MovePreview(document.title, origin, to, identity_conflicts(document.facts, to), revision)

    def move(
        self, document_id: str, to_id: str, reason: str, revision: int, actor: Actor, confirmed: bool = False
    ) -> Chart:
        """File a record to another patient; chart, search index and trail follow. Returns the chart it left.

        `revision`: of that chart, as the preview gave it. `confirmed`: although the pages name somebody else. Raises
        what preview_move raises; NotAllowed when the chart has changed since, or for pages that name somebody else.
        """
        said, seen = _reason(reason), self.preview_move(document_id, to_id)
        if seen.conflicts and not confirmed:
            fields = " and ".join(dict.fromkeys(one.field.replace("_", " ") for one in seen.conflicts))
            raise NotAllowed(
                f"The page gives another {fields} than that patient's chart, so it was not moved. Compare the two, "
                "then confirm or choose the right patient."
            )
        origin_id = seen.origin.patient_id
        with self._database.begin() as tx:
            store.claim(tx, origin_id, revision, to_id)
            documents.move(tx, document_id, to_id)
            entity = f"DocumentReference/{document_id}"
            audit.append(tx, actor, Action.UPDATE, entity, origin_id, f"moved to another chart: {said}"[:400])
            audit.append(tx, actor, Action.UPDATE, entity, to_id, f"moved here from another chart: {said}"[:400])
        self._follow([document_id])
        return self.chart(origin_id)

    def _follow(self, document_ids: list[str]) -> None:
        for document_id in document_ids:
            if self._index:
                self._index(document_id)

    # -- parts ------------------------------------------------------------------------------------------------------

    def _orders(self, patient_id: str) -> tuple[PrescriptionRecord, ...]:
        return PrescriptionStore(self._database).of_patient(patient_id)

    def _ingredient(self, name: str) -> str:
        drug = self.identify(name)
        return "+".join(drug.ingredients) if drug else ""


def _imported(kept: tuple[store.Imported, ...], names: fhir_statements.Names) -> list[Stated]:
    read = fhir_statements.statements
    return [one for each in kept for one in read(each.import_id, each.content, each.at.date(), names)]


def _imported_items(
    kept: tuple[store.Imported, ...], names: fhir_statements.Names, filed: frozenset[str]
) -> list[TimelineItem]:
    """Without documents that are records of their own here."""
    shown = (each for each in kept if not (each.kind == "DocumentReference" and each.import_id in filed))
    made = (fhir_statements.item(each.import_id, each.content, each.at.date(), names) for each in shown)
    return [one for one in made if one is not None]


def _reason(text: str) -> str:
    said = " ".join(text.split())
    if not MIN_REASON_CHARS <= len(said) <= MAX_REASON_CHARS or not said.isprintable():
        raise UploadRejected(
            f"This takes a reason of {MIN_REASON_CHARS} to {MAX_REASON_CHARS} characters, which is kept; nothing was "
            "changed. Say why."
        )
    return said
