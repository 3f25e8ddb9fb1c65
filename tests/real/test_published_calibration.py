"""The published calibration of Oberaargletscher: the calibrated column from the other two, to 1 mm w.e."""

from __future__ import annotations

import csv

import pytest

from pipeline.mass_balance.proof.calibration import GeodeticSum, calibrated
from tests.pipeline.mass_balance.proof.test_calibration import a_year
from tests.real.data import REAL_DATA, needs_real_data


@needs_real_data
def test_oberaargletscher_to_a_millimetre() -> None:
    with (REAL_DATA / "mass_balance" / "oberaar_calibration.csv").open(encoding="utf-8") as stream:
        rows = [[cell.strip() for cell in row] for row in csv.reader(stream)][2:]  # the first year is the zero
    assert [row[0] for row in rows] == ["2014", "2015", "2016", "2017", "2018", "2019"]
    years = [a_year(int(row[0]), float(row[1])) for row in rows]
    geodetic = sum(float(row[2]) for row in rows)
    series = calibrated(years, GeodeticSum(2014, 2019, geodetic, 0.5))
    assert [one.calibrated_m_we for one in series] == pytest.approx([float(row[3]) for row in rows], abs=0.001)
