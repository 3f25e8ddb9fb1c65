"""The error budget by Monte Carlo through the whole chain beside the one by formula."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.mass_balance.chain import mass_balance
from pipeline.mass_balance.glacier_wide.uncertainty import SOURCES
from pipeline.mass_balance.ground.hypsometry import read_surveys
from pipeline.mass_balance.proof.draws import MonteCarlo, monte_carlo, with_monte_carlo
from schemas.errors import BadInput
from schemas.settings import MassBalanceSettings
from tests.made.synthetic_glaciers import CRS, field_data, synthetic_glacier

# seconds of drawing or computing each
pytestmark = pytest.mark.slow

SETTINGS = MassBalanceSettings(year_start="09-01", resolution_m=20.0)


@pytest.fixture(scope="module")
def glacier(tmp_path_factory):
    return synthetic_glacier(tmp_path_factory.mktemp("glacier"), 21, years=3, stakes=12)


def ground(glacier):
    return {"dem": glacier.dem, "outline": glacier.outline}


def without_a_map(glacier):
    """The same fieldwork with an area-altitude table."""
    bands = read_surveys(glacier.dem, glacier.outline, ("S1", CRS), 20.0, 50.0)[-1].bands
    table = pd.DataFrame({"year": 2001, "lower_m": bands.lower_m, "upper_m": bands.upper_m, "area_km2": bands.area_km2})
    return field_data({"stakes": glacier.data.stakes, "readings": glacier.data.readings, "hypsometry": table})


def test_the_same_seed_gives_the_same_errors_and_another_seed_others(glacier) -> None:
    first, second, other = (monte_carlo(glacier.data, SETTINGS, 8, seed, **ground(glacier)) for seed in (1, 1, 2))
    assert tuple(first.errors_m_we) == SOURCES
    for source in SOURCES:
        assert first.errors_m_we[source].shape == (8, 3)
        assert np.array_equal(first.errors_m_we[source], second.errors_m_we[source])
        assert not np.array_equal(first.errors_m_we[source], other.errors_m_we[source])


def test_a_source_without_error_has_none(glacier) -> None:
    exact = {"sigma_density_relative": 0.0, "sigma_ice_density_kg_m3": 0.0, "sigma_area_relative": 0.0}
    run = monte_carlo(glacier.data, SETTINGS.model_copy(update=exact), 6, 3, **ground(glacier))
    assert run.sigma_annual_m_we("density") == pytest.approx(0, abs=1e-12)
    assert run.sigma_annual_m_we("area") == pytest.approx(0, abs=1e-12)
    assert (run.sigma_annual_m_we("point") > 0).all()


def test_sums_grow_as_errors_that_repeat_do() -> None:
    """Errors alike in every year add up linearly, independent ones by the root of their number."""
    rng = np.random.default_rng(4)
    alike = np.repeat(rng.standard_normal((4000, 1)), 9, axis=1)
    errors = {"density": alike, "point": rng.standard_normal((4000, 9)), "total": alike}
    run = MonteCarlo(tuple(range(2001, 2010)), 4000, 4, errors)
    assert run.sigma_cumulative_m_we("density")[-1] == pytest.approx(9, rel=0.05)
    assert run.sigma_cumulative_m_we("point")[-1] == pytest.approx(3, rel=0.05)


def test_the_spread_stands_beside_the_formula(glacier) -> None:
    result = mass_balance(glacier.data, SETTINGS, **ground(glacier))
    run = monte_carlo(glacier.data, SETTINGS, 5, 5, **ground(glacier))
    table = with_monte_carlo(result, run).tables["error_budgets"]
    assert result.tables["error_budgets"]["monte_carlo_m_we"].isna().all()
    # what nobody measured is stated and not drawn
    drawn = table["source"] != "internal_accumulation"
    assert table.loc[drawn, "monte_carlo_m_we"].notna().all()
    assert table.loc[~drawn, "monte_carlo_m_we"].isna().all()
    chosen = table[(table["scope"] == "annual") & (table["source"] == "area")]
    assert chosen["monte_carlo_m_we"].tolist() == pytest.approx(run.sigma_annual_m_we("area").tolist())
    assert table.drop(columns="monte_carlo_m_we").equals(
        result.tables["error_budgets"].drop(columns="monte_carlo_m_we")
    )


def test_without_any_area_there_is_nothing_to_draw(glacier) -> None:
    run = monte_carlo(glacier.data, SETTINGS, 3, 1)
    assert run.years == ()
    assert run.sigma_annual_m_we().shape == (0,)


def test_filled_stakes_are_filled_anew_from_what_each_draw_reads(glacier) -> None:
    """Their errors are kept out of the formula, which so stays on the safe side; the draws have them."""
    filling = SETTINGS.model_copy(update={"fill_missing_stakes": True})
    result = mass_balance(glacier.data, filling, **ground(glacier))
    assert "mixed" in {year.provenance for year in result.years}
    run = monte_carlo(glacier.data, filling, 40, 6, **ground(glacier))
    assert (run.sigma_annual_m_we("point") > 0).all()
    formula = np.array([year.sigma_annual_m_we for year in result.years])
    assert (run.sigma_annual_m_we() < 1.4 * formula).all()


def test_one_draw_tells_no_spread(glacier) -> None:
    with pytest.raises(BadInput, match=r"Monte Carlo: found 1 draws; expected at least two"):
        monte_carlo(glacier.data, SETTINGS, 1, 0)


@pytest.mark.slow
@pytest.mark.parametrize("settings", [{}, {"primary_method": "zone"}])
def test_formula_and_monte_carlo_agree_within_a_tenth_on_the_map(glacier, settings) -> None:
    agree(glacier.data, SETTINGS.model_copy(update=settings), ground(glacier), cumulative=0.10)


@pytest.mark.slow
def test_formula_and_monte_carlo_agree_within_a_tenth_without_a_map(glacier) -> None:
    agree(without_a_map(glacier), SETTINGS, {}, cumulative=0.15)


def agree(data, settings, where, *, cumulative: float) -> None:
    """600 draws: the spread itself is known to 3 %."""
    result = mass_balance(data, settings, **where)
    run = monte_carlo(data, settings, 600, 11, **where)
    table = with_monte_carlo(result, run).tables["error_budgets"]
    table = table.assign(ratio=table["monte_carlo_m_we"] / table["sigma_m_we"])
    annual = table[(table["scope"] == "annual") & (table["source"] == "total")]
    assert (annual["ratio"] - 1).abs().max() < 0.10, annual
    for source in ("point", "density", "interpolation", "area"):
        chosen = table[(table["scope"] == "annual") & (table["source"] == source)]
        spread = np.sqrt((chosen["monte_carlo_m_we"] ** 2).mean() / (chosen["sigma_m_we"] ** 2).mean())
        assert spread == pytest.approx(1, abs=0.10), (source, chosen)
    last = table[(table["scope"] == "cumulative") & (table["source"] == "total")].iloc[-1]
    assert last["ratio"] == pytest.approx(1, abs=cumulative)
