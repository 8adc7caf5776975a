"""A visit's transcript: read from text, its speakers given roles, corrected by a person. Pure functions of values."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from domain.consultation import ONLY_ONE, ROLES, ConsultationNote, SpeakerRole
from domain.errors import NothingFound, UploadRejected
from domain.speech import TimedWord, Transcript, Utterance
from pipelines.roles import role_of_label

MAX_TEXT_CHARS = 1_000_000  # about 15 hours of speech
MAX_UTTERANCES = 20_000
_STAMP = re.compile(r"^\s*[\[(]?\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d+)?[\])]?\s*[-–]?\s*")
_LABEL = re.compile(r"^\s*(?:\[([^\]\n]{1,40})\]\s*:?|([^\W\d][\w.'’ -]{0,40}?)\s*:)\s*(.*)$")
_NUMBERED = re.compile(r"^(?:speaker|voice|person|participant|s)[ _-]?\d+$", re.I)
NAMED_SHARE = 0.9  # of lines that begin with a name, from which each such beginning is taken for a speaker
_MANY_WORDS = 4  # a longer beginning before a colon is a sentence, not a name


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit as it stands: what was said, who the voices are, and the note once there is one."""

    transcript: Transcript
    roles: tuple[SpeakerRole, ...]
    note: ConsultationNote | None
    patient_id: str
    created_at: datetime
    recording: bool

    @property
    def said(self) -> dict[str, str]:
        """Text by utterance id."""
        return {one.id: one.text for one in self.transcript.utterances}

    @property
    def drafted_note(self) -> ConsultationNote:
        """The note. Raises NothingFound where none was drafted yet."""
        if self.note is None:
            raise NothingFound("No note was drafted for this consultation yet. Draft one first.")
        return self.note


def read_conversation(text: str) -> tuple[Utterance, ...]:
    """Utterances of a conversation typed as lines "Doctor: ..."; a line without a name goes on with the one above it.

    Raises UploadRejected where no line names a speaker, or nothing is said.
    """
    if len(text) > MAX_TEXT_CHARS:
        raise UploadRejected(
            f"The conversation has more than {MAX_TEXT_CHARS:,} characters, so it was not read. Import it in parts."
        )
    lines = [_STAMP.sub("", line).strip() for line in text.replace("\r", "\n").split("\n")]
    begun = [name for line in lines if (name := _name(line)[0])]
    names = Counter(name.casefold() for name in begun)
    each_named = len(begun) >= NAMED_SHARE * sum(map(bool, lines))
    spoken: list[list[str]] = []
    for line in lines:
        name, said = _name(line)
        if name and _is_speaker(name, names, each_named):
            spoken.append([name, said])
        elif line and spoken:
            spoken[-1][1] = f"{spoken[-1][1]} {line}".strip()
        elif line:
            raise UploadRejected(
                "The first line names no speaker, so no voice can be told from another. Begin a line with who speaks: "
                '"Doctor: ..." or "Patient: ...".'
            )
    spoken = [[name, said] for name, said in spoken if said]
    if not spoken:
        raise UploadRejected(
            'There is no conversation in this text. Begin each line with who speaks: "Doctor: ..." or "Patient: ...".'
        )
    if len(spoken) > MAX_UTTERANCES:
        raise UploadRejected(f"The conversation has more than {MAX_UTTERANCES:,} lines. Import it in parts.")
    spelled: dict[str, str] = {}
    return tuple(
        Utterance(
            id=f"u{number}",
            speaker=spelled.setdefault(name.casefold(), name),
            role="",
            start_s=None,
            end_s=None,
            text=said,
            words=tuple(TimedWord(word, None, None, 1.0) for word in said.split()),
        )
        for number, (name, said) in enumerate(spoken, start=1)
    )


def roles_from_labels(utterances: Sequence[Utterance]) -> dict[str, str]:
    """What the speakers' own labels say they are: "Doctor", "Dr. Reed", "Pt". Others are left to the classifier."""
    named = {one.speaker: role_of_label(one.speaker) for one in utterances}
    return {speaker: role for speaker, role in named.items() if role}


def with_roles(transcript: Transcript, roles: Sequence[SpeakerRole]) -> Transcript:
    """The transcript with every utterance in its speaker's role."""
    role = {one.speaker: one.role for one in roles}
    utterances = tuple(replace(one, role=role.get(one.speaker, one.role)) for one in transcript.utterances)
    return replace(transcript, utterances=utterances)


def relabelled(roles: Sequence[SpeakerRole], speaker: str, role: str) -> tuple[SpeakerRole, ...]:
    """The roles after a person has named one speaker's. There is one doctor and one patient: whoever had the role
    before gets this speaker's old one. Raises NothingFound, UploadRejected.
    """
    role = role.strip().lower()
    if role not in ROLES:
        raise UploadRejected(f"There is no such role, so nothing was changed. Use one of: {', '.join(ROLES)}.")
    known = {one.speaker.casefold(): one for one in roles}
    if speaker.strip().casefold() not in known:
        raise NothingFound("Nobody in this conversation has that name. Use a speaker of the transcript.")
    named = known[speaker.strip().casefold()]
    between_two = len(roles) == 2 and {named.role, role} == set(ONLY_ONE)  # of two voices one is not the other
    changed: list[SpeakerRole] = []
    for one in roles:
        if one.speaker == named.speaker:
            changed.append(SpeakerRole(one.speaker, role, 1.0, True))
        elif between_two or (role in ONLY_ONE and one.role == role):
            changed.append(SpeakerRole(one.speaker, named.role, 1.0, True))
        else:
            changed.append(one)
    return tuple(changed)


def with_word(transcript: Transcript, utterance_id: str, index: int, text: str) -> Transcript:
    """The transcript with one word as a person heard it. Several words may stand for one. Raises NothingFound,
    UploadRejected."""
    text = " ".join(text.split())
    if not text or len(text) > 200:
        raise UploadRejected("A word needs 1 to 200 visible characters, so nothing was changed. Type it again.")
    utterance = utterance_of(transcript, utterance_id)
    if not 0 <= index < len(utterance.words):
        raise NothingFound("The utterance has no word of this number. Open the transcript again.")
    heard = utterance.words[index]
    many = heard.doubt.words if heard.doubt and text in heard.doubt.suggestions else 1
    end = min(index + many, len(utterance.words))
    end_s = utterance.words[end - 1].end_s  # a suggestion stands for every word the doubt is about
    mended = replace(heard, text=text, end_s=end_s, confidence=1.0, unclear=False, doubt=None)
    words = (*utterance.words[:index], mended, *utterance.words[end:])
    changed = replace(utterance, words=words, text=" ".join(word.text.strip() for word in words))
    return _with_utterance(transcript, changed)


def with_text(transcript: Transcript, utterance_id: str, text: str) -> Transcript:
    """The transcript with one utterance typed anew; times of its words are spread over it. Raises as `with_word`."""
    text = " ".join(text.split())
    if not text or len(text) > 5000:
        raise UploadRejected("An utterance needs 1 to 5,000 visible characters, so nothing was changed. Type it again.")
    utterance = utterance_of(transcript, utterance_id)
    return _with_utterance(transcript, replace(utterance, text=text, words=_spread(text.split(), utterance)))


def utterance_of(transcript: Transcript, utterance_id: str) -> Utterance:
    """Raises NothingFound."""
    for one in transcript.utterances:
        if one.id == utterance_id:
            return one
    raise NothingFound("The conversation has no utterance of this id. Open the transcript again.")


def _with_utterance(transcript: Transcript, changed: Utterance) -> Transcript:
    return replace(
        transcript, utterances=tuple(changed if one.id == changed.id else one for one in transcript.utterances)
    )


def _spread(words: Sequence[str], utterance: Utterance) -> tuple[TimedWord, ...]:
    """Typed words on the utterance's seconds, each as long as its letters ask."""
    if utterance.start_s is None or utterance.end_s is None:
        return tuple(TimedWord(word, None, None, 1.0) for word in words)
    letters = sum(len(word) + 1 for word in words)
    pace, at, timed = (utterance.end_s - utterance.start_s) / letters, utterance.start_s, []
    for word in words:
        end = at + pace * (len(word) + 1)
        timed.append(TimedWord(word, round(at, 3), round(end, 3), 1.0))
        at = end
    return tuple(timed)


def _name(line: str) -> tuple[str, str]:
    """(what stands before the colon, what is said), or ("", line)."""
    match = _LABEL.match(line)
    if not match:
        return "", line
    name = (
        " ".join((match[1] or match[2]).replace("_", " ").split())
        if not _NUMBERED.match(match[1] or match[2])
        else (match[1] or match[2])
    )
    return (name, match[3].strip()) if len(name.split()) <= _MANY_WORDS else ("", line)


def _is_speaker(name: str, names: Counter[str], each_named: bool) -> bool:
    """A role, a numbered voice, a name that begins more than one line, or a name where nearly each line has one."""
    if role_of_label(name) or _NUMBERED.match(name) or names[name.casefold()] > 1:
        return True
    return each_named and len(names) > 1 and all(word[0].isupper() for word in name.split())
