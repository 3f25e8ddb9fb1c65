"""Free text in the cells of published tables: harmless in a spreadsheet, and what it was when it is read back.

A CSV has no types, and a spreadsheet runs text of it that begins like a formula. There, and in no other format, such
text stands behind an apostrophe (``csv_text``; ``text_of_csv`` takes it away again). Parquet and workbooks have types
and hold the text as it is. Control characters and marks that reverse the writing direction are removed everywhere.
"""

from __future__ import annotations

import re

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\n", "＝", "＋", "－", "＠")
# what begins like a formula, if need be behind apostrophes: these too get one more, so that taking it away is exact
_FORMULA = re.compile(f"'*[{re.escape(''.join(FORMULA_SIGNS))}]")
# C0 and C1 controls but tab and line feed; marks, embeddings, overrides and isolates of writing direction
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]")


def csv_text(text: str) -> str:
    """Free text as it stands in a CSV: with an apostrophe in front where a spreadsheet would run it as a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def text_of_csv(text: str) -> str:
    """The text of a CSV's cell without the apostrophe that ``csv_text`` put in front."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def inert_text(text: str) -> str:
    """Text without control characters and direction marks, lines ended by LF."""
    return _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
