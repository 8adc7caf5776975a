"""People who sign in: their roles, and how a visit ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

MAX_ACCOUNT_CHARS = 60
MIN_PASSWORD_CHARS = 10  # NIST SP 800-63B asks for 8 beside a second factor; there is none here
MAX_PASSWORD_CHARS = 200


class Mode(StrEnum):
    """Who the page is open to.

    LOCAL: one desk; whoever sits at the machine sees everything. DEMO: no accounts, invented patients for
    each visitor alone, gone after two idle hours. CLINIC: accounts and shared patients.
    """

    LOCAL = "local"
    DEMO = "demo"
    CLINIC = "clinic"


class Role(StrEnum):
    NURSE = "nurse"
    DOCTOR = "doctor"
    PHARMACIST = "pharmacist"
    RESEARCHER = "researcher"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class Account:
    """`name`: lower case, unique; also who is named on the trail."""

    name: str
    role: Role
    disabled: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person's visit. `session`: names it on the trail and lets nobody in."""

    account: Account
    session: str
