"""How often the drift alarm rings where nothing changes, and how soon where customers do: the tables of docs/drift.md.

``python -m tests.engines.evaluation.drift_alarms`` works them out (some ten minutes) and writes them there.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

from engines.contract import DriftPoint
from engines.evaluation.calendar import plan
from engines.evaluation.timeline import timeline
from engines.kmeans import KMeans
from tests.engines.evaluation import made_up_shops as shops

DOCS = Path(__file__).parents[3] / "docs" / "drift.md"
BEGIN = "<!-- alarms: made by python -m tests.engines.evaluation.drift_alarms -->"
END = "<!-- end of alarms -->"
#: The alarm lines were chosen on other shops than these.
SEEDS = range(1_000, 1_020)

_AS_OF = date(2024, 1, 1)
_MONTHS = ("2023-08-01", "2023-09-01", "2023-10-01")  # the first date that knows of the change, and two more


class Alarms(NamedTuple):
    """Alerts over several shops: by cause, in how many of them, over so many dates; when the change was found."""

    kind: str
    shops: int
    dates: int
    agreement: int
    population: int
    alarmed: int
    found: tuple[int, ...]
    early: int

    @property
    def share(self) -> float:
        """Alerts by dates."""
        return (self.agreement + self.population) / self.dates


def points(seed: int, *, running: bool, changes: bool, bootstraps: int = 20) -> list[DriftPoint]:
    """The timeline of K-means (k = 3, 4, 5 in turn) on one shop, as users get it."""
    shop = shops.make(seed, running=running, changes=changes)
    planned = plan(shops.FIRST_DAY, _AS_OF)
    found = timeline(
        KMeans(k=3 + seed % 3),
        [(day, shop.customers(day, planned.window_days)) for day in planned.dates],
        recent={day: shop.customers(day, planned.recent_days) for day in planned.dates},
        first_seen=shop.first_seen(),
        bootstraps=bootstraps,
    )
    assert found is not None
    return list(found.points)


def counted(kind: str, *, running: bool, changes: bool) -> Alarms:
    """The alarms of all shops of a kind."""
    each = [points(seed, running=running, changes=changes) for seed in SEEDS]
    alerts = [[point for point in one if point.alert] for one in each]
    causes = [point.cause for one in alerts for point in one]
    days = [{point.as_of for point in one} for one in alerts]
    return Alarms(
        kind,
        len(each),
        sum(len(one) for one in each),
        causes.count("agreement"),
        causes.count("population"),
        sum(bool(one) for one in alerts),
        tuple(sum(bool(one & {*_MONTHS[: number + 1]}) for one in days) for number in range(len(_MONTHS))),
        sum(day <= shops.CHANGE.isoformat() for one in days for day in one),
    )


def all_alarms() -> tuple[list[Alarms], list[Alarms]]:
    """Of shops in which nothing changes, and of shops in which something does."""
    kinds = (("opens with its file", False), ("has been running for three years", True))
    calm, changed = (
        [counted(kind, running=running, changes=changes) for kind, running in kinds] for changes in (False, True)
    )
    return calm, changed


def tables(calm: list[Alarms], changed: list[Alarms]) -> str:
    """Both tables, as docs/drift.md has them."""
    return "\n".join(_lines(calm, changed))


def _lines(calm: list[Alarms], changed: list[Alarms]) -> Iterator[str]:
    yield (
        "| nothing changes; the shop | shops | dates | alerts by agreement | by population | share of dates | "
        "shops with an alert |"
    )
    yield "|---|---|---|---|---|---|---|"
    for one in calm:
        figures = (one.shops, one.dates, one.agreement, one.population, f"{one.share:.1%}", one.alarmed)
        yield f"| {one.kind} | {' | '.join(map(str, figures))} |"
    yield ""
    yield (
        "| half the customers change; the shop | shops | found by the first date | by the second | by the third | "
        "alerts before the change |"
    )
    yield "|---|---|---|---|---|---|"
    for one in changed:
        yield f"| {one.kind} | {' | '.join(map(str, (one.shops, *one.found, one.early)))} |"


def in_docs() -> str:
    """The tables as they stand in docs/drift.md."""
    return DOCS.read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0].strip()


def main() -> None:
    """Write the tables."""
    text = DOCS.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    DOCS.write_text(f"{before}{BEGIN}\n{tables(*all_alarms())}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
