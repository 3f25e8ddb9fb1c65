"""The tables of a collection: written, placed on the map, described, and as the WGMS takes them."""

from typing import TYPE_CHECKING

from pipeline.lazy_names import lazy_names

if TYPE_CHECKING:
    from catalog.tables.every_table import dataset_tables
    from catalog.tables.places import POINT_TABLES, glacier_shapes, published_outlines
    from catalog.tables.point_use import USED_PERIODS, used_points
    from catalog.tables.wgms import Submission, capital_name, wgms_tables
    from catalog.tables.write import workbook_path, write_tables

__all__ = [
    "POINT_TABLES",
    "USED_PERIODS",
    "Submission",
    "capital_name",
    "dataset_tables",
    "glacier_shapes",
    "published_outlines",
    "used_points",
    "wgms_tables",
    "workbook_path",
    "write_tables",
]
__getattr__ = lazy_names(
    __name__,
    {
        "every_table": ("dataset_tables",),
        "places": ("POINT_TABLES", "glacier_shapes", "published_outlines"),
        "point_use": ("USED_PERIODS", "used_points"),
        "wgms": ("Submission", "capital_name", "wgms_tables"),
        "write": ("workbook_path", "write_tables"),
    },
)
