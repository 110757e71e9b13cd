"""Rows fetched from a database, kept in a temporary file with their types and a fingerprint."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from engines.errors import InputError
from engines.intake.sources.source import Source, named

_UUID_BYTES = 16


def fetch(reader: pa.RecordBatchReader, target: Path, shown: str) -> list[str]:
    """Write the result of a query to a Parquet file; gives the columns that hold numbers written as text."""
    asked = list(reader.schema)
    if not asked:
        raise InputError("{shown}: the query gives no columns; write a SELECT, it is only read.", shown=shown)
    fields = [_stored(field, shown) for field in asked]
    schema = pa.schema([pa.field(f"c{index}", field.type) for index, field in enumerate(fields)])
    names = named([field.name for field in fields])
    described = schema.with_metadata({f"name{index}": name for index, name in enumerate(names)})
    with pq.ParquetWriter(target, described) as writer:
        for batch in reader:
            columns = [_plain(column, field.type) for column, field in zip(batch.columns, schema, strict=True)]
            writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=described))
    return [f"c{index}" for index, field in enumerate(asked) if _is_numeric(field)]


def _plain(column: Any, kind: pa.DataType) -> pa.Array:
    """A column in the type it is stored in: what a driver only wraps is unwrapped, and a UUID is written out."""
    stored = column.storage if isinstance(column.type, pa.BaseExtensionType) else column
    if pa.types.is_string(kind) and pa.types.is_fixed_size_binary(stored.type):
        return pa.array([None if cell is None else str(UUID(bytes=cell)) for cell in stored.to_pylist()], kind)
    return stored.cast(kind)


def _is_numeric(field: pa.Field) -> bool:
    """Whether PostgreSQL has it as an exact number, which comes as text."""
    told = (field.metadata or {}).get(b"ADBC:postgresql:typname")
    return told == b"numeric" or getattr(field.type, "type_name", None) == "numeric"


def _stored(field: pa.Field, shown: str) -> pa.Field:
    kind = field.type.storage_type if isinstance(field.type, pa.BaseExtensionType) else field.type
    if pa.types.is_null(kind) or (pa.types.is_fixed_size_binary(kind) and kind.byte_width == _UUID_BYTES):
        kind = pa.string()
    if pa.types.is_interval(kind) or pa.types.is_union(kind):
        raise InputError(
            "{shown}: column {name!r} holds {kind} values, which cannot be read; leave it out with --query.",
            shown=shown,
            name=field.name,
            kind=kind,
        )
    return pa.field(field.name, kind)


def fetched_source(name: str, fetched: Path, numbers: list[str], connection: duckdb.DuckDBPyConnection) -> Source:
    """The source of what was fetched; numbers written as text are exact numbers again where a whole column is."""
    columns = tuple(
        pq.read_schema(fetched).metadata[f"name{index}".encode()].decode()
        for index in range(len(pq.read_schema(fetched).names))
    )
    location = str(fetched).replace("'", "''")
    lines = f"read_parquet('{location}', binary_as_string = true)"
    exact = [f"count({column}) = count(try_cast({column} as decimal(38, 10)))" for column in numbers]
    fits = connection.execute(f"select {', '.join(exact)} from {lines}").fetchall()[0] if exact else ()  # noqa: S608
    cast = ", ".join(
        f"cast({column} as decimal(38, 10)) as {column}"
        for column, all_fit in zip(numbers, fits, strict=True)
        if all_fit
    )
    relation = f"(select * replace ({cast}) from {lines})" if cast else lines  # noqa: S608
    return Source(
        name=name,
        columns=columns,
        relation=relation,
        fingerprint=_fingerprint(columns, lines, connection),
        locate=lambda line: f"row {line + 1} of the result",
        typed=True,
        size=fetched.stat().st_size,
        lines=pq.read_metadata(fetched).num_rows,
    )


def _fingerprint(columns: tuple[str, ...], lines: str, connection: duckdb.DuckDBPyConnection) -> str:
    """Of all that was read, whatever the order of the rows: a database promises none."""
    cells = ", ".join(f"coalesce(cast(c{index} as varchar), chr(30))" for index in range(len(columns)))
    row = f"concat_ws(chr(31), {cells})"
    totals = connection.execute(
        f"select count(*), sum(md5_number_lower({row})), sum(md5_number_upper({row})) from {lines}"  # noqa: S608
    ).fetchall()[0]
    return hashlib.sha256(repr((columns, *map(str, totals))).encode()).hexdigest()
