"""Counts wrong passwords, so that nobody can try many."""

from __future__ import annotations

import time
from collections.abc import Callable

from cachetools import TTLCache


class Throttle:
    """Counts wrong passwords per client: after ``limit`` within ``window`` seconds it asks for a pause.

    Each web process counts for itself; at most ``remembered`` clients are kept in mind.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        *,
        limit: int = 10,
        window: float = 60.0,
        remembered: int = 10_000,
    ) -> None:
        self._clock, self._limit, self._window = clock, limit, window
        #: Moments of wrong passwords by client; an entry lives for one window from its first moment on.
        self._failures: TTLCache[str, list[float]] = TTLCache(remembered, window, timer=clock)

    def wait_for(self, client: str) -> float:
        """Seconds until this client may try again; 0 when it may try now."""
        moments = self._failures.get(client, [])
        return max(0.0, moments[0] + self._window - self._clock()) if len(moments) >= self._limit else 0.0

    def failed(self, client: str) -> None:
        """Note a wrong password."""
        self._failures.setdefault(client, []).append(self._clock())

    def passed(self, client: str) -> None:
        """Forget a client that knew the password."""
        self._failures.pop(client, None)
