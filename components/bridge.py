"""Where two worlds meet: errors become toasts, a job's progress becomes the page's, a visit becomes an actor.

Errors are translated exactly once, here. A toast renders HTML, so every message is escaped.
"""

from __future__ import annotations

import contextvars
import functools
import html
import inspect
import logging
import queue
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import gradio as gr

from domain.audit import Actor
from domain.errors import Cancelled, HealthConnectError
from pipelines.progress import CancelSwitch, Progress

log = logging.getLogger(__name__)

T = TypeVar("T")
TOAST_SECONDS = 20  # long enough to read what was found, why it stops and what to do next
STOPPING = "Stopping after the step that is under way"
HEARTBEAT_SECONDS = 1.0  # how often a running clock is shown while a job says nothing
VISITOR_ROLE = "clinician"  # the demonstration has no log-in: whoever sits before it acts as a clinician


def visitor(request: gr.Request | None) -> Actor:
    """Who acts: this visit. The session id is Gradio's own random one; without a browser it is empty."""
    return Actor(who="visitor", session=(request.session_hash or "") if request else "", role=VISITOR_ROLE)


def message_of(error: BaseException) -> str:
    """One plain sentence or two for the user. Unknown errors go to the log with their traceback, under a reference."""
    if isinstance(error, HealthConnectError):
        return error.user_message
    reference = uuid.uuid4().hex[:8]
    log.error("unexpected error, reference %s", reference, exc_info=error)
    return (
        "Something on our side went wrong and the job was stopped. Nothing you entered is at fault: try again, and "
        f"if it comes back, give reference {reference} to whoever runs this server."
    )


def toast(message: str, title: str = "Not done") -> gr.Error:
    """A gr.Error that shows `message` as text."""
    return gr.Error(html.escape(message), duration=TOAST_SECONDS, title=title, print_exception=False)


def told(handler: Callable[..., Any]) -> Callable[..., Any]:
    """Wraps a handler (plain or generator): whatever it raises reaches the user as a toast with a fit message."""
    if inspect.isgeneratorfunction(handler):

        @functools.wraps(handler)
        def stream(*args: Any, **kwargs: Any) -> Iterator[Any]:
            try:
                yield from handler(*args, **kwargs)
            except gr.Error:
                raise
            except Exception as error:
                raise toast(message_of(error)) from error

        return stream

    @functools.wraps(handler)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return handler(*args, **kwargs)
        except gr.Error:
            raise
        except Exception as error:
            raise toast(message_of(error)) from error

    return call


def shown_by(progress: gr.Progress) -> Progress:
    """A listener that moves Gradio's own progress bar; clients of the API see it too."""

    def listen(done: float, total: float, unit: str, message: str) -> None:
        progress((done, total) if total else None, desc=message, unit=unit)

    return listen


@dataclass(frozen=True, slots=True)
class Step:
    """How a running job stands. `seconds` since it began."""

    done: float
    total: float
    unit: str
    message: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Made:
    """Something the job finished on its way, such as one page."""

    item: Any


@dataclass(frozen=True, slots=True)
class Ended(Generic[T]):
    """The job's result, or the error that ended it; exactly one of them is set."""

    result: T | None
    error: BaseException | None
    seconds: float


class RunningJobs:
    """The switches of the jobs that run now, by visit, so that a tab's cancel button stops its own visit's jobs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._switches: dict[str, list[CancelSwitch]] = {}

    def start(self, session: str, switch: CancelSwitch) -> None:
        with self._lock:
            self._switches.setdefault(session, []).append(switch)

    def end(self, session: str, switch: CancelSwitch) -> None:
        with self._lock:
            running = [each for each in self._switches.pop(session, ()) if each is not switch]
            if running:
                self._switches[session] = running

    def stop(self, session: str) -> bool:
        """Asks the visit's jobs to stop; False when none runs."""
        with self._lock:
            switches = list(self._switches.get(session, ()))
        for switch in switches:
            switch.stop()
        return bool(switches)


def follow(
    job: Callable[[Progress, Callable[[Any], None]], T], jobs: RunningJobs, session: str
) -> Iterator[Step | Made | Ended[T]]:
    """Runs `job(progress, on_item)` in a thread and yields what it says, a Step at least every second, Ended last.

    When the visitor leaves, Gradio closes this generator; the job is then told to stop.
    """
    started = time.monotonic()
    said: queue.SimpleQueue[Step | Made | Ended[T]] = queue.SimpleQueue()

    def seconds() -> float:
        return time.monotonic() - started

    def listen(done: float, total: float, unit: str, message: str) -> None:
        said.put(Step(done, total, unit, message, seconds()))

    switch = CancelSwitch(listen)

    def run() -> None:
        try:
            result = job(switch, lambda item: said.put(Made(item)))
        except BaseException as error:  # handed over whole: the generator's reader decides what to say
            said.put(Ended(None, error, seconds()))
        else:
            said.put(Ended(result, None, seconds()))

    jobs.start(session, switch)
    last = Step(0, 0, "pages", "Starting", 0.0)
    try:
        here = contextvars.copy_context()  # whose visit this is goes along into the thread
        threading.Thread(target=here.run, args=(run,), name="job", daemon=True).start()
        while True:
            try:
                event = said.get(timeout=HEARTBEAT_SECONDS)
            except queue.Empty:
                event = replace(last, seconds=seconds())
            if isinstance(event, Step):
                if switch.stopped:
                    event = replace(event, message=STOPPING)
                last = event
                if not said.empty():  # only the latest standing is worth a redraw
                    continue
            yield event
            if isinstance(event, Ended):
                return
    finally:
        switch.stop()
        jobs.end(session, switch)


def was_cancelled(ended: Ended[Any]) -> bool:
    """True when the user's own wish ended the job."""
    return isinstance(ended.error, Cancelled)
