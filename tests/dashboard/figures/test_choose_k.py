"""The curves over k: the arithmetic as plain data, then what is drawn from it."""

import numpy as np
import plotly.graph_objects as go
import pytest

from dashboard.figures.choose_k import curves, draw_curve
from engines.evaluation.recommendation import KPoint, measure_choices
from engines.evaluation.selection import KSelection
from tests.dashboard.figures.numbers import numbers


def selection(points, **changes):
    known = {"elbow": 3, "lowest_bic": None, "recommended": 2, "reason": "Because."} | changes
    known["measures"] = measure_choices(points, elbow=known["elbow"], lowest_bic=known["lowest_bic"])
    return KSelection("kmeans", {}, "log x", 100, 100, 100, 100, 10, 0, tuple(points), **known)


def point(k, **values):
    known = dict.fromkeys(
        ("inertia", "silhouette", "silhouette_error", "calinski_harabasz", "davies_bouldin", "bic", "aic", "stability")
    )
    return KPoint(**{**known, "k": k, "segments": k, "stability_error": None, "smallest_share": 1 / k, **values})


POINTS = [
    point(2, inertia=9000.0, silhouette=0.5, silhouette_error=0.01, captured=0.5, captured_low=0.4, captured_high=0.6),
    point(3, inertia=5000.0, silhouette=None, captured=0.6, captured_low=0.55, captured_high=0.7),
    point(4, inertia=4000.0, silhouette=0.4, silhouette_error=0.02),
]


def test_curves_are_those_that_the_engine_has():
    found = {curve.name: curve for curve in curves(selection(POINTS))}
    assert list(found) == ["captured", "smallest_share", "silhouette", "inertia"]
    np.testing.assert_array_equal(found["captured"].values, [0.5, 0.6, np.nan])
    assert found["captured"].words_at(1) == "60.0\u00a0% (55.0\u00a0%\u201370.0\u00a0%)"
    np.testing.assert_array_equal(found["silhouette"].values, [0.5, np.nan, 0.4])
    np.testing.assert_allclose(found["silhouette"].high - found["silhouette"].values, [0.01, np.nan, 0.02])
    assert found["silhouette"].words_at(2) == "0.400 ± 0.020"
    assert found["silhouette"].meaning.endswith("never compare it across feature spaces.")
    assert (found["inertia"].own, found["inertia"].own_words) == (3, "elbow")
    assert (found["silhouette"].own, found["silhouette"].own_words, found["silhouette"].recommended) == (2, "best", 2)
    assert found["smallest_share"].format_value(1 / 3) == "33.3\u00a0%"
    assert found["inertia"].format_value(9000.0) == "9,000"
    assert found["silhouette"].format_value(np.nan) == "–"


def test_a_mixture_has_bic_and_aic():
    points = [point(k, bic=(k - 3) ** 2, aic=-2 * k) for k in (2, 3, 4)]
    found = {curve.name: curve for curve in curves(selection(points, lowest_bic=3, elbow=None))}
    assert list(found) == ["smallest_share", "bic", "aic"]
    assert (found["bic"].own, found["aic"].own) == (3, None)
    falling = {curve.name: curve for curve in curves(selection(points[:2], lowest_bic=3, elbow=None))}
    assert falling["bic"].own is None  # the end of the range is no lowest point
    assert all(curve.better and curve.meaning.endswith(".") for curve in found.values())


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_recommended_k_is_ringed_and_the_curves_own_choice_named(theme):
    by_name = {curve.name: curve for curve in curves(selection(POINTS))}
    inertia = go.Figure(draw_curve(by_name["inertia"], theme))
    line, ring, own = inertia.data
    np.testing.assert_array_equal(numbers(line.y), [9000, 5000, 4000])
    assert (numbers(ring.x).tolist(), numbers(ring.y).tolist()) == ([2], [9000])
    assert (numbers(own.x).tolist(), list(own.text)) == ([3], ["elbow"])
    assert inertia.layout.shapes[0].x0 == 2
    low, high = inertia.layout.yaxis.range
    assert low < 4000 and high > 9000
    silhouette = go.Figure(draw_curve(by_name["silhouette"], theme))
    np.testing.assert_array_equal(numbers(silhouette.data[0].x), [2, 4])
    np.testing.assert_allclose(numbers(silhouette.data[0].error_y.array), [0.01, 0.02])
    captured = go.Figure(draw_curve(by_name["captured"], theme)).data[0]
    np.testing.assert_allclose(numbers(captured.error_y.arrayminus), [0.1, 0.05])
    np.testing.assert_allclose(numbers(captured.error_y.array), [0.1, 0.1])
    assert silhouette.data[0].hovertext[0] == "<b>k = 2</b> · recommended<br>Silhouette 0.500 ± 0.010"


def test_without_a_recommendation_nothing_is_ringed():
    figure = go.Figure(draw_curve(curves(selection(POINTS, recommended=None, elbow=None))[-1], "light"))
    assert len(figure.data) == 1 and not figure.layout.shapes


def test_one_k_alone_can_be_drawn():
    figure = go.Figure(draw_curve(curves(selection(POINTS[:1], elbow=None))[0], "light"))
    assert numbers(figure.data[0].x).tolist() == [2]
