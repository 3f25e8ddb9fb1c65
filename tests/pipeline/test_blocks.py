"""Rasters in scratch files and the functions that work through them: the same values as arrays in memory."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.blocks import (
    BASE_BYTES,
    MOST_BLOCK_PIXELS,
    Block,
    Scratch,
    StoredArray,
    Uniform,
    block_pixels,
    row_blocks,
    shared_scratch,
    threads,
)
from pipeline.resources import bytes_of, open_resources
from schemas.errors import BadInput

SHAPE = (37, 53)


def values() -> np.ndarray:
    return np.random.default_rng(1).normal(size=SHAPE).astype(np.float32)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_rectangle_is_that_of_the_array(data):
    whole = values()
    stored = Scratch().array(SHAPE)
    stored[0 : SHAPE[0], 0 : SHAPE[1]] = whole
    window = tuple(
        slice(data.draw(st.integers(-2, size)), data.draw(st.integers(-2, size + 3)), data.draw(st.integers(1, 6)))
        for size in SHAPE
    )
    np.testing.assert_array_equal(stored[window], whole[window])


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_writing_a_rectangle_writes_it_alone(data):
    whole, stored = values(), Scratch().array(SHAPE)
    stored[0 : SHAPE[0], 0 : SHAPE[1]] = whole
    window = tuple(slice(*sorted((data.draw(st.integers(0, n)), data.draw(st.integers(0, n))))) for n in SHAPE)
    whole[window] = 7
    stored[window] = 7
    np.testing.assert_array_equal(np.asarray(stored), whole)
    assert np.asarray(stored, np.float64).dtype == np.float64


def test_small_rasters_stay_in_memory_as_long_as_the_allowance_lasts():
    scratch = Scratch(memory_bytes=2 * 4 * SHAPE[0] * SHAPE[1])
    assert isinstance(scratch.array(SHAPE), np.ndarray)
    assert isinstance(scratch.array(SHAPE, np.uint8), np.ndarray)
    assert isinstance(scratch.array(SHAPE), StoredArray)
    assert (np.asarray(scratch.array(SHAPE)) == 0).all()


def test_a_private_raster_leaves_no_file_and_cannot_be_sent(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    stored = Scratch().array(SHAPE)
    assert not list(tmp_path.iterdir())
    with pytest.raises(TypeError, match="private scratch file cannot be sent"):
        pickle.dumps(stored)


def test_a_shared_raster_can_be_sent_and_goes_with_its_folder():
    with shared_scratch() as scratch:
        stored = scratch.array(SHAPE)
        other = pickle.loads(pickle.dumps(stored))  # noqa: S301 - what was pickled here
        other[3:5, 0 : SHAPE[1]] = 4
        assert (stored[3:5, 10:20] == 4).all()
        folder = Path(stored.path).parent
        assert folder.exists()
    assert not folder.exists()


def test_a_full_disk_is_the_users_error(tmp_path):
    """The kernel's own limit on a file's size stands in for a full disk."""
    program = (
        "import resource, signal, numpy as np\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "from pipeline.blocks import Scratch\n"
        "from schemas.errors import BadInput\n"
        "stored = Scratch().array((100, 1000))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try:\n"
        "    stored[0:100, 0:1000] = 1\n"
        "except BadInput as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "scratch folder" in done.stdout
    assert "expected room for the rasters of the run; set TMPDIR to a larger disk" in done.stdout


def test_uniform_is_the_same_everywhere():
    raster = Uniform(SHAPE, np.dtype(np.uint8), 3)
    assert raster[2:5, 7:99:2].shape == (3, 23)
    assert (np.asarray(raster) == 3).all()


@given(st.integers(1, 400), st.integers(1, 3000), st.integers(1, 10**6))
def test_blocks_cover_every_row_once(rows, columns, pixels):
    blocks = row_blocks((rows, columns), pixels)
    assert [row for block in blocks for row in range(block.start, block.stop)] == list(range(rows))
    assert all((block.stop - block.start) * columns <= max(pixels, 8 * columns) for block in blocks)


def test_a_block_is_widened_within_the_raster():
    assert Block(0, 5).widened(2, 100) == slice(0, 7)
    assert Block(95, 100).widened(2, 100) == slice(93, 100)


def test_results_come_in_the_order_of_the_items():
    gate = threading.Event()

    def slow_first(item: int) -> int:
        if item == 0:
            gate.wait(5)
        elif item == 1:
            gate.set()
        return item

    with threads(2) as runner:
        assert list(runner.map(slow_first, range(20))) == list(range(20))


def test_few_items_wait_however_many_there_are():
    """Items are asked for as results are taken, so that a long list needs no memory."""
    asked = []

    def items():
        for number in range(1000):
            asked.append(number)
            yield number

    with threads(2) as runner:
        results = runner.map(lambda item: item, items())
        assert next(results) == 0
        assert len(asked) <= 2 * 3 + 1


def test_an_error_ends_the_run():
    done = []

    def fail_at_five(item: int) -> None:
        if item == 5:
            raise BadInput("block", "five", "no five")
        done.append(item)

    with threads(1) as runner, pytest.raises(BadInput, match="block: found five"):
        runner.run(fail_at_five, range(1000))
    assert len(done) < 20


@pytest.mark.parametrize(
    ("text", "expected"), [("400MB", 400_000_000), ("1GB", 10**9), ("1.5 g", 1_500_000_000), ("123456789", 123_456_789)]
)
def test_sizes_of_memory(text, expected):
    assert bytes_of(text) == expected


@pytest.mark.parametrize("text", ["much", "-1GB", "", "1PB", "GB"])
def test_no_size_of_memory(text):
    with pytest.raises(BadInput, match="expected a size, as 400MB or 2GB"):
        bytes_of(text)


def test_less_memory_than_the_libraries_take_is_refused():
    with (
        pytest.raises(BadInput, match=r"memory: found 100 MB; expected at least \d+ MB; say it with a unit"),
        open_resources(memory_bytes=10**8),
    ):
        pass


def test_blocks_get_smaller_with_the_memory_and_do_not_grow_without_end():
    assert block_pixels(BASE_BYTES + 10**8) < block_pixels(BASE_BYTES + 2 * 10**8) <= block_pixels(10**12)
    assert block_pixels(10**12) == MOST_BLOCK_PIXELS


def test_reading_a_stored_raster_takes_no_memory():
    """The file is read, not mapped: the process grows by what it asks for."""
    program = (
        "import resource, numpy as np\n"
        "from pipeline.blocks import Scratch\n"
        "stored = Scratch().array((20_000, 5_000))\n"
        "line = np.ones((200, 5_000), np.float32)\n"
        "for row in range(0, 20_000, 200): stored[row:row + 200, 0:5_000] = line\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "total = sum(float(stored[row:row + 200, 0:5_000].sum()) for row in range(0, 20_000, 200))\n"
        "assert total == 1e8\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 40_000  # kB, of a raster of 400 MB
