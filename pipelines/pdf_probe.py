"""Looks into a PDF from a process of its own, with its memory and time bounded, and prints what it found as JSON.

Run as a script by pdf_pages.inspect: a file made to exhaust or crash its reader then takes this process, not the
application. Knows pikepdf only, imports nothing of ours, and executes nothing of the PDF.
"""

from __future__ import annotations

import json
import re
import resource
import sys
import zlib
from typing import Any

ADDRESS_SPACE_BYTES = 3 << 30  # 3 GiB: far above an honest 200 MB file, far below what a bomb wants
CPU_SECONDS = 20
MAX_CONTENT_BYTES = 64 << 20  # what one page may draw, unpacked; an honest map or plan stays under 20 MiB
MAX_DRAWS = 20_000  # forms drawn within forms, in all, on one page
MAX_DEPTH = 40
SMALLEST_PT = 3  # a millimetre
PLAIN_CONTENT_BYTES = 4096  # of a page that shows a scan and little else, unpacked
MOST_PASSES = 200  # of a JPEG over its pixels, as in jpeg_passes.py, which this script must not import
PLAIN_STREAM_BYTES = 100_000  # of a font or colour profile, packed; unpacked at most a thousand times as much
DO = re.compile(rb"/([^\s/<>\[\]()]+)\s+Do\b")
ACTIVE_ACTIONS = ("/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/URI", "/GoToR", "/RichMedia")


class Bomb(Exception):
    """The file unpacks, draws or nests without reasonable end."""


def main(path: str, max_pages: int, max_pixels: int, max_objects: int) -> dict[str, Any]:
    """What was found: {"state": ok | encrypted | broken | empty | bomb | pages | pixels | objects, ...}."""
    import pikepdf

    try:
        pdf = pikepdf.open(path, suppress_warnings=True)
    except pikepdf.PasswordError:
        return {"state": "encrypted"}
    except pikepdf.PdfError:
        return {"state": "broken"}
    with pdf:
        try:
            objects = len(pdf.objects)
            if objects > max_objects:
                return {"state": "objects", "count": objects}
            pages = len(pdf.pages)
            if pages == 0:
                return {"state": "empty"}
            if pages > max_pages:
                return {"state": "pages", "count": pages}
            forms: dict[tuple[int, int], int] = {}
            heavy = []
            for number, page in enumerate(pdf.pages, start=1):
                if min(shown_size(page)) < SMALLEST_PT:
                    return {"state": "tiny", "page": number}
                largest = largest_image(page.obj.get("/Resources"), set(), 0)
                if largest[0] * largest[1] > max_pixels:
                    return {"state": "pixels", "page": number, "width": largest[0], "height": largest[1]}
                if check_drawing(page, forms) > PLAIN_CONTENT_BYTES or not is_plain(page):
                    heavy.append(number)
            root = pdf.Root
            names = root.get("/Names")
            return {
                "state": "ok",
                "pages": pages,
                "heavy": heavy,
                "repaired": bool(pdf.get_warnings()),
                "was_encrypted": pdf.is_encrypted,
                "attachments": bool(isinstance(names, pikepdf.Dictionary) and "/EmbeddedFiles" in names),
                "active": has_active_content(pdf, root, names),
                "forms": "/AcroForm" in root,
                "xfa": bool("/AcroForm" in root and "/XFA" in root.AcroForm),
            }
        except (Bomb, MemoryError, RecursionError):
            return {"state": "bomb"}
        except (pikepdf.PdfError, ValueError, TypeError, KeyError, AttributeError, RuntimeError, IndexError):
            return {"state": "broken"}


def shown_size(page: Any) -> tuple[float, float]:
    """Width and height in points of what a viewer shows: the crop box as far as it lies on the paper. Negative for one
    that lies beside it."""
    paper, crop = ([float(side) for side in box] for box in (page.mediabox, page.cropbox))
    sizes = []
    for low, high in ((0, 2), (1, 3)):
        (begin, end), (crop_begin, crop_end) = sorted((paper[low], paper[high])), sorted((crop[low], crop[high]))
        sizes.append(min(end, crop_end) - max(begin, crop_begin))
    return sizes[0], sizes[1]


def has_active_content(pdf: Any, root: Any, names: Any) -> bool:
    """Scripts or actions that would run on opening the document or a page."""
    import pikepdf

    if isinstance(names, pikepdf.Dictionary) and "/JavaScript" in names:
        return True
    opening = root.get("/OpenAction")
    if isinstance(opening, pikepdf.Dictionary) and str(opening.get("/S", "")) in ACTIVE_ACTIONS:
        return True
    return "/AA" in root or any("/AA" in page.obj for page in pdf.pages)


def largest_image(resources: Any, seen: set[tuple[int, int]], depth: int) -> tuple[int, int]:
    """(width, height) as declared by the image with most pixels among the resources, forms included."""
    import pikepdf

    largest = (0, 0)
    if depth > MAX_DEPTH:
        raise Bomb
    if not isinstance(resources, pikepdf.Dictionary) or not isinstance(resources.get("/XObject"), pikepdf.Dictionary):
        return largest
    for item in resources.XObject.values():
        if not isinstance(item, pikepdf.Stream):
            continue
        if item.objgen != (0, 0):
            if item.objgen in seen:
                continue
            seen.add(item.objgen)
        if str(item.get("/Subtype")) == "/Image":
            masks = [item[key] for key in ("/SMask", "/Mask") if isinstance(item.get(key), pikepdf.Stream)]
            sizes = [(int(one.get("/Width", 0)), int(one.get("/Height", 0))) for one in (item, *masks)]
        else:
            sizes = [largest_image(item.get("/Resources"), seen, depth + 1)]
        largest = max(largest, *sizes, key=lambda s: s[0] * s[1])
    return largest


def is_plain(page: Any) -> bool:
    """Whether what a page draws costs no more than it seems: pictures of one coding each, small fonts, no patterns,
    shadings, forms or drawn annotations."""
    import pikepdf

    resources = page.resources
    if any(key in resources for key in ("/Pattern", "/Shading", "/ExtGState")):
        return False
    notes = page.obj.get("/Annots")
    if isinstance(notes, pikepdf.Array) and any("/Subtype" in note and note.Subtype != "/Link" for note in notes):
        return False
    fonts, pictures = resources.get("/Font"), resources.get("/XObject")
    return all(_plain_font(font) for font in _values(fonts)) and all(_plain_picture(one) for one in _values(pictures))


def _values(found: Any) -> list[Any]:
    import pikepdf

    return list(found.values()) if isinstance(found, pikepdf.Dictionary) else []


def _plain_font(font: Any) -> bool:
    described = [font, *font.get("/DescendantFonts", [])]
    streams = [font.get("/ToUnicode"), font.get("/Encoding")]
    for one in described:
        about = one.get("/FontDescriptor", {})
        streams += [about.get(key) for key in ("/FontFile", "/FontFile2", "/FontFile3")]
        streams += [one.get("/CIDToGIDMap"), *one.get("/CharProcs", {}).values()]
    return str(font.get("/Subtype")) != "/Type3" and all(map(_small, streams))


def _plain_picture(picture: Any) -> bool:
    import pikepdf

    if str(picture.get("/Subtype")) != "/Image" or "/SMask" in picture or "/Mask" in picture:
        return False
    if isinstance(picture.get("/Filter"), pikepdf.Array) and len(picture.Filter) > 1:
        return False
    if str(picture.get("/Filter")) == "/DCTDecode" and picture.read_raw_bytes().count(b"\xff\xda") > MOST_PASSES:
        return False
    colours = picture.get("/ColorSpace")
    return not isinstance(colours, pikepdf.Array) or all(map(_small, colours))


def _small(found: Any) -> bool:
    """No stream, or a short one of one coding."""
    import pikepdf

    if not isinstance(found, pikepdf.Stream):
        return not isinstance(found, pikepdf.Array)
    several = isinstance(found.get("/Filter"), pikepdf.Array) and len(found.Filter) > 1
    return not several and len(found.read_raw_bytes()) <= PLAIN_STREAM_BYTES


def check_drawing(page: Any, forms: dict[tuple[int, int], int]) -> int:
    """Bytes of the page's content, unpacked. Raises Bomb where it unpacks, draws or nests beyond the limits."""
    import pikepdf

    contents = page.obj.get("/Contents")
    parts = list(contents) if isinstance(contents, pikepdf.Array) else [contents]
    budget = MAX_CONTENT_BYTES
    drawn = 0
    for part in parts:
        if isinstance(part, pikepdf.Stream):
            data = unpacked(part, budget)
            budget -= len(data)
            drawn += draws(data, page.obj.get("/Resources"), forms, 0)
            if drawn > MAX_DRAWS:
                raise Bomb
    return MAX_CONTENT_BYTES - budget


def draws(data: bytes, resources: Any, forms: dict[tuple[int, int], int], depth: int) -> int:
    """How many forms a content draws in all, forms in forms counted each time."""
    import pikepdf

    if depth > MAX_DEPTH:
        raise Bomb
    if not isinstance(resources, pikepdf.Dictionary) or not isinstance(resources.get("/XObject"), pikepdf.Dictionary):
        return 0
    total = 0
    for match in DO.finditer(data):
        item = resources.XObject.get("/" + match.group(1).decode("latin-1"))
        if not isinstance(item, pikepdf.Stream) or str(item.get("/Subtype")) != "/Form":
            continue
        if item.objgen not in forms:
            inner = unpacked(item, MAX_CONTENT_BYTES)
            forms[item.objgen] = 1 + draws(inner, item.get("/Resources", resources), forms, depth + 1)
        total += forms[item.objgen]
        if total > MAX_DRAWS:
            raise Bomb
    return total


def unpacked(stream: Any, budget: int) -> bytes:
    """The stream's bytes; raises Bomb over `budget` without unpacking further."""
    raw = stream.read_raw_bytes()
    if str(stream.get("/Filter", "")) == "/FlateDecode" and "/DecodeParms" not in stream:
        machine = zlib.decompressobj()
        try:
            data = machine.decompress(raw, budget + 1)
        except zlib.error:
            return b""
    else:
        data = stream.read_bytes() if "/Filter" in stream else raw
    if len(data) > budget:
        raise Bomb
    return data


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        found = main(sys.argv[1], *(int(value) for value in sys.argv[2:5]))
    except MemoryError:
        found = {"state": "bomb"}
    print(json.dumps(found))
