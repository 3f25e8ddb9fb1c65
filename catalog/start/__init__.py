"""A new definition, with every blank marked, and the workbook to be filled in."""

from typing import TYPE_CHECKING

from pipeline.lazy_names import lazy_names

if TYPE_CHECKING:
    from catalog.start.start import blanks_of, init_definition, init_from_ncdc

__all__ = ["blanks_of", "init_definition", "init_from_ncdc"]
__getattr__ = lazy_names(
    __name__,
    {
        "start": ("blanks_of", "init_definition", "init_from_ncdc"),
    },
)
