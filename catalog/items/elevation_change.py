"""The item of an elevation-change collection: rasters, outlines, figures, and what STAC says of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from catalog.archive import Asset, CollectionFolder, Dataset, Item, elevation_change_item_id, elevation_change_of
from catalog.figures import change_limit, sigma_limit
from catalog.formats import NODATA, bbox_of, footprint, to_geojson
from catalog.items.change_products import write_change_products
from catalog.items.processing_steps import elevation_change_steps, inputs_of, processing_expression
from catalog.items.stated import Labels, gate_records, periods_of, plain, raster_tags, with_searched
from catalog.metadata import Facts, describe
from pipeline.elevation_change.result import ElevationChange, ResolutionCorrection
from pipeline.progress import Tell, silent
from schemas.definition import Bilingual
from schemas.messages import Listed, Message, paragraph, word


def write_elevation_change(
    dataset: Dataset, facts: Facts, folder: CollectionFolder, tell: Tell = silent, *, figures: bool = True
) -> tuple[Item, ...]:
    """Write the items of an elevation-change collection into its folder: one for each pair of DEMs.

    ``facts`` of the dataset; each of several pairs of DEMs has facts of its own. Without ``figures`` nothing is drawn.

    Errors
    ------
    TypeError : the dataset's result is no elevation change.
    """
    return tuple(
        _write_item(part, describe(part) if dataset.pairs else facts, folder, tell, figures=figures)
        for part in dataset.parts
    )


def _write_item(dataset: Dataset, facts: Facts, folder: CollectionFolder, tell: Tell, *, figures: bool) -> Item:
    result = elevation_change_of(dataset)
    place = folder.item(elevation_change_item_id(dataset.pair))
    place.mkdir(parents=True, exist_ok=True)
    tell("writing elevation-change rasters and figures")
    labels = Labels(facts.title.en, dataset.definition.title.en, dataset.synthetic, raster_tags(dataset))
    assets = write_change_products(result, place, labels, figures=figures)
    return _item(dataset, facts, result, place, assets)


def _item(dataset: Dataset, facts: Facts, result: ElevationChange, place: Path, assets: tuple[Asset, ...]) -> Item:
    definition = dataset.definition
    outline = footprint(result.grid)
    start, end = days_of_rate(result) or (definition.period.start, definition.period.end)
    return Item(
        item_id=elevation_change_item_id(dataset.pair),
        folder=place,
        title=facts.title.en,
        description=facts.abstract.en,
        start=start,
        end=end,
        geometry=to_geojson(outline),
        bbox=bbox_of(outline),
        properties=_properties(dataset, result),
        assets=assets,
        title_cn=facts.title.cn,
        description_cn=facts.abstract.cn,
    )


def days_of_rate(result: ElevationChange) -> tuple[date, date] | None:
    """The days of the two DEMs between which the published rate counts; None where one of them is not known."""
    first, last = result.settings.earlier_date, result.settings.later_date
    return (date.fromisoformat(first), date.fromisoformat(last)) if first and last else None


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
        "glacier:elevation_scale": plain(asdict(result.elevation_scale), 7),
        "glacier:undulation": plain(asdict(result.undulation), 3),
        "glacier:stable_terrain": {
            step: plain(asdict(getattr(result, step)), 4) for step in ("before", "after_coregistration", "after")
        },
        "glacier:vertical_datum": asdict(result.datum),
        "glacier:patch_test": plain(asdict(result.patches), 4),
        "glacier:patch_test_on_smooth_ground": plain(asdict(result.patches_on_smooth), 4),
        "glacier:notes": list(result.notes),
        "glacier:gates": gate_records(dataset),
        "glacier:settings": result.settings.model_dump(mode="json"),
        "processing:level": "L3",
        "processing:lineage": lineage(dataset, result),
        "processing:expression": processing_expression(elevation_change_steps(result)),
        "glacier:inputs": inputs_of(dataset),
        **_accuracy(result),
        "renders": {
            "elevation_change": {
                "title": Message("Elevation change"),
                "assets": ["elevation_change"],
                "rescale": [[-limit, limit]],
                "nodata": NODATA,
                "colormap_name": "rdbu",
                "resampling": "average",
            },
            "elevation_change_sigma": {
                "title": Message("Uncertainty of the elevation change"),
                "assets": ["elevation_change_sigma"],
                "rescale": [[0.0, sigma_limit(result)]],
                "nodata": NODATA,
                "colormap_name": "inferno_r",
                "resampling": "average",
            },
            "visual": {"title": Message("Elevation change in colour"), "assets": ["visual"]},
        },
    }
    if dataset.pair:
        properties["glacier:pair"] = dataset.pair
    if result.curvature is not None:
        kept = ("applied", "source", "nmad_before_m", "nmad_after_m")
        values = asdict(result.curvature)
        properties["glacier:curvature_correction"] = plain({name: values[name] for name in kept}, 4)
    properties["glacier:resolution_correction"] = plain(result.resolution.summary, 4)
    if result.totals is not None:
        properties["glacier:totals"] = plain(asdict(result.totals), 4)
    properties |= periods_of(dataset)
    if days := days_of_rate(result):
        properties["glacier:rate_period"] = {"start": days[0].isoformat(), "end": days[1].isoformat()}
    return with_searched(properties)


def _accuracy(result: ElevationChange) -> dict[str, float]:
    """How well the two DEMs agree in position and height over stable terrain (m); nothing says how true both are."""
    sigma = result.sigma_shift_m
    accuracies = {
        "accuracy:geometric_x_stddev": sigma.east,
        "accuracy:geometric_y_stddev": sigma.north,
        "accuracy:geometric_rmse": math.hypot(sigma.east, sigma.north),
        "accuracy:measurement_relative": result.after.nmad_m,
    }
    return {name: round(value, 4) for name, value in accuracies.items() if math.isfinite(value)}


def lineage(dataset: Dataset, result: ElevationChange) -> Listed:
    """What was done to the two DEMs, from their checks to the published change."""
    return paragraph(_lineage(dataset, result))


def _lineage(dataset: Dataset, result: ElevationChange) -> Iterator[Message]:
    shift = result.shift_m
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
    yield from _resolution_said(result.resolution)
    yield Message("Elevation change is later minus earlier; its uncertainty was estimated from stable terrain.")


def _resolution_said(resolution: ResolutionCorrection) -> Iterator[Message]:
    """What was done about the different resolutions, beside what the description of the method says."""
    if resolution.reason is not None:
        yield Message("No correction of the resolution effect was taken off: {reason}.", reason=resolution.reason)
        return
    if resolution.method == "point_spread":
        yield Message(
            "The resolution effect was taken off by the coarser DEM's point spread ({coefficient:.2f} times what it"
            " takes from the finer DEM's heights), fitted in turn with the shift, instead of the description's maximum"
            " curvature, which takes something off smooth glaciers that is not there.",
            coefficient=resolution.coefficient,
        )
    elif resolution.method == "principal_curvatures":
        yield Message(
            "The resolution effect was taken off by the description's maximum curvature, to which the minimum curvature"
            " was added, both curves zero on a plane, fitted in turn with the shift ({source}).",
            source=resolution.source,
        )
    else:
        yield Message(
            "The resolution effect was taken off by maximum curvature alone (Gardelle et al., 2012; {source}), as the"
            " description says.",
            source=resolution.source,
        )
    yield Message(
        "What the point spread, maximum and minimum curvature together, and maximum curvature alone take off stable"
        " terrain, its elevation bands and the glaciers stands side by side in the table resolution.csv; the distance"
        " of the first two is a term of the error."
    )


def _title_of(dataset: Dataset, role: str) -> Bilingual:
    source = dataset.definition.source(role)
    return Bilingual(en=source.title, cn=source.title_cn)
