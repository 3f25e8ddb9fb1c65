"""Vertical datums: PROJ's silent ballpark is refused, and what was done is said."""

from __future__ import annotations

import pytest
from rasterio.transform import Affine

from pipeline.elevation_change.datum import MissingGeoidGrid, datum_step, vertical_transformer
from pipeline.grid import Grid
from schemas.errors import BadInput

GRID = Grid("EPSG:32645", Affine(300, 0, 500_000, 0, -300, 4_800_000), (20, 30))
# no machine carries the grids of this national datum by chance
WITHOUT_GRID = ("EPSG:5728", "EPSG:3855")


def test_a_missing_grid_is_named_with_the_cure():
    with pytest.raises(MissingGeoidGrid, match=r"no PROJ grid .* \(looked in .*proj.*\).*fetch geoids"):
        vertical_transformer(*WITHOUT_GRID)


def test_the_difference_may_be_left_to_coregistration():
    step, field = datum_step(*WITHOUT_GRID, "later", GRID, "coregistration")
    assert field is None
    assert step.method == "left to co-registration"
    assert "lacks the geoid grid" in step.note


def test_or_the_run_stops():
    with pytest.raises(MissingGeoidGrid):
        datum_step(*WITHOUT_GRID, "later", GRID, "stop")


def test_equal_datums_need_nothing():
    step, field = datum_step("EPSG:3855", "EPSG:3855", "later", GRID, "stop")
    assert (step.method, field) == ("none needed", None)


def test_an_unstated_datum_is_said():
    step, field = datum_step(None, "EPSG:3855", "later", GRID, "stop")
    assert field is None
    assert (step.earlier, step.method) == ("not stated", "left to co-registration")


@pytest.mark.parametrize("code", ["EPSG:32645", "nonsense"])
def test_what_is_no_vertical_datum_is_refused(code):
    with pytest.raises(BadInput, match="vertical datum: found"):
        vertical_transformer(code, "EPSG:3855")
