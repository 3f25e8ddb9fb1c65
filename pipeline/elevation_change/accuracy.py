"""Relative accuracy over stable terrain, overall and by terrain class, after every step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from pipeline.elevation_change.statistics import statistics
from pipeline.grid import BoolArray, FloatArray
from schemas.tables import ACCURACY


@dataclass(frozen=True)
class Attribute:
    """A terrain attribute and the edges of its classes."""

    name: str
    unit: str
    values: FloatArray
    edges: tuple[float, ...]


def terrain_classes(
    slope: FloatArray, aspect: FloatArray, elevation: FloatArray, curvature: FloatArray, stable: BoolArray
) -> tuple[Attribute, ...]:
    """The classes of the accuracy table: slope, aspect, elevation (200 m) and maximum curvature (sixths)."""
    lowest, highest = (float(edge) for edge in np.nanpercentile(elevation[stable], [0, 100]))
    heights = np.arange(np.floor(lowest / 200) * 200, highest + 200, 200)
    known = curvature[stable & np.isfinite(curvature)]
    bends = np.unique(np.round(np.percentile(known, np.linspace(0, 100, 7)), 3)) if known.size else np.array([0.0, 1.0])
    return (
        Attribute("slope", "degree", slope, (0, 5, 10, 15, 20, 30, 40, 50, 60, 90)),
        Attribute("aspect", "degree", aspect, tuple(float(edge) for edge in np.arange(0, 361, 45))),
        Attribute("elevation", "m", elevation, tuple(float(edge) for edge in heights)),
        Attribute("curvature", "(100 m)-1", curvature, tuple(float(edge) for edge in bends)),
    )


def accuracy_table(
    steps: Mapping[str, FloatArray], stable: BoolArray, attributes: tuple[Attribute, ...]
) -> pd.DataFrame:
    """Statistics of dh over the same stable pixels after every step; one row a step and class.

    Parameters
    ----------
    steps : step name ("raw", "coregistered", "corrected") to dh, m.
    stable : pixels; shaped like dh.
    """
    members = {attribute.name: attribute.values[stable] for attribute in attributes}
    rows = []
    for step, dh in steps.items():
        values = dh[stable]
        rows.append(
            {"step": step, "class": "all", "lower": 0.0, "upper": 0.0, "unit": "", **asdict(statistics(values))}
        )
        for attribute in attributes:
            for lower, upper in zip(attribute.edges[:-1], attribute.edges[1:], strict=True):
                last = upper == attribute.edges[-1]
                member = members[attribute.name]
                chosen = values[(member >= lower) & ((member <= upper) if last else (member < upper))]
                if chosen.size:
                    edges = {"lower": lower, "upper": upper, "unit": attribute.unit}
                    rows.append({"step": step, "class": attribute.name, **edges, **asdict(statistics(chosen))})
    return pd.DataFrame(rows)[list(ACCURACY.column_names)]
