"""Published values change only under a new version."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from catalog.data_versions import DataVersion, refuse_unversioned_change
from schemas.errors import FailedCheck
from tests.damage import DH, EC, MB, in_copies, in_json, in_text, rewritten
from tests.whole_archive import build


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("published") / "archive"
    build(out)
    return out


@pytest.fixture
def new(old: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(old, tmp_path / "new"))


def stated(root: Path, version: str, name: str = EC) -> None:
    def edit(manifest: dict) -> None:
        next(entry for entry in manifest["datasets"] if entry["id"] == name)["version"] = version

    in_json("manifest.json", edit)(root)


def stated_version(root: Path, name: str) -> str:
    manifest = json.loads((root / "manifest.json").read_text(encoding="utf-8"))
    return next(entry["version"] for entry in manifest["datasets"] if entry["id"] == name)


def without_first_row(root: Path) -> None:
    path = root / EC / "tables" / "glaciers.csv"
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    frame.iloc[1:].to_csv(path, index=False, lineterminator="\n")


def test_versions_are_ordered_as_numbers() -> None:
    assert DataVersion.parse("1.10.0") > DataVersion.parse("1.9.3")
    assert str(DataVersion.parse("1.2.3").after("minor")) == "1.3.0"
    assert str(DataVersion.parse("1.2.3").after("major")) == "2.0.0"


def test_the_same_archive_and_no_archive_are_accepted(old: Path, new: Path, tmp_path: Path) -> None:
    refuse_unversioned_change(old, new)
    refuse_unversioned_change(tmp_path / "absent", new)


def test_metadata_may_change_under_the_same_version(old: Path, new: Path) -> None:
    in_text(f"{EC}/README.md", "## Files", "## The files")(new)
    refuse_unversioned_change(old, new)


def test_a_changed_value_asks_for_a_minor_version(old: Path, new: Path) -> None:
    in_copies(EC, "glaciers", 2, "mean_dh_m", "-7.000")(new)
    told = r"test-elevation-change, version 1.2.0: found a minor change .*mean_dh_m.*expected version 1.3.0 or later"
    with pytest.raises(FailedCheck, match=told) as refusal:
        refuse_unversioned_change(old, new)
    assert refusal.value.exit_code == 1
    stated(new, "1.2.1")
    with pytest.raises(FailedCheck, match=r"expected version 1.3.0 or later"):
        refuse_unversioned_change(old, new)
    stated(new, "1.3.0")
    refuse_unversioned_change(old, new)


def test_changed_pixels_ask_for_a_minor_version(old: Path, new: Path) -> None:
    rewritten(DH, pixels=lambda bands: np.where(bands == -9999, bands, bands + 1))(new)
    with pytest.raises(FailedCheck, match=r"elevation_change.tif: \d+ of \d+ pixels differ, by at most 1"):
        refuse_unversioned_change(old, new)


def test_a_record_less_asks_for_a_major_version(old: Path, new: Path) -> None:
    without_first_row(new)
    stated(new, "1.7.0")
    with pytest.raises(FailedCheck, match=r"a major change.*removed glacier_id.*expected version 2.0.0 or later"):
        refuse_unversioned_change(old, new)


def test_only_the_dataset_that_changed_is_asked(old: Path, new: Path) -> None:
    in_copies(MB, "glacier_balances", 0, "annual_balance_m_we", "0.50")(new)
    stated(new, "2.0.0", MB)
    refuse_unversioned_change(old, new)
    stated(new, stated_version(old, MB), MB)
    with pytest.raises(FailedCheck, match="dataset test-mass-balance"):
        refuse_unversioned_change(old, new)


def test_a_version_never_goes_back(old: Path, new: Path) -> None:
    stated(new, "0.9.0")
    with pytest.raises(FailedCheck, match=r"version 0.9.0: found version 1.2.0 published"):
        refuse_unversioned_change(old, new)


def test_real_data_replace_a_synthetic_sample_under_any_version(old: Path, new: Path) -> None:
    in_copies(EC, "glaciers", 2, "mean_dh_m", "-7.000")(new)
    sample = new.parent / "sample"
    shutil.copytree(old, sample)
    in_json("manifest.json", lambda manifest: [entry.update(synthetic=True) for entry in manifest["datasets"]])(sample)
    in_json("manifest.json", lambda manifest: [entry.update(synthetic=False) for entry in manifest["datasets"]])(new)
    refuse_unversioned_change(sample, new)
    with pytest.raises(FailedCheck):
        refuse_unversioned_change(new, sample)
