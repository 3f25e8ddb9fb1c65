"""Hand-made cases with exact answers, and an area-altitude distribution that others measured."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
import rasterio

from pipeline.grid import utm_crs
from pipeline.mass_balance.glacier_wide.contour_method import contour_balance
from pipeline.mass_balance.glacier_wide.equilibrium_line import equilibrium_line
from pipeline.mass_balance.glacier_wide.zoning import zone_mean
from pipeline.mass_balance.ground.hypsometry import Hypsometry, read_surveys
from pipeline.mass_balance.points.point_balance import PitLayer, Visit, chain_balance, stake_balance, sum_pit
from schemas.settings import MassBalanceSettings
from tests.oracles.contour_by_pixels import classes_of_pixels, clipped_contour_balance
from tests.real.data import REAL_DATA, needs_real_data

pytestmark = needs_real_data


def rows(name: str) -> list[dict[str, str]]:
    with (REAL_DATA / "mass_balance" / name).open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


# --- stakes and pits ---------------------------------------------------------------------------------------------


def visits(row: dict[str, str]) -> tuple[Visit, Visit]:
    def one(number: str, day: date) -> Visit:
        value = {name: float(row[f"{name}{number}"]) for name in ("m", "hs", "rho_s", "hsi")}
        return Visit(
            stake_id="E",
            leg=1,
            day=day,
            exposed_m=value["m"],
            stake_length_m=None,
            snow_m=value["hs"],
            snow_density_kg_m3=value["rho_s"],
            superimposed_m=value["hsi"],
        )

    return one("1", date(2003, 8, 27)), one("2", date(2004, 8, 26))


def test_stake_cases_to_the_printed_digits() -> None:
    for row in rows("stake_arithmetic_analytic.csv"):
        assert (float(row["rho_ice"]), float(row["rho_si"])) == (900, 870)
        balance = stake_balance(*visits(row), MassBalanceSettings())
        found = (balance.ice_m_we, balance.snow_m_we, balance.superimposed_m_we, balance.balance_m_we)
        for value, name in zip(found, ("b_ice", "b_snow", "b_si", "b"), strict=True):
            digits = len(row[name].partition(".")[2])
            assert round(value, digits) == pytest.approx(float(row[name]), abs=1e-12), (row["case"], name)


def test_the_redrilled_stake_is_the_sum_of_its_legs() -> None:
    cases = {row["case"].split()[0]: row for row in rows("stake_arithmetic_analytic.csv")}
    first, second = visits(cases["E4a"]), visits(cases["E4b"])
    days = date(2003, 8, 27), date(2004, 3, 1), date(2004, 8, 26)
    chain = [
        first[0],
        replace(first[1], day=days[1]),
        replace(second[0], leg=2, day=days[1]),
        replace(second[1], leg=2, day=days[2]),
    ]
    assert chain_balance(chain, days[0], days[2], MassBalanceSettings()).balance_m_we == pytest.approx(-2.79, abs=1e-12)


def test_the_layered_pit_to_the_printed_digits() -> None:
    *layers, total = rows("snowpit_analytic.csv")
    pit = sum_pit([PitLayer(float(row["thickness_m"]), float(row["density_kg_m3"])) for row in layers])
    assert pit.depth_m == pytest.approx(float(total["thickness_m"]))
    assert pit.swe_kg_m2 == pytest.approx(float(total["swe_kg_m2"]))
    assert round(pit.bulk_density_kg_m3, 1) == float(total["density_kg_m3"])


# --- isolines ----------------------------------------------------------------------------------------------------
# The glacier behind analytic_isoline.csv, found from its numbers: 200001 equal strips from the snout (x = 0) to the
# head (x = 1), z = 3400 + 600 x^1.5, b = 0.0075 (z - 3750) below 3750 m and 0.0030 (z - 3750) above.

X = np.linspace(0, 1, 200_001)
Z = 3400 + 600 * X**1.5
AREA = np.full(X.size, 1.0)


def profile(elevation):
    return np.where(elevation < 3750, 0.0075, 0.0030) * (elevation - 3750)


def expected() -> dict[str, float]:
    """The listed values; a clipped row follows the row of its step."""
    found, step = {}, ""
    for row in rows("analytic_isoline.csv"):
        name = row["method"]
        if name.startswith("isoline"):
            step = name.split()[-1]
        found[f"clipped {step}" if "clipped" in name else name] = float(row["value"])
    return found


def test_the_exact_mean_and_the_accumulation_area_are_the_listed_ones() -> None:
    balance = profile(Z)
    assert balance.mean() == pytest.approx(expected()["exact"], abs=1e-13)
    assert 100 * np.mean(balance > 0) == pytest.approx(expected()["AAR %"], abs=1e-12)


@pytest.mark.parametrize("step", ["1.00", "0.50", "0.25", "0.10"])
def test_isoline_midpoints_to_the_listed_digits(step: str) -> None:
    balance = profile(Z)
    classes = classes_of_pixels(balance, AREA, float(step))
    assert contour_balance(classes) == pytest.approx(expected()[f"isoline midpoint step {step}"], abs=1e-12)
    clipped = clipped_contour_balance(classes, float(balance.min()), float(balance.max()))
    assert clipped == pytest.approx(expected()[f"clipped {step}"], abs=1e-12)


@pytest.mark.parametrize("height", [50, 100])
def test_band_middles_to_the_listed_digits(height: int) -> None:
    edges = np.arange(3400, 4000 + height, height, dtype=float)
    bands = Hypsometry(edges[:-1], edges[1:], np.histogram(Z, edges)[0].astype(float))
    found = zone_mean(bands, profile(bands.middle_m))
    assert found == pytest.approx(expected()[f"band mid-elevation {height} m"], abs=1e-12)
    line = equilibrium_line(bands.lower_m, bands.upper_m, bands.area_km2, profile(bands.middle_m))
    assert line.elevation_m == pytest.approx(expected()["ELA m"], abs=height / 4)


# --- area and altitude -------------------------------------------------------------------------------------------


def test_hintereisferner_has_the_area_altitude_distribution_of_the_inventory() -> None:
    folder = REAL_DATA / "hintereisferner"
    outline, dem = folder / "Hintereisferner_RGI5.shp", folder / "srtm.tif"
    with rasterio.open(dem) as source:
        assert source.crs is not None
    survey = read_surveys(dem, outline, ("", utm_crs(10.75, 46.8)), 10.0, 50.0)[-1]
    assert survey.surface.area_km2 == pytest.approx(8.036, rel=0.002)
    bands = survey.bands
    share = {float(m): 1000 * a / bands.total_km2 for m, a in zip(bands.middle_m, bands.area_km2, strict=True)}
    with (folder / "rgi5_hypsometry.csv").open(encoding="utf-8") as stream:
        row = next(csv.DictReader(stream, skipinitialspace=True))
    listed = {float(name): float(value) for name, value in row.items() if name.strip().isdigit() and float(value) >= 0}
    assert max(abs(share.get(middle, 0.0) - value) for middle, value in listed.items()) <= 7
