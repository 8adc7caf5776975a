"""Warnings before signing: duplicates, allergies, interactions, maxima, look-alikes, quantities, units.

Each names its source. The tables are curated and small: no warning does not mean no danger, and whoever shows the
warnings says so (NOT_COMPLETE). Pure: the drugs have been looked up already.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import combinations

from domain.prescription import Medicine, PrescriptionWarning, WarningKind
from pipelines.prescription_draft import Draft, needed_quantity, read_strength
from pipelines.prescription_drugs import Drug, DrugLookup, classes, daily_maxima, interactions, look_alikes
from pipelines.prescription_sig import COUNTED, MASS_MG, VOLUME_ML, read_dose, read_rhythm, unit_name

NOT_COMPLETE = (
    "Checked against a short list of well-known dangers, which is not complete: no warning does not mean no danger."
)
ADULT_YEARS = 18
GROSS_FACTOR = 5  # a quantity five times off is a slip of the pen, not a pack size
OUR_RULE = "arithmetic of dose, frequency and duration"
MASS_FORMS = re.compile(r"tablet|capsule|patch|suppositor|pessar|lozenge")
OTHER_FORMS = re.compile(r"tablet|capsule|patch|syrup|solution|cream|inhaler|drops|suspension")
PACKS = re.compile(r"bottle|tube|pack|box|inhaler|pen|vial|cream|ointment|gel\b")
ALLERGY_WORDS = {  # how people write an allergy, and the class of the tables that it means
    "penicillin": "penicillin", "penicillins": "penicillin", "cephalosporin": "cephalosporin",
    "cephalosporins": "cephalosporin", "sulfa": "sulfonamide antibiotic", "sulpha": "sulfonamide antibiotic",
    "sulfonamide": "sulfonamide antibiotic", "sulfonamides": "sulfonamide antibiotic", "nsaid": "nsaid",
    "nsaids": "nsaid", "aspirin": "nsaid", "opioid": "opioid", "opioids": "opioid", "opiates": "opioid",
    "macrolide": "macrolide", "macrolides": "macrolide", "ace inhibitor": "ace inhibitor",
    "ace inhibitors": "ace inhibitor",
}  # fmt: skip
CROSS_CLASSES = (("penicillin", "cephalosporin"), ("cephalosporin", "penicillin"), ("penicillin", "carbapenem"))


def warnings_of(
    draft: Draft, drugs: Sequence[Drug | None], allergies: Sequence[str], age: int, lookup: DrugLookup
) -> tuple[PrescriptionWarning, ...]:
    """Every warning of a draft, those that stop the signing first. `drugs`: one for each medicine, None if unknown."""
    found = [
        *_duplicates(draft.medicines, drugs),
        *_allergies(draft.medicines, drugs, allergies, lookup),
        *_interactions(draft.medicines, drugs),
        *_maxima(draft.medicines, drugs, age),
        *_units(draft.medicines),
        *_quantities(draft),
        *_look_alikes(draft.medicines, drugs),
        *_unknown(draft.medicines, drugs),
    ]
    return tuple(sorted(found, key=lambda warning: not warning.stops))


def allergy_conflicts(
    medicines: Sequence[Medicine], drugs: Sequence[Drug | None], allergies: Sequence[str], lookup: DrugLookup
) -> tuple[PrescriptionWarning, ...]:
    """Only what the allergies have to say against these medicines; `medicines` of a warning counts from 0."""
    return tuple(_allergies(medicines, drugs, allergies, lookup))


def milligrams_a_day(medicine: Medicine) -> Fraction | None:
    """At most so much of the ingredient a day, as written; None when dose, strength and frequency do not say."""
    return _milligrams_a_day(medicine)


def _duplicates(medicines: Sequence[Medicine], drugs: Sequence[Drug | None]) -> Iterator[PrescriptionWarning]:
    for (i, first), (j, second) in combinations(enumerate(drugs), 2):
        shared = sorted(set(_parts(first)) & set(_parts(second)))
        same = not shared and medicines[i].name.lower() == medicines[j].name.lower()
        for name in shared or ([medicines[i].name.lower()] if same else []):
            yield PrescriptionWarning(
                f"duplicate:{name}:{i + 1}+{j + 1}", WarningKind.DUPLICATE,
                f"{medicines[i].name} and {medicines[j].name} both contain {name}.",
                "drug vocabulary (DrugBank names) and the table of combinations", (i, j), stops=True,
            )  # fmt: skip


def _allergies(
    medicines: Sequence[Medicine], drugs: Sequence[Drug | None], allergies: Sequence[str], lookup: DrugLookup
) -> Iterator[PrescriptionWarning]:
    for allergy in dict.fromkeys(" ".join(text.lower().split()) for text in allergies):
        named = lookup.identify(allergy)
        group = next((g for word, g in ALLERGY_WORDS.items() if re.search(rf"\b{word}\b", allergy)), "")
        same_class = {name for name, members in classes().items() if named and set(named.ingredients) & members}
        same_class &= {"penicillin", "cephalosporin", "sulfonamide antibiotic", "nsaid", "macrolide", "ace inhibitor"}
        for at, drug in enumerate(drugs):
            direct = set(_parts(drug)) & (set(_parts(named)) | classes().get(group, frozenset()))
            related = {name for name in same_class if set(_parts(drug)) & classes()[name]}
            crossing = {
                other
                for mine, other in CROSS_CLASSES
                if mine in (same_class | {group}) and set(_parts(drug)) & classes()[other]
            }
            spelled = not drug and allergy == medicines[at].name.lower()
            if direct or related or spelled:
                yield PrescriptionWarning(
                    f"allergy:{allergy}:{at + 1}", WarningKind.ALLERGY,
                    f"The patient's records name an allergy to {allergy}; {medicines[at].name} "
                    f"{'contains it' if direct or spelled else 'is of the same class'}.",
                    "the patient's own records", (at,), stops=True,
                )  # fmt: skip
            elif crossing:
                yield PrescriptionWarning(
                    f"allergy:{allergy}:{at + 1}", WarningKind.ALLERGY,
                    f"The patient's records name an allergy to {allergy}; {medicines[at].name} is a related "
                    f"{min(crossing)}, to which some of these patients react too.",
                    "the patient's own records; Campagna JD et al., J Emerg Med 2012;42:612-20", (at,), stops=False,
                )  # fmt: skip


def _interactions(medicines: Sequence[Medicine], drugs: Sequence[Drug | None]) -> Iterator[PrescriptionWarning]:
    for (i, first), (j, second) in combinations(enumerate(drugs), 2):
        seen = set()
        for pair in interactions():
            for one, two in ((pair.first, pair.second), (pair.second, pair.first)):
                a, b = sorted(set(_parts(first)) & one), sorted(set(_parts(second)) & two)
                if a and b and a != b and (a[0], b[0], pair.effect) not in seen:
                    seen.add((a[0], b[0], pair.effect))
                    yield PrescriptionWarning(
                        f"interaction:{a[0]}+{b[0]}", WarningKind.INTERACTION,
                        f"{medicines[i].name} with {medicines[j].name}: {pair.effect}.",
                        pair.source, (i, j), stops=True,
                    )  # fmt: skip
                    break


def _maxima(medicines: Sequence[Medicine], drugs: Sequence[Drug | None], age: int) -> Iterator[PrescriptionWarning]:
    """Added up over the lines, so that two half doses of one ingredient are seen together."""
    taken: dict[str, list[tuple[int, Fraction]]] = {}
    for at, (medicine, drug) in enumerate(zip(medicines, drugs, strict=True)):
        milligrams = _milligrams_a_day(medicine)
        if drug is not None and len(drug.ingredients) == 1 and milligrams is not None and _by_mouth(medicine):
            taken.setdefault(drug.ingredients[0], []).append((at, milligrams))
    for name, lines in taken.items():
        most = daily_maxima().get(name)
        if most is None:
            continue
        total = sum((milligrams for _, milligrams in lines), Fraction(0)) * most.days
        if total > Fraction(most.milligrams):
            period = "a day" if most.days == 1 else f"in {most.days} days"
            child = f" The patient is {age}: for a child less is the maximum." if age < ADULT_YEARS else ""
            yield PrescriptionWarning(
                f"daily_maximum:{name}", WarningKind.DAILY_MAXIMUM,
                f"{_plain(total)} mg {name} {period} is over the usual adult maximum of {_plain(most.milligrams)} mg."
                f"{child}", most.source, tuple(at for at, _ in lines), stops=True,
            )  # fmt: skip


def _units(medicines: Sequence[Medicine]) -> Iterator[PrescriptionWarning]:
    for at, medicine in enumerate(medicines):
        dose = read_dose(medicine.dose)
        if dose is None or not dose.unit:
            continue
        said = ""
        if dose.unit in VOLUME_ML and MASS_FORMS.search(medicine.form.lower()):
            said = f"the dose is a volume ({medicine.dose}), but the form is {medicine.form}"
        elif dose.unit in COUNTED and dose.unit in ("tablet", "capsule", "patch") and medicine.form:
            form = medicine.form.lower()
            if dose.unit not in form and OTHER_FORMS.search(form):
                said = f"the dose counts {dose.unit}s, but the form is {medicine.form}"
        elif dose.unit in MASS_MG:
            held = read_strength(medicine.strength)
            if held and MASS_FORMS.search(medicine.form.lower()) and not held[2]:
                pieces = dose.high * MASS_MG[dose.unit] / held[0]
                if pieces > 10 or (pieces * 4) % 1:
                    said = f"{medicine.dose} of {medicine.strength} is {_plain(Fraction(pieces))} pieces at a time"
        if said:
            yield PrescriptionWarning(
                f"units:{at + 1}", WarningKind.UNITS, f"{medicine.name}: {said}. Check dose, strength and form.",
                "arithmetic of dose, strength and form", (at,), stops=True,
            )  # fmt: skip


def _quantities(draft: Draft) -> Iterator[PrescriptionWarning]:
    for at, medicine in enumerate(draft.medicines):
        if at in draft.computed:
            continue
        needed = needed_quantity(medicine.dose, medicine.frequency, medicine.duration_days, medicine.strength)
        unit = unit_name(medicine.quantity_unit)
        if needed is None or needed[0] == medicine.quantity or (unit and needed[1] and unit != needed[1]):
            continue
        if needed[1] not in ("tablet", "capsule", "ml", "patch", "sachet", "suppository", "") or _packed(medicine):
            continue  # puffs and drops are handed out by the inhaler and the bottle
        rhythm = read_rhythm(medicine.frequency)
        if rhythm is not None and rhythm.as_needed and medicine.quantity < needed[0]:
            continue  # as needed: less than the most that could be used is no mistake
        factor = max(medicine.quantity / needed[0], needed[0] / medicine.quantity)
        yield PrescriptionWarning(
            f"quantity:{at + 1}", WarningKind.QUANTITY,
            f"{medicine.name}: {_plain(medicine.quantity)} is to be handed out, but {medicine.dose}, "
            f"{medicine.frequency}, for {medicine.duration_days} days takes {_plain(needed[0])}.",
            OUR_RULE, (at,), stops=factor >= GROSS_FACTOR,
        )  # fmt: skip


def _look_alikes(medicines: Sequence[Medicine], drugs: Sequence[Drug | None]) -> Iterator[PrescriptionWarning]:
    for at, (medicine, drug) in enumerate(zip(medicines, drugs, strict=True)):
        names = dict.fromkeys((medicine.name.lower(), *_parts(drug)))
        for own, other, source in (pair for name in names for pair in look_alikes().get(name, ())):
            yield PrescriptionWarning(
                f"look_alike:{own.lower()}+{other.lower()}:{at + 1}", WarningKind.LOOK_ALIKE,
                f"{own} is easily taken for {other}.", source, (at,), stops=False,
            )  # fmt: skip


def _unknown(medicines: Sequence[Medicine], drugs: Sequence[Drug | None]) -> Iterator[PrescriptionWarning]:
    for at, drug in enumerate(drugs):
        if drug is None:
            yield PrescriptionWarning(
                f"unknown_drug:{at + 1}", WarningKind.UNKNOWN_DRUG,
                f"{medicines[at].name} is not in the drug vocabulary, so nothing was checked. Look at its spelling.",
                "drug vocabulary", (at,), stops=False,
            )  # fmt: skip


def _milligrams_a_day(medicine: Medicine) -> Fraction | None:
    """At most so much of the ingredient a day, as written; None when dose, strength and frequency do not say."""
    dose, rhythm, held = read_dose(medicine.dose), read_rhythm(medicine.frequency), read_strength(medicine.strength)
    if dose is None or rhythm is None or not rhythm.times:
        return None
    if dose.unit in MASS_MG:
        return Fraction(dose.high * MASS_MG[dose.unit]) * rhythm.times_a_day
    if held is None:
        return None
    milligrams, per, unit = held
    if dose.unit in VOLUME_ML:
        count = dose.high * VOLUME_ML[dose.unit] if unit == "ml" else None
    else:
        count = dose.high if dose.unit in COUNTED and (not unit or unit == dose.unit) else None
    return None if count is None else Fraction(milligrams * count / per) * rhythm.times_a_day


def _by_mouth(medicine: Medicine) -> bool:
    route = medicine.route.strip().lower().rstrip(".")
    return route in ("", "oral", "orally", "po", "p.o", "by mouth", "mouth")


def _packed(medicine: Medicine) -> bool:
    """Handed out by the bottle, tube or pack, when the quantity's unit or the form says so."""
    return bool(PACKS.search(f"{medicine.quantity_unit} {medicine.form}".lower()))


def _parts(drug: Drug | None) -> tuple[str, ...]:
    return drug.ingredients if drug else ()


def _plain(value: Decimal | Fraction) -> str:
    number = float(value)
    return f"{number:g}" if number < 1e6 else f"{number:.0f}"
