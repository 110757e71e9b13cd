"""Time zones of moments: what an offset or an abbreviation means, and by which clock the days of a shop are counted."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from engines.errors import InputError
from engines.messages import Message, message
from engines.settings import Reading

#: Minutes from UTC of abbreviations that mean one thing.
OFFSETS: Mapping[str, int] = {
    **{"Z": 0, "UT": 0, "UTC": 0, "GMT": 0, "WET": 0, "WEST": 60, "CET": 60, "CEST": 120, "MEZ": 60, "MESZ": 120},
    **{"EET": 120, "EEST": 180, "MSK": 180, "EST": -300, "EDT": -240, "CDT": -300, "MST": -420, "MDT": -360},
    **{"PST": -480, "PDT": -420, "AKST": -540, "AKDT": -480, "HST": -600, "BRT": -180, "JST": 540, "KST": 540},
    **{"HKT": 480, "SGT": 480, "AWST": 480, "ACST": 570, "ACDT": 630, "AEST": 600, "AEDT": 660, "NZST": 720},
    **{"NZDT": 780, "SAST": 120},
}
#: Those that mean several, by zones where they are used; and what beside them says which.
_SEVERAL: Mapping[str, Mapping[str, int]] = {
    "CST": {"America/Chicago": -360, "Asia/Shanghai": 480},
    "BST": {"Europe/London": 60, "Asia/Dhaka": 360},
    "IST": {"Asia/Kolkata": 330, "Europe/Dublin": 60, "Asia/Jerusalem": 120},
    "AST": {"America/Halifax": -240, "Asia/Riyadh": 180},
}
_COMPANIONS: Mapping[str, tuple[frozenset[str], int]] = {
    "CST": (frozenset({"CDT", "EST", "EDT", "MST", "MDT", "PST", "PDT"}), -360),
    "BST": (frozenset({"GMT"}), 60),
    "IST": (frozenset({"IDT"}), 120),
    "AST": (frozenset({"ADT", "EST", "EDT"}), -240),
}
OFFSETS_WRITTEN = "|".join(sorted({*OFFSETS, *_SEVERAL, "IDT", "ADT"}, key=len, reverse=True))
#: Zones that are offered; any other may be given as well.
ZONES = (
    *("UTC", "Europe/London", "Europe/Berlin", "Europe/Athens", "America/New_York", "America/Chicago"),
    *("America/Denver", "America/Los_Angeles", "America/Sao_Paulo", "Asia/Kolkata", "Asia/Shanghai", "Asia/Tokyo"),
    "Australia/Sydney",
)


@dataclass(frozen=True)
class ZoneFound:
    """By which clock days are counted: that of ``zone``, or where it is empty the clock as it is written.

    ``question``: what to say where the user has not said it; empty where nothing depends on it.
    """

    zone: str
    question: str = ""


def time_zone(reading: Reading) -> str:
    """The time zone of a reading; empty where it is to be found out.

    Raises:
        InputError: there is no such zone.
    """
    if not reading.time_zone:
        return ""
    try:
        return str(ZoneInfo(reading.time_zone).key)
    except (KeyError, OSError, ValueError):
        raise InputError(
            "There is no time zone {time_zone!r}; give time_zone an IANA name such as Europe/London or UTC.",
            time_zone=reading.time_zone,
        ) from None


def zone_of(offsets: Collection[int], zone: str) -> ZoneFound:
    """By which clock the days of moments with these offsets (minutes from UTC) are counted.

    ``zone``: what the user says. Otherwise two offsets an hour apart are the summer and the winter of one local clock;
    nobody writes UTC so.
    """
    if zone:
        return ZoneFound(zone)
    found = sorted({*offsets})
    if not found:
        return ZoneFound("UTC")
    if found != [0] and len(found) < 3 and found[-1] - found[0] in (0, 60):
        return ZoneFound("", local_clock(found))
    return ZoneFound("UTC", counted_in_utc() if found == [0] else _many(len(found)))


def local_clock(offsets: Collection[int]) -> Message:
    """What to say where the days are those of the clock in the source."""
    return message(
        "Days were counted by the clock that the source writes, {offsets} from UTC. If the shop's days are those of "
        "another place, say --time-zone, such as --time-zone America/New_York.",
        offsets=" / ".join(f"{'-' if each < 0 else '+'}{abs(each) // 60:02d}:{abs(each) % 60:02d}" for each in offsets),
    )


def counted_in_utc() -> Message:
    """What to say where moments are given in UTC."""
    return message(
        "Times are in UTC, and so days were counted in UTC. If the shop's days are those of another time zone, say "
        "--time-zone, such as --time-zone Europe/London."
    )


def _many(count: int) -> Message:
    return message(
        "Times have {count} different offsets from UTC, and days were counted in UTC. Say the time zone of the shop "
        "with --time-zone, such as --time-zone Europe/London.",
        count=count,
    )


def meant(abbreviations: Collection[str], zone: str, source: str, column: str) -> dict[str, int]:
    """Minutes from UTC of the abbreviations that mean several things, from those beside them or the zone of the shop.

    Raises:
        InputError: nothing says which is meant.
    """
    found = {}
    for name in sorted({*abbreviations} & {*_SEVERAL}):
        beside, minutes = _COMPANIONS[name]
        if beside & {*abbreviations}:
            found[name] = minutes
        elif zone and (own := _names_of(zone).get(name)) is not None:
            found[name] = own
        elif zone in _SEVERAL[name]:
            found[name] = _SEVERAL[name][zone]
        else:
            raise InputError(
                "{source}: the times in column {column!r} have {name}, which means several time zones. Say the one of "
                "the shop with {options}.",
                source=source,
                column=column,
                name=name,
                options=" / ".join(f"--time-zone {each}" for each in _SEVERAL[name]),
            )
    return found


def _names_of(zone: str) -> dict[str, int]:
    """What a zone calls its winter and summer time, in minutes from UTC."""
    days = (datetime(2024, month, 1, 12, tzinfo=ZoneInfo(zone)) for month in (1, 7))
    return {
        str(day.tzname()): int(shift.total_seconds()) // 60 for day in days if (shift := day.utcoffset()) is not None
    }
