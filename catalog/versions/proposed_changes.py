"""What the definition of a new version may say of its changes, proposed from the difference of two archives."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from catalog.archive import MANIFEST_JSON, formed, manifest_of
from catalog.versions.compare import ArchiveDifference, RecordChange
from catalog.versions.data_versions import Comparison, DatasetVersions
from schemas.definition import Changes, Definition, parse_definition

_COLUMNS = 5
_FILES = 5
_DATA_FILES = (".tif", ".geojson")


@dataclass(frozen=True)
class ProposedVersion:
    """The next version of a dataset: its number, its changes, and the version it follows."""

    versions: DatasetVersions
    changes: Changes
    before: Definition

    def to_dict(self) -> dict[str, Any]:
        """For JSON, as the definition would hold it."""
        before = self.before
        previous: dict[str, Any] = {
            "version": before.version,
            "publication_date": before.publication_date.isoformat(),
            "doi": before.doi,
        }
        if before.changes.stated:
            previous["changes"] = before.changes.model_dump(mode="json")
        return {
            "version": str(self.versions.needed),
            "changes": self.changes.model_dump(mode="json"),
            "previous_versions": [previous],
        }

    def lines(self) -> Iterator[str]:
        """As TOML, to be put into the definition and mended by hand."""
        stated = self.to_dict()
        yield f"# {self.versions.dataset}: for its definition; say in your own words what the numbers cannot"
        yield f'version = "{stated["version"]}"'
        yield from ("", "[changes]", *_lists(stated["changes"]))
        previous = stated["previous_versions"][0]
        yield from ("", "# after the earlier ones", "[[previous_versions]]", f'version = "{previous["version"]}"')
        yield f"publication_date = {previous['publication_date']}"
        address = f'doi = "{previous["doi"]}"' if previous["doi"] else 'href = ""  # where that version is published'
        yield address
        if "changes" in previous:
            yield from ("", "[previous_versions.changes]", *_lists(previous["changes"]))


@dataclass(frozen=True)
class ProposedChanges:
    """A proposal for every dataset that changed."""

    proposals: tuple[ProposedVersion, ...]

    def to_dict(self) -> dict[str, Any]:
        """For JSON: by dataset."""
        return {one.versions.dataset: one.to_dict() for one in self.proposals}

    def lines(self) -> list[str]:
        """For people: one block of TOML a dataset."""
        if not self.proposals:
            return ["# nothing changed"]
        return [line for one in self.proposals for line in (*one.lines(), "")][:-1]


def propose_changes(old: Path, comparison: Comparison) -> ProposedChanges:
    """Say for each dataset that changed which version comes next, and what it changes.

    Parameters
    ----------
    old : the archive as it was; its manifest holds the definition that the new version follows.
    comparison : of it with the new one.

    Errors
    ------
    BadDefinition : the manifest of ``old`` holds no usable definition.
    """
    entries = {entry["id"]: entry for entry in formed(MANIFEST_JSON, manifest_of(old) or {}).get("datasets", ())}
    return ProposedChanges(
        tuple(
            ProposedVersion(
                one,
                summarize(comparison.difference.below(one.dataset)),
                parse_definition(
                    entries[one.dataset].get("definition", {}), f"{old}/manifest.json: definition of {one.dataset}"
                ),
            )
            for one in comparison.versions
            if one.step != "none"
        )
    )


def summarize(difference: ArchiveDifference) -> Changes:
    """A sentence for each table, raster and kind of file that changed."""
    data_files = [file for file in difference.files if file.path.endswith(_DATA_FILES)]
    others = [file for file in difference.files if not file.path.endswith(_DATA_FILES)]
    same = [raster.path for raster in difference.rasters if not raster.changed_pixels]
    tables = dict.fromkeys(record.table for record in difference.records)
    return Changes(
        data=(
            *(_table_change([r for r in difference.records if r.table == table]) for table in tables),
            *(str(raster).partition("/")[2] for raster in difference.rasters if raster.changed_pixels),
            *(f"{file.kind} {_below(file.path)}" for file in data_files),
        ),
        structure=(
            *(f"{_stem(change.table)}: {change.what}" for change in difference.meanings),
            *(f"{file.kind} {_below(file.path)}" for file in others if file.kind != "changed"),
        ),
        metadata=tuple(_named([*same, *(file.path for file in others if file.kind == "changed")])),
    )


def _table_change(records: list[RecordChange]) -> str:
    """How many records came, went and changed, and in which columns."""
    kinds = Counter(record.kind for record in records)
    columns = list(dict.fromkeys(value.column for record in records for value in record.values))
    more = f" and {len(columns) - _COLUMNS} more columns" if len(columns) > _COLUMNS else ""
    said = ", ".join(f"{kinds[kind]} {kind}" for kind in ("created", "changed", "removed") if kinds[kind])
    which = f" ({', '.join(columns[:_COLUMNS])}{more})" if columns else ""
    return f"{_stem(records[0].table)}: records {said}{which}"


def _named(paths: list[str]) -> Iterator[str]:
    if paths:
        more = f" and {len(paths) - _FILES} more" if len(paths) > _FILES else ""
        yield f"written anew: {', '.join(_below(path) for path in paths[:_FILES])}{more}"


def _lists(changes: dict[str, list[str]]) -> Iterator[str]:
    for name, entries in changes.items():
        if not entries:
            yield f"{name} = []"
            continue
        # a JSON string without escapes beyond ASCII is a TOML string
        yield from (f"{name} = [", *(f"  {json.dumps(entry, ensure_ascii=False)}," for entry in entries), "]")


def _stem(path: str) -> str:
    return PurePosixPath(path).stem


def _below(path: str) -> str:
    """A path below its collection's folder."""
    return path.partition("/")[2]
