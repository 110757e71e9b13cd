"""Locations of sales: an embedded data set, a file, a folder, a pattern of file names, or a database address."""

from __future__ import annotations

import glob
import re
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from engines.intake.sources.samples import EMBEDDED

Kind = Literal["built in", "file", "folder", "pattern", "database", "nowhere"]

_DATABASES = ("postgresql", "postgres", "sqlite", "duckdb")
_SECRET = re.compile(r"(?i)(pass(word|wd|file)?|pwd|token|secret|(api|access)_?key|sig(nature)?)$")


def kind_of(source: str) -> Kind:
    """What a source's name means; a file that is there goes before a pattern of the same letters."""
    if source in EMBEDDED:
        return "built in"
    if _database(source) is not None:
        return "database"
    try:
        path = Path(source)
        if path.is_dir():
            return "folder"
        if path.exists():
            return "file"
    except (OSError, ValueError):  # a name too long, or with a zero byte
        return "nowhere"
    return "pattern" if glob.has_magic(source) else "nowhere"


def public(source: str) -> str:
    """The source without a password: what may be shown, logged and kept. Anything but a database stays as it is."""
    found = _database(source)
    if found is None:
        return source
    url, secrets = found
    if not secrets:
        return source
    user = url.netloc.rpartition("@")[0].partition(":")[0]
    host = url.netloc.rpartition("@")[2]
    kept = [(name, value) for name, value in parse_qsl(url.query, keep_blank_values=True) if not _SECRET.match(name)]
    return url._replace(netloc=f"{user}@{host}" if user else host, query=urlencode(kept)).geturl()


def secrets_of(source: str) -> tuple[str, ...]:
    """The passwords in the address of a database, none for anything else."""
    found = _database(source)
    return () if found is None else found[1]


def lasting(source: str) -> str | None:
    """What finds the sales again from any folder, without a secret; None where there is nothing to find.

    A folder or a pattern is kept as such: what fits it later is read later.
    """
    kind = kind_of(source)
    if kind == "built in":
        return source
    if kind == "database":
        url = public(source)
        scheme, _, rest = url.partition(":///")
        return f"{scheme}:///{Path(rest).resolve()}" if rest and is_file_database(url) else url
    if kind == "pattern":
        return str(Path.cwd() / source) if files_of(source) else None
    return str(Path(source).resolve()) if kind in ("file", "folder") else None


def files_of(pattern: str) -> list[Path]:
    """The files that a pattern fits, in the order of their names; ``**`` stands for any depth of folders."""
    return sorted(path for path in map(Path, glob.glob(pattern, recursive=True)) if path.is_file())  # noqa: PTH207


def is_file_database(url: str) -> bool:
    """Whether the address of a database names a file on this machine."""
    return url.split(":", 1)[0].partition("+")[0].lower() in ("sqlite", "duckdb")


def _database(source: str) -> tuple[SplitResult, tuple[str, ...]] | None:
    """The parts of a database's address, and the secrets in it; None where it is none."""
    scheme, found, _ = source.partition("://")
    if not found or scheme.partition("+")[0].lower() not in _DATABASES:
        return None
    try:
        url = urlsplit(source)
    except ValueError:  # brackets that are no address: nothing is told of it, for it cannot be told what is secret
        return SplitResult(scheme, "", "", "", ""), (source.partition("://")[2],)
    secrets = [value for name, value in parse_qsl(url.query) if _SECRET.match(name)]
    password = url.netloc.rpartition("@")[0].partition(":")[2]
    return url, tuple(filter(None, (password, url.password, *secrets)))
