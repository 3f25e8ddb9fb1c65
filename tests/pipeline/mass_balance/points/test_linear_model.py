"""The linear balance model: terms found again, cross-validation by hand, gaps filled and never taken for observed."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from pipeline.mass_balance.chain import mass_balance
from pipeline.mass_balance.fieldwork.read import FieldData
from pipeline.mass_balance.points.linear_model import Observation, fit_linear_model
from schemas.settings import MassBalanceSettings
from tests.made.synthetic_glaciers import field_data

ALPHA = {"1": -2.0, "2": -1.1, "3": -0.3, "4": 0.4}
BETA = {2001: 0.3, 2002: -0.5, 2003: 0.1, 2004: 0.1}


def exact(*missing: tuple[str, int]) -> list[Observation]:
    return [
        Observation(stake, (year,), alpha + beta)
        for stake, alpha in ALPHA.items()
        for year, beta in BETA.items()
        if (stake, year) not in missing
    ]


def test_terms_of_an_exact_table_are_found_and_gaps_filled() -> None:
    model = fit_linear_model(exact(("1", 2002), ("4", 2001)))
    mean = np.mean(list(BETA.values()))
    assert model.terms_m_we == pytest.approx([*[a + mean for a in ALPHA.values()], *[b - mean for b in BETA.values()]])
    assert model.predict("1", 2002)[0] == pytest.approx(-2.5)
    assert model.predict("4", 2001)[0] == pytest.approx(0.7)
    assert model.rms_residual_m_we == pytest.approx(0, abs=1e-9)


def test_a_period_of_two_years_enters_unsplit() -> None:
    """Stake 1 was not read in 2002: its 2003 reading spans both years."""
    balances = [*exact(("1", 2002), ("1", 2003)), Observation("1", (2002, 2003), 2 * -2.0 - 0.5 + 0.1)]
    model = fit_linear_model(balances)
    assert model.predict("1", 2002)[0] == pytest.approx(-2.5)
    assert model.predict("1", 2003)[0] == pytest.approx(-1.9)


def test_cross_validation_is_what_leaving_one_out_gives() -> None:
    rng = np.random.default_rng(4)
    noisy = [Observation(o.stake, o.years, o.balance_m_we + rng.normal(0, 0.2)) for o in exact(("2", 2003))]
    model = fit_linear_model(noisy)
    errors = []
    for left in range(len(noisy)):
        others = fit_linear_model([one for k, one in enumerate(noisy) if k != left])
        errors.append(noisy[left].balance_m_we - others.predict(noisy[left].stake, noisy[left].years[0])[0])
    assert model.rms_cross_validation_m_we == pytest.approx(np.sqrt(np.mean(np.square(errors))))


def test_predictions_are_off_by_as_much_as_they_say() -> None:
    rng = np.random.default_rng(8)
    ratios = []
    for _ in range(300):
        alpha, beta = rng.normal(-1, 1, 8), rng.normal(0, 0.5, 10)
        table = alpha[:, None] + beta[None, :] + rng.normal(0, 0.2, (8, 10))
        known = rng.random((8, 10)) < 0.7
        known[3, 4] = False
        model = fit_linear_model([
            Observation(str(j), (2000 + t,), float(table[j, t])) for j, t in zip(*np.nonzero(known), strict=True)
        ])  # fmt: skip
        told = model.predict("3", 2004) if model else None
        if told is not None:
            ratios.append((table[3, 4] - told[0]) / told[1])
    assert len(ratios) > 200
    assert np.std(ratios) == pytest.approx(1.0, abs=0.15)


def test_what_the_balances_do_not_tell_is_not_filled() -> None:
    """Two networks that never met in one year: their difference is unknown."""
    early = [Observation(s, (y,), 0.1 * y % 1) for s in "ab" for y in (1990, 1991, 1992, 1993)]
    late = [Observation(s, (y,), 0.2 * y % 1) for s in "cd" for y in (2000, 2001, 2002, 2003)]
    model = fit_linear_model([*early, *late])
    assert model.predict("a", 2000) is None
    assert model.predict("x", 2000) is None
    assert model.predict("a", 1990) is not None


def test_too_few_balances_make_no_model() -> None:
    assert fit_linear_model(exact()[:5]) is None
    assert fit_linear_model([]) is None


def a_network(lost: tuple[tuple[str, int], ...]) -> FieldData:
    """The exact table as readings of bare ice or old snow, each year a new leg; ``lost`` readings were never made."""
    rows = []
    for stake, alpha in ALPHA.items():
        for leg, (year, beta) in enumerate(BETA.items(), start=1):
            if (stake, year) not in lost:
                lost_m, snow_m = max(-(alpha + beta), 0.0) / 0.9, max(alpha + beta, 0.0) / 0.5
                rows.append((stake, leg, date(year - 1, 9, 30), 5.0, 0.0, None))
                rows.append((stake, leg, date(year, 9, 30), 5.0 + lost_m - snow_m, snow_m, 500.0 if snow_m else None))
    stakes = [(stake, 500_000.0 + 200 * k, 4.8e6 + 200 * k, 3500.0 + 100 * k) for k, stake in enumerate(ALPHA)]
    bands = [(2001, 3450.0 + 100 * k, 3550.0 + 100 * k, 1.0) for k in range(4)]
    return field_data(
        {
            "stakes": pd.DataFrame(stakes, columns=["stake_id", "easting", "northing", "elevation_m"]),
            "readings": pd.DataFrame(
                rows, columns=["stake_id", "leg", "date", "exposed_m", "snow_depth_m", "snow_density_kg_m3"]
            ),
            "hypsometry": pd.DataFrame(bands, columns=["year", "lower_m", "upper_m", "area_km2"]),
        }
    )


def test_filled_stakes_are_used_by_setting_alone_and_never_called_observed() -> None:
    data = a_network((("1", 2002), ("4", 2001)))
    by_default = mass_balance(data, MassBalanceSettings())
    filling = mass_balance(data, MassBalanceSettings(fill_missing_stakes=True))
    assert [year.provenance for year in by_default.years] == ["observed"] * 4
    assert [year.provenance for year in filling.years] == ["mixed", "mixed", "observed", "observed"]
    for result, used in ((by_default, False), (filling, True)):
        filled = result.tables["filled_balances"]
        assert filled[["point_id", "year"]].to_numpy().tolist() == [["4", 2001], ["1", 2002]]
        assert filled["used"].tolist() == [used, used]
        assert filled["balance_m_we"].tolist() == pytest.approx([0.7, -2.5])
    # the whole table known: the glacier's balance is the mean of the stakes, one band each
    truth = np.mean(list(ALPHA.values())) - 0.5
    assert filling.years[1].annual_m_we == pytest.approx(truth)
    assert by_default.years[1].annual_m_we != pytest.approx(truth, abs=0.02)
    assert "filled_stakes:1" in filling.years[1].flags
    row = filling.tables["glacier_balances"].iloc[1]
    assert (row["n_stakes"], row["n_filled"]) == (3, 1)
    assert len(filling.tables["point_balances"]) == len(by_default.tables["point_balances"])


def test_a_zone_that_only_a_filled_stake_stands_in_is_no_observed_zone() -> None:
    data = a_network((("1", 2002), ("4", 2001)))
    zones = mass_balance(data, MassBalanceSettings(fill_missing_stakes=True)).tables["zone_balances"]
    first, second = (zones[zones["year"] == year] for year in (2001, 2002))
    assert first["basis"].tolist() == ["observed", "observed", "observed", "extrapolated"]
    assert second["basis"].tolist() == ["extrapolated", "observed", "observed", "observed"]
    assert second["n_points"].tolist() == [0, 1, 1, 1]
    # the filled balance is the zone's all the same
    assert second["annual_balance_m_we"].iloc[0] == pytest.approx(-2.5)


def test_filled_stakes_are_kept_out_of_the_errors() -> None:
    data = a_network((("1", 2002), ("4", 2001)))
    by_default, filling = (
        mass_balance(data, MassBalanceSettings(fill_missing_stakes=fill)).years[1] for fill in (False, True)
    )
    for source in ("point", "density", "interpolation", "leave_one_out"):
        assert filling.budget[source] == pytest.approx(by_default.budget[source]), source


def test_a_year_of_few_stakes_is_reconstructed_with_the_models_error() -> None:
    data = a_network((("1", 2002), ("4", 2002), ("2", 2002)))
    observed = mass_balance(data, MassBalanceSettings()).years[1]
    assert observed.annual_m_we is None
    year = mass_balance(data, MassBalanceSettings(fill_missing_stakes=True)).years[1]
    assert year.provenance == "reconstructed"
    result = mass_balance(data, MassBalanceSettings(fill_missing_stakes=True))
    zones = result.tables["zone_balances"].set_index(["year", "lower_m"]).loc[2002]
    assert zones["basis"].tolist() == ["extrapolated", "extrapolated", "observed", "extrapolated"]
    assert zones["n_points"].tolist() == [0, 0, 1, 0]
    assert year.annual_m_we == pytest.approx(np.mean(list(ALPHA.values())) - 0.5)
    assert year.sigma_annual_m_we > 0


def test_a_bound_is_never_overruled() -> None:
    data = a_network((("1", 2002),))
    melted = pd.DataFrame(
        [("1", 9, date(2001, 9, 30), 1.0, 4.5, "ok"), ("1", 9, date(2002, 9, 30), np.nan, 4.5, "melted_out")],
        columns=["stake_id", "leg", "date", "exposed_m", "stake_length_m", "status"],
    )
    frames = {"stakes": data.stakes, "hypsometry": data.hypsometry, "readings": pd.concat([data.readings, melted])}
    filled = mass_balance(field_data(frames), MassBalanceSettings()).tables["filled_balances"]
    # the model says -2.5; at least 3.5 m of ice went
    assert filled["balance_m_we"].tolist() == pytest.approx([-0.9 * 3.5])
