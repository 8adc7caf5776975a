"""Names of medicines in text, and the ingredient behind a brand, from a vocabulary that comes inside a package.

drug-named-entity-recognition (MIT; DrugBank, MeSH, NHS and MedlinePlus names). Loading takes about two seconds, so it
waits for the first question.
"""

from __future__ import annotations

import functools
import gc
import re
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.spare_memory import give_back

# In the vocabulary, but on a page far more often a food, a test result or plain English than a medicine.
NOT_MEDICINES = frozenset(
    "water sugar alcohol ethanol oxygen glucose sodium potassium calcium magnesium phosphate chloride urea creatinine "
    "albumin iron zinc copper bilirubin cholesterol triglycerides lactate ammonia nitrogen carbon air honey milk salt "
    "tobacco nicotine caffeine coffee tea date dates today max care relief control balance protein histamine cortisol "
    "testosterone estradiol progesterone prolactin thyrotropin transferrin ferritin fibrinogen thrombin hemoglobin "
    "haemoglobin bicarbonate hydrogen chlorine fat charcoal gold silver lead mercury latex penicillins complete "
    "allergies blood plasma platelets stool urine saliva fish egg eggs peanut wheat soy pollen".split()
)
_EDGES = re.compile(r"^[^\w]+|[^\w]+$")


@dataclass(frozen=True, slots=True)
class DrugMention:
    """Words `start` to `end` (exclusive) name a medicine; `ingredient` is its canonical name, lower case."""

    start: int
    end: int
    ingredient: str


@dataclass(frozen=True, slots=True)
class _Tables:
    """`variants`: every known spelling to its canonical name; `drugbank_ids`: canonical name to id. All lower case."""

    variants: dict[str, str]
    drugbank_ids: dict[str, str]


_LOADING = threading.Lock()


def _tables() -> _Tables:
    with _LOADING:  # two loads at once would let go of what the other one reads
        return _loaded()


@functools.cache
def _loaded() -> _Tables:
    from drug_named_entity_recognition import drugs_finder

    variants: dict[str, str] = {}
    for variant, canonicals in drugs_finder.drug_variant_to_canonical.items():
        names = [canonicals] if isinstance(canonicals, str) else list(canonicals)
        variants[variant.lower()] = str(names[0]).lower()
    variants = {
        variant: name for variant, name in variants.items() if variant not in NOT_MEDICINES and len(variant) > 2
    }
    ids = {
        name: str(data["drugbank_id"])
        for name, data in drugs_finder.drug_canonical_to_data.items()
        if data and data.get("drugbank_id")
    }
    # The package holds 350 MB of molecules and spellings of which we need a tenth: let go of the rest.
    package = drugs_finder.__name__.partition(".")[0]
    del drugs_finder
    for module in [name for name in sys.modules if name.partition(".")[0] == package]:
        del sys.modules[module]
    gc.collect()
    give_back()
    return _Tables(variants, ids)


def _vocabulary() -> dict[str, str]:
    return _tables().variants


def drugbank_id(canonical: str) -> str:
    """DrugBank's id of a medicine by its canonical name; "" where it has none."""
    return _tables().drugbank_ids.get(canonical, "")


@functools.cache
def _most_words() -> int:
    return min(5, max(variant.count(" ") + 1 for variant in _vocabulary()))


def find_drugs(words: Sequence[str]) -> tuple[DrugMention, ...]:
    """Medicines named in a run of words, longest name first, left to right; punctuation around a word is ignored."""
    plain = [_EDGES.sub("", word).lower() for word in words]
    found, start = [], 0
    while start < len(plain):
        for length in range(min(_most_words(), len(plain) - start), 0, -1):
            name = ingredient(" ".join(plain[start : start + length]))
            if name:
                found.append(DrugMention(start, start + length, name))
                start += length
                break
        else:
            start += 1
    return tuple(found)


def ingredient(name: str) -> str:
    """Canonical name of a medicine, brand or spelling, lower case; "" for an unknown one.

    Of a combination written with a hyphen or slash every part must be known.
    """
    name = " ".join(name.lower().split())
    known = _vocabulary().get(name, "")
    if known or not re.search(r"[-/+]", name):
        return known
    parts = [_vocabulary().get(part.strip(), "") for part in re.split(r"[-/+]", name)]
    return " + ".join(parts) if len(parts) > 1 and all(parts) else ""


def suggest(prefix: str, limit: int = 10) -> tuple[str, ...]:
    """Spellings that begin with `prefix`, canonical names before brands and other spellings, shortest first.

    None for less than two letters.
    """
    prefix = " ".join(prefix.lower().split())
    if len(prefix) < 2:
        return ()
    table = _vocabulary()
    matching = (variant for variant in table if variant.startswith(prefix))
    return tuple(sorted(matching, key=lambda variant: (variant != table[variant], len(variant), variant))[:limit])
