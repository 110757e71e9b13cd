"""How well the value models foresaw days they had not seen, section by section, and the golden run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.components.attributes import aria
from dashboard.components.panels import panel
from dashboard.components.tables import Head, number_cell, number_heads, table, table_row
from dashboard.i18n.numbers import NOTHING, count, day, decimal, money, percent, plural, short_money, written
from dashboard.i18n.texts import noted, say
from dashboard.queries.receipts import Measure, best_of, way_of
from engines.value.validation.golden import PublishedFigure


def golden_parts(published: Sequence[PublishedFigure], titles: dict[str, str]) -> list[Component]:
    """How many figures agree, and all of them: published, ours, and how far off ours may be."""
    off = [item for item in published if not item.holds]
    sentence = say("All {number} figures agree with the published ones.", number=len(published))
    if off:
        sentence = say(
            "▲ {off} of {number} figures differ from the published ones by more than they may.",
            off=len(off),
            number=len(published),
        )
    heads = [
        Head(say("Model")),
        Head(say("Figure")),
        *number_heads(say("Published"), say("Here"), say("May differ by")),
        Head(""),
        Head(say("Source")),
    ]
    return [
        html.P(sentence, className="seg-alarm" if off else "fw-semibold", role="status"),
        table(say("Published figures and ours"), heads, [_line(item, titles) for item in published]),
    ]


def _line(item: PublishedFigure, titles: dict[str, str]) -> Component:
    mark = html.Td("✓" if item.holds else say("▲ differs"), className="" if item.holds else "seg-alarm")
    ours = NOTHING if item.ours is None else written(item.ours, ",.4f")
    numbers = [number_cell(each) for each in (written(item.published, ",.4f"), ours, written(item.within, ".2g"))]
    name = html.Th(titles.get(item.model, item.model), scope="row", className="seg-nowrap")
    return html.Tr([name, html.Td(item.quantity), *numbers, mark, html.Td(item.source, className="seg-hint")])


Receipt = Mapping[str, Any]

_TIMES_VALUE = " x Gamma-Gamma"  # all lifetime models have it, so that a narrow table need not repeat it


# --- the first screen -----------------------------------------------------------------------------------------------

_QUESTIONS = {"purchases": noted("Purchases ahead"), "churn": noted("Churn risk"), "ltv": noted("Spend ahead")}


def verdicts(receipt: Receipt, *, has_money: bool = True) -> Component:
    """A card per question: whether the model that is used beats guessing, and how sure its intervals were.

    Without money there is no question of spend.
    """
    titles = receipt["titles"]
    shown = [
        _verdict(
            say(_QUESTIONS.get(item["question"], item["question"])),
            say(titles.get(item["model"], item["model"])),
            item["beats"],
            item["words"],
        )
        for item in receipt["verdicts"]
        if has_money or item["question"] != "ltv"
    ]
    return html.Div([*shown, *(_interval_card(receipt) if has_money else [])], className="kpis value-verdicts")


def _verdict(title: str, model: str, good: bool | None, words: str) -> Component:
    mark = html.Span("✓ " if good else "▲ ", **aria(hidden="true"))
    state = say("beats its baselines") if good else say("does not beat its baselines")
    return html.Div(
        [
            html.Div(title, className="kpi-title"),
            html.Div(model, className="value-model"),
            html.Div([mark, state], className="" if good else "seg-alarm"),
            html.Div(say(words), className="kpi-note"),
        ],
        className="kpi seg-card",
    )


def _interval_card(receipt: Receipt) -> list[Component]:
    coverage = receipt.get("coverage")
    if not coverage:
        return []
    held = coverage["spend"]
    total = coverage.get("total") or {}
    level = percent(coverage["level"])
    if not total:
        note = say("meant to hold {level}", level=level)
    elif total.get("inside"):
        note = say("meant to hold {level}; revenue in all came inside its interval", level=level)
    else:
        note = say("meant to hold {level}; revenue in all came outside its interval", level=level)
    return [
        html.Div(
            [
                html.Div(say("Intervals"), className="kpi-title"),
                html.Div(say("{share} of customers", share=percent(held)), className="value-model"),
                html.Div(say("spent what their interval said")),
                html.Div(note, className="kpi-note"),
            ],
            className="kpi seg-card",
        )
    ]


def lead(receipt: Receipt) -> str:
    """What was checked, in a sentence."""
    plan = receipt["plan"]
    return say(
        "The models were shown the sales up to {cutoff} and nothing after; what they expected of "
        "{customers} is held against what those did in the {weeks} weeks up to {until}.",
        cutoff=_day(plan["cutoff"]),
        customers=plural(plan["customers"], "{n} customer", "{n} customers"),
        weeks=decimal(plan["weeks"], 1).removesuffix(".0"),
        until=_day(plan["until"]),
    )


def _day(text: str) -> str:
    return day(date.fromisoformat(text))


# --- tables of figures ----------------------------------------------------------------------------------------------


def figures_table(
    label: str,
    figures: Mapping[str, Mapping[str, float | None]],
    measures: Sequence[Measure],
    receipt: Receipt,
    chosen: str | None,
) -> Component:
    """A line per model, the one in use starred, the best of each column marked, naive baselines last."""
    baselines = [name for name in figures if name in receipt["baselines"]]
    names = [*(name for name in figures if name not in baselines), *baselines]
    best = {measure.name: best_of(figures, measure) for measure in measures}
    heads = [
        Head(say("Model")),
        *(Head(say(each.title), True, f"{say(each.meaning)} {way_of(each)}") for each in measures),
    ]
    lines = []
    for name in names:
        mark = [html.Span(" ★", title=say("in use"), **aria(label=say("in use")))] if name == chosen else []
        kind = html.Span(" " + say("baseline"), className="seg-hint fw-normal") if name in baselines else None
        cells = [
            number_cell(each.format_value(figures[name].get(each.name)), "seg-best" if best[each.name] == name else "")
            for each in measures
        ]
        called = receipt["titles"].get(name, name)
        title = say(called.removesuffix(_TIMES_VALUE))
        lines.append(html.Tr([html.Th([title, *mark, kind], scope="row", className="seg-nowrap"), *cells]))
    return table(label, heads, lines)


def measure_meanings(measures: Sequence[Measure]) -> Component:
    """What every column means, for those who do not hover."""
    items = [
        item for each in measures for item in (html.Dt(say(each.title)), html.Dd(f"{say(each.meaning)} {way_of(each)}"))
    ]
    return html.Details([html.Summary(say("What the columns mean")), html.Dl(items, className="value-meanings")])


# --- intervals, models, golden run ----------------------------------------------------------------------------------


def coverage_section(receipt: Receipt, currency: str) -> Component | None:
    """Whether intervals held what they promised."""
    coverage = receipt.get("coverage")
    if not coverage:
        return None
    level = percent(coverage["level"])
    rows = [
        (say("Customers whose spend fell inside"), percent(coverage["spend"]), level),
        (say("Customers whose purchases fell inside"), percent(coverage["purchases"]), level),
    ]
    if coverage.get("spend_of_buyers") is not None:
        rows.append((say("Spend fell inside, of those who did buy"), percent(coverage["spend_of_buyers"]), level))
    tenths = [item["spend"] for item in coverage.get("deciles", ())]
    if tenths:
        worst, best = percent(min(tenths)), percent(max(tenths))
        rows.append(
            (say("The same by tenths of what was expected"), say("{low} to {high}", low=worst, high=best), level)
        )
    lines = [table_row(*row) for row in rows]
    parts = [table(say("Coverage of the intervals"), ["", *number_heads(say("Held"), say("Meant"))], lines)]
    total = coverage.get("total")
    if total:
        low, high = short_money(total["low"], currency), short_money(total["high"], currency)
        parts.append(
            html.P(
                [
                    say("For all together {low} to {high} was foreseen;", low=low, high=high),
                    " ",
                    html.Strong(short_money(total["actual"], currency), title=money(total["actual"], currency)),
                    " ",
                    say("came, inside that interval.") if total["inside"] else say("came, outside that interval."),
                ],
                className="mt-2 mb-0",
            )
        )
        if total.get("origins"):
            parts.append(
                html.P(
                    say(
                        "That range is made of what {number} earlier cut-offs missed, and of what was missed on other "
                        "data sets; nothing of the days that it is held against is in it.",
                        number=count(len(total["origins"])),
                    ),
                    className="seg-hint mb-0",
                )
            )
    hint = say(
        "An interval says how far a customer's spend may be from its CLV: the parameters are not known "
        "exactly, and customers do as they please. Fewer inside than meant: too sure. More inside is "
        "usual where many buy nothing, as an interval that begins at nothing holds them all."
    )
    return panel(say("Do the intervals hold?"), *parts, hint=hint)


def origin_section(receipt: Receipt) -> Component | None:
    """By which earlier dates the models were chosen, and how far off the models in use were at each."""
    origins = receipt.get("origins")
    if not origins:
        return None
    chosen, titles = receipt["chosen"], receipt["titles"]
    questions = [("purchases", say("Purchases: RMSE")), ("churn", say("Chance: log loss")), ("ltv", say("Spend: RMSE"))]
    lines = []
    for origin in origins:
        cells = [number_cell(count(origin["days"])), number_cell(count(origin["customers"]))]
        for question, _ in questions:
            losses = origin["losses"][question]
            ours, default = losses.get(chosen[question]), losses.get("bg_nbd")
            cells.append(number_cell(f"{decimal(ours, 3)} ({decimal(default, 3)})"))
        lines.append(html.Tr([html.Th(_day(origin["cutoff"]), scope="row", className="seg-nowrap"), *cells]))
    heads = [
        Head(say("Cut-off")),
        *number_heads(say("Days"), say("Customers"), *(head for _, head in questions)),
    ]
    words = say(
        "In use: {purchases} for purchases, {churn} for the chance of buying, {spend} for spend. In brackets: BG/NBD, "
        "which stands unless another was better at most of these dates.",
        purchases=say(titles.get(chosen["purchases"], "")),
        churn=say(titles.get(chosen["churn"], "")),
        spend=say(titles.get(chosen["ltv"], "")),
    )
    hint = say(
        "Each date stands for a test: models know the sales up to it and foresee the days after. All of these days "
        "were over before the test above began, so it took no part in the choice."
    )
    return panel(
        say("How the models were chosen"), table(say("Earlier cut-offs"), heads, lines), html.P(words), hint=hint
    )


def model_section(receipt: Receipt) -> Component:
    """The fitted parameters, so that anyone can check them."""
    lines = []
    for name, model in receipt["models"].items():
        parameters = ", ".join(f"{key} {written(value, '.4g')}" for key, value in model["parameters"].items())
        likelihood = decimal(model.get("log_likelihood"), 2)
        how = model.get("method") or NOTHING
        cells = [html.Td(parameters), number_cell(likelihood), html.Td(say(how))]
        lines.append(html.Tr([html.Th(receipt["titles"].get(name, name), scope="row", className="seg-nowrap"), *cells]))
    heads = (
        say("Model"),
        say("Parameters"),
        Head(say("Log-likelihood"), True),
        say("Fitted by"),
    )
    hint = say("Fitted on the sales up to the cut-off, time in weeks; log-likelihoods are totals over the customers.")
    return panel(say("Parameters"), table(say("Fitted parameters"), heads, lines), hint=hint)


def plan_words(plan: Mapping[str, Any]) -> str:
    """What a learning model was shown, in a sentence."""
    tested, cutoff = count(plan["days"]), _day(plan["cutoff"])
    if not plan.get("lessons"):
        return say("Tested on the {days} days after {cutoff}.", days=tested, cutoff=cutoff)
    return say(
        "Tested on the {days} days after {cutoff}; learned from {lessons} of {learned} days.",
        days=tested,
        cutoff=cutoff,
        lessons=plural(plan["lessons"], "{n} earlier cut-off", "{n} earlier cut-offs"),
        learned=count(plan["learned_days"]),
    )
