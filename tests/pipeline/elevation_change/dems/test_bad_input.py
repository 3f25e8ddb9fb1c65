"""DEMs that cannot be used as they stand: each is refused with one clear line, or read and flagged."""

from __future__ import annotations

import gzip
import re
import zipfile

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.transform import Affine

from pipeline.elevation_change.dems.contents import refuse_filled_voids, require_relief, tile_contents
from pipeline.elevation_change.dems.tiles import open_mosaic, read_pixels
from pipeline.elevation_change.pairing.pair_checks import (
    FEET_PER_METRE,
    pair_notes,
    pair_relation,
    refuse_swapped,
    refuse_unlike_pair,
)
from pipeline.elevation_change.pairing.target_grid import notes_on_overlap
from schemas.errors import BadInput
from tests.made.dem_reading import read_onto
from tests.made.synthetic_pairs import fractal, write_dem

NAMES = ("later DEM", "earlier DEM")
# of EGM96 at Urumqi Glacier No. 1
UNDULATION_M = -52.8


def write_raster(path, stored, **profile):
    """A GeoTIFF with whatever is wrong with it."""
    settings = {
        "height": stored.shape[-2], "width": stored.shape[-1], "count": 1, "dtype": stored.dtype, "crs": "EPSG:32645",
        "transform": Affine(30, 0, 400_000, 0, -30, 4_800_000), **profile,
    }  # fmt: skip
    with rasterio.open(path, "w", driver="GTiff", **settings) as target:
        target.write(stored if stored.ndim == 3 else stored[None])
    return path


def assert_one_line(error, *words):
    text = str(error.value)
    assert "\n" not in text
    for word in words:
        assert word in text


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder / "absent.tif", "no such file for the earlier DEM"),
        (lambda folder: folder, "no raster tile in the folder"),
        (lambda folder: write_dem(folder / "x.tif", fractal((20, 20)), crs=None), "no coordinate reference system"),
        (lambda folder: write_raster(folder / "x.tif", np.zeros((3, 9, 8)), count=3), r"x\.tif: found 3 bands"),
        (
            lambda folder: write_raster(
                folder / "x.tif", np.zeros((9, 8)), transform=Affine(30, 5, 4e5, 5, -30, 4.8e6)
            ),
            "a rotated or mirrored grid; expected a north-up grid; warp it with gdalwarp",
        ),
        (
            lambda folder: write_raster(
                folder / "x.tif", np.zeros((9, 8)), transform=Affine(-30, 0, 4e5, 0, -30, 4.8e6)
            ),
            "a rotated or mirrored grid",
        ),
        (
            lambda folder: write_raster(folder / "x.tif", np.zeros((9, 8)), transform=Affine.identity()),
            "no georeference; expected a north-up grid",
        ),
    ],
)  # fmt: skip
def test_unusable_sources_are_refused(tmp_path, make, message):
    with pytest.raises(BadInput, match=message):
        open_mosaic(make(tmp_path), "earlier")


def test_a_truncated_file_is_named(tmp_path):
    path = write_dem(tmp_path / "a.tif", fractal((400, 500)))
    path.write_bytes(path.read_bytes()[:300_000])
    mosaic = open_mosaic(path, "earlier")
    with pytest.raises(BadInput, match=r"a\.tif: found .*; expected a complete raster") as error:
        read_onto(mosaic, mosaic.grid(), "bilinear")
    assert_one_line(error)


def test_a_file_that_goes_away_is_named(tmp_path):
    path = write_dem(tmp_path / "a.tif", fractal((40, 50)))
    mosaic = open_mosaic(path, "earlier")
    path.unlink()
    with pytest.raises(BadInput, match=r"a\.tif: found No such file or directory"):
        read_pixels(mosaic, (0, 0), (4, 5))


def hgt_bytes():
    return (np.arange(1201 * 1201) % 4000).astype(">i2").tobytes()


def packed(path, *members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def cut_off(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def encrypted(path):
    """The flag of an encrypted member set in the local and the central header."""
    content = bytearray(packed(path, ("N43E086.hgt", hgt_bytes())).read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    path.write_bytes(content)
    return path


def written(path, content):
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda f: written(f / "a.zip", b"no zip"), r"a\.zip: found File is not a zip file; expected a complete zip"),
        (lambda f: packed(f / "a.zip"), "found an empty archive"),
        (lambda f: packed(f / "a.zip", ("readme.txt", b"words")), "found no raster among its 1 files"),
        (lambda f: cut_off(packed(f / "a.zip", ("N43E086.hgt", hgt_bytes()))), "found File is not a zip file"),
        (lambda f: encrypted(f / "a.zip"), "found an encrypted archive"),
        (lambda f: cut_off(written(f / "N43E086.hgt.gz", gzip.compress(hgt_bytes(), 1))), "found a damaged archive"),
        (lambda f: written(f / "N43E086.hgt.gz", b"no gzip"), r"N43E086\.hgt\.gz: found a damaged archive"),
        (lambda f: packed(f / "a.zip", ("N43E086.hgt", b"short")), r"a\.zip: N43E086\.hgt: found .*; is the file"),
    ],
)  # fmt: skip
def test_corrupt_archives_are_refused(tmp_path, make, message):
    with pytest.raises(BadInput, match=message) as error:
        open_mosaic(make(tmp_path), "earlier")
    assert_one_line(error)


def test_a_member_with_other_bytes_than_its_checksum_says_is_refused(tmp_path):
    """GDAL would read it without a word."""
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("N43E086.hgt", hgt_bytes())
    content = bytearray(path.read_bytes())
    content[500_000] ^= 0x10
    path.write_bytes(content)
    mosaic = open_mosaic(path, "earlier")
    with pytest.raises(BadInput, match=r"a\.zip: N43E086\.hgt: found a damaged archive \(Bad CRC-32"):
        read_pixels(mosaic, (0, 0), (5, 5))


def test_mixed_crs_pixel_size_phase_and_duplicates_are_refused(tmp_path):
    first = write_dem(tmp_path / "a.tif", fractal((20, 20)))
    others = {
        "CRS EPSG:32646; expected EPSG:32645 as in a.tif": {"crs": "EPSG:32646", "west": 500_000},
        "pixel size 60; expected 30 as in a.tif": {"west": 600_000, "pixel": 60},
        "pixels between those of its neighbour": {"west": 600_000},
        "same extent as a.tif": {},
    }
    for number, (message, place) in enumerate(others.items()):
        second = write_dem(tmp_path / f"b{number}.tif", fractal((20, 20)), **place)
        with pytest.raises(BadInput, match=message):
            open_mosaic([first, second], "earlier")


def test_tiles_in_several_datums_are_refused_unless_one_is_stated(tmp_path):
    sources = [
        write_dem(tmp_path / "srtm_54_04.tif", fractal((20, 20))),
        write_dem(tmp_path / "output_COP90.tif", fractal((20, 20)), west=400_600),
    ]
    with pytest.raises(BadInput, match=r"several vertical datums \['EPSG:3855', 'EPSG:5773'\]"):
        open_mosaic(sources, "earlier")
    assert open_mosaic(sources, "earlier", "EPSG:5773").vertical_datum == "EPSG:5773"


@pytest.mark.parametrize(("crs", "datum"), [("EPSG:4979", "EPSG:4979"), ("EPSG:4326+3855", "EPSG:3855")])
def test_a_stated_height_axis_is_the_datum(tmp_path, crs, datum):
    path = write_dem(tmp_path / "a.tif", fractal((20, 30)), crs=crs, west=86, north=43, pixel=1 / 3600)
    mosaic = open_mosaic(path, "later")
    assert (mosaic.crs, mosaic.vertical_datum) == ("EPSG:4326", datum)


def test_heights_stated_in_feet_are_refused(tmp_path):
    compound = write_dem(tmp_path / "a.tif", fractal((20, 30)), crs="EPSG:32610+6360")
    with pytest.raises(BadInput, match=r"heights in 'US survey foot'; expected heights in metres; convert them"):
        open_mosaic(compound, "later")
    # a format that does not hand the unit of its CRS down to the band
    virtual = tmp_path / "v.vrt"
    virtual.write_text(
        '<VRTDataset rasterXSize="9" rasterYSize="8"><SRS>EPSG:32610+6360</SRS>'
        "<GeoTransform>400000,30,0,4800000,0,-30</GeoTransform>"
        '<VRTRasterBand dataType="Float32" band="1"/></VRTDataset>'
    )
    with pytest.raises(BadInput, match=r"v\.vrt: found heights in US survey foot; expected heights in metres"):
        open_mosaic(virtual, "later")
    unit = write_dem(tmp_path / "b.tif", fractal((20, 30)))
    with rasterio.open(unit, "r+") as target:
        target.units = ["ft"]
    with pytest.raises(BadInput, match=r"b\.tif: found heights in 'ft'"):
        open_mosaic(unit, "later")


@pytest.mark.parametrize(
    ("dtype", "void", "declared"),
    [
        ("int16", -32767, None), ("int16", -32768, -9999), ("uint16", 65535, None), ("uint16", 32768, 65535),
        ("int32", -9999, -32768), ("float32", -9999, None), ("float64", -3.4e38, -9999), ("int32", -(2**31), 0),
    ],
)  # fmt: skip
def test_undeclared_nodata_is_read_as_void_and_flagged(tmp_path, dtype, void, declared):
    heights = np.round(fractal((60, 80), relief_m=200))
    stored = heights.astype(dtype)
    stored[10:16, 20:40] = void
    mosaic = open_mosaic(write_raster(tmp_path / "a.tif", stored, nodata=declared), "later")
    read = read_pixels(mosaic, (0, 0), (60, 80))
    assert np.isnan(read).sum() == 120
    assert np.isnan(read[10:16, 20:40]).all()
    np.testing.assert_array_equal(read[16:], heights[16:])
    (content,) = tile_contents(mosaic)
    assert content.undeclared == ((pytest.approx(void), pytest.approx(120 / 4800)),)
    assert content.void_share == pytest.approx(120 / 4800)
    assert content.notes == (
        f"2.5 % of the pixels hold {void:g}, no height on Earth and not declared as nodata; void",
    )  # fmt: skip
    require_relief(mosaic, (content,))


def test_a_sound_tile_is_not_flagged(tmp_path):
    heights = fractal((60, 80))
    heights[3, 4:30] = np.nan
    (content,) = tile_contents(open_mosaic(write_dem(tmp_path / "a.tif", heights), "later"))
    assert content.notes == ()
    assert not content.is_void
    assert content.constant_m is None
    assert content.void_share == pytest.approx(26 / 4800)


def test_an_all_void_tile_among_others_is_flagged(tmp_path):
    write_dem(tmp_path / "a.tif", fractal((40, 50)))
    write_dem(tmp_path / "b.tif", np.full((40, 50), np.nan, np.float32), west=401_500)
    write_dem(tmp_path / "c.tif", np.zeros((40, 50), np.float32), west=403_000)
    mosaic = open_mosaic(tmp_path, "later")
    contents = tile_contents(mosaic)
    assert [content.notes for content in contents] == [
        (), ("no height in the whole tile",), ("the height 0 m in the whole tile",)
    ]  # fmt: skip
    require_relief(mosaic, contents)


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        (np.full((30, 40), -9999, np.int16), "found no height but -9999; expected heights from -500 to 9000 m"),
        (np.full((30, 40), np.nan, np.float32), "found no height; expected"),
        (np.full((30, 40), 1234.5, np.float32), "found the height 1234.5 m everywhere; expected a surface with relief"),
    ],
)
def test_a_dem_without_relief_is_refused(tmp_path, stored, message):
    mosaic = open_mosaic(write_raster(tmp_path / "a.tif", stored), "later")
    with pytest.raises(BadInput, match=rf"later DEM \(a\.tif\): {message}"):
        require_relief(mosaic, tile_contents(mosaic))


def test_a_height_that_the_sample_missed_is_found(tmp_path):
    """A tile of 2 000 x 1 000 pixels is sampled; a single height in it makes it neither void nor constant."""
    stored = np.full((2000, 1000), np.nan, np.float32)
    stored[777, 333] = 3000
    path = write_dem(tmp_path / "a.tif", stored)
    (lone,) = tile_contents(open_mosaic(path, "later"))
    assert (lone.is_void, lone.constant_m) == (False, 3000)
    stored[1500, 1] = 3001
    (content,) = tile_contents(open_mosaic(write_dem(tmp_path / "b.tif", stored), "later"))
    assert (content.is_void, content.constant_m) == (False, None)


@pytest.mark.parametrize("void", [0, -99, 4999])
@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_voids_that_hold_a_height_are_refused_with_the_cure(tmp_path, void, dtype):
    stored = np.round(fractal((60, 80), relief_m=200)).astype(dtype)
    stored[10:16, 20:40] = void
    mosaic = open_mosaic(write_raster(tmp_path / "a.tif", stored), "earlier")
    contents = tile_contents(mosaic)
    assert contents[0].filling == (void, pytest.approx(120 / 4800))
    message = rf"earlier DEM \(a\.tif\): found 2\.5 % of the pixels at exactly {void:g} m.*-a_nodata {void:g}$"
    with pytest.raises(BadInput, match=message):
        refuse_filled_voids(mosaic, contents)
    # what the message says is enough
    with rasterio.open(tmp_path / "a.tif", "r+") as target:
        target.nodata = void
    declared = open_mosaic(tmp_path / "a.tif", "earlier")
    refuse_filled_voids(declared, tile_contents(declared))


def test_filled_voids_that_a_resampling_smeared_are_found(tmp_path):
    """gdalwarp leaves 0 outside a rotated raster; a second resampling mixes it with the ground."""
    stored = fractal((400, 500), relief_m=300)
    stored[np.add.outer(np.arange(400), np.arange(500)) < 200] = 0
    smeared = (stored[:-1, :-1] + stored[1:, :-1] + stored[:-1, 1:] + stored[1:, 1:]) / 4
    mosaic = open_mosaic(write_dem(tmp_path / "a.tif", smeared), "later")
    with pytest.raises(BadInput, match="at exactly 0 m"):
        refuse_filled_voids(mosaic, tile_contents(mosaic))


@pytest.mark.parametrize("land", ["coast", "island", "lake", "fjord", "whole metres"])
def test_level_water_is_no_filled_void(tmp_path, land):
    """Water has shores, also where the sampled blocks of a large tile see none of them."""
    rows, columns = np.mgrid[:1500, :1200]
    stored = 2000 + fractal((1500, 1200), relief_m=300)
    if land == "coast":  # cliffs of 40 degrees
        stored = np.clip(25.0 * (columns - 600), 0, 4000)
    elif land == "island":
        stored = np.clip(100 - 8.0 * np.hypot(rows - 1200, columns - 40), 0, None)
    elif land == "lake":
        lake = np.hypot(rows - 700, columns - 600) < 300
        stored = np.where(lake, 1000.0, 1000 + 20 * (np.hypot(rows - 700, columns - 600) - 300))
    elif land == "fjord":
        stored = np.clip(22.0 * (np.abs(rows - 700) - 3), 0, None)
    else:
        stored = np.round(stored)
    mosaic = open_mosaic(write_dem(tmp_path / "a.tif", stored.astype(np.float32)), "later")
    refuse_filled_voids(mosaic, tile_contents(mosaic))


def heights_of_pair(relief_m=300.0, noise_m=8.0, shape=(300, 350)):
    """Two DEMs of one place, the second moved by a pixel, noisier, thinned on a glacier, and with voids."""
    draw = np.random.default_rng(3)
    reference = fractal(shape, relief_m=relief_m)
    other = fractal(shape, relief_m=relief_m, shift=(0.7, -0.6)) + draw.normal(0, noise_m, shape).astype(np.float32)
    other[50:120, 100:160] -= 25
    other[200:210] = np.nan
    reference[:, 5] = np.nan
    return reference, other


def test_a_sound_pair_passes():
    reference, other = heights_of_pair()
    refuse_unlike_pair(reference, other, NAMES, UNDULATION_M)
    refuse_unlike_pair(reference, other + 12, NAMES, None)
    assert pair_notes(reference, other, NAMES, UNDULATION_M) == ()


@pytest.mark.parametrize("relief_m", [300.0, 15.0, 0.02])
def test_feet_are_told_from_metres(relief_m):
    """By the slope of the one on the other, and on level ground by the heights themselves; whichever is in feet."""
    reference, other = heights_of_pair(relief_m, noise_m=0.5)
    with pytest.raises(
        BadInput, match=r"earlier DEM: found heights 3\.\d\d times those of later DEM, as feet"
    ) as error:
        refuse_unlike_pair(reference, other * FEET_PER_METRE, NAMES, None)
    assert_one_line(error, "expected heights in metres", "0.3048")
    with pytest.raises(BadInput, match=r"later DEM: found heights 3\.\d\d times those of earlier DEM, as feet"):
        refuse_unlike_pair(reference * FEET_PER_METRE, other, NAMES, UNDULATION_M)


@pytest.mark.parametrize("factor", [10.0, 0.1, 1.6])
def test_other_units_are_refused(factor):
    reference, other = heights_of_pair()
    with pytest.raises(BadInput, match="times as much as those of later DEM; expected metres in both DEMs"):
        refuse_unlike_pair(reference, other * factor, NAMES, None)


@pytest.mark.parametrize("which", [0, 1])
def test_ellipsoidal_heights_against_orthometric_ones_are_refused(which):
    """Above the ellipsoid a height is that above the geoid plus the geoid's own: H + N."""
    pair = list(heights_of_pair())
    pair[which] = pair[which] + UNDULATION_M + 1.5
    with pytest.raises(BadInput, match=rf"{NAMES[which]}: found heights -5\d\.\d m off those of {NAMES[1 - which]}"):
        refuse_unlike_pair(*pair, NAMES, UNDULATION_M)
    # by a geoid near the ellipsoid nothing can be told, and where none is known it is a note
    refuse_unlike_pair(*pair, NAMES, -8.0)
    refuse_unlike_pair(*pair, NAMES, None)
    (note,) = pair_notes(*pair, NAMES, None)
    assert "is a vertical datum wrong?" in note


def test_heights_too_far_apart_are_refused():
    reference, other = heights_of_pair()
    with pytest.raises(
        BadInput, match=r"found heights \+399 m off those of later DEM \(median\); expected at most 150"
    ):
        refuse_unlike_pair(reference, other + 400, NAMES, UNDULATION_M)


def test_a_constant_or_void_dem_is_refused():
    reference, other = heights_of_pair()
    with pytest.raises(
        BadInput, match="earlier DEM: found the height 2500 m everywhere; expected a surface with relief"
    ):
        refuse_unlike_pair(reference, np.full_like(other, 2500), NAMES, None)
    with pytest.raises(BadInput, match="later DEM: found no height in the area of both DEMs"):
        refuse_unlike_pair(np.full_like(reference, np.nan), other, NAMES, None)
    apart = np.where(np.isnan(reference), other, np.nan)
    with pytest.raises(BadInput, match="found 0 places with a height in both; expected at least 100"):
        refuse_unlike_pair(reference, apart, NAMES, None)


def test_unlike_ground_is_a_note():
    reference, _ = heights_of_pair()
    (note,) = pair_notes(reference, fractal(reference.shape, seed=9), NAMES, None)
    assert "is it the same ground" in note


@settings(max_examples=25, deadline=None)
@given(scale=st.floats(0.2, 5), offset=st.floats(-500, 500), seed=st.integers(0, 99))
def test_the_relation_finds_scale_and_offset(scale, offset, seed):
    """Whatever the scale and offset, within noise; and exchanging the DEMs inverts it."""
    draw = np.random.default_rng(seed)
    reference = draw.normal(3000, 300, (60, 70))
    other = scale * reference + offset + draw.normal(0, 20 * scale, (60, 70))
    found, back = pair_relation(reference, other), pair_relation(other, reference)
    assert found.scale == pytest.approx(scale, rel=0.03)
    assert found.offset_m == pytest.approx(np.median(other - reference), abs=1e-6)
    assert back.scale == pytest.approx(1 / found.scale, rel=1e-9)
    assert found.explained > 0.95


def dem_of(path, west=86.0):
    return open_mosaic(write_dem(path, fractal((20, 30)), crs="EPSG:4326", west=west, north=43.5, pixel=1 / 3600), "x")


def test_products_in_the_wrong_order_are_refused(tmp_path):
    srtm, fabdem = dem_of(tmp_path / "n43_e086_3arc_v2.tif"), dem_of(tmp_path / "N43E086_FABDEM_V1-2.tif")
    own = dem_of(tmp_path / "survey_1962.tif")
    for earlier, later in ((srtm, fabdem), (own, srtm), (fabdem, own), (srtm, srtm), (fabdem, fabdem)):
        refuse_swapped(earlier, later)
    with pytest.raises(BadInput, match="acquired since 2010; expected one acquired before the later DEM") as error:
        refuse_swapped(fabdem, srtm)
    assert_one_line(error, "swap the DEMs: change is later minus earlier, gain is positive")


def test_dems_that_share_hardly_more_than_an_edge_are_told_of(tmp_path):
    heights = fractal((60, 400))
    earlier = open_mosaic(write_dem(tmp_path / "earlier.tif", heights), "earlier")
    for columns, share in ((20, r"the DEMs overlap in 5\.0 % of the smaller one alone"), (60, "")):
        west = 400_000 + 30 * (400 - columns)
        later = open_mosaic(write_dem(tmp_path / f"{columns}.tif", heights, west=west), "later")
        notes = notes_on_overlap(earlier, later)
        assert [bool(re.match(share, note)) for note in notes] == ([True] if share else [])
    # a cut-out of a large DEM is the usual case
    inside = open_mosaic(write_dem(tmp_path / "inside.tif", heights[:20, :20], west=402_000), "later")
    assert notes_on_overlap(earlier, inside) == ()
