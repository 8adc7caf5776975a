"""A classifier is loaded without what MONAI would bring along, and nobody else misses it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.models

ROOT = Path(__file__).resolve().parents[2]
LOADED = """
import sys, threading
from models import weights
from models.cards_imaging import IMAGING_CARDS
from models.imaging import BundleClassifier

def elsewhere():
    while "monai" not in sys.modules:
        pass
    import scipy.signal, sklearn.linear_model
    found.append(scipy.signal.butter)

found = []
other = threading.Thread(target=elsewhere)
if sys.argv[1] == "beside":
    other.start()
BundleClassifier(weights.find(IMAGING_CARDS[0]), IMAGING_CARDS[0])
if sys.argv[1] == "beside":
    other.join()
    assert found
else:
    heavy = {"matplotlib", "optuna", "scipy.sparse", "scipy.stats", "sklearn", "transformers"} & set(sys.modules)
    assert not heavy, heavy
    import scipy.ndimage, transformers
"""


@pytest.mark.parametrize("way", ["alone", "beside"])
def test_companions_stay_out_and_can_be_had_by_others_at_any_time(way):
    """`beside`: another thread asks for them in the very moment in which MONAI is imported."""
    done = subprocess.run([sys.executable, "-c", LOADED, way], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
