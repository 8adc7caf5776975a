"""The printed prescription: PDF/A-2b on A5 or A4, real fonts, selectable text, black on white.

Carries the same facts as the code, in words, for the day when nothing scans. The fonts are cut down to the characters
in use with HarfBuzz before the PDF writer sees them: it would parse the whole of a 16 MB font otherwise.
"""

from __future__ import annotations

import functools
import tempfile
import unicodedata
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from domain.errors import PrescriptionInvalid
from domain.prescription import Medicine, SignedPrescription
from pipelines.prescription_draft import needed_quantity
from pipelines.prescription_drawing import draw_picture
from pipelines.prescription_sig import clinical_sig, plain_sig

PAGES = {"A5": (148.0, 210.0), "A4": (210.0, 297.0)}  # millimetres
MARGIN = 10.0
CODE_SIDE = {"A5": 62.0, "A4": 80.0}  # 0.55 mm a module at least: a phone reads it at arm's length
PNG_SCALE = 6  # pixels a module inside the PDF; 280 dpi and more
BODY, SMALL, TITLE = 9.0, 7.5, 15.0  # points
FONTS = (  # (package, file) in order of preference; a missing package only costs its characters
    ("pipelines.fonts", "DejaVuSans.ttf"),
    ("ocrmypdf.data", "NotoSans-Regular.ttf"),
    ("cvttf_NotoSansCJK_Regular", "NotoSansCJKtc-Regular.otf"),
)
BOLD_FONT = ("pipelines.fonts", "DejaVuSans-Bold.ttf")
NO_PICTURE = "□"  # stands for a character that no font here can draw
HANDED_OUT = ("tablet", "capsule", "ml", "patch", "sachet", "suppository", "ampoule", "lozenge")
TEAR = "✂"
SHAPED = frozenset({"R", "AL", "NSM"})  # bidirectional classes that need a shaping engine


def print_page(signed: SignedPrescription, page_format: str = "A5") -> bytes:
    """The page, or pages, of a signed prescription. Raises PrescriptionInvalid for a format that is not offered."""
    if page_format not in PAGES:
        raise PrescriptionInvalid(f"A page of {page_format[:20]!r} is not offered; choose one of {', '.join(PAGES)}.")
    lines = _wording(signed)
    with tempfile.TemporaryDirectory() as folder:
        pdf, unseen = _open(page_format, lines, Path(folder))
        _head(pdf, signed, unseen)
        for number, medicine in enumerate(signed.prescription.medicines, start=1):
            _medicine(pdf, number, medicine, unseen)
        if signed.overrides:
            _write(pdf, "Checked by the prescriber: " + " ".join(f"{o.text} ({o.reason})" for o in signed.overrides),
                   SMALL, unseen)  # fmt: skip
        if unseen:
            lacking = f"{NO_PICTURE} stands for a character that the fonts here lack; the code holds it."
            _write(pdf, lacking, SMALL, frozenset())
        _codes(pdf, signed, page_format)
        return bytes(pdf.output())


def say_refills(refills: int) -> str:
    """"no refills", "1 refill", "3 refills"."""
    return "no refills" if not refills else f"{refills} refill{'s' if refills != 1 else ''}"


def say_quantity(medicine: Medicine) -> str:
    """"21 capsules" where the unit is known, else "21"."""
    amount = f"{medicine.quantity.normalize():f}"
    if medicine.quantity_unit:
        return f"{amount} {medicine.quantity_unit}"
    needed = needed_quantity(medicine.dose, medicine.frequency, medicine.duration_days or 1, medicine.strength)
    unit = needed[1] if needed and needed[1] in HANDED_OUT else ""  # an inhaler is not one puff
    plural = "s" if unit and unit != "ml" and medicine.quantity != 1 and not unit.endswith("y") else ""
    return f"{amount} {unit}{plural}".strip()


def _wording(signed: SignedPrescription) -> str:
    """All text of the page that people have written, to know which characters the fonts must hold."""
    paper = signed.prescription
    said = [paper.patient_name, paper.prescriber.name, paper.prescriber.identifier, paper.prescriber.facility]
    for medicine in paper.medicines:
        said += [medicine.product, medicine.route, medicine.dose, medicine.frequency]
        said += [medicine.note, medicine.quantity_unit]
    said += [override.text + override.reason for override in signed.overrides]
    return "".join(said)


def _open(page_format: str, text: str, folder: Path) -> tuple[Any, frozenset[str]]:
    """An empty PDF/A-2b with fonts for `text`, and the characters that no font has."""
    from fpdf import FPDF
    from fpdf.enums import DocumentCompliance

    pdf = FPDF(unit="mm", format=PAGES[page_format], enforce_compliance=DocumentCompliance.PDFA_2B)
    pdf.set_margins(MARGIN, MARGIN)
    pdf.set_auto_page_break(True, margin=MARGIN)
    pdf.set_title("Prescription")  # no name: titles are shown in window bars and file lists
    pdf.set_creator("HEALTH CONNECT")
    pdf.set_lang("en")
    wanted = {char for char in text if not char.isspace()} | set(_OWN_CHARACTERS)
    left = set(wanted)
    fallbacks = []
    for at, (package, name) in enumerate(FONTS):
        here = {char for char in left if ord(char) in _coverage(package, name)}
        if at and not here:
            continue
        left -= here
        family = "body" if not at else f"more{at}"
        _add_font(pdf, family, "", package, name, here, folder)
        if not at:
            _add_font(pdf, family, "B", *BOLD_FONT, here & {chr(c) for c in _coverage(*BOLD_FONT)}, folder)
        else:
            _add_font(pdf, family, "B", package, name, here, folder)  # no bold of it; plain beats a missing glyph
            fallbacks.append(family)
    if fallbacks:
        pdf.set_fallback_fonts(fallbacks, exact_match=False)
    if any(unicodedata.bidirectional(char) in SHAPED or 0x0900 <= ord(char) <= 0x0DFF for char in wanted):
        pdf.set_text_shaping(True, direction="ltr")  # the labels are; a name still runs its own way
    pdf.add_page()
    return pdf, frozenset(left)


def _head(pdf: Any, signed: SignedPrescription, unseen: frozenset[str]) -> None:
    paper = signed.prescription
    pdf.set_font("body", "B", TITLE)
    pdf.cell(0, 8, "Prescription", new_x="LMARGIN", new_y="NEXT")
    doctor = ", ".join(part for part in (paper.prescriber.name, paper.prescriber.identifier) if part)
    _write(pdf, doctor, BODY, unseen)
    if paper.prescriber.facility:
        _write(pdf, paper.prescriber.facility, BODY, unseen)
    _rule(pdf)
    _write(pdf, f"Patient: {paper.patient_name}", BODY + 1, unseen, bold=True)
    _write(pdf, f"Born {_day(paper.birth_date)}, {paper.sex}", BODY, unseen)
    _write(pdf, f"Issued {_day(paper.issued_at)}, valid until {_day(paper.expires_at)}", BODY, unseen)
    _rule(pdf)


def _medicine(pdf: Any, number: int, medicine: Medicine, unseen: frozenset[str]) -> None:
    _write(pdf, f"{number}. {medicine.product}", BODY + 1, unseen, bold=True)
    _write(pdf, plain_sig(medicine.dose, medicine.frequency, medicine.route, medicine.form, medicine.duration_days,
                          medicine.note), BODY, unseen)  # fmt: skip
    sig = clinical_sig(medicine.dose, medicine.frequency, medicine.route, medicine.duration_days)
    _write(pdf, f"Sig: {sig}. Dispense {say_quantity(medicine)}, {say_refills(medicine.refills)}.", SMALL, unseen)
    pdf.ln(1.5)


def _codes(pdf: Any, signed: SignedPrescription, page_format: str) -> None:
    """The part to tear off: codes side by side, each with its number, and the short code in large letters."""
    side = CODE_SIDE[page_format]
    width = PAGES[page_format][0] - 2 * MARGIN
    across = max(1, int(width // (side + 2)))
    room = PAGES[page_format][1] - MARGIN
    if pdf.get_y() + side + 36 > room:
        pdf.add_page()
    pdf.ln(2)
    y = pdf.get_y()
    pdf.set_dash_pattern(dash=2, gap=1.5)
    pdf.line(MARGIN + 6, y + 2, MARGIN + width, y + 2)
    pdf.set_dash_pattern()
    _write(pdf, TEAR, BODY + 2, frozenset())
    total = len(signed.parts)
    scan = "Scan this code" if total == 1 else f"Scan all {total} codes"
    again = any(medicine.refills for medicine in signed.prescription.medicines)
    keep = " Refills are left on it: give it back to the patient until the last one." if again else ""
    cut = f"For the pharmacy: cut here and hand over the part below. {scan}, or type the short code.{keep}"
    _write(pdf, cut, SMALL, frozenset())
    pdf.set_font("body", "B", TITLE)
    pdf.cell(0, 9, signed.short_code, align="C", new_x="LMARGIN", new_y="NEXT")
    for start in range(0, total, across):
        row = signed.parts[start : start + across]
        if pdf.get_y() + side + 6 > room:
            pdf.add_page()
        top = pdf.get_y()
        left = MARGIN + (width - len(row) * side - (len(row) - 1) * 4) / 2
        for part in row:
            code = draw_picture(part.text, PNG_SCALE).convert("1")
            pdf.image(code, x=left, y=top, w=side, h=side, alt_text="Prescription code")
            if total > 1:
                first, last = part.first + 1, part.last + 1
                span = f"medicine {first}" if first == last else f"medicines {first} to {last}"
                pdf.set_font("body", "", SMALL)
                pdf.set_xy(left, top + side)
                pdf.cell(side, 5, f"Code {part.number} of {total}: {span}", align="C")
            left += side + 4
        pdf.set_xy(MARGIN, top + side + 6)


def _write(pdf: Any, text: str, size: float, unseen: frozenset[str], bold: bool = False) -> None:
    drawn = "".join(NO_PICTURE if char in unseen else char for char in text)
    pdf.set_font("body", "B" if bold else "", size)
    pdf.multi_cell(0, size * 0.48, drawn, align="L", new_x="LMARGIN", new_y="NEXT", wrapmode="WORD")


def _rule(pdf: Any) -> None:
    pdf.ln(1)
    y = pdf.get_y()
    pdf.line(MARGIN, y, pdf.w - MARGIN, y)
    pdf.ln(1.5)


def _day(moment: Any) -> str:
    return f"{moment.day} {moment:%B %Y}"


def _add_font(
    pdf: Any, family: str, style: str, package: str, name: str, characters: Sequence[str] | set[str], folder: Path
) -> None:
    import uharfbuzz

    wanted = uharfbuzz.SubsetInput()
    for char in characters:
        wanted.unicode_set.add(ord(char))
    wanted.unicode_set.add(ord(" "))
    target = folder / f"{family}{style}{Path(name).suffix}"
    target.write_bytes(uharfbuzz.subset(_face(package, name), wanted).blob.data)
    pdf.add_font(family, style, str(target))


@functools.lru_cache(maxsize=8)
def _coverage(package: str, name: str) -> frozenset[int]:
    """Code points that a font draws; none when its package is not installed."""
    try:
        return frozenset(_face(package, name).unicodes)
    except (ModuleNotFoundError, FileNotFoundError):
        return frozenset()


@functools.lru_cache(maxsize=8)
def _face(package: str, name: str) -> Any:
    import uharfbuzz

    return uharfbuzz.Face(uharfbuzz.Blob((files(package) / name).read_bytes()))


_OWN_CHARACTERS = {chr(code) for code in range(33, 127)} | set(f"{TEAR}{NO_PICTURE}×·–")
