"""Packed files: the same lines, never out of their folder, never without bounds."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from engines.errors import InputError
from engines.intake import read_sales
from engines.intake.sources import archives
from tests.engines.intake.sales_files import ROWS, fingerprint, lines, text, zipped, zstd


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    path = tmp_path / "sales.csv"
    path.write_text(text(), encoding="utf-8")
    return path


# --- packed ----------------------------------------------------------------------------------------------------------
def test_packed_files_are_the_same_source(tmp_path, plain):
    content = plain.read_bytes()
    for name, packed in {
        "a.csv.gz": gzip.compress(content),
        "b.csv.gz": gzip.compress(content[:900], mtime=1) + gzip.compress(content[900:]),  # two members, as logs have
        "c.csv.zst": zstd(content),
        "d.txt.zst": zstd(content[:900]) + zstd(content[900:]),
    }.items():
        (tmp_path / name).write_bytes(packed)
        assert lines(tmp_path / name) == lines(plain), name
        assert fingerprint(tmp_path / name) == fingerprint(plain), name
    archive = zipped(tmp_path / "e.zip", {"x/sales.csv": content})
    assert lines(archive) == lines(plain)
    assert fingerprint(archive) == fingerprint(plain)


def test_a_zip_of_several_files_of_one_shape(tmp_path, plain):
    first, second = (text(part).encode() for part in (ROWS[:15], ROWS[15:]))
    archive = zipped(
        tmp_path / "sales.zip",
        {"2.csv": second, "1.csv": first, "read me.pdf": b"%PDF", "__MACOSX/._1.csv": b"\0", "folder/.DS_Store": b""},
    )
    assert lines(archive) == lines(plain)
    with read_sales(str(archive)) as sales:
        assert sales.notes[0] == "2 files were read as one."
        assert "read me.pdf" in sales.notes[1]
    zipped(archive, {"1.csv": first, "2.csv": second.replace(b"2024-01-11", b"soon")})
    with pytest.raises(InputError, match=r"line \d+ of sales\.zip/2\.csv"):
        lines(archive, unreadable_lines=0)


def test_an_archive_never_chooses_where_it_is_unpacked(tmp_path, plain):
    names = ["../../evil.csv", "/tmp/evil-segmentry.csv", "..\\evil.csv", "a/../../../evil.csv", "line\nend.csv"]
    archive = zipped(tmp_path / "sales.zip", {name: text([ROWS[n]]).encode() for n, name in enumerate(names)})
    before = set(tmp_path.parent.rglob("*"))
    assert len(lines(archive)) == len(names)
    assert set(tmp_path.parent.rglob("*")) == before
    assert not Path("/tmp/evil-segmentry.csv").exists()


def encrypted(content: bytes) -> bytes:
    """A zip whose only member says that it is encrypted."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.csv", content)
    data = bytearray(out.getvalue())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def test_bad_archives_give_one_clear_sentence(tmp_path, monkeypatch, plain):
    content = plain.read_bytes() * 20
    whole = zipped(tmp_path / "whole.zip", {"a.csv": content}).read_bytes()
    broken = bytearray(whole)
    broken[60] ^= 0xFF
    bomb = text().encode() + b"1,2,3,4,5\n" * 2_000_000
    monkeypatch.setattr(archives, "ALWAYS", 1 << 20)
    bad = {
        "cut.zip": (whole[:-40], "not a whole zip file"),
        "broken.zip": (bytes(broken), "not a whole zip file"),
        "noise.zip": (b"noise" * 100, "not a whole zip file"),
        "secret.zip": (encrypted(content), "protected with a password"),
        "cut.csv.zst": (zstd(content)[:-10], "not a whole Zstandard file"),
        "noise.csv.zst": (content, "not a whole Zstandard file"),
        "cut.csv.gz": (gzip.compress(content)[:-9], "not a whole gzip file"),
        "tar.tar.gz": (gzip.compress(content), "archive within an archive"),
        "a.csv.zip.gz": (gzip.compress(whole), "archive within an archive"),
        "a.7z": (content, "files of this kind"),
        "bomb.csv.gz": (gzip.compress(bomb, 9), "unpacks to far more than sales would"),
        "bomb.csv.zst": (zstd(bomb), "unpacks to far more than sales would"),
    }
    for name, (data, says) in bad.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError, match=says) as caught:
            lines(tmp_path / name)
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)
    for name, files, says in (
        ("nested.zip", {"inner.zip": whole}, r"archive within the archive \(inner\.zip\)"),
        ("nested2.zip", {"a.csv.gz": b"x"}, r"archive within the archive \(a\.csv\.gz\)"),
        ("nothing.zip", {"a.pdf": b"x"}, "holds no file that can be read"),
        ("bomb.zip", {"a.csv": bomb}, "unpacks to far more than sales would"),
        ("bomb.xlsx", {"xl/worksheets/sheet1.xml": b" " * 10_000_000}, "unpacks to far more than sales would"),
    ):
        with pytest.raises(InputError, match=says):
            lines(zipped(tmp_path / name, files))
    monkeypatch.setattr(archives, "MEMBERS", 3)
    with pytest.raises(InputError, match="at most 3"):
        lines(zipped(tmp_path / "many.zip", {f"{n}.csv": content for n in range(4)}))
