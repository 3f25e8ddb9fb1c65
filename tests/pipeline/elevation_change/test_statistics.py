"""Order statistics against NumPy's own."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.elevation_change.statistics import NMAD_FACTOR, median, nmad


@pytest.mark.parametrize("precision", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1, 2, 3, 10, 1000, 20_001])
def test_the_quick_median_is_numpys_to_the_bit(precision: type, size: int) -> None:
    values = np.random.default_rng(size).normal(5, 3, size).astype(precision).round(1)
    assert median(values) == float(np.median(values))
    assert nmad(values) == float(NMAD_FACTOR * np.median(np.abs(values - np.median(values))))


def test_of_any_shape_and_of_nothing() -> None:
    values = np.random.default_rng(1).normal(size=(30, 41))
    assert median(values) == np.median(values)
    assert np.isnan(median(np.empty(0)))
