"""The static STAC 1.1.0 catalogue, derived from the files as they were written, in English and Chinese."""

from __future__ import annotations

from catalog.stac.catalogs import CATALOG_ID, Child
from catalog.stac.documents import DECLARED
from catalog.stac.write import write_catalog, write_collection_stac, write_stac

__all__ = ["CATALOG_ID", "DECLARED", "Child", "write_catalog", "write_collection_stac", "write_stac"]

_DECLARED = DECLARED
