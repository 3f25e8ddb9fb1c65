"""Published values change only under a new version."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from catalog.versions.data_versions import DataVersion, refuse_unversioned_change
from schemas.definition import parse_definition
from schemas.errors import FailedCheck
from tests.catalog.build.test_regenerate import keep_as_the_sample
from tests.made.command_line import run
from tests.made.damage import DH, EC, MB, _field, in_copies, in_json, in_text, reseal, rewritten

# each builds, or copies, whole archives
pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def old(whole_archive: Path) -> Path:
    return whole_archive


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


# --- what `diff` says of versions --------------------------------------------------------------------------------


def test_diff_says_which_version_each_dataset_needs(old: Path, new: Path) -> None:
    in_copies(EC, "glaciers", 2, "mean_dh_m", "-7.000")(new)
    in_text(f"{MB}/README.md", "## Files", "## The files")(new)
    done = run("diff", old, new)
    assert done.code == 0
    assert done.out.splitlines()[-2:] == [
        "test-elevation-change: a minor change of 1.2.0 asks for 1.3.0; it states 1.2.0, which is TOO LOW",
        "test-mass-balance: a patch change of 1.2.0 asks for 1.2.1; it states 1.2.0",
    ]
    stated(new, "1.3.0")
    found = json.loads(run("diff", old, new, "--json").out)
    assert found["version_step"] == "minor"
    assert found["versions"][0] == {
        "dataset": EC, "old": "1.2.0", "new": "1.3.0", "version_step": "minor", "needed": "1.3.0", "enough": True,
    }  # fmt: skip
    assert run("diff", old, old).out.splitlines() == ["the two archives are identical"]


def test_diff_of_an_archive_without_versions_is_one_clear_line(old: Path, new: Path) -> None:
    in_json("manifest.json", lambda manifest: manifest["datasets"][0].pop("version"))(new)
    done = run("diff", old, new)
    assert done.code == 2
    assert "no readable list of datasets with their versions" in done.err
    assert len(done.err.splitlines()) == 1


def test_diff_proposes_a_changelog_that_the_definition_takes(old: Path, new: Path) -> None:
    in_copies(EC, "glaciers", 2, "mean_dh_m", "-7.000")(new)
    rewritten(DH, pixels=lambda bands: np.where(bands == -9999, bands, bands + 1))(new)
    in_text(f"{EC}/README.md", "## Files", "## The files")(new)
    in_text(f"{EC}/datapackage.json", "Elevation change of each glacier", "Change of each glacier")(new)
    done = run("diff", old, new, "--changelog")
    assert done.code == 0, done.err
    proposed = tomllib.loads(done.out)
    assert proposed["version"] == "1.3.0"
    assert proposed["changes"]["data"][0] == "glaciers: records 1 changed (mean_dh_m)"
    assert re.fullmatch(
        r"elevation-change/elevation_change\.tif: \d+ of \d+ pixels differ, by at most 1",
        proposed["changes"]["data"][1],
    )
    assert proposed["changes"]["structure"] == []
    assert proposed["changes"]["metadata"] == ["written anew: README.md, datapackage.json"]
    definition = json.loads((old / "manifest.json").read_text(encoding="utf-8"))["datasets"][0]["definition"]
    assert proposed["previous_versions"] == [
        {"version": "1.2.0", "publication_date": date.fromisoformat(definition["publication_date"]), "href": ""}
    ]
    proposed["previous_versions"][0]["href"] = "https://example.org/1.2.0/"
    parse_definition(definition | proposed, "proposed")


def test_records_and_columns_that_came_and_went_are_proposed_apart(old: Path, new: Path) -> None:
    without_first_row(new)
    in_json(f"{EC}/datapackage.json", _field("glaciers", "mean_dh_m", "unit", "cm"))(new)
    proposed = json.loads(run("diff", old, new, "--changelog", "--json").out)
    assert list(proposed) == [EC]
    assert proposed[EC]["version"] == "2.0.0"
    assert proposed[EC]["changes"]["data"] == ["glaciers: records 1 removed"]
    assert proposed[EC]["changes"]["structure"] == ["glaciers: unit of mean_dh_m 'm' -> 'cm'"]
    assert run("diff", old, old, "--changelog").out.strip() == "# nothing changed"


def test_what_comes_from_the_cache_is_compared_too(old: Path, new: Path, tmp_path: Path) -> None:
    """A finished archive in the cache does not slip past the comparison with what is published."""
    in_copies(EC, "glaciers", 2, "mean_dh_m", "-7.000")(new)
    reseal(new)
    keep_as_the_sample(new, tmp_path / "cache")
    out = Path(shutil.copytree(old, tmp_path / "published"))
    done = run("build", "--cache", tmp_path / "cache", "--out", out, "--quiet")
    assert done.code == 1
    assert "dataset test-elevation-change, version 1.2.0: found a minor change" in done.err
    assert (out / "manifest.json").read_bytes() == (old / "manifest.json").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "new", "published"]


def test_colours_alone_are_no_change_of_values(old: Path, new: Path) -> None:
    picture = f"{EC}/elevation-change/visual.tif"
    rewritten(picture, pixels=lambda bands: 255 - bands)(new)
    refuse_unversioned_change(old, new)
    assert "visual.tif" in run("diff", old, new).out
