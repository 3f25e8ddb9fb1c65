"""Both DEMs and the outlines brought onto one grid and one vertical datum, ready to be read in rectangles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.blocks import Raster, Window, WritableRaster
from pipeline.elevation_change.dems import (
    Mosaic,
    open_mosaic,
    refuse_filled_voids,
    require_coverage,
    require_relief,
    tile_contents,
)
from pipeline.elevation_change.pairing.datum import DatumField, datum_step, geoid_undulation_m, vertical_datum
from pipeline.elevation_change.pairing.dem_pair import RIM, DemPair, MovableDem
from pipeline.elevation_change.pairing.gridded_dem import GriddedDem, gridded
from pipeline.elevation_change.pairing.masks import NO_MASKS, UserMasks, unsuitable_ground
from pipeline.elevation_change.pairing.pair_checks import (
    notes_on_names,
    notes_on_tiles_beneath,
    pair_notes,
    refuse_swapped,
    refuse_unlike_pair,
)
from pipeline.elevation_change.pairing.spread_windows import lattice_of, raster_windows
from pipeline.elevation_change.pairing.target_grid import notes_on_overlap, target_grid
from pipeline.elevation_change.result import DatumStep, Shift
from pipeline.grid import Grid
from pipeline.resources import Resources
from schemas.errors import BadInput
from schemas.messages import Message, word
from schemas.settings import ElevationChangeSettings

if TYPE_CHECKING:
    import geopandas as gpd

Source = Path | Sequence[Path]
# 10 m over all of High Mountain Asia are 9e10; a raster of so many heights has 800 GB
MOST_GRID_PIXELS = 200_000_000_000


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is compared: DEMs (raster, folder of tiles, or a list of them), outlines (one file an epoch) and masks.

    Attributes
    ----------
    layers : of the outlines' files, where these have several: one for all, or one for each.
    masks : of the user's own stable and excluded terrain.
    geoids : folder of geoid grids that the inputs bring; None for those that PROJ finds.
    region_lonlat : (west, south, east, north) in degrees that the DEMs must cover and the result is cut to.
    """

    earlier: Source
    later: Source
    outlines: Sequence[Path] = ()
    layers: Sequence[str] = ()
    masks: UserMasks = NO_MASKS
    geoids: Path | None = None
    region_lonlat: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, kw_only=True)
class Observations:
    """The pair on its grid, and where it comes from.

    Attributes
    ----------
    reference_dem, aligned_dem : where the heights came from.
    pair : the DEMs on the grid, on the reference's vertical datum.
    datum_field : what was added to the aligned DEM for the vertical datum, m; None when nothing was.
    resampling : of both DEMs onto the grid.
    aligned_grid : the aligned DEM on the grid before the datum step and any shift.
    notes : what was noticed of outlines and masks.
    """

    reference_dem: Mosaic
    aligned_dem: Mosaic
    pair: DemPair
    datum: DatumStep
    datum_field: DatumField | None
    outlines: gpd.GeoDataFrame | None
    resampling: str
    aligned_grid: GriddedDem
    notes: tuple[Message, ...] = ()

    @property
    def grid(self) -> Grid:
        return self.pair.grid

    @property
    def pixel_m(self) -> float:
        return self.pair.pixel_m


def observe(request: Request, settings: ElevationChangeSettings, resources: Resources) -> Observations:
    """Open both DEMs and the outlines and bring them onto one grid and one vertical datum.

    Parameters
    ----------
    request : the two DEMs, outlines, region and masks as the user named them.
    settings : of the elevation change; what they leave out is told from the files.
    resources : what the run computes with.

    Errors
    ------
    BadInput : inputs that cannot be used; each message names the file.
    """
    dems = (
        open_mosaic(request.earlier, "earlier", _stated(settings.vertical_datum_earlier, "earlier")),
        open_mosaic(request.later, "later", _stated(settings.vertical_datum_later, "later")),
    )
    if request.region_lonlat is not None:
        for dem in dems:
            require_coverage(dem, request.region_lonlat)
    refuse_swapped(*dems, (settings.earlier_date, settings.later_date))
    grid = target_grid(*dems, settings, request.region_lonlat)
    _require_workable(grid)
    fixed, moving = dems[::-1] if settings.reference == "later" else dems
    geoids = "" if request.geoids is None else str(request.geoids.absolute())
    datums = dems[0].vertical_datum, dems[1].vertical_datum
    datum, field = datum_step(*datums, settings.reference, grid, settings.datum_grid_missing, geoids)
    alike = abs(moving.nominal_resolution_m / fixed.nominal_resolution_m - 1) < 0.01
    resampling = settings.resampling or ("bilinear" if alike else "cubic")
    notes: list[Message] = []
    outlines = _outlines(request, grid, notes)
    aligned = gridded(moving, grid, resampling)
    heights = on_one_grid(aligned, field, resources)
    coarser_m = max(moving.nominal_resolution_m, fixed.nominal_resolution_m)
    # a river drawn as a line lies somewhere within a pixel of it
    distances_m = settings.outline_buffer_m, coarser_m
    pair = DemPair(
        grid=grid,
        reference=on_one_grid(gridded(fixed, grid, resampling), None, resources),
        aligned=MovableDem(heights, (0.0, 0.0), grid.pixel_size[0], resampling == "cubic"),
        unmoved=heights,
        mask=unsuitable_ground(outlines, request.masks, grid, distances_m, resources, notes),
        sign=1 if settings.reference == "later" else -1,
        curvature_of_aligned=moving.nominal_resolution_m < 0.99 * fixed.nominal_resolution_m,
        coarser_post_m=coarser_m,
    )
    return Observations(
        reference_dem=fixed,
        aligned_dem=moving,
        pair=pair,
        datum=datum,
        datum_field=field,
        outlines=outlines,
        resampling=resampling,
        aligned_grid=aligned,
        notes=tuple(notes),
    )


def _stated(datum: str | None, role: str) -> str | None:
    return None if datum is None else vertical_datum(datum, role)


def _require_workable(grid: Grid) -> None:
    rows, columns = grid.shape
    if rows * columns > MOST_GRID_PIXELS or min(rows, columns) <= 2 * RIM:
        raise BadInput(
            "DEMs", f"an overlap of {rows} x {columns} pixels of {grid.pixel_size[0]:g} m",
            f"more than {2 * RIM} pixels a side, and at most {MOST_GRID_PIXELS} in all",
            "is their georeferencing right?",
        )  # fmt: skip


def check_inputs(observed: Observations, resources: Resources) -> tuple[Message, ...]:
    """Refuse DEMs that cannot be compared at all, and say what is odd about those that can, a sentence each.

    Parameters
    ----------
    observed : both DEMs, opened and on one grid.
    resources : what the run computes with.

    Errors
    ------
    BadInput : a DEM without heights or relief, or with voids that hold a height; nothing in common; other units
        than metres, ellipsoidal against orthometric heights.
    """
    both = observed.aligned_dem, observed.reference_dem
    notes = [*notes_on_names(*both), *notes_on_tiles_beneath(*both), *observed.notes]
    for dem in (observed.aligned_dem, observed.reference_dem):
        contents = tile_contents(dem)
        require_relief(dem, contents)
        refuse_filled_voids(dem, contents)
        notes += [
            Message("{role} DEM, {tile}: {note}", role=word(dem.role), tile=content.tile, note=note)
            for content in contents
            for note in content.notes
        ]
    notes += notes_on_overlap(observed.aligned_dem, observed.reference_dem)
    pair = observed.pair
    lattice = lattice_of(pair.shape)
    heights = [raster_windows(raster, lattice, resources.runner) for raster in (pair.reference, pair.unmoved)]
    one, other = (Message("{role} DEM", role=word(dem.role)) for dem in (observed.reference_dem, observed.aligned_dem))
    names = one, other
    comparable = observed.datum.method != "left to co-registration"
    geoids = "" if observed.datum_field is None else observed.datum_field.geoids
    undulation = geoid_undulation_m(observed.grid, geoids) if comparable else None
    refuse_unlike_pair(heights[0], heights[1], names, undulation)
    return (*notes, *pair_notes(heights[0], heights[1], names, undulation))


def _outlines(request: Request, grid: Grid, notes: list[Message]) -> gpd.GeoDataFrame | None:
    if not request.outlines:
        return None
    # half a second of libraries, which only outlines need
    from pipeline.elevation_change.pairing.outlines import read_outlines

    return read_outlines(request.outlines, grid, request.layers, notes)


def on_one_grid(dem: GriddedDem, field: DatumField | None, resources: Resources) -> Raster:
    """Heights on the grid and datum: the files where their pixels serve as they are, else a stored raster.

    Parameters
    ----------
    dem : with its grid and resampling.
    field : of the vertical datum, m, added to the heights; None where nothing is.
    resources : what the run computes with.

    Returns
    -------
    shape grid.shape, m; NaN where void.
    """
    if dem.cheap_to_read and field is None:
        return dem
    stored = resources.scratch.array(dem.shape)
    resources.runner.run(partial(_copy_chunk, dem, field, stored), dem.chunks)
    return stored


def _copy_chunk(dem: GriddedDem, field: DatumField | None, stored: WritableRaster, window: Window) -> None:
    rows, columns = window
    heights = dem[rows, columns]
    stored[rows, columns] = heights if field is None else heights + field[rows, columns]


def resampled_at(observed: Observations, pair: DemPair, shift: Shift, resources: Resources) -> DemPair:
    """The pair with the aligned DEM read anew at its shifted position, so that it is resampled once and not twice.

    Where its pixels are the grid's own, interpolating them is that one resampling, and the pair stays as it is.

    Parameters
    ----------
    observed : both DEMs, opened.
    pair : as they were compared.
    shift : east, north, up, m, added to the aligned DEM's position.
    resources : what the run computes with.
    """
    if observed.aligned_grid.coincides:
        return pair
    moved = gridded(observed.aligned_dem, observed.grid, observed.resampling, (shift.east, shift.north))
    heights = on_one_grid(moved, observed.datum_field, resources)
    return replace(pair, aligned=replace(pair.aligned, heights=heights, resampled_at=(shift.east, shift.north)))
