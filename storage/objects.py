"""The object store: files by their content, in a folder, or (through fsspec) in a bucket with the protocol of S3.

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
from contextlib import ExitStack, contextmanager, suppress
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
        self._place = _place(settings, beside, workspace)

    @property
    def shown(self) -> str:
        """The address as people may see it."""
        return self._place.shown

    def put(self, source: Path | bytes, kind: ObjectKind) -> StoredObject:
        """Store a file, or bytes as one; where the same is there already and whole, it stays."""
        size = len(source) if isinstance(source, bytes) else source.stat().st_size
        with _opened(source) as file:
            stored = StoredObject(kind, _digest(file), size)
        if not self.is_whole(stored):
            with self._guarded():
                self._place.write(source, _key(stored))
        return stored

    @contextmanager
    def fetch(self, stored: StoredObject) -> Iterator[Path]:
        """A local file with the content: the stored file itself, or a copy that goes when the context ends.

        Raises:
            BrokenObjectError: it is missing, or its size or SHA-256 is another.
        """
        with ExitStack() as stack:
            try:
                with self._guarded(missing=FileNotFoundError):
                    path = stack.enter_context(self._place.local(_key(stored)))
                    with path.open("rb") as file:
                        whole = path.stat().st_size == stored.size and _digest(file) == stored.digest
            except FileNotFoundError:
                raise BrokenObjectError("missing") from None
            if not whole:
                raise BrokenObjectError("altered")
            yield path

    def exists(self, stored: StoredObject) -> bool:
        """Whether a file of this name and size is there; what is in it is not looked at."""
        with self._guarded():
            return self._place.size(_key(stored)) == stored.size

    def is_whole(self, stored: StoredObject) -> bool:
        """Whether the file is there with the very bytes that were stored, all of which are read."""
        try:
            with self.fetch(stored):
                return True
        except BrokenObjectError:
            return False

    def delete(self, kind: ObjectKind, digest: str) -> None:
        """Delete a file, if it is there."""
        with self._guarded(), suppress(FileNotFoundError):
            self._place.delete(f"{kind}/{digest}")

    def listed(self) -> list[ListedObject]:
        """All files that are there."""
        objects = []
        with self._guarded():
            for key, stored_at in self._place.files():
                name = _NAME.fullmatch(key)
                if name is not None:
                    kind: Any = name[1]
                    objects.append(ListedObject(kind, name[2], stored_at))
        return objects

    def remove_unfinished(self, before: datetime) -> None:
        """Remove what writers that were killed before this moment have left: no file that anybody can fetch."""
        with self._guarded():
            self._place.remove_unfinished(before)

    @contextmanager
    def _guarded(self, missing: type[Exception] | tuple[()] = ()) -> Iterator[None]:
        """Turn what only the outside can cause into a StoreError, whose reason is in words of our own."""
        try:
            yield
        except missing:
            raise
        except Exception as error:  # those of a library that may not be installed cannot be named
            explained = self._place.explained(error)
            if explained is None:
                raise
            # from None, as what a server answers may repeat what was sent to it
            raise StoreError(
                "The object store {shown} cannot be used: {reason}. {remedy}",
                shown=self.shown,
                reason=explained[0],
                remedy=explained[1],
            ) from None


class _Folder:
    """A workspace's part of a folder. Keys are paths in it."""

    def __init__(self, root: Path, workspace: str) -> None:
        self.shown, self._root, self._own = str(root), root, root / workspace

    def write(self, source: Path | bytes, key: str) -> None:
        """Write a file as a whole."""
        target = self._own / key
        folders = (self._root, self._own, target.parent)
        for folder in folders:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = target.with_name(f"{uuid4().hex}{_PART}")
        try:
            number = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with _opened(source) as file, os.fdopen(number, "wb") as written:
                shutil.copyfileobj(file, written, _CHUNK)
                written.flush()
                os.fsync(written.fileno())
            part.replace(target)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        for folder in folders:  # their names are on the disk as well
            number = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(number)
            finally:
                os.close(number)

    @contextmanager
    def local(self, key: str) -> Iterator[Path]:
        """The file itself."""
        yield self._own / key

    def size(self, key: str) -> int | None:
        """Its size in bytes, None where it is not there."""
        try:
            return (self._own / key).stat().st_size
        except FileNotFoundError:
            return None

    def delete(self, key: str) -> None:
        """Delete the file."""
        (self._own / key).unlink()

    def files(self) -> Iterator[tuple[str, datetime]]:
        """All files, and when they were written; one that goes meanwhile is left out."""
        for path in self._own.glob("*/*"):
            with suppress(FileNotFoundError):
                yield str(path.relative_to(self._own)), datetime.fromtimestamp(path.stat().st_mtime, UTC)

    def remove_unfinished(self, before: datetime) -> None:
        """Remove files that never had their name."""
        for key, written_at in self.files():
            if key.endswith(_PART) and written_at < before:
                (self._own / key).unlink(missing_ok=True)

    def explained(self, error: Exception) -> tuple[str, str] | None:
        """Reason and remedy of an error, None for a defect of ours."""
        if not isinstance(error, OSError):
            return None
        if error.errno in _NO_ROOM:
            return _FULL
        return error.strerror or type(error).__name__, "Check the folder, or name another in [objects] url."


class _Bucket:
    """A workspace's part of a bucket. Keys are what stands behind it."""

    def __init__(self, root: str, endpoint: str, workspace: str) -> None:
        self.shown = f"s3://{root}" + (f" at {endpoint}" if endpoint else "")
        self._endpoint, self._own = endpoint, f"{root}/{workspace}"
        self._lock = Lock()
        self._opened: tuple[int, AbstractFileSystem] | None = None

    def write(self, source: Path | bytes, key: str) -> None:
        """Upload a file, which is there when all of it is."""
        if isinstance(source, bytes):
            self._files.pipe_file(f"{self._own}/{key}", source)
        else:
            self._files.put_file(str(source), f"{self._own}/{key}")

    @contextmanager
    def local(self, key: str) -> Iterator[Path]:
        """A copy of the file in a folder of its own."""
        with TemporaryDirectory(prefix="segmentry-") as folder:
            copy = Path(folder) / key.replace("/", "-")
            copy.touch(mode=0o600)
            self._files.get_file(f"{self._own}/{key}", str(copy))
            yield copy

    def size(self, key: str) -> int | None:
        """Its size in bytes, None where it is not there."""
        try:
            info = self._files.info(f"{self._own}/{key}")
        except FileNotFoundError:
            return None
        return int(info["size"]) if info["type"] == "file" else None

    def delete(self, key: str) -> None:
        """Delete the file."""
        self._files.rm_file(f"{self._own}/{key}")

    def files(self) -> Iterator[tuple[str, datetime]]:
        """All files, and when they were uploaded."""
        with suppress(FileNotFoundError):
            for path, info in self._files.find(self._own, detail=True).items():
                yield path.removeprefix(f"{self._own}/"), info["LastModified"]

    def remove_unfinished(self, before: datetime) -> None:
        """End uploads in parts that were never completed."""
        bucket, _, prefix = self._own.partition("/")
        answer = self._files.call_s3("list_multipart_uploads", Bucket=bucket, Prefix=f"{prefix}/")
        for upload in answer.get("Uploads", ()):
            if upload["Initiated"] < before:
                which = {"Key": upload["Key"], "UploadId": upload["UploadId"]}
                self._files.call_s3("abort_multipart_upload", Bucket=bucket, **which)

    def explained(self, error: Exception) -> tuple[str, str] | None:
        """Reason and remedy of an error, None for a defect of ours."""
        name, library = type(error).__name__, type(error).__module__.partition(".")[0]
        if getattr(error, "errno", None) in _NO_ROOM:
            return _FULL
        if "Credentials" in name or "ProfileNotFound" in name:
            return "no credentials were found", _CREDENTIALS
        if isinstance(error, PermissionError):
            return "access was refused", _CREDENTIALS
        if isinstance(error, FileNotFoundError):
            return "there is no such bucket", "Create it, or correct [objects] url."
        if isinstance(error, OSError) or library in ("botocore", "aiohttp"):
            return f"the server does not answer as it should ({name})", (
                "Check that it runs, and that [objects] url and endpoint name the right bucket and server."
            )
        return None

    @property
    def _files(self) -> AbstractFileSystem:
        """The file system; one of each process, as its connections cannot be handed on to a child."""
        with self._lock:
            if self._opened is None or self._opened[0] != os.getpid():
                self._opened = os.getpid(), self._connected()
            return self._opened[1]

    def _connected(self) -> AbstractFileSystem:
        import fsspec  # here, as loading it takes longer than most that is asked of a store

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


_FULL = "no space is left", "Free some disk space there and in the folder for temporary files (TMPDIR)."
_CREDENTIALS = (
    "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or AWS_PROFILE) in the environment to a key that may read, "
    "write, list and delete in this bucket."
)


def _place(settings: ObjectSettings, beside: Path, workspace: str) -> _Folder | _Bucket:
    scheme, colon, rest = settings.url.partition("://")
    if not colon or scheme == "file":
        if settings.endpoint:
            raise StoreError("[objects] endpoint is for s3:// alone; leave it empty, or give url = s3://BUCKET/PREFIX.")
        folder = Path(unquote(rest) if colon else settings.url or beside / FOLDER).expanduser().absolute()
        return _Folder(folder, workspace)
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
    return _Bucket(root, settings.endpoint, workspace)


def _key(stored: StoredObject) -> str:
    return f"{stored.kind}/{stored.digest}"


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
