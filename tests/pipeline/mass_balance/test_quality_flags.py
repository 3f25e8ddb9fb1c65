"""Every quality flag on a case planted for it; a flag names its record and changes no number."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.mass_balance.chain import mass_balance
from pipeline.mass_balance.fieldwork.read import FieldData
from pipeline.mass_balance.ground.hypsometry import Hypsometry, band_flags
from schemas.flags import MEANINGS
from schemas.settings import MassBalanceSettings
from schemas.tables import QUALITY_FLAGS
from tests.made.synthetic_glaciers import field_data, synthetic_glacier

SETTINGS = MassBalanceSettings(year_start="09-01")
FIRST, LAST = date(2003, 8, 27), date(2004, 8, 27)
HEIGHTS = {"1": 3450.0, "2": 3550.0, "3": 3650.0, "4": 3750.0, "5": 3850.0}


def a_network(balance=lambda height: 0.006 * (height - 3680), heights=None) -> FieldData:
    """Five stakes, one a band, read as bare ice and snow of 450 kg m-3 at both ends of 2004."""
    rows = []
    heights = heights or HEIGHTS
    for stake, height in heights.items():
        value = balance(height)
        snow = max(value, 0.0) / 0.45
        rows.append((stake, 1, FIRST, 2.0, 0.0, None, 5.0, "ok"))
        rows.append((stake, 1, LAST, 2.0 - min(value, 0.0) / 0.9 - snow, snow, 450.0 if snow else None, 5.0, "ok"))
    places = [(stake, 5e5 + 100 * k, 4.8e6 + height, height) for k, (stake, height) in enumerate(heights.items())]
    bands = [(2004, low, low + 100, 0.4) for low in (3400.0, 3500.0, 3600.0, 3700.0, 3800.0)]
    names = ["stake_id", "leg", "date", "exposed_m", "snow_depth_m", "snow_density_kg_m3", "stake_length_m", "status"]
    return field_data(
        {
            "stakes": pd.DataFrame(places, columns=["stake_id", "easting", "northing", "elevation_m"]),
            "readings": pd.DataFrame(rows, columns=names),
            "hypsometry": pd.DataFrame(bands, columns=["year", "lower_m", "upper_m", "area_km2"]),
        }
    )


def changed(data: FieldData, table: str, record: int, **cells) -> FieldData:
    frame = getattr(data, table).copy()
    for name, value in cells.items():
        frame[name] = frame[name].astype(object)
        frame.loc[record, name] = value
    for column in frame.columns:
        if column.endswith(("_m", "_m3")) or column in ("easting", "northing"):
            frame[column] = frame[column].astype(float)
    return replace(data, **{table: frame})


def flags_of(data: FieldData, settings=SETTINGS, **ground) -> list[tuple[str, str, str | None]]:
    """(subject, flag, detail) of every flag but those every run without a map has."""
    table = mass_balance(data, settings, **ground).tables["quality_flags"]
    rows = table[["subject", "flag", "detail"]].itertuples(index=False, name=None)
    return [row for row in rows if row[1] != "no_map"]


def test_a_clean_network_has_no_flag() -> None:
    assert flags_of(a_network()) == []


def test_every_flag_has_a_meaning_and_the_table_its_shape() -> None:
    table = mass_balance(changed(a_network(), "readings", 9, status="lost"), SETTINGS).tables["quality_flags"]
    assert tuple(table.columns) == QUALITY_FLAGS.column_names
    assert table["number"].tolist() == list(range(1, len(table) + 1))
    assert table["meaning"].tolist() == [MEANINGS[name] for name in table["flag"]]


def test_the_code_raises_no_flag_without_a_meaning() -> None:
    """Every literal that the modules of the chain give as a flag is in the list, and the list has none besides."""
    code = "".join(path.read_text() for path in Path(mass_balance.__code__.co_filename).parent.rglob("*.py"))
    for name in MEANINGS:
        assert re.search(rf'["\']{name}["\':]', code), name


# --- stakes and readings -----------------------------------------------------------------------------------------


def test_two_stakes_with_one_position() -> None:
    data = a_network()
    place = {name: data.stakes.loc[1, name] for name in ("easting", "northing")}
    assert flags_of(changed(data, "stakes", 2, **place)) == [("2004", "one_position", "2+3")]


def test_a_lost_stake_is_named_with_its_reading() -> None:
    found = flags_of(changed(a_network(), "readings", 9, status="lost"))
    assert ("reading 5/1/2004-08-27", "stake_lost", None) in found
    assert ("stake 5", "no_value", None) in found


@pytest.mark.parametrize(
    ("cells", "flag"),
    [
        ({"status": "buried", "snow_depth_m": np.nan}, "buried_without_probing"),
        ({"exposed_m": np.nan}, "not_read"),
    ],
)
def test_a_reading_that_gives_no_balance_says_why(cells, flag) -> None:
    assert ("reading 5/1/2004-08-27", flag, None) in flags_of(changed(a_network(), "readings", 9, **cells))


def test_a_melted_out_stake_of_unknown_length() -> None:
    data = changed(a_network(), "readings", 1, status="melted_out", stake_length_m=np.nan)
    data = changed(data, "readings", 0, stake_length_m=np.nan)
    assert ("reading 1/1/2004-08-27", "melted_out_of_unknown_length", None) in flags_of(data)


def test_a_bound_is_left_out_and_said() -> None:
    found = flags_of(changed(a_network(), "readings", 1, status="melted_out"))
    assert ("2004", "bound_not_used", "1") in found
    assert ("annual balances", "melted_out", "stake 1") in found


def test_legs_and_installation_out_of_order() -> None:
    data = changed(a_network(), "stakes", 0, installed=date(2003, 9, 30))
    assert ("stake 1", "read_before_installed", "2003-08-27 before 2003-09-30") in flags_of(data)
    early = changed(a_network(), "readings", 2, leg=2)
    found = flags_of(changed(early, "readings", 3, leg=1))
    assert ("stake 2", "legs_out_of_order", "leg 2 on 2003-08-27, leg 1 on 2004-08-27") in found


def test_a_reading_dated_before_the_one_above_it() -> None:
    data = changed(a_network(), "readings", 5, date=date(2002, 8, 27))
    assert ("reading 3/1/2002-08-27", "dates_out_of_order", "below 2003-08-27") in flags_of(data)
    newest_first = replace(data, readings=a_network().readings.iloc[::-1].reset_index(drop=True))
    assert flags_of(newest_first) == []


def test_a_pit_layer_of_a_density_that_its_kind_does_not_have() -> None:
    pits = pd.DataFrame({"pit_id": ["P1"], "date": [LAST], "stake_id": ["5"], "elevation_m": [3850.0]})
    layers = {"pit_id": "P1", "layer": [1, 2], "top_m": [0.0, 0.3], "bottom_m": [0.3, 0.9], "kind": "snow"}
    data = field_data({"snow_pits": pits, "pit_layers": pd.DataFrame({**layers, "density_kg_m3": [380.0, 700.0]})})
    data = replace(a_network(), snow_pits=data.snow_pits, pit_layers=data.pit_layers)
    found = [flag for flag in flags_of(data) if flag[1] == "density_out_of_class"]
    assert found == [("pit P1", "density_out_of_class", "layer 2: snow of 700 kg m-3")]


def test_areas_of_overlapping_bands_count_twice_and_are_said() -> None:
    data = changed(a_network(), "hypsometry", 1, lower_m=3450.0)
    assert ("2004", "overlapping_bands", "3450-3600") in flags_of(data)
    assert mass_balance(data, SETTINGS).years[0].area_km2 == pytest.approx(2.0)


def test_a_stake_that_jumps_and_a_balance_that_moved() -> None:
    data = a_network()
    east, north = (data.stakes.loc[2, name] for name in ("easting", "northing"))
    data = changed(data, "readings", 4, easting=east, northing=north, elevation_m=3650.0)
    data = changed(data, "readings", 5, easting=east + 180, northing=north + 240, elevation_m=3640.0)
    found = flags_of(data)
    assert ("stake 3", "position_jump", "300 m to 2004-08-27") in found
    assert ("annual balances", "moved", "300m: stake 3") in found


def test_a_density_out_of_its_class() -> None:
    data = a_network()
    found = flags_of(changed(data, "readings", 9, snow_density_kg_m3=680.0))
    assert ("annual balances", "density_out_of_class", "stake 5") in found


def test_a_balance_that_its_elevation_does_not_allow() -> None:
    heights = {str(k): 3420.0 + 20 * k for k in range(24)}
    data = a_network(lambda z: 0.006 * (z - 3680) + 0.03 * np.sin(z), heights)
    data = changed(data, "readings", 13, exposed_m=data.readings.loc[13, "exposed_m"] + 1.5)
    (found,) = [row for row in flags_of(data) if row[1] == "unlike_its_elevation"]
    assert found[2].startswith("6 (-")


def test_annual_that_is_not_winter_plus_summer() -> None:
    """Three stakes read in June too; at one the June density is of another winter than its annual balance."""
    data = a_network(lambda z: -3.0)
    june = data.readings[data.readings["date"] == FIRST].assign(
        date=date(2004, 6, 1), exposed_m=1.0, snow_depth_m=1.0, snow_density_kg_m3=300.0
    )
    readings = pd.concat([data.readings, june], ignore_index=True)
    assert not [row for row in flags_of(replace(data, readings=readings)) if "winter" in row[1]]
    # 1.5 m of ice gone by June, and back in August: the summer's old surface is not the year's
    readings.loc[10, ["exposed_m", "snow_depth_m"]] = [2.5, 1.0]
    readings.loc[1, "surface"] = "ice"
    readings.loc[10, "surface"] = "firn"
    found = [row for row in flags_of(replace(data, readings=readings)) if row[1] == "annual_is_not_winter_plus_summer"]
    assert [row[2].split(" ")[0] for row in found] == ["1"]


def test_pits_that_are_not_used_say_why() -> None:
    data = a_network()
    pits = pd.DataFrame(
        [
            ("P1", LAST, None, 5e5, 4.8e6, 3900.0, "not_reached"),
            ("P2", LAST, "5", 5e5, 4.8e6, 3850.0, "summer_surface"),
        ],
        columns=["pit_id", "date", "stake_id", "easting", "northing", "elevation_m", "floor"],
    )
    layers = pd.DataFrame(
        [("P1", 1, 0.0, 1.0, 400.0, "snow"), ("P2", 1, 0.0, 2.0, 500.0, "snow")],
        columns=["pit_id", "layer", "top_m", "bottom_m", "density_kg_m3", "kind"],
    )
    frames = {name: getattr(data, name) for name in ("stakes", "readings", "hypsometry")}
    found = flags_of(field_data({**frames, "snow_pits": pits, "pit_layers": layers}))
    assert found == [("pit P1", "pit_floor_not_reached", None), ("pit P2", "beside_a_read_stake", "stake 5")]


# --- years -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("balance", "flag"),
    [
        (lambda z: -0.006 * (z - 3680), "implausible_gradient"),
        (lambda z: 0.04 * (z - 3680), "implausible_gradient"),
    ],
)
def test_a_gradient_that_glaciers_do_not_show(balance, flag) -> None:
    names = [row[1] for row in flags_of(a_network(balance))]
    assert flag in names


def test_points_that_miss_a_part_of_the_glacier() -> None:
    data = a_network(heights={"4": 3700.0, "5": 3750.0, "6": 3850.0})
    assert ("2004", "no_point_in_ablation_area", None) in flags_of(data)
    data = a_network(heights={"1": 3450.0, "2": 3550.0, "3": 3640.0})
    assert ("2004", "no_point_in_accumulation_area", None) in flags_of(data)
    crowded = {"1": 3510.0, "2": 3540.0, "3": 3580.0}
    assert ("2004", "all_points_in_one_band", None) in flags_of(a_network(heights=crowded))
    alone = flags_of(a_network(heights={"1": 3450.0}), MassBalanceSettings(year_start="09-01", minimum_points=1))
    assert ("2004", "one_point_only", None) in alone


def with_later_visits(data: FieldData, first: date, last: date) -> FieldData:
    """The same readings once more, on a second leg and other days."""
    days = [first if day == FIRST else last for day in data.readings["date"]]
    again = data.readings.assign(date=days, leg=2)
    return replace(data, readings=pd.concat([data.readings, again], ignore_index=True))


def test_a_year_nobody_came_and_a_year_of_few_points() -> None:
    found = flags_of(with_later_visits(a_network(), date(2006, 8, 27), date(2007, 8, 27)))
    assert ("2005", "too_few_points", "0") in found
    assert ("2005", "hypsometry_of", "2004") in found
    assert [row[0] for row in found if row[1] == "no_visit"] == []
    found = flags_of(with_later_visits(a_network(), date(2009, 8, 27), date(2010, 8, 27)))
    assert [row[0] for row in found if row[1] == "no_visit"] == ["2006", "2007", "2008"]


def test_flags_drop_no_data() -> None:
    """The odd stake of each case above stays in the published point balances."""
    data = changed(a_network(), "readings", 9, snow_density_kg_m3=680.0)
    points = mass_balance(data, SETTINGS).tables["point_balances"]
    assert set(points[points["period"] == "annual"]["point_id"]) == set(HEIGHTS)


def test_stakes_off_the_outline(tmp_path) -> None:
    glacier = synthetic_glacier(tmp_path, 3, years=1, stakes=8)
    data = changed(glacier.data, "stakes", 0, easting=glacier.data.stakes.loc[0, "easting"] + 6000)
    found = flags_of(data, dem=glacier.dem, outline=glacier.outline)
    assert ("2001", "off_the_outline", "1") in found
    data = changed(glacier.data, "stakes", 0, elevation_m=glacier.data.stakes.loc[0, "elevation_m"] + 80)
    found = flags_of(data, dem=glacier.dem, outline=glacier.outline)
    assert ("2001", "elevation_unlike_dem", "1") in found


# --- bands -------------------------------------------------------------------------------------------------------


def bands(**changes) -> FieldData:
    frame = pd.DataFrame(
        {
            "year": 2004, "lower_m": [3400.0, 3500.0, 3600.0], "upper_m": [3500.0, 3600.0, 3700.0],
            "area_km2": [1.0, 2.0, 1.0], "winter_balance_m_we": [0.2, 0.3, 0.4],
            "summer_balance_m_we": [-1.2, -0.6, -0.1], "annual_balance_m_we": [-1.0, -0.3, 0.3],
        }
    )  # fmt: skip
    return field_data({"zone_balances": frame.assign(**changes)})


def test_bands_that_overlap_lack_an_area_or_leave_a_gap() -> None:
    assert flags_of(bands()) == []
    assert flags_of(bands(lower_m=[3400.0, 3480.0, 3600.0])) == [("2004", "overlapping_bands", "3480-3600")]
    assert flags_of(bands(area_km2=[1.0, np.nan, 1.0])) == [("2004", "band_without_area", "3500-3600")]
    assert flags_of(bands(upper_m=[3490.0, 3600.0, 3700.0])) == [("2004", "bands_with_a_gap", None)]
    edges = Hypsometry(np.array([3400.0, 3450.0]), np.array([3500.0, 3550.0]), np.array([1.0, 0.0]))
    assert band_flags(edges) == ["band_without_area:3450-3550", "overlapping_bands:3450-3550"]


def test_a_band_without_area_counts_for_nothing() -> None:
    year = mass_balance(bands(area_km2=[1.0, np.nan, 1.0]), SETTINGS).years[0]
    assert year.annual_m_we == pytest.approx(-0.35)


def test_bands_that_do_not_reproduce_the_published_mean() -> None:
    # (-1.0 - 0.6 + 0.3) / 4 = -0.325
    assert flags_of(bands(published_annual_balance_m_we=-0.33)) == []
    found = flags_of(bands(published_annual_balance_m_we=-0.40, published_winter_balance_m_we=0.30))
    assert found == [("2004", "bands_unlike_published", "annual+0.075")]


def test_bands_whose_seasons_do_not_close() -> None:
    found = flags_of(bands(annual_balance_m_we=[-1.0, -0.3, 0.35]))
    assert found == [("2004", "annual_is_not_winter_plus_summer", None)]


def test_bands_say_where_they_come_from() -> None:
    year = mass_balance(bands(provenance="reconstructed"), SETTINGS).years[0]
    assert year.provenance == "reconstructed"
    assert mass_balance(bands(), SETTINGS).years[0].provenance == "observed"
