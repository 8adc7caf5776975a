"""What the jobs expect of an engine. Every engine of a kind passes the same suite in tests/contract."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from domain.document import TextLine
from domain.imaging import ClassScores, Explanation
from domain.models import ModelCard
from domain.speech import AudioClip, HeardPhrase, LanguageGuess, Turn


class OcrEngine(Protocol):
    """Reads an upright page.

    `read` may be called from several threads at once; an engine that cannot run so locks itself.
    """

    card: ModelCard

    def read(self, pixels: np.ndarray) -> tuple[TextLine, ...]:
        """`pixels`: uint8 (height, width, 3) RGB, upright. Lines as the engine found them, words with quads in
        those pixels, clockwise from the text's own top-left: an engine that finds a page upside down may read it so.
        No words is an empty tuple. Raises ModelUnavailable when the engine cannot run."""
        ...


class TextEncoder(Protocol):
    """Turns passages and queries into vectors that can be compared by dot product."""

    card: ModelCard
    dimensions: int

    def encode_passages(self, texts: Sequence[str]) -> np.ndarray:
        """float32 (len(texts), dimensions), rows of length 1; (0, dimensions) for no texts."""
        ...

    def encode_query(self, text: str) -> np.ndarray:
        """float32 (dimensions,), of length 1."""
        ...


class ScanClassifier(Protocol):
    """Reads scan pictures for one task. Deterministic; a batch gives what single pictures give.

    `classes`: labels in the order of every tuple below. `positive`: the class the task asks for, None where all are
    equal. `thresholds`: 0 to 1, a class. `calibrated`: scores are probabilities measured on pictures kept from
    training. `modalities`: DICOM codes it reads; empty for any.
    """

    card: ModelCard
    classes: tuple[str, ...]
    positive: str | None
    thresholds: tuple[float, ...]
    calibrated: bool
    modalities: tuple[str, ...]
    split_seed: int  # which pictures of its data were kept from training (domain.imaging_fit.held_out)
    second_source: str | None  # task whose pictures, all of the class asked for, lent their look in training
    member_folds: int  # above 0: an ensemble, each member trained without one fold (domain.imaging_fit.member_folds)

    folds_left_out: tuple[int, ...]  # those folds; each was left out by one member or several

    def classify(self, pictures: Sequence[np.ndarray], unseen: int | None = None) -> tuple[ClassScores, ...]:
        """One answer a picture; each uint8 (height, width) or (height, width, 3), of any size. `unseen`: the answer of
        those of an ensemble that did not see this fold, for judging them on its pictures."""
        ...

    def features(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        """float32 (n, features): what the network makes of each picture before it names a class."""
        ...

    def explain(self, picture: np.ndarray, label: str) -> Explanation:
        """Where the answer for `label` comes from, over the picture as given. Raises ModelUnavailable when the engine
        cannot say."""
        ...


class Transcriber(Protocol):
    """Turns speech into timed words. Calls may come from several threads; an engine that cannot run so locks itself."""

    card: ModelCard

    def speech(self, samples: np.ndarray) -> tuple[tuple[float, float], ...]:
        """(start, end) seconds where somebody may be speaking; `samples`: float32 (n,), 16 kHz."""
        ...

    def language(self, samples: np.ndarray) -> LanguageGuess:
        """Of at most the first 30 seconds of `samples`."""
        ...

    def words(self, clip: AudioClip, language: str) -> tuple[HeardPhrase, ...]:
        """What is said in at most 30 seconds; times count from the start of the recording."""
        ...

    def likelihoods(self, clip: AudioClip, language: str, texts: Sequence[str]) -> tuple[float, ...]:
        """How likely each text is to be all that is said in at most 30 seconds: natural logarithms."""
        ...

    def hypotheses(self, clip: AudioClip, language: str, names: Sequence[str]) -> tuple[str, ...]:
        """What may be said in at most 30 seconds by somebody who speaks of `names`, the likeliest first. Names that do
        not sound like it are not to come up; words may be left out, so that none of it can stand for what was said."""
        ...


class Listening(Protocol):
    """One recording as a diarizer hears it, piece by piece."""

    def until(self, seconds: float) -> None:
        """Listen on to this time; what was heard before is not heard again."""
        ...

    def turns(self, speakers: int | None) -> tuple[Turn, ...]:
        """Who spoke when, in what was heard so far, in order of time; voices are numbered as they come in.
        `speakers`: how many there are; None finds out."""
        ...


class Diarizer(Protocol):
    """Tells voices apart."""

    card: ModelCard

    def listen(self, samples: np.ndarray) -> Listening:
        """`samples`: float32 (n,), 16 kHz, may be a mapped file; slices are taken from it."""
        ...
