"""An order from outside, a form, a script or a file: who prescribes is told apart from what is prescribed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.errors import PrescriptionInvalid
from domain.prescription import Prescriber

UNNAMED_PRESCRIBER = "Demonstration prescriber"  # where nobody signs in and no name is given
MAX_PRESCRIBER_CHARS = 120


def read_order(order: Any) -> tuple[Prescriber, dict[str, Any]]:
    """Who prescribes, and the rest as the desk takes it: {"medications", ..., "prescriber": {"name", ...}}.

    "prescriber" may be left out. Raises PrescriptionInvalid; the rest is checked by the desk.
    """
    if not isinstance(order, Mapping):
        raise PrescriptionInvalid('A prescription is an object with "medications"; something else was given.')
    who = order.get("prescriber") or {}
    if not isinstance(who, Mapping) or not set(who) <= {"name", "identifier", "facility"}:
        raise PrescriptionInvalid('"prescriber" has "name", "identifier" and "facility". Correct or remove it.')
    named = {key: " ".join(str(value or "").split()) for key, value in who.items()}
    if any(len(text) > MAX_PRESCRIBER_CHARS or not text.isprintable() for text in named.values()):
        raise PrescriptionInvalid(
            f"The prescriber's name, number and place have at most {MAX_PRESCRIBER_CHARS} visible characters each. "
            "Shorten them."
        )
    prescriber = Prescriber(
        named.get("name") or UNNAMED_PRESCRIBER, named.get("identifier", ""), named.get("facility", "")
    )
    return prescriber, {key: value for key, value in order.items() if key != "prescriber"}
