"""Outlines of one glacier by the year in which they were surveyed, from any vector file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from shapely.geometry.base import BaseGeometry
from shapely.validation import explain_validity

from pipeline.grid import BoolArray, FloatArray
from pipeline.inputs.gdal_inputs import require_plain_outlines, require_plausible_count
from pipeline.inputs.outline_attributes import DATE_NAMES, ID_NAMES, NAME_NAMES
from pipeline.inputs.outline_errors import UNUSABLE, quiet_outlines
from pipeline.inputs.vector_files import chosen_layer, opened_layers
from schemas.errors import BadInput

# attributes that hold the year of a survey, or a date that does; the first of them with a value counts
YEAR_NAMES = ("survey_year", "year", *DATE_NAMES)
_EXPECTED = "an outline (GeoPackage, GeoJSON or shapefile)"
_MOST_NAMED = 5
# a year by itself, in a date of any order, or at the head of eight figures
_YEAR = re.compile(r"(?<!\d)(1[89]\d\d|20\d\d)(?=\d{4}$|\D|$)")
# what RGI 6 and others write where they know no date
_NO_DATE = re.compile(r"-?9+(\.0)?")


@dataclass(frozen=True)
class KnownBy:
    """What tells a glacier from its neighbours in a file of outlines, beside its identifier.

    Attributes
    ----------
    name : as an attribute may have it, in any case of letters; empty where unknown.
    positions : easting and northing of what was measured on it, shape (points, 2), in the CRS asked for.
    """

    name: str = ""
    positions: FloatArray = field(default_factory=lambda: np.empty((0, 2)))


def read_surveyed_outlines(
    path: Path, glacier_id: str, crs: str, known_by: KnownBy | None = None
) -> dict[int | None, BaseGeometry]:
    """The outlines of a glacier in ``crs`` by calendar year of their survey, the earliest first.

    The features that bear the glacier's identifier count, else those that bear its name, else, where attributes tell
    several glaciers apart, those of the one glacier that holds the positions of ``known_by``; a file that tells none
    apart is of the glacier as a whole. Features of one year are parts of one outline. A file that states no year has
    one outline, under None, that serves every year.

    Parameters
    ----------
    path : of a vector file.
    glacier_id : as the fieldwork names the glacier.
    crs : of the result.
    known_by : name and positions of the glacier, for a file that lacks its identifier.

    Errors
    ------
    BadInput : no such file, not a vector file, no CRS, no polygon, invalid geometry, years for some features only; or
        several glaciers, and neither identifier nor name nor the positions say which.
    """
    if not path.exists():
        raise BadInput(path.name, "no such file", _EXPECTED)
    require_plain_outlines(path, path.name)
    try:
        with quiet_outlines():
            return _outlines(path, glacier_id, crs, known_by or KnownBy())
    except UNUSABLE as error:
        damage = " ".join(str(error).split()) or type(error).__name__
        raise BadInput(path.name, damage, _EXPECTED) from None


def _outlines(path: Path, glacier_id: str, crs: str, known_by: KnownBy) -> dict[int | None, BaseGeometry]:
    chosen = _chosen(_polygons(path), path.name, (glacier_id, crs), known_by)
    for geometry in chosen.geometry:
        if not geometry.is_valid:
            raise BadInput(path.name, f"invalid geometry: {explain_validity(geometry)}", "a valid polygon", "repair it")
    years = _years(chosen, path.name)
    projected = chosen.to_crs(crs)
    by_year: dict[int | None, BaseGeometry] = {}
    for year in sorted(set(years), key=lambda one: -1 if one is None else one):
        union = projected[[own == year for own in years]].union_all()
        if union.is_empty or not np.isfinite(union.area) or union.area == 0:
            of_year = "" if year is None else f" of {year}"
            raise BadInput(path.name, f"an empty outline{of_year}", "a glacier with an area")
        by_year[year] = union
    return by_year


def _polygons(path: Path) -> gpd.GeoDataFrame:
    """The polygons of a file, with all their attributes."""
    if path.suffix.lower() == ".zip":  # unpacked, so that what it holds is looked at as well
        with opened_layers(path) as layers:
            layer = chosen_layer(path, layers, None)
            frame = gpd.read_file(layer.file, layer=layer.name)
    else:
        require_plausible_count(path, path.name, int(pyogrio.read_info(path)["features"]))
        frame = gpd.read_file(path)
    if not isinstance(frame, gpd.GeoDataFrame):
        raise BadInput(path.name, "a table without shapes", "the glacier as polygon")
    if frame.crs is None:
        raise BadInput(path.name, "no coordinate reference system", "an outline with a CRS", "add the .prj file")
    polygons = frame[frame.geometry.geom_type.isin(["Polygon", "MultiPolygon"])]
    if polygons.empty:
        raise BadInput(path.name, f"{len(frame)} features, no polygon", "the glacier as polygon")
    return polygons


def _chosen(polygons: gpd.GeoDataFrame, where: str, identity: tuple[str, str], known_by: KnownBy) -> gpd.GeoDataFrame:
    """The features of the glacier; ``identity`` : its identifier, and the CRS of the positions it is known by."""
    glacier_id, crs = identity
    bear = _bear(polygons, glacier_id)
    if bear.any():
        return polygons[bear]
    called = _called(polygons, known_by.name)
    candidates = polygons[called] if called.any() else polygons
    glaciers = _told_apart(candidates)
    names = sorted(set(glaciers))
    held = _positions_within(candidates, crs, known_by.positions)
    holding = sorted({glacier for glacier, count in zip(glaciers, held, strict=True) if count})
    if len(names) == 1 and (called.any() or holding or not len(known_by.positions)):
        return candidates
    if len(holding) == 1:
        return candidates[[glacier == holding[0] for glacier in glaciers]]
    several = f"{len(names)} glaciers ({', '.join(names[:_MOST_NAMED])})" if len(names) > 1 else "an outline"
    said = f"points of it on {', '.join(holding[:_MOST_NAMED])}" if holding else "none of its points within"
    if not len(known_by.positions):
        said = "no points to go by"
    wanted = f"one named as {glacier_id!r}, or one alone that holds points measured on it"
    remedy = "write its identifier into the file" if len(names) > 1 else "is it the outline of another glacier?"
    raise BadInput(where, f"{several}, not named as {glacier_id!r}, and {said}", wanted, remedy)


def _called(features: gpd.GeoDataFrame, name: str) -> BoolArray:
    """Which features have the glacier's name among their attributes, in any case of letters; shape (features,)."""
    if not name.strip():
        return np.zeros(len(features), bool)
    cells = features.drop(columns="geometry").astype(str).apply(lambda column: column.str.strip().str.casefold())
    return np.asarray(cells.eq(name.strip().casefold()).any(axis=1), bool)


def _told_apart(features: gpd.GeoDataFrame) -> list[str]:
    """The glacier that each feature is of, by the first attribute of identifiers or names; all one without any."""
    # a bare "id" mostly numbers the features
    for name in _columns(features, [*(name for name in ID_NAMES if name != "id"), *NAME_NAMES]):
        cells = ["" if pd.isna(cell) else str(cell).strip() for cell in features[name]]
        if any(cells):
            return cells
    return [""] * len(features)


def _positions_within(features: gpd.GeoDataFrame, crs: str, positions: FloatArray) -> list[int]:
    """How many positions lie within each feature."""
    points = shapely.points(positions[np.isfinite(positions).all(axis=1)])
    return [int(shapely.contains(shape, points).sum()) for shape in features.to_crs(crs).geometry]


def _bear(features: gpd.GeoDataFrame, glacier_id: str) -> BoolArray:
    """Which features have the identifier among their attributes, shape (features,)."""
    return np.asarray(features.drop(columns="geometry").astype(str).eq(glacier_id).any(axis=1), bool)


def _years(features: gpd.GeoDataFrame, where: str) -> list[int | None]:
    """The year of each feature; None for all where no attribute states one."""
    for name in _columns(features, YEAR_NAMES):
        cells = [None if _is_no_date(cell) else str(cell).strip() for cell in features[name]]
        years = [int(match[1]) if cell and (match := _YEAR.search(cell)) else None for cell in cells]
        known = sum(year is not None for year in years)
        if known == len(years):
            return years
        if known:
            odd = next(cell for cell, year in zip(cells, years, strict=True) if year is None)
            mixed = f"{known} outlines with a year in {name!r}, and one with {odd!r}"
            raise BadInput(where, mixed, "a year for each, or for none", "write the year of its survey, as 2004")
    return [None] * len(features)


def _is_no_date(cell: Any) -> bool:
    return bool(pd.isna(cell)) or not str(cell).strip() or _NO_DATE.fullmatch(str(cell).strip()) is not None


def _columns(features: gpd.GeoDataFrame, names: Iterable[str]) -> list[str]:
    """The columns of such names, in the order of the names and in any case of letters."""
    present = {str(column).lower(): str(column) for column in features.columns if column != "geometry"}
    return [present[name.lower()] for name in names if name.lower() in present]
