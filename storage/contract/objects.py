"""Files that the store keeps beside the database (clean sales, fitted models), each known by its content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: What a file is: the clean sales of snapshots, or the fitted model of runs.
ObjectKind = Literal["sales", "model"]


@dataclass(frozen=True)
class ObjectSettings:
    """Where these files are kept.

    ``url``: a folder, as a path or ``file://``, or ``s3://BUCKET/PREFIX``; empty for the folder ``segmentry-objects``
    beside a SQLite file, or in the working folder with PostgreSQL. ``endpoint``: the address of a server other than
    Amazon's that speaks the protocol of S3. ``keep``: whether the sales of snapshots are kept at all.
    """

    url: str = ""
    endpoint: str = ""
    keep: bool = True


#: In the folder beside the database.
BESIDE = ObjectSettings()


@dataclass(frozen=True)
class StoredObject:
    """A file as it was stored: ``digest`` is the SHA-256 of its ``size`` bytes, in hexadecimal."""

    kind: ObjectKind
    digest: str
    size: int
