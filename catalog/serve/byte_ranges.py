"""Which bytes of a file a ``Range`` header asks for (RFC 9110, section 14)."""

from __future__ import annotations

import re

MOST_RANGES = 100
_ONE = re.compile(r"[ \t]*(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))[ \t]*", re.ASCII)


def asked_ranges(header: str, size: int) -> tuple[tuple[int, int], ...] | None:
    """The half-open ranges (first byte, byte after the last) that a header asks of a file of ``size`` bytes.

    Ranges beyond the end are left out, those that reach beyond it are cut, those that overlap or touch are joined. They
    stand in the order asked for, or by place where any were joined.

    Returns
    -------
    Empty where no range can be satisfied (answer 416); None where the header is to be ignored (answer with the whole
    file): another unit, not the grammar, or more than ``MOST_RANGES``.
    """
    unit, equals, listed = header.partition("=")
    asked = [part for part in listed.split(",") if part.strip()]
    if not equals or unit.strip().lower() != "bytes" or not 0 < len(asked) <= MOST_RANGES:
        return None
    ranges = []
    for part in asked:
        match = _ONE.fullmatch(part)
        if match is None:
            return None
        first, last, suffix = match.groups()
        if suffix is not None:
            start, stop = max(0, size - int(suffix)), size
        else:
            start, stop = int(first), min(int(last) + 1, size) if last else size
            if last and int(last) < start:
                return None  # the grammar allows it, its meaning does not
        if start < stop:
            ranges.append((start, stop))
    return tuple(ranges) if len(ranges) < 2 else _joined(ranges)


def _joined(ranges: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Overlapping ranges as one, so that nobody is sent the same bytes a hundred times."""
    ordered = sorted(ranges)
    joined = ordered[:1]
    for start, stop in ordered[1:]:
        if start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], stop))
        else:
            joined.append((start, stop))
    return tuple(joined) if len(joined) < len(ranges) else tuple(ranges)
