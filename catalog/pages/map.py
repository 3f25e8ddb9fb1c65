"""What the map of an item page is told: layers, colours, scales, lines; it reads the pixels from the rasters itself."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from catalog.archive import COG, Asset, Item
from catalog.figures import amount_colours, change_colours
from pipeline.grid import FloatArray
from schemas.messages import chinese_of

_UTM = re.compile(r"EPSG:32([67])(\d\d)")
_LINES = ("glaciers", "outline", "isolines")
_SPREAD = 3.0


def map_data(item: Item, stated: Mapping[str, Any], points: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any] | None:
    """What the map of an item needs; None for an item without a raster of quantities.

    Parameters
    ----------
    points : measured points that the map marks, as ``points_by_year`` has them.
    stated : the STAC item as written: units, statistics and scales come from it, so that map and catalogue agree.
    """
    rasters = [asset for asset in item.assets if asset.media_type == COG]
    order = {asset.key: (_rank(asset), at) for at, asset in enumerate(rasters)}
    rasters.sort(key=lambda asset: order[asset.key])
    if not rasters or _rank(rasters[0]) > 0:
        return None
    limit = _limit(stated, rasters[0].key)
    code = str(stated["assets"][rasters[0].key].get("proj:code") or stated["properties"].get("proj:code") or "")
    lines = [asset for key in _LINES for asset in item.assets if asset.key == key]
    layers = [_layer(asset, stated["assets"][asset.key], limit, rasters) for asset in rasters]
    for layer in layers:
        if layer["paint"] == "rgb":
            layer["unit"] = layers[0]["unit"]
    return {
        "code": code,
        "utm": utm_zone(code),
        "layers": layers,
        "lines": [{"href": asset.href.removeprefix("./"), "title": _title(asset)} for asset in lines],
        "points": list(points),
    }


def utm_zone(code: str) -> dict[str, float] | None:
    """Central meridian (degrees) and false northing (m) of a WGS 84 UTM zone; None for any other system."""
    match = _UTM.fullmatch(code)
    if match is None or not 1 <= int(match[2]) <= 60:
        return None
    return {"meridian": 6.0 * int(match[2]) - 183.0, "falseNorthing": 0.0 if match[1] == "6" else 10_000_000.0}


def colour_tables() -> str:
    """The archive's colour scales as the script reads them: six hexadecimal digits a colour."""
    tables = {"change": _hex(change_colours()), "amount": _hex(amount_colours())}
    return f"window.GLACIER_COLOURS = {json.dumps(tables)};\n"


def _rank(asset: Asset) -> int:
    """Quantities first, then their uncertainty, then classes, then pictures."""
    order = ("visual", "classification", "uncertainty")
    return next((3 - at for at, role in enumerate(order) if role in asset.roles), 0)


def _layer(asset: Asset, stated: Mapping[str, Any], limit: float, rasters: list[Asset]) -> dict[str, Any]:
    band = (stated.get("bands") or [{}])[0]
    layer: dict[str, Any] = {
        "key": asset.key,
        "title": _title(asset),
        "href": asset.href.removeprefix("./"),
        "unit": band.get("unit") or stated.get("unit") or "",
        "paint": ("change", "amount", "classes", "rgb")[_rank(asset)],
    }
    if layer["paint"] == "classes":
        return {**layer, "classes": [_class(entry) for entry in asset.extra.get("classification:classes", ())]}
    if layer["paint"] == "rgb":
        # the picture is painted with the scale of the quantity it shows
        return {**layer, **_scale(-limit, limit)}
    if layer["paint"] == "amount":
        return {**layer, **_scale(0.0, _round_up(_usual_maximum(band.get("statistics", {}))))}
    sigma = next((other.key for other in rasters if other.key == f"{asset.key}_sigma"), None)
    return {**layer, **_scale(-limit, limit), "sigma": sigma}


def _scale(low: float, high: float) -> dict[str, Any]:
    decimals = max(0, min(3, 1 - math.floor(math.log10(high / 2) + 1e-9)))
    return {
        "low": low,
        "high": high,
        "decimals": 0 if high == round(high) and high / 2 == round(high / 2) else decimals,
    }


def _class(entry: Mapping[str, Any]) -> dict[str, Any]:
    title, colour = entry.get("title") or entry["name"], str(entry["color_hint"])
    return {
        "value": entry["value"],
        "title": [str(title), chinese_of(title)],
        "rgb": [int(colour[at : at + 2], 16) for at in (0, 2, 4)],
    }


def _limit(stated: Mapping[str, Any], key: str) -> float:
    """End of the colour scale as the render of the item states it; the largest value where it has none."""
    render = stated["properties"].get("renders", {}).get(key, {})
    if render.get("rescale"):
        return float(render["rescale"][0][1])
    statistics = (stated["assets"][key].get("bands") or [{}])[0].get("statistics", {})
    return _round_up(max(abs(float(statistics.get(name) or 0.0)) for name in ("minimum", "maximum")))


def _usual_maximum(statistics: Mapping[str, Any]) -> float:
    """What all but a few pixels lie below: mean and three standard deviations, and never beyond the maximum."""
    mean, std = float(statistics.get("mean") or 0.0), float(statistics.get("stddev") or 0.0)
    return min(float(statistics.get("maximum") or 1.0), mean + _SPREAD * std)


def _round_up(value: float) -> float:
    if not value > 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return float(
        round(next(step for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * power >= value * (1 - 1e-9)) * power, 6)
    )


def _title(asset: Asset) -> list[str]:
    return [asset.title, chinese_of(asset.title) or asset.title]


def _hex(table: FloatArray) -> str:
    return bytes(np.rint(table * 255).astype(np.uint8)).hex()
