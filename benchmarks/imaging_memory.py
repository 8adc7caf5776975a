"""How much memory reading scans takes: the real app is started, scans are sent to /read_scan, its RSS is watched.

    python -m benchmarks.imaging_memory [--port 7912] [--megapixels 20 120]

At rest the app is the app without imaging: no classifier and no framework of theirs is loaded. Then every scan of
data/samples/scans is read for every task and for "auto", which loads all networks and draws maps. Last, one of them is
sent enlarged to so many million pixels: a radiograph has 20, and 120 is the most that is taken. Sizes are resident
memory (RSS) of the server and its children, sampled ten times a second.
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path
from typing import Any

from benchmarks.watched_app import Watch, watched_app
from domain.imaging import AUTO_TASK
from models.cards_imaging import IMAGING_CARDS

SCANS = Path(__file__).resolve().parent.parent / "data" / "samples" / "scans"
SETTLE_SECONDS = 3
ENLARGED = "1_breast_ultrasound.jpg"


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=7912)
    parser.add_argument("--megapixels", type=int, nargs="*", default=[20, 120])
    options = parser.parse_args()
    with watched_app(options.port) as (client, watch, folder):
        _measure(options, client, watch, folder)


def _measure(options: argparse.Namespace, client: Any, watch: Watch, folder: Path) -> None:
    time.sleep(SETTLE_SECONDS)
    rest = watch.now()
    print(f"the app at rest                                {rest:6.0f} MB")
    for task in (*(card.task for card in IMAGING_CARDS), AUTO_TASK):
        for path in sorted(path for path in SCANS.iterdir() if path.suffix in (".jpg", ".png")):
            _read(client, path, task)
        print(f"after {task:18} peak {watch.peak:6.0f} MB, +{watch.peak - rest:4.0f} MB", flush=True)
    print(f"all tasks read: peak {watch.peak - rest:.0f} MB, now {watch.now() - rest:.0f} MB more than at rest")
    for millions in options.megapixels:
        path, size = _enlarged(folder, millions)
        watch.peak = 0.0
        started = time.monotonic()
        reading = _read(client, path, "breast_ultrasound")
        said = "kept silent" if reading["abstained"] else "answered"
        print(
            f"a picture of {size[0]} x {size[1]} pixels: {said} in {time.monotonic() - started:.1f} s, "
            f"peak {watch.peak - rest:.0f} MB more than at rest",
            flush=True,
        )


def _read(client: Any, path: Path, task: str) -> dict[str, Any]:
    from gradio_client import handle_file

    _, reading = client.predict(handle_file(str(path)), task, "", api_name="/read_scan")
    return reading


def _enlarged(folder: Path, millions: int) -> tuple[Path, tuple[int, int]]:
    """A sample scan at so many million pixels, not more, and its width and height."""
    from PIL import Image

    with Image.open(SCANS / ENLARGED) as picture:
        factor = math.sqrt(millions * 1e6 / (picture.width * picture.height))
        size = (math.floor(picture.width * factor), math.floor(picture.height * factor))
        path = folder / f"enlarged-{millions}.jpg"
        picture.convert("L").resize(size, Image.Resampling.BICUBIC).save(path, quality=80)
    return path, size


if __name__ == "__main__":
    main()
