"""The Models tab in a real browser: a model is swapped by keyboard, and everybody sees it."""

from __future__ import annotations

from playwright.sync_api import expect

BY_DEFAULT, OTHER = "PP-OCRv6 tiny, direct", "PP-OCRv6 small, direct"


def test_a_model_is_swapped_by_keyboard_and_every_visit_sees_it(open_page) -> None:
    page = open_page(query="&tab=models")
    task = page.locator(".hc-task").first
    in_use = task.locator(".hc-cards").first.locator("h3")
    expect(in_use).to_have_text(BY_DEFAULT)
    try:
        task.locator("summary", has_text="other models").press("Enter")
        task.get_by_role("button", name=f"Use {OTHER}", exact=True).press("Enter")
        expect(in_use).to_have_text(OTHER)
        expect(task.locator(".hc-in-use")).to_be_focused()
        expect(open_page(query="&tab=models").locator(".hc-task").first.locator("h3").first).to_have_text(OTHER)
    finally:
        task.get_by_role("button", name=f"Use {BY_DEFAULT}", exact=True).press("Enter")
        expect(in_use).to_have_text(BY_DEFAULT)
