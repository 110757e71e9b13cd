"""Downloading a file over HTTP so that a broken line costs nothing: it is gone on with where it broke off."""

from __future__ import annotations

import http.client
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

from engines.errors import InputError

_CHUNK = 256 * 1024
_TRIES = 4  # in a row without a single byte
_MOST = 1 << 30  # bytes; no data set that is offered comes near
_PASSING = (408, 425, 429, 500, 502, 503, 504)

#: Told how much is done, 0 to 1; where the server does not say how much there is, only at the end.
Done = Callable[[float], object]


class _BrokenOffError(Exception):
    """The line is broken or silent; another try may do."""


def download(url: str, part: Path, *, timeout: float, wait: float, done: Done) -> None:
    """Download into ``part``, going on with what is there already.

    A server that can give a part of a file is asked for the rest, if the file is still the one that was begun (its
    validator stands in a file beside it); otherwise all of it comes again. The caller checks the content.

    Raises:
        InputError: no such address, a refusal, or a line that stays broken; what was downloaded is kept.
        OSError: the file cannot be written.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise InputError(f"{url} is no address to download from; it must begin with https:// or http://.")
    tries = 0
    while True:
        before = _size(part)
        try:
            return _attempt(url, part, timeout, done)
        except _BrokenOffError as error:
            tries = 0 if _size(part) > before else tries + 1
            if tries == _TRIES:
                kept = f" {_size(part):,} bytes are kept; the same command goes on from there." if part.exists() else ""
                raise InputError(f"{url} cannot be downloaded: {error}.{kept}") from None
            time.sleep(wait * tries)


def _attempt(url: str, part: Path, timeout: float, done: Done) -> None:
    offset, tag = _size(part), part.with_name(f"{part.name}.tag")
    try:
        with _opened(url, offset, tag.read_text("ascii") if offset and tag.exists() else "", timeout) as answer:
            if answer.status != http.HTTPStatus.PARTIAL_CONTENT:
                offset = 0
            total = _total(answer, offset)
            if not offset:
                tag.write_text(_validator(answer), "ascii")
            with part.open("ab" if offset else "wb") as file:
                while chunk := answer.read(_CHUNK):
                    file.write(chunk)
                    offset += len(chunk)
                    if offset > (total or _MOST):
                        raise InputError(f"{url} gives more than it should; nothing of it can be trusted.")
                    if total:
                        done(offset / total)
    except urllib.error.HTTPError as error:
        with error:
            _refused(url, error, part)
        return
    except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError) as error:
        raise _BrokenOffError(_words(error, timeout)) from None
    if total and offset < total:
        raise _BrokenOffError(f"the line broke off after {offset:,} of {total:,} bytes")
    tag.unlink(missing_ok=True)


def _opened(url: str, offset: int, tag: str, timeout: float) -> http.client.HTTPResponse:
    headers = {"User-Agent": f"segmentry/{version('segmentry')}", "Accept-Encoding": "identity"}
    if offset:
        headers |= {"Range": f"bytes={offset}-"} | ({"If-Range": tag} if tag else {})
    opener = urllib.request.OpenerDirector()  # without the handlers of file: and ftp:, to which a server might send us
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - the scheme has been checked
    answer: http.client.HTTPResponse = opener.open(request, timeout=timeout)
    return answer


def _total(answer: http.client.HTTPResponse, offset: int) -> int | None:
    """How long the whole file is, where the server says so.

    Raises:
        _BrokenOffError: the server goes on at another place than it was asked for.
    """
    if not offset:
        length = answer.headers.get("Content-Length", "")
        return int(length) if length.isdigit() else None
    found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", answer.headers.get("Content-Range", "").strip())
    if found is None or int(found[1]) != offset:
        raise _BrokenOffError("the server sends another part than it was asked for")
    return None if found[3] == "*" else int(found[3])


def _validator(answer: http.client.HTTPResponse) -> str:
    """By what the server recognises this version of the file; a weak tag is not good enough for parts."""
    tag = answer.headers.get("ETag", "")
    chosen = tag if tag and not tag.startswith("W/") else answer.headers.get("Last-Modified", "")
    return chosen if chosen.isascii() else ""


def _refused(url: str, error: urllib.error.HTTPError, part: Path) -> None:
    """What to make of an answer that is no file.

    Raises:
        InputError: it will not get better.
        _BrokenOffError: it may.
    """
    if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and part.exists():
        if error.headers.get("Content-Range", "").strip() == f"bytes */{_size(part)}":
            return  # all of it is there already
        part.unlink()
        raise _BrokenOffError("what was begun is longer than the file")
    if error.code in _PASSING:
        raise _BrokenOffError(f"the server answers {error.code} {error.reason}")
    remedy = "It may have moved; look on the publisher's page" if error.code in (404, 410) else "Try again later"
    raise InputError(f"{url} cannot be downloaded: the server answers {error.code} {error.reason}. {remedy}.")


def _words(error: Exception, timeout: float) -> str:
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, TimeoutError):
        return f"the server was silent for {timeout:g} s"
    if isinstance(reason, http.client.HTTPException) or not str(reason):
        return f"the line broke off ({type(reason).__name__})"
    text = reason.strerror if isinstance(reason, OSError) and reason.strerror else str(reason)
    return f"no connection ({text})"


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0
