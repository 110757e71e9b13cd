"""Which data set, date and run a page is about, as the address says, or the one to begin with."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

from dashboard.config import Config
from dashboard.i18n.numbers import day
from dashboard.pipeline.series import newest_runs
from engines import registry
from engines.errors import InputError
from storage import Store
from storage.contract import NotFoundError, Run, Snapshot


class PickerOption(NamedTuple):
    """One entry of a picker."""

    value: str
    label: str


class Context(NamedTuple):
    """What the pickers of the top bar show: their options, and which of them holds."""

    datasets: tuple[PickerOption, ...]
    snapshots: tuple[PickerOption, ...]
    runs: tuple[PickerOption, ...]
    dataset: str
    snapshot: str
    run: str
    synthetic: bool


def engine_titles() -> dict[str, str]:
    """What every registered engine is called, by its name."""
    return {item.name: item.title for item in registry.registered()}


def run_label(run: Run, titles: Mapping[str, str]) -> str:
    """A run in a few words: ``K-means k=4``."""
    title = titles.get(run.engine) or run.engine
    return title if run.k is None else f"{title} k={run.k}"


def run_labels(runs: list[Run] | tuple[Run, ...], titles: Mapping[str, str]) -> list[str]:
    """Short labels that tell runs apart: the run's number is added where engine and k are the same."""
    short = [run_label(run, titles) for run in runs]
    return [text if short.count(text) == 1 else f"{text} #{run.id}" for run, text in zip(runs, short, strict=True)]


def run_from(store: Store, text: str | None) -> Run | None:
    """The run that an address names; None where it names none.

    Raises:
        InputError: what it names is not a number.
        NotFoundError: there is no such run.
    """
    if text is None or text == "":
        return None
    if not isinstance(text, str) or not text.isdecimal() or len(text) > 18:
        raise InputError("run must be the number of a run, not {text!r}.", text=text)
    return store.run(int(text))


def first_run(store: Store, config: Config) -> Run | None:
    """The run to begin with: the published one of the default data set.

    That is the data set that ``[datasets] default`` names; else, real before synthetic, the one that was published
    first, so that nobody's later trial becomes where everybody begins. Where nothing is published, a run of the latest
    date, in the engines' usual order; None where nothing is finished.
    """
    synthetic = {item.dataset for item in store.snapshots() if item.info.get("synthetic")}
    default, published = config.datasets.default, store.published_runs()
    order = sorted(published, key=lambda name: (name != default, name in synthetic))
    if default and default not in published and (run := published_or_newest(store, config, default)) is not None:
        return run
    for name in order:
        with suppress(NotFoundError):  # another was published meanwhile, and this one deleted
            return store.run(published[name].run_id)
    done = store.runs(state="done")
    real = [run for run in done if run.dataset not in synthetic]
    return best_run(newest_runs(real or done), config) if done else None


def published_or_newest(store: Store, config: Config, dataset: str, like: str = "") -> Run | None:
    """The published run of a data set, or where none is, one of its latest date; None where nothing is finished.

    Of the latest date it is the one of the engine ``like``, else of the first engine in use.
    """
    published = store.published(dataset)
    if published is not None:
        with suppress(NotFoundError):
            return store.run(published.run_id)
    done = store.runs(dataset=dataset, state="done")
    return best_run(newest_runs(done), config, like=like) if done else None


def best_run(runs: list[Run], config: Config, like: str = "") -> Run:
    """Of these runs the first of the engine ``like``, else of the first engine in use."""
    order = [like, *config.engines.use]
    return min(runs, key=lambda run: order.index(run.engine) if run.engine in order else len(order))


def context(store: Store, config: Config, text: str | None) -> Context | None:
    """What the pickers show for the run that the address names; None where nothing is finished yet."""
    try:
        current = run_from(store, text)
    except (InputError, NotFoundError):
        current = None  # the page itself says what is wrong with the address; the pickers offer what there is
    current = current or first_run(store, config)
    if current is None:
        return None
    snapshots = store.snapshots()
    finished = [run for run in store.runs() if run.state == "done" or run.id == current.id]
    with_runs = {run.snapshot_id for run in finished}
    here = next(item for item in snapshots if item.id == current.snapshot_id)
    dates = [item for item in snapshots if item.dataset == here.dataset and item.id in with_runs]
    dates.sort(key=lambda item: (item.as_of, item.id), reverse=True)
    datasets = {item.dataset: title_of(item) for item in reversed(snapshots) if item.id in with_runs}
    runs = [run for run in finished if run.snapshot_id == here.id]
    return Context(
        datasets=tuple(PickerOption(*pair) for pair in sorted(datasets.items(), key=lambda pair: pair[1].lower())),
        snapshots=tuple(_date_options(dates)),
        runs=tuple(
            PickerOption(str(run.id), text) for run, text in zip(runs, run_labels(runs, engine_titles()), strict=True)
        ),
        dataset=here.dataset,
        snapshot=str(here.id),
        run=str(current.id),
        synthetic=bool(here.info.get("synthetic")),
    )


def title_of(snapshot: Snapshot) -> str:
    """The data set's name as people see it."""
    return str(snapshot.info.get("title") or snapshot.dataset)


def _date_options(snapshots: list[Snapshot]) -> list[PickerOption]:
    days = [day(item.as_of) for item in snapshots]
    return [
        PickerOption(str(item.id), text if days.count(text) == 1 else f"{text} #{item.id}")
        for item, text in zip(snapshots, days, strict=True)
    ]


def picked_run(
    store: Store, config: Config, current: Run, *, dataset: str = "", snapshot: str = "", run: str = ""
) -> Run:
    """The run that is meant after one of the pickers was turned.

    For another data set it is the published one, for another date the one of the same engine, where there are such.
    """
    if run:
        return store.run(int(run))
    if snapshot:
        return best_run(store.runs(snapshot_id=int(snapshot), state="done"), config, like=current.engine)
    meant = published_or_newest(store, config, dataset, like=current.engine)
    if meant is None:
        raise NotFoundError("There is no finished run of {dataset}.", dataset=dataset)
    return meant


def address(search: str, old: Run, new: Run) -> str:
    """The query string for another run; of the filters it keeps what still means something there.

    Segments belong to one run, countries and bounds to one data set.
    """
    dropped = {"run", "segment"}
    if old.snapshot_id != new.snapshot_id:
        dropped.add("with")
    pairs = [] if old.dataset != new.dataset else parse_qsl(search.removeprefix("?"), keep_blank_values=True)
    return "?" + urlencode([("run", str(new.id)), *(pair for pair in pairs if pair[0] not in dropped)])
