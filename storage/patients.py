"""Patients: created once, found by any word of the name, by record number, or by a misspelt name."""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from domain.errors import NotAllowed, NothingFound
from domain.name_keys import consonants, keys_of
from domain.patient import Patient
from storage.tables import chart_merges, name_keys, name_tokens, patients

FEW_TOKENS = 20_000  # so many names are all compared with a misspelt one
MAX_COMPARED = 5_000  # words of names that share a key with it
MAX_NEAR = 40  # of them that are weighed in detail
MAX_RANKED = 400  # patients whose names may be meant, of whom the likeliest come first
MIN_SLIP_CHARS = 4  # of a word that some names begin with, before others that are one slip away are shown as well
MAX_MEANT = 8  # words that a misspelt one is taken for
MAX_DISTANCE = 0.23  # of 1, on one word: two slips in nine letters; "holoway" finds "holloway"


def create(
    tx: sa.Connection, name: str, birth_date: date, sex: str, record_number: str = "", synthetic: bool = False
) -> Patient:
    """Add a patient; an empty `record_number` is given one. Raises NotAllowed where the number is taken."""
    patient = Patient(
        patient_id=uuid.uuid4().hex,
        name=name,
        birth_date=birth_date,
        sex=sex,
        record_number=record_number or f"HC-{uuid.uuid4().hex[:8].upper()}",
        created_at=datetime.now(UTC),
        synthetic=synthetic,
    )
    number_key = fold(patient.record_number)
    if tx.scalar(sa.select(sa.func.count()).where(patients.c.record_number_key == number_key)):
        raise NotAllowed(
            "Another patient already has this record number, so nobody was added. Open that patient, or check "
            "the number."
        )
    tx.execute(
        patients.insert().values(
            patient_id=patient.patient_id,
            name=patient.name,
            name_key=fold(name),
            birth_date=birth_date,
            sex=sex,
            record_number=patient.record_number,
            record_number_key=number_key,
            created_at=patient.created_at,
            synthetic=synthetic,
        )
    )
    rows = [{"token": token[:100], "patient_id": patient.patient_id} for token in sorted(set(fold(name).split()))]
    if rows:
        tx.execute(name_tokens.insert(), rows)
        keep_keys(tx, (row["token"] for row in rows))
    return patient


def get(tx: sa.Connection, patient_id: str) -> Patient:
    """Raises NothingFound for an unknown id."""
    row = tx.execute(sa.select(patients).where(patients.c.patient_id == patient_id)).first()
    if row is None:
        raise NothingFound("No patient has this id. Choose one from the list, or add the patient first.")
    return _patient(row)


def check_own_chart(tx: sa.Connection, patient_id: str) -> None:
    """After something was filed to a patient: nothing may land in a chart that nobody opens any more.

    A writer that waited for a merge sees it here. Raises NotAllowed, which undoes the filing.
    """
    query = sa.select(chart_merges.c.merge_id).where(chart_merges.c.gone_id == patient_id)
    if patient_id and tx.execute(query.where(chart_merges.c.undone_at.is_(None))).first():
        raise NotAllowed(
            "This chart was merged into another one, so nothing was filed to it. Choose the chart that was kept, and "
            "do it again."
        )


def by_number(tx: sa.Connection, record_number: str) -> Patient | None:
    """Whose record number this is."""
    row = tx.execute(sa.select(patients).where(patients.c.record_number_key == fold(record_number))).first()
    return _patient(row) if row is not None and fold(record_number) else None


def find(tx: sa.Connection, text: str = "", limit: int = 50, born: Sequence[date] = ()) -> tuple[Patient, ...]:
    """Patients by record number, by beginnings of words of the name, then by likeness; all without `text` and `born`.

    `born`: what a date of birth that was typed may mean; who was born then comes first, others after them. Whole words
    come before beginnings. Names one slip away follow where nobody bears the word as it was typed.
    """
    words = fold(text).split()
    found: dict[str, Patient] = {}
    if born or not words:
        if not words:
            listed = _own_charts(born).order_by(patients.c.name_key).limit(limit)
            return tuple(_patient(row) for row in tx.execute(listed))
        found |= _named(tx, words, limit, born)
    if len(found) < limit:
        found |= {own: one for own, one in _named(tx, words, limit).items() if own not in found}
    return tuple(found.values())[:limit]


def _named(tx: sa.Connection, words: list[str], limit: int, born: Sequence[date] = ()) -> dict[str, Patient]:
    """Who is meant by these words, the likeliest first."""
    by_number = _own_charts(born).where(_starts(patients.c.record_number_key, " ".join(words))).limit(limit)
    found = {row.patient_id: _patient(row) for row in tx.execute(by_number)}
    numbered, as_typed = len(found), [[word] for word in words]
    for row in _with_all_words(tx, as_typed, limit, born, whole=True):
        found.setdefault(row.patient_id, _patient(row))
    whole = len(found)
    for row in _with_all_words(tx, as_typed, limit, born) if len(found) < limit else ():
        found.setdefault(row.patient_id, _patient(row))
    if not found or (numbered == 0 and whole == 0 and len(found) < limit):
        slips = 1 if found else None
        alternatives = [[word, *_alike(tx, word, slips)] for word in words]
        rows = _with_all_words(tx, alternatives, MAX_RANKED, born, whole=True)
        if len(rows) < limit and not found:
            rows += _with_all_words(tx, alternatives, MAX_RANKED, born)
        rows.sort(key=lambda row: sum(min(_distance(word, token) for token in row.name_key.split()) for word in words))
        for row in rows[:limit]:
            found.setdefault(row.patient_id, _patient(row))
    return found


def fold(text: str) -> str:
    """For comparison only: without case, accents and punctuation; any script."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return " ".join(re.findall(r"\w+", plain))


def _with_all_words(
    tx: sa.Connection, alternatives: list[list[str]], limit: int, born: Sequence[date] = (), whole: bool = False
) -> list[sa.Row]:
    """Whose name has one of each list of words: `whole`, or beginning so."""
    query = _own_charts(born)
    for options in alternatives:
        starts = sa.or_(*(_starts(name_tokens.c.token, option) for option in options))
        meant = name_tokens.c.token.in_(options) if whole else starts
        query = query.where(patients.c.patient_id.in_(sa.select(name_tokens.c.patient_id).where(meant)))
    # Who is called just so, or begins so, stands before others who bear these words somewhere in their name.
    typed = " ".join(options[0] for options in alternatives)
    begins = sa.case((_starts(patients.c.name_key, typed), 0), else_=1)
    return list(tx.execute(query.order_by(begins, patients.c.name_key).limit(limit)).all())


def _own_charts(born: Sequence[date] = ()) -> sa.Select:
    """Patients whose chart was not merged into another one, all or those born on one of these days."""
    gone = sa.select(chart_merges.c.gone_id).where(chart_merges.c.undone_at.is_(None))
    query = sa.select(patients).where(patients.c.patient_id.notin_(gone))
    return query.where(patients.c.birth_date.in_(born)) if born else query


def _starts(column: sa.Column, prefix: str) -> sa.ColumnElement[bool]:
    # A half-open range uses the index on both databases, whatever their collation of LIKE.
    return sa.and_(column >= prefix, column < prefix + "\U0010ffff")


def keep_keys(tx: sa.Connection, tokens: Iterable[str]) -> None:
    """Keys of these words of names, of those that are not kept yet."""
    insert = postgresql.insert if tx.dialect.name == "postgresql" else sqlite.insert
    rows = [{"key": key, "token": token} for token in tokens for key in sorted(keys_of(token))]
    if rows:
        tx.execute(insert(name_keys).on_conflict_do_nothing(), rows)


def _alike(tx: sa.Connection, word: str, slips: int | None = None) -> list[str]:
    """Words of names that somebody may have meant, the likeliest first; `slips`: at most so many letters away."""
    from rapidfuzz import process
    from rapidfuzz.distance import OSA, JaroWinkler

    keys = sa.select(name_keys.c.token).where(name_keys.c.key.in_(sorted(keys_of(word)))).distinct()
    sharing = tx.scalars(keys.limit(MAX_COMPARED)).all()
    # Two slips and more: among very many names those of about this length that begin alike, among few names all.
    query = sa.select(name_tokens.c.token).distinct()
    if (tx.scalar(sa.select(sa.func.count()).select_from(name_tokens)) or 0) > FEW_TOKENS:
        near_length = sa.func.length(name_tokens.c.token).between(len(word) - 2, len(word) + 2)
        query = query.where(_starts(name_tokens.c.token, word[:2] if len(word) > 3 else word[:1]), near_length)
    near = {
        token
        for pool in (sharing, tx.scalars(query).all())
        for scorer in (JaroWinkler.normalized_distance, OSA.normalized_distance)
        for token, _, _ in process.extract(word, pool, scorer=scorer, limit=MAX_NEAR)
    }
    if slips is not None:  # of a short word every second name is one slip away
        near = {one for one in near if len(word) >= MIN_SLIP_CHARS and OSA.distance(word, one) <= slips}
    ranked = sorted((_distance(word, token), token) for token in near)
    return [token for distance, token in ranked[:MAX_MEANT] if distance <= MAX_DISTANCE]


def _distance(word: str, token: str) -> float:
    """0 for the same word, 1 for one that has nothing in common.

    A slip (a letter too many, missing, swapped or other) counts as its share of the longer word, half of that in a word
    that sounds the same; or, where that is less, by Jaro-Winkler, to which the beginning matters most.
    """
    from rapidfuzz.distance import OSA, JaroWinkler

    slips = OSA.normalized_distance(word, token)
    sound = consonants(word)
    same_sound = sound and sound == consonants(token)
    return min(slips / 2 if same_sound else slips, JaroWinkler.normalized_distance(word, token))


def _patient(row: sa.Row) -> Patient:
    return Patient(
        patient_id=row.patient_id,
        name=row.name,
        birth_date=row.birth_date,
        sex=row.sex,
        record_number=row.record_number,
        created_at=_aware(row.created_at),
        synthetic=row.synthetic,
    )


def _aware(moment: datetime) -> datetime:
    """SQLite gives back what was stored in UTC without its zone."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
