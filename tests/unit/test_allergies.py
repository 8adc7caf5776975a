"""The allergies that stand in the header: of all records of a patient, asserted ones only, each once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domain.audit import Actor
from domain.document import Fact, FactKind, OcrDocument, OcrPage, PageSource
from domain.models import ModelStamp
from domain.settings import Settings
from pipelines.workbench import Workbench
from storage import documents
from storage.documents import Filing


def allergy(label: str, negated: bool = False) -> Fact:
    return Fact(FactKind.ALLERGY, label, label, 1, (), 0.9, negated=negated)


@pytest.fixture
def workbench(settings: Settings) -> Workbench:
    return Workbench(settings)


def test_allergies_of_all_records_once_each_the_newest_first(workbench: Workbench, nurse: Actor) -> None:
    patient = workbench.create_patient("Ana Lind", "1961-03-12", "female", "", nurse)
    other = workbench.create_patient("Bo Lind", "1961-03-12", "male", "", nurse)
    page = OcrPage(1, 900, 900, 150.0, 0, 0.0, PageSource.OCR, ())
    filed = [
        ("old", patient.patient_id, (allergy("penicillin"), allergy("latex"))),
        ("new", patient.patient_id, (allergy("nuts"), allergy("Penicillin"), allergy("aspirin", negated=True))),
        ("another", other.patient_id, (allergy("codeine"),)),
    ]
    with workbench.database.begin() as tx:
        for day, (document_id, owner, facts) in enumerate(filed):
            at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day)
            record = OcrDocument(document_id, owner, "Letter", (page,), ModelStamp("m", "1"), at, facts=facts)
            documents.file(tx, record, Filing("a" * 64, "", "a" * 64))
    assert workbench.allergies(patient.patient_id) == ("nuts", "Penicillin", "latex")
    workbench.close()
