"""The raw inputs of a definition: where they lie, and their checksums."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from catalog.archive import InputFile, sha256_of
from pipeline.inputs.find import Inputs, find_inputs
from schemas.definition import Definition

# definitions that come with a synthetic sample
ELEVATION_CHANGE_SAMPLE = "urumqi-glacier-elevation-change"
MASS_BALANCE_SAMPLE = "kuitun51-glacier-mass-balance"
WITH_A_SAMPLE = (ELEVATION_CHANGE_SAMPLE, MASS_BALANCE_SAMPLE)


def default_inputs(definitions: Sequence[Definition], paths: Sequence[Path]) -> Path | None:
    """Where raw inputs are looked for when nobody says: beside the first definition; None where all have a sample."""
    if paths and any(definition.id not in WITH_A_SAMPLE for definition in definitions):
        return paths[0].parent
    return None


def input_files(definition: Definition, inputs_folder: Path) -> tuple[InputFile, ...]:
    """The raw inputs that a definition names, with their checksums.

    Errors
    ------
    BadInput : an input that is missing.
    """
    return listed_inputs(find_inputs(definition, inputs_folder))


def listed_inputs(inputs: Inputs) -> tuple[InputFile, ...]:
    """Inputs that were found, with their checksums."""
    return tuple(
        InputFile(key, path.relative_to(inputs.folder).as_posix(), path.stat().st_size, sha256_of(path))
        for key, path in inputs.all_files()
    )
