"""The numbers that a reader asks for first, as text with their uncertainty; chosen here, computed by the pipeline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from catalog.archive import ByKind, Dataset, balance_item_id, elevation_change_item_id
from catalog.formats import measured, signed
from pipeline.elevation_change.result import ElevationChange, GlacierTotals, Statistics
from pipeline.mass_balance.glacier_wide import cumulative_balance
from pipeline.mass_balance.result import BalanceYear, MassBalance
from schemas.definition import Bilingual


@dataclass(frozen=True)
class KeyNumber:
    """A labelled value; ``note`` says what it refers to."""

    label: Bilingual
    value: str
    unit: str
    note: Bilingual


def key_numbers(dataset: Dataset) -> tuple[KeyNumber, ...]:
    """For the card and the head of a collection."""
    if dataset.pairs:
        return tuple(number for part in dataset.pairs for number in _of_pair(part))
    return _NUMBERS(dataset.result)


def result_numbers(result: ElevationChange | MassBalance) -> tuple[KeyNumber, ...]:
    """For the head of the report of a run."""
    return _NUMBERS(result)


def _of_pair(part: Dataset) -> tuple[KeyNumber, ...]:
    """What is asked first of one of several pairs of DEMs, each number with the pair's years."""
    note = part.pair.replace("-", "\N{EN DASH}")
    head = _NUMBERS(part.result)[:2]
    return tuple(replace(number, note=Bilingual(en=note, cn=note)) for number in head)


def item_numbers(dataset: Dataset, item_id: str) -> tuple[KeyNumber, ...]:
    """For the head of an item."""
    return next((numbers for part in dataset.parts if (numbers := _ITEM_NUMBERS(part.result, part.pair, item_id))), ())


def _number(en: str, cn: str, value: str, unit: str = "", note: str = "", note_cn: str = "") -> KeyNumber:
    return KeyNumber(Bilingual(en=en, cn=cn), value, unit, Bilingual(en=note, cn=note_cn))


def _of_elevation_change(result: ElevationChange) -> tuple[KeyNumber, ...]:
    numbers = (*_rates(result), *_changes(result.totals)) if result.totals is not None else ()
    return (*numbers, _bias(result.after), _spread(result.before, result.after))


def _rates(result: ElevationChange) -> Iterator[KeyNumber]:
    """What is quoted of a region: its rate and its geodetic balance; nothing where a date is not known."""
    for column, en, cn, unit in (
        ("mean_dhdt_m_a", "Rate of elevation change", "高程变化率", "m a⁻¹"),
        ("mass_balance_m_we_a", "Geodetic mass balance", "大地测量法物质平衡", "m w.e. a⁻¹"),
    ):
        for row in result.tables["region"].to_dict("records") if "region" in result.tables else ():
            if row[column] == row[column] and row[column] is not None:
                yield _number(en, cn, measured(row[column], row[f"sigma_{column}"], 2), unit)


def _changes(totals: GlacierTotals) -> Iterator[KeyNumber]:
    volume = measured(totals.volume_change_m3 / 1e6, totals.sigma_volume_change_m3 / 1e6, 1)
    mass = measured(totals.mass_change_kg / 1e9, totals.sigma_mass_change_kg / 1e9, 1)
    mean = measured(totals.mean_dh_m, totals.sigma_mean_dh_m, 2)
    yield _number("Volume change", "体积变化", volume, "10⁶ m³")
    yield _number("Mass change", "质量变化", mass, "10⁹ kg")
    yield _number("Mean elevation change", "平均高程变化", mean, "m")
    yield _number("Glaciers", "冰川", f"{totals.count:,}", "", f"{totals.area_km2:,.2f} km²")


def _bias(after: Statistics) -> KeyNumber:
    return _number(
        "Off-glacier bias",
        "非冰川区偏差",
        signed(after.mean_m, 2),
        "m",
        f"{after.count:,} stable pixels",
        f"稳定像元 {after.count:,} 个",
    )


def _spread(before: Statistics, after: Statistics) -> KeyNumber:
    value = f"{before.nmad_m:.2f} → {after.nmad_m:.2f}"
    return _number("Off-glacier NMAD", "非冰川区 NMAD", value, "m", "before and after correction", "校正前后")


def _of_mass_balance(result: MassBalance) -> tuple[KeyNumber, ...]:
    known = [year for year in result.years if year.annual_m_we is not None]
    if not known:
        return (_number("Balance years", "平衡年", "0"),)
    total = cumulative_balance(known)[-1]
    sigma = None if total.sigma_m_we is None else total.sigma_m_we / len(known)
    sigmas = [year.sigma_annual_m_we for year in known if year.sigma_annual_m_we is not None]
    lowest, highest, last = min(known, key=_annual), max(known, key=_annual), known[-1]
    span = f"{known[0].year}\N{EN DASH}{last.year}"
    return (
        _number(
            "Mean annual balance", "年平均物质平衡", measured(total.balance_m_we / len(known), sigma, 2), "m w.e.", span
        ),
        *_cumulative(result),
        _number(
            "Lowest year",
            "最低年份",
            measured(_annual(lowest), lowest.sigma_annual_m_we, 2),
            "m w.e.",
            str(lowest.year),
        ),
        _number(
            "Highest year",
            "最高年份",
            measured(_annual(highest), highest.sigma_annual_m_we, 2),
            "m w.e.",
            str(highest.year),
        ),
        _number(
            "Uncertainty of a year",
            "年不确定度",
            f"{min(sigmas):.2f}\N{EN DASH}{max(sigmas):.2f}" if sigmas else "\N{EN DASH}",
            "m w.e.",
            "one standard deviation",
            "一倍标准差",
        ),
        _number(
            "Balance years",
            "平衡年",
            f"{len(known)}",
            "",
            f"of {len(result.years)} in the period",
            f"共 {len(result.years)} 年",
        ),
    )


def _cumulative(result: MassBalance) -> Iterator[KeyNumber]:
    """The sum of the years, as the table of cumulative balances ends: it stops at the first year without a balance."""
    if series := cumulative_balance(result.years):
        last, span = series[-1], f"{series[0].year}\N{EN DASH}{series[-1].year}"
        yield _number(
            "Cumulative balance", "累积物质平衡", measured(last.balance_m_we, last.sigma_m_we, 2), "m w.e.", span
        )


def _annual(year: BalanceYear) -> float:
    return year.annual_m_we or 0.0


def _of_year(year: BalanceYear) -> tuple[KeyNumber, ...]:
    position = {"<": "below ", ">": "above "}.get(year.ela_position or "", "")
    return (
        _number("Annual balance", "年平衡", measured(year.annual_m_we, year.sigma_annual_m_we, 2), "m w.e."),
        _number("Winter balance", "冬平衡", measured(year.winter_m_we, year.sigma_winter_m_we, 2), "m w.e."),
        _number("Summer balance", "夏平衡", measured(year.summer_m_we, year.sigma_summer_m_we, 2), "m w.e."),
        _number("Equilibrium line", "平衡线高度", position + measured(year.ela_m, year.sigma_ela_m, 0), "m"),
        _number("Accumulation area", "积累区比率", measured(_percent(year.aar), _percent(year.sigma_aar), 0), "%"),
        _number("Glacier area", "冰川面积", signed(year.area_km2, 3), "km²"),
    )


def _of_pair_item(result: ElevationChange, pair: str, item_id: str) -> tuple[KeyNumber, ...]:
    return _of_elevation_change(result) if elevation_change_item_id(pair) == item_id else ()


def _of_year_item(result: MassBalance, _: str, item_id: str) -> tuple[KeyNumber, ...]:
    return next((_of_year(year) for year in result.years if balance_item_id(year.year) == item_id), ())


_NUMBERS = ByKind(elevation_change=_of_elevation_change, mass_balance=_of_mass_balance)
_ITEM_NUMBERS: ByKind[[str, str], tuple[KeyNumber, ...]] = ByKind(
    elevation_change=_of_pair_item, mass_balance=_of_year_item
)


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
