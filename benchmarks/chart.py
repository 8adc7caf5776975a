"""How long a full chart takes to open, in how many queries, and how long it takes to find one patient of 100,000.

`python -m benchmarks.chart [--patients 100000] [--rounds 20]`. Everything is invented and made here, in a folder that
goes away. The same run opens the chart as a page would that reads one record after another, for comparison.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import sqlalchemy as sa

from domain import chart_contract
from domain.audit import Actor
from domain.document import Box, OcrDocument, OcrPage, PageSource, TextLine, TextWord
from domain.kept_reading import KeptReading
from domain.models import ModelStamp
from domain.prescription import CodePart, Medicine, Prescriber, Prescription, SignedPrescription
from pipelines import understanding
from pipelines.chart_desk import ChartDesk
from pipelines.patient_desk import PatientDesk
from storage import documents, patients, readings
from storage.consultations import ConsultationStore
from storage.database import Database
from storage.documents import Filing
from storage.prescriptions import PrescriptionStore
from storage.tables import name_tokens
from storage.tables import patients as patient_rows

LISTED = 50  # patients that the endpoint gives
ACTOR = Actor("benchmark", "", "doctor")
TODAY = date(2026, 11, 1)
DRUGS = ("Ramipril", "Bisoprolol", "Furosemide", "Metformin", "Atorvastatin", "Apixaban", "Omeprazole", "Amlodipine")
TESTS = (("Potassium", "mmol/L", 3.5, 5.1), ("Creatinine", "umol/L", 45, 90), ("Haemoglobin", "g/L", 120, 150))
FIRST = "Ada Bela Cyrus Dora Emil Fatou Gita Hugo Ines Jarl Kiri Liam Mona Nils Omar Pia Quinn Rosa Sven Tala".split()
SYLLABLES = "ba ler mon tis ka ro vin del sa mu ger han o li po rak te ny zu wel".split()


def main() -> None:
    """Prints both figures."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--patients", type=int, default=100_000)
    options.add_argument("--rounds", type=int, default=20)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        with closing(Database(f"sqlite:///{Path(folder) / 'records.sqlite'}")) as database:
            opens(database, chosen.rounds)
            finds(database, chosen.patients, chosen.rounds)


def opens(database: Database, rounds: int) -> None:
    """A chart with 500 records, 50 readings, 50 consultations and 100 prescriptions."""
    patient_id = filled(database)
    desk = ChartDesk(database, today=lambda: TODAY)
    said: list[str] = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda *given: said.append(given[2]))
    chart = desk.chart(patient_id)  # loads the vocabulary of medicines
    queries = len(said)
    took = timed(lambda: chart_contract.chart(desk.chart(patient_id)), rounds)
    said.clear()

    def one_by_one() -> None:
        with database.read() as tx:
            for line in documents.summaries(tx, patient_id, 1000):
                documents.get(tx, line.document_id)

    alone = timed(one_by_one, 3)
    print(
        f"chart: {len(chart.timeline)} things, {queries} queries, CPU p95 {p95(took):.3f} s, median {np.median(took):.3f} s"
    )
    print(f"  records alone, read one after another: CPU median {np.median(alone):.3f} s, {len(said) // 3} queries")


def finds(database: Database, count: int, rounds: int) -> None:
    """By the beginning of a name, by record number, and by a misspelt family name: alone, and with what is known more.

    Many share a family name here, as in life: of more namesakes than the list has lines it cannot show all.
    """
    rng = random.Random(7)
    people = crowd(database, count, rng)
    chosen = [rng.choice(people) for _ in range(rounds)]
    slips = [misspelt(one.family, rng) for one in chosen]
    namesakes = Counter(one.family for one in people)
    told = list(zip(chosen, slips, strict=True))
    ways = {
        "prefix": [one.family[:4] for one in chosen],
        "record number": [one.number for one in chosen],
        "misspelt name": slips,
        "misspelt name and given name": [f"{one.given} {slip}" for one, slip in told],
        "misspelt name and birth date": [f"{slip} {one.born}" for one, slip in told],
    }
    desk = PatientDesk(database)
    for way, texts in ways.items():
        took, missed = [], []
        for one, text in zip(chosen, texts, strict=True):
            begun = time.process_time()
            shown = desk.find(text, LISTED)
            took.append(time.process_time() - begun)
            if one.number not in {each.record_number for each in shown}:
                missed.append(one)
        crowded = sum(1 for one in missed if namesakes[one.family] > LISTED)
        print(
            f"find by {way}: {count:,} patients, CPU p95 {1000 * p95(took):.0f} ms, {rounds - len(missed)} of {rounds} "
            f"among the first {LISTED}" + (f"; {crowded} others have more than {LISTED} namesakes" if crowded else "")
        )


def filled(database: Database) -> str:
    """A patient with everything; returns the id."""
    rng = random.Random(3)
    with database.begin() as tx:
        patient_id = patients.create(tx, "Cora Chartwell", date(1958, 4, 2), "female").patient_id
        for number in range(500):
            on = TODAY - timedelta(days=4 * number)
            test, unit, low, high = rng.choice(TESTS)
            value = rng.uniform(low * 0.8, high * 1.2)
            lines = (
                f"{rng.choice(DRUGS)} {rng.choice((2.5, 5, 10, 40))} mg once daily.",
                f"{test} {value:.1f} {unit} ({low}-{high})",
                "Diagnosis: essential hypertension.",
                *("The wound heals well and shows no sign of infection today.",) * 20,
            )
            page = page_of(lines)
            document = OcrDocument(
                uuid.uuid4().hex, patient_id, f"Letter {number}", (page,), ModelStamp("typed", "1"), datetime.now(UTC),
                kind="note", document_date=on, facts=understanding.understand((page,)),
            )  # fmt: skip
            documents.file(tx, document, Filing("0" * 64, "", "0" * 64))
        for number in range(50):
            model = {"id": "fracture", "revision": "1"}
            findings = [{"label": "fracture", "score": 0.7, "threshold": 0.5, "positive": True, "calibrated": True}]
            outside = {
                "task": "fracture", "abstained": number % 5 == 0, "reason": "Too blurred." if number % 5 == 0 else None,
                "findings": [] if number % 5 == 0 else findings, "model": model,
            }  # fmt: skip
            at = datetime.now(UTC) - timedelta(days=number)
            readings.add(tx, KeptReading(f"r{number}", patient_id, at, outside, "0" * 64, "0" * 64, "", 1, 1))
    visits = ConsultationStore(database)
    for number in range(50):
        visit = f"c{number}"
        utterances = [
            {"id": f"u{at}", "speaker": "S1", "role": "doctor", "start_s": float(at), "end_s": at + 1.0,
             "text": "How is the pain today, and do you sleep?", "words": []}
            for at in range(60)
        ]  # fmt: skip
        shape = {"consultation_id": visit, "duration_s": 60.0, "utterances": utterances, "models": [], "warnings": []}
        visits.add(visit, patient_id, shape, ACTOR, "benchmark")
        lines = [{"text": f"Continue {drug} 5 mg once daily.", "evidence": ["u3"]} for drug in DRUGS]
        note = {"sections": {"plan": lines}, "models": [], "revision": 1}
        visits.change(visits.get(visit), ACTOR, "benchmark", note=note)
        visits.sign(visits.get(visit), note, {"name": "Dr", "at": "2026-01-01", "sha256": "0"}, ACTOR, "benchmark")
    orders = PrescriptionStore(database)
    for number in range(100):
        orders.add(order(patient_id, number, rng), ACTOR)
    return patient_id


def order(patient_id: str, number: int, rng: random.Random) -> SignedPrescription:
    """A prescription of one medicine."""
    at = datetime.now(UTC) - timedelta(days=7 * number)
    medicine = Medicine(rng.choice(DRUGS), "5 mg", "tablet", "oral", "1 tablet", "once daily", 28, Decimal(28))
    made = Prescription(
        uuid.uuid4().hex[:22], "Cora Chartwell", date(1958, 4, 2), "female", Prescriber("Dr"), (medicine,), at,
        at + timedelta(days=30), "https://example.org",
    )  # fmt: skip
    return SignedPrescription(made, patient_id, f"AAAA-{number:04d}-AAAA", (CodePart(1, 1, 0, 0, "shc:/0", "key"),))


def page_of(lines: tuple[str, ...]) -> OcrPage:
    """A typed page; words stand on a grid."""
    made = [
        TextLine(
            tuple(
                TextWord.upright(word, 0.99, Box(60 * at, 30 * row, 60 * at + 50, 30 * row + 20))
                for at, word in enumerate(line.split())
            )
        )
        for row, line in enumerate(lines)
    ]
    return OcrPage(1, 1240, 1754, 150, 0, 0.0, PageSource.TYPED, tuple(made))


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the crowd."""

    given: str
    family: str
    number: str
    born: date


def crowd(database: Database, count: int, rng: random.Random) -> list[Person]:
    """Many patients, written in bulk."""
    made, rows, tokens = [], [], []
    births = random.Random(11)
    for number in range(count):
        family = "".join(rng.choice(SYLLABLES) for _ in range(rng.randint(2, 5))).capitalize()
        born = date(1930, 1, 1) + timedelta(days=births.randrange(90 * 365))
        person = Person(rng.choice(FIRST), family, f"MRN-{number:07d}", born)
        name, own = f"{person.given} {family}", uuid.uuid4().hex
        made.append(person)
        rows.append(
            {
                "patient_id": own, "name": name, "name_key": patients.fold(name), "birth_date": born,
                "sex": "unknown", "record_number": person.number, "record_number_key": patients.fold(person.number),
                "created_at": datetime.now(UTC), "synthetic": True,
            }
        )  # fmt: skip
        tokens += [{"token": token, "patient_id": own} for token in sorted(set(patients.fold(name).split()))]
    with database.begin() as tx:
        tx.execute(patient_rows.insert(), rows)
        tx.execute(name_tokens.insert(), tokens)
        words = sorted({row["token"] for row in tokens})
        for start in range(0, len(words), 1000):
            patients.keep_keys(tx, words[start : start + 1000])
    return made


def misspelt(word: str, rng: random.Random) -> str:
    """One slip anywhere: a letter doubled, left out, swapped with the next or another one, also the first."""
    at, kind = rng.randrange(len(word)), rng.randrange(4)
    if kind == 0:
        return word[:at] + word[at] + word[at:]
    if kind == 1:
        return word[:at] + word[at + 1 :]
    if kind == 2:
        at = min(at, len(word) - 2)
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return word[:at] + rng.choice("abcdefghijklmnopqrstuvwxyz") + word[at + 1 :]


def timed(job: Callable[[], object], rounds: int) -> list[float]:
    """CPU seconds of each round: a machine that has other work to do does not change them."""
    took = []
    for _ in range(rounds):
        begun = time.process_time()
        job()
        took.append(time.process_time() - begun)
    return took


def p95(values: list[float]) -> float:
    return float(np.percentile(values, 95))


if __name__ == "__main__":
    main()
