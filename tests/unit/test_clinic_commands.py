"""Accounts, charts and backups from the command line, in one process."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from domain.errors import NothingFound, UploadRejected
from domain.settings import load_settings
from pipelines.__main__ import app
from pipelines.workbench import Workbench
from tests.unit.synthetic_bundles import visit

PASSWORD = "correct horse battery"


def run(*arguments: str, keys: str = "") -> str:
    """What the command said; raises what it raised."""
    done = CliRunner().invoke(app, list(arguments), input=keys)
    if isinstance(done.exception, Exception):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def test_accounts_are_added_disabled_enabled_and_reset(data_dir: Path) -> None:
    run("accounts", "add", "Dr.Ada", "--role", "doctor", keys=f"{PASSWORD}\n{PASSWORD}\n")
    with pytest.raises(UploadRejected, match="no such role"):
        run("accounts", "add", "eve", "--role", "king", "--password", PASSWORD)
    with pytest.raises(NothingFound):
        run("accounts", "disable", "nobody")
    run("accounts", "disable", "dr.ada")
    assert "doctor  (disabled)" in run("accounts", "list")
    run("accounts", "enable", "dr.ada")
    run("accounts", "reset", "dr.ada", "--password", "another long password")
    with closing(Workbench(load_settings())) as bench:
        visit_of = bench.people.who(bench.people.sign_in("dr.ada", "another long password"))
        assert visit_of is not None
        details = [event.detail for event in bench.trail().events]
    assert details[:4] == ["account added as doctor", "account disabled", "account enabled", "password reset"]
    assert PASSWORD not in run("accounts", "list")


def test_a_chart_comes_in_goes_out_and_survives_a_backup(data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "in.json").write_bytes(visit(1))
    said = run("import-chart", str(tmp_path / "in.json"))
    patient_id = said.strip().split()[-1]
    assert said.startswith("5 resources received")
    run("export-chart", "--patient", patient_id, "--out", str(tmp_path / "out.json"))
    assert b'"Placeholt"' in (tmp_path / "out.json").read_bytes()
    name = run("backup").partition(":")[0]
    (data_dir / "records.sqlite").write_bytes(b"\x00" * 5000)
    run("restore", name)
    with closing(Workbench(load_settings())) as bench:
        assert [patient.patient_id for patient in bench.find_patients("Placeholt")] == [patient_id]
