"""All about one customer and about one segment: on the panel and in the API, each figure checked by another way."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from starlette.testclient import TestClient

from dashboard.app import create_app
from dashboard.figures.customer_orders import order_figure
from dashboard.frames.cache import FrameCache
from dashboard.frames.filters import read_view
from dashboard.pages.segments import about_customer as page
from dashboard.pages.segments import side_panel
from dashboard.pages.segments.about_customer import ORDERS_SHOWN, about_customer
from dashboard.pages.segments.customers import column_definitions
from dashboard.pages.segments.view import draw_parts
from dashboard.queries.customer import profile_of, purchases_of
from dashboard.queries.segment import GONE, NEW, moves_between, segment_profile
from dashboard.services import Services
from engines import intake
from storage.contract import Selection
from tests.dashboard import shop
from tests.dashboard.headless import words

HEAD = "CustomerID,InvoiceNo,InvoiceDate,StockCode,Description,Quantity,UnitPrice,Channel\n"
#: What customer 00040 bought up to 10 Dec 2011; the last line is of that day.
LINES = """00040,C3,2011-11-03 09:00,A,RED BAG,-1,2.50,shop
00040,1,2011-10-01 10:00,A,RED BAG,2,2.50,web
00040,1,2011-10-01 10:00,B,TEA MUG,1,4.00,web
00040,2,2011-11-02 10:00,C,,3,1.00,shop
00041,9,2011-11-02 10:00,C,CARD,1,1.00,shop
00040,5,2011-12-10 00:00,C,CARD,9,1.00,web
gone/1,20,2011-09-01 10:00,A,RED BAG,2,2.50,web
gone/1,21,2011-09-02 10:00,B,TEA MUG,1,4.00,web
gone/1,C22,2011-09-03 10:00,A,RED BAG,-2,2.50,web
gone/1,C23,2011-09-04 10:00,M,Manual,-1,4.00,web
"""


def kept_sales(folder: Path, text: str) -> tuple[Path, dict[str, str]]:
    """The file that a snapshot of these sales keeps, and their mapping."""
    source = folder / "kept.csv"
    source.write_text(HEAD + text, encoding="utf-8")
    with intake.read_sales(str(source), mapping={"attribute.channel": "Channel"}) as sales:
        sales.keep(folder / "kept.parquet")
        mapping = dict(sales.mapping)
    source.unlink()
    return folder / "kept.parquet", mapping


@pytest.fixture(scope="module")
def services(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawers")
    settings = shop.config(folder)
    store = shop.opened(settings)
    runs = shop.fill(store, settings)
    table = shop.customers(80)
    table["return_rate"] = np.where(np.arange(80) % 9 == 4, 0.75, 0.1)
    table["attribute_email"] = [f"{name}@example.org" for name in table.index]
    table["share_bags"] = np.linspace(0, 1, 80)
    many = "".join(
        f"00042,{100 + number},2011-0{1 + number // 28}-{1 + number % 28:02d} 12:00,A,RED BAG,1,12.00,web\n"
        for number in range(ORDERS_SHOWN + 30)
    )
    file, mapping = kept_sales(folder, LINES + many)
    new = replace(shop.new_snapshot("kept", date(2011, 12, 10)), settings={"mapping": mapping})
    kept = store.save_snapshot(new, table, sales=file)
    file.unlink()
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
    # the newest first: what came back is marked, and each opens to its products
    assert "2 orders for £9.50, after £2.50 that came back." in said and "£6.50 left" in said
    places = [said.index(part) for part in ("3 Nov 2011", "Returned", "1 × RED BAG", "3 × C", "2 × RED BAG", "TEA MUG")]
    assert places == sorted(places)
    assert "10 Dec 2011 9 items" not in said


def test_a_link_to_a_customer_brings_the_panel_filled_where_the_run_is_at_hand(services):
    made, runs = services
    link = {"run": str(runs["kept"]), "customer": "00040"}
    made.frames.get(runs["kept"])
    assert "Scores of 5" in words([side_panel.side_panel(made, link)])
    assert "Scores of 5" not in words([side_panel.side_panel(made, {"run": link["run"]})])
    anew = replace(made, frames=FrameCache(made.store))  # reading a run would keep the page waiting
    assert "Scores of 5" not in words([side_panel.side_panel(anew, link)])


def test_a_snapshot_without_sales_says_so_and_a_stranger_is_named(services):
    made, runs = services
    assert "No sales are kept with snapshot" in words(
        side_panel.content(made, {"run": runs["rfm"], "customer": "00050"}, "")[1]
    )
    for asked in ({"customer": "nobody"}, {"customer": "\ud800"}, {"about": "99"}, {"about": "x"}, {"about": "-1"}):
        title, parts = side_panel.content(made, {"run": runs["rfm"], **asked}, "light")
        assert title == "Not found"
        assert str(runs["rfm"]) in words(parts)


def test_many_orders_are_folded_and_products_of_the_latest_are_listed(services, monkeypatch):
    made, runs = services
    said = words(about_customer(made, runs["kept"], "00042", "light"))
    assert f"{ORDERS_SHOWN + 30} orders for £600.00." in said
    assert said.index("22 Feb 2011") < said.index(f"Show all {ORDERS_SHOWN + 30} orders") < said.index("1 Jan 2011")
    assert said.count("1 × RED BAG") == ORDERS_SHOWN
    assert "Products of older orders" in said
    monkeypatch.setattr(page, "LINES_LISTED", 3)
    said = words(about_customer(made, runs["kept"], "00042", "light"))
    assert said.count("RED BAG") == 3 and "1 Jan 2011" in said
    monkeypatch.setattr(page, "LINES_LISTED", 1)
    assert "Returned" in (said := words(about_customer(made, runs["kept"], "00040", "light")))
    assert said.count("RED BAG") == 1 and "TEA MUG" not in said


def test_what_came_back_hangs_below_the_line(services):
    made, runs = services
    run = made.store.run(runs["kept"])
    orders, _, takes_off = purchases_of(made, run, "00040", most_orders=9, most_lines=1)
    assert takes_off
    assert order_figure(orders, "GBP", "dark")["data"][1]["y"] == [9.0, 3.0, -2.5]


def test_the_api_gives_orders_and_segments_over_time(services, api):
    made, runs = services
    found = api.get(f"/api/v1/runs/{runs['kept']}/customers/00040/orders").json()
    assert found["orders"] == [
        {"order_date": "2011-10-01T10:00:00", "amount": 9.0, "lines": 2, "items": 3.0, "left": 6.5},
        {"order_date": "2011-11-02T10:00:00", "amount": 3.0, "lines": 1, "items": 3.0, "left": 3.0},
        {"order_date": "2011-11-03T09:00:00", "amount": -2.5, "lines": 1, "items": -1.0, "left": None},
    ]
    assert found["currency"] == "GBP"
    then = api.get(f"/api/v1/runs/{runs['rfm']}/customers/00350/segments").json()["segments"]
    names = {item.key: item.name for item in made.store.run(runs["rfm"]).segments}
    assert [(row["as_of"], row["segment"]) for row in then] == [
        ("2011-11-01", None),  # of the 300 of then, 00350 was none
        ("2011-12-10", names[made.store.labels(runs["rfm"])["00350"]]),
    ]
    assert api.get(f"/api/v1/runs/{runs['rfm']}/customers/nobody/segments").status_code == 404


def test_who_returned_everything_is_found_on_the_page_in_the_panel_and_by_the_api(services, api):
    made, runs = services
    title, parts = side_panel.content(made, {"run": runs["kept"], "customer": "gone/1"}, "light")
    said = words(parts)
    assert title == "Customer gone/1"
    assert "Returned everything: 2 orders for £9.00, and £9.00 of it came back." in said
    assert said.count("All of it came back") == 2 and "TEA MUG" in said
    address = f"/api/v1/runs/{runs['kept']}/customers"
    found = api.get(f"{address}?q=gone/1").json()
    assert (found["total"], found["returned_everything"]) == (
        *(0, [{"customer_id": "gone/1", "gross": 9.0, "returned": 9.0, "orders": 2}]),
    )
    assert [order["left"] for order in api.get(f"{address}/gone/1/orders").json()["orders"]] == [0.0, 0.0, None, None]
    for others in ("?q=nobody", "?q=0004", ""):
        assert "returned_everything" not in api.get(address + others).json()
    view = read_view(f"?run={runs['kept']}&q=gone/1")
    notice = words(draw_parts(made, view, view.selection, "light", None, ())["notice"])
    assert "Customer gone/1 returned everything" in notice and "£9.00 of it came back" in notice


def test_who_returned_half_or_more_is_marked(services):
    made, runs = services
    frame = made.frames.get(runs["kept"])
    rates = frame.values("return_rate")
    much, little = (int(np.flatnonzero(which)[0]) for which in (rates >= 0.5, rates < 0.5))
    ids = frame.customers.ids
    assert profile_of(frame, ids[much].as_py()).returned == rates[much]
    assert profile_of(frame, ids[little].as_py()).returned is None
    (ids_column,) = (item for item in column_definitions(frame) if item["field"] == "customer_id")
    assert ids_column["cellClassRules"] == {"customer-returned": "params.data && params.data.return_rate >= 0.5"}
    assert '" returned"' in ids_column["valueFormatter"]["function"]


def test_the_api_gives_every_line_a_page_at_a_time(services, api):
    _, runs = services
    address = f"/api/v1/runs/{runs['kept']}/customers/00040/purchases"
    whole = api.get(address).json()
    assert (whole["total"], whole["offset"], whole["next_offset"], whole["currency"]) == (4, 0, None, "GBP")
    assert whole["purchases"][0] == {
        **{"order_id": "1", "order_date": "2011-10-01T10:00:00", "product_id": "A", "description": "RED BAG"},
        **{"quantity": 2.0, "price": 2.5, "amount": 5.0, "returned": False, "attribute_channel": "web"},
    }
    assert whole["purchases"][2]["description"] is None
    back = whole["purchases"][3]
    assert (back["quantity"], back["price"], back["amount"], back["returned"]) == (-1.0, 2.5, -2.5, True)
    pages, offset = [], 0
    while offset is not None:
        part = api.get(f"{address}?limit=3&offset={offset}").json()
        pages, offset = [*pages, *part["purchases"]], part["next_offset"]
    assert pages == whole["purchases"]
    assert api.get(f"{address}?offset=9").json()["purchases"] == []
    assert api.get(f"{address}?limit=0").status_code == 422


@pytest.mark.parametrize("what", ["orders", "purchases"])
def test_who_is_not_there_and_sales_that_are_not_kept_are_one_sentence(services, api, what):
    _, runs = services
    for nobody in ("nobody", "%00", "0004'0", "00039"):  # 00039 is a customer of whom no sales are kept
        found = api.get(f"/api/v1/runs/{runs['kept']}/customers/{nobody}/{what}")
        assert (found.status_code, "There is no customer" in found.json()["error"]) == (404, True)
    found = api.get(f"/api/v1/runs/{runs['rfm']}/customers/00050/{what}")
    assert (found.status_code, "No sales are kept" in found.json()["error"]) == (404, True)


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
