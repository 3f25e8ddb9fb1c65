"""Under which licence each package of the locked environment comes, as the package itself states it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import metadata

_LOCKED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)
_CLASSIFIER = "License :: "
_LONGEST = 60


@dataclass(frozen=True)
class LockedPackage:
    """A package of the lock: its name in the form in which indexes compare them, and its version."""

    name: str
    version: str


def canonical(name: str) -> str:
    """The name as indexes compare it (PEP 503): lower case, runs of '-', '_' and '.' as one '-'."""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked_packages(lock: str) -> tuple[LockedPackage, ...]:
    """The packages of a lock file's text (requirements with hashes), sorted by name."""
    found = [LockedPackage(canonical(name), version) for name, version in _LOCKED.findall(lock)]
    return tuple(sorted(found, key=lambda package: package.name))


def licence_of(name: str) -> str:
    """The licence that an installed package states; empty where it states none, or is not installed.

    First the SPDX expression (PEP 639), then the classifiers, then the first line of the free text, then the first line
    of the licence's own text.
    """
    try:
        about = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return ""
    if "License-Expression" in about:
        return str(about["License-Expression"])
    classified = [
        entry.rpartition(" :: ")[2] for entry in about.get_all("Classifier") or [] if entry.startswith(_CLASSIFIER)
    ]
    named = [entry for entry in classified if entry != "OSI Approved"]
    if named:
        return ", ".join(sorted(set(named)))  # whether all hold or one may be chosen, classifiers do not say
    lines = [line.strip() for line in (about["License"] if "License" in about else "").splitlines() if line.strip()]  # noqa: SIM401 - its type promises no get
    # some put the whole text there: its first line names it
    if lines and lines[0] != "UNKNOWN":
        return lines[0][:_LONGEST]
    return _title_of_the_text(name)


def _title_of_the_text(name: str) -> str:
    """The first line of the licence's text that comes with a package; empty where none comes."""
    texts = sorted(str(path) for path in metadata.files(name) or () if path.stem.upper() in ("LICENSE", "LICENCE"))
    for text in texts:
        found = metadata.distribution(name).read_text(text.rpartition(".dist-info/")[2]) or ""
        if title := next((line.strip() for line in found.splitlines() if line.strip()), ""):
            return title[:_LONGEST]
    return ""


def licences_page(lock: str) -> str:
    """Markdown: every locked package with version and licence.

    It is generated in the locked environment; a package of other platforms is not installed there and shows as such.
    """
    lines = [
        "# Licences of the locked packages",
        "",
        "What `requirements-dev.lock` installs, the program's own libraries (`requirements.lock`) among them, each with"
        " the licence that the package's own metadata state.",
        "",
        "| package | version | licence |",
        "| --- | --- | --- |",
    ]
    for package in locked_packages(lock):
        licence = licence_of(package.name).replace("|", "\\|") or "not installed on this platform"
        lines.append(f"| {package.name} | {package.version} | {licence} |")
    return "\n".join(lines) + "\n"
