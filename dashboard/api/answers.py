"""What all routes share: answers as JSON, and the user name that a request came with."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import numpy as np
from fastapi import Request
from starlette.responses import JSONResponse

from dashboard.pipeline.request import user_of

PAGE_LIMIT = 10_000


def plain(value: Any) -> Any:
    """Values as JSON has them: dates as text, numpy's numbers as numbers, NaN and infinity as null."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value.isoformat() if isinstance(value, date | datetime) else value


class Answer(JSONResponse):
    """An answer in JSON, whose values :func:`plain` makes ready."""

    def render(self, content: Any) -> bytes:
        """The answer's bytes."""
        return super().render(plain(content))


def user(request: Request) -> str | None:
    """The user name that was given with the password; None where there is none."""
    return user_of(request.headers.get("authorization", ""))
