"""SemVer for data: published values change only under a new version.

Major: records were added or removed, or a column changed its meaning. Minor: values changed. Patch: metadata only.
``catalog.versions.compare`` decides which of them a change is.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.versions.compare import ArchiveDifference, Step, compare_archives
from catalog.versions.published_datasets import DataVersion, published_datasets
from schemas.errors import FailedCheck

_TOLD = 3
_BUILD = (
    "build into another folder with --out, or raise the version in its definition (`diff OLD NEW --changelog` "
    "between the two folders says to what)"
)
_PUBLISH = "raise the version in its definition and build again, or publish to another destination"


@dataclass(frozen=True)
class DatasetVersions:
    """The versions of a dataset in two archives.

    Attributes
    ----------
    dataset : its id.
    old, new : as the manifests state them.
    step : what its changes ask for.
    """

    dataset: str
    old: DataVersion
    new: DataVersion
    step: Step

    @property
    def needed(self) -> DataVersion:
        """The lowest version that the new archive may state."""
        if self.step == "none":
            return self.old
        return self.old.after(self.step)

    @property
    def enough(self) -> bool:
        """Whether the new archive states it; metadata may be mended under one version until it is published again."""
        return self.new >= (self.old if self.step == "patch" else self.needed)

    def __str__(self) -> str:
        if self.step == "none":
            return f"{self.dataset}: unchanged, version {self.new}"
        verdict = "" if self.enough else ", which is TOO LOW"
        return (
            f"{self.dataset}: a {self.step} change of {self.old} asks for {self.needed}; it states {self.new}{verdict}"
        )


@dataclass(frozen=True)
class Comparison:
    """What differs between two archives, and the versions that their datasets state."""

    difference: ArchiveDifference
    versions: tuple[DatasetVersions, ...]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        versions = [
            {
                "dataset": one.dataset, "old": str(one.old), "new": str(one.new), "version_step": one.step,
                "needed": str(one.needed), "enough": one.enough,
            }
            for one in self.versions
        ]  # fmt: skip
        return {**self.difference.to_dict(), "versions": versions}

    def lines(self) -> list[str]:
        """For people."""
        if self.difference.version_step == "none":
            return self.difference.lines()
        return [*self.difference.lines(), *map(str, self.versions)]


def compare_versions(old: Path, new: Path) -> Comparison:
    """Compare two archives, and hold what changed in each dataset against the versions that it states.

    Errors
    ------
    BadInput : one of the two is no archive of ours, or states no versions.
    """
    difference = compare_archives(old, new)
    before, after = published_datasets(old), published_datasets(new)
    versions = tuple(
        DatasetVersions(name, before[name].version, after[name].version, difference.below(name).version_step)
        for name in sorted(before.keys() & after.keys())
    )
    return Comparison(difference, versions)


def refuse_unversioned_change(published: Path, new: Path, address: str = "") -> None:
    """Refuse a new archive that changes published values without saying so in its version.

    A synthetic archive publishes no observation: real data may replace it under any version.

    Parameters
    ----------
    published : the archive that stands at the target; nothing is refused where there is none.
    new : the archive that would replace it.
    address : where people read it, if that is another place.

    Errors
    ------
    FailedCheck : a dataset whose values, records or columns differ while its version is below what that asks for, or
        whose version went back.
    """
    before, after = published_datasets(published), published_datasets(new)
    shared = [name for name in after if name in before and not (before[name].synthetic and not after[name].synthetic)]
    if not shared:
        return
    difference = compare_archives(published, new)
    for name in shared:
        changed = difference.below(name)
        versions = DatasetVersions(name, before[name].version, after[name].version, changed.version_step)
        _refuse(versions, changed, address or str(published), _BUILD if not address else _PUBLISH)


def _refuse(versions: DatasetVersions, difference: ArchiveDifference, published: str, advice: str) -> None:
    old = versions.old
    where = f"dataset {versions.dataset}, version {versions.new}"
    if versions.new < old:
        raise FailedCheck(where, f"version {old} published in {published}", f"version {old} or later", advice)
    if not versions.enough:
        changes = "; ".join(_told(difference))
        change = f"a {versions.step} change of the values published in {published} as version {old} ({changes})"
        raise FailedCheck(where, change, f"version {versions.needed} or later", advice)


def _told(difference: ArchiveDifference) -> list[str]:
    """The first changes of each kind that asks for a new version, and how many there are."""
    changes = [
        *(f"{change.table.rpartition('/')[2]}: {change.what}" for change in difference.meanings),
        *(f"{change.table.rpartition('/')[2]}: {change}" for change in difference.records),
        *(str(change).rpartition("/")[2] for change in difference.rasters),
        *(f"{change.kind} {change.path.rpartition('/')[2]}" for change in difference.files if change.kind != "changed"),
    ]
    more = [f"and {len(changes) - _TOLD} more"] if len(changes) > _TOLD else []
    return [*changes[:_TOLD], *more]
