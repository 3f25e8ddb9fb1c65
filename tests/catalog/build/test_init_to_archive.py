"""From `init` to a published archive: the blanks are filled as a person would fill them, and the build is run."""

from __future__ import annotations

import json
import re
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pytest
from pyproj import Transformer
from shapely.geometry import box

from catalog.start.start import MARK, blanks_of
from schemas.tables import WORKBOOK
from tests.made.command_line import run
from tests.made.synthetic_glaciers import synthetic_glacier
from tests.made.synthetic_pairs import CRS, fractal, write_dem

_ANSWERS = {
    "publication_date": "2024-05-17",
    "publisher": '"Institute of a Range"',
    "publisher_url": '"https://institute.example"',
    "licence": '"CC-BY-4.0"',
    "crs": '"EPSG:32645"',
    "description": '"What was found on the glaciers of a range."',
    "data_source": '"Two surveys."',
    "processing_method": '"As the methods say."',
    "data_quality": '"Checked on stable ground."',
    "basis": '"outline of the survey"',
    "low": "2000.0",
    "high": "5500.0",
    "limit": "2000.0",
    "theme": '["Glacier", "Somewhere"]',
}
_LINE = re.compile(rf"(?P<key>\w+) = .*  # {MARK}.*")


def fill_in(path: Path, answers: dict[str, str]) -> None:
    """Replace every marked line; titles and texts by what stands for them, file names as ``answers`` says."""
    lines = []
    section = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line.startswith('key = "'):
            section = line.split('"')[1]
        if (found := _LINE.fullmatch(line)) is None:
            lines.append(line)
            continue
        key = found["key"]
        default = line.partition(" = ")[2].partition("  # ")[0] if key == "files" else f'"{key} of {section}"'
        lines.append(f"{key} = {answers.get(f'{section}.{key}', answers.get(key, _ANSWERS.get(key, default)))}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert blanks_of(path) == ()


def around(bounds: tuple[float, float, float, float]) -> dict[str, str]:
    """West, south, east and north in degrees of a box in metres, to the inside."""
    west, south, east, north = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True).transform_bounds(*bounds)
    return {"west": f"{west:.4f}", "south": f"{south:.4f}", "east": f"{east:.4f}", "north": f"{north:.4f}"}


def built(definition: Path, inputs: Path, out: Path) -> dict:
    """What the collection says; that it was published means that every check passed."""
    done = run("build", definition, "--inputs", inputs, "--out", out, "--json", "--quiet")
    assert done.code == 0, done.err
    return json.loads((out / definition.stem / "collection.json").read_text(encoding="utf-8"))


@pytest.mark.slow
def test_a_new_elevation_change_is_built(tmp_path):
    assert run("init", "range-x", "--folder", tmp_path).code == 0
    inputs = tmp_path / "range-x"
    for name in ("earlier", "later", "outlines"):
        (inputs / name).mkdir(parents=True)
    rows, columns, pixel = 260, 330, 30.0
    draw = np.random.default_rng(4)
    before = fractal((rows, columns), shift=(0.4, -0.3)) + draw.normal(0, 1, (rows, columns))
    after = fractal((rows, columns)) + draw.normal(0, 1, (rows, columns))
    ice = (slice(100, 140), slice(150, 210))
    after[ice] -= 8.0
    write_dem(inputs / "earlier/dem.tif", before)
    write_dem(inputs / "later/dem.tif", after)
    west, north = 400_000.0, 4_800_000.0
    glacier = box(west + 150 * pixel, north - 140 * pixel, west + 210 * pixel, north - 100 * pixel)
    gpd.GeoDataFrame({"rgi_id": ["G1"]}, geometry=[glacier], crs=CRS).to_file(inputs / "outlines/glaciers.shp")
    extent = around((west, north - rows * pixel, west + columns * pixel, north))
    fill_in(tmp_path / "range-x.toml", extent | {"start": "2000-02-11", "end": "2012-12-31"})
    collection = built(tmp_path / "range-x.toml", tmp_path, tmp_path / "archive")
    assert collection["license"] == "CC-BY-4.0"
    item = json.loads((tmp_path / "archive/range-x/elevation-change/elevation-change.json").read_text())
    table = (tmp_path / "archive/range-x/tables/glaciers.csv").read_text().splitlines()
    row = dict(zip(table[0].split(","), table[1].split(","), strict=True))
    assert float(row["mean_dh_m"]) == pytest.approx(-8.0, abs=0.3)
    assert item["collection"] == "range-x"


@pytest.mark.slow
def test_a_new_mass_balance_is_built(tmp_path):
    assert run("init", "glacier-x", "--kind", "mass_balance", "--folder", tmp_path).code == 0
    inputs = tmp_path / "glacier-x"
    glacier = synthetic_glacier(inputs, seed=3, years=3)
    workbook = tmp_path / "glacier-x-workbook.xlsx"
    fill_workbook(workbook, glacier.data)
    workbook.rename(inputs / workbook.name)
    outline = gpd.read_file(glacier.outline)
    extent = around(tuple(outline.to_crs(CRS).total_bounds))
    files = {"outline.files": '["outline.geojson"]', "start": "2000-08-01", "end": "2003-09-30"}
    fill_in(tmp_path / "glacier-x.toml", extent | files)
    built(tmp_path / "glacier-x.toml", tmp_path, tmp_path / "archive")
    table = (tmp_path / "archive/glacier-x/tables/glacier_balances.csv").read_text().splitlines()
    rows = [dict(zip(table[0].split(","), line.split(","), strict=False)) for line in table[1:]]
    found = {int(row["year"]): float(row["annual_balance_m_we"]) for row in rows if row["annual_balance_m_we"]}
    for year, truth in glacier.truth_m_we.items():
        assert found[year] == pytest.approx(truth, abs=0.5)


def fill_workbook(path: Path, data) -> None:
    """Type the field data into the template, sheet by sheet."""
    book = openpyxl.load_workbook(path)
    for table in WORKBOOK:
        sheet = book[table.name]
        if table.name == "glacier":
            values = {"glacier_id": data.glacier.glacier_id, "glacier_name": data.glacier.name, "crs": data.glacier.crs}
            place = {"longitude": data.glacier.longitude, "latitude": data.glacier.latitude}
            rows = [{**values, **place}]
        else:
            rows = getattr(data, table.name).to_dict("records")
        for number, row in enumerate(rows, start=2):
            for column, name in enumerate(table.column_names, start=1):
                value = row.get(name)
                sheet.cell(number, column, None if value is None or value != value else value)
    book.save(path)
