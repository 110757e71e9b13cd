"""Unpacking of gzip, Zstandard and zip archives within size limits, never to a path that the archive names."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

import pyarrow as pa

from engines.errors import InputError

#: Lines of sales shrink to a tenth, seldom to a fiftieth; what grows beyond this is no list of sales.
RATIO = 200
#: What may be unpacked however small the archive is, and what may not however large it is, in bytes.
ALWAYS, NEVER = 64 << 20, 64 << 30
#: The most files in a zip.
MEMBERS = 10_000

#: How the names of packed texts end.
PACKED = (".gz", ".zst")
#: Archives within archives are not opened.
NESTED = (".zip", ".gz", ".zst", ".tar", ".tgz", ".bz2", ".xz", ".7z", ".rar")

_CHUNK = 1 << 20


class Readable(Protocol):
    """Bytes that come piece by piece."""

    def read(self, size: int, /) -> bytes:
        """The next piece, empty at the end."""


class Budget:
    """How much may still be unpacked."""

    def __init__(self, name: str, packed: int) -> None:
        self._name, self._left = name, min(ALWAYS + RATIO * packed, NEVER)

    def spend(self, size: int) -> None:
        """Take so many bytes off.

        Raises:
            InputError: there are not so many left.
        """
        self._left -= size
        if self._left < 0:
            raise InputError(
                "{name} unpacks to far more than sales would ({ratio} times its size and {always} MiB at "
                "most, never over {never} GiB). Unpack it yourself if it is what you mean.",
                name=self._name,
                ratio=RATIO,
                always=ALWAYS >> 20,
                never=NEVER >> 30,
            )


class _Unpacking:
    """A packed stream that says plainly when it is damaged, and stops at its budget."""

    def __init__(self, file: Any, budget: Budget, damaged: str) -> None:
        self._file, self._budget, self._damaged = file, budget, damaged

    def read(self, size: int, /) -> bytes:
        try:
            piece: bytes = self._file.read(size)
        except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, pa.ArrowException):
            raise InputError(self._damaged) from None
        except OSError as error:
            if error.errno is not None:  # the disk's own trouble
                raise
            raise InputError(self._damaged) from None
        self._budget.spend(len(piece))
        return piece


@contextmanager
def unpacked(path: Path, name: str) -> Iterator[Readable]:
    """The bytes of a file, unpacked where its name ends with .gz or .zst.

    Raises:
        InputError: it is damaged, or unpacks to more than it may.
    """
    kind = path.suffix.lower()
    word = {".gz": "gzip", ".zst": "Zstandard"}.get(kind)
    if word is None:
        with path.open("rb") as plain:
            yield plain
        return
    damaged = f"{name} is not a whole {word} file: it is damaged or was cut off. Pack it again."
    budget = Budget(name, path.stat().st_size)
    with _unpacker(path, kind) as opened:
        yield _Unpacking(opened, budget, damaged)


def _unpacker(path: Path, kind: str) -> Any:
    return gzip.open(path) if kind == ".gz" else pa.input_stream(str(path), compression="zstd")


def unzipped(
    path: Path, name: str, folder: Path, suffixes: tuple[str, ...]
) -> tuple[list[tuple[Path, str]], list[str]]:
    """Unpack the files of a zip that can be read into a folder, under names of our own.

    Returns:
        The unpacked files, each with its name in the archive, in the order of these; and the names of those left out.

    Raises:
        InputError: no zip, a damaged, encrypted, overlarge or empty one, or archives within it.
    """
    budget = Budget(name, path.stat().st_size)
    files, others = [], []
    try:
        with zipfile.ZipFile(path) as archive:
            members = sorted((one for one in archive.infolist() if _meant(one)), key=lambda one: one.filename)
            if len(members) > MEMBERS:
                raise InputError(
                    "{name} holds {count:,} files; at most {limit:,} are read from a zip.",
                    name=name,
                    count=len(members),
                    limit=MEMBERS,
                )
            for number, member in enumerate(members):
                inner = _shown(member.filename)
                suffix = next((each for each in suffixes if inner.lower().endswith(each)), None)
                if inner.lower().endswith(NESTED):
                    raise InputError(
                        "{name} holds an archive within the archive ({inner}). Unpack that one first.",
                        name=name,
                        inner=inner,
                    )
                if suffix is None:
                    others.append(inner)
                    continue
                target = folder / f"member-{number}{suffix}"
                damaged = f"{name} is not a whole zip file: {inner} in it is damaged or was cut off. Pack it again."
                with archive.open(member) as packed, target.open("xb") as out:
                    stream = _Unpacking(packed, budget, damaged)
                    while piece := stream.read(_CHUNK):
                        out.write(piece)
                files.append((target, f"{name}/{inner}"))
    except zipfile.BadZipFile:
        raise InputError(
            "{name} is not a whole zip file: it is damaged or was cut off. Pack it again.", name=name
        ) from None
    except NotImplementedError:
        raise InputError(
            "{name} is packed in a way that cannot be read; pack it as an ordinary zip.", name=name
        ) from None
    except RuntimeError:  # what zipfile says of an encrypted member
        raise InputError("{name} is protected with a password; give it without one.", name=name) from None
    if not files:
        raise InputError(
            "{name} holds no file that can be read; give {suffixes} in it.", name=name, suffixes=", ".join(suffixes)
        )
    return files, others


def refuse_bomb(path: Path, name: str) -> None:
    """Refuse a workbook, which is a zip, that says of itself that it unpacks to more than it may.

    Raises:
        InputError: so it is.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
    except (zipfile.BadZipFile, NotImplementedError, OSError):  # no workbook at all, as its reader will say
        return
    Budget(name, path.stat().st_size).spend(size)


def _meant(member: zipfile.ZipInfo) -> bool:
    """Whether a member is a file that its user put there, and not what a system leaves behind."""
    parts = PurePosixPath(member.filename.replace("\\", "/")).parts
    return not member.is_dir() and bool(parts) and parts[0] != "__MACOSX" and not parts[-1].startswith(".")


def _shown(member: str) -> str:
    """The name of a member as it can be shown: never used as a path."""
    plain = "".join(letter if letter.isprintable() else "?" for letter in member)
    return plain if len(plain) <= 120 else f"…{plain[-119:]}"
