"""Time of writing and checking a table of a million records, each check by itself and Frictionless beside them.

    python benchmarks/tables.py [RECORDS]

A collection of two tables is written: as many point balances as asked for, and the stakes they refer to. Prints the
time of each format, of each vectorised check, and of Frictionless, which reads the package once as a conformance
report; and the peak memory of the process.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from catalog.archive.layout import COLLECTION_JSON, DATAPACKAGE_JSON, CollectionFolder  # noqa: E402 - as above
from catalog.archive.opened import Archive, FolderFiles  # noqa: E402 - as above
from catalog.checks import CHECKS  # noqa: E402 - the project's folder comes first
from catalog.formats.parquet import write_parquet  # noqa: E402 - as above
from catalog.formats.published import PublishedTable, csv_bytes, published_table  # noqa: E402 - as above
from catalog.tables.data_dictionary import data_dictionary  # noqa: E402 - as above
from catalog.tables.write import resources_of  # noqa: E402 - as above
from schemas.tables import DATA_DICTIONARY, GLACIER_BALANCES, LEAVE_ONE_OUT  # noqa: E402 - as above

SEED = 20260521


def timed(name: str, action: Callable[[], Any]) -> Any:
    begin, busy = time.perf_counter(), time.process_time()
    result = action()
    took, worked = time.perf_counter() - begin, time.process_time() - busy
    print(f"{name:34s} {took:8.2f} s {worked:8.2f} s of processor", flush=True)
    return result


def made_up(records: int) -> dict[str, pd.DataFrame]:
    """Years with a balance, and predictions of points in those years; as many as asked for."""
    rng = np.random.default_rng(SEED)
    years = np.arange(1960, 2060)
    balances = pd.DataFrame(index=range(years.size), columns=list(GLACIER_BALANCES.column_names))
    balances = balances.assign(glacier_id="G1", year=years, provenance="observed", annual_balance_m_we=-0.5)
    numbers = np.arange(records)
    points = pd.DataFrame(
        {
            "year": years[numbers % years.size],
            "point_id": [f"P{number // years.size:06d}" for number in numbers],
            "kind": "stake",
            "balance_m_we": rng.normal(0, 2, records),
            "predicted_balance_m_we": rng.normal(0, 2, records),
            "sigma_predicted_m_we": rng.uniform(0, 1, records),
            "standardised_error": rng.normal(0, 1, records),
            "influence_m_we": rng.normal(0, 0.1, records),
        }
    )
    names = (GLACIER_BALANCES.name, LEAVE_ONE_OUT.name)
    return {**dict(zip(names, (balances, points), strict=True)), DATA_DICTIONARY.name: data_dictionary(names)}


def write(root: Path, frames: dict[str, pd.DataFrame]) -> CollectionFolder:
    folder = CollectionFolder(root, "many")
    folder.tables.mkdir(parents=True)
    schemas = {table.name: table for table in (GLACIER_BALANCES, LEAVE_ONE_OUT, DATA_DICTIONARY)}
    published: list[PublishedTable] = timed(
        "rounding and ordering", lambda: [published_table(schemas[name], frame) for name, frame in frames.items()]
    )
    for table in published:
        name = table.table.name
        timed(f"CSV of {name}", lambda t=table, n=name: folder.table_csv(n).write_bytes(csv_bytes(t)))
        timed(f"Parquet of {name}", lambda t=table, n=name: write_parquet(folder.table_parquet(n), t))
    package = {"name": "many", "resources": resources_of(folder, [table.table for table in published])}
    (folder.path / DATAPACKAGE_JSON).write_text(json.dumps(package))
    (folder.path / COLLECTION_JSON).write_text(json.dumps({"type": "Collection", "id": "many"}))
    return folder


def main() -> None:
    records = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as scratch:
        write(Path(scratch), timed("records made up", lambda: made_up(records)))
        archive = Archive(FolderFiles(Path(scratch)))
        for check in (one for one in CHECKS if one.find.__module__ == "catalog.checks.tables"):
            result = timed(check.name, lambda one=check: one(archive))
            if not result.passed:
                sys.exit(f"{check.name}: {result.failures[0]}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


if __name__ == "__main__":
    main()
