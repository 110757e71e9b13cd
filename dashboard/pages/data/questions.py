"""What the user has to say before a file can be read: each question with its control, whose answer goes to the form."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from dashboard.components.attributes import aria
from dashboard.components.cards import alert
from dashboard.i18n.texts import noted, say
from dashboard.pages.data.words import ABSENT, FIELD_WORDS, MARKS, NO_MONEY, READING_LABELS
from engines.columns import AMOUNT, QUANTITY, UNIT_PRICE
from engines.intake.schema.preview import Choice, Preview
from engines.messages import Message
from engines.settings import COMMON, CleaningRules, Reading

#: Settings that decide where the table is and how its cells are parted: with another answer the columns are others.
STRUCTURE = ("sheets", "header_row", "skip", "columns", "separator", "encoding", "quote", "escape")

_TITLES = {
    "reading.date_order": noted("Which comes first in the dates?"),
    "reading.decimal": noted("What is the decimal sign?"),
    "reading.time_zone": noted("Which time zone are the shop's days counted in?"),
    "reading.sheets": noted("Which sheet holds the sales?"),
    "reading.header_row": noted("Which line holds the names of the columns?"),
    "reading.columns": noted("What are the columns called?"),
    "reading.separator": noted("What stands between the columns?"),
    "reading.encoding": noted("Which encoding is the file in?"),
    "reading.quote": noted("Which mark is around text?"),
    "reading.escape": noted("What stands before a quotation mark inside text?"),
    "currency": noted("Which currency is the money in?"),
    "cleaning.rates": noted("What is one unit of each currency worth?"),
    "as_of": noted("As of which day?"),
}
_HINTS = {
    "currency": noted("A code such as EUR. Empty: amounts are shown without a sign."),
    "cleaning.rates": noted("Such as EUR = 0.85, USD = 0.79."),
    "reading.columns": noted("In order, with commas: customer_id, order_date, amount."),
    "reading.time_zone": noted("Such as Europe/London."),
}
_RADIOS = 6  # the most answers that are shown at once
#: An option of the command line, or a setting or field by its name in config.toml; not what a file says in quotes.
_OPTION = re.compile(r"--map ([a-z_]+)=|--([a-z]+(?:-[a-z]+)*)|(?<![\w'\"./])([a-z]+(?:_[a-z]+)+)(?![\w'\"./])")

Question = dict[str, Any]


def answer_id(name: Any) -> dict[str, Any]:
    """The id of the control that answers a question; ``name``: the setting, such as ``reading.decimal``."""
    return {"type": "data-answer", "name": name}


def asked_questions(seen: Preview) -> list[Question]:
    """The open questions, JSON-ready: ``control``: the setting (empty where no control answers it), words and answers.

    ``guess``: the column that is only guessed; empty for any other question.
    """
    found: list[Question] = []
    for problem in seen.problems:
        name = _setting(problem)
        if problem.kind == "field" and problem.field == QUANTITY and _asks_for_money(seen):
            continue  # the amount is asked for, which needs no quantity
        if name and any(item["control"] == name for item in found):
            continue
        field = name.partition("mapping.")[2]
        title = (
            say("Which column is the {field}?", field=say(FIELD_WORDS.get(field, field)).lower())
            if field
            else say(_TITLES[name])
            if name in _TITLES
            else ""
        )
        found.append(
            {
                "control": name,
                "title": title,
                "words": question_words(problem),
                "options": _answers(problem, name, seen),
                "needed": problem.needed and problem.kind != "guess",
                "guess": problem.column if problem.kind == "guess" else "",
            }
        )
    return found


def _setting(problem: Choice) -> str:
    if problem.setting == "mapping":
        if problem.kind == "field" and problem.field == UNIT_PRICE:
            return f"mapping.{AMOUNT}"
        return f"mapping.{problem.field}" if problem.field and problem.kind in ("field", "guess") else ""
    return problem.setting if problem.setting in _TITLES else ""


def _asks_for_money(seen: Preview) -> bool:
    return any(problem.kind == "field" and problem.field == UNIT_PRICE for problem in seen.problems)


def _answers(problem: Choice, name: str, seen: Preview) -> list[dict[str, str]]:
    if name.startswith("mapping."):
        columns = [{"value": column.name, "label": column.name} for column in seen.columns]
        no_money = [{"value": NO_MONEY, "label": say("(there is no money in it)")}] if name.endswith(AMOUNT) else []
        return [{"value": ABSENT, "label": say("(not in this file)")}, *columns, *no_money]
    if name == "currency":
        return [{"value": code} for code in currency_codes(problem)]
    marks = name.removeprefix("reading.") in ("separator", "quote", "escape")
    return [
        {"value": each.value, "label": say(MARKS.get(each.value, each.words)) if marks else _label(each.words, each)}
        for each in problem.options
    ]


def _label(words: str, option: Any) -> str:
    parts = [option.value] if say(words) != option.value and option.value not in say(words) else []
    parts += [say(words), say(option.example)]
    # day-first is said by its words alone, a sheet by its name and its columns
    shown = parts[1:] if re.fullmatch(r"(day|month|year)-first|[.,]", option.value) else parts
    return ": ".join(filter(None, shown))


def currency_codes(problem: Choice | None) -> list[str]:
    """The codes that are offered, those that the question names first."""
    first = [option.value for option in problem.options] if problem is not None else []
    return list(dict.fromkeys([*first, *COMMON]))


def still_asked(earlier: Sequence[Question], now: Sequence[Question], values: Mapping[str, Any]) -> list[Question]:
    """The open questions, after those before them that have an answer by now, which may be changed there."""
    names = {item["control"] for item in now}
    answered = [
        {**item, "needed": False}
        for item in earlier
        if item["control"] and not item["guess"] and item["control"] not in names and values.get(item["control"])
    ]
    return [*answered, *now]


def questions_part(questions: Sequence[Question], values: Mapping[str, Any]) -> list[Component]:
    """The questions with what is filled in, those that must be answered first."""
    ordered = sorted(questions, key=lambda item: not item["needed"])
    return [_question(item, values.get(item["control"])) for item in ordered]


def _question(item: Question, value: Any) -> Component:
    name, legend = item["control"], f"data-legend-{item['control'].replace('.', '-')}"
    if not name:
        return alert(item["words"], "warning")
    hint = [html.P(say(_HINTS[name]), className="seg-hint mb-0")] if name in _HINTS else []
    must = [html.Span(say("needed"), className="data-needed")] if item["needed"] else []
    return html.Div(
        [
            html.Div([item["title"], *must], className="data-legend", id=legend),
            html.P(item["words"], className="seg-hint mb-1"),
            html.Div(_control(item, value, legend), className="" if _is_short(item) else "data-code"),
            *hint,
        ],
        className="data-choice",
        role="group",
        **aria(labelledby=legend),
    )


def _is_short(item: Question) -> bool:
    """Whether all answers are shown as radio buttons."""
    typed = item["control"].startswith("mapping.") or item["control"] in ("currency", "reading.time_zone")
    return bool(item["options"]) and not typed and len(item["options"]) <= _RADIOS


def _control(item: Question, value: Any, legend: str) -> list[Component]:
    name = item["control"]
    value = value[0] if isinstance(value, list) and value else value
    if _is_short(item):
        return [dbc.RadioItems(id=answer_id(name), options=item["options"], value=value or None)]
    listed, more = f"{legend}-list", []
    if name.startswith("mapping.") or (item["options"] and name not in ("currency", "reading.time_zone")):
        options = item["options"] if name.startswith("mapping.") else [{"value": "", "label": ""}, *item["options"]]
        control = dbc.Select(id=answer_id(name), options=options, value=value or ABSENT, size="sm")
    else:
        kind = "number" if name == "reading.header_row" else "text"
        control = dbc.Input(id=answer_id(name), type=kind, value=value or "", list=listed, size="sm", debounce=True)
        more = [html.Datalist([html.Option(value=option["value"]) for option in item["options"]], id=listed)]
    label = html.Label([html.Span(item["title"], className="visually-hidden"), control], className="d-block")
    return [label, *more]


# --- words ------------------------------------------------------------------------------------------------------------


def question_words(choice: Choice | None) -> str:
    """A question as the page puts it: what to say on the command line is no help here."""
    if choice is None:
        return ""
    if choice.kind == "field" and choice.field == UNIT_PRICE:
        return say("No column looks like money: choose the amount here, or the price of one and the quantity below.")
    if choice.kind == "sheets":
        return say("The sheet that was read does not look like sales.")
    if choice.kind == "field":
        words = say(FIELD_WORDS.get(choice.field, choice.field)).lower()
        return say("No column looks like the {field}: choose it.", field=words)
    if choice.kind == "guess":
        words = say(FIELD_WORDS.get(choice.field, choice.field))
        return say(
            "{field}: column {column} is only a guess; look whether it is right.", field=words, column=choice.column
        )
    if choice.kind == "date_order":
        return say("No date in column {column} decides it.", column=choice.column)
    question: object = choice.question
    if isinstance(question, Message):
        question = question.parts.get("question", question)
    words = say(question) if isinstance(question, str) else ""
    # the control stands under it, so that nothing need be said of options
    return in_page_words(words.partition(" Say ")[0] if _setting(choice) else words)


def in_page_words(sentence: str) -> str:
    """A sentence with the names of the page's fields in place of the options of the command line."""
    labels = {
        item.option[0].removeprefix("--"): READING_LABELS.get(item.name) or item.label
        for section in (Reading, CleaningRules)
        for item in section.declared()
        if item.option
    }
    labels |= {name.replace("_", "-"): label for name, label in READING_LABELS.items()}
    labels |= {"map": noted("Columns"), "currency": noted("Currency"), "as-of": noted("As of")}

    def put(found: re.Match[str]) -> str:
        if found[1]:
            return f"“{say(FIELD_WORDS.get(found[1], found[1]))}” = "
        label = labels.get(found[2] or found[3].replace("_", "-")) or FIELD_WORDS.get(found[3] or "")
        return f"“{say(label)}”" if label else found[0]

    return _OPTION.sub(put, sentence).replace(" in [reading]", "").replace(" in [cleaning]", "")
