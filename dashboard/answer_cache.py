"""Keeps answers that took long, so that whoever asks next need not wait; bounded, and safe to use from threads."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class Kept(Generic[Answer]):
    """The answers asked for last, by what was asked."""

    def __init__(self, size: int = 64) -> None:
        self._size = size
        self._answers: OrderedDict[Hashable, Answer] = OrderedDict()
        self._making: dict[Hashable, Lock] = {}
        self._lock = Lock()

    def known(self, asked: Hashable) -> Answer | None:
        """The answer, if it is there already."""
        with self._lock:
            if asked not in self._answers:
                return None
            self._answers.move_to_end(asked)
            return self._answers[asked]

    def get(self, asked: Hashable, make: Callable[[], Answer]) -> Answer:
        """The answer, made if need be; who asks for the same meanwhile waits for it. An error is not kept."""
        with self._lock:
            making = self._making.setdefault(asked, Lock())
        with making:
            answer = self.known(asked)
            if answer is None:
                try:
                    answer = make()
                finally:
                    with self._lock:
                        self._making.pop(asked, None)
                with self._lock:
                    self._answers[asked] = answer
                    while len(self._answers) > self._size:
                        self._answers.popitem(last=False)
            return answer
