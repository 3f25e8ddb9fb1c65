"""The table that says where the reading of a field workbook differs from what is typed there, and what is in doubt."""

from __future__ import annotations

from schemas.fields import Column, Table

INPUT_NOTES = Table(
    "input_notes",
    "Notes on the input",
    "every correction that the reading of the field workbook made, and what it kept though it looks odd",
    (
        Column("note", "integer", "number of the note", required=True, minimum=1),
        Column(
            "kind",
            "string",
            "'correction': read differently from what is typed; 'doubt': kept as typed, worth a look",
            enum=("correction", "doubt"),
            required=True,
        ),
        Column("sheet", "string", "sheet of the workbook, or file of the folder", required=True),
        Column("cell", "string", "cell or range; empty for a whole sheet"),
        Column("found", "string", "what stands there", required=True),
        Column("used", "string", "what it was read as, or what it means", required=True),
    ),
    ("note",),
)
