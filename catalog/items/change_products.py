"""The files of an elevation change: rasters, outlines, styles, maps and diagrams, for an archive or a run of one's own.

What writes a file here returns the asset that a catalogue makes of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.archive import (
    CLASSIFICATION_TIF,
    COG,
    ELEVATION_CHANGE_SIGMA_TIF,
    ELEVATION_CHANGE_TIF,
    GEOJSON,
    GLACIERS_GEOJSON,
    MAP_PNG,
    OUTLINES_GEOJSON,
    OUTLINES_PARQUET,
    PARQUET,
    THUMBNAIL_PNG,
    VISUAL_TIF,
    Asset,
)
from catalog.figures import CLASS_COLOURS, ChangePicture, change_limit, outlined_pixels, sigma_limit
from catalog.formats import (
    CLASS_NODATA,
    VISUAL_NODATA,
    Feature,
    filled_up,
    published_table,
    to_degrees,
    write_cog,
    write_features,
    write_parquet,
)
from catalog.items.measured_rasters import MeasuredRaster, write_measured_raster
from catalog.items.qgis import write_change_styles
from catalog.items.stated import PNG, Labels
from catalog.tables import glacier_shapes, published_outlines
from pipeline.elevation_change.result import EXCLUDED, GLACIER, STABLE, VOID, ElevationChange, FinalRasters
from pipeline.worker_threads import worker_threads
from schemas.messages import Message
from schemas.tables import GLACIERS

if TYPE_CHECKING:
    import geopandas as gpd

# by value: name, title and description
CLASSES = {
    VOID: (
        "void",
        Message("Void"),
        Message("No elevation change: one of the two elevation models has no value here, or a blunder on a glacier"),
    ),
    STABLE: (
        "stable",
        Message("Stable"),
        Message("Stable terrain off glaciers, used for co-registration and accuracy"),
    ),
    GLACIER: ("glacier", Message("Glacier"), Message("Glacier in the outlines of any epoch")),
    EXCLUDED: (
        "excluded",
        Message("Excluded"),
        Message("Off glaciers but not used: near an outline, too flat or steep, water, or an outlier"),
    ),
}


def write_change_products(result: ElevationChange, place: Path, labels: Labels, *, figures: bool) -> tuple[Asset, ...]:
    """Write every file of an elevation change that a catalogue shows, but its tables, into ``place``.

    Parameters
    ----------
    labels : what the files say of themselves.
    figures : whether map, diagrams and thumbnail are drawn.
    """
    # GDAL and zlib leave the interpreter free: the rasters are packed while the figures are drawn
    with worker_threads(1) as pool:
        rasters = pool.submit(_write_all_rasters, result, place, labels)
        drawn = (_draw_thumbnail(result, place, labels), *draw_change_figures(result, place, labels)) if figures else ()
        return (*rasters.result(), *write_change_vectors(result, place, labels), *drawn)


def _write_all_rasters(result: ElevationChange, place: Path, labels: Labels) -> tuple[Asset, ...]:
    return (*write_change_rasters(result, place, labels), _write_visual(result, place, labels))


def write_change_rasters(result: FinalRasters | ElevationChange, place: Path, labels: Labels) -> tuple[Asset, ...]:
    """Write elevation change, its standard deviation and the classification into ``place``."""
    return tuple(_write_rasters(result, place, labels))


def write_change_vectors(result: ElevationChange, place: Path, labels: Labels) -> tuple[Asset, ...]:
    """Write glaciers and outlines, and the styles of all layers, into ``place``."""
    return (*write_change_outlines(result, place, labels.about), *_write_styles(result, place))


def draw_change_figures(result: ElevationChange, place: Path, labels: Labels) -> tuple[Asset, ...]:
    """Draw the map and every diagram for which there are numbers."""
    return (_draw_map(result, place, labels), *_draw_diagrams(result, place, labels.synthetic))


def _write_rasters(result: FinalRasters | ElevationChange, place: Path, labels: Labels) -> Iterator[Asset]:
    for raster in (
        MeasuredRaster(
            key="elevation_change",
            name=ELEVATION_CHANGE_TIF,
            values=result.dh_m,
            unit="m",
            band=Message("elevation change, later minus earlier"),
            title=Message("Elevation change"),
            description=Message("Surface elevation change in metres, later minus earlier; gain is positive"),
        ),
        MeasuredRaster(
            key="elevation_change_sigma",
            name=ELEVATION_CHANGE_SIGMA_TIF,
            values=result.sigma_dh_m,
            unit="m",
            band=Message("one standard deviation of the elevation change"),
            title=Message("Uncertainty of the elevation change"),
            description=Message("One standard deviation of the elevation change of a pixel, in metres"),
            roles=("data", "uncertainty"),
        ),
    ):
        yield write_measured_raster(raster, result.grid, place / raster.name, labels.tags)
    yield _write_classification(result, place, labels)


def _write_classification(result: FinalRasters | ElevationChange, place: Path, labels: Labels) -> Asset:
    names = {f"CLASS_{value}": name for value, (name, _, _) in CLASSES.items()}
    write_cog(
        place / CLASSIFICATION_TIF,
        result.classification,
        result.grid,
        nodata=CLASS_NODATA,
        unit="",
        resampling="nearest",
        description=Message("void, stable, glacier or excluded"),
        tags={**labels.tags, **names},
        colormap=CLASS_COLOURS,
    )
    return Asset(
        key="classification",
        href=CLASSIFICATION_TIF,
        title=Message("Classification"),
        media_type=COG,
        roles=("data", "classification"),
        description=Message("What each pixel is: glacier, stable terrain, excluded or void"),
        extra={"raster:sampling": "area", "classification:classes": _classes()},
    )


def _write_visual(result: ElevationChange, place: Path, labels: Labels) -> Asset:
    """The picture that viewers without a colour scale of ours show."""
    grid = result.grid
    limit = change_limit(result)
    outlines = [] if result.outlines is None else result.outlines.geometry
    picture, frame = filled_up(ChangePicture(result, limit, outlined_pixels(outlines, grid)), grid, VISUAL_NODATA)
    write_cog(
        place / VISUAL_TIF, picture, frame, nodata=VISUAL_NODATA, unit="",
        resampling="average", description=("red", "green", "blue"),
        tags={**labels.tags, "COLOUR_SCALE_M": f"{limit:g}"},
    )  # fmt: skip
    return Asset(
        key="visual",
        href=VISUAL_TIF,
        title=Message("Elevation change in colour"),
        media_type=COG,
        roles=("visual", "overview"),
        description=Message(
            "Red for loss, blue for gain, from -{limit:g} to {limit:g} m, over shaded relief; glaciers outlined",
            limit=limit,
        ),
        extra={"raster:sampling": "area"},
    )


def _draw_thumbnail(result: ElevationChange, place: Path, labels: Labels) -> Asset:
    from catalog.figures import draw_change_thumbnail  # half a second of matplotlib, which only drawing needs

    draw_change_thumbnail(place / THUMBNAIL_PNG, result, labels.picture, labels.synthetic)
    return Asset(
        key="thumbnail",
        href=THUMBNAIL_PNG,
        title=Message("Thumbnail with colour scale"),
        media_type=PNG,
        roles=("thumbnail",),
    )


def _draw_map(result: ElevationChange, place: Path, labels: Labels) -> Asset:
    from catalog.figures import draw_change_map  # likewise

    draw_change_map(place / MAP_PNG, result, labels.picture, labels.synthetic)
    return Asset(
        key="map",
        href=MAP_PNG,
        title=Message("Map of the elevation change with glacier outlines"),
        media_type=PNG,
        roles=("overview",),
    )


def _draw_diagrams(result: ElevationChange, place: Path, synthetic: bool) -> Iterator[Asset]:
    from catalog.figures import diagrams_of  # likewise

    for diagram in diagrams_of(result):
        name = f"{diagram.name}.png"
        diagram.draw(place / name, result, synthetic)
        yield Asset(
            key=f"figure_{diagram.name}", href=name, title=diagram.title, media_type=PNG, roles=("overview", "figure")
        )


def write_change_outlines(result: ElevationChange, place: Path, about: dict[str, Any]) -> Iterator[Asset]:
    """The glaciers with their records, and the outlines of each epoch; nothing where there are none.

    ``about`` stands beside the features.
    """
    if result.outlines is None:
        return
    write_features(place / GLACIERS_GEOJSON, _glaciers(result, result.outlines), result.grid.crs, about)
    yield Asset(
        key="glaciers",
        href=GLACIERS_GEOJSON,
        title=Message("Glaciers with their elevation change"),
        media_type=GEOJSON,
        roles=("data",),
        description=Message("The area of all epochs together of each glacier, with its row of the table glaciers"),
    )
    table, shapes = published_outlines(result.outlines)
    records = (dict(zip(table.table.column_names, row, strict=True)) for row in table.rows)
    write_features(place / OUTLINES_GEOJSON, zip(shapes, records, strict=True), result.grid.crs, about)
    yield Asset(
        key="outlines",
        href=OUTLINES_GEOJSON,
        title=Message("Glacier outlines of each epoch"),
        media_type=GEOJSON,
        roles=("data",),
        description=Message("Outlines as used, one feature a glacier and epoch"),
    )
    write_parquet(place / OUTLINES_PARQUET, table, [to_degrees(shape, result.grid.crs) for shape in shapes])
    yield Asset(
        key="outlines_geoparquet",
        href=OUTLINES_PARQUET,
        title=Message("Glacier outlines of each epoch (GeoParquet)"),
        media_type=PARQUET,
        roles=("data",),
        description=Message("The same outlines as GeoParquet"),
    )


def _write_styles(result: ElevationChange, place: Path) -> Iterator[Asset]:
    classes = [(value, CLASS_COLOURS[value], str(title)) for value, (_, title, _) in CLASSES.items()]
    epochs = None if result.outlines is None else [str(epoch) for epoch in result.outlines["epoch"]]
    yield from write_change_styles(place, (change_limit(result), sigma_limit(result)), classes, epochs)


def _glaciers(result: ElevationChange, outlines: gpd.GeoDataFrame) -> Iterator[Feature]:
    """Each glacier of the table, rounded as the table is, with the union of its outlines."""
    table = published_table(GLACIERS, result.tables[GLACIERS.name])
    shapes = glacier_shapes(outlines)
    for row in table.rows:
        record = dict(zip(table.table.column_names, row, strict=True))
        if record["glacier_id"] in shapes:
            yield shapes[record["glacier_id"]], record


def _classes() -> list[dict[str, Any]]:
    return [
        {
            "value": value,
            "name": name,
            "title": title,
            "description": description,
            "color_hint": "".join(f"{part:02X}" for part in CLASS_COLOURS[value]),
        }
        for value, (name, title, description) in CLASSES.items()
    ]
