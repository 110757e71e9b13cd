"""How the command line shows ledgers, segments, engines and runs to people."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from dashboard.runner import Outcome

_WIDTH_WITHOUT_TERMINAL = 150


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else _WIDTH_WITHOUT_TERMINAL)


def _table(title: str, left: Sequence[str], right: Sequence[str] = (), last: Sequence[str] = ()) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    for name in left:
        table.add_column(name, overflow="fold")
    for name in right:
        table.add_column(name, justify="right", no_wrap=True)
    for name in last:
        table.add_column(name, overflow="fold")
    return table


def _money(value: float | None) -> str:
    return "–" if value is None else f"{value:,.2f}"


def print_outcome(outcome: Outcome) -> None:
    """The ledger, then a table of segments per engine with its run id."""
    console = _console()
    snapshot = outcome.snapshot
    ledger = snapshot.ledger
    currency = snapshot.info["currency"]
    console.print(
        f"\n{snapshot.info['title']} as of {snapshot.as_of.isoformat()}: {snapshot.customers:,} customers "
        f"(snapshot {snapshot.id})\n",
        highlight=False,
    )
    table = _table("Ledger", ["Rule"], ["Lines", f"Revenue {currency}", "Customers"])
    table.add_row("in", *_side(ledger["in"]))
    for rule in ledger["rules"]:
        table.add_row(f"- {_words(rule['rule'])}", f"{rule['lines']:,}", _exact(rule["revenue"]), "")
    table.add_row("out", *_side(ledger["out"]), style="bold")
    for note in ledger["notes"]:
        table.add_row(f"kept: {_words(note['rule'])}", f"{note['lines']:,}", _exact(note["revenue"]), "", style="dim")
    console.print(table)
    for run in outcome.runs:
        if run.state != "done":
            continue
        header = f"\n{run.engine}: run {run.id}, {run.seconds or 0:.1f} s" + (f", k = {run.k}" if run.k else "")
        right = ["Customers", "Revenue %", "Recency", "Frequency", "Monetary", "CLV"]
        table = _table(header, ["Segment"], right, ["Action"])
        for item in run.segments:
            table.add_row(
                item.name,
                f"{item.customers:,}",
                f"{item.revenue_share:.1%}",
                f"{item.recency:,.0f}",
                f"{item.frequency:,.1f}",
                _money(item.monetary),
                _money(item.clv),
                item.action,
            )
        console.print(table)
        for note in run.notes:
            console.print(f"  {note}", highlight=False)


def _side(side: Mapping[str, Any]) -> tuple[str, str, str]:
    return f"{side['lines']:,}", _exact(side["revenue"]), f"{side['customers']:,}"


def _exact(value: float) -> str:
    """Money of the ledger in full: control totals are compared to the last digit."""
    text = f"{value:,.4f}"
    return text[:-2] if text.endswith("00") else text.rstrip("0")


def _words(rule: str) -> str:
    return rule.replace("_", " ")


def print_engines(found: Sequence[Mapping[str, Any]]) -> None:
    """One row per engine, with its settings, or why it cannot be used."""
    table = _table("Engines", ["Name", "Title", "What it does", "Settings", "From"])
    for item in found:
        knobs = ", ".join(f"{knob['name']}={knob['default']}" for knob in item["knobs"])
        what = f"cannot be used: {item['error']}" if item["error"] else item["summary"]
        table.add_row(item["name"], item["title"], what, knobs, item["origin"], style="red" if item["error"] else None)
    _console().print(table)


def print_features(found: Sequence[Mapping[str, Any]]) -> None:
    """One row per feature of a plug-in with its column, or why it cannot be used."""
    if not found:
        _console().print("No plug-in adds features; docs/plugins.md says how to write one.")
        return
    table = _table("Features of plug-ins", ["Name", "Column", "Title", "Unit", "Formula", "From"])
    for item in found:
        what = f"cannot be used: {item['error']}" if item["error"] else item["formula"]
        cells = (item["name"], item["column"] or "–", item["title"] or "–", item["unit"] or "–", what, item["origin"])
        table.add_row(*cells, style="red" if item["error"] else None)
    _console().print(table)


def print_runs(found: Sequence[Mapping[str, Any]]) -> None:
    """One row per run."""
    if not found:
        _console().print("No runs yet. Start with: segmentry run FILE, or segmentry demo")
        return
    table = _table("Runs", ["Run", "Data set", "As of", "Engine"], ["k", "Seed", "Segments", "Seconds"], ["State"])
    for item in found:
        table.add_row(
            str(item["id"]),
            item["dataset"],
            item["as_of"],
            item["engine"],
            "–" if item["k"] is None else str(item["k"]),
            "–" if item["seed"] is None else str(item["seed"]),
            str(len(item["segments"])),
            "–" if item["seconds"] is None else f"{item['seconds']:.1f}",
            item["state"] + (f": {item['error']}" if item["error"] else ""),
        )
    _console().print(table)
