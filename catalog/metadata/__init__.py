"""Metadata of a dataset in the forms that portals, reference managers, geoportals and search engines read."""

from catalog.metadata.write import render_metadata, write_metadata

__all__ = ["render_metadata", "write_metadata"]
