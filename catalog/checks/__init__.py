"""All checks of a finished archive, and the one function that makes them."""

from __future__ import annotations

from pathlib import Path

import httpx
import rasterio

from catalog.checks import consistency, files, metadata, pages, rasters, stac, styles, tables, vectors
from catalog.checks.archive import Archive, Files, FolderFiles, WebFiles
from catalog.checks.result import Check, CheckResult, Failure, ValidationReport
from pipeline.progress import Tell, silent
from schemas.errors import BadInput

__all__ = ["CHECKS", "Check", "CheckResult", "Failure", "ValidationReport", "validate"]

CHECKS: tuple[Check, ...] = (  # type: ignore[type-arg]  # each check names its own kind of subject
    *files.CHECKS,
    *stac.CHECKS,
    *rasters.CHECKS,
    *styles.CHECKS,
    *tables.CHECKS,
    *vectors.CHECKS,
    *consistency.CHECKS,
    *metadata.CHECKS,
    *pages.CHECKS,
)
_SECONDS = 30.0
# what a file says is in the file: no .aux.xml or listing of its folder is asked for, and none is written
_NO_SIDECARS = {"GDAL_PAM_ENABLED": "NO", "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR"}
_OVER_HTTP = {**_NO_SIDECARS, "GDAL_HTTP_TIMEOUT": int(_SECONDS), "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".tif"}


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
            source = WebFiles(name, client, deep=deep)
            with rasterio.Env(**_OVER_HTTP, CPL_VSIL_CURL_NON_CACHED=f"/vsicurl/{source.name}"):
                return _validate(source, schemas, tell)
    root = Path(name)
    if not root.is_dir():
        found = "a file" if root.exists() else "no such folder"
        raise BadInput(
            name, found, "the root folder of an archive, or its URL", "give the folder that holds catalog.json"
        )
    with rasterio.Env(**_NO_SIDECARS):
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
