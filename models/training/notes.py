"""Trains the heads of models/notes: who is speaking, what is worth writing down, and under which heading.

    python -m models.training.notes --data DIR

DIR holds aci_bench_train.jsonl {"dialogue", "note"} and mts_dialog_train.jsonl {"dialogue", "section_header",
"section_text"}: ACI-Bench (Yim et al. 2023) and MTS-Dialog (Ben Abacha et al. 2023), both CC BY 4.0. The labels of both
note heads come from aligning statements with the notes: relevance is membership in the extract that greedily maximises
ROUGE-1 (Nallapati et al. 2017), the topic is the heading of the most similar sentence of the note. Printed are the
figures on the validation files, when DIR has them. About six minutes on one processor core.
"""

from __future__ import annotations

import argparse
import json
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipelines import note_sections as sections
from pipelines import roles
from pipelines.note_exchanges import Statement, statements
from pipelines.note_sentences import Clause, cut, tidy, words_of
from pipelines.note_style import sex_said

OUT = Path(__file__).resolve().parent.parent / "notes"
HEADINGS = (
    (r"chief complaint|^cc\b", "Chief complaint"),
    (r"history of present|^hpi", "History"),
    (r"review of systems", "Review of systems"),
    (r"surgical history", "Surgical history"),
    (r"family history", "Family history"),
    (r"social history", "Social history"),
    (r"medication", "Medications"),
    (r"allerg", "Allergies"),
    (r"medical history|past history", "Medical history"),
    (r"vital", "Vital signs"),
    (r"exam", "Examination"),
    (r"result|imaging|procedure", "Results"),
    (r"assessment and plan", "both"),
    (r"assessment|impression", "Assessment"),
    (r"plan|instructions", "Plan"),
)
SNIPPET_TOPICS = {
    "GENHX": "History", "PASTMEDICALHX": "Medical history", "CC": "Chief complaint", "PASTSURGICAL": "Surgical history",
    "ALLERGY": "Allergies", "ROS": "Review of systems", "MEDICATIONS": "Medications", "ASSESSMENT": "Assessment",
    "EXAM": "Examination", "DIAGNOSIS": "Assessment", "DISPOSITION": "Plan", "PLAN": "Plan",
    "IMMUNIZATIONS": "Medical history", "IMAGING": "Results", "GYNHX": "Medical history", "LABS": "Results",
    "OTHER_HISTORY": "Medical history", "FAM/SOCHX": "",
}  # fmt: skip
FAMILY = re.compile(
    r"\b(family|mother|father|brother|sister|grand\w+|parents?|siblings?|aunt|uncle|mom|dad|cousin)\b", re.I
)
ALIGNED = 0.45  # similarity from which a sentence of the note is taken to say what a statement says
SNIPPET_WEIGHT = 0.15  # snippets outnumber visits, and lack their order
TOPICS = tuple(sections.TOPICS)


@dataclass(frozen=True, slots=True)
class Visit:
    """A conversation with its note. `turns`: (speaker label, text)."""

    turns: tuple[tuple[str, str], ...]
    note: str
    heading: str = ""


class CachedEncoder:
    """Encodes each text once."""

    def __init__(self, encode: sections.Encode) -> None:
        self._encode, self._known = encode, {}

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            new.sort(key=len)
            self._known.update(zip(new, self._encode(new), strict=True))
        return np.array([self._known[text] for text in texts], np.float32)


def main() -> None:
    """Train, write the weights, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    options = parser.parse_args()
    from domain.settings import telemetry_off

    telemetry_off()
    from models.cards_language import MINILM_CARD
    from models.shelf import ModelShelf

    OUT.mkdir(exist_ok=True)
    with ModelShelf((MINILM_CARD,), 4096).borrow(MINILM_CARD.id) as encoder:
        encode = CachedEncoder(encoder.encode_passages)
        visits = read(options.data / "aci_bench_train.jsonl")
        snippets = read(options.data / "mts_dialog_train.jsonl")
        held = [read(options.data / f"{name}_valid.jsonl") for name in ("aci_bench", "mts_dialog")]
        train_roles(visits + snippets, held[0] + held[1], encode)
        train_sections(visits, snippets, held[0], encode)


def read(path: Path) -> list[Visit]:
    """Visits or snippets of a file; a turn may run over several lines."""
    found = []
    for row in map(json.loads, path.read_text("utf-8").splitlines()):
        turns: list[list[str]] = []
        for line in row["dialogue"].replace("\r", "").split("\n"):
            match = re.match(r"\s*\[?([A-Za-z_][\w .]{0,20}?)\]?(?:\s*:\s*|(?<=\])\s*)(.*)", line)
            if match:
                turns.append([match[1], match[2].strip()])
            elif line.strip() and turns:
                turns[-1][1] += " " + line.strip()
        spoken = tuple((speaker, text) for speaker, text in turns if text)
        found.append(Visit(spoken, row.get("note") or row["section_text"], row.get("section_header", "")))
    return found


def role(label: str) -> str:
    """The role behind a corpus label: other clinicians than the doctor stand for the nurse."""
    low = label.lower()
    if "family" in low:
        return "relative"
    if low.startswith(("guest_clin", "doctor_2", "docotr_2")):
        return "nurse"
    return "doctor" if low.startswith("doc") else "patient"


# -- roles ----------------------------------------------------------------------------------------------------------


def bare(text: str) -> str:
    """As a recogniser without punctuation would write it."""
    return " ".join(re.sub(r"[.,?!;:]+(?=\s|$)", " ", text.lower()).split())


def train_roles(train: Sequence[Visit], held: Sequence[Visit], encode: sections.Encode) -> None:
    """Logistic regression on single utterances, each with and without punctuation."""
    from scipy.sparse import csr_matrix, vstack
    from sklearn.linear_model import LogisticRegression

    rows, labels = [], []
    for visit in train:
        for written in (tidy, lambda text: bare(tidy(text))):
            texts = [written(text) for _, text in visit.turns]
            if texts:
                rows.append(csr_matrix(roles.features(texts, encode)))
                labels.extend(role(speaker) for speaker, _ in visit.turns)
    fitted = LogisticRegression(C=0.3, max_iter=400).fit(vstack(rows), labels)
    np.savez_compressed(
        OUT / "roles.npz",
        **{
            "roles.weights": fitted.coef_.T.astype(np.float16).astype(np.float32),
            "roles.bias": fitted.intercept_.astype(np.float32),
            "roles.labels": np.array(fitted.classes_, dtype=str),
        },
    )
    heads = _heads("roles.npz")
    right = total = 0
    for visit in held:
        there = {speaker: role(speaker) for speaker, _ in visit.turns}
        if set(there.values()) != {"doctor", "patient"} or len(there) != 2:
            continue
        named = roles.name_speakers([roles.Said(*turn) for turn in visit.turns], encode, heads)
        right += all(one.role == there[one.speaker] for one in named)
        total += 1
    print(f"roles: {right} of {total} held-out conversations of doctor and patient named right")


# -- what is worth writing down, and where ---------------------------------------------------------------------------


def train_sections(
    visits: Sequence[Visit], snippets: Sequence[Visit], held: Sequence[Visit], encode: sections.Encode
) -> None:
    """Ridge regression for relevance, logistic regression for topics, least squares for the length of a note."""
    from sklearn.linear_model import LogisticRegression, Ridge

    said = [_statements(visit) for visit in visits]
    weight = _rarity(said)
    wanted, aligned, looks, topics, lengths = [], [], [], [], []
    for visit, statements_ in zip(visits, said, strict=True):
        vectors, contexts = sections.vectors_of(statements_, encode)
        looks.append(sections.relevance_features(statements_, vectors, contexts))
        chosen = greedy_extract([s.text for s in statements_], visit.note)
        wanted.append([float(at in chosen) for at in range(len(statements_))])
        shape = sections.topic_features(statements_, vectors, contexts)
        for at, topic in enumerate(align(statements_, visit.note, vectors, encode, weight)):
            if topic:
                aligned.append((shape[at], topic, 1.0))
        lengths.append((sum(len(stemmed(s.text)) for s in statements_), len(stemmed(visit.note))))
    for snippet in snippets:
        if snippet.heading in SNIPPET_TOPICS and snippet.turns:
            aligned.extend(_of_snippet(snippet, encode, weight))
    relevance = Ridge(alpha=30.0).fit(np.vstack(looks), np.concatenate(wanted))
    shapes, topics, weights = zip(*aligned, strict=True)
    numbered = [TOPICS.index(topic) for topic in topics]
    topic_fit = LogisticRegression(C=0.3, max_iter=600).fit(np.vstack(shapes), numbered, sample_weight=weights)
    slope, start = np.polyfit(*np.array(lengths, float).T, 1)
    full_weights = np.zeros((np.vstack(shapes).shape[1], len(TOPICS)), np.float32)
    full_bias = np.full(len(TOPICS), -30.0, np.float32)  # a topic that was never seen is never chosen
    full_weights[:, topic_fit.classes_] = topic_fit.coef_.T
    full_bias[topic_fit.classes_] = topic_fit.intercept_
    np.savez_compressed(
        OUT / "sections.npz",
        **{
            "relevance.weights": relevance.coef_[:, None].astype(np.float32),
            "relevance.bias": np.array([relevance.intercept_], np.float32),
            "relevance.labels": np.array(["worth writing down"]),
            "topics.weights": full_weights,
            "topics.bias": full_bias,
            "topics.labels": np.array(TOPICS),
            "constant.length": np.array([slope, start], np.float32),  # words of a note by words of all statements
        },
    )
    _print_sections(held, encode, weight)


def _print_sections(held: Sequence[Visit], encode: sections.Encode, weight: dict[str, float]) -> None:
    heads, right, total = _heads("sections.npz"), 0, 0
    for visit in held:
        statements_ = _statements(visit)
        judged = sections.judge(statements_, encode, heads)
        for at, topic in enumerate(align(statements_, visit.note, judged.vectors, encode, weight)):
            if topic:
                guess = TOPICS[int(judged.topics[at].argmax())]
                right += sections.TOPICS[guess] == sections.TOPICS[topic]
                total += 1
    print(f"sections: {right / max(1, total):.3f} of {total} aligned held-out statements in the note's own section")


def greedy_extract(texts: Sequence[str], note: str) -> set[int]:
    """The statements that, added one by one, raise ROUGE-1 against the note the most."""
    reference, counts = Counter(stemmed(note)), [Counter(stemmed(text)) for text in texts]
    chosen: set[int] = set()
    current: Counter[str] = Counter()
    best = 0.0
    while True:
        scored = [(rouge_1(current + counts[at], reference), at) for at in range(len(texts)) if at not in chosen]
        score, at = max(scored, default=(0.0, -1))
        if score <= best + 1e-6:
            return chosen
        best, chosen, current = score, chosen | {at}, current + counts[at]


def rouge_1(made: Counter[str], reference: Counter[str]) -> float:
    """F1 of shared words (Lin 2004)."""
    shared = sum((made & reference).values())
    return 2 * shared / max(1, sum(made.values()) + sum(reference.values()))


def align(
    said: Sequence[Statement], note: str, vectors: np.ndarray, encode: sections.Encode, weight: dict[str, float]
) -> list[str]:
    """For each statement the heading under which the note says it, or "" where it does not."""
    lines = headed_sentences(note)
    if not lines:
        return [""] * len(said)
    bags, meant = [Counter(stemmed(text)) for _, text in lines], encode([text for _, text in lines])
    found = []
    for at, statement in enumerate(said):
        mine = Counter(stemmed(statement.text))
        close = meant @ vectors[at]
        scores = [_overlap(mine, bag, weight) + 0.5 * float(close[n]) for n, bag in enumerate(bags)]
        best = int(np.argmax(scores))
        found.append(lines[best][0] if scores[best] > ALIGNED else "")
    return found


def headed_sentences(note: str) -> list[tuple[str, str]]:
    """Each sentence of a note with its topic."""
    found, topic, part = [], "", ""
    for line in filter(None, map(str.strip, note.split("\n"))):
        heading = ""
        if len(line.split()) <= 5 and (line == line.upper() or line.endswith(":")):
            heading = next((name for pattern, name in HEADINGS if re.search(pattern, line, re.I)), "")
        if heading:
            topic, part = heading, ""
            continue
        for sentence in re.split(r"(?<=[.?!])\s+", line):
            if topic == "both":
                if re.search(r"medical reasoning", sentence, re.I):
                    part = "Assessment"
                elif re.search(r"additional testing|medical treatment|education|specialist|agreements", sentence, re.I):
                    part = "Plan"
                elif len(sentence.split()) <= 6:
                    part = ""
            name = (part or "Assessment") if topic == "both" else topic
            if name:
                found.append((name, sentence))
    return found


def _of_snippet(
    snippet: Visit, encode: sections.Encode, weight: dict[str, float]
) -> list[tuple[np.ndarray, str, float]]:
    said = _statements(snippet)
    if not said:
        return []
    shape = sections.topic_features(said, *sections.vectors_of(said, encode), placed=False)
    kept = set(stemmed(snippet.note))
    found = []
    for at, statement in enumerate(said):
        telling = [word for word in set(stemmed(statement.text)) if weight.get(word, 9.0) > 3]
        if not telling or sum(word in kept for word in telling) / len(telling) < 0.34:
            continue
        of_family = FAMILY.search(statement.said) or FAMILY.search(statement.context)
        topic = SNIPPET_TOPICS[snippet.heading] or ("Family history" if of_family else "Social history")
        found.append((shape[at], topic, SNIPPET_WEIGHT))
    return found


def _overlap(mine: Counter[str], theirs: Counter[str], weight: dict[str, float]) -> float:
    shared = sum(min(count, theirs[word]) * weight.get(word, 9.0) for word, count in mine.items())
    precision = shared / max(1e-6, sum(count * weight.get(word, 9.0) for word, count in mine.items()))
    recall = shared / max(1e-6, sum(count * weight.get(word, 9.0) for word, count in theirs.items()))
    return precision * recall / max(1e-9, precision + recall) + 0.2 * precision


def _rarity(said: Sequence[Sequence[Statement]]) -> dict[str, float]:
    """Inverse document frequency of stems over statements."""
    seen: Counter[str] = Counter()
    for statements_ in said:
        for statement in statements_:
            seen.update(set(stemmed(statement.text)))
    count = sum(map(len, said))
    return {word: max(0.0, math.log(count / (1 + times))) for word, times in seen.items()}


def _statements(visit: Visit) -> tuple[Statement, ...]:
    clauses = [
        Clause(f"u{number}", speaker, role(speaker), place, text)
        for number, (speaker, spoken) in enumerate(visit.turns, start=1)
        for place, text in enumerate(cut(spoken))
    ]
    return statements(clauses, sex_said([text for speaker, text in visit.turns if role(speaker) == "doctor"]))


def stemmed(text: str) -> list[str]:
    """Lower-case words without their endings."""
    import Stemmer

    stemmer = Stemmer.Stemmer("porter")
    return stemmer.stemWords([word for word in words_of(text)])


def _heads(file: str):  # type: ignore[no-untyped-def]
    from models.cards_language import MINILM_CARD
    from models.consultation import LinearHeads

    return LinearHeads(OUT, MINILM_CARD, file)


if __name__ == "__main__":
    main()
