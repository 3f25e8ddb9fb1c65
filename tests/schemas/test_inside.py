"""Whether paths that others wrote down stay inside a folder: known spellings, and the file system as the judge."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.inside import leads_inside, lies_inside, plainly

PARTS = st.sampled_from(["", ".", "..", "a", "b c", "...", "..a", "\\", "\0", "~"])


@pytest.mark.parametrize("path", ["a", "a/b.tif", "..a/b", "a/...", "a b/~", "冰川/2000.csv"])
def test_paths_inside(path):
    assert leads_inside(path)


@pytest.mark.parametrize(
    "path",
    ["", "/", "/etc/passwd", "..", "../a", "a/..", "a/../../b", "a//b", "./a", "a/", "a\\..\\b", "a\0b", "a" * 1000],
)
def test_paths_that_lead_out_or_have_a_second_spelling(path):
    assert not leads_inside(path)


@given(st.lists(PARTS, min_size=1, max_size=6).map("/".join))
def test_no_path_that_is_let_in_leads_out(path):
    if leads_inside(path):
        assert os.path.normpath(f"/folder/{path}") == f"/folder/{path}"
    if leads_inside(plainly(path)):
        assert os.path.normpath(f"/folder/{path}").startswith("/folder/")


def test_a_place_is_judged_where_its_links_lead(tmp_path):
    folder, beside = tmp_path / "archive", tmp_path / "archive-2"
    (folder / "inner").mkdir(parents=True)
    beside.mkdir()
    (folder / "out").symlink_to(beside)
    (tmp_path / "in").symlink_to(folder / "inner")
    assert lies_inside(folder, folder)
    assert lies_inside(folder / "inner" / "not yet there", folder)
    assert lies_inside(tmp_path / "in" / "x", folder)
    assert lies_inside(folder, "/")
    assert not lies_inside(folder / "out" / "x", folder)
    assert not lies_inside(beside, folder), "a name that begins alike is no folder inside"
    assert not lies_inside(folder / ".." / "x", folder)
