"""The dendrogram: the tree that SciPy would draw, cut where the run was cut."""

from types import SimpleNamespace

import numpy as np
import plotly.graph_objects as go
import pytest
from scipy.cluster.hierarchy import dendrogram, linkage

from dashboard.figures import visible_colour
from dashboard.figures.dendrogram import dendrogram_data, dendrogram_words, draw_dendrogram
from engines.hierarchical import Hierarchical
from engines.naming.naming import name_segments
from tests.dashboard.figures.numbers import numbers
from tests.engines.cdnow import cdnow_customers
from tests.engines.naming.kinds import PLAYS


@pytest.fixture(scope="module")
def found():
    """A run's artifacts, diagnostics and segments."""
    customers = cdnow_customers()
    fitted = Hierarchical(k=5).fit(customers)
    segments = name_segments(customers, fitted.assign(customers), fitted.segments, PLAYS)
    return fitted.artifacts(), fitted.diagnostics, segments


def test_brackets_are_those_of_scipy():
    points = np.array([[0.0], [1.0], [5.0], [5.5], [20.0]])
    merges = linkage(points, "ward")
    artifacts = {"linkage": merges.tolist(), "leaf_customers": [50, 40, 30, 20, 10], "leaf_keys": [0, 0, 0, 0, 1]}
    colours = {"A": "#111111", "B": "#222222"}
    segments = [
        SimpleNamespace(key=key, keys=(key,), name=name, colour=colour)
        for key, (name, colour) in enumerate(colours.items())
    ]
    data = dendrogram_data(artifacts, {"cut_height": 7.0, "next_height": 9.0}, segments)
    theirs = dendrogram(merges, no_plot=True)
    ours, heights = (sorted(map(sorted, corners)) for corners in (data.corners[:, 0].tolist(), theirs["dcoord"]))
    np.testing.assert_allclose(ours, heights)
    assert data.leaves.tolist() == [50, 40, 30, 20, 10]
    assert data.owners.tolist() == [0, 0, 0, -1]
    assert (data.names, data.customers, data.middles, data.cut) == (("A", "B"), (140.0, 10.0), (1.5, 4.0), 8.0)


def test_segments_lie_together_and_have_their_customers(found):
    artifacts, diagnostics, segments = found
    data = dendrogram_data(artifacts, diagnostics, segments)
    sizes = {item.name: item.customers for item in segments}
    assert dict(zip(data.names, data.customers, strict=True)) == sizes
    assert len(data.leaves) == 30 and data.leaves.sum() == sum(sizes.values())
    assert data.names[0] == segments[0].name
    # a merge within a segment lies below the cut, one between segments above it
    tops = data.corners[:, 0].max(axis=1)
    assert ((data.owners >= 0) == (tops < data.cut)).all()
    assert (data.owners == -1).sum() == len(segments) - 1
    # no branch crosses another: each bracket's leaves are side by side
    places = data.corners[:, 1]
    assert (places[:, 0] != places[:, 3]).all()
    assert np.unique(places[data.corners[:, 0] == 0]).tolist() == list(range(30))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_brackets_have_their_segments_colour_and_names_stand_beside_them(found, theme):
    data = dendrogram_data(*found)
    figure = go.Figure(draw_dendrogram(data, theme))
    assert [trace.line.color for trace in figure.data[1 : 1 + len(data.names)]] == [
        visible_colour(colour, theme) for colour in data.colours
    ]
    assert [text.rpartition(" (")[0] for text in figure.layout.yaxis.ticktext] == list(data.names)
    assert figure.layout.shapes[0].x0 == data.cut
    assert len(numbers(figure.data[0].x))
    assert f"cut into 5: {data.names[0]} (" in dendrogram_words(data)


def test_runs_that_have_kept_no_tree_have_no_picture(found):
    assert dendrogram_data({}, {}, found[2]) is None
    one = {"linkage": [[0, 1, 2.0, 2]], "leaf_customers": [3, 2], "leaf_keys": [0, 0]}
    data = dendrogram_data(one, {"cut_height": 2.0, "next_height": 0.0}, found[2])
    assert data.cut is None
    assert not go.Figure(draw_dendrogram(data, "light")).layout.shapes
