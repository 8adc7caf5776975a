"""The main job, in a real browser: a file goes in, a word is mended, and the page is found again by symptom."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest
from playwright.sync_api import Page, expect

from components.page import TABS
from tests.end_to_end.accessible import faint, nameless, scrolls_sideways
from tests.end_to_end.conftest import LETTER, SCREENSHOTS, draw_page

pytestmark = pytest.mark.browser

READ_MS = 90_000  # the first reading loads the model
HOSTILE = "<img src=x onerror=document.title='broken'>"


def show_tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def add_patient(page: Page, name: str, born: str, number: str = "") -> None:
    page.click("#hc-choose-patient")
    page.get_by_text("Add a new patient").click()
    page.get_by_label("Full name").fill(name)
    page.get_by_label("Date of birth").fill(born)
    page.get_by_label("Record number").fill(number)
    page.get_by_role("button", name="Add this patient").click()
    expect(page.locator(".hc-identity strong")).to_have_text(name)


def choose_patient(page: Page, name: str) -> None:
    page.click("#hc-choose-patient")
    page.fill("#hc-find-patient", name)
    page.locator(".hc-dialog .hc-row-button", has_text=name).first.click()
    expect(page.locator(".hc-identity strong")).to_have_text(name)


def read_file(page: Page, path: Path) -> None:
    page.set_input_files("#hc-upload input[type=file]", path)
    expect(page.locator("#hc-upload")).to_contain_text(path.stem)
    page.click("#hc-read")


def wait_for_record(page: Page) -> None:
    expect(page.locator(".hc-record")).to_be_visible(timeout=READ_MS)
    expect(page.locator("#hc-job-status")).to_contain_text("read in")


def search(page: Page, query: str) -> None:
    show_tab(page, "Find")
    page.locator("#hc-query").get_by_role("textbox").fill(query)
    page.click("#hc-find")


def keep_view(page: Page, name: str) -> None:
    """What the window shows, where it is scrolled to."""
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


def find_faults(page: Page) -> dict[str, list[str] | bool]:
    return {"faint": faint(page), "nameless": nameless(page), "sideways": scrolls_sideways(page)}


NO_FAULTS = {"faint": [], "nameless": [], "sideways": False}


@pytest.mark.parametrize(
    ("width", "theme", "word"),
    [(1280, "light", "quixotism"), (390, "dark", "zephyrine"), (1280, "dark", "marzipan"), (390, "light", "brindled")],
)
def test_a_letter_is_read_mended_found_and_opened(
    open_page, keep_picture, tmp_path: Path, width: int, theme: str, word: str
) -> None:
    page, look, number = open_page(width, theme), f"{width}-{theme}", f"HC-{width}-{theme}"
    keep_picture(page, f"{look}-start")
    assert find_faults(page) == NO_FAULTS
    add_patient(page, "Amara Okafor", "1961-03-12", number)
    read_file(page, draw_page(LETTER.replace("HC-0042", number), tmp_path / "letter.png"))
    expect(page.locator("#hc-job-status")).to_be_in_viewport()
    wait_for_record(page)
    expect(page.locator(".hc-record-head")).to_contain_text("Filed to Amara Okafor")
    expect(page.locator(".hc-fact-allergy")).to_contain_text("penicillin", ignore_case=True)
    expect(page.locator(".hc-patient-bar .hc-alarm")).to_contain_text("penicillin", ignore_case=True)
    keep_picture(page, f"{look}-record")

    # a word that is clicked is seen, enlarged, without scrolling
    page.locator(".hc-word", has_text="Ramipril").click(force=True)
    panel = page.locator(".hc-word-panel")
    expect(panel.locator(".hc-close-up")).to_be_in_viewport(ratio=0.95)
    expect(page.locator(".hc-word.hc-chosen")).to_be_in_viewport()
    panel.get_by_role("button", name="Close").click()

    # mend a word: a click on the page opens it, Enter saves
    chip = page.get_by_role("button", name="List every word of the page")
    chip.click()
    page.locator(".hc-chip", has_text=re.compile("breathlessness")).first.click()
    box = page.get_by_label("What the page says")
    expect(box).to_be_focused()
    box.fill(word)
    box.press("Enter")
    history = page.locator(".hc-history")
    expect(history).to_contain_text("Corrections by people (1)")
    history.locator("summary").click()
    expect(history.locator("del")).to_contain_text("breathlessness")
    keep_picture(page, f"{look}-mended")
    assert find_faults(page) == NO_FAULTS

    # the index follows, and the hit leads back to the place
    search(page, word)
    expect(page.locator(".hc-hit mark").first).to_have_text(word)
    keep_picture(page, f"{look}-found")
    assert find_faults(page) == NO_FAULTS
    page.get_by_role("button", name="Open the record here").first.click()
    expect(page.locator(".hc-page-svg .hc-hit-box").first).to_be_in_viewport(ratio=0.95)
    keep_view(page, f"{look}-opened")
    assert find_faults(page) == NO_FAULTS
    page.go_back()
    expect(page.get_by_role("tab", name="Find", selected=True)).to_be_visible()
    page.go_forward()

    # so does the file that is handed out
    with page.expect_download() as download:
        page.click("#hc-download")
    assert download.value.suggested_filename.endswith(".pdf")
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF-")


@pytest.mark.parametrize("width", [390, 1280])
def test_every_tab_is_reached_and_the_patient_stays_in_sight(open_page, width: int) -> None:
    page = open_page(width)
    add_patient(page, "Ines Marlow", "1950-02-28", f"HC-0777-{width}")
    names = [tab.name for tab in TABS]
    assert page.get_by_role("tab").all_inner_texts() == names
    for name in names:
        show_tab(page, name)
        tab = page.get_by_role("tab", name=name, selected=True)
        expect(tab).to_be_in_viewport(ratio=0.95)
        page.mouse.wheel(0, 600)
        bar = page.locator(".hc-patient-bar")
        expect(bar).to_be_in_viewport(ratio=0.95)
        for fact in ("IM", "Ines Marlow", "1950-02-28", "76 years", "female", "HC-0777", "No allergy found"):
            expect(bar).to_contain_text(fact)
        page.evaluate("window.scrollTo(0, 0)")

    # by keyboard: past the header at once, into a panel that bears its tab's name
    page.get_by_role("link", name="Skip to the content").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("tabpanel", name=names[-1], exact=True)).to_be_focused()

    # one stop for the row, arrows within it; Back leads to the tab before
    page.get_by_role("tab", name=names[-1]).focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name=names[0], selected=True)).to_be_focused()
    page.keyboard.press("End")
    expect(page.get_by_role("tab", name=names[-1], selected=True)).to_be_focused()
    assert page.locator("#hc-tabs [role=tab][tabindex='0']").count() == 1
    page.wait_for_timeout(300)  # what changes within a moment is one step of the browser's history
    show_tab(page, names[1])
    expect(page).to_have_url(re.compile("tab=" + TABS[1].id))
    page.go_back()
    expect(page.get_by_role("tab", name=names[-1], selected=True)).to_be_visible()


def test_a_link_to_a_page_opens_it_and_back_returns(open_page, tmp_path: Path) -> None:
    page = open_page(390)
    page.get_by_text("Type or paste a record").click()
    page.get_by_label("Title").fill("A long one")
    page.get_by_label("Text", exact=True).fill("She spoke of oedema.\n" * 120)
    page.get_by_role("button", name="Keep this text").click()
    expect(page.locator(".hc-record")).to_be_visible(timeout=READ_MS)
    page.get_by_role("button", name="Next page").click()
    expect(page.locator(".hc-toolbar")).to_contain_text("Page 2 of")
    expect(page).to_have_url(re.compile("document=.*&p=2"))
    linked = open_page(390, query="&" + urlparse(page.url).query)
    expect(linked.locator(".hc-toolbar")).to_contain_text("Page 2 of")
    linked.locator("#hc-record-list .hc-row-button", has_not_text="A long one").first.click()
    expect(linked.locator(".hc-record h2")).not_to_have_text("A long one")
    linked.go_back()
    expect(linked.locator(".hc-record h2")).to_have_text("A long one")
    expect(linked.locator(".hc-toolbar")).to_contain_text("Page 2 of")


def test_links_to_a_tab_and_to_what_is_not_there(open_page) -> None:
    page = open_page(query="&tab=models&patient=nobody&document=nothing&p=-4")
    expect(page.get_by_role("tab", name="Models", selected=True)).to_be_visible()
    expect(page.locator(".hc-identity strong")).to_have_text("No patient chosen")
    expect(page.locator(".toast-body").first).to_contain_text("The link leads nowhere")
    assert open_page(query="&tab=%3Cb%3E").get_by_role("tab", selected=True).inner_text() == TABS[0].name


@pytest.mark.parametrize(("width", "theme"), [(390, "light"), (1280, "dark")])
def test_a_link_opens_the_record_at_any_width_in_both_themes(
    open_page, keep_picture, letter: Path, width: int, theme: str
) -> None:
    page = open_page(width, theme)
    choose_or_add(page)
    read_file(page, letter)  # the same bytes again: the record that is kept already is shown
    expect(page.locator(".hc-record")).to_be_visible(timeout=READ_MS)
    asked = parse_qs(urlparse(page.url).query)

    linked = open_page(width, theme, f"&patient={asked['patient'][0]}&document={asked['document'][0]}")
    expect(linked.locator(".hc-identity strong")).to_have_text("Amara Okafor")
    expect(linked.locator(".hc-record")).to_be_visible()
    assert find_faults(linked) == NO_FAULTS
    linked.get_by_role("button", name="Next doubtful word").first.click()
    search(linked, "swollen ankles")
    expect(linked.locator(".hc-hit").first).to_be_visible()
    keep_picture(linked, f"{width}-{theme}-ankles")
    assert find_faults(linked) == NO_FAULTS
    show_tab(linked, "Models")
    expect(linked.locator(".hc-card").first).to_be_visible()
    keep_picture(linked, f"{width}-{theme}-models")
    assert find_faults(linked) == NO_FAULTS


def choose_or_add(page: Page) -> None:
    page.click("#hc-choose-patient")
    page.fill("#hc-find-patient", "Amara Okafor")
    found = page.locator(".hc-dialog .hc-row-button", has_text="Amara Okafor").first
    none = page.locator(".hc-dialog li", has_text="No patient matches")
    expect(found.or_(none).first).to_be_visible()
    if found.is_visible():
        found.click()
    else:
        page.keyboard.press("Escape")
        add_patient(page, "Amara Okafor", "1961-03-12", "HC-0042")
    expect(page.locator(".hc-identity strong")).to_have_text("Amara Okafor")


def test_a_record_of_somebody_else_waits_for_a_person(open_page, keep_picture, tmp_path: Path) -> None:
    page = open_page()
    add_patient(page, "Bjorn Lind", "1987-07-30")
    read_file(page, draw_page(LETTER.replace("Hospital", "Clinic"), tmp_path / "other.png"))
    banner = page.locator(".hc-stop")
    expect(banner).to_be_visible(timeout=READ_MS)
    expect(banner).to_contain_text("Amara Okafor")
    expect(page.locator(".hc-record-head")).to_contain_text("Filed to nobody")
    keep_picture(page, "1280-light-mismatch")
    assert find_faults(page) == NO_FAULTS
    file = banner.get_by_role("button", name="File to Bjorn Lind anyway")
    expect(file).to_be_disabled()
    banner.get_by_role("checkbox").check()
    file.click()
    expect(page.locator(".hc-record-head")).to_contain_text("Filed to Bjorn Lind")
    expect(banner).to_have_count(0)


def test_an_example_runs_on_click(open_page, keep_picture) -> None:
    page = open_page()
    page.locator("#hc-examples button").first.click()
    expect(page.locator(".hc-record")).to_be_visible(timeout=READ_MS)
    keep_picture(page, "1280-light-example")
    assert find_faults(page) == NO_FAULTS


def test_a_long_job_shows_its_pages_and_stops_when_asked(open_page, keep_picture, long_record: Path) -> None:
    page = open_page()
    read_file(page, long_record)
    status = page.locator("#hc-job-status")
    expect(status).to_contain_text("of 30 pages", timeout=READ_MS)
    expect(page.locator(".hc-pages-read li").first).to_contain_text("Page", timeout=READ_MS)
    keep_picture(page, "1280-light-reading")
    page.click("#hc-cancel")
    expect(status).to_contain_text("as you asked", timeout=READ_MS)
    expect(page.locator("#hc-cancel")).to_be_hidden()
    expect(page.locator("#hc-record-list")).not_to_contain_text("30 pages")


def test_nonsense_finds_nothing_and_says_so_calmly(open_page, keep_picture) -> None:
    page = open_page(390)
    show_tab(page, "Find")
    query = page.locator("#hc-query").get_by_role("textbox")
    query.focus()
    assert query.evaluate("field => getComputedStyle(field).outlineStyle") == "solid", "the focus is seen"
    search(page, "xqzzv blorptang")
    answer = page.locator("#hc-hits .hc-empty")
    expect(answer).to_contain_text("Nothing found")
    expect(page.locator("#hc-live")).to_contain_text("Nothing found")  # a screen reader says it
    expect(page.locator(".hc-hit")).to_have_count(0)
    keep_picture(page, "390-light-nothing")


def test_bad_files_are_refused_with_a_reason_and_the_page_goes_on(open_page, keep_picture, tmp_path: Path) -> None:
    page = open_page()
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7\nthis is no page")
    read_file(page, broken)
    refused = page.locator(".hc-refused")
    expect(refused).to_be_visible(timeout=READ_MS)
    keep_picture(page, "1280-light-refused")
    said = refused.inner_text() + page.locator(".toast-body").first.inner_text()
    assert str(tmp_path) not in said
    assert "Traceback" not in said
    show_tab(page, "Models")
    expect(page.locator(".hc-card").first).to_be_visible()


def test_text_of_a_record_is_never_markup(open_page) -> None:
    page = open_page()
    add_patient(page, HOSTILE, "1990-01-01", "<b>7</b>")
    page.get_by_text("Type or paste a record").click()
    page.get_by_label("Title").fill(HOSTILE)
    page.get_by_label("Text", exact=True).fill(f"{HOSTILE}\nHaemoptysis since Monday")
    page.get_by_role("button", name="Keep this text").click()
    expect(page.locator(".hc-record h2")).to_have_text(HOSTILE)
    search(page, "haemoptysis")
    expect(page.locator(".hc-hit").first).to_be_visible()
    assert page.title() == "HEALTH CONNECT"
    assert page.locator("img[src=x]").count() == 0


def test_the_keyboard_alone_chooses_a_patient_and_mends_a_word(open_page, letter: Path) -> None:
    page = open_page()
    choose_or_add(page)
    page.focus("#hc-choose-patient")
    page.keyboard.press("Enter")
    expect(page.locator("#hc-find-patient")).to_be_focused()
    page.keyboard.type("Amara")
    expect(page.locator(".hc-dialog .hc-row-button", has_not_text="Amara")).to_have_count(0)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".hc-dialog[open]")).to_have_count(0)
    expect(page.locator("#hc-choose-patient")).to_be_focused()
    page.locator("#hc-record-list .hc-row-button").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".hc-record")).to_be_visible()
    page.locator("#hc-line").focus()
    page.keyboard.press("End")  # every word that is not quite sure is now below the line
    page.locator(".hc-page-scroll").focus()
    page.keyboard.press("n")
    expect(page.get_by_label("What the page says")).to_be_focused()
    page.keyboard.press("Enter")  # the reading is right: saving it as it stands settles the doubt
    expect(page.locator(".hc-history")).to_be_visible()


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_of_the_api_has_an_address_and_is_used_by_keyboard(open_page, keep_picture, width: int) -> None:
    page = open_page(width, query="&view=api")
    documentation = page.get_by_role("dialog", name="Use via API")
    expect(documentation).to_contain_text("digitise")
    expect(documentation.get_by_role("button", name="Close")).to_be_focused()
    page.wait_for_timeout(300)  # the panel slides in
    page.screenshot(path=SCREENSHOTS / f"{width}-light-api.png")
    assert nameless(page) == []
    page.keyboard.press("Escape")
    expect(documentation).to_have_count(0)
    if width == 1280:  # on a phone Gradio offers no button for it, only the address
        expect(page.get_by_role("button", name="Use via API")).to_be_focused()
