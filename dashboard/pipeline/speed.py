"""How fast lines are read, in words."""

from __future__ import annotations

from engines.messages import message
from engines.progress import Amount

_MEGABYTE = 1e6
_EARLY = 0.02  # of the lines: before that nobody can say how long it takes


def speed_of(amount: Amount, seconds: float) -> str:
    """Lines and megabytes a second so far; empty where there is nothing to divide by."""
    if seconds <= 0 or not amount.lines:
        return ""
    each_second, megabytes = round(amount.lines / seconds), amount.bytes / _MEGABYTE / seconds
    return message("{each_second:,} lines/s, {megabytes:,.0f} MB/s", each_second=each_second, megabytes=megabytes)


def with_speed(stage: str, amount: Amount, seconds: float) -> str:
    """A stage with how many lines have been read, how fast, and about how long it still takes."""
    speed = speed_of(amount, seconds)
    if not speed:
        return stage
    said = message("{stage}: {lines:,} lines, {speed}", stage=stage, lines=amount.lines, speed=speed)
    if not _EARLY < amount.share < 1:
        return said
    left = round(seconds / amount.share - seconds)
    return message("{said}, about {left:,} s left", said=said, left=left)
