"""The static STAC 1.1.0 catalogue, derived from the files as they were written, in English and Chinese."""

from typing import TYPE_CHECKING

from pipeline.lazy_names import lazy_names

if TYPE_CHECKING:
    from catalog.stac.catalogs import Child
    from catalog.stac.glacier import GlacierExtension
    from catalog.stac.item_lists import feature_collection, listed_item, write_item_lists
    from catalog.stac.search_table import read_search_table, without_nulls, write_search_table
    from catalog.stac.write import write_catalog, write_collection_stac

__all__ = [
    "Child",
    "GlacierExtension",
    "feature_collection",
    "listed_item",
    "read_search_table",
    "without_nulls",
    "write_catalog",
    "write_collection_stac",
    "write_item_lists",
    "write_search_table",
]
__getattr__ = lazy_names(
    __name__,
    {
        "catalogs": ("Child",),
        "glacier": ("GlacierExtension",),
        "item_lists": ("feature_collection", "listed_item", "write_item_lists"),
        "search_table": ("read_search_table", "without_nulls", "write_search_table"),
        "write": ("write_catalog", "write_collection_stac"),
    },
)
