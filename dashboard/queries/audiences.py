"""Saved audiences: selections with a name, how many customers they mean today, and how many on earlier dates."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

import numpy as np

from dashboard.frames.filters import by_identity
from dashboard.frames.run import RunFrame
from dashboard.pipeline.series import earlier_runs, newest_runs, under_other_rules
from dashboard.queries.which_run import first_run, published_or_newest
from dashboard.services import Services
from engines.columns import CATEGORY_SHARE
from engines.contract import segments_meant
from engines.errors import InputError
from storage.contract import NotFoundError, Run, Selection
from storage.contract.audiences import Audience

_COUNTED = 500_000  # customers of earlier dates that are looked through for one audience unless all are asked for


class AudienceSize(NamedTuple):
    """How many customers an audience means in a run.

    ``missing`` names what its selection asks for and the run does not have. ``customers`` is None where that leaves
    nothing to count: that nobody is called Champions in a run does not mean that nobody was one.
    """

    run: Run
    customers: int | None
    missing: tuple[str, ...] = ()


class Sizes(NamedTuple):
    """An audience on the dates of its data set, the oldest first, and how many older dates were not counted.

    ``other_rules``: how many dates are left out since their sales were read by other rules than the last.
    ``published``: whether the last is the published run of the data set.
    """

    counted: tuple[AudienceSize, ...]
    uncounted: int
    other_rules: int = 0
    published: bool = False


def audience_selection(audience: Audience) -> Selection:
    """What an audience selects."""
    return Selection.from_query(parse_qsl(audience.selection, keep_blank_values=True))


def save(services: Services, name: str, selection: Selection, run: Run | None, *, pinned: bool = False) -> Audience:
    """Keep a selection under a new name, with the data set and engine of the run it was made on.

    Raises:
        InputError: there is an audience of that name, or the name cannot be used.
    """
    called = " ".join(name.split())
    if any(other.name == called for other in services.store.audiences()):
        raise InputError("There is an audience named {name} already; choose another name.", name=called)
    where = {"dataset": run.dataset, "engine": run.engine} if run else {}
    selection = by_identity(selection, run.segments) if run else selection
    return services.store.save_audience(name, urlencode(selection.to_query()), pinned=pinned, **where)


def audience_run(services: Services, audience: Audience) -> Run | None:
    """The run that an audience is counted and opened on; None where there is none.

    That is the published run of its data set. Where that is of another engine than the audience, whose segments may be
    called otherwise, it is the newest run of the audience's own engine. An audience of any data set means that of the
    run to begin with.
    """
    store, config = services.store, services.config
    run = published_or_newest(store, config, audience.dataset) if audience.dataset else first_run(store, config)
    if run is None or audience.engine in ("", run.engine):
        return run
    own = store.runs(dataset=run.dataset, engine=audience.engine, state="done")
    return next(iter(newest_runs(own)), None)


def sizes(services: Services, audience: Audience, *, every_date: bool = True, last: Run | None = None) -> Sizes:
    """How many customers an audience means today, and on the earlier dates of runs with the same settings.

    Args:
        services: the store and what was counted already.
        audience: which.
        every_date: otherwise the last date is counted, and earlier ones while that is quickly done.
        last: the run of today, where it is known already, as :func:`audience_run` gives it.
    """
    last = last or audience_run(services, audience)
    if last is None:
        return Sizes((), 0)
    selection = audience_selection(audience)
    runs = [*earlier_runs(services.store, last), last]
    others = len({run.as_of for run in under_other_rules(services.store, last)})
    published = services.store.published(last.dataset)
    is_published = published is not None and published.run_id == last.id
    result: list[AudienceSize] = []
    looked_through = 0
    for number, run in enumerate(reversed(runs)):
        cache_key = (run.id, run.created_at, run.revision, selection)
        size = services.sizes.cached(cache_key)
        if size is None:
            looked_through += sum(item.customers for item in run.segments) if number else 0
            if not every_date and looked_through > _COUNTED:
                return Sizes(tuple(reversed(result)), len(runs) - number, others, is_published)
            try:
                size = services.sizes.get(cache_key, lambda run=run: _counted(services, run, selection))  # type: ignore[misc]
            except NotFoundError:  # deleted meanwhile
                continue
        result.append(AudienceSize(run, *size))
    return Sizes(tuple(reversed(result)), 0, others, is_published)


def count_on(services: Services, run: Run, selection: Selection) -> int | None:
    """How many customers of a finished run a selection means; None where the run lacks what it asks for."""
    return services.sizes.get(
        (run.id, run.created_at, run.revision, selection), lambda: _counted(services, run, selection)
    )[0]


def _counted(services: Services, run: Run, selection: Selection) -> tuple[int | None, tuple[str, ...]]:
    unknown = tuple(text for text in selection.segments if not any(segments_meant(run.segments, [text])))
    if unknown and len(unknown) == len(selection.segments):
        return None, unknown
    frame = services.frames.of(run)
    absent = _absent(frame, selection)
    if absent:
        return None, (*unknown, *absent)
    return int(np.count_nonzero(frame.mask(selection))), unknown


def _absent(frame: RunFrame, selection: Selection) -> tuple[str, ...]:
    """The columns that the selection looks at and the run does not have, by title."""
    columns = [*selection.bounds]
    columns += [f"{CATEGORY_SHARE}{category}" for category, _ in selection.shares]
    absent = [frame.describe(name).title for name in dict.fromkeys(columns) if not frame.has(name)]
    return (*absent, "Country") if selection.countries and not frame.has_country else tuple(absent)


def audience_dict(audience: Audience) -> dict[str, Any]:
    """An audience as the API gives it."""
    return {
        **vars(audience),
        "dataset": audience.dataset or None,
        "engine": audience.engine or None,
        "created_at": audience.created_at.isoformat(),
    }


def audience_sizes_dict(audience: Audience, counted_sizes: Sizes) -> dict[str, Any]:
    """The sizes of an audience as the API gives them."""
    rows = [
        {
            "run": size.run.id,
            "as_of": size.run.as_of.isoformat(),
            "customers": size.customers,
            "missing": list(size.missing),
        }
        for size in counted_sizes.counted
    ]
    about = {"other_rules": counted_sizes.other_rules, "published": counted_sizes.published}
    return {**audience_dict(audience), "sizes": rows, **about}
