"""Mapping of columns to fields: guessed from names and contents, or given with --map."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from engines.columns import (
    AMOUNT,
    CANONICAL_FIELDS,
    CUSTOMER_ID,
    FIELDS_IN_WORDS,
    ORDER_DATE,
    ORDER_TOTAL,
    QUANTITY,
    UNIT_PRICE,
    is_field,
)
from engines.errors import InputError
from engines.intake.schema.contents import Look
from engines.intake.schema.names import EXPORTS, KNOWN_NAMES, plain
from engines.messages import message

_NEEDED = (CUSTOMER_ID, ORDER_DATE)
_NUMBERS = (QUANTITY, UNIT_PRICE, AMOUNT, ORDER_TOTAL)
_CERTAIN, _SURE, _LIKELY, _POSSIBLE, _DOUBTFUL = 1.0, 0.95, 0.9, 0.5, 0.3


@dataclass(frozen=True)
class Guess:
    """Which column holds a field, how sure that is (0 to 1) and why, in words."""

    field: str
    column: str
    position: int
    confidence: float
    reason: str


def guess_columns(
    columns: Sequence[str], mapping: Mapping[str, str], source: str, looks: Sequence[Look] = ()
) -> tuple[Guess, ...]:
    """The column of each field that is found, in the order of the canonical fields, then attributes by name.

    What the user maps wins over every guess; an empty name says that the source has no such field. Quantity times unit
    price is preferred to an amount that is only guessed, because totals of an order often stand on every one of its
    lines; an amount of lines to a total of orders. An amount or total that is mapped needs no price.

    Args:
        columns: of the source, by position.
        mapping: column by field.
        source: its name, for errors.
        looks: of the columns' first values, by position; without them names alone decide.

    Raises:
        InputError: an unknown field, or a column that is not there.
    """
    found = {
        field: Guess(field, columns[place], place, _CERTAIN, "as mapped")
        for field, name in mapping.items()
        if (place := _position(columns, field, name, source)) is not None
    }
    if AMOUNT in found and ORDER_TOTAL in found:
        raise InputError(
            "{source}: both amount and order_total are mapped; map the one that holds the money.", source=source
        )
    names = [plain(name) for name in columns]
    for field in CANONICAL_FIELDS:
        if field not in mapping:
            taken = {guess.position for guess in found.values()}
            guess = _by_name(field, columns, names, taken, looks)
            if guess is not None:
                found[field] = guess
    for field in _drop_for_money(found, mapping):
        del found[field]
    if looks:
        _add_by_contents(found, columns, looks, mapping)
    order = (*CANONICAL_FIELDS, *sorted(name for name in found if name not in CANONICAL_FIELDS))
    return tuple(found[field] for field in order if field in found)


def needed_but_missing(fields: Collection[str]) -> tuple[str, ...]:
    """The fields without which nothing can be read and that are not among these."""
    money = () if AMOUNT in fields or ORDER_TOTAL in fields else (QUANTITY, UNIT_PRICE)
    return tuple(field for field in (*_NEEDED, *money) if field not in fields)


def choose_columns(
    columns: Sequence[str], mapping: Mapping[str, str], source: str, looks: Sequence[Look] = ()
) -> dict[str, int]:
    """The position of the column that holds each field; see :func:`guess_columns`.

    Raises:
        InputError: an unknown field, a column that is not there, or a field that is needed and not found.
    """
    guesses = guess_columns(columns, mapping, source, looks)
    chosen = {guess.field: guess.position for guess in guesses}
    for field in needed_but_missing(chosen):
        raise InputError(missing(field, columns, source))
    return chosen


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
        if guess.confidence <= _POSSIBLE
    )


def missing(field: str, columns: Sequence[str], source: str) -> str:
    """What to say where a field that is needed is not found."""
    other = " (or --map amount=COLUMN)" if field in (QUANTITY, UNIT_PRICE) else ""
    return message(
        "{source}: no column looks like {field}. Say which one it is with --map "
        "{field}=COLUMN{other}; its columns are {columns}.",
        source=source,
        field=field,
        other=other,
        columns=_listed(columns),
    )


# --- guesses ---------------------------------------------------------------------------------------------------------
def _by_name(
    field: str, columns: Sequence[str], names: Sequence[str], taken: set[int], looks: Sequence[Look]
) -> Guess | None:
    for export, (signs, usual) in EXPORTS.items():
        if signs <= set(names) and usual.get(field) in names and names.index(usual[field]) not in taken:
            place = names.index(usual[field])
            return Guess(
                field, columns[place], place, _SURE, message("the columns are those of {export}", export=export)
            )
    places = [names.index(name) for name in KNOWN_NAMES[field] if name in names and names.index(name) not in taken]
    if not places:
        return None
    guesses = [_judged(field, columns[place], place, looks) for place in places]
    return next((guess for guess in guesses if guess.confidence > _DOUBTFUL), guesses[0])


def _judged(field: str, column: str, place: int, looks: Sequence[Look]) -> Guess:
    """A guess by name, surer where the values agree, and doubtful where they do not."""
    reason = message("it is called {column!r}", column=column)
    if not looks or not looks[place].filled or field not in (ORDER_DATE, *_NUMBERS):
        return Guess(field, column, place, _LIKELY, reason)
    look = looks[place]
    share, what = (
        (max(look.dates, look.epochs), message("dates")) if field == ORDER_DATE else (look.numbers, message("numbers"))
    )
    if field in _NUMBERS and look.dates > share:
        share = 0.0
    if share >= 0.5:
        return Guess(
            field,
            column,
            place,
            _SURE,
            message(
                "{reason}, and {share:.0%} of its first values look like {what}", reason=reason, share=share, what=what
            ),
        )
    return Guess(
        field,
        column,
        place,
        _DOUBTFUL,
        message(
            "{reason}, but only {share:.0%} of its first values look like {what}", reason=reason, share=share, what=what
        ),
    )


def _drop_for_money(found: Mapping[str, Guess], mapping: Mapping[str, str]) -> tuple[str, ...]:
    """The money fields that are not used, because another one says what a line is worth."""
    if mapping.get(AMOUNT):
        keep = AMOUNT
    elif mapping.get(ORDER_TOTAL):
        keep = ORDER_TOTAL
    elif QUANTITY in found and UNIT_PRICE in found:
        keep = UNIT_PRICE
    elif AMOUNT in found:
        keep = AMOUNT
    elif ORDER_TOTAL in found:
        keep = ORDER_TOTAL
    else:
        return ()
    return tuple(field for field in (AMOUNT, ORDER_TOTAL, UNIT_PRICE) if field in found and field != keep)


def _add_by_contents(
    found: dict[str, Guess], columns: Sequence[str], looks: Sequence[Look], mapping: Mapping[str, str]
) -> None:
    """Needed fields that no name told, each where one column alone has values that fit."""

    def add(field: str, fits: Collection[int], reason: str) -> None:
        if field not in mapping and len(fits) == 1:
            (place,) = fits
            found[field] = Guess(field, columns[place], place, _POSSIBLE, reason)

    def free() -> list[int]:
        taken = {guess.position for guess in found.values()}
        return [place for place, look in enumerate(looks) if look.filled and place not in taken]

    if ORDER_DATE not in found:
        fits = [place for place in free() if looks[place].dates >= 0.95]
        add(ORDER_DATE, fits, message("it is the only column whose first values look like dates"))
    if needed_but_missing({*found, *_NEEDED}) and QUANTITY not in found:
        fits = [place for place in free() if looks[place].numbers >= 0.95 and looks[place].fractions >= 0.25]
        add(AMOUNT, fits, message("it is the only column whose first values look like sums of money"))
    if CUSTOMER_ID not in found:
        fits = [
            place
            for place in free()
            if looks[place].dates < 0.5 and not looks[place].fractions and 0.05 < looks[place].distinct < 0.95
        ]
        add(CUSTOMER_ID, fits, message("it is the only column whose first values look like ids that come again"))


def _position(columns: Sequence[str], field: str, name: str, source: str) -> int | None:
    if not is_field(field):
        raise InputError(
            "There is no field {field!r} to map; the fields are {fields_in_words}, where NAME is of "
            "small letters, digits and _.",
            field=field,
            fields_in_words=FIELDS_IN_WORDS,
        )
    if not name.strip():
        return None
    found = [index for index, column in enumerate(columns) if column == name]
    found = found or [index for index, column in enumerate(columns) if column.casefold() == name.strip().casefold()]
    if not found:
        raise InputError(
            "{source} has no column {name!r} for {field}; its columns are {columns}. Use --map "
            "{field}=COLUMN with one of them.",
            source=source,
            name=name,
            field=field,
            columns=_listed(columns),
        )
    if len(found) > 1:
        raise InputError(
            "{source} has {found} columns called {name!r}; rename all but one of them.",
            source=source,
            found=len(found),
            name=name,
        )
    return found[0]


def _listed(columns: Sequence[str]) -> str:
    shown = ", ".join(name if len(name) <= 40 else f"{name[:40]}…" for name in columns[:30])
    return shown if len(columns) <= 30 else f"{shown} and {len(columns) - 30} more"
