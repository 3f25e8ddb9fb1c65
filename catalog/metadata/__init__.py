"""Metadata of a dataset in the forms that portals, reference managers, geoportals and search engines read."""

from typing import TYPE_CHECKING

from pipeline.lazy_names import lazy_names

if TYPE_CHECKING:
    from catalog.metadata.changelog import changelog_text, write_changelog
    from catalog.metadata.data_files import is_large, is_of_item
    from catalog.metadata.datacite import datacite_errors
    from catalog.metadata.datapackage import package_facts
    from catalog.metadata.facts import Facts, describe, licence_url, without_turns
    from catalog.metadata.json_text import inert
    from catalog.metadata.jsonld import page_document
    from catalog.metadata.markdown import markdown_line
    from catalog.metadata.ncdc import NCDC_FIELDS, stated_fields
    from catalog.metadata.write import render_metadata, write_metadata

__all__ = [
    "NCDC_FIELDS",
    "Facts",
    "changelog_text",
    "datacite_errors",
    "describe",
    "inert",
    "is_large",
    "is_of_item",
    "licence_url",
    "markdown_line",
    "package_facts",
    "page_document",
    "render_metadata",
    "stated_fields",
    "without_turns",
    "write_changelog",
    "write_metadata",
]
__getattr__ = lazy_names(
    __name__,
    {
        "changelog": ("changelog_text", "write_changelog"),
        "data_files": ("is_large", "is_of_item"),
        "datacite": ("datacite_errors",),
        "datapackage": ("package_facts",),
        "facts": ("Facts", "describe", "licence_url", "without_turns"),
        "json_text": ("inert",),
        "jsonld": ("page_document",),
        "markdown": ("markdown_line",),
        "ncdc": ("NCDC_FIELDS", "stated_fields"),
        "write": ("render_metadata", "write_metadata"),
    },
)
