"""How good the imaging classifiers are: AUROC, calibration, abstention, time and memory.

    python -m benchmarks.imaging [TASK ...] --data DIR [--split held-out|all] [--write-cards]
    python -m benchmarks.imaging --auto --data DIR

DIR holds one folder a task with list.csv (file, class, group). Wrong input is other tasks' pictures from DIR, pages of
text, photographs that come with gradio and scikit-learn, drawings, noise, blanks and the task's own pictures blurred.
With --auto only this is measured: which task is picked for pictures of each kind, when none is named.
"""

from __future__ import annotations

import argparse
import csv
import resource
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from domain.imaging import Scan
from domain.imaging_figures import share_interval
from domain.imaging_fit import held_out
from domain.limits import Limits
from domain.models import Metric
from models.cards_imaging import BUNDLES, card_of
from models.imaging import BundleClassifier
from pipelines.evaluate import evaluate
from pipelines.imaging import read_scan, read_scan_auto
from pipelines.scan_intake import open_scan
from pipelines.scan_list import read_list

SAME_KIND = ({"brain_tumour", "brain_tumour_type"},)  # tasks that read the same modality
EACH = 25  # pictures of each kind of wrong input
PARTS = 5  # taken out of each photograph


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", default="held-out", choices=("held-out", "all"))
    parser.add_argument("--write-cards", action="store_true", help="put the figures into the bundles' cards")
    parser.add_argument("--auto", action="store_true", help="measure how well the task is picked, nothing else")
    wish = parser.parse_args()
    if wish.auto:
        picked_by_modality(wish.data)
        return
    for folder in sorted(path for path in BUNDLES.iterdir() if (path / "configs").is_dir()):
        if wish.tasks and folder.name not in wish.tasks:
            continue
        before = _memory_mb()
        classifier = BundleClassifier(folder, card_of(folder))
        judged = evaluate(classifier, wish.data, wish.split)
        print("\n".join(judged.lines), flush=True)
        metrics = [*judged.metrics, *cross_source(classifier, wish.data)]
        share, kinds = wrong_input(classifier, wish.data)
        print(f"  abstained on wrong input {share:.3f}  {kinds}", flush=True)
        command = f"python -m benchmarks.imaging {classifier.card.task} --data DIR"
        metrics.append(Metric("abstained on wrong input", round(share, 4), ", ".join(kinds), command))
        plain, explained = seconds(classifier, wish.data)
        print(
            f"  CPU seconds a picture {plain:.3f}, with explanation {explained:.3f}; memory +{_memory_mb() - before} MB"
        )
        if wish.write_cards:
            from models.training.imaging_bundle import write_metrics

            write_metrics(folder, metrics)


def picked_by_modality(data: Path) -> None:
    """Print, for pictures kept from training and for wrong ones, which modality was picked or that none was."""
    folders = {folder.name: folder for folder in sorted(BUNDLES.iterdir()) if (folder / "configs").is_dir()}
    classifiers = [BundleClassifier(folder, card_of(folder)) for folder in folders.values()]
    modality = {one.card.task: one.modalities for one in classifiers}
    for one in classifiers:
        folder = data / one.card.task
        files, labels, groups = read_list(folder, one.classes)
        kept = np.flatnonzero(held_out(groups, labels, one.split_seed))
        chosen = np.random.default_rng(1).permutation(kept)[: 2 * EACH]
        readings = [read_scan_auto(_scan(folder / files[i]), classifiers, explain=False) for i in chosen]
        right = sum(not r.abstained and modality[r.task] == one.modalities for r in readings)
        silent = sum(r.abstained for r in readings)
        print(f"auto, {one.card.task}: {right} of {len(chosen)} by the right modality, {silent} silent", flush=True)
    by_kind: dict[str, list[bool]] = {}
    tasks = {one.card.task for one in classifiers}
    for kind, pixels in wrong_pictures(classifiers[0].card.task, data):
        if kind not in tasks:
            reading = read_scan_auto(Scan(pixels, "png"), classifiers, explain=False)
            by_kind.setdefault(kind, []).append(reading.abstained)
    for kind, silent_on in by_kind.items():
        print(f"auto, {kind}: silent on {sum(silent_on)} of {len(silent_on)}")


def cross_source(classifier: BundleClassifier, data: Path) -> list[Metric]:
    """Share of another source's tumours that brain_tumour finds; nothing for other tasks."""
    if classifier.card.task != "brain_tumour":
        return []
    folder = data / "brain_tumour_type"
    files, labels, groups = read_list(folder, ("glioma", "meningioma", "pituitary"))
    # Only groups whose look was not lent to the training pictures, and that the gate has not seen.
    chosen = np.random.default_rng(0).permutation(np.flatnonzero(held_out(groups, labels, classifier.split_seed)))[:200]
    readings = [read_scan(_scan(folder / files[i]), classifier, explain=False) for i in chosen]
    found = [reading.findings[0].positive for reading in readings if not reading.abstained]
    value, between = float(np.mean(found)), share_interval(sum(found), len(found))
    abstained = float(np.mean([reading.abstained for reading in readings]))
    print(
        f"  tumours of another source found {value:.3f} ({between[0]:.3f} to {between[1]:.3f}), abstained {abstained:.3f}"
    )
    command = "python -m benchmarks.imaging brain_tumour --data DIR"
    where = f"{len(chosen)} slices of Cheng et al. 2017, of patients not seen in any way"
    return [
        Metric("sensitivity on another source", round(value, 4), where, command, between),
        Metric("abstained on another source", round(abstained, 4), where, command),
    ]


def wrong_input(classifier: BundleClassifier, data: Path) -> tuple[float, dict[str, float]]:
    """Share abstained over all wrong pictures, and by kind."""
    by_kind: dict[str, list[bool]] = {}
    for kind, pixels in wrong_pictures(classifier.card.task, data):
        by_kind.setdefault(kind, []).append(read_scan(Scan(pixels, "png"), classifier, explain=False).abstained)
    answers = [answer for answers in by_kind.values() for answer in answers]
    return float(np.mean(answers)), {kind: round(float(np.mean(answers)), 3) for kind, answers in by_kind.items()}


def wrong_pictures(task: str, data: Path) -> Iterator[tuple[str, np.ndarray]]:
    """(kind, uint8 picture)."""
    from PIL import Image, ImageDraw, ImageFilter

    rng = np.random.default_rng(0)
    for other in sorted(path.parent for path in data.glob("*/list.csv")):
        if other.name == task or any({task, other.name} <= kind for kind in SAME_KIND):
            continue
        with (other / "list.csv").open(newline="", encoding="utf-8") as source:
            rows = list(csv.DictReader(source))
        names = sorted({row["class"] for row in rows})
        labels = np.array([names.index(row["class"]) for row in rows])
        kept = np.flatnonzero(held_out([row["group"] for row in rows], labels, 7))
        for i in rng.permutation(kept)[:EACH]:
            yield other.name, _scan(other / rows[i]["file"]).pixels
    words = "the patient was seen today and reports chest pain since monday no fever mg daily".split()
    for number in range(EACH):
        page = Image.new("L", (600, 800), int(rng.integers(200, 256)))
        pen = ImageDraw.Draw(page)
        size = int(rng.integers(12, 26))
        for line in range(int(rng.integers(10, 35))):
            pen.text((40, 30 + line * (size + 4)), " ".join(rng.choice(words, 9)), fill=20, font_size=size)
        picture = np.asarray(page)
        yield "letter", 255 - picture if number % 5 == 0 else picture
    for photo in photographs():
        for _ in range(PARTS):
            side = int(rng.integers(min(photo.shape[:2]) // 3, min(photo.shape[:2])))
            top, left = rng.integers(0, photo.shape[0] - side), rng.integers(0, photo.shape[1] - side)
            part = photo[top : top + side, left : left + side]
            yield "photo in colour", part
            yield "photo in grey", part.mean(axis=2).astype(np.uint8)
    for _ in range(EACH):
        drawing = Image.new("L", (320, 320), int(rng.integers(0, 256)))
        pen = ImageDraw.Draw(drawing)
        for _ in range(int(rng.integers(3, 20))):
            box = np.sort(rng.integers(0, 320, (2, 2)), axis=0).ravel().tolist()
            getattr(pen, str(rng.choice(["ellipse", "rectangle"])))(box, fill=int(rng.integers(0, 256)))
        yield "drawing", np.asarray(drawing)
    for level in rng.integers(0, 256, 5):
        yield "blank", np.full((300, 300), level, np.uint8)
    for _ in range(5):
        yield "noise", rng.integers(0, 256, (300, 300), np.uint8)
    own = sorted((data / task).rglob("*.jpg"))
    for i in rng.permutation(len(own))[:EACH]:
        yield "own, blurred", np.asarray(Image.fromarray(_scan(own[i]).pixels).filter(ImageFilter.GaussianBlur(5)))


def photographs() -> list[np.ndarray]:
    """uint8 (h, w, 3) photographs that come with installed packages: animals, a flower, buildings."""
    import gradio
    from PIL import Image

    paths = sorted((Path(gradio.__file__).parent / "media_assets" / "images").glob("*.jp*g"))
    try:
        import sklearn.datasets

        paths += sorted((Path(sklearn.datasets.__file__).parent / "images").glob("*.jpg"))
    except ImportError:
        print("  (scikit-learn is not installed: two photographs fewer)")
    return [np.asarray(Image.open(path).convert("RGB")) for path in paths]


def seconds(classifier: BundleClassifier, data: Path) -> tuple[float, float]:
    """CPU seconds for one picture, without and with the explanation (median of five)."""
    files = sorted((data / classifier.card.task).rglob("*.jpg"))[:60:12]
    times: dict[bool, list[float]] = {False: [], True: []}
    for explain in (False, True):
        for path in files:
            scan, started = _scan(path), time.process_time()
            (scores,) = classifier.classify([scan.pixels])
            if explain:
                classifier.explain(scan.pixels, classifier.classes[int(np.argmax(scores.probabilities))])
            times[explain].append(time.process_time() - started)
    return float(np.median(times[False])), float(np.median(times[True]))


def _scan(path: Path) -> Scan:
    return open_scan(path, Limits()).picture()


def _memory_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main()
