"""Who may do what, cell by cell, through the real endpoints of a clinic; and visitors of a demonstration kept apart."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError, AuthenticationError

from domain.audit import Actor
from domain.people import Role
from domain.settings import Settings
from pipelines.workbench import Workbench
from tests.end_to_end.conftest import started

pytestmark = pytest.mark.models
PASSWORD = "long enough password"
N, D, P, R, A = Role
# Each endpoint with arguments that find nothing or change nothing, and who gets past the door with them.
CARERS = {N, D}
PATIENT = "the patient there is"
FILE = handle_file(__file__)  # neither a record nor a scan nor a recording
TABLE: dict[str, tuple[tuple[Any, ...], set[Role]]] = {
    "/create_patient": (("", "", "", ""), CARERS),
    "/find_patients": (("Nobody",), {N, D, P, R}),
    "/digitise": ((FILE, "", "en"), CARERS),
    "/import_text": (("", "", ""), CARERS),
    "/document": (("x",), CARERS),
    "/deidentified_document": (("x",), {N, D, R}),
    "/correct_word": (("x", 1, 0, "y"), CARERS),
    "/search": (("orthopnoea", "", 1), {N, D, R}),
    "/read_scan": ((FILE, "auto", ""), CARERS),
    "/import_transcript": (("", ""), CARERS),
    "/transcribe": ((FILE, "", 2), CARERS),
    "/relabel": (("x", "y", "doctor"), CARERS),
    "/draft_note": (("x",), CARERS),
    "/sign_note": (("x", {"sections": {}}), {D}),
    "/issue_prescription": ((PATIENT, {"medications": []}), {D}),
    "/verify_prescription": ((None, "shc:/0"), {N, D, P}),
    "/dispense": (("shc:/0",), {P}),
    "/revoke_prescription": (("x", "a reason that is one"), {D}),
    "/audit": (("", ""), {D, A}),
    "/break_glass": (("x", "a reason that is one"), {N, P, A}),
    "/chart": (("x",), {N, D, R}),  # a researcher sees it without identity
    "/chart_summary": (("x",), CARERS),
    "/dismiss_attention": (("x", "y", "a reason that is one", 0), {D}),
    "/reopen_attention": (("x", "y", 0), {D}),
    "/preview_merge": (("x", "x"), {D, A}),
    "/merge_patients": (("x", "x", "a reason that is one", 0), {D, A}),
    "/unmerge_patients": (("x", 0), {D, A}),
    "/preview_move": (("x", "x"), CARERS),
    "/move_record": (("x", "x", "a reason that is one", 0), CARERS),
    "/summary_pdf": (("x",), CARERS),
    "/export_chart": (("x",), {D}),
    "/import_chart": ((FILE, ""), CARERS),
    "/models": ((), set(Role)),
    "/use_model": (("ocr", "nonsense"), {A}),
}
REFUSED = " may not do this ("


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[Role, Client], str, str]]:
    """A clinic's address, a client for each role, and a patient with one record."""
    folder = tmp_path_factory.mktemp("clinic")
    operator = Actor("operator", "", "administrator")
    with closing(Workbench(Settings(data_dir=folder))) as bench:
        for role in Role:
            bench.people.add(f"the.{role.value}", role.value, PASSWORD, operator)
        ada = bench.create_patient("Ada Example", "1961-03-12", "female", "HC-77", operator)
        record = bench.import_text("Letter", "Ada Example has orthopnoea.", ada.patient_id, operator)
    with started(folder, HEALTH_CONNECT_MODE="clinic") as address:
        yield (
            address,
            {role: Client(address, auth=(f"the.{role.value}", PASSWORD), verbose=False) for role in Role},
            ada.patient_id,
            record.document_id,
        )


def refusal(client: Client, name: str, arguments: tuple[Any, ...]) -> str:
    """What the endpoint said against it; "" when it answered."""
    try:
        client.predict(*arguments, api_name=name)
    except AppError as error:
        return str(error)
    return ""


def test_every_cell_of_the_table_of_permissions(people: tuple[str, dict[Role, Client], str, str]) -> None:
    _, clients, patient_id, _ = people
    offered = set(clients[Role.DOCTOR].view_api(return_format="dict", print_info=False)["named_endpoints"])
    assert offered - set(TABLE) == set(), "each endpoint needs a row in the table above, and its job a rule"
    wrong = []
    for name, (arguments, allowed) in ((name, row) for name, row in TABLE.items() if name in offered):
        for role, client in clients.items():
            said = refusal(client, name, tuple(patient_id if given is PATIENT else given for given in arguments))
            passed = REFUSED not in said
            if passed != (role in allowed):
                wrong.append((name, role.value, said[:120]))
    assert wrong == [], wrong


def test_a_stranger_is_let_in_nowhere(people: tuple[str, dict[Role, Client], str, str]) -> None:
    address, _, _, document_id = people
    with pytest.raises(AuthenticationError):
        Client(address, verbose=False)
    with pytest.raises(AuthenticationError):
        Client(address, auth=("the.doctor", "a wrong password"), verbose=False)
    for path in ("config", f"records/{document_id}/pages/1.jpg", "gradio_api/info", "gradio_api/mcp/"):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(address + path, timeout=20)
        assert caught.value.code == 401


def test_glass_is_broken_for_one_patient_with_a_reason_and_is_seen(
    people: tuple[str, dict[Role, Client], str, str],
) -> None:
    _, clients, patient_id, document_id = people
    pharmacist = clients[Role.PHARMACIST]
    assert "break the glass" in refusal(pharmacist, "/document", (document_id,))
    assert "takes a reason" in refusal(pharmacist, "/break_glass", (patient_id, "hm"))
    opened = pharmacist.predict(patient_id, "unconscious at the counter", api_name="/break_glass")
    assert opened["until"]
    assert refusal(pharmacist, "/document", (document_id,)) == ""
    assert REFUSED in refusal(pharmacist, "/correct_word", (document_id, 1, 0, "x"))  # reading, not changing
    assert REFUSED in refusal(clients[Role.RESEARCHER], "/break_glass", (patient_id, "curious about this one"))
    events = clients[Role.DOCTOR].predict(patient_id, "", api_name="/audit")["events"]
    told = [(event["who"], event["action"], event["detail"]) for event in events if event["who"] == "the.pharmacist"]
    broken = told.index(("the.pharmacist", "E", "BREAK GLASS: unconscious at the counter"))
    assert ("the.pharmacist", "R", "") in told[broken:]  # what was read afterwards


def test_a_researcher_sees_no_name(people: tuple[str, dict[Role, Client], str, str]) -> None:
    _, clients, _, document_id = people
    researcher = clients[Role.RESEARCHER]
    listed = researcher.predict("Ada", api_name="/find_patients")["patients"]
    record = researcher.predict(document_id, api_name="/deidentified_document")
    hits = researcher.predict("orthopnoea", "", 5, api_name="/search")["hits"]
    chart = researcher.predict(listed[0]["patient_id"], api_name="/chart")
    assert chart["masked"]
    assert [item["source"]["document_id"] for item in chart["timeline"]] == [document_id]
    for shown in (listed, record, hits, chart):
        assert shown
        assert "Ada" not in str(shown)
        assert "Example" not in str(shown)
        assert "HC-77" not in str(shown)
    assert "orthopnoea" in str(record)


def test_visitors_of_the_demonstration_are_kept_apart(tmp_path: Path) -> None:
    with started(tmp_path, HEALTH_CONNECT_MODE="demo", HEALTH_CONNECT_DEMO="false") as address:
        one, other = Client(address, verbose=False), Client(address, verbose=False)
        mine = one.predict("Mine Alone", "1970-01-01", "male", "", api_name="/create_patient")
        record = one.predict("Letter", "Migraine.", mine["patient_id"], api_name="/import_text")
        assert other.predict("", api_name="/find_patients")["patients"] == []
        assert "No record has this id" in refusal(other, "/document", (record["document_id"],))
        assert one.predict("Mine", api_name="/find_patients")["patients"] == [mine]
