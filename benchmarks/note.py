"""Drafts notes of visits whose notes clinicians wrote, with our engine and with two peers, and prints ROUGE beside it.

    python -m benchmarks.note --data DIR [--split valid]

DIR holds aci_bench_SPLIT.jsonl {"dialogue", "note"} (ACI-Bench, Yim et al. 2023, CC BY 4.0). Peers, in the same run and
with as many words as our note of the same visit: "first sentences", the beginning of the conversation; "cue words and
LexRank", for each SOAP section the utterances with its cue words, ranked by LexRank (Erkan and Radev 2004). ROUGE-1, -2 and
-Lsum F1 with stemming (rouge-score). Beside it: lines whose number, medicine, side or denial is not in their evidence,
evidence ids that do not exist, and processor seconds a note, models loaded.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from domain.settings import telemetry_off

CUES = {
    "subjective": "pain feel feeling hurt history take taking medication allergy smoke drink family started since denies symptom",
    "objective": "exam blood pressure heart lungs tender swelling x-ray result normal lab vital temperature listen look",
    "assessment": "think diagnosis likely consistent impression problem controlled stable",
    "plan": "start continue order refer follow prescribe increase recommend week therapy schedule mg",
}
SHARES = {"subjective": 0.45, "objective": 0.2, "assessment": 0.1, "plan": 0.25}
Draft = tuple[str, float]  # text and processor seconds


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", default="valid")
    options = parser.parse_args()
    telemetry_off()
    from models.cards import CARDS
    from models.shelf import ModelShelf
    from pipelines.consultation import read_conversation, roles_from_labels
    from pipelines.note_desk import drugs_in
    from pipelines.note_guard import guard
    from pipelines.note_lines import draft_lines

    rows = [
        json.loads(line) for line in (options.data / f"aci_bench_{options.split}.jsonl").read_text("utf-8").splitlines()
    ]
    visits = [_spoken(read_conversation(_labelled(row["dialogue"])), roles_from_labels) for row in rows]
    shelf = ModelShelf(CARDS, 100_000)
    ours: list[Draft] = []
    held_back = wrong = dangling = 0
    with shelf.borrow(shelf.chosen("text_encoder").id) as encoder, shelf.borrow(shelf.chosen("note").id) as heads:
        encoder.encode_passages(["warm"])
        drugs_in(["warm"])
        for visit in visits:
            begun = time.process_time()
            said = {one.id: one.text for one in visit}
            kept, unsupported = guard(draft_lines(visit, encoder.encode_passages, heads), said, drugs_in)
            ours.append(("\n".join(line.text for line in kept), time.process_time() - begun))
            held_back += len(unsupported)
            dangling += sum(one not in said for line in kept for one in line.evidence)
            wrong += sum(_not_in_evidence(line.text, " ".join(said[one] for one in line.evidence)) for line in kept)
    budgets = [len(text.split()) for text, _ in ours]
    print(f"{len(visits)} visits of ACI-Bench {options.split}, {statistics.mean(budgets):.0f} words a note\n")
    print(f"{'':28} {'ROUGE-1':>8} {'95 % interval':>16} {'ROUGE-2':>8} {'ROUGE-L':>8} {'CPU s':>7}")
    peers: tuple[tuple[str, Callable[[Sequence, int], str]], ...] = (
        ("first sentences", _first),
        ("cue words and LexRank", _lexrank),
    )  # type: ignore[type-arg]
    for title, draft in peers:
        made = []
        for visit, budget in zip(visits, budgets, strict=True):
            begun = time.process_time()
            made.append((draft(visit, budget), time.process_time() - begun))
        _print(title, made, rows)
    _print("this engine", ours, rows)
    print(
        f"\nthis engine: {held_back} lines held back by the guard; of the lines kept {wrong} hold a number, side or denial"
    )
    print(f"that a second, simpler reading does not find in their evidence, and {dangling} evidence ids do not exist")


def _labelled(dialogue: str) -> str:
    """[doctor] text -> Doctor: text; some turns run over several lines."""
    return re.sub(r"(?m)^\[(\w+)\]\s*", lambda match: f"{match[1].capitalize()}: ", dialogue)


def _spoken(utterances, roles_of):  # type: ignore[no-untyped-def]
    from dataclasses import replace

    roles = roles_of(utterances)
    return tuple(replace(one, role=roles[one.speaker]) for one in utterances)


def _first(visit, budget: int) -> str:  # type: ignore[no-untyped-def]
    return " ".join(" ".join(one.text for one in visit).split()[:budget])


def _lexrank(visit, budget: int) -> str:  # type: ignore[no-untyped-def]
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


def _not_in_evidence(text: str, evidence: str) -> bool:
    """A reading that knows nothing of the guard: words as written."""
    words, there = set(re.findall(r"[a-z0-9']+", text.lower())), set(re.findall(r"[a-z0-9']+", evidence.lower()))
    numbers = {word for word in words if word[0].isdigit()}
    denied = bool(words & {"no", "not", "never", "denies", "without", "none", "cannot"})
    can_deny = (
        bool(there & {"no", "not", "never", "nope", "nah", "without", "none", "cannot", "n't", "nothing", "neither"})
        or "n't" in evidence
    )
    return bool(numbers - there) or (denied and not can_deny) or bool(words & {"left", "bilateral"} - there)


def _print(title: str, drafts: Sequence[Draft], rows: Sequence[dict]) -> None:
    from rouge_score import rouge_scorer

    scorer = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeLsum"], use_stemmer=True)
    scores = [scorer.score(row["note"], text) for row, (text, _) in zip(rows, drafts, strict=True)]
    first, second, longest = ([one[name].fmeasure for one in scores] for name in ("rouge1", "rouge2", "rougeLsum"))
    low, high = _interval(first)
    seconds = statistics.mean(cpu for _, cpu in drafts)
    print(
        f"{title:28} {statistics.mean(first):8.3f} {f'{low:.3f}-{high:.3f}':>16} {statistics.mean(second):8.3f} "
        f"{statistics.mean(longest):8.3f} {seconds:7.2f}"
    )


def _interval(values: Sequence[float]) -> tuple[float, float]:
    """95 % bootstrap interval of the mean."""
    rng = np.random.default_rng(0)
    means = rng.choice(np.array(values), (2000, len(values))).mean(axis=1)
    return float(np.percentile(means, 2.5)), float(np.percentile(means, 97.5))


if __name__ == "__main__":
    main()
