"""A few lines that load an item in the programs of its readers; tests run those whose program is a Python package."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.archive import COG, TABLES, Item

# stands in the code for the archive's root: a folder, or where the page was read over HTTP its address
ARCHIVE = "ARCHIVE"
_TABLE_OF = {
    "elevation_change": ("glaciers", "glacier_id, area_km2, mean_dh_m, sigma_mean_dh_m", "area_km2 DESC"),
    "mass_balance": ("glacier_balances", "year, annual_balance_m_we, sigma_annual_m_we, ela_m", "year"),
}


@dataclass(frozen=True, kw_only=True)
class Snippet:
    """Code for one program; ``before`` goes before an address over HTTP, which R's GDAL wants."""

    program: str
    code: str
    before: str = ""

    @property
    def parts(self) -> Sequence[str]:
        """The code around the archive's root."""
        return self.code.split(ARCHIVE)


def snippets_of(item: Item, collection_id: str, place: str) -> tuple[Snippet, ...]:
    """Code for rasterio, odc-stac, R, QGIS and DuckDB; nothing for an item without a raster of quantities.

    Parameters
    ----------
    place : the item's folder from the collection's, with a slash at its end.
    """
    raster = next((asset for asset in item.assets if asset.media_type == COG and "data" in asset.roles), None)
    if raster is None:
        return ()
    folder = f"{ARCHIVE}/{collection_id}/{place}"
    file, document = folder + raster.href.removeprefix("./"), f"{folder}{item.item_id}.json"
    table, columns, order = _TABLE_OF[str(item.properties["glacier:kind"])]
    rows = f"{ARCHIVE}/{collection_id}/{TABLES}/{table}.parquet"
    return (
        Snippet(
            program="Python, rasterio",
            code=f'import rasterio\n\nwith rasterio.open("{file}") as raster:\n'
            "    values = raster.read(1, masked=True)\n    print(values.mean(), raster.units[0])",
        ),
        Snippet(
            program="Python, odc-stac",
            code=f'import pystac\nfrom odc.stac import load\n\nitem = pystac.Item.from_file("{document}")\n'
            f'cube = load([item], bands=["{raster.key}"])\nprint(cube["{raster.key}"].isel(time=0))',
        ),
        Snippet(
            program="R, terra",
            code=f'library(terra)\n\nvalues <- rast("{file}")\nglobal(values, "mean", na.rm = TRUE)\nplot(values)',
            before="/vsicurl/",
        ),
        Snippet(
            program="QGIS, Python console",
            code=f'iface.addRasterLayer("{file}", "{raster.key}")',
            before="/vsicurl/",
        ),
        Snippet(program="DuckDB", code=f"SELECT {columns}\nFROM '{rows}'\nORDER BY {order};"),
    )
