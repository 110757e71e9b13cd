"""All about one customer and about one segment: on the panel and in the API, each figure checked by another way."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from starlette.testclient import TestClient

from dashboard.app import create_app
from dashboard.figures.customer_orders import order_figure
from dashboard.frames.cache import FrameCache
from dashboard.frames.filters import read_view
from dashboard.pages.segments import side_panel
from dashboard.pages.segments.about_customer import ORDERS_SHOWN, about_customer
from dashboard.pages.segments.view import draw_parts
from dashboard.queries.customer import profile_of
from dashboard.queries.segment import GONE, NEW, moves_between, segment_profile
from dashboard.services import Services
from engines.columns import AMOUNT_UNITS, CUSTOMER_ID
from engines.features import HISTORY
from storage.contract import Selection
from tests.dashboard import shop
from tests.dashboard.headless import words
from tests.storage.samples import sample_orders


@pytest.fixture(scope="module")
def services(tmp_path_factory):
    settings = shop.config(tmp_path_factory.mktemp("drawers"))
    store = shop.opened(settings)
    runs = shop.fill(store, settings)
    table = shop.customers(80)
    table["attribute_email"] = [f"{name}@example.org" for name in table.index]
    table["share_bags"] = np.linspace(0, 1, 80)
    kept = store.save_snapshot(shop.new_snapshot("kept", date(2011, 12, 10)), table, orders=sample_orders(table))
    runs["kept"] = shop.run(store, settings, kept, "rfm", artifacts=True)
    yield Services(settings, store, FrameCache(store)), runs
    store.close()


@pytest.fixture(scope="module")
def api(services):
    made = services[0]
    with TestClient(create_app(made.config, made.store, environ={}), base_url="http://127.0.0.1") as client:
        yield client


def test_where_a_customer_stands_is_counted(services):
    made, runs = services
    table = shop.customers()
    for customer in ("00050", "=1+1", table["monetary"].idxmax()):
        known = profile_of(made.frames.get(runs["rfm"]), customer)
        spent = next(item for item in known.standings if item.column == "monetary")
        less = (table["monetary"] < table.loc[customer, "monetary"]).mean()
        assert spent.words == f"Spent more than {np.floor(1000 * less) / 10:.1f}\u00a0% of customers."
        recent = next(item for item in known.standings if item.column == "recency_days")
        longer = (table["recency_days"] > table.loc[customer, "recency_days"]).mean()
        assert recent.words == f"More recent than {np.floor(1000 * longer) / 10:.1f}\u00a0% of customers."


def test_the_panel_tells_all_about_a_customer(services):
    made, runs = services
    title, parts = side_panel.content(made, {"run": runs["kept"], "customer": "00040"}, "dark")
    said = words(parts)
    assert title == "Customer 00040"
    for part in ("00040@example.org", "Why this segment", "Scores of 5", "Segments over time", "10 Dec 2011"):
        assert part in said
    orders = made.store.orders(made.store.run(runs["kept"]).snapshot_id, "00040")
    assert f"{len(orders[orders[AMOUNT_UNITS] >= 0])} order" in said


def test_a_link_to_a_customer_brings_the_panel_filled_where_the_run_is_at_hand(services):
    made, runs = services
    link = {"run": str(runs["kept"]), "customer": "00040"}
    made.frames.get(runs["kept"])
    assert "Scores of 5" in words([side_panel.side_panel(made, link)])
    assert "Scores of 5" not in words([side_panel.side_panel(made, {"run": link["run"]})])
    anew = replace(made, frames=FrameCache(made.store))  # reading a run would keep the page waiting
    assert "Scores of 5" not in words([side_panel.side_panel(anew, link)])


def test_a_snapshot_without_orders_says_so_and_a_stranger_is_named(services):
    made, runs = services
    assert "before orders were kept" in words(
        side_panel.content(made, {"run": runs["rfm"], "customer": "00050"}, "")[1]
    )
    for asked in ({"customer": "nobody"}, {"customer": "\ud800"}, {"about": "99"}, {"about": "x"}, {"about": "-1"}):
        title, parts = side_panel.content(made, {"run": runs["rfm"], **asked}, "light")
        assert title == "Not found"
        assert str(runs["rfm"]) in words(parts)


def test_many_orders_are_folded_and_returns_hang_below(services, monkeypatch):
    made, runs = services
    many = pd.DataFrame(
        {
            "order_date": pd.Timestamp("2011-01-01") + pd.to_timedelta(np.arange(ORDERS_SHOWN + 30), unit="D"),
            "amount_units": [-50_000, *[120_000] * (ORDERS_SHOWN + 29)],
            "lines": 1,
            "items": np.nan,
        }
    )
    monkeypatch.setattr(made.store, "orders", lambda *_: many, raising=False)
    said = words(about_customer(made, runs["kept"], "00040", "light"))
    assert f"{ORDERS_SHOWN + 29} orders for £948.00, less £5.00 that came back." in said
    assert f"Show all {ORDERS_SHOWN + 30} orders" in said
    assert said.index("21 Mar 2011") < said.index("1 Jan 2011")
    picture = order_figure(many.assign(amount=many["amount_units"] / 10_000), "GBP", "dark")
    assert picture["data"][1]["y"][0] == -5.0


def test_the_api_gives_orders_and_segments_over_time(services, api):
    made, runs = services
    every = pd.concat(batch.to_pandas() for batch in sample_orders(shop.customers(80)))
    found = api.get(f"/api/v1/runs/{runs['kept']}/customers/00040/orders").json()
    mine = every[every[CUSTOMER_ID] == "00040"]
    assert [order["amount"] for order in found["orders"]] == [units / 10_000 for units in mine[AMOUNT_UNITS]]
    assert found["currency"] == "GBP"
    assert list(every.columns) == HISTORY.names
    assert "without orders" in api.get(f"/api/v1/runs/{runs['rfm']}/customers/00050/orders").json()["error"]
    assert api.get(f"/api/v1/runs/{runs['kept']}/customers/nobody/orders").status_code == 404
    then = api.get(f"/api/v1/runs/{runs['rfm']}/customers/00350/segments").json()["segments"]
    names = {item.key: item.name for item in made.store.run(runs["rfm"]).segments}
    assert [(row["as_of"], row["segment"]) for row in then] == [
        ("2011-11-01", None),  # of the 300 of then, 00350 was none
        ("2011-12-10", names[made.store.labels(runs["rfm"])["00350"]]),
    ]
    assert api.get(f"/api/v1/runs/{runs['rfm']}/customers/nobody/segments").status_code == 404


def test_who_came_and_who_left_adds_up(services):
    made, runs = services
    before, after = (made.frames.get(runs[name]) for name in ("early", "rfm"))
    moves = moves_between(before, after)
    then, now = made.store.labels(runs["early"]), made.store.labels(runs["rfm"])
    joined = pd.concat({"then": then, "now": now}, axis=1)
    names = {
        side: {item.key: item.name for item in frame.segments}
        for side, frame in zip(joined, (before, after), strict=True)
    }
    joined = pd.DataFrame({side: joined[side].map(names[side]) for side in joined}).fillna({"then": NEW, "now": GONE})
    expected = joined.value_counts()
    rows, columns = ([*(item.name for item in frame.segments), end] for frame, end in ((before, NEW), (after, GONE)))
    got = {(row, column): int(moves[i, j]) for i, row in enumerate(rows) for j, column in enumerate(columns)}
    assert {pair: n for pair, n in got.items() if n} == expected.to_dict()
    for item in after.segments:
        moved = segment_profile(made, runs["rfm"], item.key).movement
        assert moved.stayed + sum(n for _, n in moved.came) == item.customers
        assert moved.stayed + sum(n for _, n in moved.left) == moved.before


def test_the_story_of_a_segment(services, api):
    made, runs = services
    table = made.store.snapshot_customers(made.store.run(runs["rfm"]).snapshot_id)
    labels = made.store.labels(runs["rfm"])
    segment = made.store.run(runs["rfm"]).segments[0]
    found = api.get(f"/api/v1/runs/{runs['rfm']}/segments/{segment.key}").json()
    shares = table["country"][labels == segment.key].value_counts(normalize=True)
    assert {part["name"]: pytest.approx(part["share"]) for part in found["countries"]} == shares.to_dict()
    assert found["movement"]["since"] == "2011-11-01"
    assert api.get(f"/api/v1/runs/{runs['rfm']}/segments/99").status_code == 404
    assert api.get(f"/api/v1/runs/{runs['failed']}/segments/0").status_code == 404
    kmeans = segment_profile(made, runs["kmeans"], made.store.run(runs["kmeans"]).segments[0].key)
    assert "alike" in kmeans.rule and kmeans.movement is None
    kept = segment_profile(made, runs["kept"], made.store.run(runs["kept"]).segments[0].key)
    assert kept.categories[0].name == "bags"
    assert kept.rule.startswith(("Last order", "At least", "Fewer", "Spent", "One of"))
    toys = segment_profile(made, runs["toys"], made.store.run(runs["toys"]).segments[0].key)
    assert toys.countries == ()


def test_the_segment_panel_offers_what_can_be_done(services):
    made, runs = services
    segment = made.store.run(runs["rfm"]).segments[0]
    title, parts = side_panel.content(made, {"run": runs["rfm"], "about": str(segment.key)}, "light")
    said, drawn = words(parts), str([part.to_plotly_json() for part in parts if part is not None])
    assert title == segment.name
    assert f"Export {segment.customers} customer" in said and "Since 1 Nov 2011" in said and "Rename" in said
    assert f"/?run={runs['rfm']}&segment={segment.name.replace(' ', '+')}" in drawn


def test_what_opens_the_panel_is_no_filter_and_is_gone_with_the_next_one(services):
    made, runs = services
    view = read_view(f"?run={runs['rfm']}&customer=00050&about=1&theme=x")
    parts = draw_parts(made, view, Selection(countries=("Germany",)), "light", None, ())
    assert parts["drawn"]["address"] == f"?run={runs['rfm']}&country=Germany&theme=x"
