"""What a `balance` run over several glaciers hands over beside the files of each: their tables as one set.

Each row tells its glacier; the WGMS tables, which have a name of the glacier already, keep their columns.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from catalog.formats import PublishedTable, published_table, write_csv_tables
from catalog.runs.balance_tables import RESULTS_XLSX, balance_workbook
from catalog.tables import Submission, capital_name, wgms_tables
from pipeline.mass_balance.glacier_wide import joint_table
from pipeline.mass_balance.result import MassBalance
from schemas.fields import Table
from schemas.inside import is_device_name
from schemas.tables import GLACIER_ID, JOINT_BALANCES, MASS_BALANCE_TABLES, of_glaciers
from schemas.wgms import WGMS_TABLES

# the folder of the tables of all glaciers; not `tables/`, which is of one glacier wherever it stands
ALL_GLACIERS = "all_glaciers"
_NOT_IN_A_FOLDER_NAME = re.compile(r"[^\w.\-]+")


def folder_names(glacier_ids: Sequence[str]) -> dict[str, str]:
    """A folder for each glacier, named after its identifier: letters, digits, point, hyphen; no two alike."""
    names: dict[str, str] = {}
    for glacier_id in glacier_ids:
        plain = _NOT_IN_A_FOLDER_NAME.sub("-", glacier_id).strip("-.") or "glacier"
        plain = f"glacier-{plain}" if is_device_name(plain) else plain
        taken = {name.casefold() for name in names.values()} | {ALL_GLACIERS}
        numbered = (f"{plain}-{number}" for number in range(2, len(glacier_ids) + 3))
        names[glacier_id] = next(name for name in (plain, *numbered) if name.casefold() not in taken)
    return names


def write_tables_together(results: Sequence[MassBalance], folder: Path, source: str = "") -> None:
    """Write the tables of all glaciers, their WGMS tables and one workbook of them below ``folder/all_glaciers``.

    ``source`` : name of the field workbook, for the README sheet.
    """
    target = folder / ALL_GLACIERS
    target.mkdir()
    tables = tables_together(results)
    exports = [published_table(table, frame) for table, frame in wgms_together(results).values()]
    joint = joint_table(results)
    if not joint.empty:
        tables = [*tables, published_table(JOINT_BALANCES, joint)]
    write_csv_tables([*tables, *exports], target)
    (target / RESULTS_XLSX).write_bytes(balance_workbook(results, tables, source))


def tables_together(results: Sequence[MassBalance]) -> list[PublishedTable]:
    """The tables of all glaciers as one set, in the order of the schemas, each row with its glacier in front."""
    together = []
    for table in MASS_BALANCE_TABLES:
        parts = [
            (result.glacier.glacier_id, result.tables[table.name]) for result in results if table.name in result.tables
        ]
        if parts:
            together.append(published_table(of_glaciers(table), _joined(parts)))
    return together


def wgms_together(results: Sequence[MassBalance]) -> dict[str, tuple[Table, pd.DataFrame]]:
    """The WGMS tables of all glaciers in one, by name; glaciers of one name get their identifier behind it."""
    spelled = Counter(capital_name(result.glacier.name, result.glacier.glacier_id) for result in results)
    parts = []
    for result in results:
        glacier = result.glacier
        if spelled[capital_name(glacier.name, glacier.glacier_id)] > 1:
            glacier = replace(glacier, name=f"{glacier.name} ({glacier.glacier_id})")
        parts.append(wgms_tables(replace(result, glacier=glacier), Submission()))
    return {
        table.name: (table, pd.concat([part[table.name].astype(object) for part in parts], ignore_index=True))
        for table in WGMS_TABLES
    }


def _joined(parts: Sequence[tuple[str, pd.DataFrame]]) -> pd.DataFrame:
    frames = [frame.assign(**{GLACIER_ID.name: glacier_id}).astype(object) for glacier_id, frame in parts]
    return pd.concat(frames, ignore_index=True)
