"""A prescription's whole walk in a real browser: written, warned of, signed, scanned, handed out once."""

from __future__ import annotations

import base64
import json
import urllib.request
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image
from playwright.sync_api import Page, expect

from tests.end_to_end.test_records_and_search import NO_FAULTS, add_patient, find_faults, show_tab

pytestmark = pytest.mark.browser

FIRST_MS = 60_000  # the first check loads the drug names and the FHIR models
NAME = "Zoë Prescot"


def open_tab(page: Page, patient: str = "") -> None:
    show_tab(page, "Prescription")
    expect(page.get_by_role("heading", name="Doctor: write and sign")).to_be_visible()
    if patient:  # the form is emptied for another patient; what is typed before that is gone
        expect(page.locator("#hc-prescription-form")).to_contain_text(f"For {patient}.")


def write(page: Page, at: int, **fields: str) -> None:
    line = page.locator(".hc-rx-line").nth(at)
    for label, text in fields.items():
        line.get_by_label(label.replace("_", " "), exact=True).fill(text)


def keep_code(page: Page, path: Path) -> Path:
    address = page.locator(".hc-rx-qr").get_attribute("src")
    path.write_bytes(base64.b64decode(address.split(",")[1]))
    return path


def test_a_prescription_is_signed_scanned_and_handed_out_once(open_page, keep_picture, tmp_path: Path) -> None:
    page = open_page()
    add_patient(page, NAME, "1975-05-01")
    open_tab(page, NAME)
    write(page, 0, Medicine="warf")
    expect(page.locator("#hc-rx-names option[value^=warfarin i]")).not_to_have_count(0, timeout=FIRST_MS)
    tablet = {"Form": "tablet", "Route": "oral", "Dose": "1 tablet", "How_often": "once daily", "Days": "5"}
    write(page, 0, Medicine="Warfarin", Strength="3 mg", **tablet)
    page.get_by_role("button", name="Add a medicine").click()
    write(page, 1, Medicine="Ibuprofen", Strength="200 mg", **tablet)

    # a warning stops the signing until it is answered; what was typed stays
    page.click("#hc-rx-sign")
    expect(page.locator(".hc-rx-stops").first).to_be_visible(timeout=FIRST_MS)
    expect(page.locator(".hc-rx-stops").first).to_contain_text("Source:")
    keep_picture(page, "1280-light-prescription-warnings")
    assert find_faults(page) == NO_FAULTS
    for field in page.locator(".hc-rx-reason").all():
        field.fill("Short course, INR watched")
    page.click("#hc-rx-sign")
    expect(page.locator("#hc-rx-issued")).to_contain_text(NAME)
    with page.expect_download() as download:
        page.click("#hc-rx-pdf")
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF-")

    expect(page.locator(".hc-rx-line")).to_have_count(1)  # emptied, so that nobody signs the same twice
    expect(page.locator(".hc-rx-line").get_by_label("Medicine", exact=True)).to_have_value("")
    code = page.locator(".hc-rx-code").text_content()
    page.fill("#hc-rx-typed", code)
    page.click("#hc-rx-verify")
    expect(page.locator("#hc-verdict")).to_contain_text("Genuine: may be dispensed")

    # the pharmacist, in another window
    picture = keep_code(page, tmp_path / "code.png")
    pharmacy = open_page(390, "dark")
    open_tab(pharmacy)
    pharmacy.set_input_files("#hc-rx-photo", picture)
    verdict = pharmacy.locator("#hc-verdict")
    expect(verdict).to_contain_text("Genuine: may be dispensed")
    expect(verdict).to_contain_text("Warfarin")
    keep_picture(pharmacy, "390-dark-prescription-genuine")
    assert find_faults(pharmacy) == NO_FAULTS
    pharmacy.click("#hc-dispense")
    expect(verdict).to_contain_text("Dispensed now")
    keep_picture(pharmacy, "390-dark-prescription-dispensed")
    pharmacy.set_input_files("#hc-rx-photo", picture)
    expect(verdict).to_contain_text("already dispensed")
    expect(pharmacy.locator("#hc-dispense")).to_have_count(0)

    # a photo without a code leaves no verdict of another one standing
    Image.new("RGB", (300, 300), "white").save(tmp_path / "empty.png")
    pharmacy.set_input_files("#hc-rx-photo", tmp_path / "empty.png")
    expect(pharmacy.get_by_test_id("toast-body")).to_contain_text("No QR code was found")
    expect(verdict).to_have_count(0)

    # a window that still shows the code as good is refused by the desk, not by a missing button
    page.click("#hc-dispense")
    expect(page.locator("#hc-verdict")).to_contain_text("already dispensed")
    page.fill("#hc-rx-typed", code[:-1] + ("0" if code[-1] != "0" else "1"))
    page.click("#hc-rx-verify")
    expect(page.locator("#hc-verdict")).to_contain_text("do not dispense")
    keep_picture(page, "1280-light-prescription-signed")
    assert find_faults(page) == NO_FAULTS


@pytest.mark.parametrize(("width", "theme"), [(390, "light"), (1280, "dark")])
def test_a_revoked_prescription_says_why(open_page, keep_picture, width: int, theme: str) -> None:
    page = open_page(width, theme)
    name = f"Rut Alm {width}"
    add_patient(page, name, "1950-02-01")
    open_tab(page, name)
    write(page, 0, Medicine="Amoxicillin", Strength="500 mg", Form="capsule", Route="oral", Dose="1 capsule")
    write(page, 0, How_often="three times daily", Days="7")
    page.click("#hc-rx-sign")
    expect(page.locator("#hc-rx-issued")).to_contain_text(name, timeout=FIRST_MS)
    short = page.locator(".hc-rx-short").text_content()
    page.fill("#hc-rx-typed", short)
    page.click("#hc-rx-verify")
    expect(page.locator("#hc-verdict")).to_contain_text("Genuine: may be dispensed")
    page.locator("#hc-verdict summary").click()
    page.locator("#hc-verdict").get_by_label("Reason, shown to the pharmacy").fill("Wrong strength")
    page.locator("#hc-verdict").get_by_role("button", name="Revoke for good").click()
    expect(page.locator("#hc-verdict")).to_contain_text("Revoked: do not dispense")
    expect(page.locator("#hc-verdict")).to_contain_text("Wrong strength")
    expect(page.locator(".hc-rx-kept")).to_contain_text("revoked")
    keep_picture(page, f"{width}-{theme}-prescription-revoked")
    assert find_faults(page) == NO_FAULTS


@pytest.mark.parametrize(("width", "theme"), [(390, "light"), (1280, "dark")])
def test_the_pharmacist_hands_out_a_part_and_later_the_rest(open_page, keep_picture, width: int, theme: str) -> None:
    page = open_page(width, theme)
    name = f"Per Lund {width}"
    add_patient(page, name, "1950-02-01")
    open_tab(page, name)
    write(page, 0, Medicine="Amoxicillin", Strength="500 mg", Form="capsule", Route="oral", Dose="1 capsule")
    write(page, 0, How_often="three times daily", Days="7")
    page.click("#hc-rx-sign")
    expect(page.locator("#hc-rx-issued")).to_contain_text(name, timeout=FIRST_MS)
    page.fill("#hc-rx-typed", page.locator(".hc-rx-short").text_content())
    page.click("#hc-rx-verify")
    verdict = page.locator("#hc-verdict")
    amount = verdict.get_by_label("Hand out of medicine 1, Amoxicillin 500 mg capsule", exact=True)
    expect(amount).to_have_value("21")
    for wrong, said in (("22", "At most 21"), ("1,5", "with a point"), ("0", "nothing to hand out")):
        amount.fill(wrong)
        page.click("#hc-dispense")
        expect(verdict.locator(".hc-problem")).to_contain_text(said)
        expect(amount).to_be_focused()
    assert find_faults(page) == NO_FAULTS
    keep_picture(page, f"{width}-{theme}-prescription-amount-refused")
    amount.fill("9.5")
    expect(verdict.locator(".hc-problem")).to_have_count(0)
    page.click("#hc-dispense")
    expect(verdict).to_contain_text("Dispensed now: 9.5 × Amoxicillin")
    expect(verdict).to_contain_text("11.5 left to hand out")
    expect(amount).to_have_count(0)
    keep_picture(page, f"{width}-{theme}-prescription-part")
    assert find_faults(page) == NO_FAULTS
    page.click("#hc-rx-verify")
    expect(verdict).to_contain_text("Dispensed in part")
    expect(amount).to_have_value("11.5")
    page.click("#hc-dispense")
    expect(verdict).to_contain_text("Nothing is left on this prescription")


def test_scripts_issue_verify_dispense_and_revoke(server: str, tmp_path: Path) -> None:
    client = Client(server, verbose=False, download_files=str(tmp_path))
    patient = client.predict("Ines Faro", "1988-07-09", "female", "", api_name="/create_patient")
    line = {"name": "Amoxicillin", "strength": "500 mg", "form": "capsule", "route": "oral", "dose": "1 capsule",
            "frequency": "three times daily", "duration_days": 7, "quantity": 21, "refills": 0, "note": ""}  # fmt: skip
    order = {"medications": [line], "valid_days": 14}
    qr, pdf, issued = client.predict(patient["patient_id"], order, api_name="/issue_prescription")
    assert Path(qr).read_bytes().startswith(b"\x89PNG")
    assert Path(pdf).read_bytes().startswith(b"%PDF-")
    assert "Ines" not in issued["code"]

    seen = client.predict(handle_file(qr), "", api_name="/verify_prescription")
    assert (seen["valid"], seen["status"]) == (True, "active")
    assert seen["prescription"]["medications"] == [line]
    for nonsense in ("all", {"first": 1}, {"0": "many"}):
        with pytest.raises(AppError, match="nothing was handed out"):
            client.predict(issued["code"], nonsense, api_name="/dispense")
    for refused, said in (({}, "No medicine was chosen"), ({"0": 22}, "only 21"), ({"1": 1}, "not on the codes")):
        answer = client.predict(issued["code"], refused, api_name="/dispense")
        assert (answer["valid"], said in answer["reason"]) == (False, True)
    part = client.predict(issued["code"], {"0": 9.5}, api_name="/dispense")
    assert (part["valid"], part["status"], part["remaining"]) == (True, "active", [11.5])
    assert part["handed_out"] == [{"medicine": 0, "quantity": 9.5}]
    given = client.predict(issued["code"], api_name="/dispense")
    assert given["handed_out"] == [{"medicine": 0, "quantity": 11.5}]
    assert (given["valid"], given["status"]) == (True, "dispensed")
    again = client.predict(issued["code"], api_name="/dispense")
    assert (again["valid"], again["status"]) == (False, "dispensed")
    revoked = client.predict(issued["prescription_id"], "Given in error", api_name="/revoke_prescription")
    assert (revoked["valid"], revoked["status"]) == (False, "revoked")
    seen = client.predict(None, issued["short_code"], api_name="/verify_prescription")
    assert seen["status"] == "revoked"
    assert "Given in error" in seen["reason"]
    with pytest.raises(AppError, match="nothing was dispensed"):
        client.predict("", api_name="/dispense")


def test_public_keys_are_where_a_verifier_looks(server: str) -> None:
    with urllib.request.urlopen(f"{server}.well-known/jwks.json", timeout=20) as answer:
        keys = json.loads(answer.read())["keys"]
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert [(key["kty"], key["crv"], "d" in key) for key in keys] == [("EC", "P-256", False)]
