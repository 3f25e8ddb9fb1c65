"""An archive served over HTTP to browsers and clients."""

from typing import TYPE_CHECKING

from pipeline.lazy_names import lazy_names

if TYPE_CHECKING:
    from catalog.serve.server import serve

__all__ = ["serve"]
__getattr__ = lazy_names(
    __name__,
    {
        "server": ("serve",),
    },
)
