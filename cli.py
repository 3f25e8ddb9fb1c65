"""glacier-archive: rebuild a citable glacier-change archive from raw observations.

The command line joins the packages and holds no science. Heavy libraries are imported by the command that needs them,
so that help and errors come at once.
"""

from __future__ import annotations

import io
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from pipeline.inputs.undecodable_messages import undecodable_messages_unprinted
from pipeline.progress import Tell
from schemas.errors import ArchiveError, BadInput, ManyBadInputs

if TYPE_CHECKING:
    from catalog.checks import CheckResult

# rasterio would load the AWS library with itself: a third of a second that files on a disk have no use for
sys.modules.setdefault("boto3", None)  # type: ignore[arg-type]  # what Python documents to keep a module out

app = typer.Typer(
    name="glacier-archive",
    help="Rebuild a citable glacier-change archive from raw observations.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    # help in boxes cuts the names of options where the terminal is narrow
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


MONTE_CARLO_SEED = 0
_LAST_STREAM = 2
# what a shell tells of a command that wrote to a pipe without a reader
_READER_GONE = 128 + signal.SIGPIPE


class Side(StrEnum):
    """Which of two DEMs."""

    earlier = "earlier"
    later = "later"


class Kind(StrEnum):
    """What a dataset holds."""

    elevation_change = "elevation_change"
    mass_balance = "mass_balance"


class Language(StrEnum):
    """What the terminal speaks."""

    en = "en"
    zh = "zh"


class Fetched(StrEnum):
    """What `fetch` gets."""

    inputs = "inputs"
    geoids = "geoids"
    schemas = "schemas"


Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")]
BaseUrl = Annotated[
    str | None,
    typer.Option(help="URL the archive will be served from: written into links, records and pages, with no science."),
]
Out = Annotated[Path, typer.Option("--out", "-o", help="Folder to write; published by one rename.")]
Workers = Annotated[int, typer.Option(min=1, help="Blocks computed at once on this machine.")]
Scheduler = Annotated[
    str | None, typer.Option(help="Address of a Dask scheduler, as tcp://host:8786, instead of this machine.")
]
Memory = Annotated[str, typer.Option(help="Memory that the rasters of a run may take, as 400MB or 2GB.")]
SettingsFile = Annotated[
    Path | None,
    typer.Option(
        "--settings", metavar="FILE", help="settings.toml of another run, to repeat it; options given here win over it."
    ),
]
Speaks = Annotated[Language, typer.Option("--language", help="Language of results on the terminal: en or zh.")]
NoFigures = Annotated[bool, typer.Option("--no-figures", help="Draw no maps, diagrams and thumbnails (PNG).")]
Definitions = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[DEFINITION.toml ...]", help="Dataset definitions; the two shipped ones when absent."),
]


def code_version() -> str:
    """Version of this software, as installed or as the checkout's pyproject.toml states it."""
    try:
        return metadata.version("glacier-archive")
    except metadata.PackageNotFoundError:
        import tomllib

        with (Path(__file__).resolve().parent / "pyproject.toml").open("rb") as file:
            return str(tomllib.load(file)["project"]["version"])


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"glacier-archive {code_version()}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Rebuild a citable glacier-change archive from raw observations."""
    for name in ("PROJ_DATA", "PROJ_LIB"):
        folders = os.environ.get(name)
        if folders and not any((Path(folder) / "proj.db").is_file() for folder in folders.split(os.pathsep)):
            expected = "folders of which one holds proj.db"
            raise BadInput(name, repr(folders), expected, "unset it; `fetch geoids` puts grids where PROJ finds them")


@app.command()
def build(
    definitions: Definitions = None,
    out: Out = Path("archive"),
    inputs: Annotated[
        Path | None,
        typer.Option(
            help="Folder of raw inputs; else the embedded synthetic sample, or what lies beside your own definition."
        ),
    ] = None,
    workers: Workers = 2,
    scheduler: Scheduler = None,
    memory: Memory = "1GB",
    base_url: BaseUrl = None,
    cache: Annotated[
        Path | None, typer.Option(help="Folder of finished files to reuse; GLACIER_CACHE, or the user's cache folder.")
    ] = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Compute everything, keep nothing.")] = False,
    no_figures: NoFigures = False,
    verify: Annotated[
        Path | None,
        typer.Option(metavar="ARCHIVE", help="Build this archive again from what it records, and compare every byte."),
    ] = None,
    language: Speaks = Language.en,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run the full processing of every dataset and publish the archive."""
    from catalog.archive import preflight
    from catalog.build import (
        Cache,
        FailedBuild,
        Order,
        default_cache_folder,
        default_definitions,
        default_inputs,
        read_definitions,
        regenerate,
    )
    from catalog.reports import show_build
    from pipeline.resources import bytes_of, open_resources

    if verify is not None:
        _verify(verify, inputs, workers, scheduler, memory, as_json, quiet)
        return
    chosen = read_definitions(tuple(definitions)) if definitions else default_definitions()
    preflight(out)
    raw = inputs or default_inputs(chosen, definitions or ())
    order = Order(
        definitions=chosen, inputs=raw, base_url=base_url, code_version=code_version(), figures=not no_figures
    )
    kept = None if no_cache else Cache(cache or default_cache_folder())
    if kept and cache:  # the user's own folder may not be writable, as in a container: that hinders no build
        kept.require_writable()
    try:
        with progress(quiet) as tell, open_resources(workers, scheduler, bytes_of(memory)) as resources:
            report = regenerate(order, out, resources, cache=kept, tell=tell)
    except FailedBuild as failed:
        _print_report(failed.report, as_json)
        raise
    if as_json:
        _print_json(report.to_dict())
        return
    shown = [(title, one.rows, rows) for one in report.collections for title, rows in (one.told(language),)]
    show_build(out, len(report.checks), (report.files, report.size), shown, language)


def _verify(
    archive: Path, inputs: Path | None, workers: int, scheduler: str | None, memory: str, as_json: bool, quiet: bool
) -> None:
    from catalog.build import verify
    from pipeline.resources import bytes_of, open_resources

    with progress(quiet) as tell, open_resources(workers, scheduler, bytes_of(memory)) as resources:
        verification = verify(archive, inputs, resources, code_version=code_version(), tell=tell)
    _print_report(verification, as_json)
    if not verification.passed:
        raise typer.Exit(1)


@app.command()
def difference(
    earlier: Annotated[Path, typer.Argument(help="Earlier DEM: a raster, or a folder of tiles.")],
    later: Annotated[Path, typer.Argument(help="Later DEM: a raster, or a folder of tiles.")],
    out: Out,
    glaciers: Annotated[
        list[Path] | None, typer.Option(help="Glacier outlines; give it once for each epoch, the earliest first.")
    ] = None,
    layer: Annotated[
        list[str] | None,
        typer.Option(help="Layer of the outlines, where files have several: once for all, or once for each file."),
    ] = None,
    reference: Annotated[
        Side | None, typer.Option(help="The DEM that stays where it is; the later one when absent.")
    ] = None,
    crs: Annotated[str | None, typer.Option(help="Projected CRS of the result; a UTM zone when absent.")] = None,
    resolution: Annotated[float | None, typer.Option(help="Pixel size (m); the finer DEM's when absent.")] = None,
    resampling: Annotated[str | None, typer.Option(help="bilinear or cubic.")] = None,
    stable: Annotated[
        Path | None, typer.Option(help="Stable terrain: shapes, or a raster that is above zero there.")
    ] = None,
    exclude: Annotated[
        list[Path] | None,
        typer.Option(
            help="Ground that is not stable, as water, snow and rivers: shapes, or a raster above zero there; may be"
            " repeated."
        ),
    ] = None,
    vertical_datum_earlier: Annotated[str | None, typer.Option(help="EPSG code of its heights, as EPSG:5773.")] = None,
    vertical_datum_later: Annotated[str | None, typer.Option(help="EPSG code of its heights, as EPSG:3855.")] = None,
    datum_grid_missing: Annotated[
        str | None,
        typer.Option(
            help="Without PROJ's geoid grids: stop, as when absent, or coregistration (leave the difference to it)."
        ),
    ] = None,
    date_earlier: Annotated[
        str | None, typer.Option(help="When the earlier DEM was acquired: 2000-02-16, 2000-02 or 2000.")
    ] = None,
    date_later: Annotated[str | None, typer.Option(help="When the later DEM was acquired, likewise.")] = None,
    penetration_earlier: Annotated[
        float | None, typer.Option(help="How far below snow and ice of glaciers the earlier DEM lies, a radar's (m).")
    ] = None,
    penetration_later: Annotated[float | None, typer.Option(help="The same of the later DEM (m).")] = None,
    sigma_penetration: Annotated[
        float | None, typer.Option(help="Standard deviation of the difference of both penetrations (m).")
    ] = None,
    max_shift: Annotated[float | None, typer.Option(help="Longest horizontal shift accepted (m).")] = None,
    remove_tilt: Annotated[bool, typer.Option("--remove-tilt", help="Also remove the residual tilt.")] = False,
    remove_elevation_scale: Annotated[
        bool,
        typer.Option("--remove-elevation-scale", help="Also remove the share of the elevation that is in the change."),
    ] = False,
    remove_undulation: Annotated[
        bool, typer.Option("--remove-undulation", help="Also remove waves along a track of 2 km and more.")
    ] = False,
    resolution_correction: Annotated[
        str | None,
        typer.Option(help="point_spread, principal_curvatures, maximum_curvature or none: effect of resolution."),
    ] = None,
    no_curvature: Annotated[
        bool, typer.Option("--no-curvature", help="The same as --resolution-correction none.")
    ] = False,
    no_figures: NoFigures = False,
    settings_file: SettingsFile = None,
    workers: Workers = 2,
    scheduler: Scheduler = None,
    memory: Memory = "1GB",
    language: Speaks = Language.en,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Difference two DEMs: co-registration, resolution correction, accuracy, elevation change with uncertainty."""
    from catalog.archive import Output, preflight
    from catalog.reports import DIFFERENCE_STEPS, difference_summary, show_difference
    from catalog.runs import Asked, asked_of, days_of, given, open_difference
    from pipeline.elevation_change.chain import elevation_change
    from pipeline.resources import bytes_of, open_resources

    settings, options = asked_of("difference", settings_file, {
        "reference": reference and reference.value, "crs": crs, "resolution_m": resolution, "resampling": resampling,
        "vertical_datum_earlier": vertical_datum_earlier, "vertical_datum_later": vertical_datum_later,
        "datum_grid_missing": datum_grid_missing, **days_of(earlier=date_earlier, later=date_later),
        "penetration_earlier_m": penetration_earlier, "penetration_later_m": penetration_later,
        "sigma_penetration_m": sigma_penetration,
        "max_shift_m": max_shift, "correct_tilt": remove_tilt or None, "correct_curvature": not no_curvature and None,
        "correct_elevation_scale": remove_elevation_scale or None, "correct_undulation": remove_undulation or None,
        "resolution_correction": resolution_correction,
        "layers": tuple(layer) if layer else None, "figures": not no_figures and None,
    })  # fmt: skip
    inputs = (
        *given("earlier DEM", "", [earlier]),
        *given("later DEM", "", [later]),
        *given("outlines", "--glaciers", glaciers or ()),
        *given("stable terrain", "--stable", [stable]),
        *given("not stable", "--exclude", exclude or ()),
    )
    asked = Asked(command="difference", settings=settings, options=options, given=inputs)
    preflight(out, Output.difference)
    with (
        progress(quiet, dict(DIFFERENCE_STEPS)) as tell,
        open_difference(out, code_version(), figures=options.figures, asked=asked) as run,
        open_resources(workers, scheduler, bytes_of(memory)) as resources,
    ):
        result = elevation_change(
            earlier,
            later,
            settings,
            outlines=glaciers or (),
            layers=options.layers,
            stable_mask=stable,
            exclude=exclude or (),
            resources=resources,
            tell=tell,
            when_final=run.begin,
        )
        tell("Writing the results")
        outputs = run.finish(result)
    if as_json:
        _print_json(
            {**difference_summary(result), "outputs": {name: str(out / path) for name, path in outputs.items()}}
        )
    else:
        show_difference(result, out, language)


@app.command()
def balance(
    source: Annotated[
        Path, typer.Argument(metavar="WORKBOOK_OR_FOLDER", help="Field workbook (.xlsx, .xls), or a folder of CSVs.")
    ],
    out: Out,
    glacier: Annotated[
        str | None, typer.Option(help="Identifier or name of one glacier, where the workbook has several; else all.")
    ] = None,
    dem: Annotated[Path | None, typer.Option(help="DEM of the glacier, instead of a hypsometry table.")] = None,
    outline: Annotated[
        Path | None,
        typer.Option(
            help="Outline of the glacier, with --dem; with years, the latest not later. Of several glaciers the one "
            "with its identifier or name, or that its points lie on."
        ),
    ] = None,
    method: Annotated[str | None, typer.Option(help="Published method: contour or zone.")] = None,
    year_start: Annotated[
        str | None, typer.Option(metavar="MM-DD", help="First day of a balance year; in the south often 04-01.")
    ] = None,
    between: Annotated[
        tuple[datetime, datetime] | None,
        typer.Option(
            metavar="DATE DATE", formats=["%Y-%m-%d"], help="Also the whole glacier's balance between two survey dates."
        ),
    ] = None,
    no_seasons: Annotated[
        bool, typer.Option("--no-seasons", help="No winter and summer balance: for regions without such seasons.")
    ] = False,
    internal_accumulation: Annotated[
        str | None,
        typer.Option(
            metavar="BALANCE",
            help="Internal accumulation a year with its standard deviation (m w.e.), as 0.1+-0.05; not measured when"
            " absent.",
        ),
    ] = None,
    geodetic: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER_OR_BALANCE",
            help="Geodetic balance to check and calibrate the series: output folder of a difference with glaciers, or"
            " the balance of the period in m w.e. with its standard deviation, as -4.2+-0.6.",
        ),
    ] = None,
    geodetic_dates: Annotated[
        tuple[datetime, datetime] | None,
        typer.Option(
            metavar="DATE DATE", formats=["%Y-%m-%d"], help="Days of its two surveys, where --geodetic is a number."
        ),
    ] = None,
    sigma_limit: Annotated[
        float | None, typer.Option(help="Quality gate on the annual balance's standard deviation (m w.e.).")
    ] = None,
    marked_copy: Annotated[
        Path | None,
        typer.Option(help="Also write the workbook (.xlsx) with bad, doubtful and corrected cells marked."),
    ] = None,
    not_after: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Refuse dates after this day, as that of publication."),
    ] = None,
    draws: Annotated[
        int | None,
        typer.Option("--monte-carlo", min=2, help="Also run the whole chain on so many draws of its input's errors."),
    ] = None,
    settings_file: SettingsFile = None,
    language: Speaks = Language.en,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Compute glacier-wide mass balance from stakes and snow pits, or from published elevation bands."""
    # years are computed side by side on threads of our own; those of the linear algebra would only wait for each other
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from catalog.archive import Output, preflight
    from catalog.reports import balance_json, show_balances
    from catalog.runs import Asked, Task, asked_of, given, measured_number, read_or_mark, run_balances, write_balances

    internal = measured_number("--internal-accumulation", internal_accumulation) if internal_accumulation else None
    # a folder is an input; a number is an option, and stands in the settings file
    survey = Path(geodetic) if geodetic and Path(geodetic).is_dir() else None
    settings, options = asked_of("balance", settings_file, {
        "primary_method": method, "year_start": year_start, "seasons": not no_seasons and None,
        "internal_accumulation_m_we": internal and internal[0],
        "sigma_internal_accumulation_m_we": internal and internal[1],
        "glacier": glacier, "sigma_limit_m_we": sigma_limit, "between": _days(between),
        "geodetic": geodetic if survey is None else None,
        "geodetic_dates": _days(geodetic_dates), "monte_carlo": draws, "not_after": not_after and not_after.date(),
    })  # fmt: skip
    inputs = (
        *given("field data", "", [source]),
        *given("DEM", "--dem", [dem]),
        *given("outline", "--outline", [outline]),
        *given("geodetic balance", "--geodetic", [survey]),
    )
    asked = Asked(command="balance", settings=settings, options=options, given=inputs)
    task = Task.of(settings, options, dem=dem, outline=outline, survey=survey, seed=MONTE_CARLO_SEED)
    preflight(out, Output.balance)
    with progress(quiet) as tell:
        tell("Reading the field data")
        glaciers = read_or_mark(source, marked_copy, not_after=options.not_after, glacier=options.glacier or "")
        results = run_balances(glaciers, task, tell)
        tell("Writing the results")
        outputs = write_balances(results, out, code_version(), source.name, asked=asked)
    if as_json:
        _print_json(balance_json(results, glaciers, outputs, out))
    else:
        show_balances(results, glaciers, outputs, out, language)


def _days(pair: tuple[datetime, datetime] | None) -> tuple[date, date] | None:
    return (pair[0].date(), pair[1].date()) if pair else None


@app.command()
def trace(
    folder: Annotated[
        Path, typer.Argument(metavar="ARCHIVE_OR_DIR", help="An archive, or the output folder of a balance.")
    ],
    year: Annotated[int, typer.Option(help="Mass-balance year.")],
    period: Annotated[str, typer.Option(help="annual, winter or summer.")] = "annual",
    collection: Annotated[str | None, typer.Option(help="Which collection, where several have a mass balance.")] = None,
    as_json: Json = False,
) -> None:
    """Say where a glacier-wide balance comes from: methods, zones, points, readings, and the cells they stand in."""
    from catalog.runs import read_published_tables, trace_balance

    traced = trace_balance(read_published_tables(folder, collection), year, period)
    if as_json:
        _print_json(traced.to_dict())
    else:
        typer.echo("\n".join(traced.lines()))


@app.command()
def validate(
    archive: Annotated[
        str | None, typer.Argument(metavar="ARCHIVE_OR_URL", help="Folder or URL of an archive.")
    ] = None,
    schemas: Annotated[
        Path | None, typer.Option(help="STAC extension schemas laid out by URL; GLACIER_STAC_SCHEMAS when absent.")
    ] = None,
    deep: Annotated[bool, typer.Option("--deep", help="Over HTTP, read every pixel too.")] = False,
    timeout_s: Annotated[
        float, typer.Option("--timeout", help="Seconds that a server may keep silent.", min=0.1)
    ] = 30.0,
    list_checks: Annotated[bool, typer.Option("--list", help="Explain every check and exit.")] = False,
    signed_by: Annotated[
        Path | None, typer.Option(metavar="KEY.pub", help="Ask for a signature by this public key.")
    ] = None,
    derived: Annotated[
        bool, typer.Option("--derive", help="Also write every file again from what the archive records, and compare.")
    ] = False,
    inputs: Annotated[
        Path | None, typer.Option(help="With --derive: folder of the raw inputs; of a sample they are embedded.")
    ] = None,
    workers: Workers = 2,
    junit: Annotated[Path | None, typer.Option(help="Also write a JUnit XML report.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Prove an archive: schemas, links, checksums, rasters, statistics, tables, consistency, quality gates."""
    from catalog.checks import CHECKS
    from catalog.checks import validate as prove

    if list_checks:
        for check in CHECKS:
            typer.echo(f"{check.name}: {check.meaning}")
        return
    if archive is None:
        raise BadInput("validate", "no archive named", "a folder or URL of an archive")
    with progress(quiet) as tell:
        report = prove(archive, schemas, signed_by=signed_by, deep=deep, timeout_s=timeout_s, tell=tell)
        if derived:
            report = report.with_result(_derive(archive, inputs, workers, tell))
    if junit is not None:
        junit.write_text(report.to_junit(), encoding="utf-8")
    if as_json:
        _print_json(report.to_dict())
    else:
        typer.echo("\n".join(report.lines()))
    if not report.passed:
        raise typer.Exit(1)


def _derive(archive: str, inputs: Path | None, workers: int, tell: Tell) -> CheckResult:
    from catalog.build import derive
    from pipeline.resources import open_resources

    if archive.startswith(("http://", "https://")):
        raise BadInput(archive, "an archive on a server", "the folder of an archive", "fetch it first")
    with open_resources(workers) as resources:
        return derive(Path(archive), inputs, resources, code_version=code_version(), tell=tell)


@app.command()
def serve(
    archive: Annotated[Path, typer.Argument(help="Folder of an archive.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.", min=0, max=65535)] = 8000,
    browser: Annotated[
        bool, typer.Option("--browser", help="Show it in STAC Browser too, built with npm the first time.")
    ] = False,
) -> None:
    """Serve an archive over HTTP with Range, ETag and CORS, for browsers and clients."""
    from catalog.serve import serve as run

    run(archive, host, port, tell=typer.echo, browser=browser, progress=lambda line: typer.echo(line, err=True))


@app.command()
def sign(
    archive: Annotated[Path, typer.Argument(help="Folder of an archive.")],
    key: Annotated[Path, typer.Option(help="Private Ed25519 key: OpenSSH's form or PEM.")],
    as_json: Json = False,
) -> None:
    """Vouch for an archive: read all of it, and sign the statement over its manifest."""
    from catalog.sign import asks_for_passphrase, sign_archive

    passphrase = typer.prompt("Passphrase", hide_input=True, err=True) if asks_for_passphrase(key) else None
    _print_report(sign_archive(archive, key, passphrase), as_json)


@app.command()
def publish(
    archive: Annotated[Path, typer.Argument(help="Folder of an archive.")],
    destination: Annotated[str, typer.Argument(metavar="DEST", help="A folder, or s3://bucket/prefix.")],
    endpoint_url: Annotated[str | None, typer.Option(help="URL of an S3-compatible store.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done and do nothing.")] = False,
    delete: Annotated[
        bool, typer.Option("--delete", help="Remove files of the previous archive that are gone.")
    ] = False,
    keep_previous: Annotated[
        bool, typer.Option(help="Keep another version that stands there as versions/<version>/.")
    ] = True,
    base_url: BaseUrl = None,
    workers: Annotated[int, typer.Option(min=1, help="Transfers at once.")] = 4,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Copy an archive to a folder or an object store: checksummed, resumable, the catalogue last."""
    from catalog.publish import publish as run

    with progress(quiet) as tell:
        report = run(
            archive,
            destination,
            endpoint_url=endpoint_url,
            dry_run=dry_run,
            delete=delete,
            keep_previous=keep_previous,
            base_url=base_url,
            workers=workers,
            tell=tell,
        )
    _print_report(report, as_json)


@app.command("diff")
def diff_archives(
    old: Annotated[Path, typer.Argument(help="The archive as it was.")],
    new: Annotated[Path, typer.Argument(help="The archive as it is.")],
    changelog: Annotated[
        bool, typer.Option("--changelog", help="Print what a definition of the new version may say of the changes.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say what changed between two versions of an archive, record by record, and which version that asks for."""
    from catalog.versions import compare_versions, propose_changes

    comparison = compare_versions(old, new)
    if changelog:
        _print_report(propose_changes(old, comparison), as_json)
    else:
        _print_report(comparison, as_json)


@app.command()
def fetch(
    what: Annotated[Fetched, typer.Argument(help="inputs of a definition, geoids for PROJ, or STAC schemas.")],
    definitions: Definitions = None,
    to: Annotated[
        Path | None, typer.Option(help="Folder to fetch into; inputs/, PROJ's own folder or stac-schemas/.")
    ] = None,
    mirror: Annotated[
        list[str] | None, typer.Option(help="Another server, as srtm=https://host/{tile}.hgt.zip; may be repeated.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Downloads at once.")] = 4,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List address, size and licence of every file and fetch none.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Get raw inputs, geoid grids or STAC schemas: resumable, verified, recorded in inputs.lock.toml."""
    from catalog.build import default_definitions, read_definitions
    from catalog.fetch import default_destination, parse_mirrors, plan_all, run_fetch, transfer_bars

    chosen = read_definitions(tuple(definitions)) if definitions else default_definitions()
    destination = to or default_destination(what.value)
    plan = plan_all(chosen, what.value, destination, parse_mirrors(mirror or ()))
    with transfer_bars(quiet) as (tell, meter):
        report = run_fetch(plan, destination, dry_run=dry_run, workers=workers, tell=tell, meter=meter)
    _print_report(report, as_json)


@app.command("init")
def init_dataset(
    name: Annotated[str, typer.Argument(help="Name of the new dataset: lower-case letters, digits, hyphens.")],
    kind: Annotated[Kind | None, typer.Option(help="What it holds; elevation_change when absent.")] = None,
    folder: Annotated[Path, typer.Option(help="Folder to write into.")] = Path(),
    from_ncdc: Annotated[
        Path | None, typer.Option(help="Begin with a record exported from the NCDC portal (JSON).")
    ] = None,
) -> None:
    """Start a new dataset: a commented definition, and a workbook template for a mass balance."""
    from catalog.start import blanks_of, init_definition, init_from_ncdc

    defects: tuple[str, ...] = ()
    if from_ncdc is not None:
        paths, defects = init_from_ncdc(from_ncdc, name, folder, kind.value if kind else None)
    else:
        paths = init_definition(name, folder, (kind or Kind.elevation_change).value)
    for path in paths:
        typer.echo(f"Wrote {path}")
    for defect in defects:
        typer.echo(f"The record: {defect}")
    typer.echo(f"{len(blanks_of(paths[0]))} blanks to fill in are marked in {paths[0]}")


@contextmanager
def progress(quiet: bool, known: dict[str, float] | None = None) -> Iterator[Tell]:
    """Progress on stderr, as ``catalog.reports.terminal`` shows it."""
    from catalog.reports import progress as shown

    with shown(quiet, known) as tell:
        yield tell


def _print_json(content: dict[str, Any]) -> None:
    from catalog.formats import finite

    text = json.dumps(finite(content), indent=2, ensure_ascii=False, allow_nan=False)
    typer.echo(text if _can_show(text) else json.dumps(finite(content), indent=2, allow_nan=False))


def _can_show(text: str) -> bool:
    """Whether the terminal's encoding has all characters of a text."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _print_report(report: Any, as_json: bool) -> None:
    if as_json:
        _print_json(report.to_dict())
    else:
        typer.echo("\n".join(report.lines()))


# what asks a run to end, and what it then says
STOPS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}


class Stopped(BaseException):
    """Ctrl-C or a request to end; of its own kind, so that no library takes it for an error of its own."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.asked = signal.Signals(number)


def _stop(number: int, _frame: object) -> NoReturn:
    raise Stopped(number)


def run() -> int:
    """Run the command line and return its exit code; a known problem ends in clear lines, never in a traceback."""
    try:
        with undecodable_messages_unprinted():
            # what `app()` calls when it has set a hook of its own for uncaught errors
            typer.main.get_command(app)()
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except ManyBadInputs as error:
        from catalog.reports import show_errors

        with suppress(OSError):  # the lines may have nowhere to go
            show_errors(error)
        return error.exit_code
    except ArchiveError as error:
        with suppress(OSError):
            for line in str(error).splitlines():
                typer.echo(f"error: {line}", err=True)
        return error.exit_code
    except Stopped as stopped:
        with suppress(OSError):
            typer.echo(STOPS[stopped.asked], err=True)
        return 128 + stopped.asked
    except OSError as error:  # what the system refuses, and nobody has explained nearer to it
        return _refused_by_the_system(error)
    return 0


def _refused_by_the_system(error: OSError) -> int:
    """One line for a name too long, a folder that is gone, a full disk; the exit code of bad input."""
    nameless = "the present folder" if isinstance(error, FileNotFoundError) else "the output"
    where, reason = str(error.filename or nameless), error.strerror or type(error).__name__
    with suppress(OSError):
        typer.echo(f"error: {BadInput(where, reason, 'a place that can be read and written')}", err=True)
    return BadInput.exit_code


def _open_streams() -> None:
    """Closed streams lead nowhere, and no file gets their numbers; what a terminal cannot show is escaped."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= _LAST_STREAM:
        pass
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, os.fdopen(os.dup(number), "w", encoding="utf-8"))
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    os.close(number)


def _finished(code: int) -> int:
    """The exit code once everything is written out."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return _READER_GONE
    except OSError as error:
        return code or _refused_by_the_system(error)
    return code


def main() -> NoReturn:
    """Entry of the console script."""
    for number in STOPS:
        signal.signal(number, _stop)
    _open_streams()
    stdout = sys.stdout
    code = run()
    # typer puts another stream there once a reader has gone away, and calls it 1, as if a check had failed
    code = _finished(code) if sys.stdout is stdout else _READER_GONE
    with suppress(OSError):
        sys.stderr.flush()
    # a dataset that is still being computed in a thread must not hold up the end
    os._exit(code)


if __name__ == "__main__":
    main()
