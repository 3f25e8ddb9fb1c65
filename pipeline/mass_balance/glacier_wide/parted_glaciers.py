"""The series of a glacier that parted: its parts together, weighted by their areas, and the whole before that."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from pipeline.mass_balance.result import BalanceYear, MassBalance
from schemas.tables import JOINT_BALANCES

_SEASONS = ("annual", "winter", "summer")
_RANDOM = ("point", "method")
_REPEATED = ("interpolation", "area")


@dataclass(frozen=True, kw_only=True)
class JointYear:
    """One year of a glacier that parted.

    Attributes
    ----------
    year, basis : whether it is that of the whole glacier or of its parts.
    parts : the glaciers that it is made of.
    balance_m_we, sigma_m_we : season -> balance of all parts and its error; None where a part lacks it.
    area_km2 : of all parts.
    missing : parts without a balance that year, which then has none.
    """

    year: int
    basis: str
    parts: tuple[str, ...]
    balance_m_we: Mapping[str, float | None]
    sigma_m_we: Mapping[str, float | None]
    area_km2: float | None
    missing: tuple[str, ...] = ()


def joint_series(
    parts: Mapping[str, Sequence[BalanceYear]], whole: Sequence[BalanceYear] = ()
) -> tuple[JointYear, ...]:
    """The balance of the parts of a glacier together.

        B = sum_i A_i B_i / sum_i A_i

    Errors of readings and methods are independent from part to part; those of field, outline and densities are taken as
    shared, for the parts lie side by side and the same people measured them: they add up by area. A year in which one
    part has no balance has none, and says which part. A year that the undivided glacier has itself is its own.

    Parameters
    ----------
    parts : by identifier, the years of each part.
    whole : years of the glacier before it parted, measured as one.
    """
    undivided = {year.year: year for year in whole if year.annual_m_we is not None}
    by_part = {name: {year.year: year for year in years} for name, years in parts.items()}
    numbers = sorted(set(undivided) | {number for years in by_part.values() for number in years})
    return tuple(
        _of_whole(undivided[number])
        if number in undivided
        else _of_parts(number, {name: years.get(number) for name, years in by_part.items()})
        for number in numbers
    )


def _of_whole(year: BalanceYear) -> JointYear:
    return JointYear(
        year=year.year,
        basis="whole",
        parts=(),
        balance_m_we={season: getattr(year, f"{season}_m_we") for season in _SEASONS},
        sigma_m_we={season: getattr(year, f"sigma_{season}_m_we") for season in _SEASONS},
        area_km2=year.area_km2,
    )


def _of_parts(number: int, years: Mapping[str, BalanceYear | None]) -> JointYear:
    missing = tuple(name for name, year in years.items() if year is None or year.annual_m_we is None)
    known = [year for year in years.values() if year is not None and year.area_km2]
    areas = [year.area_km2 or 0.0 for year in known]
    complete = len(known) == len(years)
    balances = {season: _mean(areas, [getattr(one, f"{season}_m_we") for one in known]) for season in _SEASONS}
    sigmas = {season: _shared(areas, [getattr(one, f"sigma_{season}_m_we") for one in known]) for season in _SEASONS}
    if all(one.budget for one in known):
        sigmas["annual"] = _sigma_annual(areas, known)
    return JointYear(
        year=number,
        basis="parts",
        parts=tuple(years),
        balance_m_we={season: value if complete else None for season, value in balances.items()},
        sigma_m_we={
            season: sigma if complete and balances[season] is not None else None for season, sigma in sigmas.items()
        },
        area_km2=sum(areas) if complete else None,
        missing=missing,
    )


def _mean(areas: Sequence[float], values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    if not known or len(known) < len(areas):
        return None
    return sum(area * value for area, value in zip(areas, known, strict=True)) / sum(areas)


def _shared(areas: Sequence[float], sigmas: Sequence[float | None]) -> float | None:
    """Error of the mean where the parts share all of theirs."""
    return _mean(areas, sigmas)


def _sigma_annual(areas: Sequence[float], years: Sequence[BalanceYear]) -> float:
    total = sum(areas)
    weights = [area / total for area in areas]
    random = [
        weight * year.budget.get(source, 0.0) for weight, year in zip(weights, years, strict=True) for source in _RANDOM
    ]
    repeated = [
        sum(weight * year.budget.get(source, 0.0) for weight, year in zip(weights, years, strict=True))
        for source in _REPEATED
    ]
    densities = [year.density_errors_m_we or (year.budget.get("density", 0.0), 0.0) for year in years]
    signed = [sum(weight * own[k] for weight, own in zip(weights, densities, strict=True)) for k in range(2)]
    return math.hypot(*random, *repeated, *signed)


def joint_table(results: Sequence[MassBalance]) -> pd.DataFrame:
    """The joint series of all glaciers that parted, in the shape of ``schemas.tables.JOINT_BALANCES``, full precision.

    Parameters
    ----------
    results : of the glaciers of a workbook; parts say by ``part_of`` what they are a part of.
    """
    of = {result.glacier.glacier_id: result.years for result in results}
    groups: dict[str, dict[str, Sequence[BalanceYear]]] = {}
    for result in results:
        if result.glacier.part_of:
            groups.setdefault(result.glacier.part_of, {})[result.glacier.glacier_id] = result.years
    rows = [
        _row(name, year) for name, parts in sorted(groups.items()) for year in joint_series(parts, of.get(name, ()))
    ]
    return pd.DataFrame(rows, columns=list(JOINT_BALANCES.column_names))


def _row(name: str, year: JointYear) -> tuple[object, ...]:
    values = [one[season] for season in _SEASONS for one in (year.balance_m_we, year.sigma_m_we)]
    flags = ";".join(f"part_without_balance:{part}" for part in year.missing) or None
    return (name, year.year, *values, year.area_km2, year.basis, ";".join(year.parts) or None, flags)
