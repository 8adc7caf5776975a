"""A note's lines in plain words for the patient, and how old a reader must be to follow them."""

from __future__ import annotations

import re

from pipelines.note_style import BENT_VERBS

# Said in the clinic, and what a patient's leaflet says. Both mean the same; nothing here changes a number or a side.
PLAIN_WORDS = {
    "hypertension": "high blood pressure", "hypertensive": "with high blood pressure", "hypotension": "low blood pressure",
    "dyspnea": "shortness of breath", "dyspnoea": "shortness of breath", "myocardial infarction": "heart attack",
    "cerebrovascular accident": "stroke", "edema": "swelling", "oedema": "swelling", "erythema": "redness",
    "pruritus": "itching", "pyrexia": "fever", "febrile": "feverish", "afebrile": "without fever", "syncope": "fainting",
    "emesis": "vomiting", "hyperlipidemia": "high cholesterol", "hypercholesterolemia": "high cholesterol",
    "tachycardia": "fast heartbeat", "bradycardia": "slow heartbeat", "arrhythmia": "uneven heartbeat",
    "hematuria": "blood in the urine", "dysuria": "pain when passing urine", "renal": "kidney", "hepatic": "liver",
    "pulmonary": "lung", "cardiac": "heart", "gastric": "stomach", "fracture": "broken bone", "contusion": "bruise",
    "laceration": "cut", "benign": "not cancer", "malignant": "cancer", "biopsy": "test of a small piece of tissue",
    "echocardiogram": "ultrasound scan of the heart", "electrocardiogram": "heart tracing", "ekg": "heart tracing",
    "ecg": "heart tracing", "radiograph": "x-ray", "analgesic": "painkiller", "antihypertensive": "blood pressure medicine",
    "bilaterally": "on both sides", "bilateral": "on both sides", "palpation": "touch", "auscultation": "listening",
    "ambulation": "walking", "ambulate": "walk", "nocturia": "getting up at night to pass urine", "chronic": "long-lasting",
    "acute": "sudden", "lesion": "sore or mark", "hemorrhage": "bleeding", "haemorrhage": "bleeding", "otc": "without prescription",
    "bid": "twice a day", "tid": "three times a day", "prn": "when needed", "po": "by mouth", "lower extremities": "legs",
    "upper extremities": "arms", "follow up": "come back", "initiate": "start", "discontinue": "stop",
}  # fmt: skip
_WORDS = re.compile(r"\b(" + "|".join(map(re.escape, sorted(PLAIN_WORDS, key=len, reverse=True))) + r")\b", re.I)
_YEARS_BEFORE_SCHOOL = 5  # a reader of grade n is about n + 5 years old


def for_the_patient(text: str) -> str:
    """A line in the second person and in plain words."""
    text = re.sub(r"^Denies\b", "You said you do not have", text)
    text = re.sub(r"^Reports\b", "You said you have", text)
    text = _second_person(text)
    text = _WORDS.sub(lambda match: PLAIN_WORDS[match[1].lower()], text)
    return text[:1].upper() + text[1:]


def reading_age(text: str) -> int | None:
    """Years of age from which the text can be read: Flesch-Kincaid grade (Kincaid et al. 1975) and five. None for no text."""
    words = re.findall(r"[A-Za-z][A-Za-z'-]*", text)
    sentences = max(1, len(re.findall(r"[.!?](?:\s|$)", text)))
    if not words:
        return None
    syllables = sum(map(count_syllables, words))
    grade = 0.39 * len(words) / sentences + 11.8 * syllables / len(words) - 15.59
    return max(_YEARS_BEFORE_SCHOOL, round(grade) + _YEARS_BEFORE_SCHOOL)


def count_syllables(word: str) -> int:
    """Runs of vowels, without a silent final e; at least one."""
    plain = word.lower().strip("'")
    runs = len(re.findall(r"[aeiouy]+", plain))
    silent = (plain.endswith("e") and not plain.endswith(("le", "ee", "ie"))) or (
        plain.endswith("ed") and plain[-3:-2] not in "td"
    )
    return max(1, runs - bool(silent))


def _second_person(text: str) -> str:
    """ "The patient has ... her" -> "You have ... your". Only where the line is about the patient."""
    words = text.split()
    out: list[str] = []
    about = False
    at = 0
    while at < len(words):
        pair = " ".join(words[at : at + 2]).lower()
        bare, tail = words[at].rstrip(",.;:!?").lower(), words[at][len(words[at].rstrip(",.;:!?")) :]
        if pair.rstrip(",.;:!?'s") == "the patient":
            ending = words[at + 1][len("patient") :]
            about = True
            out.append("your" if ending.startswith("'s") else "you" + ending)
            at += 2
            at = _bend_back(words, at, out)
        elif about and bare in ("he", "she"):
            out.append("you" + tail)
            at = _bend_back(words, at + 1, out)
        elif about and bare in ("his", "her", "their"):
            out.append("your" + tail)
            at += 1
        elif about and bare in ("him",):
            out.append("you" + tail)
            at += 1
        else:
            out.append(words[at])
            at += 1
    return " ".join(out)


def _bend_back(words: list[str], at: int, out: list[str]) -> int:
    if at < len(words):
        bare, tail = words[at].rstrip(",.;:!?"), words[at][len(words[at].rstrip(",.;:!?")) :]
        if bare.lower() in BENT_VERBS:
            out.append(BENT_VERBS[bare.lower()] + tail)
            return at + 1
    return at
