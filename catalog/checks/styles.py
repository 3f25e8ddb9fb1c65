"""Checks of the QGIS styles and colour tables: each belongs to the file it stands beside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import rasterio
from lxml import etree

from catalog.archive import Archive, File, OpenedRaster, files_ending, rasters
from catalog.checks.rasters import nodata_of, valid_values
from catalog.checks.result import Failure, check
from catalog.items import STYLE_ROLE, SUFFIX

_REBUILD = "build the archive again"
_LEAST_SHARE = 0.5  # of the valid pixels that a scale must cover; those of the archive hold 98 % of what they show


def single_bands(archive: Archive) -> Iterator[OpenedRaster]:
    """Rasters of one band: the others carry their colours in their bands."""
    return (raster for raster in rasters(archive) if len(raster.asset.get("bands") or []) == 1)


@check(
    "style-of-raster",
    "beside every raster of one band stands a QGIS style with its classes, or with the range that STAC states",
    single_bands,
)
def style_of_raster(raster: OpenedRaster) -> Iterator[Failure]:
    path = _style_path(raster.file)
    style = _style(raster.archive, path)
    if style is None:
        yield Failure(raster.file, f"no style {path}", "a QGIS style of the same name", _REBUILD)
        return
    if not any(raster.item.target(asset.get("href", "")) == path for asset in _style_assets(raster.item.assets)):
        yield Failure(raster.item.file, f"no asset of role '{STYLE_ROLE}' for {path}", "one", _REBUILD)
    renderer = style.find("pipe/rasterrenderer")
    classes = raster.asset.get("classification:classes")
    kind = "paletted" if classes else "singlebandpseudocolor"
    if renderer is None or renderer.get("type") != kind:
        yield Failure(path, "another renderer", f"{kind}, for {raster.file}", _REBUILD)
    elif classes:
        yield from _unlike_classes(path, renderer, classes)
    else:
        yield from _unlike_range(raster, path, renderer)


@check("colour-table", "the colour table of a classed raster has the colours that STAC states", single_bands)
def colour_table(raster: OpenedRaster) -> Iterator[Failure]:
    classes = raster.asset.get("classification:classes")
    if not classes:
        return
    with rasterio.open(raster.dataset_name, driver="GTiff") as source:
        try:
            table = source.colormap(1)
        except ValueError:  # what rasterio says of a band without one
            yield Failure(raster.file, "no colour table", "a colour for each class", _REBUILD)
            return
    for entry in classes:
        colour = _hex(table[entry["value"]][:3])
        if colour != entry["color_hint"].upper():
            yield Failure(raster.file, f"class {entry['name']} in {colour}", entry["color_hint"], _REBUILD)


@check(
    "style-of-features",
    "beside every GeoJSON file of an item stands a QGIS style that draws all of its features by what they say",
    files_ending(".geojson"),
)
def style_of_features(file: File) -> Iterator[Failure]:
    path = _style_path(file.file)
    style = _style(file.archive, path)
    if style is None:
        yield Failure(file.file, f"no style {path}", "a QGIS style of the same name", _REBUILD)
        return
    features = file.archive.json(file.file)["features"]
    renderer = style.find("renderer-v2")
    labels = style.find("labeling/settings/text-style")
    fields = [] if renderer is None else [renderer.get("attr")] if renderer.get("attr") else []
    fields += [labels.get("fieldName")] if labels is not None else []
    if renderer is None or not fields:
        yield Failure(path, "nothing by which features are drawn", f"a property of {file.file}", _REBUILD)
        return
    for field in fields:
        values = [feature["properties"].get(field) for feature in features]
        if features and all(value is None for value in values):
            yield Failure(path, f"drawn by {field!r}", f"a property of {file.file}", _REBUILD)
        else:
            yield from _not_drawn(path, renderer, field, [value for value in values if value is not None])


def _not_drawn(path: str, renderer: Any, field: str, values: list[Any]) -> Iterator[Failure]:
    """Values for which the style has no symbol."""
    known = {symbol.get("name") for symbol in renderer.findall("symbols/symbol")}
    parts = [*renderer.findall("categories/category"), *renderer.findall("ranges/range"), *renderer.iter("rule")]
    for part in parts:
        if part.get("symbol") not in known:
            yield Failure(path, f"symbol {part.get('symbol')!r}", f"one of {sorted(map(str, known))}", _REBUILD)
    kind = renderer.get("type")
    if kind == "categorizedSymbol":
        drawn = {category.get("value") for category in renderer.findall("categories/category")}
        missing = sorted({str(value) for value in values} - drawn)
    elif kind == "graduatedSymbol":
        ends = [(float(_said(part, "lower")), float(_said(part, "upper"))) for part in renderer.findall("ranges/range")]
        if not any(low == 0 for low, _ in ends):
            yield Failure(path, "a class that holds loss and gain", "classes that meet at zero", _REBUILD)
        missing = sorted(str(value) for value in values if not _among(value, ends))
    else:
        missing = (
            [] if any(rule.get("filter") == "ELSE" for rule in renderer.iter("rule")) else [f"all but one {field}"]
        )
    for value in missing[:5]:
        yield Failure(path, f"no symbol for {field} {value}", "one for every value", _REBUILD)


def _unlike_classes(path: str, renderer: Any, classes: list[dict[str, Any]]) -> Iterator[Failure]:
    entries = renderer.findall("colorPalette/paletteEntry")
    drawn = {int(_said(entry, "value")): (_said(entry, "color").upper(), entry.get("label")) for entry in entries}
    stated = {entry["value"]: (f"#{entry['color_hint'].upper()}", entry["title"]) for entry in classes}
    for value in sorted(drawn.keys() | stated.keys()):
        if drawn.get(value) != stated.get(value):
            yield Failure(path, f"class {value} {drawn.get(value)}", f"{stated.get(value)}, as in STAC", _REBUILD)


def _unlike_range(raster: OpenedRaster, path: str, renderer: Any) -> Iterator[Failure]:
    stops = [float(_said(item, "value")) for item in renderer.findall("rastershader/colorrampshader/item")]
    low, high = (float(_said(renderer, f"classification{end}")) for end in ("Min", "Max"))
    if stops != sorted(set(stops)) or len(stops) < 3 or (stops[0], stops[-1]) != (low, high):
        yield Failure(path, f"stops from {stops[:1]} to {stops[-1:]}", f"rising from {low} to {high}", _REBUILD)
    renders = raster.item.content["properties"]["renders"]
    scales = [entry["rescale"][0] for entry in renders.values() if entry.get("assets") == [raster.key]]
    if not any(np.allclose([low, high], scale, rtol=1e-6, atol=0) for scale in scales):
        yield Failure(path, f"range {low:g} to {high:g}", f"{scales}, as the item's renders state", _REBUILD)
    if raster.archive.files.deep:
        values = valid_values(raster.archive.band(raster.file, 1), nodata_of(raster, 1))
        share = float(np.mean((values >= low) & (values <= high))) if values.size else 1.0
        if share < _LEAST_SHARE:
            yield Failure(
                path, f"a range that holds {share:.0%} of the pixels", f"{_LEAST_SHARE:.0%} or more", _REBUILD
            )


def _said(element: Any, name: str) -> str:
    """What an element of a style says.

    Errors
    ------
    LookupError : it does not say that.
    """
    if (value := element.get(name)) is None:
        raise LookupError(f"no {name} of {element.tag}")
    return str(value)


def _among(value: Any, ends: list[tuple[float, float]]) -> bool:
    """Whether a value is a number within one of the classes."""
    return isinstance(value, int | float) and any(low <= value <= high for low, high in ends)


def _style_path(path: str) -> str:
    return f"{path.rpartition('.')[0]}{SUFFIX}"


def _style(archive: Archive, path: str) -> Any:
    """The parsed style; None where there is none."""
    content = archive.files.read(path) if path in archive.path_set else None
    if content is None:
        return None
    style = etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    if style.tag != "qgis":
        raise ValueError(f"{path}: element {style.tag!r}, where a QGIS style has 'qgis'")
    return style


def _style_assets(assets: dict[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    return (asset for asset in assets.values() if STYLE_ROLE in (asset.get("roles") or ()))


def _hex(rgb: tuple[int, ...]) -> str:
    return "".join(f"{part:02X}" for part in rgb)
