"""Small pairs of DEMs anywhere on Earth, of one surface that knows no edge of a map: with a known shift and change."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from pyproj import Transformer
from rasterio.transform import Affine

EARTH_M = 6_371_000.0
SECOND = 1 / 3600


def relief(longitude: np.ndarray, latitude: np.ndarray, seed: int = 3) -> np.ndarray:
    """Heights (m) at points in degrees: waves of 0.9 to 9 km through the ball, so that no meridian is special."""
    draw = np.random.default_rng(seed)
    phi, lam = np.radians(latitude), np.radians(longitude)
    ball = EARTH_M * np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)])
    heights = np.full(np.shape(longitude), 2500.0)
    for length in np.geomspace(900, 9000, 24):
        direction = draw.normal(size=3)
        direction *= 2 * np.pi / length / np.linalg.norm(direction)
        heights += 0.016 * length * np.sin(np.tensordot(direction, ball, 1) + draw.uniform(0, 2 * np.pi))
    return heights


@dataclass(frozen=True)
class Sunk:
    """Ground that sank by ``by_m`` within ``radius_m`` of a place."""

    longitude: float
    latitude: float
    radius_m: float
    by_m: float

    def at(self, longitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
        east = (longitude - self.longitude + 180) % 360 - 180
        distance = np.hypot(east * np.cos(np.radians(self.latitude)), latitude - self.latitude) * 111_195
        return np.where(distance < self.radius_m, self.by_m, 0.0)


@dataclass(frozen=True)
class Seen:
    """How a DEM sees the surface: moved east and north (m), with what sank, and white noise of 0.5 m."""

    east_m: float = 0.0
    north_m: float = 0.0
    sunk: tuple[Sunk, ...] = ()
    seed: int = 1


def write(
    path: Path,
    seen: Seen,
    *,
    crs: str = "EPSG:4326",
    west: float,
    north: float,
    pixel: tuple[float, float],
    shape: tuple[int, int],
    **profile,
) -> Path:
    """A raster of the surface as a DEM sees it; degrees, or units of ``crs``, from its upper-left corner."""
    transform = Affine(pixel[0], 0, west, 0, -pixel[1], north)
    columns, rows = np.meshgrid(np.arange(shape[1]) + 0.5, np.arange(shape[0]) + 0.5)
    easting, northing = columns * pixel[0] + west, north - rows * pixel[1]
    longitude, latitude = Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform(easting, northing)
    longitude, latitude = np.asarray(longitude), np.asarray(latitude)
    east_deg = seen.east_m / 111_195 / np.cos(np.radians(latitude))
    moved = longitude - east_deg, latitude - seen.north_m / 111_195
    heights = relief(*moved) - sum(part.at(*moved) for part in seen.sunk)
    heights = heights + np.random.default_rng(seen.seed + abs(hash((round(west, 6), round(north, 6)))) % 1000).normal(
        0, 0.5, shape
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    profile = {"driver": "GTiff", "dtype": "float32", "nodata": -9999.0} | profile
    with rasterio.open(
        path, "w", height=shape[0], width=shape[1], count=1, crs=crs, transform=transform, **profile
    ) as target:
        target.write(heights.astype(profile["dtype"]), 1)
    return path
