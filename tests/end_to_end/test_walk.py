"""One patient's walk through the house in a real browser: record, chart, prescription, pharmacy, and the chart again."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.end_to_end.conftest import SCREENSHOTS
from tests.end_to_end.test_prescription import FIRST_MS, open_tab, write
from tests.end_to_end.test_records_and_search import NO_FAULTS, READ_MS, add_patient, find_faults, keep_view, show_tab

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
def test_a_record_becomes_a_chart_and_the_chart_follows_the_pharmacy(
    open_page, keep_picture, width: int, theme: str
) -> None:
    look, name = f"{width}-{theme}", f"Signe Walk {width}"

    # the nurse pastes what the patient brought
    nurse = open_page(width, theme)
    add_patient(nurse, name, "1952-06-30", f"HC-88{width}")
    show_tab(nurse, "Records")
    nurse.get_by_text("Type or paste a record").click()
    nurse.get_by_label("Title").fill("Clinic letter")
    nurse.get_by_label("Text", exact=True).fill(LETTER)
    nurse.get_by_role("button", name="Keep this text").click()
    expect(nurse.locator(".hc-record")).to_be_visible(timeout=READ_MS)
    expect(nurse.locator(".hc-record-head")).to_contain_text(f"Filed to {name}")

    # the doctor sees it on the chart, each line with the place where it stands
    show_tab(nurse, "Chart")
    doctor = nurse
    allergies = box(doctor, "Allergies")
    expect(allergies).to_contain_text("penicillin", ignore_case=True)
    alarm = allergies.get_by_role("button", name="penicillin")
    red, green, blue = alarm.evaluate("one => getComputedStyle(one).color.match(/\\d+/g).slice(0, 3).map(Number)")
    assert red > max(green, blue), "an allergy is red"
    expect(box(doctor, "Medicines")).to_contain_text("Furosemide 40 mg")
    attention = box(doctor, "Needs attention")
    entry = attention.get_by_role("listitem").filter(has_text="Potassium 5.9 mmol/L is high")
    expect(entry).to_be_visible()
    keep_picture(doctor, f"{look}-chart")
    assert find_faults(doctor) == NO_FAULTS
    print_out(doctor, f"{look}-chart-printed")
    alarm.click()
    expect(doctor.locator("#hc-chart-viewer")).to_contain_text("Clinic letter")
    expect(doctor.locator("#hc-chart-viewer .hc-hit-box").first).to_be_in_viewport()
    keep_view(doctor, f"{look}-chart-source")
    if width < 760:  # there the viewer lies below everything else
        doctor.get_by_role("button", name="Back to the line").click()
        expect(alarm).to_be_in_viewport()

    # what needs no attention is set aside with a reason, and stays to be seen
    entry.get_by_role("button", name="Set aside").click()
    doctor.get_by_label("Reason, which is kept and shown").fill(REASON)
    doctor.get_by_role("button", name="Set aside with this reason").click()
    expect(box(doctor, "Needs attention").locator("summary")).to_have_text("Set aside: 1")
    attention.locator("summary").click()
    expect(entry).to_contain_text(REASON)
    assert find_faults(doctor) == NO_FAULTS

    # the doctor writes, the pharmacist in another window checks and hands out
    open_tab(doctor, name)
    line = {"Form": "tablet", "Route": "oral", "Dose": "1 tablet", "How_often": "twice daily", "Days": "3"}
    write(doctor, 0, Medicine="Paracetamol", Strength="500 mg", **line)
    doctor.click("#hc-rx-sign")
    expect(doctor.locator("#hc-rx-issued")).to_contain_text(name, timeout=FIRST_MS)
    pharmacy = open_page(width, theme)
    open_tab(pharmacy)
    pharmacy.fill("#hc-rx-typed", doctor.locator(".hc-rx-code").text_content())
    pharmacy.click("#hc-rx-verify")
    expect(pharmacy.locator("#hc-verdict")).to_contain_text("Genuine: may be dispensed")
    pharmacy.click("#hc-dispense")
    expect(pharmacy.locator("#hc-verdict")).to_contain_text("Dispensed now")

    # and the chart says so
    show_tab(doctor, "Chart")
    expect(box(doctor, "Medicines")).to_contain_text("Paracetamol")
    row = box(doctor, "Timeline").locator(".hc-time-row", has_text="Prescription")
    expect(row).to_contain_text("dispensed")
    row.click()
    viewer = doctor.locator("#hc-chart-viewer")
    expect(viewer).to_contain_text("Paracetamol 500 mg")
    expect(viewer).to_be_in_viewport()
    keep_picture(doctor, f"{look}-chart-dispensed")
    assert find_faults(doctor) == NO_FAULTS
