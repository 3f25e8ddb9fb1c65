"""Outlines of one glacier by the year in which they were surveyed, from any vector file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
from shapely.geometry.base import BaseGeometry
from shapely.validation import explain_validity

from pipeline.elevation_change.outlines import DATE_NAMES, ID_NAMES
from pipeline.gdal_inputs import require_plain_outlines, require_plausible_count
from pipeline.grid import BoolArray
from pipeline.outline_errors import UNUSABLE, quiet_outlines
from schemas.errors import BadInput

# attributes that hold the year of a survey, or a date that does; the first of them with a value counts
YEAR_NAMES = ("survey_year", "year", *DATE_NAMES)
_EXPECTED = "an outline (GeoPackage, GeoJSON or shapefile)"
# a year by itself, in a date of any order, or at the head of eight figures
_YEAR = re.compile(r"(?<!\d)(1[89]\d\d|20\d\d)(?=\d{4}$|\D|$)")
# what RGI 6 and others write where they know no date
_NO_DATE = re.compile(r"-?9+(\.0)?")


def read_surveyed_outlines(path: Path, glacier_id: str, crs: str) -> dict[int | None, BaseGeometry]:
    """The outlines of a glacier in ``crs`` by calendar year of their survey, the earliest first.

    The features that bear the glacier's identifier count, or all of the file where none does. Features of one year are
    parts of one outline. A file that states no year has one outline, under None, that serves every year.

    Errors
    ------
    BadInput : no such file, not a vector file, no CRS, no polygon, invalid geometry, years for some features only, or
        features of several years that belong to several glaciers.
    """
    if not path.exists():
        raise BadInput(path.name, "no such file", _EXPECTED)
    require_plain_outlines(path, path.name)
    try:
        with quiet_outlines():
            return _outlines(path, glacier_id, crs)
    except UNUSABLE as error:
        found = " ".join(str(error).split()) or type(error).__name__
        raise BadInput(path.name, found, _EXPECTED) from None


def _outlines(path: Path, glacier_id: str, crs: str) -> dict[int | None, BaseGeometry]:
    chosen = _features(path, glacier_id)
    years = _years(chosen, path.name)
    if len(set(years)) > 1 and not _bear(chosen, glacier_id).all():
        _require_one_glacier(chosen, path.name, glacier_id)
    projected = chosen.to_crs(crs)
    found: dict[int | None, BaseGeometry] = {}
    for year in sorted(set(years), key=lambda one: -1 if one is None else one):
        union = projected[[own == year for own in years]].union_all()
        if union.is_empty or not np.isfinite(union.area) or union.area == 0:
            of_year = "" if year is None else f" of {year}"
            raise BadInput(path.name, f"an empty outline{of_year}", "a glacier with an area")
        found[year] = union
    return found


def _features(path: Path, glacier_id: str) -> gpd.GeoDataFrame:
    """The valid polygons that bear the glacier's identifier, or all polygons where none does."""
    require_plausible_count(path, path.name, int(pyogrio.read_info(path)["features"]))
    frame = gpd.read_file(path)
    if not isinstance(frame, gpd.GeoDataFrame):
        raise BadInput(path.name, "a table without shapes", "the glacier as polygon")
    if frame.crs is None:
        raise BadInput(path.name, "no coordinate reference system", "an outline with a CRS", "add the .prj file")
    polygons = frame[frame.geometry.geom_type.isin(["Polygon", "MultiPolygon"])]
    if polygons.empty:
        raise BadInput(path.name, f"{len(frame)} features, no polygon", "the glacier as polygon")
    named = _bear(polygons, glacier_id)
    chosen = polygons[named] if named.any() else polygons
    for geometry in chosen.geometry:
        if not geometry.is_valid:
            raise BadInput(path.name, f"invalid geometry: {explain_validity(geometry)}", "a valid polygon", "repair it")
    return chosen


def _bear(features: gpd.GeoDataFrame, glacier_id: str) -> BoolArray:
    """Which features have the identifier among their attributes, shape (features,)."""
    return np.asarray(features.drop(columns="geometry").astype(str).eq(glacier_id).any(axis=1), bool)


def _years(features: gpd.GeoDataFrame, where: str) -> list[int | None]:
    """The year of each feature; None for all where no attribute states one."""
    for name in _columns(features, YEAR_NAMES):
        cells = [None if _is_no_date(cell) else str(cell).strip() for cell in features[name]]
        years = [int(found[1]) if cell and (found := _YEAR.search(cell)) else None for cell in cells]
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


def _require_one_glacier(features: gpd.GeoDataFrame, where: str, glacier_id: str) -> None:
    """Several years are several surveys of one glacier only where no other identifiers tell glaciers apart."""
    # a bare "id" mostly numbers the features
    for name in _columns(features, [name for name in ID_NAMES if name != "id"]):
        cells = sorted({str(cell) for cell in features[name] if not pd.isna(cell)})
        if len(cells) > 1:
            found = f"outlines of several years and glaciers ({name}: {', '.join(cells[:3])})"
            raise BadInput(where, found, f"those of the glacier {glacier_id!r}", "write its identifier into the file")
