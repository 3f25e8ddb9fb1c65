"""All checks of a finished archive, and the one function that makes them."""

from __future__ import annotations

from pathlib import Path

import httpx

from catalog.checks import consistency, files, pages, rasters, stac, tables
from catalog.checks.archive import Archive, Files, FolderFiles, WebFiles
from catalog.checks.result import Check, CheckResult, Failure, ValidationReport
from pipeline.progress import Tell, silent
from schemas.errors import BadInput

__all__ = ["CHECKS", "Check", "CheckResult", "Failure", "ValidationReport", "validate"]

CHECKS: tuple[Check, ...] = (  # type: ignore[type-arg]  # each check names its own kind of subject
    *files.CHECKS,
    *stac.CHECKS,
    *rasters.CHECKS,
    *tables.CHECKS,
    *consistency.CHECKS,
    *pages.CHECKS,
)
_SECONDS = 30.0


def validate(
    archive: Path | str, schemas: Path | None = None, *, deep: bool = False, tell: Tell = silent
) -> ValidationReport:
    """Make every check of an archive; none of them changes anything.

    Parameters
    ----------
    archive : a folder, or the http(s) URL of an archive's root or catalog.json.
    schemas : folder of STAC extension schemas laid out by URL; GLACIER_STAC_SCHEMAS when absent.
    deep : over http, also read every pixel; a folder is always read whole.

    Errors
    ------
    BadInput : no such folder, or a server that does not answer.
    """
    name = str(archive)
    if name.startswith(("http://", "https://")):
        with httpx.Client(timeout=_SECONDS, follow_redirects=True) as client:
            return _validate(WebFiles(name, client, deep=deep), schemas, tell)
    root = Path(name)
    if not root.is_dir():
        found = "a file" if root.exists() else "no such folder"
        raise BadInput(
            name, found, "the root folder of an archive, or its URL", "give the folder that holds catalog.json"
        )
    return _validate(FolderFiles(root), schemas, tell)


def _validate(source: Files, schemas: Path | None, tell: Tell) -> ValidationReport:
    seen = Archive(source, schemas)
    first = files.is_archive(seen)
    results = [first]
    for check in CHECKS[1:]:
        if first.passed:
            tell(f"checking {check.name}")
            results.append(check(seen))
        else:
            results.append(CheckResult(check.name, check.meaning, skipped="this is no archive"))
    return ValidationReport(source.name, tuple(results))
