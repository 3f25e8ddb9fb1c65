"""Pages with their address: links in their heads for programs (FAIR Signposting), their description, a list of all."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from catalog.address.records import dataset_with_address, dataset_without_address, encoded_in_a_page
from catalog.address.references import Address
from catalog.archive import (
    CATALOG_JSON,
    COLLECTION_JSON,
    DATASET_JSONLD,
    INDEX_HTML,
    METADATA,
    SITEMAP_XML,
    ListedFile,
    media_type_of,
)
from catalog.pages import readable_size

Json = dict[str, Any]
ReadDocument = Callable[[str], Json | None]
_MARK = "data-address"
_HEAD_LINK = re.compile(rf"\n<link [^>]* {_MARK}>")
_DESCRIPTION = re.compile(r'(<script type="application/ld\+json">)(.*?)(</script>)', re.DOTALL)
_ALONE = re.compile(r'(<span>)[^<]*(</span> <code class="sum" title=")([0-9a-f]{64})(">)\3(</code>)')
_OF_A_YEAR = re.compile(r"SHA-256 ([0-9a-f]{64})")
_YEAR = re.compile(r", ([^,<>]*), SHA-256 ([0-9a-f]{64})")
_TOGETHER = re.compile(r'(<ul class="years">(?:(?!</ul>).)*</ul>)(<small>[^<]*, )([^<,]*)( <span lang="en">together)')
_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"


def page_without_address(page: str, path: str, address: Address) -> str:
    """A page as it is in an archive that can be moved."""
    return _described(_HEAD_LINK.sub("", page), lambda dataset: dataset_without_address(dataset, path, address))


def page_with_address(page: str, path: str, read: ReadDocument, address: Address) -> str:
    """A page with the links of its head and its description at an address.

    Parameters
    ----------
    read : gives the STAC document at a path, addressed; None where there is none.
    """
    described = _described(page, lambda dataset: dataset_with_address(dataset, path, address))
    links = "".join(f"\n<link {one} {_MARK}>" for one in _head_links(path, read, address))
    return described.replace("</head>", f"{links}</head>", 1)


def renewed_sums(page: str, before: Mapping[str, ListedFile], renewed: Mapping[str, ListedFile]) -> str:
    """A page whose lists of files state the size and sha256 of those written anew.

    Parameters
    ----------
    before : every file as the manifest listed it, by its sha256.
    renewed : those written anew, by the sha256 they had.
    """

    def group(match: re.Match[str]) -> str:
        sums = _OF_A_YEAR.findall(match[1])
        if not any(one in renewed for one in sums) or not all(one in before for one in sums):
            return match[0]
        total = sum((renewed.get(one) or before[one]).size for one in sums)
        return f"{match[1]}{match[2]}{readable_size(total)}{match[4]}"

    def of_a_year(match: re.Match[str]) -> str:
        file = renewed.get(match[2])
        return f", {readable_size(file.size)}, SHA-256 {file.sha256}" if file else match[0]

    def alone(match: re.Match[str]) -> str:
        file = renewed.get(match[3])
        if file is None:
            return match[0]
        return f"{match[1]}{readable_size(file.size)}{match[2]}{file.sha256}{match[4]}{file.sha256}{match[5]}"

    return _ALONE.sub(alone, _YEAR.sub(of_a_year, _TOGETHER.sub(group, page)))


def sitemap(paths: Iterable[str], address: Address) -> bytes:
    """Every page by its address, for search engines."""
    lines = [f"  <url><loc>{escape(address.of(path))}</loc></url>" for path in sorted(paths) if path.endswith(".html")]
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="{_SITEMAP}">'
    return "\n".join([head, *lines, "</urlset>", ""]).encode()


def _described(page: str, change: Callable[[Json], Json]) -> str:
    """A page whose description for search engines is another."""

    def changed(match: re.Match[str]) -> str:
        return f"{match[1]}{encoded_in_a_page(change(json.loads(match[2])))}{match[3]}"

    return _DESCRIPTION.sub(changed, page, 1)


def _head_links(path: str, read: ReadDocument, address: Address) -> Iterable[str]:
    """Attributes of every link for the head of a page."""
    folder, _, name = path.rpartition("/")
    yield _link("canonical", address.of(path))
    if name != INDEX_HTML:
        return
    if not folder:
        yield _link("describedby", address.of(CATALOG_JSON), media_type_of(CATALOG_JSON))
        yield _link("sitemap", address.of(SITEMAP_XML), media_type_of(SITEMAP_XML))
        return
    top, _, item = folder.partition("/")
    collection = read(f"{top}/{COLLECTION_JSON}") or {}
    yield _link("cite-as", _cited(collection, address.of(f"{top}/{INDEX_HTML}")))
    yield from (_link("type", f"https://schema.org/{kind}") for kind in ("AboutPage", "Dataset"))
    yield from (_link(rel, href) for rel, href in _of_the_collection(collection))
    about = f"{folder}/{item.rpartition('/')[2]}.json" if item else f"{top}/{COLLECTION_JSON}"
    yield _link("describedby", address.of(about), media_type_of(about))
    if item:
        yield _link("collection", address.of(f"{top}/{INDEX_HTML}"), media_type_of(INDEX_HTML))
    else:
        record = f"{top}/{METADATA}/{DATASET_JSONLD}"
        yield _link("describedby", address.of(record), media_type_of(record))
    assets = (read(about) or {}).get("assets", {})
    for asset in assets.values():
        if "data" in asset.get("roles", ()):
            yield _link("item", asset["href"], asset["type"])


def _cited(collection: Json, page: str) -> str:
    doi = collection.get("sci:doi")
    return f"https://doi.org/{doi}" if doi else page


def _of_the_collection(collection: Json) -> Iterable[tuple[str, str]]:
    """Who made it and under which licence it is, as far as these have addresses."""
    for provider in collection.get("providers", ()):
        if "producer" in provider.get("roles", ()) and provider.get("url"):
            yield "author", provider["url"]
    for link in collection.get("links", ()):
        if link["rel"] == "license":
            yield "license", link["href"]


def _link(rel: str, href: str, media_type: str = "") -> str:
    kind = f" type={quoteattr(media_type)}" if media_type else ""
    return f"rel={quoteattr(rel)} href={quoteattr(href)}{kind}"
