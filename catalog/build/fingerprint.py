"""What the bytes of a product depend on, as one digest: inputs, definition, code, libraries, geoid grids."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

from pyproj import datadir

from catalog.archive import InputFile, sha256_of
from schemas.definition import Definition

_ROOT = Path(__file__).resolve().parents[2]
_PACKAGES = ("schemas", "pipeline", "catalog")
# settings of GDAL, PROJ and the calculating libraries may stand in the environment
_ENVIRONMENT = ("GDAL_", "PROJ_", "CPL_", "OGR_", "OSR_", "GLACIER_STAC_SCHEMAS")


def collection_key(
    definition: Definition,
    inputs: Sequence[InputFile] | None,
    code_version: str = "",
    *,
    figures: bool = True,
) -> str:
    """Digest of all that the files of one collection depend on.

    Parameters
    ----------
    definition : what the archive says of it, and the settings of its processing.
    inputs : the raw inputs with their checksums; None for the embedded sample, which follows from code and definition.
    code_version : as the products state it.
    figures : whether pictures are drawn.
    """
    given = (
        "embedded sample"
        if inputs is None
        else [[file.source, file.name, file.size, file.sha256] for file in sorted(inputs)]
    )
    content = {
        "definition": definition.model_dump(mode="json"),
        "inputs": given,
        "code_version": code_version,
        "figures": figures,
        "software": software_digest(),
    }
    return _digest(content)


def archive_key(collection_keys: Sequence[str]) -> str:
    """Digest of all that a whole archive depends on: its collections, in their order."""
    return _digest({"collections": list(collection_keys)})


@lru_cache(maxsize=1)
def software_digest() -> str:
    """Digest of this code, the libraries that are installed, the machine's kind and PROJ's geoid grids.

    It is taken once in a process: code that changes while it runs is not what is running.
    """
    distributions = sorted({f"{item.metadata['Name']}=={item.version}" for item in metadata.distributions()})
    return _digest(
        {
            "code": [[name, sha256_of(path)] for name, path in _code_files()],
            "distributions": distributions,
            "python": platform.python_version(),
            "machine": [platform.system(), platform.machine(), *platform.libc_ver()],
            "environment": sorted([name, value] for name, value in os.environ.items() if name.startswith(_ENVIRONMENT)),
            "grids": sorted([path.name, path.stat().st_size, sha256_of(path)] for path in _geoid_grids()),
        }
    )


def _code_files() -> Iterator[tuple[str, Path]]:
    """Every file of the packages, templates and definitions included, sorted by name."""
    paths = [_ROOT / "cli.py", *(path for package in _PACKAGES for path in (_ROOT / package).rglob("*"))]
    named = sorted((path.relative_to(_ROOT).as_posix(), path) for path in paths)
    return ((name, path) for name, path in named if path.is_file() and "__pycache__" not in name)


def _geoid_grids() -> Iterator[Path]:
    user = datadir.get_user_data_dir()  # type: ignore[attr-defined]  # public, but its types hide it
    for folder in (*datadir.get_data_dir().split(os.pathsep), user):
        yield from (path for path in Path(folder).glob("*") if path.suffix in (".tif", ".gtx") and path.is_file())


def _digest(content: dict[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
