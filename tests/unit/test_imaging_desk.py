"""The imaging desk on the real shelf: a drawn picture is not answered, and everything leaves a trail."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from pydicom.data import get_testdata_file

from domain.audit import Actor
from domain.errors import NothingFound, UploadRejected
from domain.settings import Settings
from pipelines.workbench import Workbench

ACTOR = Actor("visitor", "s", "clinician")


SCANS = Path(__file__).resolve().parents[2] / "data" / "samples" / "scans"


def kept_files(bench) -> set[str]:
    return {place.name for place in (bench.settings.data_dir / "files").glob("??/*")}


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    bench = Workbench(Settings(data_dir=tmp_path_factory.mktemp("data")))
    yield bench
    bench.close()


@pytest.fixture
def drawn(tmp_path):
    """Stripes and noise: no scan at all."""
    noise = np.random.default_rng(5).integers(0, 255, (300, 300, 3), np.uint8)
    noise[::7] = 255
    Image.fromarray(noise).save(tmp_path / "drawn.png")
    return tmp_path / "drawn.png"


@pytest.mark.parametrize("task", ["auto", "breast_ultrasound"])
def test_a_picture_that_is_no_scan_is_refused_with_a_reason_and_no_score(bench, drawn, task) -> None:
    read = bench.read_scan(drawn, task, "", ACTOR)
    assert read.reading.abstained
    assert read.reading.reason
    assert not read.reading.findings
    assert read.overlay is None
    assert read.reading.task == task


def test_unknown_tasks_and_broken_files_are_refused_in_words(bench, drawn, tmp_path) -> None:
    with pytest.raises(NothingFound, match="one of"):
        bench.read_scan(drawn, "astrology", "", ACTOR)
    with pytest.raises(NothingFound):
        bench.read_scan(drawn, "auto", "nobody", ACTOR)
    (tmp_path / "empty.png").write_bytes(b"")
    with pytest.raises(UploadRejected, match="empty"):
        bench.read_scan(tmp_path / "empty.png", "auto", "", ACTOR)


def test_every_task_has_a_card_that_says_what_it_is_not_for(bench) -> None:
    for card in bench.scan_cards():
        assert card.not_for
        assert card.intended_use
        assert card.labels
        assert card.metrics


def test_the_command_prints_the_outside_shape(drawn, monkeypatch, tmp_path) -> None:
    from typer.testing import CliRunner

    from pipelines.__main__ import app

    monkeypatch.setenv("HEALTH_CONNECT_DATA_DIR", str(tmp_path / "data"))
    done = CliRunner().invoke(app, ["read-scan", str(drawn), "--json"])
    assert done.exit_code == 0, done.output
    shape = json.loads(done.stdout)
    assert shape["abstained"]
    assert shape["findings"] == []
    assert shape["reading_id"]


def test_a_reading_is_kept_once_with_its_picture_and_without_its_file(bench, drawn) -> None:
    named = PngInfo()
    named.add_text("PatientName", "Doe^Jane")
    with Image.open(drawn) as picture:
        picture.save(drawn, pnginfo=named)
    owner = bench.create_patient("Ada Example", "1961-03-12", "female", "", ACTOR)
    first = bench.read_scan(drawn, "breast_ultrasound", owner.patient_id, ACTOR)
    again = bench.read_scan(drawn, "breast_ultrasound", owner.patient_id, ACTOR)
    assert (first.duplicate_of, again.duplicate_of) == ("", first.reading_id)
    (kept,) = bench.imaging.readings_of(owner.patient_id)
    assert kept.outside["reading_id"] == first.reading_id
    assert kept.outside["reason"] == first.reading.reason
    with pytest.raises(NothingFound, match="abstained"):
        bench.imaging.overlay(kept.reading_id)
    stored = b"".join(place.read_bytes() for place in (bench.settings.data_dir / "files").glob("??/*"))
    assert b"Doe^Jane" not in stored  # a scan's header may name a person


def test_what_the_gate_turns_away_leaves_no_picture(bench) -> None:
    """It may be a letter, or a photograph of a person: nothing of it is needed again."""
    before = kept_files(bench)
    read = bench.read_scan(SCANS / "6_a_page_of_writing.png", "auto", "", ACTOR)
    assert read.reading.doubt.code == "text"
    assert kept_files(bench) == before
    with pytest.raises(NothingFound, match="not kept"):
        bench.imaging.picture(read.reading_id)


@pytest.mark.models
def test_a_scan_that_was_answered_keeps_its_picture_and_map(bench) -> None:
    read = bench.read_scan(SCANS / "1_breast_ultrasound.jpg", "breast_ultrasound", "", ACTOR)
    assert not read.reading.abstained
    bench.recover()
    with Image.open(bench.imaging.picture(read.reading_id)) as picture:
        assert (np.asarray(picture) == read.scan.pixels).all()
    with Image.open(bench.imaging.overlay(read.reading_id)) as picture:
        assert (np.asarray(picture) == read.overlay).all()


def test_a_reading_of_nobody_is_filed_later(bench, drawn) -> None:
    read = bench.read_scan(drawn, "fracture", "", ACTOR)
    owner = bench.create_patient("Bea Example", "1970-01-01", "female", "", ACTOR)
    bench.imaging.file_reading(read.reading_id, owner.patient_id, ACTOR)
    assert [one.reading_id for one in bench.imaging.readings_of(owner.patient_id)] == [read.reading_id]
    assert "filed" in bench.trail(owner.patient_id).events[-1].detail
    with pytest.raises(NothingFound):
        bench.imaging.file_reading(read.reading_id, "nobody", ACTOR)


def test_opinions_are_kept_and_exported_without_naming_anybody(bench, drawn) -> None:
    read = bench.read_scan(drawn, "brain_tumour", "", ACTOR)
    with pytest.raises(UploadRejected, match="reason"):
        bench.imaging.say(read.reading_id, "disagree", "  ", ACTOR)
    with pytest.raises(UploadRejected):
        bench.imaging.say(read.reading_id, "perhaps", "x", ACTOR)
    bench.imaging.say(read.reading_id, "agree", "", ACTOR)
    kept = bench.imaging.say(read.reading_id, "disagree", '=HYPERLINK("x"), drawn by hand', ACTOR)
    assert [said.opinion.value for said in kept.feedback] == ["agree", "disagree"]
    table = bench.imaging.feedback_csv(ACTOR)
    assert ACTOR.who not in table
    assert "'=HYPERLINK" in table  # a spreadsheet takes it for text
    assert len(table.splitlines()) == 3


def test_a_stack_is_read_along_its_length(bench, tmp_path) -> None:
    import nibabel

    values = np.random.default_rng(1).integers(0, 255, (40, 40, 5)).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), tmp_path / "stack.nii")
    owner = bench.create_patient("Dora Example", "1980-01-01", "female", "", ACTOR)
    answers = bench.imaging.along_stack(tmp_path / "stack.nii", "brain_tumour", owner.patient_id, ACTOR)
    assert [one.number for one in answers] == [1, 2, 3, 4, 5]
    assert all(one.score is None and one.reason for one in answers)
    event = bench.trail(owner.patient_id).events[-1]
    assert (event.actor, event.detail) == (ACTOR, "brain_tumour: 5 of 5 pictures along a stack read, nothing kept")
    assert event.model.id
    with pytest.raises(UploadRejected, match="one task"):
        bench.imaging.along_stack(tmp_path / "stack.nii", "auto", "", ACTOR)


@pytest.fixture
def named(tmp_path):
    """pydicom's CT slice with a name, and a birth date that the library would quote in a warning."""
    dataset = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
    dataset.PatientName, dataset.PatientID = "Zyxwv^Invented", "MRN-99871"
    dataset.save_as(tmp_path / "in.dcm")
    content = (tmp_path / "in.dcm").read_bytes()
    (tmp_path / "in.dcm").write_bytes(content.replace(b"20040119", b"Zy-Born!"))
    return tmp_path / "in.dcm"


@pytest.mark.models
def test_a_copy_without_identity_is_on_the_trail_and_two_of_one_study_stay_together(bench, named, tmp_path) -> None:
    copies = [tmp_path / "a.dcm", tmp_path / "b.dcm"]
    for copy in copies:
        bench.imaging.without_identity(named, copy, ACTOR)
    first, second = map(pydicom.dcmread, copies)
    assert first.StudyInstanceUID == second.StudyInstanceUID != pydicom.dcmread(named).StudyInstanceUID
    event = bench.trail().events[-1]
    assert event.actor == ACTOR
    assert "without identity" in event.detail
    secret = bench.settings.data_dir / "uid-secret"
    assert secret.stat().st_mode & 0o077 == 0


def test_a_name_in_the_header_is_neither_kept_nor_printed(bench, named, caplog, capfd, recwarn) -> None:
    with caplog.at_level("DEBUG"):
        read = bench.read_scan(named, "brain_tumour", "", ACTOR)
    assert "name" in read.identity
    database = (bench.settings.data_dir).glob("records.sqlite*")
    kept = b"".join(path.read_bytes() for path in (*database, *(bench.settings.data_dir / "files").rglob("*.*")))
    out, err = capfd.readouterr()
    said = " ".join([out, err, caplog.text, *(str(one.message) for one in recwarn)])
    for word in ("Zyxwv", "Invented", "MRN-99871", "Zy-Born"):
        assert word.encode() not in kept
        assert word not in said
        assert word not in json.dumps(bench.imaging.reading(read.reading_id).outside)


def test_a_reason_leaves_without_the_patients_name_or_numbers(bench, drawn) -> None:
    owner = bench.create_patient("Cleo Example-Lind", "1950-02-03", "female", "R-4711", ACTOR)
    read = bench.read_scan(drawn, "fracture", owner.patient_id, ACTOR)
    said = "cleo EXAMPLE-LIND (R-4711, born 1950-02-03) has 2 plates; see 03.02.1950, tel 5551234"
    bench.imaging.say(read.reading_id, "disagree", said, ACTOR)
    table = bench.imaging.feedback_csv(ACTOR).lower()
    for word in ("cleo", "lind", "4711", "1950-02-03", "03.02.1950", "5551234"):
        assert word not in table
    assert "has 2 plates" in table
