"""Catalogue an archive of many items (synthetic metadata, tiny assets): seconds, memory, largest document.

Run as ``python -m benchmarks.catalogue [items ...]``; each number of items is measured in a process of its own. The
items are those of a real small build, repeated under other names, so that every document has its full size.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from catalog.build import write_collection
from catalog.dataset import Dataset, Item
from catalog.stac import write_stac

DEFAULT = (2_500, 5_000, 10_000)


def measure(count: int) -> None:
    """Print one line: items, seconds, seconds per thousand, peak memory, largest document."""
    # the fakes of the tests: any result of the right shape will do, for nothing of it is computed here
    from tests.fakes import make_mass_balance_dataset

    dataset: Dataset = make_mass_balance_dataset()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        model = write_collection(dataset, root)[0]
        items = tuple(_item(model, number, root / dataset.definition.id) for number in range(count))
        start = time.perf_counter()
        write_stac(root, [(dataset, items)], None)
        seconds = time.perf_counter() - start
        largest = max(path.stat().st_size for path in root.rglob("*.json"))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    per_thousand = 1000 * seconds / count
    print(
        f"{count:>6} items: {seconds:6.1f} s ({per_thousand:.2f} s a thousand), {memory:5.0f} MB,"
        f" largest document {largest / 1000:.0f} kB",
        flush=True,
    )


def _item(model: Item, number: int, collection: Path) -> Item:
    """A copy of an item under another name and date, with a raster and an isoline file of its own."""
    name = f"balance-{number:06d}"
    folder = collection / name
    folder.mkdir()
    kept = tuple(asset for asset in model.assets if asset.key in ("balance_sigma", "isolines"))
    for asset in kept:
        (folder / asset.href).hardlink_to(model.folder / asset.href)
    days = timedelta(days=number % 20_000)
    return replace(model, item_id=name, folder=folder, assets=kept, start=model.start + days, end=model.end + days)


def main() -> None:
    """Measure each number of items given, or the default ones."""
    counts = [int(text) for text in sys.argv[1:]]
    if len(counts) == 1:
        measure(counts[0])
        return
    for count in counts or DEFAULT:
        subprocess.run([sys.executable, "-m", "benchmarks.catalogue", str(count)], check=True)


if __name__ == "__main__":
    main()
