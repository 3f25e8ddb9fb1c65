"""Zones, isolines, equilibrium line and the area-altitude distribution, on shapes with known answers."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from rasterio.transform import Affine
from shapely.geometry import Point, Polygon, box, mapping

from pipeline.grid import Grid
from pipeline.mass_balance.field import thinning
from pipeline.mass_balance.field.thinning import thinned
from pipeline.mass_balance.glacier_wide.contour_method import (
    class_levels,
    classes_of_outline,
    contour_balance,
    isolines,
)
from pipeline.mass_balance.glacier_wide.equilibrium_line import accumulation_area_ratio, equilibrium_line
from pipeline.mass_balance.glacier_wide.zoning import gradient_balance, zone_mean, zones_of_points
from pipeline.mass_balance.ground.hypsometry import (
    Hypsometry,
    hypsometry_of_year,
    read_surveys,
)
from pipeline.mass_balance.ground.surveyed_outlines import read_surveyed_outlines
from schemas.errors import BadInput
from tests.oracles.contour_by_pixels import classes_of_pixels

CRS = "EPSG:32645"
GRID = Grid(CRS, Affine(10, 0, 500_000, 0, -20, 4_800_000), (90, 120))


def bands(*areas: float, lowest: float = 3400.0, height: float = 100.0) -> Hypsometry:
    lower = lowest + height * np.arange(len(areas))
    return Hypsometry(lower, lower + height, np.array(areas, float))


# --- isolines ----------------------------------------------------------------------------------------------------


def plane(gradient_east: float, gradient_north: float) -> np.ndarray:
    easting, northing = np.meshgrid(*GRID.centres())
    return gradient_east * (easting - 500_600) + gradient_north * (northing - 4_799_100)


def test_isolines_of_a_plane_cut_a_rectangle_into_exact_strips() -> None:
    """b = 0.002 (E - 500600) over 500200..501000: from -0.8 to 0.8 in strips of 100 m for every 0.2 m w.e."""
    outline = box(500_200, 4_798_600, 501_000, 4_799_600)
    classes = classes_of_outline(GRID, plane(0.002, 0), outline, 0.2)
    assert [(part.lower_m_we, part.upper_m_we) for part in classes] == [
        pytest.approx((k * 0.2, (k + 1) * 0.2)) for k in range(-4, 4)
    ]
    assert [part.area for part in classes] == pytest.approx([100 * 1000] * 8)
    assert contour_balance(classes) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("interval", [0.5, 0.2, 0.05])
def test_the_contour_method_converges_to_the_exact_integral(interval: float) -> None:
    """A disc under a tilted plane: the mean is the plane's value at the centre; the class middles are off by < i/2."""
    outline = Point(500_650, 4_799_050).buffer(380, quad_segs=64)
    exact = 0.002 * 50 - 0.0015 * 50
    classes = classes_of_outline(GRID, plane(0.002, 0.0015), outline, interval)
    assert sum(part.area for part in classes) == pytest.approx(outline.area, rel=1e-9)
    assert contour_balance(classes) == pytest.approx(exact, abs=0.02 * interval)


def test_isoline_polygons_and_pixel_classes_agree() -> None:
    """A bowl, whose classes are rings: polygons with holes against a histogram of fine pixels."""
    grid = Grid(CRS, Affine(2, 0, 500_000, 0, -2, 4_800_000), (500, 500))
    easting, northing = np.meshgrid(*grid.centres())
    bowl = ((easting - 500_480) ** 2 + (northing - 4_799_520) ** 2) / 1e5 - 1.0
    outline = Polygon([(500_100, 4_799_150), (500_850, 4_799_200), (500_800, 4_799_850), (500_200, 4_799_900)])
    from_polygons = classes_of_outline(grid, bowl, outline, 0.25)
    inside = np.array([outline.contains(Point(e, n)) for e, n in zip(easting.ravel(), northing.ravel(), strict=True)])
    from_pixels = classes_of_pixels(bowl.ravel()[inside], np.full(inside.sum(), 4.0), 0.25)
    assert contour_balance(from_polygons) == pytest.approx(contour_balance(from_pixels), abs=0.002)
    areas = [part.area for part in from_pixels if part.area]
    assert [part.area for part in from_polygons] == pytest.approx(areas, rel=0.005, abs=20)


def test_isolines_stay_inside_the_outline() -> None:
    outline = Point(500_650, 4_799_050).buffer(300)
    lines = isolines(GRID, plane(0.002, 0), outline, 0.25)
    assert [line.balance_m_we for line in lines] == pytest.approx([-0.25, 0.0, 0.25, 0.5])
    for line in lines:
        assert outline.buffer(1e-6).contains(line.geometry)
        assert line.geometry.bounds[0] == pytest.approx(500_600 + line.balance_m_we / 0.002)


@pytest.mark.parametrize("step", [2, 3, 4])
def test_isolines_drawn_through_every_kth_pixel_stay_in_place(monkeypatch, step: int) -> None:
    field = plane(0.002, 0.0015)
    monkeypatch.setattr(thinning, "DRAWN_PIXELS", field.size // step**2)
    grid, chosen = thinned(GRID, field)
    assert (chosen == field[::step, ::step]).all()
    easting, northing = grid.centres()
    assert easting == pytest.approx(GRID.centres()[0][::step])
    assert northing == pytest.approx(GRID.centres()[1][::step])
    outline = Point(500_600, 4_799_100).buffer(330)
    coarse, fine = (classes_of_outline(*of, outline, 0.2) for of in ((grid, chosen), (GRID, field)))
    assert [part.area for part in coarse] == pytest.approx([part.area for part in fine])
    assert sum(part.area for part in coarse) == pytest.approx(outline.area)


@given(st.floats(-6, 3), st.floats(0, 5), st.sampled_from([0.1, 0.25, 0.5, 1.0]))
def test_levels_enclose_the_field(lowest: float, spread: float, interval: float) -> None:
    levels = class_levels(lowest, lowest + spread, interval)
    assert levels[0] <= lowest + 1e-9
    assert levels[-1] >= lowest + spread - 1e-9
    assert np.diff(levels) == pytest.approx(interval)


# --- zones -------------------------------------------------------------------------------------------------------


def test_zones_average_interpolate_and_extrapolate_by_rule() -> None:
    elevation = np.array([3520.0, 3580.0, 3750.0])
    balance = np.array([-1.2, -0.8, 0.5])
    zones = zones_of_points(bands(1, 2, 3, 4, 5), elevation)
    assert zones.basis == ("extrapolated", "observed", "interpolated", "observed", "extrapolated")
    assert zones.counts == (0, 2, 0, 1, 0)
    slope = np.polyfit(elevation, balance, 1)[0]
    expected = [-1.0 - 100 * slope, -1.0, -0.25, 0.5, 0.5 + 100 * slope]
    assert zones.weights @ balance == pytest.approx(expected)
    assert zones.observed_share == pytest.approx(6 / 15)


@given(st.lists(st.floats(3300, 3950), min_size=1, max_size=12))
def test_zone_weights_add_up_to_one(elevation: list[float]) -> None:
    zones = zones_of_points(bands(1, 2, 3, 4, 5), np.array(elevation))
    assert zones.weights.sum(axis=1) == pytest.approx(1.0)
    assert zones.area_weights.sum() == pytest.approx(1.0)


def test_a_straight_balance_profile_gives_every_method_the_same_mean() -> None:
    elevation = np.array([3450.0, 3550.0, 3650.0, 3750.0, 3850.0])
    distribution = bands(1, 2, 3, 2, 1)
    balance = 0.005 * (elevation - 3700)
    zones = zones_of_points(distribution, elevation)
    straight, slope = gradient_balance(distribution, elevation, balance)
    assert slope == pytest.approx(0.5)
    assert zone_mean(distribution, zones.weights @ balance) == pytest.approx(-0.25)
    assert straight == pytest.approx(-0.25)


# --- equilibrium line --------------------------------------------------------------------------------------------


def test_the_line_is_interpolated_between_band_middles() -> None:
    distribution = bands(1, 1, 1, 1)
    line = equilibrium_line(*_columns(distribution), np.array([-2.0, -1.0, 0.5, 1.0]))
    assert (line.elevation_m, line.position) == (pytest.approx(3550 + 100 * 2 / 3), "=")
    ratio = accumulation_area_ratio(*_columns(distribution), line)
    assert ratio == pytest.approx((3800 - line.elevation_m) / 400)


@pytest.mark.parametrize(
    ("balance", "position", "elevation", "ratio"), [(-1.0, ">", 3702.0, 0.0), (1.0, "<", 3410.0, 1.0)]
)
def test_no_line_on_the_glacier_is_said_with_a_sign_and_never_extrapolated(balance, position, elevation, ratio) -> None:
    profile = balance + np.array([-0.3, -0.1, 0.1, 0.3])
    line = equilibrium_line(*_columns(bands(1, 1, 1, 1)), profile, span_m=(3410.0, 3702.0))
    assert (line.position, line.elevation_m) == (position, elevation)
    assert accumulation_area_ratio(*_columns(bands(1, 1, 1, 1)), line) == ratio


def test_of_several_lines_the_one_that_misplaces_least_area_counts() -> None:
    profile = np.array([-2.0, 0.1, -0.5, 1.0, 1.5])
    line = equilibrium_line(*_columns(bands(5, 0.1, 5, 5, 5)), profile)
    assert line.crossings == 2
    assert 3650 < line.elevation_m < 3750


def test_bands_without_area_do_not_hold_a_line() -> None:
    line = equilibrium_line(*_columns(bands(1, 1, 0)), np.array([-2.0, -1.0, 5.0]), span_m=(3400, 3600))
    assert line.position == ">"


def _columns(distribution: Hypsometry):
    return distribution.lower_m, distribution.upper_m, distribution.area_km2


# --- surface -----------------------------------------------------------------------------------------------------


def write_dem(path, values: np.ndarray, crs: str | None = CRS, nodata: float = -9999.0) -> None:
    profile = {"driver": "GTiff", "height": values.shape[0], "width": values.shape[1], "count": 1, "dtype": "float32"}
    with rasterio.open(path, "w", **profile, crs=crs, transform=GRID.transform, nodata=nodata) as file:
        file.write(values.astype("float32"), 1)


def write_outline(path, *shapes, crs: str | None = "urn:ogc:def:crs:EPSG::32645", names=()) -> None:
    features = [
        {"type": "Feature", "properties": {"id": names[k] if names else str(k)}, "geometry": mapping(shape)}
        for k, shape in enumerate(shapes)
    ]
    collection: dict = {"type": "FeatureCollection", "features": features}
    if crs:
        collection["crs"] = {"type": "name", "properties": {"name": crs}}
    path.write_text(json.dumps(collection))


OUTLINE = box(500_200, 4_798_600, 501_000, 4_799_600)


def test_area_altitude_distribution_of_a_plane_is_exact(tmp_path) -> None:
    """3000 m at the southern edge, 1 m up for every metre north: every band of 100 m holds 0.08 km2."""
    northing = np.meshgrid(*GRID.centres())[1]
    write_dem(tmp_path / "dem.tif", 3000 + (northing - 4_798_600))
    write_outline(tmp_path / "outline.geojson", OUTLINE)
    distribution = read_surveys(tmp_path / "dem.tif", tmp_path / "outline.geojson", ("X", CRS), 10.0, 100.0)[-1].bands
    assert distribution.total_km2 == pytest.approx(0.8)
    assert distribution.lower_m.tolist() == [3000 + 100 * k for k in range(10)]
    assert distribution.area_km2 == pytest.approx(0.08)


def test_the_glacier_is_chosen_by_its_identifier(tmp_path) -> None:
    write_outline(tmp_path / "o.geojson", OUTLINE, box(0, 0, 10, 10), names=("CN5Y741C0051", "other"))
    outlines = read_surveyed_outlines(tmp_path / "o.geojson", "CN5Y741C0051", CRS)
    assert [shape.area for shape in outlines.values()] == [pytest.approx(800_000)]


def test_bad_surfaces_are_refused_with_the_file_named(tmp_path) -> None:
    dem, outline = tmp_path / "dem.tif", tmp_path / "outline.geojson"
    values = np.full(GRID.shape, 3000.0)
    write_dem(dem, values)
    write_outline(outline, OUTLINE)

    def read(**changed) -> None:
        read_surveys(changed.get("dem", dem), changed.get("outline", outline), ("X", CRS), 10.0, 50.0)

    with pytest.raises(BadInput, match=r"none.tif: found no such file; expected a DEM"):
        read(dem=tmp_path / "none.tif")
    with pytest.raises(BadInput, match=r"none.geojson: found no such file; expected an outline"):
        read(outline=tmp_path / "none.geojson")
    (tmp_path / "text.tif").write_text("no raster")
    with pytest.raises(BadInput, match=r"text.tif: found an unreadable raster"):
        read(dem=tmp_path / "text.tif")
    (tmp_path / "text.geojson").write_text("no outline")
    with pytest.raises(BadInput, match=r"text.geojson: found .*; expected an outline"):
        read(outline=tmp_path / "text.geojson")
    write_dem(tmp_path / "bare.tif", values, crs=None)
    with pytest.raises(BadInput, match=r"bare.tif: found no coordinate reference system"):
        read(dem=tmp_path / "bare.tif")
    write_outline(tmp_path / "far.geojson", box(700_000, 4_798_600, 701_000, 4_799_600))
    with pytest.raises(BadInput, match=r"dem.tif: found a DEM that does not reach the outline"):
        read(outline=tmp_path / "far.geojson")
    write_outline(tmp_path / "knot.geojson", Polygon([(500_200, 4_798_600), (501_000, 4_799_600), (501_000, 4_798_600), (500_200, 4_799_600)]))  # fmt: skip  # noqa: E501  # one ring
    with pytest.raises(BadInput, match=r"knot.geojson: found invalid geometry: Self-intersection"):
        read(outline=tmp_path / "knot.geojson")
    write_outline(tmp_path / "point.geojson", Point(500_300, 4_799_000))
    with pytest.raises(BadInput, match=r"point.geojson: found 1 features, no polygon"):
        read(outline=tmp_path / "point.geojson")
    values[:, :60] = -9999
    write_dem(tmp_path / "void.tif", values)
    with pytest.raises(BadInput, match=r"void.tif: found no elevation over 5\d% of the outline"):
        read(dem=tmp_path / "void.tif")


def test_the_distribution_of_a_year_is_the_nearest_earlier_one() -> None:
    table = pd.DataFrame(
        [(2000, 3400, 3500, 1.0), (2000, 3500, 3600, 2.0), (2005, 3400, 3500, 0.9), (2005, 3500, 3600, 1.9)],
        columns=["year", "lower_m", "upper_m", "area_km2"],
    )
    assert hypsometry_of_year(table, 2003).year == 2000
    assert hypsometry_of_year(table, 2005).area_km2.tolist() == [0.9, 1.9]
    assert hypsometry_of_year(table, 1990).year == 2000
