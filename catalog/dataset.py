"""What the catalogue is handed for one dataset, and what a written item is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.data_dictionary import data_dictionary
from catalog.manifest import InputFile
from catalog.wgms_export import submission_of, wgms_tables
from pipeline.elevation_change.result import ElevationChange
from pipeline.mass_balance.result import MassBalance
from schemas.definition import Definition
from schemas.tables import DATA_DICTIONARY

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Dataset:
    """One dataset ready for publication.

    Attributes
    ----------
    definition : what the archive says of it.
    result : what the pipeline computed.
    inputs : the raw inputs it was computed from.
    synthetic : True when the inputs are the embedded sample; every product then says so.
    gates : the verdicts, shaped as ``schemas.tables.QUALITY_GATES``.
    """

    definition: Definition
    result: ElevationChange | MassBalance
    inputs: tuple[InputFile, ...]
    synthetic: bool
    gates: pd.DataFrame

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Every table the collection publishes, by name, in order."""
        tables = {**self.result.tables, "quality_gates": self.gates}
        if isinstance(self.result, MassBalance):
            tables |= wgms_tables(self.result, submission_of(self.definition, self.synthetic))
        return {**tables, DATA_DICTIONARY.name: data_dictionary(tables)}


@dataclass(frozen=True)
class Asset:
    """One file of an item: STAC key, path relative to the item's folder, and what STAC says of it.

    ``title_cn`` and ``description_cn`` say the same in Chinese; where they are empty the English text stands.
    ``extra_cn`` replaces those of the ``extra`` fields that hold words.
    """

    key: str
    href: str
    title: str
    media_type: str
    roles: tuple[str, ...]
    description: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
    title_cn: str = ""
    description_cn: str = ""
    extra_cn: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Item:
    """One written item of a collection.

    Attributes
    ----------
    item_id : also the name of its folder and of its JSON.
    folder : where its files lie.
    start, end : first and last day.
    geometry : GeoJSON geometry, degrees, WGS 84.
    bbox : (west, south, east, north), degrees.
    properties : further STAC properties (``glacier:...``, ``proj:...``).
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
