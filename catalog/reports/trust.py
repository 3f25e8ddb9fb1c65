"""What of a result can be trusted, what needs care, what nothing here proves; and what the user can do about it.

The numbers are those of the run; here they are held against what they should be, and said in a sentence.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from typing import Literal

from catalog.archive import ByKind
from pipeline.elevation_change.result import ElevationChange, PatchSpread
from pipeline.mass_balance.result import BalanceYear, MassBalance
from schemas.messages import Advice, Listed, Message

# spread of the patches' means over the stated error that is expected, and their mean over smooth ground
_SPREAD, _SMOOTH_MEAN = (0.8, 1.2), 0.5
# of the NMAD of stable terrain: a mean that far off zero is no chance
_BIAS_SHARE = 0.1
_ENOUGH_OBSERVED = 0.8
_OFF_OUTLINE, _UNMEASURED = "off_the_outline", "unmeasured_area"
# a reduced discrepancy (Zemp et al., 2013) beyond this is no chance at 95 %
_NO_CHANCE = 1.96
# years of a series that is worth a check against an elevation change
_SERIES = 5

Verdict = Literal["holds", "care", "open"]


@dataclass(frozen=True)
class Judgement:
    """One thing about a result.

    Attributes
    ----------
    verdict : ``holds`` was tested and passed, ``care`` was tested and did not, ``open`` could not be tested.
    said : the sentence, with its numbers.
    """

    verdict: Verdict
    said: Message


def judgements(result: ElevationChange | MassBalance) -> tuple[Judgement, ...]:
    """What to trust of a result and what not, in the order of the method."""
    return tuple(_JUDGEMENTS(result))


def suggestions(result: ElevationChange | MassBalance) -> tuple[Advice, ...]:
    """What the user can do for a better result, the most telling first; empty where nothing is to be said."""
    return tuple(_SUGGESTIONS(result))


def verdict_line(result: ElevationChange | MassBalance) -> Message:
    """The verdict in a line: how many tests hold, how many need care, how many could not be made."""
    counts = [one.verdict for one in judgements(result)]
    parts = (
        (counts.count("holds"), Message("{count} hold", count=counts.count("holds"))),
        (counts.count("care"), Message("{count} need care", count=counts.count("care"))),
        (counts.count("open"), Message("{count} could not be made", count=counts.count("open"))),
    )
    return Message("Tests: {counts}", counts=Listed(said for count, said in parts if count))


# --- elevation change ---------------------------------------------------------------------------------------------


def _of_change(result: ElevationChange) -> Iterator[Judgement]:
    yield _bias(result)
    yield _cosine(result)
    yield from _patches(result.patches)
    smooth = result.patches_on_smooth
    if smooth.count >= 2:
        yield Judgement(
            "holds" if abs(smooth.mean) <= _SMOOTH_MEAN else "care",
            Message(
                "on the smoothest fifth of stable terrain, which resembles glaciers, the change lies {mean:+.2f} of its"
                " stated error off zero (0.5 at most expected)",
                mean=smooth.mean,
            ),
        )
    datum = result.datum
    yield Judgement(
        "care" if datum.method == "left to co-registration" else "holds",
        Message("vertical datum: {method}; {note}", method=datum.method, note=datum.note),
    )
    yield _observed(result)


def _bias(result: ElevationChange) -> Judgement:
    before, after = result.before, result.after
    return Judgement(
        "holds" if abs(after.mean_m) <= _BIAS_SHARE * max(after.nmad_m, 0.01) else "care",
        Message(
            "over {count:,} stable pixels the corrected change is {mean:.2f} m (mean) and spreads by {nmad:.2f} m"
            " (NMAD; {before:.2f} m as delivered)",
            count=after.count,
            mean=after.mean_m + 0.0,
            nmad=after.nmad_m,
            before=before.nmad_m,
        ),
    )


def _cosine(result: ElevationChange) -> Judgement:
    apart = [one - other for one, other in zip(astuple(result.shift_m), astuple(result.shift_by_cosine_m), strict=True)]
    sigmas = astuple(result.sigma_shift_m)
    agree = all(abs(way) <= 2 * max(sigma, 0.01) for way, sigma in zip(apart, sigmas, strict=True))
    return Judgement(
        "holds" if agree else "care",
        Message(
            "two ways of co-registration differ by {east:.2f} m east, {north:.2f} m north and {up:.2f} m up (stated"
            " errors {sigma_east:.2f}, {sigma_north:.2f} and {sigma_up:.2f} m)",
            east=abs(apart[0]),
            north=abs(apart[1]),
            up=abs(apart[2]),
            sigma_east=sigmas[0],
            sigma_north=sigmas[1],
            sigma_up=sigmas[2],
        ),
    )


def _patches(patches: PatchSpread) -> Iterator[Judgement]:
    if not patches.enough or math.isnan(patches.spread):
        yield Judgement(
            "open",
            Message(
                "the stated uncertainty of a glacier's mean could not be tested: {count} stable patches of"
                " {area_km2:.2g} km2 are too few",
                count=patches.count,
                area_km2=patches.area_km2,
            ),
        )
        return
    least, greatest = _SPREAD
    yield Judgement(
        "holds" if least <= patches.spread <= greatest else "care",
        Message(
            "means over {count} stable patches of {area_km2:.2g} km2 spread {spread:.2f} times as widely as the stated"
            " uncertainty says ({least:g} to {greatest:g} expected)",
            count=patches.count,
            area_km2=patches.area_km2,
            spread=patches.spread,
            least=least,
            greatest=greatest,
        ),
    )


def _observed(result: ElevationChange) -> Judgement:
    totals = result.totals
    if totals is None:
        return Judgement("open", Message("no outlines: the change of glaciers is in the map and in no number"))
    return Judgement(
        "holds" if totals.observed_share >= _ENOUGH_OBSERVED else "care",
        Message(
            "{share:.1%} of the area of the glaciers is observed; the rest is filled from their elevation bands",
            share=totals.observed_share,
        ),
    )


def _advice_on_change(result: ElevationChange) -> Iterator[Advice]:
    return (note for note in result.notes if isinstance(note, Advice))


# --- mass balance -------------------------------------------------------------------------------------------------


def _of_balance(result: MassBalance) -> Iterator[Judgement]:
    known = [year for year in result.years if year.annual_m_we is not None]
    yield Judgement(
        "holds" if len(known) == len(result.years) else "care",
        Message("{known} of {years} years have an annual balance", known=len(known), years=len(result.years)),
    )
    yield from _methods(known)
    yield from _unmeasured(known)
    off = _with_flag(result.years, _OFF_OUTLINE)
    if result.outline is not None:
        yield Judgement(
            "care" if off else "holds",
            Message("{count} of the points in use lie off the glacier's outline", count=len(_points_of(off))),
        )
    yield _geodetic(result)


def _methods(known: Sequence[BalanceYear]) -> Iterator[Judgement]:
    compared = [
        (year.method_range_m_we, year.sigma_annual_m_we)
        for year in known
        if year.method_range_m_we is not None and year.sigma_annual_m_we
    ]
    if not compared:
        return
    apart = sum(spread > 2 * _NO_CHANCE * sigma for spread, sigma in compared)
    yield Judgement(
        "care" if apart else "holds",
        Message(
            "in {apart} of {count} years the methods lie further apart than their errors explain; at most by"
            " {widest:.2f} m w.e.",
            apart=apart,
            count=len(compared),
            widest=max(spread for spread, _ in compared),
        ),
    )


def _unmeasured(known: Sequence[BalanceYear]) -> Iterator[Judgement]:
    shares = [year.unmeasured_area_share for year in known if year.unmeasured_area_share is not None]
    if shares:
        yield Judgement(
            "care" if _with_flag(known, _UNMEASURED) else "holds",
            Message(
                "up to {share:.0%} of the area lies above the highest or below the lowest point of a year",
                share=max(shares),
            ),
        )


def _geodetic(result: MassBalance) -> Judgement:
    checks = result.tables["geodetic_check"]
    deltas = [float(value) for value in checks["reduced_discrepancy"] if not math.isnan(float(value))]
    if not deltas:
        return Judgement("open", Message("no geodetic balance is given: an error that all years share would not show"))
    worst = max(deltas, key=abs)
    return Judgement(
        "holds" if abs(worst) <= _NO_CHANCE else "care",
        Message("against the geodetic balance the reduced discrepancy is {delta:+.2f} (1.96 at most)", delta=worst),
    )


def _advice_on_balance(result: MassBalance) -> Iterator[Advice]:
    off = _points_of(_with_flag(result.years, _OFF_OUTLINE))
    if off:
        yield Advice(
            "points off the glacier's outline count as if they were on it: {points}; check their coordinates and the"
            " outline (--outline), or leave them out of the workbook",
            points=Listed(off),
        )
    if result.outline is None and any(year.annual_m_we is not None for year in result.years):
        yield Advice("without a DEM and an outline there is no map and no contour method: give both (--dem, --outline)")
    gaps = _with_flag(result.years, _UNMEASURED)
    if gaps:
        yield Advice(
            "more than a quarter of the area lies beyond the points in {years}: the balance there is extrapolated; a"
            " stake or pit up there or down there is worth more than one between",
            years=Listed([str(year) for year in gaps]),
        )
    points = result.tables["point_balances"]
    assumed = points[points["flags"].astype(str).str.contains("density_assumed") & points["used"].astype(bool)]
    if len(assumed):
        yield Advice(
            "the density of snow is assumed for {count} of {points} point balances: dig a pit, or give the density of"
            " the campaign in the workbook",
            count=len(assumed),
            points=len(points),
        )
    if result.tables["geodetic_check"].empty and len(result.years) >= _SERIES:
        yield Advice(
            "a series of {count} years can be held against an elevation change of the period (--geodetic)",
            count=len(result.years),
        )


def _with_flag(years: Sequence[BalanceYear], name: str) -> dict[int, list[str]]:
    """Years that have a flag, with its details."""
    details = {
        year.year: [flag.partition(":")[2] for flag in year.flags if flag.partition(":")[0] == name] for year in years
    }
    return {year: texts for year, texts in details.items() if texts}


def _points_of(details: dict[int, list[str]]) -> list[str]:
    """Each point once, in order of their names."""
    return sorted({point for points in details.values() for point in points})


_JUDGEMENTS: ByKind[[], Iterator[Judgement]] = ByKind(elevation_change=_of_change, mass_balance=_of_balance)
_SUGGESTIONS: ByKind[[], Iterator[Advice]] = ByKind(elevation_change=_advice_on_change, mass_balance=_advice_on_balance)
