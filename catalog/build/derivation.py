"""Whether every file of an archive follows from what it records: each is written again and compared, byte by byte."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from catalog.archive import CHANGELOG_MD, ITEMS_JSON, ITEMS_PARQUET, MANIFEST_JSON, Archive, FolderFiles
from catalog.build.verification import built_again, manifest_of_build, order_of, other_tools
from catalog.checks import CheckResult, Failure
from catalog.metadata import changelog_text
from catalog.pages import site_files
from catalog.stac import feature_collection, listed_item, write_search_table
from catalog.versions import what_differs
from pipeline.progress import Tell, silent
from pipeline.resources import Resources
from pipeline.scratch_folders import scratch_folder
from schemas.definition import parse_definition
from schemas.glacier_extension import SCHEMA_PATH, json_schema

NAME = "derivation"
MEANING = "what follows from definition, inputs and settings is the same to the byte when it is written again"
_ALONE = (
    "without raw inputs only styles and scripts of the pages, the schema, the changelogs and the table of items were"
    " written again; name the inputs with --inputs to have tables, rasters, pictures, records, STAC and pages too"
)


def derive(
    archive: Path, inputs: Path | None, resources: Resources, *, code_version: str, tell: Tell = silent
) -> CheckResult:
    """Write an archive again with the writers of this software, and name every file whose bytes differ.

    An archive of the embedded sample, or of raw inputs that are given, is computed and written whole. Of another only
    what follows from the archive itself is written; the result names what was not.

    Parameters
    ----------
    archive : folder of an archive of ours; it is only read.
    inputs : folder of its raw inputs; None for the embedded sample, or where they are not at hand.

    Errors
    ------
    BadInput : no archive of ours; raw inputs that are missing or not those that were recorded.
    """
    manifest = manifest_of_build(archive)
    tools = other_tools(manifest, code_version)
    why = "" if not tools else f" by {', '.join(f'{name} {here}' for name, (_, here) in tools.items())}"
    expected = f"the bytes that follow from {MANIFEST_JSON} when written again{why}"
    if not manifest.get("synthetic") and inputs is None:
        written = dict(_from_the_archive(Archive(FolderFiles(archive))))
        return CheckResult(NAME, MEANING, tuple(_unlike(archive, written, expected)), _ALONE)
    order = order_of(archive, manifest, inputs, str(manifest.get("code_version") or code_version))
    with built_again(order, resources, "derive-", tell) as again:
        failures = tuple(_differences(archive, again, expected))
    return CheckResult(NAME, MEANING, failures)


def _differences(archive: Path, again: Path, expected: str) -> Iterator[Failure]:
    """Files of one alone, and those whose bytes differ; signatures, and versions that are kept, are not compared."""
    theirs, ours = (set(FolderFiles(root).paths()) for root in (archive, again))
    kept = {path for path in theirs if path.startswith("statement.")} - ours
    for path in sorted(theirs - ours - kept):
        yield Failure(path, "a file that follows from nothing", "no such file", "move it out of the archive")
    for path in sorted(ours - theirs):
        yield Failure(path, "no such file", expected, "build the archive again")
    for path in sorted(ours & theirs):
        old, new = (root.joinpath(path).read_bytes() for root in (archive, again))
        if old != new:
            yield Failure(path, what_differs(path, old, new), expected, "build the archive again")


def _unlike(archive: Path, written: dict[str, bytes], expected: str) -> Iterator[Failure]:
    for path, content in sorted(written.items()):
        place = archive / path
        old = place.read_bytes() if place.is_file() else b""
        if old != content:
            yield Failure(path, what_differs(path, old, content), expected, "build the archive again")


def _from_the_archive(seen: Archive) -> Iterator[tuple[str, bytes]]:
    """What follows from the manifest and the documents alone."""
    for name, text in site_files().items():
        yield name, text.encode()
    base = seen.manifest.get("base_url")
    schema = json_schema(f"{base.rstrip('/')}/{SCHEMA_PATH}" if base else None)
    yield SCHEMA_PATH, (json.dumps(schema, indent=2, ensure_ascii=False) + "\n").encode()
    for entry in seen.manifest["datasets"]:
        definition = parse_definition(entry["definition"], f"{MANIFEST_JSON}: definition of {entry['id']}")
        yield f"{entry['id']}/{CHANGELOG_MD}", changelog_text(definition, bool(entry["synthetic"])).encode()
    listed = [listed_item(item.content, item.file) for item in seen.items]
    if listed:
        with scratch_folder("derive-") as folder:
            write_search_table(folder / ITEMS_PARQUET, listed)
            yield ITEMS_PARQUET, (folder / ITEMS_PARQUET).read_bytes()
    if ITEMS_JSON in seen.path_set:
        yield ITEMS_JSON, (json.dumps(feature_collection(listed), ensure_ascii=False) + "\n").encode()
