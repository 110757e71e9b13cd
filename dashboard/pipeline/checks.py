"""Checks of a run before it is published, against the run that is published until then; each is a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from dashboard.config import Config
from engines.messages import message
from storage import Store
from storage.contract import Run, Snapshot


@dataclass(frozen=True)
class Check:
    """What was checked of a run: whether it passed, and the sentence that says what was seen."""

    name: str
    passed: bool
    text: str


def checks(store: Store, config: Config, candidate: Run, published: Run | None) -> list[dict[str, Any]]:
    """What is checked of a finished run before it is published.

    Args:
        store: where both runs are.
        config: ``[publish]`` has the limits.
        candidate: the run that is to be published.
        published: the run that is published until then; None: there is nothing to compare with.

    Returns:
        For each check ``name``, ``passed`` and ``text``: of customers, ledger and segments where a run is published,
        and of the stability of the engine.
    """
    found = []
    if published is not None and published.id != candidate.id:
        now, then = store.snapshot(candidate.snapshot_id), store.snapshot(published.snapshot_id)
        found = [
            _customers(now, then, config.publish.customers_drop),
            _ledger(now.ledger, then.ledger, config.publish.ledger_points),
            _segments(candidate, published, config.publish.segment_growth),
        ]
    return [asdict(check) for check in (*found, _stability(candidate, config.publish.stability))]


def failed_words(checked: list[dict[str, Any]]) -> list[str]:
    """The sentences of the checks that did not pass."""
    return [str(check["text"]) for check in checked if not check["passed"]]


def _customers(now: Snapshot, then: Snapshot, limit: float) -> Check:
    change = now.customers / then.customers - 1 if then.customers else 0.0
    text = message(
        "{customers:,} customers, {change:+.1%} against {before:,} of the published run; at most {limit:.0%} fewer.",
        customers=now.customers,
        change=change,
        before=then.customers,
        limit=limit,
    )
    return Check("customers", -change <= limit, text)


def _ledger(now: Mapping[str, Any], then: Mapping[str, Any], limit: float) -> Check:
    """Each rule's share of the lines that were read."""
    shares, before = _dropped_shares(now), _dropped_shares(then)
    apart = {rule: shares.get(rule, 0.0) - before.get(rule, 0.0) for rule in (*shares, *before)}
    rule = max(apart, key=lambda name: abs(apart[name]), default=None)
    if rule is None:
        return Check("ledger", True, message("No rule of cleaning dropped a line, then or now."))
    text = message(
        "The rule {rule} drops {share:.1%} of the lines, {before:.1%} in the published run; at most {limit:.0%} apart.",
        rule=rule,
        share=shares.get(rule, 0.0),
        before=before.get(rule, 0.0),
        limit=limit,
    )
    return Check("ledger", abs(apart[rule]) <= limit, text)


def _dropped_shares(ledger: Mapping[str, Any]) -> dict[str, float]:
    lines = float((ledger.get("in") or {}).get("lines") or 0)
    rules = ledger.get("rules") or ()
    return {str(item["rule"]): float(item.get("lines") or 0) / lines for item in rules if lines and item.get("rule")}


def _segments(now: Run, then: Run, limit: float) -> Check:
    """The share of customers of each segment that both runs have."""
    shares, before = _segment_shares(now), _segment_shares(then)
    grown = {name: shares[name] / before[name] for name in shares if before.get(name)}
    if not grown:
        return Check("segments", True, message("No segment is one of the published run, so sizes are not compared."))
    name = max(grown, key=lambda each: grown[each])
    called = {item.known_by: item.name for item in now.segments}
    text = message(
        "{segment} holds {share:.1%} of the customers, {before:.1%} in the published run; below {limit:g} times that.",
        segment=called[name],
        share=shares[name],
        before=before[name],
        limit=limit,
    )
    return Check("segments", grown[name] < limit, text)


def _segment_shares(run: Run) -> dict[str, float]:
    everyone = sum(item.customers for item in run.segments)
    return {item.known_by: item.customers / everyone for item in run.segments} if everyone else {}


def _stability(run: Run, limit: float) -> Check:
    stability = run.metrics.get("stability")
    if stability is None:
        return Check("stability", True, message("The stability of the engine is not known."))
    text = message(
        "Fitted again on customers drawn at random, the engine agrees with itself to {stability:.2f} (adjusted Rand "
        "index); at least {limit:.2f}.",
        stability=stability,
        limit=limit,
    )
    return Check("stability", stability >= limit, text)
