"""Imports go one way, schemas <- pipeline <- catalog <- cli.py, and down the chapters; nothing reads the truth."""

from __future__ import annotations

import ast
from importlib import import_module
from types import ModuleType

import pytest

from tests.house.import_rules import FLOORS, circles, past_the_face, sources, wrong_floors, wrong_packages
from tests.root import ROOT

TRUTH = ("urumqi_truth", "kuitun_truth")
SOURCES = sources()
HOUSES_WITH_FACES = tuple(FLOORS)
FACES = [
    name
    for house, floors in FLOORS.items()
    for name in (f"{house}.{room}" for floor in floors for room in floor)
    if "lazy_names" in SOURCES.get(name, "")
]


def test_imports_go_one_way():
    assert wrong_packages(SOURCES) == []


@pytest.mark.parametrize("house", FLOORS)
def test_a_chapter_imports_chapters_below_it(house):
    assert wrong_floors(SOURCES, house, FLOORS[house]) == []


@pytest.mark.parametrize("house", HOUSES_WITH_FACES)
def test_a_chapter_is_known_by_its_face_alone(house):
    assert past_the_face(SOURCES, house) == []


@pytest.mark.parametrize("house", FLOORS)
def test_who_stands_outside_a_house_knows_the_faces_of_its_rooms_alone(house):
    outside = [wrong for wrong in past_the_face(SOURCES, house) if not wrong.startswith((f"{house}.", f"{house}:"))]
    assert outside == []


@pytest.mark.parametrize("name", FACES)
def test_a_face_lists_the_names_that_it_gives(name):
    """In its list, for the type checker, and from the modules where they are found."""
    face = import_module(name)
    hinted = [
        alias.name
        for node in ast.walk(ast.parse(SOURCES[name]))
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith(f"{name}.")
        for alias in node.names
    ]
    assert sorted(face.__all__) == sorted(hinted)
    for public in face.__all__:
        assert not isinstance(getattr(face, public), ModuleType), public


def test_no_modules_import_each_other_in_a_circle():
    assert circles(SOURCES) == []


@pytest.mark.parametrize("name", SOURCES)
def test_no_product_code_knows_the_truth(name):
    """It lies with the tests, which no product code may import; nor may any name it, for ``import_module`` would do."""
    assert not [truth for truth in TRUTH if truth in SOURCES[name]]


def test_no_module_is_a_drawer_for_odds_and_ends():
    odd = {"utils", "helpers", "misc", "common", "util"}
    assert not [name for name in SOURCES if odd & set(name.split("."))]


def test_every_file_of_the_product_is_read():
    files = [path for package in ("schemas", "pipeline", "catalog") for path in (ROOT / package).rglob("*.py")]
    assert len(SOURCES) == len(files) + 1 > 250


# --- each rule finds what breaks it -------------------------------------------------------------------------------

HOUSE = {
    "schemas": "",
    "pipeline": "",
    "catalog": "",
    "catalog.low": "from catalog.low.inner import VALUE",
    "catalog.low.inner": "VALUE = 1",
    "catalog.high": "from catalog.high.inner import VALUE",
    "catalog.high.inner": "from catalog.low import VALUE",
    "cli": "from catalog.high import VALUE",
}
TWO_FLOORS = (("low",), ("high",))


def changed(**texts: str) -> dict[str, str]:
    """The sound house with other text in some of its modules; ``catalog__low`` stands for ``catalog.low``."""
    return HOUSE | {name.replace("__", "."): text for name, text in texts.items()}


def test_a_sound_house_breaks_no_rule():
    assert wrong_packages(HOUSE) == []
    assert wrong_floors(HOUSE, "catalog", TWO_FLOORS) == []
    assert past_the_face(HOUSE, "catalog") == []
    assert circles(HOUSE) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pipeline", "from catalog.low.inner import VALUE"),
        ("schemas", "import pipeline"),
        ("catalog__low__inner", "def late():\n    import cli"),
        ("catalog__low__inner", "from tests.root import ROOT"),
        ("cli", "import benchmarks.region"),
    ],
)
def test_an_import_against_the_packages_is_found(name, text):
    assert [one.split(":")[0] for one in wrong_packages(changed(**{name: text}))] == [name.replace("__", ".")]


@pytest.mark.parametrize(
    "text",
    [
        "from catalog.high.inner import VALUE",
        "from catalog.high import inner",
        "import catalog.high.inner",
        "def late():\n    from catalog.high.inner import VALUE",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from catalog.high.inner import VALUE",
        "from catalog import VALUE",
    ],
)
def test_an_import_of_a_higher_floor_is_found_wherever_it_stands(text):
    (wrong,) = wrong_floors(changed(catalog__low__inner=text), "catalog", TWO_FLOORS)
    assert wrong.startswith("catalog.low.inner:")


@pytest.mark.parametrize("text", ["from catalog.low.inner import VALUE", "from catalog.low import inner"])
@pytest.mark.parametrize("name", ["catalog__high__inner", "cli"])
def test_an_import_past_a_face_is_found(name, text):
    (wrong,) = past_the_face(changed(**{name: text}), "catalog")
    assert wrong == f"{name.replace('__', '.')}:1 imports catalog.low.inner: ask catalog.low"


def test_rooms_of_one_floor_do_not_know_each_other():
    (wrong,) = wrong_floors(HOUSE, "catalog", (("low", "high"),))
    assert wrong.startswith("catalog.high.inner:1 imports catalog.low:")


def test_a_room_without_a_floor_and_a_floor_without_its_room_are_found():
    assert wrong_floors(changed(catalog__new=""), "catalog", TWO_FLOORS) == [
        "catalog.new has no floor: say where it stands"
    ]
    assert wrong_floors(HOUSE, "catalog", (*TWO_FLOORS, ("gone",))) == [
        "catalog.gone stands on a floor and is not there"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "from catalog.high.inner import VALUE",
        "def late():\n    from catalog.high.inner import VALUE",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from catalog.high.inner import VALUE",
    ],
)
def test_a_circle_is_found_though_a_function_or_a_type_hint_hides_it(text):
    assert circles(changed(catalog__low__inner=text)) == [["catalog.high.inner", "catalog.low", "catalog.low.inner"]]


def test_a_circle_over_many_modules_is_found_once():
    over_many = changed(catalog__low__inner="import cli")
    assert circles(over_many) == [["catalog.high", "catalog.high.inner", "catalog.low", "catalog.low.inner", "cli"]]


def test_a_relative_import_is_refused():
    with pytest.raises(ValueError, match=r"catalog\.low\.inner:1: a relative import hides where it goes"):
        circles(changed(catalog__low__inner="from . import inner"))
