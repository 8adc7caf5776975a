"""What each classifier is taught: its classes, how pictures are framed, and how they may be varied."""

from __future__ import annotations

from dataclasses import dataclass, replace

SECOND_RATE = 0.25  # of the learning rate, when a network that is trained already is shown its pictures larger


@dataclass(frozen=True, slots=True)
class Recipe:
    """One task. `classes` in the order of the network's outputs. `positive`: the class whose score is the finding of a
    two-way question; None where every class is reported. `folders`: classes of the data list, mapped to ours.

    `small_epochs` run at `small_side_px`, then `full_epochs` at `side_px`: coarse first is as good and much cheaper.
    """

    task: str
    classes: tuple[str, ...]
    positive: str | None
    modality: str
    crop_to_content: bool
    rotate_deg: float
    side_px: int = 256
    small_side_px: int = 192
    small_epochs: int = 6
    full_epochs: int = 3
    variant: int = 0
    frozen_stages: int = 2  # edges and textures of the first stages carry over; freezing them saves half the time
    cached_versions: int = 0  # above 0: the frozen stages see so many variations once, and only the rest is trained
    stop_after: int | None = None  # epochs after which the averaged weights are taken; the rate falls as if for all
    learning_rate: float = 6e-4
    zoom: tuple[float, float] = (0.85, 1.2)  # how much smaller or larger the same thing may be seen
    members: int = 1  # above 1: an ensemble, whose logits are averaged
    mirrored: bool = True  # a picture is judged with its mirror image, which takes twice as long
    later_epochs: tuple[int, int] | None = None  # members after the first: so many small, then so many full, slower
    own_folds: bool = False  # each member trained without its own fold of the groups; else all without the same fifth
    folds: int = 0  # of own folds, how many there are; 0: as many as members
    beside: int | None = None  # variant of a network beside the members, of which only the last layer is fitted
    style_from: str | None = None  # a second source whose look is lent to both classes alike
    rename: tuple[tuple[str, str], ...] = ()

    def of_member(self, number: int) -> tuple[Recipe, ...]:
        """What the member of this number is taught by, one after the other; each starts where the one before ended."""
        if not number or not self.later_epochs:
            return (self,)
        small, full = self.later_epochs
        slower = self.learning_rate * SECOND_RATE
        return (
            replace(self, small_epochs=small, full_epochs=0, stop_after=None),
            replace(self, small_epochs=0, full_epochs=full, stop_after=None, learning_rate=slower),
        )

    @property
    def stand_beside(self) -> int:
        """How many networks stand beside the members: one for each fold that is left out."""
        if self.beside is None:
            return 0
        return self.members if self.own_folds else 1

    def label(self, name: str) -> str:
        return dict(self.rename).get(name, name)


RECIPES: dict[str, Recipe] = {
    recipe.task: recipe
    for recipe in (
        Recipe(
            "breast_ultrasound",
            ("normal", "benign", "malignant"),
            "malignant",
            "ultrasound",
            crop_to_content=False,
            rotate_deg=12,
            small_epochs=24,
            full_epochs=10,
            learning_rate=3e-4,
            zoom=(0.75, 1.35),
            members=2,  # three with the network beside them would be more than a bundle may hold: the first two folds
            mirrored=False,
            own_folds=True,
            folds=3,
            beside=2,
        ),
        Recipe(
            "brain_tumour",
            ("no_tumour", "tumour"),
            "tumour",
            "brain MRI",
            crop_to_content=True,
            rotate_deg=15,
            small_epochs=4,
            full_epochs=1,
            frozen_stages=3,
            style_from="brain_tumour_type",
        ),
        Recipe(
            "brain_tumour_type",
            ("glioma", "meningioma", "pituitary"),
            None,
            "brain MRI",
            crop_to_content=True,
            rotate_deg=12,
            small_epochs=0,
            full_epochs=5,
            frozen_stages=5,
            cached_versions=2,
        ),
        Recipe(
            "fracture",
            ("no_fracture", "fracture"),
            "fracture",
            "X-ray",
            crop_to_content=False,
            rotate_deg=20,
            small_epochs=6,
            full_epochs=4,
            members=2,
            later_epochs=(5, 2),
            stop_after=8,  # 21 epochs learned the films by heart: 0.815 in place of 0.846 on those kept back
        ),
    )
}
