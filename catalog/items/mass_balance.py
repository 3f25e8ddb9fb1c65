"""The items of a mass-balance collection: one for each year that has a balance field.

A year without a field (too few points, say) has its row in the tables and no item: an item is a place and a time with
files, and such a year has none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from catalog.archive.items import Asset, Dataset, Item
from catalog.archive.layout import CollectionFolder, balance_item_id
from catalog.archive.media_types import COG, GEOJSON, PARQUET
from catalog.figures.balance_maps import (
    PIXELS_OF_A_SCALE,
    balance_limit,
    draw_balance_series,
)
from catalog.figures.balance_picture import Ground, draw_balance, ground_of
from catalog.figures.colours import symmetric_limit
from catalog.figures.mass_balance import (
    draw_balance_profiles,
    draw_methods,
    draw_stake_history,
)
from catalog.figures.years import YearFiles, draw_years, mapped_years
from catalog.formats.cogs import NODATA, VISUAL_NODATA, write_cog
from catalog.formats.even_overviews import filled_up
from catalog.formats.geojson import bbox_of, footprint, to_degrees, to_geojson, write_features
from catalog.formats.parquet import write_parquet
from catalog.formats.published_table import PublishedTable, published_rows
from catalog.items.processing_steps import inputs_of, mass_balance_steps, processing_expression
from catalog.items.qgis import write_balance_styles
from catalog.items.stated import PNG, gate_records, plain, raster_tags
from catalog.items.titles_cn import renders_cn, with_chinese
from catalog.metadata.facts import Facts
from pipeline.mass_balance.result import BalanceField, BalanceYear, MassBalance
from pipeline.progress import Tell, silent
from pipeline.worker_threads import worker_threads
from schemas.messages import Message, Paragraph, word
from schemas.tables import OUTLINE

# drawn once for the collection; they stand beside collection.json
SERIES_PNG, PROFILES_PNG = "balance_series.png", "balance_profiles.png"
METHODS_PNG, STAKES_PNG = "balance_methods.png", "stake_history.png"
MAP_PNG, PROFILE_PNG, THUMBNAIL_PNG = "map.png", "profile.png", "thumbnail.png"
COLLECTION_FIGURES = {
    SERIES_PNG: "Annual, winter and summer balances with their errors, and the cumulative balance",
    PROFILES_PNG: "Balance against elevation in every year, with the equilibrium lines",
    METHODS_PNG: "What each method makes of the annual balance, and the error by source",
    STAKES_PNG: "Exposed length and cumulative balance of each stake over time",
}


@dataclass(frozen=True)
class _Series:
    """What all years of a collection share."""

    dataset: Dataset
    facts: Facts
    result: MassBalance
    folder: CollectionFolder


def write_mass_balance(
    dataset: Dataset, facts: Facts, folder: CollectionFolder, tell: Tell = silent
) -> tuple[Item, ...]:
    """Write one item a year that has a balance field, and the figures of the whole series.

    Errors
    ------
    TypeError : the dataset's result is no mass balance.
    """
    result = dataset.result
    if not isinstance(result, MassBalance):
        raise TypeError(f"{dataset.definition.id}: not a mass balance")
    folder.path.mkdir(parents=True, exist_ok=True)
    # GDAL and zlib leave the interpreter free: the rasters are packed while the figures are drawn
    with worker_threads(1) as pool:
        series = _Series(dataset, facts, result, folder)
        items = pool.submit(lambda: tuple(_write_years(series, tell)))
        _draw_figures(dataset, result, folder)
        return items.result()


def _write_years(series: _Series, tell: Tell) -> Iterator[Item]:
    ground = None
    for year in series.result.years:
        if year.field is not None:
            tell(f"writing the balance of {year.year}")
            # the years of a glacier lie on one surface, as a rule
            ground = ground if ground is not None and ground.serves(year.field) else ground_of(year.field)
            yield _write_year(series, year, year.field, ground)


def _draw_figures(dataset: Dataset, result: MassBalance, folder: CollectionFolder) -> None:
    """The pictures of each year, and those of the series."""
    draw_years(result, _year_files(result, folder), dataset.synthetic)
    if any(year.annual_m_we is not None for year in result.years):
        draw_balance_series(folder.path / SERIES_PNG, result, dataset.synthetic)
        draw_balance_profiles(folder.path / PROFILES_PNG, result, dataset.synthetic)
        draw_methods(folder.path / METHODS_PNG, result, dataset.synthetic)
    if not result.tables["stakes"].empty:
        draw_stake_history(folder.path / STAKES_PNG, result, dataset.synthetic)


def _year_files(result: MassBalance, folder: CollectionFolder) -> dict[int, YearFiles]:
    """What is drawn of each year, in the folder of its item."""
    files = {}
    for year in mapped_years(result):
        place = folder.item(balance_item_id(year.year))
        place.mkdir(exist_ok=True)
        pictures = (place / name for name in (MAP_PNG, PROFILE_PNG, THUMBNAIL_PNG))
        files[year.year] = YearFiles(f"{result.glacier.name}, {year.year}", *pictures)
    return files


def _write_year(series: _Series, year: BalanceYear, field: BalanceField, ground: Ground) -> Item:
    dataset, facts, result = series.dataset, series.facts, series.result
    item_id = balance_item_id(year.year)
    place = series.folder.item(item_id)
    place.mkdir(exist_ok=True)
    assets = tuple(_write_files(series, year, field, place, ground))
    start, end = _period(result, year)
    outline = footprint(field.grid)
    properties = _properties(dataset, result, year)
    return Item(
        item_id=item_id,
        folder=place,
        title=f"{facts.title.en}, {year.year}",
        description=f"Annual mass balance of {result.glacier.name} in {year.year}. {facts.abstract.en}",
        start=start,
        end=end,
        geometry=to_geojson(outline),
        bbox=bbox_of(outline),
        properties=properties,
        assets=with_chinese(assets, "mass_balance"),
        title_cn=f"{facts.title.cn}，{year.year}年" if facts.title.cn else "",
        description_cn=facts.abstract.cn and f"{result.glacier.name}，{year.year}年物质平衡。{facts.abstract.cn}",
        properties_cn={
            "processing:lineage": lineage(dataset, result, year).cn,
            "renders": renders_cn(properties["renders"], "mass_balance"),
        },
    )


def _write_files(
    series: _Series, year: BalanceYear, field: BalanceField, place: Path, ground: Ground
) -> Iterator[Asset]:
    dataset, result = series.dataset, series.result
    tags = {**raster_tags(dataset), "YEAR": str(year.year)}
    yield from _write_rasters(field, tags, place)
    yield _write_visual(result, field, ground, tags, place)
    about = {"title": f"{series.facts.title.en}, {year.year}", "synthetic": dataset.synthetic}
    yield _write_isolines(result, field, about, place)
    yield from _write_outline(result, field, about, place)
    yield Asset(
        key="map",
        href=MAP_PNG,
        title="Map of the isolines, stakes and equilibrium line",
        media_type=PNG,
        roles=("overview",),
    )
    yield Asset(
        key="profile",
        href=PROFILE_PNG,
        title="Balance against elevation, with the equilibrium line",
        media_type=PNG,
        roles=("overview",),
    )
    yield Asset(
        key="thumbnail", href=THUMBNAIL_PNG, title="Thumbnail with colour scale", media_type=PNG, roles=("thumbnail",)
    )
    outlined = [] if field.outline is None else [result.glacier.glacier_id]
    yield from write_balance_styles(place, (balance_limit(result), _sigma_limit(result)), outlined)


def _write_rasters(field: BalanceField, tags: dict[str, str], place: Path) -> Iterator[Asset]:
    for name, values, description, title, roles in (
        ("balance", field.balance_m_we, "annual balance", "Annual balance", ("data",)),
        (
            "balance_sigma",
            field.sigma_balance_m_we,
            "one standard deviation of the annual balance",
            "Uncertainty of the annual balance",
            ("data", "uncertainty"),
        ),
    ):
        write_cog(
            place / f"{name}.tif", values, field.grid, nodata=NODATA, unit="m w.e.", resampling="average",
            description=description, tags=tags,
        )  # fmt: skip
        text = f"{description[0].upper()}{description[1:]}, metres of water equivalent"
        yield Asset(
            key=name,
            href=f"{name}.tif",
            title=title,
            media_type=COG,
            roles=roles,
            description=text,
            extra={"raster:sampling": "area"},
        )


def _write_visual(result: MassBalance, field: BalanceField, ground: Ground, tags: dict[str, str], place: Path) -> Asset:
    """The picture that viewers without a colour scale of ours show."""
    limit = balance_limit(result)
    drawn = draw_balance(field, limit, ground)
    picture, frame = filled_up(drawn.rgb, drawn.grid, VISUAL_NODATA)
    write_cog(
        place / "visual.tif", picture, frame, nodata=VISUAL_NODATA, unit="", resampling="average",
        description=("red", "green", "blue"), tags={**tags, "COLOUR_SCALE_M_WE": f"{limit:g}"},
    )  # fmt: skip
    return Asset(
        key="visual",
        href="visual.tif",
        title="Annual balance in colour",
        media_type=COG,
        roles=("visual", "overview"),
        description=f"Red for loss, blue for gain, from -{limit:g} to {limit:g} m w.e., over shaded relief, with"
        " isolines and the"
        " glacier outlined; drawn on finer pixels than those of the balance",
        extra={"raster:sampling": "area"},
        description_cn=f"红色为亏损，蓝色为盈余，色标-{limit:g}至{limit:g} m w.e.，叠加于山体阴影之上，"
        "并绘出等值线和冰川边界；像元比物质平衡栅格更细",
    )


def _write_isolines(result: MassBalance, field: BalanceField, about: dict[str, Any], place: Path) -> Asset:
    lines = sorted(field.isolines, key=lambda line: (line.balance_m_we, line.geometry.wkt))
    features = ((line.geometry, {"balance_m_we": round(line.balance_m_we, 2) + 0.0}) for line in lines)
    write_features(place / "isolines.geojson", features, field.grid.crs, about)
    text = f"Lines of equal annual balance at {result.settings.isoline_interval_m_we:g} m w.e., clipped to the outline"
    return Asset(
        key="isolines",
        href="isolines.geojson",
        title="Isolines of the annual balance",
        media_type=GEOJSON,
        roles=("data",),
        description=text,
    )


def _write_outline(result: MassBalance, field: BalanceField, about: dict[str, Any], place: Path) -> Iterator[Asset]:
    outline = field.outline
    if outline is None:
        return
    record = pd.DataFrame(
        [[result.glacier.glacier_id, result.glacier.name, outline.area / 1e6]], columns=list(OUTLINE.column_names)
    )
    table = PublishedTable(OUTLINE, tuple(published_rows(OUTLINE, record)))
    properties = dict(zip(OUTLINE.column_names, table.rows[0], strict=True))
    write_features(place / "outline.geojson", [(outline, properties)], field.grid.crs, about)
    text = "The outline within which the balance is computed"
    yield Asset(
        key="outline",
        href="outline.geojson",
        title="Glacier outline",
        media_type=GEOJSON,
        roles=("data",),
        description=text,
    )
    write_parquet(place / "outline.parquet", table, [to_degrees(outline, field.grid.crs)])
    yield Asset(
        key="outline_geoparquet",
        href="outline.parquet",
        title="Glacier outline (GeoParquet)",
        media_type=PARQUET,
        roles=("data",),
        description="The same outline as GeoParquet",
    )


def _sigma_limit(result: MassBalance) -> float:
    """End of the scale of the standard deviation (m w.e.), the same for every year: what holds 98 % of the pixels."""
    fields = [year.field.sigma_balance_m_we.ravel() for year in result.years if year.field is not None]
    step = max(1, sum(field.size for field in fields) // PIXELS_OF_A_SCALE)
    return symmetric_limit(np.concatenate([field[::step] for field in fields])) if fields else 1.0


def _period(result: MassBalance, year: BalanceYear) -> tuple[date, date]:
    """Days of the year's survey; the fixed-date year of the settings where a visit's day is unknown."""
    month, day = (int(part) for part in result.settings.year_start.split("-"))
    start = year.begin or date(year.year - 1, month, day)
    end = year.end or date(year.year, month, day) - timedelta(days=1)
    return start, end


def _properties(dataset: Dataset, result: MassBalance, year: BalanceYear) -> dict[str, Any]:
    names = ("annual_m_we", "sigma_annual_m_we", "winter_m_we", "sigma_winter_m_we", "summer_m_we", "sigma_summer_m_we")
    limit = balance_limit(result)
    return {
        "glacier:kind": "mass_balance",
        "glacier:synthetic": dataset.synthetic,
        "glacier:glacier_id": result.glacier.glacier_id,
        "glacier:glacier_name": result.glacier.name,
        "glacier:year": year.year,
        "glacier:time_system": year.time_system,
        # rounded as the tables are: 10 kg m-2
        "glacier:balance": {name: plain(getattr(year, name), 2) for name in names},
        "glacier:by_method": plain(dict(sorted(year.by_method.items())), 2),
        "glacier:budget": plain(dict(sorted(year.budget.items())), 4),
        "glacier:ela": {
            "altitude_m": plain(year.ela_m, 0),
            "sigma_m": plain(year.sigma_ela_m, 0),
            "position": year.ela_position,
        },
        "glacier:aar": plain(year.aar, 3),
        "glacier:sigma_aar": plain(year.sigma_aar, 3),
        "glacier:area_km2": plain(year.area_km2, 5),
        "glacier:provenance": year.provenance,
        "glacier:flags": list(year.flags),
        "glacier:gates": gate_records(dataset, str(year.year)),
        "glacier:settings": result.settings.model_dump(mode="json"),
        "processing:level": "L4",
        "processing:lineage": lineage(dataset, result, year).en,
        "processing:expression": processing_expression(mass_balance_steps(result, year)),
        "glacier:inputs": inputs_of(dataset),
        **_accuracy(year),
        "renders": {
            "balance": {
                "title": "Annual balance",
                "assets": ["balance"],
                "rescale": [[-limit, limit]],
                "nodata": NODATA,
                "colormap_name": "rdbu",
                "resampling": "average",
            },
            "balance_sigma": {
                "title": "Uncertainty of the annual balance",
                "assets": ["balance_sigma"],
                "rescale": [[0.0, _sigma_limit(result)]],
                "nodata": NODATA,
                "colormap_name": "inferno_r",
                "resampling": "average",
            },
            "visual": {"title": "Annual balance in colour", "assets": ["visual"]},
        },
    }


def _accuracy(year: BalanceYear) -> dict[str, float]:
    """The standard deviation of the published balance (m w.e.), rounded as it is in the tables."""
    sigma = plain(year.sigma_annual_m_we, 2)
    return {} if sigma is None else {"accuracy:measurement_absolute": sigma}


def lineage(dataset: Dataset, result: MassBalance, year: BalanceYear) -> Paragraph:
    """What was done to the readings, from the points to the published balance of a year."""
    settings = result.settings
    said = Message(
        "Point balances from stakes and snow pits ({provenance}, time system {time_system}) were interpolated with"
        " their trend over elevation, clipped to the outline, and integrated between isolines at {isoline_m_we:g}"
        " m w.e. (contour method) and over elevation zones of {band_m:g} m; the published balance is that of the"
        " {method} method.",
        provenance=word(year.provenance),
        time_system=year.time_system,
        isoline_m_we=settings.isoline_interval_m_we,
        band_m=settings.band_height_m,
        method=word(settings.primary_method),
    )
    return Paragraph.of([Message("Synthetic sample inputs."), said] if dataset.synthetic else [said])
