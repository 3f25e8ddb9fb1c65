"""Where an archive can be published to: a folder, or a prefix of an S3-compatible bucket."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from catalog.archive import ListedFile, cache_rule, held_lock, media_type_of, sha256_of
from catalog.publish.lease import LOCK_JSON, Lease
from pipeline.patience import Patience
from schemas.errors import BadInput, FailedCheck
from schemas.inside import lies_inside

try:
    import obstore
    from obstore.exceptions import BaseError
    from obstore.store import S3Store
except ModuleNotFoundError:  # an extra of its own: a folder needs none of it
    STORES_ARE_THERE = False
else:
    STORES_ARE_THERE = True

if TYPE_CHECKING:  # these exist for the type checker only
    from obstore.store import RetryConfig, S3Config

PART_BYTES = 16 << 20
_PART_SUFFIX = ".glacier-part"
_CREDENTIALS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_SKIP_SIGNATURE",
)
_LONGEST_TROUBLE = timedelta(seconds=60)
PATIENCE = Patience(first_wait_s=0.2, longest_wait_s=5.0)


class Destination(Protocol):
    """What publication needs of the place it writes to; paths are relative to it, with forward slashes."""

    name: str

    def is_empty(self) -> bool: ...
    def alone(self) -> AbstractContextManager[Callable[[], None]]: ...
    def read(self, path: str) -> bytes | None: ...
    def fetch(self, path: str, to: Path) -> bool: ...
    def stands(self, file: ListedFile) -> bool: ...
    def holds(self, source: Path, file: ListedFile) -> bool: ...
    def put(self, source: Path, file: ListedFile) -> None: ...
    def write(self, path: str, content: bytes) -> None: ...
    def copy(self, path: str, to: str) -> bool: ...
    def delete(self, path: str) -> None: ...


def open_destination(destination: str, endpoint_url: str | None = None) -> Destination:
    """The destination that a path or an ``s3://bucket/prefix`` names.

    Errors
    ------
    BadInput : no bucket in the address, no library for buckets, another scheme, an endpoint for a folder, no
        credentials, an endpoint that is plain http without having been given explicitly.
    """
    if destination.startswith("s3://"):
        if not STORES_ARE_THERE:
            remedy = "pip install 'glacier-archive[s3]'"
            raise BadInput(destination, "a bucket, and not the library for buckets", "obstore", remedy)
        return BucketDestination(destination, endpoint_url)
    if "://" in destination:
        scheme = destination.partition("://")[0]
        raise BadInput(destination, f"scheme {scheme!r}", "a folder or s3://bucket/prefix", "publish to one of these")
    if endpoint_url:
        raise BadInput(destination, f"a folder and the endpoint {endpoint_url}", "an endpoint only with s3://")
    return FolderDestination(Path(destination))


class FolderDestination:
    """A folder; every file is written beside its place and moved there by one rename."""

    def __init__(self, root: Path) -> None:
        self.root, self.name = root.resolve(), str(root)
        if root.exists() and not root.is_dir():
            raise BadInput(str(root), "a file", "a folder, or nothing", "choose another destination")
        if not root.exists() and not self.root.parent.is_dir():
            raise BadInput(str(self.root.parent), "no such folder", "a folder to publish into", "create it first")

    def is_empty(self) -> bool:
        """Whether nothing stands there; what a killed publication left half written is nothing."""
        return not self.root.exists() or all(
            path.name.endswith(_PART_SUFFIX) or path.name == LOCK_JSON for path in self.root.iterdir()
        )

    @contextmanager
    def alone(self) -> Iterator[Callable[[], None]]:
        """The folder for one publication at a time, made if need be; the kernel ends the lock of a killed one."""

        def busy(holder: str) -> BadInput:
            return BadInput(
                self.name,
                f"another publication at work (process {holder})",
                "one at a time",
                "wait until it has ended",
            )

        stood = self.root.exists()
        try:
            with ExitStack() as held:
                with self._explained(LOCK_JSON):
                    self.root.mkdir(exist_ok=True)
                    held.enter_context(held_lock(self.root / LOCK_JSON, busy))
                    self._remove_parts()
                yield lambda: None
        finally:
            if not stood:
                with suppress(OSError):  # it holds what was published, or nothing
                    self.root.rmdir()

    def read(self, path: str) -> bytes | None:
        with self._explained(path):
            place = self._place(path)
            return place.read_bytes() if place.is_file() else None

    def fetch(self, path: str, to: Path) -> bool:
        """Copy a file to this machine; False where it is not there."""
        with self._explained(path):
            place = self._place(path)
            if place.is_symlink() or not place.is_file():
                return False
            shutil.copyfile(place, to)
            return True

    def stands(self, file: ListedFile) -> bool:
        """Whether the file stands there with this size and sha256; read, not trusted."""
        return self.holds(Path(), file)

    def holds(self, source: Path, file: ListedFile) -> bool:
        """Whether the file stands there with the manifest's size and sha256; read, not trusted."""
        with self._explained(file.path):
            place = self._place(file.path)
            if place.is_symlink() or not place.is_file() or place.stat().st_size != file.size:
                return False
            return sha256_of(place) == file.sha256

    def put(self, source: Path, file: ListedFile) -> None:
        """Copy, read the copy back, and only then give it its name."""
        with self._explained(file.path):
            part = self._part(file.path)
            shutil.copyfile(source, part)
            with part.open("rb") as written:
                os.fsync(written.fileno())
            stored_sha256 = sha256_of(part)
            if stored_sha256 != file.sha256:
                part.unlink()
                raise wrong_copy(f"{self.name}/{file.path}", stored_sha256, file.sha256)
            part.replace(self._place(file.path))

    def write(self, path: str, content: bytes) -> None:
        with self._explained(path):
            part = self._part(path)
            with part.open("wb") as written:
                written.write(content)
                written.flush()
                os.fsync(written.fileno())
            part.replace(self._place(path))

    def copy(self, path: str, to: str) -> bool:
        """Give a file a second name; False where it is not there.

        Files are replaced here and never written into, so that both names may share the bytes; where the file system
        knows no second names they are copied.
        """
        with self._explained(to):
            source = self._place(path)
            if source.is_symlink() or not source.is_file():
                return False
            part = self._part(to)
            try:
                os.link(source, part)
            except OSError:
                shutil.copyfile(source, part)
            place = self._place(to)
            if place.exists() and place.samefile(part):
                part.unlink()  # renaming one name of a file to another name of it does nothing
            else:
                part.replace(place)
            return True

    def delete(self, path: str) -> None:
        """Remove a file, and the folders that it leaves empty."""
        with self._explained(path):
            place = self._place(path)
            place.unlink(missing_ok=True)
            for folder in place.parents:
                if folder == self.root or not folder.is_dir() or next(folder.iterdir(), None) is not None:
                    break
                folder.rmdir()

    def _remove_parts(self) -> None:
        """What a killed publication was writing; nobody else writes now."""
        for part in self.root.rglob(f".*{_PART_SUFFIX}"):
            if part.is_file() and not part.is_symlink():
                part.unlink()

    def _part(self, path: str) -> Path:
        place = self._place(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        part = place.with_name(f".{place.name}{_PART_SUFFIX}")
        part.unlink(missing_ok=True)  # of a run that was killed
        return part

    def _place(self, path: str) -> Path:
        place = self.root / path
        if not lies_inside(place.parent, self.root):
            raise BadInput(
                str(place), "a symbolic link that leads out of the destination", "folders", "remove the link first"
            )
        return place

    @contextmanager
    def _explained(self, path: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = error.strerror or str(error)
            raise BadInput(
                f"{self.name}/{path}", reason, "a place that can be written to", "nothing published before was removed"
            ) from None


def _retries(patience: Patience) -> RetryConfig:
    """The patience in the words of the library that speaks to the store."""
    first, longest = timedelta(seconds=patience.first_wait_s), timedelta(seconds=patience.longest_wait_s)
    return {
        "max_retries": patience.attempts - 1,
        "retry_timeout": _LONGEST_TROUBLE,
        "backoff": {"init_backoff": first, "max_backoff": longest, "base": 2},
    }


class BucketDestination:
    """A prefix of an S3-compatible bucket.

    Uploads carry media type, cache rule and sha256. The store checks each part against the sha256 sent with it, and
    what it stored is compared by its ETag or, where the ETag is no MD5 (encrypted buckets), read back.
    Credentials, region and session token come from the usual ``AWS_`` environment variables.
    """

    def __init__(self, address: str, endpoint_url: str | None) -> None:
        parts = urlsplit(address)
        prefix = parts.path.strip("/")
        if not parts.netloc:
            raise BadInput(address, "no bucket", "s3://bucket/prefix")
        self.name = f"s3://{parts.netloc}" + (f"/{prefix}" if prefix else "")
        self._where = f"{self.name} at {endpoint_url}" if endpoint_url else self.name
        _require_access(self.name, endpoint_url)
        config: S3Config = {"checksum_algorithm": "sha256"}
        if endpoint_url:
            config["endpoint"] = endpoint_url
        with self._explained(""):
            self._store = S3Store(
                parts.netloc,
                prefix=prefix or None,
                config=config,
                client_options={"allow_http": bool(endpoint_url), "timeout": "120s", "connect_timeout": "10s"},
                retry_config=_retries(PATIENCE),
            )

    def is_empty(self) -> bool:
        with self._explained(""):
            pages = obstore.list(self._store, chunk_size=2)
            return all(entry["path"].rpartition("/")[2] == LOCK_JSON for entry in next(iter(pages), ()))

    def read(self, path: str) -> bytes | None:
        with self._explained(path):
            try:
                return bytes(obstore.get(self._store, path).bytes())
            except FileNotFoundError:
                return None

    @contextmanager
    def alone(self) -> Iterator[Callable[[], None]]:
        """The place for one publication at a time; gives what finds out whether it still is."""
        lease = Lease(self._store, self.name)
        with self._explained(LOCK_JSON):
            lease.take()

        def require() -> None:
            with self._explained(LOCK_JSON):
                lease.require()

        with lease.renewed():
            yield require

    def fetch(self, path: str, to: Path) -> bool:
        with self._explained(path), to.open("wb") as file:
            try:
                for piece in obstore.get(self._store, path).stream():
                    file.write(piece)
            except FileNotFoundError:
                return False
            return True

    def stands(self, file: ListedFile) -> bool:
        """Whether the object is there with this size and sha256: as set when it was uploaded, or read back."""
        with self._explained(file.path):
            try:
                stored = obstore.get(self._store, file.path, options={"head": True})
            except FileNotFoundError:
                return False
            stated = dict(stored.attributes).get("sha256")
            return stored.meta["size"] == file.size and (stated or self._sha256_of(file.path)) == file.sha256

    def holds(self, source: Path, file: ListedFile) -> bool:
        """Whether the object is there with this size, sha256 (set when uploaded), media type and cache rule."""
        with self._explained(file.path):
            try:
                stored = obstore.get(self._store, file.path, options={"head": True})
            except FileNotFoundError:
                return False
            return stored.meta["size"] == file.size and dict(stored.attributes) == _attributes(file)

    def put(self, source: Path, file: ListedFile) -> None:
        self._upload(file, source)
        with self._explained(file.path):
            stored = obstore.head(self._store, file.path)
            if etag_matches(stored["e_tag"], source):
                return
            stored_sha256 = self._sha256_of(file.path)
            if stored_sha256 != file.sha256:
                # it claims a sha256 that it does not have; left there, the next run would take it for published
                obstore.delete(self._store, file.path)
                raise wrong_copy(f"{self.name}/{file.path}", stored_sha256, file.sha256)

    def write(self, path: str, content: bytes) -> None:
        self._upload(ListedFile(path, len(content), hashlib.sha256(content).hexdigest()), content)

    def copy(self, path: str, to: str) -> bool:
        """Have the store copy an object with its attributes; False where it is not there.

        A store copies at most 5 GB in one request.
        """
        with self._explained(to):
            try:
                obstore.copy(self._store, path, to)
            except FileNotFoundError:
                return False
            return True

    def delete(self, path: str) -> None:
        with self._explained(path):
            obstore.delete(self._store, path)

    def _upload(self, file: ListedFile, source: Path | bytes) -> None:
        with self._explained(file.path):
            obstore.put(
                self._store,
                file.path,
                source,
                attributes=_attributes(file),
                chunk_size=PART_BYTES,
                use_multipart=file.size > PART_BYTES,
                max_concurrency=4,
            )

    def _sha256_of(self, path: str) -> str:
        digest = hashlib.sha256()
        for piece in obstore.get(self._store, path).stream():
            digest.update(piece)
        return digest.hexdigest()

    @contextmanager
    def _explained(self, path: str) -> Iterator[None]:
        where = f"{self._where}, {path}" if path else self._where
        try:
            yield
        except (BaseError, FileNotFoundError, ValueError) as error:
            raise _explain(where, error) from None


def etag_matches(etag: str | None, source: Path) -> bool:
    """Whether an ETag proves that the file's bytes were stored, uploaded in parts of ``PART_BYTES``.

    S3 gives the MD5 of the bytes, or for parts the MD5 of the parts' MD5s and their number. False proves nothing: the
    ETag of an encrypted object looks the same and is no MD5.
    """
    parts = []
    with source.open("rb") as file:
        while piece := file.read(PART_BYTES):
            parts.append(hashlib.md5(piece, usedforsecurity=False))
    if len(parts) > 1:
        joined = hashlib.md5(b"".join(part.digest() for part in parts), usedforsecurity=False).hexdigest()
        expected = f"{joined}-{len(parts)}"
    else:
        expected = (parts[0] if parts else hashlib.md5(usedforsecurity=False)).hexdigest()
    return (etag or "").strip('"') == expected


def wrong_copy(where: str, stored: str, expected: str) -> FailedCheck:
    """What to say when what arrived is not what was sent."""
    return FailedCheck(where, f"sha256 {stored}", f"sha256 {expected}", "publish again; check the disk or the network")


def _attributes(file: ListedFile) -> dict[str, str]:
    return {
        "Content-Type": media_type_of(file.path),
        "Cache-Control": cache_rule(file.path),
        "sha256": file.sha256,
    }


def _require_access(name: str, endpoint_url: str | None) -> None:
    """Say what is missing before anything is asked: without credentials the library would look for a cloud machine."""
    if not any(os.environ.get(variable) for variable in _CREDENTIALS):
        raise BadInput(
            name,
            "no credentials in the environment",
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            "set them (and AWS_SESSION_TOKEN, AWS_REGION where needed)",
        )
    if endpoint_url and urlsplit(endpoint_url).scheme not in ("http", "https"):
        raise BadInput(f"endpoint {endpoint_url}", "no http or https address", "https://host[:port]")
    for variable in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"):
        if not endpoint_url and os.environ.get(variable, "").startswith("http://"):
            raise BadInput(
                variable,
                f"the unencrypted address {os.environ[variable]}",
                "https",
                "give it with --endpoint-url if this is meant",
            )


def _explain(where: str, error: Exception) -> BadInput:
    text = str(error)
    status = next(iter(re.findall(r"non-2xx status code: (\d{3} [A-Z][A-Za-z ]*)", text)), "")
    code = next(iter(re.findall(r"<Code>(\w+)</Code>", text)), "")
    answer = f"{status.strip()} ({code})" if status and code else status.strip() or code
    if code == "NoSuchBucket" or status.startswith("404"):
        return BadInput(where, answer or "404 Not Found", "an existing bucket", "create it, or correct its name")
    if status.startswith(("401", "403")):
        return BadInput(where, answer, "leave to list, read and write", "check the credentials and the bucket's policy")
    if "error sending request" in text or "kind: Connect" in text:
        return BadInput(where, "no connection", "an answer from the store", "check endpoint and network; publish again")
    first = text.partition("\n")[0].strip()
    return BadInput(where, answer or first, "success", "publish again: what arrived is not sent twice")
