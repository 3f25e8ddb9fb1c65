"""Longitudes go round: boxes across the antimeridian, and those of another turn."""

from __future__ import annotations

Box = tuple[float, float, float, float]
TURN = 360.0


def unwrapped(box: Box) -> Box:
    """A box in degrees whose east lies beyond its west, also across the antimeridian.

    Parameters
    ----------
    box : (west, south, east, north), degrees.

    Example
    -------
    >>> unwrapped((179.0, 65.0, -179.0, 66.0))
    (179.0, 65.0, 181.0, 66.0)
    """
    west, south, east, north = (float(edge) for edge in box)
    return (west, south, east + TURN if east < west else east, north)


def turned_to(box: Box, other: Box) -> Box:
    """A box moved by whole turns so that it shares as much as it can with another; degrees.

    Parameters
    ----------
    box, other : (west, south, east, north), degrees, unwrapped.

    Example
    -------
    >>> turned_to((-180.0, 65.0, -179.0, 66.0), (179.5, 65.0, 180.5, 66.0))
    (180.0, 65.0, 181.0, 66.0)
    """

    def shared(turns: int) -> float:
        return min(box[2] + turns * TURN, other[2]) - max(box[0] + turns * TURN, other[0])

    turns = max((0, -1, 1), key=shared)
    return (box[0] + turns * TURN, box[1], box[2] + turns * TURN, box[3])


def within_a_turn(longitude: float) -> float:
    """A longitude from -180 to below 180 degrees.

    Parameters
    ----------
    longitude : degrees.
    """
    return longitude if -180 <= longitude < 180 else (longitude + 180) % TURN - 180


def gathered(spans: list[tuple[float, float]]) -> tuple[list[float], bool]:
    """How spans of longitude lie nearest to each other: what to add to each, and whether they cross the antimeridian.

    The widest gap between them is left open. Spans of half a turn or more together stay as they are.

    Parameters
    ----------
    spans : (west, east) of each, degrees, in any turn.

    Returns
    -------
    whole turns to add to each; whether 180 degrees lies within what they then span.

    Example
    -------
    >>> gathered([(-180.0, -179.0), (179.0, 180.0)])
    ([360.0, 0.0], True)
    >>> gathered([(266.0, 267.0)])
    ([-360.0], False)
    """
    first = [(west + east) / 2 - within_a_turn((west + east) / 2) for west, east in spans]
    settled = [(west - turn, east - turn) for (west, east), turn in zip(spans, first, strict=True)]
    order = sorted(range(len(settled)), key=lambda number: settled[number])
    reach, gaps = -float("inf"), []
    for number in order:
        gaps.append((settled[number][0] - reach, number))
        reach = max(reach, settled[number][1])
    around = settled[order[0]][0] + TURN - reach
    widest, start = max(gaps[1:], default=(-float("inf"), order[0]))
    late = settled[start][0] if widest > around else settled[order[0]][0]
    turned = [0.0 if west >= late else TURN for west, _ in settled]
    ends = [edge + turn for span, turn in zip(settled, turned, strict=True) for edge in span]
    if max(ends) - min(ends) >= TURN / 2:
        return [0.0] * len(spans), False
    middle = (max(ends) + min(ends)) / 2
    back = middle - within_a_turn(middle)
    crossing = min(ends) - back < 180 < max(ends) - back or min(ends) - back < -180 < max(ends) - back
    # across it, all lie about 180 and not about -180
    if crossing and max(ends) - back < 180:
        back -= TURN
    return [turn - own - back for own, turn in zip(first, turned, strict=True)], crossing
