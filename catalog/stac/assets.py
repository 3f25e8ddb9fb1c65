"""Files as STAC assets: what they are called, their size and checksum, and what rasters and tables hold."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pystac
from pystac.extensions.file import FileExtension
from pystac.extensions.projection import ProjectionExtension
from pystac.extensions.table import Column, TableExtension

from catalog.archive import COG, Asset, media_type_of, sha256_of
from catalog.formats import RasterFacts, raster_facts
from catalog.stac.languages import Language
from schemas.chinese import meaning_cn
from schemas.definition import Bilingual
from schemas.fields import Table
from schemas.messages import word

_RGB = ("red", "green", "blue")


@dataclass(frozen=True, kw_only=True)
class FileFacts:
    """What a file of an item says of itself; words among the ``fields`` are messages."""

    asset: Asset
    size: int
    sha256: str
    raster: RasterFacts | None
    fields: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class OfferedFile:
    """A file beside a collection: its reference from there, titles, roles and what else STAC says of it.

    Attributes
    ----------
    size, sha256 : of the file; a checksum is not stated where it is empty.
    table, rows : of a CSV file; its columns are described in each language.
    """

    key: str
    href: str
    title: Bilingual
    roles: tuple[str, ...]
    description: Bilingual = field(default_factory=lambda: Bilingual(en=""))
    size: int = 0
    sha256: str = ""
    table: Table | None = None
    rows: int = 0

    def add_to(self, collection: pystac.Collection, language: Language) -> None:
        """Add the file to a collection as its asset, in one language."""
        asset = pystac.Asset(
            self.href,
            language.text(self.title),
            language.text(self.description) or None,
            media_type_of(self.href),
            list(self.roles),
        )
        collection.add_asset(self.key, asset)
        if self.table:
            described = TableExtension.ext(asset, add_if_missing=True)
            described.columns = [Column(column) for column in columns_of(self.table, language)]
            described.row_count = self.rows
        if self.sha256:
            _state_file(asset, self.size, self.sha256)


def file_facts(path: Path, asset: Asset) -> FileFacts:
    """Read what an item's file says of itself."""
    raster = raster_facts(path) if asset.media_type == COG else None
    fields = {**(_raster_fields(asset.key, raster) if raster else {}), **asset.extra}
    return FileFacts(asset=asset, size=path.stat().st_size, sha256=sha256_of(path), raster=raster, fields=fields)


def add_item_asset(item: pystac.Item, file: FileFacts, language: Language) -> None:
    """Add a file to an item as its asset, in one language."""
    asset, said = file.asset, language.document({"title": file.asset.title, "description": file.asset.description})
    added = pystac.Asset(
        f"./{asset.href}",
        said["title"],
        said["description"] or None,
        asset.media_type,
        list(asset.roles),
        {**language.document(file.fields)},
    )
    item.add_asset(asset.key, added)
    if file.raster:
        ProjectionExtension.ext(added, add_if_missing=True).apply(
            code=file.raster.crs,
            shape=list(file.raster.shape),
            transform=list(file.raster.transform),
            bbox=list(file.raster.bounds),
        )
    _state_file(added, file.size, file.sha256)


def _state_file(asset: pystac.Asset, size: int, sha256: str) -> None:
    """Size (bytes) and checksum of a file."""
    # a multihash: 0x12 for sha2-256, 0x20 for its 32 bytes
    FileExtension.ext(asset, add_if_missing=True).apply(size=size, checksum=f"1220{sha256}")


def row_count(path: Path) -> int:
    """Number of records of a published CSV table."""
    with path.open(encoding="utf-8", newline="") as file:
        return sum(1 for _ in csv.reader(file)) - 1


def columns_of(table: Table, language: Language) -> list[dict[str, str]]:
    """Name, type and meaning of every column, the meaning with its unit and in one language."""
    return [
        {
            "name": column.name,
            "type": column.type,
            "description": language.say(column.meaning, meaning_cn(column))
            + (f" ({column.unit})" if column.unit else ""),
        }
        for column in table.columns
    ]


def _raster_fields(key: str, facts: RasterFacts) -> dict[str, Any]:
    names = _RGB if len(facts.bands) == len(_RGB) else (key,)
    return {
        "raster:spatial_resolution": abs(facts.transform[0]),
        "bands": [
            {
                "name": names[index],
                "description": word(band.description),
                "data_type": band.data_type,
                **({"nodata": _whole(band.nodata)} if band.nodata is not None else {}),
                **({"unit": band.unit} if band.unit else {}),
                "statistics": _without_none(
                    {
                        "minimum": band.minimum,
                        "maximum": band.maximum,
                        "mean": band.mean,
                        "stddev": band.std,
                        "count": band.count,
                        "valid_percent": band.valid_percent,
                    }
                ),
            }
            for index, band in enumerate(facts.bands)
        ],
    }


def _whole(value: float) -> float | int:
    return int(value) if value == int(value) else value


def _without_none(values: dict[str, float | int | None]) -> dict[str, float | int]:
    return {name: round(value, 6) for name, value in values.items() if value is not None}
