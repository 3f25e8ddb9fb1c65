"""Accuracy checks of a DEM: what is planted is found and named, and clean terrain raises no alarm."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from pyproj import Transformer
from rasterio.transform import Affine
from scipy import ndimage

from pipeline.blocks import row_blocks
from pipeline.elevation_change.dem_checks import tile_seams
from pipeline.elevation_change.dem_checks.checks import CheckedDem, check_table, dem_check_numbers
from pipeline.elevation_change.dem_checks.counts import (
    GLACIER,
    GLACIER_MEASURED,
    HYPSOMETRY_EDGES_M,
    LEVEL,
    MEASURED,
    SPIKES,
    CountLayout,
    dem_block_counts,
)
from pipeline.elevation_change.dem_checks.spikes import SpikeRule, distance_from_median, find_spikes, mirrored, spikes
from pipeline.elevation_change.dem_checks.tile_seams import measure_seam, tile_borders
from pipeline.elevation_change.dems.tile_set import missing_tiles, overlapping_tiles
from pipeline.elevation_change.dems.tiles import open_mosaic, read_native
from pipeline.grid import Grid
from schemas.tables import DEM_CHECKS
from tests.made.dem_reading import read_onto
from tests.made.synthetic_pairs import CRS, fractal, write_dem

WEST, NORTH, PIXEL_M = 400_000.0, 4_800_000.0, 30.0


@cache
def range_of_mountains(seed, ridged):
    """Rough ground down to the last pixel, 18 x 21 km: power falls as frequency^-2.2; ridged, it has knife edges."""
    rng = np.random.default_rng(seed)
    shape = (600, 700)
    frequency = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None, :])
    frequency[0, 0] = 1
    spectrum = (rng.normal(size=frequency.shape) + 1j * rng.normal(size=frequency.shape)) * frequency**-2.2
    spectrum[0, 0] = 0
    surface = np.fft.irfft2(spectrum, shape)
    surface /= surface.std()
    return (4000 + 800 * (1 - 2 * np.abs(surface) if ridged else surface)).astype(np.float32)


def alpine(shape, seed, ridged=True):
    """A corner of a range of mountains, to be changed at will."""
    return range_of_mountains(seed, ridged)[: shape[0], : shape[1]].copy()


def coarsened(heights, by=3):
    rows, columns = (size // by for size in heights.shape)
    cells = heights[: rows * by, : columns * by].reshape(rows, by, columns, by)
    return cells.mean(axis=(1, 3)).astype(np.float32)


def grid_of(shape, pixel=PIXEL_M):
    return Grid(CRS, Affine(pixel, 0, WEST, 0, -pixel, NORTH), shape)


def counted(heights, layout=None, glaciers=None, pixels=10**6):
    layout = layout or CountLayout(heights.shape, SpikeRule())
    parts = [
        dem_block_counts(
            heights[block.widened(layout.halo, heights.shape[0])],
            None if glaciers is None else glaciers[block.rows],
            block,
            layout,
        )
        for block in row_blocks(heights.shape, pixels)
    ]
    return sum(parts[1:], start=parts[0])


def checked(folder, tiles, glaciers=None, **settings):
    """Write tiles, given by name as (heights, first row, first column), and check what they are together."""
    for name, (heights, row, column) in tiles.items():
        write_dem(folder / name, heights, west=WEST + column * PIXEL_M, north=NORTH - row * PIXEL_M)
    mosaic = open_mosaic(folder, "earlier", "EPSG:5773")
    grid = mosaic.grid()
    counts = counted(read_onto(mosaic, grid, "bilinear"), CountLayout.of(mosaic, grid), glaciers)
    seams = tuple(measure_seam(mosaic, border) for border in tile_borders(mosaic, grid))
    return CheckedDem(mosaic=mosaic, grid=grid, counts=counts, seams=seams, **settings)


def verdicts(dem):
    """(tile, check) to the row of the table."""
    return {(row["tile"], row["check"]): row for row in check_table(dem).to_dict("records")}


def failures(dem):
    return {key for key, row in verdicts(dem).items() if not row["passed"]}


# --- spikes -------------------------------------------------------------------------------------------------------


def spikes_one_by_one(heights, rule):
    """The definition pixel by pixel, windows with mirrored borders, NumPy's medians."""
    reach = 5
    padded = np.pad(heights.astype(np.float64), reach, mode="reflect")
    found = set()
    for row, column in np.ndindex(*heights.shape):
        window = padded[row : row + 11, column : column + 11]
        distances = []
        for i, j in np.ndindex(9, 9):
            nine = window[i : i + 3, j : j + 3]
            distances.append(abs(nine[1, 1] - np.median(nine)) if np.isfinite(nine).all() else np.nan)
        own, others = distances[40], np.delete(window[4:7, 4:7].ravel(), 4)
        crossed = window[[3, 7, 5, 5], [5, 5, 3, 7]]
        if np.isnan(own) or np.isnan(crossed).any():
            continue
        alone = max(window[5, 5] - others.max(), others.min() - window[5, 5])
        if own > max(rule.least_m, 12 * max(np.nanmedian(distances), 0.5)) and alone > rule.least_m / 2:
            found.add((row, column))
    return found


@pytest.mark.parametrize("seed", range(2))
def test_spikes_are_those_of_the_definition(seed):
    rng = np.random.default_rng(seed)
    heights = fractal((19, 27), seed, relief_m=150)
    for _ in range(15):
        heights[rng.integers(19), rng.integers(27)] += rng.choice([-1, 1]) * rng.uniform(20, 300)
    heights[0, 0] += 300
    heights[-1, 20] -= 350
    heights[rng.random(heights.shape) < 0.02] = np.nan
    rule = SpikeRule()
    expected = spikes_one_by_one(heights, rule)
    assert len(expected) > 3
    assert {tuple(place) for place in np.argwhere(spikes(heights, rule)).tolist()} == expected


def test_the_median_of_nine_is_scipys():
    heights = np.random.default_rng(1).normal(size=(23, 31)).astype(np.float32)
    padded = np.pad(heights, 1, mode="reflect")
    expected = np.abs(heights - ndimage.median_filter(heights, 3, mode="mirror"))
    np.testing.assert_array_equal(distance_from_median(padded), expected)
    padded[4, 5] = np.nan
    assert np.isnan(distance_from_median(padded)).sum() == 9


def test_beyond_the_edge_lies_the_mirror_image():
    for size in (1, 2, 5):
        expected = np.pad(np.arange(size), 7, mode="reflect")
        np.testing.assert_array_equal(mirrored(np.arange(-7, size + 7), size), expected)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("ridged", [False, True])
def test_clean_alpine_terrain_has_no_spikes(seed, ridged):
    """At 30 m, coarsened to 90 m, and the coarse one resampled to 30 m as the chain sees it."""
    heights = alpine((600, 700), seed, ridged)
    slope = np.degrees(np.arctan(np.hypot(*np.gradient(heights, PIXEL_M))))
    assert np.percentile(slope, 90) > (45 if ridged else 25)
    coarse = coarsened(heights)
    stretched = ndimage.zoom(coarse, 3, order=3).astype(np.float32)
    assert not spikes(heights, SpikeRule.of(30, 30)).any()
    assert not spikes(coarse, SpikeRule.of(90, 90)).any()
    assert not spikes(stretched, SpikeRule.of(90, 30)).any()


def test_ridges_of_a_coarse_dem_need_the_rule_of_its_spacing():
    """The rule for 30 m takes crests of a 90 m DEM for spikes: what the spacing in the rule is for."""
    found = [spikes(coarsened(alpine((600, 700), seed)), SpikeRule()).sum() for seed in range(3)]
    assert sum(found) > 0


def test_the_rule_grows_with_the_spacing_of_the_posts():
    assert SpikeRule.of(30, 30) == SpikeRule(1, pytest.approx(51.96, abs=0.01))
    assert SpikeRule.of(90, 30) == SpikeRule(3, pytest.approx(155.9, abs=0.1))
    assert SpikeRule.of(10, 10) == SpikeRule(1, 50.0)
    assert SpikeRule.of(90, 30).reach == 15


@pytest.mark.parametrize("seed", range(3))
def test_planted_spikes_are_found_where_they_were_planted(seed):
    heights = alpine((150, 200), seed)
    places = {(0, 0): 220.0, (20, 30): 180.0, (77, 120): -160.0, (149, 199): -260.0, (100, 12): 900.0}
    for place, off in places.items():
        heights[place] += off
    found = find_spikes(heights, 0, range(150), 150, SpikeRule.of(30, 30))
    assert {(int(row), int(column)) for row, column in zip(found.row, found.column, strict=True)} == set(places)
    for row, column, off in zip(found.row, found.column, found.off_m, strict=True):
        assert off == pytest.approx(places[int(row), int(column)], abs=90)


def test_a_spike_of_a_coarse_dem_is_found_after_resampling():
    coarse = coarsened(alpine((240, 330), 2))
    coarse[30, 41] += 250
    stretched = ndimage.zoom(coarse, 3, order=3, grid_mode=True, mode="grid-mirror").astype(np.float32)
    found = np.argwhere(spikes(stretched, SpikeRule.of(90, 30)))
    assert found.size > 0
    # the middle of the coarse pixel is the fine pixel (91, 124)
    assert np.abs(found - [91, 124]).max() <= 1


def test_voids_make_no_spikes_and_hide_none_further_off():
    heights = alpine((90, 110), 3)
    heights[40:44, 50:60] = np.nan
    heights[44, 55] += 300  # beside the void: no neighbourhood to judge by
    heights[47, 55] += 300
    assert np.argwhere(spikes(heights)).tolist() == [[47, 55]]


@pytest.mark.parametrize(("down", "right"), [(1, 0), (-1, 0), (0, 1), (0, -1)])
def test_a_spike_two_posts_off_a_void_is_not_told_and_three_off_is(down, right):
    for posts, told in ((2, 0), (3, 1)):
        heights = alpine((41, 43), 3)
        heights[20, 20] += 300
        heights[20 + posts * down, 20 + posts * right] = np.nan
        assert spikes(heights).sum() == told


def test_noise_all_over_is_roughness_and_no_spike():
    noise = np.random.default_rng(0).normal(size=(80, 90)).astype(np.float32) * 100
    assert not spikes(noise).any()


# --- counts in blocks ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def flawed():
    heights = alpine((331, 617), 1)
    heights[100:130, 200:260] = np.nan
    heights[50, 60] += 400
    heights[300, 600] -= 350
    heights[200:240, 300:390] = 3210
    return heights


@pytest.fixture(scope="module")
def glaciers():
    mask = np.zeros((331, 617), bool)
    mask[90:140, 190:290] = True
    return mask


def test_counts_are_those_of_the_whole_raster(flawed, glaciers):
    counts = counted(flawed, glaciers=glaciers)
    known = np.isfinite(flawed)
    level = np.zeros(flawed.shape, bool)
    level[:-1, :-1] = (flawed[:-1, :-1] == flawed[:-1, 1:]) & (flawed[:-1, :-1] == flawed[1:, :-1])
    expected = {MEASURED: known, LEVEL: level, GLACIER: glaciers, GLACIER_MEASURED: glaciers & known}
    layout = counts.layout
    assert (layout.cell, layout.map_shape) == (3, (111, 206))
    for number, mask in expected.items():
        assert counts.cells[number].sum() == mask.sum()
        assert counts.cells[number][33, 66] == mask[99:102, 198:201].sum()
        # the last cells are cut off: one row, two columns
        assert counts.cells[number][-1, -1] == mask[330:, 615:].sum()
    assert counts.cells[SPIKES].sum() == spikes(flawed).sum() == 2
    assert counts.cells[SPIKES][50 // 3, 60 // 3] == 1
    assert layout.pixels().sum() == flawed.size
    assert counts.lowest_m[33, 66] == np.nanmin(flawed[99:102, 198:201])
    assert np.isnan(counts.highest_m[36, 70])
    thinned = flawed[::4, ::4]
    expected_classes = np.histogram(thinned[np.isfinite(thinned)], HYPSOMETRY_EDGES_M)[0]
    np.testing.assert_array_equal(counts.hypsometry, expected_classes)
    assert counts.whole_metres == (thinned == np.rint(thinned)).sum() >= 200
    assert (counts.worst.row, counts.worst.column) == (50, 60)


@pytest.mark.parametrize("pixels", [1, 617 * 11, 617 * 100])
@pytest.mark.parametrize("spacing", [1, 3])
def test_any_blocking_counts_the_same(flawed, glaciers, pixels, spacing):
    layout = CountLayout(flawed.shape, SpikeRule(spacing))
    whole, blocked = counted(flawed, layout, glaciers), counted(flawed, layout, glaciers, pixels)
    for name in ("cells", "lowest_m", "highest_m", "hypsometry"):
        np.testing.assert_array_equal(getattr(blocked, name), getattr(whole, name))
    assert (blocked.whole_metres, blocked.worst) == (whole.whole_metres, whole.worst)


def test_the_order_of_blocks_does_not_matter(flawed):
    layout = CountLayout(flawed.shape, SpikeRule())
    parts = [
        dem_block_counts(flawed[block.widened(layout.halo, 331)], None, block, layout)
        for block in row_blocks(flawed.shape, 50_000)
    ]
    shuffled = sum((parts[number] for number in (3, 1, 0, 4)), start=parts[2])
    np.testing.assert_array_equal(shuffled.cells, counted(flawed, layout).cells)
    assert shuffled.worst == counted(flawed, layout).worst


def test_counts_of_another_layout_do_not_add_up(flawed):
    other = CountLayout(flawed.shape, SpikeRule(3))
    with pytest.raises(ValueError, match="different layouts"):
        counted(flawed) + counted(flawed, other)


def test_a_map_of_part_of_the_blocks_is_refused(tmp_path, flawed):
    path = write_dem(tmp_path / "a.tif", flawed)
    layout = CountLayout(flawed.shape, SpikeRule())
    block = row_blocks(flawed.shape, 50_000)[1]
    counts = dem_block_counts(flawed[block.widened(layout.halo, 331)], None, block, layout)
    with pytest.raises(ValueError, match="some blocks are missing"):
        CheckedDem(mosaic=open_mosaic(path, "later"), grid=grid_of(flawed.shape), counts=counts)


# --- verdicts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_clean_tiles_pass_every_check(tmp_path, seed):
    heights = alpine((160, 210), seed)
    tiles = {
        "a.tif": (heights[:80, :100], 0, 0), "b.tif": (heights[:80, 100:], 0, 100),
        "c.tif": (heights[80:, :100], 80, 0), "d.tif": (heights[80:, 100:], 80, 100),
    }  # fmt: skip
    dem = checked(tmp_path, tiles, np.zeros(heights.shape, bool))
    table = check_table(dem)
    assert tuple(table.columns) == DEM_CHECKS.column_names
    assert not table.duplicated(list(DEM_CHECKS.primary_key)).any()
    assert table["dem"].unique().tolist() == ["earlier"]
    assert failures(dem) == set()
    assert sorted(table.loc[table["check"] == "seam", "tile"]) == [
        "a.tif | b.tif", "a.tif | c.tif", "b.tif | d.tif", "c.tif | d.tif",
    ]  # fmt: skip


def test_every_planted_fault_is_found_and_named(tmp_path):
    heights = alpine((160, 210), 4)
    heights[20:70, 110:200] = np.nan
    spiky = [(100, 30), (120, 50), (90, 90), (150, 15)]
    for place in spiky:
        heights[place] += 250
    heights[100, 30] += 300
    heights[80:, 100:] = 3000.0
    glaciers = np.zeros(heights.shape, bool)
    glaciers[10:75, 105:205] = True
    tiles = {
        "a.tif": (heights[:80, :100], 0, 0), "b.tif": (heights[:80, 100:], 0, 100),
        "c.tif": (heights[80:, :100], 80, 0), "d.tif": (heights[80:, 100:], 80, 100),
    }  # fmt: skip
    dem = checked(tmp_path, tiles, glaciers)
    found = verdicts(dem)
    seams = {("b.tif | d.tif", "seam"), ("c.tif | d.tif", "seam")}
    by_tile = {
        ("b.tif", "void_share"), ("b.tif", "glacier_void_share"), ("c.tif", "spike_share"),
        ("d.tif", "level_share"), ("d.tif", "relief"),
    }  # fmt: skip
    overall = {("all", "void_share"), ("all", "glacier_void_share"), ("all", "spike_share")}
    assert failures(dem) - seams == by_tile | overall
    assert found["all", "void_share"]["value"] == pytest.approx(50 * 90 / heights.size)
    assert found["b.tif", "void_share"]["value"] == pytest.approx(50 * 90 / (80 * 110))
    assert found["all", "glacier_void_share"]["value"] == pytest.approx(4500 / 6500)
    assert found["all", "void_share"]["note"].endswith("in b.tif")
    assert found["all", "glacier_void_share"]["note"].endswith("in b.tif")
    assert found["d.tif", "level_share"]["value"] == pytest.approx(79 * 109 / (80 * 110))
    note = found["all", "spike_share"]["note"]
    assert note.startswith("4 pixels far off their neighbours, the worst by +5")
    assert "row 100, column 30 (" in note
    assert note.endswith("of c.tif; in c.tif")
    longitude, latitude = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True).transform(
        WEST + 30.5 * PIXEL_M, NORTH - 100.5 * PIXEL_M
    )
    assert f"({latitude:.4f} N {longitude:.4f} E)" in note


def test_one_tile_alone_is_named_too(tmp_path):
    heights = alpine((90, 120), 2)
    heights[:40] = np.nan
    found = verdicts(checked(tmp_path, {"only.tif": (heights, 0, 0)}))
    assert found["all", "void_share"]["note"].endswith("in only.tif")
    assert {tile for tile, _ in found} == {"all"}


def test_an_empty_dem_fails_without_a_range(tmp_path):
    dem = checked(tmp_path, {"void.tif": (np.full((60, 70), np.nan, np.float32), 0, 0)})
    assert failures(dem) == {("all", "void_share"), ("all", "relief")}
    assert dem_check_numbers(dem)["hypsometry_share"].size == 0


def test_heights_that_the_region_cannot_have_are_told_with_their_place(tmp_path):
    heights = alpine((90, 120), 2)
    heights[60:63, 80:83] = 7900
    dem = checked(tmp_path, {"a.tif": (heights, 0, 0)}, plausible_m=(2000.0, 7500.0))
    row = verdicts(dem)["all", "highest"]
    assert (row["value"], row["passed"]) == (7900, False)
    longitude, latitude = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True).transform(
        WEST + 81.5 * PIXEL_M, NORTH - 61.5 * PIXEL_M
    )
    words = row["note"].split()
    assert (float(words[3]), float(words[5])) == pytest.approx((latitude, longitude), abs=6e-4)


def test_terraces_and_whole_metres_are_told(tmp_path):
    """A gentle slope stored in whole metres at 30 m: one level step after the other."""
    rows, columns = np.mgrid[:90, :120]
    dem = checked(tmp_path, {"plain.tif": (np.floor(500 + 0.11 * columns + 0.07 * rows).astype(np.float32), 0, 0)})
    row = verdicts(dem)["all", "level_share"]
    assert not row["passed"]
    assert "; 100% of all heights are whole metres" in row["note"]


def test_the_datum_must_be_stated(tmp_path):
    path = write_dem(tmp_path / "a.tif", alpine((60, 70), 1))
    mosaic = open_mosaic(path, "later")
    dem = CheckedDem(mosaic=mosaic, grid=mosaic.grid(), counts=counted(alpine((60, 70), 1)))
    row = verdicts(dem)["all", "datum_stated"]
    assert (row["passed"], row["note"]) == (False, "EPSG:32645, heights in an unknown vertical datum")


# --- tiles missing, double and out of step ------------------------------------------------------------------------


def degree_tile(folder, latitude, longitude, heights):
    """A one-degree tile in SRTM's way: posts on the edges, so that neighbours share a line."""
    posts = heights.shape[0]
    pixel = 1 / (posts - 1)
    return write_dem(
        folder / f"N{latitude:02d}E{longitude:03d}.tif",
        heights,
        crs="EPSG:4326",
        west=longitude - pixel / 2,
        north=latitude + 1 + pixel / 2,
        pixel=pixel,
    )


def degree_mosaic(folder, offsets, seed=1):
    """Tiles of 121 posts that share their border lines, each raised by its offset."""
    surface = alpine((241, 361), seed)
    for (latitude, longitude), offset in offsets.items():
        row, column = 120 * (44 - latitude), 120 * (longitude - 86)
        degree_tile(folder, latitude, longitude, surface[row : row + 121, column : column + 121] + offset)
    return open_mosaic(folder, "earlier", "EPSG:5773")


SIX = {(latitude, longitude): 0.0 for latitude in (43, 44) for longitude in (86, 87, 88)}


def geographic_grid(mosaic):
    """A grid in metres over the mosaic."""
    return Grid("EPSG:32645", Affine(900, 0, 420_000, 0, -900, 4_980_000), (240, 260))


def test_missing_tiles_are_named_by_their_corner(tmp_path):
    mosaic = degree_mosaic(tmp_path, {key: 0.0 for key in SIX if key != (43, 87)})
    assert missing_tiles(mosaic, geographic_grid(mosaic)) == ("N43E087",)
    north_only = Grid("EPSG:32645", Affine(900, 0, 420_000, 0, -900, 4_980_000), (100, 260))
    assert missing_tiles(mosaic, north_only) == ()


def test_a_row_with_a_gap_lacks_its_middle_tile(tmp_path):
    mosaic = degree_mosaic(tmp_path, {(43, 86): 0.0, (43, 88): 0.0})
    assert missing_tiles(mosaic, geographic_grid(mosaic)) == ("N43E087",)


def test_a_missing_tile_of_a_projected_dem_is_told_by_its_middle(tmp_path):
    heights = alpine((80, 100), 1)
    tiles = {"a.tif": (heights, 0, 0), "b.tif": (heights, 0, 100), "c.tif": (heights, 80, 0)}
    row = verdicts(checked(tmp_path, tiles))["all", "missing_tiles"]
    longitude, latitude = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True).transform(
        WEST + 150 * PIXEL_M, NORTH - 120 * PIXEL_M
    )
    assert (row["value"], row["passed"]) == (1, False)
    assert row["note"] == f"missing: the tile around {latitude:.4f} N {longitude:.4f} E"


def test_complete_and_irregular_sets_lack_nothing(tmp_path):
    complete = degree_mosaic(tmp_path, SIX)
    assert missing_tiles(complete, geographic_grid(complete)) == ()
    other = tmp_path / "other"
    other.mkdir()
    heights = alpine((80, 100), 1)
    dem = checked(other, {"a.tif": (heights, 0, 0), "b.tif": (heights[:50], 90, 130)})
    assert missing_tiles(dem.mosaic, dem.grid) == ()


def test_ground_held_twice_is_told(tmp_path):
    heights = alpine((80, 200), 1)
    dem = checked(tmp_path, {"a.tif": (heights[:, :120], 0, 0), "b.tif": (heights[:, 60:], 0, 60)})
    row = verdicts(dem)["all", "overlapping_tiles"]
    assert (row["value"], row["note"]) == (1, "a.tif and b.tif overlap by 50%")
    shared = tmp_path / "shared"
    shared.mkdir()
    assert overlapping_tiles(degree_mosaic(shared, SIX)) == ()


@pytest.mark.parametrize("step", [0.0, 5.0, -7.5])
@pytest.mark.parametrize("upright", [True, False])
def test_a_planted_seam_is_measured(tmp_path, step, upright):
    heights = alpine((200, 220), 3)
    if upright:
        tiles = {"a.tif": (heights[:, :90], 0, 0), "b.tif": (heights[:, 90:] + step, 0, 90)}
    else:
        tiles = {"a.tif": (heights[:90], 0, 0), "b.tif": (heights[90:] + step, 90, 0)}
    row = verdicts(checked(tmp_path, tiles))["a.tif | b.tif", "seam"]
    noise = float(row["note"].split()[3])
    assert row["value"] == pytest.approx(step, abs=max(0.4, 3 * noise))
    assert row["passed"] == (step == 0)
    ends = [(90, 0), (90, 200)] if upright else [(0, 90), (220, 90)]
    lonlat = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
    for column, line in ends:
        longitude, latitude = lonlat.transform(WEST + column * PIXEL_M, NORTH - line * PIXEL_M)
        assert f"{latitude:.4f} N {longitude:.4f} E" in row["note"]


def test_the_noise_of_a_seam_knows_nothing_of_its_step(tmp_path):
    heights = alpine((200, 220), 3)
    noises = []
    for step in (0, 60):
        folder = tmp_path / str(step)
        folder.mkdir()
        dem = checked(folder, {"a.tif": (heights[:, :90], 0, 0), "b.tif": (heights[:, 90:] + step, 0, 90)})
        noises.append(dem.seams[0].noise_m)
    assert noises[0] == pytest.approx(noises[1], abs=1e-4)
    assert 0 < noises[0] < 0.5


@pytest.mark.parametrize("raised", [(43, 86), (44, 86), (43, 88), (44, 87)])
def test_a_seam_between_tiles_that_share_a_line_is_exact(tmp_path, raised):
    """Whichever tile comes first by name, the shared line is read from both."""
    mosaic = degree_mosaic(tmp_path, {**SIX, raised: 4.0})
    seams = [measure_seam(mosaic, border) for border in tile_borders(mosaic, geographic_grid(mosaic))]
    assert len(seams) == 7
    name = f"N{raised[0]}E0{raised[1]}.tif"
    for seam in seams:
        expected = 4.0 if seam.second == name else -4.0 if seam.first == name else 0.0
        assert seam.step_m == pytest.approx(expected, abs=1e-3)
        assert seam.passed == (expected == 0)


@pytest.mark.parametrize("seed", range(6))
def test_clean_terrain_has_no_seams(tmp_path, seed):
    """Rough ground, whole metres and white noise of two metres as in SRTM, cut at random."""
    rng = np.random.default_rng(seed)
    heights = alpine((240, 260), seed)
    heights = np.rint(heights + 2 * rng.normal(size=heights.shape)).astype(np.float32)
    row, column = (int(place) for place in rng.integers(60, 180, 2))
    tiles = {
        "a.tif": (heights[:row, :column], 0, 0), "b.tif": (heights[:row, column:], 0, column),
        "c.tif": (heights[row:, :column], row, 0), "d.tif": (heights[row:, column:], row, column),
    }  # fmt: skip
    assert [seam for seam in checked(tmp_path, tiles).seams if not seam.passed] == []


def test_a_border_in_a_void_says_nothing(tmp_path):
    heights = alpine((100, 200), 3)
    heights[:, 95:105] = np.nan
    dem = checked(tmp_path, {"a.tif": (heights[:, :100], 0, 0), "b.tif": (heights[:, 100:] + 9, 0, 100)})
    row = verdicts(dem)["a.tif | b.tif", "seam"]
    assert np.isnan(row["value"])
    assert row["note"] == "too few heights on both sides to tell"


def test_only_borders_within_the_grid_are_looked_at(tmp_path):
    mosaic = degree_mosaic(tmp_path, SIX)
    assert len(tile_borders(mosaic, geographic_grid(mosaic))) == 7
    # 43.2 to 43.7 N, 86.2 to 87.4 E: one border, and only this part of it
    part = Grid("EPSG:32645", Affine(900, 0, 435_000, 0, -900, 4_838_000), (60, 110))
    (border,) = tile_borders(mosaic, part)
    assert (border.first.name, border.second.name) == ("N43E086.tif", "N43E087.tif")
    assert 55 <= border.stop - border.start <= 70


def test_only_a_few_lines_are_read_along_a_border(tmp_path, monkeypatch):
    heights = alpine((120, 400), 3)
    dem = checked(tmp_path, {"a.tif": (heights[:, :200], 0, 0), "b.tif": (heights[:, 200:], 0, 200)})
    shapes = []
    read = tile_seams.read_pixels

    def noting(mosaic, first, shape):
        shapes.append(shape)
        return read(mosaic, first, shape)

    monkeypatch.setattr(tile_seams, "read_pixels", noting)
    for border in tile_borders(dem.mosaic, dem.grid):
        measure_seam(dem.mosaic, border)
    assert shapes == [(120, 8), (120, 8)]


# --- the numbers of the figure ------------------------------------------------------------------------------------


def test_the_figure_gets_maps_and_hypsometry(tmp_path, flawed, glaciers):
    tiles = {"a.tif": (flawed[:, :300], 0, 0), "b.tif": (flawed[:, 300:] + 8, 0, 300)}
    dem = checked(tmp_path, tiles, glaciers)
    numbers = dem_check_numbers(dem)
    west, south, east, north = numbers["extent_m"]
    assert (west, north, numbers["cell_m"]) == (WEST, NORTH, 90.0)
    assert (east - west, north - south) == (206 * 90, 111 * 90)
    assert {numbers[name].shape for name in ("void_share", "spikes", "level_share", "lowest_m", "highest_m")} == {
        (111, 206)
    }
    pixels = dem.counts.layout.pixels()
    assert (numbers["void_share"] * pixels).sum() == pytest.approx(30 * 60)
    assert numbers["hypsometry_share"].sum() == pytest.approx(1)
    assert numbers["hypsometry_edges_m"].size == numbers["hypsometry_share"].size + 1
    assert numbers["hypsometry_share"][[0, -1]].min() > 0
    assert (numbers["worst_spike"]["row"], numbers["worst_spike"]["column"]) == (50, 60)
    assert numbers["worst_spike"]["easting"] == WEST + 60.5 * PIXEL_M
    (seam,) = numbers["seams"]
    assert (seam["tiles"], seam["passed"]) == ("a.tif | b.tif", False)
    assert seam["line_m"] == [
        pytest.approx((WEST + 9000, NORTH), abs=1e-3), pytest.approx((WEST + 9000, NORTH - 331 * 30), abs=1e-3),
    ]  # fmt: skip


def test_a_dem_without_spikes_has_no_worst_one(tmp_path):
    assert dem_check_numbers(checked(tmp_path, {"a.tif": (alpine((60, 70), 1), 0, 0)}))["worst_spike"] is None


def test_a_shifted_tile_of_the_same_heights_is_read_where_it_lies(tmp_path):
    """The seam is measured on native pixels: it agrees with a reading of both tiles by hand."""
    heights = alpine((100, 160), 5)
    dem = checked(tmp_path, {"a.tif": (heights[:, :80], 0, 0), "b.tif": (heights[:, 80:] + 3, 0, 80)})
    lines = read_native(dem.mosaic, (WEST + 78 * 30 + 1, NORTH - 2999, WEST + 82 * 30 - 1, NORTH - 1))[0].T
    z1, z2, z3, z4 = lines.astype(np.float64)
    jumps = np.sort((z3 - z2) - ((z2 - z1) + (z4 - z3)) / 2)
    assert dem.seams[0].step_m == pytest.approx(jumps[25:75].mean(), abs=1e-9)
    assert replace(dem.seams[0], noise_m=100.0).passed
