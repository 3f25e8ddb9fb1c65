"""The pictures of each year, and that figures do not disturb each other."""

from __future__ import annotations

import threading
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image
from shapely.affinity import scale

from catalog.figures.balance_picture import draw_balance
from catalog.figures.frame import open_figure
from catalog.figures.mass_balance import _reach_of_profiles
from catalog.figures.years import YearFiles, draw_years, mapped_years
from tests.made.fakes import make_mass_balance_dataset
from tests.made.year_drawings import draw_balance_map, draw_year_profile


@pytest.fixture(scope="module")
def result():
    return make_mass_balance_dataset().result


def files_of(result, folder):
    folder.mkdir()
    return {
        year.year: YearFiles("Test", *(folder / f"{name}_{year.year}.png" for name in "mpt"))
        for year in mapped_years(result)
    }


@pytest.fixture(scope="module")
def together(result, tmp_path_factory):
    """The pictures of all years, drawn in one go."""
    folder = tmp_path_factory.mktemp("years") / "together"
    draw_years(result, files_of(result, folder), True)
    return folder


def test_every_year_with_a_map_has_its_pictures_and_no_other(result, together):
    years = [year.year for year in result.years if year.field is not None]
    assert len(years) < len(result.years)
    assert {path.name for path in together.iterdir()} == {f"{name}_{year}.png" for name in "mpt" for year in years}


def test_the_pictures_of_a_year_do_not_depend_on_those_before(result, together, tmp_path):
    files = files_of(result, tmp_path / "alone")
    for year in reversed(files):
        draw_years(result, {year: files[year]}, True)
    for path in together.iterdir():
        assert path.read_bytes() == (tmp_path / "alone" / path.name).read_bytes()


def test_a_picture_holds_its_own_year_alone(result, together, tmp_path):
    """A frame shared by many years keeps nothing of the last one: each picture is that of the year drawn alone."""
    one = mapped_years(result)[-1]
    draw_balance_map(tmp_path / "m.png", result, one, "Test", True)
    draw_year_profile(tmp_path / "p.png", result, one, "Test", True)
    for name in "mp":
        assert (tmp_path / f"{name}.png").read_bytes() == (together / f"{name}_{one.year}.png").read_bytes()


def test_profiles_share_their_scales_and_hold_every_value(result):
    (low, high), (bottom, top), area = _reach_of_profiles(result)
    points, zones = result.tables["point_balances"], result.tables["zone_balances"]
    values = points.loc[points["period"] != "instantaneous", "balance_m_we"].astype(float)
    assert low < values.min()
    assert high > values.max()
    assert bottom < zones["lower_m"].astype(float).min()
    assert top > zones["upper_m"].astype(float).max()
    assert area > zones["area_km2"].astype(float).max()


def test_years_on_other_grids_have_frames_of_their_own(result, tmp_path):
    first, *others = result.years
    rows, columns = first.field.grid.shape
    cut = first.field.grid.window(0, 0, (rows, columns - 12))
    arrays = {name: getattr(first.field, name)[:, :-12] for name in ("balance_m_we", "sigma_balance_m_we", "surface_m")}
    moved = replace(first, field=replace(first.field, grid=cut, **arrays))
    mixed = replace(result, years=(moved, *others))
    files = files_of(mixed, tmp_path / "mixed")
    draw_years(mixed, files, False)
    sizes = {Image.open(one.thumbnail).size for one in files.values()}
    assert len(sizes) == 2


def test_a_thumbnail_is_drawn_only_where_it_is_wanted(result, tmp_path):
    files = {year: replace(one, thumbnail=None) for year, one in files_of(result, tmp_path / "few").items()}
    draw_years(result, files, False)
    assert {path.name[0] for path in (tmp_path / "few").iterdir()} == {"m", "p"}


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


def test_a_year_is_drawn_with_the_outline_of_that_year(result, together, tmp_path):
    """The later outline is half as wide: only the later map and colours change, and both maps keep their window."""
    first, last = mapped_years(result)[0], mapped_years(result)[-1]
    narrow = replace(last.field, outline=scale(last.field.outline, 0.5, 1.0))
    changed = replace(last, field=narrow)
    mixed = replace(result, years=tuple(changed if year is last else year for year in result.years))
    draw_years(mixed, files_of(mixed, tmp_path / "mixed"), True)
    same = {
        year.year: (together / f"m_{year.year}.png").read_bytes()
        == (tmp_path / "mixed" / f"m_{year.year}.png").read_bytes()
        for year in (first, last)
    }
    assert same == {first.year: True, last.year: False}
    before, after = (_coloured_columns(draw_balance(field, 2.0).rgb) for field in (last.field, narrow))
    assert after.sum() == pytest.approx(before.sum() / 2, abs=10)  # the border is some pixels wide


def _coloured_columns(rgb):
    """Columns of a picture with colour, which bare ground and lines do not have."""
    return (np.ptp(rgb.astype(int), axis=0) > 60).any(axis=0)
