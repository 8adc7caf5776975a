"""Accounts and visits: who gets in, for how long, and how guessing is slowed down."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from domain.audit import Actor
from domain.errors import NotAllowed, NothingFound, UploadRejected
from domain.people import Role
from pipelines.people_desk import PeopleDesk
from storage import audit, patients
from storage.database import Database
from storage.tables import accounts, sign_ins

OPERATOR = Actor("operator", "command line", "administrator")
PASSWORD = "correct horse battery"


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def goes(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(f"sqlite:///{tmp_path}/people.db")


@pytest.fixture
def desk(database: Database, clock: Clock) -> PeopleDesk:
    desk = PeopleDesk(database, timedelta(minutes=30), timedelta(hours=12), clock)
    desk.add("Dr.Ada", "doctor", PASSWORD, OPERATOR)
    return desk


def test_a_person_signs_in_and_out(desk: PeopleDesk, database: Database) -> None:
    token = desk.sign_in(" dr.ada ", PASSWORD)
    visit = desk.who(token)
    assert visit is not None
    assert (visit.account.name, visit.account.role) == ("dr.ada", Role.DOCTOR)
    desk.sign_out(token)
    assert desk.who(token) is None
    with database.read() as tx:
        told = [(event.actor.who, event.detail) for event in audit.of_patient(tx, "")]
    assert told == [
        ("operator", "account added as doctor"),
        ("dr.ada", "signed in"),
        ("dr.ada", "signed out"),
    ]


def test_neither_password_nor_token_is_kept(desk: PeopleDesk, database: Database) -> None:
    token = desk.sign_in("dr.ada", PASSWORD)
    with database.read() as tx:
        kept = [*tx.execute(sa.select(accounts)).one(), *tx.execute(sa.select(sign_ins)).one()]
    assert any(str(value).startswith("$argon2id$") for value in kept)
    assert not any(PASSWORD in str(value) or token in str(value) for value in kept)


@pytest.mark.parametrize("token", ["", "x", "0" * 64])
def test_an_invented_token_lets_nobody_in(desk: PeopleDesk, token: str) -> None:
    assert desk.who(token) is None


def test_a_visit_ends_when_idle_and_at_its_longest(desk: PeopleDesk, clock: Clock) -> None:
    idle = desk.sign_in("dr.ada", PASSWORD)
    clock.goes(minutes=31)
    assert desk.who(idle) is None
    busy = desk.sign_in("dr.ada", PASSWORD)
    for _ in range(12 * 3):
        clock.goes(minutes=20)
        assert desk.who(busy) is not None
    clock.goes(minutes=1)
    assert desk.who(busy) is None


def test_guessing_is_slowed_down_for_known_and_unknown_names_alike(desk: PeopleDesk, clock: Clock) -> None:
    for name in ("dr.ada", "nobody"):
        for _ in range(3):
            with pytest.raises(NotAllowed, match="do not fit"):
                desk.sign_in(name, "wrong password")
        with pytest.raises(NotAllowed, match="Wait 2 seconds"):
            desk.sign_in(name, PASSWORD)
        clock.goes(seconds=3)
        with pytest.raises(NotAllowed, match="do not fit"):
            desk.sign_in(name, "wrong password")
        with pytest.raises(NotAllowed, match="Wait 4 seconds"):
            desk.sign_in(name, "wrong password")
        clock.goes(seconds=5)
    assert desk.who(desk.sign_in("dr.ada", PASSWORD)) is not None
    with pytest.raises(NotAllowed, match="do not fit"):  # forgiven: no wait any more
        desk.sign_in("dr.ada", "wrong password")


def test_the_longest_wait_is_bounded(desk: PeopleDesk, clock: Clock) -> None:
    for _ in range(40):
        with pytest.raises(NotAllowed, match="do not fit"):
            desk.sign_in("nobody", "wrong password")
        clock.goes(seconds=901)


def test_disabling_ends_visits_at_once_and_enabling_lets_in_again(desk: PeopleDesk) -> None:
    token = desk.sign_in("dr.ada", PASSWORD)
    desk.set_disabled("dr.ada", True, OPERATOR)
    assert desk.who(token) is None
    with pytest.raises(NotAllowed, match="disabled"):
        desk.sign_in("dr.ada", PASSWORD)
    desk.set_disabled("dr.ada", False, OPERATOR)
    assert desk.who(desk.sign_in("dr.ada", PASSWORD)) is not None


def test_a_reset_ends_visits_and_the_old_password(desk: PeopleDesk) -> None:
    token = desk.sign_in("dr.ada", PASSWORD)
    desk.reset("dr.ada", "another long password", OPERATOR)
    assert desk.who(token) is None
    with pytest.raises(NotAllowed):
        desk.sign_in("dr.ada", PASSWORD)
    assert desk.sign_in("dr.ada", "another long password")


@pytest.mark.parametrize(
    ("name", "role", "password"),
    [
        ("", "doctor", PASSWORD),
        ("a b", "doctor", PASSWORD),
        ("<script>", "doctor", PASSWORD),
        ("a" * 61, "doctor", PASSWORD),
        ("eve", "king", PASSWORD),
        ("eve", "doctor", "short"),
        ("eve", "doctor", "x" * 201),
    ],
)
def test_unusable_accounts_are_refused(desk: PeopleDesk, name: str, role: str, password: str) -> None:
    with pytest.raises(UploadRejected):
        desk.add(name, role, password, OPERATOR)
    assert [account.name for account in desk.accounts()] == ["dr.ada"]


def test_a_name_is_taken_whatever_its_case_and_an_unknown_one_is_said(desk: PeopleDesk) -> None:
    with pytest.raises(NotAllowed, match="already"):
        desk.add("DR.ADA", "nurse", PASSWORD, OPERATOR)
    with pytest.raises(NothingFound):
        desk.set_disabled("nobody", True, OPERATOR)


def test_breaking_the_glass_takes_a_reason_opens_one_patient_and_ends(
    desk: PeopleDesk, clock: Clock, database: Database
) -> None:
    pharmacist = Actor("pat", "visit-1", "pharmacist")
    with database.begin() as tx:
        p1, p2 = (patients.create(tx, name, date(1970, 1, 1), "male").patient_id for name in ("One", "Two"))
    with pytest.raises(UploadRejected, match="takes a reason"):
        desk.break_glass(p1, "  ok ", pharmacist)
    with pytest.raises(NothingFound):
        desk.break_glass("nobody", "unconscious at the counter, allergies needed", pharmacist)
    desk.break_glass(p1, "unconscious at the counter, allergies needed", pharmacist)
    assert desk.glass_is_broken(pharmacist, p1)
    assert not desk.glass_is_broken(pharmacist, p2)
    assert not desk.glass_is_broken(Actor("pat", "visit-2", "pharmacist"), p1)
    clock.goes(minutes=16)
    assert not desk.glass_is_broken(pharmacist, p1)
    with database.read() as tx:
        assert audit.of_patient(tx, p1)[-1].detail.startswith("BREAK GLASS: unconscious")
