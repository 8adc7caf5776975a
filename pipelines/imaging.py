"""Reading a scan picture: is it fit, is it the right kind, what does the classifier say, and where does that come from.

Knows no framework and no store. Every "no" is a reading that abstains with its reason, and carries no score at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from domain.errors import ModelUnavailable
from domain.imaging import AUTO_TASK, ClassScores, Doubt, Explanation, Finding, Scan, ScanReading
from domain.models import ModelStamp
from models.contracts import ScanClassifier
from pipelines.progress import Progress, silent
from pipelines.scan_intake import ScanFile
from pipelines.scan_quality import doubt_about

OVERLAY_OPACITY = 0.55
BAND_PIXELS = 500_000  # laid on at a time: a radiograph has 20 million, each of which takes 100 bytes on the way
HEAT_COLOURS = np.array(
    [(0, 0, 4), (87, 16, 110), (188, 55, 84), (249, 142, 9), (252, 255, 164)], np.float32
)  # inferno
MODALITY_NAMES = {
    "US": "ultrasound",
    "MR": "MRI",
    "CR": "X-ray",
    "DX": "X-ray",
    "RG": "X-ray",
    "CT": "CT",
    "MG": "mammography",
    "PT": "PET",
    "NM": "scintigraphy",
}
NO_DOUBT_OF_ITS_OWN = ("OT", "SC", "XC")  # "other", captured: the header says nothing about the modality


def read_scan(scan: Scan, classifier: ScanClassifier, explain: bool = True) -> ScanReading:
    """One picture read for one task. Raises ModelUnavailable only; whatever is wrong with the picture is a reading."""
    doubt = _modality_doubt(scan, classifier) or doubt_about(scan.pixels)
    if doubt is not None:
        return _abstain(scan, classifier, doubt)
    (scores,) = classifier.classify([scan.pixels])
    return _reading(scan, classifier, scores, explain)


def read_scan_auto(scan: Scan, classifiers: Sequence[ScanClassifier], explain: bool = True) -> ScanReading:
    """The task is picked by modality: the classifier whose training pictures this one is most like, or none.

    Of several tasks for one modality the first in `classifiers` is asked (whether comes before which).
    """
    doubt = doubt_about(scan.pixels)
    fitting = [one for one in classifiers if _modality_doubt(scan, one) is None]
    if doubt is None and not fitting:
        doubt = Doubt(
            "modality",
            f"The file says that it is {_modality_name(scan)}; no task here reads that.",
            f"Tasks are: {', '.join(one.card.task.replace('_', ' ') for one in classifiers)}.",
        )
    if doubt is not None:
        return _abstain(scan, None, doubt)
    answers = [(one, one.classify([scan.pixels])[0]) for one in fitting]
    close = [
        (scores.distance / scores.distance_limit, one, scores)
        for one, scores in answers
        if scores.distance is not None and scores.distance_limit and not scores.foreign and not scores.blurred
    ]
    if not close:
        return _abstain(
            scan,
            None,
            Doubt(
                "task",
                "The picture is unlike everything that the tasks here were trained on, so none was chosen.",
                "If it is a scan of the right kind, choose its task by name, and export it without borders or marks.",
            ),
        )
    nearest = min(close, key=lambda entry: entry[0])[1]
    classifier, scores = next(
        (one, scores) for _, one, scores in close if set(one.modalities) == set(nearest.modalities)
    )
    return _reading(scan, classifier, scores, explain)


def read_stack(
    file: ScanFile, classifier: ScanClassifier, numbers: Iterable[int] | None = None, progress: Progress = silent
) -> tuple[tuple[int, ScanReading], ...]:
    """A reading for each picture of a stack (number from 1, reading), without explanations."""
    chosen = tuple(numbers) if numbers is not None else tuple(range(1, file.count + 1))
    readings = []
    for done, number in enumerate(chosen):
        progress(done, len(chosen), "pictures", f"Reading picture {number}")
        readings.append((number, read_scan(file.picture(number), classifier, explain=False)))
    return tuple(readings)


def overlay(scan: Scan, explanation: Explanation) -> np.ndarray:
    """uint8 (height, width, 3): the original picture with the map laid on it; bright colours are decisive."""
    height, width = scan.shape
    laid = np.empty((height, width, 3), np.uint8)
    rows = max(1, BAND_PIXELS // width)
    for top in range(0, height, rows):
        band = slice(top, top + rows)
        laid[band] = _lay(scan.pixels[band], np.clip(explanation.heat[band], 0, 1))
    return laid


def _lay(pixels: np.ndarray, heat: np.ndarray) -> np.ndarray:
    picture = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
    place = heat * (len(HEAT_COLOURS) - 1)
    lower = np.minimum(place.astype(int), len(HEAT_COLOURS) - 2)
    part = (place - lower)[..., None]
    colours = HEAT_COLOURS[lower] * (1 - part) + HEAT_COLOURS[lower + 1] * part
    opacity = (OVERLAY_OPACITY * heat)[..., None]  # where nothing decides, nothing is laid on
    return (picture * (1 - opacity) + colours * opacity).astype(np.uint8)


def _modality_doubt(scan: Scan, classifier: ScanClassifier) -> Doubt | None:
    if not scan.modality or not classifier.modalities or scan.modality in NO_DOUBT_OF_ITS_OWN:
        return None
    if scan.modality in classifier.modalities:
        return None
    wanted = " or ".join(sorted({MODALITY_NAMES.get(code, code) for code in classifier.modalities}))
    return Doubt(
        "modality",
        f"The file says that it is {_modality_name(scan)}, and this task reads {wanted}.",
        "Choose the task that fits the picture, or the picture that fits the task.",
    )


def _modality_name(scan: Scan) -> str:
    return MODALITY_NAMES.get(scan.modality or "", "of another kind")


def _reading(scan: Scan, classifier: ScanClassifier, scores: ClassScores, explain: bool) -> ScanReading:
    if scores.blurred:
        return _abstain(
            scan,
            classifier,
            Doubt(
                "blurred",
                "The picture is too blurred: the fine detail that the model was trained on is missing.",
                "Export the original at full size; a photograph of a screen or an enlarged thumbnail is not enough.",
            ),
        )
    if scores.foreign:
        return _abstain(
            scan,
            classifier,
            Doubt(
                "domain",
                f"The picture is unlike those that '{classifier.card.title}' was trained on.",
                "Check the task; export the plain picture, without borders, marks or a second view beside it.",
            ),
        )
    findings = tuple(
        Finding(label, score, threshold, score >= threshold, classifier.calibrated)
        for label, score, threshold in zip(classifier.classes, scores.probabilities, classifier.thresholds, strict=True)
        if classifier.positive is None or len(classifier.classes) > 2 or label == classifier.positive
    )
    warnings = list(scan.warnings)
    if scores.distance_limit is None:
        warnings.append(
            "This model has no gate: it answers whatever it is shown. Check that the picture fits the task."
        )
    if not classifier.calibrated:
        warnings.append("The scores are the network's own and not calibrated; do not read them as probabilities.")
    if classifier.calibrated and len(scores.prediction_set) > 1:  # otherwise no coverage was ever measured
        may_be = " or ".join(label.replace("_", " ") for label in scores.prediction_set)
        warnings.append(f"Not settled: the set that holds the truth in 9 of 10 cases is {may_be}.")
    explanation = None
    try:
        explanation = classifier.explain(scan.pixels, _explained(classifier, scores)) if explain else None
    except ModelUnavailable as error:
        # A network of another make, from a researcher's bundle: its scores stand, and that there is no map is said.
        warnings.append(f"No map: {error.user_message}")
    if explanation is not None and not explanation.reliable:
        warnings.append(explanation.caption)
    return ScanReading(
        classifier.card.task, findings, classifier.card.stamp, None, scores.prediction_set, explanation, tuple(warnings)
    )


def _explained(classifier: ScanClassifier, scores: ClassScores) -> str:
    """The label whose map is drawn: the one the task asks for when it is positive, otherwise the likeliest."""
    if classifier.positive is not None:
        asked = classifier.classes.index(classifier.positive)
        if scores.probabilities[asked] >= classifier.thresholds[asked]:
            return classifier.positive
    return classifier.classes[int(np.argmax(scores.probabilities))]


def _abstain(scan: Scan, classifier: ScanClassifier | None, doubt: Doubt) -> ScanReading:
    if classifier is None:
        return ScanReading(AUTO_TASK, (), ModelStamp("none", "no task was chosen"), doubt, warnings=scan.warnings)
    return ScanReading(classifier.card.task, (), classifier.card.stamp, doubt, warnings=scan.warnings)
