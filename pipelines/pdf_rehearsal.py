"""Draws pages of a PDF in a process of its own before the application does, with time and memory bounded.

What a page costs to draw cannot be told from its bytes: a pattern in a pattern, a font that unpacks to gigabytes, a
million strokes. Run as a script by `rehearsed`; prints the number of each page that could be drawn.
"""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

PAGE_CPU_SECONDS = 8  # an honest page takes well under one
ADDRESS_SPACE_BYTES = 2 << 30  # 2 GiB, of which an honest page needs a tenth


@contextmanager
def rehearsed(
    path: Path, numbers: Sequence[int], render_dpi: float, max_pixels: int
) -> Iterator[Callable[[int], bool]]:
    """Gives `drawable(number)`: whether a page may be drawn here; it waits until the rehearsal has come so far.

    Pages that are not among `numbers` may be drawn unseen. The rehearsal runs ahead of its reader and ends with it.
    """
    if not numbers:
        yield lambda number: True
        return
    command = [sys.executable, "-I", __file__, str(path.resolve()), str(render_dpi), str(max_pixels)]
    with subprocess.Popen(
        [*command, ",".join(map(str, numbers))], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as rehearsal:
        heavy, drawn = frozenset(numbers), set[int]()

        def drawable(number: int) -> bool:
            while number in heavy and number not in drawn:
                line = rehearsal.stdout.readline()  # type: ignore[union-attr]
                if not line.strip().isdigit():
                    return False
                drawn.add(int(line))
            return True

        try:
            yield drawable
        finally:
            rehearsal.kill()


def main(path: str, render_dpi: float, max_pixels: int, numbers: Sequence[int]) -> None:
    """Draws pages `numbers` one after the other and says so; the system ends the process at its limits."""
    sys.path.insert(
        0, str(Path(__file__).resolve().parent.parent)
    )  # run apart from everything, even the working folder
    from domain.errors import UploadRejected
    from domain.limits import Limits
    from pipelines import pdf_pages

    limits = Limits(max_pixels=max_pixels)
    for number in numbers:
        signal.setitimer(signal.ITIMER_PROF, PAGE_CPU_SECONDS)
        with suppress(UploadRejected):  # a broken page is refused again, and with its reason, by who asked
            pdf_pages.draw(Path(path), number, limits, render_dpi)
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), [int(number) for number in sys.argv[4].split(",")])
