"""How the command line shows the receipts of the value models to people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from dashboard.commands.printing import new_console, new_table
from dashboard.i18n.numbers import count, written
from dashboard.pipeline.validate import Validated
from engines.value.validation.golden import PublishedFigure

_FORESIGHT = (
    ("MAE", "mae", ",.3f"),
    ("RMSE", "rmse", ",.3f"),
    ("MSLE", "msle", ",.3f"),
    ("Bias", "bias", "+.1%"),
    ("Correlation", "correlation", ".3f"),
    ("Top tenth's revenue", "top_decile_revenue", ".1%"),
)
_LOSS = (
    ("ROC AUC", "roc_auc", ".3f"),
    ("PR AUC", "pr_auc", ".3f"),
    ("Brier", "brier", ".3f"),
    ("Log loss", "log_loss", ".3f"),
    ("Lift at 10 %", "lift_at_10", ".2f"),
)
_MARKS = {True: "✓", False: "✗"}


def print_receipt(validated: Validated) -> None:
    """What was tested, a table per question with the chosen model marked, verdicts, and published figures if any."""
    out, receipt = new_console(), validated.receipt
    plan = receipt["plan"]
    out.print(
        f"\n{validated.title}: {written(plan['customers'], ',')} customers known by {plan['cutoff']}, held against the "
        f"{written(plan['weeks'], '.4g')} weeks up to {plan['until']}\n",
        highlight=False,
    )
    for question, title, columns in (
        ("holdout", "Purchases", _FORESIGHT),
        ("ltv", f"Spend, {validated.currency}" if validated.currency else "Spend", _FORESIGHT),
        ("churn", f"Churn: no purchase in the {plan['churn']['days']} days after {plan['churn']['cutoff']}", _LOSS),
    ):
        chosen = receipt["chosen"]["purchases" if question == "holdout" else question]
        out.print(_figures(title, receipt[question], columns, receipt, chosen))
    _print_models(out, receipt)
    coverage = receipt["coverage"]
    if coverage is not None:
        total = coverage["total"]
        money = f" {validated.currency}" if validated.currency else ""
        out.print(
            f"  Intervals meant to hold {coverage['level']:.0%} held the spend of "
            f"{written(100 * coverage['spend'], '.1f')}% and the purchases of "
            f"{written(100 * coverage['purchases'], '.1f')}% of the customers; in all {count(total['actual'])}"
            f"{money} came, where {count(total['low'])} to {count(total['high'])} was foreseen.",
            highlight=False,
        )
    for item in receipt["verdicts"]:
        out.print(f"  {_MARKS[item['beats']]} {item['words']}", highlight=False)
    for note in receipt["notes"]:
        out.print(f"  Note: {note}", highlight=False)
    if validated.golden:
        out.print(_golden(validated.golden, receipt["titles"]))


def _figures(
    title: str,
    figures: Mapping[str, Mapping[str, float | None]],
    columns: Sequence[tuple[str, str, str]],
    receipt: Mapping[str, Any],
    chosen: str | None,
) -> Table:
    made = new_table(title, ["Model"], [head for head, _, _ in columns])
    naive = [name for name in figures if name in receipt["baselines"]]
    for name in (*(name for name in figures if name not in naive), *naive):
        cells = (_cell(figures[name][metric], form) for _, metric, form in columns)
        called = receipt["titles"].get(name, name) + (" (in use)" if name == chosen else "")
        made.add_row(called, *cells, style="dim" if name in naive else "bold" if name == chosen else None)
    return made


def _print_models(out: Console, receipt: Mapping[str, Any]) -> None:
    made = new_table("Fitted parameters", ["Model", "Parameters"], ["Log-likelihood"], ["Fitted by"])
    for name, model in receipt["models"].items():
        parameters = ", ".join(f"{key} {written(value, '.5g')}" for key, value in model["parameters"].items())
        likelihood = _cell(model["log_likelihood"], ",.2f")
        made.add_row(receipt["titles"].get(name, name), parameters, likelihood, model["method"] or "–")
    out.print(made)


def _golden(rows: Sequence[PublishedFigure], titles: Mapping[str, str]) -> Table:
    made = new_table(
        "Golden run: published figures beside ours", ["Model", "Figure"], ["Published", "Ours"], ["", "Source"]
    )
    for row in rows:
        called = titles.get(row.model, row.model)
        digits = len(f"{row.published:.6g}".partition(".")[2]) + 1
        ours = _cell(row.ours, f",.{digits}f")
        made.add_row(called, row.quantity, written(row.published, ",.6g"), ours, _MARKS[row.holds], row.source)
    return made


def _cell(value: float | None, form: str) -> str:
    return "–" if value is None else written(value, form)
