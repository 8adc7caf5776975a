"""What generated pages say: letters, laboratory tables, discharge summaries, columns, forms. Invented, seeded, endless.

Words are drawn from pools and joined by templates, so that no two pages are alike and none is one that somebody has
tuned anything by. Knows nothing of fonts or pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph; `size` in points, `style` "", "bold" or "italic"."""

    text: str
    size: float = 11
    style: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """Cells of a table or form; `at`: left edge of each as a share of the width; `ruled`: a box around each cell."""

    cells: tuple[str, ...]
    at: tuple[float, ...]
    size: float = 10
    style: str = ""
    ruled: bool = True


@dataclass(frozen=True, slots=True)
class Gap:
    """Empty height in points, with a rule across the page where `rule`."""

    height: float = 8
    rule: bool = False


@dataclass(frozen=True, slots=True)
class Columns:
    """Two columns of paragraphs."""

    left: tuple[Text, ...]
    right: tuple[Text, ...]


Part = Text | Row | Gap | Columns

FIRST = "Priya Tomasz Eleni Kwame Ingrid Rashid Bronwyn Mateo Yuki Aoife Dmitri Solveig Omari Halina Cedric Nadia Hamish Leocadia Ulrich Zanele".split()
LAST = "Vasquez Petrov Nakamura Obi Lindqvist Farouk McAllister Bhattacharya Kowalczyk Oyelaran Fitzgerald Jankovic Thibault Hargreaves Quintero Stavros Ellingham Mwangi".split()
PLACES = "Southmere Westbrook Harrowgate Kingsholm Ashcombe Ferndale Millbank Larkhill Dunmore Elmsworth".split()
KINDS = (
    "District Hospital",
    "Medical Centre",
    "University Hospital",
    "Community Clinic",
    "Royal Infirmary",
    "Health Partners LLC",
)
WARDS = (
    "Cardiology",
    "Gastroenterology",
    "Orthopaedic Surgery",
    "Renal Medicine",
    "Neurology",
    "Endocrinology",
    "Paediatrics",
    "Respiratory Medicine",
)
DRUGS = (
    ("Atorvastatin", "20 mg"), ("Lisinopril", "10 mg"), ("Warfarin", "3 mg"), ("Omeprazole", "40 mg"), ("Levothyroxine", "75 mcg"),
    ("Prednisolone", "5 mg"), ("Gabapentin", "300 mg"), ("Furosemide", "40 mg"), ("Clopidogrel", "75 mg"), ("Sertraline", "50 mg"),
    ("Insulin glargine", "18 units"), ("Methotrexate", "7.5 mg"), ("Amlodipine", "5 mg"), ("Digoxin", "125 mcg"), ("Ciprofloxacin", "500 mg"),
)  # fmt: skip
OFTEN = (
    "once daily",
    "twice daily",
    "three times a day",
    "at night",
    "every 6 hours",
    "as needed",
    "weekly on Mondays",
)
ROUTES = ("PO", "SC", "IV", "oral", "inhaled")
LABS = (
    ("Sodium", "mmol/L", 133, 146, 0), ("Potassium", "mmol/L", 3.5, 5.3, 1), ("Creatinine", "µmol/L", 59, 104, 0), ("Urea", "mmol/L", 2.5, 7.8, 1),
    ("Haemoglobin", "g/L", 130, 175, 0), ("Platelets", "x10^9/L", 150, 400, 0), ("Ferritin", "µg/L", 30, 300, 0), ("ALT", "U/L", 10, 50, 0),
    ("Bilirubin, total", "mg/dL", 0.2, 1.2, 2), ("Albumin", "g/L", 35, 50, 0), ("TSH", "mIU/L", 0.4, 4.0, 2), ("HbA1c", "mmol/mol", 20, 42, 0),
    ("Calcium (adj.)", "mmol/L", 2.20, 2.60, 2), ("Magnesium", "mmol/L", 0.70, 1.00, 2), ("Troponin T", "ng/L", 0, 14, 0), ("Free T4", "pmol/L", 12, 22, 1),
    ("Cholesterol", "mmol/L", 2.0, 5.0, 1), ("Vitamin B12", "ng/L", 200, 900, 0), ("MCV", "fL", 80, 99, 1), ("eGFR", "mL/min/1.73m²", 60, 120, 0),
)  # fmt: skip
SENTENCES = (
    "{He} presented to the clinic on {date} complaining of intermittent epigastric pain radiating to the back, worse after meals.",
    "Past history includes type 1 diabetes, diverticular disease and an appendicectomy in {year}.",
    "On examination the abdomen was soft with mild tenderness in the left iliac fossa; bowel sounds were present.",
    "Heart sounds were normal, pulse {n2} bpm and regular, blood pressure {bp} mmHg, temperature 37.{d} °C.",
    "An ultrasound scan showed gallstones without dilatation of the common bile duct (diameter {d} mm).",
    "We increased {drug} to {dose} {often} and stopped the previous tablet because of dizziness.",
    "{He} denies fever, weight loss, haematuria or recent travel.",
    "Serum urate was {n3} µmol/L and the erythrocyte sedimentation rate {n2} mm/h.",
    "Magnetic resonance imaging of the lumbar spine demonstrated an L4/L5 disc protrusion compressing the right L5 root.",
    "Power was 4/5 in ankle dorsiflexion; reflexes were brisk but symmetrical, and sensation was reduced over the first web space.",
    "I would be grateful if you could arrange a repeat full blood count and renal profile within {d} weeks.",
    "There is a family history of breast cancer (mother, aged {n2}) and of coxarthrosis.",
    "The wound has healed well; clips were removed on day 10 and there is no sign of infection.",
    "Lung function: FEV1 {d}.{d} L ({n2}% predicted), FVC {d}.{d} L, ratio 0.{n2}.",
    "{He} should avoid non-steroidal anti-inflammatory drugs and drink at least 2 litres of water a day.",
    "Estimated ejection fraction is {n2}%, with moderate mitral regurgitation and a dilated left atrium.",
    "Allergic to {drug}: widespread urticarial rash and facial swelling in {year}.",
    "We discussed the risks and benefits of surgery, and consent form 3 was signed by both parents.",
    "The electroencephalogram revealed left temporal sharp waves; levetiracetam 500 mg b.d. was commenced.",
    "Follow-up in the outpatient department has been booked for {date} at 10:{n2}.",
    "Mobility remains limited: {he} walks 30 yards with a frame and needs help of one person for transfers.",
    "Urine dipstick: protein ++, leucocytes negative, nitrite negative, glucose trace.",
)


def make(rng: np.random.Generator, layout: str) -> tuple[Part, ...]:
    """The parts of one page from top to bottom. `layout`: one of LAYOUTS."""
    return LAYOUTS[layout](rng)


def _of(rng: np.random.Generator, pool):  # type: ignore[no-untyped-def]
    return pool[int(rng.integers(len(pool)))]


def _some(rng: np.random.Generator, pool, count: int) -> list:  # type: ignore[no-untyped-def,type-arg]
    return [pool[int(i)] for i in rng.permutation(len(pool))[:count]]


def _date(rng: np.random.Generator) -> str:
    day, month, year = int(rng.integers(1, 29)), int(rng.integers(1, 13)), int(rng.integers(2019, 2026))
    names = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
    return _of(rng, (f"{day:02}/{month:02}/{year}", f"{day} {names[month - 1]} {year}", f"{year}-{month:02}-{day:02}"))


def _person(rng: np.random.Generator) -> str:
    return f"{_of(rng, FIRST)} {_of(rng, LAST)}"


def _sentences(rng: np.random.Generator, count: int) -> str:
    said = []
    he = _of(rng, ("He", "She"))
    for pattern in _some(rng, SENTENCES, count):
        drug, dose = _of(rng, DRUGS)
        said.append(pattern.format(
            He=he, he=he.lower(), date=_date(rng), year=int(rng.integers(1989, 2024)), n2=int(rng.integers(21, 99)),
            n3=int(rng.integers(120, 590)), d=int(rng.integers(2, 9)), drug=drug.lower(), dose=dose, often=_of(rng, OFTEN),
            bp=f"{int(rng.integers(95, 180))}/{int(rng.integers(55, 105))}",
        ))  # fmt: skip
    return " ".join(said)


def _head(rng: np.random.Generator, title: str) -> list[Part]:
    place = _of(rng, PLACES)
    return [
        Text(f"{place} {_of(rng, KINDS)}".upper() if rng.random() < 0.5 else f"{place} {_of(rng, KINDS)}", 16, "bold"),
        Text(f"{_of(rng, WARDS)} Department, {int(rng.integers(2, 199))} {_of(rng, LAST)} Road, {place} {_of(rng, 'AB KT NR SW')}{int(rng.integers(1, 20))} {int(rng.integers(1, 9))}QX", 9),
        Text(f"Tel. 01{int(rng.integers(200, 999))} {int(rng.integers(100000, 999999))}   Fax 01{int(rng.integers(200, 999))} {int(rng.integers(100000, 999999))}", 9),
        Gap(8, rule=True),
        Text(title, 13, "bold"),
    ]  # fmt: skip


def _identity(rng: np.random.Generator) -> str:
    return f"Patient: {_person(rng)}   DOB: {_date(rng)}   MRN: {_of(rng, 'HKRW')}{int(rng.integers(100000, 999999))}"


def _letter(rng: np.random.Generator) -> tuple[Part, ...]:
    parts = _head(rng, "CLINIC LETTER")
    parts += [
        Text(f"Re: {_person(rng)}, born {_date(rng)}, hospital number {int(rng.integers(10**6, 10**7))}", 11, "bold"),
        Gap(),
    ]
    parts += [Text(f"Dear Dr {_of(rng, LAST)},"), Gap()]
    for _ in range(4):
        parts += [Text(_sentences(rng, int(rng.integers(2, 5)))), Gap()]
    parts += [
        Text("Yours sincerely,"),
        Gap(24),
        Text(f"Dr {_person(rng)}, Consultant in {_of(rng, WARDS)}"),
        Text(f"Dictated {_date(rng)}, typed {_date(rng)}; not signed to avoid delay", 9, "italic"),
    ]
    return tuple(parts)


def _lab(rng: np.random.Generator) -> tuple[Part, ...]:
    parts = _head(rng, "LABORATORY REPORT")
    parts += [
        Text(_identity(rng)),
        Text(
            f"Collected: {_date(rng)} 0{int(rng.integers(6, 9))}:{int(rng.integers(10, 59))}   Requested by: Dr {_of(rng, LAST)}   Specimen: blood"
        ),
        Gap(),
    ]
    at, ruled = (0.0, 0.34, 0.47, 0.56, 0.76), bool(rng.random() < 0.7)
    parts.append(Row(("Test", "Result", "Flag", "Unit", "Reference range"), at, 10, "bold", ruled))
    for name, unit, low, high, digits in _some(rng, LABS, int(rng.integers(12, 19))):
        value = rng.uniform(0.6 * low, 1.5 * high)
        flag = "L" if value < low else "H" if value > high else ""
        parts.append(
            Row((name, f"{value:.{digits}f}", flag, unit, f"{low:.{digits}f} - {high:.{digits}f}"), at, 10, "", ruled)
        )
    return (
        *parts,
        Gap(),
        Text(f"Comment: {_sentences(rng, 1)}"),
        Text(f"Authorised by {_person(rng)}, {_date(rng)} 1{int(rng.integers(0, 9))}:{int(rng.integers(10, 59))}", 9),
    )


def _discharge(rng: np.random.Generator) -> tuple[Part, ...]:
    parts = _head(rng, "DISCHARGE SUMMARY")
    parts += [
        Text(_identity(rng)),
        Text(f"Admitted: {_date(rng)}   Discharged: {_date(rng)}   Consultant: Dr {_person(rng)}"),
        Gap(),
    ]
    for heading in ("Reason for admission", "Course", "Plan"):
        parts += [Text(heading, 11, "bold"), Text(_sentences(rng, int(rng.integers(2, 4)))), Gap(5)]
    at = (0.0, 0.27, 0.42, 0.54, 0.78)
    parts += [
        Text("Medication on discharge", 11, "bold"),
        Row(("Medicine", "Dose", "Route", "Frequency", "Status"), at, 10, "bold"),
    ]
    for name, dose in _some(rng, DRUGS, int(rng.integers(4, 9))):
        parts.append(
            Row(
                (name, dose, _of(rng, ROUTES), _of(rng, OFTEN), _of(rng, ("new", "continued", "stopped", "CHANGED"))),
                at,
            )
        )
    return (*parts, Gap(), Text(f"Completed by {_person(rng)}, bleep {int(rng.integers(1000, 9999))}", 9))


def _columns(rng: np.random.Generator) -> tuple[Part, ...]:
    sides = [
        tuple(
            part
            for _ in range(4)
            for part in (
                Text(_of(rng, ("History", "Findings", "Advice", "Background")), 11, "bold"),
                Text(_sentences(rng, 3), 10),
            )
        )
        for _ in range(2)
    ]
    return (*_head(rng, "INFORMATION FOR CARERS"), Columns(sides[0], sides[1]), Gap(), Text(_sentences(rng, 2)))


def _form(rng: np.random.Generator) -> tuple[Part, ...]:
    parts = _head(rng, "REFERRAL FORM")
    halves, thirds = (0.0, 0.5), (0.0, 0.33, 0.66)
    parts += [
        Row((f"Surname: {_of(rng, LAST)}", f"Forename: {_of(rng, FIRST)}"), halves), Row((f"Date of birth: {_date(rng)}", f"NHS no. {int(rng.integers(400, 999))} {int(rng.integers(100, 999))} {int(rng.integers(1000, 9999))}"), halves),
        Row((f"Height {int(rng.integers(150, 195))} cm", f"Weight {rng.uniform(50, 110):.1f} kg", f"BMI {rng.uniform(18, 39):.1f}"), thirds), Row((f"BP {int(rng.integers(95, 180))}/{int(rng.integers(55, 105))}", f"Pulse {int(rng.integers(50, 120))}", f"SpO2 {int(rng.integers(88, 100))}%"), thirds),
        Row((f"Allergies: {_of(rng, DRUGS)[0]} (rash)", f"Smoker: {_of(rng, ('never', 'ex', '20 a day'))}"), halves), Gap(),
    ]  # fmt: skip
    for number, heading in enumerate(("Presenting problem", "Relevant history", "Question for the clinic"), 1):
        parts += [
            Text(f"{number}. {heading}", 11, "bold"),
            Text(_sentences(rng, int(rng.integers(2, 4)))),
            Gap(5, rule=True),
        ]
    return (
        *parts,
        Row((f"Signed: {_person(rng)}", f"GMC {int(rng.integers(10**6, 10**7))}", f"Date {_date(rng)}"), thirds),
    )


def _small(rng: np.random.Generator) -> tuple[Part, ...]:
    """Six to seven points, as on a package leaflet or the back of a form."""
    size = float(_of(rng, (6, 6.5, 7)))
    parts: list[Part] = [Text("PATIENT INFORMATION AND CONSENT", 10, "bold"), Gap(4)]
    for number in range(1, 9):
        parts += [Text(f"{number}. {_sentences(rng, int(rng.integers(2, 5)))}", size), Gap(4)]
    return tuple(parts)


LAYOUTS: dict[str, Callable[[np.random.Generator], tuple[Part, ...]]] = {
    "letter": _letter, "lab": _lab, "discharge": _discharge, "columns": _columns, "form": _form, "small": _small,
}  # fmt: skip
