"""The charts of the Segments page: exact quantiles, everyone counted, the same sample each time."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from dashboard.figures import boxes, clouds, country_bars, empty_figure, template, visible_colour
from dashboard.frames.aggregates import aggregate_customers, aggregate_selection, totals_of
from dashboard.frames.columns import CustomerColumns
from dashboard.frames.run import RunFrame
from engines.contract import NamedSegment
from storage.contract import Selection

N = 5_000


@pytest.fixture(scope="module")
def frame():
    random = np.random.default_rng(3)
    monetary = random.lognormal(4, 1.5, N)
    monetary[:7] = 0.0
    clv = random.lognormal(3, 2, N)
    clv[100:110] = np.nan
    countries = np.array([f"Country {i:02d}" for i in range(20)] + ["United Kingdom"], dtype=object)
    country = random.choice(countries, N, p=[0.01] * 20 + [0.8])
    country[200] = None
    table = pd.DataFrame(
        {
            "recency_days": random.integers(1, 375, N),
            "frequency": random.geometric(0.2, N),
            "monetary": monetary,
            "clv": clv,
            "country": country,
        },
        index=[f"c{i}" for i in range(N)],
    )
    colours = ("#004488", "#EE6677", "#228833")
    segments = tuple(NamedSegment(k, f"S{k}", "", colours[k], 1, 0.1, 1.0, 1.0, 1.0, 1.0) for k in range(3))
    run = SimpleNamespace(id=1, segments=segments)
    snapshot = SimpleNamespace(info={"currency": "GBP"}, settings={}, dataset="made")
    return RunFrame.make(run, snapshot, CustomerColumns.from_table(table), random.choice(3, N, p=[0.5, 0.499, 0.001]))


VIEWS = [
    Selection(),
    Selection(bounds={"monetary": (80.0, None)}),
    Selection(countries=("Country 03",)),
    Selection(segments=("S2",)),
]


@pytest.mark.parametrize("selection", VIEWS, ids=repr)
def test_boxes_have_the_exact_quantiles_of_the_customers_in_view(frame, selection):
    mask = frame.mask(selection)
    data = boxes.box_data(frame, mask)
    expected = 0
    for code, item in enumerate(frame.segments):
        values = frame.values("clv")[mask & (frame.segment_codes == code)]
        values = values[~np.isnan(values)]
        if not len(values):
            continue
        box = next(one for one in data.boxes if one.name == item.name)
        q1, median, q3 = np.quantile(values, [0.25, 0.5, 0.75])
        reach = 1.5 * (q3 - q1)
        np.testing.assert_allclose((box.q1, box.median, box.q3), (q1, median, q3), rtol=1e-12)
        inside = values[(values >= q1 - reach) & (values <= q3 + reach)]
        np.testing.assert_allclose((box.low, box.high), (min(inside.min(), q1), max(inside.max(), q3)))
        assert box.customers == len(values)
        expected += 1
    assert len(data.boxes) == expected


def test_boxes_are_drawn_from_quantiles_never_from_customers(frame):
    figure = go.Figure(boxes.draw_boxes(boxes.box_data(frame, frame.mask(Selection())), "light"))
    assert len(figure.data) == 3
    for trace in figure.data:
        assert trace.x is None and len(trace.median) == 1
    assert figure.layout.xaxis.type == "log" and "GBP, logarithmic" in figure.layout.xaxis.title.text


@pytest.mark.parametrize("pair", [clouds.RECENCY_FREQUENCY, clouds.SPEND_CLV])
@pytest.mark.parametrize("selection", VIEWS, ids=repr)
def test_the_ground_counts_everyone_in_view_and_the_sample_is_part_of_them(frame, pair, selection):
    mask = frame.mask(selection)
    data = clouds.cloud_data(frame, mask, *pair, clouds.sample_of(frame, mask, 1_000))
    assert data.cells.sum() == data.total == mask.sum()
    assert data.points == min(1_000, mask.sum()) == sum(len(cloud.x) for cloud in data.clouds)
    in_view = set(frame.customers.ids.filter(mask).to_pylist())
    for cloud in data.clouds:
        assert set(cloud.ids) <= in_view
        assert isinstance(cloud.x, np.ndarray) and cloud.x.dtype == np.float32


def test_the_sample_is_the_same_each_time_and_stays_while_a_filter_narrows(frame):
    def ids(mask):
        data = clouds.cloud_data(frame, mask, *clouds.RECENCY_FREQUENCY, clouds.sample_of(frame, mask, 1_000))
        return {name for cloud in data.clouds for name in cloud.ids}

    everyone, narrow = frame.mask(Selection()), frame.mask(Selection(bounds={"recency_days": (None, 200.0)}))
    assert ids(everyone) == ids(everyone)
    still_in_view = ids(everyone) & set(frame.customers.ids.filter(narrow).to_pylist())
    assert still_in_view <= ids(narrow)


def test_spread_whole_numbers_round_back_to_what_they_are(frame):
    data = clouds.cloud_data(frame, frame.mask(Selection()), *clouds.RECENCY_FREQUENCY)
    frequency = dict(zip(frame.customers.ids.to_pylist(), frame.values("frequency"), strict=True))
    for cloud in data.clouds:
        assert [frequency[name] for name in cloud.ids] == np.round(cloud.y).astype(int).tolist()


def test_nobody_vanishes_from_a_logarithmic_axis(frame):
    data = clouds.cloud_data(frame, frame.mask(Selection()), *clouds.SPEND_CLV)
    assert data.x.log and data.total == N
    assert data.at_edge >= 17  # seven without spend, ten without a CLV
    assert f"{data.at_edge} customers with less than the axes show stand at the edge" in clouds.cloud_words(data)


def test_filtering_does_not_move_the_axes(frame):
    some = clouds.cloud_data(frame, frame.mask(VIEWS[2]), *clouds.SPEND_CLV)
    everyone = clouds.cloud_data(frame, frame.mask(Selection()), *clouds.SPEND_CLV)
    np.testing.assert_array_equal(some.x.edges, everyone.x.edges)
    light, dark = (go.Figure(clouds.draw_cloud(some, theme)).layout for theme in ("light", "dark"))
    assert light.uirevision == dark.uirevision is not None
    assert light.xaxis.range == go.Figure(clouds.draw_cloud(everyone, "light")).layout.xaxis.range


def test_a_sampled_cloud_says_how_many_are_drawn(frame):
    mask = frame.mask(Selection())
    assert clouds.cloud_words(
        clouds.cloud_data(frame, mask, *clouds.SPEND_CLV, clouds.sample_of(frame, mask, 100))
    ).startswith("100 of 5,000 customers drawn.")
    words = clouds.cloud_words(clouds.cloud_data(frame, mask, *clouds.SPEND_CLV, clouds.sample_of(frame, mask, 5_000)))
    assert words.startswith("5,000 customers.")


def test_clouds_carry_name_colour_units_and_hover(frame):
    figure = go.Figure(clouds.draw_cloud(clouds.cloud_data(frame, frame.mask(Selection()), *clouds.SPEND_CLV), "light"))
    ground, *points = figure.data
    assert ground.type == "heatmap" and [trace.name for trace in points] == ["S0", "S1", "S2"]
    assert [trace.marker.color for trace in points] == [item.colour for item in frame.segments]
    assert figure.layout.yaxis.title.text == "CLV (GBP, logarithmic)"
    assert "£%{x:,.2f}" in points[0].hovertemplate


def test_countries_are_the_biggest_and_one_other_and_add_up(frame):
    mask = frame.mask(Selection())
    data = country_bars.country_data(frame, aggregate_customers(frame, mask), top=12)
    country = pd.Series(frame.values("monetary")).groupby(frame.country_codes).sum()
    assert len(data.bars) == 12 and data.others == 9
    assert data.bars[0].name == "United Kingdom"
    assert [bar.revenue for bar in data.bars] == sorted((bar.revenue for bar in data.bars), reverse=True)
    unknown = country[-1]
    assert sum(bar.revenue for bar in data.bars) + data.rest.revenue + unknown == pytest.approx(data.revenue)
    assert sum(bar.customers for bar in data.bars) + data.rest.customers == N - 1
    figure = go.Figure(country_bars.draw_countries(data, "dark"))
    assert figure.data[0].y[-1] == "Other (9)"
    assert figure.layout.xaxis.range[1] > 1.3 * max(figure.data[0].x)  # head-room for the labels


def test_thirteen_countries_need_no_other(frame):
    few = Selection(countries=tuple(f"Country {i:02d}" for i in range(13)))
    data = country_bars.country_data(frame, aggregate_customers(frame, frame.mask(few)), top=12)
    assert len(data.bars) == 13 and data.rest is None


def test_an_empty_view_says_so_everywhere(frame):
    nobody = np.zeros(N, dtype=bool)
    cloud = clouds.cloud_data(frame, nobody, *clouds.SPEND_CLV)
    box, country = boxes.box_data(frame, nobody), country_bars.country_data(frame, aggregate_customers(frame, nobody))
    for figure in (
        clouds.draw_cloud(cloud, "light"),
        boxes.draw_boxes(box, "light"),
        country_bars.draw_countries(country, "light"),
    ):
        assert figure["layout"]["annotations"][0]["text"] == "No customer meets these filters."
    assert clouds.cloud_words(cloud) == boxes.box_words(box) == country_bars.country_words(country)


def test_dark_ground_gets_its_own_ink_and_lighter_segments():
    assert template("dark").layout.font.color != template("light").layout.font.color
    assert empty_figure("why", "dark")["layout"]["annotations"][0]["text"] == "why"
    assert visible_colour("#004488", "light") == "#004488"
    assert visible_colour("#004488", "dark") == "#4c7cac"


NARROWED = [
    *VIEWS,
    Selection(countries=("United Kingdom",), segments=("S2",)),
    Selection(bounds={"clv": (0.5, None)}, countries=("United Kingdom",)),
    Selection(bounds={"clv": (None, 30.0), "recency_days": (None, 200.0)}),
    Selection(bounds={"frequency": (None, 3.0)}, q="1"),
]


@pytest.mark.parametrize("selection", NARROWED, ids=repr)
def test_sums_by_block_are_those_of_the_mask(frame, selection):
    views = frame.views(selection)
    plain = np.ones(len(frame), dtype=bool) if views.rest is None else views.rest
    if selection.segments:
        plain = plain & np.isin(frame.segment_codes, [i for i, s in enumerate(frame.segments) if s.name == "S2"])
    if selection.countries:
        plain = plain & (np.array([*frame.countries, "?"])[frame.country_codes] == selection.countries[0])
    np.testing.assert_array_equal(views.mask, plain)
    sums = aggregate_selection(frame, selection, views.rest).view
    whole = totals_of(frame, aggregate_customers(frame, plain))
    np.testing.assert_allclose([float(n or 0) for n in totals_of(frame, sums)], [float(n or 0) for n in whole])
    assert sums.customers == whole.customers == np.count_nonzero(plain)
    assert whole.revenue == pytest.approx(frame.values("monetary")[plain].sum())
