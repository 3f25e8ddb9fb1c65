"""What a field team wrote down, read from workbooks and folders as teams have them."""

from typing import TYPE_CHECKING

from pipeline.lazy_names import lazy_names

if TYPE_CHECKING:
    from pipeline.mass_balance.fieldwork.cells import WINDOWS_EPOCH, BadCell, RawSheet
    from pipeline.mass_balance.fieldwork.doubts import dates_out_of_order, densities_out_of_class
    from pipeline.mass_balance.fieldwork.field_files import is_legacy, read_sheets
    from pipeline.mass_balance.fieldwork.input_notes import Correction, Doubt, notes_summary, notes_table
    from pipeline.mass_balance.fieldwork.read import FieldData, RefusedFieldData, read_field_data, read_glaciers
    from pipeline.mass_balance.fieldwork.records import plain_name
    from pipeline.mass_balance.fieldwork.typed_columns import FIRST_YEAR, LAST_YEAR

__all__ = [
    "FIRST_YEAR",
    "LAST_YEAR",
    "WINDOWS_EPOCH",
    "BadCell",
    "Correction",
    "Doubt",
    "FieldData",
    "RawSheet",
    "RefusedFieldData",
    "dates_out_of_order",
    "densities_out_of_class",
    "is_legacy",
    "notes_summary",
    "notes_table",
    "plain_name",
    "read_field_data",
    "read_glaciers",
    "read_sheets",
]
__getattr__ = lazy_names(
    __name__,
    {
        "cells": ("WINDOWS_EPOCH", "BadCell", "RawSheet"),
        "doubts": ("dates_out_of_order", "densities_out_of_class"),
        "field_files": ("is_legacy", "read_sheets"),
        "input_notes": ("Correction", "Doubt", "notes_summary", "notes_table"),
        "read": ("FieldData", "RefusedFieldData", "read_field_data", "read_glaciers"),
        "records": ("plain_name",),
        "typed_columns": ("FIRST_YEAR", "LAST_YEAR"),
    },
)
