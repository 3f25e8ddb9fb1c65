"""Which raster files a DEM consists of: single files, folders of tiles, and archives that are read where they lie."""

from __future__ import annotations

import gzip
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NoReturn

from pipeline.elevation_change.dems.products import COMPANION, COMPANION_FOLDERS, Product, product_of
from pipeline.inputs.beside_rasters import HEAD_BYTES, MOST_NOTES_BYTES, is_opened_beside, require_harmless_beside
from pipeline.inputs.gdal_inputs import require_local_mosaic
from pipeline.inputs.sidecars import RASTER_SUFFIXES
from pipeline.inputs.zip_archives import ZIP_DAMAGE, headers_agree, opened_zip, stays_inside
from schemas.errors import BadInput
from schemas.input_files import refuse_web_address, require_plain_file

PACKED_SUFFIXES = (".zip", ".hgt.gz", ".tif.gz")
_UNPACKED_AT_ONCE = 1 << 20
# of one archived raster: a one-degree tile at 30 m has 52 MB, at 10 m 470 MB
MOST_UNPACKED_BYTES = 4_000_000_000
_A_RASTER = "a raster file or a folder of tiles"
_WANTED = (*RASTER_SUFFIXES, *PACKED_SUFFIXES)
# formats that are not read, by suffix: what they are, and how GDAL names the raster in them
_OTHER_FORMATS = {
    ".nc": ("netCDF", 'NETCDF:"{name}":VARIABLE'),
    ".nc4": ("netCDF", 'NETCDF:"{name}":VARIABLE'),
    ".cdf": ("netCDF", 'NETCDF:"{name}":VARIABLE'),
    ".h5": ("HDF5", 'HDF5:"{name}"://DATASET'),
    ".hdf5": ("HDF5", 'HDF5:"{name}"://DATASET'),
    ".he5": ("HDF5", 'HDF5:"{name}"://DATASET'),
    ".hdf": ("HDF", "SUBDATASET (gdalinfo {name} lists them)"),
    ".grb": ("GRIB", "{name}"),
    ".grib": ("GRIB", "{name}"),
    ".sdat": ("SAGA", "{name}"),
    ".sgrd": ("SAGA", "{stem}.sdat"),
    ".sg-grd-z": ("SAGA", "{name}"),
    ".xyz": ("XYZ", "{name}"),
    ".grd": ("Surfer, GMT or Idrisi grid", "{name}"),
    ".rst": ("Idrisi", "{name}"),
    ".ers": ("ERMapper", "{name}"),
    ".ter": ("Terragen", "{name}"),
    ".map": ("PCRaster", "{name}"),
    ".kea": ("KEA", "{name}"),
    ".zarr": ("Zarr", "ZARR:{name}:/VARIABLE"),
    ".mbtiles": ("MBTiles", "{name}"),
    ".pix": ("PCIDSK", "{name}"),
    ".gpkg": ("GeoPackage", "{name}"),
}
# archives that are not looked into
_OTHER_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".7z", ".rar", ".bz2", ".xz", ".zst")
_XYZ_LINE = re.compile(rb"[ \t]*[-+.\deE]+(?:[ \t,;]+[-+.\deE]+){2}[ \t]*\r?$")


class NoRaster(BadInput):
    """An archive that holds something else than rasters."""


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
        refuse_web_address(path)
        if path.suffix.lower() == ".zarr":
            _refuse_other_format(path)
        if path.is_dir():
            rasters = _in_folder(path)
        elif path.exists():
            rasters = _in_file(path)
        else:
            raise BadInput(str(path), f"no such file for the {role} DEM", _A_RASTER)
        by_source.update((raster.source, raster) for raster in rasters)
    return tuple(sorted(by_source.values(), key=lambda raster: (raster.name, raster.source)))


def _in_folder(folder: Path) -> list[RasterFile]:
    inside = _candidates(folder)
    if not inside:
        _refuse_folder(folder)
    mosaics = [child.name for child in inside if child.suffix.lower() == ".vrt"]
    if mosaics and len(mosaics) < len(inside):
        raise BadInput(
            str(folder), f"{mosaics[0]} beside the tiles it may join", "either a VRT or tiles",
            f"name {mosaics[0]} itself, or move it elsewhere",
        )  # fmt: skip
    rasters: list[RasterFile] = []
    empty: list[NoRaster] = []
    for child in inside:
        try:
            rasters += _in_file(child)
        except NoRaster as error:  # outlines, masks or papers, packed
            empty.append(error)
    if not rasters:
        raise empty[0]
    return rasters


def _candidates(folder: Path) -> list[Path]:
    """Rasters and archives in a folder; where it has none, in the folders within it, as products come in."""
    children = sorted(folder.iterdir())
    inside = [
        child
        for child in children
        if child.name.lower().endswith(_WANTED)
        and not child.name.startswith(".")
        and not COMPANION.search(child.name)
        and not child.is_dir()
    ]
    if inside:
        return inside
    deeper = (child for child in children if child.is_dir() and not child.is_symlink())
    return [
        path
        for child in deeper
        if child.name.lower() not in COMPANION_FOLDERS and not child.name.startswith(".")
        for path in _candidates(child)
    ]


def _refuse_folder(folder: Path) -> NoReturn:
    for child in sorted(folder.iterdir()):
        if child.suffix.lower() in _OTHER_FORMATS:
            _refuse_other_format(child)
        if child.name.lower().endswith(_OTHER_ARCHIVES):
            raise BadInput(str(child), "a packed archive", "rasters, or .zip files of them", "unpack it first")
    raise BadInput(str(folder), "no raster tile in the folder", f"files ending in {', '.join(_WANTED)}")


def _refuse_other_format(path: Path) -> NoReturn:
    """Name a format that is not read, and the command that makes a GeoTIFF of it."""
    kind, source = _OTHER_FORMATS[path.suffix.lower()]
    refuse_format(path, kind, source.format(name=path, stem=path.with_suffix("")))


def refuse_format(path: Path, kind: str, source: str) -> NoReturn:
    """Refuse a raster of a format that is not read.

    Parameters
    ----------
    path : of the file.
    kind : what the format is called.
    source : how GDAL names the raster in it.

    Errors
    ------
    BadInput : always; with the command that makes a GeoTIFF of it.
    """
    target = path.with_suffix(".tif").name
    stated = "" if kind != "XYZ" else " -a_srs EPSG:CODE"
    raise BadInput(
        str(path), f"a {kind} file", "a GeoTIFF or another raster of one band",
        f"convert it: gdal_translate -of GTiff{stated} {source} {target}",
    )  # fmt: skip


def other_format(path: Path) -> tuple[str, str] | None:
    """What a file that GDAL may not open here is by its first bytes: its kind, and how GDAL names the raster in it.

    Parameters
    ----------
    path : of the file.

    Returns
    -------
    None where the bytes tell nothing.
    """
    with path.open("rb") as file:
        head = file.read(4096)
    if head.startswith(b"CDF"):
        return "netCDF", f'NETCDF:"{path}":VARIABLE'
    if head.startswith(b"\x89HDF\r\n"):
        return "netCDF or HDF5", f'NETCDF:"{path}":VARIABLE'
    if head.startswith((b"DSAA", b"DSBB", b"DSRB")):
        return "Surfer grid", str(path)
    if head.startswith(b"GRIB"):
        return "GRIB", str(path)
    lines = [line for line in head.splitlines()[:-1] or head.splitlines() if line.strip()]
    if lines and all(_XYZ_LINE.match(line) for line in lines[1:] or lines):
        return "XYZ", str(path)
    return None


def _in_file(path: Path) -> list[RasterFile]:
    absolute = path.absolute()
    require_plain_file(path, str(path), _A_RASTER)
    if path.suffix.lower() in _OTHER_FORMATS:
        _refuse_other_format(path)
    if path.name.lower().endswith(_OTHER_ARCHIVES):
        raise BadInput(str(path), "a packed archive", "a raster, or a .zip of rasters", "unpack it first")
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
            for entry in entries:
                if is_opened_beside(entry.filename):
                    _require_harmless_member(opened, entry, archive)
    except BadInput:
        raise
    except ZIP_DAMAGE as error:
        damage = " ".join(str(error).split()) or type(error).__name__
        raise BadInput(str(archive), damage, "a complete zip archive", "fetch the file again") from None
    rasters = [
        entry
        for entry in entries
        if entry.filename.lower().endswith(RASTER_SUFFIXES)
        and not PurePosixPath(entry.filename).name.startswith(".")
        and not COMPANION.search(PurePosixPath(entry.filename).name)
        and not COMPANION_FOLDERS & {part.lower() for part in PurePosixPath(entry.filename).parts[:-1]}
    ]
    if not rasters:
        contents = f"no raster among its {len(entries)} files" if entries else "an empty archive"
        raise NoRaster(str(archive), contents, f"members ending in {', '.join(RASTER_SUFFIXES)}")
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


def _require_harmless_member(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, archive: Path) -> None:
    """Refuse a mask, overviews or notes in an archive that lead elsewhere: GDAL opens them by itself."""
    where = f"{archive}: {entry.filename!r}"
    most = MOST_NOTES_BYTES if entry.filename.lower().endswith(".aux.xml") else HEAD_BYTES
    if most == MOST_NOTES_BYTES and entry.file_size > most:
        raise BadInput(where, f"{entry.file_size} bytes", f"notes of at most {most} bytes", "unpack it first")
    with opened.open(entry) as member:
        require_harmless_beside(where, entry.filename, member.read(most))


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


def product_by_name(raster: RasterFile) -> Product | None:
    """The global DEM that a raster's name tells of, else that of the archive it lies in; None where neither does.

    Parameters
    ----------
    raster : its own name counts before that of its archive.
    """
    return product_of(raster.name, raster.path.name)


def acquired_by_name(raster: RasterFile) -> tuple[int, int] | None:
    """(first, last) year in which a product's scenes were acquired: SRTM in 2000, TanDEM-X from 2010 to 2015.

    Parameters
    ----------
    raster : its own name counts before that of its archive.
    """
    product = product_by_name(raster)
    return None if product is None else product.acquired
