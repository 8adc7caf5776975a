"""The invented patients and records that a first start files, so that there is something to look at and to find."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from domain.audit import Actor
from pipelines.progress import Progress, silent
from pipelines.workbench import Workbench

SAMPLES = Path(__file__).resolve().parent.parent / "data" / "samples"
SEEDER = Actor("demo", "first start", "administrator")


def seed(workbench: Workbench, progress: Progress = silent) -> int:
    """File the synthetic patients and their records unless that was done before; returns how many were filed."""
    if any(patient.synthetic for patient in workbench.find_patients(limit=1000)):
        return 0
    ids = {}
    for row in _rows("patients.json"):
        created = workbench.create_patient(
            row["name"], row["birth_date"], row["sex"], row["record_number"], SEEDER, synthetic=True
        )
        ids[row["ref"]] = created.patient_id
    records = _rows("records.json")
    for number, row in enumerate(records):
        progress(number, len(records), "records", "Filing invented demo records")
        workbench.import_text(
            row["title"], row["text"], ids[row["patient"]], SEEDER, row["kind"], date.fromisoformat(row["date"])
        )
    return len(records)


def _rows(name: str) -> list[dict[str, str]]:
    return json.loads((SAMPLES / name).read_text("utf-8"))
