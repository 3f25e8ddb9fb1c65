"""What changed from one version of an archive to the next, by record."""

from typing import TYPE_CHECKING

from pipeline.lazy_names import lazy_names

if TYPE_CHECKING:
    from catalog.versions.compare import ArchiveDifference, compare_archives
    from catalog.versions.data_versions import compare_versions, refuse_unversioned_change
    from catalog.versions.file_difference import what_differs
    from catalog.versions.proposed_changes import propose_changes
    from catalog.versions.published_datasets import (
        DataVersion,
        PublishedDataset,
        refuse_to_replace,
        refuse_to_supersede,
        stated_datasets,
    )

__all__ = [
    "ArchiveDifference",
    "DataVersion",
    "PublishedDataset",
    "compare_archives",
    "compare_versions",
    "propose_changes",
    "refuse_to_replace",
    "refuse_to_supersede",
    "refuse_unversioned_change",
    "stated_datasets",
    "what_differs",
]
__getattr__ = lazy_names(
    __name__,
    {
        "compare": ("ArchiveDifference", "compare_archives"),
        "data_versions": ("compare_versions", "refuse_unversioned_change"),
        "file_difference": ("what_differs",),
        "proposed_changes": ("propose_changes",),
        "published_datasets": (
            "DataVersion",
            "PublishedDataset",
            "refuse_to_replace",
            "refuse_to_supersede",
            "stated_datasets",
        ),
    },
)
