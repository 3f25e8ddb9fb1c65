"""Spatial correlation of the errors: a sum of variogram models, and what follows from it in closed form."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from pipeline.grid import FloatArray
from schemas.errors import BadInput


class Form(StrEnum):
    """Shape of a variogram model; the range is the effective one, at which 95 % or all of the sill is reached."""

    SPHERICAL = "spherical"
    GAUSSIAN = "gaussian"
    EXPONENTIAL = "exponential"


# distance, in ranges, beyond which less than 1e-12 of the covariance is left
REACH = {Form.SPHERICAL: 1.0, Form.GAUSSIAN: 2.63, Form.EXPONENTIAL: 9.22}


def _none() -> FloatArray:
    return np.empty(0)


@dataclass(frozen=True, kw_only=True)
class Variogram:
    """Spatial correlation of standardised residuals: a sum of models, spherical unless ``forms`` says otherwise.

    gamma(h) = sum_k s_k g(h / r_k); covariance C(h) = sum_k s_k [1 - g(h / r_k)] (Rolstad et al., 2009, eq. 1;
    Hugonnet et al., 2022, eq. 13). g is 1.5 x - 0.5 x^3 up to x = 1 (spherical), 1 - exp(-4 x^2) (gaussian) or
    1 - exp(-3 x) (exponential).

    Attributes
    ----------
    ranges_m, sills : one a model, sills sum to the variance of the standardised residuals (about 1).
    lag_m, empirical, pairs : the empirical variogram it was fitted to; empty where it was not fitted.
    forms : one a model; empty where all are spherical.

    Errors
    ------
    BadInput : ranges and sills of different number, a range that is not positive, a negative sill.
    """

    ranges_m: tuple[float, ...]
    sills: tuple[float, ...]
    lag_m: FloatArray = field(default_factory=_none)
    empirical: FloatArray = field(default_factory=_none)
    pairs: FloatArray = field(default_factory=_none)
    forms: tuple[Form, ...] = ()

    def __post_init__(self) -> None:
        numbers = {len(self.ranges_m), len(self.sills), len(self.forms or self.sills)}
        if len(numbers) > 1 or not all(reach > 0 for reach in self.ranges_m) or not all(s >= 0 for s in self.sills):
            raise BadInput(
                "variogram",
                f"ranges {self.ranges_m} m, sills {self.sills}, forms {tuple(map(str, self.forms))}",
                "one positive range and one sill of zero or more for each model",
            )

    @property
    def models(self) -> tuple[tuple[Form, float, float], ...]:
        """Form, range (m) and sill of each model."""
        forms = self.forms or (Form.SPHERICAL,) * len(self.sills)
        return tuple(zip(forms, self.ranges_m, self.sills, strict=True))

    @property
    def sill(self) -> float:
        """Variance of the standardised residuals."""
        return float(sum(self.sills))

    @property
    def reach_m(self) -> float:
        """Distance beyond which there is no covariance left."""
        return max((REACH[form] * reach for form, reach, _ in self.models), default=0.0)

    def covariance(self, distance_m: FloatArray) -> FloatArray:
        """Covariance of standardised residuals at a distance; shaped like distance_m.

            C(h) = sum_k s_k rho_k(h / a_k)

        s: sills, a: ranges.

        Parameters
        ----------
        distance_m : any shape.
        """
        total = np.zeros(np.shape(distance_m))
        for form, reach, sill in self.models:
            total += sill * correlation(form, distance_m / reach)
        return total

    def variance_of_disc_mean(self, area_m2: float) -> float:
        """Covariance averaged over a disc around its centre: the circle approximation of the variance of a mean.

        Closed forms of (2 / L^2) integral_0^L C(h) h dh with L = sqrt(area / pi) (Rolstad et al., 2009, eq. 8). The
        centre lies nearer to the disc's points than others do, so it is somewhat too large for any shape.

        Parameters
        ----------
        area_m2 : of the disc.
        """
        radius = np.sqrt(area_m2 / np.pi)
        return float(sum(sill * _DISC_MEAN[form](radius / reach) for form, reach, sill in self.models))


def spherical(ratio: FloatArray) -> FloatArray:
    """Spherical variogram model of unit sill, 1.5 x - 0.5 x^3 up to x = 1.

    Parameters
    ----------
    ratio : distance over range, any shape, not negative.

    Source
    ------
    Rolstad et al. (2009).
    """
    near = np.minimum(ratio, 1.0)
    result: FloatArray = near * (1.5 - 0.5 * near * near)
    return result


def correlation(form: Form, ratio: FloatArray) -> FloatArray:
    """Correlation of unit sill at distances given in ranges; shaped like ratio.

    Parameters
    ----------
    form : "spherical" or "gaussian".
    ratio : distance over range, any shape, not negative.
    """
    result: FloatArray
    match form:
        case Form.SPHERICAL:
            result = 1 - spherical(ratio)
        case Form.GAUSSIAN:
            result = np.exp(-4 * ratio**2)
        case Form.EXPONENTIAL:
            result = np.exp(-3 * ratio)
    return result


def _spherical_disc(x: float) -> float:
    return float(1 - x + x**3 / 5) if x < 1 else float(1 / (5 * x**2))


def _gaussian_disc(x: float) -> float:
    return float(-np.expm1(-4 * x**2) / (4 * x**2))


def _exponential_disc(x: float) -> float:
    return float(2 * (1 - np.exp(-3 * x) * (1 + 3 * x)) / (9 * x**2))


# mean of the correlation with the centre over a disc of x ranges
_DISC_MEAN = {
    Form.SPHERICAL: _spherical_disc,
    Form.GAUSSIAN: _gaussian_disc,
    Form.EXPONENTIAL: _exponential_disc,
}
