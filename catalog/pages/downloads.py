"""The files that a page offers: every file of a collection, with a title, its size and its checksum."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from catalog.archive import (
    CHANGELOG_MD,
    CITATION_BIB,
    CITATION_CFF,
    CITATION_RIS,
    CITATION_TXT,
    COLLECTION_JSON,
    CRATE_JSON,
    DATACITE_JSON,
    DATACITE_XML,
    DATAPACKAGE_JSON,
    DATASET_JSONLD,
    ISO19139_XML,
    METADATA,
    NCDC_JSON,
    NCDC_PORTAL_JSON,
    README_MD,
    TABLES,
    Asset,
    Item,
    ListedFile,
    chinese_twin,
)
from schemas.chinese import table_meaning_cn, table_title_cn
from schemas.definition import Bilingual
from schemas.messages import chinese_of
from schemas.tables import PUBLISHED_TABLES

_TABLES = {table.name: table for table in PUBLISHED_TABLES}
_WORKBOOK = Bilingual(en="All tables in one workbook", cn="全部表格（工作簿）")
_RECORDS = {
    COLLECTION_JSON: Bilingual(en="STAC collection", cn="STAC 数据集描述（英文）"),
    chinese_twin(COLLECTION_JSON): Bilingual(en="STAC collection, in Chinese", cn="STAC 数据集描述（中文）"),
    DATAPACKAGE_JSON: Bilingual(en="Data package of the tables", cn="表格数据包描述"),
    README_MD: Bilingual(en="README", cn="说明文件 README"),
    CHANGELOG_MD: Bilingual(en="Changelog", cn="更新记录"),
    f"{METADATA}/{NCDC_JSON}": Bilingual(en="NCDC metadata record", cn="NCDC 元数据"),
    f"{METADATA}/{NCDC_PORTAL_JSON}": Bilingual(
        en="NCDC record as the portal exports it", cn="NCDC 门户导出格式元数据"
    ),
    f"{METADATA}/{CITATION_TXT}": Bilingual(en="Citation, text", cn="引用文本"),
    f"{METADATA}/{CITATION_CFF}": Bilingual(en="Citation, CFF", cn="引用信息（CFF）"),
    f"{METADATA}/{CITATION_BIB}": Bilingual(en="Citation, BibTeX", cn="引用信息（BibTeX）"),
    f"{METADATA}/{CITATION_RIS}": Bilingual(en="Citation, RIS", cn="引用信息（RIS）"),
    f"{METADATA}/{DATACITE_JSON}": Bilingual(en="DataCite record, JSON", cn="DataCite 元数据（JSON）"),
    f"{METADATA}/{DATACITE_XML}": Bilingual(en="DataCite record, XML", cn="DataCite 元数据（XML）"),
    f"{METADATA}/{ISO19139_XML}": Bilingual(en="ISO 19139 metadata", cn="ISO 19139 元数据"),
    f"{METADATA}/{DATASET_JSONLD}": Bilingual(en="schema.org description", cn="schema.org 描述"),
    f"{METADATA}/{CRATE_JSON}": Bilingual(en="RO-Crate description", cn="RO-Crate 描述"),
}


@dataclass(frozen=True, kw_only=True)
class OfferedFile:
    """A file offered on a page; ``label`` is what tells it from the other files of its product, as a year."""

    href: str
    name: str
    label: str
    title: Bilingual
    description: Bilingual
    kind: str
    bytes: int
    sha256: str

    @property
    def size(self) -> str:
        """Its size in the unit that keeps it short."""
        return readable_size(self.bytes)


@dataclass(frozen=True, kw_only=True)
class Product:
    """What is offered under one title: a file, its forms (CSV and Parquet), or one file of every year."""

    title: Bilingual
    description: Bilingual
    files: tuple[OfferedFile, ...]

    @property
    def labelled(self) -> bool:
        """Whether its files are told apart by their labels and not by their names."""
        return len(self.files) > 1 and any(file.label != file.name for file in self.files)

    @property
    def names(self) -> str:
        """The name that its files have, or the first and the last of several."""
        names = list(dict.fromkeys(file.name for file in self.files))
        return names[0] if len(names) == 1 else f"{names[0]} \N{HORIZONTAL ELLIPSIS} {names[-1]}"

    @property
    def size(self) -> str:
        """Of all its files together."""
        return readable_size(sum(file.bytes for file in self.files))


def products_of(files: Iterable[OfferedFile]) -> list[Product]:
    """Files by title, in the order in which the titles come; each title once."""
    groups: dict[tuple[str, str], list[OfferedFile]] = {}
    for file in files:
        groups.setdefault((file.title.en, file.description.en), []).append(file)
    return [
        Product(title=group[0].title, description=group[0].description, files=tuple(group)) for group in groups.values()
    ]


def item_downloads(
    item: Item, files: Sequence[ListedFile], folder: str, prefix: str, label: str = ""
) -> list[OfferedFile]:
    """Every file of an item: its assets in their order, then the rest by name; each with the item's ``label``.

    Parameters
    ----------
    files : those below ``folder``, the item's folder from the collection's, which ends in a slash.
    prefix : of the links, from the page to the item's folder.
    """
    by_name = {file.path.removeprefix(folder): file for file in files}
    assets = {_plain(asset): asset for asset in item.assets if _plain(asset) in by_name}
    rest = sorted(name for name in by_name if name not in assets and not name.endswith(".html"))
    offered = [
        *(_download(by_name[name], prefix + name, _titled(asset), _described(asset)) for name, asset in assets.items()),
        *(_download(by_name[name], prefix + name, _document(name)) for name in rest),
    ]
    return [replace(file, label=label or file.name) for file in offered]


def figure_downloads(files: Mapping[str, ListedFile], titles: Mapping[str, str]) -> Iterator[OfferedFile]:
    """The figures of a collection that belong to no item, by name."""
    for name, title in titles.items():
        if name in files:
            yield _download(files[name], name, Bilingual(en=title, cn=chinese_of(title)))


def _document(name: str) -> Bilingual:
    if name.endswith(".zh.json"):
        return Bilingual(en="STAC item, in Chinese", cn="STAC条目（中文）")
    return Bilingual(en="STAC item", cn="STAC条目（英文）") if name.endswith(".json") else _named(name)


def table_downloads(files: Mapping[str, ListedFile]) -> Iterator[OfferedFile]:
    """Every file of the folder of tables, by name."""
    for path, file in sorted(files.items()):
        if path.startswith(f"{TABLES}/"):
            table = _TABLES.get(PurePosixPath(path).stem)
            if table is None:
                yield _download(file, path, _WORKBOOK if path.endswith(".xlsx") else _named(path))
            else:
                title = Bilingual(en=table.title, cn=table_title_cn(table))
                yield _download(file, path, title, Bilingual(en=table.meaning, cn=table_meaning_cn(table)))


def record_downloads(files: Mapping[str, ListedFile], elsewhere: Sequence[str]) -> Iterator[OfferedFile]:
    """The documents of a collection; what is neither one of them nor offered or shown ``elsewhere`` comes last."""
    for path, title in _RECORDS.items():
        if path in files:
            yield _download(files[path], path, title)
    rest = set(files) - set(_RECORDS) - set(elsewhere)
    for path in sorted(rest):
        loose = "/" not in path or path.startswith(f"{METADATA}/")
        if loose and not path.endswith(".html"):
            # the parts of a large crate are all of one name
            yield _download(files[path], path, Bilingual(en=path.removeprefix(f"{METADATA}/")))


def readable_size(size: int) -> str:
    """A number of bytes in the unit that keeps it short."""
    if size < 1024:
        return f"{size} B"
    value = size / 1024
    for unit in ("KiB", "MiB", "GiB"):
        if value < 1024 or unit == "GiB":
            return f"{value:.1f} {unit}"
        value /= 1024
    return f"{size} B"


def _download(file: ListedFile, href: str, title: Bilingual, description: Bilingual | None = None) -> OfferedFile:
    path = PurePosixPath(href)
    return OfferedFile(
        href=href,
        name=path.name,
        label=path.name,
        title=title,
        description=description or Bilingual(en=""),
        kind=path.suffix.removeprefix(".").upper().replace("TIF", "COG"),
        bytes=file.size,
        sha256=file.sha256,
    )


def _titled(asset: Asset) -> Bilingual:
    return Bilingual(en=asset.title, cn=chinese_of(asset.title))


def _described(asset: Asset) -> Bilingual:
    return Bilingual(en=asset.description, cn=chinese_of(asset.description))


def _named(path: str) -> Bilingual:
    return Bilingual(en=PurePosixPath(path).name)


def _plain(asset: Asset) -> str:
    return asset.href.removeprefix("./")
