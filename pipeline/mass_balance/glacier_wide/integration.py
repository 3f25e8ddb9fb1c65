"""From the points of every year to the balance of the whole glacier in every year."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from pipeline.mass_balance.field import FieldModel, Points, YearPoints, fields_of_years, fit_field_model
from pipeline.mass_balance.glacier_wide.methods import GlacierWide, as_points, bent_beyond, by_map, by_zones
from pipeline.mass_balance.glacier_wide.zoning import gradient_is_unknown
from pipeline.mass_balance.ground import (
    GlacierSurface,
    Hypsometry,
    SurveyedGround,
    hypsometry_of_year,
    survey_of_year,
)
from pipeline.mass_balance.points import Filled, PointRecord, YearVisits, usable
from pipeline.progress import Tell
from schemas.settings import MassBalanceSettings

# fewer points than this make no field
FIELD_POINTS = 3
# more points than this (some thousand probings) are joined with their neighbours before a field is laid through them
MOST_POINTS = 2000


@dataclass(frozen=True)
class Ground:
    """What lies under the balance: the map, if there is one, and an area-altitude table, if there is one.

    Attributes
    ----------
    surveys : the glacier within the outline of each year there is one of, the earliest first; empty without a map.
    table : area-altitude distributions by year; empty where there is none.
    """

    surveys: tuple[SurveyedGround, ...]
    table: pd.DataFrame

    @property
    def has_areas(self) -> bool:
        """Whether the glacier's areas are known."""
        return bool(self.surveys) or not self.table.empty

    def survey(self, year: int) -> SurveyedGround | None:
        """The survey that serves a year; None without a map.

        Parameters
        ----------
        year : of the mass balance.
        """
        return survey_of_year(self.surveys, year) if self.surveys else None

    def surface(self, year: int) -> GlacierSurface | None:
        """The glacier's surface within the outline that serves a year; None without a map.

        Parameters
        ----------
        year : of the mass balance.
        """
        survey = self.survey(year)
        return survey.surface if survey is not None else None

    def hypsometry(self, year: int) -> Hypsometry | None:
        """The year's area-altitude distribution: of the table, else of DEM and outline, else none.

        Parameters
        ----------
        year : of the mass balance.
        """
        if not self.table.empty:
            return hypsometry_of_year(self.table, year)
        survey = self.survey(year)
        return survey.bands if survey is not None else None


@dataclass(frozen=True)
class YearPlan:
    """What one year's balance is made from.

    Attributes
    ----------
    visits : the dates of the year.
    records : every point balance of the year.
    filled : balances of the linear model that may be used.
    nearest_visit_days : where no visit of any year closes one, how near the nearest comes; None otherwise.
    """

    visits: YearVisits
    records: Sequence[PointRecord]
    filled: Sequence[Filled]
    nearest_visit_days: int | None = None

    @property
    def year(self) -> int:
        return self.visits.year

    @cached_property
    def annual(self) -> list[PointRecord]:
        """The annual balances that enter the glacier-wide one."""
        return usable(self.records, self.year, "annual")

    @cached_property
    def winter(self) -> list[PointRecord]:
        """The winter balances that enter the glacier-wide one."""
        return usable(self.records, self.year, "winter")

    @cached_property
    def summer(self) -> list[PointRecord]:
        """The summer balances that enter the glacier-wide one, where it is not the annual less the winter balance."""
        return usable(self.records, self.year, "summer")

    def provenance(self, minimum_points: int) -> str:
        """Observed, mixed where filled balances helped, reconstructed where the observed ones alone are too few.

        Parameters
        ----------
        minimum_points : of a year that counts as observed.
        """
        if not self.filled:
            return "observed"
        return "mixed" if len(self.annual) >= minimum_points else "reconstructed"

    def annual_points(self, settings: MassBalanceSettings) -> YearPoints | None:
        """The points of the annual balance; None with too few.

        Filled balances are kept out of the errors as long as enough points were observed; where they are all there
        is, they stand for points whose error is that of the model.

        Parameters
        ----------
        settings : of the mass balance.
        """
        observed = as_points(self.annual, settings)
        if not self.filled:
            return observed if len(self.annual) >= settings.minimum_points else None
        filled = _filled_points(self.filled)
        if len(self.annual) >= settings.minimum_points:
            return replace(observed, filled=filled)
        if len(self.annual) + len(self.filled) < settings.minimum_points:
            return None
        shared = np.concatenate([observed.shared, np.zeros((filled.count, 2))])
        return YearPoints(
            observed=observed.observed.joined(filled),
            shared=shared,
            reconstructed=filled.count,
            beyond=observed.beyond,
        )

    def winter_points(self, settings: MassBalanceSettings) -> YearPoints | None:
        """The points of the winter balance; None with too few.

        Parameters
        ----------
        settings : of the mass balance.
        """
        return as_points(self.winter, settings) if len(self.winter) >= settings.minimum_points else None

    def summer_points(self, settings: MassBalanceSettings) -> YearPoints | None:
        """The points of the summer balance; None with too few."""
        return as_points(self.summer, settings) if len(self.summer) >= settings.minimum_points else None

    def shared_fill_error(self, settings: MassBalanceSettings) -> float:
        """What the error of a reconstructed year's own term does to all its filled balances at once (m w.e.).

        Parameters
        ----------
        settings : of the mass balance.
        """
        if self.provenance(settings.minimum_points) != "reconstructed":
            return 0.0
        return max(one.sigma_m_we for one in self.filled) / math.sqrt(max(self.filled[0].stakes_of_year, 1))


def _filled_points(filled: Sequence[Filled]) -> Points:
    columns = np.array(
        [
            (one.place.easting, one.place.northing, one.place.elevation_m, one.balance_m_we, one.sigma_m_we)
            for one in filled
        ]
    )
    easting, northing, elevation, balance, sigma = columns.T
    return Points(
        easting=easting, northing=northing, elevation_m=elevation, balance_m_we=balance, sigma_random_m_we=sigma
    )


def integrate_years(
    points: Mapping[int, YearPoints], ground: Ground, settings: MassBalanceSettings, *, publish: bool, tell: Tell
) -> dict[int, GlacierWide]:
    """Points to the whole glacier, year by year: on the map where there is one, else by zones; none without areas.

    ``publish`` asks for the field of each year with isolines and errors, which a year's annual balance publishes and
    its winter balance does not.

    Parameters
    ----------
    points : by year.
    ground : surfaces and areas.
    settings : of the mass balance.
    publish : whether isolines and errors are asked for.
    tell : takes a line for each step.
    """
    points = {
        year: bent_beyond(own, hypsometry) if (hypsometry := ground.hypsometry(year)) is not None else own
        for year, own in points.items()
    }
    integrated: dict[int, GlacierWide] = {}
    on_map: list[int] = []
    for year, own in points.items():
        hypsometry = ground.hypsometry(year)
        if hypsometry is None or gradient_is_unknown(hypsometry, own.all.elevation_m, own.all.balance_m_we):
            continue
        if ground.surveys and own.all.count >= FIELD_POINTS:
            on_map.append(year)
        else:
            integrated[year] = by_zones(own, hypsometry, settings)
    if not on_map:
        return integrated
    points = {year: points[year].joined_to(MOST_POINTS) for year in on_map}
    model = field_model(points, on_map, settings)
    if model is None:
        return integrated | {year: by_zones(points[year], _known(ground, year), settings) for year in on_map}
    for survey in ground.surveys:
        years = [year for year in on_map if ground.survey(year) is survey]
        if not years:
            continue
        fields = fields_of_years(
            [points[year] for year in years],
            model,
            survey.surface,
            with_sigma=publish,
            inverse_distance=settings.interpolation == "inverse_distance",
        )
        # while one year is integrated here, the fields of the next are computed on their threads
        for year, field in zip(years, fields, strict=True):
            tell(f"integrating the {'' if publish else 'winter '}balance of {year}")
            integrated[year] = by_map(points[year], field, model, (survey.surface, _known(ground, year)), settings)
    return integrated


def _known(ground: Ground, year: int) -> Hypsometry:
    hypsometry = ground.hypsometry(year)
    if hypsometry is None:
        raise ValueError(f"no area-altitude distribution for {year}")
    return hypsometry


def field_model(
    points: Mapping[int, YearPoints], years: Sequence[int], settings: MassBalanceSettings
) -> FieldModel | None:
    """The model that all years of a period share, fitted to what was observed; None where no year has three points.

    Parameters
    ----------
    points : by year.
    years : that share the model.
    settings : of the mass balance.
    """
    observed = [points[year].observed for year in years if points[year].observed.count >= FIELD_POINTS]
    if not observed:
        return None
    return fit_field_model(observed, two_piece=settings.elevation_trend == "two_piece")
