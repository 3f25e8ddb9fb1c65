"""From a balance of the whole glacier back to the cells of its readings, on a small set of tables made by hand."""

from __future__ import annotations

import csv
import json
from functools import partial

import pytest

from catalog.archive.layout import CollectionFolder
from catalog.metadata.facts import describe
from catalog.runs.trace import read_published_tables, trace_balance
from catalog.tables.write import write_tables
from schemas.errors import BadInput
from tests.made.fakes import make_mass_balance_dataset

TABLES = {
    "glacier_balances": """\
glacier_id,year,begin_date,midseason_date,end_date,time_system,annual_balance_m_we,sigma_annual_m_we,winter_balance_m_we,sigma_winter_m_we,summer_balance_m_we,sigma_summer_m_we,contour_balance_m_we,field_balance_m_we,zone_balance_m_we,provenance,flags
G1,2002,2001-08-20,,2002-08-25,FLO,-0.40,0.10,,,,,-0.40,-0.40,-0.41,observed,
G1,2003,2002-08-25,2003-05-31,2003-08-27,FLO,0.03,0.04,0.15,0.03,-0.12,0.05,0.03,0.03,0.00,observed,bound_not_used:3
G1,2004,,,,,,,,,,,,,,reconstructed,too_few_points:1
""",
    "zone_balances": """\
year,lower_m,upper_m,area_km2,annual_balance_m_we,sigma_annual_m_we,winter_balance_m_we,summer_balance_m_we,basis,n_points
2003,3600,3700,0.20000,0.50,0.20,0.20,0.30,observed,1
2003,3500,3600,0.10000,-1.50,0.18,0.10,-1.60,observed,2
""",
    "point_balances": """\
point_id,kind,year,period,begin_date,end_date,elevation_m,balance_m_we,sigma_balance_m_we,bound,readings,flags
'-1,stake,2003,annual,2002-08-24,2003-08-26,3516.0,-1.50,0.05,=,'-1/4/2002-08-24;-1/4/2003-08-26,
3,stake,2003,annual,2002-08-24,2003-08-26,3600.0,-0.20,,<=,3/1/2002-08-24;3/1/2003-08-26,melted_out
P1,pit,2003,annual,2002-08-25,2003-08-27,3700.0,0.50,0.06,=,P1,
a/b,stake,2003,annual,2002-08-24,2003-08-26,3900.0,0.90,0.06,=,a/b/1/2002-08-24,
'-1,stake,2003,winter,2002-08-24,2003-05-30,3516.0,0.15,0.05,=,'-1/4/2002-08-24,
W1,probing,2003,winter,2002-08-24,2003-05-30,3616.0,0.15,0.05,=,W1,
""",
    "readings": """\
stake_id,leg,date,exposed_m,snow_depth_m,status,remarks,source_sheet,source_cell
'-1,4,2002-08-24,0.800,,ok,redrilled,readings,A9:G9
'-1,4,2003-08-26,2.470,0.100,ok,,readings,A17:G17
3,1,2002-08-24,3.100,,ok,,readings,A30:G30
3,1,2003-08-26,,,melted_out,,,
a/b,1,2002-08-24,1.000,,ok,"two
lines",readings,A40:G40
""",
    "snow_pits": """\
pit_id,date,stake_id,elevation_m,floor,remarks,source_sheet,source_cell
P1,2003-08-27,a/b,3700.0,summer_surface,,snow_pits,A4:F4
""",
    "pit_layers": """\
pit_id,layer,top_m,bottom_m,density_kg_m3,kind,source_sheet,source_cell
P1,1,0.000,0.500,400,snow,pit_layers,A7:F7
P1,2,0.500,1.000,500,snow,pit_layers,A8:F8
""",
}


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "run")
    return tmp_path / "run"


def write(folder, **changed):
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    for name, text in {**TABLES, **changed}.items():
        (folder / "tables" / f"{name}.csv").write_text(text, encoding="utf-8", newline="\n")


def traced(folder, year=2003, period="annual"):
    return trace_balance(read_published_tables(folder), year, period)


def step(root, start):
    """The one step of a tree that begins with these words."""
    found = [child for child in walk(root) if child.what.startswith(start)]
    assert len(found) == 1, [child.what for child in walk(root)]
    return found[0]


def walk(root):
    yield root
    for child in root.made_of:
        yield from walk(child)


def test_the_tree_to_the_letter(folder):
    (folder / "summary.json").write_text(json.dumps({"settings": {"primary_method": "contour"}}))
    lines = list(trace_balance(read_published_tables(folder), 2003).lines())
    assert lines[0] == (
        "annual balance 2003 of the whole glacier: +0.03 ± 0.04 m w.e. (glacier G1, from 2002-08-25, to 2003-08-27,"
        " time system FLO, provenance observed, flags bound_not_used:3)  [tables/glacier_balances.csv:3]"
    )
    assert lines[1:4] == [
        "├─ method contour, the published one: +0.03 m w.e.",
        "├─ method field: +0.03 m w.e.",
        "├─ method zone: +0.00 m w.e.",
    ]
    assert lines[4:8] == [
        "├─ zone 3500 to 3600 m: -1.50 ± 0.18 m w.e. (area 0.10000 km2, basis observed)  [tables/zone_balances.csv:3]",
        "│  └─ stake -1: -1.50 ± 0.05 m w.e. (from 2002-08-24, to 2003-08-26, elevation 3516.0 m)"
        "  [tables/point_balances.csv:2]",
        "│     ├─ reading -1/4/2002-08-24 (exposed_m 0.800, status ok, remarks redrilled,"
        " typed in sheet readings, A9:G9)  [tables/readings.csv:2]",
        "│     └─ reading -1/4/2003-08-26 (exposed_m 2.470, snow_depth_m 0.100, status ok,"
        " typed in sheet readings, A17:G17)  [tables/readings.csv:3]",
    ]
    assert len(lines) == 4 + 4 + 8 + 3


def test_an_edge_belongs_to_the_zone_above_and_the_highest_to_its_own(folder):
    root = traced(folder)
    upper = step(root, "zone 3600 to 3700")
    assert [point.what for point in upper.made_of] == ["stake 3:", "pit P1:"]
    outside = step(root, "points outside the zones")
    assert [point.what for point in outside.made_of] == ["stake a/b:"]


def test_what_was_not_used_says_so(folder):
    root = traced(folder)
    assert step(root, "stake 3:").facts["not used in"] == "the glacier's balance"
    assert step(root, "stake 3:").value == "at most -0.20 m w.e."
    # the pit was dug beside a stake that has a balance of its own
    assert step(root, "pit P1:").facts["not used in"] == "the glacier's balance"
    assert "not used in" not in step(root, "stake -1:").facts


def test_what_the_table_says_of_use_goes_before_the_rule(folder):
    head, *rows = TABLES["point_balances"].splitlines()
    write(folder, point_balances="\n".join([f"{head},used", *(f"{row},false" for row in rows)]) + "\n")
    assert step(traced(folder), "stake -1:").facts["not used in"] == "the glacier's balance"


def test_a_pit_leads_to_its_layers_and_their_cells(folder):
    pit = step(traced(folder), "pit P1, 2003-08-27")
    assert pit.facts == {"floor": "summer_surface", "typed in": "sheet snow_pits, A4:F4"}
    assert [layer.what for layer in pit.made_of] == [
        "layer 1, 0.000 to 0.500 m, 400 kg m-3",
        "layer 2, 0.500 to 1.000 m, 500 kg m-3",
    ]
    assert [layer.facts["typed in"] for layer in pit.made_of] == ["sheet pit_layers, A7:F7", "sheet pit_layers, A8:F8"]


def test_a_stake_whose_name_has_a_slash_is_found_and_a_line_break_counted(folder):
    assert step(traced(folder), "reading a/b/1/2002-08-24").stands == "tables/readings.csv:6"


def test_cells_that_are_not_recorded_are_not_made_up(folder):
    assert step(traced(folder), "reading 3/1/2003-08-26").facts["typed in"] == "cells not recorded"


def test_a_reading_that_is_not_published_is_named(folder):
    assert step(traced(folder, period="winter"), "W1, not among the published readings").made_of == ()


def test_probings_are_found_where_they_are_published(folder):
    probings = "probing_id,date,snow_depth_m,source_sheet,source_cell\nW1,2003-05-30,0.420,probings,A3:F3\n"
    write(folder, probings=probings)
    found = step(traced(folder, period="winter"), "probing W1, 2003-05-30")
    assert found.facts == {"snow_depth_m": "0.420", "typed in": "sheet probings, A3:F3"}


def test_a_winter_ends_at_midseason_and_has_the_winter_of_each_zone(folder):
    root = traced(folder, period="winter")
    assert (root.value, root.facts["from"], root.facts["to"]) == ("+0.15 ± 0.03 m w.e.", "2002-08-25", "2003-05-31")
    assert step(root, "zone 3500").value == "+0.10 m w.e."
    assert [point.what for point in step(root, "zone 3600").made_of] == ["probing W1:"]


def test_a_summer_is_made_of_the_year_and_the_winter(folder):
    root = traced(folder, period="summer")
    assert root.facts["made"] == "annual minus winter balance"
    assert [part.what.split()[0] for part in root.made_of] == ["annual", "winter"]
    assert root.made_of[0] == traced(folder)


def test_the_tree_as_json_is_the_tree(folder):
    root = traced(folder)
    told = json.loads(json.dumps(root.to_dict()))
    assert told["stands"] == "tables/glacier_balances.csv:3"
    readings = told["made_of"][3]["made_of"][0]["made_of"]
    assert [reading["facts"]["typed in"] for reading in readings] == [
        "sheet readings, A9:G9",
        "sheet readings, A17:G17",
    ]


@pytest.mark.parametrize(
    ("year", "period", "message"),
    [
        (1999, "annual", "found no annual balance of 1999; expected a year that has one: 2002, 2003"),
        (2004, "annual", "found no annual balance of 2004"),
        (2002, "winter", "found no winter balance of 2002; expected a year that has one: 2003"),
        (2003, "monthly", "--period: found 'monthly'; expected one of annual, winter, summer"),
    ],
)
def test_a_balance_that_is_not_there_is_refused(folder, year, period, message):
    with pytest.raises(BadInput, match=message):
        traced(folder, year, period)


def test_a_year_of_published_bands_ends_at_the_bands(folder):
    write(folder, point_balances=TABLES["point_balances"].splitlines()[0] + "\n")
    root = traced(folder)
    assert [child.what.split()[0] for child in root.made_of] == ["method", "method", "method", "zone", "zone"]
    assert all(child.made_of == () for child in root.made_of)


def test_points_that_a_model_filled_end_at_its_terms(folder):
    head = "point_id,year,balance_m_we,sigma_balance_m_we,stake_term_m_we,year_term_m_we,n_stakes,used\n"
    rows = ["7,2003,-0.30,0.20,-0.50,0.20,12,true", "8,2003,-0.10,0.20,-0.30,0.20,12,false"]
    write(folder, filled_balances="\n".join([head + rows[0], rows[1], "7,2004,0.10,0.20,-0.50,0.60,3,true"]) + "\n")
    first, second = step(traced(folder), "points filled").made_of
    assert (first.what, first.value, first.stands) == (
        "stake 7:",
        "-0.30 ± 0.20 m w.e.",
        "tables/filled_balances.csv:2",
    )
    assert first.facts == {
        "stake term": "-0.50 m w.e.", "year term": "+0.20 m w.e.", "from": "12 stakes observed that year",
    }  # fmt: skip
    assert second.facts["not used in"] == "the glacier's balance"
    winter = [child.what for child in walk(traced(folder, period="winter"))]
    assert not [what for what in winter if what.startswith("points filled")]


def test_points_without_zones_hang_below_the_balance(folder):
    write(folder, zone_balances=TABLES["zone_balances"].splitlines()[0] + "\n")
    assert [point.what for point in step(traced(folder), "points").made_of] == [
        "stake -1:", "stake 3:", "pit P1:", "stake a/b:",
    ]  # fmt: skip


def test_an_archive_names_its_inputs_and_a_collection_is_chosen(tmp_path):
    for name in ("one-mass-balance", "other-mass-balance"):
        write(tmp_path / name)
    datasets = [
        {"id": "one-mass-balance", "inputs": [{"name": "field.xlsx"}], "settings": {"primary_method": "zone"}},
        {"id": "other-mass-balance", "inputs": [{"name": "else.xlsx"}], "settings": {"primary_method": "field"}},
    ]
    (tmp_path / "manifest.json").write_text(json.dumps({"archive": "glacier-archive", "datasets": datasets}))
    with pytest.raises(BadInput, match="several mass balances: one-mass-balance, other-mass-balance"):
        read_published_tables(tmp_path)
    tables = read_published_tables(tmp_path, "other-mass-balance")
    assert (tables.inputs, tables.method) == (("else.xlsx",), "field")
    assert trace_balance(tables, 2003).facts["inputs"] == "else.xlsx"


def test_what_cannot_be_read_is_refused(tmp_path, folder):
    with pytest.raises(BadInput, match="nowhere: found no such folder"):
        read_published_tables(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match=r"empty: found no tables/glacier_balances.csv"):
        read_published_tables(tmp_path / "empty")
    with pytest.raises(BadInput, match="found no collection 'strange'"):
        read_published_tables(tmp_path, "strange")
    write(folder, readings="stake_id,leg\n1\n")
    with pytest.raises(BadInput, match=r"readings.csv:2: found 1 cells; expected 2"):
        read_published_tables(folder)
    write(folder)
    (folder / "summary.json").write_text("{")
    with pytest.raises(BadInput, match=r"summary.json: found no JSON"):
        read_published_tables(folder)


def test_the_tables_of_an_archive_are_traced_as_they_are_written(tmp_path):
    dataset = make_mass_balance_dataset()
    write_tables(dataset, describe(dataset), CollectionFolder(tmp_path, dataset.definition.id))
    root = trace_balance(read_published_tables(tmp_path), 2001)
    points = [child for child in walk(root) if child.what.startswith("stake ")]
    assert len(points) == 18
    assert all(len(point.made_of) == 1 for point in points)
    assert {reading.what for point in points for reading in point.made_of} == {
        f"reading {name}/1/2000-08-28" for name in range(1, 19)
    }
    unused = [point.what for point in points if "not used in" in point.facts]
    assert unused == ["stake 2:"]


@pytest.mark.parametrize("content", ["[" * 100_000, "{"])
def test_a_statement_that_is_no_json_is_refused(folder, content):
    (folder / "summary.json").write_text(content)
    with pytest.raises(BadInput, match=r"summary.json: found no JSON"):
        traced(folder)


@pytest.mark.parametrize("content", [[], {"datasets": 3}, {"datasets": [1, None]}, {"settings": {}, "inputs": [7, {}]}])
def test_a_statement_of_another_shape_is_passed_over(folder, content):
    (folder / "summary.json").write_text(json.dumps(content))
    assert read_published_tables(folder).inputs == ()


@pytest.mark.parametrize("content", [b"stake_id,leg\n\xff\xfe,1\n", b"stake_id,leg\n" + b"x" * 200_000 + b",1\n"])
def test_a_table_that_cannot_be_read_is_refused(folder, content, request):
    # the limit is one for the whole process, and a library may have raised it
    request.addfinalizer(partial(csv.field_size_limit, csv.field_size_limit(131_072)))
    (folder / "tables" / "readings.csv").write_bytes(content)
    with pytest.raises(BadInput, match=r"readings.csv: found no readable table"):
        traced(folder)
