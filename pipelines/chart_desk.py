"""The chart desk: reads everything of one patient in a bounded number of queries and works the chart out of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from domain.audit import Action, Actor
from domain.chart import Attention, Chart, SummaryPart, TimelineItem
from domain.errors import NotAllowed, NothingFound, UploadRejected
from domain.patient import Patient
from domain.prescription import PrescriptionRecord
from pipelines import chart, chart_attention, chart_sources, chart_summary, fhir_in, fhir_out
from pipelines.chart import Stated
from pipelines.prescription_drugs import DrugLookup, KnownDrugs
from storage import audit, fact_places, patients
from storage import chart as store
from storage.database import Database
from storage.prescriptions import PrescriptionStore

MOST = {"records": 2000, "consultations": 500, "readings": 500, "imported resources": 5000}
MIN_REASON_CHARS, MAX_REASON_CHARS = 4, 400


@dataclass(frozen=True, slots=True)
class MergePreview:
    """What a merge would do. `counts`: things that would go over; `differences`: field, kept, gone."""

    kept: Patient
    gone: Patient
    counts: dict[str, int]
    differences: tuple[tuple[str, str, str], ...]
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
    ) -> None:
        """`index_document`: brings the search index up to date with one record. `pdf_of`: its searchable PDF."""
        self._database, self._index, self._pdf_of = database, index_document, pdf_of
        self._lookup, self._today = lookup or KnownDrugs(), today
        self._identified: dict[str, Any] = {}

    def identify(self, name: str) -> Any:
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
        orders = self._orders(patient_id)
        statements = [
            *chart_sources.from_records(records),
            *chart_sources.from_visits(visits),
            *chart_sources.from_prescriptions(orders, today),
            *self._imported(imported),
        ]
        items = chart.timeline(
            [
                *chart_sources.record_items(records),
                *chart_sources.visit_items(visits),
                *chart_sources.reading_items(scans),
                *chart_sources.prescription_items(orders, today),
                *self._imported_items(imported),
            ]
        )
        lines = chart.medicines(statements, self._ingredient)
        allergies, none = chart.allergies(statements)
        found, values = chart.problems(statements), chart.series(statements)
        since = chart.last_visit(items, today)
        attention = chart_attention.worked_out(
            patient, statements, lines, allergies, none, values, items, dismissed, self, today
        )
        counts = {"records": records, "consultations": visits, "readings": scans, "imported resources": imported}
        left_out = tuple(
            f"Only the newest {MOST[name]} {name} are on this chart." for name, kept in counts.items()
            if len(kept) >= MOST[name]
        )  # fmt: skip
        return Chart(
            patient, revision, found, lines, allergies, none, values, items, attention, since,
            chart.changes(since, items, lines, found, values), merges, merged_into, left_out,
        )  # fmt: skip

    def summary(self, patient_id: str) -> tuple[SummaryPart, ...]:
        """One page to read before the visit. Raises NothingFound."""
        return chart_summary.before_the_visit(self.chart(patient_id))

    def imported(self, patient_id: str, import_id: str) -> dict[str, Any]:
        """A resource that came from elsewhere, word for word. Raises NothingFound."""
        with self._database.read() as tx:
            for one in store.imports(tx, patient_id, MOST["imported resources"]):
                if one.import_id == import_id:
                    return one.content
        raise NothingFound("This was not received for this patient. Look at the chart again.")

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

    def export(self, patient_id: str, actor: Actor) -> dict[str, Any]:
        """The chart as a FHIR R4 document Bundle. Raises NothingFound, UploadRejected."""
        value = self.chart(patient_id)
        with self._database.read() as tx:
            kept = store.imports(tx, patient_id, MOST["imported resources"])
        imported = [(one.full_url, one.content) for one in kept]
        made = fhir_out.bundle(value, imported, self._pdf_of, datetime.now(UTC))
        with self._database.begin() as tx:
            detail = f"exported {len(made['entry'])} resources"
            audit.append(tx, actor, Action.EXECUTE, f"Bundle/{patient_id}", patient_id, detail)
        return made

    def import_bundle(self, content: bytes, patient_id: str, actor: Actor) -> tuple[Chart, int]:
        """Keep a FHIR R4 Bundle with the patient it is about, who is added when `patient_id` is "".

        Returns the chart and how many resources were new. Raises UploadRejected, NotAllowed for another person's.
        """
        received = fhir_in.read(content)
        with self._database.begin() as tx:
            if patient_id:
                patient = patients.get(tx, patient_id)
                if received.birth_date != patient.birth_date:
                    raise NotAllowed(
                        "The bundle gives another date of birth than this chart, so nothing was received. Compare the "
                        "two, and choose the right patient."
                    )
            else:
                patient = patients.create(
                    tx, received.name, received.birth_date, received.sex, received.record_number, received.test_data
                )
                audit.append(tx, actor, Action.CREATE, f"Patient/{patient.patient_id}", patient.patient_id)
            rows = [(one.sha256, one.kind, one.full_url, one.content) for one in received.resources]
            count = store.add_imports(tx, patient.patient_id, rows)
            detail = f"received {count} new of {len(rows)} resources"
            audit.append(tx, actor, Action.CREATE, f"Bundle/{received.sha256[:32]}", patient.patient_id, detail)
        return self.chart(patient.patient_id), count

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
            store.claim(tx, kept_id, revision)
            moved = store.belongings(tx, gone_id)["documents"]
            merge_id = store.merge(tx, kept_id, gone_id, said, actor.who)
            detail = f"merge {merge_id[:12]}: {sum(preview.counts.values())} things went over"
            for patient_id in (kept_id, gone_id):
                audit.append(tx, actor, Action.UPDATE, f"Patient/{kept_id}", patient_id, detail)
        self._follow(moved)
        return self.chart(kept_id)

    def unmerge(self, merge_id: str, actor: Actor) -> tuple[str, str]:
        """Give back what went over; returns the ids of both patients. Raises NothingFound, NotAllowed."""
        with self._database.begin() as tx:
            kept_id, gone_id, moved = store.unmerge(tx, merge_id, actor.who)
            for patient_id in (kept_id, gone_id):
                detail = f"merge {merge_id[:12]} undone"
                audit.append(tx, actor, Action.UPDATE, f"Patient/{gone_id}", patient_id, detail)
        self._follow(moved)
        return kept_id, gone_id

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

    def _imported(self, kept: tuple[store.Imported, ...]) -> list[Stated]:
        return [one for each in kept for one in fhir_in.statements(each.import_id, each.content, each.at.date())]

    def _imported_items(self, kept: tuple[store.Imported, ...]) -> list[TimelineItem]:
        made = (fhir_in.item(each.import_id, each.content, each.at.date()) for each in kept)
        return [one for one in made if one is not None]


def _reason(text: str) -> str:
    said = " ".join(text.split())
    if not MIN_REASON_CHARS <= len(said) <= MAX_REASON_CHARS or not said.isprintable():
        raise UploadRejected(
            f"This takes a reason of {MIN_REASON_CHARS} to {MAX_REASON_CHARS} characters, which is kept; nothing was "
            "changed. Say why."
        )
    return said
