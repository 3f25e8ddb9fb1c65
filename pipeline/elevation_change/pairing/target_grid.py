"""Choose the one grid on which two DEMs are compared."""

from __future__ import annotations

import math

import numpy as np
from pyproj import CRS, Proj
from pyproj.exceptions import CRSError
from rasterio.warp import transform_bounds

from pipeline.elevation_change.dems import Mosaic
from pipeline.grid import Grid, is_projected_metres, project_points, utm_crs
from pipeline.longitudes import turned_to, unwrapped, within_a_turn
from schemas.errors import BadInput
from schemas.messages import Message
from schemas.settings import ElevationChangeSettings

Bounds = tuple[float, float, float, float]
# DEMs that share less than this of the smaller one are seldom meant for each other
LITTLE_OVERLAP = 0.1
# points of each edge of a box that is projected
EDGE_POINTS = 201
# the zones of UTM end here; beyond lies the Universal Polar Stereographic projection
NORTHERNMOST_UTM, SOUTHERNMOST_UTM = 84.0, -80.0
# a map whose metres differ more from those on the ground serves for neither slopes nor areas
LARGEST_DISTORTION = 0.05


def target_grid(
    earlier: Mosaic, later: Mosaic, settings: ElevationChangeSettings, region_lonlat: Bounds | None = None
) -> Grid:
    """The projected grid of the overlap: the finer DEM's own if in metres, else UTM snapped to its resolution.

    Parameters
    ----------
    region_lonlat : (west, south, east, north) in degrees; the overlap is cut to it.

    Errors
    ------
    BadInput : DEMs that do not overlap (or not in the region); an unknown CRS, or one not in metres on the ground.
    """
    overlap = _overlap_lonlat(earlier, later, region_lonlat)
    if settings.crs is not None:
        _require_metres(settings.crs, overlap)
    finer = _finer(earlier, later, settings.reference)
    own = _own_grid(finer, earlier if finer is later else later, overlap, settings)
    if own is not None:
        return own
    crs = settings.crs or _crs_for(finer, overlap)
    bounds = _projected(overlap, crs)
    return Grid.covering(bounds, settings.resolution_m or finer.nominal_resolution_m, crs)


def notes_on_overlap(earlier: Mosaic, later: Mosaic) -> tuple[Message, ...]:
    """A word of warning where two DEMs share little more than an edge.

    Parameters
    ----------
    earlier, later : the opened DEMs.
    """
    # in a CRS of their own, where a box is no wider than the DEM in it
    drawn = [transform_bounds(dem.crs, later.crs, *dem.extent, densify_pts=21) for dem in (earlier, later)]
    if later.is_geographic:
        drawn = [turned_to(unwrapped(box), unwrapped(drawn[1])) for box in drawn]
    boxes = np.array(drawn)
    common = np.maximum(boxes[:, 2:].min(axis=0) - boxes[:, :2].max(axis=0), 0)
    share = float((common.prod() / (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)).max())
    if share >= LITTLE_OVERLAP:
        return ()
    return (
        Message(
            "the DEMs overlap in {percent:.1f} % of the smaller one alone: are they of the same area?",
            percent=100 * share,
        ),
    )


def _overlap_lonlat(earlier: Mosaic, later: Mosaic, region: Bounds | None) -> Bounds:
    boxes = [_around(dem) for dem in (earlier, later)]
    boxes = [boxes[0], turned_to(boxes[1], boxes[0])]
    if region:
        region = turned_to(unwrapped(region), boxes[0])
    corners = np.array([*boxes, region] if region else boxes)
    west, south = corners[:, :2].max(axis=0)
    east, north = corners[:, 2:].min(axis=0)
    if west >= east or south >= north:
        spans = " and ".join(
            f"{dem.role} {np.round(box, 3).tolist()}" for dem, box in zip((earlier, later), boxes, strict=True)
        )
        where = "DEMs in the region" if region else "DEMs"
        raise BadInput(where, f"no overlap: {spans} (west, south, east, north)", "two DEMs of the same area")
    return float(west), float(south), float(east), float(north)


def _around(dem: Mosaic) -> Bounds:
    """West, south, east and north of a DEM in degrees; across the antimeridian its east lies beyond 180."""
    return unwrapped(transform_bounds(dem.crs, "EPSG:4326", *dem.extent, densify_pts=21))


def _projected(overlap: Bounds, crs: str) -> Bounds:
    """Bounds in a projection of a box in degrees, which may reach beyond 180."""
    if overlap[0] >= -180 and overlap[2] <= 180:
        west, south, east, north = transform_bounds("EPSG:4326", crs, *overlap, densify_pts=21)
        return west, south, east, north
    across, along = (np.linspace(overlap[place], overlap[place + 2], EDGE_POINTS) for place in (0, 1))
    longitude = np.concatenate([across, across, np.full(EDGE_POINTS, overlap[0]), np.full(EDGE_POINTS, overlap[2])])
    latitude = np.concatenate([np.full(EDGE_POINTS, overlap[1]), np.full(EDGE_POINTS, overlap[3]), along, along])
    easting, northing = project_points(longitude, latitude, crs)
    return float(easting.min()), float(northing.min()), float(easting.max()), float(northing.max())


def _finer(earlier: Mosaic, later: Mosaic, reference: str) -> Mosaic:
    """The DEM with the smaller pixels; the reference where they are alike, so that it is not resampled."""
    fixed, other = (later, earlier) if reference == "later" else (earlier, later)
    return other if other.nominal_resolution_m < 0.99 * fixed.nominal_resolution_m else fixed


def _own_grid(finer: Mosaic, other: Mosaic, overlap: Bounds, settings: ElevationChangeSettings) -> Grid | None:
    """The finer DEM's pixels within the overlap, if they are square metres and the settings ask for nothing else."""
    width, height = finer.pixel
    square = abs(width - height) <= 1e-6 * height
    if not square or not _in_ground_metres(finer.crs, overlap):
        return None
    if settings.crs is not None and not CRS.from_user_input(settings.crs).equals(CRS.from_user_input(finer.crs)):
        return None
    if settings.resolution_m is not None and abs(settings.resolution_m - height) > 1e-6 * height:
        return None
    native = finer.grid()
    bounds = _projected(overlap, finer.crs)
    if _is_polar(finer.crs):  # there a box of degrees is a wide arc
        drawn = transform_bounds(other.crs, finer.crs, *other.extent, densify_pts=21)
        bounds = (*np.maximum(bounds[:2], drawn[:2]).tolist(), *np.minimum(bounds[2:], drawn[2:]).tolist())
    left = max(0, int(np.floor((bounds[0] - native.bounds[0]) / width + 0.01)))
    top = max(0, int(np.floor((native.bounds[3] - bounds[3]) / height + 0.01)))
    right = min(native.shape[1], int(np.ceil((bounds[2] - native.bounds[0]) / width - 0.01)))
    bottom = min(native.shape[0], int(np.ceil((native.bounds[3] - bounds[1]) / height - 0.01)))
    return native.window(top, left, (bottom - top, right - left))


def _is_polar(crs: str) -> bool:
    operation = CRS.from_user_input(crs).coordinate_operation
    return operation is not None and "stereographic" in operation.method_name.lower()


def _crs_for(finer: Mosaic, overlap: Bounds) -> str:
    if _in_ground_metres(finer.crs, overlap):
        return finer.crs
    return _zone_of(overlap)


def _zone_of(overlap: Bounds) -> str:
    """The UTM zone of a box in degrees, or the polar projection beyond the zones."""
    longitude, latitude = within_a_turn((overlap[0] + overlap[2]) / 2), (overlap[1] + overlap[3]) / 2
    if latitude > NORTHERNMOST_UTM:
        return "EPSG:5041"
    return "EPSG:5042" if latitude < SOUTHERNMOST_UTM else utm_crs(longitude, latitude)


def _in_ground_metres(crs: str, overlap: Bounds) -> bool:
    return is_projected_metres(crs) and abs(ground_scale(crs, overlap) - 1) <= LARGEST_DISTORTION


def ground_scale(crs: str, region_lonlat: Bounds) -> float:
    """Metres on the map to a metre on the ground, in the direction in which they differ most; NaN off the CRS's domain.

    Parameters
    ----------
    crs : projected; ``region_lonlat`` in degrees, of which the middle is looked at.
    """
    west, south, east, north = region_lonlat
    factors = Proj(CRS.from_user_input(crs)).get_factors(within_a_turn((west + east) / 2), (south + north) / 2)
    longest, shortest = factors.tissot_semimajor, factors.tissot_semiminor
    if not (0 < shortest <= longest < math.inf):
        return math.nan
    return float(max(longest, shortest, key=lambda scale: abs(math.log(scale))))


def _require_metres(crs: str, overlap: Bounds) -> None:
    try:
        metres = is_projected_metres(crs)
    except CRSError:
        raise BadInput("crs", repr(crs), "a CRS that PROJ knows, as EPSG:32645") from None
    if not metres:
        raise BadInput("crs", f"{crs}, which is not projected in metres", "a projected CRS in metres, as EPSG:32645")
    if not _in_ground_metres(crs, overlap):
        scale = ground_scale(crs, overlap)
        there = f"where a metre is {1 / scale:.3f} m on the ground" if scale > 0 else "which does not reach there"
        zone = _zone_of(overlap)
        raise BadInput("crs", f"{crs}, {there}", f"a CRS of the region, as {zone}", "leave it out for the UTM zone")
