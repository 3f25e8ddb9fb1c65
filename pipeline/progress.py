"""How a long computation says what it is doing; the command line shows it, a library call stays silent."""

from __future__ import annotations

from collections.abc import Callable

Tell = Callable[[str], None]


def silent(_message: str) -> None:
    """Say nothing."""
