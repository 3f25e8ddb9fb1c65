"""Points without an elevation: taken from a DEM where one is given, else left out and told."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from schemas.errors import BadInput
from tests.made.field_surveys import STAKES, reading, survey, year_of

LOSS = (2.0, 1.5, 1.0, 0.5, 0.2)


def tables(known=()):
    rows = []
    for (name, *_), loss in zip(STAKES, LOSS, strict=True):
        rows += [reading(name, "2003-09-25", 1.0), reading(name, "2004-09-20", 1.0 + loss)]
    stakes = [
        {"stake_id": name, "easting": east, "northing": north, "elevation_m": height if name in known else ""}
        for name, east, north, height in STAKES
    ]
    return {"readings": rows, "stakes": stakes}


def write_dem(path, **more):
    """A plane that rises by a metre a metre eastwards: 3450 m at the first stake, on pixels of 10 m."""
    heights = np.tile(3450 + 5 - 10 + np.arange(61) * 10.0, (61, 1)).astype("float32")
    profile = {"driver": "GTiff", "height": 61, "width": 61, "count": 1, "dtype": "float32", "crs": "EPSG:32645"}
    with rasterio.open(
        path, "w", **{**profile, "transform": from_origin(289_990, 4_845_510, 10, 10), **more}
    ) as target:
        target.write(heights, 1)
    return path


def test_elevations_come_from_the_dem_beside_an_area_altitude_table(tmp_path) -> None:
    result = survey(tmp_path / "field", tables(), dem=write_dem(tmp_path / "dem.tif"))
    assert result.tables["stakes"]["elevation_m"].tolist() == pytest.approx([3450, 3550, 3650, 3750, 3850])
    assert year_of(result, 2004).annual_m_we == pytest.approx(-0.723, abs=5e-4)
    notes = result.tables["input_notes"]
    told = notes[notes["used"].astype(str).str.contains("from the DEM")]
    assert told["cell"].tolist() == ["D2", "D3", "D4", "D5", "D6"]


def test_a_stated_elevation_is_kept(tmp_path) -> None:
    result = survey(tmp_path / "field", tables(known=("S1", "S2")), dem=write_dem(tmp_path / "dem.tif"))
    notes = result.tables["input_notes"]
    assert notes["used"].astype(str).str.contains("from the DEM").sum() == 3


def test_without_a_dem_the_points_are_told_and_left_out(tmp_path) -> None:
    none = survey(tmp_path / "none", tables())
    year = year_of(none, 2004)
    assert year.annual_m_we is None
    assert {f"elevation_unknown:{name}" for name, *_ in STAKES} <= set(year.flags)
    assert len(none.tables["point_balances"].query("period == 'annual'")) == 5
    some = year_of(survey(tmp_path / "some", tables(known=("S1", "S3", "S5"))), 2004)
    assert some.annual_m_we is not None
    assert {"elevation_unknown:S2", "elevation_unknown:S4"} <= set(some.flags)


def test_a_point_off_the_dem_stays_without(tmp_path) -> None:
    dem = write_dem(tmp_path / "dem.tif", transform=from_origin(290_150, 4_845_510, 10, 10))
    year = year_of(survey(tmp_path / "field", tables(), dem=dem), 2004)
    assert [flag for flag in year.flags if flag.startswith("elevation")] == [
        "elevation_unknown:S1",
        "elevation_unknown:S2",
    ]


def test_a_dem_that_is_none_is_refused(tmp_path) -> None:
    (tmp_path / "dem.tif").write_text("no raster")
    with pytest.raises(BadInput, match=r"dem.tif: found an unreadable raster"):
        survey(tmp_path / "field", tables(), dem=tmp_path / "dem.tif")
