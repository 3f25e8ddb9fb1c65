"""The media type and the cache rule of every kind of file in the archive; server and publication agree by it."""

from __future__ import annotations

from pathlib import PurePosixPath

from catalog.archive.layout import ITEMS_JSON

COG = "image/tiff; application=geotiff; profile=cloud-optimized"
GEOJSON = "application/geo+json"
JSON = "application/json"
PARQUET = "application/vnd.apache.parquet"
QML = "application/xml"
HTML = "text/html; charset=utf-8"
UNKNOWN = "application/octet-stream"

_BY_SUFFIX = {
    ".tif": COG,
    ".tiff": COG,
    ".json": JSON,
    ".geojson": GEOJSON,
    ".jsonld": "application/ld+json",
    ".html": HTML,
    ".csv": "text/csv; charset=utf-8",
    ".parquet": PARQUET,
    ".gpkg": "application/geopackage+sqlite3",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".xml": "application/xml",
    ".qml": QML,
    ".cff": "text/yaml; charset=utf-8",
    ".bib": "application/x-bibtex; charset=utf-8",
    ".ris": "application/x-research-info-systems; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".pdf": "application/pdf",
}
_TEXT = frozenset(
    {".json", ".geojson", ".jsonld", ".html", ".csv", ".xml", ".qml", ".cff", ".bib", ".ris", ".md", ".txt"}
    | {".css", ".js", ".svg"}
)
_CATALOGUE = frozenset({".json", ".jsonld", ".html"})


def media_type_of(path: str) -> str:
    """Media type of a file of the archive, by its path (forward slashes).

    A STAC item is a GeoJSON feature; it stands as ``<item>/<item>.json``, in Chinese as ``<item>/<item>.zh.json``; all
    of them together in ``items.json``.
    """
    name = PurePosixPath(path)
    if path.rpartition("/")[2] == ITEMS_JSON:
        return GEOJSON
    if name.suffix == ".json" and name.stem.removesuffix(".zh") == name.parent.name:
        return GEOJSON
    return _BY_SUFFIX.get(name.suffix.lower(), UNKNOWN)


def is_compressible(path: str) -> bool:
    """Whether sending the file compressed helps; never a COG, whose tiles are compressed and read by ranges."""
    return PurePosixPath(path).suffix.lower() in _TEXT


def cache_rule(path: str) -> str:
    """``Cache-Control`` of a published file.

    A new version replaces a file under the same address: the catalogue is asked for anew each time, data may be an
    hour old.
    """
    catalogue = PurePosixPath(path).suffix.lower() in _CATALOGUE
    return "no-cache" if catalogue else "public, max-age=3600, must-revalidate"
