"""Units as field sheets spell them, and how each becomes the unit of the table schemas."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """A unit as spelled, and its factor: a value in it times ``multiply`` over ``divide`` is in the schema's unit.

    Two whole numbers and not one fraction, so that 230 cm is 2.3 m to the last digit.
    """

    unit: str
    multiply: int
    divide: int

    def convert(self, value: float) -> float:
        """The value in the schema's unit.

            value_schema = factor value_sheet

        Parameters
        ----------
        value : in the sheet's unit.
        """
        return value * self.multiply / self.divide

    @property
    def changes(self) -> bool:
        """Whether values in this unit differ from those in the schema's."""
        return self.multiply != self.divide


_LENGTH = {"m": (1, 1), "dm": (1, 10), "cm": (1, 100), "mm": (1, 1000), "km": (1000, 1)}
_LENGTH |= {"米": (1, 1), "公尺": (1, 1), "厘米": (1, 100), "公分": (1, 100), "毫米": (1, 1000), "千米": (1000, 1)}
_LENGTH |= dict.fromkeys(("metre", "metres", "meter", "meters", "m_a_s_l", "masl", "m_asl"), (1, 1))
_LENGTH |= dict.fromkeys(("moh", "m_o_h", "m_ü_m", "müm", "m_ü_nn", "m_s_n_m", "msnm", "m_h_o_h"), (1, 1))
_DENSITY = dict.fromkeys(("kg_m3", "kg_m_3", "kgm3", "kgm_3", "千克_立方米", "公斤_立方米", "千克每立方米"), (1, 1))
_DENSITY |= dict.fromkeys(
    ("g_cm3", "g_cm_3", "gcm3", "gcm_3", "g_cc", "克_立方厘米", "克每立方厘米", "t_m3"), (1000, 1)
)
_ANGLE = dict.fromkeys(("deg", "degree", "degrees", "decimal_degrees", "decimal_degree", "dd", "度"), (1, 1))
_AREA = {"km2": (1, 1), "m2": (1, 1_000_000), "ha": (1, 100)}
_AREA |= dict.fromkeys(("km_2", "sqkm", "sq_km", "square_km", "square_kilometres", "square_kilometers"), (1, 1))
_AREA |= {"平方千米": (1, 1), "平方公里": (1, 1), "平方米": (1, 1_000_000), "公顷": (1, 100)}
_BALANCE = dict.fromkeys(("m_we", "m_w_e", "米水当量"), (1, 1))
_BALANCE |= dict.fromkeys(("cm_we", "cm_w_e"), (1, 100))
_BALANCE |= dict.fromkeys(("mm_we", "mm_w_e", "mm_w_eq", "mm_weq", "kg_m2", "kg_m_2", "毫米水当量"), (1, 1000))
# of snow melted or weighed, a length can only be that of the water
_WATER = {**{name: _LENGTH[name] for name in ("m", "dm", "cm", "mm", "米", "厘米", "毫米")}, **_BALANCE}
_OF_SNOW = "m w.e. of snow"
# unit of the schema -> spelling, as ``token`` gives it -> (multiply by, divide by)
_UNITS = {
    "m": _LENGTH,
    "kg m-3": _DENSITY,
    "degree": _ANGLE,
    "km2": _AREA,
    "m w.e.": _BALANCE,
    _OF_SNOW: _WATER,
}


def token(text: str) -> str:
    """Lower case, words joined by underscores, exponents and dots taken away: 'kg m-3' and 'kg·m⁻³' are ``kg_m_3``.

    Full-width letters become plain ones (Unicode NFKC); a Latin word after a Chinese one is a word of its own.

    Parameters
    ----------
    text : of a header or a unit.

    Example
    -------
    >>> token("kg·m⁻³")
    'kg_m_3'
    """
    plain = unicodedata.normalize("NFKC", text).strip().lower().replace("°", "deg")
    plain = re.sub(r"\^|\*\*", "", plain)  # km^2 and km**2 are km2
    plain = re.sub(r"(?<=[\u4e00-\u9fff])(?=[a-z])|(?<=[a-z])(?=[\u4e00-\u9fff])", "_", plain)
    return re.sub(r"[\W_]+", "_", plain).strip("_")


# units of the schemas, and others that people measure in: brackets that hold one state the unit of the column
_KNOWN = {name for spellings in _UNITS.values() for name in spellings} | {
    *("ft", "foot", "feet", "in", "inch", "inches", "yd", "yard", "yards", "mi", "mile", "miles", "chi", "cun", "li"),
    *(
        "尺",
        "寸",
        "里",
        "英尺",
        "英寸",
        "g",
        "kg",
        "t",
        "lb",
        "pound",
        "gon",
        "grad",
        "rad",
        "radian",
        "radians",
        "pct",
    ),
    *("percent", "permille", "acre", "acres", "mu", "亩", "克", "千克", "吨", "lb_ft3", "gpa", "hpa", "c", "degc", "k"),
    *("hm", "dam", "um", "nm", "km3", "m3", "mwe", "mmwe", "we"),
}
# what stands in brackets and is no unit: the side of the meridian or the equator, a datum, how it was measured
_ASIDE = {
    *("e", "n", "dege", "degn", "deg_e", "deg_n", "east", "north", "东", "北", "东经", "北纬", "x", "y", "z"),
    *("gps", "gnss", "rtk", "dem", "utm", "gk", "asl", "no", "nr", "id", "1", "2", "3"),
    *("wgs", "wgs84", "84", "egm", "egm96", "96", "egm2008", "2008", "dhdn", "gcs"),
}
_SIDES = {"longitude": {"n", "s", "north", "south", "w", "west", "degw", "deg_w", "西经", "北纬", "南纬"}}
_SIDES["latitude"] = {"e", "w", "east", "west", "s", "south", "degs", "deg_s", "东经", "西经", "南纬"}
_SHORTEST_WORD = 4


def is_no_unit(spelling: str, column: str) -> bool:
    """Whether the text of some brackets says something else than a unit: 'E', 'WGS 84', 'by GPS', 'see remarks'.

    A known unit of another kind is one, and so may be a short word that nobody knows: a slip in a unit is a factor.
    For longitude and latitude the side of the column's own axis is none; another side turns the numbers round.

    Parameters
    ----------
    spelling : the text within the brackets.
    column : its name in the schema.
    """
    name = token(spelling)
    if name in _KNOWN or name in _SIDES.get(column, ()):
        return False
    long_word = any(len(word) >= _SHORTEST_WORD for word in re.split(r"[_\d]+", name))
    chinese = re.search(r"[\u4e00-\u9fff]{2}", name) is not None
    return not name or name in _ASIDE or long_word or chinese or set(name.split("_")) <= _ASIDE


def scale_of(spelling: str, unit: str) -> Scale | None:
    """The scale of a spelled unit in a column whose schema states ``unit``; None where the one is not the other.

    Parameters
    ----------
    spelling : as typed, "cm" or "g/cm3".
    unit : of the schema, "m" or "kg m-3".
    """
    name = token(spelling)
    factors = _UNITS.get(unit, {}).get(name)
    return None if factors is None else Scale(name, *factors)


def spellings_of(unit: str) -> tuple[str, ...]:
    """Every spelling of a unit that converts to the schema's ``unit``.

    Parameters
    ----------
    unit : of the schema.
    """
    return tuple(_UNITS.get(unit, {}))


def unit_of(name: str, unit: str) -> str:
    """The unit by whose spellings a column is read: its own, but lengths too where water is what is measured.

    Parameters
    ----------
    name, unit : of the column in the schema.
    """
    return _OF_SNOW if name == "swe_m_we" else unit


def has_scales(unit: str) -> bool:
    """Whether a column of this unit may be typed in others.

    Parameters
    ----------
    unit : of the schema.
    """
    return unit in _UNITS
