"""The map of packages in CONTRIBUTING.md, made from the import rules in pyproject.toml and the packages' docstrings.

    make map

writes it between its two marks; ``tests/test_docs_map.py`` fails while it is old.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "CONTRIBUTING.md"
BEGIN, END = "<!-- map: made by `make map` -->\n", "<!-- end of map -->\n"


def layers() -> Iterator[tuple[str, list[list[str]]]]:
    """Each package whose inside is layered, outermost first, with its layers from the top to the bottom."""
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    inside = [rule for rule in rules if rule["type"] == "layers" and "containers" in rule]
    for rule in sorted(inside, key=lambda rule: rule["containers"][0].count(".")):
        yield rule["containers"][0], [layer.replace(":", "|").split(" | ") for layer in rule["layers"]]


def purpose(module: str) -> str:
    """The first line of a module's or package's docstring."""
    path = ROOT.joinpath(*module.split("."))
    text = (path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]


def written() -> str:
    """The map as Markdown: a table per package, each line importing only what stands below it."""
    parts = []
    for container, steps in layers():
        lines = [f"| `{container}/` | {purpose(container)} |", "|---|---|"]
        for step in steps:
            lines += [
                f"| {_name(container, each.strip())} | {purpose(f'{container}.{each.strip()}')} |" for each in step
            ]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _name(container: str, module: str) -> str:
    is_package = ROOT.joinpath(*container.split("."), module).is_dir()
    return f"`{module}{'/' if is_package else '.py'}`"


def page_with_map(page: str) -> str:
    """The text of CONTRIBUTING.md with the map as it is now."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{written()}{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page_with_map(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
