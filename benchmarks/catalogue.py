"""Catalogue an archive of many items (synthetic metadata, tiny assets): seconds, memory, largest document.

Run as ``python -m benchmarks.catalogue [items ...]``; each number of items is measured in a process of its own. The
items are those of a real small build, repeated under other names, so that every document has its full size. Measured is
all that a build does with them but writing their rasters and tables: metadata files, STAC documents in both languages,
``items.parquet``, pages, manifest.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from catalog.archive.dataset import Dataset, Item
from catalog.archive.layout import CollectionFolder
from catalog.archive.manifest import list_files
from catalog.archive.media_types import media_type_of
from catalog.build.assembly import write_archive_documents
from catalog.build.collection import Collection, facts_of
from catalog.items.mass_balance import write_mass_balance
from catalog.metadata import write_metadata
from catalog.metadata.facts import Facts, describe
from catalog.pages.facts import Card
from catalog.pages.write import write_collection_pages, write_readme
from catalog.stac.write import write_collection_stac
from catalog.tables.write import write_tables

DEFAULT = (1_000, 3_000, 10_000)
LIMIT_S, LIMIT_MB, LIMIT_DOCUMENT_KB = 60, 1_000, 1_000
_DOCUMENTS = (".json", ".jsonld", ".html", ".js", ".md")


def measure(count: int) -> None:
    """Print the time of each stage, then one line: items, seconds, peak memory, largest document."""
    # the fakes of the tests: any result of the right shape will do, for nothing of it is computed here
    from tests.made.fakes import make_mass_balance_dataset

    dataset: Dataset = make_mass_balance_dataset()
    with tempfile.TemporaryDirectory() as name:
        root, folder = Path(name), CollectionFolder(Path(name), dataset.definition.id)
        facts = describe(dataset)
        model = write_mass_balance(dataset, facts, folder)[0]
        items = tuple(_item(model, number, folder.path) for number in range(count))
        write_tables(dataset, facts, folder)
        begin, worked = time.perf_counter(), time.process_time()
        for stage, act in _stages(dataset, facts, folder, items).items():
            start = time.process_time()
            act()
            print(f"  {stage}: {time.process_time() - start:.1f} s of processor", flush=True)
        seconds, processor = time.perf_counter() - begin, time.process_time() - worked
        documents = {path: path.stat().st_size / 1000 for path in root.rglob("*") if path.suffix in _DOCUMENTS}
        largest = max(documents, key=lambda path: documents[path])
        kilobytes = documents[largest]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{count:>6} items: {seconds:6.1f} s (limit {LIMIT_S}), {processor:.1f} s of processor"
        f" ({1000 * processor / count:.2f} a thousand), {memory:5.0f} MB (limit {LIMIT_MB}),"
        f" largest document {largest.name} {kilobytes:.0f} kB (limit {LIMIT_DOCUMENT_KB})",
        flush=True,
    )


def _stages(
    dataset: Dataset, facts: Facts, folder: CollectionFolder, items: tuple[Item, ...]
) -> dict[str, Callable[[], None]]:
    """What a build does with the items, in its order."""
    root, cards = folder.root, list[Card]()

    def metadata() -> None:
        data = [(file.path, file.size, file.sha256, media_type_of(file.path)) for file in list_files(folder.path)]
        write_metadata(facts.with_files(data), folder.metadata)
        write_readme(dataset, facts, items, folder)

    def above() -> None:
        collection = Collection(dataset.definition, facts_of(dataset, facts, items, cards[0]))
        write_archive_documents(root, [collection], "benchmark")

    return {
        "metadata files": metadata,
        "STAC documents": lambda: write_collection_stac(root, dataset, facts, items, None, "benchmark"),
        "pages": lambda: cards.append(write_collection_pages(root, dataset, facts, items)),
        "catalogue, items.parquet, front page, manifest": above,
    }


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
