"""A small archive in the layout of the real one, quick to write: one collection, one item with a COG, one table."""

import json
from pathlib import Path

import numpy as np
import rasterio
from rasterio.io import MemoryFile
from rasterio.transform import from_origin
from rio_cogeo.cogeo import cog_translate
from rio_cogeo.profiles import cog_profiles

from catalog.archive.manifest import list_files

COLLECTION = "glacier-x-elevation-change"
COG_PATH = f"{COLLECTION}/elevation-change/elevation_change.tif"
ITEM_PATH = f"{COLLECTION}/elevation-change/elevation-change.json"
CSV_PATH = f"{COLLECTION}/tables/glaciers.csv"


def surface(rows: int = 900, columns: int = 1300) -> np.ndarray:
    """A field that compresses badly, so that tiles have a realistic size."""
    return np.random.default_rng(7).normal(0, 5, (rows, columns)).astype("float32")


def write_cog(path: Path, values: np.ndarray) -> None:
    profile = {"driver": "GTiff", "count": 1, "height": values.shape[0], "width": values.shape[1], "dtype": "float32"}
    place = {"crs": "EPSG:32645", "transform": from_origin(500_000, 4_800_000, 30, 25), "nodata": -9999}
    target = cog_profiles.get("deflate") | {"blockxsize": 256, "blockysize": 256}
    with MemoryFile() as memory:
        with memory.open(**profile, **place) as raster:
            raster.write(values, 1)
        with rasterio.open(memory.name) as raster:
            cog_translate(raster, path, target, in_memory=True, quiet=True)


def write_text(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text, encoding="utf-8", newline="\n")


def write_manifest(root: Path) -> None:
    files = [{"path": file.path, "size": file.size, "sha256": file.sha256} for file in list_files(root)]
    write_text(root, "manifest.json", json.dumps({"archive": "glacier-archive", "format": 1, "files": files}))


def write_archive(root: Path, *, raster: bool = True) -> Path:
    """The archive below ``root``; with ``raster=False`` a few bytes stand for the COG."""
    write_text(root, "catalog.json", json.dumps({"type": "Catalog", "id": "tiny", "description": "glacier " * 300}))
    write_text(root, "index.html", "<!doctype html><title>tiny</title><p>冰川" + " text" * 400)
    write_text(root, f"{COLLECTION}/collection.json", json.dumps({"type": "Collection", "id": COLLECTION}))
    write_text(root, f"{COLLECTION}/index.html", "<!doctype html><title>collection</title>")
    write_text(root, f"{COLLECTION}/metadata/dataset.jsonld", "{}")
    write_text(root, f"{COLLECTION}/metadata/CITATION.cff", "cff-version: 1.2.0\n")
    write_text(root, f"{COLLECTION}/tables/glaciers.parquet", "PAR1")
    write_text(root, CSV_PATH, "glacier_id,mean_dh_m\n" + "G1,-0.5\n" * 400)
    write_text(root, ITEM_PATH, json.dumps({"type": "Feature", "id": "elevation-change"}))
    write_text(root, f"{COLLECTION}/elevation-change/outlines.geojson", '{"type": "FeatureCollection"}')
    if raster:
        write_cog(root / COG_PATH, surface())
    else:
        write_text(root, COG_PATH, "raster bytes " * 100)
    write_manifest(root)
    return root
