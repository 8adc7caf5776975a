"""The people desk: who may sign in, how long a visit lasts, and how guessing is slowed down.

Passwords are hashed with argon2id (RFC 9106, at the library's own cost). A visit is a random token; the store knows
only its SHA-256. Failed log-ins make the next one wait, longer each time, whether or not the name exists.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache

from domain.audit import Action, Actor
from domain.errors import NotAllowed, SettingsInvalid, UploadRejected
from domain.people import (
    MAX_ACCOUNT_CHARS,
    MAX_PASSWORD_CHARS,
    MIN_PASSWORD_CHARS,
    Account,
    Mode,
    Role,
    SignedIn,
)
from storage import audit, patients, people
from storage.database import Database

FREE_TRIES = 3
LONGEST_WAIT_S = 900  # a quarter of an hour
SEEN_EVERY = timedelta(minutes=1)  # a visit's last sign of life is written no more often
GLASS_LASTS = timedelta(minutes=15)
MIN_REASON_CHARS, MAX_REASON_CHARS = 10, 300
WRONG = "Name and password do not fit, or the account is disabled. Check both; whoever runs this server can reset it."


class PeopleDesk:
    """Safe to call from several threads and processes."""

    def __init__(
        self,
        database: Database,
        idle: timedelta,
        longest: timedelta,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`idle`, `longest`: a visit ends when nothing was asked for so long, or when it has lasted so long."""
        self._database = database
        self._idle = idle
        self._longest = longest
        self._clock = clock

    # -- accounts ---------------------------------------------------------------------------------------------------

    def add(self, name: str, role: str, password: str, actor: Actor) -> Account:
        """Raises UploadRejected for an unusable name, role or password, NotAllowed where the name is taken."""
        name, chosen = _name(name), _role(role)
        hashed = _hash(password)
        with self._database.begin() as tx:
            account = people.add(tx, name, chosen, hashed, self._clock())
            audit.append(tx, actor, Action.CREATE, f"Person/{name}", "", f"account added as {chosen.value}")
        return account

    def accounts(self) -> tuple[Account, ...]:
        """Every account, by name."""
        with self._database.read() as tx:
            return people.all_of(tx)

    def check_somebody_can_sign_in(self, mode: Mode) -> None:
        """Raises SettingsInvalid for a clinic without an account that could sign in."""
        if mode is Mode.CLINIC and all(account.disabled for account in self.accounts()):
            raise SettingsInvalid(
                "HEALTH_CONNECT_MODE is clinic, and nobody could sign in. Add the first account, then start again: "
                "python -m pipelines accounts add NAME --role administrator"
            )

    def set_disabled(self, name: str, disabled: bool, actor: Actor) -> Account:
        """A disabled account's visits end at once. Raises NothingFound."""
        with self._database.begin() as tx:
            account = people.change(tx, _name(name), disabled=disabled)
            said = "account disabled" if disabled else "account enabled"
            audit.append(tx, actor, Action.UPDATE, f"Person/{account.name}", "", said)
        return account

    def reset(self, name: str, password: str, actor: Actor) -> Account:
        """A new password; visits end and waits are forgiven. Raises NothingFound, UploadRejected."""
        name, hashed = _name(name), _hash(password)
        with self._database.begin() as tx:
            account = people.change(tx, name, password_hash=hashed)
            people.forgive(tx, name)
            audit.append(tx, actor, Action.UPDATE, f"Person/{name}", "", "password reset")
        return account

    # -- visits -----------------------------------------------------------------------------------------------------

    def sign_in(self, name: str, password: str) -> str:
        """A token for the visit. Raises NotAllowed, the same for wrong name, wrong password and disabled account."""
        name, now = name.strip().lower()[:MAX_ACCOUNT_CHARS], self._clock()
        with self._database.begin() as tx:
            wait = self._wait(*people.failures(tx, name), now)
            stored = people.password_hash(tx, name)
            if wait <= 0:
                people.fail(tx, name, now)  # counted before the slow check, so that parallel guesses gain nothing
        if wait > 0:
            raise NotAllowed(f"Too many tries for this name. Wait {wait} seconds, then try again.")
        right = _fits(stored or _nobodys_hash(), password[:MAX_PASSWORD_CHARS]) and bool(stored)
        token = secrets.token_urlsafe(32)
        with self._database.begin() as tx:
            if right:
                people.forgive(tx, name)
                people.end_older(tx, now - self._longest, now - self._idle)
                people.begin(tx, _digest(token), name, now)
                actor = Actor(name, _session(token), people.get(tx, name).role.value)
                audit.append(tx, actor, Action.EXECUTE, f"Person/{name}", "", "signed in")
            else:
                known = name if stored else "unknown"
                actor = Actor(known, "", "")
                audit.append(tx, actor, Action.EXECUTE, f"Person/{known}", "", "signing in failed")
        if not right:
            raise NotAllowed(WRONG)
        return token

    def who(self, token: str) -> SignedIn | None:
        """Whose visit the token stands for; None when it ended or never was."""
        if not token:
            return None
        now, digest = self._clock(), _digest(token)
        with self._database.read() as tx:
            found = people.visit(tx, digest)
        if found is None:
            return None
        account, begun_at, seen_at = found
        if now - begun_at > self._longest or now - seen_at > self._idle:
            self.sign_out(token)
            return None
        if now - seen_at > SEEN_EVERY:
            with self._database.begin() as tx:
                people.seen(tx, digest, now)
        return SignedIn(account, _session(token))

    def sign_out(self, token: str) -> None:
        """The visit is over."""
        with self._database.begin() as tx:
            found = people.visit(tx, _digest(token))
            people.end(tx, _digest(token))
            if found:
                account = found[0]
                actor = Actor(account.name, _session(token), account.role.value)
                audit.append(tx, actor, Action.EXECUTE, f"Person/{account.name}", "", "signed out")

    # -- break glass ------------------------------------------------------------------------------------------------

    def break_glass(self, patient_id: str, reason: str, actor: Actor) -> datetime:
        """Let this visit read one patient's records although its role may not; returns until when.

        Raises UploadRejected for a reason that is none, NothingFound for an unknown patient.
        """
        said = " ".join(reason.split())
        if not MIN_REASON_CHARS <= len(said) <= MAX_REASON_CHARS:
            raise UploadRejected(
                f"Breaking the glass takes a reason of {MIN_REASON_CHARS} to {MAX_REASON_CHARS} characters, so nothing "
                "was opened. Say why you need this record now."
            )
        until = self._clock() + GLASS_LASTS
        with self._database.begin() as tx:
            patients.get(tx, patient_id)
            people.break_glass(tx, actor.session, patient_id, until)
            audit.append(tx, actor, Action.EXECUTE, f"Patient/{patient_id}", patient_id, f"BREAK GLASS: {said}")
        return until

    def glass_is_broken(self, actor: Actor, patient_id: str) -> bool:
        """Whether this visit has broken the glass for the patient, and it still lasts."""
        with self._database.read() as tx:
            return bool(actor.session) and people.glass_is_broken(tx, actor.session, patient_id, self._clock())

    @staticmethod
    def _wait(count: int, last_at: datetime | None, now: datetime) -> int:
        if last_at is None or count < FREE_TRIES:
            return 0
        wait = min(2 ** min(count - FREE_TRIES + 1, 20), LONGEST_WAIT_S)
        return max(0, round(wait - (now - last_at).total_seconds()))


def _name(name: str) -> str:
    plain = name.strip().lower()
    if not plain or len(plain) > MAX_ACCOUNT_CHARS or not all(char.isalnum() or char in ".-_@" for char in plain):
        raise UploadRejected(
            f"An account name has 1 to {MAX_ACCOUNT_CHARS} letters, digits or . - _ @, so nothing was changed. Choose "
            "another name."
        )
    return plain


def _role(role: str) -> Role:
    try:
        return Role(role.strip().lower())
    except ValueError as error:
        raise UploadRejected(f"There is no such role. Roles are: {', '.join(Role)}.") from error


def _hash(password: str) -> str:
    if not MIN_PASSWORD_CHARS <= len(password) <= MAX_PASSWORD_CHARS:
        raise UploadRejected(
            f"A password has {MIN_PASSWORD_CHARS} to {MAX_PASSWORD_CHARS} characters, so nothing was changed. Choose "
            "another, for instance four random words."
        )
    return _hasher().hash(password)


def _fits(stored: str, password: str) -> bool:
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return _hasher().verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _hasher():  # type: ignore[no-untyped-def]
    from argon2 import PasswordHasher

    return PasswordHasher()


@cache
def _nobodys_hash() -> str:
    """Checked for unknown names, so that the time it takes does not tell which names there are."""
    return _hasher().hash(secrets.token_urlsafe(16))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _session(token: str) -> str:
    """Names the visit on the trail; from it the token cannot be had."""
    return hashlib.sha256(b"session " + token.encode()).hexdigest()[:24]
