"""How an upload is to be read: first lines, a column for each field, what has to be chosen, and what counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from dashboard.components.cards import note_list
from dashboard.components.fields import field, fields
from dashboard.components.tables import scroll
from dashboard.config import Config
from dashboard.i18n.numbers import NOTHING, day, percent, written
from dashboard.i18n.texts import noted, say
from dashboard.pages.data.questions import in_page_words
from dashboard.pages.data.words import ABSENT, FIELD_WORDS, NO_MONEY
from dashboard.pipeline.uploads import UploadRequest
from engines.columns import (
    AMOUNT,
    CANONICAL_FIELDS,
    CUSTOMER_ID,
    ORDER_DATE,
    ORDER_ID,
    ORDER_TOTAL,
    QUANTITY,
    STATUS,
    UNIT_PRICE,
)
from engines.errors import InputError
from engines.intake.schema.preview import Preview
from engines.intake.schema.read_lines import LINE_OUTCOME
from engines.settings import CleaningRules, Setting, currency_code
from storage.contract import Snapshot

#: The cleaning settings that the form has, by name.
RULES = {item.name: item for item in CleaningRules.declared() if item.label}

#: Fields that stand first: who bought when, and for how much.
MAIN_FIELDS = (CUSTOMER_ID, ORDER_DATE, ORDER_ID, QUANTITY, UNIT_PRICE, AMOUNT, ORDER_TOTAL)
_SURE = 0.8  # a guess below this says why
_SHOWN = 6  # of the first lines
_READ = (CUSTOMER_ID, ORDER_ID, ORDER_DATE, QUANTITY, AMOUNT, STATUS)
_OUTCOMES = {
    "sale": noted("sale"),
    "return": noted("return"),
    "not_a_sale": noted("no sale"),
    "no_customer": noted("left out: no customer"),
}


def field_id(name: Any) -> dict[str, Any]:
    """The id of the select for a field."""
    return {"type": "data-map", "name": name}


def switch_id(name: Any) -> dict[str, Any]:
    """The id of the switch for a rule."""
    return {"type": "data-rule", "name": name}


def text_id(name: Any) -> dict[str, Any]:
    """The id of the field for a rule that is a text, a day or a list."""
    return {"type": "data-text", "name": name}


# --- what is drawn ----------------------------------------------------------------------------------------------------


def lines_part(seen: Preview | None) -> list[Component]:
    """The first lines as they stand in the file, and beside them as they will be read; nothing where there are none."""
    if seen is None or not seen.lines:
        return []
    return [
        html.Div(
            [
                html.Div([html.H3(say("In the file"), className="data-head"), _raw_lines(seen)]),
                html.Div([html.H3(say("As it will be read"), className="data-head"), _read_lines(seen)]),
            ],
            className="data-beside",
        )
    ]


def _raw_lines(seen: Preview) -> Component:
    taken = {guess.position: say(FIELD_WORDS.get(guess.field, guess.field)) for guess in seen.guesses}
    heads = [
        html.Th([column.name, html.Div(taken.get(place, "\u00a0"), className="data-field")], scope="col")
        for place, column in enumerate(seen.columns)
    ]
    rows = [
        html.Tr([html.Td(NOTHING if cell is None else cell, title=cell) for cell in line])
        for line in seen.lines[:_SHOWN]
    ]
    table = html.Table([html.Thead(html.Tr(heads)), html.Tbody(rows)], className="seg-table data-lines")
    return scroll(say("First lines"), table)


def _read_lines(seen: Preview) -> Component:
    if not seen.read_lines:
        return html.P(say("Shown once what is asked above is answered."), className="seg-hint")
    lines = seen.read_lines[:_SHOWN]
    always = (CUSTOMER_ID, ORDER_DATE)
    shown = [name for name in _READ if name in always or any(name in line for line in lines)]
    blank = html.Div("\u00a0", className="data-field")
    heads = [html.Th([say(_SHORT.get(name, FIELD_WORDS[name])), blank], scope="col") for name in shown]
    heads.append(html.Th([say("What it is"), blank], scope="col"))
    rows = [
        html.Tr(
            [
                *[
                    html.Td(_value(name, line), className="seg-number" if name in (QUANTITY, AMOUNT) else "")
                    for name in shown
                ],
                html.Td(_outcome_words(line), className=f"data-{line[LINE_OUTCOME]}"),
            ]
        )
        for line in lines
    ]
    table = html.Table([html.Thead(html.Tr(heads)), html.Tbody(rows)], className="seg-table data-lines")
    return scroll(say("First lines as they will be read"), table)


_SHORT = {AMOUNT: noted("Amount")}


def _value(name: str, line: Mapping[str, str]) -> str:
    text = line.get(name)
    if text is None:
        return NOTHING
    if name == ORDER_DATE:
        return f"{day(date.fromisoformat(text[:10]))}{text[10:16]}"
    if name == AMOUNT:
        return written(float(text), ",.2f")
    if name == QUANTITY:
        return written(float(text), ",.0f" if float(text).is_integer() else ",.2f")
    return text


def _outcome_words(line: Mapping[str, str]) -> str:
    if (outcome := line[LINE_OUTCOME]) in _OUTCOMES:
        return say(_OUTCOMES[outcome])
    unread = line[outcome]
    if unread not in FIELD_WORDS:
        return say("set aside: the line is broken")
    return say("set aside: {field} cannot be read", field=say(FIELD_WORDS[unread]).lower())


def selected_columns(seen: Preview, chosen: Mapping[str, str]) -> dict[str, str]:
    """The column by field as the selects show it: as chosen, and else as guessed; empty where there is none."""
    guesses = {guess.field: guess.column for guess in seen.guesses}
    names = [*MAIN_FIELDS, *CANONICAL_FIELDS, *chosen, *guesses]
    return {name: chosen.get(name, guesses.get(name, "")) for name in dict.fromkeys(names)}


def mapping_part(seen: Preview | None, chosen: Mapping[str, str]) -> list[Component]:
    """A select for each field, those that are seldom there folded; what is guessed is filled in."""
    if seen is None:
        return []
    values = selected_columns(seen, chosen)
    guesses = {guess.field: guess for guess in seen.guesses}
    options = [{"value": ABSENT, "label": say("(not in this file)")}] + [
        {"value": column.name, "label": column.name} for column in seen.columns
    ]
    parts: dict[str, Component] = {}
    for place, (name, value) in enumerate(values.items()):
        guess = guesses.get(name)
        unsure = guess is not None and name not in chosen and guess.confidence < _SURE
        why = say("{share} sure: {reason}", share=percent(guess.confidence), reason=say(guess.reason)) if unsure else ""  # type: ignore[union-attr]
        label = say(FIELD_WORDS.get(name, name.replace(".", ": ")))
        if name in (CUSTOMER_ID, ORDER_DATE):
            label = say("{field} (needed)", field=label)
        none, listed = ABSENT, options
        if name == AMOUNT:
            listed = [*options, {"value": NO_MONEY, "label": say("(there is no money in it)")}]
            is_said = chosen.get(AMOUNT) == "" and not (values[UNIT_PRICE] or values[ORDER_TOTAL])
            none = NO_MONEY if is_said else ABSENT
        select = dbc.Select(id=field_id(name), options=listed, value=value or none, size="sm")
        parts[name] = field(label, select, why, key=str(place))
    more = [part for name, part in parts.items() if name not in MAIN_FIELDS]
    taken = [
        say(FIELD_WORDS.get(name, name.replace(".", ": ")))
        for name, value in values.items()
        if value and name not in MAIN_FIELDS
    ]
    without = [
        say("No {field}: {effect}", field=say(FIELD_WORDS[item.field]).lower(), effect=say(item.effect))
        for item in seen.missing
        if not item.needed
    ]
    summary = html.Summary([say("More columns"), html.Span(", ".join(taken), className="seg-hint ms-2")])
    return [
        fields(*[parts[name] for name in MAIN_FIELDS]),
        html.Details(
            [summary, html.Div([fields(*more), *note_list(without)], className="data-inside")], className="mt-3"
        ),
    ]


def notes_part(seen: Preview | None) -> list[Component]:
    """What was noticed in the first lines."""
    return [] if seen is None else note_list([in_page_words(say(note)) for note in seen.notes])


def rules_part(config: Config, cleaning: Mapping[str, Any]) -> Component:
    """A switch for each cleaning rule with the reason for its default, and rules that are days and lists."""
    values = {**config.cleaning.to_dict(), **cleaning}
    switches = [_switch(rule, values[rule.name]) for rule in RULES.values() if rule.kind == "switch"]
    texts = [_text(rule, values[rule.name]) for rule in RULES.values() if rule.kind != "switch"]
    days = html.H3(say("Days, lists and currencies"), className="data-head")
    is_open = any(cleaning.values())
    summary = html.Summary(
        [say("What counts"), html.Span(say("returns, cancellations, test orders, days"), className="seg-hint ms-2")]
    )
    return html.Details(
        [summary, html.Div([fields(*switches), days, fields(*texts)], className="data-inside")], open=is_open
    )


def _switch(rule: Setting, value: Any) -> Component:
    return html.Div(
        [
            dbc.Switch(id=switch_id(rule.name), label=say(rule.label), value=value == rule.on, class_name="mb-0"),
            html.Div(say(rule.why), className="seg-hint data-under"),
        ],
    )


def _text(rule: Setting, value: Any) -> Component:
    if rule.kind == "rates":
        text = ", ".join(f"{code} = {rate:g}" for code, rate in value.items())
    elif rule.kind == "list":
        text = "" if isinstance(value, str) else ", ".join(value)  # a file of this machine is nobody's business
    else:
        text = value
    kind = "date" if rule.kind == "day" else "text"
    control = dbc.Input(id=text_id(rule.name), type=kind, value=text, size="sm", debounce=True)
    return field(say(rule.label), control, say(rule.why))


def how_options(snapshots: Sequence[Snapshot]) -> list[dict[str, Any]]:
    """What can be made of the file; adding and replacing need something that is there."""
    return [
        {"value": "new", "label": say("A new data set, or a new date of one: of this file alone")},
        {
            "value": "append",
            "label": say("Add it to a data set: its sales and these together"),
            "disabled": not snapshots,
        },
        {
            "value": "replace",
            "label": say("Replace a data set's latest snapshot by this file"),
            "disabled": not snapshots,
        },
    ]


def effect_words(how: str, earlier: Snapshot | None, runs: int, published: int | None = None) -> str:
    """What an answer means for what is there, before anything is read; ``published``: a run of it that has to stay."""
    if how == "new" or earlier is None:
        return say("What is there stays; the same name and date as of an earlier snapshot stand beside it.")
    about = say(
        "{dataset}, {day}: {customers} customers",
        dataset=earlier.dataset,
        day=day(earlier.as_of),
        customers=written(earlier.customers, ","),
    )
    if how == "append":
        return say("A snapshot of both is made; the one there ({about}) stays.", about=about)
    if published is not None:
        return say(
            "The snapshot there ({about}) stays, since its run {run} is the published one; publish a run of the new "
            "one, then it can go.",
            about=about,
            run=published,
        )
    return say(
        "The snapshot there ({about}) goes with its {runs} runs, once the new one is there.",
        about=about,
        runs=written(runs, ","),
    )


# --- what was filled in -----------------------------------------------------------------------------------------------


def form_request(
    config: Config,
    *,
    mapping: Mapping[str, str | None],
    reading: Mapping[str, Any],
    switches: Mapping[str, bool | None],
    texts: Mapping[str, str | None],
    name: str,
    how: str,
    as_of: str | None = None,
    currency: str | None = None,
    had_amount: bool = False,
) -> UploadRequest:
    """What the form says: the columns as they stand there, and of the rest what differs from the configuration.

    Raises:
        InputError: a day, a rate or a currency that cannot be.
    """
    defaults = config.cleaning.to_dict()
    cleaning: dict[str, Any] = {key: RULES[key].on if value else RULES[key].off for key, value in switches.items()}
    for key, text in texts.items():
        given, kind = (text or "").strip(), RULES[key].kind
        if kind == "rates":
            cleaning[key] = _rates(given)
        elif kind != "list":
            cleaning[key] = given
        elif given or not isinstance(defaults[key], str):  # a file named in config.toml stays
            cleaning[key] = [item.strip() for item in given.split(",") if item.strip()]
    return UploadRequest(
        mapping=mapping_of(mapping, had_amount=had_amount),
        reading={key: value for key, value in reading.items() if value},
        cleaning={key: value for key, value in cleaning.items() if value != defaults[key]},
        name=name.strip()[:200] or None,
        as_of=_day(as_of),
        how=how,  # type: ignore[arg-type]
        currency=currency_code(currency or "") or None,
    )


def mapping_of(selects: Mapping[str, str | None], *, had_amount: bool = False) -> dict[str, str]:
    """The column by field as the selects stand, empty where there is none.

    An empty amount says that there is no money at all. So it is left out where nobody has said that: where no other
    field has money and no amount was found (``had_amount``) that somebody has taken away.
    """
    columns = {name: "" if value in (None, ABSENT, NO_MONEY) else str(value) for name, value in selects.items()}
    has_money = had_amount or columns.get(UNIT_PRICE) or columns.get(ORDER_TOTAL)
    if selects.get(AMOUNT) in (None, ABSENT) and not has_money:
        columns.pop(AMOUNT, None)
    return columns


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InputError("{text!r} is no day; write it as 2011-01-31.", text=text) from None


def _rates(text: str) -> dict[str, float]:
    rates = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        code, _, rate = item.partition("=")
        try:
            rates[code.strip().upper()] = float(rate)
        except ValueError:
            raise InputError("{item!r} is no rate; write EUR = 0.85, with commas between several.", item=item) from None
    return rates


def can_be_checked(seen: Preview | None) -> bool:
    """Whether nothing stands in the way but guesses, which the form has filled in: who goes on has said yes to them."""
    if seen is None:
        return False
    needed = [problem for problem in seen.problems if problem.needed and problem.kind != "guess"]
    return not needed and not any(item.needed for item in seen.missing)
