"""Every job that the page can ask for has a rule, and researchers see nothing that names a patient."""

from __future__ import annotations

import ast
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import chart_contract
from domain.chart import (
    Attention,
    Change,
    Chart,
    Concern,
    Dismissal,
    Measurement,
    MedicineLine,
    MedicineState,
    Merge,
    Problem,
    Said,
    Series,
    Source,
    SourceKind,
    TimelineItem,
)
from domain.document import Box, Fact, FactKind, Hit, OcrDocument, OcrPage, PageSource, Passage, TextLine, TextWord
from domain.errors import NotAllowed
from domain.models import ModelStamp
from domain.patient import Patient
from domain.people import Role
from domain.permissions import DESKS, RULES
from pipelines import deidentify
from pipelines.search import SearchAnswer

COMPONENTS = Path(__file__).resolve().parents[2] / "components"
NOT_JOBS = {"settings", "may"}  # what the door offers besides jobs
ADA = Patient("p1", "Ada Margaret Example", date(1961, 3, 12), "female", "HC-4471", datetime(2026, 1, 1, tzinfo=UTC))


def asked_for() -> set[str]:
    """Jobs that components ask the workbench for, as "job" or "desk.job"."""
    found = set()
    for file in COMPONENTS.glob("*.py"):
        if file.name in ("door.py", "gate.py"):  # these stand before the workbench
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Attribute):
                chain, inner = [node.attr], node.value
                while isinstance(inner, ast.Attribute):
                    chain.append(inner.attr)
                    inner = inner.value
                chain += [inner.id] if isinstance(inner, ast.Name) else []
                chain.reverse()
                if "workbench" in chain and chain[-1] != "workbench":
                    path = chain[chain.index("workbench") + 1 :]
                    found.add(".".join(path[: 2 if path[0] in DESKS else 1]))
    return {path for path in found if path not in DESKS and path.split(".")[0] not in NOT_JOBS}


def test_whatever_the_page_asks_for_has_a_rule() -> None:
    assert asked_for() - set(RULES) == set()


@pytest.mark.parametrize(
    ("job", "who"),
    [
        ("prescriptions.issue", {Role.DOCTOR}),
        ("prescriptions.revoke", {Role.DOCTOR}),
        ("prescriptions.dispense", {Role.PHARMACIST}),
        ("use_model", {Role.ADMINISTRATOR}),
        ("trail_desk.show_tampering", set()),
    ],
)
def test_what_only_one_role_may(job: str, who: set[Role]) -> None:
    assert RULES[job].roles == who


def test_a_researcher_may_nothing_that_names_a_patient() -> None:
    allowed = {job for job, rule in RULES.items() if Role.RESEARCHER in rule.roles}
    assert {job for job in allowed if RULES[job].reads} == {"deidentified_document"}


def page(*lines: str) -> OcrPage:
    box = Box(0, 0, 10, 10)
    text_lines = tuple(TextLine(tuple(TextWord.upright(word, 0.9, box) for word in line.split())) for line in lines)
    return OcrPage(1, 100, 100, 72, 0, 0.0, PageSource.TYPED, text_lines)


def record(*lines: str, facts: tuple[Fact, ...] = (), patient_id: str = "p1") -> OcrDocument:
    now = datetime(2026, 3, 3, tzinfo=UTC)
    return OcrDocument(
        "d1",
        patient_id,
        "Letter on Ada Example",
        (page(*lines),),
        ModelStamp("typed", "1"),
        now,
        document_date=date(2026, 3, 3),
        facts=facts,
    )


def words(document: OcrDocument) -> str:
    return " ".join(word.text for word in document.pages[0].words)


def test_a_record_is_shown_without_what_names_its_patient() -> None:
    kept = record(
        "Mrs Example, born 12 March 1961, number HC-4471.",
        "Ada's orthopnoea began on 3/2/2026; call +44 20 7946 0958 or ada@mail.example today.",
        facts=(
            Fact(FactKind.NAME, "name", "Ada Example", 1, (1,), 0.9),
            Fact(FactKind.DATE, "seen", "2026-02-03", 1, (10,), 0.9),
            Fact(FactKind.DIAGNOSIS, "orthopnoea", "", 1, (9,), 0.9),
        ),
    )
    shown = deidentify.shown(kept, lambda _: ADA)
    text = f"{words(shown)} {shown.title}"
    for telling in ("Ada", "Example", "4471", "12 March", "7946", "mail.example", "3/2"):
        assert telling not in text
    assert "orthopnoea" in text
    assert "1961" in text
    assert [fact.kind for fact in shown.facts] == [FactKind.DATE, FactKind.DIAGNOSIS]
    assert (shown.facts[0].value, shown.document_date) == ("2026", date(2026, 1, 1))


def test_a_record_of_nobody_yet_is_not_shown() -> None:
    with pytest.raises(NotAllowed, match="no patient yet"):
        deidentify.shown(record("text", patient_id=""), lambda _: ADA)


def test_patients_and_hits_come_under_a_pseudonym() -> None:
    shown = deidentify.shown((ADA,), lambda _: ADA)[0]
    assert shown.name.startswith("Subject ")
    assert (shown.birth_date, shown.record_number) == (date(1961, 1, 1), "")
    passage = Passage("x", "d1", "p1", 1, "Ada has orthopnoea.", (0, 1, 2), date(2026, 3, 3))
    hit = Hit(passage, 0.5, 1, 1, False, (), ("Ada",))
    stray = replace(hit, passage=replace(passage, patient_id=""))
    answer = deidentify.shown(SearchAnswer((hit, stray), 1.0, ""), lambda _: ADA)
    assert [one.passage.text for one in answer.hits] == [f"{deidentify.MASK} has orthopnoea."]
    assert answer.hits[0].matched_terms == ()


def test_a_chart_is_shown_without_what_names_its_patient_or_anybody() -> None:
    day = date(2026, 3, 3)
    source = Source(SourceKind.RECORD, "d1", "Letter on Ada Example of 3 March 2026", 1, ((1.0, 2.0, 3.0, 4.0),))
    said = Said("5 mg, as Mrs Example wished on 12/02/2026", day, source)
    talk = TimelineItem(
        replace(source, kind=SourceKind.CONSULTATION), day, "My neighbour Greta says", kept_at=ADA.created_at
    )
    aside = Dismissal("Greta told me", "dr.house", ADA.created_at)
    entries = [
        Attention(kind, kind, Concern.DANGER, f"Ada's {kind}", "HC-4471 on 2026-03-03", (source,), aside)
        for kind in ("dose", "identity")
    ]
    gone = replace(ADA, name="Wilhelmina Before", record_number="OLD-9")
    chart = Chart(
        ADA, 7, (Problem("Wilhelmina's asthma", (said,)),), (MedicineLine("Ramipril", "ramipril", MedicineState.CURRENT, (said,)),),
        (), (said,), (Series("Potassium", "mmol/L", False, (Measurement(said, 5.9),), why="5.9 on 2026-03-03"),), (talk,),
        tuple(entries), day, (Change("New record: Ada", day, source),), (Merge("m", ADA, gone, {}, "Greta", "dr.house", ADA.created_at),),
    )  # fmt: skip
    shown = deidentify.shown(chart, lambda _: ADA)
    told = str(chart_contract.chart(shown))
    for telling in (
        "Ada",
        "Example",
        "4471",
        "March",
        "03-03",
        "12/02",
        "Wilhelmina",
        "Greta",
        "dr.house",
        "[1.0, 2.0",
    ):
        assert telling not in told, telling
    assert shown.masked
    assert [one.kind for one in shown.attention] == ["dose"], "another person's name on a page is not passed on"
    assert shown.series[0].last.number == 5.9
    assert shown.medicines[0].said[0].on == date(2026, 1, 1)


def test_an_answer_that_nobody_taught_it_to_cover_is_not_shown() -> None:
    with pytest.raises(TypeError):
        deidentify.shown({"name": "Ada"}, lambda _: ADA)


@given(st.lists(st.sampled_from(["Ada", "EXAMPLE,", "(Margaret)", "Example's", "HC-4471.", "pain", "12/03/1961", "a"])))
def test_no_name_is_left_wherever_it_stands(tokens: list[str]) -> None:
    shown = deidentify.text(" ".join(tokens), ADA).casefold()
    for telling in ("ada", "example", "margaret", "4471", "12/03"):
        assert telling not in shown
    assert shown.count("pain") == tokens.count("pain")
