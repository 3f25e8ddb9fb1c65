"""Two families of synthetic glaciers whose balance is known everywhere, to hold stated errors against the truth.

Family 'wind' is the one to tune an error model on. The balance rises steeply with height up to a knee and slowly above;
the wind takes snow from the ribs and upper slopes and leaves a part of it in hollows; a pattern across the glacier, a
lasting and a yearly correlated pattern come on top. Family 'plain' is HELD OUT: nothing may be tuned on it. Its balance
rises in a straight line; sun and shadow of the terrain around make the melt uneven, and avalanches feed the upper
margins. Its glaciers have other shapes too: two branches that join, and aprons as broad as long.

Both are written from winter and summer upwards: annual = winter + summer at every pixel. Nothing is shared with the
chain, with the embedded samples, or with the tests' other generators. Every number comes from the seed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from tests.made.glacier_land import PIXEL_M, FloatArray, Land, plain_land, random_field, smoothstep, wind_land

Family = Literal["wind", "plain"]
FAMILIES: tuple[Family, ...] = ("wind", "plain")
FIRST_YEAR = 2011
# the balance profile behind a true equilibrium line is a mean over this height (m)
_PROFILE_WINDOW_M = 50.0
# a day of late July at 45 degrees north: the sun's hour angle from noon, and what light comes from all the sky
_DECLINATION, _LATITUDE, _DIFFUSE = math.radians(19.0), math.radians(45.0), 0.25


@dataclass(frozen=True, kw_only=True)
class Year:
    """The true balance of one year, from one late-summer visit to the next.

    Attributes
    ----------
    begin, middle, end : days of the visits; a team comes in the middle only where ``visited_in_spring``.
    winter_m_we, summer_m_we, annual_m_we : fields on the grid of the land, also around the glacier.
    """

    year: int
    begin: date
    middle: date
    end: date
    visited_in_spring: bool
    winter_m_we: FloatArray
    summer_m_we: FloatArray

    @property
    def annual_m_we(self) -> FloatArray:
        """Winter and summer together."""
        return np.asarray(self.winter_m_we + self.summer_m_we)


@dataclass(frozen=True, kw_only=True)
class YearTruth:
    """What is true of the whole glacier in one year.

    Attributes
    ----------
    annual_m_we, winter_m_we, summer_m_we : means over the true outline.
    ela_m, ela_position : where the mean profile by elevation turns from loss to gain; the glacier's lowest (highest)
        elevation with '<' ('>') where it does so nowhere.
    zero_line_m : mean elevation of the line of zero balance on the map; NaN without one.
    aar : share of the area with a balance of at least zero.
    """

    year: int
    annual_m_we: float
    winter_m_we: float
    summer_m_we: float
    ela_m: float
    ela_position: str
    zero_line_m: float
    aar: float


@dataclass(frozen=True, kw_only=True)
class Glacier:
    """A synthetic glacier: its ground, its years, and by what it differs from a smooth profile.

    Attributes
    ----------
    patterns_m_we : named parts of the balance on the grid (m w.e. a year, mean strength), for tests and figures.
    """

    family: Family
    seed: int
    land: Land
    years: tuple[Year, ...]
    patterns_m_we: dict[str, FloatArray] = field(default_factory=dict)

    @property
    def truth(self) -> tuple[YearTruth, ...]:
        """The truth of each year, computed from the fields."""
        return tuple(year_truth(self.land, year) for year in self.years)


def synthetic_glacier(family: Family, seed: int, years: int = 4) -> Glacier:
    """One glacier of a family; the same seed always gives the same glacier."""
    number = FAMILIES.index(family)
    land = (wind_land, plain_land)[number](np.random.default_rng([5303, number, seed, 1]))
    draw = np.random.default_rng([5303, number, seed, 2])
    weather = _weather(draw, years)
    make = (_wind_years, _plain_years)[number]
    fields, patterns = make(land, weather, draw)
    visits = _visits(np.random.default_rng([5303, number, seed, 3]), years)
    found = tuple(
        Year(year=FIRST_YEAR + k, **visits[k], winter_m_we=winter, summer_m_we=summer)
        for k, (winter, summer) in enumerate(fields)
    )
    return Glacier(family=family, seed=seed, land=land, years=found, patterns_m_we=patterns)


@dataclass(frozen=True, kw_only=True)
class _Weather:
    """Of each year: mean annual and winter balance (m w.e.) and relative steepness; and the size of local patterns."""

    annual: FloatArray
    winter: FloatArray
    steepness: FloatArray
    lasting_m_we: float
    yearly_m_we: float
    length_m: float


def _weather(draw: np.random.Generator, years: int) -> _Weather:
    departure = draw.normal(0, 0.40, years)
    annual = draw.normal(-0.35, 0.25) + departure
    winter = draw.uniform(0.8, 1.5) * (1 + draw.normal(0, 0.12, years)) + 0.25 * departure
    return _Weather(
        annual=annual,
        winter=np.maximum(winter, 0.35),
        steepness=1 - 0.12 * departure + draw.normal(0, 0.06, years),
        lasting_m_we=draw.uniform(0.08, 0.15),
        yearly_m_we=draw.uniform(0.04, 0.08),
        length_m=draw.uniform(120, 350),
    )


def _visits(draw: np.random.Generator, years: int) -> list[dict[str, date | bool]]:
    """Late-summer days of each year, a day in spring, and whether somebody came then: in two years at least."""
    autumn = [date(FIRST_YEAR - 1 + k, 9, 8) + timedelta(days=int(draw.integers(0, 18))) for k in range(years + 1)]
    spring = [date(FIRST_YEAR + k, 4, 24) + timedelta(days=int(draw.integers(0, 22))) for k in range(years)]
    came = draw.random(years) < 0.6
    came[draw.permutation(years)[:2]] = True
    return [
        {"begin": autumn[k], "middle": spring[k], "end": autumn[k + 1], "visited_in_spring": bool(came[k])}
        for k in range(years)
    ]


# winter and summer of each year
_Fields = list[tuple[FloatArray, FloatArray]]


def _wind_years(land: Land, weather: _Weather, draw: np.random.Generator) -> tuple[_Fields, dict[str, FloatArray]]:
    """Winter and summer of every year: knee, scour and drift, a pattern across."""
    shape, on = land.surface_m.shape, land.inside
    knee = land.quantile_m(draw.uniform(0.35, 0.70))
    gradients = draw.uniform(0.0045, 0.0100), draw.uniform(0.0, 0.0030)
    width = draw.uniform(40, 110)
    growth = draw.uniform(0.0004, 0.0012)
    scour, drift = _scour_and_drift(land, draw)
    share = draw.uniform(0.30, 0.65)
    across = _centred(land, draw.normal(0, 0.10) * land.across + draw.normal(0, 0.10) * land.across**2)
    across *= 1 + draw.uniform(-0.8, 0.8) * (land.along - 0.5)
    lasting = weather.lasting_m_we * random_field(shape, weather.length_m, draw)
    fields, taken = [], []
    for annual, winter, steepness in zip(weather.annual, weather.winter, weather.steepness, strict=True):
        own_knee = knee + draw.normal(0, 20)
        profile = _centred(land, knee_profile(land.surface_m, own_knee, width, gradients))
        above = np.minimum(land.surface_m - own_knee, 0.0)
        snow = winter * (1 + _centred(land, growth * above))
        yearly = weather.yearly_m_we * random_field(shape, weather.length_m, draw)
        strength = min(share * (1 + draw.normal(0, 0.2)), 0.8)
        wind = snow * strength * scour
        settled = drift * 0.35 * wind[on].mean() / max(float(drift[on].mean()), 1e-9)
        summer = annual + steepness * profile - snow + across + 0.6 * (lasting + yearly)
        snow = np.maximum(snow - wind + settled + 0.4 * (lasting + yearly), 0.04)
        fields.append((snow, np.minimum(summer, -0.02)))
        taken.append(wind - settled)
    parts = {"scour": np.mean(taken, axis=0), "across": across, "lasting": lasting}
    return fields, parts | {"knee": np.full(shape, knee), "ribs": scour}


def knee_profile(
    elevation_m: FloatArray, knee_m: float, width_m: float, gradients_m_we_per_m: tuple[float, float]
) -> FloatArray:
    """Balance (m w.e.) by elevation, 0 at the lowest: its gradient goes from the first to the second value about the
    knee, over ``width_m`` to either side."""
    heights = np.arange(np.floor(elevation_m.min()), np.ceil(elevation_m.max()) + 1)
    below, above = gradients_m_we_per_m
    gradient = below + (above - below) * smoothstep((heights - knee_m + width_m) / (2 * width_m))
    return np.interp(elevation_m, heights, np.cumsum(gradient) - gradient[0])


def _scour_and_drift(land: Land, draw: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Where the wind takes snow and where it leaves it, 0 to 1: ribs and windward slopes of the upper part, hollows."""
    lower = np.searchsorted(np.sort(land.surface_m[land.inside]), land.surface_m) / land.inside.sum()
    upper = smoothstep((lower - draw.uniform(0.40, 0.55)) / 0.40)
    smooth = gaussian_filter(land.surface_m, 1.5)
    rise = smooth - gaussian_filter(land.surface_m, 8.0)
    north, east = np.gradient(gaussian_filter(land.surface_m, 3.0), PIXEL_M)
    wind = draw.uniform(0, 2 * np.pi)
    windward = np.sin(wind) * east - np.cos(wind) * north
    on = land.inside & (lower > 0.5)
    exposure = (rise - rise[on].mean()) / rise[on].std() + 0.8 * (windward - windward[on].mean()) / windward[on].std()
    return upper * smoothstep((exposure + 1.5) / 4.0), smoothstep((lower - 0.4) / 0.3) * smoothstep(-exposure / 3.0)


def _plain_years(land: Land, weather: _Weather, draw: np.random.Generator) -> tuple[_Fields, dict[str, FloatArray]]:
    """Winter and summer of every year: straight profiles, uneven sun, avalanches at the margins."""
    shape = land.surface_m.shape
    gradient, growth = draw.uniform(0.0035, 0.0070), draw.uniform(0.0002, 0.0009)
    height = _centred(land, land.surface_m)
    sun = _centred(land, sunshine(land)) * draw.uniform(0.8, 1.6)
    snowslides = _avalanches(land, draw)
    lasting = weather.lasting_m_we * random_field(shape, weather.length_m, draw)
    fields, melts = [], []
    for annual, winter, steepness in zip(weather.annual, weather.winter, weather.steepness, strict=True):
        snow = winter * (1 + growth * height)
        yearly = weather.yearly_m_we * random_field(shape, 1.5 * weather.length_m, draw)
        even = np.minimum(annual + steepness * gradient * height - snow, -0.1)
        uneven = even * np.clip(sun, -0.5, 0.5)
        summer = even + uneven + 0.5 * (lasting + yearly)
        slides = snowslides * winter * draw.uniform(0.7, 1.3)
        fields.append((np.maximum(snow + slides + 0.5 * (lasting + yearly), 0.04), np.minimum(summer, -0.02)))
        melts.append(uneven)
    return fields, {"sun": np.mean(melts, axis=0), "avalanches": snowslides, "lasting": lasting}


def sunshine(land: Land) -> FloatArray:
    """Direct sun of a summer's day by slope, aspect and shadow of the terrain, over its mean on the glacier."""
    surface = gaussian_filter(land.surface_m, 1.5)
    down, right = np.gradient(surface, PIXEL_M)
    steepness = np.sqrt(1 + down**2 + right**2)
    total = np.zeros(surface.shape)
    swing, rest = math.cos(_LATITUDE) * math.cos(_DECLINATION), math.sin(_LATITUDE) * math.sin(_DECLINATION)
    for hour in np.radians(np.arange(-95.0, 96.0, 10.0)):
        up = rest + swing * math.cos(hour)
        east = -math.cos(_DECLINATION) * math.sin(hour)
        north = (math.sin(_DECLINATION) - math.sin(_LATITUDE) * up) / math.cos(_LATITUDE)
        # the surface's normal is (-dz/deast, -dz/dnorth, 1); rows run south
        shine = np.clip((-right * east + down * north + up) / steepness, 0, None)
        level = math.hypot(east, north)
        hidden = _shadow(surface, (east / level, north / level), up / level)
        total += _DIFFUSE * up + (1 - _DIFFUSE) * shine * ~hidden
    return total / total[land.inside].mean()


def _shadow(surface: FloatArray, towards: tuple[float, float], rise: float) -> np.ndarray:
    """Whether higher ground towards the sun, up to 1.2 km away, hides it; ``rise`` the tangent of its height."""
    rows, columns = np.indices(surface.shape).astype(float)
    hidden = np.zeros(surface.shape, bool)
    for distance in np.arange(100.0, 1200.0, 75.0):
        step = distance / PIXEL_M
        place = [rows - step * towards[1], columns + step * towards[0]]
        hidden |= map_coordinates(surface, place, order=1, mode="nearest") > surface + distance * rise
    return hidden


def _avalanches(land: Land, draw: np.random.Generator) -> FloatArray:
    """What avalanches add in an average winter, over the mean winter balance: patches along steep upper margins."""
    reach, most = draw.uniform(35, 80), draw.uniform(0.2, 0.6)
    patches = smoothstep((random_field(land.surface_m.shape, 400.0, draw) - 0.2) / 0.8)
    upper = smoothstep((land.along - 0.3) / 0.2)
    return np.where(land.inside, most * patches * upper * np.exp(-land.margin_m / reach), 0.0)


def _centred(land: Land, values: FloatArray) -> FloatArray:
    return np.asarray(values - values[land.inside].mean())


def year_truth(land: Land, year: Year) -> YearTruth:
    """The truth of the whole glacier in a year: plain means over the pixels within the true outline."""
    annual = year.annual_m_we
    elevation, balance = land.surface_m[land.inside], annual[land.inside]
    ela, position = equilibrium_line(elevation, balance)
    return YearTruth(
        year=year.year,
        annual_m_we=float(balance.mean()),
        winter_m_we=float(year.winter_m_we[land.inside].mean()),
        summer_m_we=float(year.summer_m_we[land.inside].mean()),
        ela_m=ela,
        ela_position=position,
        zero_line_m=_zero_line(land, annual),
        aar=float(np.mean(balance >= 0)),
    )


def equilibrium_line(elevation_m: FloatArray, balance_m_we: FloatArray) -> tuple[float, str]:
    """Where the mean balance within a window of height turns from loss to gain; '<' or '>' with an end of the glacier
    where it does not. Of several such heights, the one with the least area on its wrong side counts."""
    order = np.argsort(elevation_m)
    heights, sums = elevation_m[order], np.concatenate([[0.0], np.cumsum(balance_m_we[order])])
    half = _PROFILE_WINDOW_M / 2
    levels = np.arange(heights[0] + half, heights[-1] - half + 1, 1.0)
    first, last = np.searchsorted(heights, levels - half), np.searchsorted(heights, levels + half)
    profile = (sums[last] - sums[first]) / np.maximum(last - first, 1)
    turns = np.flatnonzero((profile[:-1] < 0) & (profile[1:] >= 0)) + 1
    if not turns.size:
        gains = float(np.mean(profile >= 0)) > 0.5
        return (float(heights[0]), "<") if gains else (float(heights[-1]), ">")
    at = np.interp(heights, levels, profile) >= 0
    wrong = [int(np.sum(at != (heights >= level))) for level in levels[turns]]
    return float(levels[turns][int(np.argmin(wrong))]), "="


def _zero_line(land: Land, annual_m_we: FloatArray) -> float:
    """Mean elevation between neighbouring pixels of the glacier of which one loses and one gains."""
    found = []
    for first, second in ((np.s_[:-1, :], np.s_[1:, :]), (np.s_[:, :-1], np.s_[:, 1:])):
        pair = land.inside[first] & land.inside[second]
        turns = pair & ((annual_m_we[first] >= 0) != (annual_m_we[second] >= 0))
        found.append((land.surface_m[first][turns] + land.surface_m[second][turns]) / 2)
    heights = np.concatenate(found)
    return float(heights.mean()) if heights.size else math.nan
