"""The dataset definitions that come with the archive."""

from __future__ import annotations

from pathlib import Path

from schemas.definition import Definition, read_definition
from schemas.errors import BadDefinition

DATASETS = Path(__file__).resolve().parents[1] / "datasets"


def read_definitions(paths: tuple[Path, ...]) -> tuple[Definition, ...]:
    """Read several definitions, in the order given.

    Errors
    ------
    BadDefinition : a definition that cannot be read, or two with one id, which would share a folder of the archive.
    """
    by_id: dict[str, Path] = {}
    definitions = []
    for path in paths:
        definition = read_definition(path)
        if definition.id in by_id:
            raise BadDefinition(
                f"{path}: id", f"{definition.id!r}, also the id of {by_id[definition.id]}", "another id"
            )
        by_id[definition.id] = path
        definitions.append(definition)
    return tuple(definitions)


def default_definitions() -> tuple[Definition, ...]:
    """The shipped definitions, elevation change before mass balance, each kind in the order of its ids."""
    definitions = read_definitions(tuple(sorted(DATASETS.glob("*.toml"))))
    return tuple(sorted(definitions, key=lambda definition: (definition.kind, definition.id)))
