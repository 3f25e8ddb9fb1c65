"""Whose ground is whose where outlines overlap: each piece belongs to one glacier, and counts once in the region."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

if TYPE_CHECKING:
    import geopandas as gpd

Shapes = dict[str, Any]
# neighbours digitised along one divide share slivers, which are no overlap: of this share of the smaller outline
SLIVER_SHARE = 1e-3


@dataclass(frozen=True, kw_only=True)
class OwnGround:
    """The ground that each glacier owns; geometries in the CRS of the outlines.

    Attributes
    ----------
    by_glacier : over all epochs; where outlines of different epochs meet, as at a divide that moved, the newest
        decides.
    by_epoch : at each epoch, by its number; where outlines of one epoch overlap, the last of the names in order has it.
    shared_with : by glacier, the others with which it shares ground in some epoch, in order; empty for most.
    """

    by_glacier: Shapes
    by_epoch: dict[int, Shapes]
    shared_with: dict[str, tuple[str, ...]]


def own_ground(outlines: gpd.GeoDataFrame) -> OwnGround:
    """What each glacier owns of the outlines of all epochs.

    Parameters
    ----------
    outlines : columns glacier_id, epoch, geometry, projected; a table without epochs is of one.
    """
    epochs = outlines["epoch"] if "epoch" in outlines.columns else np.zeros(len(outlines), int)
    shared: dict[str, set[str]] = {}
    by_epoch: dict[int, Shapes] = {}
    for epoch, own in outlines.groupby(np.asarray(epochs), sort=True):
        groups = own.geometry.groupby(own["glacier_id"].astype(str), sort=True)
        united = {str(name): _union(list(parts)) for name, parts in groups}
        by_epoch[int(epoch)] = _apart(united, {}, shared)
    by_glacier: Shapes = {}
    for epoch in sorted(by_epoch, reverse=True):
        # what newer outlines give to others is theirs; that is no overlap, but a divide that moved
        older = _apart(by_epoch[epoch], by_glacier, None)
        for name, shape in older.items():
            by_glacier[name] = _union([shape, by_glacier[name]]) if name in by_glacier else shape
    return OwnGround(
        by_glacier=dict(sorted(by_glacier.items())),
        by_epoch=by_epoch,
        shared_with={name: tuple(sorted(others)) for name, others in shared.items()},
    )


def _apart(shapes: Shapes, taken: Shapes, shared: dict[str, set[str]] | None) -> Shapes:
    """Shapes without what others have: those of ``taken`` under another name, and later ones among themselves."""
    names = list(shapes)
    result = dict(shapes)
    others = list(taken.items())
    if shared is not None:
        others += [(name, shapes[name]) for name in names]
    geometries = np.array([shape for _, shape in others], dtype=object)
    if not len(geometries):
        return result
    ours, theirs = shapely.STRtree(geometries).query([shapes[name] for name in names], predicate="intersects")
    for number, other in zip(ours.tolist(), theirs.tolist(), strict=True):
        name, (its_name, shape) = names[number], others[other]
        if name == its_name or (shared is not None and its_name < name):
            continue
        overlap = shapely.intersection(shapes[name], shape).area
        if overlap <= SLIVER_SHARE * min(shapes[name].area, shape.area):
            continue
        result[name] = shapely.difference(result[name], shape)
        if shared is not None:
            shared.setdefault(name, set()).add(its_name)
            shared.setdefault(its_name, set()).add(name)
    return {name: _polygons(shape) for name, shape in result.items()}


def _union(shapes: Sequence[Any]) -> Any:
    return shapely.union_all(np.array(shapes, dtype=object)) if len(shapes) > 1 else shapes[0]


def _polygons(shape: Any) -> Any:
    """Without the points and lines that a difference may leave."""
    if shape.geom_type in ("Polygon", "MultiPolygon"):
        return shape
    parts: NDArray[np.object_] = shapely.get_parts(shape)
    return shapely.MultiPolygon([part for part in parts if part.geom_type == "Polygon"])
