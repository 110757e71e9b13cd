"""How fast drift is: customers of 24 dates and windows of 5 million lines, and the agreement of a million labels."""

from __future__ import annotations

import time
from datetime import date, timedelta

import ibis
import numpy as np
import pyarrow as pa
from sklearn.metrics import adjusted_rand_score

from engines.evaluation.calendar import RECENT_DAYS, WINDOW_DAYS
from engines.evaluation.drift import adjusted_rand
from engines.evaluation.stability_index import WATCHED as DRIFT_COLUMNS
from engines.features import SalesWindow, build_customers, customers_at, customers_within
from engines.value import NEEDED

LINES = 5_000_000


def lines() -> pa.Table:
    """Five million clean sales lines of 200,000 customers over three years."""
    draw = np.random.default_rng(0)
    day = draw.integers(0, 1096, LINES)
    customer = (draw.gamma(1.0, 40_000, LINES)).astype(np.int64) % 200_000
    return pa.table(
        {
            "customer_id": pa.array(customer).cast(pa.string()),
            "order_id": pa.array(customer * 2000 + day).cast(pa.string()),
            "order_date": np.datetime64("2022-01-01", "us") + day.astype("m8[D]").astype("m8[us]"),
            "quantity": draw.integers(1, 9, LINES).astype(np.float64),
            "amount_units": draw.integers(1_000, 900_000, LINES),
            "product_id": pa.array(draw.integers(0, 3_000, LINES)).cast(pa.string()),
            "description": pa.array(["THING"] * LINES),
            "country": pa.array(["United Kingdom"] * LINES),
            "line_type": pa.array(["sale"] * LINES),
        }
    )


def cpu(work) -> tuple[float, object]:
    """CPU seconds and what came of it."""
    started = time.process_time()
    result = work()
    return time.process_time() - started, result


def main() -> None:
    """Print the figures, and fail where they are not kept."""
    draw = np.random.default_rng(0)
    a = draw.integers(0, 8, 1_000_000)
    b = np.where(draw.random(len(a)) < 0.7, a, draw.integers(0, 8, len(a)))
    ours = min(cpu(lambda: adjusted_rand(a, b))[0] for _ in range(5))
    theirs = min(cpu(lambda: adjusted_rand_score(a, b))[0] for _ in range(3))
    same = abs(adjusted_rand(a, b) - adjusted_rand_score(a, b)) < 1e-12
    print(f"ARI of a million: {ours:.4f} s, scikit-learn {theirs:.3f} s, {theirs / ours:.0f} times; same value: {same}")
    connection = ibis.duckdb.connect()
    sales = connection.create_table("sales", lines())
    last = date(2025, 1, 1)
    cutoffs = [date(2023 + month // 12, month % 12 + 1, 1) for month in range(1, 24)] + [last]
    build_customers(sales, as_of=date(2022, 2, 1))
    full, _ = cpu(lambda: build_customers(sales, as_of=last))
    watched = {*DRIFT_COLUMNS, *NEEDED}
    many, _ = cpu(lambda: sum(len(table) for _, table in customers_at(sales, cutoffs, columns=watched)))
    whole, _ = cpu(lambda: sum(len(table) for _, table in customers_at(sales, cutoffs)))
    windows = [SalesWindow(day - timedelta(days=days), day) for day in cutoffs for days in (WINDOW_DAYS, RECENT_DAYS)]
    wanted = {*DRIFT_COLUMNS}
    within, _ = cpu(lambda: sum(len(table) for _, table in customers_within(sales, windows, columns=wanted)))
    print(f"{len(windows)} windows {within:.1f} s CPU, {within / full:.2f} times one build")
    print(
        f"{LINES:,} lines: one build {full:.1f} s CPU, {len(cutoffs)} cut-offs {many:.1f} s of the columns that a "
        f"timeline looks at, {many / full:.2f} times, {whole:.1f} s of all columns, {whole / full:.2f} times"
    )
    assert same
    assert theirs / ours >= 10
    assert many / full <= 1.5
    assert whole / full <= 1.5


if __name__ == "__main__":
    main()
