"""The named endpoints, called as a script would: their names, their shapes, and that nothing else is public."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from tests.end_to_end.conftest import LETTER, draw_page

pytestmark = pytest.mark.models

NAMES = {
    "/create_patient", "/find_patients", "/digitise", "/import_text", "/document", "/correct_word", "/search",
    "/models", "/use_model",
}  # fmt: skip


@pytest.fixture(scope="module")
def client(server: str, tmp_path_factory: pytest.TempPathFactory) -> Client:
    return Client(server, verbose=False, download_files=str(tmp_path_factory.mktemp("downloads")))


def test_exactly_the_promised_endpoints_are_public_and_documented(client: Client) -> None:
    shown = client.view_api(return_format="dict", print_info=False)
    assert set(shown["named_endpoints"]) >= NAMES
    assert shown["unnamed_endpoints"] == {}
    for name in NAMES:
        assert shown["named_endpoints"][name]["description"], name


def test_a_record_through_the_endpoints(client: Client, server: str, tmp_path: Path) -> None:
    letter = draw_page(LETTER.replace("HC-0042", "HC-0099"), tmp_path / "letter.png")
    patient = client.predict("Amara Okafor", "1961-03-12", "female", "HC-0099", api_name="/create_patient")
    found = client.predict("HC-0099", api_name="/find_patients")
    assert patient["patient_id"] in [p["patient_id"] for p in found["patients"]]

    pdf, document = client.predict(handle_file(letter), patient["patient_id"], "en", api_name="/digitise")
    assert Path(pdf).read_bytes().startswith(b"%PDF-")
    assert Path(pdf).suffix == ".pdf"
    assert document["patient_id"] == patient["patient_id"]
    assert "HC-0099" in [fact["value"] for fact in document["facts"]]
    words = document["pages"][0]["words"]
    assert "Furosemide" in [w["text"] for w in words]
    assert all(len(w["box"]) == 4 and 0 <= w["confidence"] <= 1 for w in words)

    index = [w["text"] for w in words].index("Furosemide")
    mended = client.predict(document["document_id"], 1, index, "Zymurgine", api_name="/correct_word")
    assert mended["pages"][0]["words"][index]["text"] == "Zymurgine"
    assert mended["pages"][0]["words"][index]["machine_text"] == "Furosemide"

    answer = client.predict("Zymurgine", patient["patient_id"], 5, api_name="/search")
    assert answer["hits"][0]["document_id"] == document["document_id"]
    assert answer["hits"][0]["boxes"]
    assert set(answer["hits"][0]["ranks"]) == {"keyword", "semantic"}

    address = f"{server}records/{document['document_id']}"
    with urllib.request.urlopen(f"{address}/record.pdf", timeout=20) as shown:  # a link may open it at a page
        assert shown.headers["Content-Type"] == "application/pdf"
        assert shown.headers["Content-Disposition"].startswith("inline")
    with urllib.request.urlopen(f"{address}/pages/1.jpg", timeout=20) as picture:
        assert picture.headers["Content-Type"] == "image/jpeg"
        assert "private" in picture.headers["Cache-Control"]

    _, again = client.predict(document["document_id"], api_name="/document")
    assert again["revision"] == mended["revision"]


def test_parameters_may_be_left_out(client: Client) -> None:
    assert isinstance(client.predict(api_name="/find_patients")["patients"], list)
    kept = client.predict("Note", "Palpitations at night.", api_name="/import_text")
    assert kept["patient_id"] == ""
    assert "hits" in client.predict("palpitations", api_name="/search")


def test_a_refusal_is_an_error_with_its_reason(client: Client) -> None:
    with pytest.raises(AppError, match=r"."):
        client.predict("no such record", api_name="/document")
    with pytest.raises(AppError, match="date of birth"):
        client.predict("Nobody", "soon", "female", "", api_name="/create_patient")


def test_mcp_tools_carry_descriptions(server: str) -> None:
    with urllib.request.urlopen(f"{server}gradio_api/mcp/schema", timeout=20) as answer:
        tools = json.load(answer)
    assert {tool["name"].lstrip("/") for tool in tools} >= {name.lstrip("/") for name in NAMES}
    assert all(tool["description"] for tool in tools)


@pytest.mark.parametrize(
    "path", ["monitoring", "gradio_api/runs", "gradio_api/file=pyproject.toml", "records/none/pages/1.jpg"]
)
def test_nothing_is_given_away(server: str, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{server}{path}", timeout=20)
    assert refused.value.code in (401, 403, 404, 405)
