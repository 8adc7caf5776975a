"""Language models may rewrite lines, when they are chosen; the guard stands behind them."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from domain.audit import Actor
from domain.errors import ModelUnavailable
from domain.settings import Settings
from models.note_writers import numbered_lines
from pipelines.workbench import Workbench

pytestmark = pytest.mark.models

DOCTOR = Actor("dr.test", "s", "doctor")
TALK = """Doctor: What do you take?
Patient: I take metformin 500 milligrams twice a day.
Doctor: Any chest pain?
Patient: No.
Doctor: I will start you on amlodipine 5 milligrams once a day."""


class Careless(BaseHTTPRequestHandler):
    """Rewrites well, but doubles a dose and loses a denial."""

    asked: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(body["messages"][-1]["content"])
        said = body["messages"][-1]["content"].replace("500", "1000").replace("Denies", "Has")
        said = re.sub("We will start|I will start", "Start", said)
        answer = json.dumps({"choices": [{"message": {"content": said}}]}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def endpoint() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Careless)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Careless.asked.clear()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


def test_a_careless_writer_is_held_back_line_by_line(endpoint: str, tmp_path: Path) -> None:
    bench = Workbench(Settings(data_dir=tmp_path, note_endpoint=endpoint))
    desk = bench.consultations
    consultation_id = desk.import_transcript(TALK, "", DOCTOR).transcript.consultation_id
    plain = desk.draft_note(consultation_id, DOCTOR).note
    assert not Careless.asked  # named in the settings is not chosen
    bench.use_model("note_writer", "writer-endpoint", DOCTOR)
    note = desk.draft_note(consultation_id, DOCTOR).note
    assert Careless.asked
    told = " ".join(line.text for line in note.lines)
    assert "Start the patient on amlodipine 5 milligrams" in told
    assert "metformin 500 milligrams" in told
    assert "1000" not in told
    assert "Denies chest pain." in told
    assert {line.reason.split(" ")[0] for line in note.unsupported} == {"The", "It"}
    assert len(note.lines) == len(plain.lines)
    assert [stamp.id for stamp in note.models] == ["note-extractive", "writer-endpoint"]
    bench.close()


def test_a_writer_that_does_not_answer_is_named(tmp_path: Path) -> None:
    bench = Workbench(Settings(data_dir=tmp_path, note_endpoint="http://127.0.0.1:9/v1"))
    bench.use_model("note_writer", "writer-endpoint", DOCTOR)
    desk = bench.consultations
    consultation_id = desk.import_transcript(TALK, "", DOCTOR).transcript.consultation_id
    with pytest.raises(ModelUnavailable, match="no usable answer"):
        desk.draft_note(consultation_id, DOCTOR)
    bench.close()


def test_without_a_setting_there_is_no_language_model(tmp_path: Path) -> None:
    bench = Workbench(Settings(data_dir=tmp_path))
    assert [card.id for card in bench.model_cards() if card.task == "note_writer"] == ["writer-none"]
    bench.close()


def test_missing_numbers_leave_the_line_as_it_was() -> None:
    assert numbered_lines("1. A better line.\nchatter\n3) Third.", ["a", "b", "c"]) == ("A better line.", "b", "Third.")
