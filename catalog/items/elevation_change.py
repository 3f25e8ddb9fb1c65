"""The item of an elevation-change collection: rasters, outlines, figures, and what STAC says of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from catalog.archive.items import Asset, Dataset, Item
from catalog.archive.layout import CollectionFolder, elevation_change_item_id
from catalog.archive.media_types import COG, GEOJSON, PARQUET
from catalog.figures.change_picture import ChangePicture, change_limit, outlined_pixels, sigma_limit
from catalog.figures.colours import CLASS_COLOURS
from catalog.figures.elevation_change import diagrams_of, draw_change_map, draw_change_thumbnail
from catalog.formats.cogs import CLASS_NODATA, NODATA, VISUAL_NODATA, write_cog
from catalog.formats.even_overviews import filled_up
from catalog.formats.geojson import Feature, bbox_of, footprint, to_degrees, to_geojson, write_features
from catalog.formats.parquet import write_parquet
from catalog.items.processing_steps import elevation_change_steps, inputs_of, processing_expression
from catalog.items.qgis import write_change_styles
from catalog.items.stated import PNG, gate_records, plain, raster_tags, supported_period
from catalog.items.titles_cn import renders_cn, with_chinese
from catalog.metadata.facts import Facts, describe
from catalog.tables.places import glacier_shapes, published_outlines
from catalog.tables.write import published_tables
from pipeline.elevation_change.result import EXCLUDED, GLACIER, STABLE, VOID, ElevationChange
from pipeline.progress import Tell, silent
from pipeline.worker_threads import worker_threads
from schemas.definition import Bilingual
from schemas.messages import Message, Paragraph, word

CLASSES = {
    VOID: ("void", "No elevation change: one of the two elevation models has no value here, or a blunder on a glacier"),
    STABLE: ("stable", "Stable terrain off glaciers, used for co-registration and accuracy"),
    GLACIER: ("glacier", "Glacier in the outlines of any epoch"),
    EXCLUDED: ("excluded", "Off glaciers but not used: near an outline, too flat or steep, water, or an outlier"),
}


def write_elevation_change(
    dataset: Dataset, facts: Facts, folder: CollectionFolder, tell: Tell = silent
) -> tuple[Item, ...]:
    """Write the items of an elevation-change collection into its folder: one for each pair of DEMs.

    ``facts`` of the dataset; each of several pairs of DEMs has facts of its own.

    Errors
    ------
    TypeError : the dataset's result is no elevation change.
    """
    return tuple(_write_item(part, describe(part) if dataset.pairs else facts, folder, tell) for part in dataset.parts)


def _write_item(dataset: Dataset, facts: Facts, folder: CollectionFolder, tell: Tell) -> Item:
    result = dataset.result
    if not isinstance(result, ElevationChange):
        raise TypeError(f"{dataset.definition.id}: not an elevation change")
    place = folder.item(elevation_change_item_id(dataset.pair))
    place.mkdir(parents=True, exist_ok=True)
    tell("writing elevation-change rasters and figures")
    # GDAL and zlib leave the interpreter free: the rasters are packed while the figures are drawn
    with worker_threads(1) as pool:
        rasters = pool.submit(lambda: tuple(_write_rasters(dataset, result, place)))
        drawn = (*_draw_maps(dataset, result, place), *_draw_diagrams(dataset, result, place))
        vectors = (*_write_outlines(dataset, result, facts.title.en, place), *_write_styles(result, place))
        assets = (*rasters.result(), *vectors, *drawn)
    return _item(dataset, facts, result, place, assets)


def _write_rasters(dataset: Dataset, result: ElevationChange, place: Path) -> Iterator[Asset]:
    tags = raster_tags(dataset)
    grid = result.grid
    write_cog(
        place / "elevation_change.tif", result.dh_m, grid, nodata=NODATA, unit="m", resampling="average",
        description="elevation change, later minus earlier", tags=tags,
    )  # fmt: skip
    yield Asset(
        key="elevation_change",
        href="elevation_change.tif",
        title="Elevation change",
        media_type=COG,
        roles=("data",),
        description="Surface elevation change in metres, later minus earlier; gain is positive",
        extra={"raster:sampling": "area"},
    )
    write_cog(
        place / "elevation_change_sigma.tif", result.sigma_dh_m, grid, nodata=NODATA, unit="m", resampling="average",
        description="one standard deviation of the elevation change", tags=tags,
    )  # fmt: skip
    yield Asset(
        key="elevation_change_sigma",
        href="elevation_change_sigma.tif",
        title="Uncertainty of the elevation change",
        media_type=COG,
        roles=("data", "uncertainty"),
        description="One standard deviation of the elevation change of a pixel, in metres",
        extra={"raster:sampling": "area"},
    )
    names = {f"CLASS_{value}": name for value, (name, _) in CLASSES.items()}
    write_cog(
        place / "classification.tif",
        result.classification,
        grid,
        nodata=CLASS_NODATA,
        unit="",
        resampling="nearest",
        description="void, stable, glacier or excluded",
        tags={**tags, **names},
        colormap=CLASS_COLOURS,
    )
    yield Asset(
        key="classification",
        href="classification.tif",
        title="Classification",
        media_type=COG,
        roles=("data", "classification"),
        description="What each pixel is: glacier, stable terrain, excluded or void",
        extra={"raster:sampling": "area", "classification:classes": _classes()},
    )
    limit = change_limit(result)
    outlines = [] if result.outlines is None else result.outlines.geometry
    picture, frame = filled_up(ChangePicture(result, limit, outlined_pixels(outlines, grid)), grid, VISUAL_NODATA)
    write_cog(
        place / "visual.tif", picture, frame, nodata=VISUAL_NODATA, unit="",
        resampling="average", description=("red", "green", "blue"), tags={**tags, "COLOUR_SCALE_M": f"{limit:g}"},
    )  # fmt: skip
    yield Asset(
        key="visual",
        href="visual.tif",
        title="Elevation change in colour",
        media_type=COG,
        roles=("visual", "overview"),
        description=f"Red for loss, blue for gain, from -{limit:g} to {limit:g} m, over shaded relief; glaciers"
        " outlined",
        extra={"raster:sampling": "area"},
    )


def _draw_maps(dataset: Dataset, result: ElevationChange, place: Path) -> Iterator[Asset]:
    title = dataset.definition.title.en
    draw_change_thumbnail(place / "thumbnail.png", result, title, dataset.synthetic)
    yield Asset(
        key="thumbnail", href="thumbnail.png", title="Thumbnail with colour scale", media_type=PNG, roles=("thumbnail",)
    )
    draw_change_map(place / "map.png", result, title, dataset.synthetic)
    yield Asset(
        key="map",
        href="map.png",
        title="Map of the elevation change with glacier outlines",
        media_type=PNG,
        roles=("overview",),
    )


def _draw_diagrams(dataset: Dataset, result: ElevationChange, place: Path) -> Iterator[Asset]:
    for diagram in diagrams_of(result):
        name = f"{diagram.name}.png"
        diagram.draw(place / name, result, dataset.synthetic)
        yield Asset(
            key=f"figure_{diagram.name}", href=name, title=diagram.title, media_type=PNG, roles=("overview", "figure")
        )


def _write_outlines(dataset: Dataset, result: ElevationChange, title: str, place: Path) -> Iterator[Asset]:
    if result.outlines is None:
        return
    about = {"title": title, "synthetic": dataset.synthetic}
    write_features(place / "glaciers.geojson", _glaciers(dataset, result), result.grid.crs, about)
    yield Asset(
        key="glaciers",
        href="glaciers.geojson",
        title="Glaciers with their elevation change",
        media_type=GEOJSON,
        roles=("data",),
        description="The area of all epochs together of each glacier, with its row of the table glaciers",
    )
    table, shapes = published_outlines(result.outlines)
    records = (dict(zip(table.table.column_names, row, strict=True)) for row in table.rows)
    write_features(place / "outlines.geojson", zip(shapes, records, strict=True), result.grid.crs, about)
    yield Asset(
        key="outlines",
        href="outlines.geojson",
        title="Glacier outlines of each epoch",
        media_type=GEOJSON,
        roles=("data",),
        description="Outlines as used, one feature a glacier and epoch",
    )
    write_parquet(place / "outlines.parquet", table, [to_degrees(shape, result.grid.crs) for shape in shapes])
    yield Asset(
        key="outlines_geoparquet",
        href="outlines.parquet",
        title="Glacier outlines of each epoch (GeoParquet)",
        media_type=PARQUET,
        roles=("data",),
        description="The same outlines as GeoParquet",
    )


def _write_styles(result: ElevationChange, place: Path) -> Iterator[Asset]:
    classes = [(value, CLASS_COLOURS[value], name.capitalize()) for value, (name, _) in CLASSES.items()]
    epochs = None if result.outlines is None else [str(epoch) for epoch in result.outlines["epoch"]]
    yield from write_change_styles(place, (change_limit(result), sigma_limit(result)), classes, epochs)


def _glaciers(dataset: Dataset, result: ElevationChange) -> Iterator[Feature]:
    """Each glacier of the table, rounded as the table is, with the union of its outlines."""
    outlines = result.outlines
    if outlines is None:
        return
    table = next(entry for entry in published_tables(dataset) if entry.table.name == "glaciers")
    shapes = glacier_shapes(outlines)
    for row in table.rows:
        record = dict(zip(table.table.column_names, row, strict=True))
        if record["glacier_id"] in shapes:
            yield shapes[record["glacier_id"]], record


def _item(dataset: Dataset, facts: Facts, result: ElevationChange, place: Path, assets: tuple[Asset, ...]) -> Item:
    definition = dataset.definition
    outline = footprint(result.grid)
    properties = _properties(dataset, result)
    return Item(
        item_id=elevation_change_item_id(dataset.pair),
        folder=place,
        title=facts.title.en,
        description=facts.abstract.en,
        start=definition.period.start,
        end=definition.period.end,
        geometry=to_geojson(outline),
        bbox=bbox_of(outline),
        properties=properties,
        assets=with_chinese(assets, "elevation_change"),
        title_cn=facts.title.cn,
        description_cn=facts.abstract.cn,
        properties_cn=_properties_cn(dataset, result, properties),
    )


def _properties(dataset: Dataset, result: ElevationChange) -> dict[str, Any]:
    limit = change_limit(result)
    properties: dict[str, Any] = {
        "glacier:kind": "elevation_change",
        "glacier:synthetic": dataset.synthetic,
        "glacier:shift_m": plain(asdict(result.shift_m), 4),
        "glacier:sigma_shift_m": plain(asdict(result.sigma_shift_m), 4),
        "glacier:shift_by_cosine_m": plain(asdict(result.shift_by_cosine_m), 4),
        "glacier:shift_native_pixels": plain(asdict(result.shift_native_pixels), 4),
        "glacier:tilt": plain(asdict(result.tilt), 9),
        "glacier:stable_terrain": {
            step: plain(asdict(getattr(result, step)), 4) for step in ("before", "after_coregistration", "after")
        },
        "glacier:vertical_datum": asdict(result.datum),
        "glacier:patch_test": plain(asdict(result.patches), 4),
        "glacier:notes": list(result.notes),
        "glacier:gates": gate_records(dataset),
        "glacier:settings": result.settings.model_dump(mode="json"),
        "processing:level": "L3",
        "processing:lineage": lineage(dataset, result).en,
        "processing:expression": processing_expression(elevation_change_steps(result)),
        "glacier:inputs": inputs_of(dataset),
        **_accuracy(result),
        "renders": {
            "elevation_change": {
                "title": "Elevation change",
                "assets": ["elevation_change"],
                "rescale": [[-limit, limit]],
                "nodata": NODATA,
                "colormap_name": "rdbu",
                "resampling": "average",
            },
            "elevation_change_sigma": {
                "title": "Uncertainty of the elevation change",
                "assets": ["elevation_change_sigma"],
                "rescale": [[0.0, sigma_limit(result)]],
                "nodata": NODATA,
                "colormap_name": "inferno_r",
                "resampling": "average",
            },
            "visual": {"title": "Elevation change in colour", "assets": ["visual"]},
        },
    }
    if dataset.pair:
        properties["glacier:pair"] = dataset.pair
    if result.curvature is not None:
        kept = ("applied", "source", "nmad_before_m", "nmad_after_m")
        values = asdict(result.curvature)
        properties["glacier:curvature_correction"] = plain({name: values[name] for name in kept}, 4)
    if result.totals is not None:
        properties["glacier:totals"] = plain(asdict(result.totals), 4)
    if supported := supported_period(dataset):
        properties["glacier:supported_period"] = supported
    return properties


def _accuracy(result: ElevationChange) -> dict[str, float]:
    """How well the two DEMs agree in position and height over stable terrain (m); nothing says how true both are."""
    sigma = result.sigma_shift_m
    found = {
        "accuracy:geometric_x_stddev": sigma.east,
        "accuracy:geometric_y_stddev": sigma.north,
        "accuracy:geometric_rmse": math.hypot(sigma.east, sigma.north),
        "accuracy:measurement_relative": result.after.nmad_m,
    }
    return {name: round(value, 4) for name, value in found.items() if math.isfinite(value)}


def lineage(dataset: Dataset, result: ElevationChange) -> Paragraph:
    """What was done to the two DEMs, from their checks to the published change."""
    return Paragraph.of(_lineage(dataset, result))


def _lineage(dataset: Dataset, result: ElevationChange) -> Iterator[Message]:
    shift, curvature = result.shift_m, result.curvature
    if dataset.synthetic:
        yield Message("Synthetic sample inputs.")
    yield Message(
        "{earlier} (earlier) and {later} (later) were checked, brought onto one grid ({crs}, {pixel_m:g} m) and one"
        " vertical datum ({method}: {note}).",
        earlier=_title_of(dataset, "earlier"),
        later=_title_of(dataset, "later"),
        crs=result.grid.crs,
        pixel_m=result.grid.pixel_size[0],
        method=result.datum.method,
        note=result.datum.note,
    )
    yield Message(
        "The DEM that is not the reference ({reference} is) was co-registered over stable terrain by the cosine"
        " relation of aspect and elevation difference (Nuth and Kaab, 2011): it was moved by {east:.2f} m east,"
        " {north:.2f} m north and {up:.2f} m up.",
        reference=word(result.settings.reference),
        east=shift.east,
        north=shift.north,
        up=shift.up,
    )
    if curvature is not None:
        kept = Message("removed") if curvature.applied else Message("fitted, but not removed because NMAD did not fall")
        yield Message(
            "The resolution effect by maximum curvature (Gardelle et al., 2012; {source}) was {done}: NMAD"
            " {before_m:.2f} to {after_m:.2f} m.",
            source=curvature.source,
            done=kept,
            before_m=curvature.nmad_before_m,
            after_m=curvature.nmad_after_m,
        )
    yield Message("Elevation change is later minus earlier; its uncertainty was estimated from stable terrain.")


def _title_of(dataset: Dataset, role: str) -> Bilingual:
    source = dataset.definition.source(role)
    return Bilingual(en=source.title, cn=source.title_cn)


def _properties_cn(dataset: Dataset, result: ElevationChange, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "processing:lineage": lineage(dataset, result).cn,
        "renders": renders_cn(properties["renders"], "elevation_change"),
    }


def _classes() -> list[dict[str, Any]]:
    return [
        {
            "value": value,
            "name": name,
            "title": name.capitalize(),
            "description": description,
            "color_hint": "".join(f"{part:02X}" for part in CLASS_COLOURS[value]),
        }
        for value, (name, description) in CLASSES.items()
    ]


# --- what both kinds of items say alike --------------------------------------------------------------------------
