"""Vouching for an archive: a signature over what is stated of its manifest."""

from typing import TYPE_CHECKING

from pipeline.lazy_names import lazy_names

if TYPE_CHECKING:
    from catalog.sign.sign import SignReport, asks_for_passphrase, sign_archive

__all__ = ["SignReport", "asks_for_passphrase", "sign_archive"]
__getattr__ = lazy_names(
    __name__,
    {
        "sign": ("SignReport", "asks_for_passphrase", "sign_archive"),
    },
)
