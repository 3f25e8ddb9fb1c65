"""A public function is called by the product, or stands on the API page: what only tests call proves nothing."""

from __future__ import annotations

import ast
import re

from tests.root import ROOT

PRODUCT = [
    *(path for folder in ("schemas", "pipeline", "catalog") for path in sorted((ROOT / folder).rglob("*.py"))),
    ROOT / "cli.py",
]
# what makes the documentation is a user of the product too
SCRIPTS = sorted((ROOT / "docs").glob("*.py"))


def public_functions(source: str) -> set[str]:
    """Functions of a module without a leading underscore; one that is decorated is called by who decorates it."""
    return {
        node.name
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and not registered(node)
    }


def registered(node: ast.FunctionDef) -> bool:
    """Whether a decorator keeps the function: a command of the command line, or a check."""
    called = [one.func if isinstance(one, ast.Call) else one for one in node.decorator_list]
    return any(ast.unparse(one) in ("app.command", "app.callback", "check") for one in called)


def named(source: str) -> set[str]:
    """Every name that the code of a module uses; imports and texts do not count."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.alias) and node.asname:
            found.add(node.name)  # it goes by its other name here
    return found


def on_the_api_page() -> set[str]:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    return {name.rpartition(".")[2] for name in re.findall(r"^\.\. auto\w+:: (\S+)$", text, re.MULTILINE)}


def test_no_public_function_is_there_for_tests_alone():
    texts = {path: path.read_text(encoding="utf-8") for path in [*PRODUCT, *SCRIPTS]}
    used = set().union(*(named(text) for text in texts.values())) | on_the_api_page()
    unused = [
        f"{path.relative_to(ROOT).as_posix()}: {name}"
        for path in PRODUCT
        for name in sorted(public_functions(texts[path]) - used)
    ]
    assert unused == []


def test_one_that_nobody_calls_is_noticed():
    source = "from x import lonely\n@check('a', 'b')\ndef made(): ...\ndef lonely(): ...\ndef used(): ...\nused()\n"
    assert public_functions(source) - named(source) == {"lonely"}
