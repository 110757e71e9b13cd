"""How a list is wanted: which columns, and whether customers are drawn for a control group."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pandas.util import hash_array

from dashboard.exports.files import Format, Stream
from engines.columns import CLV, CONTROL_GROUP, CUSTOMER_ID, FUTURE_SPEND, describe, in_order
from engines.errors import InputError
from storage import Store
from storage.contract import Selection
from storage.contract.exports import ControlGroup, ControlPart

#: The rule of the draw, as manifests tell it.
RULE = (
    "Customers are ranked by SipHash-2-4 (64 bits) of their id in UTF-8, keyed with the seed as 16 decimal digits; "
    "the lowest are the control group, as many as the share of the list says, rounded half up."
)


def lots(ids: pa.Array, seed: int) -> NDArray[np.uint64]:
    """Every customer's lot: it depends on the id and the seed alone, so that another list draws alike."""
    texts = ids.cast(pa.large_string()).to_numpy(zero_copy_only=False)
    return hash_array(texts, encoding="utf8", hash_key=f"{seed:016d}", categorize=False)


def lowest(lots_of_all: NDArray[np.uint64], share: float) -> NDArray[np.bool_]:
    """Who has one of the lowest lots: exactly the share of everyone, rounded half up; of equal lots the first."""
    number = int(np.floor(share * len(lots_of_all) + 0.5))
    chosen = np.zeros(len(lots_of_all), dtype=bool)
    if number:
        highest = np.partition(lots_of_all, number - 1)[number - 1]
        chosen[lots_of_all < highest] = True
        chosen[np.flatnonzero(lots_of_all == highest)[: number - np.count_nonzero(chosen)]] = True
    return chosen


def with_control_group(
    reader: pa.RecordBatchReader, ids: Iterable[pa.RecordBatch], control: ControlGroup
) -> pa.RecordBatchReader:
    """A list with the column ``control_group`` (true or false), or that part of it which ``control`` asks for.

    ``ids`` are batches of the same customers in the same order with their ids; they are read to the end before the
    first customer of the list, and of each eight bytes are kept meanwhile.

    Raises:
        InputError: the list has a column of that name already.
    """
    if CONTROL_GROUP in reader.schema.names:
        raise InputError(
            "These customers have a column {control_group} already, so that none can be drawn beside it.",
            control_group=CONTROL_GROUP,
        )
    schema = reader.schema.append(pa.field(CONTROL_GROUP, pa.bool_()))

    def batches() -> Iterator[pa.RecordBatch]:
        try:
            everyone = [lots(batch.column(CUSTOMER_ID), control.seed) for batch in ids]
            chosen = lowest(np.concatenate([np.empty(0, np.uint64), *everyone]), control.share)
            del everyone
            start = 0
            for batch in reader:
                here = pa.array(chosen[start : start + batch.num_rows])
                start += batch.num_rows
                marked = pa.record_batch([*batch.columns, here], schema=schema)
                if control.part != "all":
                    members = here if control.part == "control" else pc.invert(here)
                    marked = marked.filter(members)
                yield marked
        finally:
            reader.close()

    return pa.RecordBatchReader.from_batches(schema, batches())


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
                    raise InputError("{name} may be given once.", name=name)
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
            raise InputError("{name} belongs to a control group; name its share as well, as control=0.1.", name=name)
        return None
    share, seed, part = given["control"], given.get("seed", "0"), given.get("part", "all")
    if not (number := _share(share)):
        raise InputError(
            "control must be a share from {least_share} to {most_share}, as 0.1, not {share!r}.",
            least_share=LEAST_SHARE,
            most_share=MOST_SHARE,
            share=share[:40],
        )
    if not (seed.isascii() and seed.isdecimal() and len(seed) <= 10 and int(seed) <= MOST_SEED):
        raise InputError(
            "seed must be a whole number from 0 to {most_seed}, not {seed!r}.", most_seed=MOST_SEED, seed=seed[:40]
        )
    chosen_part = next((item for item in PARTS if item == part), None)
    if chosen_part is None:
        raise InputError(
            "part must be {some} or {last}, not {part!r}.",
            some=", ".join(PARTS[:-1]),
            last=PARTS[-1],
            part=part[:40],
        )
    return ControlGroup(number, int(seed), chosen_part)


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
    exportable = [name for name in every.schema.names if describe(name).exported]
    every.close()
    exported = exportable if choices.columns is None else _named(choices.columns, exportable, run_id)
    reader = store.stream(run_id, selection, exported, batch_size=_ROWS)
    if choices.control is not None:
        ids = store.stream(run_id, selection, [])
        reader = with_control_group(reader, ids, choices.control)
        exported = [*exported, CONTROL_GROUP]
    return Stream(reader, kind, lambda names: [name for name in in_order(names) if name in exported])


def _named(columns: Sequence[str], exportable: Sequence[str], run_id: int) -> list[str]:
    """The columns that are named, one by one or several in a text with commas between.

    Raises:
        InputError: the run does not have one of them.
    """
    names: list[str] = []
    for text in columns:
        names += [text] if text in exportable else [name.strip() for name in text.split(",") if name.strip()]
    # an old name, which answers for one version
    names = [CLV if name == FUTURE_SPEND and name not in exportable else name for name in names]
    for name in names:
        if name not in exportable:
            has = ", ".join(exportable)
            raise InputError(
                "columns names {name!r}, which run {run_id} does not have; it has {has}.",
                name=name[:100],
                run_id=run_id,
                has=has,
            )
    return list(dict.fromkeys(names))
