"""Kind of a file by its first bytes, whatever its name says."""

from __future__ import annotations

import codecs
import re
import zipfile
from pathlib import Path
from typing import Literal

from engines.intake.sources.archives import PACKED

Format = Literal[
    "text", "JSON", "web page", "workbook", "OpenDocument", "old workbook", "XML workbook", "Parquet", "zip", "packed"
]

_LOOK = 4096
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_PACKED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd")
_PAGE = re.compile(rb"<(?:!doctype\s+html|html|head|body|meta|table|style|div)\b", re.IGNORECASE)
_SHEET = b"urn:schemas-microsoft-com:office:spreadsheet"
_JSON = re.compile(rb'(?:\{\s*"|\[\s*(?:\{|$))')


def format_of_file(path: Path) -> Format:
    """What a file is by its content: text where it is nothing else that is known.

    A text that is packed, by its name, is not unpacked for this.
    """
    with path.open("rb") as file:
        start = file.read(_LOOK)
    if start.startswith(b"PK\x03\x04"):
        return _zipped(path)
    if start.startswith(_OLE):
        return "old workbook"
    if start.startswith(b"PAR1"):
        return "Parquet"
    if start.startswith(_PACKED):
        return "text" if path.suffix.lower() in PACKED else "packed"
    if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        start = start[2:].replace(b"\0", b"")
    start = start.removeprefix(codecs.BOM_UTF8).lstrip()
    if start.startswith(b"<"):
        if _SHEET in start:
            return "XML workbook"
        return "web page" if _PAGE.search(start) else "text"
    return "JSON" if _JSON.match(start) else "text"


def _zipped(path: Path) -> Format:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if "mimetype" in names and archive.getinfo("mimetype").file_size < _LOOK:
                return "OpenDocument" if b"opendocument.spreadsheet" in archive.read("mimetype") else "zip"
            return "workbook" if any(name.startswith("xl/workbook.") for name in names) else "zip"
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError):
        return "zip"
