"""Accounts, their visits, failed log-ins, and broken glass. Keeps password hashes, never passwords or tokens."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa

from domain.errors import NotAllowed, NothingFound
from domain.people import Account, Role
from storage.tables import accounts, broken_glass, failed_sign_ins, sign_ins


def add(tx: sa.Connection, name: str, role: Role, password_hash: str, now: datetime) -> Account:
    """Raises NotAllowed when the name is taken."""
    if tx.scalar(sa.select(accounts.c.name).where(accounts.c.name == name)):
        raise NotAllowed("There is an account of this name already, so none was added. Choose another name.")
    tx.execute(
        accounts.insert().values(
            name=name, role=role.value, password_hash=password_hash, disabled=False, created_at=now
        )
    )
    return Account(name, role, False, now)


def all_of(tx: sa.Connection) -> tuple[Account, ...]:
    """Every account, by name."""
    return tuple(_account(row) for row in tx.execute(sa.select(accounts).order_by(accounts.c.name)))


def get(tx: sa.Connection, name: str) -> Account:
    """Raises NothingFound."""
    row = tx.execute(sa.select(accounts).where(accounts.c.name == name)).one_or_none()
    if row is None:
        raise NothingFound("There is no account of this name. List them with: python -m pipelines accounts list")
    return _account(row)


def password_hash(tx: sa.Connection, name: str) -> str:
    """The stored hash of an account that may sign in; "" for any other."""
    query = sa.select(accounts.c.password_hash).where(accounts.c.name == name, accounts.c.disabled.is_(False))
    return tx.scalar(query) or ""


def change(
    tx: sa.Connection,
    name: str,
    password_hash: str | None = None,
    role: Role | None = None,
    disabled: bool | None = None,
) -> Account:
    """Change what is given; all visits of the account end. Raises NothingFound."""
    get(tx, name)
    values = {"password_hash": password_hash, "role": role.value if role else None, "disabled": disabled}
    given = {key: value for key, value in values.items() if value is not None}
    tx.execute(accounts.update().where(accounts.c.name == name).values(**given))
    tx.execute(sign_ins.delete().where(sign_ins.c.account == name))
    return get(tx, name)


def begin(tx: sa.Connection, token_sha256: str, name: str, now: datetime) -> None:
    """A visit begins."""
    tx.execute(sign_ins.insert().values(token_sha256=token_sha256, account=name, begun_at=now, seen_at=now))


def visit(tx: sa.Connection, token_sha256: str) -> tuple[Account, datetime, datetime] | None:
    """Whose visit it is, when it began, and when it was last seen; None for an unknown or disabled one."""
    query = (
        sa.select(accounts, sign_ins.c.begun_at, sign_ins.c.seen_at)
        .join(sign_ins, sign_ins.c.account == accounts.c.name)
        .where(sign_ins.c.token_sha256 == token_sha256, accounts.c.disabled.is_(False))
    )
    row = tx.execute(query).one_or_none()
    return None if row is None else (_account(row), _aware(row.begun_at), _aware(row.seen_at))


def seen(tx: sa.Connection, token_sha256: str, now: datetime) -> None:
    tx.execute(sign_ins.update().where(sign_ins.c.token_sha256 == token_sha256).values(seen_at=now))


def end(tx: sa.Connection, token_sha256: str) -> None:
    """A visit ends; so does what it broke the glass for."""
    tx.execute(sign_ins.delete().where(sign_ins.c.token_sha256 == token_sha256))


def end_older(tx: sa.Connection, begun_before: datetime, seen_before: datetime) -> None:
    """Forget the visits that time has ended."""
    tx.execute(sign_ins.delete().where(sa.or_(sign_ins.c.begun_at < begun_before, sign_ins.c.seen_at < seen_before)))


def failures(tx: sa.Connection, name: str) -> tuple[int, datetime | None]:
    """How often in a row signing in as `name` failed, known or not, and when last."""
    row = tx.execute(sa.select(failed_sign_ins).where(failed_sign_ins.c.name == name)).one_or_none()
    return (0, None) if row is None else (row.count, _aware(row.last_at))


def fail(tx: sa.Connection, name: str, now: datetime) -> None:
    count, _ = failures(tx, name)
    forgive(tx, name)
    tx.execute(failed_sign_ins.insert().values(name=name, count=count + 1, last_at=now))


def forgive(tx: sa.Connection, name: str) -> None:
    tx.execute(failed_sign_ins.delete().where(failed_sign_ins.c.name == name))


def break_glass(tx: sa.Connection, session: str, patient_id: str, until: datetime) -> None:
    """One visit may read one patient's records until then."""
    here = sa.and_(broken_glass.c.session == session, broken_glass.c.patient_id == patient_id)
    tx.execute(broken_glass.delete().where(here))
    tx.execute(broken_glass.insert().values(session=session, patient_id=patient_id, until=until))


def glass_is_broken(tx: sa.Connection, session: str, patient_id: str, now: datetime) -> bool:
    until = tx.scalar(
        sa.select(broken_glass.c.until).where(
            broken_glass.c.session == session, broken_glass.c.patient_id == patient_id
        )
    )
    return until is not None and _aware(until) > now


def _account(row: sa.Row) -> Account:
    return Account(row.name, Role(row.role), bool(row.disabled), _aware(row.created_at))


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)  # SQLite keeps no zone
