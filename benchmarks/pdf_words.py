"""The words of a PDF page as two readers find them, with boxes in pixels of the page. For benchmarks and tests."""

from __future__ import annotations

import ctypes
from pathlib import Path

from domain.document import Box

Found = list[tuple[str, Box]]
FINE = 64  # PDFium maps to whole pixels only; asked on a grid so many times finer


def by_pdfium(path: Path, width_px: int, height_px: int, number: int = 1) -> Found:
    """In the order of PDFium, which viewers in browsers use. `number`: page, from 1."""
    import pypdfium2
    import pypdfium2.raw as c

    document = pypdfium2.PdfDocument(path)
    page = document[number - 1]
    text = page.get_textpage()
    sides = [ctypes.c_double() for _ in range(4)]
    words: list[list[tuple[str, Box]]] = [[]]
    device = [ctypes.c_int() for _ in range(2)]
    for index in range(text.count_chars()):
        char = chr(c.FPDFText_GetUnicode(text, index))
        if char.isspace() or char == "\0":
            words.append([])
            continue
        c.FPDFText_GetCharBox(text, index, *sides)
        left, right, bottom, top = (side.value for side in sides)
        corners = []
        for x, y in ((left, top), (right, bottom)):
            c.FPDF_PageToDevice(page, 0, 0, width_px * FINE, height_px * FINE, 0, x, y, *device)
            corners.append((device[0].value / FINE, device[1].value / FINE))
        words[-1].append((char, Box.around(corners)))
    document.close()
    return _joined(words)


def by_pdfminer(path: Path, width_px: int, height_px: int, number: int = 1) -> Found:
    """In the order of the page's content, without pdfminer's layout guesses."""
    from pdfminer.converter import PDFLayoutAnalyzer
    from pdfminer.layout import LTChar, LTContainer
    from pdfminer.pdfinterp import PDFPageInterpreter, PDFResourceManager
    from pdfminer.pdfpage import PDFPage

    pages: list[LTContainer] = []

    class Keeper(PDFLayoutAnalyzer):
        def receive_layout(self, ltpage: LTContainer) -> None:
            pages.append(ltpage)

    manager = PDFResourceManager()
    with path.open("rb") as source:
        for page in PDFPage.get_pages(source, pagenos={number - 1}):
            PDFPageInterpreter(manager, Keeper(manager, laparams=None)).process_page(page)
    ltpage = pages[0]
    across, down = width_px / ltpage.width, height_px / ltpage.height
    words: list[list[tuple[str, Box]]] = [[]]

    def walk(item: object) -> None:
        if isinstance(item, LTChar):
            if item.get_text().isspace():
                words.append([])
            else:
                top, bottom = ltpage.height - item.y1, ltpage.height - item.y0
                words[-1].append((item.get_text(), Box(item.x0 * across, top * down, item.x1 * across, bottom * down)))
        elif isinstance(item, LTContainer):
            for inner in item:
                walk(inner)

    walk(ltpage)
    return _joined(words)


def _joined(words: list[list[tuple[str, Box]]]) -> Found:
    return [("".join(char for char, _ in word), Box.covering(box for _, box in word)) for word in words if word]
