"""An archive whose rasters have overviews and many tiles, of odd sizes, as real ones do."""

from __future__ import annotations

from pathlib import Path

from catalog.build import build_archive
from tests.fakes import make_elevation_change_dataset, make_mass_balance_dataset
from tests.whole_archive import CODE_VERSION, complete_balance, complete_change

SHAPE = (603, 1109)


def build_large(out: Path) -> Path:
    """Build both datasets, the elevation change on a grid that no overview halves exactly."""
    datasets = [
        complete_change(make_elevation_change_dataset(shape=SHAPE)),
        complete_balance(make_mass_balance_dataset()),
    ]
    build_archive(datasets, out, code_version=CODE_VERSION)
    return out
