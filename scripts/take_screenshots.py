"""The README's pictures, taken anew from a running `make demo` that nobody has used yet.

    python scripts/take_screenshots.py [ADDRESS [NAME ...]]

Everything in them is invented: the demo patients, the sample letter, the sample conversation, a drawn scan.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

OUT = Path(__file__).resolve().parent.parent / "docs" / "screenshots"
DESKTOP, PHONE = (1280, 860), (390, 844)
PATIENT = "Marigold Testwell"
PATIENCE_MS = 120_000  # the first use of every model is among these steps
COLOURS = 128  # of the kept picture: a page has few, and the file is a quarter as large


def main(address: str, wanted: set[str]) -> None:
    expect.set_options(timeout=PATIENCE_MS)
    OUT.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        program = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=program, args=["--headless", "--no-sandbox"])
        for name, size, theme, show in [shot for shot in SHOTS if not wanted or shot[0] in wanted]:
            take(browser, address, name, size, theme, show)
        browser.close()


def take(
    browser: Browser, address: str, name: str, size: tuple[int, int], theme: str, show: Callable[[Page], None]
) -> None:
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{address}?__theme={theme}")
    choose(page)
    show(page)
    page.wait_for_timeout(1500)  # pictures of pages arrive
    target = OUT / f"{name}.png"
    page.screenshot(path=target)
    with Image.open(target) as picture:
        picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(target, optimize=True)
    print(f"{target.name}: {target.stat().st_size // 1024} KB")
    context.close()


def choose(page: Page) -> None:
    page.click("#hc-choose-patient")
    page.fill("#hc-find-patient", PATIENT)
    page.locator(".hc-dialog .hc-row-button", has_text=PATIENT).first.click()
    expect(page.locator(".hc-identity strong")).to_have_text(PATIENT)


def open_tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def record(page: Page) -> None:
    page.locator("#hc-examples button", has_text="Discharge letter").click()
    expect(page.locator(".hc-record")).to_be_visible()
    page.locator(".hc-fact", has_text="Potassium").first.click()
    page.locator(".hc-record").evaluate("record => record.scrollIntoView()")


def doubtful_word(page: Page) -> None:
    page.locator("#hc-examples button", has_text="Fax prescription").click()
    expect(page.locator(".hc-record")).to_be_visible()
    page.get_by_role("button", name="Next doubtful word").first.click()
    page.locator(".hc-word-panel").evaluate(
        "panel => scrollTo(0, panel.offsetTop + panel.offsetParent.offsetTop - 420)"
    )


def find(page: Page) -> None:
    open_tab(page, "Find")
    page.locator("#hc-query").get_by_role("textbox").fill("can't catch my breath lying flat")
    page.click("#hc-find")
    expect(page.locator(".hc-hit").first).to_be_visible()


def imaging(page: Page) -> None:
    open_tab(page, "Imaging")
    page.get_by_role("button", name="Brain MRI slice").first.click()
    page.locator(".hc-bars").first.wait_for()
    page.mouse.wheel(0, 330)


def consultation(page: Page) -> None:
    open_tab(page, "Consultation")
    page.get_by_role("button", name="Chest pain").click()
    expect(page.locator(".hc-note-line").first).to_be_visible()
    page.locator(".hc-note-line button").first.click()


def prescription(page: Page) -> None:
    open_tab(page, "Prescription")
    line = page.locator(".hc-rx-line").first
    expect(page.locator("#hc-prescription-form")).to_contain_text(f"For {PATIENT}.")
    fields = {"Medicine": "Amoxicillin", "Strength": "500 mg", "Form": "capsule", "Route": "oral", "Dose": "1 capsule"}
    for label, text in {**fields, "How often": "three times daily", "Days": "7"}.items():
        line.get_by_label(label, exact=True).fill(text)
    page.click("#hc-rx-sign")
    expect(page.locator(".hc-rx-stops, #hc-rx-issued > *").first).to_be_visible()


def chart(page: Page) -> None:
    open_tab(page, "Chart")
    expect(page.get_by_role("tabpanel").get_by_role("heading").first).to_be_visible()


def models(page: Page) -> None:
    open_tab(page, "Models")
    expect(page.locator(".hc-card").first).to_be_visible()


SHOTS = (
    ("record", DESKTOP, "light", record),
    ("find", DESKTOP, "dark", find),
    ("consultation", DESKTOP, "light", consultation),
    ("imaging", DESKTOP, "dark", imaging),
    ("prescription", DESKTOP, "light", prescription),
    ("chart", DESKTOP, "light", chart),
    ("phone-record", PHONE, "dark", doubtful_word),
    ("phone-find", PHONE, "light", find),
    ("phone-prescription", PHONE, "dark", prescription),
    ("phone-chart", PHONE, "dark", chart),
    ("phone-models", PHONE, "light", models),
)

if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:7860/", set(sys.argv[2:]))
