"""What a build published, in numbers and words that need no library to be shown."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.reports import Row
from schemas.errors import FailedCheck

if TYPE_CHECKING:
    from catalog.checks import ValidationReport


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


@dataclass(frozen=True, kw_only=True)
class PublishedCollection:
    """A collection of the archive.

    Attributes
    ----------
    collection_id, title : its id and English title.
    synthetic : whether it comes from the embedded sample.
    items : ids.
    summary : its part of ``build --json``.
    rows, rows_cn : quantity, value and note, for people, in English and in Chinese.
    title_cn : its Chinese title, where it has one.
    """

    collection_id: str
    title: str
    synthetic: bool
    items: tuple[str, ...]
    summary: dict[str, Any]
    rows: tuple[Row, ...]
    rows_cn: tuple[Row, ...] = ()
    title_cn: str = ""

    def told(self, language: str) -> tuple[str, tuple[Row, ...]]:
        """Heading and rows in a language, ``en`` or ``zh``; in English where it has no other."""
        chinese = language == "zh"
        mark = "（合成样本）" if chinese else " (synthetic sample)"
        title = self.title_cn if chinese and self.title_cn else self.title
        return title + (mark if self.synthetic else ""), self.rows_cn if chinese and self.rows_cn else self.rows


@dataclass(frozen=True, kw_only=True)
class BuildReport:
    """What was published.

    Attributes
    ----------
    folder : the archive.
    collections : in the order of the catalogue.
    files, size : number of files and bytes, the manifest left out.
    checks : names of the checks that were made and passed.
    not_checked : names of those among them that could not be made in full.
    reused : ids of the collections that were taken from the cache.
    """

    folder: Path
    collections: tuple[PublishedCollection, ...]
    files: int
    size: int
    checks: tuple[str, ...]
    not_checked: tuple[str, ...]
    reused: tuple[str, ...] = ()

    @property
    def items(self) -> dict[str, tuple[str, ...]]:
        """The items of each collection, by its id."""
        return {collection.collection_id: collection.items for collection in self.collections}

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "archive": str(self.folder),
            "collections": {name: list(items) for name, items in self.items.items()},
            "files": self.files,
            "bytes": self.size,
            "checks": len(self.checks),
            "not_checked": list(self.not_checked),
            "reused": list(self.reused),
            "datasets": {collection.collection_id: collection.summary for collection in self.collections},
        }


def report_to_json(report: BuildReport) -> dict[str, Any]:
    """All of it but the folder, as plain JSON values."""
    return {name: value for name, value in asdict(report).items() if name != "folder"}


def report_from_json(folder: Path, plain: dict[str, Any]) -> BuildReport:
    """What ``report_to_json`` made, read back; everything in it comes from the cache now."""
    collections = tuple(
        PublishedCollection(
            **{
                **part,
                "items": tuple(part["items"]),
                **{name: tuple((a, b, c) for a, b, c in part[name]) for name in ("rows", "rows_cn")},
            }
        )
        for part in plain["collections"]
    )
    reused = tuple(collection.collection_id for collection in collections)
    lists = {name: tuple(plain[name]) for name in ("checks", "not_checked")}
    return BuildReport(
        folder=folder, collections=collections, files=plain["files"], size=plain["size"], reused=reused, **lists
    )
