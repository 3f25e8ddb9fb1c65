"""The files of one `difference` or `balance` run: rasters, tables, figures and a summary, in one folder."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.archive import SUMMARY_JSON, Draft, Output, open_draft, write_manifest
from catalog.formats import finite, published_tables, write_csv_tables
from catalog.reports import balance_summary, difference_summary
from catalog.runs.asked import Asked
from catalog.runs.settings_file import BalanceOptions, DifferenceOptions
from pipeline.elevation_change.result import ElevationChange, FinalRasters
from pipeline.mass_balance.result import MassBalance
from pipeline.worker_threads import worker_threads
from schemas.tables import PUBLISHED_TABLES

if TYPE_CHECKING:
    from catalog.items import Labels

_SECOND_FORMS = {".qml": "_style", ".parquet": "_geoparquet"}


def write_difference(
    result: ElevationChange, out: Path, code_version: str, *, figures: bool = True, asked: Asked | None = None
) -> dict[str, str]:
    """Write an elevation change below ``out``, by one rename; returns the outputs by name, relative to it."""
    with open_difference(out, code_version, figures=figures, asked=asked) as run:
        run.begin(result)
        return run.finish(result)


@contextmanager
def open_difference(
    out: Path, code_version: str, *, figures: bool = True, asked: Asked | None = None
) -> Iterator[DifferenceRun]:
    """The folder of an elevation change, published at ``out`` by one rename once the run has finished it.

    While the chain still computes, libraries for the figures are loaded and, from ``begin`` on, rasters are packed.

    Parameters
    ----------
    figures : whether map and diagrams are drawn.
    asked : command, inputs and settings as they were given, for the report; the result's settings when absent.
    """
    with open_draft(out, Output.difference) as draft, worker_threads(1) as beside:
        beside.submit(_load_what_writes, figures)
        yield DifferenceRun(draft, beside, code_version, figures, asked)


def _load_what_writes(figures: bool) -> None:
    from catalog.items import write_change_rasters  # noqa: F401  # loaded for who asks for it later

    if figures:
        from catalog.figures import draw_change_map  # noqa: F401  # likewise: half a second of matplotlib


class DifferenceRun:
    """An elevation change that is being written."""

    def __init__(
        self, draft: Draft, beside: ThreadPoolExecutor, code_version: str, figures: bool, asked: Asked | None = None
    ) -> None:
        self._draft, self._beside, self._code_version, self._figures = draft, beside, code_version, figures
        self._asked = asked
        self._rasters: Future[object] | None = None

    def begin(self, rasters: FinalRasters | ElevationChange) -> None:
        """Begin to write the rasters, beside whatever else is done."""
        self._rasters = self._beside.submit(_write_rasters, rasters, self._draft.folder)

    def finish(self, result: ElevationChange) -> dict[str, str]:
        """Write the rest and publish; returns the outputs by name, relative to the folder."""
        from catalog.items import draw_change_figures, write_change_vectors

        folder = self._draft.folder
        if self._figures:
            draw_change_figures(result, folder, _labels())
        write_change_vectors(result, folder, _labels())
        (folder / "tables").mkdir()
        write_csv_tables(published_tables(PUBLISHED_TABLES, result.tables), folder / "tables")
        from catalog.runs.run_report import write_change_report

        asked = self._asked or Asked(
            command="difference", settings=result.settings, options=DifferenceOptions(figures=self._figures)
        )
        write_change_report(result, folder, asked, self._code_version)
        if self._rasters is not None:
            self._rasters.result()
        outputs = _finish(folder, difference_summary(result), self._code_version)
        self._draft.publish()
        return outputs


def _write_rasters(rasters: FinalRasters | ElevationChange, folder: Path) -> None:
    from catalog.items import write_change_rasters

    write_change_rasters(rasters, folder, _labels())


def _labels() -> Labels:
    from catalog.items import Labels

    return Labels("Elevation change", "Elevation change")


def write_balance(
    result: MassBalance, out: Path, code_version: str, source: str = "", *, asked: Asked | None = None
) -> dict[str, str]:
    """Write a mass balance below ``out``, by one rename; returns the outputs by name, relative to it.

    ``source`` names the field workbook or folder, for the README of the results' workbook; ``asked`` is for the report.
    """
    with open_draft(out, Output.balance) as draft:
        write_balance_files(result, draft.folder, source)
        _report_balance(result, draft.folder, asked, code_version)
        outputs = _finish(draft.folder, balance_summary(result), code_version)
        draft.publish()
    return outputs


def _report_balance(result: MassBalance, folder: Path, asked: Asked | None, code_version: str) -> None:
    from catalog.runs.run_report import write_balance_report

    asked = asked or Asked(command="balance", settings=result.settings, options=BalanceOptions())
    write_balance_report(result, folder, asked, code_version)


def write_balances(
    results: Sequence[MassBalance], out: Path, code_version: str, source: str = "", *, asked: Asked | None = None
) -> dict[str, dict[str, str]]:
    """Write the glaciers of a run below ``out`` by one rename: several each in a folder, and their tables together.

    Returns the outputs by name, relative to ``out``: those of each glacier by its identifier, under '' those of all.
    """
    if len(results) == 1:
        return {"": write_balance(results[0], out, code_version, source, asked=asked)}
    from catalog.runs.balance_of_several import folder_names, write_tables_together

    names = folder_names([result.glacier.glacier_id for result in results])
    with open_draft(out, Output.balance) as draft:
        for result in results:
            own = draft.folder / names[result.glacier.glacier_id]
            own.mkdir()
            write_balance_files(result, own, source)
            _report_balance(result, own, asked, code_version)
            _write_json(own / SUMMARY_JSON, balance_summary(result))
        write_tables_together(results, draft.folder, source)
        outputs = {
            identifier: {key: f"{name}/{path}" for key, path in _outputs(draft.folder / name).items()}
            for identifier, name in names.items()
        }
        summary = {"glaciers": [balance_summary(result) for result in results]}
        everything = _finish(draft.folder, summary, code_version)
        draft.publish()
    of_one = {path for files in outputs.values() for path in files.values()}
    return {"": {key: path for key, path in everything.items() if path not in of_one}, **outputs}


def write_balance_files(result: MassBalance, folder: Path, source: str = "") -> None:
    """Write tables, rasters, isolines, styles, workbook and figures of one mass balance into an empty folder."""
    # matplotlib takes half a second to load: not before there is something to draw
    from catalog.items import draw_balance_figures, side_by_side, year_files
    from catalog.runs.balance_tables import write_balance_tables

    # GDAL and zlib leave the interpreter free: the rasters are packed while the rest is written
    with worker_threads(1) as pool:
        years = pool.submit(_write_years, result, folder)
        write_balance_tables(result, folder, source)
        files = year_files(result, partial(side_by_side, folder), to_browse=False)
        draw_balance_figures(result, folder, files, False)
        years.result()


def _write_years(result: MassBalance, folder: Path) -> None:
    from catalog.items import Labels, side_by_side, write_year_products

    for year in result.years:
        if year.field is not None:
            labels = Labels(f"Annual balance {year.year}", tags={"YEAR": str(year.year)})
            write_year_products(result, year.field, side_by_side(folder, year.year), labels, None)


def _finish(folder: Path, summary: dict[str, Any], code_version: str) -> dict[str, str]:
    _write_json(folder / SUMMARY_JSON, summary)
    outputs = _outputs(folder)
    write_manifest(folder, [], code_version)
    return outputs


def _outputs(folder: Path) -> dict[str, str]:
    """The files below a folder by a name without suffix, those in folders of it with these in front.

    A style, and a second form of the same features, stand beside a file of their name: they say what they are.
    """
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return {f"{name.rsplit('.', 1)[0]}{_SECOND_FORMS.get(Path(name).suffix, '')}": name for name in names}


def _write_json(path: Path, content: Any) -> None:
    text = json.dumps(finite(content), indent=2, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")
