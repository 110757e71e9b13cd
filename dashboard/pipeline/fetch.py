"""Fetching well-known data sets from their publishers: resumed where it broke off, and checked to the last byte."""

from __future__ import annotations

import hashlib
import http.client
import re
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from dashboard.pipeline.sales import Progress, silent
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
        raise InputError("{url} is no address to download from; it must begin with https:// or http://.", url=url)
    tries = 0
    while True:
        before = _size(part)
        try:
            return _attempt(url, part, timeout, done)
        except _BrokenOffError as error:
            tries = 0 if _size(part) > before else tries + 1
            if tries == _TRIES:
                remainder = (
                    f" {_size(part):,} bytes are kept; the same command goes on from there." if part.exists() else ""
                )
                raise InputError(
                    "{url} cannot be downloaded: {error}.{kept}", url=url, error=error, kept=remainder
                ) from None
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
                        raise InputError("{url} gives more than it should; nothing of it can be trusted.", url=url)
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
    match = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", answer.headers.get("Content-Range", "").strip())
    if match is None or int(match[1]) != offset:
        raise _BrokenOffError("the server sends another part than it was asked for")
    return None if match[3] == "*" else int(match[3])


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
    raise InputError(
        "{url} cannot be downloaded: the server answers {code} {reason}. {remedy}.",
        url=url,
        code=error.code,
        reason=error.reason,
        remedy=remedy,
    )


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


_MEMBER_CHUNK = 1 << 20


@dataclass(frozen=True)
class DataSet:
    """A zip archive that a publisher offers, and the one file in it that is wanted; both are known by their SHA-256."""

    title: str
    page: str
    licence: str
    url: str
    sha256: str
    member: str
    member_sha256: str
    member_bytes: int


#: What can be fetched, by the name to give. Another data set is another entry.
DATA_SETS: Mapping[str, DataSet] = {
    "online-retail": DataSet(
        title="Online Retail (UCI Machine Learning Repository)",
        page="https://archive.ics.uci.edu/dataset/352/online+retail",
        licence="CC BY 4.0; Chen, D. (2015), https://doi.org/10.24432/C5BW33",
        url="https://archive.ics.uci.edu/static/public/352/online+retail.zip",
        sha256="f5385cbb54bbebf7196389109c6b0621faab0c304e3702548165e71c84aede8b",
        member="Online Retail.xlsx",
        member_sha256="43465a06f2ccf7c8b5bd2892bc7defb52f97487934fe93b16ae4c3936424676d",
        member_bytes=23_715_344,
    ),
}


@dataclass(frozen=True)
class Fetched:
    """Where a data set lies now, and whether it lay there before."""

    path: Path
    already: bool


def data_set(name: str) -> DataSet:
    """A data set by name.

    Raises:
        InputError: there is none of this name.
    """
    if name not in DATA_SETS:
        raise InputError(
            "There is no data set {name!r} to fetch; there is {data_sets}.", name=name, data_sets=", ".join(DATA_SETS)
        )
    return DATA_SETS[name]


def fetch_data_set(
    data: DataSet, folder: Path, *, url: str = "", timeout: float = 30.0, wait: float = 1.0, progress: Progress = silent
) -> Fetched:
    """Download and unpack a data set into a folder, which is made where it does not exist.

    What was downloaded of a broken attempt stays in the folder under a name that ends in .part, and is gone on with
    the next time. The file itself appears only when it is whole and has been checked.

    Args:
        data: what to fetch.
        folder: where to.
        url: a mirror to take instead of the publisher's address; what comes must be the same to the byte.
        timeout: seconds that the server may be silent.
        wait: seconds to wait before the second try, twice as long before the third, and so on.
        progress: told how much is done.

    Raises:
        InputError: it cannot be had, is not what it should be, or cannot be written; what to do is said.
    """
    target, archive = folder / data.member, folder / f"{data.member}.zip.part"
    try:
        if target.exists():
            _refuse_other(data, target)
            return Fetched(target, already=True)
        folder.mkdir(parents=True, exist_ok=True)
        resumed = archive.exists()
        _download(data, url, archive, timeout, wait, progress)
        digest = _sha256(archive)
        if digest != data.sha256 and resumed:  # pieces of two versions, perhaps
            archive.unlink()
            _download(data, url, archive, timeout, wait, progress)
            digest = _sha256(archive)
        if digest != data.sha256:
            archive.unlink()
            raise InputError(
                "What {url} gives is not {title} as it is known (its SHA-256 is {found}, not {sha256}); "
                "nothing was kept. Try again later, or download it yourself from {page}.",
                url=url or data.url,
                title=data.title,
                found=digest,
                sha256=data.sha256,
                page=data.page,
            )
        try:
            _unpack(data, archive, target)
        finally:
            archive.unlink()
        return Fetched(target, already=False)
    except OSError as error:
        raise InputError(
            "{folder} cannot be written to: {reason}. Choose another folder with --output.",
            folder=folder,
            reason=error.strerror or error,
        ) from None


def _download(data: DataSet, url: str, archive: Path, timeout: float, wait: float, progress: Progress) -> None:
    stage = f"Downloading {data.member}"
    progress(stage, 0.0)
    download(url or data.url, archive, timeout=timeout, wait=wait, done=lambda share: progress(stage, share))
    progress(stage, 1.0)


def _unpack(data: DataSet, archive: Path, target: Path) -> None:
    """Write the one member that is wanted, under our own name for it, whole or not at all."""
    part = target.with_name(f"{target.name}.part")
    try:
        with zipfile.ZipFile(archive) as packed, packed.open(data.member) as member, part.open("wb") as out:
            size = _copy(member, out, data.member_bytes)
        if size != data.member_bytes or _sha256(part) != data.member_sha256:
            raise InputError(
                "{member} in the archive is not the file that is known; nothing was kept.", member=data.member
            )
        part.replace(target)
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError, EOFError) as error:
        raise InputError("The archive of {title} cannot be unpacked: {error}.", title=data.title, error=error) from None
    finally:
        part.unlink(missing_ok=True)


def _copy(member: IO[bytes], out: IO[bytes], most: int) -> int:
    """Copy no more than one byte beyond what is known, whatever the archive says of itself."""
    size = 0
    while size <= most and (chunk := member.read(min(_MEMBER_CHUNK, most + 1 - size))):
        out.write(chunk)
        size += len(chunk)
    return size


def _refuse_other(data: DataSet, target: Path) -> None:
    if target.is_dir() or target.stat().st_size != data.member_bytes or _sha256(target) != data.member_sha256:
        raise InputError(
            "{target} is there already and is not {title} as published. Move it away, or choose "
            "another folder with --output.",
            target=target,
            title=data.title,
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def data_set_dict(data: DataSet) -> dict[str, Any]:
    """A data set as ``segmentry fetch --json`` prints it."""
    return {"title": data.title, "page": data.page, "licence": data.licence, "sha256": data.member_sha256}
