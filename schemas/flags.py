"""What the quality flags of a mass balance say, by name, and how a flag stands with a result."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.messages import Message

MEANINGS: dict[str, Message] = {
    # of a year
    "no_visit": Message("nobody visited the glacier to close or open this year"),
    "no_visit_at_start": Message("no visit is close enough to the year's first day to open it"),
    "no_visit_at_end": Message("no visit is close enough to the year's last day to close it"),
    "annual_from_seasons": Message(
        "the annual balance is the sum of winter and summer balance, each of its own points"
    ),
    "elevation_unknown": Message("a point without an elevation, and no DEM to take it from: not used"),
    "visits_far_from_year_start": Message(
        "no visit comes closer to any year's end: is year_start that of the glacier?"
    ),
    "too_few_points": Message("fewer annual point balances than the settings ask for: no glacier-wide balance"),
    "one_point_only": Message("the glacier-wide balance rests on a single point"),
    "all_points_in_one_band": Message("all points lie in one elevation zone: the rest of the glacier is extrapolated"),
    "no_point_in_ablation_area": Message("part of the glacier lost mass, but no point that did was measured"),
    "no_point_in_accumulation_area": Message("part of the glacier gained mass, but no point that did was measured"),
    "field_needs_three_points": Message("too few points for a balance field: zones only"),
    "no_map": Message("no DEM and outline: no balance field, no contour method"),
    "no_area_altitude_distribution": Message("no areas known: no glacier-wide balance"),
    "unmeasured_area": Message("more than a quarter of the area lies above the highest or below the lowest point"),
    "unmeasured_error": Message("more than a quarter of the error's variance comes from elevations nobody measured"),
    "gradient_unknown": Message(
        "all points lie in one elevation band and contradict each other: no glacier-wide value"
    ),
    "hypsometry_of": Message("the area-altitude distribution is that of another year"),
    "outline_of": Message("no outline was surveyed that year: that of another year was used"),
    "several_equilibrium_lines": Message("the balance profile turns from loss to gain more than once"),
    "implausible_gradient": Message("the balance gradient (m w.e. per 100 m) is outside what glaciers show"),
    "annual_is_not_winter_plus_summer": Message("annual balance is not winter plus summer, beyond error and rounding"),
    "seasons_look_exchanged": Message("a winter of loss and a summer of gain: is year_start that of the hemisphere?"),
    "negative_winter_balance": Message(
        "the winter lost mass: does the region have such seasons, and was the visit before the melt? see no-seasons"
    ),
    "bands_with_a_gap": Message("elevation bands leave a gap between them"),
    "overlapping_bands": Message("an elevation band begins below the end of the one before"),
    "band_without_area": Message("an elevation band has no area: it counts for nothing in the mean"),
    "bands_unlike_published": Message(
        "the bands' mean minus the published glacier-wide balance (m w.e.) is no rounding"
    ),
    "filled_stakes": Message("so many stakes without a value were filled by the linear model"),
    # of points in a year
    "bound_not_used": Message("an upper bound, not a value: left out of the glacier-wide balance"),
    "one_position": Message("two stakes share a position"),
    "off_the_outline": Message("a point used lies off the glacier's outline"),
    "elevation_unlike_dem": Message("a point's stated elevation is more than 50 m from the DEM's"),
    "unlike_its_elevation": Message("the other points and the elevation predict another balance (standard deviations)"),
    "no_value": Message(
        "a stake visited around both ends of the year gives no annual balance: no unbroken chain of readings"
    ),
    "beside_a_read_stake": Message("a pit beside a stake that has a value itself: published, not used"),
    # of point balances
    "density_from_pit": Message("snow density of the pit beside the stake"),
    "density_from_depth": Message("snow density from the campaign's line of density against depth"),
    "density_of_campaign": Message("mean snow density of the campaign"),
    "density_assumed": Message("snow density of the settings: none was measured"),
    "density_out_of_class": Message("a density that snow, or the layer's kind, does not have"),
    "tilted": Message("leaning stake: vertical height is length times the cosine of the tilt"),
    "bent": Message("bent stake: larger reading error"),
    "surface_rise": Message("the surface rose without snow to show for it: taken as snow of a density that is assumed"),
    "from_summer_surface": Message(
        "counted from the last summer's surface, which the snow of a visit in spring covers"
    ),
    "legs_bridged": Message("a leg followed some days after another: nothing is taken to have happened in between"),
    "density_of_other_campaign": Message("mean snow density of another campaign of the season"),
    "ice_assumed": Message(
        "surface not stated, taken as ice though an earlier year left snow there, which may be firn"
    ),
    "old_snow_outlasts": Message("snow of an earlier year lay under this year's: the balance counts from its surface"),
    "melted_out": Message("the stake melted out: the balance is at most this"),
    "buried_probed": Message("the stake was buried: the balance is the probed snow"),
    "legs_chained": Message("summed over redrillings on a common day"),
    "parallel_legs": Message("mean of legs read side by side"),
    "given_as_balance": Message("given as a balance, not as readings: taken as it is"),
    "days_of_the_calendar": Message("the days of the period are not told: those of the mass-balance year are taken"),
    "superimposed_ice_not_measured": Message("superimposed ice below the snow was out of reach"),
    "extended_below_floor": Message("snow below the pit's floor is taken as dense as its lowest metre"),
    "spans_several_years": Message("one period over several years, never split"),
    "date_interpolated": Message("the balance between two visits around a fixed date is taken to run evenly in time"),
    "moved": Message("the stake moved far during the period: the balance stands for the middle of its way"),
    # of readings, pits and stakes
    "stake_lost": Message("the stake was not found: this reading gives no balance"),
    "buried_without_probing": Message("buried, and no snow depth was probed: this reading gives no balance"),
    "melted_out_of_unknown_length": Message("melted out, and its length is unknown: not even a bound"),
    "not_read": Message("no exposed length: this reading gives no balance"),
    "no_earlier_reading": Message("no earlier reading of the leg to compare with"),
    "dates_out_of_order": Message(
        "dated before the reading above it in the sheet: readings are taken in order of their dates"
    ),
    "legs_out_of_order": Message("a leg was first read before the leg that it follows"),
    "read_before_installed": Message("read before the day on which the stake was installed"),
    "position_jump": Message("further from its last surveyed position than ice carries a stake"),
    "unlike_geodetic_balance": Message(
        "the sum of these years' balances disagrees with the elevation change of the period"
    ),
    "pit_below_summer_surface": Message(
        "the pit went deeper than the last summer's surface: what lies below is left out"
    ),
    "pit_floor_not_reached": Message(
        "the pit did not reach the last summer's surface, and nothing was probed: not used"
    ),
}


@dataclass(frozen=True)
class _Name:
    """A flag's name within a message: in English as it stands in tables, in Chinese what it means."""

    en: str

    @property
    def cn(self) -> str:
        return MEANINGS[self.en].cn


def raised(name: str, detail: str) -> Message:
    """A flag with its detail, as it stands with a result: ``name:detail``."""
    return Message("{flag}:{detail}", flag=_Name(name), detail=detail)


def flag_said(flag: str) -> str:
    """A flag of a result, ``name`` or ``name:detail``, as a message; as it is where nobody here raises such a flag."""
    if isinstance(flag, Message):
        return flag
    name, colon, detail = flag.partition(":")
    if name not in MEANINGS:
        return flag
    return raised(name, detail) if colon else Message("{flag}", flag=_Name(name))
