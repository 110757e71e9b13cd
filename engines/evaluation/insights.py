"""Insights of a run in sentences: who brings the money, who is worth most, who grows, who is at risk.

Every sentence is made from an :class:`Insight`, whose figures are worked out here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engines.messages import noted

Values = NDArray[np.float64]

#: The share of customers called the best.
_TOP = 0.10
#: Of fewer customers the best tenth says nothing.
_FEW = 20
#: Fewer customers are no group worth a sentence.
_HANDFUL = 5
#: How much longer than everyone's mean a segment has been away when it is called drifting.
_LONGER = 1.2
_SPACE = "\u00a0"  # a number and its unit stay on one line


class Insight(NamedTuple):
    """Something that stands out. ``values``: the figures it is made of by name, JSON-ready.

    Kinds and their values (money in the data set's currency, shares from 0 to 1):

    - ``most_revenue``: ``segment``, its ``revenue``, ``revenue_share``, ``customers`` and ``customer_share``.
    - ``highest_clv``: ``segment``, its mean ``clv`` and that of ``all``.
    - ``fastest_growth``: ``segment``, customers ``before`` and ``now``, ``growth`` and that of ``all``, and ``since``
      when (ISO).
    - ``most_at_risk``: ``segment``, its ``revenue`` and how much of it is ``at_risk``: the sum over customers of spend
      times churn risk.
    - ``drifting``, where there is no churn risk: of the segments whose customers have been away at least a fifth longer
      than everyone and have spent more, the ``segment`` that has brought most ``revenue``, its ``customers`` and mean
      ``recency``.
    - ``concentration``: how many ``customers`` the best-spending tenth are and their ``revenue_share``.
    - ``one_order``: ``customers`` who have ordered once, and their ``customer_share``.
    """

    kind: str
    values: Mapping[str, Any]


class Earlier(NamedTuple):
    """An earlier run of the same engine and settings: its date, and customers by segment name."""

    as_of: date
    customers: Mapping[str, int]


class Sums(NamedTuple):
    """The customers in view, added up: sums by segment, in the order of ``names``.

    ``clv`` is summed over the ``valued`` customers who have one; ``at_risk`` is spend times churn risk, summed over
    those whose risk is known; both are None where there is none at all. ``best_revenue``: what the best-spending tenth
    has spent. ``once``: customers with one order.
    """

    names: Sequence[str]
    sizes: Values
    revenue: Values
    recency: Values
    clv: Values | None
    valued: Values | None
    at_risk: Values | None
    best_revenue: float
    once: int

    @property
    def worth_a_word(self) -> NDArray[np.bool_]:
        """Which segments have enough customers to be spoken of."""
        return np.asarray(self.sizes >= _HANDFUL)

    @property
    def several(self) -> bool:
        """Whether more than one segment has customers in view."""
        return int(np.count_nonzero(self.sizes)) > 1


def best_tenth(customers: int) -> int:
    """How many the best tenth of so many customers are; 0 where a tenth says nothing."""
    return round(_TOP * customers) if customers >= _FEW else 0


def insights(view: Sums, earlier: Earlier | None = None) -> list[Insight]:
    """What stands out among the customers in view, the most telling first.

    Args:
        view: sums over the customers in view.
        earlier: an earlier run to measure growth against; only where everyone is in view.

    Returns:
        At most one of each kind; nothing where there is no customer or no revenue.
    """
    if view.revenue.sum() <= 0:
        return []
    candidates = (
        _most_revenue(view),
        _most_at_risk(view),
        _fastest_growth(view, earlier),
        _highest_clv(view),
        _concentration(view),
        _one_order(view),
    )
    return [item for item in candidates if item is not None]


def _first(view: Sums, scores: Values) -> int | None:
    """The segment with the highest score among those worth a word; of equal ones the first."""
    scores = np.where(view.worth_a_word & np.isfinite(scores), scores, -np.inf)
    best = int(np.argmax(scores))
    return best if np.isfinite(scores[best]) else None


def _most_revenue(view: Sums) -> Insight | None:
    best = _first(view, view.revenue)
    if best is None or not view.several:
        return None
    return Insight(
        "most_revenue",
        {
            "segment": view.names[best],
            "revenue": float(view.revenue[best]),
            "revenue_share": float(view.revenue[best] / view.revenue.sum()),
            "customers": int(view.sizes[best]),
            "customer_share": float(view.sizes[best] / view.sizes.sum()),
        },
    )


def _highest_clv(view: Sums) -> Insight | None:
    if view.clv is None or view.valued is None or not view.several:
        return None
    sums, counts = view.clv, view.valued
    best = _first(view, np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0))
    if best is None:
        return None
    values = {"clv": float(sums[best] / counts[best]), "all": float(sums.sum() / counts.sum())}
    return Insight("highest_clv", {"segment": view.names[best], **values}) if values["clv"] > values["all"] else None


def _fastest_growth(view: Sums, earlier: Earlier | None) -> Insight | None:
    if earlier is None or not view.several:
        return None
    before = np.array([earlier.customers.get(name, 0) for name in view.names], dtype=np.float64)
    enough = before >= _FEW  # from three customers to six is no growth worth a sentence
    growth = np.divide(view.sizes, before, out=np.full(len(before), np.nan), where=enough) - 1
    best = _first(view, growth)
    if best is None or growth[best] <= 0:
        return None
    return Insight(
        "fastest_growth",
        {
            "segment": view.names[best],
            "before": int(before[best]),
            "now": int(view.sizes[best]),
            "growth": float(growth[best]),
            "all": float(view.sizes.sum() / sum(earlier.customers.values()) - 1),
            "since": earlier.as_of.isoformat(),
        },
    )


def _most_at_risk(view: Sums) -> Insight | None:
    if view.at_risk is None:
        return _drifting(view)
    at_risk = view.at_risk
    best = _first(view, at_risk)
    if best is None or at_risk[best] <= 0 or not view.several:
        return None
    values = {"revenue": float(view.revenue[best]), "at_risk": float(at_risk[best])}
    return Insight("most_at_risk", {"segment": view.names[best], **values})


def _drifting(view: Sums) -> Insight | None:
    days, customers = view.recency, view.sizes.sum()
    mean_days = np.divide(days, view.sizes, out=np.zeros(len(days)), where=view.sizes > 0)
    spend = np.divide(view.revenue, view.sizes, out=np.zeros(len(days)), where=view.sizes > 0)
    away = (mean_days > _LONGER * days.sum() / customers) & (spend > view.revenue.sum() / customers)
    best = _first(view, np.where(away, view.revenue, np.nan))
    if best is None:
        return None
    values = {"customers": int(view.sizes[best]), "recency": float(mean_days[best])}
    return Insight("drifting", {"segment": view.names[best], **values, "revenue": float(view.revenue[best])})


def _concentration(view: Sums) -> Insight | None:
    best = best_tenth(int(view.sizes.sum()))
    if not best:
        return None
    share = float(view.best_revenue / view.revenue.sum())
    return Insight("concentration", {"customers": best, "revenue_share": share})


def _one_order(view: Sums) -> Insight | None:
    customers = int(view.sizes.sum())
    if customers < _FEW or not view.once:
        return None
    return Insight("one_order", {"customers": view.once, "customer_share": view.once / customers})


# --- in words ---------------------------------------------------------------------------------------------------------


def _formatted(sentence: str, /, **parts: Any) -> str:
    return sentence.format(**parts)


def _formatted_number(one: str, many: str, number: float, /, **parts: Any) -> str:
    return (one if number == 1 else many).format(**parts)


@dataclass(frozen=True)
class Writing:
    """How an amount, a whole number, a share, a change and a date are written, and what a segment is called.

    ``say`` and ``say_number`` fill in a sentence, the latter in the form that goes with a number; in another language
    where they know one.
    """

    money: Callable[[float], str]
    whole: Callable[[float], str] = "{:,.0f}".format
    percent: Callable[[float], str] = lambda share: f"{100 * share:.1f}{_SPACE}%"
    change: Callable[[float], str] = lambda growth: f"{100 * growth:+.1f}{_SPACE}%"
    day: Callable[[date], str] = lambda at: f"{at.day} {at:%b} {at.year}"
    say: Callable[..., str] = _formatted
    say_number: Callable[..., str] = _formatted_number
    name: Callable[[str], str] = str


def sentence(insight: Insight, how: Writing) -> str:
    """An insight in plain words; ``how`` writes its numbers."""
    ways: dict[str, Callable[[Any], str]] = {
        **dict.fromkeys(("revenue", "mean", "at_risk"), how.money),
        **dict.fromkeys(("customers", "before", "now", "recency"), how.whole),
        **dict.fromkeys(("revenue_share", "customer_share"), how.percent),
        "segment": how.name,
        "day": lambda text: how.day(date.fromisoformat(text)),
        "growth": how.change,
        "all": how.change if insight.kind == "fastest_growth" else how.money,
    }
    values = {_CALLED.get(name, name): value for name, value in insight.values.items()}
    parts = {name: ways[name](value) for name, value in values.items()}
    if insight.kind == "one_order":
        return how.say_number(
            "{customers} customer has ordered just once: {share}.",
            "{customers} customers have ordered just once: {share}.",
            values["customers"],
            customers=parts["customers"],
            share=parts["customer_share"],
        )
    return how.say(_WORDS[insight.kind], **parts)


#: Values that a sentence calls otherwise.
_CALLED = {"clv": "mean", "since": "day"}
_WORDS = {
    "most_revenue": noted(
        "{segment} brought the most revenue: {revenue}, {revenue_share} of it, from {customer_share} of these "
        "customers."
    ),
    "highest_clv": noted("{segment} have the highest CLV: {mean} each on average, against {all} over all."),
    "fastest_growth": noted(
        "{segment} grew fastest since {day}: from {before} to {now} customers ({growth}; all customers {all})."
    ),
    "most_at_risk": noted(
        "Most is at risk among {segment}: {at_risk} of the {revenue} they have brought, weighing what each has spent "
        "by the churn risk."
    ),
    "drifting": noted(
        "{customers} {segment} last ordered {recency}\u00a0days ago on average and had brought {revenue}."
    ),
    "concentration": noted("The best-spending tenth ({customers} customers) brought {revenue_share} of the revenue."),
}
