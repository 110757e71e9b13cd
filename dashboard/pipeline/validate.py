"""Judges value models on a source's own past, and on CDNOW beside published figures; nothing is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

from dashboard.config import Config, load_config
from dashboard.pipeline.answers import GOLDEN, Question, made_with
from dashboard.pipeline.sales import Progress, SalesRequest, open_sales, past_tables, silent, value_settings
from engines.errors import InputError
from engines.features import purchase_days
from engines.value.appraisal import agenda, judge, usable_models
from engines.value.contract import ValueModel
from engines.value.validation import golden
from storage import Store
from storage.contract import Job


def golden_question(config: Config) -> Question[tuple[golden.PublishedFigure, ...]]:
    """The question what our models make of published figures."""
    return Question(GOLDEN, None, {"made_with": made_with(config)}, _comparisons_of)


def _comparisons_of(result: Mapping[str, Any]) -> tuple[golden.PublishedFigure, ...]:
    return tuple(golden.PublishedFigure(**each) for each in result["figures"])


def golden_for_job(job: Job, config: Config, store: Store, progress: Progress) -> dict[str, Any]:
    """What a worker computes for this question."""
    return {"figures": [asdict(each) for each in golden_run()]}


def golden_run() -> tuple[golden.PublishedFigure, ...]:
    """Every published figure with ours beside it: it takes some seconds."""
    lifetimes = {name: model for name, model in usable_models().items() if not model.learns}
    sales, config = SalesRequest(golden.SOURCE), load_config(environ={})
    return validate_models(sales, config, last_known_day=golden.LAST_KNOWN_DAY, models=lifetimes).golden


@dataclass(frozen=True)
class Validated:
    """What came of a check: the data set's title and currency, the receipt, published figures beside it, notes."""

    title: str
    currency: str | None
    receipt: Mapping[str, Any]
    golden: tuple[golden.PublishedFigure, ...] = ()
    notes: tuple[str, ...] = ()


def validate_models(
    request: SalesRequest,
    config: Config,
    progress: Progress = silent,
    *,
    last_known_day: date | None = None,
    models: Mapping[str, ValueModel] | None = None,
) -> Validated:
    """Read sales, go back to a day, and hold what the models say then against what came.

    Args:
        request: the sales; its engines do not matter.
        config: how sales are read, which model CLV has and how far ahead it looks.
        progress: told how far it is.
        last_known_day: the last day that the models know: purchases, churn and spend are all tested on everything after
            it. By default each is tested as for a snapshot.
        models: by name; all that are installed unless told.

    Raises:
        InputError: the source or mapping cannot be used, or there is too little before or after the day.
    """
    settings = value_settings(config)
    cutoff = None if last_known_day is None else last_known_day + timedelta(days=1)
    with open_sales(request, config, progress) as opened:
        sales = opened.sales
        looked_at = agenda(sales.first_day, sales.as_of, settings, cutoff=cutoff)
        if looked_at.origins is None:
            raise InputError(
                "The sales from {first_day} to {last_day} are too short for a check without a cut-off. "
                "Give more history, or say with --cutoff up to which day the models shall know it.",
                first_day=sales.first_day,
                last_day=sales.last_day,
            )
        progress("Looking back", 0.0)
        tables = past_tables(opened, looked_at)
        activity = purchase_days(sales.table)
        progress("Looking back", 1.0)
    progress("Judging models", 0.0)
    used = usable_models() if models is None else models
    _, receipt = judge(looked_at, tables, settings, used, data_set=sales.name, activity=activity)
    progress("Judging models", 1.0)
    if receipt is None:
        raise InputError("There is nothing to judge the models by; give more history.")
    is_golden = (request.source, last_known_day) == (golden.SOURCE, golden.LAST_KNOWN_DAY)
    return Validated(
        request.name or sales.title,
        sales.currency,
        receipt,
        golden.compare_with_published(receipt) if is_golden else (),
        sales.notes,
    )
