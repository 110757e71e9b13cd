"""Control groups: who of a list gets nothing, drawn by lot, so that what a campaign did can be told afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pandas.util import hash_array

from engines.columns import CONTROL_GROUP, CUSTOMER_ID
from engines.errors import InputError
from storage.contract.exports import ControlGroup

#: The rule of the draw, as manifests tell it.
RULE = (
    "Customers are ranked by SipHash-2-4 (64 bits) of their id in UTF-8, keyed with the seed as 16 decimal digits; "
    "the lowest are the control group, as many as the share of the list says, rounded half up."
)


def lots(ids: pa.Array, seed: int) -> NDArray[np.uint64]:
    """Every customer's lot: it depends on the id and the seed alone, so that another list draws alike."""
    texts = ids.cast(pa.large_string()).to_numpy(zero_copy_only=False)
    return hash_array(texts, encoding="utf8", hash_key=f"{seed:016d}", categorize=False)


def drawn(lots_of_all: NDArray[np.uint64], share: float) -> NDArray[np.bool_]:
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
        raise InputError(f"These customers have a column {CONTROL_GROUP} already, so that none can be drawn beside it.")
    schema = reader.schema.append(pa.field(CONTROL_GROUP, pa.bool_()))

    def batches() -> Iterator[pa.RecordBatch]:
        try:
            everyone = [lots(batch.column(CUSTOMER_ID), control.seed) for batch in ids]
            chosen = drawn(np.concatenate([np.empty(0, np.uint64), *everyone]), control.share)
            del everyone
            start = 0
            for batch in reader:
                here = pa.array(chosen[start : start + batch.num_rows])
                start += batch.num_rows
                marked = pa.record_batch([*batch.columns, here], schema=schema)
                if control.part != "all":
                    wanted = here if control.part == "control" else pc.invert(here)
                    marked = marked.filter(wanted)
                yield marked
        finally:
            reader.close()

    return pa.RecordBatchReader.from_batches(schema, batches())
