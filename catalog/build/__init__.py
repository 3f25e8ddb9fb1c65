"""From definitions and raw inputs to a published archive, and the proof that it comes out the same again."""

from typing import TYPE_CHECKING

from pipeline.lazy_names import lazy_names

if TYPE_CHECKING:
    from catalog.build.cache import Cache, default_cache_folder
    from catalog.build.definitions import default_definitions, read_definitions
    from catalog.build.derivation import derive
    from catalog.build.order import Order
    from catalog.build.raw_inputs import default_inputs
    from catalog.build.regeneration import regenerate
    from catalog.build.report import FailedBuild
    from catalog.build.verification import verify

__all__ = [
    "Cache",
    "FailedBuild",
    "Order",
    "default_cache_folder",
    "default_definitions",
    "default_inputs",
    "derive",
    "read_definitions",
    "regenerate",
    "verify",
]
__getattr__ = lazy_names(
    __name__,
    {
        "cache": ("Cache", "default_cache_folder"),
        "definitions": ("default_definitions", "read_definitions"),
        "derivation": ("derive",),
        "order": ("Order",),
        "raw_inputs": ("default_inputs",),
        "regeneration": ("regenerate",),
        "report": ("FailedBuild",),
        "verification": ("verify",),
    },
)
