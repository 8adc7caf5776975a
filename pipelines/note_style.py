"""Turns a spoken clause into note style by rules that touch only persons, contractions and manners of speaking.

"i've been taking my lisinopril" of the patient -> "The patient has been taking her lisinopril"; "we're gonna go ahead and
order an mri" of the doctor -> "We will order an mri". Numbers, names, sides and denials are never added, changed or lost;
`pipelines.note_guard` stands behind that promise.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipelines.note_sentences import tidy

# How speakers begin, and what adds nothing to a note. A doubt ("I think", "it looks like") is no manner and stays.
_OPENERS = re.compile(
    r"^(?:(?:okay|ok|alright|all right|right|well|so|and so|and then|and|but|now|yeah|yes|yep|yup|sure|great|good|perfect|"
    r"wonderful|excellent|awesome|gotcha|got it|i see|actually|basically|again|anyway|honestly|obviously|like|then|also|"
    r"gosh|hey|hey,? dragon|let's see|of course|absolutely|exactly|definitely|because|you know what|as i said|like i said)\b[\s,.;:!-]*)+",
    re.I,
)
# "I'm afraid" that introduces what is so is no fear. A clinician has none; of a patient it is told apart from one only
# where it goes before what the patient did or cannot do.
_AFRAID = re.compile(
    r"\b(?:i'm|i am|we're|we are) afraid[, ]+(?:that )?(?=(?:the|this|that|there|it|your|you|we|i|he|she|they|not|his|her|my)\b)",
    re.I,
)
_AFRAID_OF_OWN = re.compile(
    r"\b(?:i'm|i am) afraid[, ]+(?:that )?(?=i (?:(?:have|do|did|could|can|was|am|would) not|haven't|don't|didn't|couldn't|can't|cannot|wasn't|never|still|"
    r"(?:have|'ve)? ?(?:forgot(?:ten)?|missed|skipped|stopped|ran|run|quit|left|lost))\b|i've (?:forgotten|missed|skipped|stopped|run|quit|left|lost)\b)",
    re.I,
)
_MANNERS = (
    (re.compile(r"\bgo(?:ing)? ahead and (?=\w)", re.I), ""),
    (re.compile(r",?\s*(?:okay|alright|right|is that right|does that sound (?:okay|good)|sound good|please)\s*\?$", re.I), ""),
    (re.compile(r",?\s*\b(?:you know|i mean|and stuff(?: like that)?|and things like that|or anything like that|"
                r"anything like that|or something(?: like that)?|and everything|or whatever|at all)\b\s*(?=[,.?!]|$)", re.I), ""),
    (re.compile(r"\b(?:just|really|actually|basically|literally|definitely|probably just)\s+(?=\w)", re.I), ""),
    (re.compile(r"\ba little bit of\b", re.I), "a little"),
    (re.compile(r"\ba little bit\b", re.I), "a little"),
    (re.compile(r"\b(?:i|we) (?:want|wanna|would like|'d like) to (?:start by|begin by)\b", re.I), "we will start by"),
    (re.compile(r"\b(?:i'm|i am|we're|we are) (?:gonna|going to)\b", re.I), "we will"),
    (re.compile(r"\b(?:i'd|i would|we'd|we would) like to\b", re.I), "we will"),
    (re.compile(r"\b(?:i|we) (?:wanna|want to)\b", re.I), "we will"),
    (re.compile(r"\blet's\b", re.I), "we will"),
    (re.compile(r"\b(?:i'll|we'll)\b", re.I), "we will"),
    (re.compile(r"\bgonna\b", re.I), "going to"),
    (re.compile(r"\bwanna\b", re.I), "want to"),
    (re.compile(r"\bgotta\b", re.I), "have to"),
)  # fmt: skip
_DOCTOR_ONLY = 6  # of _MANNERS: these turn the speaker's plans into the clinic's and are wrong in a patient's mouth
_CONTRACTIONS = (
    (re.compile(r"\bcan't\b", re.I), "cannot"),
    (re.compile(r"\bwon't\b", re.I), "will not"),
    (re.compile(r"\b(\w+)n't\b", re.I), r"\1 not"),
    (re.compile(r"\b(i)'m\b", re.I), r"\1 am"),
    (re.compile(r"\b(it|that|there|he|she|what|who|where)'s (been|had|got)\b", re.I), r"\1 has \2"),
    (re.compile(r"\b(it|that|there|he|she|what|who|where)'s\b", re.I), r"\1 is"),
    (re.compile(r"\b(\w+)'re\b", re.I), r"\1 are"),
    (re.compile(r"\b(\w+)'ve\b", re.I), r"\1 have"),
    (re.compile(r"\b(\w+)'ll\b", re.I), r"\1 will"),
    (re.compile(r"\b(i|you|he|she|we|they)'d (been|had|like)\b", re.I), r"\1 would \2"),
    (re.compile(r"\b(i|you|he|she|we|they)'d\b", re.I), r"\1 would"),
)
# Where a run was cut, or a speaker broke off, words are left that begin what does not follow. "not" and "no" are none.
_DANGLING = re.compile(
    r"(?:[\s,]+(?:and|so|or|but|because|when|what|okay|ok|alright|all right|if|to|the|an?|of|in|with|as well as|as|based on|that|this|which|how|"
    r"then|like|for|from|at|is|are|was|were|do|does|did|my|your|his|her|their|we|I|the patient has|the patient is|right now so))+$",
    re.I,
)
_POINTS_BACK = re.compile(
    r"\b(?:of|about|with|for|like|at|from|to|after|before|than|by|on) (?:that|this)$", re.I
)  # ends a sentence
_BETWEEN = frozenset(
    "also still always usually sometimes never often only even currently mostly normally typically already do".split()
)
_REGULAR = frozenset(
    "feel think take get know want need like use drink smoke eat work live notice see say wake walk sleep run feel seem try "
    "keep start stop make come give find tell call look help cause hurt bother exercise play drive sit stand lie bend lift "
    "cough vomit throw bleed itch remember forget believe hope plan avoid check monitor watch follow cook stay tend suffer "
    "experience wear hear lose gain put move feel breathe love enjoy hate prefer deny report struggle limp ache burn "
    "exert swallow pee urinate sweat weigh".split()
)
_IRREGULAR = {"am": "is", "have": "has", "do": "does", "go": "goes", "are": "is", "were": "was"}
_PRONOUNS = {"male": ("he", "him", "his", "himself"), "female": ("she", "her", "her", "herself")}
_THEY = ("the patient", "the patient", "their", "themselves")


@dataclass(frozen=True, slots=True)
class Persons:
    """Who the clause is about. `sex`: "male", "female" or ""; `role` of the speaker."""

    role: str
    sex: str = ""

    @property
    def words(self) -> tuple[str, str, str, str]:
        """Subject, object, possessive and reflexive."""
        return _PRONOUNS.get(self.sex, _THEY)


def note_style(text: str, persons: Persons) -> str:
    """The clause as a note has it, with a capital and a full stop; "" where nothing but manners was said."""
    text = without_openers(text)
    doctor = persons.role in ("doctor", "nurse")
    text = (_AFRAID if doctor else _AFRAID_OF_OWN).sub("", text)
    for number, (pattern, plain) in enumerate(_MANNERS):
        if doctor or not _DOCTOR_ONLY <= number <= _DOCTOR_ONLY + 5:
            text = pattern.sub(plain, text)
    for pattern, plain in _CONTRACTIONS:
        text = pattern.sub(plain, text)
    about = "you" if doctor else "i"
    text = _third_person(text, about, persons) if doctor or persons.role == "patient" else text
    return sentence_case(" ".join(text.split()))


def without_openers(text: str) -> str:
    """The clause without "okay", "well, so" and the like before it."""
    return _OPENERS.sub("", text)


def spelled_out(text: str) -> str:
    """Speech without contractions: "don't" is "do not", so that a denial is a word of its own."""
    text = tidy(text)
    for pattern, plain in _CONTRACTIONS:
        text = pattern.sub(plain, text)
    return text


def sentence_case(text: str) -> str:
    """A capital first letter, "I" as it is written, one full stop."""
    text = re.sub(r"\bi\b", "I", text.strip(" ,;:-"))
    text = re.sub(r"\s+([,.?!;:])", r"\1", text).rstrip("?!,;:. ")
    text = text if _POINTS_BACK.search(text) else _DANGLING.sub("", text)
    if not any(letter.isalnum() for letter in text):
        return ""
    return text[0].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _third_person(text: str, about: str, persons: Persons) -> str:
    subject, object_, possessive, reflexive = persons.words
    mine = {"i": ("my", "me", "myself", "mine"), "you": ("your", "you", "yourself", "yours")}[about]
    words = text.split()
    out: list[str] = []
    named = False
    at = 0
    while at < len(words):
        word = words[at]
        bare = re.sub(r"[^\w']", "", word).lower()
        tail = word[len(word.rstrip(",.;:!?")) :]
        if bare == about and (about == "i" or _is_subject(words, at)):
            out.append((subject if named else "the patient") + tail)
            named = True
            if not tail:
                at = _verb_in_third_person(words, at + 1, out)
                continue
        elif bare == mine[0]:
            out.append(possessive + tail)
        elif bare in mine[1:2]:
            out.append((object_ if named else "the patient") + tail)
            named = True
        elif bare == mine[2]:
            out.append(reflexive + tail)
        elif bare == mine[3]:
            out.append({"their": "theirs", "her": "hers"}.get(possessive, possessive) + tail)
        else:
            out.append(word)
        at += 1
    return " ".join(out)


_AUXILIARIES = frozenset(
    "am are is was were have has had do does did can could will would should may might must cannot need".split()
)
_VERB_ONLY = _REGULAR | _AUXILIARIES | _BETWEEN | frozenset("not been got took had went said felt came saw".split())


def _is_subject(words: list[str], at: int) -> bool:
    """Whether this "you" is followed by a verb."""
    following = re.sub(r"[^\w']", "", words[at + 1]).lower() if at + 1 < len(words) else ""
    before = re.sub(r"[^\w']", "", words[at - 1]).lower() if at else ""
    if before in (
        "want",
        "for",
        "with",
        "to",
        "see",
        "give",
        "get",
        "have",
        "start",
        "refer",
        "send",
        "put",
        "keep",
        "let",
    ):
        return False
    return following in _VERB_ONLY or following.endswith("ed")


def _verb_in_third_person(words: list[str], at: int, out: list[str]) -> int:
    """Copies adverbs, then the verb, bent; returns where to go on. A verb that is not known is left as it was said."""
    while at < len(words) and words[at].lower() in _BETWEEN and words[at].lower() != "do":
        out.append(words[at])
        at += 1
    if at >= len(words):
        return at
    word = words[at]
    bare = word.rstrip(",.;:!?")
    tail = word[len(bare) :]
    low = bare.lower()
    if low in _IRREGULAR:
        out.append(_IRREGULAR[low] + tail)
    elif low in _REGULAR:
        out.append(_with_s(low) + tail)
    else:
        return at
    return at + 1


def _with_s(verb: str) -> str:
    if re.search(r"[^aeiou]y$", verb):
        return verb[:-1] + "ies"
    return verb + ("es" if re.search(r"(?:s|sh|ch|x|z|o)$", verb) else "s")


_SEX_WORDS = (
    ("female", re.compile(r"\b(?:female|woman|lady|girl|ms|mrs|miss|ma'am)\b", re.I)),
    ("male", re.compile(r"\b(?:male|man|gentleman|boy|mr|sir)\b", re.I)),
)


def sex_said(texts_of_clinicians: list[str]) -> str:
    """ "male" or "female" where the clinician's words say which the patient is; "" where they say neither or both.

    Only how the patient is introduced or addressed counts, in the first words of the visit.
    """
    opening = " ".join(texts_of_clinicians)[:1500]
    counts = {sex: len(pattern.findall(opening)) for sex, pattern in _SEX_WORDS}
    introduced = re.search(
        r"\byear[- ]old\b[\w\s,-]{0,40}?\b(female|woman|lady|male|man|gentleman|girl|boy)\b", opening, re.I
    )
    if introduced:
        return "female" if introduced[1].lower() in ("female", "woman", "lady", "girl") else "male"
    said = [sex for sex, count in counts.items() if count]
    return said[0] if len(said) == 1 else ""


BENT_VERBS = {_with_s(verb): verb for verb in _REGULAR} | {
    "has": "have",
    "is": "are",
    "was": "were",
    "does": "do",
    "goes": "go",
}
"""Third person to second: how a line about the patient becomes one to the patient."""
