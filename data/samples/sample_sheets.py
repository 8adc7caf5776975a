"""What the sample records say. People, hospitals and numbers are invented; the texts were written for this project."""

# ruff: noqa: E501  (a record reads better with its lines whole)
from __future__ import annotations

from sheet_drawing import Column, Columns, Part, Row

_TABLE = (0, 330, 480, 660, 880)


def _results(*rows: tuple[str, str, str, str, str]) -> tuple[Part, ...]:
    return tuple(Row(row, _TABLE) for row in (("Test", "Result", "Flag", "Unit", "Reference range"), *rows))


DISCHARGE: tuple[Part, ...] = (
    "# Northmoor Invented Hospital", "# Discharge summary", "",
    Row(("Patient name: Marigold Testwell", "MRN: HC900001"), (0, 620)),
    Row(("Date of birth: 23/11/1951", "Ward: Cardiology 4"), (0, 620)),
    Row(("Admitted: 14/06/2025", "Discharged: 20/06/2025"), (0, 620)), "",
    "Diagnosis: acute heart failure with atrial fibrillation",
    "Allergies: penicillin (rash)", "",
    "# What happened",
    "She came in with four days of worsening breathlessness lying flat and swelling of both legs. On arrival BP was "
    "164/92 mmHg, pulse 118 bpm, oxygen saturation 90 % on air. She denied chest pain. The chest film showed bilateral "
    "pleural effusions without pneumonia. Potassium was 3.2 mmol/L and was replaced. Weight fell from 78.4 kg to 72.1 kg.",
    "", "# Medicines on discharge",
    "Furosemide 80 mg PO once daily", "Bisoprolol 5 mg PO once daily", "Apixaban 5 mg PO twice daily",
    "Ramipril 2.5 mg PO once daily", "Spironolactone 25 mg PO once daily", "Naproxen: stopped", "",
    "# Follow-up",
    "Kidney function in one week with the family doctor. Heart failure nurse in two weeks. Weigh daily and ring us at a "
    "gain of two kilograms in three days.", "",
    "Signed: Dr A. Placeholder, 20/06/2025",
)  # fmt: skip
LABS: tuple[Part, ...] = (
    "# Northmoor Invented Hospital", "# Laboratory report", "",
    Row(("Name: Barnaby Samplesby", "MRN: HC900002"), (0, 620)),
    Row(("DOB: 17/04/1968", "Collected: 19/05/2025 08:10"), (0, 620)), "",
    *_results(
        ("Sodium", "138", "", "mmol/L", "133-146"), ("Potassium", "5.6", "H", "mmol/L", "3.5-5.3"),
        ("Urea", "14.2", "H", "mmol/L", "2.5-7.8"), ("Creatinine", "168", "H", "umol/L", "59-104"),
        ("eGFR", "38", "L", "mL/min", ">60"), ("Glucose", "11.9", "H", "mmol/L", "3.9-6.0"),
        ("HbA1c", "71", "H", "mmol/mol", "20-42"), ("Urate", "540", "H", "umol/L", "200-430"),
        ("Haemoglobin", "124", "L", "g/L", "130-180"), ("Platelets", "231", "", "x10^9/L", "150-450"),
        ("ALT", "33", "", "U/L", "0-41"), ("Albumin", "37", "", "g/L", "35-50"), ("CRP", "4", "", "mg/L", "<5"),
    ),
    "", "Comment: stable chronic kidney disease, potassium to be repeated within a week.", "",
    "Reported: 19/05/2025 14:32",
)  # fmt: skip
CONSULT: tuple[Part, ...] = (
    "# Neurology outpatient clinic", "", "Clinic letter, seen 30 January 2025", "",
    "Re: Odette Fictive, born 30 September 1994, hospital number HC900003", "",
    "Dear colleague,", "",
    "This schoolteacher has had about two headaches a month since last spring: throbbing, behind the left eye, with "
    "nausea and an aversion to light and noise. Zigzag lines spread over twenty minutes before the pain. There is no "
    "weakness, no fever and no neck stiffness.", "",
    "Examination was normal and the fundi were flat. Blood pressure 118/74 mmHg, pulse 68 bpm.", "",
    "Impression: migraine with aura", "",
    "I suggest sumatriptan 50 mg PO at onset, and propranolol should not be given because of her asthma."
    " The combined pill is to be avoided.", "",
    "No known drug allergies.", "", "Yours sincerely,", "", "Dr B. Placeholder",
)  # fmt: skip
FAX: tuple[Part, ...] = (
    "# Prescription by fax", "", "Patient: Ignatius Mockford", "Date of birth: 14/02/1946", "NHS number: 900 000 0048", "",
    "Date: 21/02/2025", "",
    "Doxycycline 100 mg PO once daily, 5 days", "Prednisolone 30 mg PO once daily, 5 days",
    "Salbutamol 100 mcg inhaled as needed", "Clopidogrel 75 mg PO once daily", "Atorvastatin 40 mg PO at night", "",
    "Allergies: none known", "", "Signed: Dr C. Placeholder",
)  # fmt: skip
REFERRAL: tuple[Part, ...] = (
    "# Rheumatology referral letter", "", "Patient: Priya Exemplar    DOB: 19/07/1983    MRN: HC900005",
    "Date of letter: 15/04/2025", "",
    Columns((
        Column((
            "# History",
            "For five months the small joints of both hands have been swollen and painful. They are stiff for an hour and "
            "a half each morning, and she cannot open jars. She is tired by noon and sleeps badly when the hands throb.",
            "# Past",
            "Hypothyroidism, treated since 2012. Iron deficiency anaemia from heavy periods. No psoriasis and no colitis. "
            "Her mother has rheumatoid arthritis.",
        )),
        Column((
            "# Findings",
            "Boggy swelling over six knuckles and both wrists. Full grip lost on the right. No rash, no nodules. ESR 48 mm/h, "
            "CRP 27 mg/L, haemoglobin 98 g/L.",
            "# Medicines",
            "Levothyroxine 100 mcg PO once daily", "Ferrous sulfate 200 mg PO once daily",
            "Ibuprofen 400 mg PO three times daily",
            "# Request",
            "Please see her soon: early arthritis of many joints, and a baby is not planned.",
        )),
    )),
    "", "Signed: Dr D. Placeholder, 15/04/2025",
)  # fmt: skip
NOTE: tuple[Part, ...] = (
    "# Ward round note", "", "Name: Yusuf Specimen", "DOB: 28/12/2001", "MRN: HC900006", "Seen: 16/01/2025", "",
    "First generalised seizure last night, two minutes, tongue bitten, drowsy for an hour afterwards.",
    "No fever, no head injury, no alcohol.", "", "Temperature 36.8 °C", "Pulse 74 bpm", "BP 122/70 mmHg",
    "Glucose 5.1 mmol/L", "", "Impression: epilepsy likely", "Plan: levetiracetam 500 mg PO twice daily",
    "No driving. Brain scan and tracing asked for.",
)  # fmt: skip
RESULTS: tuple[tuple[Part, ...], ...] = (
    (
        "# Laboratory results", "", "Name: Priya Exemplar", "DOB: 19/07/1983", "MRN: HC900005", "Collected: 20/05/2025", "",
        *_results(
            ("Haemoglobin", "92", "L", "g/L", "115-165"), ("MCV", "71", "L", "fL", "80-100"),
            ("Platelets", "466", "H", "x10^9/L", "150-450"), ("Ferritin", "5", "L", "ug/L", "13-150"),
        ),
    ),
    (
        "# Laboratory results, page 2", "", "Name: Priya Exemplar", "DOB: 19/07/1983", "MRN: HC900005", "",
        *_results(
            ("TSH", "14.2", "H", "mU/L", "0.4-4.5"), ("Free T4", "8.1", "L", "pmol/L", "9-25"),
            ("ESR", "48", "H", "mm/h", "0-20"),
        ),
        "", "Reported: 21/05/2025",
    ),
)  # fmt: skip
THREE_PAGES: tuple[tuple[Part, ...], ...] = (
    DISCHARGE,
    (
        "# Laboratory report", "", "Patient name: Marigold Testwell", "MRN: HC900001", "Collected: 19/06/2025", "",
        *_results(
            ("Sodium", "131", "L", "mmol/L", "133-146"), ("Potassium", "4.6", "", "mmol/L", "3.5-5.3"),
            ("Creatinine", "104", "H", "umol/L", "45-84"), ("Haemoglobin", "119", "", "g/L", "115-165"),
        ),
    ),
    (
        "# Physiotherapy note", "", "Patient name: Marigold Testwell", "MRN: HC900001", "Seen: 18/06/2025", "",
        "Walks forty metres with a frame before she is breathless. No dizziness on standing. Stairs once with a rail. "
        "Safe to go home with her son.",
    ),
)  # fmt: skip
