"""Pictures of pages and PDFs leave the server through routes of their own: each opening is on the trail, once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from components.door import guarded
from components.gate import Gate
from components.page_files import page_picture_path, pdf_path, record_routes
from domain.audit import Action
from domain.errors import NothingFound
from pipelines.workbench import Workbench
from tests.unit.indexing_child import NURSE, open_workbench


@pytest.fixture
def bench(data_dir: Path) -> Iterator[Workbench]:
    data_dir.mkdir()
    workbench = open_workbench(data_dir)
    yield workbench
    workbench.close()


@pytest.fixture
def client(bench: Workbench) -> TestClient:
    entrance, door = guarded(bench)
    entrance.open()
    return TestClient(Starlette(routes=record_routes(door), middleware=[Middleware(Gate, workbench=bench)]))


def reads(bench: Workbench) -> list[tuple[str, str]]:
    return [(event.entity, event.patient_id) for event in bench.trail().events if event.action is Action.READ]


def test_an_opening_is_one_event_however_many_pictures_and_ranges(bench: Workbench, client: TestClient) -> None:
    patient = bench.create_patient("Ana Lind", "1961-03-12", "female", "", NURSE).patient_id
    record = bench.import_text("Letter", "She spoke of oedema.\n" * 120, patient, NURSE)
    assert len(record.pages) > 1
    for page in record.pages:
        answer = client.get(page_picture_path(record.document_id, page.number))
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
        assert "private" in answer.headers["cache-control"]
    assert reads(bench) == [(f"DocumentReference/{record.document_id}", patient)]

    address = pdf_path(record.document_id, record.revision)
    for asked in ("bytes=0-99", "bytes=100-199", "bytes=200-"):
        assert client.get(address, headers={"Range": asked}).status_code == 206
    assert client.get(f"{address}&download=1").content.startswith(b"%PDF-")
    assert reads(bench)[1:] == [(f"Binary/{record.document_id}", patient)], "the file that went out, told once"


@pytest.mark.parametrize(
    ("path", "said"),
    [("records/none/pages/1.jpg", "no page 1"), ("records/none/record.pdf", "No record has this id")],
)
def test_what_is_not_there_is_refused_and_leaves_no_reading(
    bench: Workbench, client: TestClient, path: str, said: str
) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert said in answer.text
    assert reads(bench) == []


def test_a_record_that_is_opened_and_its_picture_are_one_look(bench: Workbench) -> None:
    entrance, _door = guarded(bench)
    assert entrance.first_look("visit", "DocumentReference", "d1")
    assert not entrance.first_look("", "DocumentReference", "d1"), (
        "the picture is fetched by address, without a session"
    )
    assert not entrance.first_look("visit", "DocumentReference", "d1")
    assert entrance.first_look("another visit", "DocumentReference", "d2")
    assert entrance.first_look("visit", "DocumentReference", "d2"), "two visits are two looks"


def test_a_page_is_shown_without_the_rest_of_its_record(bench: Workbench) -> None:
    record = bench.import_text("Letter", "She spoke of oedema.\n" * 120, "", NURSE)
    shown = bench.shown_page(record.document_id, 2)
    assert (shown.page, shown.revision, shown.patient_id) == (record.pages[1], record.revision, "")
    mended = bench.correct_word(record.document_id, 2, 0, "He", NURSE)
    assert bench.shown_page(record.document_id, 2).revision == mended.revision > record.revision
    with pytest.raises(NothingFound, match="no page 99"):
        bench.shown_page(record.document_id, 99)
    with pytest.raises(NothingFound, match="No record has this id"):
        bench.shown_page("none", 1)
