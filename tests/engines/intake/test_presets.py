"""Layouts of well-known exports are found by their headings, said, and read as their makers mean them."""

from __future__ import annotations

from pathlib import Path

import pytest

from engines.columns import CANONICAL_FIELDS
from engines.intake import read_sales
from engines.intake.schema.names import plain
from engines.intake.schema.presets import PRESETS, find_preset
from tests.engines.intake.seen_columns import fields, mapped


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.title)
def test_a_preset_knows_fields_and_is_told_by_its_own_signs(preset):
    assert set(preset.columns) <= set(CANONICAL_FIELDS)
    assert {"customer_id", "order_date"} <= {field for field, known in preset.columns.items() if known}
    for names in [*preset.signs, *preset.columns.values()]:
        assert [name for name in names if plain(name) != name] == []
    assert [find_preset(sorted(signs)) for signs in preset.signs] == [preset] * len(preset.signs)


@pytest.mark.parametrize(
    ("header", "line", "title", "expected"),
    [
        (
            "id|Description|Seller Message|Created (UTC)|Amount|Amount Refunded|Currency|Status|Customer ID|Mode",
            "ch_1|x|y|2024-01-05 10:00|21.00|0.00|usd|Paid|cus_1|Live",
            "a Stripe payments export",
            {
                "order_id": "id",
                "order_date": "Created (UTC)",
                "refunded_amount": "Amount Refunded",
                "line_type": "Mode",
            },
        ),
        (
            "order-id|order-item-id|purchase-date|buyer-email|sku|product-name|quantity-purchased|currency|item-price",
            "1|2|2024-01-05|a@b.example|S|Mug|2|EUR|20.00",
            "an Amazon report of seller orders",
            {"customer_id": "buyer-email", "quantity": "quantity-purchased", "amount": "item-price"},
        ),
        (
            "Buchungsdatum|Belegart|Belegnr.|Debitorennr.|Debitorname|Betrag|Restbetrag",
            "05.01.2024|Rechnung|R1|D1|A GmbH|100,00|0,00",
            "customer ledger entries of Business Central",
            {"customer_id": "Debitorennr.", "line_type": "Belegart", "amount": "Betrag"},
        ),
        (
            "ID;Référence;Nouveau client;Livraison;Client;Total;Paiement;État;Date".replace(";", "|"),
            "5|ABC|1|France|J. DOE|35,50 €|Virement|Livré|05/01/2024",
            "a PrestaShop list of orders",
            {"customer_id": "Client", "order_id": "Référence", "order_total": "Total", "status": "État"},
        ),
        (
            "Auftraggeber|Faktura|Fakturadatum|Fakturaart|Nettowert|Währung",
            "100012|9001|31.12.2023|F2|1.234,50|EUR",
            "a SAP list of billing documents",
            {"customer_id": "Auftraggeber", "line_type": "Fakturaart", "amount": "Nettowert"},
        ),
    ],
)
def test_layouts_are_found_and_said(header, line, title, expected):
    found = mapped(header, line)
    assert found.preset is not None and found.preset.title == title
    assert found.notes[0].startswith(f"Read as {title}.")
    assert {name: column for name, column in fields(found).items() if name in expected} == expected


def test_what_the_user_maps_wins_over_the_preset():
    header, line = (
        "Name|Email|Created at|Lineitem quantity|Lineitem price|Total|Discount Amount",
        "#1|a|2024-01-05|1|5|5|1",
    )
    assert fields(mapped(header, line))["discount"] == "Discount Amount"
    found = fields(mapped(header, line, order_total="Total", customer_id="Name"))
    assert (found["order_total"], found["customer_id"]) == ("Total", "Name")
    assert not {"unit_price", "amount", "discount"} & set(found)  # the total is after discounts


def test_words_mean_what_the_layout_means_by_them(tmp_path: Path):
    header = "ID,Purchase Point,Purchase Date,Bill-to Name,Grand Total (Base),Status,Customer Email"
    rows = ["1,Main,2024-01-05,Ann,10.00,Complete,a@b.example", "2,Main,2024-01-06,Ann,20.00,Closed,a@b.example"]
    path = tmp_path / "a.csv"
    path.write_text("\n".join([header, *rows]), encoding="utf-8")
    with read_sales(str(path)) as sales:  # Magento closes what was paid back
        totals = sales.totals()
        assert (totals["gross"].units, totals["net"].units) == (300_000, 100_000)


def test_an_item_price_that_is_one_of_the_line_is_not_multiplied(tmp_path: Path):
    header = "amazon-order-id\tpurchase-date\torder-status\tsku\tquantity\titem-price\tbuyer-email"
    path = tmp_path / "a.txt"
    path.write_text(f"{header}\n1\t2024-01-05\tShipped\tS\t2\t20.00\ta@b.example\n", encoding="utf-8")
    with read_sales(str(path)) as sales:
        assert sales.totals()["gross"].units == 200_000
        assert any("whole line" in note for note in sales.notes)
