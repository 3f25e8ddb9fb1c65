"""Numbers as people and as JSON read them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

MINUS = "\N{MINUS SIGN}"


def signed(value: float | None, decimals: int) -> str:
    """A number with a true minus sign; a dash where there is none."""
    if value is None or value != value:
        return "\N{EN DASH}"
    text = f"{value:,.{decimals}f}"
    return (MINUS + text[1:] if float(text.replace(",", "")) else text[1:]) if text.startswith("-") else text


def measured(value: float | None, sigma: float | None, decimals: int) -> str:
    """A value with one standard deviation."""
    text = signed(value, decimals)
    return text if sigma is None or sigma != sigma else f"{text} \N{PLUS-MINUS SIGN} {sigma:,.{decimals}f}"


def finite(value: Any) -> Any:
    """The same value with null for every NaN or infinity, which JSON does not have."""
    if isinstance(value, Mapping):
        return {key: finite(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
