"""The Segments page: filters, address, figures, table and export tell one story."""

import json
from urllib.parse import parse_qsl, quote, urlsplit

import dash
import plotly.graph_objects as go
import pytest

from dashboard.components import ids
from dashboard.figures.country_bars import is_rest
from dashboard.figures.heatmap import grid_data, names_in
from dashboard.frames.cache import FrameCache
from dashboard.frames.filters import read_view
from dashboard.i18n import texts
from dashboard.i18n.locales import speaking
from dashboard.pages.segments import page
from dashboard.pages.segments.charts import TABS
from dashboard.pages.segments.rail import FIELDS, control, control_values
from dashboard.pages.segments.view import draw_parts
from dashboard.services import Services
from storage.contract import Selection
from tests.dashboard import shop
from tests.dashboard.headless import callback_of, words


@pytest.fixture(scope="module")
def services(tmp_path_factory):
    settings = shop.config(tmp_path_factory.mktemp("page"))
    store = shop.opened(settings)
    made = Services(settings, store, FrameCache(store))
    yield made, shop.fill(store, settings)
    store.close()


@pytest.fixture(scope="module")
def client(services):
    app = dash.Dash("segments_page", suppress_callback_exceptions=True)
    app.layout = dash.html.Div([dash.dcc.Location(id=ids.LOCATION), dash.dcc.Store(id=ids.THEME)])
    page.register(app, services[0])
    return app.server.test_client()


def draw(client, search, *, controls=None, triggered="", drawn=None, **values):
    """What the page's callback answers, by "id.property"; None where it leaves everything as it is."""
    shown = control_values(controls if controls is not None else Selection())
    given = {f"{control(field)}.value": shown[field] for field in FIELDS}
    given |= {f"{name}.value": group[0].name for name, group in TABS.items()}
    given |= {"segments-search.data": search, "theme.data": "light", "segments-drawn.data": drawn, **values}
    answer = callback_of(client, "segments-drawn.data", given, triggered)
    assert answer.status_code in (200, 204)
    if answer.status_code == 204:
        return None
    parts = answer.json["response"]
    return {f"{name}.{prop}": value for name, props in parts.items() for prop, value in props.items()}


def test_the_layout_takes_any_query(services):
    for query in ({}, {"run": "nonsense"}, {"run": "999999", "min_clv": "x", "anything": ["a", "b"]}):
        text = str(page.layout(services[0], **query).to_plotly_json())
        assert "segments-rail" in text and "segments-customers" in text


def test_everyone_is_shown_when_nothing_is_filtered(client, services):
    runs = services[1]
    shown = draw(client, f"?run={runs['rfm']}")
    assert shown["segments-export.children"] == "Export 400 customers"
    assert shown["segments-body.hidden"] is False
    assert shown["segments-drawn.data"]["run"] == runs["rfm"]
    assert len(shown["segments-activity.figure"]["data"]) > 2
    assert shown["segments-reset.hidden"] is True


def test_the_address_alone_brings_filters_and_figures_back(client, services):
    store, runs = services[0].store, services[1]
    selection = Selection(countries=("Germany",), bounds={"clv": (20.0, None)})
    shown = draw(client, f"?run={runs['kmeans']}&country=Germany&min_clv=20")
    assert shown["segments-filter-countries.value"] == ["Germany"]
    assert shown["segments-filter-min-clv.value"] == 20
    number = store.count(runs["kmeans"], selection)
    assert shown["segments-export.children"] == f"Export {number} customers"
    assert "Germany" in json.dumps(shown["segments-chips.children"])


def test_the_export_is_the_selection_on_screen(client, services):
    runs = services[1]
    shown = draw(client, f"?run={runs['rfm']}&country=Germany&q=01")
    for kind, name in (
        ("csv", "segments-export"),
        ("xlsx", "segments-export-xlsx"),
        ("parquet", "segments-export-parquet"),
    ):
        address = urlsplit(shown[f"{name}.href"])
        assert address.path == f"/api/v1/runs/{runs['rfm']}/export.{kind}"
        assert Selection.from_query(parse_qsl(address.query)) == Selection(countries=("Germany",), q="01")


def test_a_control_changes_the_address_and_is_left_alone(client, services):
    runs = services[1]
    before = draw(client, f"?run={runs['rfm']}&with=3")["segments-drawn.data"]
    shown = draw(
        client,
        f"?run={runs['rfm']}&with=3",
        controls=Selection(countries=("France",)),
        triggered="segments-filter-countries.value",
        drawn=before,
    )
    assert read_view(shown["segments-drawn.data"]["address"]).selection == Selection(countries=("France",))
    assert shown["segments-drawn.data"]["address"].endswith("&with=3")
    assert "segments-filter-countries.value" not in shown
    assert "segments-customers.columnDefs" not in shown  # the run is the same: columns keep their order and sorting


def test_the_page_does_not_answer_its_own_change_of_the_address(client, services):
    before = draw(client, f"?run={services[1]['rfm']}&q=1")["segments-drawn.data"]
    assert draw(client, f"?q=1&run={services[1]['rfm']}", triggered="segments-search.data", drawn=before) is None


@pytest.mark.parametrize("triggered", ["theme.data", "segments-countries.clickData"])
def test_what_the_page_wrote_into_the_address_counts_for_the_next_click(client, services, triggered):
    run = services[1]["rfm"]
    drawn = draw(client, f"?run={run}&min_clv=5")["segments-drawn.data"]
    click = {"points": [{"y": "Germany"}]}
    shown = draw(client, f"?run={run}", triggered=triggered, drawn=drawn, **{"segments-countries.clickData": click})
    selection = read_view(shown["segments-drawn.data"]["address"]).selection
    assert selection == Selection(bounds={"clv": (5.0, None)}, countries=("Germany",) if "click" in triggered else ())


def test_chip_reset_row_box_and_bar_change_the_selection(client, services):
    run = services[1]["rfm"]
    search = f"?run={run}&country=Germany&country=France&min_clv=5"
    before = draw(client, search)["segments-drawn.data"]
    chip = {"type": "segments-chip", "field": "countries", "value": "France"}
    name = services[0].store.run(run).segments[0].name
    pick = {"type": "segments-pick", "name": name}

    def after(triggered, **values):
        shown = draw(client, search, triggered=triggered, drawn=before, **values)
        return read_view(shown["segments-drawn.data"]["address"]).selection

    def wild(one):
        pattern = json.dumps(
            {key: ["ALL"] if key != "type" else value for key, value in one.items()}, separators=(",", ":")
        )
        return json.dumps(one, sort_keys=True, separators=(",", ":")) + ".n_clicks", _sorted(pattern)

    triggered, pattern = wild(chip)
    assert after(triggered, **{pattern: [(chip, 1)]}) == Selection(countries=("Germany",), bounds={"clv": (5.0, None)})
    assert draw(client, search, triggered=triggered, drawn=before, **{pattern: [(chip, None)]}) is None
    triggered, pattern = wild(pick)
    assert after(triggered, **{pattern: [(pick, 1)]}).segments == (name,)
    assert after("segments-reset.n_clicks", **{"segments-reset.n_clicks": 1}) == Selection()
    click = {"points": [{"y": name}]}
    assert after("segments-boxes.clickData", **{"segments-boxes.clickData": click}).segments == (name,)
    click = {"points": [{"y": "Germany"}]}
    assert after("segments-countries.clickData", **{"segments-countries.clickData": click}).countries == ("Germany",)


def _sorted(pattern):
    return json.dumps(json.loads(pattern), sort_keys=True, separators=(",", ":"))


def test_an_empty_view_names_the_filter_and_offers_to_drop_it(client, services):
    shown = draw(client, f"?run={services[1]['rfm']}&country=Germany&min_frequency=1000")
    assert shown["segments-body.hidden"] is True
    text = json.dumps(shown["segments-notice.children"], ensure_ascii=False)
    assert "No customer meets these filters" in text
    assert "Drop “Frequency ≥ 1,000”" in text and "segments-drop" in text
    assert shown["segments-export.children"] == "Export 0 customers"


def test_what_cannot_be_read_in_the_address_is_said(client, services):
    shown = draw(client, f"?run={services[1]['rfm']}&min_clv=lots")
    assert "min_clv must be a number" in json.dumps(shown["segments-notice.children"])
    assert shown["segments-export.children"] == "Export 400 customers"


@pytest.mark.parametrize(
    ("name", "sentence"), [("failed", "it did not work out"), ("queued", "waiting to be worked on")]
)
def test_unfinished_runs_say_how_they_stand(client, services, name, sentence):
    shown = draw(client, f"?run={services[1][name]}")
    assert sentence in json.dumps(shown["segments-notice.children"])
    assert shown["segments-body.hidden"] is True and shown["segments-bar.hidden"] is True


def test_an_unknown_run_is_no_error(client):
    assert "There is no such run" in json.dumps(draw(client, "?run=99999")["segments-notice.children"])


def test_without_any_run_the_page_says_what_to_do_first(tmp_path):
    settings = shop.config(tmp_path)
    store = shop.opened(settings)
    parts = draw_parts(Services(settings, store, FrameCache(store)), read_view(""), Selection(), "light", None, ())
    assert "make demo" in words(parts["notice"]) and "segmentry run sales.csv" in words(parts["notice"])
    assert parts["body"] is True
    store.close()


def test_without_countries_chart_and_filter_step_aside(client, services):
    shown = draw(client, f"?run={services[1]['toys']}")
    assert shown["segments-country-group.hidden"] is True
    assert shown["segments-countries.style"] == {"display": "none"}
    assert "steps aside" in shown["segments-countries-words.children"]
    assert "segments-countries.figure" not in shown
    assert "country" not in [column["field"] for column in shown["segments-customers.columnDefs"]]


def test_the_customer_table_is_the_selection_sorted(client, services):
    store, runs = services[0].store, services[1]
    drawn = draw(client, f"?run={runs['rfm']}&country=Germany")["segments-drawn.data"]
    request = {"startRow": 0, "endRow": 100, "sortModel": [{"colId": "clv", "sort": "desc"}], "filterModel": {}}
    values = {"segments-customers.getRowsRequest": request, "segments-drawn.data": drawn}
    answer = callback_of(client, "segments-customers.getRowsResponse", values, "segments-customers.getRowsRequest")
    found = answer.json["response"]["segments-customers"]["getRowsResponse"]
    table = store.stream(runs["rfm"], Selection(countries=("Germany",))).read_all().to_pandas()
    table = table.sort_values("clv", ascending=False, kind="stable")
    assert found["rowCount"] == len(table)
    assert sorted(row["customer_id"] for row in found["rowData"]) == sorted(table["customer_id"].head(100))
    assert [row["clv"] for row in found["rowData"]] == table["clv"].head(100).tolist()
    by_id = table.set_index("customer_id")
    for row in found["rowData"]:
        assert row["segment"] == by_id.loc[row["customer_id"], "segment"]
        assert row["monetary"] == by_id.loc[row["customer_id"], "monetary"]
        assert row["country"] == "Germany"


def test_a_name_given_by_hand_is_drawn_at_once_and_keeps_the_selection(client, services):
    store, run = services[0].store, store_run(services)
    before = run.segments[0]
    drawn = draw(client, f"?run={run.id}&segment={quote(before.name)}&min_clv=5")["segments-drawn.data"]
    store.edit_segment(run.id, before.key, revision=0, name="Evergreens", pinned=True)
    told = {"run": run.id, "key": before.key, "before": before.name, "name": "Evergreens", "revision": 1}
    shown = draw(client, "", triggered="segments-edited.data", drawn=drawn, **{"segments-edited.data": told})
    selection = read_view(shown["segments-drawn.data"]["address"]).selection
    assert selection == Selection(segments=(before.known_by,), bounds={"clv": (5.0, None)})
    assert shown["segments-filter-segments.value"] == [before.known_by]
    told = _texts(shown["segments-table.children"])
    assert "Evergreens" in told and "pinned" in told and before.name not in told
    assert shown["segments-export.children"] == f"Export {store.count(run.id, selection)} customers"


def _texts(part):
    """All texts that a part of a page shows, as the browser gets it."""
    if isinstance(part, list):
        return " ".join(map(_texts, part))
    return _texts(part["props"].get("children") or "") if isinstance(part, dict) else str(part)


def store_run(services):
    return services[0].store.run(services[1]["hierarchical"])


def _selection_after(client, search, triggered, **values):
    before = draw(client, search)["segments-drawn.data"]
    shown = draw(client, search, triggered=triggered, drawn=before, **values)
    return shown and read_view(shown["segments-drawn.data"]["address"]).selection


def test_a_legend_a_tile_and_a_country_filter(client, services):
    run = store_run(services)
    name, known, search = run.segments[0].name, run.segments[0].known_by, f"?run={run.id}&min_clv=5"
    legend = {"segments-legend.data": {"name": name, "at": 1}}
    assert _selection_after(client, search, "segments-legend.data", **legend).segments == (known,)
    tile = {"segments-tiles.clickData": {"points": [{"customdata": name, "label": name}]}}
    assert _selection_after(client, search, "segments-tiles.clickData", **tile).segments == (known,)
    country = {"segments-countries.clickData": {"points": [{"y": "France"}]}}
    assert _selection_after(client, search, "segments-countries.clickData", **country).countries == ("France",)
    other = {"segments-countries.clickData": {"points": [{"y": "Other (3)"}]}}
    assert _selection_after(client, search, "segments-countries.clickData", **other) is None


def test_a_cell_of_the_grid_selects_exactly_its_customers(client, services):
    run = services[1]["rfm"]
    before = draw(client, f"?run={run}")["segments-drawn.data"]
    tabs = {"segments-right-tab.value": "grid"}
    shown = draw(client, f"?run={run}", triggered="segments-right-tab.value", drawn=before, **tabs)
    assert {name for name in shown if name.endswith(".figure")} == {"segments-grid.figure"}
    table = shown["segments-grid.figure"]["layout"]["meta"]["table"]
    assert sum(int(row[5].replace(",", "")) for row in table["rows"]) == 400
    frame = services[0].frames.get(run)
    data = grid_data(frame, frame.mask(Selection()))
    for cell in data.cells:
        if cell.recency is None or cell.frequency is None:
            continue
        click = {"segments-grid.clickData": {"points": [{"x": f"F{cell.f}", "y": f"R{cell.r}"}]}}
        selection = _selection_after(client, f"?run={run}", "segments-grid.clickData", **click)
        assert services[0].store.count(run, selection) == cell.customers


def test_the_grid_of_an_rfm_run_has_the_engines_own_names(services):
    frame = services[0].frames.get(services[1]["rfm"])
    names = names_in(frame, services[0].config.plays)
    for cell in grid_data(frame, frame.mask(Selection()), names).cells:
        if cell.customers:
            selection = Selection(
                bounds={
                    "recency_days": (cell.recency[0], cell.recency[1]),
                    "frequency": (cell.frequency[0], cell.frequency[1]),
                }
            )
            codes = frame.segment_codes[frame.mask(selection)]
            assert {frame.segments[code].name for code in codes} == {cell.name}


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ({"range": {"x": [20.2, 99.7], "y": [0.4, 6.3]}}, {"recency_days": (21, 99), "frequency": (None, 6)}),
        ({"range": {"x": [-9.0, 50.0], "y": [2.1, 2.2]}}, {"recency_days": (None, 50), "frequency": (2, 2)}),
    ],
)
def test_a_box_over_a_cloud_becomes_ranges(client, services, shape, expected):
    values = {"segments-shape.data": {"chart": "activity", **shape}}
    selection = _selection_after(client, f"?run={services[1]['rfm']}&q=0", "segments-shape.data", **values)
    assert selection == Selection(q="0", bounds=expected)


def test_an_address_with_a_drawn_shape_says_what_to_use_instead(client, services):
    shown = draw(client, f"?run={services[1]['rfm']}&country=Germany&area=recency_days,frequency,1,1,5,1,5,9")
    assert "give a range of each column instead" in json.dumps(shown["segments-notice.children"])
    assert shown["segments-drawn.data"]["query"] == "?country=Germany"


def test_only_the_charts_in_sight_are_worked_out(client, services):
    shown = draw(client, f"?run={services[1]['rfm']}")
    seen = {name.removeprefix("segments-").removesuffix(".figure") for name in shown if name.endswith(".figure")}
    assert seen == {"activity", "value", "boxes", "countries"}
    for tab, name in (
        ("segments-left-tab", "spreads"),
        ("segments-left-tab", "tiles"),
        ("segments-right-tab", "grid"),
    ):
        before = shown["segments-drawn.data"]
        other = draw(client, "", triggered=f"{tab}.value", drawn=before, **{f"{tab}.value": name})
        assert go.Figure(other[f"segments-{name}.figure"]).data
        assert other[f"segments-{name}-words.children"]
        assert "segments-kpis.children" not in other


def test_who_asks_for_the_same_is_answered_once(services):
    made, runs = services

    def asked(run, theme, min_clv):
        selection = Selection(bounds={"clv": (min_clv, None)})
        wanted = ("activity", "value", "boxes", "countries")
        return draw_parts(made, read_view(f"?run={runs[run]}"), selection, theme, None, wanted)

    first = asked("rfm", "light", min_clv=3.25)
    assert asked("rfm", "light", min_clv=3.25)["figures"] is first["figures"]
    others = (
        asked("rfm", "dark", min_clv=3.25),
        asked("rfm", "light", min_clv=3.5),
        asked("kmeans", "light", min_clv=3.25),
    )
    for other in others:
        assert other["figures"]["activity"] != first["figures"]["activity"]
    with speaking("de"):
        assert asked("rfm", "light", min_clv=3.25)["kpis"] is not first["kpis"]


def test_key_figures_are_compared_with_the_same_filter_on_the_earlier_date(client, services):
    store, runs = services[0].store, services[1]
    shown = draw(client, f"?run={runs['rfm']}&country=Germany")
    germans = store.count(runs["early"], Selection(countries=("Germany",)))
    assert f"Against 1 Nov 2011: {germans}" in json.dumps(shown["segments-kpis.children"])


def test_columns_that_the_customers_lack_have_neither_filter_nor_column(client, services):
    shown = draw(client, f"?run={services[1]['rfm']}")
    assert shown["segments-filter-buys-again.hidden"] is True and shown["segments-filter-clv.hidden"] is False
    assert shown["segments-category-group.hidden"] is True
    fields = [column["field"] for column in shown["segments-customers.columnDefs"]]
    assert "p_purchase" not in fields and "clv" in fields


GERMAN = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "Customers in view"
msgstr "Kunden im Blick"

msgid "Export {customers}"
msgstr "{customers} ausgeben"

msgid "{n} customer"
msgid_plural "{n} customers"
msgstr[0] "{n} Kunde"
msgstr[1] "{n} Kunden"

msgid "Average order"
msgstr "Bestellwert im Mittel"

msgid "Recency"
msgstr "Letzter Kauf"

msgid "{title} ({unit})"
msgstr "{title} [{unit}]"

msgid "days"
msgstr "Tage"

msgid "Other ({number})"
msgstr "Sonst {number} Länder"

msgid "{segment} brought the most revenue: {revenue}, {revenue_share} of it, from {customer_share} of these customers."
msgstr "Am meisten brachten {segment}: {revenue}."
"""


def test_a_translation_shows_in_figures_tables_and_charts(client, services, tmp_path, monkeypatch):
    (tmp_path / "de.po").write_text(GERMAN, encoding="utf-8")
    monkeypatch.setattr(texts, "FOLDER", tmp_path)
    with speaking("de_DE"):
        assert "Kunden im Blick" in str(page.layout(services[0]).to_plotly_json())
        shown = draw(client, f"?run={services[1]['rfm']}")
    assert shown["segments-export.children"] == "400 Kunden ausgeben"
    assert "Bestellwert im Mittel" in json.dumps(shown["segments-kpis.children"])
    assert "Letzter Kauf" in json.dumps(shown["segments-table.children"])
    assert "Letzter Kauf" in [item["headerName"] for item in shown["segments-customers.columnDefs"]]
    assert shown["segments-activity.figure"]["layout"]["xaxis"]["title"]["text"] == "Letzter Kauf [Tage]"
    assert "Am meisten brachten Loyal Customers" in json.dumps(shown["segments-insights.children"])
    everyone = draw(client, f"?run={services[1]['rfm']}")
    assert everyone["segments-export.children"] == "Export 400 customers"


def test_the_bar_of_all_other_countries_is_known_in_every_language(tmp_path, monkeypatch):
    (tmp_path / "de.po").write_text(GERMAN, encoding="utf-8")
    monkeypatch.setattr(texts, "FOLDER", tmp_path)
    assert is_rest("Other (3)") and not is_rest("Other") and not is_rest("Otherland")
    with speaking("de_DE"):
        assert is_rest("Sonst 3 Länder") and not is_rest("Other (3)") and not is_rest("Sonst Länder")
