"""Our fields as an extension of pystac's."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pystac
import pytest

from catalog.stac import GlacierExtension
from schemas.glacier_extension import SCHEMA_PATH

MOMENT = datetime(2003, 8, 31, tzinfo=UTC)


def plain_item() -> pystac.Item:
    return pystac.Item("x", {"type": "Point", "coordinates": [84.4, 43.7]}, [84.4, 43.7, 84.4, 43.7], MOMENT, {})


def test_the_fields_of_a_published_item_are_attributes(whole_archive):
    path = whole_archive / "test-mass-balance/balance-2003/balance-2003.json"
    stated = json.loads(path.read_text(encoding="utf-8"))["properties"]
    year = GlacierExtension.ext(pystac.Item.from_file(str(path)))
    assert (year.kind, year.synthetic, year.year) == ("mass_balance", True, 2003)
    assert year.annual_m_we == stated["glacier:balance"]["annual_m_we"]
    assert (year.ela_m, year.ela_position) == (stated["glacier:ela"]["altitude_m"], stated["glacier:ela"]["position"])
    assert year.mean_dh_m is None
    assert year.fields == {name: value for name, value in stated.items() if name.startswith("glacier:")}


def test_those_of_a_collection_too(whole_archive):
    collection = pystac.Collection.from_file(str(whole_archive / "test-elevation-change/collection.json"))
    assert GlacierExtension.ext(collection).kind == "elevation_change"


def test_a_field_is_set_by_its_name_and_no_other_is_taken():
    item = plain_item()
    fields = GlacierExtension(item)
    fields.mean_dh_m = -4.5
    fields.apply({"glacier:sigma_mean_dh_m": None})
    assert item.properties == {"glacier:mean_dh_m": -4.5, "glacier:sigma_mean_dh_m": None}
    with pytest.raises(KeyError, match="glacier:colour"):
        fields.apply({"glacier:colour": "red"})


def test_an_archive_that_knows_its_address_declares_it_there():
    item = plain_item()
    with pytest.raises(pystac.ExtensionNotImplemented, match="x neither declares"):
        GlacierExtension.ext(item)
    GlacierExtension.declare(item, "https://example.org/ice")  # no field yet: nothing to declare
    assert item.stac_extensions == []
    GlacierExtension(item).year = 2003
    GlacierExtension.declare(item, "https://example.org/ice")
    assert item.stac_extensions == [f"https://example.org/ice/{SCHEMA_PATH}"]
    assert GlacierExtension.ext(item).year == 2003


def test_a_catalogue_has_no_such_fields():
    with pytest.raises(pystac.ExtensionTypeError, match="does not apply to type 'Catalog'"):
        GlacierExtension(pystac.Catalog("x", "y"))
