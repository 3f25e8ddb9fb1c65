"""The pictures of each year: the same bytes in one process and in several, and none missing when one of them fails."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import replace

import pytest

from catalog import year_figures
from catalog.figures import balance_limit
from catalog.year_figures import YearPictures, drawn_beside, results_by_year
from tests.fakes import make_mass_balance_dataset


@pytest.fixture(scope="module")
def result():
    return make_mass_balance_dataset().result


def pictures(result, folder):
    folder.mkdir()
    return [
        YearPictures(part, "Test", True, limit, *(folder / f"{name}_{part.years[0].year}.png" for name in "mpt"))
        for part, limit in results_by_year(result)
    ]


def drawn(result, folder, processes):
    with drawn_beside(pictures(result, folder), processes):
        pass
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_a_part_has_one_year_its_rows_and_the_scale_of_all(result) -> None:
    parts = list(results_by_year(result))
    mapped = [year.year for year in result.years if year.field is not None]
    assert [part.years[0].year for part, _ in parts] == mapped
    assert len(mapped) < len(result.years)
    for part, limit in parts:
        assert limit == balance_limit(result)
        for name, table in part.tables.items():
            own = result.tables[name][result.tables[name]["year"] == part.years[0].year]
            assert len(own) > 0
            assert table.equals(own)


def test_several_processes_draw_the_same_bytes(result, tmp_path, monkeypatch) -> None:
    alone = drawn(result, tmp_path / "alone", 1)
    assert len(alone) == 3 * len(list(results_by_year(result)))
    monkeypatch.setattr(year_figures, "FEWEST_YEARS", 1)

    def none_is_drawn_here(pictures):
        raise AssertionError("drawn by this process")

    monkeypatch.setattr(YearPictures, "draw", none_is_drawn_here)
    assert drawn(result, tmp_path / "beside", 2) == alone


def test_what_a_process_leaves_undone_is_drawn_here(result, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(year_figures, "FEWEST_YEARS", 1)
    # an interpreter that ends at once
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert len(drawn(result, tmp_path / "left", 2)) == 3 * len(list(results_by_year(result)))


def test_an_error_of_a_picture_is_not_lost(result, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(year_figures, "FEWEST_YEARS", 1)
    wrong = [replace(one, map=tmp_path / "nowhere" / "map.png") for one in pictures(result, tmp_path / "wrong")]
    with pytest.raises(FileNotFoundError, match=r"map\.png"), drawn_beside(wrong, 2):
        pass


def test_an_error_beside_ends_the_drawing(result, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(year_figures, "FEWEST_YEARS", 1)
    started = []
    begin = subprocess.Popen.__init__

    def noted(self, *arguments, **more):
        begin(self, *arguments, **more)
        started.append(self)

    monkeypatch.setattr(subprocess.Popen, "__init__", noted)
    with pytest.raises(ValueError, match="beside"), drawn_beside(pictures(result, tmp_path / "ended"), 2):
        raise ValueError("beside")
    assert started
    assert all(process.returncode is not None for process in started)
