"""Numbers as people say and write them, brought to one form, so that "eighty", "80" and "80." are the same value."""

from __future__ import annotations

import re
from collections.abc import Sequence

_UNITS = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
        "eighteen nineteen".split()
    )
}
_TENS = {
    word: value
    for value, word in zip(
        range(20, 100, 10), "twenty thirty forty fifty sixty seventy eighty ninety".split(), strict=True
    )
}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
_ORDINALS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
    "tenth": 10, "eleventh": 11, "twelfth": 12, "twentieth": 20, "thirtieth": 30,
}  # fmt: skip
_OTHERS = {"once": 1, "twice": 2, "half": 0.5, "dozen": 12, "couple": 2, "fourty": 40}
_TOKEN = re.compile(r"\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|[A-Za-z]+(?:-[A-Za-z]+)*")


def is_number_word(word: str) -> bool:
    """Whether the word is a number, in digits or letters."""
    plain = word.lower().strip(".,;:!?%")
    if any(letter.isdigit() for letter in plain):
        return True
    return all(part in _UNITS or part in _TENS or part in _SCALES for part in plain.split("-")) and bool(plain)


def values(text: str) -> frozenset[str]:
    """Every number of a text, each as plain digits: "twenty-five mg" and "25 mg" both hold "25".

    Where a run of number words can be read in several ways ("one twenty over eighty", "twenty eighteen"), every reading
    is in the set: it is the evidence's side that must be generous. "one" alone is mostly no number and counts only
    when written as a digit or within a run.
    """
    found: set[str] = set()
    run: list[str] = []
    for token in _TOKEN.findall(text):
        if token[0].isdigit():
            found |= _readings(run)
            run = []
            found.add(_plain(float(token.replace(",", ""))))
            continue
        for part in token.lower().split("-"):
            if (
                part in _UNITS
                or part in _TENS
                or part in _SCALES
                or (part == "and" and run and run[-1] in _SCALES)
                or (part == "point" and run)
            ):
                run.append(part)
            elif part in _ORDINALS and run and run[-1] in _TENS:
                run.append(part)
                found |= _readings(run)
                run = []
            else:
                found |= _readings(run)
                run = []
                if part in _OTHERS:
                    found.add(_plain(_OTHERS[part]))
                elif part in _ORDINALS:
                    found.add(_plain(_ORDINALS[part]))
    return frozenset(found | _readings(run))


def _readings(run: Sequence[str]) -> set[str]:
    while run and run[-1] in ("and", "point"):
        run = run[:-1]
    if not run or list(run) == ["one"]:
        return set()
    found: set[str] = set()
    if "point" in run:
        at = list(run).index("point")
        whole, rest = _sum(run[:at]), [w for w in run[at + 1 :] if w in _UNITS and _UNITS[w] < 10]
        if rest:
            found.add(_plain(float(f"{whole}." + "".join(str(_UNITS[w]) for w in rest))))
        return found | _readings(run[:at]) | _readings(run[at + 1 :])
    groups = _groups(run)
    if len(groups) == 1 or any(word in _SCALES for word in run):
        return found | {_plain(_sum(run))}
    found |= {_plain(group) for group in groups}
    found.add(
        _plain(float("".join(str(int(group)) for group in groups)))
    )  # "one twenty" is 120, "twenty eighteen" 2018
    return found


def _groups(run: Sequence[str]) -> list[int]:
    """The run cut into numbers below 100, scales joined: "one twenty" -> [1, 20], "twenty five" -> [25]."""
    groups: list[int] = []
    tens_open = False
    for word in run:
        if word == "and":
            continue
        if word in _SCALES:
            if groups:
                groups[-1] *= _SCALES[word]
            else:
                groups.append(_SCALES[word])
            tens_open = False
        elif word in _TENS or (word in _ORDINALS and not tens_open):
            groups.append(_TENS.get(word) or _ORDINALS[word])
            tens_open = word in _TENS
        else:
            value = _UNITS.get(word, _ORDINALS.get(word, 0))
            if tens_open and 0 < value < 10:
                groups[-1] += value
            else:
                groups.append(value)
            tens_open = False
    return groups


def _sum(run: Sequence[str]) -> int:
    """The run as one number in the regular way: "three hundred and twenty five" -> 325."""
    total, current = 0, 0
    for word in run:
        if word == "and":
            continue
        if word in _SCALES:
            current = max(current, 1) * _SCALES[word]
            if _SCALES[word] >= 1000:
                total, current = total + current, 0
        else:
            current += _UNITS.get(word, _TENS.get(word, _ORDINALS.get(word, 0)))
    return total + current


def _plain(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")
