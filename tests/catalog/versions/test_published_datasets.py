"""What stands at a target, and what may not take its place at all: said before anything is computed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from catalog.build.order import Order
from catalog.build.regeneration import regenerate
from catalog.versions.published_datasets import DataVersion, PublishedDataset, published_datasets, refuse_to_replace
from pipeline.resources import open_resources
from schemas.errors import BadInput, FailedCheck
from tests.made.fakes import make_elevation_change_definition, make_mass_balance_definition

CHANGE, BALANCE = make_elevation_change_definition(), make_mass_balance_definition()


def archive(folder: Path, datasets: Any) -> Path:
    folder.mkdir(exist_ok=True)
    content = {"archive": "glacier-archive", "format": 1, "datasets": datasets, "files": []}
    (folder / "manifest.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def published(folder: Path, *, synthetic: bool) -> Path:
    """An archive of both datasets, each in version 1.2.0."""
    names = (CHANGE.id, BALANCE.id)
    return archive(folder, [{"id": name, "version": "1.2.0", "synthetic": synthetic} for name in names])


def stating(definition: Any, version: str) -> Any:
    return definition.model_copy(update={"version": version})


DEFINITIONS = (stating(CHANGE, "1.2.0"), stating(BALANCE, "1.3.0"))


def test_versions_are_numbers_and_steps_lead_to_the_next() -> None:
    version = DataVersion.parse("1.9.10")
    assert DataVersion.parse("1.10.0") > version
    assert [str(version.after(step)) for step in ("major", "minor", "patch")] == ["2.0.0", "1.10.0", "1.9.11"]


def test_the_manifest_tells_version_and_kind(tmp_path: Path) -> None:
    found = published_datasets(published(tmp_path / "a", synthetic=True))
    assert found == dict.fromkeys((CHANGE.id, BALANCE.id), PublishedDataset(DataVersion(1, 2, 0), synthetic=True))
    assert published_datasets(tmp_path / "nowhere") == {}


@pytest.mark.parametrize(
    "datasets", [5, [3], [{}], {"a": 1}, None, [{"id": "a", "version": "1.x.0", "synthetic": True}]]
)
def test_a_damaged_manifest_is_one_clear_line(tmp_path: Path, datasets: Any) -> None:
    with pytest.raises(BadInput, match=r"manifest\.json: found no readable list of datasets.*`validate` tells"):
        published_datasets(archive(tmp_path / "a", datasets))


def test_observations_are_replaced_by_observations_of_a_version_not_lower(tmp_path: Path) -> None:
    place = published(tmp_path / "a", synthetic=False)
    refuse_to_replace(place, DEFINITIONS, synthetic=False)
    with pytest.raises(FailedCheck, match=r"version 1\.1\.9: found published in .*; expected version 1\.2\.0 or later"):
        refuse_to_replace(place, (stating(CHANGE, "1.1.9"), BALANCE), synthetic=False)


def test_the_sample_never_replaces_observations(tmp_path: Path) -> None:
    place = published(tmp_path / "a", synthetic=False)
    with pytest.raises(FailedCheck, match=r"found the synthetic sample; expected observations, .*give the raw inputs"):
        refuse_to_replace(place, DEFINITIONS, synthetic=True)


def test_no_published_dataset_is_lost(tmp_path: Path) -> None:
    place = published(tmp_path / "a", synthetic=False)
    with pytest.raises(
        FailedCheck, match=rf"dataset {BALANCE.id}: found no definition of it; .*name its definition too"
    ):
        refuse_to_replace(place, DEFINITIONS[:1], synthetic=False)


@pytest.mark.parametrize("synthetic", [True, False])
def test_anything_replaces_a_synthetic_archive_or_nothing(tmp_path: Path, synthetic: bool) -> None:
    for place in (published(tmp_path / "a", synthetic=True), tmp_path / "nowhere"):
        refuse_to_replace(place, DEFINITIONS[:1], synthetic=synthetic)


def test_a_build_is_refused_before_it_reads_anything(tmp_path: Path) -> None:
    place = published(tmp_path / "a", synthetic=False)
    order = Order(definitions=DEFINITIONS, inputs=tmp_path / "no inputs", base_url=None, code_version="0.1.0")
    told: list[str] = []
    with open_resources(1, None, 400_000_000) as resources, pytest.raises(FailedCheck, match="dataset"):
        regenerate(
            Order(definitions=DEFINITIONS[:1], inputs=None, base_url=None, code_version="0.1.0"),
            place,
            resources,
            tell=told.append,
        )
    assert told == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a"]
    with open_resources(1, None, 400_000_000) as resources, pytest.raises(BadInput, match="no such folder"):
        regenerate(order, place, resources)
