"""The pages that people read: of the archive, of a collection, of an item."""

from typing import TYPE_CHECKING

from pipeline.lazy_names import lazy_names

if TYPE_CHECKING:
    from catalog.pages.facts import Card
    from catalog.pages.search import parse_search_script
    from catalog.pages.write import write_collection_pages, write_front_page, write_readme

__all__ = ["Card", "parse_search_script", "write_collection_pages", "write_front_page", "write_readme"]
__getattr__ = lazy_names(
    __name__,
    {
        "facts": ("Card",),
        "search": ("parse_search_script",),
        "write": ("write_collection_pages", "write_front_page", "write_readme"),
    },
)
