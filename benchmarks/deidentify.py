"""How much of what names a person is covered before a researcher sees it, and how much else is covered with it.

`python -m benchmarks.deidentify [--notes 400] [--seed 5]`. Notes are made up here: invented persons of many languages, some
called by English words, in sentences that were written for this purpose. Names and sentences are in two sets, and a third
holds what was thought of afterwards to slip through. One author wrote them and the rules: expect less of real notes.
"""

from __future__ import annotations

import argparse
import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from domain.patient import Patient
from pipelines import deidentify

GIVEN = (
    "Aoife Bartholomew Chidinma Dmitri Esperanza Faisal Guillermo Henrietta Ikram Joy Kwame Lakshmi May Nkechi Oluwaseun "
    "Priyanka Rose Siobhan Thandiwe Will".split(),
    "Anjali Bronwen Cuthbert Daisy Eleni Fergus Grace Hyacinth Iolanthe Jamal Kavita Lourdes Mateusz Niamh Ottoline Pearl "
    "Quentin Rashida Summer Yevgenia".split(),
)
FAMILY = (
    "Abernethy Banerjee Chaudhry Drummond Eriksen Fitzgerald Gonzales Hargreaves Ibrahimovic Jankowski Kowalczyk Lindholm "
    "Mbeki Nakamura O'Sullivan Petropoulos Stone Tanaka Underhill Young".split(),
    "Ashworth Boateng Castellanos Delacroix Ekwueme Featherstone Gunnarsson Hussain Ivanova Kaplan Long Mukherjee Novak "
    "Ogunleye Papadakis Quigley Ramachandran Sharp Thornbury Wolff".split(),
)
PLACES = (
    "Market Thornley Oxmoor Fairhaven Eastbrook".split(),
    "Dunmere Hollowgate Pinecrest Westerly Rookhope".split(),
)
# {p} patient, {q} anybody else, {k} a name in small letters, {f} family name alone; what stands in braces is telling.
SENTENCES = (
    (
        "{p} was seen in clinic with her daughter {q}.",
        "Reviewed by Dr {f}, who agreed with the plan.",
        "His wife ({q}) manages the tablets.",
        "She lives at {address} with her brother {g}.",
        "Please ring {phone} before the next visit.",
        "Record number {number}, seen on {day}.",
        "My son {k} brought the letter.",
        "Results were sent to {mail} on {written}.",
        "{g} says the cough began in {month}.",
        "Transferred from {place} General Hospital on {day}.",
        "Born {day}; now {old} years old and frail.",
    ),
    (
        "According to {q}, the carer, the fall happened on {written}.",
        "Dictated by Prof {f} and typed by {g}.",
        "Next of kin: {q}, {phone}.",
        "A neighbour called {k} found him at {address}.",
        "Insurance {number}; alternative contact {mail}.",
        "Thank you for referring {p}, who works at {place} Primary School.",
        "Mrs {f} denies chest pain since {day}.",
        "He moved from {place} in {month} after {g} died.",
        "The pharmacist, {q}, noticed the interaction.",
        "Aged {old}, he still walks to {place} market.",
        "Discharged to the care of {f} & Partners.",
    ),
)
# A third set as people write in a hurry, made to slip through.
HURRIED = (
    "pt seen w daughter {k}, lives {small_address}.",
    "SPOKE TO MRS {F}, WILL RING {phone}.",
    "{f}, {g} (Mrs): bloods chased.",
    "{g}'s inhaler technique poor, d/w {q}.",
    "ref {number} -> cc {q} and {f} & Sons.",
    "dob {short}, lives nr {place}, see @{k}_{tail}.",
    "seen {short} by dr {small_f}, back home w wife {k}",
    "works for {f} Haulage in {place}, van {plate}.",
    "Sort code {account}; letter to {g} {F} sent {abbreviated}.",
    "Rang {g}, no answer; {g} {f} rang back from {phone} ext {tail}.",
    "Patient {p} known to the {place} team; GP is {initial} {f}.",
    "- {q} (niece) holds the keys\\n- {q} signs for her",
)
CLINICAL = (
    "No chest pain or syncope. Exercise tolerance about 400 metres.", "Blood pressure 142/88 mmHg, pulse 76 regular.",
    "Continue furosemide 40 mg once daily and ramipril 2.5 mg.", "Potassium 5.9 mmol/L (3.5-5.1), creatinine 112 umol/L.",
    "Impression: decompensated heart failure with ankle oedema.", "Echocardiogram shows an ejection fraction of 38%.",
    "ECG: atrial fibrillation, rate 96. CT head was normal.", "Diagnosis: type 2 diabetes, HbA1c 68 mmol/mol.",
    "Allergies: penicillin (rash).", "The wound heals well and shows no sign of infection.",
    "Plan: repeat bloods, review in six weeks.", "Severe headache with photophobia, resolved after paracetamol.",
    "Abdomen soft and not tender. Bowel sounds present.", "Sleep is poor; mood low for three months.",
)  # fmt: skip
MONTHS = "January February March April June July August September October November December".split()
YEAR = re.compile(r"(?:19|20)\d\d")
NOT_TELLING = frozenset(("the", "of", "at", "dot", "s", "O"))
ORDINALS = "first third fifth ninth twelfth fifteenth twentieth twenty-second thirtieth".split()


@dataclass(frozen=True, slots=True)
class Note:
    """`tells`: kind and words that name somebody, as they stand in `text`."""

    text: str
    tells: tuple[tuple[str, str], ...]
    of: Patient


def main() -> None:
    """Prints both halves."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--notes", type=int, default=400)
    options.add_argument("--seed", type=int, default=5)
    chosen = options.parse_args()
    for half, name in enumerate(("written beside the rules", "written apart from them", "written in a hurry")):
        found, all_of = recall(notes(half, chosen.notes, random.Random(chosen.seed + half)))
        told = ", ".join(f"{kind} {found[kind]}/{all_of[kind]}" for kind in sorted(all_of))
        print(f"{name}: {sum(found.values())} of {sum(all_of.values())} identifiers covered; {told}")
    shown = [deidentify.text(line, nobody()) for line in CLINICAL]
    words = [word for line in CLINICAL for word in line.split()]
    covered = sum(line.count(deidentify.MASK) for line in shown)
    print(f"of {len(words)} words that name nobody, {covered} are covered as well")


def recall(made: Sequence[Note]) -> tuple[Counter[str], Counter[str]]:
    """Identifiers of which no word is left, and all, by kind."""
    found: Counter[str] = Counter()
    all_of: Counter[str] = Counter()
    for note in made:
        shown = set(re.findall(r"\w+", deidentify.text(note.text, note.of)))
        for kind, words in note.tells:
            all_of[kind] += 1
            telling = {
                word for word in re.findall(r"\w+", words) if word not in NOT_TELLING and not YEAR.fullmatch(word)
            }
            found[kind] += not telling & shown
    return found, all_of


def nobody() -> Patient:
    return Patient("p", "Xx Yy", date(1960, 1, 1), "unknown", "ZZ", datetime(2026, 1, 1, tzinfo=UTC))


def notes(half: int, count: int, rng: random.Random) -> list[Note]:
    """Made-up notes with what is telling in them."""
    made = []
    for _ in range(count):
        own = f"{rng.choice(GIVEN[half % 2])} {rng.choice(FAMILY[half % 2])}"
        of = Patient(
            "p", own, date(1950, 1, 1), "unknown", f"HC-{rng.randrange(10**6)}", datetime(2026, 1, 1, tzinfo=UTC)
        )
        tells: list[tuple[str, str]] = []
        lines = []
        for sentence in rng.sample((*SENTENCES, HURRIED)[half], 3):
            values = identifiers(half, own, rng)
            for name in re.findall(r"{(\w+)}", sentence):
                tells.append((KINDS[name], values[name]))
            lines.append(sentence.format(**values))
        text = " ".join(rng.sample([*lines, rng.choice(CLINICAL)], len(lines) + 1))
        made.append(Note(text, tuple(tells), of))
    return made


KINDS = {
    "p": "patient", "q": "other person", "k": "other person, small letters", "f": "other person", "g": "other person",
    "address": "address", "phone": "telephone", "number": "number", "mail": "e-mail", "day": "date", "written": "date",
    "month": "month", "place": "place", "old": "age over 89", "F": "other person, capitals", "initial": "other person",
    "small_f": "other person, small letters", "small_address": "address, small letters", "short": "date", "plate": "number",
    "account": "number", "abbreviated": "date", "tail": "number",
}  # fmt: skip


def identifiers(half: int, own: str, rng: random.Random) -> dict[str, str]:
    """Something of each kind."""
    given, family, place = (rng.choice(each[half % 2]) for each in (GIVEN, FAMILY, PLACES))
    on = date(1990, 1, 1).toordinal() + rng.randrange(13000)
    day, digits = date.fromordinal(on), [str(rng.randrange(10)) for _ in range(11)]
    d = "".join(digits)
    month = rng.choice(MONTHS)
    return {
        "p": own, "q": f"{given} {family}", "k": given.casefold(), "f": family, "g": given, "place": place, "month": month,
        "address": rng.choice((f"{rng.randint(1, 220)} {place} Road", f"Flat {rng.randint(1, 30)}, {rng.randint(1, 99)} {place} Street",
                               f"{rng.randint(1, 99)} {family} Lane, {place} AB{rng.randint(1, 9)} {rng.randint(1, 9)}QT")),
        "phone": rng.choice((f"0{d[:3]} {d[3:6]} {d[6:10]}", f"+44 7{d[:3]} {d[3:9]}", f"({d[:3]}) {d[3:6]}-{d[6:10]}", f"555-{d[:4]}", f"0{d[:10]}")),
        "number": rng.choice((f"HC-{d[:6]}", f"MRN {d[:7]}", f"NHS {d[:3]} {d[3:6]} {d[6:10]}", f"AB{d[:6]}C", f"{d[:5]}/{d[5:7]}")),
        "mail": rng.choice((f"{given.lower()}.{d[:2]}@mail.example", f"{given.lower()} at post dot example")),
        "day": rng.choice((day.isoformat(), f"{day:%d/%m/%Y}", f"{day:%d.%m.%y}", f"{day.day} {day:%B %Y}", f"{day:%B} {day.day}, {day.year}", f"{day:%d-%b-%Y}")),
        "written": rng.choice((f"the {rng.choice(ORDINALS)} of {month}", f"{month} the {rng.choice(ORDINALS)}", f"{rng.randint(1, 28)} {month}", f"{month} {rng.randint(1, 28)}th")),
        "old": str(rng.randint(90, 104)), "F": family.upper(), "initial": f"{given[0]}.", "small_f": family.casefold(),
        "small_address": f"{rng.randint(1, 99)} {place.casefold()} rd", "short": f"{rng.randint(1, 12)}/{rng.randint(1, 28)}",
        "plate": f"{d[:2]}-KX-{d[2:5]}", "account": f"{d[:2]}-{d[2:4]}-{d[4:6]} {d[3:11]}", "tail": f"{d[5:9]}",
        "abbreviated": rng.choice((f"{month[:3]} {rng.randint(1, 28)}th", f"{rng.randint(1, 28)} {month[:3]}")),
    }  # fmt: skip


if __name__ == "__main__":
    main()
