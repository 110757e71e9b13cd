"""Cache for answers that are dear to work out: bounded in number and in age, safe to use from several threads."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from threading import Condition
from typing import Generic, TypeVar

import cachetools

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Cache(Generic[Key, Value]):
    """The values used last: at most ``size`` of them, none older than ``seconds``."""

    def __init__(self, size: int = 64, seconds: float = math.inf) -> None:
        self._values: cachetools.TTLCache[Key, Value] = cachetools.TTLCache(size, seconds)
        self._condition = Condition()
        self._made = cachetools.cached(self._values, key=lambda key, make: key, condition=self._condition)(
            lambda key, make: make()
        )

    def get(self, key: Key, make: Callable[[], Value]) -> Value:
        """The value, made if need be; who asks for the same meanwhile waits for it. An error is not kept."""
        value: Value = self._made(key, make)
        return value

    def cached(self, key: Key) -> Value | None:
        """The value, if it is there already."""
        with self._condition:
            return self._values.get(key)
