"""A public name means one thing: it is defined in one module, unless it is a shared protocol."""

import ast
from collections import defaultdict
from pathlib import Path, PurePath

ROOT = Path(__file__).parent.parent

#: Names that several modules define because callers use them all in the same way: where, and why.
PROTOCOLS = {
    "layout": (("dashboard/pages/*/page.py",), "the content of a page, called by the frame around all pages"),
    "register": (
        ("dashboard/pages/*/*.py", "dashboard/components/*.py", "dashboard/layout/*.py"),
        "the callbacks of a page or a component, called as module.register",
    ),
    "fit": (("engines/run.py", "engines/value/lifetime/*.py"), "a model fitted to data, called as bgnbd.fit"),
    "aggregates": (("engines/features/*.py",), "what a feature module asks of the database, called as rfm.aggregates"),
    "columns": (("engines/features/*.py",), "the customer columns of a feature module, called as rfm.columns"),
    "in_order": (
        ("engines/columns.py", "engines/run.py"),
        "plug-ins import both: columns and customers in their order",
    ),
    "Settings": (
        ("engines/settings.py", "engines/value/appraisal.py"),
        "a section of the configuration, and such a section's values for the appraisal",
    ),
}


def is_command(node):
    """Whether click makes a verb of the command line of a function: it bears the name of the verb."""
    return any(
        isinstance(item, ast.Call) and isinstance(item.func, ast.Attribute) and item.func.attr in ("command", "group")
        for item in node.decorator_list
    )


def definitions():
    """The modules that define each public top-level function and class, commands aside."""
    modules = defaultdict(list)
    for package in ("engines", "storage", "dashboard"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                    revision = path.parent.name == "versions"  # Alembic calls upgrade and downgrade of each revision
                    if not node.name.startswith("_") and not is_command(node) and not revision:
                        modules[node.name].append(path.relative_to(ROOT))
    return modules


def test_a_public_name_is_defined_once():
    shared = {name: paths for name, paths in definitions().items() if len(set(paths)) > 1}
    outside = {
        name: [str(path) for path in paths]
        for name, paths in shared.items()
        if not all(any(PurePath(path).match(pattern) for pattern in PROTOCOLS.get(name, ((), ""))[0]) for path in paths)
    }
    assert outside == {}, "give each its own name, or add a shared protocol to PROTOCOLS"


def test_every_protocol_is_shared():
    modules = definitions()
    assert [name for name in PROTOCOLS if len(set(modules[name])) < 2] == []
