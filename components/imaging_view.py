"""What the Imaging tab draws of a reading, as plain data made from what is kept."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import numpy as np

from domain.imaging import AUTO_TASK
from domain.kept_reading import KeptReading
from domain.models import ModelCard

NAMES = {
    AUTO_TASK: "By its modality",
    "breast_ultrasound": "Breast ultrasound",
    "brain_tumour": "Brain MRI: tumour or not",
    "brain_tumour_type": "Brain MRI: which tumour",
    "fracture": "X-ray: fracture",
}
NOT_SURE = "The model keeps silent"
PREVIEW_PX = 480


def name_of(task: str) -> str:
    """A task as a clinician would say it."""
    return NAMES.get(task, task.replace("_", " ").capitalize())


def picture_path(reading_id: str, which: str = "picture") -> str:
    """Relative address of a reading's picture, or of its map."""
    return f"readings/{quote(reading_id, safe='')}/{which}.png"


def preview(pixels: np.ndarray) -> str:
    """A small copy of a picture as a data address: seen once by who brought it, and kept nowhere."""
    from PIL import Image

    picture, packed = Image.fromarray(pixels), io.BytesIO()
    picture.thumbnail((PREVIEW_PX, PREVIEW_PX))
    picture.save(packed, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(packed.getvalue()).decode()


def present_card(card: ModelCard) -> dict[str, Any]:
    """The card beside the task picker, in a few lines."""
    return {
        "title": card.title,
        "for": card.intended_use,
        "not_for": card.not_for,
        "limits": list(card.limits),
        "licence": card.licence,
        "metrics": [
            {"name": metric.name, "value": metric.value, "interval": metric.interval, "data": metric.data}
            for metric in card.metrics
        ],
    }


def present_reading(kept: KeptReading) -> dict[str, Any]:
    """One reading: verdict, bars, curve, doubts and opinions."""
    shape = kept.outside
    findings = shape["findings"]
    return {
        "reading_id": kept.reading_id,
        "task": name_of(kept.task),
        "at": f"{kept.created_at:%Y-%m-%d %H:%M} UTC",
        "abstained": kept.abstained,
        "reason": shape["reason"] or "",
        "verdict": verdict(kept),
        "positive": any(finding["positive"] for finding in findings),
        "findings": [finding | {"label": plain(finding["label"])} for finding in findings],
        "set": [plain(label) for label in shape["prediction_set"]],
        "explanation": shape["explanation"],
        "warnings": list(shape["warnings"]),
        "model": "" if kept.task == AUTO_TASK else f"{shape['model']['id']} {shape['model']['revision']}",
        "picture": picture_path(kept.reading_id) if kept.picture_sha256 else "",
        "overlay": picture_path(kept.reading_id, "overlay") if kept.overlay_sha256 else "",
        "place": f"picture {kept.number} of {kept.count}" if kept.count > 1 else "",
        "filed": bool(kept.patient_id),
        "feedback": [
            {"opinion": said.opinion.value, "reason": said.reason, "who": said.who, "at": f"{said.at:%Y-%m-%d}"}
            for said in kept.feedback
        ],
    }


def verdict(kept: KeptReading) -> str:
    """The answer in one line, never more certain than the numbers."""
    if kept.abstained:
        return NOT_SURE
    findings = kept.outside["findings"]
    positive = [finding for finding in findings if finding["positive"]]
    if len(findings) == 1:
        (only,) = findings
        score, threshold = percent(only["score"]), percent(only["threshold"])
        side = "reaches" if only["positive"] else "stays below"
        return f"{plain(only['label']).capitalize()}: {score} {side} the threshold of {threshold}"
    if not positive:
        return "No class reaches its threshold"
    most = max(positive, key=lambda finding: finding["score"])
    return f"Most likely {plain(most['label'])}: {percent(most['score'])}"


def present(
    cards: Sequence[ModelCard],
    task: str,
    history: Sequence[KeptReading],
    patient_name: str,
    opened: KeptReading | None = None,
    beside: KeptReading | None = None,
    note: str = "",
    stack: Sequence[Any] = (),
    turned_away: np.ndarray | None = None,
) -> dict[str, Any]:
    """Value of the part. `beside`: one to compare. `turned_away`: picture of `opened`, if just not read."""
    return {
        "card": next((present_card(card) for card in cards if card.task == task), None),
        "patient": patient_name,
        "reading": present_reading(opened) if opened else None,
        "beside": present_reading(beside) if beside else None,
        "history": [
            {
                "reading_id": kept.reading_id,
                "task": name_of(kept.task),
                "at": f"{kept.created_at:%Y-%m-%d %H:%M}",
                "verdict": verdict(kept),
                "abstained": kept.abstained,
                "picture": picture_path(kept.reading_id) if kept.picture_sha256 else "",
            }
            for kept in history
        ],
        "note": note,
        "turned_away": "" if turned_away is None else preview(turned_away),
        "stack": [
            {"number": one.number, "label": plain(one.label), "score": one.score, "reason": one.reason} for one in stack
        ],
        "stack_told": stack_told(stack),
    }


def stack_told(stack: Sequence[Any]) -> str:
    """What the height of the bars along a stack means. A task with one finding gives its score on every picture, be it
    ever so unlikely there; other tasks the score of whichever label is likeliest."""
    labels = {plain(one.label) for one in stack if one.score is not None}
    if not labels:
        return "The model is silent on every picture that was read. Choose one to see why."
    what = f"likelier it is {labels.pop()}" if len(labels) == 1 else "surer the model is of the label that it names"
    return f"The higher, the {what}; grey and flat: silent. Choose a picture to read it."


def plain(label: str) -> str:
    return label.replace("_", " ")


def percent(share: float) -> str:
    """Never 100 % or 0 %: no model is that sure."""
    return f"{min(99.9, max(0.1, 100 * share)):.1f} %"
