"""Who may do what where people sign in: one table, by the name of the job. What is not in it is allowed to nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from domain.people import Role

NURSE, DOCTOR, PHARMACIST, RESEARCHER, ADMINISTRATOR = Role
EVERYONE = frozenset(Role)
CARERS = frozenset({NURSE, DOCTOR})


@dataclass(frozen=True, slots=True)
class Rule:
    """`roles`: who may. `masked`: a researcher may as well, and sees it without identity.

    `glass`: others may for one patient, after breaking the glass with a reason. `reads`: FHIR type of what is read, for
    the trail; "" where the job itself writes its event or no patient's data is touched. `by`: the argument that names
    what is read.
    """

    roles: frozenset[Role]
    masked: bool = False
    glass: bool = False
    reads: str = ""
    by: str = ""


def _only(*roles: Role, **how: object) -> Rule:
    return Rule(frozenset(roles), **how)  # type: ignore[arg-type]


_record = {"roles": CARERS, "glass": True, "reads": "DocumentReference", "by": "document_id"}
_visit = {"roles": CARERS, "reads": "Composition", "by": "consultation_id"}
_reading = {"roles": CARERS, "reads": "DiagnosticReport", "by": "reading_id"}

RULES: Mapping[str, Rule] = {
    # patients
    "create_patient": Rule(CARERS),
    "find_patients": Rule(CARERS | {PHARMACIST}, masked=True, reads="Patient", by="text"),
    "patient": Rule(CARERS | {PHARMACIST}, glass=True, masked=True, reads="Patient", by="patient_id"),
    "allergies": Rule(CARERS | {PHARMACIST}, glass=True, reads="AllergyIntolerance", by="patient_id"),
    # records
    "digitise": Rule(CARERS),
    "import_text": Rule(CARERS),
    "correct_word": Rule(CARERS),
    "file_document": Rule(CARERS),
    "document": Rule(**_record, masked=True),  # type: ignore[arg-type]
    "deidentified_document": Rule(CARERS | {RESEARCHER}, reads="DocumentReference", by="document_id"),
    "documents": Rule(CARERS, glass=True, masked=True, reads="DocumentReference", by="patient_id"),
    "searchable_pdf": Rule(CARERS, glass=True, reads="Binary", by="document_id"),  # the file that leaves the server
    "page_picture": Rule(**_record),  # type: ignore[arg-type]
    "shown_page": Rule(**_record),  # type: ignore[arg-type]
    "corrections": Rule(**_record),  # type: ignore[arg-type]
    "conflicts_with": Rule(CARERS),
    "search": Rule(CARERS, glass=True, masked=True),
    # imaging
    "scan_cards": Rule(EVERYONE),
    "read_scan": Rule(CARERS),
    "imaging.along_stack": Rule(CARERS),
    "imaging.without_identity": Rule(CARERS),
    "imaging.reading": Rule(**_reading),  # type: ignore[arg-type]
    "imaging.readings_of": Rule(CARERS, reads="DiagnosticReport", by="patient_id"),
    "imaging.picture": Rule(**_reading),  # type: ignore[arg-type]
    "imaging.overlay": Rule(**_reading),  # type: ignore[arg-type]
    "imaging.file_reading": Rule(CARERS),
    "imaging.say": Rule(CARERS),
    "imaging.feedback_csv": _only(DOCTOR, RESEARCHER, ADMINISTRATOR),  # names nobody
    "evaluate": _only(RESEARCHER, ADMINISTRATOR),
    # prescriptions
    "directions": Rule(EVERYONE),
    "has_plan": _only(DOCTOR),
    "planned_medicines": _only(DOCTOR, reads="Composition", by="patient_id"),
    "prescriptions.warm": Rule(EVERYONE),
    "prescriptions.suggest": Rule(EVERYONE),
    "prescriptions.jwks": Rule(EVERYONE),
    "prescriptions.check": _only(DOCTOR),
    "prescriptions.issue": _only(DOCTOR),
    "prescriptions.revoke": _only(DOCTOR),
    "prescriptions.verify": _only(NURSE, DOCTOR, PHARMACIST),
    "prescriptions.dispense": _only(PHARMACIST),
    "prescriptions.of_patient": Rule(CARERS | {PHARMACIST}, reads="MedicationRequest", by="patient_id"),
    "prescriptions.reprint": _only(DOCTOR, PHARMACIST),
    # consultations
    "consultations.transcribe": Rule(CARERS),
    "consultations.import_transcript": Rule(CARERS),
    "consultations.relabel": Rule(CARERS),
    "consultations.correct_word": Rule(CARERS),
    "consultations.correct_utterance": Rule(CARERS),
    "consultations.draft_note": Rule(CARERS),
    "consultations.save_note": Rule(CARERS),
    "consultations.sign": _only(DOCTOR),
    "consultations.add_addendum": _only(DOCTOR),
    "consultations.discard": Rule(CARERS),
    "consultations.visit": Rule(**_visit),  # type: ignore[arg-type]
    "consultations.transcript": Rule(**_visit),  # type: ignore[arg-type]
    "consultations.note": Rule(**_visit),  # type: ignore[arg-type]
    "consultations.note_versions": Rule(**_visit),  # type: ignore[arg-type]
    "consultations.recording": Rule(**_visit),  # type: ignore[arg-type]
    "consultations.export": Rule(**_visit),  # type: ignore[arg-type]
    "consultations.of_patient": Rule(CARERS, reads="Composition", by="patient_id"),
    # charts
    "charts.chart": Rule(CARERS, glass=True, masked=True, reads="List", by="patient_id"),
    "charts.summary": Rule(CARERS, glass=True, reads="List", by="patient_id"),
    "charts.imported": Rule(CARERS, glass=True, reads="Bundle", by="patient_id"),
    "charts.export": _only(DOCTOR, glass=True),
    "charts.import_bundle": Rule(CARERS),
    "charts.dismiss": _only(DOCTOR),
    "charts.reopen": _only(DOCTOR),
    "charts.preview_merge": _only(DOCTOR, ADMINISTRATOR),
    "charts.merge": _only(DOCTOR, ADMINISTRATOR),
    "charts.unmerge": _only(DOCTOR, ADMINISTRATOR),
    "charts.preview_move": Rule(CARERS),
    "charts.move": Rule(CARERS),
    "charts.print_summary": Rule(CARERS, glass=True),
    # models
    "model_cards": Rule(EVERYONE),
    "models_in_use": Rule(EVERYONE),
    "models_loaded": Rule(EVERYONE),
    "use_model": _only(ADMINISTRATOR),
    # trail and people
    "trail": _only(DOCTOR, ADMINISTRATOR),
    "trail_desk.prove": _only(DOCTOR, ADMINISTRATOR),
    "trail_desk.show_tampering": Rule(frozenset()),  # for the open demonstration only
    "people.break_glass": _only(NURSE, PHARMACIST, ADMINISTRATOR),
}
DESKS = frozenset(name.split(".")[0] for name in RULES if "." in name)
