"""Text of a definition or of field data that tries to be more than text: inert wherever the archive shows it."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from dataclasses import replace
from html import escape as html_escape
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pystac
import pytest
import yaml
from lxml import etree, html
from markdown_it import MarkdownIt

from catalog.archive.dataset import Dataset
from catalog.formats.cell_text import FORMULA_SIGNS, csv_text, inert_text, text_of_csv
from catalog.metadata.markdown import markdown_line
from schemas.definition import Definition, parse_definition
from schemas.errors import BadDefinition
from schemas.machine_folders import machine_folders
from tests.made.fakes import make_elevation_change_definition
from tests.made.whole_archive import ELEVATION_CHANGE, MASS_BALANCE, make_datasets, publish_datasets
from tests.system.browser import chromium

# each would do something in one of the places where the text is shown; all of them stand in every text
MARKUP = (
    "</script><script>window.pwned=1</script><img src=x onerror=window.pwned=1><a href=javascript:window.pwned=1>a</a>"
)
XML = "]]> <!-- --> &amp; &#60; <!ENTITY x 'y'> \"double\" 'single'"
TEMPLATE = "{{ 7 * 7 }} {% raw %} ${HOME} %s"
MARKDOWN = "![i](http://evil.example/i.png) [l](javascript:pwned) **b** `c` <https://evil.example> | cell ~~s~~"
YAML = ": - #c {a: b} !!python/object/apply:os.system [x] &anchor *alias"
UNSEEN = "\u202egnp.exe\u202c \u2066i\u2069 \u2028 \u05e2\u05d1\u05e8\u05d9\u05ea"
EMOJI = "\U0001f3d4\ufe0f \U0001d11e \U0001f468\u200d\U0001f469\u200d\U0001f467"
HOSTILE = " ".join((MARKUP, XML, TEMPLATE, MARKDOWN, YAML, UNSEEN, EMOJI))
FORMULA = "=cmd()|' /C calc'!A0"
# word for word in what a source says; nowhere else
FOLDERS = "/home/ann/dem C:\\Users\\ann d:\\work file:///srv/dem\nfrom /tmp/x"
LONG = f"={HOSTILE} " + "very long title " * 300
# names of stakes, as a field book may hold them and a spreadsheet may run them
STAKES = {
    "1": FORMULA,
    "2": "+2+3",
    "3": "-3+4",
    "4": "@SUM(1,2)",
    "5": "\t=5",
    "6": "'=6",
    "7": "\uff1d7",
    "8": '8";=1',
}
PAGES = ("index.html", f"{ELEVATION_CHANGE}/index.html", f"{MASS_BALANCE}/index.html")
BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")


def hostile_definition(definition: Definition) -> Definition:
    """The definition with hostile text in every text that has no pattern of its own."""
    raw = definition.model_dump(mode="python")
    raw["title"] = {"en": LONG, "cn": f"标题 {HOSTILE}"}
    raw["publisher"] = raw["publisher_cn"] = raw["licence_note"] = HOSTILE
    said = f"{HOSTILE} {FOLDERS}"
    raw["original"] |= {name: said for name, value in raw["original"].items() if isinstance(value, str)}
    for name in ("description", "data_source", "processing_method", "data_quality", "collect_place", "data_format"):
        raw["reading"][name] = {"en": f"# {HOSTILE}\n\n- {HOSTILE}\n===\n1. {HOSTILE}", "cn": HOSTILE}
    raw["reading"]["notes"] = (HOSTILE,)
    raw["reading"]["keywords"] = {
        "origin": "filled",
        "basis": HOSTILE,
        **{language: {"theme": (HOSTILE, FORMULA), "place": ("@x", "- y")} for language in ("en", "cn")},
    }
    raw["extent"] |= {"origin": "filled", "basis": HOSTILE}
    raw["period"] |= {"note": HOSTILE, "note_cn": HOSTILE}
    raw["contacts"] = [
        {"name": HOSTILE, "organization": HOSTILE, "phone": FORMULA, "origin": "filled", "basis": HOSTILE}
    ]
    raw["project"] = {"number": FORMULA, "name": HOSTILE}
    for source in raw["sources"]:
        source |= {"title": HOSTILE, "attribution": HOSTILE, "dates_basis": HOSTILE}
    for gate in raw["gates"]:
        gate["meaning"] = HOSTILE
    return parse_definition(raw, "hostile.toml")


def hostile_tables(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The tables with other names of stakes, the same in each, and hostile remarks."""
    changed = {name: table.copy() for name, table in tables.items()}
    for name, column in (("stakes", "stake_id"), ("readings", "stake_id"), ("point_balances", "point_id")):
        changed[name][column] = changed[name][column].replace(STAKES)
    points = changed["point_balances"]
    points["readings"] = points["point_id"] + points["readings"].str.replace(r"^[^/]*", "", regex=True)
    changed["stakes"]["remarks"] = [FORMULA, HOSTILE, "\x00\x07\x1b]0;t\x07=1", *changed["stakes"]["remarks"][3:]]
    return changed


def hostile_datasets() -> list[Dataset]:
    change, balance = make_datasets()
    result = replace(balance.result, tables=hostile_tables(dict(balance.result.tables)))
    return [
        replace(dataset, definition=hostile_definition(dataset.definition))
        for dataset in (change, replace(balance, result=result))
    ]


@pytest.fixture(scope="module")
def benign(whole_archive: Path) -> Path:
    return whole_archive


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of hostile text; that it is published means that every check passed."""
    out = tmp_path_factory.mktemp("hostile") / "archive"
    publish_datasets(hostile_datasets(), out)
    return out


def page(path: Path) -> Any:
    return html.document_fromstring(path.read_bytes(), parser=html.HTMLParser(encoding="utf-8"))


def squeezed(text: str) -> str:
    return " ".join(text.split())


# --- what never enters --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("character", ["\x00", "\x08", "\x0b", "\x1b", "\ufffe", "\uffff", "\ud800"])
def test_a_definition_with_a_character_that_xml_cannot_carry_is_refused(character: str) -> None:
    raw = make_definition_raw()
    raw["title"]["en"] = f"a{character}b"
    with pytest.raises(BadDefinition, match=r"hostile\.toml: title\.en: found the control character"):
        parse_definition(raw, "hostile.toml")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("kept in /home/ann/dem", "/home/a"),
        ("(/tmp/x)", "/tmp/x"),
        ("see file:///x", "file://"),
        ("C:\\Users\\ann", "C:\\Users"),
        ("c:\\temp\\x", "c:\\temp"),
    ],
)
def test_a_definition_that_names_a_folder_of_a_machine_is_refused(text: str, found: str) -> None:
    raw = make_definition_raw()
    raw["reading"]["notes"] = ["a note", text]
    place = rf"hostile\.toml: reading\.notes\.1: found {re.escape(repr(found))}; expected a text that names no folder"
    with pytest.raises(BadDefinition, match=place):
        parse_definition(raw, "hostile.toml")
    raw["reading"]["notes"] = ()
    raw["original"]["description"] = text
    assert parse_definition(raw, "hostile.toml").original.description == text


@pytest.mark.parametrize(
    "text", ["https://example.org/home/ann", "and/or /homes", "part A:\nthe stakes", "A:\\x", "~/x", "1:/2", "a/tmp/x"]
)
def test_what_only_looks_like_a_folder_is_none(text: str) -> None:
    for written in (text, json.dumps(text), html_escape(text)):
        assert machine_folders(written) == ()


def make_definition_raw() -> dict[str, Any]:
    return make_elevation_change_definition().model_dump(mode="python")


@pytest.mark.parametrize("sign", FORMULA_SIGNS)
def test_every_sign_of_a_formula_is_behind_an_apostrophe_in_a_csv_and_comes_back(sign: str) -> None:
    for text in (f"{sign}1", f"'{sign}1", f"''{sign}1", f"{sign}"):
        assert csv_text(text) == f"'{text}"
        assert text_of_csv(csv_text(text)) == text
    for text in ("'t Hooft", "a=1", "", "51号冰川", " =1"):
        assert csv_text(text) == text == text_of_csv(text)


@pytest.mark.parametrize(
    "text",
    [HOSTILE, MARKUP, MARKDOWN, "# a", "- a", "+ a", "1. a", "12) a", "===", "---", "* a", "> a", "~~~", "a@b.cc",
     "&lt;", "www.evil.example", "https://evil.example", "\\*a\\*", "a\n\n# b", "|---|", ": a", "\t code", "$x$",
     "[^1]: a"],
)  # fmt: skip
def test_a_line_of_markdown_is_shown_as_it_stands(text: str) -> None:
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(markdown_line(text))
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    children = tokens[1].children or []
    assert {child.type for child in children} <= {"text", "text_special"}
    assert "".join(child.content for child in children) == squeezed(BIDI.sub("", text))


# --- pages --------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_pages_hold_no_element_or_handler_of_the_text(hostile: Path, benign: Path) -> None:
    for path in sorted(hostile.rglob("*.html")):
        tree, usual = page(path), page(benign / path.relative_to(hostile))
        assert {node.tag for node in tree.iter()} <= {node.tag for node in usual.iter()}, path
        assert len(list(tree.iter("script"))) == len(list(usual.iter("script"))), path
        for node in tree.iter():
            for name, value in node.attrib.items():
                assert not name.startswith("on"), (path, name)
                leads = name in (
                    "href",
                    "src",
                    "action",
                    "formaction",
                    "srcdoc",
                    "style",
                    "xlink:href",
                    "data",
                    "poster",
                )
                assert not leads or "script" not in value, (path, name, value)
                assert not (name == "src" and value == "x"), path
        assert not BIDI.search(path.read_text(encoding="utf-8")), path


@pytest.mark.slow
def test_pages_show_the_text(hostile: Path) -> None:
    for name in PAGES[1:]:
        shown = squeezed(page(hostile / name).text_content())
        assert squeezed(BIDI.sub("", HOSTILE)) in shown
        assert "{{ 7 * 7 }}" in shown, "nothing was evaluated"


@pytest.mark.slow
def test_nothing_of_the_text_runs_in_a_browser(hostile: Path) -> None:
    asked: list[str] = []
    with chromium() as browser:
        tab = browser.new_page()
        tab.on("request", lambda request: asked.append(request.url))
        for path in sorted(hostile.rglob("*.html")):
            tab.goto(path.as_uri())
            tab.wait_for_load_state("load")
            for language in ("zh", "en"):
                tab.evaluate("code => document.querySelector(`[data-language=${code}]`)?.click()", language)
                assert tab.evaluate("window.pwned") is None, path
            assert tab.evaluate("document.querySelectorAll('img[src=x], [onerror]').length") == 0, path
    assert asked
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


# --- records ------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_description_in_a_page_is_what_the_file_says(hostile: Path) -> None:
    for collection in (ELEVATION_CHANGE, MASS_BALANCE):
        (script,) = page(hostile / collection / "index.html").xpath("//script[@type='application/ld+json']")
        told = json.loads(script.text)
        stated = json.loads((hostile / collection / "metadata/dataset.jsonld").read_text(encoding="utf-8"))
        assert squeezed(BIDI.sub("", stated["name"])) == squeezed(BIDI.sub("", told["name"]))
        assert stated["name"].endswith(LONG)
        assert told["version"] == stated["version"]


@pytest.mark.slow
def test_stac_says_the_text_as_it_is(hostile: Path) -> None:
    catalog = pystac.Catalog.from_file(str(hostile / "catalog.json"))
    for collection in catalog.get_children():
        assert squeezed(str(collection.title)).endswith(squeezed(LONG))
        assert HOSTILE in str(collection.description)
    for path in hostile.rglob("*.geojson"):
        assert json.loads(path.read_text(encoding="utf-8"))["type"] == "FeatureCollection"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["datacite.xml", "iso19139.xml"])
def test_xml_is_well_formed_and_gains_no_element(hostile: Path, benign: Path, name: str) -> None:
    for collection in (ELEVATION_CHANGE, MASS_BALANCE):
        parser = etree.XMLParser(resolve_entities=False)
        root = etree.parse(hostile / collection / "metadata" / name, parser).getroot()
        usual = etree.parse(benign / collection / "metadata" / name, parser).getroot()
        # what the hostile definition fills and the other leaves empty
        filled = {"organisationName", "affiliation", "description", "nameIdentifier"}
        added = {etree.QName(node).localname for node in root.iter("*")} - {
            etree.QName(node).localname for node in usual.iter("*")
        }
        assert added <= filled
        assert not [node for node in root.iter() if not isinstance(node.tag, str)], "no comment, entity or instruction"
        texts = [squeezed(text) for text in root.itertext()]
        assert any(text.endswith(squeezed(LONG)) for text in texts)


@pytest.mark.slow
def test_yaml_reads_back_as_the_same_text_and_gains_no_key(hostile: Path, benign: Path) -> None:
    for collection in (ELEVATION_CHANGE, MASS_BALANCE):
        document = yaml.safe_load((hostile / collection / "metadata/CITATION.cff").read_text(encoding="utf-8"))
        usual = yaml.safe_load((benign / collection / "metadata/CITATION.cff").read_text(encoding="utf-8"))
        # the sources of the hostile definition are all credited
        assert set(document) - {"references"} == set(usual) - {"references"}
        assert document["title"].endswith(squeezed(LONG))
        assert document["contact"][0]["name"] == HOSTILE
        assert document["preferred-citation"]["publisher"]["name"] == squeezed(HOSTILE)
        notes = document["preferred-citation"]["notes"].splitlines()
        assert [line.partition(": ")[0] for line in notes] == [
            line.partition(": ")[0] for line in usual["preferred-citation"]["notes"].splitlines()
        ]


@pytest.mark.slow
def test_readme_gains_no_heading_link_picture_or_markup(hostile: Path, benign: Path) -> None:
    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    for collection in (ELEVATION_CHANGE, MASS_BALANCE):
        tokens, usual = (
            reader.parse((root / collection / "README.md").read_text(encoding="utf-8")) for root in (hostile, benign)
        )
        assert "html_block" not in {token.type for token in tokens}
        for kind in ("heading_open", "table_open", "code_block", "fence", "hr", "th_open"):
            assert sum(token.type == kind for token in tokens) == sum(token.type == kind for token in usual), kind
        spans = {child.type for token in tokens for child in token.children or ()}
        assert not spans & {"image", "html_inline", "s_open", "em_open"}
        links, known = (
            {child.attrGet("href") for token in parsed for child in token.children or () if child.type == "link_open"}
            for parsed in (tokens, usual)
        )
        assert links <= known
        heading = next(token for token in tokens if token.type == "inline")
        assert "".join(child.content for child in heading.children or ()) == squeezed(BIDI.sub("", LONG))


@pytest.mark.slow
def test_the_citation_stays_one_line(hostile: Path) -> None:
    for collection in (ELEVATION_CHANGE, MASS_BALANCE):
        text = (hostile / collection / "metadata/citation.txt").read_text(encoding="utf-8")
        assert squeezed(LONG) in text.split("\n")[2]


# --- tables -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_no_cell_of_a_csv_begins_a_formula(hostile: Path) -> None:
    number = re.compile(r"[+-]?\d*\.?\d+(e[+-]?\d+)?", re.IGNORECASE)
    for path in hostile.rglob("*.csv"):
        for row in csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline="")):
            for cell in row:
                runs = cell[:1] in ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠") and len(cell) > 1
                assert not runs or number.fullmatch(cell), (path, cell)


@pytest.mark.slow
def test_every_table_and_format_names_a_stake_alike(hostile: Path) -> None:
    folder = hostile / MASS_BALANCE / "tables"
    expected = {inert_text(name) for name in STAKES.values()}
    book = openpyxl.load_workbook(folder / f"{MASS_BALANCE}.xlsx")
    for table, column in (("stakes", "stake_id"), ("readings", "stake_id"), ("point_balances", "point_id")):
        stated = pd.read_csv(folder / f"{table}.csv", dtype=str, keep_default_na=False)[column]
        exact = pd.read_parquet(folder / f"{table}.parquet")[column]
        assert [text_of_csv(text) for text in stated] == list(exact)
        assert expected <= set(exact)
        sheet = book[table]
        place = [cell.value for cell in sheet[1]].index(column)
        cells = [row[place] for row in sheet.iter_rows(min_row=3)]
        assert [cell.value for cell in cells] == list(exact)
        for cell in cells:
            assert cell.data_type == "s"
            assert bool(cell.quotePrefix) is cell.value.startswith(FORMULA_SIGNS)


@pytest.mark.slow
def test_no_workbook_holds_a_formula_or_a_part_that_runs(hostile: Path) -> None:
    for path in hostile.rglob("*.xlsx"):
        with zipfile.ZipFile(path) as book:
            names = book.namelist()
            assert not [name for name in names if re.search(r"vba|externalLink|activeX|connections|embedding", name)]
            for name in names:
                if name.startswith("xl/worksheets/sheet"):
                    assert b"<f>" not in book.read(name), (path, name)


@pytest.mark.slow
def test_no_control_character_of_field_data_reaches_a_table(hostile: Path) -> None:
    control = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
    for path in [*hostile.rglob("*.csv")]:
        assert not control.search(path.read_text(encoding="utf-8").replace("\u2028", "")), path
    remarks = pd.read_parquet(hostile / MASS_BALANCE / "tables/stakes.parquet").set_index("stake_id")["remarks"]
    assert remarks["-3+4"] == "]0;t=1"
