"""The rows that the command line shows of a result: quantity, value, note."""

from __future__ import annotations

import math
from dataclasses import astuple

from catalog.archive import ByKind, Dataset
from catalog.formats import measured, signed
from catalog.reports.row import Row
from pipeline.elevation_change.result import ElevationChange, PatchSpread, Shift
from pipeline.mass_balance.glacier_wide import cumulative_balance
from pipeline.mass_balance.result import MassBalance
from schemas.messages import Advice

NOTE = "Note"
# what a build shows of a collection; of several pairs of DEMs the years stand in front of the name
_HEADLINES = ("Mean elevation change", "Volume change", "Off-glacier NMAD", "Cumulative")
_GATE = "Gate: "


def is_headline(name: str) -> bool:
    """Whether a row is shown of a collection where there is room for few: its key numbers and its quality gates."""
    return name.startswith(_GATE) or name.endswith(_HEADLINES)


def dataset_rows(dataset: Dataset) -> list[Row]:
    """Quantity, value and note of what a scientist asks for first."""
    rows = [
        (f"{part.pair} {name}".strip(), value, note)
        for part in dataset.parts
        for name, value, note in _ROWS(part.result)
    ]
    return [*rows, *_gate_rows(dataset)]


def change_rows(result: ElevationChange) -> list[Row]:
    """The rows of one elevation change."""
    before, after = result.before, result.after
    rows = []
    if result.totals is not None:
        totals = result.totals
        mean = measured(totals.mean_dh_m, totals.sigma_mean_dh_m, 2)
        volume = measured(totals.volume_change_m3 / 1e9, totals.sigma_volume_change_m3 / 1e9, 4)
        mass = measured(totals.mass_change_kg / 1e12, totals.sigma_mass_change_kg / 1e12, 4)
        rows = [
            ("Mean elevation change", f"{mean} m", f"{counted(totals.count, 'glacier')}, {totals.area_km2:.2f} km2"),
            ("Rate", f"{measured(totals.mean_dhdt_m_a, totals.sigma_mean_dhdt_m_a, 2)} m a-1", _dates(result)),
            ("Volume change", f"{volume} km3", f"{totals.observed_share:.1%} of the area observed"),
            ("Mass change", f"{mass} Gt", f"{result.settings.ice_density_kg_m3:g} kg m-3"),
        ]
    pixels, smooth = result.shift_native_pixels, result.patches_on_smooth
    return [
        *rows,
        ("Shift east, north, up", f"{_triple(result.shift_m)} m", f"± {_triple(result.sigma_shift_m)} m"),
        (
            "The same in pixels",
            f"{signed(pixels.columns, 2)} columns, {signed(pixels.rows, 2)} rows",
            "of the aligned DEM's own grid",
        ),
        (
            "Off-glacier mean",
            f"{signed(before.mean_m, 2)} to {signed(after.mean_m, 2)} m",
            f"{after.count:,} stable pixels",
        ),
        ("Off-glacier NMAD", f"{before.nmad_m:.2f} to {after.nmad_m:.2f} m", "raw to corrected"),
        _patch_row("Patch test", result.patches),
        (*_patch_row("Patch test, smooth ground", smooth)[:2], f"the smoothest fifth: mean {signed(smooth.mean, 2)}"),
        _resolution_row(result),
        ("Vertical datum", result.datum.method, result.datum.note),
        *((NOTE, "", note) for note in result.notes if not isinstance(note, Advice)),
    ]


def _resolution_row(result: ElevationChange) -> Row:
    resolution = result.resolution
    if resolution.reason is not None:
        return "Resolution correction", "none", resolution.reason
    effect = resolution.by_method[resolution.method]
    off_glaciers = "" if math.isnan(effect.glaciers_m) else f", glaciers {signed(effect.glaciers_m, 2)} m"
    return (
        "Resolution correction",
        resolution.method.replace("_", " "),
        f"takes off stable terrain {signed(effect.stable_m, 2)} m{off_glaciers}",
    )


def counted(count: int, thing: str) -> str:
    """How many of a thing: 1 glacier, 38 glaciers."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def _triple(shift: Shift) -> str:
    return ", ".join(signed(part, 3) for part in astuple(shift))


def _patch_row(name: str, patches: PatchSpread) -> Row:
    if patches.count == 0:
        return name, "no patch", f"stable terrain has no room for patches of {patches.area_km2:.2g} km2"
    if patches.count == 1:
        return name, "one patch", f"of {patches.area_km2:.2g} km2: a spread needs two, and 200 to tell much"
    told = f"1 expected; {patches.count} stable patches of {patches.area_km2:.2g} km2"
    return name, f"spread {patches.spread:.2f}", told if patches.enough else f"{told}: too few to tell"


def _dates(result: ElevationChange) -> str:
    settings = result.settings
    if not settings.earlier_date or not settings.later_date:
        return "needs the dates of both DEMs"
    sigma = math.hypot(settings.sigma_earlier_date_years, settings.sigma_later_date_years)
    return f"{settings.earlier_date} to {settings.later_date}, \N{PLUS-MINUS SIGN} {sigma:.1f} years"


def _balance_rows(result: MassBalance) -> list[Row]:
    known = [year for year in result.years if year.annual_m_we is not None]
    rows = []
    for year in known:
        position = year.ela_position if year.ela_position in ("<", ">") else ""
        ela, aar = measured(year.ela_m, year.sigma_ela_m, 0), measured(year.aar, year.sigma_aar, 2)
        line = f"ELA {position}{ela} m, AAR {aar}"
        season = f", winter {signed(year.winter_m_we, 2)}" if year.winter_m_we is not None else ""
        balance = measured(year.annual_m_we, year.sigma_annual_m_we, 2)
        rows.append((f"Balance {year.year}", f"{balance} m w.e.", line + season))
    series = cumulative_balance(result.years)
    if series:
        last = series[-1]
        cumulative = measured(last.balance_m_we, last.sigma_m_we, 2)
        rows.append(("Cumulative", f"{cumulative} m w.e.", f"{series[0].year} to {last.year}"))
    return rows


_ROWS = ByKind(elevation_change=change_rows, mass_balance=_balance_rows)


def _gate_rows(dataset: Dataset) -> list[Row]:
    rows = []
    for name, group in dataset.gates.groupby("gate", sort=True):
        passed = bool(group["passed"].all())
        worst = float(group["value"].max())
        verdict = "passed" if passed else "FAILED"
        limit = f"limit {float(group['limit'].iloc[0]):g} {group['unit'].iloc[0]}"
        rows.append((f"{_GATE}{name}", verdict, f"worst {worst:.3g}, {limit}, {len(group)} judged"))
    return rows
