"""Every file beside a collection that is there: thumbnail, tables, workbook, package, metadata, figures, item table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from catalog.archive import (
    CHANGELOG_MD,
    DATAPACKAGE_JSON,
    ITEMS_PARQUET,
    METADATA,
    METADATA_FILES,
    README_MD,
    TABLES,
    THUMBNAIL_PNG,
    sha256_of,
)
from catalog.items import COLLECTION_FIGURES
from catalog.stac.assets import OfferedFile, row_count
from catalog.stac.source import DescribedDataset
from catalog.stac.titles import ITEM_TABLE_TITLE, METADATA_TITLES
from catalog.tables import workbook_path
from schemas.chinese import table_meaning_cn, table_title_cn
from schemas.definition import Bilingual
from schemas.tables import published_schemas

# what stac-geoparquet calls a table of a collection's items, and what others do
_MIRROR = ("collection-mirror", "stac-items")


def offered_files(source: DescribedDataset) -> Iterator[OfferedFile]:
    """The files that the collection offers as its assets."""
    shown = next((item for item in reversed(source.items) if (item.folder / THUMBNAIL_PNG).is_file()), None)
    if shown:
        title = Bilingual(en="Thumbnail with colour scale", cn="带色标的缩略图")
        yield _file(source, "thumbnail", f"{shown.item_id}/{THUMBNAIL_PNG}", title, "thumbnail")
    for path in sorted(source.folder.tables.glob("*.csv")):
        yield _table(source, path, f"table_{path.stem}", "")
    for path in sorted(source.folder.tables.glob("*.parquet")):
        yield _table(source, path, f"table_{path.stem}_parquet", "Parquet")
    for key, href, title, role in _described(source):
        if (source.folder.path / href).is_file():
            yield _file(source, key, href, title, role)
    if source.items:
        # of all collections: its checksum, which the manifest has, would change with another collection
        yield OfferedFile(key="items", href=f"../{ITEMS_PARQUET}", title=ITEM_TABLE_TITLE, roles=_MIRROR)


def _table(source: DescribedDataset, path: Path, key: str, form: str) -> OfferedFile:
    table = published_schemas(several_pairs=bool(source.dataset.pairs))[path.stem]
    chinese = table_title_cn(table) or table.title
    title = (
        Bilingual(en=f"{table.title} ({form})", cn=f"{chinese}（{form}）")
        if form
        else Bilingual(en=table.title, cn=chinese)
    )
    about = Bilingual(en=table.meaning, cn=table_meaning_cn(table))
    said = {} if form else {"table": table, "rows": row_count(path)}
    return _file(source, key, f"{TABLES}/{path.name}", title, "data", description=about, **said)


def _described(source: DescribedDataset) -> Iterator[tuple[str, str, Bilingual, str]]:
    workbook = workbook_path(source.folder).relative_to(source.folder.path).as_posix()
    yield "workbook", workbook, Bilingual(en="All tables in one workbook", cn="全部表格（一个工作簿）"), "data"
    package = Bilingual(en="Data Package with the schemas of the tables", cn="数据包（含各表格的模式）")
    yield "datapackage", DATAPACKAGE_JSON, package, "metadata"
    yield "readme", README_MD, Bilingual(en="README of the collection", cn="数据集说明（README）"), "metadata"
    yield "changelog", CHANGELOG_MD, Bilingual(en="What each version changed", cn="各版本更新记录"), "metadata"
    for name, title in COLLECTION_FIGURES.items():
        both = Bilingual(en=title, cn=title.cn)
        yield f"figure_{Path(name).stem}", name, both, "overview"
    for name in METADATA_FILES:
        yield _metadata_key(name), f"{METADATA}/{name}", METADATA_TITLES[name], "metadata"


def _file(source: DescribedDataset, key: str, href: str, title: Bilingual, role: str, **said: Any) -> OfferedFile:
    path = source.folder.path / href
    size, sha256 = path.stat().st_size, sha256_of(path)
    return OfferedFile(key=key, href=f"./{href}", title=title, roles=(role,), size=size, sha256=sha256, **said)


def _metadata_key(name: str) -> str:
    return "metadata_" + name.replace(".", "_").replace("-", "_").lower()
