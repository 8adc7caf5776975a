"""The prescription desk: a doctor writes, signs and revokes; a pharmacist scans and dispenses.

The one place where prescriptions meet clock, keys and store; everything it calls is a pure function. It knows the store
and the key ring by what they can do (Protocols below), so that it can be handed fakes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol

from domain.audit import Actor
from domain.errors import NotAllowed, PrescriptionInvalid
from domain.patient import Patient
from domain.prescription import (
    Filling,
    Override,
    Prescriber,
    PrescriptionRecord,
    PrescriptionWarning,
    SignedPrescription,
    SigningKey,
    Status,
    TrustedKey,
    Verdict,
)
from pipelines.prescription import (
    OpenedCode,
    join_codes,
    open_codes,
    pack,
    read_short_code,
    sign,
    write_prescription,
)
from pipelines.prescription_checks import DrugLookup, warnings_of
from pipelines.prescription_code import PREFIX, CodeRefused
from pipelines.prescription_draft import Draft, clean_line, read_draft
from pipelines.prescription_drawing import draw_png, draw_svg
from pipelines.prescription_page import print_page
from pipelines.prescription_reading import read_photo
from pipelines.prescription_verdict import judge, plan_filling, say_handed_out

SIGNERS = ("doctor",)
DISPENSERS = ("pharmacist",)
MAX_CODE_CHARS = 50_000  # nine codes of the longest kind, with room


class Keeping(Protocol):
    """What the desk needs of storage.prescriptions.PrescriptionStore."""

    def add(self, signed: SignedPrescription, actor: Actor, detail: str = "") -> None: ...
    def find(self, prescription_id: str) -> PrescriptionRecord | None: ...
    def find_short(self, short_code: str) -> PrescriptionRecord | None: ...
    def of_patient(self, patient_id: str) -> tuple[PrescriptionRecord, ...]: ...
    def fill(
        self,
        prescription_id: str,
        plan: Callable[[PrescriptionRecord], tuple[Filling, ...]],
        actor: Actor,
        foreign: SignedPrescription | None = None,
    ) -> tuple[PrescriptionRecord, tuple[Filling, ...]]: ...
    def revoke(self, prescription_id: str, reason: str, at: datetime, actor: Actor) -> PrescriptionRecord: ...
    def note_reading(self, prescription_id: str, patient_id: str, outcome: str, actor: Actor) -> None: ...


class KeyRing(Protocol):
    """What the desk needs of storage.signing_keys.SigningKeys."""

    issuer: str

    def signing_key(self) -> SigningKey: ...
    def trusted(self) -> tuple[TrustedKey, ...]: ...
    def jwks(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class CheckedDraft:
    """A draft ready to be looked at before signing. `codes`: how many QR codes it will take."""

    draft: Draft
    warnings: tuple[PrescriptionWarning, ...]
    codes: int

    @property
    def unanswered(self) -> tuple[PrescriptionWarning, ...]:
        """Warnings that stop the signing because no reason was given for setting them aside."""
        answered = {warning_id for warning_id, reason in self.draft.overrides if reason}
        return tuple(w for w in self.warnings if w.stops and w.warning_id not in answered)


@dataclass(frozen=True, slots=True)
class IssuedPrescription:
    """What the patient takes along. `qr_png`: all codes in one picture; `qr_svgs`: one a code; `pdf`: PDF/A-2b."""

    signed: SignedPrescription
    warnings: tuple[PrescriptionWarning, ...]
    qr_png: bytes
    qr_svgs: tuple[str, ...]
    pdf: bytes


def utc_now() -> datetime:
    """The moment, aware."""
    return datetime.now(UTC)


class PrescriptionDesk:
    """Everything that can be done with prescriptions. Safe to call from several threads.

    `accounts`: whether people sign in; without accounts (the open demo) anybody wears either hat.
    """

    def __init__(
        self,
        store: Keeping,
        keys: KeyRing,
        drugs: DrugLookup,
        accounts: bool = False,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store = store
        self._keys = keys
        self._drugs = drugs
        self._accounts = accounts
        self._clock = clock

    def warm(self) -> None:
        """Load drug names and FHIR models now, about three seconds, so that the first prescription does not wait."""
        from fhir.resources.R4B import bundle  # noqa: F401

        self._drugs.identify("amoxicillin")

    def suggest(self, prefix: str, limit: int = 10) -> tuple[str, ...]:
        """Medicine names that begin so, for type-ahead."""
        return self._drugs.suggest(prefix, limit)

    def check(
        self, patient: Patient, prescriber: Prescriber, data: Mapping[str, Any], allergies: Sequence[str] = ()
    ) -> CheckedDraft:
        """Read what was typed, look up its drugs, and warn. `allergies`: as the patient's records name them.

        Raises PrescriptionInvalid for what cannot be a prescription, or is too long for its codes.
        """
        draft = read_draft(data)
        found = [self._drugs.identify(medicine.name) for medicine in draft.medicines]
        medicines = tuple(
            replace(medicine, drug_id=drug.drug_id if drug else "")
            for medicine, drug in zip(draft.medicines, found, strict=True)
        )
        draft = replace(draft, medicines=medicines)
        warnings = warnings_of(draft, found, allergies, patient.age_on(self._clock().date()), self._drugs)
        paper = write_prescription(patient, prescriber, medicines, self._clock(), draft.valid_days, self._keys.issuer)
        return CheckedDraft(draft, warnings, len(pack(paper).parts))

    def issue(
        self,
        patient: Patient,
        prescriber: Prescriber,
        data: Mapping[str, Any],
        actor: Actor,
        allergies: Sequence[str] = (),
        page_format: str = "A5",
    ) -> IssuedPrescription:
        """Check, sign, keep and print. `data`: {"medications": [...], "valid_days", "overrides": {warning id: reason}}.

        Raises PrescriptionInvalid where something does not fit or a warning is unanswered, NotAllowed for who may not.
        """
        self._only(actor, SIGNERS, "sign a prescription")
        checked = self.check(patient, prescriber, data, allergies)
        if checked.unanswered:
            raise PrescriptionInvalid(_say_unanswered(checked.unanswered))
        now = self._clock()
        paper = write_prescription(
            patient, prescriber, checked.draft.medicines, now, checked.draft.valid_days, self._keys.issuer
        )
        reasons = dict(checked.draft.overrides)
        overrides = tuple(
            Override(w.warning_id, w.text, reasons[w.warning_id]) for w in checked.warnings if reasons.get(w.warning_id)
        )
        signed = replace(sign(paper, patient.patient_id, self._keys.signing_key()), overrides=overrides)
        # Pictures before the store: a page that cannot be printed must not leave a valid prescription behind.
        texts = [part.text for part in signed.parts]
        issued = IssuedPrescription(
            signed=signed,
            warnings=checked.warnings,
            qr_png=draw_png(texts),
            qr_svgs=tuple(draw_svg(text) for text in texts),
            pdf=print_page(signed, page_format),
        )
        self._store.add(signed, actor, f"{len(overrides)} warnings overridden with a reason" if overrides else "")
        return issued

    def verify(self, picture: bytes | None, code: str, actor: Actor) -> Verdict:
        """Is it genuine, and may it be dispensed? From a photo, a "shc:/..." text (one code a line) or a short code.

        Raises UploadRejected or NothingFound when the picture shows no code at all; everything else is a verdict.
        """
        verdict, record, _ = self._judge(self._code_of(picture, code))
        self._leave_trace(record, f"verified: {verdict.status.value}", actor)
        return verdict

    def dispense(self, code: str, actor: Actor, quantities: Mapping[int, Decimal] | None = None) -> Verdict:
        """Hand out, once. `quantities`: how much of which medicine (from 0), else what completes each open filling.

        The verdict is valid when something was handed out by this very call, and its status is where the
        prescription stands afterwards; refused, it says why, and nothing has changed.
        """
        self._only(actor, DISPENSERS, "dispense a prescription")
        verdict, record, foreign = self._judge(self._code_of(None, code))
        if not verdict.valid or record is None:
            self._leave_trace(record, f"not dispensed: {verdict.status.value}", actor)
            return verdict
        row = _row_id(foreign) if foreign else record.signed.prescription.prescription_id
        now = self._clock()
        refusals: list[tuple[PrescriptionRecord, str]] = []

        def plan(current: PrescriptionRecord) -> tuple[Filling, ...]:
            try:
                return plan_filling(current, verdict.medicines, now, actor.who, quantities)
            except NotAllowed as refusal:
                refusals.append((current, refusal.user_message))
                raise

        try:
            after, given = self._store.fill(row, plan, actor, record.signed if foreign else None)
        except NotAllowed:
            if not refusals:
                raise
            current, reason = refusals[0]
            judged = judge(current, verdict.medicines, now, verdict.missing_parts, verdict.issuer_name)
            refused = replace(judged, valid=False, reason=reason)
            self._leave_trace(current, f"not dispensed: {refused.status.value}", actor)
            return refused
        standing = judge(after, verdict.medicines, now, verdict.missing_parts, verdict.issuer_name)
        return replace(standing, valid=True, reason=say_handed_out(after, given), handed_out=given)

    def revoke(self, prescription_id: str, reason: str, actor: Actor) -> Verdict:
        """Take a prescription back for good, dispensed or not. A reason is needed.

        Raises PrescriptionInvalid without one, NothingFound for an unknown id, NotAllowed when revoked already or by
        whom it may not be.
        """
        self._only(actor, SIGNERS, "revoke a prescription")
        said = clean_line(reason, "The reason")
        if not said:
            raise PrescriptionInvalid("A prescription is revoked with a reason, which the pharmacy sees. Write one.")
        record = self._store.revoke(prescription_id.strip(), said, self._clock(), actor)
        return judge(record, range(len(record.signed.prescription.medicines)), self._clock())

    def of_patient(self, patient_id: str) -> tuple[PrescriptionRecord, ...]:
        """All prescriptions of one patient, newest first."""
        return self._store.of_patient(patient_id)

    def reprint(self, record: PrescriptionRecord, page_format: str = "A5") -> IssuedPrescription:
        """The pictures and the page of a prescription that is kept; the same codes, nothing is signed again."""
        texts = [part.text for part in record.signed.parts]
        svgs = tuple(draw_svg(text) for text in texts)
        return IssuedPrescription(record.signed, (), draw_png(texts), svgs, print_page(record.signed, page_format))

    def jwks(self) -> dict[str, Any]:
        """Our public keys, for /.well-known/jwks.json."""
        return self._keys.jwks()

    # -- inside -----------------------------------------------------------------------------------------------------

    def _leave_trace(self, record: PrescriptionRecord | None, outcome: str, actor: Actor) -> None:
        paper = record.signed if record else None
        number = paper.prescription.prescription_id if paper else "unknown"
        self._store.note_reading(number, paper.patient_id if paper else "", outcome, actor)

    def _judge(self, code: str) -> tuple[Verdict, PrescriptionRecord | None, OpenedCode | None]:
        """Verdict, record, and the opened code when another issuer signed it."""
        short = read_short_code(code)
        if short is not None:
            record = self._store.find_short(short)
            if record is None:
                reason = "No prescription has this short code. Check each character, or scan the square code."
                return _refused(Status.UNKNOWN, reason), None, None
            return judge(record, range(len(record.signed.prescription.medicines)), self._clock()), record, None
        try:
            opened = open_codes(code, self._keys.trusted())
        except CodeRefused as refusal:
            return _refused(refusal.status, refusal.user_message), None, None
        if opened[0].key.own:
            return self._judge_own(opened)
        return self._judge_foreign(opened)

    def _judge_own(
        self, opened: tuple[OpenedCode, ...]
    ) -> tuple[Verdict, PrescriptionRecord | None, OpenedCode | None]:
        record = self._store.find(opened[0].prescription.prescription_id)
        if record is None:
            reason = (
                "Signed with this installation's key, but not found in its store, so whether it was dispensed or "
                "revoked cannot be told. Do not dispense; ask whoever runs this system to check the store."
            )
            return _refused(Status.UNKNOWN, reason), None, None
        parts = {part.number: part for part in record.signed.parts}
        if any(one.number not in parts or parts[one.number].text != one.text for one in opened):
            reason = "This is not the code that was issued for this prescription. Do not dispense; ask the prescriber."
            return _refused(Status.FORGED, reason), None, None
        shown = [parts[one.number] for one in opened]
        medicines = [at for part in shown for at in range(part.first, part.last + 1)]
        missing = [number for number in parts if number not in {part.number for part in shown}]
        return judge(record, medicines, self._clock(), missing), record, None

    def _judge_foreign(
        self, opened: tuple[OpenedCode, ...]
    ) -> tuple[Verdict, PrescriptionRecord | None, OpenedCode | None]:
        if len(opened) > 1:
            reason = "These codes are another issuer's; scan them one at a time, each is dispensed for itself."
            return _refused(Status.UNKNOWN, reason), None, None
        one = opened[0]
        kept = self._store.find(_row_id(one))
        record = kept or PrescriptionRecord(SignedPrescription(join_codes(opened), "", "", ()))
        name = one.key.issuer_name or one.prescription.issuer
        medicines = range(len(one.prescription.medicines))
        verdict = judge(record, medicines, self._clock(), issuer_name=name, kept_here=False)
        return verdict, record, one

    def _code_of(self, picture: bytes | None, code: str) -> str:
        if picture is None:
            if not code.strip():
                raise PrescriptionInvalid("There is nothing to verify. Take a photo of the code, or paste its text.")
            if len(code) > MAX_CODE_CHARS:
                raise PrescriptionInvalid(
                    f"The pasted text has {len(code):,} characters; codes have at most {MAX_CODE_CHARS:,}. Paste the "
                    "text of the code alone."
                )
            return code
        texts = read_photo(picture)
        codes = [text for text in texts if text.startswith(PREFIX)]
        return "\n".join(codes or texts[:1])

    def _only(self, actor: Actor, roles: tuple[str, ...], what: str) -> None:
        if self._accounts and actor.role not in roles:
            raise NotAllowed(f"Only a {roles[0]} may {what}; you are signed in as {actor.role}. Nothing was changed.")


def _row_id(one: OpenedCode) -> str:
    """Where a foreign code is kept: issuers choose their ids freely, so ours cannot be overwritten by theirs."""
    named = f"{one.prescription.issuer}|{one.prescription.prescription_id}|{one.number}/{one.total}"
    return f"x{hashlib.sha256(named.encode()).hexdigest()[:48]}"


def _refused(status: Status, reason: str) -> Verdict:
    return Verdict(valid=False, status=status, reason=reason)


def _say_unanswered(warnings: Sequence[PrescriptionWarning]) -> str:
    said = " ".join(f"[{warning.warning_id}] {warning.text}" for warning in warnings)
    return (
        f"Nothing was signed: {len(warnings)} warning{'s' if len(warnings) > 1 else ''} need a decision. {said} "
        'Change the prescription, or set a warning aside with a reason: "overrides": {"<warning id>": "<reason>"}.'
    )
