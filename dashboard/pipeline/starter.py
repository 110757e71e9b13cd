"""Who started a run, in words, and how a request says who is asking."""

from __future__ import annotations

from base64 import b64decode

from dashboard.i18n.texts import noted, say
from storage.contract.queue import Starter, Way

_WORDS: dict[Way, tuple[str, str]] = {  # with a name, and without
    "page": ("{name}", noted("dashboard")),
    "api": (noted("{name} (API)"), noted("API")),
    "command line": (noted("command line ({name})"), noted("command line")),
    "schedule": (noted("schedule {name}"), noted("schedule")),
    "upload": (noted("{name} (upload)"), noted("upload")),
}
#: The longest user name that is kept.
_LONGEST = 200


def starter_words(starter: Starter) -> str:
    """Who started a run, for people; empty where nobody wrote it down."""
    if starter.way is None:
        return ""
    named, nameless = _WORDS[starter.way]
    return say(named, name=starter.name) if starter.name else say(nameless)


def user_of(authorization: str) -> str | None:
    """The user name that was given with the password; nobody checks it, so that it is as good as a signature."""
    kind, _, given = authorization.partition(" ")
    try:
        name = b64decode(given, validate=True).decode("utf-8").partition(":")[0] if kind.lower() == "basic" else ""
    except ValueError:
        return None
    return name[:_LONGEST] if name.isprintable() and name else None
