"""Gives freed memory back to the system.

glibc keeps what was freed for later use. After a long record, or a table that was read and thrown away, that is
hundreds of megabytes which the next job will not need in the same places.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable


def give_back() -> None:
    """Costs milliseconds. With a C library that has no such call nothing is done: it manages its memory by itself."""
    if (trim := _trim()) is not None:
        trim(0)


@functools.cache
def _trim() -> Callable[[int], int] | None:
    return getattr(ctypes.CDLL(None), "malloc_trim", None)
