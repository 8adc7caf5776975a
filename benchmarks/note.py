"""Drafts notes of visits whose notes clinicians wrote, with our engine and with two peers, and prints ROUGE beside it.

    python -m benchmarks.note --data DIR [--split valid]

DIR holds aci_bench_SPLIT.jsonl {"dialogue", "note"} (ACI-Bench, Yim et al. 2023) and mts_dialog_SPLIT.jsonl {"dialogue",
"section_text"} (MTS-Dialog, Ben Abacha et al. 2023: short ones, of which one section was written), both CC BY 4.0. Peers, in
the same run and with as many words as our note of the same visit: "first sentences", the beginning of the conversation;
"cue words and LexRank", for each SOAP section the utterances with its cue words, ranked by LexRank (Erkan and Radev 2004).
ROUGE-1, -2 and -Lsum F1 with stemming (rouge-score). Beside it: ROUGE-1 section by section, lines whose number, medicine,
side or denial is not in their evidence, evidence ids that do not exist, and processor seconds a note, models loaded.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.note_peers import cue_words_and_lexrank, first_sentences
from domain.consultation import NoteLine
from domain.settings import telemetry_off, waiting_threads_sleep
from domain.speech import Utterance

WORDS_IN_15_MINUTES = 2_250  # 150 a minute
PARTS = ("subjective", "objective", "assessment and plan")
_HEADINGS = {
    "subjective": re.compile(r"^(?:cc|hpi|chief complaint|history|.*\bhistory\b.*|review of systems|.*medications|allergies|subjective)\b", re.I),
    "objective": re.compile(r"^(?:vitals.*|physical exam.*|exam|results|labs?|imaging|objective)\b", re.I),
    "assessment and plan": re.compile(r"^(?:assessment.*|impression|plan|instructions)\b", re.I),
}  # fmt: skip
_HEADING = re.compile(r"^[A-Z][A-Z /&,]+:?$")

Draft = Callable[[Sequence[Utterance]], tuple[tuple[NoteLine, ...], tuple[NoteLine, ...]]]
"""The lines of a visit's note, and those that the guard held back."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """Visits with the notes that clinicians wrote of them."""

    name: str
    visits: tuple[tuple[Utterance, ...], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Made:
    """A note. `seconds` of processor time."""

    text: str
    seconds: float
    lines: tuple[NoteLine, ...] = ()
    held_back: tuple[NoteLine, ...] = ()


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", default="valid")
    options = parser.parse_args()
    telemetry_off()
    waiting_threads_sleep()
    from models.cards import CARDS
    from models.shelf import ModelShelf
    from pipelines.note_desk import drugs_in
    from pipelines.note_guard import guard
    from pipelines.note_lines import draft_lines

    aci = read_corpus("ACI-Bench", options.data / f"aci_bench_{options.split}.jsonl", "note")
    mts = read_corpus("MTS-Dialog", options.data / f"mts_dialog_{options.split}.jsonl", "section_text")
    shelf = ModelShelf(CARDS, 100_000)
    with shelf.borrow(shelf.chosen("text_encoder").id) as encoder, shelf.borrow(shelf.chosen("note").id) as heads:

        def draft(visit: Sequence[Utterance]) -> tuple[tuple[NoteLine, ...], tuple[NoteLine, ...]]:
            lines = draft_lines(visit, encoder.encode_passages, heads)
            return guard(lines, {one.id: one.text for one in visit}, drugs_in)

        draft(aci.visits[0])  # warm
        for corpus in (aci, mts):
            made = tuple(_timed(draft, visit) for visit in corpus.visits)
            print_corpus(corpus, made, options.split)
            if corpus is aci:
                print_parts(corpus, made)
        long = _fifteen_minutes(aci.visits)
        print(
            f"\n{_timed(draft, long).seconds:.2f} processor seconds for a visit of {_words(long):,} words, 15 minutes"
        )


def read_corpus(name: str, path: Path, written: str) -> Corpus:
    """The visits of a file whose turns are told apart."""
    from domain.errors import UploadRejected
    from pipelines.consultation import read_conversation, roles_from_labels

    visits, notes = [], []
    for row in map(json.loads, path.read_text("utf-8").splitlines()):
        try:
            utterances = read_conversation(_labelled(row["dialogue"]))
        except UploadRejected:
            continue  # a few of MTS-Dialog's begin in the middle of a sentence
        roles = roles_from_labels(utterances)
        visits.append(tuple(replace(one, role=roles.get(one.speaker, "relative")) for one in utterances))
        notes.append(row[written])
    return Corpus(name, tuple(visits), tuple(notes))


def print_corpus(corpus: Corpus, made: Sequence[Made], split: str) -> None:
    """ROUGE of the peers and of ours, and what of ours its evidence does not hold."""
    budgets = [len(one.text.split()) for one in made]
    print(f"\n{len(made)} visits of {corpus.name} {split}, {statistics.mean(budgets):.0f} words a note")
    print(f"{'':28} {'ROUGE-1':>8} {'95 % interval':>16} {'ROUGE-2':>8} {'ROUGE-L':>8} {'CPU s':>7}")
    for title, write in (("first sentences", first_sentences), ("cue words and LexRank", cue_words_and_lexrank)):
        peers = []
        for visit, budget in zip(corpus.visits, budgets, strict=True):
            begun = time.process_time()
            peers.append(Made(write(visit, budget), time.process_time() - begun))
        _print_row(title, peers, corpus.notes)
    _print_row("this engine", made, corpus.notes)
    lines = dangling = wrong = 0
    for visit, one in zip(corpus.visits, made, strict=True):
        said = {utterance.id: utterance.text for utterance in visit}
        lines += len(one.lines)
        dangling += sum(which not in said for line in one.lines for which in line.evidence)
        wrong += sum(_not_in_evidence(line, said) for line in one.lines)
    print(
        f"this engine: {lines} lines, {sum(len(one.held_back) for one in made)} more held back by the guard; {wrong} hold a"
    )
    print(
        f"number, side or denial that a second, simpler reading misses in their evidence; {dangling} evidence ids dangle"
    )


def print_parts(corpus: Corpus, made: Sequence[Made]) -> None:
    """ROUGE-1 of each part of the note against the same part of the clinician's."""
    from rouge_score import rouge_scorer

    scorer = rouge_scorer.RougeScorer(["rouge1"], use_stemmer=True)
    print(f"{'part':28} {'ROUGE-1':>8} {'words':>8} {'theirs':>8} {'visits':>8}")
    for part in PARTS:
        pairs = [
            (theirs, "\n".join(line.text for line in one.lines if line.section in part))
            for note, one in zip(corpus.notes, made, strict=True)
            if (theirs := parts_of(note).get(part))
        ]
        score = statistics.mean(scorer.score(theirs, ours)["rouge1"].fmeasure for theirs, ours in pairs)
        ours_words, their_words = (statistics.mean(len(pair[side].split()) for pair in pairs) for side in (1, 0))
        print(f"{part:28} {score:8.3f} {ours_words:8.0f} {their_words:8.0f} {len(pairs):8}")


def parts_of(note: str) -> dict[str, str]:
    """The text of a clinician's note by PARTS, under its headings in capitals."""
    found: dict[str, list[str]] = {}
    part = PARTS[0]
    for line in note.splitlines():
        if _HEADING.match(line.strip()):
            heading = line.strip()
            part = next((name for name, pattern in _HEADINGS.items() if pattern.match(heading)), part)
        elif line.strip():
            found.setdefault(part, []).append(line)
    return {name: "\n".join(lines) for name, lines in found.items()}


def _labelled(dialogue: str) -> str:
    """[doctor] text -> Doctor: text; some turns run over several lines."""
    return re.sub(r"(?m)^\[(\w+)\]\s*", lambda match: f"{match[1].capitalize()}: ", dialogue)


def _timed(draft: Draft, visit: Sequence[Utterance]) -> Made:
    begun = time.process_time()
    lines, held_back = draft(visit)
    return Made("\n".join(line.text for line in lines), time.process_time() - begun, lines, held_back)


def _words(visit: Sequence[Utterance]) -> int:
    return sum(len(one.text.split()) for one in visit)


def _fifteen_minutes(visits: Sequence[Sequence[Utterance]]) -> tuple[Utterance, ...]:
    """Visits one after the other until there is as much as is said in 15 minutes."""
    joined: list[Utterance] = []
    for one in (utterance for visit in visits for utterance in visit):
        if _words(joined) >= WORDS_IN_15_MINUTES:
            break
        joined.append(one)
    return tuple(replace(one, id=f"u{number}") for number, one in enumerate(joined, start=1))


def _not_in_evidence(line: NoteLine, said: Mapping[str, str]) -> bool:
    """A reading that knows nothing of the guard: words as written."""
    evidence = " ".join(said[one] for one in line.evidence)
    words = set(re.findall(r"[a-z0-9']+", line.text.lower()))
    there = set(re.findall(r"[a-z0-9']+", evidence.lower()))
    numbers = {word for word in words if word[0].isdigit()}
    denied = bool(words & {"no", "not", "never", "denies", "without", "none", "cannot"})
    can_deny = (
        bool(there & {"no", "not", "never", "nope", "nah", "without", "none", "cannot", "n't", "nothing", "neither"})
        or "n't" in evidence
    )
    return bool(numbers - there) or (denied and not can_deny) or bool(words & {"left", "bilateral"} - there)


def _print_row(title: str, drafts: Sequence[Made], notes: Sequence[str]) -> None:
    from rouge_score import rouge_scorer

    scorer = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeLsum"], use_stemmer=True)
    scores = [scorer.score(note, one.text) for note, one in zip(notes, drafts, strict=True)]
    first, second, longest = ([one[name].fmeasure for one in scores] for name in ("rouge1", "rouge2", "rougeLsum"))
    low, high = _interval(first)
    seconds = statistics.mean(one.seconds for one in drafts)
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
