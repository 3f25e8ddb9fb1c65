"""The kinds of result are told apart in one place."""

from __future__ import annotations

import ast
from dataclasses import replace

import pytest

from catalog.archive import ByKind, changes_of, elevation_change_of, mass_balance_of
from tests.made.fakes import make_elevation_change_dataset, make_mass_balance_dataset
from tests.root import ROOT

RESULTS = {"ElevationChange", "MassBalance"}


@pytest.fixture(scope="module")
def change():
    return make_elevation_change_dataset((40, 60))


@pytest.fixture(scope="module")
def balance():
    return make_mass_balance_dataset()


def told_apart(source: str) -> list[int]:
    """Lines that ask whether something is a result of one kind."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "isinstance" and len(node.args) == 2
        if RESULTS & {name.id for name in ast.walk(node.args[1]) if isinstance(name, ast.Name)}
    ]


def test_no_other_module_asks_for_the_kind_of_a_result():
    found = {
        path.relative_to(ROOT).as_posix(): lines
        for path in [ROOT / "cli.py", *(ROOT / "catalog").rglob("*.py")]
        if (lines := told_apart(path.read_text(encoding="utf-8")))
    }
    assert list(found) == ["catalog/archive/kinds.py"]
    assert told_apart("isinstance(one, int | MassBalance)") == [1]
    assert told_apart("isinstance(one, (int, ElevationChangeDefinition))") == []


def test_a_result_gets_what_is_its_kinds(change, balance):
    told: ByKind[[str], str] = ByKind(
        elevation_change=lambda result, word: f"{word} of {result.grid.shape}",
        mass_balance=lambda result, word: f"{word} of {result.glacier.glacier_id}",
    )
    assert told(change.result, "change") == "change of (40, 60)"
    assert told(balance.result, word="balance") == "balance of CN5Y741C0051"


def test_a_dataset_of_another_kind_is_refused_where_one_kind_is_needed(change, balance):
    assert elevation_change_of(change) is change.result
    assert mass_balance_of(balance) is balance.result
    with pytest.raises(TypeError, match=f"{balance.definition.id}: not an elevation change"):
        elevation_change_of(balance)
    with pytest.raises(TypeError, match=f"{change.definition.id}: not a mass balance"):
        mass_balance_of(change)


def test_changes_are_named_by_the_years_of_their_pair(change, balance):
    assert changes_of(balance) == {}
    assert list(changes_of(change)) == [""]
    pairs = tuple(replace(change, pair=years) for years in ("2000-2010", "2010-2020"))
    assert list(changes_of(replace(change, pairs=pairs))) == ["2000-2010", "2010-2020"]
