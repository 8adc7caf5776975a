"""The guard behind every note engine: a line may hold no number, medicine, side or denial that its evidence does not.

It knows nothing of how a line was made. What it cannot find in the utterances that the line names, in a sense that it
checks word by word, keeps the line out of its section, with the reason in plain words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from domain.consultation import NoteLine
from pipelines.negation import denied
from pipelines.note_exchanges import answers_no, answers_yes, last_question
from pipelines.note_numbers import values
from pipelines.note_sentences import words_of
from pipelines.note_style import spelled_out

Drugs = Callable[[Sequence[str]], Mapping[str, str]]
"""Medicines named in a run of words: the canonical name to the words that name it, lower case."""

_DENIAL = re.compile(
    r"\b(?:no|not|none|never|nothing|neither|nor|nope|nah|without|cannot|denies|denied|deny|denying|negative|absent|free of|"
    r"unable|absence|lacks?|ruled out)\b|n't\b|\b(?:non|un)-?(?:tender|remarkable|healing)",
    re.I,
)
_SIDES = {
    "left": re.compile(r"\bleft(?:-sided)?\b", re.I),
    "both": re.compile(r"\bbilateral(?:ly)?\b|\bboth (?:sides|\w+s\b)|\beither side\b|\b(?:legs|arms|lungs|ankles|feet|knees|eyes|ears|hips|hands) both\b", re.I),
}  # fmt: skip
# "right" is mostly a manner of speaking; what stands before or after it tells.
_NO_SIDE_BEFORE = frozenset("all that's thats that it's okay yeah yes so".split())
_NO_SIDE_AFTER = frozenset(
    "now away there here after before when then up at about around on in by as off so okay".split()
)
_SIDE_BEFORE = frozenset("my your the their his her on to of in your upper lower left or and".split())
_UNIT = re.compile(
    r"(\d+(?:\.\d+)?)\s*-?\s*(milligrams?|mg|micrograms?|mcg|µg|ug|grams?|g|kilograms?|kg|pounds?|lbs?|millilitres?|milliliters?|ml|"
    r"litres?|liters?|l|units?|iu|percent|%|centimet(?:er|re)s?|cm|millimet(?:er|re)s?|mm|minutes?|hours?|days?|weeks?|months?|years?)\b",
    re.I,
)  # fmt: skip
_ONE_NAME = {
    "milligram": "mg", "microgram": "mcg", "µg": "mcg", "ug": "mcg", "gram": "g", "kilogram": "kg", "pound": "lb",
    "millilitre": "ml", "milliliter": "ml", "litre": "l", "liter": "l", "iu": "unit", "percent": "%", "centimeter": "cm",
    "centimetre": "cm", "millimeter": "mm", "millimetre": "mm",
}  # fmt: skip
_DRUG_ENDING = re.compile(
    r"\b\w{3,}(?:pril|statin|olol|sartan|mycin|cillin|azole|azepam|oxetine|formin|gliptin|gliflozin|dipine|prazole|parin|xaban|"
    r"cycline|floxacin|triptan|tidine|setron|lukast|terol|sone|solone|mab|vir)\b",
    re.I,
)
_DENIES = re.compile(r"^denies\b", re.I)
_CONTRAST = re.compile(r"\b(?:but|except|although|though|however|reports|other than|apart from)\b", re.I)
_PLAIN_WORD = re.compile(r"[a-z]{4,}")
# Words of a line that are the note's own way of putting things, and no finding.
_NOTE_WORDS = frozenset(
    "patient reports report denies deny history with that this have been does their they will also some from when what "
    "more than very much were would could should there about like feel feels felt having take takes taking know knows "
    "time times little good other them then each every still doing going think thinks well able want need make look "
    "symptoms symptom anything something".split()
)


def guard(
    lines: Sequence[NoteLine], said: Mapping[str, str], drugs: Drugs
) -> tuple[tuple[NoteLine, ...], tuple[NoteLine, ...]]:
    """Lines that their evidence holds, and those that it does not, each with its reason. `said`: text by utterance id.

    What a person wrote stays where he put it, with the reason as a warning: he answers for it.
    """
    kept, held_back = [], []
    for line in lines:
        reason = why_unsupported(line.text, line.evidence, said, drugs)
        checked = replace(line, reason=reason)
        if reason and not line.by_person:
            held_back.append(checked)
        else:
            kept.append(checked)
    return tuple(kept), tuple(held_back)


def why_unsupported(text: str, evidence: Sequence[str], said: Mapping[str, str], drugs: Drugs) -> str:
    """What of a line is not in its evidence, as a sentence; "" where everything is."""
    if not evidence:
        return "It names nothing that was said as its source."
    if any(one not in said for one in evidence):
        return "It names a source that is not in the transcript."
    heard = [said[one] for one in evidence]
    everything = " ".join(heard)
    missing = sorted(values(text) - values(everything), key=float)
    if missing:
        return f"The number {_listed(missing)} was not said there."
    units = _changed_units(text, everything)
    if units:
        return f"The unit of {_listed(units)} was said differently."
    unheard = _unheard_drugs(text, everything, drugs)
    if unheard:
        return f"The medicine {_listed(unheard)} was not named there."
    sides = sorted(sides_of(text) - sides_of(everything))
    if sides:
        return f"The side {_listed(sides)} was not said there."
    return _denial_fault(text, heard)


def sides_of(text: str) -> frozenset[str]:
    """ "left", "right" and "both" where they mean a side of the body; "right" as a manner of speaking is none."""
    found = {side for side, pattern in _SIDES.items() if pattern.search(text)}
    return frozenset(found | {"right"} if _right_side(text) else found)


def _right_side(text: str) -> bool:
    words = [re.sub(r"[^\w'-]", "", word).lower() for word in text.split()]
    for at, word in enumerate(words):
        if word == "right-sided":
            return True
        if word != "right":
            continue
        before = words[at - 1] if at else ""
        after = words[at + 1] if at + 1 < len(words) else ""
        if before in _SIDE_BEFORE or (after and before not in _NO_SIDE_BEFORE and after not in _NO_SIDE_AFTER):
            return True
    return False


def _unheard_drugs(text: str, everything: str, drugs: Drugs) -> list[str]:
    """Medicines of a line that were not named; a word that was said is no other medicine because its ending differs."""
    heard = drugs(everything.split())
    stems = {_stem(word) for word in words_of(everything)}
    named = {name: surface for name, surface in drugs(text.split()).items() if name not in heard}
    named |= {word.lower(): word.lower() for word in _DRUG_ENDING.findall(text)}
    return sorted(
        surface for surface in set(named.values()) if not all(_stem(word) in stems for word in words_of(surface))
    )


def denies(text: str) -> bool:
    """Whether a text holds any denial."""
    return bool(_DENIAL.search(text))


def _changed_units(text: str, everything: str) -> list[str]:
    heard: dict[str, set[str]] = {}
    for value, unit in _units(everything):
        heard.setdefault(value, set()).add(unit)
    return [f"{value} {unit}" for value, unit in _units(text) if value in heard and unit not in heard[value]]


def _units(text: str) -> list[tuple[str, str]]:
    found = []
    for value, unit in _UNIT.findall(text):
        low = unit.lower()
        singular = low[:-1] if low.endswith("s") and low not in ("lbs",) else {"lbs": "lb"}.get(low, low)
        found.append((f"{float(value):g}", _ONE_NAME.get(singular, singular)))
    return found


def _denial_fault(text: str, heard: Sequence[str]) -> str:
    """A denial that nobody uttered, one that was lost, or one that was turned round."""
    if denies(text) and not any(denies(one) for one in heard):
        return "It denies something, and no denial was said there."
    affirmed, refused = polarity(heard)
    line_affirmed, line_refused = _polarity_of_line(text)
    lost = sorted((line_affirmed - line_refused) & (refused - affirmed))
    if lost:
        return f"It states “{lost[0]}”, which was denied there."
    turned = sorted((line_refused - line_affirmed) & (affirmed - refused))
    if turned and (_DENIES.match(text) or not line_refused & refused):
        return f"It denies “{turned[0]}”, which was not denied there."
    return ""


def _polarity_of_line(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """As `polarity`; what follows "Denies" at a line's beginning is denied up to a "but", however long the list."""
    if not _DENIES.match(text):
        return polarity([text])
    contrast = _CONTRAST.search(text)
    head, tail = (text[: contrast.start()], text[contrast.start() :]) if contrast else (text, "")
    stated, refused = polarity([tail])
    return stated, refused | _content(head)


def polarity(heard: Sequence[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Content words that are stated and that are denied, in utterances given in order.

    A word of a question is neither, until the next utterance answers: yes states it, no denies it.
    """
    stated: set[str] = set()
    refused: set[str] = set()
    asked: frozenset[str] = frozenset()
    for text in map(spelled_out, heard):
        if asked and answers_no(text):
            refused |= asked
        elif asked and answers_yes(text):
            stated |= asked
        elif asked:
            stated |= asked
            refused |= asked  # the answer is neither: whatever the line says of these words cannot be judged here
        question = last_question(text)
        asked = frozenset(_content(question))
        plain = text.strip().removesuffix(question) if question else text
        words = plain.split()
        for word, is_denied in zip(words, denied(words), strict=True):
            (refused if is_denied else stated).update(_content(word))
    if asked:
        stated |= asked
        refused |= asked
    return frozenset(stated), frozenset(refused)


def _content(text: str) -> set[str]:
    return {_stem(word) for word in _PLAIN_WORD.findall(text.lower()) if word not in _NOTE_WORDS}


def _stem(word: str) -> str:
    """Without a plural or third-person s; enough to compare a line with what it was made from."""
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _listed(things: Sequence[str]) -> str:
    return ", ".join(things)
