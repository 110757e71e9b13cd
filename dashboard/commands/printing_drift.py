"""How the command line shows drift timelines and migration between segments."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from dashboard.commands.printing import new_console, new_table
from dashboard.i18n.numbers import written
from dashboard.pipeline.migrate import Between
from dashboard.pipeline.timeline import SalesTimeline
from engines.columns import describe
from engines.contract import DriftPoint
from engines.evaluation.calendar import Plan


def print_drift(sales_timeline: SalesTimeline) -> None:
    """One row per date, alerts in red, then the advice and how far the customers themselves have moved."""
    console, watched = Console(), sales_timeline.timeline
    console.print(
        f"\n{sales_timeline.what.info['title']}: {sales_timeline.engine.title} frozen on "
        f"{watched.frozen_at}, alarm line "
        f"{sales_timeline.threshold:g}",
        highlight=False,
    )
    console.print(f"{window_words(sales_timeline.plan)}\n", highlight=False)
    table = Table(title="Frozen model against a refit")
    table.add_column("As of")
    for title in ("Customers", "ARI", "Noise reaches to", "Customers moved", "Model moved"):
        table.add_column(title, justify="right")
    table.add_column("")
    for point in watched.points:
        table.add_row(
            point.as_of,
            written(point.customers, ","),
            written(point.ari, ".3f"),
            "–" if point.noise_low is None else written(point.noise_low, ".3f"),
            "–" if point.moved_share is None else f"{written(100 * point.moved_share, '.1f')}%",
            "–" if point.model_moved is None else f"{written(100 * point.model_moved, '.1f')}%",
            cause_words(point),
            style="red" if point.alert else None,
        )
    console.print(table)
    console.print(f"\n{watched.reason}\n", highlight=False)
    if not watched.points:
        return
    if watched.ages:
        table = Table(title="Models by age against one made anew (ARI)")
        for title in ("Months old", "Mean", "Least", "Largest", "Dates"):
            table.add_column(title, justify="right")
        for age in watched.ages:
            figures = (written(value, ".3f") for value in (age.ari, age.low, age.high))
            table.add_row(str(age.months), *figures, str(age.pairs))
        console.print(table)
    table = Table(
        title=f"Who ordered in the {sales_timeline.plan.recent_days} days before {watched.points[-1].as_of} against "
        f"those before {watched.frozen_at}"
    )
    table.add_column("Column")
    for title in ("Stability index (PSI)", "At the same age", "Cliff's delta", "Median then", "Median now"):
        table.add_column(title, justify="right")
    for shift in watched.points[-1].shifts:
        cells = (
            written(shift.psi, ".2f"),
            "–" if shift.same_age_psi is None else written(shift.same_age_psi, ".2f"),
            written(shift.effect, "+.2f"),
            written(shift.before, ",.6g"),
            written(shift.now, ",.6g"),
        )
        table.add_row(describe(shift.column).title, *cells)
    console.print(table)


def print_migration(between: Between, currency: str) -> None:
    """How many changed segment, net flows with money, then customers from (rows) to (columns)."""
    console, moves = new_console(), between.migration
    new, gone = int(moves.customers[-1].sum()), int(moves.customers[:, -1].sum())
    changed = moves.in_both - moves.stayed
    share = f" ({written(100 * changed / moves.in_both, '.1f')}%)" if moves.in_both else ""
    console.print(
        f"\n{between.run.dataset}, {between.run.engine}: from {between.start} to {between.end}, "
        f"{written(changed, ',')} of "
        f"{written(moves.in_both, ',')} customers{share} changed segment; {written(new, ',')} are new, "
        f"{written(gone, ',')} gone.\n",
        highlight=False,
        markup=False,
    )
    right = ["Before", "After", "Came", "Left", "Net", f"Net, in {currency or 'money'} they had spent"]
    table = new_table("Net flows", ["Segment"], right)
    for flow in moves.net_flows():
        counts = (written(number, ",") for number in (flow.before, flow.after, flow.came, flow.left))
        table.add_row(flow.segment, *counts, written(flow.net, "+,"), written(flow.money_net, "+,.2f"))
    console.print(table)
    table = new_table("Customers from (rows) to (columns)", ["From"], list(moves.columns))
    for name, row in zip(moves.rows, moves.customers.tolist(), strict=True):
        table.add_row(name, *(written(number, ",") for number in row))
    console.print(table)


def window_words(plan: Plan) -> str:
    """How far back each date looks, and why no further."""
    words = f"Each date looks back over {plan.window_days} days of sales"
    if plan.window_days < plan.asked_days:
        return f"{words}: there are too few before the model was frozen, or after it, for {plan.asked_days}."
    return f"{words}."


def cause_words(point: DriftPoint) -> str:
    """Why a date is an alert."""
    if not point.alert:
        return ""
    return "▲ alert: customers changed" if point.cause == "population" else "▲ alert: segments differ"
