"""The timeline of agreement: points, alarm line, noise band and alerts."""

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from dashboard.figures.drift import ALARM, draw_timeline, timeline_data
from tests.dashboard.figures.numbers import numbers
from tests.dashboard.shop import DRIFT


def traces(figure):
    return {trace.name: trace for trace in figure.data if trace.name}


def test_arithmetic():
    data = timeline_data(DRIFT, 0.8)
    assert data.dates.astype(str).tolist() == ["2011-05-01", "2011-06-01", "2011-07-01"]
    assert data.alerts.tolist() == [False, True, False]
    assert data.has_noise
    assert data.hover[1] == (
        "<b>1 Jun 2011 · alert".replace(" · alert", "</b> · alert")
        + "<br>ARI 0.610<br>320 customers<br>31.0\u00a0% changed segment since the date before"
        + "<br>noise alone reaches down to 0.820"
    )
    assert "changed segment" not in data.hover[2]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_alerts_are_red_and_carry_their_figure(theme):
    figure = go.Figure(draw_timeline(timeline_data(DRIFT, 0.8), theme))
    alert = traces(figure)["alert"]
    assert alert.marker.color == ALARM[theme]
    assert list(alert.text) == ["0.61"]
    line = traces(figure)["frozen model against a refit"]
    np.testing.assert_array_equal(numbers(line.y), [0.93, 0.61, 0.79])
    assert figure.layout.shapes[0].y0 == 0.8
    assert figure.layout.annotations[0].text == "alarm line 0.8"
    np.testing.assert_array_equal(numbers(traces(figure)["noise of refitting"].y), [0.85, 0.82, 0.75])


def test_without_noise_and_alerts_there_is_one_line():
    calm = [replace(point, noise_low=None, alert=False) for point in DRIFT]
    figure = go.Figure(draw_timeline(timeline_data(calm, 0.5), "light"))
    assert set(traces(figure)) == {"frozen model against a refit"}


def test_of_alerts_in_a_row_the_first_and_the_latest_carry_a_figure():
    points = [replace(DRIFT[0], alert=alert) for alert in (True, True, True, False, True, True)]
    assert timeline_data(points, 0.8).labelled.tolist() == [True, False, False, False, True, True]
    assert not timeline_data(DRIFT[:1], 0.8).labelled.any()


def test_an_index_below_zero_is_in_the_picture():
    figure = go.Figure(draw_timeline(timeline_data([replace(DRIFT[0], ari=-0.3)], 0.8), "light"))
    assert figure.layout.yaxis.range[0] < -0.3
