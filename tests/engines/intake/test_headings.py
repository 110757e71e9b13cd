"""Headings in the languages of shops, in every dress: case, accents, units, camelCase, words around them."""

from __future__ import annotations

import pytest

from engines.columns import CANONICAL_FIELDS
from engines.intake.schema.names import EMAILS, KNOWN_NAMES, find_containing, find_named
from engines.intake.schema.words import folded
from tests.engines.intake.seen_columns import fields, mapped

_FIELDS = "customer_id order_id order_date quantity unit_price description country status".split()  # noqa: SIM905


@pytest.mark.parametrize(
    ("header", "statuses"),
    [
        ("Customer No.|Order #|Order Date|Qty|Unit Price|Product Name|Ship Country|Order Status", "Shipped Cancelled"),
        ("Kunden-Nr.|Bestellnummer|Bestelldatum|Menge|Einzelpreis|Artikelbezeichnung|Land|Status", "Bezahlt Storniert"),
        ("N° client|N° de commande|Date de commande|Qté|Prix unitaire HT|Désignation|Pays|État", "Livrée Annulée"),
        ("ID de cliente|Nº pedido|Fecha del pedido|Cantidad|Precio unitario|Producto|País|Estado", "Enviado Cancelado"),
        (
            "Codice cliente|Numero ordine|Data ordine|Quantità|Prezzo unitario|Descrizione|Nazione|Stato",
            "Pagato Annullato",
        ),
        ("Klantnummer|Ordernummer|Besteldatum|Aantal|Stuksprijs|Omschrijving|Land|Status", "Betaald Geannuleerd"),
        (
            "Código do cliente|Nº do pedido|Data do pedido|Quantidade|Preço unitário|Produto|País|Situação",
            "Pago Cancelado",
        ),
        (
            "Nr klienta|Numer zamówienia|Data zamówienia|Ilość|Cena jednostkowa|Nazwa towaru|Kraj|Status",
            "Wysłane Anulowane",
        ),
        ("客户编号|订单编号|下单日期|数量|单价|商品名称|国家|订单状态", "已完成 已取消"),
        ("客戶編號|訂單編號|訂單日期|數量|單價|商品名稱|國家|訂單狀態", "已完成 已取消"),
        ("顧客ID|注文番号|注文日|数量|単価（税込）|商品名|国|注文ステータス", "発送済み キャンセル"),
    ],
)
def test_every_language_needs_no_mapping(header, statuses):
    sold, cancelled = statuses.split()
    found = mapped(header, f"K1|1|2024-01-05|2|10.50|Mug|DE|{sold}", f"K2|2|2024-01-16|1|20.00|Pot|AT|{cancelled}")
    assert list(fields(found)) == _FIELDS
    assert list(fields(found).values()) == header.split("|")
    assert found.notes == ()


@pytest.mark.parametrize(
    ("field", "heading"),
    [
        *(("amount", "Net Amount (EUR)"), ("amount", "net_amount_usd"), ("amount", "Umsatz [€]")),
        *(("order_date", "Invoice Date (DD/MM/YYYY)"), ("order_date", "orderDate"), ("order_date", "ORDER-DATE")),
        *(("customer_id", "Customer Number (CRM)"), ("customer_id", "CustomerID"), ("customer_id", "  cliente id ")),
        *(("order_total", "Order Total (inc tax)"), ("order_total", "orderTotalAmount")),
        *(("refunded_amount", "Montant remboursé"), ("cancelled_at", "Cancelled At"), ("is_test", "is_test_order")),
        *(("line_type", "Belegart"), ("discount", "Rabattbetrag"), ("customer_name", "氏名")),
    ],
)
def test_the_dress_of_a_heading_makes_no_difference(field, heading):
    assert [place for place, _ in find_named(field, ["x", heading])] == [1]


def test_a_heading_means_one_field_alone():
    assert [place for place, _ in find_named("amount", ["Order Total", "Order Type"])] == []
    assert [
        place for place, _ in find_containing("customer_id", ["Customer Type", "Customer since", "Ship Date"])
    ] == []
    assert list(find_containing("order_date", ["Ship Date", "Web order date"])) == [(1, "order date")]


def test_names_are_written_as_they_are_compared_and_every_language_has_every_field():
    assert set(KNOWN_NAMES) == set(CANONICAL_FIELDS)
    for field, languages in {**KNOWN_NAMES, "email": EMAILS}.items():
        assert set(languages) == set("en de fr es it nl pt pl zh ja".split()), field  # noqa: SIM905
        assert [name for names in languages.values() for name in names if folded(name) != name] == []


def test_a_part_of_a_heading_is_enough_if_it_is_of_several_words():
    found = mapped("Web order date|CRM customer id|Money|amount", "2024-01-05|1|x|5.0", "2024-01-06|2|y|6.0")
    assert fields(found) == {"customer_id": "CRM customer id", "order_date": "Web order date", "amount": "amount"}


def test_state_is_a_region_or_a_status_as_its_values_say():
    header = "customer|order|date|amount|state"
    assert fields(mapped(header, "1|1|2024-01-05|5.0|NY", "2|2|2024-01-06|6.0|CA"))["country"] == "state"
    assert fields(mapped(header, "1|1|2024-01-05|5.0|paid", "2|2|2024-01-06|6.0|canceled"))["status"] == "state"


def test_type_and_status_are_used_only_where_their_words_are_known():
    header = "customer|date|amount|type|status"
    found = mapped(header, "1|2024-01-05|5.0|Invoice|VIP", "2|2024-01-06|6.0|Credit Memo|new")
    assert (fields(found).get("line_type"), fields(found).get("status")) == ("type", None)
    assert "line_type" not in fields(mapped(header, "1|2024-01-05|5.0|Retail|", "2|2024-01-06|6.0|Web|"))


def test_a_column_called_id_holds_customers_where_it_comes_again_on_other_days():
    lines = ["2024-01-05|0|5.0", "2024-02-06|1|6.0", "2024-03-06|0|6.0"]
    assert fields(mapped("date|id|amount", *lines))["customer_id"] == "id"
    lines = ["2024-01-05|0|5.0|x", "2024-02-06|1|6.0|x", "2024-02-06|1|6.0|y"]
    assert fields(mapped("date|id|amount|customer", *lines))["order_id"] == "id"


def test_columns_of_one_name_are_told_apart_by_their_place():
    header, line = "Customer|Date|Price|Quantity|Price", "A|2024-01-02|10.00|2|20.00"
    assert fields(mapped(header, line))["unit_price"] == "Price (column 3)"
    assert fields(mapped(header, line, amount="price (column 5)"))["amount"] == "Price (column 5)"
