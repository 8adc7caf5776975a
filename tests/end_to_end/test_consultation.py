"""A visit in a real browser: taken in, roles swapped, a line edited, its evidence lit, signed, exported."""

from __future__ import annotations

from pathlib import Path

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from playwright.sync_api import Page, expect

from tests.end_to_end.test_records_and_search import HOSTILE, NO_FAULTS, add_patient, find_faults, show_tab

pytestmark = pytest.mark.browser

FIRST_MS = 90_000  # the first note loads the encoder and the names of medicines
TALK = f"""\
Doctor: Good morning. What brings you in today?
Patient: My left knee hurts since Monday {HOSTILE}.
Doctor: Any fever?
Patient: No.
Doctor: Any allergies?
Patient: Penicillin, a rash.
Doctor: On examination the left knee is swollen. I think this is a sprain. Take ibuprofen 400 milligrams twice a day.
Patient: Okay, that sounds good.
"""


def take_in(page: Page, talk: str) -> None:
    show_tab(page, "Consultation")
    page.get_by_role("button", name="Paste a conversation").click()
    page.locator("#hc-paste textarea").fill(talk)
    page.click("#hc-take-in")
    expect(page.locator(".hc-note-line").first).to_be_visible(timeout=FIRST_MS)


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_a_visit_is_taken_in_corrected_signed_and_exported(open_page, keep_picture, width: int, theme: str) -> None:
    page, name = open_page(width, theme), f"Vera Lund {width} {theme}"
    add_patient(page, name, "1971-01-02")
    take_in(page, TALK)
    note, talk = page.locator('[aria-label="Note"]'), page.locator(".hc-talk")
    expect(note).to_contain_text("Allergies: penicillin (rash).")
    expect(talk).to_contain_text(HOSTILE)  # as words, not as markup
    keep_picture(page, f"{width}-{theme}-consultation-draft")
    assert find_faults(page) == NO_FAULTS

    # a line lights what it rests on
    page.get_by_role("button", name="ibuprofen 400 milligrams").first.click()
    expect(page.locator(".hc-says.hc-lit")).to_have_count(1)
    expect(page.locator(".hc-says.hc-lit")).to_contain_text("ibuprofen 400")

    # roles are swapped in one click, and back
    expect(talk.locator(".hc-says").first).to_have_class("hc-says hc-says-doctor")
    page.click("#hc-swap")
    expect(talk.locator(".hc-says").first).to_have_class("hc-says hc-says-patient")
    page.click("#hc-swap")
    expect(talk.locator(".hc-says").first).to_have_class("hc-says hc-says-doctor")

    # a line is edited; what nobody said is kept because a person wrote it, with a warning
    page.get_by_role("button", name="Edit: Take ibuprofen").click()
    page.get_by_label("Line of the note").fill("Take ibuprofen 600 milligrams twice a day.")
    page.get_by_role("button", name="Save line").click()
    edited = page.locator(".hc-note-line", has_text="ibuprofen 600")
    expect(edited).to_contain_text("The number 600 was not said there.")
    expect(edited).to_contain_text("edited by hand")
    keep_picture(page, f"{width}-{theme}-consultation-edited")
    assert find_faults(page) == NO_FAULTS

    with page.expect_download() as download:
        page.click("#hc-file-pdf")
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF-")

    # signed: locked, and only an addendum can follow
    page.click("#hc-sign")
    expect(page.get_by_test_id("toast-body")).to_contain_text("name is needed")
    page.fill("#hc-signer", "Dr. Ada Okafor")
    expect(page.locator("#hc-sign")).to_be_enabled(timeout=10_000)
    page.click("#hc-sign")
    expect(page.locator("#hc-signed-by")).to_contain_text("Dr. Ada Okafor")
    expect(page.get_by_role("button", name="Edit:")).to_have_count(0)
    expect(page.locator("#hc-swap")).to_have_count(0)
    page.fill("#hc-addendum", f"Lab called {HOSTILE}")
    page.click("#hc-addend")
    expect(page.locator(".hc-addenda")).to_contain_text(HOSTILE)
    page.locator("#hc-shape").select_option("patient")
    with page.expect_download() as download:
        page.click("#hc-file-txt")
    letter = Path(download.value.path()).read_text("utf-8")
    assert "Reading age" in letter
    assert "DRAFT" not in letter
    assert page.title() != "broken"
    keep_picture(page, f"{width}-{theme}-consultation-signed")
    assert find_faults(page) == NO_FAULTS


def test_an_example_opens_with_one_click_and_another_patient_closes_it(open_page) -> None:
    page = open_page()
    add_patient(page, "Nils Oberg", "1958-04-04")
    show_tab(page, "Consultation")
    page.get_by_role("button", name="Back pain").click()
    expect(page.locator(".hc-note-line").first).to_be_visible(timeout=FIRST_MS)
    expect(page.locator(".hc-voice").first).to_contain_text("% sure")
    add_patient(page, "Tove Lie", "1959-05-05")
    expect(page.locator("#hc-consultation")).to_contain_text("No visit is open")
    expect(page.locator(".hc-note-line")).to_have_count(0)


def test_scripts_take_in_relabel_draft_and_sign(server: str) -> None:
    client = Client(server, verbose=False)
    said = client.predict(TALK, "", api_name="/import_transcript")
    consultation_id = said["consultation_id"]
    assert [one["role"] for one in said["utterances"]][:2] == ["doctor", "patient"]
    assert {(one["start_s"], one["end_s"]) for one in said["utterances"]} == {(None, None)}
    swapped = client.predict(consultation_id, "Doctor", "patient", api_name="/relabel")
    assert [one["role"] for one in swapped["utterances"]][:2] == ["patient", "doctor"]
    client.predict(consultation_id, "Doctor", "doctor", api_name="/relabel")
    note = client.predict(consultation_id, api_name="/draft_note")
    ids = {one["id"] for one in said["utterances"]}
    lines = [line for section in note["sections"].values() for line in section]
    assert lines
    assert all(line["evidence"] and set(line["evidence"]) <= ids for line in lines)
    signed = client.predict(consultation_id, note, api_name="/sign_note")
    assert signed["status"] == "signed"
    assert signed["sections"] == note["sections"]
    with pytest.raises(AppError, match="signed"):
        client.predict(consultation_id, api_name="/draft_note")
    with pytest.raises(AppError, match="No consultation"):
        client.predict("nothing", api_name="/draft_note")
    with pytest.raises(AppError, match="no note"):
        client.predict(consultation_id, {"lines": []}, api_name="/sign_note")
