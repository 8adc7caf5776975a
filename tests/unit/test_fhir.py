"""FHIR out and in: a chart goes round without loss; what is huge, circular, nested or of another version is refused."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from domain.errors import NotAllowed, UploadRejected
from pipelines import fhir_in
from pipelines.chart_desk import ChartDesk
from tests.unit.test_chart import DOCTOR, TODAY, Clinic

PATIENT = {"resourceType": "Patient", "name": [{"given": ["Ada"], "family": "Far"}], "birthDate": "1961-03-12"}


@pytest.fixture
def clinics(tmp_path: Path) -> Iterator[tuple[Clinic, Clinic]]:
    """The clinic that sends and the one that receives."""
    made = []
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        made.append(Clinic(tmp_path / name))
        made[-1].desk = ChartDesk(
            made[-1].database, pdf_of=lambda one: b"%PDF-1.7 " + one.encode(), today=lambda: TODAY
        )
    with closing(made[0].database), closing(made[1].database):
        yield made[0], made[1]


def bundle(*resources: dict[str, Any], **more: Any) -> bytes:
    entries = [
        {"fullUrl": f"urn:uuid:00000000-0000-4000-8000-{number:012d}", "resource": resource}
        for number, resource in enumerate(resources)
    ]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries} | more).encode()


def clinical(made: dict[str, Any]) -> Counter[str]:
    """Every resource of a bundle but the summary, as canonical text."""
    kept = (entry for entry in made["entry"] if entry["resource"]["resourceType"] not in ("Composition",))
    return Counter(json.dumps(entry, sort_keys=True) for entry in kept)


def test_nothing_is_lost_on_the_way_round(clinics: tuple[Clinic, Clinic]) -> None:
    here, there = clinics
    here.file(date(2026, 6, 5), "Allergies: penicillin (rash)", "Diagnosis: essential hypertension.")
    here.file(date(2026, 6, 6), "Amlodipine stopped for swelling.", "Ramipril 5 mg once daily.")
    here.file(date(2026, 6, 7), "Potassium 5.9 mmol/L (3.5-5.1)", "BP 142/88 mmHg", kind="lab_report")
    sent = here.desk.export(here.ada, DOCTOR)
    kinds = Counter(entry["resource"]["resourceType"] for entry in sent["entry"])
    assert kinds["DocumentReference"] == 3
    assert kinds["Observation"] == 2
    assert sent["entry"][0]["resource"]["resourceType"] == "Composition"
    received, count = there.desk.import_bundle(json.dumps(sent).encode(), "", DOCTOR)
    assert count == len(sent["entry"]) - 1
    again = there.desk.export(received.patient.patient_id, DOCTOR)
    assert clinical(sent) - clinical(again) == Counter()
    before, after = here.desk.chart(here.ada), received
    assert [(one.name, one.state) for one in after.medicines] == [(one.name, one.state) for one in before.medicines]
    assert [one.substance for one in after.allergies] == [one.substance for one in before.allergies]
    assert [one.name for one in after.problems] == [one.name for one in before.problems]
    values = [(one.label, one.last.number, one.last.second, one.last.low, one.last.high) for one in before.series]
    assert values == [
        (one.label, one.last.number, one.last.second, one.last.low, one.last.high) for one in after.series
    ]
    _, twice = there.desk.import_bundle(json.dumps(sent).encode(), received.patient.patient_id, DOCTOR)
    assert twice == 0


def test_a_model_and_its_revision_are_named(clinics: tuple[Clinic, Clinic]) -> None:
    here, _ = clinics
    here.file(date(2026, 6, 6), "Ramipril 5 mg once daily.")
    resources = [entry["resource"] for entry in here.desk.export(here.ada, DOCTOR)["entry"]]
    devices = [one for one in resources if one["resourceType"] == "Device" and "version" in one]
    assert devices[0]["deviceName"][0]["name"] == "typed"
    assert any(one["resourceType"] == "Provenance" for one in resources)


def test_a_bundle_of_another_person_is_not_received(clinics: tuple[Clinic, Clinic]) -> None:
    here, _ = clinics
    with pytest.raises(NotAllowed, match="date of birth"):
        here.desk.import_bundle(bundle(PATIENT | {"birthDate": "1970-01-01"}), here.ada, DOCTOR)


OBSERVED = {"resourceType": "Observation", "status": "final", "code": {"text": "Panel"}}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no json",
        b"[]",
        b'{"resourceType": "Patient"}',
        b'{"resourceType": "Bundle", "type": "collection"}',
        b"[" * 100_000,
        bundle(PATIENT, PATIENT | {"id": "two"}),
        bundle({"resourceType": "Patient", "name": [{"text": "Ada"}]}),
        bundle(PATIENT, {"resourceType": "MedicationRequest", "status": "active", "intent": "order",
                         "medication": {"concept": {"text": "R5"}}, "subject": {"reference": "Patient/1"}}),
        bundle(PATIENT, {"resourceType": "MedicationOrder", "status": "active"}),  # DSTU2
        bundle(PATIENT, OBSERVED | {"id": "a", "hasMember": [{"reference": "Observation/b"}]},
               OBSERVED | {"id": "b", "hasMember": [{"reference": "Observation/a"}]}),
        bundle(PATIENT, *[OBSERVED] * fhir_in.MAX_RESOURCES),
        bundle(PATIENT | {"name": [{"text": "A" * 301}]}),
        bundle(PATIENT | {"name": [{"text": "A\u0000B"}]}),
    ],
    ids=range(14),
)  # fmt: skip
def test_what_cannot_be_received_is_refused_with_a_reason(content: bytes) -> None:
    with pytest.raises(UploadRejected):
        fhir_in.read(content)


def test_what_others_send_is_shown_and_checked_against_the_chart(clinics: tuple[Clinic, Clinic]) -> None:
    here, _ = clinics
    here.file(date(2026, 6, 6), "Amoxicillin 500 mg three times daily.")
    whose = {"reference": "urn:uuid:00000000-0000-4000-8000-000000000000"}
    content = bundle(
        PATIENT,
        {"resourceType": "AllergyIntolerance", "patient": whose, "code": {"text": "Penicillin"}},
        OBSERVED | {"code": {"text": "Potassium"}, "effectiveDateTime": "2026-07-01",
                    "valueQuantity": {"value": 6.1, "unit": "mmol/L"},
                    "referenceRange": [{"low": {"value": 3.5}, "high": {"value": 5.1}}]},
    )  # fmt: skip
    chart, count = here.desk.import_bundle(content, here.ada, DOCTOR)
    assert count == 3
    texts = [one.text for one in chart.attention]
    assert any(text.startswith("Allergy to Penicillin") for text in texts)
    assert "Potassium 6.1 mmol/L is high" in texts
