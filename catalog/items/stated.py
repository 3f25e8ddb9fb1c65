"""What the items of both kinds state alike: labels, tags of rasters, verdicts of the gates, periods."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from catalog.archive import Dataset, stable_terrain
from schemas.definition import Bilingual, Definition
from schemas.glacier_extension import SEARCHED
from schemas.messages import Message

PNG = "image/png"


@dataclass(frozen=True)
class Labels:
    """What the files of one result say of themselves, whoever has them written.

    Attributes
    ----------
    features : title beside GeoJSON features.
    picture : title over the map, where it is drawn with the rest.
    synthetic : pictures and features of the embedded sample say so.
    tags : of the rasters.
    """

    features: str
    picture: str = ""
    synthetic: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def about(self) -> dict[str, Any]:
        """What stands beside GeoJSON features."""
        return {"title": self.features, "synthetic": self.synthetic}


def raster_tags(dataset: Dataset) -> dict[str, str]:
    """What every raster says of itself: dataset, version, publisher, and whether it is synthetic."""
    definition = dataset.definition
    return {
        "DATASET": definition.id,
        "DATASET_VERSION": definition.version,
        "PUBLISHER": definition.publisher,
        "SYNTHETIC": "YES: computed from a synthetic sample, not from observations" if dataset.synthetic else "NO",
    }


def gate_records(dataset: Dataset, subject: str | None = None) -> list[dict[str, Any]]:
    """Verdicts of the quality gates for STAC; of one subject, or of all."""
    gates = dataset.gates if subject is None else dataset.gates[dataset.gates["subject"].astype(str) == subject]
    rows: list[dict[Any, Any]] = gates.sort_values(["gate", "subject"]).to_dict("records")
    names = {gate.name: Bilingual(en=gate.name, cn=gate.name_cn) for gate in dataset.definition.gates}
    return [
        {
            "name": Message("{gate}", gate=names.get(str(row["gate"]), str(row["gate"]))),
            "subject": _subject(str(row["subject"])),
            "value": plain(row["value"], 4),
            "limit": float(row["limit"]),
            "unit": str(row["unit"]),
            "passed": bool(row["passed"]),
        }
        for row in rows
    ]


def _subject(subject: str) -> str:
    """What a gate judges, as a message where it has words: a year is the same in every language."""
    all_of_one, pair = stable_terrain(""), subject.removeprefix(stable_terrain("")).strip()
    if subject == all_of_one:
        return Message("stable terrain")
    return Message("stable terrain {pair}", pair=pair) if subject == stable_terrain(pair) else subject


def periods_of(dataset: Dataset) -> dict[str, Any]:
    """The periods of a dataset, each by its name: what the description claims, what the sources support, acquisitions.

    ``glacier:supported_period`` is absent where the definition states none, ``glacier:acquisitions`` where no source
    has days.
    """
    period = dataset.definition.period
    fields: dict[str, Any] = {"glacier:claimed_period": {"start": _iso(period.start), "end": _iso(period.end)}}
    if period.supported_start is not None or period.supported_end is not None:
        fields["glacier:supported_period"] = {
            "start": _iso(period.supported_start),
            "end": _iso(period.supported_end),
            "note": Message("{note}", note=Bilingual(en=period.note, cn=period.note_cn)),
        }
    if days := acquisitions(dataset.definition):
        fields["glacier:acquisitions"] = [
            {"source": source, "start": _iso(first), "end": _iso(last)} for source, first, last in days
        ]
    return fields


def acquisitions(definition: Definition) -> list[tuple[str, date, date]]:
    """For each source that has days of acquisition its key, first and last day: as supported, else as claimed."""
    stated = [
        (source.key, source.acquired_start or source.claimed_start, source.acquired_end or source.claimed_end)
        for source in definition.sources
    ]
    return [(key, first, last) for key, first, last in stated if first is not None and last is not None]


def with_searched(properties: dict[str, Any]) -> dict[str, Any]:
    """The properties of an item with those that simple filters and tables find: values of its records, one each."""
    searched = {name: properties[record][inner] for name, (record, inner) in SEARCHED.items() if properties.get(record)}
    return properties | searched


def plain(value: Any, decimals: int) -> Any:
    """A value that JSON can hold: numbers rounded, NaN and infinity as None."""
    if isinstance(value, dict):
        return {key: plain(entry, decimals) for key, entry in value.items()}
    if isinstance(value, tuple | list):
        return [plain(entry, decimals) for entry in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    number = float(value)
    return round(number, decimals) + 0.0 if math.isfinite(number) else None


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
