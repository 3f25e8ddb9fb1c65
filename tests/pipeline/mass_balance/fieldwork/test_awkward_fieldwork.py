"""Fieldwork as it comes: a stake that leant and fell, pits dug too deep, ice that nobody named, visits at odd times."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.mass_balance.chain import mass_balance
from pipeline.mass_balance.fieldwork.read import FieldData, read_field_data
from pipeline.mass_balance.glacier_wide.zoning import unknown_gradient_error_of_mean
from pipeline.mass_balance.ground.hypsometry import Hypsometry
from pipeline.mass_balance.quality_flags import flags_of_seasons
from schemas.errors import ManyBadInputs
from schemas.settings import MassBalanceSettings
from tests.made.field_workbook import sheets, write_workbook
from tests.made.synthetic_glaciers import field_data

SETTINGS = MassBalanceSettings(year_start="09-01")
FIRST, LAST = date(2003, 8, 30), date(2004, 8, 30)
READING = ("stake_id", "leg", "date", "exposed_m", "stake_length_m", "snow_depth_m", "snow_density_kg_m3", "tilt_deg")
PIT = ("pit_id", "date", "stake_id", "easting", "northing", "elevation_m", "floor", "probed_depth_m")


def a_glacier(*rows: tuple[Any, ...], pits: Any = (), layers: Any = ()) -> FieldData:
    """The readings of one stake at 3650 m, status last, on a glacier of ten bands from 3400 to 3900 m."""
    bands = [(2004, low, low + 50, 0.1) for low in range(3400, 3900, 50)]
    return field_data(
        {
            "stakes": pd.DataFrame(
                [("1", 5e5, 4.8e6, 3640.0)], columns=["stake_id", "easting", "northing", "elevation_m"]
            ),
            "readings": pd.DataFrame([("1", *row) for row in rows], columns=[*READING, "surface", "status"]),
            "snow_pits": pd.DataFrame(pits, columns=list(PIT)),
            "pit_layers": pd.DataFrame(
                layers, columns=["pit_id", "layer", "top_m", "bottom_m", "density_kg_m3", "kind"]
            ),
            "hypsometry": pd.DataFrame(bands, columns=["year", "lower_m", "upper_m", "area_km2"]),
        }
    )


def read(day: date, exposed: float | None, **more: Any) -> tuple[Any, ...]:
    names = ("length", "snow", "density", "tilt")
    return (more.pop("leg", 1), day, exposed, *(more.pop(name, None) for name in names), more.pop("surface", None),
            more.pop("status", "ok"))  # fmt: skip


def annual(data: FieldData, **settings: Any) -> list[dict[str, Any]]:
    table = mass_balance(data, SETTINGS.model_copy(update=settings)).tables["point_balances"]
    return table[table["period"] == "annual"].to_dict("records")


def flags_of(data: FieldData) -> set[tuple[str, str, Any]]:
    table = mass_balance(data, SETTINGS).tables["quality_flags"]
    return set(table[["subject", "flag", "detail"]].itertuples(index=False, name=None))


# --- stakes -------------------------------------------------------------------------------------------------------


def test_the_bound_of_a_stake_that_leant_counts_its_vertical_length() -> None:
    """3 m of it stood in ice at 30 degrees: it held until 2.6 m had gone, and says nothing of more."""
    leant = read(FIRST, 1.0, length=4.0, tilt=30.0)
    (found,) = annual(a_glacier(leant, read(LAST, None, status="melted_out")))
    assert found["bound"] == "<="
    assert found["balance_m_we"] == pytest.approx(-0.9 * 3.0 * math.cos(math.radians(30)), abs=1e-9)


def test_a_length_stated_when_it_lay_on_the_ice_is_not_shortened() -> None:
    fallen = read(LAST, None, length=4.0, tilt=85.0, status="melted_out")
    (found,) = annual(a_glacier(read(FIRST, 1.0), fallen))
    assert found["balance_m_we"] == pytest.approx(-0.9 * 3.0, abs=1e-9)
    assert annual(a_glacier(read(FIRST, 1.0, tilt=30.0), fallen)) == []


YEAR_2, YEAR_3 = date(2005, 8, 30), date(2006, 8, 30)


def test_ice_is_assumed_aloud_where_firn_may_lie() -> None:
    with_snow = read(LAST, 1.0, snow=1.0, density=450.0)
    data = a_glacier(read(FIRST, 2.0), with_snow, read(YEAR_2, 2.2), read(YEAR_3, 2.5))
    flags = {row["year"]: str(row["flags"]) for row in annual(data)}
    assert "ice_assumed" not in flags[2004]
    assert "ice_assumed" in flags[2005]
    assert "ice_assumed" in flags[2006]


@pytest.mark.parametrize(("surface", "balance"), [("firn", -0.18), ("ice", -0.27)])
def test_a_stated_surface_is_taken_at_its_word(surface, balance) -> None:
    with_snow = read(LAST, 1.0, snow=1.0, density=450.0, surface=surface)
    rows = (with_snow, read(YEAR_2, 2.2, surface=surface), read(YEAR_3, 2.5, surface=surface))
    data = a_glacier(read(FIRST, 2.0, surface=surface), *rows)
    last = annual(data)[-1]
    assert last["balance_m_we"] == pytest.approx(balance, abs=1e-9)
    assert "ice_assumed" not in str(last["flags"])


def test_bare_ice_without_a_stated_surface_needs_no_flag() -> None:
    (found,) = annual(a_glacier(read(FIRST, 1.0), read(LAST, 2.0)))
    assert (found["balance_m_we"], found["flags"]) == (pytest.approx(-0.9, abs=1e-9), None)


# --- pits ---------------------------------------------------------------------------------------------------------


def a_deep_pit(surface_m: float) -> FieldData:
    """1.2 m deep: snow of 400 kg m-3 down to 0.7 m, then firn of 600 kg m-3."""
    pit = ("P1", LAST, None, 500_100.0, 4_800_300.0, 3800.0, "below_summer_surface", surface_m)
    layers = [("P1", 1, 0.0, 0.7, 400.0, "snow"), ("P1", 2, 0.7, 1.2, 600.0, "firn")]
    return a_glacier(read(FIRST, 1.0), read(LAST, 2.0), pits=[pit], layers=layers)


@pytest.mark.parametrize(("surface_m", "balance"), [(0.7, 0.28), (0.5, 0.20), (0.9, 0.40)])
def test_a_pit_below_the_summer_surface_counts_down_to_it(surface_m, balance) -> None:
    found = next(row for row in annual(a_deep_pit(surface_m)) if row["kind"] == "pit")
    assert found["balance_m_we"] == pytest.approx(balance, abs=1e-9)
    assert ("pit P1", "pit_below_summer_surface", f"{1.2 - surface_m:.2f} m") in flags_of(a_deep_pit(surface_m))


@pytest.mark.parametrize(
    ("floor", "depth", "message"),
    [
        ("below summer surface", 95, "pit P1, 0.9 m deep, below a summer surface at 0.95 m; expected the depth of"),
        ("夏季面以下", None, "pit P1, 0.9 m deep, below a summer surface at no stated depth; expected the depth of"),
        ("below_summer_surface", 60, None),
    ],
)
def test_where_the_summer_surface_lies_must_be_said(tmp_path, floor, depth, message) -> None:
    tables = sheets()
    tables["snow_pits"][0].append("probed depth (cm)")
    tables["snow_pits"][1][4] = floor
    tables["snow_pits"][1].append(depth)
    path = write_workbook(tmp_path / "field.xlsx", tables)
    if message is None:
        assert read_field_data(path).snow_pits["probed_depth_m"].tolist() == [0.6]
        return
    with pytest.raises(ManyBadInputs, match=f"sheet snow_pits: cell F2: found {message}"):
        read_field_data(path)


# --- years --------------------------------------------------------------------------------------------------------


def year_flags(data: FieldData, settings: MassBalanceSettings) -> dict[int, set[str]]:
    return {year.year: set(year.flags) for year in mass_balance(data, settings).years}


def test_a_year_that_nobody_closed_and_one_that_nobody_opened_say_so() -> None:
    data = a_glacier(read(FIRST, 1.0), read(LAST, 2.0), read(YEAR_3, 4.0))
    flags = year_flags(data, SETTINGS)
    assert "no_visit_at_end" in flags[2005]
    assert "no_visit_at_start" in flags[2006]
    assert not {"no_visit_at_start", "no_visit_at_end", "no_visit"} & flags[2004]


def test_visits_that_never_come_near_the_end_of_a_year_point_at_its_start() -> None:
    data = a_glacier(read(FIRST, 1.0), read(LAST, 2.0))
    flags = year_flags(data, MassBalanceSettings(year_start="04-01"))
    assert all("visits_far_from_year_start:151 days" in found for found in flags.values())
    assert flags


@pytest.mark.parametrize(
    ("winter", "summer", "flags"),
    [
        (-0.4, 0.3, ("seasons_look_exchanged",)),
        (0.4, -0.9, ()),
        (-0.1, -0.9, ("negative_winter_balance",)),
        (0.1, 0.2, ()),
        (None, 0.3, ()),
    ],
)
def test_a_winter_of_loss_and_a_summer_of_gain_look_exchanged(winter, summer, flags) -> None:
    assert flags_of_seasons(winter, summer) == flags


# --- one height ---------------------------------------------------------------------------------------------------


def test_a_point_alone_is_no_better_known_elsewhere_than_gradients_are() -> None:
    """0.6 m w.e. per 100 m: 10 m from the mean elevation, and a bend of a quarter of it over 126 m on average."""
    data = a_glacier(read(FIRST, 1.0), read(LAST, 2.0))
    (year,) = mass_balance(data, SETTINGS.model_copy(update={"minimum_points": 1})).years
    bands = np.arange(3425.0, 3900, 50)
    bend = 0.006 * float(np.abs(bands - 3640).mean()) / 4
    assert year.budget["interpolation"] == pytest.approx(math.hypot(0.006 * 10, bend), rel=1e-6)
    assert year.sigma_annual_m_we is not None
    assert year.sigma_annual_m_we > 0.2


def test_points_of_several_heights_carry_their_own_error() -> None:
    bands = Hypsometry(np.array([3400.0, 3500.0]), np.array([3500.0, 3600.0]), np.array([1.0, 3.0]))
    assert unknown_gradient_error_of_mean(bands, np.array([3450.0, 3550.0])) == 0
    assert unknown_gradient_error_of_mean(bands, np.array([3450.0, 3450.0])) == pytest.approx(
        math.hypot(0.45, 0.45 / 4)
    )
