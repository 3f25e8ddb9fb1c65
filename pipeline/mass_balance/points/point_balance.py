"""Balance at a stake between two visits, and of a snow pit, with its error and the readings it came from."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from schemas.errors import BadInput
from schemas.settings import MassBalanceSettings

# GLAMOS measurement quality 2 and 4 (glacier mass balance release 2025): a bent stake, a buried one found by probing
SIGMA_BENT_M = 0.20
# a surface that seems to rise by more than this many standard deviations without snow to show for it is flagged
RISE_LIMIT = 3.0
# old snow is taken as untouched while the apparent lowering stays within this many standard deviations of the readings
UNTOUCHED_LIMIT = 2.0
# below the floor of a pit, snow is as dense as in this lowest part of it (m); and how well that is known, relatively
LOWEST_PART_M = 1.0
SIGMA_EXTENDED_RELATIVE = 0.15
# snow does not get denser than this, firn no lighter (kg m-3); a density outside is flagged
SNOW_DENSITY_RANGE = (50.0, 600.0)
# a leg drilled so soon after the last reading of the one before follows it; a day's melt on a warm day (m w.e.)
BRIDGE_DAYS = 3
SIGMA_BRIDGE_M_WE_A_DAY = 0.03


@dataclass(frozen=True, slots=True)
class OldSnow:
    """What is left, below the last summer's surface, of the snow that the year's first visit found.

    Attributes
    ----------
    snow_m, density_kg_m3, superimposed_m : from the top down.
    below : what lies under it: ice, firn or superimposed_ice.
    """

    snow_m: float
    density_kg_m3: float
    superimposed_m: float
    below: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One reading of a stake, heights vertical.

    Attributes
    ----------
    stake_id, leg, day : which stake, which drilling, when.
    exposed_m : stake above the present surface, be it snow or ice (m); None where it could not be read.
    stake_length_m : whole length of the stake, vertical where it leans (m), or None.
    snow_m, snow_density_kg_m3 : snow above the last summer's surface and its bulk density.
    superimposed_m : superimposed ice formed since then (m).
    surface : what lies below snow and superimposed ice.
    status : ok, bent, melted_out, buried or lost.
    opens_year : whether the surface found at this visit is a new summer's surface.
    flags : what was assumed.
    old : at a visit inside a year, what is left of the snow of the year's first visit; None where there was none.
    snow_sigma_relative : relative standard deviation of the snow's density where it is not that of a measured one.
    key : identifier of the reading, stake/leg/date.
    """

    stake_id: str
    leg: int
    day: date
    exposed_m: float | None
    stake_length_m: float | None = None
    snow_m: float = 0.0
    snow_density_kg_m3: float = 0.0
    superimposed_m: float = 0.0
    surface: str = "ice"
    status: str = "ok"
    opens_year: bool = False
    flags: tuple[str, ...] = ()
    old: OldSnow | None = None
    snow_sigma_relative: float | None = None
    key: str = field(init=False, repr=False, default="")

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", f"{self.stake_id}/{self.leg}/{self.day.isoformat()}")
        if self.snow_m > 0 and not self.snow_density_kg_m3 > 0:
            raise BadInput(self.key, f"snow of {self.snow_m:g} m without density", "a density above 0 kg m-3")


@dataclass(frozen=True, slots=True, kw_only=True)
class PointBalance:
    """Balance of a point over a period (m w.e.).

    Attributes
    ----------
    ice_m_we, snow_m_we, superimposed_m_we, firn_m_we : what became of ice, snow, superimposed ice and firn.
    sigma_random_m_we : one standard deviation of what is particular to this point (readings).
    shared_snow_m_we, shared_ice_m_we : signed change of the balance when the snow (ice) density is one standard
        deviation higher; common to all points, so it adds up linearly over a glacier.
    bound : '=' a value, '<=' the balance is at most this.
    readings : identifiers of the readings.
    flags : quality flags.
    """

    ice_m_we: float
    snow_m_we: float
    superimposed_m_we: float
    sigma_random_m_we: float
    shared_snow_m_we: float
    shared_ice_m_we: float
    bound: str = "="
    readings: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    firn_m_we: float = 0.0

    @property
    def balance_m_we(self) -> float:
        """The sum of ice, snow, superimposed ice and firn (m w.e.)."""
        return self.ice_m_we + self.snow_m_we + self.superimposed_m_we + self.firn_m_we

    @property
    def sigma_m_we(self) -> float:
        """One standard deviation of the point balance, random and shared together (m w.e.)."""
        return math.hypot(self.sigma_random_m_we, self.shared_snow_m_we, self.shared_ice_m_we)

    def __add__(self, later: PointBalance) -> PointBalance:
        """The balance of two periods that follow each other: random errors in quadrature, shared ones linearly."""
        return PointBalance(
            ice_m_we=self.ice_m_we + later.ice_m_we,
            snow_m_we=self.snow_m_we + later.snow_m_we,
            superimposed_m_we=self.superimposed_m_we + later.superimposed_m_we,
            sigma_random_m_we=math.hypot(self.sigma_random_m_we, later.sigma_random_m_we),
            shared_snow_m_we=self.shared_snow_m_we + later.shared_snow_m_we,
            shared_ice_m_we=self.shared_ice_m_we + later.shared_ice_m_we,
            bound="<=" if "<=" in (self.bound, later.bound) else "=",
            readings=tuple(dict.fromkeys(self.readings + later.readings)),
            flags=tuple(dict.fromkeys(self.flags + later.flags)),
            firn_m_we=self.firn_m_we + later.firn_m_we,
        )

    def noted(self, readings: tuple[str, ...], flags: tuple[str, ...]) -> PointBalance:
        """The same balance with the readings it came from and its flags.

        Parameters
        ----------
        readings : identifiers of the readings.
        flags : ``name`` or ``name:detail``.
        """
        return PointBalance(
            ice_m_we=self.ice_m_we,
            snow_m_we=self.snow_m_we,
            superimposed_m_we=self.superimposed_m_we,
            sigma_random_m_we=self.sigma_random_m_we,
            shared_snow_m_we=self.shared_snow_m_we,
            shared_ice_m_we=self.shared_ice_m_we,
            bound=self.bound,
            readings=readings,
            flags=flags,
            firn_m_we=self.firn_m_we,
        )

    def scaled(self, share: float) -> PointBalance:
        """A share of the balance, with the same share of every error.

        Parameters
        ----------
        share : of the balance and of its errors.
        """
        return replace(
            self,
            ice_m_we=share * self.ice_m_we,
            snow_m_we=share * self.snow_m_we,
            superimposed_m_we=share * self.superimposed_m_we,
            firn_m_we=share * self.firn_m_we,
            sigma_random_m_we=abs(share) * self.sigma_random_m_we,
            shared_snow_m_we=share * self.shared_snow_m_we,
            shared_ice_m_we=share * self.shared_ice_m_we,
        )


def stake_balance(first: Visit, second: Visit, settings: MassBalanceSettings) -> PointBalance | None:
    """Balance at a stake between two visits of one leg; None where it cannot be told.

    b = b_ice + b_snow + b_si, each / 1000 in m w.e., with m the vertical exposed length, h_s the snow depth and h_si
    the superimposed ice::

        b_ice  = -rho_ice [(m2 + h_s2 + h_si2) - (m1 + h_s1 + h_si1)]
        b_snow = rho_s2 h_s2 - rho_s1 h_s1
        b_si   = rho_si (h_si2 - h_si1)

    rho_ice is the firn density where the surface at the first visit is firn, that of superimposed ice where it is that;
    the loss is then told as firn or superimposed ice. Where the first visit closes a year and its snow outlasts the
    second (it has become part of the next summer's surface), what lowered is taken from the top down: old snow at its
    own density, then old superimposed ice; so too from a visit inside the year (``Visit.old``). Where this year's snow
    still covers it, a lowering within the reading error is none. A stake that melted out gives an upper bound, a buried
    one the snow above the last summer's surface.

    References: Ostrem and Brugman (1991), Glacier mass-balance measurements, chapter 5; Cogley et al. (2011).

    Parameters
    ----------
    first, second : visits of one leg: lengths and depths in m, densities in kg m-3.
    settings : densities of ice, firn and superimposed ice, and the errors of readings.
    """
    if first.exposed_m is None or second.status == "lost":
        return None
    if second.status == "melted_out":
        result = _melted_out(first, second, settings)
    elif second.status == "buried":
        result = _buried(first, second, settings)
    elif second.exposed_m is None:
        return None
    else:
        result = _read(first, second, settings)
    if result is None:
        return None
    flags = first.flags + second.flags + result.flags
    return result.noted((first.key, second.key), tuple(dict.fromkeys(flags)) if flags else ())


def _read(first: Visit, second: Visit, settings: MassBalanceSettings) -> PointBalance:
    """A stake read at both visits."""
    exposed_first, exposed_second = first.exposed_m or 0.0, second.exposed_m or 0.0
    old = first.snow_m + first.superimposed_m
    lowering = exposed_second + second.snow_m + second.superimposed_m - exposed_first
    covered = second.snow_m + second.superimposed_m > 0
    untouched = covered and lowering_within_error(lowering, _sigma_lowering(first, second, settings))
    if first.opens_year and old > 0 and (lowering < old or untouched):
        return _old_snow_outlasts(first, second, lowering, settings)
    ice_loss = lowering - old
    if first.old is not None and ice_loss > 0:
        return _through_old_snow(first, second, (first.old, ice_loss), settings)
    lower = _what_lies_below(first.surface, settings)
    density = lower.density_kg_m3
    snow, shared_snow = _snow_change(first, second, first.snow_m, settings)
    superimposed = settings.superimposed_ice_density_kg_m3 * (second.superimposed_m - first.superimposed_m)
    depth_errors = [
        (density - visit.snow_density_kg_m3) * settings.sigma_snow_depth_m for visit in (first, second) if visit.snow_m
    ]
    random = math.hypot(density * _sigma_lowering(first, second, settings), *depth_errors)
    rose = ice_loss < -rise_limit_m((first, second), settings)
    return lower.balance(
        ice_loss,
        (snow, superimposed, random),
        shared_snow_kg_m2=shared_snow,
        flags=_status_flags(first, second) + (("surface_rise",) if rose else ()),
    )


def rise_limit_m(visits: Sequence[Visit], settings: MassBalanceSettings) -> float:
    """How much a surface may seem to rise (m) by the error of the readings alone."""
    bent = [SIGMA_BENT_M for visit in visits if visit.status == "bent"]
    return RISE_LIMIT * math.hypot(
        settings.sigma_reading_m, settings.sigma_reading_m, settings.sigma_snow_depth_m, *bent
    )


def _snow_sigma(visit: Visit, settings: MassBalanceSettings) -> float:
    """Relative standard deviation of the density of a visit's snow."""
    return settings.sigma_density_relative if visit.snow_sigma_relative is None else visit.snow_sigma_relative


def _snow_change(first: Visit, second: Visit, lost_m: float, settings: MassBalanceSettings) -> tuple[float, float]:
    """Snow at the second visit less ``lost_m`` of the first's, and what one standard deviation of density does to it.

    Both in kg m-2.
    """
    gained, lost = second.snow_density_kg_m3 * second.snow_m, first.snow_density_kg_m3 * lost_m
    if first.snow_sigma_relative is None and second.snow_sigma_relative is None:
        return gained - lost, settings.sigma_density_relative * (gained - lost)
    return gained - lost, _snow_sigma(second, settings) * gained - _snow_sigma(first, settings) * lost


def lowering_within_error(lowering_m: float, sigma_m: float) -> bool:
    """Whether an apparent lowering of covered ground is no more than the readings' error.

    Parameters
    ----------
    lowering_m : apparent.
    sigma_m : one standard deviation of it.
    """
    return lowering_m <= UNTOUCHED_LIMIT * sigma_m


def _old_snow_outlasts(first: Visit, second: Visit, lowering: float, settings: MassBalanceSettings) -> PointBalance:
    """The last summer's surface lies on the first visit's snow: nothing, or only part of that snow, went."""
    sigma = _sigma_lowering(first, second, settings)
    covered = second.snow_m + second.superimposed_m > 0
    lost = 0.0 if lowering <= 0 or (covered and lowering_within_error(lowering, sigma)) else lowering
    snow_lost = min(lost, first.snow_m)
    superimposed_lost = lost - snow_lost
    snow, shared_snow = _snow_change(first, second, snow_lost, settings)
    superimposed = settings.superimposed_ice_density_kg_m3 * (second.superimposed_m - superimposed_lost)
    errors = [second.snow_density_kg_m3 * settings.sigma_snow_depth_m if second.snow_m else 0.0]
    if lost or not covered:
        errors.append(first.snow_density_kg_m3 * sigma)
    return PointBalance(
        ice_m_we=0.0,
        snow_m_we=snow / 1000,
        superimposed_m_we=superimposed / 1000,
        sigma_random_m_we=math.hypot(*errors) / 1000,
        shared_snow_m_we=shared_snow / 1000,
        shared_ice_m_we=0.0,
        flags=(*_status_flags(first, second), "old_snow_outlasts"),
    )


def _through_old_snow(
    first: Visit, second: Visit, lost: tuple[OldSnow, float], settings: MassBalanceSettings
) -> PointBalance:
    """Inside a year, melt went through the last summer's surface into old snow, and maybe through it, from the top."""
    old, loss = lost
    old_snow = min(loss, old.snow_m)
    old_superimposed = min(loss - old_snow, old.superimposed_m)
    lower = _what_lies_below(old.below, settings)
    left = loss - old_snow - old_superimposed
    snow, shared_snow = _snow_change(first, second, first.snow_m, settings)
    superimposed = settings.superimposed_ice_density_kg_m3 * (
        second.superimposed_m - first.superimposed_m - old_superimposed
    )
    density = lower.density_kg_m3 if left > 0 else old.density_kg_m3
    depth_errors = [
        (density - visit.snow_density_kg_m3) * settings.sigma_snow_depth_m for visit in (first, second) if visit.snow_m
    ]
    random = math.hypot(density * _sigma_lowering(first, second, settings), *depth_errors)
    return lower.balance(
        left,
        (snow - old.density_kg_m3 * old_snow, superimposed, random),
        shared_snow_kg_m2=shared_snow - settings.sigma_density_relative * old.density_kg_m3 * old_snow,
        flags=_status_flags(first, second),
    )


def _melted_out(first: Visit, second: Visit, settings: MassBalanceSettings) -> PointBalance | None:
    """At least the ice that held the stake has gone: b <= -rho_ice (length in ice at the first visit) + snow terms."""
    length = first.stake_length_m
    if length is None and "tilted" not in first.flags:  # of a stake that leant, only its own length leans as it did
        length = second.stake_length_m
    if length is None or first.exposed_m is None:
        return None
    lower = _what_lies_below(first.surface, settings)
    in_ice = max(0.0, length - first.exposed_m - first.snow_m - first.superimposed_m)
    snow, shared_snow = _snow_change(first, second, first.snow_m, settings)
    superimposed = settings.superimposed_ice_density_kg_m3 * (second.superimposed_m - first.superimposed_m)
    random = lower.density_kg_m3 * settings.sigma_reading_m
    least = lower.balance(in_ice, (snow, superimposed, random), shared_snow_kg_m2=shared_snow, flags=("melted_out",))
    return replace(least, bound="<=")


def _buried(first: Visit, second: Visit, settings: MassBalanceSettings) -> PointBalance | None:
    """The probed snow above the last summer's surface is the balance; without a probed depth there is none."""
    if second.snow_m <= 0:
        return None
    ice_before = 0.0 if first.opens_year else first.superimposed_m
    snow, shared_snow = _snow_change(first, second, 0.0 if first.opens_year else first.snow_m, settings)
    superimposed = settings.superimposed_ice_density_kg_m3 * (second.superimposed_m - ice_before)
    return PointBalance(
        ice_m_we=0.0,
        snow_m_we=snow / 1000,
        superimposed_m_we=superimposed / 1000,
        sigma_random_m_we=second.snow_density_kg_m3 * settings.sigma_snow_depth_m / 1000,
        shared_snow_m_we=shared_snow / 1000,
        shared_ice_m_we=0.0,
        flags=("buried_probed",),
    )


def snow_balance(visit: Visit, settings: MassBalanceSettings) -> PointBalance | None:
    """Balance at a visit inside a year since the last summer's surface, which its snow covers; None without snow.

    b = rho_s h_s + rho_si h_si: where a stake was drilled in spring, exposed length plus snow depth is that surface,
    and what lies on it fell since.

    References: Ostrem and Brugman (1991), Glacier mass-balance measurements, chapter 5.
    """
    if not visit.snow_m > 0 or visit.status == "lost":
        return None
    snow = visit.snow_density_kg_m3 * visit.snow_m
    return PointBalance(
        ice_m_we=0.0,
        snow_m_we=snow / 1000,
        superimposed_m_we=settings.superimposed_ice_density_kg_m3 * visit.superimposed_m / 1000,
        sigma_random_m_we=visit.snow_density_kg_m3 * settings.sigma_snow_depth_m / 1000,
        shared_snow_m_we=_snow_sigma(visit, settings) * snow / 1000,
        shared_ice_m_we=0.0,
        readings=(visit.key,),
        flags=(*visit.flags, "from_summer_surface"),
    )


@dataclass(frozen=True, slots=True)
class _Lower:
    """What lies below snow and superimposed ice: its kind, density and the relative standard deviation of that."""

    kind: str
    density_kg_m3: float
    sigma_relative: float

    def balance(
        self,
        loss_m: float,
        others_kg_m2: tuple[float, float, float],
        *,
        shared_snow_kg_m2: float,
        flags: tuple[str, ...],
    ) -> PointBalance:
        """The balance when ``loss_m`` of it went; ``others_kg_m2``: snow, superimposed ice, random error.

        ``shared_snow_kg_m2`` : what one standard deviation of snow density does to the snow.
        """
        snow, superimposed, random = others_kg_m2
        lost = -self.density_kg_m3 * loss_m
        return PointBalance(
            ice_m_we=(lost if self.kind == "ice" else 0.0) / 1000,
            snow_m_we=snow / 1000,
            superimposed_m_we=(superimposed + (lost if self.kind == "superimposed_ice" else 0.0)) / 1000,
            sigma_random_m_we=random / 1000,
            shared_snow_m_we=shared_snow_kg_m2 / 1000,
            shared_ice_m_we=lost * self.sigma_relative / 1000,
            flags=flags,
            firn_m_we=(lost if self.kind == "firn" else 0.0) / 1000,
        )


def _what_lies_below(surface: str, settings: MassBalanceSettings) -> _Lower:
    if surface in ("firn", "snow"):
        return _Lower("firn", settings.firn_density_kg_m3, settings.sigma_density_relative)
    if surface == "superimposed_ice":
        density = settings.superimposed_ice_density_kg_m3
        return _Lower("superimposed_ice", density, settings.sigma_ice_density_kg_m3 / density)
    density = settings.ice_density_kg_m3
    return _Lower("ice", density, settings.sigma_ice_density_kg_m3 / density)


def _sigma_lowering(first: Visit, second: Visit, settings: MassBalanceSettings) -> float:
    """Standard deviation of the difference of two exposed lengths (m)."""
    bent = [SIGMA_BENT_M for visit in (first, second) if visit.status == "bent"]
    return math.hypot(settings.sigma_reading_m, settings.sigma_reading_m, *bent)


def _status_flags(first: Visit, second: Visit) -> tuple[str, ...]:
    """Flags on what was found: a bent stake, a snow density that snow does not have."""
    low, high = SNOW_DENSITY_RANGE
    flags: tuple[str, ...] = ("bent",) if "bent" in (first.status, second.status) else ()
    for visit in (first, second):
        if visit.snow_m > 0 and not low <= visit.snow_density_kg_m3 <= high:
            return (*flags, "density_out_of_class")
    return flags


def chain_balance(
    visits: Sequence[Visit], begin: date, end: date, settings: MassBalanceSettings
) -> PointBalance | None:
    """Balance at a stake between two days, over redrillings where one leg follows another without a gap.

    Within a leg the two outermost readings are paired. A leg is followed by one that was read on the same day, or,
    where no such chain joins the two days, drilled within ``BRIDGE_DAYS`` after it; what happened in between is taken
    as nothing, with an error, and flagged. Legs that cover the period side by side are averaged. None where no chain of
    readings joins the two days.

    Parameters
    ----------
    visits : of one stake, all legs.
    begin, end : days of the period.
    settings : densities and errors.
    """
    starts = [visit for visit in visits if visit.day == begin]
    ends = [visit for visit in visits if visit.day == end]
    for bridge_days in (0, BRIDGE_DAYS):
        chains = [
            chain
            for first in starts
            for last in ends
            if (chain := _shortest_chain(visits, (first, last), bridge_days, settings)) is not None
        ]
        if chains:
            break
    else:
        return None
    fewest = min(len(chain) for chain in chains)
    balances = [_summed(chain) for chain in chains if len(chain) == fewest]
    values = [balance for balance in balances if balance.bound == "="] or [
        min(balances, key=lambda balance: balance.balance_m_we)
    ]
    return values[0] if len(values) == 1 else _mean(values)


def _shortest_chain(
    visits: Sequence[Visit], ends: tuple[Visit, Visit], bridge_days: int, settings: MassBalanceSettings
) -> list[PointBalance] | None:
    """Fewest visit pairs from one reading to another: pairs within a leg, legs that follow within some days.

    ``ends`` are the first and the last reading.
    """
    first, last = ends
    direct = stake_balance(first, last, settings) if first.leg == last.leg and first.day < last.day else None
    if direct is not None:
        return [direct]
    queue: deque[tuple[Visit, list[PointBalance]]] = deque([(first, [])])
    seen = {first.key}
    while queue:
        here, chain = queue.popleft()
        if here.key == last.key:
            return chain or None
        for visit in (here, *(_followers(visits, here, last, bridge_days) if here is not first else ())):
            bridged = [_bridge((visit.day - here.day).days)] if visit.day > here.day else []
            for later in visits:
                if later.leg != visit.leg or not visit.day < later.day <= last.day or later.key in seen:
                    continue
                balance = stake_balance(visit, later, settings)
                if balance is not None:
                    seen.add(later.key)
                    queue.append((later, [*chain, *bridged, balance]))
    return None


def _followers(visits: Sequence[Visit], here: Visit, last: Visit, bridge_days: int) -> list[Visit]:
    """Readings of other legs that take over from a reading: those of its day, and of so many days after it."""
    return [
        visit
        for visit in visits
        if visit.leg != here.leg and visit.day < last.day and 0 <= (visit.day - here.day).days <= bridge_days
    ]


def _bridge(days: int) -> PointBalance:
    """Nothing, with an error, over some days on which no leg stood."""
    return PointBalance(
        ice_m_we=0.0,
        snow_m_we=0.0,
        superimposed_m_we=0.0,
        sigma_random_m_we=SIGMA_BRIDGE_M_WE_A_DAY * days,
        shared_snow_m_we=0.0,
        shared_ice_m_we=0.0,
        flags=(f"legs_bridged:{days} days",),
    )


def _summed(chain: Sequence[PointBalance]) -> PointBalance:
    total = chain[0]
    for balance in chain[1:]:
        total = total + balance
    return replace(total, flags=tuple(dict.fromkeys((*total.flags, "legs_chained")))) if len(chain) > 1 else total


def _mean(balances: Sequence[PointBalance]) -> PointBalance:
    """The mean of legs read side by side; their readings are independent, their densities shared."""
    count = len(balances)
    return PointBalance(
        ice_m_we=sum(balance.ice_m_we for balance in balances) / count,
        snow_m_we=sum(balance.snow_m_we for balance in balances) / count,
        superimposed_m_we=sum(balance.superimposed_m_we for balance in balances) / count,
        sigma_random_m_we=math.hypot(*(balance.sigma_random_m_we for balance in balances)) / count,
        shared_snow_m_we=sum(balance.shared_snow_m_we for balance in balances) / count,
        shared_ice_m_we=sum(balance.shared_ice_m_we for balance in balances) / count,
        bound="=",
        readings=tuple(dict.fromkeys(key for balance in balances for key in balance.readings)),
        flags=tuple(dict.fromkeys((*(flag for balance in balances for flag in balance.flags), "parallel_legs"))),
        firn_m_we=sum(balance.firn_m_we for balance in balances) / count,
    )


@dataclass(frozen=True, slots=True)
class PitLayer:
    """A layer of a snow pit: thickness (m), density (kg m-3), kind."""

    thickness_m: float
    density_kg_m3: float
    kind: str = "snow"


@dataclass(frozen=True, kw_only=True)
class PitSum:
    """A snow pit summed up.

    Attributes
    ----------
    depth_m : depth of the pit.
    swe_kg_m2 : sum of rho_j h_j.
    bulk_density_kg_m3 : swe / depth.
    snow_density_kg_m3 : bulk density without superimposed ice; NaN for a pit of ice alone.
    superimposed_m : thickness of superimposed ice.
    """

    depth_m: float
    swe_kg_m2: float
    bulk_density_kg_m3: float
    snow_density_kg_m3: float
    superimposed_m: float


def sum_pit(layers: Sequence[PitLayer]) -> PitSum:
    """Water equivalent and bulk density of a pit: SWE = sum(rho_j h_j), rho = SWE / H (Ostrem and Brugman, 1991).

        SWE = sum_j rho_j h_j,    rho = SWE / sum_j h_j

    Parameters
    ----------
    layers : from the surface down: depths in m, densities in kg m-3.
    """
    depth = sum(layer.thickness_m for layer in layers)
    swe = sum(layer.thickness_m * layer.density_kg_m3 for layer in layers)
    snow = [layer for layer in layers if layer.kind not in ("superimposed_ice", "ice")]
    snow_depth = sum(layer.thickness_m for layer in snow)
    snow_swe = sum(layer.thickness_m * layer.density_kg_m3 for layer in snow)
    superimposed = sum(layer.thickness_m for layer in layers if layer.kind == "superimposed_ice")
    return PitSum(
        depth_m=depth,
        swe_kg_m2=swe,
        bulk_density_kg_m3=swe / depth,
        snow_density_kg_m3=snow_swe / snow_depth if snow_depth else math.nan,
        superimposed_m=superimposed,
    )


def pit_balance(
    pit_id: str,
    layers: Sequence[PitLayer],
    floor: str,
    settings: MassBalanceSettings,
    probed_m: float | None = None,
) -> PointBalance | None:
    """Balance that a pit shows since the last summer's surface; None where neither pit nor probe reached it.

    Where the pit did not reach it and ``probed_m`` (m) is the snow depth down to it, the snow below the pit is as dense
    as the pit's lowest metre; the balance is flagged, and the guess enters its error.

    Parameters
    ----------
    pit_id : name of the pit.
    layers : from the surface down.
    floor : what it stands on.
    settings : errors of depth and density.
    probed_m : snow depth down to the last summer's surface; None where nobody probed.
    """
    added = 0.0
    if floor == "not_reached":
        added = (probed_m or 0.0) - sum(layer.thickness_m for layer in layers)
        if added <= 0:
            return None
    total = sum_pit(layers)
    superimposed = sum(
        layer.thickness_m * layer.density_kg_m3 for layer in layers if layer.kind in ("superimposed_ice", "ice")
    )
    below = added * _density_of_lowest_part(layers)
    snow = total.swe_kg_m2 - superimposed + below
    relative_ice = settings.sigma_ice_density_kg_m3 / settings.superimposed_ice_density_kg_m3
    flags = ("superimposed_ice_not_measured",) if floor == "superimposed_ice" else ()
    if added > 0:
        flags = (*flags, "extended_below_floor")
    random = math.hypot(total.bulk_density_kg_m3 * settings.sigma_snow_depth_m, SIGMA_EXTENDED_RELATIVE * below)
    return PointBalance(
        ice_m_we=0.0,
        snow_m_we=snow / 1000,
        superimposed_m_we=superimposed / 1000,
        sigma_random_m_we=random / 1000,
        shared_snow_m_we=settings.sigma_density_relative * snow / 1000,
        shared_ice_m_we=relative_ice * superimposed / 1000,
        readings=(pit_id,),
        flags=flags,
    )


def _density_of_lowest_part(layers: Sequence[PitLayer]) -> float:
    """Mean density of the lowest metre of a pit (kg m-3), of all of it where it is shallower."""
    left, mass = LOWEST_PART_M, 0.0
    for layer in reversed(layers):
        thickness = min(left, layer.thickness_m)
        mass += thickness * layer.density_kg_m3
        left -= thickness
    return mass / (LOWEST_PART_M - left)
