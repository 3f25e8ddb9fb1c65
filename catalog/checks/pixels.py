"""Checks of what pixels say: rasters of an item against each other, against outlines, isolines and the tables."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.features import rasterize
from rasterio.warp import transform_geom
from shapely.geometry import mapping, shape

from catalog.archive import Document, OpenedRaster, collections, geometry_of, items, rasters
from catalog.checks.rasters import geotiff, grid_of, nodata_of, tile_places
from catalog.checks.result import Failure, check
from catalog.checks.stated import rows_of
from catalog.formats import PLACE_CRS
from pipeline.grid import Grid

_REBUILD = "build the archive again"
_UNITS = {
    "elevation_change": "m",
    "elevation_change_sigma": "m",
    "balance": "m w.e.",
    "balance_sigma": "m w.e.",
}
VOID, STABLE, GLACIER = 0, 1, 2  # the classes of an elevation change
_SIGMA_OF = {"elevation_change": "elevation_change_sigma", "balance": "balance_sigma"}
_EDGE_SHARE = 0.002  # of the pixels, which rounded outlines may leave on the other side
_HALF_CENTIMETRE = 0.005


def rasters_of(item: Document) -> dict[str, OpenedRaster]:
    """The rasters of an item by their keys."""
    return {one.key: one for one in rasters(item.archive) if one.item.file == item.file}


def _values(raster: OpenedRaster) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """The first band, and where it has a value."""
    band, nodata = raster.archive.band(raster.file, 1), nodata_of(raster, 1)
    return band, np.isfinite(band) if nodata is None else band != nodata


@check(
    "raster-units", "a raster of changes, balances or their errors has the unit of its quantity, and says so", rasters
)
def raster_units(raster: OpenedRaster) -> Iterator[Failure]:
    expected = _UNITS.get(raster.key)
    if expected is None:
        return
    with geotiff(raster) as source:
        told = {str(source.units[0]), str(raster.asset["bands"][0].get("unit"))}
    if told != {expected}:
        yield Failure(raster.file, f"unit {sorted(told)}", repr(expected), _REBUILD)


@check("raster-tags", "a raster carries name and version of its dataset, and the year of its item", rasters)
def raster_tags(raster: OpenedRaster) -> Iterator[Failure]:
    properties = raster.item.content["properties"]
    with geotiff(raster) as source:
        tags = source.tags()
    year = properties.get("glacier:year")
    for name, expected in (
        ("DATASET", raster.item.collection_id),
        ("DATASET_VERSION", properties.get("version")),
        ("YEAR", None if year is None else str(year)),
        ("SYNTHETIC", None),
    ):
        stated = tags.get(name)
        if name == "SYNTHETIC":
            if str(stated).startswith("YES") is not bool(properties.get("glacier:synthetic")):
                yield Failure(raster.file, f"tag {name} {stated!r}", f"as in {raster.item.file}", _REBUILD)
        elif stated != expected:
            yield Failure(raster.file, f"tag {name} {stated!r}", f"{expected!r}, as in {raster.item.file}", _REBUILD)


@check("raster-bytes", "a raster ends with the last of its tiles", rasters)
def raster_bytes(raster: OpenedRaster) -> Iterator[Failure]:
    size = raster.archive.files.size(raster.file) or 0
    with geotiff(raster) as source:
        end = max((start + length for _, start, length in tile_places(source)), default=size)
    if size - end > _TRAILER:
        yield Failure(raster.file, f"{size - end} bytes behind the last tile", f"at most {_TRAILER}", _REBUILD)


_TRAILER = 4  # a COG repeats the end of each tile behind it


@check(
    "rasters-on-one-grid",
    "the measured rasters of an item lie on one grid, and an error stands where its value does",
    items,
)
def rasters_on_one_grid(item: Document) -> Iterator[Failure]:
    own = rasters_of(item)
    measured = {key: one for key, one in own.items() if key in {*_SIGMA_OF, *_SIGMA_OF.values(), "classification"}}
    grids = {key: grid_of(one) for key, one in measured.items()}
    first = next(iter(grids.values()), None)
    for key, grid in grids.items():
        if first is not None and (grid.shape != first.shape or not grid.transform.almost_equals(first.transform, 1e-6)):
            yield Failure(own[key].file, f"{grid.shape} at {tuple(grid.transform)[:6]}", "the grid beside it", _REBUILD)
            return
    for key, sigma in _SIGMA_OF.items():
        if key in own and sigma in own and item.archive.files.deep:
            yield from _unlike_sigma(own[key], own[sigma])


def _unlike_sigma(value: OpenedRaster, sigma: OpenedRaster) -> Iterator[Failure]:
    (_, known), (errors, stated) = _values(value), _values(sigma)
    if stray := int((stated & ~known).sum()):
        yield Failure(sigma.file, f"{stray} pixels with an error and no value", f"none, by {value.file}", _REBUILD)
    if (errors[stated] < 0).any():
        yield Failure(sigma.file, "errors below zero", "standard deviations", _REBUILD)


@check(
    "classes-follow-rasters",
    "void is where no change is, glaciers where the outlines are, and stable terrain as published",
    items,
)
def classes_follow_rasters(item: Document) -> Iterator[Failure]:
    own = rasters_of(item)
    change, classes = own.get("elevation_change"), own.get("classification")
    if change is None or classes is None or not item.archive.files.deep:
        return
    band, known = _values(change)
    kinds = item.archive.band(classes.file, 1)
    if band.shape != kinds.shape:
        return  # named by the check of grids
    if wrong := int(((kinds == VOID) == known).sum()):
        yield Failure(classes.file, f"{wrong} pixels void in one alone", f"void where {change.file} is", _REBUILD)
    yield from _unlike_outlines(item, classes, kinds)
    stated = item.content["properties"].get("glacier:stable_terrain", {}).get("after")
    if stated:
        yield from _unlike_statistics(change, band[(kinds == STABLE) & known].astype(np.float64), stated)


def _unlike_outlines(item: Document, classes: OpenedRaster, kinds: NDArray[Any]) -> Iterator[Failure]:
    asset = item.assets.get("outlines")
    path = None if asset is None else item.target(asset["href"])
    if path is None:
        return
    inside = _burnt(item, path, grid_of(classes))
    wrong = int(((kinds == GLACIER) & ~inside).sum()) + int((inside & (kinds != GLACIER) & (kinds != VOID)).sum())
    if wrong > _EDGE_SHARE * max(inside.sum(), 1) + 4:
        yield Failure(classes.file, f"{wrong} pixels unlike the outlines", f"glaciers as in {path}", _REBUILD)


def _burnt(item: Document, path: str, grid: Grid) -> NDArray[np.bool_]:
    """Pixels whose centre lies within any feature."""
    shapes = [geometry_of(one["geometry"]).__geo_interface__ for one in item.archive.json(path)["features"]]
    if not shapes:
        return np.zeros(grid.shape, bool)
    placed = [(one, 1) for one in transform_geom(PLACE_CRS, grid.crs, shapes)]
    return np.asarray(rasterize(placed, out_shape=grid.shape, transform=grid.transform, dtype="uint8") == 1)


def _unlike_statistics(change: OpenedRaster, values: NDArray[np.float64], stated: dict[str, Any]) -> Iterator[Failure]:
    """Statistics of stable terrain unlike its pixels, which are published at a centimetre."""
    if not values.size:
        return
    true = {
        "count": float(values.size),
        "mean_m": float(values.mean()),
        "mean_absolute_m": float(np.abs(values).mean()),
        "std_m": float(values.std()),
        "rmse_m": sqrt(float((values**2).mean())),
    }
    for name, value in true.items():
        slack = 0 if name == "count" else _HALF_CENTIMETRE
        if stated.get(name) is not None and abs(stated[name] - value) > slack:
            told = f"stable terrain with {name} {value:.4f}"
            yield Failure(change.file, told, f"{stated[name]}, as {change.item.file} states", _REBUILD)


@check(
    "balance-fills-the-area",
    "the pixels of a balance are as many as the glacier's area holds, and gain by its share",
    items,
)
def balance_fills_the_area(item: Document) -> Iterator[Failure]:
    balance = rasters_of(item).get("balance")
    if balance is None or not item.archive.files.deep:
        return
    rows = rows_of(item.archive, item.collection_id, "glacier_balances")
    year = str(item.content["properties"].get("glacier:year"))
    row = next((one for one in rows if one["year"] == year), None)
    if row is None or not row["area_km2"]:
        return
    band, known = _values(balance)
    grid = grid_of(balance)
    area = known.sum() * abs(grid.transform.determinant) / 1e6
    # a glacier is as many pixels as have their centre in it: off by less than its edge
    edge = 2 * sqrt(area * 1e6) * max(grid.pixel_size) / 1e6
    if abs(area - float(row["area_km2"])) > edge:
        yield Failure(balance.file, f"{area:.4f} km2 of balances", f"{row['area_km2']} km2, as in the table", _REBUILD)
    if row["aar"] and known.any():
        gaining = float((band[known] >= -_HALF_CENTIMETRE).mean()), float((band[known] > _HALF_CENTIMETRE).mean())
        if not gaining[1] - _AAR_SLACK <= float(row["aar"]) <= gaining[0] + _AAR_SLACK:
            told = f"{gaining[1]:.3f} to {gaining[0]:.3f} of the pixels gaining"
            yield Failure(balance.file, told, f"aar {row['aar']}, as in the table", _REBUILD)


_AAR_SLACK = 0.02


@check("isolines-follow-balance", "an isoline of a year runs where the balance has its value", items)
def isolines_follow_balance(item: Document) -> Iterator[Failure]:
    balance, asset = rasters_of(item).get("balance"), item.assets.get("isolines")
    path = None if asset is None else item.target(asset["href"])
    if balance is None or path is None or not item.archive.files.deep:
        return
    (band, known), grid = _values(balance), grid_of(balance)
    right: list[NDArray[np.bool_]] = []
    for feature in item.archive.json(path)["features"]:
        stated = feature["properties"].get("balance_m_we")
        line = shape(transform_geom(PLACE_CRS, grid.crs, geometry_of(feature["geometry"]).__geo_interface__))
        if stated is not None and not line.is_empty:
            low, high = _around(band, known, grid, mapping(line))
            right.append((low - _ISOLINE_SLACK <= stated) & (stated <= high + _ISOLINE_SLACK))
    corners = np.concatenate(right) if right else np.ones(1, bool)
    if corners.size and corners.mean() < _ON_THE_LINE:
        told = f"isolines with {corners.mean():.0%} of their corners where the balance is theirs"
        yield Failure(path, told, f"isolines of {balance.file}", _REBUILD)


_ISOLINE_SLACK, _ON_THE_LINE = 0.02, 0.9


def _around(
    band: NDArray[Any], known: NDArray[np.bool_], grid: Grid, line: Any
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lowest and highest balance of the pixels about each corner of a line."""
    parts = [line["coordinates"]] if line["type"] == "LineString" else line["coordinates"]
    points = np.array([point[:2] for part in parts for point in part], dtype=float)
    columns, rows = (~grid.transform) @ (points[:, 0], points[:, 1])
    low, high = np.full(len(points), np.inf), np.full(len(points), -np.inf)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            row = np.clip(np.floor(rows).astype(int) + dy, 0, grid.shape[0] - 1)
            column = np.clip(np.floor(columns).astype(int) + dx, 0, grid.shape[1] - 1)
            held = known[row, column]
            value = band[row, column].astype(float)
            low, high = np.where(held, np.minimum(low, value), low), np.where(held, np.maximum(high, value), high)
    there = np.isfinite(low)
    return low[there], high[there]


@check("scales-hold-values", "the scale of a raster ends where 98 % of the values that share it end", collections)
def scales_hold_values(collection: Document) -> Iterator[Failure]:
    if not collection.archive.files.deep:
        return
    scales: dict[tuple[str, float], list[OpenedRaster]] = {}
    for item in collection.archive.items_of(collection):
        renders = item.content["properties"].get("renders", {})
        for key, raster in rasters_of(item).items():
            if key in _SCALED_BY_ALL and renders.get(key, {}).get("rescale"):
                scales.setdefault((key, float(renders[key]["rescale"][0][1])), []).append(raster)
    for (key, end), members in scales.items():
        held = [np.abs(band[known]) for band, known in map(_values, members)]
        # the scale may be taken from some of the pixels, and is rounded up to a number that reads well
        size = float(np.quantile(np.concatenate(held), 0.98)) if sum(map(len, held)) else 0.0
        if size > 0 and not size / _THINNED <= end <= _ROUNDED_UP * _THINNED * size:
            told = f"a scale of {key} to {end:g} where 98 % of the values are below {size:.3g}"
            yield Failure(members[0].file, told, "a scale that ends there", _REBUILD)


# the scale of an elevation change is that of its glaciers
_SCALED_BY_ALL = ("elevation_change_sigma", "balance", "balance_sigma")
_THINNED, _ROUNDED_UP = 1.15, 1.5


@check(
    "picture-shows-values",
    "a picture in colour is red where its raster loses and blue where it gains, the more the more",
    items,
)
def picture_shows_values(item: Document) -> Iterator[Failure]:
    own = rasters_of(item)
    value, picture = own.get("elevation_change") or own.get("balance"), own.get("visual")
    if value is None or picture is None or not item.archive.files.deep:
        return
    band, known = _values(value)
    parts = max(1, round(grid_of(value).transform.a / grid_of(picture).transform.a))
    red, blue = (_thinned(picture, index, parts, band.shape) for index in (1, 3))
    if red.shape != band.shape:
        return  # named by the check of the picture's grid
    render = item.content["properties"].get("renders", {}).get(value.key, {})
    limit = max(abs(end) for end in render.get("rescale", [[1.0, -1.0]])[0])
    shown = known & (np.maximum(red, blue) > _DARK)  # lines drawn over the values are darker
    loss, gain = shown & (band < -0.3 * limit), shown & (band > 0.3 * limit)
    for name, where, right in (("loss", loss, red > blue), ("gain", gain, blue > red)):
        if where.sum() >= _FEW and (share := float(right[where].mean())) < _MOSTLY:
            yield Failure(
                picture.file, f"{name} in its colour for {share:.0%} of its pixels", f"by {value.file}", _REBUILD
            )
            return
    tone = (blue.astype(float) - red)[shown]
    held = np.clip(band[shown].astype(float) / limit, -1, 1)
    if held.size > _FEW and held.std() > 0 and (tone.std() == 0 or np.corrcoef(tone, held)[0, 1] < _ALIKE):
        yield Failure(picture.file, "colours that do not follow the values", f"those of {value.file}", _REBUILD)


_FEW, _MOSTLY, _ALIKE, _DARK = 50, 0.8, 0.3, 60


def _thinned(picture: OpenedRaster, index: int, parts: int, shape_: tuple[int, ...]) -> NDArray[Any]:
    """One pixel of the picture for each of its raster: the middle one of the parts."""
    band = picture.archive.band(picture.file, index)
    middle = parts // 2
    thin: NDArray[Any] = band[middle::parts, middle::parts][: shape_[0], : shape_[1]].astype(np.int16)
    return thin
