"""Words for what became of an order, and for kinds of documents and lines, in the languages of shops.

A pattern is a word or several: ``paid`` is that word, ``cancel*`` any word that begins so, ``*取消*`` that text
anywhere (for languages without blanks between words). Case, accents, hyphens and underscores make no difference.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Literal

StatusKind = Literal["sold", "not_a_sale", "returned", "partly_returned", ""]

_Words = Mapping[str, tuple[str, ...]]

#: By language: the order never became a sale, or is none any more, and no money came in for it.
NOT_A_SALE: _Words = {
    "en": (
        *("cancel*", "void*", "fail*", "declin*", "reject*", "refused", "denied", "error", "invalid", "abort*"),
        *("expired", "draft", "abandon*", "trash*", "deleted", "removed", "test", "test order", "fraud*", "blocked"),
        *("unpaid", "incomplete", "uncaptured", "requires*", "uncollectible", "written off", "write off"),
        *("timed out", "timeout", "quote", "quotation", "estimate", "proforma", "pro forma", "awaiting payment"),
        *("awaiting * payment", "pending payment", "payment pending", "waiting for payment", "payment due"),
        *("to be paid", "account hold", "payout", "withdrawal", "currency conversion", "authorization"),
        *("authorisation", "opening balance"),
    ),
    "de": (
        *("storn*", "annull*", "abgebrochen", "fehlgeschlagen", "fehler*", "abgelehnt", "zuruckgewiesen"),
        *("widerruf*", "ungultig", "abgelaufen", "entwurf", "geloscht", "test*bestellung", "testauftrag"),
        *("unbezahlt", "angebot", "kostenvoranschlag", "zu zahlen", "warten auf * zahlung", "warten auf *zahlung"),
        *("wartet auf zahlung", "zahlung ausstehend", "ausstehende zahlung", "unvollstandig", "auszahlung"),
        *("*abbuchung", "*wahrungsumrechnung", "autorisierung", "uneinbringlich", "abgeschrieben"),
    ),
    "fr": (
        *("annul*", "echou*", "echec", "refus*", "rejet*", "erreur*", "invalide", "expire*", "brouillon", "supprim*"),
        *("abandon*", "impaye*", "devis", "commande test", "commande de test", "a payer", "en attente de paiement"),
        *("en attente du paiement", "en attente de * paiement", "paiement en attente", "en attente de virement"),
        *("non regle*", "virement sortant", "retrait", "incomplet*"),
    ),
    "es": (
        *("cancelad*", "anulad*", "anulacion", "fallid*", "rechazad*", "denegad*", "error", "invalid*", "caducad*"),
        *("expirad*", "vencid*", "borrador", "eliminad*", "abandonad*", "impagad*", "presupuesto"),
        *("pedido de prueba", "prueba", "por pagar", "pendiente de pago", "pago pendiente", "en espera de * pago"),
        *("en espera de pago", "esperando * pago", "incomplet*", "retirada", "sin pagar"),
    ),
    "it": (
        *("annullat*", "cancellat*", "stornat*", "fallit*", "rifiutat*", "respint*", "errore", "non valid*"),
        *("scadut*", "bozza", "eliminat*", "abbandonat*", "preventivo", "ordine di prova", "prova", "da pagare"),
        *("in attesa di pagamento", "in attesa di * pagamento", "pagamento in sospeso", "insolut*", "incomplet*"),
        *("prelievo",),
    ),
    "nl": (
        *("geannuleerd*", "annul*", "mislukt*", "geweigerd*", "afgewezen", "fout", "betalingsfout", "ongeldig*"),
        *("verlopen", "vervallen", "concept", "verwijderd*", "verlaten", "onbetaald*", "offerte", "testbestelling"),
        *("te betalen", "in afwachting van * betaling", "in afwachting van betaling", "wacht op betaling"),
        *("onvolledig*", "opname"),
    ),
    "pt": (
        *("cancelad*", "anulad*", "falha*", "falhou", "falhad*", "recusad*", "rejeitad*", "negad*", "erro"),
        *("invalid*", "expirad*", "rascunho", "excluid*", "eliminad*", "abandonad*", "nao pago", "orcamento"),
        *("pedido de teste", "teste", "a pagar", "aguardando * pagamento", "aguardando pagamento"),
        *("a aguardar * pagamento", "a aguardar pagamento", "pagamento pendente", "incomplet*", "saque"),
        *("levantamento",),
    ),
    "pl": (
        *("anulowan*", "anulacj*", "nieudan*", "niepowodzeni*", "odrzucon*", "odmow*", "blad", "niewazn*", "wygasl*"),
        *("szkic", "robocz*", "usuniet*", "porzucon*", "nieoplacon*", "niezaplacon*", "oferta", "zamowienie testowe"),
        *("testow*", "do zaplaty", "oczekuje na platnosc", "oczekiwanie na platnosc", "oczekujace na platnosc"),
        *("niekompletn*", "wyplata"),
    ),
    "zh": (
        *("*取消*", "*作废*", "*作廢*", "*关闭*", "*關閉*", "*失败*", "*失敗*", "*无效*", "*無效*", "*拒绝*"),
        *("*拒絕*", "*错误*", "*錯誤*", "*过期*", "*過期*", "*草稿*", "*删除*", "*刪除*", "*测试*", "*測試*"),
        *("*待付款*", "*待支付*", "*未付款*", "*未支付*", "*未完成*", "*等待付款*", "*报价*", "*報價*", "*提现*"),
        *("*提現*",),
    ),
    "ja": (
        *("*キャンセル*", "*取消*", "*取り消*", "*失敗*", "*無効*", "*拒否*", "*却下*", "*エラー*", "*期限切れ*"),
        *("*下書き*", "*削除*", "*テスト*", "*入金待*", "*支払待*", "*支払い待*", "*決済待*", "*未入金*", "*未払*"),
        *("*未決済*", "*未完了*", "*見積*"),
    ),
}

#: By language: it was sold, and all of it went back.
RETURNED: _Words = {
    "en": (
        *("refund*", "return*", "credit memo*", "credit note*", "creditmemo*", "creditnote*", "credited"),
        *("sales credit", "chargeback*", "charged back", "charge back", "reversed", "reversal", "money back"),
        *("rejected by buyer", "rma"),
    ),
    "de": (
        *("erstatt*", "ruckerstatt*", "zuruckerstatt*", "ruckzahl*", "zuruckgezahlt", "retour*", "ruckgabe"),
        *("rucksend*", "zuruckgesendet", "zuruckgesandt", "zuruckgegeben", "gutschrift*", "gutgeschrieben"),
        *("ruckbuchung", "ruckbelastung", "stornorechnung", "rechnungskorrektur"),
    ),
    "fr": (
        *("rembours*", "retourn*", "retour", "retours", "avoir", "avoirs", "note de credit", "rendu"),
        *("retrofacturation",),
    ),
    "es": (
        *("reembols*", "devuelt*", "devolucion*", "nota de credito", "notas de credito", "abono", "abonad*"),
        *("factura rectificativa", "contracargo"),
    ),
    "it": (
        *("rimbors*", "reso", "resi", "restituit*", "restituzione", "nota di credito", "note di credito"),
        *("accredito",),
    ),
    "nl": (
        *("terugbetaal*", "terugbetaling*", "terugbetaald*", "retour*", "geretourneerd*", "creditnota*"),
        *("creditfactuur", "gecrediteerd"),
    ),
    "pt": ("reembols*", "devolvid*", "devoluc*", "estorn*", "nota de credito", "notas de credito", "restituid*"),
    "pl": ("zwrot*", "zwroc*", "refundacj*", "korekta", "faktura korygujaca", "nota kredytowa", "obciazenie zwrotne"),
    "zh": ("*退款*", "*退货*", "*退貨*", "*退回*", "*贷项*", "*貸項*", "*折让*", "*折讓*", "*红字*", "*红冲*"),
    "ja": ("*返金*", "*返品*", "*払い戻*", "*払戻*", "*返却*", "*赤伝*", "*赤字伝票*"),
}

#: By language: a part of it; with a word of RETURNED or for cancelled beside it, or both in one word.
PARTLY: _Words = {
    "en": ("partial*", "partly", "in part"),
    "de": ("teilweise", "zum teil"),
    "fr": ("partiel*", "en partie"),
    "es": ("parcial*", "en parte"),
    "it": ("parzial*", "in parte"),
    "nl": ("gedeeltelijk*", "deels"),
    "pt": ("parcial*", "em parte"),
    "pl": ("czesciow*",),
    "zh": ("*部分*",),
    "ja": ("*一部*", "*部分*"),
}
PARTLY_RETURNED: _Words = {
    "de": ("teilerstatt*", "teilruckerstatt*", "teilretour*", "teilgutschrift", "teilstorn*"),
    "nl": ("deelretour*", "deelterugbetaling"),
}

#: By language: it is sold, whether or not it has been delivered.
SOLD: _Words = {
    "en": (
        *("complete", "completed", "paid", "shipped", "delivered", "fulfilled", "unfulfilled", "unshipped"),
        *("processing", "processed", "in process", "in progress", "closed", "approved", "accepted", "confirmed"),
        *("captured", "settled", "success", "successful", "succeeded", "done", "finished", "received", "dispatched"),
        *("in transit", "out for delivery", "picked up", "collected", "invoiced", "billed", "posted", "resolved"),
        *("authorized", "authorised", "cleared", "awaiting shipment", "awaiting fulfillment", "awaiting fulfilment"),
        *("awaiting pickup", "awaiting delivery", "awaiting collection", "awaiting dispatch", "pending shipment"),
        *("pending fulfillment", "pending fulfilment", "pending delivery", "pending pickup", "ready to ship"),
        *("ready for pickup", "ready for collection", "backorder*", "express checkout*", "website payment"),
        *("mobile payment", "general payment", "preapproved payment", "pre approved payment", "subscription payment"),
        *("donation payment", "auction payment", "checkout payment", "chargeback reversed", "chargeback won"),
        *("dispute won", "cash sale"),
    ),
    "de": (
        *("abgeschlossen*", "vollstandig", "bezahlt", "versandt", "versendet", "verschickt", "geliefert"),
        *("zugestellt", "ausgeliefert", "erledigt", "in bearbeitung", "in arbeit", "bearbeitet", "genehmigt"),
        *("akzeptiert", "bestatigt", "erfolgreich*", "eingegangen", "erhalten", "verbucht", "gebucht", "fakturiert"),
        *("abgerechnet", "angenommen", "abgeholt", "in zustellung", "versandbereit", "express zahlung"),
        *("website zahlung", "handyzahlung", "allgemeine zahlung", "auktionszahlung", "zahlung im einzugsverfahren"),
    ),
    "fr": (
        *("termine*", "complet", "complete*", "paye*", "expedi*", "envoye*", "livre*", "en cours*", "traite*"),
        *("accepte*", "approuve*", "valide*", "confirme*", "regle*", "reussi*", "recu", "recue", "acquitte*"),
        *("cloture*",),
    ),
    "es": (
        *("completad*", "completo", "completa", "pagad*", "enviad*", "entregad*", "procesando", "procesad*"),
        *("en curso", "en proceso", "aceptad*", "aprobad*", "confirmad*", "finalizad*", "terminad*", "exitos*"),
        *("recibid*", "facturad*", "cobrad*", "cerrad*"),
    ),
    "it": (
        *("completat*", "completo", "pagat*", "spedit*", "inviat*", "consegnat*", "in lavorazione", "in corso"),
        *("elaborat*", "accettat*", "approvat*", "confermat*", "conclus*", "evas*", "riuscit*", "ricevut*"),
        *("fatturat*", "chius*", "saldat*"),
    ),
    "nl": (
        *("voltooid*", "afgerond*", "compleet", "betaald*", "verzonden", "verstuurd", "geleverd", "afgeleverd"),
        *("bezorgd", "in behandeling", "verwerkt", "wordt * voorbereid", "geaccepteerd", "aanvaard", "goedgekeurd"),
        *("bevestigd", "geslaagd", "ontvangen", "gefactureerd", "afgehandeld", "gesloten"),
    ),
    "pt": (
        *("concluid*", "complet*", "pago", "paga", "enviad*", "entregue*", "processando", "em processamento"),
        *("processad*", "em andamento", "aceite*", "aceito", "aprovad*", "confirmad*", "finalizad*", "sucesso"),
        *("recebid*", "faturad*", "fechad*"),
    ),
    "pl": (
        *("zrealizowan*", "zakonczon*", "ukonczon*", "oplacon*", "zaplacon*", "wyslan*", "dostarczon*"),
        *("w realizacji", "w toku", "przetwarzan*", "w trakcie*", "zaakceptowan*", "zatwierdzon*", "potwierdzon*"),
        *("udan*", "otrzyman*", "zafakturowan*", "zamkniet*"),
    ),
    "zh": (
        *("*完成*", "*已付款*", "*已支付*", "*已发货*", "*已發貨*", "*已出货*", "*已出貨*", "*签收*", "*簽收*"),
        *("*已收货*", "*已收貨*", "*成功*", "*处理中*", "*處理中*", "*待发货*", "*待發貨*", "*待出貨*", "*待收货*"),
        *("*待收貨*", "*未发货*", "*未發貨*", "*已确认*", "*已確認*", "*配送中*", "*运输中*", "*已送达*", "*已送達*"),
        *("*已入账*", "*已审核*", "*已开票*"),
    ),
    "ja": (
        *("*完了*", "*発送済*", "*出荷済*", "*入金済*", "*支払済*", "*支払い済*", "*配達済*", "*配送済*", "*決済済*"),
        *("*処理中*", "*処理済*", "*受注済*", "*確認済*", "*承認済*", "*未発送*", "*未出荷*", "*発送待*", "*出荷待*"),
        *("*成功*", "*配送中*", "*請求済*"),
    ),
}

#: By language: nothing is decided yet, unless a word of SOLD stands beside it ("on backorder (paid)").
PENDING: _Words = {
    "en": ("pending", "on hold", "hold", "awaiting*", "waiting*", "unconfirmed", "requested"),
    "de": ("ausstehend*", "schwebend", "wartend", "warten*", "wartet", "angehalten", "zuruckgestellt", "unbestatigt"),
    "fr": ("en attente*", "en suspens"),
    "es": ("pendiente*", "en espera*", "esperando"),
    "it": ("in sospeso", "in attesa*", "sospes*"),
    "nl": ("in afwachting*", "wachtend*", "wacht*", "in de wacht"),
    "pt": ("pendente*", "aguardando", "em espera", "a aguardar"),
    "pl": ("oczekuj*", "oczekiw*", "wstrzyman*"),
    "zh": ("*待处理*", "*待處理*", "*挂起*", "*暂停*", "*待确认*", "*待審核*", "*待审核*"),
    "ja": ("*保留*", "*待ち*"),
}

#: By language: kinds of documents and lines that are sales, and that are none; any word above says more.
DOCUMENT_SOLD: _Words = {
    "en": ("invoice*", "sale", "sales", "order*", "charge", "purchase*", "line item", "item", "product", "receipt"),
    "de": ("rechnung*", "verkauf*", "bestellung*", "auftrag*", "faktura", "artikel", "bon"),
    "fr": ("facture", "factures", "vente*", "commande*", "article", "achat*"),
    "es": ("factura", "facturas", "venta*", "pedido*", "compra*", "articulo"),
    "it": ("fattura", "fatture", "vendita", "vendite", "ordine", "acquisto", "articolo"),
    "nl": ("factuur", "facturen", "verkoop*", "bestelling*", "artikel", "aankoop*"),
    "pt": ("fatura", "faturas", "venda*", "pedido*", "encomenda*", "compra*", "artigo"),
    "pl": ("faktura", "faktury", "sprzedaz*", "zamowieni*", "paragon*", "zakup*", "produkt"),
    "zh": ("*销售*", "*銷售*", "*发票*", "*發票*", "*订单*", "*訂單*", "*商品*"),
    "ja": ("*売上*", "*請求書*", "*注文*", "*販売*", "*商品*"),
}
DOCUMENT_NO_SALE: _Words = {
    "en": (
        *("payment*", "receipt of payment", "transfer*", "deposit*", "fee", "fees", "bank*", "journal*"),
        *("finance charge*", "reminder*", "balance", "customer payment", "adjustment", "view", "viewed", "page view*"),
        *("pageview*", "product view*", "cart", "add to cart", "remove from cart", "click*", "impression*", "wishlist"),
    ),
    "de": (
        *("zahlung*", "einzahlung*", "uberweisung*", "gebuhr*", "mahnung*", "saldo", "zahlungseingang*", "umbuchung"),
    ),
    "fr": ("paiement*", "reglement*", "virement*", "depot", "frais", "encaissement*", "solde", "rappel"),
    "es": ("pago*", "cobro*", "transferencia*", "deposito", "comision*", "saldo"),
    "it": ("pagamento", "pagamenti", "incasso", "bonifico", "deposito", "commissione", "saldo"),
    "nl": ("betaling*", "overboeking*", "storting", "kosten", "saldo", "aanmaning*"),
    "pt": ("pagamento*", "recebimento*", "transferencia*", "deposito", "taxa", "saldo"),
    "pl": ("platnosc*", "wplata", "przelew*", "oplata", "prowizja", "saldo"),
    "zh": ("*收款*", "付款", "支付", "*转账*", "*轉帳*", "*手续费*", "*手續費*"),
    "ja": ("*入金*", "支払*", "*振込*", "*手数料*"),
}

#: By language: rows that add up others.
TOTALS: _Words = {
    "en": ("total", "totals", "subtotal", "subtotals", "sub total", "grand total", "sum"),
    "de": ("summe", "gesamtsumme", "zwischensumme", "gesamt", "gesamtergebnis"),
    "fr": ("total", "totaux", "sous total", "total general"),
    "es": ("total", "totales", "subtotal", "total general", "suma"),
    "it": ("totale", "totali", "subtotale", "totale generale", "somma"),
    "nl": ("totaal", "subtotaal", "eindtotaal"),
    "pt": ("total", "totais", "subtotal", "total geral", "soma"),
    "pl": ("razem", "suma", "lacznie", "ogolem"),
    "zh": ("*合计*", "*合計*", "*总计*", "*總計*", "*小计*", "*小計*"),
    "ja": ("*合計*", "*総計*", "*小計*"),
}

#: Words before which another one means its opposite, those that may stand between, and, where no blanks are, after it.
_NOT = frozenset(
    (
        *("not", "no", "non", "never", "without", "nicht", "kein", "keine", "keinen", "ohne", "pas", "jamais"),
        *("sans", "sin", "senza", "niet", "geen", "zonder", "nao", "sem", "nie", "bez"),
    )
)
_BETWEEN = frozenset(
    (
        *("yet", "been", "be", "fully", "was", "is", "has", "mehr", "noch", "encore", "ete", "todavia", "aun"),
        *("ancora", "stato", "stata", "nog", "ainda", "foi", "jeszcze"),
    )
)
_NOT_BEFORE, _NOT_AFTER = ("未", "不", "无", "無", "没有", "沒有", "没", "沒"), ("なし", "無し", "不可", "せず")

#: What went out, or has not yet: an order is sold either way.
_DELIVERY = re.compile(
    r"ship|deliver|fulfil|dispatch|vers(?:andt|endet|chickt)|geliefert|zugestellt|ausgeliefert|expedi|envoye|livre|enviad"
    r"|entreg|spedit|inviat|consegnat|evas|verzonden|verstuurd|geleverd|bezorgd|wyslan|dostarczon|invoiced|picked|collected"
)
#: A wish to cancel or to send back that came to nothing.
_CAME_TO_NOTHING = re.compile(
    r"\b(?:cancellation|cancel|refund|return|stornierung|erstattung|ruckgabe|annulation|remboursement|retour|devolucion"
    r"|reembolso|rimborso|reso|devolucao|zwrot)(?: request)?(?: was| has been| is)?"
    r" (?:rejected|denied|declined|refused|failed|cancell?ed|abgelehnt|fehlgeschlagen|refusee?|rechazad[ao]"
    r"|rifiutat[ao]|afgewezen|geweigerd|recusad[ao]|odrzucon[ya])\b"
)

_YES = frozenset(
    (
        *("1", "yes", "y", "true", "t", "x", "on", "ja", "j", "wahr", "oui", "o", "vrai", "si", "s"),
        *("verdadero", "vero", "waar", "sim", "verdadeiro", "tak", "prawda", "是", "真", "はい", "有", "✓", "✔", "☑"),
    )
)
_NO = frozenset(
    (
        *("0", "no", "n", "false", "f", "off", "nein", "falsch", "non", "faux", "falso", "nee", "onwaar", "nao"),
        *("nie", "falsz", "否", "假", "いいえ", "无", "無", "✗", "✘", "☐"),
    )
)


def folded(text: str) -> str:
    """The text in small letters, without accents, its words parted by single blanks: ``wc-Annulé`` is ``wc annule``."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", unicodedata.normalize("NFKC", text))
    marks = unicodedata.normalize("NFD", apart.casefold().replace("ł", "l"))
    bare = unicodedata.normalize("NFC", re.sub(r"[\u0300-\u036f]", "", marks))
    return re.sub(r"[\W_]+", " ", bare).strip()


def flag(text: str) -> bool | None:
    """Whether a cell says yes or no, in any of the languages; None where it says neither."""
    word = text.strip() if text.strip() in _YES | _NO else folded(text)
    return True if word in _YES else False if word in _NO else None


def kind_of_status(
    text: str,
    *,
    document: bool = False,
    sold: Sequence[str] = (),
    not_a_sale: Sequence[str] = (),
    returned: Sequence[str] = (),
) -> StatusKind:
    """What a status, or a kind of document or line, says of the sale; empty where no word is known.

    Args:
        text: as it stands in the cell.
        document: whether it is a kind of document or line: a payment is none of a sale then, in Spanish as well.
        sold: patterns that mean a sale here, before any other word.
        not_a_sale: those that mean none here; they win over the other two.
        returned: those that mean here that all went back.
    """
    words = folded(text)
    own: tuple[tuple[Sequence[str], StatusKind], ...] = (
        *((not_a_sale, "not_a_sale"), (returned, "returned")),
        (sold, "sold"),
    )
    for patterns, kind in own:
        if patterns and _pattern(tuple(patterns)).search(words):
            return kind
    if document and _pattern(_all(DOCUMENT_NO_SALE)).fullmatch(words):
        return "not_a_sale"
    return _meaning(words)[0]


def says_what_became(text: str) -> bool:
    """Whether a cell says what became of an order, in words that are more than a kind of document such as invoice."""
    kind, clear = _meaning(folded(text))
    return bool(kind) and clear


def heads_of_lines(values: Iterable[str]) -> tuple[str, ...]:
    """Of kinds of lines, those that sum up what others say line by line: ``Sale`` where there is ``Sale Line``, too."""
    sales = [value for value in dict.fromkeys(values) if kind_of_status(value, document=True) == "sold"]
    lines = [value for value in sales if _LINE.search(folded(value))]
    return tuple(value for value in sales if value not in lines) if lines else ()


_LINE = re.compile(
    r"\b(?:line|lines|item|items|position|positionen|zeile|ligne|linea|riga|regel|linha|pozycja|product)\b|明细|明細|行"
)


def _all(*words: _Words) -> tuple[str, ...]:
    return tuple(dict.fromkeys(pattern for each in words for patterns in each.values() for pattern in patterns))


@lru_cache(maxsize=64)
def _pattern(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """One expression that finds any of the patterns in folded text, the longest first."""
    found = []
    for pattern in sorted(patterns, key=len, reverse=True):
        if len(pattern) > 2 and pattern.startswith("*") and pattern.endswith("*"):
            found.append(re.escape(folded(pattern)))
            continue
        words = [
            r"\S*".join(re.escape(folded(part)) for part in word.split("*")) if word != "*" else r"\S+(?: \S+)?"
            for word in pattern.split()
        ]
        found.append(rf"(?<!\S){' '.join(words)}(?!\S)")
    return re.compile("|".join(found))


_Spans = list[tuple[int, int]]
_GROUPS = {"gone": NOT_A_SALE, "back": RETURNED, "good": SOLD}


@lru_cache(maxsize=4096)
def _meaning(words: str) -> tuple[StatusKind, bool]:
    """What folded text means, and whether a word says so that is more than a kind of document."""
    words = words.removeprefix("wc ")
    if not words:
        return "", False
    if _CAME_TO_NOTHING.search(words):
        return "sold", True
    if _pattern(_all(PARTLY_RETURNED)).search(words):
        return "partly_returned", True
    spans = {name: [found.span() for found in _pattern(_all(group)).finditer(words)] for name, group in _GROUPS.items()}
    found = {name: [span for span in its if not _within(span, name, spans)] for name, its in spans.items()}
    said = {name: any(not _denied(words, span) for span in its) for name, its in found.items()}
    denied = {name: [span for span in its if _denied(words, span)] for name, its in found.items()}
    if (said["back"] or said["gone"]) and _pattern(_all(PARTLY)).search(words):
        return "partly_returned", True
    if said["gone"] or any(not _DELIVERY.search(words[slice(*span)]) for span in denied["good"]):
        return "not_a_sale", True
    if said["back"]:
        return "returned", True
    if any(found.values()):
        return "sold", True
    if _pattern(_all(PENDING)).search(words):
        return "not_a_sale", True
    if _pattern(_all(TOTALS, DOCUMENT_NO_SALE)).search(words):
        return "not_a_sale", False
    return ("sold", False) if _pattern(_all(DOCUMENT_SOLD)).search(words) else ("", False)


def _within(span: tuple[int, int], group: str, spans: Mapping[str, _Spans]) -> bool:
    """Whether a longer phrase of another group says what this one is about: unpaid is not paid."""
    return any(
        other[0] <= span[0] and span[1] <= other[1] and (other != span or (group, name) == ("gone", "back"))
        for name, its in spans.items()
        if name != group
        for other in its
    )


def _denied(words: str, span: tuple[int, int]) -> bool:
    """Whether a word that means not stands before a phrase, or behind it where languages have it there."""
    before, after = words[: span[0]], words[span[1] :].lstrip()
    if before.rstrip().endswith(_NOT_BEFORE) or after.startswith(_NOT_AFTER):
        return True
    for word in reversed(before.split()):
        if word not in _BETWEEN:
            return word in _NOT
    return False
