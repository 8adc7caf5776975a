"""What the Trail tab shows of a trail, as plain data."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from components.trail_tab import BEHIND_GLASS, THINGS, present_event, present_trail
from domain.audit import Action, Actor, AuditEvent, Examination
from domain.models import ModelStamp
from domain.people import Mode
from domain.permissions import RULES
from pipelines import imaging_desk
from pipelines.trail_desk import Trail

AT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


def event(index: int, detail: str = "", entity: str = "DocumentReference/0123456789abcdef") -> AuditEvent:
    return AuditEvent(
        index, AT, Actor("ada", "s", "doctor"), Action.READ, entity, "p1", detail, ModelStamp("ocr", "1"), "c"
    )


def trail(first_broken: int | None, reason: str) -> Trail:
    return Trail((event(3), event(4)), "" if reason else "line", Examination(5, "ab" * 32, first_broken, reason), 2)


def test_an_event_is_said_in_plain_words() -> None:
    shown = present_event(event(3))
    assert (shown["done"], shown["thing"], shown["what"]) == ("saw", "a record", "0123456789ab")
    assert shown["at"] == "2026-11-24 09:30:00 UTC"
    assert not shown["glass"]
    assert present_event(event(3, "BREAK GLASS: unconscious"))["glass"]


def test_what_stands_after_the_first_broken_event_is_doubtful() -> None:
    shown = present_trail(trail(4, "Event 4 is not as it was written."), Mode.LOCAL, "")
    assert [row["doubtful"] for row in shown["events"]] == [True, False]  # newest first
    assert (shown["intact"], shown["checkpoint"]) == (False, "")


def test_a_clinic_never_tampers_for_show_and_offers_to_break_glass_only_where_it_opens_something() -> None:
    clinic = present_trail(trail(None, ""), Mode.CLINIC, "Ada Example", glass_opens=("the chart",))
    assert (clinic["glass_opens"], clinic["can_tamper"]) == (["the chart"], False)
    demo = present_trail(trail(None, ""), Mode.DEMO, "Ada Example")
    assert (demo["glass_opens"], demo["can_tamper"]) == ([], True)


def test_all_that_is_said_to_lie_behind_glass_does() -> None:
    assert all(RULES[job].glass for job in BEHIND_GLASS)


FORMER = {"Consultation", "Medication", "Prescription", "prescription", "scan_reading", "search", "backup"}


def kinds_in_the_source() -> set[str]:
    """Kinds that an event can be of: "kind/..." handed to the trail somewhere, and what the door says was read."""
    said = {rule.reads for rule in RULES.values() if rule.reads}
    for room in ("pipelines", "storage", "components"):
        for file in (Path(__file__).resolve().parents[2] / room).glob("*.py"):
            text = file.read_text()
            said |= set(re.findall(r"Action\.[A-Z]+,\s*f?\"(\w+)[/\"]", text))
            if "audit.append(" in text:
                said |= set(re.findall(r"f\"([A-Z]\w+)/\{", text))
    said.add(imaging_desk.STUDY)
    return said


def test_every_event_ever_written_is_said_in_words() -> None:
    kinds = kinds_in_the_source() | FORMER
    assert {"DocumentReference", "model", "Media", "key", "List"} <= kinds
    for kind in kinds | {"QuestionnaireResponse", "care_plan", "", "Ünbekannt"}:
        shown = present_event(event(3, entity=f"{kind}/x"))
        assert kind not in THINGS or shown["thing"] == THINGS[kind]
        assert re.fullmatch(r"(an?|the|something)( [^\W_A-Z]+('s)?)*( FHIR)?", shown["thing"]), shown["thing"]
        assert kind in THINGS or kind not in kinds, f"{kind} needs words of its own"
    assert present_event(event(3, entity="ImagingSelection/x"))["thing"] == "an imaging selection"


@pytest.mark.parametrize("action", list(Action))
def test_every_action_has_a_verb(action: Action) -> None:
    for kind in THINGS:
        assert present_event(replace(event(3, entity=f"{kind}/x"), action=action))["done"]
