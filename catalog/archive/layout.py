"""Where everything stands in the archive; the only place that spells a file name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

CATALOG_JSON = "catalog.json"
INDEX_HTML = "index.html"
MANIFEST_JSON = "manifest.json"
ITEMS_PARQUET, ITEMS_JSON = "items.parquet", "items.json"
MOST_IN_JSON = 500  # items that items.json holds: some five megabytes, which a page on the web can still load whole
SITEMAP_XML = "sitemap.xml"  # of an archive that is said to be somewhere
COLLECTION_JSON = "collection.json"
DATAPACKAGE_JSON = "datapackage.json"
README_MD = "README.md"
CHANGELOG_MD = "CHANGELOG.md"
TABLES = "tables"
METADATA = "metadata"
MANIFEST_PARTS = "manifest"  # holds the lists of a manifest of very many files
# what is stated of the manifest: how it came about, the signatures over that, and the keys they were made with
STATEMENT_JSON, SIGNATURES_JSON, SIGNERS_PUB = "statement.json", "statement.dsse.json", "statement.pub"
VOUCHERS = (STATEMENT_JSON, SIGNATURES_JSON, SIGNERS_PUB)
_PART_OF_MANIFEST = re.compile(rf"{MANIFEST_PARTS}/\d{{4,}}\.json")
VERSIONS = "versions"  # what a publication keeps of earlier ones
ELEVATION_CHANGE_ITEM = "elevation-change"
# what the pages share: the style, the scripts, and the data of the search
SITE_CSS, SITE_JS, COG_JS, MAP_JS, SEARCH_JS = "site.css", "site.js", "cog.js", "map.js", "search.js"
SITE_FILES = (SITE_CSS, SITE_JS, COG_JS, MAP_JS, SEARCH_JS)

NCDC_JSON, NCDC_PORTAL_JSON = "ncdc.json", "ncdc_portal.json"
CITATION_TXT = "citation.txt"
CITATION_CFF = "CITATION.cff"
CITATION_BIB, CITATION_RIS = "citation.bib", "citation.ris"
DATACITE_JSON = "datacite.json"
DATACITE_XML = "datacite.xml"
ISO19139_XML = "iso19139.xml"
DATASET_JSONLD = "dataset.jsonld"
CRATE_JSON = "ro-crate-metadata.json"
METADATA_FILES = (
    NCDC_JSON,
    NCDC_PORTAL_JSON,
    CITATION_TXT,
    CITATION_CFF,
    CITATION_BIB,
    CITATION_RIS,
    DATACITE_JSON,
    DATACITE_XML,
    ISO19139_XML,
    DATASET_JSONLD,
    CRATE_JSON,
)

# what archives made before these came do not have
LATER_METADATA_FILES = (NCDC_PORTAL_JSON, CITATION_BIB, CITATION_RIS)

# an elevation change
ELEVATION_CHANGE_TIF, ELEVATION_CHANGE_SIGMA_TIF = "elevation_change.tif", "elevation_change_sigma.tif"
CLASSIFICATION_TIF = "classification.tif"
GLACIERS_GEOJSON = "glaciers.geojson"
OUTLINES_GEOJSON, OUTLINES_PARQUET = "outlines.geojson", "outlines.parquet"
# a balance year
BALANCE_TIF, BALANCE_SIGMA_TIF = "balance.tif", "balance_sigma.tif"
ISOLINES_GEOJSON = "isolines.geojson"
OUTLINE_GEOJSON, OUTLINE_PARQUET = "outline.geojson", "outline.parquet"
PROFILE_PNG = "profile.png"
# of both
VISUAL_TIF, MAP_PNG, THUMBNAIL_PNG = "visual.tif", "map.png", "thumbnail.png"
# drawn once for a series of balances
SERIES_PNG, PROFILES_PNG = "balance_series.png", "balance_profiles.png"
METHODS_PNG, STAKES_PNG = "balance_methods.png", "stake_history.png"
# of a run of one's own files: its numbers, its report, and the settings that repeat it
SUMMARY_JSON, REPORT_HTML, SETTINGS_TOML = "summary.json", "report.html", "settings.toml"


def item_list_html(number: int) -> str:
    """A page that lists some of the items of a collection too large for one page; counted from 1."""
    return f"items-{number}.html"


def manifest_part(number: int) -> str:
    """A part of the manifest, counted from 1."""
    return f"{MANIFEST_PARTS}/{number:04d}.json"


def is_of_manifest(path: str) -> bool:
    """Whether a path from the archive's root is that of the manifest, of a part of it, or of what vouches for it."""
    return path == MANIFEST_JSON or path in VOUCHERS or bool(_PART_OF_MANIFEST.fullmatch(path))


def elevation_change_item_id(pair: str = "") -> str:
    """Item of an elevation change; of one of several pairs of DEMs with its years, as 2000-2010."""
    return f"{ELEVATION_CHANGE_ITEM}-{pair}" if pair else ELEVATION_CHANGE_ITEM


def balance_item_id(year: int) -> str:
    """Item of one mass-balance year."""
    return f"balance-{year}"


def chinese_twin(path: str) -> str:
    """Path of the same STAC document in Chinese: ``collection.zh.json`` beside ``collection.json``."""
    return f"{path.removesuffix('.json')}.zh.json"


def part_id(number: int) -> str:
    """Sub-catalogue of a large collection, counted from 1; it stands beside ``collection.json``, items never move."""
    return f"items-{number:04d}"


@dataclass(frozen=True)
class CollectionFolder:
    """Paths of one collection below the archive's root."""

    root: Path
    collection_id: str

    @property
    def path(self) -> Path:
        return self.root / self.collection_id

    @property
    def tables(self) -> Path:
        return self.path / TABLES

    @property
    def metadata(self) -> Path:
        return self.path / METADATA

    def item(self, item_id: str) -> Path:
        return self.path / item_id

    def table_csv(self, name: str) -> Path:
        return self.tables / f"{name}.csv"

    def table_parquet(self, name: str) -> Path:
        return self.tables / f"{name}.parquet"
