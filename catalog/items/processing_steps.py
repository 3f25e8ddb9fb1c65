"""What was done to the inputs, step by step: each with its expression in the field's symbols, and its source paper.

The steps stand in an item's ``processing:expression``; the numbers in them are those of the run.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from catalog.archive import Dataset
from pipeline.elevation_change.result import ElevationChange
from pipeline.mass_balance.result import BalanceYear, MassBalance
from schemas.messages import Message, word

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
    settings = result.settings
    yield from _preparation(result)
    yield _step(
        Message("co-registration"),
        Message(
            "dh / tan(slope) = a cos(b - aspect) + c; position of the aligned DEM += ({east:.4f}, {north:.4f},"
            " {up:.4f}) m east, north, up",
            east=result.shift_m.east,
            north=result.shift_m.north,
            up=result.shift_m.up,
        ),
        _NUTH,
    )
    if result.tilt.removed:
        yield _step(
            Message("tilt"),
            Message("dh - ({east:.3g} easting + {north:.3g} northing)", east=result.tilt.east, north=result.tilt.north),
        )
    if result.elevation_scale.removed:
        yield _step(
            Message("scale error"),
            Message("dh - {share:.3g} (z - mean z of stable terrain)", share=result.elevation_scale.per_metre),
        )
    if result.undulation.removed:
        waves = ", ".join(
            f"{wave.amplitude_m:.2f} m / {wave.wavelength_m / 1000:.1f} km" for wave in result.undulation.waves
        )
        yield _step(
            Message("undulation"), Message("dh - waves by least squares over stable terrain: {waves}", waves=waves)
        )
    yield from _resolution(result)
    for correction in settings.corrections:
        name = Message("radar penetration and season, {surface}", surface=correction.surface)
        yield _step(name, f"dh + {correction.added_m:g} m")
    if result.totals is not None and settings.glacier_outlier_nmad:
        yield _step(
            Message("blunders on glaciers"),
            Message(
                "void where fewer than 1/4 of the glacier pixels about it (5 x 5 posts) reach dh to within {limit:g}"
                " max(NMAD of dh from post to post in the elevation band, sigma_dh)",
                limit=settings.glacier_outlier_nmad,
            ),
            "limit by band as Gardelle et al. (2013)",
        )
    yield from _uncertainty_of_change(result)


def _preparation(result: ElevationChange) -> Iterator[Step]:
    """One grid and datum, the difference, and the terrain that the rest is judged by."""
    settings, grid = result.settings, result.grid
    stated = settings.resampling
    yield _step(
        Message("one grid"),
        Message(
            "h_earlier, h_later = resample(DEM; {crs}, {pixel_m:g} m, {resampling})",
            crs=grid.crs,
            pixel_m=grid.pixel_size[0],
            resampling=word(stated) if stated else Message("cubic where the resolutions differ, else bilinear"),
        ),
    )
    datum = result.datum
    yield _step(
        Message("one vertical datum"),
        Message("{earlier} to {later}: {method}", earlier=datum.earlier, later=datum.later, method=datum.method),
    )
    yield _step(Message("elevation difference"), "dh = h_later - h_earlier")
    yield _step(
        Message("stable terrain"),
        Message(
            "outside all outlines by {buffer_m:g} m, measured, no water, slope <= {slope_deg:g} degrees,"
            " |dh - median(dh)| <= {limit:g} NMAD(dh)",
            buffer_m=settings.outline_buffer_m,
            slope_deg=settings.slope_max_deg,
            limit=settings.outlier_nmad,
        ),
    )


def _resolution(result: ElevationChange) -> Iterator[Step]:
    resolution = result.resolution
    said = {
        "point_spread": Message(
            "dh - c (z - K * z), c = {coefficient:.3f}, z the finer DEM, K the coarser one's cell, its resampling and a"
            " Gaussian of {sigma_m:.1f} m; fitted in turn with the shift ({source})",
            coefficient=resolution.coefficient,
            sigma_m=resolution.point_spread_sigma_m,
            source=resolution.source,
        ),
        "principal_curvatures": Message(
            "dh - f(k_max) - g(k_min), f(0) = g(0) = 0, maximum and minimum curvature; fitted in turn with the shift"
            " ({source})",
            source=resolution.source,
        ),
        "maximum_curvature": Message(
            "dh - f(k); f(k): median of dh over stable terrain by class of maximum curvature k ({source})",
            source=resolution.source,
        ),
    }
    if resolution.method in said:
        paper = "" if resolution.method == "point_spread" else "Gardelle et al. (2012)"
        yield _step(Message("resolution effect"), said[resolution.method], paper)


def _uncertainty_of_change(result: ElevationChange) -> Iterator[Step]:
    settings = result.settings
    yield _step(
        Message("uncertainty of a pixel"),
        Message("sigma_dh = NMAD of dh over stable terrain by class of slope and curvature"),
        _HUGONNET,
    )
    if result.totals is None:
        return
    yield _step(
        Message("uncertainty of a mean"),
        Message("sigma^2 = sum_i sum_j sigma_i sigma_j rho(|i - j|) / n^2, rho from the variogram of stable terrain"),
        f"{_HUGONNET}, eq. 18",
    )
    yield _step(
        Message("mass change"),
        f"dM = rho dV, rho = {settings.ice_density_kg_m3:g} +- {settings.sigma_ice_density_kg_m3:g} kg m-3",
        "Huss (2013)",
    )


def mass_balance_steps(result: MassBalance, year: BalanceYear) -> Iterator[Step]:
    """The steps from stakes and pits to the published balance of a year."""
    settings = result.settings
    yield _step(
        Message("stake"),
        Message(
            "b = [-rho_ice d(m + h_s + h_si) + d(rho_s h_s) + rho_si d(h_si)] / 1000, d: later minus earlier visit;"
            " rho_ice = {ice:g}, rho_si = {superimposed:g} kg m-3",
            ice=settings.ice_density_kg_m3,
            superimposed=settings.superimposed_ice_density_kg_m3,
        ),
        "Østrem and Brugman (1991); Kaser et al. (2003)",
    )
    yield _step(Message("snow pit"), "b = sum_j rho_j h_j / 1000", "Kaser et al. (2003)")
    yield _step(
        Message("field"),
        Message(
            "b(E, N) = trend(elevation) + residual by {method}, clipped to the outline, {pixel_m:g} m",
            method=word(settings.interpolation.replace("_", " ")),
            pixel_m=settings.resolution_m,
        ),
        "Cressie (1993)",
    )
    yield from _means(result, year)
    yield _step(
        Message("equilibrium line"),
        Message("b(ELA) = 0 on the profile; AAR = A(b > 0) / A"),
        "Cogley et al. (2011)",
    )
    yield _step(
        Message("uncertainty"),
        Message("sigma_B^2 = sum of the squares of the sources in glacier:budget"),
        "Zemp et al. (2013)",
    )


def _means(result: MassBalance, year: BalanceYear) -> Iterator[Step]:
    """What the field and the zones make of the whole glacier, and which of them is published."""
    settings = result.settings
    yield _step(
        Message("contour method"),
        Message(
            "B = sum_c b_c A_c / sum_c A_c, c: classes of {interval:g} m w.e. between isolines, b_c their middle",
            interval=settings.isoline_interval_m_we,
        ),
        "Østrem and Brugman (1991)",
    )
    yield _step(
        Message("zoning"),
        Message("B = sum_i A_i b_i / sum_i A_i, i: zones of {band_m:g} m", band_m=settings.band_height_m),
        "Kaser et al. (2003)",
    )
    yield _step(
        Message("published balance"),
        Message("B_{year} = B of the {method} method", year=year.year, method=word(settings.primary_method)),
    )


def _step(name: Message, expression: str, reference: str = "") -> Step:
    return {"name": name, "expression": expression, "reference": reference}
