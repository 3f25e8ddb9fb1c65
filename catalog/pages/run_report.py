"""The report of a run of one's own: one file with pictures, plots and style inside it, to read, print and hand on."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from catalog.archive import REPORT_HTML, SITE_CSS, SITE_JS, InputFile
from catalog.pages.drawings import ExtentMap
from catalog.pages.plots import Plot
from catalog.pages.write import png_size, template_text, write_page
from catalog.reports import Judgement, KeyNumber
from schemas.definition import Bilingual

_PNG_DATA = "data:image/png;base64,"


@dataclass(frozen=True, kw_only=True)
class ReportPicture:
    """A picture that stands within the page: its bytes as a data URI, its title, its size (pixels)."""

    data: str
    title: Bilingual
    width: int
    height: int

    @classmethod
    def of(cls, path: Path, title: Bilingual) -> ReportPicture:
        """A PNG file."""
        width, height = png_size(path)
        data = _PNG_DATA + b64encode(path.read_bytes()).decode("ascii")
        return cls(data=data, title=title, width=width, height=height)


@dataclass(frozen=True, kw_only=True)
class ReportTable:
    """A table of the report: the file that has all of it, its headings, its rows as text, and how many are left out."""

    title: Bilingual
    file: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]
    left_out: int = 0


@dataclass(frozen=True, kw_only=True)
class ReportStep:
    """A step of the processing: what it is, its expression, the paper."""

    title: Bilingual
    expression: Bilingual
    reference: str


@dataclass(frozen=True, kw_only=True)
class ReportSetting:
    """A setting as it was used: name, value, meaning, and whether it is not the default."""

    name: str
    value: str
    meaning: str
    changed: bool


@dataclass(frozen=True, kw_only=True)
class RunReport:
    """What the report of a run holds, in the order in which it stands.

    Attributes
    ----------
    title, facts : the head: what was computed, and of what, when, on which grid.
    numbers : the headline numbers with their errors.
    judgements : what to trust and what not.
    suggestions : what would make the result better.
    map : where it lies.
    maps, pictures, plots, tables : of the result.
    notes : what was noticed of the inputs.
    steps, inputs, settings, software : the lineage.
    repeat, settings_file : the command that repeats the run, and the name of its settings file.
    """

    title: Bilingual
    facts: tuple[Bilingual, ...]
    numbers: tuple[KeyNumber, ...]
    judgements: tuple[Judgement, ...]
    suggestions: tuple[Bilingual, ...]
    map: ExtentMap | None
    maps: tuple[ReportPicture, ...]
    pictures: tuple[ReportPicture, ...]
    plots: tuple[Plot, ...]
    tables: tuple[ReportTable, ...]
    notes: tuple[Bilingual, ...]
    steps: tuple[ReportStep, ...]
    inputs: tuple[InputFile, ...]
    settings: tuple[ReportSetting, ...]
    software: tuple[tuple[str, str], ...]
    repeat: str
    settings_file: str


def write_run_report(path: Path, report: RunReport) -> None:
    """Write the report as one HTML file that asks for nothing else; the same report gives the same bytes."""
    page = {
        "report": report,
        "css": Markup(template_text(SITE_CSS)),
        "js": Markup(template_text(SITE_JS)),
    }
    write_page(path, REPORT_HTML, page)
