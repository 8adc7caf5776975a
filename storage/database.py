"""The database: opened, brought up to date, and its transactions. SQLite (WAL) by default, PostgreSQL by URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError

from domain.errors import HealthConnectError, StorageFailed
from storage.migrations import MIGRATIONS
from storage.tables import metadata, schema_version

MAX_CHECKED_BYTES = 256 << 20  # 256 MiB, read in about half a second; a larger database would hold up every start
BUSY_TIMEOUT_MS = 15_000  # how long a writer waits for another before it gives up


class DatabaseDamaged(StorageFailed):
    """The database is there and cannot be read: a backup is what helps."""


class Database:
    """Opens the database, brings its schema up to date, and hands out transactions."""

    def __init__(self, url: str) -> None:
        """Raises DatabaseDamaged, or StorageFailed when it cannot be reached or is newer than this program."""
        self.engine = _engine(url)
        try:
            _check_whole(self.engine)
            self._migrate()
        except SQLAlchemyError as error:
            raise DatabaseDamaged(
                "The database cannot be opened: it is damaged or cannot be reached. Check "
                "HEALTH_CONNECT_DATABASE_URL, or restore the last backup."
            ) from error

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """A transaction for a change: all of it, or none. Raises StorageFailed when the database refuses."""
        with self._translated(), self.engine.connect().execution_options(health_connect_write=True) as connection:
            with connection.begin():
                yield connection

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A transaction that only reads, of one consistent state."""
        with self._translated(), self.engine.connect() as connection, connection.begin():
            yield connection

    def close(self) -> None:
        self.engine.dispose()

    def _migrate(self) -> None:
        with self.engine.connect().execution_options(health_connect_write=True) as connection, connection.begin():
            metadata.create_all(connection, tables=[schema_version])
            version = connection.scalar(sa.select(sa.func.max(schema_version.c.version))) or 0
            if version > len(MIGRATIONS):
                raise StorageFailed(
                    f"The database is of schema {version}, this program knows {len(MIGRATIONS)}. "
                    "Start the newer program that wrote it."
                )
            for number, migrate in enumerate(MIGRATIONS[version:], start=version + 1):
                migrate(connection)
                connection.execute(schema_version.insert().values(version=number))

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except HealthConnectError:
            raise
        except SQLAlchemyError as error:
            raise StorageFailed(
                "The database did not accept this change, so nothing of it was kept. Try again; if it stays, "
                "look at the server's log and disk space."
            ) from error


def _check_whole(engine: sa.Engine) -> None:
    """Damage inside an SQLite file shows at start, not in the middle of a patient's chart. Raises DatabaseDamaged."""
    file = Path(engine.url.database or "")
    if engine.dialect.name != "sqlite" or not file.is_file() or file.stat().st_size > MAX_CHECKED_BYTES:
        return
    with engine.connect() as connection:
        found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    if found != "ok":
        raise DatabaseDamaged(
            "The database is damaged: parts of it cannot be read. It was left as it is. Restore the last backup."
        )


def _engine(url: str) -> sa.Engine:
    if not url.startswith("sqlite"):
        return sa.create_engine(url, pool_pre_ping=True)
    engine = sa.create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _prepare(raw, _record) -> None:  # type: ignore[no-untyped-def]
        raw.isolation_level = None  # we send BEGIN ourselves; the driver's own is late and breaks isolation
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_TIMEOUT_MS}"):
            raw.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        # A writer takes the lock at once: a reader that turns writer midway would fail instead of waiting.
        writes = connection.get_execution_options().get("health_connect_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
