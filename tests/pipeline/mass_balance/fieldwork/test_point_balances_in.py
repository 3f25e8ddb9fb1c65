"""Point balances as an input: three published layouts, the few columns everyone has, and what the product writes."""

from __future__ import annotations

import csv
import json
import math
import shutil
from datetime import date

import numpy as np
import pandas as pd
import pytest
import rasterio
from rasterio.transform import Affine

from pipeline.mass_balance.chain import mass_balance
from pipeline.mass_balance.fieldwork.read import RefusedFieldData, read_field_data
from pipeline.mass_balance.proof.draws import monte_carlo
from schemas.settings import MassBalanceSettings
from tests.made.command_line import run
from tests.made.field_surveys import AREAS, STAKES, point, reading, survey, year_of

# annual balances (m w.e.) on a straight line, at stakes in the middle of bands of 100 m; the sixth band has none
ANNUAL = (-1.8, -1.2, -0.6, 0.0, 0.6)
WINTER = (0.4, 0.5, 0.6, 0.7, 0.8)


def mean(values) -> float:
    bands = [*values, 2 * values[4] - values[3]]
    return sum(a * b for a, b in zip(AREAS, bands, strict=True)) / sum(AREAS)


def few(**more):
    return [
        {"id": name, "easting": east, "northing": north, "elevation": height, "b": annual, "year": 2004} | more
        for (name, east, north, height), annual in zip(STAKES, ANNUAL, strict=True)
    ]


def degrees():
    from pyproj import Transformer

    turn = Transformer.from_crs("EPSG:32645", "EPSG:4326", always_xy=True)
    return [turn.transform(east, north) for _, east, north, _ in STAKES]


def test_the_few_columns_that_everyone_has(tmp_path) -> None:
    result = survey(tmp_path, {"point_balances": few()})
    year = year_of(result, 2004)
    assert year.annual_m_we == pytest.approx(mean(ANNUAL), abs=0.03)
    assert (year.winter_m_we, year.midseason) == (None, None)
    own = point(result, "S1", "annual")
    assert (own["begin_date"], own["end_date"]) == (date(2003, 10, 1), date(2004, 10, 1))
    assert set(own["flags"].split(";")) == {"days_of_the_calendar", "given_as_balance"}
    assert own["sigma_balance_m_we"] == pytest.approx(math.hypot(math.sqrt(2) * 0.027, 1.8 * 15 / 900))
    assert own["readings"] == ""
    assert (own["source_sheet"], own["source_cell"]) == ("point_balances", "A2:F2")
    assert own["used"]
    assert result.tables["readings"].empty


def fog_2023():
    places = degrees()
    return [
        {
            "POLITICAL_UNIT": "CN", "NAME": "TEST", "WGMS_ID": 999, "YEAR": 2004, "POINT_ID": name,
            "FROM_DATE": "20030928", "TO_DATE": day, "POINT_LAT": lat, "POINT_LON": lon, "POINT_ELEVATION": height,
            "POINT_BALANCE": round(1000 * value), "POINT_BALANCE_UNCERTAINTY": 60, "DENSITY": 900,
            "DENSITY_UNCERTAINTY": 9, "BALANCE_CODE": code, "REMARKS": "",
        }
        for code, day, values in (("BA", "20040926", ANNUAL), ("BW", "20040512", WINTER), ("IN", "20049999", ANNUAL))
        for (name, _, _, height), value, (lon, lat) in zip(STAKES, values, places, strict=True)
    ]  # fmt: skip


def fog_2026():
    codes = {"BA": "annual", "BW": "winter", "IN": "index"}
    return [
        {
            "country": "CN", "glacier_name": "Test", "glacier_id": 999, "year": row["YEAR"], "id": number,
            "original_id": row["POINT_ID"], "time_system": "FLO", "begin_date": "2003-09-28", "begin_date_unc": 1,
            "end_date": f"{row['TO_DATE'][:4]}-{row['TO_DATE'][4:6]}-{row['TO_DATE'][6:]}", "end_date_unc": "",
            "latitude": row["POINT_LAT"], "longitude": row["POINT_LON"], "elevation": row["POINT_ELEVATION"],
            "balance": row["POINT_BALANCE"] / 1000, "balance_unc": 0.06, "density": 900, "density_unc": 9,
            "method": "ablation stake", "balance_code": codes[row["BALANCE_CODE"]], "remarks": "",
        }
        for number, row in enumerate(fog_2023())
    ]  # fmt: skip


@pytest.mark.parametrize("rows", [fog_2023(), fog_2026()], ids=["capitals", "lower case"])
def test_both_namings_of_the_world_glacier_monitoring_service(tmp_path, rows) -> None:
    result = survey(tmp_path, {"point_balances": rows})
    year = year_of(result, 2004)
    assert year.annual_m_we == pytest.approx(mean(ANNUAL), abs=0.03)
    assert year.winter_m_we == pytest.approx(mean(WINTER), abs=1e-3)
    assert (year.begin, year.midseason, year.end) == (date(2003, 9, 28), date(2004, 5, 12), date(2004, 9, 26))
    own = point(result, "S1", "annual")
    # the stated error is the random one, that of the density comes on top: -1.8 m w.e. by 9 / 900
    assert own["sigma_balance_m_we"] == pytest.approx(math.hypot(0.06, 0.018))
    index = point(result, "S1", "instantaneous")
    assert not index["used"]
    assert index["end_date"] == date(2004, 10, 1)
    assert "days_of_the_calendar" in index["flags"]
    assert "headings of WGMS" in " ".join(result.tables["input_notes"]["found"])


def test_the_layout_of_glamos(tmp_path) -> None:
    """Named after the release's own description: 22 columns, millimetres, a line of units beginning with #."""
    names = (
        "name;date0;time0;date1;time1;period;date_quality;x_pos;y_pos;z_pos;position_quality;mb_raw;density;"
        "density_quality;mb_we;measurement_quality;measurement_type;mb_error;reading_err;density_err;"
        "error_evaluation_method;source"
    )
    lines = [f"# {names}", "# (-);(yyyymmdd);(hhmm)"]
    for (name, east, north, height), value in zip(STAKES, ANNUAL, strict=True):
        lines.append(
            f"{name};20030930;1200;20040928;1200;364.0;1;{east};{north};{height};1;{value * 100 / 0.9:.0f};900;1;"
            f"{value * 1000:.0f};1;1;70;50;20;1;test"
        )
    survey(tmp_path, {"point_balances": few()})
    (tmp_path / "point_balances.csv").unlink()
    (tmp_path / "massbalance_point.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    result = mass_balance(read_field_data(tmp_path), MassBalanceSettings())
    assert year_of(result, 2004).annual_m_we == pytest.approx(mean(ANNUAL), abs=0.03)
    own = point(result, "S2", "annual")
    assert own["balance_m_we"] == pytest.approx(-1.2)
    assert own["sigma_balance_m_we"] == pytest.approx(0.07)
    assert (own["begin_date"], own["end_date"]) == (date(2003, 9, 30), date(2004, 9, 28))
    assert own["source_cell"].startswith("A4:")


def test_days_tell_the_year_and_what_part_of_it(tmp_path) -> None:
    rows = few(begin="2003-10-02", end="2004-09-28")
    for row in rows:
        del row["year"]
    rows += [row | {"b": w, "end": "2004-05-03"} for row, w in zip(rows, WINTER, strict=True)]
    rows += [row | {"b": -0.5, "begin": "2004-06-20", "end": "2004-07-20"} for row in rows[:1]]
    result = survey(tmp_path, {"point_balances": rows})
    periods = result.tables["point_balances"].groupby("period").size().to_dict()
    assert periods == {"annual": 5, "winter": 5, "instantaneous": 1}
    year = year_of(result, 2004)
    assert year.summer_m_we == pytest.approx(year.annual_m_we - year.winter_m_we)


def test_a_row_without_year_and_days_is_refused_and_readings_go_before_given_balances(tmp_path) -> None:
    with pytest.raises(RefusedFieldData, match=r"neither year nor days; expected the mass-balance year"):
        survey(tmp_path / "no", {"point_balances": few(year="")})
    read = [reading(stake[0], day, m) for stake in STAKES for day, m in (("2003-09-30", 1.0), ("2004-09-30", 2.0))]
    result = survey(tmp_path / "both", {"readings": read, "point_balances": few()})
    assert point(result, "S1", "annual")["balance_m_we"] == pytest.approx(-0.9)
    assert year_of(result, 2004).annual_m_we == pytest.approx(-0.9)


def test_elevations_come_from_the_dem(tmp_path) -> None:
    heights = np.tile(3400 + (np.arange(60) * 10.0), (60, 1)).astype("float32")  # rises by 1 m a metre to the east
    place = Affine(10, 0, 289_945, 0, -10, 4_845_450)
    with rasterio.open(
        tmp_path / "dem.tif", "w", driver="GTiff", height=60, width=60, count=1, dtype="float32",
        crs="EPSG:32645", transform=place,
    ) as dem:  # fmt: skip
        dem.write(heights, 1)
    rows = few()
    for row in rows:
        del row["elevation"]
    result = survey(tmp_path / "in", {"point_balances": rows}, dem=tmp_path / "dem.tif")
    assert [point(result, stake[0], "annual")["elevation_m"] for stake in STAKES] == pytest.approx(
        [3450, 3550, 3650, 3750, 3850]
    )
    assert year_of(result, 2004).annual_m_we == pytest.approx(mean(ANNUAL), abs=0.03)


def test_the_error_by_monte_carlo_redoes_given_balances(tmp_path) -> None:
    survey(tmp_path, {"point_balances": few(sigma=0.5)})
    data = read_field_data(tmp_path)
    drawn = monte_carlo(data, MassBalanceSettings(), 200, 1)
    weights = np.array([0.1, 0.2, 0.3, 0.3 - 0.1, 0.2 + 0.2]) / 1.2  # the sixth band is twice S5 less S4
    by_hand = math.hypot(0.5, 0.1) * math.sqrt(float(weights @ weights))
    assert drawn.sigma_annual_m_we("point")[0] == pytest.approx(by_hand, rel=0.2)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A balance of readings, pits beside stakes and a melted-out stake, as the command writes it."""
    folder = tmp_path_factory.mktemp("round")
    rows = []
    for number, stake in enumerate(STAKES):
        rows += [
            reading(stake[0], "2003-09-30", 1.0, snow_depth_m=0, snow_density_kg_m3=""),
            reading(stake[0], "2004-05-02", 0.2, snow_depth_m=1.2 + 0.1 * number, snow_density_kg_m3=380),
            reading(stake[0], "2004-09-28", 2.9 - 0.5 * number, snow_depth_m=0, snow_density_kg_m3=""),
        ]
    pits = [{"pit_id": "P1", "date": "2004-05-02", "stake_id": "S3", "floor": "summer_surface"}]
    layers = [{"pit_id": "P1", "layer": 1, "top_m": 0, "bottom_m": 1.0, "density_kg_m3": 480}]
    survey(folder / "in", {"readings": rows, "snow_pits": pits, "pit_layers": layers})
    assert run("balance", folder / "in", "--out", folder / "out", "--quiet").code == 0
    return folder


def test_the_product_reads_back_what_it_writes(written) -> None:
    again = written / "again"
    again.mkdir(exist_ok=True)
    for name in ("point_balances", "hypsometry"):
        shutil.copy(written / "out" / "tables" / f"{name}.csv", again)
    shutil.copy(written / "in" / "glacier.csv", again)
    done = run("balance", again, "--out", written / "second", "--json", "--quiet")
    assert done.code == 0, done.err
    first = pd.read_csv(written / "out" / "tables" / "glacier_balances.csv")
    second = pd.read_csv(written / "second" / "tables" / "glacier_balances.csv")
    numbers = [name for name in first if name.endswith("_m_we") and not name.startswith("index")]
    assert len(numbers) > 10
    assert np.allclose(first[numbers].to_numpy(float), second[numbers].to_numpy(float), atol=0.0101, equal_nan=True)
    for name in ("begin_date", "midseason_date", "end_date", "n_stakes", "n_pits"):
        assert first[name].tolist() == second[name].tolist()
    notes = json.loads(done.out)
    assert notes["years"][0]["winter_balance_m_we"] == pytest.approx(first["winter_balance_m_we"][0], abs=0.01)
    points = pd.read_csv(written / "second" / "tables" / "point_balances.csv")
    assert not points[(points["kind"] == "pit")]["used"].any()
    traced = run("trace", written / "second", "--year", "2004")
    assert "typed in sheet point_balances, A" in traced.out


def test_its_exports_for_the_monitoring_service_read_back_too(written) -> None:
    for name in ("fog2023_mass_balance_point", "fog2026_mass_balance_point"):
        again = written / name
        again.mkdir(exist_ok=True)
        shutil.copy(written / "out" / "tables" / f"{name}.csv", again)
        shutil.copy(written / "out" / "tables" / "hypsometry.csv", again)
        shutil.copy(written / "in" / "glacier.csv", again)
        year = year_of(mass_balance(read_field_data(again), MassBalanceSettings()), 2004)
        with (written / "out" / "tables" / "glacier_balances.csv").open(encoding="utf-8") as stream:
            (first,) = csv.DictReader(stream)
        assert year.annual_m_we == pytest.approx(float(first["annual_balance_m_we"]), abs=0.011)
        assert year.winter_m_we == pytest.approx(float(first["winter_balance_m_we"]), abs=0.011)
