"""Reading ahead: while one part of a list is written, the next is read from the database already."""

from __future__ import annotations

from collections.abc import Iterator
from queue import Full, Queue
from threading import Event, Thread

import pyarrow as pa

_AHEAD = 2  # batches
_PATIENCE = 0.2  # seconds between two looks whether anybody still wants more


def read_ahead(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """The batches of a reader, read by a thread of its own that is at most a few batches ahead, and then closed.

    What goes wrong there is raised here. Whoever stops early ends the thread, and only then goes on.
    """
    batches: Queue[pa.RecordBatch | BaseException | None] = Queue(_AHEAD)
    enough = Event()

    def hand_over(item: pa.RecordBatch | BaseException | None) -> None:
        while not enough.is_set():
            try:
                return batches.put(item, timeout=_PATIENCE)
            except Full:
                continue

    def read() -> None:
        try:
            for batch in reader:
                hand_over(batch)
                if enough.is_set():
                    break
            hand_over(None)
        except BaseException as error:  # noqa: BLE001 - it is raised where the batches are taken
            hand_over(error)
        finally:
            reader.close()

    thread = Thread(target=read, name="read-ahead", daemon=True)
    thread.start()
    try:
        while (item := batches.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        enough.set()
        thread.join()
