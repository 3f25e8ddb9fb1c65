"""HTTP connections that end by themselves where the other side does not go on: nobody keeps others from reading."""

from __future__ import annotations

import asyncio
import resource

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# a request of a reader has some 500 bytes, and comes at once
MOST_REQUEST_BYTES = 64_000
SECONDS_FOR_A_REQUEST = 10.0
# of a reader that takes nothing of what is sent to it
SECONDS_OF_STANDSTILL = 60.0
# beyond them the one that has waited longest without a request goes
MOST_CONNECTIONS = 1_000


class GuardedProtocol(HttpToolsProtocol):
    """One connection: bounded in the time and size of a request, and in how long its reader may stand still."""

    _awaited: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None
    _bytes = 0
    _head_bytes = 0
    _in_request = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._await_request()
        if len(self.connections) > MOST_CONNECTIONS:
            waiting = [one for one in self.connections if isinstance(one, GuardedProtocol) and one._awaited]
            min(waiting, key=lambda one: one._awaited.when() if one._awaited else 0.0).transport.abort()

    def data_received(self, data: bytes) -> None:
        self._bytes += len(data)
        super().data_received(data)
        if self._in_request and self._bytes > MOST_REQUEST_BYTES and not self.transport.is_closing():
            self.send_400_response("Request too large.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_request, self._head_bytes = True, 0
        self._await_request()

    def on_url(self, url: bytes) -> None:
        self._head_bytes += len(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_bytes += len(name) + len(value)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._head_bytes > MOST_REQUEST_BYTES:
            self.send_400_response("Request too large.")
        elif not self.transport.is_closing():
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_request, self._bytes = False, 0
        self._cancel_awaited()
        super().on_message_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled = self._stalled or self.loop.call_later(SECONDS_OF_STANDSTILL, self.transport.abort)

    def resume_writing(self) -> None:
        self._cancel_stalled()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_awaited()
        self._cancel_stalled()
        super().connection_lost(exc)

    def _await_request(self) -> None:
        self._awaited = self._awaited or self.loop.call_later(SECONDS_FOR_A_REQUEST, self.transport.abort)

    def _cancel_awaited(self) -> None:
        if self._awaited is not None:
            self._awaited.cancel()
            self._awaited = None

    def _cancel_stalled(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None


def allow_many_files() -> None:
    """Ask the system for as many open files as connections and rasters need, as far as it lets this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * MOST_CONNECTIONS + 500
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
