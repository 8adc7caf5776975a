"""A visit's walk behind the page: imported, drafted, corrected, signed once and for all, exported."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from domain import consultation_contract as contract
from domain.audit import Actor
from domain.consultation import SECTIONS, NoteLine, NoteStatus
from domain.errors import NotAllowed, NothingFound, UploadRejected
from domain.settings import Settings
from pipelines.consultation_desk import ConsultationDesk
from pipelines.note_desk import drugs_in
from pipelines.note_guard import why_unsupported
from pipelines.workbench import Workbench
from tests.unit.audio_kit import tone, write_media

pytestmark = pytest.mark.models

DOCTOR = Actor("dr.test", "s", "doctor")
SAMPLES = sorted((Path(__file__).parents[2] / "data" / "samples" / "conversations").glob("*.txt"))
CHEST = SAMPLES[0].read_text("utf-8")
UNNAMED = SAMPLES[1].read_text("utf-8")


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """One workbench for the module: the models are loaded once."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"))
    made = Workbench(settings)
    yield made
    made.close()


@pytest.fixture
def desk(bench: Workbench) -> ConsultationDesk:
    return bench.consultations


def drafted(desk: ConsultationDesk, text: str = CHEST, patient_id: str = ""):  # type: ignore[no-untyped-def]
    visit = desk.import_transcript(text, patient_id, DOCTOR)
    return desk.draft_note(visit.transcript.consultation_id, DOCTOR)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_every_line_is_held_by_what_was_said(desk: ConsultationDesk, path: Path) -> None:
    visit = drafted(desk, path.read_text("utf-8"))
    said = {one.id: one.text for one in visit.transcript.utterances}
    assert len(visit.note.lines) >= 5
    assert {line.section for line in visit.note.lines} <= set(SECTIONS)
    for line in visit.note.lines:
        assert line.evidence
        assert why_unsupported(line.text, line.evidence, said, drugs_in) == ""


def test_the_note_says_what_matters(desk: ConsultationDesk) -> None:
    note = drafted(desk).note
    told = {name: " ".join(line.text for line in note.section(name)) for name in SECTIONS}
    assert "Allergies: penicillin (rash)." in told["subjective"]
    assert "Denies shortness of breath or dizziness." in told["subjective"]
    assert "152 over 88" in told["objective"]
    assert "angina" in told["assessment"]
    assert "aspirin 75 milligrams" in told["plan"]


def test_roles_are_worked_out_where_no_label_names_them(desk: ConsultationDesk) -> None:
    visit = desk.import_transcript(UNNAMED, "", DOCTOR)
    assert [(one.speaker, one.role, one.given) for one in visit.roles] == [
        ("Speaker 1", "doctor", False),
        ("Speaker 2", "patient", False),
    ]
    assert all(one.confidence > 0.9 for one in visit.roles)


@pytest.mark.parametrize(
    ("talk", "doctor"),
    [
        ("A: What brings you in today?\nB: My knee hurts.\nA: I see.\nB: Yes.", "A"),
        ("A: Hi, I've had this cough for weeks.\nB: Any fever?\nA: No.\nB: Let me listen to your chest.", "B"),
        ("A: it burns when i pee\nB: how long has that been going on\nA: since monday\nB: okay we will check your urine", "B"),
    ],
)  # fmt: skip
def test_roles_are_right_in_short_conversations(desk: ConsultationDesk, talk: str, doctor: str) -> None:
    visit = desk.import_transcript(talk, "", DOCTOR)
    assert [one.speaker for one in visit.roles if one.role == "doctor"] == [doctor]


def test_a_swapped_role_flows_into_transcript_note_and_evidence(desk: ConsultationDesk) -> None:
    visit = drafted(desk)
    consultation_id = visit.transcript.consultation_id
    swapped = desk.relabel(consultation_id, "Doctor", "patient", DOCTOR)
    assert [one.role for one in swapped.transcript.utterances[:2]] == ["patient", "doctor"]
    assert swapped.note.lines != visit.note.lines
    back = desk.relabel(consultation_id, "Doctor", "doctor", DOCTOR)
    assert [line.text for line in back.note.lines] == [line.text for line in visit.note.lines]


def test_a_corrected_word_reaches_the_note(desk: ConsultationDesk) -> None:
    talk = (
        "Doctor: Which medicines do you take?\nPatient: I take listen a pill 20 milligrams every morning, and aspirin."
    )
    visit = drafted(desk, talk)
    consultation_id = visit.transcript.consultation_id
    desk.correct_utterance(consultation_id, "u2", "I take lisinopril 20 milligrams every morning, and aspirin.", DOCTOR)
    assert "lisinopril 20 milligrams" in " ".join(line.text for line in desk.note(consultation_id).lines)


def test_edited_lines_stay_through_a_new_draft_and_are_checked(desk: ConsultationDesk) -> None:
    visit = drafted(desk)
    consultation_id = visit.transcript.consultation_id
    own = NoteLine("Return at once if the pain comes at rest, within 24 hours.", "plan", ())
    saved = desk.save_note(consultation_id, [*visit.note.lines[1:], own], DOCTOR)
    (kept,) = [line for line in saved.note.lines if line.by_person]
    assert kept.reason  # it names no source; its writer answers for it
    assert len(saved.note.lines) == len(visit.note.lines)
    again = desk.draft_note(consultation_id, DOCTOR)
    assert own.text in [line.text for line in again.note.lines]
    assert [one.revision for one in desk.note_versions(consultation_id)] == [1, 2, 3]


def test_a_line_with_foreign_evidence_is_refused(desk: ConsultationDesk) -> None:
    visit = drafted(desk)
    with pytest.raises(UploadRejected, match="names an utterance"):
        desk.save_note(visit.transcript.consultation_id, [NoteLine("Fever.", "plan", ("u999",))], DOCTOR)


def test_a_signed_note_is_locked_and_takes_addenda_only(bench: Workbench, desk: ConsultationDesk) -> None:
    visit = drafted(desk)
    consultation_id = visit.transcript.consultation_id
    with pytest.raises(NotAllowed, match="clinician"):
        desk.sign(consultation_id, visit.note.lines, "N", Actor("n", "s", "nurse"))
    with pytest.raises(UploadRejected, match="name"):
        desk.sign(consultation_id, visit.note.lines, " ", DOCTOR)
    with pytest.raises(NotAllowed, match="not signed yet"):
        desk.add_addendum(consultation_id, "More.", "Dr. A", DOCTOR)
    signed = desk.sign(consultation_id, visit.note.lines, "Dr. Ada", DOCTOR)
    assert signed.note.status is NoteStatus.SIGNED
    assert signed.note.signature.name == "Dr. Ada"
    assert signed.note.signature.sha256 == contract.sha256_of(signed.note)
    for change in (
        lambda: desk.draft_note(consultation_id, DOCTOR),
        lambda: desk.save_note(consultation_id, visit.note.lines, DOCTOR),
        lambda: desk.sign(consultation_id, visit.note.lines, "Dr. B", DOCTOR),
        lambda: desk.relabel(consultation_id, "Doctor", "patient", DOCTOR),
        lambda: desk.correct_utterance(consultation_id, "u1", "x", DOCTOR),
        lambda: desk.discard(consultation_id, DOCTOR),
    ):
        with pytest.raises(NotAllowed, match="signed"):
            change()
    added = desk.add_addendum(consultation_id, "Lab called: troponin normal.", "Dr. Ada", DOCTOR)
    assert [one.text for one in added.note.addenda] == ["Lab called: troponin normal."]
    assert added.note.signature == signed.note.signature
    assert contract.sha256_of(added.note) == signed.note.signature.sha256
    told = [event.action.value for event in bench.trail().events if event.entity.endswith(consultation_id)]
    assert told == ["C", "U", "E", "U"]
    assert bench.trail().examination.intact


def test_a_visit_is_in_its_patients_list_only(bench: Workbench, desk: ConsultationDesk) -> None:
    patient = bench.create_patient("Ida Holm", "1960-01-01", "female", "", DOCTOR)
    visit = drafted(desk, CHEST, patient.patient_id)
    (row,) = desk.of_patient(patient.patient_id)
    assert (row.consultation_id, row.status) == (visit.transcript.consultation_id, NoteStatus.DRAFT)
    assert row.consultation_id not in [one.consultation_id for one in desk.of_patient("")]
    with pytest.raises(NothingFound):
        desk.import_transcript(CHEST, "nobody", DOCTOR)
    desk.discard(row.consultation_id, DOCTOR)
    assert desk.of_patient(patient.patient_id) == ()
    with pytest.raises(NothingFound):
        desk.visit(row.consultation_id)


def test_records_of_the_patient_stand_beside_a_line(bench: Workbench, desk: ConsultationDesk) -> None:
    patient = bench.create_patient("Olaf Marsh", "1961-05-05", "male", "", DOCTOR)
    other = bench.create_patient("Other Marsh", "1961-05-06", "male", "", DOCTOR)
    text = "Medications: ramipril 5 mg once daily. Allergies: penicillin, rash. No swelling of the legs."
    record = bench.import_text("Clinic letter", text, patient.patient_id, DOCTOR)
    bench.import_text("Clinic letter", text, other.patient_id, DOCTOR)
    note = drafted(desk, CHEST, patient.patient_id).note
    (line,) = [one for one in note.lines if one.text.startswith("Allergies")]
    assert [(place.document_id, place.page) for place in line.records] == [(record.document_id, 1)]
    assert line.records[0].boxes
    assert {place.document_id for one in note.lines for place in one.records} == {record.document_id}


def test_the_recording_is_kept_until_the_note_is_signed(
    bench: Workbench, desk: ConsultationDesk, tmp_path: Path
) -> None:
    visit = desk.import_transcript(CHEST, "", DOCTOR)
    recording = tmp_path / "visit.wav"
    recording.write_bytes(b"RIFF an invented recording")
    transcript = visit.transcript
    made = replace(transcript, consultation_id="heard-1")
    desk.keep_heard(made, "", recording, "audio/wav", DOCTOR)
    assert desk.recording("heard-1").path.read_bytes().startswith(b"RIFF")
    bench.recover()
    assert desk.recording("heard-1").media_type == "audio/wav"
    note = desk.draft_note("heard-1", DOCTOR).note
    desk.sign("heard-1", note.lines, "Dr. Ada", DOCTOR)
    with pytest.raises(NothingFound, match="No recording"):
        desk.recording("heard-1")
    kept = (bench.settings.data_dir / "files").glob("??/*")
    assert not [path for path in kept if path.read_bytes() == recording.read_bytes()]


def test_the_same_recording_of_two_visits_goes_with_the_last_of_them(
    bench: Workbench, desk: ConsultationDesk, tmp_path: Path
) -> None:
    transcript = desk.import_transcript(CHEST, "", DOCTOR).transcript
    recording = tmp_path / "twice.wav"
    recording.write_bytes(b"RIFF one recording, uploaded twice")
    for consultation_id in ("twice-1", "twice-2"):
        made = replace(transcript, consultation_id=consultation_id)
        desk.keep_heard(made, "", recording, "audio/wav", DOCTOR)
    note = desk.draft_note("twice-1", DOCTOR).note
    desk.sign("twice-1", note.lines, "Dr. Ada", DOCTOR)
    path = desk.recording("twice-2").path
    assert path.read_bytes() == recording.read_bytes()
    desk.discard("twice-2", DOCTOR)
    assert not path.exists()


def test_a_typed_conversation_is_checked_for_medicines_too(bench: Workbench, desk: ConsultationDesk) -> None:
    """Misspelt, misheard by whatever wrote the text, or another one than the patient's records name."""
    patient = bench.create_patient("Runa Dahl", "1955-05-05", "female", "", DOCTOR)
    bench.import_text(
        "Clinic letter",
        "Medications: hydralazine 25 mg three times daily. Amlodipine 5 mg daily.",
        patient.patient_id,
        DOCTOR,
    )
    talk = (
        "Doctor: Which medicines do you take?\n"
        "Patient: I take lisinoprill 20 milligrams, and hydroxyzine 25 milligrams, and amlodipine 10 milligrams.\n"
        "Doctor: Take listen up all 20 milligrams every morning, and metformin 9000 milligrams."
    )
    transcript = desk.import_transcript(talk, patient.patient_id, DOCTOR).transcript
    doubts = {word.text.strip(",."): word.doubt for one in transcript.utterances for word in one.words if word.doubt}
    assert doubts["lisinoprill"].suggestions[0] == "lisinopril"
    assert "own list has hydralazine" in doubts["hydroxyzine"].reason
    assert "records have 5 mg" in doubts["10"].reason
    assert (doubts["listen"].suggestions[0], doubts["listen"].words) == ("lisinopril", 3)
    assert "more than is taken in a day" in doubts["9000"].reason
    assert [one.text for one in transcript.utterances][1].startswith("I take lisinoprill")  # nothing is applied


def test_a_recording_longer_than_the_setting_allows_is_refused_before_any_model_is_loaded(tmp_path: Path) -> None:
    bench = Workbench(Settings(data_dir=tmp_path, max_recording_hours=0.001))
    recording = write_media(tmp_path / "long.flac", tone(5), "flac")
    with pytest.raises(UploadRejected, match=r"longer than 0\.001 hours"):
        bench.consultations.transcribe(recording, "", 2, DOCTOR)
    assert not [one for one in bench.shelf.status() if one.loaded]
    bench.close()


def test_exports_carry_the_note_and_the_mark_of_a_draft(bench: Workbench, desk: ConsultationDesk) -> None:
    import docx
    import pypdfium2

    patient = bench.create_patient("Élise Čapek", "1970-02-03", "female", "", DOCTOR)
    visit = drafted(desk, CHEST, patient.patient_id)
    consultation_id = visit.transcript.consultation_id

    def pdf_text() -> str:
        pages = pypdfium2.PdfDocument(desk.export(consultation_id, "pdf").content)
        return " ".join(page.get_textpage().get_text_bounded() for page in pages)

    assert "DRAFT" in pdf_text()
    assert "Élise Čapek" in pdf_text()
    word = docx.Document(io.BytesIO(desk.export(consultation_id, "docx", "discharge").content))
    assert "DRAFT" in word.sections[0].header.paragraphs[0].text
    letter = desk.export(consultation_id, "txt", "patient").content.decode()
    assert "Reading age" in letter
    assert "You said you do not have shortness of breath" in letter
    bundle = json.loads(desk.export(consultation_id, "fhir").content)
    kinds = [entry["resource"]["resourceType"] for entry in bundle["entry"]]
    assert kinds == ["Composition", "Patient", "Device", "DocumentReference"]
    assert bundle["entry"][0]["resource"]["status"] == "preliminary"
    with pytest.raises(NothingFound, match="no times"):
        desk.export(consultation_id, "srt")
    with pytest.raises(UploadRejected, match="pdf, docx"):
        desk.export(consultation_id, "exe")
    with pytest.raises(UploadRejected, match="soap, discharge, patient"):
        desk.export(consultation_id, "pdf", "haiku")
    desk.sign(consultation_id, visit.note.lines, "Dr. Ada", DOCTOR)
    assert "DRAFT" not in pdf_text()
    assert "SHA-256" in pdf_text()
    assert json.loads(desk.export(consultation_id, "fhir").content)["entry"][0]["resource"]["status"] == "final"
    assert desk.export(consultation_id, "pdf").name.startswith("consultation-")


def test_every_cue_of_a_draft_s_subtitles_says_so(desk: ConsultationDesk, tmp_path: Path) -> None:
    recording = tmp_path / "visit.wav"
    recording.write_bytes(b"RIFF another invented recording")
    typed = desk.import_transcript(CHEST, "", DOCTOR).transcript
    timed = tuple(replace(one, start_s=float(at), end_s=at + 1.0) for at, one in enumerate(typed.utterances))
    desk.keep_heard(replace(typed, consultation_id="timed", utterances=timed), "", recording, "audio/wav", DOCTOR)
    note = desk.draft_note("timed", DOCTOR).note
    for kind in ("srt", "vtt"):
        assert desk.export("timed", kind).content.decode().count("[Draft, not signed]") == len(timed)
    desk.sign("timed", note.lines, "Dr. Ada", DOCTOR)
    for kind in ("srt", "vtt"):
        assert "Draft" not in desk.export("timed", kind).content.decode()


def test_the_plan_of_a_note_proposes_what_it_starts_and_nothing_it_stops(settings, nurse) -> None:
    from domain.errors import NothingFound
    from pipelines.workbench import Workbench

    bench = Workbench(settings)
    ada = bench.create_patient("Ada Example", "1961-03-12", "female", "", nurse)
    assert not bench.has_plan(ada.patient_id)
    with pytest.raises(NothingFound, match="nothing was filled in"):
        bench.planned_medicines(ada.patient_id)
    said = "Doctor: What brings you in?\nPatient: A sore throat.\nDoctor: Stop the ibuprofen. We will start amoxicillin 500 mg three times daily for 7 days."
    visit = bench.consultations.import_transcript(said, ada.patient_id, nurse)
    bench.consultations.draft_note(visit.transcript.consultation_id, nurse)
    assert bench.has_plan(ada.patient_id)
    names = [line["name"].lower() for line in bench.planned_medicines(ada.patient_id)]
    assert names == ["amoxicillin"]
    bench.close()
