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

from catalog.archive import CollectionFolder, Dataset, Item, balance_item_id, mass_balance_of
from catalog.figures import (
    ShadedGround,
    balance_limit,
    ground_of,
)
from catalog.formats import NODATA, bbox_of, footprint, to_geojson
from catalog.items.balance_products import (
    draw_balance_figures,
    in_folder,
    sigma_limit,
    write_year_products,
    year_files,
)
from catalog.items.processing_steps import inputs_of, mass_balance_steps, processing_expression
from catalog.items.stated import PNG, Labels, gate_records, plain, raster_tags, with_searched
from catalog.metadata import Facts
from pipeline.mass_balance import Calendar
from pipeline.mass_balance.result import BalanceField, BalanceYear, MassBalance
from pipeline.progress import Tell, silent
from pipeline.worker_threads import worker_threads
from schemas.flags import flag_said
from schemas.messages import Listed, Message, paragraph, word


@dataclass(frozen=True, kw_only=True)
class _Series:
    """What all years of a collection share."""

    dataset: Dataset
    facts: Facts
    result: MassBalance
    folder: CollectionFolder
    figures: bool


def write_mass_balance(
    dataset: Dataset, facts: Facts, folder: CollectionFolder, tell: Tell = silent, *, figures: bool = True
) -> tuple[Item, ...]:
    """Write one item a year that has a balance field, and with ``figures`` those of each year and the whole series.

    Errors
    ------
    TypeError : the dataset's result is no mass balance.
    """
    result = mass_balance_of(dataset)
    folder.path.mkdir(parents=True, exist_ok=True)
    # GDAL and zlib leave the interpreter free: the rasters are packed while the figures are drawn
    with worker_threads(1) as pool:
        series = _Series(dataset=dataset, facts=facts, result=result, folder=folder, figures=figures)
        items = pool.submit(lambda: tuple(_write_years(series, tell)))
        if figures:
            files = year_files(result, lambda year: in_folder(_place(folder, year)), to_browse=True)
            draw_balance_figures(result, folder.path, files, dataset.synthetic)
        return items.result()


def _write_years(series: _Series, tell: Tell) -> Iterator[Item]:
    ground = None
    for year in series.result.years:
        if year.field is not None:
            tell(f"writing the balance of {year.year}")
            # the years of a glacier lie on one surface, as a rule
            ground = ground if ground is not None and ground.serves(year.field) else ground_of(year.field)
            yield _write_year(series, year, year.field, ground)


def _place(folder: CollectionFolder, year: int) -> Path:
    """The folder of a year's item; it is there then."""
    place = folder.item(balance_item_id(year))
    place.mkdir(exist_ok=True)
    return place


def _write_year(series: _Series, year: BalanceYear, field: BalanceField, ground: ShadedGround) -> Item:
    dataset, facts, result = series.dataset, series.facts, series.result
    item_id = balance_item_id(year.year)
    place = _place(series.folder, year.year)
    labels = Labels(
        features=f"{facts.title.en}, {year.year}",
        synthetic=dataset.synthetic,
        tags={**raster_tags(dataset), "YEAR": str(year.year)},
    )
    written = write_year_products(result, field, in_folder(place), labels, ground)
    assets = tuple(asset for asset in written if series.figures or asset.media_type != PNG)
    start, end = _period(result, year)
    outline = footprint(field.grid)
    return Item(
        item_id=item_id,
        folder=place,
        title=f"{facts.title.en}, {year.year}",
        description=f"Annual mass balance of {result.glacier.name} in {year.year}. {facts.abstract.en}",
        start=start,
        end=end,
        geometry=to_geojson(outline),
        bbox=bbox_of(outline),
        properties=_properties(dataset, result, year),
        assets=assets,
        title_cn=f"{facts.title.cn}，{year.year}年" if facts.title.cn else "",
        description_cn=facts.abstract.cn and f"{result.glacier.name}，{year.year}年物质平衡。{facts.abstract.cn}",
    )


def _period(result: MassBalance, year: BalanceYear) -> tuple[date, date]:
    """Days of the year's survey; the fixed-date year of the settings where a visit's day is unknown."""
    calendar = Calendar.of(result.settings.year_start, result.settings.annual_tolerance_days)
    start = year.begin or calendar.start(year.year)
    end = year.end or calendar.end(year.year) - timedelta(days=1)
    return start, end


def _properties(dataset: Dataset, result: MassBalance, year: BalanceYear) -> dict[str, Any]:
    names = ("annual_m_we", "sigma_annual_m_we", "winter_m_we", "sigma_winter_m_we", "summer_m_we", "sigma_summer_m_we")
    limit = balance_limit(result)
    properties = {
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
        "glacier:flags": [flag_said(flag) for flag in year.flags],
        "glacier:gates": gate_records(dataset, str(year.year)),
        "glacier:settings": result.settings.model_dump(mode="json"),
        "processing:level": "L4",
        "processing:lineage": lineage(dataset, result, year),
        "processing:expression": processing_expression(mass_balance_steps(result, year)),
        "glacier:inputs": inputs_of(dataset),
        **_accuracy(year),
        "renders": {
            "balance": {
                "title": Message("Annual balance"),
                "assets": ["balance"],
                "rescale": [[-limit, limit]],
                "nodata": NODATA,
                "colormap_name": "rdbu",
                "resampling": "average",
            },
            "balance_sigma": {
                "title": Message("Uncertainty of the annual balance"),
                "assets": ["balance_sigma"],
                "rescale": [[0.0, sigma_limit(result)]],
                "nodata": NODATA,
                "colormap_name": "inferno_r",
                "resampling": "average",
            },
            "visual": {"title": Message("Annual balance in colour"), "assets": ["visual"]},
        },
    }
    return with_searched(properties)


def _accuracy(year: BalanceYear) -> dict[str, float]:
    """The standard deviation of the published balance (m w.e.), rounded as it is in the tables."""
    sigma = plain(year.sigma_annual_m_we, 2)
    return {} if sigma is None else {"accuracy:measurement_absolute": sigma}


def lineage(dataset: Dataset, result: MassBalance, year: BalanceYear) -> Listed:
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
    return paragraph([Message("Synthetic sample inputs."), said] if dataset.synthetic else [said])
