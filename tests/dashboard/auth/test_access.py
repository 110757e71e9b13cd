"""The door: closed by default, open only on this machine, and not fooled by other sites, sizes or guessing."""

import asyncio
import base64
import json

import pytest

from dashboard.auth.access import Guard, access_notice, check_bind, is_loopback
from dashboard.auth.headers import content_security_policy
from dashboard.auth.throttle import Throttle
from engines.errors import InputError

POLICY = content_security_policy(["'sha256-abc'"])


async def echo(scope, receive, send):
    """An application that says how it was reached and what it was sent."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    headers = [(b"content-type", b"text/plain"), (b"x-frame-options", b"ALLOWALL")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": scope["path"].encode() + b" " + body})


def ask(guard, path="/", *, method="GET", body=(b"",), client=("127.0.0.1", 5000), **headers):
    """One request; gives status, headers and body of the answer."""
    given = {"host": "localhost:8050", **{name.replace("_", "-"): value for name, value in headers.items()}}
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "client": client,
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    }
    pieces = [
        {"type": "http.request", "body": piece, "more_body": place < len(body) - 1} for place, piece in enumerate(body)
    ]
    sent = []

    async def receive():
        return pieces.pop(0) if pieces else {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    asyncio.run(guard(scope, receive, send))
    answer = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], answer, b"".join(message.get("body", b"") for message in sent[1:])


def basic(password, user="anyone"):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture
def closed():
    return Guard(echo, password="sésame:1", policy=POLICY)


@pytest.fixture
def open_here():
    return Guard(echo, password="", policy=POLICY)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.2.1", "localhost", "LOCALHOST", "::1", "[::1]"])
def test_loopback_needs_no_password(host):
    assert is_loopback(host)
    check_bind(host, {})


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "segmentry.example", ""])
def test_other_hosts_need_one(host):
    with pytest.raises(InputError, match=r"SEGMENTRY_PASSWORD.*127\.0\.0\.1"):
        check_bind(host, {})
    with pytest.raises(InputError):
        check_bind(host, {"SEGMENTRY_PASSWORD": ""})
    check_bind(host, {"SEGMENTRY_PASSWORD": "x"})


def test_says_whether_it_is_open():
    assert "open, without a password" in access_notice({})
    assert "open" not in access_notice({"SEGMENTRY_PASSWORD": "x"})


@pytest.mark.parametrize("path", ["/", "/api/v1/runs", "/_dash-update-component", "/assets/base.css", "/health/"])
def test_closed_without_the_password(closed, path):
    status, headers, body = ask(closed, path)
    assert status == 401
    assert headers["www-authenticate"].startswith("Basic ")
    assert b"password" in body


def test_health_is_for_everyone(closed):
    assert ask(closed, "/health", host="10.0.0.1:80")[0] == 200


def test_any_user_name_with_the_password(closed):
    for user in ("", "anna", "bert"):
        assert ask(closed, authorization=basic("sésame:1", user))[0] == 200


@pytest.mark.parametrize(
    "header",
    [basic("wrong"), basic(""), "Basic", "Basic !!!", "Basic " + base64.b64encode(b"nocolon").decode(), "Bearer x", ""],
)
def test_anything_else_is_refused(closed, header):
    assert ask(closed, authorization=header)[0] == 401


def test_api_answers_in_json(closed):
    status, headers, body = ask(closed, "/api/v1/runs")
    assert (status, headers["content-type"]) == (401, "application/json")
    assert set(json.loads(body)) == {"error"}


def test_guessing_is_slowed_down_per_client():
    now = [100.0]
    guard = Guard(echo, password="right", policy=POLICY, throttle=Throttle(lambda: now[0], limit=3, window=60))
    right = {"authorization": basic("right")}
    for _ in range(3):
        assert ask(guard, authorization=basic("wrong"))[0] == 401
    status, headers, _ = ask(guard, **right)
    assert (status, headers["retry-after"]) == (429, "61")
    assert ask(guard, client=("10.0.0.9", 1), **right)[0] == 200
    now[0] += 60
    assert ask(guard, **right)[0] == 200


def test_asking_without_a_password_is_not_guessing():
    guard = Guard(echo, password="right", policy=POLICY, throttle=Throttle(lambda: 0.0, limit=2))
    for _ in range(5):
        assert ask(guard)[0] == 401
    assert ask(guard, authorization=basic("right"))[0] == 200


def test_one_client_has_a_whole_ipv6_network():
    guard = Guard(echo, password="right", policy=POLICY, throttle=Throttle(lambda: 0.0, limit=2))
    for last in (1, 2):
        ask(guard, client=(f"2001:db8::{last}", 1), authorization=basic("wrong"))
    assert ask(guard, client=("2001:db8::3", 1), authorization=basic("right"))[0] == 429
    assert ask(guard, client=("2001:db8:0:1::3", 1), authorization=basic("right"))[0] == 200


def test_throttle_forgets_the_oldest():
    throttle = Throttle(lambda: 0.0, limit=1, remembered=2)
    for client in "abc":
        throttle.failed(client)
    assert [throttle.wait_for(client) > 0 for client in "abc"] == [False, True, True]


@pytest.mark.parametrize(
    "host", ["localhost:8050", "127.0.0.1:8050", "[::1]:8050", "localhost", "127.0.0.1", "LocalHost:1"]
)
def test_open_under_local_names(open_here, host):
    assert ask(open_here, host=host)[0] == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8050", "localhost.evil.example", "127.0.0.1.evil.example", ""]
)
def test_closed_under_other_names(open_here, host):
    assert ask(open_here, host=host)[0] == 403


def test_open_only_for_this_machine(open_here):
    assert ask(open_here, client=("192.168.1.20", 5000))[0] == 403
    assert ask(open_here, client=("::1", 5000))[0] == 200
    assert ask(open_here, client=None)[0] == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": "http://localhost:8050"}, 200),
        ({"origin": "http://localhost:9999"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec_fetch_site": "same-origin"}, 200),
        ({"sec_fetch_site": "none"}, 200),
        ({"sec_fetch_site": "cross-site", "origin": "http://localhost:8050"}, 403),
        ({"sec_fetch_site": "same-site"}, 403),
    ],
)
def test_other_sites_change_nothing(open_here, closed, headers, status):
    assert ask(open_here, method="POST", **headers)[0] == status
    assert ask(closed, method="POST", authorization=basic("sésame:1"), **headers)[0] == status
    assert ask(open_here, method="GET", **headers)[0] == 200


def test_bodies_are_bounded(open_here):
    small = Guard(echo, password="", policy=POLICY, body_limit=1024 * 1024)
    megabyte = b"x" * 1024 * 1024
    assert ask(small, method="POST", body=(megabyte,), content_length=str(len(megabyte)))[0] == 200
    assert ask(small, method="POST", content_length=str(len(megabyte) + 1))[0] == 413
    status, _, body = ask(small, "/api/v1/runs", method="POST", body=(megabyte, b"y"), transfer_encoding="chunked")
    assert (status, json.loads(body)) == (413, {"error": "The request is larger than 1 MB."})


def test_body_arrives_whole(open_here):
    assert ask(open_here, method="POST", body=(b"ab", b"cd"), content_length="4")[2] == b"/ abcd"


def test_every_answer_carries_the_headers(open_here, closed):
    for guard in (open_here, closed):
        headers = ask(guard)[1]
        assert headers["content-security-policy"] == POLICY
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "same-origin"
    assert "cache-control" not in ask(open_here, "/assets/base.css")[1]


def test_policy_loads_nothing_from_elsewhere():
    rules = dict(rule.split(" ", 1) for rule in POLICY.split("; "))
    assert rules["default-src"] == "'self'"
    assert rules["frame-ancestors"] == "'none'"
    assert rules["script-src"] == "'self' 'sha256-abc'"
    assert not any("http" in rule or "*" in rule for rule in rules.values())


def test_websockets_are_refused(closed):
    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(closed({"type": "websocket", "path": "/"}, None, send))
    assert sent == [{"type": "websocket.close", "code": 1008}]
