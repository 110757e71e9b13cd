"""Reading ahead: while one part of a list is written, the next is read from the database already."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from queue import Full, Queue
from threading import Event, Thread
from typing import Protocol, TypeVar

_Part_co = TypeVar("_Part_co", covariant=True)
_AHEAD = 2  # parts
_PATIENCE = 0.2  # seconds between two looks whether anybody still wants more


class Parts(Protocol[_Part_co]):
    """What gives parts one by one, and can be told that no more are wanted: a generator, a reader of batches."""

    def __iter__(self) -> Iterator[_Part_co]:
        """The parts."""

    def close(self) -> object:
        """No more."""


def read_ahead(parts: Parts[_Part_co]) -> Generator[_Part_co]:
    """The parts, made by a thread of its own that is at most a few of them ahead, and then closed.

    What goes wrong there is raised here. Whoever stops early ends the thread, and only then goes on.
    """
    ready: Queue[tuple[_Part_co] | BaseException | None] = Queue(_AHEAD)
    enough = Event()

    def hand_over(item: tuple[_Part_co] | BaseException | None) -> None:
        while not enough.is_set():
            try:
                return ready.put(item, timeout=_PATIENCE)
            except Full:
                continue

    def read() -> None:
        try:
            for part in parts:
                hand_over((part,))
                if enough.is_set():
                    break
            hand_over(None)
        except BaseException as error:  # noqa: BLE001 - it is raised where the parts are taken
            hand_over(error)
        finally:
            parts.close()

    thread = Thread(target=read, name="read-ahead", daemon=True)
    thread.start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item[0]
    finally:
        enough.set()
        thread.join()
