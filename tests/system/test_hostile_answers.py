"""Servers that answer as none should, met by `fetch`: a clear refusal or the file, in bounded time, memory and disk."""

from __future__ import annotations

import re
import shutil
import tracemalloc
from pathlib import Path

import httpx
import pytest

from catalog.fetch import downloads, fetch
from catalog.fetch.fetch import LOCK_TOML, Download, run_fetch
from pipeline.patience import Patience
from schemas.errors import ArchiveError
from tests.system.hostile.examine import problems_of_message
from tests.system.hostile.server_answers import FILE, Answer, answer, answering, drawn, endless, in_turn, swollen

# seeds drawn by the quick tests; the slow ones draw the rest of them all
QUICK, ALL = 40, 400
MEMBER = "N43E086_FABDEM_V1-2.tif"
MOST_BYTES = 30_000_000


def fetched(make: Answer, folder: Path, *, member: str = "", checksums: bool = False, size: int = 0) -> str:
    """What is wrong with the way a fetch ends; its refusal after a blank where nothing is; empty where it succeeds."""
    with (
        answering(make) as address,
        httpx.Client(timeout=2.0, trust_env=False) as client,
    ):
        name = member or "file.bin"
        plan = [
            Download(
                name=name, url=f"{address}/file.bin", licence="CC0-1.0", member=member, by_range=bool(member), size=size
            )
        ]
        if checksums:
            plan = [
                Download(name=name, url=f"{address}/file.bin", licence="CC0-1.0", checksums=f"{address}/files.geojson")
            ]
        try:
            run_fetch(plan, folder, client=client, patience=Patience(attempts=2, sleep=lambda _: None))
        except ArchiveError as error:
            problems = problems_of_message(str(error))
            left = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
            problems += [f"left: {left}"] if left else []
            return "; ".join(problems) or f" {error}"
    left = {path.name for path in folder.iterdir()}
    return "" if left == {name, LOCK_TOML} else f"left: {left}"


def wrong(numbers: range, tmp_path: Path, **how: object) -> dict[int, str]:
    """What went wrong with the answers drawn, by their seed."""
    found = {}
    for number in numbers:
        try:
            problem = fetched(drawn(str(number)), tmp_path / "inputs", **how)
        except Exception as error:  # noqa: BLE001 - any other error at all is what is looked for
            problem = f"{type(error).__name__}: {error}"
        if problem.strip() and not problem.startswith(" "):
            found[number] = problem
        shutil.rmtree(tmp_path / "inputs", ignore_errors=True)
    return found


@pytest.mark.parametrize("how", [{}, {"member": MEMBER}, {"checksums": True}], ids=["file", "member", "list"])
def test_whatever_a_server_answers_is_refused_or_kept_whole(how, tmp_path):
    assert wrong(range(QUICK), tmp_path, **how) == {}


@pytest.mark.slow
@pytest.mark.parametrize("how", [{}, {"member": MEMBER}, {"checksums": True}], ids=["file", "member", "list"])
def test_all_that_a_server_may_answer_is_refused_or_kept_whole(how, tmp_path):
    assert wrong(range(QUICK, ALL), tmp_path, **how) == {}


CASES: dict[str, tuple[Answer, dict[str, object], str]] = {
    "a length of more": (answer(Content_Length="99999"), {}, "a broken connection, 2 times"),
    "a length beyond any disk": (answer(Content_Length="9" * 17), {}, rf"found {'9' * 17} bytes; expected at most"),
    "no length and no end": (endless(bytes(1 << 20)), {}, f"found more than {MOST_BYTES} bytes; expected at most"),
    "no end of a known file": (endless(FILE), {"size": len(FILE)}, "more than 10240 bytes; expected 10240 bytes"),
    "another length than known": (answer(Content_Length="10240"), {"size": 7}, "found 10240 bytes; expected 7 bytes"),
    "swelling": (
        answer(body=swollen(60_000_000), Content_Encoding="gzip"),
        {},
        f"found more than {MOST_BYTES} bytes; expected at most",
    ),
    "swelling where the size is known": (
        answer(body=swollen(60_000_000), Content_Encoding="gzip"),
        {"size": len(FILE)},
        "more than 10240 bytes; expected 10240 bytes",
    ),
    "a page": (answer(body=b"\n <!DOCTYPE html><title>Log in</title>"), {}, "a web page of 127.0.0.1 instead of"),
    "round in a circle": (answer("302 Found", b"", Location="{}/file.bin", Content_Length="0"), {}, "10 redirects"),
    "to a file of this machine": (answer("302 Found", b"", Location="file:///etc/hostname"), {}, "protocol"),
    "to nowhere": (answer("302 Found", b"", Location="http://[", Content_Length="0"), {}, "expected"),
    "a part for the whole": (answer("206 Partial", Content_Range="bytes 5-9/10", Content_Length="10240"), {}, "from 5"),
    "a zip of an exabyte": (
        answer("206 Partial", b"x", Content_Range="bytes 0-0/" + "9" * 18, Content_Length="1"),
        {"member": MEMBER},
        "expected",
    ),
    "a part without end": (
        in_turn(
            answer("206 Partial", b"x", Content_Range="bytes 0-0/5000", ETag='"v"', Content_Length="1"),
            endless(bytes(1 << 20)),
        ),
        {"member": MEMBER},
        "a file that changed while it was read",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_hostile_answer(case, tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "_MOST_BYTES", MOST_BYTES)
    make, how, message = CASES[case]
    told = fetched(make, tmp_path / "inputs", **how)
    assert told.startswith(" "), told
    assert re.search(message, told), told
    left = [path for path in (tmp_path / "inputs").rglob("*") if path.stat().st_size > MOST_BYTES]
    assert left == []


def test_a_part_without_end_is_not_taken_into_memory(tmp_path):
    first = answer("206 Partial", b"x", Content_Range="bytes 0-0/5000", ETag='"v"', Content_Length="1")
    then = endless(bytes(1 << 16), status="206 Partial", Content_Range="bytes 0-4999/5000", ETag='"v"')
    tracemalloc.start()
    try:
        told = fetched(in_turn(first, then), tmp_path / "inputs", member=MEMBER)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "of 5000 bytes, 2 times; expected the whole file" in told
    assert peak < 20_000_000


@pytest.mark.parametrize("body", [b"[" * 200_000, b'{"features": [{"properties": {"name": "a", "file_size": 1e999}}]}'])
def test_a_list_of_checksums_that_is_none_is_passed_over(body, tmp_path):
    length = str(len(body))
    make = in_turn(answer(body=body, Content_Length=length), answer(Content_Length=str(len(FILE))))
    assert fetched(make, tmp_path / "inputs", checksums=True) == ""


def test_a_list_of_checksums_is_not_read_whole_where_it_is_too_long(tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "_MOST_LIST_BYTES", 1000)
    make = answer(Content_Length=str(len(FILE)))
    assert fetched(make, tmp_path / "inputs", checksums=True) == ""
