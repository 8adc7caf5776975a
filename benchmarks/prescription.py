"""Prescriptions: share of simulated phone photos read, beside OpenCV's reader; and how long issuing and verifying take.

    python -m benchmarks.prescription photos [--count 96] [--seed 1]
    python -m benchmarks.prescription times [--count 60]
    python -m benchmarks.prescription once [--count 1000]

Photos: a printed code seen at up to 15 degrees, blurred (sigma 1.2 px), noisy, with glare, as JPEG of quality 50.
Times are CPU and wall milliseconds of this process. Needs nothing but the checkout.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
import threading
import time
from datetime import UTC, date, datetime
from pathlib import Path

import cv2
import numpy as np

from domain.audit import Actor
from domain.errors import NothingFound
from domain.patient import Patient
from domain.prescription import Prescriber
from pipelines.prescription import sign, write_prescription
from pipelines.prescription_desk import PrescriptionDesk
from pipelines.prescription_draft import read_draft
from pipelines.prescription_drawing import draw_png
from pipelines.prescription_drugs import KnownDrugs
from pipelines.prescription_reading import read_photo
from storage import patients
from storage.database import Database
from storage.prescriptions import PrescriptionStore
from storage.signing_keys import SigningKeys

ISSUER = "https://clinic.example"
DOCTOR = Actor("dr.bench", "bench", "doctor")
PHARMACIST = Actor("ph.bench", "bench", "pharmacist")
PRESCRIBER = Prescriber("Dr Ada Okafor", "GMC 1234567", "Riverside Practice")
LINES = (
    ("Amoxicillin", "500 mg", "capsule", "oral", "1 capsule", "three times daily", 7, 21, 0, "Finish the course"),
    ("Paracetamol", "500 mg", "tablet", "oral", "2 tablets", "every 6 hours as needed", 5, 40, 0, ""),
    ("Salbutamol", "100 mcg", "inhaler", "inhaled", "2 puffs", "every 4-6 hours as needed", 30, 1, 2, "Shake well"),
    ("Metformin", "850 mg", "tablet", "oral", "1 tablet", "twice daily", 30, 60, 5, "With meals"),
    ("Atorvastatin", "20 mg", "tablet", "oral", "1 tablet", "at night", 30, 30, 5, ""),
    ("Omeprazole", "20 mg", "capsule", "oral", "1 capsule", "in the morning", 28, 28, 2, "Before breakfast"),
    ("Levothyroxine", "50 mcg", "tablet", "oral", "1 tablet", "once daily", 90, 90, 1, "On an empty stomach"),
    ("Ramipril", "5 mg", "capsule", "oral", "1 capsule", "once daily", 30, 30, 5, ""),
)
FIELDS = ("name", "strength", "form", "route", "dose", "frequency", "duration_days", "quantity", "refills", "note")


def draft_of(medicines: int) -> dict[str, object]:
    """A prescription of so many medicines in the outside shape."""
    return {"medications": [dict(zip(FIELDS, line, strict=True)) for line in LINES[:medicines]], "valid_days": 30}


def photograph(code: np.ndarray, rng: np.random.Generator, module_px: float, modules: int) -> bytes:
    """JPEG bytes of a printed code as a phone sees it. `code`: uint8 grey picture of the symbol with quiet zone.

    `module_px`: pixels a module in the photo. Up to 15 degrees about both axes and any turn within 12 degrees in the
    picture; uneven light, a glare spot over part of the code, blur of 1.2 px, noise, JPEG quality 50.
    """
    side = code.shape[0]
    scale = module_px * (modules + 8) / side
    size = round(side * scale * 1.7)
    page = np.full((side * 2, side * 2), 245, np.uint8)
    page[side // 2 : side // 2 + side, side // 2 : side // 2 + side] = np.where(code > 127, 245, 25)
    tilt, turn = rng.uniform(-15, 15, 2), rng.uniform(-12, 12)
    a, b, c = np.deg2rad([*tilt, turn])
    rotate_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    rotate_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    rotate_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    corners = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], float) @ (rotate_z @ rotate_y @ rotate_x).T
    seen = corners[:, :2] / (1 + corners[:, 2:] / 4)  # the lens is two widths of the page away
    half = side * scale
    target = (seen * half + size / 2).astype(np.float32)
    source = np.float32([[0, 0], [2 * side, 0], [2 * side, 2 * side], [0, 2 * side]])
    soft = cv2.GaussianBlur(page, (0, 0), max(0.1, 0.45 / scale))  # no aliasing where the picture gets smaller
    photo = cv2.warpPerspective(soft, cv2.getPerspectiveTransform(source, target), (size, size), borderValue=120)
    y, x = np.mgrid[0:size, 0:size] / size
    light = 1 - 0.35 * (rng.uniform(-1, 1) * (x - 0.5) + rng.uniform(-1, 1) * (y - 0.5) + 0.2)
    gx, gy = rng.uniform(0.3, 0.7, 2)
    glare = 110 * np.exp(-(((x - gx) ** 2 + (y - gy) ** 2) / (2 * 0.10**2)))
    photo = cv2.GaussianBlur(photo.astype(np.float32) * light + glare, (0, 0), 1.2)
    photo = np.clip(photo + rng.normal(0, 8, photo.shape), 0, 255).astype(np.uint8)
    return cv2.imencode(".jpg", photo, [cv2.IMWRITE_JPEG_QUALITY, 50])[1].tobytes()


def photos(count: int, seed: int) -> None:
    """Share of photos read by us, by zxing-cpp on the bare photo, and by OpenCV, by pixels a module."""
    import zxingcpp

    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as folder:
        key = SigningKeys(Path(folder), ISSUER).signing_key()
        for module_px in (2.5, 3.0, 3.5, 4.0, 6.0):
            ours = bare = opencv = 0
            cpu = []
            for at in range(count):
                draft = read_draft(draft_of(1 + at % 4))
                paper = write_prescription(_patient(), PRESCRIBER, draft.medicines, datetime.now(UTC), 30, ISSUER)
                text = sign(paper, "p", key).parts[0].text
                code = cv2.imdecode(np.frombuffer(draw_png([text]), np.uint8), cv2.IMREAD_GRAYSCALE)
                data = photograph(code, rng, module_px, code.shape[0] // 8 - 8)
                grey = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
                started = time.process_time()
                with contextlib.suppress(NothingFound):
                    ours += text in read_photo(data)
                cpu.append(time.process_time() - started)
                bare += text in [one.text for one in zxingcpp.read_barcodes(grey)]
                with contextlib.suppress(cv2.error):
                    opencv += cv2.QRCodeDetector().detectAndDecode(grey)[0] == text
            print(
                f"{module_px:g} px a module: ours {ours}/{count} ({ours / count:.1%}), zxing-cpp alone {bare}/{count}, "
                f"OpenCV {opencv}/{count}; ours takes {1000 * np.median(cpu):.0f} ms CPU (median), "
                f"{1000 * np.percentile(cpu, 95):.0f} ms p95"
            )


def times(count: int) -> None:
    """CPU and wall milliseconds of issuing (sign, draw, print, keep) and verifying (from text)."""
    with tempfile.TemporaryDirectory() as folder:
        desk, patient, _ = _desk(Path(folder))
        desk.issue(patient, PRESCRIBER, draft_of(1), DOCTOR)  # imports and fonts are loaded once, at start
        for medicines in (1, 3, 8):
            issued, verified = [], []
            for _ in range(count):
                began = time.process_time(), time.perf_counter()
                paper = desk.issue(patient, PRESCRIBER, draft_of(medicines), DOCTOR)
                issued.append((time.process_time() - began[0], time.perf_counter() - began[1]))
                began = time.process_time(), time.perf_counter()
                assert desk.verify(None, paper.signed.code, PHARMACIST).valid
                verified.append((time.process_time() - began[0], time.perf_counter() - began[1]))
            for name, taken in (("issue", issued), ("verify", verified)):
                cpu, wall = 1000 * np.array(taken).T
                codes = len(paper.signed.parts)
                print(
                    f"{name}, {medicines} medicines in {codes} codes: CPU median {np.median(cpu):.0f} "
                    f"p95 {np.percentile(cpu, 95):.0f} ms, wall median {np.median(wall):.0f} "
                    f"p95 {np.percentile(wall, 95):.0f} ms"
                )


def once(count: int) -> None:
    """Two threads dispense the same code at the same instant, `count` times."""
    with tempfile.TemporaryDirectory() as folder:
        desk, patient, store = _desk(Path(folder))
        key = SigningKeys(Path(folder), ISSUER).signing_key()
        wins = []
        for _ in range(count):
            draft = read_draft(draft_of(1))
            paper = write_prescription(patient, PRESCRIBER, draft.medicines, datetime.now(UTC), 30, ISSUER)
            signed = sign(paper, patient.patient_id, key)
            store.add(signed, DOCTOR)
            gate, valid = threading.Barrier(2), []

            def race(code: str = signed.code, gate: threading.Barrier = gate, valid: list[bool] = valid) -> None:
                gate.wait()
                valid.append(desk.dispense(code, PHARMACIST).valid)

            pair = [threading.Thread(target=race) for _ in range(2)]
            for thread in pair:
                thread.start()
            for thread in pair:
                thread.join()
            wins.append(sum(valid))
        print(f"{count} races: exactly one success in {wins.count(1)}, none in {wins.count(0)}, two in {wins.count(2)}")


def _desk(folder: Path) -> tuple[PrescriptionDesk, Patient, PrescriptionStore]:
    database = Database(f"sqlite:///{folder / 'bench.sqlite'}")
    with database.begin() as tx:
        patient = patients.create(tx, "Zoë Müller-Łukasiewicz", date(1980, 2, 3), "female")
    store = PrescriptionStore(database)
    return PrescriptionDesk(store, SigningKeys(folder, ISSUER), KnownDrugs()), patient, store


def _patient() -> Patient:
    return Patient("p", "Zoë Müller-Łukasiewicz", date(1980, 2, 3), "female", "HC-1", datetime.now(UTC))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    jobs = parser.add_subparsers(dest="job", required=True)
    for name, count in (("photos", 96), ("times", 60), ("once", 1000)):
        job = jobs.add_parser(name)
        job.add_argument("--count", type=int, default=count)
        job.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    if asked.job == "photos":
        photos(asked.count, asked.seed)
    else:
        {"times": times, "once": once}[asked.job](asked.count)


if __name__ == "__main__":
    main()
