"""The same sales in any dress (separator, encoding, numbers, dates, headings, words, title lines) are read alike.

A reading is right, or it is refused with a sentence; it is never other sales. The data are made up.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engines.errors import InputError
from engines.intake import read_sales

TODAY = date(2026, 6, 1)
FIRST = date(2024, 1, 1)
#: Headings of customer, order, date, quantity, price and status, and words for sold, no sale and sent back.
LANGUAGES = {
    "en": (
        ("Customer ID", "Order ID", "Order Date", "Quantity", "Unit Price", "Status"),
        ("completed", "cancelled", "refunded"),
    ),
    "de": (
        ("Kundennummer", "Bestellnummer", "Bestelldatum", "Menge", "Einzelpreis", "Status"),
        ("bezahlt", "storniert", "erstattet"),
    ),
    "fr": (
        ("Numéro client", "Numéro de commande", "Date de commande", "Quantité", "Prix unitaire", "Statut"),
        ("payé", "annulé", "remboursé"),
    ),
    "es": (
        ("ID cliente", "Número de pedido", "Fecha de pedido", "Cantidad", "Precio unitario", "Estado"),
        ("pagado", "cancelado", "reembolsado"),
    ),
    "it": (
        ("Codice cliente", "Numero ordine", "Data ordine", "Quantità", "Prezzo unitario", "Stato"),
        ("pagato", "annullato", "rimborsato"),
    ),
    "nl": (
        ("Klantnummer", "Bestelnummer", "Besteldatum", "Aantal", "Prijs per stuk", "Status"),
        ("betaald", "geannuleerd", "terugbetaald"),
    ),
    "pt": (
        ("ID do cliente", "Número do pedido", "Data do pedido", "Quantidade", "Preço unitário", "Estado"),
        ("pago", "cancelado", "reembolsado"),
    ),
    "pl": (
        ("Numer klienta", "Numer zamówienia", "Data zamówienia", "Ilość", "Cena jednostkowa", "Status"),
        ("opłacone", "anulowane", "zwrócone"),
    ),
    "zh": (("客户编号", "订单编号", "下单日期", "数量", "单价", "订单状态"), ("已完成", "已取消", "已退款")),
    "ja": (("顧客番号", "注文番号", "注文日", "数量", "単価", "ステータス"), ("完了", "キャンセル", "返金済み")),
}
DATES = (
    "%Y-%m-%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%Y/%m/%d",
    "%Y%m%d",
    "%d-%b-%Y",
    "%b %d, %Y",
    "%Y-%m-%d %H:%M:%S",
)
SIGNS = ("", "€{}", "{} €", "{} EUR", "{}\u00a0€", "£{}", "CHF {}")
TITLES = ((), ("Sales of the shop",), ("Sales of the shop", "", "Made on 2026-05-31"), ("sep=",))


@dataclass(frozen=True)
class Dress:
    """How a table is written."""

    language: str
    separator: str
    encoding: str
    comma: bool
    grouped: bool
    dates: str
    sign: str
    title: tuple[str, ...]
    ends: str
    footer: bool
    quoted: bool


@st.composite
def dresses(draw: st.DrawFn) -> Dress:
    language = draw(st.sampled_from(sorted(LANGUAGES)))
    encodings = ["utf-8", "utf-8-sig", "utf-16"] + (
        ["cp1252"] if language in ("en", "de", "fr", "es", "it", "nl", "pt") else []
    )
    separator = draw(st.sampled_from([",", ";", "\t", "|"]))
    return Dress(
        language=language,
        separator=separator,
        encoding=draw(st.sampled_from(encodings)),
        comma=draw(st.booleans()),
        grouped=draw(st.booleans()),
        dates=draw(st.sampled_from(DATES)),
        sign=draw(st.sampled_from(SIGNS)),
        title=draw(st.sampled_from(TITLES)),
        ends=draw(st.sampled_from(["\n", "\r\n"])),
        footer=draw(st.booleans()),
        quoted=draw(st.booleans()),
    )


Line = tuple[str, str, date, int, Decimal, int]


@st.composite
def sales(draw: st.DrawFn) -> list[Line]:
    """Lines of orders: customer, order, day, quantity, price, and 0 for sold, 1 for no sale, 2 for sent back."""
    lines: list[Line] = []
    for order in range(draw(st.integers(6, 14))):
        who, day = f"K{draw(st.integers(1, 5))}", FIRST + timedelta(draw(st.integers(0, 500)))
        became = draw(st.sampled_from([0, 0, 0, 0, 1, 2]))
        for _ in range(draw(st.integers(1, 3))):
            price = Decimal(draw(st.integers(1, 250_000))) / 100
            lines.append((who, f"O{1000 + order}", day, draw(st.integers(1, 9)), price, became))
    return lines


def number(value: Decimal, dress: Dress) -> str:
    whole, cents = f"{value:,.2f}".split(".")
    group, point = (".", ",") if dress.comma else (",", ".")
    written = f"{whole.replace(',', group if dress.grouped else '')}{point}{cents}"
    return dress.sign.format(written) if dress.sign else written


def dressed(lines: list[Line], dress: Dress) -> bytes:
    headings, words = LANGUAGES[dress.language]
    rows = [list(headings)]
    for who, order, day, quantity, price, became in lines:
        rows.append([who, order, day.strftime(dress.dates), str(quantity), number(price, dress), words[became]])
    if dress.footer:
        total = sum((quantity * price for *_, quantity, price, _ in lines), Decimal(0))
        rows.append(["Total", "", "", "", number(total, dress), ""])

    def cell(text: str) -> str:
        return f'"{text}"' if dress.quoted or dress.separator in text else text

    title = [f"sep={dress.separator}" if line == "sep=" else line for line in dress.title]
    written = [*title, *(dress.separator.join(map(cell, row)) for row in rows), ""]
    return dress.ends.join(written).encode(dress.encoding)


def expected(lines: list[Line]) -> Counter[tuple[str, date, int]]:
    """Customer, day and units of all lines that were sold, and of those that went back with a minus."""
    found: Counter[tuple[str, date, int]] = Counter()
    for who, _, day, quantity, price, became in lines:
        units = int(quantity * price * 10_000)
        if became != 1:
            found[who, day, units] += 1
        if became == 2:
            found[who, day, -units] += 1
    return found


def outcome(lines: list[Line], dress: Dress) -> str:
    """``read`` or ``refused``; fails where other sales were read."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sales.csv"
        path.write_bytes(dressed(lines, dress))
        try:
            with read_sales(str(path), today=TODAY) as found:
                rows, last = found.table.to_pyarrow().to_pylist(), found.as_of
        except InputError as error:
            assert len(str(error)) > 30 and "Error:" not in str(error)
            return "refused"
    assert Counter((row["customer_id"], row["order_date"].date(), row["amount_units"]) for row in rows) == Counter(
        {each: count for each, count in expected(lines).items() if each[1] < last}
    )
    return "read"


def compare(examples: int) -> None:
    """Read so many tables; nearly all of them are read, as refusing would be no reading."""
    found: Counter[str] = Counter()

    @given(lines=sales(), dress=dresses())
    @settings(max_examples=examples, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def each(lines: list[Line], dress: Dress) -> None:
        found[outcome(lines, dress)] += 1

    each()
    assert found["read"] > 4 * found["refused"], found


def test_sales_in_another_dress_are_the_same_sales_or_refused():
    compare(16)


@pytest.mark.slow
def test_two_thousand_dresses():
    compare(2000)
