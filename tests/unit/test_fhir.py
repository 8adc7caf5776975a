"""FHIR out and in: a chart goes round without loss; what is huge, circular, nested or of another version is refused."""

from __future__ import annotations

import base64
import json
import random
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle

from benchmarks.chart import order
from domain.chart import Chart, SourceKind
from domain.errors import NotAllowed, UploadRejected
from domain.kept_reading import KeptReading
from pipelines import fhir_file, fhir_in
from pipelines.chart_exchange import Reception
from pipelines.fhir_shapes import OURS
from storage import chart as chart_store
from storage import documents, patients, readings
from storage.consultations import ConsultationStore
from storage.prescriptions import PrescriptionStore
from tests.unit import synthetic_bundles
from tests.unit.clinic_kit import DOCTOR, Clinic

PATIENT = {"resourceType": "Patient", "name": [{"given": ["Ada"], "family": "Far"}], "birthDate": "1961-03-12"}


@pytest.fixture
def clinics(tmp_path: Path) -> Iterator[tuple[Clinic, Clinic]]:
    """The clinic that sends and the one that receives."""
    made = []
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        made.append(Clinic(tmp_path / name))
    with closing(made[0].database), closing(made[1].database):
        yield made[0], made[1]


def bundle(*resources: dict[str, Any], **more: Any) -> bytes:
    entries = [
        {"fullUrl": f"urn:uuid:00000000-0000-4000-8000-{number:012d}", "resource": resource}
        for number, resource in enumerate(resources)
    ]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries} | more).encode()


def send(clinic: Clinic, patient_id: str) -> dict[str, Any]:
    """The chart as one bundle."""
    out = Path(clinic.database.engine.url.database or "").with_name("out.json")
    clinic.desk.export(patient_id, out, DOCTOR)
    made = json.loads(out.read_bytes())
    Bundle.model_validate(made)
    return made


def receive(clinic: Clinic, content: bytes | dict[str, Any], patient_id: str = "") -> Reception:
    file = Path(clinic.database.engine.url.database or "").with_name("in.json")
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return clinic.desk.import_bundle(file, patient_id, DOCTOR)


def of_kind(made: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in made["entry"] if entry["resource"]["resourceType"] == kind]


def clinical(made: dict[str, Any]) -> Counter[str]:
    """Every entry of a bundle but the summary, which is always the first, as canonical text."""
    return Counter(json.dumps(entry, sort_keys=True) for entry in made["entry"][1:])


def full(here: Clinic) -> None:
    """A chart with everything."""
    here.file(date(2026, 6, 5), "Allergies: penicillin (rash)", "Diagnosis: essential hypertension.")
    here.file(date(2026, 6, 6), "Amlodipine stopped for swelling.", "Ramipril 5 mg once daily.")
    here.file(date(2026, 6, 7), "Potassium 5.9 mmol/L (3.5-5.1)", "BP 142/88 mmHg", kind="lab_report")
    visits = ConsultationStore(here.database)
    utterances = [{"id": "u1", "speaker": "S1", "role": "doctor", "start_s": 61.5, "end_s": 63, "text": "Go on with <it>.",
                   "words": []}]  # fmt: skip
    heard = [{"id": "whisper", "revision": "r7"}]
    shape = {"consultation_id": "c1", "duration_s": 60.0, "utterances": utterances, "models": heard, "warnings": []}
    visits.add("c1", here.ada, shape, DOCTOR, "test")
    lines = [{"text": "Continue Bisoprolol 5 mg once daily.", "evidence": ["u1"]}]
    note = {"sections": {"plan": lines}, "models": [{"id": "writer", "revision": "r9"}], "revision": 1}
    visits.change(visits.get("c1"), DOCTOR, "test", note=note)
    signature = {"name": "Dr Ada Lovelace", "at": "2026-11-20T10:00:00+00:00", "sha256": "0"}
    visits.sign(visits.get("c1"), note, signature, DOCTOR, "test")
    visits.add("c2", here.ada, shape | {"consultation_id": "c2"}, DOCTOR, "test")
    PrescriptionStore(here.database).add(order(here.ada, 1, random.Random(1)), DOCTOR)
    picture = here.files.keep_bytes(b"a picture")
    outside = {"task": "fracture", "abstained": False, "reason": None, "model": {"id": "fracture", "revision": "r3"},
               "findings": [{"label": "fracture", "score": 0.71, "threshold": 0.5, "positive": True, "calibrated": True}]}  # fmt: skip
    with here.database.begin() as tx:
        readings.add(
            tx, KeptReading("r1", here.ada, datetime(2026, 6, 8, tzinfo=UTC), outside, "0" * 64, picture, "", 1, 1)
        )


def values(chart: Chart) -> list[tuple[Any, ...]]:
    return [(one.label, one.last.number, one.last.second, one.last.low, one.last.high) for one in chart.series]


def test_nothing_is_lost_on_the_way_round(clinics: tuple[Clinic, Clinic]) -> None:
    here, there = clinics
    full(here)
    sent = send(here, here.ada)
    assert sent["entry"][0]["resource"]["type"]["coding"][0]["code"] == "60591-5"
    kinds = Counter(entry["resource"]["resourceType"] for entry in sent["entry"])
    assert (kinds["DocumentReference"], kinds["Observation"], kinds["MedicationRequest"]) == (3, 2, 1)
    came = receive(there, sent)
    assert came.received == len(sent["entry"]) - 1
    assert (came.filed, came.held, came.refused) == (3, 0, ())
    again = send(there, came.chart.patient.patient_id)
    assert clinical(sent) - clinical(again) == Counter()
    before, after = here.desk.chart(here.ada), came.chart
    assert [(one.name, one.state) for one in after.medicines] == [(one.name, one.state) for one in before.medicines]
    assert [one.substance for one in after.allergies] == [one.substance for one in before.allergies]
    assert [one.name for one in after.problems] == [one.name for one in before.problems]
    assert values(after) == values(before)
    twice = receive(there, sent, came.chart.patient.patient_id)
    assert (twice.received, twice.filed) == (0, 0)
    assert receive(here, sent, here.ada).received == 0, "its own chart: all of it is here already"


def test_a_second_way_round_adds_nothing_that_was_said_already(clinics: tuple[Clinic, Clinic]) -> None:
    here, there = clinics
    here.file(date(2026, 6, 5), "Allergies: penicillin (rash)", "Ramipril 5 mg once daily.")
    here.file(date(2026, 6, 7), "Potassium 5.9 mmol/L (3.5-5.1)", kind="lab_report")
    there.desk._exchange = replace(there.desk._exchange, file_record=lambda *given: refile(there, here, *given))
    came = receive(there, send(here, here.ada))
    assert came.filed == 2
    again = send(there, came.chart.patient.patient_id)
    for kind in ("DocumentReference", "Observation", "MedicationStatement", "AllergyIntolerance"):
        assert len(of_kind(again, kind)) == len(of_kind(send(here, here.ada), kind)), kind


def test_resources_without_names_or_with_the_same_name_are_all_sent_on(clinics: tuple[Clinic, Clinic]) -> None:
    here, there = clinics

    def note(text: str, **more: Any) -> dict[str, Any]:
        return {"resourceType": "Condition", "subject": {"reference": "x"}, "code": {"text": text}} | more

    nameless = [{"resource": one} for one in (PATIENT, note("Asthma"), note("Gout"), note("Eczema"))]
    first = {"resourceType": "Bundle", "type": "collection", "entry": nameless}
    own = receive(here, first).chart.patient.patient_id
    # another house counts its resources in the same way, and a later version has the name of the earlier one
    for text in ("Migraine", "Migraine, chronic"):
        same = [{"resource": PATIENT | {"id": "7"}}, {"resource": note(text, id="1")}]
        receive(here, first | {"entry": same}, own)
    made = send(here, own)
    said = Counter(one["code"]["text"] for one in of_kind(made, "Condition"))
    assert said == Counter(("Asthma", "Gout", "Eczema", "Migraine", "Migraine, chronic"))
    assert len({entry["fullUrl"] for entry in made["entry"]}) == len(made["entry"]), "each has a name of its own"
    came = receive(there, made)
    assert {one.name for one in came.chart.problems} == set(said)
    assert clinical(send(there, came.chart.patient.patient_id)) == clinical(made)


def test_a_bundle_that_claims_to_be_ours_and_holds_two_persons_is_refused(clinics: tuple[Clinic, Clinic]) -> None:
    here, _ = clinics
    made = json.loads(bundle(PATIENT, PATIENT | {"birthDate": "1999-01-01"}))
    made["identifier"] = {"system": OURS, "value": "somebody-1/1"}
    with pytest.raises(UploadRejected, match="2 patients"):
        receive(here, made)


def refile(there: Clinic, here: Clinic, path: Path, patient_id: str, title: str, content_type: str, on: Any,
           actor: Any, _: Any) -> tuple[str, bool]:  # fmt: skip
    """As if the page of the PDF had been read again: the same words."""
    with here.database.read() as tx:
        sent = documents.get(tx, path.read_bytes().decode().split()[-1])
    said = [" ".join(word.text for word in line.words) for line in sent.pages[0].lines]
    return there.file(on, *said, kind=sent.kind, patient_id=patient_id), True


def test_each_consultation_goes_out_as_a_composition_with_its_models_and_who_signed(
    clinics: tuple[Clinic, Clinic],
) -> None:
    here, there = clinics
    full(here)
    sent = send(here, here.ada)
    notes = {one["identifier"]["value"]: one for one in of_kind(sent, "Composition")[1:]}
    assert {name: one["status"] for name, one in notes.items()} == {"c1": "final", "c2": "preliminary"}
    plan, talk = (section["text"]["div"] for section in notes["c1"]["section"])
    assert "Continue Bisoprolol 5 mg once daily. [u1]" in plan
    assert "u1 1:01 doctor: Go on with &lt;it&gt;." in talk
    url = next(entry["fullUrl"] for entry in sent["entry"] if entry["resource"] is notes["c1"])
    (made,) = [one for one in of_kind(sent, "Provenance") if one["target"] == [{"reference": url}]]
    assert [agent["who"]["display"] for agent in made["agent"]] == ["whisper r7", "writer r9", "Dr Ada Lovelace"]
    devices = {entry["fullUrl"]: entry["resource"] for entry in sent["entry"]}
    named = devices[made["agent"][1]["who"]["reference"]]
    assert (named["deviceName"][0]["name"], named["version"][0]["value"]) == ("writer", "r9")
    chart = receive(there, sent).chart
    (item,) = [one for one in chart.timeline if one.state == "final" and one.kind_of_record == "Composition"]
    kind, lines = there.desk.imported(chart.patient.patient_id, item.source.id)
    assert kind == "Composition"
    assert "Plan: Continue Bisoprolol 5 mg once daily. [u1]" in lines


def test_a_reading_carries_its_picture_and_its_model(clinics: tuple[Clinic, Clinic]) -> None:
    here, there = clinics
    full(here)
    sent = send(here, here.ada)
    (report,) = of_kind(sent, "DiagnosticReport")
    assert base64.b64decode(report["presentedForm"][0]["data"]) == b"a picture"
    assert report["conclusion"] == "fracture 71 % (positive)"
    came = receive(there, sent)
    assert of_kind(send(there, came.chart.patient.patient_id), "DiagnosticReport") == [report]
    with there.database.read() as tx:  # the chart itself does not carry the bytes about
        kept = chart_store.imports(tx, came.chart.patient.patient_id, 1000)
    assert not any(report["presentedForm"][0]["data"] in json.dumps(one.content) for one in kept)


def test_a_large_chart_goes_out_in_parts_and_comes_back_whole(
    clinics: tuple[Clinic, Clinic], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    here, there = clinics
    for number in range(6):
        here.file(date(2026, 6, 1 + number), f"Potassium 4.{number} mmol/L (3.5-5.1)")
    monkeypatch.setattr(here, "pdf_of", lambda one: b"%PDF-1.7 " + one.encode() * 2000)
    here.desk._exchange = replace(here.desk._exchange, pdf_of=here.pdf_of)
    monkeypatch.setattr(fhir_file, "PART_BYTES", 20_000)
    out = tmp_path / "chart.zip"
    counts = here.desk.export(here.ada, out, DOCTOR)
    with zipfile.ZipFile(out) as packed:
        parts = [json.loads(packed.read(name)) for name in sorted(packed.namelist())]
    assert len(parts) > 1
    assert [len(of_kind(part, "Patient")) for part in parts] == [1] * len(parts)
    for part in parts:
        Bundle.model_validate(part)
    came = there.desk.import_bundle(out, "", DOCTOR)
    assert came.received == sum(counts.values()) - 1
    assert came.filed == 6
    assert len([one for one in came.chart.timeline if one.source.kind is SourceKind.RECORD]) == 6


@pytest.mark.parametrize("spoil", ["cut", "empty", "many", "no json inside"])
def test_a_spoilt_zip_is_refused(clinics: tuple[Clinic, Clinic], tmp_path: Path, spoil: str) -> None:
    file = tmp_path / "chart.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for number in range({"empty": 0, "many": 101}.get(spoil, 1)):
            packed.writestr(f"{number}.json", "x" * 5000)
    if spoil == "cut":
        file.write_bytes(file.read_bytes()[:40] + b"\x00" * 40 + file.read_bytes()[80:])
    with pytest.raises(UploadRejected):
        clinics[0].desk.import_bundle(file, "", DOCTOR)


def test_files_of_a_bundle_become_records_and_what_cannot_is_told_and_kept(clinics: tuple[Clinic, Clinic]) -> None:
    here, _ = clinics

    def document(text: str, content_type: str) -> dict[str, Any]:
        data = base64.b64encode(text.encode()).decode()
        attachment = {"contentType": content_type, "data": data, "title": "Letter"}
        return {"resourceType": "DocumentReference", "status": "current", "date": "2026-05-01T10:00:00Z",
                "content": [{"attachment": attachment}]}  # fmt: skip

    sent = bundle(PATIENT, document("Ramipril 5 mg once daily.", "text/plain; charset=utf-8"),
                  document("unreadable", "application/pdf"), document("a film", "video/mp4"))  # fmt: skip
    came = receive(here, sent)
    assert (came.received, came.filed, came.refused) == (4, 1, ("This file cannot be read. Send another.",))
    assert [(one.name, str(one.said[0].on)) for one in came.chart.medicines] == [("Ramipril", "2026-05-01")]
    kinds = Counter(item.source.kind for item in came.chart.timeline)
    assert (kinds[SourceKind.RECORD], kinds[SourceKind.IMPORT]) == (1, 2), "a filed document stands there once"
    again = send(here, came.chart.patient.patient_id)
    assert of_kind(again, "DocumentReference") == [one["resource"] for one in json.loads(sent)["entry"][1:]]


def test_filing_that_broke_off_goes_on_when_the_bundle_comes_again(clinics: tuple[Clinic, Clinic]) -> None:
    here, there = clinics
    here.file(date(2026, 6, 5), "Ramipril 5 mg once daily.")
    whole = there.desk._exchange

    def breaks(*given: Any) -> tuple[str, bool]:
        raise KeyboardInterrupt

    there.desk._exchange = replace(whole, file_record=breaks)
    sent = send(here, here.ada)
    with pytest.raises(KeyboardInterrupt):
        receive(there, sent)
    there.desk._exchange = whole
    with there.database.read() as tx:
        (patient,) = [one for one in patients.find(tx, "Ada") if one.patient_id != there.ada]
    came = receive(there, sent, patient.patient_id)
    assert (came.received, came.filed) == (0, 1)


def test_a_record_number_of_another_house_may_be_taken_here(clinics: tuple[Clinic, Clinic]) -> None:
    here, _ = clinics
    numbered = PATIENT | {"identifier": [{"system": "urn:far", "value": "77"}]}
    first = receive(here, bundle(numbered)).chart.patient
    assert first.record_number == "77"
    with pytest.raises(NotAllowed, match="here already"):
        receive(here, bundle(numbered))
    other = receive(here, bundle(numbered | {"birthDate": "1999-09-09"})).chart.patient
    assert other.record_number not in ("77", "")


def test_a_model_and_its_revision_are_named(clinics: tuple[Clinic, Clinic]) -> None:
    here, _ = clinics
    here.file(date(2026, 6, 6), "Ramipril 5 mg once daily.")
    resources = [entry["resource"] for entry in send(here, here.ada)["entry"]]
    devices = [one for one in resources if one["resourceType"] == "Device" and "version" in one]
    assert devices[0]["deviceName"][0]["name"] == "typed"
    assert any(one["resourceType"] == "Provenance" for one in resources)


def test_a_bundle_of_another_person_is_not_received(clinics: tuple[Clinic, Clinic]) -> None:
    here, _ = clinics
    with pytest.raises(NotAllowed, match="date of birth"):
        receive(here, bundle(PATIENT | {"birthDate": "1970-01-01"}), here.ada)


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
        bundle(PATIENT, {"resourceType": "ProcedureRequest", "status": "active", "intent": "order"}),  # STU3
        bundle(PATIENT, {"resourceType": "Toaster", "status": "warm"}),
        bundle(PATIENT, {"resourceType": "DocumentReference", "status": "current",
                         "content": [{"attachment": {"contentType": "application/pdf", "data": "no base64!"}}]}),
        bundle(PATIENT, {"resourceType": "DocumentReference", "status": "current", "content": "text"}),
        bundle(PATIENT, "a text"),  # type: ignore[arg-type]
        b'{"resourceType": "Bundle", "type": "collection", "entry": ["a text"]}',
        b'{"resourceType": "Bundle", "type": "collection", "identifier": 7, "entry": [{"resource": {"resourceType": 5}}]}',
    ],
    ids=range(21),
)  # fmt: skip
def test_what_cannot_be_received_is_refused_with_a_reason(content: bytes) -> None:
    with pytest.raises(UploadRejected):
        fhir_in.read(content)


def test_the_version_of_a_foreign_bundle_is_named() -> None:
    with pytest.raises(UploadRejected, match="only FHIR STU3 has"):
        fhir_in.read(bundle(PATIENT, {"resourceType": "ProcedureRequest", "status": "active", "intent": "order"}))


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
    came = receive(here, content, here.ada)
    assert came.received == 3
    texts = [one.text for one in came.chart.attention]
    assert any(text.startswith("Allergy to Penicillin") for text in texts)
    assert "Potassium 6.1 mmol/L is high" in texts


@pytest.mark.parametrize("seed", range(3))
def test_what_a_generator_of_lifetimes_makes_is_received_whole_and_understood(
    clinics: tuple[Clinic, Clinic], seed: int
) -> None:
    here, _ = clinics
    sent = json.loads(synthetic_bundles.lifetime(seed))
    came = receive(here, synthetic_bundles.lifetime(seed))
    assert came.received == len(sent["entry"])
    assert (came.filed, came.refused) == (1, ()), "the same text, many times over, is one record"
    again = {
        json.dumps(entry["resource"], sort_keys=True) for entry in send(here, came.chart.patient.patient_id)["entry"]
    }
    assert [
        entry["resource"] for entry in sent["entry"] if json.dumps(entry["resource"], sort_keys=True) not in again
    ] == []
    assert came.chart.patient.name == f"Aaron{seed} Aufderhar{seed}"
    taken = {line.ingredient: line.said[0].text for line in came.chart.medicines}
    assert taken["ramipril"] == "5 mg once daily", "the note that came along is read"
    assert {dose for name, dose in taken.items() if name != "ramipril"} == {"1 twice a day"}
    assert {series.label for series in came.chart.series} == {
        "Potassium",
        "Hemoglobin A1c/Hemoglobin.total in Blood",
        "Height",
    }
    assert all(problem.denied == ("viral" in problem.name) for problem in came.chart.problems)


@pytest.mark.parametrize("seed", range(3))
def test_what_a_generator_of_visits_makes_is_received_whole_and_understood(
    clinics: tuple[Clinic, Clinic], seed: int
) -> None:
    here, _ = clinics
    chart = receive(here, synthetic_bundles.visit(seed)).chart
    assert chart.patient.synthetic
    pressure, potassium = chart.series[0], next(one for one in chart.series if one.label == "Potassium")
    assert pressure.label == "Blood pressure"
    assert (pressure.last.number or 0) > (pressure.last.second or 0) > 0
    assert (potassium.last.low, potassium.last.high) == (3.5, 5.1)
    assert [line.ingredient for line in chart.medicines] == ["lisinopril"]
