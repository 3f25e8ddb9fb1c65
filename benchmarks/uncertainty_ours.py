"""Our uncertainty of every glacier: sigma raster, variogram of the standardised residuals, exact propagation.

python benchmarks/uncertainty_ours.py FOLDER
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects

from pipeline.blocks import Block, row_blocks, threads
from pipeline.elevation_change.differencing.terrain_sigma import TerrainSigma, terrain_sigma
from pipeline.elevation_change.uncertainty.covariance_integral import CovarianceIntegrator, block_side
from pipeline.elevation_change.uncertainty.variogram_fit import fit_variogram

PIXEL_M = 30.0
BLOCK_PIXELS, SAMPLE_STEP = 1 << 19, 5
# residuals beyond so many sigma are blunders
LIMIT = 6.0


@dataclass(frozen=True, kw_only=True)
class Standardised:
    """Writes sigma and the standardised residuals of stable terrain, block by block."""

    model: TerrainSigma
    layers: dict[str, NDArray[np.float32]]
    glaciers: NDArray[np.int16]
    sigma: NDArray[np.float32]
    residual: NDArray[np.float32]

    def __call__(self, block: Block) -> None:
        dh, slope, curvature = (self.layers[name][block.rows] for name in ("dh", "slope", "curvature"))
        sigma = self.model.on(slope, curvature)
        self.sigma[block.rows] = sigma
        residual = dh / sigma
        residual[(self.glaciers[block.rows] > 0) | (np.abs(residual) > LIMIT)] = np.nan
        self.residual[block.rows] = residual


def main(folder: Path) -> None:
    """Print the standard deviation of every glacier's mean, and the variogram."""
    layers = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("dh", "slope", "curvature")}
    glaciers = np.load(folder / "glaciers.npy")
    thinned = (slice(None, None, SAMPLE_STEP), slice(None, None, SAMPLE_STEP))
    sample = [np.array(layers[name][thinned]) for name in ("dh", "slope", "curvature")]
    model = terrain_sigma(*sample, stable=glaciers[thinned] == 0)
    sigma, residual = np.empty((2, *glaciers.shape), np.float32)
    with threads(2) as runner:
        work = Standardised(model=model, layers=layers, glaciers=glaciers, sigma=sigma, residual=residual)
        runner.run(work, row_blocks(glaciers.shape, BLOCK_PIXELS))
        variogram = fit_variogram(residual, PIXEL_M, runner)
        found = {}
        for number, box in enumerate(find_objects(glaciers), start=1):
            mask = glaciers[box] == number
            integrator = CovarianceIntegrator(mask.shape, variogram, PIXEL_M, block_side(mask.shape))
            found[number] = integrator.sigma_of_mean(sigma[box], mask)
    print(json.dumps({"sigma_m": found, "ranges_m": variogram.ranges_m, "sills": variogram.sills}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
