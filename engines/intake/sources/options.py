"""How a source is to be read, where it does not say so itself: everything is found out unless it is told here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DateOrder = Literal["", "day-first", "month-first"]


@dataclass(frozen=True)
class Reading:
    """What a user may say about a source; the same names and defaults as [reading] in config.toml.

    ``columns``: names by position of a file without a header (empty: the first line is the header). ``separator``,
    ``encoding``, ``decimal``: empty means found out from the content. ``date_order``: decides dates whose column does
    not. ``time_zone``: IANA name of the zone into which moments with an offset (or epoch seconds) are brought.
    ``sheets``: of a workbook, by name; empty means all that have the columns of the first. ``table``, ``query``: what
    is read of a database. ``unreadable_share``: the largest share of lines that may be set aside because a cell of
    theirs cannot be read, 0 to 1.
    """

    columns: tuple[str, ...] = ()
    separator: str = ""
    encoding: str = ""
    decimal: Literal["", ".", ","] = ""
    date_order: DateOrder = ""
    time_zone: str = "UTC"
    sheets: tuple[str, ...] = ()
    table: str = ""
    query: str = ""
    unreadable_share: float = 0.01
