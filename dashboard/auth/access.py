"""Who may come in: nobody without the password, except from this machine to an address only this machine can reach."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from dashboard.auth.headers import security_headers
from dashboard.auth.throttle import Throttle
from engines.errors import InputError

PASSWORD_VARIABLE = "SEGMENTRY_PASSWORD"  # noqa: S105 - the variable's name, not a password
HEALTH = "/health"
BODY_LIMIT = 4 * 1024 * 1024
UPLOADS = "/api/v1/uploads"  # bounds its bodies itself, as it writes them to disk piece by piece

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
_Refusal = tuple[int, str, dict[str, str]]  # status, sentence, headers

_LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_CACHEABLE = ("/assets/", "/_dash-component-suites/", "/vendor/")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address: ``localhost``, 127.0.0.0/8 or ::1."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def check_bind(host: str, environ: Mapping[str, str]) -> None:
    """Refuse to listen where others can reach without a password.

    Raises:
        InputError: the host is not a loopback address and no password is set.
    """
    if not is_loopback(host) and not environ.get(PASSWORD_VARIABLE, ""):
        raise InputError(
            "Listening on {host} would open Segmentry to the network without a password: set the "
            "environment variable {password_variable}, or listen on 127.0.0.1.",
            host=host,
            password_variable=PASSWORD_VARIABLE,
        )


def access_notice(environ: Mapping[str, str]) -> str:
    """Who can come in, in a sentence for the log."""
    if environ.get(PASSWORD_VARIABLE, ""):
        return f"Segmentry asks for the password in {PASSWORD_VARIABLE}, with any user name."
    return f"Segmentry is open, without a password, to everyone on this machine. Set {PASSWORD_VARIABLE} to close it."


class Guard:
    """ASGI middleware around everything: deny by default, then let through what is allowed.

    With a password, every request but ``/health`` needs it (HTTP Basic, any user name). Without one, only requests from
    this machine under a local name are answered, so that a page elsewhere cannot reach in by rebinding its name.
    Requests that change something must come from Segmentry's own pages or from a program. Bodies are bounded, save that
    of an upload, which its route bounds.
    """

    def __init__(
        self, app: App, *, password: str, policy: str, throttle: Throttle | None = None, body_limit: int = BODY_LIMIT
    ) -> None:
        self.app = app
        self._key = hashlib.sha256(password.encode()).digest() if password else None
        self._headers = security_headers(policy)
        self._throttle = throttle or Throttle()
        self._body_limit = body_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI connection."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._http(scope, receive, self._with_headers(scope, send))

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.lower(): value for name, value in _headers(scope)}
        refusal = None if scope["path"] == HEALTH else self._refusal(scope, headers)
        if refusal is None and (scope["method"], scope["path"]) != ("POST", UPLOADS):
            receive, refusal = await self._bounded(headers, receive)
        if refusal is None:
            await self.app(scope, receive, send)
        else:
            await _answer(scope, send, *refusal)

    def _refusal(self, scope: Scope, headers: Mapping[str, str]) -> _Refusal | None:
        entry = self._local_only(scope, headers) if self._key is None else self._check_password(scope, headers)
        if entry is not None:
            return entry
        if scope["method"] not in _SAFE_METHODS and not _same_site(headers):
            return 403, "This request came from another site and is refused.", {}
        return None

    def _local_only(self, scope: Scope, headers: Mapping[str, str]) -> _Refusal | None:
        client = (scope.get("client") or ("", 0))[0]
        name = headers.get("host", "").lower()
        name = name if name.endswith("]") else name.rpartition(":")[0] or name
        if name not in _LOCAL_NAMES or _is_elsewhere(client):
            return 403, f"Without {PASSWORD_VARIABLE}, Segmentry answers only on this machine, as http://127.0.0.1.", {}
        return None

    def _check_password(self, scope: Scope, headers: Mapping[str, str]) -> _Refusal | None:
        client = _client(scope)
        wait = self._throttle.wait_for(client)
        if wait > 0:
            return 429, "Too many wrong passwords; try again in a minute.", {"retry-after": str(int(wait) + 1)}
        given = _basic_password(headers.get("authorization", ""))
        if given is not None:
            if self._key is not None and hmac.compare_digest(hashlib.sha256(given).digest(), self._key):
                self._throttle.passed(client)
                return None
            self._throttle.failed(client)
        challenge = {"www-authenticate": 'Basic realm="Segmentry", charset="UTF-8"'}
        return 401, "Segmentry asks for its password (any user name).", challenge

    async def _bounded(self, headers: Mapping[str, str], receive: Receive) -> tuple[Receive, _Refusal | None]:
        """The body read up to the limit and handed on whole, so that no room has to bound it again."""
        too_large: _Refusal = 413, f"The request is larger than {self._body_limit // 1024 // 1024} MB.", {}
        length = headers.get("content-length", "")
        if not length and "transfer-encoding" not in headers:
            return receive, None
        if length.isdigit() and int(length) > self._body_limit:
            return receive, too_large
        body, more = bytearray(), True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                break
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self._body_limit:
                return receive, too_large
        pending = [{"type": "http.request", "body": bytes(body), "more_body": False}]

        async def replay() -> Message:
            return pending.pop() if pending else await receive()

        return replay, None

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        keep = scope["path"].startswith(_CACHEABLE)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                ours = self._headers if keep else [*self._headers, (b"cache-control", b"no-store")]
                taken = {name for name, _ in ours}
                theirs = [pair for pair in message.get("headers", []) if pair[0].lower() not in taken]
                message = {**message, "headers": [*theirs, *ours]}
            await send(message)

        return with_headers


def _headers(scope: Scope) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope.get("headers", [])]


def _is_elsewhere(client: str) -> bool:
    try:
        return not ipaddress.ip_address(client).is_loopback
    except ValueError:  # no address: a Unix socket, or a client in the same process
        return False


def _client(scope: Scope) -> str:
    """Who is counted: an IPv4 address, or an IPv6 network of 64 bits, since one client has all of it."""
    host = (scope.get("client") or ("", 0))[0]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else host


def _same_site(headers: Mapping[str, str]) -> bool:
    """Whether a browser says that its own page asks; programs other than browsers say nothing and may."""
    if "sec-fetch-site" in headers:
        return headers["sec-fetch-site"] in ("same-origin", "none")
    if "origin" in headers:
        return urlsplit(headers["origin"]).netloc.lower() == headers.get("host", "").lower() != ""
    return True


def _basic_password(header: str) -> bytes | None:
    """The password of an ``Authorization: Basic`` header; None where there is none to check."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        _, colon, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
    except binascii.Error:
        return None
    return password if colon else None


async def _answer(scope: Scope, send: Send, status: int, sentence: str, extra: Mapping[str, str]) -> None:
    api = scope["path"].startswith("/api")
    body = json.dumps({"error": sentence}).encode() if api else sentence.encode()
    headers = {
        "content-type": "application/json" if api else "text/plain; charset=utf-8",
        "content-length": str(len(body)),
        **extra,
    }
    start = {"type": "http.response.start", "status": status}
    await send({**start, "headers": [(name.encode(), value.encode()) for name, value in headers.items()]})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
