"""xDEM on scenes of ``benchmarks.cosine_scenes``: shift, spread, glacier change and its error by its own variogram.

/path/to/xdem/python benchmarks/cosine_scenes_xdem.py FOLDER=KIND ...
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

import geoutils as gu
import numpy as np
import xdem

warnings.simplefilter("ignore")


def main(folder: Path, kind: str) -> None:
    """Run the chain on one scene and print one JSON object."""
    later, earlier = xdem.DEM(folder / "later.tif"), xdem.DEM(folder / "earlier.tif")
    glaciers = gu.Vector(folder / "glaciers.geojson")
    ice = glaciers.create_mask(later)
    stable = ~glaciers.buffer(90.0).create_mask(later)
    if earlier.shape != later.shape:
        earlier = earlier.reproject(later, resampling="cubic")
    before = later - earlier
    fit = xdem.coreg.NuthKaab(subsample=1.0).fit(later, earlier, inlier_mask=stable, random_state=1)
    moved = fit.apply(earlier, resample=True)
    if kind == "90 m":
        curvature = xdem.terrain.max_curvature(later)
        bias = xdem.coreg.TerrainBias(terrain_attribute="max_curvature")
        bias.fit(later, moved, inlier_mask=stable, bias_vars={"max_curvature": curvature}, random_state=1)
        moved = bias.apply(moved, bias_vars={"max_curvature": curvature})
    difference = later - moved
    affine = fit.meta["outputs"]["affine"]
    print(
        json.dumps(
            {
                "east": float(affine["shift_x"]), "north": float(affine["shift_y"]), "up": float(affine["shift_z"]),
                "before_m": spread(before, stable), "after_m": spread(difference, stable),
                "mean_dh_m": float(np.ma.mean(difference.data[ice.data])),
                "sigma_m": sigma_of_mean(difference, later, stable, ice),
            }
        )
    )  # fmt: skip


def spread(difference: xdem.DEM, stable: gu.Raster) -> float:
    """NMAD of the stable pixels, m."""
    values = difference.data[stable.data].compressed()
    return float(1.4826 * np.median(np.abs(values - np.median(values))))


def sigma_of_mean(difference: xdem.DEM, later: xdem.DEM, stable: gu.Raster, ice: gu.Raster) -> float:
    """Standard error of the mean over all glaciers after Hugonnet et al. (2022), by xDEM's own defaults, m.

    NaN where it finds no variogram.
    """
    slope, curvature = xdem.terrain.get_terrain_attribute(later, attribute=["slope", "max_curvature"])
    sigma, _, _ = xdem.spatialstats.infer_heteroscedasticity_from_stable(
        dvalues=difference, list_var=[slope, curvature], list_var_names=["slope", "curvature"], stable_mask=stable
    )
    try:
        _, correlation, _ = xdem.spatialstats.infer_spatial_correlation_from_stable(
            dvalues=difference, list_models=["Gaussian", "Spherical"], stable_mask=stable, errors=sigma, random_state=1
        )
    except RuntimeError:  # its fit of the variogram did not converge
        return float("nan")
    mean_sigma = float(np.ma.mean(sigma.data[ice.data]))
    area_m2 = float(ice.data.sum()) * later.res[0] * later.res[1]
    effective = xdem.spatialstats.number_effective_samples(area_m2, correlation)
    return mean_sigma / float(np.sqrt(effective))


if __name__ == "__main__":
    for scene in sys.argv[1:]:
        folder_of_scene, _, kind_of_scene = scene.rpartition("=")
        main(Path(folder_of_scene), kind_of_scene)
