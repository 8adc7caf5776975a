"""What the Imaging tab says of a reading is what its numbers say."""

from __future__ import annotations

from components.imaging_view import stack_told
from pipelines.imaging_desk import StackAnswer


def test_a_bar_of_one_finding_is_no_sureness_of_an_answer() -> None:
    """Tumour at 3 % is a low bar, and the model is quite sure there."""
    alone = [StackAnswer(1, "tumour", 0.03, None), StackAnswer(2, "tumour", 0.9, None), StackAnswer(3, "", None, "dim")]
    assert stack_told(alone).startswith("The higher, the likelier it is tumour; grey and flat: silent.")
    several = [StackAnswer(1, "glioma", 0.8, None), StackAnswer(2, "no_tumour", 0.9, None)]
    assert "of the label that it names" in stack_told(several)
    assert "silent on every picture" in stack_told(alone[2:])
