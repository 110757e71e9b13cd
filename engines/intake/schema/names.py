"""Headings by field in the languages of shops, and how a heading is compared with them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache

from engines.columns import (
    AMOUNT,
    CANCELLED_AT,
    COST,
    COUNTRY,
    CURRENCY,
    CUSTOMER_ID,
    CUSTOMER_NAME,
    DESCRIPTION,
    DISCOUNT,
    IS_TEST,
    LINE_TYPE,
    ORDER_DATE,
    ORDER_ID,
    ORDER_TOTAL,
    PRODUCT_ID,
    QUANTITY,
    REFUNDED_AMOUNT,
    STATUS,
    UNIT_COST,
    UNIT_PRICE,
)
from engines.intake.schema.signs import without_currency
from engines.intake.schema.words import folded

_ByLanguage = Mapping[str, tuple[str, ...]]

#: Headings by field and language, the likeliest first, as :func:`~engines.intake.schema.words.folded` writes them.
KNOWN_NAMES: Mapping[str, _ByLanguage] = {
    CUSTOMER_ID: {
        "en": (
            *("customer id", "customer unique id", "customer no", "customer number", "customer nr", "customer code"),
            *("customer key", "customer num", "cust id", "cust no", "cust num", "customer", "client id"),
            *("client number", "client no", "client code", "client", "buyer id", "user id", "member id"),
            *("member number", "membership number", "customer user id", "customer user", "shopper id", "card id"),
            *("card number", "loyalty id", "loyalty card", "loyalty number", "household key", "household id"),
            *("account id", "account number", "account no", "sold to party", "sold to", "bill to customer no"),
            *("sell to customer no", "patron id", "guest id", "contact id", "donor id", "subscriber id"),
            *("customer account", "customer reference", "debtor number", "debtor no", "panel id", "consumer id"),
            *("buyer", "cust", "customer identifier", "visitor id"),
        ),
        "de": (
            *("kundennummer", "kundennr", "kunden nr", "kunden nummer", "kunden id", "kundenid", "kd nr", "kdnr"),
            *("kundenkennung", "kundenschlussel", "kundencode", "debitorennummer", "debitorennr", "debitornr"),
            *("debitor", "debitoren nr", "kunde", "kaufer id", "kaufer", "auftraggeber", "besteller"),
            *("mitgliedsnummer", "mitglieds nr", "kontonummer kunde", "regulierer", "kundin"),
        ),
        "fr": (
            *("id client", "numero client", "numero de client", "n client", "no client", "num client", "code client"),
            *("identifiant client", "reference client", "ref client", "client id", "clientid", "acheteur"),
            *("id acheteur", "numero de compte", "numero d adherent", "code tiers", "tiers", "cliente"),
        ),
        "es": (
            *("id cliente", "id de cliente", "id del cliente", "numero de cliente", "n cliente", "no cliente"),
            *("num cliente", "nro cliente", "codigo de cliente", "codigo cliente", "cod cliente", "cliente id"),
            *("identificador de cliente", "cliente", "comprador", "id comprador", "id usuario", "id de usuario"),
            *("usuario", "numero de socio"),
        ),
        "it": (
            *("id cliente", "codice cliente", "cod cliente", "numero cliente", "n cliente", "nr cliente"),
            *("identificativo cliente", "cliente", "acquirente", "id acquirente", "id utente", "codice tessera"),
        ),
        "nl": (
            *("klantnummer", "klantnr", "klant nr", "klant nummer", "klant id", "klantid", "klantcode"),
            *("debiteurnummer", "debiteurnr", "debiteur", "klant", "koper", "relatienummer", "relatiecode"),
            *("lidnummer", "gebruikers id"),
        ),
        "pt": (
            *("id cliente", "id do cliente", "codigo do cliente", "codigo cliente", "cod cliente"),
            *("numero do cliente", "numero de cliente", "n cliente", "cliente id", "identificador do cliente"),
            *("cliente", "comprador", "id comprador", "id do comprador", "id do utilizador", "id usuario"),
            *("id do usuario",),
        ),
        "pl": (
            *("id klienta", "numer klienta", "nr klienta", "kod klienta", "identyfikator klienta", "klient id"),
            *("klient", "id kupujacego", "kupujacy", "nabywca", "kontrahent", "id kontrahenta", "kod kontrahenta"),
            *("nr kontrahenta", "odbiorca", "numer karty klienta", "id uzytkownika"),
        ),
        "zh": (
            *("客户编号", "客户id", "客户代码", "客户号", "客户编码", "顾客编号", "顾客id", "会员编号", "会员id"),
            *("会员号", "会员卡号", "用户id", "用户编号", "买家id", "买家昵称", "买家会员名", "客户", "顾客", "会员"),
            *("买家", "客戶編號", "客戶id", "客戶代碼", "客戶代號", "客戶號", "顧客編號", "顧客id", "會員編號"),
            *("會員id", "會員號", "會員卡號", "使用者id", "用戶id", "買家id", "買家帳號", "客戶", "顧客", "會員"),
            *("買家", "客编", "客户账号"),
        ),
        "ja": (
            *("顧客id", "顧客番号", "顧客コード", "顧客no", "得意先コード", "得意先番号", "得意先", "会員id"),
            *("会員番号", "会員コード", "お客様番号", "お客様id", "お客様コード", "取引先コード", "購入者id"),
            *("ユーザーid", "ユーザid", "カード番号", "顧客", "会員", "購入者", "お客様"),
        ),
    },
    ORDER_ID: {
        "en": (
            *("order id", "invoice no", "invoice", "invoice id", "invoice number", "invoice num", "order"),
            *("order no", "order number", "order num", "order nr", "order ref", "order reference", "order name"),
            *("order code", "transaction id", "transaction number", "transaction no", "trans id", "receipt id"),
            *("receipt no", "receipt number", "receipt", "basket id", "basket", "sale id", "sale number", "sales id"),
            *("ticket id", "ticket number", "ticket no", "ticket", "document number", "document no", "doc number"),
            *("doc no", "billing document", "billing doc", "sales document", "sales order", "sales order number"),
            *("bill no", "bill number", "bill id", "amazon order id", "purchase id", "increment id", "payment id"),
            *("txn id", "check number", "booking id", "booking number", "reservation id"),
        ),
        "de": (
            *("bestellnummer", "bestell nr", "bestellnr", "bestell nummer", "bestell id", "bestellung"),
            *("auftragsnummer", "auftragsnr", "auftrags nr", "auftrag", "rechnungsnummer", "rechnungsnr"),
            *("rechnungs nr", "rechnung", "rg nr", "re nr", "belegnummer", "belegnr", "beleg nr", "beleg"),
            *("bonnummer", "bon nr", "bonnr", "kassenbon", "quittungsnummer", "vorgangsnummer", "transaktionsnummer"),
            *("transaktions id", "transaktionscode", "faktura", "fakturanummer", "verkaufsbeleg", "vertriebsbeleg"),
            *("vorgang",),
        ),
        "fr": (
            *("numero de commande", "numero commande", "n commande", "no commande", "n de commande", "num commande"),
            *("id commande", "reference commande", "ref commande", "reference de commande", "commande"),
            *("numero de facture", "numero facture", "n facture", "n de facture", "num facture", "facture"),
            *("id facture", "numero de transaction", "id transaction", "n transaction"),
            *("numero de ticket", "n ticket", "ticket", "numero de piece", "n piece", "numero de document"),
        ),
        "es": (
            *("numero de pedido", "numero pedido", "n pedido", "no pedido", "num pedido", "nro pedido", "id pedido"),
            *("id de pedido", "id del pedido", "pedido", "referencia del pedido", "numero de factura"),
            *("numero factura", "n factura", "num factura", "nro factura", "id factura", "factura"),
            *("numero de ticket", "n ticket", "ticket", "id transaccion", "id de transaccion"),
            *("numero de transaccion", "n documento", "numero de documento", "num documento", "orden", "id orden"),
            *("numero de orden", "id de orden"),
        ),
        "it": (
            *("numero ordine", "numero d ordine", "n ordine", "nr ordine", "id ordine", "codice ordine", "ordine"),
            *("riferimento ordine", "numero fattura", "n fattura", "nr fattura", "id fattura", "fattura"),
            *("numero scontrino", "scontrino", "id transazione", "codice transazione", "numero documento"),
            *("n documento", "nr documento"),
        ),
        "nl": (
            *("bestelnummer", "bestelnr", "bestel nr", "bestelling", "bestellings id", "ordernummer", "ordernr"),
            *("factuurnummer", "factuurnr", "factuur nr", "factuur", "bonnummer", "bonnr", "kassabon"),
            *("transactienummer", "transactie id", "transactiecode", "documentnummer", "documentnr", "stuknummer"),
        ),
        "pt": (
            *("numero do pedido", "numero pedido", "n pedido", "num pedido", "id pedido", "id do pedido"),
            *("codigo do pedido", "pedido", "numero da encomenda", "n encomenda", "id encomenda", "encomenda"),
            *("numero da fatura", "numero fatura", "n fatura", "fatura", "nota fiscal"),
            *("numero da nota", "n nota fiscal", "id transacao", "id da transacao", "codigo da transacao"),
            *("numero do documento", "n documento", "numero da venda", "cupom", "numero do cupom"),
        ),
        "pl": (
            *("numer zamowienia", "nr zamowienia", "id zamowienia", "zamowienie", "numer faktury", "nr faktury"),
            *("id faktury", "faktura", "numer paragonu", "nr paragonu", "paragon", "numer transakcji"),
            *("id transakcji", "nr transakcji", "numer dokumentu", "nr dokumentu", "dokument"),
        ),
        "zh": (
            *("订单编号", "订单号", "订单id", "订单号码", "订单", "主订单编号", "子订单编号", "交易号", "交易编号"),
            *("交易id", "发票号", "发票编号", "发票号码", "单据编号", "单据号", "单号", "小票号", "流水号"),
            *("销售单号", "訂單編號", "訂單號", "訂單id", "訂單號碼", "訂單", "交易編號", "交易號", "發票號碼"),
            *("發票編號", "發票號", "單據編號", "單號", "流水號", "銷售單號"),
        ),
        "ja": (
            *("注文番号", "注文id", "注文no", "注文コード", "受注番号", "受注id", "受注no", "伝票番号", "伝票no"),
            *("請求書番号", "取引番号", "取引id", "レシート番号", "オーダー番号", "オーダーid", "売上番号"),
            *("購入番号", "購入id", "注文"),
        ),
    },
    ORDER_DATE: {
        "en": (
            *("order date", "invoice date", "order purchase timestamp", "order timestamp", "order date time"),
            *("order datetime", "ordered at", "ordered on", "order time", "order created", "order created at"),
            *("order created date", "order placed", "order placed at", "order day", "purchase date"),
            *("purchase timestamp", "purchase time", "purchased at", "purchased on", "purchase day"),
            *("date of purchase", "date of order", "date of sale", "transaction date", "transaction time"),
            *("transaction timestamp", "trans date", "txn date", "tdat", "sale date", "sales date", "sold at"),
            *("sold on", "date sold", "invoice date time", "invoice day", "receipt date", "ticket date", "bill date"),
            *("billing date", "posting date", "document date", "doc date", "date", "date time", "datetime"),
            *("timestamp", "created at", "created on", "created", "created date", "created timestamp"),
            *("created time", "creation date", "created utc", "created date utc", "date created", "processed at"),
            *("paid at", "paid date", "payment date", "date paid", "payments date", "completed date", "event time"),
            *("event date", "event timestamp", "day", "visit date", "checkout date", "order dt", "invoice dt"),
        ),
        "de": (
            *("bestelldatum", "bestellt am", "bestellzeitpunkt", "bestelltag", "rechnungsdatum", "auftragsdatum"),
            *("kaufdatum", "gekauft am", "verkaufsdatum", "belegdatum", "buchungsdatum", "buchungstag"),
            *("fakturadatum", "fakturadat", "transaktionsdatum", "bondatum", "datum", "datum und uhrzeit"),
            *("datum uhrzeit", "zeitpunkt", "zeitstempel", "erstellt am", "angelegt am", "erstellungsdatum"),
            *("zahlungsdatum", "bezahlt am", "tag"),
        ),
        "fr": (
            *("date de commande", "date commande", "date de la commande", "date de facture", "date facture"),
            *("date de facturation", "date d achat", "date achat", "date de vente", "date vente"),
            *("date de transaction", "date transaction", "date du ticket", "date de piece", "date piece"),
            *("date comptable", "date", "date et heure", "horodatage", "cree le", "date de creation"),
            *("date de paiement", "paye le", "jour"),
        ),
        "es": (
            *("fecha de pedido", "fecha del pedido", "fecha pedido", "fecha de compra", "fecha compra"),
            *("fecha de venta", "fecha venta", "fecha de factura", "fecha factura", "fecha de facturacion"),
            *("fecha de la factura", "fecha de transaccion", "fecha transaccion", "fecha de registro contable"),
            *("fecha contable", "fecha documento", "fecha de documento", "fecha de orden", "fecha orden", "fecha"),
            *("fecha y hora", "fecha hora", "creado el", "creado", "fecha de creacion", "fecha de pago", "pagado el"),
            *("dia",),
        ),
        "it": (
            *("data ordine", "data dell ordine", "data d ordine", "data acquisto", "data di acquisto"),
            *("data vendita", "data di vendita", "data fattura", "data fatturazione", "data transazione"),
            *("data scontrino", "data documento", "data registrazione", "data", "data e ora", "data ora"),
            *("creato il", "data creazione", "data di creazione", "data pagamento", "pagato il", "giorno"),
        ),
        "nl": (
            *("besteldatum", "orderdatum", "aankoopdatum", "verkoopdatum", "factuurdatum", "boekingsdatum"),
            *("transactiedatum", "bondatum", "documentdatum", "datum", "datum en tijd", "tijdstip", "besteld op"),
            *("aangemaakt op", "aanmaakdatum", "betaaldatum", "betaald op", "dag"),
        ),
        "pt": (
            *("data do pedido", "data pedido", "data da compra", "data de compra", "data compra", "data da venda"),
            *("data de venda", "data venda", "data da encomenda", "data encomenda", "data da fatura", "data fatura"),
            *("data da transacao", "data transacao", "data de emissao", "data emissao", "data do documento", "data"),
            *("data e hora", "data hora", "criado em", "data de criacao", "data de pagamento", "data do pagamento"),
            *("pago em", "dia"),
        ),
        "pl": (
            *("data zamowienia", "data zlozenia zamowienia", "data zakupu", "data sprzedazy", "data faktury"),
            *("data wystawienia", "data transakcji", "data dokumentu", "data ksiegowania", "data", "data i godzina"),
            *("data i czas", "utworzono", "data utworzenia", "data platnosci", "dzien"),
        ),
        "zh": (
            *("下单日期", "下单时间", "订单日期", "订单时间", "订单创建时间", "订单付款时间", "购买日期", "购买时间"),
            *("交易日期", "交易时间", "成交日期", "成交时间", "销售日期", "销售时间", "发票日期", "开票日期"),
            *("付款日期", "付款时间", "支付时间", "支付日期", "消费日期", "消费时间", "单据日期", "过账日期"),
            *("创建时间", "创建日期", "日期", "时间", "下單日期", "下單時間", "訂單日期", "訂單時間", "訂單成立時間"),
            *("訂單成立日期", "購買日期", "購買時間", "交易時間", "成交時間", "銷售日期", "銷售時間", "發票日期"),
            *("開立日期", "付款時間", "消費日期", "單據日期", "過帳日期", "建立時間", "建立日期", "時間"),
        ),
        "ja": (
            *("注文日", "注文日時", "注文日付", "受注日", "受注日時", "購入日", "購入日時", "購買日", "売上日"),
            *("売上日付", "売上計上日", "請求日", "請求書日付", "取引日", "取引日時", "伝票日付", "計上日"),
            *("転記日付", "販売日", "会計日時", "入金日", "支払日", "来店日", "作成日", "作成日時", "登録日時"),
            *("日付", "日時", "年月日"),
        ),
    },
    QUANTITY: {
        "en": (
            *("quantity", "qty", "order quantity", "ordered quantity", "quantity ordered", "qty ordered"),
            *("lineitem quantity", "line item quantity", "item quantity", "item qty", "quantity purchased"),
            *("purchase quantity", "quantity sold", "qty sold", "units", "units sold", "unit count", "unit sold"),
            *("items sold", "item count", "items", "number of items", "number of cds", "number of units"),
            *("no of items", "no of units", "pieces", "pcs", "sales quantity", "sales qty", "quantity invoiced"),
            *("invoiced quantity", "qty invoiced", "billed quantity", "quantity refund", "total quantity"),
            *("transaction qty", "transaction quantity", "count"),
        ),
        "de": (
            *("menge", "anzahl", "stuckzahl", "stuck", "stk", "bestellmenge", "bestellte menge", "verkaufte menge"),
            *("verkaufsmenge", "absatzmenge", "fakturierte menge", "rechnungsmenge", "artikelanzahl", "artikelmenge"),
            *("anzahl artikel", "auftragsmenge", "gekaufte menge", "positionsmenge"),
        ),
        "fr": (
            *("quantite", "qte", "quantite commandee", "qte commandee", "quantite vendue", "qte vendue"),
            *("quantite achetee", "quantite facturee", "nombre d articles", "nb articles", "nombre d unites"),
            *("unites", "nombre de pieces"),
        ),
        "es": (
            *("cantidad", "cant", "cantidad pedida", "cantidad vendida", "cantidad comprada", "cantidad facturada"),
            *("unidades", "uds", "unidades vendidas", "numero de articulos", "numero de unidades", "piezas"),
        ),
        "it": (
            *("quantita", "qta", "q ta", "quantita ordinata", "quantita venduta", "quantita acquistata"),
            *("quantita fatturata", "pezzi", "unita", "unita vendute", "numero articoli", "numero pezzi"),
        ),
        "nl": (
            *("aantal", "hoeveelheid", "aantal stuks", "aantal besteld", "besteld aantal", "aantal verkocht"),
            *("verkocht aantal", "aantal artikelen", "stuks", "gefactureerd aantal"),
        ),
        "pt": (
            *("quantidade", "qtd", "qtde", "qtd vendida", "quantidade vendida", "quantidade pedida"),
            *("quantidade comprada", "quantidade encomendada", "quantidade faturada", "unidades"),
            *("unidades vendidas", "numero de itens", "numero de artigos", "pecas"),
        ),
        "pl": (
            *("ilosc", "liczba", "liczba sztuk", "ilosc sztuk", "sztuki", "szt", "liczba produktow"),
            *("ilosc zamowiona", "ilosc sprzedana", "sprzedana ilosc", "zamowiona ilosc"),
        ),
        "zh": (
            *("数量", "购买数量", "商品数量", "销售数量", "订购数量", "件数", "销量", "宝贝总数量", "成交数量"),
            *("个数", "數量", "購買數量", "商品數量", "銷售數量", "訂購數量", "件數", "銷量", "個數"),
        ),
        "ja": (
            *("数量", "個数", "点数", "購入数量", "購入数", "注文数量", "注文数", "受注数量", "受注数", "販売数量"),
            *("販売数", "売上数量", "商品数", "商品個数"),
        ),
    },
    UNIT_PRICE: {
        "en": (
            *("unit price", "price", "item price", "price per unit", "price each", "price per item"),
            *("lineitem price", "line item price", "item cost", "unit cost", "price paid", "selling price"),
            *("sale price", "sales price", "unit sales price", "unit selling price", "price of one", "net price"),
            *("gross price", "single price", "price unit", "product price", "retail price", "unit price excl vat"),
            *("unit price incl vat", "unit price excl tax"),
        ),
        "de": (
            *("einzelpreis", "stuckpreis", "preis pro stuck", "preis je stuck", "preis stuck", "preis"),
            *("verkaufspreis", "vk preis", "vk", "artikelpreis", "nettopreis", "bruttopreis", "einzelpreis netto"),
            *("einzelpreis brutto", "e preis", "ep", "stuckpreis netto", "stuckpreis brutto"),
        ),
        "fr": (
            *("prix unitaire", "prix unitaire ht", "prix unitaire ttc", "pu", "pu ht", "pu ttc", "prix"),
            *("prix de vente", "prix a l unite", "prix article", "prix produit", "prix par unite", "prix ht"),
            *("prix ttc",),
        ),
        "es": (
            *("precio unitario", "precio por unidad", "precio unidad", "precio", "precio de venta", "precio venta"),
            *("precio articulo", "precio producto", "p unitario", "pvp", "precio neto"),
        ),
        "it": (
            *("prezzo unitario", "prezzo per unita", "prezzo", "prezzo di vendita", "prezzo vendita"),
            *("prezzo articolo", "prezzo prodotto", "prezzo netto", "prezzo unit"),
        ),
        "nl": (
            *("stuksprijs", "eenheidsprijs", "prijs per stuk", "prijs per eenheid", "prijs", "verkoopprijs"),
            *("artikelprijs", "nettoprijs", "productprijs"),
        ),
        "pt": (
            *("preco unitario", "preco por unidade", "preco", "preco de venda", "preco venda", "valor unitario"),
            *("vl unitario", "preco do produto", "preco do item", "preco liquido"),
        ),
        "pl": (
            *("cena jednostkowa", "cena za sztuke", "cena", "cena sprzedazy", "cena jednostkowa netto"),
            *("cena jednostkowa brutto", "cena netto", "cena brutto", "cena produktu", "cena jedn"),
        ),
        "zh": (
            *("单价", "商品单价", "销售单价", "商品价格", "价格", "售价", "产品单价", "成交单价", "單價", "商品單價"),
            *("銷售單價", "商品價格", "價格", "售價", "產品單價"),
        ),
        "ja": (
            *("単価", "販売単価", "商品単価", "売上単価", "価格", "販売価格", "商品価格", "売価", "税込単価"),
            *("税抜単価",),
        ),
    },
    AMOUNT: {
        "en": (
            *("amount", "line amount", "line total", "line value", "line price", "line revenue", "line net amount"),
            *("line amount excl vat", "line amount incl vat", "extended price", "extended amount", "ext price"),
            *("total price", "total amount", "tran amount", "trans amount", "item total", "item amount"),
            *("transaction amount", "transaction value", "txn amount", "dollar value", "sales", "sales value"),
            *("sales amount", "sale amount", "sale value", "sales usd", "revenue", "n revenue", "net revenue"),
            *("gross revenue", "purchase amount", "purchase amount usd", "purchase value", "item subtotal"),
            *("turnover", "spend", "spent", "amount spent", "total spend", "net amount", "net value", "net sales"),
            *("net total", "gross amount", "gross sales", "total sales", "total value", "total revenue"),
            *("product sales", "value", "paid amount", "amount paid", "price total", "subtotal", "total"),
            *("donation amount", "gift amount", "money spent", "sales price total", "gross"),
        ),
        "de": (
            *("betrag", "umsatz", "zeilenbetrag", "positionsbetrag", "positionswert", "positionssumme"),
            *("zeilensumme", "gesamtpreis", "gesamtbetrag", "warenwert", "nettobetrag", "bruttobetrag", "nettowert"),
            *("bruttowert", "netto betrag", "brutto betrag", "nettoumsatz", "bruttoumsatz", "umsatz netto"),
            *("umsatz brutto", "rechnungsbetrag netto", "betrag netto", "betrag brutto", "verkaufswert", "wert"),
            *("summe", "gesamt", "erlos", "brutto", "netto", "kaufbetrag", "gesamtpreis netto", "gesamtpreis brutto"),
        ),
        "fr": (
            *("montant", "montant ligne", "montant de la ligne", "total ligne", "montant ht", "montant ttc"),
            *("montant net", "montant total", "prix total", "total ht", "total ttc", "chiffre d affaires", "ca"),
            *("ca ht", "ca ttc", "valeur", "ventes", "vente", "somme", "total", "montant de la vente"),
            *("montant de l achat", "montant depense"),
        ),
        "es": (
            *("importe", "importe linea", "importe de linea", "importe de la linea", "total linea", "total de linea"),
            *("importe total", "importe neto", "importe bruto", "precio total", "monto", "monto total", "ventas"),
            *("venta", "valor", "valor total", "facturacion", "ingresos", "subtotal", "total", "bruto", "neto"),
            *("importe de venta", "importe de compra"),
        ),
        "it": (
            *("importo", "importo riga", "totale riga", "importo totale", "importo netto", "importo lordo"),
            *("prezzo totale", "vendite", "venduto", "fatturato", "ricavo", "ricavi", "valore", "imponibile"),
            *("subtotale", "totale", "lordo", "netto", "importo vendita", "importo speso"),
        ),
        "nl": (
            *("bedrag", "regelbedrag", "regeltotaal", "totaalbedrag", "totaalprijs", "nettobedrag", "brutobedrag"),
            *("omzet", "netto omzet", "bruto omzet", "verkopen", "waarde", "subtotaal", "totaal", "bruto", "netto"),
            *("bedrag excl btw", "bedrag incl btw"),
        ),
        "pt": (
            *("valor", "valor da linha", "total da linha", "valor total", "valor liquido", "valor bruto"),
            *("preco total", "montante", "vendas", "venda", "faturamento", "faturacao", "receita", "valor da venda"),
            *("valor da compra", "valor gasto", "subtotal", "total", "bruto", "liquido"),
        ),
        "pl": (
            *("kwota", "wartosc", "wartosc pozycji", "kwota pozycji", "wartosc netto", "wartosc brutto"),
            *("kwota netto", "kwota brutto", "wartosc sprzedazy", "sprzedaz", "obrot", "przychod", "laczna cena"),
            *("suma", "razem", "wartosc calkowita", "wartosc laczna", "kwota sprzedazy", "brutto", "netto"),
        ),
        "zh": (
            *("金额", "销售额", "销售金额", "总价", "小计", "总额", "商品总价", "成交金额", "消费金额", "交易金额"),
            *("购买金额", "付款金额", "支付金额", "实付金额", "实收金额", "买家实际支付金额", "应付金额", "净额"),
            *("营业额", "合计", "金額", "銷售額", "銷售金額", "總價", "小計", "總額", "商品總價", "成交金額"),
            *("消費金額", "交易金額", "購買金額", "付款金額", "實付金額", "實收金額", "淨額", "營業額", "合計"),
        ),
        "ja": (
            *("金額", "売上", "売上金額", "売上高", "販売金額", "購入金額", "購買金額", "取引金額", "税込金額"),
            *("税抜金額", "小計", "商品金額", "商品合計", "支払金額", "利用金額", "合計金額", "合計", "総額"),
            *("明細金額",),
        ),
    },
    ORDER_TOTAL: {
        "en": (
            *("order total", "order total amount", "total order amount", "total order value", "order amount"),
            *("order value", "order revenue", "grand total", "g t", "invoice total", "invoice amount"),
            *("invoice value", "basket total", "basket value", "receipt total", "payment value total"),
            *("total payment value", "payment value", "order subtotal", "total paid", "order grand total"),
            *("cart total", "total of order", "order price"),
        ),
        "de": (
            *("bestellwert", "bestellsumme", "bestellbetrag", "auftragswert", "auftragssumme", "auftragsbetrag"),
            *("rechnungsbetrag", "rechnungssumme", "gesamtsumme", "endbetrag", "endsumme", "warenkorbwert"),
            *("bonsumme", "zahlbetrag"),
        ),
        "fr": (
            *("total commande", "total de la commande", "montant commande", "montant de la commande"),
            *("total facture", "montant facture", "montant de la facture", "total general", "total du panier"),
            *("montant du panier", "total paye"),
        ),
        "es": (
            *("total pedido", "total del pedido", "total de pedido", "importe pedido", "importe del pedido"),
            *("total factura", "total de la factura", "importe factura", "total general", "total de la compra"),
            *("total orden", "total pagado", "monto del pedido"),
        ),
        "it": (
            *("totale ordine", "totale dell ordine", "importo ordine", "totale fattura", "importo fattura"),
            *("totale generale", "totale complessivo", "valore ordine", "totale scontrino", "totale pagato"),
        ),
        "nl": (
            *("ordertotaal", "bestelbedrag", "orderbedrag", "totaal bestelling", "factuurbedrag", "factuurtotaal"),
            *("eindtotaal", "orderwaarde", "bestelwaarde", "bontotaal"),
        ),
        "pt": (
            *("total do pedido", "total pedido", "valor do pedido", "valor total do pedido", "total da encomenda"),
            *("valor da encomenda", "total da fatura", "valor da fatura", "total geral", "total pago"),
            *("valor da nota",),
        ),
        "pl": (
            *("wartosc zamowienia", "kwota zamowienia", "suma zamowienia", "razem zamowienie", "wartosc faktury"),
            *("kwota faktury", "suma faktury", "suma calkowita", "do zaplaty", "kwota do zaplaty", "laczna kwota"),
            *("wartosc koszyka",),
        ),
        "zh": (
            *("订单金额", "订单总额", "订单总价", "订单总金额", "发票金额", "总金额", "订单实付金额", "訂單金額"),
            *("訂單總額", "訂單總價", "訂單總金額", "發票金額", "總金額", "訂單實付金額"),
        ),
        "ja": (
            *("注文合計", "注文金額", "注文合計金額", "受注金額", "受注合計", "請求金額", "請求合計", "請求額"),
            *("お支払い合計", "総合計", "総計", "注文総額", "伝票合計"),
        ),
    },
    PRODUCT_ID: {
        "en": (
            *("product id", "stock code", "sku", "item id", "product code", "item code", "item number", "item no"),
            *("article id", "article", "article number", "article code", "lineitem sku", "line item sku", "item sku"),
            *("product sku", "variant id", "variant sku", "product no", "product number", "product key"),
            *("article no", "material", "material number", "part number", "upc", "ean", "barcode", "gtin", "asin"),
            *("isbn", "plu"),
        ),
        "de": (
            *("artikelnummer", "artikelnr", "artikel nr", "art nr", "artnr", "artikel id", "artikelcode"),
            *("produktnummer", "produktnr", "produkt id", "produktcode", "materialnummer", "materialnr", "material"),
            *("warennummer", "bestellartikel"),
        ),
        "fr": (
            *("reference produit", "ref produit", "code produit", "id produit", "code article", "reference article"),
            *("ref article", "id article", "numero d article", "n article", "code barres", "identifiant produit"),
        ),
        "es": (
            *("id producto", "id de producto", "id del producto", "codigo de producto", "codigo producto"),
            *("cod producto", "codigo articulo", "codigo de articulo", "referencia producto", "referencia articulo"),
            *("id articulo", "codigo de barras", "numero de articulo"),
        ),
        "it": (
            *("id prodotto", "codice prodotto", "cod prodotto", "codice articolo", "cod articolo", "id articolo"),
            *("riferimento prodotto", "codice a barre", "numero articolo"),
        ),
        "nl": (
            *("artikelnummer", "artikelnr", "artikelcode", "artikel id", "productnummer", "productcode"),
            *("product id", "productnr", "streepjescode"),
        ),
        "pt": (
            *("id produto", "id do produto", "codigo do produto", "codigo produto", "cod produto"),
            *("codigo do artigo", "codigo do item", "referencia do produto", "codigo de barras", "id do item"),
        ),
        "pl": (
            *("id produktu", "kod produktu", "numer produktu", "nr produktu", "symbol produktu", "kod towaru"),
            *("symbol towaru", "indeks", "symbol", "id towaru", "kod kreskowy", "numer artykulu"),
        ),
        "zh": (
            *("商品编号", "商品id", "商品编码", "商品代码", "产品编号", "产品id", "产品代码", "产品编码", "货号"),
            *("款号", "物料编号", "物料编码", "商家编码", "条码", "商品编码sku", "商品編號", "商品編碼", "商品代碼"),
            *("商品料號", "產品編號", "產品id", "產品代碼", "貨號", "料號", "條碼", "品號"),
        ),
        "ja": (
            *("商品id", "商品コード", "商品番号", "商品no", "品番", "型番", "商品管理番号", "製品コード"),
            *("品目コード", "janコード", "jan", "アイテムコード", "アイテムid"),
        ),
    },
    DESCRIPTION: {
        "en": (
            *("description", "product name", "product", "item name", "item", "lineitem name", "line item name"),
            *("product title", "article name", "item title", "product description", "item description"),
            *("product category name", "product category", "product categories", "category", "item category"),
            *("category name", "product line", "item type", "product type", "department", "material description"),
            *("sub category", "products"),
        ),
        "de": (
            *("bezeichnung", "beschreibung", "artikelbezeichnung", "artikelname", "artikelbeschreibung", "artikel"),
            *("produktname", "produktbezeichnung", "produkt", "produktbeschreibung", "ware", "warengruppe"),
            *("kategorie", "produktkategorie", "artikelgruppe", "materialbezeichnung", "artikeltext"),
            *("produktgruppe",),
        ),
        "fr": (
            *("designation", "description", "libelle", "nom du produit", "nom produit", "produit", "article"),
            *("nom de l article", "libelle article", "libelle produit", "description produit", "categorie"),
            *("categorie produit", "famille", "rayon"),
        ),
        "es": (
            *("descripcion", "nombre del producto", "nombre producto", "nombre de producto", "producto", "articulo"),
            *("nombre del articulo", "nombre articulo", "descripcion del producto", "descripcion producto"),
            *("descripcion articulo", "categoria", "categoria de producto", "familia"),
        ),
        "it": (
            *("descrizione", "nome prodotto", "prodotto", "articolo", "nome articolo", "descrizione articolo"),
            *("descrizione prodotto", "categoria", "categoria prodotto", "reparto"),
        ),
        "nl": (
            *("omschrijving", "beschrijving", "productnaam", "artikelnaam", "product", "artikel"),
            *("artikelomschrijving", "productomschrijving", "categorie", "productcategorie", "artikelgroep"),
            *("productgroep",),
        ),
        "pt": (
            *("descricao", "nome do produto", "produto", "artigo", "item", "nome do artigo", "nome do item"),
            *("descricao do produto", "descricao do item", "categoria", "categoria do produto", "departamento"),
        ),
        "pl": (
            *("opis", "nazwa produktu", "produkt", "towar", "nazwa towaru", "nazwa", "nazwa artykulu", "artykul"),
            *("opis produktu", "kategoria", "kategoria produktu", "grupa towarowa"),
        ),
        "zh": (
            *("商品名称", "商品名", "产品名称", "产品名", "宝贝标题", "宝贝名称", "商品标题", "货品名称", "品名"),
            *("商品", "产品", "商品类别", "商品分类", "产品类别", "品类", "类别", "类目", "描述", "商品描述"),
            *("商品名稱", "產品名稱", "產品名", "貨品名稱", "產品", "商品類別", "商品分類", "產品類別", "類別"),
            *("分類", "說明"),
        ),
        "ja": (
            *("商品名", "商品名称", "品名", "製品名", "アイテム名", "商品", "商品説明", "品目", "品目名", "カテゴリ"),
            *("カテゴリー", "商品カテゴリ", "商品カテゴリー", "商品分類", "部門", "説明"),
        ),
    },
    COUNTRY: {
        "en": (
            *("country", "country name", "customer country", "shipping country", "billing country", "country code"),
            *("country code shipping", "country code billing", "country shipping", "country billing"),
            *("shipping country code", "shipping country name", "billing country name", "billing country code"),
            *("ship country", "ship to country", "bill to country", "delivery country", "region", "market"),
            *("customer state", "state", "customer region", "territory", "nation", "sales region"),
        ),
        "de": (
            *("land", "kundenland", "lieferland", "rechnungsland", "versandland", "landesname", "landercode"),
            *("landescode", "landerkurzel", "landkurzel", "laendercode", "empfangerland", "region", "bundesland"),
            *("markt",),
        ),
        "fr": (
            *("pays", "pays client", "pays du client", "pays de livraison", "pays livraison", "pays de facturation"),
            *("pays facturation", "code pays", "region", "marche"),
        ),
        "es": (
            *("pais", "pais cliente", "pais del cliente", "pais de envio", "pais envio", "pais de facturacion"),
            *("pais de entrega", "codigo de pais", "codigo pais", "region", "mercado"),
        ),
        "it": (
            *("paese", "nazione", "paese cliente", "paese di spedizione", "paese spedizione"),
            *("paese di fatturazione", "paese fatturazione", "codice paese", "stato nazione", "regione", "mercato"),
        ),
        "nl": (
            *("land", "land klant", "verzendland", "factuurland", "leverland", "bezorgland", "landcode", "regio"),
            *("markt",),
        ),
        "pt": (
            *("pais", "pais do cliente", "pais de entrega", "pais de envio", "pais de faturacao", "pais de cobranca"),
            *("codigo do pais", "regiao", "uf", "mercado"),
        ),
        "pl": (
            *("kraj", "panstwo", "kraj klienta", "kraj dostawy", "kraj wysylki", "kod kraju", "region"),
            *("wojewodztwo", "rynek"),
        ),
        "zh": (
            *("国家", "国家地区", "国家或地区", "收货国家", "客户国家", "国家代码", "国别", "地区", "区域", "國家"),
            *("國家地區", "國家或地區", "收件國家", "客戶國家", "國家代碼", "國別", "地區", "區域"),
        ),
        "ja": ("国", "国名", "国コード", "配送先国", "請求先国", "顧客国", "国地域", "国または地域", "地域", "市場"),
    },
    CURRENCY: {
        "en": (
            *("currency", "currency code", "order currency", "order currency code", "iso currency code"),
            *("presentment currency", "transaction currency", "invoice currency", "curr", "currency iso"),
            *("currency symbol", "payment currency", "sales currency"),
        ),
        "de": (
            *("wahrung", "wahrungscode", "wahrungsschlussel", "wahrungskennzeichen", "bestellwahrung"),
            *("belegwahrung", "wahrg", "whrg", "wrg", "waehrung"),
        ),
        "fr": ("devise", "code devise", "monnaie", "devise de la commande", "code monnaie"),
        "es": (
            *("moneda", "divisa", "codigo de moneda", "codigo moneda", "codigo de divisa", "codigo divisa"),
            *("moneda del pedido",),
        ),
        "it": ("valuta", "codice valuta", "divisa", "valuta ordine"),
        "nl": ("valuta", "valutacode", "munteenheid", "munt"),
        "pt": ("moeda", "codigo da moeda", "codigo moeda", "moeda do pedido", "divisa"),
        "pl": ("waluta", "kod waluty", "waluta zamowienia", "symbol waluty"),
        "zh": (
            *("货币", "币种", "币别", "货币代码", "订单货币", "交易货币", "貨幣", "幣別", "幣種", "貨幣代碼"),
            *("訂單幣別", "訂單貨幣"),
        ),
        "ja": ("通貨", "通貨コード", "取引通貨", "注文通貨", "貨幣"),
    },
    STATUS: {
        "en": (
            *("order status", "status", "financial status", "payment status", "transaction status", "invoice status"),
            *("sale status", "sales status", "order state", "order status name", "item status", "line status"),
            *("document status", "current state", "state", "order status code", "status name", "purchase status"),
            *("order stage",),
        ),
        "de": (
            *("bestellstatus", "auftragsstatus", "status", "zahlungsstatus", "rechnungsstatus", "belegstatus"),
            *("bestellzustand", "zustand", "transaktionsstatus", "status der bestellung", "verkaufsstatus"),
            *("positionsstatus",),
        ),
        "fr": (
            *("statut de la commande", "statut commande", "statut de commande", "etat de la commande"),
            *("etat commande", "statut", "etat", "statut du paiement", "statut de paiement", "statut paiement"),
            *("etat du paiement", "etat de paiement", "statut facture", "statut de la facture"),
            *("statut de la transaction",),
        ),
        "es": (
            *("estado del pedido", "estado de pedido", "estado pedido", "estado", "estatus", "estado del pago"),
            *("estado de pago", "estado pago", "estado factura", "estado de la factura", "estado de la transaccion"),
            *("estado de la orden", "situacion"),
        ),
        "it": (
            *("stato ordine", "stato dell ordine", "stato", "stato pagamento", "stato del pagamento"),
            *("stato fattura", "stato transazione", "stato documento"),
        ),
        "nl": (
            *("bestelstatus", "orderstatus", "status", "betaalstatus", "betalingsstatus", "factuurstatus"),
            *("transactiestatus", "status bestelling"),
        ),
        "pt": (
            *("status do pedido", "estado da encomenda", "estado do pedido", "situacao do pedido", "status"),
            *("estado", "situacao", "status do pagamento", "status de pagamento", "estado do pagamento"),
            *("situacao do pagamento", "status da transacao", "status da venda"),
        ),
        "pl": (
            *("status zamowienia", "stan zamowienia", "status", "stan", "status platnosci", "status transakcji"),
            *("status faktury", "stan realizacji", "status realizacji"),
        ),
        "zh": (
            *("订单状态", "交易状态", "状态", "支付状态", "付款状态", "发票状态", "单据状态", "訂單狀態", "交易狀態"),
            *("狀態", "付款狀態", "支付狀態", "發票狀態", "單據狀態"),
        ),
        "ja": (
            *("注文ステータス", "注文状態", "注文状況", "受注ステータス", "受注状態", "受注状況", "ステータス"),
            *("状態", "状況", "支払状況", "支払いステータス", "入金状況", "決済ステータス", "決済状況", "取引状況"),
            *("取引状態", "取引ステータス"),
        ),
    },
    CANCELLED_AT: {
        "en": (
            *("cancelled at", "canceled at", "cancelled timestamp", "canceled timestamp", "cancelled on"),
            *("canceled on", "cancelled date", "canceled date", "cancellation date", "cancel date", "date cancelled"),
            *("date canceled", "cancelled", "canceled", "is cancelled", "is canceled", "order cancelled"),
            *("order canceled", "voided at", "voided", "is voided", "is void", "void", "is deleted", "deleted"),
            *("deleted at", "cancellation"),
        ),
        "de": (
            *("storniert am", "stornodatum", "storno am", "storniert", "storno", "stornokennzeichen"),
            *("ist storniert", "annulliert", "annulliert am", "geloscht", "geloscht am"),
        ),
        "fr": (
            *("annule le", "date d annulation", "date annulation", "annule", "annulee", "est annule", "est annulee"),
            *("annulation", "supprime", "supprime le"),
        ),
        "es": (
            *("cancelado el", "anulado el", "fecha de cancelacion", "fecha cancelacion", "fecha de anulacion"),
            *("cancelado", "cancelada", "anulado", "anulada", "eliminado"),
        ),
        "it": (
            *("annullato il", "data annullamento", "data di annullamento", "annullato", "cancellato"),
            *("cancellato il", "stornato"),
        ),
        "nl": ("geannuleerd op", "annuleringsdatum", "annuleerdatum", "geannuleerd", "is geannuleerd", "verwijderd"),
        "pt": (
            *("cancelado em", "anulado em", "data de cancelamento", "data do cancelamento", "data cancelamento"),
            *("cancelado", "cancelada", "anulado", "excluido"),
        ),
        "pl": ("anulowano", "data anulowania", "anulowane", "anulowany", "czy anulowane", "usuniete"),
        "zh": (
            *("取消时间", "取消日期", "订单取消时间", "已取消", "是否取消", "是否作废", "作废", "取消時間"),
            *("訂單取消時間", "是否作廢", "作廢"),
        ),
        "ja": (
            *("キャンセル日", "キャンセル日時", "キャンセル", "キャンセル済", "キャンセル済み", "キャンセルフラグ"),
            *("取消日", "取消日時", "取消フラグ", "取消", "削除フラグ"),
        ),
    },
    IS_TEST: {
        "en": (
            *("is test", "is test order", "test order", "test mode", "is testing", "sandbox", "is sandbox"),
            *("test flag", "is demo"),
        ),
        "de": (
            *("testbestellung", "ist test", "ist testbestellung", "testauftrag", "testmodus"),
            *("testkennzeichen",),
        ),
        "fr": ("commande test", "commande de test", "est test", "est un test"),
        "es": ("pedido de prueba", "es prueba", "orden de prueba"),
        "it": ("ordine di prova", "e prova", "ordine di test"),
        "nl": ("testbestelling", "is test", "testorder"),
        "pt": ("pedido de teste", "e teste", "encomenda de teste"),
        "pl": ("zamowienie testowe", "czy testowe"),
        "zh": ("测试订单", "是否测试", "測試訂單", "是否測試"),
        "ja": ("テスト注文", "テストフラグ", "テスト受注"),
    },
    LINE_TYPE: {
        "en": (
            *("line type", "document type", "transaction type", "doc type", "type", "row type", "record type"),
            *("order type", "sale type", "sales type", "entry type", "event type", "event name", "event"),
            *("billing type", "invoice type", "operation type", "movement type", "voucher type", "action"),
            *("activity type", "sales document type"),
        ),
        "de": (
            *("belegart", "zeilenart", "dokumentart", "dokumenttyp", "belegtyp", "vorgangsart", "transaktionstyp"),
            *("transaktionsart", "positionsart", "buchungsart", "fakturaart", "rechnungsart", "auftragsart"),
            *("verkaufsbelegart", "typ", "art", "zeilentyp"),
        ),
        "fr": (
            *("type de document", "type document", "type de ligne", "type ligne", "type de transaction"),
            *("type de piece", "type piece", "type d operation", "nature", "type de facture", "type de vente"),
        ),
        "es": (
            *("tipo de documento", "tipo documento", "tipo de linea", "tipo de transaccion", "tipo de operacion"),
            *("tipo de comprobante", "tipo de factura", "tipo de movimiento", "tipo", "tipo de venta"),
        ),
        "it": (
            *("tipo documento", "tipo di documento", "tipo riga", "tipo transazione", "tipo di transazione"),
            *("tipo operazione", "tipo movimento", "tipo fattura", "causale", "tipo"),
        ),
        "nl": (
            *("documenttype", "documentsoort", "regeltype", "transactietype", "soort", "boekingssoort"),
            *("factuursoort", "ordersoort", "type transactie"),
        ),
        "pt": (
            *("tipo de documento", "tipo documento", "tipo de linha", "tipo de transacao", "tipo de operacao"),
            *("tipo de movimento", "tipo de fatura", "tipo", "tipo de venda"),
        ),
        "pl": (
            *("typ dokumentu", "rodzaj dokumentu", "typ pozycji", "typ transakcji", "rodzaj transakcji"),
            *("typ operacji", "rodzaj", "typ"),
        ),
        "zh": (
            *("单据类型", "交易类型", "订单类型", "行类型", "业务类型", "发票类型", "类型", "事件类型", "行为类型"),
            *("單據類型", "單據類別", "交易類型", "訂單類型", "發票類型", "類型", "行為類型"),
        ),
        "ja": (
            *("伝票種別", "伝票区分", "取引種別", "取引区分", "取引種類", "明細区分", "明細種別", "注文種別"),
            *("売上区分", "書類種別", "種別", "種類", "区分"),
        ),
    },
    REFUNDED_AMOUNT: {
        "en": (
            *("refunded amount", "amount refunded", "refund amount", "total refunded", "refund total"),
            *("refunded total", "order refund total", "order refund amount", "amount refunded usd", "refunded"),
            *("refunds", "returned amount", "return amount", "amount returned", "refund value", "refund"),
            *("item refunded", "total refund", "total refunds"),
        ),
        "de": (
            *("erstatteter betrag", "erstattungsbetrag", "betrag erstattet", "ruckerstattung"),
            *("ruckerstattungsbetrag", "ruckerstatteter betrag", "erstattung", "erstattungen", "erstattet"),
            *("gutschriftbetrag", "gutschriftsbetrag", "retourenwert", "retourenbetrag"),
        ),
        "fr": (
            *("montant rembourse", "montant du remboursement", "montant remboursement", "total rembourse"),
            *("remboursement", "remboursements", "rembourse"),
        ),
        "es": (
            *("importe reembolsado", "importe del reembolso", "importe reembolso", "importe devuelto"),
            *("monto reembolsado", "total reembolsado", "reembolso", "reembolsado", "devolucion", "devoluciones"),
        ),
        "it": (
            *("importo rimborsato", "importo rimborso", "importo del rimborso", "totale rimborsato", "rimborso"),
            *("rimborsi", "rimborsato"),
        ),
        "nl": (
            *("terugbetaald bedrag", "bedrag terugbetaald", "terugbetaling", "terugbetalingen"),
            *("totaal terugbetaald", "restitutie", "retourbedrag"),
        ),
        "pt": (
            *("valor reembolsado", "valor do reembolso", "valor estornado", "valor devolvido", "total reembolsado"),
            *("reembolso", "estorno", "devolucao"),
        ),
        "pl": (
            *("kwota zwrotu", "zwrocona kwota", "kwota zwrocona", "wartosc zwrotu", "zwrot", "zwroty"),
            *("suma zwrotow",),
        ),
        "zh": (
            *("退款金额", "退货金额", "已退款金额", "退款总额", "退款", "退款金額", "退貨金額", "已退款金額"),
            *("退款總額",),
        ),
        "ja": ("返金額", "返金金額", "返金合計", "払戻金額", "払戻額", "返品金額", "返金"),
    },
    DISCOUNT: {
        "en": (
            *("discount amount", "order discount", "discount total", "total discount", "total discounts"),
            *("cart discount", "cart discount amount", "lineitem discount", "line discount", "line discount amount"),
            *("item discount", "discount value", "coupon amount", "promo discount", "order discount amount"),
            *("invoice discount", "rebate amount", "discounts"),
        ),
        "de": (
            *("rabattbetrag", "rabatt betrag", "nachlass", "rabattsumme", "gesamtrabatt", "gutscheinbetrag"),
            *("gutscheinwert", "preisnachlass", "positionsrabatt"),
        ),
        "fr": (
            *("montant remise", "montant de la remise", "montant de remise", "montant de la reduction"),
            *("montant reduction", "total remise", "total remises", "total des remises"),
        ),
        "es": (
            *("importe descuento", "importe de descuento", "importe del descuento", "monto de descuento"),
            *("monto descuento", "total descuento", "total descuentos"),
        ),
        "it": ("importo sconto", "totale sconto", "totale sconti", "importo dello sconto", "valore sconto"),
        "nl": ("kortingsbedrag", "totale korting", "bedrag korting", "kortingswaarde"),
        "pt": (
            *("valor do desconto", "valor desconto", "valor de desconto", "total de desconto", "total de descontos"),
            *("total desconto",),
        ),
        "pl": ("kwota rabatu", "wartosc rabatu", "suma rabatow", "kwota znizki"),
        "zh": ("折扣金额", "优惠金额", "订单优惠", "优惠总额", "折扣金額", "優惠金額", "優惠總額", "訂單折扣"),
        "ja": ("値引額", "値引き額", "割引額", "割引金額", "値引金額", "クーポン値引額", "クーポン利用額"),
    },
    UNIT_COST: {
        "en": (
            *("cost price", "unit cost price", "unit cost", "cost per unit", "cost per item", "cost each"),
            *("standard cost", "product standard cost", "landed cost", "unit cogs", "cogs per unit"),
        ),
        "de": ("einkaufspreis", "ek preis", "ek", "ek netto", "einkaufspreis netto", "einstandspreis"),
        "fr": ("prix d achat", "prix achat", "prix de revient", "cout unitaire", "prix d achat unitaire"),
        "es": ("coste unitario", "costo unitario", "precio de coste", "precio de costo"),
        "it": ("costo unitario", "prezzo di costo", "prezzo di acquisto", "prezzo d acquisto"),
        "nl": ("inkoopprijs", "inkoopsprijs", "kostprijs"),
        "pt": ("custo unitario", "preco de custo", "custo por unidade"),
        "pl": ("cena zakupu", "koszt jednostkowy"),
        "zh": ("进价", "进货价", "采购价", "单位成本", "成本价", "進價", "進貨價", "單位成本", "成本價"),
        "ja": ("仕入単価", "原価単価", "仕入れ単価", "仕入価格", "仕入値"),
    },
    COST: {
        "en": (
            *("cogs", "cost of goods sold", "cost of goods", "cost of sales", "total cogs", "line cogs"),
            *("cogs amount", "total product cost", "extended cost"),
        ),
        "de": ("wareneinsatz", "wareneinstand", "wareneinstandswert", "einkaufswert", "ek gesamt"),
        "fr": ("cout des ventes", "cout des marchandises vendues"),
        "es": ("coste de ventas", "costo de ventas", "coste de la mercancia vendida", "costo de la mercancia vendida"),
        "it": ("costo del venduto", "costo delle vendite"),
        "nl": ("inkoopwaarde", "kostprijs verkopen", "kostprijs omzet"),
        "pt": ("custo das vendas", "custo da mercadoria vendida", "cmv"),
        "pl": ("koszt wlasny sprzedazy", "wartosc zakupu"),
        "zh": ("销售成本", "成本金额", "商品成本", "銷售成本", "成本金額"),
        "ja": ("売上原価", "原価金額", "原価合計"),
    },
    CUSTOMER_NAME: {
        "en": (
            *("customer name", "cust name", "billing name", "bill to name", "sell to customer name", "ship to name"),
            *("buyer name", "client name", "customer full name", "full name", "recipient name", "shipping name"),
            *("cardholder", "customer last name", "last name", "account name", "company name", "member name"),
            *("user name", "username", "company"),
        ),
        "de": (
            *("kundenname", "name des kunden", "name kunde", "rechnungsname", "kaufername", "debitorname"),
            *("debitorenname", "nachname", "firma", "name des kaufers", "vor und nachname", "empfanger"),
        ),
        "fr": (
            *("nom du client", "nom client", "nom complet", "nom de l acheteur", "raison sociale"),
            *("nom de facturation", "nom de famille", "nom"),
        ),
        "es": (
            *("nombre del cliente", "nombre cliente", "nombre de cliente", "nombre completo", "razon social"),
            *("nombre del comprador", "apellidos", "nombre"),
        ),
        "it": (
            *("nome cliente", "nome del cliente", "nome completo", "ragione sociale", "nome acquirente", "cognome"),
            *("nominativo",),
        ),
        "nl": (
            *("klantnaam", "naam klant", "naam van de klant", "volledige naam", "bedrijfsnaam", "achternaam"),
            *("naam koper", "naam"),
        ),
        "pt": ("nome do cliente", "nome cliente", "nome completo", "razao social", "nome do comprador", "nome"),
        "pl": ("nazwa klienta", "imie i nazwisko", "nazwisko", "nazwa kontrahenta", "nazwa nabywcy", "nabywca nazwa"),
        "zh": (
            *("客户姓名", "客户名称", "客户名", "姓名", "买家姓名", "收货人姓名", "收货人", "会员姓名", "会员名称"),
            *("客戶姓名", "客戶名稱", "客戶名", "買家姓名", "收件人姓名", "收件人", "會員姓名"),
        ),
        "ja": (
            *("顧客名", "お客様名", "氏名", "得意先名", "取引先名", "購入者名", "注文者名", "注文者氏名", "会員名"),
            *("名前", "お名前", "会社名"),
        ),
    },
}

#: Headings of e-mail addresses: they tell customers apart where no number does.
EMAILS: _ByLanguage = {
    "en": (
        *("customer email", "email billing", "billing email", "buyer email", "email address", "email", "e mail"),
        *("e mail address", "mail", "customer e mail", "contact email", "user email", "customer email address"),
        *("from email address", "payer email", "client email"),
    ),
    "de": (
        *("kunden e mail", "kundenemail", "e mail adresse", "email adresse", "mailadresse"),
        *("absender e mail adresse", "rechnungs e mail", "kunden email"),
    ),
    "fr": (
        *("email client", "adresse e mail", "adresse email", "e mail client", "courriel", "adresse mail"),
        *("adresse electronique", "mail client"),
    ),
    "es": (
        *("correo electronico", "correo", "email del cliente", "email cliente", "correo del cliente"),
        *("direccion de correo", "direccion de correo electronico"),
    ),
    "it": ("email cliente", "indirizzo email", "indirizzo e mail", "posta elettronica", "e mail cliente"),
    "nl": ("e mailadres", "emailadres", "e mail klant", "email klant"),
    "pt": ("email do cliente", "e mail do cliente", "endereco de email", "endereco de e mail", "correio eletronico"),
    "pl": ("adres e mail", "adres email", "email klienta", "e mail klienta", "e mail kupujacego"),
    "zh": ("邮箱", "电子邮箱", "电子邮件", "客户邮箱", "買家信箱", "電子郵件", "電子信箱", "信箱", "電郵"),
    "ja": ("メールアドレス", "メール", "eメール", "顧客メールアドレス", "emailアドレス", "注文者メールアドレス"),
}

#: Words beside a name of the field that make a heading mean something else: Customer Type is no customer.
_OTHER_MEANING: _ByLanguage = {
    CUSTOMER_ID: (
        *("type", "group", "segment", "name", "city", "state", "country", "region", "since", "phone", "address"),
        *("note", "notes", "score", "age", "gender", "tier", "level", "status", "zip", "postcode", "postal"),
        *("street", "date", "rating", "lifetime", "value", "count", "orders", "location", "category", "message"),
        *("satisfaction", "typ", "gruppe", "nom", "ville", "tipo", "nombre", "ciudad", "citta", "nome", "naam"),
        *("stad", "cidade", "miasto", "agent", "service", "class", "title", "birth", "income", "support", "source"),
        *("rep", "tax", "vat", "ip"),
    ),
    ORDER_ID: (
        *("date", "time", "status", "total", "amount", "type", "value", "quantity", "qty", "priority", "mode"),
        *("price", "channel", "source", "line", "item", "currency", "customer", "month", "year", "day", "discount"),
        *("tax", "note", "state", "country", "size", "number of", "count", "notes", "name", "method", "address"),
        *("city", "email"),
    ),
    ORDER_DATE: (
        *("ship", "shipping", "shipped", "delivery", "delivered", "due", "birth", "signup", "registration"),
        *("registered", "updated", "update", "modified", "cancelled", "canceled", "refund", "refunded", "expiry"),
        *("return", "returned", "carrier", "estimated", "approved", "limit", "review", "first", "last", "joined"),
        *("start", "end", "promise", "type", "zone", "format", "versand", "lieferung", "livraison", "envio"),
        *("entrega", "consegna", "verzending", "dispatch", "fulfilled", "join", "anniversary", "required"),
        *("requested", "year", "month", "week", "quarter"),
    ),
    QUANTITY: (
        *("returned", "refunded", "refund", "return", "stock", "available", "cancelled", "canceled", "shipped"),
        *("hand", "backordered", "minimum", "price", "cost", "id", "no", "number", "name", "unit", "discount"),
        *("delivered",),
    ),
    UNIT_PRICE: (
        *("compare", "cost", "shipping", "freight", "tax", "list", "old", "original", "purchase", "discount"),
        *("total", "point", "range", "category", "group", "type", "tier", "sum", "before", "regular", "designation"),
        *("gift",),
    ),
    AMOUNT: (
        *("tax", "vat", "shipping", "freight", "discount", "discounts", "refund", "refunded", "fee", "fees", "tip"),
        *("tips", "due", "balance", "points", "credit", "gift", "handling", "cost", "profit", "margin", "commission"),
        *("coupon", "person", "rep", "channel", "outstanding", "remaining", "promotion", "duties", "mwst", "steuer"),
        *("tva", "iva", "btw", "orders", "items", "quantity", "qty", "count", "days", "weight", "loyalty", "type"),
        *("date", "id", "versand", "rabatt", "livraison", "remise", "frachtkosten", "envio", "descuento", "frete"),
        *("desconto", "korting"),
    ),
    ORDER_TOTAL: ("tax", "discount", "refund", "shipping", "quantity", "qty", "items", "weight", "count"),
}

#: Words beside any name that make a value one of many lines, or of none yet.
_OF_MANY = (
    *("average", "avg", "mean", "median", "min", "minimum", "max", "maximum", "first", "last", "previous", "next"),
    *("lifetime", "cumulative", "running", "expected", "target", "budget", "forecast", "since", "until", "predicted"),
)
#: A discount of which the heading does not say whether it is money, a share, or taken off already.
_BARE_DISCOUNT: _ByLanguage = {
    "en": ("discount", "disc", "rebate", "coupon value", "promo value"),
    "de": ("rabatt", "skonto"),
    "fr": ("remise", "reduction", "rabais"),
    "es": ("descuento", "dto"),
    "it": ("sconto", "sconti"),
    "nl": ("korting",),
    "pt": ("desconto", "descontos"),
    "pl": ("rabat", "znizka"),
    "zh": ("折扣", "优惠", "優惠"),
    "ja": ("割引", "値引", "値引き"),
}

#: A cost of which the heading does not say whether it is the shop's or the customer's, of one item or of a line.
_BARE_COST: _ByLanguage = {
    "en": (
        *("cost", "costs", "total cost", "line cost", "item cost", "cost amount", "product cost", "purchase price"),
        *("buying price", "wholesale price"),
    ),
    "de": ("kosten",),
    "fr": ("cout", "cout total"),
    "es": ("coste", "costo", "coste total", "costo total", "precio de compra"),
    "it": ("costo", "costo totale"),
    "nl": ("kosten",),
    "pt": ("custo", "custo total"),
    "pl": ("koszt",),
    "zh": ("成本",),
    "ja": ("原価",),
}

#: Words of headings whose values come again as those of customers do.
_NO_CUSTOMER = frozenset(
    (
        *("branch", "store", "shop", "location", "city", "state", "region", "country", "category", "line", "type"),
        *("payment", "method", "gender", "sex", "age", "channel", "status", "segment", "size", "color", "colour"),
        *("brand", "product", "item", "cashier", "register", "warehouse", "rating", "row", "index", "time", "hour"),
        *("month", "year", "weekday", "day", "tax", "discount", "supplier", "vendor", "employee", "salesperson"),
        *("filiale", "kasse", "stadt", "artikel", "zahlung", "magasin", "ville", "paiement", "tienda", "ciudad"),
        *("pago", "negozio", "citta", "pagamento", "winkel", "betaling", "loja", "cidade", "sklep", "miasto"),
    )
)

_BRACKETS = re.compile(r"\s*[(\[{（【][^)\]}）】]*[)\]}）】]")
_UNITS = frozenset(("eur", "usd", "gbp", "chf", "pln", "jpy", "cny", "brl", "cad", "aud", "inr", "utc"))
_NUMBER = frozenset(("n", "no", "nr", "num", "nro", "numer"))  # as N° and Nº are folded
_WITH_TAX = re.compile(r" (?:inc|incl|including|ex|excl|excluding|with|without) (?:tax|vat|gst|mwst|ust|tva|iva|btw)$")


def plain(name: str) -> str:
    """A column's name without case, accents, spaces and punctuation."""
    return folded(name).replace(" ", "")


def find_named(field: str, columns: Sequence[str]) -> Iterator[tuple[int, bool]]:
    """The places of columns whose whole heading is a name of the field, the likeliest name first.

    What stands in brackets, a unit or currency behind the name, and "order" or "line" before it make no difference
    where nothing else has the name; the second value tells whether the heading is the bare name.
    """
    ranks = _ranks(field)
    found = []
    for place, column in enumerate(columns):
        for step, form in enumerate(_forms(column)):
            if form in ranks:
                found.append((ranks[form], step, place))
            if form in _all_names():  # what is left of it in the next steps would mean something else
                break
    for _, step, place in sorted(found):
        yield place, step == 0


def find_containing(field: str, columns: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The places of columns whose heading has a name of the field as whole words among others, the longest name first.

    The second value is that name. Headings with a word that makes them mean something else are left out.
    """
    others = {*_OTHER_MEANING.get(field, ()), *_OF_MANY}
    found = []
    for place, column in enumerate(columns):
        words = f" {folded(column)} "
        if not others & set(words.split()) and not any(form in _all_names() for form in _forms(column)):
            names = [name for name in _names(field) if f" {name} " in words]
            if names:
                best = max(names, key=lambda name: (name.count(" "), len(name)))
                found.append((-best.count(" "), -len(best), place, best))
    for _, _, place, name in sorted(found):
        yield place, name


def is_email_name(column: str) -> bool:
    """Whether a heading is one of e-mail addresses."""
    known = {plain(name) for names in EMAILS.values() for name in names}
    return any(form in known for form in _forms(column))


def is_other_name(column: str) -> bool:
    """Whether a heading is one of what is never the customer, such as a branch or a kind of payment."""
    return bool(_NO_CUSTOMER & set(folded(column).split())) or any(form in _all_names() for form in _forms(column))


def is_discount_name(column: str) -> bool:
    """Whether a heading is one of discounts, of money or not."""
    known = {
        plain(name) for group in (KNOWN_NAMES[DISCOUNT], _BARE_DISCOUNT) for names in group.values() for name in names
    }
    return any(form in known for form in _forms(column))


def is_cost_name(column: str) -> bool:
    """Whether a heading may be one of what goods cost the shop, of an item or of a line."""
    known = {
        plain(name)
        for group in (KNOWN_NAMES[UNIT_COST], KNOWN_NAMES[COST], _BARE_COST)
        for names in group.values()
        for name in names
    }
    return any(form in known for form in _forms(column))


@lru_cache(maxsize=2048)
def _forms(column: str) -> tuple[str, ...]:
    """A heading as it is compared: whole, without brackets, without a unit behind, without order or line before."""
    bare = without_currency(_BRACKETS.sub("", column) or column)
    words = _WITH_TAX.sub("", folded(bare)).split()
    while len(words) > 1 and words[-1] in _UNITS:
        words = words[:-1]
    forms = [plain(column), plain(bare), "".join(words)]
    if len(words) > 1 and words[0] in _NUMBER:
        forms.append("".join(("numero", *words[1:])))
    if len(words) > 1 and words[0] in ("order", "line", "lineitem", "item", "sales", "transaction", "n"):
        forms.append("".join(words[1:]))
    return tuple(dict.fromkeys(form for form in forms if form))


@cache
def _all_names() -> frozenset[str]:
    """The names of all fields, without blanks."""
    return frozenset(name for field in KNOWN_NAMES for name in _ranks(field))


@cache
def _names(field: str) -> tuple[str, ...]:
    extra = EMAILS if field in (CUSTOMER_ID, CUSTOMER_NAME) else {}
    return tuple(
        dict.fromkeys(name for group in (KNOWN_NAMES[field], extra) for names in group.values() for name in names)
    )


@cache
def _ranks(field: str) -> Mapping[str, int]:
    """How likely each name is, 0 the likeliest: by its place in its own language, e-mail addresses last."""
    ranks: dict[str, int] = {}
    extra = EMAILS if field in (CUSTOMER_ID, CUSTOMER_NAME) else {}
    for first, group in ((0, KNOWN_NAMES[field]), (1000, extra)):
        for names in group.values():
            for rank, name in enumerate(names, first):
                key = name.replace(" ", "")
                ranks[key] = min(rank, ranks.get(key, rank))
    return ranks
