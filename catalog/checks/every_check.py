"""All checks of a finished archive, and the one function that makes them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

import rasterio

from catalog.archive import Archive, FolderFiles, read_public_key
from catalog.checks.result import NO_ARCHIVE, Check, CheckResult, ValidationReport, look_together
from catalog.checks.signatures import signers_of
from pipeline.progress import Tell, silent
from schemas.errors import BadInput

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

# in what order they are made and listed; modules that are not named here come last
_ORDER = (
    *("files", "stac", "stac_twins", "rasters", "styles", "tables", "vectors", "consistency", "changes", "balances"),
    *("stated", "pixels", "sums", "provenance", "metadata", "records", "versions", "pages", "shown", "kinds"),
    *("addresses", "signatures"),
)
# each check names its own kind of subject
AnyCheck = Check[Any]


def written_checks() -> Iterator[AnyCheck]:
    """Every check that a module of this folder holds: to write one is to have it made."""
    folders = sys.modules[__package__].__path__
    names = {module.name for module in iter_modules(folders)} - {"every_check"}
    for name in sorted(names, key=lambda one: (_ORDER.index(one) if one in _ORDER else len(_ORDER), one)):
        module = import_module(f"{__package__}.{name}")
        own = (one for one in vars(module).values() if isinstance(one, Check))
        yield from (one for one in own if one.find.__module__ == module.__name__)


CHECKS = tuple(written_checks())
TIMEOUT_S = 30.0
# what a file says is in the file: no .aux.xml or listing of its folder is asked for, and none is written
_NO_SIDECARS = {"GDAL_PAM_ENABLED": "NO", "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR"}
_OVER_HTTP = {
    **_NO_SIDECARS,
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".tif",
    "GDAL_HTTP_MAX_RETRY": 2,
    "GDAL_HTTP_RETRY_DELAY": 1,
}


def validate(
    archive: Path | str,
    schemas: Path | None = None,
    *,
    signed_by: Path | None = None,
    deep: bool = False,
    timeout_s: float = TIMEOUT_S,
    tell: Tell = silent,
) -> ValidationReport:
    """Make every check of an archive; none of them changes anything.

    Parameters
    ----------
    archive : a folder, or the http(s) URL of an archive's root or catalog.json.
    schemas : folder of STAC extension schemas laid out by URL; GLACIER_STAC_SCHEMAS when absent.
    signed_by : file of the public key whose signature is asked for; none is when absent.
    deep : over http, also read every pixel; a folder is always read whole.
    timeout_s : how long a server may keep silent.

    Errors
    ------
    BadInput : no such folder, or a server that gives no answer, or none that tells whether a file is there.
    """
    name = str(archive)
    key = None if signed_by is None else _public_key(signed_by)
    if name.startswith(("http://", "https://")):
        import httpx  # of a folder nothing is asked over the network

        from catalog.archive import WebFiles

        limit = {"GDAL_HTTP_TIMEOUT": max(1, round(timeout_s)), "GDAL_HTTP_CONNECTTIMEOUT": max(1, round(timeout_s))}
        with httpx.Client(timeout=timeout_s, follow_redirects=True) as client:
            source = WebFiles(name, client, deep=deep)
            with rasterio.Env(**_OVER_HTTP, **limit, CPL_VSIL_CURL_NON_CACHED=f"/vsicurl/{source.name}"):
                return _validate(Archive(source, schemas, key), tell)
    root = Path(name)
    if not root.is_dir():
        in_the_way = "a file" if root.exists() else "no such folder"
        raise BadInput(
            name, in_the_way, "the root folder of an archive, or its URL", "give the folder that holds catalog.json"
        )
    with rasterio.Env(**_NO_SIDECARS):
        return _validate(Archive(FolderFiles(root), schemas, key), tell)


def _public_key(path: Path) -> Ed25519PublicKey:
    if not path.is_file():
        raise BadInput(str(path), "no such file", "a public Ed25519 key", "ask the publisher for it")
    return read_public_key(path.read_bytes(), str(path))


def _validate(seen: Archive, tell: Tell) -> ValidationReport:
    first = CHECKS[0](seen)
    if first.passed:
        made = made_together(CHECKS[1:], seen, tell)
    else:
        made = [CheckResult(check.name, check.meaning, skipped=NO_ARCHIVE) for check in CHECKS[1:]]
    return ValidationReport(seen.files.name, (first, *made), signers_of(seen))


def made_together(checks: Sequence[AnyCheck], seen: Archive, tell: Tell = silent) -> list[CheckResult]:
    """The result of each check, in their order.

    Checks of the same subjects look at each of them one after the other, so that a raster, a page or a table is read
    once for all of them, however many there are.
    """
    groups: dict[int, list[AnyCheck]] = {}
    for check in checks:
        groups.setdefault(id(check.subjects), []).append(check)
    results: dict[str, CheckResult] = {}
    for group in groups.values():
        for check in group:
            tell(f"checking {check.name}")
        results |= {result.name: result for result in look_together(group, seen)}
    return [results[check.name] for check in checks]
