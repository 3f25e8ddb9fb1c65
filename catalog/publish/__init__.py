"""An archive copied to a folder or a bucket, checksummed, resumable, the catalogue last."""

from typing import TYPE_CHECKING

from pipeline.lazy_names import lazy_names

if TYPE_CHECKING:
    from catalog.publish.upload import publish

__all__ = ["publish"]
__getattr__ = lazy_names(
    __name__,
    {
        "upload": ("publish",),
    },
)
