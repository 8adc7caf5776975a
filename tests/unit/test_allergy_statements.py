"""What a patient does not tolerate, in the many ways in which records say so, and what only looks like it."""

from __future__ import annotations

import pytest

from pipelines.allergy_statements import find

NONE = ("",)


def substances(text: str) -> tuple[str, ...]:
    return tuple(one.substance.lower() for one in find(text.split("\n")))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # lists under a heading, in one line
        ("Allergies: penicillin, latex and peanuts", ("penicillin", "latex", "peanuts")),
        ("Allergies: Penicillin (rash), latex (hives, swelling), codeine", ("penicillin", "latex", "codeine")),
        ("ALLERGIES: Penicillin - anaphylaxis; Latex - rash", ("penicillin", "latex")),
        ("Allergies - penicillin", ("penicillin",)),
        ("ALLERGY: Sulfa drugs / NSAIDs", ("sulfa drugs", "nsaids")),
        ("Drug allergies: trimethoprim & erythromycin.", ("trimethoprim", "erythromycin")),
        ("Known allergies: egg, cow's milk, tree nuts", ("egg", "cow's milk", "tree nuts")),
        ("Allergies and intolerances: statins (myalgia), contrast medium", ("statins", "contrast medium")),
        ("Allergies/adverse reactions: ciprofloxacin causes tendon pain", ("ciprofloxacin",)),
        ("Adverse reactions: ibuprofen - wheeze", ("ibuprofen",)),
        ("Allergies: penicillin Medications: ramipril 5 mg daily", ("penicillin",)),
        ("Allergies: NSAIDs such as ibuprofen. Takes ramipril 5 mg.", ("nsaids", "ibuprofen")),
        ("Allergies: yellow dye E102x, zucchini", ()),
        ("Allergies: zucchini, papaya", ("zucchini", "papaya")),
        ("Any allergies? Bee stings", ("bee stings",)),
        # lists over several lines
        ("Allergies: penicillin, latex and\npeanuts", ("penicillin", "latex", "peanuts")),
        ("ALLERGIES\nPenicillin - rash\nCodeine - nausea\nMEDICATIONS\nRamipril 5 mg", ("penicillin", "codeine")),
        ("Allergies:\n• Aspirin (wheeze)\n• Shellfish\nDiagnosis: asthma", ("aspirin", "shellfish")),
        ("Allergies\nAllergen Reaction Severity\nPenicillin Rash Moderate\nLatex Hives Mild", ("penicillin", "latex")),
        ("Allergies Penicillin, latex", ("penicillin", "latex")),
        ("Allergies\nThe patient was reviewed in clinic and is doing well on her current tablets today.", ()),
        # prose
        ("She is allergic to penicillin.", ("penicillin",)),
        ("He is allergic to penicillin and latex, and takes ramipril 5 mg daily.", ("penicillin", "latex")),
        ("Allergic to peanuts, which cause swelling of the lips.", ("peanuts",)),
        ("Allergic to penicillin and has asthma.", ("penicillin",)),
        ("Allergic to penicillin, on ramipril 5 mg.", ("penicillin",)),
        ("Allergic to penicillin, ramipril 5 mg daily was started.", ("penicillin",)),
        ("PMH: allergic to penicillin, hypertension, gout", ("penicillin",)),
        ("Allergic to kiwi fruit, mango and papaya.", ("kiwi fruit", "mango", "papaya")),
        ("There is an allergy to codeine.", ("codeine",)),
        ("Anaphylaxis to penicillin in 1998.", ("penicillin",)),
        ("Severe reaction to trimethoprim.", ("trimethoprim",)),
        ("Hypersensitivity to carbamazepine", ("carbamazepine",)),
        ("Intolerant of statins and metformin.", ("statins", "metformin")),
        ("Known penicillin allergy.", ("penicillin",)),
        ("History of penicillin and latex allergies.", ("latex", "penicillin")),
        ("She is penicillin-allergic.", ("penicillin",)),
        ("Lactose intolerance since childhood", ("lactose",)),
        ("Possible penicillin allergy", ("penicillin",)),
        ("No known drug allergies apart from penicillin.", ("penicillin",)),
        # denials of all
        ("No known drug allergies", NONE),
        ("NKDA", NONE),
        ("Allergies: none known", NONE),
        ("Allergies: Nil", NONE),
        ("Allergies: NKDA", NONE),
        ("Allergies - none", NONE),
        ("Drug allergies: No", NONE),
        ("Allergies None known", NONE),
        ("He has no allergies.", NONE),
        ("Denies any allergies.", NONE),
        ("No known allergies to medication.", NONE),
        ("There are no known drug, food or latex allergies.", NONE),
        ("Not allergic to any medication.", NONE),
        ("Allergies\nNone known\nMedications\nRamipril 5 mg", NONE),
        # no statement of the patient's
        ("Not allergic to latex.", ()),
        ("No latex allergy.", ()),
        ("Mother allergic to penicillin.", ()),
        ("Allergy letter", ()),
        ("Allergy clinic, 12 March 2024", ()),
        ("Allergy testing was arranged", ()),
        ("Referred to the allergy service.", ()),
        ("Allergies were reviewed.", ()),
        ("Allergies: see chart", ()),
        ("Allergies: not recorded", ()),
        ("Allergies: unknown", ()),
        ("Cold intolerance and weight gain", ()),
        ("Heat intolerance, tremor", ()),
        ("Exercise intolerance for six weeks", ()),
        ("Impaired glucose intolerance", ()),
        ("Intolerance to cold and constipation", ()),
        ("Feeding intolerance in the first week", ()),
        ("Allergic rhinitis", ()),
        ("Allergic conjunctivitis in spring", ()),
        ("Risks include bleeding and an allergic reaction to contrast medium.", ()),
        ("Tell us if you are allergic to penicillin.", ()),
        ("Are you allergic to anything?", ()),
        ("Adverse reactions are rare.", ()),
        ("Allergy: letter", ()),
    ],
)  # fmt: skip
def test_statements_of_allergy(text: str, expected: tuple[str, ...]) -> None:
    assert sorted(substances(text)) == sorted(expected)


def test_the_reaction_and_the_doubt_are_kept_beside_the_substance() -> None:
    (rash, latex) = find(["Allergies: Penicillin (rash), latex - hives"])
    assert (rash.note, latex.note) == ("reaction: rash", "reaction: hives")
    (doubted,) = find(["Suspected codeine allergy"])
    assert doubted.note == "uncertain on the page"


def test_each_statement_points_at_its_own_words() -> None:
    lines = ["Seen today.", "Allergies: penicillin (rash), bee stings and", "latex"]
    assert [(one.line, lines[one.line][one.start : one.end]) for one in find(lines)] == [
        (1, "penicillin"), (1, "bee stings"), (2, "latex"),
    ]  # fmt: skip
