"""Whether two DEMs can be compared at all: same unit, same kind of height, same ground, in the right order.

All of it is judged on heights of the same places in both DEMs, before they are co-registered.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date

import numpy as np

from pipeline.elevation_change.dems import Mosaic, acquired_by_name
from pipeline.elevation_change.statistics import median
from pipeline.grid import FloatArray
from schemas.errors import BadInput
from schemas.messages import Message, word

FEET_PER_METRE = 3.280839895
LEAST_HEIGHTS = 100
# more heights than these do not make a median or a slope better known than needed here
MOST_HEIGHTS = 200_000
SLOPE_CLASSES = 40
# heights of one DEM explained by those of the other, as a share of their variance, for their scale to be trusted
TRUSTED = 0.5
# no geoid lies further from the ellipsoid than 107 m, and no surface of a region changes so much
LARGEST_OFFSET_M = 150.0
# an offset this large between orthometric heights is worth a note
NOTABLE_OFFSET_M = 15.0


@dataclass(frozen=True, kw_only=True)
class PairRelation:
    """How the heights of one DEM follow those of another, robustly.

    Attributes
    ----------
    count : places with a height in both.
    scale : height unit of the first over that of the second: other = scale * reference + constant.
    explained : share of the variance that the line explains, 0 to 1.
    offset_m : median of other minus reference, m.
    ratio : median of other over median of reference; NaN about sea level.
    """

    count: int
    scale: float
    explained: float
    offset_m: float
    ratio: float


def pair_relation(reference: FloatArray, other: FloatArray) -> PairRelation:
    """Robust line through the heights of two DEMs.

    Heights are put into ``SLOPE_CLASSES`` classes of equal count by one DEM; the line's slope is the median of the
    slopes between all classes' medians (Theil, 1950; Sen, 1968). Noise flattens a line: the same is done with the DEMs
    exchanged, and the scale is the geometric mean of the one slope and the inverse of the other.

    Parameters
    ----------
    reference, other : heights of the same places, of one shape, m; NaN where void.
    """
    known = np.isfinite(reference) & np.isfinite(other)
    first, second = (heights[known].astype(np.float64) for heights in (reference, other))
    count = first.size
    thinned = slice(None, None, max(1, math.ceil(count / MOST_HEIGHTS)))
    first, second = first[thinned], second[thinned]
    if count < LEAST_HEIGHTS:
        return PairRelation(count=count, scale=math.nan, explained=0.0, offset_m=math.nan, ratio=math.nan)
    forth, back = _slope(first, second), _slope(second, first)
    explained = float(np.clip(forth * back, 0, 1)) if forth > 0 else 0.0
    scale = math.sqrt(forth / back) if explained > 0 else math.nan
    middle = median(first), median(second)
    ratio = middle[1] / middle[0] if abs(middle[0]) > 1 else math.nan
    return PairRelation(count=count, scale=scale, explained=explained, offset_m=median(second - first), ratio=ratio)


def _slope(across: FloatArray, along: FloatArray) -> float:
    """Median slope between the medians of classes by ``across``."""
    classes = np.array_split(np.argsort(across, kind="stable"), SLOPE_CLASSES)
    places = np.array([median(across[own]) for own in classes])
    heights = np.array([median(along[own]) for own in classes])
    one, two = np.triu_indices(SLOPE_CLASSES, 1)
    apart = places[two] - places[one]
    usable = apart > 1e-6
    return float(np.median((heights[two] - heights[one])[usable] / apart[usable])) if usable.any() else 0.0


def refuse_unlike_pair(
    reference: FloatArray, aligned: FloatArray, names: tuple[str, str], geoid_undulation_m: float | None
) -> None:
    """Refuse heights that cannot be subtracted from each other.

    Parameters
    ----------
    reference, aligned : heights of the same places before the co-registration, on one vertical datum as far as it is
        known, of one shape, m; NaN where void. About a million places are plenty.
    names : of the two DEMs, for the message.
    geoid_undulation_m : height of the geoid above the ellipsoid there; None where it is not known, or where a datum
        difference is left to the co-registration.

    Errors
    ------
    BadInput : hardly a height in common; the same height everywhere; feet instead of metres, or any other unit;
        ellipsoidal heights against heights above the geoid; heights too far apart for any datum.
    """
    for heights, name in zip((reference, aligned), names, strict=True):
        _refuse_constant(heights, name)
    relation = pair_relation(reference, aligned)
    if relation.count < LEAST_HEIGHTS:
        raise BadInput(
            " and ".join(names), f"{relation.count} places with a height in both", f"at least {LEAST_HEIGHTS}",
            "do the DEMs cover the same ground?",
        )  # fmt: skip
    _refuse_units(relation, names)
    _refuse_ellipsoidal(relation, names, geoid_undulation_m)
    if abs(relation.offset_m) > LARGEST_OFFSET_M:
        raise BadInput(
            names[1], f"heights {relation.offset_m:+.0f} m off those of {names[0]} (median)",
            f"at most {LARGEST_OFFSET_M:g} m, more than any vertical datum explains", "is it the same place and unit?",
        )  # fmt: skip


def _refuse_constant(heights: FloatArray, name: str) -> None:
    least, greatest = np.fmin.reduce(heights, axis=None), np.fmax.reduce(heights, axis=None)
    if not np.isfinite(least):
        raise BadInput(name, "no height in the area of both DEMs", "measured heights", "is its nodata value right?")
    if least == greatest:
        raise BadInput(
            name, f"the height {least:g} m everywhere", "a surface with relief", "is this the elevation band?"
        )


def _refuse_units(relation: PairRelation, names: tuple[str, str]) -> None:
    trusted = relation.explained >= TRUSTED
    # on ground too level for a slope, heights well above the sea still tell their unit
    factor = relation.scale if trusted else relation.ratio
    within = 0.05 if trusted else 0.02
    for name, other, one_is in ((names[1], names[0], factor), (names[0], names[1], 1 / factor if factor else math.nan)):
        if abs(one_is / FEET_PER_METRE - 1) < within:
            raise BadInput(
                name, f"heights {one_is:.2f} times those of {other}, as feet are of metres", "heights in metres",
                "convert it: gdal_calc.py --calc 'A*0.3048'",
            )  # fmt: skip
    if trusted and not 0.8 < relation.scale < 1.25:
        raise BadInput(
            names[1],
            f"heights that rise {relation.scale:.3g} times as much as those of {names[0]}",
            "metres in both DEMs",
        )


def _refuse_ellipsoidal(relation: PairRelation, names: tuple[str, str], geoid_undulation_m: float | None) -> None:
    if geoid_undulation_m is None or abs(geoid_undulation_m) < NOTABLE_OFFSET_M:
        return
    near = max(3.0, 0.15 * abs(geoid_undulation_m))
    for name, other, offset in ((names[1], names[0], relation.offset_m), (names[0], names[1], -relation.offset_m)):
        if abs(offset - geoid_undulation_m) <= near:
            raise BadInput(
                name,
                f"heights {offset:+.1f} m off those of {other} (median), where the geoid lies at "
                f"{geoid_undulation_m:+.1f} m: it seems to hold ellipsoidal heights",
                "the vertical datum as it is",
                "state EPSG:4979 as its vertical datum",
            )


def pair_notes(
    reference: FloatArray, aligned: FloatArray, names: tuple[str, str], geoid_undulation_m: float | None
) -> tuple[Message, ...]:
    """What is odd about a pair but no reason to refuse it, a sentence each; arguments as ``refuse_unlike_pair``.

    Parameters
    ----------
    reference, aligned : heights of the same places, m, shape (n,); NaN where void.
    names : of the reference and of the aligned DEM, as notes name them.
    geoid_undulation_m : height of the geoid above the ellipsoid there, m; None where it is not known.
    """
    relation = pair_relation(reference, aligned)
    notes = []
    if abs(relation.offset_m) > NOTABLE_OFFSET_M:
        notes.append(_note_on_offset(relation.offset_m, names, geoid_undulation_m))
    if relation.count >= LEAST_HEIGHTS and relation.explained < TRUSTED:
        notes.append(
            Message(
                "heights of {aligned} explain {percent:.0f} % of the relief of {reference}; is it the same ground, and"
                " is the shift small?",
                aligned=names[1],
                percent=100 * relation.explained,
                reference=names[0],
            )
        )
    return tuple(notes)


def _note_on_offset(offset_m: float, names: tuple[str, str], geoid_undulation_m: float | None) -> Message:
    if geoid_undulation_m is None:
        return Message(
            "heights of {aligned} are {offset_m:+.1f} m off those of {reference} (median) before the co-registration;"
            " is a vertical datum wrong?",
            aligned=names[1],
            offset_m=offset_m,
            reference=names[0],
        )
    return Message(
        "heights of {aligned} are {offset_m:+.1f} m off those of {reference} (median) before the co-registration; the"
        " geoid lies at {geoid_m:+.1f} m there; is a vertical datum wrong?",
        aligned=names[1],
        offset_m=offset_m,
        reference=names[0],
        geoid_m=geoid_undulation_m,
    )


def refuse_swapped(earlier: Mosaic, later: Mosaic, stated: tuple[str | None, str | None] = (None, None)) -> None:
    """Refuse DEMs whose products tell that they were given in the wrong order; change is later minus earlier.

    Parameters
    ----------
    earlier, later : as the user gave them.
    stated : their dates, ISO 8601; one that is stated counts before what names tell.

    Errors
    ------
    BadInput : the earlier DEM was acquired after the later one.
    """
    first, second = (_acquired(dem, day) for dem, day in zip((earlier, later), stated, strict=True))
    if all(stated) or first is None or second is None:
        return
    if first[0] > second[1]:
        raise BadInput(
            f"earlier DEM ({earlier.tiles[0].name})", f"a product acquired since {first[0]}",
            f"one acquired before the later DEM ({later.tiles[0].name}, until {second[1]})",
            "swap the DEMs: change is later minus earlier, gain is positive; or state both dates",
        )  # fmt: skip


def _acquired(dem: Mosaic, stated: str | None) -> tuple[int, int] | None:
    """First and last year of a DEM's scenes; None where a tile tells nothing."""
    if stated:
        year = date.fromisoformat(stated).year
        return year, year
    spans = [acquired_by_name(tile.file) for tile in dem.every_tile]
    known = [span for span in spans if span]
    return (min(span[0] for span in known), max(span[1] for span in known)) if len(known) == len(spans) else None


def notes_on_tiles_beneath(*dems: Mosaic) -> tuple[Message, ...]:
    """Tiles of other pixels that fill what the finest ones of a DEM leave, a sentence a DEM.

    Parameters
    ----------
    dems : the opened DEMs.
    """
    return tuple(
        Message(
            "{role} DEM: tiles of other pixels fill what the others leave: {tiles}",
            role=word(dem.role),
            tiles=", ".join(tile.name for tile in dem.beneath.every_tile),
        )
        for dem in dems
        if dem.beneath is not None
    )


def notes_on_names(*dems: Mosaic) -> tuple[Message, ...]:
    """Vertical datums that nobody stated and that were taken from the names of files, a sentence each.

    Parameters
    ----------
    dems : the opened DEMs.
    """
    return tuple(
        Message(
            "{role} DEM: its vertical datum, {datum}, is that of {product}, as the name {name} says; state it if it is"
            " another",
            role=word(dem.role),
            datum=dem.vertical_datum,
            product=dem.datum_by_name,
            name=dem.tiles[0].name,
        )
        for dem in dems
        if dem.datum_by_name
    )
