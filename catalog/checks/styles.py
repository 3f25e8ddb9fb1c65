"""Checks of the QGIS styles and colour tables: each belongs to the file it stands beside."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
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


# what a style of ours consists of; anything else could run something when it is opened
_ELEMENTS = {
    *("qgis", "pipe", "rasterrenderer", "minMaxOrigin", "limits", "colorPalette", "paletteEntry", "rastershader"),
    *("colorrampshader", "colorramp", "Option", "item", "renderer-v2", "ranges", "range", "symbols", "symbol", "layer"),
    *("categories", "category", "rules", "rule", "labeling", "settings", "text-style", "text-buffer", "placement"),
}
_ATTRIBUTES = {
    *("version", "styleCategories", "labelsEnabled", "type", "band", "alphaBand", "opacity", "classificationMin"),
    *("classificationMax", "value", "color", "alpha", "label", "colorRampType", "classificationMode", "clip"),
    *("minimumValue", "maximumValue", "labelPrecision", "name", "attr", "graduatedMethod", "lower", "upper", "symbol"),
    *("render", "class", "enabled", "locked", "pass", "key", "filter", "fieldName", "fontSize", "fontSizeUnit"),
    *("textColor", "bufferDraw", "bufferSize", "bufferColor", "placement", "placementFlags"),
}
# digests of the colour ramps: of changes, red for loss and blue for gain, and of amounts, the darker the more
_RAMPS = {
    "a9e83cfa8a575dbe312bb0a324e7a4a305755d34b1f3a3a8397a246a110794fb",
    "b6d109574b196d62f7197d06b94d62d99c49fcd48692803cbb20cf5d25267ccc",
}
# of outlines and isolines: ink, and one for each later epoch
_LINES = {"29,39,51,255", "217,130,43,255", "31,78,156,255", "107,119,133,255", "165,35,31,255"}


@check(
    "styles-are-ours", "a style draws with the colours of this software, and does nothing else", files_ending(SUFFIX)
)
def styles_are_ours(file: File) -> Iterator[Failure]:
    style = _style(file.archive, file.file)
    for element in style.iter(etree.Element):
        strange = sorted(map(str, {*element.attrib} - _ATTRIBUTES))
        if element.tag not in _ELEMENTS or strange:
            told = f"element {element.tag} {' '.join(strange)}"
            yield Failure(file.file, told, "the elements of a style of ours", _REBUILD)
    for ramp in style.iter("colorramp"):
        own = {option.get("name"): str(option.get("value")) for option in ramp.iter("Option") if option.get("name")}
        colours = [_hex_of(part.rpartition(";")[2]) for part in own.get("stops", "").split(":")]
        colours = [_hex_of(own.get("color1", "")), *colours, _hex_of(own.get("color2", ""))]
        shown = [str(item.get("color")).lower() for item in ramp.getparent().iter("item")]
        digest = sha256("|".join((own["color1"], own["stops"], own["color2"])).encode()).hexdigest()
        if digest not in _RAMPS or shown != colours:
            yield Failure(file.file, f"colours {shown[:2]} to {shown[-1:]}", "a ramp of this software", _REBUILD)
        yield from _unlike_labels(file.file, ramp.getparent())
    for option in style.iter("Option"):
        if option.get("name") in ("outline_color", "line_color") and option.get("value") not in _LINES:
            yield Failure(
                file.file, f"{option.get('name')} {option.get('value')}", f"one of {sorted(_LINES)}", _REBUILD
            )
    yield from _unlike_signs(file.file, style)


def _unlike_labels(path: str, shader: Any) -> Iterator[Failure]:
    """Stops whose label gives another number than their value."""
    for item in shader.iter("item"):
        numbers = re.findall(r"[\N{MINUS SIGN}-]?\d+(?:\.\d+)?", str(item.get("label")))
        if numbers and abs(float(numbers[0].replace("\N{MINUS SIGN}", "-")) - float(_said(item, "value"))) > 1e-9:
            yield Failure(path, f"label {item.get('label')!r} of {item.get('value')}", "the value itself", _REBUILD)


def _unlike_signs(path: str, style: Any) -> Iterator[Failure]:
    """Classes of loss that are not red, or of gain that are not blue."""
    fills = {
        symbol.get("name"): str(option.get("value")).split(",")
        for symbol in style.iter("symbol")
        for option in symbol.iter("Option")
        if option.get("name") == "color"
    }
    for part in style.iter("range"):
        red, _, blue = (int(value) for value in fills[part.get("symbol")][:3])
        if (float(_said(part, "upper")) <= 0 and red <= blue) or (float(_said(part, "lower")) >= 0 and blue <= red):
            yield Failure(
                path, f"{part.get('label')} in {fills[part.get('symbol')]}", "red for loss, blue for gain", _REBUILD
            )


def _hex_of(numbers: str) -> str:
    """``#rrggbb`` of red, green, blue and opacity (0-255)."""
    return "#" + "".join(f"{int(number):02x}" for number in numbers.split(",")[:3])


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
