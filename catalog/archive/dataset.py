"""What the catalogue is handed for one dataset, and what a written item is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from catalog.archive.manifest import InputFile
from pipeline.elevation_change.result import ElevationChange
from pipeline.mass_balance.result import MassBalance
from schemas.definition import Definition


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """One dataset ready for publication.

    Attributes
    ----------
    definition : what the archive says of it.
    result : what the pipeline computed.
    inputs : the raw inputs it was computed from.
    synthetic : True when the inputs are the embedded sample; every product then says so.
    gates : the verdicts, shaped as ``schemas.tables.QUALITY_GATES``.
    pair : of a dataset that is one of several pairs of DEMs: its years, as 2000-2010; empty otherwise.
    pairs : each pair of DEMs as a dataset of its own, where the definition names several; ``result`` is the first's.
    """

    definition: Definition
    result: ElevationChange | MassBalance
    inputs: tuple[InputFile, ...]
    synthetic: bool
    gates: pd.DataFrame
    pair: str = ""
    pairs: tuple[Dataset, ...] = ()

    @property
    def parts(self) -> tuple[Dataset, ...]:
        """The pairs of DEMs, each a dataset of its own; the dataset itself where there is but one result."""
        return self.pairs or (self,)

    @property
    def settings(self) -> dict[str, Any]:
        """Settings of the run by name; of several pairs those of each, by the pair's years."""
        if self.pairs:
            return {part.pair: part.settings for part in self.pairs}
        return self.result.settings.model_dump(mode="json")


def stable_terrain(pair: str) -> str:
    """Subject of the gates of an elevation change: the stable terrain, of one of several pairs of DEMs with its years.

    Of a dataset with one pair it is as ``pipeline.quality_gates`` names it.
    """
    return f"stable terrain {pair}".rstrip()


@dataclass(frozen=True, kw_only=True)
class Asset:
    """One file of an item: STAC key, path relative to the item's folder, and what STAC says of it.

    Title, description and the words of ``extra`` are messages: the Chinese document says them in Chinese.
    """

    key: str
    href: str
    title: str
    media_type: str
    roles: tuple[str, ...]
    description: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Item:
    """One written item of a collection.

    Attributes
    ----------
    item_id : also the name of its folder and of its JSON.
    folder : where its files lie.
    start, end : first and last day.
    geometry : GeoJSON geometry, degrees, WGS 84.
    bbox : (west, south, east, north), degrees.
    properties : further STAC properties (``glacier:...``, ``proj:...``); their words are messages, said in Chinese in
        the Chinese document.
    title_cn, description_cn : title and description in Chinese; where empty the English text stands.
    """

    item_id: str
    folder: Path
    title: str
    description: str
    start: date
    end: date
    geometry: dict[str, Any]
    bbox: tuple[float, float, float, float]
    properties: dict[str, Any]
    assets: tuple[Asset, ...]
    title_cn: str = ""
    description_cn: str = ""
