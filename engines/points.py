"""What is written down of a date at which segments were watched: how far models agree, and who and what has moved."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Shift:
    """How far one column of the customers has moved since the model was frozen.

    ``psi``: population stability index over tenths of the customers of then, 0 where nothing moved. ``effect``: Cliff's
    delta, -1 to 1: how much likelier it is that a customer of now has more than one of then, than that it has less.
    ``before``, ``now``: medians, in the column's own unit.
    """

    column: str
    psi: float
    effect: float
    before: float
    now: float


@dataclass(frozen=True)
class Size:
    """A segment of the frozen model at one date: its key, how many customers it holds, and what they had spent."""

    key: int
    customers: int
    revenue: float


@dataclass(frozen=True)
class DriftPoint:
    """How well a frozen model still agrees with a refit on the customers of one date.

    ``ari``: adjusted Rand index of the frozen model's labels and the refit's. ``noise_low``: 5th percentile of the
    index between bootstrap refits and the refit, None where it is not known; ``noise_measured`` says whether it was
    measured at this date or lies between those of dates before and after. ``alert``: ``ari`` is below the threshold,
    and below the noise where that is known. ``moved_share``: customers whom the frozen model puts elsewhere than at the
    date before, of those known at both. ``model_moved``: customers whom the refit puts elsewhere than the frozen model,
    its segments paired with the frozen ones so that this is least. ``refit_on``, ``noise_on``: customers in each refit.
    """

    as_of: str
    customers: int
    ari: float
    alert: bool
    noise_low: float | None = None
    moved_share: float | None = None
    model_moved: float | None = None
    noise_measured: bool = False
    refit_on: int | None = None
    noise_on: int | None = None
    shifts: tuple[Shift, ...] = ()
    sizes: tuple[Size, ...] = ()


@dataclass(frozen=True)
class LivePoint:
    """A finished run against the run before it of the same data set, engine and settings, on customers in both.

    ``against``: the earlier run, as of ``before``. ``ari`` and ``noise_low``: of the earlier run's model and this
    run's, both labelling these customers as they are now. ``moved_share``: those the earlier model puts elsewhere than
    it did.
    """

    against: int
    before: str
    as_of: str
    customers: int
    ari: float
    alert: bool
    noise_low: float | None = None
    moved_share: float | None = None
