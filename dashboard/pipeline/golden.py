"""The golden run: CDNOW's sample fitted here and now, beside the figures that were published about it."""

from __future__ import annotations

from dashboard.config import load_config
from dashboard.pipeline.validate import Check, validate
from engines.value.appraisal import usable_models
from engines.value.validation import golden


def golden_run() -> tuple[golden.Comparison, ...]:
    """Every published figure with ours beside it: it takes some seconds."""
    lifetimes = {name: model for name, model in usable_models().items() if not model.learns}
    check = Check(golden.SOURCE, golden.LAST_KNOWN_DAY)
    return validate(check, load_config(environ={}), models=lifetimes).golden
