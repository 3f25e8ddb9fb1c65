"""A third definition, of another range: the worked example of the documentation is run and held against the truth.

UTM zone 19 south, ellipsoidal heights, three epochs in one collection, two glaciers with stakes.
"""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
import tomllib
from datetime import date
from pathlib import Path

import pytest

from catalog.archive.opened import Archive, FolderFiles
from catalog.checks import CHECKS
from docs.another_range import GLACIERS, RangeTruth, balance_folder, write_range
from schemas.definition import BadDefinition, ElevationChangeDefinition, parse_definition
from schemas.tables import ELEVATION_CHANGE_TABLES, of_pairs, published_schemas
from tests.root import ROOT

PAGE = (ROOT / "docs/another-range.md").read_text(encoding="utf-8")
COLLECTION = "olivares-elevation-change"
PAIRS = {"2000-2010": (2000, 2010), "2010-2019": (2010, 2019)}


def definition_of(page: str, name: str) -> dict:
    """The definition that the page writes to ``name``."""
    found = re.search(rf"cat > {re.escape(name)} <<'TOML'\n(.*?)\nTOML\n", page, re.DOTALL)
    assert found, name
    return tomllib.loads(found[1])


@pytest.fixture
def raw() -> dict:
    return definition_of(PAGE, "olivares-elevation-change.toml")


# --- the definition -----------------------------------------------------------------------------------------------


def test_each_pair_is_a_definition_of_its_own(raw):
    definition = parse_definition(raw, "x.toml")
    assert isinstance(definition, ElevationChangeDefinition)
    second = definition.of_pair(definition.pairs[1])
    assert [source.key for source in second.sources] == ["earlier", "later", "outlines"]
    assert second.source("earlier").title == "Survey of 2010"
    assert second.source("outlines").files == ("outlines_2010.geojson", "outlines_2019.geojson")
    assert (second.period.start, second.period.end) == (date(2010, 3, 1), date(2019, 3, 15))
    assert second.title.en == "Glacier elevation change of the Olivares basin (rehearsal), 2010\N{EN DASH}2019"


def test_corrections_of_a_pair_are_its_own(raw):
    raw["pairs"][0]["surface_corrections"] = [{"surface": "all", "penetration_earlier_m": 2.0}]
    definition = parse_definition(raw, "x.toml")
    first, second = (definition.of_pair(pair).processing for pair in definition.pairs)
    assert [correction.added_m for correction in first.corrections] == [-2.0]
    assert second.corrections == ()


def without(source: str, key: str):
    return lambda raw: next(one for one in raw["sources"] if one["key"] == source).pop(key)


BAD_PAIRS = {
    "unknown source": (lambda raw: raw["pairs"][0].update(later="dem_2011"), "no source dem_2011"),
    "unknown outlines": (lambda raw: raw["pairs"][0].update(outlines=["old"]), "no source old"),
    "no outlines": (lambda raw: raw["pairs"][0].update(outlines=[]), r"pairs\.0\.outlines: found"),
    "swapped": (lambda raw: raw["pairs"][0].update(earlier="dem_2010", later="dem_2000"), "the earlier DEM first"),
    "no first day": (without("dem_2000", "acquired_start"), "source dem_2000 without acquired_start"),
    "no last day": (without("dem_2019", "acquired_end"), "source dem_2019 without acquired_end"),
    "twice": (lambda raw: raw["pairs"].append(raw["pairs"][0]), "two pairs of 2000-2010"),
    "a date for all": (lambda raw: raw["processing"].update(earlier_date="2000-02-11"), "processing.earlier_date"),
    "a datum for all": (
        lambda raw: raw["processing"].update(vertical_datum_later="EPSG:3855"),
        "vertical_datum_later beside pairs.*at the sources",
    ),
    "corrections for all": (
        lambda raw: raw["processing"].update(surface_corrections=[]),
        "surface_corrections beside pairs.*at the pairs",
    ),
}


@pytest.mark.parametrize(("change", "message"), BAD_PAIRS.values(), ids=BAD_PAIRS)
def test_pairs_that_cannot_be_are_refused(raw, change, message):
    change(raw)
    with pytest.raises(BadDefinition, match=message):
        parse_definition(raw, "x.toml")


@pytest.mark.parametrize(
    ("ours", "theirs", "lost"),
    [
        ("CC-BY-4.0", "CC-BY-NC-SA-4.0", "non-commercial and share-alike"),
        ("CC-BY-SA-4.0", "CC-BY-NC-SA-3.0-IGO", "non-commercial"),
        ("CC-BY-NC-4.0", "CC-BY-SA-4.0", "share-alike"),
        ("CC0-1.0", "ODbL-1.0", "share-alike"),
    ],
)
def test_a_licence_freer_than_a_source_s_is_refused(raw, ours, theirs, lost):
    raw["licence"], raw["sources"][0]["licence"] = ours, theirs
    with pytest.raises(BadDefinition, match=rf"'{ours}' with source dem_2000 .*; expected a licence that is {lost} as"):
        parse_definition(raw, "x.toml")


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("CC-BY-NC-SA-4.0", "CC-BY-NC-SA-4.0"),
        ("other", "CC-BY-NC-SA-4.0"),
        ("CC-BY-4.0", "CC-BY-4.0"),
        ("CC-BY-4.0", "other"),
        ("CC-BY-NC-4.0", "CC-BY-4.0"),
    ],
)
def test_a_licence_that_keeps_the_conditions_is_taken(raw, ours, theirs):
    raw["licence"], raw["sources"][0]["licence"] = ours, theirs
    assert parse_definition(raw, "x.toml").licence == ours


def test_tables_of_several_pairs_have_the_pair_in_their_keys():
    several = published_schemas(several_pairs=True)
    for table in ELEVATION_CHANGE_TABLES:
        assert several[table.name] == of_pairs(table)
        assert several[table.name].primary_key == ("pair", *table.primary_key)
        assert all(key.columns[0] == key.reference_columns[0] == "pair" for key in several[table.name].foreign_keys)
    assert several["quality_gates"] == published_schemas()["quality_gates"]


# --- the worked example, run --------------------------------------------------------------------------------------


def commands() -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def example(tmp_path_factory) -> tuple[Path, RangeTruth]:
    """A folder in which every command of the page was run, and what is true of its invented files."""
    folder, programs = tmp_path_factory.mktemp("example"), tmp_path_factory.mktemp("programs")
    for name, call in (("glacier-archive", f"{ROOT / 'cli.py'} "), ("python", "")):
        (programs / name).write_text(f'#!/bin/sh\nexec {sys.executable} {call}"$@"\n')
        (programs / name).chmod(0o755)
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "CLONE": str(ROOT)}
    for block in commands():
        done = subprocess.run(
            ["bash", "-eu", "-c", block], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
    return folder, write_range(tmp_path_factory.mktemp("again"))


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_each_pair_has_its_item(example):
    folder, truth = example
    collection = json.loads((folder / f"archive/{COLLECTION}/collection.json").read_text(encoding="utf-8"))
    items = sorted(link["href"] for link in collection["links"] if link["rel"] == "item")
    assert items == [f"./elevation-change-{pair}/elevation-change-{pair}.json" for pair in PAIRS]
    # the period of the definition holds all acquisitions, which follow it
    days = [("2000-01-01", "2019-12-31"), ("2000-02-20", "2000-03-10"), ("2010-03-01", "2010-03-20"),
            ("2019-02-25", "2019-03-15")]  # fmt: skip
    intervals = [[f"{first}T00:00:00Z", f"{last}T23:59:59Z"] for first, last in days]
    assert collection["extent"]["temporal"]["interval"] == intervals
    for pair, (first, last) in PAIRS.items():
        name = f"elevation-change-{pair}"
        properties = json.loads((folder / f"archive/{COLLECTION}/{name}/{name}.json").read_text())["properties"]
        assert properties["proj:code"] == "EPSG:32719"
        assert properties["glacier:vertical_datum"]["earlier"] == "EPSG:4979"
        assert {entry["source"] for entry in properties["glacier:inputs"]} == {
            f"{kind}_{year}" for kind in ("dem", "outlines") for year in (first, last)
        }
        # the earlier DEM is brought onto the later one
        expected = [a - b for a, b in zip(truth.shift_m[first], truth.shift_m[last], strict=True)]
        found, sigma = properties["glacier:shift_m"], properties["glacier:sigma_shift_m"]
        for direction, value in zip(("east", "north"), expected, strict=False):
            assert found[direction] == pytest.approx(value, abs=max(0.15, 3 * sigma[direction]))


@pytest.mark.slow
def test_changes_are_the_true_ones_within_their_sigma(example):
    folder, truth = example
    table = rows(folder / f"archive/{COLLECTION}/tables/glaciers.csv")
    assert {(row["pair"], row["glacier_id"]) for row in table} == {
        (pair, glacier.glacier_id) for pair in PAIRS for glacier in GLACIERS
    }
    errors = []
    for row in table:
        true = truth.mean_dh_m[PAIRS[row["pair"]]][row["glacier_id"]]
        errors.append((float(row["mean_dh_m"]) - true) / float(row["sigma_mean_dh_m"]))
        assert float(row["area_later_km2"]) < float(row["area_earlier_km2"])
        assert row["flags"] == ""
    assert max(map(abs, errors)) < 3
    assert sum(abs(error) < 2 for error in errors) >= 6


@pytest.mark.slow
def test_balances_of_both_glaciers_are_the_true_ones_within_their_sigma(example):
    folder, truth = example
    errors = []
    for glacier in (one for one in GLACIERS if one.stakes):
        table = rows(folder / "archive" / balance_folder(glacier) / "tables/glacier_balances.csv")
        found = {int(row["year"]): row for row in table}
        for year, true in truth.annual_m_we[glacier.glacier_id].items():
            row = found[year]
            assert row["glacier_id"] == glacier.glacier_id
            assert (row["begin_date"], row["end_date"]) == (f"{year - 1}-03-30", f"{year}-03-30")
            errors.append((float(row["annual_balance_m_we"]) - true) / float(row["sigma_annual_m_we"]))
    assert len(errors) == 8
    assert max(map(abs, errors)) < 3


@pytest.mark.slow
def test_a_first_look_says_what_the_archive_says(example):
    """Not to the digit: the definition's extent cuts the terrain on which the two runs rest."""
    folder, _ = example
    of_run = {row["glacier_id"]: float(row["mean_dh_m"]) for row in rows(folder / "try-change/tables/glaciers.csv")}
    table = rows(folder / f"archive/{COLLECTION}/tables/glaciers.csv")
    first = [row for row in table if row["pair"] == "2000-2010"]
    assert len(first) == len(GLACIERS)
    for row in first:
        sigma = float(row["sigma_mean_dh_m"])
        assert of_run[row["glacier_id"]] == pytest.approx(float(row["mean_dh_m"]), abs=1.5 * sigma)
    known = [row for row in rows(folder / "try-balance/tables/glacier_balances.csv") if row["annual_balance_m_we"]]
    assert len(known) == 4


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "row", "column", "value", "check"),
    [
        ("glaciers", 5, "mean_dh_m", "-9.999", "glaciers-in-geojson"),
        ("glaciers", 5, "pair", "2000-2010", "table-primary-keys"),
        ("glaciers", 5, "pair", "2000", "table-cells"),
        ("quality_gates", 1, "value", "0.5999", "gates-follow-data"),
        ("elevation_bands", 1, "lower_m", "9000", "zones-in-order"),
    ],
)
def test_a_damage_to_one_pair_is_found(example, name, row, column, value, check):
    archive = example[0] / "archive"
    path = archive / f"{COLLECTION}/tables/{name}.csv"
    whole = path.read_bytes()
    table = rows(path)
    table[row][column] = value
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(table[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(table)
        (judged,) = (one(Archive(FolderFiles(archive))) for one in CHECKS if one.name == check)
    finally:
        path.write_bytes(whole)
    assert not judged.passed
