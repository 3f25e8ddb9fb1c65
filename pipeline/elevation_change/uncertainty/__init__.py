"""The error of the difference: by terrain, in space, of means over areas, and of the shift."""

from typing import TYPE_CHECKING

from pipeline.lazy_names import lazy_names

if TYPE_CHECKING:
    from pipeline.elevation_change.uncertainty.accuracy import accuracy_table_of, histogram_numbers
    from pipeline.elevation_change.uncertainty.covariance_integral import CovarianceIntegrator, block_side
    from pipeline.elevation_change.uncertainty.model import ClassTallying, ErrorModel, error_model
    from pipeline.elevation_change.uncertainty.patches import PatchTest, PatchTests, SmoothGround, patch_test
    from pipeline.elevation_change.uncertainty.variogram import Variogram, spherical

__all__ = [
    "ClassTallying",
    "CovarianceIntegrator",
    "ErrorModel",
    "PatchTest",
    "PatchTests",
    "SmoothGround",
    "Variogram",
    "accuracy_table_of",
    "block_side",
    "error_model",
    "histogram_numbers",
    "patch_test",
    "spherical",
]
__getattr__ = lazy_names(
    __name__,
    {
        "accuracy": ("accuracy_table_of", "histogram_numbers"),
        "covariance_integral": ("CovarianceIntegrator", "block_side"),
        "model": ("ClassTallying", "ErrorModel", "error_model"),
        "patches": ("PatchTest", "PatchTests", "SmoothGround", "patch_test"),
        "variogram": ("Variogram", "spherical"),
    },
)
