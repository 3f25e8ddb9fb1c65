"""Acquisition dates: claimed and supported side by side, and the dates and errors that the rates use."""

from __future__ import annotations

from datetime import date

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pydantic import ValidationError

from catalog.tables.write import published_table
from pipeline.elevation_change.pairing.dates import dated, dates_table, middle_of, period_years
from schemas.definition import Period, Source, read_definition
from schemas.errors import BadInput
from schemas.settings import ElevationChangeSettings
from schemas.tables import DATES
from tests.root import ROOT

DEFINITION = ROOT / "catalog" / "datasets" / "urumqi-glacier-elevation-change.toml"
SOURCE = {"files": ("x",), "title": "a DEM"}


@pytest.fixture(scope="module")
def definition():
    return read_definition(DEFINITION)


def outlines(*dates):
    """Outlines by (epoch, date)."""
    return gpd.GeoDataFrame(
        {"epoch": [epoch for epoch, _ in dates], "date": [day for _, day in dates]},
        geometry=[shapely.Point(0, 0)] * len(dates),
    )


def test_the_middle_of_a_period_and_the_deviation_of_equally_likely_days():
    assert middle_of(date(2000, 2, 11), date(2000, 2, 22)) == (date(2000, 2, 16), pytest.approx(12 / 365.25 / 12**0.5))
    day, sigma_years = middle_of(date(2010, 12, 1), date(2015, 1, 31))
    draws = np.random.default_rng(0).integers(0, 1523, 100_000) / 365.25
    assert day == date(2012, 12, 31)
    assert sigma_years == pytest.approx(draws.std(), rel=0.01)


def test_the_product_says_what_is_claimed_and_what_is_supported(definition):
    table = dates_table(definition.processing, definition.sources, definition.period).set_index("input")
    earlier, later, period = table.loc["earlier"], table.loc["later"], table.loc["period"]
    assert (earlier["claimed_begin"], earlier["claimed_end"]) == (date(2000, 2, 11), date(2000, 2, 11))
    assert (earlier["supported_begin"], earlier["supported_end"]) == (date(2000, 2, 11), date(2000, 2, 22))
    assert (later["claimed_begin"], later["claimed_end"]) == (date(2010, 1, 1), date(2010, 12, 31))
    assert (later["supported_begin"], later["supported_end"]) == (date(2010, 12, 1), date(2015, 1, 31))
    assert (period["claimed_begin"], period["claimed_end"]) == (date(2000, 1, 1), date(2010, 12, 31))
    assert (period["supported_begin"], period["supported_end"]) == (date(2000, 2, 11), date(2015, 1, 31))
    assert "from 2000 to 2010" in later["basis"]
    assert later["product"] == "FABDEM V1-2, 1 arc second (30 m)"
    assert "12.87 years from the earlier to the later day" in period["basis"]


def test_the_dates_of_the_settings_are_those_that_the_sources_give(definition):
    stated = definition.processing
    found = dated(stated.model_copy(update={"earlier_date": None, "later_date": None}), definition.sources)
    assert (found.earlier_date, found.later_date) == (stated.earlier_date, stated.later_date)
    assert found.sigma_earlier_date_years == pytest.approx(stated.sigma_earlier_date_years, abs=0.001)
    assert found.sigma_later_date_years == pytest.approx(stated.sigma_later_date_years, abs=0.01)
    table = dates_table(stated, definition.sources)
    assert table["basis"].iloc[:2].str.endswith("middle of the supported days, each as likely as the others").all()


def test_dates_that_are_stated_are_kept_and_said_to_be_stated(definition):
    settings = ElevationChangeSettings(later_date="2011-08-20", sigma_later_date_years=0.05)
    found = dated(settings, definition.sources)
    assert (found.later_date, found.sigma_later_date_years) == ("2011-08-20", 0.05)
    row = dates_table(found, definition.sources).set_index("input").loc["later"]
    assert (row["date"], row["sigma_years"]) == (date(2011, 8, 20), 0.05)
    assert row["basis"].endswith("as the settings state")


def test_without_dates_the_table_says_that_no_rates_are_given():
    table = dates_table(ElevationChangeSettings())
    assert table["input"].tolist() == ["earlier", "later", "period"]
    assert table["basis"].tolist() == [*["no date is known: no rates are given"] * 2, "length not known"]
    assert table["date"].isna().all()


def test_outlines_give_their_own_dates():
    frame = outlines((0, "2000-08-20T00:00:00"), (0, "20000904"), (1, "20129999"), (1, ""))
    table = dates_table(ElevationChangeSettings(), outlines=frame).set_index("input")
    first, second = table.loc["outlines 1"], table.loc["outlines 2"]
    assert (first["supported_begin"], first["supported_end"]) == (date(2000, 8, 20), date(2000, 9, 4))
    assert first["date"] == date(2000, 8, 27)
    assert second["basis"] == "the outlines state no day"
    assert second[["supported_begin", "supported_end", "date", "sigma_years"]].isna().all()


def test_the_table_can_be_published(definition):
    frame = outlines((0, "2000-08-20"), (1, "no date"))
    table = dates_table(definition.processing, definition.sources, definition.period, frame)
    rows = published_table(DATES, table).rows
    assert [row[0] for row in rows] == ["earlier", "later", "outlines 1", "outlines 2", "period"]


def test_the_length_of_the_period_carries_both_errors():
    settings = ElevationChangeSettings(
        earlier_date="2000-02-16", later_date="2013-02-15", sigma_earlier_date_years=0.3, sigma_later_date_years=0.4
    )
    assert period_years(settings) == (pytest.approx(13, abs=0.01), pytest.approx(0.5))
    assert np.isnan(period_years(ElevationChangeSettings(earlier_date="2000-02-16"))).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"earlier_date": "2013-02-15", "later_date": "2000-02-16"}, "2013-02-15 must be before later_date 2000"),
        ({"earlier_date": "2000-02-16", "later_date": "2000-02-16"}, "must be before later_date 2000-02-16"),
        ({"earlier_date": "16.2.2000"}, "'16.2.2000' is not a date of the form YYYY-MM-DD"),
        ({"later_date": "20120630"}, "'20120630' is not a date of the form YYYY-MM-DD"),
    ],
)  # fmt: skip
def test_impossible_dates_are_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        ElevationChangeSettings(**settings)


def test_sources_whose_days_put_the_later_dem_first_are_refused():
    sources = [
        Source(key="earlier", acquired_start=date(2012, 1, 1), acquired_end=date(2012, 3, 1), **SOURCE),
        Source(key="later", acquired_start=date(2000, 2, 11), acquired_end=date(2000, 2, 22), **SOURCE),
    ]
    with pytest.raises(
        BadInput, match="dates: found the earlier DEM of 2012-01-31 and the later of 2000-02-16; expected"
    ):
        dated(ElevationChangeSettings(), sources)


def test_a_claim_that_ends_before_it_begins_is_refused():
    with pytest.raises(ValidationError, match="claimed_end on or after claimed_start"):
        Source(key="later", claimed_start=date(2010, 2, 1), claimed_end=date(2010, 1, 1), **SOURCE)


def test_a_period_without_support_leaves_those_cells_empty():
    row = dates_table(ElevationChangeSettings(), period=Period(start="2000-01-01", end="2010-12-31")).iloc[-1]
    assert (row["claimed_begin"], row["supported_begin"]) == (date(2000, 1, 1), None)
