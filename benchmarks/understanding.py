"""How much of what stands on a page is understood: `python -m benchmarks.understanding [--pages N] [--misread SHARE]`.

Pages are invented here, in four layouts (form, label-value pairs without colons, prose, table in varied column order), with
exact truth. `--misread` swaps look-alike characters (O/0, l/1, rn/m) in that share of the words, as a reader of bad
scans does; a swapped word counts against recall, for nothing is repaired in silence.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta

from domain.document import Box, FactKind, OcrPage, PageSource, TextLine, TextWord
from pipelines.understanding import understand

FIRST = (
    "Alba Bruno Cosima Dietrich Elowen Farid Greta Hamza Ingrid Jarek Keiko Lorcan Mireille Nadim Oluchi Pavel".split()
)
LAST = "Averill Brankov Castellane D'Arcy Eriksen Fothergill Garcia-Lopez Haddad Ivanova Jephson Kowalski Lindqvist".split()
DRUGS = (
    "amlodipine metformin warfarin omeprazole simvastatin gabapentin sertraline lisinopril digoxin tramadol "
    "ciprofloxacin enoxaparin gliclazide montelukast mirtazapine insulin hydroxychloroquine allopurinol"
).split()
DOSES = "5 mg|2.5 mg|500 mg|1 g|40 units|125 mcg|10 ml".split("|")
ROUTES = "PO IV SC oral".split()
OFTEN = "once daily|twice daily|BD|TDS|every 6 hours|at night|PRN|three times a day|nightly".split("|")
LABS = (
    ("Sodium", "Sodium|Na", "mmol/L", 133, 146, 0), ("Potassium", "Potassium|K+", "mmol/L", 3.5, 5.3, 1),
    ("Creatinine", "Creatinine", "umol/L", 60, 110, 0), ("Haemoglobin", "Hb|Haemoglobin|Hemoglobin", "g/L", 120, 160, 0),
    ("Platelets", "Platelets|PLT|Platelet count", "x10^9/L", 150, 450, 0), ("CRP", "CRP|C-reactive protein", "mg/L", 0, 5, 0),
    ("White cell count", "WBC|WCC|White cell count", "x10^9/L", 4, 11, 1), ("ALT", "ALT", "U/L", 0, 40, 0),
    ("TSH", "TSH", "mU/L", 0.4, 4.5, 1), ("Albumin", "Albumin", "g/L", 35, 50, 0), ("Calcium", "Calcium", "mmol/L", 2.2, 2.6, 2),
    # not in the rules' table of names
    ("Amylase", "Amylase", "U/L", 28, 100, 0), ("Lipase", "Lipase", "U/L", 13, 60, 0), ("Haptoglobin", "Haptoglobin", "g/L", 0.3, 2.0, 1),
)  # fmt: skip
ILLNESSES = (
    "asthma|type 2 diabetes mellitus|community-acquired pneumonia|deep vein thrombosis|chronic kidney disease|gout|"
    "hypertension|acute pancreatitis|migraine|iron deficiency anaemia|atrial fibrillation|cellulitis|"
    # told by their endings
    "sarcoidosis|trigeminal neuralgia|pericarditis|myasthenia gravis|vestibular neuritis|endometriosis|"
    # the rules know no name and no ending of these; only the words around them can show that they are illnesses
    "narcolepsy|vitiligo|rosacea|bell's palsy|intussusception"
).split("|")
RHINITIS = "Seen with allergic rhinitis."
DATE_FORMS = ("%d/%m/%Y", "%d.%m.%Y", "%d %B %Y", "%d %b %Y", "%Y-%m-%d", "%d-%m-%Y")
SWAPS = (("0", "O"), ("1", "l"), ("m", "rn"), ("O", "0"), ("l", "1"))
Truth = tuple[FactKind, str, str, str]


def made_page(rng: random.Random) -> tuple[list[str], set[Truth]]:
    """Lines of one page and what they state: kind, label, value, flag or "denied"."""
    lines: list[str] = []
    truth: set[Truth] = set()
    _head(rng, lines, truth)
    _labs(rng, lines, truth)
    _medicines(rng, lines, truth)
    _illnesses(rng, lines, truth)
    _allergies(rng, lines, truth)
    return lines, truth


def _head(rng: random.Random, lines: list[str], truth: set[Truth]) -> None:
    first, last = rng.choice(FIRST), rng.choice(LAST)
    name = rng.choice((f"{first} {last}", f"{last}, {first}", f"{rng.choice(('Mr', 'Mrs', 'Ms'))} {first} {last}"))
    # Days after the 12th, so that the truth has one reading; ambiguous dates are the tests' affair.
    born = date(rng.randint(1925, 2015), rng.randint(1, 12), rng.randint(13, 28))
    seen = date(2024, 1, 13) + timedelta(days=31 * rng.randint(0, 12))
    form = rng.choice(DATE_FORMS)
    number = rng.choice(
        (f"{rng.randint(100000, 999999)}", f"K{rng.randint(10000, 99999)}", f"RX-{rng.randint(1000, 9999)}")
    )
    role = rng.choice(("Admitted", "Discharged", "Collected", "Seen", "Signed", "Reported"))
    born_text, seen_text = born.strftime(form), seen.strftime(form)
    lines += rng.choice((
        [f"Patient name: {name}", f"Date of birth: {born_text}", f"MRN: {number}", f"{role}: {seen_text}"],
        [f"Name: {name} DOB: {born_text} Hospital No: {number}", f"{role} {seen_text}"],
        [f"Patient Name {name}", f"DOB {born_text} MRN {number}", f"{role} on {seen_text}"],
        [f"Re: {name}, born {born_text}, hospital number {number}", f"{role} {seen_text}"],
    ))  # fmt: skip
    truth |= {
        (FactKind.NAME, "name", name.lower(), ""), (FactKind.BIRTH_DATE, "date of birth", born.isoformat(), ""),
        (FactKind.RECORD_NUMBER, "record number", number.lower(), ""), (FactKind.DATE, role.lower(), seen.isoformat(), ""),
    }  # fmt: skip


def _labs(rng: random.Random, lines: list[str], truth: set[Truth]) -> None:
    layout = rng.randrange(4)
    for label, names, unit, low, high, digits in rng.sample(LABS, 5):
        value = round(rng.uniform(low * 0.8, high * 1.3), digits) or high
        shown, name = f"{value:.{digits}f}", rng.choice(names.split("|"))
        flag = "low" if float(shown) < low else "high" if float(shown) > high else ""
        mark = {"low": "L", "high": "H", "": ""}[flag]
        line = (
            f"{name} {shown} {unit} {low}-{high} {mark}", f"{name} {shown} {mark} {low} - {high} {unit}",
            f"{name}: {shown} {unit} (ref {low}-{high})", f"The {name} was {shown} {unit} ({low}-{high}) that day.",
        )[layout]  # fmt: skip
        lines.append(" ".join(line.split()))
        truth.add((FactKind.LAB, label.lower(), shown, flag))


def _medicines(rng: random.Random, lines: list[str], truth: set[Truth]) -> None:
    layout = rng.randrange(3)
    said = []
    for drug in rng.sample(DRUGS, 4):
        dose, route, often = rng.choice(DOSES), rng.choice(ROUTES), rng.choice(OFTEN)
        shown = drug.capitalize() if layout == 0 else drug
        said.append(f"{shown} {dose} {route} {often}")
        truth.add((FactKind.MEDICATION, drug, f"{dose} {route} {often}".lower(), ""))
    if layout == 2:
        lines.append("Continues " + ", ".join(said[:-1]) + " and " + said[-1] + ".")
    else:
        lines += [f"{number}. {text}" if layout == 1 else text for number, text in enumerate(said, start=1)]


def _illnesses(rng: random.Random, lines: list[str], truth: set[Truth]) -> None:
    has, lacks, other = rng.sample(ILLNESSES, 3)
    lines.append(rng.choice((f"Diagnosis: {has}", f"Treated here for {has}.", f"Impression: {has}")))
    lines.append(
        rng.choice(
            (f"No evidence of {lacks}.", f"Denies any history of {lacks}.", f"{lacks.capitalize()} was ruled out.")
        )
    )
    lines.append(rng.choice((f"Known {other}.", f"Past medical history: {other}")))
    truth |= {
        (FactKind.DIAGNOSIS, has, has, ""), (FactKind.DIAGNOSIS, lacks, lacks, "denied"),
        (FactKind.DIAGNOSIS, other, other, ""),
    }  # fmt: skip


def _allergies(rng: random.Random, lines: list[str], truth: set[Truth]) -> None:
    if rng.random() < 0.4:
        lines.append(rng.choice(("No known drug allergies", "NKDA", "Allergies: none known")))
        truth.add((FactKind.ALLERGY, "allergies", "", "denied"))
    else:
        named = rng.sample(
            ("penicillin", "latex", "codeine", "peanuts", "shellfish", "trimethoprim", "bee stings"), rng.randint(1, 3)
        )
        listed = " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)
        reacted = ", ".join(f"{one} ({rng.choice(('rash', 'hives', 'anaphylaxis'))})" for one in named)
        lines.append(
            rng.choice(
                (f"Allergies: {listed}", f"Allergic to {listed}.", f"ALLERGY: {reacted}", f"Known {listed} allergy")
            )
        )
        truth |= {(FactKind.ALLERGY, one, one, "") for one in named}
    # looks like one and is none
    other = rng.choice(
        ("Cold intolerance for a year.", "Allergy letter", "His mother is allergic to aspirin.", RHINITIS)
    )
    lines.append(other)
    if other == RHINITIS:
        truth.add((FactKind.DIAGNOSIS, "allergic rhinitis", "allergic rhinitis", ""))


def _misread(rng: random.Random, line: str, share: float) -> str:
    words = line.split()
    for place, word in enumerate(words):
        fitting = [swap for swap in SWAPS if swap[0] in word]
        if fitting and rng.random() < share:
            words[place] = word.replace(*rng.choice(fitting), 1)
    return " ".join(words)


def _page(lines: list[str]) -> OcrPage:
    made = tuple(
        TextLine(tuple(TextWord.upright(t, 0.95, Box(x * 60, y * 30, x * 60 + 50, y * 30 + 20)) for x, t in enumerate(line.split())))
        for y, line in enumerate(lines)
    )  # fmt: skip
    return OcrPage(1, 1240, 1754, 150, 0, 0.0, PageSource.OCR, made)


def _understood(page: OcrPage) -> Iterator[Truth]:
    for fact in understand([page]):
        value = "" if fact.kind is FactKind.ALLERGY and fact.negated else fact.value.lower()
        yield fact.kind, fact.label.lower(), value, "denied" if fact.negated else fact.flag


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--pages", type=int, default=300)
    options.add_argument("--misread", type=float, default=0.0)
    options.add_argument("--seed", type=int, default=20251)
    options.add_argument("--show", action="store_true", help="print what was missed or said wrongly")
    given = options.parse_args()
    rng = random.Random(given.seed)
    right, stated, said = Counter[FactKind](), Counter[FactKind](), Counter[FactKind]()
    understand([_page(["Furosemide 40 mg"])])  # loads the vocabulary, which is no part of the time per page
    spent = 0.0
    for _ in range(given.pages):
        lines, truth = made_page(rng)
        page = _page([_misread(rng, line, given.misread) for line in lines])
        start = time.process_time()
        found = set(_understood(page))
        spent += time.process_time() - start
        stated.update(item[0] for item in truth)
        said.update(item[0] for item in found)
        right.update(item[0] for item in truth & found)
        if given.show and truth != found:
            print("missed", sorted(truth - found), "\nwrong", sorted(found - truth))
    print(
        f"{given.pages} invented pages, misread share {given.misread:g}, {1000 * spent / given.pages:.1f} CPU-ms a page"
    )
    print(f"{'kind':15}{'stated':>8}{'precision':>11}{'recall':>8}")
    for kind in FactKind:
        print(
            f"{kind.value:15}{stated[kind]:8d}{right[kind] / max(1, said[kind]):11.3f}{right[kind] / max(1, stated[kind]):8.3f}"
        )


if __name__ == "__main__":
    main()
