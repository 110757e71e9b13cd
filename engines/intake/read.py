"""Reading of a source into clean sales: open, map the columns, parse the cells, clean, and keep the ledger."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import ibis

from engines.columns import AMOUNT, CURRENCY, ORDER_TOTAL, UNIT_PRICE, WITHOUT_MONEY
from engines.intake.cleaning.both_sums import sums_of_both
from engines.intake.cleaning.cleaning import flag_lines
from engines.intake.cleaning.costs import check_costs
from engines.intake.cleaning.currency import Conversion, conversion, refuse_lost, refuse_other_signs
from engines.intake.cleaning.dropped import keep_dropped as write_dropped
from engines.intake.cleaning.last_day import check_last_day
from engines.intake.cleaning.numbering import own_numbers, see_orders
from engines.intake.cleaning.outcome import became
from engines.intake.cleaning.people import refuse_rounded, without_nobody
from engines.intake.sales import Sales, cleaned, counted, lines_database
from engines.intake.schema.contents import head, look_at
from engines.intake.schema.currencies import Signed, codes_by_sign, currencies_beside, dataset_currency, signs_in
from engines.intake.schema.likeness import sales_judge
from engines.intake.schema.mapping import check_columns, doubts, map_columns
from engines.intake.schema.parsing import BLANK, PART, Parsing, decide, doubted, lines_of, unreadable_notes
from engines.intake.schema.presets import Preset
from engines.intake.schema.signs import in_heading, one_of
from engines.intake.sources.files import Source, open_source
from engines.intake.sources.samples import EMBEDDED, Embedded, open_embedded
from engines.intake.sources.source import mending, text
from engines.messages import message
from engines.progress import Amount, Watch, unwatched
from engines.settings import CleaningRules, Reading, currency_code

_EVERY_SECONDS = 0.5


def read_sales(
    source: str,
    *,
    mapping: Mapping[str, str] = {},
    reading: Reading = Reading(),  # noqa: B008 - frozen
    rules: CleaningRules = CleaningRules(),  # noqa: B008 - frozen
    as_of: date | None = None,
    today: date | None = None,
    currency: str = "",
    keep_dropped: bool = False,
    detail: bool = True,
    watch: Watch = unwatched,
) -> Sales:
    """Read and clean an embedded data set (by name) or a file (by path).

    Args:
        source: ``cdnow``, ``cdnow-sample``, ``sample-shop``, or the path of a CSV, XLSX or Parquet file.
        mapping: column of the source by canonical field; what is not named is guessed from common names.
        reading: what the source does not say itself.
        rules: which lines are dropped.
        as_of: only lines before its midnight count; by default the day after the last sale.
        today: the day of reading: what is dated later cannot be a sale. None: no date is too late.
        currency: ISO 4217 code of the money where the source does not tell it, and that into which money in several
            currencies is brought at the rates of ``rules``; empty for none.
        keep_dropped: whether :meth:`Sales.dropped` will be asked.
        watch: told now and then how far the reading of lines is.
        detail: whether the table says quantity, product, description, country and attributes; else they are null.

    Raises:
        InputError: the source cannot be read, mapped or understood, or nothing is left; file, column or line are named.
            There is not enough memory or room on the disk.
    """
    rules = rules.resolved()
    with ExitStack() as stack:
        folder = tempfile.TemporaryDirectory(prefix="segmentry-intake-")
        stack.callback(folder.cleanup)
        connection = lines_database(reading, Path(folder.name))
        stack.callback(connection.disconnect)
        sales = _Reader(
            connection, folder, mapping, reading, rules, as_of, today, currency, keep_dropped, detail, watch
        ).read(source)
        stack.pop_all()  # they are given back by the sales
    return sales


@dataclass(frozen=True)
class _Reader:
    """One reading of a source, with all that was asked for."""

    connection: Any
    folder: tempfile.TemporaryDirectory[str]
    mapping: Mapping[str, str]
    reading: Reading
    rules: CleaningRules
    as_of: date | None
    today: date | None
    currency: str
    keep_dropped: bool
    detail: bool
    watch: Watch

    def read(self, source: str) -> Sales:
        """The sales of a source, with lines that do not fit its header set aside."""
        embedded = EMBEDDED.get(source)
        with tempfile.TemporaryDirectory(dir=self.folder.name) as copies:
            if embedded:
                opened = open_embedded(embedded)
            else:
                judge = sales_judge(self.mapping)
                opened = open_source(source, self.connection.con, Path(copies), self.reading, judge)
            return mending(opened, lambda opened: self._of(opened, embedded))

    def _of(self, opened: Source, embedded: Embedded | None) -> Sales:
        database = self.connection.con
        usual = embedded.mapping if embedded else {}
        looks = [look_at(values) for values in zip(*head(opened, database), strict=True)]
        said = {**usual, **self.mapping}
        mapped = map_columns(opened.columns, said, opened.name, looks)
        with opened.elsewhere_named():
            trusts = self.reading.trust_guesses
            check_columns(opened.columns, said, opened.name, looks, mapped.guesses, trust_guesses=trusts)
        chosen = {guess.field: guess.position for guess in mapped.guesses}
        fields = counted(tuple(chosen))
        other = mapped.other_money
        looked_at = {**chosen, **({other.field: other.position} if other else {})}
        beside = currencies_beside(opened.columns, looks, chosen.values())
        with opened.at_hand(database):
            database.execute(f"create or replace view raw as {opened.scan(database, list(looked_at.values()))}")
            stated = embedded.currency if embedded else currency_code(self.currency)
            written = self._written(
                opened, looked_at, fields, _with_words_of(mapped.preset, self.rules), stated, beside
            )
            found = cleaned(written.lines, self.rules, fields, self.as_of, opened.name)
            about_days: tuple[str, ...] = ()
            if self.as_of is None:
                about_days = check_last_day(found.flagged, found.as_of, opened.name, opened.locate, trusted=trusts)
            if self.keep_dropped:
                write_dropped(self.connection, found.flagged, self.rules, chosen)
        database.execute("drop view raw; drop view lines")
        about = (*(() if embedded else written.about_currency), *about_days)
        money = sums_of_both(database, other, "written") if other else ()
        told = (note for note in mapped.notes if not (money and other and note == other.note))
        notes = (*opened.notes, *told, *money, *doubts(mapped.guesses), *written.notes, *about)
        if self.mapping.get(UNIT_PRICE) and (self.mapping.get(AMOUNT) or self.mapping.get(ORDER_TOTAL)):
            notes += (message("The unit price is not used: the amount is mapped."),)
        return Sales(
            table=found.table,
            ledger=found.ledger,
            name=embedded.title if embedded else opened.name,
            title=embedded.title if embedded else opened.name,
            synthetic=embedded.synthetic if embedded else False,
            mapping={
                **{guess.field: guess.column for guess in mapped.guesses},
                **{name: "" for name, column in self.mapping.items() if not column.strip() and name not in chosen},
            },
            fingerprint=opened.fingerprint,
            as_of=found.as_of,
            first_day=found.first_day,
            last_day=found.last_day,
            notes=notes,
            currency=written.currency or None,
            _lines=written.lines,
            _connection=self.connection,
            _folder=self.folder,
        )

    def _written(
        self,
        source: Source,
        chosen: Mapping[str, int],
        fields: tuple[str, ...],
        rules: CleaningRules,
        currency: str,
        beside: Mapping[str, tuple[str, ...]],
    ) -> _Written:
        """Read all lines of the view ``raw`` in one pass into a Parquet file, parsed and flagged."""
        database = self.connection.con
        target = Path(self.folder.name) / "lines.parquet"
        on_all: frozenset[str] = frozenset()
        signs: dict[str, str] = {}  # of lines whose money is to be converted by the signs beside it
        while True:
            parsing = decide(
                database,
                source,
                chosen,
                self.reading,
                repeated_lines_drop=rules.drop_exact_duplicates,
                on_all=on_all,
                today=self.today,
                signs=signs,
            )
            parsed, heading, money = lines_of(parsing), parsing.heading, Conversion()
            if CURRENCY in parsing.cells or (rules.rates and in_heading(heading)[1]):
                column = parsing.cells[CURRENCY].column if CURRENCY in parsing.cells else heading
                of_all = one_of(in_heading(heading)[1], (currency, *rules.rates))
                money = conversion(database, source, column, parsed, rules.rates, currency, of_all)
            database.execute(f"create or replace view lines as {money.applied(parsed, parsing.money_beside)}")
            flagged = flag_lines(self.connection.table("lines"), rules, fields, detail=self.detail)
            with _watched(self.connection.con, source, self.watch):
                self.connection.to_parquet(flagged, target, compression="snappy")
            database.execute(f"create or replace view written as from read_parquet({text(str(target))})")
            source.count_parts(dict(database.execute(f"select {PART}, count(*) from written group by 1").fetchall()))  # noqa: S608
            doubts_left, found = doubted(database, parsing, "written") - on_all, signs_in(database, "written")
            by_sign = bool(rules.rates) and CURRENCY not in chosen and not {*found} <= {*signs}
            if not doubts_left and not by_sign:
                break
            on_all |= doubts_left
            if by_sign:
                known = codes_by_sign(source, heading, found, (currency, *rules.rates))
                signs = {sign: codes[0] if len(codes) == 1 else sign for sign, codes in known.items()}
        money = _checked(database, source, parsing, parsed, found, money, currency, beside)
        outcome = became(database, parsing, rules, "written")
        notes = unreadable_notes(database, source, parsing, self.reading, outcome.relation) + outcome.notes
        notes += check_costs(database, source, parsing, self.reading, "written")
        see_orders(database, parsing, outcome.relation)
        refuse_rounded(database, source, parsing, outcome.relation)
        people = without_nobody(database, parsing, rules, outcome.relation)
        orders = own_numbers(database, parsing, people.relation)
        lines = self.connection.table(orders.relation)
        return _Written(lines.filter(~lines[BLANK]), notes + people.notes + orders.notes, money.code, money.notes)


def _with_words_of(preset: Preset | None, rules: CleaningRules) -> CleaningRules:
    """The rules with what the words of a layout mean there, beside the user's own."""
    if preset is None:
        return rules
    return replace(
        rules,
        sold=(*rules.sold, *preset.sold),
        not_a_sale=(*rules.not_a_sale, *preset.not_a_sale),
        returned_words=(*rules.returned_words, *preset.returned),
        nobody=(*rules.nobody, *preset.nobody),
    )


@contextmanager
def _watched(database: Any, source: Source, watch: Watch) -> Iterator[None]:
    """Tell, twice a second, how far the database is with what it is asked within."""
    ended = threading.Event()

    def tell() -> None:
        while not ended.wait(_EVERY_SECONDS):
            share = min(max(database.query_progress() / 100, 0.0), 1.0)
            watch(Amount(share, round(share * source.lines), round(share * source.size)))

    thread = threading.Thread(target=tell, name="watches a reading", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    watch(Amount(1.0, source.lines, source.size))


class _Written(NamedTuple):
    """Flagged lines, as far as each by itself says why it is dropped; notes; the currency, and notes on that."""

    lines: ibis.Table
    notes: tuple[str, ...]
    currency: str
    about_currency: tuple[str, ...]


def _checked(
    database: Any,
    source: Source,
    parsing: Parsing,
    parsed: str,
    signs: Mapping[str, Signed],
    money: Conversion,
    stated: str,
    beside: Mapping[str, tuple[str, ...]],
) -> Conversion:
    """The currency of the lines that were written, once the signs beside their money agree with it."""
    heading = parsing.heading
    if money.rates:
        refuse_lost(database, source, "written", stated)
    if CURRENCY in parsing.cells and (signs or in_heading(heading)[1]):
        refuse_other_signs(database, source, parsing.cells[CURRENCY].column, heading, parsed)
    if money != Conversion():
        return money
    if not {AMOUNT, UNIT_PRICE, ORDER_TOTAL} & {*parsing.cells}:
        return Conversion(WITHOUT_MONEY)
    found = dataset_currency(source, heading, signs, stated, beside=beside)
    return Conversion(found.code, notes=found.notes)
