"""Receiving a file from a browser or a program: written to disk piece by piece, counted, fingerprinted and bounded."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from anyio.to_thread import run_sync
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from engines.errors import InputError
from engines.intake.sources.files import SUFFIXES
from storage.contract.uploads import NewUpload

_BATCH = 1 << 20  # bytes handed to the disk at a time
_NAME = 150  # characters of a file's name that are kept
_HIDDEN = re.compile(r"[\x00-\x1f\x7f/\\]")


class TooLargeError(InputError):
    """The file is larger than is allowed."""


class NoRoomError(InputError):
    """The disk is full."""


@dataclass(frozen=True)
class Limits:
    """Where received files go, and how large one may be, in bytes."""

    folder: Path
    largest: int


async def receive(content_type: str, pieces: AsyncIterator[bytes], limits: Limits) -> NewUpload:
    """Keep the one file of a multipart form; nothing of it stays when anything goes wrong or the sender goes away.

    Args:
        content_type: of the request, with the boundary.
        pieces: the body as it comes in.
        limits: where the file is put, under a name of our own, and its largest size.

    Raises:
        InputError: not a form, a form without a file or with several, an empty file or one of no known kind.
        TooLargeError: more than is allowed; the rest is not read.
        NoRoomError: it does not fit on the disk.
    """
    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data" or b"boundary" not in options:
        raise InputError("Send the file as multipart/form-data, in a field called file.")
    limits.folder.mkdir(parents=True, exist_ok=True)
    part = _Part(limits)
    parser = MultipartParser(options[b"boundary"], part.callbacks())  # type: ignore[arg-type]
    try:
        async for piece in pieces:
            if piece:
                parser.write(piece)
                await part.flush(_BATCH)
        parser.finalize()
        await part.flush(0)
        return part.finish()
    except FormParserError:
        raise InputError("The form is damaged or was cut off; send the file again.") from None
    except OSError as error:
        raise NoRoomError(
            "The file cannot be kept: {strerror}. Make room, or upload a smaller file.", strerror=error.strerror
        ) from None
    finally:
        part.close()


class _Part:
    """The file of a form as it comes in, first under a name that says it is not whole."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._header: tuple[bytearray, bytearray] = (bytearray(), bytearray())
        self._headers: dict[str, str] = {}
        self._waiting = bytearray()
        self._digest = hashlib.sha256()
        self._token = uuid4().hex
        self._path = limits.folder / f"{self._token}.part"
        self._file: Any = None
        self._whole = self._inside = self._ended = False
        self.name, self.size = "", 0

    def callbacks(self) -> dict[str, Any]:
        return {
            "on_part_begin": self._headers.clear,
            "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
            "on_header_end": self._header_end,
            "on_headers_finished": self._begin,
            "on_part_data": self._more,
            "on_part_end": self._part_end,
            "on_end": self._form_end,
        }

    def _header_end(self) -> None:
        name, value = (bytes(item) for item in self._header)
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")  # bytes, each as one character
        for item in self._header:
            item.clear()

    def _begin(self) -> None:
        _, options = parse_options_header(self._headers.get("content-disposition", ""))
        self._inside = b"filename" in options
        if not self._inside:
            return
        if self._file is not None:
            raise InputError("Send one file at a time; put files of one shape into a .zip.")
        self.name = _plain_name(options[b"filename"].decode("utf-8", "replace"))
        if not self.name.lower().endswith(UPLOADABLE):
            raise InputError(
                "{name}: files of this kind cannot be read; give {uploadable}.",
                name=self.name,
                uploadable=", ".join(UPLOADABLE),
            )
        self._file = self._path.open("xb")

    def _more(self, data: bytes, start: int, end: int) -> None:
        if self._inside:
            self._waiting += data[start:end]
            self.size += end - start
            if self.size > self._limits.largest:
                raise TooLargeError(
                    "{name} is larger than the {largest:,.0f} MB that may be uploaded: raise limit_mb in "
                    "[uploads], or read it with `segmentry run`.",
                    name=self.name,
                    largest=self._limits.largest / 2**20,
                )

    def _part_end(self) -> None:
        self._whole = self._whole or self._inside
        self._inside = False

    def _form_end(self) -> None:
        self._ended = True

    async def flush(self, above: int) -> None:
        """Write what has come in, once it is more than so many bytes; not on the event loop, for disks are slow."""
        if self._file is not None and len(self._waiting) > above:
            waiting, self._waiting = self._waiting, bytearray()
            await run_sync(self._write, waiting)

    def _write(self, data: bytearray) -> None:
        self._digest.update(data)
        self._file.write(data)

    def finish(self) -> NewUpload:
        """The file under its lasting name."""
        if self._file is None:
            raise InputError("The form has no file; send it in a field called file.")
        if not (self._whole and self._ended):
            raise InputError("{name} was cut off on its way; send it again.", name=self.name)
        if not self.size:
            raise InputError("{name} is empty.", name=self.name)
        self._file.close()
        suffix = next(each for each in sorted(UPLOADABLE, key=len, reverse=True) if self.name.lower().endswith(each))
        lasting = f"{self._token}{suffix}"
        self._path.rename(self._limits.folder / lasting)
        return NewUpload(lasting, self.name, self.size, self._digest.hexdigest())

    def close(self) -> None:
        """Let go of the file, and of what is not whole."""
        if self._file is not None:
            self._file.close()
        self._path.unlink(missing_ok=True)


UPLOADABLE = SUFFIXES


def _plain_name(name: str) -> str:
    """A file's name to show: its last part, without what cannot be seen; never used as a path."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    shown = _HIDDEN.sub("", last).strip()
    return shown if len(shown) <= _NAME else f"{shown[: _NAME // 2]}…{shown[-_NAME // 2 :]}"
