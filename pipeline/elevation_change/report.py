"""What is told of an elevation change: the parts put together as the result, notes, and the numbers of the figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pyproj import Transformer

from pipeline.elevation_change.coregistration import CosineFit, cosine_fit, cosine_search
from pipeline.elevation_change.dems import product_by_name
from pipeline.elevation_change.differencing import Differenced, StableSample
from pipeline.elevation_change.glaciers import GlacierChange, GlacierOutliers
from pipeline.elevation_change.pairing import Observations, UserMasks
from pipeline.elevation_change.result import (
    ElevationChange,
    GlacierTotals,
    NativeShift,
    PatchSpread,
    ResolutionCorrection,
    Shift,
)
from pipeline.elevation_change.statistics import median
from pipeline.elevation_change.trends_report import trends_in_words, undulation_numbers
from pipeline.elevation_change.uncertainty import ErrorModel, PatchTest, PatchTests, histogram_numbers
from pipeline.longitudes import within_a_turn
from schemas.messages import Advice, Listed, Message, word
from schemas.settings import ElevationChangeSettings
from schemas.tables import COREGISTRATION

# a spread of the patches' standardised means that the stated uncertainty can explain, and a mean on smooth ground
PATCH_SPREAD, PATCH_MEAN = (0.8, 1.2), 0.5
CURVATURE_GROUPS = 30


@dataclass(frozen=True, kw_only=True)
class Report:
    """What is published beside the rasters: tables and figures' numbers by name, notes, settings."""

    tables: dict[str, pd.DataFrame]
    figures: dict[str, Any]
    notes: tuple[Message, ...]
    settings: ElevationChangeSettings
    resolution: ResolutionCorrection


def assembled(
    observed: Observations,
    compared: Differenced,
    error: ErrorModel,
    patches: PatchTests,
    totals: GlacierTotals | None,
    report: Report,
) -> ElevationChange:
    """The parts put together as the result."""
    statistics, registration = compared.statistics, compared.registration
    trends = trends_in_words(compared, report.settings)
    return ElevationChange(
        grid=observed.grid,
        dh_m=compared.layers.dh,
        sigma_dh_m=error.layers.sigma,
        surface_m=observed.pair.reference,
        classification=error.layers.classification,
        shift_m=registration.shift,
        sigma_shift_m=error.sigma_shift_m,
        shift_by_cosine_m=cosine_search(compared.terrain, registration.shift, report.settings),
        shift_native_pixels=native_shift(observed, registration.shift),
        tilt=trends.tilt,
        elevation_scale=trends.elevation_scale,
        undulation=trends.undulation,
        before=statistics["raw"],
        after_coregistration=statistics["coregistered"],
        after=statistics["corrected"],
        resolution=report.resolution,
        curvature=compared.resolution.curvature,
        datum=observed.datum,
        patches=patches_in_words(patches.every),
        patches_on_smooth=patches_in_words(patches.smooth),
        totals=totals,
        outlines=observed.outlines,
        notes=report.notes,
        tables=report.tables,
        figures=report.figures,
        settings=report.settings.model_copy(update={"resampling": observed.resampling}),
    )


def patches_in_words(patches: PatchTest) -> PatchSpread:
    """The patch test's outcome.

    Parameters
    ----------
    patches : means over stable patches, standardised.
    """
    return PatchSpread(
        count=patches.count,
        area_km2=patches.area_m2 / 1e6,
        mean=patches.mean,
        spread=patches.spread,
        robust_spread=patches.robust_spread,
        enough=patches.enough,
    )


def notes_on_checks(checks: pd.DataFrame) -> tuple[Message, ...]:
    """The checks that a DEM failed, a sentence each; the datum step tells of a datum that is not stated.

    Parameters
    ----------
    checks : shaped as ``schemas.tables.DEM_CHECKS``.
    """
    of_dem = (checks["tile"] == "all") | (checks["check"] == "seam")
    failed = checks[~checks["passed"].astype(bool) & of_dem & (checks["check"] != "datum_stated")]
    return tuple(_note_on_check(rows) for _, rows in failed.groupby(["dem", "check"], sort=True))


def _note_on_check(rows: pd.DataFrame) -> Message:
    """The first failure of a check, and how many more there are."""
    first, note = rows.iloc[0], rows["note"].iloc[0]
    if len(rows) > 1:
        note = Message("{note}, and {count} more in the table of the checks", note=note, count=len(rows) - 1)
    values = Message(
        "{value:.3g}{unit}, limit {limit:.3g}{unit} ({note})",
        value=first["value"],
        unit="" if first["unit"] == "1" else f" {first['unit']}",
        limit=first["limit"],
        note=note,
    )
    dem = word(first["dem"])
    if first["tile"] == "all":
        return Message("{dem} DEM fails the check {check}: {values}", dem=dem, check=first["check"], values=values)
    return Message(
        "{dem} DEM fails the check {check} of {tile}: {values}",
        dem=dem,
        check=first["check"],
        tile=first["tile"],
        values=values,
    )


def notes_on_outliers(outliers: GlacierOutliers) -> tuple[Message, ...]:
    """How many glacier pixels were set aside, where any were.

    Parameters
    ----------
    outliers : glacier pixels that were set aside.
    """
    if outliers.count == 0:
        return ()
    return (
        Message(
            "{count} of {measured} measured glacier pixels stand apart from the change around them and count as voids"
            " (setting glacier_outlier_nmad)",
            count=outliers.count,
            measured=outliers.measured,
        ),
    )


def notes_on_shared_ground(change: GlacierChange | None) -> tuple[Message, ...]:
    """How many glaciers' outlines overlap those of others, where any do.

    Parameters
    ----------
    change : of every glacier; None without outlines.
    """
    sharing = 0 if change is None else int(change.glaciers["flags"].str.contains("shares ground with").sum())
    if sharing == 0:
        return ()
    return (
        Message(
            "the outlines of {count} glaciers overlap others of the same epoch: the ground they share counts once",
            count=sharing,
        ),
    )


def notes_on_penetration(observed: Observations, settings: ElevationChangeSettings) -> tuple[Message, ...]:
    """A word of warning where a radar's heights of glaciers are taken for those of the surface.

    Parameters
    ----------
    observed : both DEMs and the outlines.
    settings : with the penetration, where any is given.
    """
    given = [
        (one.penetration_earlier_m, one.penetration_later_m, one.sigma_penetration_m) for one in settings.corrections
    ]
    if observed.outlines is None or any(map(any, given)):
        return ()
    tiles = (*observed.reference_dem.tiles, *observed.aligned_dem.tiles)
    products = {product_by_name(tile.file) for tile in tiles}
    radars = sorted(product.name for product in products if product is not None and product.radar)
    if not radars:
        return ()
    return (
        Advice(
            "{radars}: a radar looks into snow and firn, by up to some metres where they are cold and dry, and no"
            " penetration is given (--penetration-earlier, --penetration-later, --sigma-penetration): the change of"
            " glaciers may be off by it, beyond its stated error",
            radars=Listed(radars),
        ),
    )


def notes_on_what_is_not_given(
    observed: Observations, settings: ElevationChangeSettings, masks: UserMasks, *, outlines_told: bool
) -> tuple[Message, ...]:
    """What the user did not give and the result lacks: outlines of the glaciers, the dates of the DEMs.

    Parameters
    ----------
    observed : both DEMs, with or without outlines.
    settings : with the dates, where they are known.
    masks : the user's own stable terrain, where it is given.
    outlines_told : whether another note tells of ground that looks like a glacier nobody outlined.
    """
    notes: list[Message] = []
    if observed.outlines is None and masks.stable is None and not outlines_told:
        notes.append(
            Advice(
                "no glacier outlines are given: glaciers count as stable terrain where they are measured, and no change"
                " of a glacier is summed up; give them (--glaciers)"
            )
        )
    if not settings.earlier_date or not settings.later_date:
        notes.append(
            Advice("a date of the DEMs is not known: the change has no rate; give both (--date-earlier, --date-later)")
        )
    return tuple(notes)


def notes_on_patches(patches: PatchTest) -> tuple[Message, ...]:
    """A word of warning where means over stable patches contradict the stated uncertainty.

    Parameters
    ----------
    patches : spread of means over stable patches over the stated one.
    """
    least, greatest = PATCH_SPREAD
    if not patches.enough or least <= patches.spread <= greatest:
        return ()
    return (
        Message(
            "means over stable patches spread {spread:.2f} times as widely as the stated uncertainty says ({least:g} to"
            " {greatest:g} expected): that of a glacier's mean is probably too {wrong} by this factor",
            spread=patches.spread,
            least=least,
            greatest=greatest,
            wrong=word("small") if patches.spread > greatest else word("large"),
        ),
    )


def notes_on_smooth_patches(patches: PatchTest) -> tuple[Message, ...]:
    """A word of warning where smooth stable ground, which resembles glaciers, stands off zero as rough ground does not.

    Parameters
    ----------
    patches : means over the smooth pixels of stable patches over their stated errors.
    """
    if patches.count < 2 or not abs(patches.mean) > PATCH_MEAN:
        return ()
    return (
        Message(
            "the smoothest fifth of stable terrain lies {mean:+.2f} of its stated sigma off zero on average ({count}"
            " patches): glaciers are smooth too, and may be off as much",
            mean=patches.mean,
            count=patches.count,
        ),
    )


def native_shift(observed: Observations, shift: Shift) -> NativeShift:
    """The shift seen on the aligned DEM's own grid, at the middle of the area.

    Parameters
    ----------
    observed : tells the grid and the aligned DEM.
    shift : east, north, up, m.
    """
    west, south, east, north = observed.grid.bounds
    easting, northing = (west + east) / 2, (south + north) / 2
    to_native = Transformer.from_crs(observed.grid.crs, observed.aligned_dem.crs, always_xy=True)
    columns, rows = to_native.transform([easting, easting + shift.east], [northing, northing + shift.north])
    width, height = observed.aligned_dem.pixel
    across = columns[1] - columns[0]
    if observed.aligned_dem.is_geographic:
        across = within_a_turn(across)
    return NativeShift(float(across / width), float((rows[0] - rows[1]) / height))


def iteration_table(compared: Differenced) -> pd.DataFrame:
    """One row a step of the co-registration, iteration 0 the start; shaped as ``schemas.tables.COREGISTRATION``.

    Parameters
    ----------
    compared : with the steps of the co-registration.
    """
    registration = compared.registration
    shifts = [Shift(0.0, 0.0, 0.0), *(iteration.shift for iteration in registration.iterations)]
    spreads = [*(iteration.nmad_m for iteration in registration.iterations), compared.statistics["coregistered"].nmad_m]
    counts = [iteration.count for iteration in registration.iterations]
    rows = [
        (number, shift.east, shift.north, shift.up, spread, count)
        for number, (shift, spread, count) in enumerate(zip(shifts, spreads, [*counts, counts[-1]], strict=True))
    ]
    return pd.DataFrame(rows, columns=list(COREGISTRATION.column_names))


def figure_numbers(
    observed: Observations, compared: Differenced, error: ErrorModel, patches: PatchTest
) -> dict[str, Any]:
    """The numbers behind the figures: aspect curves, dh against curvature, histogram, variogram, patch test."""
    variogram = error.variogram
    return {
        "aspect": aspect_numbers(compared.sample, observed.pair.sign),
        "curvature": curvature_profile(compared.sample),
        "histogram": histogram_numbers(error.tallied),
        "variogram": {
            "lag_m": variogram.lag_m,
            "empirical": variogram.empirical,
            "model": variogram.sill - variogram.covariance(variogram.lag_m),
            "ranges_m": variogram.ranges_m,
            "sills": variogram.sills,
        },
        "patches": {
            "area_km2": patches.area_m2 / 1e6,
            "standardised": patches.standardised,
            "spread": patches.spread,
            "enough": patches.enough,
        },
        **undulation_numbers(compared),
    }


def aspect_numbers(sample: StableSample, sign: int) -> dict[str, Any]:
    """dh / tan(slope) by aspect before and after co-registration, with the cosines fitted to them.

        dh / tan(slope) = a cos(b - aspect) + c

    Parameters
    ----------
    sample : of stable terrain, m.
    sign : 1 where the reference is the later DEM, else -1.
    """
    steep = sample.judged & sample.fitting
    fits: list[CosineFit] = [
        cosine_fit(sign * values, sample.gradient, steep) for values in (sample.raw, sample.coregistered)
    ]
    before, after = fits
    return {
        "bin_centre_deg": before.bin_centre_deg,
        "before": before.bin_median_m,
        "after": after.bin_median_m,
        "fit_a": before.a_m,
        "fit_b_deg": before.b_deg,
        "fit_c": before.c_m,
        "after_fit_a": after.a_m,
        "after_fit_b_deg": after.b_deg,
        "after_fit_c": after.c_m,
    }


def curvature_profile(sample: StableSample) -> dict[str, Any]:
    """Median dh in classes of equal count of maximum curvature, before and after the resolution correction.

    Parameters
    ----------
    sample : of stable terrain: dh in m, curvature in (100 m)-1.
    """
    known = sample.judged & np.isfinite(sample.curvature)
    bent = sample.curvature[known]
    groups = np.array_split(np.argsort(bent, kind="stable"), CURVATURE_GROUPS)
    medians = {
        name: np.array([median(part[group]) for group in groups])
        for name, part in (("before_m", sample.coregistered[known]), ("after_m", sample.corrected[known]))
    }
    return {"centre_per_100m": np.array([median(bent[group]) for group in groups]), **medians}
