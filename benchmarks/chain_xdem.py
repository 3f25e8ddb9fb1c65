"""The same chain with xDEM, in an environment of its own: Nuth and Kaab, terrain bias by maximum curvature, COG.

    /path/to/xdem/python benchmarks/chain_xdem.py EARLIER LATER OUT.tif SUBSAMPLE

SUBSAMPLE is "default" or "all" pixels for the co-registration. The curvature of the reference is handed over for fit
and application, without which xDEM uses two different variables.
"""

from __future__ import annotations

import sys

import numpy as np
import xdem


def main(earlier: str, later: str, out: str, subsample: str) -> None:
    """Run the chain and print shift and spread."""
    reference, aligned = xdem.DEM(later), xdem.DEM(earlier)
    chosen = {} if subsample == "default" else {"subsample": 1.0}
    fit = xdem.coreg.NuthKaab(**chosen).fit(reference, aligned, random_state=1)
    moved = fit.apply(aligned, resample=True)
    curvature = xdem.terrain.max_curvature(reference)
    bias = xdem.coreg.TerrainBias(terrain_attribute="max_curvature")
    bias.fit(reference, moved, bias_vars={"max_curvature": curvature}, random_state=1)
    corrected = bias.apply(moved, bias_vars={"max_curvature": curvature})
    difference = reference - corrected
    values = difference.data.compressed()
    spread = 1.4826 * np.median(np.abs(values - np.median(values)))
    difference.to_file(out, driver="COG", co_opts={"COMPRESS": "DEFLATE", "NUM_THREADS": "ALL_CPUS"})
    affine = fit.meta["outputs"]["affine"]
    print(affine["shift_x"], affine["shift_y"], affine["shift_z"], spread, values.size)


if __name__ == "__main__":
    main(*sys.argv[1:5])
