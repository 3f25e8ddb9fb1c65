"""Archives that are large in one way each: rasters of many tiles, or lists so long that they stand in parts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest.mock import patch

from tests.made.fakes import make_elevation_change_dataset, make_mass_balance_dataset
from tests.made.whole_archive import build, complete_balance, complete_change, publish_datasets

SHAPE = (603, 1109)
# so low that the small archive of the tests has two parts or more of every list
_LIMITS = {
    "catalog.stac.source.ITEMS_IN_A_PART": 1,
    "catalog.metadata.data_files.FILES_IN_A_LIST": 12,
    "catalog.archive.manifest.FILES_IN_A_PART": 40,
}


def build_large(out: Path) -> Path:
    """Build both datasets, the elevation change on a grid that no overview halves exactly, as real ones are."""
    datasets = [
        complete_change(make_elevation_change_dataset(shape=SHAPE)),
        complete_balance(make_mass_balance_dataset()),
    ]
    publish_datasets(datasets, out)
    return out


@contextmanager
def lists_in_parts() -> Iterator[None]:
    """Here few items and files are as many as those of a large collection elsewhere."""
    with ExitStack() as stack:
        for name, limit in _LIMITS.items():
            stack.enter_context(patch(name, limit))
        yield


def build_parted(out: Path) -> Path:
    """Build both datasets with sub-catalogues, and with manifest and RO-Crate in parts."""
    with lists_in_parts():
        build(out)
    return out
