"""What customer value costs, beside plain lifetimes in the same run: python benchmarks/value.py --customers N."""

from __future__ import annotations

import argparse
import os
import platform
import resource
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from engines.columns import AGE, FIRST_TO_LAST, MEAN_REPEAT_VALUE, MONETARY, REPEAT_PURCHASES
from engines.value import estimate
from engines.value.lifetime import gamma_gamma
from engines.value.lifetime.bgnbd import BGNBD
from engines.value.lifetime.clv import discounted_purchases
from engines.value.lifetime.lifetime import LifetimeFit, fit_lifetime
from engines.value.lifetime.models import LIFETIMES, spend_intervals
from engines.value.lifetime.patterns import Histories
from engines.value.registry import value_model

MONTHS, WEEKS_PER_MONTH, MONTHLY_RATE = 6, 4.345, 1.1 ** (1 / 12) - 1


def simulate(size: int, seed: int) -> pd.DataFrame:
    """Customers of a shop of two years, living by BG/NBD and spending by Gamma-Gamma, counted in whole days."""
    random = np.random.default_rng(seed)
    age = random.integers(0, 730, size).astype(float)
    rate = random.gamma(0.5, 1 / 40.0, size)  # purchases per day while alive
    leaves = random.beta(0.8, 2.5, size)
    x, last, now = np.zeros(size), np.zeros(size), np.zeros(size)
    here = np.arange(size)
    while len(here):
        now[here] += np.maximum(1.0, np.ceil(random.exponential(1 / rate[here])))  # one purchase a day at most
        here = here[now[here] <= age[here]]
        x[here] += 1
        last[here] = now[here]
        here = here[random.random(len(here)) >= leaves[here]]
    rhythm = random.gamma(4.0, 1 / 15.0, size)
    mean = random.gamma(6.0 * np.maximum(x, 1), 1 / (rhythm * np.maximum(x, 1)))
    mean = np.maximum(np.round(mean, 2), 0.01)
    return pd.DataFrame(
        {
            REPEAT_PURCHASES: x.astype(np.int64),
            FIRST_TO_LAST: last / 7,
            AGE: age / 7,
            MEAN_REPEAT_VALUE: np.where(x > 0, mean, 0.0),
            MONETARY: mean * (x + 1),
        },
        index=pd.RangeIndex(size, name="customer_id"),
    )


def timed(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """What the work gives, its wall seconds and its CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return result, time.perf_counter() - wall, time.process_time() - cpu


def apart(ours: Any, theirs: Any) -> float:
    """The largest relative difference."""
    ours, theirs = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
    return float(np.max(np.abs(ours - theirs) / np.maximum(np.abs(theirs), 1e-12)))


def value_half_year(table: pd.DataFrame) -> np.ndarray:
    """Fit, Gamma-Gamma and the half year's CLV, as plain lifetimes has it."""
    x, t_x, age, mean = (
        table[name].to_numpy(float) for name in (REPEAT_PURCHASES, FIRST_TO_LAST, AGE, MEAN_REPEAT_VALUE)
    )
    histories = Histories.of(x, t_x, age)
    months = np.arange(1.0, MONTHS + 1)
    model = fit_lifetime(BGNBD, histories).model
    spend = gamma_gamma.fit(x[x > 0], mean[x > 0]).model
    _, discounted = discounted_purchases(model, histories, WEEKS_PER_MONTH * months, (1 + MONTHLY_RATE) ** -months)
    return discounted[histories.positions] * spend.expected_value(x, mean)


def growth(most: int, seed: int) -> None:
    """Cost of fit, Gamma-Gamma and CLV against the number of customers, and the exponent of the line through it."""
    sizes = [size for size in (10_000, 100_000, 1_000_000, 5_000_000) if size <= most]
    value_half_year(simulate(1000, seed))
    seconds = []
    for size in sizes:
        table = simulate(size, seed)
        seconds.append(min(timed(lambda table=table: value_half_year(table))[2] for _ in range(3 if size < 1e6 else 1)))
        print(f"{size:>12,} customers {seconds[-1]:8.2f} CPU s")
    slope = np.polyfit(np.log(sizes), np.log(seconds), 1)[0]
    last = np.log(seconds[-1] / seconds[-2]) / np.log(sizes[-1] / sizes[-2])
    print(f"exponent {slope:.2f} over all sizes, {last:.2f} between the last two (at most 1.05 is wanted)\n")


def cost_of_intervals(table: pd.DataFrame) -> None:
    """CPU and memory of the intervals of half a year, by each lifetime model."""
    for name in LIFETIMES:
        fitted = value_model(name).fit(table, ())
        _, wall, cpu = timed(lambda fitted=fitted: spend_intervals(fitted, table, 26.0))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"intervals, {name:11} {len(table):>10,} customers {wall:8.2f} s {cpu:8.2f} CPU s  peak {peak:.0f} MiB")


def fits(table: pd.DataFrame) -> None:
    """Every lifetime model's fit beside that of lifetimes on the same distinct histories with weights."""
    import lifetimes

    columns = [table[name].to_numpy(float) for name in (REPEAT_PURCHASES, FIRST_TO_LAST, AGE)]
    np.random.seed(0)
    theirs = ("BetaGeoFitter", "ModifiedBetaGeoFitter", "ParetoNBDFitter")
    for (name, kind), fitter in zip(LIFETIMES.items(), theirs, strict=True):
        found, _, ours = timed(lambda kind=kind: fit_lifetime(kind, Histories.of(*columns)))
        histories = Histories.of(*columns)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model, _, cpu = timed(
                lambda fitter=fitter, histories=histories: getattr(lifetimes, fitter)().fit(
                    histories.x, histories.t_x, histories.age, weights=histories.weights
                )
            )
        difference = apart(list(found.model.parameters().values()), model.params_)
        print(
            f"fit, {name:11} {len(table):>10,} customers: {ours:.2f} CPU s, lifetimes on the distinct "
            f"histories {cpu:.2f} ({cpu / ours:.0f} times), largest relative difference {difference:.1e}"
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--without-lifetimes", action="store_true", help="time ours alone")
    parser.add_argument("--growth", action="store_true", help="cost of ours against size, from 10,000 to --customers")
    parser.add_argument("--intervals", action="store_true", help="cost of the intervals, by each lifetime model")
    parser.add_argument("--fits", action="store_true", help="the fits of all three lifetime models, beside lifetimes'")
    arguments = parser.parse_args()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import lifetimes  # so that its import is on nobody's clock
        import scipy.optimize
        import scipy.special
        import scipy.stats  # noqa: F401

    if arguments.growth or arguments.intervals or arguments.fits:
        print(f"machine: {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
        if arguments.growth:
            growth(arguments.customers, arguments.seed)
        if arguments.intervals:
            cost_of_intervals(simulate(arguments.customers, arguments.seed))
        if arguments.fits:
            fits(simulate(arguments.customers, arguments.seed))
        return
    table = simulate(arguments.customers, arguments.seed)
    x, t_x, age, mean = (table[name] for name in (REPEAT_PURCHASES, FIRST_TO_LAST, AGE, MEAN_REPEAT_VALUE))
    buyers = table[x > 0]
    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    processor = platform.processor() or platform.machine()
    print(f"machine: {processor}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"customers: {len(table):,}, repeat buyers: {len(buyers):,}, simulated, seed {arguments.seed}\n")

    months = np.arange(1.0, MONTHS + 1)

    def histories_and_fit() -> tuple[Histories, LifetimeFit]:
        histories = Histories.of(*(column.to_numpy(dtype=np.float64) for column in (x, t_x, age)))
        return histories, fit_lifetime(BGNBD, histories)

    (histories, fitted), *fit_time = timed(histories_and_fit)
    spend, *spend_time = timed(
        lambda: gamma_gamma.fit(
            buyers[REPEAT_PURCHASES].to_numpy(dtype=np.float64), buyers[MEAN_REPEAT_VALUE].to_numpy(dtype=np.float64)
        )
    )

    def half_year() -> np.ndarray:
        _, discounted = discounted_purchases(
            fitted.model, histories, WEEKS_PER_MONTH * months, (1 + MONTHLY_RATE) ** -months
        )
        return discounted[histories.positions] * spend.model.expected_value(x.to_numpy(float), mean.to_numpy(float))

    clv, *clv_time = timed(half_year)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    _, *whole_time = timed(lambda: estimate(table))
    whole_peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rows = [
        ("BG/NBD fit", fit_time, f"{len(histories.x):,} distinct histories, {fitted.method}"),
        ("Gamma-Gamma fit", spend_time, spend.method),
        ("CLV, 6 months of 4.345 weeks", clv_time, ""),
        ("estimate(), intervals and all", whole_time, f"peak memory {whole_peak:.0f} MiB"),
    ]
    print(f"{'Segmentry':34}{'wall s':>9}{'CPU s':>9}")
    for name, (wall, cpu), remark in rows:
        print(f"{name:34}{wall:9.2f}{cpu:9.2f}  {remark}")
    print(f"{'peak memory':34}{peak:9.0f} MiB, of which {base:.0f} before (libraries and the table)\n")
    if arguments.without_lifetimes:
        return

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model, *their_fit = timed(lambda: lifetimes.BetaGeoFitter().fit(x, t_x, age))
        values, *their_spend = timed(
            lambda: lifetimes.GammaGammaFitter().fit(buyers[REPEAT_PURCHASES], buyers[MEAN_REPEAT_VALUE])
        )
        theirs, *their_clv = timed(
            lambda: values.customer_lifetime_value(
                model, x, t_x, age, mean, time=MONTHS, discount_rate=MONTHLY_RATE, freq="W"
            )
        )
    print(f"{'lifetimes, plain':34}{'wall s':>9}{'CPU s':>9}{'times':>9}  largest relative difference")
    ours_total = theirs_total = 0.0
    for name, ours_time, their_time, difference in (
        ("BG/NBD fit", fit_time, their_fit, apart(list(fitted.model.parameters().values()), model.params_)),
        ("Gamma-Gamma fit", spend_time, their_spend, apart(list(spend.model.parameters().values()), values.params_)),
        ("CLV, 6 months of 4.345 weeks", clv_time, their_clv, apart(clv, theirs)),
    ):
        ours_total, theirs_total = ours_total + ours_time[1], theirs_total + their_time[1]
        times = their_time[1] / ours_time[1]
        print(f"{name:34}{their_time[0]:9.2f}{their_time[1]:9.2f}{times:8.1f}x  {difference:.1e}")
    print(f"{'together':34}{'':9}{theirs_total:9.2f}{theirs_total / ours_total:8.1f}x  (CPU)")


if __name__ == "__main__":
    main()
