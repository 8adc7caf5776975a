"""What every test gets without asking: a data folder of its own, quiet libraries, no setting from outside."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from domain.audit import Actor
from domain.settings import PREFIX, Settings, load_settings, telemetry_off, waiting_threads_sleep

telemetry_off()
waiting_threads_sleep()
# A busy machine is no fault of the code: no test passes or fails by the clock.
hypothesis_settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("unhurried")


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder of this test; settings of the machine do not reach it."""
    for variable in os.environ:
        if variable.startswith(PREFIX):
            monkeypatch.delenv(variable)
    folder = tmp_path / "data"
    monkeypatch.setenv(f"{PREFIX}DATA_DIR", str(folder))
    monkeypatch.setenv(f"{PREFIX}DEMO", "false")
    return folder


@pytest.fixture
def settings(data_dir: Path) -> Settings:
    return load_settings()


@pytest.fixture
def nurse() -> Actor:
    return Actor("nurse.test", "session-1", "nurse")
