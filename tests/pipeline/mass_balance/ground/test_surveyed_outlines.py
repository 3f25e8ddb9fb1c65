"""Outlines of several years: each mass-balance year on its own area, and no two surveys merged into one."""

from __future__ import annotations

import json

import numpy as np
import pytest
import rasterio
from rasterio.transform import Affine
from shapely.geometry import box, mapping

from pipeline.mass_balance.chain import mass_balance
from pipeline.mass_balance.fieldwork.read import read_field_data
from pipeline.mass_balance.ground.hypsometry import read_surveys, survey_of_year
from pipeline.mass_balance.ground.surveyed_outlines import read_surveyed_outlines
from schemas.errors import BadInput
from schemas.settings import MassBalanceSettings
from tests.made.field_workbook import sheets, write_workbook

CRS = "EPSG:32645"
LARGE, SMALL = box(500_200, 4_798_600, 501_000, 4_799_600), box(500_200, 4_798_800, 501_000, 4_799_600)


def write(path, *features):
    """GeoJSON of (shape, attributes)."""
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32645"}}
    listed = [{"type": "Feature", "properties": own, "geometry": mapping(shape)} for shape, own in features]
    path.write_text(json.dumps({"type": "FeatureCollection", "crs": crs, "features": listed}))
    return path


def read(tmp_path, *features, glacier_id="T1"):
    return read_surveyed_outlines(write(tmp_path / "o.geojson", *features), glacier_id, CRS)


def write_dem(path):
    """A plane that rises 0.4 m a metre to the north from 3400 m, on a grid that is not square."""
    northing = 4_800_000 - 10 * (np.arange(160) + 0.5)
    surface = np.repeat((3400 + 0.4 * (northing - 4_798_600))[:, None], 120, axis=1)
    profile = {"driver": "GTiff", "height": 160, "width": 120, "count": 1, "dtype": "float32", "crs": CRS}
    with rasterio.open(path, "w", **profile, transform=Affine(10, 0, 500_000, 0, -10, 4_800_000)) as file:
        file.write(surface.astype("float32"), 1)
    return path


@pytest.mark.parametrize(
    ("name", "early", "late"),
    [
        ("year", 1999, 2010),
        ("YEAR", "1999", "2010"),
        ("survey_year", 1999.0, 2010.0),
        ("src_date", "1999-08-15T00:00:00", "2010-09-01T00:00:00"),
        ("BgnDate", "19990815", "20109999"),
        ("GLC_DATE", "15.08.1999", "1/9/2010"),
    ],
)
def test_years_are_read_from_the_names_and_spellings_of_inventories(tmp_path, name, early, late) -> None:
    found = read(tmp_path, (SMALL, {name: late}), (LARGE, {name: early}))
    assert [(year, round(shape.area)) for year, shape in found.items()] == [(1999, 800_000), (2010, 640_000)]


def test_parts_of_one_year_are_one_outline_and_a_file_without_years_serves_every_year(tmp_path) -> None:
    south, north = box(500_200, 4_798_600, 501_000, 4_799_000), box(500_200, 4_799_000, 501_000, 4_799_600)
    found = read(tmp_path, (south, {"year": 2001}), (north, {"year": 2001}))
    assert {year: shape.area for year, shape in found.items()} == {2001: pytest.approx(800_000)}
    assert list(read(tmp_path, (south, {"BgnDate": "-9999999"}), (north, {"BgnDate": "-9999999"}))) == [None]


def test_years_for_some_outlines_only_are_refused(tmp_path) -> None:
    with pytest.raises(BadInput, match=r"o.geojson: found 1 outlines with a year in 'year', and one with None"):
        read(tmp_path, (SMALL, {"year": 2010}), (LARGE, {"year": None}))
    with pytest.raises(BadInput, match=r"and one with 'autumn'; expected a year for each, or for none"):
        read(tmp_path, (SMALL, {"date": "2010"}), (LARGE, {"date": "autumn"}))


def test_outlines_of_several_glaciers_and_years_are_no_surveys_of_one(tmp_path) -> None:
    features = (SMALL, {"rgi_id": "A", "year": 2010}), (LARGE, {"rgi_id": "B", "year": 1999})
    with pytest.raises(BadInput, match=r"2 glaciers \(A, B\), not named as 'T1', and no points to go by; expected one"):
        read(tmp_path, *features)
    assert list(read(tmp_path, *features, glacier_id="B")) == [1999]


def test_a_year_is_served_by_the_latest_survey_that_is_not_later_else_by_the_first(tmp_path) -> None:
    outline = write(tmp_path / "o.geojson", (LARGE, {"year": 1999}), (SMALL, {"year": 2004}))
    surveys = read_surveys(write_dem(tmp_path / "dem.tif"), outline, ("T1", CRS), 10.0, 50.0)
    assert [survey_of_year(surveys, year).year for year in (1990, 1999, 2003, 2004, 2020)] == [1999, 1999, 1999, 2004, 2004]  # fmt: skip  # noqa: E501  # one list
    assert {survey.surface.grid for survey in surveys} == {surveys[0].surface.grid}
    assert [survey.bands.total_km2 for survey in surveys] == pytest.approx([0.8, 0.64])


def test_each_year_has_the_area_of_its_outline_and_says_whose_it_is(tmp_path) -> None:
    tables = sheets()
    tables.pop("hypsometry")
    for row in tables["stakes"][2:]:
        row[3] = 3400 + 0.4 * (row[2] - 4_798_600)
    for stake in (1, 2, 3, 4):
        tables["readings"].append([stake, 1, "2005-08-26", 250 + 10 * stake, None, None, None, None])
    tables["readings"][2][3] = 150
    data = read_field_data(write_workbook(tmp_path / "field.xlsx", tables))
    outline = write(tmp_path / "o.geojson", (LARGE, {"year": 1999}), (SMALL, {"year": 2005}))
    result = mass_balance(data, MassBalanceSettings(), dem=write_dem(tmp_path / "dem.tif"), outline=outline)
    areas = {year.year: year.area_km2 for year in result.years}
    assert areas == {2004: pytest.approx(0.8), 2005: pytest.approx(0.64)}
    flags = {year.year: [flag for flag in year.flags if flag.startswith("outline_of")] for year in result.years}
    assert flags == {2004: ["outline_of:1999"], 2005: []}
    fields = {year.year: year.field for year in result.years}
    pixels = {year: int(np.isfinite(field.balance_m_we).sum()) for year, field in fields.items()}
    assert pixels == {2004: 8000, 2005: 6400}
    assert fields[2004].grid == fields[2005].grid
    drawn = {year: field.outline.area for year, field in fields.items()}
    assert drawn == {2004: pytest.approx(800_000), 2005: pytest.approx(640_000)}
    bands = result.tables["hypsometry"].groupby("year")["area_km2"].sum()
    assert bands.to_dict() == {1999: pytest.approx(0.8), 2005: pytest.approx(0.64)}
    assert result.outline.area == pytest.approx(640_000)
