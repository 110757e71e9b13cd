"""HTML attributes whose names are no Python names: ``aria-*`` and ``data-*``."""

from __future__ import annotations

from typing import Any


def aria(**values: str) -> dict[str, Any]:
    """``aria(label="Close")`` is ``{"aria-label": "Close"}``, to be given to a component with ``**``."""
    return {f"aria-{name}": value for name, value in values.items()}


def data(**values: str) -> dict[str, Any]:
    """``data(low="0")`` is ``{"data-low": "0"}``, to be given to a component with ``**``."""
    return {f"data-{name}": value for name, value in values.items()}
