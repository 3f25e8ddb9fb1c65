"""Each kind of file tells in its own terms what differs."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image

from catalog.versions.file_difference import what_differs


def png(values: np.ndarray, level: int = 6) -> bytes:
    target = io.BytesIO()
    Image.fromarray(values).save(target, "PNG", compress_level=level)
    return target.getvalue()


def test_the_same_bytes_do_not_differ() -> None:
    assert what_differs("a.json", b"{}", b"{}") == ""


def test_json_names_the_value_by_its_pointer() -> None:
    old = {"properties": {"glacier:shift": [14.32, -9.69], "title": "x"}}
    new = {"properties": {"glacier:shift": [14.32, -9.7]}}
    told = what_differs("item.json", json.dumps(old).encode(), json.dumps(new).encode())
    assert told == '/properties/glacier:shift/1 -9.69 -> -9.7; /properties/title "x" -> nothing'


def test_a_number_that_became_a_truth_value_differs() -> None:
    assert what_differs("a.json", b'{"a": 1}', b'{"a": true}') == "/a 1 -> true"


def test_many_differences_are_cut() -> None:
    told = what_differs("a.json", json.dumps(list(range(9))).encode(), json.dumps(list(range(1, 10))).encode())
    assert told == "/0 0 -> 1; /1 1 -> 2; /2 2 -> 3; and more"


def test_json_written_otherwise() -> None:
    assert what_differs("a.geojson", b'{"a": 1}', b'{"a":1}') == "the same values, written otherwise"


def test_lines_of_a_text() -> None:
    assert what_differs("x.cff", b"a\nb\n", b"a\nc\nd\n") == 'line 2 "b" -> "c"; line 3 nothing -> "d"'
    assert what_differs("x.md", b"a\n", b"a\r\n") == "the same lines, ended otherwise"


def test_pixels_of_a_picture() -> None:
    before = np.zeros((4, 6, 3), np.uint8)
    after = before.copy()
    after[1, 2:4] = 9
    assert what_differs("m.png", png(before), png(after)) == "2 of 24 pixels differ"
    assert what_differs("m.png", png(before), png(before, 0)) == "the same pixels, written otherwise"
    assert what_differs("m.png", png(before), png(before[:, :5])) == "6 x 4 -> 5 x 4 pixels"


@pytest.mark.parametrize(("old", "new", "place"), [(b"PAR1abc", b"PAR1abd", 6), (b"PAR1", b"PAR1x", 4)])
def test_bytes_of_anything_else(old: bytes, new: bytes, place: int) -> None:
    assert what_differs("t.parquet", old, new) == f"bytes differ from {place} on ({len(old)} -> {len(new)} bytes)"


def test_a_file_that_is_not_what_its_name_says() -> None:
    assert what_differs("a.json", b"{", b"[") == "not a readable .json file; bytes differ from 0 on (1 -> 1 bytes)"
    assert what_differs("a.png", b"x", b"y").startswith("not a readable .png file; bytes differ from 0")
