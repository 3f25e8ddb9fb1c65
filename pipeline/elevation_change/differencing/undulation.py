"""Waves in the difference of two DEMs over stable terrain: the undulation that a satellite's jitter leaves."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.grid import FloatArray

# stable terrain is averaged over so many square cells across the longer side; with fewer pixels a cell counts less
CELLS_ACROSS, FULL_CELL = 128, 0.25
# waves that are sought: of at least so many cells and metres, and of at most this share of the area's side
LEAST_CELLS, LEAST_M, GREATEST_SHARE = 6.0, 2000.0, 0.75
# the spectrum is sampled so many times as densely as the area asks for
DENSER = 4
# a wave's power stands out of the mean of its ring of wavelengths by this factor: noise does so once in 10^4 areas
STANDS_OUT, RING = 20.0, 1.7
MOST_WAVES, ROUNDS = 3, 12


@dataclass(frozen=True)
class PlaneWave:
    """c cos(p) + s sin(p), with p = 2 pi (east E + north N).

    Attributes
    ----------
    east, north : its wave numbers, cycles per metre.
    cosine_m, sine_m : c and s.
    """

    east: float
    north: float
    cosine_m: float
    sine_m: float

    @property
    def amplitude_m(self) -> float:
        """sqrt(c^2 + s^2)."""
        return math.hypot(self.cosine_m, self.sine_m)

    @property
    def wavelength_m(self) -> float:
        """From crest to crest."""
        return 1 / math.hypot(self.east, self.north)

    @property
    def azimuth_deg(self) -> float:
        """Direction in which it goes up and down, from the north to the east, below 180."""
        return math.degrees(math.atan2(self.east, self.north)) % 180

    def at(self, east_m: FloatArray, north_m: FloatArray) -> FloatArray:
        """Its height at places, m; the arrays broadcast."""
        cosine, sine = oscillation((self.east, self.north), east_m, north_m)
        result: FloatArray = self.cosine_m * cosine + self.sine_m * sine
        return result


@dataclass(frozen=True)
class FoundWave:
    """A wave that stands out, and one standard deviation of its amplitude (m) and of its wave number (m-1)."""

    wave: PlaneWave
    sigma_amplitude_m: float
    sigma_number: float

    @property
    def sigma_wavelength_m(self) -> float:
        """lambda^2 sigma_k."""
        return self.wave.wavelength_m**2 * self.sigma_number


def oscillation(numbers: tuple[float, float], east_m: FloatArray, north_m: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Cosine and sine of 2 pi (k_E E + k_N N) at places, by the sum of angles, which is cheap on a grid.

    Parameters
    ----------
    numbers : wave numbers to the east and to the north, cycles per metre.
    east_m, north_m : places; the arrays broadcast.
    """
    along, across = 2 * np.pi * numbers[0] * east_m, 2 * np.pi * numbers[1] * north_m
    first, second = (np.cos(along), np.sin(along)), (np.cos(across), np.sin(across))
    return first[0] * second[0] - first[1] * second[1], first[1] * second[0] + first[0] * second[1]


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Means of stable terrain in square cells.

    Attributes
    ----------
    mean_m, east_m, north_m : of the pixels of each cell; shape (cells,).
    weight : of each cell, at most 1.
    place : row and column of each cell.
    size_m : side of a cell.
    """

    mean_m: FloatArray
    east_m: FloatArray
    north_m: FloatArray
    weight: FloatArray
    place: tuple[NDArray[np.int64], NDArray[np.int64]]
    size_m: float

    @classmethod
    def of(cls, difference: FloatArray, east_m: FloatArray, north_m: FloatArray) -> Cells:
        """Means of a difference (m) without outliers at its pixels, shape (pixels,) each."""
        size = max(float(np.ptp(east_m)), float(np.ptp(north_m)), 1.0) / CELLS_ACROSS
        row, column = ((values - values.min()) // size for values in (north_m, east_m))
        number = (row * (CELLS_ACROSS + 1) + column).astype(np.int64)
        count = np.bincount(number)
        members = np.flatnonzero(count)
        means = [np.bincount(number, values)[members] / count[members] for values in (difference, east_m, north_m)]
        full = FULL_CELL * float(np.quantile(count[members], 0.9))
        return cls(
            mean_m=means[0],
            east_m=means[1],
            north_m=means[2],
            weight=np.minimum(count[members] / full, 1.0),
            place=(members // (CELLS_ACROSS + 1), members % (CELLS_ACROSS + 1)),
            size_m=size,
        )

    @property
    def wavelengths(self) -> tuple[float, float]:
        """The shortest and the longest wave that can be told, m; reversed where the area is too small for any."""
        sides = np.ptp(self.east_m), np.ptp(self.north_m)
        return max(LEAST_CELLS * self.size_m, LEAST_M), GREATEST_SHARE * float(np.sqrt(sides[0] * sides[1]))


def waves_in(difference: FloatArray, east_m: FloatArray, north_m: FloatArray) -> tuple[FoundWave, ...]:
    """Waves that stand out of the errors of their wavelengths, the strongest first; at most three.

    The peak of the periodogram of cell means, and then least squares for amplitude, phase and wave number beside a
    plane. A wave counts if its squared amplitude is 20 times the mean of all waves whose lengths differ from its own by
    less than a factor of 1.7: of noise without waves it exceeds that mean x times with probability exp(-x).

    Parameters
    ----------
    difference : of stable terrain without outliers and without what follows the elevation, shape (pixels,), m.
    east_m, north_m : from the middle of the grid, shape (pixels,).

    Limits
    ------
    Waves longer than three quarters of the area's side pass for a tilt; those shorter than 2 km are noise.
    """
    if difference.size == 0:
        return ()
    cells = Cells.of(difference, east_m, north_m)
    shortest, longest = cells.wavelengths
    numbers: list[tuple[float, float]] = []
    deviations: list[float] = []
    while shortest < longest and len(numbers) < MOST_WAVES:
        left = cells.mean_m - _fitted(cells, numbers)
        peak = _peak(cells, left, (shortest, longest))
        if peak is None:
            break
        numbers.append(peak[0])
        deviations.append(peak[1])
        numbers = _refined(cells, numbers, (shortest, longest))
    waves = _with_errors(cells, numbers, deviations)
    return tuple(sorted(waves, key=lambda one: -one.wave.amplitude_m))


def _peak(cells: Cells, left: FloatArray, limits: tuple[float, float]) -> tuple[tuple[float, float], float] | None:
    """Wave numbers of the strongest wave, and the standard deviation of an amplitude of its ring; None if none."""
    shape = (DENSER * (CELLS_ACROSS + 1),) * 2
    picture = np.zeros((CELLS_ACROSS + 1,) * 2)
    picture[cells.place] = cells.weight * left
    power = np.abs(np.fft.rfft2(picture, shape)) ** 2 * (2 / cells.weight.sum()) ** 2
    north = np.fft.fftfreq(shape[0], cells.size_m)[:, None]
    east = np.fft.rfftfreq(shape[1], cells.size_m)[None, :]
    number = np.hypot(east, north)
    sought = (number >= 1 / limits[1]) & (number <= 1 / limits[0])
    row, column = np.unravel_index(int(np.argmax(np.where(sought, power, 0))), power.shape)
    at = float(north[row, 0]), float(east[0, column])
    length = float(number[row, column])
    width = 2 / (CELLS_ACROSS * cells.size_m)
    near = np.minimum(np.hypot(east - at[1], north - at[0]), np.hypot(east + at[1], north + at[0])) < width
    ring = (number > length / RING) & (number < length * RING) & ~near
    if not ring.any():
        return None
    mean = float(power[ring].mean())
    if not power[row, column] > STANDS_OUT * mean:
        return None
    # the squared amplitude of noise is that of two coefficients
    return (at[1], at[0]), math.sqrt(mean / 2)


def _design(cells: Cells, numbers: list[tuple[float, float]]) -> FloatArray:
    """Columns of a plane and of every wave's cosine and sine, shape (cells, 3 + 2 waves)."""
    span = CELLS_ACROSS * cells.size_m
    columns = [np.ones(cells.mean_m.size), cells.east_m / span, cells.north_m / span]
    for pair in numbers:
        columns += oscillation(pair, cells.east_m, cells.north_m)
    return np.stack(columns, axis=1)


def _solved(design: FloatArray, cells: Cells) -> FloatArray:
    weighted = design * cells.weight[:, None]
    result: FloatArray = np.linalg.lstsq(weighted.T @ design, weighted.T @ cells.mean_m, rcond=None)[0]
    return result


def _fitted(cells: Cells, numbers: list[tuple[float, float]]) -> FloatArray:
    design = _design(cells, numbers)
    result: FloatArray = design @ _solved(design, cells)
    return result


def _with_slopes(cells: Cells, numbers: list[tuple[float, float]]) -> tuple[FloatArray, FloatArray]:
    """The design with the derivatives of every wave by its wave numbers (times the span), and its coefficients."""
    design = _design(cells, numbers)
    coefficients = _solved(design, cells)
    span = CELLS_ACROSS * cells.size_m
    slopes = []
    for place in range(len(numbers)):
        cosine, sine = design[:, 3 + 2 * place], design[:, 4 + 2 * place]
        turned = coefficients[4 + 2 * place] * cosine - coefficients[3 + 2 * place] * sine
        slopes += [2 * np.pi * turned * axis / span for axis in (cells.east_m, cells.north_m)]
    return np.concatenate([design, np.stack(slopes, axis=1)], axis=1), coefficients


def _refined(
    cells: Cells, numbers: list[tuple[float, float]], limits: tuple[float, float]
) -> list[tuple[float, float]]:
    """The wave numbers of least squares, by Gauss and Newton's steps from the peaks of the spectrum."""
    span = CELLS_ACROSS * cells.size_m
    for _ in range(ROUNDS):
        design, _ = _with_slopes(cells, numbers)
        first = 3 + 2 * len(numbers)
        steps = _solved(design, cells)[first:].reshape(-1, 2) / span
        # a step beyond half of the spectrum's resolution left the linear range
        steps = np.clip(steps, -0.5 / span, 0.5 / span)
        moved = [(east + step[0], north + step[1]) for (east, north), step in zip(numbers, steps, strict=True)]
        if not all(1 / limits[1] / RING <= math.hypot(*pair) <= RING / limits[0] for pair in moved):
            break
        numbers = moved
        if np.abs(steps).max() < 1e-3 / span:
            break
    return numbers


def _with_errors(cells: Cells, numbers: list[tuple[float, float]], deviations: list[float]) -> list[FoundWave]:
    """Each wave with the errors that the noise of its ring of wavelengths gives to it."""
    if not numbers:
        return []
    design, coefficients = _with_slopes(cells, numbers)
    inverse = np.linalg.pinv((design * cells.weight[:, None]).T @ design)
    span = CELLS_ACROSS * cells.size_m
    waves = []
    for place, ((east, north), deviation) in enumerate(zip(numbers, deviations, strict=True)):
        first, slope = 3 + 2 * place, 3 + 2 * len(numbers) + 2 * place
        wave = PlaneWave(east, north, float(coefficients[first]), float(coefficients[first + 1]))
        scale = deviation**2 / (0.5 * (inverse[first, first] + inverse[first + 1, first + 1]))
        direction = np.array([east, north]) * wave.wavelength_m
        numbers_variance = direction @ inverse[slope : slope + 2, slope : slope + 2] @ direction
        waves.append(FoundWave(wave, deviation, math.sqrt(scale * max(numbers_variance, 0.0)) / span))
    return waves
