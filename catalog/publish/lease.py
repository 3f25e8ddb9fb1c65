"""A lease over a place in a bucket: one publication at a time, and a killed one bars the next for minutes only."""

from __future__ import annotations

import json
import re
import secrets
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from catalog.archive import held_lock
from schemas.errors import BadInput, FailedCheck

with suppress(ModuleNotFoundError):  # an extra of its own: `open_destination` says so
    import obstore
    from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError
    from obstore.store import S3Store

LOCK_JSON = ".glacier-publishing.lock"
LEASE = timedelta(minutes=2)


_HOLDER = re.compile(r"[0-9a-f]{32}")


def _local(holder: str) -> Path:
    """The lock that a publication holds on its own machine; the kernel ends it with the process."""
    return Path(tempfile.gettempdir(), f"glacier-archive-lease-{holder}")


class Lease:
    """The object that says that a publication is at work; it is renewed while that lives, and ends by itself.

    Its age is the store's time since it was last written; one whose publication was killed on this machine has ended
    at once, as a lock held here beside it tells. The store makes it only where none stands (``If-None-Match``)
    and replaces an ended one only while it is the one that was seen (``If-Match``).
    """

    def __init__(self, store: S3Store, name: str) -> None:
        self._store, self._name = store, name
        self._holder = secrets.token_hex(16)
        self._lost = threading.Event()
        self._done = threading.Event()

    def take(self) -> None:
        """Make the object ours.

        Errors
        ------
        BadInput : another publication holds it, and its lease has not ended.
        """
        try:
            obstore.put(self._store, LOCK_JSON, self._content(), mode="create")
            return
        except AlreadyExistsError:
            if self._is_ours():  # stored by a request whose answer was lost
                return
        stored = obstore.head(self._store, LOCK_JSON)
        ends_in = LEASE - (datetime.now(UTC) - stored["last_modified"])
        if ends_in > timedelta(0) and not self._was_killed_here():
            raise self._busy(f"whose lease ends in {ends_in.total_seconds():.0f} s")
        try:
            obstore.put(self._store, LOCK_JSON, self._content(), mode={"e_tag": stored["e_tag"] or ""})
        except PreconditionError:
            if not self._is_ours():
                raise self._busy("which has just begun") from None

    def require(self) -> None:
        """Stop where the lease was lost: another publication has begun meanwhile.

        Errors
        ------
        FailedCheck : as said.
        """
        if self._lost.is_set() or not self._is_ours():
            raise FailedCheck(
                self._name, "another publication, begun while this one kept silent", "one at a time", "publish again"
            )

    @contextmanager
    def renewed(self) -> Iterator[None]:
        """Within it the lease is renewed by a thread; then its object is removed."""
        renewing = threading.Thread(target=self._renew, daemon=True)
        renewing.start()
        try:
            with held_lock(_local(self._holder), self._busy):
                yield
        finally:
            self._done.set()
            renewing.join()
            with suppress(BaseError):  # one that cannot be removed ends by itself
                if self._is_ours():
                    obstore.delete(self._store, LOCK_JSON)

    def _renew(self) -> None:
        while not self._done.wait(LEASE.total_seconds() / 5):
            with suppress(BaseError):  # passing trouble: asked again at the next turn
                if not self._is_ours():
                    self._lost.set()
                    return
                obstore.put(self._store, LOCK_JSON, self._content())

    def _is_ours(self) -> bool:
        try:
            stored = bytes(obstore.get(self._store, LOCK_JSON).bytes())
        except FileNotFoundError:
            return False
        return stored == self._content()

    def _was_killed_here(self) -> bool:
        """Whether who holds the lease held a lock of its name on this machine, and holds it no more."""
        try:
            stored = json.loads(bytes(obstore.get(self._store, LOCK_JSON).bytes()))
        except (FileNotFoundError, ValueError, RecursionError):
            return False
        holder = stored.get("holder") if isinstance(stored, dict) else None
        if not isinstance(holder, str) or not _HOLDER.fullmatch(holder) or not _local(holder).is_file():
            return False
        with suppress(BadInput), held_lock(_local(holder), self._busy):
            return True
        return False

    def _content(self) -> bytes:
        return (json.dumps({"note": "publication under way", "holder": self._holder}) + "\n").encode()

    def _busy(self, since: str) -> BadInput:
        return BadInput(
            self._name,
            f"another publication at work, {since}",
            "one at a time",
            "wait until it has ended; what a killed one leaves ends by itself",
        )
