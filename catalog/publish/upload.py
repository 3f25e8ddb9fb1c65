"""An archive copied to where the world reads it: verified file by file, data first, the catalogue last.

Where another version stands there, that one is first kept as ``versions/<version>/``, whole and with its own catalogue.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Any

from catalog.address import base_of
from catalog.archive import (
    ARCHIVE,
    CATALOG_JSON,
    COLLECTION_JSON,
    DATAPACKAGE_JSON,
    GEOJSON,
    ITEMS_JSON,
    ITEMS_PARQUET,
    MANIFEST_JSON,
    METADATA,
    SEARCH_JS,
    STATEMENT_JSON,
    VERSIONS,
    VOUCHERS,
    ListedFile,
    is_of_manifest,
    media_type_of,
    parse_manifest,
    read_if_there,
    read_stored_manifest,
    sha256_of,
    stated_sha256,
)
from catalog.publish.destinations import Destination, open_destination
from catalog.publish.lease import LOCK_JSON
from catalog.publish.replacement import Listed, refuse_replacement
from pipeline.progress import Tell, silent
from pipeline.worker_threads import worker_threads
from schemas.errors import BadInput, FailedCheck
from schemas.inside import leads_inside, lies_inside

JOURNAL_JSON = ".glacier-publishing.json"
_OF_MANIFEST = "sha256_of_manifest"
STAGES = ("data", "descriptions", "items", "lists of items", "collections", "pages", "manifest", "catalogue")
_PART_OF_ITEMS = re.compile(r"items-\d+(?:\.zh)?\.json")


@dataclass(frozen=True, kw_only=True)
class PublishReport:
    """What was done, or with ``dry_run`` what would be.

    Attributes
    ----------
    destination : where to.
    copied : paths that were written.
    unchanged : paths that stood there already with the manifest's sha256.
    deleted : paths of the previous version that were removed.
    left_behind : paths of the previous version that still stand there, since deletion was not asked for.
    copied_bytes : sum of the sizes of the copied files.
    kept : folder below the destination where the version that stood there before can be read; empty where none is kept.
    """

    destination: str
    copied: tuple[str, ...]
    unchanged: tuple[str, ...]
    deleted: tuple[str, ...]
    left_behind: tuple[str, ...]
    copied_bytes: int
    dry_run: bool
    kept: str = ""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def lines(self) -> list[str]:
        """For a person: with ``dry_run`` every path, then the sum."""
        listed = [f"copy {path}" for path in self.copied] + [f"delete {path}" for path in self.deleted]
        verb = "would copy" if self.dry_run else "copied"
        summary = (
            f"{self.destination}: {verb} {len(self.copied)} files ({self.copied_bytes / 1e6:.1f} MB), "
            f"{len(self.unchanged)} unchanged, {len(self.deleted)} deleted"
        )
        left = f"left behind from the previous version: {len(self.left_behind)}; --delete removes them"
        kept = f"the previous version {'would be' if self.dry_run else 'is'} kept as {self.destination}/{self.kept}/"
        notes = [*([kept] if self.kept else []), *([left] if self.left_behind else [])]
        return [*(listed if self.dry_run else []), summary, *notes]


@dataclass(frozen=True)
class _Source:
    """The archive as its manifest describes it; the manifest's bytes are read once, at the start.

    Attributes
    ----------
    addressed : folder of the documents that an address changes; they stand for those of the archive.
    """

    root: Path
    manifest: bytes
    files: tuple[ListedFile, ...]
    addressed: Path | None = None

    def place(self, path: str) -> Path:
        """Where a file is read from: as it was given its address, or as it stands in the archive."""
        written = self.addressed and self.addressed / path
        return written if written and written.is_file() else self.root / path


@dataclass(frozen=True)
class _Previous:
    """What stands at the destination.

    Attributes
    ----------
    paths : of files that an earlier publication put there, also one that was interrupted; with what vouches for them.
    listed : the archive as its manifest lists it.
    interrupted : sha256 of the manifest whose publication was interrupted, so that old and new files may stand there
        side by side; empty where none was.
    """

    paths: frozenset[str]
    listed: Listed
    interrupted: str = ""

    @property
    def mixed(self) -> bool:
        return bool(self.interrupted)

    @property
    def place(self) -> str:
        """Where its version belongs once another one stands there; empty where it states none."""
        version = version_of(dict(self.listed.manifest))
        return f"{VERSIONS}/{version}" if version else ""


def publish(
    archive: Path,
    destination: str,
    *,
    endpoint_url: str | None = None,
    dry_run: bool = False,
    delete: bool = False,
    keep_previous: bool = True,
    base_url: str | None = None,
    workers: int = 4,
    tell: Tell = silent,
) -> PublishReport:
    """Make ``destination`` a copy of the archive, complete by its manifest.

    A file that stands there with the right sha256 is not sent again, so that an interrupted publication resumes.
    Files are sent in the order of ``STAGES``: a reader never meets a link to a file that is not there yet. With
    ``delete`` the files that the previous manifest lists and the new one does not are removed, after the catalogue has
    changed; nothing else ever is.

    With ``keep_previous`` an archive of another version that stands there is copied, before anything is sent, to
    ``versions/<version>/`` below the destination (``version_of``). Deletion leaves what is kept alone.

    With ``base_url`` what is sent states where it is served from; the archive itself stays as it is. What is sent tells
    of a signature over the archive and has none of its own: it is signed anew.

    The destination is locked meanwhile: a second publication to it is refused.

    Errors
    ------
    BadInput : no archive; a destination that is neither empty nor an archive, lies inside the archive or around it, is
        being published to, or cannot be reached or written.
    FailedCheck : the archive does not agree with its manifest, or a copy differs from what was sent; the destination
        would lose a dataset, observations, a later version or values (``refuse_replacement``); the version that stands
        there is damaged and cannot be kept.
    """
    base = base_of(base_url)
    _read_source(archive)  # what is no archive is refused before anything else
    _refuse_overlap(archive, destination)
    target = open_destination(destination, endpoint_url)
    _previous(target)  # what is no archive is refused before a lock is laid into it
    with nullcontext(_nothing_to_lose) if dry_run else target.alone() as require_alone:
        wanted = _Wanted(dry_run=dry_run, delete=delete, keep_previous=keep_previous, workers=workers)
        with _source(archive, base, tell) as source:
            return _publish(source, target, wanted, require_alone, tell)


@contextmanager
def _source(archive: Path, base: str, tell: Tell) -> Iterator[_Source]:
    """What is to be sent, at an address where there is one."""
    with tempfile.TemporaryDirectory(prefix="glacier-archive-address-", ignore_cleanup_errors=True) as folder:
        changed = False
        if base:
            from catalog.address import address_archive

            changed = address_archive(archive, base, Path(folder), tell)
        yield _read_source(archive, Path(folder)) if changed else _read_source(archive)


def _nothing_to_lose() -> None:
    """Of a dry run, which needs no lock."""


@dataclass(frozen=True, kw_only=True)
class _Wanted:
    """What was asked for; as the arguments of ``publish``."""

    dry_run: bool
    delete: bool
    keep_previous: bool
    workers: int


def _publish(
    source: _Source, target: Destination, wanted: _Wanted, require_alone: Callable[[], None], tell: Tell
) -> PublishReport:
    previous, delete, workers = _previous(target), wanted.delete, wanted.workers
    sha256_of_manifest = sha256(source.manifest).hexdigest()
    # what goes on where it was interrupted was compared before its first file was sent
    if previous.listed.content and previous.interrupted != sha256_of_manifest:
        coming = Listed.of(source.manifest, lambda path: read_if_there(source.place(path)))
        refuse_replacement(source.place, coming, target, previous.listed, previous.place)
    changed, unchanged = _compare(source, target, workers, tell)
    stale = sorted(previous.paths - {file.path for file in source.files} - {MANIFEST_JSON, JOURNAL_JSON})
    report = PublishReport(
        destination=target.name,
        copied=tuple(file.path for file in changed),
        unchanged=tuple(file.path for file in unchanged),
        deleted=tuple(stale) if delete else (),
        left_behind=() if delete else tuple(stale),
        copied_bytes=sum(file.size for file in changed),
        dry_run=wanted.dry_run,
        kept=_place_to_keep(source, previous) if wanted.keep_previous else "",
    )
    if report.kept:
        _require_whole(target, previous, workers)
    if not wanted.dry_run:
        _carry_out(source, target, changed, report, previous, workers, require_alone, tell)
    return report


def version_of(manifest: dict[str, Any]) -> str:
    """The version of an archive: that of its datasets, or theirs in turn joined by ``_`` where they differ.

    Empty where the manifest names none that can stand in an address.
    """
    datasets = manifest.get("datasets")
    named = [str(entry.get("version")) for entry in datasets if isinstance(entry, dict)] if datasets else []
    version = "_".join(named if len(set(named)) > 1 else named[:1])
    return version if re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z._-]*", version) else ""


def stage_of(path: str) -> int:
    """Index into ``STAGES``: what links to a file comes after it; a document in Chinese goes with its twin."""
    place = PurePosixPath(path)
    name = place.name.replace(".zh.json", ".json")
    if is_of_manifest(path):
        return 6
    if "/" not in path and name == CATALOG_JSON:
        return 7
    if place.suffix == ".html" or path == SEARCH_JS:
        return 5
    if name == COLLECTION_JSON:
        return 4
    if path in (ITEMS_PARQUET, ITEMS_JSON) or _PART_OF_ITEMS.fullmatch(name):
        return 3
    if place.suffix == ".json" and media_type_of(path) == GEOJSON:
        return 2
    return 1 if place.suffix == ".md" or name == DATAPACKAGE_JSON or place.parts[1:2] == (METADATA,) else 0


def _order_of(file: ListedFile) -> tuple[int, int]:
    """Files of one order may be sent at once; of the pages the inner ones go first, the archive's own last.

    The catalogue in Chinese goes before the one that every client opens, which is the very last file; the parts of the
    manifest go before it.
    """
    stage = stage_of(file.path)
    if STAGES[stage] == "pages":
        return stage, -file.path.count("/")
    return stage, int(file.path in (CATALOG_JSON, MANIFEST_JSON))


def in_order(files: Iterable[ListedFile]) -> list[ListedFile]:
    """Files by stage, then by path; the inner pages before the outer ones."""
    return sorted(files, key=lambda file: (_order_of(file), file.path))


def _read_source(archive: Path, addressed: Path | None = None) -> _Source:
    manifest = read_stored_manifest(addressed or archive)
    files, path = manifest.files, archive / MANIFEST_JSON
    source = _Source(archive, manifest.content, files, addressed)
    for file in files:
        _require_present(source, file)
        if is_of_manifest(file.path):
            # what an altered list leaves out would be missing at the destination
            _require_unaltered(source.place(file.path), file)
    if CATALOG_JSON not in {file.path for file in files}:
        raise BadInput(str(path), f"no {CATALOG_JSON} among its files", "a complete manifest", "build again")
    itself = ListedFile(MANIFEST_JSON, len(manifest.content), sha256(manifest.content).hexdigest())
    vouchers = _vouchers(addressed or archive, itself.sha256)
    return replace(source, files=(*files, *vouchers, itself))


def _vouchers(archive: Path, manifest_sha256: str) -> list[ListedFile]:
    """What vouches for the manifest, as far as it is there; it must be of this manifest."""
    paths = [(name, archive / name) for name in VOUCHERS if (archive / name).is_file()]
    statement = archive / STATEMENT_JSON
    if paths and stated_sha256(read_if_there(statement) or b"") != manifest_sha256:
        raise FailedCheck(str(statement), "a statement over another manifest", "one over this one", "build again")
    return [ListedFile(name, path.stat().st_size, sha256_of(path)) for name, path in paths]


def _require_unaltered(path: Path, file: ListedFile) -> None:
    stored = sha256_of(path)
    if stored != file.sha256:
        raise FailedCheck(
            str(path), f"sha256 {stored}", f"sha256 {file.sha256}, as the manifest says", "build again, or run validate"
        )


def _require_present(source: _Source, file: ListedFile) -> None:
    if not _is_of_an_archive(file.path) or file.path in (JOURNAL_JSON, LOCK_JSON):
        raise BadInput(
            f"{source.root}/{MANIFEST_JSON}", f"the path {file.path!r}", "paths inside the archive", "build again"
        )
    place = source.place(file.path)
    if not place.is_file():
        raise BadInput(str(place), "no such file", "a file that the manifest lists", "build again, or run validate")
    if not lies_inside(place, source.root) and not (source.addressed and lies_inside(place, source.addressed)):
        raise BadInput(str(place), "a symbolic link out of the archive", "a file of the archive", "build again")


def _refuse_overlap(archive: Path, destination: str) -> None:
    if "://" in destination:
        return
    if lies_inside(destination, archive) or lies_inside(archive, destination):
        raise BadInput(destination, f"a folder that overlaps the archive {archive}", "a folder apart from it")


def _previous(target: Destination) -> _Previous:
    """What an earlier publication put at the destination.

    Errors
    ------
    BadInput : something else stands there.
    """
    if target.is_empty():
        return _Previous(frozenset(), Listed.of(b"", target.read))
    listed = Listed.of(target.read(MANIFEST_JSON) or b"", target.read)
    journal = parse_manifest(target.read(JOURNAL_JSON) or b"")
    if not listed.content and journal is None:
        raise BadInput(
            target.name,
            "files that are no archive (no manifest.json of ours)",
            "an archive published earlier, an empty place, or nothing",
            "choose another destination; nothing was changed",
        )
    entries = (journal or {}).get("files")
    named = (entry.get("path") for entry in (entries if isinstance(entries, list) else ()) if isinstance(entry, dict))
    paths = {*listed.files, *map(str, named)}
    paths.update(name for name in VOUCHERS if target.read(name) is not None)
    inside = frozenset(path for path in paths if _is_of_an_archive(path))
    interrupted = "" if journal is None else str(journal.get(_OF_MANIFEST) or "another")
    return _Previous(inside, listed, interrupted)


def _is_of_an_archive(path: str) -> bool:
    """Whether a path that somebody else has written down can be one of an archive's files."""
    return leads_inside(path) and path.partition("/")[0] != VERSIONS


def _place_to_keep(source: _Source, previous: _Previous) -> str:
    """Where the archive at the destination is to be kept.

    Empty where it is of the same version or says none, and where a publication was interrupted: it had kept the version
    before it sent the first file.
    """
    new = version_of(parse_manifest(source.manifest) or {})
    return previous.place if previous.place != f"{VERSIONS}/{new}" and not previous.mixed else ""


def _require_whole(target: Destination, previous: _Previous, workers: int) -> None:
    """A version is kept whole or not at all.

    Errors
    ------
    FailedCheck : a file of the archive at the destination is missing or another one; another archive is kept there.
    """
    kept = target.read(f"{previous.place}/{MANIFEST_JSON}")
    if kept == previous.listed.content:
        return
    unkept = "publish with --no-keep-previous if this is meant"
    if kept is not None:
        place = f"{target.name}/{previous.place}"
        raise FailedCheck(place, "another archive of that version", "none, or the one published before", unkept)
    files = list(previous.listed.files.values())
    whole = _each(files, target.stands, workers)
    damaged = [file.path for file, stands in zip(files, whole, strict=True) if not stands]
    if damaged:
        more = f" and {len(damaged) - 1} more" if len(damaged) > 1 else ""
        raise FailedCheck(
            f"{target.name}/{damaged[0]}",
            f"a file that is missing or altered{more}, so that the version there cannot be kept whole",
            "every file that its manifest lists",
            f"publish that version there again first, or {unkept}",
        )


def _keep(target: Destination, previous: _Previous, place: str, workers: int, tell: Tell) -> None:
    """Copy the archive at the destination to ``place``, its manifest last; nothing new has been sent yet."""
    mark = f"{place}/{MANIFEST_JSON}"
    if target.read(mark) == previous.listed.content:
        return
    files = in_order(
        ListedFile(name, 0, "")
        for name in previous.paths
        if name in previous.listed.files or name in VOUCHERS
        if name != MANIFEST_JSON
    )
    tell(f"keeping the version that stands there as {target.name}/{place}: {len(files) + 1} files")
    for _, group in groupby(files, key=_order_of):
        _each(list(group), lambda file: target.copy(file.path, f"{place}/{file.path}"), workers)
    target.write(mark, previous.listed.content)


def _compare(
    source: _Source, target: Destination, workers: int, tell: Tell
) -> tuple[list[ListedFile], list[ListedFile]]:
    """Split the files into those to send and those that stand there already, both in order."""
    tell(f"comparing {len(source.files)} files with {target.name}")
    files = in_order(source.files)
    held = _each(files, lambda file: target.holds(source.place(file.path), file), workers)
    pairs = list(zip(files, held, strict=True))
    return [file for file, there in pairs if not there], [file for file, there in pairs if there]


def _carry_out(
    source: _Source,
    target: Destination,
    changed: Sequence[ListedFile],
    report: PublishReport,
    previous: _Previous,
    workers: int,
    require_alone: Callable[[], None],
    tell: Tell,
) -> None:
    if not changed and not report.deleted and target.read(JOURNAL_JSON) is None:
        return
    if report.kept:
        _keep(target, previous, report.kept, workers, tell)
    target.write(JOURNAL_JSON, _journal(previous.paths | {file.path for file in source.files}, source.manifest))
    for (stage, _), group in groupby(changed, key=_order_of):
        require_alone()
        files = list(group)
        size = sum(file.size for file in files)
        tell(f"{STAGES[stage]}: {len(files)} file{'s' if len(files) > 1 else ''}, {size / 1e6:.1f} MB")
        _each(files, lambda file: _send(source, target, file), workers)
    require_alone()
    for path in report.deleted:
        tell(f"removing {path}")
        target.delete(path)
    target.delete(JOURNAL_JSON)


def _send(source: _Source, target: Destination, file: ListedFile) -> None:
    if file.path == MANIFEST_JSON:
        target.write(file.path, source.manifest)
        return
    path = source.place(file.path)
    _require_unaltered(path, file)
    target.put(path, file)


def _journal(paths: Iterable[str], manifest: bytes) -> bytes:
    """Marks a destination as ours while no manifest stands there, and remembers what a later run may delete."""
    content = {
        "archive": ARCHIVE,
        "note": "publication under way",
        _OF_MANIFEST: sha256(manifest).hexdigest(),
        "files": [{"path": path} for path in sorted(paths)],
    }
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def _each(files: Sequence[ListedFile], act: Callable[[ListedFile], Any], workers: int) -> list[Any]:
    """``act`` on every file, in threads; the first error stops what has not begun, and is raised."""
    with worker_threads(max(1, workers)) as pool:
        futures: list[Future[Any]] = [pool.submit(act, file) for file in files]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
        finally:
            for future in futures:
                future.cancel()
    return [future.result() for future in futures if not future.cancelled()]
