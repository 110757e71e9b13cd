"""Fetching from a real server on this machine: it breaks off, knows no ranges, lies or hangs."""

from __future__ import annotations

import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner

from dashboard.cli import main
from dashboard.pipeline.fetch import DATA_SETS, DataSet, fetch_data_set
from engines.errors import InputError
from tests.postgres import free_port

MEMBER = Random(1).randbytes(700_000)


def zipped(member: bytes, name: str = "Shop.xlsx") -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(name, member)
    return packed.getvalue()


ARCHIVE = zipped(MEMBER)


class Shelf(ThreadingHTTPServer):
    """Serves ARCHIVE, how well its attributes say; ``asked`` holds the Range and If-Range of each request."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.tag = ARCHIVE, '"one"'
        self.break_after: int | None = None  # bytes of each answer
        self.ranges, self.length = True, True
        self.silent, self.released = False, threading.Event()
        self.failures: list[int] = []
        self.asked: list[tuple[str | None, str | None]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/shop.zip"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def do_GET(self):
        shelf: Shelf = self.server
        shelf.asked.append((self.headers["Range"], self.headers["If-Range"]))
        if shelf.silent:
            shelf.released.wait(30)
            return
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/shop.zip")
            self.end_headers()
            return
        if self.path == "/elsewhere":
            self.send_response(302)
            self.send_header("Location", "ftp://127.0.0.1/shop.zip")
            self.end_headers()
            return
        if self.path == "/gone":
            self.send_error(404)
            return
        if shelf.failures:
            self.send_error(shelf.failures.pop(0))
            return
        start = self.first()
        if start is not None and start >= len(shelf.content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(shelf.content)}")
            self.end_headers()
            return
        body = shelf.content[start or 0 :]
        self.send_response(200 if start is None else 206)
        if start is not None:
            self.send_header("Content-Range", f"bytes {start}-{len(shelf.content) - 1}/{len(shelf.content)}")
        if shelf.tag:
            self.send_header("ETag", shelf.tag)
        if shelf.length:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: shelf.break_after])

    def first(self) -> int | None:
        asked, known = self.headers["Range"], self.headers["If-Range"]
        if not asked or not self.server.ranges or (known and known != self.server.tag):
            return None
        return int(asked.removeprefix("bytes=").removesuffix("-"))

    def log_message(self, *_):
        pass


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    server = Shelf()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.released.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def data(shelf: Shelf) -> DataSet:
    return DataSet(
        title="A shop",
        page="https://shop.example",
        licence="none",
        url=shelf.url,
        sha256=hashlib.sha256(ARCHIVE).hexdigest(),
        member="Shop.xlsx",
        member_sha256=hashlib.sha256(MEMBER).hexdigest(),
        member_bytes=len(MEMBER),
    )


def get(data: DataSet, folder: Path, **options):
    return fetch_data_set(data, folder, wait=0, timeout=options.pop("timeout", 20), **options)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_whole_file_and_its_progress(shelf, data, tmp_path):
    told = []
    found = get(data, tmp_path / "new" / "folder", progress=lambda stage, done: told.append(done))
    assert found.path.read_bytes() == MEMBER and not found.already
    assert names(found.path.parent) == {"Shop.xlsx"}
    assert told == sorted(told) and (told[0], told[-1]) == (0, 1) and len(told) > 3
    assert get(data, found.path.parent).already
    assert len(shelf.asked) == 1


def test_a_line_that_breaks_off_is_gone_on_with(shelf, data, tmp_path):
    shelf.break_after = 300_000
    assert get(data, tmp_path).path.read_bytes() == MEMBER
    assert shelf.asked == [(None, None), ("bytes=300000-", '"one"'), ("bytes=600000-", '"one"')]
    assert names(tmp_path) == {"Shop.xlsx"}


def test_what_was_kept_is_gone_on_with_the_next_time(shelf, data, tmp_path):
    shelf.break_after = 0
    with pytest.raises(InputError, match=r"broke off after 0 of [\d,]+ bytes.* goes on from there"):
        get(data, tmp_path)
    (tmp_path / "Shop.xlsx.zip.part").write_bytes(ARCHIVE[:500_000])
    shelf.break_after = None
    assert get(data, tmp_path).path.read_bytes() == MEMBER
    assert shelf.asked[-1] == ("bytes=500000-", '"one"')


def test_another_version_at_the_server_is_fetched_from_its_beginning(shelf, data, tmp_path):
    (tmp_path / "Shop.xlsx.zip.part").write_bytes(b"of the version before")
    (tmp_path / "Shop.xlsx.zip.part.tag").write_text('"none any more"')
    assert get(data, tmp_path).path.read_bytes() == MEMBER
    assert len(shelf.asked) == 1  # the server saw by If-Range that a part would not do


@pytest.mark.parametrize("tag", ["", 'W/"weak"'])
def test_without_a_validator_the_checksum_tells(shelf, data, tmp_path, tag):
    shelf.tag = tag
    (tmp_path / "Shop.xlsx.zip.part").write_bytes(b"of the version before")
    assert get(data, tmp_path).path.read_bytes() == MEMBER
    assert shelf.asked == [("bytes=21-", None), (None, None)]


def test_a_server_without_ranges_gives_all_of_it_again(shelf, data, tmp_path):
    shelf.ranges = False
    (tmp_path / "Shop.xlsx.zip.part").write_bytes(ARCHIVE[:500_000])
    assert get(data, tmp_path).path.read_bytes() == MEMBER
    shelf.break_after = 300_000
    with pytest.raises(InputError, match="broke off after 300,000 of"):
        get(data, tmp_path / "other")
    assert not (tmp_path / "other" / "Shop.xlsx").exists()


def test_a_server_that_says_no_length(shelf, data, tmp_path):
    shelf.length = False
    assert get(data, tmp_path).path.read_bytes() == MEMBER


@pytest.mark.parametrize("size", [len(ARCHIVE), len(ARCHIVE) + 9])
def test_a_part_that_is_whole_or_too_long(shelf, data, tmp_path, size):
    (tmp_path / "Shop.xlsx.zip.part").write_bytes((ARCHIVE + b"too long!")[:size])
    assert get(data, tmp_path).path.read_bytes() == MEMBER


def test_redirects_are_followed_but_not_off_the_web(shelf, data, tmp_path):
    assert get(data, tmp_path, url=shelf.url.replace("shop.zip", "moved")).path.read_bytes() == MEMBER
    with pytest.raises(InputError, match="cannot be downloaded"):
        get(data, tmp_path / "other", url=shelf.url.replace("shop.zip", "elsewhere"))
    with pytest.raises(InputError, match="must begin with https"):
        get(data, tmp_path / "other", url=(tmp_path / "Shop.xlsx").as_uri())


def test_a_busy_server_is_asked_again(shelf, data, tmp_path):
    shelf.failures = [503, 500]
    assert get(data, tmp_path).path.read_bytes() == MEMBER
    shelf.failures = [503] * 9
    with pytest.raises(InputError, match="the server answers 503"):
        get(data, tmp_path / "other")
    assert len(shelf.failures) == 5


def test_other_content_is_not_kept(shelf, data, tmp_path):
    shelf.content = b"<html>Sorry</html>"
    with pytest.raises(InputError, match=r"is not A shop as it is known .* https://shop.example"):
        get(data, tmp_path)
    assert names(tmp_path) == set()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (zipped(MEMBER + b"more"), "is not the file that is known"),
        (zipped(MEMBER[:-1] + b"x"), "is not the file that is known"),
        (zipped(MEMBER, "Other.xlsx"), "cannot be unpacked"),
        (b"no zip at all", "cannot be unpacked"),
    ],
)
def test_an_archive_that_holds_something_else(shelf, data, tmp_path, content, message):
    shelf.content = content
    with pytest.raises(InputError, match=message):
        get(replace(data, sha256=hashlib.sha256(content).hexdigest()), tmp_path)
    assert names(tmp_path) == set()


def test_a_silent_server_is_not_waited_for_without_end(shelf, data, tmp_path):
    shelf.silent = True
    with pytest.raises(InputError, match=r"the server was silent for 0.1 s"):
        get(data, tmp_path, timeout=0.1)
    assert len(shelf.asked) == 4


def test_nobody_there(data, tmp_path):
    with pytest.raises(InputError, match="no connection"):
        get(data, tmp_path, url=f"http://127.0.0.1:{free_port()}/shop.zip")


def test_what_is_there_already_is_not_overwritten(shelf, data, tmp_path):
    (tmp_path / "Shop.xlsx").write_text("mine")
    with pytest.raises(InputError, match="there already and is not A shop"):
        get(data, tmp_path)
    assert (tmp_path / "Shop.xlsx").read_text() == "mine"
    with pytest.raises(InputError, match=r"cannot be written to.*--output"):
        get(data, tmp_path / "Shop.xlsx" / "folder")


def test_on_the_command_line(shelf, tmp_path):
    def call(*words):
        return CliRunner().invoke(main, ["fetch", *words])

    done = call("online-retail", "--output", str(tmp_path), "--mirror", shelf.url)
    assert done.exit_code == 2 and DATA_SETS["online-retail"].sha256 in done.stderr
    done = call("online-retail", "--output", str(tmp_path), "--mirror", shelf.url.replace("shop.zip", "gone"))
    assert done.exit_code == 2 and "404" in done.stderr and done.stderr.count("Error: ") == 1
    done = call("nowhere")
    assert done.exit_code == 2 and "online-retail" in done.stderr
    assert names(tmp_path) == set()


def test_the_table_of_data_sets_is_whole():
    for data in DATA_SETS.values():
        assert data.url.startswith("https://") and data.page.startswith("https://")
        assert {len(data.sha256), len(data.member_sha256)} == {64} and data.member_bytes > 0
        json.dumps(data.licence)
