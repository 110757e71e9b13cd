"""Who went where as the command line shows it: what each segment gained and lost, and the matrix of segments."""

from __future__ import annotations

from dashboard.commands.printing import new_console, new_table
from dashboard.i18n.numbers import written
from dashboard.pipeline.migrate import Between


def print_migration(found: Between, currency: str) -> None:
    """How many changed segment, net flows with money, then customers from (rows) to (columns)."""
    console, moves = new_console(), found.found
    new, gone = int(moves.customers[-1].sum()), int(moves.customers[:, -1].sum())
    changed = moves.known - moves.stayed
    share = f" ({written(100 * changed / moves.known, '.1f')}%)" if moves.known else ""
    console.print(
        f"\n{found.run.dataset}, {found.run.engine}: from {found.start} to {found.end}, {written(changed, ',')} of "
        f"{written(moves.known, ',')} customers{share} changed segment; {written(new, ',')} are new, "
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
