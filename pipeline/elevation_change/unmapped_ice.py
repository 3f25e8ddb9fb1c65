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

# side of the square cells that are judged by their means, m; at least so many pixels
CELL_M, FEWEST_PIXELS = 180.0, 2
# glaciers slope less than their surroundings
LEVEL_DEG = 25.0
# annual mean temperature of the air at sea level: warmest, and how it falls towards the poles (degrees Celsius; per
# square degree of latitude); it falls with height by the standard atmosphere's lapse rate
WARMEST_C, FALL_C, LAPSE_C_M = 27.0, 0.0077, 0.0065
# beyond so many NMAD of all cells ground has moved, and by no less than this, m
MOVED_NMAD, MOVED_M = 3.0, 2.0
# noise and blunders are scattered: so many such cells side by side, all up or all down
FEWEST_CELLS, LEAST_KM2 = 8, 0.1
# a wide region has a blunder as large somewhere: share of the cells like glaciers that moved
LEAST_SHARE = 2e-4


@dataclass(frozen=True)
class _Cells:
    """Means of square cells, shape (windows, rows, columns): change, m; elevation, m; slope, degrees; or NaN."""

    dh_m: FloatArray
    elevation_m: FloatArray
    slope_deg: FloatArray

    @classmethod
    def of(cls, dh: FloatArray, elevation: FloatArray, pixel_m: float) -> _Cells:
        """Of windows of shape (windows, rows, columns)."""
        side = 2 * max(FEWEST_PIXELS // 2, round(CELL_M / pixel_m / 2))
        windows, rows, columns = dh.shape
        shape = (windows, rows // side, side, columns // side, side)
        change, heights = (part[:, : shape[1] * side, : shape[3] * side].reshape(shape) for part in (dh, elevation))
        half = side // 2
        north, south = (part.mean(axis=(2, 4)) for part in (heights[:, :, :half], heights[:, :, half:]))
        west, east = (part.mean(axis=(2, 4)) for part in (heights[..., :half], heights[..., half:]))
        rise = np.hypot(east - west, north - south) / (half * pixel_m)
        # a cell counts where all of it is measured
        return cls(change.mean(axis=(2, 4)), (north + south) / 2, np.degrees(np.arctan(rise)))

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
    if not cells.dh_m.size or not np.isfinite(cells.dh_m).any():
        return ()
    alike = cells.like_glaciers((south + north) / 2) & np.isfinite(cells.dh_m)
    moved = _moved(cells, alike)
    # cells stand for the grid, of which the windows are a part
    cell_km2 = observed.pair.shape[0] * observed.pair.shape[1] * observed.grid.pixel_area_km2 / cells.dh_m.size
    area_km2 = int(moved.sum()) * cell_km2
    if area_km2 < LEAST_KM2 or moved.sum() < LEAST_SHARE * alike.sum():
        return ()
    return (
        Message(
            "no glacier outlines are given, so that glaciers count as stable terrain: about {area_km2:.2g} km2 of"
            " level, cold, high ground moved, by {mean_m:+.1f} m on average; give outlines (--glaciers)",
            area_km2=area_km2,
            mean_m=float(cells.dh_m[moved].mean()),
        ),
    )


def _moved(cells: _Cells, alike: BoolArray) -> BoolArray:
    """Cells like glaciers that moved together with others beside them; shape of the cells."""
    from scipy import ndimage  # half a second of libraries, which a run with outlines does not need

    limit = max(MOVED_M, MOVED_NMAD * nmad(cells.dh_m[np.isfinite(cells.dh_m)]))
    moved: BoolArray = np.zeros(alike.shape, bool)
    # side by side within a window, not from window to window
    beside = np.zeros((3, 3, 3), bool)
    beside[1] = True
    for sign in (1, -1):
        groups, _ = ndimage.label(alike & (sign * cells.dh_m > limit), beside)
        large = np.bincount(groups.ravel()) >= FEWEST_CELLS
        large[0] = False
        moved |= large[groups]
    return moved
