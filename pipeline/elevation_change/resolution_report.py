"""What is told of the resolution correction: the result's record, its table, and a note where nothing was taken off."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from pipeline.elevation_change.differencing import NOT_ASKED, Differenced
from pipeline.elevation_change.glaciers import GlacierChange
from pipeline.elevation_change.result import ResolutionCorrection, TakenOff
from schemas.messages import Message
from schemas.tables import RESOLUTION


def resolution_result(compared: Differenced, change: GlacierChange | None) -> ResolutionCorrection:
    """What was done about the resolution effect, and what every form takes off stable terrain and the glaciers."""
    fits, pair = compared.resolution, compared.registration.pair
    choice, detail = fits.choice, fits.choice.detail
    spread = choice.spread
    off_glaciers = {} if change is None else change.taken_off
    return ResolutionCorrection(
        asked=choice.asked,
        method=choice.method,
        reason=choice.reason,
        source=fits.source,
        detail_kept=detail.reference_keeps if pair.curvature_of_aligned else detail.aligned_keeps,
        coefficient=fits.coefficient,
        point_spread_sigma_m=math.nan if spread is None else spread.sigma_pixels * pair.pixel_m,
        by_method={
            name: TakenOff(
                stable_m=on.means[0].before_m - on.means[0].after_m,
                glaciers_m=off_glaciers.get(name, math.nan),
                nmad_m=on.nmad_m,
            )
            for name, on in fits.on_stable.items()
        },
    )


def resolution_table(compared: Differenced, change: GlacierChange | None) -> pd.DataFrame:
    """What every form takes off, shaped as ``schemas.tables.RESOLUTION``."""
    fits = compared.resolution
    rows: list[dict[str, Any]] = []
    for name, on in fits.on_stable.items():
        shared = {"method": name, "published": name == fits.choice.method}
        for means in on.means:
            whole = math.isnan(means.lower_m)
            rows.append(
                {
                    **shared,
                    "area": "stable" if whole else "band",
                    "lower_m": 0.0 if whole else means.lower_m,
                    "upper_m": 0.0 if whole else means.upper_m,
                    "count": means.count,
                    "taken_off_m": means.before_m - means.after_m,
                    "sigma_taken_off_m": means.sigma_paired_m,
                    "mean_before_m": means.before_m,
                    "mean_after_m": means.after_m,
                    "nmad_after_m": on.nmad_m if whole else math.nan,
                }
            )
        if change is not None:
            rows.append(
                {**shared, "area": "glaciers", "lower_m": 0.0, "upper_m": 0.0, "taken_off_m": change.taken_off[name]}
            )
    table = pd.DataFrame(rows, columns=list(RESOLUTION.column_names))
    return table.astype({"count": "Int64"})


def notes_on_resolution(resolution: ResolutionCorrection) -> tuple[Message, ...]:
    """A note where a correction was asked for and none was taken off."""
    if resolution.reason is None or resolution.reason == NOT_ASKED:
        return ()
    return (Message("no correction of the resolution effect is taken off: {reason}", reason=resolution.reason),)
