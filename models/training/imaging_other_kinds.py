"""Shows a bundle's gate pictures of the other tasks, so that it turns other modalities away.

python -m models.training.imaging_other_kinds TASK --data DIR
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from domain.imaging_fit import held_out
from models.picture_preparation import fit_square
from models.training.imaging_bundle import write_other_kinds
from models.training.imaging_data import read_rgb, read_rows
from models.training.imaging_tasks import RECIPES

EACH = 60  # pictures a task, from groups not kept for figures
SEED = 7


def main() -> None:
    """Take pictures of every task of another modality, and store their features in the bundle."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=sorted(RECIPES))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("models/bundles"))
    wish = parser.parse_args()
    recipe, rng, squares = RECIPES[wish.task], np.random.default_rng(SEED), []
    for other in RECIPES.values():
        if other.modality == recipe.modality:
            continue
        rows = read_rows(wish.data / other.task)
        labels = np.array([other.classes.index(other.label(row["class"])) for row in rows])
        seen = np.flatnonzero(~held_out([row["group"] for row in rows], labels, SEED))
        for i in rng.permutation(seen)[:EACH]:
            picture = read_rgb(wish.data / other.task / rows[i]["file"])
            squares.append(fit_square(picture, recipe.side_px, recipe.crop_to_content)[0])
    write_other_kinds(wish.out / wish.task, np.stack(squares))


if __name__ == "__main__":
    main()
