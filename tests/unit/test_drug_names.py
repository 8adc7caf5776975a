"""Names of medicines are found as they are written, and ordinary words are not medicines."""

from __future__ import annotations

import sys

import pytest

from pipelines import drug_names


@pytest.mark.parametrize("written", ["(amoxicillin),", "Amoxicillin:", "AMOXICILLIN.", "“amoxicillin”"])
def test_punctuation_around_a_name_is_ignored(written: str) -> None:
    (mention,) = drug_names.find_drugs(["took", written, "today"])
    assert (mention.start, mention.end, mention.ingredient) == (1, 2, "amoxicillin")


def test_the_longest_name_is_taken() -> None:
    (mention,) = drug_names.find_drugs("start ferrous sulfate today".split())
    assert (mention.start, mention.end) == (1, 3)


@pytest.mark.parametrize(
    "text",
    ["She drank water with sugar", "oxygen saturation on air", "sodium and potassium were normal", "Date of birth"],
)
def test_plain_english_names_no_medicine(text: str) -> None:
    assert drug_names.find_drugs(text.split()) == ()


def test_a_brand_leads_to_its_ingredient() -> None:
    assert drug_names.ingredient("Tylenol") in ("acetaminophen", "paracetamol")
    assert drug_names.ingredient("notadrug") == ""


def test_suggestions_begin_with_what_was_typed() -> None:
    names = drug_names.suggest("amox", 5)
    assert "amoxicillin" in names
    assert len(names) <= 5
    assert all(name.startswith("amox") for name in names)
    assert drug_names.suggest("a") == ()


def test_the_tables_that_are_not_needed_are_let_go() -> None:
    assert drug_names.drugbank_id("aspirin").startswith("DB")
    assert drug_names.drugbank_id("no such medicine") == ""
    assert not [name for name in sys.modules if name.startswith("drug_named_entity_recognition")]
