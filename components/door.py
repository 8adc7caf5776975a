"""The door: stands in for the workbench before the page and its endpoints, and lets each visit through to what is its.

For every job that is asked for it finds out whose visit it is, which workbench is theirs, whether the table of
permissions allows it, and tells the trail what was read. Components are handed the door and do not know that it is one.
"""

from __future__ import annotations

import inspect
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gradio.context import LocalContext

from components.gate import SCOPE_KEY, Visit, current_visit
from domain.audit import Actor
from domain.errors import NotAllowed, NothingFound
from domain.people import Mode, Role
from domain.permissions import DESKS, RULES, Rule
from pipelines import deidentify

if TYPE_CHECKING:
    from pipelines.workbench import Workbench
    from pipelines.workspaces import Workspaces

SAME_LOOK_S = 10.0  # a page that draws itself twice has read once
MAX_LOOKS = 10_000
ANY_SESSION = "*"
ANYBODY = "clinician"  # without accounts whoever sits before the page acts as a clinician


@dataclass(frozen=True, slots=True)
class Guest:
    """Who came through the door: their workbench, and how the trail names them. `role`: None without accounts."""

    bench: Workbench
    actor: Actor
    role: Role | None


class Entrance:
    """Finds the guest of the request that is being answered."""

    def __init__(self, bench: Workbench, workspaces: Workspaces | None = None) -> None:
        """`workspaces`: one workbench a visitor, for the open demonstration."""
        self.bench = bench
        self._mode = bench.settings.mode
        self._workspaces = workspaces
        self._serving = False
        self._looks: dict[tuple[str, ...], float] = {}
        self._lock = threading.Lock()

    def open(self) -> None:
        """From now on there are visitors; before, the page itself is being laid out."""
        self._serving = True

    def guest(self) -> Guest | None:
        """None while the page is laid out. Raises NotAllowed for a request without a visit where one is needed."""
        request = LocalContext.request.get(None)
        session = str(getattr(request, "session_hash", "") or "") if request else ""
        visit = _visit_of(request) or current_visit.get()
        if request is None and visit is None:
            if self._serving and self._mode is not Mode.LOCAL:
                raise NotAllowed("Nobody's visit was found for this request, so nothing was done. Load the page again.")
            return None
        if self._mode is Mode.CLINIC:
            if visit is None or visit.signed_in is None:
                raise NotAllowed("Nobody is signed in, so nothing was done. Sign in and try again.")
            account = visit.signed_in.account
            return Guest(self.bench, Actor(account.name, visit.signed_in.session, account.role.value), account.role)
        actor = Actor("visitor", session, ANYBODY)
        if self._workspaces is None:
            return Guest(self.bench, actor, None)
        key = (visit.key if visit else "") or session
        if not key:
            raise NotAllowed("Nobody's visit was found for this request, so nothing was done. Load the page again.")
        return Guest(self._workspaces.of(key), actor, None)

    def first_look(self, session: str, *what: str) -> bool:
        """False when the same visit has just looked at the same thing.

        Without accounts a picture that the browser fetches by its address names no session ("", from whichever page it
        stands on): it belongs to the look that asked for it.
        """
        now = time.monotonic()
        mine, nameless, anybody = (session, *what), ("", *what), (ANY_SESSION, *what)
        with self._lock:
            if len(self._looks) > MAX_LOOKS:
                self._looks = {look: at for look, at in self._looks.items() if now - at < SAME_LOOK_S}
            before = max(self._looks.get(look, -SAME_LOOK_S) for look in ((mine, nameless) if session else (anybody,)))
            self._looks[mine] = self._looks[anybody] = now
        return now - before > SAME_LOOK_S


class Door:
    """Has the workbench's jobs and desks, each behind its rule."""

    def __init__(self, entrance: Entrance, desk: str = "") -> None:
        self._entrance = entrance
        self._desk = desk

    @property
    def settings(self) -> Any:
        return self._entrance.bench.settings

    def may(self, job: str, patient_id: str = "") -> bool:
        """Whether this visit may do a job at all; with `patient_id` also behind glass broken for that patient."""
        guest, rule = self._entrance.guest(), RULES.get(job)
        if guest is None or guest.role is None:
            return True
        if rule is None:
            return False
        if guest.role in rule.roles or (rule.masked and guest.role is Role.RESEARCHER):
            return True
        return rule.glass and bool(patient_id) and guest.bench.people.glass_is_broken(guest.actor, patient_id)

    def __getattr__(self, name: str) -> Any:
        path = f"{self._desk}.{name}" if self._desk else name
        if path in DESKS and not self._desk:
            return Door(self._entrance, path)
        job = _find(self._entrance.bench, path)
        if not callable(job):
            raise AttributeError(f"the door leads to jobs only, and {path} is none")

        def through(*args: Any, **kwargs: Any) -> Any:
            return self._through(path, args, kwargs)

        through.__name__ = name
        through.__doc__ = job.__doc__
        return through

    def _through(self, path: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        guest, rule = self._entrance.guest(), RULES.get(path)
        if guest is None:
            return _find(self._entrance.bench, path)(*args, **kwargs)
        job = _find(guest.bench, path)
        given = inspect.signature(job).bind(*args, **kwargs)
        if "actor" in inspect.signature(job).parameters:
            given.arguments["actor"] = guest.actor  # who acts is never the caller's to say
        masked = _check(guest, path, rule, given.arguments)
        if masked and "text" in given.arguments:
            given.arguments["text"] = ""  # whom a name finds would tell whose pseudonym it is
        result = job(*given.args, **given.kwargs)
        if rule and rule.reads:
            self._tell(guest, rule, given.arguments, result)
        return _masked(guest.bench, result) if masked else result

    def _tell(self, guest: Guest, rule: Rule, given: dict[str, Any], result: Any) -> None:
        said = str(given.get(rule.by) or "")
        what = "" if rule.by == "text" else said  # what was typed may be a name
        patient_id = str(given.get("patient_id") or getattr(result, "patient_id", "") or "")
        if rule.by == "text" and not said:
            return  # the list that the page opens with
        if self._entrance.first_look(guest.actor.session, rule.reads, what or patient_id):
            owner = patient_id or _patient_of(guest.bench, given)  # a picture does not say whose it is
            guest.bench.record_read(guest.actor, rule.reads, what, owner)


def _visit_of(request: Any) -> Visit | None:
    """The visit that the gate wrote into the request behind a Gradio event."""
    scope = getattr(getattr(request, "request", None), "scope", None)
    return scope.get(SCOPE_KEY) if isinstance(scope, dict) else None


def _find(bench: Any, path: str) -> Any:
    found = bench
    for name in path.split("."):
        found = getattr(found, name)
    return found


def _check(guest: Guest, path: str, rule: Rule | None, given: dict[str, Any]) -> bool:
    """Whether the answer must be masked. Raises NotAllowed."""
    if guest.role is None:
        return False
    if rule is not None and guest.role in rule.roles:
        return False
    if rule is not None and rule.masked and guest.role is Role.RESEARCHER:
        return True
    if rule is not None and rule.glass and guest.role is not Role.RESEARCHER:
        patient_id = str(given.get("patient_id") or "") or _patient_of(guest.bench, given)
        if patient_id and guest.bench.people.glass_is_broken(guest.actor, patient_id):
            return False
    raise NotAllowed(_refusal(guest.role, path, rule))


def _refusal(role: Role, path: str, rule: Rule | None) -> str:
    who = sorted(rule.roles) if rule else []
    may = f"It is for: {', '.join(who)}." if who else "It is not offered where people sign in."
    glass = (
        " If a patient's care needs it now, break the glass for that patient with a reason, under Trail."
        if rule and rule.glass and role is not Role.RESEARCHER
        else ""
    )
    job = path.replace("_", " ").replace(".", ": ")
    return f"A {role.value} may not do this ({job}), so nothing was done. {may}{glass}"


def _patient_of(bench: Workbench, given: dict[str, Any]) -> str:
    document_id = str(given.get("document_id") or "")
    try:
        return bench.owner_of(document_id) if document_id else ""
    except NothingFound:
        return ""


def _masked(bench: Workbench, result: Any) -> Any:
    """The answer as a researcher may see it. Raises NotAllowed for a record that belongs to nobody yet."""
    return deidentify.shown(result, bench.patient)


def guarded(bench: Workbench, workspaces: Workspaces | None = None) -> tuple[Entrance, Door]:
    """The door to a workbench."""
    entrance = Entrance(bench, workspaces)
    return entrance, Door(entrance)
