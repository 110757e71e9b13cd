"""Checks of the file of a saved model before anything is made of it: plain data, sizes and names."""

from __future__ import annotations

import io
import json
import math
import re
import struct
from collections.abc import Iterator
from typing import Any
from zipfile import ZIP_STORED, BadZipFile, ZipFile

import numpy as np

from engines.contract import MODEL_LIMIT
from engines.errors import InputError
from engines.messages import message

#: The parts of a skops file by loader, module and class: what numbers, texts, arrays and their containers are made of.
#: Everything that could import, construct or call anything is missing here.
_PARTS = frozenset(
    {
        ("DictNode", "builtins", "dict"),
        ("ListNode", "builtins", "list"),
        ("TupleNode", "builtins", "tuple"),
        ("JsonNode", "builtins", "str"),
        ("TypeNode", "builtins", "str"),
        ("NdArrayNode", "numpy", "ndarray"),
    }
)
_SCHEMA = "schema.json"
_SCHEMA_LIMIT = 8 * 2**20
_MEMBER = re.compile(r"schema\.json|[0-9]{1,20}\.npy")
_MEMBERS = 1_000
_DEPTH = 100
_AGAIN = message("It is not used; run its engine again.")


def model_error(reason: str) -> InputError:
    """The error that says why a model is not loaded, and the remedy."""
    return InputError("The model cannot be loaded: {reason}. {again}", reason=reason, again=_AGAIN)


def check_archive(data: bytes) -> None:
    """Make sure that a skops file is whole, no larger than it looks, and holds nothing but plain data.

    A model is written without compression, so that its size is what it takes in memory.

    Raises:
        InputError: too large, no skops file, a pickle, cut off, compressed, names of paths, Python objects in an array,
            or a type other than dict, list, tuple, text, number and numeric array; the reason is named.
    """
    if len(data) > MODEL_LIMIT:
        raise model_error(f"it has {len(data):,} bytes where {MODEL_LIMIT:,} are allowed")
    if not data.startswith(b"PK"):
        raise model_error("it is a pickle, which could run anything" if _is_pickle(data) else "it is not a skops file")
    try:
        with ZipFile(io.BytesIO(data)) as archive:
            arrays = _members(archive, len(data))
            for name in arrays:
                _check_array(name, archive.read(name))
            schema = json.loads(archive.read(_SCHEMA))
    except (BadZipFile, EOFError, NotImplementedError, struct.error, OverflowError) as error:
        raise model_error(f"it is damaged or was cut off ({error})") from None
    except InputError:
        raise
    except (ValueError, RecursionError):
        raise model_error(f"its {_SCHEMA} cannot be read") from None
    for part in _walk(schema):
        _check_part(part, arrays)


def _is_pickle(data: bytes) -> bool:
    # protocols 2 to 5 begin with their number; older ones end like the newer ones, with a stop after a text of opcodes
    return data[:1] == b"\x80" or (data[:1] in b"(c]}lid" and data[-1:] == b".")


def _members(archive: ZipFile, size: int) -> set[str]:
    """The names of the arrays in it."""
    infos = archive.infolist()
    if len(infos) > _MEMBERS:
        raise model_error(f"it holds {len(infos):,} files where {_MEMBERS:,} are allowed")
    unpacked = sum(info.file_size for info in infos)
    if unpacked > MODEL_LIMIT:
        raise model_error(f"it would unpack to {unpacked:,} bytes where {MODEL_LIMIT:,} are allowed")
    for info in infos:
        if not _MEMBER.fullmatch(info.filename) or info.filename != info.orig_filename:
            raise model_error(f"it holds a file called {info.orig_filename[:80]!r}, which no model has")
        if info.compress_type != ZIP_STORED or info.compress_size != info.file_size or info.flag_bits & 1:
            raise model_error(f"its {info.filename} is compressed or encrypted, which no model is")
    names = [info.filename for info in infos]
    if len(set(names)) < len(names) or unpacked > size:
        raise model_error("its files overlap")
    if _SCHEMA not in names:
        raise model_error(f"it has no {_SCHEMA}, so it is not a skops file")
    if archive.getinfo(_SCHEMA).file_size > _SCHEMA_LIMIT:
        raise model_error(f"its {_SCHEMA} is larger than {_SCHEMA_LIMIT:,} bytes")
    return set(names) - {_SCHEMA}


def _check_array(name: str, data: bytes) -> None:
    """An array must be of plain numbers, and as large as it says: NumPy believes a header and makes room for it."""
    file = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, kind = read(file)
    except (ValueError, SyntaxError, TypeError, RecursionError):
        raise model_error(f"its {name} is not an array of NumPy") from None
    if kind.hasobject:
        raise model_error(f"its {name} holds Python objects, which are pickles")
    if kind.kind not in "biuf":
        raise model_error(f"its {name} holds {kind.str} values, which are no numbers")
    if any(length < 0 for length in shape) or math.prod(shape) * kind.itemsize != len(data) - file.tell():
        raise model_error(f"its {name} is not as long as it says")


def _walk(schema: Any) -> Iterator[dict[str, Any]]:
    """Every part of the tree; a level at a time, so that depth cannot exhaust the stack."""
    level = [schema]
    for _ in range(_DEPTH):
        if not level:
            return
        below: list[Any] = []
        for part in level:
            if not isinstance(part, dict):
                raise model_error(f"its {_SCHEMA} is not that of a skops file")
            yield part
            content = part.get("content")
            if part.get("__loader__") == "DictNode":
                below.append(part.get("key_types"))
                below += content.values() if isinstance(content, dict) else [content]
            elif part.get("__loader__") in ("ListNode", "TupleNode"):
                below += content if isinstance(content, list) else [content]
        level = below
    raise model_error("it is nested too deeply")


def _check_part(part: dict[str, Any], arrays: set[str]) -> None:
    named = (part.get("__loader__"), part.get("__module__"), part.get("__class__"))
    if not all(isinstance(name, str) for name in named) or named not in _PARTS:
        raise model_error(
            f"it holds {str(named[1])[:80]}.{str(named[2])[:80]} ({str(named[0])[:40]}), which no model does"
        )
    if named[0] == "NdArrayNode" and (part.get("type") != "numpy" or part.get("file") not in arrays):
        raise model_error("an array of it is missing or is made of Python objects")
    if named[0] == "JsonNode" and not isinstance(part.get("content"), str):
        raise model_error(f"its {_SCHEMA} is not that of a skops file")
