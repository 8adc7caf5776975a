"""The font of the invisible text: one empty box for every character, so that a word fills its quad exactly.

Knows the PDF font dictionaries. The box reaches from DESCENT to ASCENT, one em in all, and is ADVANCE wide, so a
reader that measures by font metrics and one that measures by glyph outline report the same rectangle.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from functools import cache
from typing import Any

UNITS_PER_EM = 1000
ASCENT, DESCENT, ADVANCE = 800, -200, 500  # font units
BASELINE = -DESCENT / UNITS_PER_EM  # height of the baseline above the box's lower edge, in em
ADVANCE_EM = ADVANCE / UNITS_PER_EM
NAME = "HealthConnectBoxes"
MADE = 0xD0000000  # seconds since 1904; any fixed moment does
ENTRIES_A_BLOCK = 100  # the most a bfchar block may have
FIRST_FAR_CODE, LAST_FAR_CODE = 0xD800, 0xDFFF  # surrogates: no character of their own, so free for far planes


def codes_for(text: str) -> dict[str, int]:
    """A two-byte code for each character: its own code point, or a free one for characters above U+FFFF."""
    far = iter(range(FIRST_FAR_CODE, LAST_FAR_CODE + 1))
    return {char: ord(char) if ord(char) <= 0xFFFF else next(far) for char in sorted(set(text))}


def font_dictionary(pdf: Any, codes: dict[str, int]) -> Any:
    """A Type 0 font for `pdf` (pikepdf) that shows and names the characters of `codes`."""
    from pikepdf import Array, Dictionary, Name, Stream

    descriptor = Dictionary(
        Type=Name.FontDescriptor,
        FontName=Name(f"/{NAME}"),
        Flags=5,  # fixed pitch, symbolic
        FontBBox=Array([0, DESCENT, ADVANCE, ASCENT]),
        ItalicAngle=0,
        Ascent=ASCENT,
        Descent=DESCENT,
        CapHeight=ASCENT,
        StemV=80,
        FontFile2=pdf.make_indirect(Stream(pdf, _font_file(), Length1=len(_font_file()))),
    )
    descendant = Dictionary(
        Type=Name.Font,
        Subtype=Name.CIDFontType2,
        BaseFont=Name(f"/{NAME}"),
        CIDSystemInfo=Dictionary(Registry="Adobe", Ordering="Identity", Supplement=0),
        DW=ADVANCE,
        FontDescriptor=pdf.make_indirect(descriptor),
        CIDToGIDMap=pdf.make_indirect(Stream(pdf, b"\x00\x01" * 0x10000)),
    )
    return Dictionary(
        Type=Name.Font,
        Subtype=Name.Type0,
        BaseFont=Name(f"/{NAME}"),
        Encoding=Name("/Identity-H"),
        DescendantFonts=Array([pdf.make_indirect(descendant)]),
        ToUnicode=pdf.make_indirect(Stream(pdf, to_unicode(codes.items()))),
    )


def to_unicode(codes: Iterable[tuple[str, int]]) -> bytes:
    """The CMap by which a reader gets the characters back."""
    entries = [f"<{code:04X}> <{char.encode('utf-16-be').hex().upper()}>" for char, code in codes]
    blocks = [entries[start : start + ENTRIES_A_BLOCK] for start in range(0, len(entries), ENTRIES_A_BLOCK)]
    body = "\n".join(f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar" for block in blocks)
    return (
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
        "/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
        "1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n"
        f"{body}\nendcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"
    ).encode("ascii")


@cache
def _font_file() -> bytes:
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    pen = TTGlyphPen(None)
    pen.moveTo((0, DESCENT))
    for corner in ((0, ASCENT), (ADVANCE, ASCENT), (ADVANCE, DESCENT)):
        pen.lineTo(corner)
    pen.closePath()
    box = pen.glyph()
    builder = FontBuilder(UNITS_PER_EM, isTTF=True)
    builder.setupGlyphOrder([".notdef", "box"])
    builder.setupCharacterMap({0x20: "box"})
    builder.setupGlyf({".notdef": box, "box": box})
    builder.setupHorizontalMetrics({".notdef": (ADVANCE, 0), "box": (ADVANCE, 0)})
    builder.setupHorizontalHeader(ascent=ASCENT, descent=DESCENT)
    builder.setupNameTable({"familyName": NAME, "styleName": "Regular", "psName": NAME})
    builder.setupOS2(sTypoAscender=ASCENT, sTypoDescender=DESCENT, usWinAscent=ASCENT, usWinDescent=-DESCENT)
    builder.setupPost()
    builder.font["head"].created = builder.font["head"].modified = MADE  # the same bytes every time
    builder.font.recalcTimestamp = False
    out = io.BytesIO()
    builder.save(out)
    return out.getvalue()
