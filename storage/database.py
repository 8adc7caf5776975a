"""The database: tables, numbered migrations, and transactions. SQLite (WAL) by default, PostgreSQL by URL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError

from domain.audit import HASHED_FIELDS, hashed_content
from domain.errors import HealthConnectError, StorageFailed
from domain.merkle import Growing, leaf_hash
from domain.name_keys import keys_of

MAX_CHECKED_BYTES = 256 << 20  # 256 MiB, read in about half a second; a larger database would hold up every start
BUSY_TIMEOUT_MS = 15_000  # how long a writer waits for another before it gives up

metadata = sa.MetaData()

patients = sa.Table(
    "patients",
    metadata,
    sa.Column("patient_id", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(300), nullable=False),
    sa.Column("name_key", sa.String(400), nullable=False, index=True),
    sa.Column("birth_date", sa.Date, nullable=False),
    sa.Column("sex", sa.String(16), nullable=False),
    sa.Column("record_number", sa.String(64), nullable=False),
    sa.Column("record_number_key", sa.String(64), nullable=False, unique=True),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("synthetic", sa.Boolean, nullable=False),
)

name_tokens = sa.Table(
    "name_tokens",  # every word of every name, so that a prefix of any of them is an index look-up
    metadata,
    sa.Column("token", sa.String(100), primary_key=True),
    sa.Column("patient_id", sa.ForeignKey("patients.patient_id", ondelete="CASCADE"), primary_key=True),
)

name_keys = sa.Table(
    "name_keys",  # of every such word, once: a misspelt one is an index look-up too; see domain/name_keys.py
    metadata,
    sa.Column("key", sa.String(100), primary_key=True),
    sa.Column("token", sa.String(100), primary_key=True),
)

documents = sa.Table(
    "documents",
    metadata,
    sa.Column("document_id", sa.String(64), primary_key=True),
    sa.Column("patient_id", sa.ForeignKey("patients.patient_id"), nullable=True, index=True),
    sa.Column("title", sa.String(300), nullable=False),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("language", sa.String(16), nullable=False),
    sa.Column("document_date", sa.Date, nullable=True),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, index=True),
    sa.Column("model_id", sa.String(100), nullable=False),
    sa.Column("model_revision", sa.String(100), nullable=False),
    sa.Column("warnings", sa.JSON, nullable=False),
    sa.Column("facts", sa.JSON, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("page_count", sa.Integer, nullable=False),
    sa.Column("confidence", sa.Float, nullable=False),
    sa.Column("source_sha256", sa.String(64), nullable=False, index=True),
    sa.Column("source_name", sa.String(300), nullable=False),
    sa.Column("pdf_sha256", sa.String(64), nullable=False),
    sa.Column("indexed_revision", sa.Integer, nullable=False),  # below `revision`: the search index is behind
)

pages = sa.Table(
    "pages",
    metadata,
    sa.Column("document_id", sa.ForeignKey("documents.document_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("content", sa.JSON, nullable=False),
)

corrections = sa.Table(
    "corrections",
    metadata,
    sa.Column("correction_id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("document_id", sa.ForeignKey("documents.document_id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("page", sa.Integer, nullable=False),
    sa.Column("word_index", sa.Integer, nullable=False),
    sa.Column("old_text", sa.Text, nullable=False),
    sa.Column("new_text", sa.Text, nullable=False),
    sa.Column("corrected_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("corrected_by", sa.String(200), nullable=False),
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("index", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.String(40), nullable=False),
    sa.Column("who", sa.String(200), nullable=False),
    sa.Column("session", sa.String(100), nullable=False),
    sa.Column("role", sa.String(40), nullable=False),
    sa.Column("action", sa.String(1), nullable=False),
    sa.Column("entity", sa.String(200), nullable=False),
    sa.Column("patient_id", sa.String(64), nullable=False, index=True),
    sa.Column("detail", sa.String(400), nullable=False),
    sa.Column("model_id", sa.String(100), nullable=False),
    sa.Column("model_revision", sa.String(100), nullable=False),
    sa.Column("chained", sa.String(64), nullable=False),
)

trail_head = sa.Table(
    "trail_head",  # one row; writers lock it, so that two events never claim the same place
    metadata,
    sa.Column("one", sa.Integer, primary_key=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("chained", sa.String(64), nullable=False),
)

trail_edge = sa.Table(
    "trail_edge",  # one row: the right edge of the trail's Merkle tree, so that an append reads nothing else
    metadata,
    sa.Column("one", sa.Integer, primary_key=True),
    sa.Column("edge", sa.Text, nullable=False),  # hex digests of the finished subtrees, largest first
)

trail_nodes = sa.Table(
    "trail_nodes",  # every finished node of that tree; level 0 are the leaves
    metadata,
    sa.Column("level", sa.SmallInteger, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("digest", sa.LargeBinary(32), nullable=False),
)

choices = sa.Table(
    "choices",  # which model a task uses, as chosen on the Models page
    metadata,
    sa.Column("task", sa.String(60), primary_key=True),
    sa.Column("model_id", sa.String(100), nullable=False),
)

prescriptions = sa.Table(
    "prescriptions",
    metadata,
    sa.Column("prescription_id", sa.String(64), primary_key=True),
    sa.Column("patient_id", sa.ForeignKey("patients.patient_id"), nullable=True, index=True),  # null: issued elsewhere
    sa.Column("short_code", sa.String(20), nullable=True, unique=True),
    sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("content", sa.JSON, nullable=False),
    sa.Column("fillings", sa.Integer, nullable=False),  # how many rows prescription_fillings holds
    sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("revoked_by", sa.String(200), nullable=False),
    sa.Column("revoked_reason", sa.String(400), nullable=False),
)

prescription_fillings = sa.Table(
    "prescription_fillings",  # rows are added, never changed: what left the pharmacy cannot be unsaid
    metadata,
    sa.Column("prescription_id", sa.ForeignKey("prescriptions.prescription_id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),  # from 1; two writers cannot both take the same
    sa.Column("medicine", sa.Integer, nullable=False),
    sa.Column("thousandths", sa.BigInteger, nullable=False),
    sa.Column("dispensed_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("dispensed_by", sa.String(200), nullable=False),
)

consultations = sa.Table(
    "consultations",
    metadata,
    sa.Column("consultation_id", sa.String(64), primary_key=True),
    sa.Column("patient_id", sa.ForeignKey("patients.patient_id"), nullable=True, index=True),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("transcript_version", sa.Integer, nullable=False),
    sa.Column("note_version", sa.Integer, nullable=False),  # 0: no draft yet
    sa.Column("audio_sha256", sa.String(64), nullable=False),  # empty: imported as text, or deleted after signing
    sa.Column("audio_type", sa.String(60), nullable=False),
    sa.Column("signature", sa.JSON(none_as_null=True), nullable=True),
)

consultation_versions = sa.Table(
    "consultation_versions",  # rows are added, never changed, until an unsigned visit is discarded as a whole
    metadata,
    sa.Column("consultation_id", sa.ForeignKey("consultations.consultation_id"), primary_key=True),
    sa.Column("kind", sa.String(16), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("content", sa.JSON, nullable=False),
    sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("made_by", sa.String(200), nullable=False),
    sa.Column("reason", sa.String(200), nullable=False),
)

consultation_addenda = sa.Table(
    "consultation_addenda",
    metadata,
    sa.Column("consultation_id", sa.ForeignKey("consultations.consultation_id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("content", sa.JSON, nullable=False),
)

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("name", sa.String(60), primary_key=True),
    sa.Column("role", sa.String(20), nullable=False),
    sa.Column("password_hash", sa.String(300), nullable=False),
    sa.Column("disabled", sa.Boolean, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
)

sign_ins = sa.Table(
    "sign_ins",  # visits that last; the token itself is nowhere kept
    metadata,
    sa.Column("token_sha256", sa.String(64), primary_key=True),
    sa.Column("account", sa.ForeignKey("accounts.name", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
)

failed_sign_ins = sa.Table(
    "failed_sign_ins",  # by name, whether or not there is such an account
    metadata,
    sa.Column("name", sa.String(60), primary_key=True),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
)

broken_glass = sa.Table(
    "broken_glass",
    metadata,
    sa.Column("session", sa.String(100), primary_key=True),
    sa.Column("patient_id", sa.String(64), primary_key=True),
    sa.Column("until", sa.DateTime(timezone=True), nullable=False),
)

readings = sa.Table(
    "readings",  # of scans; a row is never changed but for whose it is
    metadata,
    sa.Column("reading_id", sa.String(64), primary_key=True),
    sa.Column("patient_id", sa.ForeignKey("patients.patient_id"), nullable=True, index=True),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("task", sa.String(60), nullable=False),
    sa.Column("model_id", sa.String(100), nullable=False),
    sa.Column("model_revision", sa.String(100), nullable=False),
    sa.Column("outside", sa.JSON, nullable=False),
    sa.Column("source_sha256", sa.String(64), nullable=False, index=True),
    sa.Column("picture_sha256", sa.String(64), nullable=False),
    sa.Column("overlay_sha256", sa.String(64), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
)

reading_feedback = sa.Table(
    "reading_feedback",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("reading_id", sa.ForeignKey("readings.reading_id"), nullable=False, index=True),
    sa.Column("opinion", sa.String(20), nullable=False),
    sa.Column("reason", sa.String(500), nullable=False),
    sa.Column("who", sa.String(200), nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
)

fact_places = sa.Table(
    "fact_places",  # boxes of each fact of a record, so that a chart of 500 records reads no page
    metadata,
    sa.Column("document_id", sa.ForeignKey("documents.document_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("boxes", sa.JSON, nullable=False),  # one list of boxes for each of documents.facts
)

chart_dismissals = sa.Table(
    "chart_dismissals",  # rows are added, and closed by reopening; the reasons stay
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("patient_id", sa.ForeignKey("patients.patient_id"), nullable=False, index=True),
    sa.Column("item", sa.String(64), nullable=False),
    sa.Column("reason", sa.String(400), nullable=False),
    sa.Column("who", sa.String(200), nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("reopened_by", sa.String(200), nullable=True),
    sa.Column("reopened_at", sa.DateTime(timezone=True), nullable=True),
)

chart_merges = sa.Table(
    "chart_merges",  # what went from one record of a person to the other, so that it can go back
    metadata,
    sa.Column("merge_id", sa.String(64), primary_key=True),
    sa.Column("kept_id", sa.ForeignKey("patients.patient_id"), nullable=False, index=True),
    sa.Column("gone_id", sa.ForeignKey("patients.patient_id"), nullable=False, index=True),
    sa.Column("moved", sa.JSON, nullable=False),  # table name to ids
    sa.Column("reason", sa.String(400), nullable=False),
    sa.Column("who", sa.String(200), nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("undone_by", sa.String(200), nullable=True),
    sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
)

chart_imports = sa.Table(
    "chart_imports",  # FHIR resources as they came from elsewhere, word for word
    metadata,
    sa.Column("import_id", sa.String(64), primary_key=True),
    sa.Column("patient_id", sa.ForeignKey("patients.patient_id"), nullable=False, index=True),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("kind", sa.String(64), nullable=False),
    sa.Column("full_url", sa.String(500), nullable=False),
    sa.Column("content", sa.JSON, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
)

chart_files = sa.Table(
    "chart_files",  # files that such resources carry: bytes in the file store, a mark in the resource
    metadata,
    sa.Column("import_id", sa.ForeignKey("chart_imports.import_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("content_type", sa.String(100), nullable=False),
    sa.Column("title", sa.String(300), nullable=False),
    sa.Column("dated", sa.Date, nullable=True),
    sa.Column("may_file", sa.Boolean, nullable=False),  # as a record of its own
    sa.Column("document_id", sa.ForeignKey("documents.document_id", ondelete="SET NULL"), nullable=True, index=True),
)

schema_version = sa.Table("schema_version", metadata, sa.Column("version", sa.Integer, primary_key=True))


def _m001_records(connection: sa.Connection) -> None:
    """Patients, documents, their pages and corrections, and the trail."""
    first = [patients, name_tokens, documents, pages, corrections, events, trail_head, choices]
    metadata.create_all(connection, tables=first)
    connection.execute(trail_head.insert().values(one=1, size=0, chained=""))


def _m002_prescriptions(connection: sa.Connection) -> None:
    """Prescriptions and what was handed out on them."""
    metadata.create_all(connection, tables=[prescriptions, prescription_fillings])


def _m003_trail_tree(connection: sa.Connection) -> None:
    """The Merkle tree of the trail, grown over the events that are there already."""
    metadata.create_all(connection, tables=[trail_edge, trail_nodes])
    tree, columns = Growing(), [events.c[name] for name in HASHED_FIELDS]
    for row in connection.execute(sa.select(*columns).order_by(events.c["index"])).all():
        nodes = tree.append(leaf_hash(hashed_content(row)))
        rows = [{"level": level, "number": number, "digest": digest} for level, number, digest in nodes]
        connection.execute(trail_nodes.insert(), rows)
    connection.execute(trail_edge.insert().values(one=1, edge=b"".join(tree.edge).hex()))


def _m004_consultations(connection: sa.Connection) -> None:
    """Visits: transcripts and notes with their versions, and addenda."""
    metadata.create_all(connection, tables=[consultations, consultation_versions, consultation_addenda])


def _m005_people(connection: sa.Connection) -> None:
    """Accounts, their visits, failed log-ins, and broken glass."""
    metadata.create_all(connection, tables=[accounts, sign_ins, failed_sign_ins, broken_glass])


def _m006_readings(connection: sa.Connection) -> None:
    """Readings of scans, and opinions on them."""
    metadata.create_all(connection, tables=[readings, reading_feedback])


def _m007_charts(connection: sa.Connection) -> None:
    """Where the facts of records stand, what was set aside on a chart, merged patients, and imported resources."""
    metadata.create_all(connection, tables=[fact_places, chart_dismissals, chart_merges, chart_imports])


def _m008_likeness(connection: sa.Connection) -> None:
    """Keys of the names there are; and where the facts stand of records that an older program filed."""
    from storage import fact_places as places  # which itself needs the tables above

    metadata.create_all(connection, tables=[name_keys])
    tokens = connection.scalars(sa.select(name_tokens.c.token).distinct()).all()
    for start in range(0, len(tokens), 1000):
        rows = [{"key": key, "token": token} for token in tokens[start : start + 1000] for key in keys_of(token)]
        connection.execute(name_keys.insert(), rows)
    places.fill(connection)


def _m009_chart_files(connection: sa.Connection) -> None:
    """Files that came inside FHIR resources."""
    metadata.create_all(connection, tables=[chart_files])


MIGRATIONS: tuple[Callable[[sa.Connection], None], ...] = (
    _m001_records,
    _m002_prescriptions,
    _m003_trail_tree,
    _m004_consultations,
    _m005_people,
    _m006_readings,
    _m007_charts,
    _m008_likeness,
    _m009_chart_files,
)


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
