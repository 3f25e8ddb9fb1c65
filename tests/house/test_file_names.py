"""The name of a file of the archive is spelt once: in ``archive/layout.py``, where all of them stand."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

import pytest

from tests.house.import_rules import sources

LAYOUT = "catalog.archive.layout"
SUFFIXES = "cff|css|csv|geojson|html|js|json|jsonld|md|parquet|png|qml|tif|txt|xlsx|xml"
# a path whose last part is a name and not a suffix alone; a sentence that names a file is no path
FILE = re.compile(rf"(?:[^\s/]*/)*([\w-][\w.-]*\.(?:{SUFFIXES}))")
# addresses of others' schemas end in names that are not ours
OTHERS = {"catalog.fetch.plan", "catalog.stac.documents"}
CATALOG = {name: text for name, text in sources().items() if name.split(".")[0] == "catalog" and name not in OTHERS}


def file_names(source: str) -> Iterator[str]:
    """The names of files that a module spells, in whole strings or at the end of paths, docstrings left out."""
    tree = ast.parse(source)
    owners = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    told = {id(node.body[0].value) for node in ast.walk(tree) if isinstance(node, owners) and ast.get_docstring(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            spelt = FILE.fullmatch(node.value)
            if spelt:
                yield spelt[1]


def spelt_elsewhere(modules: Mapping[str, str], home: str = LAYOUT) -> list[str]:
    """Names of the layout that another module spells, and names that several modules spell; each with its modules."""
    places: dict[str, set[str]] = {}
    for module, source in modules.items():
        for name in file_names(source):
            places.setdefault(name, set()).add(module)
    return [
        f"{name} is spelt in {', '.join(sorted(where - {home}))}: take it from {home}"
        for name, where in sorted(places.items())
        if len(where) > 1
    ]


def test_names_of_files_stand_in_the_layout_alone():
    assert spelt_elsewhere(CATALOG) == []


def test_the_layout_names_the_files_of_an_archive():
    names = set(file_names(CATALOG[LAYOUT]))
    assert {"manifest.json", "ncdc.json", "thumbnail.png", "elevation_change.tif", "balance.tif", "map.png"} <= names


@pytest.mark.parametrize(
    "text",
    [
        'NAME = "manifest.json"',
        'path = folder / "manifest.json"',
        'where = "metadata/manifest.json"',
        'where = f"{folder}/manifest.json"',
    ],
)
def test_a_name_of_the_layout_spelt_again_is_found(text):
    modules = {LAYOUT: 'MANIFEST_JSON = "manifest.json"', "catalog.other": text}
    assert spelt_elsewhere(modules) == [f"manifest.json is spelt in catalog.other: take it from {LAYOUT}"]


def test_a_name_that_two_modules_spell_is_found_though_the_layout_lacks_it():
    modules = {LAYOUT: "", "catalog.one": 'METHODS_PNG = "methods.png"', "catalog.two": 'METHODS_PNG = "methods.png"'}
    assert spelt_elsewhere(modules) == [f"methods.png is spelt in catalog.one, catalog.two: take it from {LAYOUT}"]


@pytest.mark.parametrize(
    "text",
    ['"""``manifest.json`` is last."""', '"""manifest.json"""', 'SUFFIX = ".json"', 'say = "see manifest.json"'],
)
def test_a_suffix_a_sentence_and_a_docstring_spell_no_name(text):
    assert spelt_elsewhere({LAYOUT: 'MANIFEST_JSON = "manifest.json"', "catalog.other": text}) == []
