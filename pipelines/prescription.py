"""A prescription becomes codes, and codes become a prescription again.

Pure: keys, moment and random id are handed in. Packs the medicines into as few codes as fit QR version 22; each code
is a whole SMART Health Card of its own, signed, and readable without the others.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.errors import PrescriptionInvalid
from domain.patient import Patient
from domain.prescription import (
    CodePart,
    Medicine,
    Prescriber,
    Prescription,
    SignedPrescription,
    SigningKey,
    Status,
    TrustedKey,
)
from pipelines.prescription_code import MAX_JWS_CHARS, CodeRefused, deflate, from_digits, seal, to_digits, unseal
from pipelines.prescription_draft import clean_line
from pipelines.prescription_fhir import read_claims, validate, write_claims

MAX_PARTS = 9
ID_BYTES = 16  # 128 random bits, 22 characters: nobody guesses one, and it fits the 24 of a health card's "rid"
SHORT_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U
SHORT_GROUPS, SHORT_GROUP_CHARS = 3, 4  # 60 bits
SIGNATURE_CHARS = 86  # 64 bytes of ES256 in base64url


@dataclass(frozen=True, slots=True)
class OpenedCode:
    """One verified code: its prescription holds the medicines of this code only. `key` signed it."""

    prescription: Prescription
    number: int
    total: int
    key: TrustedKey
    text: str


def write_prescription(
    patient: Patient, prescriber: Prescriber, medicines: Sequence[Medicine], now: datetime, valid_days: int, issuer: str
) -> Prescription:
    """A prescription with a fresh random id, issued `now` to the second. Raises PrescriptionInvalid on bad names."""
    issued = now.replace(microsecond=0)
    doctor = Prescriber(
        name=clean_line(prescriber.name, "The prescriber's name"),
        identifier=clean_line(prescriber.identifier, "The prescriber's number"),
        facility=clean_line(prescriber.facility, "The practice"),
    )
    name = clean_line(patient.name, "The patient's name", limit=300)
    if not name or not doctor.name:
        raise PrescriptionInvalid("A prescription needs the name of the patient and of the prescriber. Fill them in.")
    return Prescription(
        prescription_id=secrets.token_urlsafe(ID_BYTES),
        patient_name=name,
        birth_date=patient.birth_date,
        sex=patient.sex,
        prescriber=doctor,
        medicines=tuple(medicines),
        issued_at=issued,
        expires_at=issued + timedelta(days=valid_days),
        issuer=issuer,
    )


@dataclass(frozen=True, slots=True)
class Packing:
    """How a prescription goes into codes. `parts`: (first, last) medicine of each; `coded`: with numbers."""

    parts: tuple[tuple[int, int], ...]
    coded: bool


def pack(prescription: Prescription) -> Packing:
    """Into one code with coded facts, else one code in words alone, else several; sizes are exact, nothing is signed.

    Raises PrescriptionInvalid naming what to shorten when one medicine alone does not fit a code.
    """
    last = len(prescription.medicines) - 1
    for coded in (True, False):
        if _fits(prescription, 0, last, 1, coded):
            return Packing(((0, last),), coded)
    parts, first = [], 0
    while first <= last:
        end = first
        if not _fits(prescription, first, first, MAX_PARTS, coded=False):
            raise PrescriptionInvalid(_what_to_shorten(prescription, first))
        while end < last and _fits(prescription, first, end + 1, MAX_PARTS, coded=False):
            end += 1
        parts.append((first, end))
        first = end + 1
    if len(parts) > MAX_PARTS:
        raise PrescriptionInvalid(
            f"The prescription would need {len(parts)} codes; {MAX_PARTS} are the most. Shorten the notes, or write "
            "two prescriptions."
        )
    return Packing(tuple(parts), coded=False)


def sign(prescription: Prescription, patient_id: str, key: SigningKey) -> SignedPrescription:
    """Validate, pack and sign. Raises PrescriptionInvalid before any signature when something does not fit."""
    packing = pack(prescription)
    total = len(packing.parts)
    contents = [
        write_claims(prescription, first, last, number, total, packing.coded)
        for number, (first, last) in enumerate(packing.parts, start=1)
    ]
    for claims in contents:
        validate(claims)
    codes = tuple(
        CodePart(number, total, first, last, to_digits(seal(claims, key)), key.key_id)
        for number, ((first, last), claims) in enumerate(zip(packing.parts, contents, strict=True), start=1)
    )
    return SignedPrescription(prescription, patient_id, make_short_code(), codes)


def open_codes(code: str, keys: Sequence[TrustedKey]) -> tuple[OpenedCode, ...]:
    """Every code in `code` (one a line), verified and in order. Raises CodeRefused, also for codes that do not belong
    together: two prescriptions at once must not be taken for one."""
    lines = code.strip().replace("\r\n", "\n").split("\n")
    if len(lines) > MAX_PARTS:
        raise CodeRefused(f"{len(lines)} codes were given; a prescription has {MAX_PARTS} at most.", Status.UNKNOWN)
    opened = []
    for line in lines:
        claims, key = unseal(from_digits(line), keys)
        prescription, number, total = read_claims(claims)
        opened.append(OpenedCode(prescription, number, total, key, line.strip()))
    kept = {one.number: one for one in sorted(opened, key=lambda one: one.number)}
    codes = tuple(kept.values())
    common = {(replace(one.prescription, medicines=()), one.total, one.key.key_id) for one in codes}
    if len(common) > 1 or len({one.text for one in opened}) != len(codes):
        raise CodeRefused(
            "These are codes of different prescriptions. Scan one prescription at a time, so that none is mixed up.",
            Status.UNKNOWN,
        )
    return codes


def join_codes(codes: Sequence[OpenedCode]) -> Prescription:
    """One prescription with the medicines of all the codes shown."""
    return replace(codes[0].prescription, medicines=tuple(m for one in codes for m in one.prescription.medicines))


def make_short_code() -> str:
    """A code people can read out, "K7QM-2PXV-9R4D"."""
    groups = ("".join(secrets.choice(SHORT_ALPHABET) for _ in range(SHORT_GROUP_CHARS)) for _ in range(SHORT_GROUPS))
    return "-".join(groups)


def read_short_code(text: str) -> str | None:
    """The short code in what someone typed, in its one spelling; None when it is not one."""
    plain = "".join(char for char in text.upper() if char not in " -\t\n")
    if len(plain) != SHORT_GROUPS * SHORT_GROUP_CHARS or not set(plain) <= set(SHORT_ALPHABET):
        return None
    return "-".join(plain[at : at + SHORT_GROUP_CHARS] for at in range(0, len(plain), SHORT_GROUP_CHARS))


def _fits(prescription: Prescription, first: int, last: int, total: int, coded: bool) -> bool:
    return _jws_chars(prescription, first, last, total, coded) <= MAX_JWS_CHARS


def _jws_chars(prescription: Prescription, first: int, last: int, total: int, coded: bool) -> int:
    """Length of the compact JWS this part will have: everything but the signature's content is known beforehand."""
    claims = write_claims(prescription, first, last, total, total, coded)
    payload = deflate(json.dumps(claims, ensure_ascii=False, separators=(",", ":")).encode())
    header = json.dumps({"zip": "DEF", "alg": "ES256", "kid": "x" * 43}, separators=(",", ":")).encode()
    return len(_b64(header)) + 1 + len(_b64(payload)) + 1 + SIGNATURE_CHARS


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _what_to_shorten(prescription: Prescription, at: int) -> str:
    medicine = prescription.medicines[at]
    fields = {
        f"the note of medicine {at + 1}": medicine.note,
        f"the name of medicine {at + 1}": medicine.name,
        f"the frequency of medicine {at + 1}": medicine.frequency,
        f"the dose of medicine {at + 1}": medicine.dose,
        f"the form of medicine {at + 1}": medicine.form,
        f"the strength of medicine {at + 1}": medicine.strength,
        f"the route of medicine {at + 1}": medicine.route,
        "the practice": prescription.prescriber.facility,
        "the prescriber's name": prescription.prescriber.name,
    }
    over = _jws_chars(prescription, at, at, MAX_PARTS, coded=False) - MAX_JWS_CHARS
    longest = sorted(fields, key=lambda name: -len(fields[name].encode()))[:2]
    return (
        f"Medicine {at + 1} alone is about {over * 3 // 4 + 1} characters too long for a QR code, so nothing "
        f"was signed. Shorten {longest[0]} (now {len(fields[longest[0]])} characters) or {longest[1]} "
        f"({len(fields[longest[1]])})."
    )
