"""Invented FHIR R4 bundles in the manner of the generators that others use for tests; made anew from a seed.

`lifetime`: as Synthea writes them (a transaction with encounters, claims, notes as base64 text, medicines by reference,
doses as numbers). `visit`: as carebundle does (US Core, long LOINC names, a panel of blood pressure, the mark of test
data among the security labels).
"""

from __future__ import annotations

import base64
import json
import random
import uuid
from typing import Any

LOINC, SNOMED, RXNORM = "http://loinc.org", "http://snomed.info/sct", "http://www.nlm.nih.gov/research/umls/rxnorm"
HL7 = "http://terminology.hl7.org/CodeSystem"
CONDITIONS = (("59621000", "Essential hypertension (disorder)"), ("44054006", "Diabetes mellitus type 2 (disorder)"),
              ("195662009", "Acute viral pharyngitis (disorder)"))  # fmt: skip
MEDICINES = (("314076", "lisinopril 10 MG Oral Tablet"), ("860975", "24 HR metformin hydrochloride 500 MG Oral Tablet"))
LABS = (("2823-3", "Potassium [Moles/volume] in Serum or Plasma", "mmol/L", 3.5, 5.1),
        ("4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood", "%", 4.0, 5.6))  # fmt: skip
NOTE = "Chief complaint\nNo complaints.\nMedications\nRamipril 5 mg once daily\n"


def lifetime(seed: int) -> bytes:
    """A transaction Bundle of a few years of one person."""
    rng = random.Random(seed)
    whose, entries = _Bundle(rng), []
    patient = whose.add(
        "Patient",
        name=[{"use": "official", "family": f"Aufderhar{seed}", "given": [f"Aaron{seed}"], "prefix": ["Mr."]}],
        gender=rng.choice(("male", "female")), birthDate=f"19{rng.randrange(30, 99)}-0{rng.randrange(1, 9)}-1{rng.randrange(9)}",
        identifier=[{"system": "https://github.com/synthetichealth/synthea", "value": str(uuid.UUID(int=rng.getrandbits(128)))}],
        address=[{"city": "Boston", "country": "US"}], communication=[{"language": {"text": "English"}}],
        extension=[{"url": "http://synthetichealth.github.io/synthea/quality", "valueDecimal": 0.25}],
    )  # fmt: skip
    doctor = whose.add("Practitioner", name=[{"family": "Kreiger", "given": ["Ana"], "prefix": ["Dr."]}])
    for year in range(2018, 2018 + rng.randrange(2, 5)):
        day = f"{year}-0{rng.randrange(1, 9)}-1{rng.randrange(9)}T10:0{rng.randrange(9)}:00-05:00"
        visit = whose.add("Encounter", status="finished", subject=patient, period={"start": day, "end": day},
                          participant=[{"individual": doctor}], type=[_concept(SNOMED, "185349003", "Check up (procedure)")],
                          **{"class": {"system": f"{HL7}/v3-ActCode", "code": "AMB"}})  # fmt: skip
        code, name = rng.choice(CONDITIONS)
        over = {"abatementDateTime": day} if "viral" in name else {}
        state = "resolved" if over else "active"
        whose.add("Condition", subject=patient, encounter=visit, code=_concept(SNOMED, code, name), onsetDateTime=day,
                  recordedDate=day, clinicalStatus=_concept(f"{HL7}/condition-clinical", state), **over,
                  verificationStatus=_concept(f"{HL7}/condition-ver-status", "confirmed"))  # fmt: skip
        code, name = rng.choice(MEDICINES)
        drug = whose.add("Medication", status="active", code=_concept(RXNORM, code, name))
        dose = {"timing": {"repeat": {"frequency": 2, "period": 1.0, "periodUnit": "d"}}, "asNeededBoolean": False,
                "doseAndRate": [{"doseQuantity": {"value": 1.0}}], "sequence": 1}  # fmt: skip
        order = whose.add("MedicationRequest", status="active", intent="order", subject=patient, encounter=visit,
                          authoredOn=day, requester=doctor, medicationReference=drug, dosageInstruction=[dose])  # fmt: skip
        for code, name, unit, low, high in LABS:
            value = round(rng.uniform(low * 0.9, high * 1.1), 4)
            whose.add("Observation", status="final", subject=patient, encounter=visit, effectiveDateTime=day, issued=day,
                      code=_concept(LOINC, code, name), valueQuantity={"value": value, "unit": unit},
                      category=[_concept(f"{HL7}/observation-category", "laboratory")])  # fmt: skip
        whose.add("Observation", status="final", subject=patient, effectiveDateTime=day,
                  code=_concept(LOINC, "8302-2", "Body Height"), valueQuantity={"value": 171.3, "unit": "cm"})  # fmt: skip
        note = base64.b64encode(NOTE.encode()).decode()
        carried = {"contentType": "text/plain; charset=utf-8", "data": note}
        whose.add("DiagnosticReport", status="final", subject=patient, effectiveDateTime=day,
                  code=_concept(LOINC, "34117-2", "History and physical note"), presentedForm=[carried])  # fmt: skip
        whose.add("DocumentReference", status="superseded", subject=patient, date=day,
                  type=_concept(LOINC, "34117-2", "History and physical note"), content=[{"attachment": carried}])  # fmt: skip
        whose.add("Immunization", status="completed", patient=patient, occurrenceDateTime=day,
                  vaccineCode=_concept("http://hl7.org/fhir/sid/cvx", "140", "Influenza, seasonal"))  # fmt: skip
        whose.add("Claim", status="active", use="claim", patient=patient, created=day, provider=doctor, prescription=order,
                  type=_concept(f"{HL7}/claim-type", "pharmacy"), priority=_concept(f"{HL7}/processpriority", "normal"),
                  insurance=[{"sequence": 1, "focal": True, "coverage": {"display": "Medicare"}}])  # fmt: skip
    entries = [
        entry | {"request": {"method": "POST", "url": entry["resource"]["resourceType"]}} for entry in whose.entries
    ]
    return json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}).encode()


def visit(seed: int) -> bytes:
    """A transaction Bundle of one visit."""
    rng = random.Random(seed)
    whose = _Bundle(rng)
    test = {"security": [{"system": f"{HL7}/v3-ActReason", "code": "HTEST", "display": "test health data"}]}
    patient = whose.add("Patient", meta=test, name=[{"family": "Placeholt", "given": ["Cato"]}], gender="female",
                        birthDate="1979-04-06", identifier=[{"system": "urn:uuid:1", "value": f"{seed:08X}"}])  # fmt: skip
    upper, lower = rng.randrange(105, 160), rng.randrange(60, 100)
    parts = [{"code": _concept(LOINC, code, name), "valueQuantity": {"value": number, "unit": "mmHg"}}
             for code, name, number in (("8462-4", "Diastolic blood pressure", lower), ("8480-6", "Systolic blood pressure", upper))]  # fmt: skip
    whose.add("Observation", meta=test, status="final", subject=patient, effectiveDateTime="2026-01-01", component=parts,
              code=_concept(LOINC, "85354-9", "Blood pressure panel with all children optional"))  # fmt: skip
    for code, name, unit, low, high in LABS:
        band = [{"low": {"value": low, "unit": unit}, "high": {"value": high, "unit": unit}}]
        whose.add("Observation", meta=test, status="final", subject=patient, effectiveDateTime="2026-01-01",
                  code=_concept(LOINC, code, name), referenceRange=band,
                  valueQuantity={"value": round(rng.uniform(low, high), 1), "unit": unit})  # fmt: skip
    whose.add("MedicationRequest", meta=test, status="active", intent="order", subject=patient, authoredOn="2026-01-01",
              medicationCodeableConcept=_concept(RXNORM, "314076", "lisinopril 10 MG Oral Tablet"))  # fmt: skip
    return json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": whose.entries}).encode()


class _Bundle:
    """Entries with ids from the seed."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.entries: list[dict[str, Any]] = []

    def add(self, kind: str, **fields: Any) -> dict[str, str]:
        """One more resource; returns a reference to it."""
        url = f"urn:uuid:{uuid.UUID(int=self._rng.getrandbits(128), version=4)}"
        self.entries.append({"fullUrl": url, "resource": {"resourceType": kind, "id": url[9:], **fields}})
        return {"reference": url}


def _concept(system: str, code: str, display: str = "") -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, **({"display": display} if display else {})}],
            **({"text": display} if display else {})}  # fmt: skip
