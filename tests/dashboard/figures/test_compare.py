"""Pictures of several runs: the arithmetic as plain data, then what is drawn from it."""

from types import SimpleNamespace

import numpy as np
import plotly.graph_objects as go
import pytest

from dashboard.figures import readable_on
from dashboard.figures.comparison import (
    AgreementData,
    CrossData,
    draw_agreement,
    draw_cross,
    draw_size_bars,
    size_bars_data,
)
from engines.contract import NamedSegment


class Frame(SimpleNamespace):
    def __len__(self):
        return self.customers


def segment(name, customers, revenue_share, colour="#004488"):
    return NamedSegment(0, name, "", colour, customers, revenue_share, 1.0, 1.0, 1.0, None)


FRAMES = (
    Frame(customers=100, segments=(segment("Lost", 60, 0.1, "#555555"), segment("Champions", 40, 0.9))),
    Frame(customers=100, segments=(segment("Champions", 25, 0.7), segment("Whales", 75, 0.3, "#123456"))),
)


def test_sizes_by_name_in_the_order_of_the_playbook():
    data = size_bars_data(FRAMES, ["A", "B"], ["Champions", "At Risk", "Lost"], "customers")
    assert data.names == ("Champions", "Lost", "Whales")
    assert data.colours == ("#004488", "#555555", "#123456")
    np.testing.assert_array_equal(data.shares, [[0.4, 0.25], [0.6, np.nan], [np.nan, 0.75]])
    np.testing.assert_array_equal(data.customers, [[40, 25], [60, np.nan], [np.nan, 75]])
    revenue = size_bars_data(FRAMES, ["A", "B"], [], "revenue")
    assert revenue.names == ("Lost", "Champions", "Whales")
    np.testing.assert_allclose(np.nansum(revenue.shares, axis=0), 1)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_sizes_are_drawn_per_run(theme):
    data = size_bars_data(FRAMES, ["A", "B"], ["Champions"], "customers")
    figure = go.Figure(draw_size_bars(data, theme))
    assert [bar.name for bar in figure.data] == list(data.names)
    assert list(figure.data[0].y) == ["A", "B"]
    assert list(figure.data[1].y) == ["A"]
    assert figure.data[1].text[0] == "60.0\u00a0%"
    assert figure.layout.yaxis.categoryarray == ("B", "A")  # the first run on top


def test_small_pieces_carry_no_figure():
    frames = (Frame(customers=100, segments=(segment("Big", 95, 0.5), segment("Small", 5, 0.5))),)
    figure = go.Figure(draw_size_bars(size_bars_data(frames, ["A"], [], "customers"), "light"))
    assert [bar.text[0] for bar in figure.data] == ["95.0\u00a0%", ""]


def test_figures_are_readable_on_their_colour():
    colours = ("#004488", "#99DDAA", "#000000", "#ffffff")
    assert [readable_on(colour) for colour in colours] == ["#ffffff", "#10151c", "#ffffff", "#10151c"]


def test_most_and_least_agreement():
    data = AgreementData(("A", "B", "C"), np.array([[1, 0.2, 0.9], [0.2, 1, 0.5], [0.9, 0.5, 1]]))
    assert data.extremes == (("A", "C", 0.9), ("A", "B", 0.2))
    heat = go.Figure(draw_agreement(data, "dark")).data[0]
    assert (heat.zmin, heat.zmax) == (0, 1)
    assert heat.text[0][1] == "0.20"
    np.testing.assert_array_equal(heat.z, data.agreement)


def test_shares_of_a_cross_table_are_of_its_rows():
    data = CrossData("A", "B", ("x", "y", "nobody"), ("p", "q"), np.array([[3, 1], [0, 4], [0, 0]]))
    np.testing.assert_array_equal(data.shares, [[0.75, 0.25], [0, 1], [np.nan, np.nan]])
    heat = go.Figure(draw_cross(data, "light")).data[0]
    assert [list(row) for row in heat.text] == [["3", "1"], ["", "4"], ["", ""]]
    assert heat.customdata[0][0] == "75.0\u00a0%"
