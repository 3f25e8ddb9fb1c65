"""Names that a package offers from its modules, each imported when asked for: the package itself costs nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy_names(package: str, homes: Mapping[str, tuple[str, ...]]) -> Callable[[str], Any]:
    """The ``__getattr__`` of a package (PEP 562).

    Parameters
    ----------
    package : its ``__name__``.
    homes : by module of the package, the names that are found there.

    Errors
    ------
    AttributeError : raised by the function that is returned, for a name that no module has.
    """
    home = {name: f"{package}.{module}" for module, names in homes.items() for name in names}

    def attribute(name: str) -> Any:
        if name not in home:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(home[name]), name)

    return attribute
