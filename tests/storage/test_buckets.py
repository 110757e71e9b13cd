"""The object store in a bucket, against a real server of the S3 protocol on the loopback."""

from __future__ import annotations

import stat
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest

from storage import open_store
from storage.contract import StoreError
from storage.contract.objects import ObjectSettings
from storage.objects import BrokenObjectError, ObjectStore
from tests.conftest import free_port
from tests.storage.samples import Clock, finished_run, sample_customers, sample_snapshot, unpublish

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
CONTENT = bytes(range(256)) * 512


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    from moto.server import ThreadedMotoServer  # here and below, as loading them takes seconds

    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def endpoint(server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The server with an empty bucket named ``shop``."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    httpx2.post(f"{server}/moto-api/reset").raise_for_status()
    client(server).create_bucket(Bucket="shop")
    return server


def client(endpoint: str):
    import boto3

    return boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")


def keys(endpoint: str) -> list[str]:
    return [item["Key"] for item in client(endpoint).list_objects_v2(Bucket="shop").get("Contents", [])]


def bucket(endpoint: str, url: str = "s3://shop/some/prefix") -> ObjectStore:
    return ObjectStore(ObjectSettings(url, endpoint), Path(), "w1")


def test_a_file_comes_back_as_a_copy_of_ones_own(endpoint: str, tmp_path: Path):
    objects, source = bucket(endpoint), tmp_path / "source"
    source.write_bytes(CONTENT)
    stored = objects.put(source, "sales")
    assert keys(endpoint) == [f"some/prefix/w1/sales/{stored.digest}"]
    with objects.fetch(stored) as path:
        assert path.read_bytes() == CONTENT
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()
    assert objects.put(source, "sales") == stored
    assert (objects.exists(stored), objects.is_whole(stored)) == (True, True)
    model = objects.put(b"", "model")
    assert [item[:2] for item in objects.listed()] == [("model", model.digest), ("sales", stored.digest)]
    objects.delete("sales", stored.digest)
    objects.delete("sales", stored.digest)
    assert (objects.exists(stored), len(keys(endpoint))) == (False, 1)


def test_what_is_missing_or_altered_is_not_given_out_and_is_mended_by_storing_it_again(endpoint: str, tmp_path: Path):
    objects = bucket(endpoint)
    stored = objects.put(CONTENT, "sales")
    (key,) = keys(endpoint)
    client(endpoint).put_object(Bucket="shop", Key=key, Body=b"!" + CONTENT[1:])
    with pytest.raises(BrokenObjectError, match="altered"), objects.fetch(stored):
        pass
    objects.put(CONTENT, "sales")
    assert objects.is_whole(stored)
    client(endpoint).delete_object(Bucket="shop", Key=key)
    with pytest.raises(BrokenObjectError, match="missing"), objects.fetch(stored):
        pass


def test_an_upload_in_parts_is_not_there_before_it_is_complete_and_is_swept(endpoint: str):
    objects, s3 = bucket(endpoint), client(endpoint)
    mine = s3.create_multipart_upload(Bucket="shop", Key=f"some/prefix/w1/sales/{'0' * 64}")
    s3.create_multipart_upload(Bucket="shop", Key="another/upload")
    s3.upload_part(Bucket="shop", Key=mine["Key"], UploadId=mine["UploadId"], PartNumber=1, Body=CONTENT)
    assert objects.listed() == []

    def unfinished() -> list[str]:
        return [item["Key"] for item in s3.list_multipart_uploads(Bucket="shop").get("Uploads", [])]

    assert len(unfinished()) == 2
    objects.remove_unfinished(datetime(2000, 1, 1, tzinfo=UTC))
    assert len(unfinished()) == 2
    objects.remove_unfinished(datetime.now(UTC) + timedelta(days=20_000))
    assert unfinished() == ["another/upload"]


def test_a_big_file_goes_up_in_parts(endpoint: str, tmp_path: Path):
    source = tmp_path / "big"
    with source.open("wb") as file:
        file.truncate(120 * 1024 * 1024)  # s3fs makes parts of 50 MB
    objects = bucket(endpoint)
    stored = objects.put(source, "sales")
    (found,) = client(endpoint).list_objects_v2(Bucket="shop")["Contents"]
    assert found["ETag"].strip('"').endswith("-3")
    assert objects.exists(stored)


def refused(objects: ObjectStore) -> str:
    """What every verb says."""
    begun = time.monotonic()
    said = set()
    for verb in (lambda: objects.put(CONTENT, "sales"), objects.listed):
        with pytest.raises(StoreError) as caught:
            verb()
        said.add(str(caught.value))
        assert caught.value.__suppress_context__
    assert time.monotonic() - begun < 60
    (sentence,) = said
    assert not any(secret in sentence for secret in (KEY, SECRET, "hunter2"))
    return sentence


def test_wrong_credentials_are_one_sentence_without_them(endpoint: str, monkeypatch: pytest.MonkeyPatch):
    httpx2.post(f"{endpoint}/moto-api/reset-auth", content="0").raise_for_status()  # from here on keys are checked
    try:
        said = refused(bucket(endpoint))
    finally:
        httpx2.post(f"{endpoint}/moto-api/reset-auth", content="1e9").raise_for_status()
    assert said.startswith(f"The object store s3://shop/some/prefix at {endpoint} cannot be used: access was refused.")
    assert "AWS_SECRET_ACCESS_KEY" in said
    assert keys(endpoint) == []


def test_no_credentials_at_all(endpoint: str, monkeypatch: pytest.MonkeyPatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    assert "no credentials were found. Set AWS_ACCESS_KEY_ID" in refused(bucket(endpoint))


def test_no_such_bucket(endpoint: str):
    with pytest.raises(StoreError, match=r"there is no such bucket\. Create it"):
        bucket(endpoint, "s3://nobody").put(CONTENT, "sales")


def test_nobody_answers(endpoint: str):
    assert "does not answer as it should" in refused(bucket(f"http://127.0.0.1:{free_port()}"))


def test_snapshots_and_runs_have_their_files_there(endpoint: str, tmp_path: Path):
    source = tmp_path / "source"
    source.write_bytes(CONTENT)
    kept = ObjectSettings("s3://shop", endpoint)
    store = open_store(f"sqlite:///{tmp_path / 'shop.db'}", clock=Clock(), objects=kept)
    snapshot, _, result = finished_run(store, sample_customers(5), sales=source)
    again = store.save_snapshot(sample_snapshot(fingerprint="again"), sample_customers(5), sales=source)
    run = store.start_run(snapshot.id, "e", {}, lease_seconds=60)
    store.finish_run(run.id, result, seconds=1, info={}, model=b"model")
    assert len(keys(endpoint)) == 2
    with store.sales(again.id) as path:
        assert path.read_bytes() == CONTENT
    assert store.model(run.id) == b"model"
    unpublish(store)
    store.delete_snapshot(snapshot.id)
    assert [key.split("/")[1] for key in keys(endpoint)] == ["sales"]
    store.delete_snapshot(again.id)
    assert keys(endpoint) == []
    client(endpoint).delete_bucket(Bucket="shop")
    with pytest.raises(StoreError, match="no such bucket"):
        store.save_snapshot(sample_snapshot(), sample_customers(5), sales=source)
    assert store.snapshots() == []
    store.close()
