"""Programs of others open an item at its address as it stands: nothing is told to them but where it is."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pystac
import pytest
import rasterio
from odc.stac import load

from catalog.address import address_archive
from catalog.publish import publish
from tests.root import ROOT
from tests.system.counting_server import counting_server

pytestmark = pytest.mark.slow
ITEM, ASSET = "test-mass-balance/balance-2001", "balance"


@pytest.fixture(scope="module")
def served(whole_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The archive at an address on this machine, and its folder."""
    root = tmp_path_factory.mktemp("served") / "archive"
    publish(whole_archive, str(root))
    with counting_server(root, "/archive") as (base, _):
        address_archive(root, base, root)
        yield base, root


def expected(root: Path) -> np.ndarray:
    with rasterio.open(root / ITEM / f"{ASSET}.tif") as raster:
        return raster.read(1, masked=True).filled(np.nan)


def without_nodata(values: np.ndarray) -> np.ndarray:
    return np.where(values == -9999, np.nan, values)


def test_gdals_driver_for_items_reads_the_raster(served: tuple[str, Path]) -> None:
    base, root = served
    document = f"{base}/{ITEM}/balance-2001.json"
    program = (
        "import sys, numpy, rasterio\n"
        f"with rasterio.open('STACIT:\"/vsicurl/{document}\":asset={ASSET}') as raster:\n"
        "    assert raster.driver == 'STACIT', raster.driver\n"
        "    numpy.save(sys.argv[1], raster.read(1, masked=True).filled(numpy.nan))\n"
    )
    saved = root.parent / "stacit.npy"
    done = subprocess.run(
        [sys.executable, "-c", program, str(saved)], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    np.testing.assert_array_equal(np.load(saved), expected(root))


def test_odc_stac_loads_the_item(served: tuple[str, Path]) -> None:
    base, root = served
    item = pystac.Item.from_file(f"{base}/{ITEM}/balance-2001.json")
    cube = load([item], bands=[ASSET])
    np.testing.assert_array_equal(without_nodata(cube[ASSET].isel(time=0).to_numpy()), expected(root))


def test_stackstac_stacks_the_item(served: tuple[str, Path]) -> None:
    stackstac = pytest.importorskip("stackstac")
    base, root = served
    item = pystac.Item.from_file(f"{base}/{ITEM}/balance-2001.json")
    # it knows projections by proj:epsg alone, which version 2 of the extension, with proj:code, forbids
    epsg = int(item.properties["proj:code"].removeprefix("EPSG:"))
    own = item.assets[ASSET].extra_fields
    place = {"epsg": epsg, "bounds": own["proj:bbox"], "resolution": own["proj:transform"][0], "snap_bounds": False}
    stacked = stackstac.stack([item.to_dict()], assets=[ASSET], **place)
    values = stacked.isel(time=0, band=0).compute(scheduler="synchronous").to_numpy()
    np.testing.assert_array_equal(without_nodata(values), expected(root))


def test_a_client_walks_from_the_catalogue_to_every_item(served: tuple[str, Path]) -> None:
    from pystac_client import Client

    base, root = served
    items = list(Client.open(f"{base}/catalog.json").get_items(recursive=True))
    assert len(items) == len(list(root.glob("*/*/*.zh.json"))) > 1
    assert {item.get_self_href() for item in items} == {
        f"{base}/{item.collection_id}/{item.id}/{item.id}.json" for item in items
    }
