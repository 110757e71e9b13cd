"""The timeline of agreement: points, alarm line, noise band and alerts."""

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from dashboard.figures.drift import ALARM, draw_ages, draw_shift, draw_timeline, shift_data, timeline_data
from engines.contract import AgeAgreement, Shift
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


def test_an_alert_about_the_customers_looks_otherwise_than_one_about_agreement():
    points = [replace(DRIFT[0], alert=True, cause="population"), replace(DRIFT[1], cause="agreement"), DRIFT[2]]
    data = timeline_data(points, 0.8)
    assert data.changed.tolist() == [True, False, False]
    assert data.hover[0].startswith("<b>1 May 2011</b> · customers changed")
    drawn = traces(go.Figure(draw_timeline(data, "light")))
    np.testing.assert_array_equal(numbers(drawn["alert"].y), [0.61])
    np.testing.assert_array_equal(numbers(drawn["alert: customers changed"].y), [0.93])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_agreement_by_age_has_its_range_and_the_line(theme):
    ages = [AgeAgreement(1, 0.9, 0.8, 0.95, 11), AgeAgreement(2, 0.7, -0.2, 0.9, 10)]
    figure = go.Figure(draw_ages(ages, 0.8, theme))
    (line,) = figure.data
    np.testing.assert_array_equal(numbers(line.y), [0.9, 0.7])
    np.testing.assert_allclose(numbers(line.error_y.arrayminus), [0.1, 0.9])
    np.testing.assert_allclose(numbers(line.error_y.array), [0.05, 0.2])
    assert line.hovertext[1] == "2 months old: ARI 0.70, from -0.20 to 0.90 at 10 dates"
    assert (figure.layout.shapes[0].y0, figure.layout.shapes[0].line.color) == (0.8, ALARM[theme])
    assert figure.layout.yaxis.range[0] < -0.2
    assert go.Figure(draw_ages([], 0.8, theme)).layout.yaxis.range[0] < 0


def test_the_index_at_the_same_age_is_drawn_where_it_is_known():
    shift = Shift("monetary", 0.3, 0.2, 10.0, 14.0, same_age_psi=0.1, beyond_chance=True)
    old = Shift("clv", 0.3, 0.2, 10.0, 14.0)
    known, unknown = shift_data([replace(DRIFT[0], shifts=(shift, old)), replace(DRIFT[1], shifts=(shift, old))])
    assert (known.same_age.tolist(), np.isnan(unknown.same_age).all()) == ([0.1, 0.1], True)
    assert [len(go.Figure(draw_shift(each, "light", 0.5)).data) for each in (known, unknown)] == [2, 1]
