"""Getting what a dataset needs from elsewhere, in parallel, checked against what is known of it and recorded."""

from __future__ import annotations

import errno
import fcntl
import io
import json
import os
import threading
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import IO, Any
from urllib.parse import urlsplit

import httpx

from catalog.archive import sha256_of
from catalog.fetch.addresses import without_secrets
from catalog.fetch.downloads import (
    Announced,
    Meter,
    NoRanges,
    RangeFile,
    Remote,
    Stopped,
    announced_size,
    download,
    open_client,
    unmetered,
)
from catalog.fetch.earthdata import LOGIN_HOST, LOGIN_REMEDY, earthdata_token, stated_token
from catalog.fetch.lock import LOCK_TOML, Locked, read_lock, write_lock
from catalog.fetch.plan import (
    GEOIDS,
    SERVERS,
    STAC_SCHEMAS,
    Download,
    What,
    block_of,
    default_destination,
    parse_mirrors,
    plan_all,
    plan_fetch,
    tile_names,
)
from pipeline.inputs.zip_archives import ZIP_DAMAGE, opened_zip
from pipeline.patience import Patience
from pipeline.progress import Tell, silent
from pipeline.worker_threads import worker_threads
from schemas.errors import BadInput, ManyBadInputs
from schemas.input_files import read_plain_file

__all__ = [
    "GEOIDS",
    "LOCK_TOML",
    "SERVERS",
    "STAC_SCHEMAS",
    "Download",
    "FetchReport",
    "Locked",
    "What",
    "block_of",
    "default_destination",
    "parse_mirrors",
    "plan_all",
    "plan_fetch",
    "read_lock",
    "run_fetch",
    "tile_names",
    "write_lock",
]

_BUFFER_BYTES = 1 << 20
_MOST_MEMBER_BYTES = 4 << 30  # of one file in a zip; the largest that is wanted is a region's outlines
_MOST_LIST_BYTES = 50_000_000  # of checksums; the one of PROJ has half a megabyte
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, kw_only=True)
class FetchReport:
    """What was done, or with ``dry_run`` what would be.

    Attributes
    ----------
    plan : every file to have, with address and licence.
    fetched : names that were fetched.
    present : names that were there already, checked against their record.
    manual : what is left to the user.
    announced : of a dry run: what the servers say of the sizes of what is missing, an address each.
    """

    destination: str
    plan: tuple[Download, ...]
    fetched: tuple[str, ...]
    present: tuple[str, ...]
    manual: tuple[str, ...]
    fetched_bytes: int
    dry_run: bool
    announced: tuple[Announced, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """For JSON; the addresses without what may be a secret."""
        content = asdict(self)
        for listed in ("plan", "announced"):
            for entry in content[listed]:
                entry["url"] = entry["url"] if entry.get("manual") else without_secrets(entry["url"])
        return content

    def lines(self) -> list[str]:
        """For a person: the plan if nothing was done yet, else what was done; at the end what is left to do."""
        by_hand = [f"by hand: {manual}" for manual in self.manual]
        by_hand += dict.fromkeys(f"for the archive: {file.remark}" for file in self.plan if file.remark)
        if self.dry_run:
            sizes = {announced.url: announced for announced in self.announced}
            listed = [
                f"{file.line()}  {_size_text(file, sizes.get(file.url))}" for file in self.plan if not file.manual
            ]
            return [*listed, *self._sum(), *by_hand]
        done = (
            f"fetched {len(self.fetched)} ({self.fetched_bytes / 1e6:.1f} MB), {len(self.present)} were there already; "
            f"recorded in {self.destination}/{LOCK_TOML}"
        )
        return [done, *by_hand]

    def _sum(self) -> list[str]:
        known = [announced.size for announced in self.announced if announced.size is not None]
        unknown = len(self.announced) - len(known)
        parts = [f"{len(known)} of {sum(known) / 1e6:.1f} MB in all"] if known else []
        parts += [f"{unknown} of unknown size"] if unknown else []
        return [f"to download: {', '.join(parts)}"] if parts else []


def _size_text(file: Download, announced: Announced | None) -> str:
    if announced is None:
        return "there already"
    if announced.size is None:
        return f"size unknown ({announced.note})"
    held = "in a zip of " if file.member else ""
    return f"{held}{announced.size / 1e6:.1f} MB"


# --- carrying it out ---------------------------------------------------------------------------------------------


@dataclass(kw_only=True)
class _Fetch:
    """One run: where to, with what client, and the lock file that the threads share."""

    destination: Path
    client: httpx.Client
    patience: Patience
    tell: Tell
    meter: Meter
    locked: dict[str, Locked]
    stop: threading.Event
    guard: threading.Lock = field(default_factory=threading.Lock)
    login_guard: threading.Lock = field(default_factory=threading.Lock)

    def remote(self, wanted: Download) -> Remote:
        remote = Remote(client=self.client, url=wanted.url, patience=self.patience, stop=self.stop)
        if wanted.login != "earthdata":
            return remote
        with self.login_guard:
            token = self.token
        return replace(remote, token=token, login_host=LOGIN_HOST, login_remedy=LOGIN_REMEDY)

    @cached_property
    def token(self) -> str:
        """The user's token, got once; '' where there is none: the server then says that it wants one."""
        return earthdata_token()

    def record(self, wanted: Download, path: Path, url: str) -> None:
        """Check a file against what is known and what was recorded of it; record it at first sight.

        ``path`` is where it lies, ``url`` where it came from; empty for a file that was there before.
        """
        size, digest = path.stat().st_size, sha256_of(path)
        _require_known(wanted, path if not url else self.destination / wanted.name, size, digest)
        known = self.locked.get(wanted.name)
        if known and (known.sha256, known.size) != (digest, size):
            raise BadInput(
                str(self.destination / wanted.name),
                f"sha256 {digest} ({size} bytes)",
                f"sha256 {known.sha256} ({known.size} bytes), recorded in {LOCK_TOML}",
                f"if the source has changed and this is meant, remove its entry from {LOCK_TOML}",
            )
        if known is None:
            with self.guard:
                self.locked[wanted.name] = Locked(
                    name=wanted.name,
                    url=without_secrets(url),
                    size=size,
                    sha256=digest,
                    licence=wanted.licence,
                    attribution=wanted.attribution,
                )
                write_lock(self.destination / LOCK_TOML, self.locked.values())


def _require_known(wanted: Download, where: Path, size: int, digest: str) -> None:
    """Refuse what differs from what is known of the file beforehand."""
    if wanted.size and size != wanted.size:
        raise BadInput(str(where), f"{size} bytes", f"{wanted.size} bytes", "remove it and run fetch again")
    if wanted.sha256 and digest != wanted.sha256:
        raise BadInput(
            str(where),
            f"sha256 {digest}",
            f"sha256 {wanted.sha256}, as the server lists it",
            "remove it and run fetch again; try another --mirror",
        )


def run_fetch(
    plan: Sequence[Download],
    destination: Path,
    *,
    dry_run: bool = False,
    workers: int = 4,
    tell: Tell = silent,
    meter: Meter = unmetered,
    patience: Patience | None = None,
    client: httpx.Client | None = None,
) -> FetchReport:
    """Carry out a plan: what is there is checked, what is missing is fetched, all is recorded in ``inputs.lock.toml``.

    A dry run asks the servers for the sizes of what is missing, once and without a login at NASA, and writes nothing.
    What one server refuses does not keep the rest from being fetched; the refusals come together at the end.

    Errors
    ------
    BadInput : a refusal, no connection, a zip without the member, a file that differs from what is known or was
        recorded of it, a destination that cannot be written or has no room, another fetch at work there.
    """
    automatic = [wanted for wanted in plan if not wanted.manual]
    present = [wanted for wanted in automatic if (destination / wanted.name).is_file()]
    missing = [wanted for wanted in automatic if wanted not in present]
    report = FetchReport(
        destination=str(destination),
        plan=tuple(plan),
        fetched=tuple(wanted.name for wanted in missing),
        present=tuple(wanted.name for wanted in present),
        manual=tuple(wanted.manual for wanted in plan if wanted.manual),
        fetched_bytes=0,
        dry_run=dry_run,
    )
    with nullcontext(client) if client else open_client() as session:
        if dry_run:
            return replace(report, announced=_ask_sizes(missing, session, patience or Patience(), workers))
        with _alone_in(destination):
            locked = read_lock(destination / LOCK_TOML)
            stop = threading.Event()
            run = _Fetch(
                destination=destination,
                client=session,
                patience=patience or Patience(sleep=stop.wait),
                tell=tell,
                meter=meter,
                locked=locked,
                stop=stop,
            )
            known = _with_checksums(run, [*present, *missing])
            for wanted in known[: len(present)]:
                run.record(wanted, destination / wanted.name, url="")
            return replace(report, fetched_bytes=_fetch_all(run, known[len(present) :], workers))


def _ask_sizes(
    missing: Sequence[Download], client: httpx.Client, patience: Patience, workers: int
) -> tuple[Announced, ...]:
    """What the servers say of the sizes, an address each, in the order of the plan."""
    addresses = {wanted.url: wanted for wanted in reversed(missing)}
    token = stated_token() if any(wanted.login for wanted in missing) else ""
    once = replace(patience, attempts=1)
    remotes = [
        Remote(
            client=client,
            url=url,
            token=token if wanted.login else "",
            login_host=LOGIN_HOST if wanted.login else "",
            patience=once,
        )
        for url, wanted in reversed(addresses.items())
    ]
    with worker_threads(max(1, workers)) as pool:
        return tuple(pool.map(announced_size, remotes))


def _with_checksums(run: _Fetch, files: Sequence[Download]) -> list[Download]:
    """The files with the sizes and checksums that their servers list, where they keep such a list."""
    lists: dict[str, Mapping[str, tuple[int, str]]] = {}
    for address in {file.checksums: None for file in files if file.checksums and file.name not in run.locked}:
        lists[address] = _listed_checksums(run, address)
    return [
        replace(file, size=listed[0], sha256=listed[1])
        if (listed := lists.get(file.checksums, {}).get(PurePosixPath(file.name).name))
        else file
        for file in files
    ]


def _listed_checksums(run: _Fetch, address: str) -> dict[str, tuple[int, str]]:
    """Size and sha256 by name, of a GeoJSON such as cdn.proj.org keeps; empty where the server has none."""
    path = run.destination / f".{_base_name(address)}"
    try:
        patience = replace(run.patience, attempts=min(2, run.patience.attempts))
        download(
            Remote(client=run.client, url=address, patience=patience, stop=run.stop),
            path,
            run.tell,
            most=_MOST_LIST_BYTES,
        )
        content = read_plain_file(path, address, "a list of checksums", _MOST_LIST_BYTES)
        listed = {entry["name"]: (_size(entry), entry["sha256sum"]) for entry in _entries(json.loads(content))}
        if not listed:
            raise ValueError("it names no file with a sha256")
        return listed
    except (BadInput, ValueError, RecursionError) as error:
        run.tell(f"{without_secrets(address)}: no list of checksums ({error}); what comes is recorded as it is")
        return {}
    finally:
        path.unlink(missing_ok=True)


def _entries(content: object) -> Iterator[dict[str, Any]]:
    """The properties of those features, whatever else there is, that name a file and its checksum."""
    features = content.get("features") if isinstance(content, dict) else None
    for feature in features if isinstance(features, list) else ():
        entry = feature.get("properties") if isinstance(feature, dict) else None
        if isinstance(entry, dict) and isinstance(entry.get("name"), str) and isinstance(entry.get("sha256sum"), str):
            yield entry


def _size(entry: Mapping[str, object]) -> int:
    """The size that an entry states; 0 where it states none."""
    size = entry.get("file_size")
    return size if isinstance(size, int) else 0


def _fetch_all(run: _Fetch, missing: Sequence[Download], workers: int) -> int:
    """Fetch address by address, so that a zip with several members is opened once; the bytes written."""
    addresses: dict[str, list[Download]] = {}
    for wanted in missing:
        addresses.setdefault(wanted.url, []).append(wanted)
        (run.destination / wanted.name).parent.mkdir(parents=True, exist_ok=True)
    pool = ThreadPoolExecutor(max_workers=max(1, workers))
    try:
        futures = [pool.submit(_fetch_address, run, group) for group in addresses.values()]
        return _sum_or_refusals(futures)
    finally:
        # after an interruption nobody waits for two gigabytes; each transfer ends at its next piece and keeps its part
        run.stop.set()
        pool.shutdown(wait=False, cancel_futures=True)


def _sum_or_refusals(futures: Sequence[Future[int]]) -> int:
    """The sum when all is done; what was refused is raised together, in the order of the plan."""
    refused: dict[int, BadInput] = {}
    total = 0
    for future in as_completed(futures):
        try:
            total += future.result()
        except BadInput as error:
            refused[futures.index(future)] = error
    if len(refused) > 1:
        raise ManyBadInputs([refused[number] for number in sorted(refused)])
    if refused:
        raise next(iter(refused.values()))
    return total


def _fetch_address(run: _Fetch, group: Sequence[Download]) -> int:
    first = group[0]
    run.tell(f"fetching {', '.join(wanted.name for wanted in group)} from {without_secrets(first.url)}")
    remote = run.remote(first)
    if not first.member:
        return _fetch_file(run, first, remote)
    if first.by_range:
        try:
            reader = RangeFile(remote, run.tell)
        except NoRanges:
            run.tell(f"{without_secrets(first.url)}: the server offers no ranges; downloading the whole zip")
        else:
            with io.BufferedReader(reader, _BUFFER_BYTES) as content:
                return _extract(run, group, content)
    whole = run.destination / f".{_base_name(first.url)}"
    if not whole.is_file():
        download(remote, whole, run.tell, meter=run.meter)
    try:
        with whole.open("rb") as content:
            size = _extract(run, group, content)
    except BadInput:
        whole.unlink()
        raise
    whole.unlink()
    return size


def _fetch_file(run: _Fetch, wanted: Download, remote: Remote) -> int:
    target = run.destination / wanted.name
    known = run.locked.get(wanted.name)
    download(
        remote,
        target,
        run.tell,
        meter=run.meter,
        size=wanted.size or (known.size if known else 0),
        verify=lambda part: run.record(wanted, part, wanted.url),
    )
    return target.stat().st_size


def _base_name(url: str) -> str:
    return PurePosixPath(urlsplit(url).path).name or "download"


def _extract(run: _Fetch, group: Sequence[Download], content: IO[bytes]) -> int:
    """Take the members out of a zip, each checked by its CRC before it gets its name."""
    url = without_secrets(group[0].url)
    try:
        with opened_zip(content, url) as archive:
            return sum(_extract_member(run, archive, wanted) for wanted in group)
    except ZIP_DAMAGE as error:
        # a place before the file's first byte is the zip's fault; what else the system refuses is the destination's
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise
        raise BadInput(url, f"a damaged zip ({error})", "a zip", "run fetch again; try another --mirror") from None


def _extract_member(run: _Fetch, archive: zipfile.ZipFile, wanted: Download) -> int:
    entries = [entry for entry in archive.infolist() if PurePosixPath(entry.filename).name == wanted.member]
    if not entries:
        raise BadInput(
            without_secrets(wanted.url),
            f"no {wanted.member} in the zip",
            "that file",
            "the product has no tile of sea only; correct the definition's extent or files",
        )
    entry, most = entries[0], min(wanted.size or _MOST_MEMBER_BYTES, _MOST_MEMBER_BYTES)
    if entry.file_size > most:
        where = f"{without_secrets(wanted.url)}: {wanted.member}"
        raise BadInput(where, f"{entry.file_size} bytes", f"at most {most} bytes")
    target = run.destination / wanted.name
    part = target.with_name(f".{target.name}.part")
    try:
        with archive.open(entry) as member, part.open("wb") as file:
            while piece := member.read(_BUFFER_BYTES):
                if run.stop.is_set():
                    raise Stopped(wanted.url)
                file.write(piece)
                run.meter(target.name, file.tell(), entry.file_size)
        run.record(wanted, part, wanted.url)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return entry.file_size


# --- the destination ---------------------------------------------------------------------------------------------


@contextmanager
def _alone_in(destination: Path) -> Iterator[None]:
    """The destination, made if need be, for one run at a time; what the system refuses there is explained."""
    try:
        destination.mkdir(parents=True, exist_ok=True)
        folder = os.open(destination, os.O_RDONLY)
        try:
            _lock(folder, destination)
            yield
        finally:
            os.close(folder)
    except OSError as error:
        raise _explained(error, destination) from None


def _lock(folder: int, destination: Path) -> None:
    with suppress(OSError):  # not every file system has locks; where there is none, none is held
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadInput(
                str(destination), "another fetch at work", "one at a time", "wait for it, or name another folder"
            ) from None


def _explained(error: OSError, destination: Path) -> BadInput:
    where, reason = str(error.filename or destination), error.strerror or str(error)
    if error.errno in _NO_ROOM:
        remedy = "make room, or choose another destination; what has arrived is kept, and the next run goes on from it"
        return BadInput(where, reason, "room for the files", remedy)
    return BadInput(where, reason, "a folder that can be written to", "choose another destination")
