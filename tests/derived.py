"""Writes what follows from declared settings into config.toml and docs/intake.md: ``python -m tests.derived``."""

import json
import re
from pathlib import Path

from engines.settings import CleaningRules, Reading

ROOT = Path(__file__).resolve().parent.parent
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
    return {config: text, page: head + table + "".join(rows) + re.sub(r"\A(?:\|.*\n)*", "", rest)}


if __name__ == "__main__":
    for file, wanted in texts().items():
        file.write_text(wanted, encoding="utf-8")
