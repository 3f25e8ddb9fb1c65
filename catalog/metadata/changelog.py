"""What each version of a dataset changed, as CHANGELOG.md: data, structure and metadata apart."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from catalog.archive import CHANGELOG_MD, CollectionFolder
from catalog.metadata.markdown import markdown_line
from schemas.definition import Changes, Definition

_RULES = (
    "Versions follow SemVer for data. Major: records were added or removed, or a column changed its meaning. "
    "Minor: values changed. Patch: metadata only."
)
_SYNTHETIC = "**Synthetic sample.** All numbers come from made-up inputs with known truth. They are not observations."
_TITLES = (("Data", "data"), ("Structure", "structure"), ("Metadata", "metadata"))


def write_changelog(definition: Definition, synthetic: bool, folder: CollectionFolder) -> None:
    """Write CHANGELOG.md of a collection."""
    path = folder.path / CHANGELOG_MD
    path.write_text(changelog_text(definition, synthetic), encoding="utf-8", newline="\n")


def changelog_text(definition: Definition, synthetic: bool) -> str:
    """The changelog as Markdown, the newest version first; it follows from the definition alone.

    Parameters
    ----------
    synthetic : whether the collection is made of the embedded sample, which is then said.
    """
    lines = [f"# Changelog of {markdown_line(definition.title.en)}", ""]
    if synthetic:
        lines += [_SYNTHETIC, ""]
    lines += [_RULES, ""]
    if other := definition.successor:
        lines += _version(other.version, other.publication_date, other.changes, "")
        lines += [f"Replaces the version of this folder; published at <{other.address}>.", ""]
    previous = definition.previous_versions
    silent = "" if previous else "The first version."
    lines += _version(definition.version, definition.publication_date, definition.changes, silent)
    for place, other in reversed(list(enumerate(previous))):
        silent = "What it changed is not recorded." if place else "The first version."
        lines += _version(other.version, other.publication_date, other.changes, silent)
        lines += [f"Published at <{other.address}>.", ""]
    return "\n".join(lines)


def _version(version: str, published: date, changes: Changes, silent: str) -> Iterator[str]:
    """A version's heading and lists; ``silent`` stands where it states no change."""
    yield from (f"## {version} ({published.isoformat()})", "")
    if not changes.stated and silent:
        yield from (silent, "")
    for title, name in _TITLES:
        if entries := getattr(changes, name):
            yield from (f"### {title}", "", *(f"- {markdown_line(entry)}" for entry in entries), "")
