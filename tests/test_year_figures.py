"""The pictures of each year, and that figures do not disturb each other."""

from __future__ import annotations

import threading

import matplotlib as mpl
import pytest

from catalog.figure_frame import open_figure
from catalog.figures import balance_limit
from catalog.year_figures import YearPictures, results_by_year
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


def test_the_pictures_of_a_year_do_not_depend_on_those_before(result, tmp_path) -> None:
    forward, backward = pictures(result, tmp_path / "forward"), pictures(result, tmp_path / "backward")
    for one in [*forward, *reversed(backward)]:
        one.draw()
    drawn = sorted(path.name for path in (tmp_path / "forward").iterdir())
    assert len(drawn) == 3 * len(forward)
    for name in drawn:
        assert (tmp_path / "forward" / name).read_bytes() == (tmp_path / "backward" / name).read_bytes()


def test_figures_drawn_by_several_threads_do_not_share_their_settings(tmp_path) -> None:
    inside, sizes = threading.Event(), []

    def draw_another():
        with open_figure(tmp_path / "other.png", (2, 1)):
            sizes.append(mpl.rcParams["font.size"])
            inside.set()

    before = mpl.rcParams["font.size"]
    other = threading.Thread(target=draw_another)
    with open_figure(tmp_path / "one.png", (2, 1)):
        mpl.rcParams["font.size"] = 31
        other.start()
        assert not inside.wait(0.2)
    other.join(30)
    assert sizes == [9]
    assert mpl.rcParams["font.size"] == before
