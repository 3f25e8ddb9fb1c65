"""Who a glacier is: name, place, areas at both epochs, and what its outlines alone give reason to flag."""

from __future__ import annotations

import math
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from pipeline.elevation_change.glaciers.error_budget import Areas
from pipeline.elevation_change.glaciers.pixels import GlacierShapes


@dataclass(frozen=True, kw_only=True)
class Identity:
    """One glacier as its outlines tell; longitude and latitude in degrees of a point within it."""

    identifier: str
    name: str
    longitude: float
    latitude: float
    areas: Areas
    flags: tuple[str, ...]


def identities_of(shapes: GlacierShapes, outlines: gpd.GeoDataFrame) -> list[Identity]:
    """Identities in the order of ``shapes``.

    The earlier and the later area are those of the first and the last epoch of all outlines; with a single epoch the
    later one is not known. A glacier that lacks an outline at one of them is flagged.

    Parameters
    ----------
    outlines : columns glacier_id, glacier_name, epoch, geometry, in the grid's CRS.
    """
    first, last = outlines["epoch"].min(), outlines["epoch"].max()
    areas = {
        epoch: {name: float(shape.area) / 1e6 for name, shape in own.items()}
        for epoch, own in shapes.ground.by_epoch.items()
    }
    names = outlines["glacier_name"].groupby(outlines["glacier_id"].astype(str)).first()
    noted = _notes_of_outlines(outlines)
    points = shapely.point_on_surface(_drawn(shapes, outlines))
    to_degrees = Transformer.from_crs(shapes.grid.crs, "EPSG:4326", always_xy=True)
    longitude, latitude = to_degrees.transform(shapely.get_x(points), shapely.get_y(points))
    crossing = ~shapely.contains(shapely.box(*shapes.grid.bounds), shapes.geometries)
    identities = []
    for number, name in enumerate(shapes.identifiers):
        earlier = areas[first].get(name, math.nan)
        later = areas[last].get(name, math.nan) if last != first else math.nan
        flags = ["crosses the edge of the DEMs"] if crossing[number] else []
        flags += [f"shares ground with {other}, counted once" for other in shapes.ground.shared_with.get(name, ())]
        if last != first:
            epochs = {"earlier": earlier, "later": later}
            flags += [f"no outline at the {epoch} epoch" for epoch, area in epochs.items() if math.isnan(area)]
        flags += noted.get(name, [])
        own = Areas(float(shapes.geometries[number].area / 1e6), earlier, later)
        identities.append(
            Identity(
                identifier=name,
                name=str(names[name]),
                longitude=float(np.asarray(longitude)[number]),
                latitude=float(np.asarray(latitude)[number]),
                areas=own,
                flags=tuple(flags),
            )
        )
    return identities


def _drawn(shapes: GlacierShapes, outlines: gpd.GeoDataFrame) -> NDArray[np.object_]:
    """The ground of each glacier; the outline itself of one whose ground is all another's."""
    geometries = shapes.geometries.copy()
    names = outlines["glacier_id"].astype(str)
    for number in np.nonzero(shapely.is_empty(geometries))[0]:
        geometries[number] = outlines.geometry[names == shapes.identifiers[number]].iloc[0]
    return geometries


def _notes_of_outlines(outlines: gpd.GeoDataFrame) -> dict[str, list[str]]:
    """What was noticed, and repaired, when each glacier's outlines were read."""
    if "flags" not in outlines.columns:
        return {}
    notes: dict[str, list[str]] = {}
    for identifier, text in zip(outlines["glacier_id"].astype(str), outlines["flags"], strict=True):
        if text and text not in notes.setdefault(identifier, []):
            notes[identifier].append(text)
    return notes
