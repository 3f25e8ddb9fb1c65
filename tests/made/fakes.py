"""Small, seeded results of both chains, for tests of what is made of them; nothing here comes from the pipelines."""

from __future__ import annotations

from dataclasses import MISSING, fields
from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from rasterio.features import rasterize
from rasterio.transform import Affine
from scipy.ndimage import gaussian_filter
from shapely.affinity import scale
from shapely.geometry import LineString, Point, Polygon

from catalog.archive.dataset import Dataset
from catalog.archive.manifest import InputFile
from pipeline.elevation_change.result import (
    EXCLUDED,
    GLACIER,
    STABLE,
    VOID,
    CurvatureCorrection,
    DatumStep,
    ElevationChange,
    ElevationScale,
    GlacierTotals,
    NativeShift,
    PatchSpread,
    ResolutionCorrection,
    Shift,
    Statistics,
    TakenOff,
    Tilt,
    Undulation,
    Wave,
)
from pipeline.grid import Grid
from pipeline.mass_balance.result import BalanceField, BalanceYear, GlacierIdentity, Isoline, MassBalance
from schemas.definition import Definition, parse_definition
from schemas.messages import Message, word
from schemas.tables import ELEVATION_CHANGE_TABLES, MASS_BALANCE_TABLES, QUALITY_GATES

CRS = "EPSG:32645"
NOTE = Message(
    "{role} DEM, {tile}: {note}",
    role=word("earlier"),
    tile="N43E086.hgt",
    note=Message(
        "{percent:.2g} % of the pixels hold {value:g}, no height on Earth and not declared as nodata; void",
        percent=0.3,
        value=32768,
    ),
)
SOURCE = Message("{role} DEM, Zevenbergen and Thorne 3 x 3 at {pixel_m:g} m", role=word("later"), pixel_m=90.0)
HOSTILE = "=cmd()|' /C calc'!A0 <script>alert(1)</script> \u202e\x07"

_COMMON: dict[str, Any] = {
    "version": "1.2.0",
    "publication_date": date(2024, 5, 17),
    "publisher": "National Cryosphere Desert Data Center",
    "publisher_url": "https://www.ncdc.ac.cn",
    "licence": "other",
    "crs": CRS,
    "original": {
        "description": "as the source says",
        "data_source": "two DEMs",
        "processing_method": "differencing",
        "data_quality": "0.6 meters",
        "citation": "The dataset is provided by National Cryosphere Desert Data Center(https://www.ncdc.ac.cn).",
        "keywords": {
            "theme": ["Glacier", "Tianshan Mountains"],
            "subject": ["Earth Science"],
            "time": ["2000"],
            "place": ["Tianshan"],
        },
    },
    "contacts": [
        {"name": "Min Yufang", "phone": "09314967596", "email": "ncdc@lzb.ac.cn", "origin": "source"},
    ],
    "project": {"number": "2023NCDC008", "name": "Tianshan Glaciers Data Resource System"},
}


def _reading(text: str) -> dict[str, Any]:
    names = ("description", "data_source", "processing_method", "data_quality", "collect_place", "data_format")
    return {name: {"en": f"{text}: {name.replace('_', ' ')}", "cn": "冰川"} for name in names}


def make_elevation_change_definition() -> Definition:
    """A definition with every required key, not one of the archive's own."""
    return parse_definition(
        {
            **_COMMON,
            "kind": "elevation_change",
            "id": "test-elevation-change",
            "title": {"en": "Glacier elevation change in a test basin", "cn": "冰川高程变化"},
            "reading": _reading("Elevation change"),
            "extent": {"west": 86.5, "south": 43.0, "east": 87.5, "north": 43.3, "origin": "source"},
            "period": {
                "start": date(2000, 1, 1),
                "end": date(2010, 12, 31),
                "supported_start": date(2000, 2, 11),
                "supported_end": date(2014, 12, 31),
                "note": "the later DEM rests on scenes of 2011-2014",
                "note_cn": "后期DEM依据2011-2014年的影像",
            },
            "altitude": {"low": 2500.0, "high": 4500.0},
            "sources": [
                {"key": "earlier", "title": "SRTM V3", "files": ["*.hgt"], "attribution": "NASA and NIMA"},
                {"key": "later", "title": "FABDEM V1-2", "files": ["*.tif"], "url": "https://example.org/fabdem"},
                {"key": "outlines", "title": "Glacier outlines", "files": ["outlines.*"]},
            ],
            "gates": [
                {
                    "name": "off-glacier bias",
                    "name_cn": "非冰川区偏差",
                    "measure": "abs_mean_stable_dh",
                    "limit": 0.6,
                    "unit": "m",
                    "meaning": "mean difference off glaciers",
                }
            ],
            "processing": {"earlier_date": "2000-02-16", "later_date": "2012-06-30"},
        },
        "fake",
    )


def make_mass_balance_definition() -> Definition:
    """A definition with every required key, not one of the archive's own."""
    return parse_definition(
        {
            **_COMMON,
            "kind": "mass_balance",
            "id": "test-mass-balance",
            "title": {"en": "Mass balance of a test glacier", "cn": "冰川物质平衡"},
            "reading": _reading("Mass balance"),
            "extent": {
                "west": 84.37,
                "south": 43.7,
                "east": 84.42,
                "north": 43.75,
                "origin": "filled",
                "basis": "outline of the glacier",
            },
            "period": {"start": date(2000, 1, 1), "end": date(2003, 12, 31)},
            "altitude": {"low": 3490.0, "high": 4000.0},
            "sources": [
                {"key": "workbook", "title": "Field workbook", "files": ["*.xlsx"]},
                {"key": "dem", "title": "DEM", "files": ["dem.tif"]},
                {"key": "outline", "title": "Outline", "files": ["outline.geojson"]},
            ],
            "gates": [
                {
                    "name": "glacier-wide uncertainty",
                    "name_cn": "全冰川不确定性",
                    "measure": "sigma_annual_balance",
                    "limit": 200.0,
                    "unit": "kg m-2 a-1",
                    "meaning": "uncertainty of the glacier-wide balance",
                }
            ],
            "processing": {},
        },
        "fake",
    )


def _datum_left_to_coregistration() -> DatumStep:
    note = Message(
        "PROJ lacks the geoid grid ({grids}); the mean difference of the datums is in the vertical shift, its variation"
        " over the area stays in the result",
        grids="us_nga_egm08_25.tif",
    )
    return DatumStep("EPSG:5773", "EPSG:3855", word("left to co-registration"), note)


def make_elevation_change_dataset(shape: tuple[int, int] = (150, 340), seed: int = 7, **changes: Any) -> Dataset:
    """An elevation change of a basin with ridges, valleys and glaciers; rows and columns differ in number."""
    rng = np.random.default_rng(seed)
    grid = Grid(CRS, Affine(30.0, 0.0, 460020.0, 0.0, -30.0, 4794000.0), shape)
    surface = _mountains(rng, shape)
    outlines = _outlines(rng, grid, surface)
    # burning the union of both epochs, as the chain does
    mask = rasterize(((shape_, 1) for shape_ in outlines.geometry), out_shape=shape, transform=grid.transform) == 1
    noise = gaussian_filter(rng.normal(size=shape), 3) * 12 + rng.normal(size=shape) * 1.2
    loss = np.clip((surface - 4050) / 60, -16, 3)
    dh = noise + np.where(mask, loss, 0.0)
    sigma = 1.5 + 0.03 * gaussian_filter(np.abs(rng.normal(size=shape)) * 60, 4)
    classification = np.full(shape, STABLE, np.uint8)
    classification[_steep(surface) > 45] = EXCLUDED
    classification[mask] = GLACIER
    void = gaussian_filter(rng.normal(size=shape), 5) > 0.17
    classification[void] = VOID
    dh[void] = np.nan
    sigma[void] = np.nan
    tables = _elevation_change_tables(rng, outlines, dh, classification, grid)
    result = ElevationChange(
        grid=grid,
        dh_m=dh,
        sigma_dh_m=sigma,
        surface_m=surface,
        classification=classification,
        shift_m=Shift(12.34567, -45.678, 1.2),
        sigma_shift_m=Shift(0.21, 0.32, 0.04),
        shift_by_cosine_m=Shift(12.31, -45.71, 1.2),
        shift_native_pixels=NativeShift(0.2, 0.5),
        tilt=Tilt(1.2e-4, -3e-5, False),
        elevation_scale=ElevationScale(
            per_metre=2e-4, sigma_per_metre=1.5e-4, stands_out=False, explains=0.01, removed=False
        ),
        undulation=Undulation(
            waves=(
                Wave(
                    amplitude_m=1.9,
                    sigma_amplitude_m=0.2,
                    wavelength_m=8200.0,
                    sigma_wavelength_m=140.0,
                    azimuth_deg=41.0,
                ),
            ),
            explains=0.08,
            removed=False,
        ),
        before=_statistics(3.21, 8.5),
        after_coregistration=_statistics(0.41, 5.1),
        after=_statistics(0.12, 4.2),
        resolution=ResolutionCorrection(
            asked="point_spread",
            method="point_spread",
            reason=None,
            source=Message(
                "{role} DEM, Zevenbergen and Thorne 3 x 3 at {pixel_m:g} m", role=word("later"), pixel_m=30.0
            ),
            detail_kept=0.87,
            coefficient=0.93,
            point_spread_sigma_m=15.3,
            by_method={
                "point_spread": TakenOff(stable_m=0.02, glaciers_m=-0.41, nmad_m=4.2),
                "principal_curvatures": TakenOff(stable_m=0.03, glaciers_m=-0.62, nmad_m=4.4),
                "maximum_curvature": TakenOff(stable_m=0.05, glaciers_m=-1.7, nmad_m=4.7),
            },
        ),
        curvature=CurvatureCorrection(
            applied=True,
            source=SOURCE,
            knots_per_100m=(-1.0, 0.0, 1.0),
            bias_m=(2.0, 0.0, -3.0),
            nmad_before_m=5.1,
            nmad_after_m=4.2,
        ),
        datum=_datum_left_to_coregistration(),
        patches=PatchSpread(count=240, area_km2=0.8, mean=0.02, spread=1.04, robust_spread=1.01, enough=True),
        patches_on_smooth=PatchSpread(
            count=231, area_km2=0.8, mean=-0.11, spread=0.97, robust_spread=0.95, enough=True
        ),
        totals=_totals(tables["glaciers"]),
        outlines=outlines,
        notes=(NOTE,),
        tables=tables,
        figures=_figures(rng, dh[classification == STABLE]),
        settings=make_elevation_change_definition().processing,
    )
    fields = {
        "definition": make_elevation_change_definition(),
        "result": result,
        "inputs": (InputFile("earlier", "N43E086.hgt", 2884802, "0" * 64),),
        "synthetic": True,
        "gates": pd.DataFrame(
            [["off-glacier bias", "stable terrain", 0.12, 0.6, "m", True]], columns=QUALITY_GATES.column_names
        ),
    }
    return Dataset(**{**fields, **changes})


def make_mass_balance_dataset(seed: int = 3, **changes: Any) -> Dataset:
    """Three years of a small glacier; the middle one has no field."""
    rng = np.random.default_rng(seed)
    grid = Grid(CRS, Affine(10.0, 0.0, 290010.0, 0.0, -10.0, 4845500.0), (170, 140))
    outline = _glacier_outline(grid)
    easting, northing = np.meshgrid(*grid.centres())
    surface = 3480 + (grid.bounds[3] - northing) * 0.34 + 8 * np.sin(easting / 110) + 0.00012 * (easting - 290700) ** 2
    inside = rasterize([(outline, 1)], out_shape=grid.shape, transform=grid.transform) == 1
    points = _points(rng, outline, grid, surface)
    years = tuple(
        _balance_year(year, offset, grid, surface, inside, outline)
        for year, offset in ((2001, -0.3), (2002, None), (2003, 0.25))
    )
    result = MassBalance(
        glacier=GlacierIdentity(
            glacier_id="CN5Y741C0051", name="Test Glacier No. 51", longitude=84.391, latitude=43.731, crs=CRS
        ),
        outline=outline,
        years=years,
        tables=_mass_balance_tables(points, years),
        settings=make_mass_balance_definition().processing,
    )
    gates = [
        ["glacier-wide uncertainty", str(year.year), 1000 * (year.sigma_annual_m_we or 0.1), 200.0, "kg m-2 a-1", True]
        for year in years
    ]
    fields = {
        "definition": make_mass_balance_definition(),
        "result": result,
        "inputs": (InputFile("workbook", "glacier51.xlsx", 8800, "1" * 64),),
        "synthetic": True,
        "gates": pd.DataFrame(gates, columns=QUALITY_GATES.column_names),
    }
    return Dataset(**{**fields, **changes})


def _statistics(mean: float, spread: float) -> Statistics:
    return Statistics(
        count=41234,
        mean_m=mean,
        mean_absolute_m=spread * 0.8,
        median_m=mean - 0.1,
        std_m=spread * 1.3,
        nmad_m=spread,
        rmse_m=spread * 1.31,
        le90_m=spread * 1.9,
    )


def _mountains(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    rough = sum(
        gaussian_filter(rng.normal(size=shape), size) * size * gain for size, gain in ((24, 620), (9, 320), (3, 60))
    )
    ridges = 500 * (1 - np.abs(np.sin(columns / 24 + rows / 41 + 0.002 * rough)))
    return 3350 + 0.35 * rough + ridges + 350 * np.sin(rows / shape[0] * np.pi)


def _steep(surface: np.ndarray) -> np.ndarray:
    return np.degrees(np.arctan(np.hypot(*np.gradient(surface, 30.0))))


def _outlines(rng: np.random.Generator, grid: Grid, surface: np.ndarray) -> gpd.GeoDataFrame:
    records = []
    high = np.argwhere(gaussian_filter(surface, 4) > np.quantile(surface, 0.93))
    chosen = high[rng.choice(len(high), 9, replace=False)]
    for number, (row, column) in enumerate(sorted(map(tuple, chosen)), start=1):
        centre = Point(grid.bounds[0] + 30.0 * (column + 0.5), grid.bounds[3] - 30.0 * (row + 0.5))
        angles = np.linspace(0, 2 * np.pi, 60, endpoint=False)
        radius = 330 * (1 + 0.3 * np.sin(3 * angles + number) + 0.12 * np.sin(7 * angles)) * (0.6 + 0.11 * number)
        earlier = Polygon(
            np.column_stack([centre.x + radius * np.cos(angles) * 0.8, centre.y + radius * np.sin(angles) * 1.5])
        )
        name = HOSTILE if number == 4 else f"Glacier No. {number}"
        for epoch, shape in (("2000", earlier), ("2012", scale(earlier, 0.9, 0.88))):
            records.append((f"RGI60-13.{number:05d}", name, epoch, shape))
    frame = pd.DataFrame(records, columns=["glacier_id", "glacier_name", "epoch", "geometry"])
    return gpd.GeoDataFrame(frame, geometry="geometry", crs=CRS)


def _elevation_change_tables(
    rng: np.random.Generator, outlines: gpd.GeoDataFrame, dh: np.ndarray, classification: np.ndarray, grid: Grid
) -> dict[str, pd.DataFrame]:
    schemas = {table.name: table for table in ELEVATION_CHANGE_TABLES}
    union = outlines.dissolve("glacier_id")
    degrees = union.to_crs("EPSG:4326").geometry.representative_point()
    rows = []
    for number, (glacier_id, glacier) in enumerate(union.iterrows()):
        area = glacier.geometry.area / 1e6
        mean = -0.9 * number + 1.23456
        rows.append(
            {
                "glacier_id": glacier_id,
                "glacier_name": glacier.glacier_name,
                "longitude": degrees.iloc[number].x,
                "latitude": degrees.iloc[number].y,
                "area_earlier_km2": area,
                "area_later_km2": area * 0.8,
                "area_km2": area,
                "mean_dh_m": mean,
                "sigma_mean_dh_m": 0.4,
                "median_dh_m": mean,
                "volume_change_m3": mean * area * 1e6,
                "sigma_volume_change_m3": 0.4 * area * 1e6,
                "mass_change_kg": mean * area * 850e6,
                "sigma_mass_change_kg": 4e8,
                "observed_share": 0.9375,
                "flags": "voids filled" if number % 2 else None,
            }
        )
    glaciers = pd.DataFrame(rows, columns=schemas["glaciers"].column_names)
    edges = np.arange(3600.0, 4400.0, 100.0)
    bands = pd.DataFrame(
        [
            [name, low, low + 100, 2.0 - abs(low - 4000) / 250, 0.9, (low - 4200) / 50, 0.3, (low - 4200) / 50, 3.0]
            for name in ("all", *glaciers.glacier_id[:2])
            for low in edges
        ],
        columns=schemas["elevation_bands"].column_names,
    )
    accuracy = pd.DataFrame(
        [
            [step, class_, low, low + 10, unit, 4000, mean, 4.0, mean, 6.0, 5.0, 6.1, 9.0]
            for step, mean in (("raw", 3.2), ("coregistered", 0.4), ("corrected", 0.1))
            for class_, low, unit in (("all", 0.0, ""), ("slope", 4.0, "degree"), ("slope", 14.0, "degree"))
        ],
        columns=schemas["accuracy"].column_names,
    )
    checks = pd.DataFrame(
        [
            ["later", "all", "void share", 0.012, 0.2, "1", True, "voids"],
            ["earlier", "N43E086.hgt", "spikes", 3, 50, "1", True, ""],
        ],
        columns=schemas["dem_checks"].column_names,
    )
    steps = pd.DataFrame(
        [[k, 12.3 * (1 - 0.1**k), -45.6 * (1 - 0.1**k), 1.2, 8.5 - k, 41234] for k in range(4)],
        columns=schemas["coregistration"].column_names,
    )
    return {
        "glaciers": glaciers,
        "elevation_bands": bands,
        "accuracy": accuracy,
        "dem_checks": checks,
        "coregistration": steps,
        "resolution": _resolution_table(schemas["resolution"].column_names),
    }


def _resolution_table(columns: tuple[str, ...]) -> pd.DataFrame:
    rows = []
    for method, stable, glaciers in (
        ("point_spread", 0.02, -0.41),
        ("principal_curvatures", 0.03, -0.62),
        ("maximum_curvature", 0.05, -1.7),
    ):
        shared = {"method": method, "published": method == "point_spread", "sigma_taken_off_m": 0.05}
        rows.append({**shared, "area": "stable", "lower_m": 0.0, "upper_m": 0.0, "taken_off_m": stable})
        rows += [
            {
                **shared,
                "area": "band",
                "lower_m": low,
                "upper_m": low + 200,
                "taken_off_m": stable + (low - 3900) / 1500,
            }
            for low in np.arange(3400.0, 4400.0, 200.0)
        ]
        rows.append({**shared, "area": "glaciers", "lower_m": 0.0, "upper_m": 0.0, "taken_off_m": glaciers})
    return pd.DataFrame(rows, columns=list(columns)).astype({"count": "Int64"})


def _totals(glaciers: pd.DataFrame) -> GlacierTotals:
    area, volume = glaciers.area_km2.sum(), glaciers.volume_change_m3.sum()
    return GlacierTotals(
        count=len(glaciers),
        area_km2=area,
        mean_dh_m=volume / area / 1e6,
        sigma_mean_dh_m=0.31,
        mean_dhdt_m_a=volume / area / 1e6 / 12.9,
        sigma_mean_dhdt_m_a=0.05,
        volume_change_m3=volume,
        sigma_volume_change_m3=3e6,
        mass_change_kg=volume * 850,
        sigma_mass_change_kg=3e9,
        observed_share=0.94,
    )


def _figures(rng: np.random.Generator, stable: np.ndarray) -> dict[str, Any]:
    aspect = np.arange(2.5, 360, 5.0)
    a, b, c = 47.3, 165.0, 3.2
    curve = a * np.cos(np.radians(b - aspect)) + c
    edges = np.linspace(-30, 30, 121)
    values = stable[np.isfinite(stable)]
    count = np.histogram(values, edges)[0]
    centres = (edges[:-1] + edges[1:]) / 2
    wide = count.sum() * np.exp(-(((centres - 3.2) / 9) ** 2) / 2) / (9 * np.sqrt(2 * np.pi)) * 0.5
    curvature = np.linspace(-4, 4, 21)
    lag = np.geomspace(30, 9000, 24)
    model = 0.35 * (1 - np.exp(-lag / 120)) + 0.5 * (1 - np.exp(-lag / 700)) + 0.12 * (1 - np.exp(-lag / 5000))
    return {
        "aspect": {
            "bin_centre_deg": aspect,
            "before": curve + rng.normal(size=aspect.size) * 3,
            "after": rng.normal(size=aspect.size) * 1.5,
            "fit_a": a,
            "fit_b_deg": b,
            "fit_c": c,
            "after_fit_a": 0.3,
            "after_fit_b_deg": 20.0,
            "after_fit_c": 0.02,
        },
        "curvature": {
            "centre_per_100m": curvature,
            "before_m": -3.0 * np.tanh(curvature) + rng.normal(size=21) * 0.2,
            "after_m": rng.normal(size=21) * 0.25,
        },
        "histogram": {"edges_m": edges, "raw": wide, "coregistered": count * 0.9, "corrected": count},
        "variogram": {
            "lag_m": lag,
            "empirical": model * (1 + rng.normal(size=24) * 0.04),
            "model": model,
            "ranges_m": (120.0, 700.0, 5000.0),
            "sills": (0.35, 0.5, 0.12),
        },
        "patches": {"area_km2": 0.8, "standardised": rng.normal(size=240) * 1.04, "spread": 1.04, "enough": True},
        "undulation": {
            "distance_m": np.arange(0.0, 12_000.0, 500.0),
            "mean_m": 1.9 * np.sin(np.arange(0.0, 12_000.0, 500.0) / 8200 * 2 * np.pi) + rng.normal(size=24) * 0.3,
            "fitted_m": 1.9 * np.sin(np.arange(0.0, 12_000.0, 500.0) / 8200 * 2 * np.pi),
        },
        "dem_checks": {role: _check_numbers(rng, shift) for role, shift in (("earlier", 0.0), ("later", 30.0))},
    }


def _check_numbers(rng: np.random.Generator, shift_m: float) -> dict[str, Any]:
    shape, west, north, cell_m = (24, 50), 460020.0, 4794000.0, 204.0
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    void = (rng.random(shape) > 0.96).astype(np.float32)
    heights = np.where(void == 1, np.nan, 3400 + 300 * np.sin(columns / 6) * np.cos(rows / 4)).astype(np.float32)
    spikes = np.zeros(shape, np.int64)
    spikes[5, 12] = 2
    edges = np.arange(3000.0, 4000.0, 50.0) + shift_m
    share = np.exp(-(((edges[:-1] - 3450) / 200) ** 2))
    line = [(west + 25 * cell_m, north), (west + 25 * cell_m, north - shape[0] * cell_m)]
    return {
        "extent_m": (west, north - shape[0] * cell_m, west + shape[1] * cell_m, north),
        "cell_m": cell_m,
        "void_share": void,
        "spikes": spikes,
        "level_share": ((rows > 15) & (columns < 8)).astype(np.float32),
        "lowest_m": heights,
        "highest_m": heights + 90,
        "hypsometry_edges_m": edges,
        "hypsometry_share": share / share.sum(),
        "worst_spike": None,
        "seams": [{"tiles": "a | b", "step_m": 4.0, "noise_m": 0.2, "passed": shift_m == 0, "line_m": line}],
    }


def _glacier_outline(grid: Grid) -> Polygon:
    west, south, east, north = grid.bounds
    angles = np.linspace(0, 2 * np.pi, 80, endpoint=False)
    width = 420 * (1 + 0.25 * np.sin(2 * angles + 0.6))
    return Polygon(
        np.column_stack(
            [
                (west + east) / 2 + width * np.cos(angles) + 60 * np.sin(angles),
                (south + north) / 2 + 760 * np.sin(angles),
            ]
        )
    )


def _points(rng: np.random.Generator, outline: Polygon, grid: Grid, surface: np.ndarray) -> pd.DataFrame:
    west, south, _, north = grid.bounds
    records = []
    for number in range(1, 19):
        y = south + (north - south) * (0.1 + 0.8 * (number - 1) / 17)
        chord = outline.intersection(LineString([(west, y), (west + 1400, y)])).bounds
        x = chord[0] + (chord[2] - chord[0]) * (0.2, 0.5, 0.8)[number % 3]
        row, column = (round(float(v)) for v in grid.index_of(np.array(x), np.array(y)))
        records.append((f"{number}", x, y, float(surface[row, column]) + float(rng.normal())))
    return pd.DataFrame(records, columns=["point_id", "easting", "northing", "elevation_m"])


def _annual(surface: np.ndarray, offset: float) -> np.ndarray:
    return np.minimum((surface - 3790) / 160, 0.2 + (surface - 3790) / 420) + offset


def _balance_year(
    year: int, offset: float | None, grid: Grid, surface: np.ndarray, inside: np.ndarray, outline: Polygon
) -> BalanceYear:
    if offset is None:
        given = {"year": year, "time_system": "FLO", "area_km2": 1.48, "by_method": {}, "provenance": "reconstructed"}
        empty = {
            each.name: None
            for each in fields(BalanceYear)
            if each.name not in given and each.default is MISSING and each.default_factory is MISSING
        }
        return BalanceYear(**{**empty, **given, "flags": ("too_few_points:2",)})
    field = np.where(inside, _annual(surface, offset), np.nan)
    west, _, east, _ = grid.bounds
    lines = []
    for value in np.round(np.arange(-2.5, 1.51, 0.1), 1):
        y = _northing_of(float(value), offset, grid)
        line = outline.intersection(
            LineString([(west + k * (east - west) / 40, y + 40 * np.sin(k / 4)) for k in range(41)])
        )
        if not line.is_empty:
            lines.append(Isoline(float(value), line))
    balance = float(np.nanmean(field))
    sigma = np.where(inside, 0.12 + 0.05 * np.abs(field), np.nan)
    return BalanceYear(
        year=year,
        begin=date(year - 1, 8, 28),
        midseason=date(year, 5, 30) if year == 2001 else None,
        end=date(year, 8, 30),
        time_system="FLO",
        annual_m_we=balance,
        winter_m_we=0.21 if year == 2001 else None,
        summer_m_we=balance - 0.21 if year == 2001 else None,
        sigma_annual_m_we=0.14,
        sigma_winter_m_we=0.08 if year == 2001 else None,
        sigma_summer_m_we=0.16 if year == 2001 else None,
        ela_m=3790.0 - 160 * offset,
        ela_position="=",
        aar=float(np.nanmean(field[inside] > 0)),
        area_km2=float(inside.sum() * grid.pixel_area_km2),
        by_method={"contour": balance, "zone": balance + 0.03},
        provenance="observed",
        flags=("bound_not_used:3",),
        field=BalanceField(
            grid=grid,
            balance_m_we=field,
            sigma_balance_m_we=sigma,
            surface_m=surface,
            isolines=tuple(lines),
            outline=outline,
        ),
        sigma_ela_m=14.0,
        sigma_aar=0.03,
    )


def _northing_of(value: float, offset: float, grid: Grid) -> float:
    heights = np.linspace(3400, 4200, 1601)
    height = float(np.interp(value, _annual(heights, offset), heights))
    return grid.bounds[3] - (height - 3480) / 0.34


def _mass_balance_tables(points: pd.DataFrame, years: tuple[BalanceYear, ...]) -> dict[str, pd.DataFrame]:
    schemas = {table.name: table for table in MASS_BALANCE_TABLES}
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in schemas}
    rows["stakes"] = [
        {
            "stake_id": p.point_id,
            "easting": p.easting,
            "northing": p.northing,
            "elevation_m": p.elevation_m,
            "remarks": HOSTILE,
        }
        for p in points.itertuples()
    ]
    rows["readings"] = [
        {
            "stake_id": p.point_id,
            "leg": 1,
            "date": date(2000, 8, 28),
            "exposed_m": 1.2345,
            "surface": "ice",
            "status": "ok",
        }
        for p in points.itertuples()
    ]
    for year in years:
        identity = {"glacier_id": "CN5Y741C0051", "year": year.year, "provenance": year.provenance}
        rows["glacier_balances"].append(
            {
                **identity,
                "begin_date": year.begin,
                "end_date": year.end,
                "time_system": year.time_system,
                "annual_balance_m_we": year.annual_m_we,
                "sigma_annual_m_we": year.sigma_annual_m_we,
                "winter_balance_m_we": year.winter_m_we,
                "sigma_winter_m_we": year.sigma_winter_m_we,
                "summer_balance_m_we": year.summer_m_we,
                "sigma_summer_m_we": year.sigma_summer_m_we,
                "aar": year.aar,
                "sigma_aar": year.sigma_aar,
                "area_km2": year.area_km2,
                "ela_m": year.ela_m,
                "sigma_ela_m": year.sigma_ela_m,
                "ela_position": year.ela_position,
                "gate_passed": True if year.field else None,
                "flags": ";".join(year.flags),
            }
        )
        if year.field is None:
            continue
        offset = {2001: -0.3, 2003: 0.25}[year.year]
        for p in points.itertuples():
            value = float(_annual(np.array(p.elevation_m), offset))
            rows["point_balances"].append(
                {
                    "point_id": p.point_id,
                    "kind": "stake",
                    "year": year.year,
                    "period": "annual",
                    "begin_date": year.begin,
                    "end_date": year.end,
                    "easting": p.easting,
                    "northing": p.northing,
                    "elevation_m": p.elevation_m,
                    "balance_m_we": value + 0.03,
                    "sigma_balance_m_we": 0.12,
                    "bound": "<=" if p.point_id == "2" else "=",
                    "readings": f"{p.point_id}/1/2000-08-28",
                }
            )
        for low in range(3500, 4000, 50):
            rows["zone_balances"].append(
                {
                    "year": year.year,
                    "lower_m": low,
                    "upper_m": low + 50,
                    "area_km2": 0.148,
                    "annual_balance_m_we": float(_annual(np.array(low + 25.0), offset)),
                    "sigma_annual_m_we": 0.13,
                    "basis": ("observed", "interpolated", "extrapolated")[low // 50 % 3],
                    "n_points": 2,
                }
            )
            rows["hypsometry"].append({"year": year.year, "lower_m": low, "upper_m": low + 50, "area_km2": 0.148})
    return {name: pd.DataFrame(rows[name], columns=table.column_names) for name, table in schemas.items()}
