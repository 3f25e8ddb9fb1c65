"""The synthetic sample of Glacier No. 51: what is claimed of it, and that its readings hold its truth."""

from __future__ import annotations

import ast
import hashlib
import itertools
import json
import zipfile
from collections import Counter
from datetime import date, datetime
from pathlib import Path

import numpy as np
import openpyxl
import pytest
import rasterio
from pyproj import Geod
from rasterio.features import geometry_mask
from rasterio.warp import transform_geom
from shapely.geometry import shape

from pipeline.grid import project_points
from pipeline.sample.kuitun import write_kuitun_inputs
from pipeline.sample.kuitun_fieldwork import fieldwork
from schemas.tables import WORKBOOK
from tests.made.kuitun_truth import KuitunTruth, kuitun_truth, write_kuitun_truth
from tests.root import ROOT

# seconds of drawing or computing each
pytestmark = pytest.mark.slow

SURVEYS = {"kuitun51_dem_2000.tif", "kuitun51_dem_2011.tif"}
NAMES = {"README.txt", "kuitun51_dem.tif", "kuitun51_field_workbook.xlsx", "kuitun51_outline.geojson", *SURVEYS}
SEED = 1999


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kuitun")
    write_kuitun_inputs(folder)
    return folder


@pytest.fixture(scope="module")
def truth() -> KuitunTruth:
    return kuitun_truth()


@pytest.fixture(scope="module")
def book(inputs: Path) -> openpyxl.Workbook:
    return openpyxl.load_workbook(inputs / "kuitun51_field_workbook.xlsx")


def hashes(folder: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.iterdir())}


def parsed_date(value: object) -> date:
    if isinstance(value, datetime):
        return value.date()
    for form in ("%Y-%m-%d", "%d %b %Y", "%d %B %Y", "%Y.%m.%d"):
        try:
            return datetime.strptime(str(value), form).date()
        except ValueError:
            continue
    raise AssertionError(f"no date: {value!r}")


def rows_of(book: openpyxl.Workbook, name: str) -> list[dict[str, object]]:
    """The records of a sheet by its typed headers; merged cells hold for all their rows."""
    sheet = book[name]
    merged = {
        row: sheet.cell(block.min_row, 1).value
        for block in sheet.merged_cells.ranges
        if block.max_row > block.min_row
        for row in range(block.min_row, block.max_row + 1)
    }
    head = next(row for row in range(1, 6) if sum(sheet.cell(row, c).value is not None for c in range(1, 8)) >= 3)
    header = [cell.value for cell in sheet[head]]
    records = []
    for number in range(head + 1, sheet.max_row + 1):
        values = [cell.value for cell in sheet[number]]
        if any(value is not None for value in values):
            values[0] = merged.get(number, values[0])
            records.append(dict(zip(header, values, strict=True)))
    return records


def number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


# --- files -------------------------------------------------------------------------------------------------------


def test_bytes_are_the_same_on_each_run(inputs: Path, tmp_path: Path) -> None:
    write_kuitun_inputs(tmp_path / "again", SEED)
    assert hashes(tmp_path / "again") == hashes(inputs)


def test_workbook_carries_no_clock(inputs: Path) -> None:
    with zipfile.ZipFile(inputs / "kuitun51_field_workbook.xlsx") as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        core = archive.read("docProps/core.xml").decode()
    assert core.count("2012-01-01T00:00:00Z") == 2


def test_another_seed_changes_the_readings_and_the_surveys_only(inputs: Path, tmp_path: Path) -> None:
    write_kuitun_inputs(tmp_path, 7)
    changed = {name for name, value in hashes(tmp_path).items() if value != hashes(inputs)[name]}
    assert changed == {"kuitun51_field_workbook.xlsx", *SURVEYS}


def test_inputs_hold_no_truth(inputs: Path) -> None:
    assert {file.name for file in inputs.iterdir()} == NAMES


def test_everything_is_called_synthetic(inputs: Path, book: openpyxl.Workbook) -> None:
    assert "SYNTHETIC" in (inputs / "README.txt").read_text(encoding="utf-8").splitlines()[0]
    for name in ("kuitun51_dem.tif", *SURVEYS):
        with rasterio.open(inputs / name) as dem:
            assert dem.tags()["SYNTHETIC"] == "YES"
    assert "SYNTHETIC" in (inputs / "kuitun51_outline.geojson").read_text(encoding="utf-8")
    assert "SYNTHETIC" in book.properties.title
    assert "SYNTHETIC" in book["README"]["A1"].value
    assert all("SYNTHETIC" in book[name]["A1"].value for name in ("glacier", "stakes", "readings", "snow_pits"))


def test_write_truth(truth: KuitunTruth, tmp_path: Path) -> None:
    write_kuitun_truth(tmp_path)
    fields = np.load(tmp_path / "kuitun51_truth.npz")
    years = json.loads((tmp_path / "kuitun51_truth.json").read_text(encoding="utf-8"))["years"]
    for year, stated in zip(truth.years, years, strict=True):
        assert np.nanmean(fields[f"annual_{year.year}"]) == pytest.approx(stated["annual_m_we"], abs=1e-9)


# --- no pipeline code reads the truth ------------------------------------------------------------------------------


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def code_files() -> list[Path]:
    files = [file for package in ("schemas", "pipeline", "catalog") for file in (ROOT / package).rglob("*.py")]
    return files + [file for file in (ROOT / "cli.py",) if file.exists()]


def test_only_tests_name_the_files_of_the_truth() -> None:
    assert [file.name for file in code_files() if "kuitun51_truth" in file.read_text(encoding="utf-8")] == []


def test_the_chains_do_not_import_the_sample() -> None:
    for package in ("mass_balance", "elevation_change"):
        for file in (ROOT / "pipeline" / package).rglob("*.py"):
            assert not any(name.startswith("pipeline.sample") for name in imported(file)), file


# --- terrain -------------------------------------------------------------------------------------------------------


def test_glacier_has_its_known_geometry(inputs: Path) -> None:
    feature = json.loads((inputs / "kuitun51_outline.geojson").read_text(encoding="utf-8"))["features"][0]
    assert feature["properties"]["glacier_id"] == "CN5Y741C0051"
    outline = shape(feature["geometry"])
    assert outline.is_valid
    area_km2 = abs(Geod(ellps="WGS84").geometry_area_perimeter(outline)[0]) / 1e6
    assert area_km2 == pytest.approx(1.48, rel=0.03)
    assert (outline.centroid.x, outline.centroid.y) == pytest.approx((84.391, 43.731), abs=0.002)
    with rasterio.open(inputs / "kuitun51_dem.tif") as dem:
        assert (dem.crs.to_epsg(), dem.res, dem.nodata, dem.dtypes[0]) == (32645, (10.0, 10.0), -9999.0, "float32")
        surface = dem.read(1).astype(float)
        projected = transform_geom("EPSG:4326", dem.crs, feature["geometry"])
        ice = ~geometry_mask([projected], surface.shape, dem.transform)
    assert surface[ice].min() == pytest.approx(3490, abs=10)
    assert surface[ice].max() == pytest.approx(4000, abs=10)
    assert surface.shape[0] != surface.shape[1]
    down_north, east = np.gradient(surface, 10.0)
    downslope_east, downslope_north = -east[ice].mean(), down_north[ice].mean()
    assert 25 < np.degrees(np.arctan2(downslope_east, downslope_north)) < 65


def test_surroundings_are_mountains(truth: KuitunTruth) -> None:
    slope = np.degrees(np.arctan(np.hypot(*np.gradient(truth.surface_m, 10.0))))
    assert 8 < slope[truth.mask].mean() < 22
    assert 28 < np.median(slope[~truth.mask]) < 45
    assert truth.surface_m[~truth.mask].max() > 4200
    assert truth.surface_m[~truth.mask].min() < 3400


# --- truth ---------------------------------------------------------------------------------------------------------


def test_truth_has_the_known_means(truth: KuitunTruth) -> None:
    annual, winter, summer = (
        np.array([getattr(year, name) for year in truth.years])
        for name in ("annual_m_we", "winter_m_we", "summer_m_we")
    )
    assert [year.year for year in truth.years] == list(range(2000, 2012))
    assert annual.mean() == pytest.approx(-0.37, abs=0.005)
    assert winter.mean() == pytest.approx(0.16, abs=0.005)
    assert summer.mean() == pytest.approx(-0.54, abs=0.02)
    assert annual.sum() == pytest.approx(-4.5, abs=0.1)
    assert annual.std() == pytest.approx(0.30, abs=0.02)
    assert np.allclose(annual, winter + summer)
    for year in truth.years:
        assert np.nanmean(year.annual_field_m_we) == pytest.approx(year.annual_m_we)
        assert np.array_equal(np.isfinite(year.annual_field_m_we), truth.mask)
        assert np.nanmin(year.winter_field_m_we) > 0


def test_gradient_is_steep_below_and_flat_above(truth: KuitunTruth) -> None:
    z = truth.surface_m[truth.mask]
    for year in truth.years:
        b = year.annual_field_m_we[truth.mask]
        below = np.polyfit(z[z < 3700], b[z < 3700], 1)[0] * 100
        above = np.polyfit(z[z > 3820], b[z > 3820], 1)[0] * 100
        assert 0.5 < below < 0.9
        assert 0.1 < above < 0.5


def test_equilibrium_line_parts_gain_from_loss(truth: KuitunTruth) -> None:
    z = truth.surface_m[truth.mask]
    for year in truth.years:
        assert 0 <= year.aar <= 1
        if year.ela_position == "=":
            assert z.min() < year.ela_m < z.max()
            assert float((z > year.ela_m).mean()) == pytest.approx(year.aar, abs=0.12)


# --- the workbook --------------------------------------------------------------------------------------------------


def test_sheets_are_those_of_the_schema(book: openpyxl.Workbook) -> None:
    known = {table.name for table in WORKBOOK}
    assert set(book.sheetnames) - {"README"} == known - {"hypsometry", "point_balances", "zone_balances"}


def test_workbook_is_typed_as_by_hand(book: openpyxl.Workbook) -> None:
    sheet = book["readings"]
    blocks = [block for block in sheet.merged_cells.ranges if block.min_col == block.max_col == 1]
    assert sorted(sheet.cell(block.min_row, 1).value for block in blocks) == list(range(1, 19))
    for block in blocks[:-1]:
        assert all(cell.value is None for cell in sheet[min(block.max_row + 1, sheet.max_row)]) or (
            block.max_row == sheet.max_row
        )
    readings = rows_of(book, "readings")
    typed = Counter(type(row["date"]).__name__ for row in readings)
    assert typed["datetime"] > 100
    texts = [row["date"] for row in readings if isinstance(row["date"], str)]
    assert any("." in text for text in texts)
    assert any(" Aug " in text for text in texts)
    assert any(text.startswith("2003-0") for text in texts)
    assert all(isinstance(row["exposed (cm)"], int) or row["exposed (cm)"] in ("n/a", "-") for row in readings)
    remarks = " ".join(str(row["remarks"]) for row in readings if row["remarks"])
    assert "redrilled" in remarks
    assert "花杆" in remarks
    assert any(row["snow density (kg/m3)"] == "-" for row in readings)


def test_eighteen_stakes_over_the_whole_glacier(book: openpyxl.Workbook, truth: KuitunTruth) -> None:
    stakes = rows_of(book, "stakes")
    assert [row["stake"] for row in stakes] == list(range(1, 19))
    elevations = [row["elevation (m)"] for row in stakes]
    assert min(elevations) < 3530
    assert max(elevations) > 3890
    assert all((row["installed"].year, row["installed"].month) == (1999, 8) for row in stakes)


def test_visits_of_every_august_and_of_some_early_summers(book: openpyxl.Workbook) -> None:
    days = {parsed_date(row["date"]) for row in rows_of(book, "readings")}
    august = {day for day in days if day.month == 8}
    early = {day.year for day in days - august}
    assert {day.year for day in august} == set(range(1999, 2012))
    assert all(22 <= day.day <= 31 for day in august)
    assert len(august) == 26  # two days each
    assert len({day.day for day in august}) >= 5
    assert len(early) >= 5
    assert all(date(day.year, 5, 28) < day < date(day.year, 6, 6) for day in days - august)


def test_legs_join_on_one_day(book: openpyxl.Workbook) -> None:
    legs: dict[tuple[object, int], list[date]] = {}
    for row in rows_of(book, "readings"):
        legs.setdefault((row["stake"], row["leg"] or 1), []).append(parsed_date(row["date"]))
    redrilled = [key for key in legs if key[1] > 1]
    assert len(redrilled) > 15
    for stake, leg in redrilled:
        assert legs[stake, leg][0] == legs[stake, leg - 1][-1]
    assert all(days == sorted(set(days)) for days in legs.values())


def test_mishaps_are_there(book: openpyxl.Workbook) -> None:
    readings = rows_of(book, "readings")
    status = Counter(row["status"] for row in readings)
    assert status["melted_out"] >= 1
    assert status["buried"] >= 2
    assert status["lost"] == 2
    for row in readings:
        if row["status"] in ("melted_out", "buried", "lost"):
            assert row["exposed (cm)"] == "n/a"
    buried = next(row for row in readings if row["status"] == "buried" and parsed_date(row["date"]).month == 8)
    assert number(buried["snow depth (cm)"]) > 30
    pits = rows_of(book, "snow_pits")
    assert any(
        pit["stake"] == buried["stake"] and parsed_date(pit["date"]) == parsed_date(buried["date"]) for pit in pits
    )
    tilted = [row for row in readings if row["tilt (deg)"] is not None]
    assert {row["stake"] for row in tilted} == {13}
    assert max(number(row["tilt (deg)"]) for row in tilted) > 20
    august = {
        stake: {parsed_date(row["date"]).year for row in rows if parsed_date(row["date"]).month == 8}
        for stake, rows in ((stake, list(rows)) for stake, rows in itertools.groupby(readings, lambda r: r["stake"]))
    }
    assert set(range(1999, 2012)) - august[9] == {2004}
    assert max(august[14]) == 2010
    assert max(august[4]) == 2011
    assert any(number(row["superimposed ice (cm)"]) > 5 for row in readings)


def test_melted_out_stake_stood_shallow(book: openpyxl.Workbook, truth: KuitunTruth) -> None:
    readings = rows_of(book, "readings")
    index = next(i for i, row in enumerate(readings) if row["status"] == "melted_out")
    last = readings[index]
    start = next(row for row in readings if (row["stake"], row["leg"]) == (last["stake"], last["leg"]))
    bound = -0.9 * (number(start["stake length (cm)"]) - number(start["exposed (cm)"])) / 100
    year = parsed_date(last["date"]).year
    exact = next(p for p in truth.points if (p.point_id, p.year) == (str(last["stake"]), year))
    assert exact.annual_m_we < bound < -0.5


def test_pits_are_tiled_and_denser_with_depth(book: openpyxl.Workbook, truth: KuitunTruth) -> None:
    exact = {(point.point_id, point.year): point for point in truth.points}
    layers: dict[object, list[dict[str, object]]] = {}
    for row in rows_of(book, "pit_layers"):
        layers.setdefault(row["pit"], []).append(row)
    pits = rows_of(book, "snow_pits")
    assert [pit["pit"] for pit in pits] == list(layers)
    assert len({parsed_date(pit["date"]).year for pit in pits}) >= 11
    errors, rising = [], []
    for pit in pits:
        own = layers[pit["pit"]]
        assert own[0]["top (cm)"] == 0
        assert [row["No."] for row in own] == list(range(1, len(own) + 1))
        assert all(a["bottom (cm)"] == b["top (cm)"] for a, b in itertools.pairwise(own))
        assert all(number(row["top (cm)"]) < number(row["bottom (cm)"]) for row in own)
        snow = [row for row in own if row["kind"] == "snow"]
        if len(snow) > 1:
            rising.append(number(snow[-1]["density (kg/m3)"]) - number(snow[0]["density (kg/m3)"]))
        swe = sum((number(r["bottom (cm)"]) - number(r["top (cm)"])) * number(r["density (kg/m3)"]) for r in own) / 1e5
        day = parsed_date(pit["date"])
        site = str(pit["stake"]) if pit["stake"] != "-" else str(pit["pit"]).split("-")[1]
        point = exact[site, day.year]
        errors.append(swe - (point.annual_m_we if day.month == 8 else point.winter_m_we))
    assert np.mean(rising) > 30
    assert np.mean(np.array(rising) > 0) > 0.85
    assert any(row["kind"] == "superimposed_ice" for own in layers.values() for row in own)
    assert np.abs(errors).max() < 0.06
    assert abs(np.mean(errors)) < 0.01


def stake_balance(first: dict[str, object], second: dict[str, object]) -> float:
    """Balance (m w.e.) between two visits by the convention stated in the fieldwork module, written out anew."""

    def height(row: dict[str, object]) -> float:
        return number(row["exposed (cm)"]) / 100 * float(np.cos(np.radians(number(row["tilt (deg)"]))))

    def column(row: dict[str, object]) -> list[tuple[float, float]]:
        snow = number(row["snow depth (cm)"]) / 100, number(row["snow density (kg/m3)"])
        return [snow, (number(row["superimposed ice (cm)"]) / 100, 870.0)]

    new = column(second)
    gained = sum(thickness * density for thickness, density in new)
    if new[0][0] > 0 and parsed_date(second["date"]).month == 8:
        return gained / 1000
    lowering = height(second) + sum(thickness for thickness, _ in new) - height(first)
    below = [*column(first), (np.inf, 900.0 if first["surface"] == "ice" else 600.0)]
    for thickness, density in below:
        step = min(lowering, thickness)
        gained -= step * density
        lowering -= step
    return gained / 1000


def intervals(book: openpyxl.Workbook) -> list[tuple[dict[str, object], dict[str, object]]]:
    """Pairs of readable visits to one leg: the August of one year, and a visit in the next year."""
    readings = [row for row in rows_of(book, "readings") if isinstance(row["exposed (cm)"], int)]
    pairs = []
    for first, second in itertools.combinations(readings, 2):
        same = (first["stake"], first["leg"]) == (second["stake"], second["leg"])
        if same and parsed_date(first["date"]).month == 8:
            gap = parsed_date(second["date"]).year - parsed_date(first["date"]).year
            if gap == 1:
                pairs.append((first, second))
    return pairs


def test_readings_hold_the_true_balance(book: openpyxl.Workbook, truth: KuitunTruth) -> None:
    exact = {(point.point_id, point.year): point for point in truth.points}
    annual, winter = [], []
    for first, second in intervals(book):
        day = parsed_date(second["date"])
        point = exact[str(second["stake"]), day.year]
        if day.month == 8:
            annual.append(stake_balance(first, second) - point.annual_m_we)
        elif second["snow density (kg/m3)"] != "-":
            winter.append(stake_balance(first, second) - point.winter_m_we)
    assert len(annual) >= 200
    assert np.std(annual) < 0.035
    assert abs(np.mean(annual)) < 0.006
    assert np.abs(annual).max() < 0.12
    assert len(winter) >= 80
    assert np.std(winter) < 0.04
    assert abs(np.mean(winter)) < 0.015


def test_missed_year_is_the_sum_of_two(book: openpyxl.Workbook, truth: KuitunTruth) -> None:
    rows = [row for row in rows_of(book, "readings") if row["stake"] == 9]
    first = next(row for row in rows if parsed_date(row["date"]).year == 2003 and parsed_date(row["date"]).month == 8)
    second = next(row for row in rows if parsed_date(row["date"]).year == 2005 and parsed_date(row["date"]).month == 8)
    both = sum(point.annual_m_we for point in truth.points if point.point_id == "9" and point.year in (2004, 2005))
    assert stake_balance(first, second) == pytest.approx(both, abs=0.1)


def test_points_scatter_about_the_smooth_field(truth: KuitunTruth) -> None:
    work = fieldwork(SEED)
    easting, northing = truth.grid.centres()
    fields = {year.year: year.annual_field_m_we for year in truth.years}
    nearest = {stake.stake_id: stake for stake in work.stakes}
    offsets = []
    for point in truth.points:
        if point.point_id in nearest:
            stake = nearest[point.point_id]
            e, n = project_points(np.array([stake.longitude]), np.array([stake.latitude]), truth.grid.crs)
            value = fields[point.year][np.abs(northing - n).argmin(), np.abs(easting - e).argmin()]
            offsets.append(point.annual_m_we - value)
    assert 0.05 < np.std(offsets) < 0.10


def test_a_plain_regression_comes_close(book: openpyxl.Workbook, truth: KuitunTruth) -> None:
    """The network is good enough: a parabola of balance and elevation meets each year within 0.12 m w.e."""
    height = {row["stake"]: number(row["elevation (m)"]) for row in rows_of(book, "stakes")}
    z = truth.surface_m[truth.mask]
    errors = []
    for year in truth.years:
        pairs = [(a, b) for a, b in intervals(book) if parsed_date(b["date"]).year == year.year]
        points = [(height[b["stake"]], stake_balance(a, b)) for a, b in pairs if parsed_date(b["date"]).month == 8]
        assert len(points) >= 14
        elevation, balance = np.array(points).T
        line = np.polyfit(elevation - 3750, balance, 2)
        errors.append(np.polyval(line, z - 3750).mean() - year.annual_m_we)
    assert np.abs(errors).max() < 0.12
    assert np.sqrt(np.mean(np.square(errors))) < 0.08
