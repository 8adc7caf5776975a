"""From one schema of the database to the next: small numbered steps, applied in order, never changed afterwards."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from domain.audit import HASHED_FIELDS, hashed_content
from domain.merkle import Growing, leaf_hash
from domain.name_keys import keys_of
from storage.tables import (
    accounts,
    broken_glass,
    chart_dismissals,
    chart_files,
    chart_imports,
    chart_merges,
    choices,
    consultation_addenda,
    consultation_versions,
    consultations,
    corrections,
    documents,
    events,
    fact_places,
    failed_sign_ins,
    metadata,
    name_keys,
    name_tokens,
    pages,
    patients,
    prescription_fillings,
    prescriptions,
    reading_feedback,
    readings,
    sign_ins,
    trail_edge,
    trail_head,
    trail_nodes,
)


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
