"""The Chart tab in a real browser: whose chart is shown however fast one chooses, and charts that come and go as files."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from domain.audit import Actor
from domain.settings import Settings
from pipelines.workbench import Workbench
from tests.end_to_end.conftest import started, windows
from tests.end_to_end.test_records_and_search import NO_FAULTS, choose_patient, find_faults, keep_view, show_tab
from tests.unit.clinic_kit import sent_chart

pytestmark = pytest.mark.browser
NURSE = Actor("nurse", "", "nurse")
NAMES = ("Alma Aalto", "Bruno Bakker", "Chika Chukwu", "Dagny Dahl")
FILED_MS = 120_000
# Whatever is drawn, at whatever moment: a chart of one patient below the name of another is written down.
WATCH = """names => {
  window.wrong = [];
  const look = () => {
    const head = (document.querySelector('.hc-identity strong') || {}).textContent || '';
    const shown = ['#hc-chart', '#hc-chart-viewer'].map((id) => (document.querySelector(id) || {}).textContent || '').join(' ');
    for (const name of names) if (shown.includes('Letter of ' + name) && head !== name) window.wrong.push(name + ' below ' + head);
  };
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true, characterData: true });
}"""
# Chooses without waiting for anything, as an impatient thumb does.
TAP = """name => {
  const row = [...document.querySelectorAll('.hc-dialog .hc-row-button')].find((one) => one.textContent.includes(name));
  row.click();
}"""


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of an app with four patients, each with a letter that names its owner."""
    folder = tmp_path_factory.mktemp("ward")
    with closing(Workbench(Settings(data_dir=folder))) as bench:
        for number, name in enumerate(NAMES):
            own = bench.create_patient(name, f"195{number}-06-30", "unknown", f"HC-W{number}", NURSE).patient_id
            bench.import_text(f"Letter of {name}", "Ramipril 5 mg once daily.\nAllergies: latex", own, NURSE)
    with started(folder, HEALTH_CONNECT_DEMO="false") as address:
        yield address


@pytest.fixture
def open_ward(ward: str, chromium: object) -> Iterator[Callable[..., Page]]:
    with windows(ward, chromium) as open_:
        yield open_


def show_all(page: Page) -> None:
    """The dialog has found everybody, and is closed again."""
    page.click("#hc-choose-patient")
    expect(page.locator(".hc-dialog .hc-row-button")).to_have_count(len(NAMES))
    page.keyboard.press("Escape")


def header(page: Page) -> Any:
    return page.locator(".hc-identity strong")


@pytest.mark.parametrize(("width", "latency_ms"), [(390, 250), (1280, 40)])
def test_however_fast_one_chooses_the_last_choice_holds_and_no_chart_stands_below_another_name(
    open_ward, width: int, latency_ms: int
) -> None:
    first = open_ward(width, "light")
    second = first.context.new_page()
    second.goto(first.url)
    pages = (first, second)
    for page in pages:
        page.wait_for_selector("#hc-choose-patient")
        slow = page.context.new_cdp_session(page)
        slow.send("Network.enable")
        slow.send(
            "Network.emulateNetworkConditions",
            {"offline": False, "latency": latency_ms, "downloadThroughput": -1, "uploadThroughput": -1},
        )
        choose_patient(page, NAMES[0])
        show_tab(page, "Chart")
        expect(page.locator("#hc-chart")).to_contain_text(f"Letter of {NAMES[0]}")
        show_all(page)
        page.evaluate(WATCH, NAMES)
    for turn in range(3):
        for step in range(1, 5):
            for offset, page in enumerate(pages):
                page.evaluate(TAP, NAMES[(turn + step * (offset + 1) + 2 * offset) % len(NAMES)])
        for offset, page in enumerate(pages):
            last = NAMES[(turn + 4 * (offset + 1) + 2 * offset) % len(NAMES)]
            expect(header(page)).to_have_text(last)
            expect(page.locator("#hc-chart")).to_contain_text(f"Letter of {last}")
            page.locator("#hc-chart .hc-time-row").first.click()
            show_all(page)
            expect(header(page)).to_have_text(last)
    for page in pages:
        assert page.evaluate("window.wrong") == []


def test_a_choice_that_is_overtaken_on_its_way_changes_nothing(open_ward) -> None:
    page = open_ward(390, "light")
    choose_patient(page, NAMES[0])
    show_tab(page, "Chart")
    expect(page.locator("#hc-chart")).to_contain_text(f"Letter of {NAMES[0]}")
    show_all(page)
    page.evaluate(WATCH, NAMES)
    held: list[Route] = []

    def hold(route: Route) -> None:
        sent = route.request.post_data or ""
        if '"turn"' in sent and len(held) < 2:
            held.append(route)
        else:
            route.continue_()

    page.route("**/gradio_api/queue/join*", hold)
    for name in NAMES[1:3]:
        page.evaluate(TAP, name)
    while len(held) < 2:
        page.evaluate("() => new Promise(requestAnimationFrame)")  # lets the browser's requests come in
    with page.expect_response("**/gradio_api/queue/join*"):
        held[1].continue_()  # what was chosen last arrives first
    with page.expect_response("**/gradio_api/queue/join*"):
        held[0].continue_()
    expect(header(page)).to_have_text(NAMES[2])
    expect(page.locator("#hc-chart")).to_contain_text(f"Letter of {NAMES[2]}")
    show_all(page)  # an answer that comes after the overtaken one
    expect(header(page)).to_have_text(NAMES[2])
    assert page.evaluate("window.wrong") == []


def test_a_choice_whose_answer_is_lost_is_made_again_and_said_to_be_under_way(open_ward) -> None:
    page = open_ward(390, "light")
    choose_patient(page, NAMES[0])
    show_all(page)
    lost: list[Route] = []

    def lose(route: Route) -> None:
        if '"turn"' in (route.request.post_data or "") and not lost:
            lost.append(route)
            route.fulfill(json={"event_id": "which-never-ends"})  # taken, and nothing is ever heard of it
        else:
            route.continue_()

    page.route("**/gradio_api/queue/join*", lose)
    page.evaluate(TAP, NAMES[1])
    expect(page.locator(".hc-coming")).to_have_text(f"{NAMES[1]}: being opened …")
    expect(header(page)).to_have_text(NAMES[0])
    expect(header(page)).to_have_text(NAMES[1])
    expect(page.locator(".hc-coming")).to_have_count(0)
    assert lost


def receive(page: Page, file: Path) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Receive a chart").click()
    chooser.value.set_files(file)


def status(page: Page) -> Any:
    return page.locator("#hc-chart-status .hc-status")


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_a_chart_is_received_stopped_taken_up_again_and_sent_on(
    open_ward, keep_picture, tmp_path: Path, width: int, theme: str
) -> None:
    page, look, name = open_ward(width, theme), f"{width}-{theme}", f"Esi Far {width}"
    show_tab(page, "Chart")

    # what is no chart is refused, in words
    bad = tmp_path / "no-chart.json"
    bad.write_text('{"resourceType": "Patient"}')
    receive(page, bad)
    expect(status(page)).to_contain_text("This file holds no FHIR bundle, so nothing was received.")
    expect(page.get_by_role("alert").first).to_be_visible()
    said, bar = page.get_by_test_id("toast-body").bounding_box(), page.locator(".hc-patient-bar").bounding_box()
    assert said["y"] > bar["y"] + bar["height"], "a message never lies over the patient's name"

    # a long one says how far it is, and can be stopped without losing what is done
    chart = sent_chart(tmp_path, 45, name)
    receive(page, chart)
    expect(status(page)).to_contain_text(re.compile(r"File \d+ of 45"), timeout=FILED_MS)
    keep_picture(page, f"{look}-receive-1-running")
    page.get_by_role("button", name="Cancel").locator("visible=true").click()
    expect(status(page)).to_contain_text("files are no records yet; receive the same bundle again", timeout=FILED_MS)
    expect(status(page)).to_contain_text(f"47 resources received for {name}")
    expect(status(page)).to_contain_text("choose them in the header")
    expect(header(page)).to_have_text("No patient chosen")
    keep_picture(page, f"{look}-receive-2-stopped")
    assert find_faults(page) == NO_FAULTS

    # taken up again for the patient who was added, the rest is filed
    choose_patient(page, name)
    expect(page.locator(".hc-patient-bar .hc-alarm")).to_contain_text("Latex")
    receive(page, chart)
    expect(status(page)).to_contain_text(f"0 resources received for {name}", timeout=FILED_MS)
    timeline = page.locator("#hc-chart").get_by_role("region", name="Timeline")
    expect(timeline.get_by_role("button", name="Records 45")).to_be_visible()
    expect(page.locator("#hc-chart").get_by_role("region", name="Laboratory")).to_contain_text("Potassium")

    # the chart of somebody else is not received for them
    receive(page, sent_chart(tmp_path, 1, "Other Person", "1999-01-01"))
    expect(status(page)).to_contain_text("another date of birth")
    expect(header(page)).to_have_text(name)

    # with so many files, writing it out is a job with an end
    page.locator("#hc-chart").get_by_role("button", name="Chart as FHIR").click()
    expect(status(page)).to_contain_text(f"The chart of {name}:", timeout=FILED_MS)
    expect(status(page)).to_be_in_viewport()
    expect(page.locator("#hc-chart-save")).to_be_in_viewport()
    keep_view(page, f"{look}-receive-3-in-sight")
    keep_picture(page, f"{look}-receive-3-written")
    assert find_faults(page) == NO_FAULTS
    with page.expect_download() as saved:
        page.locator("#hc-chart-save").click()
    assert json.loads(Path(saved.value.path()).read_bytes())["resourceType"] == "Bundle"
    choose_patient(page, NAMES[0])
    expect(page.locator("#hc-chart-save")).to_be_hidden()
