"""A small, consistent archive of both datasets, for tests of what is done with archives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from contourpy import contour_generator
from pyproj import Transformer
from rasterio.features import rasterize
from shapely.geometry import MultiLineString

from catalog.archive.dataset import Dataset, Item
from catalog.build.collection import Collection, facts_of
from catalog.build.order import Order
from catalog.build.regeneration import regenerate
from catalog.build.report import BuildReport
from catalog.metadata.facts import Facts, describe
from catalog.pages.facts import Card
from catalog.pages.search import Searchable
from catalog.pages.write import write_collection_pages, write_front_page
from catalog.stac.catalogs import Child
from catalog.stac.write import write_catalog, write_collection_stac
from pipeline.elevation_change.result import STABLE, ElevationChange, Statistics
from pipeline.mass_balance.glacier_wide.cumulative import cumulative_table
from pipeline.mass_balance.result import BalanceYear, Isoline, MassBalance
from pipeline.progress import Tell, silent
from pipeline.resources import Resources, open_resources
from schemas.definition import Definition
from schemas.tables import DATES, REGION
from tests.made.fakes import CRS, make_elevation_change_dataset, make_mass_balance_dataset

CODE_VERSION = "0.1.0"
Written = tuple[Dataset, Facts, Sequence[Item]]
EARLIER, LATER = date(2000, 2, 16), date(2012, 12, 31)
ELEVATION_CHANGE, MASS_BALANCE = "test-elevation-change", "test-mass-balance"


def make_datasets(**changes: Any) -> list[Dataset]:
    """Both datasets, the tables of the second completed so that they agree with its fields."""
    changed = complete_change(make_elevation_change_dataset(shape=(90, 150), **changes))
    return [changed, complete_balance(make_mass_balance_dataset(**changes))]


@dataclass(frozen=True, kw_only=True)
class Computed(Order):
    """An order whose datasets were made by a test; everything else is done with it as with any other."""

    ready: tuple[Dataset, ...] = ()

    @property
    def synthetic(self) -> bool:
        return all(dataset.synthetic for dataset in self.ready)

    def datasets(self, definitions: Sequence[Definition], _: Resources, tell: Tell = silent) -> Iterator[Dataset]:
        assert list(definitions) == [dataset.definition for dataset in self.ready]
        return iter(self.ready)


def publish_datasets(
    datasets: Sequence[Dataset],
    out: Path,
    *,
    base_url: str | None = None,
    code_version: str = CODE_VERSION,
    figures: bool = True,
    tell: Tell = silent,
) -> BuildReport:
    """Build an archive of datasets that a test made, as `build` does."""
    definitions = tuple(dataset.definition for dataset in datasets)
    order = Computed(
        definitions=definitions,
        inputs=None,
        base_url=base_url,
        code_version=code_version,
        figures=figures,
        ready=tuple(datasets),
    )
    with open_resources(1) as resources:
        return regenerate(order, out, resources, tell=tell)


def build(out: Path, **changes: Any) -> BuildReport:
    return publish_datasets(make_datasets(**changes), out)


def collections_of(datasets: list[Dataset]) -> list[Collection]:
    """As the manifest sees datasets; of their pages and items nothing is told."""
    nothing = Card(href="", synthetic=False, picture=None, numbers=(), gates=(), count=0, search=Searchable({}, ()))
    return [Collection(dataset.definition, facts_of(dataset, describe(dataset), (), nothing)) for dataset in datasets]


def write_stac(root: Path, written: Sequence[Written], base_url: str | None) -> None:
    """The catalogue of datasets whose other files stand below ``root``."""
    for dataset, facts, items in written:
        write_collection_stac(root, dataset, facts, items, base_url)
    children = [
        Child(dataset.definition.id, facts.title, dataset.synthetic, tuple(item.item_id for item in items))
        for dataset, facts, items in written
    ]
    write_catalog(root, children, base_url)


def write_pages(root: Path, written: Sequence[Written]) -> None:
    """The pages of datasets whose other files stand below ``root``."""
    cards = [(one[0].definition, write_collection_pages(root, *one)) for one in written]
    write_front_page(root, cards)


def complete_change(dataset: Dataset) -> Dataset:
    """Take the mean change of each glacier from its pixels; only one that has no void says so."""
    result = dataset.result
    assert isinstance(result, ElevationChange)
    table = result.tables["glaciers"].copy()
    assert result.outlines is not None
    for row, (_, glacier) in enumerate(result.outlines.dissolve("glacier_id").iterrows()):
        inside = rasterize([(glacier.geometry, 1)], out_shape=result.grid.shape, transform=result.grid.transform) == 1
        dh = result.dh_m[inside]
        mean = float(np.nanmean(dh)) if np.isfinite(dh).any() else 0.0
        table.loc[row, "mean_dh_m"] = table.loc[row, "median_dh_m"] = mean
        table.loc[row, "observed_share"] = observed = float(np.isfinite(dh).mean()) if dh.size else 0.0
        table.loc[row, ["filled_share", "extrapolated_share", "outlier_share"]] = (1 - observed, 0.0, 0.0)
        table.loc[row, "volume_change_m3"] = mean * table.loc[row, "area_km2"] * 1e6
        table.loc[row, "mass_change_kg"] = 850 * table.loc[row, "volume_change_m3"]
    table["flags"] = None
    table["mean_dhdt_m_a"] = table["mean_dh_m"] / ((LATER - EARLIER).days / 365.25)
    region = _region(table)
    assert result.totals is not None
    same = ("area_km2", "mean_dh_m", "volume_change_m3", "mass_change_kg", "observed_share")
    totals = replace(result.totals, **{name: float(region.loc[0, name]) for name in same})
    stable = result.dh_m[(result.classification == STABLE) & np.isfinite(result.dh_m)].astype(float)
    after = _statistics_of(stable, result.after)
    steps = {"raw": result.before, "coregistered": result.after_coregistration, "corrected": after}
    steps = {
        step: replace(one, count=stable.size, rmse_m=float(np.hypot(one.mean_m, one.std_m)))
        for step, one in steps.items()
    }
    tables = {**result.tables, "glaciers": table, "region": region, "dates": _dates()}
    tables |= {"accuracy": _accuracy(result, steps), "coregistration": _shifts(result)}
    tables["elevation_bands"] = _bands(result)
    raw, moved, after = steps.values()
    gates = dataset.gates.assign(value=abs(after.mean_m))
    changed = replace(result, totals=totals, before=raw, after_coregistration=moved, after=after, tables=tables)
    return replace(dataset, result=changed, gates=gates)


def _statistics_of(values: np.ndarray, like: Statistics) -> Statistics:
    """Of the pixels of stable terrain; the spread that pages show stays as it was."""
    return replace(
        like,
        mean_m=float(values.mean()),
        mean_absolute_m=float(np.abs(values).mean()),
        std_m=float(values.std()),
        rmse_m=float(np.sqrt((values**2).mean())),
    )


def _accuracy(result: ElevationChange, steps: dict[str, Statistics]) -> pd.DataFrame:
    """The table of accuracy, whose rows of all pixels are the statistics of each step."""
    table = result.tables["accuracy"].copy()
    for row in table.index[table["class"] == "all"]:
        for name, value in asdict(steps[str(table.loc[row, "step"])]).items():
            table.loc[row, name] = value
    table["rmse_m"] = np.hypot(table["mean_m"], table["std_m"])
    return table


def _bands(result: ElevationChange) -> pd.DataFrame:
    """The profiles of the glaciers, and of the region that they are together."""
    table = result.tables["elevation_bands"].copy()
    whole = table["glacier_id"] == "all"
    areas = table[~whole].groupby("lower_m")["area_km2"].sum()
    table.loc[whole, "area_km2"] = table.loc[whole, "lower_m"].map(areas)
    return table


def _shifts(result: ElevationChange) -> pd.DataFrame:
    """The iterations of the co-registration, which end at the shift."""
    table = result.tables["coregistration"].copy()
    table.loc[table.index[-1], ["shift_east_m", "shift_north_m"]] = (result.shift_m.east, result.shift_m.north)
    return table


def _region(glaciers: pd.DataFrame) -> pd.DataFrame:
    sums = {name: glaciers[name].sum() for name in ("area_km2", "volume_change_m3", "mass_change_kg")}
    mean = sums["volume_change_m3"] / sums["area_km2"] / 1e6
    counts = {"count": len(glaciers), "count_measured": len(glaciers)}
    row = {"region": "all", **counts, **sums, "mean_dh_m": mean, "observed_share": glaciers["observed_share"].min()}
    row |= {"filled_share": 1 - row["observed_share"], "extrapolated_share": 0.0, "outlier_share": 0.0}
    return pd.DataFrame([row], columns=REGION.column_names)


def _dates() -> pd.DataFrame:
    rows = [
        {"input": name, "product": "a DEM", "date": day, "sigma_years": 0.1, "basis": "as the test states it"}
        for name, day in (("earlier", EARLIER), ("later", LATER))
    ]
    return pd.DataFrame(rows, columns=DATES.column_names)


def complete_balance(dataset: Dataset) -> Dataset:
    """Fill in what the fake leaves out: area, AAR and the balances by each method."""
    result = dataset.result
    assert isinstance(result, MassBalance)
    points = _placed(result.tables["point_balances"])
    stakes = _placed(result.tables["stakes"])
    zones, hypsometry = _agreeing_zones(result, points)
    years = tuple(_with_isolines(_with_zone_balance(year, zones)) for year in result.years)
    table = result.tables["glacier_balances"].copy()
    for row, year in enumerate(years):
        values: dict[str, Any] = {
            "aar": year.aar,
            "area_km2": year.area_km2,
            "accumulation_area_km2": None if year.aar is None else year.aar * year.area_km2,
            "ablation_area_km2": None if year.aar is None else (1 - year.aar) * year.area_km2,
            "midseason_date": year.midseason,
            "sigma_winter_m_we": year.sigma_winter_m_we,
            "sigma_summer_m_we": year.sigma_summer_m_we,
            "field_balance_m_we": year.annual_m_we,
            "contour_balance_m_we": year.annual_m_we,
            "zone_balance_m_we": year.by_method.get("zone"),
        }
        for name, value in values.items():
            table[name] = table[name].astype(object)
            table.loc[row, name] = value
    tables = {
        "glacier_balances": table,
        "zone_balances": zones,
        "hypsometry": hypsometry,
        "point_balances": points,
        "stakes": stakes,
        "cumulative_balances": cumulative_table(years),
    }
    return replace(dataset, result=replace(result, years=years, tables={**result.tables, **tables}))


def _placed(records: pd.DataFrame) -> pd.DataFrame:
    """Records with their places in degrees too."""
    to_degrees = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
    longitude, latitude = to_degrees.transform(records["easting"].to_numpy(), records["northing"].to_numpy())
    return records.assign(longitude=longitude, latitude=latitude)


def _agreeing_zones(result: MassBalance, points: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Zones that together are as large as the glacier, and of which each that holds points has their mean."""
    zones, hypsometry = result.tables["zone_balances"].copy(), result.tables["hypsometry"].copy()
    used = points[(points["period"] == "annual") & (points["bound"] == "=")]
    for year in result.years:
        rows = zones.index[zones["year"] == year.year]
        area = year.area_km2 / len(rows) if len(rows) else 0.0
        zones.loc[rows, "area_km2"] = area
        hypsometry.loc[hypsometry["year"] == year.year, "area_km2"] = area
        own = used[used["year"] == year.year]
        held = np.clip(np.searchsorted(zones.loc[rows, "upper_m"], own["elevation_m"], "right"), 0, len(rows) - 1)
        for position, row in enumerate(rows):
            balances = own["balance_m_we"].to_numpy()[held == position]
            zones.loc[row, "n_points"] = balances.size
            if balances.size:
                zones.loc[row, ["basis", "annual_balance_m_we"]] = ["observed", balances.mean()]
            elif zones.loc[row, "basis"] == "observed":
                zones.loc[row, "basis"] = "interpolated"
    return zones, hypsometry


def _with_zone_balance(year: BalanceYear, zones: pd.DataFrame) -> BalanceYear:
    own = zones[zones["year"] == year.year]
    return replace(year, by_method={**year.by_method, "zone": _zoned(own)}) if len(own) else year


def _with_isolines(year: BalanceYear) -> BalanceYear:
    """The lines that the field of a year really has."""
    field = year.field
    if field is None:
        return year
    easting, northing = np.meshgrid(*field.grid.centres())
    contours = contour_generator(easting, northing, np.ma.masked_invalid(field.balance_m_we))
    lines = [
        Isoline(isoline.balance_m_we, MultiLineString(list(contours.lines(isoline.balance_m_we))))
        for isoline in field.isolines
        if contours.lines(isoline.balance_m_we)
    ]
    return replace(year, field=replace(field, isolines=tuple(lines)))


def _zoned(zones: pd.DataFrame) -> float:
    return float((zones["area_km2"] * zones["annual_balance_m_we"].round(2)).sum() / zones["area_km2"].sum())
