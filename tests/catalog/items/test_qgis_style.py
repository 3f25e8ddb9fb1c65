"""The QGIS styles, held against the scales, classes and features that they draw."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import numpy as np
import pytest
import rasterio
from colorspacious import deltaE

from catalog.archive.layout import CollectionFolder
from catalog.figures.change_picture import sigma_limit
from catalog.figures.colours import amount_colours, change_colours
from catalog.items.elevation_change import write_elevation_change
from catalog.items.mass_balance import write_mass_balance
from catalog.items.qgis import (
    amount_style,
    change_style,
    class_style,
    glacier_style,
    isoline_style,
    outline_style,
    write_balance_styles,
    write_change_styles,
)
from catalog.metadata.facts import describe
from tests.made.fakes import make_elevation_change_dataset, make_mass_balance_dataset


def parsed(text):
    root = ET.fromstring(text)
    assert root.tag == "qgis"
    return root


def drawn(style, value):
    """The colour that QGIS gives to a value: straight lines between the stops, the ends beyond them."""
    items = style.findall("pipe/rasterrenderer/rastershader/colorrampshader/item")
    at = [float(item.get("value")) for item in items]
    bands = np.array([[int(item.get("color")[k : k + 2], 16) for k in (1, 3, 5)] for item in items]) / 255
    return np.array([np.interp(value, at, bands[:, band]) for band in range(3)])


@pytest.mark.parametrize(
    ("style", "table", "ends"),
    [
        (change_style(12.5, "m"), change_colours(), (-12.5, 12.5)),
        (amount_style(0.25, "m w.e."), amount_colours(), (0.0, 0.25)),
    ],
    ids=["change", "amount"],
)
def test_a_raster_is_drawn_in_the_colours_of_the_figures(style, table, ends):
    root = parsed(style)
    renderer = root.find("pipe/rasterrenderer")
    assert renderer.get("type") == "singlebandpseudocolor"
    assert (float(renderer.get("classificationMin")), float(renderer.get("classificationMax"))) == ends
    values = np.linspace(*ends, 256)
    distance = [deltaE(drawn(root, value), colour, "sRGB1") for value, colour in zip(values, table, strict=True)]
    assert max(distance) < 1.5


def test_zero_is_neutral_and_the_ends_stay_as_they_are_beyond_the_range():
    root = parsed(change_style(7.0, "m"))
    assert np.ptp(drawn(root, 0.0)) < 0.02
    assert (drawn(root, -99.0) == drawn(root, -7.0)).all()
    shader = root.find("pipe/rasterrenderer/rastershader/colorrampshader")
    assert shader.get("clip") == "0"
    labels = [item.get("label") for item in shader.findall("item") if item.get("label")]
    assert labels == ["−7 m", "−3.5 m", "0 m", "3.5 m", "7 m"]


def test_the_ramp_of_a_style_is_that_of_its_stops():
    root = parsed(amount_style(4.0, "m"))
    shader = root.find("pipe/rasterrenderer/rastershader/colorrampshader")
    options = {option.get("name"): option.get("value") for option in shader.findall("colorramp/Option/Option")}
    stops = [stop.partition(";") for stop in options["stops"].split(":")]
    colours = [options["color1"], *(colour for _, _, colour in stops), options["color2"]]
    stated = [item.get("color") for item in shader.findall("item")]
    assert ["#" + "".join(f"{int(part):02x}" for part in colour.split(",")[:3]) for colour in colours] == stated
    assert [float(share) for share, _, _ in stops] == pytest.approx(np.linspace(0, 1, len(stated))[1:-1], abs=1e-5)


def test_classes_are_drawn_in_order_with_their_labels():
    root = parsed(class_style([(2, (1, 2, 255), "Glacier & ice"), (0, (0, 0, 0), "Void")]))
    assert root.find("pipe/rasterrenderer").get("type") == "paletted"
    entries = [dict(entry.attrib) for entry in root.iter("paletteEntry")]
    assert entries == [
        {"value": "0", "color": "#000000", "alpha": "255", "label": "Void"},
        {"value": "2", "color": "#0102ff", "alpha": "255", "label": "Glacier & ice"},
    ]


def test_every_mean_change_of_a_glacier_has_its_class_and_zero_parts_two():
    root = parsed(glacier_style(6.0))
    ranges = [(float(part.get("lower")), float(part.get("upper"))) for part in root.iter("range")]
    assert [low for low, _ in ranges[1:]] == [high for _, high in ranges[:-1]]
    assert ranges[0][0] < -1000
    assert ranges[-1][1] > 1000
    assert 0.0 in [low for low, _ in ranges]
    assert len(list(root.iter("symbol"))) == len(ranges)


def test_each_epoch_has_a_line_of_its_own_even_under_a_hostile_name():
    root = parsed(outline_style(["2012", "2000", "2012", '"/><x>\u202e']))
    categories = {category.get("value"): category.get("symbol") for category in root.iter("category")}
    assert set(categories) == {"2000", "2012", '"/><x>'}
    assert len(set(categories.values())) == 3
    colours = [option.get("value") for option in root.iter("Option") if option.get("name") == "outline_color"]
    assert len(set(colours)) == 3


def test_the_line_of_zero_balance_is_thicker_than_the_others():
    root = parsed(isoline_style())
    widths = {
        symbol.get("name"): float(option.get("value"))
        for symbol in root.iter("symbol")
        for option in symbol.iter("Option")
        if option.get("name") == "line_width"
    }
    rules = {rule.get("filter"): widths[rule.get("symbol")] for rule in root.find("renderer-v2/rules")}
    assert rules['"balance_m_we" = 0'] > 2 * rules["ELSE"]
    assert root.find("labeling/settings/text-style").get("fieldName") == "balance_m_we"


def test_a_style_is_named_after_its_file_and_described_as_an_asset(tmp_path):
    classes = [(0, (0, 0, 0), "Void")]
    assets = [
        *write_change_styles(tmp_path, (6.0, 4.0), classes, ["2000"]),
        *write_balance_styles(tmp_path.joinpath, (2.0, 0.3)),
    ]
    assert {asset.href for asset in assets} == {path.name for path in tmp_path.iterdir()} == {
        *("elevation_change.qml", "elevation_change_sigma.qml", "classification.qml", "glaciers.qml", "outlines.qml"),
        *("balance.qml", "balance_sigma.qml", "isolines.qml"),
    }  # fmt: skip
    assert {asset.roles for asset in assets} == {("style",)}
    assert all(asset.title.cn and asset.description.cn for asset in assets)
    assert len({asset.key for asset in assets}) == len(assets)
    ends = {path.stem: parsed(path.read_text()).find("pipe/rasterrenderer") for path in tmp_path.glob("*[ae].qml")}
    assert ends["elevation_change_sigma"].get("classificationMax") == "4"
    assert ends["balance"].get("classificationMin") == "-2"
    assert ends["balance_sigma"].get("classificationMax") == "0.3"


def test_no_style_is_written_for_outlines_that_are_not_there(tmp_path):
    names = {asset.href for asset in write_change_styles(tmp_path, (6.0, 4.0), [], None)}
    assert names == {"elevation_change.qml", "elevation_change_sigma.qml", "classification.qml"}


@pytest.mark.slow
def test_the_items_carry_a_style_for_every_raster_of_one_band_and_every_file_of_features(tmp_path):
    change, balance = make_elevation_change_dataset((60, 90)), make_mass_balance_dataset()
    items = [
        *write_elevation_change(change, describe(change), CollectionFolder(tmp_path, "change")),
        *write_mass_balance(balance, describe(balance), CollectionFolder(tmp_path, "balance")),
    ]
    assert len(items) == 3
    for item in items:
        styles = {asset.href for asset in item.assets if "style" in asset.roles}
        drawn_files = [
            path
            for path in sorted(item.folder.iterdir())
            if path.suffix == ".geojson" or (path.suffix == ".tif" and rasterio.open(path).count == 1)
        ]
        assert styles == {f"{path.stem}.qml" for path in drawn_files}
        assert all((item.folder / name).is_file() for name in styles)
    renders = items[0].properties["renders"]
    assert renders["elevation_change_sigma"]["rescale"] == [[0.0, sigma_limit(change.result)]]
    text = (items[0].folder / "elevation_change_sigma.qml").read_text()
    assert f'classificationMax="{sigma_limit(change.result):.9g}"' in text
