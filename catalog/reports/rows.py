"""The rows that the command line shows of a result: quantity, value, note."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import astuple

from catalog.archive import ByKind, Dataset
from catalog.formats import measured, signed
from catalog.reports.row import Row
from pipeline.elevation_change.result import ElevationChange, GlacierTotals, PatchSpread, Shift
from pipeline.mass_balance.glacier_wide import cumulative_balance
from pipeline.mass_balance.result import MassBalance
from schemas.definition import Bilingual
from schemas.messages import Advice, Message

_METHODS = {
    "point_spread": Message("point spread"),
    "principal_curvatures": Message("principal curvatures"),
    "maximum_curvature": Message("maximum curvature"),
}


def dataset_rows(dataset: Dataset) -> list[Row]:
    """Quantity, value and note of what a scientist asks for first."""
    rows = [
        (Message("{pair} {name}", pair=part.pair, name=name) if part.pair else name, value, note)
        for part in dataset.parts
        for name, value, note in _ROWS(part.result)
    ]
    return [*rows, *_gate_rows(dataset)]


def change_rows(result: ElevationChange) -> list[Row]:
    """The rows of one elevation change."""
    before, after = result.before, result.after
    pixels, smooth = result.shift_native_pixels, result.patches_on_smooth
    columns, rows = signed(pixels.columns, 2), signed(pixels.rows, 2)
    of_smooth = Message("the smoothest fifth: mean {mean}", mean=signed(smooth.mean, 2))
    return [
        *(_total_rows(result, result.totals) if result.totals is not None else ()),
        (Message("Shift east, north, up"), f"{_triple(result.shift_m)} m", f"± {_triple(result.sigma_shift_m)} m"),
        (
            Message("The same in pixels"),
            Message("{columns} columns, {rows} rows", columns=columns, rows=rows),
            Message("of the aligned DEM's own grid"),
        ),
        (
            Message("Off-glacier mean"),
            Message("{before} to {after} m", before=signed(before.mean_m, 2), after=signed(after.mean_m, 2)),
            Message("{count:,} stable pixels", count=after.count),
        ),
        (
            Message("Off-glacier NMAD"),
            Message("{before} to {after} m", before=f"{before.nmad_m:.2f}", after=f"{after.nmad_m:.2f}"),
            Message("raw to corrected"),
        ),
        _patch_row(Message("Patch test"), result.patches),
        (*_patch_row(Message("Patch test, smooth ground"), smooth)[:2], of_smooth),
        _resolution_row(result),
        (Message("Vertical datum"), result.datum.method, result.datum.note),
        *((Message("Note"), "", note) for note in result.notes if not isinstance(note, Advice)),
    ]


def _total_rows(result: ElevationChange, totals: GlacierTotals) -> Iterator[Row]:
    mean = measured(totals.mean_dh_m, totals.sigma_mean_dh_m, 2)
    volume = measured(totals.volume_change_m3 / 1e9, totals.sigma_volume_change_m3 / 1e9, 4)
    mass = measured(totals.mass_change_kg / 1e12, totals.sigma_mass_change_kg / 1e12, 4)
    rate = measured(totals.mean_dhdt_m_a, totals.sigma_mean_dhdt_m_a, 2)
    glaciers = Message("{count:,} glaciers", count=totals.count) if totals.count != 1 else Message("1 glacier")
    whole = Message("{glaciers}, {area:.2f} km2", glaciers=glaciers, area=totals.area_km2)
    yield Message("Mean elevation change"), f"{mean} m", whole
    yield Message("Rate"), f"{rate} m a-1", _dates(result)
    observed = Message("{share:.1%} of the area observed", share=totals.observed_share)
    yield Message("Volume change"), f"{volume} km3", observed
    yield Message("Mass change"), f"{mass} Gt", f"{result.settings.ice_density_kg_m3:g} kg m-3"


def _resolution_row(result: ElevationChange) -> Row:
    resolution = result.resolution
    name = Message("Resolution correction")
    if resolution.reason is not None:
        return name, Message("none"), resolution.reason
    effect = resolution.by_method[resolution.method]
    stable, glaciers = signed(effect.stable_m, 2), signed(effect.glaciers_m, 2)
    taken = (
        Message("takes off stable terrain {stable} m", stable=stable)
        if math.isnan(effect.glaciers_m)
        else Message("takes off stable terrain {stable} m, glaciers {glaciers} m", stable=stable, glaciers=glaciers)
    )
    return name, _METHODS[resolution.method], taken


def _triple(shift: Shift) -> str:
    return ", ".join(signed(part, 3) for part in astuple(shift))


def _patch_row(name: Message, patches: PatchSpread) -> Row:
    area = patches.area_km2
    if patches.count == 0:
        return name, Message("no patch"), Message("stable terrain has no room for patches of {area:.2g} km2", area=area)
    if patches.count == 1:
        return (
            name,
            Message("one patch"),
            Message("of {area:.2g} km2: a spread needs two, and 200 to tell much", area=area),
        )
    told = Message("1 expected; {count} stable patches of {area:.2g} km2", count=patches.count, area=area)
    few = Message("{told}: too few to tell", told=told)
    return name, Message("spread {spread:.2f}", spread=patches.spread), told if patches.enough else few


def _dates(result: ElevationChange) -> Message:
    settings = result.settings
    if not settings.earlier_date or not settings.later_date:
        return Message("needs the dates of both DEMs")
    sigma = math.hypot(settings.sigma_earlier_date_years, settings.sigma_later_date_years)
    return Message(
        "{earlier} to {later}, \N{PLUS-MINUS SIGN} {sigma:.1f} years",
        earlier=str(settings.earlier_date),
        later=str(settings.later_date),
        sigma=sigma,
    )


def _balance_rows(result: MassBalance) -> list[Row]:
    rows: list[Row] = []
    for year in result.years:
        if year.annual_m_we is None:
            continue
        position = year.ela_position if year.ela_position in ("<", ">") else ""
        ela, aar = measured(year.ela_m, year.sigma_ela_m, 0), measured(year.aar, year.sigma_aar, 2)
        line: str = f"ELA {position}{ela} m, AAR {aar}"
        if year.winter_m_we is not None:
            line = Message("{line}, winter {winter}", line=line, winter=signed(year.winter_m_we, 2))
        balance = measured(year.annual_m_we, year.sigma_annual_m_we, 2)
        rows.append((Message("Balance {year}", year=year.year), f"{balance} m w.e.", line))
    series = cumulative_balance(result.years)
    if series:
        last = series[-1]
        cumulative = measured(last.balance_m_we, last.sigma_m_we, 2)
        span = Message("{first} to {last}", first=series[0].year, last=last.year)
        rows.append((Message("Cumulative"), f"{cumulative} m w.e.", span))
    return rows


_ROWS = ByKind(elevation_change=change_rows, mass_balance=_balance_rows)


def _gate_rows(dataset: Dataset) -> list[Row]:
    names = {gate.name: gate.name_cn or gate.name for gate in dataset.definition.gates}
    rows: list[Row] = []
    for name, group in dataset.gates.groupby("gate", sort=True):
        passed = bool(group["passed"].all())
        judged = Message(
            "worst {worst:.3g}, limit {limit:g} {unit}, {count} judged",
            worst=float(group["value"].max()),
            limit=float(group["limit"].iloc[0]),
            unit=str(group["unit"].iloc[0]),
            count=len(group),
        )
        gate = Message("Gate: {gate}", gate=Bilingual(en=str(name), cn=names.get(str(name), "")))
        rows.append((gate, Message("passed") if passed else Message("FAILED"), judged))
    return rows
