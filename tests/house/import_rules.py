"""The rules of imports, as functions of the sources: who may know whom.

A module is named by its dotted path; its source is read, never run, so that an import counts wherever it stands: at
the top, inside a function, or under ``TYPE_CHECKING`` for a type hint alone.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tests.root import ROOT

PACKAGES = ("schemas", "pipeline", "catalog", "cli")
# of each house its rooms from the ground floor up: a room imports those of lower floors; rooms of one floor do not
# know each other
FLOORS: Mapping[str, Sequence[tuple[str, ...]]] = {
    "catalog": (
        ("archive", "formats"),
        ("figures", "metadata", "reports", "versions"),
        ("tables",),
        ("items",),
        ("stac", "pages"),
        ("address",),
        ("checks",),
        ("build",),
        ("runs",),
        ("fetch", "serve", "publish", "sign", "start"),
    ),
    "pipeline.elevation_change": (
        ("result",),
        ("statistics", "terrain"),
        ("dems",),
        ("dem_checks",),
        ("pairing",),
        ("resolution",),
        ("coregistration",),
        ("differencing",),
        ("uncertainty",),
        ("glaciers",),
        ("resolution_report", "trends_report", "unmapped_ice"),
        ("report",),
        ("chain",),
    ),
    # the proof runs the chain again, on draws of its input and beside a survey
    "pipeline.mass_balance": (
        ("result",),
        ("fieldwork",),
        ("points",),
        ("ground",),
        ("field",),
        ("glacier_wide",),
        ("quality_flags",),
        ("result_tables",),
        ("chain",),
        ("proof",),
    ),
}


@dataclass(frozen=True)
class Import:
    """An import of one of our modules: who asks, what for, on which line."""

    asks: str
    asked: str
    line: int

    def __str__(self) -> str:
        return f"{self.asks}:{self.line} imports {self.asked}"


def sources(root: Path = ROOT) -> dict[str, str]:
    """The text of every module of the product, by its dotted name."""
    paths = [path for package in PACKAGES[:-1] for path in sorted((root / package).rglob("*.py"))]
    return {name_of(path, root): path.read_text(encoding="utf-8") for path in [*paths, root / "cli.py"]}


def name_of(path: Path, root: Path = ROOT) -> str:
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


@lru_cache(maxsize=1024)
def imports_of(name: str, source: str) -> tuple[tuple[str, int], ...]:
    """Dotted names that a module asks for: ``from a import b`` asks for ``a.b``, be it a module or a name in one.

    Every rule asks it of every module; each is parsed once.
    """
    return tuple(_imports_of(name, source))


def _imports_of(name: str, source: str) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(f"{name}:{node.lineno}: a relative import hides where it goes")
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def imports(modules: Mapping[str, str]) -> list[Import]:
    """Every import of one of the modules by another, each resolved to the module that it reaches."""
    found = []
    for name, source in modules.items():
        for asked, line in imports_of(name, source):
            target = asked if asked in modules else asked.rpartition(".")[0]
            if target in modules and target != name:
                found.append(Import(name, target, line))
    return found


def wrong_packages(modules: Mapping[str, str]) -> list[str]:
    """Imports against ``schemas <- pipeline <- catalog <- cli``, of tests and benchmarks among them."""
    rank = {package: number for number, package in enumerate(PACKAGES)}
    return [
        f"{name}:{line} imports {asked}"
        for name, source in modules.items()
        for asked, line in imports_of(name, source)
        if (top := asked.split(".")[0]) in {"tests", "benchmarks", "docs"}
        or (top in rank and rank[top] > rank[name.split(".")[0]])
    ]


def room_of(name: str, house: str) -> str | None:
    """The room of a house in which a module stands; '' for the house's own face, None outside."""
    if name == house:
        return ""
    return name.removeprefix(f"{house}.").split(".")[0] if name.startswith(f"{house}.") else None


def wrong_floors(modules: Mapping[str, str], house: str, floors: Sequence[tuple[str, ...]]) -> list[str]:
    """Imports of a room's own floor or of one above, and rooms that have no floor; each with what is wrong."""
    floor = {room: number for number, rooms in enumerate(floors) for room in rooms}
    present = {room for name in modules if (room := room_of(name, house))}
    wrong = [f"{house}.{room} has no floor: say where it stands" for room in sorted(present - set(floor))]
    wrong += [f"{house}.{room} stands on a floor and is not there" for room in sorted(set(floor) - present)]
    for one in imports(modules):
        asks, asked = room_of(one.asks, house), room_of(one.asked, house)
        if not asks or asked is None or asks == asked or asks not in floor:
            continue
        if asked == "" or floor.get(asked, len(floors)) >= floor[asks]:
            wrong.append(f"{one}: {asks} stands below {asked or 'the face of its house'} or beside it")
    return wrong


def past_the_face(modules: Mapping[str, str], house: str) -> list[str]:
    """Imports from within another room, which should ask its face: the `__init__` of the folder, or its one file."""
    return [
        f"{one}: ask {house}.{asked}"
        for one in imports(modules)
        if (asked := room_of(one.asked, house))
        and asked != room_of(one.asks, house)
        and one.asked != f"{house}.{asked}"
    ]


def circles(modules: Mapping[str, str]) -> list[list[str]]:
    """Groups of modules that import each other in a circle, imports inside functions and for type hints counted."""
    reached: dict[str, set[str]] = {name: set() for name in modules}
    for one in imports(modules):
        reached[one.asks].add(one.asked)
    below = {name: _all_below(name, reached) for name in reached}
    groups = {frozenset(other for other in below[name] if name in below[other]) for name in modules}
    return sorted(sorted(group) for group in groups if group)


def _all_below(name: str, reached: Mapping[str, set[str]]) -> set[str]:
    """All modules that one reaches over any number of imports; itself among them where a circle leads back."""
    seen: set[str] = set()
    pending = list(reached[name])
    while pending:
        other = pending.pop()
        if other not in seen:
            seen.add(other)
            pending += reached[other]
    return seen
