"""How a list is wanted: which columns, and whether customers are drawn for a control group."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self, get_args

from dashboard.exports.control_group import with_control_group
from dashboard.exports.files import Format, Stream, column_order
from engines.columns import CONTROL_GROUP
from engines.errors import InputError
from storage.contract import Selection, Store
from storage.contract.exports import ControlGroup, ControlPart

LEAST_SHARE, MOST_SHARE = 0.01, 0.5
MOST_SEED = 2**31 - 1
_ROWS = 16_384  # read, written and handed over at a time
PARTS: tuple[ControlPart, ...] = get_args(ControlPart)

#: Query parameters by name, with what they mean.
CHOICE_PARAMETERS: dict[str, tuple[str, dict[str, Any]]] = {
    "columns": (
        "Columns of the file, parted by commas or repeated; all of them where it is left out.",
        {"type": "array", "items": {"type": "string"}},
    ),
    "control": (
        "The share of the customers who are drawn by lot for a control group and marked in the column control_group.",
        {"type": "number", "minimum": LEAST_SHARE, "maximum": MOST_SHARE},
    ),
    "seed": (
        "Another seed draws another control group; 0 where it is left out.",
        {"type": "integer", "minimum": 0, "maximum": MOST_SEED},
    ),
    "part": (
        "Who is in the file: all, the campaign's customers (without the control group), or the control group alone.",
        {"type": "string", "enum": list(PARTS)},
    ),
}


@dataclass(frozen=True)
class Choices:
    """The columns of a list in any order (None: all there are), and its control group, if any."""

    columns: tuple[str, ...] | None = None
    control: ControlGroup | None = None

    @classmethod
    def from_query(cls, pairs: Iterable[tuple[str, str]]) -> Self:
        """The choices that (name, value) pairs of a query string describe; other names are left alone.

        Raises:
            InputError: a share, seed or part that is none, or one that is given twice or without a share.
        """
        columns: list[str] | None = None
        given: dict[str, str] = {}
        for name, text in pairs:
            if name == "columns":
                columns = [*(columns or ()), text]
            elif name in CHOICE_PARAMETERS:
                if name in given:
                    raise InputError(f"{name} may be given once.")
                given[name] = text
        if columns is not None and not any(columns):
            raise InputError("columns names no column; leave it out for all of them.")
        return cls(None if columns is None else tuple(columns), _control(given))

    def to_query(self) -> list[tuple[str, str]]:
        """The (name, value) pairs that ``from_query`` reads back to equal choices."""
        pairs = [("columns", name) for name in self.columns or ()]
        if self.control is not None:
            pairs += [("control", f"{self.control.share:g}"), ("seed", str(self.control.seed))]
            pairs += [("part", self.control.part)] if self.control.part != "all" else []
        return pairs


def _control(given: dict[str, str]) -> ControlGroup | None:
    if "control" not in given:
        if given:
            name = next(iter(given))
            raise InputError(f"{name} belongs to a control group; name its share as well, as control=0.1.")
        return None
    share, seed, part = given["control"], given.get("seed", "0"), given.get("part", "all")
    if not (number := _share(share)):
        raise InputError(f"control must be a share from {LEAST_SHARE} to {MOST_SHARE}, as 0.1, not {share[:40]!r}.")
    if not (seed.isascii() and seed.isdecimal() and len(seed) <= 10 and int(seed) <= MOST_SEED):
        raise InputError(f"seed must be a whole number from 0 to {MOST_SEED}, not {seed[:40]!r}.")
    known = next((item for item in PARTS if item == part), None)
    if known is None:
        raise InputError(f"part must be {', '.join(PARTS[:-1])} or {PARTS[-1]}, not {part[:40]!r}.")
    return ControlGroup(number, int(seed), known)


def _share(text: str) -> float:
    """The share, at most six significant digits of it; 0 where it is none."""
    try:
        share = float(f"{float(text):g}")
    except ValueError:
        return 0.0
    return share if LEAST_SHARE <= share <= MOST_SHARE else 0.0


def customer_list(store: Store, run_id: int, selection: Selection, kind: Format, choices: Choices) -> Stream:
    """The customers of a finished run that meet a selection as a file, by customer id; nothing is read before it flows.

    Raises:
        InputError: the run has no column that was chosen.
        NotFoundError: there is no such run, or it is not finished.
    """
    every = store.stream(run_id, selection)
    known = every.schema.names
    every.close()
    wanted = known if choices.columns is None else _named(choices.columns, known, run_id)
    reader = store.stream(run_id, selection, wanted, batch_size=_ROWS)
    if choices.control is not None:
        ids = store.stream(run_id, selection, [])
        reader = with_control_group(reader, ids, choices.control)
        wanted = [*wanted, CONTROL_GROUP]
    return Stream(reader, kind, lambda names: [name for name in column_order(names) if name in wanted])


def _named(columns: Sequence[str], known: Sequence[str], run_id: int) -> list[str]:
    """The columns that are named, one by one or several in a text with commas between.

    Raises:
        InputError: the run does not have one of them.
    """
    found: list[str] = []
    for text in columns:
        found += [text] if text in known else [name.strip() for name in text.split(",") if name.strip()]
    for name in found:
        if name not in known:
            has = ", ".join(known)
            raise InputError(f"columns names {name[:100]!r}, which run {run_id} does not have; it has {has}.")
    return list(dict.fromkeys(found))
