"""Embedded data sets: CDNOW, which is real, and a synthetic shop that is always marked as such."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa

from engines.columns import AMOUNT, CUSTOMER_ID, ORDER_DATE, QUANTITY
from engines.errors import InputError
from engines.intake.sources.shop import SEED, VERSION, make_shop
from engines.intake.sources.source import Source, arrow_source, sha256

_CDNOW_FIELDS = {
    CUSTOMER_ID: "customer_id",
    ORDER_DATE: "date",
    QUANTITY: "number_of_cds",
    AMOUNT: "dollar_value",
}


@dataclass(frozen=True)
class Embedded:
    """A data set that is there on every machine: where it comes from, and what its columns are."""

    title: str
    synthetic: bool
    currency: str
    file: str = ""  # in the datasets folder of the installed lifetimes package; empty: made by our generator
    columns: tuple[str, ...] = ()
    header: bool = False
    mapping: Mapping[str, str] = field(default_factory=dict)


#: By the name to give instead of a path.
EMBEDDED: Mapping[str, Embedded] = {
    "cdnow": Embedded(
        title="CDNOW",
        synthetic=False,
        currency="USD",
        file="CDNOW_master.txt",
        columns=("customer_id", "date", "number_of_cds", "dollar_value"),
        header=True,
        mapping=_CDNOW_FIELDS,
    ),
    "cdnow-sample": Embedded(
        title="CDNOW 1/10 sample",
        synthetic=False,
        currency="USD",
        file="CDNOW_sample.txt",
        # The customer is the number within the sample (0001 to 2357), which published results refer to.
        columns=("master_id", "customer_id", "date", "number_of_cds", "dollar_value"),
        mapping=_CDNOW_FIELDS,
    ),
    "sample-shop": Embedded(title="Sample shop (synthetic)", synthetic=True, currency="GBP"),
}


def open_embedded(data: Embedded) -> Source:
    """Open an embedded data set as if it were a file.

    Raises:
        InputError: the package that carries it is not installed.
    """
    if not data.file:
        recipe = f"sample shop, generator {VERSION}, seed {SEED}"
        return arrow_source(data.title, make_shop(SEED), hashlib.sha256(recipe.encode()).hexdigest())
    package = find_spec("lifetimes")  # found, not imported: its data are wanted here, not its code
    folders = package.submodule_search_locations if package else None
    if not folders:
        raise InputError("{title} comes with the package lifetimes, which is not installed here.", title=data.title)
    path = Path(folders[0]) / "datasets" / data.file
    lines = path.read_text(encoding="ascii").split("\n")
    rows = [line.split() for line in lines[data.header :] if line.strip()]
    table = pa.table(dict(zip(data.columns, map(list, zip(*rows, strict=True)), strict=True)))
    return arrow_source(data.title, table, sha256(path), unit=f"line of {data.file}", first=1 + data.header)
