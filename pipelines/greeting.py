"""Whether the person who is greeted at the start of a visit can be the patient whose chart it goes to.

A visit filed to the wrong chart is as harmful as a page; what is heard is less certain than print, so it is only said.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from domain.name_keys import keys_of
from domain.speech import Utterance

GREETINGS = 4  # utterances from the start: later on other people are spoken of
OTHER_NAME = (
    "Somebody is greeted here by another family name than the chosen patient's. Check that this visit belongs to this "
    "chart before you sign."
)
_TITLED = re.compile(r"\b(?:Mr|Mrs|Ms|Miss|Mx|Mister|Missus)\b\.?\s+((?=[^\W\d_])(?![a-z])[\w'’-]+)")
_ONESELF = re.compile(r"\b(?:I'm|I’m|I am|my name is|this is)\s*$", re.IGNORECASE)


def greeted(utterances: Sequence[Utterance]) -> tuple[str, ...]:
    """Family names with a title that are spoken to at the start, by anybody but the patient; "Dr" is no patient's."""
    return tuple(
        match.group(1)
        for said in utterances[:GREETINGS]
        if (said.role or said.speaker).casefold() != "patient"
        for match in _TITLED.finditer(said.text)
        if not _ONESELF.search(said.text[: match.start()])
    )


def greets_another(utterances: Sequence[Utterance], patient_name: str) -> bool:
    """Whether somebody is greeted, and by no name that reads or sounds like one of the patient's."""
    known, names = _keys(patient_name), greeted(utterances)
    return bool(names) and all(known.isdisjoint(_keys(name)) for name in names)


def _keys(name: str) -> frozenset[str]:
    return frozenset(key for word in re.findall(r"\w+", _plain(name)) for key in keys_of(word))


def _plain(name: str) -> str:
    apart = unicodedata.normalize("NFKD", name.casefold())
    return re.sub(r"['’`]", "", "".join(char for char in apart if not unicodedata.combining(char)))
