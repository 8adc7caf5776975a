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
from pathlib import Path
from typing import Any

from benchmarks.watched_app import Watch, watched_app

LONG_DPI = 75


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pages", type=int, default=50)
    parser.add_argument("--long", type=int, default=300)
    parser.add_argument("--port", type=int, default=7911)
    options = parser.parse_args()
    with watched_app(options.port) as (client, watch, folder):
        _measure(options, client, watch, folder)


def _measure(options: argparse.Namespace, client: Any, watch: Watch, folder: Path) -> None:
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


def _send(client: Any, path: Path) -> None:
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


if __name__ == "__main__":
    main()
