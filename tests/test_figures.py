"""The pictures: colours that can be read by everybody, the right pixels, sizes, the same bytes."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image
from shapely.geometry import LineString

from catalog import figures
from catalog.colours import amount_colours, change_colours, hillshade, paint, symmetric_limit
from pipeline.elevation_change.result import GLACIER, STABLE
from tests.fakes import make_elevation_change_dataset, make_mass_balance_dataset

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


def test_the_composite_colours_glaciers_and_mutes_the_rest(change):
    picture = figures.change_composite(change, figures.change_limit(change)).astype(float)
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
    changed = make_changed(change, surface_m=hole, dh_m=dh)
    picture = figures.change_composite(changed, 5.0)
    assert (picture[:, :29, :49] == 0).all()  # the shading needs a neighbour: the hole's rim counts as unknown
    assert (picture[:, 40:, 60:] > 0).all()


def make_changed(result, **changes):
    return type(result)(**{**result.__dict__, **changes})


def test_outlines_are_burnt_into_the_visual(change):
    plain = figures.change_composite(change, 5.0)
    drawn = figures.with_outlines(plain, change)
    differs = (plain != drawn).any(axis=0)
    west, south, east, north = change.grid.bounds
    corners = np.vstack([np.asarray(shape.exterior.coords) for shape in change.outlines.geometry])
    inside = (corners[:, 0] > west) & (corners[:, 0] < east) & (corners[:, 1] > south) & (corners[:, 1] < north)
    rows, columns = change.grid.index_of(corners[inside, 0], corners[inside, 1])
    hit = differs[np.rint(rows).astype(int), np.rint(columns).astype(int)]
    assert hit.mean() > 0.9  # a corner on the border of two pixels may fall into the other
    assert 0.001 < differs.mean() < 0.05


@pytest.mark.parametrize("shape", [(60, 400), (150, 340), (400, 90)])
def test_thumbnails_stay_below_600_pixels(tmp_path, shape):
    result = make_elevation_change_dataset(shape).result
    figures.draw_change_thumbnail(tmp_path / "t.png", result, "A basin", True)
    size = Image.open(tmp_path / "t.png").size
    assert max(size) < 600
    assert max(size) > 400


def test_the_word_synthetic_is_drawn_only_where_so(tmp_path, change):
    for synthetic in (True, False):
        figures.draw_change_thumbnail(tmp_path / f"{synthetic}.png", change, "A basin", synthetic)
        figures.draw_histogram(tmp_path / f"h{synthetic}.png", change.figures["histogram"], synthetic)
    for name in ("", "h"):
        marked, plain = (np.asarray(Image.open(tmp_path / f"{name}{s}.png").convert("RGB"), int) for s in (True, False))
        ochre = (np.abs(marked - (154, 91, 18)).max(axis=-1) < 12).sum()
        assert ochre > 100
        assert (np.abs(plain - (154, 91, 18)).max(axis=-1) < 12).sum() == 0


def test_a_wide_map_shows_its_densest_window_below(tmp_path, change):
    figures.draw_change_map(tmp_path / "small.png", change, "Basin", False)
    wide = make_elevation_change_dataset((220, 1000)).result
    figures.draw_change_map(tmp_path / "wide.png", wide, "Basin", False)
    window = figures._densest_window(wide)
    glacier = wide.classification == GLACIER
    height, width = (part.stop - part.start for part in window)
    assert glacier[window].mean() > 2 * glacier.mean()
    assert (height, width) == (125, 250)
    small, large = (Image.open(tmp_path / f"{name}.png").size for name in ("small", "wide"))
    assert large[1] / large[0] > 220 / 1000 + 0.4
    assert small[0] == large[0]


def test_a_result_without_outlines_and_totals_can_be_drawn(tmp_path, change):
    bare = make_changed(change, outlines=None, totals=None, classification=np.ones_like(change.classification))
    figures.draw_change_map(tmp_path / "m.png", bare, "Two rasters", False)
    figures.draw_change_thumbnail(tmp_path / "t.png", bare, "Two rasters", False)
    assert Image.open(tmp_path / "m.png").size[0] == 1200


def test_balance_maps_share_one_scale_and_name_the_years(tmp_path, balance):
    fields = [year.field.balance_m_we for year in balance.years if year.field is not None]
    largest = max(np.nanmax(np.abs(field)) for field in fields)
    assert largest * 0.9 < figures.balance_limit(balance) < largest * 1.6
    for year in balance.years:
        if year.field is not None:
            figures.draw_balance_map(tmp_path / f"{year.year}.png", balance, year, "A glacier", True)
    first, last = (np.asarray(Image.open(tmp_path / f"{year}.png").convert("RGB")) for year in (2001, 2003))
    assert (first != last).any()
    with pytest.raises(ValueError, match="2002: no balance field"):
        figures.draw_balance_map(tmp_path / "x.png", balance, balance.years[1], "A glacier", True)


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


def test_an_isoline_label_keeps_off_the_stakes():
    figure = figures.Figure()
    axes = figure.add_subplot()
    line = LineString([(0, 0), (100, 0)])
    figures._label_line(axes, line, "0.5", False, np.array([[20.0, 0.0], [50.0, 0.0]]))
    assert axes.texts[0].get_position()[0] > 80


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
    assert figures._plain(given) == drawn


def test_a_long_title_is_set_smaller_and_then_cut():
    text = "Glacier elevation change"
    assert figures._fitted(text, 400, 11) == (text, 11)
    same, smaller = figures._fitted(text, 140, 11)
    assert same == text
    assert 7 < smaller < 11
    cut, smallest = figures._fitted("word " * 200, 300, 11)
    assert cut.endswith("…")
    assert 20 < len(cut) < 100
    assert smallest == pytest.approx(0.65 * 11)


def test_a_title_is_parted_near_its_middle():
    assert figures._halved("Glacier elevation change in a basin") == ("Glacier elevation", "change in a basin")
    assert figures._halved("Glacier") == ("Glacier", "")


def test_a_dollar_sign_is_no_formula(tmp_path, change):
    figures.draw_change_thumbnail(tmp_path / "t.png", change, r"$\frac{", False)
    assert (tmp_path / "t.png").stat().st_size > 0


def test_the_reader_s_own_settings_change_nothing(tmp_path, change, balance):
    drawings = {
        "map": lambda path: figures.draw_change_map(path, change, "Basin", True),
        "variogram": lambda path: figures.draw_variogram(path, change.figures["variogram"], True),
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


def test_every_diagram_is_drawn(tmp_path, change, balance):
    figures.draw_aspect(tmp_path / "a.png", change.figures["aspect"], False)
    figures.draw_curvature(tmp_path / "c.png", change.figures["curvature"], False)
    figures.draw_hypsometry(tmp_path / "h.png", change.tables["elevation_bands"], False)
    figures.draw_balance_profiles(tmp_path / "p.png", balance, False)
    for name in "achp":
        picture = np.asarray(Image.open(tmp_path / f"{name}.png").convert("L"))
        assert picture.shape[1] >= 900
        assert picture.std() > 10  # something is drawn
        assert (tmp_path / f"{name}.png").stat().st_size < 120_000
