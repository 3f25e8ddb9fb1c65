"""What `diff` says of two archives: records by key, pixels, files, and the version step that follows."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio

from catalog.versions.compare import ValueChange, compare_archives
from schemas.errors import BadInput
from tests.made.damage import DH, EC, MB, _field, in_copies, in_json, in_text, rewritten

GLACIERS = f"{EC}/tables/glaciers.csv"


@pytest.fixture(scope="session")
def old(whole_archive: Path) -> Path:
    return whole_archive


@pytest.fixture
def new(old: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(old, tmp_path / "new"))


def cut_rows(file: str, keep: Callable[[pd.DataFrame], pd.DataFrame]) -> Callable[[Path], None]:
    def edit(root: Path) -> None:
        frame = pd.read_csv(root / file, dtype=str, keep_default_na=False)
        keep(frame).to_csv(root / file, index=False, lineterminator="\n")

    return edit


def test_an_archive_is_identical_to_itself(old: Path, new: Path) -> None:
    difference = compare_archives(old, new)
    assert difference.version_step == "none"
    assert difference.lines() == ["the two archives are identical"]
    assert difference.to_dict()["identical"] is True


def test_a_changed_value_is_told_by_key_with_old_new_and_sigma(old: Path, new: Path) -> None:
    in_copies(EC, "glaciers", 2, "mean_dh_m", "-7.000")(new)
    difference = compare_archives(old, new)
    before = pd.read_csv(old / GLACIERS, dtype=str).loc[2]
    (record,) = difference.records
    assert (record.table, record.kind, record.key) == (GLACIERS, "changed", {"glacier_id": before["glacier_id"]})
    assert record.values == (
        ValueChange(column="mean_dh_m", old=before["mean_dh_m"], new="-7.000", old_sigma="0.400", new_sigma="0.400"),
    )
    assert difference.files == (), "the copies of the table are accounted for by its records"
    assert difference.version_step == "minor"
    assert (
        f"changed glacier_id {before['glacier_id']}: mean_dh_m {before['mean_dh_m']} +- 0.400 -> -7.000 +- 0.400"
        in ("\n".join(difference.lines()))
    )


def test_sigma_of_a_balance_is_found_under_its_own_name(old: Path, new: Path) -> None:
    in_copies(MB, "glacier_balances", 0, "annual_balance_m_we", "0.50")(new)
    ((change,),) = [record.values for record in compare_archives(old, new).records]
    assert (change.column, change.new_sigma) == ("annual_balance_m_we", "0.14")


def test_a_value_that_goes_missing(old: Path, new: Path) -> None:
    in_copies(EC, "glaciers", 0, "median_dh_m", "")(new)
    assert "-> nothing" in "\n".join(compare_archives(old, new).lines())


def test_records_that_came_and_went_ask_for_a_major_version(old: Path, new: Path) -> None:
    cut_rows(GLACIERS, lambda frame: frame.iloc[1:])(new)
    gone = compare_archives(old, new)
    assert [(record.kind, record.key["glacier_id"]) for record in gone.records] == [("removed", "RGI60-13.00001")]
    assert gone.version_step == "major"
    come = compare_archives(new, old)
    assert [record.kind for record in come.records] == ["created"]


def test_the_order_of_records_is_no_difference_of_records(old: Path, new: Path) -> None:
    cut_rows(GLACIERS, lambda frame: frame.iloc[::-1])(new)
    difference = compare_archives(old, new)
    assert difference.records == ()
    assert [change.path for change in difference.files] == [GLACIERS]
    assert difference.version_step == "patch"


def test_another_unit_is_another_meaning(old: Path, new: Path) -> None:
    in_json(f"{EC}/datapackage.json", _field("glaciers", "mean_dh_m", "unit", "cm"))(new)
    difference = compare_archives(old, new)
    assert difference.version_step == "major"
    assert f"{GLACIERS}: unit of mean_dh_m 'm' -> 'cm'" in difference.lines()


def test_a_column_that_came(old: Path, new: Path) -> None:
    def add(package: dict) -> None:
        next(r for r in package["resources"] if r["name"] == "glaciers")["schema"]["fields"].append(
            {"name": "extra", "type": "string"}
        )

    in_json(f"{EC}/datapackage.json", add)(new)
    assert "column extra came" in "\n".join(compare_archives(old, new).lines())
    assert "column extra went" in "\n".join(compare_archives(new, old).lines())


def test_a_collection_that_went(old: Path, new: Path) -> None:
    shutil.rmtree(new / MB)
    difference = compare_archives(old, new)
    assert f"{MB}/tables/stakes.csv: a table that went" in difference.lines()
    assert difference.version_step == "major"


def test_changed_pixels_are_counted_with_the_largest_difference(old: Path, new: Path) -> None:
    def raise_three(bands: np.ndarray) -> np.ndarray:
        valid = np.argwhere(bands[0] != -9999)[:3]
        for amount, (row, column) in zip((1, -2.5, 2), valid, strict=True):
            bands[0, row, column] += amount
        return bands

    rewritten(DH, pixels=raise_three)(new)
    difference = compare_archives(old, new)
    (raster,) = difference.rasters
    with rasterio.open(old / DH) as source:
        pixels = source.width * source.height
    assert (raster.path, raster.changed_pixels, raster.pixels) == (DH, 3, pixels)
    assert raster.max_difference == pytest.approx(2.5, abs=1e-4)
    assert difference.version_step == "minor"


def test_a_pixel_that_becomes_void_counts(old: Path, new: Path) -> None:
    def make_void(bands: np.ndarray) -> np.ndarray:
        row, column = np.argwhere(bands[0] != -9999)[0]
        bands[0, row, column] = -9999
        return bands

    rewritten(DH, pixels=make_void)(new)
    (raster,) = compare_archives(old, new).rasters
    assert raster.changed_pixels == 1
    assert raster.max_difference == 0


def test_another_grid_is_said_and_not_compared(old: Path, new: Path) -> None:
    rewritten(DH, pixels=lambda bands: bands[:, :-1])(new)
    (raster,) = compare_archives(old, new).rasters
    assert str(raster) == f"{DH}: another grid or number of bands"


def test_the_same_pixels_written_otherwise(old: Path, new: Path) -> None:
    rewritten(DH, compress="lzw")(new)
    (raster,) = compare_archives(old, new).rasters
    assert raster.changed_pixels == 0
    assert "the same pixels, written otherwise" in str(raster)


def test_metadata_alone_is_a_patch(old: Path, new: Path) -> None:
    in_text(f"{EC}/README.md", "## Files", "## The files")(new)
    difference = compare_archives(old, new)
    (change,) = difference.files
    assert re.fullmatch(rf'changed {EC}/README.md: line \d+ "## Files" -> "## The files"', str(change))
    assert difference.version_step == "patch"
    assert difference.lines()[-1] == "asks for a patch version"


def test_a_manifest_alone_is_a_patch(old: Path, new: Path) -> None:
    in_json("manifest.json", lambda manifest: manifest.update(code_version="9"))(new)
    assert compare_archives(old, new).version_step == "patch"


def test_json_of_a_difference_can_be_read_back(old: Path, new: Path) -> None:
    in_copies(EC, "glaciers", 2, "mean_dh_m", "-7.000")(new)
    content = json.loads(json.dumps(compare_archives(old, new).to_dict()))
    assert content["version_step"] == "minor"
    assert content["records"][0]["values"][0]["new"] == "-7.000"


def test_long_lists_are_cut(old: Path, new: Path) -> None:
    cut_rows(f"{MB}/tables/point_balances.csv", lambda frame: frame.iloc[:0])(new)
    cut_rows(f"{MB}/tables/readings.csv", lambda frame: frame.iloc[:0])(new)
    lines = compare_archives(old, new).lines()
    assert f"{MB}/tables/point_balances.csv: 36" in lines
    assert f"{MB}/tables/readings.csv: 18" in lines


def test_refuses_what_is_no_archive(old: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="a folder without a manifest"):
        compare_archives(tmp_path, old)
    with pytest.raises(BadInput, match="no such folder"):
        compare_archives(old, tmp_path / "gone")


def test_refuses_a_damaged_archive(old: Path, new: Path) -> None:
    (new / DH).write_bytes(b"no raster")
    with pytest.raises(BadInput, match=r"elevation_change\.tif.*validate"):
        compare_archives(old, new)
    shutil.copy(old / DH, new / DH)
    (new / GLACIERS).write_bytes(b"\xff\xfe")
    with pytest.raises(BadInput, match=r"glaciers\.csv.*validate"):
        compare_archives(old, new)
