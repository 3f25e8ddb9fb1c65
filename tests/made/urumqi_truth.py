"""The truth behind the synthetic Urumqi River Basin, for tests and benchmarks only: no other module may import this."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from pipeline.elevation_change.result import Shift
from pipeline.grid import FloatArray, Grid
from pipeline.progress import Tell, silent
from pipeline.sample.urumqi import (
    SEED,
    Landscape,
    Scene,
    SeenAs,
    area_km2,
    datum_difference_m,
    make_landscape,
    outline_table,
)


@dataclass(frozen=True)
class GlacierTruth:
    """One glacier: areas of both epochs (km2; 0 when gone) and the mean change over both epochs' outlines together."""

    rgi_id: str
    area_earlier_km2: float
    area_later_km2: float
    mean_dh_m: float


@dataclass(frozen=True, kw_only=True)
class UrumqiTruth:
    """What a perfect elevation-change chain would find in the files.

    Attributes
    ----------
    seed : of the scene.
    shift_m : to be added to the earlier DEM's position to bring it onto the later one, apart from the datum (m).
    datum_mean_m : mean over the extent of the EGM2008 height minus the EGM96 height (m); a chain that leaves the datum
        to co-registration finds ``up_with_datum_m``.
    datum_m : that difference on the grid.
    dh_m : later minus earlier on the grid; exactly zero off the glaciers.
    earlier_m : earlier surface on the grid, EGM2008 heights.
    grid : one arc second, EPSG:4326, pixel centres on whole arc seconds.
    glaciers : in the order of the outline files.
    mean_dh_m : area-weighted mean over all glaciers, of the union of both epochs' outlines.
    area_km2 : area of that union.
    volume_change_m3 : their product.
    """

    seed: int
    shift_m: Shift
    datum_mean_m: float
    datum_m: FloatArray
    dh_m: FloatArray
    earlier_m: FloatArray
    grid: Grid
    glaciers: tuple[GlacierTruth, ...]
    mean_dh_m: float
    area_km2: float
    volume_change_m3: float

    @property
    def up_with_datum_m(self) -> float:
        """Vertical shift that also carries the mean datum difference (m)."""
        return self.shift_m.up + self.datum_mean_m


def urumqi_truth(seed: int = SEED, tell: Tell = silent) -> UrumqiTruth:
    """The truth of ``pipeline.sample.urumqi.write_urumqi_inputs`` with the same seed."""
    return truth_of(make_landscape(Scene(seed=seed), tell), SeenAs())


def truth_of(land: Landscape, seen: SeenAs) -> UrumqiTruth:
    """The truth of a landscape and the way it was seen."""
    weight = np.broadcast_to(np.cos(np.radians(land.latitude))[:, None], land.dh_m.shape)
    datum = datum_difference_m(land.longitude[None, :], land.latitude[:, None], land.scene, seen)
    inside_lon = (land.longitude >= land.scene.west) & (land.longitude <= land.scene.east)
    inside_lat = (land.latitude >= land.scene.south) & (land.latitude <= land.scene.north)
    glaciers = _glacier_truths(land, weight)
    areas = np.array([glacier.area_earlier_km2 for glacier in glaciers])
    mean_dh_m = float(np.average([glacier.mean_dh_m for glacier in glaciers], weights=areas))
    return UrumqiTruth(
        seed=land.scene.seed,
        shift_m=seen.shift,
        datum_mean_m=float(datum[np.ix_(inside_lat, inside_lon)].mean()),
        datum_m=datum,
        dh_m=land.dh_m,
        earlier_m=land.earlier_m,
        grid=Grid("EPSG:4326", land.transform, land.dh_m.shape),
        glaciers=glaciers,
        mean_dh_m=mean_dh_m,
        area_km2=float(areas.sum()),
        volume_change_m3=mean_dh_m * float(areas.sum()) * 1e6,
    )


def _glacier_truths(land: Landscape, weight: FloatArray) -> tuple[GlacierTruth, ...]:
    """Per-glacier truth; the later outline lies within the earlier one, so that their union is the earlier one."""
    numbers = land.numbers({glacier.number: glacier.earlier for glacier in land.glaciers})
    total = np.bincount(numbers.ravel(), weights=(weight * land.dh_m).ravel())
    size = np.bincount(numbers.ravel(), weights=weight.ravel())
    names = outline_table(land, later=False)["rgi_id"]
    return tuple(
        GlacierTruth(
            str(name),
            area_km2(glacier.earlier),
            0.0 if glacier.later is None else area_km2(glacier.later),
            float(total[glacier.number] / size[glacier.number]),
        )
        for name, glacier in zip(names, land.glaciers, strict=True)
    )


def write_urumqi_truth(folder: Path, seed: int = SEED, tell: Tell = silent) -> None:
    """Write ``truth.json`` (numbers) and ``truth.npz`` (dh_m, datum_m, earlier_m); never into a folder of inputs."""
    truth = urumqi_truth(seed, tell)
    folder.mkdir(parents=True, exist_ok=True)
    numbers = {
        "note": "truth of a synthetic sample",
        "seed": truth.seed,
        "shift_m": asdict(truth.shift_m),
        "datum_mean_m": truth.datum_mean_m,
        "up_with_datum_m": truth.up_with_datum_m,
        "mean_dh_m": truth.mean_dh_m,
        "area_km2": truth.area_km2,
        "volume_change_m3": truth.volume_change_m3,
        "crs": truth.grid.crs,
        "transform": tuple(truth.grid.transform)[:6],
        "glaciers": [asdict(glacier) for glacier in truth.glaciers],
    }
    text = json.dumps(numbers, indent=1, sort_keys=True) + "\n"
    (folder / "truth.json").write_text(text, encoding="utf-8", newline="\n")
    np.savez_compressed(
        folder / "truth.npz",
        dh_m=truth.dh_m.astype(np.float32),
        datum_m=truth.datum_m.astype(np.float32),
        earlier_m=truth.earlier_m.astype(np.float32),
    )
