"""An order from outside, a form, a script or a file: what is to be prescribed and by whom, or how much to hand out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from domain.errors import PrescriptionInvalid
from domain.prescription import MAX_MEDICINES, Prescriber

UNNAMED_PRESCRIBER = "Demonstration prescriber"  # where nobody signs in and no name is given
MAX_PRESCRIBER_CHARS = 120
MAX_AMOUNT_CHARS = 20
# Plain figures only: a comma is a decimal sign to some and a thousands sign to others, and a dose must not be guessed.
_AMOUNT = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_INDEX = re.compile(r"0|[1-9][0-9]?")


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


def read_quantities(quantities: Any) -> dict[int, Decimal] | None:
    """How much to hand out of which medicine: {"0": 10, "1": "2.5"}, medicines counted from 0. None stays None.

    Raises PrescriptionInvalid for what is no such object. Whether the prescription leaves that much, and that it is
    more than nothing, is checked when it is handed out.
    """
    if quantities is None:
        return None
    if not isinstance(quantities, Mapping) or len(quantities) > MAX_MEDICINES:
        raise PrescriptionInvalid(
            'The amounts to hand out are an object such as {"0": 10}: which medicine, counted from 0, and how much of '
            "it. Something else was given, so nothing was handed out. Correct it, or leave it out to hand out all "
            "that is due."
        )
    return {_read_index(key): _read_amount(key, amount) for key, amount in quantities.items()}


def _read_index(key: Any) -> int:
    if not isinstance(key, str) or not _INDEX.fullmatch(key):
        raise PrescriptionInvalid(
            'The medicines to hand out are numbered "0", "1" and so on, in the order of the prescription. One of the '
            "numbers given is none of these, so nothing was handed out. Correct it."
        )
    return int(key)


def _read_amount(key: str, amount: Any) -> Decimal:
    text = str(amount).strip() if isinstance(amount, (str, int, float)) and not isinstance(amount, bool) else ""
    if len(text) > MAX_AMOUNT_CHARS or not _AMOUNT.fullmatch(text):
        raise PrescriptionInvalid(
            f"Medicine {int(key) + 1}: the amount to hand out is not a plain number, so nothing was handed out. Write "
            "figures, with a point before decimals."
        )
    return Decimal(text)
