"""Slope, aspect and curvature against GDAL and RichDEM on a piece of a real DEM.

What the reference files hold, found by comparison: GDAL's ``*_Zevenberg`` are Zevenbergen and Thorne's central
differences, which are ours; GDAL's and RichDEM's ``*_Horn`` weigh the neighbouring rows too. RichDEM's curvatures are
those of Zevenbergen and Thorne's quadratic, per 100 m: ``curvature`` = -200 (D + E), ``profile`` and ``planform`` along
and across the steepest slope, with curvature = planform - profile. Maximum curvature is not among them, but

* k_max(z) - k_max(-z) = curvature, as k_max(-z) is minus the least curvature and both add up to the trace;
* (k_max - curvature / 2)^2 = ((profile + planform) / 2)^2 + twist^2, with twist the mixed second derivative along and
  across the slope, which the references lack: so k_max is at least planform and -profile, and equals the greater one
  where the slope does not twist.
"""

from __future__ import annotations

import numpy as np
import pytest
import rasterio

from pipeline.elevation_change.terrain import aspect_deg, gradient, maximum_curvature, slope_deg
from tests.real.data import REAL_DATA, needs_real_data

pytestmark = needs_real_data

PIXEL_M = 20.0


def read(name):
    with rasterio.open(REAL_DATA / "terrain_attributes" / name) as source:
        values = source.read(1).astype(np.float64)
        values[values == source.nodata] = np.nan
    return values


@pytest.fixture(scope="module")
def heights():
    """The crop, recovered from the copy that was moved by one pixel to the east and north: one line is lost of each."""
    shifted = read("gdal/shifted_reprojected_xoff20.0_yoff20.0.tif")
    crop = np.full(shifted.shape, np.nan)
    crop[:-1, 1:] = shifted[1:, :-1]
    assert np.isnan(crop).sum() == 54 + 50 - 1
    return crop


@pytest.fixture(scope="module")
def trusted():
    """Where RichDEM saw the same heights: in the north-western corner it read zeros, slopes of 87 degrees."""
    sound = read("richdem/slope_Horn.tif") < 60
    assert (~sound).sum() == 18
    return sound


@pytest.fixture(scope="module")
def richdem():
    return {name: read(f"richdem/{name}.tif") for name in ("curvature", "profile_curvature", "planform_curvature")}


def assert_close(ours, reference, tolerance, where=None, least=2380):
    known = np.isfinite(ours) & np.isfinite(reference)
    known &= True if where is None else where
    assert known.sum() >= least
    np.testing.assert_allclose(ours[known], reference[known], rtol=0, atol=tolerance)


def turned(first, second):
    """Difference of two directions, degrees."""
    return (first - second + 180) % 360 - 180


def test_slope_and_aspect_are_gdals_zevenbergen_and_thorne(heights):
    slopes = gradient(heights, PIXEL_M)
    assert_close(slope_deg(*slopes), read("gdal/slope_Zevenberg.tif"), 4e-6)
    assert_close(turned(aspect_deg(*slopes), read("gdal/aspect_Zevenberg.tif")), np.zeros(heights.shape), 5e-5)


def test_horn_is_another_method(heights, trusted):
    """The same programs' Horn slopes differ by a third of a degree: the test above can tell the two apart."""
    ours = slope_deg(*gradient(heights, PIXEL_M))
    for name in ("gdal/slope_Horn.tif", "richdem/slope_Horn.tif"):
        off = np.abs(ours - read(name))[trusted & np.isfinite(ours)]
        assert 0.3 < np.median(off) < 0.4


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_greatest_and_least_curvature_add_up_to_richdems_total(heights, trusted, richdem, dtype):
    single = heights.astype(dtype)
    total = maximum_curvature(single, PIXEL_M) - maximum_curvature(-single, PIXEL_M)
    # heights are stored in float32, so that nothing is lost but in the last sums
    assert_close(total, richdem["curvature"], 1e-5 if dtype == np.float64 else 3e-5, trusted)


def test_no_section_is_more_curved_than_the_maximum(heights, trusted, richdem):
    greatest = maximum_curvature(heights, PIXEL_M)
    least = -maximum_curvature(-heights, PIXEL_M)
    known = trusted & np.isfinite(greatest)
    for section in (richdem["planform_curvature"], -richdem["profile_curvature"]):
        assert (section <= greatest + 1e-5)[known].all()
        assert (section >= least - 1e-5)[known].all()


def test_maximum_curvature_follows_from_richdems_sections_and_the_twist(heights, trusted, richdem):
    """The twist by differencing the height across four neighbours, turned to the direction of the slope."""
    z = heights
    mixed, across, along = (np.full(z.shape, np.nan) for _ in range(3))
    inner = (slice(1, -1), slice(1, -1))
    mixed[inner] = (z[:-2, 2:] - z[:-2, :-2] - z[2:, 2:] + z[2:, :-2]) / (4 * PIXEL_M**2)
    across[inner] = (z[1:-1, 2:] - 2 * z[1:-1, 1:-1] + z[1:-1, :-2]) / PIXEL_M**2
    along[inner] = (z[:-2, 1:-1] - 2 * z[1:-1, 1:-1] + z[2:, 1:-1]) / PIXEL_M**2
    direction = np.radians(read("gdal/aspect_Zevenberg.tif"))
    east, north = np.sin(direction), np.cos(direction)
    twist = 100 * ((across - along) * east * north - mixed * (east**2 - north**2))
    middle = richdem["curvature"] / 2
    sections = (richdem["planform_curvature"] + richdem["profile_curvature"]) / 2
    expected = middle + np.hypot(sections, twist)
    assert_close(maximum_curvature(heights, PIXEL_M), expected, 1e-5, trusted)


def test_where_the_slope_does_not_twist_it_is_the_greater_section(heights, trusted, richdem):
    greater = np.maximum(richdem["planform_curvature"], -richdem["profile_curvature"])
    greatest = maximum_curvature(heights, PIXEL_M)
    parts = np.abs(richdem["planform_curvature"] + richdem["profile_curvature"]) / 2
    twist = np.sqrt(np.maximum((greatest - richdem["curvature"] / 2) ** 2 - parts**2, 0))
    straight = trusted & (twist < 0.05 * parts)
    assert_close(greatest / parts, greater / parts, 1.3e-3, straight, least=100)
