"""Runs that are asked for: who asks, whether it can be done, and what is left for the worker to find out.

What is left open (a date whose customers nobody has built yet, a k that is still to be chosen) stands in the queued
run's ``info``; the worker resolves it before it fits anything (see ``dashboard/pipeline/resolve.py``).
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Self

from dashboard.i18n.texts import noted, say
from dashboard.pipeline.series import newest_snapshot
from engines import registry
from engines.contract import Engine
from engines.errors import InputError
from engines.messages import message
from storage import Store
from storage.contract import Run, Snapshot, Starter, Way

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


#: What a setting ``k`` says that the worker is to choose.
AUTO = "auto"
_OPEN = "open"  # in a queued run's info


@dataclass(frozen=True)
class Unresolved:
    """What of a queued run its worker has to resolve first.

    ``as_of``: the customers as of another date. ``choose_k``: how many segments. ``again``: the snapshot, read again
    under today's rules.
    """

    as_of: date | None = None
    choose_k: bool = False
    again: bool = False

    @classmethod
    def of(cls, run: Run) -> Self:
        """What is open of a run; nothing once it was resolved."""
        unresolved = run.info.get(_OPEN) or {}
        day = unresolved.get("as_of")
        again, choose_k = bool(unresolved.get("again")), bool(unresolved.get("choose_k"))
        return cls(date.fromisoformat(day) if day else None, choose_k, again)

    def to_info(self) -> dict[str, Any]:
        """The same as a queued run carries it; empty where nothing is open."""
        if not self:
            return {}
        day = self.as_of.isoformat() if self.as_of else None
        return {_OPEN: {"as_of": day, "choose_k": self.choose_k, **({"again": True} if self.again else {})}}

    def __bool__(self) -> bool:
        return self.as_of is not None or self.choose_k or self.again


def without_unresolved(info: Mapping[str, Any]) -> dict[str, Any]:
    """A run's info once everything is resolved."""
    return {name: item for name, item in info.items() if name != _OPEN}


@dataclass(frozen=True)
class Wish:
    """One engine that is to run; what is not set keeps the engine's default, and ``k`` may be :data:`AUTO`."""

    engine: str
    settings: Mapping[str, Any]

    @property
    def choose_k(self) -> bool:
        """Whether the number of segments is left to the worker."""
        return self.settings.get("k") == AUTO

    def made(self) -> Engine:
        """The engine; with its default k where that is still to be chosen.

        Raises:
            InputError: no such engine, one without a k to choose, or a setting it does not allow.
        """
        if not self.choose_k:
            return registry.engine(self.engine, self.settings)
        made = registry.engine(self.engine, {name: item for name, item in self.settings.items() if name != "k"})
        if "k" not in made.settings():
            raise InputError(
                "{title} has no k to choose: its own rules decide how many segments there are.", title=made.title
            )
        return made

    def to_settings(self) -> dict[str, Any]:
        """All its settings; without k where that is still to be chosen."""
        settings = self.made().settings()
        return {name: item for name, item in settings.items() if not (name == "k" and self.choose_k)}


@dataclass(frozen=True)
class RunRequest:
    """Engines on a snapshot, or on the customers of the same sales as of another date."""

    snapshot: int
    wishes: tuple[Wish, ...]
    as_of: date | None = None


# --- what is asked ----------------------------------------------------------------------------------------------------


def queue_runs(request: RunRequest, store: Store, starter: Starter) -> tuple[Run, ...]:
    """Queue a run per engine; all of them are checked before the first is queued.

    Raises:
        InputError: no engine, a setting that is not allowed, a column the customers do not have, or a date for which
            the sales cannot be read.
        NotFoundError: no such snapshot.
    """
    if not request.wishes:
        raise InputError("Choose at least one engine.")
    snapshot = store.snapshot(request.snapshot)
    if request.as_of is not None:
        check_date(snapshot, request.as_of)
        snapshot, as_of = _dated(snapshot, request.as_of, store)
    else:
        as_of = None
    columns = store.snapshot_columns(snapshot.id)
    settings = [fitting_settings(wish, columns, None if as_of else snapshot.customers) for wish in request.wishes]
    # where the sales lie is asked of the snapshot when the run is worked on
    runs: list[Run] = []
    for wish, each in zip(request.wishes, settings, strict=True):
        left, first = Unresolved(as_of, wish.choose_k).to_info(), runs[0].id if runs else None
        runs.append(store.queue_run(snapshot.id, wish.engine, each, info=left, starter=starter, asked_with=first))
    return tuple(runs)


def repeat_run(run: Run, store: Store, starter: Starter, *, newest: bool = False) -> Run:
    """Queue a run with the settings of another, on the same customers or on those of the latest date of its data set.

    A k that was chosen by a worker stays as it was found; one that was never found is chosen again.

    Raises:
        InputError: its engine is not there any more, or does not fit these customers.
    """
    left = Unresolved.of(run)
    settings = {**run.settings, "k": AUTO} if left.choose_k else run.settings
    latest = newest_snapshot(store.snapshots(), run.dataset) if newest else None
    snapshot = run.snapshot_id if latest is None else latest.id
    wishes = (Wish(run.engine, settings),)
    return queue_runs(RunRequest(snapshot, wishes, None if newest else left.as_of), store, starter)[0]


def snapshot_on(dataset: str, as_of: date | None, store: Store) -> tuple[int, date | None]:
    """The snapshot of a data set as of a date, or the one of the latest date, from whose sales it is then made.

    Without a date it is the one of the latest date. What comes back has the date where it is still to be made.

    Raises:
        InputError: there is no such data set.
    """
    snapshots = store.snapshots()
    latest = newest_snapshot(snapshots, dataset)
    if latest is None:
        names = ", ".join(dict.fromkeys(item.dataset for item in snapshots)) or "none yet"
        raise InputError("There is no data set {dataset!r}; there are: {known}.", dataset=dataset, known=names)
    there = next((item for item in snapshots if item.dataset == dataset and item.as_of == as_of), None)
    if as_of is None or there is not None:
        return (there or latest).id, None
    return latest.id, as_of


def why_no_other_date(snapshot: Snapshot) -> str:
    """Why customers as of another date cannot be made of a snapshot's sales; empty where they can."""
    if snapshot.sales is None:
        return message(
            "The sales of {dataset} were not kept; upload them again on the Data page for customers as of another "
            "date.",
            dataset=snapshot.dataset,
        )
    return ""


def check_date(snapshot: Snapshot, as_of: date) -> None:
    """Refuse a date for which the sales of a snapshot have no customers, or for which none are kept.

    Raises:
        InputError: says why, and which dates there are.
    """
    if why := why_no_other_date(snapshot):
        raise InputError(why)
    first, last = (snapshot.info.get(name) for name in ("first_day", "last_day"))
    if first and last:
        low, high = date.fromisoformat(first) + timedelta(days=1), date.fromisoformat(last) + timedelta(days=1)
        if not low <= as_of <= high:
            raise InputError(
                "The sales of {dataset} run from {first} to {last}; choose a date from {low} to {high}.",
                dataset=snapshot.dataset,
                first=first,
                last=last,
                low=low,
                high=high,
            )


def _dated(snapshot: Snapshot, as_of: date, store: Store) -> tuple[Snapshot, date | None]:
    """The snapshot of that date if it is there already, else the one it is made from with the date that is open."""
    existing = same_sales(snapshot, as_of, store.snapshots())
    return (snapshot, as_of) if existing is None else (existing, None)


def same_sales(snapshot: Snapshot, as_of: date, others: Sequence[Snapshot]) -> Snapshot | None:
    """The snapshot that was made of the very same sales in the very same way, as of a date; None if there is none."""

    def identity(item: Snapshot) -> tuple[Any, ...]:
        return item.dataset, item.fingerprint, item.settings, item.rules

    return next((item for item in others if item.as_of == as_of and identity(item) == identity(snapshot)), None)


def fitting_settings(wish: Wish, columns: Mapping[str, bool], customers: int | None) -> dict[str, Any]:
    """The settings of an engine that fits these customers, as far as that can be told without looking at them.

    Raises:
        InputError: it does not, or a setting is not allowed.
    """
    made = wish.made()
    settings = wish.to_settings()
    for name in settings.get("features") or ():
        if name not in columns:
            raise InputError(
                "{title}: features: these customers have no column {name!r}; choose another.",
                title=made.title,
                name=name,
            )
        if not columns[name]:
            raise InputError(
                "{title}: features: {name} does not hold numbers; choose another column.", title=made.title, name=name
            )
    k = settings.get("k")
    if customers is not None and isinstance(k, int) and k > customers:
        raise InputError(
            "{title}: k = {k} is more than the {customers} customers; choose a smaller k.",
            title=made.title,
            k=k,
            customers=customers,
        )
    return settings
