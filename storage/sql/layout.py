"""How a customer table is laid out in the database, and how it comes back exactly as it was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from engines.columns import CUSTOMER_ID, DICTIONARY, SEGMENT, SEGMENT_KEY
from engines.errors import InputError
from engines.messages import message
from storage.sql.json_columns import from_objects, to_objects

FEATURES = "features"
FOLDED = "id_folded"
ROW_NO = "row_no"

_TEXT, _NUMBER, _WHOLE, _FLAG, _TIME = pa.string(), pa.float64(), pa.int64(), pa.bool_(), pa.timestamp("us")
_TYPES = {"text": _TEXT, "number": _NUMBER, "whole": _WHOLE, "flag": _FLAG, "time": _TIME}
_WORDS = {arrow: word for word, arrow in _TYPES.items()}
#: Arrow type by column of the customers table; every number is a double there (see storage/sql/tables.py)
STORED = {
    name: {"text": _TEXT, "date": _TIME, "flag": _FLAG}.get(column.kind, _NUMBER) for name, column in DICTIONARY.items()
}


_BESIDE = tuple((name, arrow) for name, arrow in STORED.items() if name != CUSTOMER_ID)


@dataclass(frozen=True)
class Layout:
    """How one snapshot's customer table looked: its columns in order, each with its pandas dtype and kind of value.

    ``sorted`` says that the customers were saved in code point order of their ids; ``features`` are the columns that
    are kept as a JSON object, as the dictionary did not know them then.
    """

    index_name: str | None
    index_dtype: str
    columns: tuple[tuple[str, str, str], ...]  # name, pandas dtype, kind of value (a key of _TYPES)
    sorted: bool
    features: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Layout:
        """The layout that ``to_json`` wrote down."""
        columns = tuple((name, dtype, word) for name, dtype, word in saved["columns"])
        return cls(saved["index_name"], saved["index_dtype"], columns, saved["sorted"], tuple(saved["features"]))

    def to_json(self) -> dict[str, Any]:
        """The layout as JSON-ready values."""
        return {
            "index_name": self.index_name,
            "index_dtype": self.index_dtype,
            "columns": [list(column) for column in self.columns],
            "sorted": self.sorted,
            "features": list(self.features),
        }

    @property
    def names(self) -> tuple[str, ...]:
        """The columns, in order, without the index."""
        return tuple(name for name, _, _ in self.columns)

    def type(self, name: str) -> pa.DataType:
        """The Arrow type of a column's values."""
        return _TYPES[next(word for column, _, word in self.columns if column == name)]

    @property
    def _extra(self) -> dict[str, pa.DataType]:
        """The columns that are kept as JSON objects, with their types, as the objects have them."""
        return {name: _TYPES[word] for name, _, word in self.columns if name in self.features}

    def stored(self, names: Sequence[str]) -> tuple[str, ...]:
        """The columns of the customers table that hold these columns."""
        fixed = tuple(name for name in names if name not in self.features)
        return fixed if len(fixed) == len(names) else (*fixed, FEATURES)

    def expand(self, batch: pa.RecordBatch, names: Sequence[str]) -> list[pa.Array]:
        """These columns, in their own types, from a batch of stored ones."""
        extra = {name: self.type(name) for name in names if name in self.features}
        features = from_objects(batch.column(FEATURES), self._extra, extra) if extra else {}
        return [features[n] if n in features else _cast(batch.column(n), self.type(n)) for n in names]

    def index(self, batches: Iterable[pa.RecordBatch]) -> pd.Index:
        """The customer ids as the saved table's index had them, from all its stored rows in order."""
        return self._index([_own(batch.column(CUSTOMER_ID)) for batch in batches])

    def _index(self, ids: list[pa.Array]) -> pd.Index:
        values = _series(pa.chunked_array(ids, _TEXT), self.index_dtype)
        index: pd.Index = pd.Index(values, name=self.index_name)
        return index

    def frame(self, batches: Iterable[pa.RecordBatch]) -> pd.DataFrame:
        """The customer table as it was saved, from all its stored rows in order.

        What a batch was stored as is let go as soon as it is expanded, and its columns as they are put together.
        """
        ids: list[pa.Array] = []
        columns: dict[str, list[pa.Array]] = {name: [] for name in self.names}
        for batch in batches:
            ids.append(_own(batch.column(CUSTOMER_ID)))
            for name, values in zip(self.names, self.expand(batch, self.names), strict=True):
                columns[name].append(_own(values))
        index = self._index(ids)
        data = {
            name: _series(pa.chunked_array(columns.pop(name), self.type(name)), dtype)
            for name, dtype, _ in self.columns
        }
        return pd.DataFrame(data, columns=pd.Index(self.names, dtype="str"), copy=False).set_axis(index)


@dataclass(frozen=True)
class StoredRows:
    """The rows of a customer table as they are stored, made batch by batch: all at once they would take its room again.

    ``values`` are its columns, ids included, in their own types; most of them are the table's own memory.
    """

    values: Mapping[str, pa.Array]

    @property
    def num_rows(self) -> int:
        """How many customers there are."""
        return len(self.values[CUSTOMER_ID])

    @property
    def schema(self) -> pa.Schema:
        """The stored columns with their types."""
        return pa.schema([(ROW_NO, pa.int32()), (CUSTOMER_ID, _TEXT), (FOLDED, _TEXT), *_BESIDE, (FEATURES, _TEXT)])

    def to_batches(self, max_chunksize: int) -> Iterator[pa.RecordBatch]:
        """The rows in order, in batches of at most so many."""
        schema = self.schema
        for start in range(0, self.num_rows, max_chunksize):
            batch = {name: values.slice(start, max_chunksize) for name, values in self.values.items()}
            ids = batch.pop(CUSTOMER_ID)
            stored: dict[str, pa.Array] = {
                ROW_NO: pa.array(np.arange(start, start + len(ids), dtype=np.int32)),
                CUSTOMER_ID: ids,
                FOLDED: _folded(ids),
            }
            for name, arrow in _BESIDE:
                stored[name] = _fixed(name, batch.pop(name)) if name in batch else pa.nulls(len(ids), arrow)
            stored[FEATURES] = to_objects(batch) if batch else pa.nulls(len(ids), _TEXT)
            yield pa.record_batch([stored[name] for name in schema.names], schema=schema)


def lay_out(customers: pd.DataFrame) -> tuple[Layout, StoredRows]:
    """The layout of a customer table (indexed by customer id) and its rows as they are stored.

    Raises:
        InputError: a customer id that is missing or there twice, or a column that cannot be kept.
    """
    ids = _ids(customers.index)
    arrays: dict[str, pa.Array] = {CUSTOMER_ID: ids}
    columns: list[tuple[str, str, str]] = []
    for name in customers.columns:
        if not isinstance(name, str) or name in (CUSTOMER_ID, SEGMENT, SEGMENT_KEY) or name in [c[0] for c in columns]:
            raise InputError(
                "A customer table cannot have a column named {name!r}, or one twice; rename it.", name=name
            )
        series = customers[name]
        values = arrays[name] = _values(name, series)
        if name in DICTIONARY:
            _fixed(name, values)  # refused now or never: what comes of it is made again batch by batch
        columns.append((name, str(series.dtype), _WORDS[values.type]))
    in_order = len(ids) < 2 or bool(pc.all(pc.less(ids[:-1], ids[1:])).as_py())
    index_name = None if customers.index.name is None else str(customers.index.name)
    features = tuple(name for name, _, _ in columns if name not in DICTIONARY)
    return Layout(index_name, str(customers.index.dtype), tuple(columns), in_order, features), StoredRows(arrays)


def fold(text: str) -> str:
    """A text without its case, as searches compare it: the same on every database."""
    return str(pc.utf8_lower(pa.scalar(text)).as_py())


def is_storable(text: str) -> bool:
    """Whether a database can hold this text: it has no NUL and is real Unicode. What it cannot hold, nothing equals."""
    return "\x00" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def _ids(index: pd.Index) -> pa.Array:
    try:
        ids = pa.array(index, _TEXT, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError):
        raise InputError("Customer ids must be text; convert the index of the customer table.") from None
    _no_nul(CUSTOMER_ID, ids)
    if ids.null_count:
        raise InputError("A customer has no id; drop the row or give it one.")
    if not index.is_unique:
        raise InputError(
            "Customer {index!r} is there twice; a customer is one row.", index=index[index.duplicated()][0]
        )
    return ids


def _folded(ids: pa.Array) -> pa.Array:
    lower = pc.utf8_lower(ids)
    return pc.if_else(pc.equal(lower, ids), pa.scalar(None, _TEXT), lower)


def _values(name: str, series: pd.Series[Any]) -> pa.Array:
    """A column's values in one of the types that are kept; NaN is null."""
    refusal = message(
        "Column {name} is of the type {dtype}, which cannot be kept; make it text, number, date or yes/no.",
        name=name,
        dtype=series.dtype,
    )
    try:
        values = pa.array(series, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError):
        raise InputError(refusal) from None
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    kind = values.type
    if pa.types.is_null(kind):
        data_type = STORED.get(name, _TEXT)
        return values.cast(data_type)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        target = _TEXT
    elif pa.types.is_boolean(kind):
        target = _FLAG
    elif pa.types.is_integer(kind):
        target = _WHOLE
    elif pa.types.is_floating(kind):
        target = _NUMBER
    elif pa.types.is_timestamp(kind) and kind.tz is None:
        target = _TIME
    else:
        raise InputError(refusal)
    try:
        values = values.cast(target)
    except pa.ArrowInvalid:
        raise InputError("Column {name} holds values too large or too fine to be kept exactly.", name=name) from None
    if target == _TEXT:
        _no_nul(name, values)
    if target == _NUMBER and bool(pc.any(pc.is_inf(values)).as_py()):
        raise InputError("Column {name} holds an infinite number; leave it empty where there is no value.", name=name)
    return values


def _no_nul(name: str, values: pa.Array) -> None:
    if bool(pc.any(pc.match_substring(values, "\x00")).as_py()):
        raise InputError(
            "Column {name} holds a text with a NUL character, which no database keeps; remove it.", name=name
        )


def _fixed(name: str, values: pa.Array) -> pa.Array:
    stored = STORED[name]
    if values.type == stored:
        return values
    if values.null_count == len(values):
        return pa.nulls(len(values), stored)
    if stored != _NUMBER or values.type != _WHOLE:
        raise InputError(
            "Column {name} must hold {kind} values, not {found}.",
            name=name,
            kind=_WORDS[stored],
            found=_WORDS[values.type],
        )
    try:
        return values.cast(stored)
    except pa.ArrowInvalid:
        raise InputError("Column {name} holds a number above 2**53, which is not kept exactly.", name=name) from None


def _own(values: pa.Array) -> pa.Array:
    """The same in memory of its own: a column of a driver's batch keeps all columns of that batch alive."""
    return pa.concat_arrays([values])


def _cast(values: pa.Array, target: pa.DataType) -> pa.Array:
    """Stored values in the column's own type; SQLite keeps dates as text and flags as 0 and 1."""
    if values.type == target:
        return values
    return pa.nulls(len(values), target) if values.null_count == len(values) else values.cast(target)


def _series(values: pa.ChunkedArray, dtype: str) -> Any:
    if dtype == "object":
        return np.array([*values.to_pylist(), None], dtype=object)[:-1]  # the None keeps numpy from guessing
    if dtype in ("bool", "str", "string") or dtype[0].isupper() or dtype == "boolean" or "[pyarrow]" in dtype:
        return pd.array(values.to_pandas(types_mapper=pd.ArrowDtype), dtype=dtype)
    return values.to_numpy().astype(dtype)
