"""The human pages of the archive and the README of each collection: static, self-contained, everything escaped."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from shapely.geometry.base import BaseGeometry

from catalog.archive import (
    CATALOG_JSON,
    COG_JS,
    DATASET_JSONLD,
    INDEX_HTML,
    MANIFEST_JSON,
    MAP_JS,
    METADATA,
    README_MD,
    SEARCH_JS,
    SERIES_PNG,
    SITE_CSS,
    SITE_JS,
    Asset,
    CollectionFolder,
    Dataset,
    Item,
    ListedFile,
    changes_of,
    elevation_change_item_id,
    item_list_html,
    list_files,
    stable_terrain,
)
from catalog.figures import words_of
from catalog.formats import signed
from catalog.items import COLLECTION_FIGURES
from catalog.metadata import Facts, inert, licence_url, markdown_line, page_document
from catalog.pages.downloads import (
    OfferedFile,
    figure_downloads,
    item_downloads,
    products_of,
    readable_size,
    record_downloads,
    table_downloads,
)
from catalog.pages.drawings import common_extent, extent_map, glacier_shapes, item_geometry
from catalog.pages.facts import Card, Picture, Verdict
from catalog.pages.glaciers import GLACIER_HEADINGS, glacier_rows
from catalog.pages.map import colour_tables, map_data
from catalog.pages.plots import plots_of
from catalog.pages.points import points_by_year
from catalog.pages.search import search_script, searchable
from catalog.pages.snippets import snippets_of
from catalog.reports import item_numbers, key_numbers
from catalog.tables import dataset_tables
from schemas.definition import Bilingual, Definition, Extent
from schemas.flags import flag_said
from schemas.messages import chinese_of, word
from schemas.tables import PUBLISHED_TABLES

__all__ = ["Card", "readable_size", "write_collection_pages", "write_front_page", "write_readme"]

THUMBNAIL = "thumbnail"
# a collection of more items lists them on pages of their own
MOST_ITEMS = 48
ITEMS_A_PAGE = 200
_LABEL = 60
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_PNG = "image/png"
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_JUDGED = {
    "elevation_change": Bilingual(en="pairs of DEMs", cn="组 DEM"),
    "mass_balance": Bilingual(en="years", cn="年"),
}
_TABLE_TITLES = {table.name: (table.title, table.meaning) for table in PUBLISHED_TABLES}
_SPDX = re.compile(r"[A-Za-z0-9.+-]+")
_STEPS = {
    "raw": Bilingual(en="as delivered", cn="原始"),
    "coregistered": Bilingual(en="after co-registration", cn="配准后"),
    "corrected": Bilingual(en="after all corrections", cn="全部校正后"),
}


@dataclass(frozen=True, kw_only=True)
class _Collection:
    """What the pages of one collection share, derived once however many items there are."""

    dataset: Dataset
    facts: Facts
    items: tuple[Item, ...]
    folder: CollectionFolder
    files: dict[str, ListedFile]
    by_folder: dict[str, list[ListedFile]]
    gates: dict[str, list[Verdict]]
    shapes: tuple[BaseGeometry, ...]
    points: dict[int, list[dict[str, Any]]]

    @property
    def definition(self) -> Definition:
        return self.dataset.definition

    def place(self, item: Item) -> str:
        """The item's folder from the collection's, with a slash at its end."""
        return f"{item.folder.relative_to(self.folder.path).as_posix()}/"


def write_collection_pages(root: Path, dataset: Dataset, facts: Facts, items: Sequence[Item]) -> Card:
    """Write the pages of one collection and its items; returns what the front page tells of it.

    All other files of the collection must be there. Time and size grow with the number of items; no page holds more
    than ``ITEMS_A_PAGE`` of them.
    """
    collection = _collection(root, dataset, facts, items)
    shared = {"site": _addresses(site_files()), "synthetic": dataset.synthetic, "definition": dataset.definition}
    for at, item in enumerate(collection.items):
        write_page(item.folder / INDEX_HTML, "item.html", {**shared, **_item_page(collection, at, item)})
    for number, part in enumerate(_parts(collection), 1):
        page = {**shared, "base": "..", "number": number, "entries": [_entry(collection, item) for item in part]}
        write_page(collection.folder.path / item_list_html(number), "items.html", {**page, **_span(part)})
    write_page(collection.folder.path / INDEX_HTML, "collection.html", {**shared, **_collection_page(collection)})
    return _card(collection)


def write_front_page(root: Path, cards: Sequence[tuple[Definition, Card]]) -> None:
    """Write the archive's index, and the style, scripts and search data that all pages share."""
    contents = {**site_files(), SEARCH_JS: search_script([card.search for _, card in cards])}
    for name, text in contents.items():
        (root / name).write_text(text, encoding="utf-8", newline="\n")
    page = {
        "base": ".",
        "site": _addresses(contents),
        "synthetic": any(card.synthetic for _, card in cards),
        "cards": [
            {**vars(card), "definition": definition, "place": _short_place(definition)} for definition, card in cards
        ],
        "count": sum(card.count for _, card in cards),
        "programs": _for_programs(root),
    }
    write_page(root / INDEX_HTML, "archive.html", page)


def write_readme(dataset: Dataset, facts: Facts, items: Sequence[Item], folder: CollectionFolder) -> None:
    """Write README.md of a collection: what it is, what each file and table holds, how to cite it."""
    page = {
        "dataset": dataset,
        "definition": dataset.definition,
        "keywords": facts.keywords,
        "items": items,
        "most_items": MOST_ITEMS,
        "numbers": key_numbers(dataset),
        "gates": dataset.gates.to_dict("records"),
        "tables": [(name, *_TABLE_TITLES[name], len(frame)) for name, frame in dataset_tables(dataset).items()],
        "citation": facts.citation,
    }
    write_page(folder.path / README_MD, "readme.md", page)


def site_files() -> dict[str, str]:
    """The style and the scripts that all archives share, by name."""
    return {
        SITE_CSS: template_text(SITE_CSS),
        SITE_JS: template_text(SITE_JS),
        COG_JS: template_text(COG_JS),
        MAP_JS: colour_tables() + template_text(MAP_JS),
    }


def _addresses(contents: Mapping[str, str]) -> dict[str, str]:
    """What a page asks for to get each file: a new content has a new address."""
    return {
        name.replace(".", "_"): f"{name}?v={hashlib.sha256(text.encode()).hexdigest()[:10]}"
        for name, text in contents.items()
    }


def _collection(root: Path, dataset: Dataset, facts: Facts, items: Sequence[Item]) -> _Collection:
    folder = CollectionFolder(root, dataset.definition.id)
    files = {file.path: file for file in list_files(folder.path)}
    by_folder: dict[str, list[ListedFile]] = {}
    for path, file in files.items():
        by_folder.setdefault(path.rpartition("/")[0] + "/", []).append(file)
    subjects = {str(subject): group for subject, group in dataset.gates.groupby("subject", sort=False)}
    gates = {"": _verdicts(dataset.gates, dataset.definition)}
    gates |= {subject: _verdicts(group, dataset.definition) for subject, group in subjects.items()}
    return _Collection(
        dataset=dataset,
        facts=facts,
        items=tuple(items),
        folder=folder,
        files=files,
        by_folder=by_folder,
        gates=gates,
        shapes=glacier_shapes(dataset),
        points=points_by_year(dataset),
    )


def _for_programs(root: Path) -> list[str]:
    """The documents beside the front page that programs start from."""
    names = sorted(path.name for path in root.iterdir() if path.suffix in (".json", ".parquet"))
    return [CATALOG_JSON, *(name for name in names if name not in (CATALOG_JSON, MANIFEST_JSON))]


def _short_place(definition: Definition) -> Bilingual:
    """The place of a dataset, short enough for a line of facts."""
    place = definition.reading.collect_place
    return Bilingual(en=_shortened(place.en.partition(" (")[0]), cn=_shortened(place.cn.partition("（")[0]))


def _shortened(text: str) -> str:
    return text if len(text) <= _LABEL else f"{text[: _LABEL - 1].rstrip(' ,;')}\N{HORIZONTAL ELLIPSIS}"


def _card(collection: _Collection) -> Card:
    best = next((item for item in reversed(collection.items) if _thumbnail(item) is not None), None)
    thumbnail = _thumbnail(best) if best else None
    prefix = f"{collection.folder.collection_id}/"
    return Card(
        href=prefix + INDEX_HTML,
        synthetic=collection.dataset.synthetic,
        picture=_picture(best, thumbnail, prefix + collection.place(best)) if best and thumbnail else None,
        numbers=key_numbers(collection.dataset)[:4],
        gates=tuple(collection.gates[""]),
        count=len(collection.items),
        search=searchable(collection.folder, collection.dataset, collection.facts.title, collection.items),
    )


def _collection_page(collection: _Collection) -> dict[str, Any]:
    dataset, definition, items = collection.dataset, collection.definition, collection.items
    changes = changes_of(dataset)
    # of several pairs of DEMs each item tells its own datum and shift
    change = None if dataset.pairs else next(iter(changes.values()), None)
    few = items if len(items) <= MOST_ITEMS else ()
    extent = common_extent(items)
    # the map alone: the diagrams of a pair of DEMs stand on its own page
    maps = [_pictures(item, collection.place(item))[:1] for item in (few if changes else ())]
    parts = _parts(collection)
    plots = plots_of(dataset, items)
    places = {item.item_id: collection.place(item) for item in items}
    glaciers, count = glacier_rows(dataset, items, places)
    return {
        "base": "..",
        "dataset": dataset,
        "reading": definition.reading,
        "numbers": key_numbers(dataset),
        "gates": collection.gates[""],
        "entries": [_entry(collection, item) for item in few],
        "parts": [{"href": item_list_html(n), "count": len(part), **_span(part)} for n, part in enumerate(parts, 1)],
        "hero": next((picture for pictures in maps for picture in pictures), None),
        "figures": _loose_pictures(collection),
        "plots": [plot for plot in plots if not plot.quality],
        "quality_plots": [plot for plot in plots if plot.quality],
        "glaciers": glaciers,
        "glacier_headings": GLACIER_HEADINGS,
        "glacier_count": count,
        "accuracy": _accuracy(dataset),
        "years": _year_rows(collection),
        "map": extent_map([extent], glaciers=collection.shapes) if extent is not None else None,
        "citation": collection.facts.citation,
        "tables": products_of(table_downloads(collection.files)),
        "records": products_of(record_downloads(collection.files, tuple(COLLECTION_FIGURES))),
        "products": products_of(_offered(collection, few)),
        "items_apart": not few and bool(items),
        "inputs": dataset.inputs,
        "settings": _settings(dataset),
        "datum": change.datum if change else None,
        "curvature": change.curvature if change else None,
        "shift": change.shift_m if change else None,
        "jsonld": _json_ld(collection),
    }


def _item_page(collection: _Collection, at: int, item: Item) -> dict[str, Any]:
    dataset, place = collection.dataset, collection.place(item)
    part = next((own for own in dataset.pairs if elevation_change_item_id(own.pair) == item.item_id), dataset)
    stated = json.loads((item.folder / f"{item.item_id}.json").read_text(encoding="utf-8"))
    year = item.properties.get("glacier:year")
    up = "../" * place.count("/")
    neighbours = collection.items[at - 1 : at] if at else (), collection.items[at + 1 : at + 2]
    return {
        "base": f"{up}..",
        "up": up,
        "definition": part.definition,
        "item": item,
        "numbers": item_numbers(dataset, item.item_id),
        "gates": collection.gates.get(str(year) if year else stable_terrain(part.pair) if part.pair else "", []),
        "viewer": map_data(item, stated, collection.points.get(year or 0, ())) if stated.get("properties") else None,
        "pictures": _pictures(item, ""),
        "bands": list(_band_statistics(item, stated)),
        "downloads": products_of(_downloads(collection, item, "")),
        "snippets": snippets_of(item, collection.folder.collection_id, place),
        "map": extent_map([item_geometry(item)], glaciers=collection.shapes),
        "year": year,
        "lineage": _both(item.properties.get("processing:lineage", "")),
        "expressions": list(_expressions(item)),
        "software": sorted(stated.get("properties", {}).get("processing:software", {}).items()),
        "flags": _flags(item.properties.get("glacier:flags", ())),
        "inputs": part.inputs,
        "datum": item.properties.get("glacier:vertical_datum"),
        "before": [_neighbour(collection, other, up) for other in neighbours[0]],
        "after": [_neighbour(collection, other, up) for other in neighbours[1]],
    }


def _settings(dataset: Dataset) -> list[tuple[str, Any]]:
    """Settings by name; those of several pairs of DEMs with the years of the pair in front."""
    if dataset.pairs:
        return [(f"{part.pair} {name}", value) for part in dataset.pairs for name, value in _settings(part)]
    return sorted(dataset.settings.items())


def _neighbour(collection: _Collection, item: Item, up: str) -> dict[str, Any]:
    return {"href": f"{up}{collection.place(item)}{INDEX_HTML}", "label": _short_title(item)}


def _parts(collection: _Collection) -> list[tuple[Item, ...]]:
    """The items page by page, where there are too many for the collection's own page."""
    items = collection.items
    if len(items) <= MOST_ITEMS:
        return []
    return [items[first : first + ITEMS_A_PAGE] for first in range(0, len(items), ITEMS_A_PAGE)]


def _span(part: Sequence[Item]) -> dict[str, str]:
    """What a page of items says of itself: its first and last item, and its years."""
    years = sorted({year for item in part for year in (item.start.year, item.end.year)})
    return {
        "first": _short_title(part[0]).en,
        "last": _short_title(part[-1]).en,
        "from_to": f"{years[0]}\N{EN DASH}{years[-1]}" if len(years) > 1 else str(years[0]),
    }


def _short_title(item: Item) -> Bilingual:
    """What tells an item from its neighbours: its year, or those of its pair of DEMs; else its title."""
    year, pair = (item.properties.get(f"glacier:{name}") for name in ("year", "pair"))
    if pair:
        return Bilingual(en=pair.replace("-", "\N{EN DASH}"))
    return Bilingual(en=str(year)) if year else Bilingual(en=item.title, cn=item.title_cn)


def _year_rows(collection: _Collection) -> list[dict[str, Any]]:
    """Balances of every year for the table, with the page of the year where it has one."""
    years = getattr(collection.dataset.result, "years", ())
    pages = {item.properties.get("glacier:year"): collection.place(item) + INDEX_HTML for item in collection.items}
    return [
        {
            "year": year.year,
            "href": pages.get(year.year, ""),
            "balances": (
                (year.annual_m_we, year.sigma_annual_m_we),
                (year.winter_m_we, year.sigma_winter_m_we),
                (year.summer_m_we, year.sigma_summer_m_we),
            ),
            "ela_m": (year.ela_m, year.sigma_ela_m),
            "ela_position": year.ela_position if year.ela_position in ("<", ">") else "",
            "aar": (year.aar, year.sigma_aar),
            "provenance": _both(word(year.provenance)),
            "flags": _flags(year.flags),
        }
        for year in years
    ]


def _entry(collection: _Collection, item: Item) -> dict[str, Any]:
    thumbnail, place = _thumbnail(item), collection.place(item)
    return {
        "href": place + INDEX_HTML,
        "picture": _picture(item, thumbnail, place) if thumbnail else None,
        "label": _short_title(item),
    }


def _json_ld(collection: _Collection) -> Any:
    """The schema.org description, for the search engines that read it in the page."""
    path = collection.folder.path / METADATA / DATASET_JSONLD
    return page_document(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None


def _thumbnail(item: Item) -> Asset | None:
    return next((asset for asset in item.assets if asset.key == THUMBNAIL), None)


def _pictures(item: Item, prefix: str) -> list[Picture]:
    """PNG assets but the thumbnail; the thumbnail where there is nothing larger."""
    images = [asset for asset in item.assets if asset.media_type == _PNG]
    large = [asset for asset in images if asset.key != THUMBNAIL]
    return [_picture(item, asset, prefix) for asset in large or images]


def _picture(item: Item, asset: Asset, prefix: str) -> Picture:
    href = asset.href.removeprefix("./")
    title, description = _both(asset.title), _both(asset.description)
    words = words_of(item.properties["glacier:kind"], href, item.properties["glacier:synthetic"])
    width, height = png_size(item.folder / href)
    return Picture(href=prefix + href, title=title, description=description, width=width, height=height, words=words)


def _flags(flags: Sequence[str]) -> list[Bilingual]:
    """Flags as words: bound_not_used:1 becomes bound not used: 1."""
    return [Bilingual(en=flag.replace("_", " ").replace(":", ": "), cn=chinese_of(flag_said(flag))) for flag in flags]


def _loose_pictures(collection: _Collection) -> list[Picture]:
    """Figures that belong to the collection and to no item; the series is plotted in the page itself."""
    return [
        _loose_picture(collection, name, title)
        for name, title in COLLECTION_FIGURES.items()
        if name in collection.files and name != SERIES_PNG
    ]


def _loose_picture(collection: _Collection, name: str, title: str) -> Picture:
    width, height = png_size(collection.folder.path / name)
    return Picture(
        href=name,
        title=_both(title),
        description=Bilingual(en=""),
        width=width,
        height=height,
        words=words_of(collection.definition.kind, name, collection.dataset.synthetic),
    )


def png_size(path: Path) -> tuple[int, int]:
    """Width and height, so that a page does not jump while its pictures load."""
    with path.open("rb") as file:
        head = file.read(24)
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")


def _offered(collection: _Collection, items: Sequence[Item]) -> Iterator[OfferedFile]:
    """The files of the items, and the figures that belong to none of them."""
    for item in items:
        yield from _downloads(collection, item, collection.place(item))
    yield from figure_downloads(collection.files, COLLECTION_FIGURES)


def _downloads(collection: _Collection, item: Item, prefix: str) -> list[OfferedFile]:
    place = collection.place(item)
    label = _short_title(item).en if prefix and len(collection.items) > 1 else ""
    return item_downloads(item, collection.by_folder.get(place, ()), place, prefix, label)


def _verdicts(gates: pd.DataFrame, definition: Definition) -> list[Verdict]:
    """Verdicts by gate: how many subjects passed, and the value that came nearest the limit or beyond it."""
    verdicts = []
    for name, group in gates.groupby("gate", sort=False):
        passed = group["passed"].astype(bool)
        stated = next((gate for gate in definition.gates if gate.name == name), None)
        verdicts.append(
            Verdict(
                name=Bilingual(en=str(name), cn=stated.name_cn if stated else ""),
                passed=bool(passed.all()),
                count=len(group),
                failed=int((~passed).sum()),
                worst=None if group["value"].isna().any() else float(group["value"].max()),
                limit=float(group["limit"].iloc[0]),
                unit=str(group["unit"].iloc[0]),
                meaning=Bilingual(en=stated.meaning, cn=stated.meaning_cn) if stated else Bilingual(en=""),
                judged=_JUDGED[definition.kind],
            )
        )
    return verdicts


def _accuracy(dataset: Dataset) -> list[dict[str, Any]]:
    """Rows of the accuracy table over all stable terrain, in the order of the steps."""
    table = dataset_tables(dataset).get("accuracy")
    if table is None:
        return []
    rows: list[dict[Any, Any]] = table[table["class"] == "all"].to_dict("records")
    order = list(_STEPS)
    rows.sort(key=lambda row: (row.get("pair", ""), order.index(row["step"]) if row["step"] in order else len(order)))
    return [{**row, "label": _step_label(row)} for row in rows]


def _step_label(row: Mapping[Any, Any]) -> Bilingual:
    """The step of a row of the accuracy table; of several pairs of DEMs with the years of its pair."""
    label = _STEPS.get(str(row["step"]), Bilingual(en=str(row["step"])))
    return Bilingual(en=f"{row['pair']}: {label.en}", cn=f"{row['pair']}：{label.cn}") if "pair" in row else label


def _band_statistics(item: Item, stated: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Statistics of every band as the STAC item states them, so that page and catalogue cannot differ.

    Not of a picture: a mean red says nothing.
    """
    titles = {asset.key: _both(asset.title) for asset in item.assets if "visual" not in asset.roles}
    for key, asset in stated["assets"].items():
        bands = [band for band in asset.get("bands", ()) if "statistics" in band]
        for band in bands if key in titles else ():
            yield {
                "title": titles[key],
                "name": band.get("name", "") if len(bands) > 1 else "",
                "unit": band.get("unit") or asset.get("unit", ""),
                **band["statistics"],
            }


def _expressions(item: Item) -> Iterator[dict[str, Any]]:
    """The steps with their expressions."""
    for step in item.properties.get("processing:expression", {}).get("expression", ()):
        yield {
            "title": _both(step["name"]),
            "expression": _both(step["expression"]),
            "reference": step["reference"],
        }


def write_page(path: Path, template: str, page: Mapping[str, Any]) -> None:
    """Fill a template and write the page."""
    text = _environment().get_template(template).render(page)
    # control characters of a source's text have no place in a page and break strict readers; those that turn the
    # direction of writing would turn what stands behind them too
    clean = _CONTROL.sub("", text)
    path.write_text(clean.rstrip() + "\n", encoding="utf-8", newline="\n")


def template_text(name: str) -> str:
    """A file of the templates' folder, as it stands."""
    return files("catalog.pages").joinpath("templates", name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("catalog.pages", "templates"),
        autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,  # the templates do not change while pages are written
    )
    filters = {
        "signed": signed,
        "paragraphs": _paragraphs,
        "weblink": _weblink,
        "licence_link": _licence_link,
        "found": _found,
        "inline": markdown_line,
        "both": _both,
        "raised": _raised,
        "embedded": _embedded,
        "extent": _extent,
    }
    environment.filters.update(filters)
    return environment


def _paragraphs(text: str) -> list[str]:
    return [part.strip() for part in text.split("\n") if part.strip()]


def _weblink(url: str) -> str:
    """A URL that may stand in a link; anything but http(s) is dropped, for it could be a script."""
    return url if url.startswith(("https://", "http://")) else ""


def _both(text: str) -> Bilingual:
    """What the chain says, with its Chinese words where it has any."""
    return Bilingual(en=text, cn=chinese_of(text))


def _licence_link(licence: str) -> str:
    """Where the licence stands; empty for free text and for 'other'."""
    return licence_url(licence) if _SPDX.fullmatch(licence) else ""


def _found(value: float | None) -> str:
    """What a gate found, to three digits; empty where it could not be computed."""
    return "" if value is None or value != value else f"{value:.3g}"


def _raised(unit: str) -> str:
    """A unit with its exponents raised: kg m-2 a-1 becomes kg m⁻² a⁻¹."""
    return re.sub(r"(?<=[a-z])-?\d\b", lambda match: match.group().translate(_RAISED), unit)


def _extent(extent: Extent) -> str:
    """An extent in degrees with the letters of its sides, as 86.5–87.3° E, 42.9–43.3° N."""
    return f"{_degrees(extent.west, extent.east, 'EW')}, {_degrees(extent.south, extent.north, 'NS')}"


def _degrees(low: float, high: float, letters: str) -> str:
    if low < 0 < high:
        return f"{-low}° {letters[1]} \N{EN DASH} {high}° {letters[0]}"
    letter = letters[1] if low < 0 else letters[0]
    return f"{abs(low)}\N{EN DASH}{abs(high)}° {letter}"


def _embedded(value: Any) -> Markup:
    """JSON that can stand in a script element: nothing in it ends the element or begins a comment."""
    return Markup(inert(json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)))
