"""Sales kept with snapshots: stored once, gone with the last that refers to them, whole or absent after accidents."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing.context import ForkServerContext
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import pytest

from storage import Store, open_store
from storage.contract import NotFoundError, StoreError
from storage.contract.objects import ObjectSettings
from storage.objects import ObjectStore
from storage.sql.objects import ObjectVerbs
from tests.storage.samples import Clock, finished_run, sample_customers, sample_snapshot

CONTENT, OTHER = b"PAR1 sales PAR1" * 5000, b"other sales"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where objects are; a source of sales lies beside it."""
    (tmp_path / "sales.parquet").write_bytes(CONTENT)
    (tmp_path / "other.parquet").write_bytes(OTHER)
    return tmp_path / "objects"


@pytest.fixture
def own(url: str, folder: Path) -> Iterator[Store]:
    """A store with objects of its own, whose clock is the real one, as the files' is."""
    store = opened(url, folder)
    yield store
    store.close()


def opened(url: str, folder: Path, **more: Any) -> Store:
    return open_store(url, clock=lambda: datetime.now(UTC), objects=ObjectSettings(str(folder), **more))


def save(store: Store, folder: Path, name: str, sales: str = "sales") -> int:
    new, file = sample_snapshot(fingerprint=name), folder.with_name(f"{sales}.parquet")
    return store.save_snapshot(new, sample_customers(5), sales=file).id


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def read(store: Store, snapshot_id: int) -> bytes:
    with store.sales(snapshot_id) as path:
        return path.read_bytes()


def make_old(path: Path, age: timedelta) -> None:
    moment = (datetime.now(UTC) - age).timestamp()
    os.utime(path, (moment, moment))


def test_sales_are_stored_once_and_go_with_the_last_snapshot(own: Store, folder: Path):
    first, second, third = save(own, folder, "1"), save(own, folder, "2"), save(own, folder, "3", "other")
    assert [read(own, each) for each in (first, second, third)] == [CONTENT, CONTENT, OTHER]
    assert own.snapshot(first).sales == own.snapshot(second).sales == files_of(own, first)
    assert len(files(folder)) == 2
    own.delete_snapshot(first)
    assert read(own, second) == CONTENT
    own.delete_snapshot(second)
    assert [path.read_bytes() for path in files(folder)] == [OTHER]
    own.delete_snapshot(third)
    assert files(folder) == []


def files_of(store: Store, snapshot_id: int) -> str:
    with store.sales(snapshot_id) as path:
        return path.name


def test_a_snapshot_without_sales_says_so_and_is_given_them_when_it_is_read_anew(own: Store, folder: Path):
    bare = own.save_snapshot(sample_snapshot(fingerprint="1"), sample_customers(5))
    assert bare.sales is None
    with pytest.raises(NotFoundError, match=rf"No sales are kept with snapshot {bare.id} \(Teas & Co\)"):
        read(own, bare.id)
    with pytest.raises(NotFoundError, match="no snapshot 99"):
        read(own, 99)
    assert save(own, folder, "1") == bare.id
    assert read(own, bare.id) == CONTENT
    assert save(own, folder, "1", "other") == bare.id
    assert read(own, bare.id) == CONTENT, "what is whole stays"


def test_sales_can_be_kept_with_a_snapshot_later(own: Store, folder: Path):
    bare = own.save_snapshot(sample_snapshot(fingerprint="1"), sample_customers(5))
    assert not own.has_sales(bare.id)
    assert own.keep_sales(bare.id, None) == bare
    kept = own.keep_sales(bare.id, folder.with_name("sales.parquet"))
    assert (kept.id, kept.sales, own.has_sales(bare.id)) == (bare.id, files(folder)[0].name, True)
    assert own.keep_sales(bare.id, folder.with_name("other.parquet")) == kept
    files(folder)[0].write_bytes(b"!" + CONTENT[1:])
    assert not own.has_sales(bare.id)
    own.keep_sales(bare.id, folder.with_name("other.parquet"))
    assert (read(own, bare.id), len(files(folder))) == (OTHER, 1)


def test_nothing_is_kept_where_the_configuration_says_so(url: str, folder: Path):
    store = opened(url, folder, keep=False)
    with pytest.raises(NotFoundError, match=r"\[objects\] keep = true"):
        read(store, save(store, folder, "1"))
    assert files(folder) == []
    store.close()


@pytest.mark.parametrize("state", ["missing", "altered"])
def test_sales_that_are_not_what_was_stored_are_one_sentence_and_mended_by_reading_anew(
    own: Store, folder: Path, state: str
):
    number = save(own, folder, "1")
    (file,) = files(folder)
    file.unlink() if state == "missing" else file.write_bytes(b"!" + CONTENT[1:])
    said = rf"kept with snapshot {number} \(Teas & Co\) are {state} in .*objects; read its source anew"
    with pytest.raises(StoreError, match=said):
        read(own, number)
    assert save(own, folder, "1", "other") == number
    assert (read(own, number), len(files(folder))) == (OTHER, 1)


def test_workspaces_share_nothing_and_databases_may_share_a_folder(own: Store, folder: Path, tmp_path: Path):
    others = [
        open_store(url, clock=Clock(), workspace=name, objects=ObjectSettings(str(folder)))
        for url, name in (
            (f"sqlite:///{tmp_path / 'second.db'}", "default"),
            (f"sqlite:///{tmp_path / 'second.db'}", "b"),
        )
    ]
    mine = save(own, folder, "1")
    theirs = [save(store, folder, "1") for store in others]
    assert len(files(folder)) == 3
    own.sweep_objects()
    own.delete_snapshot(mine)
    for store, number in zip(others, theirs, strict=True):
        assert read(store, number) == CONTENT
        store.close()


def test_a_save_that_fails_leaves_no_file(own: Store, folder: Path):
    source = folder.with_name("sales.parquet")
    with pytest.raises(Exception, match="name of a check has 1 to 200"):
        own.save_snapshot(sample_snapshot(), sample_customers(5), {"": {}}, sales=source)
    _, run, result = finished_run(own, sample_customers(5))
    again = own.start_run(run.snapshot_id, "e", {}, lease_seconds=60)
    twice = result.segments + result.segments[:1]
    with pytest.raises(Exception, match=r"(?i)unique"):
        own.finish_run(again.id, type(result)(**{**vars(result), "segments": twice}), seconds=1, info={}, model=b"m")
    assert files(folder) == []


def test_what_nothing_refers_to_is_swept_when_it_is_old(own: Store, folder: Path):
    number = save(own, folder, "1")
    own._objects.put(OTHER, "sales")
    own._objects.put(b"model", "model")
    assert own.sweep_objects() == 0, "somebody may be about to refer to them"
    for path in files(folder):
        make_old(path, timedelta(hours=2))
    assert own.sweep_objects() == 2
    assert read(own, number) == CONTENT
    part = files(folder)[0].with_name("half.part")
    part.touch()
    make_old(part, timedelta(hours=2))
    own._objects.put(OTHER, "sales")
    make_old(next(path for path in files(folder) if path.stat().st_size == len(OTHER)), timedelta(hours=2))
    save(own, folder, "2")
    assert len(files(folder)) == 2, "a save sweeps too; an unfinished file is left for a day"
    make_old(part, timedelta(days=2))
    own.sweep_objects()
    assert len(files(folder)) == 1


# --- accidents and races, in processes of their own ------------------------------------------------------------------


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    """Makes processes that are forked from one that has loaded everything."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def after(function: Callable[..., Any], then: Callable[[], object]) -> Callable[..., Any]:
    def both(*args: Any, **more: Any) -> Any:
        found = function(*args, **more)
        then()
        return found

    return both


#: Where a process is killed: what is replaced in it, and by what.
SAVING: dict[str, tuple[Any, str, Callable[[Any], Any]]] = {
    "before the file is on the disk": (os, "fsync", lambda _: die),
    "before the file has its name": (Path, "replace", lambda _: die),
    "before anything refers to it": (ObjectVerbs, "_refer", lambda _: die),
    "before the commit": (ObjectVerbs, "_refer", lambda real: after(real, die)),
    "after the commit": (ObjectVerbs, "sweep_objects", lambda _: die),
}
DELETING: dict[str, tuple[Any, str, Callable[[Any], Any]]] = {
    "before the file goes": (ObjectStore, "delete", lambda _: die),
    "before its row goes": (ObjectStore, "delete", lambda real: after(real, die)),
}


def saves(url: str, folder: Path, where: str) -> None:
    owner, name, made = SAVING[where]
    store = opened(url, folder)
    setattr(owner, name, made(getattr(owner, name)))
    save(store, folder, "killed")


def deletes(url: str, folder: Path, where: str, number: int) -> None:
    owner, name, made = DELETING[where]
    store = opened(url, folder)
    setattr(owner, name, made(getattr(owner, name)))
    store.delete_snapshot(number)


def killed(process: Any) -> None:
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL


def test_killed_while_it_saves(own: Store, url: str, folder: Path, processes: ForkServerContext):
    for where in SAVING:
        killed(processes.Process(target=saves, args=(url, folder, where)))
        there = own.snapshots()
        assert (where, [read(own, each.id) for each in there]) == (
            where,
            [CONTENT] if where == "after the commit" else [],
        )
        for path in files(folder):
            make_old(path, timedelta(days=2))
        own.sweep_objects()
        assert (where, len(files(folder))) == (where, len(there))
        # and nobody is in the way of the same save
        number = save(own, folder, "killed")
        assert read(own, number) == CONTENT
        own.delete_snapshot(number)
        assert files(folder) == []


def test_killed_while_it_deletes(own: Store, url: str, folder: Path, processes: ForkServerContext):
    for where in DELETING:
        killed(processes.Process(target=deletes, args=(url, folder, where, save(own, folder, "1"))))
        assert own.snapshots() == []
        # the row that is left does no harm, and goes
        number = save(own, folder, "2")
        assert read(own, number) == CONTENT
        own.delete_snapshot(number)
        assert files(folder) == []
        killed(processes.Process(target=deletes, args=(url, folder, where, save(own, folder, "1"))))
        own.sweep_objects()
        assert files(folder) == []


@contextmanager
def waiting(here: Event, go: Event) -> Iterator[Callable[[], None]]:
    def wait() -> None:
        here.set()
        assert go.wait(60)

    yield wait


def saves_when_told(url: str, folder: Path, here: Event, go: Event) -> None:
    """Saves a snapshot, and waits when its file is put and nothing refers to it yet."""
    store, real = opened(url, folder), ObjectStore.put
    with ExitStack() as stack:
        ObjectStore.put = after(real, stack.enter_context(waiting(here, go)))  # type: ignore[method-assign]
        save(store, folder, "late")
    store.close()


def deletes_when_told(url: str, folder: Path, number: int, here: Event, go: Event) -> None:
    """Deletes a snapshot, and waits when the file is gone and its row still held."""
    store, real = opened(url, folder), ObjectStore.delete
    with ExitStack() as stack:
        ObjectStore.delete = after(real, stack.enter_context(waiting(here, go)))  # type: ignore[method-assign]
        store.delete_snapshot(number)
    store.close()


def ends(process: Any) -> None:
    process.join(60)
    assert process.exitcode == 0


def test_the_last_reference_goes_while_another_process_saves_the_same(
    own: Store, url: str, folder: Path, processes: ForkServerContext
):
    number, here, go = save(own, folder, "1"), processes.Event(), processes.Event()
    saving = processes.Process(target=saves_when_told, args=(url, folder, here, go))
    saving.start()
    assert here.wait(60)
    own.delete_snapshot(number)
    assert files(folder) == []
    go.set()
    ends(saving)
    (late,) = own.snapshots()
    assert read(own, late.id) == CONTENT


def test_the_same_is_saved_while_another_process_deletes_the_file(
    own: Store, url: str, folder: Path, processes: ForkServerContext
):
    number, here, go, put, on = save(own, folder, "1"), *(processes.Event() for _ in range(4))
    saving = processes.Process(target=saves_when_told, args=(url, folder, put, on))
    saving.start()
    assert put.wait(60)
    deleting = processes.Process(target=deletes_when_told, args=(url, folder, number, here, go))
    deleting.start()
    assert here.wait(60)
    on.set()  # its transaction waits for the row that the other holds
    saving.join(0.5)
    assert saving.exitcode is None
    go.set()
    ends(deleting)
    ends(saving)
    (late,) = own.snapshots()
    assert read(own, late.id) == CONTENT


def turns(url: str, folder: Path, name: str) -> None:
    """Saves and deletes again and again; sales of its own snapshot are always there."""
    store = opened(url, folder)
    for turn in range(12):
        number = save(store, folder, f"{name} {turn}")
        if turn % 3 == 0:
            store.sweep_objects()
        assert read(store, number) == CONTENT
        store.delete_snapshot(number)
    store.close()


def test_processes_that_save_and_delete_the_same_at_once(
    own: Store, url: str, folder: Path, processes: ForkServerContext
):
    busy = [processes.Process(target=turns, args=(url, folder, str(number))) for number in range(2)]
    for process in busy:
        process.start()
    for process in busy:
        ends(process)
    assert (own.snapshots(), files(folder)) == ([], [])
