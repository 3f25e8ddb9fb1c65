"""The table that says where the reading of a field workbook differs from what is typed there, and what is in doubt."""

from __future__ import annotations

from schemas.fields import Column, Table

INPUT_NOTES = Table(
    name="input_notes",
    title="Notes on the input",
    meaning="every correction that the reading of the field workbook made, and what it kept though it looks odd",
    columns=(
        Column(name="note", type="integer", meaning="number of the note", required=True, minimum=1),
        Column(
            name="kind",
            type="string",
            meaning="'correction': read differently from what is typed; 'doubt': kept as typed, worth a look",
            enum=("correction", "doubt"),
            required=True,
        ),
        Column(name="sheet", type="string", meaning="sheet of the workbook, or file of the folder", required=True),
        Column(name="cell", type="string", meaning="cell or range; empty for a whole sheet"),
        Column(name="found", type="string", meaning="what stands there", required=True),
        Column(name="used", type="string", meaning="what it was read as, or what it means", required=True),
    ),
    primary_key=("note",),
)
