"""Which of several columns holds the money of a line: quantity, price and amount are compared on the first lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

_Cells = Sequence[str | None]
_HIGHEST_TAX = 1.35  # an amount that is always so many times quantity x price, or less, has tax in it
_AGREE = 0.005  # ratios that differ by less are the same


@dataclass(frozen=True)
class MoneyCells:
    """The cells of the first lines, by column; None where there is no such column."""

    quantity: _Cells
    price: _Cells
    amount: _Cells | None = None
    order: _Cells | None = None
    product: _Cells | None = None


@dataclass(frozen=True)
class MoneyDecision:
    """What the lines show.

    ``kind``: ``same`` (the amount is quantity times price), ``line_price`` (the price is one of the whole line),
    ``amount`` (the two differ, and the amount is what was paid), ``price`` (they differ because the amount has tax or
    the whole order in it), or ``unknown``. ``lines``: on how many lines the two differ; ``of``: how many were compared.
    """

    kind: Literal["same", "line_price", "amount", "price", "unknown"]
    lines: int = 0
    of: int = 0


def compare_money(cells: MoneyCells) -> MoneyDecision:
    """What quantity, price and amount of the first lines say of one another."""
    comma = _has_decimal_comma([cells.quantity, cells.price, cells.amount or ()])
    quantity, price = (_numbers(column, comma) for column in (cells.quantity, cells.price))
    if cells.amount is None:
        return MoneyDecision("line_price") if _grows_with_quantity(quantity, price, cells.product) else _UNKNOWN
    amount = _numbers(cells.amount, comma)
    lines = [
        (place, q, p, a)
        for place, (q, p, a) in enumerate(zip(quantity, price, amount, strict=True))
        if q is not None and p is not None and a is not None
    ]
    if not lines:
        return _UNKNOWN
    differ = [each for each in lines if not _equal(abs(each[1] * each[2]), abs(each[3]), each[1])]
    if not differ:
        return MoneyDecision("same", 0, len(lines))
    several = [(p, a) for _, q, p, a in lines if abs(q) > 1]
    if several and all(_equal(abs(p), abs(a), 1.0) for p, a in several):
        return MoneyDecision("line_price", len(differ), len(lines))
    of_orders = _has_tax(lines) or _is_of_orders(lines, cells.order)
    kind: Literal["price", "amount"] = "price" if of_orders else "amount"
    return MoneyDecision(kind, len(differ), len(lines))


_UNKNOWN = MoneyDecision("unknown")


def _equal(product: float, amount: float, quantity: float) -> bool:
    """Whether they are the same but for cents that were rounded, of the price as well."""
    return abs(product - amount) <= max(0.011, 0.0051 * abs(quantity))


def _has_tax(lines: Sequence[tuple[int, float, float, float]]) -> bool:
    """Whether the amount is always the same share above quantity times price."""
    cost, paid = sum(q * p for _, q, p, _ in lines), sum(a for *_, a in lines)
    if not cost or not 1 < paid / cost < _HIGHEST_TAX:
        return False
    return all(_equal(q * p * paid / cost, a, q) for _, q, p, a in lines)


def _alike(values: Sequence[float]) -> bool:
    return max(values) - min(values) <= _AGREE * max(abs(value) for value in values)


def _grows_with_quantity(
    quantity: Sequence[float | None], price: Sequence[float | None], product: _Cells | None
) -> bool:
    """Whether the price of a product is twice as high where two are bought, for nearly all products."""
    if product is None:
        return False
    bought: dict[str, list[tuple[float, float]]] = {}
    for name, q, p in zip(product, quantity, price, strict=True):
        if name is not None and q and p:
            bought.setdefault(name, []).append((abs(q), abs(p)))
    grows = stays = 0
    for each in bought.values():
        if len({q for q, _ in each}) > 1:
            grows += _alike([p / q for q, p in each])
            stays += not _alike([p / q for q, p in each])
    return grows > 9 * stays


def _is_of_orders(lines: Sequence[tuple[int, float, float, float]], order: _Cells | None) -> bool:
    """Whether the amount stands again on every line of an order, however much the line costs."""
    if order is None:
        return False
    orders: dict[str, list[tuple[float, float]]] = {}
    for place, q, p, a in lines:
        if order[place] is not None:
            orders.setdefault(order[place] or "", []).append((q * p, a))
    several = [each for each in orders.values() if len({round(cost, 2) for cost, _ in each}) > 1]
    return bool(several) and all(len({a for _, a in each}) == 1 for each in several)


def _has_decimal_comma(columns: Sequence[_Cells]) -> bool:
    texts = [text for column in columns for text in column if text]
    commas = sum(re.search(r",\d{1,2}\D*$", text) is not None for text in texts)
    return commas > sum(re.search(r"\.\d{1,2}\D*$", text) is not None for text in texts)


def _numbers(column: _Cells, comma: bool) -> list[float | None]:
    """Numbers as far as they can be read at a glance; what this misses is not compared."""
    return [None if text is None else _number(text, comma) for text in column]


def _number(text: str, comma: bool) -> float | None:
    bare = re.sub(r"[^\d.,()+\-−]", "", text).strip("+")
    below = bare.startswith(("-", "−", "(")) or bare.endswith(("-", "−"))
    digits = re.sub(r"[^\d.,]", "", bare)
    digits = digits.replace(".", "").replace(",", ".") if comma else digits.replace(",", "")
    try:
        return -float(digits) if below else float(digits)
    except ValueError:
        return None
