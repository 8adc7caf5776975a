"""The samples are whole, marked as invented, and their drawing knows where each word stands."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
from PIL import Image

from domain.patient import SEXES
from pipelines.audio_intake import open_audio
from pipelines.understanding import document_kind
from tests.unit.sample_kit import SAMPLES, Damage, as_page, damage, draw_sheet, sample_sheets

PAGES = sorted(path for path in SAMPLES.iterdir() if path.name[0].isdigit())
WORDS = ("# Ward round note", "Pulse 74 bpm and no fever at all", sample_sheets.Row(("Sodium", "138"), (0, 400)))


def ink_inside(pixels: np.ndarray, quad: tuple[tuple[float, float], ...], paper: float) -> float:
    """Share of clearly dark pixels in the upright rectangle around a quad."""
    xs, ys = zip(*quad, strict=True)
    part = pixels[int(min(ys)) : int(max(ys)) + 1, int(min(xs)) : int(max(xs)) + 1]
    return float((part.mean(axis=2) < paper).mean())


def test_each_file_is_described_small_and_opens() -> None:
    told = (SAMPLES / "README.md").read_text()
    assert len(PAGES) == 8
    assert sum(path.stat().st_size for path in PAGES) < 6_000_000
    for path in PAGES:
        assert path.name in told
        if path.suffix != ".pdf":
            with Image.open(path) as image:
                image.load()
                assert image.info.get("dpi", (150,))[0] > 100


def test_patients_and_records_fit_together() -> None:
    patients = json.loads((SAMPLES / "patients.json").read_text())
    records = json.loads((SAMPLES / "records.json").read_text())
    assert len({patient["record_number"] for patient in patients}) == len(patients)
    assert all(patient["sex"] in SEXES and date.fromisoformat(patient["birth_date"]) for patient in patients)
    assert {record["patient"] for record in records} == {patient["ref"] for patient in patients}
    for record in records:
        assert date.fromisoformat(record["date"])
        assert len(record["text"]) > 100


def test_every_drawn_word_has_its_ink_in_its_place_also_after_damage() -> None:
    sheet = draw_sheet(WORDS)
    assert [word.text for word in sheet.lines[1]] == "Pulse 74 bpm and no fever at all".split()
    for how in (Damage(), Damage(turn_deg=-6), Damage(turn_deg=90), Damage(lean=0.03, turn_deg=183)):
        moved = damage(sheet, how, seed=3)
        height, width = moved.pixels.shape[:2]
        for word in (word for line in moved.lines for word in line):
            assert all(0 <= x <= width and 0 <= y <= height for x, y in word.quad)
            assert ink_inside(moved.pixels, word.quad, paper=200) > 0.08, word.text


def test_the_same_seed_damages_alike() -> None:
    sheet = draw_sheet(WORDS, paper=(700, 500))
    how = Damage(lean=0.02, noise=8, shade=0.2)
    first, again, other = (damage(sheet, how, seed).pixels for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert first.shape != other.shape or not np.array_equal(first, other)


def test_each_sheet_says_it_is_synthetic() -> None:
    page = as_page(draw_sheet(sample_sheets.NOTE))
    assert "SYNTHETIC" in page.text
    assert document_kind([page]) == "note"


def test_the_spoken_visit_is_described_small_and_plays() -> None:
    (path,) = (SAMPLES / "recordings").iterdir()
    assert f"recordings/{path.name}" in (SAMPLES / "README.md").read_text()
    assert path.stat().st_size < 300_000
    opened = open_audio(path)
    assert 20 < opened.duration_s < 45
    assert opened.warnings == ()
