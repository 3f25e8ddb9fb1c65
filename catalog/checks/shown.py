"""Checks of what pages and README show: every number is one of the tables or of STAC, in both languages alike."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from lxml import html
from numpy.typing import NDArray

from catalog.archive import (
    COLLECTION_JSON,
    INDEX_HTML,
    README_MD,
    SEARCH_JS,
    Archive,
    Document,
    File,
    collections,
    items,
    tables_of,
    whole,
)
from catalog.checks.pages import pages, parsed_page
from catalog.checks.provenance import definition_of, plain
from catalog.checks.result import Failure, check
from catalog.checks.stac import leaves
from catalog.checks.stated import rows_of
from catalog.formats import inert_text
from catalog.pages import parse_search_script

_REBUILD = "build the archive again"
_NUMBER = re.compile(r"(?<![\w.,])[−-]?\d[\d,]*(?:\.\d+)?(?![\w])")
_MINUS = "\N{MINUS SIGN}"
# units in which a number is shown that stands in another elsewhere
_SCALED = {"10⁶": 1e-6, "10⁹": 1e-9, "%": 100.0, "kg m": 1000.0}
_PUBLISHED = 5.1e-5  # STAC and tables of gates give numbers at 0.0001
_SUPERSCRIPTS = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+")
_PLAIN_TABLES = ("SHA-256", "Attribution", "Licence")  # tables of files and sources have other checks


def numbers_in(text: str) -> list[str]:
    """The numbers that a text shows, as they stand there."""
    return _NUMBER.findall(_SUPERSCRIPTS.sub("", re.sub(r"\b10(?=[⁰¹²³⁴⁵⁶⁷⁸⁹⁻])", "", text)))


def _value(token: str) -> float:
    return float(token.replace(_MINUS, "-").replace(",", ""))


def traced(token: str, pool: NDArray[np.float64], scales: Iterable[float] = (1.0,)) -> bool:
    """Whether a number shown is one of the pool, in one of the scales, to the digits that it shows."""
    value, half = _value(token), max(0.51 * 10.0 ** -len(token.partition(".")[2]), _PUBLISHED)
    for scale in scales:
        low, high = (value - half) / scale, (value + half) / scale
        slack = 1e-9 * max(abs(low), abs(high))
        first = int(np.searchsorted(pool, low - slack))
        if first < pool.size and pool[first] <= high + slack:
            return True
    return False


def _scales_of(text: str) -> tuple[float, ...]:
    """By what a number was multiplied for its unit."""
    for unit, scale in _SCALED.items():
        if unit in text:
            return (scale, 1.0)
    return (1.0,)


def _pool(values: Iterable[Any]) -> NDArray[np.float64]:
    held = [float(value) for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    return np.unique(np.array(held, dtype=float))


def _cells(archive: Archive, collection: str, *names: str) -> Iterator[float]:
    """Every number of some tables of a collection; of all where none is named."""
    for table in tables_of(archive, collection):
        if names and table.resource.get("name") not in names:
            continue
        frame = table.frame()
        for field in table.fields:
            if field["type"] in ("number", "integer", "year") and field["name"] in frame.columns:
                column = frame[field["name"]]
                yield from column[column != ""].astype(float).tolist()


def _numbers_of_texts(values: Iterable[Any]) -> Iterator[float]:
    for value in values:
        if isinstance(value, str) and len(value) < 4000:
            yield from map(_value, numbers_in(value))


# of an item, what is no result
_NO_RESULTS = ("glacier:settings", "glacier:inputs", "processing:expression", "processing:software", "renders")
_RESULTS = ("region", "glacier_balances", "cumulative_balances", "geodetic_check", "quality_gates")


def _results_of_item(item: Document) -> list[Any]:
    """What an item states as results, and what its rasters hold."""
    properties = {k: v for k, v in item.content["properties"].items() if k not in _NO_RESULTS}
    stated = list(leaves([properties, [asset.get("bands") for asset in item.assets.values()]]))
    return [*stated, *_numbers_of_texts(stated)]


def _results(archive: Archive, name: str) -> NDArray[np.float64]:
    """What the head of a collection's page may show: results of its items and of the tables of the whole."""
    key = f"results:{name}"
    if key not in archive.notes:
        values = [value for item in archive.items if item.collection_id == name for value in _results_of_item(item)]
        archive.notes[key] = _pool([*values, *_cells(archive, name, *_RESULTS), *_of_series(archive, name)])
    pool: NDArray[np.float64] = archive.notes[key]
    return pool


def _everything(archive: Archive, name: str) -> NDArray[np.float64]:
    """What a diagram or a table of a page may show: any number of the collection and of its definition."""
    key = f"everything:{name}"
    if key not in archive.notes:
        told = list(leaves(next((one for one in archive.manifest["datasets"] if one["id"] == name), {})))
        values = [*_cells(archive, name), *told, *_numbers_of_texts(told)]
        values += [len(table.frame()) for table in tables_of(archive, name)]
        for band in rows_of(archive, name, "elevation_bands") + rows_of(archive, name, "zone_balances"):
            values.append((float(band["lower_m"]) + float(band["upper_m"])) / 2)
        archive.notes[key] = np.union1d(_pool(values), _results(archive, name))
    pool: NDArray[np.float64] = archive.notes[key]
    return pool


def _of_series(archive: Archive, name: str) -> Iterator[float]:
    """Number, mean and sum of the annual balances, with the error of the mean, and the years that they span."""
    rows = rows_of(archive, name, "glacier_balances")
    annual = [float(row["annual_balance_m_we"]) for row in rows if row["annual_balance_m_we"]]
    yield from (float(len(rows)), float(len(annual)))
    if annual:
        # each is rounded to a centimetre, and so is what is shown: it may differ by the last digit
        middle = sum(annual) / len(annual)
        yield from (middle, middle + 0.004, middle - 0.004, sum(annual))
    for row in rows_of(archive, name, "cumulative_balances")[-1:]:
        if row["sigma_cumulative_m_we"]:
            error = float(row["sigma_cumulative_m_we"]) / max(len(annual), 1)
            yield from (error, error + 0.004, error - 0.004)
    for gate in rows_of(archive, name, "quality_gates"):
        yield float(gate["value"] or 0)


@check(
    "numbers-traced",
    "every number in the head, the gates, the diagrams and the tables of a page stands in tables or STAC",
    pages,
)
def numbers_traced(page: File) -> Iterator[Failure]:
    root = parsed_page(page)
    if root is None:
        return
    narrow, wide = _pools_of(page)
    for where, text in _shown(root):
        pool, scales = narrow if where in ("head", "gates") else wide, _scales_of(f"{text} {where}")
        for token in numbers_in(text):
            if not traced(token, pool, scales):
                told = f"{token} in {' '.join(text.split())[:80]!r} ({where})"
                yield Failure(page.file, told, "a number of its tables or of STAC", _REBUILD)


def _pools_of(page: File) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What the head of a page may show, and what the rest of it may."""
    archive, parts = page.archive, page.file.split("/")
    if len(parts) == 1:
        counts = [len(archive.items_of(one)) for one in archive.collections]
        pools = [_results(archive, one.collection_id) for one in archive.collections]
        every = np.unique(np.concatenate([*pools, np.array(counts, dtype=float)]))
        return every, every
    wide, item = _everything(archive, parts[0]), archive.item_in.get("/".join(parts[:-1]))
    if item is None:
        return _results(archive, parts[0]), wide
    gates = [value for row in rows_of(archive, parts[0], "quality_gates") for value in _of_gate(row, item)]
    own = _pool([*_results_of_item(item), *gates, *_of_region(item)])
    return own, np.union1d(wide, own)


def _of_gate(row: dict[str, str], item: Document) -> Iterator[float]:
    """Value and limit of a gate of the item's own year, or of one of no year."""
    if row["subject"] in (str(item.content["properties"].get("glacier:year")), "") or not row["subject"].isdigit():
        yield from (float(row[name]) for name in ("value", "limit") if row[name])


def _of_region(item: Document) -> Iterator[float]:
    """Every number of the region that an elevation change is of."""
    properties = item.content["properties"]
    if properties.get("glacier:kind") == "elevation_change":
        for row in rows_of(item.archive, item.collection_id, "region", properties):
            yield from (float(cell) for cell in row.values() if re.fullmatch(r"-?\d+(\.\d+)?", cell))


def _shown(root: Any) -> Iterator[tuple[str, str]]:
    """Texts whose numbers are results, each with the part of the page that it stands in."""
    for part in root.xpath("//dl[@class='numbers']//dd"):
        yield "head", _text(part)
    for part in root.xpath("//ul[contains(@class,'gates')]/li"):
        yield "gates", _text(part)
    for part in root.xpath("//*[local-name()='svg']//*[local-name()='title']"):
        yield "diagram", _text(part)
    for table in root.xpath("//table"):
        heads = " ".join(_text(cell) for cell in table.iter("th"))
        if not any(word in heads for word in _PLAIN_TABLES):
            for cell in table.iter("td"):
                yield ("table of %" if "%" in heads else "table"), _text(cell)


def _text(element: Any) -> str:
    """What is shown to who reads English: what stands in Chinese is left out."""
    parts = [element.text or ""]
    for child in element:
        if child.get("lang") != "zh":
            parts.append(_text(child))
        parts.append(" " + (child.tail or "") if child.tag in ("b", "i", "small", "td", "dd") else child.tail or "")
    return "".join(parts)


def _head(root: Any) -> list[tuple[str, str]]:
    """Label and value of each number in the head of a page, in English, as README has them in a row."""
    numbers = []
    for part in root.xpath("//dl[@class='numbers']/div"):
        label, told = (" ".join(_text(one).split()) for one in (part.find("dt"), part.find("dd")))
        numbers.append((label, told))
    return numbers


def _rows_of_readme(text: str, heading: str) -> list[list[str]]:
    """The cells of each row of the table below a heading."""
    lines = text.partition(f"## {heading}\n")[2].partition("\n## ")[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return rows[2:]


@check(
    "readme-equals-page",
    "README gives the key numbers of its collection's page, and the gates and counts of its tables",
    collections,
)
def readme_equals_page(collection: Document) -> Iterator[Failure]:
    archive, folder = collection.archive, collection.folder
    path, page = f"{folder}/{README_MD}", parsed_page(File(archive, f"{folder}/{INDEX_HTML}"))
    text = archive.text(path)
    if text is None or page is None:
        return  # named by the check of the layout
    told = [(row[0], " ".join(" ".join(row[1:]).split())) for row in _rows_of_readme(text, "Key numbers")]
    for (label, value), (own_label, own) in zip(told, _head(page), strict=False):
        if (label, value.replace(" ", "")) != (own_label, own.replace(" ", "")):
            yield Failure(path, f"{label}: {value}", f"{own_label}: {own}, as its page says", _REBUILD)
    gates = {(row["gate"], row["subject"]): row for row in rows_of(archive, folder, "quality_gates")}
    for row in _rows_of_readme(text, "Quality gates"):
        gate = gates.get((row[0], row[1]))
        pool = _pool([float(gate[name]) for name in ("value", "limit") if gate[name]]) if gate else _pool([])
        verdict = {"true": "passed", "false": "failed"}.get(gate["passed"], "") if gate else ""
        if gate is None or row[4].strip("* ").lower() != verdict:
            yield Failure(path, f"gate {' | '.join(row)}", f"{gate or 'no such gate'}"[:200], _REBUILD)
        for token in (token for cell in row[2:4] for token in numbers_in(cell.partition(" kg")[0])):
            if not traced(token, pool):
                yield Failure(path, f"{token} of gate {row[0]} of {row[1]}", f"one of {pool.tolist()}", _REBUILD)
    counts = {str(table.resource["name"]): len(table.frame()) for table in tables_of(archive, folder)}
    for row in _rows_of_readme(text, "Files"):
        name = row[0].strip("`")
        if name in counts and row[1].replace(",", "") != str(counts[name]):
            yield Failure(path, f"{row[1]} records of {name}", f"{counts[name]}", _REBUILD)
    altitude = definition_of(collection).get("altitude")
    if altitude and f"{altitude['low']:.0f} to {altitude['high']:.0f} m above sea level" not in text:
        yield Failure(path, "other altitudes", f"{altitude['low']:.0f} to {altitude['high']:.0f} m", _REBUILD)


@check("card-equals-page", "a card of the front page gives the first numbers of its collection's page", whole)
def card_equals_page(root: File) -> Iterator[Failure]:
    front = parsed_page(File(root.archive, INDEX_HTML))
    cards = [] if front is None else front.xpath("//article[contains(@class,'card')]")
    heads = []
    for card in cards:
        href = next(iter(card.xpath(".//h2/a/@href")), "")
        told = [
            (" ".join(_text(p.find("dt")).split()), " ".join(_text(p.find("dd")).split()))
            for p in card.xpath(".//dl[@class='numbers']/div")
        ]
        heads.append((href, told))
    for href, told in heads:
        page = parsed_page(File(root.archive, href)) if href in root.archive.path_set else None
        own = [] if page is None else _head(page)
        for number in told:
            if number not in own:
                yield Failure(
                    INDEX_HTML, f"{': '.join(number)} on the card of {href}", "the numbers of its page", _REBUILD
                )


@check("languages-agree", "the words in Chinese on a page hold the numbers of the English words beside them", pages)
def languages_agree(page: File) -> Iterator[Failure]:
    root = parsed_page(page)
    for english in [] if root is None else root.xpath("//*[@lang='en']"):
        chinese = english.getnext()
        if chinese is None or chinese.get("lang") != "zh" or english.tail:
            continue
        pair = [sorted(numbers_in("".join(one.itertext()))) for one in (english, chinese)]
        # in Chinese a count may stand where English has a word; a number may be spelt, and none invented
        if pair[0] and pair[1] and not set(pair[1]) <= {*pair[0], *_years("".join(english.itertext()))}:
            told = " ".join("".join(chinese.itertext()).split())[:100]
            yield Failure(page.file, f"{told!r}", f"numbers {pair[0]}, as in English", _REBUILD)


def _years(text: str) -> list[str]:
    return re.findall(r"\d+", text)


@check(
    "page-facts",
    "the page of an item gives its title, days, projection and version, and the verdicts of its gates",
    items,
)
def page_facts(item: Document) -> Iterator[Failure]:
    properties, path = item.content["properties"], f"{item.folder}/{INDEX_HTML}"
    root = parsed_page(File(item.archive, path))
    if root is None:
        return
    facts = _text(next(iter(root.xpath("//p[@class='facts']")), html.Element("p")))
    days = [str(properties[name])[:10] for name in ("start_datetime", "end_datetime")]
    expected = [*days, str(properties["version"]), str(properties.get("proj:code", ""))]
    for words in expected:
        if words not in facts:
            yield Failure(path, f"facts {' '.join(facts.split())!r}", f"{words!r}, as {item.file} says", _REBUILD)
    title, told = str(properties["title"]), root.xpath("string(//title/@data-en)")
    # a page holds text without control characters and direction marks
    if told != inert_text(title):
        yield Failure(path, f"title {told!r}", f"{title!r}, as {item.file} says", _REBUILD)
    year = properties.get("glacier:year")
    for heading in root.xpath("//h1/*[@lang]"):
        own = re.findall(r"\d{4}", "".join(heading.itertext()))
        if year is not None and own != [str(year)]:
            yield Failure(path, f"heading {''.join(heading.itertext())!r}", f"the year {year}", _REBUILD)
    verdicts = [gate["passed"] for gate in properties.get("glacier:gates") or ()]
    shown = [("passed" in (li.get("class") or "").split()) for li in root.xpath("//ul[contains(@class,'gates')]/li")]
    if len(shown) == len(verdicts) and shown != verdicts:
        yield Failure(path, f"gates passed: {shown}", f"{verdicts}, as {item.file} says", _REBUILD)


@check(
    "collection-page-facts",
    "the page of a collection gives version and day of publication of its definition",
    collections,
)
def collection_page_facts(collection: Document) -> Iterator[Failure]:
    definition, path = definition_of(collection), f"{collection.folder}/{INDEX_HTML}"
    root = parsed_page(File(collection.archive, path))
    if root is None:
        return
    facts = _text(next(iter(root.xpath("//p[@class='facts']")), html.Element("p")))
    for words in (str(definition["version"]), str(definition["publication_date"]), str(definition["publisher"])):
        if plain(words) not in plain(facts):
            yield Failure(path, f"facts {' '.join(facts.split())!r}", f"{words!r}, as its definition", _REBUILD)
    abstract = definition["reading"]["description"]
    shown = plain("".join(root.itertext()))
    for words in (definition["title"]["en"], abstract["en"], abstract.get("cn") or ""):
        if plain(str(words)) not in shown:
            yield Failure(path, "a page without it", f"{str(words)[:120]!r}, as its definition says", _REBUILD)


@check("map-data", "the map of an item's page has its projection, its rasters and the scales that STAC states", items)
def map_data(item: Document) -> Iterator[Failure]:
    properties, path = item.content["properties"], f"{item.folder}/{INDEX_HTML}"
    root = parsed_page(File(item.archive, path))
    stated = None if root is None else next(iter(root.xpath("//script[@id='viewer-data']")), None)
    if stated is None:
        return
    data = json.loads(stated.text or "{}")
    code = str(properties.get("proj:code", ""))
    zone = re.fullmatch(r"EPSG:32[67](\d\d)", code)
    meridian = (data.get("utm") or {}).get("meridian")
    if data.get("code") != code or (zone and meridian is not None and meridian != 6 * int(zone[1]) - 183):
        yield Failure(f"{path}: map", f"{data.get('code')}, meridian {meridian}", f"{code}", _REBUILD)
    renders = properties.get("renders", {})
    for layer in data.get("layers") or ():
        scale = renders.get(layer.get("key"), {}).get("rescale", [[None, None]])[0]
        told = [layer.get("low"), layer.get("high")]
        # an error's scale on a map is that of its own year
        if scale[0] is not None and not str(layer.get("key")).endswith("_sigma") and told != scale:
            yield Failure(f"{path}: map", f"{layer.get('key')} from {told}", f"{scale}, as {item.file} says", _REBUILD)
        band = ((item.assets.get(str(layer.get("key"))) or {}).get("bands") or [{}])[0]
        if layer.get("key") != "visual" and (layer.get("unit") or "") != (band.get("unit") or ""):
            yield Failure(f"{path}: map", f"unit {layer.get('unit')!r}", f"{band.get('unit')!r}", _REBUILD)


@check("page-pictures", "a picture has the width and height that the pages give it, and no other item's pixels", whole)
def page_pictures(root: File) -> Iterator[Failure]:
    archive = root.archive
    sizes: dict[str, tuple[int, int]] = {}
    contents: dict[bytes, str] = {}
    for path in archive.paths:
        if path.endswith(".png"):
            content = archive.files.read(path) or b""
            sizes[path] = struct.unpack(">II", content[16:24]) if len(content) > 24 else (0, 0)
            own = _pixels_of(content)
            if own in contents:
                yield Failure(path, f"the pixels of {contents[own]}", "a picture of its own", _REBUILD)
            contents.setdefault(own, path)
    archive.notes["picture sizes"] = sizes


def _pixels_of(content: bytes) -> bytes:
    """A digest of what a picture shows, however it is packed."""
    import hashlib
    import io

    from PIL import Image

    with Image.open(io.BytesIO(content)) as picture:
        return hashlib.sha256(picture.convert("RGB").tobytes()).digest()


@check("picture-sizes", "a page gives each picture the width and height that it has", pages)
def picture_sizes(page: File) -> Iterator[Failure]:
    from catalog.archive import join

    root = parsed_page(page)
    for image in [] if root is None else root.iter("img"):
        target = join(page.file.rpartition("/")[0], str(image.get("src") or ""))
        content = page.archive.files.read(target) if target in page.archive.path_set else None
        if not target or content is None or not target.endswith(".png") or len(content) < 24:
            continue
        width, height = struct.unpack(">II", content[16:24])
        told = image.get("width"), image.get("height")
        if None not in told and told != (str(width), str(height)):
            yield Failure(
                target, f"{width} x {height} pixels", f"{' x '.join(map(str, told))}, as {page.file} says", _REBUILD
            )


@check(
    "search-words", "the search knows each collection by its keywords, place and publisher and by nothing else", whole
)
def search_words(root: File) -> Iterator[Failure]:
    archive = root.archive
    datasets = {entry["id"]: entry["definition"] for entry in archive.manifest["datasets"]}
    for entry in parse_search_script(archive.text(SEARCH_JS) or "")["collections"]:
        definition = datasets.get(str(entry["id"]))
        told = {str(leaf) for leaf in leaves(definition)} if definition else set()
        for word in entry.get("keywords", ()):
            if definition and word and str(word) not in told:
                yield Failure(SEARCH_JS, f"keyword {word!r} of {entry['id']}", "words of its definition", _REBUILD)
        collection = archive.json(f"{entry['id']}/{COLLECTION_JSON}") if definition else None
        if collection and str(collection.get("title")) not in [str(one) for one in entry.get("title", ())]:
            yield Failure(SEARCH_JS, f"title {entry.get('title')}", f"{collection.get('title')!r}", _REBUILD)
