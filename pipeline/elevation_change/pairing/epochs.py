"""Which outlines are of one time, and which of one glacier: by dates within a file, by overlap between inventories."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from schemas.errors import BadInput
from schemas.messages import Message

# an outline is of the glacier of another epoch if it shares so much of the smaller one's area with it
LINKING_SHARE = 0.5
_COLUMNS = ["glacier_id", "glacier_name", "epoch", "date", "geometry", "flags"]


def epochs_of(frames: Sequence[gpd.GeoDataFrame], paths: Sequence[Path]) -> gpd.GeoDataFrame:
    """The outlines of all files in one table, each with its epoch; a file of several epochs is parted by its dates.

    Parameters
    ----------
    frames : one a file: columns glacier_id, glacier_name, record, date (text), geometry, flags.
    paths : of the files, the earliest first.

    Errors
    ------
    BadInput : a glacier twice in a file, and no dates that part them.
    """
    parts, first = [], 0
    for frame, path in zip(frames, paths, strict=True):
        within = _epochs_within(frame, path)
        parts.append(frame.assign(epoch=first + within)[_COLUMNS])
        first += int(within.max(initial=0)) + 1
    together = pd.concat(parts, ignore_index=True)
    return gpd.GeoDataFrame(together, geometry="geometry", crs=frames[0].crs)


def _epochs_within(frame: gpd.GeoDataFrame, path: Path) -> NDArray[np.int64]:
    """Epochs of a file's outlines, counted from 0: as few as let every glacier have one outline in each.

    The years of the outlines are parted at their widest gaps.
    """
    names = frame["glacier_id"]
    if not names.duplicated().any():
        return np.zeros(len(frame), np.int64)
    years = pd.to_numeric(frame["date"].str.extract(r"(\d{4})")[0], errors="coerce").to_numpy()
    known = np.unique(years[np.isfinite(years)])
    gaps = sorted(pairwise(known), key=lambda pair: (pair[0] - pair[1], pair[0]))
    for count in range(1, len(gaps) + 1):
        edges = np.sort([(early + late) / 2 for early, late in gaps[:count]])
        epoch = np.searchsorted(edges, np.where(np.isfinite(years), years, known[-1]))
        if not pd.DataFrame({"name": names, "epoch": epoch}).duplicated().any():
            return np.asarray(epoch, np.int64)
    again = frame[pd.DataFrame({"name": names, "year": years}).duplicated().to_numpy()]
    first = (again if len(again) else frame[names.duplicated()]).iloc[0]
    raise BadInput(
        f"{path}: record {first['record']} ({first['glacier_id']})", "the identifier a second time",
        "each glacier once in an epoch, or dates that tell the epochs apart",
    )  # fmt: skip


def linked_by_overlap(outlines: gpd.GeoDataFrame, notes: list[Message]) -> gpd.GeoDataFrame:
    """The outlines with glaciers that two inventories name differently under the name of the earlier one.

    A glacier that an epoch knows under a new name, while an earlier glacier has no outline of that epoch, is linked to
    the one with which it shares most ground, at least half of the smaller outline.

    Parameters
    ----------
    outlines : columns glacier_id, epoch, geometry (m), flags.
    notes : how many were linked is added.
    """
    for epoch in sorted(outlines["epoch"].unique())[1:]:
        before, now = outlines[outlines["epoch"] < epoch], outlines[outlines["epoch"] == epoch]
        lost = before[~before["glacier_id"].isin(now["glacier_id"])]
        new = now[~now["glacier_id"].isin(before["glacier_id"])]
        links = _links(lost, new)
        if not links:
            continue
        outlines = outlines.copy()
        for place, name in links.items():
            own = str(outlines.at[place, "glacier_id"])
            flags = [flag for flag in (outlines.at[place, "flags"], f"{own} linked by overlap") if flag]
            outlines.loc[place, ["glacier_id", "flags"]] = [name, ";".join(flags)]
        notes.append(
            Message(
                "{count} outlines of epoch {epoch} bear other names than those of the epoch before and are linked to"
                " them by overlap",
                count=len(links),
                epoch=int(epoch) + 1,
            )
        )
    return _one_outline_an_epoch(outlines)


def _links(lost: gpd.GeoDataFrame, new: gpd.GeoDataFrame) -> dict[int, str]:
    """Name of the earlier glacier by the place of each new outline that overlaps one."""
    if lost.empty or new.empty:
        return {}
    geometries = lost.geometry.to_numpy()
    tree = shapely.STRtree(geometries)
    links = {}
    for place, shape in zip(new.index, new.geometry, strict=True):
        near = tree.query(shape, predicate="intersects")
        shared = np.array([shapely.intersection(shape, geometries[other]).area for other in near])
        if not shared.size:
            continue
        best = int(np.argmax(shared))
        if shared[best] >= LINKING_SHARE * min(shape.area, geometries[near[best]].area):
            links[int(place)] = str(lost["glacier_id"].iloc[int(near[best])])
    return links


def _one_outline_an_epoch(outlines: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Parts of a glacier that fell apart, linked to one name, as one outline."""
    twice = outlines.duplicated(["glacier_id", "epoch"], keep=False)
    if not twice.any():
        return outlines
    joined = [
        own.iloc[:1].assign(
            geometry=[shapely.union_all(own.geometry.to_numpy())],
            flags=";".join(dict.fromkeys(flag for text in own["flags"] for flag in text.split(";") if flag)),
        )
        for _, own in outlines[twice].groupby(["glacier_id", "epoch"], sort=True)
    ]
    together = pd.concat([outlines[~twice], *joined], ignore_index=True)
    return gpd.GeoDataFrame(together, geometry="geometry", crs=outlines.crs)
