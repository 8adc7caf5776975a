"""Makes a folder of damaged pages with every word's box, for benchmarks.ocr; other pages for every seed.

    python -m benchmarks.pages OUT [--seed 11] [--each 2] [--kinds NAME ...] [--fonts DIR]
    python -m benchmarks.ocr --data OUT --show

Of every kind of damage `--each` pages; text, layout, typeface and strength of the damage are drawn by the seed. Rules were
mended while looking at the pages of seeds 11, 12 and 21, and at those of 5 and 6 for finding the sheet: measure on another.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from benchmarks import page_texts
from benchmarks.page_drawing import Sheet, draw, faces

Damage = Callable[[Sheet, np.random.Generator], Sheet]
Random = np.random.Generator


def main() -> None:
    """Write the pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--each", type=int, default=2)
    parser.add_argument("--kinds", nargs="*", default=list(KINDS), choices=list(KINDS))
    parser.add_argument("--fonts", type=Path, help="a folder with more typefaces (*.ttf)")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    known = faces(options.fonts)
    for kind in options.kinds:
        for number in range(options.each):
            rng = np.random.default_rng([options.seed, list(KINDS).index(kind), number])
            layouts = ["small"] if kind == "small" else [name for name in page_texts.LAYOUTS if name != "small"]
            layout = layouts[int(rng.integers(len(layouts)))]
            face = known[int(rng.integers(len(known)))]
            dpi = 150 if kind in DRAWN_AT_150 else 300
            sheet = KINDS[kind](draw(page_texts.make(rng, layout), face, dpi), rng)
            _write(options.out / f"{kind}_{number}_{layout}_{face.regular.stem}", sheet, rng)


def _write(path: Path, sheet: Sheet, rng: Random) -> None:
    height, width = sheet.pixels.shape[:2]
    lines = [
        {
            "text": " ".join(text for text, _ in line),
            "words": [{"t": text, "quad": quad.round(2).tolist()} for text, quad in line],
        }
        for line in sheet.lines
        if line
    ]
    path.with_suffix(".json").write_text(json.dumps({"dpi": sheet.dpi, "w": width, "h": height, "lines": lines}))
    Image.fromarray(sheet.pixels).save(path.with_suffix(".jpg"), quality=int(rng.integers(72, 92)), subsampling=0)


# Places


def _mapped(sheet: Sheet, matrix: np.ndarray, size: tuple[int, int], ground: int = 255) -> Sheet:
    """The sheet under a projective map (3, 3), on a picture of `size` (width, height)."""
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])  # OpenCV speaks of pixel centres
    pixels = cv2.warpPerspective(
        sheet.pixels, np.linalg.inv(half) @ matrix @ half, size, flags=cv2.INTER_AREA, borderValue=(ground,) * 3
    )
    lines = [[(t, cv2.perspectiveTransform(q[None], matrix)[0]) for t, q in line] for line in sheet.lines]
    return Sheet(pixels, sheet.dpi, lines)


def _tilted(sheet: Sheet, degrees: float) -> Sheet:
    height, width = sheet.pixels.shape[:2]
    turn = np.vstack([cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1.0), [0, 0, 1]])
    return _mapped(sheet, turn, (width, height))


def _quarter(sheet: Sheet, quarters: int) -> Sheet:
    """Turned clockwise."""
    for _ in range(quarters):
        height = sheet.pixels.shape[0]
        matrix = np.array([[0, -1, height], [1, 0, 0], [0, 0, 1.0]])
        lines = [[(t, cv2.perspectiveTransform(q[None], matrix)[0]) for t, q in line] for line in sheet.lines]
        sheet = Sheet(np.ascontiguousarray(np.rot90(sheet.pixels, -1)), sheet.dpi, lines)
    return sheet


def _scaled(sheet: Sheet, dpi: float) -> Sheet:
    share = dpi / sheet.dpi
    height, width = sheet.pixels.shape[:2]
    pixels = cv2.resize(sheet.pixels, (round(width * share), round(height * share)), interpolation=cv2.INTER_AREA)
    return Sheet(pixels, dpi, [[(t, q * share) for t, q in line] for line in sheet.lines])


def _curled(sheet: Sheet, rng: Random, depth: float = 0.012) -> Sheet:
    """Lines rise and fall as on a page that bends away at its binding; `depth` in page heights."""
    height, width = sheet.pixels.shape[:2]
    phase, amount = rng.uniform(-0.6, 0.6), depth * height * rng.uniform(0.5, 1.0)

    def rise(x: np.ndarray) -> np.ndarray:
        return amount * np.sin(np.pi * (x / width + phase))

    xs, ys = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    pixels = cv2.remap(sheet.pixels, xs, (ys - rise(xs)).astype(np.float32), cv2.INTER_LINEAR, borderValue=(255,) * 3)
    lines = [[(t, q + np.column_stack([np.zeros(4), rise(q[:, 0])])) for t, q in line] for line in sheet.lines]
    return Sheet(pixels, sheet.dpi, lines)


# Looks: these move nothing


def _seen(sheet: Sheet, pixels: np.ndarray) -> Sheet:
    return Sheet(np.clip(pixels, 0, 255).astype(np.uint8), sheet.dpi, sheet.lines)


def _scanned(sheet: Sheet, rng: Random, grain: float = 3.0) -> Sheet:
    """What every scanner does: off-white paper, soft edges, a little grain."""
    soft = cv2.GaussianBlur(sheet.pixels, (0, 0), rng.uniform(0.4, 0.8)).astype(np.float32)
    paper = rng.uniform(242, 254, 3)
    return _seen(sheet, soft * paper / 255 + rng.normal(0, grain, soft.shape[:2])[..., None])


def _faded(sheet: Sheet, rng: Random) -> Sheet:
    paper, contrast = rng.uniform(205, 240), rng.uniform(0.14, 0.3)
    pixels = paper - (255 - sheet.pixels.astype(np.float32)) * contrast
    return _seen(sheet, pixels + rng.normal(0, 2.5, pixels.shape[:2])[..., None])


def _noisy(sheet: Sheet, rng: Random, deviation: float) -> Sheet:
    grain = rng.normal(0, deviation, sheet.pixels.shape[:2])[..., None]
    noisy = np.clip(sheet.pixels + grain, 0, 255).astype(np.uint8)
    kept = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, 40])[1]
    return _seen(sheet, cv2.imdecode(kept, cv2.IMREAD_COLOR))


def _faxed(sheet: Sheet, rng: Random) -> Sheet:
    """Bilevel, with specks of both kinds, and a streak down the page."""
    grey = cv2.GaussianBlur(cv2.cvtColor(sheet.pixels, cv2.COLOR_RGB2GRAY), (0, 0), 0.6).astype(np.float32)
    grey += rng.normal(0, 22, grey.shape)
    black = grey < rng.uniform(130, 180)
    black |= rng.random(black.shape) < rng.uniform(0.0005, 0.003)
    black &= rng.random(black.shape) > 0.01
    if rng.random() < 0.5:
        black[:, int(rng.integers(10, black.shape[1] - 10))] = True
    return _seen(sheet, np.where(black, 0, 255)[..., None].repeat(3, axis=2))


def _stamped(sheet: Sheet, rng: Random) -> Sheet:
    """Up to three stamps in coloured ink or black, across the text; ink lets what is below it shine through."""
    pixels = sheet.pixels.astype(np.float32)
    height, width = pixels.shape[:2]
    for _ in range(int(rng.integers(1, 4))):
        layer = np.zeros((height, width), np.uint8)
        colour = np.array(
            ((190, 30, 40), (40, 60, 160), (90, 30, 120), (30, 110, 60), (60, 60, 60))[int(rng.integers(5))], float
        )
        x, y = int(rng.uniform(0.2, 0.7) * width), int(rng.uniform(0.15, 0.7) * height)
        word = ("RECEIVED", "COPY", "URGENT", "PAID", "SCANNED", "FILED 14")[int(rng.integers(6))]
        unit = width / 1240
        cv2.putText(layer, word, (x, y), cv2.FONT_HERSHEY_DUPLEX, 1.7 * unit, 255, round(4 * unit), cv2.LINE_AA)
        long = round(37 * unit * len(word))
        if rng.random() < 0.5:
            cv2.rectangle(
                layer,
                (x - round(20 * unit), y - round(60 * unit)),
                (x + long, y + round(30 * unit)),
                255,
                round(5 * unit),
            )
        else:
            cv2.circle(
                layer,
                (x + long // 2, y - round(15 * unit)),
                long // 2 + round(30 * unit),
                255,
                round(5 * unit),
                cv2.LINE_AA,
            )
        turn = cv2.getRotationMatrix2D((x, y), float(rng.uniform(-25, 25)), 1.0)
        cover = cv2.warpAffine(layer, turn, (width, height)).astype(np.float32)[..., None] / 255 * rng.uniform(0.5, 0.9)
        cover *= 0.7 + 0.3 * rng.random((height, width, 1))
        pixels = pixels * (1 - cover * (1 - colour / 255))
    return _seen(sheet, pixels)


def _stained(sheet: Sheet, rng: Random) -> Sheet:
    """A ring of coffee with a wash inside it, and a crease."""
    pixels = sheet.pixels.astype(np.float32)
    height, width = pixels.shape[:2]
    down, across = np.mgrid[0:height, 0:width].astype(np.float32)
    for _ in range(2):
        radius = rng.uniform(0.1, 0.2) * width
        distance = np.hypot(across - rng.uniform(0.2, 0.8) * width, down - rng.uniform(0.15, 0.6) * height) / radius
        ring = 0.45 * np.exp(-(((distance - 1) / 0.05) ** 2)) + 0.18 * (distance < 1)
        pixels *= 1 - ring[..., None] * (1 - np.array([150, 105, 60]) / 255)
    crease = np.abs(down - rng.uniform(0.3, 0.6) * height - rng.uniform(-0.02, 0.02) * across)
    return _seen(sheet, pixels * (1 - 0.35 * np.exp(-((crease / (0.0012 * height)) ** 2)))[..., None])


def _shone_through(sheet: Sheet, rng: Random) -> Sheet:
    """The back of thin paper, mirrored and faint."""
    back = cv2.GaussianBlur(np.roll(sheet.pixels[:, ::-1], int(rng.integers(20, 60)), axis=0), (0, 0), 2.0)
    return _seen(sheet, sheet.pixels - (255 - back.astype(np.float32)) * rng.uniform(0.1, 0.22))


def _photographed(sheet: Sheet, rng: Random) -> Sheet:
    """On a desk, seen at a slant, lit from one side, with the shadow of a hand or telephone."""
    height, width = sheet.pixels.shape[:2]
    share = rng.uniform(0.78, 0.92)
    long = int(rng.choice([2800, 3264, 4032]))
    size = (round(long * 0.75), long)
    paper = np.array([[0, 0], [width, 0], [width, height], [0, height]], float)
    scale = share * min(size[0] / width, size[1] / height)
    corners = (paper - [width / 2, height / 2]) * scale
    spin = np.deg2rad(rng.uniform(-7, 7))
    corners = corners @ np.array([[np.cos(spin), np.sin(spin)], [-np.sin(spin), np.cos(spin)]])
    corners = corners + rng.uniform(-0.035, 0.035, (4, 2)) * size[0] + np.array(size) / 2
    matrix = cv2.getPerspectiveTransform(paper.astype(np.float32), corners.astype(np.float32)).astype(float)
    flat = _mapped(sheet, matrix, size)
    on_paper = cv2.fillConvexPoly(np.zeros(size[::-1], np.float32), corners.round().astype(np.int32), 1.0)
    desk = np.array(
        ((60, 42, 30), (120, 88, 60), (40, 44, 50), (150, 150, 148), (178, 140, 100))[int(rng.integers(5))], np.float32
    )
    wood = cv2.resize(rng.normal(0, 9, (64, 12)).astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    ground = desk + wood[..., None]
    soft = cv2.GaussianBlur(on_paper, (0, 0), 1.2)[..., None]
    pixels = flat.pixels * np.array([246, 243, 236], np.float32) / 255 * soft + ground * (1 - soft)
    down, across = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float32) / long
    light = rng.uniform(-1, 1, 2)
    pixels *= (0.86 + 0.24 * (light[0] * (across - 0.375) + light[1] * (down - 0.5)))[..., None]
    edge = across * np.cos(spin) + down * rng.uniform(-0.7, 0.7) - rng.uniform(0.2, 0.6)
    pixels *= (1 - rng.uniform(0.2, 0.45) / (1 + np.exp(-edge * rng.uniform(20, 80))))[..., None]
    pixels = cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.7, 1.3)) + rng.normal(0, 4, size[::-1])[..., None]
    return Sheet(np.clip(pixels, 0, 255).astype(np.uint8), sheet.dpi * scale, flat.lines)


def _turned_photograph(sheet: Sheet, rng: Random) -> Sheet:
    return _quarter(_photographed(sheet, rng), int(rng.integers(1, 4)))


def _skew(rng: Random) -> float:
    return float(rng.uniform(0.4, 7) * rng.choice([-1, 1]))


DRAWN_AT_150 = ("fax", "tilted_fax")
KINDS: dict[str, Damage] = {
    "plain": lambda sheet, rng: _scanned(sheet, rng),
    "skew": lambda sheet, rng: _tilted(_scanned(sheet, rng), _skew(rng)),
    "turned": lambda sheet, rng: _quarter(_scanned(_tilted(sheet, float(rng.uniform(-2, 2))), rng), int(rng.integers(1, 4))),
    "photo": _photographed,
    "turned_photo": _turned_photograph,
    "curl": lambda sheet, rng: _scanned(_curled(sheet, rng), rng),
    "curled_photo": lambda sheet, rng: _photographed(_curled(sheet, rng, 0.006), rng),
    "fax": _faxed,
    "tilted_fax": lambda sheet, rng: _faxed(_tilted(sheet, _skew(rng) / 2), rng),
    "noise": lambda sheet, rng: _noisy(_scaled(sheet, 200), rng, float(rng.uniform(14, 30))),
    "faint": _faded,
    "tilted_faint": lambda sheet, rng: _faded(_tilted(sheet, _skew(rng)), rng),
    "small": lambda sheet, rng: _scanned(sheet, rng),
    "stamp": lambda sheet, rng: _scanned(_stamped(sheet, rng), rng),
    "stain": lambda sheet, rng: _scanned(_stained(sheet, rng), rng),
    "through": lambda sheet, rng: _scanned(_shone_through(sheet, rng), rng),
    "low": lambda sheet, rng: _scanned(_scaled(sheet, 130), rng),
}  # fmt: skip


if __name__ == "__main__":
    main()
