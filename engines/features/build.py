"""Customer table as of a date: sums from the database, then ratios and dates computed here."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date

import ibis
import pandas as pd

from engines.columns import CATEGORY_SHARE, COST, FEATURE_COLUMNS
from engines.errors import InputError
from engines.features import basket, lifetime, rfm, windows
from engines.features.as_of import aggregates_at
from engines.features.plugins import RegisteredFeature, extended
from engines.messages import joined


def build_customers(
    sales: ibis.Table,
    *,
    as_of: date,
    categories: Mapping[str, Sequence[str]] = {},
    plugins: Sequence[RegisteredFeature] = (),
) -> pd.DataFrame:
    """Customers with at least one sale before midnight of ``as_of``, one row each.

    Args:
        sales: clean lines: customer_id, order_id, order_date, quantity, amount_units, product_id, description,
            country, line_type, and attribute_<name> where there are any; on any backend of Ibis.
        as_of: exclusive: only lines before its midnight count, sales and returns alike.
        categories: keywords by category name, looked for in the description whatever the case; the first category
            that fits counts. Each gives a column share_<category>.
        plugins: features of other packages (of ``registered_features``), each a float64 column more at the end.

    Returns:
        Indexed by customer_id (str, in code point order), with FEATURE_COLUMNS, cost where the sales say it, the
        shares and the attributes, as the data dictionary defines them: counts int64, money and shares float64, days as
        datetime64[us], attributes text;
        is_home_country bool, or null boolean where the source has no country. The order of lines does not matter.

    Raises:
        InputError: a plug-in fails, named with its package. To go on without those that fail, use ``extended``.
    """
    ((_, customers),) = customers_at(sales, [as_of], categories)
    if not plugins:
        return customers
    result = extended(customers, sales, as_of=as_of, plugins=plugins)
    if result.notes:
        raise InputError(joined(result.notes))
    return result.customers


def customers_at(
    sales: ibis.Table,
    cutoffs: Sequence[date],
    categories: Mapping[str, Sequence[str]] = {},
    *,
    columns: Collection[str] | None = None,
    windows_at: Collection[date] | None = None,
) -> Iterator[tuple[date, pd.DataFrame]]:
    """Each cut-off with the customers as of it, equal to ``build_customers`` there; lines are read only once.

    In the order of time, however the cut-offs are given.

    Args:
        sales: as for ``build_customers``.
        cutoffs: each exclusive.
        categories: as for ``build_customers``.
        columns: those that are wanted, where not all are; as long as they are of recency, frequency, money, lifetime
            and windows of days, the rest is not worked out.
        windows_at: the cut-offs at which columns of windows of days are wanted, where not at all of them: the others
            come without these columns.
    """
    basic_only = columns is not None and {*columns} <= {*rfm.COLUMNS, *lifetime.COLUMNS, *windows.COLUMNS}
    looked_for: Mapping[str, Sequence[str]] = {} if basic_only else categories
    dates = sorted(set(cutoffs))
    lately = () if columns is not None and {*columns}.isdisjoint(windows.COLUMNS) else windows_at
    lately = dates if lately is None else lately
    for dated in aggregates_at(sales, dates, looked_for, whole=not basic_only, windows_at=lately):
        made = from_sums(dated.sums, dated.as_of, tuple(looked_for), dated.texts)
        yield dated.as_of, made if columns is None else made[[name for name in made.columns if name in columns]]


def from_sums(
    raw: pd.DataFrame, as_of: date, categories: Sequence[str], texts: Mapping[str, pd.Series]
) -> pd.DataFrame:
    """The customer table of sums (see :mod:`engines.features.as_of`) and columns of text on the same index."""
    made = {**rfm.columns(raw, as_of), **lifetime.columns(raw, as_of), **texts}
    if basket.PRODUCTS in raw:
        made |= basket.columns(raw, categories)
    if windows.COUNTED in raw:
        made |= windows.columns(raw, as_of)
    carried = [name for name in texts if name not in FEATURE_COLUMNS]
    order = (*FEATURE_COLUMNS, COST, *(f"{CATEGORY_SHARE}{category}" for category in categories), *carried)
    return pd.DataFrame({name: made[name] for name in order if name in made}, index=raw.index)
