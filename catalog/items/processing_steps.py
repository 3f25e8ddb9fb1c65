"""What was done to the inputs, step by step: each with its expression in the field's symbols, and its source paper.

The steps stand in an item's ``processing:expression``; the numbers in them are those of the run.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from catalog.archive import Dataset
from pipeline.elevation_change.result import ElevationChange
from pipeline.mass_balance.result import BalanceYear, MassBalance

FORMAT = "glacier-archive-steps"
_NUTH = "Nuth and Kääb (2011), eqs 2 and 3"
_HUGONNET = "Hugonnet et al. (2022)"

Step = dict[str, str]


def processing_expression(steps: Iterator[Step]) -> dict[str, Any]:
    """The Expression Object of the processing extension: a list of steps in their order."""
    return {"format": FORMAT, "expression": list(steps)}


def inputs_of(dataset: Dataset) -> list[dict[str, Any]]:
    """The raw inputs that a dataset was computed from: source, name, size (bytes) and sha256 (hex), sorted."""
    return [
        {"source": file.source, "name": file.name, "size": file.size, "sha256": file.sha256}
        for file in sorted(dataset.inputs)
    ]


def elevation_change_steps(result: ElevationChange) -> Iterator[Step]:
    """The steps from two DEMs to the published elevation change; those that the run left out are left out."""
    settings, grid, shift = result.settings, result.grid, result.shift_m
    resampling = settings.resampling or "cubic where the resolutions differ, else bilinear"
    yield _step("one grid", f"h_earlier, h_later = resample(DEM; {grid.crs}, {grid.pixel_size[0]:g} m, {resampling})")
    yield _step("one vertical datum", f"{result.datum.earlier} to {result.datum.later}: {result.datum.method}")
    yield _step("elevation difference", "dh = h_later - h_earlier")
    yield _step(
        "stable terrain",
        f"outside all outlines by {settings.outline_buffer_m:g} m, measured, no water,"
        f" slope <= {settings.slope_max_deg:g} degrees, |dh - median(dh)| <= {settings.outlier_nmad:g} NMAD(dh)",
    )
    yield _step(
        "co-registration",
        "dh / tan(slope) = a cos(b - aspect) + c; position of the aligned DEM +="
        f" ({shift.east:.4f}, {shift.north:.4f}, {shift.up:.4f}) m east, north, up",
        _NUTH,
    )
    if result.tilt.removed:
        yield _step("tilt", f"dh - ({result.tilt.east:.3g} easting + {result.tilt.north:.3g} northing)")
    yield from _resolution(result)
    for correction in settings.corrections:
        yield _step(f"radar penetration and season, {correction.surface}", f"dh + {correction.added_m:g} m")
    if result.totals is not None and settings.glacier_outlier_nmad:
        yield _step(
            "blunders on glaciers",
            "void where fewer than 1/4 of the glacier pixels about it (5 x 5 posts) reach dh to within"
            f" {settings.glacier_outlier_nmad:g} max(NMAD of dh from post to post in the elevation band, sigma_dh)",
            "limit by band as Gardelle et al. (2013)",
        )
    yield from _uncertainty_of_change(result)


def _resolution(result: ElevationChange) -> Iterator[Step]:
    resolution = result.resolution
    said = {
        "point_spread": f"dh - c (z - K * z), c = {resolution.coefficient:.3f}, z the finer DEM, K the coarser one's"
        f" cell, its resampling and a Gaussian of {resolution.point_spread_sigma_m:.1f} m; fitted in turn with the"
        " shift",
        "principal_curvatures": "dh - f(k_max) - g(k_min), f(0) = g(0) = 0, maximum and minimum curvature; fitted in"
        " turn with the shift",
        "maximum_curvature": "dh - f(k); f(k): median of dh over stable terrain by class of maximum curvature k",
    }
    if resolution.method in said:
        source = "" if resolution.method == "point_spread" else "Gardelle et al. (2012)"
        yield _step("resolution effect", f"{said[resolution.method]} ({resolution.source})", source)


def _uncertainty_of_change(result: ElevationChange) -> Iterator[Step]:
    settings = result.settings
    yield _step(
        "uncertainty of a pixel", "sigma_dh = NMAD of dh over stable terrain by class of slope and curvature", _HUGONNET
    )
    if result.totals is None:
        return
    yield _step(
        "uncertainty of a mean",
        "sigma^2 = sum_i sum_j sigma_i sigma_j rho(|i - j|) / n^2, rho from the variogram of stable terrain",
        f"{_HUGONNET}, eq. 18",
    )
    yield _step(
        "mass change",
        f"dM = rho dV, rho = {settings.ice_density_kg_m3:g} +- {settings.sigma_ice_density_kg_m3:g} kg m-3",
        "Huss (2013)",
    )


def mass_balance_steps(result: MassBalance, year: BalanceYear) -> Iterator[Step]:
    """The steps from stakes and pits to the published balance of a year."""
    settings = result.settings
    yield _step(
        "stake",
        "b = [-rho_ice d(m + h_s + h_si) + d(rho_s h_s) + rho_si d(h_si)] / 1000, d: later minus earlier visit;"
        f" rho_ice = {settings.ice_density_kg_m3:g}, rho_si = {settings.superimposed_ice_density_kg_m3:g} kg m-3",
        "Østrem and Brugman (1991); Kaser et al. (2003)",
    )
    yield _step("snow pit", "b = sum_j rho_j h_j / 1000", "Kaser et al. (2003)")
    yield _step(
        "field",
        f"b(E, N) = trend(elevation) + residual by {settings.interpolation.replace('_', ' ')}, clipped to the outline,"
        f" {settings.resolution_m:g} m",
        "Cressie (1993)",
    )
    yield _step(
        "contour method",
        f"B = sum_c b_c A_c / sum_c A_c, c: classes of {settings.isoline_interval_m_we:g} m w.e. between isolines,"
        " b_c their middle",
        "Østrem and Brugman (1991)",
    )
    yield _step(
        "zoning", f"B = sum_i A_i b_i / sum_i A_i, i: zones of {settings.band_height_m:g} m", "Kaser et al. (2003)"
    )
    yield _step("published balance", f"B_{year.year} = B of the {settings.primary_method} method")
    yield _step("equilibrium line", "b(ELA) = 0 on the profile; AAR = A(b > 0) / A", "Cogley et al. (2011)")
    yield _step(
        "uncertainty",
        "sigma_B^2 = sum of the squares of the sources in glacier:budget",
        "Zemp et al. (2013)",
    )


def _step(name: str, expression: str, reference: str = "") -> Step:
    return {"name": name, "expression": expression, "reference": reference}
