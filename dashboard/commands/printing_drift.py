"""How the command line shows drift timelines and migration between segments."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from dashboard.commands.printing import new_console, new_table
from dashboard.i18n.numbers import written
from dashboard.pipeline.migrate import Between
from dashboard.pipeline.timeline import SalesTimeline
from engines.columns import describe


def print_drift(sales_timeline: SalesTimeline) -> None:
    """One row per date, alerts in red, then the advice and how far the customers themselves have moved."""
    console, watched = Console(), sales_timeline.timeline
    console.print(
        f"\n{sales_timeline.what.info['title']}: {sales_timeline.engine.title} frozen on "
        f"{watched.frozen_at}, alarm line "
        f"{sales_timeline.threshold:g}\n",
        highlight=False,
    )
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
            "▲ alert" if point.alert else "",
            style="red" if point.alert else None,
        )
    console.print(table)
    console.print(f"\n{watched.reason}\n", highlight=False)
    if not watched.points:
        return
    table = Table(title=f"The customers of {watched.points[-1].as_of} against those of {watched.frozen_at}")
    table.add_column("Column")
    for title in ("Stability index (PSI)", "Cliff's delta", "Median then", "Median now"):
        table.add_column(title, justify="right")
    for shift in watched.points[-1].shifts:
        cells = (
            written(shift.psi, ".2f"),
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
