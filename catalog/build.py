"""The archive as a whole: written to a draft, checked, and published by one rename."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.checks import ValidationReport, validate
from catalog.dataset import Dataset, Item
from catalog.draft import open_draft, preflight
from catalog.elevation_change_item import write_elevation_change
from catalog.layout import CollectionFolder
from catalog.manifest import list_files, write_manifest
from catalog.mass_balance_items import write_mass_balance
from catalog.media_types import media_type_of
from catalog.metadata import write_metadata
from catalog.pages import write_pages, write_readme
from catalog.stac import write_stac
from catalog.tables import write_tables
from pipeline.elevation_change.result import ElevationChange
from pipeline.progress import Tell, silent
from schemas.errors import BadInput, FailedCheck

__all__ = ["BuildReport", "FailedBuild", "build_archive", "preflight"]

Written = tuple[Dataset, tuple[Item, ...]]


@dataclass(frozen=True)
class BuildReport:
    """What was published.

    Attributes
    ----------
    folder : the archive.
    items : the items of each collection, by its id.
    files, size : number of files and bytes, the manifest left out.
    validation : the checks, all passed.
    """

    folder: Path
    items: dict[str, tuple[str, ...]]
    files: int
    size: int
    validation: ValidationReport

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "archive": str(self.folder),
            "collections": {name: list(items) for name, items in self.items.items()},
            "files": self.files,
            "bytes": self.size,
            "checks": len(self.validation.results),
            "not_checked": [result.name for result in self.validation.results if result.skipped],
        }


class FailedBuild(FailedCheck):
    """The draft did not pass its checks and was not published.

    Attributes
    ----------
    report : all results, for the people who have to find out why.
    """

    def __init__(self, report: ValidationReport) -> None:
        self.report = report
        first, names = report.failures[0], ", ".join(report.failed_checks())
        super().__init__(
            first.file, f"{first.found} (checks that failed: {names})", first.expected, first.remedy or "see the report"
        )


def build_archive(
    datasets: Sequence[Dataset],
    out: Path,
    *,
    base_url: str | None = None,
    code_version: str,
    tell: Tell = silent,
) -> BuildReport:
    """Publish datasets as an archive at ``out``; until the last rename whatever stood there stays as it was.

    Parameters
    ----------
    datasets : in the order in which the catalogue lists them.
    out : the archive's folder: absent, empty, or an archive built earlier.
    base_url : where the archive will be served from, if that is known.
    code_version : version of this software, for the manifest.

    Errors
    ------
    BadInput : a target that cannot be published to, another build on it, a full disk, a dataset given twice.
    FailedBuild : a check or quality gate did not pass; nothing was published.
    """
    _refuse_repeated(datasets)
    with open_draft(out) as draft:
        written = [(dataset, write_collection(dataset, draft.folder, tell)) for dataset in datasets]
        tell("writing the STAC catalogue")
        write_stac(draft.folder, written, base_url)
        tell("writing the pages")
        write_pages(draft.folder, written)
        write_manifest(draft.folder, datasets, code_version, base_url)
        tell("checking the draft")
        validation = prove(draft.folder, out, tell)
        files = list_files(draft.folder)
        tell("publishing")
        draft.publish()
    items = {dataset.definition.id: tuple(item.item_id for item in items) for dataset, items in written}
    return BuildReport(out, items, len(files), sum(file.size for file in files), validation)


def write_collection(dataset: Dataset, root: Path, tell: Tell = silent) -> tuple[Item, ...]:
    """Write everything of one dataset but its STAC documents and pages: products, tables, README, metadata."""
    folder = CollectionFolder(root, dataset.definition.id)
    folder.path.mkdir()
    tell(f"writing {dataset.definition.title.en}")
    if isinstance(dataset.result, ElevationChange):
        items = write_elevation_change(dataset, folder, tell)
    else:
        items = write_mass_balance(dataset, folder, tell)
    write_tables(dataset, folder)
    data = [(file.path, file.size, file.sha256, media_type_of(file.path)) for file in list_files(folder.path)]
    write_metadata(dataset, folder.metadata, data)
    write_readme(dataset, items, folder)
    return items


def prove(draft: Path, out: Path, tell: Tell = silent) -> ValidationReport:
    """Make all checks of a draft.

    Errors
    ------
    FailedBuild : any check did not pass.
    """
    report = validate(draft, tell=tell)
    named = ValidationReport(str(out), report.results)
    if not named.passed:
        raise FailedBuild(named)
    return named


def _refuse_repeated(datasets: Sequence[Dataset]) -> None:
    if not datasets:
        raise BadInput("datasets", "none", "at least one dataset")
    names = [dataset.definition.id for dataset in datasets]
    for name in names:
        if names.count(name) > 1:
            raise BadInput(f"dataset {name}", "the same id twice", "one definition an id", "rename one of the two")
