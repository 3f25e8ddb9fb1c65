"""Accuracy checks of each DEM before anything is computed from it; they report and never repair."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from pyproj import Transformer

from pipeline.elevation_change.dem_checks.counts import (
    HYPSOMETRY_EDGES_M,
    LEVEL,
    MEASURED,
    SPIKES,
    DemCounts,
    IntArray,
)
from pipeline.elevation_change.dem_checks.tile_seams import SEAM_LIMIT_M, SEAM_NOISES, Seam
from pipeline.elevation_change.dems import Mosaic, missing_tiles, overlapping_tiles, place_name
from pipeline.grid import BoolArray, FloatArray, Grid
from schemas.messages import Listed, Message
from schemas.tables import DEM_CHECKS

VOID_LIMIT = 0.10
GLACIER_VOID_LIMIT = 0.20
SPIKE_LIMIT = 1e-4
# share of pixels exactly as high as their eastern and southern neighbours: a constant or terraced DEM, or water
LEVEL_LIMIT = 0.3
# a DEM with less relief is constant
RELIEF_LIMIT_M = 1.0
# what heights on land can be, with room for a DEM's error: the Dead Sea's shore is at -430 m, Everest at 8849 m
PLAUSIBLE_M = (-480.0, 8900.0)
# of a tile with fewer cells of the map on the grid nothing is said
FEWEST_CELLS = 16


@dataclass(frozen=True, kw_only=True)
class DemCheck:
    """One check of one DEM; its note is a message, or the name of a file."""

    tile: str
    check: str
    value: float
    limit: float
    unit: str
    passed: bool
    note: str


@dataclass(frozen=True, kw_only=True)
class CheckedDem:
    """A DEM with all that was counted and measured of it.

    Attributes
    ----------
    mosaic : the tiles.
    grid : the grid on which the counts were made.
    counts : of all blocks, added up.
    seams : of all borders between tiles.
    plausible_m : what heights of the region can be.
    """

    mosaic: Mosaic
    grid: Grid
    counts: DemCounts
    seams: tuple[Seam, ...] = ()
    plausible_m: tuple[float, float] = PLAUSIBLE_M

    def __post_init__(self) -> None:
        if (self.counts.first_line, self.counts.lines) != (0, self.counts.layout.map_shape[0]):
            raise ValueError("the counts of some blocks are missing")

    @cached_property
    def tile_of_cell(self) -> IntArray:
        """Number of the tile that holds the middle of each cell of the map, -1 for none; shape of the map."""
        layout = self.counts.layout
        if len(self.mosaic.tiles) == 1 and self.mosaic.beneath is None:
            return np.zeros(layout.map_shape, np.int64)
        middles = (
            np.minimum(layout.cell * (np.arange(cells) + 0.5), size - 0.5)
            for cells, size in zip(layout.map_shape, layout.shape, strict=True)
        )
        rows, columns = np.meshgrid(*middles, indexing="ij")
        return self.tiles_at(rows - 0.5, columns - 0.5)

    def tiles_at(self, rows: FloatArray, columns: FloatArray) -> IntArray:
        """Number of the first tile that holds each pixel of the grid, -1 for none; shaped like rows and columns.

        Parameters
        ----------
        rows, columns : pixels of the grid, any one shape.
        """
        east, north = self.position(rows, columns)
        native = Transformer.from_crs(self.grid.crs, self.mosaic.crs, always_xy=True)
        easting, northing = native.transform(east, north)
        result = np.full(np.shape(east), -1, np.int64)
        for number, tile in reversed(list(enumerate(self.mosaic.tiles))):
            west, south, east_edge, north_edge = tile.bounds
            inside = (easting >= west) & (easting <= east_edge) & (northing >= south) & (northing <= north_edge)
            result[inside] = number
        return result

    def position(self, rows: FloatArray, columns: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Easting and northing of the middles of pixels, m.

        Parameters
        ----------
        rows, columns : pixels of the grid, any one shape.
        """
        transform = self.grid.transform
        return transform.c + (columns + 0.5) * transform.a, transform.f + (rows + 0.5) * transform.e

    def lonlat(self, row: int, column: int) -> tuple[float, float]:
        """Longitude and latitude of a pixel's middle, degrees.

        Parameters
        ----------
        row, column : a pixel of the grid.
        """
        place = self.position(np.asarray(float(row)), np.asarray(float(column)))
        longitude, latitude = self.grid_to_degrees.transform(*place)
        return float(longitude), float(latitude)

    @cached_property
    def grid_to_degrees(self) -> Transformer:
        return Transformer.from_crs(self.grid.crs, "EPSG:4326", always_xy=True)

    @cached_property
    def native_to_degrees(self) -> Transformer:
        return Transformer.from_crs(self.mosaic.crs, "EPSG:4326", always_xy=True)


def check_table(dem: CheckedDem) -> pd.DataFrame:
    """All checks of one DEM, of the whole and of each of its tiles, shaped as ``schemas.tables.DEM_CHECKS``.

    Parameters
    ----------
    dem : tiles, grid and what was counted on it.
    """
    by_tile = list(_checks_by_tile(dem))
    of_all = _count_checks(dem, "all", np.ones(dem.counts.layout.map_shape, bool))
    checks = [
        *_tile_set_checks(dem),
        _datum_check(dem.mosaic),
        *(_naming_tiles(check, by_tile, dem.mosaic) for check in of_all),
        *by_tile,
        *(_seam_check(seam, dem.native_to_degrees) for seam in dem.seams),
    ]
    frame = pd.DataFrame([{"dem": dem.mosaic.role, **check.__dict__} for check in checks])
    # a column of texts would make plain text of the messages
    frame["note"] = pd.Series([check.note for check in checks], dtype=object)
    return frame[list(DEM_CHECKS.column_names)].sort_values(["dem", "tile", "check"], ignore_index=True)


def _tile_set_checks(dem: CheckedDem) -> Iterator[DemCheck]:
    """No place between the tiles is empty, and none is held twice."""
    names = [tile.name for tile in dem.mosaic.tiles]
    held = names[0]
    if len(names) > 1:
        held = Message("{count} tiles, {first} to {last}", count=len(names), first=names[0], last=names[-1])
    missing = missing_tiles(dem.mosaic, dem.grid)
    note = Message("missing: {tiles}", tiles=Listed(missing)) if missing else held
    yield DemCheck(
        tile="all", check="missing_tiles", value=len(missing), limit=0, unit="1", passed=not missing, note=note
    )
    double = overlapping_tiles(dem.mosaic)
    note = Listed(double, "; ", "；") if double else Message("no ground held twice")
    yield DemCheck(
        tile="all", check="overlapping_tiles", value=len(double), limit=0, unit="1", passed=not double, note=note
    )


def _datum_check(mosaic: Mosaic) -> DemCheck:
    stated = mosaic.vertical_datum is not None
    note = Message(
        "{crs}, heights {datum}",
        crs=mosaic.crs if len(mosaic.crs) < 20 else Message("a CRS without code"),
        datum=mosaic.vertical_datum or Message("in an unknown vertical datum"),
    )
    return DemCheck(tile="all", check="datum_stated", value=float(stated), limit=1, unit="1", passed=stated, note=note)


def _count_checks(dem: CheckedDem, name: str, chosen: BoolArray) -> Iterator[DemCheck]:
    """Voids, spikes, level ground and range of the whole DEM or of one tile.

    Parameters
    ----------
    chosen : cells of the map that belong to it.
    """
    counts = dem.counts
    pixels = int(counts.layout.pixels()[chosen].sum())
    measured, level, spikes_found, glacier, glacier_measured = (int(part[chosen].sum()) for part in counts.cells)
    void = 1 - measured / pixels
    yield DemCheck(
        tile=name,
        check="void_share",
        value=void,
        limit=VOID_LIMIT,
        unit="1",
        passed=void <= VOID_LIMIT,
        note=Message("without a height, of {pixels} pixels", pixels=pixels),
    )
    if glacier:
        void = 1 - glacier_measured / glacier
        note = Message("without a height, of {pixels} glacier pixels", pixels=glacier)
        yield DemCheck(
            tile=name,
            check="glacier_void_share",
            value=void,
            limit=GLACIER_VOID_LIMIT,
            unit="1",
            passed=void <= GLACIER_VOID_LIMIT,
            note=note,
        )
    share = spikes_found / max(1, measured)
    yield DemCheck(
        tile=name,
        check="spike_share",
        value=share,
        limit=SPIKE_LIMIT,
        unit="1",
        passed=share <= SPIKE_LIMIT,
        note=_spike_note(dem, name, spikes_found),
    )
    share = level / max(1, measured)
    note = Message("as high as the neighbours to the east and south: constant, terraced, or water")
    whole = counts.whole_metres / max(1, int(counts.hypsometry.sum()))
    if whole > 0.5:
        note = Message("{note}; {share:.0%} of all heights are whole metres", note=note, share=whole)
    yield DemCheck(
        tile=name, check="level_share", value=share, limit=LEVEL_LIMIT, unit="1", passed=share <= LEVEL_LIMIT, note=note
    )
    yield from _range_checks(dem, name, chosen)


def _spike_note(dem: CheckedDem, name: str, count: int) -> Message:
    worst = dem.counts.worst
    if count == 0 or worst is None:
        return Message("no height stands far off its neighbours")
    tile = dem.mosaic.tiles[max(0, int(dem.tiles_at(np.array([worst.row]), np.array([worst.column]))[0]))].name
    off_neighbours = Message("{count} pixels far off their neighbours", count=count)
    if name not in ("all", tile):
        return off_neighbours
    return Message(
        "{spikes}, the worst by {off_m:+.0f} m at row {row}, column {column} ({place}) of {tile}",
        spikes=off_neighbours,
        off_m=worst.off_m,
        row=worst.row,
        column=worst.column,
        place=place_name(*dem.lonlat(worst.row, worst.column)),
        tile=tile,
    )


def _range_checks(dem: CheckedDem, name: str, chosen: BoolArray) -> Iterator[DemCheck]:
    """Lowest and highest height within what is plausible, and relief between them."""
    lowest_allowed, highest_allowed = dem.plausible_m
    lows, highs = np.where(chosen, dem.counts.lowest_m, np.nan), np.where(chosen, dem.counts.highest_m, np.nan)
    if np.isnan(lows).all():
        yield DemCheck(
            tile=name,
            check="relief",
            value=math.nan,
            limit=RELIEF_LIMIT_M,
            unit="m",
            passed=False,
            note=Message("no height at all"),
        )
        return
    lowest, highest = float(np.nanmin(lows)), float(np.nanmax(highs))
    where = (_place_of_cell(dem, np.nanargmin(lows)), _place_of_cell(dem, np.nanargmax(highs)))
    yield DemCheck(
        tile=name,
        check="lowest",
        value=lowest,
        limit=lowest_allowed,
        unit="m",
        passed=lowest >= lowest_allowed,
        note=Message("lowest height, near {place}", place=where[0]),
    )
    yield DemCheck(
        tile=name,
        check="highest",
        value=highest,
        limit=highest_allowed,
        unit="m",
        passed=highest <= highest_allowed,
        note=Message("highest height, near {place}", place=where[1]),
    )
    relief = highest - lowest
    yield DemCheck(
        tile=name,
        check="relief",
        value=relief,
        limit=RELIEF_LIMIT_M,
        unit="m",
        passed=relief >= RELIEF_LIMIT_M,
        note=Message("highest minus lowest; the limit is the least, below it the DEM is constant"),
    )


def _place_of_cell(dem: CheckedDem, number: np.intp) -> str:
    """Where a cell of the map lies."""
    row, column = np.unravel_index(number, dem.counts.layout.map_shape)
    middle = (int(place) * dem.counts.layout.cell + dem.counts.layout.cell // 2 for place in (row, column))
    return place_name(*dem.lonlat(*middle))


def _checks_by_tile(dem: CheckedDem) -> Iterator[DemCheck]:
    """The counts of each tile, where there are several."""
    if len(dem.mosaic.tiles) == 1:
        return
    for number, tile in enumerate(dem.mosaic.tiles):
        chosen = dem.tile_of_cell == number
        # a tile may lie off the grid, or touch it
        if chosen.sum() >= FEWEST_CELLS:
            yield from _count_checks(dem, tile.name, chosen)


def _naming_tiles(check: DemCheck, by_tile: list[DemCheck], mosaic: Mosaic) -> DemCheck:
    """A failed check of the whole DEM with the tiles named where it fails."""
    if check.passed:
        return check
    failed = [one.tile for one in by_tile if one.check == check.check and not one.passed]
    names = [mosaic.tiles[0].name] if len(mosaic.tiles) == 1 else failed
    if not names:
        return check
    return replace(check, note=Message("{note}; in {tiles}", note=check.note, tiles=Listed(names)))


def _seam_check(seam: Seam, to_degrees: Transformer) -> DemCheck:
    if math.isnan(seam.step_m):
        note = Message("too few heights on both sides to tell")
    else:
        begin, end = (place_name(*to_degrees.transform(*place)) for place in seam.ends)
        note = Message(
            "mean step +- {noise_m:.2f} m over {pixels} pixels, from {begin} to {end}",
            noise_m=seam.noise_m,
            pixels=seam.count,
            begin=begin,
            end=end,
        )
    limit = max(SEAM_LIMIT_M, SEAM_NOISES * seam.noise_m)
    return DemCheck(
        tile=seam.tiles, check="seam", value=seam.step_m, limit=limit, unit="m", passed=seam.passed, note=note
    )


def dem_check_numbers(dem: CheckedDem) -> dict[str, Any]:
    """The numbers behind the figure of the checks: maps of voids, spikes and heights, hypsometry, seams.

    Parameters
    ----------
    dem : tiles, grid and what was counted on it.

    Returns
    -------
    extent_m : (west, south, east, north) of the maps; cell_m : size of their cells. void_share, spikes, level_share,
    lowest_m, highest_m : maps, shape (rows, columns). hypsometry_edges_m, shape (n + 1,), and hypsometry_share,
    shape (n,), which sums to 1. whole_metre_share : of the heights. worst_spike : None or a dict. seams : dicts.
    """
    counts, layout = dem.counts, dem.counts.layout
    pixels = layout.pixels()
    measured = counts.cells[MEASURED]
    west, north = dem.grid.transform.c, dem.grid.transform.f
    cell_m = layout.cell * dem.grid.pixel_size[0]
    filled = np.flatnonzero(counts.hypsometry)
    classes = slice(filled[0], filled[-1] + 1) if filled.size else slice(0, 0)
    thinned = max(1, int(counts.hypsometry.sum()))
    return {
        "extent_m": (west, north - layout.map_shape[0] * cell_m, west + layout.map_shape[1] * cell_m, north),
        "cell_m": cell_m,
        "void_share": (1 - measured / pixels).astype(np.float32),
        "spikes": counts.cells[SPIKES],
        "level_share": (counts.cells[LEVEL] / np.maximum(measured, 1)).astype(np.float32),
        "lowest_m": counts.lowest_m,
        "highest_m": counts.highest_m,
        "hypsometry_edges_m": HYPSOMETRY_EDGES_M[classes.start : classes.stop + 1],
        "hypsometry_share": counts.hypsometry[classes] / thinned,
        "whole_metre_share": counts.whole_metres / thinned,
        "worst_spike": _worst_spike_numbers(dem),
        "seams": [_seam_numbers(dem, seam) for seam in dem.seams],
    }


def _worst_spike_numbers(dem: CheckedDem) -> dict[str, float] | None:
    worst = dem.counts.worst
    if worst is None:
        return None
    easting, northing = dem.position(np.asarray(float(worst.row)), np.asarray(float(worst.column)))
    longitude, latitude = dem.lonlat(worst.row, worst.column)
    return {
        "row": worst.row,
        "column": worst.column,
        "easting": float(easting),
        "northing": float(northing),
        "longitude": longitude,
        "latitude": latitude,
        "off_m": worst.off_m,
    }


def _seam_numbers(dem: CheckedDem, seam: Seam) -> dict[str, Any]:
    onto = Transformer.from_crs(dem.mosaic.crs, dem.grid.crs, always_xy=True)
    line = [tuple(float(part) for part in onto.transform(*end)) for end in seam.ends]
    return {
        "tiles": seam.tiles,
        "step_m": seam.step_m,
        "noise_m": seam.noise_m,
        "passed": seam.passed,
        "line_m": line,
    }
