"""Which column of a source holds which field: guessed from common names, or as the user says with --map."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from engines.columns import (
    AMOUNT,
    CANONICAL_FIELDS,
    COUNTRY,
    CURRENCY,
    CUSTOMER_ID,
    DESCRIPTION,
    ORDER_DATE,
    ORDER_ID,
    PRODUCT_ID,
    QUANTITY,
    UNIT_PRICE,
)
from engines.errors import InputError

#: Names by field, the likeliest first, without case, spaces and punctuation.
_KNOWN_NAMES: Mapping[str, tuple[str, ...]] = {
    CUSTOMER_ID: (
        *("customerid", "customeruniqueid", "customer", "customerno", "customernumber", "customernr", "customercode"),
        *("custid", "clientid", "client", "buyerid", "userid", "memberid"),
    ),
    ORDER_ID: (
        *("orderid", "invoiceno", "invoice", "invoiceid", "invoicenumber", "order", "orderno", "ordernumber"),
        *("transactionid", "transid", "receiptid", "receiptno", "basketid"),
    ),
    ORDER_DATE: (
        *("orderdate", "invoicedate", "date", "transactiondate", "transdate", "purchasedate", "saledate", "salesdate"),
        *("orderpurchasetimestamp", "orderdatetime", "datetime", "timestamp"),
    ),
    QUANTITY: ("quantity", "qty", "units", "numberofcds", "numberofitems"),
    UNIT_PRICE: ("unitprice", "price", "itemprice", "priceperunit", "pricepaid"),
    AMOUNT: (
        *("amount", "lineamount", "linetotal", "totalprice", "totalamount", "tranamount", "transamount"),
        *("transactionamount", "dollarvalue", "sales", "revenue"),
    ),
    PRODUCT_ID: ("productid", "stockcode", "sku", "itemid", "productcode", "itemcode", "articleid", "article"),
    DESCRIPTION: ("description", "productname", "product", "itemname", "item", "productcategory", "category"),
    COUNTRY: ("country", "countryname", "customercountry", "shippingcountry", "billingcountry"),
    CURRENCY: ("currency", "currencycode", "ordercurrency", "isocurrencycode"),
}

_NEEDED = (CUSTOMER_ID, ORDER_DATE)


def choose_columns(columns: Sequence[str], mapping: Mapping[str, str], source: str) -> dict[str, int]:
    """The position of the column that holds each field, in the order of the canonical fields.

    What the user maps wins over every guess. Quantity times unit price is preferred to an amount that is only guessed,
    because totals of an order often stand on every one of its lines; an amount that is mapped needs neither.

    Raises:
        InputError: an unknown field, a column that is not there, or a field that is needed and not found.
    """
    chosen = {field: _position(columns, field, name, source) for field, name in mapping.items()}
    taken = set(chosen.values())
    plain = [re.sub(r"[\W_]+", "", name).lower() for name in columns]
    for field, names in _KNOWN_NAMES.items():
        if field in chosen:
            continue
        found = next((plain.index(name) for name in names if name in plain and plain.index(name) not in taken), None)
        if found is not None:
            chosen[field] = found
            taken.add(found)
    if AMOUNT in mapping:
        chosen.pop(UNIT_PRICE, None)
    elif AMOUNT in chosen and QUANTITY in chosen and UNIT_PRICE in chosen:
        del chosen[AMOUNT]
    elif AMOUNT in chosen:
        chosen.pop(UNIT_PRICE, None)
    for field in (*_NEEDED, *(() if AMOUNT in chosen else (QUANTITY, UNIT_PRICE))):
        if field not in chosen:
            other = " (or --map amount=COLUMN)" if field in (QUANTITY, UNIT_PRICE) else ""
            raise InputError(
                f"{source}: no column looks like {field}. Say which one it is with --map {field}=COLUMN{other}; "
                f"its columns are {_listed(columns)}."
            )
    return {field: chosen[field] for field in CANONICAL_FIELDS if field in chosen}


def _position(columns: Sequence[str], field: str, name: str, source: str) -> int:
    if field not in CANONICAL_FIELDS:
        raise InputError(f"There is no field {field!r} to map; the fields are {', '.join(CANONICAL_FIELDS)}.")
    found = [index for index, column in enumerate(columns) if column == name]
    found = found or [index for index, column in enumerate(columns) if column.casefold() == name.strip().casefold()]
    if not found:
        raise InputError(
            f"{source} has no column {name!r} for {field}; its columns are {_listed(columns)}. "
            f"Use --map {field}=COLUMN with one of them."
        )
    if len(found) > 1:
        raise InputError(f"{source} has {len(found)} columns called {name!r}; rename all but one of them.")
    return found[0]


def _listed(columns: Sequence[str]) -> str:
    shown = ", ".join(name if len(name) <= 40 else f"{name[:40]}…" for name in columns[:30])
    return shown if len(columns) <= 30 else f"{shown} and {len(columns) - 30} more"
