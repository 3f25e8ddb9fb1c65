"""Several glaciers in one workbook and in one outline file: each row finds its glacier, each glacier its own result."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import openpyxl
import pytest
from shapely.geometry import box, mapping

from catalog.build.definitions import default_definitions
from catalog.build.production import produce
from catalog.runs.balance_of_several import folder_names, wgms_together
from pipeline.mass_balance.chain import mass_balance
from pipeline.mass_balance.fieldwork.read import RefusedFieldData, read_field_data, read_glaciers
from pipeline.mass_balance.ground.surveyed_outlines import KnownBy, read_surveyed_outlines
from pipeline.resources import open_resources
from schemas.errors import BadInput, ManyBadInputs
from schemas.settings import MassBalanceSettings
from schemas.tables import MASS_BALANCE_TABLES, of_glaciers
from tests.made.command_line import run
from tests.made.field_workbook import Sheets, sheets, write_folder, write_workbook
from tests.pipeline.mass_balance.ground.test_surveyed_outlines import write_dem

CRS = "EPSG:32645"
FAR_M = 8_000
# where a header stands in the sheets of the one glacier
_HEADER = {"stakes": 1, "readings": 0, "snow_pits": 0, "pit_layers": 0, "hypsometry": 0}
_OTHER = ["T2", "Other glacier", 87.105, 43.344, CRS]


def other_glacier() -> Sheets:
    """A second glacier of the same form, 8 km to the east: stakes of the same numbers, 20 cm more ablation at each."""
    tables = sheets()
    tables["glacier"][1] = list(_OTHER)
    for row in tables["stakes"][2:]:
        row[1] += FAR_M
    for row in tables["readings"][1:]:
        if row[3] is not None and "2004" in str(row[2]):
            row[3] += 20
    tables["snow_pits"][1][0] = tables["pit_layers"][1][0] = tables["pit_layers"][2][0] = "P2"
    return tables


def both(column: str = "glacier_id", only: tuple[str, ...] = tuple(_HEADER)) -> Sheets:
    """Both glaciers in one workbook; the sheets of ``only`` name the glacier of each row in ``column``."""
    first, second = sheets(), other_glacier()
    tables: Sheets = {"glacier": [*first["glacier"], second["glacier"][1]]}
    for name, header in _HEADER.items():
        tables[name] = first[name][: header + 1]
        for glacier, rows in (("T1", first[name]), ("T2", second[name])):
            records = [row for row in rows[header + 1 :] if any(cell is not None for cell in row)]
            tables[name] += [[*row, glacier] if name in only else row for row in records]
        if name in only:
            tables[name][header] = [*tables[name][header], column]
    return tables


def numbers(result) -> list[tuple[object, ...]]:
    return [(year.year, year.annual_m_we, year.sigma_annual_m_we, year.ela_m) for year in result.years]


@pytest.mark.parametrize("column", ["glacier_id", "Glacier", "冰川", "glacier_name"])
def test_each_glacier_is_read_as_from_a_workbook_of_its_own(tmp_path, column) -> None:
    together = read_glaciers(write_workbook(tmp_path / "both.xlsx", both(column)))
    alone = [
        read_field_data(write_workbook(tmp_path / f"{name}.xlsx", tables))
        for name, tables in (("first", sheets()), ("second", other_glacier()))
    ]
    assert [data.glacier for data in together] == [data.glacier for data in alone]
    for found, wanted in zip(together, alone, strict=True):
        for name in ("stakes", "readings", "snow_pits", "pit_layers", "probings", "hypsometry", "zone_balances"):
            assert getattr(found, name).equals(getattr(wanted, name)), name
        settings = MassBalanceSettings()
        assert numbers(mass_balance(found, settings)) == numbers(mass_balance(wanted, settings))
    assert together[0].stakes["easting"].tolist() != together[1].stakes["easting"].tolist()


def test_a_folder_of_csv_files_is_the_same(tmp_path) -> None:
    folder = read_glaciers(write_folder(tmp_path / "field", both()))
    book = read_glaciers(write_workbook(tmp_path / "both.xlsx", both()))
    assert [data.readings.equals(other.readings) for data, other in zip(folder, book, strict=True)] == [True, True]


def test_a_row_can_leave_its_glacier_to_the_stake_or_pit(tmp_path) -> None:
    tables = both(only=("stakes", "hypsometry"))
    for rows in (tables["stakes"][6:], tables["readings"][9:], tables["snow_pits"][2:]):
        for row in rows:  # the stakes of the other glacier: 21 to 24
            place = 2 if rows[0][0] == "P2" else 0
            row[place] = 20 + row[place]
    first, second = read_glaciers(write_workbook(tmp_path / "both.xlsx", tables))
    assert sorted(set(first.readings["stake_id"])) == ["1", "2", "3", "4"]
    assert sorted(set(second.readings["stake_id"])) == ["21", "22", "23", "24"]
    assert (second.snow_pits["pit_id"].tolist(), second.pit_layers["bottom_m"].tolist()) == (["P2"], [0.3, 0.9])
    assert second.origins["readings"][0] == "readings!10"


def test_notes_are_those_of_the_glacier_and_of_the_headers(tmp_path) -> None:
    first, second = read_glaciers(write_workbook(tmp_path / "both.xlsx", both()))
    for data, own, foreign in ((first, "C3", "C11"), (second, "C11", "C3")):
        cells = {note.cell for note in data.corrections if note.sheet == "readings"}
        assert {own, "D1"} <= cells
        assert foreign not in cells


def test_one_is_picked_by_identifier_or_name(tmp_path) -> None:
    path = write_workbook(tmp_path / "both.xlsx", both())
    assert read_field_data(path, glacier="T2").glacier.name == "Other glacier"
    assert read_field_data(path, glacier="other  GLACIER").glacier.glacier_id == "T2"
    with pytest.raises(BadInput, match=r"found no glacier 'T3'; expected one of its glaciers: T1, T2"):
        read_field_data(path, glacier="T3")
    with pytest.raises(BadInput, match=r"found 2 glaciers: T1, T2; expected one glacier"):
        read_field_data(path)


def test_the_one_glacier_of_a_workbook_answers_to_its_name_alone(tmp_path) -> None:
    path = write_workbook(tmp_path / "one.xlsx", sheets())
    assert read_field_data(path, glacier="Test glacier").glacier.glacier_id == "T1"
    with pytest.raises(BadInput, match=r"found no glacier 'T2'; expected one of its glaciers: T1"):
        read_field_data(path, glacier="T2")


def test_errors_of_another_glacier_do_not_hinder(tmp_path) -> None:
    tables = both()
    tables["readings"][-1][3] = "about 230"
    path = write_workbook(tmp_path / "both.xlsx", tables)
    assert len(read_field_data(path, glacier="T1").readings) == 8
    for read in (read_glaciers, lambda path: read_field_data(path, glacier="T2")):
        with pytest.raises(RefusedFieldData, match=r"cell D17: found 'about 230'"):
            read(path)


def test_a_glacier_without_observation_is_left_out_and_said(tmp_path) -> None:
    tables = both()
    tables["glacier"].append(["T3", "Third glacier", 87.2, 43.3, None])
    path = write_workbook(tmp_path / "both.xlsx", tables)
    glaciers = read_glaciers(path)
    assert [data.glacier.glacier_id for data in glaciers] == ["T1", "T2"]
    for data in glaciers:
        assert [(n.cell, n.used) for n in data.corrections if "T3" in n.found] == [("A4", "left out")]
    with pytest.raises(BadInput, match="found no observation of the glacier 'T3'"):
        read_field_data(path, glacier="T3")


def without_column(name: str):
    return both(only=tuple(sheet for sheet in _HEADER if sheet != name))


def changed(name: str, row: int, column: int, value: object):
    tables = both()
    tables[name][row][column] = value
    return tables


@pytest.mark.parametrize(
    ("tables", "messages"),
    [
        (
            without_column("readings"),
            [
                r"sheet readings: cell A2: found no glacier_id; expected its glacier: 'T1', 'T2' each have a stake 1",
                r"sheet readings: cell A17: found no glacier_id; expected its glacier: 'T1', 'T2' each have a stake 4",
            ],
        ),
        (without_column("stakes"), [r"sheet stakes: cell A3: found no column 'glacier_id'; expected glacier_id: one"]),
        (without_column("hypsometry"), [r"sheet hypsometry: cell A2: found no column 'glacier_id'"]),
        (changed("stakes", 2, 4, None), [r"sheet stakes: cell E3: found an empty cell; expected glacier_id: one of"]),
        (
            changed("stakes", 2, 4, "T9"),
            [r"sheet stakes: cell E3: found glacier 'T9'; expected a glacier of the sheet 'glacier': 'T1', 'T2'"],
        ),
        (changed("readings", 1, 0, 7), [r"sheet readings: cell A2: found stake '7'; expected a stake of the sheet"]),
    ],
    ids=["readings", "stakes", "bands", "an empty cell", "a stranger", "no such stake"],
)
def test_a_row_that_belongs_nowhere_is_named(tmp_path, tables, messages) -> None:
    with pytest.raises(ManyBadInputs) as caught:
        read_glaciers(write_workbook(tmp_path / "both.xlsx", tables))
    said = [str(error) for error in caught.value.errors]
    for message in messages:
        assert sum(re.search(message, line) is not None for line in said) == 1, said


def test_one_glacier_may_be_called_otherwise_but_not_be_two(tmp_path) -> None:
    tables = sheets()
    tables["stakes"][1].append("glacier")
    for row in tables["stakes"][2:]:
        row.append("No. 1")
    data = read_field_data(write_workbook(tmp_path / "one.xlsx", tables))
    assert ("stakes", "E3", "No. 1", "glacier T1") in {(n.sheet, n.cell, n.found, n.used) for n in data.corrections}
    tables["stakes"][2][-1] = "No. 2"
    with pytest.raises(ManyBadInputs, match=r"cell E3: found glacier 'No. 2'; expected a glacier of the sheet"):
        read_field_data(write_workbook(tmp_path / "two.xlsx", tables))


# --- outlines -----------------------------------------------------------------------------------------------------

HERE, THERE = box(500_200, 4_798_600, 501_000, 4_799_600), box(508_200, 4_798_600, 508_900, 4_799_600)
STAKE_POSITIONS = [[500_300.0, 4_798_800.0], [500_600.0, 4_799_100.0]]


def outline_of(tmp_path: Path, first: dict, second: dict, known_by: KnownBy, glacier_id: str = "T1") -> float:
    """Area (m2) of the outline that is taken of a file with two polygons."""
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32645"}}
    features = [
        {"type": "Feature", "properties": own, "geometry": mapping(shape)}
        for shape, own in ((HERE, first), (THERE, second))
    ]
    path = tmp_path / "o.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "crs": crs, "features": features}))
    (outline,) = read_surveyed_outlines(path, glacier_id, CRS, known_by).values()
    return float(outline.area)


def known(*positions: list[float], name: str = "") -> KnownBy:
    import numpy as np

    return KnownBy(name, np.array(positions).reshape(-1, 2))


@pytest.mark.parametrize(
    ("first", "second", "known_by"),
    [
        ({"rgi_id": "T1"}, {"rgi_id": "T2"}, known([508_500.0, 4_799_000.0])),
        ({"rgi_id": "R1", "Name": "test GLACIER "}, {"rgi_id": "R2", "Name": "Other"}, known(name="Test glacier")),
        ({"rgi_id": "R1"}, {"rgi_id": "R2"}, known(*STAKE_POSITIONS)),
        ({"Glc_Name": "A"}, {"Glc_Name": "B"}, known(*STAKE_POSITIONS)),
        ({"rgi_id": "R1"}, {"rgi_id": None}, known(*STAKE_POSITIONS)),
    ],
    ids=["identifier", "name", "points", "points among names", "points, a neighbour without identifier"],
)
def test_one_of_several_outlines_is_taken(tmp_path, first, second, known_by) -> None:
    assert outline_of(tmp_path, first, second, known_by) == pytest.approx(HERE.area)


def test_polygons_that_nothing_tells_apart_are_one_glacier(tmp_path) -> None:
    taken = outline_of(tmp_path, {"id": 1}, {"id": 2}, known(*STAKE_POSITIONS))
    assert taken == pytest.approx(HERE.area + THERE.area)


@pytest.mark.parametrize(
    ("known_by", "message"),
    [
        (known(*STAKE_POSITIONS, [508_500.0, 4_799_000.0]), r"2 glaciers \(R1, R2\), .*, and points of it on R1, R2;"),
        (known([504_000.0, 4_799_000.0]), r"2 glaciers \(R1, R2\), .*, and none of its points within; expected one"),
        (known(), r"and no points to go by; .*; write its identifier into the file"),
    ],
)
def test_outlines_that_leave_it_open_are_refused(tmp_path, known_by, message) -> None:
    with pytest.raises(BadInput, match=message):
        outline_of(tmp_path, {"rgi_id": "R1"}, {"rgi_id": "R2"}, known_by)


def test_the_outline_of_another_glacier_is_refused(tmp_path) -> None:
    match = r"an outline, not named as 'T1', and none of its points within; .*outline of another glacier"
    with pytest.raises(BadInput, match=match):
        outline_of(tmp_path, {"rgi_id": "R1"}, {"rgi_id": "R1"}, known([504_000.0, 4_799_000.0]))


# --- the results --------------------------------------------------------------------------------------------------


def test_folders_are_told_apart() -> None:
    names = folder_names(["CN5Y741C0051", "a/b", "a b", "../..", "all_glaciers", "冰川"])
    assert list(names.values()) == ["CN5Y741C0051", "a-b", "a-b-2", "glacier", "all_glaciers-2", "冰川"]
    assert list(folder_names(["con", "NUL.1", "console"]).values()) == ["glacier-con", "glacier-NUL.1", "console"]


def test_keys_of_the_tables_together_hold_the_glacier() -> None:
    for table in MASS_BALANCE_TABLES:
        owned = of_glaciers(table)
        assert owned.primary_key == ("glacier_id", *(name for name in table.primary_key if name != "glacier_id"))
        assert all(key.columns[0] == key.reference_columns[0] == "glacier_id" for key in owned.foreign_keys)


def test_glaciers_of_one_name_are_told_apart_in_the_exports(tmp_path) -> None:
    tables = both()
    tables["glacier"][2][1] = "TEST glacier"
    glaciers = read_glaciers(write_workbook(tmp_path / "both.xlsx", tables))
    results = [mass_balance(data, MassBalanceSettings()) for data in glaciers]
    exports = wgms_together(results)
    _, balances = exports["fog2023_mass_balance"]
    assert set(balances["NAME"]) == {"TEST GLACIER (T1)", "TEST GLACIER (T2)"}
    assert not balances.duplicated(["NAME", "YEAR", "LOWER_BOUND", "UPPER_BOUND"]).any()


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.slow
def test_a_run_over_both_is_the_two_runs_and_their_tables_together(tmp_path) -> None:
    book = write_workbook(tmp_path / "both.xlsx", both())
    out = tmp_path / "out"
    done = run("balance", book, "--out", out, "--json", "--quiet")
    assert done.code == 0, done.err
    said = json.loads(done.out)
    assert list(said) == ["glaciers", "outputs"]
    alone = run("balance", book, "--out", tmp_path / "alone", "--glacier", "T2", "--json", "--quiet")
    one = json.loads(alone.out)
    assert {**said["glaciers"][1], "outputs": None} == {**one, "outputs": None}
    assert list(said["glaciers"][1]["outputs"]) == list(one["outputs"])
    for files in (said["outputs"], *(glacier["outputs"] for glacier in said["glaciers"])):
        assert files
        assert all(Path(path).is_file() for path in files.values())
    for path in sorted((tmp_path / "alone/tables").iterdir()):
        assert path.read_bytes() == (out / "T2/tables" / path.name).read_bytes(), path.name
        together = rows_of(out / "all_glaciers" / path.name)
        if not path.name.startswith("fog"):
            own = [{name: row[name] for name in row} for row in together if row["glacier_id"] == "T2"]
            wanted = [{"glacier_id": "T2", **row} for row in rows_of(path)]
            assert sorted(map(str, own)) == sorted(str({name: row[name] for name in together[0]}) for row in wanted)
        else:
            parts = [rows_of(out / glacier / "tables" / path.name) for glacier in ("T1", "T2")]
            assert sorted(map(str, together)) == sorted(map(str, parts[0] + parts[1]))
    sheet = openpyxl.load_workbook(out / "all_glaciers/results.xlsx")["glacier_balances"]
    assert {sheet.cell(row, 1).value for row in range(3, sheet.max_row + 1)} == {"T1", "T2"}
    listed = {file["path"] for file in json.loads((out / "manifest.json").read_text())["files"]}
    assert {"T1/summary.json", "all_glaciers/glacier_balances.csv"} <= listed
    traced = run("trace", out, "--year", "2004", "--collection", "T2", "--json")
    assert json.loads(traced.out)["facts"]["glacier"] == "T2"
    assert "T1, T2" in run("trace", out, "--year", "2004").err


@pytest.mark.slow
def test_what_one_of_them_lacks_is_said_of_it(tmp_path) -> None:
    book = write_workbook(tmp_path / "both.xlsx", both())
    done = run("balance", book, "--out", tmp_path / "out", "--dem", tmp_path / "no.tif", "--quiet")
    assert done.code == 2
    assert "glacier T1: glacier surface: found a DEM without an outline" in done.err
    assert "glacier T2: glacier surface: found a DEM without an outline" in done.err
    assert not (tmp_path / "out").exists()


def test_a_definition_names_its_glacier(tmp_path) -> None:
    definition = default_definitions()[1]
    write_workbook(tmp_path / "both.xlsx", both())
    feature = {"type": "Feature", "properties": {"id": "T1"}, "geometry": mapping(HERE)}
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32645"}}
    (tmp_path / "o.geojson").write_text(json.dumps({"type": "FeatureCollection", "crs": crs, "features": [feature]}))
    names = {"workbook": "both.xlsx", "dem": write_dem(tmp_path / "dem.tif").name, "outline": "o.geojson"}
    sources = [one.model_copy(update={"files": (names[one.key],)}) for one in definition.sources if one.key in names]
    folder = tmp_path / definition.id
    folder.mkdir()
    for name in names.values():
        (tmp_path / name).rename(folder / name)
    chosen = definition.model_copy(update={"sources": tuple(sources), "glacier": "Test glacier"})
    with open_resources(1, None, 10**9) as resources:
        found = produce(chosen, tmp_path, resources, synthetic=False)
        with pytest.raises(BadInput, match=r"both\.xlsx: found 2 glaciers: T1, T2; expected one glacier"):
            produce(chosen.model_copy(update={"glacier": ""}), tmp_path, resources, synthetic=False)
    assert found.result.glacier.glacier_id == "T1"
    assert [year.year for year in found.result.years] == [2004]
