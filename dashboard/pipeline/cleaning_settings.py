"""From [cleaning] of the configuration to the rules of intake; lists of customers may stand in a file of their own."""

from __future__ import annotations

import re
from pathlib import Path

from dashboard.config import Cleaning, Config
from engines import intake
from engines.errors import InputError

_LISTS = ("only_customers", "without_customers")
_MOST = 100_000  # the list is kept with every snapshot


def settled(config: Config) -> Config:
    """The configuration with customers by name where it named a file of them: what a snapshot is kept with.

    Raises:
        InputError: there is no such file, it is no text, or it names too many.
    """
    said = {name: getattr(config.cleaning, name) for name in _LISTS}
    read = {name: _ids(name, given) if isinstance(given, str) else given for name, given in said.items()}
    if read == said:
        return config
    return config.model_copy(update={"cleaning": config.cleaning.model_copy(update=read)})


def rules_of(cleaning: Cleaning) -> intake.CleaningRules:
    """The rules as intake takes them; lists of customers must have been read."""
    told = cleaning.model_dump()
    return intake.CleaningRules(
        **{name: tuple(said) if isinstance(said, list) else said for name, said in told.items()}
    )


def _ids(name: str, path: str) -> list[str]:
    if not path:
        return []
    where = f"[cleaning] {name}: the file {path}"
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise InputError(f"{where} does not exist. Give a list of ids, or a text file with one id a line.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{where} cannot be read ({error}). Give a text file in UTF-8 with one id a line.") from None
    ids = sorted({re.sub(r"^([0-9]+)\.0+$", r"\1", line.strip()) for line in lines if line.strip()})
    if not ids:
        raise InputError(f"{where} names no customer. Write one id a line.")
    if len(ids) > _MOST:
        raise InputError(
            f"{where} names {len(ids):,} customers, more than {_MOST:,}. Choose them in the source instead."
        )
    return ids
