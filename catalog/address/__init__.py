"""The address of an archive: what its documents say of where it is served, written without the science."""

from typing import TYPE_CHECKING

from pipeline.lazy_names import lazy_names

if TYPE_CHECKING:
    from catalog.address.archive import address_archive, documents_unlike_addressed
    from catalog.address.base_url import base_of

__all__ = ["address_archive", "base_of", "documents_unlike_addressed"]
__getattr__ = lazy_names(
    __name__,
    {
        "archive": ("address_archive", "documents_unlike_addressed"),
        "base_url": ("base_of",),
    },
)
