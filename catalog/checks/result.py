"""What a check is, what it finds, and the report of many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar
from xml.sax.saxutils import escape, quoteattr
from zipfile import BadZipFile
from zlib import error as ZlibError

from lxml.etree import LxmlError
from openpyxl.utils.exceptions import InvalidFileException
from rasterio.errors import RasterioError
from shapely.errors import ShapelyError

if TYPE_CHECKING:
    from catalog.archive import Archive

# why no other check is made of what is no archive
NO_ARCHIVE = "this is no archive"
_SHOWN = 20
# what reading a damaged file raises in the libraries used here, and a document of another form (``WrongForm``);
# neither AttributeError nor TypeError: these are errors of a check, and no archive is damaged by them
_DAMAGE = (
    ArithmeticError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,  # of PROJ, of Arrow, and of nesting too deep
    SyntaxError,
    ValueError,
    BadZipFile,
    InvalidFileException,
    LxmlError,
    RasterioError,
    ShapelyError,
    ZlibError,
)


class Subject(Protocol):
    """Anything a check looks at; ``file`` names it in a failure."""

    @property
    def file(self) -> str: ...


S = TypeVar("S", bound=Subject)


@dataclass(frozen=True)
class Failure:
    """One thing that is wrong: in which file, what stands there, what should, and what to do."""

    file: str
    found: str
    expected: str
    remedy: str = ""

    def __str__(self) -> str:
        text = f"{self.file}: found {self.found}; expected {self.expected}"
        return f"{text}; {self.remedy}" if self.remedy else text


class NotChecked(Exception):
    """Raised inside a check that cannot be made here, with the reason."""


@dataclass(frozen=True)
class CheckResult:
    """The outcome of one check; ``skipped`` is the reason why it was not made, or None."""

    name: str
    meaning: str
    failures: tuple[Failure, ...] = ()
    skipped: str | None = None

    @property
    def passed(self) -> bool:
        return not self.failures

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "name": self.name,
            "meaning": self.meaning,
            "passed": self.passed,
            "skipped": self.skipped,
            "failures": [dict(failure.__dict__) for failure in self.failures],
        }


@dataclass(frozen=True)
class Check(Generic[S]):
    """A named question asked of every subject of its kind.

    Attributes
    ----------
    name : stable, for reports and tests.
    meaning : what is true when it passes, in one line.
    subjects : which parts of an archive it looks at.
    find : yields what is wrong with one of them.
    """

    name: str
    meaning: str
    subjects: Callable[[Archive], Iterable[S]]
    find: Callable[[S], Iterable[Failure]]

    def __call__(self, archive: Archive) -> CheckResult:
        return look_together([self], archive)[0]

    def look_at(self, subject: S, skipped: list[str]) -> list[Failure]:
        failures: list[Failure] = []
        try:
            failures.extend(self.find(subject))
        except NotChecked as reason:
            skipped.append(str(reason))
        except _DAMAGE as error:
            # a subject that is not shaped as it should be is a finding, never a crash
            failures.append(self.shapeless(subject.file, error))
        return failures

    def shapeless(self, where: str, error: Exception) -> Failure:
        message = " ".join(f"{type(error).__name__}: {error}".split())
        return Failure(where, message, f"content in which {self.meaning}")


def look_together(checks: Sequence[Check[S]], archive: Archive) -> list[CheckResult]:
    """The results of checks of the same subjects: each subject is looked at by all of them before the next one is."""
    failures: list[list[Failure]] = [[] for _ in checks]
    skipped: list[list[str]] = [[] for _ in checks]
    where = "archive"
    try:
        for subject in checks[0].subjects(archive):
            where = subject.file
            for one, own, left_out in zip(checks, failures, skipped, strict=True):
                own.extend(one.look_at(subject, left_out))
    except _DAMAGE as error:  # the subjects themselves cannot be listed
        for one, own in zip(checks, failures, strict=True):
            own.append(one.shapeless(where, error))
    return [
        CheckResult(one.name, one.meaning, tuple(own), "; ".join(dict.fromkeys(left_out)) or None)
        for one, own, left_out in zip(checks, failures, skipped, strict=True)
    ]


def check(
    name: str, meaning: str, subjects: Callable[[Archive], Iterable[S]]
) -> Callable[[Callable[[S], Iterable[Failure]]], Check[S]]:
    """Make a check of the function that finds what is wrong with one subject."""

    def named(find: Callable[[S], Iterable[Failure]]) -> Check[S]:
        return Check(name, meaning, subjects, find)

    return named


@dataclass(frozen=True)
class ValidationReport:
    """All results of one validation, in the order of the checks, and the fingerprints of the keys that vouch for it."""

    archive: str
    results: tuple[CheckResult, ...]
    signed_by: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return all(result.passed for result in self.results)

    @property
    def failures(self) -> tuple[Failure, ...]:
        return tuple(failure for result in self.results for failure in result.failures)

    def with_result(self, result: CheckResult) -> ValidationReport:
        """The same, and one result more."""
        return replace(self, results=(*self.results, result))

    def failed_checks(self) -> tuple[str, ...]:
        """Names of the checks that found something."""
        return tuple(result.name for result in self.results if not result.passed)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "archive": self.archive,
            "passed": self.passed,
            "checks": len(self.results),
            "failed": list(self.failed_checks()),
            "skipped": [result.name for result in self.results if result.skipped],
            "signed_by": list(self.signed_by),
            "results": [result.to_dict() for result in self.results],
        }

    def lines(self) -> list[str]:
        """For people: what failed, grouped by check, then what was left out, then the sum; one line of no archive."""
        first, *rest = self.results
        if first.failures and rest and all(result.skipped == NO_ARCHIVE for result in rest):
            lacking = ", ".join(f"{failure.file}: {failure.found}" for failure in first.failures)
            return [f"{self.archive}: no archive ({lacking}); {first.failures[0].remedy}"]
        lines = [line for result in self.results if not result.passed for line in _failed_lines(result)]
        lines += [f"not checked: {result.name} - {result.skipped}" for result in self.results if result.skipped]
        lines += [f"signed by {name}" for name in self.signed_by]
        failed, partly = len(self.failed_checks()), sum(bool(result.skipped) for result in self.results)
        verdict = (
            f"{failed} of {len(self.results)} checks failed" if failed else f"all {len(self.results)} checks passed"
        )
        verdict += f", {partly} of them not made in full" if partly else ""
        return [*lines, f"{self.archive}: {verdict}"]

    def to_junit(self) -> str:
        """JUnit XML, one test case a check."""
        skipped = sum(bool(result.skipped) and result.passed for result in self.results)
        head = (
            f'<testsuite name="validate" tests="{len(self.results)}" failures="{len(self.failed_checks())}" '
            f'errors="0" skipped="{skipped}">'
        )
        cases = "\n".join(_junit_case(result) for result in self.results)
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}\n{cases}\n</testsuite>\n'


def _failed_lines(result: CheckResult) -> Iterator[str]:
    yield f"FAILED {result.name}: not true that {result.meaning}"
    for failure in result.failures[:_SHOWN]:
        yield f"  {failure.file}"
        yield f"    found    {failure.found}"
        yield f"    expected {failure.expected}"
        if failure.remedy:
            yield f"    do       {failure.remedy}"
    if len(result.failures) > _SHOWN:
        yield f"  and {len(result.failures) - _SHOWN} more"


def _junit_case(result: CheckResult) -> str:
    head = f'  <testcase classname="validate" name={quoteattr(result.name)}'
    if result.failures:
        text = _xml_text("\n".join(str(failure) for failure in result.failures))
        return f'{head}><failure type="FailedCheck" message={quoteattr(result.meaning)}>{text}</failure></testcase>'
    if result.skipped:
        return f"{head}><skipped message={quoteattr(_xml_text(result.skipped, escaped=False))}/></testcase>"
    return f"{head}/>"


def _xml_text(text: str, *, escaped: bool = True) -> str:
    # control characters may come from a damaged file; XML 1.0 cannot carry them at all
    clean = "".join(char if char in "\n\t" or ord(char) >= 32 else "\N{REPLACEMENT CHARACTER}" for char in text)
    return escape(clean) if escaped else clean
