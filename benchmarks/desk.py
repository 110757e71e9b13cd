"""How fast the Segments page answers: any filter on a million customers, beside the same page in plain pandas.

    python benchmarks/desk.py [--customers 1000000] [--clicks 60] [--users 50] [--no-browser]

Two dates of made-up customers are segmented by RFM into a SQLite store. Measured are: the CPU seconds of the server for
everything that one filter change asks for (one round trip), for a page of the customer table and for a tab; the same
figures, charts and first rows worked out by a plain callback on a DataFrame; the first view in headless Chromium; and
many users at once on a server with two web processes, with their memory.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import shutil
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


from dashboard.app import ready_to_serve
from dashboard.config import load_config
from dashboard.frames.cache import FrameCache
from dashboard.layout.shell import create_shell
from dashboard.pages.segments.rail import FIELDS, control, control_values
from dashboard.pipeline.run import make_engine
from dashboard.services import Services
from engines.run import segment
from storage import open_store
from storage.contract import NewSnapshot, Selection
from tests.serving import serving

COUNTRIES = ("United Kingdom", "Germany", "France", "Spain", "Italy", "Netherlands", "Belgium", "Sweden", "Norway")
CATEGORIES = ("bags", "christmas", "kitchen", "lighting", "stationery")
UPDATE, ROWS = "segments-drawn.data", "segments-customers.getRowsResponse"
TABS = {"segments-left-tab": "boxes", "segments-right-tab": "countries"}


def made_up(count: int, seed: int) -> pd.DataFrame:
    """Customers with every column that the page uses."""
    draw = np.random.default_rng(seed)
    frequency = draw.geometric(0.25, count)
    monetary = np.round(frequency * draw.lognormal(3.2, 0.9, count), 2)
    recency = np.minimum(draw.exponential(110, count).astype(int) + 1, 730)
    clv = np.round(monetary * draw.uniform(0.05, 0.6, count) * np.exp(-recency / 300), 2)
    risk = np.round(1 - np.exp(-recency / 150) * 0.9, 4)
    shares = {f"share_{name}": np.round(draw.beta(0.4, 2.0, count), 3) for name in CATEGORIES}
    table = pd.DataFrame(
        {
            "country": draw.choice(COUNTRIES, count, p=np.array([40, 9, 8, 7, 6, 5, 4, 3, 2]) / 84),
            "recency_days": recency,
            "frequency": frequency,
            "monetary": monetary,
            "net_monetary": monetary,
            "average_order_value": monetary / frequency,
            "tenure_days": recency + draw.integers(1, 400, count),
            "last_purchase": pd.Timestamp("2024-05-01") - pd.to_timedelta(recency, unit="D"),
            "expected_purchases": clv / 20,
            "clv": clv,
            "clv_low": clv * 0.6,
            "clv_high": clv * 1.5,
            "p_purchase": 1 - risk,
            "churn_risk": np.where(recency < 14, np.nan, risk),
            "future_spend": clv * 1.04,
            **shares,
        },
        index=pd.Index([f"C{number:08d}" for number in range(count)], name="customer_id"),
    )
    return table


def fill(url: str, count: int) -> int:
    """Two dates in the store, each segmented by RFM; gives the later run."""
    config = load_config(environ={}).replace(database={"url": url})
    with closing(open_store(url, clock=lambda: datetime.now(UTC))) as store:
        for number, day in enumerate((date(2024, 4, 1), date(2024, 5, 1))):
            customers = made_up(count, number)
            info = {"title": "Benchmark", "currency": "GBP", "has_country": True}
            snapshot = store.save_snapshot(NewSnapshot("bench", "bench", str(number), day, {}, {}, info), customers)
            engine = make_engine("rfm", config)
            result = segment("rfm", engine, customers, plays=config.plays)
            run = store.start_run(snapshot.id, "rfm", engine.settings(), lease_seconds=6000)
            store.finish_run(run.id, result, seconds=1.0, info={})
    return run.id


# --- what users do ----------------------------------------------------------------------------------------------------


def clicks(number: int, seed: int = 0) -> list[Selection]:
    """Filters as people set them: one or several at a time, wide and narrow, with a box now and then."""
    pick = random.Random(seed)
    names = ("Champions", "At Risk", "Hibernating", "Loyal Customers", "Potential Loyalists", "New Customers")
    found = []
    for place in range(number):
        one = Selection()
        kind = place % 8
        if kind in (0, 5):
            one = replace(one, segments=tuple(pick.sample(names, pick.randint(1, 3))))
        if kind in (1, 5, 6):
            one = replace(one, countries=tuple(pick.sample(COUNTRIES, pick.randint(1, 4))))
        if kind in (2, 6):
            one = replace(
                one,
                bounds={
                    "clv": (round(pick.uniform(0, 60), 2), None),
                    "recency_days": (None, float(pick.randint(60, 700))),
                },
            )
        if kind == 3:
            one = replace(
                one,
                bounds={
                    "churn_risk": (None, round(pick.uniform(0.3, 0.9), 2)),
                    "frequency": (float(pick.randint(1, 3)), None),
                },
            )
        if kind == 4:
            one = replace(one, shares=((pick.choice(CATEGORIES), round(pick.uniform(0.05, 0.4), 2)),))
        if kind == 7:
            middle, high = round(pick.uniform(30, 200)), round(pick.uniform(4, 12))
            one = replace(one, bounds={"recency_days": (middle - 60, middle + 60), "frequency": (high - 3, high + 3)})
        found.append(one)
    return found


class Page:
    """What a browser sends for the Segments page; ``post`` carries it to a server and brings the answer."""

    def __init__(self, run: int, dependencies: list[dict[str, Any]], post: Callable[[dict[str, Any]], Any]) -> None:
        self._run, self._post = run, post
        self._by_output = {item["output"]: item for item in dependencies}

    def draw(self, selection: Selection, triggered: str = "segments-filter-segments.value") -> dict[str, Any]:
        """A control was set so that the rail asks for this selection."""
        address = f"?run={self._run}"
        drawn = {"run": self._run, "query": address, "problems": [], "address": address}
        shown = control_values(selection)
        values = {f"{control(field)}.value": shown[field] for field in FIELDS}
        values |= {"segments-search.data": address, "theme.data": "light", "segments-drawn.data": drawn}
        values |= {f"{name}.value": chosen for name, chosen in TABS.items()}
        return self._call(UPDATE, values, triggered)

    def rows(self, drawn: dict[str, Any], sort: str) -> Any:
        """The first page of the customer table."""
        request = {"startRow": 0, "endRow": 100, "sortModel": [{"colId": sort, "sort": "desc"}], "filterModel": {}}
        values = {"segments-customers.getRowsRequest": request, "segments-drawn.data": drawn}
        return self._call(ROWS, values, "segments-customers.getRowsRequest")

    def tab(self, drawn: dict[str, Any], name: str, chosen: str) -> Any:
        """Another chart of a card with tabs."""
        values = {f"{one}.value": shown for one, shown in {**TABS, name: chosen}.items()}
        values |= {"segments-search.data": drawn["address"], "segments-drawn.data": drawn, "theme.data": "light"}
        return self._call(UPDATE, values, f"{name}.value")

    def _call(self, ending: str, values: dict[str, Any], triggered: str) -> Any:
        found = next(item for output, item in self._by_output.items() if ending in output)

        def filled(part: dict[str, Any]) -> Any:
            if part["id"].startswith("{"):
                return []
            return {**part, "value": values.get(f"{part['id']}.{part['property']}")}

        outputs = []
        for text in found["output"].strip(".").split("..."):
            name, prop = text.rsplit(".", 1)
            outputs.append({"id": name, "property": prop})
        return self._post(
            {
                "output": found["output"],
                "outputs": outputs if found["output"].startswith("..") else outputs[0],
                "inputs": [filled(part) for part in found["inputs"]],
                "state": [filled(part) for part in found["state"]],
                "changedPropIds": [triggered],
            }
        )


def drawn_of(answer: dict[str, Any]) -> dict[str, Any]:
    """What the page says that it shows, in an answer."""
    return answer["response"]["segments-drawn"]["data"]


# --- the same page, written plainly -----------------------------------------------------------------------------------


def plain_callback(table: pd.DataFrame, selection: Selection) -> str:
    """What a first Dash page does: filter the DataFrame, group it, and draw with Plotly; the same things are shown."""
    view = table
    if selection.segments:
        view = view[view["segment"].isin(selection.segments)]
    if selection.countries:
        view = view[view["country"].isin(selection.countries)]
    for column, (low, high) in selection.bounds.items():
        view = view[view[column] >= low] if low is not None else view
        view = view[view[column] <= high] if high is not None else view
    for category, share in selection.shares:
        view = view[view[f"share_{category}"] >= share]
    options = [view["segment"].value_counts(), view["country"].value_counts()]
    totals = view[["monetary", "frequency", "clv"]].sum(), (view["monetary"] * view["churn_risk"]).sum()
    means = ["recency_days", "frequency", "monetary", "clv", "churn_risk"]
    by_segment = view.groupby("segment")[means].mean(), view.groupby("segment")["monetary"].sum()
    best = view["monetary"].nlargest(max(len(view) // 10, 1)).sum() if len(view) else 0
    figures = []
    for x, y in (("recency_days", "frequency"), ("monetary", "clv")):
        density = np.histogram2d(view[x], np.log1p(view[y]), bins=50)[0]
        some = view.sample(min(3000, len(view)), random_state=0)
        figure = go.Figure(go.Heatmap(z=density))
        for name, part in some.groupby("segment"):
            figure.add_scatter(x=part[x], y=part[y], mode="markers", name=name, customdata=part.index)
        figures.append(figure)
    quantiles = view.groupby("segment")["clv"].quantile([0.05, 0.25, 0.5, 0.75, 0.95]).unstack()
    figures.append(
        go.Figure(go.Box(y=quantiles.index, q1=quantiles[0.25], median=quantiles[0.5], q3=quantiles[0.75]))
        if len(view)
        else go.Figure()
    )
    revenue = view.groupby("country")["monetary"].sum().sort_values()
    figures.append(go.Figure(go.Bar(x=revenue, y=revenue.index)))
    first = view.sort_values("clv", ascending=False).head(100)
    told = [str(part) for part in (*options, *totals, *by_segment, best)]
    return json.dumps([*told, *(figure.to_json() for figure in figures), first.to_json(date_format="iso")])


# --- measuring --------------------------------------------------------------------------------------------------------


def cpu_of(acts: list[Callable[[], Any]]) -> list[float]:
    """CPU seconds of each."""
    taken = []
    for act in acts:
        begun = time.process_time()
        act()
        taken.append(time.process_time() - begun)
    return taken


def line(what: str, seconds: list[float], note: str = "") -> None:
    """A line of the table, in milliseconds."""
    rising = sorted(seconds)
    p95 = rising[min(int(0.95 * len(rising)), len(rising) - 1)]
    print(f"{what:<50}{1000 * statistics.median(rising):>9.0f}{1000 * p95:>9.0f}{1000 * rising[-1]:>9.0f}  {note}")


def in_process(url: str, run: int, number: int) -> None:
    """CPU seconds of the server alone, without a network; and of the plain page."""
    config = load_config(environ={}).replace(database={"url": url})
    with closing(open_store(url, clock=lambda: datetime.now(UTC))) as store:
        services = Services(config, store, FrameCache(store))
        client = create_shell(services).server.test_client()
        ready_to_serve()
        sizes: list[int] = []

        def post(body: dict[str, Any]) -> Any:
            answer = client.post("/_dash-update-component", json=body)
            if answer.status_code != 200:
                raise SystemExit(f"The page answered {answer.status_code}: {answer.text[:300]}")
            sizes.append(len(answer.data))
            return answer.json

        page = Page(run, client.get("/_dash-dependencies").json, post)
        begun = time.perf_counter()
        drawn = drawn_of(page.draw(Selection(), triggered=""))
        print(f"first view of the run, cold (reads two dates from the store): {time.perf_counter() - begun:.1f} s")
        page.draw(Selection(bounds={"clv": (1.0, None)}))
        page.rows(drawn, "clv")
        wanted = clicks(number)
        sizes.clear()
        ours = cpu_of([lambda one=one: page.draw(one) for one in wanted])
        print(f"\n{'milliseconds of CPU':<50}{'median':>9}{'p95':>9}{'most':>9}")
        line("a filter: everything on the page", ours, f"one round trip, {statistics.median(sizes) / 1e3:,.0f} kB")
        some = [drawn_of(page.draw(one)) for one in wanted[:8]]
        for sort in ("monetary", "recency_days"):
            page.rows(drawn, sort)
        orders = ("clv", "monetary", "recency_days")
        line("a page of the customer table", cpu_of([lambda d=d, s=s: page.rows(d, s) for d in some for s in orders]))
        others = [("segments-left-tab", "spreads"), ("segments-left-tab", "tiles")]
        others += [("segments-right-tab", "grid")]
        for name, chosen in others:
            page.tab(drawn, name, chosen)
        line("another tab", cpu_of([lambda d=d, o=o: page.tab(d, *o) for d in some for o in others]))
        frame = services.frames.get(run)
        table = store.snapshot_customers(frame.snapshot.id)
        table["segment"] = np.array([item.name for item in frame.segments], dtype=object)[frame.segment_codes]
    plain = cpu_of([lambda one=one: plain_callback(table, one) for one in wanted[:16]])
    ratio = statistics.median(plain) / statistics.median(ours[:16])
    line("the same page written plainly in pandas", plain, f"{ratio:.1f} times ours (without an earlier date)")


def over_http(address: str, run: int) -> Page:
    """The page of a server that runs elsewhere."""

    def asked(path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(address + path, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.loads(answer.read() or b"null")

    return Page(run, asked("/_dash-dependencies"), lambda body: asked("/_dash-update-component", body))


def many_users(
    address: str, run: int, users: int, pause: float, each: int = 4, seed: int = 0
) -> tuple[list[float], list[str]]:
    """Seconds each click of each user took, who waits up to twice ``pause`` seconds between clicks; and what failed.

    No two users ask for the same; another ``seed`` asks for something else.
    """
    page, taken, failed = over_http(address, run), [], []
    together = threading.Barrier(users)

    def user(number: int) -> None:
        wait, choose = threading.Event(), random.Random(number)
        together.wait()
        for selection in clicks(8 * each, seed=seed + number)[number % 8 :: 8][:each]:
            wait.wait(choose.uniform(0, 2 * pause))
            begun = time.perf_counter()
            try:
                page.draw(selection)
            except OSError as error:
                failed.append(str(error))
            taken.append(time.perf_counter() - begun)

    threads = [threading.Thread(target=user, args=(number,)) for number in range(users)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return taken, failed


def memory_below(parent: int) -> list[float]:
    """MB of the processes that a process has started, the largest first; pages that several share count in each."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            status = (stat.parent / "status").read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == parent:
            found.append(int(next(one for one in status.splitlines() if one.startswith("VmRSS")).split()[1]) / 1024)
    return sorted(found, reverse=True)


def first_view(address: str, run: int) -> list[float]:
    """Seconds until headless Chromium shows the figures and charts of the page, with its cache warm."""
    from selenium import webdriver

    from tests.conftest import pytest_setup_options

    driver = webdriver.Chrome(options=pytest_setup_options())
    done = """return document.querySelectorAll('.kpi-value').length === 6
        && document.querySelectorAll('.chart-grid figure:not([hidden]) .main-svg').length >= 4"""
    taken = []
    try:
        for _ in range(6):
            begun = time.perf_counter()
            driver.get(f"{address}/?run={run}")
            while not driver.execute_script(done):
                threading.Event().wait(0.02)
            taken.append(time.perf_counter() - begun)
    finally:
        driver.quit()
    return taken[1:]


def served(folder: Path, url: str, run: int, users: int, browser: bool) -> None:
    """A real server with two web processes."""
    with serving(folder, "--workers", "2", DATABASE_URL=url) as address:
        many_users(address, run, 12, 0.0, each=1)  # both processes have read the run
        print(f"\n{'milliseconds on the clock, two web processes':<50}{'median':>9}{'p95':>9}{'most':>9}")
        if browser and shutil.which("chromium"):
            line("first view in headless Chromium, warm", first_view(address, run))
        ways = (
            (5.0, 4, "a click every 5 s each"),
            (0.0, 1, "one click each at the same moment"),
            (0.0, 4, "no pause at all"),
        )
        for seed, (pause, each, words) in enumerate(ways, 1):
            taken, failed = many_users(address, run, users, pause, each, 1_000 * seed)
            line(f"{users} users, {words}", taken, f"{len(failed)} errors in {len(taken)} clicks")
        servers = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split()
        sizes = [size for child in servers for size in memory_below(int(child))]
        print(f"memory of the web processes: {', '.join(f'{size:,.0f} MB' for size in sizes if size > 100)}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--clicks", type=int, default=60)
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--no-browser", action="store_true")
    parser.add_argument("--keep", help="a folder in which the store is made, or found again")
    given = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores: {given.customers:,} customers on each of two dates")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(given.keep or temporary)
        url = f"sqlite:///{folder / 'desk.db'}"
        run = 2 if (folder / "desk.db").exists() else fill(url, given.customers)
        in_process(url, run, given.clicks)
        served(folder, url, run, given.users, not given.no_browser)


if __name__ == "__main__":
    main()
