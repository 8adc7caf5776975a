"""Names of medicines in text, and the ingredient behind a brand, from a vocabulary that comes inside a package.

drug-named-entity-recognition (MIT; DrugBank, MeSH, NHS and MedlinePlus names). Loading takes about two seconds, so it
waits for the first question.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

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


@functools.cache
def _vocabulary() -> dict[str, str]:
    """Every known spelling, lower case, to its canonical name, lower case."""
    from drug_named_entity_recognition import drugs_finder

    table: dict[str, str] = {}
    for variant, canonicals in drugs_finder.drug_variant_to_canonical.items():
        names = [canonicals] if isinstance(canonicals, str) else list(canonicals)
        table[variant.lower()] = str(names[0]).lower()
    return {variant: name for variant, name in table.items() if variant not in NOT_MEDICINES and len(variant) > 2}


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
