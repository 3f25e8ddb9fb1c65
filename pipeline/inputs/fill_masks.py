"""The masks beside a tile of a global DEM that tell which of its pixels were filled from other data.

SRTM and NASADEM keep them as ``.num``, Copernicus DEM as ``_FLM``, ASTER GDEM as ``_num``.
"""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pipeline.inputs.zip_archives import ZIP_DAMAGE, opened_zip

_TILE = re.compile(r"^([ns]\d{2}[ew]\d{3})(?:\.srtmgl[13]s?)?\.hgt(?:\.zip|\.gz)?$", re.I)
_COPERNICUS = re.compile(r"^(Copernicus_DSM_.*)_DEM\.(tif|dt[12])$", re.I)
_ASTER = re.compile(r"^(ASTGTM.*)_dem\.tif$", re.I)
# where Copernicus keeps its masks, beside DEM/ or within the folder of the tile
_AUXILIARY = "auxfiles"
MOST_MASK_BYTES = 400_000_000


@dataclass(frozen=True)
class FillMask:
    """A mask: the file or archive that holds it, and its member there (empty for a file)."""

    path: Path
    member: str = ""

    @property
    def name(self) -> str:
        """Its own name."""
        return PurePosixPath(self.member).name if self.member else self.path.name

    @property
    def is_raster(self) -> bool:
        """Whether GDAL reads it; else it holds a byte for each pixel, row by row."""
        return not self.name.lower().endswith(".num")

    def content(self) -> bytes:
        """Its bytes.

        Errors
        ------
        those of ``ZIP_DAMAGE`` : a damaged archive, or a file that cannot be read.
        """
        if not self.member:
            return self.path.read_bytes()
        with opened_zip(self.path, str(self.path)) as archive:
            entry = archive.getinfo(self.member)
            if entry.file_size > MOST_MASK_BYTES:
                raise zipfile.BadZipFile(f"{self.member} has {entry.file_size} bytes")
            return archive.read(entry)


def fill_mask_of(path: Path, name: str, member: str = "") -> FillMask | None:
    """The mask that belongs to a tile; None where there is none.

    Parameters
    ----------
    path : of the tile's file, or of the archive that holds it.
    name : of the tile itself.
    member : its path within the archive; empty for a file.
    """
    wanted = _names(name)
    if wanted is None:
        return None
    if member:
        inside = _member(path, wanted, near=PurePosixPath(member).parent)
        if inside is not None:
            return inside
    for folder in _folders(path.parent):
        for child in sorted(folder.iterdir()):
            own = child.name.lower()
            if wanted.fullmatch(own) and child.is_file():
                return FillMask(child)
            if own.endswith(".num.zip") and wanted.fullmatch(own.removesuffix(".zip")) and child.is_file():
                return _member(child, wanted, near=None)
    return None


def _names(name: str) -> re.Pattern[str] | None:
    tile, copernicus, aster = _TILE.match(name), _COPERNICUS.match(name), _ASTER.match(name)
    if tile:
        return re.compile(rf"{re.escape(tile[1].lower())}(\.srtmgl[13]n?)?\.num")
    if copernicus:
        return re.compile(rf"{re.escape(copernicus[1].lower())}_flm\.tif")
    return re.compile(rf"{re.escape(aster[1].lower())}_num\.tif") if aster else None


def _folders(beside: Path) -> list[Path]:
    """Where masks of tiles in a folder lie: there, and in AUXFILES within it or beside it."""
    children = [*beside.iterdir(), *(beside.parent.iterdir() if beside.name.upper() == "DEM" else ())]
    return [beside, *sorted(child for child in children if child.name.lower() == _AUXILIARY and child.is_dir())]


def _member(archive: Path, wanted: re.Pattern[str], near: PurePosixPath | None) -> FillMask | None:
    try:
        with opened_zip(archive, str(archive)) as opened:
            names = [name for name in opened.namelist() if wanted.fullmatch(PurePosixPath(name).name.lower())]
    except ZIP_DAMAGE:
        return None
    own = [name for name in names if near is None or _belongs(PurePosixPath(name).parent, near)]
    return FillMask(archive, own[0]) if own else None


def _belongs(folder: PurePosixPath, near: PurePosixPath) -> bool:
    return folder == near or (folder.name.lower() == _AUXILIARY and folder.parent in (near, near.parent))
