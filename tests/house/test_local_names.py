"""No local variable is called ``found``: it says what was found. The field of an error, a text, keeps its name."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.root import ROOT

MODULES = [
    ROOT / "cli.py",
    *(path for folder in ("schemas", "pipeline", "catalog") for path in sorted((ROOT / folder).rglob("*.py"))),
]
SAYS_NOTHING = "found"


def _fields(tree: ast.AST) -> set[ast.expr]:
    """The names that class bodies declare as fields."""
    return {
        line.target
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for line in node.body
        if isinstance(line, ast.AnnAssign)
    }


def nameless(source: str) -> Iterator[int]:
    """Lines that call a variable, a function or a parameter of anything but text ``found``."""
    tree = ast.parse(source)
    fields = _fields(tree)
    for node in ast.walk(tree):
        is_variable = isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node not in fields
        if is_variable and node.id == SAYS_NOTHING:
            yield node.lineno
        is_text = isinstance(node, ast.arg) and node.annotation is not None and ast.unparse(node.annotation) == "str"
        if isinstance(node, ast.arg) and node.arg == SAYS_NOTHING and not is_text:
            yield node.lineno
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == SAYS_NOTHING:
            yield node.lineno


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_local_says_what_was_found(path):
    assert list(nameless(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "line",
    [
        "found = 1",
        "found: int = 1",
        "for found in (): pass",
        "a, found = 1, 2",
        "if found := a: pass",
        "with a as found: pass",
        "[found for found in ()]",
        "lambda found: 1",
        "def found(): pass",
        "def other(found: int): pass",
        "def other(*, found=None): pass",
    ],
)
def test_a_nameless_local_is_noticed(line):
    assert set(nameless(f"def function(a):\n    {line}\n")) == {2}


def test_the_words_of_an_error_may_be_called_so():
    error = "class Error:\n    found: str\n\n    def __init__(self, found: str) -> None:\n        self.found = found\n"
    assert not list(nameless(error))
    assert not list(nameless("raise Error(found=text)"))
