"""A prescription: what the doctor writes, what is signed, what the pharmacy learns, and what was handed out.

Values only; no clock, no key, no store. Times are aware (UTC). Quantities are exact decimals, never floats, because
what is left of a partly filled prescription is compared for equality.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

MAX_MEDICINES = 12
MAX_TEXT_CHARS = 200  # one field: name, strength, form, route, dose, frequency
MAX_NOTE_CHARS = 300
MAX_REFILLS = 12
MAX_DURATION_DAYS = 366
MAX_VALID_DAYS = 366
DEFAULT_VALID_DAYS = 30
MAX_QUANTITY = Decimal(100_000)
QUANTITY_STEP = Decimal("0.001")  # a thousandth of a tablet, millilitre or dose is finer than anyone dispenses


@dataclass(frozen=True, slots=True)
class Prescriber:
    """Who signs. `identifier`: licence or register number, "" where none is kept."""

    name: str
    identifier: str = ""
    facility: str = ""


@dataclass(frozen=True, slots=True)
class Medicine:
    """One line of a prescription, in the doctor's own words.

    `quantity`: what one filling hands out, in `quantity_unit` ("" when none was typed). `refills`: further fillings of
    the same quantity. `duration_days` is 0 for "as needed" or open-ended use. `drug_id`: DrugBank id or "".
    """

    name: str
    strength: str
    form: str
    route: str
    dose: str
    frequency: str
    duration_days: int
    quantity: Decimal
    quantity_unit: str = ""
    refills: int = 0
    note: str = ""
    drug_id: str = field(default="", compare=False)  # not in every code: left out where room is short

    @property
    def total_quantity(self) -> Decimal:
        """All that may ever be handed out: the first filling and every refill."""
        return self.quantity * (1 + self.refills)

    @property
    def product(self) -> str:
        """Name, strength and form as one line."""
        return " ".join(part for part in (self.name, self.strength, self.form) if part)


@dataclass(frozen=True, slots=True)
class Override:
    """A warning the prescriber has read and set aside, with the reason given."""

    warning_id: str
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Prescription:
    """A whole prescription. `prescription_id`: 22 random base64url characters (128 bits), known to nobody beforehand.

    `patient_name`, `birth_date` and `sex` are as they stood at signing. `issuer`: https address of who signed.
    """

    prescription_id: str
    patient_name: str
    birth_date: date
    sex: str
    prescriber: Prescriber
    medicines: tuple[Medicine, ...]
    issued_at: datetime
    expires_at: datetime
    issuer: str


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A P-256 key pair that signs for `issuer`. `private_jwk`: JSON Web Key with "d"; never shown or logged."""

    key_id: str
    issuer: str
    private_jwk: str = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A public P-256 key whose signatures count. `key_id`: RFC 7638 thumbprint; `x`, `y`: base64url coordinates.

    `issuer`: the address it may sign for, "" for any but ours (a JWKS file that does not say whose it is).
    `own`: this installation's key, so that the store must know every prescription signed with it.
    """

    key_id: str
    issuer: str
    x: str
    y: str
    own: bool
    issuer_name: str = ""


@dataclass(frozen=True, slots=True)
class CodePart:
    """One QR code: the medicines `first` to `last` of the prescription, counted from 0, both included.

    `text` is the numeric form "shc:/...". `number` of `total`, counted from 1.
    """

    number: int
    total: int
    first: int
    last: int
    text: str
    key_id: str


@dataclass(frozen=True, slots=True)
class SignedPrescription:
    """A prescription with its codes. `short_code`: what can be read over the telephone, "K7QM-2PXV-9R4D"."""

    prescription: Prescription
    patient_id: str
    short_code: str
    parts: tuple[CodePart, ...]
    overrides: tuple[Override, ...] = ()

    @property
    def code(self) -> str:
        """All codes, one a line: what /verify and /dispense take back."""
        return "\n".join(part.text for part in self.parts)


@dataclass(frozen=True, slots=True)
class Filling:
    """What was handed out of one medicine (counted from 0) in one visit."""

    medicine: int
    quantity: Decimal
    dispensed_at: datetime
    dispensed_by: str


@dataclass(frozen=True, slots=True)
class PrescriptionRecord:
    """What the store knows of a prescription: the signed paper, what was handed out, and its revocation, if any."""

    signed: SignedPrescription
    fillings: tuple[Filling, ...] = ()
    revoked_at: datetime | None = None
    revoked_by: str = ""
    revoked_reason: str = ""

    def dispensed(self, medicine: int) -> Decimal:
        """How much of one medicine has been handed out so far."""
        return sum((f.quantity for f in self.fillings if f.medicine == medicine), Decimal(0))

    def remaining(self, medicine: int) -> Decimal:
        """How much of one medicine may still be handed out, refills included."""
        return self.signed.prescription.medicines[medicine].total_quantity - self.dispensed(medicine)

    def due_now(self, medicine: int) -> Decimal:
        """What completes the filling that is open: a whole one, or the rest of one begun; 0 when nothing is left."""
        quantity = self.signed.prescription.medicines[medicine].quantity
        if self.remaining(medicine) <= 0:
            return Decimal(0)
        return quantity - self.dispensed(medicine) % quantity


class Status(StrEnum):
    """Where a prescription stands; the words of the outside contract."""

    ACTIVE = "active"
    DISPENSED = "dispensed"
    REVOKED = "revoked"
    EXPIRED = "expired"
    UNKNOWN = "unknown"  # signed by someone we do not know, or not a prescription, or not in this store
    FORGED = "forged"  # the code claims what its signature does not bear out


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to "may this be dispensed?". `reason` is a sentence for the pharmacist; it names no patient.

    `prescription` is None when the code could not be trusted. `medicines`: which of its medicines the shown codes
    cover, counted from 0; `missing_parts`: numbered codes of the same prescription that were not shown.
    `handed_out`: what this very call dispensed.
    """

    valid: bool
    status: Status
    reason: str
    prescription: Prescription | None = None
    medicines: tuple[int, ...] = ()
    record: PrescriptionRecord | None = None
    missing_parts: tuple[int, ...] = ()
    handed_out: tuple[Filling, ...] = ()
    issuer_name: str = ""


class WarningKind(StrEnum):
    """What a check before signing looks for."""

    DUPLICATE = "duplicate"
    ALLERGY = "allergy"
    INTERACTION = "interaction"
    DAILY_MAXIMUM = "daily_maximum"
    LOOK_ALIKE = "look_alike"
    QUANTITY = "quantity"
    UNITS = "units"
    UNKNOWN_DRUG = "unknown_drug"


@dataclass(frozen=True, slots=True)
class PrescriptionWarning:
    """Something to look at before signing. `stops`: signing needs a reason for setting it aside.

    `warning_id` stays the same for the same finding, so that an override names it. `medicines`: which lines, from 0.
    `source`: where the rule comes from.
    """

    warning_id: str
    kind: WarningKind
    text: str
    source: str
    medicines: tuple[int, ...]
    stops: bool
