"""Settings that cost little, for tests of other things: two refits in place of twenty say how far chance goes, and one
model gives the forecast, chosen from no others. What they say is tested under tests/engines."""

from __future__ import annotations

from typing import Any

QUICK: dict[str, dict[str, Any]] = {"drift": {"bootstraps": 2}, "clv": {"model": "bg_nbd"}}
#: The same for a process, or for a command.
QUICK_ENVIRON = {
    f"SEGMENTRY_{section}_{name}".upper(): str(value)
    for section, values in QUICK.items()
    for name, value in values.items()
}
