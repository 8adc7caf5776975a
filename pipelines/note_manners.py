"""What is said in a visit for the sake of talking, and is no fact about the patient: greetings, offers, reactions.

The texts are statements in note style ("We can help the patient with that."). An offer or a reaction counts as such only
where it names nothing: "we can help you quit with patches" is a plan, "I am afraid of needles" a fear.
"""

from __future__ import annotations

import re

from pipelines.note_sentences import words_of
from pipelines.note_style import spelled_out

_MANNERS = re.compile(
    r"^(?:(?:i am|that is|it is|sounds?|that sounds) (?:glad|happy|sorry|good|great|nice|fine|perfect|awesome|okay|wonderful)\b|"
    r"(?:thank|thanks|bye|goodbye|hello|hi|hey|(?:good )?(?:morning|afternoon|evening)|nice to|see you|take care|dragon|welcome|"
    r"of course|tell me|le[tm] me (?:ask|see|check|look|listen|know)|lem me|touch here|does that hurt|any questions|"
    r"(?:i|we) will (?:talk|chat|go over|take a (?:quick )?look|have a look|look at|listen|do a (?:quick )?(?:physical )?exam|check (?:on|out)|ask)\b|"
    r"(?:end of|finali[sz]e|close) (?:the )?(?:note|recording|dictation|report|visit)\b|show me\b|assessment and plan(?=\.?$)|"
    r"we will (?:take a (?:quick )?listen|do (?:his|her|their|the patient's|your|a|an|the) (?:quick |physical )*exam(?:ination)?\b|"
    r"review (?:his|her|their|the patient's|your) (?:past |medical )*history)|"
    r"(?:push|pull|kick|squeeze|press|lean|breathe|bend|lift)\b.{0,20}\b(?:my|for me)\b|"
    r"i know the nurse|i am dr|my name is|have a (?:good|great|nice)|you are welcome|no problem|let me know|here we go|how are you)\b)",
    re.I,
)
EMPTY = frozenset(
    "the that this these those there here then than them they their and but for not was were are is has had have does did do can could "
    "would will should may might just now today point time moment thing things stuff something anything nothing everything "
    "patient you your his her him she who what when where how why yes yeah okay right well good great fine nice sure maybe "
    "really very much too also still again back out off way kind like know think see say said guess mean want going get got "
    "let make sense with from about into been being take takes taking took all any some one both other same more most less lot bit little few".split()
)
# An offer has one of these and beside it only what means nothing by itself; so has a reaction to what was said before.
_OFFERED = frozenset(
    "help helps helped assist support guide care after sort sorted handle handled fix bottom work best hands comfortable".split()
)
_OFFERING = frozenset(
    "happy glad able try trying always certainly surely definitely also here there hope our team staff nurse nurses front desk "
    "colleague colleagues office worry panic please everything bear stay free feel figure figured through feet".split()
)
_GLAD = frozenset(
    "surprised relieved glad happy pleased sorry grateful thankful hopeful relief reassuring reassured surprise surprising "
    "scary sense kind".split()
)
_THOUGHT = frozenset("thought figured feared hoped guessed suspected expected knew suspect suppose".split())
_AFRAID = frozenset(
    "afraid scared frightened worried nervous anxious worries scares".split()
)  # of a fear of its own it may be the reason for a visit
_REACTING = frozenset("hear heard told know news much bit little felt feel feels makes made sounds been".split())
_THAT = frozenset("that this it those everything".split())
_DENIALS = frozenset("no not never none".split())


def only_manners(text: str, said: str, clinician: bool, asked: bool) -> bool:
    """Whether a statement holds nothing but manners. `said`: its own words, `text`: the same in note style; `asked`: it
    answers a question, so that a feeling is an answer.
    """
    if _MANNERS.match(text):
        return True
    words = set(words_of(spelled_out(said)))
    telling = {word for word in words if means(word)}
    if clinician:
        return bool(telling & _OFFERED) and telling <= _OFFERED | _OFFERING
    if asked or words & _DENIALS:
        return False
    back = bool(words & _THAT or {"as", "much"} <= words or "so" in words)
    felt = telling & _GLAD or (back and telling & (_AFRAID | _THOUGHT))
    return bool(felt) and telling <= _GLAD | _AFRAID | _THOUGHT | _REACTING


def means(word: str) -> bool:
    """Whether a word of a note tells something by itself."""
    return word not in EMPTY and (len(word) > 2 or any(map(str.isdigit, word)))
