"""Visits from the command line: a conversation in, transcript and note out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.test_command_line import run

SAMPLE = Path(__file__).parents[2] / "data" / "samples" / "conversations" / "1_chest_pain.txt"
pytestmark = pytest.mark.models


def test_a_conversation_becomes_a_note(tmp_path: Path) -> None:
    done = run("consult", str(SAMPLE), "--json")
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    ids = {one["id"] for one in made["utterances"]}
    lines = [line for section in made["note"]["sections"].values() for line in section]
    assert made["note"]["status"] == "draft"
    assert lines
    assert all(set(line["evidence"]) <= ids for line in lines)


def test_what_is_no_conversation_is_refused(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("milk\nbread\n")
    refused = run("consult", str(tmp_path / "list.txt"))
    assert refused.returncode == 2
    assert "Doctor: ..." in refused.stderr
