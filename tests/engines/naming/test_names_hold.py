"""Names hold: no segment of any engine is called what its own customers are not, on real and made-up sales.

What a name promises is written down here anew, apart from the product's playbook and its conditions.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dashboard.config import load_config
from engines.clustering.clusterers import NOISE
from engines.contract import Engine, Predecessor
from engines.features.build import build_customers
from engines.gmm import GaussianMixture
from engines.hierarchical import Hierarchical
from engines.intake.read import read_sales
from engines.kmeans import KMeans
from engines.naming.naming import name_segments
from engines.naming.neutral import parts_of
from engines.rfm import RFM
from engines.run import in_order, segment
from engines.settings import Reading

CLASSIC = load_config(environ={}).plays
PLAIN = load_config(environ={}).replace(naming={"vocabulary": "plain"}).plays

AWAY = {
    *("About to Sleep", "At Risk", "Can't Lose Them", "Hibernating", "Lost"),
    *("Cooling off", "Slipping away", "Missed VIP", "Dormant", "Gone"),
}
RECENT = {
    *("Champions", "Loyal Customers", "Potential Loyalists", "New Customers", "Promising"),
    *("VIP", "Loyal", "Growing", "Recent", "Trying us"),
}
CAME_BACK = {
    *("Champions", "Loyal Customers", "At Risk", "Can't Lose Them", "Potential Loyalists"),
    *("VIP", "Loyal", "Slipping away", "Missed VIP", "Growing"),
}
NEW = {"New Customers", "Recent"}
BEST = {"Champions", "VIP"}


def contradictions(customers: pd.DataFrame, segment_of: pd.Series, ranked: bool = True) -> list[str]:
    """What is wrong with the names of segments by their customers' figures; where ranked, by each other's as well."""
    everyone = customers[["recency_days", "tenure_days", "frequency", "monetary"]].astype(float).mean()
    wrong = []
    spend = customers["monetary"].astype(float).groupby(segment_of).mean()
    for name, own in customers.groupby(segment_of):
        recency, tenure = own["recency_days"].astype(float).mean(), own["tenure_days"].astype(float).mean()
        came_back = (own["frequency"] > 1).mean()
        if name in AWAY and recency < everyone["recency_days"] - 1e-6:
            wrong.append(f"{name}: last order {recency:.0f} days ago, all {everyone['recency_days']:.0f}")
        if name in RECENT and recency > everyone["recency_days"] + 1e-6:
            wrong.append(f"{name}: last order {recency:.0f} days ago, all {everyone['recency_days']:.0f}")
        if name in CAME_BACK and came_back < 0.5:
            wrong.append(f"{name}: {came_back:.0%} ordered more than once")
        if name in NEW and (came_back > 0.3 or tenure > 0.8 * everyone["tenure_days"] + 1e-6):
            wrong.append(f"{name}: {came_back:.0%} ordered more than once, first order {tenure:.0f} days ago")
        recent = [other for other in spend.index if other in RECENT or recent_side(customers, segment_of, other)]
        if ranked and name in BEST and any(spend[other] > spend[name] + 1e-6 for other in recent):
            wrong.append(f"{name}: others as recent spend more")
        stem, _, number = str(name).rpartition(" ")
        if number.isdigit() and (stem in AWAY | RECENT):
            wrong.append(f"{name}: a numbered copy")
        wrong += neutral_contradictions(str(name), own, customers)
    return wrong


def recent_side(customers: pd.DataFrame, segment_of: pd.Series, name: str) -> bool:
    own = customers.loc[segment_of == name, "recency_days"].astype(float).mean()
    return bool(own <= customers["recency_days"].astype(float).mean())


def neutral_contradictions(name: str, own: pd.DataFrame, customers: pd.DataFrame) -> Iterator[str]:
    """Each word of a neutral name must be true of the means."""
    tables = [
        table.assign(basket=table["monetary"].astype(float) / table["frequency"]).astype(
            {"recency_days": float, "frequency": float, "monetary": float, "tenure_days": float}
        )
        for table in (own, customers)
    ]
    words = {
        "recent": ("recency_days", -1), "long away": ("recency_days", 1),
        "few orders": ("frequency", -1), "many orders": ("frequency", 1),
        "small baskets": ("basket", -1), "large baskets": ("basket", 1),
        "low spend": ("monetary", -1), "high spend": ("monetary", 1),
        "short history": ("tenure_days", -1), "long history": ("tenure_days", 1),
    }  # fmt: skip
    for word in name.rstrip(" 0123456789").lower().split(", "):
        if word in words:
            column, sign = words[word]
            mine, all_of_them = (table[column].mean() for table in tables)
            if sign * (mine - all_of_them) <= 0:
                yield f"{name}: {word}, but {mine:.2f} against {all_of_them:.2f}"


# --- shops ----------------------------------------------------------------------------------------------------------


def shop(kind: str, people: int, seed: int) -> pd.DataFrame:
    """Customers of a made-up shop, from orders drawn day by day, so that tenure, recency and orders fit together."""
    generator = np.random.default_rng(seed)
    days = {"young": 60, "old": 1500}.get(kind, 500)
    came = generator.integers(0, days, people)
    rate = generator.gamma(0.7, 1 / 40, people) * (0.02 if kind == "once" else 1)
    stays = generator.exponential(200, people)
    rows = []
    for number in range(people):
        until = min(days - came[number], stays[number])
        extra = generator.poisson(rate[number] * until)
        at = np.unique(np.concatenate([[0], generator.integers(0, max(int(until), 1), extra)]))
        value = generator.lognormal(3, 1) * (50 if kind == "whales" and generator.random() < 0.01 else 1)
        last = days - came[number] - at[-1]
        rows.append((last, len(at), round(value * len(at), 2), days - came[number]))
    columns = ["recency_days", "frequency", "monetary", "tenure_days"]
    index = pd.Index([f"c{number:05d}" for number in range(people)], name="customer_id")
    table = pd.DataFrame(rows, columns=columns, index=index)
    return table.assign(monetary=0.0) if kind == "no money" else table


SHOPS = ("growing", "young", "old", "once", "whales", "no money")
OLIST = {"customer_id": "customer_unique_id", "order_date": "order_purchase_timestamp", "amount": "price"}
FILES = {
    "online_retail.csv.gz": {},
    "online_retail_II_sample.xlsx": {},
    "olist_transactions.csv.gz": OLIST,
    "retail_transactions_dd-Mon-yy.csv.gz": {},
}
ENGINES = {"kmeans": KMeans, "gmm": GaussianMixture, "hierarchical": Hierarchical}


@cache
def customers_of(source: str) -> pd.DataFrame:
    """The customers of an embedded data set or a file, as the product makes them."""
    mapping = FILES.get(Path(source).name, {})
    reading = Reading(trust_guesses=True, unreadable_share=0.1 if mapping else 0.01)
    with read_sales(source, mapping=mapping, reading=reading) as sales:
        return in_order(build_customers(sales.table, as_of=sales.as_of))


def check_every_k(customers: pd.DataFrame, engine: type[Engine], ks: range = range(2, 13)) -> None:
    """No contradiction for any k, in either vocabulary; names are unique, and stay when the engine runs again."""
    for k, fitted in zip(ks, engine().fit_each(customers, ks), strict=True):
        labels = fitted.assign(customers)
        for plays in (CLASSIC, PLAIN):
            named = name_segments(customers, labels, fitted.segments, plays)
            names = {item.key: item.name for item in named}
            assert len(set(names.values())) == labels.nunique(), (k, names)
            assert contradictions(customers, labels.map(names)) == [], k
            for item in named:
                play = next((play for play in plays if play.name == item.name), None)
                assert item.action == ("" if play is None else play.action)
                assert play is not None or parts_of(item.name.rstrip(" 0123456789")), item.name
            again = name_segments(customers, labels, fitted.segments, plays, Predecessor(labels, named))
            assert {item.key: item.name for item in again} == names, k


@pytest.mark.parametrize("kind", SHOPS)
@pytest.mark.parametrize("engine", ENGINES)
def test_names_hold_in_made_up_shops(kind, engine):
    check_every_k(shop(kind, 500, 5), ENGINES[engine], range(2, 13, 2))


def test_names_hold_on_the_cdnow_sample():
    check_every_k(customers_of("cdnow-sample"), KMeans)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("source", ["cdnow", "cdnow-sample"])
def test_names_hold_on_cdnow(source, engine):
    check_every_k(customers_of(source), ENGINES[engine])


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("file", FILES)
def test_names_hold_on_real_sales(file, engine, shared_data):
    check_every_k(customers_of(str(shared_data / file)), ENGINES[engine])


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", SHOPS)
def test_names_hold_in_many_made_up_shops(kind, seed, engine):
    check_every_k(shop(kind, 1500, seed), ENGINES[engine])


def check_rules(customers: pd.DataFrame, bins: range = range(3, 11)) -> None:
    """RFM's names hold as well, with either grid and any number of scores."""
    for grid in ("ten", "eleven"):
        for count in bins:
            result = segment("rfm", RFM(grid=grid, bins=count), customers, plays=CLASSIC)
            names = {item.key: item.name for item in result.segments}
            assert contradictions(customers, result.labels.map(names), ranked=False) == [], (grid, count)
            assert NOISE not in names


@pytest.mark.parametrize("kind", SHOPS)
def test_names_of_the_grids_hold_in_made_up_shops(kind):
    check_rules(shop(kind, 500, 5), range(3, 11, 2))


@pytest.mark.slow
@pytest.mark.parametrize("source", ["cdnow", *FILES])
def test_names_of_the_grids_hold_on_real_sales(source, request):
    path = source if source == "cdnow" else str(request.getfixturevalue("shared_data") / source)
    check_rules(customers_of(path))


def test_the_checker_finds_what_it_should():
    """What the names were before they had conditions: each of these is a contradiction."""
    customers = shop("growing", 500, 5)
    recent = customers["recency_days"] < customers["recency_days"].mean()
    assert contradictions(customers, recent.map({True: "Lost", False: "Champions"}))
    once = customers["frequency"] == 1
    assert any("At Risk" in text for text in contradictions(customers, once.map({True: "At Risk", False: "Loyal"})))
    assert any("New" in text for text in contradictions(customers, once.map({True: "Lost", False: "New Customers"})))
    poor = customers["monetary"] < customers["monetary"].median()
    assert any("spend more" in text for text in contradictions(customers, poor.map({True: "VIP", False: "Trying us"})))
    assert any("recent" in text for text in contradictions(customers, recent.map({True: "Few", False: "Recent, x"})))
