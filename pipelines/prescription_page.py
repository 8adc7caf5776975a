"""The printed prescription: PDF/A-2b on A5 or A4, real fonts, selectable text, black on white.

Carries the same facts as the code, in words, for the day when nothing scans.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from domain.errors import PrescriptionInvalid
from domain.prescription import Medicine, SignedPrescription
from pipelines.prescription_draft import needed_quantity
from pipelines.prescription_drawing import draw_picture
from pipelines.prescription_sig import clinical_sig, plain_sig
from pipelines.print_page import MARGIN, NO_PICTURE, open_pdf, rule, write

PAGES = {"A5": (148.0, 210.0), "A4": (210.0, 297.0)}  # millimetres
CODE_SIDE = {"A5": 62.0, "A4": 80.0}  # 0.55 mm a module at least: a phone reads it at arm's length
PNG_SCALE = 6  # pixels a module inside the PDF; 280 dpi and more
BODY, SMALL, TITLE = 9.0, 7.5, 15.0  # points
HANDED_OUT = ("tablet", "capsule", "ml", "patch", "sachet", "suppository", "ampoule", "lozenge")
TEAR = "✂"


def print_page(signed: SignedPrescription, page_format: str = "A5") -> bytes:
    """The page, or pages, of a signed prescription. Raises PrescriptionInvalid for a format that is not offered."""
    if page_format not in PAGES:
        raise PrescriptionInvalid(f"A page of {page_format[:20]!r} is not offered; choose one of {', '.join(PAGES)}.")
    lines = _wording(signed)
    with tempfile.TemporaryDirectory() as folder:
        pdf, unseen = open_pdf(PAGES[page_format], "Prescription", lines + TEAR, Path(folder))
        _head(pdf, signed, unseen)
        for number, medicine in enumerate(signed.prescription.medicines, start=1):
            _medicine(pdf, number, medicine, unseen)
        if signed.overrides:
            write(pdf, "Checked by the prescriber: " + " ".join(f"{o.text} ({o.reason})" for o in signed.overrides),
                   SMALL, unseen)  # fmt: skip
        if unseen:
            lacking = f"{NO_PICTURE} stands for a character that the fonts here lack; the code holds it."
            write(pdf, lacking, SMALL, frozenset())
        _codes(pdf, signed, page_format)
        return bytes(pdf.output())


def say_refills(refills: int) -> str:
    """ "no refills", "1 refill", "3 refills"."""
    return "no refills" if not refills else f"{refills} refill{'s' if refills != 1 else ''}"


def say_quantity(medicine: Medicine) -> str:
    """ "21 capsules" where the unit is known, else "21"."""
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


def _head(pdf: Any, signed: SignedPrescription, unseen: frozenset[str]) -> None:
    paper = signed.prescription
    pdf.set_font("body", "B", TITLE)
    pdf.cell(0, 8, "Prescription", new_x="LMARGIN", new_y="NEXT")
    doctor = ", ".join(part for part in (paper.prescriber.name, paper.prescriber.identifier) if part)
    write(pdf, doctor, BODY, unseen)
    if paper.prescriber.facility:
        write(pdf, paper.prescriber.facility, BODY, unseen)
    rule(pdf)
    write(pdf, f"Patient: {paper.patient_name}", BODY + 1, unseen, bold=True)
    write(pdf, f"Born {_day(paper.birth_date)}, {paper.sex}", BODY, unseen)
    write(pdf, f"Issued {_day(paper.issued_at)}, valid until {_day(paper.expires_at)}", BODY, unseen)
    rule(pdf)


def _medicine(pdf: Any, number: int, medicine: Medicine, unseen: frozenset[str]) -> None:
    write(pdf, f"{number}. {medicine.product}", BODY + 1, unseen, bold=True)
    write(pdf, plain_sig(medicine.dose, medicine.frequency, medicine.route, medicine.form, medicine.duration_days,
                          medicine.note), BODY, unseen)  # fmt: skip
    sig = clinical_sig(medicine.dose, medicine.frequency, medicine.route, medicine.duration_days)
    write(pdf, f"Sig: {sig}. Dispense {say_quantity(medicine)}, {say_refills(medicine.refills)}.", SMALL, unseen)
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
    write(pdf, TEAR, BODY + 2, frozenset())
    total = len(signed.parts)
    scan = "Scan this code" if total == 1 else f"Scan all {total} codes"
    again = any(medicine.refills for medicine in signed.prescription.medicines)
    keep = " Refills are left on it: give it back to the patient until the last one." if again else ""
    cut = f"For the pharmacy: cut here and hand over the part below. {scan}, or type the short code.{keep}"
    write(pdf, cut, SMALL, frozenset())
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


def _day(moment: Any) -> str:
    return f"{moment.day} {moment:%B %Y}"
