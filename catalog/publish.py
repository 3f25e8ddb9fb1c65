"""An archive copied to where the world reads it: verified file by file, data first, the catalogue last."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from hashlib import sha256
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Any

from catalog.destinations import Destination, open_destination
from catalog.layout import CATALOG_JSON, COLLECTION_JSON, MANIFEST_JSON, README_MD
from catalog.manifest import ARCHIVE, ListedFile, parse_manifest, sha256_of
from catalog.media_types import GEOJSON, media_type_of
from pipeline.progress import Tell, silent
from schemas.errors import BadInput, FailedCheck

JOURNAL_JSON = ".glacier-publishing.json"
STAGES = ("data", "items", "collections", "pages", "manifest", "catalogue")


@dataclass(frozen=True)
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
    """

    destination: str
    copied: tuple[str, ...]
    unchanged: tuple[str, ...]
    deleted: tuple[str, ...]
    left_behind: tuple[str, ...]
    copied_bytes: int
    dry_run: bool

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
        return [*(listed if self.dry_run else []), summary, *([left] if self.left_behind else [])]


@dataclass(frozen=True)
class _Source:
    """The archive as its manifest describes it; the manifest's bytes are read once, at the start."""

    root: Path
    manifest: bytes
    files: tuple[ListedFile, ...]


def publish(
    archive: Path,
    destination: str,
    *,
    endpoint_url: str | None = None,
    dry_run: bool = False,
    delete: bool = False,
    workers: int = 4,
    tell: Tell = silent,
) -> PublishReport:
    """Make ``destination`` a copy of the archive, complete by its manifest.

    A file that stands there with the right sha256 is not sent again, so that an interrupted publication resumes.
    Files are sent in the order of ``STAGES``: a reader never meets a link to a file that is not there yet. With
    ``delete`` the files that the previous manifest lists and the new one does not are removed, after the catalogue has
    changed; nothing else ever is.

    Errors
    ------
    BadInput : no archive; a destination that is neither empty nor an archive, lies inside the archive or around it, or
        cannot be reached or written.
    FailedCheck : the archive does not agree with its manifest, or a copy differs from what was sent.
    """
    source = _read_source(archive)
    _refuse_overlap(archive, destination)
    target = open_destination(destination, endpoint_url)
    previous = _previous_paths(target)
    changed, unchanged = _compare(source, target, workers, tell)
    stale = sorted(previous - {file.path for file in source.files} - {MANIFEST_JSON, JOURNAL_JSON})
    report = PublishReport(
        destination=target.name,
        copied=tuple(file.path for file in changed),
        unchanged=tuple(file.path for file in unchanged),
        deleted=tuple(stale) if delete else (),
        left_behind=() if delete else tuple(stale),
        copied_bytes=sum(file.size for file in changed),
        dry_run=dry_run,
    )
    if not dry_run:
        _carry_out(source, target, changed, report, previous, workers, tell)
    return report


def stage_of(path: str) -> int:
    """Index into ``STAGES``: what links to a file comes after it."""
    name = PurePosixPath(path).name
    if path == CATALOG_JSON:
        return 5
    if path == MANIFEST_JSON:
        return 4
    if name.endswith(".html") or name == README_MD:
        return 3
    if name == COLLECTION_JSON:
        return 2
    return 1 if name.endswith(".json") and media_type_of(path) == GEOJSON else 0


def in_order(files: Iterable[ListedFile]) -> list[ListedFile]:
    """Files by stage, then by path."""
    return sorted(files, key=lambda file: (stage_of(file.path), file.path))


def _read_source(archive: Path) -> _Source:
    path = archive / MANIFEST_JSON
    content = path.read_bytes() if path.is_file() else b""
    manifest = parse_manifest(content)
    if manifest is None:
        found = "no such folder" if not archive.is_dir() else "no manifest.json of ours"
        raise BadInput(str(archive), found, "the root folder of an archive", "build one with the build command")
    try:
        files = [ListedFile(str(file["path"]), int(file["size"]), str(file["sha256"])) for file in manifest["files"]]
    except (KeyError, TypeError, ValueError):
        raise BadInput(
            str(path), "an entry without path, size or sha256", "a complete manifest", "build again"
        ) from None
    for file in files:
        _require_present(archive, file)
    if CATALOG_JSON not in {file.path for file in files}:
        raise BadInput(str(path), f"no {CATALOG_JSON} among its files", "a complete manifest", "build again")
    itself = ListedFile(MANIFEST_JSON, len(content), sha256(content).hexdigest())
    return _Source(archive, content, (*files, itself))


def _require_present(archive: Path, file: ListedFile) -> None:
    place = PurePosixPath(file.path)
    if place.is_absolute() or ".." in place.parts or "\\" in file.path or file.path in ("", JOURNAL_JSON):
        raise BadInput(
            f"{archive}/{MANIFEST_JSON}", f"the path {file.path!r}", "paths inside the archive", "build again"
        )
    found = archive / file.path
    if not found.is_file():
        raise BadInput(str(found), "no such file", "a file that the manifest lists", "build again, or run validate")
    if not found.resolve().is_relative_to(archive.resolve()):
        raise BadInput(str(found), "a symbolic link out of the archive", "a file of the archive", "build again")


def _refuse_overlap(archive: Path, destination: str) -> None:
    if "://" in destination:
        return
    here, there = archive.resolve(), Path(destination).resolve()
    if there.is_relative_to(here) or here.is_relative_to(there):
        raise BadInput(destination, f"a folder that overlaps the archive {archive}", "a folder apart from it")


def _previous_paths(target: Destination) -> set[str]:
    """Paths that an earlier publication put there, also one that was interrupted.

    Errors
    ------
    BadInput : something else stands at the destination.
    """
    if target.is_empty():
        return set()
    manifest = parse_manifest(target.read(MANIFEST_JSON) or b"")
    journal = parse_manifest(target.read(JOURNAL_JSON) or b"")
    if manifest is None and journal is None:
        raise BadInput(
            target.name,
            "files that are no archive (no manifest.json of ours)",
            "an archive published earlier, an empty place, or nothing",
            "choose another destination; nothing was changed",
        )
    entries = [*(manifest or {}).get("files", ()), *(journal or {}).get("files", ())]
    paths = {str(entry.get("path")) for entry in entries if isinstance(entry, dict)}
    return {path for path in paths if path and ".." not in PurePosixPath(path).parts and not path.startswith("/")}


def _compare(
    source: _Source, target: Destination, workers: int, tell: Tell
) -> tuple[list[ListedFile], list[ListedFile]]:
    """Split the files into those to send and those that stand there already, both in order."""
    tell(f"comparing {len(source.files)} files with {target.name}")
    files = in_order(source.files)
    held = _each(files, lambda file: target.holds(source.root / file.path, file), workers)
    pairs = list(zip(files, held, strict=True))
    return [file for file, there in pairs if not there], [file for file, there in pairs if there]


def _carry_out(
    source: _Source,
    target: Destination,
    changed: Sequence[ListedFile],
    report: PublishReport,
    previous: set[str],
    workers: int,
    tell: Tell,
) -> None:
    if not changed and not report.deleted and target.read(JOURNAL_JSON) is None:
        return
    target.write(JOURNAL_JSON, _journal(previous | {file.path for file in source.files}))
    for stage, group in groupby(changed, key=lambda file: stage_of(file.path)):
        files = list(group)
        size = sum(file.size for file in files)
        tell(f"{STAGES[stage]}: {len(files)} file{'s' if len(files) > 1 else ''}, {size / 1e6:.1f} MB")
        _each(files, lambda file: _send(source, target, file), workers)
    for path in report.deleted:
        tell(f"removing {path}")
        target.delete(path)
    target.delete(JOURNAL_JSON)


def _send(source: _Source, target: Destination, file: ListedFile) -> None:
    if file.path == MANIFEST_JSON:
        target.write(file.path, source.manifest)
        return
    path = source.root / file.path
    found = sha256_of(path)
    if found != file.sha256:
        raise FailedCheck(
            str(path), f"sha256 {found}", f"sha256 {file.sha256}, as the manifest says", "build again, or run validate"
        )
    target.put(path, file)


def _journal(paths: Iterable[str]) -> bytes:
    """Marks a destination as ours while no manifest stands there, and remembers what a later run may delete."""
    content = {"archive": ARCHIVE, "note": "publication under way", "files": [{"path": path} for path in sorted(paths)]}
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def _each(files: Sequence[ListedFile], act: Callable[[ListedFile], Any], workers: int) -> list[Any]:
    """``act`` on every file, in threads; the first error stops what has not begun, and is raised."""
    with ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
        futures: list[Future[Any]] = [pool.submit(act, file) for file in files]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
        finally:
            for future in futures:
                future.cancel()
    return [future.result() for future in futures if not future.cancelled()]
