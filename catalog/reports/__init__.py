"""What the commands tell of a result: rows, key numbers, JSON, and faults in an input."""

from typing import TYPE_CHECKING

from pipeline.lazy_names import lazy_names

if TYPE_CHECKING:
    from catalog.reports.error_table import COLUMNS, error_rows, show_errors
    from catalog.reports.headline import KeyNumber, item_numbers, key_numbers, result_numbers
    from catalog.reports.row import Row
    from catalog.reports.rows import change_rows, dataset_rows
    from catalog.reports.steps import DIFFERENCE_STEPS
    from catalog.reports.summaries import balance_json, balance_summary, dataset_summary, difference_summary
    from catalog.reports.terminal import (
        notes_of_all,
        progress,
        show_balances,
        show_build,
        show_difference,
        show_rows,
    )
    from catalog.reports.trust import Judgement, judgements, suggestions, verdict_line

__all__ = [
    "COLUMNS",
    "DIFFERENCE_STEPS",
    "Judgement",
    "KeyNumber",
    "Row",
    "balance_json",
    "balance_summary",
    "change_rows",
    "dataset_rows",
    "dataset_summary",
    "difference_summary",
    "error_rows",
    "item_numbers",
    "judgements",
    "key_numbers",
    "notes_of_all",
    "progress",
    "result_numbers",
    "show_balances",
    "show_build",
    "show_difference",
    "show_errors",
    "show_rows",
    "suggestions",
    "verdict_line",
]
__getattr__ = lazy_names(
    __name__,
    {
        "error_table": ("COLUMNS", "error_rows", "show_errors"),
        "headline": ("KeyNumber", "item_numbers", "key_numbers", "result_numbers"),
        "row": ("Row",),
        "rows": ("change_rows", "dataset_rows"),
        "steps": ("DIFFERENCE_STEPS",),
        "summaries": ("balance_json", "balance_summary", "dataset_summary", "difference_summary"),
        "terminal": (
            "notes_of_all",
            "progress",
            "show_balances",
            "show_difference",
            "show_build",
            "show_rows",
        ),
        "trust": ("Judgement", "judgements", "suggestions", "verdict_line"),
    },
)
