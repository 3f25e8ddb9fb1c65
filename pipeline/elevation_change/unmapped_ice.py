"""Whether ground that counts as stable looks like glaciers: level, cold and high, and it moved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.elevation_change.differencing import Differenced
from pipeline.elevation_change.pairing import Observations, lattice_of, raster_windows
from pipeline.elevation_change.statistics import nmad
from pipeline.grid import BoolArray, FloatArray
from pipeline.resources import Resources
from schemas.messages import Message

# pixels of a cell's side; a cell is judged by its means
CELL = 4
# glaciers of valleys slope less than their surroundings
LEVEL_DEG = 20.0
# annual mean temperature of the air at sea level: warmest, and how it falls towards the poles (degrees Celsius; per
# square degree of latitude); it falls with height by the standard atmosphere's lapse rate
WARMEST_C, FALL_C, LAPSE_C_M = 27.0, 0.0077, 0.0065
# beyond so many NMAD of all cells ground has moved, and by no less than this, m
MOVED_NMAD, MOVED_M = 4.0, 2.0
FEWEST_CELLS, LEAST_KM2 = 5, 0.05
# movement so many times as frequent as on other ground
MORE_FREQUENT = 3.0


@dataclass(frozen=True)
class _Cells:
    """Means of square cells: change, m; elevation, m; slope, degrees. Shape (cells,)."""

    dh_m: FloatArray
    elevation_m: FloatArray
    slope_deg: FloatArray

    @classmethod
    def of(cls, dh: FloatArray, elevation: FloatArray, pixel_m: float) -> _Cells:
        """Of windows of shape (windows, rows, columns)."""
        windows, rows, columns = dh.shape
        shape = (windows, rows // CELL, CELL, columns // CELL, CELL)
        change, heights = (part[:, : shape[1] * CELL, : shape[3] * CELL].reshape(shape) for part in (dh, elevation))
        # a cell counts where all of it is measured
        north, south = (part.mean(axis=(2, 4)) for part in (heights[:, :, : CELL // 2], heights[:, :, CELL // 2 :]))
        west, east = (part.mean(axis=(2, 4)) for part in (heights[..., : CELL // 2], heights[..., CELL // 2 :]))
        rise = np.hypot(east - west, north - south) / (CELL / 2 * pixel_m)
        means = change.mean(axis=(2, 4)), (north + south) / 2, np.degrees(np.arctan(rise))
        known = np.isfinite(means[0]) & np.isfinite(means[2])
        return cls(*(part[known].astype(np.float64) for part in means))

    def like_glaciers(self, latitude: float) -> BoolArray:
        """Cells level and cold enough for ice that stays."""
        temperature = WARMEST_C - FALL_C * latitude**2 - LAPSE_C_M * self.elevation_m
        result: BoolArray = (self.slope_deg < LEVEL_DEG) & (temperature < 0)
        return result


def notes_on_unmapped_ice(observed: Observations, compared: Differenced, resources: Resources) -> tuple[Message, ...]:
    """A word of warning where no outlines are given and level, cold, high ground moved.

    Parameters
    ----------
    observed : the pair, with or without outlines.
    compared : its layers, m.
    resources : what the run computes with.
    """
    if observed.outlines is not None:
        return ()
    lattice = lattice_of(observed.pair.shape)
    dh, elevation = (
        raster_windows(raster, lattice, resources.runner) for raster in (compared.layers.dh, observed.pair.reference)
    )
    _, south, _, north = observed.grid.bounds_lonlat
    cells = _Cells.of(dh, elevation, observed.pixel_m)
    moved = _moved(cells, (south + north) / 2)
    share = observed.pair.shape[0] * observed.pair.shape[1] / max(1, lattice.pixels)
    area_km2 = int(moved.sum()) * CELL**2 * observed.grid.pixel_area_km2 * share
    if moved.sum() < FEWEST_CELLS or area_km2 < LEAST_KM2:
        return ()
    return (
        Message(
            "no glacier outlines are given, so that glaciers count as stable terrain: about {area_km2:.2g} km2 of"
            " level, cold, high ground moved, by {mean_m:+.1f} m on average; give outlines (--glaciers)",
            area_km2=area_km2,
            mean_m=float(cells.dh_m[moved].mean()),
        ),
    )


def _moved(cells: _Cells, latitude: float) -> BoolArray:
    """Cells like glaciers that moved, where such cells move more often than others."""
    alike = cells.like_glaciers(latitude)
    none: BoolArray = np.zeros(alike.shape, bool)
    if not alike.any():
        return none
    quiet = cells.dh_m[~alike] if (~alike).sum() >= FEWEST_CELLS else cells.dh_m
    limit = max(MOVED_M, MOVED_NMAD * nmad(quiet))
    beyond = np.abs(cells.dh_m) > limit
    often = float(beyond[alike].mean())
    elsewhere = float(beyond[~alike].mean()) if (~alike).any() else 0.0
    return alike & beyond if often > MORE_FREQUENT * elsewhere else none
