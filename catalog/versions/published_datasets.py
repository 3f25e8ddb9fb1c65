"""What stands published at a target: its datasets, their versions, and what may not take their place at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from catalog.archive import MANIFEST_JSON, formed, manifest_of
from schemas.definition import Definition
from schemas.errors import BadInput, FailedCheck

_ELSEWHERE = "build into another folder with --out"


@dataclass(frozen=True, order=True)
class DataVersion:
    """A version ``major.minor.patch`` of a dataset."""

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> DataVersion:
        """From ``"1.2.3"``, as definitions and manifests state it."""
        major, minor, patch = (int(part) for part in text.split("."))
        return cls(major, minor, patch)

    def after(self, step: Literal["major", "minor", "patch"]) -> DataVersion:
        """The lowest version that a change of this size may carry."""
        if step == "patch":
            return DataVersion(self.major, self.minor, self.patch + 1)
        return DataVersion(self.major + 1, 0, 0) if step == "major" else DataVersion(self.major, self.minor + 1, 0)

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


@dataclass(frozen=True)
class PublishedDataset:
    """A dataset of an archive: its version, and whether it was made of synthetic inputs."""

    version: DataVersion
    synthetic: bool


def published_datasets(folder: Path) -> dict[str, PublishedDataset]:
    """What the manifest of ``folder`` states of each dataset, by id; nothing where there is no archive.

    Errors
    ------
    BadInput : a manifest that does not say which datasets of which versions it has.
    """
    return stated_datasets(manifest_of(folder) or {}, str(folder))


def stated_datasets(manifest: dict[str, Any], where: str) -> dict[str, PublishedDataset]:
    """What a manifest states of each dataset, by id.

    Parameters
    ----------
    where : how errors name the archive.

    Errors
    ------
    BadInput : as ``published_datasets``.
    """
    try:
        return {
            str(entry["id"]): PublishedDataset(DataVersion.parse(entry["version"]), bool(entry.get("synthetic")))
            for entry in formed(MANIFEST_JSON, manifest).get("datasets", ())
        }
    except (KeyError, ValueError):  # WrongForm is a ValueError
        raise BadInput(
            f"{where}/{MANIFEST_JSON}",
            "no readable list of datasets with their versions",
            "the manifest of a whole archive",
            "`validate` tells what is damaged",
        ) from None


def refuse_to_replace(published: Path, definitions: Sequence[Definition], *, synthetic: bool) -> None:
    """Refuse, before anything is computed, what may not take the place of the archive at ``published`` at all.

    A synthetic dataset publishes no observation: anything may replace it.

    Parameters
    ----------
    published : the target; nothing is refused where no archive stands there.
    definitions : of the archive that would replace it.
    synthetic : whether that would be made of the embedded sample.

    Errors
    ------
    FailedCheck : a dataset of observations would be lost, replaced by the sample, or go back to an earlier version.
    """
    wanted = {definition.id: DataVersion.parse(definition.version) for definition in definitions}
    for name, there in published_datasets(published).items():
        if there.synthetic:
            continue
        where, stands = f"dataset {name}", f"published in {published} as version {there.version}"
        if name not in wanted:
            advice = f"name its definition too, or {_ELSEWHERE}"
            raise FailedCheck(where, "no definition of it", f"every dataset {stands}", advice)
        if synthetic and not there.synthetic:
            sample, advice = "the synthetic sample", f"give the raw inputs with --inputs, or {_ELSEWHERE}"
            raise FailedCheck(where, sample, f"observations, as {stands}", advice)
        if wanted[name] < there.version:
            advice = f"raise the version in its definition, or {_ELSEWHERE}"
            raise FailedCheck(f"{where}, version {wanted[name]}", stands, f"version {there.version} or later", advice)


def refuse_to_supersede(
    there: Mapping[str, PublishedDataset], coming: Mapping[str, PublishedDataset], where: str
) -> None:
    """Refuse to publish what may not take the place of the archive that people read at ``where``.

    Errors
    ------
    FailedCheck : a dataset would be lost, observations be replaced by a sample, or a version go back.
    """
    for name, old in there.items():
        stands = f"published at {where} as version {old.version}"
        new = coming.get(name)
        if new is None:
            raise FailedCheck(
                f"dataset {name}", "an archive without it", f"every dataset {stands}", "publish to another destination"
            )
        if new.synthetic and not old.synthetic:
            raise FailedCheck(
                f"dataset {name}", "a synthetic sample", f"observations, as {stands}", "publish to another destination"
            )
        if new.version < old.version and old.synthetic == new.synthetic:
            raise FailedCheck(
                f"dataset {name}, version {new.version}", stands, f"version {old.version} or later",
                f"an earlier version that was kept stands at {where}/versions/; publish others elsewhere",
            )  # fmt: skip
