"""From definitions to datasets: executors, and definitions that need inputs of their own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from catalog.build.definitions import default_definitions
from catalog.build.fingerprint import collection_key
from catalog.build.production import produce, produce_all
from catalog.build.raw_inputs import input_files
from pipeline.inputs.find import Inputs, find_inputs
from pipeline.resources import open_resources
from schemas.errors import BadInput
from tests.made.command_line import run


def test_threads_keep_the_order_of_what_was_asked(monkeypatch):
    monkeypatch.setattr("catalog.build.production.produce", lambda definition, *_, **__: definition.id)
    definitions = default_definitions()
    with open_resources(2) as resources:
        found = produce_all(definitions, Path(), resources, synthetic=True)
    assert list(found) == [definition.id for definition in definitions]


def test_an_error_in_a_worker_is_the_users_error():
    with open_resources(2) as resources, pytest.raises(BadInput, match="no such folder"):
        tuple(produce_all(default_definitions(), Path("absent"), resources, synthetic=False))


def test_without_dask_the_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "distributed", None)
    done = run("build", "--scheduler", "tcp://127.0.0.1:9", "--out", tmp_path / "x")
    assert done.code == 2
    assert "pip install 'glacier-archive[distributed]'" in done.err
    assert not (tmp_path / "x").exists()


def test_nobody_at_the_address_of_the_scheduler(tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.resources.SECONDS_TO_ANSWER", 1)
    done = run("build", "--scheduler", "tcp://127.0.0.1:9", "--out", tmp_path / "x")
    assert done.code == 2
    assert "--scheduler tcp://127.0.0.1:9" in done.err
    assert "expected the address of a running Dask scheduler" in done.err


def test_a_definition_without_a_sample_asks_for_inputs(tmp_path):
    definition = default_definitions()[1].model_copy(update={"id": "another-glacier"})
    expected = r"definition another-glacier: found no raw inputs; .*--inputs"
    with open_resources(1) as resources, pytest.raises(BadInput, match=expected):
        produce(definition, tmp_path, resources, synthetic=True)


def test_one_file_means_one_file(tmp_path):
    definition = default_definitions()[1]
    for name in (
        "kuitun51_field_workbook.xlsx",
        "kuitun51_dem.tif",
        "kuitun51_outline.geojson",
        "kuitun51_outline.gpkg",
    ):
        (tmp_path / name).write_bytes(b"")
    inputs = find_inputs(definition, tmp_path)
    assert inputs.one("dem").name == "kuitun51_dem.tif"
    with pytest.raises(BadInput, match="outline: found 2 files"):
        inputs.one("outline")


def test_sidecars_of_a_shapefile_are_inputs_too(tmp_path):
    definition = default_definitions()[0]
    for name in (
        "srtm_v3/N43E086.hgt",
        "fabdem_v1-2/N43E086_FABDEM_V1-2.tif",
        "outlines/a.shp",
        "outlines/a.dbf",
        "outlines/notes.txt",
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    names = [path.name for key, path in find_inputs(definition, tmp_path).all_files() if key == "outlines"]
    assert names == ["a.dbf", "a.shp"]


def test_what_changes_the_heights_is_an_input_too(tmp_path):
    definition = default_definitions()[0]
    kept = ("srtm_v3/N43E086.hgt", "fabdem_v1-2/N43E086_FABDEM_V1-2.tif", "outlines/a.shp")
    beside = "fabdem_v1-2/N43E086_FABDEM_V1-2.tif.aux.xml"
    for name in kept:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    plain = input_files(definition, tmp_path)
    (tmp_path / beside).write_text("<PAMDataset><PAMRasterBand><Scale>2</Scale></PAMRasterBand></PAMDataset>")
    scaled = input_files(definition, tmp_path)
    assert {file.name for file in scaled} - {file.name for file in plain} == {beside}
    (tmp_path / beside).write_text("<PAMDataset><PAMRasterBand><Scale>3</Scale></PAMRasterBand></PAMDataset>")
    keys = [collection_key(definition, files, "1") for files in (plain, scaled, input_files(definition, tmp_path))]
    assert len(set(keys)) == 3


def test_what_a_vrt_joins_is_an_input_too(tmp_path):
    name = "fabdem_v1-2/N43E086_FABDEM_V1-2.tif"
    for other in ("srtm_v3/N43E086.hgt", "outlines/a.shp", "parts/a.bin", "parts/a.bin.aux.xml"):
        (tmp_path / other).parent.mkdir(exist_ok=True)
        (tmp_path / other).write_bytes(b"")
    mosaic = tmp_path / Path(name).with_suffix(".vrt")
    mosaic.parent.mkdir()
    mosaic.write_text(
        '<VRTDataset><SourceFilename relativeToVRT="1">../parts/a.bin</SourceFilename>'
        '<SourceFilename relativeToVRT="1">gone.tif</SourceFilename></VRTDataset>'
    )
    inputs = Inputs(tmp_path, {"later": (mosaic,)})
    assert [path.relative_to(tmp_path).as_posix() for _, path in inputs.all_files()] == [
        mosaic.relative_to(tmp_path).as_posix(),
        "parts/a.bin",
        "parts/a.bin.aux.xml",
    ]
    with pytest.raises(BadInput, match=r"a VRT that joins .*a\.bin; expected files below"):
        Inputs(mosaic.parent, {"later": (mosaic,)}).all_files()
