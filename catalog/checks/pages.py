"""Checks of the human pages: links lead to files, and nothing is asked of another server."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote

from lxml import html

from catalog.checks.archive import File, files_ending, join
from catalog.checks.result import Failure, check

_REBUILD = "build the archive again"
# what a browser loads by itself; a link that a reader follows may lead anywhere
_LOADED = {"script": "src", "img": "src", "source": "src", "iframe": "src", "object": "data", "link": "href"}


@check(
    "page-links",
    "every link and picture of a page is in the archive, and no page loads from elsewhere",
    files_ending(".html"),
)
def page_links(file: File) -> Iterator[Failure]:
    text = file.archive.text(file.file)
    if not text:
        yield Failure(file.file, "no text in UTF-8", "a page", _REBUILD)
        return
    page = html.document_fromstring(text)
    for element, attribute, href, _ in page.iterlinks():
        outward = "://" in href or href.startswith("//")
        if outward and attribute and _LOADED.get(str(element.tag)) == attribute:
            yield Failure(file.file, f"{element.tag!s} loaded from {href}", "a file of the archive", _REBUILD)
        if outward or href.startswith(("#", "mailto:", "tel:", "data:")):
            continue
        target = join(file.file.rpartition("/")[0], unquote(href.partition("#")[0].partition("?")[0]))
        if target is None or target not in file.archive.path_set:
            yield Failure(file.file, f"a link to {href!r}", "a file of the archive", _REBUILD)


CHECKS = (page_links,)
