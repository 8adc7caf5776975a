"""The imaging desk on the real shelf: a drawn picture is not answered, and everything leaves a trail."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from domain.audit import Actor
from domain.errors import NothingFound, UploadRejected
from domain.settings import Settings
from pipelines.workbench import Workbench

ACTOR = Actor("visitor", "s", "clinician")


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
    with Image.open(bench.imaging.picture(kept.reading_id)) as picture:
        assert (np.asarray(picture) == first.scan.pixels).all()
    with pytest.raises(NothingFound, match="abstained"):
        bench.imaging.overlay(kept.reading_id)
    stored = b"".join(place.read_bytes() for place in (bench.settings.data_dir / "files").glob("??/*"))
    assert b"Doe^Jane" not in stored  # a scan's header may name a person
    bench.recover()
    assert bench.imaging.picture(kept.reading_id).is_file()


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
    table = bench.imaging.feedback_csv()
    assert ACTOR.who not in table
    assert "'=HYPERLINK" in table  # a spreadsheet takes it for text
    assert len(table.splitlines()) == 3


def test_a_stack_is_read_along_its_length(bench, tmp_path) -> None:
    import nibabel

    values = np.random.default_rng(1).integers(0, 255, (40, 40, 5)).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), tmp_path / "stack.nii")
    answers = bench.imaging.along_stack(tmp_path / "stack.nii", "brain_tumour")
    assert [one.number for one in answers] == [1, 2, 3, 4, 5]
    assert all(one.score is None and one.reason for one in answers)
    with pytest.raises(UploadRejected, match="one task"):
        bench.imaging.along_stack(tmp_path / "stack.nii", "auto")


def test_a_reason_leaves_without_the_patients_name_or_numbers(bench, drawn) -> None:
    owner = bench.create_patient("Cleo Example-Lind", "1950-02-03", "female", "R-4711", ACTOR)
    read = bench.read_scan(drawn, "fracture", owner.patient_id, ACTOR)
    said = "cleo EXAMPLE-LIND (R-4711, born 1950-02-03) has 2 plates; see 03.02.1950, tel 5551234"
    bench.imaging.say(read.reading_id, "disagree", said, ACTOR)
    table = bench.imaging.feedback_csv().lower()
    for word in ("cleo", "lind", "4711", "1950-02-03", "03.02.1950", "5551234"):
        assert word not in table
    assert "has 2 plates" in table
