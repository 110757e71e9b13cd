"""What a run was made of and what came of it, section by section: settings, data, metrics, segments and the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import urlencode

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.components import cards, name_editor
from dashboard.components.panels import panel
from dashboard.components.segment_table import what_to_do
from dashboard.components.tables import Head, number_cell, number_heads, scroll, share_bar, table, table_row
from dashboard.i18n.numbers import NOTHING, count, day, decimal, money, percent, plural, round_money, written
from dashboard.i18n.texts import noted, say, segment_name
from dashboard.queries.advice import advice_on
from dashboard.queries.comparison import (
    BETTER,
    SORTED_BY,
    metric_rows,
    plain_sortings,
    space_words,
    value_text,
)
from dashboard.queries.segment import rules_in_words
from engines.contract import Knob, Play
from storage.contract import Run, Snapshot


def _pairs(label: str, pairs: Sequence[tuple[str, Any, str]]) -> Component:
    """Two columns without a head: a name (with a word on hover) and what holds."""
    lines = [html.Tr([html.Th(name, scope="row", title=help or None), html.Td(shown)]) for name, shown, help in pairs]
    return scroll(label, html.Table(html.Tbody(lines), className="seg-table seg-pairs"))


def _artifacts(run: Run) -> Mapping[str, Any]:
    artifacts: Mapping[str, Any] = run.info.get("artifacts", {})
    return artifacts


# --- segments -------------------------------------------------------------------------------------------------------


def segment_section(run: Run, snapshot: Snapshot, plays: Sequence[Play], page: str) -> Component:
    """The segments with their figures, why their advice is given, their rule if there is one, a pencil to name them."""
    currency = snapshot.currency
    rules = rules_in_words(_artifacts(run), currency)
    heads = [
        Head(say("Segment and what to do")),
        *number_heads(say("Customers"), say("Share"), say("Revenue"), say("Recency"), say("Frequency")),
        *number_heads(say("Monetary"), say("CLV")),
    ]
    lines = []
    for item in run.segments:
        address = "/?" + urlencode([("run", run.id), ("segment", item.known_by)])
        rule = [html.Div(rules[item.key], className="rule")] if item.key in rules else []
        name = [
            dcc.Link(
                [cards.swatch(item.colour), segment_name(item.name)],
                href=address,
                title=say("Show the customers of {segment}", segment=segment_name(item.name)),
            ),
            name_editor.pencil(page, run.id, item),
            *what_to_do(item, advice_on(item, plays, currency).why),
            *rule,
        ]
        numbers = (
            count(item.customers),
            percent(item.customers / snapshot.customers if snapshot.customers else None),
            percent(item.revenue_share),
            decimal(item.recency),
            decimal(item.frequency),
            round_money(item.monetary, currency),
            round_money(item.clv, currency),
        )
        lines.append(table_row(name, *numbers))
    hint = say(
        "Revenue is the segment's share of all; recency (days), frequency, monetary and CLV are means per customer."
    )
    shown = table(say("Segments of the run"), heads, lines, "segment-table seg-report")
    return panel(say("Segments"), shown, hint=hint)


# --- metrics --------------------------------------------------------------------------------------------------------


def metric_section(run: Run) -> Component:
    """Every metric with its sentence and which way is better, and the feature space that distances belong to."""
    lines = []
    for row in metric_rows([run]):
        way = html.Span(f" · {say(BETTER[row.better])}", className="seg-hint fw-normal")
        since = run.info.get("holdout_from") if row.name == "holdout_revenue" else None
        words = say(row.meaning) if row.meaning else ""
        if since:
            then = say("Fitted before {day}, looked at after it.", day=day(date.fromisoformat(since)))
            words = f"{words} {then}"
            sortings = [
                f"{say(SORTED_BY[name])} {percent(item.top)}"
                for name, item in plain_sortings([run]).items()
                if item.top
            ]
            if sortings:
                plain = say("With no segments at all, customers {sortings}.", sortings=", ".join(sortings))
                words = f"{words} {plain}"
        meaning = html.Div(words, className="seg-hint fw-normal")
        lines.append(table_row([say(row.title), way, meaning], value_text(row, row.values[0])))
    space = _artifacts(run).get("space") or say(space_words(run))
    hint = say("Feature space: {space}. What is measured in it is never compared with another space.", space=space)
    heads = (say("Metric"), Head(say("Value"), True))
    return panel(say("Metrics"), table(say("Metrics of the run"), heads, lines), hint=hint)


# --- settings and data ----------------------------------------------------------------------------------------------


def setting_section(run: Run, knobs: Sequence[Knob]) -> Component:
    """The settings with their help on hover; what differs from the default is marked."""
    by_name = {knob.name: knob for knob in knobs}
    lines = []
    for name, value in run.settings.items():
        knob = by_name.get(name)
        default = NOTHING if knob is None else _setting(knob.default)
        changed = knob is not None and _setting(value) != default
        shown = html.Td(_setting(value), className="seg-best" if changed else "")
        title = html.Th(
            say(name.replace("_", " ")),
            scope="row",
            title=say(knob.help) if knob and knob.help else None,
            className="seg-help",
        )
        lines.append(html.Tr([title, shown, html.Td(default, className="seg-hint")]))
    heads = (say("Setting"), say("Value"), say("Default"))
    return panel(
        say("Settings"), table(say("Settings of the run"), heads, lines), hint=say("Hover a name for what it does.")
    )


def _setting(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or NOTHING
    if isinstance(value, bool):
        return say("yes") if value else say("no")
    return NOTHING if value in (None, "") else str(value)


def data_section(snapshot: Snapshot) -> Component:
    """The snapshot: where it comes from, as of when, and what cleaning has dropped."""
    info, ledger = snapshot.info, snapshot.ledger
    currency = snapshot.currency
    days = [day(date.fromisoformat(info[name])) for name in ("first_day", "last_day") if info.get(name)]
    synthetic = [" ", cards.synthetic_badge()] if info.get("synthetic") else []
    pairs: list[tuple[str, Any, str]] = [
        (say("Data set"), [str(info.get("title") or snapshot.dataset), *synthetic], ""),
        (say("Source"), snapshot.source, say("The file or table the sales were read from.")),
        (
            say("Snapshot"),
            str(snapshot.id),
            say("Customers as of a date; runs of one snapshot have the same customers."),
        ),
        (say("As of"), day(snapshot.as_of), say("Sales before this day's midnight count.")),
        (
            say("Rules"),
            say("version {version}", version=snapshot.rules),
            say("By which version of the rules the sales were read. Nothing is compared across versions."),
        ),
        (say("Sales"), _span(days), say("First and last day with sales.")),
        (say("Customers"), count(snapshot.customers), ""),
        (
            say("Value"),
            _value_words(info.get("value") or {}),
            say("What estimated CLV and churn risk, and how far ahead."),
        ),
    ]
    parts = [_pairs(say("Data of the run"), pairs)]
    if ledger.get("in") and ledger.get("out"):
        parts.append(_ledger(ledger, currency))
    return panel(say("Data"), *parts, *cards.note_list([say(note) for note in snapshot.notes]))


def _span(days: Sequence[str]) -> str:
    return say("{first} to {last}", first=days[0], last=days[1]) if len(days) == 2 else "".join(days) or NOTHING


def _value_words(model: Mapping[str, Any]) -> str:
    """Which models estimated the customers' value, and for how long a time."""
    titles = {"bg_nbd": "BG/NBD", "mbg_nbd": "MBG/NBD", "pareto_nbd": "Pareto/NBD", "gamma_gamma": "Gamma-Gamma"}
    used = [title for name, title in titles.items() if model.get(name)]
    if not used:
        return say("not estimated")
    ahead = [say("{weeks} weeks ahead", weeks=model["horizon_weeks"])] if model.get("horizon_weeks") else []
    rate = (
        [say("discounted by {rate} a year", rate=percent(model["discount_rate"]))] if model.get("discount_rate") else []
    )
    return ", ".join([say(" and ").join(used), *ahead, *rate])


def _ledger(ledger: Mapping[str, Any], currency: str) -> Component:
    def part(title: str, side: Mapping[str, Any], style: str = "") -> Component:
        return table_row(title, written(side["lines"], ","), money(side["revenue"], currency), style=style)

    rules = [
        part(f"− {say(rule['rule'].replace('_', ' '))}", rule)
        for rule in ledger["rules"]
        if rule["lines"] or rule["revenue"]
    ]
    parts = [part(say("of this {part}", part=item["rule"]), item) for item in ledger.get("parts", ())]
    lines = [part(say("Read"), ledger["in"]), *rules, part(say("Used"), ledger["out"], "fw-semibold"), *parts]
    heads = [Head(say("Lines of sales")), *number_heads(say("Lines"), say("Revenue"))]
    return table(say("What cleaning dropped"), heads, lines)


def note_section(run: Run) -> list[Component]:
    """What the user should know of the run, where there is anything."""
    left_out = _artifacts(run).get("left_out")
    notes = [
        *run.notes,
        *([say("Too long to be kept with the run: {parts}.", parts=", ".join(left_out))] if left_out else []),
    ]
    return [panel(say("Notes"), *cards.note_list([say(note) for note in notes]))] if notes else []


def machine_section(run: Run) -> Component:
    """How long it took, on how many customers, the figures of the fit, and the versions to reproduce it with."""
    took = NOTHING if run.seconds is None else f"{written(run.seconds, '.2f')} s"
    fitted_on = NOTHING if run.fitted_on is None else plural(run.fitted_on, "{n} customer", "{n} customers")
    pairs: list[tuple[str, Any, str]] = [
        (say("Fit time"), took, say("Seconds from the customer table to the finished segments.")),
        (say("Fitted on"), fitted_on, say("Everyone is labelled all the same.")),
    ]
    _ = (  # what our own engines call them
        *(noted("log likelihood"), noted("rounds"), noted("settled"), noted("near singular")),
        *(noted("exact"), noted("leaves"), noted("cut height"), noted("next height")),
    )
    diagnostics = run.info.get("diagnostics", {})
    pairs += [
        (say(name.replace("_", " ")), _figure(value), say("A figure of the fit."))
        for name, value in diagnostics.items()
    ]
    pairs += [(name, version, say("Version of the library.")) for name, version in run.info.get("versions", {}).items()]
    return panel(say("Under the hood"), _pairs(say("Figures of the fit and library versions"), pairs))


def _figure(value: float | None) -> str:
    if value is None:
        return NOTHING
    return count(value) if float(value).is_integer() else written(value, ",.6g")


# --- the model ------------------------------------------------------------------------------------------------------


def variance_section(run: Run) -> list[Component]:
    """How much of the features' variance each principal component holds, where there are any."""
    shares = _artifacts(run).get("explained_variance")
    if not shares:
        return []
    so_far, lines = 0.0, []
    for number, share in enumerate(shares, start=1):
        so_far += share
        lines.append(_bar_line(say("Component {number}", number=number), share, percent(so_far)))
    heads = (say("Principal component"), Head(say("Share of variance"), True), Head(say("So far"), True))
    hint = say(
        "{components} hold {share} of the variance of the features.",
        components=plural(len(shares), "{n} component", "{n} components"),
        share=percent(so_far),
    )
    return [panel(say("Principal components"), table(say("Explained variance"), heads, lines), hint=hint)]


def certainty_section(run: Run) -> list[Component]:
    """How sure a mixture is of each customer's segment, where the engine knows."""
    certainty = _artifacts(run).get("certainty")
    if not certainty:
        return []
    sample_size, below_60, below_80 = certainty["asked"], certainty["below_60"], certainty["below_80"]
    parts = (
        (say("Below 0.6: on the fence"), below_60),
        (say("0.6 to 0.8: likely"), below_80 - below_60),
        (say("0.8 and above: clear"), 1 - below_80),
    )
    lines = [_bar_line(title, share, count(round(share * sample_size))) for title, share in parts]
    hint = say("The probability of each customer's segment: {share} have less than 0.8.", share=percent(below_80))
    if sample_size < sum(item.customers for item in run.segments):
        sampled = say("Asked of {customers} of them.", customers=count(sample_size))
        hint = f"{hint} {sampled}"
    heads = (say("Probability of the segment"), Head(say("Share of customers"), True), Head(say("Customers"), True))
    return [panel(say("How sure the mixture is"), table(say("Certainty of membership"), heads, lines), hint=hint)]


def _bar_line(title: str, share: float, last: str) -> Component:
    return table_row(title, number_cell(share_bar(percent(share), share)), last)
