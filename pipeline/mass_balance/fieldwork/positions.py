"""Positions of stakes, pits and probings: degrees and metres, each from the other, and whether they can be right."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from pyproj import Transformer

from pipeline.grid import FloatArray
from pipeline.mass_balance.fieldwork.input_notes import Correction, Doubt, Findings
from pipeline.mass_balance.fieldwork.typed_sheets import TypedTable
from pipeline.mass_balance.result import GlacierIdentity
from schemas.errors import BadInput

_WGS84 = "EPSG:4326"
# the longest glaciers outside the ice sheets measure about this much; nothing on a glacier lies further from its point
FARTHEST_M = 100_000.0
# a position typed in degrees and in metres: rounding and datum stay below the first, a slip goes beyond the second
POSITIONS_AGREE_M = 50.0
POSITIONS_CONTRADICT_M = 1000.0
# ice carries a stake along, mostly by metres a year; beyond the first it was mistaken for another or set elsewhere
MOVED_M = 100.0
MOVED_TOO_FAR_M = 1000.0


def with_both_positions(frame: pd.DataFrame, crs: str) -> pd.DataFrame:
    """The frame with longitude, latitude (degrees, WGS 84) and easting, northing (m, ``crs``) both filled.

    Where both were given, both are kept; where neither was (a pit beside a stake), both stay empty.

    Parameters
    ----------
    frame : columns longitude, latitude (degrees) and easting, northing (m); NaN where not given.
    crs : the glacier's projection.
    """
    if frame.empty:
        return frame
    filled = frame.copy()
    for source, target, names_from, names_to in (
        (_WGS84, crs, ("longitude", "latitude"), ("easting", "northing")),
        (crs, _WGS84, ("easting", "northing"), ("longitude", "latitude")),
    ):
        first, second = (filled[name].to_numpy(float) for name in names_from)
        lacking = np.isfinite(first) & np.isfinite(second) & filled[list(names_to)].isna().any(axis=1).to_numpy()
        if lacking.any():
            reprojected = Transformer.from_crs(source, target, always_xy=True).transform(
                first[lacking], second[lacking]
            )
            for name, values in zip(names_to, reprojected, strict=True):
                filled.loc[lacking, name] = values
    return filled


def along_the_axes(table: TypedTable, glacier: GlacierIdentity, findings: Findings) -> TypedTable:
    """The table with easting and northing the right way round where their headers are the letters X and Y.

    In a Chinese survey X points north, in most programs east. Where every position lies off the glacier as the letters
    stand in programs, and on it the other way round, the survey's way is meant; a correction says so.

    Parameters
    ----------
    table : of stakes, pits, probings or readings.
    glacier : where it lies.
    findings : takes the correction.
    """
    placed = table.frame[["easting", "northing"]].notna().all(axis=1).to_numpy()
    if not table.by_letters or not placed.any():
        return table
    turned = table.with_column("easting", table.frame["northing"].tolist())
    turned = turned.with_column("northing", table.frame["easting"].tolist())
    off, on = (_distance_m(with_both_positions(one.frame, glacier.crs), glacier)[placed] for one in (table, turned))
    if not (np.all(~(off <= FARTHEST_M)) and np.all(on <= FARTHEST_M)):
        return table
    first = int(np.flatnonzero(placed)[0])
    cell = table.cell(first, "easting")
    findings.corrections.append(Correction(table.sheet_name, cell, "X and Y", "X taken as northing, Y as easting"))
    return turned


def position_errors(table: TypedTable, glacier: GlacierIdentity) -> Iterable[BadInput]:
    """Positions that cannot be on the glacier, and positions given twice that contradict each other.

    Parameters
    ----------
    table : of stakes, pits, probings or readings.
    glacier : where it lies.
    """
    if table.frame.empty:
        return
    placed = with_both_positions(table.frame, glacier.crs)
    away = _distance_m(placed, glacier)
    for record in map(int, np.flatnonzero(np.isinf(away) | (away > FARTHEST_M))):
        row = table.frame.iloc[record]
        given = "longitude" if np.isfinite(row["longitude"]) else "easting"
        place = f"{_place(row)}, {_kilometres(away[record])} from the glacier's position"
        wanted = f"a place within {FARTHEST_M / 1000:g} km of {glacier.longitude:g} E, {glacier.latitude:g} N"
        yield table.bad(record, given, place, wanted, _remedy(row, glacier))
    apart = _disagreement_m(table.frame, glacier.crs)
    for record in map(int, np.flatnonzero((apart > POSITIONS_CONTRADICT_M) & (away <= FARTHEST_M))):
        distance = f"easting and northing {_kilometres(apart[record])} from longitude and latitude"
        yield table.bad(
            record, "easting", distance, f"the same place in {glacier.crs}", "correct one, or leave it empty"
        )


def position_doubts(table: TypedTable, glacier: GlacierIdentity) -> Iterable[Doubt]:
    """Positions given twice that differ by more than rounding.

    Parameters
    ----------
    table : of stakes, pits, probings or readings.
    glacier : where it lies.
    """
    if table.frame.empty:
        return
    apart = _disagreement_m(table.frame, glacier.crs)
    for record in map(int, np.flatnonzero(apart > POSITIONS_AGREE_M)):
        distance = f"easting and northing {apart[record]:.0f} m from longitude and latitude"
        yield table.doubt(record, "easting", distance, "both kept; easting and northing place the point")


def moved(readings: TypedTable, stakes: TypedTable, crs: str, findings: Findings) -> None:
    """Stakes that stand elsewhere at a visit than at the one before, or than the sheet of stakes has them.

    Some distance is a doubt, for surging ice does that, and more than ice can go an error.

    Parameters
    ----------
    readings : with the positions surveyed at visits.
    stakes : with the positions listed.
    crs : the glacier's projection.
    findings : takes doubts and errors.
    """
    visits = with_both_positions(readings.frame, crs)
    home = with_both_positions(stakes.frame, crs)
    last = dict(zip(home["stake_id"], home[["easting", "northing"]].to_numpy(float), strict=True))
    placed = visits[visits["easting"].notna() & visits["date"].notna() & visits["stake_id"].isin(list(last))]
    for record, row in placed.sort_values(["date", "leg"], kind="stable").iterrows():
        number, stake, here = int(str(record)), row["stake_id"], row[["easting", "northing"]].to_numpy(float)
        distance_m = float(np.hypot(*(here - last[stake])))
        last[stake] = here
        column = "easting" if np.isfinite(readings.frame["easting"].iloc[number]) else "longitude"
        move = f"stake {stake} {distance_m:.0f} m from where it stood before"
        if distance_m > MOVED_TOO_FAR_M:
            wanted = f"a place within {MOVED_TOO_FAR_M:g} m of the last one"
            remedy = "a stake set elsewhere is another stake: give it a number of its own"
            findings.errors.append(readings.bad(number, column, move, wanted, remedy))
        elif distance_m > MOVED_M:
            findings.doubts.append(readings.doubt(number, column, move, "kept; is it the same stake?"))


def _distance_m(placed: pd.DataFrame, glacier: GlacierIdentity) -> FloatArray:
    """Distance of each record from the glacier's position (m); NaN without position, infinite beyond the projection."""
    to_metres = Transformer.from_crs(_WGS84, glacier.crs, always_xy=True)
    easting, northing = to_metres.transform(glacier.longitude, glacier.latitude)
    away: FloatArray = np.hypot(placed["easting"].to_numpy() - easting, placed["northing"].to_numpy() - northing)
    return away


def _disagreement_m(frame: pd.DataFrame, crs: str) -> FloatArray:
    """Distance between a record's two positions (m), NaN where it has one."""
    to_metres = Transformer.from_crs(_WGS84, crs, always_xy=True)
    easting, northing = to_metres.transform(frame["longitude"].to_numpy(), frame["latitude"].to_numpy())
    apart: FloatArray = np.hypot(frame["easting"].to_numpy() - easting, frame["northing"].to_numpy() - northing)
    return np.where(np.isfinite(apart), apart, np.nan)


def _remedy(row: pd.Series[Any], glacier: GlacierIdentity) -> str:
    """What may have happened: exchanging the two numbers brings the place to the glacier."""
    for first, second in (("longitude", "latitude"), ("easting", "northing")):
        exchanged = pd.DataFrame([{name: row[name] for name in ("longitude", "latitude", "easting", "northing")}])
        if not np.isfinite(row[first]):
            continue
        exchanged[[first, second]] = [[row[second], row[first]]]
        if first == "longitude":
            exchanged[["easting", "northing"]] = np.nan
        if _distance_m(with_both_positions(exchanged, glacier.crs), glacier)[0] <= FARTHEST_M:
            return f"{first} and {second} may be exchanged"
    return "check the position, the glacier's position and the CRS"


def _place(row: pd.Series[Any]) -> str:
    if np.isfinite(row["longitude"]):
        return f"{row['longitude']:.6g} E, {row['latitude']:.6g} N"
    return f"easting {row['easting']:.0f}, northing {row['northing']:.0f}"


def _kilometres(distance_m: float) -> str:
    return f"{distance_m / 1000:.0f} km" if np.isfinite(distance_m) else "out of the projection's reach"
