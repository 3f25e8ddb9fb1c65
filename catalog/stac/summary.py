"""What the items of a collection have in common, gathered while they are written one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pystac
from pystac import RangeSummary, Summaries

from catalog.stac.documents import Json
from catalog.stac.languages import ENGLISH

_KEPT = ("title", "description", "type", "roles", "raster:sampling")
_LISTED = ("processing:level",)
_RANGES = ("glacier:year", "glacier:annual_m_we", "glacier:ela_m", "glacier:mean_dh_m")


@dataclass
class Summary:
    """Values that the items have: the different ones, ranges of numbers, and what their assets have in common.

    Attributes
    ----------
    systems : reference systems of the items, as EPSG:32645.
    item_assets : by language, then by key.
    """

    systems: set[str] = field(default_factory=set)
    values: dict[str, set[str]] = field(default_factory=dict)
    ranges: dict[str, tuple[float, float]] = field(default_factory=dict)
    item_assets: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, in_each: Mapping[str, pystac.Item]) -> None:
        """Take in one item, as it is in each language (by tag)."""
        for code, item in in_each.items():
            known = self.item_assets.setdefault(code, {})
            for key, asset in item.assets.items():
                if key not in known:
                    known[key] = _in_common(asset.to_dict())
        properties = in_each[ENGLISH.code].properties
        if "proj:code" in properties:
            self.systems.add(properties["proj:code"])
        for name in _LISTED:
            if name in properties:
                self.values.setdefault(name, set()).add(properties[name])
        for name in _RANGES:
            value = properties.get(name)
            if value is not None:
                low, high = self.ranges.get(name, (value, value))
                self.ranges[name] = (min(low, value), max(high, value))

    @property
    def summaries(self) -> Summaries:
        """Of the fields that an item has, reference systems left out."""
        lists = {name: sorted(values) for name, values in self.values.items()}
        return Summaries({**lists, **{name: RangeSummary(low, high) for name, (low, high) in self.ranges.items()}})


def _in_common(asset: Json) -> Json:
    """All of an asset but what depends on one file."""
    kept = {name: asset[name] for name in _KEPT if name in asset}
    bands = [{name: value for name, value in band.items() if name != "statistics"} for band in asset.get("bands", ())]
    classes = {name: asset[name] for name in asset if name.startswith("classification:")}
    return {**kept, **({"bands": bands} if bands else {}), **classes}
