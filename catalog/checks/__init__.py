"""All checks of a finished archive, and the one function that makes them; each is imported when it is asked for."""

from typing import TYPE_CHECKING

from pipeline.lazy_names import lazy_names

if TYPE_CHECKING:
    from catalog.checks.every_check import CHECKS, validate
    from catalog.checks.result import Check, CheckResult, Failure, ValidationReport

__all__ = ["CHECKS", "Check", "CheckResult", "Failure", "ValidationReport", "validate"]
__getattr__ = lazy_names(
    __name__,
    {
        "every_check": ("CHECKS", "validate"),
        "result": ("Check", "CheckResult", "Failure", "ValidationReport"),
    },
)
