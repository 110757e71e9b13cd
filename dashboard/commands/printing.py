"""How the command line shows ledgers, segments, engines and runs to people."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from dashboard.i18n.numbers import written
from dashboard.pipeline.choose_k import SalesKSelection
from dashboard.pipeline.inspect import Inspection
from dashboard.pipeline.label import Labelled
from dashboard.pipeline.request import starter_words
from dashboard.pipeline.run import Outcome
from engines.columns import SEGMENT, SEGMENT_KEY, WITHOUT_MONEY, describe
from storage.contract import Starter

_WIDTH_WITHOUT_TERMINAL = 150
_PARTS = {
    "sold": "sold",
    "returned": "returned and subtracted",
    "returned_product": "taken off the same product",
    "returned_amount": "taken off a line or order of that amount",
    "returned_money": "taken off the latest orders",
}
_TOTALS = {"gross": "gross: sold", "returned": "returned", "net": "net of returns"}
_LABELS = 20  # how many customers are shown one by one


def new_console() -> Console:
    """Standard output, wide enough for tables where it is no terminal."""
    return Console(width=None if sys.stdout.isatty() else _WIDTH_WITHOUT_TERMINAL)


def new_table(title: str, left: Sequence[str], right: Sequence[str] = (), last: Sequence[str] = ()) -> Table:
    """An empty table with columns of text, of figures, and of text again."""
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    for name in left:
        table.add_column(name, overflow="fold")
    for name in right:
        table.add_column(name, justify="right", no_wrap=True)
    for name in last:
        table.add_column(name, overflow="fold")
    return table


def _money(value: float | None, currency: str) -> str:
    if currency == WITHOUT_MONEY:
        return "none"
    return "–" if value is None else written(value, ",.2f")


def _revenue(currency: str | None) -> str:
    if currency == WITHOUT_MONEY:
        return "Revenue (none)"
    return f"Revenue {currency}" if currency else "Revenue"


def print_ledger(ledger: Mapping[str, Any], currency: str | None, console: Console | None = None) -> None:
    """What came in, what each rule dropped, what is left and what was noticed; stored ledgers may count less."""
    table = new_table("Ledger", ["Rule"], ["Lines", "Orders", "Customers", _revenue(currency)])
    table.add_row("in", *_side(ledger["in"]))
    for rule in ledger["rules"]:
        table.add_row(f"- {_words(rule['rule'])}", *_side(rule))
    table.add_row("out", *_side(ledger["out"]), style="bold")
    for part in ledger.get("parts", ()):
        table.add_row(f"  of this {_PARTS.get(part['rule'], part['rule'])}", *_side(part))
    for total in ledger.get("totals", ()):
        table.add_row(_TOTALS[total["rule"]], *_side(total))
    for note in ledger["notes"]:
        table.add_row(f"kept: {_words(note['rule'])}", *_side(note), style="dim")
    (console or new_console()).print(table)


def print_outcome(outcome: Outcome, insights: Mapping[int, Sequence[Mapping[str, Any]]] = {}) -> None:
    """The ledger, then a table of segments per engine with its run id, and what stands out in it."""
    console = new_console()
    snapshot = outcome.snapshot
    ledger = snapshot.ledger
    currency = snapshot.currency
    console.print(
        f"\n{snapshot.info['title']} as of {snapshot.as_of.isoformat()}: {written(snapshot.customers, ',')} customers "
        f"(snapshot {snapshot.id})\n",
        highlight=False,
    )
    print_ledger(ledger, currency, console)
    for run in outcome.runs:
        if run.state != "done":
            continue
        header = f"\n{run.engine}: run {run.id}, {written(run.seconds or 0, '.1f')} s" + (
            f", k = {run.k}" if run.k else ""
        )
        right = ["Customers", "Revenue %", "Recency", "Frequency", "Monetary", "CLV"]
        table = new_table(header, ["Segment"], right, ["Action"])
        for item in run.segments:
            table.add_row(
                item.name,
                written(item.customers, ","),
                f"{written(100 * item.revenue_share, '.1f')}%",
                written(item.recency, ",.0f"),
                written(item.frequency, ",.1f"),
                _money(item.monetary, currency),
                _money(item.clv, currency),
                item.action,
            )
        console.print(table)
        for insight in insights.get(run.id, ()):
            console.print(f"  {insight['sentence']}", highlight=False)
        for note in run.notes:
            console.print(f"  Note: {note}", highlight=False)


def _side(side: Mapping[str, Any]) -> tuple[str, ...]:
    counts = ("" if side.get(name) is None else written(side[name], ",") for name in ("lines", "orders", "customers"))
    return *counts, _exact(side["revenue"])


def _exact(value: float) -> str:
    """Money of the ledger in full: control totals are compared to the last digit."""
    text = written(value, ",.4f")
    return text[:-2] if text.endswith("00") else text.rstrip("0")


def _words(rule: str) -> str:
    return rule.replace("_", " ")


def print_inspection(inspection: Inspection) -> None:
    """The source, how its columns are read, the ledger and the control totals."""
    console = new_console()
    synthetic = " (synthetic)" if inspection.synthetic and "synthetic" not in inspection.title else ""
    console.print(
        f"\n{inspection.title}{synthetic}: {inspection.first_day.isoformat()} to "
        f"{inspection.last_day.isoformat()}, as of "
        f"{inspection.as_of.isoformat()}\nContent (SHA-256): {inspection.fingerprint}\n",
        highlight=False,
        markup=False,
    )
    table = new_table("Columns", ["Field", "Column of the source"])
    for field, column in inspection.mapping.items():
        table.add_row(field, Text(column))
    console.print(table)
    for note in inspection.notes:
        console.print(f"  Note: {note}", highlight=False, markup=False)
    print_ledger(inspection.ledger, inspection.currency, console)
    table = new_table("Control totals", ["Sales"], ["Lines", "Orders", "Customers", _revenue(inspection.currency)])
    for name, words in _TOTALS.items():
        table.add_row(words, *_side(inspection.totals[name]))
    console.print(table)


def print_engines(rows: Sequence[Mapping[str, Any]]) -> None:
    """One row per engine, with its settings, or why it cannot be used."""
    table = new_table("Engines", ["Name", "Title", "What it does", "Settings", "From"])
    for item in rows:
        knobs = ", ".join(f"{knob['name']}={knob['default']}" for knob in item["knobs"])
        what = f"cannot be used: {item['error']}" if item["error"] else item["summary"]
        table.add_row(item["name"], item["title"], what, knobs, item["origin"], style="red" if item["error"] else None)
    new_console().print(table)


def print_models(rows: Sequence[Mapping[str, Any]]) -> None:
    """One row per value model, with what it answers, or why it cannot be used."""
    table = new_table("Value models", ["Name", "Title", "What it does", "Answers", "Learns from", "From"])
    for item in rows:
        what = f"cannot be used: {item['error']}" if item["error"] else item["summary"]
        answers = ", ".join(answer.replace("_", " ") for answer in item["answers"])
        learns = "" if item["error"] else "past outcomes" if item["learns"] else "histories alone"
        cells = (item["name"], item["title"], what, answers, learns, item["origin"])
        table.add_row(*cells, style="red" if item["error"] else None)
    new_console().print(table)


def print_features(rows: Sequence[Mapping[str, Any]]) -> None:
    """One row per feature of a plug-in with its column, or why it cannot be used."""
    if not rows:
        new_console().print("No plug-in adds features; docs/plugins.md says how to write one.")
        return
    table = new_table("Features of plug-ins", ["Name", "Column", "Title", "Unit", "Formula", "From"])
    for item in rows:
        what = f"cannot be used: {item['error']}" if item["error"] else item["formula"]
        cells = (item["name"], item["column"] or "–", item["title"] or "–", item["unit"] or "–", what, item["origin"])
        table.add_row(*cells, style="red" if item["error"] else None)
    new_console().print(table)


def print_runs(rows: Sequence[Mapping[str, Any]]) -> None:
    """One row per run."""
    if not rows:
        new_console().print("No runs yet. Start with: segmentry run FILE, or segmentry demo")
        return
    noted = any(item["tags"] or item["note"] for item in rows)
    last = ["Who", "State", *(["Note"] if noted else [])]
    table = new_table("Runs", ["Run", "Data set", "As of", "Engine"], ["k", "Seed", "Segments", "Seconds"], last)
    for item in rows:
        table.add_row(
            str(item["id"]),
            item["dataset"],
            item["as_of"],
            item["engine"],
            "–" if item["k"] is None else str(item["k"]),
            "–" if item["seed"] is None else str(item["seed"]),
            str(len(item["segments"])),
            "–" if item["seconds"] is None else written(item["seconds"], ".1f"),
            starter_words(Starter(item["started"]["via"], item["started"]["by"])) or "–",
            item["state"] + (", published" if item["published"] else "") + _standing(item),
            *([_note(item)] if noted else []),
        )
    new_console().print(table)


def _note(run: Mapping[str, Any]) -> Text:
    """The tags of a run, and its note on one line."""
    tags = " ".join(f"[{tag}]" for tag in run["tags"])
    return Text(" ".join(text for text in (tags, " ".join(run["note"].split())) if text))


def _standing(run: Mapping[str, Any]) -> str:
    """How far a run is, why it failed, and whether it had to be begun again."""
    if run["error"]:
        return f": {run['error']}"
    if run["state"] == "running" and run["stage"]:
        attempt = f", attempt {run['attempts']}" if run["attempts"] > 1 else ""
        return f" {run['progress']:.0%}: {run['stage']}{attempt}"
    return ""


def print_selection(sales_selection: SalesKSelection) -> None:
    """One row per k, the recommended one marked, and why."""
    console, selection = new_console(), sales_selection.selection
    console.print(
        f"\n{sales_selection.what.info['title']} as of "
        f"{sales_selection.what.as_of.isoformat()}: {written(selection.customers, ',')} "
        f"customers, {selection.engine}\nFeature space: {selection.space}\n",
        highlight=False,
    )
    shown = [item for item in _K_COLUMNS if any(getattr(point, item[1]) is not None for point in selection.points)]
    table = new_table("Number of segments", [], ["k", *(title for title, _, _ in shown)])
    for point in selection.points:
        chosen = point.k == selection.recommended
        cells = [_k_cell(getattr(point, name), getattr(point, f"{name}_error", None), form) for _, name, form in shown]
        table.add_row(f"{'→ ' if chosen else ''}{point.k}", *cells, style="bold" if chosen else None)
    console.print(table)
    console.print(f"\n{selection.reason}", highlight=False)
    if selection.later_from is not None:
        customers = written(selection.later_customers, ",")
        console.print(
            f"Later revenue: the share of the revenue from {selection.later_from} on that the top fifth of customers "
            f"brought in; segments as of that day, of {customers} customers.",
            highlight=False,
        )
    if selection.runners_up:
        console.print("\nRunners-up:", highlight=False)
    for other in selection.runners_up:
        console.print(f"  k = {other.k}: {other.why}", highlight=False)
    for note in selection.notes:
        console.print(f"  {note}", highlight=False)


_K_COLUMNS = (
    ("Later revenue", "captured", ".1%"),
    ("Stability", "stability", ".2f"),
    ("Smallest", "smallest_share", ".1%"),
    ("Silhouette", "silhouette", ".3f"),
    ("Inertia", "inertia", ",.0f"),
    ("BIC", "bic", ",.0f"),
    ("AIC", "aic", ",.0f"),
    ("Calinski-Harabasz", "calinski_harabasz", ",.0f"),
    ("Davies-Bouldin", "davies_bouldin", ".2f"),
)


def _k_cell(value: float | None, error: float | None, form: str) -> str:
    if value is None:
        return "–"
    return written(value, form) + (f" ± {written(error, form)}" if error is not None else "")


def print_labels(labelled: Labelled) -> None:
    """How many new customers each segment gets, and the first of them one by one."""
    console, run, customers = new_console(), labelled.run, labelled.customers
    date_words = f" as of {labelled.as_of.isoformat()}" if labelled.as_of is not None else ""
    console.print(
        f"\n{written(len(customers), ',')} customer{'s' if len(customers) > 1 else ''}{date_words} in the segments "
        f"of run {run.id} ({run.engine})\n",
        highlight=False,
    )
    counts = customers[SEGMENT].value_counts()
    table = new_table("Segments", ["Segment"], ["Customers", "Share"])
    for name, count in counts.items():
        table.add_row(str(name), written(count, ","), f"{written(100 * (count / len(customers)), '.1f')}%")
    console.print(table)
    columns = [name for name in customers.columns if name not in (SEGMENT, SEGMENT_KEY)]
    table = new_table("Customers", ["Customer", "Segment"], [describe(name).title for name in columns])
    for customer, row in customers.head(_LABELS).iterrows():
        table.add_row(str(customer), row[SEGMENT], *(written(row[name], ",.6g") for name in columns))
    console.print(table)
    if len(customers) > _LABELS:
        console.print(
            f"{written(len(customers) - _LABELS, ',')} more; write them all with --output labels.csv", highlight=False
        )
