"""Rasters larger than the memory: arrays kept in scratch files, worked through in blocks of whole rows.

A block function takes a block and returns something small, or writes its part of a stored array. Threads on this
machine and the workers of a Dask cluster run the same functions, so a result does not depend on who computed it.
"""

from __future__ import annotations

import os
import tempfile
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from pipeline.scratch_folders import scratch_folder
from schemas.errors import BadInput

Item = TypeVar("Item")
Result = TypeVar("Result")
Window = tuple[slice, slice]
AnyArray = NDArray[Any]

DEFAULT_MEMORY_BYTES = 1_000_000_000
# what Python and the libraries take before the first pixel
BASE_BYTES = 260_000_000
# temporary arrays of the hungriest block function, for each pixel of a block, with two blocks at work
BYTES_PER_BLOCK_PIXEL = 320
FEWEST_BLOCK_PIXELS, MOST_BLOCK_PIXELS = 65_536, 786_432
# beyond the blocks being computed, so many wait for a worker: enough to keep it busy, few enough to hold in memory
WAITING_PER_WORKER = 2


class Raster(Protocol):
    """Anything that gives a rectangle of pixels: a NumPy array or a ``StoredArray``; ``np.asarray`` takes it whole."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> np.dtype[Any]: ...

    def __getitem__(self, window: Window, /) -> AnyArray: ...

    def __array__(self, dtype: Any = None, /) -> AnyArray: ...


class WritableRaster(Raster, Protocol):
    """A raster whose rectangles can be written."""

    def __setitem__(self, window: Window, values: Any, /) -> None: ...


class StoredArray:
    """A (rows, columns) array in a file, row by row; rectangles are read and written, never mapped into memory.

    With a path it can be sent to another process that sees the same file. Without one it lies in a file that has no
    name, so that nothing is left behind, however the process ends.
    """

    def __init__(self, path: Path | None, shape: tuple[int, int], dtype: DTypeLike) -> None:
        self.path, self.shape, self.dtype = path, shape, np.dtype(dtype)
        self._open()

    def _open(self) -> None:
        if self.path is None:
            with tempfile.TemporaryFile(buffering=0) as file:
                self._file = os.dup(file.fileno())
        else:
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        self._closing = weakref.finalize(self, os.close, self._file)
        if os.fstat(self._file).st_size == 0:
            os.ftruncate(self._file, prod(self.shape) * self.dtype.itemsize)

    def __getstate__(self) -> tuple[Path, tuple[int, int], np.dtype[Any]]:
        if self.path is None:
            raise TypeError("an array in a private scratch file cannot be sent to another process")
        return self.path, self.shape, self.dtype

    def __setstate__(self, state: tuple[Path, tuple[int, int], np.dtype[Any]]) -> None:
        self.path, self.shape, self.dtype = state
        self._open()

    def _offset(self, row: int, column: int = 0) -> int:
        return (row * self.shape[1] + column) * self.dtype.itemsize

    def __getitem__(self, window: Window) -> AnyArray:
        """The pixels of (rows, columns), slices with a positive step."""
        rows, columns = (range(*part.indices(size)) for part, size in zip(window, self.shape, strict=True))
        if len(rows) == 0 or len(columns) == 0:
            return np.empty((len(rows), len(columns)), self.dtype)
        first, last = columns[0], columns[-1] + 1
        if rows.step == 1 and last - first == self.shape[1]:
            whole = np.empty((len(rows), self.shape[1]), self.dtype)
            self._read(whole, self._offset(rows[0]))
        else:
            whole = np.empty((len(rows), last - first), self.dtype)
            for line, row in zip(whole, rows, strict=True):
                self._read(line, self._offset(row, first))
        return whole if columns.step == 1 else np.ascontiguousarray(whole[:, :: columns.step])

    def _read(self, target: AnyArray, offset: int) -> None:
        view = memoryview(target.data).cast("B")
        done = 0
        while done < len(view):
            read = os.preadv(self._file, [view[done:]], offset + done)
            if read == 0:
                raise EOFError(f"a scratch file is shorter than its shape {self.shape} says")
            done += read

    def __setitem__(self, window: Window, values: AnyArray | float) -> None:
        """Write the pixels of (rows, columns), slices with step 1."""
        rows, columns = (range(*part.indices(size)) for part, size in zip(window, self.shape, strict=True))
        block = np.ascontiguousarray(np.broadcast_to(values, (len(rows), len(columns))), dtype=self.dtype)
        if block.size == 0:
            return
        if len(columns) == self.shape[1]:
            self._write(block, self._offset(rows[0]))
        else:
            for line, row in zip(block, rows, strict=True):
                self._write(line, self._offset(row, columns[0]))

    def _write(self, block: AnyArray, offset: int) -> None:
        view = memoryview(block.data).cast("B")
        done = 0
        while done < len(view):
            try:
                done += os.pwrite(self._file, view[done:], offset + done)
            except OSError as error:
                raise BadInput(
                    f"scratch folder {tempfile.gettempdir()}", error.strerror or str(error),
                    "room for the rasters of the run", "set TMPDIR to a larger disk",
                ) from None  # fmt: skip

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> AnyArray:
        whole = self[:, :]
        return whole if dtype is None else whole.astype(dtype, copy=False)


@dataclass(frozen=True)
class Uniform:
    """A raster of one value everywhere."""

    shape: tuple[int, int]
    dtype: np.dtype[Any]
    value: float

    def __getitem__(self, window: Window) -> AnyArray:
        rows, columns = (len(range(*part.indices(size))) for part, size in zip(window, self.shape, strict=True))
        return np.full((rows, columns), self.value, self.dtype)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> AnyArray:
        return np.full(self.shape, self.value, dtype or self.dtype)


class Scratch:
    """Where a run keeps its rasters: in memory as long as its allowance lasts, then in files without a name.

    Parameters
    ----------
    memory_bytes : allowance for arrays in memory.
    folder : with a folder every array is a named file there, which other processes can open.
    """

    def __init__(self, memory_bytes: int = 0, folder: Path | None = None) -> None:
        self._left = memory_bytes
        self._folder = folder
        self._count = 0

    def array(self, shape: tuple[int, int], dtype: DTypeLike = np.float32) -> WritableRaster:
        """A new array of zeros.

        Parameters
        ----------
        shape : (rows, columns).
        dtype : of the pixels.

        Returns
        -------
        a NumPy array while the allowance lasts, then a ``StoredArray``; both are written and read by rectangles.
        """
        size = prod(shape) * np.dtype(dtype).itemsize
        if self._folder is not None:
            self._count += 1
            return StoredArray(self._folder / f"{os.getpid()}-{id(self)}-{self._count}", shape, dtype)
        if size <= self._left:
            self._left -= size
            return np.zeros(shape, dtype)
        return StoredArray(None, shape, dtype)


@contextmanager
def shared_scratch() -> Iterator[Scratch]:
    """A scratch folder (below TMPDIR) that other processes can read; what it holds must not be used afterwards."""
    with scratch_folder() as folder:
        yield Scratch(folder=folder)


@dataclass(frozen=True)
class Block:
    """Whole rows of a raster, from ``start`` up to but not including ``stop``."""

    start: int
    stop: int

    @property
    def rows(self) -> slice:
        return slice(self.start, self.stop)

    def widened(self, by: int, most: int) -> slice:
        """The rows with ``by`` more on either side, as far as a raster of ``most`` rows has them.

        Parameters
        ----------
        by : rows that are added on either side.
        most : rows of the raster.
        """
        return slice(max(0, self.start - by), min(most, self.stop + by))


def row_blocks(shape: tuple[int, int], pixels: int) -> list[Block]:
    """Blocks of at most ``pixels`` pixels (but at least 8 rows) that cover a raster, from the north.

    Parameters
    ----------
    shape : (rows, columns) of the raster.
    pixels : the most that a block holds.

    Example
    -------
    >>> [(block.start, block.stop) for block in row_blocks((20, 100), 1000)]
    [(0, 10), (10, 20)]
    """
    rows = max(8, pixels // shape[1])
    return [Block(start, min(start + rows, shape[0])) for start in range(0, shape[0], rows)]


def block_pixels(memory_bytes: int) -> int:
    """How many pixels a block may have so that a run stays within its memory; independent of the number of workers.

    Parameters
    ----------
    memory_bytes : what the whole run may take, libraries included.

    Errors
    ------
    BadInput : less memory than the libraries alone take.
    """
    room = memory_bytes - BASE_BYTES
    if room < FEWEST_BLOCK_PIXELS * BYTES_PER_BLOCK_PIXEL:
        least = (BASE_BYTES + FEWEST_BLOCK_PIXELS * BYTES_PER_BLOCK_PIXEL) / 1e6
        size = f"{memory_bytes / 1e6:.0f} MB" if memory_bytes >= 1e6 else f"{memory_bytes} bytes"
        raise BadInput("memory", size, f"at least {least:.0f} MB", "say it with a unit, as 400MB or 1GB")
    return min(MOST_BLOCK_PIXELS, room // BYTES_PER_BLOCK_PIXEL)


class Runner:
    """Runs a function over many items, several at a time, and gives the results in the order of the items.

    Parameters
    ----------
    executor : threads, or the executor of a Dask client.
    workers : how many run at once; a few more wait, so that memory stays bounded however many items there are.
    """

    def __init__(self, executor: Executor, workers: int) -> None:
        self._executor, self._workers = executor, workers

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """``function`` of every item, in order; an error ends it and drops what still waits.

        Parameters
        ----------
        function : of one item; on a cluster it is pickled.
        items : as many as there are; few are taken ahead of the results.
        """
        waiting: deque[Future[Result]] = deque()
        try:
            for item in items:
                waiting.append(self.submit(function, item))
                if len(waiting) >= self._workers * (1 + WAITING_PER_WORKER):
                    yield self.result(waiting.popleft())
            while waiting:
                yield self.result(waiting.popleft())
        finally:
            for future in waiting:
                future.cancel()

    def submit(self, function: Callable[[Item], Result], item: Item) -> Future[Result]:
        """Hand an item to whoever computes it."""
        return self._executor.submit(function, item)

    def result(self, future: Future[Result]) -> Result:
        """Wait for what was handed on."""
        return future.result()

    def run(self, function: Callable[[Item], object], items: Iterable[Item]) -> None:
        """``function`` of every item, for what it writes.

        Parameters
        ----------
        function, items : as ``map`` takes them.
        """
        for _ in self.map(function, items):
            pass


@contextmanager
def threads(workers: int = 2) -> Iterator[Runner]:
    """A runner on this machine.

    Parameters
    ----------
    workers : threads that work at once.
    """
    pool = ThreadPoolExecutor(workers)
    try:
        yield Runner(pool, workers)
    finally:
        # after an error nobody waits for what is still being computed
        pool.shutdown(wait=False, cancel_futures=True)
