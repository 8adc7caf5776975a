"""Readings with a classifier of our own making, so that every path is taken without a network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image, ImageDraw

from domain.errors import ModelUnavailable
from domain.imaging import ClassScores, Explanation, Scan, ScanReading
from domain.models import InputContract, ModelCard, ModelStamp, WeightsSource
from models import picture_preparation
from models.picture_preparation import even_contrast, fit_square, grey, lay_back
from pipelines import imaging
from pipelines.imaging import overlay, read_scan, read_scan_auto
from pipelines.scan_quality import doubt_about


def _card(task: str) -> ModelCard:
    return ModelCard(
        f"{task}-x", task, task, "", "1", "", "", "", "", InputContract(""), WeightsSource(), 0, ("no", "yes")
    )


@dataclass
class Invented:
    """Says what it is told to say."""

    task: str = "invented"
    score: float = 0.8
    distance: float = 0.1
    sharpness: float = 1.0
    modalities: tuple[str, ...] = ()
    reliable: bool = True
    classes: tuple[str, ...] = ("no", "yes")
    positive: str | None = "yes"
    thresholds: tuple[float, ...] = (0.5, 0.6)
    calibrated: bool = True
    split_seed: int = 7
    member_folds: int = 0
    second_source: str | None = None

    @property
    def card(self) -> ModelCard:
        return _card(self.task)

    def classify(self, pictures, member=None):
        one = ClassScores((1 - self.score, self.score), ("yes",), self.distance, 0.2, self.sharpness, 0.5)
        return (one,) * len(pictures)

    def explain(self, picture, label):
        heat = np.zeros(picture.shape[:2], np.float32)
        heat[:50] = 1
        return Explanation(label, heat, (0.1,), (0.5,), (0.9,), self.reliable)


@pytest.fixture
def clouds() -> Scan:
    rng = np.random.default_rng(0)
    small = Image.fromarray(rng.integers(40, 220, (12, 12), np.uint8))
    return Scan(np.asarray(small.resize((256, 200), Image.Resampling.BICUBIC)), "png")


def test_a_fitting_picture_gets_its_finding_with_threshold(clouds):
    reading = read_scan(clouds, Invented())
    (finding,) = reading.findings
    assert (finding.label, finding.positive, finding.threshold, finding.calibrated) == ("yes", True, 0.6, True)
    assert reading.prediction_set == ("yes",)
    assert reading.explanation is not None
    assert reading.reason is None


def test_below_the_threshold_the_finding_is_negative_and_the_likeliest_label_is_explained(clouds):
    reading = read_scan(clouds, Invented(score=0.3))
    assert not reading.findings[0].positive
    assert reading.explanation.label == "no"


@pytest.mark.parametrize(
    ("classifier", "code"),
    [
        (Invented(distance=0.3), "domain"),
        (Invented(sharpness=0.1), "blurred"),
        (Invented(modalities=("US",)), "modality"),
    ],
)
def test_a_foreign_picture_gets_no_score_at_all(clouds, classifier, code):
    reading = read_scan(Scan(clouds.pixels, "dicom", "MR"), classifier)
    assert reading.abstained
    assert reading.doubt.code == code
    assert (reading.findings, reading.prediction_set, reading.explanation) == ((), (), None)
    assert reading.doubt.advice


def test_an_unreliable_map_is_named_so(clouds):
    reading = read_scan(clouds, Invented(reliable=False))
    assert any("Unreliable here" in warning for warning in reading.warnings)


def test_the_caption_says_no_more_than_the_curve_shows():
    heat = np.zeros((4, 4), np.float32)
    through = Explanation("yes", heat, (0.1, 0.2), (0.5, 0.3), (0.9, 0.8), True)
    crossing = Explanation("yes", heat, (0.1, 0.2), (0.2, 0.9), (0.9, 0.8), True)
    assert "than chance" in through.caption
    assert "no longer" not in through.caption
    assert "on average" in crossing.caption
    assert "with 20% of the picture gone it no longer does" in crossing.caption


def test_a_reading_that_abstains_cannot_carry_a_score(clouds):
    reading = read_scan(clouds, Invented())
    with pytest.raises(ValueError, match="abstains"):
        ScanReading("t", reading.findings, ModelStamp("a", "1"), read_scan(clouds, Invented(distance=1)).doubt)
    with pytest.raises(ValueError, match="why"):
        ScanReading("t", (), ModelStamp("a", "1"))


def test_auto_takes_the_nearest_modality_and_its_first_task(clouds):
    far, first, second = (
        Invented("bones", distance=0.19, modalities=("CR",)),
        Invented("brain", distance=0.1, modalities=("MR",)),
        Invented("brain type", distance=0.05, modalities=("MR",)),
    )
    assert read_scan_auto(clouds, [far, first, second]).task == "brain"
    assert read_scan_auto(Scan(clouds.pixels, "dicom", "CR"), [far, first, second]).task == "bones"


def test_auto_abstains_when_nothing_fits(clouds):
    assert read_scan_auto(clouds, [Invented(distance=0.3)]).doubt.code == "task"
    assert read_scan_auto(Scan(clouds.pixels, "dicom", "CT"), [Invented(modalities=("MR",))]).doubt.code == "modality"


def test_the_overlay_keeps_the_picture_where_nothing_decides(clouds):
    laid = overlay(clouds, read_scan(clouds, Invented()).explanation)
    assert laid.shape == (200, 256, 3)
    assert (laid[60:] == clouds.pixels[60:, :, None]).all()
    assert (laid[:50] != clouds.pixels[:50, :, None]).any()


def test_a_large_picture_is_laid_on_in_bands_and_looks_the_same(clouds, monkeypatch):
    explanation = read_scan(clouds, Invented()).explanation
    whole = overlay(clouds, explanation)
    monkeypatch.setattr(imaging, "BAND_PIXELS", 7 * 256)
    assert (overlay(clouds, explanation) == whole).all()


def test_a_network_that_cannot_draw_a_map_still_answers_and_says_so(clouds):
    class Other(Invented):
        def explain(self, picture, label):
            raise ModelUnavailable("Other cannot show where its answer comes from.")

    reading = read_scan(clouds, Other())
    assert reading.findings
    assert reading.explanation is None
    assert "No map: Other cannot show where its answer comes from." in reading.warnings


def _letter(dark: bool) -> np.ndarray:
    page = Image.new("L", (600, 800), 245)
    pen = ImageDraw.Draw(page)
    for line in range(30):
        pen.text(
            (40, 30 + 24 * line),
            "The patient was seen today and reports chest pain since Monday",
            fill=10,
            font_size=17,
        )
    pixels = np.asarray(page)
    return 255 - pixels if dark else pixels


_SLOPE = np.tile(np.arange(300) % 250, (300, 1))
RAINBOW = np.dstack([np.full((300, 300), 200), _SLOPE, np.zeros((300, 300))]).astype(np.uint8)


@pytest.mark.parametrize(
    ("pixels", "code"),
    [
        (np.full((300, 300), 128, np.uint8), "blank"),
        (np.zeros((40, 60), np.uint8), "small"),
        (np.random.default_rng(0).integers(0, 255, (300, 300), np.uint8), "domain"),
        (RAINBOW, "colour"),
        (_letter(False), "text"),
    ],
)
def test_what_is_no_scan_is_told_before_any_network(pixels, code):
    assert doubt_about(pixels).code == code


def test_a_plain_picture_raises_no_doubt(clouds):
    assert doubt_about(clouds.pixels) is None


@pytest.mark.parametrize("seed", range(4))
def test_a_film_is_evened_in_bands_exactly_as_in_one_piece(monkeypatch, seed):
    rng = np.random.default_rng(seed)
    film = rng.normal(60 + 40 * seed, 5 + 20 * seed, (61, 47, 3)).clip(0, 255).astype(np.uint8)
    whole = (film.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32) + 0.5).astype(np.uint8)
    low, high = np.percentile(whole, (0.5, 99.5))
    stretched = np.clip((whole.astype(float) - low) * (255 / (high - low)), 0, 255).astype(np.uint8)
    monkeypatch.setattr(picture_preparation, "BAND_PIXELS", 100)
    assert (grey(film) == whole).all()
    assert (even_contrast(whole) == stretched).all()


@pytest.mark.parametrize(("height", "width", "crop"), [(400, 300, False), (120, 90, False), (400, 300, True)])
def test_a_map_is_laid_back_where_it_points(height, width, crop):
    picture = np.zeros((height, width), np.uint8)
    picture[height // 8 : -height // 8, width // 6 : -width // 6] = 90
    spot = (slice(height // 2, height // 2 + height // 8), slice(width // 2, width // 2 + width // 8))
    picture[spot] = 250
    square, framing = fit_square(picture, 256, crop)
    back = lay_back((square > 200).astype(np.float32), framing, picture.shape)
    assert back.shape == picture.shape
    assert back[spot].mean() > 0.9
    back[spot] = 0
    assert back.mean() < 0.005
