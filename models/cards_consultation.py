"""Cards of the classifiers over what is said in a visit. Importing this loads no framework."""

from __future__ import annotations

from domain.models import InputContract, ModelCard, WeightsSource

CORPORA = "ACI-Bench (Yim et al. 2023) and MTS-Dialog (Ben Abacha et al. 2023), train splits, both CC BY 4.0"

ROLES_CARD = ModelCard(
    id="roles-linear",
    task="speaker_roles",
    title="Roles of speakers",
    loader="models.consultation:LinearHeads",
    revision="1",
    licence="Apache-2.0 (weights made here; corpora CC BY 4.0)",
    origin=f"Trained by models/training/notes.py on {CORPORA}",
    intended_use="Telling doctor, patient, nurse and relative apart by what each of them says.",
    not_for="Knowing who somebody is; languages other than English; deciding without a person looking.",
    input=InputContract("Utterances in the order in which they were said, with all-MiniLM-L6-v2 vectors"),
    weights=WeightsSource(
        folder="models/notes",
        files=(("roles.npz", "1a08bf82c18361eaa569bfc1878e9dbe0ef88bbb113f1d28972589013f20c733"),),
    ),
    memory_mb=2,
    labels=("doctor", "patient", "nurse", "relative"),
    limits=(
        "The corpora hold few nurses and relatives: those two roles are often taken for the doctor or the patient.",
        "Two clinicians who talk with each other cannot be told apart.",
    ),
    options=(("file", "roles.npz"),),
)

NOTE_CARD = ModelCard(
    id="note-extractive",
    task="note",
    title="Extractive SOAP note",
    loader="models.consultation:LinearHeads",
    revision="1",
    licence="Apache-2.0 (weights made here; corpora CC BY 4.0)",
    origin=f"Trained by models/training/notes.py on {CORPORA}",
    intended_use="Choosing what of a visit belongs into a note, and where; every line names its evidence.",
    not_for="A note that nobody reads before signing; languages other than English.",
    input=InputContract("Statements of one visit, with all-MiniLM-L6-v2 vectors"),
    weights=WeightsSource(
        folder="models/notes",
        files=(("sections.npz", "f8b026ae1e14084b2a6f4cfbf1c713d779c81c1423d351bf04332d09865e082f"),),
    ),
    memory_mb=2,
    labels=("subjective", "objective", "assessment", "plan"),
    limits=(
        "It keeps the words that were said: what was only meant, pointed at or seen is not in the note.",
        "Where speech has no punctuation, a line may run two thoughts together.",
    ),
    options=(("file", "sections.npz"),),
)

CONSULTATION_CARDS: tuple[ModelCard, ...] = (ROLES_CARD, NOTE_CARD)
