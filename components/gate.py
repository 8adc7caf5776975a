"""The gate: every request of the server passes here. It knows whose visit a request belongs to and keeps strangers out.

In a clinic a visit begins with a log-in and is a cookie that scripts of a page cannot read (or a bearer token, for
programs); in the demonstration it is a random cookie without a name behind it. Plain ASGI, so that it stands before
Gradio's own routes, its MCP server and the pictures of pages alike.
"""

from __future__ import annotations

import html
import secrets
from contextvars import ContextVar
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from components.bridge import message_of
from domain.errors import NotAllowed
from domain.people import Mode, SignedIn

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from pipelines.workbench import Workbench

COOKIE = "hc-visit"
SCOPE_KEY = "health_connect.visit"
MAX_FORM_BYTES = 4096
# What a stranger may ask for: the log-in itself, the public keys that prescriptions are verified with, and what Gradio
# asks of itself while it starts (it runs start-up events, of which there are none, and says nothing).
OPEN_PATHS = frozenset({"/login", "/login/", "/logout", "/.well-known/jwks.json", "/gradio_api/startup-events"})
STRICT = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'"}
LOGIN_PAGE = Path(__file__).with_name("assets") / "login.html"
QUIET = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}


@dataclass(frozen=True, slots=True)
class Visit:
    """`key`: the cookie's value, "" without one; `signed_in`: who, in a clinic."""

    key: str
    signed_in: SignedIn | None = None


current_visit: ContextVar[Visit | None] = ContextVar("current_visit", default=None)


class Gate:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, workbench: Workbench) -> None:
        self._app = app
        self._workbench = workbench
        self._mode = workbench.settings.mode

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        key = _token(scope)
        signed_in = None
        if self._mode is Mode.CLINIC:
            signed_in = await run_in_threadpool(self._workbench.people.who, key) if key else None
            if signed_in is None and scope["path"] not in OPEN_PATHS:
                await _turned_away(scope)(scope, receive, send)
                return
        fresh = ""
        if self._mode is Mode.DEMO and not key and _wants_page(scope):
            fresh = key = secrets.token_urlsafe(24)
        scope[SCOPE_KEY] = visit = Visit(key, signed_in)
        token = current_visit.set(visit)
        try:
            await self._app(scope, receive, _with_cookie(send, scope, fresh) if fresh else send)
        finally:
            current_visit.reset(token)


def sign_in_routes(workbench: Workbench) -> list[Route]:
    """The log-in page, log-in, log-out, and who is here; given to the server before Gradio's own of these names."""
    mode = workbench.settings.mode

    async def login_page(request: Request) -> Response:
        if mode is not Mode.CLINIC:
            return RedirectResponse("/", 303)
        return _login_page(_safe_path(request.query_params.get("next", "/")))

    async def login(request: Request) -> Response:
        if mode is not Mode.CLINIC:
            return RedirectResponse("/", 303)
        body = await _small_body(request)
        fields = {name: values[0] for name, values in parse_qs(body, keep_blank_values=True).items()}
        after = _safe_path(fields.get("next", "/"))
        by_page = "next" in fields
        try:
            token = await run_in_threadpool(
                workbench.people.sign_in, fields.get("username", ""), fields.get("password", "")
            )
        except Exception as error:
            said = message_of(error)
            status = 401 if isinstance(error, NotAllowed) else 500
            return _login_page(after, said, status) if by_page else JSONResponse({"detail": said}, status, QUIET)
        answer = (
            RedirectResponse(after, 303) if by_page else JSONResponse({"success": True, "token": token}, 200, QUIET)
        )
        answer.headers["Set-Cookie"] = _cookie(request.scope, token)
        return answer

    async def logout(request: Request) -> Response:
        if mode is Mode.CLINIC:
            await run_in_threadpool(workbench.people.sign_out, _token(request.scope))
        answer = RedirectResponse("/login" if mode is Mode.CLINIC else "/", 303)
        answer.headers["Set-Cookie"] = f"{COOKIE}=; Path=/; Max-Age=0"
        return answer

    async def who(request: Request) -> Response:
        visit: Visit | None = request.scope.get(SCOPE_KEY)
        here = visit.signed_in.account if visit and visit.signed_in else None
        answer = {"mode": mode.value, "name": here.name if here else "", "role": here.role.value if here else ""}
        return JSONResponse(answer, 200, QUIET)

    return [
        Route("/login", login_page, methods=["GET"]),
        Route("/login", login, methods=["POST"]),
        Route("/login/", login, methods=["POST"]),
        Route("/logout", logout, methods=["GET", "POST"]),
        Route("/who", who, methods=["GET"]),
    ]


def _token(scope: Scope) -> str:
    """The visit's secret: a bearer token, else the cookie."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    kind, _, bearer = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and bearer.strip():
        return bearer.strip()
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return cookie.value if cookie else ""


def _wants_page(scope: Scope) -> bool:
    accepts = next((value for name, value in scope["headers"] if name == b"accept"), b"")
    return scope["method"] == "GET" and b"text/html" in accepts


def _turned_away(scope: Scope) -> Response:
    if _wants_page(scope):
        query = scope.get("query_string", b"").decode("latin-1")
        wanted = scope["path"] + (f"?{query}" if query else "")
        return RedirectResponse(f"/login?next={quote(wanted, safe='')}", 303, QUIET)
    said = "Nobody is signed in, or the visit has ended, so nothing was done. Sign in again at /login."
    return JSONResponse({"detail": said}, 401, QUIET)


def _with_cookie(send: Send, scope: Scope, key: str) -> Send:
    async def send_with_cookie(message: Message) -> None:
        if message["type"] == "http.response.start":
            header = (b"set-cookie", _cookie(scope, key).encode("latin-1"))
            message = {**message, "headers": [*message.get("headers", []), header]}
        await send(message)

    return send_with_cookie


def _cookie(scope: Scope, value: str) -> str:
    """Over https the cookie also goes to a page shown inside another site's frame, as hosted demonstrations are."""
    forwarded = next((value for name, value in scope["headers"] if name == b"x-forwarded-proto"), b"")
    if scope.get("scheme") == "https" or forwarded.startswith(b"https"):
        return f"{COOKIE}={value}; Path=/; HttpOnly; Secure; SameSite=None; Partitioned"
    return f"{COOKIE}={value}; Path=/; HttpOnly; SameSite=Lax"


def _safe_path(wanted: str) -> str:
    """A place on this server to go to after the log-in; never another site."""
    inside = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable()
    return wanted if inside else "/"


async def _small_body(request: Request) -> str:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            return ""
    return body.decode("utf-8", "replace")


def _login_page(after: str, said: str = "", status: int = 200) -> HTMLResponse:
    alert = f'<p class="said" role="alert">{html.escape(said)}</p>' if said else ""
    page = Template(LOGIN_PAGE.read_text("utf-8")).substitute(alert=alert, after=html.escape(after, quote=True))
    return HTMLResponse(page, status, QUIET | STRICT)
