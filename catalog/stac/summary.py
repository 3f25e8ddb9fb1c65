"""What the items of a collection have in common, gathered while they are written one at a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from catalog.archive import Item
from catalog.stac.documents import Json

_KEPT = ("title", "description", "type", "roles", "raster:sampling")


@dataclass
class Summary:
    """Values that the items have: the different ones, ranges of numbers, and what their assets have in common."""

    values: dict[str, set[str]] = field(default_factory=lambda: {"proj:code": set(), "processing:level": set()})
    ranges: dict[str, tuple[float, float]] = field(default_factory=dict)
    item_assets: dict[str, dict[str, Any]] = field(default_factory=dict)  # by language, then by key

    def add(self, item: Item, documents: Iterable[tuple[str, Json]]) -> None:
        """Take in one item, with its document in each language (tag, document)."""
        for code, document in documents:
            known = self.item_assets.setdefault(code, {})
            for key, asset in document["assets"].items():
                known.setdefault(key, _in_common(asset))
        properties = document["properties"]
        for name, values in self.values.items():
            if name in properties:
                values.add(properties[name])
        balance, line = item.properties.get("glacier:balance") or {}, item.properties.get("glacier:ela") or {}
        for name, value in (
            ("glacier:year", item.properties.get("glacier:year")),
            ("glacier:annual_m_we", balance.get("annual_m_we")),
            ("glacier:ela_m", line.get("altitude_m")),
        ):
            if value is not None:
                low, high = self.ranges.get(name, (value, value))
                self.ranges[name] = (min(low, value), max(high, value))

    def to_dict(self) -> dict[str, Any]:
        """The ``summaries`` of a collection."""
        lists = {name: sorted(values) for name, values in self.values.items() if values}
        return lists | {name: {"minimum": low, "maximum": high} for name, (low, high) in self.ranges.items()}


def _in_common(asset: Json) -> Json:
    """All of an asset but what depends on one file."""
    kept = {name: asset[name] for name in _KEPT if name in asset}
    bands = [{name: value for name, value in band.items() if name != "statistics"} for band in asset.get("bands", ())]
    classes = {name: asset[name] for name in asset if name.startswith("classification:")}
    return {**kept, **({"bands": bands} if bands else {}), **classes}
