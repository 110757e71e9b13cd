"""Settings of how sales are read and cleaned: each is declared once, with its default and what is said of it.

The check of config.toml and its text, the form on the Data page, the options of the command line and the documentation
follow from these declarations. Nothing heavy is imported here, so that ``--help`` answers at once.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, get_args, get_origin, get_type_hints

from engines.columns import WITHOUT_MONEY
from engines.errors import InputError
from engines.messages import noted

#: The version of the rules that sales are read and customers are made by, kept with every snapshot: raised when the
#: same sales with the same settings would give other figures or names than before, so that nothing is compared across
#: it without a word. 1: as it was before versions were kept. 2: returns take off what they undo, and names hold what
#: they say.
RULES_VERSION = 2
#: A day as "2011-01-31"; empty for none.
Day = Annotated[str, "day"]
#: Customer ids, or the path of a text file with one id a line.
Customers = tuple[str, ...] | str
DateOrder = Literal["", "day-first", "month-first", "year-first"]

#: How exports write that nobody is named, in small letters.
NOBODY = (
    *(
        "guest",
        "guests",
        "guest customer",
        "guest user",
        "guest checkout",
        "walk-in",
        "walkin",
        "walk in",
        "walk-in customer",
    ),
    *(
        "walkin customer",
        "walk in customer",
        "anonymous",
        "anonymous customer",
        "unknown",
        "unknown customer",
        "undefined",
    ),
    *("no customer", "not available", "not applicable", "not provided", "none given", "no name", "no email", "cash"),
    *(
        "cash sale",
        "cash sales",
        "cash customer",
        "retail customer",
        "counter sale",
        "counter sales",
        "over the counter",
    ),
    *(
        "na",
        "n.a.",
        "<na>",
        "\\n",
        "-",
        "--",
        "---",
        "–",
        "—",
        "?",
        "??",
        "???",
        "#ref!",
        "#value!",
        "(blank)",
    ),
    *(
        "(none)",
        "(null)",
        "[null]",
        "nil",
        "#null!",
        "missing",
        "blank",
        "leer",
        "ohne",
        "gast",
        "gastkunde",
        "unbekannt",
    ),
    *(
        "laufkunde",
        "laufkundschaft",
        "barverkauf",
        "keine angabe",
        "invité",
        "invite",
        "anonyme",
        "inconnu",
        "client comptoir",
    ),
    *(
        "client de passage",
        "aucun",
        "invitado",
        "anónimo",
        "anonimo",
        "desconocido",
        "ninguno",
        "sin cliente",
        "ospite",
    ),
    *("sconosciuto", "nessuno", "gastklant", "onbekend", "anoniem", "geen", "convidado", "visitante", "desconhecido"),
    *(
        "nenhum",
        "consumidor final",
        "gość",
        "gosc",
        "nieznany",
        "brak",
        "游客",
        "访客",
        "匿名",
        "未知",
        "无",
        "散客",
        "遊客",
        "訪客",
    ),
    *("ゲスト", "不明", "なし", "非会員"),
)
#: Words of lines that take off from what was bought.
DISCOUNT_LINES = (
    *(
        "discount*",
        "coupon*",
        "promo*",
        "voucher*",
        "rebate*",
        "price reduction*",
        "markdown*",
        "loyalty*",
        "points redeemed",
    ),
    *(
        "rabatt*",
        "nachlass",
        "preisnachlass*",
        "skonto",
        "gutschein*",
        "remise*",
        "réduction*",
        "reduction*",
        "bon de réduction",
    ),
    *(
        "code promo*",
        "descuento*",
        "cupón*",
        "cupon*",
        "sconto",
        "sconti",
        "buono",
        "korting*",
        "kortings*",
        "desconto*",
        "cupom",
    ),
    *("rabat*", "zniżka*", "bon rabatowy", "kupon*", "折扣", "优惠", "優惠", "满减", "割引", "値引", "クーポン"),
)
_CODES = """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP
    CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF
    IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK
    MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR
    SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND
    VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG
    """
#: The codes of ISO 4217 that money is counted in.
CODES = frozenset(_CODES.split())
#: The currencies that a form offers first.
COMMON = (
    *("EUR", "USD", "GBP", "CHF", "CAD", "AUD", "JPY", "CNY", "INR", "BRL", "MXN"),
    *("PLN", "SEK", "NOK", "DKK", "CZK"),
)

_MOST_CUSTOMERS = 100_000  # the list is kept with every snapshot


@dataclass(frozen=True)
class Setting:
    """One setting.

    Attributes:
        name: its key in config.toml.
        type: of its values, as the field is annotated.
        default: its value where nothing is said.
        help: what it does, for config.toml.
        why: the reason for the default, for the form and the documentation.
        label: what the form calls it; empty: it is not in the form.
        on: of a setting with two values, the one that the form's switch stands for.
        option: the option of the command line and its help, where there is one.
        low: the least number allowed.
        above: a number below all that are allowed.
        high: the largest number allowed.
        longest: how many characters a text may have.
        result: whether it can change what comes out, and so is kept with it.
        before: how sales were cleaned before the setting existed, for snapshots that do not have it; by default as now.
    """

    name: str
    type: Any
    default: Any
    help: str
    why: str = ""
    label: str = ""
    on: Any = True
    option: tuple[str, str] | None = None
    low: float | None = None
    above: float | None = None
    high: float | None = None
    longest: int | None = None
    result: bool = True
    before: Any = ...

    @property
    def kind(self) -> Literal["switch", "day", "list", "rates", "text"]:
        """How a form asks for it."""
        if self.type is bool or get_origin(self.type) is Literal:
            return "switch"
        if self.type in (tuple[str, ...], Customers):
            return "list"
        return "day" if self.type == Day else "rates" if isinstance(self.default, Mapping) else "text"

    @property
    def off(self) -> Any:
        """Of a setting with two values, the one that is not ``on``."""
        return not self.on if self.type is bool else next(value for value in get_args(self.type) if value != self.on)


def setting(default: Any, help: str, **more: Any) -> Any:
    """A field that is a setting; ``more`` is what :class:`Setting` has beside name and type."""
    made: dict[str, Any] = {"default_factory": default} if callable(default) else {"default": default}
    return field(**made, metadata={"setting": {"help": help, **more}})


class Settings:
    """A section of config.toml: a frozen dataclass whose fields are made by :func:`setting`."""

    section: ClassVar[str]
    #: What config.toml says of the section as a whole.
    about: ClassVar[str]

    @classmethod
    def declared(cls) -> tuple[Setting, ...]:
        """The settings, in the order of config.toml."""
        hints = get_type_hints(cls, include_extras=True)
        return tuple(
            Setting(
                item.name,
                hints[item.name],
                item.default_factory() if item.default_factory is not MISSING else item.default,
                **item.metadata["setting"],
            )
            for item in fields(cls)  # type: ignore[arg-type]
        )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """From what :meth:`to_dict` made, perhaps before some of the settings existed."""
        before = {item.name: item.before for item in cls.declared() if item.before is not ...}
        every = {**before, **values}
        return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in every.items()})

    def to_dict(self) -> dict[str, Any]:
        """The settings that can change what comes out, as JSON-ready values."""
        values = {item.name: getattr(self, item.name) for item in self.declared() if item.result}
        return {
            name: list(value) if isinstance(value, tuple) else dict(value) if isinstance(value, Mapping) else value
            for name, value in values.items()
        }

    @classmethod
    def to_toml(cls) -> str:
        """The section as config.toml has it: every setting with its default below what it does."""
        lines = [f"[{cls.section}]", *_comment(cls.about)]
        tables = []
        for item in cls.declared():
            if isinstance(item.default, Mapping):
                tables += ["", *_comment(item.help), f"[{cls.section}.{item.name}]"]
            else:
                lines += [*_comment(item.help), f"{item.name} = {json.dumps(item.default)}"]
        return "\n".join([*lines, *tables, ""])


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, 130, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)


@dataclass(frozen=True)
class Reading(Settings):
    """How a source is read where it does not say so itself."""

    section: ClassVar[str] = "reading"
    about: ClassVar[str] = "All of these are found out from the source unless they are said here."

    columns: tuple[str, ...] = setting(
        (),
        'Names of the columns by position, for a file without a header line: ["customer_id", "order_date", "amount"].',
        option=("--columns", "Names of the columns of a file that has no header line."),
    )
    separator: str = setting(
        "",
        'Separator of a text file: ",", ";", "|", "\\t", or " " for any run of blanks.',
        option=("--separator", "comma, semicolon, tab, pipe or space.  [default: found out]"),
        longest=1,
    )
    quote: str = setting(
        "",
        'What text cells are put in: "\'" for an apostrophe; empty: found out, which is " nearly always.',
        option=("--quote", "double or single: the mark around text cells.  [default: found out]"),
        longest=1,
    )
    escape: str = setting(
        "",
        'What stands before a quotation mark within quotes: "\\" as MySQL writes it, or the quotation mark again.',
        option=("--escape", "backslash or double: what is before a quotation mark in quotes.  [default: found out]"),
        longest=1,
    )
    header_row: int = setting(
        0,
        "Line of a text, or row of a sheet, that holds the names of the columns, from 1; 0: found out.",
        option=("--header-row", "Line or row that holds the names of the columns.  [default: found out]"),
        low=0,
        high=1_000_000,
    )
    skip: int = setting(
        0,
        "Lines of a text, or rows of a sheet, at the start that are passed over.",
        option=("--skip", "Lines or rows at the start that are passed over."),
        low=0,
        high=1_000_000,
    )
    encoding: str = setting(
        "",
        'Encoding of a text file: "utf-8", "utf-16", "iso-8859-1", "cp1252", "mac_roman" or another that Python knows.',
        option=("--encoding", "Such as utf-8, utf-16, iso-8859-1, cp1252.  [default: found out]"),
    )
    decimal: Literal["", ".", ","] = setting(
        "", 'Decimal sign of numbers: "." or ",".', option=("--decimal", "The decimal sign.  [default: found out]")
    )
    date_order: DateOrder = setting(
        "",
        'Order of day and month where nothing in the column decides it: "day-first", "month-first" or, of years with '
        'two digits, "year-first".',
        option=("--date-order", "Which of 3/4/2024 is the day, where no date in the column decides it."),
    )
    time_zone: str = setting(
        "",
        "Into which zone moments with an offset, and epoch seconds, are brought: the one the shop's days are counted "
        'in, as "Europe/London". Empty: days are those of the offsets themselves where all are of one local clock, '
        "and else those of UTC; a note says so.",
        option=("--time-zone", "Zone of the shop's days, for times with an offset, as Europe/London."),
        before="UTC",
    )
    sheets: tuple[str, ...] = setting(
        (),
        "Sheets of a workbook, by name, all of one shape; empty: those whose columns look most like sales.",
        option=("--sheet", "A sheet of a workbook by name; give it again for more."),
    )
    table: str = setting(
        "",
        "The table that is read of a database, as NAME or SCHEMA.NAME ...",
        option=("--table", "The table to read, where SOURCE is a database."),
    )
    query: str = setting(
        "",
        "... or the query: one SELECT, in a connection that can only read.",
        option=("--query", "The query whose result to read, where SOURCE is a database."),
    )
    trust_guesses: bool = setting(
        False,
        "Whether what the source does not say for certain (which column says who bought, when or for how much, and the "
        "like) is guessed instead of asked for.",
        option=("--yes", "Take what is only guessed, without asking."),
        result=False,
    )
    unreadable_share: float = setting(
        0.01,
        "Lines that cannot be read are set aside and listed in the ledger, up to this share of all lines ...",
        low=0,
        high=1,
    )
    unreadable_lines: int = setting(
        20,
        "... or up to this many, but fewer than half of the lines; the source is refused above both.",
        low=0,
        high=1_000_000_000,
    )
    memory: str = setting(
        "",
        'How much memory reading may take before it uses the disk, as "3 GB"; empty: four fifths of the machine\'s.',
        result=False,
    )


@dataclass(frozen=True)
class CleaningRules(Settings):
    """Which lines are dropped.

    ``rates``: what one unit of a currency is worth. A list of customers may name a file until it is :meth:`resolved`.
    """

    section: ClassVar[str] = "cleaning"
    about: ClassVar[str] = (
        "(Lines without a customer id belong to no one's history: they are always dropped. docs/intake.md gives each "
        "default's reason.)"
    )

    not_a_sale: tuple[str, ...] = setting(
        (),
        "Words of a status or a kind of line that mean no sale, beside those that are known in ten languages "
        '(cancelled, failed, pending, payment ...): "paid" is a whole word, "cancel*" the beginning of one.',
        why=noted("A shop may have words of its own; they win over those that are known."),
        label=noted("Words for no sale"),
    )
    sold: tuple[str, ...] = setting(
        (),
        "Words that mean a sale, although they are known for something else.",
        why=noted("In a shop that is paid by invoice, pending may mean sold."),
        label=noted("Words for sold"),
    )
    returned_words: tuple[str, ...] = setting(
        (),
        "Words that mean that all of it went back.",
        why=noted("Refunded, returned, credit memo and the like are known."),
        label=noted("Words for sent back"),
    )
    nobody: tuple[str, ...] = setting(
        NOBODY,
        "Texts that stand for no customer, whatever the case: lines of guests belong to no one's history.",
        why=noted("A guest, a till or a walk-in is not one person; together they would be the best customer."),
        label=noted("Texts that stand for no customer"),
        before=(),
    )
    discount_lines: tuple[str, ...] = setting(
        DISCOUNT_LINES,
        "Lines below zero whose product says one of these words take off from what was bought; nothing came back.",
        why=noted("A discount as a line of its own makes the order cheaper, and is no return."),
        label=noted("Words for discounts"),
        before=(),
    )
    drop_cancellations: bool = setting(
        True,
        "Cancelled invoices (order id starting with C) and bad debt (A): true drops them from sales; they still count "
        "as returns.",
        why=noted("A cancelled invoice is no sale, whatever its lines say."),
        label=noted("Drop cancelled invoices"),
    )
    drop_non_positive_quantity: bool = setting(
        True,
        "Lines with quantity <= 0 (returns without a cancelled invoice, corrections).",
        why=noted("What came back, or was never shipped, was not bought."),
        label=noted("Drop quantities of zero or less"),
    )
    drop_non_positive_price: bool = setting(
        True,
        "Lines with unit price <= 0 (gifts, corrections).",
        why=noted("A gift says nothing of what a customer is ready to pay."),
        label=noted("Drop prices of zero or less"),
    )
    returns: Literal["drop", "net"] = setting(
        "net",
        'What is cancelled or negative and went back: "net" takes it off what it undoes (the same product, else a line '
        'or order of that amount, else the latest money), and an order with nothing left never happened; "drop" counts '
        "it in net monetary and return rate alone.",
        why=noted("Who buys for a fortune and sends it back the same day is no champion."),
        label=noted("Returns take off what they undo"),
        on="net",
        option=("--returns", "Whether returns take off what they undo (net), or only count as a rate (drop)."),
        before="drop",
    )
    zero_amount: Literal["keep", "drop"] = setting(
        "keep",
        'Where only amounts are known: lines of exactly zero are kept (a purchase happened) unless this says "drop".',
        why=noted("Where only amounts are known, a purchase happened."),
        label=noted("Drop amounts of exactly zero"),
        on="drop",
    )
    drop_exact_duplicates: bool = setting(
        False,
        "Two equal lines are usually two units of the same thing, so exact duplicates are counted and kept.",
        why=noted("Two equal lines are usually two units of the same thing."),
        label=noted("Drop repeated lines"),
    )
    drop_outliers: bool = setting(
        False,
        "Lines whose amount is far from the usual, above or below; they are noted in the ledger.",
        why=noted("The largest orders are mostly genuine, and are the best customers' own."),
        label=noted("Drop outliers"),
    )
    outlier_z: float = setting(
        5.0,
        "What is far: a robust z-score (median and MAD) of the amount's logarithm above this.",
        why=noted("The usual 3.5 is meant for bell curves; sales have a longer tail of honest lines."),
        above=0,
        high=100,
    )
    drop_test_orders: bool = setting(
        False,
        "Trials of the shop.",
        why=noted("A shop may sell what looks like a test; the ledger shows what there is."),
        label=noted("Drop test orders"),
    )
    test_orders: tuple[str, ...] = setting(
        ("TEST*",),
        "How they are known: order ids or product ids that fit one of these, whatever the case; * stands for anything.",
        why=noted("How most shop systems mark orders and products of a trial."),
        label=noted("Test orders are"),
        before=(),
    )
    drop_non_products: bool = setting(
        False,
        "Postage, fees, discounts and manual entries.",
        why=noted("Customers paid for postage as well, and a code for a fee in one shop is a product in another."),
        label=noted("Drop postage, fees and the like"),
    )
    non_product_codes: tuple[str, ...] = setting(
        (
            *("POST", "DOT", "C2", "D", "M", "S", "B", "PADS", "CRUK", "BANK CHARGES", "AMAZONFEE", "ADJUST*"),
            "gift_*",
        ),
        "How they are known: product ids that fit one of these.",
        why=noted(
            "Postage, discounts, manual entries, samples, bad debt, donations, fees and vouchers of UCI Online Retail."
        ),
        label=noted("Postage, fees and the like are"),
        before=(),
    )
    from_day: Day = setting(
        "",
        'The first day that counts, as "2011-01-31"; empty: all. The same as --from.',
        why=noted("All of the past counts."),
        label=noted("First day that counts"),
        option=("--from", "The first day that counts."),
    )
    to_day: Day = setting(
        "",
        "The last day that counts. The same as --to.",
        why=noted("The as-of date already cuts off what came later."),
        label=noted("Last day that counts"),
        option=("--to", "The last day that counts."),
    )
    only_customers: Customers = setting(
        (),
        "Customer ids that alone count; empty: all. Instead of a list: the path of a text file with one id a line.",
        why=noted("Everyone counts."),
        label=noted("Only these customers"),
    )
    without_customers: Customers = setting(
        (),
        "Customer ids that do not count; a list or the path of a file as well.",
        why=noted("Nobody is left out; give staff, tills and test accounts here."),
        label=noted("Without these customers"),
    )
    unknown_countries: tuple[str, ...] = setting(
        ("Unspecified", "Unknown", "N/A"),
        'Country names that mean nobody knows; they become "Unknown", as blanks do.',
        why=noted("Names that mean nobody knows are no country."),
    )
    rates: Mapping[str, float] = setting(
        dict,
        "Where lines are in several currencies: what one unit of each is worth in that of [sales]. EUR = 0.85",
        why=noted("Sales are mostly in one currency; mixed ones are refused without rates."),
        label=noted("Rates of currencies (EUR = 0.85)"),
    )

    def __post_init__(self) -> None:
        if self.from_day and self.to_day and self.from_day > self.to_day:
            raise InputError("from_day {from_day} is after to_day {to_day}", from_day=self.from_day, to_day=self.to_day)

    @property
    def net(self) -> bool:
        """Whether what came back is subtracted from the customer's money."""
        return self.returns == "net"

    def resolved(self) -> Self:
        """With customers by id where a file of them is named: what is cleaned by, and kept with a snapshot.

        Raises:
            InputError: there is no such file, it is no text, or it names too many.
        """
        return replace(
            self,
            only_customers=_ids("only_customers", self.only_customers),
            without_customers=_ids("without_customers", self.without_customers),
        )


def a_day(text: str) -> str:
    """A day as it is written in settings.

    Raises:
        ValueError: it is none.
    """
    try:
        return date.fromisoformat(text).isoformat() if text else ""
    except ValueError:
        raise ValueError('write a day as "2011-01-31"') from None


def currency_code(text: str) -> str:
    """An ISO 4217 code as it is written, in capitals; empty for none.

    Raises:
        InputError: it is no such code.
    """
    code = text.strip().upper()
    if code == WITHOUT_MONEY:  # of sales without money; it says nothing of others
        return ""
    if code and code not in CODES:
        raise InputError("{text!r} is no currency; write its ISO 4217 code, such as EUR or USD.", text=text)
    return code


def _ids(name: str, path: Customers) -> tuple[str, ...]:
    if not path or not isinstance(path, str):
        return tuple(path)
    where = f"[cleaning] {name}: the file {path}"
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise InputError(
            "{where} does not exist. Give a list of ids, or a text file with one id a line.", where=where
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            "{where} cannot be read ({error}). Give a text file in UTF-8 with one id a line.", where=where, error=error
        ) from None
    ids = sorted({re.sub(r"^([0-9]+)\.0+$", r"\1", line.strip()) for line in lines if line.strip()})
    if not ids:
        raise InputError("{where} names no customer. Write one id a line.", where=where)
    if len(ids) > _MOST_CUSTOMERS:
        raise InputError(
            "{where} names {ids:,} customers, more than {most_customers:,}. Choose them in the source instead.",
            where=where,
            ids=len(ids),
            most_customers=_MOST_CUSTOMERS,
        )
    return tuple(ids)
