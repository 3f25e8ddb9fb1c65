"""The human pages of the archive and the README of each collection: static, self-contained, everything escaped."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from catalog.dataset import Asset, Dataset, Item
from catalog.drawings import balance_chart, extent_map, glacier_shapes, item_geometry
from catalog.key_numbers import item_numbers, key_numbers, signed
from catalog.layout import (
    CATALOG_JSON,
    COLLECTION_JSON,
    DATAPACKAGE_JSON,
    INDEX_HTML,
    MANIFEST_JSON,
    README_MD,
    CollectionFolder,
)
from catalog.manifest import ListedFile, list_files
from catalog.mass_balance_items import COLLECTION_FIGURES
from catalog.metadata.facts import describe
from pipeline.elevation_change.result import ElevationChange
from schemas.definition import Definition
from schemas.tables import PUBLISHED_TABLES

THUMBNAIL = "thumbnail"
_LABEL = 60
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_PNG = "image/png"
_TABLE_TITLES = {table.name: (table.title, table.meaning) for table in PUBLISHED_TABLES}
_METADATA_TITLES = {
    "ncdc.json": "NCDC metadata record",
    "citation.txt": "Citation, text",
    "CITATION.cff": "Citation, CFF",
    "datacite.json": "DataCite record, JSON",
    "datacite.xml": "DataCite record, XML",
    "iso19139.xml": "ISO 19139 metadata",
    "dataset.jsonld": "schema.org description",
    "ro-crate-metadata.json": "RO-Crate description",
}
_STEPS = {"raw": "as delivered", "coregistered": "after co-registration", "corrected": "after all corrections"}


@dataclass(frozen=True)
class Picture:
    """An image of a page: its path from the page, what it shows, and its size (pixels)."""

    href: str
    title: str
    description: str
    width: int
    height: int


@dataclass(frozen=True)
class Download:
    """A file offered on a page."""

    href: str
    title: str
    description: str
    kind: str
    size: str
    sha256: str


def write_pages(root: Path, datasets: Sequence[tuple[Dataset, Sequence[Item]]]) -> None:
    """Write index.html of the archive, of every collection and of every item; all other files must be there."""
    cards = []
    for dataset, items in datasets:
        folder = CollectionFolder(root, dataset.definition.id)
        files = {file.path: file for file in list_files(folder.path)}
        for item in items:
            _write(item.folder / INDEX_HTML, "item.html", _item_page(dataset, item, files, "../.."))
        _write(folder.path / INDEX_HTML, "collection.html", _collection_page(dataset, items, files, folder))
        cards.append(_card(dataset, items, folder))
    places = [(dataset.definition, geometry) for dataset, items in datasets for geometry in _union(items)]
    page = {
        "base": ".",
        "synthetic": any(dataset.synthetic for dataset, _ in datasets),
        "all_synthetic": all(dataset.synthetic for dataset, _ in datasets),
        "cards": cards,
        "map": extent_map([(_short_place(d), g) for d, g in places], 960.0) if places else None,
        "catalogue": CATALOG_JSON,
        "manifest": MANIFEST_JSON,
    }
    _write(root / INDEX_HTML, "archive.html", page)


def write_readme(dataset: Dataset, items: Sequence[Item], folder: CollectionFolder) -> None:
    """Write README.md of a collection: what it is, what each file and table holds, how to cite it."""
    page = {
        "dataset": dataset,
        "definition": dataset.definition,
        "items": items,
        "numbers": key_numbers(dataset),
        "gates": dataset.gates.to_dict("records"),
        "tables": [(name, *_TABLE_TITLES[name], len(frame)) for name, frame in dataset.tables.items()],
        "citation": describe(dataset, ()).citation,
    }
    _write(folder.path / README_MD, "readme.md", page)


def _short_place(definition: Definition) -> str:
    """The place of a dataset, short enough for a label on a map."""
    place = definition.reading.collect_place.en.partition(" (")[0]
    return place if len(place) <= _LABEL else f"{place[: _LABEL - 1].rstrip(' ,;')}\N{HORIZONTAL ELLIPSIS}"


def _card(dataset: Dataset, items: Sequence[Item], folder: CollectionFolder) -> dict[str, Any]:
    best = next((item for item in reversed(items) if _thumbnail(item) is not None), None)
    thumbnail = _thumbnail(best) if best else None
    return {
        "href": f"{folder.collection_id}/{INDEX_HTML}",
        "definition": dataset.definition,
        "synthetic": dataset.synthetic,
        "picture": _picture(best, thumbnail, f"{folder.collection_id}/{best.item_id}/") if best and thumbnail else None,
        "numbers": key_numbers(dataset)[:4],
        "gates": _gates(dataset),
        "items": len(items),
    }


def _collection_page(
    dataset: Dataset, items: Sequence[Item], files: Mapping[str, ListedFile], folder: CollectionFolder
) -> dict[str, Any]:
    definition = dataset.definition
    geometries = _union(items)
    return {
        "base": "..",
        "synthetic": dataset.synthetic,
        "dataset": dataset,
        "definition": definition,
        "reading": definition.reading,
        "numbers": key_numbers(dataset),
        "gates": _gates(dataset),
        "items": [_entry(item) for item in items],
        "pictures": [
            picture
            for item in (items if isinstance(dataset.result, ElevationChange) else ())
            for picture in _pictures(item, f"{item.item_id}/")
        ]
        + _loose_pictures(files, folder),
        "chart": balance_chart(dataset, items),
        "accuracy": _accuracy(dataset),
        "years": dataset.result.years if not isinstance(dataset.result, ElevationChange) else (),
        "item_ids": {item.item_id for item in items},
        "map": extent_map(
            [(definition.title.en, geometry) for geometry in geometries], glaciers=glacier_shapes(dataset)
        )
        if geometries
        else None,
        "citation": describe(dataset, ()).citation,
        "tables": _table_downloads(files),
        "records": _record_downloads(files),
        "products": [download for item in items for download in _downloads(item, files, f"{item.item_id}/")],
        "inputs": dataset.inputs,
        "settings": sorted(dataset.result.settings.model_dump(mode="json").items()),
        "datum": dataset.result.datum if isinstance(dataset.result, ElevationChange) else None,
        "curvature": dataset.result.curvature if isinstance(dataset.result, ElevationChange) else None,
        "shift": dataset.result.shift_m if isinstance(dataset.result, ElevationChange) else None,
    }


def _item_page(dataset: Dataset, item: Item, files: Mapping[str, ListedFile], base: str) -> dict[str, Any]:
    return {
        "base": base,
        "synthetic": dataset.synthetic,
        "dataset": dataset,
        "definition": dataset.definition,
        "item": item,
        "numbers": item_numbers(dataset, item.item_id),
        "gates": _gates(dataset, str(item.properties.get("glacier:year", "")) or None),
        "pictures": _pictures(item, ""),
        "bands": list(_band_statistics(item)),
        "downloads": _downloads(item, files, ""),
        "map": extent_map([(item.title, item_geometry(item))], glaciers=glacier_shapes(dataset)),
        "year": item.properties.get("glacier:year"),
        "lineage": item.properties.get("processing:lineage", ""),
        "flags": item.properties.get("glacier:flags", ()),
        "inputs": dataset.inputs,
        "datum": dataset.result.datum if isinstance(dataset.result, ElevationChange) else None,
    }


def _union(items: Sequence[Item]) -> list[Any]:
    """The items' geometries without repetition: a glacier has one outline for many years."""
    geometries: list[Any] = []
    for item in items:
        geometry = item_geometry(item)
        if not any(geometry.equals(known) for known in geometries):
            geometries.append(geometry)
    return geometries


def _entry(item: Item) -> dict[str, Any]:
    thumbnail = _thumbnail(item)
    return {
        "item": item,
        "href": f"{item.item_id}/{INDEX_HTML}",
        "picture": _picture(item, thumbnail, f"{item.item_id}/") if thumbnail else None,
        "year": item.properties.get("glacier:year"),
    }


def _thumbnail(item: Item) -> Asset | None:
    return next((asset for asset in item.assets if asset.key == THUMBNAIL), None)


def _pictures(item: Item, prefix: str) -> list[Picture]:
    """PNG assets but the thumbnail; the thumbnail where there is nothing larger."""
    images = [asset for asset in item.assets if asset.media_type == _PNG]
    large = [asset for asset in images if asset.key != THUMBNAIL]
    return [_picture(item, asset, prefix) for asset in large or images]


def _picture(item: Item, asset: Asset, prefix: str) -> Picture:
    href = _plain(asset.href)
    width, height = _png_size(item.folder / href)
    return Picture(prefix + href, asset.title, asset.description, width, height)


def _loose_pictures(files: Mapping[str, ListedFile], folder: CollectionFolder) -> list[Picture]:
    """Figures that belong to the collection and to no item."""
    return [
        Picture(name, title, "", *_png_size(folder.path / name))
        for name, title in COLLECTION_FIGURES.items()
        if name in files
    ]


def _png_size(path: Path) -> tuple[int, int]:
    """Width and height, so that a page does not jump while its pictures load."""
    with path.open("rb") as file:
        head = file.read(24)
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")


def _downloads(item: Item, files: Mapping[str, ListedFile], prefix: str) -> list[Download]:
    offers = [(asset.href, asset.title, asset.description) for asset in item.assets]
    offers.append((f"{item.item_id}.json", "STAC item", ""))
    return [
        _download(files[f"{item.item_id}/{_plain(href)}"], prefix + _plain(href), title, description)
        for href, title, description in offers
        if f"{item.item_id}/{_plain(href)}" in files
    ]


def _table_downloads(files: Mapping[str, ListedFile]) -> list[Download]:
    offers = []
    for path, file in sorted(files.items()):
        if path.startswith("tables/"):
            title, meaning = _TABLE_TITLES.get(Path(path).stem, (Path(path).name, "all tables in one workbook"))
            offers.append(_download(file, path, title, meaning))
    return offers


def _record_downloads(files: Mapping[str, ListedFile]) -> list[Download]:
    names = {
        COLLECTION_JSON: "STAC collection",
        DATAPACKAGE_JSON: "Data package of the tables",
        README_MD: "README",
        **{f"metadata/{name}": title for name, title in _METADATA_TITLES.items()},
    }
    return [_download(files[path], path, title, "") for path, title in names.items() if path in files]


def _download(file: ListedFile, href: str, title: str, description: str) -> Download:
    kind = Path(href).suffix.removeprefix(".").upper().replace("TIF", "COG")
    return Download(href, title, description, kind, readable_size(file.size), file.sha256)


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


def _gates(dataset: Dataset, subject: str | None = None) -> list[dict[str, Any]]:
    """Verdicts by gate: how many subjects passed, and the value that came nearest the limit or beyond it."""
    gates = dataset.gates if subject is None else dataset.gates[dataset.gates["subject"].astype(str) == subject]
    verdicts = []
    for name, group in gates.groupby("gate", sort=False):
        passed = group["passed"].astype(bool)
        verdicts.append(
            {
                "name": name,
                "passed": bool(passed.all()),
                "count": len(group),
                "failed": int((~passed).sum()),
                "worst": None if group["value"].isna().any() else float(group["value"].max()),
                "limit": float(group["limit"].iloc[0]),
                "unit": str(group["unit"].iloc[0]),
                "meaning": next((gate.meaning for gate in dataset.definition.gates if gate.name == name), ""),
            }
        )
    return verdicts


def _accuracy(dataset: Dataset) -> list[dict[str, Any]]:
    """Rows of the accuracy table over all stable terrain, step by step."""
    table = dataset.tables.get("accuracy")
    if table is None:
        return []
    rows: list[dict[Any, Any]] = table[table["class"] == "all"].to_dict("records")
    return [{**row, "label": _STEPS.get(str(row["step"]), row["step"])} for row in rows]


def _band_statistics(item: Item) -> Iterator[dict[str, Any]]:
    """Statistics of every band as the STAC item states them, so that page and catalogue cannot differ."""
    stated = json.loads((item.folder / f"{item.item_id}.json").read_text(encoding="utf-8"))
    for asset in stated["assets"].values():
        for band in asset.get("bands", ()):
            if "statistics" in band and asset.get("title"):
                unit = band.get("unit") or asset.get("unit", "")
                yield {"title": asset["title"], "name": band.get("name", ""), "unit": unit, **band["statistics"]}


def _plain(href: str) -> str:
    return href.removeprefix("./")


def _write(path: Path, template: str, page: Mapping[str, Any]) -> None:
    text = _environment().get_template(template).render(page)
    # control characters of a source's text have no place in a page and break strict readers
    clean = "".join(char for char in text if char in "\n\t" or (ord(char) >= 32 and not 0x7F <= ord(char) < 0xA0))
    path.write_text(clean.rstrip() + "\n", encoding="utf-8", newline="\n")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("catalog", "templates"),
        autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["signed"] = signed
    environment.filters["paragraphs"] = _paragraphs
    environment.filters["weblink"] = _weblink
    environment.filters["found"] = _found
    environment.filters["inline"] = _inline
    environment.filters["raised"] = _raised
    return environment


def _paragraphs(text: str) -> list[str]:
    return [part.strip() for part in text.split("\n") if part.strip()]


def _weblink(url: str) -> str:
    """A URL that may stand in a link; anything but http(s) is dropped, for it could be a script."""
    return url if url.startswith(("https://", "http://")) else ""


def _found(value: float | None) -> str:
    """What a gate found, to three digits."""
    return "not computed" if value is None or value != value else f"{value:.3g}"


def _raised(unit: str) -> str:
    """A unit with its exponents raised: kg m-2 a-1 becomes kg m⁻² a⁻¹."""
    return re.sub(r"(?<=[a-z])-?\d\b", lambda found: found.group().translate(_RAISED), unit)


def _inline(text: object) -> str:
    """One line of Markdown without markup of its own."""
    line = " ".join(str(text).split())
    return "".join(f"\\{char}" if char in "\\`*_[]<>|#" else char for char in line)
