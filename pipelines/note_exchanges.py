"""Joins what belongs together: a question and its answer become one statement that holds both.

"Any fever or chills?" "No." -> "Denies fever or chills."; "Any allergies?" "Penicillin, a rash." -> "Allergies:
penicillin (rash)."; "Are you taking your lisinopril?" "Yes." -> "The patient is taking her lisinopril." What is not
understood is not joined: the answer then stands alone, in the words in which it was given.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.note_sentences import Clause, tidy, words_of
from pipelines.note_style import Persons, note_style, sentence_case

SHORT_ANSWER_WORDS = 9  # a longer answer says for itself what it is about
CLINICIANS = ("doctor", "nurse")

_ASKS = re.compile(
    r"^(?:(?:okay|ok|alright|all right|so|and|now|well|yeah|then|great|but|um|good|right|gotcha|first|also)[\s,.]+)*"
    r"(?:(?:do|did|does|have|has|had|are|is|was|were|can|could|would|will) (?:you|your|there|it|that|he|she|they|this|the|anything|any)\b|"
    r"(?:what|when|where|why|who|which|how)\b(?! (?:i|we) )|any\b|anything (?:else|like)\b|ever\b|no (?:\w+ ){0,6}\?$)",
    re.I,
)
# Where a recogniser gives no marks, a question may stand behind other words; the verb before its subject tells.
_ASKS_WITHIN = re.compile(
    r"\b(?:(?:which|what)(?: \w+){1,2} (?:are|do|did|have|were|can|would|will) (?:you|we)\b|"
    r"how (?:severe|bad|long|often|many|much|far|old)(?: \w+)? (?:is|are|was|were|has|have|do|does|did) (?:the|it|that|this|your|you)\b)",
    re.I,
)
# "It gives the patient a rash", as the note's style has it, and what the speaker said.
_REACTS = re.compile(
    r"^(?:(?:and )?(?:it|that) (?:gives|gave|causes|caused)(?: (?:me|the patient|him|her|them))? |(?:i|he|she|the patient) (?:gets?|got) )?"
    r"(?:an? )?",
    re.I,
)
_MARKED = re.compile(r"[.?!;]")
_ASKS_LAST = re.compile(
    r".*\b((?:do|did|have|has|are|is|were|was|can|could|any) (?:you|your|there|it|pain|other)\b.*)$", re.I | re.S
)
_NO = re.compile(
    r"^(?:(?:um|uh|well|oh|yeah,? )\s*,?\s*)?(?:no+|nope|nah|not (?:really|that|at all|yet|lately|recently|currently|any)|never|none|nothing|"
    r"negative|i (?:don't|do not|didn't|did not|haven't|have not|am not|can't)|i'm not|neither|denies|"
    r"(?:i'm|i am) afraid not)\b",
    re.I,
)
_YES = re.compile(
    r"^(?:(?:um|uh|well|oh)\s*,?\s*)?(?:yes|yeah|yep|yup|yea|correct|that's (?:right|correct|true)|right|sure|absolutely|"
    r"exactly|definitely|(?:i'm|i am) afraid so|i (?:do|am|have|did)(?: have)?(?=[\s,.]*$)|of course|mm-hmm|uh-huh|affirmative)\b",
    re.I,
)
_BARE = re.compile(
    r"^(?:i (?:don't|do not|haven't|didn't|am not|have not|did not|do|am|have|did)|i'm not)(?![\w'])[\s,.]*", re.I
)
# A no that answers; before a noun it is part of what is said ("no pain at night").
_NO_ALONE = re.compile(
    r"^(?:(?:no+|nope|nah)\b(?:\s*[,.;]\s*|\s*$|\s+(?=(?:no|nope|nah|not|i|i'm|i've|it|it's|that|that's|he|she|we|they|there|there's|but)\b)))+",
    re.I,
)
_EXCEPT = re.compile(r"\b(?:except|other than|only|just|apart from|besides|to either|either one)\b", re.I)
_ANYTHING = re.compile(r"\b(?:any|some)(?:thing|one|body|where)\b", re.I)
_ASKED_AGAIN = re.compile(r",? or (?:have|has) (?:you|there) (?:ever |been |also )*", re.I)
_HOWEVER = re.compile(r"\b(?:but|although|though)\b(.*)", re.I)
_NO_FINDING = re.compile(r"\b(?:questions?|concerns?|anything else|make sense|understand)\b", re.I)
# A question that asks for the presence of something: what follows is the thing.
_PRESENCE = re.compile(
    r"^(?:(?:have|had|has) (?:you|there) (?:ever |also |recently |been )*(?:had|having|noticed|experienced|experiencing|felt|feeling|been having|gotten|been)"
    r"(?: (?:any|some|a|an))?|(?:do|did) you (?:ever |also |currently |still )*(?:have|get|notice|feel|experience)(?: (?:any|some|a|an))?|"
    r"(?:are|were) you (?:ever |also |currently |still )*(?:having|experiencing|feeling|getting|noticing)(?: (?:any|some|a|an))?|"
    r"(?:is|are|was|were) there (?:any|some|a|an)?|any|ever)\s+",
    re.I,
)  # fmt: skip
_TAIL = re.compile(
    r"[,\s]*\b(?:or (?:anything|something)(?: like that)?|anything like that|things like that|at all|or no(?:t|thing)?|"
    r"right now|to you|is that (?:right|correct)|or)\s*[?.]*$",
    re.I,
)
_INVERTED = re.compile(
    r"^(do|did|have|has|are|were|can|could|would|will) you\b\s*(?:guys )?(.*)$",
    re.I,
)
# What a question of this kind asks for; the answer is put behind it. First match wins.
_HEADS = (
    ("Allergies", re.compile(r"\ballerg", re.I)),
    ("Duration", re.compile(r"\bhow long\b", re.I)),
    ("Onset", re.compile(r"\bwhen did (?:it|this|that|the|your|you (?:first )?(?:notice|start))", re.I)),
    ("Severity", re.compile(r"\b(?:scale of|out of ten|out of 10|how (?:bad|severe))\b", re.I)),
    ("Medications", re.compile(r"\b(?:what|which|any)\b.{0,30}\b(?:medication|medicine|meds|drugs|tablets|pills|prescription)", re.I)),
    ("Surgical history", re.compile(r"\b(?:what|which|any)\b.{0,30}\b(?:surger|operation)", re.I)),
    ("Family history", re.compile(r"\b(?:run|runs) in (?:the|your) family|family history|family members?\b", re.I)),
    ("Occupation", re.compile(r"\bwhat (?:do you do|kind of work|is your (?:job|occupation))|for (?:a living|work)\b", re.I)),
    ("Alcohol", re.compile(r"\b(?:how (?:much|often|many)\b.{0,40}\b(?:drink|alcohol|beers?|wine))", re.I)),
    ("Smoking", re.compile(r"\b(?:how (?:much|often|many)\b.{0,40}\b(?:smoke|cigarettes|packs))", re.I)),
    ("Weight", re.compile(r"\bhow much (?:do|does|did) \w+ weigh|\bwhat (?:is|'s) (?:your|his|her) weight\b", re.I)),
    ("Age", re.compile(r"\bhow old\b", re.I)),
)  # fmt: skip
_HEADINGS = frozenset(head for head, _ in _HEADS)
_LEAD = re.compile(
    r"^(?:(?:okay|ok|alright|all right|so|and|now|well|yeah|then|great|but|good|right|gotcha|first|also|um|uh)[\s,.]+)+",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Statement:
    """One possible line. `clauses`: what it was made of, in order; `said`: their words; `text`: in note style.

    `joined`: made of question and answer. `context`: what was said just before, for the classifier.
    """

    text: str
    said: str
    clauses: tuple[Clause, ...]
    joined: bool
    context: str

    @property
    def evidence(self) -> tuple[str, ...]:
        """Ids of the utterances, in order, each once."""
        return tuple(dict.fromkeys(clause.utterance_id for clause in self.clauses))

    @property
    def role(self) -> str:
        """Role of whoever said the last part."""
        return self.clauses[-1].role


def is_question(text: str) -> bool:
    """Whether a clause asks, also where the recogniser gave no question mark."""
    return text.endswith("?") or bool(_ASKS.match(text) or _ASKS_WITHIN.search(text))


def answers_no(text: str) -> bool:
    """Whether an utterance begins with a no."""
    return bool(_NO.match(_LEAD.sub("", text) or text))


def answers_yes(text: str) -> bool:
    """Whether an utterance begins with a yes."""
    return bool(_YES.match(text)) and not answers_no(text)


def last_question(text: str) -> str:
    """The question that an utterance ends in, as written there; "" where it ends otherwise.

    Where a recogniser gave no marks at all, the question begins at the last verb that stands before "you".
    """
    if not _MARKED.search(text):
        unmarked = _ASKS_LAST.search(text)
        return unmarked[1] if unmarked else text if is_question(text) else ""
    last = re.split(r"(?<=[.?!;])\s+", text.strip())[-1]
    return last if is_question(last) else ""


def statements(clauses: Sequence[Clause], sex: str = "") -> tuple[Statement, ...]:
    """Every possible line of a visit, in the order of what was said."""
    found: list[Statement] = []
    asked: Clause | None = None
    context = ""
    at = 0
    while at < len(clauses):
        clause = clauses[at]
        persons = Persons(clause.role, sex)
        if clause.role in CLINICIANS:
            if is_question(clause.text):
                asked = clause
            else:
                _add(found, note_style(clause.text, persons), (clause,), False, context)
                asked = None if len(clause.text.split()) > 6 else asked  # "okay, I see" leaves a question open
            context = clause.text
            at += 1
            continue
        answer = clause
        if asked is not None:
            joined = join(asked.text, answer.text, persons, _goes_on(clauses[at + 1 :], answer))
            if joined:
                reaction = _reaction(clauses[at + 1 : at + 2], answer) if joined.startswith("Allergies:") else ""
                if reaction:
                    joined = sentence_case(f"{joined.rstrip('.')} ({reaction})")
                    at += 1
                _add(found, joined, (asked, answer), True, asked.text)
                headed = joined.partition(":")[0] in _HEADINGS  # the whole answer stands there already
                if _says_more(answer.text) and not headed:
                    _add(found, note_style(_rest(answer.text), persons), (asked, answer), False, asked.text)
                asked = None
                at += 1
                continue
        if is_question(answer.text):
            context = answer.text
            at += 1
            continue
        about = (asked, answer) if asked is not None and len(answer.text.split()) <= SHORT_ANSWER_WORDS else (answer,)
        _add(found, note_style(answer.text, persons), about, False, asked.text if asked else context)
        if asked is not None:
            context = asked.text
            asked = None
        at += 1
    return tuple(found)


def join(question: str, answer: str, persons: Persons, further: str = "") -> str:
    """Question and answer as one statement in note style; "" where they cannot be joined without guessing. `further`:
    what was said in the same breath after the answer.
    """
    question = _TAIL.sub("", _LEAD.sub("", question).rstrip("?. ")).strip(" ,")
    if not question:
        return ""
    denied, affirmed = bool(_NO.match(answer)), bool(_YES.match(answer))
    asker = Persons("doctor", persons.sex)
    if _NO_FINDING.search(question) or (denied and _denies_in_part(question, answer, further)):
        return ""  # what was denied is in the answer's own words
    if denied or affirmed:
        presence = _PRESENCE.match(question)
        thing = question[presence.end() :].strip(" ,") if presence else ""
        if thing and len(thing.split()) <= 20 and not is_question(thing):
            if " you " in f" {_ASKED_AGAIN.sub(' or ', thing)} ".lower():
                return ""  # a second question, of another shape
            thing = _about_patient(_ASKED_AGAIN.sub(" or having ", thing), asker)
            return sentence_case(("Denies " if denied else "Reports ") + thing)
        inverted = _INVERTED.match(question)
        if inverted and len(question.split()) <= 18 and " or " not in f" {question} ":
            return _stated(inverted[1].lower(), inverted[2], denied, asker)
        return ""
    if len(answer.split()) > SHORT_ANSWER_WORDS or is_question(answer):
        return ""
    for head, pattern in _HEADS:
        if pattern.search(question):
            told = _told_under(head, _about_speaker(tidy(answer), persons))
            return sentence_case(f"{head}: {_bracketed(head, told)}") if told else ""
    return ""


def _denies_in_part(question: str, answer: str, further: str) -> bool:
    """Whether a no leaves out some of what was asked: "no vomiting, but the constipation is bad", "no, I have not passed
    out" where dizziness was asked for as well, "no. I do cough at night".
    """
    if _EXCEPT.search(answer):
        return True
    however = _HOWEVER.search(answer)
    told = [one for one in words_of(however[1]) if len(one) > 3] if however else []
    if not _NO.match(further):
        told += [one for one in words_of(further) if len(one) > 3]
    asked = {word for word in words_of(question) if len(word) > 3 and word not in _OF_QUESTIONS}
    if any(_akin(word, one) for word in asked for one in told):
        return True
    denied = [word for word in words_of(answer) if len(word) > 3]
    named = {word for word in asked if any(_akin(word, one) for one in denied)}
    return " or " in question and bool(named) and named != asked


# They stand in questions whatever is asked for.
_OF_QUESTIONS = frozenset(
    "have been having with your you're that this from when does there what which other feel feeling felt ever ever some "
    "trouble problems problem noticed notice experience experienced symptoms lately recently today anything".split()
)


def _akin(a: str, b: str) -> bool:
    """Whether two words are forms of one: "dizzy" and "dizziness"."""
    return a[:4] == b[:4] and min(len(a), len(b)) > 3


def _goes_on(following: Sequence[Clause], answer: Clause) -> str:
    """What is said after an answer in the same utterance."""
    return " ".join(one.text for one in following[:2] if one.utterance_id == answer.utterance_id)


def _stated(auxiliary: str, rest: str, denied: bool, asker: Persons) -> str:
    """ "are you taking your tablets" -> "You are (not) taking your tablets", then in note style."""
    if not rest.strip():
        return ""
    if not denied:
        if _ANYTHING.search(rest):
            return ""  # what it is, is told by the answer
        rest = re.sub(r"\b(?:any|ever)\b ?", "", rest)  # asked for some, told that there is some
    if denied:
        return note_style(f"you {auxiliary} not {rest}", asker)
    if auxiliary == "do":
        return note_style(f"you {rest}", asker)
    if auxiliary == "did":
        return ""  # the past of the verb would have to be guessed
    return note_style(f"you {auxiliary} {rest}", asker)


def _about_patient(thing: str, asker: Persons) -> str:
    possessive = asker.words[2]
    thing = re.sub(
        r"\byourself\b", {"his": "himself", "her": "herself"}.get(possessive, "themselves"), thing, flags=re.I
    )
    thing = re.sub(r"\byour\b", possessive, thing, flags=re.I)
    return re.sub(r"\byou\b", "the patient", thing, flags=re.I)


def _about_speaker(answer: str, persons: Persons) -> str:
    plain = note_style(answer, persons).rstrip(".")
    return plain[:1].lower() + plain[1:] if plain[1:2].islower() else plain


def _reaction(following: Sequence[Clause], answer: Clause) -> str:
    """What an allergy does, told in the same breath: "It gives me a rash." -> "rash"; "" where it is not told so."""
    if not following or following[0].utterance_id != answer.utterance_id:
        return ""
    told = re.match(
        r"(?:and )?(?:it (?:gives|gave|causes|caused)(?: me)?|i (?:get|got)) (?:an? )?([\w ,'-]{2,60})\.?$",
        following[0].text,
        re.I,
    )
    return re.sub(r"\bI was\b", "the patient was", told[1].strip(), flags=re.I) if told else ""


def _told_under(head: str, answer: str) -> str:
    """The answer without what its heading says already; "" where nothing else was said, as by one who broke off."""
    if head in ("Onset", "Duration", "Severity"):
        return re.sub(r"^(?:it|this|that) (?:was|is|has been|started|began)[\s,]+(?=\S)", "", answer, flags=re.I)
    if head == "Medications":
        takes = r"^(?:the patient|he|she|they) (?:takes?|uses?|is (?:on|taking)|has been (?:on|taking))(?:[\s,]+|$)"
        return re.sub(takes, "", answer, flags=re.I)
    return answer


def _bracketed(head: str, answer: str) -> str:
    """An allergy's reaction goes into brackets: "penicillin, a rash" -> "penicillin (rash)"."""
    if head == "Allergies":
        answer = re.sub(
            r"^(?:to |(?:the patient|he|she) (?:is|has|was) (?:an )?allerg(?:ic|y) to )", "", answer, flags=re.I
        )
    if head != "Allergies" or answer.count(",") != 1:
        return answer
    thing, reaction = (part.strip() for part in answer.split(","))
    return f"{thing} ({_REACTS.sub('', reaction)})"


def _says_more(answer: str) -> bool:
    return len(_rest(answer).split()) >= 4


def _rest(answer: str) -> str:
    """What follows the yes or no."""
    rest = _YES.sub("", answer) if _YES.match(answer) else _NO_ALONE.sub("", answer)
    return _BARE.sub("", rest.strip(" ,."))


def _add(found: list[Statement], text: str, clauses: tuple[Clause, ...], joined: bool, context: str) -> None:
    if text:
        found.append(Statement(text, " ".join(clause.text for clause in clauses), clauses, joined, context))
