"""A store with one patient and the chart desk that looks at it, for tests of charts and of FHIR."""

from __future__ import annotations

import base64
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from domain.audit import Actor
from domain.document import OcrDocument
from domain.errors import UploadRejected
from domain.models import ModelStamp
from pipelines import understanding
from pipelines.chart_desk import ChartDesk
from pipelines.progress import Progress, silent
from storage import audit, documents, patients
from storage.database import Database
from storage.documents import Filing
from storage.files import FileStore
from tests.unit.sample_kit import page_of

DOCTOR = Actor("dr", "s1", "doctor")
TODAY = date(2026, 11, 24)


class Clinic:
    """A store with one patient, and a desk that looks at it."""

    def __init__(self, folder: Path, database: Database | None = None) -> None:
        """`database`: one that is there, other than a new SQLite file."""
        self.database = database or Database(f"sqlite:///{folder / 'records.sqlite'}")
        self.indexed: list[str] = []
        self.files = FileStore(folder / "files")
        self.desk = ChartDesk(self.database, self.indexed.append, self.pdf_of, today=lambda: TODAY, files=self.files,
                              file_record=self.file_received)  # fmt: skip
        self.ada = self.add("Ada Example")

    @staticmethod
    def pdf_of(document_id: str) -> bytes:
        return b"%PDF-1.7 " + document_id.encode()

    def file_received(
        self,
        path: Path,
        patient_id: str,
        title: str,
        content_type: str,
        on: date | None,
        actor: Actor,
        progress: Progress = silent,
    ) -> tuple[str, bool]:
        """A record whose page says what the file says in plain text."""
        text = path.read_bytes().decode("utf-8", "replace")
        if "unreadable" in text:
            raise UploadRejected("This file cannot be read. Send another.")
        progress(1, 2, "pages", "Reading")
        return self.file(on or TODAY, *text.splitlines(), patient_id=patient_id), True

    def add(self, name: str, born: date = date(1961, 3, 12)) -> str:
        with self.database.begin() as tx:
            return patients.create(tx, name, born, "female").patient_id

    def file(self, on: date, *lines: str, kind: str = "note", unsure: str = "", patient_id: str = "") -> str:
        """A record with these lines; the word `unsure` was read badly."""
        page = page_of(lines, confidences={unsure: 0.4} if unsure else None)
        with self.database.begin() as tx:
            number = tx.scalar(sa.select(sa.func.count()).select_from(documents.documents))
            document = OcrDocument(
                f"d{number}", patient_id or self.ada, f"Letter {number}", (page,), ModelStamp("typed", "1"),
                datetime.now(UTC), kind=kind, document_date=on, facts=understanding.understand((page,)),
            )  # fmt: skip
            documents.file(tx, document, Filing("0" * 64, "", "0" * 64))
        return document.document_id

    def attention(self) -> dict[str, str]:
        return {one.text: one.concern.value for one in self.desk.chart(self.ada).attention}

    def trail_of(self, patient_id: str) -> list[str]:
        """Entity and detail of the patient's events, oldest first."""
        with self.database.read() as tx:
            return [f"{event.entity} {event.detail}" for event in audit.of_patient(tx, patient_id)]


def sent_chart(folder: Path, count: int, name: str = "Esi Far", born: str = "1961-03-12") -> Path:
    """A bundle about somebody with so many letters."""

    def letter(number: int) -> dict[str, Any]:
        data = base64.b64encode(f"Letter {number}\nPotassium 4.{number % 10} mmol/L (3.5-5.1)".encode()).decode()
        attachment = {"contentType": "text/plain", "data": data, "title": f"Letter {number}"}
        return {"resourceType": "DocumentReference", "status": "current", "content": [{"attachment": attachment}]}

    person = {"resourceType": "Patient", "name": [{"text": name}], "birthDate": born}
    allergy = {"resourceType": "AllergyIntolerance", "patient": {"reference": "x"}, "code": {"text": "Latex"}}
    entries = [{"resource": one} for one in (person, allergy, *map(letter, range(count)))]
    file = folder / "chart.json"
    file.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}))
    return file
