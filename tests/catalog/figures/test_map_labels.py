"""Words on a map: none over another, over a mark, or beyond the edge."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from shapely.geometry import LineString, MultiLineString, box

from catalog.figures.map_labels import LabelSheet

# dots of the map's edges, of unequal sides; a data unit is 5 dots across and 3 up
WEST, SOUTH, EAST, NORTH = 50.0, 60.0, 550.0, 360.0


@pytest.fixture
def axes():
    figure = Figure(figsize=(6, 4), dpi=100)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((WEST / 600, SOUTH / 400, (EAST - WEST) / 600, (NORTH - SOUTH) / 400))
    axes.set(xlim=(0, 100), ylim=(0, 100))
    return axes


def drawn_boxes(axes):
    """The inked extent of each label as matplotlib draws it, without our own measuring."""
    return {text.get_text(): box(*text.get_window_extent().extents) for text in axes.texts}


def sheet_of(axes, marks=()):
    return LabelSheet(axes, np.array(marks, float).reshape(-1, 2))


def test_a_lone_label_stands_at_the_upper_right_of_its_mark(axes):
    sheet_of(axes, [(50, 50)]).write_beside((50, 50), "7: -0.50", 7)
    left, bottom, _, _ = drawn_boxes(axes)["7: -0.50"].bounds
    x, y = axes.transData.transform((50, 50))
    assert x + 4 < left < x + 12
    assert y < bottom < y + 10


@pytest.mark.parametrize(("mark", "inside"), [((99, 50), True), ((50, 99), True), ((99, 99), True), ((120, 50), False)])
def test_a_label_stays_on_the_map_and_a_mark_beyond_it_has_none(axes, mark, inside):
    sheet_of(axes, [mark]).write_beside(mark, "7: -0.50", 7)
    boxes = drawn_boxes(axes)
    assert len(boxes) == inside
    for one in boxes.values():
        assert box(WEST, SOUTH, EAST, NORTH).covers(one)


def test_labels_of_crowded_marks_cover_neither_each_other_nor_the_marks(axes):
    marks = [(40, 50), (43, 52), (46, 50), (43, 46), (60, 50)]
    sheet = sheet_of(axes, marks)
    for number, mark in enumerate(marks):
        sheet.write_beside(mark, f"{number}: -0.5", 7)
    boxes = list(drawn_boxes(axes).values())
    assert len(boxes) == len(marks)
    assert not any(one.intersects(other) for one, other in combinations(boxes, 2))
    dots = axes.transData.transform(marks)
    assert not any(one.intersects(box(x - 3, y - 3, x + 3, y + 3)) for one in boxes for x, y in dots)


def test_a_line_s_label_keeps_off_what_stands_there(axes):
    sheet = sheet_of(axes, [(20, 50), (50, 50)])
    sheet.write_along(LineString([(0, 50), (100, 50)]), "0.5", 7, must=False)
    assert axes.texts[0].get_position()[0] > 75


def test_a_label_reads_along_the_line_and_never_upside_down(axes):
    for number, ends in enumerate([[(10, 10), (90, 90)], [(90, 90), (10, 10)]]):
        sheet_of(axes).write_along(LineString(ends), f"line {number}", 7, must=False)
    expected = np.degrees(np.arctan2(80 * 3, 80 * 5))
    assert [text.get_rotation() for text in axes.texts] == pytest.approx([expected, expected], abs=0.01)


def test_a_label_stands_where_the_line_is_straight(axes):
    zigzag = [(2 * at, 50 + (5 if at % 2 else -5)) for at in range(15)]
    sheet_of(axes).write_along(LineString([*zigzag, (32, 50), (98, 50)]), "straight", 7, must=False)
    (text,) = axes.texts
    assert text.get_position()[0] > 35
    assert abs(text.get_rotation()) < 1


def test_a_label_without_room_is_left_out_unless_it_must_be_written(axes):
    short, crowded = LineString([(50, 50), (51, 50)]), LineString([(0, 20), (100, 20)])
    marks = [(at, 20) for at in range(0, 101)]
    for must in (False, True):
        sheet = sheet_of(axes, marks)
        sheet.write_along(short, "short", 7, must=must)
        sheet.write_along(crowded, "crowded", 7, must=must)
        assert len(axes.texts) == 2 * must


def test_the_longest_part_carries_the_label_and_nothing_has_none(axes):
    sheet = sheet_of(axes)
    sheet.write_along(MultiLineString(), "none", 7, must=True)
    sheet.write_along(MultiLineString([[(0, 10), (30, 10)], [(0, 80), (90, 80)]]), "long", 7, must=False)
    (text,) = axes.texts
    assert (text.get_text(), text.get_position()[1]) == ("long", pytest.approx(80))


def test_labels_keep_away_from_lines_where_they_can(axes):
    border = LineString([(60, 0), (60, 100)])
    sheet = LabelSheet(axes, np.empty((0, 2)), [border])
    sheet.write_along(LineString([(0, 50), (100, 50)]), "0.5", 7, must=False)
    assert axes.texts[0].get_position()[0] < 20
