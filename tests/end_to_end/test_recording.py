"""A spoken visit in a real browser: uploaded, heard, roles swapped, a doubt settled, a line heard and edited, signed, exported.

One visit serves both widths: hearing it is the costly step.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.end_to_end.test_records_and_search import NO_FAULTS, add_patient, choose_patient, find_faults, show_tab

pytestmark = [pytest.mark.browser, pytest.mark.models]

RECORDING = Path(__file__).parents[2] / "data" / "samples" / "recordings" / "1_sore_throat.mp3"
HEARD_MS = 600_000  # 40 seconds of speech, models loaded first, on a machine that has other work to do
NAME = "Rosa Berg"


def hear(page: Page, recording: Path) -> None:
    show_tab(page, "Consultation")
    with page.expect_file_chooser() as chooser:
        page.click("#hc-upload-recording")
    chooser.value.set_files(recording)
    expect(page.locator("#hc-audio")).to_contain_text("0:40")  # its length: it is there
    expect(page.locator("#hc-audio").get_by_role("button", name="Share")).to_have_count(0)  # it would leave the house
    page.click("#hc-hear")
    expect(page.locator("#hc-hear-status")).to_contain_text("utterances heard", timeout=HEARD_MS)


def swap(page: Page, first: str) -> None:
    """Who speaks first changes to `first`."""
    page.click("#hc-swap")
    expect(page.locator(".hc-says").first).to_have_class(re.compile(f"hc-says-{first}"))


def test_a_recording_is_heard_corrected_signed_and_exported(open_page, keep_picture) -> None:
    page = open_page()
    add_patient(page, NAME, "1980-06-07")
    hear(page, RECORDING)
    talk, says = page.locator(".hc-talk"), page.locator(".hc-says")
    expect(says.first).to_contain_text("What brings you in today", ignore_case=True)
    expect(says.first).to_have_class(re.compile("hc-says-doctor"))
    expect(says.nth(1)).to_have_class(re.compile("hc-says-patient"))
    expect(says.nth(1)).to_contain_text("a cough and a sore throat")

    # a click on a word plays it, and nothing after it
    player = page.locator("#hc-player")
    word = says.nth(1).locator(".hc-word", has_text="throat")
    start, end = (float(word.get_attribute(f"data-{edge}") or "nan") for edge in ("start", "end"))
    word.click()
    expect(word).to_have_class(re.compile("hc-now"))
    page.wait_for_function("() => document.getElementById('hc-player').paused")
    assert start < player.evaluate("player => player.currentTime") < end + 1  # it is looked at four times a second

    # lisinopril is heard as several words: all of them are lit, and only a person puts the name in their place
    keep_picture(page, "1280-light-recording-heard")
    takes = page.locator(".hc-says", has_text="every morning")
    expect(takes).not_to_contain_text("lisinopril", ignore_case=True)
    doubt = takes.locator(".hc-doubt").first
    assert len(doubt.inner_text().split()) > 1
    doubt.click()
    keep_picture(page, "1280-light-recording-doubt")
    assert find_faults(page) == NO_FAULTS
    page.locator(".hc-doubt-menu").get_by_role("button", name="lisinopril").click()
    expect(takes).to_contain_text("lisinopril 20 milligrams every morning", ignore_case=True)

    swap(page, "patient")
    swap(page, "doctor")
    page.click("#hc-draft")
    note = page.locator('[aria-label="Note"]')
    expect(note).to_contain_text("Allergies: penicillin (rash).", timeout=HEARD_MS)
    expect(note).to_contain_text("lisinopril 20 milligrams")

    # a line plays the seconds that it rests on, and no more
    line = page.locator(".hc-note-line", has_text="Allergies: penicillin")
    answer = page.locator(".hc-says", has_text="gives me a rash")
    began = float(answer.locator(".hc-word").first.get_attribute("data-start"))
    line.locator(".hc-line-text").click()
    expect(answer).to_have_class(re.compile("hc-lit"))
    expect(answer.locator(".hc-word.hc-now").first).to_be_visible()  # a word is lit as it is heard
    page.wait_for_function("() => document.getElementById('hc-player').paused")
    assert began < player.evaluate("player => player.currentTime") < began + 4
    keep_picture(page, "1280-light-recording-note")
    assert find_faults(page) == NO_FAULTS

    phone = open_page(390, "dark")
    choose_patient(phone, NAME)
    show_tab(phone, "Consultation")
    phone.locator("#hc-consultation .hc-row-button").first.click()
    expect(phone.locator("#hc-player")).to_be_visible()
    keep_picture(phone, "390-dark-recording-note")
    assert find_faults(phone) == NO_FAULTS

    page.get_by_role("button", name=re.compile("Edit: .*acetaminophen")).click()
    page.get_by_label("Line of the note").fill("Take acetaminophen 500 milligrams when the throat hurts.")
    page.get_by_role("button", name="Save line").click()
    expect(page.locator(".hc-note-line", has_text="when the throat hurts")).to_contain_text("edited by hand")
    for kind, begins in (("pdf", b"%PDF-"), ("docx", b"PK"), ("srt", b"1\n00:00:")):
        with page.expect_download() as download:
            page.click(f"#hc-file-{kind}")
        assert Path(download.value.path()).read_bytes().startswith(begins)

    page.fill("#hc-signer", "Dr. Ada Okafor")
    page.click("#hc-sign")
    expect(page.locator("#hc-signed-by")).to_contain_text("Dr. Ada Okafor")
    expect(page.locator("#hc-player")).to_have_count(0)
    expect(talk.locator("..")).to_contain_text("The recording was deleted when the note was signed.")
    keep_picture(page, "1280-light-recording-signed")
    assert find_faults(page) == NO_FAULTS


def test_how_many_voices_begins_at_two_and_one_or_finding_out_can_be_chosen(open_page) -> None:
    page = open_page()
    show_tab(page, "Consultation")
    voices = page.get_by_label("Voices")
    expect(voices).to_have_value("2")
    for number in ("1", "Find out", "5"):
        voices.click()
        page.get_by_role("option", name=number, exact=True).click()
        expect(voices).to_have_value(number)
