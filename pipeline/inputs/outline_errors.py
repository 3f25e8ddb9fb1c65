"""What reading damaged outlines raises and prints, so that each reader of outlines can say it in its own words."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pyogrio
import rasterio
from pyproj.exceptions import ProjError
from rasterio.errors import RasterioError
from shapely.errors import ShapelyError

# BadInput is none of them
UNUSABLE = (
    pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pyogrio.errors.CRSError,
    pyogrio.errors.FeatureError, pyogrio.errors.FieldError, pyogrio.errors.GeometryError,
    ShapelyError, ProjError, RasterioError,
    # NameError: a slip of pyogrio over a CRS that cannot be written
    ArithmeticError, LookupError, MemoryError, NameError, OSError, RuntimeError, TypeError, ValueError,
)  # fmt: skip


@contextmanager
def quiet_outlines() -> Iterator[None]:
    """Keep the libraries' warnings off the screen: what they warn of is refused, or repaired and flagged."""
    with rasterio.Env(), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # pyogrio's of damaged shapes, shapely's of infinite ones
        warnings.simplefilter("ignore", UserWarning)  # pyogrio's of layers and encodings
        yield
