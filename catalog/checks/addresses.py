"""The check of where an archive says that it is."""

from __future__ import annotations

from collections.abc import Iterator

from catalog.archive import SITEMAP_XML, File, every_language, whole
from catalog.checks.result import Failure, check

_REBUILD = "publish it with --base-url again, or build it without"


@check("addresses", "documents and pages state the address that the manifest names, each its own, or none does", whole)
def addresses_agree(root: File) -> Iterator[Failure]:
    archive = root.archive
    if archive.base:
        from catalog.address import documents_unlike_addressed  # reads and writes again all that holds an address

        for path, unlike in documents_unlike_addressed(archive.files.read, archive.paths, archive.base):
            yield Failure(path, unlike, f"those of {archive.base}", _REBUILD)
        return
    for document in every_language(archive):
        for link in document.links:
            if link.get("rel") in ("self", "canonical") and "://" in str(link.get("href")):
                yield Failure(
                    document.file, f"the address {link['href']}", "none, as the manifest names none", _REBUILD
                )
    if SITEMAP_XML in archive.path_set:
        yield Failure(SITEMAP_XML, "a list of addresses", "none, as the manifest names no address", _REBUILD)
