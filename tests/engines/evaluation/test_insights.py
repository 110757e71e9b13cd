"""Sentences about a run: each figure worked out again in another way, from the customers themselves."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from engines.columns import CHURN_RISK, CLV, FREQUENCY, MONETARY, RECENCY
from engines.evaluation.insights import Earlier, Sums, Writing, best_tenth, insights, sentence
from engines.kmeans import KMeans
from tests.engines.cdnow import cdnow_customers

NAMES = ("Champions", "Loyal", "Hibernating", "Nobody")
SPACE = "\u00a0"


def money(value):
    return f"£{value:,.2f}"


def made(seed, number=500, *, valued=True):
    """Customers in three of four segments (one has nobody), a few without CLV; segment 0 spends most."""
    random = np.random.default_rng(seed)
    codes = random.choice(3, number, p=[0.2, 0.3, 0.5])
    customers = pd.DataFrame(
        {
            RECENCY: random.integers(1, 300, number) + 100 * codes,
            FREQUENCY: random.geometric(0.3 + 0.2 * codes),
            MONETARY: np.round(random.lognormal(5 - codes, 1, number), 2),
        }
    )
    if valued:
        customers[CLV] = customers[MONETARY] * random.uniform(0, 0.5, number)
        customers.loc[::17, CLV] = np.nan
        customers[CHURN_RISK] = random.uniform(0, 1, number)
    return customers, codes


def found(customers, codes, names=NAMES, earlier=None):
    """The insights of customers by kind; a code beyond the names is a customer who is not in view."""
    there = np.asarray(codes) < len(names)
    table, code = customers[there], pd.Series(np.asarray(codes)[there], index=customers.index[there])

    def sums(values):
        return values.groupby(code).sum().reindex(range(len(names)), fill_value=0.0).to_numpy(np.float64)

    best = best_tenth(len(table))
    view = Sums(
        names,
        sums(pd.Series(1.0, index=table.index)),
        revenue=sums(table[MONETARY]),
        recency=sums(table[RECENCY]),
        clv=sums(table[CLV]) if CLV in table else None,
        valued=sums(table[CLV].notna()) if CLV in table else None,
        at_risk=sums(table[MONETARY] * table[CHURN_RISK]) if CHURN_RISK in table else None,
        best_revenue=float(table[MONETARY].nlargest(best).sum()),
        once=int((table[FREQUENCY] <= 1).sum()),
    )
    return {item.kind: item for item in insights(view, earlier)}


def grouped(customers, codes):
    return customers.groupby(pd.Series(codes).map(dict(enumerate(NAMES))).to_numpy())


@pytest.mark.parametrize("seed", range(5))
def test_every_figure_is_what_the_customers_say(seed):
    customers, codes = made(seed)
    told = found(
        customers, codes, earlier=Earlier(date(2024, 1, 1), {"Champions": 60, "Loyal": 140, "Hibernating": 200})
    )
    by = grouped(customers, codes)
    revenue, sizes = by[MONETARY].sum(), by.size()

    top = told["most_revenue"].values
    assert top["segment"] == revenue.idxmax()
    assert top["revenue"] == pytest.approx(revenue.max())
    assert top["revenue_share"] == pytest.approx(revenue.max() / customers[MONETARY].sum())
    assert top["customers"] == sizes[top["segment"]]
    assert top["customer_share"] == pytest.approx(sizes[top["segment"]] / 500)

    clv = told["highest_clv"].values
    assert (clv["segment"], clv["clv"]) == (by[CLV].mean().idxmax(), pytest.approx(by[CLV].mean().max()))
    assert clv["all"] == pytest.approx(customers[CLV].mean())

    lost = (customers[MONETARY] * customers[CHURN_RISK]).groupby(pd.Series(codes)).sum()
    risk = told["most_at_risk"].values
    assert (risk["segment"], risk["at_risk"]) == (NAMES[lost.idxmax()], pytest.approx(lost.max()))
    assert risk["revenue"] == pytest.approx(revenue[risk["segment"]])

    growth = sizes / pd.Series({"Champions": 60, "Loyal": 140, "Hibernating": 200}) - 1
    fast = told["fastest_growth"].values
    assert (fast["segment"], fast["growth"]) == (growth.idxmax(), pytest.approx(growth.max()))
    assert fast["now"] == sizes[fast["segment"]]
    assert fast["all"] == pytest.approx(500 / 400 - 1)

    best = told["concentration"].values
    assert best["customers"] == 50
    assert best["revenue_share"] == pytest.approx(customers[MONETARY].nlargest(50).sum() / customers[MONETARY].sum())

    once = told["one_order"].values
    assert once == {
        "customers": (customers[FREQUENCY] == 1).sum(),
        "customer_share": (customers[FREQUENCY] == 1).mean(),
    }


@pytest.mark.parametrize("seed", range(3))
def test_customers_who_are_not_in_view_do_not_count(seed):
    customers, codes = made(seed)
    seen = customers[RECENCY] < 250
    part = found(customers, np.where(seen, codes, len(NAMES)))
    alone = found(customers[seen].reset_index(drop=True), codes[seen])
    assert set(part) == set(alone)
    for kind, item in alone.items():
        assert part[kind].values == pytest.approx(item.values)


def test_without_churn_risk_it_is_who_has_been_away():
    customers, codes = made(0, valued=False)
    told = found(customers, codes)
    assert "highest_clv" not in told
    assert "most_at_risk" not in told
    assert "drifting" not in told  # whoever has been away longest has spent least
    customers.loc[codes == 2, MONETARY] += 900
    item = found(customers, codes)["drifting"].values
    rows = customers[codes == 2]
    assert item["segment"] == "Hibernating"
    assert (item["customers"], item["revenue"]) == (len(rows), pytest.approx(rows[MONETARY].sum()))
    assert item["recency"] == pytest.approx(rows[RECENCY].mean())
    assert rows[RECENCY].mean() > 1.2 * customers[RECENCY].mean()


def test_growth_needs_enough_customers_before_and_some_growth():
    customers, codes = made(1)
    few = Earlier(date(2024, 1, 1), {"Champions": 19, "Loyal": 10, "Nobody": 500})
    assert "fastest_growth" not in found(customers, codes, earlier=few)
    shrunk = Earlier(date(2024, 1, 1), dict.fromkeys(NAMES, 1000))
    assert "fastest_growth" not in found(customers, codes, earlier=shrunk)


def test_what_says_nothing_is_not_said():
    customers, codes = made(2)
    nobody = np.full(500, len(NAMES))
    assert found(customers, nobody) == {}
    assert found(customers.assign(**{MONETARY: 0.0}), codes) == {}
    one = found(customers, np.zeros(500, dtype=int))
    assert set(one) == {"concentration", "one_order"}  # nothing to compare a single segment with
    few = np.where(np.arange(500) < 8, codes, len(NAMES))
    assert set(found(customers, few)) <= {"most_revenue", "most_at_risk", "highest_clv"}
    handful = np.where(np.arange(500) < 4, codes, len(NAMES))
    assert found(customers, handful) == {}
    equal = customers.assign(**{CLV: 5.0})
    assert "highest_clv" not in found(equal, codes)


def test_a_real_run_in_plain_words():
    customers = cdnow_customers()
    labels = KMeans(k=4).fit(customers).assign(customers)
    names = [f"Group {key}" for key in range(4)]
    told = found(customers, labels.to_numpy(), names)
    revenue = customers[MONETARY].groupby(labels).sum()
    winner, share = revenue.idxmax(), 100 * revenue.max() / revenue.sum()
    people = 100 * (labels == winner).mean()
    assert sentence(told["most_revenue"], Writing(money)) == (
        f"Group {winner} brought the most revenue: {money(revenue.max())}, {share:.1f}{SPACE}% of it, from "
        f"{people:.1f}{SPACE}% of these customers."
    )
    once = int((customers[FREQUENCY] == 1).sum())
    assert sentence(told["one_order"], Writing(money)) == (
        f"{once:,} customers have ordered just once: {100 * once / len(customers):.1f}{SPACE}%."
    )


def test_growth_and_risk_in_words():
    customers, codes = made(3)
    told = found(
        customers, codes, earlier=Earlier(date(2024, 5, 1), {"Champions": 50, "Loyal": 100, "Hibernating": 250})
    )
    fast, risk = told["fastest_growth"], told["most_at_risk"]
    assert sentence(fast, Writing(money)).startswith(
        f"{fast.values['segment']} grew fastest since 1 May 2024: from {fast.values['before']} to {fast.values['now']} "
    )
    assert f"all customers +25.0{SPACE}%" in sentence(fast, Writing(money))
    assert f"{money(risk.values['at_risk'])} of the {money(risk.values['revenue'])} they have brought" in sentence(
        risk, Writing(money)
    )
