"""Imports go one way, schemas <- pipeline <- catalog <- cli.py, and nothing reads the sample's truth."""

from __future__ import annotations

import ast

import pytest

from tests.root import ROOT

MAY_IMPORT = {
    "schemas": {"schemas"},
    "pipeline": {"schemas", "pipeline"},
    "catalog": {"schemas", "pipeline", "catalog"},
    "cli": {"schemas", "pipeline", "catalog"},
}
OURS = {*MAY_IMPORT, "tests", "benchmarks"}
TRUTH = ("urumqi_truth", "kuitun_truth")


def modules():
    for package in ("schemas", "pipeline", "catalog"):
        yield from sorted((ROOT / package).rglob("*.py"))
    yield ROOT / "cli.py"


def imported(path):
    """Full names of all that a module imports, wherever the import stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import hides where it goes"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
            yield str(node.module)


def name_of(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


@pytest.mark.parametrize("path", list(modules()), ids=name_of)
def test_imports_go_one_way(path):
    package = path.relative_to(ROOT).parts[0].removesuffix(".py")
    ours = {name.split(".")[0] for name in imported(path)} & OURS
    assert ours <= MAY_IMPORT[package]


@pytest.mark.parametrize("path", list(modules()), ids=name_of)
def test_no_product_code_knows_the_truth(path):
    """It lies with the tests, which no product code may import; nor may any name it, for ``import_module`` would do."""
    text = path.read_text(encoding="utf-8")
    assert not [name for name in TRUTH if name in text]


def test_no_module_is_a_drawer_for_odds_and_ends():
    odd = {"utils", "helpers", "misc", "common", "util"}
    assert not [path for path in modules() if odd & {part.removesuffix(".py") for part in path.parts}]
