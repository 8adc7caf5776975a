"""Dose and frequency as doctors write them, as numbers, and as a patient says them.

Knows English prescribing words and the Latin short forms; a wording it does not know is kept as it is and has no
numbers, never a guess. Does not know drugs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

NUMBER_WORDS = {
    "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8",
    "nine": "9", "ten": "10", "twelve": "12", "half": "0.5", "½": "0.5", "¼": "0.25", "¾": "0.75", "1/2": "0.5",
    "1/4": "0.25", "3/4": "0.75", "once": "1", "twice": "2", "thrice": "3",
}  # fmt: skip

PERIOD_DAYS = {"h": Fraction(1, 24), "d": Fraction(1), "wk": Fraction(7), "mo": Fraction(30)}
PERIOD_WORDS = {
    "hour": "h", "hr": "h", "h": "h", "day": "d", "d": "d", "night": "d", "week": "wk", "wk": "wk", "month": "mo",
}  # fmt: skip
EVERY_WORDS = {
    "daily": ("1", "d"), "nightly": ("1", "d"), "weekly": ("1", "wk"), "monthly": ("1", "mo"),
    "fortnightly": ("2", "wk"),
}  # fmt: skip

# Short forms of the British National Formulary and of American practice: times, period, unit.
SHORT_FORMS = {
    "od": (1, "1", "d"), "qd": (1, "1", "d"), "mane": (1, "1", "d"), "om": (1, "1", "d"), "nocte": (1, "1", "d"),
    "on": (1, "1", "d"), "hs": (1, "1", "d"), "qhs": (1, "1", "d"), "qam": (1, "1", "d"), "qpm": (1, "1", "d"),
    "bd": (2, "1", "d"), "bid": (2, "1", "d"), "tds": (3, "1", "d"), "tid": (3, "1", "d"), "qds": (4, "1", "d"),
    "qid": (4, "1", "d"), "qod": (1, "2", "d"), "qw": (1, "1", "wk"),
}  # fmt: skip
MOMENTS = {
    "morning": "in the morning", "mane": "in the morning", "om": "in the morning", "qam": "in the morning",
    "breakfast": "at breakfast", "evening": "in the evening", "qpm": "in the evening", "night": "at night",
    "nocte": "at night", "on": "at night", "nightly": "at night", "bedtime": "at bedtime", "hs": "at bedtime",
    "qhs": "at bedtime", "noon": "at noon", "midday": "at noon", "afternoon": "in the afternoon",
}  # fmt: skip
MOMENT_GLUE = frozenset({"in", "the", "at", "and", "each", "every"})
AS_NEEDED = re.compile(r"\b(?:only )?(?:(?:as|when|if) (?:needed|required|necessary)|prn|sos)\b")
WITH_FOOD = re.compile(
    r"\b(?:with or after|with|before|after) (?:food|meals?|water|milk)\b|\bon an empty stomach\b"
)  # when, not how often; the words stay on the prescription

UNIT_NAMES = {
    "tab": "tablet", "tabs": "tablet", "tablets": "tablet", "cap": "capsule", "caps": "capsule", "capsules": "capsule",
    "puffs": "puff", "drops": "drop", "gtt": "drop", "gtts": "drop", "sprays": "spray", "patches": "patch",
    "sachets": "sachet", "suppositories": "suppository", "ampoules": "ampoule", "vials": "vial", "units": "unit",
    "unit": "unit", "iu": "unit", "u": "unit", "milligram": "mg", "milligrams": "mg", "gram": "g", "grams": "g",
    "gm": "g", "microgram": "mcg", "micrograms": "mcg", "ug": "mcg", "µg": "mcg", "μg": "mcg", "mls": "ml",
    "millilitre": "ml", "millilitres": "ml", "milliliter": "ml", "milliliters": "ml", "cc": "ml", "litre": "l",
    "applications": "application", "inhalations": "inhalation", "pessaries": "pessary", "lozenges": "lozenge",
    "injections": "injection", "doses": "dose", "spoonfuls": "spoonful", "pens": "pen", "bottles": "bottle",
    "tubes": "tube",
}  # fmt: skip
MASS_MG = {"ng": Decimal("0.000001"), "mcg": Decimal("0.001"), "mg": Decimal(1), "g": Decimal(1000)}
VOLUME_ML = {"ml": Decimal(1), "l": Decimal(1000)}
COUNTED = frozenset({
    "tablet", "capsule", "puff", "drop", "spray", "patch", "sachet", "suppository", "ampoule", "vial", "application",
    "inhalation", "pessary", "lozenge", "injection", "dose", "spoonful", "pen", "bottle", "tube",
})  # fmt: skip

_N = r"(\d+(?:\.\d+)?)(?: ?- ?(\d+(?:\.\d+)?))?"  # "4" or "4-6"
_DOSE = re.compile(rf"{_N} ?([^\W\d_]+(?: ?/ ?[^\W_]+)*)?\.?")
_PERIOD = "|".join(f"{word}s?" for word in PERIOD_WORDS)
_DAILY = re.compile(rf"(?:x ?)?(?:{_N} ?(?:x|times?)? ?)?({'|'.join(EVERY_WORDS)})")
_TIMES_A = re.compile(rf"{_N} ?(?:x|times?)? ?(?:a|an|per|each|every|/|in) ?(?:{_N} )?({_PERIOD})")
_EVERY = re.compile(rf"(?:every|each|q) ?(?:{_N} ?)?({_PERIOD})")
_HOURLY = re.compile(rf"(?:every )?(?:{_N}[ -]?)?hourly")


@dataclass(frozen=True, slots=True)
class Dose:
    """`low` to `high` of `unit` at a time (equal unless a range was written); unit in the singular, "" when none."""

    low: Decimal
    high: Decimal
    unit: str


@dataclass(frozen=True, slots=True)
class Rhythm:
    """`times` (to `times_max`) in every `period` (to `period_max`) `period_unit`: h, d, wk or mo.

    `times` is 0 when only "as needed" is said. `moments`: times of day that were named.
    """

    times: int
    times_max: int
    period: Decimal
    period_max: Decimal
    period_unit: str
    as_needed: bool = False
    moments: tuple[str, ...] = ()

    @property
    def times_a_day(self) -> Fraction:
        """How often a day at most, exactly."""
        return Fraction(self.times_max) / (Fraction(self.period) * PERIOD_DAYS[self.period_unit])


def read_dose(text: str) -> Dose | None:
    """The dose in "1-2 tablets", "500 mg", "one puff"; None unless the whole text is a number and a unit."""
    found = _DOSE.fullmatch(_plain(re.sub(r"(?i)\bhalf an? ", "half ", text)))
    if not found:
        return None
    low = Decimal(found[1])
    high = Decimal(found[2]) if found[2] else low
    return Dose(low, high, unit_name(found[3] or "")) if 0 < low <= high else None


def read_rhythm(text: str) -> Rhythm | None:
    """The frequency in "three times daily", "BD", "every 6 hours", "once a week"; None unless every word is known.

    A frequency half understood would print a wrong sentence for the patient ("8 hourly" is not "hourly"), so the
    whole text must fit one of the forms.
    """
    words = _plain(text)
    needed = bool(AS_NEEDED.search(words))
    words = AS_NEEDED.sub(" ", words)
    words = " ".join(WITH_FOOD.sub(" ", words).replace(",", " ").split())
    if not words:
        return Rhythm(0, 0, Decimal(1), Decimal(1), "d", True) if needed else None
    tail, moments = _split_moments(words)
    for part in (words, tail):
        rhythm = _form(part) if part else None
        if rhythm is not None:
            times, times_max, period, period_max, unit = rhythm
            if not 0 < times <= times_max or not 0 < period <= period_max:
                return None
            if moments and part == tail != words and len(moments) > times_max:
                return None  # "once daily in the morning and at night" contradicts itself
            said = moments if part == tail else tuple(MOMENTS[word] for word in words.split() if word in MOMENTS)
            return Rhythm(times, times_max, period, period_max, unit, needed, said)
    if moments and not tail:
        return Rhythm(len(moments), len(moments), Decimal(1), Decimal(1), "d", needed, moments)
    return None


def unit_name(unit: str) -> str:
    """One spelling for a unit: "Tabs" -> "tablet", "µg" -> "mcg"."""
    plain = re.sub(r"\s", "", unit.strip().lower().rstrip("."))
    return UNIT_NAMES.get(plain, plain)


def plain_sig(dose: str, frequency: str, route: str, form: str, duration_days: int, note: str) -> str:
    """The sentence for the patient: "Take 1 capsule three times a day, by mouth, for 7 days."."""
    amount = read_dose(dose)
    said = f"{_count(amount)} {_many(amount)}".strip() if amount else dose
    rhythm = read_rhythm(frequency)
    parts = [f"{_verb(route, form)} {said} {_say_rhythm(rhythm) if rhythm else frequency}".strip()]
    where = _say_route(route)
    if where:
        parts.append(where)
    if rhythm:  # otherwise the doctor's own words stand there, food and all
        parts += [found[0] for found in WITH_FOOD.finditer(_plain(frequency))]
    if duration_days:
        parts.append(f"for {duration_days} day{'s' if duration_days != 1 else ''}")
    sentence = ", ".join(parts) + "."
    return f"{sentence} {note[0].upper()}{note[1:].rstrip('.')}." if note else sentence


def clinical_sig(dose: str, frequency: str, route: str, duration_days: int) -> str:
    """The line for colleagues: "1 capsule oral three times daily x 7 days"."""
    days = f"× {duration_days} days" if duration_days > 1 else ("× 1 day" if duration_days else "")
    return " ".join(part for part in (dose, route, frequency, days) if part)


def _form(words: str) -> tuple[int, int, Decimal, Decimal, str] | None:
    """times, most times, period, longest period, unit; None when `words` is none of the forms we know."""
    one = Decimal(1)
    if words in SHORT_FORMS:
        times, period, unit = SHORT_FORMS[words]
        return times, times, Decimal(period), Decimal(period), unit
    other = re.fullmatch(r"(?:1 )?(?:every (?:other|2nd|second)|on alternate|alternate) (day|week)s?", words)
    if other:
        return 1, 1, Decimal(2), Decimal(2), PERIOD_WORDS[other[1]]
    if found := _DAILY.fullmatch(words):
        period, unit = EVERY_WORDS[found[3]]
        return _whole(found[1]), _whole(found[2] or found[1]), Decimal(period), Decimal(period), unit
    if found := _HOURLY.fullmatch(words):
        period = Decimal(found[1] or 1)
        return 1, 1, period, Decimal(found[2] or period), "h"
    if found := _TIMES_A.fullmatch(words):
        period = Decimal(found[3] or 1)
        times = _whole(found[1]), _whole(found[2] or found[1])
        return *times, period, Decimal(found[4] or period), _period_unit(found[5])
    if found := _EVERY.fullmatch(words):
        period = Decimal(found[1] or one)
        return 1, 1, period, Decimal(found[2] or period), _period_unit(found[3])
    return None


def _split_moments(words: str) -> tuple[str, tuple[str, ...]]:
    """("3 times daily", ()) or ("1 daily", ("at night",)): the moments of day at the end, and what is before them."""
    tokens = words.split()
    at = len(tokens)
    while at and (tokens[at - 1] in MOMENTS or tokens[at - 1] in MOMENT_GLUE):
        at -= 1
    moments = tuple(dict.fromkeys(MOMENTS[token] for token in tokens[at:] if token in MOMENTS))
    return (" ".join(tokens[:at]), moments) if moments else (words, ())


def _whole(text: str | None) -> int:
    """A count of times; 0, which no rhythm has, for a fraction."""
    number = Decimal(text or 1)
    return int(number) if number == number.to_integral_value() else 0


def _period_unit(word: str) -> str:
    return PERIOD_WORDS.get(word) or PERIOD_WORDS[word.removesuffix("s")]


def _plain(text: str) -> str:
    """Lower case, figures for number words, decimal points, one kind of dash, no dots in short forms."""
    words = text.lower().replace("×", " x ").replace("–", "-").replace("—", "-")
    words = re.sub(r"(?<=\d),(?=\d)(?!\d{3}\b)", ".", words)  # "1,000" is a thousand here and one there: not read
    words = re.sub(r"\b(?:[a-z]\.){2,}", lambda found: found[0].replace(".", ""), words)
    words = re.sub(r"(\d) ?([½¼¾])", lambda found: f"{found[1]}{NUMBER_WORDS[found[2]][1:]}", words)
    words = re.sub(r"\b([a-z]+)-(hourly)\b", r"\1 \2", words)
    words = " ".join(NUMBER_WORDS.get(word, word) for word in words.rstrip(" .").split())
    return re.sub(r"(?<=\d) ?(?:-|to) ?(?=\d)", "-", words)


def _count(dose: Dose) -> str:
    low, high = (f"{value.normalize():f}" for value in (dose.low, dose.high))
    return low if low == high else f"{low} to {high}"


def _many(dose: Dose) -> str:
    if dose.unit not in COUNTED or dose.high <= 1:
        return "mL" if dose.unit == "ml" else dose.unit
    if dose.unit.endswith(("ch", "sh", "x")):
        return dose.unit + "es"
    return dose.unit[:-1] + "ies" if dose.unit.endswith("y") else dose.unit + "s"


def _say_rhythm(rhythm: Rhythm) -> str:
    counts = {1: "once", 2: "twice", 3: "three times", 4: "four times", 5: "five times", 6: "six times"}
    names = {"h": "hour", "d": "day", "wk": "week", "mo": "month"}
    needed = "only when you need it" if rhythm.as_needed else ""
    if not rhythm.times:
        return needed
    name = names[rhythm.period_unit]
    count = counts.get(rhythm.times, f"{rhythm.times} times")
    if rhythm.times_max != rhythm.times:
        count = f"{rhythm.times} to {rhythm.times_max} times"
    period = f"{rhythm.period.normalize():f}"
    if rhythm.period_max != rhythm.period:
        period = f"{period} to {rhythm.period_max.normalize():f}"
    if rhythm.moments and len(rhythm.moments) == rhythm.times == rhythm.times_max and rhythm.period_unit == "d":
        every = "day" if period == "1" else f"{period} days"
        said = f"every {every} " + " and ".join(rhythm.moments)
    elif period == "1" and rhythm.period_unit != "h":
        said = f"{count} a {name}"
    else:
        every = name if period == "1" else f"{period} {name}s"
        said = f"every {every}" if count == "once" else f"{count} every {every}"
    return f"{said}, {needed}" if needed else said


def _verb(route: str, form: str) -> str:
    words = f"{route} {form}".lower()
    if re.search(r"inhal|puff|nebul", words):
        return "Breathe in"
    if re.search(r"inject|subcut|intramusc|intraven|\bsc\b|\bim\b|\biv\b", words):
        return "Inject"
    if re.search(r"topical|skin|cream|ointment|gel|patch|transderm", words):
        return "Apply"
    if re.search(r"eye|ophth|ear|otic|nasal|nose|drop|spray", words):
        return "Put in"
    if re.search(r"rect|vagin|supposit|pessar", words):
        return "Insert"
    return "Take"


def _say_route(route: str) -> str:
    said = {
        "oral": "by mouth", "po": "by mouth", "by mouth": "by mouth", "orally": "by mouth", "sc": "under the skin",
        "subcutaneous": "under the skin", "im": "into a muscle", "intramuscular": "into a muscle", "iv": "into a vein",
        "intravenous": "into a vein", "topical": "on the skin", "sublingual": "under the tongue",
        "sl": "under the tongue", "inhaled": "", "inhalation": "", "rectal": "into the back passage",
        "pr": "into the back passage", "vaginal": "into the vagina", "nasal": "into the nose",
        "ophthalmic": "into the eye", "otic": "into the ear", "buccal": "inside the cheek",
        "transdermal": "on the skin",
    }  # fmt: skip
    return said.get(route.strip().lower().rstrip("."), route)
