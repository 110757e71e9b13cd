"""Inspects a source: how it is read, what cleaning drops and what is left; nothing is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from dashboard.config import Config
from dashboard.exports.files import Format, format_of, write
from dashboard.pipeline.sales import Progress, SalesRequest, open_sales, silent
from engines.errors import InputError

_KINDS = ("csv", "parquet")


@dataclass(frozen=True)
class Inspection:
    """What there is to say of a source.

    ``mapping``: column by field. ``ledger``: as it would be stored. ``totals``: ``gross``, ``returned`` and ``net``,
    each with lines, orders, customers and revenue. ``dropped``: how many lines were written to a file, None if none
    was asked for.
    """

    name: str
    title: str
    synthetic: bool
    fingerprint: str
    currency: str | None
    mapping: Mapping[str, str]
    notes: tuple[str, ...]
    as_of: date
    first_day: date
    last_day: date
    ledger: Mapping[str, Any]
    totals: Mapping[str, Mapping[str, Any]]
    dropped: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """The answer as ``segmentry inspect --json`` prints it."""
        known = {name: value for name, value in vars(self).items() if name != "dropped" or value is not None}
        days = {name: known[name].isoformat() for name in ("as_of", "first_day", "last_day")}
        return {**known, **days, "notes": list(self.notes)}


def inspect_sales(
    request: SalesRequest, config: Config, progress: Progress = silent, *, dropped: Path | None = None
) -> Inspection:
    """Read and clean a source as ``segmentry run`` would, and stop there.

    Args:
        request: the sales; its engines and its name do not matter.
        config: how they are read and cleaned.
        progress: told what is being done.
        dropped: a .csv or .parquet file for the lines that cleaning drops, each with its rule and the reason.

    Raises:
        InputError: the source, the mapping or the date cannot be used, or the file cannot be written.
    """
    kind = _kind(dropped)
    with open_sales(request, config, progress, keep_dropped=dropped is not None, detail=False) as opened:
        sales, written = opened.sales, None
        if dropped is not None and kind is not None:
            progress("Writing dropped lines", 0.0)
            written = write(sales.dropped(), dropped, kind, order=list).rows
            progress("Writing dropped lines", 1.0)
        return Inspection(
            name=sales.name,
            title=sales.title,
            synthetic=sales.synthetic,
            fingerprint=sales.fingerprint,
            currency=sales.currency,
            mapping=sales.mapping,
            notes=sales.notes,
            as_of=sales.as_of,
            first_day=sales.first_day,
            last_day=sales.last_day,
            ledger=sales.ledger.to_dict(),
            totals={name: total.to_dict() for name, total in sales.totals().items()},
            dropped=written,
        )


def _kind(path: Path | None) -> Format | None:
    """The format of the file of dropped lines, known before anything is read."""
    if path is None:
        return None
    kind = format_of(path) if path.suffix.lower() != ".xlsx" else None
    if kind not in _KINDS:
        raise InputError(
            "{name}: dropped lines are written as .csv or .parquet; they may be too many for a sheet.", name=path.name
        )
    return kind
