"""QGIS layer styles (``.qml``): beside a file of the same name QGIS opens that file in the archive's colours.

Rasters of one band are drawn by the same scales as the archive's figures, classes in their colours under their names,
glaciers by their mean change, outlines by epoch, isolines in ink with their values. The format is that of QGIS 3; what
a style leaves out keeps QGIS' defaults.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np

from catalog.archive import (
    BALANCE_SIGMA_TIF,
    BALANCE_TIF,
    CLASSIFICATION_TIF,
    ELEVATION_CHANGE_SIGMA_TIF,
    ELEVATION_CHANGE_TIF,
    GLACIERS_GEOJSON,
    ISOLINES_GEOJSON,
    OUTLINE_GEOJSON,
    OUTLINES_GEOJSON,
    QML,
    Asset,
)
from catalog.figures import INK, amount_colours, change_colours
from catalog.formats import inert_text
from pipeline.grid import FloatArray
from schemas.messages import Message

# where the file goes that is called so where it stands alone
Naming = Callable[[str], Path]
STYLE_ROLE = "style"
SUFFIX = ".qml"
# written for; every later QGIS 3 reads it
_VERSION = "3.22.0"
_STOPS = 33  # straight lines between so many colours stay within a just noticeable difference of the scale
_GLACIER_CLASSES = 8  # an even number: zero parts loss from gain
_BEYOND = 1e6  # metres: no glacier changes by as much
_EPOCH_COLOURS = ("#1d2733", "#d9822b", "#1f4e9c", "#6b7785", "#a5231f")


def write_change_styles(
    place: Path,
    limits: tuple[float, float],
    classes: Iterable[tuple[int, tuple[int, int, int], str]],
    epochs: Sequence[str] | None,
) -> Iterator[Asset]:
    """The styles of an elevation-change item, written into its folder ``place``.

    Parameters
    ----------
    limits : ends of the scales of the elevation change and of its standard deviation, m.
    classes : value, red-green-blue (0-255) and label of each class of the classification.
    epochs : of the outlines; None where there are none.
    """
    change, sigma = limits
    named = place.joinpath
    yield _write_style(place.joinpath, ELEVATION_CHANGE_TIF, change_style(change, "m"), Message("elevation change"))
    text = amount_style(sigma, "m")
    yield _write_style(named, ELEVATION_CHANGE_SIGMA_TIF, text, Message("its uncertainty"))
    yield _write_style(named, CLASSIFICATION_TIF, class_style(classes), Message("classification"))
    if epochs is not None:
        yield _write_style(named, GLACIERS_GEOJSON, glacier_style(change), Message("glaciers"))
        yield _write_style(named, OUTLINES_GEOJSON, outline_style(epochs), Message("outlines"))


def write_balance_styles(named: Naming, limits: tuple[float, float], glaciers: Sequence[str] = ()) -> Iterator[Asset]:
    """The styles of the files of a balance year.

    Parameters
    ----------
    named : where a file stands.
    limits : ends of the scales of balance and its error, m w.e.
    glaciers : identifiers of the outlines of ``outline.geojson``; none where there is no such file.
    """
    balance, sigma = limits
    yield _write_style(named, BALANCE_TIF, change_style(balance, "m w.e."), Message("annual balance"))
    yield _write_style(named, BALANCE_SIGMA_TIF, amount_style(sigma, "m w.e."), Message("its uncertainty"))
    yield _write_style(named, ISOLINES_GEOJSON, isoline_style(), Message("isolines"))
    if glaciers:
        yield _write_style(named, OUTLINE_GEOJSON, outline_style(glaciers, "glacier_id"), Message("outline"))


def _write_style(named: Naming, file: str, text: str, of: Message) -> Asset:
    """Write the style of ``file`` beside it, under its name."""
    path = named(file).with_suffix(SUFFIX)
    name, file = path.name, named(file).name
    path.write_text(text, encoding="utf-8", newline="\n")
    return Asset(
        key=f"{Path(file).stem}_style",
        href=name,
        title=Message("QGIS style: {of}", of=of),
        media_type=QML,
        roles=(STYLE_ROLE,),
        description=Message("QGIS opens {file} in these colours when this file stands beside it", file=file),
    )


# --- rasters -----------------------------------------------------------------------------------------------------


def change_style(limit: float, unit: str) -> str:
    """Style of a raster on the diverging scale from -limit to limit, loss red and gain blue."""
    return _scale_style(change_colours(), (-limit, limit), unit)


def amount_style(limit: float, unit: str) -> str:
    """Style of a raster on the sequential scale from 0 to limit."""
    return _scale_style(amount_colours(), (0.0, limit), unit)


def class_style(classes: Iterable[tuple[int, tuple[int, int, int], str]]) -> str:
    """Style of a raster of classes: value, red-green-blue (0-255) and label of each."""
    root, renderer = _raster("paletted")
    palette = ET.SubElement(renderer, "colorPalette")
    for value, rgb, label in sorted(classes):
        entry = {"value": str(value), "color": _hex(rgb), "alpha": "255", "label": inert_text(label)}
        ET.SubElement(palette, "paletteEntry", entry)
    return _text(root)


def _scale_style(colours: FloatArray, ends: tuple[float, float], unit: str) -> str:
    low, high = ends
    root, renderer = _raster("singlebandpseudocolor", classificationMin=_number(low), classificationMax=_number(high))
    shader = ET.SubElement(
        ET.SubElement(renderer, "rastershader"),
        "colorrampshader",
        colorRampType="INTERPOLATED",
        classificationMode="2",
        clip="0",
        minimumValue=_number(low),
        maximumValue=_number(high),
        labelPrecision="2",
    )
    stops = _stops(colours)
    _add_ramp(shader, stops)
    for share, rgb in zip(np.linspace(0, 1, len(stops)), stops, strict=True):
        value = low + (high - low) * float(share)
        label = f"{value:.4g} {unit}".replace("-", "\N{MINUS SIGN}") if _is_labelled(share) else ""
        ET.SubElement(
            shader, "item", {"value": _number(value), "color": _hex(rgb), "alpha": "255", "label": label.strip()}
        )
    return _text(root)


def _is_labelled(share: float) -> bool:
    """Whether a stop is one of the five that the legend names."""
    return bool(abs(share * 4 - round(share * 4)) < 1e-9)


def _add_ramp(shader: ET.Element, stops: Sequence[tuple[int, int, int]]) -> None:
    """The ramp from which QGIS draws a continuous legend and computes colours anew when the range is changed."""
    ramp = ET.SubElement(shader, "colorramp", name="[source]", type="gradient")
    inner = [f"{place / (len(stops) - 1):.6g};{_rgba(rgb)}" for place, rgb in enumerate(stops)][1:-1]
    _add_options(
        ramp,
        {
            "color1": _rgba(stops[0]),
            "color2": _rgba(stops[-1]),
            "discrete": "0",
            "rampType": "gradient",
            "stops": ":".join(inner),
        },
    )


def _raster(kind: str, **drawn: str) -> tuple[ET.Element, ET.Element]:
    root = ET.Element("qgis", version=_VERSION, styleCategories="Symbology")
    pipe = ET.SubElement(root, "pipe")
    renderer = ET.SubElement(
        pipe, "rasterrenderer", {"type": kind, "band": "1", "alphaBand": "-1", "opacity": "1", **drawn}
    )
    # the ends are the archive's, not those of the pixels in view
    ET.SubElement(ET.SubElement(renderer, "minMaxOrigin"), "limits").text = "None"
    return root, renderer


# --- vectors -----------------------------------------------------------------------------------------------------


def glacier_style(limit: float) -> str:
    """Style of the glaciers: filled by their mean elevation change, on the scale of the raster."""
    root = _vector("Symbology")
    renderer = ET.SubElement(
        root, "renderer-v2", type="graduatedSymbol", attr="mean_dh_m", graduatedMethod="GraduatedColor"
    )
    ranges, symbols = ET.SubElement(renderer, "ranges"), ET.SubElement(renderer, "symbols")
    edges = np.linspace(-limit, limit, _GLACIER_CLASSES + 1)
    for number, (low, high) in enumerate(pairwise(edges)):
        first, last = number == 0, number == _GLACIER_CLASSES - 1
        label = f"{low:.4g} to {high:.4g} m"
        label = f"below {high:.4g} m" if first else f"above {low:.4g} m" if last else label
        ends = {"lower": _number(-_BEYOND if first else low), "upper": _number(_BEYOND if last else high)}
        ET.SubElement(ranges, "range", {**ends, "symbol": str(number), "render": "true", "label": label})
        fill = _colour_at((number + 0.5) / _GLACIER_CLASSES)
        _add_symbol(symbols, str(number), "fill", {"color": _rgba(fill), **_outline(INK, 0.3)})
    return _text(root)


def outline_style(values: Iterable[str], field: str = "epoch") -> str:
    """Style of the outlines: a line in a colour of its own for each value of ``field``, nothing inside."""
    root = _vector("Symbology")
    renderer = ET.SubElement(root, "renderer-v2", type="categorizedSymbol", attr=field)
    categories, symbols = ET.SubElement(renderer, "categories"), ET.SubElement(renderer, "symbols")
    for number, value in enumerate(sorted(set(values))):
        name = inert_text(value)
        ET.SubElement(categories, "category", {"value": name, "symbol": str(number), "label": name, "render": "true"})
        colour = _EPOCH_COLOURS[number % len(_EPOCH_COLOURS)]
        _add_symbol(symbols, str(number), "fill", {"style": "no", **_outline(colour, 0.5)})
    return _text(root)


def isoline_style() -> str:
    """Style of the isolines: in ink over the coloured balance, with their values; the line of zero balance thick."""
    root = _vector("Symbology|Labeling")
    root.set("labelsEnabled", "1")
    renderer = ET.SubElement(root, "renderer-v2", type="RuleRenderer")
    rules, symbols = ET.SubElement(renderer, "rules", key="isolines"), ET.SubElement(renderer, "symbols")
    for number, (rule, label, width_mm) in enumerate(
        (('"balance_m_we" = 0', "0 m w.e. (equilibrium line)", 0.8), ("ELSE", "isoline of the balance", 0.2))
    ):
        key = {"filter": rule, "label": label, "symbol": str(number), "key": f"isolines{number}"}
        ET.SubElement(rules, "rule", key)
        line = {"line_color": _rgba(_rgb(INK)), "line_width": f"{width_mm}", "line_width_unit": "MM"}
        _add_symbol(symbols, str(number), "line", line)
    settings = ET.SubElement(ET.SubElement(root, "labeling", type="simple"), "settings")
    text = {"fieldName": "balance_m_we", "fontSize": "8", "fontSizeUnit": "Point", "textColor": _rgba(_rgb(INK))}
    style = ET.SubElement(settings, "text-style", text)
    ET.SubElement(style, "text-buffer", bufferDraw="1", bufferSize="0.7", bufferColor="255,255,255,220")
    ET.SubElement(settings, "placement", placement="3", placementFlags="9")  # curved, on the line
    return _text(root)


def _vector(categories: str) -> ET.Element:
    return ET.Element("qgis", version=_VERSION, styleCategories=categories)


def _add_symbol(symbols: ET.Element, name: str, kind: str, options: Mapping[str, str]) -> None:
    symbol = ET.SubElement(symbols, "symbol", {"name": name, "type": kind, "alpha": "1"})
    layer = ET.SubElement(symbol, "layer", {"class": {"fill": "SimpleFill", "line": "SimpleLine"}[kind]})
    layer.attrib |= {"enabled": "1", "locked": "0", "pass": "0"}
    _add_options(layer, options)


def _add_options(parent: ET.Element, options: Mapping[str, str]) -> None:
    listed = ET.SubElement(parent, "Option", type="Map")
    for name, value in options.items():
        ET.SubElement(listed, "Option", {"name": name, "type": "QString", "value": value})


def _outline(colour: str, width_mm: float) -> dict[str, str]:
    return {"outline_color": _rgba(_rgb(colour)), "outline_width": f"{width_mm}", "outline_width_unit": "MM"}


# --- colours and text --------------------------------------------------------------------------------------------


def _stops(colours: FloatArray) -> list[tuple[int, int, int]]:
    return [_colour_at(float(share), colours) for share in np.linspace(0, 1, _STOPS)]


def _colour_at(share: float, colours: FloatArray | None = None) -> tuple[int, int, int]:
    """The colour at a share of the way through a scale of 256; of the diverging one if none is given."""
    table = change_colours() if colours is None else colours
    place = share * (len(table) - 1)
    red, green, blue = (float(np.interp(place, np.arange(len(table)), table[:, band])) for band in range(3))
    return round(red * 255), round(green * 255), round(blue * 255)


def _rgb(colour: str) -> tuple[int, int, int]:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return red, green, blue


def _hex(rgb: Sequence[int]) -> str:
    return "#" + "".join(f"{part:02x}" for part in rgb)


def _rgba(rgb: Sequence[int]) -> str:
    return ",".join(str(part) for part in (*rgb, 255))


def _number(value: Any) -> str:
    return f"{float(value):.9g}"


def _text(root: ET.Element) -> str:
    ET.indent(root, " ")
    return ET.tostring(root, encoding="unicode") + "\n"
