"""Who may come in: every combination of method, Host, Origin and token, and what cannot be combined."""

from __future__ import annotations

import asyncio
from itertools import product

import pytest
from asking import ask
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from pellucid.apps.server.guard import Guard
from pellucid.apps.studio.application import application
from pellucid.apps.studio.session import Session

PORT, TOKEN = 8765, "the-key"
HOST = ("Host", "127.0.0.1:8765")
ORIGIN = ("Origin", "http://127.0.0.1:8765")
COOKIE = ("Cookie", "pellucid-8765=the-key")
ALL = [HOST, ORIGIN, COOKIE]
MEGABYTE = 1 << 20


async def inner(scope, receive, send):
    """The application inside: it reads the whole body and tells its length."""
    body = await Request(scope, receive).body()
    await PlainTextResponse(f"came in with {len(body)}")(scope, receive, send)


@pytest.fixture
def guard():
    return Guard(inner, PORT, TOKEN)


METHODS = ["GET", "HEAD", "POST", "DELETE", "PUT", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get", "post", "PROPFIND"]
HOSTS = {
    "127.0.0.1:8765": True,
    "localhost:8765": True,
    "LOCALHOST:8765": False,
    "localhost.:8765": False,
    "127.0.0.1": False,
    "127.0.0.1:8766": False,
    "[::1]:8765": False,
    "0.0.0.0:8765": False,
    "evil.example:8765": False,
    "127.0.0.1:8765.evil.example": False,
    "127.0.0.1.nip.io:8765": False,
    "user@127.0.0.1:8765": False,
    "": False,
    None: False,
}
ORIGINS = {
    "http://127.0.0.1:8765": True,
    "http://localhost:8765": True,
    "HTTP://127.0.0.1:8765": False,
    "https://127.0.0.1:8765": False,
    "http://127.0.0.1": False,
    "http://127.0.0.1:8765/": False,
    "http://127.0.0.1:8765.evil.example": False,
    "http://localhost:3000": False,
    "http://evil.example": False,
    "null": False,
    "": False,
    None: None,  # reading alone needs none
}
TOKENS = {
    "right": ([("Cookie", "pellucid-8765=the-key")], "", True),
    "beside others": ([("Cookie", "a=b; pellucid-8765=the-key; c=d")], "", True),
    "two cookies, one right": ([("Cookie", "pellucid-8765=old"), ("Cookie", "pellucid-8765=the-key")], "", True),
    "none": ([], "", False),
    "wrong": ([("Cookie", "pellucid-8765=the-keys")], "", False),
    "shorter": ([("Cookie", "pellucid-8765=the-ke")], "", False),
    "empty": ([("Cookie", "pellucid-8765=")], "", False),
    "of another port": ([("Cookie", "pellucid-8766=the-key")], "", False),
    "of another name": ([("Cookie", "token=the-key")], "", False),
    "not ascii": ([("Cookie", "pellucid-8765=the-kéy")], "", False),
    "as a header": ([("Authorization", "Bearer the-key"), ("X-Token", "the-key")], "", False),
    "in the address": ([], "?token=the-key", None),  # a GET gets a cookie for it, others nothing
}


def expected(method, host, origin, token):
    """The rule in one place, written anew."""
    if method not in ("GET", "HEAD", "POST", "DELETE"):
        return 405
    if not HOSTS[host]:
        return 403
    reading = method in ("GET", "HEAD")
    if ORIGINS[origin] is False or (ORIGINS[origin] is None and not reading):
        return 403
    if TOKENS[token][2] is None:
        return 303 if reading else 403
    return 200 if TOKENS[token][2] else 403


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("host", HOSTS)
def test_every_combination(guard, method, host):
    seen = set()
    for origin, token in product(ORIGINS, TOKENS):
        cookies, query, _ = TOKENS[token]
        headers = [(name, value) for name, value in (("Host", host), ("Origin", origin)) if value is not None] + cookies
        answer = ask(guard, method, f"/api/session{query}", headers)
        assert answer.status == expected(method, host, origin, token), (origin, token)
        assert (b"came in" in answer.body) == (answer.status == 200)
        assert b"the-key" not in answer.body
        seen.add(answer.status)
    assert len(seen) == (
        1 if method not in ("GET", "HEAD", "POST", "DELETE") or not HOSTS[host] else 2 + (method in ("GET", "HEAD"))
    )


@pytest.mark.parametrize(
    "headers",
    [
        [HOST, HOST, ORIGIN, COOKIE],
        [HOST, ("Host", "evil.example"), ORIGIN, COOKIE],
        [HOST, ORIGIN, ORIGIN, COOKIE],
        [HOST, ORIGIN, ("Origin", "http://evil.example"), COOKIE],
        [*ALL, ("Sec-Fetch-Site", "cross-site")],
        [*ALL, ("Sec-Fetch-Site", "same-site")],  # another port of this machine
        [*ALL, ("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "cross-site")],
        [*ALL, ("Sec-Fetch-Site", "")],
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
def test_doubled_and_foreign_headers_are_refused(guard, method, headers):
    assert ask(guard, method, "/api/session", headers).status == 403


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_the_own_page_may_ask(guard, site):
    assert ask(guard, "POST", "/api/runs", [*ALL, ("Sec-Fetch-Site", site)]).status == 200


def test_the_link_becomes_a_cookie_and_leaves_the_address(guard):
    assert guard.link == "http://127.0.0.1:8765/?token=the-key"
    answer = ask(guard, "GET", "/train?data=spirals&token=the-key&noise=0.1%2C&empty=", [HOST])
    assert answer.status == 303
    assert answer.header("location") == "/train?data=spirals&noise=0.1%2C&empty="
    cookie = answer.header("set-cookie").split("; ")
    assert cookie[0] == "pellucid-8765=the-key"
    assert {part.lower() for part in cookie[1:]} == {"httponly", "samesite=strict", "path=/"}
    assert ask(guard, "GET", "/?token=the-key", [HOST]).header("location") == "/"
    assert ask(guard, "GET", answer.header("location"), [HOST, ("Cookie", cookie[0])]).status == 200


@pytest.mark.parametrize(
    "query", ["token=", "token=wrong", "token=the-key&token=the-key", "token=the-key&token=x", "token=%00"]
)
def test_a_wrong_token_in_the_address_is_refused_even_with_the_cookie(guard, query):
    assert ask(guard, "GET", f"/?{query}", [HOST, COOKIE]).status == 403


@pytest.mark.parametrize("path", ["//evil.example", "/%5Cevil.example", "/%5C%5Cevil.example/", "/..//evil.example"])
def test_the_link_leads_nowhere_else(guard, path):
    answer = ask(guard, "GET", f"{path}?token=the-key", [HOST])
    assert answer.status == 404
    assert answer.header("location") is None


TRICKS = [
    "/assets/../server.py",
    "/assets/%2e%2e/server.py",
    "/assets/..%2fserver.py",
    "/assets/%2e%2e%2f%2e%2e%2fserver.py",
    "/assets//index.js",
    "/assets/..%5cserver.py",
    "/assets\\..\\server.py",
    "/assets/x%00.js",
    "/assets/./index.js",
    "//assets/index.js",
    "/%0d%0aSet-Cookie:x",
    "/..",
]


@pytest.mark.parametrize("path", TRICKS)
def test_addresses_that_are_spelled_to_be_misread_lead_nowhere(guard, path):
    assert ask(guard, "GET", path, ALL).status == 404


def test_each_run_has_a_token_of_its_own():
    tokens = {Guard(inner, PORT).token for _ in range(20)}
    assert len(tokens) == 20
    assert min(map(len, tokens)) >= 43  # 32 bytes in base64
    assert Guard(inner, PORT, TOKEN).token not in repr(Guard(inner, PORT, TOKEN))


@pytest.mark.parametrize(
    ("path", "most"),
    [("/api/runs", MEGABYTE), ("/api/nothing", MEGABYTE), ("/draw", MEGABYTE), ("/api/read", 32 * MEGABYTE)],
)
def test_a_body_has_a_limit_whether_its_length_is_said_or_not(session, path, most):
    for app in (inner, application(session)):
        guard = Guard(app, PORT, TOKEN)
        said = [*ALL, ("Content-Length", str(most + 1))]
        assert ask(guard, "POST", path, said, b"").status == 413
        half = bytes(most // 2)
    whole = ask(Guard(inner, PORT, TOKEN), "POST", path, ALL, [half, half])
    assert (whole.status, whole.body) == (200, f"came in with {most}".encode())


def test_a_body_that_is_too_long_is_broken_off_while_it_arrives(session):
    guard, part = Guard(application(session), PORT, TOKEN), bytes(MEGABYTE // 2)
    kind = ("Content-Type", "application/json")
    answer = ask(guard, "POST", "/api/runs", [*ALL, kind], [part] * 3)
    assert answer.status == 413
    assert answer.json == {"error": "the body of the request is too large; at most 1,048,576 bytes are allowed here."}
    assert ask(guard, "POST", "/api/read", ALL, [part] * 65).status == 413


@pytest.mark.parametrize("length", ["-1", "1e3", "99999999999999999999999999", "+5", "٣", "\xb2", " ", "1" * 5000])
def test_a_length_that_is_no_number_is_refused(guard, length):
    sent = length if length == "\xb2" else length.encode().decode("latin-1")
    assert ask(guard, "POST", "/api/runs", [*ALL, ("Content-Length", sent)]).status == 413


EVERYWHERE = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


@pytest.mark.parametrize(
    ("method", "address", "headers", "status"),
    [
        ("GET", "/draw", ALL, 200),
        ("HEAD", "/draw", ALL, 200),
        ("GET", "/api/session", ALL, 200),
        ("GET", "/api/nothing", ALL, 404),
        ("GET", "/api/sample?sample=nothing", ALL, 400),
        ("POST", "/api/session", ALL, 405),
        ("POST", "/api/runs", ALL, 415),
        ("PUT", "/draw", ALL, 405),
        ("GET", "/draw", [HOST], 403),
        ("GET", "/api/session", [HOST], 403),
        ("GET", "/?token=the-key", [HOST], 303),
        ("GET", "/a//b", ALL, 404),
        ("POST", "/api/runs", [*ALL, ("Content-Length", "9999999")], 413),
    ],
)
def test_every_answer_carries_the_headers(session, method, address, headers, status):
    answer = ask(Guard(application(session), PORT, TOKEN), method, address, headers)
    assert answer.status == status
    assert {name: answer.header(name) for name in EVERYWHERE} == EVERYWHERE
    assert answer.header("access-control-allow-origin") is None


def test_a_page_without_its_token_says_what_to_do(guard):
    answer = ask(guard, "GET", "/draw", [HOST])
    assert "Open the link that the terminal printed" in answer.body.decode()
    assert answer.header("content-type") == "text/html; charset=utf-8"
    assert "style=" not in answer.body.decode()
    assert "<script" not in answer.body.decode()
    assert "Open the link" in ask(guard, "GET", "/api/session", [HOST]).json["error"]


def test_what_a_request_says_cannot_become_markup(guard):
    answer = ask(guard, "<b>&", "/draw", ALL)
    assert answer.status == 405
    assert b"<b>" not in answer.body
    assert answer.header("allow") == "GET, HEAD, POST, DELETE"


def test_a_web_socket_is_refused(guard):
    sent = []

    async def send(message):
        sent.append(message)

    scope = {
        "type": "websocket",
        "path": "/",
        "headers": [(b"host", b"127.0.0.1:8765"), (b"cookie", b"pellucid-8765=the-key")],
    }
    asyncio.run(guard(scope, None, send))
    assert sent == [{"type": "websocket.close", "code": 1008}]


def test_on_the_port_of_the_web_browsers_leave_the_number_out():
    guard = Guard(inner, 80, TOKEN)
    cookie = ("Cookie", "pellucid-80=the-key")
    assert ask(guard, "POST", "/api/x", [("Host", "localhost"), ("Origin", "http://localhost"), cookie]).status == 200
    assert ask(guard, "GET", "/api/x", [("Host", "example.com"), cookie]).status == 403


@pytest.fixture(scope="module")
def session(reader):
    return Session({"digits": reader})
