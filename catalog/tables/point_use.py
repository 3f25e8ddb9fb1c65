"""Which point balances entered the balance of the whole glacier."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

# the summer balance of the glacier is what annual and winter balance leave: no summer point enters it
USED_PERIODS = ("annual", "winter")


def used_points(
    points: Sequence[Mapping[str, Any]],
    stakes_of_pits: Mapping[str, str | None],
    computed: Collection[tuple[Any, str]],
) -> list[bool]:
    """Whether each point balance entered the glacier-wide balance of its year and period.

    A point does when its year and period have a glacier-wide balance, when it is a value and no bound, and when it is
    no pit beside a stake that was measured itself. Where the table says so itself (a column ``used``), its word holds.

    Parameters
    ----------
    points : records of ``point_balances``.
    stakes_of_pits : pit -> stake beside which it was dug, None where there is none.
    computed : (year, period) with a balance of the whole glacier.
    """
    measured = {
        (point["year"], point["period"], point["point_id"])
        for point in points
        if point["kind"] == "stake" and point["bound"] == "="
    }

    def used(point: Mapping[str, Any]) -> bool:
        told = point.get("used")
        if told is not None and told == told:  # NaN: nothing is told
            return bool(told)
        if point["bound"] != "=" or (point["year"], point["period"]) not in computed:
            return False
        beside = stakes_of_pits.get(point["point_id"]) if point["kind"] == "pit" else None
        return (point["year"], point["period"], beside) not in measured

    return [used(point) for point in points]
