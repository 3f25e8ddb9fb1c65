"""The data dictionary: every column once, as its schema and the data package have it."""

from __future__ import annotations

import json
from dataclasses import replace

import pandas as pd
import pytest

from catalog.archive.layout import CollectionFolder
from catalog.metadata.facts import describe
from catalog.tables.data_dictionary import data_dictionary
from catalog.tables.write import write_tables
from pipeline.mass_balance.result import MassBalance
from schemas.fields import Column, ForeignKey, Table
from schemas.tables import DATA_DICTIONARY, PUBLISHED_TABLES
from tests.made.fakes import make_mass_balance_dataset


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    dataset = make_mass_balance_dataset()
    folder = CollectionFolder(tmp_path_factory.mktemp("archive"), dataset.definition.id)
    write_tables(dataset, describe(dataset), folder)
    return folder


def test_every_column_of_every_table_of_the_package_is_described_as_there(written):
    package = json.loads((written.path / "datapackage.json").read_text(encoding="utf-8"))
    frame = pd.read_csv(written.table_csv("data_dictionary"), keep_default_na=False, dtype=str)
    fields = [(entry["name"], field) for entry in package["resources"] for field in entry["schema"]["fields"]]
    described = frame.set_index(["table", "column"])
    assert len(described) == len(fields)
    assert described.index.is_unique
    for table, field in fields:
        entry = described.loc[(table, field["name"])]
        assert entry["meaning"] == field["description"]
        assert entry["unit"] == field.get("unit", "")
        assert entry["type"] == field["type"]
        assert (entry["required"] == "true") == bool(field.get("constraints", {}).get("required"))


def test_keys_limits_and_references_of_a_column_are_stated():
    frame = data_dictionary(["stakes", "readings", "point_balances"]).set_index(["table", "column"])
    assert set(frame.index.get_level_values("table")) == {"stakes", "readings", "point_balances", "data_dictionary"}
    assert frame.loc[("readings", "stake_id"), "refers_to"] == "stakes.stake_id"
    assert frame.loc[("readings", "stake_id"), "in_primary_key"]
    assert not frame.loc[("readings", "exposed_m"), "in_primary_key"]
    assert tuple(frame.loc[("readings", "exposed_m"), ["unit", "minimum", "maximum", "decimals"]]) == ("m", 0, 20, 3)
    assert frame.loc[("point_balances", "bound"), "allowed"] == "one of: =, <="
    assert pd.isna(frame.loc[("stakes", "remarks"), "refers_to"])


def test_a_reference_to_a_table_that_is_not_there_is_not_stated():
    frame = data_dictionary(["readings"]).set_index(["table", "column"])
    assert pd.isna(frame.loc[("readings", "stake_id"), "refers_to"])


def test_positions_count_from_one_in_the_order_of_the_columns():
    names = [table.name for table in PUBLISHED_TABLES]
    frame = data_dictionary(names)
    for table in PUBLISHED_TABLES:
        own = frame[frame.table == table.name]
        assert tuple(own.column) == table.column_names
        assert own.position.tolist() == list(range(1, len(own) + 1))
    assert frame[frame.table == DATA_DICTIONARY.name].column.tolist() == list(DATA_DICTIONARY.column_names)


def test_the_references_that_the_tables_have():
    found = {
        (table.name, *key.columns, f"{key.table}.{key.reference_columns[0]}")
        for table in PUBLISHED_TABLES
        for key in table.foreign_keys
    }
    assert found == {
        ("readings", "stake_id", "stakes.stake_id"),
        ("snow_pits", "stake_id", "stakes.stake_id"),
        ("pit_layers", "pit_id", "snow_pits.pit_id"),
        ("filled_balances", "point_id", "stakes.stake_id"),
        ("zone_balances", "year", "glacier_balances.year"),
        ("cumulative_balances", "year", "glacier_balances.year"),
        ("error_budgets", "year", "glacier_balances.year"),
        ("leave_one_out", "year", "glacier_balances.year"),
        ("calibrated_balances", "year", "glacier_balances.year"),
        ("zero_line_method", "year", "glacier_balances.year"),
    }


def test_every_reference_names_columns_that_are_there():
    tables = {table.name: table for table in PUBLISHED_TABLES}
    for table in PUBLISHED_TABLES:
        for key in table.foreign_keys:
            types = [table.column(name).type for name in key.columns]
            assert types == [tables[key.table].column(name).type for name in key.reference_columns]


def test_a_reference_by_a_column_that_is_not_there_is_no_table():
    with pytest.raises(ValueError, match=r"table a: foreign key \['c'\] is not among its columns"):
        Table(
            name="a",
            title="A",
            meaning="a",
            columns=(Column(name="b", type="string", meaning="b"),),
            primary_key=("b",),
            foreign_keys=(ForeignKey(("c",), "d", ("e",)),),
        )


def test_probings_are_published_with_their_cells(tmp_path):
    dataset = make_mass_balance_dataset()
    result = dataset.result
    assert isinstance(result, MassBalance)
    columns = result.tables["probings"].columns
    record = {"probing_id": "2001-1", "date": "2001-05-20", "easting": 290700.0, "northing": 4844600.0}
    record |= {"elevation_m": 3700.0, "snow_depth_m": 1.25, "source_sheet": "probings", "source_cell": "A4:H4"}
    probings = pd.DataFrame([record], columns=columns)
    folder = CollectionFolder(tmp_path, "balance")
    probed = replace(dataset, result=replace(result, tables={**result.tables, "probings": probings}))
    write_tables(probed, describe(probed), folder)
    text = folder.table_csv("probings").read_text(encoding="utf-8")
    assert text.splitlines()[1] == "2001-1,2001-05-20,,,290700.0,4844600.0,3700.0,1.250,,,probings,A4:H4"
