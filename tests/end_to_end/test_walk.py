"""One patient's walk through a clinic in a real browser: nurse, doctor, pharmacist and doctor, each signed in as such."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Page, expect

from domain.audit import Actor
from domain.people import Role
from domain.settings import Settings
from pipelines.workbench import Workbench
from tests.end_to_end.conftest import SCREENSHOTS, started, windows
from tests.end_to_end.test_prescription import FIRST_MS, open_tab, write
from tests.end_to_end.test_records_and_search import (
    NO_FAULTS,
    READ_MS,
    add_patient,
    choose_patient,
    find_faults,
    keep_view,
    show_tab,
)

pytestmark = pytest.mark.browser

LETTER = """\
Clinic letter
Diagnosis: congestive heart failure
Medications
Furosemide 40 mg once daily
Potassium 5.9 mmol/L (3.5-5.1)
Allergies: penicillin (rash)
"""
REASON = "Haemolysed sample, the repeat was normal"
PASSWORD = "long enough password"
OPERATOR = Actor("operator", "", "administrator")


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a clinic with one account of each role."""
    folder = tmp_path_factory.mktemp("clinic")
    with closing(Workbench(Settings(data_dir=folder))) as bench:
        for role in Role:
            bench.people.add(role.value, role.value, PASSWORD, OPERATOR)
    with started(folder, HEALTH_CONNECT_MODE="clinic") as address:
        yield address


@pytest.fixture
def sign_in(clinic: str, chromium: object) -> Iterator[Callable[..., Page]]:
    """A window in which somebody of a role has signed in."""
    with windows(clinic, chromium) as open_:
        yield lambda role, width, theme: open_(width, theme, account=(role, PASSWORD))


def box(page: Page, name: str):
    return page.locator("#hc-chart").get_by_role("region", name=name)


def print_out(page: Page, name: str) -> None:
    """What goes to paper is the chart alone, dark on white, and the screen is as before afterwards."""
    before = page.evaluate("window.print = () => {}; document.body.className")
    page.get_by_role("button", name="Print this summary").click()
    page.emulate_media(media="print")
    expect(page.locator(".hc-identity")).to_be_visible()
    expect(box(page, "Allergies")).to_be_visible()
    for gone in (box(page, "Timeline"), page.locator("#hc-chart-viewer"), page.get_by_role("tab", name="Chart")):
        expect(gone).to_be_hidden()
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)
    page.emulate_media(media="screen")
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.body.className") == before


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_nurse_doctor_pharmacist_and_doctor(sign_in, keep_picture, width: int, theme: str) -> None:
    look, name, number = f"{width}-{theme}", f"Signe Walk {width}", f"HC-88{width}"

    # the nurse adds the patient and what they brought
    nurse = sign_in("nurse", width, theme)
    expect(nurse.locator("#hc-who")).to_contain_text("nurse")
    add_patient(nurse, name, "1952-06-30", number)
    show_tab(nurse, "Records")
    nurse.get_by_text("Type or paste a record").click()
    nurse.get_by_label("Title").fill("Clinic letter")
    nurse.get_by_label("Text", exact=True).fill(LETTER)
    nurse.get_by_role("button", name="Keep this text").click()
    expect(nurse.locator(".hc-record")).to_be_visible(timeout=READ_MS)
    expect(nurse.locator(".hc-record-head")).to_contain_text(f"Filed to {name}")
    keep_picture(nurse, f"{look}-walk-1-nurse")

    # the doctor, elsewhere, sees it on the chart, each line with the place where it stands
    doctor = sign_in("doctor", width, theme)
    choose_patient(doctor, name)
    show_tab(doctor, "Chart")
    allergies = box(doctor, "Allergies")
    expect(allergies).to_contain_text("penicillin", ignore_case=True)
    alarm = allergies.get_by_role("button", name="penicillin")
    red, green, blue = alarm.evaluate("one => getComputedStyle(one).color.match(/\\d+/g).slice(0, 3).map(Number)")
    assert red > max(green, blue), "an allergy is red"
    expect(box(doctor, "Medicines")).to_contain_text("Furosemide 40 mg")
    attention = box(doctor, "Needs attention")
    entry = attention.get_by_role("listitem").filter(has_text="Potassium 5.9 mmol/L is high")
    expect(entry).to_be_visible()
    keep_picture(doctor, f"{look}-walk-2-chart")
    assert find_faults(doctor) == NO_FAULTS
    print_out(doctor, f"{look}-walk-2-chart-printed")
    alarm.click()
    expect(doctor.locator("#hc-chart-viewer")).to_contain_text("Clinic letter")
    expect(doctor.locator("#hc-chart-viewer .hc-hit-box").first).to_be_in_viewport()
    keep_view(doctor, f"{look}-walk-2-source")
    if width < 760:  # there the viewer lies below everything else
        doctor.get_by_role("button", name="Back to the line").click()
        expect(alarm).to_be_in_viewport()

    # what needs no attention is set aside with a reason, and stays to be seen
    entry.get_by_role("button", name="Set aside").click()
    doctor.get_by_label("Reason, which is kept and shown").fill(REASON)
    doctor.get_by_role("button", name="Set aside with this reason").click()
    expect(attention.locator("summary")).to_have_text("Set aside: 1")
    attention.locator("summary").click()
    expect(entry).to_contain_text("Set aside by doctor")
    expect(entry).to_contain_text(REASON)
    assert find_faults(doctor) == NO_FAULTS

    # the doctor writes
    open_tab(doctor, name)
    line = {"Form": "tablet", "Route": "oral", "Dose": "1 tablet", "How_often": "twice daily", "Days": "3"}
    write(doctor, 0, Medicine="Paracetamol", Strength="500 mg", **line)
    doctor.click("#hc-rx-sign")
    expect(doctor.locator("#hc-rx-issued")).to_contain_text(name, timeout=FIRST_MS)
    keep_picture(doctor, f"{look}-walk-3-prescription")

    # the pharmacist, who may see no chart, checks and hands out
    pharmacy = sign_in("pharmacist", width, theme)
    show_tab(pharmacy, "Prescription")
    expect(pharmacy.get_by_role("tab", name="Chart")).to_be_hidden()  # what a role may not open is taken away
    expect(pharmacy.locator(".hc-banner", has_text="A doctor signs, a pharmacist hands out.")).to_be_visible()
    pharmacy.fill("#hc-rx-typed", doctor.locator(".hc-rx-code").text_content())
    pharmacy.click("#hc-rx-verify")
    expect(pharmacy.locator("#hc-verdict")).to_contain_text("Genuine: may be dispensed", timeout=FIRST_MS)
    pharmacy.click("#hc-dispense")
    expect(pharmacy.locator("#hc-verdict")).to_contain_text("Dispensed now")
    keep_picture(pharmacy, f"{look}-walk-4-pharmacy")
    assert find_faults(pharmacy) == NO_FAULTS

    # and the chart says so
    show_tab(doctor, "Chart")
    expect(box(doctor, "Medicines")).to_contain_text("Paracetamol")
    row = box(doctor, "Timeline").locator(".hc-time-row", has_text="Prescription")
    expect(row).to_contain_text("dispensed")
    row.click()
    viewer = doctor.locator("#hc-chart-viewer")
    expect(viewer).to_contain_text("Paracetamol 500 mg")
    expect(viewer).to_be_in_viewport()
    keep_picture(doctor, f"{look}-walk-5-dispensed")
    assert find_faults(doctor) == NO_FAULTS

    # what the chart is on paper and for another house
    for link, begins in (("Summary as PDF", b"%PDF"), ("Chart as FHIR", b'{"resourceType": "Bundle"')):
        path = doctor.get_by_role("link", name=link).get_attribute("href")
        answer = doctor.request.get(path)
        assert answer.ok, answer.text()
        assert answer.body().startswith(begins)
        assert not pharmacy.request.get(path).ok, "a pharmacist gets no chart in any shape"

    # the letter turns out to be another patient's
    other = f"Other Walk {width}"
    add_patient(doctor, other, "1960-01-01", f"HC-99{width}")
    choose_patient(doctor, name)
    show_tab(doctor, "Chart")
    box(doctor, "Timeline").locator(".hc-time-row", has_text="Clinic letter").click()
    viewer.get_by_text("Filed to the wrong patient? Move it").click()
    doctor.get_by_label("The patient whose record it is").fill(f"HC-99{width}")
    viewer.get_by_role("button", name="Show what would happen").click()
    expect(viewer).to_contain_text(f"to {other}, born 1960-01-01")
    doctor.get_by_label("Reason, which is kept", exact=True).fill("It lay in the wrong tray")
    keep_picture(doctor, f"{look}-walk-6-move")
    assert find_faults(doctor) == NO_FAULTS
    viewer.get_by_role("button", name="Move it to that chart").click()
    expect(doctor.locator("#hc-chart")).to_contain_text("The record is in the other chart now")
    expect(box(doctor, "Allergies")).not_to_contain_text("penicillin", ignore_case=True)
    choose_patient(doctor, other)
    expect(box(doctor, "Allergies")).to_contain_text("penicillin", ignore_case=True)
    expect(doctor.locator(".hc-patient-bar .hc-alarm")).to_contain_text("penicillin", ignore_case=True)
    show_tab(doctor, "Trail")
    expect(doctor.locator("#hc-trail")).to_contain_text("moved here from another chart: It lay in the wrong tray")
    keep_picture(doctor, f"{look}-walk-7-trail")
    assert find_faults(doctor) == NO_FAULTS

    # a researcher sees what was found, of nobody
    researcher = sign_in("researcher", width, theme)
    researcher.click("#hc-choose-patient")
    researcher.locator(".hc-dialog .hc-row-button").first.click()
    expect(researcher.locator(".hc-identity strong")).to_contain_text("Subject")
    show_tab(researcher, "Chart")
    expect(researcher.locator("#hc-chart")).to_contain_text("Without identity")
    expect(researcher.locator("#hc-chart-receive")).to_be_hidden()
    for wrong in ("Walk", "No allergy found", "may not do this"):
        assert wrong not in researcher.locator("body").inner_text(), wrong
    keep_picture(researcher, f"{look}-walk-8-researcher")
    assert find_faults(researcher) == NO_FAULTS


@pytest.mark.parametrize(("width", "theme"), [(1280, "dark"), (390, "light")])
def test_who_needs_a_chart_that_is_closed_breaks_the_glass_and_nobody_else_is_asked(
    sign_in, keep_picture, width: int, theme: str
) -> None:
    look, name = f"{width}-{theme}", f"Ulla Glass {width}"
    doctor = sign_in("doctor", width, theme)
    add_patient(doctor, name, "1952-06-30", f"HC-77{width}")
    show_tab(doctor, "Records")
    doctor.get_by_text("Type or paste a record").click()
    doctor.get_by_label("Title").fill("Clinic letter")
    doctor.get_by_label("Text", exact=True).fill(LETTER)
    doctor.get_by_role("button", name="Keep this text").click()
    expect(doctor.locator(".hc-record")).to_be_visible(timeout=READ_MS)
    show_tab(doctor, "Trail")
    expect(doctor.locator("#hc-trail")).to_contain_text(f"Who saw or changed what of {name}")
    expect(doctor.locator("#hc-glass-reason")).to_have_count(0)

    pharmacy = sign_in("pharmacist", width, theme)
    choose_patient(pharmacy, name)
    expect(pharmacy.get_by_role("tab", name="Chart")).to_be_hidden()  # what a role may not open is taken away
    show_tab(pharmacy, "Trail")
    expect(pharmacy.locator("#hc-trail")).to_contain_text("it opens to you: the chart, the records")
    pharmacy.fill("#hc-glass-reason", "Collapsed at the counter, allergies needed")
    keep_picture(pharmacy, f"{look}-glass-1-asked")
    assert find_faults(pharmacy) == NO_FAULTS
    pharmacy.get_by_role("button", name="Break the glass").click()
    expect(pharmacy.locator("#hc-trail")).to_contain_text("Open to you until")
    show_tab(pharmacy, "Chart")
    expect(pharmacy.locator("#hc-chart")).to_contain_text("You see this chart because you broke the glass")
    expect(box(pharmacy, "Allergies")).to_contain_text("penicillin", ignore_case=True)
    box(pharmacy, "Allergies").get_by_role("button", name="penicillin").click()
    expect(pharmacy.locator("#hc-chart-viewer .hc-hit-box").first).to_be_visible()
    keep_picture(pharmacy, f"{look}-glass-2-chart")
    assert find_faults(pharmacy) == NO_FAULTS
    show_tab(pharmacy, "Trail")
    expect(pharmacy.locator("#hc-trail")).to_contain_text("A pharmacist may not do this")
    expect(pharmacy.locator("#hc-glass-reason")).to_have_count(0)  # it is open: there is nothing left to ask for

    # it opens one patient, and the doctor sees it in red
    add_patient(doctor, f"Vera Second {width}", "1960-01-01", f"HC-78{width}")
    choose_patient(pharmacy, f"Vera Second {width}")
    expect(pharmacy.get_by_role("tab", name="Chart")).to_be_hidden()
    choose_patient(doctor, name)
    show_tab(doctor, "Trail")
    broken = doctor.locator(".hc-trail-row.hc-glass").first
    expect(broken).to_contain_text("BREAK GLASS: Collapsed at the counter")
    red, green, blue = broken.locator("td").first.evaluate(
        "one => getComputedStyle(one).color.match(/\\d+/g).slice(0, 3).map(Number)"
    )
    assert red > max(green, blue), "broken glass is red"
