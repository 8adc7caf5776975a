"""Laboratory values and vital signs: name, number, unit, and whether it lies outside the page's own reference range.

A value is flagged from the range or the flag that stands beside it; only where the page gives neither, from a small
table of usual adult ranges, and then the fact says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from domain.document import Fact, FactKind

Tie = Callable[[int, int], tuple[int, tuple[int, ...], float]]
"""Characters [start, end) of the line to page number, word indices, least confidence."""


@dataclass(frozen=True, slots=True)
class Analyte:
    """`names`: as pages write them, lower case, as a pattern. `usual`: adult range in `unit`; None where it varies much."""

    label: str
    names: str
    unit: str
    usual: tuple[float, float] | None = None


# Usual adult ranges: the Royal College of Pathologists of Australasia's and NHS laboratories' published handbooks give
# ranges like these; every laboratory has its own, which is why the page's range always comes first.
ANALYTES: tuple[Analyte, ...] = (
    Analyte("Haemoglobin", r"ha?emoglobin|hb|hgb", "g/L"),
    Analyte("White cell count", r"white (?:blood )?cell(?: count)?s?|wcc|wbc", "x10^9/L", (4.0, 11.0)),
    Analyte("Platelets", r"platelets?(?: count)?|plt", "x10^9/L", (150, 450)),
    Analyte("Neutrophils", r"neutrophils?(?: count)?", "x10^9/L", (2.0, 7.5)),
    Analyte("Lymphocytes", r"lymphocytes?", "x10^9/L", (1.0, 4.0)),
    Analyte("Haematocrit", r"ha?ematocrit|hct", ""),
    Analyte("MCV", r"mcv|mean cell volume", "fL", (80, 100)),
    Analyte("Sodium", r"sodium|na\+?", "mmol/L", (133, 146)),
    Analyte("Potassium", r"potassium|k\+?", "mmol/L", (3.5, 5.3)),
    Analyte("Chloride", r"chloride", "mmol/L", (95, 108)),
    Analyte("Bicarbonate", r"bicarbonate|hco3", "mmol/L", (22, 29)),
    Analyte("Urea", r"urea|bun", "mmol/L"),
    Analyte("Creatinine", r"creatinine|creat", ""),
    Analyte("eGFR", r"egfr", "mL/min/1.73m2"),
    Analyte("Glucose", r"(?:fasting |random |blood )?glucose|fbg|rbg", ""),
    Analyte("HbA1c", r"hba1c|ha1c|a1c", ""),
    Analyte("Calcium", r"(?:adjusted |corrected )?calcium", "mmol/L", (2.2, 2.6)),
    Analyte("Magnesium", r"magnesium", "mmol/L", (0.7, 1.0)),
    Analyte("Phosphate", r"phosphate", "mmol/L", (0.8, 1.5)),
    Analyte("Albumin", r"albumin", "g/L", (35, 50)),
    Analyte("Total protein", r"total protein", "g/L"),
    Analyte("Bilirubin", r"(?:total )?bilirubin", ""),
    Analyte("ALT", r"alt|alanine (?:amino)?transferase", "U/L"),
    Analyte("AST", r"ast|aspartate (?:amino)?transferase", "U/L"),
    Analyte("ALP", r"alp|alk(?:\.|aline)? ?phos(?:phatase)?", "U/L"),
    Analyte("GGT", r"ggt|gamma[- ]gt", "U/L"),
    Analyte("CRP", r"crp|c-reactive protein", "mg/L", (0, 5)),
    Analyte("ESR", r"esr", "mm/h"),
    Analyte("Lactate", r"lactate", "mmol/L", (0.5, 2.0)),
    Analyte("Troponin", r"(?:high[- ]sensitivity )?troponin(?: [it])?|hs-?tn[it]", ""),
    Analyte("BNP", r"(?:nt-?pro)?bnp", ""),
    Analyte("D-dimer", r"d-dimer", ""),
    Analyte("INR", r"inr", "", (0.8, 1.2)),
    Analyte("TSH", r"tsh", "mU/L"),
    Analyte("Free T4", r"free t4|ft4", "pmol/L"),
    Analyte("Cholesterol", r"(?:total )?cholesterol", ""),
    Analyte("HDL", r"hdl(?:[- ]cholesterol)?", ""),
    Analyte("LDL", r"ldl(?:[- ]cholesterol)?", ""),
    Analyte("Triglycerides", r"triglycerides?", ""),
    Analyte("Ferritin", r"ferritin", ""),
    Analyte("Vitamin B12", r"vitamin b12|b12", ""),
    Analyte("Folate", r"folate", ""),
    Analyte("Vitamin D", r"vitamin d", ""),
    Analyte("Urate", r"urate|uric acid", ""),
    Analyte("PSA", r"psa", ""),
    Analyte("Blood pressure", r"blood pressure|bp", "mmHg"),
    Analyte("Pulse", r"pulse|heart rate|hr", "bpm", (50, 100)),
    Analyte("Respiratory rate", r"respiratory rate|resp(?:iratory)? rate|rr", "/min", (10, 20)),
    Analyte("Temperature", r"temp(?:erature)?", "°C"),
    Analyte("Oxygen saturation", r"oxygen saturations?|o2 sats?|sats?|spo2|saturations?", "%", (94, 100)),
    Analyte("Weight", r"weight|wt", "kg"),
    Analyte("Height", r"height|ht", "cm"),
    Analyte("BMI", r"bmi", "kg/m2"),
)
_UNIT = (
    r"x ?10\^?\d+ ?/ ?L|10\^\d+/L|[mµμunp]?mol/L|mmol/mol|[mµμunp]?g/(?:d?L|mL|l|dl|ml)|mg/mmol|mm/h(?:r)?|m?I?U/m?L|"
    r"mlU/L|[kK]?U/L|mmHg|bpm|/min|mL/min(?:/1\.73 ?m2)?|g/l|fL|pg|kg/m2|kg|cm|°C|°F|%|lb|s(?=\b)"
)
_NUMBER = r"[<>≤≥]?\s?\d+(?:[.,]\d+)?(?:/\d+)?"
_BETWEEN = r"\s*(?:\(?[A-Z]{1,3}\)?\s)?(?:\b(?:was|is|of|at|were|to|measured|level|up to|down to|count|=|on admission)\b\s*){0,3}[:=]?\s*"
_PIECES = (
    ("range", re.compile(r"[(\[]?(?:ref(?:erence)?(?: range)?|range|normal)?:?\s*(?P<it>\d+(?:[.,]\d+)?\s?(?:[-–]|to)\s?\d+(?:[.,]\d+)?|[<>≤≥]=?\s?\d+(?:[.,]\d+)?)(?![\w/])[)\]]?", re.IGNORECASE)),
    ("unit", re.compile(rf"[(\[]?(?P<it>{_UNIT})(?![A-Za-z])[)\]]?")),
    ("flag", re.compile(r"[(\[]?(?P<it>(?:HH|LL|H|L|high|low|HIGH|LOW|High|Low)(?![\w])|[*↑↓]+)[)\]]?")),
)  # fmt: skip
_DOUBTFUL = re.compile(r"(?=[OolI]*\d)[\dOolI]*[OolI][\dOolI]*(?:[.,][\dOolI]+)?(?!\w)|\d+[.,]\d*[OolI][\dOolI]*(?!\w)")
_ROW = re.compile(
    rf"(?:(?:the|serum|plasma) )?(?P<name>[^\W\d_][\w ,/()'+\-]{{1,40}}?)(?:\s+(?:was|is))?\s*:?\s+(?P<number>{_NUMBER})(?![\w/\-])",
    re.IGNORECASE,
)
_A_RANGE = re.compile(r"\s?[-–]\s?\d")
_BEFORE_NUMBER, _STRICT = re.compile(_BETWEEN), re.compile(_NUMBER)
_NAMED = re.compile(
    "|".join(f"(?P<a{number}>(?<![\\w-])(?:{analyte.names})(?![\\w-]))" for number, analyte in enumerate(ANALYTES)),
    re.IGNORECASE,
)


def find(line: str, tie: Tie) -> Iterator[Fact]:
    """Values of one line of text, table row or prose alike."""
    if not _NAMED.search(line):
        yield from _unlisted(line, tie)
    position = 0
    while match := _NAMED.search(line, position):
        position = match.end()
        between = _BEFORE_NUMBER.match(line, match.end())
        start = between.end() if between else match.end()
        value = _DOUBTFUL.match(line, start) or _STRICT.match(line, start)
        if not value or _A_RANGE.match(line, value.end()):
            continue  # "saturation 88-92 %" is what is aimed at, not what was measured
        analyte = ANALYTES[next(number for number in range(len(ANALYTES)) if match[f"a{number}"])]
        beside, end = _beside(line, value.end())
        unit = beside.get("unit", "")
        if len(match.group()) <= 2 and not unit:
            continue  # "K 3" or "HR 88" without a unit may be anything, unless it is a vital sign
        number_text = value.group().strip()
        if re.search("[OolI]", number_text):
            flag, reference = "", "number unclear: a letter stands among the digits"
        else:
            flag, reference = _flag(number_text, beside.get("range", ""), beside.get("flag", ""), analyte, unit)
        page, indices, confidence = tie(match.start(), end)
        yield Fact(
            FactKind.LAB, analyte.label, number_text, page, indices, confidence, unit=unit, flag=flag, reference=reference
        )  # fmt: skip
        position = max(position, value.end())


def _unlisted(line: str, tie: Tie) -> Iterator[Fact]:
    """A table row of a test we have no name for: believed only with its unit and its reference range beside it."""
    row = _ROW.match(line)
    if not row:
        return
    beside, end = _beside(line, row.end())
    if "unit" not in beside or "range" not in beside:
        return
    name = row["name"].strip(" :.")
    number = row["number"].strip()
    flag, reference = _flag(number, beside["range"], beside.get("flag", ""), Analyte(name, "", ""), beside["unit"])
    page, indices, confidence = tie(row.start("name"), end)
    yield Fact(
        FactKind.LAB, name, number, page, indices, confidence, unit=beside["unit"], flag=flag, reference=reference
    )  # fmt: skip


def _beside(line: str, start: int) -> tuple[dict[str, str], int]:
    """Unit, flag and range that follow a number, in whatever order the table has its columns; and where they end."""
    found: dict[str, str] = {}
    end = start
    while True:
        place = _skip_space(line, end)
        for name, pattern in _PIECES:
            piece = pattern.match(line, place) if name not in found else None
            if piece:
                found[name] = piece["it"]
                end = piece.end()
                break
        else:
            return found, end


def _flag(number: str, written: str, mark: str, analyte: Analyte, unit: str) -> tuple[str, str]:
    """(flag, reference): from the page's range, else the page's mark, else the usual range in the same unit."""
    value = _number(number)
    marked = _marked(mark)
    if written and value is not None:
        low, high = _range(written)
        flag = "low" if low is not None and value < low else "high" if high is not None and value > high else ""
        # Page and arithmetic disagree when a digit was misread: then the reader is told both.
        return flag, f"{written}; the page marks it {marked}" if marked and marked != flag else written
    if mark:
        return marked, "flagged on the page"
    if analyte.usual and value is not None and _same_unit(unit, analyte.unit):
        low, high = analyte.usual
        flag = "low" if value < low else "high" if value > high else ""
        return flag, f"usual adult range {low:g}-{high:g}, not from the page"
    return "", ""


def _marked(mark: str) -> str:
    if mark.upper().startswith("L") or "↓" in mark:
        return "low"
    return "high" if mark.upper().startswith("H") or "↑" in mark else ""


def _number(text: str) -> float | None:
    plain = text.replace(",", ".").replace(" ", "")
    if "/" in plain or plain[:1] in "<>≤≥":
        return None
    return float(plain)


def _range(text: str) -> tuple[float | None, float | None]:
    numbers = [float(part.replace(",", ".")) for part in re.findall(r"\d+(?:[.,]\d+)?", text)]
    if text[0] in "<≤":
        return None, numbers[0]
    if text[0] in ">≥":
        return numbers[0], None
    return numbers[0], numbers[1]


def _same_unit(unit: str, other: str) -> bool:
    def plain(text: str) -> str:
        return text.lower().replace(" ", "").replace("μ", "µ").replace("^", "")

    return plain(unit) == plain(other)


def _skip_space(line: str, position: int) -> int:
    while position < len(line) and line[position] == " ":
        position += 1
    return position
