"""Settings: read from the environment, refused by name when wrong, and never half understood."""

from __future__ import annotations

import dataclasses
import os
import re
import stat
from pathlib import Path

import pytest
from pydantic import ValidationError

from domain.errors import SettingsInvalid
from domain.limits import Limits
from domain.settings import PREFIX, Settings, load_settings, telemetry_off, waiting_threads_sleep


def test_the_defaults_keep_everything_in_the_data_folder(settings: Settings, data_dir: Path) -> None:
    assert settings.resolved_database_url == f"sqlite:///{data_dir.resolve()}/records.sqlite"
    assert (settings.server_name, settings.server_port) == ("127.0.0.1", 7860)
    assert settings.limits == Limits()
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700
    assert list(data_dir.iterdir()) == []


@pytest.mark.parametrize(
    ("variable", "value", "wanted"),
    [
        ("HEALTH_CONNECT_MODE", "clinik", "be one of 'local', 'demo' or 'clinic'"),
        ("HEALTH_CONNECT_DEMO", "perhaps", "be true or false"),
        ("HEALTH_CONNECT_MEMORY_BUDGET_MB", "plenty", "be a whole number"),
        ("HEALTH_CONNECT_MAX_PAGES", "0", "be at least 1"),
        ("HEALTH_CONNECT_MAX_RECORDING_HOURS", "0", "be more than 0"),
        ("HEALTH_CONNECT_DATABASE_URL", "mysql://somewhere", "start with postgresql:// or sqlite:///"),
        ("HEALTH_CONNECT_CHROMA_URL", "somewhere:8000", "start with http:// or https://"),
        ("GRADIO_SERVER_PORT", "70000", "be at most 65535"),
    ],
)
def test_a_bad_value_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, wanted: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsInvalid, match=f"{variable} cannot be used: it must {re.escape(wanted)}."):
        load_settings()


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("HEALTH_CONNECT_DATADIR", "HEALTH_CONNECT_DATA_DIR"),
        ("HEALTH_CONNECT_MAX_PAGE", "HEALTH_CONNECT_MAX_PAGES"),
        ("HEALTH_CONNECT_SERVER_PORT", "GRADIO_SERVER_PORT"),
    ],
)
def test_an_unknown_variable_is_answered_with_the_nearest(
    monkeypatch: pytest.MonkeyPatch, variable: str, meant: str
) -> None:
    monkeypatch.setenv(variable, "7")
    with pytest.raises(SettingsInvalid, match=f"Did you mean {meant}"):
        load_settings()


def test_a_folder_that_cannot_be_written_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HEALTH_CONNECT_DATA_DIR", str(tmp_path / "file" / "below"))
    with pytest.raises(SettingsInvalid, match="HEALTH_CONNECT_DATA_DIR") as refused:
        load_settings()
    assert str(tmp_path) not in refused.value.user_message


def test_settings_cannot_be_changed_afterwards(settings: Settings) -> None:
    with pytest.raises(ValidationError):
        settings.max_pages = 3  # type: ignore[misc]


def test_limits_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALTH_CONNECT_MAX_PAGES", "7")
    assert load_settings().limits == dataclasses.replace(Limits(), max_pages=7)


def test_postgresql_is_reached_through_psycopg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALTH_CONNECT_DATABASE_URL", "postgresql://u@h/d")
    assert load_settings().resolved_database_url == "postgresql+psycopg://u@h/d"


def test_telemetry_is_off() -> None:
    telemetry_off()
    assert os.environ["GRADIO_ANALYTICS_ENABLED"] == "False"
    assert os.environ["HF_HUB_OFFLINE"] == "1"


def test_threads_that_wait_sleep_unless_the_environment_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    waiting_threads_sleep()
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    waiting_threads_sleep()
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"


def test_the_readme_names_every_setting() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    for name, field in Settings.model_fields.items():
        full, short = str(field.validation_alias or f"{PREFIX}{name.upper()}"), f"`_{name.upper()}`"
        assert f"`{full}`" in readme or short in readme, full
