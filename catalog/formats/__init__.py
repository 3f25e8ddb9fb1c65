"""One kind of file each: COG, GeoJSON, Parquet, CSV and workbook, and text in cells and of numbers."""

from typing import TYPE_CHECKING

from pipeline.lazy_names import lazy_names

if TYPE_CHECKING:
    from catalog.formats.cell_text import FORMULA_SIGNS, inert_text, text_of_csv
    from catalog.formats.cogs import CLASS_NODATA, NODATA, VISUAL_NODATA, RasterFacts, raster_facts, write_cog
    from catalog.formats.even_overviews import even_shape, filled_up
    from catalog.formats.geojson import Feature, bbox_of, footprint, to_degrees, to_geojson, write_features
    from catalog.formats.number_text import finite, measured, signed
    from catalog.formats.parquet import GEOMETRY, GEOPARQUET_VERSION, PLACE_CRS, write_parquet
    from catalog.formats.published import (
        PublishedTable,
        csv_bytes,
        published_rows,
        published_table,
        published_tables,
        write_csv_tables,
    )
    from catalog.formats.workbook import LONGEST_SHEET, About, results_workbook

__all__ = [
    "CLASS_NODATA",
    "FORMULA_SIGNS",
    "GEOMETRY",
    "GEOPARQUET_VERSION",
    "LONGEST_SHEET",
    "NODATA",
    "PLACE_CRS",
    "VISUAL_NODATA",
    "About",
    "Feature",
    "PublishedTable",
    "RasterFacts",
    "bbox_of",
    "csv_bytes",
    "even_shape",
    "filled_up",
    "finite",
    "footprint",
    "inert_text",
    "measured",
    "published_rows",
    "published_table",
    "published_tables",
    "raster_facts",
    "results_workbook",
    "signed",
    "text_of_csv",
    "to_degrees",
    "to_geojson",
    "write_cog",
    "write_csv_tables",
    "write_features",
    "write_parquet",
]
__getattr__ = lazy_names(
    __name__,
    {
        "cell_text": ("FORMULA_SIGNS", "inert_text", "text_of_csv"),
        "cogs": ("CLASS_NODATA", "NODATA", "VISUAL_NODATA", "RasterFacts", "raster_facts", "write_cog"),
        "even_overviews": ("even_shape", "filled_up"),
        "geojson": ("Feature", "bbox_of", "footprint", "to_degrees", "to_geojson", "write_features"),
        "number_text": ("finite", "measured", "signed"),
        "parquet": ("GEOMETRY", "GEOPARQUET_VERSION", "PLACE_CRS", "write_parquet"),
        "published": (
            "PublishedTable",
            "csv_bytes",
            "published_rows",
            "published_table",
            "published_tables",
            "write_csv_tables",
        ),
        "workbook": ("LONGEST_SHEET", "About", "results_workbook"),
    },
)
