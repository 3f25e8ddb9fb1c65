"""Whatever kind of value stands anywhere in a document of an archive, every check reports and none breaks."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from catalog.archive.forms import misfit
from catalog.archive.opened import Archive, FolderFiles
from catalog.checks import CHECKS

# what looks at pixels or at the cells of tables, or hands a document to a library of its own
SLOW = {
    *("datapackage-form", "stac-schema", "table-copies", "table-cells", "raster-overviews", "raster-statistics"),
    *("texts-portable", "geoparquet-places", "metadata-standards"),
}
KINDS: tuple[Any, ...] = (
    *(None, True, -1, 1.5, 10**400, "", "text", "2001-13-45", "../x", "EPSG:0", "\x00"),
    *([], [1], ["a"], [None], [[1]], [{}], [{"a": None}], {}, {"a": 1}, {"a": {"b": [None]}}),
)
SUFFIXES = (".json", ".jsonld", ".geojson", ".cff", "search.js")


class Overlay(FolderFiles):
    """An archive in a folder, some of whose files have another content."""

    def __init__(self, root: Path, changed: dict[str, bytes]) -> None:
        super().__init__(root)
        self.changed = changed

    def read(self, path: str) -> bytes | None:
        return self.changed[path] if path in self.changed else super().read(path)


def places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where a value stands in a document; of long lists the first few."""
    parts = value.items() if isinstance(value, dict) else enumerate(value[:5]) if isinstance(value, list) else ()
    for key, part in parts:
        yield (*place, key)
        yield from places(part, (*place, key))


def swapped(document: Any, path: str, draw: random.Random) -> Any:
    """The document with a value of another kind in a place where its form allows one; None if none is hit upon."""
    known = list(places(document))
    for place in draw.sample(known, min(12, len(known))):
        content = json.loads(json.dumps(document, default=str))
        holder = content
        for key in place[:-1]:
            holder = holder[key]
        holder[place[-1]] = draw.choice(KINDS)
        if misfit(path, content) == "":
            return content
    return None


def read(path: str, text: str) -> tuple[str, Any]:
    """What stands before a document, and the document."""
    if path.endswith(".js"):
        head, brace, body = text.partition("{")
        return head, json.loads((brace + body).rstrip().rstrip(";"))
    return "", yaml.safe_load(text) if path.endswith(".cff") else json.loads(text)


def hostile(root: Path, draw: random.Random) -> dict[str, bytes]:
    """Every document of an archive with one value of another kind in it."""
    changed = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if name.endswith(SUFFIXES) and not name.startswith("schemas/"):
            head, document = read(name, path.read_text(encoding="utf-8"))
            if (content := swapped(document, name, draw)) is not None:
                changed[name] = f"{head}{json.dumps(content)}{';' if head else ''}\n".encode()
    return changed


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (2, 3, 4))])
def test_no_check_breaks_on_a_value_of_another_kind(change_archive: Path, seed: int) -> None:
    changed = hostile(change_archive, random.Random(seed))
    assert len(changed) > 10
    archive = Archive(Overlay(change_archive, changed))
    results = [check(archive) for check in CHECKS if check.name not in SLOW]
    assert sum(not result.passed for result in results) > 3
