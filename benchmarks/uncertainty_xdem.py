"""The same with xDEM, in an environment of its own: heteroscedasticity, variogram, propagation for some glaciers.

    /path/to/xdem/python benchmarks/uncertainty_xdem.py FOLDER GLACIERS

Its variogram is its own, with its defaults; what it finds is printed, its error raster kept in FOLDER.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import geopandas as gpd
import geoutils as gu
import numpy as np
import rasterio
import shapely
from xdem.spatialstats import (
    infer_heteroscedasticity_from_stable,
    infer_spatial_correlation_from_stable,
    spatial_error_propagation,
)

CRS = "EPSG:32645"
PIXEL_M = 30.0


def main(folder: Path, count: int) -> None:
    """Print the standard errors and the parameters of the variogram."""
    glaciers = np.load(folder / "glaciers.npy")
    transform = rasterio.transform.from_origin(0, PIXEL_M * glaciers.shape[0], PIXEL_M, PIXEL_M)
    layers = [np.load(folder / f"{name}.npy") for name in ("dh", "slope", "curvature")]
    layers[2] = np.abs(layers[2])
    dh, slope, curvature = (gu.Raster.from_array(layer, transform=transform, crs=CRS, nodata=-9999) for layer in layers)
    errors, _, _ = infer_heteroscedasticity_from_stable(
        dvalues=dh, list_var=[slope, curvature], list_var_names=["slope", "maxc"], unstable_mask=glaciers > 0
    )
    _, parameters, _ = infer_spatial_correlation_from_stable(
        dvalues=dh, list_models=["Gaussian", "Spherical"], unstable_mask=glaciers > 0, errors=errors, random_state=42
    )  # fmt: skip
    found = {}
    for number in range(1, count + 1):
        parts = rasterio.features.shapes(glaciers, mask=glaciers == number, transform=transform)
        outline = shapely.union_all([shapely.geometry.shape(part) for part, _ in parts])
        area = gpd.GeoDataFrame(geometry=[outline], crs=CRS)
        found[number] = float(
            spatial_error_propagation(areas=[area], errors=errors, params_variogram_model=parameters)[0]
        )
    np.save(folder / "xdem_error.npy", np.asarray(errors.data.filled(np.nan), "float32"))
    models = [
        {"form": str(row["model"]), "range_m": float(row["range"]), "sill": float(row["psill"])}
        for _, row in parameters.iterrows()
    ]
    print(json.dumps({"standard_error_m": found, "models": models}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
