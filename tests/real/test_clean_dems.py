"""Real DEMs that others use as they are: no spike is reported on them, at whatever spacing of their posts."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio

from pipeline.elevation_change.dem_checks.spikes import SpikeRule, find_spikes, spikes
from tests.real.data import REAL_DATA, needs_real_data

pytestmark = needs_real_data


def read(name):
    with rasterio.open(REAL_DATA / name) as source:
        heights = source.read(1).astype(np.float32)
        heights[(heights == source.nodata) | (heights < -500) | (heights > 9000)] = np.nan
    return heights


@pytest.mark.parametrize(
    ("name", "post_m"),
    [("longyearbyen/dem_1990.tif", 20), ("srtm_known_shift/srtm_ref.tif", 90), ("hintereisferner/srtm.tif", 90)],
)
def test_real_terrain_has_no_spikes(name, post_m):
    heights = read(name)
    assert not spikes(heights, SpikeRule.of(post_m, post_m)).any()


def test_spikes_planted_in_a_real_dem_are_found():
    heights = read("hintereisferner/srtm.tif")
    places = {(40, 50), (100, 300), (250, 200)}
    for place in places:
        heights[place] += 400
    found = find_spikes(heights, 0, range(heights.shape[0]), heights.shape[0], SpikeRule.of(90, 90))
    assert {(int(row), int(column)) for row, column in zip(found.row, found.column, strict=True)} == places
