"""The object store: files by their content, in a folder or in a bucket with the protocol of S3, through fsspec.

A file is whole or absent: in a folder it is written under another name, brought to the disk and then renamed; in a
bucket it appears when its upload is complete. Which files are needed, and when one may go, the database says
(:mod:`storage.sql.objects`).
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, NamedTuple
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from storage.contract import StoreError
from storage.contract.objects import ObjectKind, ObjectSettings, StoredObject

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

#: The folder beside the database where nothing else is said.
FOLDER = "segmentry-objects"
CONNECT_SECONDS, READ_SECONDS, TRIES = 5, 15, 2
_CHUNK = 1024 * 1024
_PART = ".part"  # how names of unfinished files in a folder end
_NAME = re.compile(r"(sales|model)/([0-9a-f]{64})")
_EXAMPLES = "a folder or s3://BUCKET/PREFIX"
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class BrokenObjectError(Exception):
    """A file that should be there is missing, or is not what was stored."""

    def __init__(self, state: Literal["missing", "altered"]) -> None:
        super().__init__(state)
        self.state = state


class ListedObject(NamedTuple):
    """A file as it is found, and when it was stored."""

    kind: ObjectKind
    digest: str
    stored_at: datetime


class ObjectStore:
    """The files of one workspace, which any thread and process may use.

    Every method raises ``StoreError`` where the folder or bucket cannot be used; no secret is in its message.
    """

    def __init__(self, settings: ObjectSettings, beside: Path, workspace: str) -> None:
        """Read the address; nothing is opened or made yet.

        Args:
            settings: where the files are.
            beside: the folder of the database, where no other is named.
            workspace: the name of this workspace's part, which no other workspace of any database has.

        Raises:
            StoreError: not an address of a folder or bucket, or what speaks with buckets is not installed.
        """
        self.keeps_sales = settings.keep
        self._endpoint = settings.endpoint
        self._folder, self._root = _place(settings, beside)
        self._own = f"{self._root}/{workspace}"
        self._lock = Lock()
        self._opened: tuple[int, AbstractFileSystem] | None = None

    @property
    def shown(self) -> str:
        """The address as people may see it."""
        if self._folder is not None:
            return str(self._folder)
        return f"s3://{self._root}" + (f" at {self._endpoint}" if self._endpoint else "")

    def put(self, source: Path | bytes, kind: ObjectKind) -> StoredObject:
        """Store a file, or bytes as one; where the same is there already and whole, it stays."""
        size = len(source) if isinstance(source, bytes) else source.stat().st_size
        with _opened(source) as file:
            stored = StoredObject(kind, _digest(file), size)
        if not self.is_whole(stored):
            with _opened(source) as file, self._guarded():
                if self._folder is not None:
                    self._write(file, Path(self._path(kind, stored.digest)))
                elif isinstance(source, bytes):
                    self._files.pipe_file(self._path(kind, stored.digest), source)
                else:
                    self._files.put_file(str(source), self._path(kind, stored.digest))
        return stored

    @contextmanager
    def fetch(self, stored: StoredObject) -> Iterator[Path]:
        """A local file with the content: the stored file itself, or a copy that goes when the context ends.

        Raises:
            BrokenObjectError: it is missing, or its size or SHA-256 is another.
        """
        path = self._path(stored.kind, stored.digest)
        if self._folder is not None:
            if not self.is_whole(stored):
                raise BrokenObjectError("altered" if Path(path).exists() else "missing")
            yield Path(path)
            return
        with TemporaryDirectory(prefix="segmentry-") as folder:
            copy = Path(folder) / stored.digest
            copy.touch(mode=0o600)
            with self._guarded():
                try:
                    self._files.get_file(path, str(copy))
                except FileNotFoundError:
                    raise BrokenObjectError("missing") from None
            with copy.open("rb") as file:
                if copy.stat().st_size != stored.size or _digest(file) != stored.digest:
                    raise BrokenObjectError("altered")
            yield copy

    def exists(self, stored: StoredObject) -> bool:
        """Whether a file of this name and size is there; what is in it is not looked at."""
        with self._guarded():
            try:
                found = self._files.info(self._path(stored.kind, stored.digest))
            except FileNotFoundError:
                return False
        return bool(found["type"] == "file" and found["size"] == stored.size)

    def is_whole(self, stored: StoredObject) -> bool:
        """Whether the file is there with the very bytes that were stored, all of which are read."""
        if not self.exists(stored):
            return False
        with self._guarded():
            try:
                with self._files.open(self._path(stored.kind, stored.digest), "rb", cache_type="none") as file:
                    return _digest(file) == stored.digest
            except FileNotFoundError:
                return False

    def delete(self, kind: ObjectKind, digest: str) -> None:
        """Delete a file, if it is there."""
        with self._guarded():
            try:
                self._files.rm_file(self._path(kind, digest))
            except FileNotFoundError:
                return

    def listed(self) -> list[ListedObject]:
        """All files that are there."""
        found = []
        for path, info in self._all().items():
            name = _NAME.fullmatch(path.removeprefix(f"{self._own}/"))
            if name is not None:
                kind: Any = name[1]
                found.append(ListedObject(kind, name[2], _stored_at(info)))
        return found

    def remove_unfinished(self, before: datetime) -> None:
        """Remove what writers that were killed before this moment have left: no file that anybody can fetch."""
        if self._folder is not None:
            for path, info in self._all().items():
                if path.endswith(_PART) and _stored_at(info) < before:
                    Path(path).unlink(missing_ok=True)
            return
        bucket, _, prefix = self._own.partition("/")
        with self._guarded():
            found = self._files.call_s3("list_multipart_uploads", Bucket=bucket, Prefix=f"{prefix}/")
            for upload in found.get("Uploads", ()):
                if upload["Initiated"] < before:
                    which = {"Key": upload["Key"], "UploadId": upload["UploadId"]}
                    self._files.call_s3("abort_multipart_upload", Bucket=bucket, **which)

    def _path(self, kind: ObjectKind, digest: str) -> str:
        return f"{self._own}/{kind}/{digest}"

    def _all(self) -> dict[str, dict[str, Any]]:
        with self._guarded():
            try:
                found: dict[str, dict[str, Any]] = self._files.find(self._own, detail=True)
            except FileNotFoundError:
                return {}
        return found

    def _write(self, source: BinaryIO, target: Path) -> None:
        """Write a file into the folder as a whole."""
        folder = target.parent
        for each in (folder.parent.parent, folder.parent, folder):
            each.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = folder / f"{uuid4().hex}{_PART}"
        try:
            with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as written:  # noqa: PTH123
                shutil.copyfileobj(source, written, _CHUNK)
                written.flush()
                os.fsync(written.fileno())
            part.replace(target)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        for each in (folder, folder.parent, folder.parent.parent):
            _to_disk(each)

    @property
    def _files(self) -> AbstractFileSystem:
        """The file system; one of each process, as its connections cannot be handed on to a child."""
        with self._lock:
            if self._opened is None or self._opened[0] != os.getpid():
                import fsspec

                files = fsspec.filesystem("file") if self._folder is not None else self._bucket()
                self._opened = os.getpid(), files
            return self._opened[1]

    def _bucket(self) -> AbstractFileSystem:
        import fsspec

        config: dict[str, Any] = {
            "connect_timeout": CONNECT_SECONDS,
            "read_timeout": READ_SECONDS,
            "retries": {"total_max_attempts": 1},  # it is s3fs that tries again
        }
        if self._endpoint:  # what servers other than Amazon's all understand
            config["s3"] = {"addressing_style": "path"}
            config["request_checksum_calculation"] = config["response_checksum_validation"] = "when_required"
        files = fsspec.filesystem(
            "s3",
            anon=False,
            endpoint_url=self._endpoint or None,
            config_kwargs=config,
            use_listings_cache=False,
            skip_instance_cache=True,
        )
        files.retries = TRIES
        return files

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Turn what only the outside can cause into a StoreError, whose reason is in words of our own."""
        try:
            yield
        except Exception as error:  # those of a library that may not be installed cannot be named
            reason, remedy = self._explained(error)
            if reason is None:
                raise
            # from None, as what a server answers may repeat what was sent to it
            raise StoreError(
                "The object store {shown} cannot be used: {reason}. {remedy}",
                shown=self.shown,
                reason=reason,
                remedy=remedy,
            ) from None

    def _explained(self, error: Exception) -> tuple[str | None, str]:
        kind, number = type(error), getattr(error, "errno", None)
        if number in _NO_ROOM:
            return "no space is left", "Free some disk space there and in the folder for temporary files (TMPDIR)."
        if self._folder is not None:
            if not isinstance(error, OSError):
                return None, ""
            return error.strerror or kind.__name__, "Check the folder, or name another in [objects] url."
        if "Credentials" in kind.__name__ or "ProfileNotFound" in kind.__name__:
            return "no credentials were found", _CREDENTIALS
        if isinstance(error, PermissionError):
            return "access was refused", _CREDENTIALS
        if isinstance(error, FileNotFoundError):
            return "there is no such bucket", "Create it, or correct [objects] url."
        if isinstance(error, OSError) or kind.__module__.partition(".")[0] in ("botocore", "aiohttp"):
            return f"the server does not answer as it should ({kind.__name__})", (
                "Check that it runs, and that [objects] url and endpoint name the right bucket and server."
            )
        return None, ""


_CREDENTIALS = (
    "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or AWS_PROFILE) in the environment to a key that may read, "
    "write, list and delete in this bucket."
)


def _place(settings: ObjectSettings, beside: Path) -> tuple[Path | None, str]:
    """The folder, or None for a bucket; and where all files are, as fsspec writes it."""
    scheme, colon, rest = settings.url.partition("://")
    if not colon or scheme == "file":
        if settings.endpoint:
            raise StoreError("[objects] endpoint is for s3:// alone; leave it empty, or give url = s3://BUCKET/PREFIX.")
        folder = Path(unquote(rest) if colon else settings.url or beside / FOLDER).expanduser().absolute()
        return folder, str(folder)
    if scheme != "s3":
        raise StoreError(
            "Objects cannot be kept at an address of the kind {kind!r}; give {examples}.",
            kind=scheme,
            examples=_EXAMPLES,
        )
    root, where = rest.strip("/"), urlsplit(settings.endpoint)
    if not root or set(root) & set("@?#:") or "@" in settings.endpoint or where.query:
        # the text is not repeated: it may hold a secret
        raise StoreError(
            "[objects] url or endpoint cannot be read; give {examples}, and http://HOST:PORT as endpoint. "
            "Keys come from the environment.",
            examples=_EXAMPLES,
        )
    if settings.endpoint and (where.scheme not in ("http", "https") or not where.hostname):
        raise StoreError(
            "[objects] endpoint is written http://HOST:PORT or https://HOST, not {endpoint!r}.",
            endpoint=settings.endpoint,
        )
    if find_spec("s3fs") is None:
        raise StoreError(
            "Objects at s3:// need s3fs, which is not installed; install segmentry with its extra: segmentry[s3]."
        )
    return None, root


@contextmanager
def _opened(source: Path | bytes) -> Iterator[BinaryIO]:
    if isinstance(source, bytes):
        yield BytesIO(source)
    else:
        with source.open("rb") as file:
            yield file


def _digest(file: Any) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _stored_at(info: dict[str, Any]) -> datetime:
    moment = info.get("LastModified")
    return moment if isinstance(moment, datetime) else datetime.fromtimestamp(info["mtime"], UTC)


def _to_disk(folder: Path) -> None:
    """Make sure that the names in a folder are on the disk."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
