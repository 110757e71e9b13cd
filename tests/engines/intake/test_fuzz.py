"""Broken files of every kind: each gives one clear sentence or a correct result, in time, and leaves nothing behind."""

from __future__ import annotations

import gzip
import io
import re
import sqlite3
import tempfile
import time
import zipfile
from collections.abc import Callable
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashboard.cli import main
from engines import features
from engines.errors import InputError
from engines.intake import read_sales
from engines.intake.schema.preview import preview

FEW, MANY = 4, 2_000
BOUND = 120  # seconds of work for one file, on however slow a machine: more is work that does not end

HEADER = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"]
ROWS = [
    [
        str(536365 + at // 3),
        f"2{at % 7}1A",
        f"MUG {at % 5}",
        str(1 + at % 4),
        f"2010-12-{1 + at % 28:02d} 08:{at % 60:02d}:00",
        f"{1 + at % 9}.{at % 100:02d}",
        f"1{at % 6}850",
        "France",
    ]
    for at in range(30)
]
#: What a sentence for the user says to do; every one has to have some of it.
REMEDY = re.compile(
    r"\b(mend|give|map|name|save|say|check|unpack|quote|remove|rename|see|use|leave|make|export|pack|read|write)\b|--\w",
    re.IGNORECASE,
)
CELLS = (
    *(
        "inf",
        "-inf",
        "Infinity",
        "nan",
        "NaN",
        "1e999",
        "1e30",
        "-1e18",
        "9" * 30,
        "99999999999999",
        "0x1F",
        "--5",
        "-",
    ),
    *("9999-12-31 00:00:00", "9999-12-31", "0001-01-01", "10000-01-01", "2010-02-31", "31/12/9999", "12/31/2010", "0"),
    *("1.5.2010", "20101301", "1291190400", "99999999999999999", "2010-12-01T08:26:00+25:99", "25:61", "-17850", "-0"),
    *("=1+1", '=HYPERLINK("http://x","y")', "@SUM(A1)", "+cmd|' /C calc'!A0", "\t", " ", "\u00a0", "'", "''", "\\"),
    *(
        "'; drop table lines; --",
        "%s",
        "{}",
        "$1",
        "NULL",
        "\u202e",
        "\ufeff",
        "\U0001f600",
        "é" * 50,
        "1,234.5",
        "1.234,5",
    ),
    *("(5.00)", "5-", "£5", "5 €", ",", ";", "|", "a\rb", "a\nb", '"', '""', '"a', 'a"', '"a"b'),
)


@st.composite
def tables(draw) -> list[list[str]]:
    """Sales with up to four things wrong in their cells and lines."""
    rows = [list(HEADER), *(list(row) for row in ROWS[: draw(st.integers(0, len(ROWS)))])]
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(rows) - 1))
        row = rows[at]
        place = draw(st.integers(0, max(len(row) - 1, 0)))
        match draw(st.sampled_from(["cell", "any", "column", "ragged", "longer", "twice", "huge", "wide", "gone"])):
            case "cell" if row:
                row[place] = draw(st.sampled_from(CELLS))
            case "any" if row:
                row[place] = draw(st.text(max_size=12))
            case "column":
                value = draw(st.sampled_from(CELLS))
                for each in rows[1:]:
                    each[place : place + 1] = [value]
            case "ragged":
                del row[place:]
            case "longer":
                row += ["more"] * draw(st.integers(1, 3))
            case "twice" if row:
                row.append(row[place])
            case "huge" if row:
                row[place] = draw(st.sampled_from("x9é")) * draw(st.sampled_from([1 << 10, 1 << 17, 3 << 20]))
            case "wide":
                for each in rows:
                    each += [f"{len(each)}{number}" for number in range(1000)]
            case "gone" if len(rows) > 1:
                del rows[at]
    return rows


def as_text(rows: list[list[str]], separator: str, end: str, *, quoted: bool) -> str:
    def cell(value: str) -> str:
        return (
            '"' + value.replace('"', '""') + '"'
            if quoted and re.search(rf'[{re.escape(separator)}"\r\n]', value)
            else value
        )

    return "".join(separator.join(map(cell, row)) + end for row in rows)


@st.composite
def texts(draw) -> bytes:
    """A text of sales in some encoding, perhaps with bytes that do not belong there, or cut off."""
    separator, end = draw(st.sampled_from([",", ",", ";", "\t", "|"])), draw(st.sampled_from(["\n", "\r\n", "\r"]))
    text = as_text(draw(tables()), separator, end, quoted=draw(st.booleans()))
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"]))
    content = text.encode(encoding, "replace")
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        at = draw(st.integers(0, len(content)))
        match draw(st.sampled_from(["zero", "quote", "mixed", "bytes", "cut", "line"])):
            case "zero":
                content = content[:at] + b"\0" * draw(st.integers(1, 3)) + content[at:]
            case "quote":
                content = content[:at] + b'"' + content[at:]
            case "mixed":
                content = content[:at] + "é€".encode() + content[at:] + "é".encode("cp1252")
            case "bytes":
                content = content[:at] + draw(st.binary(max_size=8)) + content[at:]
            case "cut":
                content = content[:at]
            case "line":
                content = content[:at] + b"\n" * draw(st.integers(1, 3)) + content[at:]
    return content


@st.composite
def text_files(draw) -> tuple[str, bytes]:
    return draw(st.sampled_from(["sales.csv", "sales.tsv", "sales.txt"])), draw(texts())


@cache
def zeros(kind: str) -> bytes:
    """Bombs: a hundred times more than they seem, and more than is let through."""
    content = (",".join(HEADER) + "\n").encode() + b"0" * (200 << 20)
    if kind == "gz":
        return gzip.compress(content, 6)
    if kind == "zst":
        return bytes(pa.compress(content, codec="zstd", asbytes=True))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("sales.csv", content)
    return packed.getvalue()


MEMBERS = (
    *("sales.csv", "../../x.csv", "/etc/x.csv", "..\\..\\x.csv", "C:\\x.csv", "a/b/c.csv", "sales.csv\0.png", "é.csv"),
    *("sales.zip", "x.csv.gz", "notes.md", "", "a/", ".hidden.csv", "__MACOSX/x.csv", "x" * 300 + ".csv", "sales.xlsx"),
)


@st.composite
def packed_files(draw) -> tuple[str, bytes]:
    kind = draw(st.sampled_from(["gz", "zst", "zip", "zip"]))
    name = "sales.zip" if kind == "zip" else f"sales.csv.{kind}"
    if draw(st.integers(0, 19)) == 0:
        return name, zeros(kind)
    if kind == "gz":
        content = gzip.compress(draw(texts()), 1)
    elif kind == "zst":
        content = bytes(pa.compress(draw(texts()), codec="zstd", asbytes=True))
    else:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))) as archive:
            for member in draw(st.lists(st.sampled_from(MEMBERS), max_size=3, unique=True)):
                archive.writestr(zipfile.ZipInfo(member) if member else zipfile.ZipInfo("empty"), draw(texts()))
        content = packed.getvalue()
    return name, draw(broken(content))


@st.composite
def broken(draw, content: bytes) -> bytes:
    """Whole as often as not; otherwise cut off, changed in places, or something else altogether."""
    at = draw(st.integers(0, len(content)))
    match draw(st.sampled_from(["whole", "whole", "whole", "cut", "changed", "longer", "other"])):
        case "cut":
            return content[:at]
        case "changed":
            return content[:at] + draw(st.binary(min_size=1, max_size=4)) + content[at + 4 :]
        case "longer":
            return content + draw(st.binary(min_size=1, max_size=20))
        case "other":
            return draw(st.binary(max_size=100))
    return content


@st.composite
def workbooks(draw) -> tuple[str, bytes]:
    written = io.BytesIO()
    options = {"in_memory": True, "strings_to_urls": False, "nan_inf_to_errors": True}
    with xlsxwriter.Workbook(written, options) as book:
        book.set_properties({"created": datetime(2010, 12, 1)})
        for _ in range(draw(st.integers(1, 2))):
            sheet = book.add_worksheet()
            for number, row in enumerate(draw(tables())):
                for place, cell in enumerate(row[:1100]):
                    match (
                        draw(st.sampled_from(["text"] * 8 + ["number", "formula", "date", "truth"]))
                        if place < 8
                        else "text"
                    ):
                        case "number":
                            sheet.write_number(number, place, draw(st.floats(width=32)))
                        case "formula":
                            sheet.write_formula(
                                number, place, draw(st.sampled_from(["=1/0", "=A1", "=SUM(A:A)", "=X("]))
                            )
                        case "date":
                            sheet.write_datetime(number, place, datetime(9999, 12, 31))
                        case "truth":
                            sheet.write_boolean(number, place, boolean=True)
                        case _:
                            sheet.write_string(number, place, cell[:32767])
    return "sales.xlsx", draw(broken(written.getvalue()))


@st.composite
def columns_of(draw, count: int) -> pa.Array:
    kinds = {
        pa.float64(): st.floats(),
        pa.int64(): st.integers(-(2**63), 2**63 - 1),
        pa.uint64(): st.integers(0, 2**64 - 1),
        pa.timestamp("us"): st.datetimes(),
        pa.timestamp("s", tz="UTC"): st.datetimes(),
        pa.date32(): st.dates(),
        pa.bool_(): st.booleans(),
        pa.binary(): st.binary(max_size=5),
        pa.list_(pa.int64()): st.lists(st.integers(0, 9), max_size=2),
        pa.decimal128(38, 4): st.decimals(-(10**33), 10**33, places=4),
        pa.time32("s"): st.times(),
        pa.string(): st.text(max_size=5),
        pa.null(): st.none(),
    }
    kind = draw(st.sampled_from(list(kinds)))
    return pa.array(draw(st.lists(st.none() | kinds[kind], min_size=count, max_size=count)), kind)


@st.composite
def parquet_files(draw) -> tuple[str, bytes]:
    count = draw(st.integers(0, 12))
    table = pa.table(
        {name: [row[at] for row in ROWS[:count]] for at, name in enumerate(HEADER)},
        pa.schema([(name, pa.string()) for name in HEADER]),
    )
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(HEADER) - 1))
        table = table.set_column(
            at, draw(st.sampled_from([HEADER[at], HEADER[at].lower(), "", "x\ny"])), draw(columns_of(count))
        )
    written = io.BytesIO()
    pq.write_table(table, written)
    return "sales.parquet", draw(broken(written.getvalue()))


FILES: dict[str, Callable[[], st.SearchStrategy[tuple[str, bytes]]]] = {
    "text": text_files,
    "packed": packed_files,
    "workbook": workbooks,
    "parquet": parquet_files,
}


def found_in(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


@contextmanager
def folders(monkeypatch: pytest.MonkeyPatch):
    """Where the file lies, and where the temporary folder and the working one are; nothing may be left in any."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as base, monkeypatch.context() as patch:
        folder = Path(base)
        for name in ("a/b/c/temporary", "a/b/c/work"):
            (folder / name).mkdir(parents=True)
        patch.setattr(tempfile, "tempdir", f"{base}/a/b/c/temporary")
        patch.chdir(folder / "a/b/c/work")
        yield folder


def told(error: InputError, name: str) -> None:
    """One sentence or two that name the file and what to do."""
    words = str(error)
    assert name in words and "\n" not in words and len(words) < 1500, words
    assert words.endswith((".", ")")) and REMEDY.search(words.replace(name, "")), words


def check(file: tuple[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    name, content = file
    started = time.process_time()
    with folders(monkeypatch) as base:
        path = base / "a/b" / name
        path.write_bytes(content)
        before = found_in(base)
        try:
            preview(str(path)).to_dict()
        except InputError as error:
            told(error, name)
        assert found_in(base) == before
        try:
            with read_sales(str(path), keep_dropped=True) as sales:
                held = (sales.table.line_type == "sale") & sales.table.holds_until.isnull()
                kept = sales.table.filter(held).to_pyarrow()
                ledger, dropped = sales.ledger, sales.dropped().read_all().num_rows
                customers = features.build_customers(sales.table, as_of=sales.as_of)
        except InputError as error:
            told(error, name)
        else:
            assert ledger.came_in.lines == ledger.left.lines + dropped
            assert ledger.came_in.lines == ledger.left.lines + sum(rule.lines for rule in ledger.rules)
            assert sum(kept["amount_units"].to_pylist()) == ledger.left.units
            assert ledger.came_in.units == ledger.left.units + sum(rule.units for rule in ledger.rules)
            assert len(customers) == len(set(kept["customer_id"].to_pylist())) == ledger.left.customers
        assert found_in(base) == before
    assert time.process_time() - started < BOUND


def fuzz(kind: str, examples: int, monkeypatch: pytest.MonkeyPatch, *, same: bool) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=same,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(FILES[kind]())
    def every(file):
        check(file, monkeypatch)

    every()


@pytest.mark.parametrize("kind", FILES)
def test_broken_files(kind, monkeypatch):
    fuzz(kind, FEW // len(FILES), monkeypatch, same=True)


@pytest.mark.slow
@pytest.mark.parametrize("kind", FILES)
def test_many_broken_files(kind, monkeypatch):
    fuzz(kind, MANY // len(FILES), monkeypatch, same=False)


@pytest.mark.parametrize("kind", ["gz", "zst", "zip"])
def test_bombs(kind, monkeypatch):
    check(("sales.zip" if kind == "zip" else f"sales.csv.{kind}", zeros(kind)), monkeypatch)


#: Tables of the store in which a source leaves something.
STORED = ("snapshots", "runs", "customers", "labels", "jobs")
GOOD = as_text([HEADER, *ROWS], ",", "\n", quoted=True).encode()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cut.csv.gz", gzip.compress(GOOD)[:-20]),
        ("ragged.csv", re.sub(rb",France\n", b"\n", GOOD)),
        ("open.csv", GOOD.replace(b"MUG", b'"MUG')),
        ("zero.csv", GOOD[:200] + b"\0" + GOOD[200:]),
        ("mixed.csv", GOOD.replace(b"MUG 1", "é".encode(), 1) + b"\xe9"),
        ("header.csv", GOOD.splitlines()[0] + b"\n"),
        ("empty.csv", b""),
        ("late.csv", re.sub(rb"2010-12-\d\d", b"9999-12-31", GOOD)),
        ("bomb.zip", None),  # made when its turn comes, as it takes a second
        ("none.xlsx", b"PK\x03\x04 no workbook"),
        ("none.parquet", b"PAR1 no columns PAR1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_broken_file_on_the_command_line_is_exit_code_2_and_nothing_is_stored(tmp_path, monkeypatch, name, content):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(zeros("zip") if content is None else content)
    for command in ("inspect", "run"):
        done = CliRunner(env={"DATABASE_URL": f"sqlite:///{tmp_path}/store.db"}).invoke(main, [command, name])
        assert done.exit_code == 2, done.output
        assert name in done.stderr and "Traceback" not in done.output
    with sqlite3.connect(tmp_path / "store.db") as store:
        kept = [row[0] for row in store.execute("select name from sqlite_master where type = 'table'")]
        assert {"snapshots", "runs"} <= set(kept) or not kept
        assert not any(store.execute(f"select count(*) from {name}").fetchone()[0] for name in kept if name in STORED)
