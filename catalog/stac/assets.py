"""Files as STAC assets: what they are called, their size and checksum, and what rasters and tables hold."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.archive import COG, Asset, media_type_of, sha256_of
from catalog.formats import RasterFacts, raster_facts
from catalog.stac.languages import ENGLISH, Language
from schemas.chinese import meaning_cn
from schemas.definition import Bilingual
from schemas.fields import Table
from schemas.messages import word

_RGB = ("red", "green", "blue")


@dataclass(frozen=True, kw_only=True)
class OfferedFile:
    """A file beside a collection: its reference from there, titles, role and what else STAC says of it.

    ``facts_cn`` replaces those of the ``facts`` that hold words.
    """

    key: str
    href: str
    title: Bilingual
    roles: tuple[str, ...]
    description: Bilingual
    facts: dict[str, Any]
    facts_cn: dict[str, Any]

    def to_dict(self, language: Language) -> dict[str, Any]:
        """The STAC asset in one language."""
        return {
            "href": self.href,
            "title": language.text(self.title),
            **({"description": language.text(self.description)} if self.description.en else {}),
            "type": media_type_of(self.href),
            "roles": list(self.roles),
            **self.facts,
            **(self.facts_cn if language.code == "zh" else {}),
        }


def item_asset(asset: Asset, facts: dict[str, Any], language: Language) -> dict[str, Any]:
    """The STAC asset of an item's file in one language; ``facts`` as from ``item_file_facts``."""
    return language.document(
        {
            "href": f"./{asset.href}",
            "title": asset.title,
            **({"description": asset.description} if asset.description else {}),
            "type": asset.media_type,
            "roles": list(asset.roles),
            **facts,
        }
    )


def item_file_facts(path: Path, asset: Asset) -> dict[str, Any]:
    """What an item's file says of itself; its words are messages."""
    raster = _raster_fields(asset.key, raster_facts(path)) if asset.media_type == COG else {}
    return {**raster, **asset.extra, **file_fields(path)}


def file_fields(path: Path) -> dict[str, Any]:
    """Size (bytes) and checksum of a file."""
    # a multihash: 0x12 for sha2-256, 0x20 for its 32 bytes
    return {"file:size": path.stat().st_size, "file:checksum": f"1220{sha256_of(path)}"}


def table_fields(path: Path, table: Table) -> dict[str, Any]:
    """Columns and number of records of a published CSV table."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = sum(1 for _ in csv.reader(file)) - 1
    return {"table:columns": columns_of(table, ENGLISH), "table:row_count": rows}


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
        "proj:code": facts.crs,
        "proj:shape": list(facts.shape),
        "proj:transform": list(facts.transform),
        "proj:bbox": list(facts.bounds),
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
