"""Checks of the human pages: links lead to files, nothing is asked of another server, the search finds every item."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from lxml import html

from catalog.archive import COLLECTION_JSON, INDEX_HTML, SEARCH_JS, File, files_ending, join, whole
from catalog.checks.result import Failure, check
from catalog.pages import parse_search_script

_REBUILD = "build the archive again"
# what a browser loads by itself; a link that a reader follows may lead anywhere
_LOADED = {"script": "src", "img": "src", "source": "src", "iframe": "src", "object": "data", "link": "href"}
# what a head names and no browser loads
_NAMED_ONLY = ("author", "canonical", "cite-as", "collection", "describedby", "item", "license", "sitemap", "type")
# data that a page carries is no script
_DATA = ("application/json", "application/ld+json")
POLICY = (
    "default-src 'none'; img-src 'self' data:; style-src 'self'; script-src 'self'; connect-src 'self';"
    " base-uri 'none'; form-action 'none'"
)


pages = files_ending(".html")


def parsed_page(file: File) -> Any:
    """The page, parsed once for the checks that look at it one after the other; None where it is no text."""
    kept = file.archive.notes.setdefault("page", {})
    if file.file not in kept:
        text = file.archive.text(file.file)
        kept.clear()
        parser = html.HTMLParser(encoding="utf-8")
        kept[file.file] = html.document_fromstring(text.encode(), parser=parser) if text else None
    return kept[file.file]


@check(
    "page-links",
    "every link and picture of a page is in the archive, and no page loads from elsewhere",
    pages,
)
def page_links(file: File) -> Iterator[Failure]:
    page = parsed_page(file)
    if page is None:
        yield Failure(file.file, "no text in UTF-8", "a page", _REBUILD)
        return
    for element, attribute, href, _ in page.iterlinks():
        if attribute == "href" and _LOADED.get(str(element.tag)) == attribute and element.get("rel") in _NAMED_ONLY:
            continue  # for programs; the check of addresses knows what must stand there
        outward = "://" in href or href.startswith("//")
        if outward and attribute and _LOADED.get(str(element.tag)) == attribute:
            yield Failure(file.file, f"{element.tag!s} loaded from {href}", "a file of the archive", _REBUILD)
        if outward or href.startswith(("#", "mailto:", "tel:", "data:")):
            continue
        target = join(file.file.rpartition("/")[0], unquote(href.partition("#")[0].partition("?")[0]))
        if target is None or target not in file.archive.path_set:
            yield Failure(file.file, f"a link to {href!r}", "a file of the archive", _REBUILD)


@check(
    "page-scripts",
    "every page forbids all but its archive's own files, and holds no script or style of its own",
    pages,
)
def page_scripts(file: File) -> Iterator[Failure]:
    page = parsed_page(file)
    if page is None:
        return  # named by the check of links
    policies = page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    if policies != [POLICY]:
        yield Failure(file.file, f"content security policy {policies}", repr(POLICY), _REBUILD)
    for element in page.iter("script", "style"):
        if element.get("src") is None and element.get("type") not in _DATA:
            yield Failure(file.file, f"a {element.tag!s} written into the page", "a file of the archive", _REBUILD)
    for element in page.iter("*"):
        handlers = [name for name in element.attrib if str(name).startswith("on") or name == "style"]
        if handlers:
            yield Failure(file.file, f"{element.tag!s} with {', '.join(map(str, handlers))}", "no such thing", _REBUILD)


@check("page-search", "the search of the front page holds every item of the catalogue, and nothing else", whole)
def page_search(root: File) -> Iterator[Failure]:
    archive = root.archive
    try:
        search = parse_search_script(archive.text(SEARCH_JS) or "")
    except ValueError as error:
        yield Failure(SEARCH_JS, f"{error}", "the search data of an archive", _REBUILD)
        return
    names = [str(collection["id"]) for collection in search["collections"]]
    listed = {f"{names[at]}/{page}" for at, page, *_ in search["items"]}
    stacs = {path for path in archive.paths if _is_item(path)}
    expected = {f"{path.rpartition('/')[0]}/{INDEX_HTML}" for path in stacs}
    for page in sorted(expected ^ listed):
        what = "an item that the search does not hold" if page in expected else "an item that is not there"
        yield Failure(SEARCH_JS, f"{what}: {page}", "every item once", _REBUILD)
    folders = {
        path.partition("/")[0] for path in archive.paths if path.count("/") == 1 and path.endswith(COLLECTION_JSON)
    }
    if sorted(names) != sorted(folders):
        yield Failure(SEARCH_JS, f"collections {sorted(names)}", f"{sorted(folders)}", _REBUILD)
    for at, page, tail, _, first, last in search["items"]:
        path = f"{names[at]}/{page}".removesuffix(INDEX_HTML)
        stated = archive.json(f"{path}{path.rstrip('/').rpartition('/')[2]}.json")
        title = search["collections"][at]["prefix"][0] + tail
        yield from _differences(stated.get("properties", {}), title, first, last)


def _is_item(path: str) -> bool:
    folder, _, name = path.rpartition("/")
    return "/" in folder and name == f"{folder.rpartition('/')[2]}.json"


def _differences(properties: dict[str, object], title: str, first: int, last: int) -> Iterator[Failure]:
    """Where the search says other than the item: its title and its years."""
    if properties.get("title") != title:
        yield Failure(SEARCH_JS, f"title {title!r}", f"{properties.get('title')!r}, as the item says", _REBUILD)
    start, end = (
        str(properties.get(name) or properties.get("datetime"))[:4] for name in ("start_datetime", "end_datetime")
    )
    if [str(first), str(last)] != [start, end]:
        yield Failure(SEARCH_JS, f"{title!r} of {first} to {last}", f"{start} to {end}, as the item says", _REBUILD)
