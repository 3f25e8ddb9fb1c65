"""Turn the stake sheet of the Nissai glacier (Pamir) into a folder that `balance` reads.

    python docs/adapters/nissai_stakes.py SHEET.csv OUT_DIR

SHEET.csv is the sheet as the field team typed it (joelfiddes/nissai_mass_balance): one block a balance year, each with
its own header, lengths in centimetres. A row gives, for one stake, the length of stake in the ice when the year began
("Stake in ice 2022") and the length above the ice when it ended ("Stake measured 2023"). In the project's terms:

    exposed at the first visit = stake length - stake in ice,   exposed at the second visit = stake measured

What the sheet leaves open is settled as follows, and each such choice is reported on stderr.

- The years stand in the block's header. A row whose dates contradict them takes the block's commonest dates.
- The sheet does not say which pole goes on from one year to the next, so each row is a leg of its own.
- A row with no number is a new stake, or a note: without a reading it is left out.
- "plus 481" with the comment "totaly out" is a stake that melted out.
- An empty stake number belongs to the stake above it.
- A stake without position has none here either; it cannot be used and is left out.

The stake's position is that of its first complete row. The published balance columns are not read.
"""

from __future__ import annotations

import csv
import re
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
STAKE_COLUMNS = ("stake_id", "longitude", "latitude", "elevation_m", "remarks")
READING_COLUMNS = ("stake_id", "leg", "date", "exposed_m", "stake_length_m", "surface", "status", "remarks")


@dataclass(frozen=True)
class Block:
    """The rows of one balance year: header, rows (line number and cells by column), first and last calendar year."""

    rows: tuple[tuple[int, dict[str, str]], ...]
    first_year: int
    last_year: int

    def value(self, row: dict[str, str], start: str, year: int) -> str:
        """The cell of the column that begins with ``start`` and names ``year``."""
        return next((text for name, text in row.items() if name.startswith(start) and str(year) in name), "")


def read_blocks(path: Path) -> list[Block]:
    """The blocks of the sheet, parted by their header rows."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        lines = list(csv.reader(stream))
    starts = [number for number, line in enumerate(lines) if line and line[0].strip() == "Stake"]
    blocks = []
    for start, stop in zip(starts, [*starts[1:], len(lines)], strict=True):
        header = [name.strip() for name in lines[start]]
        rows, stake = [], ""
        for number in range(start + 1, stop):
            row = dict(zip(header, (cell.strip() for cell in lines[number]), strict=False))
            if any(row.values()):
                stake = row["Stake"] = row["Stake"] or stake
                rows.append((number + 1, row))
        years = sorted({int(year) for name in header for year in re.findall(r"(?:ice|measured) (\d{4})", name)})
        blocks.append(Block(tuple(rows), years[0], years[1]))
    return blocks


def day(text: str) -> date | None:
    """A day typed as '7 Sep 2022'; None where empty."""
    if not text:
        return None
    number, month, year = text.split()
    return datetime(int(year), MONTHS.index(month[:3]) + 1, int(number)).date()


def period(block: Block) -> tuple[date, date]:
    """The commonest first and last day of a block, among those in the years of its header."""
    begins = Counter(d for _, row in block.rows if (d := day(row["start date"])) and d.year == block.first_year)
    ends = Counter(d for _, row in block.rows if (d := day(row["end date"])) and d.year == block.last_year)
    return min(begins, key=lambda d: (-begins[d], d)), min(ends, key=lambda d: (-ends[d], d))


def number(text: str) -> float | None:
    """A number, also out of 'plus 481'; None where there is none."""
    found = re.search(r"\d+(\.\d+)?", text)
    return float(found[0]) if found else None


def readings(blocks: list[Block]) -> list[dict[str, object]]:
    """Two readings for every row of the sheet that has numbers, each row a leg of its stake."""
    rows: list[dict[str, object]] = []
    legs: Counter[str] = Counter()
    for block in blocks:
        begin, end = period(block)
        for line, row in block.rows:
            length = number(row["Stake length (cm)"])
            in_ice = number(block.value(row, "Stake in ice", block.first_year))
            measured = block.value(row, "Stake measured", block.last_year)
            if length is None or in_ice is None or not measured:
                continue
            stake = row["Stake"]
            legs[stake] += 1
            first, last = day(row["start date"]), day(row["end date"])
            if first is None or first.year != block.first_year or last is None or last.year != block.last_year:
                dates = f"{row['start date'] or '-'} to {row['end date'] or '-'}"
                print(f"line {line}: stake {stake}: dates {dates} taken as {begin} to {end}", file=sys.stderr)
                first, last = begin, end
            out = "out" in row["Comment"].lower()
            common = {"stake_id": stake, "leg": legs[stake], "stake_length_m": length / 100, "surface": "ice"}
            note = "; ".join(text for text in (row["GPS name"], row["Comment"]) if text)
            rows.append(
                {**common, "date": first, "exposed_m": (length - in_ice) / 100, "status": "ok", "remarks": note}
            )
            exposed = "" if out else (number(measured) or 0.0) / 100
            status = "melted_out" if out else "ok"
            rows.append({**common, "date": last, "exposed_m": exposed, "status": status, "remarks": note})
    return rows


def stakes(blocks: list[Block]) -> list[dict[str, object]]:
    """Every stake with the position of its first complete row."""
    found: dict[str, dict[str, object]] = {}
    named: dict[str, int] = {}
    for block in blocks:
        for line, row in block.rows:
            named.setdefault(row["Stake"], line)
            if row["Stake"] not in found and row["X"] and row["Y"] and row["elevation"]:
                found[row["Stake"]] = {
                    "stake_id": row["Stake"],
                    "longitude": row["X"],
                    "latitude": row["Y"],
                    "elevation_m": row["elevation"],
                    "remarks": row["GPS name"],
                }
    for stake in sorted(set(named) - set(found)):
        print(f"line {named[stake]}: stake {stake} has no position and is left out", file=sys.stderr)
    return [found[stake] for stake in sorted(found)]


def write_csv(path: Path, columns: tuple[str, ...], rows: list[dict[str, object]]) -> None:
    """Write rows with a header, UTF-8, LF."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def convert(sheet: Path, out: Path) -> None:
    """Write glacier.csv, stakes.csv and readings.csv."""
    blocks = read_blocks(sheet)
    if not blocks:
        raise ValueError("no header row that begins with 'Stake'")
    standing = stakes(blocks)
    known = {stake["stake_id"] for stake in standing}
    out.mkdir(parents=True, exist_ok=True)
    middle = [sum(float(str(stake[name])) for stake in standing) / len(standing) for name in ("longitude", "latitude")]
    glacier: dict[str, object] = {"glacier_id": "Nissai", "glacier_name": "Nissai glacier"}
    glacier |= {"longitude": round(middle[0], 6), "latitude": round(middle[1], 6)}
    write_csv(out / "glacier.csv", tuple(glacier), [glacier])
    write_csv(out / "stakes.csv", STAKE_COLUMNS, standing)
    rows = [row for row in readings(blocks) if row["stake_id"] in known]
    rows.sort(key=lambda row: (str(row["stake_id"]), int(str(row["leg"])), str(row["date"])))
    write_csv(out / "readings.csv", READING_COLUMNS, rows)


def main(arguments: list[str]) -> int:
    """Run from the command line."""
    if len(arguments) != 2:
        print("usage: python docs/adapters/nissai_stakes.py SHEET.csv OUT_DIR", file=sys.stderr)
        return 2
    try:
        convert(Path(arguments[0]), Path(arguments[1]))
    except (OSError, ValueError, KeyError) as error:
        print(f"{arguments[0]}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
