"""What a build is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.archive import InputFile
from catalog.build.fingerprint import collection_key
from catalog.build.raw_inputs import input_files
from pipeline.progress import Tell, silent
from pipeline.scratch_folders import scratch_folder
from schemas.definition import Definition
from schemas.errors import BadInput

if TYPE_CHECKING:
    from catalog.archive import Dataset
    from pipeline.resources import Resources


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be built.

    Attributes
    ----------
    definitions : in the order in which the catalogue lists them.
    inputs : folder of raw inputs; None for the embedded synthetic sample.
    base_url : where the archive will be served from, if that is known; written into what is built, and so in no digest.
    code_version : version of this software, for the manifest.
    figures : whether maps, diagrams and thumbnails are drawn.
    """

    definitions: tuple[Definition, ...]
    inputs: Path | None
    base_url: str | None
    code_version: str
    figures: bool = True

    @property
    def synthetic(self) -> bool:
        """Whether the embedded sample stands for raw inputs."""
        return self.inputs is None

    def keys(self) -> tuple[str, ...]:
        """For each definition the digest of all that its collection depends on.

        Errors
        ------
        BadInput : a raw input is missing.
        """
        return tuple(
            self.key(definition, () if self.inputs is None else input_files(definition, self.inputs))
            for definition in self.definitions
        )

    def key(self, definition: Definition, inputs: Sequence[InputFile]) -> str:
        """That digest for raw inputs as they were found; the embedded sample follows from code and definition."""
        given = None if self.synthetic else inputs
        return collection_key(definition, given, self.code_version, figures=self.figures)

    def datasets(
        self, definitions: Sequence[Definition], resources: Resources, tell: Tell = silent
    ) -> Iterator[Dataset]:
        """The datasets of some of the definitions, computed from their raw inputs; in order, each once it is ready.

        Errors
        ------
        BadInput : an input that is missing or cannot be used.
        """
        # a second of libraries that an archive found in the cache does not need
        from catalog.build.production import produce_all

        with self._input_folder() as inputs:
            yield from produce_all(definitions, inputs, resources, synthetic=self.synthetic, tell=tell)

    @contextmanager
    def _input_folder(self) -> Iterator[Path]:
        """The user's inputs, or a temporary folder for the sample."""
        if self.inputs is not None:
            yield self.inputs
            return
        with scratch_folder() as folder:
            yield folder


def require_distinct(definitions: tuple[Definition, ...]) -> None:
    """Refuse to build nothing, or two datasets of one id.

    Errors
    ------
    BadInput : as said.
    """
    if not definitions:
        raise BadInput("datasets", "none", "at least one dataset")
    names = [definition.id for definition in definitions]
    for name in names:
        if names.count(name) > 1:
            raise BadInput(f"dataset {name}", "the same id twice", "one definition an id", "rename one of the two")
