"""The patient desk: who is treated here, and what their records say they take."""

from __future__ import annotations

from datetime import UTC, date, datetime

from domain.audit import Action, Actor
from domain.document import FactKind
from domain.errors import UploadRejected
from domain.patient import MAX_NAME_CHARS, SEXES, Patient
from pipelines.dates import find_dates
from storage import audit, documents, patients
from storage.database import Database

MAX_RECORD_NUMBER_CHARS = 64
EARLIEST_BIRTH = date(1880, 1, 1)


class PatientDesk:
    """Every job on patients as such. Safe to call from several threads and processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self, name: str, birth_date: str, sex: str, record_number: str, actor: Actor, synthetic: bool = False
    ) -> Patient:
        """Add a patient. `birth_date` ISO 8601. Raises UploadRejected for what cannot be a patient."""
        name, number = " ".join(name.split()), " ".join(record_number.split())
        born = _birth_date(birth_date)
        if not name or len(name) > MAX_NAME_CHARS or not name.isprintable():
            raise UploadRejected(
                f"A name needs 1 to {MAX_NAME_CHARS} visible characters, so nobody was added. Type the name again."
            )
        if sex.strip().lower() not in SEXES:
            raise UploadRejected(f"The sex must be one of {', '.join(SEXES)}, so nobody was added. Choose one of them.")
        if len(number) > MAX_RECORD_NUMBER_CHARS or not number.isprintable():
            raise UploadRejected(
                f"A record number has at most {MAX_RECORD_NUMBER_CHARS} visible characters. Check it or leave it empty."
            )
        with self._database.begin() as tx:
            patient = patients.create(tx, name, born, sex.strip().lower(), number, synthetic)
            audit.append(tx, actor, Action.CREATE, f"Patient/{patient.patient_id}", patient.patient_id)
        return patient

    def find(self, text: str = "", limit: int = 50) -> tuple[Patient, ...]:
        """By beginnings of the name's words, by record number, or by a misspelt name; all when `text` is empty.

        A date of birth among the words, as people write one, puts those first who were born then.
        """
        words, born = text[:MAX_NAME_CHARS], []
        for written in reversed(find_dates(words)):  # from the end, so that the places before stay right
            words = f"{words[: written.start]} {words[written.end :]}"
            born += written.readings
        with self._database.read() as tx:
            if born and not patients.find(tx, words, limit, born):  # a record number may look like a date
                return patients.find(tx, text[:MAX_NAME_CHARS], limit)
            return patients.find(tx, words, limit, born)

    def get(self, patient_id: str) -> Patient:
        """Raises NothingFound for an unknown id."""
        with self._database.read() as tx:
            return patients.get(tx, patient_id)

    def medications(self, patient_id: str) -> tuple[str, ...]:
        """Medicines the patient's records name, with the dose as written there, each once."""
        with self._database.read() as tx:
            facts = documents.facts_of(tx, patient_id)
        named = [fact for fact in facts if fact.kind is FactKind.MEDICATION and not fact.negated and fact.label]
        said = [" ".join(f"{fact.label} {fact.value} {fact.unit}".split()) for fact in named]
        return tuple({label.casefold(): label for label in said}.values())


def _birth_date(text: str) -> date:
    try:
        born = date.fromisoformat(text.strip())
    except ValueError as error:
        raise UploadRejected(
            "The date of birth is no date of the form YYYY-MM-DD, so nobody was added. Type it like 1961-03-12."
        ) from error
    if not EARLIEST_BIRTH <= born <= datetime.now(UTC).date():
        raise UploadRejected(
            f"The date of birth lies before {EARLIEST_BIRTH.year} or in the future, so nobody was added. "
            "Check the year."
        )
    return born
