"""Tables that are no table of sales, told by their headings: one row per customer, or a column per month."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from engines.columns import AMOUNT, CUSTOMER_ID, ORDER_DATE, ORDER_TOTAL, UNIT_PRICE
from engines.errors import InputError
from engines.intake.schema.contents import Look
from engines.intake.schema.names import plain
from engines.intake.schema.words import folded

#: Headings of what is known of a customer as a whole ...
_OF_CUSTOMERS = frozenset(
    (
        *("recency", "recencydays", "frequency", "monetary", "monetaryvalue", "rfm", "rfmscore", "rfmcode"),
        *("rfmsegment", "rscore", "fscore", "mscore", "recencyscore", "frequencyscore", "monetaryscore"),
        *("firstpurchase", "firstpurchasedate", "lastpurchase", "lastpurchasedate", "firstorder", "firstorderdate"),
        *("lastorder", "lastorderdate", "mostrecentvisit", "lastvisit", "lastseen", "totalorders", "ordercount"),
        *("orderscount", "numberoforders", "numorders", "norders", "totalpurchases", "purchasecount", "ltv"),
        *("lifetimevalue", "customerlifetimevalue", "clv", "averageordervalue", "avgordervalue", "aov"),
        *("dayssincelastpurchase", "dayssincelastorder", "repeatpurchases", "customersince"),
        *("letzterkauf", "ersterkauf", "letztebestellung", "anzahlbestellungen", "gesamtumsatz", "dernierachat"),
        *("premierachat", "nombredecommandes", "ultimacompra", "primeracompra", "numerodepedidos", "ultimoacquisto"),
        *("laatsteaankoop", "aantalbestellingen", "ostatnizakup", "liczbazamowien", "最近购买", "累计消费", "购买次数"),
        *("最終購入日", "購入回数", "累計購入金額"),
    )
)
#: ... and those that lines of sales have now and then as well: they count beside one of these.
_OFTEN_OF_CUSTOMERS = frozenset(
    (
        *("t", "segment", "customersegment", "cluster", "churn", "churned", "tenure", "tenuredays", "lifetime"),
        *("totalspent", "totalspend", "totalrevenue", "totalquantity", "totalamount", "totalsales"),
    )
)
_MONTH = re.compile(
    r"(?:(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mai|okt|dez|mrz|fev|avr|aou|ene|abr|ago|dic|gen|mag|giu|lug|set|ott)"
    r"[a-z]* ?(?:\d{2}|\d{4})?|(?:19|20)\d{2} ?(?:0?[1-9]|1[0-2])|(?:0?[1-9]|1[0-2]) (?:19|20)\d{2}|q[1-4] ?\d{0,4}"
    r"|(?:19|20)\d{2} ?q[1-4]|\d{4}年\d{1,2}月|\d{1,2}月)"
)


def refuse_other_tables(
    columns: Sequence[str],
    mapping: Mapping[str, str],
    source: str,
    looks: Sequence[Look],
    chosen: Mapping[str, int],
) -> None:
    """Refuse what is a table of customers or of months, unless the user has mapped a date and money.

    Args:
        columns: of the source, by position.
        mapping: what the user has mapped.
        source: its name, for errors.
        looks: of the columns' first values; without them names alone decide.
        chosen: the position by field, guesses among them.

    Raises:
        InputError: it is such a table; the sentence says what to do.
    """
    if mapping.get(ORDER_DATE) and any(mapping.get(name) for name in (AMOUNT, ORDER_TOTAL, UNIT_PRICE)):
        return
    about = [column for column in columns if plain(column) in _OF_CUSTOMERS | _OFTEN_OF_CUSTOMERS]
    if (
        len(about) >= 2
        and not _OF_CUSTOMERS.isdisjoint(map(plain, about))
        and _one_row_each(looks, chosen.get(CUSTOMER_ID))
    ):
        raise InputError(
            "{source} is a table of customers (one row per customer, with {columns}), not of sales. Give the sales "
            "that it was made of, or put these customers into the segments of a run with "
            "`segmentry predict RUN --input {source}`.",
            source=source,
            columns=", ".join(about[:6]),
        )
    months = [column for column in columns if _MONTH.fullmatch(folded(column))]
    if len(months) >= 3 and ORDER_DATE not in chosen:
        raise InputError(
            "{source} has a column for each month ({columns}), not a line for each sale. Give a table with customer, "
            "day and amount on every line.",
            source=source,
            columns=", ".join(months[:6]),
        )


def _one_row_each(looks: Sequence[Look], customer: int | None) -> bool:
    if not looks:
        return True
    ids = [looks[customer]] if customer is not None else [look for look in looks if look.kind != "date"]
    return any(look.filled > 1 and look.distinct == 1.0 for look in ids)
