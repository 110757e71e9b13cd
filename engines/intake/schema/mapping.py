"""Mapping of columns to fields: guessed from names and contents, or given with --map."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from engines.columns import (
    AMOUNT,
    CANCELLED_AT,
    CANONICAL_FIELDS,
    COST,
    COUNTRY,
    CURRENCY,
    CUSTOMER_ID,
    CUSTOMER_NAME,
    DISCOUNT,
    FIELDS_IN_WORDS,
    IS_TEST,
    LINE_TYPE,
    ORDER_DATE,
    ORDER_ID,
    ORDER_TOTAL,
    QUANTITY,
    REFUNDED_AMOUNT,
    STATUS,
    UNIT_COST,
    UNIT_PRICE,
    is_field,
)
from engines.errors import InputError
from engines.intake.schema.contents import Look
from engines.intake.schema.money import MoneyCells, compare_money
from engines.intake.schema.names import (
    find_containing,
    find_named,
    is_cost_name,
    is_discount_name,
    is_other_name,
    plain,
)
from engines.intake.schema.presets import Preset, find_preset
from engines.intake.schema.shapes import refuse_other_tables
from engines.intake.schema.words import flag, folded, kind_of_status
from engines.messages import joined, message

_NEEDED = (CUSTOMER_ID, ORDER_DATE)
_NUMBERS = (QUANTITY, UNIT_PRICE, AMOUNT, ORDER_TOTAL)
_MONEY = (AMOUNT, ORDER_TOTAL, UNIT_PRICE)
#: What a wrong guess would change people or money by.
_DECISIVE = (*_NEEDED, *_NUMBERS)
_CERTAIN, _SURE, _LIKELY, _COMPARED, _FAIRLY, _CONTAINED, _POSSIBLE, _DOUBTFUL = (
    1.0,
    0.95,
    0.9,
    0.85,
    0.8,
    0.6,
    0.5,
    0.3,
)
#: What the money that is not taken is called where it is held against the other; no field that can be mapped.
OTHER_PRICE, OTHER_AMOUNT = "other_price", "other_amount"
#: Below this a guess on a decisive field is a question.
_ENOUGH = 0.8


@dataclass(frozen=True)
class Guess:
    """Which column holds a field, how sure that is (0 to 1) and why, in words."""

    field: str
    column: str
    position: int
    confidence: float
    reason: str

    @property
    def is_question(self) -> bool:
        """Whether the user has to say so first: it decides people or money, and is not sure enough.

        What is called a date or a number and does not look like one is left to the reading, which names its cells.
        """
        unlike = self.confidence == _DOUBTFUL and self.field != CUSTOMER_ID
        return self.field in _DECISIVE and self.confidence < _ENOUGH and not unlike


@dataclass(frozen=True)
class Mapped:
    """The guesses, in the order of the fields; the layout that was found; what people should know of both."""

    guesses: tuple[Guess, ...]
    preset: Preset | None
    notes: tuple[str, ...]
    other_money: OtherMoney | None = None


@dataclass(frozen=True)
class OtherMoney:
    """A column of money that is not taken, to be held against what is: quantity times price, or the amount of a line.

    ``quantity``, ``price``, ``amount``: names of the three columns. ``field``: what the other one holds,
    ``other_price`` or ``other_amount``; ``position``: where. ``note``: what the first lines say of it, empty where
    both agree.
    """

    field: str
    position: int
    quantity: str
    price: str
    amount: str
    note: str = ""


def column_labels(columns: Sequence[str]) -> tuple[str, ...]:
    """The columns' names, of those that are there twice with their place, counted from 1: ``Price (column 5)``."""
    return tuple(
        f"{name} (column {place})" if columns.count(name) > 1 else name for place, name in enumerate(columns, 1)
    )


def guess_columns(
    columns: Sequence[str], mapping: Mapping[str, str], source: str, looks: Sequence[Look] = ()
) -> tuple[Guess, ...]:
    """The column of each field that is found, in the order of the canonical fields, then attributes by name.

    What the user maps wins over every guess; an empty name says that the source has no such field. Quantity times unit
    price is preferred to an amount that is only guessed, because totals of an order often stand on every one of its
    lines; an amount of lines to a total of orders. An amount or total that is mapped needs no price. Where the first
    lines show that the price is one of the whole line, or that the amount is not quantity times price, they decide.

    Args:
        columns: of the source, by position.
        mapping: column by field.
        source: its name, for errors.
        looks: of the columns' first values, by position; without them names alone decide.

    Raises:
        InputError: an unknown field, or a column that is not there.
    """
    return map_columns(columns, mapping, source, looks).guesses


def map_columns(columns: Sequence[str], mapping: Mapping[str, str], source: str, looks: Sequence[Look] = ()) -> Mapped:
    """The same with the layout that was found and the notes on what was decided; see :func:`guess_columns`.

    Raises:
        InputError: an unknown field, or a column that is not there.
    """
    found = {
        name: Guess(name, column_labels(columns)[place], place, _CERTAIN, "as mapped")
        for name, column in mapping.items()
        if (place := _position(columns, name, column, source)) is not None
    }
    if AMOUNT in found and ORDER_TOTAL in found:
        raise InputError(
            "{source}: both amount and order_total are mapped; map the one that holds the money.", source=source
        )
    if COST in found and UNIT_COST in found:
        raise InputError(
            "{source}: both cost (of the line) and unit_cost (of one item) are mapped; map one of them.", source=source
        )
    search = _Search(columns, mapping, looks, found)
    search.run()
    order = (*CANONICAL_FIELDS, *sorted(name for name in found if name not in CANONICAL_FIELDS))
    guesses = tuple(found[name] for name in order if name in found)
    return Mapped(
        guesses,
        search.preset,
        (*search.notes, *_unused(columns, mapping, looks, guesses, search.preset)),
        search.other_money,
    )


def needed_but_missing(fields: Collection[str], *, money: bool = True) -> tuple[str, ...]:
    """The fields without which nothing can be read and that are not among these; ``money``: whether there has to be."""
    of_money = () if AMOUNT in fields or ORDER_TOTAL in fields or not money else (QUANTITY, UNIT_PRICE)
    return tuple(name for name in (*_NEEDED, *of_money) if name not in fields)


def may_hold_money(mapping: Mapping[str, str], looks: Sequence[Look], guesses: Sequence[Guess]) -> bool:
    """Whether there may be money in a source; else it is a log of who bought when.

    The user says that there is none with an empty ``amount``; it is plain where no other column holds numbers.
    """
    if any(guess.field in _MONEY for guess in guesses):
        return True
    if AMOUNT in mapping and not mapping[AMOUNT].strip():
        return False
    used = {guess.position for guess in guesses}
    return not looks or any(look.numbers >= 0.5 for place, look in enumerate(looks) if place not in used)


def choose_columns(
    columns: Sequence[str],
    mapping: Mapping[str, str],
    source: str,
    looks: Sequence[Look] = (),
    *,
    trust_guesses: bool = False,
) -> dict[str, int]:
    """The position of the column that holds each field; see :func:`guess_columns`.

    ``elsewhere``: what to say of other tables of the source where a field is not found in this one.

    Raises:
        InputError: an unknown field, a column that is not there, a field that is needed and not found, or one that is
            only guessed and may not be.
    """
    guesses = guess_columns(columns, mapping, source, looks)
    check_columns(columns, mapping, source, looks, guesses, trust_guesses=trust_guesses)
    return {guess.field: guess.position for guess in guesses}


def check_columns(
    columns: Sequence[str],
    mapping: Mapping[str, str],
    source: str,
    looks: Sequence[Look],
    guesses: Sequence[Guess],
    *,
    trust_guesses: bool,
) -> None:
    """Refuse a source whose columns do not say what is needed, or only perhaps.

    Raises:
        InputError: it is no table of sales, a needed field is not found, or a guess is a question.
    """
    refuse_other_tables(columns, mapping, source, looks, {guess.field: guess.position for guess in guesses})
    money = may_hold_money(mapping, looks, guesses)
    for name in needed_but_missing([guess.field for guess in guesses], money=money):
        raise InputError(missing_field(name, columns, source))
    unsure = [guess for guess in guesses if guess.is_question]
    if unsure and not trust_guesses:
        raise InputError(question_of(unsure, source))


def question_of(unsure: Sequence[Guess], source: str) -> str:
    """The question whether guesses are right, with what to say."""
    perhaps = joined(
        (
            message(
                "{field} may be column {column!r} ({reason})",
                field=guess.field,
                column=guess.column,
                reason=guess.reason,
            )
            for guess in unsure
        ),
        ", ",
    )
    options = " ".join(f"--map {guess.field}={quoted(guess.column)}" for guess in unsure)
    return message(
        "{source}: {perhaps}, but that is only a guess. Say {options} if it is so, name another column there, "
        "or take all guesses with --yes.",
        source=source,
        perhaps=perhaps,
        options=options,
    )


def doubts(guesses: Sequence[Guess]) -> tuple[str, ...]:
    """A note on each guess that is no more than one."""
    return tuple(
        message(
            "Column {column!r} was taken for {field}: {reason}.",
            column=guess.column,
            field=guess.field,
            reason=guess.reason,
        )
        for guess in guesses
        if guess.confidence <= _FAIRLY
    )


def missing_field(name: str, columns: Sequence[str], source: str) -> str:
    """What to say where a field that is needed is not found."""
    other = (
        message(" (or --map amount=COLUMN; --map amount= if there is no money in it)")
        if name in (QUANTITY, UNIT_PRICE)
        else ""
    )
    called = next((columns[place] for place, _ in find_named(name, columns)), "") if name in _NUMBERS else ""
    if called:
        return message(
            "{source}: column {column!r} is called like {field}, but most of its cells hold no number. Correct them, "
            "or name another column with --map {field}=COLUMN{other}.",
            source=source,
            column=called,
            field=name,
            other=other,
        )
    return message(
        "{source}: no column looks like {field}. Say which one it is with --map "
        "{field}=COLUMN{other}; its columns are {columns}.",
        source=source,
        field=name,
        other=other,
        columns=_listed(columns),
    )


def unused_status(columns: Sequence[str], looks: Sequence[Look], chosen: Collection[int]) -> tuple[str, ...]:
    """The columns that are not used, though their values say what became of orders: cancelled, refunded, deleted: yes.

    Args:
        columns: of the source, by position.
        looks: of their first values.
        chosen: the positions that are used.
    """
    labels = column_labels(columns)
    return tuple(
        labels[place]
        for place, look in enumerate(looks)
        if place not in chosen and (_says_other_than_sold(look) or _is_set_flag(columns[place], look))
    )


# --- guesses ---------------------------------------------------------------------------------------------------------
@dataclass
class _Search:
    """One search for the columns of fields; ``found`` grows."""

    columns: Sequence[str]
    mapping: Mapping[str, str]
    looks: Sequence[Look]
    found: dict[str, Guess]
    preset: Preset | None = None
    notes: list[str] = field(default_factory=list)
    other_money: OtherMoney | None = None
    _about_money: str = ""

    def run(self) -> None:
        self.preset = find_preset(self.columns)
        absent: set[str] = set(self.mapping)
        if self.preset is not None:
            self._by_preset(self.preset)
            absent |= {name for name, known in self.preset.columns.items() if not known}
        for name in CANONICAL_FIELDS:
            if name not in absent and name not in self.found:
                self._by_name(name)
        if self.looks:
            self._by_bare_name()
        for name in (*_NEEDED, *_NUMBERS):
            if name not in absent and name in needed_but_missing(self.found):
                self._by_part_of_name(name)
        self._choose_money()
        self._choose_cost()
        if self.looks:
            self._by_contents(absent)
            self._by_words(absent)

    def _taken(self) -> set[int]:
        return {guess.position for guess in self.found.values()}

    def _add(self, name: str, place: int, confidence: float, reason: str) -> None:
        self.found[name] = Guess(name, column_labels(self.columns)[place], place, confidence, reason)

    def _by_preset(self, preset: Preset) -> None:
        names = [plain(column) for column in self.columns]
        for name in CANONICAL_FIELDS:
            places = [names.index(each) for each in preset.columns.get(name, ()) if each in names]
            places = [place for place in places if place not in self._taken()]
            filled = [place for place in places if not self.looks or self.looks[place].filled]
            if places and name not in self.mapping:
                place = (filled or places)[0]
                self._add(
                    name, place, _SURE, message("the columns are those of {export}", export=message(preset.title))
                )
        sentences = [message("Read as {export}.", export=message(preset.title))]
        if preset.money:
            sentences.append(message(preset.money))
        self.notes.append(joined(sentences))

    def _by_name(self, name: str) -> None:
        guesses = [
            judged
            for place, _ in find_named(name, self.columns)
            if place not in self._taken() and (judged := self._judged(name, place)) is not None
        ]
        if name == STATUS and self.looks:  # of several the one that says that something was no sale
            guesses.sort(key=lambda guess: not _says_other_than_sold(self.looks[guess.position]))
        if guesses:
            filled = [guess for guess in guesses if not self.looks or self.looks[guess.position].filled]
            sure = [guess for guess in filled or guesses if guess.confidence > _DOUBTFUL]
            self.found[name] = (sure or filled or guesses)[0]

    def _judged(self, name: str, place: int) -> Guess | None:
        """A guess by name, surer where the values agree, doubtful where they do not; None where it cannot be."""
        column = column_labels(self.columns)[place]
        reason = message("it is called {column!r}", column=column)
        if not self.looks or not self.looks[place].filled:
            return Guess(name, column, place, _LIKELY, reason)
        look = self.looks[place]
        if name in _NUMBERS and not look.has_digits:
            return None
        if name in (ORDER_DATE, *_NUMBERS):
            return self._of_kind(name, column, place, look, reason)
        if name == CUSTOMER_ID and (unlike := _no_person(look)):
            return Guess(
                name, column, place, _DOUBTFUL, message("{reason}, but {unlike}", reason=reason, unlike=unlike)
            )
        return Guess(name, column, place, _LIKELY, reason) if _can_be(name, self.columns[place], look) else None

    def _of_kind(self, name: str, column: str, place: int, look: Look, reason: str) -> Guess:
        share, what = (
            (max(look.dates, look.epochs), message("dates"))
            if name == ORDER_DATE
            else (0.0 if look.dates > look.numbers else look.numbers, message("numbers"))
        )
        if share >= 0.5:
            confidence = _SURE
            reason = message(
                "{reason}, and {share:.0%} of its first values look like {what}", reason=reason, share=share, what=what
            )
        else:
            confidence = _DOUBTFUL
            reason = message(
                "{reason}, but only {share:.0%} of its first values look like {what}",
                reason=reason,
                share=share,
                what=what,
            )
        return Guess(name, column, place, confidence, reason)

    def _by_bare_name(self) -> None:
        """A column called id alone: its values tell of what."""
        places = {plain(column): place for place, column in reversed(list(enumerate(self.columns)))}
        place = places.get("id")
        if place is not None and place not in self._taken():
            self._of_id(place, self.looks[place])

    def _of_id(self, place: int, look: Look) -> None:
        if not look.filled or _no_person(look):
            return
        day = self.found.get(ORDER_DATE)
        days: dict[str, set[str]] = {}
        for cell, moment in zip(look.cells, self.looks[day.position].cells if day else look.cells, strict=True):
            if cell is not None:
                days.setdefault(cell, set()).add((moment or "")[:10])
        again = any(len(each) > 1 for each in days.values())
        if again and CUSTOMER_ID not in {*self.found, *self.mapping}:
            self._add(
                CUSTOMER_ID, place, _FAIRLY, message("it is called 'id', and its values come again on other days")
            )
        elif not again and ORDER_ID not in {*self.found, *self.mapping}:
            self._add(ORDER_ID, place, _FAIRLY, message("it is called 'id', and each of its values has one day"))

    def _by_part_of_name(self, name: str) -> None:
        """A heading that has a name of the field among other words; a question, unless the name is of several words."""
        for place, known in find_containing(name, self.columns):
            if place in self._taken():
                continue
            judged = self._judged(name, place)
            if judged is None or judged.confidence == _DOUBTFUL:
                continue
            reason = message("its name has {known!r} in it", known=known)
            if self.looks and self._is_alone(name, place):
                reason = message("{reason}, and no other has such values", reason=reason)
                self._add(name, place, _FAIRLY, reason)
            else:
                self._add(name, place, _FAIRLY if " " in known and self.looks else _CONTAINED, reason)
            return

    def _is_alone(self, name: str, place: int) -> bool:
        """Whether no other free column has values of dates, or of money, where that is what is sought."""
        looks = {at: look for at, look in enumerate(self.looks) if at == place or at not in self._taken()}
        if name == ORDER_DATE:
            return [at for at, look in looks.items() if max(look.dates, look.epochs) >= 0.5] == [place]
        return name in (AMOUNT, ORDER_TOTAL) and [at for at, look in looks.items() if look.prices >= 0.25] == [place]

    # --- money -------------------------------------------------------------------------------------------------------
    def _choose_money(self) -> None:
        """Keep one of price, amount and total; the first lines decide where they can."""
        found, mapping = self.found, self.mapping
        if mapping.get(AMOUNT):
            keep = AMOUNT
        elif mapping.get(ORDER_TOTAL):
            keep = ORDER_TOTAL
        elif QUANTITY in found and UNIT_PRICE in found:
            keep = self._price_or_amount()
        elif AMOUNT in found:
            keep = AMOUNT
        elif ORDER_TOTAL in found:
            keep = ORDER_TOTAL
        elif UNIT_PRICE in found:
            if any(self.looks and self.looks[place].filled for place, _ in find_named(QUANTITY, self.columns)):
                return  # a column is called so, and its values are no numbers: to leave it out would change the money
            self._price_of_lines(message("there is a price and no quantity: each line is one item"))
            keep = AMOUNT
        else:
            return
        if {QUANTITY, UNIT_PRICE, AMOUNT} <= {*found} and keep in (UNIT_PRICE, AMOUNT) and AMOUNT not in mapping:
            self.other_money = self._other_than(keep)
        for name in _MONEY:
            if name in found and name != keep:
                del found[name]
        by_layout = self.preset is not None and self.preset.columns.get(DISCOUNT) and not mapping.get(keep)
        if keep != UNIT_PRICE and DISCOUNT in found and not mapping.get(DISCOUNT) and not by_layout:
            del found[DISCOUNT]  # an amount is what was paid

    def _choose_cost(self) -> None:
        """Keep one of the cost of the line and that of an item, and say so where it was guessed."""
        found, mapping = self.found, self.mapping
        if COST in found and UNIT_COST in found:
            del found[COST if mapping.get(UNIT_COST) else UNIT_COST]
        for name, other, what in (
            (UNIT_COST, COST, message("what one item cost the shop")),
            (COST, UNIT_COST, message("what the goods of the line cost the shop")),
        ):
            if name in found and not mapping.get(name):
                self.notes.append(
                    message(
                        "Column {column!r} is taken for {what}, so that CLV can be what is left after it. If it is "
                        "not, say --map {field}=, or --map {field}= --map {other}={option} for the other.",
                        column=found[name].column,
                        what=what,
                        field=name,
                        other=other,
                        option=quoted(found[name].column),
                    )
                )

    def _other_than(self, keep: str) -> OtherMoney:
        other, name = (UNIT_PRICE, OTHER_PRICE) if keep == AMOUNT else (AMOUNT, OTHER_AMOUNT)
        quantity, price, amount = (self.found[each].column for each in (QUANTITY, UNIT_PRICE, AMOUNT))
        return OtherMoney(name, self.found[other].position, quantity, price, amount, self._about_money)

    def _price_of_lines(self, reason: str) -> None:
        price = self.found.pop(UNIT_PRICE)
        self._add(AMOUNT, price.position, min(price.confidence, _COMPARED), reason)
        self.notes.append(
            message(
                "Column {column!r} is taken for the amount of the line: {reason}. If it is the price of one, say "
                "--map unit_price={option} and --map quantity=COLUMN.",
                column=price.column,
                reason=reason,
                option=quoted(price.column),
            )
        )

    def _price_or_amount(self) -> str:
        """Which of quantity times price and the amount is the money of a line, by the first lines."""
        found, looks = self.found, self.looks
        if not looks or self.mapping.get(UNIT_PRICE):  # the user says that it is the price of one
            return UNIT_PRICE
        known = MoneyCells(
            quantity=looks[found[QUANTITY].position].cells,
            price=looks[found[UNIT_PRICE].position].cells,
            amount=looks[found[AMOUNT].position].cells if AMOUNT in found else None,
            order=looks[found[ORDER_ID].position].cells if ORDER_ID in found else None,
            product=self._product(),
        )
        decided = compare_money(known)
        if decided.kind == "line_price":
            if AMOUNT in found:
                return AMOUNT
            self._price_of_lines(message("divided by the quantity it is the same for each product"))
            return AMOUNT
        if AMOUNT in found and decided.kind in ("amount", "price"):
            self._about_money = self._said_of(decided.kind, decided.lines, decided.of)
            self.notes.append(self._about_money)
            return AMOUNT if decided.kind == "amount" else UNIT_PRICE
        return UNIT_PRICE

    def _product(self) -> Sequence[str | None] | None:
        for name in ("product_id", "description"):
            if name in self.found:
                return self.looks[self.found[name].position].cells
        return None

    def _said_of(self, kind: str, lines: int, of: int) -> str:
        price, amount, quantity = (self.found[name].column for name in (UNIT_PRICE, AMOUNT, QUANTITY))
        parts: dict[str, object] = {"price": price, "amount": amount, "quantity": quantity, "lines": lines, "of": of}
        if kind == "amount":
            return message(
                "On {lines:,} of the first {of:,} lines {quantity!r} times {price!r} is not {amount!r}; {amount!r} is "
                "taken for the money. For the other say --map amount= --map unit_price={option}.",
                **parts,
                option=quoted(price),
            )
        return message(
            "On {lines:,} of the first {of:,} lines {quantity!r} times {price!r} is not {amount!r}, which has tax or "
            "the whole order in it; {quantity!r} times {price!r} is taken. For the other say --map amount={option}.",
            **parts,
            option=quoted(amount),
        )

    # --- by what is in the columns -----------------------------------------------------------------------------------
    def _by_contents(self, absent: Collection[str]) -> None:
        """Needed fields that no name told, each where one column alone has values that fit."""
        looks = self.looks

        def add(name: str, fits: Collection[int], reason: str) -> None:
            if name not in absent and len(fits) == 1:
                (place,) = fits
                self._add(name, place, _POSSIBLE, reason)

        def free() -> list[int]:
            return [place for place, look in enumerate(looks) if look.filled and place not in self._taken()]

        if ORDER_DATE not in self.found:
            fits = [place for place in free() if looks[place].dates >= 0.95]
            add(ORDER_DATE, fits, message("it is the only column whose first values look like dates"))
        if needed_but_missing({*self.found, *_NEEDED}) and QUANTITY not in self.found:
            fits = [
                place
                for place in free()
                if looks[place].numbers >= 0.95
                and looks[place].fractions >= 0.25
                and not looks[place].times
                and not is_discount_name(self.columns[place])
            ]
            add(AMOUNT, fits, message("it is the only column whose first values look like sums of money"))
        if CUSTOMER_ID not in self.found:
            fits = [
                place for place in free() if _can_come_again(looks[place]) and not is_other_name(self.columns[place])
            ]
            add(CUSTOMER_ID, fits, message("it is the only column whose first values look like ids that come again"))
        if not {CUSTOMER_ID} & {*self.found, *absent} and CUSTOMER_NAME in self.found and CUSTOMER_NAME not in absent:
            reason = message("nothing else says who bought, but people of one name would be one customer")
            self._add(CUSTOMER_ID, self.found.pop(CUSTOMER_NAME).position, _CONTAINED, reason)

    def _by_words(self, absent: Collection[str]) -> None:
        """A status that no name told: a column whose few words say what became of orders."""
        if STATUS in absent or STATUS in self.found:
            return
        fits = [
            place
            for place, look in enumerate(self.looks)
            if place not in self._taken()
            and look.filled
            and look.status >= 0.8
            and not _NOT_OF_ORDERS & set(folded(self.columns[place]).split())
        ]
        telling = [place for place in fits if _says_other_than_sold(self.looks[place])]
        if telling:
            reason = message("its values say what became of orders")
            self._add(STATUS, telling[0], _FAIRLY, reason)


#: Words of headings whose columns say what became of something else than the order.
_NOT_OF_ORDERS = frozenset(
    (
        *("review", "email", "mail", "newsletter", "consent", "marketing", "campaign", "subscription", "membership"),
        *("customer", "account", "user", "coupon", "risk", "fraud", "ticket", "task", "message", "note", "comment"),
        *("kunde", "bewertung", "client", "avis", "cliente", "klant", "klient", "address", "previous", "last"),
    )
)


def _can_be(name: str, column: str, look: Look) -> bool:
    """Whether values can be those of a field that is not needed, where its name alone says little."""
    if name == STATUS:
        known = _known(look)
        return known >= 0.5 if plain(column) in ("state", "stato", "etat", "estado", "stan") else known > 0
    if name == LINE_TYPE:  # "bank transfer" and "card" are ways of paying, and no kinds of lines
        return look.documents >= 0.5 and any(kind_of_status(word, document=True) == "sold" for word in look.words)
    if name == CURRENCY:
        return look.kind == "text" and bool(look.words)
    if name in (CANCELLED_AT, IS_TEST):
        return look.flags + look.dates + look.epochs >= 0.5
    if name in (REFUNDED_AMOUNT, DISCOUNT, UNIT_COST, COST):
        return look.numbers >= 0.9 and not (look.flags >= 1.0 and any(flag(word) for word in look.words))
    if name == COUNTRY:
        return not look.status >= 0.5 and look.kind != "date"
    if name == ORDER_ID:
        return look.times < 0.5 and (look.dates < 0.5 or all((cell or "0").isdigit() for cell in look.cells))
    if name == CUSTOMER_NAME:
        return look.kind == "text"
    return True


def _known(look: Look) -> float:
    """How many of the cells are a status that is known, however many others there are."""
    return sum(bool(cell) and bool(kind_of_status(cell or "")) for cell in look.cells) / max(look.filled, 1)


_KINDS_OF_CUSTOMERS = frozenset(
    (
        *("new", "returning", "existing", "member", "normal", "regular", "guest", "retail", "wholesale", "business"),
        *("consumer", "corporate", "home office", "private", "vip", "b2b", "b2c", "neu", "bestand", "nouveau"),
        *("nuevo", "nuovo", "nieuw", "novo", "nowy", "新规", "新規", "老客户", "新客户", "既存"),
    )
)


def _no_person(look: Look) -> str:
    """Why values cannot be ids of customers; empty where they can."""
    if look.times >= 0.5:
        return message("its values are times of the day")
    if look.dates >= 0.5 and not all((cell or "0").isdigit() for cell in look.cells):
        return message("its values are dates")
    if look.prices >= 0.5:
        return message("its values are sums of money")
    if look.words and all(folded(word) in _KINDS_OF_CUSTOMERS for word in look.words):
        return message("its values are kinds of customers")
    return ""


def _can_come_again(look: Look) -> bool:
    """Whether values look like ids that come again: no dates, times, prices, flags or words of a status."""
    return (
        max(look.dates, look.times, look.status, look.flags) < 0.5
        and not look.fractions
        and not look.prices
        and 0.05 < look.distinct < 0.95
    )


def _says_other_than_sold(look: Look) -> bool:
    """Whether few words say what became of orders, and one of them that an order was no sale or went back."""
    return (
        look.filled > 0 and look.status >= 0.5 and any(kind_of_status(word) not in ("sold", "") for word in look.words)
    )


def _is_set_flag(column: str, look: Look) -> bool:
    """Whether a column is called deleted, returned or the like and says yes somewhere."""
    called = folded(column).removeprefix("is ")
    return (
        bool(look.filled)
        and look.flags >= 0.9
        and kind_of_status(called) in ("not_a_sale", "returned")
        and any(flag(word) for word in look.words)
    )


_SHARE = re.compile(r"[0-9]{1,3}(?:[.,][0-9]+)? ?%|0(?:[.,][0-9]+)?|0?[.,][0-9]+|1(?:[.,]0+)?")


def _says_went_back(column: str) -> bool:
    """Whether a heading such as quantity_refunded says that something went back or was cancelled."""
    return kind_of_status(column) in ("returned", "partly_returned") or folded(column).startswith("cancel")


def _unused(
    columns: Sequence[str],
    mapping: Mapping[str, str],
    looks: Sequence[Look],
    guesses: Sequence[Guess],
    preset: Preset | None,
) -> Iterable[str]:
    """Notes on columns that are not used and could change a number."""
    chosen = {guess.position for guess in guesses}
    fields = {guess.field: guess.column for guess in guesses}
    labels = column_labels(columns)
    for column in () if mapping.get(STATUS) == "" else unused_status(columns, looks, chosen):
        words = folded(column).split()
        says_yes = looks[labels.index(column)].flags >= 0.9
        yield message(
            "Column {column!r} is not used, though its values say what became of orders. If they decide what was "
            "sold, say --map {field}={option}.",
            column=column,
            field=(IS_TEST if "test" in words else CANCELLED_AT) if says_yes else STATUS,
            option=quoted(column),
        )
    for place, look in enumerate(looks):
        if place in chosen or not look.filled:
            continue
        is_left = is_discount_name(columns[place]) and DISCOUNT not in mapping and UNIT_PRICE in fields
        if not {COST, UNIT_COST} & {*fields, *mapping} and is_cost_name(columns[place]) and look.numbers >= 0.5:
            yield message(
                "Column {column!r} is not used. If it is what goods cost the shop, say --map unit_cost={option} (of "
                "one item) or --map cost={option} (of the line), and CLV is what is left after it.",
                column=labels[place],
                option=quoted(labels[place]),
            )
        is_set = any(set(cell or "") & set("123456789") for cell in look.cells)
        if is_set and look.numbers >= 0.9 and _says_went_back(columns[place]) and REFUNDED_AMOUNT not in mapping:
            yield message(
                "Column {column!r} is not used, though its name says that something went back or was cancelled. If it "
                "is money that went back, say --map refunded_amount={option}.",
                column=labels[place],
                option=quoted(labels[place]),
            )
        if is_left and is_set and all(cell is None or _SHARE.fullmatch(cell) for cell in look.cells):
            yield message(
                "Column {column!r} is not taken off the prices: it holds shares, and no money. If the prices are those "
                "before it, make a column of what was paid, and say --map amount=COLUMN.",
                column=labels[place],
            )
        elif is_left and is_set and look.numbers >= 0.9:
            yield message(
                "Column {column!r} is not taken off the prices. If it is money that comes off, say --map "
                "discount={option}.",
                column=labels[place],
                option=quoted(labels[place]),
            )
    money = None if preset is not None else fields.get(AMOUNT) or fields.get(ORDER_TOTAL)
    if money and AMOUNT not in mapping and ORDER_TOTAL not in mapping:
        others = [
            labels[place]
            for name in (AMOUNT, ORDER_TOTAL)
            for place, _ in find_named(name, columns)
            if place not in chosen
            and looks
            and looks[place].numbers >= 0.9
            and looks[place].cells != looks[labels.index(money)].cells
        ]
        if others:
            yield message(
                "{money!r} is taken for the money; {others} could be, too. For another say --map amount=COLUMN.",
                money=money,
                others=", ".join(repr(name) for name in dict.fromkeys(others)),
            )


def _position(columns: Sequence[str], name: str, column: str, source: str) -> int | None:
    if not is_field(name):
        raise InputError(
            "There is no field {field!r} to map; the fields are {fields_in_words}, where NAME is of "
            "small letters, digits and _.",
            field=name,
            fields_in_words=FIELDS_IN_WORDS,
        )
    if not column.strip():
        return None
    labels = column_labels(columns)
    found = [index for index, each in enumerate(columns) if each == column]
    found = found or [index for index, each in enumerate(labels) if each.casefold() == column.strip().casefold()]
    found = found or [index for index, each in enumerate(columns) if each.casefold() == column.strip().casefold()]
    if not found:
        raise InputError(
            "{source} has no column {name!r} for {field}; its columns are {columns}. Use --map "
            "{field}=COLUMN with one of them.",
            source=source,
            name=column,
            field=name,
            columns=_listed(columns),
        )
    if len(found) > 1:
        raise InputError(
            "{source} has {found} columns called {name!r}; say which one: {labels}.",
            source=source,
            found=len(found),
            name=column,
            labels=", ".join(f"--map {name}={quoted(labels[index])}" for index in found),
        )
    return found[0]


def quoted(column: str) -> str:
    """A column's name as it is written on a command line."""
    return column if column.isalnum() or plain(column) == column.replace("_", "").casefold() else f'"{column}"'


def _listed(columns: Sequence[str]) -> str:
    shown = ", ".join(name if len(name) <= 40 else f"{name[:40]}…" for name in columns[:30])
    return shown if len(columns) <= 30 else f"{shown} and {len(columns) - 30} more"
