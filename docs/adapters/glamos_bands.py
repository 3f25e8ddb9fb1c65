"""Turn a GLAMOS table of band balances into a folder that `balance` reads.

    python docs/adapters/glamos_bands.py BANDS.csv OUT_DIR [--longitude LON --latitude LAT]

BANDS.csv has one row a band and year, as GLAMOS publishes it (doi 10.18750/massbalance.2025.r2025): name, id, d0, dw,
d1 (first day, day that parts the seasons, last day), bw, bs, ba (winter, summer and annual balance in mm w.e.), area
(km2), zlo, zhi (m). OUT_DIR receives glacier.csv and zone_balances.csv with the columns and units of this project:
m w.e., years named after the calendar year in which they end. Only names and units change; nothing is computed.
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path

# the table carries no position; these are the glaciers' middles (degrees, WGS 84) by GLAMOS identifier
POSITIONS = {"B43-03": (8.396, 46.623)}
ZONE_COLUMNS = (
    "year",
    "begin_date",
    "midseason_date",
    "end_date",
    "lower_m",
    "upper_m",
    "area_km2",
    "winter_balance_m_we",
    "summer_balance_m_we",
    "annual_balance_m_we",
)


def metres(millimetres: str) -> float | str:
    """Millimetres as text to metres; empty stays empty."""
    return float(millimetres) / 1000 if millimetres.strip() else ""


def zone_row(row: dict[str, str]) -> dict[str, object]:
    """One band and year in the project's columns."""
    return {
        "year": row["d1"][:4],
        "begin_date": row["d0"],
        "midseason_date": row["dw"],
        "end_date": row["d1"],
        "lower_m": row["zlo"],
        "upper_m": row["zhi"],
        "area_km2": row["area"],
        "winter_balance_m_we": metres(row["bw"]),
        "summer_balance_m_we": metres(row["bs"]),
        "annual_balance_m_we": metres(row["ba"]),
    }


def write_csv(path: Path, columns: tuple[str, ...], rows: list[dict[str, object]]) -> None:
    """Write rows with a header, UTF-8, LF."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def convert(bands: Path, out: Path, position: tuple[float, float] | None) -> None:
    """Write the two CSV files; ValueError for several glaciers in one table, or a glacier without position."""
    with bands.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    glaciers = sorted({(row["id"], row["name"]) for row in rows})
    if len(glaciers) != 1:
        raise ValueError(f"{bands.name} holds {len(glaciers)} glaciers; one is expected")
    identifier, name = glaciers[0]
    position = position or POSITIONS.get(identifier)
    if position is None:
        raise ValueError(f"no position known for {identifier}; give --longitude and --latitude")
    out.mkdir(parents=True, exist_ok=True)
    glacier: dict[str, object] = {"glacier_id": identifier, "glacier_name": name}
    glacier |= {"longitude": position[0], "latitude": position[1]}
    write_csv(out / "glacier.csv", tuple(glacier), [glacier])
    write_csv(out / "zone_balances.csv", ZONE_COLUMNS, [zone_row(row) for row in rows])


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="GLAMOS band balances to a folder that `balance` reads")
    parser.add_argument("bands", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--longitude", type=float)
    parser.add_argument("--latitude", type=float)
    options = parser.parse_args()
    given = options.longitude is not None and options.latitude is not None
    try:
        convert(options.bands, options.out, (options.longitude, options.latitude) if given else None)
    except (OSError, ValueError, KeyError) as error:
        print(f"{options.bands}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
