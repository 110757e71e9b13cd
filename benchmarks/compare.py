"""How fast the Compare page answers: four runs of a million customers, and how fast agreement is told.

    python benchmarks/compare.py [--customers 1000000] [--views 5]

Made-up customers are segmented by RFM, K-means (twice) and Ward clustering into a SQLite store. Measured are the CPU
seconds of the server for everything that one view of the page asks for (layout, the chosen runs, a pair of them, the
list of customers about whom they disagree, the address): at the first view of runs whose customers are in memory,
and at further ones. Then the adjusted Rand index and the adjusted mutual information of two labelings, beside those of
scikit-learn.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from dashboard.config import load_config
from dashboard.frames.cache import FrameCache
from dashboard.layout.shell import create_shell
from dashboard.pages.compare import page
from dashboard.pipeline.run import make_engine
from dashboard.services import Services
from engines.evaluation.drift import adjusted_mutual_information, adjusted_rand
from engines.run import segment
from storage import open_store
from storage.contract import NewSnapshot

RUNS = (("rfm", None), ("kmeans", 4), ("kmeans", 8), ("hierarchical", 4))
MOST_SECONDS, TIMES = 0.3, 10


def made_up(count: int) -> pd.DataFrame:
    """Customers with what the page looks at."""
    draw = np.random.default_rng(0)
    frequency = draw.geometric(0.25, count)
    monetary = np.round(frequency * draw.lognormal(3.2, 0.9, count), 2)
    recency = np.minimum(draw.exponential(110, count).astype(int) + 1, 730)
    return pd.DataFrame(
        {
            "country": draw.choice(["United Kingdom", "Germany", "France"], count),
            "recency_days": recency,
            "frequency": frequency,
            "monetary": monetary,
            "last_purchase": pd.Timestamp("2024-05-01") - pd.to_timedelta(recency, unit="D"),
            "clv": np.round(monetary * draw.uniform(0.05, 0.6, count) * np.exp(-recency / 300), 2),
        },
        index=pd.Index([f"C{number:08d}" for number in range(count)], name="customer_id"),
    )


def fill(url: str, count: int) -> list[int]:
    """Runs of one snapshot in the store."""
    config, ids = load_config(environ={}), []
    customers = made_up(count)
    info = {"title": "Benchmark", "currency": "GBP", "has_country": True}
    with closing(open_store(url, clock=lambda: datetime.now(UTC))) as store:
        snapshot = store.save_snapshot(NewSnapshot("bench", "bench", "1", date(2024, 5, 1), {}, {}, info), customers)
        for name, k in RUNS:
            engine = make_engine(name, config, k=k)
            result = segment(name, engine, customers, plays=config.plays)
            run = store.start_run(snapshot.id, name, engine.settings(), lease_seconds=6000)
            ids.append(store.finish_run(run.id, result, seconds=1.0, info={}).id)
    return ids


def cpu(act: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds, and what came of it."""
    begun = time.process_time()
    found = act()
    return time.process_time() - begun, found


class View:
    """What a browser asks for when it opens the page."""

    def __init__(self, services: Services, ids: list[int]) -> None:
        self._services, self._ids = services, ids
        self._client = create_shell(services).server.test_client()
        self._by_output = {item["output"]: item for item in self._client.get("/_dash-dependencies").json}
        self.bytes = 0

    def open(self) -> None:
        """The whole page."""
        search = f"?run={self._ids[0]}&" + "&".join(f"with={number}" for number in self._ids)
        page.layout(self._services, run=str(self._ids[0]), **{"with": [str(number) for number in self._ids]})
        values: dict[str, Any] = {"compare-runs.value": self._ids, "theme.data": "light", "url.search": search}
        self.bytes = 0
        for ending in ("compare-body.children", "compare-pair.children", "compare-rows.children", "remembered.data"):
            answer = self._call(ending, values)
            for name, props in (answer or {}).get("response", {}).items():
                values |= {f"{name}.{prop}": value for prop, value in props.items()}
        self._call("compare-runs.value@", values)

    def _call(self, part: str, values: dict[str, Any]) -> Any:
        found = next(item for output, item in self._by_output.items() if part in output and "compare" in output)
        outputs = [
            dict(zip(("id", "property"), text.rsplit(".", 1), strict=True))
            for text in found["output"].strip(".").split("...")
        ]
        body = {
            "output": found["output"],
            "outputs": outputs if found["output"].startswith("..") else outputs[0],
            "inputs": [{**one, "value": values.get(f"{one['id']}.{one['property']}")} for one in found["inputs"]],
            "state": [{**one, "value": values.get(f"{one['id']}.{one['property']}")} for one in found["state"]],
            "changedPropIds": ["compare-runs.value"],
        }
        answer = self._client.post("/_dash-update-component", json=body)
        if answer.status_code not in (200, 204):
            raise SystemExit(f"The page answered {answer.status_code}: {answer.text[:300]}")
        self.bytes += len(answer.data)
        return json.loads(answer.data) if answer.data else None


def page_seconds(url: str, ids: list[int], views: int) -> tuple[float, list[float]]:
    """CPU seconds of the first view with the customers in memory, and of further ones."""
    config = load_config(environ={}).replace(database={"url": url})
    with closing(open_store(url, clock=lambda: datetime.now(UTC))) as store:
        services = Services(config, store, FrameCache(store))
        small = View(services, ids)
        for number in ids:
            services.frames.get(number)
        first = cpu(small.open)[0]
        again = [cpu(small.open)[0] for _ in range(views)]
        print(f"one view sends {small.bytes / 1e3:,.0f} kB")
    return first, again


def agreement(count: int) -> bool:
    """Whether both indices are as scikit-learn's and fast enough."""
    draw = np.random.default_rng(0)
    a = draw.integers(0, 8, count)
    b = np.where(draw.random(count) < 0.7, a, draw.integers(0, 11, count))
    kept = True
    for name, ours, theirs in (
        ("adjusted Rand index", adjusted_rand, adjusted_rand_score),
        ("adjusted mutual information", adjusted_mutual_information, adjusted_mutual_info_score),
    ):
        mine = min(cpu(lambda ours=ours: ours(a, b))[0] for _ in range(5))
        other = min(cpu(lambda theirs=theirs: theirs(a, b))[0] for _ in range(3))
        apart = abs(ours(a, b) - theirs(a, b))
        print(
            f"{name}: {1000 * mine:.0f} ms, scikit-learn {1000 * other:.0f} ms, {other / mine:.0f} times, "
            f"{apart:.0e} apart"
        )
        kept = kept and other / mine >= TIMES and apart < 1e-9
    return kept


def main() -> int:
    """Print the figures, and fail where they are not kept."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--customers", type=int, default=1_000_000)
    asked.add_argument("--views", type=int, default=5)
    given = asked.parse_args()
    print(
        f"{platform.machine()}, Python {platform.python_version()}; {len(RUNS)} runs of {given.customers:,} customers"
    )
    with tempfile.TemporaryDirectory(prefix="segmentry-bench-") as folder:
        url = f"sqlite:///{folder}/bench.db"
        first, again = page_seconds(url, fill(url, given.customers), given.views)
    median = statistics.median(again)
    print(f"the whole page, CPU of the server: first {1000 * first:.0f} ms, again {1000 * median:.0f} ms (median)")
    kept = agreement(given.customers)
    return 0 if kept and median <= MOST_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
