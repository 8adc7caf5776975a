"""A real server with its own empty data folder, and a real Chromium that looks at it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = ROOT / "screenshots"
START_SECONDS = 90
PATIENCE_MS = 20_000  # for a machine that has other work to do
# Quiet in a container: no sandbox, no graphics card, and nothing sent to anybody.
CHROMIUM_ARGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip

LETTER = """\
St Brigid General Hospital
Discharge letter

Patient: Amara Okafor
Date of birth: 1961-03-12
Record number: HC-0042

Admitted on 2 November 2026 with breathlessness on lying flat
and swollen ankles. She denies chest pain.

Diagnosis: congestive heart failure

Medications
Furosemide 40 mg once daily
Ramipril 2.5 mg once daily

Potassium 5.9 mmol/L (3.5-5.1)

Allergies: penicillin (rash)
"""


def draw_page(text: str, path: Path) -> Path:
    """A clean page with `text`, drawn with the font that Pillow brings along."""
    picture = Image.new("RGB", (1240, 1754), "white")
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(size=30)
    for row, line in enumerate(text.splitlines()):
        pen.text((120, 120 + 54 * row), line, font=font, fill="#1c1c1c")
    picture.save(path, dpi=(150, 150))
    return path


@pytest.fixture(scope="session")
def letter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An invented discharge letter of Amara Okafor."""
    return draw_page(LETTER, tmp_path_factory.mktemp("pages") / "letter.png")


@pytest.fixture(scope="session")
def long_record(letter: Path) -> Path:
    """The same letter on thirty pages, as one PDF: still being read when a person asks to stop."""
    path = letter.with_name("long.pdf")
    with Image.open(letter) as picture:
        picture.save(path, save_all=True, append_images=[picture.copy() for _ in range(29)], resolution=150)
    return path


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the app, started as a user would, without demo patients."""
    with started(tmp_path_factory.mktemp("data"), HEALTH_CONNECT_DEMO="false") as address:
        yield address


@contextmanager
def started(data: Path, **settings: str) -> Iterator[str]:
    """The app with a data folder and settings of its own; yields its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        **settings,
        "HEALTH_CONNECT_DATA_DIR": str(data),
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_SERVER_PORT": str(port),
    }
    address, log = f"http://127.0.0.1:{port}/", data / "server.log"
    with log.open("wb") as sink:
        process = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=sink, stderr=sink)
    try:
        _wait_until_served(address, process, log)
        yield address
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()


@pytest.fixture(scope="session")
def chromium() -> Iterator[object]:
    """Debian's Chromium with a new profile."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE_MS)
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.fail("Chromium is not installed; `make test` installs it.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_ARGS)
        yield browser
        browser.close()


@contextmanager
def windows(address: str, chromium: object) -> Iterator[Callable[..., object]]:
    """Opens the app in a window of its own. The test fails when the page throws or asks another host for anything."""
    contexts, trouble = [], []

    def open_(width: int = 1280, theme: str = "light", query: str = "", account: tuple[str, str] = ("", "")) -> object:
        context = chromium.new_context(viewport={"width": width, "height": 900}, reduced_motion="reduce")
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: trouble.append(f"script error: {error}"))
        page.on("request", lambda r: trouble.append(f"asked {r.url}") if _is_foreign(r.url, address) else None)
        page.goto(f"{address}?__theme={theme}{query}")
        if account[0]:
            page.get_by_label("Account").fill(account[0])
            page.get_by_label("Password").fill(account[1])
            page.get_by_role("button", name="Sign in").click()
        page.wait_for_selector("#hc-choose-patient")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert trouble == []


@pytest.fixture
def open_page(server: str, chromium: object) -> Iterator[Callable[..., object]]:
    """Windows on the app as a user would start it."""
    with windows(server, chromium) as open_:
        yield open_


@pytest.fixture
def keep_picture() -> Callable[[object, str], None]:
    """Saves a screenshot that a person can look at afterwards; the folder is ignored by git."""
    SCREENSHOTS.mkdir(exist_ok=True)

    def keep(page: object, name: str) -> None:
        page.evaluate("window.scrollTo(0, 0)")  # else the patient bar that sticks to the window lies across the picture
        page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)

    return keep


def _is_foreign(url: str, server: str) -> bool:
    return url.startswith(("http:", "https:", "ws:", "wss:")) and not url.startswith(server)


def _wait_until_served(address: str, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except urllib.error.HTTPError:
            return  # it answers, if only to say that one must sign in
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"the app did not come up:\n{log.read_text(errors='replace')[-3000:]}")
