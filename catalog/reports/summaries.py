"""The numbers of a result as JSON: what ``build``, ``difference`` and ``balance`` print with ``--json``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from catalog.archive import ByKind, Dataset
from catalog.formats import finite
from pipeline.elevation_change.result import ElevationChange
from pipeline.mass_balance.fieldwork import notes_summary
from pipeline.mass_balance.result import BalanceYear, MassBalance

if TYPE_CHECKING:
    from pipeline.mass_balance.fieldwork import FieldData

MOST_POINTS = 10_000


def dataset_summary(dataset: Dataset) -> dict[str, Any]:
    """The numbers of one dataset, for ``build --json``; NaN and infinity are null."""
    summary = _summary(dataset)
    gates = [
        {"gate": gate, "subject": subject, "value": value, "limit": limit, "unit": unit, "passed": bool(passed)}
        for gate, subject, value, limit, unit, passed in dataset.gates.itertuples(index=False)
    ]
    plain: dict[str, Any] = finite({"synthetic": dataset.synthetic, **summary, "quality_gates": gates})
    return plain


def _summary(dataset: Dataset) -> dict[str, Any]:
    if dataset.pairs:
        return {"pairs": {part.pair: _summary(part) for part in dataset.pairs}}
    return _SUMMARIES(dataset.result)


def difference_summary(result: ElevationChange) -> dict[str, Any]:
    """The numbers of an elevation change, for ``difference --json``; metres, later minus earlier."""
    correction, totals = result.curvature, result.totals
    return {
        "shift_m": asdict(result.shift_m),
        "sigma_shift_m": asdict(result.sigma_shift_m),
        "shift_by_cosine_m": asdict(result.shift_by_cosine_m),
        "shift_native_pixels": asdict(result.shift_native_pixels),
        "tilt": asdict(result.tilt),
        "elevation_scale": asdict(result.elevation_scale),
        "undulation": asdict(result.undulation),
        "stable_terrain": {
            "count": result.after.count,
            "before": asdict(result.before),
            "after_coregistration": asdict(result.after_coregistration),
            "after": asdict(result.after),
        },
        "curvature_correction": None if correction is None else asdict(correction),
        "resolution": finite(result.resolution.summary),
        "vertical_datum": asdict(result.datum),
        "patch_test": asdict(result.patches),
        "patch_test_on_smooth_ground": asdict(result.patches_on_smooth),
        "dates": _records(result.tables["dates"]) if "dates" in result.tables else [],
        "notes": list(result.notes),
        "glaciers": None if totals is None else asdict(totals),
        "grid": {"crs": result.grid.crs, "shape": result.grid.shape, "transform": tuple(result.grid.transform)[:6]},
        "settings": result.settings.model_dump(mode="json"),
    }


def balance_summary(result: MassBalance) -> dict[str, Any]:
    """The numbers of a mass balance, for ``balance --json``; m w.e.

    Point balances are among them at full precision, unless there are very many: the table has them all.
    """
    points = result.tables["point_balances"]
    return {
        "glacier": asdict(result.glacier),
        "years": [_year(year) for year in result.years],
        "periods": _records(result.tables["period_balances"]) if "period_balances" in result.tables else [],
        "zero_line_method": _records(result.tables["zero_line_method"]) if "zero_line_method" in result.tables else [],
        "geodetic_check": _records(result.tables["geodetic_check"]) if "geodetic_check" in result.tables else [],
        "calibrated": _records(result.tables["calibrated_balances"]) if "calibrated_balances" in result.tables else [],
        "points": _records(points) if len(points) <= MOST_POINTS else [],
        "settings": result.settings.model_dump(mode="json"),
    }


_SUMMARIES = ByKind(elevation_change=difference_summary, mass_balance=balance_summary)


def balance_json(
    results: Sequence[MassBalance], glaciers: Sequence[FieldData], outputs: dict[str, dict[str, str]], out: Path
) -> dict[str, Any]:
    """What ``balance --json`` prints: of one glacier its numbers, notes and outputs; of several a list of such.

    ``outputs`` : by identifier of the glacier, relative to ``out``; under '' those of the whole run.
    """
    written = {
        identifier: {name: str(out / path) for name, path in files.items()} for identifier, files in outputs.items()
    }
    balances = [
        {
            **balance_summary(result),
            **notes_summary(data.corrections, data.doubts),
            "outputs": written.get(result.glacier.glacier_id, written[""]),
        }
        for result, data in zip(results, glaciers, strict=True)
    ]
    return balances[0] if len(balances) == 1 else {"glaciers": balances, "outputs": written[""]}


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table at full precision; the published tables round them."""
    return [
        {name: _plain(value) for name, value in zip(table.columns, row, strict=True)}
        for row in table.itertuples(index=False)
    ]


def _plain(value: Any) -> Any:
    """A cell as JSON has it: dates as ISO text, numbers as Python's own, nothing as null."""
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return None
    if hasattr(value, "isoformat"):
        return value.isoformat()[:10]
    return value.item() if hasattr(value, "item") else value


def _year(year: BalanceYear) -> dict[str, Any]:
    return {
        "year": year.year,
        "begin_date": year.begin.isoformat() if year.begin else None,
        "midseason_date": year.midseason.isoformat() if year.midseason else None,
        "end_date": year.end.isoformat() if year.end else None,
        "time_system": year.time_system,
        "annual_balance_m_we": year.annual_m_we,
        "winter_balance_m_we": year.winter_m_we,
        "summer_balance_m_we": year.summer_m_we,
        "sigma_annual_m_we": year.sigma_annual_m_we,
        "sigma_winter_m_we": year.sigma_winter_m_we,
        "sigma_summer_m_we": year.sigma_summer_m_we,
        "ela_m": year.ela_m,
        "sigma_ela_m": year.sigma_ela_m,
        "ela_position": year.ela_position,
        "zero_line_m": year.zero_line_m,
        "aar": year.aar,
        "sigma_aar": year.sigma_aar,
        "area_km2": year.area_km2,
        "unmeasured_area_share": year.unmeasured_area_share,
        "unmeasured_error_share": year.unmeasured_error_share,
        "by_method": year.by_method,
        "provenance": year.provenance,
        "flags": list(year.flags),
    }
