"""A prescription as FHIR R4, and back: Bundle of Patient, Practitioner and a MedicationRequest for each medicine.

Follows the rules SMART Health Cards set for what goes into a QR code: no Resource.id, no narrative, no
CodeableConcept.text, no Coding.display, "resource:N" references. The doctor's own words travel unchanged
(Dosage.text, Coding.code), so that what the pharmacist reads is what was signed. `coded` adds the same facts as
numbers, references and a DrugBank id, where we understood them and the code has room; reading needs the words alone,
and refuses fields that writing never makes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from domain.errors import PrescriptionInvalid
from domain.patient import SEXES
from domain.prescription import Medicine, Prescriber, Prescription, Status
from pipelines.prescription_code import CodeRefused
from pipelines.prescription_sig import Dose, Rhythm, read_dose, read_rhythm

CARD_TYPE = "https://smarthealth.cards#health-card"
FHIR_VERSION = "4.0.1"
DRUGBANK = "http://www.drugbank.ca"
PRODUCT_SEPARATOR = ";"  # Coding.code is "<name>;<strength>;<form>": text and display are not allowed in a QR code
DOCTOR = {"reference": "resource:1"}
SIG_SEPARATOR = "; "  # Dosage.text is "<dose>; <route>; <frequency>; <days> d"


def write_claims(
    prescription: Prescription, first: int, last: int, number: int, total: int, coded: bool
) -> dict[str, Any]:
    """JWT claims for the code `number` of `total`, which carries the medicines `first` to `last` (counted from 0)."""
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "collection"}
    if total > 1:
        bundle["identifier"] = {"value": f"{number}/{total}"}
    resources = [_patient(prescription), _practitioner(prescription.prescriber)]
    resources += [_request(medicine, coded) for medicine in prescription.medicines[first : last + 1]]
    bundle["entry"] = [{"fullUrl": f"resource:{at}", "resource": resource} for at, resource in enumerate(resources)]
    return {
        "iss": prescription.issuer,
        "nbf": int(prescription.issued_at.timestamp()),
        "exp": int(prescription.expires_at.timestamp()),
        "vc": {
            "type": [CARD_TYPE],
            "rid": prescription.prescription_id,
            "credentialSubject": {"fhirVersion": FHIR_VERSION, "fhirBundle": bundle},
        },
    }


def validate(claims: dict[str, Any]) -> None:
    """Hold the bundle against the R4B models of fhir.resources. Raises PrescriptionInvalid."""
    from fhir.resources.R4B.bundle import Bundle
    from pydantic import ValidationError

    try:
        Bundle.model_validate(claims["vc"]["credentialSubject"]["fhirBundle"])
    except ValidationError as e:
        raise PrescriptionInvalid(
            "The prescription cannot be written as a FHIR bundle: a field holds characters that FHIR does not allow. "
            "Write the fields in plain text."
        ) from e


def read_claims(claims: dict[str, Any]) -> tuple[Prescription, int, int]:
    """The prescription in verified claims, with the number of this code and how many there are.

    Its medicines are those of this code alone. Raises CodeRefused (UNKNOWN) when the claims are another kind of card
    or are written in a way that could hide something.
    """
    try:
        _only(claims, "iss", "nbf", "exp", "vc")
        card = claims["vc"]
        _only(card, "type", "rid", "credentialSubject")
        if CARD_TYPE not in card["type"]:
            raise ValueError("not a health card")
        subject = card["credentialSubject"]
        _only(subject, "fhirVersion", "fhirBundle")
        bundle = subject["fhirBundle"]
        number, total = _part(bundle)
        resources = [entry["resource"] for entry in bundle["entry"]]
        kinds = [resource["resourceType"] for resource in resources]
        if kinds[:2] != ["Patient", "Practitioner"] or set(kinds[2:]) != {"MedicationRequest"}:
            raise CodeRefused(
                "The signature is genuine, but what it signs is not a prescription. Ask for the prescription code.",
                Status.UNKNOWN,
            )
        name, born, sex = _read_patient(resources[0])
        prescription = Prescription(
            prescription_id=_text(card["rid"]),
            patient_name=name,
            birth_date=born,
            sex=sex,
            prescriber=_read_practitioner(resources[1]),
            medicines=tuple(_read_request(resource) for resource in resources[2:]),
            issued_at=_moment(claims["nbf"]),
            expires_at=_moment(claims["exp"]),
            issuer=_text(claims["iss"]),
        )
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, InvalidOperation, OverflowError, OSError) as e:
        raise CodeRefused(
            "The signature is genuine, but its content is not a prescription as this program writes and reads them: "
            "it has other resources or fields, whose meaning could be missed. Ask the prescriber.",
            Status.UNKNOWN,
        ) from e
    return prescription, number, total


# -- writing ----------------------------------------------------------------------------------------------------------


def _patient(prescription: Prescription) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "name": [{"text": prescription.patient_name}],
        "gender": prescription.sex,
        "birthDate": prescription.birth_date.isoformat(),
    }


def _practitioner(prescriber: Prescriber) -> dict[str, Any]:
    resource: dict[str, Any] = {"resourceType": "Practitioner", "name": [{"text": prescriber.name}]}
    if prescriber.identifier:
        resource["identifier"] = [{"value": prescriber.identifier}]
    if prescriber.facility:
        resource["address"] = [{"text": prescriber.facility}]
    return resource


def _request(medicine: Medicine, coded: bool) -> dict[str, Any]:
    product = PRODUCT_SEPARATOR.join((medicine.name, medicine.strength, medicine.form))
    coding = [{"code": product}]
    if coded and medicine.drug_id:
        coding.append({"system": DRUGBANK, "code": medicine.drug_id})
    dispense: dict[str, Any] = {"quantity": _quantity(medicine)}
    if medicine.refills:
        dispense["numberOfRepeatsAllowed"] = medicine.refills
    if coded and medicine.duration_days:
        dispense["expectedSupplyDuration"] = {"value": medicine.duration_days, "unit": "d"}
    return {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"coding": coding},
        "subject": {"reference": "resource:0"},
        **({"requester": DOCTOR} if coded else {}),
        "dosageInstruction": [_dosage(medicine, coded)],
        "dispenseRequest": dispense,
    }


def _dosage(medicine: Medicine, coded: bool) -> dict[str, Any]:
    sig = (medicine.dose, medicine.route, medicine.frequency, f"{medicine.duration_days} d")
    dosage: dict[str, Any] = {"text": SIG_SEPARATOR.join(sig)}
    if medicine.note:
        dosage["patientInstruction"] = medicine.note
    if not coded:
        return dosage
    rhythm, dose = read_rhythm(medicine.frequency), read_dose(medicine.dose)
    if rhythm is not None and rhythm.times:
        dosage["timing"] = {"repeat": _repeat(rhythm)}
    if rhythm is not None and rhythm.as_needed:
        dosage["asNeededBoolean"] = True
    if medicine.route:
        dosage["route"] = {"coding": [{"code": medicine.route}]}
    if dose is not None and dose.unit:
        dosage["doseAndRate"] = [_dose_and_rate(dose)]
    return dosage


def _repeat(rhythm: Rhythm) -> dict[str, Any]:
    repeat: dict[str, Any] = {"frequency": rhythm.times}
    if rhythm.times_max != rhythm.times:
        repeat["frequencyMax"] = rhythm.times_max
    repeat["period"] = _number(rhythm.period)
    if rhythm.period_max != rhythm.period:
        repeat["periodMax"] = _number(rhythm.period_max)
    return {**repeat, "periodUnit": rhythm.period_unit}


def _dose_and_rate(dose: Dose) -> dict[str, Any]:
    high = {"value": _number(dose.high), "unit": dose.unit}
    if dose.low == dose.high:
        return {"doseQuantity": high}
    return {"doseRange": {"low": {"value": _number(dose.low), "unit": dose.unit}, "high": high}}


def _quantity(medicine: Medicine) -> dict[str, Any]:
    quantity: dict[str, Any] = {"value": _number(medicine.quantity)}
    if medicine.quantity_unit:
        quantity["unit"] = medicine.quantity_unit
    return quantity


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


# -- reading ----------------------------------------------------------------------------------------------------------


def _part(bundle: dict[str, Any]) -> tuple[int, int]:
    _only(bundle, "resourceType", "type", "identifier", "entry")
    if (bundle["resourceType"], bundle["type"]) != ("Bundle", "collection"):
        raise ValueError("not a collection")
    for at, entry in enumerate(bundle["entry"]):
        _only(entry, "fullUrl", "resource")
        if entry["fullUrl"] != f"resource:{at}":
            raise ValueError("an entry has another address than its place")
    if "identifier" not in bundle:
        return 1, 1
    _only(bundle["identifier"], "value")
    number, _, total = bundle["identifier"]["value"].partition("/")
    if not 1 <= int(number) <= int(total) <= 99:
        raise ValueError("part number out of range")
    return int(number), int(total)


def _read_patient(resource: dict[str, Any]) -> tuple[str, date, str]:
    _only(resource, "resourceType", "name", "gender", "birthDate")
    if resource["gender"] not in SEXES:
        raise ValueError("unknown gender code")
    return _one_text(resource["name"]), date.fromisoformat(resource["birthDate"]), resource["gender"]


def _read_practitioner(resource: dict[str, Any]) -> Prescriber:
    _only(resource, "resourceType", "name", "identifier", "address")
    identifier = _single(resource.get("identifier", [{"value": ""}]))
    _only(identifier, "value")
    return Prescriber(
        name=_one_text(resource["name"]),
        identifier=_text(identifier["value"], empty=True),
        facility=_one_text(resource["address"]) if "address" in resource else "",
    )


def _read_request(resource: dict[str, Any]) -> Medicine:
    _only(
        resource, "resourceType", "status", "intent", "medicationCodeableConcept", "subject", "requester",
        "dosageInstruction", "dispenseRequest",
    )  # fmt: skip
    if (resource["status"], resource["intent"]) != ("active", "order"):
        raise ValueError("not an active order")
    if resource["subject"] != {"reference": "resource:0"} or resource.get("requester", DOCTOR) != DOCTOR:
        raise ValueError("an order for someone else")
    codes = _codes(resource["medicationCodeableConcept"], "", DRUGBANK)
    name, strength, form = codes[""].split(PRODUCT_SEPARATOR, 2)
    dosage = _single(resource["dosageInstruction"])
    _only(dosage, "text", "patientInstruction", "timing", "asNeededBoolean", "route", "doseAndRate")
    dose, route, frequency, days = _text(dosage["text"]).split(SIG_SEPARATOR)
    if not dose or not frequency:
        raise ValueError("no dose or no frequency")
    dispense = resource["dispenseRequest"]
    _only(dispense, "numberOfRepeatsAllowed", "quantity", "expectedSupplyDuration")
    quantity = dispense["quantity"]
    _only(quantity, "value", "unit")
    _only(dosage.get("timing", {}), "repeat")
    _only(dosage.get("timing", {}).get("repeat", {}), "frequency", "frequencyMax", "period", "periodMax", "periodUnit")
    return Medicine(
        name=_text(name),
        strength=strength,
        form=form,
        route=route,
        dose=dose,
        frequency=frequency,
        duration_days=_count(int(days.removesuffix(" d"))),
        quantity=_decimal(quantity["value"]),
        quantity_unit=_text(quantity.get("unit", ""), empty=True),
        refills=_count(dispense.get("numberOfRepeatsAllowed", 0)),
        note=_text(dosage.get("patientInstruction", ""), empty=True),
        drug_id=codes.get(DRUGBANK, ""),
    )


def _codes(concept: dict[str, Any], *systems: str) -> dict[str, str]:
    _only(concept, "coding")
    found = {}
    for coding in concept["coding"]:
        _only(coding, "system", "code")
        system = coding.get("system", "")
        if system not in systems or system in found:
            raise ValueError("unknown or repeated coding")
        found[system] = _text(coding["code"])
    return found


def _only(value: dict[str, Any], *names: str) -> None:
    if not isinstance(value, dict) or not set(value) <= set(names):
        raise ValueError("unknown field")


def _single(values: Sequence[Any]) -> Any:
    (value,) = values
    return value


def _one_text(values: Sequence[Any]) -> str:
    value = _single(values)
    _only(value, "text")
    return _text(value["text"])


def _text(value: Any, empty: bool = False) -> str:
    if not isinstance(value, str) or not (value or empty):
        raise ValueError("not a text")
    return value


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= 10_000:
        raise ValueError("not a count")
    return value


def _decimal(value: Any) -> Decimal:
    if type(value) not in (int, float):
        raise ValueError("not a number")
    number = Decimal(str(value))
    if not 0 < number <= 10_000_000:
        raise ValueError("quantity out of range")
    return number


def _moment(value: Any) -> datetime:
    if type(value) not in (int, float):
        raise ValueError("not a time")
    return datetime.fromtimestamp(value, UTC)
