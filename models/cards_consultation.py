"""Cards of the classifiers over what is said in a visit. Importing this loads no framework."""

from __future__ import annotations

from dataclasses import replace

from domain.models import InputContract, Metric, ModelCard, WeightsSource

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
    metrics=(
        Metric(
            "conversations of a doctor and a patient with both named right, of 103",
            102.0,
            "ACI-Bench and MTS-Dialog validation splits",
            "python -m models.training.notes --data DIR",
        ),
    ),
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
        files=(("sections.npz", "3ee0649ed1fd6a9b11356055481397b769958504b7776739f71d24687e28eca9"),),
    ),
    memory_mb=2,
    labels=("subjective", "objective", "assessment", "plan"),
    metrics=(
        Metric(
            "ROUGE-1 F1 (first sentences 0.332, cue words and LexRank 0.405)",
            0.520,
            "ACI-Bench validation split, 20 visits",
            "python -m benchmarks.note --data DIR",
            (0.490, 0.546),
        ),
        Metric(
            "lines whose number, side or denial is not in their evidence",
            0.0,
            "ACI-Bench validation split, 20 visits",
            "python -m benchmarks.note --data DIR",
        ),
        Metric(
            "aligned statements in the section of the clinician's note",
            0.815,
            "ACI-Bench validation split, 622 statements",
            "python -m models.training.notes --data DIR",
        ),
    ),
    limits=(
        "It keeps the words that were said: what was only meant, pointed at or seen is not in the note.",
        "Where speech has no punctuation, a line may run two thoughts together.",
    ),
    options=(("file", "sections.npz"),),
)

_WRITER = ModelCard(
    id="writer-none",
    task="note_writer",
    title="No rewriting",
    loader="models.note_writers:NoWriter",
    revision="1",
    licence="Apache-2.0",
    origin="This project",
    intended_use="Leaving the lines of a note in the words in which they were drafted.",
    not_for="Nothing else.",
    input=InputContract("Lines of a note"),
    weights=WeightsSource(),
    memory_mb=1,
)

CONSULTATION_CARDS: tuple[ModelCard, ...] = (ROLES_CARD, NOTE_CARD, _WRITER)


def writer_cards(endpoint: str, endpoint_model: str, folder: str) -> tuple[ModelCard, ...]:
    """Cards of the language models that the settings name; none where they name none. Naming one does not choose it."""
    named = "A language model that the operator named; nothing is known here of its licence, training or quality."
    limits = ("Invents. Every line goes through the guard; one whose facts are not in its evidence is held back.",)
    use, not_for = "Rewriting drafted lines in concise clinical English.", "Anything that nobody reads before signing."
    cards = []
    if endpoint:
        cards.append(
            replace(
                _WRITER,
                id="writer-endpoint",
                title="Language model at an endpoint",
                origin=named,
                licence="unknown",
                loader="models.note_writers:EndpointWriter",
                intended_use=use,
                not_for=not_for,
                limits=limits,
                options=(("url", endpoint), ("model", endpoint_model)),
            )
        )
    if folder:
        cards.append(
            replace(
                _WRITER,
                id="writer-transformers",
                title="Language model from a folder",
                origin=named,
                licence="unknown",
                loader="models.note_writers:TransformersWriter",
                intended_use=use,
                not_for=not_for,
                limits=limits,
                memory_mb=2000,
                options=(("path", folder),),
            )
        )
    return tuple(cards)
