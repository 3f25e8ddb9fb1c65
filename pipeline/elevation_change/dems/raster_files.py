"""Which raster files a DEM consists of: single files, folders of tiles, and archives that are read where they lie."""

from __future__ import annotations

import gzip
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pipeline.inputs.gdal_inputs import require_local_mosaic
from pipeline.inputs.zip_archives import ZIP_DAMAGE, headers_agree, opened_zip, stays_inside
from schemas.errors import BadInput
from schemas.input_files import require_plain_file

RASTER_SUFFIXES = (".tif", ".tiff", ".hgt", ".vrt", ".img", ".asc", ".dem", ".bil", ".flt", ".dt1", ".dt2", ".jp2")
PACKED_SUFFIXES = (".zip", ".hgt.gz", ".tif.gz")
# what Copernicus DEM archives carry beside the heights: editing, filling, height error, water and accuracy masks
_COMPANION = re.compile(r"_(EDM|FLM|HEM|WBM|ACM)\.tif$", re.I)
# N43E086_FABDEM_V1-2.tif and Copernicus_DSM_COG_10_N43_00_E086_00_DEM.tif
_CORNER = re.compile(r"^(?:Copernicus_DSM_(?:COG_)?[13]0_)?([NS]\d\d)(?:_00_)?([EW]\d{3})(?:_FABDEM|_00_DEM)", re.I)
# SRTM V3 as the USGS names its GeoTIFFs: n43_e086_3arc_v2.tif
_USGS_SRTM = re.compile(r"^[ns]\d\d_[ew]\d{3}_[13]arc_v\d")
_UNPACKED_AT_ONCE = 1 << 20
# of one archived raster: a one-degree tile at 30 m has 52 MB, at 10 m 470 MB
MOST_UNPACKED_BYTES = 4_000_000_000
_A_RASTER = "a raster file or a folder of tiles"
EGM96, EGM2008 = "EPSG:5773", "EPSG:3855"


@dataclass(frozen=True)
class RasterFile:
    """One raster: the file of the user's, what GDAL opens for it, and the name it is known by.

    Attributes
    ----------
    path : the file, or the archive that holds it.
    source : GDAL's name of it, absolute, so that another process finds it.
    name : of the raster itself; within an archive, that of the member.
    member : path within a zip archive; else empty.
    """

    path: Path
    source: str
    name: str
    member: str = ""

    @property
    def where(self) -> str:
        """How errors name it."""
        return f"{self.path}: {self.member}" if self.member else str(self.path)

    @property
    def is_packed(self) -> bool:
        return self.source.startswith("/vsi")


def find_rasters(source: Path | Sequence[Path], role: str) -> tuple[RasterFile, ...]:
    """The rasters meant by a path, a folder of tiles, an archive, or a list of them, sorted by name.

    Nothing is unpacked: members of ``.zip`` and ``.gz`` files are named so that GDAL reads them in place.

    Parameters
    ----------
    source : a raster, a folder of them, a ``.zip`` or ``.gz``, a ``.vrt``, or several of these.
    role : "earlier" or "later", as errors name the DEM.

    Errors
    ------
    BadInput : no such file; a folder or archive without rasters; a corrupt archive; a VRT beside the tiles it joins.
    """
    sources = [source] if isinstance(source, Path) else list(source)
    by_source: dict[str, RasterFile] = {}
    for path in sources:
        if path.is_dir():
            rasters = _in_folder(path)
        elif path.exists():
            rasters = _in_file(path)
        else:
            raise BadInput(str(path), f"no such file for the {role} DEM", _A_RASTER)
        by_source.update((raster.source, raster) for raster in rasters)
    return tuple(sorted(by_source.values(), key=lambda raster: (raster.name, raster.source)))


def _in_folder(folder: Path) -> list[RasterFile]:
    names = (*RASTER_SUFFIXES, *PACKED_SUFFIXES)
    inside = sorted(
        child for child in folder.iterdir() if child.name.lower().endswith(names) and not _COMPANION.search(child.name)
    )
    if not inside:
        raise BadInput(str(folder), "no raster tile in the folder", f"files ending in {', '.join(names)}")
    mosaics = [child.name for child in inside if child.suffix.lower() == ".vrt"]
    if mosaics and len(mosaics) < len(inside):
        raise BadInput(
            str(folder), f"{mosaics[0]} beside the tiles it may join", "either a VRT or tiles",
            f"name {mosaics[0]} itself, or move it elsewhere",
        )  # fmt: skip
    return [raster for child in inside for raster in _in_file(child)]


def _in_file(path: Path) -> list[RasterFile]:
    absolute = path.absolute()
    require_plain_file(path, str(path), _A_RASTER)
    if path.suffix.lower() == ".vrt":
        require_local_mosaic(path)
    if path.suffix.lower() == ".zip":
        return [
            RasterFile(path, f"/vsizip/{{{absolute}}}/{member}", PurePosixPath(member).name, member)
            for member in _members(path)
        ]
    if path.suffix.lower() == ".gz":
        return [RasterFile(path, f"/vsigzip/{absolute}", path.name)]
    return [RasterFile(path, str(absolute), path.name)]


def _members(archive: Path) -> list[str]:
    """Names of the rasters within a zip file.

    Errors
    ------
    BadInput : not a zip file, cut off, encrypted, empty, or without rasters; one that is huge when unpacked, leads out
        of the archive, or only joins other files.
    """
    try:
        with opened_zip(archive, str(archive)) as opened:
            entries = [entry for entry in opened.infolist() if not entry.is_dir()]
    except ZIP_DAMAGE as error:
        damage = " ".join(str(error).split()) or type(error).__name__
        raise BadInput(str(archive), damage, "a complete zip archive", "fetch the file again") from None
    rasters = [
        entry
        for entry in entries
        if entry.filename.lower().endswith(RASTER_SUFFIXES)
        and not PurePosixPath(entry.filename).name.startswith(".")
        and not _COMPANION.search(entry.filename)
    ]
    if not rasters:
        contents = f"no raster among its {len(entries)} files" if entries else "an empty archive"
        raise BadInput(str(archive), contents, f"members ending in {', '.join(RASTER_SUFFIXES)}")
    if any(entry.flag_bits & 1 for entry in rasters):
        raise BadInput(str(archive), "an encrypted archive", "one without a password", "unpack it first")
    for entry in rasters:
        where = f"{archive}: {entry.filename!r}"
        if not stays_inside(entry.filename) or entry.filename.lower().endswith(".vrt"):
            raise BadInput(where, "a name that leads elsewhere", "rasters within the archive", "unpack it first")
        if entry.file_size > MOST_UNPACKED_BYTES:
            size = f"{entry.file_size} bytes when unpacked"
            raise BadInput(where, size, f"a raster of at most {MOST_UNPACKED_BYTES} bytes", "unpack it first")
        if not headers_agree(archive, entry):
            raise BadInput(where, "a member described in two ways", "a complete zip archive", "fetch the file again")
    return sorted(entry.filename for entry in rasters)


def require_intact(raster: RasterFile) -> None:
    """Unpack an archived raster once, keeping nothing, so that its checksum is compared: GDAL does not do so.

    Parameters
    ----------
    raster : what is packed; of a plain file nothing is asked.

    Errors
    ------
    BadInput : cut off, other bytes than its checksum says, or more than ``MOST_UNPACKED_BYTES``.
    """
    try:
        if raster.member:
            with opened_zip(raster.path, str(raster.path)) as archive, archive.open(raster.member) as packed:
                while packed.read(_UNPACKED_AT_ONCE):
                    pass
        elif raster.is_packed:
            _unpack_alone(raster)
    except ZIP_DAMAGE as error:
        damage = f"a damaged archive ({' '.join(str(error).split())})"
        raise BadInput(raster.where, damage, "a complete archive", "fetch the file again") from None


def _unpack_alone(raster: RasterFile) -> None:
    # unlike a zip archive, a .gz file does not bind itself to a size
    unpacked = 0
    with gzip.open(raster.path) as packed:
        while piece := packed.read(_UNPACKED_AT_ONCE):
            unpacked += len(piece)
            if unpacked > MOST_UNPACKED_BYTES:
                size = f"more than {unpacked} bytes when unpacked"
                raise BadInput(
                    raster.where, size, f"a raster of at most {MOST_UNPACKED_BYTES} bytes", "unpack it first"
                )


def _product(raster: RasterFile) -> str | None:
    """The global DEM that a name tells of; the raster's own name counts before that of the archive it lies in."""
    for name in (raster.name.lower(), raster.path.name.lower()):
        if "fabdem" in name or name.startswith("copernicus_dsm"):
            return "copernicus"
        if "srtm" in name or _USGS_SRTM.match(name) or name.endswith((".hgt", ".hgt.gz", ".hgt.zip")):
            return "srtm"
    return None


def datum_by_name(raster: RasterFile) -> str | None:
    """Vertical datum that a product's name implies: SRTM stands on EGM96, Copernicus and FABDEM on EGM2008.

    Parameters
    ----------
    raster : its own name counts before that of its archive.

    Returns
    -------
    EPSG:5773 (EGM96), EPSG:3855 (EGM2008), or None for a name that tells nothing.
    """
    return {"srtm": EGM96, "copernicus": EGM2008}.get(_product(raster) or "")


def acquired_by_name(raster: RasterFile) -> tuple[int, int] | None:
    """(first, last) year in which a product's scenes were acquired: SRTM in 2000, TanDEM-X from 2010 to 2015.

    Parameters
    ----------
    raster : its own name counts before that of its archive.
    """
    return {"srtm": (2000, 2000), "copernicus": (2010, 2015)}.get(_product(raster) or "")


def corner_by_name(name: str) -> tuple[int, int] | None:
    """(longitude, latitude) of the south-west corner in the name of a FABDEM or Copernicus tile, else None; degrees.

    Parameters
    ----------
    name : of the file.

    Example
    -------
    >>> corner_by_name("N43E086_FABDEM_V1-2.tif")
    (86, 43)
    """
    match = _CORNER.match(name)
    if match is None:
        return None
    latitude, longitude = (int(part[1:]) * (-1 if part[0].upper() in "SW" else 1) for part in match.groups())
    return longitude, latitude
