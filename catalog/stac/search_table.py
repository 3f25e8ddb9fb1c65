"""``items.parquet``: every item as a row of one table (stac-geoparquet), for search without reading a thousand files.

One row group a batch, so that memory does not grow with the documents; the columns are the union of the items' fields.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import shapely
from pyproj import CRS

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS = 500
_GEOPARQUET, _STAC_GEOPARQUET = "1.1.0", "1.0.0"  # versions of the two specifications
_CRS = "OGC:CRS84"
_MICROSECONDS = re.compile(r"(?<=T\d\d:\d\d:\d\d)\.000000Z$")
T = TypeVar("T")


def write_search_table(path: Path, items: Iterable[dict[str, Any]]) -> int:
    """Write the items as stac-geoparquet, in their order; the number of rows.

    The properties are columns of their own; geometry is WKB in degrees (OGC:CRS84), times are UTC. A field that an item
    lacks is null. Nothing is written where there is no item. The same items give the same bytes.

    Parameters
    ----------
    items : STAC Items, one at a time; a thousand of them need some 6 MB.
    """
    # half a second to load; who only reads the catalogue need not wait for it
    import pyarrow as pa
    import pyarrow.parquet as pq

    tables = [_table(batch) for batch in _batches(items, _ROWS)]
    if not tables:
        return 0
    # one column of text in one batch and of nulls in another, whole numbers here and decimals there: the wider type
    table = pa.concat_tables(tables, promote_options="permissive")
    about = {"geo": json.dumps(_geo(table)), "stac-geoparquet": json.dumps({"version": _STAC_GEOPARQUET})}
    table = table.select([field.name for field in table.schema if str(field.type) != "struct<>"])
    packed = {"compression": "zstd", "compression_level": 3, "row_group_size": _ROWS}
    pq.write_table(table.replace_schema_metadata(about), path, **packed)
    return int(table.num_rows)


def _geo(table: pa.Table) -> dict[str, Any]:
    """The file metadata of GeoParquet 1.1.0, with the kinds of geometry and the bounds that the library leaves out."""
    shapes = shapely.from_wkb(table.column("geometry").to_pylist())
    column = {
        "encoding": "WKB",
        "geometry_types": sorted({shape.geom_type for shape in shapes}),
        "crs": CRS.from_user_input(_CRS).to_json_dict(),
        "edges": "planar",
        "bbox": [float(edge) for edge in shapely.total_bounds(shapes)],
        "covering": {"bbox": {f"{axis}{side}": ["bbox", f"{axis}{side}"] for side in ("min", "max") for axis in "xy"}},
    }
    return {"version": _GEOPARQUET, "primary_column": "geometry", "columns": {"geometry": column}}


def read_search_table(source: Path | BinaryIO) -> Iterator[dict[str, Any]]:
    """The items of a table, as they were given: nulls left out, times as the catalogue writes them.

    Errors
    ------
    OSError, ValueError : no Parquet file, or one that is not stac-geoparquet (pyarrow's own errors).
    """
    import pyarrow.parquet as pq
    from stac_geoparquet.arrow import stac_table_to_items

    for item in stac_table_to_items(pq.read_table(source)):
        properties = {name: _whole_second(value) for name, value in item["properties"].items()}
        yield without_nulls({**item, "properties": properties})


def _whole_second(value: Any) -> Any:
    """A time without the microseconds that the table adds to it."""
    return _MICROSECONDS.sub("Z", value) if isinstance(value, str) else value


def without_nulls(value: Any) -> Any:
    """A JSON value without the keys that hold null or nothing: a table cannot tell them from absent ones."""
    if isinstance(value, dict):
        kept = ((key, without_nulls(part)) for key, part in value.items())
        return {key: part for key, part in kept if part is not None and part != {}}
    if isinstance(value, list):
        return [without_nulls(part) for part in value]
    return value


def _table(items: list[dict[str, Any]]) -> pa.Table:
    from stac_geoparquet.arrow import parse_stac_items_to_arrow

    # Parquet has no record without fields: an object with nothing in it is left out like null
    return parse_stac_items_to_arrow([_Given({"assets": {}, **without_nulls(item)}) for item in items]).read_all()


class _Given(dict[str, Any]):
    """An item for the library, which copies all of it before it replaces the geometry: half of the table's time."""

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        """The same values under the same names; nobody else holds them."""
        return dict(self)


def _batches(entries: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(entries)
    while batch := list(islice(iterator, size)):
        yield batch
