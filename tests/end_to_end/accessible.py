"""What a page owes to people who read it by keyboard, by ear or with weak eyes; looked up in the living page."""

from __future__ import annotations

from pathlib import Path

LEAST_CONTRAST = 4.5  # WCAG 2.2, 1.4.3; 3.0 for large text
LARGE_CONTRAST = 3.0

SCRIPT = (Path(__file__).parent / "accessible.js").read_text(encoding="utf-8")


def nameless(page: object) -> list[str]:
    """Visible controls and pictures that a screen reader could not name."""
    return page.evaluate(f"{SCRIPT.strip()}.nameless()")


def faint(page: object) -> list[str]:
    """Visible texts that stand out too little from what is behind them."""
    return page.evaluate(f"{SCRIPT.strip()}.faint({LEAST_CONTRAST}, {LARGE_CONTRAST})")


def scrolls_sideways(page: object) -> bool:
    """Whether the page is wider than the window."""
    return page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
