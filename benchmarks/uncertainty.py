"""Time, memory and truth of the uncertainty of every glacier: sigma raster, variogram, exact propagation.

    PYTHONPATH=. python benchmarks/uncertainty.py [--side 3000] [--rounds 3] [--xdem-python PATH] [--xdem-glaciers 5]

Builds a synthetic elevation difference whose errors have a known sigma and a known correlation, with about a hundred
glaciers, and runs the job as whole processes, imports included. Where the Python of an environment with xDEM is given,
the same data go through xDEM in the same run; its standard errors are compared with the exact integral of its own
variogram, and both with the truth.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.process import ROOT, interleaved, median_seconds, peak_mb, run
from benchmarks.uncertainty_scene import PIXEL_M, TRUE
from pipeline.elevation_change.uncertainty.covariance_integral import sigma_of_mean, sigma_of_mean_by_disc
from pipeline.elevation_change.uncertainty.variogram import Form, Variogram

LIMIT_SECONDS, LIMIT_STANDARD_ERROR = 5.0, 0.02


def exact(folder: Path, sigma_file: str, variogram: Variogram, numbers: list[int]) -> NDArray[np.float64]:
    """Standard deviation of the means of some glaciers by the exact integral, m."""
    glaciers, sigma = np.load(folder / "glaciers.npy"), np.load(folder / sigma_file)
    return np.array([sigma_of_mean(sigma, glaciers == number, variogram, PIXEL_M) for number in numbers])


def report_ours(folder: Path, found: dict[str, Any]) -> None:
    """Our standard deviations against those of the known sigma and covariance, and the circle approximation."""
    numbers = [int(number) for number in found["sigma_m"]][:20]
    true = exact(folder, "sigma.npy", TRUE, numbers)
    ratio = np.array([found["sigma_m"][str(number)] for number in numbers]) / true
    print(f"\nour sigma of {len(ratio)} glaciers over the true one: {ratio.min():.3f} to {ratio.max():.3f}")
    models = zip(found["ranges_m"], found["sills"], strict=True)
    print("our variogram: " + ", ".join(f"{sill:.3f} at {reach:.0f} m" for reach, sill in models))
    glaciers, sigma = np.load(folder / "glaciers.npy"), np.load(folder / "sigma.npy")
    masks = [glaciers == number for number in numbers]
    discs = [sigma_of_mean_by_disc(float(sigma[mask].mean()), TRUE, mask.sum() * PIXEL_M**2) for mask in masks]
    print(f"circle approximation over the exact integral: {(discs / true).min():.3f} to {(discs / true).max():.3f}")


def report_xdem(folder: Path, found: dict[str, Any]) -> bool:
    """xDEM's standard errors beside the exact integral of its own variogram; whether they agree."""
    models = found["models"]
    variogram = Variogram(
        ranges_m=tuple(model["range_m"] for model in models),
        sills=tuple(model["sill"] for model in models),
        forms=tuple(Form(model["form"].lower()) for model in models),
    )
    described = ", ".join(f"{model['form']} {model['sill']:.3f} at {model['range_m']:.0f} m" for model in models)
    print(f"\nxDEM's variogram: {described}")
    numbers = [int(number) for number in found["standard_error_m"]]
    theirs = np.array(list(found["standard_error_m"].values()))
    # xDEM states the error of standardised residuals of unit variance, times the mean of the pixels' errors: the
    # integral is taken once with every pixel's own error and once, as xDEM does, with their mean
    scale = variogram.sill**-0.5
    glaciers, sigma = np.load(folder / "glaciers.npy"), np.load(folder / "xdem_error.npy")
    own, alike = [], []
    for number in numbers:
        mask = glaciers == number
        own.append(scale * sigma_of_mean(sigma, mask, variogram, PIXEL_M))
        mean = np.full(sigma.shape, sigma[mask].mean(dtype=np.float64))
        alike.append(scale * sigma_of_mean(mean, mask, variogram, PIXEL_M))
    true = exact(folder, "sigma.npy", TRUE, numbers)
    print(f"{'glacier':>8}{'xDEM':>10}{'exact, its variogram':>22}{'ratio':>8}{'with its mean sigma':>21}{'truth':>10}")
    for line in zip(numbers, theirs, own, np.array(own) / theirs, np.array(alike) / theirs, true, strict=True):
        print("{:8d}{:9.4f}m{:21.4f}m{:8.3f}{:21.3f}{:9.4f}m".format(*line))
    return bool((np.abs(np.array(alike) / theirs - 1) <= LIMIT_STANDARD_ERROR).all())


def main() -> int:
    """Measure and print; 1 if a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--xdem-python", type=Path)
    parser.add_argument("--xdem-glaciers", type=int, default=5)
    parser.add_argument("--xdem-rounds", type=int, default=1, help="xDEM takes minutes")
    asked = parser.parse_args()
    scripts = ROOT / "benchmarks"
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        # in a process of its own: what this one ever held would count in the peak of those it starts
        run([sys.executable, "-m", "benchmarks.uncertainty_scene", folder, str(asked.side)])
        runs = interleaved({"ours": [sys.executable, scripts / "uncertainty_ours.py", folder]}, asked.rounds)
        if asked.xdem_python:
            command = [asked.xdem_python, scripts / "uncertainty_xdem.py", folder, str(asked.xdem_glaciers)]
            runs |= interleaved({f"xDEM, {asked.xdem_glaciers} glaciers": command}, asked.xdem_rounds)
        for name, found in runs.items():
            print(f"{name:26}{median_seconds(found):8.2f}s of {len(found)}{peak_mb(found):8.0f}MB")
        good = median_seconds(runs["ours"]) <= LIMIT_SECONDS
        report_ours(folder, json.loads(runs["ours"][0].output))
        if asked.xdem_python:
            good &= report_xdem(folder, json.loads(next(reversed(runs.values()))[0].output.splitlines()[-1]))
    print(f"\nlimits ({LIMIT_SECONDS:g} s; xDEM's standard error within {LIMIT_STANDARD_ERROR:.0%}): ", end="")
    print("kept" if good else "missed")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
