"""The report of a run and its settings file: whole in one file, asking for nothing, true to the numbers and inputs."""

from __future__ import annotations

import base64
import hashlib
import re
import tomllib
from dataclasses import replace

import pytest

from catalog.runs.asked import Asked, given
from catalog.runs.command_settings import asked_of, days_of
from catalog.runs.settings_file import BalanceOptions, DifferenceOptions, read_settings, settings_text
from catalog.runs.single_run import write_balance, write_difference
from pipeline.elevation_change.result import Tilt
from schemas.errors import BadInput
from schemas.messages import Advice
from schemas.settings import ElevationChangeSettings, MassBalanceSettings, SurfaceCorrection
from tests.made.fakes import NOTE, make_elevation_change_dataset, make_mass_balance_dataset

TILTED = Advice(
    "a residual tilt explains {share:.0%} of the NMAD of stable terrain: it can be removed (--remove-tilt,"
    " setting correct_tilt)",
    share=0.89,
)


@pytest.fixture(scope="module")
def reported(tmp_path_factory):
    """An elevation change with a tilt, written with its report; the folder and the report's text."""
    folder = tmp_path_factory.mktemp("reported")
    dem = folder / "dem <1990>.tif"
    dem.write_bytes(b"heights")
    result = make_elevation_change_dataset((40, 60)).result
    result = replace(result, notes=(*result.notes, TILTED), tilt=Tilt(1e-4, 0.0, False))
    asked = Asked(
        command="difference",
        settings=ElevationChangeSettings(max_shift_m=321.0),
        options=DifferenceOptions(),
        given=given("earlier DEM", "", [dem]),
    )
    write_difference(result, folder / "out", "v1", asked=asked)
    return folder / "out", (folder / "out" / "report.html").read_text(encoding="utf-8"), result


def test_the_report_asks_for_nothing_outside_itself(reported):
    _, text, _ = reported
    assert re.findall(r"(?:src|href)=\"(?!data:|#)[^\"]*", text) == []
    assert not re.search(r"url\((?!['\"]?data:)|@import|<link", text)


def test_the_pictures_in_the_report_are_those_of_the_run(reported):
    folder, text, _ = reported
    inlined = {base64.b64decode(data) for data in re.findall(r"data:image/png;base64,([^\"]+)", text)}
    assert inlined == {path.read_bytes() for path in folder.glob("*.png")}
    assert len(inlined) >= 5


def test_the_report_says_what_to_do_what_to_trust_and_what_was_noticed(reported):
    _, text, result = reported
    advice = text[text.index("What would make it better") : text.index('id="trust"')]
    assert "89% of the NMAD" in advice
    assert "--remove-tilt" in advice
    notes = text[text.index('id="notes"') : text.index('id="lineage"')]
    assert NOTE in notes
    assert "residual tilt" not in notes, "what is to be done stands at the head alone"
    trust = text[text.index('id="trust"') : text.index('id="map"')]
    assert f"{result.after.count:,} stable pixels" in trust
    assert 'class="holds"' in trust


def test_the_report_names_inputs_and_settings_and_how_to_repeat_it(reported):
    _, text, _ = reported
    assert "dem &lt;1990&gt;.tif" in text
    assert hashlib.sha256(b"heights").hexdigest() in text
    assert re.search(r"<code>max_shift_m</code></td><td><b>321.0</b>", text)
    assert "glacier-archive difference &#39;dem &lt;1990&gt;.tif&#39; --settings settings.toml --out repeated" in text


def test_the_report_of_a_balance_holds_its_maps_and_years(tmp_path):
    result = make_mass_balance_dataset().result
    outputs = write_balance(result, tmp_path / "out", "v1", "field.xlsx")
    assert outputs["report"] == "report.html"
    text = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    inlined = {base64.b64decode(data) for data in re.findall(r"data:image/png;base64,([^\"]+)", text)}
    assert {path.read_bytes() for path in (tmp_path / "out").glob("map_*.png")} <= inlined
    for year in result.years:
        assert f'<td class="n">{year.year}</td>' in text or f"<td>{year.year}</td>" in text


# --- the settings file --------------------------------------------------------------------------------------------


def test_settings_come_back_from_their_file_as_they_were(tmp_path):
    settings = ElevationChangeSettings(
        earlier_date="2000-02-16", tolerance_pixel=1e-5, crs='EPSG:32645 "UTM"',
        surface_corrections=(SurfaceCorrection(surface="firn, 雪", from_m=4000.0, snow_later_m=0.5),),
    )  # fmt: skip
    options = DifferenceOptions(layers=("1990", "a \\ b"), figures=False)
    path = tmp_path / "s.toml"
    path.write_text(settings_text("difference", "again", settings, options), encoding="utf-8")
    read, of_run = read_settings(path, "difference")
    assert ElevationChangeSettings(**read) == settings
    assert DifferenceOptions(**of_run) == options


def test_options_of_a_balance_come_back_with_their_days(tmp_path):
    settings = MassBalanceSettings(primary_method="zone")
    options = BalanceOptions(between=("2001-10-01", "2004-09-30"), geodetic="-4.2+-0.6", monte_carlo=50)
    path = tmp_path / "s.toml"
    path.write_text(settings_text("balance", "again", settings, options), encoding="utf-8")
    assert asked_of("balance", path, {}) == (settings, options)


def test_what_is_typed_wins_over_the_file(tmp_path):
    path = tmp_path / "s.toml"
    path.write_text("[settings]\nmax_shift_m = 50.0\ncorrect_tilt = true\n", encoding="utf-8")
    settings, options = asked_of("difference", path, {"max_shift_m": 70.0, "correct_tilt": None, "figures": False})
    assert (settings.max_shift_m, settings.correct_tilt, options.figures) == (70.0, True, False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[settings]\nmax_shift = 5", r"s\.toml: max_shift: found an unknown name"),
        ("[settings]\nmax_shift_m = -5", r"s\.toml: max_shift_m: found -5"),
        ('command = "balance"', "found settings of 'balance'; expected settings of 'difference'"),
        ("settings = [", "no TOML"),
        ("[setting]", r"the key 'setting'"),
    ],
)
def test_a_settings_file_that_cannot_be_used_says_why(text, message, tmp_path):
    (tmp_path / "s.toml").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=message):
        asked_of("difference", tmp_path / "s.toml", {})


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"max_shift_m": -5.0}, r"^--max-shift: found -5\.0; expected a value that is greater than 0 m$"),
        ({"resampling": "best"}, r"^--resampling: found 'best'; expected a value that is 'bilinear' or 'cubic'$"),
        ({"penetration_earlier_m": 3e3}, r"^--penetration-earlier: found 3000\.0; .* equal to 1000 m$"),
    ],
)
def test_a_wrong_option_is_named_as_it_was_typed_with_the_unit_of_its_limit(wanted, message):
    with pytest.raises(BadInput, match=message):
        asked_of("difference", None, wanted)


@pytest.mark.parametrize(
    ("typed", "day", "sigma_years"),
    [("2000", "2000-07-01", 366 / 365.25 / 12**0.5), ("2000-02", "2000-02-15", 29 / 365.25 / 12**0.5)],
)
def test_a_year_or_a_month_alone_is_read_as_its_middle_with_the_error_of_not_knowing(typed, day, sigma_years):
    wanted = days_of(earlier=typed, later=None)
    assert wanted["earlier_date"] == day
    assert wanted["sigma_earlier_date_years"] == pytest.approx(sigma_years, abs=1e-4)
    assert wanted["later_date"] is None


def test_a_whole_date_is_left_as_it_is():
    assert days_of(earlier="2000-02-16", later="2000-13") == {"earlier_date": "2000-02-16", "later_date": "2000-13"}


def test_the_settings_file_is_toml_that_explains_itself():
    text = settings_text("balance", "again", MassBalanceSettings(), BalanceOptions())
    assert tomllib.loads(text)["settings"]["year_start"] == "10-01"
    for name in MassBalanceSettings.model_fields:
        assert re.search(rf"^(# )?{name} =", text, re.MULTILINE), name
