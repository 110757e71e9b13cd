"""Every message in the code is a template that Babel finds, and is given the parts that it names."""

import ast
from pathlib import Path
from string import Formatter

ROOT = Path(__file__).resolve().parents[1]
TEMPLATES = {"message": 1, "message_number": 2, "say": 1, "say_number": 2, "LostError": 1} | dict.fromkeys(
    ("InputError", "NotFoundError", "StoreError", "ChangedError", "TooLargeError", "NoRoomError"), 1
)


def problems(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    hidden = {inner for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        given = {each.arg for each in node.keywords}
        for template in node.args[: TEMPLATES.get(name, 0)]:
            if isinstance(template, ast.Constant) and node in hidden:
                yield node.lineno, "stands in an f-string"
            if isinstance(template, ast.JoinedStr | ast.BinOp):
                yield node.lineno, "is not one literal"
            elif isinstance(template, ast.Constant) and isinstance(template.value, str) and given and None not in given:
                named = {part for _, part, _, _ in Formatter().parse(template.value) if part is not None}
                if named - given or (given - named and len(node.args) == 1):
                    yield node.lineno, f"names {sorted(named)}, has {sorted(given)}"


def test_templates_are_literals_with_the_parts_they_name():
    found = [
        (file.relative_to(ROOT).as_posix(), *problem)
        for room in ("engines", "storage", "dashboard")
        for file in sorted((ROOT / room).rglob("*.py"))
        for problem in problems(file)
    ]
    assert found == []
