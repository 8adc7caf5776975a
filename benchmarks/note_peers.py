"""Two simple ways to write a note, beside which benchmarks/note.py puts ours; both get as many words as our note has."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from domain.speech import Utterance

CUES = {
    "subjective": "pain feel feeling hurt history take taking medication allergy smoke drink family started since denies symptom",
    "objective": "exam blood pressure heart lungs tender swelling x-ray result normal lab vital temperature listen look",
    "assessment": "think diagnosis likely consistent impression problem controlled stable",
    "plan": "start continue order refer follow prescribe increase recommend week therapy schedule mg",
}
SHARES = {"subjective": 0.45, "objective": 0.2, "assessment": 0.1, "plan": 0.25}


def first_sentences(visit: Sequence[Utterance], budget: int) -> str:
    """The beginning of the conversation."""
    return " ".join(" ".join(one.text for one in visit).split()[:budget])


def cue_words_and_lexrank(visit: Sequence[Utterance], budget: int) -> str:
    """Utterances by section: cue words choose, LexRank orders them, the section's share of the words limits."""
    texts = [one.text for one in visit]
    central = _centrality(texts)
    parts, used = [], set()
    for section, cues in CUES.items():
        cue = set(cues.split())
        found = [
            at for at, text in enumerate(texts) if at not in used and cue & set(re.findall(r"[a-z-]+", text.lower()))
        ]
        words, kept = 0, []
        for at in sorted(found, key=lambda at: -central[at]):
            if words >= SHARES[section] * budget:
                break
            kept.append(at)
            used.add(at)
            words += len(texts[at].split())
        parts += [texts[at] for at in sorted(kept)]
    return "\n".join(parts)


def _centrality(texts: Sequence[str], threshold: float = 0.1, damping: float = 0.85) -> np.ndarray:
    """LexRank: PageRank over utterances whose TF-IDF cosine passes the threshold."""
    bags = [re.findall(r"[a-z0-9]+", text.lower()) for text in texts]
    vocabulary = {word: at for at, word in enumerate(sorted({word for bag in bags for word in bag}))}
    counts = np.zeros((len(texts), len(vocabulary)))
    for row, bag in enumerate(bags):
        for word in bag:
            counts[row, vocabulary[word]] += 1
    weights = counts * np.log(len(texts) / np.maximum(1, (counts > 0).sum(axis=0)))
    weights /= np.maximum(1e-9, np.linalg.norm(weights, axis=1, keepdims=True))
    graph = (weights @ weights.T > threshold).astype(float) + np.eye(len(texts)) * 1e-9
    graph /= graph.sum(axis=1, keepdims=True)
    rank = np.full(len(texts), 1 / len(texts))
    for _ in range(100):
        rank = (1 - damping) / len(texts) + damping * graph.T @ rank
    return rank
