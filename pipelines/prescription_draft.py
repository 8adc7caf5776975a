"""What the doctor typed, checked field by field and brought into one form, before anything is warned of or signed.

A border: plain data from the form, a script or a file comes in, a frozen Draft goes out, or a refusal that names the
line and the field.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from domain.errors import PrescriptionInvalid
from domain.prescription import (
    DEFAULT_VALID_DAYS,
    MAX_DURATION_DAYS,
    MAX_MEDICINES,
    MAX_NOTE_CHARS,
    MAX_QUANTITY,
    MAX_REFILLS,
    MAX_TEXT_CHARS,
    MAX_VALID_DAYS,
    QUANTITY_STEP,
    Medicine,
)
from pipelines.prescription_sig import COUNTED, MASS_MG, VOLUME_ML, Dose, read_dose, read_rhythm, unit_name

MEDICINE_FIELDS = (
    "name", "strength", "form", "route", "dose", "frequency", "duration_days", "quantity", "refills", "note",
)  # fmt: skip
REQUIRED = ("name", "dose", "frequency")
_SIGNED_NUMBER = re.compile(r"[+-]?\d+")
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)\s*(.*)", re.DOTALL)
_UNUSABLE = ("Cc", "Cs", "Cn", "Co")  # control, surrogate, unassigned, private
# Characters that turn text around on the page: two readers would see two prescriptions.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\u2060\ufeff")


@dataclass(frozen=True, slots=True)
class Draft:
    """A prescription not yet signed. `overrides`: (warning id, reason) pairs. `computed`: quantities that were worked
    out rather than typed, by line from 0."""

    medicines: tuple[Medicine, ...]
    valid_days: int = DEFAULT_VALID_DAYS
    overrides: tuple[tuple[str, str], ...] = ()
    computed: tuple[int, ...] = ()


def read_draft(data: Mapping[str, Any]) -> Draft:
    """The draft in {"medications": [...], "valid_days": int, "overrides": {warning id: reason}}.

    `valid_days` and `overrides` may be left out; a quantity left out is computed. Raises PrescriptionInvalid.
    """
    if not isinstance(data, Mapping):
        raise PrescriptionInvalid('A prescription is an object with "medications"; something else was given.')
    _known(data, ("medications", "valid_days", "overrides"), "The prescription")
    lines = data.get("medications")
    if not isinstance(lines, list) or not lines:
        raise PrescriptionInvalid("The prescription has no medicine. Add at least one, then sign.")
    if len(lines) > MAX_MEDICINES:
        raise PrescriptionInvalid(
            f"The prescription has {len(lines)} medicines; one may have {MAX_MEDICINES}. Write two prescriptions."
        )
    valid_days = _whole(data.get("valid_days", DEFAULT_VALID_DAYS), "valid_days", "The prescription")
    if not 1 <= valid_days <= MAX_VALID_DAYS:
        raise PrescriptionInvalid(
            f"A prescription is valid for 1 to {MAX_VALID_DAYS} days; {valid_days} was given. Correct the number."
        )
    medicines, computed = [], []
    for at, line in enumerate(lines):
        medicine, was_computed = _medicine(line, f"Medicine {at + 1}")
        medicines.append(medicine)
        computed += [at] if was_computed else []
    return Draft(tuple(medicines), valid_days, _overrides(data.get("overrides") or {}), tuple(computed))


def clean_line(value: Any, what: str, limit: int = MAX_TEXT_CHARS) -> str:
    """One line of text: spaces collapsed, nothing invisible that could mislead. Raises PrescriptionInvalid."""
    if value is None:
        return ""
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise PrescriptionInvalid(f"{what} must be text. Write it as words.")
    text = " ".join(str(value).split())
    bad = next((char for char in text if unicodedata.category(char) in _UNUSABLE or char in _TURNING), "")
    if bad:
        raise PrescriptionInvalid(
            f"{what} holds an invisible or unusable character (U+{ord(bad):04X}) that could make it read differently "
            "from what is signed. Type it again."
        )
    if len(text) > limit:
        raise PrescriptionInvalid(f"{what} has {len(text)} characters; it may have {limit}. Shorten it.")
    return text


def needed_quantity(dose: str, frequency: str, duration_days: int, strength: str = "") -> tuple[Decimal, str] | None:
    """How much the course takes and in what unit: 1 capsule, three times a day, 7 days -> (21, "capsule").

    A dose by mass with a strength "250 mg" is counted in whole units of it, with "125 mg/5 ml" in millilitres. A
    range counts at its upper end. None where dose, frequency or duration do not say it.
    """
    amount, rhythm = read_dose(dose), read_rhythm(frequency)
    if amount is None or rhythm is None or not rhythm.times or not duration_days or not amount.unit:
        return None
    each = units_of(amount, strength)
    if each is None:
        return None
    per_dose, unit = each
    whole_doses = -(-(rhythm.times_a_day * duration_days) // 1)  # rounded up: the last begun period takes its dose
    total = Fraction(per_dose) * int(whole_doses)
    step = 1 if unit in COUNTED or not unit else Fraction(1, 10)
    rounded = -(-total // step) * step
    return Decimal(rounded.numerator) / Decimal(rounded.denominator), unit


def units_of(dose: Dose, strength: str) -> tuple[Decimal, str] | None:
    """One dose in what is counted out: tablets, millilitres... None when a mass cannot be turned into units."""
    unit = unit_name(dose.unit)
    if unit in VOLUME_ML:
        return dose.high * VOLUME_ML[unit], "ml"
    if unit not in MASS_MG:
        return dose.high, unit
    held = read_strength(strength)
    if held is None:
        return None
    milligrams, per, per_unit = held
    count = dose.high * MASS_MG[unit] / milligrams * per
    return (count, "") if not per_unit else (count, per_unit)


def read_strength(strength: str) -> tuple[Decimal, Decimal, str] | None:
    """(milligrams, per how many, of what): "500 mg" -> (500, 1, ""), "125 mg/5 ml" -> (125, 5, "ml")."""
    words = re.sub(r"(?<=\d),(?=\d{3}\b)", "", strength.lower().replace("µ", "mc").replace("μ", "mc"))
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*(?:(?:/|per|in)\s*(\d+(?:\.\d+)?)?\s*([a-z]+))?\s*", words)
    if not found or unit_name(found[2]) not in MASS_MG or Decimal(found[1]) == 0:
        return None
    milligrams = Decimal(found[1]) * MASS_MG[unit_name(found[2])]
    if not found[4]:
        return milligrams, Decimal(1), ""
    per, unit = Decimal(found[3] or 1), unit_name(found[4])
    if per == 0:
        return None
    return (milligrams, per * VOLUME_ML[unit], "ml") if unit in VOLUME_ML else (milligrams, per, unit)


def _medicine(line: Any, where: str) -> tuple[Medicine, bool]:
    if not isinstance(line, Mapping):
        raise PrescriptionInvalid(f"{where} is not an object with a name, a dose and a frequency. Write it again.")
    _known(line, MEDICINE_FIELDS, where)
    text = {
        name: clean_line(line.get(name), f"{where}, {name}", MAX_NOTE_CHARS if name == "note" else MAX_TEXT_CHARS)
        for name in MEDICINE_FIELDS
        if name not in ("duration_days", "quantity", "refills")
    }
    for name in REQUIRED:
        if not text[name]:
            raise PrescriptionInvalid(f"{where} has no {name}. Fill it in, then sign.")
    for name in ("name", "strength", "form", "route", "dose", "frequency"):  # the signed form divides at semicolons
        if ";" in text[name]:
            raise PrescriptionInvalid(f"{where}, {name}: leave out the semicolon; what follows it belongs in the note.")
    duration = _whole(line.get("duration_days") or 0, "duration_days", where)
    refills = _whole(line.get("refills") or 0, "refills", where)
    for name, value, most in (("duration_days", duration, MAX_DURATION_DAYS), ("refills", refills, MAX_REFILLS)):
        if not 0 <= value <= most:
            raise PrescriptionInvalid(f"{where}, {name}: {value} was given; 0 to {most} is possible. Correct it.")
    typed = _quantity(line.get("quantity"), where)
    needed = needed_quantity(text["dose"], text["frequency"], duration, text["strength"])
    if typed is None and needed is None:
        raise PrescriptionInvalid(
            f"{where} has no quantity, and none follows from its dose, frequency and duration. Type how much "
            "to hand out."
        )
    quantity, unit = typed or needed or (Decimal(0), "")
    if not QUANTITY_STEP <= quantity <= MAX_QUANTITY:
        raise PrescriptionInvalid(f"{where}, quantity: more than 0 and at most {MAX_QUANTITY:,} is needed. Correct it.")
    medicine = Medicine(
        **text, duration_days=duration, quantity=quantity, quantity_unit=unit if typed else "", refills=refills
    )
    return medicine, typed is None


def _quantity(value: Any, where: str) -> tuple[Decimal, str] | None:
    """The typed quantity and its unit; None when the field is empty."""
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise PrescriptionInvalid(f"{where}, quantity: a number is needed. Type how much to hand out.")
    found = _QUANTITY.fullmatch(clean_line(value, f"{where}, quantity"))
    try:
        number = Decimal(found[1]) if found else None
    except InvalidOperation:
        number = None
    if number is None or number != number.quantize(QUANTITY_STEP):
        raise PrescriptionInvalid(
            f"{where}, quantity: a positive number with at most three decimals is needed, such as 21 or 21 capsules."
        )
    return number, found[2].strip() if found else ""


def _whole(value: Any, name: str, where: str) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str) and _SIGNED_NUMBER.fullmatch(value.strip()) and len(value) < 10:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise PrescriptionInvalid(f"{where}, {name}: a whole number is needed. Correct it.")
    return value


def _overrides(value: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, Mapping):
        raise PrescriptionInvalid('"overrides" must name each warning with the reason: {"warning id": "reason"}.')
    return tuple(
        (clean_line(key, "An override"), clean_line(reason, "The reason of an override", MAX_NOTE_CHARS))
        for key, reason in value.items()
    )


def _known(data: Mapping[str, Any], names: tuple[str, ...], where: str) -> None:
    unknown = sorted(str(key)[:40] for key in data if key not in names)
    if unknown:
        raise PrescriptionInvalid(
            f"{where} has the field {unknown[0]!r}, which is not one of: {', '.join(names)}. Correct or remove it."
        )
