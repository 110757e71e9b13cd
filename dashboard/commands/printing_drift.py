"""The drift timeline as the command line shows it: one line per date, what moved, and the advice."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from dashboard.i18n.numbers import written
from dashboard.pipeline.timeline import Watched
from engines.columns import describe


def print_drift(found: Watched) -> None:
    """One row per date, alerts in red, then the advice and how far the customers themselves have moved."""
    console, watched = Console(), found.timeline
    console.print(
        f"\n{found.what.info['title']}: {found.engine.title} frozen on {watched.frozen_at}, alarm line "
        f"{found.threshold:g}\n",
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
