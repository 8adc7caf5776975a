"""From a recognition network's posteriors to text: likely characters, and the spaces that the ink shows.

CTC best path (Graves et al. 2006) under a prior over kinds of character: the network knows 6,900 characters, an
English record uses a hundred of them, and a speck over an e is dust more often than an accent.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

SIGN = 0.5  # weight of signs that English records hold now and then: °, µ, ±
ACCENTED = 0.05  # weight of é and its like: names have them, dust makes many more
FOREIGN = 0.02  # weight of every other script; where nothing else is likely it is read all the same
COMMON_SIGNS = "°µμ±²³½¼×÷≤≥→•–—‘’“”£€Ω"
FOLDED = {"μ": "µ", "’": "'", "‘": "'", "“": '"', "”": '"', "：": ":", "，": ",", "；": ";", "（": "(", "）": ")",
          "％": "%", "－": "-", "／": "/", "．": ".", "。": ".", "、": ","}  # fmt: skip
SPACE_HINT = 0.02  # posterior of a space from which the network is taken to have thought of one
SPACE_LIKELY = 0.3  # posterior from which any gap in the ink will do; inside words it stays below a hundredth
MIN_BLANK = 0.10  # of the line's height: no narrower gap is a space
LETTER_BLANK = 0.17  # of the line's height: assumed gap between letters' ink until the page has shown its own
WORD_BLANK = 0.24  # likewise between words


@dataclass(frozen=True, slots=True)
class Reading:
    """`text`; per character: `scores`, its probability 0 to 1; `centres`, its place along the line, 0 to 1;
    `space_after`, the highest posterior of a space between it and the next; `likely_i`, posterior of a capital I."""

    text: str
    scores: np.ndarray
    centres: np.ndarray
    space_after: np.ndarray
    likely_i: np.ndarray


@dataclass(frozen=True, slots=True)
class Gaps:
    """Widths of the blanks between neighbouring characters of one line, as shares of the line's height (NaN where
    their ink touches)."""

    widths: np.ndarray


def prior_over(alphabet: Sequence[str]) -> np.ndarray:
    """float32 (len(alphabet),): the weight that each character's posterior is multiplied by. Index 0 is CTC's blank."""
    weights = np.ones(len(alphabet), np.float32)
    for index, sign in enumerate(alphabet):
        if index and (len(sign) != 1 or ord(sign) > 126):
            latin = len(sign) == 1 and "LATIN" in unicodedata.name(sign, "")
            weights[index] = SIGN if sign in COMMON_SIGNS else ACCENTED if latin else FOREIGN
    return weights


def decode(steps: np.ndarray, used: float, alphabet: Sequence[str], prior: np.ndarray) -> Reading:
    """`steps`: float32 (time, alphabet) probabilities; `used`: share of the time that is not padding."""
    best = steps.argmax(axis=1)
    inked = best != 0  # whether there is a character at all is not the prior's to say
    best[inked] = (steps[inked, 1:] * prior[1:]).argmax(axis=1) + 1
    fresh = np.concatenate([[True], best[1:] != best[:-1]]) & (best != 0)
    starts = np.flatnonzero(fresh)
    space, capital_i = len(alphabet) - 1, _index(alphabet, "I")
    text, scores, centres, ends, likely_i = [], [], [], [], []
    for start in starts:
        end = start
        while end + 1 < len(best) and best[end + 1] == best[start]:
            end += 1
        text.append(FOLDED.get(alphabet[best[start]], alphabet[best[start]]))
        scores.append(float(steps[start : end + 1, best[start]].max()))
        centres.append(((start + end) / 2 + 0.5) / (len(best) * used))
        likely_i.append(float(steps[start : end + 1, capital_i].max()))
        ends.append(end)
    nexts = [*starts[1:], len(best) - 1][: len(ends)]  # a line of nothing has no last character
    space_after = [float(steps[end : start + 1, space].max()) for end, start in zip(ends, nexts, strict=True)]
    reading = Reading(
        "".join(text), np.array(scores), np.clip(np.array(centres), 0, 1), np.array(space_after), np.array(likely_i)
    )
    return _with_capital_i(reading)


def gaps_of(crop: np.ndarray, reading: Reading) -> Gaps:
    """`crop`: uint8 (height, width, 3), the line that was read. The widest blank between each two characters."""
    widths = np.full(max(0, len(reading.text) - 1), np.nan)
    columns = _ink_columns(crop)
    height, width = crop.shape[:2]
    for index in range(len(widths)):
        start, end = (int(reading.centres[i] * (width - 1)) for i in (index, index + 1))
        blank = _widest_blank(columns[start : end + 1])
        if blank:
            widths[index] = blank / height
    return Gaps(widths)


def spaced(readings: Sequence[Reading], gaps: Sequence[Gaps]) -> list[Reading]:
    """The readings with the spaces that the network left out and the ink shows.

    What a space is, each line says for itself where it has some, and the page for lines without ("40 mg" in a cell).
    """
    between_letters, between_words = [], []
    for reading, gap in zip(readings, gaps, strict=True):
        letters, words = _kinds(reading, gap)
        between_letters.extend(letters)
        between_words.extend(words)
    page_letters = float(np.percentile(between_letters, 90)) if len(between_letters) >= 20 else LETTER_BLANK
    page_words = float(np.median(between_words)) if len(between_words) >= 5 else WORD_BLANK
    results = []
    for reading, gap in zip(readings, gaps, strict=True):
        letters, words = _kinds(reading, gap)
        letter = float(np.percentile(letters, 90)) if len(letters) >= 15 else page_letters
        word = float(np.median(words)) if len(words) >= 3 else page_words
        results.append(_spaced_line(reading, gap, letter, max(word, letter)))
    return results


def _spaced_line(reading: Reading, gap: Gaps, letter: float, word: float) -> Reading:
    if not len(gap.widths):
        return reading
    sure = max(0.5 * (letter + word), 1.35 * letter, MIN_BLANK)
    hinted = max(0.35 * word + 0.65 * letter, MIN_BLANK)
    blank = np.nan_to_num(gap.widths)
    thought_of = reading.space_after[:-1]
    # "< 5": the blank that belongs to the sign itself is small, so that less makes a space.
    compared = np.array([sign in "<>" for sign in reading.text[:-1]])
    missing = (
        (blank > sure)
        | ((blank > hinted) & compared)
        | ((blank > hinted) & (thought_of > SPACE_HINT))
        | ((blank > MIN_BLANK) & (thought_of > SPACE_LIKELY))
    )
    text = reading.text
    free = [sign for sign in range(1, len(text) - 1) if _stands_free(text, sign, blank, thought_of, (letter, sure))]
    for sign in free:
        missing[[sign - 1, sign]] = True
    places = [
        int(i)
        for i in np.flatnonzero(missing)
        if text[i] != " "
        and text[i + 1] != " "
        and (blank[i] > 1.4 * word or _may_part(text, int(i)) or i in free or i + 1 in free)
        and not (
            _narrow_digits(text, int(i)) and thought_of[i] <= (SPACE_LIKELY if _dated(text, int(i)) else SPACE_HINT)
        )
    ]
    for place in reversed(places):
        reading = _with_space(reading, place)
    return reading


def _may_part(text: str, index: int) -> bool:
    """Whether a blank little wider than usual is a space: not within "09:15", nor inside a bracket."""
    before, after = text[index], text[index + 1]
    nearby = text[max(0, index - 1) : index + 3]
    numeric = all(sign.isdigit() or sign in ".,:/-" for sign in nearby) and any(sign.isdigit() for sign in nearby)
    if before in "([{/" or after in ")]}/,.;:":
        return False
    return not (numeric and (before in ".,:/-" or after in ".,:/-"))


def _stands_free(text: str, sign: int, blank: np.ndarray, thought_of: np.ndarray, usual: tuple[float, float]) -> bool:
    """Whether a slash or dash stands alone between words: "A-12 / 1998", "3.5 - 5.3". Both blanks tell together: a dash
    is seldom drawn in the middle of its own room."""
    letter, sure = usual
    before, after = blank[sign - 1], blank[sign]
    if text[sign] not in "/-–" or min(before, after) <= max(letter, MIN_BLANK):
        return False
    hinted = thought_of[sign - 1 : sign + 1].max() > SPACE_HINT
    return bool(before + after > (1.5 if hinted else 2) * sure)


def _narrow_digits(text: str, index: int) -> bool:
    """Whether the blank lies between digits of which one is a 1: all digits are as wide, and a 1 fills little."""
    pair = text[index : index + 2]
    return pair.isdigit() and "1" in pair


def _dated(text: str, index: int) -> bool:
    """Whether a pair of digits stands beside a sign that joins them to more: "06/11/1958", "112.11"."""
    return any(sign in "./:-" for sign in text[max(0, index - 1) : index] + text[index + 2 : index + 3])


def _with_space(reading: Reading, after: int) -> Reading:
    cut = after + 1
    middle = (reading.centres[after] + reading.centres[cut]) / 2
    certainty = min(reading.scores[after], reading.scores[cut])
    return Reading(
        reading.text[:cut] + " " + reading.text[cut:],
        np.insert(reading.scores, cut, certainty),
        np.insert(reading.centres, cut, middle),
        np.insert(reading.space_after, cut, 0.0),
        np.insert(reading.likely_i, cut, 0.0),
    )


def _kinds(reading: Reading, gap: Gaps) -> tuple[list[float], list[float]]:
    """Blanks inside words, and blanks at the spaces that were read (both sides of a space make one blank)."""
    letters, words = [], []
    text = reading.text
    for index, width in enumerate(gap.widths):
        if np.isnan(width):
            continue
        if text[index] != " " and text[index + 1] != " ":
            letters.append(float(width))
        elif text[index + 1] == " ":
            words.append(float(width + np.nan_to_num(gap.widths[index + 1 : index + 2]).sum()))
    return letters, words


def _ink_columns(crop: np.ndarray) -> np.ndarray:
    """bool (width,): columns of the line that hold ink, without its outer tenth (rules) and specks."""
    import cv2

    grey = cv2.GaussianBlur(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), (3, 3), 0)
    height = grey.shape[0]
    grey = grey[height // 10 : height - height // 10 or 1]
    paper, dark = np.percentile(grey, (85, 3))
    if paper - dark < 10:
        return np.ones(grey.shape[1], bool)
    limit = max(dark + 0.55 * (paper - dark), paper - 90) if paper - dark < 90 else dark + 0.6 * (paper - dark)
    return (grey < limit).sum(axis=0) >= max(1, round(0.04 * height))


def _widest_blank(columns: np.ndarray) -> int:
    best = run = 0
    for filled in columns.tolist():
        run = 0 if filled else run + 1
        best = max(best, run)
    return best


def _with_capital_i(reading: Reading) -> Reading:
    """In most fonts l and I look alike; what stands beside them tells: MRI, mIU/L, and I alone."""
    text = list(reading.text)
    for index, sign in enumerate(text):
        before = text[index - 1] if index else " "
        after = text[index + 1] if index + 1 < len(text) else " "
        if sign == "l" and (
            after.isupper()
            or (before in " (" and after in " ,;)")
            or (before.isupper() and not after.islower() and reading.likely_i[index] > 0.05)
        ):
            text[index] = "I"
        elif sign == "I" and before.islower() and after.islower():
            text[index] = "l"
    return replace(reading, text="".join(text))


def _index(alphabet: Sequence[str], sign: str) -> int:
    return list(alphabet).index(sign) if sign in alphabet else 0
