"""With the network gone, and on a busy machine, the program starts, opens its stores, files and finds: nothing calls home."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Every attempt to reach another machine is written down and refused; this machine's own addresses stay open.
SCRIPT = """
import os, socket
tried = []
real_connect, real_lookup = socket.socket.connect, socket.getaddrinfo
LOCAL = ("127.0.0.1", "::1", "localhost", "0.0.0.0", None, "")

def connect(self, address):
    if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in LOCAL:
        tried.append(address)
        raise OSError("the network is blocked")
    return real_connect(self, address)

def lookup(host, *rest, **named):
    if host not in LOCAL:
        tried.append(host)
        raise socket.gaierror("the network is blocked")
    return real_lookup(host, *rest, **named)

socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo = connect, connect, lookup

import urllib.request
import app
import gradio.networking
gradio.networking.url_ok = lambda url: False  # what it says where the machine is too busy to answer within 3 seconds
from domain.audit import Actor
from domain.settings import load_settings

settings = load_settings()
os.environ["GRADIO_TEMP_DIR"] = str(settings.data_dir / "uploads")
workbench = app.open_workbench(settings)
nurse = Actor("n", "s", "nurse")
patient = workbench.create_patient("Zoe Holloway", "1961-03-12", "female", "", nurse)
workbench.import_text("Clinic", "She reports orthopnea and swollen ankles.", patient.patient_id, nurse)
assert workbench.search("orthopnea", nurse, patient.patient_id).hits
options = {**app.launch_options(workbench, workbench), "prevent_thread_lock": True, "quiet": True}
page = app.build_page(workbench, settings.upload_age_hours)
page.launch(**options)
with urllib.request.urlopen(page.local_url) as answer:
    assert answer.status == 200
page.close()
assert not tried, tried
print("quiet")
"""


@pytest.mark.models
def test_nothing_calls_home(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("GRADIO_SERVER_PORT", str(free.getsockname()[1]))
    done = subprocess.run([sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.rstrip().endswith("quiet"), done.stderr[-3000:]


def test_importing_the_app_loads_no_framework() -> None:
    heavy = ("torch", "transformers", "paddleocr", "onnxruntime", "chromadb", "monai", "cv2", "ocrmypdf")
    check = f"import app, sys; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr[-2000:]


def test_importing_the_app_writes_nothing_into_installed_packages() -> None:
    check = (
        "import app, gradio.component_meta as meta, gradio.blocks_events as events;"
        "print(meta.create_or_modify_pyi.__name__, events.create_or_modify_pyi.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["write_no_stub", "write_no_stub"], done.stdout + done.stderr[-2000:]
