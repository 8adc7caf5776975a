"""The records desk: what is stopped leaves nothing behind."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from domain.errors import Cancelled
from pipelines.progress import CancelSwitch
from tests.unit.indexing_child import NURSE, open_workbench


def test_a_text_whose_keeping_is_stopped_is_not_kept(tmp_path: Path) -> None:
    said: list[str] = []

    def stop_at_once(done: float, total: float, unit: str, message: str) -> None:
        said.append(message)
        switch.stop()

    switch = CancelSwitch(stop_at_once)
    with closing(open_workbench(tmp_path)) as bench:
        with pytest.raises(Cancelled, match="Nothing was filed"):
            bench.import_text("A note", "She coughs.", "", NURSE, progress=switch)
        assert bench.documents() == ()
        assert len(said) == 1
