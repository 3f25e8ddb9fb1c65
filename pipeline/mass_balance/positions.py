"""Positions of stakes, pits and probings: degrees and metres, each from the other."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pyproj import Transformer


def with_both_positions(frame: pd.DataFrame, crs: str) -> pd.DataFrame:
    """The frame with longitude, latitude (degrees, WGS 84) and easting, northing (m, ``crs``) both filled.

    Where both were given, both are kept; where neither was (a pit beside a stake), both stay empty.
    """
    if frame.empty:
        return frame
    filled = frame.copy()
    for source, target, names_from, names_to in (
        ("EPSG:4326", crs, ("longitude", "latitude"), ("easting", "northing")),
        (crs, "EPSG:4326", ("easting", "northing"), ("longitude", "latitude")),
    ):
        first, second = (filled[name].to_numpy(float) for name in names_from)
        lacking = np.isfinite(first) & np.isfinite(second) & filled[list(names_to)].isna().any(axis=1).to_numpy()
        if lacking.any():
            reprojected = Transformer.from_crs(source, target, always_xy=True).transform(
                first[lacking], second[lacking]
            )
            for name, values in zip(names_to, reprojected, strict=True):
                filled.loc[lacking, name] = values
    return filled
