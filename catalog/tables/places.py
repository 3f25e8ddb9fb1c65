"""Where the records of the tables lie: stakes, pits, probings and points as points, glaciers as polygons."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import shapely
from shapely.geometry.base import BaseGeometry

from catalog.archive import changes_of
from catalog.formats import PublishedTable, published_rows, to_degrees
from schemas.tables import GLACIERS, OUTLINES, POINT_BALANCES, PROBINGS, SNOW_PITS, STAKES

if TYPE_CHECKING:
    import geopandas as gpd

    from catalog.archive import Dataset

POINT_TABLES = (STAKES.name, SNOW_PITS.name, PROBINGS.name, POINT_BALANCES.name)


def places_of(dataset: Dataset, published: PublishedTable) -> list[BaseGeometry | None] | None:
    """The place of each record in degrees, None where it has none; None for a table whose records have no place.

    A point is at the longitude and latitude of its record, which the record states at 1e-6 degrees (0.1 m), or at its
    easting and northing where it states these alone. A glacier is the union of its outlines of all epochs.
    """
    name = published.table.name
    if name in POINT_TABLES:
        return [_point(record, dataset.definition.crs) for record in _records(published)]
    changes = changes_of(dataset)
    if name != GLACIERS.name or not any(result.outlines is not None for result in changes.values()):
        return None
    shapes = {
        (pair, glacier_id): to_degrees(shape, result.grid.crs)
        for pair, result in changes.items()
        if result.outlines is not None
        for glacier_id, shape in glacier_shapes(result.outlines).items()
    }
    return [shapes.get((record.get("pair", ""), str(record["glacier_id"]))) for record in _records(published)]


def glacier_shapes(outlines: gpd.GeoDataFrame) -> dict[str, BaseGeometry]:
    """The union of the outlines of all epochs of each glacier, in the outlines' CRS."""
    parts: dict[str, list[BaseGeometry]] = {}
    for glacier_id, geometry in zip(outlines["glacier_id"], outlines.geometry, strict=True):
        parts.setdefault(str(glacier_id), []).append(geometry)
    return {glacier_id: shapely.union_all(geometries) for glacier_id, geometries in parts.items()}


def published_outlines(outlines: gpd.GeoDataFrame) -> tuple[PublishedTable, list[BaseGeometry]]:
    """The outlines as used, one record a glacier and epoch, with the shape of each in the outlines' CRS; in order."""
    rows = published_rows(OUTLINES, outlines[list(OUTLINES.column_names)])
    key = itemgetter(*(OUTLINES.column_names.index(name) for name in ("glacier_id", "epoch", "glacier_name")))
    pairs = zip(rows, outlines.geometry, strict=True)
    ordered = sorted(pairs, key=lambda pair: ([str(cell or "") for cell in key(pair[0])], pair[1].wkt))
    return PublishedTable(OUTLINES, tuple(row for row, _ in ordered)), [geometry for _, geometry in ordered]


def _records(published: PublishedTable) -> list[dict[str, Any]]:
    names: Sequence[str] = published.table.column_names
    return [dict(zip(names, row, strict=True)) for row in published.rows]


def _point(record: dict[str, Any], crs: str) -> BaseGeometry | None:
    longitude, latitude = record["longitude"], record["latitude"]
    if longitude is not None and latitude is not None:
        return shapely.Point(longitude, latitude)
    easting, northing = record["easting"], record["northing"]
    if easting is None or northing is None:
        return None
    return to_degrees(shapely.Point(easting, northing), crs)
