"""Writes what follows from declared settings and columns into config.toml and docs: ``python -m tests.derived``."""

import json
import re
import textwrap
from pathlib import Path

from engines.columns import FILTERS
from engines.settings import CleaningRules, Reading

ROOT = Path(__file__).resolve().parent.parent
_FILTERS = " has such a pair under its own name, as `min_return_rate` and `max_items_per_order`:\n"
_TABLE = "| setting | default | why so |\n|---|---|---|\n"


def texts() -> dict[Path, str]:
    """The files as they should be."""
    config, page = ROOT / "config.toml", ROOT / "docs" / "intake.md"
    text = config.read_text(encoding="utf-8")
    for section in (Reading, CleaningRules):
        name = section.section
        whole = rf"^\[{name}\]\n.*?(?=^\n(?:# [^\n]*\n)+\[(?!{name})|^\n\[(?!{name}))"
        text = re.sub(whole, lambda found, section=section: section.to_toml(), text, count=1, flags=re.M | re.S)
    head, table, rest = page.read_text(encoding="utf-8").partition(_TABLE)
    rows = [f"| `{item.name}` | `{json.dumps(item.default)}` | {item.why} |\n" for item in CleaningRules.declared()]
    intake = head + table + "".join(rows) + re.sub(r"\A(?:\|.*\n)*", "", rest)
    return {config: text, page: intake, ROOT / "docs" / "api.md": _api()}


def _api() -> str:
    """docs/api.md with the columns that have bounds and no line of their own in the table of parameters."""
    before, found, after = (ROOT / "docs" / "api.md").read_text(encoding="utf-8").partition(_FILTERS)
    others = [f"`{column.name}`" for column in FILTERS if f"| `{column.bounds[0]}`" not in before]
    return before + found + textwrap.fill(", ".join(others), 128) + ".\n" + after.partition(".\n")[2]


if __name__ == "__main__":
    for file, wanted in texts().items():
        file.write_text(wanted, encoding="utf-8")
