"""Files that came inside FHIR resources: where their bytes are, and which record was made of each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from storage.tables import chart_files, chart_imports, documents


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file of an imported resource. `number`: which of its files, from 0; `dated`: the day the resource bears."""

    import_id: str
    number: int
    sha256: str
    content_type: str
    title: str
    dated: date | None
    may_file: bool


def keep(tx: sa.Connection, files: Iterable[KeptFile]) -> None:
    """Remember files whose bytes are in the file store."""
    rows = [
        {
            "import_id": one.import_id, "number": one.number, "sha256": one.sha256, "title": one.title[:300],
            "content_type": one.content_type[:100], "dated": one.dated, "may_file": one.may_file, "document_id": None,
        }
        for one in files
    ]  # fmt: skip
    if rows:
        tx.execute(chart_files.insert(), rows)


def waiting(tx: sa.Connection, patient_id: str) -> tuple[KeptFile, ...]:
    """Files of this patient's imports that could be records and are none yet: new ones, and what a crash left."""
    columns = [chart_files.c[name] for name in KeptFile.__dataclass_fields__]
    joined = chart_files.join(chart_imports, chart_files.c.import_id == chart_imports.c.import_id)
    query = sa.select(*columns).select_from(joined).where(
        chart_imports.c.patient_id == patient_id, chart_files.c.may_file, chart_files.c.document_id.is_(None)
    )  # fmt: skip
    return tuple(KeptFile(**row._mapping) for row in tx.execute(query.order_by(chart_files.c.import_id, "number")))


def filed(tx: sa.Connection, one: KeptFile, document_id: str) -> None:
    """This record was made of the file."""
    this = sa.and_(chart_files.c.import_id == one.import_id, chart_files.c.number == one.number)
    tx.execute(chart_files.update().where(this).values(document_id=document_id))


def twins(tx: sa.Connection, patient_id: str) -> dict[str, str]:
    """Records that were made of files of this patient's imports: SHA-256 of the file to id of the record."""
    joined = chart_files.join(chart_imports, chart_files.c.import_id == chart_imports.c.import_id)
    query = sa.select(chart_files.c.sha256, chart_files.c.document_id).select_from(joined)
    rows = tx.execute(query.where(chart_imports.c.patient_id == patient_id, chart_files.c.document_id.is_not(None)))
    return {row.sha256: row.document_id for row in rows}


def records_of(tx: sa.Connection, patient_id: str) -> dict[str, str]:
    """Records of this patient that were made of files of imports that are this patient's too: id to id of the import.

    A record that was moved to somebody else since is not among them, nor is one whose import was.
    """
    joined = chart_files.join(chart_imports, chart_files.c.import_id == chart_imports.c.import_id).join(
        documents, chart_files.c.document_id == documents.c.document_id
    )
    query = sa.select(chart_files.c.document_id, chart_files.c.import_id).select_from(joined)
    rows = tx.execute(query.where(chart_imports.c.patient_id == patient_id, documents.c.patient_id == patient_id))
    return {row.document_id: row.import_id for row in rows}


def files_in_use(tx: sa.Connection) -> frozenset[str]:
    """SHA-256 of every file that an imported resource still needs."""
    return frozenset(tx.scalars(sa.select(chart_files.c.sha256)))
