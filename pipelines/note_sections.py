"""What a statement of a visit is for: how likely a clinician would write it down, and under which heading.

The judging heads are linear over sentence vectors (models/consultation.py); this module says what they look at, so that
training and drafting cannot differ.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pipelines.note_exchanges import CLINICIANS, Statement

TOPICS = {
    "Chief complaint": "subjective",
    "History": "subjective",
    "Medical history": "subjective",
    "Surgical history": "subjective",
    "Family history": "subjective",
    "Social history": "subjective",
    "Medications": "subjective",
    "Allergies": "subjective",
    "Review of systems": "subjective",
    "Vital signs": "objective",
    "Examination": "objective",
    "Results": "objective",
    "Assessment": "assessment",
    "Plan": "plan",
}
# What a clinician's own words settle, whatever the place in the visit: a short visit has another order than the long ones
# of the corpora. Each holds only where the classifier took the statement for something that was told.
_SETTLED = (
    ("Plan", re.compile(r"^(?:then |and )?(?:please (?!tell|sit|lie|lay|have a|describe|show|breathe|open|come (?:in|through)|wait|hold)\w+|"
                        r"(?:stop|start|continue|reduce|increase|lower|raise|switch|replace|hold|drink|call|come back|use|avoid|return|schedule|follow up|go to) (?!with the history)|take (?!a look|care)|give (?:him|her|them|the)|"
                        r"if (?:the patient|he|she|you) (?:notice|get|develop|cannot|still|ha)|we will (?:order|start|stop|increase|decrease|refer|prescribe|schedule|arrange|check|send|give|get (?:a|an|the|some))|"
                        r"I will (?:order|start|stop|increase|decrease|refer|prescribe|schedule|arrange|send|give))", re.I)),
    ("Assessment", re.compile(r"^(?:I (?:suspect|believe|think) (?:this|it|that|these|those|there is|(?:the patient|he|she|they) (?!should|needs?|can|could|would|will|may|might))|I suspect\b|this (?:looks|sounds) like|this is (?:most likely|probably|likely|consistent with)|"
                              r"(?:my|the) (?:impression|diagnosis)\b)", re.I)),
    ("Examination", re.compile(r"\bon (?:your |his |her |their |the )?(?:physical )?exam(?:ination)?\b|\b(?:to palpation|to auscultation)\b", re.I)),
    ("Results", re.compile(r"\b(?:a1c|hemoglobin|haemoglobin|creatinine|potassium|sodium|cholesterol|ldl|uric acid|white count|platelets|glucose|sugars?|sugar readings?|inr|x-ray|mri|ct|scan|ekg|ecg|"
                        r"dipstick|cultures?|biopsy|(?:blood|thyroid|lab|urine|pregnancy|stress) (?:tests?|work|results?)|labs|echo(?:cardiogram)?)\b.{0,20}\b(?:is|are|was|were|looks?|came back|shows?|showed)\b(?! (?:going|running|due|to|not (?:done|back)))", re.I)),
    ("Examination", re.compile(r"^(?:okay |and |so )*(?:your|his|her|their|the) (?:(?:left|right|both|neurological|lymph) )?(?:throat|tonsils|lungs?|heart|chest|abdomen|belly|ears?|eardrums?|eyes?|pupils|nose|skin|neck|glands|nodes|reflexes|"
                            r"strength|gait|spine|back|knees?|hips?|ankles?|shoulders?|wrists?|elbows?|hands?|feet|foot|legs?|arms?|joints?|ligaments?|liver|spleen|thyroid|tongue|gums|sinuses|wound|exam(?:ination)?) (?:is|are|looks?|sounds?|feels?) "
                            r"(?!why|because|going|what|where|at risk|getting|giving)", re.I)),
    ("Vital signs", re.compile(r"\b(?:blood pressure|pulse|heart rate|temperature|oxygen saturation|respiratory rate|peak flow|weight|bmi)\b.{0,30}\b(?:is|was|of)\b.{0,12}(?:\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|\w+ty)\b)", re.I)),
)  # fmt: skip
# Questions whose heading is already the topic.
_HEADED = {
    "allergies": "Allergies",
    "medications": "Medications",
    "surgical history": "Surgical history",
    "family history": "Family history",
    "occupation": "Social history",
    "alcohol": "Social history",
    "smoking": "Social history",
}
# Weights that bring a vector of length 1 to the size of the plain features beside it.
TEXT_WEIGHT, CONTEXT_WEIGHT, PLAIN_WEIGHT = 3.0, 1.5, 2.0
# Statements of the longest visit that the head was trained on: beyond it a line through them judges nothing worth noting.
MOST_SEEN = 136
NO_PLACE = 0.4  # where in a visit a snippet comes from is not known; used in training on snippets only

Encode = Callable[[Sequence[str]], np.ndarray]
"""Texts to float32 (n, d), rows of length 1."""


class Heads(Protocol):
    """What is needed of models.consultation.LinearHeads."""

    def labels(self, head: str) -> tuple[str, ...]: ...
    def constant(self, name: str) -> np.ndarray: ...
    def scores(self, head: str, features: np.ndarray) -> np.ndarray: ...
    def log_probabilities(self, head: str, features: np.ndarray) -> np.ndarray: ...


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """`relevance`: float32 (n,), higher is more worth writing down; `topics`: log probabilities (n, len(TOPICS));
    `vectors`: float32 (n, d) of the statements."""

    relevance: np.ndarray
    topics: np.ndarray
    vectors: np.ndarray


def judge(statements: Sequence[Statement], encode: Encode, heads: Heads) -> Judged:
    """Relevance and topic of every statement of one visit, in order."""
    vectors, contexts = vectors_of(statements, encode)
    relevance = heads.scores("relevance", relevance_features(statements, vectors, contexts))[:, 0]
    topics = heads.log_probabilities("topics", topic_features(statements, vectors, contexts))
    return Judged(relevance, topics, vectors)


def topic_of(statement: Statement, logs: np.ndarray) -> str:
    """The heading of a statement. `logs`: its row of Judged.topics."""
    topics = tuple(TOPICS)
    topic = topics[int(logs.argmax())]
    head = statement.text.partition(":")[0].lower()
    if statement.joined and head in _HEADED:
        return _HEADED[head]
    if statement.role in CLINICIANS and TOPICS[topic] != "plan" and not statement.joined:
        found = TOPICS[topic] == "objective"  # what was found is no finding where it is to be done, or is meant
        settled = ("Plan", "Assessment") if found else [one for one, _ in _SETTLED]
        return next((one for one, pattern in _SETTLED if one in settled and pattern.search(statement.text)), topic)
    return topic


def vectors_of(statements: Sequence[Statement], encode: Encode) -> tuple[np.ndarray, np.ndarray]:
    """float32 (n, d) of the statements and of what was said before each; zero where nothing was."""
    texts = list(dict.fromkeys([s.text for s in statements] + [s.context for s in statements if s.context]))
    table = dict(zip(texts, encode(texts), strict=True))
    width = len(next(iter(table.values())))
    blank = np.zeros(width, np.float32)
    return (
        np.array([table[s.text] for s in statements], np.float32),
        np.array([table[s.context] if s.context else blank for s in statements], np.float32),
    )


def relevance_features(statements: Sequence[Statement], vectors: np.ndarray, contexts: np.ndarray) -> np.ndarray:
    """float32 (n, 2 d + 11)."""
    count = len(statements)
    plain = np.array(
        [
            (
                s.role in CLINICIANS,
                s.joined,
                at / count,
                (at / count) ** 2,
                np.log1p(len(s.text.split())),
                len(s.text.split()) < 5,
                any(letter.isdigit() for letter in s.text),
                s.text.startswith("Denies"),
                s.text.startswith("Reports"),
                at == 0,
                min(count, MOST_SEEN) / 100,
            )
            for at, s in enumerate(statements)
        ],
        np.float32,
    )
    return np.hstack([vectors * TEXT_WEIGHT, contexts * CONTEXT_WEIGHT, plain])


def topic_features(
    statements: Sequence[Statement], vectors: np.ndarray, contexts: np.ndarray, placed: bool = True
) -> np.ndarray:
    """float32 (n, 2 d + 7). `placed`: False for snippets, whose place in the visit is not known."""
    count = len(statements)
    rows = []
    for at, s in enumerate(statements):
        place = at / count if placed else NO_PLACE
        doctor = s.role in CLINICIANS
        rows.append(
            (
                doctor,
                s.joined,
                place if doctor else 0.0,
                place * place if doctor else 0.0,
                0.0 if doctor else place,
                s.text.startswith("Denies"),
                placed and at == 0,
            )
        )
    plain = np.array(rows, np.float32) * PLAIN_WEIGHT
    return np.hstack([vectors * TEXT_WEIGHT, contexts * CONTEXT_WEIGHT, plain])
