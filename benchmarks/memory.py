"""Starts the real app with a data folder of its own, sends pages through /digitise, and prints the most memory it took.

    python -m benchmarks.memory --data DIR [--pages 50] [--long 300] [--port 7911]

DIR holds *.jpg pages; they are sent in turn as files of their own (each altered by a comment, so that none is a known
duplicate). Then one PDF of `--long` pages is sent; its pages are small pictures (A4 at 75 dpi), so that the run is short:
it shows whether memory grows with the number of pages, not how much a large page takes.

peak RSS: the sum over the server and its children of what is resident, sampled ten times a second, and VmHWM of the
server alone, both as the kernel gives them.
"""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

SAMPLE_SECONDS = 0.1
START_SECONDS = 120
LONG_DPI = 75


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pages", type=int, default=50)
    parser.add_argument("--long", type=int, default=300)
    parser.add_argument("--port", type=int, default=7911)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = os.environ | {
            "HEALTH_CONNECT_DATA_DIR": str(folder / "data"),
            "GRADIO_SERVER_PORT": str(options.port),
        }
        server = subprocess.Popen(
            [sys.executable, "app.py"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        watch = Watch(server.pid)
        try:
            _measure(options, folder, watch)
        finally:
            watch.over.set()
            server.terminate()
            server.wait(timeout=30)


def _measure(options: argparse.Namespace, folder: Path, watch: Watch) -> None:
    client = connect(options.port)
    print(f"at the start            {watch.now():6.0f} MB")
    pictures = sorted(options.data.glob("*.jpg"))
    for index in range(options.pages):
        page = folder / f"page{index}.jpg"
        page.write_bytes(_altered(pictures[index % len(pictures)].read_bytes(), index))
        _send(client, page)
        if (index + 1) % 10 == 0:
            print(f"after {index + 1:4} pages        {watch.now():6.0f} MB", flush=True)
    print(
        f"peak RSS over {options.pages} pages  {watch.peak:6.0f} MB with children; VmHWM of the server {watch.own():.0f} MB"
    )
    if options.long:
        path = folder / "long.pdf"
        path.write_bytes(_long_pdf(pictures, options.long))
        watch.peak, watch.trace = 0.0, []
        _send(client, path)
        quarters = [watch.trace[len(watch.trace) * part // 4] for part in (1, 2, 3)] + [watch.trace[-1]]
        print(f"a PDF of {options.long} pages at {LONG_DPI} dpi: peak {watch.peak:.0f} MB; after each quarter of its time",
              *(f"{value:.0f}" for value in quarters))  # fmt: skip


def connect(port: int):  # type: ignore[no-untyped-def]
    from gradio_client import Client

    give_up = time.monotonic() + START_SECONDS
    while True:
        try:
            return Client(f"http://127.0.0.1:{port}", verbose=False)
        except Exception:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.5)


def _send(client, path: Path) -> None:  # type: ignore[no-untyped-def]
    from gradio_client import handle_file

    client.predict(handle_file(str(path)), "", "en", api_name="/digitise")


def _altered(jpeg: bytes, index: int) -> bytes:
    """The same picture with a comment of its own, right behind the JPEG's first marker."""
    comment = f"page {index}".encode("ascii")
    return jpeg[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + jpeg[2:]


def _long_pdf(pictures: list[Path], count: int) -> bytes:
    import img2pdf
    from PIL import Image

    small = []
    for path in pictures:
        with Image.open(path) as picture:
            picture = picture.convert("L")
            picture.thumbnail((round(11.69 * LONG_DPI),) * 2)
            out = io.BytesIO()
            picture.save(out, "JPEG", quality=70, dpi=(LONG_DPI, LONG_DPI))
            small.append(out.getvalue())
    return img2pdf.convert([small[index % len(small)] for index in range(count)])


class Watch:
    """Samples the resident memory of a process and its children, in MB."""

    def __init__(self, pid: int) -> None:
        self.pid, self.peak, self.trace = pid, 0.0, [0.0]
        self.over = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def now(self) -> float:
        return sum(_status_mb(pid, "VmRSS") for pid in _family(self.pid))

    def own(self) -> float:
        return _status_mb(self.pid, "VmHWM")

    def _run(self) -> None:
        while not self.over.wait(SAMPLE_SECONDS):
            value = self.now()
            self.trace.append(value)
            self.peak = max(self.peak, value)


def _family(pid: int) -> list[int]:
    members = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            for child in task.read_text().split():
                members += _family(int(child))
        except OSError:  # it ended meanwhile
            continue
    return members


def _status_mb(pid: int, field: str) -> float:
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(f"{field}:"):
                return int(line.split()[1]) / 1024
    except OSError:  # it ended meanwhile
        pass
    return 0.0


if __name__ == "__main__":
    main()
