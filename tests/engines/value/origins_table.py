"""How far off each value model was at the rolling origins of the embedded data: the table of docs/methods.md.

``python -m tests.engines.value.origins_table`` works it out (half a minute) and writes it there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dashboard.config import load_config
from dashboard.pipeline.sales import SalesRequest
from dashboard.pipeline.validate import validate_models
from engines.value.appraisal import usable_models

DOCS = Path(__file__).parents[3] / "docs" / "methods.md"
BEGIN = "<!-- origins: made by python -m tests.engines.value.origins_table -->"
END = "<!-- end of origins -->"
SAMPLES = ("cdnow-sample", "sample-shop")

_QUESTIONS = {"purchases": "purchases, RMSE", "churn": "buys again, log loss", "ltv": "spend, RMSE"}


def rows(sample: str) -> Iterator[str]:
    """A line for each origin and question of a data set, the earliest origin first, the one that is shown last."""
    models = {name: model for name, model in usable_models().items() if name != "xgboost"}  # that is an extra
    receipt = validate_models(SalesRequest(sample), load_config(environ={}), models=models).receipt
    for place, origin in enumerate([*reversed(receipt["origins"]), receipt["last_origin"]]):
        shown = place == len(receipt["origins"])
        for question, words in _QUESTIONS.items():
            yield _row(sample, origin, words, origin["losses"][question], receipt["chosen"][question], shown=shown)


def _row(
    sample: str, origin: Mapping[str, Any], words: str, losses: Mapping[str, float], used: str, *, shown: bool
) -> str:
    known = {name: loss for name, loss in losses.items() if name != "zero"}
    least = min(known.values())
    figures = ", ".join(
        f"{'**' if loss == least else ''}`{name}` {loss:.3g}{'**' if loss == least else ''}"
        for name, loss in sorted(known.items(), key=lambda item: item[1])
    )
    kind = "shown" if shown else "chooses"
    return f"| {sample} | {origin['cutoff']} | {origin['days']} | {kind} | {words} | {figures} | `{used}` |"


def table() -> str:
    """The whole table."""
    head = "| data set | known up to | days | origin | question | how far off, the best first | in use |\n"
    return head + "|---|---|---|---|---|---|---|\n" + "\n".join(row for sample in SAMPLES for row in rows(sample))


def documented() -> str:
    """The table as the docs have it."""
    return DOCS.read_text(encoding="utf-8").partition(f"{BEGIN}\n")[2].partition(f"\n{END}")[0]


if __name__ == "__main__":
    text = DOCS.read_text(encoding="utf-8")
    before, after = text.partition(f"{BEGIN}\n")[0], text.partition(f"\n{END}")[2]
    DOCS.write_text(f"{before}{BEGIN}\n{table()}\n{END}{after}", encoding="utf-8")
