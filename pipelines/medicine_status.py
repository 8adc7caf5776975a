"""Whether a medicine that is named is taken: stopped, started, changed, to be avoided, or not taken at all.

Rules over the sentence around the name. A status that stands before a list holds for the whole list ("stopped: naproxen
and ibuprofen"), one that stands behind it for its last member, unless a plural verb or "and" takes the others along.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pipelines.medicine_words import DOSE, FREQUENCY, ROUTE


class Status(StrEnum):
    """What a record says of a medicine beside its dose; CURRENT where it says nothing."""

    CURRENT = ""
    STARTED = "started"
    CHANGED = "changed"
    STOPPED = "stopped"
    AVOID = "avoid"
    NOT_TAKEN = "not taken"  # declined, or only thought of


@dataclass(frozen=True, slots=True)
class Named:
    """A medicine in a text: characters `start` to `end`; `ingredient`, lower case."""

    start: int
    end: int
    ingredient: str


@dataclass(frozen=True, slots=True)
class Said:
    """The status of a medicine, and characters `start` to `end` of the words that say it (0, 0 where none do)."""

    status: Status
    start: int = 0
    end: int = 0


GONE = (Status.STOPPED, Status.AVOID, Status.NOT_TAKEN)
_AUX = r"(?:(?:was|were|is|are|has been|have been|had been|to be|should be|can be|must be|will be|being|been|now|then|also|therefore|subsequently|"
_AUX += r"temporarily|permanently|recently|both|all|already|gradually)[\s,:]+)*"
_STOP_WORDS = (
    r"stopped|stop|discontinued?|ceased|cease|withheld|with-?hold|held|hold|suspended|paused|omitted|omit|d/?c['’]?d|tapered off|"
    r"weaned off|withdrawn|cancelled|on hold|off|no longer (?:taken|needed|required|prescribed|used|indicated|taking|given)|not (?:being )?taken|"
    r"not (?:being )?given|completed|finished|course (?:completed|finished)|until (?:19|20)\d\d"
)
_AVOID_WORDS = r"(?:(?:should|must|to) not be (?:given|taken|used|prescribed))|avoided|avoid|contraindicated|contra-indicated|not tolerated|not indicated|"
_AVOID_WORDS += r"unsafe|not safe|harmful (?=to|for|with|in)|dangerous (?=to|for|with|in)"
# Where it came from may stand between a medicine and what became of it: "naproxen from the pharmacy stopped".
_SOURCE = r"(?:(?:(?:bought|got|obtained)\s+)?(?:from|over|at|off)\s+(?:(?:the|a|his|her|their)\s+)?[\w-]+\s+)?"
_START_WORDS = r"started|commenced|initiated|begun|added|introduced|newly (?:started|prescribed)|new"
_CHANGE_WORDS = r"increased|reduced|decreased|titrated|up-?titrated|down-?titrated|changed to(?=\W+\d)|adjusted|doubled|halved|lowered|dose (?:increased|reduced|changed|adjusted)"
_AGAIN = re.compile(
    r"\b(?:re-?start(?:ed|ing)?|resum(?:ed|ing)|re-?introduced|re-?commenced|continued?)\b", re.IGNORECASE
)
_LATER = re.compile(
    r"^\W*(?:after|on|in|once|if|when|before|for|from|at)\b(?! (?:admission|discharge|arrival|account|view|the grounds|concern|acc|balance|risk))",
    re.IGNORECASE,
)
_AFTER = (
    (Status.AVOID, re.compile(rf"^\W*{_AUX}(?P<said>{_AVOID_WORDS})\b", re.IGNORECASE)),
    (Status.NOT_TAKEN, re.compile(rf"^\W*{_AUX}(?P<said>declined|refused|considered|discussed|offered|suggested|not (?:yet )?started|not commenced)\b", re.IGNORECASE)),
    (Status.STOPPED, re.compile(rf"^\W*{_SOURCE}{_AUX}(?P<said>{_STOP_WORDS})(?!\w)(?! (?:smoking|drinking))", re.IGNORECASE)),
    (Status.CHANGED, re.compile(rf"^\W*{_AUX}(?P<said>{_CHANGE_WORDS})\b", re.IGNORECASE)),
    (Status.STARTED, re.compile(rf"^\W*{_AUX}(?P<said>{_START_WORDS})\b", re.IGNORECASE)),
)  # fmt: skip
_LEAD = r"(?:taking|using|on|with|the|a|an|his|her|their|your|my|any|all|oral|iv|regular|long-term|daily|both|dose of|course of|treatment with|" \
        r"medications?|medicines?|drugs?|tablets?|home|previous|current|low dose|nightly|further|this|these|of|patient's)"  # fmt: skip
_BEFORE = (
    (Status.NOT_TAKEN, re.compile(
        rf"\b(?P<said>consider(?:ing|ed)?(?: (?:starting|adding|switching to))?|could (?:try|add|start)|may (?:need|require|benefit from)|"
        rf"might (?:need|benefit from)|would benefit from|discuss(?:ed|ing)? (?:starting|adding)?|option(?:s)? (?:of|include)|declin(?:es|ed|ing)|"
        rf"refus(?:es|ed|ing)|candidate for|not keen (?:on|to start|to take)|does not want(?: to (?:take|start))?|did not want(?: to (?:take|start))?|"
        rf"denies(?: taking| using| use of)?|denied(?: taking| using| use of)?|has never (?:taken|used|been on)|never (?:took|on|taken|used)|"
        rf"not for|plan(?:s|ned)? to (?:start|add)|overdose of|if [^,.;]{{3,60}},? (?:then |consider |start |add |give |try )+)\W+(?:{_LEAD}\W+)*$", re.IGNORECASE)),
    (Status.AVOID, re.compile(
        rf"\b(?P<said>avoid(?:ing|s)?|do not (?:give|use|take|prescribe)|don['’]t (?:give|use|take)|should not (?:take|use|be given|have)|must not (?:take|use|be given)|"
        rf"contraindications? to|never give)\W+(?:{_LEAD}\W+)*$", re.IGNORECASE)),
    (Status.STOPPED, re.compile(
        rf"\b(?P<said>stop(?:ped|ping|s)?|discontinu(?:e|ed|ing|es)|ceas(?:e|ed|ing)|with-?h[eo]ld(?:ing)?|hold(?:ing)?|held|suspend(?:ed|ing)?|paus(?:e|ed|ing)|"
        rf"omit(?:ted|ting)?|came off|come off|coming off|now off|is off|been off|was taken off|taken off|taking off|weaned (?:her |him )?off|"
        rf"no longer(?: (?:on|takes?|taking|uses?|using|requires?|needs?|needing))?|not (?:currently )?(?:on|taking|using)|finished(?: (?:a|his|her|the) course of)?|"
        rf"completed(?: (?:a|his|her|the))?(?: \d+[- ]day)?(?: course of)?|previously (?:on|took|taking|used|tried|treated with)|formerly (?:on|took)|used to (?:take|be on|use)|"
        rf"failed(?: (?:a )?trial of)?|instead of|in place of|switched from|changed from|replac(?:ing|es)|used to be on|d/?c['’]?d?)\W+(?:{_LEAD}\W+)*$", re.IGNORECASE)),
    (Status.STARTED, re.compile(
        rf"\b(?P<said>start(?:ed|ing)?|commenc(?:e|ed|ing)|initiat(?:e|ed|ing)|beg[iau]n|add(?:ed|ing)?|new|newly (?:on|prescribed)|introduc(?:ed|ing))\W+(?:{_LEAD}\W+)*$",
        re.IGNORECASE)),
    (Status.CHANGED, re.compile(
        rf"\b(?P<said>increas(?:e|ed|ing)|reduc(?:e|ed|ing)|decreas(?:e|ed|ing)|titrat(?:e|ed|ing)|adjust(?:ed|ing)?|doubl(?:e|ed)|halv(?:e|ed)|uptitrat(?:e|ed))\W+(?:(?:the )?dose of\W+)?(?:{_LEAD}\W+)*$",
        re.IGNORECASE)),
)  # fmt: skip
_SWITCH = re.compile(
    r"^\W*(?:(?:was|were|has been|have been|to be|be|then)\W+)*(?P<said>switched|changed|converted|replaced|swapped|transitioned|substituted)\W+"
    r"(?:to|by|with|for|over to)\W+(?:the |oral |iv |po |intravenous |regular )*$",
    re.IGNORECASE,
)
_JOINT = re.compile(
    r"^[\s,/&+;•\-–]*(?:and|or|plus|as well as|together with)?[\s,]*(?:(?:the|his|her|their|also|both)\s+)*$",
    re.IGNORECASE,
)
_JOINED_BY_AND = re.compile(r"\b(?:and|or|plus|as well as)\b|&", re.IGNORECASE)
_PLURAL = re.compile(r"^\W*(?:were|have been|are|had been|should be|both|all|to be)\b", re.IGNORECASE)
_FORMS = re.compile(
    r"\b(?:tablets?|tabs?|capsules?|caps?|inhalers?|syrup|cream|ointment|drops?|sachets?|patch(?:es)?|injections?|suspension|solution|modified release|"
    r"m/?r|x/?l|s/?r|e/?c|dose|therapy|treatment|for \d+ (?:days?|weeks?|months?))\b",
    re.IGNORECASE,
)
_ENDS = re.compile(r"(?<=[\w)])[.;](?:\s|$)|\?(?:\s|$)")


def statuses(text: str, named: Sequence[Named]) -> tuple[Said, ...]:
    """The status of each medicine of a text, in the order given (left to right)."""
    found: list[Said] = [Said(Status.CURRENT)] * len(named)
    for number in range(len(named)):
        found[number] = _of_one(text, named, number, found)
    for number in range(len(named) - 1, 0, -1):
        if found[number].status is not Status.CURRENT and found[number].start >= named[number].end:
            _take_along(text, named, number, found)
    return tuple(found)


def section_status(line: str) -> Status | None:
    """What a heading says of the medicines listed below it; None where the line is no heading."""
    plain = line.strip(" :-–—•*#=.").lower()
    if not plain or len(plain.split()) > 6 or re.search(r"\d", plain) or len(plain) > 50:
        return None
    if _SECTION_STOPPED.search(plain):
        return Status.STOPPED
    if _SECTION_STARTED.search(plain):
        return Status.STARTED
    if _SECTION_CHANGED.search(plain):
        return Status.CHANGED
    heading = line.rstrip().endswith(":") or line.isupper() or bool(_SECTION.search(plain))
    return Status.CURRENT if heading else None


_DRUGS = r"(?:medications?|medicines?|drugs?|meds|tablets|treatments?|therapy)"
_ON_THE_WAY = r"(?: (?:on|at|during|before|this|prior to) (?:discharge|admission|stay|this admission))?"
_SECTION_STOPPED = re.compile(
    rf"^(?:(?:{_DRUGS} )?(?:to be |that were )?(?:stopped|stop|discontinued?|ceased|withheld|suspended|held|no longer taken)(?: taking)?"
    rf"(?: (?:these |the |following )*{_DRUGS})?|(?:stopped|discontinued|previous|past|former|withheld|ceased) {_DRUGS}){_ON_THE_WAY}$"
)
_SECTION_STARTED = re.compile(
    rf"^(?:(?:{_DRUGS} )?(?:to be |that were )?(?:started|start|new|commenced|added)(?: taking)?(?: (?:these |the |following )*{_DRUGS})?){_ON_THE_WAY}$"
)
_SECTION_CHANGED = re.compile(rf"^(?:(?:{_DRUGS} )?changed(?: {_DRUGS})?|changed doses?|dose changes?){_ON_THE_WAY}$")
_SECTION = re.compile(
    rf"\b(?:{_DRUGS}|allerg\w+|diagnos[ei]s|history|plan|results?|investigations?|examination|advice|follow[- ]?up|continued?|unchanged)$"
)


def _of_one(text: str, named: Sequence[Named], number: int, earlier: Sequence[Said]) -> Said:
    one = named[number]
    start, end = _sentence(text, one.start, one.end)
    follower = named[number + 1] if number + 1 < len(named) and named[number + 1].start < end else None
    after_end = follower.start if follower else end
    after = text[one.end : after_end]
    if follower and follower.ingredient != one.ingredient and (switch := _SWITCH.match(_bare(after))):
        at = after.lower().find(switch["said"].lower()) + one.end
        return Said(Status.STOPPED, at, at + len(switch["said"]))
    behind = _behind(after, one.end, follower is not None)
    if behind is not None:
        return behind
    before = text[start : one.start]
    previous = named[number - 1] if number and named[number - 1].end > start else None
    if previous:
        between = text[previous.end : one.start]
        told = earlier[number - 1]
        said = text[told.start : told.end].lower()
        if said in ("changed from", "switched from") and re.match(r"^\W*to\W*$", _bare(between)):
            return Said(Status.STARTED)
        if previous.ingredient != one.ingredient and _SWITCH.match(_bare(between)):
            return Said(Status.STARTED)
        if (
            told.status is not Status.CURRENT
            and told.start < previous.start
            and _goes_on(between, text[start : previous.start])
        ):
            return told
        before = text[
            max(previous.end, told.end) : one.start
        ]  # what was said of the one before is not said of this one
    return _ahead(before, one.start - len(before), after.split(",")[0])


def _behind(after: str, shift: int, followed: bool) -> Said | None:
    """What stands after the name and its dose. `followed`: another medicine comes after."""
    bare = _bare(after)
    for status, pattern in _AFTER:
        match = pattern.match(bare)
        if not match:
            continue
        said = match["said"]
        rest = bare[match.end() :]
        if followed and re.match(r"^\s*(?:[,;]|and\b)", bare) and not re.match(r"^\W*[,;)]", rest):
            continue  # "stopped naproxen, started paracetamol"
        if re.search(r"\bthen stop$", match.group().strip(), re.IGNORECASE):
            continue  # "for 7 days then stop"
        if status is Status.STOPPED:
            if _AGAIN.search(rest):
                return Said(Status.CURRENT)  # "withheld and restarted at 500 mg" is a medicine she takes
            if (
                said.lower() in ("stop", "stopped", "held", "hold", "off", "completed", "finished")
                and _LATER.match(rest)
                and _future(match.group())
            ):
                continue
        if status is Status.STARTED and said.lower() == "new" and not re.match(r"^\W*(?:$|[,.;)])", rest):
            continue
        at = after.lower().find(said.lower())
        return Said(status, shift + max(0, at), shift + max(0, at) + len(said))
    return None


def _future(said: str) -> bool:
    return re.search(r"\b(?:to be|should be|will be|can be|then stop|stop)\b(?!ped)", said, re.IGNORECASE) is not None


def _ahead(before: str, shift: int, rest: str) -> Said:
    """What stands before the name."""
    for status, pattern in _BEFORE:
        match = pattern.search(before)
        if match and not re.search(
            r"\b(?:not|never|without|don['’]t|did not|does not) (?:been )?$", before[: match.start()], re.IGNORECASE
        ):
            if status is Status.STOPPED and _AGAIN.search(rest):
                return Said(Status.CURRENT)
            return Said(status, shift + match.start("said"), shift + match.end("said"))
        if match and status is Status.STOPPED:
            return Said(Status.CURRENT)  # "do not stop bisoprolol"
        if match and status is Status.STARTED:
            return Said(Status.NOT_TAKEN, shift + match.start("said"), shift + match.end("said"))
    return Said(Status.CURRENT)


def _goes_on(between: str, lead: str) -> bool:
    """Whether a list under a status goes on with the next name. After a colon it does to its end; else doses part it."""
    bare = _bare(between)
    if not _JOINT.match(bare):
        return False
    return ":" in lead[-30:] or bare.strip() == between.strip() or bool(_JOINED_BY_AND.search(bare))


def _take_along(text: str, named: Sequence[Named], last: int, found: list[Said]) -> None:
    """Give the status behind a list to its other members: "ramipril and naproxen were stopped"."""
    plural = bool(_PLURAL.match(_bare(text[named[last].end : found[last].end])))
    number = last
    while number > 0:
        between = text[named[number - 1].end : named[number].start]
        bare = _bare(between)
        if not _JOINT.match(bare) or found[number - 1].status is not Status.CURRENT:
            return
        dosed = bare.strip() != between.strip()
        if not plural and (dosed or (number == last and not _JOINED_BY_AND.search(bare))):
            return
        found[number - 1] = found[last]
        number -= 1


def _bare(text: str) -> str:
    """The text with doses, routes, rhythms and forms blanked out, so that only what is said of the medicine is left."""
    for pattern in (DOSE, FREQUENCY, ROUTE, _FORMS):
        text = pattern.sub(lambda match: " " * len(match.group()), text)
    return text


def _sentence(text: str, start: int, end: int) -> tuple[int, int]:
    begin = max((match.end() for match in _ENDS.finditer(text, 0, start)), default=0)
    close = _ENDS.search(text, end)
    return begin, close.start() if close else len(text)
