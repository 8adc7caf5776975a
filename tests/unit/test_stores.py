"""The stores: what is filed comes back the same, changes leave a trail, and tampering is found."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import settings as with_settings
from hypothesis import strategies as st

from domain.audit import Action, Actor
from domain.document import Box, Fact, FactKind, OcrDocument, OcrPage, PageSource, TextLine, TextWord
from domain.errors import NotAllowed, NothingFound, StorageFailed, UploadRejected
from domain.models import ModelStamp
from pipelines.patient_desk import PatientDesk
from storage import audit, choices, documents, patients
from storage.database import Database
from storage.documents import Filing
from storage.files import FileStore
from storage.page_codec import fact_from_json, fact_to_json, page_from_json, page_to_json
from storage.tables import events

FILING = Filing("a" * 64, "", "b" * 64)

sides = st.floats(0, 5000, allow_nan=False)
words = st.builds(
    lambda text, confidence, x, y, machine: TextWord(
        text, confidence, ((x, y), (x + 9, y), (x + 9, y + 5), (x, y + 5)), machine
    ),
    st.text(min_size=1, max_size=12), st.floats(0, 1), sides, sides, st.none() | st.text(max_size=5),
)  # fmt: skip
pages = st.builds(
    OcrPage,
    number=st.just(1), width_px=st.integers(1, 9000), height_px=st.integers(1, 9000), dpi=st.floats(30, 1200),
    rotation_deg=st.sampled_from([0, 90, 180, 270]), skew_deg=st.floats(-45, 45), source=st.sampled_from(PageSource),
    lines=st.lists(st.builds(TextLine, st.lists(words, max_size=4).map(tuple)), max_size=4).map(tuple),
    warnings=st.lists(st.text(max_size=20), max_size=2).map(tuple),
)  # fmt: skip


@pytest.fixture
def database(data_dir: Path) -> Database:
    data_dir.mkdir()
    return Database(f"sqlite:///{data_dir / 'records.sqlite'}")


def record(
    document_id: str = "d1", patient_id: str = "", texts: tuple[str, ...] = ("denies", "orthopnea")
) -> OcrDocument:
    line = TextLine(tuple(TextWord.upright(t, 0.5, Box(10 * i, 0, 10 * i + 9, 5)) for i, t in enumerate(texts)))
    page = OcrPage(1, 100, 50, 300.0, 0, 0.0, PageSource.OCR, (line,))
    fact = Fact(FactKind.DIAGNOSIS, "x", "x", 1, (1,), 0.5, negated=True)
    return OcrDocument(
        document_id, patient_id, "Letter", (page,), ModelStamp("m", "1"), datetime.now(UTC),
        document_date=date(2024, 3, 9), facts=(fact,), warnings=("w",),
    )  # fmt: skip


@given(pages)
@with_settings(max_examples=60, deadline=None)
def test_a_page_survives_the_store_exactly(page: OcrPage) -> None:
    import json

    assert page_from_json(1, json.loads(json.dumps(page_to_json(page)))) == page


def test_a_fact_survives_the_store_exactly() -> None:
    fact = Fact(FactKind.LAB, "Potassium", "5.4", 2, (3, 4), 0.7, "mmol/L", "high", "3.5-5.3", False)
    assert fact_from_json(fact_to_json(fact)) == fact


def test_a_filed_record_comes_back_as_it_was(database: Database) -> None:
    filed = record()
    with database.begin() as tx:
        documents.file(tx, filed, FILING)
    with database.read() as tx:
        assert documents.get(tx, "d1") == filed
        assert documents.behind_index(tx) == ("d1",)
        assert documents.same_source(tx, "a" * 64, "") == "d1"
        assert documents.summaries(tx)[0].confidence == pytest.approx(0.5)


def test_a_correction_keeps_the_old_reading(database: Database) -> None:
    with database.begin() as tx:
        documents.file(tx, record(), FILING)
        documents.mark_indexed(tx, "d1", 1)
    for text in ("orthopnea,", "orthopnoea"):
        with database.begin() as tx:
            after, _ = documents.correct_word(tx, "d1", 1, 1, text, "nurse")
    with database.read() as tx:
        word = documents.get(tx, "d1").pages[0].words[1]
        assert (word.text, word.confidence, word.machine_text) == ("orthopnoea", 1.0, "orthopnea")
        assert [(c.old_text, c.new_text) for c in documents.history(tx, "d1")] == [
            ("orthopnea", "orthopnea,"), ("orthopnea,", "orthopnoea"),
        ]  # fmt: skip
        assert documents.behind_index(tx) == ("d1",)
    assert after.revision == 3


@pytest.mark.parametrize("text", ["", "   ", "x" * 201, "a\x00b"])
def test_what_is_no_word_is_refused_and_changes_nothing(database: Database, text: str) -> None:
    with database.begin() as tx:
        documents.file(tx, record(), FILING)
    with pytest.raises(UploadRejected), database.begin() as tx:
        documents.correct_word(tx, "d1", 1, 1, text, "nurse")
    with database.read() as tx:
        assert documents.get(tx, "d1").pages == record().pages
        assert documents.history(tx, "d1") == ()


def test_an_unfinished_transaction_leaves_nothing(database: Database, nurse: Actor) -> None:
    with pytest.raises(RuntimeError), database.begin() as tx:  # noqa: PT012 - the point is what happens before it
        documents.file(tx, record(), FILING)
        audit.append(tx, nurse, Action.CREATE, "DocumentReference/d1")
        raise RuntimeError("the power goes out")
    with database.read() as tx:
        assert documents.all_ids(tx) == ()
        assert audit.checkpoint(tx).size == 0


def test_patients_are_found_by_any_part_of_the_name_by_number_and_misspelt(database: Database) -> None:
    with database.begin() as tx:
        holloway = patients.create(tx, "Margaret A. Holloway", date(1951, 11, 7), "female", "4471-09283")
        patients.create(tx, "José Ñúñez", date(1960, 1, 2), "male")
    with database.read() as tx:
        for text in ("marg", "Holl marg", "4471", "holoway", "HOLLOWAY"):
            assert [p.patient_id for p in patients.find(tx, text)] == [holloway.patient_id], text
        assert [p.name for p in patients.find(tx, "nunez")] == ["José Ñúñez"]
        assert patients.find(tx, "zzzzqq") == ()
        assert len(patients.find(tx)) == 2
        with pytest.raises(NothingFound):
            patients.get(tx, "nobody")
    with pytest.raises(NotAllowed), database.begin() as tx:
        patients.create(tx, "Another", date(1960, 1, 2), "male", "4471 09283")


SLIPS = {
    "Johnson": ("Jhonson", "Ojhnson", "ohnson", "Jonson", "Jomhson", "Johnnson", "Johnsen"),
    "Catherine": ("Katherine", "Katerine", "Cahterine", "atherine", "Kathryn", "Catehrine"),
    "Schmidt": ("Schmitt", "Shmidt", "Scmhidt", "chmidt"),
    "Nguyen": ("Nguyn", "Gnuyen", "guyen", "Nguen"),
    "Владимир": ("Вадимир", "Лвадимир", "Владмир"),
    "محمد": ("مجمد", "حمد"),
}


@pytest.mark.parametrize("few", [0, 20_000], ids=["among very many", "among few"])
@pytest.mark.parametrize(("name", "slip"), [(name, slip) for name, slips in SLIPS.items() for slip in slips])
def test_a_misspelt_name_is_found_wherever_the_slip_is(
    database: Database, monkeypatch: pytest.MonkeyPatch, few: int, name: str, slip: str
) -> None:
    monkeypatch.setattr(patients, "FEW_TOKENS", few)
    with database.begin() as tx:
        for other in ("Abernathy", "Okonkwo", "Lindqvist", "Petrov", "Farooq", "Delgado", "Moreau"):
            patients.create(tx, f"Noor {other}", date(1970, 1, 1), "female")
        meant = patients.create(tx, f"Ida {name}", date(1970, 1, 1), "female").patient_id
    with database.read() as tx:
        assert [one.patient_id for one in patients.find(tx, slip)] == [meant]
        assert [one.patient_id for one in patients.find(tx, f"ida {slip}")] == [meant]


def test_the_likeliest_of_many_comes_first(database: Database) -> None:
    with database.begin() as tx:
        for number in range(60):
            patients.create(tx, f"Abel Jonsen {number}", date(1970, 1, 1), "male")
        meant = patients.create(tx, "Zoe Johnson", date(1970, 1, 1), "female").patient_id
    with database.read() as tx:
        shown = patients.find(tx, "Jhonson", 5)
    assert shown[0].patient_id == meant
    assert len(shown) == 5


def test_whole_words_come_before_beginnings_and_slips_after_them(database: Database) -> None:
    with database.begin() as tx:
        for name in ("Abel Kazumon", "Abel Kazumono", "Bela Kazumu", "Cora Lindqvist", "Dora Kazumo"):
            patients.create(tx, name, date(1970, 1, 1), "male")
    with database.read() as tx:
        assert [one.name for one in patients.find(tx, "kazumo")] == ["Dora Kazumo", "Abel Kazumon", "Abel Kazumono"]
        shown = [one.name for one in patients.find(tx, "kazum")]
        assert shown == ["Abel Kazumon", "Abel Kazumono", "Bela Kazumu", "Dora Kazumo"]
        assert {one.name for one in patients.find(tx, "kazumom")[:2]} == {"Abel Kazumon", "Dora Kazumo"}
        assert [one.name for one in patients.find(tx, "kazumono")] == ["Abel Kazumono"]


def test_who_is_called_just_so_comes_before_those_who_bear_the_words_somewhere(database: Database) -> None:
    with database.begin() as tx:
        for name in ("Abel Ulla Glass", "Ulla Glass", "Ulla Glassmann", "Glass Ulla"):
            patients.create(tx, name, date(1970, 1, 1), "female")
    with database.read() as tx:
        assert [one.name for one in patients.find(tx, "ulla glass")][:2] == ["Ulla Glass", "Abel Ulla Glass"]
        assert next(iter(patients.find(tx, "ulla gla"))).name.startswith("Ulla Glass")


def test_of_many_namesakes_those_come_first_who_were_born_then(database: Database) -> None:
    with database.begin() as tx:
        for day in range(1, 29):
            patients.create(tx, f"Noor Farooq {day}", date(1970, 2, day), "female")
        meant = patients.create(tx, "Zia Farooq", date(1970, 2, 14), "female")
        patients.create(tx, "Number Date", date(1980, 1, 1), "female", "1999-02-03")
    desk = PatientDesk(database)
    for text in ("Faroqo 14/02/1970", "1970-02-14 zia farooq", "14 February 1970 Farooq"):
        assert meant in desk.find(text, 2), text
        assert desk.find(text, 2)[0].birth_date == date(1970, 2, 14), text
    assert {one.birth_date for one in desk.find("14.2.1970")} == {date(1970, 2, 14)}
    assert desk.find("Zia 1999-12-31")[0] == meant, "a wrong date hides nobody"
    assert [one.name for one in desk.find("1999-02-03")] == ["Number Date"]


def test_names_of_an_older_store_get_their_keys_and_its_records_their_places(data_dir: Path) -> None:
    data_dir.mkdir()
    url = f"sqlite:///{data_dir / 'records.sqlite'}"
    database = Database(url)
    with database.begin() as tx:
        patients.create(tx, "Ida Johnson", date(1970, 1, 1), "female")
        documents.file(tx, record(), FILING)
        for statement in (
            "DROP TABLE name_keys",
            "DELETE FROM fact_places",
            "DELETE FROM schema_version WHERE version > 7",
        ):
            tx.execute(sa.text(statement))
    database.close()
    with Database(url).read() as tx:
        assert tx.scalar(sa.text("SELECT count(*) FROM name_keys WHERE token = 'johnson'")) > 7
        assert tx.scalar(sa.text("SELECT count(*) FROM fact_places")) == 1


@pytest.mark.parametrize(
    ("tamper", "broken_at"),
    [
        (lambda tx: tx.execute(events.update().where(events.c["index"] == 2).values(detail="other")), 2),
        (lambda tx: tx.execute(events.delete().where(events.c["index"] == 1)), 1),
        (lambda tx: tx.execute(events.delete().where(events.c["index"] == 4)), 4),
        (lambda tx: tx.execute(sa.text('UPDATE events SET "index" = "index" + 10 WHERE "index" >= 3')), 3),
    ],
)
def test_the_trail_names_the_first_event_that_was_tampered_with(
    database: Database, nurse: Actor, tamper, broken_at
) -> None:
    for number in range(5):
        with database.begin() as tx:
            audit.append(tx, nurse, Action.READ, f"DocumentReference/{number}", "p1")
    with database.read() as tx:
        assert audit.examine(tx).intact
        assert [event.index for event in audit.of_patient(tx, "p1")] == [0, 1, 2, 3, 4]
    with database.begin() as tx:
        tamper(tx)
    with database.read() as tx:
        assert audit.examine(tx).first_broken == broken_at


def test_model_choices_are_kept(database: Database) -> None:
    with database.begin() as tx:
        choices.choose(tx, "ocr", "a")
        choices.choose(tx, "ocr", "b")
    with database.read() as tx:
        assert choices.all_of(tx) == {"ocr": "b"}


def test_same_bytes_are_kept_once_and_unneeded_files_go(data_dir: Path) -> None:
    import os

    store = FileStore(data_dir / "files")
    first, second = store.keep_bytes(b"one"), store.keep_bytes(b"one")
    other = store.keep_bytes(b"two")
    assert first == second
    assert store.path(first).read_bytes() == b"one"
    assert store.sweep(frozenset({first})) == 0, "a fresh file may belong to a filing under way"
    os.utime(store.path(other), (0, 0))
    assert store.sweep(frozenset({first})) == 1
    with pytest.raises(StorageFailed):
        store.path(other)
    with pytest.raises(StorageFailed):
        store.path("../../etc/passwd")


def test_a_file_that_is_no_database_is_said_to_be_damaged(data_dir: Path) -> None:
    data_dir.mkdir()
    (data_dir / "records.sqlite").write_bytes(b"not a database at all" * 100)
    with pytest.raises(StorageFailed, match="backup"):
        Database(f"sqlite:///{data_dir / 'records.sqlite'}")
