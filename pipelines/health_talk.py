"""Whether a query is talk of health at all: one logistic regression on the query's vector.

"Stomach churning" is no phrase of the lexicon and shares no word with any record, yet it is a complaint, while "who won
the cup final" is none; the words alone cannot tell the two apart. Making: models/training/health_talk.py.
"""

from __future__ import annotations

import functools
import json
import math
from pathlib import Path

import numpy as np

from domain.models import ModelStamp

LEARNT = Path(__file__).resolve().parent.parent / "models" / "lexicon" / "health_talk.json"
UNDECIDED = 0.5  # for the vectors of an encoder that it did not learn on


def likeness(vector: np.ndarray, encoder: ModelStamp) -> float:
    """0 (other talk) to 1 (health) for a query's `vector`, float32 (dimensions,), made by `encoder`."""
    known, bias, weights = _learnt()
    if encoder != known:
        return UNDECIDED
    return 1.0 / (1.0 + math.exp(-float(vector @ weights) - bias))


@functools.cache
def _learnt() -> tuple[ModelStamp, float, np.ndarray]:
    made = json.loads(LEARNT.read_text("utf-8"))
    stamp = ModelStamp(made["encoder"], made["revision"])
    return stamp, float(made["bias"]), np.array(made["weights"], np.float32)
