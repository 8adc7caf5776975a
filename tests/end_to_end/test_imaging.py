"""A scan's walk in a real browser: read, doubted, compared, filed, and what a script gets of it."""

from __future__ import annotations

import re
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
from gradio_client import Client, handle_file
from PIL import Image
from playwright.sync_api import Page, expect
from pydicom.data import get_testdata_file

from tests.bundle_kit import TITLE, bundle
from tests.end_to_end.conftest import started, windows
from tests.end_to_end.test_records_and_search import NO_FAULTS, add_patient, find_faults, show_tab

pytestmark = [pytest.mark.browser, pytest.mark.models]

FIRST_MS = 300_000  # the first reading imports the framework and loads four networks, beside whatever else runs
SCANS = Path(__file__).resolve().parents[2] / "data" / "samples" / "scans"


def try_one(page: Page, title: str) -> None:
    page.get_by_role("button", name=title, exact=True).click()
    expect(page.locator("#hc-scan-status")).to_contain_text("Read in", timeout=FIRST_MS)


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark"), (1280, "dark"), (390, "light")])
def test_a_scan_is_read_or_the_model_keeps_silent(open_page, keep_picture, width: int, theme: str) -> None:
    page = open_page(width, theme)
    show_tab(page, "Imaging")
    try_one(page, "Breast ultrasound")
    reading = page.locator(".hc-reading").first
    expect(reading).to_contain_text("malignant")
    expect(reading.locator(".hc-bars li")).to_have_count(3)
    expect(page.locator("#hc-scan-slider img").first).to_be_visible()
    keep_picture(page, f"{width}-{theme}-imaging-read")
    expect(reading.locator(".hc-curve figcaption")).to_contain_text("taking these places away")
    handle = page.locator('#hc-scan-slider [data-testid="slider"]')
    before = handle.get_attribute("style")
    line = page.get_by_label("Move the line, from map to picture")
    line.focus()
    page.keyboard.press("End")
    expect(handle).not_to_have_attribute("style", before)
    expect(line).to_have_attribute("aria-valuetext", "100 % picture, 0 % map")
    assert find_faults(page) == NO_FAULTS
    try_one(page, "A page of writing")
    expect(page.locator(".hc-reading.hc-silent")).to_contain_text("page of text", timeout=FIRST_MS)
    expect(page.locator(".hc-reading .hc-bars")).to_have_count(0)  # no score at all
    expect(page.get_by_alt_text("The picture that was not read")).to_be_visible()
    keep_picture(page, f"{width}-{theme}-imaging-silent")


def test_a_reading_is_filed_compared_and_disagreed_with(open_page, keep_picture) -> None:
    page = open_page()
    show_tab(page, "Imaging")
    try_one(page, "Brain MRI slice")
    add_patient(page, "Ima Ging", "1975-05-01")
    show_tab(page, "Imaging")
    try_one(page, "Brain MRI slice")
    expect(page.locator(".hc-reading-list li")).to_have_count(1, timeout=FIRST_MS)
    page.locator(".hc-opinions summary").click()
    page.get_by_label("Reason").fill("The ring is an artefact")
    page.get_by_role("button", name="Disagree").click()
    expect(page.locator(".hc-opinions")).to_contain_text("artefact")
    try_one(page, "Phantom head with a bright ring")
    page.get_by_role("button", name="Compare").click(timeout=FIRST_MS)
    expect(page.locator(".hc-reading")).to_have_count(2)
    keep_picture(page, "1280-light-imaging-compared")
    page.get_by_role("combobox", name="Task").click()
    page.get_by_role("option", name="X-ray: fracture").click()
    expect(page.locator(".hc-scan-card")).to_contain_text("Not for")
    page.get_by_text("A DICOM file without identity, and opinions for research").click()
    page.click("#hc-scan-opinions")
    expect(page.get_by_role("row", name=re.compile(r"opinions\.csv"))).to_be_visible()


def upload(page: Page, path: Path) -> None:
    page.set_input_files("#hc-scan input[type=file]", path)
    expect(page.locator("#hc-scan")).to_contain_text(path.name.partition(".")[0])


def upload_again(page: Page, path: Path) -> None:
    page.get_by_label("Remove this file").or_(page.locator("#hc-scan").get_by_label("Clear")).first.click()
    upload(page, path)


def test_a_stack_is_walked_and_a_name_in_the_header_goes_nowhere(open_page, keep_picture, tmp_path: Path) -> None:
    volume = np.random.default_rng(6).integers(0, 255, (130, 120, 5)).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(volume, np.eye(4)), tmp_path / "stack.nii.gz")
    slide = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
    slide.PatientName, slide.PatientID = "Zyxwv^Invented", "MRN-99871"
    slide.save_as(tmp_path / "slide.dcm")
    page = open_page()
    show_tab(page, "Imaging")
    page.get_by_role("combobox", name="Task").click()
    page.get_by_role("option", name="Brain MRI: tumour or not").click()
    upload(page, tmp_path / "stack.nii.gz")
    page.click("#hc-scan-read")
    expect(page.locator(".hc-slices")).to_contain_text("Picture 3 of 5", timeout=FIRST_MS)
    page.locator("#hc-slice").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".hc-reading").first).to_contain_text("picture 4 of 5", timeout=FIRST_MS)
    upload_again(page, SCANS / "2_brain_MRI_slice.jpg")
    page.locator("#hc-slice").focus()
    page.keyboard.press("ArrowRight")  # of another file: its pictures would be taken for the same stack
    expect(page.locator(".toast-body")).to_contain_text("not the one that this reading was made of")
    upload_again(page, tmp_path / "stack.nii.gz")
    page.get_by_role("button", name="Read along the stack").click()
    expect(page.locator(".hc-stack li")).to_have_count(5, timeout=FIRST_MS)
    keep_picture(page, "1280-light-imaging-stack")
    upload_again(page, tmp_path / "slide.dcm")
    page.click("#hc-scan-read")
    expect(page.locator(".hc-scan-warnings")).to_contain_text("patient number", timeout=FIRST_MS)
    assert "Zyxwv" not in page.content()
    page.get_by_text("A DICOM file without identity, and opinions for research").click()
    page.click("#hc-scan-strip")
    with page.expect_download(timeout=FIRST_MS) as saved:
        page.locator("#hc-scan-stripped a[download]").first.click()
    content = Path(saved.value.path()).read_bytes()
    assert b"Zyxwv" not in content
    assert b"MRN-99871" not in content
    keep_picture(page, "1280-light-imaging-identity")


def test_a_script_gets_the_reading_and_the_map(server: str, tmp_path: Path) -> None:
    client = Client(server, verbose=False, download_files=str(tmp_path))
    overlay, reading = client.predict(
        handle_file(SCANS / "1_breast_ultrasound.jpg"), "breast_ultrasound", "", api_name="/read_scan"
    )
    assert not reading["abstained"]
    assert {finding["label"] for finding in reading["findings"]} == {"normal", "benign", "malignant"}
    assert abs(sum(finding["score"] for finding in reading["findings"]) - 1) < 0.01
    with Image.open(overlay) as drawn, Image.open(SCANS / "1_breast_ultrasound.jpg") as picture:
        assert drawn.size == picture.size
        assert np.asarray(drawn).ndim == 3
    nothing, silent = client.predict(handle_file(SCANS / "6_a_page_of_writing.png"), "auto", "", api_name="/read_scan")
    assert nothing is None
    assert silent["abstained"]
    assert silent["findings"] == []
    assert silent["reason"]


def test_a_bundle_dropped_into_the_folder_is_chosen_and_read_with_in_the_page(
    tmp_path: Path, chromium, keep_picture
) -> None:
    bundle(tmp_path / "bundles" / "colleague", task="fracture", positive="present")
    bundle(tmp_path / "bundles" / "knee_effusion")  # names no task, so it brings one of its own
    coarse = Image.fromarray(np.random.default_rng(0).integers(40, 220, (12, 12), np.uint8))
    coarse.resize((256, 200), Image.Resampling.BICUBIC).save(tmp_path / "cloudy.png")
    (tmp_path / "data").mkdir()
    settings = {"HEALTH_CONNECT_DEMO": "false", "HEALTH_CONNECT_BUNDLES_DIR": str(tmp_path / "bundles")}
    with started(tmp_path / "data", **settings) as address, windows(address, chromium) as open_window:
        page = open_window(query="&tab=models")
        task = page.locator(".hc-task").filter(has_text="Fracture").filter(has_text=TITLE)
        task.locator("summary", has_text="1 other model").click()
        task.get_by_role("button", name=f"Use {TITLE}", exact=True).click()
        expect(task.locator(".hc-cards").first.locator("h3")).to_have_text(TITLE)
        page = open_window(query="&tab=imaging")
        page.get_by_role("combobox", name="Task").click()
        expect(page.get_by_role("option", name="Knee effusion")).to_be_visible()
        page.get_by_role("option", name="X-ray: fracture").click()
        expect(page.locator(".hc-scan-card h2")).to_have_text(TITLE)
        upload(page, tmp_path / "cloudy.png")
        page.click("#hc-scan-read")
        reading = page.locator(".hc-reading").first
        expect(reading.locator("code")).to_have_text("colleague 0.3.1", timeout=FIRST_MS)
        expect(reading.locator(".hc-bars li")).to_have_count(1)
        for told in ("has no gate", "not calibrated", "No map"):
            expect(reading.locator(".hc-scan-warnings")).to_contain_text(told)
        keep_picture(page, "1280-light-imaging-dropped-bundle")
        assert find_faults(page) == NO_FAULTS
