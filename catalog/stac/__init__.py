"""The static STAC 1.1.0 catalogue, derived from the files as they were written, in English and Chinese."""

from typing import TYPE_CHECKING

from pipeline.lazy_names import lazy_names

if TYPE_CHECKING:
    from catalog.stac.catalogs import Child
    from catalog.stac.search_table import read_search_table, without_nulls
    from catalog.stac.write import write_catalog, write_collection_stac

__all__ = ["Child", "read_search_table", "without_nulls", "write_catalog", "write_collection_stac"]
__getattr__ = lazy_names(
    __name__,
    {
        "catalogs": ("Child",),
        "search_table": ("read_search_table", "without_nulls"),
        "write": ("write_catalog", "write_collection_stac"),
    },
)
