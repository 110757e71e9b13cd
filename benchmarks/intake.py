"""How cheap the reading of sales is, beside DuckDB's bare scan and sort and a plain-pandas version, in the same run.

    python benchmarks/intake.py [--lines 0.5 5 50] [--source sales.csv] [--memory "3 GB"] [--steps inspect keep scan]

Sizes are in millions of lines, each as CSV and as Parquet with types. The lines are those of the sample shop, again and
again with other customers and orders, or those of --source: a CSV file (also .gz) with a header and the columns of UCI
Online Retail, whose lines are repeated as they are. Every step is a process of its own, so that CPU seconds (of all
threads) and peak memory are its own; what the start of Python and the imports take is shown apart, and only `segmentry
run` is counted with it. Steps:

inspect    what `segmentry inspect` does: read, clean, ledger and control totals
customers  inspect, then recency, frequency and monetary of each customer
keep       read with all details, and write the clean sales as a snapshot keeps them
scan       DuckDB reads all columns and does nothing with them
copy       DuckDB's COPY of the typed Parquet, sorted by customer and date, as zstd
pandas     ledger, totals and customers like ours, in pandas; they must come out equal
run        `segmentry run` with K-means
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Steps import what they need: the process that starts them stays small, and imports are no part of what is measured.
if TYPE_CHECKING:
    import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

#: Columns of UCI Online Retail, under either of its names.
NAMES = {
    "Invoice": "order",
    "InvoiceNo": "order",
    "StockCode": "product",
    "Description": "description",
    "Quantity": "quantity",
    "InvoiceDate": "date",
    "Price": "price",
    "UnitPrice": "price",
    "Customer ID": "customer",
    "CustomerID": "customer",
    "Country": "country",
}
KINDS = ("csv", "parquet")
MOST_IN_PANDAS = 10.0
#: How the steps are called, where two of them differ in the way pandas reads text.
PANDAS = {"pandas-c": "c", "pandas-pyarrow": "pyarrow"}


class Stages:
    """CPU seconds by stage."""

    def __init__(self) -> None:
        self.taken: dict[str, float] = {}

    @contextmanager
    def time(self, name: str) -> Iterator[None]:
        """Count what is done meanwhile under this name."""
        before = time.process_time()
        yield
        self.taken[name] = self.taken.get(name, 0.0) + time.process_time() - before

    def watch(self, owner: Any, function: str, name: str) -> None:
        """Count all calls of a module's or class's function under this name."""
        called = getattr(owner, function)

        def timed(*arguments: Any, **named: Any) -> Any:
            with self.time(name):
                return called(*arguments, **named)

        setattr(owner, function, timed)


# --- the lines --------------------------------------------------------------------------------------------------------


def make_lines(folder: Path, count: int, source: Path | None) -> None:
    """Write so many lines to lines.csv and lines.parquet."""
    import duckdb
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv, parquet

    if source is None:
        from engines.intake.sources.shop import SEED, make_shop

        lines = make_shop(SEED)
    else:
        lines = duckdb.sql("from read_csv(?, sample_size = -1)", params=[str(source)]).to_arrow_table()
    customers, orders, number = 0, 0, None
    if source is None:
        customers = pc.max(lines["Customer ID"]).as_py()
        prefix = pc.if_else(pc.starts_with(lines["Invoice"], "C"), "C", "")
        number = pc.cast(pc.replace_substring(lines["Invoice"], "C", ""), pa.int64())
        orders = pc.max(number).as_py()
    quoting = csv.WriteOptions(quoting_style="needed")
    written, copy = 0, 0
    with (
        csv.CSVWriter(folder / "lines.csv", lines.schema, write_options=quoting) as text,
        parquet.ParquetWriter(folder / "lines.parquet", lines.schema) as typed,
    ):
        while written < count:
            part = lines.slice(0, count - written)
            if number is not None and copy:
                other = pc.cast(pc.add(number, copy * orders), pa.string())
                for name, values in (
                    ("Customer ID", pc.add(lines["Customer ID"], copy * customers)),
                    ("Invoice", pc.binary_join_element_wise(prefix, other, "")),
                ):
                    part = part.set_column(part.schema.get_field_index(name), name, values.slice(0, len(part)))
            text.write_table(part)
            typed.write_table(part)
            written, copy = written + len(part), copy + 1


# --- steps: each imports what it needs, and gives back what is to be measured -----------------------------------------

Work = Callable[[], Mapping[str, Any]]


def ours(file: Path, memory: str, stages: Stages, *, then: str) -> Work:
    """Reading as the application does it, and totals, customers or keeping after it."""
    from engines import features
    from engines.columns import FREQUENCY, MONETARY, RECENCY
    from engines.intake import read
    from engines.settings import CleaningRules, Reading

    for owner, function, stage in (
        (read, "open_source", "open"),
        (read, "decide", "decide"),
        (read._Reader, "_written", "decide and pass"),
        (read, "cleaned", "ledger"),
    ):
        stages.watch(owner, function, stage)

    def work() -> Mapping[str, Any]:
        found: dict[str, Any] = {}
        with read.read_sales(
            str(file), reading=Reading(memory=memory), rules=CleaningRules(returns="drop"), detail=then == "keep"
        ) as sales:
            stages.taken["pass"] = stages.taken.pop("decide and pass") - stages.taken["decide"]
            if then == "keep":
                with stages.time("keep"):
                    sales.keep(file.parent / "kept.parquet")
                return found
            with stages.time("totals"):
                found["totals"] = {name: total.to_dict() for name, total in sales.totals().items()}
            found["ledger"] = sales.ledger.to_dict()
            if then == "customers":
                columns = (RECENCY, FREQUENCY, MONETARY)
                with stages.time("customers"):
                    ((_, table),) = features.customers_at(sales.table, [sales.as_of], columns=columns)
                found["customers"] = table
        return found

    return work


def database(memory: str, folder: Path) -> Any:
    """A DuckDB of its own that uses a folder where its memory does not do."""
    import duckdb

    connection = duckdb.connect(config={"temp_directory": str(folder / "spill"), **limited(memory)})
    connection.execute("set enable_progress_bar = false")
    return connection


def limited(memory: str) -> dict[str, str]:
    """DuckDB's setting for a limit of memory."""
    return {"memory_limit": memory} if memory else {}


def scan(file: Path, memory: str, stages: Stages) -> Work:
    """All columns of a file, read and parsed by DuckDB with the types that it finds itself."""
    connection = database(memory, file.parent)

    def work() -> Mapping[str, Any]:
        # each column must be read: its statistics would tell how many values it has
        connection.execute("set disabled_optimizers = 'statistics_propagation'")
        connection.execute(f"select count(columns(*)) from '{file}'").fetchall()
        return {}

    return work


def sorted_copy(file: Path, memory: str, stages: Stages) -> Work:
    """DuckDB's own sort and write of a Parquet file, with nothing parsed, cleaned or counted."""
    connection = database(memory, file.parent)
    columns = {NAMES[row[0]]: row[0] for row in connection.execute(f"describe from '{file}'").fetchall()}

    def work() -> Mapping[str, Any]:
        connection.execute(
            f'copy (from \'{file}\' order by "{columns["customer"]}", "{columns["date"]}") '
            f"to '{file.parent / 'sorted.parquet'}' (format parquet, compression zstd)"
        )
        return {}

    return work


def in_pandas(file: Path, memory: str, stages: Stages, *, engine: str) -> Work:
    """The same ledger, totals and customers by the default rules, as one would write it with pandas and numpy."""
    import numpy as np
    import pandas as pd

    from engines.columns import FREQUENCY, MONETARY, RECENCY
    from engines.settings import CleaningRules

    given = CleaningRules()

    def read() -> pd.DataFrame:
        if file.suffix == ".parquet":
            return pd.read_parquet(file).rename(columns=NAMES)
        header = pd.read_csv(file, nrows=0).columns
        named = {NAMES[name]: name for name in header}
        texts = {named[name]: "str" for name in ("order", "product", "description", "country")}
        types = {**texts, named["customer"]: "float64"}  # some lines have none
        table = pd.read_csv(file, engine=engine, dtype=types, parse_dates=[named["date"]])
        return table.rename(columns=NAMES)

    def fits(texts: pd.Index, patterns: tuple[str, ...]) -> np.ndarray:
        """Whether each of these texts is one of the patterns, a star at the end standing for anything."""
        lower = pd.Series(texts).str.lower()
        whole = [pattern.lower() for pattern in patterns if not pattern.endswith("*")]
        begins = tuple(pattern[:-1].lower() for pattern in patterns if pattern.endswith("*"))
        return (lower.isin(whole) | lower.str.startswith(begins)).to_numpy(dtype=bool)

    def usual(units: np.ndarray) -> tuple[float, float]:
        """Between which amounts the robust z-score of the logarithm is at most ``outlier_z``."""
        middle = (units.size + 1) // 2 - 1
        median = np.partition(units, middle)[middle]
        mad = np.partition(np.abs(np.log(units / median)), middle)[middle]
        far = given.outlier_z * mad / 0.6745
        return (math.ceil(median * math.exp(-far)), math.floor(median * math.exp(far))) if mad else (0, math.inf)

    def work() -> Mapping[str, Any]:
        with stages.time("read"):
            table = read()
        with stages.time("ledger"):
            order, orders = pd.factorize(table["order"])
            product, products = pd.factorize(table["product"])
            customer, customers = pd.factorize(table["customer"])
            country, countries = pd.factorize(table["country"])
            quantity, price = table["quantity"].to_numpy(), table["price"].to_numpy()
            units = np.round(quantity * price * 10_000).astype(np.int64)
            cancelled = pd.Series(orders).str.match(r"[CA][0-9]+$").to_numpy(dtype=bool)[order]
            checks = {
                "unreadable": table["date"].isna().to_numpy() | np.isnan(quantity) | np.isnan(price),
                "missing_customer_id": customer < 0,
                "cancellation": cancelled,
                "non_positive_quantity": quantity <= 0,
                "non_positive_price": price <= 0,
            }
            rule = np.select(list(checks.values()), list(range(1, 1 + len(checks))), 0)
            sold = rule == 0

            def entry(where: np.ndarray) -> dict[str, Any]:
                whose = pd.unique(customer[where])
                return {
                    "lines": int(where.sum()),
                    "orders": pd.unique(order[where]).size,
                    "customers": whose.size - (-1 in whose),
                    "revenue": int(units[where].sum()) / 10_000,
                }

            unknown = pd.Series(countries).str.lower().isin([name.lower() for name in given.unknown_countries])
            low, high = usual(units[sold & (units > 0)])
            tests = fits(orders, given.test_orders)[order] | fits(products, given.test_orders)[product]
            noticed = {
                "unknown_country": (country < 0) | unknown.to_numpy(dtype=bool)[country],
                "test_order": tests,
                "non_product": fits(products, given.non_product_codes)[product],
                "outlier": (units > 0) & ((units < low) | (units > high)),
            }
            came_in, left = entry(np.ones(len(table), dtype=bool)), entry(sold)
            dropped = {name: entry(rule == number) for number, name in enumerate(checks, 1)}
            notes = {name: entry(sold & where) for name, where in noticed.items()}
        with stages.time("repeated lines"):
            codes = {"order": order, "product": product, "customer": customer, "country": country}
            again = np.zeros(len(table), dtype=bool)
            again[sold] = table.assign(**codes)[sold].duplicated().to_numpy()
            notes["exact_duplicate"] = entry(again)
        with stages.time("totals"):
            back = ((rule == 3) | (rule == 4)) & (units != 0) & (quantity != 0)
            dates = table["date"]
            as_of = dates[sold].max().normalize() + pd.Timedelta(days=1)
            back &= (dates < as_of).to_numpy()
            units[back] = -np.abs(units[back])
            gross, returned, net = entry(sold), entry(back), entry(sold | back)
            net["orders"] = gross["orders"]
        with stages.time("customers"):
            bought = pd.DataFrame(
                {"customer": customer[sold], "order": order[sold], "date": dates[sold].to_numpy(), "units": units[sold]}
            ).groupby("customer")
            made = bought.agg(last=("date", "max"), orders=("order", "nunique"), units=("units", "sum"))
            wanted = pd.DataFrame(
                {
                    RECENCY: (as_of - made["last"].dt.normalize()).dt.days,
                    FREQUENCY: made["orders"],
                    MONETARY: made["units"] / 10_000,
                }
            ).set_index(customers[made.index])
        ledger = {"in": came_in, "rules": dropped, "notes": notes, "out": left}
        totals = {"gross": gross, "returned": returned, "net": net}
        return {"ledger": ledger, "totals": totals, "customers": wanted}

    return work


STEPS: dict[str, Callable[[Path, str, Stages], Work]] = {
    "inspect": lambda *given: ours(*given, then="totals"),
    "customers": lambda *given: ours(*given, then="customers"),
    "keep": lambda *given: ours(*given, then="keep"),
    "scan": scan,
    "copy": sorted_copy,
    "pandas-c": lambda *given: in_pandas(*given, engine="c"),
    "pandas-pyarrow": lambda *given: in_pandas(*given, engine="pyarrow"),
}
CHOICES = ("inspect", "customers", "keep", "scan", "copy", "pandas", "run")


# --- one step in a process of its own ---------------------------------------------------------------------------------


def run_step(step: str, file: Path, memory: str) -> None:
    """Do a step and print, as JSON, what it took and what came of it."""
    stages = Stages()
    work = STEPS[step](file, memory, stages)
    start, clock = time.process_time(), time.perf_counter()
    found = work()
    took = {
        "start": start,
        "cpu": time.process_time() - start,
        "seconds": time.perf_counter() - clock,
        "peak": peak(),
        "stages": stages.taken,
    }
    print(json.dumps({**took, **comparable(found)}))


def peak() -> float:
    """The most memory that this process has had, in MB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def comparable(found: Mapping[str, Any]) -> dict[str, Any]:
    """Ledger, totals and customers in one form, whoever made them; rules that catch nothing say nothing."""
    made: dict[str, Any] = {}
    if "ledger" in found:
        ledger = found["ledger"]
        parts = {"in": ledger["in"], "out": ledger["out"], "totals": found["totals"]}
        for name in ("rules", "notes"):
            entries = ledger[name]
            if not isinstance(entries, dict):
                entries = {entry["rule"]: {k: v for k, v in entry.items() if k != "rule"} for entry in entries}
            parts[name] = {rule: entry for rule, entry in sorted(entries.items()) if entry["lines"]}
        made["ledger"] = parts
    if "customers" in found:
        made["customers"] = digest(found["customers"])
    return made


def digest(customers: pd.DataFrame) -> list[Any]:
    """How many customers, and a hash of their ids and numbers."""
    import numpy as np
    import pandas as pd

    ids = customers.index
    if pd.api.types.is_float_dtype(ids):  # for some lines have none
        ids = ids.astype("int64")
    numbers = customers.to_numpy(np.float64)
    ordered = pd.DataFrame(numbers, index=ids.astype(str), columns=customers.columns).sort_index()
    hashed = pd.util.hash_pandas_object(ordered)
    return [len(ordered), int(np.bitwise_xor.reduce(hashed.to_numpy()))]


def child(*arguments: str) -> dict[str, Any]:
    """What a step in a process of its own says."""
    command = [sys.executable, str(Path(__file__).resolve()), *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(arguments)}: failed")
    return json.loads(done.stdout) if done.stdout else {}


def whole_run(file: Path, memory: str) -> dict[str, Any]:
    """`segmentry run` from nothing to a stored run, as the operating system counts the process."""
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        config = Path(folder) / "config.toml"
        config.write_text(f'[reading]\nmemory = "{memory}"\n', encoding="utf-8")
        url = f"sqlite:///{folder}/segmentry.db"
        environment = {**os.environ, "DATABASE_URL": url, "PYTHONPATH": str(ROOT), "SEGMENTRY_CONFIG": str(config)}
        command = [sys.executable, "-m", "dashboard.cli", "run", str(file), "--engine", "kmeans", "--k", "4"]
        clock = time.perf_counter()
        log = Path(folder) / "log"
        with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out, env=environment) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"segmentry run failed:\n{log.read_text(encoding='utf-8')}")
        cpu = usage.ru_utime + usage.ru_stime
        seconds = time.perf_counter() - clock
        return {"start": None, "cpu": cpu, "seconds": seconds, "peak": usage.ru_maxrss / 1024, "stages": {}}


# --- all of them ------------------------------------------------------------------------------------------------------


def measure(given: argparse.Namespace, lines: float, kind: str, folder: Path) -> dict[str, Any]:
    """All steps on one file, printed as they are done; of pandas, the cheaper way to read a text counts."""
    file, count, results = folder / f"lines.{kind}", round(lines * 1e6), {}
    print(f"\n{count:,} lines, {kind}, {file.stat().st_size / 1e6:,.0f} MB; load {load()}")
    print(f"{'step':<16}{'start CPU s':>12}{'CPU s':>10}{'seconds':>10}{'peak MB':>10}{'lines / CPU s':>15}")
    for step in given.steps:
        if step == "copy" and kind == "csv":
            continue
        if step == "pandas" and lines > given.pandas_limit:
            print(f"{'pandas':<16}  not run: above --pandas-limit {given.pandas_limit:g}, it might not fit into memory")
            continue
        names = [step] if step != "pandas" else [*PANDAS] if kind == "csv" else ["pandas-c"]
        for name in names:
            shown = name if kind == "csv" else step
            arguments = ("--step", name, "--data", str(file), "--memory", given.memory)
            results[name] = whole_run(file, given.memory) if name == "run" else child(*arguments)
            result = results[name]
            start = "" if result["start"] is None else f"{result['start']:.1f}"
            rate = count / result["cpu"]
            print(
                f"{shown:<16}{start:>12}{result['cpu']:>10.2f}{result['seconds']:>10.1f}{result['peak']:>10,.0f}"
                f"{rate:>15,.0f}",
                flush=True,
            )
        if step == "pandas":
            results[step] = min((results[name] for name in names), key=lambda result: result["cpu"])
    report(results)
    return results


def report(results: Mapping[str, Any]) -> None:
    """Ratios, whether ours and pandas agree, and what each stage took."""
    ratios = [("inspect", "scan"), ("customers", "pandas"), ("keep", "copy"), ("run", "inspect")]
    said = [
        f"{ours} / {theirs} {results[ours]['cpu'] / results[theirs]['cpu']:.2f}"
        for ours, theirs in ratios
        if ours in results and theirs in results
    ]
    if {"inspect", "pandas"} <= {*results}:
        pandas = results["pandas"]
        ledger = pandas["cpu"] - pandas["stages"]["customers"]
        said.append(f"inspect / pandas without customers {results['inspect']['cpu'] / ledger:.2f}")
    if said:
        print(f"CPU: {', '.join(said)}")
    if {"customers", "pandas"} <= {*results}:
        ours = results["customers"]
        for name in ("pandas", *(name for name in PANDAS if name in results)):
            if any(results[name][part] != ours[part] for part in ("ledger", "customers")):
                sys.exit(f"Ours and {name} differ:\n{ours}\n{results[name]}")
        print(f"ours and pandas: the same ledger, totals and {ours['customers'][0]:,} customers")
    for step in ("customers", "inspect", "keep", "pandas"):
        if step in results and (step != "inspect" or "customers" not in results):
            stages = results[step]["stages"]
            rest = results[step]["cpu"] - sum(stages.values())
            print(
                f"CPU s of {step}: {', '.join(f'{name} {cpu:.2f}' for name, cpu in {**stages, 'rest': rest}.items())}"
            )


def exponent(sizes: list[float], costs: list[float]) -> float:
    """How a cost grows with the size: the slope of the line through both logarithms."""
    across, up = [math.log(size) for size in sizes], [math.log(cost) for cost in costs]
    middle, height = sum(across) / len(across), sum(up) / len(up)
    pairs = zip(across, up, strict=True)
    return sum((x - middle) * (y - height) for x, y in pairs) / sum((x - middle) ** 2 for x in across)


def load() -> str:
    """How busy the machine was in the last minute, and in the last five."""
    return "{:.1f}, {:.1f}".format(*os.getloadavg()[:2])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=float, nargs="+", default=[0.5, 5.0], help="sizes in millions")
    parser.add_argument("--source", type=Path, help="a CSV file whose lines are repeated")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--steps", nargs="+", choices=CHOICES, default=CHOICES)
    parser.add_argument("--memory", default="", help="limit for ours and DuckDB, such as '3 GB'")
    parser.add_argument("--pandas-limit", type=float, default=MOST_IN_PANDAS, help="in millions of lines")
    parser.add_argument("--folder", type=Path, help="where the lines are made; a temporary folder by default")
    parser.add_argument("--step", choices=(*STEPS, "make"), help=argparse.SUPPRESS)
    parser.add_argument("--data", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.step == "make":
        make_lines(given.data, round(given.lines[0]), given.source)
        return
    if given.step:
        run_step(given.step, given.data, given.memory)
        return
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"duckdb {version('duckdb')}, pandas {version('pandas')}; memory limit {given.memory or 'none'}; "
        f"lines of {given.source.name if given.source else 'the sample shop'}"
    )
    results: dict[str, list[dict[str, Any]]] = {kind: [] for kind in given.kinds}
    for lines in sorted(given.lines):
        with tempfile.TemporaryDirectory(prefix="intake-", dir=given.folder) as name:
            source = ("--source", str(given.source)) if given.source else ()
            child("--step", "make", "--data", name, "--lines", str(round(lines * 1e6)), *source)
            for kind in given.kinds:
                results[kind].append(measure(given, lines, kind, Path(name)))
    print()
    for kind, each in results.items() if len(given.lines) > 1 else ():
        for step in given.steps:
            sizes = [lines for lines, found in zip(sorted(given.lines), each, strict=True) if step in found]
            costs = [found[step]["cpu"] for found in each if step in found]
            if len(sizes) > 1:
                print(
                    f"growth of {step}, {kind}: exponent {exponent(sizes, costs):.2f}, {sizes[0]:g} to {sizes[-1]:g} M"
                )


if __name__ == "__main__":
    main()
