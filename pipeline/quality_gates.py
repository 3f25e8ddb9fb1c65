"""Judge a result by the quality gates of its definition: a value, a limit, a verdict."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from pipeline.elevation_change.result import ElevationChange
from pipeline.mass_balance.result import MassBalance
from schemas.definition import Gate
from schemas.tables import QUALITY_GATES

# the published value is the one that is judged
DECIMALS = 4


def judge(gates: Sequence[Gate], result: ElevationChange | MassBalance) -> pd.DataFrame:
    """One row a gate and subject, shaped as ``schemas.tables.QUALITY_GATES``; a missing value does not pass.

    Values are rounded as they are published, so that a verdict follows from what a reader sees.

    Parameters
    ----------
    gates : of the definition; each names a number of the result, and its limit.
    result : of the chain.
    """
    rows = []
    for gate in gates:
        for subject, measured in _measured(gate, result):
            value = None if measured is None else round(measured, DECIMALS)
            passed = value is not None and value <= gate.limit
            rows.append((gate.name, subject, value, gate.limit, gate.unit, passed))
    return pd.DataFrame(rows, columns=list(QUALITY_GATES.column_names))


def _measured(gate: Gate, result: ElevationChange | MassBalance) -> list[tuple[str, float | None]]:
    """Subject and value of everything a gate applies to."""
    if gate.measure == "abs_mean_stable_dh" and isinstance(result, ElevationChange):
        return [("stable terrain", abs(result.after.mean_m))]
    if gate.measure == "sigma_annual_balance" and isinstance(result, MassBalance):
        # 1 m w.e. is 1000 kg m-2
        return [
            (str(year.year), None if year.sigma_annual_m_we is None else 1000 * year.sigma_annual_m_we)
            for year in result.years
            if year.annual_m_we is not None
        ]
    return []
