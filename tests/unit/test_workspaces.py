"""The open demonstration: each visitor has the invented patients to himself, and they are gone when he is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from domain.audit import Actor
from domain.errors import NotAllowed, NothingFound
from domain.people import Mode
from domain.settings import Settings
from pipelines.workbench import Workbench
from pipelines.workspaces import FOLDER, Workspaces, template_settings, workspaces_of

VISITOR = Actor("visitor", "s", "clinician")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def demo(settings: Settings) -> Settings:
    return settings.model_copy(update={"mode": Mode.DEMO, "max_workspaces": 3})


@pytest.fixture
def template(demo: Settings) -> Iterator[Workbench]:
    bench = Workbench(template_settings(demo))
    ada = bench.create_patient("Ada Example", "1961-03-12", "female", "", VISITOR, synthetic=True)
    bench.import_text("Letter", "She reports orthopnoea.", ada.patient_id, VISITOR)
    yield bench
    bench.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def workspaces(template: Workbench, demo: Settings, clock: Clock) -> Iterator[Workspaces]:
    made = Workspaces(template, demo, clock)
    yield made
    made.close()


def test_visitors_see_the_same_invented_patients_and_nothing_of_each_other(workspaces: Workspaces) -> None:
    one, other = workspaces.of("cookie one"), workspaces.of("cookie two")
    assert [patient.name for patient in one.find_patients()] == ["Ada Example"]
    mine = one.create_patient("Mine Alone", "1970-01-01", "male", "", VISITOR)
    record = one.import_text("Mine", "Migraine with aura.", mine.patient_id, VISITOR)
    assert [patient.name for patient in other.find_patients()] == ["Ada Example"]
    with pytest.raises(NothingFound):
        other.document(record.document_id)
    found = [[hit.passage.document_id for hit in bench.search("migraine", VISITOR).hits] for bench in (one, other)]
    assert found[0][0] == record.document_id
    assert record.document_id not in found[1]
    assert one.trail().examination.intact
    assert workspaces.of("cookie one") is one


def test_what_is_chosen_in_one_workspace_is_not_chosen_in_another(workspaces: Workspaces) -> None:
    one, other = workspaces.of("one"), workspaces.of("other")
    another = next(card.id for card in one.model_cards() if card.task == "ocr" and card.id not in one.models_in_use())
    one.use_model("ocr", another)
    assert another in one.models_in_use()
    assert another not in other.models_in_use()


def test_a_workspace_is_deleted_after_two_idle_hours_and_not_before(
    workspaces: Workspaces, demo: Settings, clock: Clock
) -> None:
    workspaces.of("left")
    clock.now = 3600
    workspaces.of("stays")
    clock.now = 2 * 3600 + 1
    assert workspaces.sweep() == 1
    kept = list((demo.data_dir / FOLDER).iterdir())
    assert len(kept) == 1
    clock.now = 3 * 3600 + 2
    assert workspaces.sweep() == 1
    assert list((demo.data_dir / FOLDER).iterdir()) == []


def test_too_many_visitors_are_told_and_room_is_made_by_who_left(workspaces: Workspaces, clock: Clock) -> None:
    for key in ("a", "b", "c"):
        workspaces.of(key)
    with pytest.raises(NotAllowed, match="as many visitors"):
        workspaces.of("d")
    clock.now = 2 * 3600 + 1
    assert workspaces.of("d").find_patients()


def test_nothing_is_left_when_the_demonstration_ends_or_has_crashed(
    template: Workbench, demo: Settings, tmp_path: Path
) -> None:
    stale = demo.data_dir / FOLDER / "of an earlier run"
    stale.mkdir(parents=True)
    with workspaces_of(template, demo) as workspaces:
        assert workspaces is not None
        assert not stale.exists()
        workspaces.of("a")
    assert list((demo.data_dir / FOLDER).iterdir()) == []


def test_the_other_modes_have_no_workspaces(settings: Settings) -> None:
    bench = Workbench(settings)
    with workspaces_of(bench, settings) as workspaces:
        assert workspaces is None
    assert template_settings(settings) is settings
    bench.close()


def _held_open_below(folder: Path) -> list[str]:
    """Files below a folder that this process has open."""
    held = []
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # closed meanwhile
            held.append(os.readlink(entry))
    return [name for name in held if name.startswith(f"{folder}/")]


def test_a_closed_workbench_holds_none_of_its_files_open(settings: Settings) -> None:
    """Else every visitor who left would cost memory, and a store that was put back would be read through the old one."""
    bench = Workbench(settings)
    ada = bench.create_patient("Ada Example", "1961-03-12", "female", "", VISITOR)
    bench.import_text("Letter", "She reports orthopnoea.", ada.patient_id, VISITOR)
    assert bench.search("orthopnoea", VISITOR).hits
    assert _held_open_below(settings.data_dir)
    bench.close()
    assert _held_open_below(settings.data_dir) == []
