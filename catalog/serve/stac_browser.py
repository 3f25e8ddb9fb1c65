"""The real STAC Browser for an archive: built once from its published source, kept in the user's cache, used offline.

Nothing of it is part of this repository: the source comes from npm with its checksum, its dependencies as the lock
file beside this module pins them, and no install script of any of them is run.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from catalog.archive import CATALOG_JSON, INDEX_HTML, ListedFile, list_files, misfit
from catalog.build import default_cache_folder
from pipeline.progress import Tell, silent
from schemas.errors import BadInput
from schemas.inside import lies_inside

PACKAGE = "@radiantearth/stac-browser"
VERSION = "4.0.1"
OL_STAC_VERSION = "1.1.0"
_SOURCE_SHA512 = "Nu3pZzkJXfaS8JpsY1SjABMgr8W9swNmVa8RJoRetuDeMQ1+YibBRluC7G9ugzE/QECHD/9n3/8W/Ksz+UAC7w=="
_OLDEST_NODE = (20, 19)
# beside this module: the pinned dependencies, a list of no basemaps, the texts in Chinese
_LOCK, _BASEMAPS, _CHINESE = "package-lock.json", "basemaps.config.js", "zh"
_RECIPE = Path(__file__).parent / "stac_browser_build"
_FORMAT = "1"
CONFIG_JS = "config.js"
CACHE_VARIABLE = "GLACIER_BROWSER_CACHE"
_SITE, _FILES_JSON = "site", "files.json"
_BUILD = ("vue-cli-service", "build", "--noSourceMaps", "--historyMode=hash", "--pathPrefix=./")
# the page's own settings script, which the source carries as a comment, and no request for a missing icon
_CONFIG_COMMENT = '<!-- <script defer="defer" src="/config.js"></script> -->'
_CONFIG_SCRIPT = '<script defer="defer" src="./config.js"></script>\n    <link rel="icon" href="data:,">'
# OpenLayers makes the tiles of an overview as high as its columns and rows differ in size: by a fraction of a pixel
# where an odd size was halved, and then reprojection puts them in the wrong place, as stripes
_TILES_JS = "node_modules/ol/source/GeoTIFF.js"
_TILE_HEIGHT = "sourceTileSize[1] / aspectRatio,"
_WHOLE_TILE_HEIGHT = "Math.abs(aspectRatio - 1) < 0.01 ? sourceTileSize[1] : sourceTileSize[1] / aspectRatio,"


def built_browser(cache: Path | None = None, tell: Tell = silent) -> Path:
    """The folder of the built browser, from the cache or built there now; needs npm and a network the first time.

    The cache entry is named by what the build depends on. It is compared with its checksums each time: a damaged one
    is built again. Two processes at once build it once.

    Arguments
    ---------
    cache : folder of the cache; when absent ``default_browser_cache``.

    Errors
    ------
    BadInput : no npm or Node.js, or too old a one; npm or the build failed; the source is not the one expected.
    """
    folder = cache or default_browser_cache()
    entry = folder / _key()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder / f"{entry.name}.lock", tell):
            if not _is_whole(entry):
                _build_into(entry, tell)
    except OSError as error:
        raise BadInput(
            str(folder),
            error.strerror or str(error),
            "a folder to keep the built STAC Browser in",
            f"set {CACHE_VARIABLE} to a folder that can be written",
        ) from None
    return entry / _SITE


def default_browser_cache() -> Path:
    """Where built browsers are kept: ``GLACIER_BROWSER_CACHE``, or ``stac-browser`` in the cache of builds."""
    own = os.environ.get(CACHE_VARIABLE)
    return Path(own) if own else default_cache_folder() / "stac-browser"


def configuration(root: Path) -> str:
    """The browser's ``config.js`` for one archive.

    The catalogue's address is taken in the reader's browser from the address of this very script, one folder above it,
    so that it is absolute and right under any host name, port or prefix.

    Errors
    ------
    BadInput : a JSON document of the catalogue cannot be read, or names an unknown coordinate system.
    """
    settings: dict[str, Any] = {
        "catalogTitle": _read_json(root / CATALOG_JSON).get("title") or root.name,
        "allowExternalAccess": False,
        "displayGeoTiffByDefault": True,
        "crs": {code: _definition(code) for code in projections(root)},
        "supportedLocales": ["en", "zh"],
        "locale": "en",
        "fallbackLocale": "en",
        "socialSharing": [],
    }
    text = json.dumps(settings, ensure_ascii=True, indent=2)
    address = f'new URL("../{CATALOG_JSON}", document.currentScript.src).href'
    return f"window.STAC_BROWSER_CONFIG = Object.assign({text}, {{ catalogUrl: {address} }});\n"


def projections(root: Path) -> tuple[str, ...]:
    """The coordinate systems (``proj:code``) of an archive's items, sorted.

    A collection's summary answers for its items; only without one are they read.
    """
    return tuple(sorted(_codes_below(root.resolve(), root.resolve() / CATALOG_JSON, set())))


def _codes_below(root: Path, path: Path, seen: set[Path]) -> set[str]:
    if path in seen or not lies_inside(path, root) or not os.path.isfile(path):
        return set()  # a broken link is for `validate` to say
    seen.add(path)
    document = _read_json(path)
    if place := misfit(path.relative_to(root).as_posix(), document):
        raise BadInput(str(path), place, "a JSON document of STAC", "`validate` tells what is wrong")
    codes = _codes_of(document)
    hrefs = _hrefs_of(document, ("child",) if codes else ("child", "item"))
    try:
        places = [(path.parent / href).resolve() for href in hrefs]
    except (OSError, ValueError) as error:  # of a name that is too long, or with a null character
        raise BadInput(str(path), f"a link that leads nowhere ({error})", "links within the archive") from None
    return codes.union(*(_codes_below(root, place, seen) for place in places))


def _hrefs_of(document: dict[str, Any], wanted: tuple[str, ...]) -> list[str]:
    """Relative addresses of the documents that links of the wanted kinds lead to."""
    links = (link for link in document.get("links", []) if link.get("rel") in wanted)
    return [href for link in links if "://" not in (href := str(link.get("href", "")))]


def _codes_of(document: dict[str, Any]) -> set[str]:
    """The codes that one STAC object names: its own, its summary's, its assets'."""
    named = [document.get("properties", {}).get("proj:code")]
    summary = document.get("summaries", {}).get("proj:code")
    named += summary if isinstance(summary, list) else []
    named += [asset.get("proj:code") for asset in document.get("assets", {}).values()]
    return {code for code in named if isinstance(code, str) and code}


def _definition(code: str) -> str:
    """A coordinate system as WKT 1, the form that proj4js reads."""
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        return CRS.from_user_input(code).to_wkt("WKT1_GDAL")
    except CRSError:
        raise BadInput("proj:code", repr(code), "a coordinate system that PROJ knows as WKT 1") from None


def _read_json(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(str(path), f"{type(error).__name__}: {error}", "a JSON document of STAC") from None
    if not isinstance(document, dict):
        raise BadInput(str(path), f"a JSON {type(document).__name__}", "a JSON object of STAC")
    return document


def _key() -> str:
    """Names the cache entry by everything that a build depends on."""
    digest = hashlib.sha256()
    named = (_FORMAT, PACKAGE, VERSION, OL_STAC_VERSION, _SOURCE_SHA512, *_BUILD, _CONFIG_SCRIPT, _WHOLE_TILE_HEIGHT)
    for part in named:
        digest.update(part.encode() + b"\0")
    for file in list_files(_RECIPE):
        digest.update(f"{file.path}\0{file.sha256}\0".encode())
    return f"{VERSION}-{digest.hexdigest()[:16]}"


@contextmanager
def _locked(path: Path, tell: Tell) -> Iterator[None]:
    """Hold a lock that the kernel releases with the process; waits for another holder."""
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell("another process is building STAC Browser; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _is_whole(entry: Path) -> bool:
    """Whether the entry holds exactly the files that were built, by size and checksum."""
    try:
        listed = json.loads((entry / _FILES_JSON).read_bytes())
        expected = tuple(ListedFile(**file) for file in listed)
    except (OSError, ValueError, TypeError):
        return False
    return len(expected) > 0 and list_files(entry / _SITE) == expected


def _build_into(entry: Path, tell: Tell) -> None:
    """Build beside the entry and move the finished site into its place by one rename."""
    npm = _require_npm()
    for abandoned in entry.parent.glob("building-*"):  # the lock is held: nobody else is building
        shutil.rmtree(abandoned, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="building-", dir=entry.parent, ignore_cleanup_errors=True) as scratch:
        source = _fetch_source(npm, Path(scratch), tell)
        _prepare(source)
        tell("installing the build tools of STAC Browser (about 400 MB, removed afterwards)")
        _run([npm, "ci", "--include=dev", "--ignore-scripts", "--no-audit", "--no-fund"], source)
        _keep_tiles_whole(source / _TILES_JS)
        tell("building STAC Browser (one to three minutes, this once)")
        _run([npm, "exec", "--offline", "--", *_BUILD], source)
        finished = Path(scratch) / "finished"
        finished.mkdir()
        (source / "dist" / CONFIG_JS).unlink(missing_ok=True)  # each archive has its own
        (source / "dist").rename(finished / _SITE)
        files = [vars(file) for file in list_files(finished / _SITE)]
        (finished / _FILES_JSON).write_text(json.dumps(files, indent=1), encoding="utf-8")
        if entry.exists():
            entry.rename(Path(scratch) / "damaged")
        finished.rename(entry)


def _require_npm() -> str:
    """The path of npm, after a look at the version of Node.js."""
    remedy = "install Node.js (https://nodejs.org; Debian: apt-get install nodejs npm), or serve without --browser"
    expected = f"Node.js {'.'.join(map(str, _OLDEST_NODE))} or newer with npm, to build STAC Browser once"
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        raise BadInput("serve --browser", f"no {'npm' if npm is None else 'node'} on the PATH", expected, remedy)
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    version = re.match(r"v(\d+)\.(\d+)", answer)
    if version is None or (int(version[1]), int(version[2])) < _OLDEST_NODE:
        raise BadInput("serve --browser", f"Node.js {answer or 'of unknown version'}", expected, remedy)
    return npm


def _fetch_source(npm: str, scratch: Path, tell: Tell) -> Path:
    """Fetch and unpack the published source, proved by its checksum."""
    tell(f"fetching the source of STAC Browser {VERSION}")
    _run([npm, "pack", "--silent", f"{PACKAGE}@{VERSION}"], scratch)
    packed = next(scratch.glob("*.tgz"), None)
    if packed is None:
        raise BadInput(f"{PACKAGE}@{VERSION}", "no package from npm", "its published source")
    sha512 = base64.b64encode(hashlib.sha512(packed.read_bytes()).digest()).decode()
    if sha512 != _SOURCE_SHA512:
        raise BadInput(
            f"{PACKAGE}@{VERSION}",
            f"sha512 {sha512[:16]}...",
            f"sha512 {_SOURCE_SHA512[:16]}...",
            "npm's registry setting leads to another package: check `npm config get registry`",
        )
    with tarfile.open(packed) as archive:
        archive.extractall(scratch, filter="data")
    return scratch / "package"


def _prepare(source: Path) -> None:
    """Put our settings into the source: pinned dependencies, no basemap, run-time settings, Chinese texts."""
    package = json.loads((source / "package.json").read_text(encoding="utf-8"))
    package["dependencies"]["ol-stac"] = OL_STAC_VERSION
    (source / "package.json").write_text(json.dumps(package), encoding="utf-8")
    for name in (_LOCK, _BASEMAPS):
        shutil.copyfile(_RECIPE / name, source / name)
    page = source / "public" / INDEX_HTML
    text = page.read_text(encoding="utf-8")
    if _CONFIG_COMMENT not in text:
        raise BadInput(str(page), "no place for the settings", "the commented line that loads config.js")
    page.write_text(text.replace(_CONFIG_COMMENT, _CONFIG_SCRIPT), encoding="utf-8")
    shutil.copytree(_RECIPE / _CHINESE, source / "src" / "locales" / _CHINESE)


def _keep_tiles_whole(script: Path) -> None:
    """Let rasters of odd sizes, as data have them, come out in their place."""
    text = script.read_text(encoding="utf-8") if script.is_file() else ""
    if text.count(_TILE_HEIGHT) != 1:
        raise BadInput(str(script), "no place where the height of a tile is set", f"the one line {_TILE_HEIGHT!r}")
    script.write_text(text.replace(_TILE_HEIGHT, _WHOLE_TILE_HEIGHT), encoding="utf-8")


def _run(command: list[str], folder: Path) -> None:
    """Run one step of the build; what it says is shown only where it fails."""
    # SB_* variables would change the browser's settings, NODE_ENV what npm installs
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SB_") and name != "NODE_ENV"}
    done = subprocess.run(
        command,
        cwd=folder,
        env={**kept, "NO_UPDATE_NOTIFIER": "1", "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode == 0:
        return
    said = [line.strip() for line in (done.stderr + done.stdout).splitlines() if "error" in line.lower()]
    raise BadInput(
        f"building STAC Browser: npm {command[1]}",
        f"exit code {done.returncode} ({' | '.join(said[:3])[:300] or 'nothing said'})",
        "a successful build",
        "the first build needs a network and npm's registry; try again, or serve without --browser",
    )
