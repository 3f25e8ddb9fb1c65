"""How often the truth lies within the stated errors of the mass balance, by family of glaciers and network of stakes.

    python -m benchmarks.coverage_by_network [--glaciers 120] [--years 4] [--families wind plain]
        [--networks all_elevations ...] [--workers 1] [--out FOLDER] [--before COVERAGE.json]

Two families of synthetic glaciers (``tests/made/glacier_families.py``), five networks each
(``tests/made/glacier_fieldwork.py``). Family 'wind' is for tuning; family 'plain' is HELD OUT: it is run to report, and
no setting, prior or term may be chosen by what comes out. Seeds are fixed: glacier k of a family is always the same,
and all networks stand on the same glaciers. The surveys are read from CSVs and go through the chain with its default
settings and the contour method, on a 25 m grid.

Printed by family, network and quantity: number of glacier-years, bias, root mean square error, mean stated sigma, and
the share of truths within 1 and 1.96 stated sigma (68 and 95 % where errors are honest and normal). ELA and AAR are
intervals: a line off the glacier counts as the glacier's lowest or highest point, and a result or truth there agrees
with an interval that reaches it. ``--out`` writes coverage.json, coverage.md, and rows.csv with every single result;
``--before`` sets the coverage.json of an earlier run beside this one.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import multiprocessing
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

# as the command line has it, and before numpy is loaded
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from pipeline.mass_balance import BalanceYear, mass_balance, read_field_data
from schemas.settings import MassBalanceSettings
from tests.made.glacier_families import FAMILIES, Family, YearTruth, synthetic_glacier
from tests.made.glacier_fieldwork import NETWORKS, write_fieldwork

SETTINGS = MassBalanceSettings(resolution_m=25.0)
QUANTITIES = {"annual": "m w.e.", "winter": "m w.e.", "summer": "m w.e.", "ela": "m", "aar": ""}
# half the last published digit: what two equal numbers may differ by where no error is stated
_ROUNDING = {"annual": 0.005, "winter": 0.005, "summer": 0.005, "ela": 0.5, "aar": 0.005}


@dataclass(frozen=True)
class Compared:
    """One number beside its truth; ``sigma`` is 0 where none is stated."""

    quantity: str
    value: float
    truth: float
    sigma: float

    @property
    def error(self) -> float:
        return self.value - self.truth

    def within(self, sigmas: float) -> bool:
        """Whether the truth lies within so many stated standard deviations."""
        return abs(self.error) <= max(sigmas * self.sigma, _ROUNDING[self.quantity])


@dataclass(frozen=True, kw_only=True)
class Row(Compared):
    """Where and when a number was compared."""

    family: str
    network: str
    seed: int
    year: int


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """What is found of one quantity for a family and network."""

    family: str
    network: str
    quantity: str
    n: int
    bias: float
    rms: float
    sigma: float
    within_1: float
    within_196: float


def glacier_rows(task: tuple[Family, int, int, tuple[str, ...]]) -> list[Row]:
    """Every result of one glacier (family, seed, years) with each of some networks."""
    family, seed, years, networks = task
    glacier = synthetic_glacier(family, seed, years)
    truth = {one.year: one for one in glacier.truth}
    rows: list[Row] = []
    for network in networks:
        with tempfile.TemporaryDirectory() as folder:
            survey = write_fieldwork(Path(folder), glacier, network)
            result = mass_balance(read_field_data(survey.folder), SETTINGS, dem=survey.dem, outline=survey.outline)
        for year in result.years:
            for number in compared(year, truth[year.year]):
                rows.append(Row(family=family, network=network, seed=seed, year=year.year, **asdict(number)))
    return rows


def compared(found: BalanceYear, truth: YearTruth) -> Iterator[Compared]:
    """The numbers of a year beside their truth, for what the chain gives a result of."""
    for name in ("annual", "winter", "summer"):
        value, sigma = getattr(found, f"{name}_m_we"), getattr(found, f"sigma_{name}_m_we")
        if value is not None:
            yield Compared(name, value, getattr(truth, f"{name}_m_we"), sigma or 0.0)
    if found.ela_m is not None:
        same_side = found.ela_position == truth.ela_position != "="
        line_m = found.ela_m if same_side else truth.ela_m
        yield Compared("ela", found.ela_m, line_m, found.sigma_ela_m or 0.0)
    if found.aar is not None:
        yield Compared("aar", found.aar, truth.aar, found.sigma_aar or 0.0)


def coverage(rows: Sequence[Row]) -> list[Coverage]:
    """Bias, rms, mean stated sigma and shares within it, by family, network and quantity in the order they come."""
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.family, row.network, row.quantity), []).append(row)
    found = []
    for (family, network, quantity), group in groups.items():
        errors = np.array([row.error for row in group])
        found.append(
            Coverage(
                family=family,
                network=network,
                quantity=quantity,
                n=len(group),
                bias=float(errors.mean()),
                rms=math.sqrt(float(np.mean(errors**2))),
                sigma=float(np.mean([row.sigma for row in group])),
                within_1=float(np.mean([row.within(1.0) for row in group])),
                within_196=float(np.mean([row.within(1.96) for row in group])),
            )
        )
    order = {name: number for number, name in enumerate((*FAMILIES, *QUANTITIES, *NETWORKS))}
    return sorted(found, key=lambda one: (order[one.family], order[one.quantity], order[one.network]))


def read_coverage(path: Path) -> list[Coverage]:
    """What an earlier run wrote."""
    return [Coverage(**one) for one in json.loads(path.read_text(encoding="utf-8"))["coverage"]]


def markdown(found: Sequence[Coverage], before: Sequence[Coverage] = ()) -> str:
    """A table for each family and quantity; with an earlier run, 'then → now' in every cell."""
    earlier = {(one.family, one.quantity, one.network): one for one in before}
    lines = []
    for family, quantity in dict.fromkeys((one.family, one.quantity) for one in found):
        unit = f" ({QUANTITIES[quantity]})" if QUANTITIES[quantity] else ""
        lines += [f"**Family {family}, {quantity}{unit}**", ""]
        lines += ["| network | n | bias | rms | mean sigma | within 1 | within 1.96 |", "|---|--:|--:|--:|--:|--:|--:|"]
        for one in found:
            if (one.family, one.quantity) == (family, quantity):
                then = earlier.get((family, quantity, one.network))
                cells = _cells(one)
                if then is not None:
                    cells = [f"{old} → {new}" for old, new in zip(_cells(then), cells, strict=True)]
                lines.append(f"| {NETWORKS[one.network].meaning} | {one.n} | {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines)


def _cells(one: Coverage) -> list[str]:
    """Bias, rms, sigma and the two shares as text."""
    digits = 0 if one.quantity == "ela" else 3
    numbers = [f"{one.bias:+.{digits}f}", f"{one.rms:.{digits}f}", f"{one.sigma:.{digits}f}"]
    return [*numbers, f"{100 * one.within_1:.0f} %", f"{100 * one.within_196:.0f} %"]


def all_rows(tasks: Sequence[tuple[Family, int, int, tuple[str, ...]]], workers: int) -> Iterator[list[Row]]:
    """The rows of every glacier, in the order of the tasks."""
    if workers <= 1:
        yield from map(glacier_rows, tasks)
        return
    # processes of their own, started afresh: the chain has threads
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(glacier_rows, tasks)


def main() -> None:
    """Run, print, and write what was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--glaciers", type=int, default=120, help="of each family")
    parser.add_argument("--years", type=int, default=4, help="of each glacier")
    parser.add_argument("--families", nargs="+", choices=FAMILIES, default=FAMILIES)
    parser.add_argument("--networks", nargs="+", choices=list(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="folder for coverage.json, coverage.md and rows.csv")
    parser.add_argument("--before", type=Path, help="coverage.json of an earlier run, to stand beside this one")
    asked = parser.parse_args()
    before = read_coverage(asked.before) if asked.before else []
    seeds = range(asked.first_seed, asked.first_seed + asked.glaciers)
    tasks = [(family, seed, asked.years, tuple(asked.networks)) for seed in seeds for family in asked.families]
    begin, rows = time.perf_counter(), []
    for number, own in enumerate(all_rows(tasks, asked.workers), start=1):
        rows += own
        if number % 10 == 0 or number == len(tasks):
            print(f"{number} of {len(tasks)} glaciers, {time.perf_counter() - begin:.0f} s", file=sys.stderr)
            if asked.out:  # an interrupted run leaves what it has
                write_results(asked.out, rows, before)
    print(markdown(coverage(rows), before))


def write_results(folder: Path, rows: Sequence[Row], before: Sequence[Coverage]) -> None:
    """Write coverage.json, coverage.md and rows.csv."""
    folder.mkdir(parents=True, exist_ok=True)
    found = coverage(rows)
    machine = {"processors": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
    glaciers = {family: len({row.seed for row in rows if row.family == family}) for family in FAMILIES}
    document = {"glaciers": glaciers, "machine": machine, "coverage": [asdict(one) for one in found]}
    (folder / "coverage.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    (folder / "coverage.md").write_text(markdown(found, before), encoding="utf-8")
    with (folder / "rows.csv").open("w", newline="", encoding="utf-8") as target:
        writer = csv.DictWriter(target, list(Row.__dataclass_fields__), lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)


if __name__ == "__main__":
    main()
