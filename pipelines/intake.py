"""The door: decides whether an uploaded file is let in, and hands out its pages one at a time.

Knows what files look like from outside (first bytes, sizes, counts). How a picture becomes pixels is known to
picture_pages, how a PDF does to pdf_pages. Every refusal is an UploadRejected, before the costly step it guards.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from domain.document import PageImage
from domain.errors import UploadRejected
from domain.limits import Limits
from domain.upload import Upload, UploadKind
from pipelines import pdf_pages, picture_pages

ACCEPTED = "PDF, JPEG, PNG, TIFF, WebP or HEIC"
HEAD_BYTES = 4096
PDF_HEADER_WITHIN = 1024  # viewers accept leading rubbish up to here
CHUNK = 1 << 20  # 1 MiB
MAX_TITLE_CHARS = 120
MEGA = 1_000_000

HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")

# What people upload by mistake: first bytes, what to call it, what to do about it.
KNOWN_OTHERS: tuple[tuple[bytes, str, str], ...] = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office document (old format, or protected by a password)", "office"),
    (b"PK\x03\x04", "a zip archive or an Office document", "zip"),
    (b"Rar!", "a RAR archive", "zip"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "zip"),
    (b"\x1f\x8b", "a gzip archive", "zip"),
    (b"GIF8", "a GIF picture", "picture"),
    (b"BM", "a BMP picture", "picture"),
    (b"\x00\x00\x01\x00", "an icon", "picture"),
    (b"{\\rtf", "an RTF text document", "office"),
    (b"%!PS", "a PostScript file", "office"),
    (b"MZ", "a Windows program", "never"),
    (b"\x7fELF", "a program", "never"),
)
ADVICE = {
    "office": "Open it where it was written, export it as PDF, and upload that.",
    "zip": "Unpack it, and upload the PDF or pictures inside one by one.",
    "picture": "Save it as PNG or JPEG, and upload that.",
    "never": "Upload the record itself as PDF or picture.",
    "text": "Paste its text as a typed record instead, or export it as PDF.",
}


def receive(path: Path, limits: Limits) -> Upload:
    """Check one file and say what it is. Raises UploadRejected; reads no pixel before its count is known."""
    try:
        size = path.stat().st_size
        if size == 0:
            raise UploadRejected("The file is empty (0 bytes), so there is nothing to read. Save or scan it again.")
        if size > limits.max_bytes:
            raise UploadRejected(
                f"The file has {size / MEGA:,.0f} MB; at most {limits.max_bytes / MEGA:,.0f} MB can be taken at once. "
                "Split it, or save it smaller."
            )
        with path.open("rb") as source:
            head = source.read(HEAD_BYTES)
        kind = kind_of(head)
        sha256 = _sha256(path)
    except OSError as error:
        raise UploadRejected(
            "The uploaded file could not be opened any more, so it was not read. Upload it once more."
        ) from error
    heavy: tuple[int, ...] = ()
    if kind is UploadKind.PDF:
        page_count, warnings, heavy = pdf_pages.inspect(path, limits)
    else:
        page_count, warnings = picture_pages.inspect(path, kind, limits)
    if page_count > limits.max_pages:
        raise UploadRejected(
            f"The file has {page_count:,} pages; at most {limits.max_pages:,} can be read in one go. "
            "Split it into parts, and upload them one by one."
        )
    return Upload(kind, path, sha256, size, page_count, warnings, heavy)


def pages(upload: Upload, limits: Limits, render_dpi: float = pdf_pages.RENDER_DPI) -> Iterator[PageImage]:
    """The pages in order, each made when asked for, so that one is in memory at a time.

    `render_dpi` is for PDF pages that hold no scan; a scanned page comes at the scan's own resolution. Raises
    UploadRejected naming the page that cannot be shown.
    """
    if upload.kind is UploadKind.PDF:
        return pdf_pages.pages(upload, limits, render_dpi)
    return picture_pages.pages(upload, limits)


def kind_of(head: bytes) -> UploadKind:
    """What the first bytes (up to HEAD_BYTES) say. Raises UploadRejected that names what was found instead."""
    if head.startswith(b"\xff\xd8\xff"):
        return UploadKind.JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return UploadKind.PNG
    if head.startswith((b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")):
        return UploadKind.TIFF
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return UploadKind.WEBP
    if head[4:8] == b"ftyp" and head[8:12] in HEIC_BRANDS:
        return UploadKind.HEIC
    for magic, name, advice in KNOWN_OTHERS:
        if head.startswith(magic):
            raise _not_accepted(name, advice)
    if b"%PDF-" in head[:PDF_HEADER_WITHIN]:
        return UploadKind.PDF
    if head[4:8] == b"ftyp":
        raise _not_accepted("a film or a picture of another kind", "picture")
    if head[128:132] == b"DICM":
        raise UploadRejected(
            "The file is a DICOM scan, not a paper record. Open the imaging part of the page and upload it there."
        )
    stripped = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if stripped.startswith((b"<!doctype", b"<html", b"<svg", b"<?xml")):
        raise _not_accepted("a web page or XML text", "text")
    if _looks_like_text(head):
        raise _not_accepted("plain text", "text")
    raise UploadRejected(
        f"The file is none of {ACCEPTED}: its first bytes are of no kind known here, or it is damaged. "
        "Scan or save the record again in one of these."
    )


def safe_title(file_name: str) -> str:
    """A title for a record from an uploaded file's name: no folders, no control or direction-changing characters.

    At most MAX_TITLE_CHARS characters; "Record" where nothing is left.
    """
    name = unicodedata.normalize("NFC", file_name).replace("\\", "/").rsplit("/", 1)[-1]
    visible = "".join(char if unicodedata.category(char)[0] not in "CZ" else " " for char in name)
    stem, dot, ending = visible.rpartition(".")
    if dot and stem.strip(" .") and len(ending) <= 5:
        visible = stem
    return " ".join(visible.split()).strip(" .")[:MAX_TITLE_CHARS].strip() or "Record"


def _not_accepted(name: str, advice: str) -> UploadRejected:
    return UploadRejected(
        f"The file is {name}, whatever its name says; records are taken as {ACCEPTED}. {ADVICE[advice]}"
    )


def _looks_like_text(head: bytes) -> bool:
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:
            return False
        text = head[: error.start].decode("utf-8")
    return bool(text) and not any(unicodedata.category(char) == "Cc" and char not in "\t\r\n\f" for char in text)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as source:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
