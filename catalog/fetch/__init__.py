"""Raw inputs, geoids and schemas fetched from where they are published, each held against its checksum."""

from typing import TYPE_CHECKING

from pipeline.lazy_names import lazy_names

if TYPE_CHECKING:
    from catalog.fetch.bars import transfer_bars
    from catalog.fetch.fetch import default_destination, parse_mirrors, plan_all, run_fetch

__all__ = ["default_destination", "parse_mirrors", "plan_all", "run_fetch", "transfer_bars"]
__getattr__ = lazy_names(
    __name__,
    {
        "bars": ("transfer_bars",),
        "fetch": ("default_destination", "parse_mirrors", "plan_all", "run_fetch"),
    },
)
