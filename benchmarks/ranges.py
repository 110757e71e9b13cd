"""How often the sums over all customers fell into their ranges, window by window, on real sales.

    python benchmarks/ranges.py [--only cdnow-sample] [--keep]
    python benchmarks/ranges.py --origins [--only cdnow-sample]

Each window is the last origin of a data set as of a date: models are chosen at the three origins before it, and the
range is made of those and of what other data sets missed. ``--keep`` writes what was missed to
``engines/value/validation/prior_errors.json``, of which the range of a data set leaves out its own part. ``--origins``
lists instead how far off every model was at each origin of the whole data set, and which was chosen. Data sets
beside the embedded ones are used where ``../shared/data`` has them; what is kept of them stays otherwise.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from scipy.stats import binomtest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from dashboard.config import load_config
from dashboard.pipeline.sales import SalesRequest, open_sales, past_tables
from engines.features import purchase_days
from engines.value.appraisal import Agenda, Settings, agenda, judge, usable_models
from engines.value.validation.choice import ModelChoice, OriginLosses
from engines.value.validation.spread import errors_of

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data"
KEPT = ROOT / "engines" / "value" / "validation" / "prior_errors.json"


def months(first: tuple[int, int], last: tuple[int, int], step: int = 1) -> Iterator[date]:
    """The first days of months."""
    for number in range(12 * first[0] + first[1] - 1, 12 * last[0] + last[1], step):
        yield date(number // 12, number % 12 + 1, 1)


#: Name, source, and as of which dates windows end.
SETS: dict[str, tuple[str, tuple[date, ...]]] = {
    "cdnow-sample": ("cdnow-sample", tuple(months((1997, 10), (1998, 7)))),
    "sample-shop": (
        "sample-shop",
        tuple(date(2026, 1, 1) - timedelta(days=45 * number) for number in range(7, -1, -1)),
    ),
    "online_retail": (
        str(SHARED / "online_retail.csv.gz"),
        (*months((2011, 6), (2011, 12)), date(2011, 12, 10)),
    ),
    "retail_transactions": (
        str(SHARED / "retail_transactions_dd-Mon-yy.csv.gz"),
        tuple(months((2012, 3), (2015, 3), 4)),
    ),
}


def windows(name: str, *, last: bool = False) -> Iterator[dict[str, Any]]:
    """The windows of a data set, or the last alone: its receipt's totals, what was missed, and the origins."""
    source, dates = SETS[name]
    dates = dates[-1:] if last else dates
    models, settings = usable_models(), Settings()
    with open_sales(SalesRequest(source), load_config(environ={})) as opened:
        activity = purchase_days(opened.sales.table)
        for as_of in dates:
            looked_at = Agenda(agenda(opened.sales.first_day, as_of, settings).origins, ())
            if looked_at.origins is None:
                continue
            tables = past_tables(opened, looked_at)
            choice, receipt = judge(looked_at, tables, settings, models, data_set=name, activity=activity)
            assert receipt is not None
            shown, coverage = OriginLosses(**receipt["last_origin"]), receipt["coverage"]
            used = ModelChoice(
                choice.lifetime,
                *(receipt["chosen"][question] for question in ("purchases", "churn", "ltv")),
                season=tuple((receipt["season"] or {}).get("used_for", ())),
            )
            yield {
                "window": {
                    "data_set": name,
                    "cutoff": shown.cutoff,
                    "days": shown.days,
                    **{question: _rounded(errors_of(shown, used, question))[0] for question in ("purchases", "ltv")},
                    "groups": _rounded(errors_of(shown, used, "groups")),
                },
                "customers": shown.customers,
                "chosen": receipt["chosen"],
                "total": coverage["total"],
                "groups": coverage["groups"],
                "origins": [receipt["last_origin"], *receipt["origins"]],
            }


def _rounded(errors: list[float]) -> list[float]:
    return [round(error, 4) for error in errors] or [0.0]


def share_words(held: int, of: int) -> str:
    """A share with its binomial range (95 %, Wilson)."""
    low, high = binomtest(held, of).proportion_ci(0.95, method="wilson")
    return f"{held} of {of} ({held / of:.0%}, {low:.0%} to {high:.0%})"


def print_origins(names: list[str]) -> None:
    """How far off every model was at each origin, the last one first, with the chosen model in bold."""
    print("| data set | part | model | " + " | ".join(("shown", "2nd last", "3rd last", "4th last")) + " |")
    print("|---|---|---|---|---|---|---|")
    for name in names:
        for each in windows(name, last=True):
            for question, part in (
                ("purchases", "purchases, RMSE"),
                ("churn", "chance, log loss"),
                ("ltv", "spend, RMSE"),
            ):
                for model in each["origins"][0]["losses"][question]:
                    found = [origin["losses"][question].get(model) for origin in each["origins"]]
                    cells = " | ".join("-" if loss is None else f"{loss:,.3f}" for loss in found)
                    called = f"**`{model}`**" if each["chosen"][question] == model else f"`{model}`"
                    print(f"| {name} | {part} | {called} | {cells} |", flush=True)


def main() -> None:
    """Print the table; keep what was missed where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=tuple(SETS))
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--origins", action="store_true")
    given = parser.parse_args()
    names = [name for name, (source, _) in SETS.items() if given.only in (None, name) and _is_there(source)]
    if given.origins:
        print_origins(names)
        return
    found = []
    print("| data set | after | days | customers | spend by | range | came | |\n|---|---|---|---|---|---|---|---|")
    for name in names:
        for each in windows(name):
            found.append(each)
            total, window = each["total"], each["window"]
            print(
                f"| {name} | {window['cutoff']} | {window['days']} | {each['customers']:,} | `{each['chosen']['ltv']}` "
                f"| {total['low']:,.0f} to {total['high']:,.0f} | {total['actual']:,.0f} "
                f"| {'inside' if total['inside'] else 'outside'} |",
                flush=True,
            )
    whole = [each["total"]["inside"] for each in found]
    parts = [part["inside"] for each in found for part in each["groups"]]
    print(f"\nTotals inside: {share_words(sum(whole), len(whole))}.")
    print(f"Fifths of the customers inside: {share_words(sum(parts), len(parts))}.")
    if given.keep:
        before = json.loads(KEPT.read_text(encoding="utf-8"))["windows"] if KEPT.is_file() else []
        kept = [each for each in before if each["data_set"] not in names]
        said = "made by python benchmarks/ranges.py --keep: logarithms of what came over what was expected"
        lines = ",\n".join(json.dumps(each) for each in [*kept, *(each["window"] for each in found)])
        KEPT.write_text(f'{{"source": {json.dumps(said)}, "windows": [\n{lines}\n]}}\n', encoding="utf-8")


def _is_there(source: str) -> bool:
    return not source.startswith("/") or Path(source).is_file()


if __name__ == "__main__":
    main()
