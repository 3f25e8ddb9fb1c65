"""What is told of trends over stable terrain: the result's records, notes, and the numbers of the figure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.elevation_change.differencing import Differenced, Ground
from pipeline.elevation_change.result import ElevationScale, Tilt, Undulation, Wave
from pipeline.grid import FloatArray
from schemas.messages import Advice, Message
from schemas.settings import ElevationChangeSettings

# share of the NMAD that a tilt must explain for a note to suggest its removal
TILT_WORTH_REMOVING = 0.2
# classes of distance of the figure within a wavelength, the fewest and the most of them in all, and pixels in each
CLASSES_IN_WAVE, MOST_CLASSES, LEAST_PIXELS = 16, 160, 50


@dataclass(frozen=True, kw_only=True)
class TrendsInWords:
    """Tilt, share of the elevation and undulation, later minus earlier."""

    tilt: Tilt
    elevation_scale: ElevationScale
    undulation: Undulation


def trends_in_words(compared: Differenced, settings: ElevationChangeSettings) -> TrendsInWords:
    """What of the change over stable terrain follows the place, and what of it was taken off."""
    trends, sign = compared.trends, compared.registration.pair.sign
    waves = tuple(
        Wave(
            amplitude_m=one.wave.amplitude_m,
            sigma_amplitude_m=one.sigma_amplitude_m,
            wavelength_m=one.wave.wavelength_m,
            sigma_wavelength_m=one.sigma_wavelength_m,
            azimuth_deg=one.wave.azimuth_deg,
        )
        for one in trends.waves
    )
    return TrendsInWords(
        tilt=Tilt(sign * trends.whole.east, sign * trends.whole.north, settings.correct_tilt),
        elevation_scale=ElevationScale(
            per_metre=sign * trends.scale.value,
            sigma_per_metre=trends.scale.sigma,
            stands_out=trends.scale.stands_out,
            explains=trends.scale_explains,
            removed=settings.correct_elevation_scale,
        ),
        undulation=Undulation(
            waves=waves, explains=trends.waves_explain, removed=settings.correct_undulation and bool(waves)
        ),
    )


def notes_on_trends(compared: Differenced, settings: ElevationChangeSettings) -> tuple[Message, ...]:
    """What was left in the change although it can be removed, and a removal that found nothing to remove."""
    told = trends_in_words(compared, settings)
    notes: list[Message] = []
    if not told.tilt.removed and compared.trends.tilt_explains >= TILT_WORTH_REMOVING:
        notes.append(
            Advice(
                "a residual tilt explains {share:.0%} of the NMAD of stable terrain: it can be removed (--remove-tilt,"
                " setting correct_tilt)",
                share=compared.trends.tilt_explains,
            )
        )
    scale, waves = told.elevation_scale, told.undulation.waves
    if scale.stands_out and not scale.removed:
        notes.append(
            Advice(
                "dh of stable terrain changes by {metres:+.2f} ± {sigma:.2f} m per 1000 m of elevation, a scale error"
                " of one of the DEMs, which passes into the glaciers: it can be removed (--remove-elevation-scale,"
                " setting correct_elevation_scale)",
                metres=1000 * scale.per_metre,
                sigma=1000 * scale.sigma_per_metre,
            )
        )
    if waves and not told.undulation.removed:
        notes.append(
            Advice(
                "dh of stable terrain undulates by {amplitude:.2f} ± {sigma:.2f} m with a wavelength of {length:.1f}"
                " km: it can be removed (--remove-undulation, setting correct_undulation)",
                amplitude=waves[0].amplitude_m,
                sigma=waves[0].sigma_amplitude_m,
                length=waves[0].wavelength_m / 1000,
            )
        )
    if settings.correct_undulation and not waves:
        notes.append(Message("no undulation stands out of the errors of stable terrain: none is removed"))
    return tuple(notes)


def undulation_numbers(compared: Differenced) -> dict[str, Any]:
    """Mean change of stable terrain by the distance along the largest wave, before its removal, and the waves fitted.

    Returns
    -------
    "distance_m", "mean_m" and "fitted_m" of the classes; nothing where no wave stands out.
    """
    trends, sample, sign = compared.trends, compared.sample, compared.registration.pair.sign
    if not trends.waves:
        return {}
    wave = trends.waves[0].wave
    ground = Ground(sample.east_m, sample.north_m, sample.elevation)[sample.judged]
    fitted = sum((one.wave.at(ground.east_m, ground.north_m) for one in trends.waves), np.zeros(1))
    whole = sign * trends.whole.at(ground)
    taken_off = 0.0 if trends.taken_off is None else sign * trends.taken_off.at(ground)
    # without the tilt and the share of the elevation, but with the waves
    level = sample.corrected[sample.judged] + taken_off - whole + sign * fitted
    distance = (wave.east * ground.east_m + wave.north * ground.north_m) * wave.wavelength_m
    step = max(wave.wavelength_m / CLASSES_IN_WAVE, float(np.ptp(distance)) / MOST_CLASSES)
    number = ((distance - distance.min()) // step).astype(np.int64)
    count = np.bincount(number)
    known = np.flatnonzero(count >= LEAST_PIXELS)

    def means(values: FloatArray) -> FloatArray:
        result: FloatArray = np.bincount(number, values)[known] / count[known]
        return result

    return {"undulation": {"distance_m": means(distance), "mean_m": means(level), "fitted_m": means(sign * fitted)}}
