"""The gate before the server: strangers stay out of a clinic, and every visitor of the demonstration is told apart."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from components.gate import COOKIE, Gate, current_visit, sign_in_routes
from domain.audit import Actor
from domain.people import Mode
from domain.settings import Settings
from pipelines.workbench import Workbench

PASSWORD = "long enough password"
PAGE = {"accept": "text/html"}


def server(settings: Settings, mode: Mode) -> tuple[Workbench, TestClient]:
    bench = Workbench(settings.model_copy(update={"mode": mode}))

    async def whose(request: Request) -> PlainTextResponse:
        visit = current_visit.get()
        signed_in = visit.signed_in if visit else None
        return PlainTextResponse(signed_in.account.name if signed_in else (visit.key if visit else ""))

    routes = [*sign_in_routes(bench), Route("/{rest:path}", whose, methods=["GET", "POST"])]
    app = Starlette(routes=routes, middleware=[Middleware(Gate, workbench=bench)])
    return bench, TestClient(app, follow_redirects=False)


@pytest.fixture
def clinic(settings: Settings) -> Iterator[TestClient]:
    bench, client = server(settings, Mode.CLINIC)
    bench.people.add("ada", "doctor", PASSWORD, Actor("operator", "", "administrator"))
    yield client
    bench.close()


@pytest.mark.parametrize(
    "path", ["/", "/gradio_api/queue/join", "/records/x/pages/1.jpg", "/gradio_api/mcp/", "/config"]
)
def test_a_stranger_gets_nothing(clinic: TestClient, path: str) -> None:
    answer = clinic.get(path)
    assert answer.status_code == 401
    assert "Sign in" in answer.json()["detail"]
    assert clinic.post(path).status_code == 401
    assert clinic.get(path, headers={"authorization": "Bearer invented"}).status_code == 401
    assert clinic.get(path, headers={"cookie": f"{COOKIE}=invented"}).status_code == 401


def test_a_person_is_led_to_the_log_in_and_back_to_what_was_wanted(clinic: TestClient) -> None:
    led = clinic.get("/?patient=p1", headers=PAGE)
    assert (led.status_code, led.headers["location"]) == (303, "/login?next=%2F%3Fpatient%3Dp1")
    page = clinic.get(led.headers["location"], headers=PAGE)
    assert 'name="next" value="/?patient=p1"' in page.text
    done = clinic.post("/login", data={"username": "ada", "password": PASSWORD, "next": "/?patient=p1"})
    assert (done.status_code, done.headers["location"]) == (303, "/?patient=p1")
    cookie = done.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert clinic.get("/anything").text == "ada"
    assert clinic.get("/who").json() == {"mode": "clinic", "name": "ada", "role": "doctor"}
    clinic.get("/logout")
    assert clinic.get("/anything").status_code == 401


def test_a_wrong_password_is_said_without_saying_what_was_wrong(clinic: TestClient) -> None:
    by_page = clinic.post("/login", data={"username": "ada", "password": "guess", "next": "/"})
    by_program = clinic.post("/login", data={"username": "<b>", "password": "guess"})
    assert (by_page.status_code, by_program.status_code) == (401, 401)
    assert "do not fit" in by_page.text
    assert "do not fit" in by_program.json()["detail"]
    assert "set-cookie" not in by_page.headers


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x", "/a\nb"]
)
def test_the_log_in_leads_to_this_server_only(clinic: TestClient, wanted: str) -> None:
    done = clinic.post("/login", data={"username": "ada", "password": PASSWORD, "next": wanted})
    assert done.headers["location"] == "/"


def test_what_is_wanted_never_becomes_markup(clinic: TestClient) -> None:
    page = clinic.get("/login", params={"next": '/"><script>alert(1)</script>'})
    assert "<script>" not in page.text


def test_a_program_signs_in_with_a_bearer_token(clinic: TestClient) -> None:
    token = clinic.post("/login", data={"username": "ada", "password": PASSWORD}).json()["token"]
    clinic.cookies.clear()
    assert clinic.get("/x", headers={"authorization": f"Bearer {token}"}).text == "ada"


def test_a_huge_form_is_not_read(clinic: TestClient) -> None:
    assert clinic.post("/login", content=b"username=ada&password=" + b"x" * 1_000_000).status_code == 401


def test_over_https_the_cookie_is_secure(clinic: TestClient) -> None:
    done = clinic.post("/login", data={"username": "ada", "password": PASSWORD}, headers={"x-forwarded-proto": "https"})
    assert "Secure" in done.headers["set-cookie"]


def test_each_visitor_of_the_demonstration_gets_a_cookie_of_his_own(settings: Settings) -> None:
    bench, client = server(settings, Mode.DEMO)
    keys = set()
    for _ in range(2):
        client.cookies.clear()
        first = client.get("/", headers=PAGE)
        assert first.text == first.cookies[COOKIE]
        assert client.get("/again", headers=PAGE).text == first.text
        keys.add(first.text)
    assert len(keys) == 2
    client.cookies.clear()
    assert "set-cookie" not in client.get("/gradio_api/info").headers  # a program is known by its session instead
    assert client.get("/login").headers["location"] == "/"
    bench.close()


def test_one_desk_needs_no_visit(settings: Settings) -> None:
    bench, client = server(settings, Mode.LOCAL)
    assert "set-cookie" not in client.get("/", headers=PAGE).headers
    assert client.get("/who").json()["mode"] == "local"
    assert client.post("/login", data={"username": "a", "password": "b"}).headers["location"] == "/"
    bench.close()
