"""The command line does the jobs of the page, and its exit codes tell whose fault it is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pipelines.typed_record import typeset

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipelines", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.models
def test_a_scan_is_digitised_and_found_again(tmp_path: Path) -> None:
    import pypdfium2
    from PIL import Image

    record = typeset("Clinic letter", "She reports orthopnoea and swollen ankles. No chest pain.")
    with pypdfium2.PdfDocument(record.pdf) as pdf:
        picture = pdf[0].render(scale=200 / 72).to_numpy()[:, :, :3]
    scan = tmp_path / "scan.png"
    Image.fromarray(np.ascontiguousarray(picture)).save(scan, dpi=(200, 200))
    done = run("digitise", str(scan), "--out", str(tmp_path / "out"), "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert "orthopnoea" in document["pages"][0]["text"]
    assert Path(document["pdf"]).read_bytes().startswith(b"%PDF")
    found = json.loads(run("search", "can't breathe lying flat", "--json").stdout)
    assert found["hits"][0]["document_id"] == document["document_id"]


def test_a_file_that_is_no_record_is_refused_with_the_reason(tmp_path: Path) -> None:
    fake = tmp_path / "letter.pdf"
    fake.write_text("not a pdf at all")
    done = run("digitise", str(fake), "--out", str(tmp_path / "out"))
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert str(fake) not in done.stderr
    assert done.stderr.strip()


def test_a_setting_that_is_unusable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALTH_CONNECT_WORKERS", "many")
    done = run("models")
    assert done.returncode == 1
    assert "HEALTH_CONNECT_WORKERS" in done.stderr


def test_the_trail_is_shown_and_a_changed_event_is_named() -> None:
    from domain.audit import Actor
    from domain.settings import load_settings
    from pipelines.workbench import Workbench
    from storage.tables import events

    bench = Workbench(load_settings())
    bench.create_patient("Ada Example", "1961-03-12", "female", "", Actor("nurse", "s", "nurse"))
    whole = run("audit", "--json")
    assert whole.returncode == 0
    assert json.loads(whole.stdout)["intact"] is True
    with bench.database.begin() as tx:
        tx.execute(events.update().where(events.c["index"] == 0).values(who="somebody else"))
    broken = run("audit", "--json")
    assert json.loads(broken.stdout)["first_broken"] == 0
    bench.close()


def test_a_new_key_is_made_and_told_to_the_trail(data_dir: Path) -> None:
    first, second = run("rotate-key"), run("rotate-key", "--compromised")
    assert (first.returncode, second.returncode) == (0, 0), second.stderr
    assert first.stdout != second.stdout
    details = [event["detail"] for event in json.loads(run("audit", "--json").stdout)["events"]]
    assert details == ["signing key replaced", "signing key replaced, older codes void"]
