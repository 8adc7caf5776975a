"""How records write the dose, the way and the rhythm of a medicine."""

from __future__ import annotations

import re

DOSE = re.compile(
    r"(?P<dose>(?:\d[\d.,]*|(?=[OolI]*\d)[\dOolI.,]{2,})\s?(?:mg|mcg|µg|μg|ug|g|ml|mL|units?|iu|IU|mmol|%|puffs?|tablets?|capsules?|drops?)"
    r"(?:\s?/\s?\d*\s?(?:ml|mL|h|hr|kg|day|dose|actuation))?)(?![\w])",
)
ROUTE = re.compile(
    r"\b(?:PO|IV|IM|SC|SL|INH|PR|TOP|oral(?:ly)?|by mouth|inhaled|topical(?:ly)?|subcutaneous(?:ly)?|"
    r"intravenous(?:ly)?|nebuli[sz]ed)\b",
    re.IGNORECASE,
)
FREQUENCY = re.compile(
    r"\b(?:once|twice|three times|four times|\d times)(?: (?:a|per) day| daily)?\b|\b(?:daily|nightly|weekly|monthly|"
    r"every (?:\d+|other|four|six|eight|twelve) (?:hours?|days?|weeks?|morning|night)|every (?:morning|night|evening|day)|"
    r"o\.?d\.?|b\.?d\.?|b\.?i\.?d\.?|t\.?d\.?s\.?|t\.?i\.?d\.?|q\.?d\.?s\.?|q\.?i\.?d\.?|q\d+h|prn|p\.r\.n\.|as needed|"
    r"when required|at night|at bedtime|in the morning|stat|nocte|mane)(?!\w)",
    re.IGNORECASE,
)
