"""Tables as Parquet: the title of the table, and the meaning and unit of each column, stand in the file's schema.

A table whose records have a place is GeoParquet 1.1.0 (OGC): a column ``geometry`` in WKB, longitude and latitude on
WGS 84 (OGC:CRS84) as in the archive's GeoJSON. Every other column is as without it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from catalog.formats.published import PublishedTable

GEOMETRY = "geometry"
GEOPARQUET_VERSION = "1.1.0"
PLACE_CRS = "OGC:CRS84"
_COMPRESSION = "zstd"
_DECIMALS = 6
_TYPES = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "year": pa.int32(),
}

Places = Sequence[BaseGeometry | None]


def write_parquet(path: Path, published: PublishedTable, places: Places | None = None) -> None:
    """Write a table; with ``places``, one for each row, as GeoParquet.

    Parameters
    ----------
    places : where each record lies, degrees (longitude, latitude); None where that is not known.

    Errors
    ------
    ValueError : another number of places than rows.
    """
    pq.write_table(arrow_table(published, places), path, compression=_COMPRESSION)


def arrow_table(published: PublishedTable, places: Places | None = None) -> pa.Table:
    """The table in Arrow's types; as ``write_parquet``."""
    columns = published.table.columns
    fields = [
        pa.field(
            column.name,
            _TYPES[column.type],
            metadata={"description": column.meaning, **({"unit": column.unit} if column.unit else {})},
        )
        for column in columns
    ]
    values = list(zip(*published.rows, strict=True)) if published.rows else [()] * len(columns)
    arrays = [pa.array(cells, field.type) for cells, field in zip(values, fields, strict=True)]
    about = {"title": published.table.title, "description": published.table.meaning}
    if places is not None:
        if len(places) != len(published.rows):
            raise ValueError(f"table {published.table.name}: {len(places)} places of {len(published.rows)} records")
        shapes = [None if place is None else _oriented(place) for place in places]
        fields.append(pa.field(GEOMETRY, pa.binary(), metadata={"description": "where the record lies, WGS 84"}))
        arrays.append(pa.array(_wkb(shapes), pa.binary()))
        about["geo"] = json.dumps(_geo(shapes), sort_keys=True)
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata=about))


def _oriented(place: BaseGeometry) -> BaseGeometry:
    return shapely.orient_polygons(place) if place.geom_type.endswith("Polygon") else place


def _wkb(shapes: Places) -> list[bytes | None]:
    # little-endian and ISO whatever the machine: the same places give the same bytes
    return [None if shape is None else shapely.to_wkb(shape, byte_order=1, flavor="iso") for shape in shapes]


def _geo(shapes: Places) -> dict[str, Any]:
    """The file metadata that GeoParquet 1.1.0 asks for."""
    known = [shape for shape in shapes if shape is not None and not shape.is_empty]
    column: dict[str, Any] = {
        "encoding": "WKB",
        "geometry_types": sorted({shape.geom_type for shape in known}),
        "crs": CRS.from_user_input(PLACE_CRS).to_json_dict(),
        "edges": "planar",
    }
    if any(shape.geom_type.endswith("Polygon") for shape in known):
        column["orientation"] = "counterclockwise"
    if known:
        column["bbox"] = [round(float(value), _DECIMALS) for value in shapely.total_bounds(np.array(known))]
    return {"version": GEOPARQUET_VERSION, "primary_column": GEOMETRY, "columns": {GEOMETRY: column}}
