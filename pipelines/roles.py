"""Who is the doctor: a classifier over what each voice says, decided for all voices of a visit together.

No utterance decides alone: the evidence of all that a speaker says is summed, and of all ways to give the roles to the
speakers (one doctor, at most one patient) the likeliest is taken. Roles that a person or the text names are kept.
"""

from __future__ import annotations

import itertools
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from domain.consultation import ONLY_ONE, ROLES, SpeakerRole
from pipelines.note_sections import Encode, Heads
from pipelines.note_sentences import tidy

HASHED_WORDS = 1 << 13  # columns for words and word pairs; 13,000 training turns fill them without much crowding
MAX_JUDGED_SPEAKERS = 7  # more voices than a visit has; the quieter ones are left unnamed
UTTERANCES_PER_SPEAKER = 60  # enough to know a voice; keeps an hour's visit within a second
# How often a second voice is whose, before anything is heard.
PRIOR = {"doctor": 0.0, "patient": np.log(0.88), "nurse": np.log(0.04), "relative": np.log(0.08)}
SOFTNESS = 3.0  # utterances of one voice repeat each other: their summed evidence is softened before it is a confidence
TEXT_WEIGHT, CONTEXT_WEIGHT, WORD_WEIGHT = 3.0, 1.5, 2.0

_LABELS = (
    ("doctor", re.compile(r"^(?:dr\b.*|doc(?:tor)?\b.*|physician|clinician|gp|consultant|provider|surgeon|md)$", re.I)),
    ("patient", re.compile(r"^(?:patient\b.*|pt|client)$", re.I)),
    ("nurse", re.compile(r"^(?:nurse\b.*|rn|sister|midwife|assistant|ma)$", re.I)),
    (
        "relative",
        re.compile(
            r"^(?:relative\b.*|family\b.*|guest family.*|mother|father|mum|mom|dad|wife|husband|spouse|partner|son|"
            r"daughter|brother|grand\w+|carer|caregiver|parent|friend)$",
            re.I,
        ),
    ),
)  # fmt: skip
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?|\d+|\?")


@dataclass(frozen=True, slots=True)
class Said:
    """One utterance as the classifier sees it."""

    speaker: str
    text: str


def role_of_label(label: str) -> str:
    """The role that a speaker's label names ("Dr. Reed", "Patient"), or "" where it names none."""
    plain = label.strip().strip("[]():").replace("_", " ")
    return next((role for role, pattern in _LABELS if pattern.match(plain)), "")


def name_speakers(
    said: Sequence[Said], encode: Encode, heads: Heads, given: Mapping[str, str] | None = None
) -> tuple[SpeakerRole, ...]:
    """Every speaker's role with its confidence, in order of first words. `given`: roles that are not to be guessed."""
    given = dict(given or {})
    speakers = list(dict.fromkeys(one.speaker for one in said))
    open_ = [speaker for speaker in speakers if speaker not in given]
    guessed: dict[str, tuple[str, float]] = {}
    if open_:
        evidence = _evidence(said, encode, heads)
        guessed = _assign(open_, evidence, set(given.values()))
    return tuple(
        SpeakerRole(speaker, given[speaker], 1.0, True) if speaker in given else SpeakerRole(speaker, *guessed[speaker])
        for speaker in speakers
    )


def features(texts: Sequence[str], encode: Encode) -> np.ndarray:
    """float32 (n, 2 d + 3 + HASHED_WORDS) of utterances in the order in which they were said."""
    plain = [tidy(text) or "." for text in texts]
    unique = list(dict.fromkeys(plain))
    table = dict(zip(unique, encode(unique), strict=True))
    vectors = np.array([table[text] for text in plain], np.float32)  # (n, d)
    before = np.vstack([np.zeros((1, vectors.shape[1]), np.float32), vectors[:-1]])
    few = np.array([(at == 0, np.log1p(len(t.split())), len(t.split()) < 4) for at, t in enumerate(texts)], np.float32)
    return np.hstack([vectors * TEXT_WEIGHT, before * CONTEXT_WEIGHT, few, hashed_words(plain)])


def hashed_words(texts: Sequence[str]) -> np.ndarray:
    """float32 (n, HASHED_WORDS): which words and pairs of words occur, hashed by CRC-32: the same everywhere."""
    table = np.zeros((len(texts), HASHED_WORDS), np.float32)
    for row, text in enumerate(texts):
        words = ["<s>", *("0" if word.isdigit() else word for word in _WORD.findall(text.lower())), "</s>"]
        grams = set(words) | {" ".join(pair) for pair in itertools.pairwise(words)}
        columns = sorted({zlib.crc32(gram.encode()) % HASHED_WORDS for gram in grams})
        table[row, columns] = WORD_WEIGHT / np.sqrt(max(4, len(columns)))
    return table


def _evidence(said: Sequence[Said], encode: Encode, heads: Heads) -> dict[str, np.ndarray]:
    """Summed log probabilities (len(ROLES),) of each speaker, over the first utterances of each voice."""
    heard: dict[str, int] = {}
    kept: list[int] = []
    for at, one in enumerate(said):
        heard[one.speaker] = heard.get(one.speaker, 0) + 1
        if heard[one.speaker] <= UTTERANCES_PER_SPEAKER:
            kept.append(at)
    logs = heads.log_probabilities("roles", features([said[at].text for at in kept], encode))  # (n, roles)
    order = [heads.labels("roles").index(role) for role in ROLES]
    sums: dict[str, np.ndarray] = {}
    for row, at in enumerate(kept):
        speaker = said[at].speaker
        sums[speaker] = sums.get(speaker, np.zeros(len(ROLES))) + logs[row, order]
    return sums


def _assign(open_: Sequence[str], evidence: Mapping[str, np.ndarray], taken: set[str]) -> dict[str, tuple[str, float]]:
    """The likeliest way to give the roles, and for each speaker how sure its role is among all ways."""
    loudest = sorted(open_, key=lambda speaker: -abs(float(evidence[speaker].sum())))[:MAX_JUDGED_SPEAKERS]
    judged = [speaker for speaker in open_ if speaker in loudest]
    ways = [way for way in itertools.product(ROLES, repeat=len(judged)) if _possible(way, taken)]
    scores = np.array(
        [
            sum(
                evidence[speaker][ROLES.index(role)] / SOFTNESS + PRIOR[role]
                for speaker, role in zip(judged, way, strict=True)
            )
            for way in ways
        ]
    )
    weights = np.exp(scores - scores.max())
    weights /= weights.sum()
    best = ways[int(scores.argmax())]
    sure = {
        speaker: (best[at], float(sum(w for w, way in zip(weights, ways, strict=True) if way[at] == best[at])))
        for at, speaker in enumerate(judged)
    }
    return {speaker: sure.get(speaker, ("relative", 0.0)) for speaker in open_}


def _possible(way: Sequence[str], taken: set[str]) -> bool:
    """One doctor and at most one patient, with those that are given; a single voice may be either of the two."""
    if len(way) == 1 and not taken:
        return way[0] in ONLY_ONE
    doctors = way.count("doctor") + ("doctor" in taken)
    patients = way.count("patient") + ("patient" in taken)
    if doctors != 1 and not (doctors > 1 and "doctor" in taken and way.count("doctor") == 0):
        return False
    return patients <= 1 or way.count("patient") == 0
