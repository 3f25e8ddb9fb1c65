"""FACE"""

from typing import TYPE_CHECKING

from pipeline.lazy_names import lazy_names

if TYPE_CHECKING:
    from pipeline.elevation_change.resolution.bias_curve import curve_through, fit_curvature_bias
    from pipeline.elevation_change.resolution.detail import ResolvedDetail, resolved_detail
    from pipeline.elevation_change.resolution.effects import (
        Effect,
        EffectRaster,
        MaximumCurvatureEffect,
        PointSpread,
        PointSpreadEffect,
        finer_heights,
    )
    from pipeline.elevation_change.resolution.fitting import (
        MAXIMUM,
        NONE,
        POINT_SPREAD,
        PRINCIPAL,
        UNBIASED,
        Fit,
        StablePixels,
        choose_point_spread,
        fit_point_spread,
        fit_principal_curvatures,
        widest_rim,
    )
    from pipeline.elevation_change.resolution.verdict import BandMeans, Bands, Paired, means_by_band, reason_against
    from pipeline.elevation_change.resolution.windows import finer_windows

__all__ = [
    "MAXIMUM",
    "NONE",
    "POINT_SPREAD",
    "PRINCIPAL",
    "UNBIASED",
    "BandMeans",
    "Bands",
    "Effect",
    "EffectRaster",
    "Fit",
    "MaximumCurvatureEffect",
    "Paired",
    "PointSpread",
    "PointSpreadEffect",
    "ResolvedDetail",
    "StablePixels",
    "choose_point_spread",
    "curve_through",
    "finer_heights",
    "finer_windows",
    "fit_curvature_bias",
    "fit_point_spread",
    "fit_principal_curvatures",
    "means_by_band",
    "reason_against",
    "resolved_detail",
    "widest_rim",
]
__getattr__ = lazy_names(
    __name__,
    {
        "bias_curve": ("curve_through", "fit_curvature_bias"),
        "detail": ("ResolvedDetail", "resolved_detail"),
        "effects": (
            "Effect",
            "EffectRaster",
            "MaximumCurvatureEffect",
            "PointSpread",
            "PointSpreadEffect",
            "finer_heights",
        ),
        "fitting": (
            "MAXIMUM",
            "NONE",
            "POINT_SPREAD",
            "PRINCIPAL",
            "UNBIASED",
            "Fit",
            "StablePixels",
            "choose_point_spread",
            "fit_point_spread",
            "fit_principal_curvatures",
            "widest_rim",
        ),
        "verdict": ("BandMeans", "Bands", "Paired", "means_by_band", "reason_against"),
        "windows": ("finer_windows",),
    },
)
