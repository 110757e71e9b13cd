"""Fetching well-known data sets from their publishers: resumed where it broke off, and checked to the last byte."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from dashboard.pipeline.downloading import download
from dashboard.pipeline.sales import Progress, silent
from engines.errors import InputError

_CHUNK = 1 << 20


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
        raise InputError(f"There is no data set {name!r} to fetch; there is {', '.join(DATA_SETS)}.")
    return DATA_SETS[name]


def fetch(
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
        found = _sha256(archive)
        if found != data.sha256 and resumed:  # pieces of two versions, perhaps
            archive.unlink()
            _download(data, url, archive, timeout, wait, progress)
            found = _sha256(archive)
        if found != data.sha256:
            archive.unlink()
            raise InputError(
                f"What {url or data.url} gives is not {data.title} as it is known (its SHA-256 is {found}, not "
                f"{data.sha256}); nothing was kept. Try again later, or download it yourself from {data.page}."
            )
        try:
            _unpack(data, archive, target)
        finally:
            archive.unlink()
        return Fetched(target, already=False)
    except OSError as error:
        raise InputError(
            f"{folder} cannot be written to: {error.strerror or error}. Choose another folder with --output."
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
            raise InputError(f"{data.member} in the archive is not the file that is known; nothing was kept.")
        part.replace(target)
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError, EOFError) as error:
        raise InputError(f"The archive of {data.title} cannot be unpacked: {error}.") from None
    finally:
        part.unlink(missing_ok=True)


def _copy(member: IO[bytes], out: IO[bytes], most: int) -> int:
    """Copy no more than one byte beyond what is known, whatever the archive says of itself."""
    size = 0
    while size <= most and (chunk := member.read(min(_CHUNK, most + 1 - size))):
        out.write(chunk)
        size += len(chunk)
    return size


def _refuse_other(data: DataSet, target: Path) -> None:
    if target.is_dir() or target.stat().st_size != data.member_bytes or _sha256(target) != data.member_sha256:
        raise InputError(
            f"{target} is there already and is not {data.title} as published. Move it away, or choose another folder "
            "with --output."
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def described(data: DataSet) -> dict[str, Any]:
    """A data set as ``segmentry fetch --json`` prints it."""
    return {"title": data.title, "page": data.page, "licence": data.licence, "sha256": data.member_sha256}
