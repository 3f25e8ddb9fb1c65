"""Bands that overlap are a fault of the archive, unless the glacier's balances say that they were given so."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

from catalog.checks.consistency import zones_in_order


def found(name: str, flags: dict[str, str], **edges: list[str]) -> list[str]:
    """Places at which the check finds a table of bands wrong; balances of the glacier with such flags beside it."""
    balances = pd.DataFrame({"year": list(flags), "flags": list(flags.values())})
    beside = SimpleNamespace(frame=lambda: balances)
    table = SimpleNamespace(
        file=f"{name}.csv",
        resource={"name": name},
        frame=lambda: pd.DataFrame(edges),
        sibling=lambda wanted: beside,
    )
    return [failure.file for failure in zones_in_order.find(table)]


BANDS = {"year": ["2004"] * 3, "lower_m": ["3400", "3450", "3600"], "upper_m": ["3500", "3600", "3700"]}


@pytest.mark.parametrize("name", ["zone_balances", "hypsometry"])
def test_an_overlap_is_a_fault_unless_the_year_says_so(name) -> None:
    assert found(name, {"2004": ""}, **BANDS) == [f"{name}.csv:3"]
    assert found(name, {"2004": "no_map;overlapping_bands:3450-3600"}, **BANDS) == []
    # the flag is on another band
    assert found(name, {"2004": "overlapping_bands:3600-3700"}, **BANDS) == [f"{name}.csv:3"]


def test_the_zones_of_a_year_are_excused_by_that_year_and_a_hypsometry_by_any_that_uses_it() -> None:
    flags = {"2004": "", "2005": "overlapping_bands:3450-3600"}
    assert found("zone_balances", flags, **BANDS) == ["zone_balances.csv:3"]
    assert found("hypsometry", flags, **BANDS) == []
