"""Files of shapes as people have them: plain ones, geodatabases, folders, and zip archives with folders inside."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pyogrio

from pipeline.inputs.dbf_encoding import encoding_of_shapefile
from pipeline.inputs.gdal_inputs import require_plain_outlines, require_plausible_count
from pipeline.inputs.zip_archives import ZIP_DAMAGE, opened_zip, stays_inside
from pipeline.scratch_folders import scratch_folder
from schemas.errors import BadInput
from schemas.input_files import refuse_web_address

VECTOR_SUFFIXES = (".shp", ".gpkg", ".geojson", ".json", ".fgb", ".kml")
_PARTS_OF_SHAPEFILES = (".shx", ".dbf", ".prj", ".cpg", ".cst")
# outlines of all glaciers on Earth take 1 GB
MOST_UNPACKED_BYTES = 4_000_000_000
_COPIED_AT_ONCE = 1 << 20
_EXPECTED = "shapes (GeoPackage, GeoJSON, FlatGeobuf or shapefile, also zipped)"


@dataclass(frozen=True, kw_only=True)
class VectorLayer:
    """One layer of shapes.

    Attributes
    ----------
    file : what is opened; a plain file or a geodatabase, unpacked if it came in an archive.
    name : of the layer; None for the first one of a file that lists none with a geometry.
    where : how errors name it.
    kind : of its geometries, as the file states it; may be empty.
    features : how many it holds.
    crs : as the file states it, else None.
    encoding : of its texts where the file states none; None where that is not needed.
    """

    file: Path
    name: str | None
    where: str
    kind: str
    features: int
    crs: str | None
    encoding: str | None


def is_vector(path: Path) -> bool:
    """Whether a file that may be a raster or shapes holds shapes, by its name and by what an archive holds.

    Parameters
    ----------
    path : as the user named it.
    """
    suffix = path.suffix.lower()
    if suffix in (*VECTOR_SUFFIXES, ".gdb"):
        return True
    if suffix == ".zip" and path.is_file():
        try:
            with opened_zip(path, str(path)) as archive:
                names = archive.namelist()
        except ZIP_DAMAGE:
            return False
        return any(name.lower().endswith(VECTOR_SUFFIXES) for name in names)
    return path.is_dir() and any(child.suffix.lower() in VECTOR_SUFFIXES for child in path.iterdir())


@contextmanager
def opened_layers(path: Path) -> Iterator[list[VectorLayer]]:
    """The layers of a file, geodatabase, folder or zip archive; what was unpacked goes when the context ends.

    Parameters
    ----------
    path : as the user named it.

    Errors
    ------
    BadInput : no such file, an address of the web, no file of shapes, a damaged archive.
    pyogrio.errors.DataSourceError : GDAL cannot open it.
    """
    refuse_web_address(path)
    if path.suffix.lower() == ".zip":
        with scratch_folder() as folder:
            yield [layer for member, file in _unpacked(path, folder) for layer in _layers(file, f"{path}: {member}")]
    elif path.is_dir() and path.suffix.lower() != ".gdb":
        files = sorted(child for child in path.iterdir() if child.suffix.lower() in VECTOR_SUFFIXES)
        if not files:
            raise BadInput(str(path), "a folder without shapes", _EXPECTED)
        yield [layer for file in files for layer in _layers(file, str(file))]
    else:
        yield list(_layers(path, str(path)))


def _layers(file: Path, where: str) -> Iterator[VectorLayer]:
    require_plain_outlines(file, where)
    listed: list[tuple[str | None, str]] = [(str(name), str(kind)) for name, kind in pyogrio.list_layers(file) if kind]
    encoding = encoding_of_shapefile(file) if file.suffix.lower() == ".shp" else None
    for name, kind in listed or [(None, "")]:
        about = pyogrio.read_info(file, layer=name, encoding=encoding)
        require_plausible_count(file, where, int(about["features"]))
        yield VectorLayer(
            file=file,
            name=name,
            where=where,
            kind=kind,
            features=int(about["features"]),
            crs=about["crs"],
            encoding=encoding,
        )


def chosen_layer(path: Path, layers: Sequence[VectorLayer], wanted: str | None) -> VectorLayer:
    """The one layer of polygons that is meant.

    Parameters
    ----------
    path : as errors name the whole.
    layers : of the file or archive.
    wanted : its name, or that of its file without the suffix; None for the only one.

    Errors
    ------
    BadInput : no layer of that name; several layers of polygons and no name; each with the names there are.
    """
    polygons = [layer for layer in layers if "Polygon" in layer.kind]
    names = [_name_of(layer, layers) for layer in layers]
    if wanted is not None:
        for layer, name in zip(layers, names, strict=True):
            if wanted.lower() in (name.lower(), (layer.name or "").lower(), layer.file.stem.lower()):
                return layer
        raise BadInput(str(path), f"no layer {wanted!r}", f"one of its layers: {', '.join(names)}")
    if len(polygons) > 1:
        listed = ", ".join(_name_of(layer, layers) for layer in polygons)
        raise BadInput(
            str(path), f"{len(polygons)} layers of polygons ({listed})", "one, the outlines of an epoch",
            "name the one that is meant with --layer",
        )  # fmt: skip
    return (polygons or list(layers))[0]


def _name_of(layer: VectorLayer, layers: Sequence[VectorLayer]) -> str:
    """The layer's name, with that of its file where several files have one of that name."""
    own = layer.name or layer.file.stem
    twice = sum((other.name or other.file.stem) == own for other in layers) > 1
    return f"{layer.file.stem}/{own}" if twice else own


def _unpacked(path: Path, folder: Path) -> list[tuple[str, Path]]:
    """The files of shapes in an archive, unpacked: the member's name, and where it now lies."""
    try:
        with opened_zip(path, str(path), MOST_UNPACKED_BYTES) as archive:
            wanted = [entry for entry in archive.infolist() if _belongs(entry)]
            main = [entry for entry in wanted if entry.filename.lower().endswith(VECTOR_SUFFIXES)]
            if not main:
                raise BadInput(
                    str(path), "an archive without shapes", f"members ending in {', '.join(VECTOR_SUFFIXES)}"
                )
            folders = sorted({str(PurePosixPath(entry.filename).parent) for entry in wanted})
            for entry in wanted:
                _unpack(archive, entry, _place(folder, folders, entry))
            return [(entry.filename, _place(folder, folders, entry)) for entry in main]
    except ZIP_DAMAGE as error:
        if isinstance(error, BadInput):
            raise
        damage = " ".join(str(error).split()) or type(error).__name__
        raise BadInput(str(path), damage, "a complete zip archive", "fetch the file again") from None


def _belongs(entry: zipfile.ZipInfo) -> bool:
    """Whether a member is a file of shapes, or a part of one; resource forks of a Mac are not."""
    name = PurePosixPath(entry.filename)
    suffixes = (*VECTOR_SUFFIXES, *_PARTS_OF_SHAPEFILES)
    hidden = any(part.startswith(("._", "__MACOSX")) for part in name.parts)
    return not entry.is_dir() and not hidden and stays_inside(entry.filename) and name.suffix.lower() in suffixes


def _place(folder: Path, folders: Sequence[str], entry: zipfile.ZipInfo) -> Path:
    name = PurePosixPath(entry.filename)
    # GDAL looks for the parts of a shapefile under the same letters
    return folder / str(folders.index(str(name.parent))) / (name.stem + name.suffix.lower())


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, place: Path) -> None:
    place.parent.mkdir(exist_ok=True)
    with archive.open(entry) as packed, place.open("wb") as target:
        while piece := packed.read(_COPIED_AT_ONCE):
            target.write(piece)
