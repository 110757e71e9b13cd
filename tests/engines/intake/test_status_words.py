"""Words for what became of an order: what each means, in the languages of shops."""

from __future__ import annotations

import pytest

from engines.intake.schema.words import flag, folded, heads_of_lines, kind_of_status, says_what_became

_SOLD = (
    *("completed", "Paid", "wc-processing", "not cancelled", "nicht storniert", "non annulé", "no cancelado"),
    *("niet geannuleerd", "não cancelado", "nie anulowano", "未取消", "unfulfilled", "Not yet shipped"),
    *("Shipped - Delivered to Buyer", "partially_paid", "Partially Shipped", "Awaiting Shipment"),
    *("Payment accepted", "Paiement accepté", "On backorder (paid)", "En attente de réapprovisionnement (payé)"),
    *("Abgeschlossen", "In Process", "Resolved", "Refund failed", "return declined", "Express Checkout Payment"),
    *("PayPal Express-Zahlung", "已完成", "待发货", "発送済み", "処理中", "キャンセルなし", "Zrealizowane"),
    *("Płatność zaakceptowana", "Opłacone", "Pago aceptado", "Invoice", "Sale Line", "Rechnung", "No refund"),
    *("Bezahlt", "Completado", "Concluído", "W realizacji", "Betaling aanvaard", "Dispute won", "Approved"),
    *("Closed", "Facture", "Enviado", "交易成功", "Chargeback reversed", "payment received", "Expédié", "Livré"),
)
_NO_SALE = (
    *("cancelled", "Canceled", "CANCELED", "wc-cancelled", "wc-on-hold", "Pending", "pending payment", "wc-failed"),
    *("Voided", "declined", "Annulé", "Storniert", "abgebrochen", "Cancelado", "Annullato", "Geannuleerd"),
    *("Anulowane", "已取消", "交易关闭", "キャンセル", "キャンセル済み", "not paid", "nicht bezahlt"),
    *("noch nicht bezahlt", "unpaid", "On backorder (not paid)", "Awaiting bank wire payment"),
    *("En attente du paiement par chèque", "En attente de virement bancaire", "Warten auf Scheckzahlung"),
    *("checkout-draft", "trash", "test", "Payment", "Zahlung", "Total", "Grand Total", "Totaal", "Summe"),
    *("Cancelled - refunded", "Payment failed", "未付款", "待付款", "入金待ち", "Oczekiwanie na płatność czekiem"),
    *("Błąd płatności", "Erreur de paiement", "General Withdrawal", "requires_payment_method", "Fehlgeschlagen"),
    *("Cancelled: payment declined", "Nieopłacone", "On Hold", "Reversal of General Account Hold", "Payment Fee"),
    *("Customer Payment", "合計", "無効", "order received, awaiting payment", "Abonnement annulé"),
)
_RETURNED = (
    *("refunded", "Refund", "Returned", "Credit Memo", "Sales Credit Memo", "credit_note", "Gutschrift", "Avoir"),
    *("Nota de crédito", "Nota di credito", "Creditnota", "Erstattet", "Zurückerstattet", "Remboursé"),
    *("Reembolsado", "Rimborsato", "Terugbetaald", "Zwrot pieniędzy", "Zwrócono", "已退款", "退货", "返金済み"),
    *("返品", "Payment Refund", "Cash refund", "chargeback", "Stornorechnung", "Shipped - Rejected by Buyer"),
    *("Shipped - Returned to Seller", "return order", "Refund pending", "Rückzahlung", "Devolução"),
    *("Faktura korygująca", "Total refund", "PaymentRefund"),
)
_PARTLY = (
    *("partially refunded", "partially_refunded", "PartiallyRefunded", "teilweise erstattet", "Teilerstattung"),
    *("partiellement remboursé", "Parcialmente reembolsado", "部分退款", "一部返金", "Częściowo zwrócone"),
    *("gedeeltelijk terugbetaald", "parzialmente rimborsato", "partially returned", "Partially cancelled"),
)
_UNKNOWN = (*("", "Open", "New", "blue", "Smith", "Store pickup desk", "Visa", "Hardware", "US", "Disputed"),)


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        ("sold", _SOLD),
        ("not_a_sale", _NO_SALE),
        ("returned", _RETURNED),
        ("partly_returned", _PARTLY),
        ("", _UNKNOWN),
    ],
)
def test_a_status_means_what_it_says_in_every_language(kind: str, texts: tuple[str, ...]) -> None:
    assert {text: kind_of_status(text) for text in texts} == dict.fromkeys(texts, kind)


def test_words_of_the_user_win_over_ours() -> None:
    assert kind_of_status("Closed", returned=("closed",)) == "returned"
    assert kind_of_status("On hold", sold=("on hold",)) == "sold"
    assert kind_of_status("Completed - lost", not_a_sale=("lost",), sold=("completed",)) == "not_a_sale"


def test_a_kind_of_document_that_is_a_payment_is_no_sale_in_spanish_either() -> None:
    assert (kind_of_status("Pago"), kind_of_status("Pago", document=True)) == ("sold", "not_a_sale")


def test_a_sale_that_its_lines_say_again_is_told() -> None:
    assert heads_of_lines(["Sale", "Sale Line", "Payment"]) == ("Sale",)
    assert heads_of_lines(["Invoice", "Credit Memo"]) == ()


def test_kinds_of_documents_alone_do_not_say_what_became() -> None:
    assert [says_what_became(text) for text in ("Invoice", "Total", "Paid", "wc-cancelled")] == [
        False,
        False,
        True,
        True,
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Tak", True),
        ("ja", True),
        ("TRUE", True),
        ("x", True),
        ("はい", True),
        ("ＦＡＬＳＥ", False),
        ("Não", False),
        ("12", None),
    ],
)
def test_flags_are_read_in_every_language(text: str, expected: bool | None) -> None:
    assert flag(text) is expected


def test_folding_parts_words_and_takes_accents_off() -> None:
    assert folded(" wc-Annulé_PartiallyRefunded ") == "wc annule partially refunded"
    assert folded("キャンセル（済み）") == "キャンセル 済み"
