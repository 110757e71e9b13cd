"""How fast the engines are and how much memory they take, beside bare scikit-learn in the same run.

    python benchmarks/four_engines.py [--customers 1000000] [--only kmeans] [--scaling] [--memory]

Customers are made up: planted groups in eight columns as shops have them. Seconds are of the processor, all threads
together, the best of several goes where a go is short; ``held`` says whether the product's promise is kept.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.cluster import AgglomerativeClustering
from sklearn.cluster import KMeans as BareKMeans
from sklearn.mixture import GaussianMixture as BareMixture
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from engines import columns as names
from engines.clustering.clusterers import NOISE
from engines.contract import Engine, Fitted
from engines.evaluation.drift import adjusted_rand
from engines.gmm import GaussianMixture
from engines.hierarchical import Hierarchical
from engines.kmeans import KMeans
from engines.metrics import MetricInput, measure
from engines.naming.naming import name_segments
from engines.rfm import RFM
from engines.run import segment

#: Columns, the logarithm of a typical value, and how far values spread around it.
COLUMNS = (
    (names.RECENCY, 4.5, 1.0),
    (names.FREQUENCY, 3.0, 0.8),
    (names.MONETARY, 6.0, 1.0),
    (names.AVERAGE_ORDER_VALUE, 3.5, 0.6),
    (names.ITEMS_PER_ORDER, 1.5, 0.5),
    (names.UNIQUE_PRODUCTS, 3.5, 0.7),
    (names.TENURE, 6.0, 0.5),
    (names.MEAN_REPEAT_VALUE, 3.5, 0.8),
)
FEATURES = tuple(name for name, _, _ in COLUMNS)
WHOLE = (names.RECENCY, names.FREQUENCY, names.UNIQUE_PRODUCTS, names.TENURE)
K = 5
SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000, 5_000_000)

ENGINES: dict[str, Engine] = {
    "rfm": RFM(),
    "kmeans": KMeans(k=K, features=FEATURES),
    "gmm": GaussianMixture(k=K, features=FEATURES),
    "hierarchical": Hierarchical(k=K, features=FEATURES),
}


@dataclass(frozen=True)
class Line:
    """One line of the table: what is compared, both sides, and the promise about them."""

    what: str
    ours: float
    theirs: float
    promise: str
    held: bool


def planted(count: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Customers in K groups of different sizes, and the group of each."""
    generator = np.random.default_rng(0)
    centres = np.random.default_rng(1).normal(size=(K, len(COLUMNS)))
    groups = generator.choice(K, size=count, p=np.arange(K, 0, -1) / np.arange(1, K + 1).sum())
    table = {}
    for position, (name, typical, spread) in enumerate(COLUMNS):
        place = centres[groups, position] + generator.normal(scale=0.55, size=count)
        values = np.exp(typical + spread * place)
        table[name] = np.maximum(1, values.round()).astype(np.int64) if name in WHOLE else values.round(2)
    index = pd.Index([f"C{number:07d}" for number in range(count)], name=names.CUSTOMER_ID, dtype="str")
    return pd.DataFrame(table, index=index), groups


def cpu(act: Callable[[], Any], goes: int = 1) -> tuple[float, Any]:
    """Processor seconds of all threads (the least of so many goes), and what came of it."""
    least, result = np.inf, None
    for _ in range(goes):
        start = time.process_time()
        result = act()
        least = min(least, time.process_time() - start)
    return least, result


def bare(estimator: Any) -> Pipeline:
    """What one would write with scikit-learn alone."""
    return make_pipeline(FunctionTransformer(np.log1p), StandardScaler(), estimator)


def at_most(what: str, ours: float, theirs: float, times: float) -> Line:
    """The promise that ours is at most so many times theirs."""
    return Line(what, ours, theirs, f"at most {times:g} times", ours <= times * theirs)


def described(customers: pd.DataFrame, fitted: Fitted, seed: int = 0) -> None:
    """Names and metrics of a fitted engine, as a run works them out; without stability."""
    labels = fitted.assign(customers)
    keys = labels.to_numpy()
    codes = np.unique(keys, return_inverse=True)[1]
    name_segments(customers, labels, fitted.segments, ())
    measure(MetricInput(customers, codes, keys != NOISE, fitted.space(customers), fitted.diagnostics, seed))


def of_description(name: str, customers: pd.DataFrame, fitted: Fitted, fit: float) -> Line:
    """Names and metrics against the fit; the assigning that ``described`` begins with is no part of them."""
    whole = cpu(lambda: described(customers, fitted), 3)[0]
    assigning = cpu(lambda: fitted.assign(customers), 3)[0]
    return at_most(f"{name}: names and metrics / fit", whole - assigning, fit, 1)


# --- one engine each -------------------------------------------------------------------------------------------------


def rfm(customers: pd.DataFrame, groups: np.ndarray) -> Iterator[Line]:
    """Scores against one sort of each of the three columns."""
    engine = ENGINES["rfm"]
    three = [customers[name].to_numpy(np.float64) for name in FEATURES[:3]]
    fit, fitted = cpu(lambda: engine.fit(customers), 5)
    assign, _ = cpu(lambda: fitted.assign(customers), 5)
    sort, _ = cpu(lambda: [np.sort(values) for values in three], 5)
    yield at_most("rfm: fit / one sort per column", fit, sort, 2)
    yield at_most("rfm: fit and assign / one sort per column", fit + assign, sort, 2)
    yield of_description("rfm", customers, fitted, fit)


def kmeans(customers: pd.DataFrame, groups: np.ndarray) -> Iterator[Line]:
    """Against ten starts on everyone."""
    engine, theirs = ENGINES["kmeans"], bare(BareKMeans(K, n_init=10, random_state=0))
    matrix = customers.to_numpy(np.float64)
    fit, fitted = cpu(lambda: engine.fit(customers), 2)
    their_fit, _ = cpu(lambda: theirs.fit(matrix))
    yield at_most("kmeans: fit / KMeans(n_init=10)", fit, their_fit, 1 / 5)
    yield at_most("kmeans: inertia", fitted.diagnostics["inertia"], float(theirs[-1].inertia_), 1.0001)
    assign, _ = cpu(lambda: fitted.assign(customers), 5)
    predict, _ = cpu(lambda: theirs.predict(matrix), 5)
    yield at_most("kmeans: assign / predict", assign, predict, 1.5)
    yield of_description("kmeans", customers, fitted, fit)


def gmm(customers: pd.DataFrame, groups: np.ndarray) -> Iterator[Line]:
    """Against one fit on everyone."""
    engine, theirs = ENGINES["gmm"], bare(BareMixture(K, random_state=0))
    matrix = customers.to_numpy(np.float64)
    fit, fitted = cpu(lambda: engine.fit(customers), 2)
    their_fit, _ = cpu(lambda: theirs.fit(matrix))
    yield at_most("gmm: fit / GaussianMixture", fit, their_fit, 1)
    ours, reached = fitted.diagnostics["log_likelihood"], float(theirs.score(matrix)) * len(matrix)
    yield Line("gmm: log-likelihood", ours, reached, "at least as high", ours >= reached)
    assign, _ = cpu(lambda: fitted.assign(customers), 3)
    predict, _ = cpu(lambda: theirs.predict(matrix), 2)
    yield at_most("gmm: assign / predict", assign, predict, 1.5)
    yield of_description("gmm", customers, fitted, fit)


def hierarchical(customers: pd.DataFrame, groups: np.ndarray) -> Iterator[Line]:
    """Exact Ward cannot run on so many: the planted groups stand beside, and exact Ward on 10,000."""
    engine = ENGINES["hierarchical"]
    fit, fitted = cpu(lambda: engine.fit(customers), 2)
    assign, labels = cpu(lambda: fitted.assign(customers), 2)
    limit = 5.0 * len(customers) / 1_000_000
    yield Line("hierarchical: fit and assign", fit + assign, limit, "within 5 s a million", fit + assign <= limit)
    few = np.random.default_rng(0).choice(len(customers), min(10_000, len(customers)), replace=False)
    matrix = bare("passthrough").fit_transform(customers.to_numpy(np.float64)[few])
    exact = adjusted_rand(AgglomerativeClustering(K).fit_predict(matrix).astype(np.int64), groups[few])
    found = adjusted_rand(labels.to_numpy(), groups)
    yield Line("hierarchical: ARI to planted / of exact Ward on 10,000", found, exact, "at least 0.9", found >= 0.9)
    yield of_description("hierarchical", customers, fitted, fit)


COMPARISONS = {"rfm": rfm, "kmeans": kmeans, "gmm": gmm, "hierarchical": hierarchical}


# --- memory and size -------------------------------------------------------------------------------------------------


def _resident(line: str) -> int:
    """Bytes of this process's memory: ``VmRSS`` now, ``VmHWM`` at most since it was last reset."""
    text = next(row for row in Path("/proc/self/status").read_text().splitlines() if row.startswith(line))
    return int(text.split()[1]) * 1024


def peak(name: str, customers: int) -> int:
    """Most bytes that a whole run (fit, assign, names, metrics) takes beyond the table; for a process of its own."""
    segment(name, ENGINES[name], planted(20_000)[0], plays=())  # what is loaded or kept once is no part of it
    table, _ = planted(customers)
    before = _resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    segment(name, ENGINES[name], table, plays=())
    return _resident("VmHWM") - before


def memory(name: str, customers: int) -> Line:
    """Peak memory of a run against the feature matrix."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        taken = pool.apply(peak, (name, customers))
    matrix = customers * len(FEATURES) * 8
    return at_most(f"{name}: peak memory / feature matrix (MB)", taken / 1e6, matrix / 1e6, 3)


def scaling(name: str, sizes: tuple[int, ...]) -> Line:
    """How the cost of fit and assign grows with the number of customers: the exponent, from a line in logarithms."""
    costs = []
    for size in sizes:
        table, _ = planted(size)
        engine = ENGINES[name]
        costs.append(cpu(lambda e=engine, t=table: e.fit(t).assign(t), 3 if size < 300_000 else 1)[0])
        print(f"  {name} {size:>9,}: {costs[-1]:.3f} s", flush=True)
    exponent = float(np.polyfit(np.log(sizes), np.log(costs), 1)[0])
    return Line(
        f"{name}: exponent of the cost, {sizes[0]:,} to {sizes[-1]:,}", exponent, 1.0, "at most 1.1", exponent <= 1.1
    )


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--only", choices=tuple(ENGINES), action="append", help="one engine; again for more")
    parser.add_argument("--memory", action="store_true", help="only the peak memory")
    parser.add_argument("--scaling", action="store_true", help=f"only the cost against size, up to {SIZES[-1]:,}")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    chosen = given.only or list(ENGINES)
    print(
        f"{given.customers:,} customers x {len(FEATURES)}, k = {K}; {platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, numpy {np.__version__}, scikit-learn {version('scikit-learn')}\n"
    )
    print(f"{'':58}{'ours':>12}{'beside':>12}{'ratio':>8}  promise")
    customers, groups = (None, None) if given.memory or given.scaling else planted(given.customers)
    for name in chosen:
        lines: list[Line] = []
        if customers is not None:
            lines += COMPARISONS[name](customers, groups)
        if given.scaling:
            lines.append(scaling(name, SIZES))
        else:
            lines.append(memory(name, given.customers))
        for line in lines:
            held = "held" if line.held else "MISSED"
            ratio = line.ours / line.theirs
            print(f"{line.what:58}{line.ours:12,.3f}{line.theirs:12,.3f}{ratio:8.3f}  {line.promise}: {held}")


if __name__ == "__main__":
    main()
