"""What the tiles of a DEM hold: voids, values that only look like heights, a single height everywhere."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from rasterio.windows import Window

from pipeline.elevation_change.dems.filled_pixels import filled_pixels
from pipeline.elevation_change.dems.tiles import HIGHEST_M, LOWEST_M, Mosaic, Tile, read_stored, set_void
from pipeline.grid import FloatArray
from schemas.errors import BadInput
from schemas.messages import Message

# so many pixels of a tile are looked at, in blocks spread over it; a suspicion is followed up over the whole tile
SAMPLED_PIXELS = 400_000
PIXELS_AT_ONCE = 1_000_000
MOST_VALUES = 3
# a level surface of fewer pixels has no shore to speak of; so near to it in height are its shores, m
FEWEST_FILLED = 25
SHORE_M = 100.0


@dataclass(frozen=True, kw_only=True)
class TileContent:
    """What was found in a tile.

    Attributes
    ----------
    tile : file name of the raster.
    void_share : share of the pixels looked at that hold no height.
    is_void : whether the whole tile holds no height.
    constant_m : the height, if the whole tile has one only.
    undeclared : values beyond any height on Earth that the file does not declare as nodata, most frequent first, each
        with its share of the pixels looked at. They are read as voids.
    filling : a height that stands for voids, and its share of all pixels; None for a sound tile.
    filled : the mask beside the tile that tells of heights from elsewhere, and their share; None without any.
    """

    tile: str
    void_share: float
    is_void: bool
    constant_m: float | None
    undeclared: tuple[tuple[float, float], ...]
    filling: tuple[float, float] | None = None
    filled: tuple[str, float] | None = None

    @property
    def notes(self) -> tuple[Message, ...]:
        """What is worth telling, a sentence each; empty for a sound tile."""
        notes = [
            Message(
                "{percent:.2g} % of the pixels hold {value:g}, no height on Earth and not declared as nodata; void",
                percent=100 * share,
                value=value,
            )
            for value, share in self.undeclared
        ]
        if self.filled is not None:
            notes.append(
                Message(
                    "{percent:.2g} % of the pixels come from other data, as {mask} says: another sensor and time; void",
                    percent=100 * self.filled[1],
                    mask=self.filled[0],
                )
            )
        if self.is_void:
            notes.append(Message("no height in the whole tile"))
        if self.constant_m is not None:
            notes.append(Message("the height {height_m:g} m in the whole tile", height_m=self.constant_m))
        return tuple(notes)


def tile_contents(mosaic: Mosaic) -> tuple[TileContent, ...]:
    """Look into every tile of a DEM, in the order of the tiles, those beneath others last.

    Parameters
    ----------
    mosaic : the opened DEM; each tile is sampled in blocks, and read whole where the sample raises a suspicion.

    Errors
    ------
    BadInput : a tile that cannot be read to its end.
    """
    return tuple(_content(tile) for tile in mosaic.every_tile)


def require_relief(mosaic: Mosaic, contents: tuple[TileContent, ...]) -> None:
    """Refuse a DEM without any height, or with the same one everywhere.

    Parameters
    ----------
    mosaic : the opened DEM.
    contents : of each of its tiles, as ``tile_contents`` found them.

    Errors
    ------
    BadInput : names the values found in place of heights.
    """
    where = f"{mosaic.role} DEM ({', '.join(content.tile for content in contents)})"
    if all(content.is_void for content in contents):
        values = sorted({value for content in contents for value, _ in content.undeclared})
        stored = f" but {', '.join(f'{value:g}' for value in values)}" if values else ""
        raise BadInput(where, f"no height{stored}", f"heights from {LOWEST_M:g} to {HIGHEST_M:g} m", "is it a DEM?")
    constants = {content.constant_m for content in contents if not content.is_void}
    if len(constants) == 1 and None not in constants:
        raise BadInput(where, f"the height {constants.pop():g} m everywhere", "a surface with relief")


def refuse_filled_voids(mosaic: Mosaic, contents: tuple[TileContent, ...]) -> None:
    """Refuse a DEM whose voids hold a height that they do not declare, as the 0 m that many programs leave there.

    Parameters
    ----------
    mosaic : the opened DEM.
    contents : of each of its tiles, as ``tile_contents`` found them.

    Errors
    ------
    BadInput : names the tile, the height and how to declare it.
    """
    for content in contents:
        if content.filling is not None:
            height, share = content.filling
            raise BadInput(
                f"{mosaic.role} DEM ({content.tile})",
                f"{100 * share:.2g} % of the pixels at exactly {height:g} m, with hardly a height within "
                f"{SHORE_M:g} m of it, as a level surface with shores would have",
                "voids that the file declares",
                f"declare them: gdal_edit.py -a_nodata {height:g}",
            )


def _content(tile: Tile) -> TileContent:
    parts = [_stored_and_heights(tile, window) for window in _spread_windows(tile)]
    stored, heights = (np.concatenate([part.ravel() for part in own]) for own in zip(*parts, strict=True))
    undeclared = np.isnan(heights) & np.isfinite(stored)
    if tile.nodata is not None:
        undeclared &= stored != np.float32(tile.nodata)
    values, counts = np.unique(stored[undeclared], return_counts=True)
    frequent = np.argsort(-counts, kind="stable")[:MOST_VALUES]
    least, greatest = _span(tile, heights)
    return TileContent(
        tile=tile.name,
        void_share=float(np.isnan(heights).mean()),
        is_void=math.isnan(least),
        constant_m=least if least == greatest else None,
        undeclared=tuple((float(values[number]), float(counts[number] / stored.size)) for number in frequent),
        filled=_filled(tile),
        filling=None if math.isnan(least) or least == greatest else _filling(tile, heights),
    )


def _filled(tile: Tile) -> tuple[str, float] | None:
    if tile.fill_mask is None:
        return None
    share = float(filled_pixels(tile.fill_mask, tile.shape).mean())
    return (tile.fill_mask.name, share) if share > 0 else None


@dataclass(frozen=True)
class _Level:
    """Pixels at a height, near to it, and in all."""

    at: int
    near: int
    known: int

    @classmethod
    def of(cls, heights: FloatArray, height: float) -> _Level:
        at = heights == np.float32(height)
        # compared, not subtracted: a damaged file may hold NaN that warn of any arithmetic
        near = (heights >= np.float32(height - SHORE_M)) & (heights <= np.float32(height + SHORE_M))
        return cls(int(at.sum()), int(near.sum() - at.sum()), int(np.isfinite(heights).sum()))

    def __add__(self, other: _Level) -> _Level:
        return _Level(self.at + other.at, self.near + other.near, self.known + other.known)

    @property
    def is_filling(self) -> bool:
        """Whether a level surface so large has fewer pixels near its height than any shore about it would have.

        A shore is longest where it is straight, and even then it counts the square root of the surface's pixels, or of
        the land's where that is smaller.
        """
        return self.at >= FEWEST_FILLED and self.near < math.sqrt(min(self.at, self.known - self.at))


def _filling(tile: Tile, sample: FloatArray) -> tuple[float, float] | None:
    """The least or greatest height of a sample and its share of all pixels, if the whole tile shows it to be no ground.

    The pixels between voids and ground that a resampling has mixed are few: they spread over the whole step in height.
    """
    for extreme in (np.fmin.reduce(sample), np.fmax.reduce(sample)):
        height = float(extreme)
        if not math.isnan(height) and _Level.of(sample, height).is_filling:
            rows, columns = tile.shape
            step = max(1, PIXELS_AT_ONCE // columns)
            whole_tile = _Level(0, 0, 0)
            for top in range(0, rows, step):
                _, heights = _stored_and_heights(tile, Window(0, top, columns, min(step, rows - top)))
                whole_tile += _Level.of(heights, height)
            if whole_tile.is_filling:
                return height, whole_tile.at / (rows * columns)
    return None


def _stored_and_heights(tile: Tile, window: Window) -> tuple[FloatArray, FloatArray]:
    """Values of a window as the file has them and as heights; a mask band's voids are NaN in both."""
    stored = np.empty((window.height, window.width), np.float32)
    masked = read_stored(tile, window, stored)
    if masked is not None:
        stored[masked] = np.nan
    heights = stored.copy()
    set_void(tile, heights, masked)
    return stored, heights


def _spread_windows(tile: Tile) -> list[Window]:
    """Blocks of the file, evenly spread over it, the first and the last among them."""
    (high, wide), (rows, columns) = tile.block, tile.shape
    across = math.ceil(columns / wide)
    count = across * math.ceil(rows / high)
    wanted = min(count, max(2, SAMPLED_PIXELS // (high * wide)))
    windows = []
    for number in np.unique(np.linspace(0, count - 1, wanted).round().astype(int)).tolist():
        top, left = number // across * high, number % across * wide
        height = min(high, rows - top, max(1, PIXELS_AT_ONCE // wide))
        windows.append(Window(left, top, min(wide, columns - left), height))
    return windows


def _span(tile: Tile, sample: FloatArray) -> tuple[float, float]:
    """Least and greatest height; of the whole tile if the sample has none or a single one. NaN where there is none."""
    least, greatest = float(np.fmin.reduce(sample)), float(np.fmax.reduce(sample))
    rows, columns = tile.shape
    step = max(1, PIXELS_AT_ONCE // columns)
    for top in range(0, rows, step):
        if least < greatest:
            break
        _, heights = _stored_and_heights(tile, Window(0, top, columns, min(step, rows - top)))
        least = float(np.fmin(least, np.fmin.reduce(heights, axis=None)))
        greatest = float(np.fmax(greatest, np.fmax.reduce(heights, axis=None)))
    return least, greatest
