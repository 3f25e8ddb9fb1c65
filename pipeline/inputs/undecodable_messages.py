"""GDAL's messages about damaged files that quote their bytes: kept from the screen."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

# where rasterio takes a message of GDAL, by several functions of its modules
_HANDLERS = "rasterio._"


@contextmanager
def undecodable_messages_unprinted() -> Iterator[None]:
    """Within it, Python does not print that a message of GDAL is no UTF-8.

    rasterio decodes every message in a callback that cannot raise; where a message quotes a damaged file, Python would
    print a traceback beside the error that the reader raises for the same damage. Nothing else is kept from the screen.
    """
    printing, unraisable = sys.excepthook, sys.unraisablehook

    def print_others(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        # an error that ends the program has a trace
        if trace is not None or not isinstance(error, UnicodeDecodeError):
            printing(kind, error, trace)

    def report_others(error: sys.UnraisableHookArgs) -> None:
        if not str(error.object).startswith(_HANDLERS) or not isinstance(error.exc_value, UnicodeDecodeError):
            unraisable(error)

    sys.excepthook, sys.unraisablehook = print_others, report_others
    try:
        yield
    finally:
        sys.excepthook, sys.unraisablehook = printing, unraisable
