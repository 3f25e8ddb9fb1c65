"""A value of more than four fields is built by keyword: two swapped numbers pass every type check."""

from __future__ import annotations

import ast

import pytest

from tests.root import ROOT

MODULES = [path for folder in ("schemas", "pipeline", "catalog") for path in sorted((ROOT / folder).rglob("*.py"))]
AT_MOST = 4


def dataclasses_of(source: str) -> list[tuple[ast.ClassDef, ast.expr]]:
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef):
            for decorator in node.decorator_list:
                called = decorator.func if isinstance(decorator, ast.Call) else decorator
                if ast.unparse(called).endswith("dataclass"):
                    found.append((node, decorator))
    return found


def too_wide(source: str) -> list[str]:
    """Dataclasses that state more than four fields and still take them by position."""
    named = []
    for node, decorator in dataclasses_of(source):
        fields = [line for line in node.body if isinstance(line, ast.AnnAssign) and "ClassVar" not in ast.unparse(line)]
        if len(fields) > AT_MOST and "kw_only=True" not in ast.unparse(decorator):
            named.append(node.name)
    return named


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_wide_values_are_built_by_keyword(path):
    assert too_wide(path.read_text(encoding="utf-8")) == []


def test_a_wide_value_by_position_is_noticed():
    fields = "\n".join(f"    field_{number}: int" for number in range(AT_MOST + 1))
    assert too_wide(f"@dataclass(frozen=True)\nclass Wide:\n{fields}\n") == ["Wide"]
    assert too_wide(f"@dataclass(frozen=True, kw_only=True)\nclass Wide:\n{fields}\n") == []
