"""The global elevation models that a file's name tells of: whole names as their makers give them, never a part of one.

A name that only mentions a product, as ``pleiades_2018_srtm_align.tif``, tells nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

EGM96, EGM2008, ELLIPSOIDAL = "EPSG:5773", "EPSG:3855", "EPSG:4979"


@dataclass(frozen=True, kw_only=True)
class Product:
    """A global DEM, as its files are named.

    Attributes
    ----------
    name : as notes call it.
    files : whole names, in lower case and without the suffixes of archives and formats.
    datum : EPSG code of its heights.
    acquired : first and last year of its scenes.
    radar : whether its heights are those of a radar, which looks into snow and firn.
    """

    name: str
    files: re.Pattern[str]
    datum: str
    acquired: tuple[int, int]
    radar: bool = True


def _names(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.I)


_TILE = r"[ns]\d{2}[ew]\d{3}"
_TILE_3 = r"[ns]\d{3}[ew]\d{3}"
_APART = r"[ns]\d{2}_00_[ew]\d{3}_00"
# of the archives in which ten degrees of a product come
_SPAN = rf"{_TILE}-{_TILE}"
_FORM = re.compile(r"\.(tiff?|hgt|dt[012]|bil|asc|img|flt|dem|jp2|zip|gz|tar|tgz)$", re.I)

PRODUCTS = (
    Product(
        name="SRTM, ellipsoidal heights",
        files=_names(r"(output|rasters)_srtmgl[13]_e(llip)?"),
        datum=ELLIPSOIDAL,
        acquired=(2000, 2000),
    ),
    Product(
        name="SRTM",
        files=_names(
            rf"{_TILE}(\.srtm(gl[13]s?)?)?",
            r"[ns]\d{2}_[ew]\d{3}_[13]arc_v\d",
            r"srtm_\d{2}_\d{2}",
            rf"{_TILE}_srtm(gl[13])?",
            r"(output|rasters)_srtmgl[13]",
        ),
        datum=EGM96,
        acquired=(2000, 2000),
    ),
    Product(
        name="NASADEM",
        files=_names(rf"nasadem_hgt_{_TILE}", r"(output|rasters)_nasadem"),
        datum=EGM96,
        acquired=(2000, 2000),
    ),
    Product(
        name="FABDEM",
        files=_names(rf"{_TILE}_fabdem_v\d-\d", rf"{_SPAN}_fabdem_v\d-\d"),
        datum=EGM2008,
        acquired=(2010, 2015),
    ),
    Product(
        name="Copernicus DEM",
        files=_names(rf"copernicus_dsm_(cog_)?\d{{2}}_{_APART}(_dem)?", r"(output|rasters)_cop(30|90)"),
        datum=EGM2008,
        acquired=(2010, 2015),
    ),
    Product(
        name="TanDEM-X DEM",
        files=_names(rf"tdm1_e?dem__\d{{2}}_{_TILE}(_v\d{{2}}_[a-z])?(_e?dem)?"),
        datum=ELLIPSOIDAL,
        acquired=(2010, 2015),
    ),
    Product(
        name="AW3D30, ellipsoidal heights",
        files=_names(r"(output|rasters)_aw3d30_e(llip)?"),
        datum=ELLIPSOIDAL,
        acquired=(2006, 2011),
        radar=False,
    ),
    Product(
        name="AW3D30",
        files=_names(rf"(alpsmlc30_)?{_TILE_3}(_ave)?_dsm", r"(output|rasters)_aw3d30"),
        datum=EGM96,
        acquired=(2006, 2011),
        radar=False,
    ),
    Product(
        name="ASTER GDEM",
        files=_names(rf"astgtm(v?\d+)?_{_TILE}(_dem)?"),
        datum=EGM96,
        acquired=(2000, 2013),
        radar=False,
    ),
    Product(
        name="ArcticDEM or REMA",
        files=_names(
            r"setsm_.+_dem", r"(arcticdem|rema)_.+_dem", r"\d{2}_\d{2}(_\d_\d)?_(2|10|32|100)m_v[\d.]+(_reg)?_dem"
        ),
        datum=ELLIPSOIDAL,
        acquired=(2007, 2023),
        radar=False,
    ),
    Product(
        name="High Mountain Asia 8 m DEM",
        files=_names(r"hma_dem8m_.+"),
        datum=ELLIPSOIDAL,
        acquired=(2002, 2016),
        radar=False,
    ),
)
# a tile of an unnamed SRTM lies under this name in the archive of NASADEM too
_BARE_TILE = re.compile(_TILE, re.I)

# masks and previews that lie beside heights: editing, filling, height error, water, accuracy, number of scenes
COMPANION = re.compile(
    r"_(EDM|FLM|HEM|WBM|ACM|COV|COM|LSM|WAM|AMP|AM2|INT|IND|QL|MSK|STK|QAI|num|swb|swbd)(\.[a-z0-9]+)+$"
    r"|\.(SRTMSWBD|SRTMGL[13]N|SRTMIMGR|SRTMSWBD\.raw|num|swb|err|raw)(\.[a-z0-9]+)*\.(zip|gz)$"
    r"|^ASTWBD|_(SWBD|WBD)_[ns]\d{2}[ew]\d{3}",
    re.I,
)
# where products keep them
COMPANION_FOLDERS = frozenset({"auxfiles", "preview", "info", "__macosx"})
_CORNER = re.compile(
    r"^(?:Copernicus_DSM_(?:COG_)?\d\d_|TDM1_E?DEM__\d\d_|ASTGTM(?:V?\d+)?_|ALPSMLC30_)?"
    r"([NS]\d{2,3})(?:_00_)?([EW]\d{3})(?:_FABDEM|_00_DEM|_00\.|_E?DEM|_V\d\d|_DSM|_AVE_DSM)",
    re.I,
)


def product_of(*names: str) -> Product | None:
    """The product that the first telling one of several names is of; None where none tells.

    Parameters
    ----------
    names : of a raster, then those of what it lies in.

    Example
    -------
    >>> product_of("N43E086_FABDEM_V1-2.tif").name, product_of("pleiades_2018_srtm_align.tif")
    ('FABDEM', None)
    """
    for place, name in enumerate(names):
        own = _without_form(name)
        if _BARE_TILE.fullmatch(own):
            # an archive tells whose tile it is
            product_outside = product_of(*names[place + 1 :])
            return product_outside or (_SRTM if _is_hgt(name) else None)
        for product in PRODUCTS:
            if product.files.fullmatch(own):
                return product
    return None


_SRTM = next(product for product in PRODUCTS if product.name == "SRTM")


def _is_hgt(name: str) -> bool:
    return ".hgt" in name.lower()


def _without_form(name: str) -> str:
    while _FORM.search(name):
        name = _FORM.sub("", name)
    return name


def corner_by_name(name: str) -> tuple[int, int] | None:
    """(longitude, latitude) of the south-west corner in the name of a product's tile, else None; degrees.

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
