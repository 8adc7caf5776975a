"""Draws the sample records anew: `python data/samples/make_samples.py [FOLDER]`.

Seeded; the same fonts give the same files.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image
from sample_sheets import CONSULT, DISCHARGE, FAX, LABS, NOTE, REFERRAL, RESULTS, THREE_PAGES
from sheet_drawing import (
    DPI,
    SANS,
    SANS_BOLD,
    SERIF,
    SERIF_BOLD,
    SMALL_PRINT,
    Damage,
    Part,
    Row,
    Sheet,
    damage,
    draw_sheet,
)

HERE = Path(__file__).resolve().parent


def write_all(folder: Path) -> None:
    """Every sample picture and PDF into `folder`."""

    def save(name: str, sheet: Sheet, quality: int = 72) -> None:
        Image.fromarray(sheet.pixels).convert("L").save(folder / name, dpi=(DPI, DPI), quality=quality)

    serif = {"regular": SERIF, "bold": SERIF_BOLD}
    save("1_discharge_letter.jpg", damage(draw_sheet(DISCHARGE, size=23), Damage(noise=5, shade=0.06, turn_deg=0.6), 1))
    photo = Damage(lean=0.035, shade=0.35, noise=5, blur=0.5, table=95, turn_deg=2)
    save("2_photo_of_a_lab_sheet.jpg", damage(draw_sheet(LABS, size=24), photo, 2), 80)
    save("3_tilted_clinic_letter.jpg", damage(draw_sheet(CONSULT, size=26, **serif), Damage(turn_deg=-4.5, noise=4), 3))
    fax = damage(draw_sheet(FAX, size=26), Damage(fade=0.25, noise=28, blur=0.8, fax=True, turn_deg=0.8), 4)
    Image.fromarray(fax.pixels).convert("1").save(folder / "4_fax_prescription.png", dpi=(DPI, DPI), optimize=True)
    save("5_letter_in_two_columns.jpg", damage(draw_sheet(REFERRAL, size=24, **serif), Damage(noise=4, fade=0.35), 5))
    save("6_upside_down_note.jpg", damage(draw_sheet(NOTE, size=27), Damage(turn_deg=181.2, noise=5, shade=0.1), 6))
    sheets = [damage(draw_sheet(parts, size=24), Damage(noise=0, turn_deg=0.4), 7) for parts in RESULTS]
    first, *rest = [Image.fromarray(sheet.pixels).convert("1") for sheet in sheets]
    first.save(
        folder / "7_two_page_results.tiff", save_all=True, append_images=rest, compression="group4", dpi=(DPI, DPI)
    )
    (folder / "8_three_page_record.pdf").write_bytes(_born_digital(THREE_PAGES))


def _born_digital(pages: Sequence[Sequence[Part]]) -> bytes:
    from fpdf import FPDF

    pdf = FPDF(unit="pt", format="A4")
    pdf.set_creation_date(datetime(2025, 6, 20, tzinfo=UTC))  # fixed, so that drawing it again changes nothing
    pdf.set_title("Synthetic sample record")
    pdf.add_font("body", fname=SANS)
    pdf.add_font("body", style="B", fname=SANS_BOLD)
    for number, parts in enumerate(pages, start=1):
        pdf.add_page()
        for part in parts:
            if isinstance(part, Row):
                pdf.set_font("body", size=10)
                for cell, at in zip(part.cells, part.at, strict=True):
                    pdf.text(28 + at * 72 / DPI, pdf.y + 10, cell)
                pdf.ln(16)
            elif isinstance(part, str):
                heading = part.startswith("# ")
                pdf.set_font("body", style="B" if heading else "", size=13 if heading else 10)
                pdf.multi_cell(0, 18 if heading else 15, part.removeprefix("# ") or " ", new_x="LMARGIN", new_y="NEXT")
        pdf.set_font("body", size=7)
        pdf.text(28, 820, f"{SMALL_PRINT} Page {number} of {len(pages)}")
    return bytes(pdf.output())


if __name__ == "__main__":
    write_all(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
