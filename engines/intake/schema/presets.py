"""Layouts of well-known exports: how each is told by its headings, and what its columns and words mean.

A preset is data. Headings are compared as :func:`~engines.intake.schema.names.plain` writes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engines.columns import (
    AMOUNT,
    COUNTRY,
    CURRENCY,
    CUSTOMER_ID,
    CUSTOMER_NAME,
    DESCRIPTION,
    DISCOUNT,
    LINE_TYPE,
    ORDER_DATE,
    ORDER_ID,
    ORDER_TOTAL,
    PRODUCT_ID,
    QUANTITY,
    REFUNDED_AMOUNT,
    STATUS,
    UNIT_PRICE,
)
from engines.intake.schema.names import plain
from engines.messages import noted


@dataclass(frozen=True)
class Preset:
    """One layout.

    Attributes:
        title: what the note calls it: "a Shopify orders export".
        signs: sets of headings; where all of one set are there, the source has this layout.
        columns: by field the headings that may hold it, the first that is there; none where the layout has no such
            column that may be used, whatever another heading looks like.
        money: what the money column holds, and what follows; a sentence for the note, or empty.
        sold: patterns of statuses and kinds of lines that mean a sale here; see ``words``.
        not_a_sale: those that mean none here.
        returned: those that mean here that all went back.
        nobody: customer ids that stand for nobody here.
    """

    title: str
    signs: tuple[frozenset[str], ...]
    columns: Mapping[str, tuple[str, ...]]
    money: str = ""
    sold: tuple[str, ...] = ()
    not_a_sale: tuple[str, ...] = ()
    returned: tuple[str, ...] = ()
    nobody: tuple[str, ...] = ()


def find_preset(columns: Sequence[str]) -> Preset | None:
    """The layout that a source has by its headings; None where it has none of these."""
    names = {plain(column) for column in columns}
    return next((preset for preset in PRESETS if any(signs <= names for signs in preset.signs)), None)


def _signs(*sets: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(each.split()) for each in sets)


_LINE_TOTAL = noted("Its item price is what the whole line costs, not one item.")
_GUESTS = noted("Customers are told apart by their e-mail address: all guests have the number 0.")
_REFUND_SENDER = noted(
    "A refund names the shop as its sender there, so that it is not taken off the customer who got it."
)

#: The layouts, those with more telling headings first.
PRESETS: tuple[Preset, ...] = (
    Preset(
        title=noted("a Shopify orders export"),
        signs=_signs("name email createdat lineitemquantity lineitemprice"),
        columns={
            CUSTOMER_ID: ("email",),
            ORDER_ID: ("name",),
            ORDER_DATE: ("createdat",),
            QUANTITY: ("lineitemquantity",),
            UNIT_PRICE: ("lineitemprice",),
            AMOUNT: (),
            ORDER_TOTAL: (),  # with freight and tax, and only on the first line of an order
            PRODUCT_ID: ("lineitemsku",),
            DESCRIPTION: ("lineitemname",),
            COUNTRY: ("shippingcountry", "billingcountry"),
            CURRENCY: ("currency",),
            STATUS: ("financialstatus",),
            REFUNDED_AMOUNT: ("refundedamount",),
            DISCOUNT: ("discountamount",),
            CUSTOMER_NAME: ("billingname", "shippingname"),
        },
    ),
    Preset(
        title=noted("a WooCommerce orders export with one row per item"),
        signs=_signs(
            "orderid ordernumber status billingemail itemname itemquantity itemtotal",
            "orderid status billingemail itemname itemquantity itemtotal ordertotal",
        ),
        columns={
            CUSTOMER_ID: ("billingemail", "customeremail", "customerid"),
            ORDER_ID: ("orderid",),
            ORDER_DATE: ("date", "orderdate", "datecreated", "paiddate"),
            QUANTITY: ("itemquantity",),
            UNIT_PRICE: (),
            AMOUNT: ("itemtotal",),  # after discounts
            ORDER_TOTAL: (),
            PRODUCT_ID: ("itemsku", "itemproductid"),
            DESCRIPTION: ("itemname",),
            COUNTRY: ("billingcountry", "shippingcountry"),
            CURRENCY: ("ordercurrency", "currency"),
            STATUS: ("status", "orderstatus"),
            REFUNDED_AMOUNT: ("itemrefunded",),
            DISCOUNT: (),
            CUSTOMER_NAME: ("billinglastname",),
        },
        money=_GUESTS,
        nobody=("0",),
    ),
    Preset(
        title=noted("an advanced export of WooCommerce orders"),
        signs=_signs("ordernumber orderstatus orderdate itemcost quantityrefund"),
        columns={
            CUSTOMER_ID: ("emailbilling", "customeremail", "customeruserid"),
            ORDER_ID: ("ordernumber", "orderid"),
            ORDER_DATE: ("orderdate",),
            QUANTITY: ("quantityrefund",),
            UNIT_PRICE: ("itemcost",),  # after discounts
            AMOUNT: (),
            ORDER_TOTAL: (),
            PRODUCT_ID: ("sku",),
            DESCRIPTION: ("itemname",),
            COUNTRY: ("countrycodebilling", "countrycodeshipping"),
            CURRENCY: ("ordercurrency", "currency"),
            STATUS: ("orderstatus",),
            REFUNDED_AMOUNT: (),  # the quantity is less what was refunded
            DISCOUNT: (),
            CUSTOMER_NAME: ("lastnamebilling",),
        },
    ),
    Preset(
        title=noted("a WooCommerce orders export"),
        signs=_signs(
            "orderid status ordertotal billingemail ordercurrency",
            "orderid orderstatus ordertotal billingemail",
            "orderid ordernumber orderdate status ordertotal customeremail",
        ),
        columns={
            CUSTOMER_ID: ("billingemail", "customeremail", "customerid", "customeruser"),
            ORDER_ID: ("orderid", "ordernumber"),
            ORDER_DATE: ("orderdate", "date", "datecreated"),
            QUANTITY: (),
            UNIT_PRICE: (),
            AMOUNT: (),
            ORDER_TOTAL: ("ordertotal",),
            COUNTRY: ("billingcountry", "shippingcountry"),
            CURRENCY: ("ordercurrency", "currency"),
            STATUS: ("status", "orderstatus"),
            REFUNDED_AMOUNT: ("refundedtotal", "orderrefundtotal", "totalrefunded"),
            DISCOUNT: (),  # the total is after discounts
            CUSTOMER_NAME: ("billinglastname",),
        },
        money=_GUESTS,
        nobody=("0",),
    ),
    Preset(
        title=noted("a WooCommerce analytics export of orders"),
        signs=_signs("date order status customer customertype products itemssold nrevenue"),
        columns={
            CUSTOMER_ID: ("customer",),
            ORDER_ID: ("order",),
            ORDER_DATE: ("date",),
            QUANTITY: ("itemssold",),
            AMOUNT: ("nrevenue",),  # the column beside it, "(formatted)", is the same as text
            DESCRIPTION: ("products",),
            STATUS: ("status",),
            LINE_TYPE: (),
            DISCOUNT: (),
        },
    ),
    Preset(
        title=noted("a Magento grid of orders"),
        signs=_signs(
            "purchasepoint purchasedate grandtotalbase status",
            "purchasedfromstore purchasedon gtbase status",
        ),
        columns={
            CUSTOMER_ID: ("customeremail", "customername", "billtoname"),
            ORDER_ID: ("id", "order"),
            ORDER_DATE: ("purchasedate", "purchasedon"),
            ORDER_TOTAL: ("grandtotalbase", "gtbase"),
            QUANTITY: (),
            UNIT_PRICE: (),
            AMOUNT: (),
            STATUS: ("status",),
            REFUNDED_AMOUNT: ("totalrefunded",),
            CUSTOMER_NAME: ("billtoname", "customername"),
            DISCOUNT: (),
        },
        returned=("closed",),  # Magento closes an order once all of it was paid back
    ),
    Preset(
        title=noted("a PrestaShop list of orders"),
        signs=_signs(
            "id reference newclient delivery customer total payment status date",
            "id reference nouveauclient livraison client total paiement etat date",
            "id bestellnr neuerkunde lieferung kunde gesamt zahlung status datum",
            "id referenz neuerkunde lieferung kunde gesamt zahlung status datum",
            "id referencia nuevocliente entrega cliente total pago estado fecha",
            "id referencia clientenuevo entrega cliente total pago estado fecha",
            "id riferimento nuovocliente consegna cliente totale pagamento stato data",
        ),
        columns={
            CUSTOMER_ID: ("customer", "client", "kunde", "cliente"),
            ORDER_ID: ("reference", "bestellnr", "referenz", "referencia", "riferimento"),
            ORDER_DATE: ("date", "datum", "fecha", "data"),
            ORDER_TOTAL: ("total", "gesamt", "totale"),
            AMOUNT: (),
            COUNTRY: ("delivery", "livraison", "lieferung", "entrega", "consegna"),
            STATUS: ("status", "etat", "estado", "stato"),
        },
    ),
    Preset(
        title=noted("a BigCommerce orders export"),
        signs=_signs(
            "orderid orderdate orderstatus ordertotalinctax",
            "orderid orderdate orderstatus ordertotalextax",
        ),
        columns={
            CUSTOMER_ID: ("customeremail", "customerid"),
            ORDER_ID: ("orderid",),
            ORDER_DATE: ("orderdate",),
            ORDER_TOTAL: ("ordertotalinctax", "ordertotalextax"),
            QUANTITY: (),
            UNIT_PRICE: (),
            AMOUNT: (),
            COUNTRY: ("shippingcountry", "billingcountry"),
            CURRENCY: ("ordercurrencycode", "currencycode"),
            STATUS: ("orderstatus",),
            REFUNDED_AMOUNT: ("refundamount", "refundedamount"),
            CUSTOMER_NAME: ("customername", "billingname"),
            DISCOUNT: (),
        },
        money=_GUESTS,
        nobody=("0",),
    ),
    Preset(
        title=noted("a Square items export"),
        signs=_signs(
            "grosssales netsales transactionid eventtype item qty", "grosssales netsales transactionid paymentid"
        ),
        columns={
            CUSTOMER_ID: ("customerid", "customerreferenceid"),
            ORDER_ID: ("transactionid",),
            ORDER_DATE: ("date",),
            QUANTITY: ("qty",),
            UNIT_PRICE: (),
            AMOUNT: ("netsales",),
            PRODUCT_ID: ("sku",),
            DESCRIPTION: ("item", "category"),
            LINE_TYPE: ("eventtype",),
            CUSTOMER_NAME: ("customername",),
            DISCOUNT: (),  # net sales are after discounts
        },
        sold=("payment",),
    ),
    Preset(
        title=noted("a Stripe payments export"),
        signs=_signs(
            "id amount amountrefunded currency status customeremail",
            "id amount amountrefunded currency status sellermessage",
            "id amount amountrefunded status customerid captured",
        ),
        columns={
            CUSTOMER_ID: ("customerid", "customeremail"),
            ORDER_ID: ("id",),
            ORDER_DATE: ("createdutc", "createddateutc", "created", "createdat"),
            AMOUNT: ("amount",),
            ORDER_TOTAL: (),
            QUANTITY: (),
            UNIT_PRICE: (),
            CURRENCY: ("currency",),
            DESCRIPTION: ("description",),
            STATUS: ("status",),
            LINE_TYPE: ("mode",),
            REFUNDED_AMOUNT: ("amountrefunded",),
            CUSTOMER_NAME: ("customeremail", "customerdescription"),
            DISCOUNT: (),
        },
        sold=("live",),
    ),
    Preset(
        title=noted("a PayPal activity report"),
        signs=_signs(
            "date time timezone name type status currency gross fee net",
            "datum uhrzeit zeitzone typ status wahrung brutto",
            "date heure fuseauhoraire type etat devise net",
            "fecha hora zonahoraria tipo estado divisa bruto",
            "data orario fusoorario tipo stato valuta lordo",
        ),
        columns={
            CUSTOMER_ID: (
                *("fromemailaddress", "absenderemailadresse", "vonemailadresse", "deladresseemail"),
                *("correoelectronicodelremitente", "indirizzoemailmittente"),
            ),
            ORDER_ID: (
                "transactionid",
                "transaktionscode",
                "numerodetransaction",
                "iddetransaccion",
                "codicetransazione",
            ),
            ORDER_DATE: ("date", "datum", "fecha", "data"),
            AMOUNT: ("gross", "brutto", "avantcommission", "brut", "bruto", "lordo"),
            ORDER_TOTAL: (),
            UNIT_PRICE: (),
            CURRENCY: ("currency", "wahrung", "devise", "divisa", "valuta"),
            STATUS: ("status", "etat", "estado", "stato"),
            LINE_TYPE: ("type", "typ", "tipo"),
            CUSTOMER_NAME: ("name", "nom", "nombre", "nome"),
            COUNTRY: ("country", "countrycode", "land", "landercode"),
            DISCOUNT: (),
        },
        money=_REFUND_SENDER,
    ),
    Preset(
        title=noted("an Amazon report of all orders"),
        signs=_signs("amazonorderid purchasedate itemprice quantity"),
        columns={
            CUSTOMER_ID: ("buyeremail",),
            ORDER_ID: ("amazonorderid",),
            ORDER_DATE: ("purchasedate",),
            QUANTITY: ("quantity",),
            UNIT_PRICE: (),
            AMOUNT: ("itemprice",),
            ORDER_TOTAL: (),
            PRODUCT_ID: ("sku", "asin"),
            DESCRIPTION: ("productname",),
            COUNTRY: ("shipcountry",),
            CURRENCY: ("currency",),
            STATUS: ("orderstatus",),
            DISCOUNT: ("itempromotiondiscount",),
            CUSTOMER_NAME: ("buyername", "recipientname"),
        },
        money=_LINE_TOTAL,
    ),
    Preset(
        title=noted("an Amazon report of seller orders"),
        signs=_signs("orderid orderitemid purchasedate quantitypurchased itemprice"),
        columns={
            CUSTOMER_ID: ("buyeremail",),
            ORDER_ID: ("orderid",),
            ORDER_DATE: ("purchasedate",),
            QUANTITY: ("quantitypurchased",),
            UNIT_PRICE: (),
            AMOUNT: ("itemprice",),
            ORDER_TOTAL: (),
            PRODUCT_ID: ("sku",),
            DESCRIPTION: ("productname",),
            COUNTRY: ("shipcountry",),
            CURRENCY: ("currency",),
            DISCOUNT: ("itempromotiondiscount",),
            CUSTOMER_NAME: ("buyername", "recipientname"),
        },
        money=_LINE_TOTAL,
    ),
    Preset(
        title=noted("a Lightspeed sales history"),
        signs=_signs("receiptnumber linetype customercode total register"),
        columns={
            CUSTOMER_ID: ("customercode",),
            ORDER_ID: ("receiptnumber",),
            ORDER_DATE: ("date",),
            QUANTITY: ("quantity",),
            UNIT_PRICE: (),
            AMOUNT: ("total",),
            PRODUCT_ID: ("sku",),
            DESCRIPTION: ("details",),
            STATUS: ("status",),
            LINE_TYPE: ("linetype",),
            CUSTOMER_NAME: ("customername",),
            DISCOUNT: (),  # the total is after discounts
        },
        sold=("layby*", "onaccount*", "on account*"),
        nobody=("walkin", "walk-in"),
    ),
    Preset(
        title=noted("a SAP list of billing documents"),
        signs=_signs(
            "kunde faktura fakturadat nettowert",
            "kunde faktura fakturadatum nettowert",
            "auftraggeber faktura fakturadatum nettowert",
            "auftraggeber faktura fakturadat nettowert",
            "regulierer faktura fakturadatum nettowert",
            "soldtoparty billingdocument billingdate netvalue",
            "soldto billingdoc billingdate netvalue",
            "payer billingdocument billingdate netvalue",
            "soldtopt billdoc billingdate netvalue",
        ),
        columns={
            CUSTOMER_ID: ("kunde", "auftraggeber", "regulierer", "soldtoparty", "soldto", "soldtopt", "payer"),
            ORDER_ID: ("faktura", "billingdocument", "billingdoc", "billdoc"),
            ORDER_DATE: ("fakturadatum", "fakturadat", "billingdate"),
            AMOUNT: ("nettowert", "netvalue"),
            QUANTITY: ("fakturiertemenge", "faktmenge", "menge", "billedquantity", "billqty"),
            UNIT_PRICE: (),
            CURRENCY: ("wahrung", "wahrg", "waehrung", "belegwahrung", "currency", "curr", "documentcurrency"),
            PRODUCT_ID: ("material", "materialnummer"),
            DESCRIPTION: ("bezeichnung", "description"),
            LINE_TYPE: ("fakturaart", "fkart", "billingtype", "bilt"),
            DISCOUNT: (),
        },
        sold=("f1", "f2", "l2", "zf2"),
        not_a_sale=("s2", "f5", "f8", "iv"),
        returned=("g2", "g3", "re", "cr", "s1"),  # S1 takes an invoice back
    ),
    Preset(
        title=noted("a NetSuite report"),
        signs=_signs(
            "type date documentnumber item revenue",
            "type date documentnumber qtysold revenue",
            "customer type date documentnumber amount",
            "name type date documentnumber amount",
            "internalid date type documentnumber name amount",
            "transactiontype date documentnumber customer amount",
        ),
        columns={
            CUSTOMER_ID: ("customerid", "customerinternalid", "customer", "entity", "name", "customerproject"),
            ORDER_ID: ("documentnumber",),
            ORDER_DATE: ("date", "trandate"),
            QUANTITY: ("qtysold", "quantity"),
            UNIT_PRICE: (),
            AMOUNT: ("revenue", "amount", "amountnet"),
            PRODUCT_ID: ("item",),
            DESCRIPTION: ("memo", "description"),
            CURRENCY: ("currency",),
            STATUS: ("status",),
            LINE_TYPE: ("type", "transactiontype"),
            DISCOUNT: (),
        },
        not_a_sale=(
            "customer refund",
            "sales order",
            "purchase order",
            "opportunity",
            "bill",
            "bill credit",
            "customer deposit",
        ),
        returned=("cash refund", "return authorization"),
    ),
    Preset(
        title=noted("customer ledger entries of Business Central"),
        signs=_signs(
            "postingdate documenttype documentno customerno amount",
            "postingdate documenttype documentno customerno originalamount",
            "postingdate documenttype documentno customerno amountlcy",
            "buchungsdatum belegart belegnr debitorennr betrag",
            "buchungsdatum belegart belegnr debitornr betrag",
        ),
        columns={
            CUSTOMER_ID: ("customerno", "debitorennr", "debitornr"),
            ORDER_ID: ("documentno", "belegnr"),
            ORDER_DATE: ("postingdate", "buchungsdatum"),
            AMOUNT: ("amount", "originalamount", "amountlcy", "betrag", "ursprungsbetrag", "betragmw"),
            QUANTITY: (),
            UNIT_PRICE: (),
            CURRENCY: ("currencycode", "wahrungscode"),
            DESCRIPTION: ("description", "beschreibung"),
            LINE_TYPE: ("documenttype", "belegart"),
            CUSTOMER_NAME: ("customername", "debitorname", "debitorenname"),
            DISCOUNT: (),
        },
        not_a_sale=("refund", "erstattung"),  # the money of a credit memo, which is a line of its own
    ),
)
