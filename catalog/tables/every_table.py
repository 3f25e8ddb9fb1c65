"""Every table that a collection publishes."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from catalog.archive import ByKind, Dataset
from catalog.tables.data_dictionary import data_dictionary
from catalog.tables.wgms import submission_of, wgms_tables
from pipeline.mass_balance.result import MassBalance
from schemas.tables import DATA_DICTIONARY, PAIR


def dataset_tables(dataset: Dataset) -> dict[str, pd.DataFrame]:
    """The tables of a dataset by name, in order; those of several pairs tell the pair of each row."""
    result, pairs = dataset.result, dataset.pairs
    science = _together([(part.pair, part.result.tables) for part in pairs]) if pairs else result.tables
    tables = {**science, "quality_gates": dataset.gates}
    tables |= _EXPORTS(result, dataset)
    return {**tables, DATA_DICTIONARY.name: data_dictionary(tables, of_pairs=bool(pairs))}


def _wgms(result: MassBalance, dataset: Dataset) -> dict[str, pd.DataFrame]:
    return wgms_tables(result, submission_of(dataset.definition, dataset.synthetic))


# tables in the form of others, besides our own
_EXPORTS: ByKind[[Dataset], dict[str, pd.DataFrame]] = ByKind(elevation_change=lambda *_: {}, mass_balance=_wgms)


def _together(parts: Sequence[tuple[str, dict[str, pd.DataFrame]]]) -> dict[str, pd.DataFrame]:
    """The tables of several pairs of DEMs as one set, each row with the years of its pair in front."""
    names = dict.fromkeys(name for _, tables in parts for name in tables)
    return {
        name: pd.concat(
            [tables[name].assign(**{PAIR.name: pair}).astype(object) for pair, tables in parts if name in tables],
            ignore_index=True,
        )
        for name in names
    }
