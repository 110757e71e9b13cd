"""Column names that shops and their exports use, by field."""

from __future__ import annotations

import re
from collections.abc import Mapping

from engines.columns import (
    AMOUNT,
    CANCELLED_AT,
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
    UNIT_PRICE,
)

#: Names by field, the likeliest first, without case, spaces and punctuation: those of plain English and of the common
#: exports (UCI Online Retail, Olist, Shopify, WooCommerce, Kaggle's retail sets, CDNOW).
KNOWN_NAMES: Mapping[str, tuple[str, ...]] = {
    CUSTOMER_ID: (
        *("customerid", "customeruniqueid", "customer", "customerno", "customernumber", "customernr", "customercode"),
        *("customerkey", "custid", "custno", "clientid", "client", "clientno", "buyerid", "userid", "memberid"),
        *("customeruserid", "shopperid", "cardid", "loyaltyid", "householdkey", "householdid", "accountid"),
        *("customeremail", "emailbilling", "billingemail", "emailaddress", "email"),
    ),
    ORDER_ID: (
        *("orderid", "invoiceno", "invoice", "invoiceid", "invoicenumber", "order", "orderno", "ordernumber"),
        *("transactionid", "transid", "receiptid", "receiptno", "receiptnumber", "basketid", "saleid", "ticketid"),
    ),
    ORDER_DATE: (
        *("orderdate", "invoicedate", "date", "transactiondate", "transdate", "purchasedate", "saledate", "salesdate"),
        *("orderpurchasetimestamp", "orderdatetime", "datetime", "timestamp", "createdat", "datecreated", "tdat"),
        *("orderedat", "orderedon", "purchasedat", "paidat", "invoicedatetime", "eventtime", "day"),
    ),
    QUANTITY: (
        *("quantity", "qty", "units", "lineitemquantity", "itemquantity", "quantityrefund", "quantityordered"),
        *("orderquantity", "unitssold", "numberofcds", "numberofitems"),
    ),
    UNIT_PRICE: (
        *("unitprice", "price", "itemprice", "priceperunit", "priceeach", "lineitemprice", "itemcost", "unitcost"),
        *("pricepaid", "sellingprice"),
    ),
    AMOUNT: (
        *("amount", "lineamount", "linetotal", "totalprice", "totalamount", "tranamount", "transamount", "itemtotal"),
        *("transactionamount", "dollarvalue", "sales", "salesvalue", "salesamount", "saleamount", "revenue"),
        *("purchaseamount", "purchaseamountusd", "itemsubtotal", "linevalue", "turnover", "spend", "total"),
    ),
    ORDER_TOTAL: (
        *("ordertotal", "ordertotalamount", "orderamount", "ordervalue", "grandtotal", "invoicetotal", "baskettotal"),
        *("paymentvaluetotal", "totalpaymentvalue", "paymentvalue", "invoiceamount", "receipttotal"),
    ),
    PRODUCT_ID: (
        *("productid", "stockcode", "sku", "itemid", "productcode", "itemcode", "articleid", "article"),
        *("lineitemsku", "itemsku", "productsku", "variantid", "productno", "articleno"),
    ),
    DESCRIPTION: (
        *("description", "productname", "product", "itemname", "item", "lineitemname", "producttitle", "articlename"),
        *("productdescription", "itemdescription", "productcategoryname", "productcategory", "category"),
    ),
    COUNTRY: (
        *("country", "countryname", "customercountry", "shippingcountry", "billingcountry", "countrycode"),
        *("countrycodeshipping", "countrycodebilling", "countryshipping", "countrybilling", "shippingcountrycode"),
        *("shippingcountryname", "billingcountryname", "billingcountrycode", "region", "market", "customerstate"),
        *("state", "customerregion"),
    ),
    CURRENCY: ("currency", "currencycode", "ordercurrency", "isocurrencycode"),
    STATUS: (
        *("orderstatus", "status", "financialstatus", "paymentstatus", "transactionstatus", "invoicestatus"),
        *("itemstatus", "state"),
    ),
    CANCELLED_AT: (
        *("cancelledat", "canceledat", "cancelledtimestamp", "canceledtimestamp", "cancelledon", "cancelled"),
        *("iscancelled", "iscanceled", "voidedat"),
    ),
    IS_TEST: ("istest", "istestorder", "testorder", "test"),
    LINE_TYPE: ("linetype", "documenttype", "transactiontype", "doctype", "type", "rowtype", "recordtype"),
    REFUNDED_AMOUNT: (
        *("refundedamount", "amountrefunded", "refundamount", "totalrefunded", "refundtotal", "orderrefundtotal"),
        *("amountrefundedusd",),
    ),
    DISCOUNT: ("discountamount", "orderdiscount", "discounttotal", "totaldiscount", "totaldiscounts", "cartdiscount"),
    CUSTOMER_NAME: (
        *("customername", "billingname", "billtoname", "shiptoname", "buyername", "clientname", "fullname"),
        *("customeremail", "email", "emailaddress", "buyeremail", "billingemail", "name"),
    ),
}

#: Exports whose columns have names that mean something only together: column by field, where all ``signs`` are there.
_SHOPIFY = {
    CUSTOMER_ID: "email",
    ORDER_ID: "name",
    ORDER_DATE: "createdat",
    QUANTITY: "lineitemquantity",
    UNIT_PRICE: "lineitemprice",
    PRODUCT_ID: "lineitemsku",
    DESCRIPTION: "lineitemname",
    COUNTRY: "shippingcountry",
}
EXPORTS: Mapping[str, tuple[frozenset[str], Mapping[str, str]]] = {
    "a Shopify order export": (
        frozenset({"name", "email", "createdat", "lineitemquantity", "lineitemprice"}),
        _SHOPIFY,
    ),
}


def plain(name: str) -> str:
    """A column's name without case, spaces and punctuation."""
    return re.sub(r"[\W_]+", "", name).lower()
