"""A transcript as subtitles (SubRip and WebVTT), one cue an utterance, with who speaks."""

from __future__ import annotations

from collections.abc import Sequence

from domain.errors import NothingFound
from domain.speech import Utterance

DRAFT = "[Draft, not signed] "  # before each cue: any of them may be the only one that is read
MIN_CUE_SECONDS = 0.5  # a shorter cue is gone before it is read


def as_srt(utterances: Sequence[Utterance], draft: bool) -> str:
    """SubRip. Raises NothingFound for a conversation without times."""
    cues = [
        f"{number}\n{_time(start, ',')} --> {_time(end, ',')}\n{DRAFT * draft}{_who(one)}: {_plain(one.text)}\n"
        for number, (one, start, end) in enumerate(_timed(utterances), start=1)
    ]
    return "\n".join(cues)


def as_vtt(utterances: Sequence[Utterance], draft: bool) -> str:
    """WebVTT, with voice spans. Raises NothingFound for a conversation without times."""
    cues = [
        f"{_time(start, '.')} --> {_time(end, '.')}\n<v {_escaped(_who(one))}>{DRAFT * draft}{_escaped(_plain(one.text))}\n"
        for one, start, end in _timed(utterances)
    ]
    return "WEBVTT\n\n" + "\n".join(cues)


def _timed(utterances: Sequence[Utterance]) -> list[tuple[Utterance, float, float]]:
    timed = [
        (one, one.start_s, max(one.end_s, one.start_s + MIN_CUE_SECONDS))
        for one in utterances
        if one.start_s is not None and one.end_s is not None
    ]
    if not timed:
        raise NothingFound(
            "This conversation came as text and has no times, so there are no subtitles. Export it as text instead."
        )
    return timed


def _who(one: Utterance) -> str:
    return one.role.capitalize() or one.speaker


def _plain(text: str) -> str:
    return " ".join(text.replace("-->", "→").split())


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _time(seconds: float, mark: str) -> str:
    thousandths = round(seconds * 1000)
    hours, rest = divmod(thousandths, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02}{mark}{rest % 1000:03}"
