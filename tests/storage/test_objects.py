"""The object store in a folder: whole files of our own alone, found by their content."""

from __future__ import annotations

import hashlib
import os
import resource
import stat
from datetime import UTC, datetime, timedelta
from importlib import util
from pathlib import Path

import pytest

from storage.contract import StoreError
from storage.contract.objects import ObjectSettings, StoredObject
from storage.objects import FOLDER, BrokenObjectError, ObjectStore

CONTENT = bytes(range(256)) * 8192  # 2 MB
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    return ObjectStore(ObjectSettings(), tmp_path, "w1")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(CONTENT)
    return path


def files(folder: Path) -> dict[str, int]:
    """All files of a folder with their modes."""
    return {
        str(path.relative_to(folder)): stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*") if path.is_file()
    }


def test_a_file_comes_back_by_its_content_and_nobody_else_may_read_it(objects, source, tmp_path):
    before = os.umask(0)
    try:
        stored = objects.put(source, "sales")
    finally:
        os.umask(before)
    assert stored == StoredObject("sales", DIGEST, len(CONTENT))
    with objects.fetch(stored) as path:
        assert path.read_bytes() == CONTENT
    assert files(tmp_path / FOLDER) == {f"w1/sales/{DIGEST}": 0o600}
    folders = [tmp_path / FOLDER, tmp_path / FOLDER / "w1", tmp_path / FOLDER / "w1" / "sales"]
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in folders] == [0o700] * 3
    assert (objects.exists(stored), objects.exists(StoredObject("model", DIGEST, len(CONTENT)))) == (True, False)
    assert [item[:2] for item in objects.listed()] == [("sales", DIGEST)]
    objects.delete("sales", DIGEST)
    objects.delete("sales", DIGEST)
    assert files(tmp_path / FOLDER) == {}
    assert objects.listed() == []


def test_the_same_is_stored_once_in_a_workspace_and_never_shared_with_another(objects, source, tmp_path):
    stored = objects.put(source, "sales")
    with objects.fetch(stored) as path:
        inode = path.stat().st_ino
    assert objects.put(CONTENT, "sales") == stored
    assert Path(path).stat().st_ino == inode
    other = ObjectStore(ObjectSettings(), tmp_path, "w2")
    assert not other.exists(stored)
    other.put(source, "sales")
    other.delete("sales", DIGEST)
    assert objects.is_whole(stored)


@pytest.mark.parametrize("model", [b"", b"\x00model"])
def test_bytes_are_stored_as_files_are(objects, model):
    stored = objects.put(model, "model")
    with objects.fetch(stored) as path:
        assert path.read_bytes() == model


def test_what_is_missing_or_altered_is_not_given_out_and_is_mended_by_storing_it_again(objects, source):
    stored = objects.put(source, "sales")
    with objects.fetch(stored) as path:
        pass
    for spoil in (lambda: path.write_bytes(b"!" + CONTENT[1:]), lambda: path.write_bytes(CONTENT[:-1])):
        spoil()
        with pytest.raises(BrokenObjectError, match="altered"), objects.fetch(stored):
            pass
        objects.put(source, "sales")
        assert objects.is_whole(stored)
    path.unlink()
    with pytest.raises(BrokenObjectError, match="missing"), objects.fetch(stored):
        pass


def test_a_disk_that_is_full_leaves_nothing(objects, source, tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024 * 1024, limits[1]))  # as on a full disk: a file grows no further
    try:
        with pytest.raises(StoreError, match=r"no space is left\. Free some disk space") as caught:
            objects.put(source, "sales")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert str(tmp_path / FOLDER) in str(caught.value)
    assert files(tmp_path / FOLDER) == {}
    assert objects.is_whole(objects.put(source, "sales"))


def test_a_folder_that_cannot_be_used_is_named(source, tmp_path):
    objects = ObjectStore(ObjectSettings(str(source)), tmp_path, "w1")
    with pytest.raises(StoreError, match=r"source cannot be used: Not a directory\. Check the folder"):
        objects.put(b"model", "model")


def test_unfinished_files_are_removed_when_they_are_old(objects, tmp_path):
    objects.put(b"model", "model")
    part = tmp_path / FOLDER / "w1" / "sales" / "abc.part"
    part.parent.mkdir()
    part.write_bytes(b"half")
    strange = part.with_name("notes.txt")
    strange.write_bytes(b"somebody's")
    now = datetime.now(UTC)
    objects.remove_unfinished(now - timedelta(hours=1))
    assert part.exists()
    assert [item.kind for item in objects.listed()] == ["model"]
    objects.remove_unfinished(now + timedelta(hours=1))
    assert (part.exists(), strange.exists(), len(objects.listed())) == (False, True, 1)


@pytest.mark.parametrize(
    ("url", "folder"),
    [("", "beside/segmentry-objects"), ("{}/kept", "kept"), ("file://{}/a%20b", "a b")],
)
def test_a_folder_is_named_or_lies_beside_the_database(tmp_path, url, folder):
    objects = ObjectStore(ObjectSettings(url.format(tmp_path)), tmp_path / "beside", "w1")
    assert objects.shown == str(tmp_path / folder)


@pytest.mark.parametrize(
    ("url", "endpoint", "said"),
    [
        ("gs://bucket", "", "of the kind 'gs'; give a folder or s3://BUCKET/PREFIX"),
        ("s3://", "", "cannot be read"),
        ("s3://AKIAKEY:hunter2@bucket", "", "Keys come from the environment"),
        ("s3://bucket", "http://AKIAKEY:hunter2@host", "Keys come from the environment"),
        ("s3://bucket", "host:9000", "is written http://HOST:PORT"),
        ("", "http://host:9000", "endpoint is for s3:// alone"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_without_repeating_a_secret(tmp_path, url, endpoint, said):
    with pytest.raises(StoreError) as caught:
        ObjectStore(ObjectSettings(url, endpoint), tmp_path, "w1")
    assert said in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_bucket_without_the_extra_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr("storage.objects.find_spec", lambda name: None if name == "s3fs" else util.find_spec(name))
    with pytest.raises(StoreError, match=r"need s3fs, which is not installed; install .* segmentry\[s3\]"):
        ObjectStore(ObjectSettings("s3://bucket"), tmp_path, "w1")
