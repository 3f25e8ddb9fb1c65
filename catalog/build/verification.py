"""Whether an archive can be built again to the same bytes, from the inputs and settings that it records."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.address import address_archive, base_of
from catalog.archive import MANIFEST_JSON, WrongForm, formed, manifest_of, tool_versions
from catalog.build.assembly import assemble
from catalog.build.order import Order
from catalog.build.raw_inputs import input_files
from catalog.versions import ArchiveDifference, compare_archives
from pipeline.progress import Tell, silent
from pipeline.resources import Resources
from pipeline.scratch_folders import scratch_folder
from schemas.definition import Definition, parse_definition
from schemas.errors import BadDefinition, BadInput


@dataclass(frozen=True)
class Verification:
    """What differs between an archive and its rebuilding.

    Attributes
    ----------
    archive : the archive that was rebuilt.
    difference : of its files, the archive as the old one.
    tools : for each library, and this software, whose version is another: as recorded, and as here.
    """

    archive: Path
    difference: ArchiveDifference
    tools: dict[str, tuple[str, str]]

    @property
    def passed(self) -> bool:
        """Whether every byte is the same."""
        return self.difference.version_step == "none"

    @property
    def values_agree(self) -> bool:
        """Whether every value and every pixel of data is the same, whatever else differs."""
        return self.difference.version_step in ("none", "patch")

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        tools = {name: {"recorded": recorded, "here": here} for name, (recorded, here) in self.tools.items()}
        verdict = {"archive": str(self.archive), "passed": self.passed, "values_agree": self.values_agree}
        return {**verdict, "tools": tools, **self.difference.to_dict()}

    def lines(self) -> list[str]:
        """For people: the tools that differ, what differs, and the verdict."""
        tools = [f"{name}: {recorded} when built, {here} here" for name, (recorded, here) in self.tools.items()]
        if self.passed:
            return [*tools, f"{self.archive}: built again to the same bytes"]
        lines = [*tools, *self.difference.lines()[:-1], f"{self.archive}: NOT the same when built again"]
        if self.values_agree:
            why = ", as other versions of the tools leave" if self.tools else ""
            lines.append(
                f"every value and pixel agrees; what differs are documents, pictures or how files are written{why}"
            )
        return lines


def verify(
    archive: Path, inputs: Path | None, resources: Resources, *, code_version: str, tell: Tell = silent
) -> Verification:
    """Build an archive again, beside it and without a cache, and compare every byte.

    Parameters
    ----------
    archive : folder of an archive of ours; it is only read.
    inputs : folder of the raw inputs it was built from; None for one built from the embedded sample.

    Errors
    ------
    BadInput : no archive of ours; raw inputs that are missing or not those that were recorded.
    """
    manifest = manifest_of_build(archive)
    order = order_of(archive, manifest, inputs, code_version)
    with built_again(order, resources, "verify-", tell) as rebuilt:
        difference = compare_archives(archive, rebuilt)
    return Verification(archive, difference, other_tools(manifest, code_version))


def manifest_of_build(archive: Path) -> dict[str, Any]:
    """The manifest of an archive that `build` made.

    Errors
    ------
    BadInput : there is none, or one that lists no dataset.
    """
    manifest = manifest_of(archive)
    if manifest is None or not manifest.get("datasets"):
        raise BadInput(
            str(archive), "no manifest.json that lists datasets", "the folder of an archive built by `build`"
        )
    return manifest


@contextmanager
def built_again(order: Order, resources: Resources, prefix: str, tell: Tell) -> Iterator[Path]:
    """An archive as the order asks for it, at its address, in a scratch folder that goes when it has been compared."""
    with scratch_folder(prefix) as folder:
        rebuilt = folder / "archive"
        rebuilt.mkdir()
        assemble(order, rebuilt, resources, tell=tell)
        if base := base_of(order.base_url):
            address_archive(rebuilt, base, rebuilt, tell)
        tell("comparing")
        yield rebuilt


def order_of(archive: Path, manifest: dict[str, Any], inputs: Path | None, code_version: str) -> Order:
    """What was built, from the manifest; the raw inputs must be those that it records.

    Errors
    ------
    BadInput : as said, or a manifest of another form.
    """
    synthetic = bool(manifest.get("synthetic"))
    if not synthetic and inputs is None:
        raise BadInput(str(archive), "an archive of real data", "the folder of its raw inputs", "name it with --inputs")
    if synthetic and inputs is not None:
        sample, expected = "an archive of the embedded sample", "no --inputs: the sample follows from the software"
        raise BadInput(str(archive), sample, expected)
    try:
        definitions = tuple(_definition(entry, archive) for entry in formed(MANIFEST_JSON, manifest)["datasets"])
        for entry, definition in zip(manifest["datasets"], definitions, strict=True):
            if inputs is not None:
                _require_recorded(entry, definition, inputs)
    except (KeyError, WrongForm) as error:
        raise BadInput(f"{archive}/{MANIFEST_JSON}", f"no usable {error}", "the manifest of a build") from None
    figures = manifest.get("figures") is not False
    return Order(
        definitions=definitions,
        inputs=inputs,
        base_url=manifest.get("base_url"),
        code_version=code_version,
        figures=figures,
    )


def other_tools(manifest: dict[str, Any], code_version: str) -> dict[str, tuple[str, str]]:
    """Version as recorded and as here of every tool for which the two differ."""
    recorded = {**manifest.get("tools", {}), "glacier-archive": manifest.get("code_version", "")}
    here = {**tool_versions(), "glacier-archive": code_version}
    return {
        name: (str(recorded.get(name, "none")), here.get(name, "none"))
        for name in sorted({*recorded, *here})
        if recorded.get(name) != here.get(name)
    }


def _definition(entry: dict[str, Any], archive: Path) -> Definition:
    where = f"{archive}/manifest.json: definition of {entry.get('id')}"
    if not isinstance(entry.get("definition"), dict):
        raise BadDefinition(where, "nothing", "the definition it was built from", "built by an earlier version?")
    return parse_definition(entry["definition"], where)


def _require_recorded(entry: dict[str, Any], definition: Definition, inputs: Path) -> None:
    """Refuse raw inputs that are not those that the archive was built from."""
    recorded = {file["name"]: file["sha256"] for file in entry["inputs"]}
    here = {file.name: file.sha256 for file in input_files(definition, inputs)}
    for name in sorted({*recorded, *here}):
        if recorded.get(name) != here.get(name):
            given = "no such file" if name not in here else "a file that was not recorded"
            given = f"sha256 {here[name][:12]}..." if name in recorded and name in here else given
            expected = f"sha256 {recorded[name][:12]}..., as recorded" if name in recorded else "only recorded inputs"
            raise BadInput(
                str(inputs / name), given, expected, "verify with the inputs that the archive was built from"
            )
