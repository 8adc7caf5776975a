"""What a prescribed name is: its ingredients, DrugBank id and classes, from the vocabulary and our own small tables."""

from __future__ import annotations

import csv
import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from importlib.resources import files
from typing import Protocol

from pipelines import drug_names

TABLES = "pipelines.prescription_tables"


@dataclass(frozen=True, slots=True)
class Drug:
    """`ingredients`: canonical names, lower case; several for a fixed combination. `drug_id`: DrugBank, or ""."""

    ingredients: tuple[str, ...]
    drug_id: str


@dataclass(frozen=True, slots=True)
class DailyMaximum:
    """The usual adult maximum of one ingredient by mouth: `milligrams` in `days`."""

    milligrams: Decimal
    days: int
    source: str


@dataclass(frozen=True, slots=True)
class Interaction:
    """Two sets of ingredients that must not meet unwatched."""

    first: frozenset[str]
    second: frozenset[str]
    effect: str
    source: str


class DrugLookup(Protocol):
    """What the checks ask about drugs."""

    def identify(self, name: str) -> Drug | None:
        """The drug a name stands for; None when the vocabulary does not know it."""
        ...

    def suggest(self, prefix: str, limit: int = 10) -> tuple[str, ...]:
        """Names that begin so, for type-ahead."""
        ...


class KnownDrugs:
    """DrugLookup over pipelines.drug_names. The first question loads the vocabulary, about two seconds."""

    def identify(self, name: str) -> Drug | None:
        plain = " ".join(name.lower().split())
        combined = combinations().get(plain)
        if combined is None:
            found = drug_names.ingredient(plain)
            if not found:
                words = re.sub(r"([(),+/])", r" \1 ", plain).split()
                mentions = drug_names.find_drugs(words)
                found = "+".join(dict.fromkeys(mention.ingredient for mention in mentions))
            combined = combinations().get(found)
            if combined is None:
                combined = tuple(part.strip() for part in re.split(r"[+]", found) if part.strip())
        if not combined:
            return None
        return Drug(combined, _drugbank_id(combined[0]) if len(combined) == 1 else "")

    def suggest(self, prefix: str, limit: int = 10) -> tuple[str, ...]:
        return drug_names.suggest(prefix, limit)


@functools.cache
def combinations() -> Mapping[str, tuple[str, ...]]:
    """Product name, lower case, to its ingredients."""
    return {row["product"]: tuple(row["ingredients"].split("+")) for row in _rows("combinations")}


@functools.cache
def classes() -> Mapping[str, frozenset[str]]:
    """Class name to its ingredients."""
    members: dict[str, set[str]] = {}
    for row in _rows("classes"):
        members.setdefault(row["class"], set()).add(row["ingredient"])
    return {name: frozenset(drugs) for name, drugs in members.items()}


@functools.cache
def interactions() -> tuple[Interaction, ...]:
    """The curated pairs, classes resolved."""
    return tuple(
        Interaction(_members(row["first"]), _members(row["second"]), row["effect"], row["source"])
        for row in _rows("interactions")
    )


@functools.cache
def daily_maxima() -> Mapping[str, DailyMaximum]:
    """Ingredient to its usual adult maximum."""
    return {
        row["ingredient"]: DailyMaximum(Decimal(row["milligrams"]), int(row["days"]), row["source"])
        for row in _rows("daily_maxima")
    }


@functools.cache
def look_alikes() -> Mapping[str, tuple[tuple[str, str, str], ...]]:
    """Lower-case name to (itself in tall-man letters, what it is taken for, source)."""
    pairs: dict[str, list[tuple[str, str, str]]] = {}
    for row in _rows("look_alikes"):
        for own, other in ((row["first"], row["second"]), (row["second"], row["first"])):
            pairs.setdefault(own.lower(), []).append((own, other, row["source"]))
    return {name: tuple(found) for name, found in pairs.items()}


def _members(name: str) -> frozenset[str]:
    return classes()[name[1:]] if name.startswith("@") else frozenset({name})


def _rows(table: str) -> list[dict[str, str]]:
    text = (files(TABLES) / f"{table}.csv").read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


def _drugbank_id(ingredient: str) -> str:
    return drug_names.drugbank_id(ingredient)
