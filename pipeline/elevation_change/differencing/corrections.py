"""Radar penetration and season: what the settings add to the elevation change of glaciers, by kind of surface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.grid import BoolArray, FloatArray
from schemas.settings import ElevationChangeSettings, SurfaceCorrection
from schemas.tables import CORRECTIONS

if TYPE_CHECKING:
    import pandas as pd

NONE_APPLIED = "none applied: no value is given"


def with_corrections(
    dh: FloatArray, elevation: FloatArray, glacier: BoolArray, settings: ElevationChangeSettings
) -> FloatArray:
    """dh on glaciers brought to the true surfaces: dh + (p_later - p_earlier) - (s_later - s_earlier).

    p is how far a radar DEM lies below the surface of snow and firn, s the seasonal snow on it; both are inputs.

    Parameters
    ----------
    dh : elevation change, m, NaN where void; a block of any shape.
    elevation : of the reference, m, by which the surfaces are told apart; shape of dh.
    glacier : pixels within the outlines of any epoch; shape of dh.

    Returns
    -------
    dh itself where the settings ask for no correction, else a new array of its shape and type.
    """
    asked = [correction for correction in settings.corrections if correction.added_m]
    if not asked:
        return dh
    corrected = dh.copy()
    for correction in asked:
        corrected[glacier & on_surface(elevation, correction)] += corrected.dtype.type(correction.added_m)
    return corrected


def on_surface(elevation: FloatArray, correction: SurfaceCorrection) -> BoolArray:
    """Pixels between the limits of a surface, the lower one included; shape of elevation, m.

    Parameters
    ----------
    elevation : any shape, m.
    correction : with the limits of its surface, m.
    """
    inside = np.ones(elevation.shape, bool)
    if correction.from_m is not None:
        inside &= elevation >= correction.from_m
    if correction.to_m is not None:
        inside &= elevation < correction.to_m
    return inside


def surface_shares(elevation: FloatArray, settings: ElevationChangeSettings) -> FloatArray:
    """Share of the pixels on each surface of ``settings.corrections``; shape (surfaces,).

    Parameters
    ----------
    elevation : of the pixels, any shape, m.
    settings : with the corrections.
    """
    return np.array([on_surface(elevation, correction).mean() for correction in settings.corrections])


def sigma_of_corrections(shares: FloatArray, settings: ElevationChangeSettings) -> float:
    """Standard deviation that the corrections give to a mean over pixels with these shares of the surfaces, m.

    All pixels of a surface share its error, so that it does not shrink with the area; different surfaces are
    independent: sigma^2 = sum_k (share_k sigma_k)^2.

    Parameters
    ----------
    shares : of each surface, shape (surfaces,).
    settings : with the corrections and their sigma, m.
    """
    sigmas = np.array([correction.sigma_m for correction in settings.corrections])
    return float(np.sqrt(np.sum((shares * sigmas) ** 2)))


def corrections_table(settings: ElevationChangeSettings) -> pd.DataFrame:
    """The corrections as published; one row says so where none is applied.

    Parameters
    ----------
    settings : with the corrections.
    """
    # a library that takes a third of a second to load, which the blocks of a run have no use for
    import pandas as pd

    given = settings.corrections or (SurfaceCorrection(surface="all glacier surfaces", basis=NONE_APPLIED),)
    return pd.DataFrame([_row(correction) for correction in given], columns=list(CORRECTIONS.column_names))


def _row(correction: SurfaceCorrection) -> dict[str, Any]:
    stated = correction.model_dump()
    return {
        **stated,
        "added_m": correction.added_m,
        "sigma_added_m": correction.sigma_m,
        "basis": stated["basis"] or "the settings of the run",
    }
