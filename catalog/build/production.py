"""From a definition and a folder of raw inputs to a dataset ready for publication."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pandas as pd

from catalog.archive import Dataset, InputFile, stable_terrain
from catalog.build.raw_inputs import ELEVATION_CHANGE_SAMPLE, MASS_BALANCE_SAMPLE, listed_inputs
from pipeline.elevation_change.chain import elevation_change
from pipeline.elevation_change.result import ElevationChange
from pipeline.inputs.find import GEOIDS, Inputs, find_inputs
from pipeline.mass_balance.chain import mass_balance
from pipeline.mass_balance.fieldwork import read_field_data
from pipeline.mass_balance.proof import with_surveys
from pipeline.mass_balance.result import MassBalance
from pipeline.progress import Tell, silent
from pipeline.quality_gates import judge
from pipeline.resources import Resources
from pipeline.sample.kuitun import write_kuitun_inputs
from pipeline.sample.urumqi import write_urumqi_inputs
from schemas.definition import Definition, ElevationChangeDefinition, MassBalanceDefinition
from schemas.errors import BadInput

SAMPLES = {
    ELEVATION_CHANGE_SAMPLE: write_urumqi_inputs,
    MASS_BALANCE_SAMPLE: write_kuitun_inputs,
}


def write_sample(definition: Definition, folder: Path, tell: Tell = silent) -> None:
    """Write the embedded synthetic inputs of a definition below ``folder``.

    Errors
    ------
    BadInput : the definition has no embedded sample.
    """
    writer = SAMPLES.get(definition.id)
    if writer is None:
        raise BadInput(
            f"definition {definition.id}", "no raw inputs", "a folder of raw inputs",
            f"give it with --inputs; only {' and '.join(SAMPLES)} come with a sample",
        )  # fmt: skip
    writer(folder / definition.id, tell=tell)


def produce(
    definition: Definition, inputs_folder: Path, resources: Resources, *, synthetic: bool, tell: Tell = silent
) -> Dataset:
    """Run the chain that a definition asks for on the inputs it names, or on its synthetic sample, written there first.

    Errors
    ------
    BadInput : an input that is missing or cannot be used.
    """
    if synthetic:
        write_sample(definition, inputs_folder, tell)
    inputs = find_inputs(definition, inputs_folder)
    files = listed_inputs(inputs)
    if isinstance(definition, ElevationChangeDefinition):
        if definition.pairs:
            return _pairs(definition, inputs, files, resources, synthetic=synthetic, tell=tell)
        result: ElevationChange | MassBalance = _elevation_change(definition, inputs, resources, tell)
    else:
        result = _mass_balance(definition, inputs, resources, tell)
    return Dataset(
        definition=definition, result=result, inputs=files, synthetic=synthetic, gates=judge(definition.gates, result)
    )


def produce_all(
    definitions: Sequence[Definition],
    inputs_folder: Path,
    resources: Resources,
    *,
    synthetic: bool,
    tell: Tell = silent,
) -> Iterator[Dataset]:
    """``produce`` for every definition, side by side; in their order, each as soon as it and those before are ready."""
    pool = ThreadPoolExecutor(max(1, len(definitions)))
    try:
        waiting: list[Future[Dataset]] = [
            pool.submit(produce, definition, inputs_folder, resources, synthetic=synthetic, tell=tell)
            for definition in definitions
        ]
        for future in waiting:
            yield future.result()
    finally:
        # after an error nobody waits for the other dataset
        pool.shutdown(wait=False, cancel_futures=True)


def _pairs(
    definition: ElevationChangeDefinition,
    inputs: Inputs,
    files: tuple[InputFile, ...],
    resources: Resources,
    *,
    synthetic: bool,
    tell: Tell,
) -> Dataset:
    """The elevation change of each pair of DEMs that a definition names, one after the other."""
    parts = []
    for pair in definition.pairs:
        own, name = definition.of_pair(pair), definition.pair_name(pair)
        tell(f"Elevation change {name}")
        paths = {
            "earlier": inputs.files[pair.earlier],
            "later": inputs.files[pair.later],
            "outlines": tuple(path for key in pair.outlines for path in inputs.files.get(key, ())),
        }
        result = _elevation_change(own, Inputs(inputs.folder, paths), resources, tell)
        gates = judge(definition.gates, result)
        gates["subject"] = stable_terrain(name)
        used = tuple(file for file in files if file.source in (*pair.keys, GEOIDS))
        parts.append(Dataset(definition=own, result=result, inputs=used, synthetic=synthetic, gates=gates, pair=name))
    verdicts = pd.concat([part.gates for part in parts], ignore_index=True)
    return Dataset(
        definition=definition,
        result=parts[0].result,
        inputs=files,
        synthetic=synthetic,
        gates=verdicts,
        pairs=tuple(parts),
    )


def _elevation_change(
    definition: ElevationChangeDefinition, inputs: Inputs, resources: Resources, tell: Tell
) -> ElevationChange:
    extent = definition.extent
    settings = definition.processing
    datums = {
        "vertical_datum_earlier": settings.vertical_datum_earlier
        or definition.source("earlier").vertical_datum
        or None,
        "vertical_datum_later": settings.vertical_datum_later or definition.source("later").vertical_datum or None,
    }
    return elevation_change(
        inputs.files["earlier"],
        inputs.files["later"],
        settings.model_copy(update={"crs": settings.crs or definition.crs, **datums}),
        outlines=inputs.files["outlines"],
        geoids=inputs.geoids,
        region_lonlat=(extent.west, extent.south, extent.east, extent.north),
        sources=definition.sources,
        period=definition.period,
        resources=resources,
        tell=tell,
    )


def _mass_balance(definition: MassBalanceDefinition, inputs: Inputs, resources: Resources, tell: Tell) -> MassBalance:
    limits = [gate.limit / 1000 for gate in definition.gates if gate.measure == "sigma_annual_balance"]
    result = mass_balance(
        read_field_data(inputs.one("workbook"), not_after=definition.publication_date, glacier=definition.glacier),
        definition.processing,
        dem=inputs.one("dem"),
        outline=inputs.one("outline"),
        sigma_limit_m_we=min(limits, default=None),
        tell=tell,
    )
    if not {"dem_earlier", "dem_later"} <= set(inputs.files):
        return result
    return with_surveys(
        result,
        (inputs.one("dem_earlier"), inputs.one("dem_later")),
        inputs.one("outline"),
        days=(definition.source("dem_earlier").acquired_start, definition.source("dem_later").acquired_start),
        resources=resources,
        tell=tell,
    )
