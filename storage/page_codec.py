"""OcrPage and Fact to plain JSON and back, exactly. A word is a short list: text, confidence, quad, machine text."""

from __future__ import annotations

from typing import Any

from domain.document import Fact, FactKind, OcrPage, PageSource, TextLine, TextWord


def page_to_json(page: OcrPage) -> dict[str, Any]:
    """Everything of the page but its number, which is the row's key."""
    return {
        "size": [page.width_px, page.height_px],
        "dpi": page.dpi,
        "rotation": page.rotation_deg,
        "skew": page.skew_deg,
        "source": page.source.value,
        "warnings": list(page.warnings),
        "lines": [[_word_to_json(word) for word in line.words] for line in page.lines],
    }


def page_from_json(number: int, content: dict[str, Any]) -> OcrPage:
    """The page that `page_to_json` was given."""
    return OcrPage(
        number=number,
        width_px=content["size"][0],
        height_px=content["size"][1],
        dpi=content["dpi"],
        rotation_deg=content["rotation"],
        skew_deg=content["skew"],
        source=PageSource(content["source"]),
        lines=tuple(TextLine(tuple(_word_from_json(word) for word in line)) for line in content["lines"]),
        warnings=tuple(content["warnings"]),
    )


def fact_to_json(fact: Fact) -> list[Any]:
    return [
        fact.kind.value, fact.label, fact.value, fact.page, list(fact.word_indices), fact.confidence,
        fact.unit, fact.flag, fact.reference, fact.negated,
    ]  # fmt: skip


def fact_from_json(content: list[Any]) -> Fact:
    kind, label, value, page, indices, *rest = content
    return Fact(FactKind(kind), label, value, page, tuple(indices), *rest)


def _word_to_json(word: TextWord) -> list[Any]:
    quad = [float(side) for corner in word.quad for side in corner]
    return [word.text, float(word.confidence), quad, word.machine_text]


def _word_from_json(content: list[Any]) -> TextWord:
    text, confidence, flat, machine_text = content
    corners = tuple(zip(flat[::2], flat[1::2], strict=True))
    return TextWord(text, confidence, corners, machine_text)  # type: ignore[arg-type]
