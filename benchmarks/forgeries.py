"""How many forgeries, all checksums made to fit, the checks see: before there were checks of facts, and with them.

Run as ``python -m benchmarks.forgeries``; it takes some minutes, and writes ``tests/made/forgeries.json``, from which
``docs/damages.md`` is made. Each forgery is done to a copy of the small archive of the tests; the checks of its kind
are made first, and the first that reports it is noted.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import rasterio

from catalog.archive import Archive, FolderFiles
from catalog.checks import CHECKS, Check
from tests.made.damage import DAMAGES
from tests.made.forgeries import FOREIGN, FORGERIES, MEASURED, Forgery
from tests.made.whole_archive import build

# the modules whose checks see most of each kind
_FIRST = {
    "STAC": ("stated", "records"),
    "raster": ("pixels", "vectors", "consistency"),
    "table": ("sums", "stated", "tables", "consistency", "changes", "balances"),
    "record": ("records", "metadata"),
    "page": ("shown", "pages"),
    "style": ("styles", "kinds", "pixels"),
    "picture": ("kinds", "shown", "pixels"),
    "file": ("kinds", "stac", "files"),
}
# they tell of the form of documents alone, and take long
_LONG = {"stac-schema", "metadata-standards", "cog-structure"}


def measure(version: str = "") -> None:
    """Do every forgery, print what sees it, and write the list."""
    old = {damage.check for damage in DAMAGES}
    seen: dict[str, dict[str, str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        good, copied = Path(folder) / "good", Path(folder) / "copied"
        build(good)
        for forgery in FORGERIES:
            shutil.copytree(good, copied)
            forgery.apply(copied, version=version)
            after = _first(forgery, copied, CHECKS)
            before = after if after in old else _first(forgery, copied, (one for one in CHECKS if one.name in old))
            seen[forgery.name] = {"kind": forgery.kind, "before": before, "after": after}
            print(f"{forgery.kind}: {forgery.name}: {before or '-'}, {after or '-'}", flush=True)
            shutil.rmtree(copied)
    if not version:
        MEASURED.write_text(json.dumps(seen, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{sum(bool(one['after']) for one in seen.values())} of {len(seen)}")


def _first(forgery: Forgery, root: Path, checks: Iterable[Check[Any]]) -> str:
    """Name of the first check that reports a forgery; empty where none does."""
    wanted = _FIRST[forgery.kind]

    def place(check: Check[Any]) -> int:
        module = check.find.__module__.rpartition(".")[2]
        return wanted.index(module) if module in wanted else len(wanted)

    archive = Archive(FolderFiles(root))
    with rasterio.Env(GDAL_PAM_ENABLED="NO", GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"):
        made = (check for check in sorted(checks, key=place) if check.name not in _LONG)
        return next((check.name for check in made if check(archive).failures), "")


if __name__ == "__main__":
    measure(FOREIGN if "--foreign" in sys.argv else "")
