"""The pictures: colours that can be read by everybody, the right pixels, sizes, the same bytes."""

from __future__ import annotations

from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image
from rasterio.features import rasterize
from rasterio.transform import Affine
from shapely.geometry import Polygon, box

from catalog.figures import balance_maps as figures
from catalog.figures import change_picture
from catalog.figures import elevation_change as change_figures
from catalog.figures import frame as figure_frame
from catalog.figures.change_picture import ChangePicture, change_limit, known_window, outlined_pixels, overview
from catalog.figures.colours import amount_colours, change_colours, hillshade, paint, symmetric_limit
from pipeline.blocks import StoredArray
from pipeline.elevation_change.result import GLACIER, STABLE
from pipeline.grid import Grid
from tests.made.fakes import make_elevation_change_dataset, make_mass_balance_dataset
from tests.made.year_drawings import draw_balance_map

# seconds of drawing or computing each
pytestmark = pytest.mark.slow

# simulation of colour-vision deficiency, severity 1 (Machado et al., 2009, table 1), on linear RGB
DEFICIENCIES = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def linear(rgb):
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(linear_rgb):
    """CIELAB (D65) of linear sRGB, written apart from the module under test (Lindbloom's matrices)."""
    matrix = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    xyz = linear_rgb @ np.array(matrix).T / [0.95047, 1.0, 1.08883]
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.column_stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])])


def seen_with(deficiency, rgb):
    matrix = DEFICIENCIES.get(deficiency)
    return lab(linear(rgb) if matrix is None else np.clip(linear(rgb) @ np.array(matrix).T, 0, 1))


@pytest.fixture(scope="module")
def change():
    return make_elevation_change_dataset().result


@pytest.fixture(scope="module")
def balance():
    return make_mass_balance_dataset().result


@pytest.mark.parametrize("colours", [change_colours(), amount_colours()], ids=["change", "amount"])
def test_the_scales_take_even_steps(colours):
    assert colours.shape == (256, 3)
    assert (colours >= 0).all()
    assert (colours <= 1).all()
    # a whole scale of 8 steps, coarse enough for 8-bit noise not to matter
    steps = np.linalg.norm(np.diff(lab(linear(colours[:: 255 // 15])), axis=0), axis=1)
    steps = np.delete(steps, len(steps) // 2) if colours is change_colours() else steps
    assert steps.max() / steps.min() < 1.35


def test_the_change_scale_is_centred_on_a_light_neutral_and_darkens_alike_on_both_sides():
    values = lab(linear(change_colours()))
    assert values[127, 0] > 95
    assert np.abs(values[127:129, 1:]).max() < 2
    lightness = values[:, 0]
    assert (np.diff(lightness[:128]) > 0).all()
    assert (np.diff(lightness[128:]) < 0).all()
    assert np.abs(lightness[:128] - lightness[128:][::-1]).max() < 6


@pytest.mark.parametrize("deficiency", ["none", *DEFICIENCIES])
def test_loss_and_gain_are_told_apart_by_every_reader(deficiency):
    seen = seen_with(deficiency, change_colours())
    # the same size of change, a quarter of the scale and more, on either side
    distance = np.linalg.norm(seen[:96] - seen[160:][::-1], axis=1)
    assert distance.min() > 20


@pytest.mark.parametrize(
    ("values", "limit"),
    [
        (np.full(100, 7.3), 8),
        (np.linspace(-0.42, 0.42, 1000), 0.5),
        (np.array([np.nan]), 1),
        (np.zeros(5), 1),
        ([0.0104], 0.015),
    ],
)
def test_the_scale_ends_at_a_number_that_reads_well(values, limit):
    assert symmetric_limit(np.asarray(values, float)) == pytest.approx(limit)


def test_paint_puts_loss_in_red_gain_in_blue_and_void_in_white():
    painted = paint(np.array([-5.0, 0.0, 5.0, np.nan, -1e9]), 5.0)
    assert painted[0][0] > painted[0][2] + 0.2
    assert painted[2][2] > painted[2][0] + 0.2
    assert painted[1].min() > 0.9
    assert (painted[3] == 1).all()
    assert (painted[4] == painted[0]).all()


def test_the_relief_is_lit_from_the_north_west():
    rows, columns = np.mgrid[:40, :60].astype(float)
    west_slope, east_slope = 20 * columns, -20 * columns  # rising eastwards faces west
    assert hillshade(west_slope, (30.0, 20.0)).mean() > hillshade(east_slope, (30.0, 20.0)).mean() + 0.2
    north_slope, south_slope = 20 * rows, -20 * rows  # rising southwards faces north
    assert hillshade(north_slope, (30.0, 20.0)).mean() > hillshade(south_slope, (30.0, 20.0)).mean() + 0.2


def test_a_single_line_of_pixels_is_shaded_too():
    shade = hillshade(np.array([[1.0, 3.0, 5.0]]), (10.0, 10.0))
    assert shade.shape == (1, 3)
    assert np.isfinite(shade).all()


def whole(picture):
    return picture[:, :, :]


def composite_at_once(surface_m, dh_m, glacier, pixel_m, limit):
    """The picture made of whole arrays in one go."""
    shade = hillshade(surface_m, pixel_m)
    known = np.isfinite(dh_m)
    relief = np.where(np.isfinite(shade), 0.45 + 0.55 * shade, 0.9).astype(np.float32)
    strength = np.where(known, np.where(glacier, 1.0, 0.16), 0.0).astype(np.float32)
    light = np.where(glacier & known, 0.8 + 0.2 * relief, relief)
    nothing = ~np.isfinite(shade) & ~known
    bands = [
        np.where(nothing, 0, np.clip(np.rint((1 - strength + strength * colour) * light * 255), 1, 255))
        for colour in np.moveaxis(paint(dh_m, limit), -1, 0)
    ]
    return np.array(bands, np.uint8)


@pytest.mark.parametrize("at_once", [1, 1700, 10**9])
def test_the_picture_is_the_same_however_it_is_computed(change, monkeypatch, at_once):
    monkeypatch.setattr(change_picture, "_PIXELS_AT_ONCE", at_once)
    glacier = change.classification == GLACIER
    pixel_m = change.grid.pixel_size
    expected = composite_at_once(change.surface_m, change.dh_m, glacier, pixel_m, 5.0)
    picture = ChangePicture(change, 5.0)
    assert picture.shape == expected.shape
    assert (whole(picture) == expected).all()
    rows = [picture[:, start : start + 64, :] for start in range(0, change.grid.shape[0], 64)]
    assert (np.concatenate(rows, axis=1) == expected).all()
    assert (picture[1:, 17:90, 40:41] == expected[1:, 17:90, 40:41]).all()
    thinned = (slice(1, None, 3), slice(1, None, 3))
    small = composite_at_once(
        change.surface_m[thinned], change.dh_m[thinned], glacier[thinned], (3 * pixel_m[0], 3 * pixel_m[1]), 5.0
    )
    assert (picture[:, 1::3, 1::3] == small).all()


def test_without_outlines_everything_carries_the_full_colour(change):
    bare = make_changed(change, outlines=None)
    everywhere = np.ones(change.grid.shape, bool)
    expected = composite_at_once(change.surface_m, change.dh_m, everywhere, change.grid.pixel_size, 5.0)
    assert (whole(ChangePicture(bare, 5.0)) == expected).all()


def test_the_composite_colours_glaciers_and_mutes_the_rest(change):
    picture = whole(ChangePicture(change, change_limit(change))).astype(float)
    saturation = picture.max(axis=0) - picture.min(axis=0)
    large = np.abs(change.dh_m) > 4
    glacier, stable = change.classification == GLACIER, change.classification == STABLE
    assert saturation[glacier & large].mean() > 4 * saturation[stable].mean()
    thinned = glacier & (change.dh_m < -3)
    assert (picture[0][thinned] > picture[2][thinned]).all()


def test_no_data_is_zero_and_nothing_drawn_is(change):
    hole = np.array(change.surface_m)
    dh = np.array(change.dh_m)
    hole[:30, :50] = dh[:30, :50] = np.nan
    picture = whole(ChangePicture(make_changed(change, surface_m=hole, dh_m=dh), 5.0))
    assert (picture[:, :29, :49] == 0).all()  # the shading needs a neighbour: the hole's rim counts as unknown
    assert (picture[:, 40:, 60:] > 0).all()


def make_changed(result, **changes):
    return type(result)(**{**result.__dict__, **changes})


def test_outlines_are_burnt_into_the_visual(change):
    plain = whole(ChangePicture(change, 5.0))
    picture = ChangePicture(change, 5.0, outlined_pixels(change.outlines.geometry, change.grid))
    drawn = whole(picture)
    differs = (plain != drawn).any(axis=0)
    west, south, east, north = change.grid.bounds
    corners = np.vstack([np.asarray(shape.exterior.coords) for shape in change.outlines.geometry])
    inside = (corners[:, 0] > west) & (corners[:, 0] < east) & (corners[:, 1] > south) & (corners[:, 1] < north)
    rows, columns = change.grid.index_of(corners[inside, 0], corners[inside, 1])
    hit = differs[np.rint(rows).astype(int), np.rint(columns).astype(int)]
    assert hit.mean() > 0.9  # a corner on the border of two pixels may fall into the other
    assert 0.001 < differs.mean() < 0.05
    assert (picture[:, 31:77, 5:200] == drawn[:, 31:77, 5:200]).all()
    assert (picture[:, ::2, 1::2] == np.where(differs, drawn, 0)[:, ::2, 1::2])[:, differs[::2, 1::2]].all()


def test_outlined_pixels_are_those_of_burning_everything_at_once(change):
    grid = change.grid
    west, south, east, north = grid.bounds
    shapes = [
        *change.outlines.geometry,
        box(west - 500, north - 900, west + 700, north + 400),  # across a corner
        box(east + 10, south, east + 900, south + 300),  # beside the grid
        Polygon(),
        Polygon([(west + 100, south + 90), (west + 101, south + 90), (west + 101, south + 91)]),  # within a pixel
        box(west + 600, south + 600, west + 900, south + 900),  # along the borders of pixels
    ]
    lines = [(shape.boundary, 1) for shape in shapes if not shape.is_empty]
    expected = np.flatnonzero(rasterize(lines, out_shape=grid.shape, transform=grid.transform, dtype="uint8"))
    assert (outlined_pixels(shapes, grid) == expected).all()
    assert len(expected) > 500
    assert outlined_pixels([], grid).size == 0


class Watched:
    """A raster that notes how many pixels were taken of it at most at once."""

    def __init__(self, values):
        self._values, self.shape, self.dtype, self.most = values, values.shape, values.dtype, 0

    def __getitem__(self, window):
        taken = self._values[window]
        self.most = max(self.most, taken.size)
        return taken


def test_a_large_raster_is_drawn_from_some_of_its_pixels(tmp_path, change, monkeypatch):
    monkeypatch.setattr(change_picture, "MOST_PIXELS_ASIDE", 40)
    rasters = {name: Watched(getattr(change, name)) for name in ("dh_m", "surface_m", "classification")}
    watched = make_changed(change, **rasters)
    change_figures.draw_change_map(tmp_path / "m.png", watched, "Basin", False)
    change_figures.draw_change_thumbnail(tmp_path / "t.png", watched, "Basin", False)
    assert max(raster.most for raster in rasters.values()) <= 40 * 40
    assert change_limit(watched) == pytest.approx(change_limit(change), rel=0.5)


def test_stored_rasters_are_drawn_as_arrays_are(tmp_path, change):
    stored = {}
    for name in ("dh_m", "surface_m", "classification"):
        values = getattr(change, name)
        stored[name] = StoredArray(tmp_path / name, values.shape, values.dtype)
        stored[name][:, :] = values
    for name, result in (("arrays", change), ("stored", make_changed(change, **stored))):
        change_figures.draw_change_map(tmp_path / f"{name}.png", result, "Basin", False)
    assert (tmp_path / "arrays.png").read_bytes() == (tmp_path / "stored.png").read_bytes()


def test_an_overview_lies_where_its_pixels_do(change):
    rows = change.grid.shape[0]
    west, _, _, north = change.grid.bounds
    seen = overview(change, 5.0)
    assert seen.extent == change.grid.bounds
    assert (seen.rgb == whole(ChangePicture(change, 5.0))).all()
    seen = overview(change, 5.0, (slice(12, rows), slice(30, 71)))
    assert seen.rgb.shape == (3, rows - 12, 41)
    assert (seen.extent[0], seen.extent[3]) == (west + 30 * 30, north - 12 * 30)


def test_maps_leave_out_what_neither_dem_covers(change):
    rows, columns = change.grid.shape
    assert known_window(change) == (slice(0, rows), slice(0, columns))
    surface, dh = np.array(change.surface_m), np.array(change.dh_m)
    for values in (surface, dh):
        values[:50] = values[:, :70] = values[:, 200:] = np.nan
    part = known_window(make_changed(change, surface_m=surface, dh_m=dh))
    assert part == (slice(49, rows), slice(69, 201))
    nothing = np.full_like(surface, np.nan)
    assert known_window(make_changed(change, surface_m=nothing, dh_m=nothing))[0] == slice(0, rows)


@pytest.mark.parametrize("shape", [(60, 400), (150, 340), (400, 90)])
def test_thumbnails_stay_below_600_pixels(tmp_path, shape):
    result = make_elevation_change_dataset(shape).result
    change_figures.draw_change_thumbnail(tmp_path / "t.png", result, "A basin", True)
    size = Image.open(tmp_path / "t.png").size
    assert max(size) < 600
    assert max(size) > 400


def test_the_word_synthetic_is_drawn_only_where_so(tmp_path, change):
    for synthetic in (True, False):
        change_figures.draw_change_thumbnail(tmp_path / f"{synthetic}.png", change, "A basin", synthetic)
        change_figures.draw_stable_terrain(tmp_path / f"h{synthetic}.png", change, synthetic)
    for name in ("", "h"):
        marked, plain = (np.asarray(Image.open(tmp_path / f"{name}{s}.png").convert("RGB"), int) for s in (True, False))
        ochre = (np.abs(marked - (154, 91, 18)).max(axis=-1) < 12).sum()
        assert ochre > 100
        assert (np.abs(plain - (154, 91, 18)).max(axis=-1) < 12).sum() == 0


def test_a_map_of_a_sliver_has_the_height_of_a_page(tmp_path):
    """Six columns that two DEMs share: drawn as wide as others they would be sixty pages high."""
    sliver = make_elevation_change_dataset((700, 60)).result
    whole = sliver.grid.shape
    change_figures.draw_change_map(tmp_path / "m.png", sliver, "Basin", False)
    width, height = Image.open(tmp_path / "m.png").size
    assert whole == (700, 60)
    assert height < 16 * 150 + 500
    assert height > 2 * width


def test_a_wide_map_shows_its_densest_window_below(tmp_path, change):
    change_figures.draw_change_map(tmp_path / "small.png", change, "Basin", False)
    wide = make_elevation_change_dataset((220, 1000)).result
    change_figures.draw_change_map(tmp_path / "wide.png", wide, "Basin", False)
    window = change_figures._densest_window(wide, known_window(wide))
    glacier = wide.classification == GLACIER
    height, width = (part.stop - part.start for part in window)
    assert glacier[window].mean() > 2 * glacier.mean()
    assert (height, width) == (125, 250)
    small, large = (Image.open(tmp_path / f"{name}.png").size for name in ("small", "wide"))
    assert large[1] / large[0] > 220 / 1000 + 0.4
    assert small[0] == large[0]


def test_a_result_without_outlines_and_totals_can_be_drawn(tmp_path, change):
    bare = make_changed(change, outlines=None, totals=None, classification=np.ones_like(change.classification))
    change_figures.draw_change_map(tmp_path / "m.png", bare, "Two rasters", False)
    change_figures.draw_change_thumbnail(tmp_path / "t.png", bare, "Two rasters", False)
    assert Image.open(tmp_path / "m.png").size[0] == 1200


def test_balance_maps_share_one_scale_and_name_the_years(tmp_path, balance):
    fields = [year.field.balance_m_we for year in balance.years if year.field is not None]
    largest = max(np.nanmax(np.abs(field)) for field in fields)
    assert largest * 0.9 < figures.balance_limit(balance) < largest * 1.6
    for year in balance.years:
        if year.field is not None:
            draw_balance_map(tmp_path / f"{year.year}.png", balance, year, "A glacier", True)
    first, last = (np.asarray(Image.open(tmp_path / f"{year}.png").convert("RGB")) for year in (2001, 2003))
    assert (first != last).any()
    with pytest.raises(ValueError, match="2002: no balance field"):
        draw_balance_map(tmp_path / "x.png", balance, balance.years[1], "A glacier", True)


def test_points_are_drawn_where_they_stand_in_either_kind_of_coordinates(balance):
    table = balance.tables["point_balances"].copy()
    points = figures.annual_points(balance, 2001, "EPSG:32645")
    assert len(points) == 18
    by_degrees = figures.annual_points(balance, 2001, "EPSG:4326")
    table[["longitude", "latitude"]] = np.nan
    table.loc[table["year"] == 2001, "longitude"] = by_degrees["easting"].to_numpy()
    table.loc[table["year"] == 2001, "latitude"] = by_degrees["northing"].to_numpy()
    table[["easting", "northing"]] = np.nan
    moved = make_changed(balance, tables={**balance.tables, "point_balances": table})
    again = figures.annual_points(moved, 2001, "EPSG:32645")
    assert again["easting"].to_numpy() == pytest.approx(points["easting"].to_numpy(), abs=0.01)
    assert again["northing"].to_numpy() == pytest.approx(points["northing"].to_numpy(), abs=0.01)
    assert figures.annual_points(moved, 2003, "EPSG:32645").empty


def test_a_cumulative_balance_does_not_cross_a_gap():
    assert figures._unbroken(np.array([2000, 2001, 2003])) == [slice(0, 2), slice(2, 3)]
    assert figures._unbroken(np.array([1999])) == [slice(0, 1)]


@pytest.mark.parametrize(
    ("given", "drawn"),
    [
        ("Haxilegen Glacier No. 51", "Haxilegen Glacier No. 51"),
        ("冰川 No. 1", "No. 1"),
        ("cost $5 <script>", "cost $5 <script>"),
        ("a\u202eb\x07", "a b"),
    ],
)
def test_titles_hold_what_the_font_can_set(given, drawn):
    assert figure_frame.plain_text(given) == drawn


def test_a_long_title_is_set_smaller_and_then_cut():
    text = "Glacier elevation change"
    assert figure_frame.fitted(text, 400, 11) == (text, 11)
    same, smaller = figure_frame.fitted(text, 140, 11)
    assert same == text
    assert 7 < smaller < 11
    cut, smallest = figure_frame.fitted("word " * 200, 300, 11)
    assert cut.endswith("…")
    assert 20 < len(cut) < 100
    assert smallest == pytest.approx(0.65 * 11)


def test_a_title_is_parted_near_its_middle():
    assert figure_frame.halved("Glacier elevation change in a basin") == ("Glacier elevation", "change in a basin")
    assert figure_frame.halved("Glacier") == ("Glacier", "")


def test_a_dollar_sign_is_no_formula(tmp_path, change):
    change_figures.draw_change_thumbnail(tmp_path / "t.png", change, r"$\frac{", False)
    assert (tmp_path / "t.png").stat().st_size > 0


def test_the_reader_s_own_settings_change_nothing(tmp_path, change, balance):
    drawings = {
        "map": lambda path: change_figures.draw_change_map(path, change, "Basin", True),
        "variogram": lambda path: change_figures.draw_variogram(path, change, True),
        "series": lambda path: figures.draw_balance_series(path, balance, True),
    }
    for name, draw in drawings.items():
        draw(tmp_path / f"{name}1.png")
        with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "image.interpolation": "nearest"}):
            draw(tmp_path / f"{name}2.png")
            assert mpl.rcParams["font.size"] == 30
        content = (tmp_path / f"{name}1.png").read_bytes()
        assert content == (tmp_path / f"{name}2.png").read_bytes()
        assert b"Software" not in content
        assert b"tIME" not in content


def test_every_diagram_is_drawn(tmp_path, change):
    drawn = list(change_figures.diagrams_of(change))
    assert drawn == list(change_figures.DIAGRAMS)
    for diagram in drawn:
        diagram.draw(tmp_path / f"{diagram.name}.png", change, False)
    for path in tmp_path.iterdir():
        picture = np.asarray(Image.open(path).convert("L"))
        assert picture.shape[1] >= 900
        assert picture.std() > 10  # something is drawn
        assert path.stat().st_size < 120_000


def test_diagrams_without_numbers_are_left_out(change):
    tables = {**change.tables, "accuracy": change.tables["accuracy"].query("`class` == 'all'")}
    tables |= {name: tables[name].iloc[:0] for name in ("elevation_bands", "resolution")}
    patches = {**change.figures["patches"], "standardised": np.empty(0)}
    bare = make_changed(change, tables=tables, figures={"patches": patches, "dem_checks": {}})
    assert list(change_figures.diagrams_of(bare)) == []
    some = make_changed(bare, figures={"variogram": change.figures["variogram"]})
    assert [diagram.name for diagram in change_figures.diagrams_of(some)] == ["variogram"]


def drawn_lines(monkeypatch, draw, result, tmp_path):
    """The lines of a diagram by label, as it was about to be saved."""
    kept = {}

    def keep(canvas, path, few_colours):
        for axes in canvas.figure.axes:
            kept.update({line.get_label(): line.get_xydata() for line in axes.lines})

    monkeypatch.setattr(figure_frame, "_save", keep)
    draw(tmp_path / "x.png", result, False)
    return kept


def test_the_cosines_are_drawn_before_and_after(change, monkeypatch, tmp_path):
    lines = drawn_lines(monkeypatch, change_figures.draw_aspect, change, tmp_path)
    curves = {label.split(":")[0]: points for label, points in lines.items() if "cos" in label}
    assert set(curves) == {"before", "after", "after, enlarged"}
    numbers = change.figures["aspect"]
    assert curves["before"][:, 1].max() == pytest.approx(numbers["fit_a"] + numbers["fit_c"], abs=0.01)
    assert curves["before"][curves["before"][:, 1].argmax(), 0] == numbers["fit_b_deg"]
    assert curves["after"][:, 1].max() == pytest.approx(0.32, abs=1e-4)


@pytest.mark.parametrize(("reference", "sign"), [("later", 1), ("earlier", -1)])
def test_the_fit_over_curvature_has_the_sign_of_the_difference(change, monkeypatch, tmp_path, reference, sign):
    result = make_changed(change, settings=change.settings.model_copy(update={"reference": reference}))
    fit = drawn_lines(monkeypatch, change_figures.draw_curvature, result, tmp_path)["fit"]
    assert fit[:, 0].tolist() == list(change.curvature.knots_per_100m)
    assert fit[:, 1].tolist() == [sign * bias for bias in change.curvature.bias_m]


def test_a_result_without_curvature_correction_can_be_drawn(change, tmp_path):
    change_figures.draw_curvature(tmp_path / "x.png", replace(change, curvature=None), False)
    assert (tmp_path / "x.png").stat().st_size > 5000


@pytest.mark.parametrize("shape", [(6, 50), (50, 6), (30, 31)])
def test_dem_checks_fit_maps_of_any_shape(change, tmp_path, shape):
    numbers = change.figures["dem_checks"]["earlier"]
    west, _, _, north = numbers["extent_m"]
    blank = np.zeros(shape)
    maps = dict.fromkeys(("void_share", "level_share", "lowest_m", "highest_m"), blank)
    extent = (west, north - shape[0] * 204.0, west + shape[1] * 204.0, north)
    own = {**numbers, **maps, "spikes": blank.astype(int), "extent_m": extent, "seams": []}
    result = make_changed(change, figures={"dem_checks": {"earlier": own, "later": own}})
    change_figures.draw_dem_checks(tmp_path / "x.png", result, True)
    width, height = Image.open(tmp_path / "x.png").size
    assert max(width, height) < 2300
    assert min(width, height) > 500


def test_dem_checks_show_where_one_of_the_dems_has_heights(change):
    numbers = change.figures["dem_checks"]["earlier"]
    void = np.ones((24, 50), np.float32)
    first, second = void.copy(), void.copy()
    first[3:9, 10:20], second[5:12, 15:40] = 0.5, 0
    checks = {"earlier": {**numbers, "void_share": first}, "later": {**numbers, "void_share": second}}
    cut = change_figures._where_either_has_heights(checks)
    assert cut["earlier"]["void_share"].shape == cut["later"]["spikes"].shape == (9, 30)
    assert (cut["later"]["lowest_m"] == numbers["lowest_m"][3:12, 10:40]).sum() > 200
    west, _, _, north = numbers["extent_m"]
    assert cut["earlier"]["extent_m"] == (west + 10 * 204, north - 12 * 204, west + 40 * 204, north - 3 * 204)
    empty = {role: {**numbers, "void_share": void} for role in ("earlier", "later")}
    assert change_figures._where_either_has_heights(empty)["later"]["void_share"].shape == (24, 50)


@pytest.mark.parametrize(
    ("ranges", "words"),
    [
        ((450.0,), "a range of 450 m"),
        ((70.0, 1500.0), "ranges of 70 m, 1.5 km"),
        (range(100, 600, 100), "5 ranges of 100 m to 500 m"),
    ],
)
def test_ranges_are_told_in_words(ranges, words):
    assert change_figures._span(np.array(ranges, float)) == words


def test_zero_has_no_sign():
    assert [change_figures._signed(value) for value in (-0.004, 0.0, -1.25, 2.0)] == ["0.00", "0.00", "−1.25", "+2.00"]


def test_a_grid_of_one_row_has_an_overview():
    grid = Grid("EPSG:32645", Affine(30.0, 0.0, 460020.0, 0.0, -30.0, 4794000.0), (1, 7))
    change = make_elevation_change_dataset().result
    line = np.arange(7.0)[np.newaxis]
    result = make_changed(change, grid=grid, dh_m=line, surface_m=line, classification=np.ones((1, 7), np.uint8))
    assert overview(result, 5.0).rgb.shape == (3, 1, 7)
