"""Downloads of lists, each recorded as it begins and as it ends, whole or broken off."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from typing import Any
from urllib.parse import urlencode

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from dashboard.exports.files import MEDIA_TYPES, Stream
from storage import Store
from storage.contract import Selection
from storage.contract.exports import ControlGroup


def send(
    stream: Stream,
    store: Store,
    run_id: int,
    name: str,
    *,
    selection: Selection | None = None,
    user: str | None = None,
    control: ControlGroup | None = None,
    about: Mapping[str, Any],
) -> Download:
    """The answer that carries a list, under a file name in ASCII; it is on record from here on.

    ``about``: ``list`` (what kind of list it is) and ``query`` (what else was asked of the route).
    """
    begun = store.begin_export(
        run_id,
        urlencode(selection.to_query()) if selection else "",
        format=stream.kind,
        user=user,
        columns=stream.columns,
        control=control,
        about={"version": version("segmentry"), "file": name, **about},
    )

    def ended() -> None:
        store.end_export(begun.id, rows=stream.rows, size=stream.size, sha256=stream.sha256)

    return Download(stream, name, ended)


class Download(StreamingResponse):
    """A file that flows. ``ended`` is called once: after the last piece was handed over, or when nobody takes more."""

    def __init__(self, stream: Stream, name: str, ended: Callable[[], object]) -> None:
        self._stream, self._ended, self._is_reported = stream, ended, False
        super().__init__(
            self._pieces(),
            media_type=MEDIA_TYPES[stream.kind],
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def _pieces(self) -> Iterator[bytes]:
        yield from self._stream
        self._tell()

    def _tell(self) -> None:
        if not self._is_reported:
            self._is_reported = True
            self._stream.close()
            self._ended()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; whatever stops that on the way, the list is not on record as whole."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await run_in_threadpool(self._tell)
