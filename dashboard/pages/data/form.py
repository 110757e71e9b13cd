"""How an upload is to be read: first lines, a column for each field, what has to be chosen, and what counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from dashboard.components.attributes import aria
from dashboard.components.cards import alert, note_list
from dashboard.components.fields import field, fields
from dashboard.components.tables import scroll
from dashboard.config import Config
from dashboard.i18n.numbers import NOTHING, day, percent, written
from dashboard.i18n.texts import noted, say
from dashboard.pipeline.uploads import UploadRequest
from engines.columns import (
    AMOUNT,
    CANCELLED_AT,
    CANONICAL_FIELDS,
    COUNTRY,
    CURRENCY,
    CUSTOMER_ID,
    CUSTOMER_NAME,
    DESCRIPTION,
    DISCOUNT,
    IS_TEST,
    LINE_TYPE,
    ORDER_DATE,
    ORDER_ID,
    ORDER_TOTAL,
    PRODUCT_ID,
    QUANTITY,
    REFUNDED_AMOUNT,
    STATUS,
    UNIT_PRICE,
)
from engines.errors import InputError
from engines.intake.schema.preview import Choice, Preview
from engines.messages import Message
from engines.settings import COMMON, CleaningRules, Setting, currency_code
from storage.contract import Snapshot

FIELD_WORDS = {
    CUSTOMER_ID: noted("Customer"),
    ORDER_ID: noted("Order"),
    ORDER_DATE: noted("Date"),
    QUANTITY: noted("Quantity"),
    UNIT_PRICE: noted("Price of one"),
    AMOUNT: noted("Amount of the line"),
    ORDER_TOTAL: noted("Total of the order"),
    PRODUCT_ID: noted("Product"),
    DESCRIPTION: noted("Description or category"),
    COUNTRY: noted("Country"),
    CURRENCY: noted("Currency"),
    STATUS: noted("Status"),
    CANCELLED_AT: noted("Cancelled at"),
    IS_TEST: noted("Test order"),
    LINE_TYPE: noted("Kind of line or document"),
    REFUNDED_AMOUNT: noted("Refunded amount"),
    DISCOUNT: noted("Discount"),
    CUSTOMER_NAME: noted("Name of the customer"),
}
#: The cleaning settings that the form has, by name.
RULES = {item.name: item for item in CleaningRules.declared() if item.label}

_SHOWN = 8  # of the first lines
#: What a select says where no column holds the field: a name that no column can have.
ABSENT = " "


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


def first_lines(seen: Preview) -> Component:
    """The first lines as they stand in the source, under the fields that their columns are taken for."""
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


def mapping_part(seen: Preview, chosen: Mapping[str, str]) -> Component:
    """A select for each field; what is guessed is filled in, with how sure the guess is."""
    guesses = {guess.field: guess for guess in seen.guesses}
    names = [*CANONICAL_FIELDS, *[name for name in (*chosen, *guesses) if name not in CANONICAL_FIELDS]]
    options = [{"value": ABSENT, "label": say("(not in this file)")}] + [
        {"value": column.name, "label": column.name} for column in seen.columns
    ]
    parts = []
    for place, name in enumerate(dict.fromkeys(names)):
        guess = guesses.get(name)
        value = chosen.get(name, guess.column if guess is not None else "")
        sure = (
            ""
            if guess is None or name in chosen
            else say(
                "{column}, {share} sure: {reason}",
                column=guess.column,
                share=percent(guess.confidence),
                reason=say(guess.reason),
            )
        )
        label = say(FIELD_WORDS.get(name, name.replace(".", ": ")))
        if name in (CUSTOMER_ID, ORDER_DATE):
            label = say("{field} (needed)", field=label)
        select = dbc.Select(id=field_id(name), options=options, value=value or ABSENT, size="sm")
        parts.append(field(label, select, sure, key=str(place)))
    return fields(*parts)


def choice_options(choice: Choice | None, value: str, defaults: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    """The answers to a question, each with what it makes of an example; without a question the usual ones."""
    if choice is not None and choice.options:
        return [{"value": each.value, "label": f"{say(each.words)}: {say(each.example)}"} for each in choice.options]
    return [{"value": name, "label": say(words)} for name, words in defaults if name or not value]


def rules_part(config: Config, cleaning: Mapping[str, Any]) -> Component:
    """A switch for each cleaning rule with the reason for its default, and the rules that are days and lists."""
    values = {**config.cleaning.to_dict(), **cleaning}
    switches = [_switch(rule, values[rule.name]) for rule in RULES.values() if rule.kind == "switch"]
    texts = [_text(rule, values[rule.name]) for rule in RULES.values() if rule.kind != "switch"]
    more = html.Details(
        [
            html.Summary(say("Days, lists and currencies")),
            fields(*texts, style="mt-2"),
        ],
        className="mt-2",
    )
    return html.Div([fields(*switches), more])


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


def effect_words(how: str, earlier: Snapshot | None, runs: int) -> str:
    """What an answer means for what is there, before anything is read."""
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
    reading: Mapping[str, str | None],
    switches: Mapping[str, bool | None],
    texts: Mapping[str, str | None],
    name: str,
    how: str,
    as_of: str | None = None,
    currency: str | None = None,
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
        mapping=mapping_of(mapping),
        reading={key: value for key, value in reading.items() if value},
        cleaning={key: value for key, value in cleaning.items() if value != defaults[key]},
        name=name.strip()[:200] or None,
        as_of=_day(as_of),
        how=how,  # type: ignore[arg-type]
        currency=currency_code(currency or "") or None,
    )


def mapping_of(selects: Mapping[str, str | None]) -> dict[str, str]:
    """The column by field as the selects stand, empty where there is none."""
    return {name: "" if value in (None, ABSENT) else value for name, value in selects.items()}


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


def choice_part(name: str, place: str, legend: str, choice: Choice | None, value: str, default: Any) -> Component:
    """A question with its answers as radio buttons; hidden where nothing has to be chosen."""
    return html.Div(
        [
            html.Div(legend, className="data-legend", id=f"{name}-legend"),
            html.P(question_words(choice), id=f"{name}-question", className="seg-hint mb-1"),
            dbc.RadioItems(id=name, options=choice_options(choice, value, default), value=value or None),
        ],
        id=place,
        hidden=choice is None and not value,
        className="data-choice",
        role="group",
        **aria(labelledby=f"{name}-legend"),
    )


def currency_part(name: str, place: str, choice: Choice | None, value: str) -> Component:
    """The question which currency the money is in: the common codes to choose from, and any other to type."""
    control = dbc.Input(id=name, type="text", value=value, list=f"{name}-codes", size="sm", debounce=True, maxlength=3)
    return html.Div(
        [
            html.Label(say("Which currency is the money in?"), htmlFor=name, className="data-legend"),
            html.P(question_words(choice), id=f"{name}-question", className="seg-hint mb-1"),
            html.Div(control, className="data-code"),
            html.Datalist([html.Option(value=code) for code in _codes(choice)], id=f"{name}-codes"),
            html.P(say("A code such as EUR. Empty: amounts are shown without a sign."), className="seg-hint mb-0"),
        ],
        id=place,
        hidden=choice is None and not value,
        className="data-choice",
    )


def _codes(choice: Choice | None) -> list[str]:
    """The codes that are offered, those that the question names first."""
    first = [option.value for option in choice.options] if choice is not None else []
    return list(dict.fromkeys([*first, *COMMON]))


#: Kinds of questions that the form has a choice for.
_ASKED = ("date_order", "decimal", "currency")


def remarks(seen: Preview) -> list[Component]:
    """What stands in the way of reading, as an alert; then what is missing and what was noticed."""
    questions = [problem for problem in seen.problems if not problem.options or problem.kind not in _ASKED]
    needed = [question_words(problem) for problem in questions if problem.needed]
    wrong = [alert(sentence, "warning") for sentence in needed]
    sentences = [question_words(problem) for problem in questions if not problem.needed]
    sentences += [
        say("No {field}: {effect}", field=say(FIELD_WORDS[item.field]).lower(), effect=say(item.effect))
        for item in seen.missing
        if not item.needed
    ]
    sentences += map(say, seen.notes)
    return [*wrong, *note_list(sentences)]


def question_words(choice: Choice | None) -> str:
    """A question as the page puts it: what to say on the command line is no help here."""
    if choice is None:
        return ""
    if choice.kind == "field":
        words = say(FIELD_WORDS.get(choice.field, choice.field)).lower()
        return say("No column looks like the {field}: choose it above.", field=words)
    if choice.kind == "guess":
        words = say(FIELD_WORDS.get(choice.field, choice.field))
        return say(
            "{field}: column {column} is only a guess; look whether it is right.", field=words, column=choice.column
        )
    question: object = choice.question
    if isinstance(question, Message):
        question = question.parts.get("question", question)
    return say(question).partition(" Say ")[0] if isinstance(question, str) else ""


def can_be_checked(seen: Preview) -> bool:
    """Whether nothing stands in the way but guesses, which the form has filled in: who goes on has said yes to them."""
    needed = [problem for problem in seen.problems if problem.needed and problem.kind != "guess"]
    return not needed and not any(item.needed for item in seen.missing)


def problem_of(seen: Preview, kind: str) -> Choice | None:
    """The question of a kind, if there is one."""
    return next((problem for problem in seen.problems if problem.kind == kind), None)
