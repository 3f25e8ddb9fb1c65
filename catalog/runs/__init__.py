"""`difference`, `balance` and `trace` of a user's own files."""

from typing import TYPE_CHECKING

from pipeline.lazy_names import lazy_names

if TYPE_CHECKING:
    from catalog.runs.asked import Asked, given
    from catalog.runs.balance_run import Task, run_balances
    from catalog.runs.command_settings import asked_of, days_of
    from catalog.runs.geodetic_input import GeodeticInput, measured_number
    from catalog.runs.marked_workbook import read_or_mark
    from catalog.runs.single_run import open_difference, write_balance, write_balances
    from catalog.runs.trace import read_published_tables, trace_balance

__all__ = [
    "Asked",
    "GeodeticInput",
    "Task",
    "asked_of",
    "days_of",
    "given",
    "measured_number",
    "open_difference",
    "read_or_mark",
    "read_published_tables",
    "run_balances",
    "trace_balance",
    "write_balance",
    "write_balances",
]
__getattr__ = lazy_names(
    __name__,
    {
        "asked": ("Asked", "given"),
        "balance_run": ("Task", "run_balances"),
        "command_settings": ("asked_of", "days_of"),
        "geodetic_input": ("GeodeticInput", "measured_number"),
        "marked_workbook": ("read_or_mark",),
        "single_run": ("open_difference", "write_balance", "write_balances"),
        "trace": ("read_published_tables", "trace_balance"),
    },
)
